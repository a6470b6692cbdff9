"""A measured reach as files: a GeoPackage, a GeoJSON, a workbook, and a private list.

Household points never go into a file that is meant to be shared: cells hold their counts. The list
of households is written only where somebody asks for it by name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.io._gpkg import META_LAYER, meta_table, write_layers
from geogrid.io._plan_meta import crs_text
from geogrid.io.files import require_suffix, writing
from geogrid.model.reach import limit_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geogrid.model.reach import Reach

__all__ = [
    "REACH_SUFFIXES",
    "cell_layer",
    "write_household_table",
    "write_lines",
    "write_reach_file",
]

REACH_SUFFIXES = (".gpkg", ".geojson", ".xlsx")

# Decimals of a degree in GeoJSON, about a centimetre.
_DECIMALS = 7

_SHARING = (
    "内部使用：不含住户点位；少于10户的计数可能指向个人，公开前请隐去 internal: no household "
    "points; counts below ten may point at people, hide them before publishing"
)

# Chinese headings of a workbook; those that name a limit are made of the first part.
_HEADINGS = {
    "station": "编号", "name": "名称", "tier": "类别", "status": "状态", "snap_m": "离路网（米）",
    "truncated": "在数据边缘被截断", "households": "户数", "limit": "时限", "rank": "名次",
    "code": "网格", "served": "已服务户数", "unserved": "盲区户数", "share": "比例", "row": "行号",
    "kind_zh": "类型", "newly_served": "新增服务户数", "cumulative": "累计新增",
    "length_m": "长度（米）", "saved_m": "节省绕行（米）",
}  # fmt: skip
_LIMIT_HEADINGS = {
    "households": "可达户数", "nearest": "就近户数", "only_here": "关停影响户数",
    "served": "已服务户数", "unserved": "盲区户数", "share": "覆盖率",
}  # fmt: skip


def cell_layer(cells: gpd.GeoDataFrame, ranking: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return cells with their counts, most unserved households first.

    Parameters
    ----------
    cells
        With ``code`` and a geometry.
    ranking
        One row a cell and limit, as ``served_by_cell`` gives it.

    Returns
    -------
    GeoDataFrame
        ``code, name, households`` and for each limit ``served_<limit>, unserved_<limit>,
        share_<limit>, rank_<limit>`` (of the share; 0 without households).
    """
    wide = ranking.drop_duplicates("code").set_index("code")[["name", "households"]]
    for limit, rows in ranking.groupby("limit", sort=True):
        rows = rows.set_index("code")  # noqa: PLW2901 - the same rows by code
        for name in ("served", "unserved", "share", "rank"):
            wide[limit_column(float(str(limit)), name)] = rows[name]
    at = pd.Index(cells["code"]).get_indexer(wide.index)
    shapes = cells.geometry.to_numpy()[at]
    layer = gpd.GeoDataFrame(wide.reset_index(), geometry=shapes, crs=cells.crs)
    last = limit_column(float(ranking["limit"].max()), "unserved")
    return layer.sort_values([last, "code"], ascending=[False, True], ignore_index=True)


def write_reach_file(
    reach: Reach,
    path: str | Path,
    *,
    stations: gpd.GeoDataFrame | None = None,
    rankings: Mapping[str, tuple[gpd.GeoDataFrame, pd.DataFrame]] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Write a reach to one file, completely or not at all; household points stay out of it.

    Parameters
    ----------
    reach
        What was measured.
    path
        ``.gpkg`` (layers ``circles, lines, stations`` and one ``cells_<level>`` a ranking),
        ``.geojson`` (circles and stations in degrees) or ``.xlsx`` (stations and rankings).
    stations
        ``reach.stations`` with more columns, such as ``name``.
    rankings
        By key of a level: its cells, and what ``served_by_cell`` gave.
    facts
        What else a reader must know: walking, data date, estimated or synthetic data.

    Raises
    ------
    OutputError
        If the name has another suffix, openpyxl is missing for a workbook, or writing fails.
    """
    target = Path(path)
    require_suffix(target, REACH_SUFFIXES, what="circles")
    known = reach.stations if stations is None else stations
    told = {
        **{str(key): str(value) for key, value in reach.assumptions.items()},
        **{str(key): str(value) for key, value in (facts or {}).items()},
        "sharing": _SHARING,
    }
    ranked = rankings or {}
    suffix = target.suffix.lower()
    if suffix == ".gpkg":
        layers = {"circles": reach.circles, "lines": reach.lines, "stations": known}
        for key, (cells, ranking) in ranked.items():
            layer = cell_layer(cells, ranking)
            crs = reach.circles.crs
            layers[f"cells_{key}"] = layer if crs is None else layer.to_crs(crs)
        meta = {
            "format": "geogrid-reach",
            "format_version": 1,
            "crs": crs_text(reach.circles.crs),
            "limits": list(reach.limits),
            "assumptions": told,
        }
        return write_layers({**layers, META_LAYER: meta_table(meta)}, target)
    with writing(target) as draft:
        if suffix == ".geojson":
            parts = {"circle": reach.circles, "station": known}
            draft.write_text(_geojson(parts, told), encoding="utf-8")
        else:
            _write_book(draft, _sheets(known, ranked), told)
    return target


def write_lines(frame: gpd.GeoDataFrame, path: str | Path, facts: Mapping[str, Any]) -> Path:
    """Write one layer of lines (a walk, missing links) as .gpkg, .geojson or .xlsx.

    Raises
    ------
    OutputError
        If the name has another suffix or writing fails.
    """
    target = Path(path)
    require_suffix(target, REACH_SUFFIXES, what="lines")
    told = {str(key): str(value) for key, value in facts.items()}
    if target.suffix.lower() == ".gpkg":
        meta = meta_table({"format": "geogrid-lines", "crs": crs_text(frame.crs), "facts": told})
        return write_layers({"lines": frame, META_LAYER: meta}, target)
    with writing(target) as draft:
        if target.suffix.lower() == ".geojson":
            draft.write_text(_geojson({"line": frame}, told), encoding="utf-8")
        else:
            _write_book(draft, {"清单": _plain(frame)}, told)
    return target


def write_household_table(reach: Reach, households: gpd.GeoDataFrame, path: str | Path) -> Path:
    """Write who is served by which station, one row a household: personal data, never to share.

    Parameters
    ----------
    reach
        What was measured.
    households
        As they were given, in the same order; ``row`` and ``household_id`` are kept.
    path
        A name that ends in ``.csv``.

    Raises
    ------
    OutputError
        If the name has another suffix or writing fails.
    """
    target = Path(path)
    require_suffix(target, (".csv",), what="the list of households")
    table = pd.DataFrame(reach.households.drop(columns="geometry")).reset_index(drop=True)
    given = [name for name in ("household_id", "row") if name in households.columns]
    for place, name in enumerate(given):
        table.insert(place, name, households[name].to_numpy())
    with writing(target) as draft:
        # Excel takes a CSV without this mark for the encoding of the machine.
        table.to_csv(draft, index=False, encoding="utf-8-sig", lineterminator="\n")
    return target


def _geojson(parts: Mapping[str, gpd.GeoDataFrame], told: Mapping[str, str]) -> str:
    """Return features of all parts in degrees, and what was assumed beside them."""
    features: list[dict[str, Any]] = []
    for name, frame in parts.items():
        there = frame if frame.crs is None else frame.to_crs(4326)
        shapes = shapely.set_precision(
            there.geometry.to_numpy(), 10.0**-_DECIMALS, mode="pointwise"
        )
        rows = pd.DataFrame(there.drop(columns=there.geometry.name)).to_dict("records")
        for shape, row in zip(shapes, rows, strict=True):
            values = {str(key): _json_value(value) for key, value in row.items()}
            features.append(
                {
                    "type": "Feature",
                    "properties": {"part": name, **values},
                    "geometry": None if shape is None else shapely.geometry.mapping(shape),
                }
            )
    page = {"type": "FeatureCollection", "assumptions": dict(told), "features": features}
    return json.dumps(page, ensure_ascii=False)


def _json_value(value: Any) -> Any:  # noqa: ANN401 - a cell of a table
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _sheets(
    stations: gpd.GeoDataFrame, rankings: Mapping[str, tuple[gpd.GeoDataFrame, pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    sheets = {"服务站": _plain(stations)}
    for key, (_, ranking) in rankings.items():
        sheets[f"{key} 覆盖率排名"] = ranking.drop(columns="unserved")
        worst = ranking.sort_values(["limit", "unserved", "code"], ascending=[True, False, True])
        sheets[f"{key} 盲区排名"] = worst.drop(columns=["rank", "served"])
    return sheets


def _plain(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    return table.drop(columns="kind") if "kind_zh" in table else table


def _write_book(draft: Path, sheets: Mapping[str, pd.DataFrame], told: Mapping[str, str]) -> None:
    about = pd.DataFrame({"项目": list(told), "说明": list(told.values())})
    with pd.ExcelWriter(draft, engine="openpyxl") as book:
        for name, table in {**sheets, "说明": about}.items():
            title = _sheet_title(name, book.sheets)
            shown = table.rename(columns={key: _heading(str(key)) for key in table.columns})
            shown.to_excel(book, sheet_name=title, index=False, freeze_panes=(1, 0))
            for cell in (cell for row in book.sheets[title].iter_rows() for cell in row):
                if isinstance(cell.value, str):
                    # A name that starts with a sign of a formula is still a name.
                    cell.data_type = "s"


def _sheet_title(name: str, taken: Iterable[str]) -> str:
    """Excel allows 31 signs, and none of some."""
    plain = "".join("_" if sign in "[]:*?/\\" else sign for sign in name)[-31:]
    return plain if plain not in set(taken) else f"{plain[:28]}_{len(list(taken))}"


def _heading(column: str) -> str:
    stem, _, limit = column.rpartition("_")
    if stem in _LIMIT_HEADINGS and limit.replace(".", "", 1).isdigit():
        return f"{_LIMIT_HEADINGS[stem]} {limit}"
    return _HEADINGS.get(column, column)
