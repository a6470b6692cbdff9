"""What a caller may give, brought to one strict form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import CrsError, InputError
from geogrid.model.counts import households_in
from geogrid.planar.crs import require_metric, to_metric
from geogrid.planar.noding import as_multipolygon
from geogrid.repair._owners import POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District

__all__ = [
    "areas_of",
    "cell_households",
    "codes_of",
    "is_mixed",
    "limit_shape",
    "locked_rows",
    "metric_table",
]

_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_NO_POLYGON = "there is no polygon to repair: give a layer of grid cells"


def metric_table(cells: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Return a copy of the cells in metres, every row kept.

    Raises
    ------
    InputError
        If there is no polygon.
    CrsError
        If they are degrees without a coordinate system.
    """
    frame = gpd.GeoDataFrame(geometry=cells) if isinstance(cells, gpd.GeoSeries) else cells.copy()
    shapes = frame.geometry.to_numpy()
    kinds = (*_AREAS, shapely.GeometryType.GEOMETRYCOLLECTION)
    if not (np.isin(shapely.get_type_id(shapes), kinds) & ~shapely.is_empty(shapes)).any():
        raise InputError(_NO_POLYGON)
    if frame.crs is not None:
        frame = to_metric(frame)
    require_metric(frame)
    return frame


def areas_of(frame: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Return flat polygons: those in a collection, and an empty one where there is none.

    What has coordinates that are no numbers counts as empty.

    Raises
    ------
    InputError
        If all are empty.
    """
    shapes = np.array(frame.geometry.to_numpy(), dtype=object)
    raised = np.flatnonzero(shapely.has_z(shapes) | shapely.has_m(shapes))
    shapes[raised] = shapely.force_2d(shapes[raised])
    for row in np.flatnonzero(is_mixed(frame)).tolist():
        parts = shapely.get_parts(as_multipolygon(shapes[row]))
        shapes[row] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
    shapes[~np.isin(shapely.get_type_id(shapes), _AREAS)] = shapely.Polygon()
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    shapes[owner[~np.isfinite(xy).all(axis=1)]] = shapely.Polygon()
    if shapely.is_empty(shapes).all():
        raise InputError(_NO_POLYGON)
    return shapes


def is_mixed(frame: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    """Tell which rows are collections of polygons and whatever else."""
    kinds = shapely.get_type_id(frame.geometry.to_numpy())
    return np.asarray(kinds == shapely.GeometryType.GEOMETRYCOLLECTION, dtype=np.bool_)


def codes_of(frame: gpd.GeoDataFrame) -> tuple[list[str], npt.NDArray[np.bool_]]:
    """Return the cells' codes, of which one may come twice, and which cells have none.

    The codes are numbers from 1 where there is no column, and ``row 3`` where the third row of one
    is blank.
    """
    if "code" not in frame:
        numbers = [str(number) for number in range(1, len(frame) + 1)]
        return numbers, np.zeros(len(frame), dtype=np.bool_)
    codes = [str(code) for code in frame["code"].tolist()]
    is_blank = np.array([not code.strip() for code in codes], dtype=np.bool_)
    lacks = is_blank | frame["code"].isna().to_numpy()
    for row in np.flatnonzero(lacks).tolist():
        codes[row] = f"row {row + 1}"
    return codes, lacks


def limit_shape(
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry, crs: CRS | None
) -> shapely.MultiPolygon:
    """Return the limit in the cells' frame.

    Raises
    ------
    CrsError
        If only the limit has a coordinate system.
    InputError
        If it has no polygon or is invalid.
    """
    if isinstance(limit, shapely.Geometry):
        shape, own = limit, None
    elif isinstance(limit, gpd.GeoDataFrame | gpd.GeoSeries):
        series = limit.geometry
        own = series.crs
        shape = series.iloc[0] if len(series) == 1 else series.union_all()
    else:
        shape, own = limit.limit, limit.crs
    if own is not None and crs is None:
        msg = f"the limit is in {own.name} but the cells have no coordinate system: set theirs"
        raise CrsError(msg)
    if own is not None and crs is not None and own != crs:
        shape = gpd.GeoSeries([shape], crs=own).to_crs(crs).iloc[0]
    whole = as_multipolygon(shapely.force_2d(shape))
    if whole.is_empty:
        msg = "the limit has no polygon: give the area that the cells should cover"
        raise InputError(msg)
    if not whole.is_valid:
        reason = shapely.is_valid_reason(whole)
        msg = f"the limit is no valid polygon ({reason}): mend it before the cells"
        raise InputError(msg)
    return whole


def locked_rows(locked: Iterable[str], codes: list[str]) -> npt.NDArray[np.bool_]:
    """Tell which cells are locked.

    Raises
    ------
    InputError
        If a code names no cell.
    """
    wanted = {locked} if isinstance(locked, str) else {str(code) for code in locked}
    unknown = sorted(wanted - set(codes))
    if unknown:
        msg = f"no cell has the code {unknown[0]}: lock cells that are in the layer"
        raise InputError(msg)
    return np.array([code in wanted for code in codes], dtype=np.bool_)


def cell_households(
    policy: str,
    frame: gpd.GeoDataFrame,
    shapes: npt.NDArray[np.object_],
    households: gpd.GeoDataFrame | None,
) -> npt.NDArray[np.int64] | None:
    """Return households per cell where the policy needs them.

    Raises
    ------
    InputError
        If the policy is unknown, or needs households that nobody gave.
    """
    if policy not in POLICIES:
        msg = f"the policy {policy!r} is not known: use one of {', '.join(POLICIES)}"
        raise InputError(msg)
    if policy != "fewest_households":
        return None
    if households is not None:
        return households_in(shapes, households)
    if "households" in frame:
        return frame["households"].fillna(0).to_numpy(np.int64)
    msg = "fewest_households needs households: give points, or cells with a households column"
    raise InputError(msg)
