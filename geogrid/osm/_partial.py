"""Buildings and waters that the extract was cut through, from the parts that it holds.

A building keeps its row: homes must not vanish at the edge of a file. Its outline is drawn through
the corners that are known; where fewer than three are, a square of one metre marks the place. A
water keeps its known banks as lines, because a bank divides the ground just as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geogrid.osm._scan import Group, known_runs

__all__ = ["bank_lines", "building_outline"]

_MARK_M = 0.5  # Half the side of a mark: far smaller than any home, so no area is made up.

Ways = Mapping[int, NDArray[np.float64]]
_CORNERS = 3


def building_outline(group: Group, ways: Ways) -> shapely.Geometry | None:
    """Return the outline of a building from its known corners in metres, None if there is none."""
    outer = [ways[way] for way, role in group.members if way in ways and role != "inner"]
    inner = [ways[way] for way, role in group.members if way in ways and role == "inner"]
    places = [_known(way) for way in outer or inner]
    if not sum(map(len, places)):
        return None
    shape = _shape_through(places)
    holes = [_ring(way) for way in inner if outer and not np.isnan(way).any()]
    rest = shapely.difference(shape, shapely.union_all(holes))
    return _areal(shape if rest.is_empty else rest)


def bank_lines(group: Group, ways: Ways) -> list[shapely.LineString]:
    """Return the known stretches of a water's banks."""
    return [
        shapely.LineString(ways[way][run])
        for way, _ in group.members
        if way in ways
        for run in known_runs(_is_known(ways[way]))
    ]


def _shape_through(places: Sequence[NDArray[np.float64]]) -> shapely.Geometry:
    lines = [shapely.LineString(way) for way in places if len(way) > 1]
    joined = shapely.build_area(shapely.union_all(lines)) if lines else shapely.Polygon()
    if not joined.is_empty:
        return joined
    corners = np.concatenate(places)
    shape = _ring(corners) if len(places) == 1 else shapely.MultiPoint(corners).convex_hull
    if shapely.area(shape) > 0:
        return shape
    return shapely.MultiPoint(corners).convex_hull.buffer(_MARK_M, cap_style="square")


def _ring(corners: NDArray[np.float64]) -> shapely.Geometry:
    if len(np.unique(corners, axis=0)) < _CORNERS:
        return shapely.Polygon()
    return _areal(shapely.make_valid(shapely.Polygon(corners)))


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    parts = shapely.get_parts(parts)
    areas = [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
    return shapely.union_all(areas) if areas else shapely.Polygon()


def _known(way: NDArray[np.float64]) -> NDArray[np.float64]:
    return way[_is_known(way)]


def _is_known(way: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(way).any(axis=1), dtype=bool)
