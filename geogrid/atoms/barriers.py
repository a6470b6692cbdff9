"""Which lines of an extract are natural borders, and how strong each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from geogrid.model.extract import OsmExtract

__all__ = ["barriers_of"]

# Footways, cycleways, steps, tracks and parking aisles divide no responsibility: left out.
_STREETS = {
    BarrierKind.ARTERIAL: (
        "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link",
        "secondary", "secondary_link",
    ),
    BarrierKind.STREET: (
        "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "pedestrian",
        "road", "busway",
    ),
    BarrierKind.LANE: ("service",),
}  # fmt: skip
_RAILS = ("rail", "light_rail", "narrow_gauge", "monorail")
_MINOR_TRACKS = ("yard", "siding", "spur", "crossover")
_RIVERS = ("river", "canal")
_SHORES = ("coastline",)
_WALLS = ("wall", "city_wall", "fence")
# A lake's shore is a border, a garden pond's is not.
_MIN_WATER_M2 = 2000.0
# A street on a short bridge or culvert goes on as the border; without it the blocks on both sides
# would run into each other under it. A viaduct leaves the ground below in one piece.
_MAX_BRIDGE_M = 60.0


def _on_ground(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    is_viaduct = frame["is_bridge"] & (frame.geometry.length > _MAX_BRIDGE_M)
    return frame[~frame["is_tunnel"] & ~is_viaduct]


def _of_kind(frame: gpd.GeoDataFrame, kind: BarrierKind) -> gpd.GeoDataFrame:
    table = gpd.GeoDataFrame(
        {"kind": kind.value, "name": frame["name"].to_numpy()},
        geometry=frame.geometry.to_numpy(),
        crs=frame.crs,
        index=range(len(frame)),
    )
    return table[["kind", "name", "geometry"]]


def _water_lines(waters: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Shores of waters through which no river line runs."""
    is_area = waters.geometry.geom_type.isin(["Polygon", "MultiPolygon"])
    areas = waters[is_area & (waters.geometry.area >= _MIN_WATER_M2)]
    rivers = waters[~is_area & waters["water"].isin(_RIVERS)]
    crossed = np.unique(rivers.sindex.query(areas.geometry.to_numpy(), predicate="intersects")[0])
    calm = np.ones(len(areas), dtype=bool)
    calm[crossed] = False
    shores = areas[calm]
    return shores.set_geometry(shores.geometry.boundary)


def barriers_of(extract: OsmExtract) -> gpd.GeoDataFrame:
    """Return the natural borders of an extract.

    Tunnels are no barriers on the ground, nor are viaducts; a street on a short bridge goes on.

    Returns
    -------
    GeoDataFrame
        Lines with ``kind`` (a :class:`~geogrid.vocabulary.BarrierKind`) and ``name``.
    """
    streets = _on_ground(extract.streets)
    rails = _on_ground(extract.rails)
    rails = rails[rails["railway"].isin(_RAILS) & ~rails["service"].isin(_MINOR_TRACKS)]
    waters = extract.waters[~extract.waters["is_tunnel"]]
    is_line = waters.geometry.geom_type.isin(["LineString", "MultiLineString"])
    walls = extract.walls
    parts = [
        _of_kind(waters[is_line & waters["water"].isin(_RIVERS)], BarrierKind.RIVER),
        _of_kind(waters[is_line & waters["water"].isin(_SHORES)], BarrierKind.WATER),
        _of_kind(_water_lines(waters), BarrierKind.WATER),
        _of_kind(rails, BarrierKind.RAIL),
        *(
            _of_kind(streets[streets["highway"].isin(classes)], kind)
            for kind, classes in _STREETS.items()
        ),
        _of_kind(walls[walls["wall"].isin(_WALLS)], BarrierKind.WALL),
        _of_kind(walls[walls["wall"] == "compound"], BarrierKind.COMPOUND),
    ]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    lines = gpd.GeoDataFrame(table, geometry="geometry", crs=extract.crs)
    is_area = lines.geometry.geom_type.isin(["Polygon", "MultiPolygon"])
    shapes = lines.geometry.to_numpy()
    return lines.set_geometry(
        gpd.GeoSeries(np.where(is_area, shapely.boundary(shapes), shapes), crs=extract.crs)
    )
