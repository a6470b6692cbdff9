"""What cells of two plans have in common: households, and square metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError

if TYPE_CHECKING:
    from geogrid.divide._problem import IntArray, TextArray
    from geogrid.model.plan import GridPlan

__all__ = ["shared_atoms", "shared_cells", "shared_members"]

# Neighbours touch in a strip of rounding noise; the finest edit of a planner is about 10 cm.
_LEAST_M2 = 0.01
# Sums depend on the order of their terms; equal ones must stay equal.
_DIGITS = 6


def shared_atoms(old: GridPlan, new: GridPlan) -> pd.DataFrame:
    """Return which atoms of two plans lie on the same ground.

    Returns
    -------
    DataFrame
        ``new, old`` (row numbers), ``households`` of the new plan and ``area`` in square metres.
        An atom that was cut or merged shares its households out by those that were there before.

    Raises
    ------
    InputError
        If the plans are in different coordinate systems.
    """
    if old.district.crs != new.district.crs:
        msg = "the two plans are in different coordinate systems: take an OLD plan of this district"
        raise InputError(msg)
    shapes = [plan.atoms.frame.geometry.to_numpy() for plan in (new, old)]
    ids = [pd.Index(plan.atoms.frame["atom_id"].to_numpy(str)) for plan in (new, old)]
    at = ids[1].get_indexer(ids[0])
    same = at >= 0
    same[same] = shapely.equals_exact(shapes[0][same], shapes[1][at[same]], tolerance=0.0)
    counts = new.atoms.frame["households"].to_numpy(np.float64)
    parts = [
        pd.DataFrame(
            {
                "new": np.flatnonzero(same),
                "old": at[same],
                "households": counts[same],
                "area": shapely.area(shapes[0][same]),
            }
        )
    ]
    changed = np.flatnonzero(~same)
    left = np.setdiff1d(np.arange(len(shapes[1])), at[same])
    if len(changed) and len(left):
        parts.append(_cut(new, old, changed, left))
    return pd.concat(parts, ignore_index=True)


def _cut(new: GridPlan, old: GridPlan, changed: IntArray, left: IntArray) -> pd.DataFrame:
    after = new.atoms.frame.geometry.to_numpy()[changed]
    before = old.atoms.frame.geometry.to_numpy()[left]
    one, other = shapely.STRtree(before).query(after, predicate="intersects")
    area = shapely.area(shapely.intersection(after[one], before[other]))
    real = area > _LEAST_M2
    one, other, area = one[real], other[real], area[real]
    # The old households of a piece, as if they were spread evenly; by area where nobody lived.
    old_counts = old.atoms.frame["households"].to_numpy(np.float64)[left]
    weight = old_counts[other] * area / shapely.area(before[other])
    total = np.bincount(one, weights=weight, minlength=len(after))
    weight = np.where(total[one] > 0, weight, area)
    total = np.bincount(one, weights=weight, minlength=len(after))
    counts = new.atoms.frame["households"].to_numpy(np.float64)[changed]
    return pd.DataFrame(
        {
            "new": changed[one],
            "old": left[other],
            "households": counts[one] * weight / total[one],
            "area": area,
        }
    )


def shared_cells(atoms: pd.DataFrame, new: TextArray, old: TextArray) -> pd.DataFrame:
    """Add the atoms up: ``new, old`` (codes), ``households, area`` of each pair of cells.

    Parameters
    ----------
    atoms
        As :func:`shared_atoms` gives them.
    new, old
        The cell of each atom of either plan.
    """
    named = atoms.assign(
        new=new[atoms["new"].to_numpy(np.int64)], old=old[atoms["old"].to_numpy(np.int64)]
    )
    return _added(named)


def shared_members(new: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Return the same for two lists of members, by the households that are in both."""
    key = "household_id" if {"household_id"} <= set(new) & set(old) else "atom_id"
    both = new.merge(old[[key, "code"]], on=key, suffixes=("", "_old"))
    named = pd.DataFrame(
        {
            "new": both["code"].astype(str),
            "old": both["code_old"].astype(str),
            "households": both["households"].astype(np.float64),
            "area": 0.0,
        }
    )
    return _added(named)


def _added(named: pd.DataFrame) -> pd.DataFrame:
    added = named.groupby(["new", "old"], as_index=False, sort=True)[["households", "area"]].sum()
    return added.round({"households": _DIGITS, "area": _DIGITS})
