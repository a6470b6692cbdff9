"""A quality report as one SVG picture: a row a level, three panels a row.

The picture holds no place and no single count below ten, so it may be shown to everyone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.maps._quality_panels import (
    BAND,
    COLOURS,
    HIST_X,
    INSIDE,
    LEAST_M,
    LINES_W,
    LINES_X,
    NO_LINE_FILL,
    OUTSIDE,
    SHAPE_X,
    border_bar,
    compactness_strip,
    histogram,
)
from geogrid.maps._svg import FONT, INK, SOFT, box, line, text, width_of
from geogrid.maps.disclosure import SMALLEST_SHOWN
from geogrid.maps.notes import INTERNAL_USE, attribution_line, flags
from geogrid.model.findings import band_zh
from geogrid.model.quality_words import NO_LINE

if TYPE_CHECKING:
    from geogrid.model.quality import LevelQuality, QualityReport

__all__ = ["draw_quality", "shown_count"]

_WIDTH, _HEAD, _FOOT = 1280, 104, 104
# A level of one cell has nothing to compare and needs a few lines only.
_ROW, _LOW_ROW = 200, 112
_TEXT_X = 28
_END_X = LINES_X + LINES_W
_RULE, _PAPER = "#d9dee4", "#ffffff"
_BOLD = 'font-weight="bold"'


def draw_quality(report: QualityReport, *, title: str = "") -> str:
    """Draw a report.

    Parameters
    ----------
    report
        The report.
    title
        Headline; made from the district's name where absent.

    Returns
    -------
    str
        The SVG document. It says 合成数据 and 估算户数 where these were used.
    """
    tops = np.cumsum([_HEAD, *map(_row_height, report.levels)]).tolist()
    height = tops[-1] + _FOOT
    frame = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame} font-family="{FONT}" role="img">',
        box(0, 0, _WIDTH, height, _PAPER),
        *_head(report, title or f"{report.district or '本区'}网格质量"),
    ]
    for level, top in zip(report.levels, tops[:-1], strict=True):
        parts += _level_row(level, top, near=report.near)
    parts += _foot(report, tops[-1])
    return "\n".join([*parts, "</svg>", ""])


def shown_count(count: int) -> str:
    """Return a count as it may be shown to everyone."""
    return f"<{SMALLEST_SHOWN}" if 0 < count < SMALLEST_SHOWN else f"{count:,}"


def _head(report: QualityReport, title: str) -> list[str]:
    parts = [text(_TEXT_X, 38, title, size=22, more=_BOLD)]
    x = _TEXT_X + 1.08 * width_of(title, 22) + 16
    for flag in flags(report.sources):
        wide = width_of(flag, 14) + 18
        parts += [
            box(x, 19, wide, 25, "#fff3d6", more='rx="4" stroke="#c98a1b"'),
            text(x + 9, 37, flag, size=14, fill="#7a4f00", more=_BOLD),
        ]
        x += wide + 10
    facts = [f"{len(report.levels)} 个层级", f"{shown_count(report.households)} 户"]
    facts += [f"版本 {report.version}"] if report.version else []
    facts += [f"对比旧方案 {report.near}"] if report.near else []
    parts.append(text(_TEXT_X, 62, " · ".join(facts), fill=SOFT))
    panels = ((HIST_X, "每个网格的户数"), (SHAPE_X, "形状紧凑度（1 为圆）"),
              (LINES_X, "网格界线沿什么走"))  # fmt: skip
    parts += [text(x, 90, name, size=14, more=_BOLD) for x, name in panels]
    return parts


def _row_height(level: LevelQuality) -> int:
    return _LOW_ROW if len(level.cells) == 1 else _ROW


def _level_row(level: LevelQuality, top: float, *, near: str) -> list[str]:
    parts = [line(_TEXT_X, top, _END_X, top, stroke=_RULE)]
    parts.append(text(_TEXT_X, top + 30, level.name, size=18, more=_BOLD))
    x = _TEXT_X + width_of(level.name, 18) + 10
    parts.append(text(x, top + 30, f"{len(level.cells):,} 个", size=14, fill=SOFT))
    for number, (words, is_bad) in enumerate(_sentences(level, near=near)):
        fill = "#a8430f" if is_bad else INK
        parts.append(text(_TEXT_X, top + 52 + 18 * number, words, size=12.5, fill=fill))
    if len(level.cells) == 1:
        shape = "" if level.shape is None else f"，紧凑度 {level.shape.mean:.2f}"
        return [*parts, text(HIST_X, top + 56, f"只有一个网格{shape}", fill=SOFT)]
    parts += histogram(level, top + 16)
    if level.shape is None:
        parts.append(text(SHAPE_X, top + 84, "没有自己的界线（名册或住户层级）", fill=SOFT))
        return parts
    parts += compactness_strip(level, top + 16)
    # Polygons of compounds lie apart: they have no borders with each other to judge.
    return parts if level.components is None else [*parts, *border_bar(level.borders, top + 16)]


def _sentences(level: LevelQuality, *, near: str) -> list[tuple[str, bool]]:
    """Return what is said beside the panels, and whether it is a shortcoming."""
    found: list[tuple[str, bool]] = []
    balance = level.balance
    if level.is_locked:
        found.append(("官方边界，照用不改", False))
    if balance is not None:
        band = "" if level.band is None else f"，标准 {band_zh(level.band)}"
        found.append((f"平均 {balance.mean:,.1f} 户{band}", False))
        if len(level.cells) > 1:
            span = f"{shown_count(balance.least)} 至 {shown_count(balance.most)} 户"
            found.append((f"{span}，变异系数 {balance.cv:.2f}", False))
        if balance.in_band is not None:
            ratio = f"达标 {balance.in_band:,}/{balance.cells:,}（{balance.in_band_share:.1%}）"
            found.append((ratio, balance.in_band < balance.cells))
        if balance.cells > 1 and not level.is_locked:
            off = f"偏差 最大 {balance.deviation_max:.0%}，平均 {balance.deviation_mean:.0%}"
            found.append((off, False))
    if level.floor is not None and level.floor.deviation > 0:
        heavy = shown_count(level.floor.households)
        found.append((f"最重单元 {heavy} 户，不拆则偏差至少 {level.floor.deviation:.0%}", True))
    found += _cuts(level)
    moves = level.moves
    if near and moves is not None and moves.households:
        code, cell = moves.same_code / moves.households, moves.same_cell / moves.households
        found.append((f"住户编码不变 {code:.1%}，网格不变 {cell:.1%}", False))
    if level.apart:
        kinds = "、".join(f"{kind} {count}" for kind, count in level.apart.items())
        found.append((f"不参与均衡：{kinds}", False))
    return found


def _cuts(level: LevelQuality) -> list[tuple[str, bool]]:
    counts = {
        "不连片": None if level.components is None else len(level.disconnected),
        "切割建筑": level.buildings_cut,
        "拆散小区": level.compounds_torn,
    }
    known = {name: count for name, count in counts.items() if count is not None}
    words = "，".join(f"{name} {count}" for name, count in known.items())
    found = [(words, any(known.values()))] if known else []
    inner = 0 if level.compounds_cut is None else int(level.compounds_cut["is_inner"].sum())
    return [*found, (f"另有 {inner} 个小区内部细分", False)] if inner else found


def _foot(report: QualityReport, top: float) -> list[str]:
    """Say what the colours mean, how the figures are meant, and where the data came from."""
    parts = [line(_TEXT_X, top, _END_X, top, stroke=_RULE)]
    x, y = float(_TEXT_X), top + 16
    used = {
        kind
        for one in report.levels
        if one.borders
        for kind, metres in one.borders.on_kind_m.items()
        if metres >= LEAST_M
    }
    keys = [(INSIDE, "达标"), (OUTSIDE, "户数超限"), (BAND, "户数标准范围")]
    keys += [(fill, kind.label_zh) for kind, fill in COLOURS.items() if kind.value in used]
    keys += [(NO_LINE_FILL, NO_LINE)] if any(one.borders for one in report.levels) else []
    for fill, name in keys:
        parts.append(box(x, y, 14, 14, fill, more='stroke="#c3cad1" stroke-width="0.6"'))
        parts.append(text(x + 19, y + 12, name, size=12))
        x += 19 + width_of(name, 12) + 16
    meant = (
        "虚线为平均值，紧凑度中的实线为第10百分位；偏差按各网格与平均户数之差计；"
        "同时沿河与路的界线只计一次；楼间线与区划边界在地面上看不见，不计入可见界线"
    )
    parts.append(text(_TEXT_X, y + 38, meant, size=12, fill=SOFT))
    where = attribution_line(report.sources, has_base=False)
    parts.append(text(_TEXT_X, y + 58, "；".join(filter(None, [INTERNAL_USE, where])), size=12,
                      fill=SOFT))  # fmt: skip
    return parts
