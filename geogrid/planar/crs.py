"""The one metric frame of a district.

Inside China it is CGCS2000 in the 3-degree Gauss-Krüger zone named by its central meridian (EPSG
4534 to 4554), elsewhere UTM. Areas and lengths are never taken in degrees or in EPSG:3857.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS

from geogrid.errors import CrsError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["district_crs", "is_in_china", "require_metric", "to_metric"]

# A coarse outline, good to some tens of kilometres. It only chooses between two conformal
# projections that are both sound near the border; it says nothing about where the border runs.
_CHINA = shapely.Polygon(
    [
        (73.4, 39.4), (75.2, 36.6), (78.0, 35.2), (78.6, 31.4), (81.3, 29.9), (85.6, 28.2),
        (88.9, 27.3), (92.1, 26.8), (95.5, 27.8), (97.4, 28.2), (98.6, 25.9), (97.5, 24.0),
        (99.1, 22.1), (101.2, 21.1), (102.0, 22.4), (105.3, 23.3), (106.7, 21.9), (108.1, 21.4),
        (108.2, 17.6), (111.5, 17.8), (118.5, 21.6), (121.2, 21.6), (122.6, 25.6), (123.5, 31.0),
        (122.6, 34.0), (123.9, 38.7), (124.4, 40.1), (126.9, 41.6), (128.2, 41.9), (129.9, 42.4),
        (131.2, 43.0), (131.4, 44.9), (133.2, 45.1), (135.1, 48.4), (130.9, 47.9), (127.6, 50.2),
        (125.8, 53.2), (120.9, 53.5), (119.9, 52.4), (117.3, 49.6), (115.5, 48.1), (119.8, 46.7),
        (111.9, 43.7), (110.2, 42.7), (104.9, 41.7), (97.2, 42.8), (95.3, 44.3), (90.9, 45.2),
        (90.8, 47.0), (87.8, 49.2), (85.6, 48.4), (82.5, 45.4), (80.2, 45.0), (80.2, 42.2),
        (76.9, 41.1),
    ]
)  # fmt: skip
shapely.prepare(_CHINA)

_FIRST_MERIDIAN, _FIRST_EPSG = 75, 4534


def is_in_china(lon: float, lat: float) -> bool:
    """Tell whether a place in degrees lies inside a coarse outline of China."""
    return bool(shapely.contains_xy(_CHINA, lon, lat))


def district_crs(lon: float, lat: float) -> CRS:
    """Return the metric frame for a district centred at ``lon``, ``lat`` in degrees.

    Raises
    ------
    CrsError
        If the place is not on the globe, or too near a pole for UTM.
    """
    if not (np.isfinite(lon) and np.isfinite(lat) and abs(lon) <= 180 and -80 <= lat <= 84):  # noqa: PLR2004 - the globe
        msg = (
            f"no metric frame for longitude {lon:g}, latitude {lat:g}: "
            "check the coordinate system of the file"
        )
        raise CrsError(msg)
    if is_in_china(lon, lat):
        return CRS.from_epsg(_FIRST_EPSG + round((lon - _FIRST_MERIDIAN) / 3))
    zone = int((lon + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def _is_metric(crs: CRS) -> bool:
    is_web_mercator = crs.to_epsg(min_confidence=90) == 3857  # noqa: PLR2004 - its EPSG code
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    return crs.is_projected and units <= {"metre", "meter"} and not is_web_mercator


def to_metric(frame: gpd.GeoDataFrame, crs: CRS | None = None) -> gpd.GeoDataFrame:
    """Return ``frame`` in a metric frame: ``crs``, else its own, else its district's.

    Raises
    ------
    CrsError
        If the frame has no coordinate system.
    """
    if frame.crs is None:
        msg = "the layer has no coordinate system: add a .prj or set one before reading it"
        raise CrsError(msg)
    if crs is not None:
        return frame if frame.crs == crs else frame.to_crs(crs)
    if _is_metric(frame.crs):
        return frame
    degrees = frame if frame.crs.is_geographic else frame.to_crs(4326)
    west, south, east, north = degrees.total_bounds
    return degrees.to_crs(district_crs((west + east) / 2, (south + north) / 2))


def require_metric(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> None:
    """Refuse a table whose coordinates are not metres.

    A table without any coordinate system is taken for plain local metres.

    Raises
    ------
    CrsError
        If the coordinate system is geographic, EPSG:3857 or not in metres.
    """
    if frame.crs is not None and not _is_metric(frame.crs):
        msg = f"{frame.crs.name} does not measure in true metres: use geogrid.read_layer or to_crs"
        raise CrsError(msg)
