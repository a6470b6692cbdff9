"""Lines half-way between the buildings of a block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import QhullError, Voronoi

__all__ = ["lines_between"]

Shapes = npt.NDArray[np.object_]

# Walls are sampled this densely: finer than the distance between most buildings.
_SPACING_M = 2.0
# Wall points lie this far inside, so that houses that share a wall get the line on it.
_INSET_M = 0.4
# A zigzag of less than this is an artefact of sampling.
_SMOOTH_M = 1.2


def _wall_points(buildings: Shapes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    inset = shapely.buffer(buildings, -_INSET_M, join_style="mitre")
    thin = shapely.is_empty(inset)
    inset[thin] = shapely.point_on_surface(buildings[thin])
    dense = shapely.segmentize(shapely.simplify(inset, 0.2), _SPACING_M)
    xy, owner = shapely.get_coordinates(dense, return_index=True)
    _, first = np.unique(np.round(xy, 2), axis=0, return_index=True)
    first.sort()
    return xy[first], owner[first]


def _far_frame(block: shapely.Geometry) -> npt.NDArray[np.float64]:
    """Four points so far out that every cell in the block is bounded."""
    west, south, east, north = shapely.bounds(block)
    reach = 4 * max(east - west, north - south, 1.0)
    x, y = (west + east) / 2, (south + north) / 2
    return np.array([[x - reach, y], [x + reach, y], [x, y - reach], [x, y + reach]])


def lines_between(block: shapely.Geometry, buildings: Shapes) -> Shapes:
    """Return the lines in ``block`` that lie half-way between two of its buildings.

    Parameters
    ----------
    block
        A polygon in metres.
    buildings
        At least two polygons.

    Returns
    -------
    ndarray of LineString
        Smoothed by at most 1.2 m; empty when the buildings' walls are all in one line.
    """
    points, owner = _wall_points(buildings)
    frame = _far_frame(block)
    centre = points.mean(axis=0)
    try:
        diagram = Voronoi(np.concatenate((points, frame)) - centre)
    except QhullError:
        return np.empty(0, dtype=object)
    owners = np.concatenate((owner, np.full(len(frame), -1)))
    sides = owners[diagram.ridge_points]
    ends = np.asarray(diagram.ridge_vertices)
    between = (sides[:, 0] != sides[:, 1]) & (sides >= 0).all(axis=1) & (ends >= 0).all(axis=1)
    if not between.any():
        return np.empty(0, dtype=object)
    ridges = shapely.linestrings(diagram.vertices[ends[between]] + centre)
    merged = shapely.line_merge(shapely.multilinestrings(ridges))
    smooth = shapely.simplify(shapely.get_parts([merged]), _SMOOTH_M)
    inside = shapely.get_parts(shapely.intersection(smooth, block))
    return inside[shapely.length(inside) > 0]
