"""The limit of a place: the user's polygon, or a made-up outline of the true area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import CrsError, InputError
from geogrid.model.district import District
from geogrid.model.source import Source
from geogrid.planar.crs import district_crs
from geogrid.planar.lattice import snap
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry import MultiPolygon
    from shapely.geometry.base import BaseGeometry

    from geogrid.synthetic._draws import Draws
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["centre_of", "limit_of"]

_CORNERS = 360
_WAVES = range(2, 14)


def limit_of(
    spec: PlaceSpec, limit: District | gpd.GeoDataFrame | gpd.GeoSeries | None, draws: Draws
) -> tuple[District, Source]:
    """Return the district in its own CGCS2000 zone, and where its limit came from."""
    crs = district_crs(*spec.location)
    if limit is None:
        shape: BaseGeometry = _outline(spec, _to_metres(spec.location, spec), draws)
        name, is_synthetic = f"{spec.title} 示意边界", True
    else:
        frame = _frame_of(limit)
        shape = frame.to_crs(crs).union_all()
        name, is_synthetic = "limit given by the user", False
    if not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    whole = as_multipolygon(snap(shape))
    if whole.is_empty:
        msg = "the limit has no area: give a polygon of the district"
        raise InputError(msg)
    district = District(limit=whole, crs=crs, name=spec.name, code=spec.code, admin_rank=spec.rank)
    return district, Source(role="limit", name=name, is_synthetic=is_synthetic)


def centre_of(spec: PlaceSpec, limit: MultiPolygon) -> npt.NDArray[np.float64]:
    """Return the town centre in metres: the true one where it lies well inside the limit."""
    places = [place for place in (spec.centre, spec.location) if place is not None]
    reach = 0.05 * np.sqrt(limit.area)
    for place in places:
        xy = _to_metres(place, spec)
        if shapely.distance(limit.boundary, shapely.Point(xy)) > reach and limit.contains(
            shapely.Point(xy)
        ):
            return xy
    largest = max(limit.geoms, key=lambda part: part.area)
    point = shapely.maximum_inscribed_circle(largest, tolerance=0.02 * np.sqrt(limit.area))
    return np.asarray(shapely.get_coordinates(point)[0])


def _frame_of(limit: District | gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    if isinstance(limit, District):
        series = gpd.GeoSeries([limit.limit], crs=limit.crs)
    else:
        series = gpd.GeoSeries(limit.geometry)
    if series.crs is None:
        msg = "the limit has no coordinate system: set one before making a place inside it"
        raise CrsError(msg)
    return series


def _to_metres(place: tuple[float, float], spec: PlaceSpec) -> npt.NDArray[np.float64]:
    """Project degrees of CGCS2000 to the place's zone."""
    point = gpd.GeoSeries.from_xy([place[0]], [place[1]], crs=4490)
    metres: npt.NDArray[np.float64] = shapely.get_coordinates(
        point.to_crs(district_crs(*spec.location))
    )[0]
    return metres


def _outline(spec: PlaceSpec, middle: npt.NDArray[np.float64], draws: Draws) -> BaseGeometry:
    """Draw a closed curve of the exact area; high waves are small, so it never meets itself."""
    rng = draws.stream("outline")
    angle = np.linspace(0.0, 2 * np.pi, _CORNERS, endpoint=False)
    radius = np.ones(_CORNERS)
    for wave in _WAVES:
        radius += (
            0.45
            / wave**1.2
            * (rng.random() - 0.4)
            * np.cos(wave * angle + 2 * np.pi * rng.random())
        )
    radius = np.maximum(radius, 0.45)
    ring = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    unit = shapely.Polygon(ring)
    size = np.sqrt(spec.area_km2 * 1e6 / unit.area)
    return shapely.Polygon(ring * size + middle)
