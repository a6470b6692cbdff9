"""One thin function a command, over :mod:`geogrid.workflow`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geogrid import schemes
from geogrid.cli.terminal import Terminal
from geogrid.errors import InputError, OutputError
from geogrid.io.files import writing
from geogrid.io.plan_file import read_plan_layers, write_plan, write_reach
from geogrid.io.tables import read_households, read_stations, write_outside, write_rejected
from geogrid.osm import read_osm
from geogrid.planar.datum import geometries_to_wgs84
from geogrid.vocabulary import DefectKind
from geogrid.walking import WalkNetwork
from geogrid.workflow import (
    Job,
    audit_file,
    demo_job,
    divide_district,
    open_plan,
    read_households_of,
    read_place,
    require_near,
    run_job,
    summary_of,
)

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from geogrid.workflow import Audit

__all__ = ["run"]

_SOUND, _FINDINGS = 0, 1
_MOST_LON, _MOST_LAT = 180, 90


def run(options: Namespace) -> int:
    """Run the command that ``options`` name and return its exit code."""
    terminal = Terminal(as_json=options.json, quiet=options.quiet)
    return _COMMANDS[options.command](options, terminal)


def _demo(options: Namespace, terminal: Terminal) -> int:
    return _whole(demo_job(), options.out, terminal)


def _run(options: Namespace, terminal: Terminal) -> int:
    job = replace(
        _job(options),
        stations=_path(options.stations),
        stations_datum=options.stations_datum,
        preset=options.preset,
        minutes=tuple(options.minutes),
    )
    return _whole(job, options.out, terminal)


def _whole(job: Job, out: str, terminal: Terminal) -> int:
    with terminal.stages() as stage:
        outcome = run_job(job, Path(out), stage=stage)
    terminal.summary(outcome.summary)
    return _FINDINGS if outcome.has_findings else _SOUND


def _divide(options: Namespace, terminal: Terminal) -> int:
    job = _job(options)
    out = Path(options.out)
    with terminal.stages() as stage:
        stage("reading")
        limit, extract = read_place(job)
        households = read_households_of(job, limit)
        division = divide_district(
            limit.district,
            extract,
            households=households.frame,
            household_source=households.source,
            scheme=job.scheme,
            sources=(limit.source,),
            seed=job.seed,
            stage=stage,
        )
        stage("writing")
        files = {"plan": write_plan(division.plan, out, report=division.report)}
        beside = f"{out.stem}_households"
        if len(division.outside):
            path = out.with_name(f"{beside}_outside.csv")
            files["outside"] = write_outside(division.outside, path)
        if len(households.rejected):
            path = out.with_name(f"{beside}_rejected.csv")
            files["rejected"] = write_rejected(households.rejected, path)
    values = summary_of(division.plan, division.report)
    values["households_outside"] = int(division.outside["households"].sum())
    values["households_rejected"] = len(households.rejected)
    values["notes"] = [*limit.notes, *households.notes, *division.notes]
    values["files"] = {role: str(path) for role, path in files.items()}
    terminal.summary(values)
    is_sound = division.report.is_proven and set(files) == {"plan"}
    return _SOUND if is_sound else _FINDINGS


def _check(options: Namespace, terminal: Terminal) -> int:
    with terminal.stages() as stage:
        stage("proof")
        audit = audit_file(
            Path(options.plan),
            layer=options.layer,
            limit=_path(options.limit),
            households=_path(options.households),
            datum=options.datum,
        )
    report = audit.report
    if options.report:
        _write_defects(report.defects, Path(options.report))
    terminal.result(_check_values(audit))
    terminal.defects(_labelled(report.defects))
    for fault in audit.faults:
        terminal.say(f"问题 fault: {fault}")
    terminal.verdict(is_proven=report.is_proven, is_sound=audit.is_sound)
    for note in report.notes:
        terminal.say(f"注 note: {note}")
    return _SOUND if audit.is_sound else _FINDINGS


def _check_values(audit: Audit) -> dict[str, Any]:
    report = audit.report
    defects = _placed(report.defects)
    area = defects.groupby("kind")["area_m2"].sum()

    def total(*kinds: DefectKind) -> float:
        return float(sum(area.get(kind.value, 0.0) for kind in kinds))

    overlaps = (DefectKind.OVERLAP, DefectKind.DUPLICATE, DefectKind.NESTED)
    return {
        "is_plan": audit.is_plan,
        "is_proven": report.is_proven,
        "gaps_m2": total(DefectKind.GAP, DefectKind.INSIDE_SHORT),
        "overlaps_m2": total(*overlaps),
        "outside_m2": total(DefectKind.OUTSIDE),
        "defects": [
            {key: row[key] for key in defects.columns if key != "geometry"}
            for row in defects.to_dict("records")
        ],
        "faults": list(audit.faults),
        "notes": list(report.notes),
        "certificate": report.certificate.to_dict(),
    }


def _labelled(defects: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    labels = {kind.value: f"{kind.label_zh} {kind.value}" for kind in DefectKind}
    return _placed(defects).assign(label=defects["kind"].map(labels))


def _placed(defects: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add where each defect is, in degrees, for people who look it up on another map."""
    if defects.crs is None or defects.empty:
        return defects
    spots = gpd.GeoSeries(defects.geometry.representative_point(), crs=defects.crs).to_crs(4326)
    return defects.assign(lon=spots.x.round(6), lat=spots.y.round(6))


def _write_defects(defects: gpd.GeoDataFrame, path: Path) -> None:
    table = _labelled(defects)
    if path.suffix == ".geojson" and table.crs is not None:
        table = table.to_crs(4326)
    table["cells"] = table["cells"].map(", ".join)
    drivers = {".gpkg": "GPKG", ".geojson": "GeoJSON"}
    with writing(path) as draft:
        if path.suffix == ".csv":
            table.drop(columns="geometry").to_csv(draft, index=False, encoding="utf-8-sig")
        elif path.suffix in drivers:
            table.to_file(draft, driver=drivers[path.suffix], layer="defects", engine="pyogrio")
        else:
            msg = f"a report cannot be written as {path.name}: use .gpkg, .geojson or .csv"
            raise OutputError(msg)


def _circles(options: Namespace, terminal: Terminal) -> int:
    out = Path(options.out)
    with terminal.stages() as stage:
        stage("reading")
        network = WalkNetwork.from_osm(Path(options.osm))
        stations = read_stations(
            Path(options.stations), crs=network.crs, datum=options.stations_datum
        )
        households = None
        if options.households:
            households = read_households(
                Path(options.households), crs=network.crs, datum=options.households_datum
            ).frame
        require_near(network, stations.frame, what="stations")
        if households is not None:
            require_near(network, households, what="households")
        stage("walking")
        reach = network.reach(
            stations.frame,
            minutes=tuple(options.minutes),
            preset=options.preset,
            households=households,
        )
        stage("writing")
        write_reach(reach, out)
    off = reach.stations[reach.stations["status"].astype(str) == "off_network"]
    total = int(reach.households["households"].sum()) if households is not None else 0
    served = {f"{limit:g}": reach.served_households(limit) for limit in reach.limits}
    values = {
        "stations": len(reach.stations),
        "off_network": off["station"].tolist(),
        "rejected": len(stations.rejected),
        "households": total,
        "served": served,
        "assumptions": dict(reach.assumptions),
        "files": {"circles": str(out)},
    }
    terminal.result(values)
    terminal.say(f"服务站 stations: {values['stations']}，服务圈 circles: {out}")
    if total:
        for limit, count in served.items():
            terminal.say(f"{limit} 分钟 min: {count} / {total} 户 ({count / total:.1%})")
    terminal.off_network(off, stations.frame)
    for note in stations.notes:
        terminal.say(f"注 note: {note}")
    return _FINDINGS if len(off) or len(stations.rejected) else _SOUND


def _map(options: Namespace, terminal: Terminal) -> int:
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
    return _SOUND


def _where(options: Namespace, terminal: Terminal) -> int:
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
        return _FINDINGS
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
    return _SOUND


def _serve(options: Namespace, terminal: Terminal) -> int:
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
    return _SOUND


def _fetch(options: Namespace, terminal: Terminal) -> int:
    from geogrid.io.fetch import fetch_place  # noqa: PLC0415 - an extra

    with terminal.stages() as stage:
        result = fetch_place(
            options.place,
            Path(options.out),
            overpass_url=options.overpass_url,
            nominatim_url=options.nominatim_url,
            retries=options.retries,
            progress=lambda done, total, text: stage(f"{done}/{total} {text}"),
        )
    values = {
        "place": result.place,
        "date": result.date,
        "files": {"osm": str(result.osm), "limit": str(result.limit)},
    }
    terminal.result(values)
    terminal.say(f"{result.place}: {result.osm}, {result.limit}")
    terminal.say(f"下一步 next: geogrid run --limit {result.limit} --osm {result.osm} --out result")
    return _SOUND


def _schemes(options: Namespace, terminal: Terminal) -> int:
    if options.action == "list":
        found = [schemes.load(name) for name in schemes.names()]
        terminal.result({"schemes": [one.key for one in found]})
        for one in found:
            terminal.say(
                f"{one.key}: {one.title}（{' → '.join(level.name for level in one.levels)}）"
            )
        return _SOUND
    if not options.name:
        msg = f"which scheme should be shown: {', '.join(schemes.names())}, or a file"
        raise InputError(msg)
    scheme = schemes.load(options.name)
    levels = [
        {
            "key": level.key,
            "name": level.name,
            "aliases": list(level.aliases),
            "contract": level.contract.value,
            "band": None if level.band is None else [level.band.low, level.band.high],
            "is_assumption": level.band is not None and level.band.is_assumption,
            "head_title": level.head_title,
        }
        for level in scheme.levels
    ]
    terminal.result({"key": scheme.key, "title": scheme.title, "levels": levels})
    terminal.say(f"{scheme.key}: {scheme.title}")
    for level in scheme.levels:
        band = "" if level.band is None else f"，{level.band.low}–{level.band.high} 户"
        guess = "（假定 assumed）" if level.band is not None and level.band.is_assumption else ""
        terminal.say(f"  {level.key} {level.name} {level.contract.label_zh}{band}{guess}")
    return _SOUND


def _job(options: Namespace) -> Job:
    return Job(
        limit=Path(options.limit),
        osm=Path(options.osm),
        households=_path(options.households),
        scheme=options.scheme,
        limit_name=options.limit_name,
        limit_layer=options.limit_layer,
        limit_datum=options.datum,
        households_datum=options.households_datum,
        columns=_columns(options.column),
        seed=options.seed,
    )


def _columns(pairs: list[str]) -> dict[str, str] | None:
    for pair in pairs:
        if "=" not in pair:
            msg = f"--column {pair} does not say which header: write it as households=户数"
            raise InputError(msg)
    return dict(pair.split("=", 1) for pair in pairs) or None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


_COMMANDS: Mapping[str, Callable[[Namespace, Terminal], int]] = {
    "demo": _demo,
    "run": _run,
    "divide": _divide,
    "check": _check,
    "circles": _circles,
    "map": _map,
    "where": _where,
    "serve": _serve,
    "fetch": _fetch,
    "schemes": _schemes,
}
