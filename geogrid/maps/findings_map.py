"""One HTML page of what a check found: a list in order, one click to each place, no network.

It needs no folium: the page is small enough to be put together here, and a check stays quick.
"""

from __future__ import annotations

import html
from importlib import resources
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import MissingFileError
from geogrid.maps.coding import DECIMALS, page_json, polygon_steps, to_degrees
from geogrid.maps.disclosure import SMALL, SMALLEST_SHOWN, as_public
from geogrid.maps.notes import INTERNAL_USE
from geogrid.model.findings import (
    AT_A_HOME,
    SEVERITIES,
    certificate_rows,
    findings_table,
    people_zh,
    verdict_rows,
)
from geogrid.planar.crs import to_metric
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry

    from geogrid.model.report import CoverageReport
    from geogrid.model.scheme import Level

__all__ = ["findings_data", "findings_page"]

SCRIPTS = ("coding.js", "labels.js", "panel.js", "findings.js")
STYLES = (("assets", "leaflet.css"), ("templates", "map.css"), ("templates", "findings.css"))

# More findings nobody reads one by one on a page; a workbook or a layer holds them all.
MOST_FINDINGS = 2_000
# Beyond so many vertices a page opens slowly: then only cells near a finding are drawn.
MOST_VERTICES = 600_000
NEAR_M = 300.0
# Homes are shown as squares of this side: near enough to ask there, too coarse for a door.
HOME_SQUARE_M = 200.0

# What colours mean: text and colour, gravest first. Red, orange and ochre go by width.
GRADES: Mapping[str, tuple[str, str]] = {
    "people": ("漏户、重户（住处只给到约 200 米方格）", "#8e1a6b"),
    "real": (SEVERITIES["real"], "#d01c1f"),
    "sliver": (SEVERITIES["sliver"], "#ef7d00"),
    "hairline": (SEVERITIES["hairline"], "#9a7400"),
    "rounding": (SEVERITIES["rounding"], "#66727c"),
    "rule": ("户数、图形、隶属", "#1f5fbf"),
    "allowed": ("允许的例外", "#1e7b4f"),
}


def findings_page(
    report: CoverageReport,
    *,
    levels: Mapping[Level, gpd.GeoDataFrame],
    limit: BaseGeometry | None,
    title: str,
    remarks: Iterable[str] = (),
) -> str:
    """Return the page of a check as text.

    Counts below ten are not written as numbers, and a home is never a point.

    Parameters
    ----------
    report
        What was found.
    levels
        The cells that were judged, coarse to fine, in the frame of the report.
    limit
        What they should cover; the cells alone are drawn when absent.
    title
        Headline.
    remarks
        Sentences for the notes.

    Raises
    ------
    CrsError
        If the cells are in plain local metres.
    MissingFileError
        If the package was not built.
    """
    data = findings_data(report, levels=levels, limit=limit, title=title, remarks=remarks)
    style = "".join(_packaged(folder, name) for folder, name in STYLES)
    code = "\n".join(_packaged("templates", name) for name in SCRIPTS)
    # Nothing is fetched: the policy of the page forbids it.
    policy = (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    )
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="zh-CN"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            f"<script>{_packaged('assets', 'leaflet.js')}</script>",
            "</head><body>",
            '<div class="folium-map" id="map"></div>',
            _packaged("templates", "findings.html"),
            f'<script type="application/json" id="gg-data">{page_json(data)}</script>',
            f'<script>(function () {{\n"use strict";\n{code}\nstartFindings();\n}})();</script>',
            "</body></html>\n",
        )
    )


def findings_data(
    report: CoverageReport,
    *,
    levels: Mapping[Level, gpd.GeoDataFrame],
    limit: BaseGeometry | None,
    title: str,
    remarks: Iterable[str] = (),
) -> dict[str, Any]:
    """Return everything that the page shows as plain JSON values; see :func:`findings_page`."""
    found = findings_table(report)
    shown = found.head(MOST_FINDINGS)
    rows = _rows(shown)
    crs = report.defects.crs
    grades = {row["grade"] for row in rows}
    frames = {level: to_metric(cells, crs) for level, cells in levels.items() if len(cells)}
    near = _near(frames, shown)
    contracts = _contracts(report)
    return {
        "title": title,
        "badge": _badge(report),
        "people": people_zh(report, least=SMALLEST_SHOWN),
        "isLivedIn": _is_lived_in(report),
        "grades": [[key, *GRADES[key]] for key in GRADES if key in grades],
        "findings": rows,
        "total": len(found),
        "levels": [_level(level, cells, near) for level, cells in frames.items()],
        "isCut": near is not None,
        "limit": []
        if limit is None
        else polygon_steps(to_degrees(gpd.GeoSeries([limit], crs=crs))),
        "bounds": _bounds(frames, limit, crs),
        "headings": contracts[0] if contracts else [],
        "contracts": contracts[1:],
        "certificate": [[term, text] for term, text in certificate_rows(report)],
        "remarks": list(remarks),
        "use": INTERNAL_USE,
        "frame": _frame_text(crs),
    }


def _badge(report: CoverageReport) -> dict[str, str]:
    if not report.is_proven:
        return {"kind": "bad", "text": "未证明全覆盖无重叠"}
    if report.is_sound:
        return {"kind": "good", "text": "已证明全覆盖无重叠"}
    return {"kind": "warn", "text": "图形已证明，另有问题"}


def _contracts(report: CoverageReport) -> list[list[str]]:
    """Return headings and one row a level, without the columns that say nothing."""
    rows = verdict_rows(report)
    told = [
        heading
        for heading in (rows[0] if rows else ())
        if any(str(row[heading]) not in {"", "未规定"} for row in rows)
    ]
    return [told, *([str(row[heading]) for heading in told] for row in rows)] if rows else []


def _is_lived_in(report: CoverageReport) -> bool:
    lived = report.lived_in
    return lived is not None and lived.in_gaps + lived.in_overlaps + lived.outside > 0


def _rows(shown: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    if shown.empty:
        return []
    places = shown.geometry.to_numpy().copy()
    is_home = shown["kind"].isin(AT_A_HOME).to_numpy()
    places[is_home] = [_squares(shape) for shape in places[is_home]]
    degrees = to_degrees(gpd.GeoSeries(places, index=shown.index, crs=shown.crs))
    small = (shown["households"] > 0) & (shown["households"] < SMALLEST_SHOWN)
    public = as_public(shown["households"], small.to_numpy().astype(np.int8) * SMALL)
    bounds = degrees.bounds.round(DECIMALS).to_numpy()
    columns = zip(
        shown.to_dict("records"), public, bounds, polygon_steps(degrees), is_home, strict=True
    )
    return [
        {
            "number": row["number"],
            "kind": row["kind"],
            "label": row["kind_zh"],
            "grade": _grade(row),
            "severity": row["severity_zh"] if row["severity"] else "",
            "level": row["level"],
            "levelName": row["level_name"],
            "cells": list(row["cells"]),
            "households": households,
            "area": round(row["area_m2"], 2),
            "width": round(row["width_m"], 4),
            "reason": row["reason"],
            "isHome": bool(home),
            "bounds": [float(one) for one in box] if np.isfinite(box).all() else None,
            "shape": shape,
        }
        for row, households, box, shape, home in columns
    ]


def _grade(row: Mapping[Any, Any]) -> str:
    if row["status"] == "allowed":
        return "allowed"
    if row["kind"] in AT_A_HOME:
        return "people"
    if row["kind"] == DefectKind.UNMATCHED_EDGE:
        return str(row["severity"] or "rounding")
    return "rule" if row["kind"] in _RULES else str(row["severity"] or "rule")


_RULES = frozenset({DefectKind.OUT_OF_BAND, DefectKind.MULTIPART, DefectKind.INVALID})


def _squares(shape: BaseGeometry) -> BaseGeometry:
    """Return the squares of a raster that hold some homes."""
    corners = np.unique(np.floor(shapely.get_coordinates(shape) / HOME_SQUARE_M), axis=0)
    low = corners * HOME_SQUARE_M
    high = low + HOME_SQUARE_M
    united: BaseGeometry = shapely.union_all(shapely.box(*low.T, *high.T))
    return united


def _near(
    frames: Mapping[Level, gpd.GeoDataFrame], shown: gpd.GeoDataFrame
) -> shapely.STRtree | None:
    """Return where to draw cells when they are too many to draw all; ``None`` when they are not."""
    vertices = sum(int(shapely.get_num_coordinates(one.geometry).sum()) for one in frames.values())
    if vertices <= MOST_VERTICES:
        return None
    boxes = shapely.box(*shown.geometry.bounds.to_numpy().T) if len(shown) else np.array([])
    return shapely.STRtree(shapely.buffer(boxes, NEAR_M))


def _level(level: Level, cells: gpd.GeoDataFrame, near: shapely.STRtree | None) -> dict[str, Any]:
    shapes = cells.geometry.to_numpy()
    kept = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if near is not None:
        kept = kept[np.unique(near.query(shapes[kept], predicate="intersects")[0])]
    drawn = gpd.GeoSeries(shapes[kept], crs=cells.crs)
    spots = to_degrees(gpd.GeoSeries(shapely.point_on_surface(shapes[kept]), crs=cells.crs))
    length = shapely.length(shapes[kept])
    # Twice the mean width of a cell is about the room that a label finds in it.
    room = np.divide(4 * shapely.area(shapes[kept]), length, out=0 * length, where=length > 0)
    codes = cells["code"] if "code" in cells else np.arange(1, len(cells) + 1)
    return {
        "key": level.key,
        "name": level.name or level.key,
        "code": [str(code) for code in np.asarray(codes)[kept]],
        "spot": shapely.get_coordinates(spots).round(6).tolist(),
        "room": room.round(1).tolist(),
        "shape": polygon_steps(to_degrees(drawn)),
    }


def _bounds(
    frames: Mapping[Level, gpd.GeoDataFrame],
    limit: BaseGeometry | None,
    crs: Any,  # noqa: ANN401 - whatever geopandas takes
) -> list[float]:
    shapes = [] if limit is None else [limit]
    shapes += [shapely.box(*cells.total_bounds) for cells in frames.values()]
    whole = to_degrees(gpd.GeoSeries(shapes, crs=crs)).total_bounds
    return [round(float(value), DECIMALS) for value in whole]


def _frame_text(crs: Any) -> str:  # noqa: ANN401 - as above
    epsg = crs.to_epsg()
    return f"{crs.name}（EPSG:{epsg}）" if epsg else str(crs.name)


def _packaged(folder: str, name: str) -> str:
    file = resources.files("geogrid.maps").joinpath(folder, name)
    if not file.is_file():
        msg = (
            f"{name} of the map assets is missing: build the package once with Node.js 20 "
            "(pip install .), or install a wheel"
        )
        raise MissingFileError(msg)
    return file.read_text(encoding="utf-8")
