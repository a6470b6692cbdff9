"""The map of a change: cells before and after, and lists of places to zoom to."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.maps.coding import DECIMALS, polygon_steps, to_degrees
from geogrid.maps.data import label_spots
from geogrid.maps.disclosure import SMALLEST_SHOWN
from geogrid.maps.notes import INTERNAL_USE, attribution_line, flags
from geogrid.maps.page import PlanMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd

    from geogrid.model.source import Source

__all__ = ["PlaceList", "change_data", "change_page", "place_rows", "public_count", "side_layer"]

SCRIPTS = ("coding.js", "labels.js", "cells.js", "service.js", "panel.js", "changes.js")
# A longer list nobody reads on a map; the list file holds them all.
MOST_PLACES = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceList:
    """Places of one sort: a list in the panel and a layer on the map.

    Attributes
    ----------
    title
        What people read.
    colour
        CSS colour of the places.
    frame
        ``main`` and ``side`` (texts of the row), ``geometry``: an area is drawn; anything else
        only tells where to look.
    """

    title: str
    colour: str
    frame: gpd.GeoDataFrame


def public_count(households: int) -> str:
    """Return a count as a map may show it, "" for nobody."""
    if households <= 0:
        return ""
    shown = f"<{SMALLEST_SHOWN}" if households < SMALLEST_SHOWN else str(households)
    return f"{shown} 户"


def side_layer(name: str, cells: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the cells of one side: ``code``, ``name`` where known, and shapes.

    No count of any cell is on the map: two sides together could give a small one away.
    """
    shapes = cells.geometry
    is_area = shapes.geom_type.isin(("Polygon", "MultiPolygon")) & ~shapes.is_empty
    drawn = cells[is_area.to_numpy()]
    drawn = drawn.set_geometry(drawn.geometry.make_valid())
    names = drawn["name"] if "name" in drawn else drawn["code"]
    spots, room_m = label_spots(drawn) if len(drawn) else ([], [])
    return {
        "name": name,
        "code": drawn["code"].astype(str).tolist(),
        "cell": [str(text or code) for text, code in zip(names, drawn["code"], strict=True)],
        "spot": spots,
        "room": room_m,
        "shape": polygon_steps(to_degrees(drawn.geometry)),
    }


def place_rows(places: PlaceList) -> dict[str, Any]:
    """Return a list as the page takes it."""
    frame = places.frame.head(MOST_PLACES)
    degrees = to_degrees(frame.geometry) if len(frame) else frame.geometry
    bounds = degrees.bounds.round(DECIMALS).to_numpy().reshape(-1, 4)
    rows = [
        {
            "main": str(main),
            "side": str(side),
            "bounds": [float(value) for value in box] if np.isfinite(box).all() else None,
            "shape": shape,
        }
        for main, side, box, shape in zip(
            frame["main"], frame["side"], bounds, polygon_steps(degrees), strict=True
        )
    ]
    return {
        "title": places.title,
        "colour": places.colour,
        "count": len(places.frame),
        "rows": rows,
    }


def change_data(
    title: str,
    sides: Sequence[dict[str, Any]],
    lists: Iterable[PlaceList],
    *,
    ground: gpd.GeoSeries,
    badges: Sequence[tuple[str, str]],
    facts: Sequence[tuple[str, str]],
    sources: Iterable[Source] = (),
) -> dict[str, Any]:
    """Return all that the page shows as plain JSON values.

    Parameters
    ----------
    title
        Headline.
    sides
        Before and after, see :func:`side_layer`.
    lists
        Places; empty lists are left out.
    ground
        What the map opens on, drawn as the limit.
    badges
        Texts beside the title with ``good``, ``bad`` or ``warn``.
    facts
        Rows of the notes: term and text.
    sources
        Where the data came from, for the licence line.
    """
    listed = list(sources)
    degrees = to_degrees(ground)
    crs = ground.crs
    epsg = crs.to_epsg() if crs is not None else None
    frame_name = "" if crs is None else crs.name + (f"（EPSG:{epsg}）" if epsg else "")
    return {
        "title": title,
        "district": {"bounds": [round(float(one), DECIMALS) for one in degrees.total_bounds]},
        "limit": [part for shape in polygon_steps(degrees) for part in shape],
        "badges": [list(one) for one in badges] + [[text, "warn"] for text in flags(listed)],
        "sides": list(sides),
        "lists": [place_rows(one) for one in lists if len(one.frame)],
        "notes": [
            *(list(row) for row in facts),
            ["计算坐标系", frame_name],
            ["户数公布", f"少于 {SMALLEST_SHOWN} 户只写“<{SMALLEST_SHOWN}”；不含住户点位"],
            ["地图审核", INTERNAL_USE],
        ],
        "foot": [
            ["use", INTERNAL_USE],
            ["licence", attribution_line(listed, has_base=False)],
            ["more", f"坐标系 {frame_name}"],
        ],
    }


def change_page(data: dict[str, Any]) -> str:
    """Return the page of :func:`change_data` as text; it asks the network for nothing."""
    return _ChangeMap(data).page()


class _ChangeMap(PlanMap):
    """The page of a plan with another panel and other code in it."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(data)
        part: Any = self._children["body"]
        part.body = _template("changes.html")
        part.code = "\n".join(_template(name) for name in SCRIPTS)


def _template(name: str) -> str:
    file = resources.files("geogrid.maps").joinpath("templates", name)
    return file.read_text(encoding="utf-8")
