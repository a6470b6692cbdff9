"""What a reader must know about a map: sources, frame, proof, assumptions, limits of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.maps.data import band_text
from geogrid.maps.disclosure import SMALLEST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.model.plan import GridPlan
    from geogrid.model.source import Source

__all__ = [
    "SOURCE_ROLES",
    "attribution_line",
    "data_dates",
    "flags",
    "foot_parts",
    "notes",
    "use_text",
]

INTERNAL_USE = "内部使用 · 示意图"
OSM_LINE = "© OpenStreetMap contributors, ODbL"
SYNTHETIC_LINE = "合成数据：道路、建筑、住户、服务站均为程序生成 synthetic data"

# What people read for the role of a source.
SOURCE_ROLES = {
    "limit": "区划边界",
    "osm": "道路与建筑",
    "households": "住户",
    "stations": "服务站",
    "codes": "官方名称与编码",
}


def flags(sources: Iterable[Source]) -> list[str]:
    """Return the warnings that stand beside the title."""
    listed = list(sources)
    found = []
    if any(source.is_synthetic for source in listed):
        found.append("合成数据")
    if is_estimated(listed):
        found.append("估算户数")
    return found


def is_estimated(sources: Iterable[Source]) -> bool:
    """Tell whether the households were derived by a rule of thumb instead of counted."""
    return any(source.is_estimated for source in sources)


def attribution_line(sources: Iterable[Source], *, has_base: bool, tiles: str = "") -> str:
    """Return the licence line of everything that is drawn."""
    listed = list(sources)
    lines = [source.attribution for source in listed if source.attribution]
    base = [source for source in listed if source.role == "osm"]
    if base and all(source.is_synthetic for source in base):
        lines = [SYNTHETIC_LINE, *lines]
    elif has_base or base:
        lines = [OSM_LINE, *(line for line in lines if "OpenStreetMap" not in line)]
    return "；".join(dict.fromkeys([*lines, *([tiles] if tiles else [])]))


def data_dates(sources: Iterable[Source]) -> str:
    """Return the dates of the data, oldest and newest, or say that none is known.

    The date of a list of names says nothing of what is drawn.
    """
    dates = sorted({source.date for source in sources if source.date and source.role != "codes"})
    if not dates:
        return "未注明"
    return dates[0] if len(dates) == 1 else f"{dates[0]} 至 {dates[-1]}"


def use_text(map_approval: str) -> str:
    """Return the approval number of the map, or what a map without one must say."""
    return f"审图号：{map_approval}" if map_approval else INTERNAL_USE


def frame_text(plan: GridPlan) -> str:
    """Return the coordinate systems that were computed and drawn in."""
    crs = plan.district.crs
    if crs is None:
        return "本地平面坐标"
    epsg = crs.to_epsg()
    return crs.name + (f"（EPSG:{epsg}）" if epsg else "")


def source_text(source: Source) -> str:
    """Return one input with its licence, date and standing."""
    parts = [source.name, source.licence, source.date]
    if source.datum:
        parts.append(f"原坐标 {source.datum}")
    if source.is_synthetic:
        parts.append("合成数据")
    if source.is_estimated:
        parts.append("估算")
    if source.note:
        parts.append(source.note)
    return "，".join(part for part in parts if part)


def notes(plan: GridPlan, *, map_approval: str, walking: str, circles: str) -> list[list[str]]:
    """Return the notes of a map as pairs of term and text."""
    rows = [["体系", plan.scheme.title]]
    for level in plan.scheme.area_levels:
        band = band_text(level.band)
        rows.append([level.name, band or "未规定户数"])
    rows += [
        [SOURCE_ROLES.get(source.role, source.role), source_text(source)] for source in plan.sources
    ]
    rows += [
        ["计算坐标系", frame_text(plan)],
        ["显示坐标系", "WGS 84（EPSG:4326），取 7 位小数；全覆盖证明以方案文件为准"],
        ["数据日期", data_dates(plan.sources)],
    ]
    if walking:
        rows.append(["步行假定", walking])
    if circles:
        rows.append(["服务圈", circles])
    rows.append(
        [
            "户数公布",
            f"少于 {SMALLEST_SHOWN} 户只写“<{SMALLEST_SHOWN}”，可反推的另行隐去；不含住户点位",
        ]
    )
    if plan.version:
        rows.append(["方案版本", plan.version])
    rows.append(["地图审核", map_approval or INTERNAL_USE])
    return rows


def foot_parts(plan: GridPlan, *, map_approval: str, attribution: str) -> list[list[str]]:
    """Return the strip below the map as pairs of kind and text."""
    return [
        ["use", use_text(map_approval)],
        ["licence", attribution],
        ["date", f"数据日期 {data_dates(plan.sources)}"],
        ["more", f"坐标系 {frame_text(plan)}"],
    ]
