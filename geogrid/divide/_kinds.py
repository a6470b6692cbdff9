"""Special areas (专属网格): cells of their own inside their parent, outside the balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geogrid.divide._overlap import holders, in_frame_of
from geogrid.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from geogrid.divide._problem import IntArray
    from geogrid.model.scheme import Level, Scheme

__all__ = ["Special", "read_groups", "read_kinds"]

_HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Special:
    """The special areas of one level.

    Attributes
    ----------
    number
        Number of the special area of each atom, -1 where it is in none.
    names, kinds
        Of each area.
    """

    number: IntArray
    names: list[str]
    kinds: list[str]


def read_kinds(
    kinds: pd.DataFrame | None, scheme: Scheme, official: set[str], atoms: gpd.GeoDataFrame
) -> dict[str, Special]:
    """Return the special areas by key of the level whose cells they are.

    Parameters
    ----------
    kinds
        ``kind`` and ``name``; polygons, or ``atom_id`` with one row an atom; ``level`` where
        another level is meant than the coarsest one below a parent that has such a kind.
    official
        Levels whose cells are official already.

    Raises
    ------
    InputError
        If a kind or an atom is unknown, or two areas claim one atom.
    InfeasibleError
        If an area holds no whole atom.
    """
    if kinds is None or not len(kinds):
        return {}
    if "kind" not in kinds:
        msg = "the special areas have no column kind: say of each what it is, such as 专属"
        raise InputError(msg)
    table = pd.DataFrame(
        {
            "kind": kinds["kind"].astype(str).to_numpy(),
            "name": _column(kinds, "name"),
            "level": _column(kinds, "level"),
        }
    )
    levels = [_level_of(row, scheme, official) for row in table.to_dict("records")]
    rows = _rows_of_atoms(kinds, table, atoms)
    found: dict[str, Special] = {}
    for level in dict.fromkeys(levels):
        mine = [at for at, one in enumerate(levels) if one is level]
        keys = table.iloc[mine][["kind", "name"]]
        if "atom_id" not in kinds:
            keys = keys.assign(row=mine)
        number, unique = pd.factorize(pd.MultiIndex.from_frame(keys), sort=True)
        of_row = np.full(len(table), -1, dtype=np.int64)
        of_row[mine] = number
        of_atom = np.where(rows >= 0, of_row[rows], -1)
        lost = sorted(set(range(len(unique))) - set(of_atom.tolist()))
        if lost:
            msg = (
                f"the special area {unique[lost[0]][1] or unique[lost[0]][0]} holds no whole atom: "
                f"cut the atoms along it (limits_as_barriers)"
            )
            raise InfeasibleError(msg)
        found[level.key] = Special(
            number=of_atom,
            names=[str(one[1]) for one in unique],
            kinds=[str(one[0]) for one in unique],
        )
    return found


def _column(table: pd.DataFrame, name: str) -> list[str]:
    if name not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[name]]


def _level_of(row: dict[Hashable, Any], scheme: Scheme, official: set[str]) -> Level:
    """Return the level of an area: named, or the coarsest below a parent that has its kind."""
    open_ = [level for level in scheme.area_levels if level.key not in official]
    if row["level"]:
        level = scheme.level(row["level"])
        if level not in open_ or row["kind"] not in level.kinds:
            msg = f"level {level.key} cannot have cells of kind {row['kind']}: name another level"
            raise InputError(msg)
        return level
    able = [level for level in open_ if row["kind"] in level.kinds]
    below = [level for level in able if level is not scheme.area_levels[0]]
    if not able:
        known = sorted({kind for level in open_ for kind in level.kinds})
        there = f"use one of {', '.join(known)}" if known else "this scheme has one kind only"
        msg = f"no level has cells of kind {row['kind']}: {there}"
        raise InputError(msg)
    return (below or able)[0]


def _rows_of_atoms(kinds: pd.DataFrame, table: pd.DataFrame, atoms: gpd.GeoDataFrame) -> IntArray:
    """Return the row of the special area that holds each atom, -1 where none does."""
    found = np.full(len(atoms), -1, dtype=np.int64)
    if "atom_id" in kinds:
        place = pd.Index(atoms["atom_id"]).get_indexer(kinds["atom_id"].astype(str))
        if (place < 0).any():
            lost = kinds["atom_id"].iloc[int(np.argmax(place < 0))]
            msg = f"the special areas name an atom {lost} that is not there: check the ids"
            raise InputError(msg)
        if len(np.unique(place)) < len(place):
            msg = "an atom is named by two special areas: an atom has one kind"
            raise InputError(msg)
        found[place] = np.arange(len(kinds))
        return found
    if not isinstance(kinds, gpd.GeoDataFrame):
        msg = "the special areas have neither polygons nor a column atom_id: give one of them"
        raise InputError(msg)
    areas = in_frame_of(kinds, atoms)
    held = holders(atoms.geometry.to_numpy(), areas.geometry.to_numpy())
    inside = held.share > _HALF * atoms.geometry.area.to_numpy()
    found[inside] = held.owner[inside]
    missing = sorted(set(range(len(table))) - set(found.tolist()))
    if missing:
        row = table.iloc[missing[0]]
        msg = (
            f"the special area {row['name'] or row['kind']} holds no whole atom: cut the atoms "
            f"along it (limits_as_barriers)"
        )
        raise InfeasibleError(msg)
    return found


def read_groups(
    groups: gpd.GeoDataFrame | None, atoms: gpd.GeoDataFrame, notes: list[str]
) -> IntArray:
    """Return the number of the 村民小组 of each atom, -1 where it is in none.

    Polygons hold the atoms that lie in them by more than half.

    Raises
    ------
    InputError
        If the groups are no polygons.
    """
    none = np.full(len(atoms), -1, dtype=np.int64)
    if groups is None or groups.empty:
        return none
    if not set(groups.geom_type) <= {"Polygon", "MultiPolygon"}:
        msg = "the groups (村民小组) must be polygons: draw them, or give special areas instead"
        raise InputError(msg)
    areas = in_frame_of(groups, atoms)
    code = np.array(_column(areas, "code") if "code" in areas else map(str, range(len(areas))))
    areas = areas.iloc[np.argsort(code, kind="stable")]
    held = holders(atoms.geometry.to_numpy(), areas.geometry.to_numpy())
    size = atoms.geometry.area.to_numpy()
    inside = held.share > _HALF * size
    crossing = int((inside & (size - held.share > 1.0)).sum())
    if crossing:
        notes.append(
            f"{crossing} atoms cross the border of a 村民小组 (group): each went whole to the one "
            f"that holds most of it; cut the atoms along the groups (limits_as_barriers)"
        )
    return np.where(inside, held.owner, none)
