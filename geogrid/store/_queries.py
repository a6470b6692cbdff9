"""Questions about single cells of a version, answered by the database's own indexes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from sqlalchemy import bindparam, select, text

from geogrid.errors import NotStoredError, StoreError
from geogrid.store._catalog import alive_at, find_version, row_of
from geogrid.store._schema import cell, span, version
from geogrid.store._snapshot import cell_frame
from geogrid.store.records import CellChange, VersionDiff

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import Connection, Row
    from sqlalchemy.engine import RowMapping

    from geogrid.store._backend import Backend
    from geogrid.store.records import Version

__all__ = ["cell_at", "cells_at", "changed_codes", "diff_of"]

_BATCH = 500
# A straight edge in degrees is a curve in metres: this many pieces follow it within centimetres.
_PIECES = 16
_FACTS = ("name", "kind", "parent", "head", "households", "merchants")


def cells_at(
    connection: Connection,
    backend: Backend,
    version_id: str,
    level: str | None,
    box: Sequence[float] | None,
    box_crs: CRS | str | int | None,
) -> gpd.GeoDataFrame:
    """Return the cells of a version, or those that meet a box.

    Raises
    ------
    NotStoredError
        If there is no such version.
    StoreError
        If the box is none.
    """
    known = find_version(connection, version_id)
    crs = _crs_of(connection, version_id)
    query = select(cell).join(span, span.c.cell_id == cell.c.id).where(alive_at(known))
    if level is not None:
        query = query.where(cell.c.level == level)
    if box is None:
        return _frame(connection.execute(query).all(), crs)
    area = _area(box, box_crs, crs)
    low_x, low_y, high_x, high_y = area.bounds
    near = text(f"cell.id IN ({backend.box_query})").bindparams(
        low_x=low_x, low_y=low_y, high_x=high_x, high_y=high_y
    )
    found = _frame(connection.execute(query.where(near)).all(), crs)
    shapely.prepare(area)
    return found[shapely.intersects(area, found.geometry.to_numpy())].reset_index(drop=True)


def cell_at(connection: Connection, version_id: str, code: str) -> gpd.GeoDataFrame:
    """Return the cell of a version that has a code, as a table of one row with its level.

    Raises
    ------
    NotStoredError
        If there is no such version or cell.
    """
    known = find_version(connection, version_id)
    query = (
        select(cell)
        .join(span, span.c.cell_id == cell.c.id)
        .where(alive_at(known), cell.c.plan_id == known.plan_id, cell.c.code == code)
    )
    rows = connection.execute(query).all()
    if not rows:
        msg = f"version {version_id} has no cell {code!r}: check the code"
        raise NotStoredError(msg)
    return _frame(rows, _crs_of(connection, version_id))


def diff_of(connection: Connection, before: str, after: str) -> VersionDiff:
    """Say what differs between two versions of one plan.

    Raises
    ------
    NotStoredError
        If there is no such version.
    StoreError
        If they are versions of two plans.
    """
    one, other = find_version(connection, before), find_version(connection, after)
    if one.plan_id != other.plan_id:
        msg = f"{before} and {after} are versions of two plans: compare them as plans"
        raise StoreError(msg)
    was, now = _differing(connection, one, other)
    gone = _rows(connection, was - now)
    came = _rows(connection, now - was)
    levels = {}
    for level in dict.fromkeys(key for key, _ in (*gone, *came)):
        levels[level] = _change(level, gone, came)
    return VersionDiff(levels=levels, parts=_parts(connection, before, after))


def _change(
    level: str,
    gone: dict[tuple[str, str], RowMapping],
    came: dict[tuple[str, str], RowMapping],
) -> CellChange:
    was = {code for key, code in gone if key == level}
    now = {code for key, code in came if key == level}
    both = sorted(was & now)
    redrawn = {code for code in both if gone[level, code]["wkb"] != came[level, code]["wkb"]}
    return CellChange(
        added=tuple(sorted(now - was)),
        removed=tuple(sorted(was - now)),
        redrawn=tuple(sorted(redrawn)),
        renamed=tuple(code for code in both if code not in redrawn),
    )


def changed_codes(connection: Connection, before: str, after: str) -> dict[str, frozenset[str]]:
    """Return by level the codes of cells that two versions of one plan do not have in common."""
    one, other = find_version(connection, before), find_version(connection, after)
    was, now = _differing(connection, one, other)
    wanted = sorted(was ^ now)
    query = select(cell.c.level, cell.c.code).where(
        cell.c.id.in_(bindparam("wanted", expanding=True))
    )
    found: dict[str, set[str]] = {}
    for start in range(0, len(wanted), _BATCH):
        for level, code in connection.execute(query, {"wanted": wanted[start : start + _BATCH]}):
            found.setdefault(level, set()).add(code)
    return {level: frozenset(codes) for level, codes in found.items()}


def _differing(connection: Connection, one: Version, other: Version) -> tuple[set[int], set[int]]:
    """Return cells of two versions, at least all that they do not have in common."""
    if one.branch_id != other.branch_id:
        return _ids(connection, one), _ids(connection, other)
    first, last = sorted((one.number, other.number))
    cells = select(span.c.cell_id).where(span.c.branch_id == one.branch_id)
    # What was there at the first and still is at the last neither ended nor began between.
    ended = cells.where(
        span.c.to_number > first, span.c.to_number <= last, span.c.from_number <= first
    )
    began = cells.where(
        span.c.from_number > first, span.c.from_number <= last, span.c.to_number > last
    )
    was, now = (set(connection.execute(query).scalars()) for query in (ended, began))
    return (was, now) if one.number <= other.number else (now, was)


def _ids(connection: Connection, one: Version) -> set[int]:
    return set(connection.execute(select(span.c.cell_id).where(alive_at(one))).scalars())


def _rows(connection: Connection, ids: Iterable[int]) -> dict[tuple[str, str], RowMapping]:
    wanted = sorted(ids)
    query = select(cell).where(cell.c.id.in_(bindparam("wanted", expanding=True)))
    found: dict[tuple[str, str], RowMapping] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = connection.execute(query, {"wanted": wanted[start : start + _BATCH]})
        found |= {(row["level"], row["code"]): row for row in rows.mappings()}
    return found


def _parts(connection: Connection, before: str, after: str) -> tuple[str, ...]:
    pages = []
    for one in (before, after):
        listing = json.loads(row_of(connection, version, one).parts)
        tables = {table["name"]: table for table in listing["tables"]}
        pages.append({"meta": listing["meta"]} | tables)
    was, now = pages
    return tuple(sorted(name for name in {*was, *now} if was.get(name) != now.get(name)))


def _crs_of(connection: Connection, version_id: str) -> CRS | None:
    listing = json.loads(row_of(connection, version, version_id).parts)
    return None if listing["crs"] is None else CRS.from_user_input(listing["crs"])


def _frame(rows: Sequence[Row[Any]], crs: CRS | None) -> gpd.GeoDataFrame:
    table = cell_frame(rows, crs).drop(columns="hash")
    table.insert(0, "level", [row.level for row in rows])
    order = np.lexsort((table["code"].to_numpy(str), table["level"].to_numpy(str)))
    return table.iloc[order].reset_index(drop=True)


def _area(box: Sequence[float], box_crs: CRS | str | int | None, crs: CRS | None) -> BaseGeometry:
    low_x, low_y, high_x, high_y = (float(one) for one in box)
    if not (
        np.isfinite([low_x, low_y, high_x, high_y]).all() and low_x <= high_x and low_y <= high_y
    ):
        msg = f"{tuple(box)} is no box: give west, south, east, north"
        raise StoreError(msg)
    area = shapely.box(low_x, low_y, high_x, high_y)
    if box_crs is None or crs is None:
        return area
    side = max(high_x - low_x, high_y - low_y)
    fine = shapely.segmentize(area, side / _PIECES) if side else area
    return gpd.GeoSeries([fine], crs=box_crs).to_crs(crs).iloc[0]
