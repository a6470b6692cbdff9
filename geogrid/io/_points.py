"""Positions of rows: degrees or metres in, points in a metric frame out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as PyprojError

from geogrid.errors import CrsError, InputError
from geogrid.planar.crs import to_metric
from geogrid.planar.datum import bd09_to_wgs84, gcj02_to_wgs84, require_datum

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Positions", "layer_positions", "table_positions"]

_WGS84 = CRS.from_epsg(4326)
_MAX_LON, _MAX_LAT = 180.0, 90.0
# How far outside its official area of use a coordinate system is still believed.
_MARGIN_DEG = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """One point a row; where ``reasons`` is not "" the point is empty.

    Attributes
    ----------
    points
        In a metric frame.
    reasons
        Why a row has no usable position.
    notes
        Plain sentences about what was assumed.
    """

    points: gpd.GeoSeries
    reasons: NDArray[np.object_]
    notes: tuple[str, ...] = ()


def table_positions(
    values: pd.DataFrame, name: str, *, crs: str | int | CRS | None, datum: str | None
) -> Positions:
    """Read the positions of a table from ``lon`` and ``lat``, or ``x`` and ``y``.

    Parameters
    ----------
    values
        Texts.
    name
        Name of the file, for messages.
    crs
        Coordinate system of ``x`` and ``y``.
    datum
        Datum of degrees.

    Raises
    ------
    CrsError
        If the coordinates are metres and their coordinate system is not known.
    """
    plain = None if datum is None else require_datum(datum)
    first, second = ("lon", "lat") if {"lon", "lat"} <= set(values) else ("x", "y")
    x, y = _numbers(values[first]), _numbers(values[second])
    reasons = np.full(len(values), "", dtype=object)
    reasons[~(np.isfinite(x) & np.isfinite(y))] = "a coordinate is not a number"
    reasons[(values[first].eq("") | values[second].eq("")).to_numpy()] = "a coordinate is blank"
    usable = reasons == ""
    system = _system(x[usable], y[usable], name, first=first, crs=crs)
    if system.is_geographic:
        return _degrees(x, y, reasons, datum=plain)
    x, y, notes = _east_first(x, y, usable, system)
    points = gpd.GeoSeries(_points(x, y, usable), crs=system)
    return Positions(_metric(points), reasons, notes)


def layer_positions(frame: gpd.GeoDataFrame) -> Positions:
    """Take one point of each feature of a layer in a metric frame."""
    shapes = frame.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    reasons = np.full(len(shapes), "", dtype=object)
    is_line = np.isin(kinds, (shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING, 5))
    reasons[is_line] = "the feature is a line, not a point"
    reasons[absent] = "the feature has no geometry"
    is_point = kinds == shapely.GeometryType.POINT
    others = ~is_point & (reasons == "")
    points = np.where(is_point, shapes, shapely.point_on_surface(shapes))
    points[reasons != ""] = None
    count = int(others.sum())
    notes = (f"{count} features are no single points: a point inside was taken",) if count else ()
    series = gpd.GeoSeries(points, crs=frame.crs)
    return Positions(series, reasons, notes)


def _system(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    name: str,
    *,
    first: str,
    crs: str | int | CRS | None,
) -> CRS:
    """Return the coordinate system: the user's, else degrees where the numbers allow it."""
    # No metric system has a whole district within 180 m of its origin.
    in_degrees = bool((np.abs(x) <= _MAX_LON).all() and (np.abs(y) <= _MAX_LAT).all())
    if first == "lon" or in_degrees:
        return _WGS84
    if crs is not None:
        try:
            return CRS.from_user_input(crs)
        except PyprojError as error:
            msg = f"the coordinate system {crs} is not known: give an EPSG code such as EPSG:4547"
            raise CrsError(msg) from error
    msg = (
        f"the x and y of {name} are metres of an unknown system: say which in Python "
        "(crs='EPSG:4547'), or give degrees in columns 经度 and 纬度 (lon, lat)"
    )
    raise CrsError(msg)


def _degrees(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    reasons: NDArray[np.object_],
    *,
    datum: str | None,
) -> Positions:
    usable = reasons == ""
    off = usable & ((np.abs(lon) > _MAX_LON) | (np.abs(lat) > _MAX_LAT))
    reasons[off] = "the position is not on the globe (are longitude and latitude swapped?)"
    # 0, 0 is what geocoders and phones write when they know nothing.
    nowhere = usable & (lon == 0) & (lat == 0)
    reasons[nowhere] = "the position is 0, 0, which means unknown"
    usable = reasons == ""
    back = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}.get(datum or "")
    x, y = lon.copy(), lat.copy()
    if back is not None:
        x[usable], y[usable] = back(lon[usable], lat[usable])
    points = gpd.GeoSeries(_points(x, y, usable), crs=_WGS84)
    return Positions(_metric(points), reasons)


def _metric(points: gpd.GeoSeries) -> gpd.GeoSeries:
    if points.isna().all():
        return points
    return to_metric(gpd.GeoDataFrame(geometry=points)).geometry


def _points(
    x: NDArray[np.float64], y: NDArray[np.float64], usable: NDArray[np.bool_]
) -> NDArray[np.object_]:
    points = np.full(len(x), None, dtype=object)
    points[usable] = shapely.points(x[usable], y[usable])
    return points


def _east_first(
    x: NDArray[np.float64], y: NDArray[np.float64], usable: NDArray[np.bool_], system: CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Swap the columns where x is the northing, as Chinese surveyors write it."""
    if not usable.any() or _is_in_use(x[usable], y[usable], system):
        return x, y, ()
    if not _is_in_use(y[usable], x[usable], system):
        msg = (
            f"x and y do not lie where {system.name} is used: check that they are of that system "
            "(crs=), or give degrees in columns 经度 and 纬度 (lon, lat)"
        )
        raise InputError(msg)
    return y, x, ("x is the northing, as surveyors write it: x and y were exchanged",)


def _is_in_use(x: NDArray[np.float64], y: NDArray[np.float64], system: CRS) -> bool:
    area = system.area_of_use
    if area is None:
        return True
    middle = gpd.GeoSeries([shapely.Point(np.median(x), np.median(y))], crs=system).to_crs(_WGS84)
    spot = middle.iloc[0]
    box = shapely.box(area.west, area.south, area.east, area.north).buffer(_MARGIN_DEG)
    return bool(shapely.intersects(box, spot))


def _numbers(texts: pd.Series) -> NDArray[np.float64]:
    plain = texts.str.replace(r"[\s°，]", "", regex=True)
    return np.asarray(pd.to_numeric(plain, errors="coerce"), dtype=np.float64)
