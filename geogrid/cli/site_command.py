"""``geogrid site``: where new stations should open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from geogrid.cli._warm_up import warm_up
from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.cli.tables import as_text
from geogrid.errors import InputError
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.estimate import estimate_households
from geogrid.io.files import require_suffix
from geogrid.io.siting_file import SITING_SUFFIXES, cell_counts, write_siting
from geogrid.io.tables import read_households, read_stations
from geogrid.osm import read_osm
from geogrid.stations.siting import site_stations
from geogrid.walking import WalkNetwork, warm
from geogrid.workflow import open_plan, require_near

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    import geopandas as gpd

    from geogrid.cli.terminal import Terminal
    from geogrid.io.tables import StationTable
    from geogrid.model.extract import OsmExtract
    from geogrid.model.plan import GridPlan
    from geogrid.model.siting import Siting, SitingStep

__all__ = ["site"]

_MOST_ROWS = 30
_CHOSEN = {
    "rank": "序号\nrank",
    "station": "编号\nstation",
    "name": "名称\nname",
    "newly_served": "新增户数\nnewly served",
    "cumulative": "累计\ncumulative",
    "in_reach": "可达户数\nin reach",
}
_CELLS = {
    "code": "网格\ncell",
    "households": "户数\nhouseholds",
    "served_before": "原已服务\nbefore",
    "newly_served": "新增\nnewly",
    "unserved": "仍为盲区\nunserved",
    "share": "服务率\nshare",
}


def site(options: Namespace, terminal: Terminal) -> int:
    """Choose sites and write them; places that no street is near are findings."""
    # Compiling the search takes long once after installation, so it is done while files are read.
    warm_up(warm)
    targets = [Path(word) for word in options.out]
    for target in targets:
        require_suffix(target, SITING_SUFFIXES, what="sites")
    read = (options.candidates, options.osm, options.households, options.stations, options.plan)
    require_apart(targets, [Path(word) for word in read if word is not None])
    with terminal.stages() as stage:
        stage("reading")
        plan = None if options.plan is None else open_plan(Path(options.plan))
        level = None if plan is None else _level(plan, options.level)
        extract = read_osm(Path(options.osm))
        network = WalkNetwork.from_osm(extract)
        candidates = _stations(options, "candidates", network)
        kept = _stations(options, "stations", network)
        households, told = _households(options, extract, network, plan)
        stage("选址 choosing sites")
        siting = site_stations(
            network,
            None if candidates is None else candidates.frame,
            k=options.k,
            share=options.share,
            objective=options.objective,
            keep=None if kept is None else kept.frame,
            households=households,
            minutes=options.minutes,
            metres=options.metres,
            preset=options.preset,
            capacity=options.capacity,
            spacing_m=options.spacing,
            time_limit_s=options.time_limit,
            seed=options.seed,
            progress=_progress(stage),
        )
        stage("writing")
        with drafting() as draft_of:
            for target in targets:
                write_siting(siting, draft_of(target), plan=plan, level=level)
    tables = [table for table in (candidates, kept) if table is not None]
    notes = [*told, *siting.notes, *(note for table in tables for note in table.notes)]
    rejected = sum(len(table.rejected) for table in tables)
    values = {
        **siting.summary(),
        "notes": notes,
        "rejected": rejected,
        "is_estimated": options.households is None,
        "files": {target.name: str(target) for target in targets},
    }
    if plan is not None and level is not None:
        values |= _cell_values(siting, plan, level, notes)
    terminal.result(values)
    _say(siting, terminal, values)
    return FINDINGS if values["off_network"] or rejected else SOUND


def _cell_values(siting: Siting, plan: GridPlan, level: str, notes: list[str]) -> dict[str, Any]:
    """Return the counts by cell, and note who lies in no cell."""
    outside = siting.by_cell(plan, level).attrs["outside"]
    if outside:
        notes.append(f"{outside} 户不在任何网格内 households are in no cell")
    cells = cell_counts(siting, plan, level).drop(columns="geometry")
    return {"cells": cells.to_dict("records"), "households_in_no_cell": outside}


def _level(plan: GridPlan, name: str | None) -> str:
    if name is not None:
        return plan.scheme.level(name).key
    if not len(plan.labels.columns):
        msg = "the plan has no level with cells made of atoms: leave out --plan"
        raise InputError(msg)
    return str(plan.labels.columns[-1])


def _stations(options: Namespace, what: str, network: WalkNetwork) -> StationTable | None:
    path = getattr(options, what)
    if path is None:
        return None
    table = read_stations(Path(path), crs=network.crs, datum=getattr(options, f"{what}_datum"))
    require_near(network, table.frame, what=what)
    return table


def _households(
    options: Namespace, extract: OsmExtract, network: WalkNetwork, plan: GridPlan | None
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Read the households, or estimate those of the plan's district, else of the whole map."""
    if options.households is not None:
        table = read_households(
            Path(options.households), crs=network.crs, datum=options.households_datum
        )
        require_near(network, table.frame, what="households")
        rejected = len(table.rejected)
        lost = (f"{rejected} rows of households cannot be used",) if rejected else ()
        return table.frame, (*lost, *table.notes)
    found = estimate_households(extract.buildings)
    notes = tuple(found.attrs["notes"])
    if plan is not None:
        there = found if plan.district.crs is None else found.to_crs(plan.district.crs)
        found = found[shapely.intersects(plan.district.limit, there.geometry.to_numpy())]
    return found, ("户数按建筑面积估算 households are estimated", *notes)


def _progress(stage: Callable[[str], None]) -> Callable[[SitingStep], None]:
    seen: list[float] = []

    def tell(step: SitingStep) -> None:
        gap = round(step.gap, 4)
        if not seen or seen[-1] != gap:
            seen.append(gap)
            stage(f"证明最优 proving: gap {gap:.2%}")

    return tell


def _say(siting: Siting, terminal: Terminal, values: dict[str, Any]) -> None:
    chosen = siting.chosen
    if len(chosen):
        is_named = "name" in chosen.columns and bool((chosen["name"].astype(str) != "").any())
        shown = {name: title for name, title in _CHOSEN.items() if name != "name" or is_named}
        terminal.say(as_text(chosen, shown, most=_MOST_ROWS))
    unit = "分钟 min" if siting.unit == "minutes" else "米 m"
    total = max(siting.total, 1)
    flag = "（估算 estimated）" if values["is_estimated"] else ""
    terminal.say(
        f"步行 {siting.limit:g} {unit}: 原已服务 before {siting.served_before}，新增 newly served "
        f"{siting.newly_served}，共 in all {siting.served_after} / {siting.total} 户{flag} "
        f"({siting.served_after / total:.1%})"
    )
    terminal.say(_verdict(siting))
    if "cells" in values:
        cells = pd.DataFrame(values["cells"]).sort_values(
            "unserved", ascending=False, kind="stable"
        )
        terminal.say(as_text(cells, _CELLS, most=_MOST_ROWS))
    for note in values["notes"]:
        terminal.say(f"注 note: {note}")
    for path in values["files"].values():
        terminal.say(f"文件 file: {path}")


def _verdict(siting: Siting) -> str:
    """Return one plain sentence about how good the choice is."""
    count, k = len(siting.chosen), siting.k
    mean, least = f"{siting.objective:.0f}", f"{siting.bound:.0f}"
    if siting.is_proven:
        best = {
            "cover": f"{count} 处新站不可能新增更多 proven: no choice of {k} serves more",
            "share": f"少于 {count} 处达不到 proven: fewer than {count} cannot do it",
            "median": f"平均步行 {mean} 米 proven: no choice of {k} has a shorter mean walk",
        }
        return f"已证明最优：{best[siting.kind]}"
    more = f"{siting.bound - siting.objective:.0f}"
    rest = {
        "cover": f"至多还能多 {more} 户 not proven: at most {more} more households are possible",
        "share": f"至少要 {least} 处 not proven: at least {least} stations are needed",
        "median": f"平均步行 {mean} 米，不会少于 {least} 米 not proven: {least} m at least",
    }
    return f"尚未证明最优：{rest[siting.kind]}（差距 gap {siting.gap:.2%}）"
