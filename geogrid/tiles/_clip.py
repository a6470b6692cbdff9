"""What of a zoom's shapes lies in one tile, in the units of that tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.tiles._flat import Dimension, Flat, Objects, as_rings, to_shapely
from geogrid.tiles._world import BUFFER, EXTENT
from geogrid.tiles._zoom import ZoomShapes, areas_on_units, cleaned, mended, on_units, with_rows

if TYPE_CHECKING:
    from geogrid.tiles._ragged import Flags, Indices

__all__ = ["in_tile", "meets"]

_LOW, _HIGH = -BUFFER, EXTENT + BUFFER


def meets(boxes: Indices, x: int, y: int) -> Flags:
    """Tell which boxes of a zoom meet a tile of it, its buffer included."""
    west, north = x * EXTENT + _LOW, y * EXTENT + _LOW
    east, south = x * EXTENT + _HIGH, y * EXTENT + _HIGH
    found: Flags = (
        (boxes[:, 0] <= east)
        & (boxes[:, 2] >= west)
        & (boxes[:, 1] <= south)
        & (boxes[:, 3] >= north)
    )
    return found


def in_tile(shapes: ZoomShapes, x: int, y: int, dimension: Dimension) -> tuple[Indices, Flat]:
    """Return the rows that a tile shows and their shapes, cut at its buffer."""
    rows = np.flatnonzero(meets(shapes.boxes, x, y))
    origin = np.array([x * EXTENT, y * EXTENT])
    flat = shapes.flat.take(rows)
    flat = Flat(flat.xy - origin, flat.length, flat.is_hole, flat.rings)
    if dimension is Dimension.POINT:
        return rows, flat
    boxes = shapes.boxes[rows] - np.tile(origin, 2)
    across = np.flatnonzero((boxes[:, :2] < _LOW).any(axis=1) | (boxes[:, 2:] > _HIGH).any(axis=1))
    if len(across):
        flat = with_rows(flat, across, _cut(flat.take(across), dimension))
    filled = np.flatnonzero(flat.rings > 0)
    return rows[filled], flat.take(filled)


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
