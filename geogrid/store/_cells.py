"""Cells of a version as rows: derived only where they changed, named by what is in them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.model.plan import GridPlan, no_history
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from geogrid.store._changes import Changes

__all__ = ["CELL_COLUMNS", "LevelCells", "all_cells", "changed_cells", "drawn_levels"]

CELL_COLUMNS = (
    "code", "name", "kind", "parent", "head", "households", "merchants", "area_m2",
)  # fmt: skip
_TEXTS = CELL_COLUMNS[:5]


@dataclass(frozen=True, slots=True, eq=False)
class LevelCells:
    """The cells of one level of a version.

    Attributes
    ----------
    table
        ``CELL_COLUMNS`` (``merchants`` may be missing), ``hash`` and ``geometry``, sorted by code,
        numbered from 0.
    ids
        Key of each row in the store; 0 where it is not stored yet.
    """

    table: gpd.GeoDataFrame
    ids: npt.NDArray[np.int64]

    @property
    def codes(self) -> npt.NDArray[np.object_]:
        """The codes, sorted."""
        return self.table["code"].to_numpy(object)

    @property
    def hashes(self) -> npt.NDArray[np.object_]:
        """What each row is named after."""
        return self.table["hash"].to_numpy(object)

    @property
    def shapes(self) -> npt.NDArray[np.object_]:
        """The polygons in the order of the codes."""
        return self.table.geometry.to_numpy()

    def of(self, codes: frozenset[str]) -> gpd.GeoDataFrame:
        """Return some of the cells."""
        return self.table.iloc[self.rows_of(codes)]

    def is_same_as(self, other: LevelCells) -> bool:
        """Tell whether every cell is the same, each fact and each vertex."""
        names = [name for name in (*CELL_COLUMNS, "hash") if name in self.table]
        return len(self.ids) == len(other.ids) and all(
            name in other.table and self.table[name].tolist() == other.table[name].tolist()
            for name in (*names, "geometry")
        )

    def rows_of(self, codes: frozenset[str]) -> npt.NDArray[np.int64]:
        """Return the rows of those of some codes that are here."""
        every = self.codes
        wanted = np.array(sorted(codes), dtype=object)
        at = np.searchsorted(every, wanted)
        there = at < len(every)
        there[there] = every[at[there]] == wanted[there]
        return at[there].astype(np.int64)

    def exchanged(self, gone: frozenset[str], fresh: gpd.GeoDataFrame) -> LevelCells:
        """Return the level with some cells taken out and others put in."""
        kept = np.ones(len(self.table), dtype=np.bool_)
        kept[self.rows_of(gone)] = False
        table = pd.concat([self.table[kept], fresh], ignore_index=True)
        order = np.argsort(table["code"].to_numpy(str), kind="stable")
        ids = np.concatenate((self.ids[kept], np.zeros(len(fresh), dtype=np.int64)))
        return LevelCells(table.iloc[order].reset_index(drop=True), ids[order])

    def with_ids(self, ids: Mapping[bytes, int]) -> LevelCells:
        """Return the level with the keys of rows that were stored."""
        new = self.ids.copy()
        rows = np.flatnonzero(new == 0)
        new[rows] = [ids[digest] for digest in self.hashes[rows]]
        return replace(self, ids=new)


def drawn_levels(plan: GridPlan) -> list[str]:
    """Return the keys of all levels that have polygons, coarse to fine."""
    return [
        level.key
        for level in plan.scheme.levels
        if level.contract is Contract.AREA or level.key in plan.shapes
    ]


def all_cells(plan: GridPlan) -> dict[str, LevelCells]:
    """Derive every cell of a plan."""
    found = {}
    for key in drawn_levels(plan):
        table = _with_facts(plan, key, plan.cells(key))
        found[key] = LevelCells(table, np.zeros(len(table), dtype=np.int64))
    return found


def changed_cells(
    plan: GridPlan, changes: Changes, before: Mapping[str, LevelCells]
) -> dict[str, LevelCells]:
    """Derive the cells of a plan that changed, and take the others as they were."""
    found = {}
    for key in drawn_levels(plan):
        codes = changes.codes.get(key)
        if codes is None or key not in before:
            table = _with_facts(plan, key, plan.cells(key))
            fresh = LevelCells(table, np.zeros(len(table), dtype=np.int64))
            found[key] = _known(fresh, before.get(key), None)
        elif codes:
            part = _derived(plan, key, codes)
            found[key] = _known(before[key].exchanged(codes, part), before[key], codes)
        else:
            found[key] = before[key]
    return found


def _known(
    fresh: LevelCells, before: LevelCells | None, codes: frozenset[str] | None
) -> LevelCells:
    """Give rows that were there before the key that they had; they had the same codes."""
    open_rows = np.flatnonzero(fresh.ids == 0)
    if before is None or not len(open_rows):
        return fresh
    rows = slice(None) if codes is None else before.rows_of(codes)
    ids = dict(zip(before.hashes[rows], before.ids[rows].tolist(), strict=True))
    known = fresh.ids.copy()
    known[open_rows] = [ids.get(one, 0) for one in fresh.hashes[open_rows]]
    return replace(fresh, ids=known)


def _derived(plan: GridPlan, key: str, codes: frozenset[str]) -> gpd.GeoDataFrame:
    """Derive some cells as the plan does it, from a plan of their atoms alone."""
    of_each = plan.labels[key].to_numpy(object).tolist()
    rows = np.fromiter((code in codes for code in of_each), dtype=np.bool_, count=len(of_each))
    frame = plan.atoms.frame[rows].reset_index(drop=True)
    part = replace(
        plan,
        atoms=replace(plan.atoms, frame=frame, barriers=None),
        labels=plan.labels[rows],
        code_history=no_history(),
        rosters={},
        shapes={},
    )
    return _with_facts(plan, key, part.cells(key))


def _with_facts(plan: GridPlan, key: str, cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    heads = plan.cell_table["head"].reindex(cells["code"]).to_numpy(object)
    table = cells.assign(head=heads).reset_index(drop=True)
    texts = {name: table[name].astype("str").fillna("") for name in _TEXTS}
    table = table.assign(**texts)
    columns = [name for name in CELL_COLUMNS if name in table]
    table = table[[*columns, "geometry"]]
    return table.assign(hash=pd.Series(_hashes(key, table, columns), dtype=object))


def _hashes(key: str, table: gpd.GeoDataFrame, columns: list[str]) -> list[bytes]:
    """Name each row after everything in it; the area follows from the polygon."""
    facts = zip(*(table[name].tolist() for name in columns if name != "area_m2"), strict=True)
    shapes = shapely.to_wkb(table.geometry.to_numpy())
    return [
        hashlib.sha256(json.dumps([key, *row], ensure_ascii=False).encode() + b"\0" + wkb).digest()
        for row, wkb in zip(facts, shapes, strict=True)
    ]
