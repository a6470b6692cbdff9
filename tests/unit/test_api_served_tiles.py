"""Who is served, in the tiles of the cells: public shares alone, and the latest count."""

from __future__ import annotations

import math

import geopandas as gpd
import mapbox_vector_tile
import pytest
import shapely
from api_service import service
from map_plans import CRS_ZHUZHOU, X0, Y0, make_plan, make_reach, make_stations

from geogrid.io.plan_file import write_plan
from geogrid.vocabulary import FileRole
from geogrid.workflow.keeping import keep_file

MERGED = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"], "into": "43020101"}
NAMES = ("served_5", "served_15")


def counted(folder, unserved):
    plan = make_plan()
    reach = make_reach(plan, unserved=unserved, near={"a00": 40})
    return write_plan(plan, folder / "plan.gpkg", reach=reach, stations=make_stations())


@pytest.fixture
def one(tmp_path):
    with service(counted(tmp_path, {"a10": 2, "a11": 20}), tmp_path) as made:
        yield made


def path_of_all():
    """A tile that holds the whole plan and shows the finest cells."""
    at = gpd.GeoSeries([shapely.Point(X0 + 400, Y0 + 400)], crs=CRS_ZHUZHOU).to_crs(4326).iloc[0]
    side = 2**14
    column = int((at.x + 180) / 360 * side)
    row = int((1 - math.asinh(math.tan(math.radians(at.y))) / math.pi) / 2 * side)
    return [f"14/{column + x}/{row + y}.mvt" for x in (-1, 0, 1) for y in (-1, 0, 1)]


def shares_in_tiles(made):
    found = {}
    for place in path_of_all():
        answer = made.nobody.get(f"{made.at_head}/tiles/cells/{place}")
        if answer.status_code == 200:
            for level, layer in mapbox_vector_tile.decode(answer.content).items():
                for feature in layer["features"]:
                    values = feature["properties"]
                    shares = {name: values[name] for name in NAMES if name in values}
                    found[level, values["code"]] = shares
    return found


def shares_in_cells(made):
    found = {}
    for level in ("zong", "wei"):
        body = made.nobody.get(f"{made.at_head}/cells", params={"level": level}).json()
        for cell in body["features"]:
            values = cell["properties"]
            shares = {name: values[name] for name in NAMES if values[name] is not None}
            found[level, values["code"]] = shares
    return found


def test_tiles_tell_the_shares_that_cells_tell(one):
    found = shares_in_tiles(one)
    assert found == shares_in_cells(one)
    assert any(found.values())
    assert not all(found.values())
    (layer,) = [
        layer
        for layer in one.nobody.get(f"{one.at_head}/tiles.json").json()["vector_layers"]
        if layer["id"] == "wei"
    ]
    assert set(NAMES) <= set(layer["fields"])


def test_a_cell_that_changed_since_the_count_tells_no_share(one):
    before = shares_in_tiles(one)
    assert before["wei", "43020103"]
    assert one.edit(one.program("p", ("planner", "")), **MERGED).status_code == 200
    after = shares_in_tiles(one)
    assert after == shares_in_cells(one)
    assert after["wei", "43020101"] == {}
    assert after["wei", "43020201"] == before["wei", "43020201"]


def test_tiles_show_the_latest_count(one, tmp_path):
    before = shares_in_tiles(one)
    (tmp_path / "later").mkdir()
    later = counted(tmp_path / "later", {"a10": 2, "a11": 12, "a22": 20})
    keep_file(
        one.store, one.store.version(one.head), later, role=FileRole.SERVICE, name="later.gpkg",
        actor="test", facts={"job": "j"},
    )  # fmt: skip
    one.app.state.desk.files.__dict__["_service"].clear()
    after = shares_in_tiles(one)
    assert after == shares_in_cells(one)
    assert after != before


def test_layers_that_tiles_are_made_of_are_let_go_where_room_is_short(one):
    tiles = one.app.state.tiles
    planner = one.program("p", ("planner", ""))
    tiles.room = 1
    versions = [one.head]
    for number in range(5):
        name = {"command": "rename", "level": "wei", "cell": "43020201", "name": f"{number}"}
        assert one.edit(planner, **name).status_code == 200
        shares_in_tiles(one)
        versions.append(one.head)
    held = [name for _, name, _ in tiles.__dict__["_sources"]]
    assert held == versions[-2:]
    assert all(source.size > 0 for source in tiles.sources(one.plan, one.head, "cells"))
