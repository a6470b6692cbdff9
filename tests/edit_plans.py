"""Plans for the tests of edits: squares in blocks in blocks, and whatever lines cut."""

from __future__ import annotations

from dataclasses import replace

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
from geogrid.vocabulary import Contract

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


LISTED = Scheme(
    key="listed",
    title="",
    levels=(
        *SCHEME.levels,
        Level(key="zu", name="组", contract=Contract.ROSTER, code_width=2),
        Level(key="lin", name="邻", contract=Contract.ROSTER, code_width=2),
    ),
)


def with_lists(plan, *, size=3, names_carry=True):
    """The plan with every household in a list of some in its finest cell, and in pairs of these."""
    frame = plan.atoms.frame
    atom = np.repeat(frame["atom_id"].to_numpy(object), frame["households"])
    rows = pd.DataFrame({"atom_id": atom})
    rows["household_id"] = [f"h{at:05d}" for at in range(len(rows))]
    rows["above"] = plan.leaf.reindex(rows["atom_id"]).to_numpy()
    tables, facts = {}, []
    for level, count in zip(LISTED.levels[-2:], (size, 2), strict=True):
        number = rows.groupby("above").cumcount() // count + 1
        front = rows["above"] if names_carry else level.key + rows["above"]
        code = front + number.map("{:02d}".format) if names_carry else front + "." + number.map(str)
        tables[level.key] = rows.assign(code=code.astype("str"), households=1)[
            ["code", "household_id", "households", "atom_id"]
        ].astype({"household_id": "str", "atom_id": "str"})
        pairs = dict(zip(code, rows["above"], strict=True))
        facts += [
            {"code": one, "level": level.key, "name": one, "kind": level.kinds[0],
             "parent": parent, "head": ""}
            for one, parent in pairs.items()
        ]  # fmt: skip
        rows["above"] = code
    more = pd.DataFrame(facts, columns=["code", *plan.cell_table.columns]).set_index("code")
    table = pd.concat([plan.cell_table, more.astype("str")])
    table.index = table.index.astype(plan.cell_table.index.dtype)
    return replace(
        plan, scheme=LISTED, cell_table=table.astype("str"), rosters=tables, certificate=None
    )


def require_lists(plan, base):
    """Every household in exactly one list of each level, and each list in one cell above."""
    above = plan.scheme.area_levels[-1].key
    containers = plan.labels[above]
    table = plan.cell_table
    upper = None
    for key in base.rosters:
        rows, was = plan.rosters[key], base.rosters[key]
        assert rows["household_id"].tolist() == was["household_id"].tolist()
        held = rows.groupby("atom_id")["households"].sum()
        frame = plan.atoms.frame.set_index("atom_id")["households"]
        assert held.to_dict() == frame[frame > 0].to_dict()
        there = containers.reindex(rows["atom_id"]) if upper is None else upper
        assert table["parent"].reindex(rows["code"]).tolist() == there.tolist()
        assert set(table["level"].reindex(rows["code"])) <= {key}
        assert set(table.index[table["level"] == key]) == set(rows["code"])
        upper = rows["code"]


def fresh_twin(plan):
    """The same plan with nothing derived yet."""
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
