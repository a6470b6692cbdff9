"""Which cells two plans of one district do not have in common."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.model.plan import CELL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt
    import pandas as pd

    from geogrid.model.plan import GridPlan

    Flags = npt.NDArray[np.bool_]

__all__ = ["Changes", "changes_between"]

_FACTS = ("households", "merchants", "kind")


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What differs between a plan and the one before.

    Attributes
    ----------
    codes
        By key of each area level: cells, old and new, whose ground, facts or place in the levels
        above may differ.
    is_same_frame
        Whether limit, scheme, coordinate system and the order of atoms are the same.
    has_new_members
        Whether members of cells that promise households differ otherwise than row by row.
    lists
        By key of each level that lists households: lists, old and new, whose rows or facts differ.
    homes
        By key of such a level: atoms, old and new, of the rows that differ.
    """

    codes: Mapping[str, frozenset[str]]
    is_same_frame: bool
    has_new_members: bool
    lists: Mapping[str, frozenset[str]]
    homes: Mapping[str, frozenset[str]]


def changes_between(old: GridPlan, new: GridPlan) -> Changes:
    """Compare two plans, atom by atom and cell by cell."""
    at = _positions(old, new)
    kept = at >= 0
    is_new = ~kept
    is_new[kept] = _differing_atoms(old.atoms.frame, new.atoms.frame, at, kept)
    is_gone = np.ones(len(old.labels), dtype=np.bool_)
    is_gone[at[kept & ~is_new]] = False
    facts = _differing_facts(old.cell_table, new.cell_table)
    codes: dict[str, frozenset[str]] = {}
    # A change at a coarse level is one of place for everything below it.
    changed_old = is_gone
    for level in new.scheme.area_levels:
        if level.key not in old.labels:
            continue
        was, now = (one.labels[level.key].to_numpy(object) for one in (old, new))
        differs = np.zeros(len(now), dtype=np.bool_)
        differs[kept] = now[kept] != was[at[kept]]
        changed_old = changed_old.copy()
        changed_old[at[kept & differs]] = True
        codes[level.key] = frozenset(
            {*was[changed_old].tolist(), *now[is_new | differs].tolist(), *facts.get(level.key, ())}
        )
    rows = {key: _differing_rows(old, new, key) for key in new.rosters}
    known = {key: one for key, one in rows.items() if one is not None}
    return Changes(
        codes=codes,
        # Atoms in another order unite into polygons that begin elsewhere.
        is_same_frame=_is_same_frame(old, new) and bool((np.diff(at[kept]) > 0).all()),
        has_new_members=_has_other_members(old, new) or any(one is None for one in rows.values()),
        lists={
            key: _named(old, new, key, "code", one) | facts.get(key, set())
            for key, one in known.items()
        },
        homes={key: _named(old, new, key, "atom_id", one) for key, one in known.items()},
    )


def _positions(old: GridPlan, new: GridPlan) -> npt.NDArray[np.int64]:
    """Return where each atom of the new plan is in the old one, -1 where it is not."""
    was, now = old.labels.index, new.labels.index
    if was is now or (len(was) == len(now) and was.equals(now)):
        return np.arange(len(now), dtype=np.int64)
    return np.asarray(was.get_indexer(now), dtype=np.int64)


def _differing_atoms(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, at: npt.NDArray[np.int64], kept: Flags
) -> Flags:
    differs = np.zeros(int(kept.sum()), dtype=np.bool_)
    if old is new:
        return differs
    was, now = (one.geometry.to_numpy() for one in (old, new))
    was, now = was[at[kept]], now[kept]
    other = np.flatnonzero(~np.fromiter(map(operator.is_, was, now), dtype=np.bool_))
    if len(other):
        differs[other] = shapely.to_wkb(was[other]) != shapely.to_wkb(now[other])
    for name in _FACTS:
        if name in old and name in new:
            differs |= old[name].to_numpy()[at[kept]] != new[name].to_numpy()[kept]
        elif name in old or name in new:
            differs[:] = True
    return differs


def _differing_facts(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, set[str]]:
    """Return by level the codes whose row is not the same, or only in one table."""
    if old is new:
        return {}
    at = np.asarray(old.index.get_indexer(new.index))
    kept = at >= 0
    differs = ~kept
    for name in CELL_FIELDS:
        was, now = old[name].to_numpy(object), new[name].to_numpy(object)
        differs[kept] |= was[at[kept]] != now[kept]
    gone = np.ones(len(old), dtype=np.bool_)
    gone[at[kept]] = False
    rows = [
        *zip(new["level"].to_numpy()[differs], new.index[differs], strict=True),
        *zip(old["level"].to_numpy()[gone], old.index[gone], strict=True),
    ]
    found: dict[str, set[str]] = {}
    for level, code in rows:
        found.setdefault(str(level), set()).add(str(code))
    return found


def _is_same_frame(old: GridPlan, new: GridPlan) -> bool:
    if old.scheme != new.scheme or old.district.crs != new.district.crs:
        return False
    if old.atoms.limit is new.atoms.limit:
        return True
    return bool(shapely.to_wkb(old.atoms.limit) == shapely.to_wkb(new.atoms.limit))


def _has_other_members(old: GridPlan, new: GridPlan) -> bool:
    """Tell whether there are members that cannot be compared, or polygons of lists that differ."""
    area = {level.key for level in new.scheme.area_levels}
    if any(set(map(str, one.labels.columns)) - area for one in (old, new)):
        return True
    if old.rosters.keys() != new.rosters.keys() or old.shapes.keys() != new.shapes.keys():
        return True
    return not all(_are_same_shapes(old.shapes[key], new.shapes[key]) for key in new.shapes)


def _are_same_shapes(old: gpd.GeoSeries, new: gpd.GeoSeries) -> bool:
    if old is new:
        return True
    was, now = old.to_numpy(), new.to_numpy()
    return old.index.equals(new.index) and bool((shapely.to_wkb(was) == shapely.to_wkb(now)).all())


def _differing_rows(old: GridPlan, new: GridPlan, key: str) -> Flags | None:
    """Return which rows of a list differ, ``None`` if it is not of the same households."""
    was, now = old.rosters.get(key), new.rosters[key]
    if was is now:
        return np.zeros(len(now), dtype=np.bool_)
    if was is None or len(was) != len(now) or not _are_equal(was, now, "household_id").all():
        return None
    differs = ~_are_equal(was, now, "code") | ~_are_equal(was, now, "atom_id")
    differs |= ~_are_equal(was, now, "households")
    return differs


def _named(old: GridPlan, new: GridPlan, key: str, name: str, rows: Flags) -> frozenset[str]:
    """Return what differing rows name in a column, before and after."""
    held = (one.rosters[key][name].to_numpy(object)[rows].tolist() for one in (old, new))
    return frozenset().union(*held) if rows.any() else frozenset()


def _are_equal(one: pd.DataFrame, other: pd.DataFrame, name: str) -> Flags:
    mine, theirs = one[name].to_numpy(), other[name].to_numpy()
    if mine is theirs:
        return np.ones(len(mine), dtype=np.bool_)
    return np.asarray(mine == theirs, dtype=np.bool_)
