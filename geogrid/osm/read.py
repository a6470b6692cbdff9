"""An OpenStreetMap extract as tables in one metric frame."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Geod
from shapely.geometry import MultiPolygon, Polygon

from geogrid.errors import CrsError, InputError
from geogrid.model.extract import OsmExtract
from geogrid.model.source import Source
from geogrid.osm import _tables
from geogrid.osm._features import Features, Projection
from geogrid.osm._file import scan_osm
from geogrid.osm._partial import bank_lines, building_outline
from geogrid.osm._tags import is_building, is_street
from geogrid.osm.limits import assemble_limits
from geogrid.planar.crs import district_crs, to_metric

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geogrid.osm._scan import Group, Scan

__all__ = ["read_osm"]

LICENCE = "ODbL 1.0"
ATTRIBUTION = "© OpenStreetMap contributors"

LimitLike = gpd.GeoDataFrame | gpd.GeoSeries | Polygon | MultiPolygon

# The straight side of a box in degrees is a curve in metres: points this close keep within 1 m.
_BOX_STEP_DEG = 0.01

_log = logging.getLogger(__name__)


def read_osm(
    path: str | os.PathLike[str], *, limit: LimitLike | None = None, margin_m: float = 1500.0
) -> OsmExtract:
    """Read streets, rails, waters, walls, buildings, limits and services of an extract.

    Parameters
    ----------
    path
        An ``.osm``, ``.osm.gz`` or ``.osm.pbf`` file.
    limit
        The area that matters; a bare polygon is in degrees of WGS 84. Its frame is kept if it is
        metric, else its district's is taken. Without it, all of the file is read.
    margin_m
        Features within this many metres of ``limit`` stay, whole: people walk across it. Limits
        that are incomplete in the file have no place, so they are listed all the same.

    Returns
    -------
    OsmExtract
        Tables in one metric frame; also empty tables have their columns.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If the file is no OpenStreetMap data, is damaged, holds no street and no building, or lies
        elsewhere than ``limit``.
    CrsError
        If ``limit`` has no coordinate system.
    """
    if not margin_m >= 0:
        msg = f"the margin (margin_m=) must be 0 m or more, got {margin_m}"
        raise InputError(msg)
    area = None if limit is None else _metric_limit(limit)
    scan = scan_osm(path)
    name = Path(path).name
    extent = _extent(scan)
    if extent is None:
        msg = f"{name} holds no street and no building: give an extract of the district"
        raise InputError(msg)
    if area is None:
        crs, near = district_crs(*extent.centre), None
    else:
        _require_touch(name, extent.box, area)
        crs, near = CRS(area.crs), area.union_all().buffer(margin_m)
    extract = _tabulate(scan, Projection.to(crs), near, extent.box, name)
    if extract.streets.empty and extract.buildings.empty:
        where = "" if limit is None else f" within {margin_m:g} m of the limit"
        msg = f"{name} holds no street and no building{where}: give an extract of the district"
        raise InputError(msg)
    return extract


@dataclass(frozen=True, slots=True)
class _Extent:
    """Where an extract lies, in degrees."""

    box: Polygon
    centre: tuple[float, float]


def _extent(scan: Scan) -> _Extent | None:
    """Return the header's box, else that of the streets, else that of the buildings.

    Extracts hold nodes far outside (whole ways and relations), so without a header the centre is
    the median of the streets' nodes and not the middle of their box.
    """
    if scan.box is not None:
        west, south, east, north = scan.box
        return _Extent(shapely.box(*scan.box), ((west + east) / 2, (south + north) / 2))
    for records, rule in ((scan.lines, is_street), (scan.areas, is_building)):
        rows = np.array([rule(tags) for tags in records.tags], dtype=bool)
        if rows.any():
            shapes = records.geometries()[rows]
            lon, lat = np.median(shapely.get_coordinates(shapes), axis=0).tolist()
            return _Extent(shapely.box(*shapely.total_bounds(shapes)), (lon, lat))
    return None


def _tabulate(
    scan: Scan, projection: Projection, near: shapely.Geometry | None, box: Polygon, name: str
) -> OsmExtract:
    crs = projection.crs
    shapely.prepare(near)
    lines = projection.features(scan.lines).touching(near)
    areas = projection.features(scan.areas).touching(near)
    points = projection.features(scan.points).touching(near)
    ways = projection.ways(scan.ways)
    partial, banks = _cut_features(scan.unjoined, ways, name)
    limits = assemble_limits(scan.administrative, ways)
    whole = [limit for limit in limits if limit.shape is not None]
    return OsmExtract(
        streets=_tables.streets_table(lines, crs),
        squares=_tables.squares_table(lines, crs),
        rails=_tables.rails_table(lines, crs),
        waters=_tables.waters_table(lines, areas, banks.touching(near), crs),
        walls=_tables.walls_table(lines, areas, points, crs),
        buildings=_tables.buildings_table(areas, partial.touching(near), lines, crs),
        limits=_tables.limits_table(whole, near, crs),
        pois=_tables.pois_table(points, areas, crs),
        incomplete_limits=_tables.incomplete_table([one for one in limits if one.shape is None]),
        box=projection.shapes(np.array([shapely.segmentize(box, _BOX_STEP_DEG)]))[0],
        crs=crs,
        source=Source(
            role="osm", name=name, date=scan.date, licence=LICENCE, attribution=ATTRIBUTION
        ),
    )


def _cut_features(
    groups: Sequence[Group], ways: Mapping[int, NDArray[np.float64]], name: str
) -> tuple[Features, Features]:
    """Return the buildings and the banks of which the file holds only a part."""
    outlines = [
        (group, outline)
        for group in groups
        if is_building(group.tags) and (outline := building_outline(group, ways)) is not None
    ]
    banks = [
        (group, bank)
        for group in groups
        if not is_building(group.tags)
        for bank in bank_lines(group, ways)
    ]
    if groups:
        _log.info(
            "%s lacks parts of %d buildings and waters: kept %d outlines and %d banks as known",
            name, len(groups), len(outlines), len(banks),
        )  # fmt: skip
    return _group_features(outlines), _group_features(banks)


def _group_features(rows: Sequence[tuple[Group, shapely.Geometry]]) -> Features:
    return Features.of(
        [group.osm_id for group, _ in rows],
        [group.tags for group, _ in rows],
        [shape for _, shape in rows],
    )


def _metric_limit(limit: LimitLike) -> gpd.GeoSeries:
    """Return the limit in its own metric frame, else in its district's."""
    if isinstance(limit, Polygon | MultiPolygon):
        west, south, east, north = limit.bounds if not limit.is_empty else (0, 0, 0, 0)
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - the globe
            msg = "a bare polygon must be in degrees: put the limit into a GeoSeries with its crs"
            raise CrsError(msg)
        series = gpd.GeoSeries([limit], crs=4326)
    else:
        series = limit.geometry
    series = gpd.GeoSeries(series[~(series.isna() | series.is_empty)])
    if series.empty:
        msg = "the limit is empty: give an area"
        raise InputError(msg)
    return to_metric(gpd.GeoDataFrame(geometry=series.make_valid())).geometry


def _require_touch(name: str, box: Polygon, limit: gpd.GeoSeries) -> None:
    """Refuse an extract of somewhere else, and say how far off it is."""
    area = limit.to_crs(4326).union_all()
    if shapely.intersects(area, box):
        return
    (from_lon, from_lat), (to_lon, to_lat) = shapely.get_coordinates(
        shapely.shortest_line(area, box)
    )
    distance_m = Geod(ellps="WGS84").inv(from_lon, from_lat, to_lon, to_lat)[2]
    msg = (
        f"the limit lies outside {name}, {distance_m / 1000:.1f} km away: "
        "give the extract and the limit of the same district, and check the limit's datum and CRS"
    )
    raise InputError(msg)
