"""The map of a comparison: cells before and after, and the ground that changes hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.maps.change_map import PlaceList, change_data, change_page, public_count, side_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from shapely.geometry.base import BaseGeometry

    from geogrid.compare import Comparison
    from geogrid.model.source import Source

__all__ = ["CompareView", "compare_page"]

_NONE = "（无网格）"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompareView:
    """What the map of a comparison shows.

    Attributes
    ----------
    title
        Headline.
    old, new
        Cells with ``code``, in one frame.
    comparison
        What changed between them.
    ground
        Both outlines together.
    has_people
        Whether households were counted; else the lists are by area alone.
    sources
        Where the data came from.
    """

    title: str
    old: gpd.GeoDataFrame
    new: gpd.GeoDataFrame
    comparison: Comparison
    ground: BaseGeometry
    has_people: bool
    sources: Iterable[Source] = ()


def compare_page(view: CompareView) -> str:
    """Return the page as text: one file that needs no network.

    Counts below ten are not written as numbers, nor is a total from which one could be computed.
    """
    answer = view.comparison
    lived_in = (answer.frame["households"] > 0).to_numpy()
    lists = [
        _moved("住户划转", "#c62828", answer.frame[lived_in], view),
        _moved("无住户地块划转", "#e0a030", answer.frame[~lived_in], view),
        _fans("拆分", "#1f78b4", answer.splits, ("old", "new"), view.old),
        _fans("合并", "#7b3fa0", answer.merges, ("new", "old"), view.new),
        _fans("改编号", "#1e7b4f", answer.renumbered, ("old", "new"), view.old),
        _heads(view),
    ]
    badges = [("没有变化", "good")] if answer.is_unchanged else [("有变动", "warn")]
    data = change_data(
        view.title,
        [side_layer("调整前", view.old), side_layer("调整后", view.new)],
        lists,
        ground=gpd.GeoSeries([view.ground], crs=view.old.crs),
        badges=badges,
        facts=_facts(view),
        sources=view.sources,
    )
    return change_page(data)


def _facts(view: CompareView) -> list[tuple[str, str]]:
    answer = view.comparison
    rows = [
        ("网格数", f"{view.old['code'].nunique()} → {view.new['code'].nunique()}"),
        ("不变", f"{len(answer.unchanged)} 个"),
        ("变动面积", f"{answer.frame['area_m2'].sum():,.0f} m²"),
    ]
    counts = answer.moved["households"].to_numpy(np.int64)
    if view.has_people and not ((counts > 0) & (counts < 10)).any():  # noqa: PLR2004 - see public_count
        rows.append(("移动户数", f"{int(counts.sum())} 户"))
    if not view.has_people:
        rows.append(("户数", "未提供住户，只按面积比较"))
    for label, codes in (("新增", answer.added), ("撤销", answer.removed)):
        if codes:
            rows.append((label, " ".join(codes)))
    return rows


def _moved(title: str, colour: str, rows: gpd.GeoDataFrame, view: CompareView) -> PlaceList:
    mains = [
        f"{one or _NONE} → {two or _NONE}"
        for one, two in zip(rows["from"], rows["to"], strict=True)
    ]
    sides = [
        " · ".join(part for part in (public_count(int(count)), f"{area:,.0f} m²") if part)
        for count, area in zip(rows["households"], rows["area_m2"], strict=True)
    ]
    frame = gpd.GeoDataFrame(
        {"main": mains, "side": sides}, geometry=list(rows.geometry), crs=view.old.crs
    )
    return PlaceList(title=title, colour=colour, frame=frame)


def _fans(
    title: str,
    colour: str,
    table: pd.DataFrame,
    columns: tuple[str, str],
    cells: gpd.GeoDataFrame,
) -> PlaceList:
    """List cells with those that they become; the map shows where, as an outline to look at."""
    one, many = columns
    mains, codes = [], []
    for code, others in zip(table[one], table[many], strict=True):
        listed = others if isinstance(others, str) else " ".join(others)
        mains.append(f"{code} → {listed}" if one == "old" else f"{listed} → {code}")
        codes.append(str(code))
    return _outlined(title, colour, mains, codes, cells)


def _heads(view: CompareView) -> PlaceList:
    """List cells whose head changed; who that is stands in the files and not on a map."""
    codes = [str(code) for code in view.comparison.heads["new"]]
    mains = [f"{code} 负责人变更" for code in codes]
    return _outlined("负责人变更", "#5b6873", mains, codes, view.new)


def _outlined(
    title: str, colour: str, mains: list[str], codes: list[str], cells: gpd.GeoDataFrame
) -> PlaceList:
    once = cells[~cells["code"].duplicated()]
    lines = dict(zip(once["code"].astype(str), once.geometry.boundary, strict=True))
    frame = gpd.GeoDataFrame(
        {"main": mains, "side": ""},
        geometry=[lines.get(code, shapely.Point()) for code in codes],
        crs=cells.crs,
    )
    return PlaceList(title=title, colour=colour, frame=frame)
