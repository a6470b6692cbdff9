"""Small coverages to plant defects into, and what a check says of them in comparable form."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from geogrid.model.report import CoverageReport

__all__ = ["Finding", "board", "codes_of", "findings", "frame_of", "slivers"]

Finding: TypeAlias = tuple[str, tuple[str, ...], float]
SLIVERS_A_CELL = 100
SLIVER_M2 = 0.001


def board(columns: int = 3, rows: int = 3, *, side: float = 10.0) -> list[shapely.Polygon]:
    """Squares row by row from the south-west; their codes count from 1."""
    return [
        shapely.box(x * side, y * side, (x + 1) * side, (y + 1) * side)
        for y in range(rows)
        for x in range(columns)
    ]


def frame_of(
    shapes: Sequence[BaseGeometry | None],
    *,
    codes: Sequence[object] | None = None,
    crs: int | None = None,
) -> gpd.GeoDataFrame:
    """A table of cells, with codes where they matter."""
    columns = None if codes is None else {"code": list(codes)}
    return gpd.GeoDataFrame(columns, geometry=np.array(shapes, dtype=object), crs=crs)


def findings(report: CoverageReport) -> list[Finding]:
    """Kind, cells and area of every defect in an order that does not depend on equal rows."""
    table = report.defects
    rows = zip(table["kind"], table["cells"], table["area_m2"], strict=True)
    return sorted((kind, tuple(sorted(cells)), round(area, 6)) for kind, cells, area in rows)


def codes_of(*numbers: int) -> tuple[str, ...]:
    """The codes that cells without a column of them get, as a finding names them."""
    return tuple(sorted(map(str, numbers)))


def slivers(count: int) -> tuple[gpd.GeoDataFrame, shapely.Polygon]:
    """Squares out of which ``count`` triangles of 20 cm by 1 cm are cut, and their noded limit."""
    blocks = -(-count // SLIVERS_A_CELL)
    columns = int(np.ceil(np.sqrt(blocks)))
    triangle = np.array([[0.0, 0.0], [0.2, 0.0], [0.1, 0.01]])
    cells = []
    for number, square in enumerate(board(columns, columns)):
        here = np.arange(min(SLIVERS_A_CELL, max(0, count - number * SLIVERS_A_CELL)))
        corner = shapely.get_coordinates(square).min(axis=0) + 0.4
        places = np.column_stack((here % 10, here // 10)) + corner
        holes = shapely.linearrings(np.round(places[:, None] + triangle, 3))
        cells.append(shapely.Polygon(square.exterior, list(holes)))
    side = 10.0 * columns
    limit = shapely.segmentize(shapely.box(0, 0, side, side), 10.0)
    return gpd.GeoDataFrame(geometry=cells), limit
