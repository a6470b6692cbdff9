"""What a check is given, brought into one table and one metric frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.errors import CrsError, InputError
from geogrid.planar.crs import to_metric
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District

__all__ = ["in_frame", "limit_of", "table_of"]

_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def table_of(cells: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(geometry=cells) if isinstance(cells, gpd.GeoSeries) else cells
    shapes = frame.geometry.to_numpy()
    if not len(shapes) or not np.isin(shapely.get_type_id(shapes), _AREAS).any():
        msg = "there is no polygon to check: give a layer of grid cells"
        raise InputError(msg)
    if frame.crs is not None:
        frame = to_metric(frame)
    codes = frame["code"] if "code" in frame else pd.Series(range(1, len(frame) + 1))
    is_area = np.isin(shapely.get_type_id(frame.geometry.to_numpy()), _AREAS)
    keep = {"code": codes.astype(str).to_numpy()}
    if "parent" in frame:
        keep["parent"] = frame["parent"].astype(str).to_numpy()
    shapes = frame.geometry.to_numpy()
    if shapely.has_z(shapes).any():
        shapes = shapely.force_2d(shapes)
    if not is_area.all():
        shapes = shapes.copy()
        shapes[~is_area] = shapely.Polygon()
    return gpd.GeoDataFrame(keep, geometry=shapes, crs=frame.crs)


def in_frame(other: gpd.GeoDataFrame, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if other.crs == table.crs or other.crs is None or table.crs is None:
        return other
    return other.to_crs(table.crs)


def limit_of(
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry | None,
    table: gpd.GeoDataFrame,
    notes: list[str],
) -> shapely.MultiPolygon:
    if limit is None:
        notes.append("no limit was given: the outline of the cells was taken, its holes filled")
        return _outline(table.geometry.to_numpy())
    if isinstance(limit, shapely.Geometry):
        return as_multipolygon(limit)
    if isinstance(limit, gpd.GeoDataFrame | gpd.GeoSeries):
        series = limit.geometry
        shape, crs = series.union_all() if len(series) > 1 else series.iloc[0], series.crs
    else:
        shape, crs = limit.limit, limit.crs
    if crs is not None and table.crs is not None and crs != table.crs:
        shape = gpd.GeoSeries([shape], crs=crs).to_crs(table.crs).iloc[0]
    if crs is not None and table.crs is None:
        msg = f"the limit is in {crs.name} but the cells have no coordinate system: set theirs"
        raise CrsError(msg)
    whole = as_multipolygon(shape)
    if whole.is_empty:
        msg = "the limit has no polygon: give the area that the cells should cover"
        raise InputError(msg)
    return whole


def _outline(shapes: npt.NDArray[np.object_]) -> shapely.MultiPolygon:
    sound = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    united = shapely.get_parts([as_multipolygon(shapely.union_all(sound))])
    return as_multipolygon(shapely.union_all(shapely.polygons(shapely.get_exterior_ring(united))))
