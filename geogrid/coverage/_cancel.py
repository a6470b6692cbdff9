"""Integer cancellation of directed edges, and what is left over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

if TYPE_CHECKING:
    from geogrid.planar.edges import DirectedEdges
    from geogrid.planar.lattice import Millimetres

__all__ = ["Remainder", "cancel", "edge_lines", "subset"]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Remainder:
    """What cancelling leaves.

    Attributes
    ----------
    edges
        All edges, split where vertices lie on them; the limit's owner is the last one.
    left
        Positions of the directed edges left over.
    undirected
        How many undirected edges all polygons had together.
    splits
        Owner of an edge, owner of the vertex exactly on it, and that vertex: shape (n, 4).
    limit_shift_mm
        How far the limit moved to meet the cells' vertices.
    """

    edges: DirectedEdges
    left: Indices
    undirected: int
    splits: Millimetres
    limit_shift_mm: float

    @property
    def lines(self) -> npt.NDArray[np.object_]:
        """The left-over edges as line strings in whole millimetres."""
        return edge_lines(self.edges, self.left)


def edge_lines(edges: DirectedEdges, positions: Indices) -> npt.NDArray[np.object_]:
    """Return edges as line strings in whole millimetres."""
    ends = np.stack((edges.xy[edges.tail[positions]], edges.xy[edges.head[positions]]), axis=1)
    return np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)


def subset(
    edges: DirectedEdges, keep: npt.NDArray[np.bool_], *, owner: Indices | None = None
) -> DirectedEdges:
    """Return some of the edges, with new owners where given."""
    owners = edges.owner[keep] if owner is None else owner
    return replace(edges, tail=edges.tail[keep], head=edges.head[keep], owner=owners)


def _left_over(
    edges: DirectedEdges, among: Indices, is_limit: npt.NDArray[np.bool_]
) -> tuple[Indices, int]:
    """Return which edges ``among`` all do not sum to zero, and the number of undirected ones."""
    key, sign = edges.undirected()
    key, sign = key[among], sign[among]
    if not len(key):
        return among, 0
    signed = np.where(is_limit[edges.owner[among]], -sign, sign).astype(np.int64)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sums = np.add.reduceat(signed[order], first)
    run = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(key)]))
    return among[np.sort(order[sums[run] != 0])], len(first)


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
    edges: DirectedEdges, is_limit: npt.NDArray[np.bool_], *, may_limit_move: bool
) -> Remainder:
    """Cancel the edges of cells against each other and against the limit.

    Parameters
    ----------
    edges
        Of all polygons, cells and limit together, on one set of vertices.
    is_limit
        One flag a polygon: its edges are subtracted.
    may_limit_move
        Whether the limit's edges give way to cell vertices in whose pixel they pass.
    """
    left, undirected = _left_over(edges, np.arange(len(edges.tail)), is_limit)
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
            left = _left_over(edges, left, is_limit)[0]
    return Remainder(edges, left, undirected, splits, shift)


def _owner_of_vertex(edges: DirectedEdges, left: Indices, vertex: Indices) -> Indices:
    """Return the first polygon that has the vertex at an end of a left-over edge."""
    ends = np.concatenate((edges.tail[left], edges.head[left]))
    owners = np.tile(edges.owner[left], 2)
    order = np.lexsort((owners, ends))
    return owners[order[np.searchsorted(ends[order], vertex)]]
