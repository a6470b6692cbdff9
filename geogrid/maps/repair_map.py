"""The map of a repair: cells before and after, every change and every conflict."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.maps.change_map import PlaceList, change_data, change_page, public_count, side_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from shapely.geometry import MultiPolygon
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.source import Source

__all__ = ["RepairView", "repair_page"]

# What a list of the panel holds, and its colour.
_LISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "缝隙与缺口补齐": (
        "#1f78b4", ("gap_filled", "missing_cell_filled", "extended_to_limit", "ask_gap"),
    ),
    "重叠处划定": ("#d9822b", ("overlap_given", "detached_given", "ask_overlap")),
    "越界裁去": ("#7b3fa0", ("trimmed_to_limit",)),
    "其他改动": ("#5b6873", ()),
}  # fmt: skip
_CONFLICT_COLOUR = "#d4005a"
_REST = "其他改动"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RepairView:
    """What the map of a repair shows.

    Attributes
    ----------
    title
        Headline.
    before, after
        Cells with ``code``, in one frame.
    limit
        What they should cover.
    changes
        ``cell what other area_m2 households label`` and ``level``; rows of levels other than the
        cells' own have no place.
    conflicts
        ``kind cells area_m2 households label geometry``.
    is_proven
        Whether the cells after are proven.
    sources
        Where the data came from.
    """

    title: str
    before: gpd.GeoDataFrame
    after: gpd.GeoDataFrame
    limit: MultiPolygon
    changes: pd.DataFrame
    conflicts: gpd.GeoDataFrame
    is_proven: bool
    sources: Iterable[Source] = ()


def repair_page(view: RepairView) -> str:
    """Return the page as text: one file that needs no network.

    Raises
    ------
    CrsError
        If the cells are in plain local metres.
    """
    proof = ("已证明全覆盖无重叠", "good") if view.is_proven else ("未证明全覆盖无重叠", "bad")
    badges = [proof]
    if len(view.conflicts):
        badges.append((f"{len(view.conflicts)} 处待人工决定", "bad"))
    data = change_data(
        view.title,
        [side_layer("修复前", view.before), side_layer("修复后", view.after)],
        [_conflict_list(view), *_change_lists(view)],
        ground=gpd.GeoSeries([view.limit], crs=view.after.crs),
        badges=badges,
        facts=[("改动", f"{len(view.changes)} 处"), ("待决", f"{len(view.conflicts)} 处")],
        sources=view.sources,
    )
    return change_page(data)


def _conflict_list(view: RepairView) -> PlaceList:
    rows = view.conflicts
    mains = [
        f"{str(label).split()[0]} {' '.join(cells[:3])}"
        for label, cells in zip(rows["label"], rows["cells"], strict=True)
    ]
    return PlaceList(
        title="待人工决定",
        colour=_CONFLICT_COLOUR,
        frame=_places(mains, rows, rows.geometry.to_numpy(), view),
    )


def _change_lists(view: RepairView) -> list[PlaceList]:
    places = _where(view)
    of_what = {what: title for title, (_, whats) in _LISTS.items() for what in whats}
    titles = np.array([of_what.get(what, _REST) for what in view.changes["what"]], dtype=object)
    lists = []
    for title, (colour, _) in _LISTS.items():
        at = np.flatnonzero(titles == title)
        rows = view.changes.iloc[at]
        mains = [
            f"{cell} {str(label).split()[0]}" + (f" → {other}" if other else "")
            for cell, label, other in zip(rows["cell"], rows["label"], rows["other"], strict=True)
        ]
        frame = _places(mains, rows, places[at], view)
        lists.append(PlaceList(title=title, colour=colour, frame=frame))
    return lists


def _places(
    mains: list[str], rows: pd.DataFrame, shapes: np.ndarray, view: RepairView
) -> gpd.GeoDataFrame:
    sides = [
        " · ".join(part for part in (_area(area), public_count(int(count))) if part)
        for area, count in zip(rows["area_m2"], rows["households"], strict=True)
    ]
    return gpd.GeoDataFrame(
        {"main": mains, "side": sides}, geometry=list(shapes), crs=view.after.crs
    )


def _area(area_m2: float) -> str:
    if not area_m2 > 0:
        return ""
    return f"{area_m2:.2f} m²" if area_m2 < 100 else f"{area_m2:,.0f} m²"  # noqa: PLR2004 - digits


def _where(view: RepairView) -> np.ndarray:
    """Return for each change the ground that it moved, or the cell's outline to look at."""
    old, new = _by_code(view.before), _by_code(view.after)
    empty = shapely.Polygon()
    shapes = list(old.values())
    near = shapely.STRtree(shapes)
    _with_parents(view.after, new)
    found = np.empty(len(view.changes), dtype=object)
    columns = ("cell", "what", "other")
    for row, (cell, what, other) in enumerate(
        zip(*(view.changes[name] for name in columns), strict=True)
    ):
        before, after = old.get(cell, empty), new.get(cell, empty)
        place: BaseGeometry = empty
        if what in {"gap_filled", "missing_cell_filled", "extended_to_limit"}:
            gained = _areas(shapely.difference(after, before))
            taken = [shapes[at] for at in near.query(gained, predicate="intersects")]
            place = _areas(shapely.difference(gained, shapely.union_all(taken)))
        elif what in {"overlap_given", "detached_given"}:
            place = _areas(shapely.intersection(before, new.get(other, empty)))
        elif what == "trimmed_to_limit":
            place = _areas(shapely.difference(before, view.limit))
        if place.is_empty:
            # A line is not drawn, but it tells where to look.
            place = shapely.boundary(after if not after.is_empty else before)
        found[row] = place
    return found


def _by_code(cells: gpd.GeoDataFrame) -> dict[str, BaseGeometry]:
    """Return one valid area a code."""
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for code, shape in zip(cells["code"], cells.geometry, strict=True):
        if not (shapely.is_missing(shape) or shapely.is_empty(shape)):
            parts[str(code)].append(shapely.make_valid(shapely.force_2d(shape)))
    return {
        code: some[0] if len(some) == 1 else shapely.union_all(some) for code, some in parts.items()
    }


def _with_parents(cells: gpd.GeoDataFrame, shapes: dict[str, BaseGeometry]) -> None:
    """Add the cells above where the rows name them: changes of the next level lie there."""
    if "parent" not in cells:
        return
    for parent, rows in cells.groupby("parent"):
        members = [shapes[str(code)] for code in rows["code"] if str(code) in shapes]
        shapes.setdefault(str(parent), shapely.union_all(members))


def _areas(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shapely.get_parts([shape]))
    areas = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return shapely.multipolygons(areas) if len(areas) else shapely.Polygon()
