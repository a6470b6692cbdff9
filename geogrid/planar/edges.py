"""Directed edges of polygons on the millimetre lattice: who borders whom, what is left over.

Every ring is walked with its polygon on the left: shells counter-clockwise, holes clockwise. Two
polygons that share a border then walk it in opposite directions, and the two walks cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.rings import LatticeRings, lattice_rings, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from geogrid.planar.lattice import Millimetres

__all__ = ["DirectedEdges", "RookPairs", "directed_edges", "dissolve", "numbered", "rook_pairs"]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DirectedEdges:
    """Edges of polygons, each walked with its polygon on the left.

    Attributes
    ----------
    tail, head
        Vertex numbers, shape (edges,).
    owner
        Position of the polygon that walks the edge.
    xy
        Vertex coordinates in whole millimetres from ``origin``, shape (vertices, 2).
    origin
        Lower left corner in whole millimetres, shape (2,).
    twice_area
        Twice each polygon's area in square millimetres, exact.
    """

    tail: Indices
    head: Indices
    owner: Indices
    xy: Millimetres
    origin: Millimetres
    twice_area: Millimetres

    def undirected(self) -> tuple[Indices, npt.NDArray[np.int8]]:
        """Return one key an edge, equal for both directions, and +1 or -1 for the direction."""
        forward = self.tail < self.head
        low = np.where(forward, self.tail, self.head)
        high = np.where(forward, self.head, self.tail)
        return low * len(self.xy) + high, np.where(forward, 1, -1).astype(np.int8)

    def metres(self, edges: Indices) -> npt.NDArray[np.float64]:
        """Return edge lengths in metres."""
        span = (self.xy[self.head[edges]] - self.xy[self.tail[edges]]).astype(np.float64)
        lengths: npt.NDArray[np.float64] = np.hypot(span[:, 0], span[:, 1]) / 1000
        return lengths


def directed_edges(
    polygons: npt.NDArray[np.object_] | Sequence[BaseGeometry],
    *,
    origin: Millimetres | None = None,
) -> DirectedEdges:
    """Walk the rings of polygons and multipolygons in metres; empty ones have no edges."""
    return numbered(lattice_rings(polygons, origin=origin))


def numbered(rings: LatticeRings) -> DirectedEdges:
    """Give every place on rings a number, the same where rings meet."""
    unique, tail = np.unique(rings.tail, return_inverse=True)
    # Rings close, so that the head of each edge is the tail of another in its ring.
    stops = np.cumsum(rings.length)
    step = np.repeat(np.where(rings.is_reversed, -1, 1), rings.length)
    neighbour = np.arange(len(tail)) + step
    filled = rings.length > 0
    first, last = (stops - rings.length)[filled], stops[filled] - 1
    is_reversed = rings.is_reversed[filled]
    neighbour[np.where(is_reversed, first, last)] = np.where(is_reversed, last, first)
    owner = rings.edge_owner
    return DirectedEdges(
        tail, tail[neighbour], owner, unpack(unique), rings.origin, rings.twice_area
    )


@dataclass(frozen=True, slots=True, eq=False)
class RookPairs:
    """Neighbours over a common border of positive length.

    Attributes
    ----------
    left, right
        Positions of the two polygons, ``left < right``, one row a pair.
    shared_m
        Metres of their common border.
    edge_pair, edge_xy
        For every common border piece the row of its pair, and its two end points in metres,
        shape (pieces, 2, 2).
    """

    left: Indices
    right: Indices
    shared_m: npt.NDArray[np.float64]
    edge_pair: Indices
    edge_xy: npt.NDArray[np.float64]


def rook_pairs(polygons: npt.NDArray[np.object_] | Sequence[BaseGeometry]) -> RookPairs:
    """Find the neighbours in a coverage whose borders match vertex for vertex."""
    edges = directed_edges(polygons)
    key, _ = edges.undirected()
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    one, other = order[same], order[same + 1]
    left = np.minimum(edges.owner[one], edges.owner[other])
    right = np.maximum(edges.owner[one], edges.owner[other])
    apart = left != right
    one, left, right = one[apart], left[apart], right[apart]
    count = len(polygons)
    pair, edge_pair = np.unique(left * count + right, return_inverse=True)
    shared = np.bincount(edge_pair, weights=edges.metres(one), minlength=len(pair)).astype(float)
    ends = np.stack((edges.xy[edges.tail[one]], edges.xy[edges.head[one]]), axis=1)
    return RookPairs(pair // count, pair % count, shared, edge_pair, (ends + edges.origin) / 1000)


def dissolve(polygons: npt.NDArray[np.object_], groups: Indices) -> npt.NDArray[np.object_]:
    """Unite the polygons of each group 0 … n-1 of a coverage, keeping every border vertex."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    cuts = np.flatnonzero(np.diff(ordered)) + 1
    united: list[Any] = [
        shapely.coverage_union_all(polygons[rows]) if len(rows) > 1 else polygons[rows[0]]
        for rows in np.split(order, cuts)
        if len(rows)
    ]
    result = np.empty(len(united), dtype=object)
    result[:] = united
    return result
