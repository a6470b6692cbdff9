"""``geogrid quality``: how good a plan is, level by level."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
from rich.console import Console
from rich.table import Table

from geogrid.cli.exits import SOUND
from geogrid.cli.tables import as_text
from geogrid.divide.quality import measure_quality
from geogrid.errors import OutputError
from geogrid.io.cell_file import write_text
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.layer import read_layer
from geogrid.io.quality_file import QUALITY_TABLES, write_quality
from geogrid.io.tables import read_households
from geogrid.maps.quality_page import quality_page
from geogrid.maps.quality_picture import draw_quality
from geogrid.model.quality_words import (
    METRICS,
    compound_rows,
    flags_zh,
    notes_zh,
    out_of_band_rows,
    piece_rows,
)
from geogrid.osm import read_osm
from geogrid.workflow import open_plan

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable

    from geogrid.cli.terminal import Terminal
    from geogrid.model.plan import GridPlan
    from geogrid.model.quality import LevelQuality, QualityReport

__all__ = ["quality"]

_PAGES: dict[str, Callable[[QualityReport], str]] = {
    ".svg": draw_quality,
    ".html": quality_page,
    ".htm": quality_page,
}
_MOST_ROWS = 20
# Names repeat those of the cells above: the code says as much in less room.
_LONG = "名称 name"
# More levels than this do not fit beside each other in a terminal.
_LEVELS_BESIDE = 5
_WIDE = 400


def quality(options: Namespace, terminal: Terminal) -> int:
    """Measure a plan and write what was found; findings do not change the exit code."""
    targets = _targets(options)
    with terminal.stages() as stage:
        stage("reading")
        plan = open_plan(Path(options.plan))
        near = None if options.near is None else open_plan(Path(options.near))
        layers = _layers(options, plan)
        stage("评价 measuring")
        near_name = "" if options.near is None else Path(options.near).name
        report = measure_quality(plan, near=near, near_name=near_name, **layers)
        stage("writing")
        with drafting() as draft_of:
            for target in targets:
                _write(report, draft_of(target))
    files = {target.name: str(target) for target in targets}
    terminal.result({**report.to_dict(), "files": files})
    _say(report, terminal)
    for path in files.values():
        terminal.say(f"文件 file: {path}")
    return SOUND


def _targets(options: Namespace) -> list[Path]:
    targets = [Path(word) for word in options.out]
    for target in targets:
        known = (*QUALITY_TABLES, *_PAGES)
        if target.suffix.lower() not in known:
            msg = f"a quality report cannot be written as {target.name}: use {', '.join(known)}"
            raise OutputError(msg)
    read = (options.plan, options.near, options.households, options.osm, options.compounds)
    require_apart(targets, [Path(word) for word in read if word is not None])
    return targets


def _layers(options: Namespace, plan: GridPlan) -> dict[str, gpd.GeoDataFrame]:
    """Read what the plan file does not hold: homes, buildings, compounds."""
    found: dict[str, gpd.GeoDataFrame] = {}
    limit = gpd.GeoSeries([plan.district.limit], crs=plan.district.crs)
    if options.households is not None:
        path, datum = Path(options.households), options.households_datum
        table = read_households(path, crs=plan.district.crs, datum=datum)
        found["households"] = table.frame[["households", "geometry"]]
    if options.osm is not None:
        extract = read_osm(options.osm, limit=limit)
        found["buildings"] = extract.buildings
        walls = extract.walls
        found["compounds"] = walls[walls["wall"] == "compound"]
    if options.compounds is not None:
        found["compounds"] = read_layer(options.compounds)
    return found


def _write(report: QualityReport, path: Path) -> None:
    page = _PAGES.get(path.suffix.lower())
    if page is None:
        write_quality(report, path)
    else:
        write_text(page(report), path)


def _say(report: QualityReport, terminal: Terminal) -> None:
    flags = "".join(f"（{flag}）" for flag in flags_zh(report))
    terminal.say(
        f"{report.district}: {report.households} 户{flags}，方案 scheme {report.scheme}"
        + (f"，对比 against {report.near}" if report.near else "")
    )
    for first in range(0, len(report.levels), _LEVELS_BESIDE):
        terminal.say(_metric_table(report.levels[first : first + _LEVELS_BESIDE]))
    if report.cut_by_borders or report.cut_by_limit:
        terminal.say(
            f"被切割建筑 buildings cut: 基本单元界线 by borders of atoms {report.cut_by_borders}，"
            f"区划 by limit {report.cut_by_limit}"
        )
    lists = {
        "户数超限 out of band": out_of_band_rows(report),
        "不连片 in pieces": piece_rows(report),
        "跨网格小区 compounds in several cells": compound_rows(report),
    }
    for title, rows in lists.items():
        if len(rows):
            terminal.say(f"{title}: {len(rows)}")
            shown = [str(name) for name in rows.columns if name != _LONG]
            headers = {name: name.replace(" ", "\n") for name in shown}
            terminal.say(as_text(rows, headers, most=_MOST_ROWS))
    for zh, en in zip(notes_zh(report), report.notes, strict=True):
        terminal.say(f"注 note: {zh}" if zh == en else f"注 note: {zh} ({en})")


def _metric_table(levels: Iterable[LevelQuality]) -> str:
    """Return the figures of some levels beside each other; rows that nothing is known of go."""
    shown = list(levels)
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("指标 figure", no_wrap=True)
    for level in shown:
        table.add_column(level.name, justify="right", no_wrap=True)
    for metric in METRICS:
        if any(metric.of(level) not in (None, "") for level in shown):
            table.add_row(f"{metric.zh} {metric.en}", *(metric.text(level) for level in shown))
    console = Console(highlight=False, markup=False, width=_WIDE)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
