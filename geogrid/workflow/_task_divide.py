"""The main job on stored files: a new plan in a project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geogrid.errors import InputError
from geogrid.io.plan_file import write_plan
from geogrid.model.source import Source
from geogrid.vocabulary import FileRole
from geogrid.workflow._task import Beside, told
from geogrid.workflow._task_circles import stations_of_plan
from geogrid.workflow.division import Division, divide_district, measure_service
from geogrid.workflow.inputs import (
    Households,
    Job,
    Stations,
    read_households_of,
    read_place,
    read_stations_of,
)
from geogrid.workflow.keeping import newest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.io.limit import LimitFile
    from geogrid.model.extract import OsmExtract
    from geogrid.store import StoredFile
    from geogrid.workflow._task import Task

__all__ = ["divide_project"]

# How far the job is when it begins with each stage, and what people read then.
_STAGES: Mapping[str, tuple[float, str]] = MappingProxyType({
    "atoms": (0.15, "生成地块 atoms"),
    "division": (0.35, "划分网格 division"),
    "proof": (0.7, "校验 proof"),
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Inputs:
    """What was read."""

    limit: LimitFile
    extract: OsmExtract
    households: Households
    stations: Stations


def divide_project(task: Task) -> dict[str, Any]:
    """Divide ``limit`` by ``scheme`` and keep the plan as ``name``.

    What is not given is taken from the plan ``like``; then households are estimated from the
    buildings of the map, and its public services stand in for stations.
    """
    task.tell(0.02, "读取 reading")
    given = _read(task)
    division = divide_district(
        given.limit.district,
        given.extract,
        households=given.households.frame,
        household_source=given.households.source,
        scheme=str(task.job.input["scheme"]),
        sources=(given.limit.source, given.stations.source),
        seed=int(task.job.input["seed"]),
        stage=lambda word: task.tell(*_STAGES[word]),
    )
    task.tell(0.75, "计算服务圈 walking")
    reach = measure_service(division, given.stations.frame)
    task.tell(0.85, "写入 writing")
    path = write_plan(
        division.plan, task.folder / "plan.gpkg", reach=reach, stations=given.stations.frame,
        report=division.report,
    )  # fmt: skip
    notes = (*given.limit.notes, *given.households.notes, *given.stations.notes, *division.notes)
    service = Beside(FileRole.SERVICE, path, {"notes": told(notes)})
    return task.keep_plan(division.plan, [*_points(task, division), service])


def _read(task: Task) -> _Inputs:
    own = {key: task.file(key) for key in ("limit", "households", "stations")}
    like = task.job.input.get("like")
    points = own["households"]
    if points is None and like:
        points = newest(task.store, FileRole.HOUSEHOLDS, plan_id=str(like))
    job = Job(
        limit=_limit_path(task, own["limit"]),
        osm=task.map_path(),
        households=None if points is None else task.laid_out(points),
        stations=None if own["stations"] is None else task.laid_out(own["stations"]),
        scheme=str(task.job.input["scheme"]),
    )
    limit, extract = read_place(job)
    limit = replace(limit, source=_called(limit.source, own["limit"]))
    households = read_households_of(job, limit)
    if households.source is not None:
        known = _called(households.source, own["households"])
        if own["households"] is None:
            known = _source_like(task) or known
        households = replace(households, source=known)
    stations = _like_stations(task, extract) if own["stations"] is None and like else None
    if stations is None:
        stations = read_stations_of(job, limit, extract)
        stations = replace(stations, source=_called(stations.source, own["stations"]))
    return _Inputs(limit=limit, extract=extract, households=households, stations=stations)


def _limit_path(task: Task, file: StoredFile | None) -> Path:
    if file is not None:
        return task.laid_out(file)
    version = task.job.input.get("like_version")
    if not version:
        msg = (
            "nothing says what to divide: give a file with the limit, or a plan whose limit to "
            "take (请给出边界文件或已有方案)"
        )
        raise InputError(msg)
    place = task.store.read(str(version)).district
    path = task.folder / "limit.gpkg"
    facts = {"name": [place.name], "code": [place.code]}
    gpd.GeoDataFrame(facts, geometry=[place.limit], crs=place.crs).to_file(path, layer="limit")
    return path


def _like_stations(task: Task, extract: OsmExtract) -> Stations | None:
    found = stations_of_plan(task, str(task.job.input["like"]))
    if found is None:
        return None
    source = Source(role="stations", name="现有方案的服务站")
    return Stations(frame=found.to_crs(extract.crs), source=source)


def _called(source: Source, file: StoredFile | None) -> Source:
    """Name a source as whoever uploaded it did."""
    return source if file is None else replace(source, name=file.name)


def _source_like(task: Task) -> Source | None:
    """Return where the plan whose households are taken has them from: an estimate stays one."""
    plan = task.store.read(str(task.job.input["like_version"]))
    return next((one for one in plan.sources if one.role == "households"), None)


def _points(task: Task, division: Division) -> list[Beside]:
    """Return where the households are, for edits that cut atoms; nothing where nobody lives."""
    points = division.households
    if points.empty:
        return []
    numbers = [str(number) for number in range(1, len(points) + 1)]
    kept = gpd.GeoDataFrame(
        {
            "household_id": points["household_id"].astype(str) if "household_id" in points
            else numbers,
            "households": points["households"].to_numpy(),
        },
        geometry=points.geometry.to_numpy(), crs=points.crs,
    )  # fmt: skip
    path = task.folder / "points.gpkg"
    kept.to_file(path, layer="households")
    return [Beside(FileRole.HOUSEHOLDS, path, {"rows": len(kept)})]
