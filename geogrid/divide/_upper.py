"""Official cells: polygons that stay as they are, or seats round which cells are grown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.divide._overlap import holders, in_frame_of, overlaps
from geogrid.errors import CoverageError, InfeasibleError, InputError
from geogrid.planar.lattice import GRID_M
from geogrid.vocabulary import BarrierKind, Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geogrid.divide._codes import Given
    from geogrid.divide._problem import IntArray
    from geogrid.model.scheme import Level, Scheme

__all__ = [
    "Official",
    "limits_as_barriers",
    "read_official",
    "require_parents",
    "split_upper",
]

# Polygons in decimal degrees or from another program differ by rounding; this much is not that.
_MIN_WRONG_M2 = 1.0
_POINTS = frozenset({"Point", "MultiPoint"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Official:
    """The official cells of one level.

    Attributes
    ----------
    codes, names, kinds, parents
        Of each cell; kinds, and codes or names of parents, are "" where the table has none.
    owner
        Number of the official cell of each atom, -1 where seats are all that is known.
    seat
        The atom that holds each seat; empty for polygons.
    """

    codes: list[str]
    names: list[str]
    kinds: list[str]
    parents: list[str]
    owner: IntArray
    seat: IntArray


def limits_as_barriers(
    *tables: gpd.GeoDataFrame | Mapping[str, pd.DataFrame] | None,
) -> gpd.GeoDataFrame:
    """Return the borders of official cells, special areas and groups as barriers.

    Atoms that were cut along them lie wholly on one side: give the result to
    :func:`geogrid.build_atoms` together with the other barriers.

    Parameters
    ----------
    tables
        Tables of polygons, or mappings of them as for ``upper``; points and ``None`` have no
        borders.

    Returns
    -------
    GeoDataFrame
        Lines with ``kind`` (as strong as the limit) and ``name``.
    """
    listed: list[pd.DataFrame | None] = []
    for table in tables:
        listed += (
            [table] if table is None or isinstance(table, pd.DataFrame) else list(table.values())
        )
    areas = [
        one[one.geom_type.isin(["Polygon", "MultiPolygon"])]
        for one in listed
        if isinstance(one, gpd.GeoDataFrame)
    ]
    areas = [one for one in areas if len(one)]
    found = [shapely.boundary(in_frame_of(one, areas[0]).geometry.to_numpy()) for one in areas]
    lines = np.concatenate(found) if found else np.empty(0, dtype=object)
    return gpd.GeoDataFrame(
        {"kind": BarrierKind.LIMIT.value, "name": ""},
        geometry=lines,
        crs=areas[0].crs if areas else None,
        index=range(len(lines)),
    )


def split_upper(
    upper: Mapping[str, pd.DataFrame] | None, scheme: Scheme
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Return the official tables of area levels, and those of levels that promise households."""
    areas: dict[str, pd.DataFrame] = {}
    others: dict[str, pd.DataFrame] = {}
    for name, table in (upper or {}).items():
        level = scheme.level(name)
        if level.contract is Contract.ROSTER:
            msg = f"level {level.key} ({level.name}) is a list of members and has no polygons"
            raise InputError(msg)
        chosen = areas if level.contract is Contract.AREA else others
        if level.key in chosen:
            msg = f"level {level.key} is given two official tables: give one"
            raise InputError(msg)
        chosen[level.key] = table
    return areas, others


def read_official(
    level: Level, table: pd.DataFrame, atoms: gpd.GeoDataFrame, notes: list[str]
) -> Official:
    """Read the official cells of one level against the atoms.

    Raises
    ------
    InputError
        If codes are missing or repeated, or a seat lies outside every atom.
    CoverageError
        If polygons overlap, or leave a gap inside the limit.
    InfeasibleError
        If two seats lie in one atom.
    """
    codes = _texts(table, "code")
    twice = sorted({code for code in codes if code and codes.count(code) > 1})
    if "code" not in table or twice or "" in codes or not codes:
        why = f"the code {twice[0]} occurs twice" if twice else "a cell has no code"
        msg = f"the official cells of level {level.key}: {why}; give each cell its own code"
        raise InputError(msg)
    frame = _placed(table, level, atoms)
    # In the order of the codes, so that the order of the rows cannot matter.
    order = np.argsort(np.array(codes), kind="stable")
    frame = frame.iloc[order]
    sorted_codes = [codes[at] for at in order]
    if set(frame.geom_type) <= _POINTS:
        seat = _seats(level, frame, atoms, sorted_codes)
        owner = np.full(len(atoms), -1, dtype=np.int64)
    else:
        seat = np.zeros(0, dtype=np.int64)
        owner = _owners(level, frame, atoms, sorted_codes, notes)
    return Official(
        codes=sorted_codes,
        names=_texts(frame, "name"),
        # A scheme says which kinds of cell it has; other words are the register's own.
        kinds=[kind if kind in level.kinds else "" for kind in _texts(frame, "kind")],
        parents=_texts(frame, "parent"),
        owner=owner,
        seat=seat,
    )


def require_parents(
    level: Level,
    official: Official,
    above: Iterable[tuple[IntArray, Mapping[int, Given]]],
    notes: list[str],
) -> None:
    """Refuse official cells that name another parent than the one they lie in.

    Parameters
    ----------
    above
        Of each coarser level: the cell of each atom, and what is known of the cells.
    notes
        Is told when nothing above has a code or name to compare with.

    Raises
    ------
    InputError
        If a cell names a parent that is not there, or does not lie in it.
    """
    told = [at for at, parent in enumerate(official.parents) if parent]
    coarser = list(above)
    known = [(cell, facts) for cell, facts in coarser if any(one.code for one in facts.values())]
    if not told or not coarser:
        return
    if not known:
        notes.append(
            f"the column parent of the official cells of level {level.key} was not used: no cell "
            f"above them has an official code"
        )
        return
    for at in told:
        named = official.parents[at]
        node = _node_of(official, at)
        held_by = [facts[int(cell[node])] for cell, facts in known if int(cell[node]) in facts]
        if any(named in (one.code, one.name) for one in held_by):
            continue
        is_there = any(
            named in (one.code, one.name) for _, facts in known for one in facts.values()
        )
        real = held_by[-1]
        why = "lies in" if is_there else "no cell above is called so; it lies in"
        msg = (
            f"the official cell {official.codes[at]} of level {level.key} names the parent {named}"
            f"{' and ' if is_there else ', but '}{why} {real.code} {real.name}: correct its column "
            f"parent (上级编码) or its place"
        )
        raise InputError(msg)


def _node_of(official: Official, at: int) -> int:
    """Return an atom of an official cell: that of its seat, else any of its polygon."""
    if len(official.seat):
        return int(official.seat[at])
    return int(np.argmax(official.owner == at))


def _texts(table: pd.DataFrame, name: str) -> list[str]:
    if name not in table:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value).strip() for value in table[name]]


def _placed(table: pd.DataFrame, level: Level, atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if isinstance(table, gpd.GeoDataFrame):
        return in_frame_of(table, atoms)
    if not {"x", "y"} <= set(table):
        msg = f"the official cells of level {level.key} need polygons, points, or columns x and y"
        raise InputError(msg)
    points = gpd.points_from_xy(table["x"], table["y"])
    return gpd.GeoDataFrame(table, geometry=points, crs=atoms.crs)


def _seats(
    level: Level, frame: gpd.GeoDataFrame, atoms: gpd.GeoDataFrame, codes: list[str]
) -> IntArray:
    points = shapely.centroid(frame.geometry.to_numpy())
    point, atom = shapely.STRtree(atoms.geometry.to_numpy()).query(points, predicate="intersects")
    seat = np.full(len(points), len(atoms), dtype=np.int64)
    np.minimum.at(seat, point, atom)
    lost = np.flatnonzero(seat == len(atoms))
    if len(lost):
        msg = (
            f"the seat of {codes[lost[0]]} at level {level.key} lies outside the district: "
            f"check its coordinates"
        )
        raise InputError(msg)
    held, first, many = np.unique(seat, return_index=True, return_counts=True)
    if (many > 1).any():
        shared = np.flatnonzero(seat == held[np.argmax(many > 1)])
        msg = (
            f"the seats of {codes[shared[0]]} and {codes[shared[1]]} at level {level.key} lie in "
            f"one atom, {atoms['atom_id'].iloc[seat[first[np.argmax(many > 1)]]]}: cut it between "
            f"them, or give polygons"
        )
        raise InfeasibleError(msg)
    return seat


def _owners(
    level: Level,
    frame: gpd.GeoDataFrame,
    atoms: gpd.GeoDataFrame,
    codes: list[str],
    notes: list[str],
) -> IntArray:
    polygons = frame.geometry.to_numpy()
    broken = np.flatnonzero(~shapely.is_valid(polygons) | (shapely.area(polygons) <= 0))
    if len(broken):
        msg = (
            f"{DefectKind.INVALID.label_zh} invalid: the official cell {codes[broken[0]]} of level "
            f"{level.key} is no sound area: run geogrid repair on the file"
        )
        raise CoverageError(msg)
    one, other, area = overlaps(polygons)
    if len(area) and area.max() > _MIN_WRONG_M2:
        at = int(np.argmax(area))
        msg = (
            f"{DefectKind.OVERLAP.label_zh} overlap: the official cells {codes[one[at]]} and "
            f"{codes[other[at]]} of level {level.key} overlap by {area[at]:.2f} m²: run geogrid "
            f"check and geogrid repair on the file"
        )
        raise CoverageError(msg)
    shapes = atoms.geometry.to_numpy()
    held = holders(shapes, polygons)
    size = shapely.area(shapes)
    # Noding moves a border by less than a millimetre, which is some ground along a long one.
    short = np.maximum(size - held.covered - GRID_M * shapely.length(shapes), 0.0)
    if short.sum() > _MIN_WRONG_M2 and short.max() > _MIN_WRONG_M2 / 10:
        at = int(np.argmax(short))
        point = shapely.point_on_surface(
            shapely.difference(shapes[at], shapely.union_all(polygons))
        )
        msg = (
            f"{DefectKind.GAP.label_zh} gap: the official cells of level {level.key} leave "
            f"{short.sum():.2f} m² of the district to none, {short[at]:.2f} m² of it near "
            f"{point.x:.1f}, {point.y:.1f}: run geogrid check and geogrid repair on the file"
        )
        raise CoverageError(msg)
    _note_crossing(level, held.share, size, notes)
    empty = sorted(set(range(len(codes))) - set(held.owner.tolist()))
    if empty:
        msg = (
            f"the official cell {codes[empty[0]]} of level {level.key} holds no atom: cut the "
            f"atoms along the official borders (limits_as_barriers)"
        )
        raise InfeasibleError(msg)
    return held.owner


def _note_crossing(
    level: Level, share: Iterable[float], size: Iterable[float], notes: list[str]
) -> None:
    lost = np.asarray(size) - np.asarray(share)
    crossing = lost > _MIN_WRONG_M2
    if crossing.any():
        notes.append(
            f"{int(crossing.sum())} atoms cross an official border of level {level.key}, with "
            f"{lost[crossing].sum():.0f} m² on the other side: each went whole to the cell that "
            f"holds most of it"
        )
