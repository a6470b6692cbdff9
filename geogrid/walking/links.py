"""What if there were a link: a footbridge, a gate, a lane that does not exist yet.

Whoever lives beside the new link keeps the place on the network that they had without it. Else a
home could move from its street onto a link that leads nowhere, and adding a link would lower a
count; so adding only adds. Many links may be added one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import LineString
from shapely.ops import substring

from geogrid.errors import InputError
from geogrid.walking.build import EdgeTable
from geogrid.walking.snap import EdgeIndex, Spots

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LinkedIndex", "Origin", "add_link"]

# A place this close to the end of an edge is the end.
_SAME_SPOT_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """Where the edges of a widened network come from.

    Attributes
    ----------
    index
        Places points on the network before any link.
    edge
        Its row for each edge of the widened network; -1 for a link.
    start_m
        Metres of walking along that row at which the edge starts.
    """

    index: EdgeIndex
    edge: NDArray[np.int64]
    start_m: NDArray[np.float64]

    @classmethod
    def of(cls, index: EdgeIndex) -> Origin:
        """Return the origin of a network that nothing was added to yet."""
        count = len(index.length_m)
        return cls(index=index, edge=np.arange(count), start_m=np.zeros(count))


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkedIndex(EdgeIndex):
    """Places points as the network without its links does, on the edges of the widened one."""

    origin: Origin

    @classmethod
    def widened(cls, edges: EdgeTable, origin: Origin) -> LinkedIndex:
        """Make the index of a widened network; nobody is placed on its links."""
        is_link = origin.edge < 0
        # A line of no length is never chosen, neither for a point nor for a cell of ground.
        stubs = np.asarray(
            shapely.linestrings(np.repeat(edges.xy[edges.u][:, np.newaxis], 2, axis=1))
        )
        return cls(
            geometry=np.where(is_link, stubs, edges.geometry),
            length_m=edges.length_m,
            oneway=edges.oneway,
            is_usable=np.where(is_link, False, origin.index.is_usable[origin.edge]),  # noqa: FBT003
            barriers=origin.index.barriers,
            origin=origin,
        )

    def snap(self, points: NDArray[np.object_], *, max_snap_m: float) -> Spots:
        """Place points where they were before the links; see :meth:`EdgeIndex.snap`."""
        spots = self.origin.index.snap(points, max_snap_m=max_snap_m)
        return _moved(spots, self.origin, self.length_m)


def _moved(spots: Spots, origin: Origin, length_m: NDArray[np.float64]) -> Spots:
    """Bring places on the first edges to the parts into which those were cut."""
    order = np.lexsort((origin.start_m, origin.edge))
    edge, start = origin.edge[order], origin.start_m[order]
    on = np.flatnonzero(spots.is_on)
    at = np.searchsorted(edge, spots.edge[on], side="left")
    last = np.searchsorted(edge, spots.edge[on], side="right") - 1
    position = spots.position_m[on]
    while True:
        ahead = np.minimum(at + 1, last)
        steps = (ahead > at) & (start[ahead] <= position)
        if not steps.any():
            break
        at = np.where(steps, ahead, at)
    moved, places = spots.edge.copy(), spots.position_m.copy()
    moved[on] = order[at]
    places[on] = np.clip(position - start[at], 0.0, length_m[moved[on]])
    return replace(spots, edge=moved, position_m=places)


def add_link(
    edges: EdgeTable, origin: Origin, line: shapely.Geometry, *, oneway: bool, join_m: float
) -> tuple[EdgeTable, Origin]:
    """Return the edges with a link added, and where they come from.

    Raises
    ------
    InputError
        If the link is no line of some length, or both its ends lie off the streets.
    """
    if not isinstance(line, LineString) or line.is_empty or not line.length > 0:
        msg = f"a link must be one line of some length, got {getattr(line, 'wkt', line)}"
        raise InputError(msg)
    if not np.isfinite(shapely.get_coordinates(line)).all():
        msg = "the link has coordinates that are no numbers: draw it again"
        raise InputError(msg)
    line = shapely.force_2d(line)
    ends = [shapely.get_point(line, place) for place in (0, -1)]
    tree = shapely.STRtree(edges.geometry)
    if not any(len(tree.query(end, predicate="dwithin", distance=join_m)) for end in ends):
        msg = f"no end of the link lies within {join_m:g} m of a street: draw it up to a street"
        raise InputError(msg)
    nodes = []
    for end in ends:
        edges, origin, node = _joined(edges, origin, end, join_m)
        nodes.append(node)
    edges = _appended(edges, tuple(nodes), line, line.length, oneway=oneway)
    return edges, replace(
        origin, edge=np.append(origin.edge, -1), start_m=np.append(origin.start_m, 0.0)
    )


def _joined(
    edges: EdgeTable, origin: Origin, end: shapely.Point, join_m: float
) -> tuple[EdgeTable, Origin, int]:
    """Return the edges with a node for the end of a link, and that node."""
    tree = shapely.STRtree(edges.geometry)
    near = tree.query_nearest(end, max_distance=join_m + _SAME_SPOT_M, all_matches=True)
    if not len(near):
        xy = np.vstack([edges.xy, shapely.get_coordinates(end)])
        return replace(edges, xy=xy), origin, len(xy) - 1
    edge = int(near.min())
    line = edges.geometry[edge]
    along = float(shapely.line_locate_point(line, end))
    if along <= _SAME_SPOT_M:
        return edges, origin, int(edges.u[edge])
    if along >= line.length - _SAME_SPOT_M:
        return edges, origin, int(edges.v[edge])
    return _split(edges, origin, edge, along)


def _split(
    edges: EdgeTable, origin: Origin, edge: int, along: float
) -> tuple[EdgeTable, Origin, int]:
    """Cut an edge in two at a place on its line; the first part keeps its row."""
    line, length, head = edges.geometry[edge], edges.length_m[edge], int(edges.v[edge])
    cut = length * along / line.length
    node = len(edges.xy)
    place = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    first, second = (
        shapely.LineString(substring(line, *part).coords)
        for part in ((0, along), (along, line.length))
    )
    v, length_m, geometry = edges.v.copy(), edges.length_m.copy(), edges.geometry.copy()
    v[edge], length_m[edge], geometry[edge] = node, cut, first
    shorter = replace(edges, v=v, length_m=length_m, geometry=geometry)
    shorter = replace(shorter, xy=np.vstack([edges.xy, place]))
    both = _appended(shorter, (node, head), second, length - cut, oneway=bool(edges.oneway[edge]))
    for marks in (both.is_stairs, both.is_span):
        if marks is not None:
            marks[-1] = marks[edge]
    start = origin.start_m[edge] + cut
    parts = replace(
        origin,
        edge=np.append(origin.edge, origin.edge[edge]),
        start_m=np.append(origin.start_m, start),
    )
    return both, parts, node


def _appended(
    edges: EdgeTable, ends: tuple[int, ...], line: LineString, length_m: float, *, oneway: bool
) -> EdgeTable:
    geometry = np.empty(len(edges.geometry) + 1, dtype=object)
    geometry[:-1], geometry[-1] = edges.geometry, line
    return EdgeTable(
        u=np.append(edges.u, ends[0]).astype(np.int32),
        v=np.append(edges.v, ends[1]).astype(np.int32),
        length_m=np.append(edges.length_m, length_m),
        geometry=geometry,
        oneway=np.append(edges.oneway, oneway),
        xy=edges.xy,
        is_stairs=None if edges.is_stairs is None else np.append(edges.is_stairs, [False]),
        is_span=None if edges.is_span is None else np.append(edges.is_span, [False]),
    )
