"""One picture a station: its circles on the streets, who is served, and what stands behind it.

A picture goes from hand to hand without the page around it, so each one says by itself how people
were assumed to walk, how old the data is, and whether it was made up or estimated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geogrid.errors import InputError
from geogrid.maps._circle_picture import (
    INK,
    SOFT,
    WARN,
    Backdrop,
    draw_map,
    picture,
    require_drawing,
)
from geogrid.maps.notes import INTERNAL_USE, OSM_LINE, SYNTHETIC_LINE
from geogrid.maps.quality_picture import shown_count
from geogrid.maps.service import limit_label, status_text, walking_text
from geogrid.model.reach import limit_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geogrid.model.extract import OsmExtract
    from geogrid.model.reach import Reach

__all__ = ["SheetFacts", "circle_sheets", "overview_sheet", "require_drawing"]

_NAME_SIGNS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFacts:
    """What a picture says besides its circles.

    Attributes
    ----------
    flags
        Warnings beside the title: 合成数据, 估算户数, 替代设施.
    date
        The date of the data, empty when unknown.
    is_synthetic
        Whether the streets were made up.
    map_approval
        The approval number of the map (审图号); without it the picture says that it is internal.
    names
        The name of each station by its identifier.
    """

    flags: Sequence[str] = ()
    date: str = ""
    is_synthetic: bool = False
    map_approval: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def circle_sheets(
    reach: Reach, facts: SheetFacts | None = None, *, extract: OsmExtract | None = None
) -> Iterator[tuple[str, bytes]]:
    """Draw a picture of each station, also of one without a circle, which says why.

    Parameters
    ----------
    reach
        Measured on a network in a known metric frame.
    facts
        What the pictures say besides.
    extract
        Its water, rails and buildings are drawn under the streets.

    Yields
    ------
    (str, bytes)
        A file name made of identifier and name, unique, and the PNG. Counts below ten are not
        written as numbers, and no household point is drawn.

    Raises
    ------
    InputError
        If the reach does not know its network.
    OutputError
        If matplotlib or a font with Chinese signs is missing.
    """
    if reach.network is None:
        msg = "this reach does not know its network: measure it with WalkNetwork.reach"
        raise InputError(msg)
    require_drawing()
    known = facts or SheetFacts()
    backdrop = Backdrop(reach, extract)
    taken: set[str] = set()
    for row in range(len(reach.stations)):
        yield _file_name(reach, row, known, taken), _sheet(reach, row, known, backdrop)


def overview_sheet(
    reach: Reach, facts: SheetFacts | None = None, *, extract: OsmExtract | None = None
) -> bytes:
    """Draw all stations with their circles of each limit as one area; as :func:`circle_sheets`."""
    known = facts or SheetFacts()
    merged = reach.circles.dissolve("metres", as_index=False) if len(reach.circles) else None

    def paint(figure: Figure, axes: Axes) -> None:
        circles = reach.circles if merged is None else merged
        places = reach.stations.geometry.to_list()
        no_streets = gpd.GeoSeries([], crs=reach.circles.crs)
        draw_map(axes, circles, no_streets, places, Backdrop(reach, extract))
        figure.text(0.04, 0.957, f"{len(places)} 个服务站", fontsize=17, weight="bold", color=INK)
        figure.text(0.04, 0.925, _limits_text(reach), fontsize=10, color=SOFT)
        _flags(figure, known)
        _foot(figure, reach, "", _warnings(reach.stations, circles), known)

    return picture(paint)


def _sheet(reach: Reach, row: int, facts: SheetFacts, backdrop: Backdrop) -> bytes:
    station = reach.stations.iloc[row]
    circles = reach.circles[reach.circles["station"] == station["station"]]
    lines = reach.lines[reach.lines["station"] == station["station"]]
    widest = lines.geometry[lines["metres"] == lines["metres"].max()]

    def paint(figure: Figure, axes: Axes) -> None:
        draw_map(axes, circles, widest, [station.geometry], backdrop)
        _title(figure, reach, station, facts)
        told = [*_warnings(reach.stations.iloc[[row]], circles), *_without_circle(reach, circles)]
        _foot(figure, reach, _counts(reach, station, circles), told, facts)

    return picture(paint)


def _title(figure: Figure, reach: Reach, station: Any, facts: SheetFacts) -> None:  # noqa: ANN401
    key = str(station["station"])
    name = facts.names.get(key) or f"服务站 {key}"
    tier = str(station.get("tier") or "")
    figure.text(0.04, 0.957, _short(name, 26), fontsize=17, weight="bold", color=INK)
    more = " · ".join(part for part in (f"编号 {key}", tier, _limits_text(reach)) if part)
    figure.text(0.04, 0.925, _short(more, 52), fontsize=10, color=SOFT)
    _flags(figure, facts)


def _flags(figure: Figure, facts: SheetFacts) -> None:
    if facts.flags:
        figure.text(0.96, 0.957, "  ".join(facts.flags), ha="right", fontsize=12, weight="bold",
                    color=WARN, bbox={"facecolor": "#fff3d6", "edgecolor": "#c98a1b"})  # fmt: skip


def _limits_text(reach: Reach) -> str:
    return "、".join(_limit_text(reach, limit) for limit in reach.limits) + "步行服务圈"


def _limit_text(reach: Reach, limit: float) -> str:
    unit = "minutes" if "minutes" in reach.circles else "metres"
    return limit_label({unit: limit})


def _foot(
    figure: Figure, reach: Reach, counted: str, warnings: Sequence[str], facts: SheetFacts
) -> None:
    figure.text(0.04, 0.157, counted, fontsize=12, weight="bold", color=INK)
    lines = [f"步行假定：{walking_text(reach)}", *warnings]
    source = SYNTHETIC_LINE if facts.is_synthetic else OSM_LINE
    use = f"审图号：{facts.map_approval}" if facts.map_approval else INTERNAL_USE
    ground = str(reach.assumptions.get("ground") or "")
    lines += [ground] if ground else []
    lines.append(f"数据日期 {facts.date or '未注明'} · {source} · {use}")
    wrapped = [part for line in lines for part in _wrapped(line, 62)]
    figure.text(0.04, 0.138, "\n".join(wrapped), fontsize=9, color=SOFT, va="top",
                linespacing=1.5)  # fmt: skip


def _counts(reach: Reach, station: Any, circles: gpd.GeoDataFrame) -> str:  # noqa: ANN401
    drawn = set(circles["metres"])
    parts = []
    for limit, metres in zip(reach.limits, reach.assumptions["limits_m"], strict=True):
        if metres in drawn and len(reach.households):
            count = shown_count(int(station[limit_column(limit, "households")]))
            only = shown_count(int(station[limit_column(limit, "only_here")]))
            parts.append(f"{_limit_text(reach, limit)}：{count} 户可达，其中 {only} 户仅此一站")
    if parts:
        return "；".join(parts)
    return "未给出住户" if len(circles) else status_text(station["status"])


def _warnings(stations: gpd.GeoDataFrame, circles: gpd.GeoDataFrame) -> list[str]:
    found = []
    cut = int(stations["truncated"].sum())
    if cut:
        many = f"{cut} 个" if len(stations) > 1 else ""
        found.append(f"注意：{many}服务圈到达路网数据的边缘，在那里被截断，实际范围和户数可能更大")
    if len(circles) and set(circles["look"]) == {"display"}:
        found.append("图形经美化（填小缝、小洞），仅供显示；户数按路网计算")
    return found


def _without_circle(reach: Reach, circles: gpd.GeoDataFrame) -> list[str]:
    snap = reach.assumptions["max_snap_m"]
    text = f"没有服务圈：{snap:g} 米之内没有可走的街道，或不计入所选时限"
    return [] if len(circles) else [text]


def _wrapped(text: str, units: int) -> list[str]:
    """Break a line; a Chinese sign is as wide as two others."""
    lines, wide = [""], 0.0
    for sign in text:
        width = 1.0 if ord(sign) > 0x2E80 else 0.55  # noqa: PLR2004 - where Chinese signs begin
        if wide + width > units:
            lines.append("")
            wide = 0.0
        lines[-1] += sign
        wide += width
    return lines


def _short(text: str, units: int) -> str:
    lines = _wrapped(text, units)
    return lines[0] if len(lines) == 1 else f"{lines[0]}…"


def _file_name(reach: Reach, row: int, facts: SheetFacts, taken: set[str]) -> str:
    """Return a name that every system allows and that no other picture has."""
    key = str(reach.stations["station"].iloc[row])
    name = facts.names.get(key, "")
    plain = re.sub(r"[^\w\-]+", "_", f"{key}_{name}" if name else key).strip("_")[:_NAME_SIGNS]
    plain = plain or "station"
    unique, number = plain, 1
    while unique.casefold() in taken:
        number += 1
        unique = f"{plain}_{number}"
    taken.add(unique.casefold())
    return f"{unique}.png"
