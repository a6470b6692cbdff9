"""Every household in exactly one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.coverage._faces import Finding
from geogrid.model.counts import household_counts
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

__all__ = ["household_findings", "households_by_cell"]


def household_findings(
    cells: npt.NDArray[np.object_], limit: BaseGeometry, households: gpd.GeoDataFrame
) -> tuple[list[Finding], npt.NDArray[np.int64], int]:
    """Judge where each household point lies.

    A point on the border between two cells belongs to the one that comes first: to exactly one.

    Returns
    -------
    findings
        ``unassigned_household`` (inside the limit, in no cell) and ``double_household`` (inside
        several cells), one a set of cells.
    per_cell
        Households per cell, each counted once.
    outside
        Households outside the limit: no defect of the cells.
    """
    points = households.geometry.to_numpy()
    counts = household_counts(households)
    tree = shapely.STRtree(cells)
    point, cell = tree.query(points, predicate="intersects")
    within = shapely.contains_properly(cells[cell], points[point])
    inner = np.bincount(point[within], minlength=len(points))
    touched = np.zeros(len(points), dtype=bool)
    touched[point] = True
    shapely.prepare(limit)
    in_limit = shapely.intersects(limit, points)

    per_cell = _per_cell(point, cell, within, counts, len(cells))

    findings = []
    lost = ~touched & in_limit
    if lost.any():
        findings.append(_finding(DefectKind.UNASSIGNED_HOUSEHOLD, (), points[lost]))
    held_by: dict[int, list[int]] = {}
    for one, row in zip(point[within].tolist(), cell[within].tolist(), strict=True):
        if inner[one] > 1:
            held_by.setdefault(one, []).append(row)
    together: dict[tuple[int, ...], list[int]] = {}
    for one, rows in held_by.items():
        together.setdefault(tuple(sorted(rows)), []).append(one)
    findings += [
        _finding(DefectKind.DOUBLE_HOUSEHOLD, rows, points[some]) for rows, some in together.items()
    ]
    return findings, per_cell, int(counts[~touched & ~in_limit].sum())


def households_by_cell(
    cells: npt.NDArray[np.object_], households: gpd.GeoDataFrame
) -> npt.NDArray[np.int64]:
    """Return households per cell, each counted once."""
    points = households.geometry.to_numpy()
    point, cell = shapely.STRtree(cells).query(points, predicate="intersects")
    within = shapely.contains_properly(cells[cell], points[point])
    return _per_cell(point, cell, within, household_counts(households), len(cells))


def _per_cell(
    point: npt.NDArray[np.int64],
    cell: npt.NDArray[np.int64],
    within: npt.NDArray[np.bool_],
    counts: npt.NDArray[np.int64],
    cells: int,
) -> npt.NDArray[np.int64]:
    """Give each point to the cell that holds it inside, else to the first that it touches."""
    order = np.lexsort((cell, ~within, point))
    held, first = np.unique(point[order], return_index=True)
    owner = cell[order][first]
    totals: npt.NDArray[np.int64] = np.bincount(
        owner, weights=counts[held], minlength=cells
    ).astype(np.int64)
    return totals


def _finding(kind: DefectKind, rows: tuple[int, ...], points: npt.NDArray[np.object_]) -> Finding:
    place: BaseGeometry = shapely.union_all(points)
    return Finding(kind, rows, place, 0.0)
