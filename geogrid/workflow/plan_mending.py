"""Mend the cells of a plan file so that its levels nest again and every code stays.

The finest level whose cells are still proven holds the borders: finer cells are mended inside
its cells, so a slip in one layer never moves a border above it. Where no coarser level is proven,
the finest one is mended against the district's limit. Then all levels are derived from the
finest cells, and a stored coarser layer that says something else is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage import verify_coverage
from geogrid.errors import InputError
from geogrid.planar.edges import dissolve
from geogrid.repair import repair_coverage
from geogrid.workflow.lineage import lineage_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry import MultiPolygon

    from geogrid.io.loose_plan import LoosePlan
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["CHANGE_COLUMNS", "LeafMending", "follow_children", "gather_leaf", "mend_leaf"]

CHANGE_COLUMNS = ["level", "cell", "what", "other", "area_m2", "households"]

# Cells that keep their ground aside, which a plan has no place for.
_GROUNDLESS = ("duplicate", "nested", "outside", "invalid")
_NODE = "unmatched_edge"
# The finest edit of a planner is about 10 cm, so smaller differences are rounding.
_SAME_M2 = 0.01
_MOST = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class LeafMending:
    """The finest cells of a plan, mended.

    Attributes
    ----------
    cells
        One row a code, in metres; cells without ground of their own are left out.
    lineage
        Indexed by the code of every finest cell: its cell at each area level.
    changes, conflicts
        As of a repair, with ``level``.
    can_be_plan
        Whether the cells cover the limit exactly once, but for nodes that a locked cell lacks:
        putting a plan together gives it those.
    notes
        Plain sentences.
    """

    cells: gpd.GeoDataFrame
    lineage: pd.DataFrame
    changes: pd.DataFrame
    conflicts: gpd.GeoDataFrame
    can_be_plan: bool
    notes: tuple[str, ...]


def mend_leaf(
    loose: LoosePlan,
    limit: MultiPolygon | None,
    *,
    policy: str,
    locked: Sequence[str],
    households: gpd.GeoDataFrame,
) -> LeafMending:
    """Mend the finest area level of a plan.

    Parameters
    ----------
    loose
        The parts of the plan.
    limit
        What the cells should cover; the plan's own limit when absent.
    policy, locked
        As of a repair; a code of a coarser level locks all its cells.
    households
        Points, to count who is moved.
    """
    level = list(loose.stored.levels)[-1]
    cells, changes, notes = gather_leaf(loose)
    restored = set(changes["cell"][changes["what"] == "restored"])
    lineage = lineage_of(loose, cells, notes, restored=restored)
    fixed = _locked_cells(lineage, locked)
    frames = _frames(loose, lineage, limit, notes)
    whole = loose.district.limit if limit is None else limit
    tables, conflicts, logs = [], [], [changes]
    for shape, rows in _groups(cells, lineage, frames, whole):
        part = cells.iloc[rows]
        inside = households[households.intersects(shape)] if len(frames) else households
        mended = repair_coverage(
            part,
            shape,
            policy=policy,
            locked=[code for code in part["code"] if code in fixed],
            households=inside,
        )
        tables.append(mended.cells)
        conflicts.append(mended.conflicts)
        logs.append(mended.changes)
    result = gpd.GeoDataFrame(pd.concat(tables), crs=cells.crs).loc[cells.index]
    found = gpd.GeoDataFrame(pd.concat(conflicts, ignore_index=True), crs=cells.crs)
    bare = _groundless(found, result, known=set(loose.stored.atoms.get(level.key, ())))
    kept = result[~result["code"].isin(bare)].reset_index(drop=True)
    lacks_node = found["kind"] == _NODE
    is_noding_left = bool(lacks_node.any() and found["kind"][~lacks_node].isin(_GROUNDLESS).all())
    if is_noding_left:
        found = found[~lacks_node].reset_index(drop=True)
        notes.append("locked cells got the nodes of their neighbours, moved by less than 1 mm")
    log = pd.concat([one for one in logs if len(one)] or logs, ignore_index=True)
    order = ["households", "area_m2"]
    log = log.sort_values(order, ascending=False, kind="stable", ignore_index=True)
    return LeafMending(
        cells=kept,
        lineage=lineage,
        changes=log.assign(level=level.key)[CHANGE_COLUMNS],
        conflicts=found.assign(level=level.key),
        can_be_plan=is_noding_left or verify_coverage(kept, whole).is_proven,
        notes=tuple(notes),
    )


def gather_leaf(loose: LoosePlan) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[str]]:
    """Return one row a code of the finest level: parts united, lost cells put back.

    A cell of which the row or the shape is gone comes back where most of its atoms' ground is
    held by nobody; else it was given away on purpose and is logged as dissolved.
    """
    level = list(loose.stored.levels)[-1]
    stored = loose.stored.levels[level]
    rows = _coded(stored, level)
    shapes = rows.geometry.to_numpy()
    has_ground = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    log: list[dict[str, Any]] = []
    united = _united(rows[has_ground], log)
    back = _lost(loose, level, united, log)
    facts = pd.DataFrame(rows.drop(columns="geometry")).drop_duplicates("code").set_index("code")
    table = gpd.GeoDataFrame(pd.concat([united, back], ignore_index=True), crs=stored.crs)
    known = facts.reindex(table["code"]).reset_index()
    cells = gpd.GeoDataFrame(known, geometry=table.geometry.to_numpy(), crs=stored.crs)
    notes = []
    empty = sorted(set(rows["code"]) - set(cells["code"]))
    if empty:
        notes.append(f"{len(empty)} cells without a shape were left out, first {empty[0]}")
    changes = pd.DataFrame(log, columns=CHANGE_COLUMNS[1:])
    return cells, changes.astype({"area_m2": float, "households": "int64"}), notes


def _coded(cells: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    if "code" not in cells or cells.empty:
        what = "holds no cell" if "code" in cells else "has no column code"
        msg = f"layer {level.key} {what}: take it from the last good version of the plan"
        raise InputError(msg)
    blank = (cells["code"].isna() | (cells["code"].astype(str).str.strip() == "")).to_numpy()
    if blank.any():
        row = int(np.flatnonzero(blank)[0]) + 1
        count = int(blank.sum())
        msg = f"{count} cells of layer {level.key} have no code, first row {row}: number them"
        raise InputError(msg)
    frame = cells.rename_geometry("geometry") if cells.geometry.name != "geometry" else cells
    return frame.assign(code=frame["code"].astype(str).str.strip())


def _united(rows: gpd.GeoDataFrame, log: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Unite the rows of one code: parts of one cell, as a split in a drawing program leaves."""
    codes, first, group = np.unique(
        rows["code"].to_numpy(str), return_index=True, return_inverse=True
    )
    shapes = shapely.force_2d(rows.geometry.to_numpy())
    bad = ~shapely.is_valid(shapes)
    result = np.empty(len(codes), dtype=object)
    result[:] = shapes[first]
    for one in np.flatnonzero(np.bincount(group) > 1).tolist():
        some = shapes[group == one]
        some[bad[group == one]] = shapely.make_valid(some[bad[group == one]], method="structure")
        result[one] = shapely.union_all(some)
        log.append(_row(codes[one], "rows_united"))
    order = np.argsort(first)
    return gpd.GeoDataFrame({"code": codes[order]}, geometry=result[order], crs=rows.crs)


def _lost(
    loose: LoosePlan, level: Level, cells: gpd.GeoDataFrame, log: list[dict[str, Any]]
) -> gpd.GeoDataFrame:
    """Return the lost cells whose ground nobody has taken."""
    atoms = loose.stored.atoms
    empty = gpd.GeoDataFrame({"code": []}, geometry=[], crs=cells.crs)
    if level.key not in atoms:
        return empty
    labels = atoms[level.key].astype(str)
    gone = atoms[~labels.isin(cells["code"])]
    if gone.empty:
        return empty
    codes, group = np.unique(gone[level.key].astype(str).to_numpy(str), return_inverse=True)
    ground = dissolve(gone.geometry.to_numpy(), group)
    valid = shapely.make_valid(cells.geometry.to_numpy())
    taken = shapely.union_all(valid)
    free = shapely.area(shapely.difference(ground, taken)) > _MOST * shapely.area(ground)
    people = np.bincount(group, weights=gone["households"], minlength=len(codes))
    for code, is_free, shape, count in zip(codes, free, ground, people, strict=True):
        what = "restored" if is_free else "dissolved"
        log.append(_row(code, what, float(shape.area), int(count)))
    return gpd.GeoDataFrame({"code": codes[free]}, geometry=ground[free], crs=cells.crs)


def _row(code: str, what: str, area_m2: float = 0.0, households: int = 0) -> dict[str, Any]:
    return {
        "cell": str(code), "what": what, "other": "", "area_m2": area_m2, "households": households,
    }  # fmt: skip


def _locked_cells(lineage: pd.DataFrame, locked: Sequence[str]) -> set[str]:
    fixed: set[str] = set()
    for code in locked:
        holds = (lineage == code).any(axis=1)
        if not holds.any():
            msg = f"no cell of the plan has the code {code}: lock cells that are in it"
            raise InputError(msg)
        fixed |= set(lineage.index[holds])
    return fixed


def _frames(
    loose: LoosePlan, lineage: pd.DataFrame, limit: MultiPolygon | None, notes: list[str]
) -> gpd.GeoDataFrame:
    """Return the cells of the finest proven level above, inside which finer cells are mended."""
    none = gpd.GeoDataFrame({"code": []}, geometry=[], crs=loose.stored.crs)
    levels = list(loose.stored.levels.items())
    if (
        limit is not None
        or verify_coverage(levels[-1][1], loose.stored.limit, limit_is_noded=True).is_proven
    ):
        return none
    for level, cells in reversed(levels[:-1]):
        if cells.empty or "code" not in cells or cells["code"].duplicated().any():
            continue
        if set(cells["code"]) != set(lineage[level.key]):
            continue
        if verify_coverage(cells, loose.stored.limit, limit_is_noded=True).is_proven:
            notes.append(f"the cells were mended inside those of level {level.key}, still proven")
            return cells.assign(level=level.key)
    return none


def _groups(
    cells: gpd.GeoDataFrame,
    lineage: pd.DataFrame,
    frames: gpd.GeoDataFrame,
    whole: MultiPolygon,
) -> list[tuple[Any, Any]]:
    if frames.empty:
        return [(whole, np.arange(len(cells)))]
    above = lineage.loc[cells["code"], frames["level"].iloc[0]].to_numpy()
    return [
        (shape, np.flatnonzero(above == code))
        for code, shape in zip(frames["code"], frames.geometry, strict=True)
    ]


def _groundless(
    conflicts: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, *, known: set[str]
) -> set[str]:
    """Return the cells that a plan has no place for: of two equal ones, the newer."""
    bare: set[str] = set()
    shape_of = dict(zip(cells["code"], cells.geometry, strict=True))
    for kind, codes, shape in zip(
        conflicts["kind"], conflicts["cells"], conflicts.geometry, strict=True
    ):
        if kind not in _GROUNDLESS:
            continue
        equal = [code for code in codes if code not in bare and shape_of[code].equals(shape)]
        if equal:
            bare.add(max(equal, key=lambda code: (code not in known, code)))
    return bare


def follow_children(loose: LoosePlan, plan: GridPlan) -> pd.DataFrame:
    """Say where a stored coarser layer is not the union of the finest cells of the mended plan."""
    rows: list[dict[str, Any]] = []
    for level, stored in list(loose.stored.levels.items())[:-1]:
        cells = plan.cells(level.key)
        derived = dict(zip(cells["code"], cells.geometry, strict=True))
        there: dict[str, Any] = {}
        if "code" in stored:
            there = dict(zip(stored["code"].astype(str), stored.geometry, strict=True))
        for code in sorted(set(derived) | set(there)):
            row = _followed(code, there.get(code), derived.get(code))
            if row is not None:
                rows.append({"level": level.key, **row})
    return pd.DataFrame(rows, columns=CHANGE_COLUMNS)


def _followed(code: str, stored: Any, derived: Any) -> dict[str, Any] | None:  # noqa: ANN401 - shapes
    if derived is None:
        return _row(code, "no_children")
    if stored is None or stored.is_empty:
        return _row(code, "restored", float(derived.area))
    apart = float(shapely.symmetric_difference(shapely.make_valid(stored), derived).area)
    return _row(code, "follows_children", apart) if apart > _SAME_M2 else None
