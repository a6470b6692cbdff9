"""Cut faces again along more lines, noding only where the new lines come near something.

Most new lines meet nothing but each other's ends and go into the faces as they are. A piece that
passes within a lattice cell of a vertex is bent through it, as snap rounding would; only groups of
pieces in which two cross are left to the full noding. What comes out is checked exactly, and the
whole cut is noded in full where the check fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.planar.edges import dissolve
from geogrid.planar.lattice import GRID_M, origin_mm, round_coordinates, to_mm
from geogrid.planar.noding import as_multipolygon, cut_faces, line_work
from geogrid.planar.rings import lattice_rings, pack

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon

__all__ = ["cut_again"]

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Metres = npt.NDArray[np.float64]

# Bending moves a piece by at most half the diagonal of a lattice cell: two pieces further apart
# than twice that never meet.
_BENT_MM, _NEAR_MM = 0.71, 2.0
# A line goes on where no more pieces than this meet.
_GOES_ON = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Straight pieces of lines on the lattice, each once.

    Attributes
    ----------
    xy
        Vertices in whole millimetres from a corner of their own, shape (vertices, 2).
    metres
        The same in metres as they are stored.
    tail, head
        Vertex numbers of each piece.
    line
        The line that each is a part of; pieces of one line follow each other.
    is_new
        True for those of new lines.
    """

    xy: Indices
    metres: Metres
    tail: Indices
    head: Indices
    line: Indices
    is_new: Flags

    @classmethod
    def of(cls, rings: Shapes, lines: Shapes) -> _Pieces:
        """Take rings and lines apart; a piece that occurs again counts for the ring."""
        metres, line = shapely.get_coordinates(np.concatenate((rings, lines)), return_index=True)
        metres = round_coordinates(metres)
        whole = to_mm(metres)
        whole -= origin_mm(whole)
        _, first, place = np.unique(pack(whole), return_index=True, return_inverse=True)
        start = np.flatnonzero(line[1:] == line[:-1])
        line = line[start]
        every = cls(
            whole[first], metres[first], place[start], place[start + 1], line, line >= len(rings)
        )
        return every.once()

    def once(self) -> _Pieces:
        """Return each piece at its first place, and none without length."""
        low, high = np.minimum(self.tail, self.head), np.maximum(self.tail, self.head)
        first = np.sort(np.unique(low * len(self.xy) + high, return_index=True)[1])
        return self.take(first[low[first] != high[first]])

    def take(self, rows: Indices | Flags) -> _Pieces:
        """Return some of the pieces."""
        return _Pieces(
            self.xy,
            self.metres,
            self.tail[rows],
            self.head[rows],
            self.line[rows],
            self.is_new[rows],
        )

    def bent(self, piece: Indices, place: Indices) -> _Pieces:
        """Lead pieces through further vertices, in the order in which they lie along them."""
        along = self.xy[self.head[piece]] - self.xy[self.tail[piece]]
        share = (along * (self.xy[place] - self.xy[self.tail[piece]])).sum(axis=1)
        order = np.lexsort((place, share, piece))
        stops = np.bincount(piece, minlength=len(self.tail))
        row = np.repeat(np.arange(len(stops)), stops + 1)
        # The piece's own head comes last, the vertices on the way fill the rest.
        is_last = np.diff(row, append=-1) != 0
        head = np.empty(len(row), dtype=np.int64)
        head[is_last], head[~is_last] = self.head, place[order]
        is_first = np.diff(row, prepend=-1) != 0
        tail = np.where(is_first, self.tail[row], np.roll(head, 1))
        parts = _Pieces(self.xy, self.metres, tail, head, self.line[row], self.is_new[row])
        return parts.once()

    def shapes(self) -> Shapes:
        """Return each piece as a line."""
        ends = np.stack((self.tail, self.head), axis=1)
        return np.asarray(shapely.linestrings(self.metres[ends]), dtype=object)

    def runs(self, is_node: Flags) -> Shapes:
        """Return lines through pieces that follow each other, ending at the nodes."""
        goes_on = (self.head[:-1] == self.tail[1:]) & (self.line[:-1] == self.line[1:])
        goes_on &= ~is_node[self.tail[1:]]
        is_last = np.ones(len(self.tail), dtype=bool)
        is_last[:-1] = ~goes_on
        run = np.cumsum(is_last) - is_last
        # The tail of every piece, and behind the last of each run its head.
        at = np.arange(len(run)) + run
        vertex = np.empty(len(run) + is_last.sum(), dtype=np.int64)
        whose = np.empty_like(vertex)
        vertex[at], whose[at] = self.tail, run
        vertex[at[is_last] + 1], whose[at[is_last] + 1] = self.head[is_last], run[is_last]
        return np.asarray(shapely.linestrings(self.metres[vertex], indices=whose), dtype=object)


def cut_again(limit: MultiPolygon, faces: Shapes, lines: Shapes) -> tuple[Shapes, MultiPolygon]:
    """Cut the faces of a limit along more lines.

    Parameters
    ----------
    limit
        As it was noded with the faces.
    faces
        Polygons that fill it, on the lattice, their borders vertex for vertex the same.
    lines
        Line strings in metres.

    Returns
    -------
    faces : ndarray of Polygon
    noded : MultiPolygon
        As from :func:`~geogrid.planar.noding.cut_faces`.
    """
    rings = line_work(faces)
    found = shapely.get_parts(shapely.polygonize(_noded(_Pieces.of(rings, lines))))
    shapely.prepare(limit)
    found = found[shapely.contains(limit, shapely.point_on_surface(found))]
    found = shapely.transform(found, round_coordinates)
    united = dissolve(found, np.zeros(len(found), dtype=np.int64))
    whole = as_multipolygon(united[0]) if len(united) else shapely.MultiPolygon()
    # Valid faces whose borders cancel but for a valid outline cover it once, without a gap. The
    # limit may bend at its new nodes.
    is_whole = abs(whole.area - limit.area) <= GRID_M * limit.length and whole.is_valid
    is_once = lattice_rings(found).twice_area.sum() == lattice_rings([whole]).twice_area.sum()
    if is_whole and is_once and shapely.is_valid(found).all():
        return found, whole
    return cut_faces(limit, np.concatenate((rings, lines)))


def _noded(pieces: _Pieces) -> Shapes:
    """Return lines that meet at their ends only."""
    near = _nearness(pieces)
    plain = np.flatnonzero(~near.is_tangled)
    number = np.full(len(pieces.tail), -1, dtype=np.int64)
    number[plain] = np.arange(len(plain))
    bends = number[near.bent]
    smooth = pieces.take(plain).bent(bends[bends >= 0], near.through[bends >= 0])
    tangle = pieces.take(np.flatnonzero(near.is_tangled))
    ends = np.concatenate((smooth.tail, smooth.head))
    is_node = np.bincount(ends, minlength=len(pieces.xy)) != _GOES_ON
    is_node[tangle.tail] = is_node[tangle.head] = True
    untangled = shapely.union_all(tangle.shapes(), grid_size=GRID_M)
    lines: Shapes = np.concatenate((smooth.runs(is_node), shapely.get_parts([untangled])))
    return lines


@dataclass(frozen=True, slots=True, eq=False)
class _Nearness:
    """Where pieces come near each other elsewhere than at a common end.

    Attributes
    ----------
    is_tangled
        True for the pieces of every group in which two cross.
    bent, through
        Pieces and the vertices within a lattice cell of them.
    """

    is_tangled: Flags
    bent: Indices
    through: Indices


def _nearness(pieces: _Pieces) -> _Nearness:
    one, other = _pairs(pieces)
    ends = pieces.tail[one], pieces.head[one], pieces.tail[other], pieces.head[other]
    a, b, c, d = ends
    crosses = _is_across(pieces.xy, *ends)
    linked, bends = crosses.copy(), np.zeros(len(one), dtype=bool)
    bent, through = [], []
    for place, piece, start, end in (
        (a, other, c, d),
        (b, other, c, d),
        (c, one, a, b),
        (d, one, a, b),
    ):
        metres = np.where((place == start) | (place == end), np.inf, 0.0)
        rows = np.flatnonzero(metres == 0)
        metres[rows] = _millimetres(pieces.xy, place[rows], start[rows], end[rows])
        linked |= metres <= _NEAR_MM
        is_bent = metres <= _BENT_MM
        bends |= is_bent
        bent.append(piece[is_bent])
        through.append(place[is_bent])
    count = len(pieces.tail)
    links = coo_array((linked[linked], (one[linked], other[linked])), shape=(count, count))
    groups, group = connected_components(links, directed=False)
    is_tangled = np.zeros(groups, dtype=bool)
    # A line that ends a hair beyond another crosses it no more once that is bent to its end.
    is_tangled[group[one[crosses & ~bends]]] = True
    # A vertex is met by several pieces.
    at = np.unique(np.concatenate(bent) * len(pieces.xy) + np.concatenate(through))
    return _Nearness(is_tangled[group], at // len(pieces.xy), at % len(pieces.xy))


def _pairs(pieces: _Pieces) -> tuple[Indices, Indices]:
    """Return pairs of pieces whose boxes come near, at least one of them new, each pair once."""
    ends = np.stack((pieces.xy[pieces.tail], pieces.xy[pieces.head]), axis=1)
    low, high = ends.min(axis=1), ends.max(axis=1) + _NEAR_MM
    boxes = np.asarray(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
    new = np.flatnonzero(pieces.is_new)
    one, other = shapely.STRtree(boxes).query(boxes[new])
    one = new[one]
    once = ~pieces.is_new[other] | (one < other)
    return one[once], other[once]


def _millimetres(xy: Indices, place: Indices, start: Indices, end: Indices) -> Metres:
    """Return how far places are from the straight pieces from start to end."""
    along = (xy[end] - xy[start]).astype(float)
    step = (xy[place] - xy[start]).astype(float)
    share = (along * step).sum(axis=1) / (along * along).sum(axis=1)
    rest = step - np.clip(share, 0, 1)[:, None] * along
    far: Metres = np.hypot(rest[:, 0], rest[:, 1])
    return far


def _is_across(xy: Indices, a: Indices, b: Indices, c: Indices, d: Indices) -> Flags:
    """Say which pieces a-b cross the pieces c-d, each between its ends."""
    across: Flags = (_side(xy, a, b, c) * _side(xy, a, b, d) < 0) & (
        _side(xy, c, d, a) * _side(xy, c, d, b) < 0
    )
    return across


def _side(xy: Indices, start: Indices, end: Indices, place: Indices) -> Indices:
    """Return on which side of a line places lie, exactly: 1 left, -1 right, 0 on it."""
    along, step = xy[end] - xy[start], xy[place] - xy[start]
    side: Indices = np.sign(along[:, 0] * step[:, 1] - along[:, 1] * step[:, 0])
    return side
