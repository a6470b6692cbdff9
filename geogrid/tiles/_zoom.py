"""The shapes of one zoom: fewer vertices, whole numbers, and still sound areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.tiles._arcs import importance
from geogrid.tiles._flat import (
    Dimension,
    Flat,
    as_rings,
    doubled_area,
    following,
    joined,
    oriented,
    to_shapely,
)
from geogrid.tiles._world import MAX_ZOOM, lattice, to_zoom

if TYPE_CHECKING:
    from pyproj import CRS

    from geogrid.tiles._ragged import Flags, Indices

__all__ = [
    "Ground",
    "ZoomShapes",
    "areas_on_units",
    "cleaned",
    "ground_of",
    "mended",
    "on_units",
    "with_rows",
    "zoom_shapes",
]

# A vertex that is nearer to the simplified border is dropped, in units: an eighth of a pixel. On
# the finest zoom, which viewers enlarge, half of that.
TOLERANCE, FINEST_TOLERANCE = 1.0, 0.5
# Half the side of the square that stands for an area too small for its zoom: half a pixel in all.
LEAST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Shapes in full detail on the lattice of the world.

    Attributes
    ----------
    flat
        Oriented rings.
    place
        Number of the place of each vertex.
    kept_to
        By place, the tolerance up to which it is kept, in units of the world.
    dimension
        Points, lines or areas.
    """

    flat: Flat
    place: Indices
    kept_to: npt.NDArray[np.float64]
    dimension: Dimension


@dataclass(frozen=True, slots=True, eq=False)
class ZoomShapes:
    """Shapes in units of a zoom, counted from the world's north-west corner.

    Attributes
    ----------
    flat
        The shapes.
    boxes
        West, north, east, south of each, shape (features, 4).
    is_mended
        Areas that had to be made sound on their own, or are drawn as a least square: their borders
        may differ from the neighbours' by a unit or two.
    """

    flat: Flat
    boxes: Indices
    is_mended: Flags


def ground_of(shapes: npt.NDArray[np.object_], crs: CRS | None, dimension: Dimension) -> Ground:
    """Put shapes on the lattice of the world and weigh their vertices."""
    xy, length, is_hole, rings = as_rings(shapes, dimension)
    place, places = lattice(xy, crs)
    flat = Flat(places[place], length, is_hole, rings)
    if dimension is Dimension.POINT or not len(length):
        return Ground(flat, place, np.full(len(places), np.inf), dimension)
    is_area = dimension is Dimension.AREA
    if is_area:
        order = oriented(flat)
        place = place[order]
        flat = Flat(places[place], length, is_hole, rings)
    kept_to = importance(place, places, length, is_closed=is_area)
    return Ground(flat, place, kept_to, dimension)


def zoom_shapes(ground: Ground, zoom: int, *, is_finest: bool) -> ZoomShapes:
    """Return the shapes as a zoom shows them.

    An area that falls together, or crosses itself, gets the full detail of its borders back, for
    its neighbours too; if that does not help, it is mended on its own.
    """
    flat = ground.flat
    if ground.dimension is Dimension.POINT:
        flat = Flat(to_zoom(flat.xy, zoom), flat.length, flat.is_hole, flat.rings)
        return ZoomShapes(flat, flat.boxes(), np.zeros(len(flat.rings), dtype=np.bool_))
    unit = float(1 << (MAX_ZOOM - zoom))
    wanted = ground.kept_to > (FINEST_TOLERANCE if is_finest else TOLERANCE) * unit
    drawn = _drawn(ground, zoom, wanted)
    is_bad = np.zeros(len(flat.rings), dtype=np.bool_)
    if ground.dimension is Dimension.AREA:
        is_bad = _unsound(drawn, flat)
        if is_bad.any():
            wanted[ground.place[np.repeat(is_bad, flat.vertices)]] = True
            drawn = _drawn(ground, zoom, wanted)
            is_bad = _unsound(drawn, flat)
        drawn = _mend_rows(drawn, np.flatnonzero(is_bad), flat, zoom)
    return ZoomShapes(drawn, drawn.boxes(), is_bad)


def _drawn(ground: Ground, zoom: int, wanted: Flags) -> Flat:
    flat = ground.flat.keep_vertices(wanted[ground.place])
    flat = Flat(to_zoom(flat.xy, zoom), flat.length, flat.is_hole, flat.rings)
    return cleaned(flat, ground.dimension)


def cleaned(flat: Flat, dimension: Dimension) -> Flat:
    """Drop vertices that repeat the one before, ways there and back, and rings without area."""
    is_area = dimension is Dimension.AREA
    while len(flat.xy):
        key = (flat.xy[:, 0] << 32) ^ (flat.xy[:, 1] & 0xFFFFFFFF)
        after = following(flat.length)
        before = np.empty_like(after)
        before[after] = np.arange(len(after))
        is_spare = key == key[before]
        if not is_area:
            is_spare &= before < np.arange(len(after))
        elif not is_spare.any():
            is_spare = key[before] == key[after]
        if not is_spare.any():
            break
        flat = flat.keep_vertices(~is_spare)
    if not is_area:
        return flat.keep_rings(flat.length > 1)
    area = doubled_area(flat)
    return flat.keep_rings(np.where(flat.is_hole, area < 0, area > 0))


def _unsound(drawn: Flat, whole: Flat) -> Flags:
    is_lost: Flags = (drawn.rings == 0) & (whole.rings > 0)
    is_sound: Flags = shapely.is_valid(to_shapely(drawn, Dimension.AREA))
    return is_lost | ~is_sound


def _mend_rows(drawn: Flat, rows: Indices, whole: Flat, zoom: int) -> Flat:
    if not len(rows):
        return drawn
    sound = mended(drawn.take(rows))
    lost = np.flatnonzero(sound.rings == 0)
    boxes = to_zoom(whole.take(rows[lost]).boxes(), zoom)
    middle = (boxes[:, :2] + boxes[:, 2:]) // 2
    corners = np.array([[-LEAST, -LEAST], [LEAST, -LEAST], [LEAST, LEAST], [-LEAST, LEAST]])
    one = np.ones(len(lost), dtype=np.int64)
    squares = Flat((middle[:, None, :] + corners).reshape(-1, 2), 4 * one, one < 0, one)
    return with_rows(drawn, rows, with_rows(sound, lost, squares))


def with_rows(flat: Flat, rows: Indices, other: Flat) -> Flat:
    """Put the features of another table in the place of some rows."""
    order = np.arange(len(flat.rings))
    order[rows] = len(flat.rings) + np.arange(len(rows))
    return joined((flat, other)).take(order)


def mended(flat: Flat) -> Flat:
    """Return areas as sound ones on whole numbers; what has no area is empty."""
    shapes = shapely.make_valid(
        to_shapely(flat, Dimension.AREA), method="structure", keep_collapsed=False
    )
    return areas_on_units(shapely.set_precision(shapes, 1.0))


def areas_on_units(shapes: npt.NDArray[np.object_]) -> Flat:
    """Return shapes of shapely as oriented areas on whole numbers."""
    xy, length, is_hole, rings = as_rings(shapes, Dimension.AREA)
    flat = Flat(on_units(xy), length, is_hole, rings)
    return Flat(flat.xy[oriented(flat)], length, is_hole, rings)


def on_units(xy: npt.NDArray[np.float64]) -> Indices:
    """Round to whole numbers.

    A half is rounded down even where it comes out a little above, which depends on the direction
    in which a border was followed.
    """
    return np.floor(xy + (0.5 - 1e-6)).astype(np.int64)
