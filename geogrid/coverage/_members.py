"""Levels without polygons: every household in exactly one group, by the lists alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage._judged import Judged
from geogrid.coverage._rows import defect_rows, joined
from geogrid.errors import InputError
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.model.scheme import Level

    _Group = tuple[tuple[str, ...], list[Any]]

__all__ = ["judge_members"]


def judge_members(
    level: Level,
    members: pd.DataFrame,
    homes: gpd.GeoDataFrame | None,
    parents: gpd.GeoDataFrame | None,
) -> Judged:
    """Judge the lists of a level that promises households and has no polygons.

    Parameters
    ----------
    level
        The level.
    members
        One row a member: ``code`` of its group (missing: in none) and the key of ``homes``.
        ``kind`` and ``parent`` of the group where known.
    homes
        Where households live: ``households`` and geometry, indexed by a named key. Without it the
        rows of ``members`` are all there is, and nobody knows where.
    parents
        Cells of the level above: the homes of a group must lie in its own.
    """
    if homes is None:
        homes = _own_homes(members)
    elif "household_id" in members and homes.index.name == "atom_id" and "atom_id" in members:
        homes = _homes_on_atoms(members, homes)
    key = str(homes.index.name)
    if "code" not in members or key not in members or homes.index.has_duplicates:
        msg = f"the members of level {level.key} need the columns code and {key}, each home once"
        raise InputError(msg)
    listed = members.dropna(subset=["code"]).drop_duplicates(["code", key])
    listed = listed.assign(code=listed["code"].astype(str))
    known = listed[listed[key].isin(homes.index)]
    notes = []
    if len(known) < len(listed):
        strange = len(listed) - len(known)
        notes.append(f"{strange} members of level {level.key} name a home that is not there")
    counts = homes.loc[known[key], "households"].groupby(known["code"].to_numpy()).sum()
    codes = pd.Index(sorted(set(listed["code"])), name="code")
    above = _cell_of(homes, parents)
    tables = [
        _unassigned(level, homes, set(known[key]), above),
        _double(level, homes, known, key),
        _spanning(level, homes, known, key, above),
    ]
    return Judged(
        level=level,
        defects=joined(tables, homes.crs),
        notes=tuple(notes),
        units=_units(codes, listed, homes, known, key),
        counts=counts.reindex(codes, fill_value=0).astype(np.int64),
    )


def _own_homes(members: pd.DataFrame) -> gpd.GeoDataFrame:
    key = "household_id" if "household_id" in members else "atom_id"
    if key not in members:
        msg = "members need a column household_id or atom_id that says who they are"
        raise InputError(msg)
    once = members.drop_duplicates(key)
    counts = once["households"].to_numpy() if "households" in once else 1
    nowhere = np.full(len(once), shapely.Point(), dtype=object)
    return gpd.GeoDataFrame(
        {"households": counts}, geometry=nowhere, index=pd.Index(once[key], name=key)
    )


def _homes_on_atoms(members: pd.DataFrame, atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the listed households, each where its atom is, and those that no list names.

    An atom with more households than the list has rows for them has some in no group.
    """
    once = members.drop_duplicates("household_id")
    counts = once["households"].to_numpy() if "households" in once else np.ones(len(once))
    place = atoms.index.get_indexer(pd.Index(once["atom_id"]))
    points = atoms.geometry.to_numpy()
    shapes = np.full(len(once), shapely.Point(), dtype=object)
    shapes[place >= 0] = points[place[place >= 0]]
    held = np.bincount(place[place >= 0], counts[place >= 0], minlength=len(atoms))
    short = np.maximum(atoms["households"].to_numpy() - held, 0)
    rest = np.flatnonzero(short)
    ids = [*once["household_id"], *(f"atom {atoms.index[at]}" for at in rest.tolist())]
    return gpd.GeoDataFrame(
        {"households": np.concatenate((counts, short[rest])).astype(np.int64)},
        geometry=np.concatenate((shapes, points[rest])),
        index=pd.Index(ids, name="household_id"),
        crs=atoms.crs,
    )


def _cell_of(homes: gpd.GeoDataFrame, parents: gpd.GeoDataFrame | None) -> pd.Series:
    """Return the code of the upper cell in which each home lies; "" where there is none."""
    codes = np.full(len(homes), "", dtype=object)
    if parents is not None:
        tree = shapely.STRtree(parents.geometry.to_numpy())
        home, cell = tree.query(homes.geometry.to_numpy(), predicate="intersects")
        # On a border the first one counts, as everywhere else.
        codes[home[::-1]] = parents["code"].astype(str).to_numpy()[cell[::-1]]
    return pd.Series(codes, index=homes.index, dtype=object)


def _places(homes: gpd.GeoDataFrame, groups: list[Any]) -> npt.NDArray[np.object_]:
    """Return the places of groups of homes, one geometry a group."""
    points = homes.geometry.to_numpy()
    shapes = np.empty(len(groups), dtype=object)
    shapes[:] = [shapely.union_all(points[homes.index.get_indexer(keys)]) for keys in groups]
    return shapes


def _rows(
    level: Level,
    kind: DefectKind,
    homes: gpd.GeoDataFrame,
    groups: list[_Group],
) -> gpd.GeoDataFrame:
    keys = [who for _, who in groups]
    return defect_rows(
        kind,
        [codes for codes, _ in groups],
        _places(homes, keys),
        households=[int(homes["households"].loc[who].sum()) for who in keys],
        level=level.key,
        crs=homes.crs,
    )


def _unassigned(
    level: Level, homes: gpd.GeoDataFrame, held: set[Any], above: pd.Series
) -> gpd.GeoDataFrame:
    """One row an upper cell, so that whoever answers for it can be asked."""
    lost = homes[(homes["households"] > 0) & ~homes.index.isin(list(held))]
    groups: list[_Group] = [
        ((str(code),) if code else (), list(who.index))
        for code, who in above.loc[lost.index].groupby(above.loc[lost.index])
    ]
    return _rows(level, DefectKind.UNASSIGNED_HOUSEHOLD, homes, groups)


def _double(
    level: Level, homes: gpd.GeoDataFrame, known: pd.DataFrame, key: str
) -> gpd.GeoDataFrame:
    lived_in = known[key].isin(homes.index[homes["households"] > 0])
    twice = known[known[key].duplicated(keep=False) & lived_in].sort_values("code", kind="stable")
    together: dict[tuple[str, ...], list[Any]] = {}
    for who, codes in twice.groupby(key)["code"]:
        together.setdefault(tuple(codes), []).append(who)
    return _rows(level, DefectKind.DOUBLE_HOUSEHOLD, homes, list(together.items()))


def _spanning(
    level: Level, homes: gpd.GeoDataFrame, known: pd.DataFrame, key: str, above: pd.Series
) -> gpd.GeoDataFrame:
    """Find groups with homes outside their parent: the one they name, else where most live."""
    there = known.assign(above=above.reindex(known[key]).to_numpy())
    there = there[(there["above"] != "") & (homes["households"].reindex(there[key]) > 0).to_numpy()]
    if there.empty:
        return _rows(level, DefectKind.SPANS_PARENTS, homes, [])
    most = there.groupby("code")["above"].agg(lambda codes: codes.value_counts().index[0])
    own = there["code"].map(most)
    if "parent" in there:
        # A group inside another group (楼栋 of a 小区) names that one, which has no area.
        named = there["parent"].astype(str)
        own = named.where(named.isin(set(above)), own)
    beyond = there[there["above"] != own]
    groups: list[_Group] = [((str(code),), list(who)) for code, who in beyond.groupby("code")[key]]
    return _rows(level, DefectKind.SPANS_PARENTS, homes, groups)


def _units(
    codes: pd.Index,
    listed: pd.DataFrame,
    homes: gpd.GeoDataFrame,
    known: pd.DataFrame,
    key: str,
) -> gpd.GeoDataFrame:
    """Return the groups with their kind and where their homes lie."""
    kinds = (
        listed.drop_duplicates("code").set_index("code")["kind"].astype(str).reindex(codes)
        if "kind" in listed
        else pd.Series("", index=codes)
    )
    who = dict(known.groupby("code")[key].agg(list))
    shapes = _places(homes, [who.get(code, []) for code in codes])
    return gpd.GeoDataFrame(
        {"kind": kinds.fillna("").to_numpy()}, geometry=shapes, index=codes, crs=homes.crs
    )
