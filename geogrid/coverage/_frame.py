"""Cells and limit on the lattice; geometries are made in millimetres only where needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.errors import InputError
from geogrid.planar.lattice import origin_mm, snap, to_mm
from geogrid.planar.noding import as_multipolygon
from geogrid.planar.rings import LATTICE_BITS, LATTICE_MASK

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geogrid.planar.rings import LatticeRings

__all__ = [
    "Frame",
    "frame_of",
    "has_valid_limit",
    "mended",
    "valid_cells",
    "with_mended_limit",
]

Shapes = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]
Bounds = npt.NDArray[np.int64]

_MM = 1000.0
# Farther than any coordinate, near enough for differences of it.
_NOWHERE = 2**60
_RASTER = 128
# Below this span no orientation changes between lattice points and the doubles next to them: a
# point off a line of 1 km is 1e-6 mm or more away, and doubles of 40,000 km err by 4e-6 mm, those
# of a national grid (below 8,000 km) by less than 5e-7 mm.
_LONG_MM, _FAR_MM = 1_000_000, 8_000_000_000


@dataclass(frozen=True, eq=False)
class Frame:
    """Cells and limit, the limit last.

    Attributes
    ----------
    shapes
        In metres, as given.
    xy, whole
        Coordinates of all, in metres as given and in whole millimetres.
    origin
        Lower left corner in whole millimetres.
    stops
        End of each shape's coordinates among all.
    is_off
        One flag a shape: it has coordinates that are not the doubles next to whole millimetres.
    moved_mm
        How far rounding moved a coordinate.
    """

    shapes: Shapes
    xy: npt.NDArray[np.float64]
    whole: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    is_off: Flags
    moved_mm: float

    @property
    def count(self) -> int:
        """How many cells there are."""
        return len(self.shapes) - 1

    @cached_property
    def boxes(self) -> Bounds:
        """Bounds of all shapes in whole millimetres, shape (4, n); an empty one holds nothing."""
        starts = np.append(0, self.stops[:-1])
        filled = self.stops > starts
        boxes = np.empty((4, len(self.shapes)), dtype=np.int64)
        boxes[:2], boxes[2:] = _NOWHERE, -_NOWHERE
        for axis in (0, 1):
            column = np.ascontiguousarray(self.whole[:, axis])
            boxes[axis, filled] = np.minimum.reduceat(column, starts[filled])
            boxes[axis + 2, filled] = np.maximum.reduceat(column, starts[filled])
        return boxes

    def cells_at(self, boxes: Bounds) -> npt.NDArray[np.int64]:
        """Return the cells whose bounds meet boxes in whole millimetres, shape (4, n)."""
        cells = self.boxes[:, :-1]
        maybe = np.flatnonzero(_near_boxes(cells, boxes))
        tree = shapely.STRtree(_rectangles(boxes))
        rows: npt.NDArray[np.int64] = maybe[np.unique(tree.query(_rectangles(cells[:, maybe]))[0])]
        return rows

    def millimetres(self, rows: npt.NDArray[np.int64]) -> Shapes:
        """Return some shapes in whole millimetres from the origin."""
        there: Shapes = shapely.transform(
            self.shapes[rows], lambda xy: np.rint(xy * _MM) - self.origin
        )
        return there

    def to_metres(self, shapes: Shapes) -> Shapes:
        """Return shapes from millimetres to metres."""
        there: Shapes = shapely.transform(shapes, lambda xy: (xy + self.origin) / _MM)
        return there


def frame_of(cells: Shapes, limit: BaseGeometry) -> Frame:
    """Round cells and limit to the lattice."""
    shapes = np.append(cells, [limit])
    xy = shapely.get_coordinates(shapes)
    if not np.isfinite(xy).all():
        msg = "some coordinates are no finite numbers: check the layers' coordinate systems"
        raise InputError(msg)
    whole = to_mm(xy)
    back = whole / _MM
    moved = np.flatnonzero(back.ravel() != xy.ravel())
    moved_mm = np.abs(back.ravel()[moved] - xy.ravel()[moved]).max(initial=0.0) * _MM
    stops = np.cumsum(shapely.get_num_coordinates(shapes), dtype=np.int64)
    is_off = np.zeros(len(shapes), dtype=np.bool_)
    is_off[np.searchsorted(stops, moved // 2, side="right")] = True
    return Frame(shapes, xy, whole, origin_mm(whole), stops, is_off, float(moved_mm))


def _rectangles(boxes: Bounds) -> Shapes:
    return np.asarray(shapely.box(*boxes.astype(np.float64)), dtype=object)


def _near_boxes(cells: Bounds, boxes: Bounds) -> Flags:
    """Tell which cells may meet a box: a raster of counts rules out nearly all of the others."""
    if not boxes.size:
        return np.zeros(cells.shape[1], dtype=np.bool_)
    low, high = boxes[:2].min(axis=1), boxes[2:].max(axis=1)
    step = (high - low) // _RASTER + 1
    count = np.zeros((_RASTER + 2, _RASTER + 2), dtype=np.int64)
    (west, south), (east, north) = _raster_rows(boxes, low, step)
    for x, y, sign in (
        (west, south, 1),
        (east + 1, south, -1),
        (west, north + 1, -1),
        (east + 1, north + 1, 1),
    ):
        np.add.at(count, (x, y), sign)
    covered = (count.cumsum(axis=0).cumsum(axis=1) > 0).cumsum(axis=0).cumsum(axis=1)
    covered = np.pad(covered, ((1, 0), (1, 0)))
    meets: Flags = (cells[0] <= high[0]) & (cells[1] <= high[1])
    meets &= (cells[2] >= low[0]) & (cells[3] >= low[1])
    rows = np.flatnonzero(meets)
    (west, south), (east, north) = _raster_rows(cells[:, rows], low, step)
    inside = covered[east + 1, north + 1] - covered[west, north + 1] - covered[east + 1, south]
    meets[rows] = inside + covered[west, south] > 0
    return meets


def _raster_rows(
    boxes: Bounds, low: npt.NDArray[np.int64], step: npt.NDArray[np.int64]
) -> tuple[Bounds, Bounds]:
    """Return the first and the last raster column and row of boxes, cut to the raster."""
    first = (boxes[:2] - low[:, None]) // step[:, None]
    last = (boxes[2:] - low[:, None]) // step[:, None]
    return np.clip(first, 0, _RASTER), np.clip(last, 0, _RASTER)


def valid_cells(frame: Frame, rings: LatticeRings) -> Flags:
    """Return which cells are valid polygons in whole millimetres.

    One convex ring is valid, which whole numbers prove at once. Of the others, a cell whose
    doubles are those next to the lattice may be judged by them: it can differ only in where it
    touches itself, which changes no winding number. Whatever else, and whatever fails, is judged
    in whole numbers.
    """
    cells = frame.shapes[:-1]
    bounds = frame.boxes[:, :-1]
    span = (bounds[2:] - bounds[:2]).max(axis=0)
    far = np.abs(bounds).max(axis=0)
    is_valid = _convex_cells(rings, frame.count)
    is_near = ~is_valid & ~frame.is_off[:-1] & (span < _LONG_MM) & (far < _FAR_MM)
    is_valid[is_near] = shapely.is_valid(cells[is_near])
    rest = np.flatnonzero(~is_valid)
    is_valid[rest] = shapely.is_valid(frame.millimetres(rest)) & ~shapely.is_empty(cells[rest])
    return is_valid


def _convex_cells(rings: LatticeRings, count: int) -> Flags:
    """Tell which cells are one ring that turns left everywhere, and once round in all."""
    is_convex = np.zeros(count, dtype=np.bool_)
    several = np.bincount(rings.owner, minlength=count + 1)[:count] != 1
    if not len(rings.tail):
        return is_convex
    start = np.cumsum(rings.length) - rings.length
    filled = rings.length > 0
    x, y = rings.tail >> LATTICE_BITS, rings.tail & LATTICE_MASK
    east, north = (rings.head >> LATTICE_BITS) - x, (rings.head & LATTICE_MASK) - y
    follows = np.arange(1, len(east) + 1)
    follows[(start + rings.length - 1)[filled]] = start[filled]
    # A ring that the file walks the other way round lists its edges backwards.
    turn = east * north[follows] - north * east[follows]
    turn = np.where(np.repeat(rings.is_reversed, rings.length), -turn, turn)
    ahead = east * east[follows] + north * north[follows]
    is_left = (turn > 0) | ((turn == 0) & (ahead > 0))
    # Directions below and above the horizon change once each on one way round.
    is_up = (north > 0) | ((north == 0) & (east > 0))
    rises = is_up & ~is_up[follows]
    good = np.zeros(len(rings.length), dtype=np.bool_)
    good[filled] = np.logical_and.reduceat(is_left, start[filled])
    good[filled] &= np.add.reduceat(rises, start[filled], dtype=np.int64) == 1
    good &= ~rings.is_hole & (rings.owner < count)
    is_convex[rings.owner[good]] = True
    is_convex[several] = False
    return is_convex


def has_valid_limit(frame: Frame) -> bool:
    """Tell whether the limit is a valid area in whole millimetres: only then does it count once."""
    return bool(shapely.is_valid(frame.millimetres(np.array([frame.count])))[0])


def with_mended_limit(frame: Frame) -> Frame:
    """Return the frame with its limit made valid."""
    limit = shapely.make_valid(frame.shapes[-1], method="structure", keep_collapsed=False)
    return frame_of(frame.shapes[:-1], as_multipolygon(snap(limit)))


def mended(cells: Shapes) -> Shapes:
    """Return cells with invalid ones made valid, so that they can be judged with the rest."""
    is_valid = shapely.is_valid(cells)
    if is_valid.all():
        return cells
    cells = cells.copy()
    cells[~is_valid] = [as_multipolygon(one) for one in shapely.make_valid(cells[~is_valid])]
    return cells
