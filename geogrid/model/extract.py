"""What an OpenStreetMap extract holds that matters here, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from pyproj import CRS
    from shapely.geometry import Polygon

    from geogrid.model.source import Source

__all__ = ["OsmExtract"]


@dataclass(frozen=True, kw_only=True, eq=False)
class OsmExtract:
    """Tables of an OpenStreetMap extract, all in one metric frame.

    Every table has ``osm_id`` (text: ``w123``, ``r45``, ``n6``), ``name`` and ``geometry``.

    Attributes
    ----------
    streets
        Lines with ``highway``, ``foot`` (bool: a resident may walk here), ``oneway_foot`` (bool),
        ``is_tunnel``, ``is_bridge``, ``is_private`` (only residents walk here), ``is_stairs``
        (bool), ``layer`` (int), ``nodes`` (tuple of OSM node ids, one a vertex: ways meet only
        where they share a node).
    rails
        Lines with ``railway``, ``service``, ``is_tunnel``, ``is_bridge``, ``layer``.
    waters
        Lines and areas with ``water`` (``river stream canal drain ditch coastline water …``) and
        ``is_tunnel``.
    walls
        ``wall`` is ``wall fence hedge gate entrance compound …``: lines, gate points, and the areas
        of named residential compounds (``compound``); ``is_locked`` (bool: a gate for residents
        only).
    buildings
        Areas with ``building`` (raw tag), ``use`` (``residential mixed other``), ``levels`` (float,
        NaN when unknown).
    limits
        Complete administrative areas with ``admin_level`` (int).
    pois
        Points with ``poi`` (``amenity=library`` …) of services and communities.
    incomplete_limits
        Administrative relations of which ways are missing: ``osm_id, name, admin_level, missing``
        (count of ways). Reported, never guessed.
    box
        The area that the extract claims to hold, or the box of its streets.
    squares
        Outlines of areas to walk on (``area=yes``), closed lines with ``highway``, ``foot``,
        ``is_private`` and ``nodes``; ``None`` in an extract from elsewhere.
    """

    streets: gpd.GeoDataFrame
    rails: gpd.GeoDataFrame
    waters: gpd.GeoDataFrame
    walls: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    limits: gpd.GeoDataFrame
    pois: gpd.GeoDataFrame
    incomplete_limits: pd.DataFrame
    box: Polygon
    crs: CRS
    source: Source
    squares: gpd.GeoDataFrame | None = None
