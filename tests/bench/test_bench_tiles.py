"""Tiles of 32,041 cells with 929,189 vertices: the source, a cold tile, a warm one, an edit.

Run with ``pytest tests/bench/test_bench_tiles.py --benchmark-only -s``. Every name of a test says
what is timed; sizes are printed.
"""

from __future__ import annotations

import os
from functools import partial

import pytest
import shapely
from tile_cases import EXTENT, cell_table, wound_lattice

from geogrid.tiles import TileCache, TileKey, TileSet, cell_source

SIDE = 179
ZOOMS = (12, 16)


@pytest.fixture(scope="module")
def table():
    return cell_table(wound_lattice(SIDE, wander=0.01))


@pytest.fixture(scope="module")
def source(table):
    found = cell_source("wei", table, zooms=ZOOMS)
    found.prepare()
    print(f"\nload {os.getloadavg()}")
    return found


def middle_tile(source, zoom):
    boxes = source.shapes(zoom).boxes
    west, north = boxes[:, :2].min(axis=0)
    east, south = boxes[:, 2:].max(axis=0)
    return zoom, int((west + east) // 2 // EXTENT), int((north + south) // 2 // EXTENT)


def test_the_source_from_a_table_of_cells(benchmark, table):
    benchmark.pedantic(
        cell_source, args=("wei", table), kwargs={"zooms": ZOOMS}, rounds=3, warmup_rounds=1
    )


@pytest.mark.parametrize("zoom", [12, 14, 16])
def test_the_shapes_of_a_zoom_for_the_whole_plan(benchmark, table, zoom):
    def fresh():
        return (cell_source("wei", table, zooms=ZOOMS), zoom), {}

    benchmark.pedantic(lambda one, at: one.shapes(at), setup=fresh, rounds=3)


@pytest.mark.parametrize("zoom", [12, 14, 16])
def test_a_cold_tile(benchmark, source, zoom):
    place = middle_tile(source, zoom)
    tile = benchmark.pedantic(source.encode, args=place, rounds=15, warmup_rounds=0)
    raw = source.layer(*place)
    print(f"\nzoom {zoom}: {len(raw)} bytes, {len(tile)} compressed")
    assert tile


@pytest.mark.parametrize("zoom", [12, 14])
def test_a_warm_tile_after_a_hundred_edits(benchmark, source, zoom):
    tiles = TileSet({"cells": (source,)})
    cache = TileCache()
    place = middle_tile(source, zoom)
    cache.get_or_make(TileKey("plan", "v0", "cells", *place), partial(tiles.encode, "cells"))
    nothing = tiles.touched_since(tiles)
    for number in range(100):
        cache.carry_over("plan", f"v{number}", f"v{number + 1}", nothing)
    key = TileKey("plan", "v100", "cells", *place)
    assert benchmark(cache.get, key)


def with_two_cells_united(table):
    shapes = table.geometry.to_numpy().copy()
    shapes[8000] = shapely.coverage_union_all(shapes[8000:8002])
    return table.set_geometry(shapes, crs=table.crs).drop(index=8001)


def test_a_source_and_all_its_zooms_after_an_edit(benchmark, source, table):
    edited = with_two_cells_united(table)
    benchmark.pedantic(
        cell_source,
        args=("wei", edited),
        kwargs={"zooms": ZOOMS, "older": source},
        rounds=5,
        warmup_rounds=1,
    )


def test_which_tiles_an_edit_touches(benchmark, source, table):
    newer = cell_source("wei", with_two_cells_united(table), zooms=ZOOMS, older=source)
    old, new = TileSet({"cells": (source,)}), TileSet({"cells": (newer,)})
    touched = benchmark.pedantic(new.touched_since, args=(old,), rounds=5, warmup_rounds=1)
    count = {zoom: len(list(touched.tiles("cells", zoom))) for zoom in range(12, 17)}
    print(f"\ntiles touched by zoom: {count}")
    assert all(count.values())
