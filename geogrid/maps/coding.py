"""Shapes as short lists of whole numbers, and JSON that is safe inside a page.

Longitude and latitude become whole numbers (1e-7 degree, about a centimetre) and each vertex after
the first is stored as the step from the one before it: a third of the size of GeoJSON, and exact.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.errors import CrsError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["DECIMALS", "line_steps", "page_json", "polygon_steps", "to_degrees"]

# Decimals of a degree that a map holds.
DECIMALS = 7

Steps = list[int]


def to_degrees(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return the shapes in longitude and latitude (EPSG:4326).

    Raises
    ------
    CrsError
        If the shapes have no coordinate system.
    """
    if shapes.crs is None:
        msg = "the plan is in plain local metres: a map needs a coordinate system, set one"
        raise CrsError(msg)
    return shapes.to_crs(4326)


def polygon_steps(shapes: gpd.GeoSeries, *, decimals: int = DECIMALS) -> list[list[list[Steps]]]:
    """Return each shape as polygons of rings of steps; what is not an area is left out.

    Parameters
    ----------
    shapes
        Polygons and multipolygons in degrees.
    decimals
        Decimals that are kept.
    """
    values = shapes.to_numpy()
    parts, owner = shapely.get_parts(values, return_index=True)
    is_area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    found: list[list[list[Steps]]] = [[] for _ in range(len(values))]
    for part, row in zip(parts[is_area], owner[is_area], strict=True):
        rings = [_steps(shapely.get_coordinates(ring)[:-1], decimals) for ring in _rings(part)]
        found[int(row)].append(rings)
    return found


def line_steps(shapes: gpd.GeoSeries, *, decimals: int = DECIMALS) -> list[Steps]:
    """Return the steps of every line of two vertices or more, parts one by one."""
    parts = shapely.get_parts(shapes.to_numpy())
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    return [
        _steps(shapely.get_coordinates(part), decimals)
        for part in parts[is_line & ~shapely.is_empty(parts)]
    ]


def _rings(polygon: shapely.Polygon) -> list[shapely.LinearRing]:
    return [polygon.exterior, *polygon.interiors] if not polygon.is_empty else []


def _steps(xy: npt.NDArray[np.float64], decimals: int) -> Steps:
    whole = np.rint(xy * 10**decimals).astype(np.int64)
    moved = np.diff(whole, axis=0)
    # Vertices that fall together when rounded add nothing to the picture.
    kept = np.vstack([whole[:1], moved[np.any(moved != 0, axis=1)]])
    return [int(value) for value in kept.ravel()]


def page_json(values: Any) -> str:  # noqa: ANN401 - any JSON value
    r"""Return compact JSON that no text of a user can break out of a ``<script>`` with.

    ``<``, ``>`` and ``&`` become ``\u003c`` and so on, and an address in a name keeps no ``//``.
    """
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.replace("//", "\\u002f\\u002f")
