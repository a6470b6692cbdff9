"""Tiles: what is in them, what is not, and how they are described."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely
from map_plans import make_circles, make_extract, make_plan, make_stations
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, box
from tile_cases import (
    BUFFER,
    CRS_NO,
    EXTENT,
    X0,
    Y0,
    as_units,
    cell_table,
    loose_edges,
    read,
    shapes_in,
    tiles_of,
    wound_lattice,
)

from geogrid.errors import CrsError, InputError
from geogrid.maps.data import cell_in_band, cell_tables
from geogrid.tiles import (
    Dimension,
    LevelZooms,
    TileSet,
    TileSource,
    base_sources,
    cell_source,
    circle_source,
    station_source,
    style_layers,
    tile_json,
)
from geogrid.tiles._clip import in_tiles
from geogrid.tiles._flat import Flat, oriented, to_shapely
from geogrid.tiles._world import to_zoom
from geogrid.tiles._zoom import ZoomShapes, cleaned, on_units


def only_tile(source, zoom):
    """Return the column and row of the tile in which a small source lies, centre first."""
    middle = source.shapes(zoom).boxes.mean(axis=0)
    x, y = (int((middle[axis] + middle[axis + 2]) / 2 // EXTENT) for axis in (0, 1))
    return x, y


def all_features(source, zoom, layer="wei"):
    return [one for x, y in tiles_of(source, zoom) for one in read(source.layer(zoom, x, y), layer)]


def public_tables(plan):
    tables = cell_tables(plan)
    return {
        key: table.assign(
            band=[
                cell_in_band(plan.scheme.level(key), kind, public)
                for kind, public in zip(table["kind"], table["public"], strict=True)
            ]
        )
        for key, table in tables.items()
    }


def test_a_tile_tells_of_each_cell_what_is_public_and_nothing_else():
    plan = make_plan()
    table = public_tables(plan)["wei"].assign(head="张三", phone="13900000000")
    source = cell_source("wei", table, zooms=(15, 15))
    found = {one["properties"]["code"]: one for one in all_features(source, 15)}
    assert set(found) == set(table["code"])
    # Cell 43020102 has seven households; a second one is withheld for its sake.
    assert found["43020102"]["properties"] == {
        "code": "43020102",
        "name": "建设第1总网格2号",
        "kind": "普通",
        "parent": "430201",
        "hidden": 1,
        "band": -1,
    }
    shown = {code: one["properties"].get("households") for code, one in found.items()}
    for code, public in zip(table["code"], table["public"], strict=True):
        assert shown[code] == (public if public >= 0 else None)
    assert {one["properties"].get("hidden") for one in found.values()} == {None, 1, 2}
    raw = b"".join(source.layer(15, x, y) for x, y in tiles_of(source, 15))
    assert "张三".encode() not in raw
    assert b"13900000000" not in raw


def test_cells_without_a_column_of_public_counts_are_refused():
    table = make_plan().cells("wei")
    with pytest.raises(InputError, match="add a column public"):
        cell_source("wei", table)


def test_an_identifier_is_the_code_where_it_can_be_and_the_same_in_every_version():
    shapes = wound_lattice(2, wander=0.0)
    codes = ["4301", "0431", "A-7", "9" * 16]
    source = cell_source("wei", cell_table(shapes, ["4301", "431", "77", "78"]).assign(code=codes))
    fewer = cell_source("wei", cell_table(shapes[1:], ["431", "77", "78"]).assign(code=codes[1:]))
    ids = dict(zip(source.table["code"], source.ids.tolist(), strict=True))
    assert ids["4301"] == 4301
    assert all(2**52 <= ids[code] < 2**53 for code in codes[1:])
    assert dict(zip(fewer.table["code"], fewer.ids.tolist(), strict=True)) == {
        code: ids[code] for code in codes[1:]
    }


def test_a_code_that_occurs_twice_is_refused():
    table = cell_table(wound_lattice(2)).assign(code="7")
    with pytest.raises(InputError, match="code 7 occurs twice in layer wei"):
        cell_source("wei", table)


def test_an_empty_tile_is_no_bytes_at_all():
    source = cell_source("wei", cell_table(wound_lattice(2)), zooms=(12, 16))
    assert source.encode(14, 0, 0) == b""
    assert source.encode(11, *only_tile(source, 11)) == b""
    nothing = cell_source("wei", cell_table([]))
    assert nothing.encode(3, 1, 1) == b""
    assert nothing.bounds is None


@pytest.mark.parametrize("tile", [(-1, 0, 0), (3, 8, 0), (3, 0, -1), (20, 0, 0)])
def test_a_tile_that_does_not_exist_is_refused(tile):
    source = cell_source("wei", cell_table(wound_lattice(1)))
    with pytest.raises(InputError, match="there is no tile"):
        source.encode(*tile)


@pytest.mark.parametrize("zooms", [(-1, 3), (5, 4), (0, 20)])
def test_zooms_that_do_not_exist_are_refused(zooms):
    with pytest.raises(InputError, match="use 0 to 19"):
        cell_source("wei", cell_table(wound_lattice(1)), zooms=zooms)


def test_shapes_without_a_coordinate_system_are_refused():
    table = cell_table(wound_lattice(1)).set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="set one"):
        cell_source("wei", table)


def test_shapes_beyond_web_mercator_are_refused():
    table = cell_table([box(0, 89.99, 1, 90)]).set_crs(4326, allow_override=True)
    with pytest.raises(InputError, match="beyond the map of the world"):
        cell_source("wei", table)


def test_a_vertex_that_is_no_number_is_refused():
    with np.errstate(invalid="ignore"):
        broken = shapely.Polygon([(X0, Y0), (X0 + 9, Y0), (X0, np.nan)])
    with pytest.raises(InputError, match="not numbers"):
        cell_source("wei", cell_table([broken]))


def test_holes_and_parts_come_back_where_they_were():
    ring = box(X0, Y0, X0 + 600, Y0 + 600) - box(X0 + 200, Y0 + 200, X0 + 400, Y0 + 400)
    parts = MultiPolygon([ring, box(X0 + 700, Y0, X0 + 800, Y0 + 100)])
    island = box(X0 + 200, Y0 + 200, X0 + 400, Y0 + 400)
    source = cell_source("wei", cell_table([parts, island]), zooms=(16, 16))
    whole = as_units([parts, island], 16)
    drawn = [[], []]
    for x, y in tiles_of(source, 16):
        for one in read(source.layer(16, x, y)):
            (part,) = shapes_in([one])
            inside = shapely.intersection(part, box(0, 0, EXTENT, EXTENT))
            drawn[one["id"] % 2].append(
                shapely.transform(inside, lambda xy, x=x, y=y: np.add(xy, (x * EXTENT, y * EXTENT)))
            )
    for wanted, pieces in zip(whole, drawn, strict=True):
        found = shapely.union_all(pieces)
        assert found.hausdorff_distance(wanted) < 2
        assert found.area == pytest.approx(wanted.area, abs=wanted.length)


def test_a_cell_that_fills_the_whole_tile_is_its_buffered_square():
    source = cell_source("wei", cell_table([box(X0, Y0, X0 + 9000, Y0 + 9000)]), zooms=(16, 16))
    x, y = only_tile(source, 16)
    (shape,) = shapes_in(read(source.layer(16, x, y)))
    assert shape.equals(box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER))


def test_a_cell_too_small_for_its_zoom_stays_a_visible_square():
    small, large = box(X0, Y0, X0 + 1, Y0 + 1), box(X0 + 1, Y0, X0 + 9000, Y0 + 9000)
    source = cell_source("wei", cell_table([small, large]), zooms=(9, 9))
    found = {one["id"]: shapes_in([one])[0] for one in all_features(source, 9)}
    assert found[430181000000].area == 16
    assert source.shapes(9).is_mended.tolist() == [True, False]


def test_a_polygon_that_crosses_itself_is_mended_and_still_shown():
    bow = shapely.Polygon([(X0, Y0), (X0 + 300, Y0 + 300), (X0 + 300, Y0), (X0, Y0 + 300)])
    source = cell_source("wei", cell_table([bow]), zooms=(16, 16))
    shapes = shapes_in(all_features(source, 16))
    assert len(shapes)
    assert shapely.is_valid(shapes).all()


def test_an_empty_shape_is_in_no_tile():
    source = cell_source("wei", cell_table([box(X0, Y0, X0 + 99, Y0 + 99), MultiPolygon()]))
    assert {one["id"] for one in all_features(source, 14)} == {430181000000}


def test_the_same_tile_is_the_same_bytes_at_any_time_and_in_any_process():
    code = (
        "from tile_cases import cell_table, wound_lattice;"
        "from geogrid.tiles import cell_source; import hashlib;"
        "source = cell_source('wei', cell_table(wound_lattice(4)));"
        "print(hashlib.sha256(source.encode(14, {}, {})).hexdigest())"
    )
    source = cell_source("wei", cell_table(wound_lattice(4)))
    x, y = only_tile(source, 14)
    assert len(source.encode(14, x, y)) > 200
    found = {
        subprocess.run(
            [sys.executable, "-c", code.format(x, y)],
            env={"PYTHONPATH": "tests", "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1


def test_degrees_give_the_same_tile_as_metres():
    table = cell_table(wound_lattice(3, wander=0.0))
    one = cell_source("wei", table, zooms=(14, 14))
    other = cell_source("wei", table.to_crs(4326), zooms=(14, 14))
    for x, y in tiles_of(one, 14):
        mine, theirs = (shapes_in(read(source.layer(14, x, y))) for source in (one, other))
        assert (shapely.hausdorff_distance(mine, theirs) <= 1.5).all()


def test_bounds_are_those_of_the_shapes():
    table = cell_table(wound_lattice(3))
    found = cell_source("wei", table).bounds
    assert found == pytest.approx(table.to_crs(4326).total_bounds.tolist(), abs=1e-6)


def test_lines_are_cut_at_the_buffer_and_keep_their_course():
    road = LineString([(X0 - 9000, Y0), (X0, Y0), (X0, Y0 + 9000)])
    frame = gpd.GeoDataFrame({"key": ["a"], "name": ["大道"]}, geometry=[road], crs=CRS_NO)
    source = TileSource.from_frame(
        "roads", frame, key="key", described={"name": "名称"}, dimension=Dimension.LINE,
        zooms=(14, 14),
    )  # fmt: skip
    wanted = as_units([road], 14)[0]
    length = 0.0
    for x, y in tiles_of(source, 14):
        for one in read(source.layer(14, x, y), "roads"):
            (part,) = shapes_in([one])
            low, high = -BUFFER, EXTENT + BUFFER
            assert (shapely.get_coordinates(part) >= low).all()
            assert (shapely.get_coordinates(part) <= high).all()
            length += shapely.intersection(part, box(0, 0, EXTENT, EXTENT)).length
            assert one["properties"] == {"name": "大道"}
    assert length == pytest.approx(wanted.length, rel=1e-3)


def test_stations_are_points_with_names_and_no_counts():
    source = station_source(make_stations().assign(households=[3, 4], status="reached"))
    found = all_features(source, 14, "stations")
    assert {one["geometry"]["type"] for one in found} == {"Point"}
    assert {one["properties"]["name"] for one in found} == {"建设党群服务站", "新华图书馆"}
    assert {tuple(sorted(one["properties"])) for one in found} == {
        ("name", "station"),
        ("name", "stand_in", "station"),
    }


def test_a_station_of_several_points_is_refused():
    stations = gpd.GeoDataFrame(
        {"station": ["s"]}, geometry=[MultiPoint([(X0, Y0), (X0 + 1, Y0)])], crs=CRS_NO
    )
    with pytest.raises(InputError, match="several points"):
        station_source(stations)


def test_circles_are_one_feature_a_station_and_limit():
    source = circle_source(make_circles())
    found = all_features(source, 13, "circles")
    assert {(one["properties"]["station"], one["properties"]["minutes"]) for one in found} == {
        ("s1", 5), ("s2", 5), ("s1", 15), ("s2", 15),
    }  # fmt: skip


def test_the_base_map_leaves_tunnels_out_and_keeps_lines_and_areas_apart():
    sources = {source.name: source for source in base_sources(make_extract())}
    assert list(sources) == ["water_areas", "water_lines", "buildings", "rails", "streets"]
    streets = all_features(sources["streets"], 14, "streets")
    assert {one["properties"]["highway"] for one in streets} == {"primary", "footway"}
    assert {one["properties"]["name"] for one in streets if "name" in one["properties"]} == {
        "建设南路"
    }
    waters = all_features(sources["water_areas"], 14, "water_areas")
    assert {one["properties"]["water"] for one in waters} == {"water"}
    assert sources["buildings"].min_zoom == 14


def test_streets_of_one_number_each_get_an_identifier():
    extract = make_extract()
    extract.streets["osm_id"] = "w1"
    streets = {source.name: source for source in base_sources(extract)}["streets"]
    assert len(set(streets.ids.tolist())) == 2


def test_numbers_with_a_fraction_and_large_negative_ones_come_back():
    frame = gpd.GeoDataFrame(
        {"key": ["a", "b", "c"], "value": [0.25, -7.0, None], "whole": [2**40, -(2**40), 0]},
        geometry=[Point(X0 + at, Y0) for at in range(3)],
        crs=CRS_NO,
    )
    source = TileSource.from_frame(
        "dots", frame, key="key", described={"value": "", "whole": ""}, dimension=Dimension.POINT
    )
    found = all_features(source, 16, "dots")
    values = {one["properties"]["whole"]: one["properties"].get("value") for one in found}
    assert values == {2**40: 0.25, -(2**40): -7, 0: None}


def test_the_layers_of_a_group_come_in_one_tile():
    tables = public_tables(make_plan())
    levels = tuple(cell_source(key, table, zooms=(10, 16)) for key, table in tables.items())
    tiles = TileSet({"cells": levels})
    x, y = only_tile(levels[0], 14)
    tile = tiles.encode("cells", 14, x, y)
    assert gzip.decompress(tile) == b"".join(source.layer(14, x, y) for source in levels)
    assert read(tile, "zong")
    assert read(tile, "wei")
    with pytest.raises(InputError, match="no tiles of base: use one of cells"):
        tiles.encode("base", 14, x, y)


def test_coarse_levels_are_shown_first_and_every_zoom_shows_one():
    zooms = LevelZooms.by_size({"xian": 70_000, "xiang": 12_000, "wei": 395}, latitude=28.2)
    assert [zooms.levels_at(zoom) for zoom in (0, 5, 7, 11, 12, 16)] == [
        ("xian",), ("xian",), ("xiang",), ("xiang",), ("wei",), ("wei",),
    ]  # fmt: skip
    assert zooms.max_zoom == 16
    assert all(len(zooms.levels_at(zoom)) == 1 for zoom in range(17))


def test_a_level_starts_at_the_zoom_where_its_cells_are_twenty_pixels_wide():
    zooms = LevelZooms.by_size({"a": 50_000, "b": 395}, latitude=28.2)
    first = zooms.spans["b"][0]
    pixel_m = 40_075_016.7 * math.cos(math.radians(28.2)) / 512 / 2**first
    assert 20 <= 395 / pixel_m < 40


def test_a_level_that_no_zoom_would_show_is_left_out():
    zooms = LevelZooms.by_size({"a": 50_000, "b": 400, "c": 399})
    assert list(zooms.spans) == ["a", "c"]


def test_levels_of_no_zoom_are_refused():
    with pytest.raises(InputError, match="of level wei are none"):
        LevelZooms(spans={"wei": (5, 4)})


def test_the_description_names_bounds_zooms_and_every_field_in_chinese():
    tables = public_tables(make_plan())
    tiles = TileSet(
        {
            "cells": (
                cell_source("zong", tables["zong"], title="总网格", zooms=(0, 13)),
                cell_source("wei", tables["wei"], title="微网格", zooms=(14, 16)),
            )
        }
    )
    found = tile_json(tiles, "cells", urls=("/tiles/{z}/{x}/{y}",), name="建设街道")
    assert json.loads(json.dumps(found)) == found
    assert (found["tilejson"], found["minzoom"], found["maxzoom"]) == ("3.0.0", 0, 16)
    degrees = tables["wei"].to_crs(4326).total_bounds.tolist()
    assert found["bounds"] == pytest.approx(degrees, abs=1e-6)
    assert found["center"][:2] == pytest.approx(
        [(degrees[0] + degrees[2]) / 2, (degrees[1] + degrees[3]) / 2], abs=1e-6
    )
    layers = {one["id"]: one for one in found["vector_layers"]}
    assert layers["wei"]["description"] == "微网格"
    assert (layers["wei"]["minzoom"], layers["wei"]["maxzoom"]) == (14, 16)
    assert layers["wei"]["fields"]["households"] == "户数（不公开的为空）"
    named = {key for one in all_features(tiles.groups["cells"][1], 15) for key in one["properties"]}
    assert named <= set(layers["wei"]["fields"])


def test_a_description_of_nothing_has_no_bounds():
    tiles = TileSet({"cells": (cell_source("wei", cell_table([])),)})
    assert "bounds" not in tile_json(tiles, "cells", urls=())


def test_every_layer_of_a_group_is_drawn_and_no_style_asks_for_glyphs():
    tiles = TileSet(
        {
            "cells": (cell_source("wei", public_tables(make_plan())["wei"]),),
            "base": base_sources(make_extract()),
            "service": (circle_source(make_circles()), station_source(make_stations())),
        }
    )
    for group, sources in tiles.groups.items():
        drawn = style_layers(tiles, group)
        assert {one["source-layer"] for one in drawn} == {source.name for source in sources}
        assert {one["type"] for one in drawn} <= {"fill", "line", "circle"}
        assert len({one["id"] for one in drawn}) == len(drawn)


def test_a_source_follows_an_older_one_whatever_came_went_or_is_empty():
    shapes = list(wound_lattice(12, wander=0.01))
    table = cell_table([*shapes[:-1], MultiPolygon()])
    older = cell_source("wei", table, zooms=(14, 15))
    older.prepare()
    cases = [
        table,
        table.iloc[1:],
        table.iloc[:0],
        cell_table(shapes),
        cell_table([MultiPolygon(), *shapes[1:]]),
        table.assign(name="和平里"),
    ]
    for case in cases:
        fresh, newer = (
            cell_source("wei", case, zooms=(14, 15), older=one) for one in (None, older)
        )
        for x, y in tiles_of(older, 14):
            assert fresh.encode(14, x, y) == newer.encode(14, x, y)
    empty = cell_source("wei", table.iloc[:0], zooms=(14, 15))
    empty.prepare()
    newer = cell_source("wei", table, zooms=(14, 15), older=empty)
    x, y = only_tile(older, 14)
    assert newer.encode(14, x, y) == older.encode(14, x, y)


def test_an_older_source_of_other_zooms_is_not_followed():
    table = cell_table(wound_lattice(2, wander=0.0))
    older = cell_source("wei", table, zooms=(14, 14))
    older.prepare()
    fresh, newer = (cell_source("wei", table, zooms=(14, 16), older=one) for one in (None, older))
    x, y = only_tile(fresh, 14)
    assert newer.encode(14, x, y) == fresh.encode(14, x, y)


@pytest.mark.parametrize("zoom", [8, 10])
def test_real_counties_share_their_borders_in_every_tile(shared_data, zoom):
    counties = gpd.read_file(shared_data / "boundaries" / "counties_wgs84_from_cnmaps.geojson")
    table = counties.assign(code=counties["adcode"].astype(str), kind="", parent="", public=99)
    source = cell_source("county", table, zooms=(zoom, zoom))
    frame = box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
    for x, y in tiles_of(source, zoom):
        shapes = shapes_in(read(source.encode(zoom, x, y), "county"))
        if not len(shapes):
            continue
        assert shapely.is_valid(shapes).all()
        whole = shapely.union_all(shapes)
        assert whole.area == pytest.approx(shapely.area(shapes).sum(), abs=1e-6)
        rim = whole.boundary.difference(frame.boundary).length
        walked = sum(math.dist(*edge) for edge in loose_edges(shapes))
        assert walked == pytest.approx(rim, abs=1e-6)


def test_an_island_and_the_hole_around_it_are_simplified_alike_wherever_their_rings_begin():
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    away = 500 + 40 * np.sin(7 * turn) + np.random.default_rng(3).normal(0, 3, 400)
    ring = np.column_stack((X0 + away * np.cos(turn), Y0 + away * np.sin(turn))).round(3)
    around = shapely.Polygon(box(X0 - 900, Y0 - 900, X0 + 900, Y0 + 900).exterior, [ring])
    island = shapely.Polygon(np.roll(ring, 131, axis=0))
    source = cell_source("wei", cell_table([around, island]), zooms=(10, 15))
    shapes = source.shapes(10)
    assert len(shapes.flat.xy) < 300
    assert shapes.flat.length.min() == 4
    whole, hole = shapes.flat.take(np.array([1])), shapes.flat.take(np.array([0]))
    assert {tuple(one) for one in whole.xy.tolist()} == {tuple(one) for one in hole.xy[4:].tolist()}


def test_a_cell_that_simplifying_would_flatten_keeps_its_detail_with_both_neighbours():
    west, east = (X0, Y0), (X0 + 400, Y0)
    # At this zoom a unit is about two metres: both sides would become the same straight line.
    above, below = (X0 + 200, Y0 + 1.8), (X0 + 200, Y0 - 1.8)
    corners = [(X0, Y0 + 300), (X0 + 400, Y0 + 300), (X0, Y0 - 300), (X0 + 400, Y0 - 300)]
    cells = [
        shapely.Polygon([west, below, east, above]),
        shapely.Polygon([west, above, east, corners[1], corners[0]]),
        shapely.Polygon([west, corners[2], corners[3], east, below]),
    ]
    source = cell_source("wei", cell_table(cells), zooms=(12, 14))
    assert not source.shapes(12).is_mended.any()
    x, y = only_tile(source, 12)
    shapes = shapes_in(read(source.layer(12, x, y)))
    assert shapely.area(shapes).min() > 0
    rim = shapely.union_all(shapes).length
    assert sum(math.dist(*edge) for edge in loose_edges(shapes)) == pytest.approx(rim)


def test_ways_there_and_back_are_dropped_and_a_half_is_rounded_down_from_either_side():
    ring = np.array([[0, 0], [9, 0], [9, 4], [15, 4], [20, 4], [15, 4], [9, 4], [9, 9], [9, 9]])
    one = np.ones(1, dtype=np.int64)
    found = cleaned(Flat(ring, 9 * one, one < 0, one), Dimension.AREA)
    assert found.xy.tolist() == [[0, 0], [9, 0], [9, 4], [9, 9]]
    assert on_units(np.array([2.5 - 1e-9, 2.5, 2.5 + 1e-9, 3.5, 2.51])).tolist() == [2, 2, 2, 3, 3]


def test_a_corner_that_rounding_at_the_cut_makes_cross_itself_is_mended():
    ring = np.array([[4168, 104], [4172, 107], [4158, 113], [4160, 104], [4156, 96]])
    one = np.ones(1, dtype=np.int64)
    flat = Flat(ring, 5 * one, one < 0, one)
    flat = Flat(ring[oriented(flat)], flat.length, flat.is_hole, flat.rings)
    shapes = ZoomShapes(flat, flat.boxes(), one < 0)
    tile, rows, found = in_tiles(shapes, (0, 0, 1), Dimension.AREA)
    assert (tile.tolist(), rows.tolist()) == ([0], [0])
    assert shapely.is_valid(to_shapely(found, Dimension.AREA)).all()


@pytest.mark.parametrize("side", [1, 2, 5])
def test_a_block_of_tiles_has_the_bytes_of_each_tile_alone(side):
    shapes = wound_lattice(12)
    source = cell_source("wei", cell_table(shapes), title="微网格", zooms=(8, 16))
    for zoom in (8, 13, 15):
        low = source.shapes(zoom).boxes[:, :2].min(axis=0)
        x, y = (low // EXTENT).tolist()
        alone = [source.layer(zoom, x + at % side, y + at // side) for at in range(side**2)]
        assert source.layers(zoom, x, y, side) == alone
        assert any(alone)


def test_names_and_numbers_that_came_and_went_are_told_as_if_the_layer_were_new():
    shapes = wound_lattice(6)
    table = cell_table(shapes)
    older = cell_source("wei", table, zooms=(12, 16))
    later = table.iloc[3:].copy()
    later["name"] = [f"{'乙甲丙'[row % 3]}{row}" for row in range(len(later))]
    later["public"] = [7 * row - 2 for row in range(len(later))]
    fresh = cell_source("wei", later, zooms=(12, 16))
    for _ in range(2):
        older = cell_source("wei", later, zooms=(12, 16), older=older)
        low = fresh.shapes(12).boxes[:, :2].min(axis=0)
        x, y = (low // EXTENT).tolist()
        assert older.layers(12, x, y, 2) == fresh.layers(12, x, y, 2)
        assert any(fresh.layers(12, x, y, 2))


def test_a_block_that_leaves_the_world_is_refused():
    source = cell_source("wei", cell_table(wound_lattice(2)), title="微网格", zooms=(2, 16))
    with pytest.raises(InputError):
        source.layers(2, 3, 3, 2)


def test_a_place_goes_to_the_nearest_unit_of_a_zoom():
    places = np.array([[3, 4], [11, 12], [8, 16]])
    assert to_zoom(places, 16).tolist() == [[0, 1], [1, 2], [1, 2]]
    assert to_zoom(places, 19).tolist() == places.tolist()
