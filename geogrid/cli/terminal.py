"""What a planner sees in the terminal."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from geogrid.model.findings import people_zh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import geopandas as gpd

    from geogrid.model.report import CoverageReport

__all__ = ["Terminal"]

# Every stage that may take more than two seconds, as people read it.
_STAGES = {
    "reading": "读取数据 reading",
    "atoms": "切分基本单元 cutting along roads, rivers and walls",
    "division": "划分网格 dividing",
    "proof": "证明全覆盖 proving",
    "walking": "计算服务圈 walking",
    "writing": "写出文件 writing",
    "fetching": "下载数据 fetching",
    "map": "绘制地图 drawing the map",
}
_MOST_DEFECTS = 20
_CODES_SHOWN = 3


class Terminal:
    """Prints results as tables, as one JSON object, or not at all.

    Parameters
    ----------
    as_json
        Print one JSON object at the end and nothing else.
    quiet
        Print nothing.
    """

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._quiet = quiet or as_json
        self._console = Console(highlight=False)
        self._errors = Console(stderr=True, highlight=False)

    @contextmanager
    def stages(self) -> Iterator[Callable[[str], None]]:
        """Show a line with a clock for the stage that is running."""
        if self._quiet or not self._errors.is_terminal:
            yield lambda _: None
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self._errors) as progress:
            current: list[Any] = []

            def enter(stage: str) -> None:
                if current:
                    progress.update(current[-1], total=1, completed=1)
                current.append(progress.add_task(_STAGES.get(stage, stage), total=None))

            yield enter
            if current:
                progress.update(current[-1], total=1, completed=1)

    def say(self, text: str) -> None:
        """Print one line."""
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)

    def result(self, values: Mapping[str, Any]) -> None:
        """Print the JSON object when JSON was asked for."""
        if self._as_json:
            json.dump(values, sys.stdout, ensure_ascii=False, default=str)
            sys.stdout.write("\n")
            # A service goes on after this line, and whoever started it reads it through a pipe.
            sys.stdout.flush()

    def summary(self, values: Mapping[str, Any]) -> None:
        """Print what a plan holds, what was proven, who is served and where the files are."""
        self.result(values)
        if self._quiet:
            return
        flag = "（估算 estimated）" if values["is_estimated"] else ""
        flag += "（合成数据 synthetic）" if values["is_synthetic"] else ""
        self.say(
            f"{values['district']}: {values['area_km2']:.2f} km²，{values['households']} 户{flag}，"
            f"{values['atoms']} 个基本单元 atoms，方案 scheme {values['scheme']}"
        )
        self._console.print(_level_table(values["levels"]))
        self._served(values)
        cut, by_limit = values["cut_buildings"], values["cut_by_limit"]
        if cut or by_limit:
            self.say(f"被切割建筑 buildings cut: 网格 by borders {cut}，区划 by limit {by_limit}")
        if values.get("households_outside"):
            count = values["households_outside"]
            self.say(f"边界外户数 households outside the limit: {count}，已列出 listed")
        if values.get("households_rejected"):
            count = values["households_rejected"]
            self.say(f"无法使用的行 rows that cannot be used: {count}，已列出 listed")
        for note in values.get("notes", ()):
            self.say(f"注 note: {note}")
        for role, path in values.get("files", {}).items():
            self.say(f"{role:>8}: {path}")

    def _served(self, values: Mapping[str, Any]) -> None:
        if "served" not in values:
            return
        total = max(values["households"], 1)
        parts = [
            f"{limit} 分钟 min: {count} 户 ({count / total:.1%})"
            for limit, count in values["served"].items()
        ]
        off = f"，离路网 off network {values['off_network']}" if values["off_network"] else ""
        real = "（地图上的公共服务设施代替 stand-ins from the map）"
        stand_in = real if values.get("stand_ins") else ""
        self.say(f"服务站 stations: {values['stations']}{stand_in}{off}")
        self.say("步行可达 served: " + "，".join(parts))

    def off_network(self, off: gpd.GeoDataFrame, named: gpd.GeoDataFrame) -> None:
        """Name the stations that no street is near."""
        names = dict(zip(named["station"], named.get("name", named["station"]), strict=True))
        for station in off["station"]:
            self.say(
                f"注 note: 离路网过远 no street within reach of station {station} "
                f"{names.get(station, '')}"
            )

    def defects(self, defects: gpd.GeoDataFrame) -> None:
        """Print the worst defects of a table of findings, or that there are none."""
        if self._quiet:
            return
        if defects.empty:
            self.say("没有发现问题 no defect found")
            return
        self._console.print(_finding_table(defects))
        more = len(defects) - _MOST_DEFECTS
        if more > 0:
            self.say(f"另有 {more} 处 more；用 --report 写出全部 writes all")

    def exceptions(self, allowed: gpd.GeoDataFrame) -> None:
        """Print what would be defects had it not been allowed."""
        if self._quiet or allowed.empty:
            return
        self.say(f"允许的例外 allowed exceptions: {len(allowed)}（不算问题 no errors）")
        self._console.print(_finding_table(allowed, with_reason=True))
        more = len(allowed) - _MOST_DEFECTS
        if more > 0:
            self.say(f"另有 {more} 处 more；用 --report 写出全部 writes all")

    def verdict(
        self, *, is_proven: bool, is_sound: bool, report: CoverageReport | None = None
    ) -> None:
        """Print whether the cover is proven and, of a check, first who lives where it is wrong."""
        if not is_proven:
            status = "未证明 NOT PROVEN"
        elif is_sound:
            status = "已证明：全覆盖、无重叠 PROVEN"
        else:
            status = "图形已证明，但有所列问题 the cover is PROVEN, but see the list"
        if report is None:
            self.say(status)
            return
        self.say(f"{people_zh(report)}。{status}")
        lived = report.lived_in
        self.say(
            "households unknown: give --households to know whether anybody lives there"
            if lived is None
            else f"households in gaps: {lived.in_gaps}, in overlaps: {lived.in_overlaps}, "
            f"outside: {lived.outside}"
        )


def _level_table(levels: list[Mapping[str, Any]]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("层级\nlevel", no_wrap=True)
    titles = ("网格\ncells", "户数 min–max\nhouseholds", "应为\nband", "达标\nin band")
    for title in (*titles, "最大偏差\ndeviation", "证明\nproof"):
        table.add_column(title, justify="right", no_wrap=True)
    for level in levels:
        band, inside = level["band"], level["in_band"]
        table.add_row(
            level["name"],
            str(level["cells"]),
            f"{level['households_min']}–{level['households_max']}",
            "—" if band is None else f"{band[0] or 0}–{band[1] or '∞'}",
            "—" if inside is None else f"{inside} ({inside / level['cells_in_balance']:.0%})",
            f"{level['deviation']:.0%}",
            "—" if "is_proven" not in level else ("✓" if level["is_proven"] else "✗"),
        )
    return table


def _finding_table(findings: gpd.GeoDataFrame, *, with_reason: bool = False) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("问题\nkind", no_wrap=True)
    has_level = bool((findings["level"] != "").any())
    if has_level:
        table.add_column("层级\nlevel", no_wrap=True)
    table.add_column("网格\ncells")
    for title in ("户数\nhh", "面积\nm²", "宽\nm", "位置\nlon, lat"):
        table.add_column(title, justify="right", no_wrap=True)
    if with_reason:
        table.add_column("原因\nreason")
    for row in findings.head(_MOST_DEFECTS).to_dict("records"):
        codes = row["cells"]
        shown = ", ".join(codes[:_CODES_SHOWN]) + (" …" if len(codes) > _CODES_SHOWN else "")
        table.add_row(
            str(row["kind_zh"]),
            *([row["level_name"] or row["level"]] if has_level else []),
            shown,
            str(row["households"]),
            f"{row['area_m2']:.2f}",
            f"{row['width_m']:.3f}",
            f"{row['lon']:.5f}, {row['lat']:.5f}" if isfinite(row["lon"]) else "—",
            *([row["reason"]] if with_reason else []),
            style="bold red" if row["households"] and not with_reason else None,
        )
    return table
