"""Plans for the tests of edits: squares in blocks in blocks, and whatever lines cut."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from strategies import STEP_M, grid_frame

from geogrid.coverage import verify_plan
from geogrid.divide import number_plan
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import HouseholdBand, Level, Scheme

SCHEME = Scheme(
    key="three",
    title="",
    levels=(
        Level(key="pian", name="片"),
        Level(
            key="wangge",
            name="网格",
            code_width=3,
            kinds=("综合", "专属"),
            unbalanced_kinds=("专属",),
        ),
        Level(key="wei", name="微网格", code_width=3, band=HouseholdBand(low=3, high=5)),
    ),
)


def plan_of(atoms, labels, scheme=SCHEME):
    """A numbered plan from one column of any values a level."""
    ids = pd.Index(atoms.frame["atom_id"], name="atom_id")
    columns, rows, path = {}, [], [""] * len(ids)
    for level in scheme.area_levels:
        parents = path
        values = np.asarray(labels[level.key]).astype(str)
        path = [f"{up}/{one}" for up, one in zip(path, values, strict=True)]
        columns[level.key] = path
        pairs = dict(zip(path, parents, strict=True))
        rows += [
            {
                "code": code, "level": level.key, "name": code, "kind": level.kinds[0],
                "parent": parent, "head": "",
            }
            for code, parent in pairs.items()
        ]  # fmt: skip
    plan = GridPlan(
        district=District(limit=atoms.limit, crs=None, name="测试", code="43"),
        scheme=scheme,
        atoms=atoms,
        labels=pd.DataFrame(columns, index=ids, dtype="str"),
        cell_table=pd.DataFrame(rows).set_index("code"),
    )
    return number_plan(plan)


def blocks(columns=8, rows=8, sizes=(8, 4, 2), households=1):
    """Squares in square blocks of some atoms a side, one size a level."""
    frame = grid_frame(columns, rows, households)
    at = frame["atom_id"].str.extract(r"a(\d+)-(\d+)").astype(int).to_numpy()
    labels = {
        level.key: [f"{x // size}-{y // size}" for x, y in at.tolist()]
        for level, size in zip(SCHEME.levels, sizes, strict=True)
    }
    return plan_of(Atoms.from_frame(frame), labels)


def homes_of(plan, *, seed=0):
    """One point a household, somewhere in its atom."""
    rng = np.random.default_rng(seed)
    frame = plan.atoms.frame
    points = []
    for shape, count in zip(frame.geometry, frame["households"], strict=True):
        low, high = np.reshape(shape.bounds, (2, 2))
        found = []
        while len(found) < count:
            spot = shapely.Point(np.round(rng.uniform(low, high), 3))
            if shape.contains(spot):
                found.append(spot)
        points += found
    ids = [f"h{at:05d}" for at in range(len(points))]
    return gpd.GeoDataFrame({"household_id": ids, "households": 1}, geometry=points)


def fresh_twin(plan):
    """The same plan with nothing derived yet."""
    from dataclasses import replace  # noqa: PLC0415

    return replace(plan, certificate=None)


def code_at(plan, level, x, y):
    """Code of the cell that holds the middle of a square."""
    return plan.labels.loc[f"a{x:03d}-{y:03d}", level]


def require_true(edit, base):
    """All that holds of every edit: proven as a full check says, nested, nobody lost."""
    plan = edit.plan
    report = verify_plan(fresh_twin(plan))
    assert report.is_proven, report.defects
    assert report.certificate.to_dict() == edit.certificate.to_dict()
    assert plan.households == base.households
    twin = fresh_twin(plan)
    above = None
    for level in plan.scheme.area_levels:
        mine, full = plan.cells(level.key), twin.cells(level.key)
        same = shapely.equals_exact(
            shapely.normalize(mine.geometry.to_numpy()), shapely.normalize(full.geometry.to_numpy())
        )
        assert same.all()
        pd.testing.assert_frame_equal(
            pd.DataFrame(mine.drop(columns=["geometry", "area_m2"])),
            pd.DataFrame(full.drop(columns=["geometry", "area_m2"])),
        )
        assert np.allclose(mine["area_m2"], full["area_m2"])
        if above is not None:
            held = mine.groupby("parent")["households"].sum()
            assert held.to_dict() == above.set_index("code")["households"].to_dict()
        above = mine
    assert set(plan.cell_table.index) == {
        code for level in plan.scheme.area_levels for code in plan.labels[level.key]
    }


MIDDLE = STEP_M / 2
