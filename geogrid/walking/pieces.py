"""Reachable pieces of streets: exact intervals on edges, and their lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.walking import _kernels
from geogrid.walking.search import EPSILON_M, kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geogrid.walking.search import EdgeReach, Streets

__all__ = ["Pieces", "piece_lines", "reach_pieces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Parts of edges: metres of walking ``start_m … end_m`` along ``edge``, reached by ``spot``."""

    spot: NDArray[np.int64]
    edge: NDArray[np.int64]
    start_m: NDArray[np.float64]
    end_m: NDArray[np.float64]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Metres of each piece."""
        return self.end_m - self.start_m

    @classmethod
    def concat(cls, pieces: Sequence[Pieces]) -> Pieces:
        """Put pieces one after the other; none give an empty table."""
        names = ("spot", "edge", "start_m", "end_m")
        if not pieces:
            none, nothing = np.empty(0, np.int64), np.empty(0)
            return cls(spot=none, edge=none, start_m=nothing, end_m=nothing)
        return cls(**{n: np.concatenate([getattr(part, n) for part in pieces]) for n in names})

    def of(self, rows: NDArray[np.bool_]) -> Pieces:
        """Return some of the pieces."""
        return Pieces(
            spot=self.spot[rows],
            edge=self.edge[rows],
            start_m=self.start_m[rows],
            end_m=self.end_m[rows],
        )

    def turned(self, length_m: NDArray[np.float64]) -> Pieces:
        """Measure the pieces from the other end of their edges."""
        length = length_m[self.edge]
        return Pieces(
            spot=self.spot, edge=self.edge, start_m=length - self.end_m, end_m=length - self.start_m
        )


def reach_pieces(streets: Streets, reach: EdgeReach, limit_m: float) -> Pieces:
    """Return what of each edge lies within ``limit_m``, as disjoint pieces.

    A walker comes from ``u``, from ``v`` (not against a one-way) and, on the edge of the spot,
    from the spot. Pieces that meet are one piece; pieces of no length are left out. They are
    sorted by spot, edge and start.
    """
    # An edge has two pieces at most, the spot's own edge three.
    size = 2 * len(reach.edge) + int(np.count_nonzero(~np.isnan(reach.own_position)))
    row, start, end = np.empty(size, np.int64), np.empty(size), np.empty(size)
    job = kernel(_kernels.cut_pieces, len(reach.edge))
    count = job(streets.graph, reach.rows, float(limit_m), (row, start, end))
    row = row[:count]
    return Pieces(
        spot=reach.spot[row], edge=reach.edge[row], start_m=start[:count], end_m=end[:count]
    )


def piece_lines(
    geometry: NDArray[np.object_], length_m: NDArray[np.float64], pieces: Pieces
) -> NDArray[np.object_]:
    """Return the line of each piece; whole edges keep their own line."""
    length = length_m[pieces.edge]
    lines = geometry[pieces.edge].copy()
    part = np.flatnonzero((pieces.start_m > 0.0) | (pieces.end_m < length))
    if len(part):
        # The drawn line may be shorter or longer than its metres of walking.
        edge = pieces.edge[part]
        scale = shapely.length(geometry[edge]) / length[part]
        lines[part] = _substrings(
            geometry[edge], pieces.start_m[part] * scale, pieces.end_m[part] * scale
        )
    return np.asarray(lines)


def _substrings(
    lines: NDArray[np.object_], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Cut ``start … end`` out of each line, keeping the vertices between."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    first = np.searchsorted(line, np.arange(len(lines)))
    step[first] = 0.0
    along = np.cumsum(step)
    along -= along[first][line]
    inside = (along > start[line] + EPSILON_M) & (along < end[line] - EPSILON_M)
    first_xy, last_xy = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, at)) for at in (start, end)
    )
    number = np.arange(len(lines))
    places = np.vstack([first_xy, xy[inside], last_xy])
    owner = np.concatenate([number, line[inside], number])
    rank = np.concatenate([np.full(len(lines), -1.0), along[inside], np.full(len(lines), np.inf)])
    order = np.lexsort((rank, owner))
    return np.asarray(shapely.linestrings(places[order], indices=owner[order]))
