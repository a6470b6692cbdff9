"""A plan with nothing but official areas, and lists of households in lists: 组 and 邻."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.model.scheme import HouseholdBand, Level
from geogrid.vocabulary import Contract

ZU = Level(key="zu", name="组", contract=Contract.ROSTER, code_width=2)
LIN = Level(
    key="lin", name="邻", aliases=("邻里",), contract=Contract.ROSTER, code_width=2,
    kinds=("普通", "专属"), band=HouseholdBand(low=5, high=15),
)  # fmt: skip
_LISTS = 2


def listed(plan, *, size=10, is_official=True, prefix=""):
    """The plan with each household in a 邻 of some in its finest cell, and pairs of these in 组.

    Their codes begin with that of the cell, or with something else.
    """
    frame = plan.atoms.frame
    rows = pd.DataFrame(
        {"atom_id": np.repeat(frame["atom_id"].to_numpy(object), frame["households"])}
    )
    rows["household_id"] = [f"h{at:05d}" for at in range(len(rows))]
    above = plan.leaf.reindex(rows["atom_id"]).to_numpy()
    number = rows.groupby(above).cumcount() // size
    zu = prefix + pd.Series(above) + (number // _LISTS + 1).map("{:02d}".format)
    lin = zu + (number % _LISTS + 1).map("{:02d}".format)
    tables, facts = {}, []
    for level, code, parent in ((ZU, zu, pd.Series(above)), (LIN, lin, zu)):
        table = rows.assign(code=code, households=1)
        tables[level.key] = table[["code", "household_id", "households", "atom_id"]].astype(
            {"code": "str", "household_id": "str", "atom_id": "str"}
        )
        facts += [
            (one, level.key, f"{one[-4:]}{level.name}", "普通", up, "")
            for one, up in dict(zip(code, parent, strict=True)).items()
        ]
    more = pd.DataFrame(facts, columns=["code", *plan.cell_table.columns]).set_index("code")
    table = pd.concat([plan.cell_table, more]).astype("str")
    table.index = table.index.astype(plan.cell_table.index.dtype)
    areas = tuple(replace(level, locked=is_official) for level in plan.scheme.levels)
    return replace(
        plan, scheme=replace(plan.scheme, levels=(*areas, ZU, LIN)),
        cell_table=table.rename_axis(plan.cell_table.index.name), rosters=tables, certificate=None,
    )  # fmt: skip


def points_of(plan, *, seed=0):
    """A point for each household of the lists, somewhere in its atom."""
    rng = np.random.default_rng(seed)
    members = plan.rosters["lin"]
    shapes = plan.atoms.frame.set_index("atom_id").geometry.reindex(members["atom_id"])
    middles = shapes.centroid
    step = rng.uniform(-35, 35, (len(members), 2))
    places = shapely.points(middles.x.to_numpy() + step[:, 0], middles.y.to_numpy() + step[:, 1])
    return gpd.GeoDataFrame(
        {"household_id": members["household_id"].to_numpy(), "households": 1},
        geometry=places, crs=plan.district.crs,
    )  # fmt: skip


def homes_in(plan, code, *, key="lin"):
    """Return the households of a list, in order."""
    rows = plan.rosters[key]
    return rows["household_id"][rows["code"] == code].tolist()
