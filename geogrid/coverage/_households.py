"""Every household in exactly one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.coverage._faces import Finding
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

__all__ = ["household_counts", "household_findings"]


def household_counts(households: gpd.GeoDataFrame) -> npt.NDArray[np.int64]:
    """Return households per point, 1 where the column is absent."""
    if "households" not in households:
        return np.ones(len(households), dtype=np.int64)
    return households["households"].to_numpy(np.int64)


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

    order = np.lexsort((cell, ~within, point))
    held, first = np.unique(point[order], return_index=True)
    owner = cell[order][first]
    per_cell = np.bincount(owner, weights=counts[held], minlength=len(cells)).astype(np.int64)

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


def _finding(kind: DefectKind, rows: tuple[int, ...], points: npt.NDArray[np.object_]) -> Finding:
    place: BaseGeometry = shapely.union_all(points)
    return Finding(kind, rows, place, 0.0)
