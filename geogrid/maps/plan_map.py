"""One HTML file of a plan that a planner opens by a double click, without a network."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geogrid.errors import OutputError
from geogrid.maps.basemap import base_layers
from geogrid.maps.colour import PALETTE
from geogrid.maps.data import (
    cell_tables,
    defect_rows,
    district_layer,
    level_layers,
    proof_badge,
)
from geogrid.maps.notes import attribution_line, flags, foot_parts, is_estimated, notes
from geogrid.maps.page import PlanMap
from geogrid.maps.service import (
    circle_layers,
    circle_note,
    has_stand_ins,
    joined_stations,
    limit_labels,
    station_rows,
    walking_text,
)
from geogrid.maps.tiles import TileService
from geogrid.maps.unserved import public_loads, service_limits, service_of, unserved_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

    from geogrid.model.extract import OsmExtract
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach
    from geogrid.model.report import CoverageReport

__all__ = ["TileService", "map_data", "map_page", "write_map"]

# More defects than this nobody reads one by one; the plan file holds them all.
MOST_DEFECTS = 500


# The map opens on the finest level that is not yet a crowd.
FEW_CELLS = 150


def write_map(  # noqa: PLR0913 - each is a layer that a map may have
    plan: GridPlan,
    path: str | Path,
    *,
    extract: OsmExtract | None = None,
    stations: gpd.GeoDataFrame | None = None,
    circles: gpd.GeoDataFrame | None = None,
    reach: Reach | None = None,
    service: Mapping[str, pd.DataFrame] | None = None,
    report: CoverageReport | None = None,
    defects: gpd.GeoDataFrame | None = None,
    tiles: TileService | None = None,
    title: str | None = None,
    map_approval: str = "",
) -> Path:
    """Write the map of a plan as one HTML file that needs no network.

    Household points never go into the file, and counts below ten are not written as numbers.

    Parameters
    ----------
    plan
        The plan.
    path
        Where to write; a file there is replaced.
    extract
        Its streets, rails, waters and buildings become the base map.
    stations, circles
        Stations (with ``stand_in`` where another facility takes a station's place) and their
        circles; those of ``reach`` where absent.
    reach
        Gives the unserved households of every cell.
    service
        Served households of every cell as ``read_plan_layers`` gave them, where no reach is at
        hand.
    report, defects
        What a check found; ``defects`` alone where only a plan file is at hand.
    tiles
        A service of tiles; only then does the page ask the network for anything.
    title
        Headline; the district's name and scheme where absent.
    map_approval
        The approval number of the map (审图号); without it the map says that it is internal.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    CrsError
        If the plan is in plain local metres.
    OutputError
        If the file cannot be written.
    """
    page = map_page(
        map_data(
            plan, extract=extract, stations=stations, circles=circles, reach=reach,
            service=service, report=report, defects=defects, title=title,
            map_approval=map_approval,
            tile_attribution=tiles.attribution if tiles else "",
        ),
        tiles=tiles,
    )  # fmt: skip
    return _write_whole(Path(path), page)


def map_page(data: dict[str, Any], *, tiles: TileService | None = None) -> str:
    """Return the page of :func:`map_data` as text."""
    return PlanMap(data, tiles=tiles).page()


def map_data(  # noqa: PLR0913 - each is a layer that a map may have
    plan: GridPlan,
    *,
    extract: OsmExtract | None = None,
    stations: gpd.GeoDataFrame | None = None,
    circles: gpd.GeoDataFrame | None = None,
    reach: Reach | None = None,
    service: Mapping[str, pd.DataFrame] | None = None,
    report: CoverageReport | None = None,
    defects: gpd.GeoDataFrame | None = None,
    title: str | None = None,
    map_approval: str = "",
    tile_attribution: str = "",
) -> dict[str, Any]:
    """Return everything that a map shows as plain JSON values; options as :func:`write_map`."""
    stations = joined_stations(stations, reach)
    counted = service_of(plan, reach) or service
    if counted:
        stations = public_loads(stations, counted)
    circles = reach.circles if circles is None and reach is not None else circles
    tables = cell_tables(plan)
    found = defect_rows(report, defects)
    walking = walking_text(reach)
    attribution = attribution_line(
        plan.sources, has_base=extract is not None, tiles=tile_attribution
    )
    data: dict[str, Any] = {
        "title": title or f"{plan.district.name} · {plan.scheme.title}",
        "palette": list(PALETTE),
        "district": district_layer(plan),
        "levels": level_layers(plan, tables),
        "firstLevel": _first_level(tables),
        "stations": station_rows(stations, circles, district=plan.district),
        "hasStandIns": has_stand_ins(stations),
        "circles": circle_layers(circles),
        "limits": [],
        "firstLimit": 0,
        "defects": found[:MOST_DEFECTS],
        "defectCount": len(found),
        "checked": report is not None or plan.certificate is not None,
        "badge": proof_badge(plan.certificate, report, has_defects=bool(found)),
        "flags": flags(plan.sources),
        "isEstimated": is_estimated(plan.sources),
        "notes": notes(
            plan,
            map_approval=map_approval,
            walking=walking,
            circles=circle_note(circles),
        ),
        "foot": foot_parts(plan, map_approval=map_approval, attribution=attribution),
        "base": base_layers(extract, plan.atoms.limit, plan.district.crs) if extract else None,
    }
    if counted:
        _add_unserved(data, counted, tables, circles)
    return data


def _add_unserved(
    data: dict[str, Any],
    service: Mapping[str, pd.DataFrame],
    tables: dict[str, gpd.GeoDataFrame],
    circles: gpd.GeoDataFrame | None,
) -> None:
    first, columns = unserved_layers(service, tables)
    data["limits"] = limit_labels(service_limits(service), circles)
    data["firstLimit"] = first
    for layer in data["levels"]:
        layer.update(columns[layer["key"]])


def _first_level(tables: dict[str, gpd.GeoDataFrame]) -> int:
    fitting = [row for row, table in enumerate(tables.values()) if len(table) <= FEW_CELLS]
    return max(fitting, default=0)


def _write_whole(path: Path, text: str) -> Path:
    """Write through a neighbour file, so that a broken run leaves no half a map."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as fault:
        with contextlib.suppress(OSError):
            part.unlink()
        reason = fault.strerror or fault
        msg = f"the map {path.name} cannot be written: {reason}: choose another folder"
        raise OutputError(msg) from fault
    return path
