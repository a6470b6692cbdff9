"""Households on the network: who is served, by whom, and what would be lost without a station.

They are sorted by edge once. Each edge in reach then visits its own households only, and what is
found is counted at once: no table of all walks is ever made unless it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.walking import _kernels
from geogrid.walking._arrays import Homes, Tally
from geogrid.walking.search import kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from geogrid.walking.search import EdgeReach, Streets
    from geogrid.walking.snap import Spots

__all__ = ["HomeTable", "Service", "Walks", "list_walks", "serve"]


@dataclass(frozen=True, kw_only=True, eq=False)
class HomeTable:
    """Households sorted by edge and position.

    Attributes
    ----------
    homes
        The arrays of the compiled loops, sorted.
    order
        Input row of each sorted household; those off the network are left out.
    size
        How many input rows there are.
    """

    homes: Homes
    order: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, streets: Streets, spots: Spots, households: NDArray[np.int64]) -> HomeTable:
        """Sort households; ``households`` counts them at each row."""
        on = np.flatnonzero(spots.is_on)
        order = on[np.lexsort((spots.position_m[on], spots.edge[on]))]
        start = np.zeros(len(streets.u) + 1, dtype=np.int64)
        np.cumsum(np.bincount(spots.edge[order], minlength=len(streets.u)), out=start[1:])
        homes = Homes(start, spots.position_m[order], spots.leg_m[order], households[order])
        return cls(homes=homes, order=order, size=len(spots.edge))


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who is served: limits are rows, stations or households are columns.

    Attributes
    ----------
    count
        How many stations reach a household within a limit.
    metres
        Walk to the nearest station that serves a household within a limit; infinite without one.
    nearest
        Row of that station, -1 without one; of those as near, the first by rank.
    load
        Households that a station reaches within a limit.
    nearest_load
        Those of them to which no other station is nearer.
    only_here
        Those of them that no other station reaches within that limit.
    """

    count: NDArray[np.int64]
    metres: NDArray[np.float64]
    nearest: NDArray[np.int64]
    load: NDArray[np.int64]
    nearest_load: NDArray[np.int64]
    only_here: NDArray[np.int64]


def serve(
    streets: Streets,
    reaches: Iterable[EdgeReach],
    table: HomeTable,
    limits_m: Sequence[float],
    counts_for: NDArray[np.bool_],
    rank: NDArray[np.int64],
) -> Service:
    """Count who is served.

    Parameters
    ----------
    streets, reaches
        What the stations reach within the largest limit.
    table
        The households.
    limits_m
        Limits in metres, rising.
    counts_for
        Which limit (row) counts for which station (column).
    rank
        Of two stations that are as near, the one with the lower rank is the nearest.
    """
    limits, stations = np.array(limits_m, dtype=float), len(rank)
    size = (len(limits), len(table.order))
    tally = Tally(
        reached=np.zeros(size, np.int64),
        only=np.full(size, -1, np.int64),
        metres=np.full(size, np.inf),
        nearest=np.full(size, -1, np.int64),
        load=np.zeros((len(limits), stations), np.int64),
    )
    for reach in reaches:
        _kernel_for(_kernels.serve_homes, reach, table)(
            streets.graph, reach.rows, table.homes, limits, counts_for, rank, tally
        )
    return _summed(table, tally, stations)


def _kernel_for(job: Any, reach: EdgeReach, table: HomeTable) -> Callable[..., Any]:  # noqa: ANN401
    start = table.homes.start
    return kernel(job, int((start[reach.edge + 1] - start[reach.edge]).sum()))


def _summed(table: HomeTable, tally: Tally, stations: int) -> Service:
    """Sum per station, and bring households back into the order of their input."""
    only = np.where(tally.reached == 1, tally.only, -1)
    return Service(
        count=_spread(tally.reached, table, 0),
        metres=_spread(tally.metres, table, np.inf),
        nearest=_spread(tally.nearest, table, -1),
        load=tally.load,
        nearest_load=_loads(tally.nearest, table, stations),
        only_here=_loads(only, table, stations),
    )


def _spread(values: NDArray[Any], table: HomeTable, missing: float) -> NDArray[Any]:
    wide = np.full((len(values), table.size), missing, dtype=values.dtype)
    wide[:, table.order] = values
    return wide


def _loads(station: NDArray[np.int64], table: HomeTable, stations: int) -> NDArray[np.int64]:
    """Sum households per limit and station; -1 is none."""
    sums = np.zeros((len(station), stations), dtype=np.int64)
    limit, home = np.nonzero(station >= 0)
    np.add.at(sums, (limit, station[limit, home]), table.homes.households[home])
    return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """Walks between spots and households, their legs at both ends included."""

    spot: NDArray[np.int64]
    household: NDArray[np.int64]
    metres: NDArray[np.float64]


def list_walks(
    streets: Streets, reaches: Iterable[EdgeReach], table: HomeTable, limit_m: float
) -> Walks:
    """Return every walk within ``limit_m``, sorted by spot and household."""
    parts = [_walks_of(streets, reach, table, limit_m) for reach in reaches]
    spot, place, metres = (
        np.concatenate(column) for column in zip(*parts, _no_walks(0), strict=True)
    )
    household = table.order[place]
    order = np.lexsort((household, spot))
    return Walks(spot=spot[order], household=household[order], metres=metres[order])


def _no_walks(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    return np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)


def _walks_of(
    streets: Streets, reach: EdgeReach, table: HomeTable, limit_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    job = _kernel_for(_kernels.list_walks, reach, table)
    given = streets.graph, reach.rows, table.homes, float(limit_m)
    # The first run only counts, so that the second one fills tables of the right size.
    out = _no_walks(job(*given, _no_walks(0)))
    job(*given, out)
    return out
