"""The figures of a quality report in the order and the words in which people read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.model.findings import band_zh
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.model.quality import LevelQuality, QualityReport

__all__ = [
    "METRICS",
    "NO_LINE",
    "Metric",
    "border_rows",
    "cell_rows",
    "compound_rows",
    "flags_zh",
    "metric_rows",
    "notes_zh",
    "out_of_band_rows",
    "piece_rows",
]

# What a border runs along where the map has no line.
NO_LINE = "无明显地物"
_MANNER = {True: "内部细分", False: "拆散"}
_WHOLE, _TENTHS, _DECIMAL, _SHARE, _TEXT = "whole", "tenths", "decimal", "share", "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure of a level.

    Attributes
    ----------
    key, zh, en
        Its name for programs, and for people in two languages.
    style
        ``whole``, ``tenths``, ``decimal`` (3 digits), ``share`` (0 to 1, read as per cent) or
        ``text``.
    of
        Takes it from a level; ``None`` where it is not known.
    """

    key: str
    zh: str
    en: str
    style: str
    of: Callable[[LevelQuality], Any]

    def text(self, level: LevelQuality) -> str:
        """Return what people read, "—" where it is not known."""
        value = self.of(level)
        if value is None or value == "":
            return "—"
        if self.style == _SHARE:
            return f"{value:.1%}"
        if self.style == _TENTHS:
            return f"{value:,.1f}"
        if self.style == _DECIMAL:
            return f"{value:.3f}"
        return f"{value:,}" if isinstance(value, int) else str(value)


def _part(name: str, field: str) -> Callable[[LevelQuality], Any]:
    def take(level: LevelQuality) -> Any:  # noqa: ANN401 - figures and texts
        part = getattr(level, name)
        return None if part is None else getattr(part, field)

    return take


def _kept(field: str) -> Callable[[LevelQuality], float | None]:
    def take(level: LevelQuality) -> float | None:
        moves = level.moves
        if moves is None or not moves.households:
            return None
        return float(getattr(moves, field) / moves.households)

    return take


def _apart(level: LevelQuality) -> str:
    return "、".join(f"{kind} {count}" for kind, count in level.apart.items())


def _compounds(level: LevelQuality) -> int | None:
    return None if level.compounds_cut is None else len(level.compounds_cut)


METRICS: tuple[Metric, ...] = tuple(
    Metric(key=key, zh=zh, en=en, style=style, of=of)
    for key, zh, en, style, of in (
        ("cells", "网格数", "cells", _WHOLE, lambda level: len(level.cells)),
        ("apart", "不参与均衡", "apart", _TEXT, _apart),
        ("band", "户数标准", "band", _TEXT, lambda level: band_zh(level.band)),
        ("least", "最少户数", "least", _WHOLE, _part("balance", "least")),
        ("mean", "平均户数（目标）", "mean = target", _TENTHS, _part("balance", "mean")),
        ("most", "最多户数", "most", _WHOLE, _part("balance", "most")),
        ("in_band", "达标网格", "in band", _WHOLE, _part("balance", "in_band")),
        ("in_band_share", "达标率", "in band", _SHARE, _part("balance", "in_band_share")),
        ("deviation_max", "最大偏差", "greatest deviation", _SHARE,
         _part("balance", "deviation_max")),
        ("deviation_mean", "平均偏差", "mean deviation", _SHARE,
         _part("balance", "deviation_mean")),
        ("cv", "变异系数", "CV", _DECIMAL, _part("balance", "cv")),
        ("floor_households", "最重基本单元户数", "heaviest atom", _WHOLE,
         _part("floor", "households")),
        ("floor", "偏差下限", "floor", _SHARE, _part("floor", "deviation")),
        ("disconnected", "不连片网格", "in pieces", _WHOLE,
         lambda level: None if level.components is None else len(level.disconnected)),
        ("compactness", "紧凑度 平均", "compactness", _DECIMAL, _part("shape", "mean")),
        ("compactness_tenth", "紧凑度 第10百分位", "10th percentile", _DECIMAL,
         _part("shape", "tenth")),
        ("compactness_worst", "紧凑度 最差", "worst", _DECIMAL, _part("shape", "worst")),
        ("worst_code", "最差网格", "worst cell", _TEXT, _part("shape", "worst_code")),
        ("border_km", "内部界线公里", "inner borders km", _TENTHS,
         lambda level: None if level.borders is None else level.borders.length_m / 1000),
        ("mapped_share", "沿可见界线", "on mapped lines", _SHARE,
         _part("borders", "mapped_share")),
        ("buildings_cut", "切割建筑", "buildings cut", _WHOLE,
         lambda level: level.buildings_cut),
        ("compounds_cut", "跨网格小区", "compounds in several cells", _WHOLE, _compounds),
        ("compounds_torn", "其中被拆散的小区", "of these torn apart", _WHOLE,
         lambda level: level.compounds_torn),
        ("same_code", "编码不变的户", "keep their code", _SHARE, _kept("same_code")),
        ("same_cell", "网格不变的户", "keep their cell", _SHARE, _kept("same_cell")),
    )
)  # fmt: skip

_NOTES = {
    "the lines of the map are not known": "没有地图线要素，无法判断界线走向",
    "without buildings, those cut": "没有建筑图层：只知道基本单元界线切割的建筑，不能分层级统计",
    "compounds cut are not known": "没有小区和建筑图层，无法统计切割小区",
    "households were compared at an inner point": "与旧方案比较时，住户按所在基本单元的内点计",
}


def notes_zh(report: QualityReport) -> list[str]:
    """Return the notes in the words of planners, as they stand where there are none."""
    return [
        next((zh for start, zh in _NOTES.items() if note.startswith(start)), note)
        for note in report.notes
    ]


def flags_zh(report: QualityReport) -> list[str]:
    """Return the warnings that stand beside the title of whatever shows the report."""
    flags = []
    if report.is_synthetic:
        flags.append("合成数据 synthetic")
    if report.is_estimated:
        flags.append("估算户数 estimated")
    return flags


def metric_rows(report: QualityReport) -> pd.DataFrame:
    """Return one row a level with every figure as a number, under bilingual headings."""
    columns: dict[str, list[Any]] = {
        "层级 level": [level.name for level in report.levels],
        "键 key": [level.key for level in report.levels],
    }
    for metric in METRICS:
        # Two figures may be read alike in English; a heading stands for one.
        name = f"{metric.zh} {metric.key}"
        columns[name] = [_figure(metric, level) for level in report.levels]
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _figure(metric: Metric, level: LevelQuality) -> Any:  # noqa: ANN401 - figures and texts
    value = metric.of(level)
    return round(value, 4) if isinstance(value, float) else value


def border_rows(report: QualityReport) -> pd.DataFrame:
    """Return what the borders of each level run along, with metres and share."""
    kinds = {kind.value: kind.label_zh for kind in BarrierKind}
    rows = []
    for level in report.levels:
        borders = level.borders
        if borders is None or not borders.length_m:
            continue
        metres = {kinds[kind]: length for kind, length in borders.on_kind_m.items()}
        metres[NO_LINE] = max(borders.length_m - sum(metres.values()), 0.0)
        rows += [
            (level.name, kind, round(length, 1), round(length / borders.length_m, 4))
            for kind, length in metres.items()
        ]
    return pd.DataFrame(rows, columns=["层级 level", "界线 line", "米 metres", "占比 share"])


def out_of_band_rows(report: QualityReport) -> pd.DataFrame:
    """List the cells outside the band of their level."""
    rows = [
        (level.name, code, name, households, band_zh(level.band), "允许" if allowed else "")
        for level in report.levels
        for code, name, households, allowed in level.out_of_band.itertuples(index=False)
    ]
    heads = ["层级 level", "编码 code", "名称 name", "户数 households", "标准 band",
             "例外 allowed"]  # fmt: skip
    return pd.DataFrame(rows, columns=heads)


def piece_rows(report: QualityReport) -> pd.DataFrame:
    """List the cells that are in several pieces."""
    rows = [
        (level.name, code, name, pieces)
        for level in report.levels
        for code, name, pieces in level.disconnected.itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=["层级 level", "编码 code", "名称 name", "片数 pieces"])


def compound_rows(report: QualityReport) -> pd.DataFrame:
    """List the compounds with buildings in several cells."""
    rows = [
        (level.name, compound, "、".join(map(str, cells)), buildings, apart, _MANNER[is_inner])
        for level in report.levels
        if level.compounds_cut is not None
        for compound, cells, buildings, apart, is_inner in level.compounds_cut.itertuples(
            index=False
        )
    ]
    heads = ["层级 level", "小区 compound", "所在网格 cells", "楼栋 buildings",
             "不在主网格的楼栋 apart", "方式 manner"]  # fmt: skip
    return pd.DataFrame(rows, columns=heads)


def cell_rows(report: QualityReport) -> pd.DataFrame:
    """List every cell of every level with its figures."""
    heads = {
        "level": "层级 level", "code": "编码 code", "name": "名称 name", "kind": "类型 kind",
        "parent": "上级 parent", "households": "户数 households", "in_band": "达标 in_band",
        "deviation": "偏差 deviation", "area_m2": "面积平方米 area_m2",
        "compactness": "紧凑度 compactness", "pieces": "片数 pieces",
    }  # fmt: skip
    tables = [level.cells.assign(level=level.name) for level in report.levels]
    if not tables:
        return pd.DataFrame(columns=list(heads.values()))
    table = pd.concat(tables, ignore_index=True).reindex(columns=list(heads))
    digits = {"deviation": 4, "area_m2": 2, "compactness": 4}
    return table.round(digits).rename(columns=heads)
