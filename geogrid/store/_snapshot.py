"""A version in memory: the plan, its pages, its cells and what is proven of it."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import bindparam, select

from geogrid.errors import StoreError
from geogrid.store._catalog import alive_at, row_of
from geogrid.store._cells import CELL_COLUMNS, LevelCells, drawn_levels
from geogrid.store._pages import PagedTable, hashes_of, unpaged
from geogrid.store._parts import plan_of
from geogrid.store._proof import Proof
from geogrid.store._schema import cell, page, span, version
from geogrid.store.records import version_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyproj import CRS
    from sqlalchemy import Connection, Row

    from geogrid.model.plan import GridPlan
    from geogrid.store.records import Version

__all__ = ["Shelf", "Snapshot", "cell_frame", "load"]

_BATCH = 500


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A version and all that belongs to it; ``tables`` by name, ``cells`` by key of the level."""

    version: Version
    plan: GridPlan
    tables: Mapping[str, PagedTable]
    cells: Mapping[str, LevelCells]
    proof: Proof


class Shelf:
    """The versions that were used last; they never change, so they are never stale."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = Lock()

    def get(self, version_id: str) -> Snapshot | None:
        """Return a version that is at hand."""
        with self._lock:
            if version_id in self._kept:
                self._kept.move_to_end(version_id)
            return self._kept.get(version_id)

    def put(self, snapshot: Snapshot) -> None:
        """Keep a version, and let the one go that nobody asked for the longest."""
        with self._lock:
            self._kept[snapshot.version.id] = snapshot
            self._kept.move_to_end(snapshot.version.id)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


def load(connection: Connection, version_id: str) -> Snapshot:
    """Read a version from the database.

    Raises
    ------
    NotStoredError
        If there is none.
    StoreError
        If a page of it is missing or damaged.
    """
    row = row_of(connection, version, version_id)
    known = version_of(row)
    parts = json.loads(row.parts)
    meta = bytes.fromhex(parts["meta"])
    data = _pages(connection, [meta, *hashes_of(parts["tables"])])
    tables = {one["name"]: unpaged(one, data) for one in parts["tables"]}
    if meta not in data:
        msg = f"the meta data of version {version_id} are missing: restore a backup of the store"
        raise StoreError(msg)
    plan = plan_of({name: one.sheet for name, one in tables.items()}, data[meta][1:].decode())
    cells = _cells(connection, known, plan)
    if known.certificate is None:  # pragma: no cover - no version is written without
        msg = f"version {version_id} has no certificate: restore a backup of the store"
        raise StoreError(msg)
    proof = Proof(known.certificate, not known.is_draft, tuple(map(dict, known.defects)), {})
    return Snapshot(known, plan, tables, cells, proof)


def _pages(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, bytes]:
    query = select(page.c.hash, page.c.data).where(
        page.c.hash.in_(bindparam("wanted", expanding=True))
    )
    found: dict[bytes, bytes] = {}
    for start in range(0, len(hashes), _BATCH):
        rows = connection.execute(query, {"wanted": list(hashes[start : start + _BATCH])})
        found |= {bytes(digest): bytes(data) for digest, data in rows}
    return found


def _cells(connection: Connection, known: Version, plan: GridPlan) -> dict[str, LevelCells]:
    query = select(cell).join(span, span.c.cell_id == cell.c.id).where(alive_at(known))
    by_level: dict[str, list[Row[Any]]] = {key: [] for key in drawn_levels(plan)}
    for row in connection.execute(query):
        by_level[row.level].append(row)
    found = {}
    for key, rows in by_level.items():
        table = cell_frame(rows, plan.district.crs)
        order = np.argsort(table["code"].to_numpy(str), kind="stable")
        ids = np.array([row.id for row in rows], dtype=np.int64)[order]
        found[key] = LevelCells(table.iloc[order].reset_index(drop=True), ids)
    return found


def cell_frame(rows: Sequence[Row[Any]], crs: CRS | None) -> gpd.GeoDataFrame:
    """Return rows of cells as the table that they came from."""
    columns = {name: [getattr(row, name) for row in rows] for name in CELL_COLUMNS}
    table = pd.DataFrame(columns)
    table = table.astype(dict.fromkeys(CELL_COLUMNS[:5], "str") | {"households": np.int64})
    counted = [one for one in columns["merchants"] if one is not None]
    table = table.astype({"merchants": np.int64}) if counted else table.drop(columns="merchants")
    shapes = shapely.from_wkb(np.array([bytes(row.wkb) for row in rows], dtype=object))
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return frame.assign(hash=pd.Series([bytes(row.hash) for row in rows], dtype=object))
