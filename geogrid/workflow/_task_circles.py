"""Service circles of a version, and who is served in its cells, counted anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from geogrid.coverage import verify_plan
from geogrid.errors import InputError
from geogrid.io.plan_file import write_plan
from geogrid.io.tables import read_households, read_stations
from geogrid.osm import read_osm
from geogrid.vocabulary import FileRole
from geogrid.walking import WalkNetwork
from geogrid.workflow._task import outline, told
from geogrid.workflow.inputs import require_near
from geogrid.workflow.keeping import newest, stored_layers

if TYPE_CHECKING:
    from geogrid.model.plan import GridPlan
    from geogrid.workflow._task import Task

__all__ = ["count_circles", "stations_of_plan"]

# What is known of a station before anybody walks to it.
_GIVEN = ("station", "name", "tier", "stand_in")
_FROM_ATOMS = (
    "the plan has no household points: households of an atom are counted at a place inside it "
    "(无住户点，按地块内点计数)"
)


def count_circles(task: Task) -> dict[str, Any]:
    """Walk from ``stations``, or those of the plan, and keep what is served in ``version``."""
    task.tell(0.02, "读取 reading")
    plan = task.store.read(str(task.job.input["version"]))
    extract = read_osm(task.map_path(), limit=outline(plan))
    task.tell(0.2, "步行路网 streets")
    network = WalkNetwork.from_osm(extract)
    stations, notes = _stations(task, plan)
    require_near(network, stations, what="stations")
    households, more = _households(task, plan)
    task.tell(0.35, "计算服务圈 walking")
    minutes = tuple(float(one) for one in task.job.input["minutes"])
    reach = network.reach(
        stations, minutes=minutes, households=None if households.empty else households,
        look="display",
    )  # fmt: skip
    task.tell(0.8, "校验 proof")
    report = verify_plan(plan)
    task.tell(0.9, "写入 writing")
    path = write_plan(
        plan, task.folder / "service.gpkg", reach=reach, stations=stations, report=report
    )
    version = task.store.version(str(task.job.input["version"]))
    return task.result(task.keep(version, path, FileRole.SERVICE, {"notes": told([*notes, *more])}))


def stations_of_plan(task: Task, plan_id: str) -> gpd.GeoDataFrame | None:
    """Return the stations that the newest count of a plan was made for, ``None`` without any."""
    file = newest(task.store, FileRole.SERVICE, plan_id=plan_id)
    found = None if file is None else stored_layers(task.store, file).stations
    if found is None or found.empty:
        return None
    return found[[*(name for name in _GIVEN if name in found), "geometry"]]


def _stations(task: Task, plan: GridPlan) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    file = task.file("stations")
    if file is not None:
        table = read_stations(task.laid_out(file), crs=plan.district.crs)
        return table.frame, table.notes
    found = stations_of_plan(task, str(task.job.input["plan"]))
    if found is None:
        msg = "the plan has no stations: upload a table of them (方案没有服务站，请先上传)"
        raise InputError(msg)
    return found, ()


def _households(task: Task, plan: GridPlan) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    file = newest(task.store, FileRole.HOUSEHOLDS, plan_id=str(task.job.input["plan"]))
    if file is not None:
        table = read_households(task.laid_out(file), crs=plan.district.crs)
        return table.frame, ()
    frame = plan.atoms.frame[plan.atoms.frame["households"] > 0]
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    found = gpd.GeoDataFrame(
        {"households": frame["households"].to_numpy()}, geometry=points, crs=plan.district.crs
    )
    return found, (_FROM_ATOMS,)
