"""Commands about who can walk where: circles, why a place is not served, which link is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.cli._reach_inputs import ground_of, measured, read_reach_inputs
from geogrid.cli._reach_words import (
    reach_facts,
    say_links,
    say_reach,
    station_rows,
)
from geogrid.cli._warm_up import warm_up
from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.errors import InputError
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.files import require_suffix, writing_folder
from geogrid.io.reach_file import (
    REACH_SUFFIXES,
    write_household_table,
    write_lines,
    write_reach_file,
)
from geogrid.planar.datum import geometries_to_wgs84
from geogrid.stations.links import suggest_links
from geogrid.stations.service import served_by_cell, service_summary
from geogrid.stations.why import explain_unserved
from geogrid.vocabulary import ServiceAnswer
from geogrid.walking import warm
from geogrid.workflow import open_plan, require_near

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli._reach_inputs import ReachInputs
    from geogrid.cli.terminal import Terminal
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach
    from geogrid.walking import WalkNetwork

__all__ = ["circles", "links", "why"]

_MOST_LON, _MOST_LAT = 180, 90

Rankings = dict[str, tuple[gpd.GeoDataFrame, pd.DataFrame]]


def circles(options: Namespace, terminal: Terminal) -> int:
    """Draw the service circles of stations, count who is served, rank cells."""
    targets = [Path(word) for word in options.out]
    _require_outputs(options, targets)
    warm_up(warm)
    with terminal.stages() as stage:
        stage("reading")
        plan = None if options.plan is None else open_plan(Path(options.plan))
        inputs = read_reach_inputs(options, plan=plan, needs_households=plan is not None)
        ground = ground_of(options)
        stage("walking")
        reach = measured(inputs, options, ground, look=options.look, cell_m=options.cell)
        stations = _named(reach, inputs)
        rankings = {} if plan is None else _rankings(reach, plan, options.level)
        facts = reach_facts(reach, inputs)
        stage("writing")
        with drafting() as draft_of:
            for target in targets:
                write_reach_file(
                    reach, draft_of(target), stations=stations, rankings=rankings, facts=facts
                )
            if options.household_table and inputs.households is not None:
                table = draft_of(Path(options.household_table))
                write_household_table(reach, inputs.households, table)
            if options.map is not None:
                stage("map")
                _write_map(plan, reach, inputs, draft_of(Path(options.map)), options.approval)
        if options.pictures is not None:
            stage("绘制图片 drawing pictures")
            _write_pictures(reach, inputs, options)
    values = {**_values(reach, inputs, rankings), "facts": facts, "files": _files(options, targets)}
    terminal.result(values)
    shown = rankings if options.level else _first_choice(rankings)
    say_reach(terminal, reach, stations, shown, values)
    return FINDINGS if values["off_network"] or values["rejected"] else SOUND


def why(options: Namespace, terminal: Terminal) -> int:
    """Say why a place is not served, limit by limit."""
    if not (abs(options.lon) <= _MOST_LON and abs(options.lat) <= _MOST_LAT):
        msg = f"{options.lon:g} {options.lat:g} is no place: give longitude first, in degrees"
        raise InputError(msg)
    target = None if options.out is None else Path(options.out)
    if target is not None:
        require_suffix(target, REACH_SUFFIXES, what="a walk")
        require_apart([target], [Path(options.stations), Path(options.osm)])
    with terminal.stages() as stage:
        stage("reading")
        inputs = read_reach_inputs(options)
        ground = ground_of(options)
        place = _place(options, inputs.network)
        stage("walking")
        reach = measured(inputs, options, ground)
        found = [
            explain_unserved(reach, place, limit=limit, ground=ground) for limit in reach.limits
        ]
        facts = reach_facts(reach, inputs)
        files = {}
        if target is not None:
            rows = [one for one in found if one.path is not None]
            frame = gpd.GeoDataFrame(
                [{key: one.to_dict()[key] for key in _WALK_COLUMNS} for one in rows],
                columns=list(_WALK_COLUMNS),
                geometry=np.array([one.path for one in rows], dtype=object),
                crs=reach.circles.crs,
            )
            write_lines(frame, target, facts)
            files = {"walk": str(target)}
    answers = [one.to_dict() for one in found]
    terminal.result({"answers": answers, "facts": facts, "notes": inputs.notes, "files": files})
    for one in found:
        terminal.say(one.text_zh)
        terminal.say(one.text_en)
    for label, text in facts.items():
        terminal.say(f"{label}: {text}")
    return SOUND if all(one.answer is ServiceAnswer.SERVED for one in found) else FINDINGS


_WALK_COLUMNS = ("answer", "station", "limit_m", "metres", "missing_m", "straight_m", "text_zh")


def links(options: Namespace, terminal: Terminal) -> int:
    """Suggest missing gates and paths."""
    targets = [Path(word) for word in options.out]
    for target in targets:
        require_suffix(target, REACH_SUFFIXES, what="links")
    require_apart(targets, _inputs_of(options))
    warm_up(warm)
    with terminal.stages() as stage:
        stage("reading")
        inputs = read_reach_inputs(options, needs_households=True)
        stage("walking")
        reach = measured(inputs, options, ground_of(options))
        stage("查找断点 searching for missing links")
        found = {
            limit: suggest_links(
                reach,
                k=options.k,
                limit=limit,
                extract=inputs.extract,
                bridges=options.bridges,
                longest_m=options.longest,
            )
            for limit in reach.limits
        }
        tables = [plan.links.assign(limit=limit) for limit, plan in found.items()]
        frame = gpd.GeoDataFrame(
            pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
        )
        facts = reach_facts(reach, inputs)
        facts["连线 links"] = next(iter(found.values())).assumptions["links"]
        stage("writing")
        with drafting() as draft_of:
            for target in targets:
                write_lines(frame, draft_of(target), facts)
    values = {
        "limits": [plan.summary() for plan in found.values()],
        "rejected": inputs.rejected,
        "is_estimated": inputs.is_estimated,
        "notes": inputs.notes,
        "facts": facts,
        "files": {target.name: str(target) for target in targets},
    }
    terminal.result(values)
    say_links(terminal, found, values)
    return FINDINGS if inputs.rejected else SOUND


def _inputs_of(options: Namespace) -> list[Path]:
    names = ("stations", "osm", "households", "plan", "heights")
    words = [getattr(options, name, None) for name in names]
    return [Path(word) for word in words if word is not None]


def _require_outputs(options: Namespace, targets: list[Path]) -> None:
    """Refuse what cannot be written before the work."""
    for target in targets:
        require_suffix(target, REACH_SUFFIXES, what="circles")
    more = [Path(word) for word in (options.map, options.household_table) if word is not None]
    require_apart([*targets, *more], _inputs_of(options))
    if options.map is not None:
        require_suffix(Path(options.map), (".html", ".htm"), what="a map")
    if options.household_table is not None:
        require_suffix(Path(options.household_table), (".csv",), what="the list of households")
        if options.households is None:
            msg = "--household-table lists the rows of --households: give that file too"
            raise InputError(msg)
    if options.level and options.plan is None:
        msg = "--level names a level of --plan: give that file too"
        raise InputError(msg)
    if options.pictures is not None or (options.map is not None and options.plan is None):
        from geogrid.maps.circle_sheets import require_drawing  # noqa: PLC0415 - an extra

        require_drawing()


def _place(options: Namespace, network: WalkNetwork) -> shapely.Point:
    given = np.array([shapely.Point(options.lon, options.lat)], dtype=object)
    frame = gpd.GeoDataFrame(geometry=geometries_to_wgs84(given, options.datum), crs=4326)
    require_near(network, frame, what="place")
    there = frame if network.crs is None else frame.to_crs(network.crs)
    return shapely.Point(shapely.get_coordinates(there.geometry.iloc[0])[0])


def _named(reach: Reach, inputs: ReachInputs) -> gpd.GeoDataFrame:
    """Return the stations of a reach, in the order that they were given in, with their names."""
    known = reach.stations.copy()
    known.insert(1, "name", inputs.stations.frame["name"].to_numpy())
    return known


def _names(reach: Reach, inputs: ReachInputs) -> dict[str, str]:
    return dict(zip(reach.stations["station"], inputs.stations.frame["name"], strict=True))


def _rankings(reach: Reach, plan: GridPlan, levels: list[str]) -> Rankings:
    """Return the cells and the ranking of each level that was asked for, or of all."""
    keys = [plan.scheme.level(name).key for name in levels]
    keys = keys or [str(key) for key in plan.labels.columns]
    found = {key: (plan.cells(key), served_by_cell(reach, plan, key)) for key in keys}
    for key, (_, ranking) in found.items():
        ranking.attrs["level_name"] = plan.scheme.level(key).name
    return found


def _first_choice(rankings: Rankings) -> Rankings:
    """Return the coarsest level that has cells to compare: the one that leaders ask for."""
    for key, (cells, ranking) in rankings.items():
        if len(cells) > 1:
            return {key: (cells, ranking)}
    return dict(list(rankings.items())[:1])


def _write_map(
    plan: GridPlan | None, reach: Reach, inputs: ReachInputs, path: Path, approval: str
) -> None:
    """Draw the cells of a plan with the circles; without a plan the circles and a table."""
    if plan is None:
        from geogrid.maps.reach_page import reach_page  # noqa: PLC0415 - an extra

        page = reach_page(
            reach,
            names=_names(reach, inputs),
            sources=inputs.sources,
            extract=inputs.extract,
            told=reach_facts(reach, inputs),
            map_approval=approval,
        )
        path.write_text(page, encoding="utf-8", newline="\n")
        return
    # Only this option needs folium.
    from geogrid.maps.plan_map import write_map  # noqa: PLC0415 - an extra

    write_map(
        plan,
        path,
        extract=inputs.extract,
        stations=inputs.stations.frame,
        reach=reach,
        map_approval=approval,
    )


def _write_pictures(reach: Reach, inputs: ReachInputs, options: Namespace) -> None:
    from geogrid.maps.circle_sheets import SheetFacts, circle_sheets  # noqa: PLC0415 - an extra
    from geogrid.maps.notes import flags  # noqa: PLC0415 - with it

    facts = SheetFacts(
        flags=flags(inputs.sources),
        date=inputs.extract.source.date,
        is_synthetic=inputs.extract.source.is_synthetic,
        map_approval=options.approval,
        names=_names(reach, inputs),
    )
    with writing_folder(Path(options.pictures)) as folder:
        for name, picture in circle_sheets(reach, facts, extract=inputs.extract):
            (folder / name).write_bytes(picture)


def _values(reach: Reach, inputs: ReachInputs, rankings: Rankings) -> dict[str, Any]:
    """Return what is printed, as plain JSON values."""
    summary = service_summary(reach)
    served = {f"{row['limit']:g}": row["served"] for row in summary["limits"]}
    return {
        **summary,
        "served": served,
        "stations_list": station_rows(_named(reach, inputs), reach),
        "ranking": {key: _records(ranking) for key, (_, ranking) in rankings.items()},
        "households_in_no_cell": {
            key: ranking.attrs["outside"] for key, (_, ranking) in rankings.items()
        },
        "rejected": inputs.rejected,
        "is_estimated": inputs.is_estimated,
        "is_synthetic": inputs.extract.source.is_synthetic,
        "notes": inputs.notes,
    }


def _records(ranking: pd.DataFrame) -> list[dict[str, Any]]:
    rows = ranking.to_dict("records")
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows
    ]


def _files(options: Namespace, targets: list[Path]) -> dict[str, str]:
    files = {target.name: str(target) for target in targets}
    more = {"map": options.map, "pictures": options.pictures, "households": options.household_table}
    return {**files, **{role: word for role, word in more.items() if word is not None}}
