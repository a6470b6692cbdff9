"""What of a zoom's shapes lies in each tile of a block, in the units of that tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.tiles._flat import Dimension, Flat, Objects, as_rings, to_shapely
from geogrid.tiles._ragged import owners, ranges
from geogrid.tiles._world import BUFFER, EXTENT
from geogrid.tiles._zoom import ZoomShapes, areas_on_units, cleaned, mended, on_units, with_rows

if TYPE_CHECKING:
    from geogrid.tiles._ragged import Indices

__all__ = ["in_tiles"]

_LOW, _HIGH = -BUFFER, EXTENT + BUFFER


def in_tiles(
    shapes: ZoomShapes, block: tuple[int, int, int], dimension: Dimension
) -> tuple[Indices, Indices, Flat]:
    """Return what the tiles of a square block show.

    What numpy needs to begin takes longer than the work on one tile, so many are done at once.

    Parameters
    ----------
    shapes
        The shapes of a zoom.
    block
        First column, first row and side of the block, in tiles.

    Returns
    -------
    tuple
        Number of the tile within the block, row by row; row of the feature; its shape in units of
        its tile, cut at the buffer. Sorted by tile and row.
    """
    x, y, side = block
    tile, rows = _pairs(shapes.boxes, x, y, side)
    origin = EXTENT * np.column_stack((x + tile % side, y + tile // side))
    flat = shapes.flat.take(rows)
    xy = flat.xy - np.repeat(origin, flat.vertices, axis=0)
    flat = Flat(xy, flat.length, flat.is_hole, flat.rings)
    if dimension is Dimension.POINT:
        return tile, rows, flat
    boxes = shapes.boxes[rows] - np.tile(origin, 2)
    across = np.flatnonzero((boxes[:, :2] < _LOW).any(axis=1) | (boxes[:, 2:] > _HIGH).any(axis=1))
    if len(across):
        flat = with_rows(flat, across, _cut(flat.take(across), dimension))
    filled = np.flatnonzero(flat.rings > 0)
    return tile[filled], rows[filled], flat.take(filled)


def _pairs(boxes: Indices, x: int, y: int, side: int) -> tuple[Indices, Indices]:
    """Return tile and row of every box that meets a tile of a block, its buffer included."""
    # From the first tile whose far edge reaches the box to the last whose near edge does.
    low = np.array([x, y])
    is_near = (boxes[:, :2] <= (low + side - 1) * EXTENT + _HIGH).all(axis=1)
    is_near &= (boxes[:, 2:] >= low * EXTENT + _LOW).all(axis=1)
    near = np.flatnonzero(is_near)
    first = np.maximum(-((_HIGH - boxes[near, :2]) // EXTENT), low) - low
    last = np.minimum((boxes[near, 2:] - _LOW) // EXTENT, low + side - 1) - low
    across = last - first + 1
    counts = across[:, 0] * across[:, 1]
    at, number = owners(counts), ranges(np.zeros_like(counts), counts)
    column = first[at, 0] + number % across[at, 0]
    tile = (first[at, 1] + number // across[at, 0]) * side + column
    order = np.lexsort((near[at], tile))
    return tile[order], near[at[order]]


def _cut(flat: Flat, dimension: Dimension) -> Flat:
    shapes = shapely.clip_by_rect(to_shapely(flat, dimension), _LOW, _LOW, _HIGH, _HIGH)
    if dimension is Dimension.LINE:
        return cleaned(_lines_on_units(shapes), dimension)
    found = cleaned(areas_on_units(shapes), dimension)
    # A corner that is cut off and rounded can cross a border that is less than a unit away.
    bad = np.flatnonzero(~shapely.is_valid(to_shapely(found, dimension)))
    return with_rows(found, bad, mended(found.take(bad))) if len(bad) else found


def _lines_on_units(shapes: Objects) -> Flat:
    xy, length, is_hole, rings = as_rings(shapes, Dimension.LINE)
    return Flat(on_units(xy), length, is_hole, rings)
