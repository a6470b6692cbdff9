"""Commands that show a finished plan."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.errors import InputError, OutputError
from geogrid.io.plan_file import read_plan_layers
from geogrid.io.tables import read_households
from geogrid.osm import read_osm
from geogrid.planar.datum import geometries_to_wgs84
from geogrid.workflow import open_plan

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from geogrid.cli.terminal import Terminal
    from geogrid.model.plan import GridPlan
    from geogrid.store import PlanEntry, Store

__all__ = ["draw_map", "serve", "where"]

_MOST_LON, _MOST_LAT = 180, 90
# Versions that a service has at hand, for undo and for comparing.
_KEPT = 8


def draw_map(options: Namespace, terminal: Terminal) -> int:
    """Draw a plan as one HTML file."""
    if Path(options.out).suffix.lower() not in {".html", ".htm"}:
        msg = f"a map cannot be written as {options.out}: give it a name that ends in .html"
        raise OutputError(msg)
    # Only this command and the main job need folium.
    from geogrid.maps.plan_map import write_map  # noqa: PLC0415 - an extra
    from geogrid.maps.tiles import TileService  # noqa: PLC0415 - an extra

    with terminal.stages() as stage:
        stage("reading")
        plan = open_plan(Path(options.plan))
        layers = read_plan_layers(Path(options.plan))
        extract = None
        if options.osm:
            limit = gpd.GeoSeries([plan.district.limit], crs=plan.district.crs)
            extract = read_osm(options.osm, limit=limit)
        tiles = None
        if options.tianditu_key is not None:
            tiles = TileService.tianditu(options.tianditu_key)
        elif options.osm_tiles:
            tiles = TileService.osm()
        stage("map")
        path = write_map(
            plan,
            Path(options.out),
            extract=extract,
            stations=layers.stations,
            circles=layers.circles,
            service=layers.service,
            defects=layers.defects,
            tiles=tiles,
            title=options.title,
            map_approval=options.approval,
        )
    terminal.result({"files": {"map": str(path)}})
    terminal.say(f"地图 map: {path}")
    return SOUND


def where(options: Namespace, terminal: Terminal) -> int:
    """Name the cells that hold a place."""
    if not (abs(options.lon) <= _MOST_LON and abs(options.lat) <= _MOST_LAT):
        msg = (
            f"longitude {options.lon:g}, latitude {options.lat:g} is no place on the globe: "
            "give longitude first, in degrees"
        )
        raise InputError(msg)
    plan = open_plan(Path(options.plan))
    place = gpd.GeoSeries.from_xy([options.lon], [options.lat], crs=4326)
    shifted = geometries_to_wgs84(place.to_numpy(), options.datum)
    point = gpd.GeoSeries(shifted, crs=4326)
    if plan.district.crs is not None:
        point = point.to_crs(plan.district.crs)
    row = int(plan.atoms.locate(point)[0])
    if row < 0:
        terminal.result({"chain": []})
        terminal.say(f"该位置不在 {plan.district.name} 范围内 the place lies outside the plan")
        return FINDINGS
    chain = []
    for level in plan.scheme.area_levels:
        code = str(plan.labels[level.key].iloc[row])
        facts = plan.cell_table.loc[code]
        chain.append(
            {"level": level.key, "level_name": level.name, "code": code, "name": facts["name"],
             "head_title": level.head_title}
        )  # fmt: skip
    terminal.result({"chain": chain})
    for link in chain:
        terminal.say(f"{link['level_name']}: {link['name']}（{link['code']}）")
    return SOUND


def serve(options: Namespace, terminal: Terminal) -> int:
    """Serve the plans of a store in the browser."""
    # As for every command: whoever waits for a restart does not wait for vain looks for garbage.
    gc.disable()
    from geogrid.api import (  # noqa: PLC0415 - an extra
        ServiceSettings,
        first_account,
        import_plan,
        read_oidc_settings,
        serve,
    )
    from geogrid.store import open_store  # noqa: PLC0415 - an extra

    gc.enable()
    # What is wrong in it shows before a store is made.
    oidc = read_oidc_settings(Path(options.oidc)) if options.oidc else None
    plan = Path(options.plan) if options.plan else None
    held = None if plan is None else open_plan(plan)
    homes = _homes_of(options, held)
    where = _store_of(options, plan)
    with open_store(where, kept=_KEPT) as store:
        chosen = ""
        if plan is not None:
            chosen = import_plan(store, plan, plan=held, households=homes)
        elif not store.projects():
            with terminal.stages() as stage:
                chosen = _import_demo(store, stage)
        maps = _kept_map(store, chosen, Path(options.osm), terminal) if options.osm else {}
        secret = first_account(store)
        settings = ServiceSettings(
            first_plan=chosen, maps=maps, is_https=options.https,
            has_anonymous_viewing=not options.sign_in, shows_drafts=not options.published_only,
            tianditu_key=options.tianditu_key, oidc=oidc,
        )  # fmt: skip

        def ready(address: str) -> None:
            first = {"first_account": {"name": "admin", "password": secret}} if secret else {}
            terminal.result({"address": address, "store": str(where), **first})
            terminal.say(f"{address}  （Ctrl+C 停止 stops）")
            if secret:
                terminal.say(
                    f"管理员 account: admin  密码 password (只显示一次 told once): {secret}"
                )

        serve(store, settings, host=options.host, port=options.port, ready=ready)
    return SOUND


def _homes_of(options: Namespace, plan: GridPlan | None) -> gpd.GeoDataFrame | None:
    """Return the household points that belong to the plan, if a file has them."""
    if not options.households:
        return None
    if plan is None:
        msg = (
            "--households says where those of a plan live: name the plan file too (请同时给出方案)"
        )
        raise InputError(msg)
    found = read_households(options.households, crs=plan.district.crs, datum=options.datum)
    return found.frame


def _store_of(options: Namespace, plan: Path | None) -> str | Path:
    """Return the address of the store."""
    if options.store:
        return str(options.store)
    if plan is not None:
        return plan.with_name(f"{plan.stem}.store.sqlite")
    return _home() / "plans.sqlite"


def _home() -> Path:
    """Return the folder of the data of this user, made where it is not there."""
    folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "geogrid"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        msg = f"the folder {folder} cannot be made ({fault.strerror}): name a store by --store"
        raise OutputError(msg) from fault
    return folder


def _import_demo(store: Store, stage: Callable[[str], None]) -> str:
    from geogrid.api import import_plan  # noqa: PLC0415 - an extra
    from geogrid.workflow import demo_job, run_job  # noqa: PLC0415 - heavy
    from geogrid.workflow.keeping import keep_map  # noqa: PLC0415 - as above

    job = demo_job()
    with tempfile.TemporaryDirectory(prefix="geogrid-demo-") as name:
        outcome = run_job(job, Path(name) / "demo", stage=stage)
        homes = outcome.division.households
        plan = import_plan(store, outcome.files["plan"], households=homes)
    keep_map(store, _entry_of(store, plan).project_id, job.osm, actor="geogrid")
    return plan


def _kept_map(store: Store, plan_id: str, osm: Path, terminal: Terminal) -> dict[str, Path]:
    """Keep the map of a project, and return it where it is too large for that."""
    from geogrid.workflow.keeping import MOST_MAP_BYTES, keep_map  # noqa: PLC0415 - heavy

    entry = _entry_of(store, plan_id)
    place = store.read(store.branch(entry.id).head).district
    # A map of another place is refused here, and not when somebody looks at it.
    read_osm(osm, limit=gpd.GeoSeries([place.limit], crs=place.crs))
    if keep_map(store, entry.project_id, osm, actor="geogrid") is not None:
        return {}
    most = MOST_MAP_BYTES // 1024**2
    terminal.say(
        f"底图大于 {most} MB，不存入数据库，每次启动请给出 --osm "
        f"the map is larger than {most} MB: it is read in its place, name it at every start"
    )
    return {entry.project_id: osm.absolute()}


def _entry_of(store: Store, plan_id: str) -> PlanEntry:
    """Return a plan, the oldest one where none is named."""
    plans = [one for project in store.projects() for one in store.plans(project.id)]
    found = next((one for one in plans if one.id == plan_id or not plan_id), None)
    if found is None:
        msg = "the store holds no plan yet: import one with geogrid serve PLAN (尚无方案)"
        raise InputError(msg)
    return found
