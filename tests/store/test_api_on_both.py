"""The way of a plan through the service, the same over a file and over PostGIS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import mapbox_vector_tile
import pytest
from api_service import PASSWORD, Service
from fastapi.testclient import TestClient
from map_plans import CRS_ZHUZHOU, X0, Y0, make_plan, make_reach, make_stations
from pyproj import Transformer

from geogrid.api import ServiceSettings, create_app, import_plan
from geogrid.coverage.plan import verify_plan
from geogrid.io.plan_file import write_plan

FIRST = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"], "into": "43020101"}
SAME = {"command": "rename", "level": "wei", "cell": "43020101", "name": "甲"}
OTHER = {"command": "merge", "level": "wei", "cells": ["43020201", "43020202"], "into": "43020201"}
LON, LAT = Transformer.from_crs(CRS_ZHUZHOU, 4326, always_xy=True).transform(X0 + 50, Y0 + 50)


@pytest.fixture
def one(store, tmp_path):
    plan = make_plan()
    path = write_plan(
        plan, tmp_path / "plan.gpkg", reach=make_reach(plan, unserved={}, near={"a00": 40}),
        stations=make_stations(),
    )  # fmt: skip
    name = import_plan(store, path)
    assert import_plan(store, path) == name
    return Service(store, create_app(store, ServiceSettings()), name)


def cells(one, client):
    body = client.get(f"/ogc/{one.plan}/collections/wei/items").json()
    return {row["id"]: row["properties"] for row in body["features"]}


def test_a_plan_is_drawn_undone_agreed_and_shown(one):
    drawer = one.program("drawer", ("planner", ""))
    reviewer = one.program("reviewer", ("reviewer", ""))
    start = one.head
    assert one.edit(drawer, **FIRST).status_code == HTTPStatus.OK
    # Whoever drew elsewhere meanwhile loses nothing, who drew the same is told.
    assert one.edit(drawer, since=start, **OTHER).json()["is_proven"]
    assert one.edit(drawer, since=start, **SAME).status_code == HTTPStatus.CONFLICT
    assert not cells(one, drawer).keys() & {"43020103", "43020202"}
    merged = one.head
    assert one.write(drawer, "POST", "undo").status_code == HTTPStatus.OK
    assert "43020202" in cells(one, drawer)
    assert one.write(drawer, "POST", "redo").status_code == HTTPStatus.OK
    assert verify_plan(one.store.read(one.head)).is_proven
    compared = drawer.get(f"{one.base}/versions/{merged}/compare/head").json()
    assert compared["cells"]["features"] == []
    day = one.store.database.moment().date().isoformat()
    for client, to in ((drawer, "submitted"), (reviewer, "reviewed")):
        assert one.write(client, "POST", "state", {"to": to}).status_code == HTTPStatus.OK
    force = {"to": "in_force", "effective_from": day}
    assert one.write(reviewer, "POST", "state", force).json()["state"] == "in_force"
    in_force = one.head
    assert one.edit(drawer, **SAME).status_code == HTTPStatus.OK
    assert one.nobody.get(one.base).json()["head"] == in_force
    assert cells(one, drawer)["43020101"]["name"] == "甲"
    assert cells(one, one.nobody)["43020101"]["name"] != "甲"


def test_places_boxes_tiles_and_files_are_answered(one):
    chain = one.nobody.get(f"{one.at_head}/where", params={"lon": LON, "lat": LAT}).json()["chain"]
    assert [link["code"] for link in chain] == ["430201", "43020101"]
    items = f"/ogc/{one.plan}/collections/wei/items"
    box = {"bbox": f"{LAT},{LON},{LAT},{LON}"}
    box["bbox-crs"] = "http://www.opengis.net/def/crs/EPSG/0/4326"
    found = one.nobody.get(items, params=box).json()
    assert [row["id"] for row in found["features"]] == ["43020101"]
    side = 2**14
    column = int((LON + 180) / 360 * side)
    tiles = (one.nobody.get(f"{one.at_head}/tiles/cells/14/{column}/{row}.mvt")
             for row in range(6800, 6960))  # fmt: skip
    names = {
        cell["properties"]["code"]
        for tile in tiles
        if tile.content
        for cell in mapbox_vector_tile.decode(tile.content)["wei"]["features"]
    }
    assert "43020101" in names
    assert one.nobody.get(f"{one.at_head}/circles").json()["features"]
    assert one.nobody.get(f"{one.at_head}/export", params={"format": "xlsx"}).content[:2] == b"PK"
    assert cells(one, one.nobody)["43020102"]["households_text"] == "<10"


def test_people_sign_in_and_out(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    client = TestClient(one.app)
    said = client.post("/api/v1/login", json={"name": "li", "password": PASSWORD})
    assert said.status_code == HTTPStatus.NO_CONTENT
    proof = {"X-CSRF-Token": client.get("/api/v1/me").json()["csrf"]}
    tag = {"If-Match": f'"{one.head}"'}
    path = f"{one.base}/edits"
    assert client.post(path, json={"command": FIRST}, headers=tag).status_code == 403
    assert client.post(path, json={"command": FIRST}, headers=tag | proof).status_code == 200
    assert client.post("/api/v1/logout", headers=proof).status_code == HTTPStatus.NO_CONTENT
    assert client.get("/api/v1/me").json()["user"] is None


def test_many_who_draw_at_once_lose_nothing(one):
    planner = one.program("planner", ("planner", ""))
    start = one.head
    codes = [f"4302010{number}" for number in range(1, 7)]

    def rename(code):
        command = {"command": "rename", "level": "wei", "cell": code, "name": f"新{code}"}
        return one.edit(planner, since=start, **command).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(rename, codes)) == {HTTPStatus.OK}
    now = cells(one, planner)
    assert all(now[code]["name"] == f"新{code}" for code in codes)
    assert len(one.store.history(one.plan)) == len(codes) + 1
