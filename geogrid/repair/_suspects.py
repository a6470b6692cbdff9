"""Which cells to look at: those whose borders do not cancel, and what lies on their faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.edges import directed_edges

if TYPE_CHECKING:
    from geogrid.planar.lattice import Millimetres
    from geogrid.repair._ground import Ground

__all__ = ["Suspects", "on_pixel", "suspects"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Suspects:
    """What cancelling leaves.

    Attributes
    ----------
    rows
        Cells that own a left-over border piece, sorted.
    ends
        Both ends of every left-over piece, cells' and limit's, in whole millimetres from the
        ground's origin: shape (n, 2, 2).
    limit_ends
        The limit's edges that left-over pieces are part of, whole: shape (n, 2, 2). Noding pieces
        that gave way once would let them give way twice.
    """

    rows: Indices
    ends: Millimetres
    limit_ends: Millimetres

    @property
    def lines(self) -> npt.NDArray[np.object_]:
        """The left-over pieces as lines."""
        return np.asarray(shapely.linestrings(self.ends.astype(np.float64)), dtype=object)

    @property
    def limit_lines(self) -> npt.NDArray[np.object_]:
        """The limit's edges as lines."""
        return np.asarray(shapely.linestrings(self.limit_ends.astype(np.float64)), dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Directed border pieces between numbered vertices; the limit's owner is -1.

    ``source`` numbers the edges that the pieces were split from.
    """

    tail: Indices
    head: Indices
    owner: Indices
    source: Indices

    def pick(self, rows: Flags) -> _Pieces:
        return _Pieces(self.tail[rows], self.head[rows], self.owner[rows], self.source[rows])


def _uncancelled(pieces: _Pieces, vertices: int) -> Flags:
    """Tell which pieces have no partner that walks them the other way."""
    low = np.minimum(pieces.tail, pieces.head)
    key = low * vertices + np.maximum(pieces.tail, pieces.head)
    walks = np.where((pieces.tail < pieces.head) ^ (pieces.owner < 0), 1, -1)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    if not len(key):
        return np.zeros(0, dtype=np.bool_)
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sums = np.add.reduceat(walks[order], first)
    rest = np.zeros(len(key), dtype=np.bool_)
    rest[order] = np.repeat(sums != 0, np.diff(np.r_[first, len(key)]))
    return rest


def on_pixel(
    start: Millimetres, end: Millimetres, point: Millimetres, *, with_corner: bool = True
) -> tuple[Flags, Indices, Indices]:
    """Tell in whose pixel an edge passes between its ends.

    A pixel reaches half a lattice step each way. In the noding it holds its lower and its left
    side but not the others, so that an edge that touches it in the lower left corner alone passes
    it too; in a check such an edge passes it by.

    Parameters
    ----------
    start, end, point
        One row a pair of an edge and a point, shape (n, 2).
    with_corner
        Whether that corner counts.

    Returns
    -------
    passes, cross, along
        The answer; the cross product (0: exactly on the edge); the position along the edge.
    """
    span, to = end - start, point - start
    cross = span[:, 0] * to[:, 1] - span[:, 1] * to[:, 0]
    along = (span * to).sum(axis=1)
    between = (along > 0) & (along < (span * span).sum(axis=1))
    beyond = 2 * np.abs(cross) - np.abs(span).sum(axis=1)
    falls_below = (span[:, 0] * span[:, 1] < 0) & (cross * span[:, 0] > 0)
    in_pixel = (beyond < 0) | ((beyond == 0) & falls_below & with_corner)
    return between & in_pixel, cross, along


def _give_way(pieces: _Pieces, xy: Millimetres, is_locked: Flags) -> _Pieces:
    """Split the limit and locked cells at vertices of others in whose pixel they pass.

    The limit's vertices that lie exactly on a cell's edge split that edge as well: the cover is
    proven as it stands, so there is nothing to mend. A vertex of one free cell on another's edge
    splits nothing here: it is to be mended.
    """
    is_limit = pieces.owner < 0
    is_fixed = ~is_limit & is_locked[pieces.owner]
    if not (is_limit | is_fixed).any():
        return pieces
    of_limit, of_fixed, of_free = np.zeros((3, len(xy)), dtype=np.bool_)
    for ends in (pieces.tail, pieces.head):
        of_limit[ends[is_limit]] = True
        of_fixed[ends[is_fixed]] = True
        of_free[ends[~is_limit & ~is_fixed]] = True
    numbers = np.flatnonzero(of_limit | of_fixed | of_free)
    ends = xy[np.column_stack((pieces.tail, pieces.head))]
    lines = np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)
    tree = shapely.STRtree(lines)
    points = shapely.points(xy[numbers].astype(np.float64))
    at, piece = tree.query(points, predicate="dwithin", distance=1.0)
    vertex = numbers[at]
    passes, cross, along = on_pixel(ends[piece, 0], ends[piece, 1], xy[vertex], with_corner=False)
    of_cell = of_fixed[vertex] | of_free[vertex]
    of_other = of_free[vertex] | of_limit[vertex]
    exactly = of_limit[vertex] & (cross == 0)
    hit = passes & np.select([is_limit[piece], is_fixed[piece]], [of_cell, of_other], exactly)
    piece, vertex, along = piece[hit], vertex[hit], along[hit]
    order = np.lexsort((along, piece))
    return _split(pieces, piece[order], vertex[order])


def _split(pieces: _Pieces, piece: Indices, vertex: Indices) -> _Pieces:
    """Split pieces at vertices, given in the order of their way."""
    if not len(piece):
        return pieces
    is_first = np.r_[True, piece[1:] != piece[:-1]]
    is_last = np.r_[is_first[1:], True]
    following = np.where(is_last, pieces.head[piece], np.r_[vertex[1:], -1])
    whole = np.ones(len(pieces.tail), dtype=np.bool_)
    whole[piece] = False
    tail = (pieces.tail[whole], pieces.tail[piece[is_first]], vertex)
    head = (pieces.head[whole], vertex[is_first], following)
    origin = np.concatenate((np.flatnonzero(whole), piece[is_first], piece))
    return _Pieces(
        np.concatenate(tail), np.concatenate(head), pieces.owner[origin], pieces.source[origin]
    )


def suspects(ground: Ground, cells: npt.NDArray[np.object_], rows: Indices) -> Suspects:
    """Cancel the borders of cells against each other and the limit.

    Parameters
    ----------
    ground
        Limit, origin and who is locked.
    cells
        All cells in metres.
    rows
        Which of them take part.
    """
    shapes = np.append(cells[rows], [ground.limit_m])
    edges = directed_edges(shapes, origin=ground.origin)
    owner = np.append(rows, -1)[edges.owner]
    pieces = _Pieces(edges.tail, edges.head, owner, np.arange(len(owner)))
    vertices = len(edges.xy)
    pieces = pieces.pick(_uncancelled(pieces, vertices))
    pieces = _give_way(pieces, edges.xy, ground.is_locked)
    pieces = pieces.pick(_uncancelled(pieces, vertices))
    is_limit = pieces.owner < 0
    of_limit = np.unique(pieces.source[is_limit])
    return Suspects(
        np.unique(pieces.owner[~is_limit]),
        edges.xy[np.column_stack((pieces.tail, pieces.head))],
        edges.xy[np.column_stack((edges.tail[of_limit], edges.head[of_limit]))],
    )
