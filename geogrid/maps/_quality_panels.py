"""The three panels of a level in the picture of a quality report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geogrid.maps._svg import INK, SOFT, box, line, text, width_of
from geogrid.model.quality_words import NO_LINE
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.model.quality import Borders, LevelQuality
    from geogrid.model.scheme import HouseholdBand

__all__ = [
    "BAND",
    "COLOURS",
    "HIST_X",
    "INSIDE",
    "LINES_W",
    "LINES_X",
    "NO_LINE_FILL",
    "OUTSIDE",
    "SHAPE_X",
    "border_bar",
    "compactness_strip",
    "histogram",
]  # fmt: skip

HIST_X, SHAPE_X, LINES_X = 348, 772, 1012
LINES_W = 240
_HIST_W, _SHAPE_W = 372, 196
INSIDE, OUTSIDE, BAND = "#4c9f8b", "#e0803c", "#e4f1ed"
_PLAIN, _RULE = "#7d93ab", "#d9dee4"
NO_LINE_FILL = "#e9ebee"
_MOST_BINS = 30
# Farther right than this many times the 95th percentile a cell is piled onto the last bar.
_FAR = 1.8
# A histogram that starts far from zero would make small differences look large.
_FROM_ZERO = 0.4
_SHAPE_BINS = 40
_ROOM = 5.0
# Less than a metre is what rounding leaves, or a line that only crosses a border.
LEAST_M = 1.0

COLOURS = {
    BarrierKind.RIVER: "#2f78b7",
    BarrierKind.RAIL: "#6a5a8c",
    BarrierKind.ARTERIAL: "#c8503f",
    BarrierKind.COMPOUND: "#7f6a3f",
    BarrierKind.STREET: "#eba13a",
    BarrierKind.WALL: "#a98467",
    BarrierKind.WATER: "#74b4d9",
    BarrierKind.LANE: "#d9c867",
    BarrierKind.LIMIT: "#454f5b",
    BarrierKind.CELL: "#b7bec7",
}
_DARK = (BarrierKind.RIVER, BarrierKind.RAIL, BarrierKind.ARTERIAL, BarrierKind.COMPOUND,
         BarrierKind.WALL, BarrierKind.LIMIT)  # fmt: skip
_MIDDLE, _END, _BOLD = 'text-anchor="middle"', 'text-anchor="end"', 'font-weight="bold"'


def histogram(level: LevelQuality, top: float) -> list[str]:
    """Draw how many cells hold how many households, the band shaded behind."""
    cells = level.cells[level.cells["in_balance"]]
    held = cells["households"].to_numpy(np.int64)
    if len(held) <= 1:
        words = "只有一个网格" if len(held) else "没有参与均衡的网格"
        return [text(HIST_X, top + 68, words, fill=SOFT)]
    edges, is_open = _bins(held, level.band)
    clipped = np.minimum(held, edges[-1] - 1)
    inside = cells["in_band"].to_numpy(bool)
    good = np.histogram(clipped[inside], edges)[0]
    bad = np.histogram(clipped[~inside], edges)[0]
    base, tall, left = top + 132, 104.0, HIST_X + 34
    wide = _HIST_W - 40
    most = int((good + bad).max())

    def at(households: float) -> float:
        share = (households - edges[0]) / (edges[-1] - edges[0])
        return float(left + wide * min(max(share, 0.0), 1.0))

    parts = _band_shade(level.band, at, base, tall)
    fill = _PLAIN if level.band is None else INSIDE
    for low, high, ok, off in zip(edges[:-1], edges[1:], good, bad, strict=True):
        x, bar = at(low) + 0.5, at(high) - at(low) - 1
        tip = f"{low}–{high - 1} 户：{ok + off} 个网格"
        up = tall * ok / most
        parts.append(box(x, base - up, bar, up, fill, tip=tip) if ok else "")
        parts.append(box(x, base - up - tall * off / most, bar, tall * off / most, OUTSIDE,
                         tip=tip) if off else "")  # fmt: skip
    parts += _axes(edges, at, base, tall, most, is_open=is_open)
    target = at(held.mean())
    dash = 'stroke-dasharray="3 3" stroke-width="1.3"'
    parts.append(line(target, base, target, base - tall - 4, stroke=INK, more=dash))
    return [part for part in parts if part]


def _bins(
    held: npt.NDArray[np.int64], band: HouseholdBand | None
) -> tuple[npt.NDArray[np.int64], bool]:
    """Return whole numbers between which cells are counted, and whether the last bar is open."""
    ends = [] if band is None else [end for end in (band.low, band.high) if end is not None]
    most = int(held.max())
    cap = max(int(np.percentile(held, 95) * _FAR), *ends, 1)
    is_open = most > cap
    high, low = min(most, cap), min(int(held.min()), *ends, most)
    high = max(high, *ends, low + 1)
    low = 0 if low < _FROM_ZERO * high else low
    step = next(
        unit * 10**power
        for power in range(12)
        for unit in (1, 2, 5)
        if (high - low + 1) / (unit * 10**power) <= _MOST_BINS
    )
    first = low // step * step
    return np.arange(first, high + step + 1, step, dtype=np.int64), is_open


def _band_shade(
    band: HouseholdBand | None, at: Callable[[float], float], base: float, tall: float
) -> list[str]:
    if band is None or (band.low is None and band.high is None):
        return []
    low = at(-np.inf if band.low is None else band.low)
    high = at(np.inf if band.high is None else band.high + 1)
    return [box(low, base - tall - 4, high - low, tall + 4, BAND)]


def _axes(
    edges: npt.NDArray[np.int64],
    at: Callable[[float], float],
    base: float,
    tall: float,
    most: int,
    *,
    is_open: bool,
) -> list[str]:
    left, right = at(-np.inf), at(np.inf)
    parts = [
        line(left, base, right, base),
        line(left, base - tall, right, base - tall, stroke=_RULE),
        text(left - 6, base - tall + 4, f"{most:,}", size=11, fill=SOFT, more=_END),
        text(left - 6, base + 4, "0", size=11, fill=SOFT, more=_END),
        text(left - 6, base - tall / 2 + 4, "个网格", size=11, fill=SOFT, more=_END),
    ]
    every = max(1, -(-len(edges) // 7))
    ticks = edges[:-1:every].tolist()
    for tick in ticks:
        parts.append(line(at(tick), base, at(tick), base + 4))
        parts.append(text(at(tick), base + 17, f"{tick:,}", size=11, fill=SOFT, more=_MIDDLE))
    if is_open:
        more = f"≥{edges[-2]:,} 户"
        parts.append(text(right, base - tall - 9, more, size=11, fill=SOFT, more=_END))
    return parts


def compactness_strip(level: LevelQuality, top: float) -> list[str]:
    """Draw how many cells are how compact."""
    shape = level.shape
    if shape is None:
        return []
    counts = np.histogram(level.cells["compactness"], np.linspace(0, 1, _SHAPE_BINS + 1))[0]
    base, tall, bar = top + 92, 64.0, _SHAPE_W / _SHAPE_BINS
    most = max(int(counts.max()), 1)
    parts = [
        box(SHAPE_X + at * bar + 0.4, base - tall * count / most, bar - 0.8, tall * count / most,
            _PLAIN, tip=f"{at / _SHAPE_BINS:.3f} 起：{count} 个网格")
        for at, count in enumerate(counts.tolist()) if count
    ]  # fmt: skip
    parts.append(line(SHAPE_X, base, SHAPE_X + _SHAPE_W, base))
    for tenth in range(0, 11, 2):
        x = SHAPE_X + _SHAPE_W * tenth / 10
        parts.append(line(x, base, x, base + 4))
        parts.append(text(x, base + 16, f"{tenth / 10:g}", size=11, fill=SOFT, more=_MIDDLE))
    marks = ((shape.mean, f"平均 {shape.mean:.2f}"), (shape.tenth, ""))
    for value, words in marks:
        x = SHAPE_X + _SHAPE_W * value
        dash = 'stroke-dasharray="3 3" stroke-width="1.3"' if words else 'stroke-width="1.3"'
        parts.append(line(x, base, x, base - tall - 4, stroke=INK, more=dash))
    said = f"平均 {shape.mean:.2f}，第10百分位 {shape.tenth:.2f}"
    parts.append(text(SHAPE_X, base + 38, said, size=12.5))
    worst = f"最差 {shape.worst:.2f}：网格 {shape.worst_code}"
    parts.append(text(SHAPE_X, base + 56, worst, size=12.5))
    return parts


def border_bar(borders: Borders | None, top: float) -> list[str]:
    """Draw which share of the inner borders runs along what."""
    if borders is None or borders.mapped_share is None:
        words = "没有地图线要素" if borders is None else "没有内部界线"
        return [text(LINES_X, top + 68, words, fill=SOFT)]
    parts, x, y = [], float(LINES_X), top + 28
    for name, fill, ink, metres in _runs(borders):
        share = metres / borders.length_m
        wide, tip = LINES_W * share, f"{name} {metres / 1000:,.2f} 公里，{share:.1%}"
        parts.append(box(x, y, wide, 42, fill, more='stroke="#fff" stroke-width="0.8"', tip=tip))
        if wide >= width_of(name, 12) + _ROOM:
            parts.append(text(x + wide / 2, y + 18, name, size=12, fill=ink, more=_MIDDLE))
        if wide >= width_of("00%", 12) + _ROOM:
            parts.append(
                text(x + wide / 2, y + 34, f"{share:.0%}", size=12, fill=ink, more=_MIDDLE)
            )
        x += wide
    said = f"沿可见界线 {borders.mapped_share:.1%}"
    parts.append(text(LINES_X, y + 64, said, size=14, more=_BOLD))
    parts.append(
        text(LINES_X, y + 84, f"内部界线共 {borders.length_m / 1000:,.1f} 公里", size=12.5)
    )
    return parts


def _runs(borders: Borders) -> list[tuple[str, str, str, float]]:
    """Return name, fill, colour of the letters and metres of each part of the bar."""
    runs = [
        (kind.label_zh, COLOURS[kind], "#fff" if kind in _DARK else INK, metres)
        for kind, metres in ((BarrierKind(k), m) for k, m in borders.on_kind_m.items())
        if metres >= LEAST_M
    ]
    rest = borders.length_m - sum(borders.on_kind_m.values())
    return [*runs, (NO_LINE, NO_LINE_FILL, INK, rest)] if rest >= LEAST_M else runs
