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

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
