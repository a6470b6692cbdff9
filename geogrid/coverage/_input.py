"""What a check is given, brought into one table and one metric frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
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
    is_area = np.isin(shapely.get_type_id(frame.geometry.to_numpy()), _AREAS)
    keep = {"code": _codes(frame)}
    if "parent" in frame:
        keep["parent"] = frame["parent"].astype(str).to_numpy()
    shapes = frame.geometry.to_numpy()
    if shapely.has_z(shapes).any():
        shapes = shapely.force_2d(shapes)
    if not is_area.all():
        shapes = shapes.copy()
        shapes[~is_area] = shapely.Polygon()
    return gpd.GeoDataFrame(keep, geometry=shapes, crs=frame.crs)


def _codes(frame: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Return each cell's code as text; a cell without one is called after its row, from 1."""
    rows = np.array([str(row) for row in range(1, len(frame) + 1)], dtype=object)
    if "code" not in frame:
        return rows
    given = frame["code"]
    is_missing = given.isna().to_numpy()
    if not is_missing.any():
        return given.astype(str).to_numpy(dtype=object)
    return np.where(is_missing, "#" + rows, given.astype(object).astype(str).to_numpy(object))


def in_frame(
    other: gpd.GeoDataFrame, table: gpd.GeoDataFrame, *, what: str = "layer"
) -> gpd.GeoDataFrame:
    if other.crs == table.crs:
        return other
    if other.crs is None or table.crs is None:
        which = what if other.crs is None else "cells"
        msg = f"the {which} have no coordinate system, the others have one: set theirs"
        raise CrsError(msg)
    return other.to_crs(table.crs)


def limit_of(
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry | None,
    table: gpd.GeoDataFrame,
    notes: list[str],
) -> shapely.MultiPolygon:
    if limit is None:
        notes.append(
            "未给边界：以网格外轮廓（补上空洞）为边界 "
            "no limit was given: the outline of the cells was taken, its holes filled"
        )
        return _outline(table.geometry.to_numpy())
    shape: BaseGeometry
    if isinstance(limit, shapely.Geometry):
        shape, crs = limit, table.crs
    elif isinstance(limit, gpd.GeoDataFrame | gpd.GeoSeries):
        series = limit.geometry
        shape, crs = series.iloc[0] if len(series) == 1 else series.union_all(), series.crs
        if crs is None and table.crs is not None:
            msg = "the limit has no coordinate system but the cells have one: set the limit's"
            raise CrsError(msg)
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
