"""The tables of an extract, one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.osm import _tags
from geogrid.osm._features import Features, make_table
from geogrid.osm.foot import foot_direction, is_locked, is_private, is_stairs, is_walkable
from geogrid.osm.use import building_uses, ground_of, lies_on_other_ground, spans_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from pyproj import CRS

    from geogrid.osm.limits import Limit

__all__ = [
    "buildings_table",
    "incomplete_table",
    "limits_table",
    "pois_table",
    "rails_table",
    "squares_table",
    "streets_table",
    "walls_table",
    "waters_table",
]


def streets_table(lines: Features, crs: CRS) -> gpd.GeoDataFrame:
    """Streets and paths; a line that may only be walked backwards is turned round."""
    streets = lines.where(_tags.is_street)
    direction = np.array(streets.each(foot_direction), dtype=int)
    is_backward = direction < 0
    shapes, nodes = streets.shapes.copy(), streets.nodes.copy()
    shapes[is_backward] = shapely.reverse(shapes[is_backward])
    for row in np.flatnonzero(is_backward):
        nodes[row] = nodes[row][::-1]
    streets = Features(streets.ids, streets.tags, shapes, nodes)
    columns = {
        "highway": ("str", streets.text("highway")),
        "foot": ("bool", streets.each(is_walkable)),
        "oneway_foot": ("bool", (direction != 0).tolist()),
        "is_tunnel": ("bool", streets.each(_tags.is_tunnel)),
        "is_bridge": ("bool", streets.each(_tags.is_bridge)),
        "is_private": ("bool", streets.each(is_private)),
        "is_stairs": ("bool", streets.each(is_stairs)),
        "layer": ("int64", streets.each(_tags.layer_of)),
        "nodes": ("object", nodes),
    }
    return make_table(streets, crs, columns)


def squares_table(lines: Features, crs: CRS) -> gpd.GeoDataFrame:
    """Outlines of areas to walk on, as they are drawn."""
    squares = lines.where(_tags.is_square)
    columns = {
        "highway": ("str", squares.text("highway")),
        "foot": ("bool", squares.each(is_walkable)),
        "is_private": ("bool", squares.each(is_private)),
        "nodes": ("object", list(squares.nodes)),
    }
    return make_table(squares, crs, columns)


def rails_table(lines: Features, crs: CRS) -> gpd.GeoDataFrame:
    """Railways in use, of every kind that runs on rails of its own."""
    rails = lines.where(lambda tags: tags.get("railway") in _tags.RAIL_KINDS)
    columns = {
        "railway": ("str", rails.text("railway")),
        "service": ("str", rails.text("service")),
        "is_tunnel": ("bool", rails.each(_tags.is_tunnel)),
        "is_bridge": ("bool", rails.each(_tags.is_bridge)),
        "layer": ("int64", rails.each(_tags.layer_of)),
    }
    return make_table(rails, crs, columns)


def waters_table(lines: Features, areas: Features, banks: Features, crs: CRS) -> gpd.GeoDataFrame:
    """Water lines, water areas, and the known banks of waters that the file was cut through."""
    lines, areas = lines.where(_tags.water_line_of), areas.where(_tags.water_area_of)
    kinds = [
        *lines.each(_tags.water_line_of),
        *areas.each(_tags.water_area_of),
        *banks.each(_tags.water_area_of),
    ]
    waters = Features.join(lines, areas, banks)
    columns = {"water": ("str", kinds), "is_tunnel": ("bool", waters.each(_tags.is_tunnel))}
    return make_table(waters, crs, columns)


def walls_table(lines: Features, areas: Features, points: Features, crs: CRS) -> gpd.GeoDataFrame:
    """Wall lines, gate points (a gate drawn as a line gives its middle), named compounds."""
    lines, points = lines.where(_tags.wall_of), points.where(_tags.is_gate)
    is_gate = np.array(lines.each(_tags.is_gate), dtype=bool)
    shapes = lines.shapes.copy()
    shapes[is_gate] = shapely.line_interpolate_point(shapes[is_gate], 0.5, normalized=True)
    lines = Features(lines.ids, lines.tags, shapes, lines.nodes)
    compounds = areas.where(lambda tags: tags.get("landuse") == "residential" and tags.get("name"))
    kinds = [
        *lines.each(_tags.wall_of),
        *points.each(_tags.wall_of),
        *["compound"] * len(compounds),
    ]
    walls = Features.join(lines, points, compounds)
    columns = {"wall": ("str", kinds), "is_locked": ("bool", walls.each(is_locked))}
    return make_table(walls, crs, columns)


def buildings_table(
    areas: Features, partial: Features, lines: Features, crs: CRS
) -> gpd.GeoDataFrame:
    """Return buildings of ways and relations, also those with some corners unknown."""
    buildings = Features.join(areas.where(_tags.is_building), partial.where(_tags.is_building))
    grounds = areas.where(ground_of)
    is_other = np.array([ground == "other" for ground in grounds.each(ground_of)], dtype=bool)
    on_other = lies_on_other_ground(buildings.shapes, grounds.shapes, is_other)
    on_other |= spans_tracks(buildings.shapes, lines.shapes, lines.tags)
    columns = {
        "building": ("str", buildings.text("building")),
        "use": ("str", building_uses(buildings.tags, on_other)),
        "levels": ("float64", buildings.each(_tags.levels_of)),
    }
    return make_table(buildings, crs, columns)


def pois_table(points: Features, areas: Features, crs: CRS) -> gpd.GeoDataFrame:
    """Services and communities; an area gives a point inside it."""
    points, areas = points.where(_tags.poi_of), areas.where(_tags.poi_of)
    inside = Features(areas.ids, areas.tags, shapely.point_on_surface(areas.shapes), areas.nodes)
    pois = Features.join(points, inside)
    return make_table(pois, crs, {"poi": ("str", pois.each(_tags.poi_of))})


def limits_table(
    limits: Sequence[Limit], near: shapely.Geometry | None, crs: CRS
) -> gpd.GeoDataFrame:
    """Complete administrative areas; ``limits`` holds no incomplete one."""
    rows = Features.of(
        [limit.osm_id for limit in limits],
        [{"name": limit.name, "admin_level": str(limit.admin_level)} for limit in limits],
        [limit.shape for limit in limits if limit.shape is not None],
    ).touching(near)
    return make_table(rows, crs, {"admin_level": ("int64", rows.text("admin_level"))})


def incomplete_table(limits: Sequence[Limit]) -> pd.DataFrame:
    """Administrative relations that are not whole in the file."""
    columns = ("osm_id", "name", "admin_level", "missing")
    rows = [[getattr(limit, column) for column in columns] for limit in limits]
    types = {"osm_id": "str", "name": "str", "admin_level": "int64", "missing": "int64"}
    return pd.DataFrame(rows, columns=list(columns)).astype(types)
