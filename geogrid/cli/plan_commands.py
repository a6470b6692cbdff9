"""Commands that show a finished plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.errors import InputError, OutputError
from geogrid.io.plan_file import read_plan_layers
from geogrid.osm import read_osm
from geogrid.planar.datum import geometries_to_wgs84
from geogrid.workflow import open_plan

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal

__all__ = ["draw_map", "serve", "where"]

_MOST_LON, _MOST_LAT = 180, 90


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
    """Serve a plan in the browser."""
    from geogrid.api import serve  # noqa: PLC0415 - an extra

    plan = Path(options.plan)
    place = open_plan(plan).district
    extract = None
    if options.osm:
        extract = read_osm(options.osm, limit=gpd.GeoSeries([place.limit], crs=place.crs))

    def ready(address: str) -> None:
        terminal.result({"address": address})
        terminal.say(f"{address}  （Ctrl+C 停止 stops）")

    serve(plan, host=options.host, port=options.port, extract=extract, ready=ready)
    return SOUND
