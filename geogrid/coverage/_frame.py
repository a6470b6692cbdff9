"""Cells and limit on the lattice; geometries are made in millimetres only where needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import origin_mm, to_mm
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["Frame", "frame_of", "mended", "valid_cells"]

Shapes = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]

_MM = 1000.0
# Below this span no orientation changes between lattice points and the doubles next to them: a
# point off a line of 1 km is 1e-6 mm or more away, and doubles of 40,000 km err by 4e-6 mm, those
# of a national grid (below 8,000 km) by less than 5e-7 mm.
_LONG_M, _FAR_M = 1_000.0, 8_000_000.0


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
    is_off
        One flag a shape: it has coordinates that are not the doubles next to whole millimetres.
    moved_mm
        How far rounding moved a coordinate.
    """

    shapes: Shapes
    xy: npt.NDArray[np.float64]
    whole: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int64]
    is_off: Flags
    moved_mm: float

    @property
    def count(self) -> int:
        """How many cells there are."""
        return len(self.shapes) - 1

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The cells by place."""
        return shapely.STRtree(self.shapes[:-1])

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
    corners = np.reshape(shapely.total_bounds(shapes), (2, 2))
    whole = to_mm(xy)
    back = whole / _MM
    moved = np.flatnonzero(back.ravel() != xy.ravel())
    moved_mm = np.abs(back.ravel()[moved] - xy.ravel()[moved]).max(initial=0.0) * _MM
    stops = np.cumsum(shapely.get_num_coordinates(shapes))
    is_off = np.zeros(len(shapes), dtype=np.bool_)
    is_off[np.searchsorted(stops, moved // 2, side="right")] = True
    return Frame(shapes, xy, whole, origin_mm(to_mm(corners)), is_off, float(moved_mm))


def valid_cells(frame: Frame) -> Flags:
    """Return which cells are valid polygons in whole millimetres.

    A cell whose doubles are those next to the lattice may be judged by them: it can differ only in
    where it touches itself, which changes no winding number. Whatever else, and whatever fails,
    is judged in whole numbers.
    """
    cells = frame.shapes[:-1]
    bounds = shapely.bounds(cells)
    span = (bounds[:, 2:] - bounds[:, :2]).max(axis=1)
    far = np.abs(bounds).max(axis=1)
    is_near = ~frame.is_off[:-1] & (span < _LONG_M) & (far < _FAR_M)
    is_valid = np.zeros(len(cells), dtype=np.bool_)
    is_valid[is_near] = shapely.is_valid(cells[is_near])
    rest = np.flatnonzero(~is_valid)
    is_valid[rest] = shapely.is_valid(frame.millimetres(rest)) & ~shapely.is_empty(cells[rest])
    return is_valid


def mended(cells: Shapes) -> Shapes:
    """Return cells with invalid ones made valid, so that they can be judged with the rest."""
    is_valid = shapely.is_valid(cells)
    if is_valid.all():
        return cells
    cells = cells.copy()
    cells[~is_valid] = [as_multipolygon(one) for one in shapely.make_valid(cells[~is_valid])]
    return cells
