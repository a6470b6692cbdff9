"""Give every gap and every overlap one owner, fit the cells to their limit, keep the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geogrid.coverage import verify_coverage
from geogrid.planar.edges import dissolve
from geogrid.repair._conflicts import (
    Conflict,
    code_conflicts,
    conflict_table,
    groundless_conflicts,
    left_conflicts,
    locked_conflicts,
)
from geogrid.repair._faces import CellIndex, Faces, arrange, widen
from geogrid.repair._ground import Ground, Shapes, ground_of, match_vertices, same_shapes
from geogrid.repair._groundless import groundless
from geogrid.repair._inputs import (
    areas_of,
    cell_households,
    codes_of,
    is_mixed,
    limit_shape,
    locked_rows,
    metric_table,
)
from geogrid.repair._log import Log
from geogrid.repair._owners import NOBODY, POLICIES, Choice, choose_owners
from geogrid.repair._straight import straightened
from geogrid.repair._suspects import Suspects, suspects

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District
    from geogrid.model.report import CoverageReport

__all__ = ["POLICIES", "Repair", "repair_coverage"]

Indices = npt.NDArray[np.int64]

# Each round adds the neighbours that need a new node; two are usual.
_MAX_ROUNDS = 10
# A border that was noded may miss the limit by less than a millimetre; once more mends it.
_MAX_PASSES = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Repair:
    """A mended coverage, and all that was done to it.

    Attributes
    ----------
    cells
        The input's rows and columns in their order, in metres. Cells away from any defect are
        the very geometries that came in, heights and all; those that changed are flat.
        ``area_m2``, where there is one, follows the geometry; nothing else in the table does.
    changes
        One row a cell, ``what``, and ``other`` cell: ``cell what other area_m2 households``, the
        last two being the ground that changed hands and the households on it. What:
        ``gap_filled``, ``missing_cell_filled`` (a gap as large as a cell), ``extended_to_limit``,
        ``overlap_given`` (to ``other``), ``detached_given`` (a piece cut off by the mending, to
        ``other``), ``trimmed_to_limit``, ``node_added``, ``vertex_matched`` (moved by less than a
        millimetre), ``made_valid``; with the policy ``ask`` only ``ask_gap`` and ``ask_overlap``:
        ``cell`` would get it by the longest border, ``other`` could.
    conflicts
        What a person has to decide: ``kind cell cells area_m2 households geometry``. Cells that
        are kept as they are while the rest is mended as if they were not there: ``duplicate``,
        ``nested`` and ``outside`` ones and ``invalid`` ones without any area; ``cell`` is the one
        kept. ``gap``, ``overlap``, ``outside`` and ``unmatched_edge`` that locked cells keep open;
        ``multipart`` cells that came so; ``missing_code`` and ``repeated_code``. Whatever
        ``report`` finds, of any kind, is here as well.
    report
        The check of ``cells``.
    """

    cells: gpd.GeoDataFrame
    changes: pd.DataFrame
    conflicts: gpd.GeoDataFrame
    report: CoverageReport


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    policy: str
    is_locked: npt.NDArray[np.bool_]
    households: Indices | None
    rank: Indices


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Cells that take part, what is left over between them, and the faces in question."""

    index: CellIndex
    found: Suspects
    touched: Indices
    faces: Faces | None


@dataclass(frozen=True, slots=True, eq=False)
class _Mended:
    """New shapes in metres of the rows that changed, and how they came about."""

    rows: Indices
    shapes: Shapes
    faces: Faces | None = None
    choice: Choice | None = None
    is_closed: bool = True


def repair_coverage(
    cells: gpd.GeoDataFrame | gpd.GeoSeries,
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    *,
    policy: str = "longest_border",
    locked: Iterable[str] = (),
    households: gpd.GeoDataFrame | None = None,
) -> Repair:
    """Mend gaps, overlaps, spills and unmatched borders; nothing else changes.

    Parameters
    ----------
    cells
        Polygons; ``code`` is made where absent. Degrees are converted to the metric frame of
        their district. Invalid ones are made valid; rows without a polygon stay.
    limit
        What they should cover.
    policy
        Who gets a gap or an overlap, of the cells beside the gap or on the overlap:

        - ``longest_border``: the cell that shares the longest border with it;
        - ``fewest_households``: the cell with the fewest households, by ``households``, else by
          the column of that name;
        - ``most_compact``: the cell whose 4πA/P² gains most, or loses least, by it;
        - ``ask``: nobody. Nothing changes, and ``.changes`` holds the questions.

        By any of them a cell that would otherwise fall into pieces comes first; ties go to the
        longer border, then to the first code.
    locked
        Codes of cells that do not change at all. The others give way to them, and share their
        borders where no third cell meets in the middle of a locked edge.
    households
        Points with ``households`` (1 where absent), to count who is moved.

    Returns
    -------
    Repair
        ``.cells``, ``.changes``, ``.conflicts`` and the new ``.report``.

    Raises
    ------
    InputError
        If there is no polygon, no usable limit, an unknown policy or an unknown locked code.
    CrsError
        If coordinate systems are missing or cannot be brought together.
    """
    frame = metric_table(cells)
    codes, lacks_code = codes_of(frame)
    given = areas_of(frame)
    limit_m = limit_shape(limit, frame.crs)
    if households is not None and households.crs is not None and frame.crs is not None:
        households = households.to_crs(frame.crs)
    rules = _Rules(
        policy,
        locked_rows(locked, codes),
        cell_households(policy, frame, given, households),
        _rank(codes, given),
    )
    log = Log(codes, rules.is_locked)
    mended, conflicts = _mend_all(given, is_mixed(frame), limit_m, rules, households, log)
    table = gpd.GeoDataFrame({"code": codes}, geometry=mended, crs=frame.crs)
    report = verify_coverage(table, limit_m, households=households)
    if policy != "ask":
        conflicts += left_conflicts(report, codes, conflicts)
        conflicts += code_conflicts(codes, lacks_code, mended)
    return Repair(
        cells=_with_shapes(frame, given, mended),
        changes=log.table(),
        conflicts=conflict_table(conflicts, codes, households, frame.crs),
        report=report,
    )


def _rank(codes: list[str], shapes: Shapes) -> Indices:
    """Return the order of cells by code, and by place where codes are the same."""
    bounds = np.nan_to_num(shapely.bounds(shapes))
    number = np.unique(np.array(codes, dtype=object), return_inverse=True)[1]
    order = np.lexsort((bounds[:, 1], bounds[:, 0], number))
    return np.argsort(order, kind="stable")


def _mend_all(
    cells_m: Shapes,
    is_mixed: npt.NDArray[np.bool_],
    limit_m: BaseGeometry,
    rules: _Rules,
    households: gpd.GeoDataFrame | None,
    log: Log,
) -> tuple[Shapes, list[Conflict]]:
    """Mend until nothing is left to do; return the shapes, and what is left to a person."""
    conflicts: list[Conflict] = []
    for _ in range(_MAX_PASSES):
        ground = ground_of(cells_m, limit_m, is_locked=rules.is_locked, is_mixed=is_mixed)
        first, conflicts = _look(ground, rules)
        mended = _mend(ground, first, rules)
        if rules.policy == "ask":
            if mended.faces is not None and mended.choice is not None:
                log.add_questions(mended.faces, mended.choice, households)
            break
        if mended.faces is not None and mended.choice is not None:
            usual_m2 = float(np.median(shapely.area(ground.cells_m[first.index.rows])))
            log.add_faces(
                mended.faces,
                mended.choice,
                changed=mended.rows,
                usual_m2=usual_m2,
                households=households,
            )
            conflicts += locked_conflicts(mended.faces, mended.choice, rules.is_locked)
        cells_m = _apply(cells_m, ground, mended, log)
        is_mixed = np.zeros_like(is_mixed)
        if mended.is_closed or not len(mended.rows):
            break
    return cells_m, conflicts


def _look(ground: Ground, rules: _Rules) -> tuple[_Look, list[Conflict]]:
    """Look at the cells; set aside those without area, or without ground of their own."""
    usable = shapely.is_valid(ground.cells) & ~shapely.is_empty(ground.cells)
    conflicts = [
        Conflict("invalid", (row,), ground.cells_m[row], row)
        for row in np.flatnonzero(~usable).tolist()
    ]
    first = _look_at(ground, np.flatnonzero(usable))
    if first.faces is None:
        return first, conflicts
    bare = groundless(ground, first.faces, first.index, rank=rules.rank, is_locked=rules.is_locked)
    if not bare:
        return first, conflicts
    conflicts += groundless_conflicts(ground, first.faces, bare)
    return _look_at(ground, np.setdiff1d(first.index.rows, bare)), conflicts


def _look_at(ground: Ground, rows: Indices) -> _Look:
    found = suspects(ground, ground.cells_m, rows)
    index = CellIndex.of(ground, rows)
    if not len(found.rows):
        return _Look(index, found, found.rows, None)
    touched = widen(ground, found, index)
    return _Look(index, found, touched, arrange(ground, touched, found, index))


def _mend(ground: Ground, first: _Look, rules: _Rules) -> _Mended:
    """Mend until no cell outside the noded ones is left with an unmatched border."""
    mended = _Mended(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object))
    touched, faces = first.touched, first.faces
    for _ in range(_MAX_ROUNDS):
        if faces is None:
            break
        mended = _mend_once(ground, faces, rules)
        after = ground.cells_m.copy()
        after[mended.rows] = mended.shapes
        left = suspects(ground, after, first.index.rows)
        mended = replace(mended, is_closed=not len(left.ends))
        more = np.setdiff1d(left.rows, touched)
        if not len(more):
            break
        touched = np.union1d(touched, more)
        faces = arrange(ground, touched, first.found, first.index)
    return mended


def _mend_once(ground: Ground, faces: Faces, rules: _Rules) -> _Mended:
    choice = choose_owners(
        faces,
        policy=rules.policy,
        is_locked=rules.is_locked,
        households=rules.households,
        rank=rules.rank,
    )
    owned = np.flatnonzero(choice.owner != NOBODY)
    owners, groups = np.unique(choice.owner[owned], return_inverse=True)
    united = dissolve(faces.shapes[owned], groups)
    united = straightened(united, faces.slack, rules.is_locked[owners])
    changed = ~same_shapes(united, ground.cells[owners]) & ~rules.is_locked[owners]
    return _Mended(owners[changed], ground.to_metres(united[changed]), faces, choice)


def _apply(cells_m: Shapes, ground: Ground, mended: _Mended, log: Log) -> Shapes:
    """Put in the new shapes, and log what no face tells."""
    shapes = cells_m.copy()
    healed = np.flatnonzero(ground.made_valid)
    shapes[healed] = ground.cells_m[healed]
    shapes[mended.rows] = mended.shapes
    for row in healed.tolist():
        log.add(row, "made_valid")
    for row in mended.rows.tolist():
        log.add_if_new(row, "node_added")
    rest = np.setdiff1d(np.flatnonzero(~log.is_locked & ~ground.made_valid), mended.rows)
    if ground.differs:
        moved, matched = match_vertices(ground, rest)
        shapes[moved] = matched
        for row in moved.tolist():
            log.add(row, "vertex_matched")
    return shapes


def _with_shapes(frame: gpd.GeoDataFrame, given: Shapes, mended: Shapes) -> gpd.GeoDataFrame:
    """Return the table with the shapes that changed, and their areas."""
    changed = np.array([one is not other for one, other in zip(given, mended, strict=True)])
    rows = np.flatnonzero(changed)
    shapes = np.array(frame.geometry.to_numpy(), dtype=object)
    shapes[rows] = mended[rows]
    result = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    if "area_m2" in result and len(rows):
        areas = result["area_m2"].to_numpy(np.float64, copy=True)
        areas[rows] = shapely.area(mended[rows])
        result["area_m2"] = areas
    return result
