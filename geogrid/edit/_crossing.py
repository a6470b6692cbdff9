"""Where a drawn line meets borders, by whole numbers: nodes for both."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geogrid.edit._ground import edge_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geogrid.edit._ground import EdgeKey, Point

__all__ = ["Crossings", "crossings", "edges_of", "on_edges"]

Indices = npt.NDArray[np.int64]

# A node is rounded by at most 0.71 mm, so a line through it passes that near.
_NEAR_MM = 1.0


class Crossings:
    """A line noded with edges: its own points, and the new nodes of each edge.

    Attributes
    ----------
    line
        The pieces of the line, each from node to node.
    nodes
        By edge key, the new nodes on it, from its lesser end.
    """

    def __init__(self) -> None:
        self.line: list[tuple[Point, Point]] = []
        self.nodes: dict[EdgeKey, list[Point]] = {}


def crossings(
    pieces: Sequence[tuple[Point, Point]], edges: Iterable[EdgeKey], snap_mm: float
) -> Crossings:
    """Node straight pieces with edges.

    Parameters
    ----------
    pieces
        From point to point, in whole millimetres.
    edges
        Keys of the edges.
    snap_mm
        A node this near to the end of an edge is that end.
    """
    keys = sorted(set(edges))
    found = Crossings()
    on_edge: dict[EdgeKey, set[Point]] = {}
    ends = np.array(keys, dtype=np.int64).reshape(-1, 2, 2)
    # An end of the line near a vertex is that vertex, for all pieces that end there.
    corners = {corner for key in keys for corner in key}
    moved = _snapped_ends(pieces, corners, snap_mm)
    for one, other in pieces:
        start, stop = moved.get(one, one), moved.get(other, other)
        if start == stop:
            continue
        on_line: set[Point] = {start, stop}
        for key in _meeting(keys, ends, start, stop):
            _meet(start, stop, key, snap_mm, on_line, on_edge)
        ordered = sorted(on_line, key=lambda at: _along(start, stop, at))
        found.line += [pair for pair in pairwise(ordered) if pair[0] != pair[1]]
    for key, held in on_edge.items():
        inner = sorted(held - set(key), key=lambda at: _along(*key, at))
        if inner:
            found.nodes[key] = inner
    return found


def _snapped_ends(
    pieces: Sequence[tuple[Point, Point]], corners: set[Point], snap_mm: float
) -> dict[Point, Point]:
    ends = {end for piece in pieces for end in piece}
    if not corners or not ends:
        return {}
    places = np.array(sorted(corners), dtype=np.int64)
    moved = {}
    for end in ends:
        far = np.hypot(*(places - np.array(end)).T.astype(np.float64))
        at = int(far.argmin())
        if far[at] <= max(snap_mm, _NEAR_MM):
            x, y = places[at].tolist()
            moved[end] = (x, y)
    return moved


def _meeting(keys: list[EdgeKey], ends: Indices, start: Point, stop: Point) -> list[EdgeKey]:
    """Return the edges whose bounds meet those of a piece."""
    if not keys:
        return []
    here = np.array((start, stop), dtype=np.int64)
    low, high = here.min(axis=0) - 1, here.max(axis=0) + 1
    meets = ((ends.min(axis=1) <= high) & (ends.max(axis=1) >= low)).all(axis=1)
    return [keys[at] for at in np.flatnonzero(meets).tolist()]


def _meet(
    start: Point,
    stop: Point,
    key: EdgeKey,
    snap_mm: float,
    on_line: set[Point],
    on_edge: dict[EdgeKey, set[Point]],
) -> None:
    """Add the nodes that a piece and an edge have in common to both."""
    low, high = key
    is_there = False
    for corner in key:
        if _is_on(start, stop, corner):
            on_line.add(corner)
            is_there = True
    for end in (start, stop):
        if _is_on(low, high, end):
            on_edge.setdefault(key, set()).add(end)
            is_there = True
    if is_there:
        return
    one, two = _side(start, stop, low), _side(start, stop, high)
    three, four = _side(low, high, start), _side(low, high, stop)
    if (one > 0) == (two > 0) or (three > 0) == (four > 0):
        return
    # Whole numbers of any size: no digit is lost before the one rounding.
    span = one - two
    node = (
        _rounded(low[0] * span + (high[0] - low[0]) * one, span),
        _rounded(low[1] * span + (high[1] - low[1]) * one, span),
    )
    nearest = min(key, key=lambda corner: _far(corner, node))
    if _far(nearest, node) <= snap_mm:
        node = nearest
    for end in (start, stop):
        if _far(end, node) <= _NEAR_MM:
            node = end
    on_line.add(node)
    on_edge.setdefault(key, set()).add(node)


def on_edges(place: Point, edges: Iterable[EdgeKey]) -> list[EdgeKey]:
    """Return the edges that pass exactly through a point without a vertex there."""
    return [
        key
        for key in edges
        if place not in key and not _side(*key, place) and 0 < _along(*key, place) < _square(*key)
    ]


def _is_on(one: Point, other: Point, place: Point) -> bool:
    """Tell whether a point lies on a piece, to the rounding of a node."""
    if place in (one, other):
        return True
    if not 0 < _along(one, other, place) < _square(one, other):
        return False
    return abs(_side(one, other, place)) <= _NEAR_MM * math.sqrt(_square(one, other))


def _side(one: Point, other: Point, place: Point) -> int:
    return (other[0] - one[0]) * (place[1] - one[1]) - (other[1] - one[1]) * (place[0] - one[0])


def _along(one: Point, other: Point, place: Point) -> int:
    return (other[0] - one[0]) * (place[0] - one[0]) + (other[1] - one[1]) * (place[1] - one[1])


def _square(one: Point, other: Point) -> int:
    return (other[0] - one[0]) ** 2 + (other[1] - one[1]) ** 2


def _far(one: Point, other: Point) -> float:
    return math.sqrt(_square(one, other))


def _rounded(over: int, under: int) -> int:
    """Return the whole number next to a fraction."""
    if under < 0:
        over, under = -over, -under
    return (2 * over + under) // (2 * under)


def edges_of(rings: Iterable[Sequence[Point]]) -> list[EdgeKey]:
    """Return the keys of the edges of open rings."""
    return [edge_key(ring[at - 1], ring[at]) for ring in rings for at in range(len(ring))]
