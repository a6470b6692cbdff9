"""Rings of polygons on the millimetre lattice, each vertex packed into one whole number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import Millimetres, origin_mm, to_mm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

__all__ = ["LATTICE_BITS", "LATTICE_MASK", "LatticeRings", "lattice_rings", "pack", "unpack"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LATTICE_BITS = 31
LATTICE_MASK = (1 << LATTICE_BITS) - 1


def pack(xy: Millimetres) -> Indices:
    """Pack lattice points (n, 2) into one number each; they sort by x, then y."""
    keys: Indices = (xy[:, 0] << LATTICE_BITS) | xy[:, 1]
    return keys


def unpack(keys: Indices) -> Millimetres:
    """Return the lattice points of packed numbers, shape (n, 2)."""
    return np.column_stack((keys >> LATTICE_BITS, keys & LATTICE_MASK))


@dataclass(frozen=True, slots=True, eq=False)
class LatticeRings:
    """Rings of polygons, every edge walked with its polygon on the left.

    Attributes
    ----------
    tail, head
        Packed end points of the edges, ring by ring; edges of no length are gone.
    vertex
        Position among all coordinates of the vertex with which the edge begins in the file.
    length, owner, is_hole, is_reversed
        Of each ring: its edges, its polygon, whether it bounds a hole, and whether the file walks
        it the other way round, so that its edges come in the opposite order.
    origin
        Lower left corner in whole millimetres, shape (2,).
    twice_area
        Twice each polygon's area in square millimetres, exact.
    """

    tail: Indices
    head: Indices
    vertex: Indices
    length: Indices
    owner: Indices
    is_hole: Flags
    is_reversed: Flags
    origin: Millimetres
    twice_area: Millimetres

    @property
    def edge_owner(self) -> Indices:
        """The polygon of every edge."""
        return np.repeat(self.owner, self.length)

    def span(self, start: int, stop: int) -> LatticeRings:
        """Return the rings of neighbouring polygons, sharing memory."""
        first, last = np.searchsorted(self.owner, [start, stop])
        low, high = int(self.length[:first].sum()), int(self.length[:last].sum())
        edges, rings = slice(low, high), slice(int(first), int(last))
        return replace(
            self,
            tail=self.tail[edges],
            head=self.head[edges],
            vertex=self.vertex[edges],
            length=self.length[rings],
            owner=self.owner[rings],
            is_hole=self.is_hole[rings],
            is_reversed=self.is_reversed[rings],
        )

    def of(self, polygons: Flags) -> tuple[LatticeRings, Indices]:
        """Return the rings of some polygons, and the positions of their edges among all."""
        kept = polygons[self.owner]
        edges = np.flatnonzero(np.repeat(kept, self.length))
        some = replace(
            self,
            tail=self.tail[edges],
            head=self.head[edges],
            vertex=self.vertex[edges],
            length=self.length[kept],
            owner=self.owner[kept],
            is_hole=self.is_hole[kept],
            is_reversed=self.is_reversed[kept],
        )
        return some, edges


def _ring_lengths(shapes: npt.NDArray[np.object_]) -> tuple[Indices, Indices, Flags]:
    """Return coordinates, polygon and kind of every ring, in the order of the coordinates."""
    plain = (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON) & (
        shapely.get_num_interior_rings(shapes) == 0
    )
    # Ring objects are made for polygons with holes or parts only: most cells are one ring.
    others = np.flatnonzero(~plain)
    parts, part_owner = shapely.get_parts(shapes[others], return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    rings_of = np.ones(len(shapes), dtype=np.int64)
    rings_of[others] = np.bincount(part_owner[ring_part], minlength=len(others))
    owner = np.repeat(np.arange(len(shapes)), rings_of)
    is_other = ~plain[owner]
    length = np.empty(len(owner), dtype=np.int64)
    length[~is_other] = shapely.get_num_coordinates(shapes)[plain]
    length[is_other] = shapely.get_num_coordinates(rings)
    is_hole = np.zeros(len(owner), dtype=np.bool_)
    is_hole[np.flatnonzero(is_other)[1:]] = ring_part[1:] == ring_part[:-1]
    kept = length > 0
    return length[kept], owner[kept], is_hole[kept]


def lattice_rings(
    polygons: npt.NDArray[np.object_] | Sequence[BaseGeometry],
    *,
    origin: Millimetres | None = None,
    whole: Millimetres | None = None,
) -> LatticeRings:
    """Walk the rings of polygons and multipolygons in metres; empty ones have none.

    Parameters
    ----------
    polygons
        In metres.
    origin
        Lower left corner to count from; theirs when absent.
    whole
        Their coordinates in whole millimetres, where they are known already.
    """
    shapes = np.asarray(polygons, dtype=object)
    counts, owner, is_hole = _ring_lengths(shapes)
    whole = to_mm(shapely.get_coordinates(shapes)) if whole is None else whole
    base = origin_mm(whole) if origin is None else origin
    xy = whole - base
    key = pack(xy)
    is_edge = np.empty(len(key), dtype=np.bool_)
    is_edge[:-1] = key[1:] != key[:-1]
    is_edge[np.cumsum(counts) - 1] = False
    vertex = np.flatnonzero(is_edge)
    length, area = _measure(xy, is_edge, counts)
    is_reversed = (area < 0) != is_hole
    tail, head = key[vertex], key[vertex + 1]
    if is_reversed.any():
        swap = np.repeat(is_reversed, length)
        tail, head = np.where(swap, head, tail), np.where(swap, tail, head)
    total = np.zeros(len(shapes), dtype=np.int64)
    np.add.at(total, owner, np.where(is_hole, -1, 1) * np.abs(area))
    return LatticeRings(tail, head, vertex, length, owner, is_hole, is_reversed, base, total)


def _measure(xy: Millimetres, is_edge: Flags, counts: Indices) -> tuple[Indices, Millimetres]:
    """Return edges and twice the signed area of closed rings.

    Partial sums may wrap past 64 bits; the total of a ring fits, so wrapping cancels out.
    """
    if not len(counts):
        return counts, counts
    stops = np.cumsum(counts)
    x, y = xy[:, 0], xy[:, 1]
    cross = np.zeros(len(xy), dtype=np.int64)
    cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # From the last vertex of a ring to the first of the next there is no edge.
    cross[stops - 1] = 0
    starts = stops - counts
    return np.add.reduceat(is_edge, starts, dtype=np.int64), np.add.reduceat(cross, starts)
