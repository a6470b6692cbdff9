"""Bounded shortest walks from a few spots to everything near them.

All of this module walks *away* from the spots. Walking *to* them is the same search on the
network with every edge turned round, see :meth:`Streets.turned`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geogrid.walking.snap import Spots

__all__ = ["EPSILON_M", "EdgeReach", "HouseholdReach", "Streets", "households_in_reach", "search"]

# In reach means distance <= limit; sums of metres differ in their last bits by order of summing.
EPSILON_M = 1e-9

# Two points in front of one spot of a one-way edge are neither ahead nor behind.
_SAME_SPOT_M = 1e-6

# scipy answers with a dense table of spots by nodes, so spots are searched in chunks.
_CHUNK_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """The edges of a network as the search needs them."""

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    oneway: NDArray[np.bool_]
    nodes: int

    def turned(self) -> Streets:
        """Return the same streets with every edge running the other way."""
        return Streets(
            u=self.v, v=self.u, length_m=self.length_m, oneway=self.oneway, nodes=self.nodes
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdReach:
    """Walks between spots and households, their legs at both ends included."""

    spot: NDArray[np.int64]
    household: NDArray[np.int64]
    metres: NDArray[np.float64]

    @classmethod
    def concat(cls, walks: Sequence[HouseholdReach]) -> HouseholdReach:
        """Put walks one after the other; none give an empty table."""
        if not walks:
            none = np.empty(0, np.int64)
            return cls(spot=none, household=none, metres=np.empty(0))
        return cls(
            spot=np.concatenate([walk.spot for walk in walks]),
            household=np.concatenate([walk.household for walk in walks]),
            metres=np.concatenate([walk.metres for walk in walks]),
        )


def search(streets: Streets, spots: Spots, limit_m: float) -> Iterator[EdgeReach]:
    """Yield what each spot reaches within ``limit_m``, some spots at a time.

    Spots off the network, or with a leg beyond the limit, give no row.
    """
    live = np.flatnonzero(spots.is_on & (spots.leg_m <= limit_m + EPSILON_M))
    size = max(1, _CHUNK_BYTES // (8 * (streets.nodes + 1)))
    incidence = _Incidence.of(streets)
    for start in range(0, len(live), size):
        chunk = live[start : start + size]
        spot, node, metres = _search_nodes(streets, spots, chunk, limit_m)
        yield _edge_reach(streets, spots, chunk, incidence, (spot, node, metres))


def _arcs(
    streets: Streets, spots: Spots, chunk: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return tail, head and metres of all arcs; each spot is a node of its own with no arc in."""
    both = ~streets.oneway
    edge, position = spots.edge[chunk], spots.position_m[chunk]
    leg, length = spots.leg_m[chunk], streets.length_m[edge]
    spot_node = streets.nodes + np.arange(len(chunk))
    # At its very start a one-way edge is still the node, from where all ways are open.
    back = both[edge] | (position <= 0.0)
    tail: list[NDArray[Any]] = [streets.u, streets.v[both], spot_node, spot_node[back]]
    head: list[NDArray[Any]] = [streets.v, streets.u[both], streets.v[edge], streets.u[edge[back]]]
    metres = [
        streets.length_m,
        streets.length_m[both],
        leg + (length - position),
        (leg + position)[back],
    ]
    return (
        np.concatenate(tail).astype(np.int64),
        np.concatenate(head).astype(np.int64),
        np.concatenate(metres),
    )


def _search_nodes(
    streets: Streets, spots: Spots, chunk: NDArray[np.intp], limit_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return (number in the chunk, node, metres) of all nodes in reach."""
    count = streets.nodes + len(chunk)
    tail, head, metres = _arcs(streets, spots, chunk)
    # Of parallel arcs only the shortest counts; handing scipy a coo matrix would add them up.
    order = np.lexsort((metres, head, tail))
    tail, head, metres = tail[order], head[order], metres[order]
    first = np.concatenate([[True], (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])])
    tail, head, metres = tail[first], head[first], metres[first]
    starts = np.searchsorted(tail, np.arange(count + 1))
    # Explicit zeros stay arcs of no length in a sparse matrix that is built in place.
    graph = csr_array((metres, head, starts), shape=(count, count))
    table = dijkstra(
        graph, indices=streets.nodes + np.arange(len(chunk)), limit=limit_m + EPSILON_M
    )[:, : streets.nodes]
    spot, node = np.nonzero(np.isfinite(table))
    return spot, node, table[spot, node]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incidence:
    """The edges at each node: ``edge[start[n]:start[n + 1]]``, and which of their ends it is."""

    start: NDArray[np.int64]
    edge: NDArray[np.int64]
    is_v: NDArray[np.bool_]

    @classmethod
    def of(cls, streets: Streets) -> _Incidence:
        node = np.concatenate([streets.u, streets.v])
        order = np.argsort(node, kind="stable")
        count = len(streets.u)
        return cls(
            start=np.searchsorted(node[order], np.arange(streets.nodes + 1)).astype(np.int64),
            edge=(order % count).astype(np.int64),
            is_v=order >= count,
        )


def _spread(
    start: NDArray[np.int64], stop: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (row, member) of all members ``start[row] … stop[row] - 1``."""
    size = stop - start
    row = np.repeat(np.arange(len(start)), size)
    member = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + start[row]
    return row, member


def _edge_reach(
    streets: Streets,
    spots: Spots,
    chunk: NDArray[np.intp],
    incidence: _Incidence,
    reached: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> EdgeReach:
    spot, node, metres = reached
    row, member = _spread(incidence.start[node], incidence.start[node + 1])
    count = len(streets.u)
    own = np.arange(len(chunk)) * count + spots.edge[chunk]
    key = np.concatenate([spot[row] * count + incidence.edge[member], own])
    keys, number = np.unique(key, return_inverse=True)
    ends = np.full((2, len(keys)), np.inf)
    touched = number[: len(row)]
    is_v = incidence.is_v[member]
    ends[0, touched[~is_v]] = metres[row[~is_v]]
    ends[1, touched[is_v]] = metres[row[is_v]]
    position = np.full(len(keys), np.nan)
    position[number[len(row) :]] = spots.position_m[chunk]
    of_chunk = keys // count
    return EdgeReach(
        spot=chunk[of_chunk].astype(np.int64),
        edge=keys % count,
        from_u=ends[0],
        from_v=ends[1],
        own_position=position,
        own_leg=spots.leg_m[chunk[of_chunk]],
    )


def households_in_reach(
    streets: Streets, reach: EdgeReach, households: Spots, limit_m: float
) -> HouseholdReach:
    """Return every walk between a spot and a household that is no longer than ``limit_m``."""
    on = np.flatnonzero(households.is_on)
    on = on[np.argsort(households.edge[on], kind="stable")]
    edge_of = households.edge[on]
    row, member = _spread(
        np.searchsorted(edge_of, reach.edge, side="left"),
        np.searchsorted(edge_of, reach.edge, side="right"),
    )
    household = on[member]
    edge, position = reach.edge[row], households.position_m[household]
    both, rest = ~streets.oneway[edge], streets.length_m[edge] - position
    metres = reach.from_u[row] + position
    # The end of a one-way edge is the node itself, however one came there.
    metres = np.minimum(metres, np.where(both | (rest <= 0), reach.from_v[row] + rest, np.inf))
    ahead = position - reach.own_position[row]
    direct = np.where(both | (ahead >= -_SAME_SPOT_M), reach.own_leg[row] + np.abs(ahead), np.inf)
    metres = np.fmin(metres, direct) + households.leg_m[household]
    within = metres <= limit_m + EPSILON_M
    return HouseholdReach(
        spot=reach.spot[row[within]], household=household[within], metres=metres[within]
    )
