"""Coordinate systems by reference (OGC API - Features, part 2) and the order of their axes.

EPSG:4326 and EPSG:4490 run latitude first, Gauss-Krueger systems northing first, EPSG:3857 and
CRS84 the other way round. Inside, everything has x to the east; axes are swapped where a box comes
in and where places go out, and nowhere else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from pyproj import CRS

from geogrid.api.problems import BadQueryError
from geogrid.maps.coding import DECIMALS, to_degrees

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import numpy.typing as npt

    from geogrid.api.features import FeatureTable

__all__ = ["CRS84", "Bounds", "ServedCrs", "bounds_of", "served_systems"]

Bounds = tuple[float, float, float, float]

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/{}"
_WGS84, _MERCATOR, _CGCS2000 = 4326, 3857, 4490
_METRE_DECIMALS = 3
_NUMBERS = {4: (0, 1, 2, 3), 6: (0, 1, 3, 4)}


@dataclass(frozen=True, slots=True)
class ServedCrs:
    """A coordinate system that features are given in.

    Attributes
    ----------
    uri
        What it is asked for by.
    crs
        Itself.
    is_north_first
        Whether its first axis runs to the north.
    """

    uri: str
    crs: CRS
    is_north_first: bool

    def shapes(self, table: FeatureTable) -> npt.NDArray[np.object_]:
        """Return the shapes of features in this system, x to the east, rounded and oriented."""
        if self.uri == CRS84:
            return table.shapes
        moved = self._moved(table.source)
        decimals = DECIMALS if self.crs.is_geographic else _METRE_DECIMALS
        rounded = shapely.transform(moved, lambda xy: xy.round(decimals))
        return shapely.orient_polygons(rounded, exterior_cw=False)

    def written(self, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        """Return shapes with their axes in the order of the registry."""
        if not self.is_north_first:
            return shapes
        return shapely.transform(shapes, lambda xy: xy[:, ::-1])

    def _moved(self, source: gpd.GeoSeries) -> npt.NDArray[np.object_]:
        # The same numbers as on the map, not those of another way from datum to datum.
        series = to_degrees(source) if self.crs.is_geographic else source.to_crs(self.crs)
        found: npt.NDArray[np.object_] = series.to_numpy()
        return found


def served_systems(own: CRS | None) -> tuple[dict[str, ServedCrs], str]:
    """Return the systems that a plan's features are given in, by address, and which is its own.

    Parameters
    ----------
    own
        The plan's system; where the EPSG registry does not have it, CRS84 stands for it.
    """
    code = None if own is None else own.to_epsg(min_confidence=100)
    codes = dict.fromkeys([_WGS84, _MERCATOR, _CGCS2000, *([] if code is None else [code])])
    found = {CRS84: ServedCrs(CRS84, CRS.from_epsg(_WGS84), is_north_first=False)}
    for one in codes:
        crs, uri = CRS.from_epsg(one), _EPSG.format(one)
        is_north_first = crs.axis_info[0].direction in {"north", "south"}
        found[uri] = ServedCrs(uri, crs, is_north_first=is_north_first)
    return found, CRS84 if code is None else _EPSG.format(code)


def bounds_of(text: str, system: ServedCrs) -> tuple[Bounds, ...]:
    """Read the four or six numbers of a ``bbox`` whose axes are those of a system.

    Heights are passed over: nothing here has any.

    Returns
    -------
    tuple of tuple
        West, south, east and north, x to the east; two of them where the box runs over the
        180th meridian.

    Raises
    ------
    BadQueryError
        If that is no box.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in _NUMBERS or not all(map(math.isfinite, numbers)):
        msg = "bbox must be four or six numbers with commas between them (范围应为四个或六个数)"
        raise BadQueryError(msg)
    low_x, low_y, high_x, high_y = (numbers[at] for at in _NUMBERS[len(numbers)])
    if system.is_north_first:
        low_x, low_y, high_x, high_y = low_y, low_x, high_y, high_x
    if low_y > high_y:
        msg = "bbox must run from south to north (范围应自南向北)"
        raise BadQueryError(msg)
    if low_x <= high_x:
        return ((low_x, low_y, high_x, high_y),)
    if system.crs.is_geographic:
        return (low_x, low_y, 180.0, high_y), (-180.0, low_y, high_x, high_y)
    msg = "bbox must run from west to east (范围应自西向东)"
    raise BadQueryError(msg)
