"""The inputs of a main job: read, checked against each other, or made from the map."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.io.limit import LimitFile, check_overlap, read_limit, suggest_datum
from geogrid.io.tables import read_households, read_stations
from geogrid.osm import read_osm
from geogrid.stations.stand_ins import stand_in_stations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.model.extract import OsmExtract
    from geogrid.model.source import Source
    from geogrid.walking import WalkNetwork

__all__ = [
    "MINUTES",
    "Households",
    "Job",
    "Stations",
    "read_households_of",
    "read_place",
    "read_stations_of",
    "require_near",
]

MINUTES = (5.0, 15.0)
# Nobody walks from farther than this to a district.
_NEAR_M = 5000.0
# Less of the district on the map than this is said, because blocks there are made of nothing.
_MOST_OF_IT = 0.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The files and settings of a main job.

    Attributes
    ----------
    limit, osm
        The district's limit and the OSM extract.
    households, stations
        Tables or point layers; households are estimated from buildings and services of the map
        stand in for stations where absent.
    scheme
        Name of a scheme or path of a file.
    limit_name, limit_layer
        Which areas of the limit's file, and which layer.
    limit_datum, households_datum, stations_datum
        Datum of each file's coordinates, see :func:`geogrid.read_layer`.
    columns
        Which column of the household table is what.
    preset
        Walking preset.
    minutes
        Limits of the service circles.
    seed
        Of the division.
    counts
        Exact number of cells by level.
    upper
        Files with official cells by level.
    special, groups, locks
        Files with special areas (专属网格), 村民小组, cells that stay together.
    near
        An older plan to stay near to.
    """

    limit: Path
    osm: Path
    households: Path | None = None
    stations: Path | None = None
    scheme: str = "huayang"
    limit_name: str | None = None
    limit_layer: str | None = None
    limit_datum: str | None = None
    households_datum: str | None = None
    stations_datum: str | None = None
    columns: Mapping[str, str] | None = None
    preset: str | None = None
    minutes: tuple[float, ...] = MINUTES
    seed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    upper: Mapping[str, Path] = field(default_factory=dict)
    special: Path | None = None
    groups: Path | None = None
    near: Path | None = None
    locks: Path | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Households:
    """The households of a job; ``frame`` is ``None`` where they are to be estimated."""

    frame: gpd.GeoDataFrame | None = None
    source: Source | None = None
    notes: tuple[str, ...] = ()
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stations:
    """The stations of a job; ``are_stand_ins`` when services of the map stand in for them."""

    frame: gpd.GeoDataFrame
    source: Source
    notes: tuple[str, ...] = ()
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)
    are_stand_ins: bool = False


def read_place(job: Job) -> tuple[LimitFile, OsmExtract]:
    """Read limit and extract of a job, and refuse them when they show different places."""
    limit = read_limit(job.limit, datum=job.limit_datum, layer=job.limit_layer, name=job.limit_name)
    district = limit.district
    outline = gpd.GeoSeries([district.limit], crs=district.crs)
    try:
        extract = read_osm(job.osm, limit=outline)
    except InputError:
        # The whole extract tells how far apart they are, and whether a datum explains it.
        check_overlap(district, read_osm(job.osm).streets, what="streets")
        raise
    check_overlap(district, extract.streets, what="streets")
    notes = []
    datum = None if job.limit_datum else suggest_datum(district, extract.limits)
    if datum:
        notes.append(f"the limit fits the map better as {datum}: try --datum {datum} and look")
    share = shapely.area(shapely.intersection(district.limit, extract.box)) / district.limit.area
    if share < _MOST_OF_IT:
        notes.append(
            f"the map covers only {share:.0%} of the limit: blocks beyond it are made of nothing, "
            "take an extract of the whole district"
        )
    return replace(limit, notes=(*notes, *limit.notes)), extract


def read_households_of(job: Job, limit: LimitFile) -> Households:
    """Read the households of a job, and refuse a table of another place."""
    if job.households is None:
        if job.columns:
            msg = "--column names a column of --households: give that file too"
            raise InputError(msg)
        return Households()
    table = read_households(
        job.households, crs=limit.district.crs, datum=job.households_datum, columns=job.columns
    )
    check_overlap(limit.district, table.frame, what="households")
    return Households(
        frame=table.frame, source=table.source, notes=table.notes, rejected=table.rejected
    )


def read_stations_of(job: Job, limit: LimitFile, extract: OsmExtract) -> Stations:
    """Read the stations of a job, or take services of the map in their place."""
    district = limit.district
    if job.stations is not None:
        table = read_stations(job.stations, crs=district.crs, datum=job.stations_datum)
        frame = table.frame.to_crs(extract.crs)
        around = replace(district, limit=shapely.multipolygons([_around(district.limit)]))
        check_overlap(around, frame, what="stations")
        return Stations(
            frame=frame, source=table.source, notes=table.notes, rejected=table.rejected
        )
    frame = stand_in_stations(extract, district)
    if frame.empty:
        msg = (
            "the map shows no public service that could stand in for a station: "
            "give stations with --stations"
        )
        raise InputError(msg)
    source = replace(extract.source, role="stations", note="地图上的公共服务设施代替党群服务站")
    return Stations(frame=frame, source=source, are_stand_ins=True)


def _around(limit: shapely.MultiPolygon) -> shapely.Polygon:
    return limit.convex_hull.buffer(_NEAR_M, quad_segs=4)


def require_near(network: WalkNetwork, points: gpd.GeoDataFrame, *, what: str) -> None:
    """Refuse points of which none lies anywhere near the network.

    Raises
    ------
    InputError
        Saying how far apart they are.
    """
    streets = gpd.GeoSeries(network.geometry, crs=network.crs)
    both = points.crs is not None and network.crs is not None
    there = points.to_crs(network.crs) if both and network.crs is not None else points
    hull = shapely.convex_hull(shapely.geometrycollections(streets.to_numpy()))
    apart_m = float(shapely.distance(hull, there.geometry.to_numpy()).min())
    if apart_m > _NEAR_M:
        msg = (
            f"the {what} lie {apart_m / 1000:.1f} km from the streets of the map: "
            "check that both files show the same place, and their coordinate systems"
        )
        raise InputError(msg)
