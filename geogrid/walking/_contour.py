"""Trace the border of what is inside in a raster, as rings that cannot touch.

Every vertex lies on a grid line between a cell inside and one outside, at most one between two
cells, and never on a cell, because no cell has the value zero. So rings are simple and apart from
each other, and where no value of one raster is below that of another, its area holds the other's:
in each square the smaller area is cut off by chords between points that lie further inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.planar.compiling import compiled, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rings = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]

__all__ = ["trace"]

# Vertices are rounded to this part of a cell, so that adding the place of the raster is exact.
_PARTS = 65536.0


@compiled
def _link(values: NDArray[np.int16], after: NDArray[np.int32]) -> None:
    """Write for each vertex the next one of its ring, the inside on the left.

    The vertex on the grid line from a cell to the right is 2 * cell, to the next row 2 * cell + 1.
    """
    height, width = values.shape
    # Vertices of a square, counter-clockwise: below, right, above, left.
    vertex = np.empty(4, np.int32)
    corner = np.empty(5, np.bool_)
    for row in range(height - 1):
        for column in range(width - 1):
            corner[0] = values[row, column] > 0
            corner[1] = values[row, column + 1] > 0
            corner[2] = values[row + 1, column + 1] > 0
            corner[3] = values[row + 1, column] > 0
            inside = int(corner[0]) + int(corner[1]) + int(corner[2]) + int(corner[3])
            if inside == 0 or inside == 4:  # noqa: PLR1714, PLR2004 - a set is slow when compiled
                continue
            corner[4] = corner[0]
            at = row * width + column
            vertex[0], vertex[1] = 2 * at, 2 * (at + 1) + 1
            vertex[2], vertex[3] = 2 * (at + width), 2 * at + 1
            # Of two opposite corners inside, the mean decides whether they are joined.
            total = int(values[row, column]) + int(values[row, column + 1])
            total += int(values[row + 1, column + 1]) + int(values[row + 1, column])
            step = 1
            if inside == 2 and corner[0] == corner[2] and total <= 0:  # noqa: PLR2004 - a pair
                step = 3
            for side in range(4):
                if corner[side] and not corner[side + 1]:
                    other = (side + step) % 4
                    while corner[other] or not corner[other + 1]:
                        other = (other + step) % 4
                    after[vertex[side]] = vertex[other]


@inner
def _follow(
    start: int,
    label: int,
    after: NDArray[np.int32],
    ring: NDArray[np.int32],
    out: NDArray[np.int32],
    size: int,
) -> int:
    """Write the vertices of one ring, the first again as the last; return where it ends."""
    vertex = start
    while True:
        out[size] = vertex
        size += 1
        if vertex % 2 == 0:
            ring[vertex // 2] = label
        vertex = after[vertex]
        if vertex == start:
            out[size] = start
            return size + 1


@compiled
def trace(values: NDArray[np.int16], south: int, west: int, cell: float) -> Rings:
    """Return coordinates, starts of rings and starts of polygons of all that is above zero.

    The outermost cells of the raster must be below zero, and none may be zero. Each polygon is its
    shell (counter-clockwise) and its holes; ``south, west`` is the number of the first cell.
    """
    height, width = values.shape
    after = np.empty(2 * height * width, np.int32)
    _link(values, after)
    ring = np.zeros(height * width, np.int32)
    crossings = 0
    for row in range(height):
        for column in range(width - 1):
            crossings += (values[row, column] > 0) != (values[row, column + 1] > 0)
            if row + 1 < height:
                crossings += (values[row, column] > 0) != (values[row + 1, column] > 0)
    out = np.empty(2 * crossings, np.int32)
    begin = np.zeros(crossings + 2, np.int64)
    shell = np.zeros(crossings + 2, np.int64)
    rings, size = 0, 0
    for row in range(height):
        before = 0
        for column in range(width - 1):
            is_inside = values[row, column] > 0
            if is_inside == (values[row, column + 1] > 0):
                continue
            at = row * width + column
            if ring[at] == 0:
                rings += 1
                begin[rings] = size
                size = _follow(2 * at, rings, after, ring, out, size)
                # A ring is met at its lowest left: what lies before it on the line surrounds it.
                shell[rings] = shell[before] if is_inside else rings
            before = ring[at]
    begin[rings + 1] = size
    found: Rings = _arrange(values, out, begin, shell[1 : rings + 1], (south, west, cell))
    return found


@compiled
def _arrange(
    values: NDArray[np.int16],
    vertices: NDArray[np.int32],
    begin: NDArray[np.int64],
    shell: NDArray[np.int64],
    frame: tuple[int, int, float],
) -> Rings:
    """Put each shell before its holes and turn vertices into places."""
    south, west, cell = frame
    width = values.shape[1]
    rings = len(shell)
    # Holes come after their shell, and a stable order keeps them as they were met.
    order = np.argsort(shell, kind="mergesort")
    xy = np.empty((begin[rings + 1], 2))
    starts = np.zeros(rings + 1, np.int64)
    polygons = np.zeros(rings + 1, np.int64)
    size, count = 0, 0
    for number in range(rings):
        label = order[number] + 1
        if shell[label - 1] == label:
            polygons[count] = number
            count += 1
        for slot in range(begin[label], begin[label + 1]):
            at = vertices[slot] // 2
            row, column = at // width, at % width
            here = float(values[row, column])
            if vertices[slot] % 2 == 0:
                there = float(values[row, column + 1])
                x, y = np.rint(here / (here - there) * _PARTS) / _PARTS, 0.0
            else:
                there = float(values[row + 1, column])
                x, y = 0.0, np.rint(here / (here - there) * _PARTS) / _PARTS
            xy[size, 0], xy[size, 1] = (west + column + x) * cell, (south + row + y) * cell
            size += 1
        starts[number + 1] = size
    polygons[count] = rings
    return xy, starts, polygons[: count + 1]
