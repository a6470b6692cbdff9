"""Mapbox vector tiles (specification 2.1) of plans and their base map, and a cache of them.

::

    from geogrid.tiles import LevelZooms, TileCache, TileKey, TileSet, cell_source

    tiles = TileSet({"cells": (cell_source("wei", table, zooms=(12, 16)),)})
    cache = TileCache()
    cache.get_or_make(TileKey("plan", "v1", "cells", 14, x, y), partial(tiles.encode, "cells"))

    cache.carry_over("plan", "v1", "v2", newer.touched_since(tiles))

How borders stay shared
-----------------------
A place is rounded once, to a lattice of the world on which every zoom is a shift of bits; which
vertices a zoom drops is decided once a border; and a tile cuts its edge with arithmetic that gives
both neighbours the same place. So what two cells share in the plan they share in every tile, vertex
for vertex. Only a cell that is too small for its zoom, or that rounding makes cross itself, is
mended on its own, by a unit or two (a quarter of a pixel).
"""

from geogrid.tiles._flat import Dimension
from geogrid.tiles.cache import TileCache, TileKey
from geogrid.tiles.layers import base_sources, cell_source, circle_source, station_source
from geogrid.tiles.source import TileSource
from geogrid.tiles.tile_set import TileSet, style_layers, tile_json
from geogrid.tiles.touched import TouchedTiles, changed_boxes
from geogrid.tiles.zooms import LevelZooms

__all__ = [
    "Dimension",
    "LevelZooms",
    "TileCache",
    "TileKey",
    "TileSet",
    "TileSource",
    "TouchedTiles",
    "base_sources",
    "cell_source",
    "changed_boxes",
    "circle_source",
    "station_source",
    "style_layers",
    "tile_json",
]
