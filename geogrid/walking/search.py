"""Bounded shortest walks from spots to everything near them.

All of this module walks *away* from the spots. Walking *to* them is the same search on the
network with every edge turned round, see :meth:`Streets.turned`. The cost of a search follows what
is reached, never the size of the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.walking import _kernels
from geogrid.walking._arrays import Desk, Graph, Rows, Starts
from geogrid.walking._kernels import EPSILON_M

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from geogrid.walking.snap import Spots

__all__ = ["EPSILON_M", "EdgeReach", "Streets", "kernel", "search"]

# Rows of spot and edge that are held at a time, 48 bytes each.
_CHUNK_ROWS = 1_000_000

# Nodes and households that plain Python may visit in one process while nothing is compiled: about
# a second, where compiling takes four.
_PLAIN_VISITS = 60_000

_spent = [0]


def kernel(job: Any, visits: int) -> Callable[..., Any]:  # noqa: ANN401 - numba has no types
    """Return the compiled form of a loop, or the plain one while that is quicker.

    Parameters
    ----------
    job
        An entry of the compiled loops.
    visits
        About how many nodes or households it will visit.
    """
    if not _kernels.is_ready() and _spent[0] + visits <= _PLAIN_VISITS:
        _spent[0] += visits
        plain: Callable[..., Any] = job.py_func
        return plain
    compiled: Callable[..., Any] = job
    return compiled


@dataclass(frozen=True, kw_only=True, eq=False)
class Streets:
    """The edges of a network as the search needs them.

    Attributes
    ----------
    u, v, length_m, oneway
        Ends, metres and one-way marks of the edges.
    nodes
        How many nodes there are.
    along, against
        What a metre costs in and against the direction of each edge, in metres on level ground;
        ``None`` where the ground is taken to be level.
    """

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    oneway: NDArray[np.bool_]
    nodes: int
    along: NDArray[np.float64] | None = None
    against: NDArray[np.float64] | None = None
    # Several threads may search at once: each takes a scratch of its own, or makes one.
    scratch: list[_Scratch] = field(default_factory=list, init=False, repr=False)

    def turned(self) -> Streets:
        """Return the same streets with every edge running the other way."""
        return Streets(
            u=self.v,
            v=self.u,
            length_m=self.length_m,
            oneway=self.oneway,
            nodes=self.nodes,
            # The search goes back along a walk, so its steps cost what the walk itself does.
            along=self.along,
            against=self.against,
        )

    @cached_property
    def graph(self) -> Graph:
        """The arrays of the compiled loops, made once."""
        count = len(self.u)
        along, against = (
            np.ones(count) if cost is None else np.array(cost, dtype=float)
            for cost in (self.along, self.against)
        )
        node = np.concatenate([self.u, self.v])
        order = np.argsort(node, kind="stable")
        length = np.array(self.length_m, dtype=float)
        cost = np.concatenate([length * along, np.where(self.oneway, np.inf, length * against)])
        start = np.zeros(self.nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(node, minlength=self.nodes), out=start[1:])
        # Copies: the arrays of a network are read-only, which is another type to the loops.
        return Graph(
            start=start,
            edge=(order % max(count, 1)).astype(np.int32),
            other=np.concatenate([self.v, self.u])[order].astype(np.int32),
            metres=cost[order],
            is_v=order >= count,
            u=np.array(self.u, dtype=np.int32),
            v=np.array(self.v, dtype=np.int32),
            length=length,
            oneway=np.array(self.oneway, dtype=bool),
            along=along,
            against=against,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeReach:
    """Edges that spots may reach: one row a spot and edge.

    Attributes
    ----------
    spot, edge
        Row of the spot and of the edge; sorted by both.
    from_u, from_v
        Metres from the point behind the spot, its leg included, to the ends of the edge; infinite
        beyond the limit.
    own_position
        Where on the edge the spot itself lies; NaN on every other edge.
    own_leg
        The leg of the spot.
    """

    spot: NDArray[np.int64]
    edge: NDArray[np.int64]
    from_u: NDArray[np.float64]
    from_v: NDArray[np.float64]
    own_position: NDArray[np.float64]
    own_leg: NDArray[np.float64]

    @property
    def rows(self) -> Rows:
        """The arrays of the compiled loops."""
        return Rows(self.spot, self.edge, self.from_u, self.from_v, self.own_position, self.own_leg)

    @classmethod
    def concat(cls, parts: Sequence[EdgeReach]) -> EdgeReach:
        """Put tables one after the other; none give an empty one."""
        if not parts:
            return cls(**_fields(_empty_rows(0), 0))
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in Rows._fields
            }
        )


def search(streets: Streets, spots: Spots, limit_m: float) -> Iterator[EdgeReach]:
    """Yield what each spot reaches within ``limit_m``, some spots at a time.

    Spots off the network, or with a leg beyond the limit, give no row. One search at the largest
    limit serves all smaller ones.
    """
    live = np.flatnonzero(spots.is_on & (spots.leg_m <= limit_m + EPSILON_M)).astype(np.int64)
    graph = streets.graph
    job = kernel(_kernels.search_spots, len(live) * _nodes_within(streets, limit_m))
    starts = Starts(
        np.array(spots.edge, dtype=np.int64),
        np.array(spots.position_m, dtype=float),
        np.array(spots.leg_m, dtype=float),
    )
    try:
        scratch = streets.scratch.pop()
    except IndexError:
        scratch = _Scratch.of(streets)
    try:
        while len(live):
            given = starts, live, float(limit_m) + EPSILON_M, scratch.rows
            done, count = job(graph, scratch.desk, scratch.take_marks(len(live)), *given)
            live = live[done:]
            yield EdgeReach(**_fields(scratch.rows, count))
    finally:
        streets.scratch.append(scratch)


@dataclass(slots=True, kw_only=True)
class _Scratch:
    """Memory of a search, kept for the next one: new memory costs more than the search itself."""

    desk: Desk
    rows: Rows
    mark: int = 0

    @classmethod
    def of(cls, streets: Streets) -> _Scratch:
        rows = _empty_rows(max(_CHUNK_ROWS, len(streets.u)))
        return cls(desk=_new_desk(streets), rows=rows)

    def take_marks(self, spots: int) -> int:
        """Return the highest mark used so far, and take two for each spot."""
        if self.mark + 2 * spots + 2 > np.iinfo(np.int32).max:
            self.desk.stamp.fill(0)
            self.desk.edge_stamp.fill(0)
            self.mark = 0
        before = self.mark
        # The second mark of a spot is one more than its first.
        self.mark += 2 * spots + 2
        return before


def _nodes_within(streets: Streets, limit_m: float) -> int:
    """Estimate how many nodes a walk reaches: those of a square grid of streets as long."""
    mean_m = float(streets.length_m.mean()) if len(streets.length_m) else 0.0
    if not mean_m > 0:
        return streets.nodes
    return int(min(streets.nodes, 2 * (limit_m / mean_m + 1) ** 2))


def _new_desk(streets: Streets) -> Desk:
    nodes, edges = streets.nodes, len(streets.u)
    # A node comes onto the heap once for each edge that leads to it, and twice as a seed.
    heap = 2 * edges + 2
    half = (edges.bit_length() + 1) // 2
    return Desk(
        stamp=np.zeros(nodes, np.int32),
        metres=np.empty(nodes),
        touched=np.empty(nodes, np.int32),
        heap_key=np.empty(heap),
        heap_node=np.empty(heap, np.int32),
        edge_stamp=np.zeros(edges, np.int32),
        edge_row=np.empty(edges, np.int64),
        edges=np.empty(edges, np.int64),
        spare=np.empty(edges, np.int64),
        places=np.empty(2**half + 1, np.int64),
        half=half,
    )


def _empty_rows(size: int) -> Rows:
    return Rows(
        np.empty(size, np.int64), np.empty(size, np.int64), *(np.empty(size) for _ in range(4))
    )


def _fields(rows: Rows, count: int) -> dict[str, Any]:
    return {name: column[:count].copy() for name, column in rows._asdict().items()}
