"""Circles light enough for a web page: fewer corners, still one inside the other.

Simplifying each polygon alone would let a small circle stick out of a large one. So the rings
between the limits are simplified as one coverage, in which neighbours keep their common border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIMPLIFY_M", "web_circles", "web_shapes"]

# Corners that change the outline by less than a triangle with this side go: the steps of the cells.
SIMPLIFY_M = 5.0

# Outlines of united circles meet anywhere; on this grid they are noded without a remainder.
_GRID_M = 0.001


def web_circles(circles: gpd.GeoDataFrame, *, simplify_m: float = SIMPLIFY_M) -> gpd.GeoDataFrame:
    """Return circles with fewer corners, those of a station still one inside the other.

    Parameters
    ----------
    circles
        Circles of a reach, with ``station`` and ``metres`` or ``minutes``.
    simplify_m
        Tolerance in metres, see :func:`shapely.coverage_simplify`.
    """
    limit = "metres" if "metres" in circles.columns else "minutes"
    shapes = circles.geometry.to_numpy().copy()
    for rows in circles.groupby("station", sort=False).indices.values():
        rising = rows[np.argsort(circles[limit].to_numpy()[rows], kind="stable")]
        shapes[rising] = web_shapes(shapes[rising], simplify_m=simplify_m)
    return circles.set_geometry(gpd.GeoSeries(shapes, index=circles.index, crs=circles.crs))


def web_shapes(
    shapes: NDArray[np.object_], *, simplify_m: float = SIMPLIFY_M
) -> NDArray[np.object_]:
    """Simplify areas of which each lies in the next, together.

    Areas of several stations, united, are nested up to rounding only; afterwards they are exactly.
    """
    faces = _faces(shapes)
    inside = shapely.point_on_surface(faces)
    level = np.full(len(faces), len(shapes))
    for number in range(len(shapes) - 1, -1, -1):
        area = shapes[number]
        shapely.prepare(area)
        level[shapely.intersects(area, inside)] = number
    faces, level = faces[level < len(shapes)], level[level < len(shapes)]
    faces = shapely.coverage_simplify(faces, simplify_m)
    drawn = np.empty(len(shapes), dtype=object)
    for number in range(len(shapes)):
        drawn[number] = shapely.coverage_union_all(faces[level <= number])
    return drawn


def _faces(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Cut the plane along all outlines."""
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=_GRID_M)
    return np.asarray(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))
