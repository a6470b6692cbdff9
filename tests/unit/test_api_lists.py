"""Lists of households for those who divide them: their own area alone, and never the public."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from api_service import service
from list_plans import LIN, homes_in, listed, points_of
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan

from geogrid.io.plan_file import write_plan

PLAN = listed(make_plan())
CELL = "43020101"


@pytest.fixture(scope="module")
def list_file(tmp_path_factory):
    return write_plan(PLAN, tmp_path_factory.mktemp("lists") / "plan.gpkg")


@pytest.fixture
def one(list_file, tmp_path):
    with service(list_file, tmp_path, households=points_of(PLAN).to_crs(4326)) as made:
        yield made


@pytest.fixture
def bare(list_file, tmp_path):
    with service(list_file, tmp_path) as made:
        yield made


def ids_of(answer):
    return [row["properties"]["household_id"] for row in answer.json()["features"]]


def test_lists_of_a_cell_are_told_with_their_households_and_band(one):
    planner = one.program("planner", ("planner", ""))
    answer = planner.get(f"{one.at_head}/lists", params={"level": "邻", "cell": CELL})
    body = answer.json()
    held = PLAN.rosters["lin"].assign(cell=PLAN.leaf.reindex(PLAN.rosters["lin"]["atom_id"]).values)
    counts = held[held["cell"] == CELL].groupby("code")["households"].sum()
    assert body["level"] == "lin"
    assert {row["code"]: row["households"] for row in body["lists"]} == counts.to_dict()
    for row in body["lists"]:
        assert row["band"] == ("in" if row["households"] in LIN.band else "below")
        assert row["parent"] == row["code"][:-2]
        assert (row["cell"], row["name"]) == (CELL, PLAN.cell_table.loc[row["code"], "name"])
    assert body["numberMatched"] == body["numberReturned"] == len(counts)
    assert answer.headers["cache-control"] == "no-store"
    upper = planner.get(f"{one.at_head}/lists", params={"level": "zu", "cell": CELL}).json()
    assert {row["band"] for row in upper["lists"]} == {None}
    whole = planner.get(f"{one.at_head}/lists").json()
    assert whole["level"] == "lin"
    assert sum(row["households"] for row in whole["lists"]) == PLAN.households


def test_members_of_a_cell_come_with_their_list_and_place(one):
    planner = one.program("planner", ("planner", ""))
    answer = planner.get(f"{one.at_head}/members", params={"level": "lin", "cell": CELL})
    body = answer.json()
    points = points_of(PLAN).set_index("household_id")
    held = pd.DataFrame([row["properties"] for row in body["features"]])
    assert held.groupby("list")["household_id"].agg(list).to_dict() == {
        code: homes_in(PLAN, code) for code in set(held["list"])
    }
    assert set(held["cell"]) == {CELL}
    assert held["households"].sum() == 40
    places = gpd.GeoSeries(
        [shapely.Point(row["geometry"]["coordinates"]) for row in body["features"]], crs=4326
    ).to_crs(CRS_ZHUZHOU)
    true = points.geometry.reindex(held["household_id"]).reset_index(drop=True)
    assert places.distance(true).max() < 0.2
    assert body["numberPlaced"] == body["numberMatched"] == 40
    assert answer.headers["cache-control"] == "no-store"


def test_lists_and_members_end_at_the_area_that_was_given(one):
    mine = one.program("mine", ("planner", "430201"))
    codes = {row["code"] for row in mine.get(f"{one.at_head}/lists").json()["lists"]}
    assert codes
    assert codes == {code for code in set(PLAN.rosters["lin"]["code"]) if code[:6] == "430201"}
    whole = mine.get(f"{one.at_head}/members", params={"limit": 20_000})
    cells = {row["properties"]["cell"][:6] for row in whole.json()["features"]}
    assert cells == {"430201"}
    assert whole.json()["numberMatched"] < PLAN.households
    for path in ("lists", "members"):
        other = mine.get(f"{one.at_head}/{path}", params={"cell": "43020201"}).json()
        assert other["numberMatched"] == 0


@pytest.mark.parametrize("path", ["lists", "members"])
def test_nobody_but_those_who_may_see_households_asks_for_lists(one, path):
    assert one.nobody.get(f"{one.at_head}/{path}").status_code == 401
    for role in ("viewer", "admin"):
        answer = one.program(role, (role, "")).get(f"{one.at_head}/{path}")
        assert answer.status_code == 403


@pytest.mark.parametrize("path", ["lists", "members"])
def test_long_answers_come_in_pages(one, path):
    planner = one.program("planner", ("planner", ""))
    name = {"lists": "lists", "members": "features"}[path]
    whole = planner.get(f"{one.at_head}/{path}").json()
    pages = [
        planner.get(f"{one.at_head}/{path}", params={"limit": 17, "offset": at}).json()
        for at in range(0, whole["numberMatched"], 17)
    ]
    assert [row for page in pages for row in page[name]] == whole[name]
    assert {page["numberMatched"] for page in pages} == {len(whole[name])}
    assert planner.get(f"{one.at_head}/{path}", params={"limit": 0}).status_code == 422


def test_a_box_holds_the_members_whose_points_lie_in_it(one):
    planner = one.program("planner", ("planner", ""))
    corner = gpd.GeoSeries([shapely.box(X0, Y0, X0 + SIDE, Y0 + SIDE)], crs=CRS_ZHUZHOU)
    text = ",".join(map(str, np.round(corner.to_crs(4326).total_bounds, 9)))
    found = planner.get(f"{one.at_head}/members", params={"bbox": text})
    shape = shapely.box(*map(float, text.split(",")))
    points = points_of(PLAN).to_crs(4326)
    near = points[points.geometry.intersects(shape.buffer(1e-5))]
    assert set(ids_of(found)) <= set(near["household_id"])
    assert len(ids_of(found)) >= 40
    both = planner.get(f"{one.at_head}/members", params={"bbox": text, "cell": CELL})
    assert {row["properties"]["cell"] for row in both.json()["features"]} == {CELL}


def test_where_there_are_no_points_households_have_no_place(bare):
    planner = bare.program("planner", ("planner", ""))
    body = planner.get(f"{bare.at_head}/members", params={"cell": CELL}).json()
    assert {row["geometry"] for row in body["features"]} == {None}
    assert (body["numberMatched"], body["numberPlaced"]) == (40, 0)
    box = planner.get(f"{bare.at_head}/members", params={"bbox": "113,27,114,28"}).json()
    assert box["features"] == []


def test_what_is_no_list_and_no_cell_is_not_found(one, tmp_path, plan_file):
    planner = one.program("planner", ("planner", ""))
    for asked, told in (
        ({"level": "wei"}, "没有“wei”名册"),
        ({"cell": "nowhere"}, "没有网格nowhere"),
        ({"cell": homes_list()}, "没有网格"),
    ):
        answer = planner.get(f"{one.at_head}/members", params=asked)
        assert answer.status_code == 404
        assert told in answer.json()["detail"]
    folder = tmp_path / "areas"
    folder.mkdir()
    with service(plan_file, folder) as areas:
        other = areas.program("planner", ("planner", ""))
        assert other.get(f"{areas.at_head}/lists").status_code == 404


def homes_list():
    return str(PLAN.rosters["lin"]["code"].iloc[0])


def test_a_household_that_moved_is_told_in_its_new_list(one):
    mine = one.program("mine", ("planner", "430201"))
    lists = mine.get(f"{one.at_head}/lists", params={"cell": CELL}).json()["lists"]
    one_list, other = lists[0]["code"], lists[1]["code"]
    home = homes_in(PLAN, other)[0]
    answer = one.edit(mine, command="paint", level="lin", target=one_list, households=[home])
    assert answer.status_code == 200, answer.text
    now = mine.get(f"{one.at_head}/members", params={"cell": CELL}).json()["features"]
    held = {row["properties"]["household_id"]: row["properties"]["list"] for row in now}
    assert held[home] == one_list
    outside = homes_in(PLAN, next(c for c in set(PLAN.rosters["lin"]["code"]) if c[:6] == "430202"))
    refused = one.edit(mine, command="create", level="lin", households=outside[:1])
    assert refused.status_code == 403


def test_who_has_no_point_among_others_has_no_place(list_file, tmp_path):
    points = points_of(PLAN).to_crs(4326)
    with service(list_file, tmp_path, households=points.iloc[3:]) as made:
        planner = made.program("planner", ("planner", ""))
        body = planner.get(f"{made.at_head}/members", params={"limit": 20_000}).json()
    placeless = {
        row["properties"]["household_id"] for row in body["features"] if row["geometry"] is None
    }
    assert placeless == set(points["household_id"].iloc[:3])
    assert body["numberPlaced"] == len(points) - 3


def test_a_planner_edits_the_lists_of_the_own_area_whatever_their_codes(tmp_path):
    plan = listed(make_plan(), prefix="L")
    table = plan.rosters["lin"]
    cell = plan.leaf.reindex(table["atom_id"]).to_numpy()
    from_list, to_list = table["code"][cell == CELL].unique()[:2]
    mine = table["household_id"][table["code"] == from_list].tolist()[:2]
    paint = {"command": "paint", "level": "lin", "target": to_list, "households": mine}
    merge = {"command": "merge", "level": "lin", "cells": [from_list, to_list]}
    with service(write_plan(plan, tmp_path / "plan.gpkg"), tmp_path) as one:
        own = one.program("own", ("planner", CELL[:6]))
        other = one.program("other", ("planner", "430202"))
        seen = one.write(own, "POST", "preview", {"command": paint}).json()
        assert seen["refused"] is None
        assert {row["code"] for row in seen["cells"]} == {from_list, to_list}
        assert (
            "outside the area"
            in one.write(other, "POST", "preview", {"command": paint}).json()["refused"]
        )
        for command in (paint, merge):
            assert one.edit(other, **command).status_code == 403
        for command in (paint, merge):
            assert one.edit(own, **command).status_code == 200
        for verb in ("undo", "undo", "redo"):
            assert one.write(own, "POST", verb).status_code == 200
