"""Shapes as flat arrays: vertices, rings, features.

A ring does not repeat its first vertex. A line is a ring that is not closed, a point one of a
single vertex. The y axis points down, as in tiles; a shell then has a positive area by the
surveyor's formula and a hole a negative one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.tiles._ragged import Flags, Indices, owners, ranges, starts_of, sums

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Dimension",
    "Flat",
    "as_rings",
    "doubled_area",
    "following",
    "joined",
    "oriented",
    "to_shapely",
]

Objects = npt.NDArray[np.object_]

# Stretches of so many features are copied faster in one piece than vertex by vertex.
_RUN = 64


class Dimension(IntEnum):
    """What a layer holds; the numbers are those that tiles use."""

    POINT = 1
    LINE = 2
    AREA = 3


_TYPES = {
    Dimension.POINT: (shapely.GeometryType.POINT,),
    Dimension.LINE: (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING),
    Dimension.AREA: (shapely.GeometryType.POLYGON,),
}


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """Features of one dimension.

    Attributes
    ----------
    xy
        Vertices, shape (vertices, 2).
    length
        Vertices of each ring.
    is_hole
        Whether a ring is a hole of the shell before it.
    rings
        Rings of each feature; a feature without any is empty.
    """

    xy: Indices
    length: Indices
    is_hole: Flags
    rings: Indices

    @property
    def vertices(self) -> Indices:
        """Vertices of each feature."""
        return sums(self.length, self.rings)

    def take(self, rows: Indices) -> Flat:
        """Return some features in the order that is asked for."""
        stops = np.flatnonzero(np.diff(rows) != 1) + 1
        if len(rows) >= _RUN * (len(stops) + 1):
            return self._stretches(np.split(rows, stops))
        rings = self.rings[rows]
        ring = ranges(starts_of(self.rings)[rows], rings)
        vertex = ranges(starts_of(self.length)[ring], self.length[ring])
        return Flat(self.xy[vertex], self.length[ring], self.is_hole[ring], rings)

    def _stretches(self, runs: Sequence[Indices]) -> Flat:
        """Return stretches of features, copied in one piece each, as an edit leaves many."""
        ring = np.concatenate(([0], np.cumsum(self.rings)))
        vertex = np.concatenate(([0], np.cumsum(self.length)))
        parts = []
        for run in runs:
            rows = slice(run[0], run[-1] + 1)
            rings = slice(ring[rows.start], ring[rows.stop])
            vertices = slice(vertex[rings.start], vertex[rings.stop])
            parts.append(
                Flat(self.xy[vertices], self.length[rings], self.is_hole[rings], self.rings[rows])
            )
        return joined(parts)

    def keep_vertices(self, kept: Flags) -> Flat:
        """Drop vertices; rings may be left with none."""
        return Flat(self.xy[kept], sums(kept, self.length), self.is_hole, self.rings)

    def keep_rings(self, kept: Flags) -> Flat:
        """Drop rings, and with a shell its holes."""
        part = np.cumsum(~self.is_hole) - 1
        kept = kept & kept[~self.is_hole][part] if len(kept) else kept
        return Flat(
            self.xy[np.repeat(kept, self.length)],
            self.length[kept],
            self.is_hole[kept],
            sums(kept, self.rings),
        )

    def boxes(self) -> Indices:
        """Return west, north, east, south of each feature, shape (features, 4).

        An empty feature has a box that meets no other.
        """
        counts = self.vertices
        filled = counts > 0
        found = np.full((len(counts), 4), [2**40, 2**40, -(2**40), -(2**40)], dtype=np.int64)
        if filled.any():
            starts = starts_of(counts)[filled]
            found[filled, :2] = np.minimum.reduceat(self.xy, starts)
            found[filled, 2:] = np.maximum.reduceat(self.xy, starts)
        return found


def joined(parts: Sequence[Flat]) -> Flat:
    """Return the features of all parts, one part after the other."""
    return Flat(
        np.concatenate([part.xy for part in parts]),
        np.concatenate([part.length for part in parts]),
        np.concatenate([part.is_hole for part in parts]),
        np.concatenate([part.rings for part in parts]),
    )


def as_rings(
    shapes: Objects, dimension: Dimension
) -> tuple[npt.NDArray[np.float64], Indices, Flags, Indices]:
    """Return coordinates, length and kind of rings, and rings a shape; other dimensions are gone.

    The rings of an area come without their last vertex, which repeats the first.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    is_wanted = np.isin(shapely.get_type_id(parts), _TYPES[dimension]) & ~shapely.is_empty(parts)
    parts, owner = parts[is_wanted], owner[is_wanted]
    is_hole = np.zeros(len(parts), dtype=np.bool_)
    if dimension is Dimension.AREA:
        parts, of_part = shapely.get_rings(parts, return_index=True)
        owner = owner[of_part]
        is_hole = np.zeros(len(parts), dtype=np.bool_)
        is_hole[1:] = of_part[1:] == of_part[:-1]
    length = shapely.get_num_coordinates(parts).astype(np.int64)
    xy = shapely.get_coordinates(parts)
    if dimension is Dimension.AREA:
        is_last = np.zeros(len(xy), dtype=np.bool_)
        is_last[np.cumsum(length) - 1] = True
        xy, length = xy[~is_last], length - 1
    return xy, length, is_hole, np.bincount(owner, minlength=len(shapes)).astype(np.int64)


def to_shapely(flat: Flat, dimension: Dimension) -> Objects:
    """Return areas or lines as multipart shapes of shapely."""
    offsets = [_offsets(flat.rings)]
    if dimension is Dimension.LINE:
        found: Objects = shapely.from_ragged_array(
            shapely.GeometryType.MULTILINESTRING,
            flat.xy.astype(np.float64),
            (_offsets(flat.length), offsets[0]),
        )
        return found
    closed = flat.length + 1
    vertex = ranges(starts_of(flat.length), closed)
    vertex[np.cumsum(closed) - 1] = starts_of(flat.length)
    shells = np.flatnonzero(~flat.is_hole)
    areas: Objects = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        flat.xy[vertex].astype(np.float64),
        (
            _offsets(closed),
            np.append(shells, len(flat.length)),
            _offsets(sums(~flat.is_hole, flat.rings)),
        ),
    )
    return areas


def _offsets(counts: Indices) -> Indices:
    return np.concatenate(([0], np.cumsum(counts)))


def doubled_area(flat: Flat) -> Indices:
    """Return twice the signed area of each ring, exact."""
    if not len(flat.length):
        return np.zeros(0, dtype=np.int64)
    after = following(flat.length)
    filled = flat.length > 0
    near = flat.xy - np.repeat(flat.xy[starts_of(flat.length)[filled]], flat.length[filled], axis=0)
    cross = near[:, 0] * near[after, 1] - near[after, 0] * near[:, 1]
    return sums(cross, flat.length)


def following(length: Indices) -> Indices:
    """Return for each vertex the position of the next one of its closed ring."""
    after = np.arange(1, int(length.sum()) + 1)
    filled = length > 0
    after[np.cumsum(length)[filled] - 1] = starts_of(length)[filled]
    return after


def oriented(flat: Flat) -> Indices:
    """Return the order of vertices in which shells have a positive area and holes a negative."""
    wrong = (doubled_area(flat) < 0) != flat.is_hole
    starts = np.repeat(starts_of(flat.length), flat.length)
    vertex = np.arange(len(flat.xy))
    mirrored = 2 * starts + np.repeat(flat.length, flat.length) - 1 - vertex
    found: Indices = np.where(wrong[owners(flat.length)], mirrored, vertex)
    return found
