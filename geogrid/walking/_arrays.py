"""The arrays that the compiled loops work on, by what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Desk", "Graph", "Homes", "Rows", "Starts", "Tally"]


class Graph(NamedTuple):
    """Edges, and the edges at each node: ``edge[start[n]:start[n + 1]]``.

    ``metres`` is what the walk along the edge to the ``other`` node costs, infinite against a
    one-way; ``is_v`` tells whether the node is the end of the edge. ``along`` and ``against`` are
    the cost of one metre in and against the direction of an edge.
    """

    start: NDArray[np.int64]
    edge: NDArray[np.int32]
    other: NDArray[np.int32]
    metres: NDArray[np.float64]
    is_v: NDArray[np.bool_]
    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length: NDArray[np.float64]
    oneway: NDArray[np.bool_]
    along: NDArray[np.float64]
    against: NDArray[np.float64]


class Starts(NamedTuple):
    """Where walks begin: edge, metres from its start, leg."""

    edge: NDArray[np.int64]
    position: NDArray[np.float64]
    leg: NDArray[np.float64]


class Desk(NamedTuple):
    """Scratch of a search; what carries another stamp than the spot's is old.

    ``places`` has two to the power of ``half`` and one more places, which is about as many as the
    root of the number of edges: so edges are sorted in two passes of counting.
    """

    stamp: NDArray[np.int32]
    metres: NDArray[np.float64]
    touched: NDArray[np.int32]
    heap_key: NDArray[np.float64]
    heap_node: NDArray[np.int32]
    edge_stamp: NDArray[np.int32]
    edge_row: NDArray[np.int64]
    edges: NDArray[np.int64]
    spare: NDArray[np.int64]
    places: NDArray[np.int64]
    half: int


class Rows(NamedTuple):
    """Edges in reach, one row a spot and edge; see ``EdgeReach``."""

    spot: NDArray[np.int64]
    edge: NDArray[np.int64]
    from_u: NDArray[np.float64]
    from_v: NDArray[np.float64]
    own_position: NDArray[np.float64]
    own_leg: NDArray[np.float64]


class Homes(NamedTuple):
    """Households sorted by edge: those of edge ``e`` are ``start[e]:start[e + 1]``."""

    start: NDArray[np.int64]
    position: NDArray[np.float64]
    leg: NDArray[np.float64]
    households: NDArray[np.int64]


class Tally(NamedTuple):
    """What is counted: all per limit and household, ``load`` per limit and station."""

    reached: NDArray[np.int64]
    only: NDArray[np.int64]
    metres: NDArray[np.float64]
    nearest: NDArray[np.int64]
    load: NDArray[np.int64]
