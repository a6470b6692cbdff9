"""Place points on streets: which edge, how far along it, how long the way to it.

A point takes its nearest edge. Islands are second choice: an edge of a component that holds less
than 1 % of all metres is taken only where no edge of a usable component lies within reach, because
a mapping slip next to a station would otherwise cut it off from the whole town. The straight way
to the edge never crosses a barrier: a river, a railway, a wall; the next edge is tried instead. A
point with no edge within the greatest distance stays in the result as off the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EdgeIndex", "Spots"]

# Two edges are equally near within a micrometre: coordinates of a national frame are not finer.
_TIE_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """Places of points on the network.

    Attributes
    ----------
    edge
        Row of the edge; -1 when the point is off the network.
    position_m
        Metres of walking from the start of the edge.
    leg_m
        Straight metres from the point to the edge.
    xy
        Where the point meets the edge.
    """

    edge: NDArray[np.int64]
    position_m: NDArray[np.float64]
    leg_m: NDArray[np.float64]
    xy: NDArray[np.float64]

    @property
    def is_on(self) -> NDArray[np.bool_]:
        """Which points are on the network."""
        return self.edge >= 0

    def turned(self, length_m: NDArray[np.float64]) -> Spots:
        """Measure positions from the other end of their edges."""
        position = np.where(self.is_on, length_m[self.edge] - self.position_m, np.nan)
        return Spots(edge=self.edge, position_m=position, leg_m=self.leg_m, xy=self.xy)


def _nothing() -> NDArray[np.object_]:
    return np.empty(0, dtype=object)


@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeIndex:
    """Finds the nearest edge to which nothing bars the way.

    Attributes
    ----------
    geometry, length_m, oneway
        The edges.
    is_usable
        Edges of components that count.
    barriers
        Lines that the straight way from a point to its edge must not cross.
    """

    geometry: NDArray[np.object_]
    length_m: NDArray[np.float64]
    oneway: NDArray[np.bool_]
    is_usable: NDArray[np.bool_]
    barriers: NDArray[np.object_] = field(default_factory=_nothing)

    @cached_property
    def _line_m(self) -> NDArray[np.float64]:
        return np.asarray(shapely.length(self.geometry))

    def _tree(self, rows: NDArray[np.bool_]) -> tuple[shapely.STRtree, NDArray[np.intp]]:
        # A line of no length lies on its neighbours, so nobody needs to be placed on it.
        kept = np.flatnonzero(rows & (self._line_m > 0))
        return shapely.STRtree(self.geometry[kept]), kept

    @cached_property
    def _usable(self) -> tuple[shapely.STRtree, NDArray[np.intp]]:
        return self._tree(self.is_usable)

    @cached_property
    def _islands(self) -> tuple[shapely.STRtree, NDArray[np.intp]]:
        return self._tree(~self.is_usable)

    @cached_property
    def _barrier_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.barriers)

    def snap(self, points: NDArray[np.object_], *, max_snap_m: float) -> Spots:
        """Place each point on its nearest edge within ``max_snap_m``, across no barrier.

        Equally near edges: the one to the left, then below; on one spot, two-way before one-way,
        then the shorter, then the first. Missing points are off the network.
        """
        edge = np.full(len(points), -1, dtype=np.int64)
        there = ~shapely.is_missing(points)
        for tree, rows in (self._usable, self._islands):
            open_rows = np.flatnonzero((edge < 0) & there)
            found, candidate = _near(tree, points[open_rows], max_snap_m)
            barred = self._settle(points, edge, open_rows[found], rows[candidate])
            if len(barred):
                pair, candidate = tree.query(
                    points[barred], predicate="dwithin", distance=max_snap_m + _TIE_M
                )
                self._settle(points, edge, barred[pair], rows[candidate])
        return self._place(points, edge)

    def _settle(
        self,
        points: NDArray[np.object_],
        edge: NDArray[np.int64],
        point: NDArray[np.intp],
        candidate: NDArray[np.intp],
    ) -> NDArray[np.intp]:
        """Give points the first of their candidates to which the way is free, in place.

        Returns the points for which each candidate is barred.
        """
        if not len(point):
            return point
        line = self.geometry[candidate]
        spot = shapely.line_interpolate_point(line, shapely.line_locate_point(line, points[point]))
        order, rank = self._ranked(points[point], spot, point, candidate)
        for turn in range(int(rank.max()) + 1):
            pair = order[(rank == turn) & (edge[point[order]] < 0)]
            free = pair[~self._is_barred(points[point[pair]], spot[pair])]
            edge[point[free]] = candidate[free]
            if len(free) == len(pair):
                break
        return np.unique(point[edge[point] < 0])

    def _ranked(
        self,
        points: NDArray[np.object_],
        spot: NDArray[np.object_],
        point: NDArray[np.intp],
        edge: NDArray[np.intp],
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return pairs in their order of choice, and the number of each among its point's."""
        away = shapely.get_coordinates(spot) - shapely.get_coordinates(points)
        metres = np.round(np.hypot(away[:, 0], away[:, 1]) / _TIE_M)
        aside = np.round(away / _TIE_M)
        order = np.lexsort(
            (edge, self.length_m[edge], self.oneway[edge], aside[:, 1], aside[:, 0], metres, point)
        )
        _, first, number = np.unique(point[order], return_index=True, return_inverse=True)
        return order, np.arange(len(order)) - first[number]

    def _is_barred(
        self, points: NDArray[np.object_], spot: NDArray[np.object_]
    ) -> NDArray[np.bool_]:
        """Tell which straight ways cross a barrier; touching it with an end is no crossing."""
        barred = np.zeros(len(points), dtype=bool)
        if len(self.barriers) and len(points):
            ends = np.stack(
                [shapely.get_coordinates(points), shapely.get_coordinates(spot)], axis=1
            )
            legs = shapely.linestrings(ends)
            barred[self._barrier_tree.query(legs, predicate="crosses")[0]] = True
        return barred

    def _place(self, points: NDArray[np.object_], edge: NDArray[np.int64]) -> Spots:
        on = np.flatnonzero(edge >= 0)
        line, length = self.geometry[edge[on]], self.length_m[edge[on]]
        along = shapely.line_locate_point(line, points[on])
        spot = shapely.line_interpolate_point(line, along)
        position, leg = np.full((2, len(points)), np.nan)
        xy = np.full((len(points), 2), np.nan)
        position[on] = _scaled(along, self._line_m[edge[on]], length)
        leg[on] = shapely.distance(points[on], line)
        xy[on] = shapely.get_coordinates(spot)
        return Spots(edge=edge, position_m=position, leg_m=leg, xy=xy)


def _scaled(
    along: NDArray[np.float64], line_m: NDArray[np.float64], length_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn metres along the drawn line into metres of walking; the two ends are met exactly."""
    position = along * (length_m / line_m)
    position = np.where(along <= _TIE_M, 0.0, position)
    return np.where(along >= line_m - _TIE_M, length_m, position)


def _near(
    tree: shapely.STRtree, points: NDArray[np.object_], max_snap_m: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs of a point and an edge that is as near as its nearest one."""
    if not len(points) or not len(tree):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    (point, _), distance = tree.query_nearest(
        points, max_distance=max_snap_m + 2 * _TIE_M, return_distance=True, all_matches=False
    )
    within = distance <= max_snap_m + _TIE_M
    point, distance = point[within], distance[within]
    pair, edge = tree.query(points[point], predicate="dwithin", distance=distance + _TIE_M)
    return point[pair], edge
