"""The main job on files: read, divide, prove, walk, write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geogrid.errors import InputError
from geogrid.io.limit import LimitFile, check_overlap, read_limit, suggest_datum
from geogrid.io.plan_file import write_plan
from geogrid.io.tables import read_households, read_stations, write_outside
from geogrid.maps.plan_map import write_map
from geogrid.osm import read_osm
from geogrid.stations.stand_ins import stand_in_stations
from geogrid.workflow.division import MINUTES, Division, divide_district, measure_service
from geogrid.workflow.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geogrid.model.extract import OsmExtract
    from geogrid.model.reach import Reach
    from geogrid.model.source import Source

__all__ = ["Job", "Outcome", "read_households_of", "read_place", "run_job"]


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What a job made: the plan, the reach, the files and the summary."""

    division: Division
    reach: Reach
    files: Mapping[str, Path]
    summary: Mapping[str, Any]


def run_job(job: Job, out: Path, *, stage: Callable[[str], None] = lambda _: None) -> Outcome:
    """Do the whole main job and write its files into a folder.

    Parameters
    ----------
    job
        Files and settings.
    out
        The folder; made where absent. Files of the same names there are replaced.
    stage
        Told what is being done.

    Returns
    -------
    Outcome
        The plan, the reach, the files by role and the summary.

    Raises
    ------
    InputError
        If an input cannot be used; nothing is written then.
    OutputError
        If a file cannot be written.
    """
    stage("reading")
    limit, extract = read_place(job)
    households, household_source, notes = read_households_of(job, limit)
    stations, station_source = _stations_of(job, limit, extract)
    division = divide_district(
        limit.district,
        extract,
        households=households,
        household_source=household_source,
        scheme=job.scheme,
        sources=(limit.source, station_source),
        seed=job.seed,
        stage=stage,
    )
    stage("walking")
    reach = measure_service(division, stations, minutes=job.minutes, preset=job.preset)
    stage("writing")
    files = _write_all(out, division, reach, stations)
    summary = {
        **summary_of(division.plan, division.report, reach),
        "households_outside": int(division.outside["households"].sum()),
        "notes": [*limit.notes, *notes, *division.notes],
        "files": {role: str(path) for role, path in files.items()},
    }
    return Outcome(division=division, reach=reach, files=files, summary=summary)


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
    datum = None if job.limit_datum else suggest_datum(district, extract.limits)
    if datum:
        note = f"the limit fits the map better as {datum}: look, and read it with --datum {datum}"
        limit = replace(limit, notes=(*limit.notes, note))
    return limit, extract


def read_households_of(
    job: Job, limit: LimitFile
) -> tuple[gpd.GeoDataFrame | None, Source | None, tuple[str, ...]]:
    """Read the households of a job: points, source and notes; ``None`` where none are given."""
    if job.households is None:
        return None, None, ()
    table = read_households(
        job.households, crs=limit.district.crs, datum=job.households_datum, columns=job.columns
    )
    check_overlap(limit.district, table.frame, what="households")
    return table.frame, table.source, table.notes


def _stations_of(
    job: Job, limit: LimitFile, extract: OsmExtract
) -> tuple[gpd.GeoDataFrame, Source]:
    if job.stations is not None:
        table = read_stations(job.stations, crs=limit.district.crs, datum=job.stations_datum)
        return table.frame.to_crs(extract.crs), table.source
    stations = stand_in_stations(extract, limit.district)
    if stations.empty:
        msg = (
            "the map shows no public service that could stand in for a station: "
            "give stations with --stations"
        )
        raise InputError(msg)
    note = "地图上的公共服务设施代替党群服务站"
    return stations, replace(extract.source, role="stations", note=note)


def _write_all(
    out: Path, division: Division, reach: Reach, stations: gpd.GeoDataFrame
) -> dict[str, Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the folder {out} cannot be made ({error.strerror}): choose another with --out"
        raise InputError(msg) from error
    files = {"plan": out / "plan.gpkg", "map": out / "map.html"}
    write_plan(division.plan, files["plan"], reach=reach, stations=stations, report=division.report)
    write_map(
        division.plan,
        files["map"],
        extract=division.extract,
        stations=stations,
        reach=reach,
        report=division.report,
    )
    if len(division.outside):
        files["outside"] = write_outside(division.outside, out / "households_outside.csv")
    return files
