"""Which households keep their cell from an older plan to a newer one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import household_counts
from geogrid.model.quality import Moves
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["Homes", "kept_homes", "moves_of", "same_level"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Homes:
    """Homes that have an atom in both plans.

    Attributes
    ----------
    new, old
        Row of the atom in each plan.
    households
        How many live there.
    lost
        Households that lie in only one of the plans.
    """

    new: IntArray
    old: IntArray
    households: IntArray
    lost: int


def kept_homes(plan: GridPlan, near: GridPlan, households: gpd.GeoDataFrame | None) -> Homes:
    """Find the atoms of both plans under each household point, or under each atom of ``plan``."""
    crs = plan.district.crs
    if households is None:
        frame = plan.atoms.frame
        points = gpd.GeoSeries(shapely.point_on_surface(frame.geometry.to_numpy()), crs=crs)
        counts, new = frame["households"].to_numpy(np.int64), np.arange(len(frame))
    else:
        points, counts = households.geometry, household_counts(households)
        new = plan.atoms.locate(points)
    if crs is not None and near.district.crs is not None and near.district.crs != crs:
        points = points.to_crs(near.district.crs)
    old = near.atoms.locate(points)
    inside = (new >= 0) & (old >= 0)
    return Homes(new[inside], old[inside], counts[inside], int(counts[~inside].sum()))


def same_level(near: GridPlan, level: Level) -> Level | None:
    """Return the level of an older plan that is the same: by key, name or alias."""
    for name in (level.key, level.name, *level.aliases):
        for other in near.scheme.levels:
            if other.contract is level.contract and other.answers_to(name):
                return other
    return None


def moves_of(plan: GridPlan, near: GridPlan, level: Level, homes: Homes) -> Moves | None:
    """Compare the cells of one level; ``None`` where the older plan has no such level."""
    other = same_level(near, level)
    if other is None:
        return None
    if level.contract is Contract.AREA:
        old = near.labels[other.key].to_numpy(object)[homes.old]
        new = plan.labels[level.key].to_numpy(object)[homes.new]
        return _moves(old, new, homes.households)
    try:
        before, after = near.members(other.key), plan.members(level.key)
    except (InputError, KeyError):
        return None
    if "household_id" not in before or "household_id" not in after:
        return None
    both = after.dropna(subset=["code"]).merge(
        before.dropna(subset=["code"])[["household_id", "code"]].drop_duplicates("household_id"),
        on="household_id",
        suffixes=("", "_old"),
    )
    counts = both["households"].to_numpy(np.int64)
    return _moves(both["code_old"].to_numpy(object), both["code"].to_numpy(object), counts)


def _moves(old: npt.NDArray[np.object_], new: npt.NDArray[np.object_], counts: IntArray) -> Moves:
    table = pd.DataFrame({"old": old, "new": new, "households": counts})
    held = table[table["households"] > 0].groupby(["old", "new"])["households"].sum()
    pairs = held.reset_index()
    # Ties go to the same code, then to the lowest.
    pairs["renamed"] = pairs["old"] != pairs["new"]
    pairs = pairs.sort_values(
        ["households", "renamed", "old", "new"], ascending=[False, True, True, True]
    )
    goes_on = ~pairs["old"].duplicated() & ~pairs["new"].duplicated()
    return Moves(
        households=int(pairs["households"].sum()),
        same_code=int(pairs.loc[~pairs["renamed"], "households"].sum()),
        same_cell=int(pairs.loc[goes_on, "households"].sum()),
    )
