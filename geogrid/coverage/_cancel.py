"""Integer cancellation of directed edges, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

if TYPE_CHECKING:
    from geogrid.planar.edges import DirectedEdges
    from geogrid.planar.lattice import Millimetres

__all__ = ["Remainder", "cancel", "edge_lines", "left_over"]

Indices = npt.NDArray[np.int64]

# Odd numbers without pattern: equal pairs of numbers stay equal, different ones hardly meet.
_MIX, _MIX_TOO = np.int64(-7046029254386353131), np.int64(-4417276706812531889)


@dataclass(frozen=True, eq=False)
class Remainder:
    """What cancelling leaves.

    Attributes
    ----------
    edges
        Edges of the polygons that matter, split where vertices lie on them; the limit's owner is
        the last one.
    left
        Positions of the directed edges left over.
    splits
        Owner of an edge, owner of the vertex exactly on it, and that vertex: shape (n, 4).
    limit_shift_mm
        How far the limit moved to meet the cells' vertices.
    """

    edges: DirectedEdges
    left: Indices
    splits: Millimetres
    limit_shift_mm: float

    @property
    def ends(self) -> Millimetres:
        """End points of the left-over edges in whole millimetres, shape (n, 2, 2)."""
        tail, head = self.edges.tail[self.left], self.edges.head[self.left]
        return np.stack((self.edges.xy[tail], self.edges.xy[head]), axis=1)

    @cached_property
    def lines(self) -> npt.NDArray[np.object_]:
        """The left-over edges as line strings in whole millimetres."""
        return edge_lines(self.edges, self.left)


def edge_lines(edges: DirectedEdges, positions: Indices) -> npt.NDArray[np.object_]:
    """Return edges as line strings in whole millimetres."""
    ends = np.stack((edges.xy[edges.tail[positions]], edges.xy[edges.head[positions]]), axis=1)
    return np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)


def left_over(tail: Indices, head: Indices, is_limit: npt.NDArray[np.bool_]) -> tuple[Indices, int]:
    """Return which directed edges do not sum to zero, and the number of undirected ones.

    Parameters
    ----------
    tail, head
        Their ends as whole numbers that are equal exactly for equal places.
    is_limit
        One flag an edge: it is subtracted.
    """
    if not len(tail):
        return tail, 0
    is_forward = tail < head
    low, high = np.where(is_forward, tail, head), np.where(is_forward, head, tail)
    order, first = _groups(low, high)
    signed = np.where(is_forward != is_limit, 1, -1)
    sums = np.add.reduceat(signed[order], first)
    is_open = np.repeat(sums != 0, np.diff(first, append=len(order)))
    return np.sort(order[is_open]), len(first)


def _groups(low: Indices, high: Indices) -> tuple[Indices, Indices]:
    """Sort pairs of numbers so that equal ones are together; return the order and group starts.

    One sort by a mixed number brings equal pairs together; the position rides in its low bits, for
    values sort faster than positions by value. Then the pairs themselves are compared: if two
    different ones were mixed to the same number, both numbers are sorted instead.
    """
    mask = (1 << len(low).bit_length()) - 1
    mixed = ((low * _MIX) ^ (high * _MIX_TOO)) & ~mask | np.arange(len(low))
    mixed.sort()
    order = mixed & mask
    starts = _starts(low[order], high[order])
    if np.count_nonzero(starts) != np.count_nonzero(_starts(mixed & ~mask)):
        order = np.lexsort((high, low))
        starts = _starts(low[order], high[order])
    return order, np.flatnonzero(starts)


def _starts(*columns: Indices) -> npt.NDArray[np.bool_]:
    is_start = np.ones(len(columns[0]), dtype=np.bool_)
    is_start[1:] = False
    for column in columns:
        is_start[1:] |= column[1:] != column[:-1]
    return is_start


def _vertices_on_edges(
    edges: DirectedEdges, left: Indices, may_move: npt.NDArray[np.bool_]
) -> tuple[Indices, Indices, npt.NDArray[np.float64]]:
    """Find left-over vertices on left-over edges: exactly, or in the pixel if the edge may move.

    Returns
    -------
    edge, vertex, shift
        Position of the edge, number of the vertex, and its distance from the edge in millimetres.
    """
    numbers = np.unique(np.concatenate((edges.tail[left], edges.head[left])))
    tree = shapely.STRtree(edge_lines(edges, left))
    points = shapely.points(edges.xy[numbers].astype(np.float64))
    point, line = tree.query(points, predicate="dwithin", distance=1.0)
    edge, vertex = left[line], numbers[point]
    along = edges.xy[edges.head[edge]] - edges.xy[edges.tail[edge]]
    to = edges.xy[vertex] - edges.xy[edges.tail[edge]]
    cross = along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0]
    dot = (along * to).sum(axis=1)
    between = (dot > 0) & (dot < (along * along).sum(axis=1))
    # The open pixel round a vertex reaches half a step each way.
    in_pixel = 2 * np.abs(cross) < np.abs(along).sum(axis=1)
    hit = between & ((cross == 0) | (may_move[edges.owner[edge]] & in_pixel))
    shift = np.abs(cross[hit]) / np.hypot(along[hit, 0], along[hit, 1])
    return edge[hit], vertex[hit], shift


def _split(
    edges: DirectedEdges, left: Indices, edge: Indices, vertex: Indices
) -> tuple[DirectedEdges, Indices]:
    """Split edges at vertices; return all edges, and which of them may still be left over."""
    along = edges.xy[edges.head[edge]] - edges.xy[edges.tail[edge]]
    position = (along * (edges.xy[vertex] - edges.xy[edges.tail[edge]])).sum(axis=1)
    order = np.lexsort((position, edge))
    edge, vertex = edge[order], vertex[order]
    is_first = np.r_[True, edge[1:] != edge[:-1]]
    is_last = np.r_[is_first[1:], True]
    after = np.where(is_last, edges.head[edge], np.r_[vertex[1:], -1])
    is_kept = np.ones(len(edges.tail), dtype=bool)
    is_kept[edge] = False
    whole = replace(
        edges,
        tail=np.concatenate((edges.tail[is_kept], edges.tail[edge[is_first]], vertex)),
        head=np.concatenate((edges.head[is_kept], vertex[is_first], after)),
        owner=np.concatenate(
            (edges.owner[is_kept], edges.owner[edge[is_first]], edges.owner[edge])
        ),
    )
    renumbered = np.cumsum(is_kept) - 1
    unsplit = renumbered[left[is_kept[left]]]
    new = np.arange(int(is_kept.sum()), len(whole.tail))
    return whole, np.concatenate((unsplit, new))


def cancel(
    edges: DirectedEdges,
    left: Indices,
    is_limit: npt.NDArray[np.bool_],
    *,
    may_limit_move: bool,
) -> Remainder:
    """Split left-over edges at the vertices on them, and cancel what then agrees.

    Parameters
    ----------
    edges
        Of all polygons that matter, cells and limit together, on one set of vertices.
    left
        Those that did not cancel.
    is_limit
        One flag a polygon: its edges are subtracted.
    may_limit_move
        Whether the limit's edges give way to cell vertices in whose pixel they pass.
    """
    splits = np.zeros((0, 4), dtype=np.int64)
    shift = 0.0
    if len(left):
        edge, vertex, shifts = _vertices_on_edges(edges, left, is_limit & may_limit_move)
        if len(edge):
            touching = _owner_of_vertex(edges, left, vertex)
            of_cells = ~is_limit[edges.owner[edge]] & ~is_limit[touching]
            rows = np.column_stack((edges.owner[edge], touching, edges.xy[vertex]))
            splits = np.unique(rows[of_cells], axis=0)
            shift = float(shifts.max())
            edges, left = _split(edges, left, edge, vertex)
            still = left_over(edges.tail[left], edges.head[left], is_limit[edges.owner[left]])[0]
            left = left[still]
    return Remainder(edges, left, splits, shift)


def _owner_of_vertex(edges: DirectedEdges, left: Indices, vertex: Indices) -> Indices:
    """Return the first polygon that has the vertex at an end of a left-over edge."""
    ends = np.concatenate((edges.tail[left], edges.head[left]))
    owners = np.tile(edges.owner[left], 2)
    order = np.lexsort((owners, ends))
    return owners[order[np.searchsorted(ends[order], vertex)]]
