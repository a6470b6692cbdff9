"""Tiles, files and the standard interface of the service."""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import mapbox_vector_tile
import openpyxl
import pandas as pd
import pyogrio
import pytest
from api_service import service
from fastapi.testclient import TestClient
from map_plans import CRS_ZHUZHOU, X0, Y0, make_extract, make_plan, make_reach, make_stations
from shapely.geometry import MultiPolygon, Point, box, shape

from geogrid.api import ServiceSettings, import_plan
from geogrid.api.moves import atom_moves
from geogrid.cli import main
from geogrid.errors import InputError
from geogrid.io.plan_file import write_plan
from geogrid.store import open_store

FORMULA = "=1+1"


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    plan = make_plan(names={"43020101": FORMULA})
    folder = tmp_path_factory.mktemp("service")
    path = write_plan(
        plan, folder / "plan.gpkg", reach=make_reach(plan, unserved={}, near={"a00": 40}),
        stations=make_stations(),
    )  # fmt: skip
    with service(path, folder, extract=make_extract()) as made:
        yield made


def tile_at(zoom, x=X0 + 50, y=Y0 + 50):
    at = gpd.GeoSeries([Point(x, y)], crs=CRS_ZHUZHOU).to_crs(4326).iloc[0]
    side = 2**zoom
    column = int((at.x + 180) / 360 * side)
    row = int((1 - math.asinh(math.tan(math.radians(at.y))) / math.pi) / 2 * side)
    return f"{zoom}/{column}/{row}.mvt"


def export(one, kind):
    answer = one.nobody.get(f"{one.at_head}/export", params={"format": kind})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


def test_a_tile_holds_a_layer_a_level_with_public_counts(one):
    answer = one.nobody.get(f"{one.at_head}/tiles/cells/{tile_at(16)}")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    found = mapbox_vector_tile.decode(answer.content)
    assert list(found) == ["zong", "wei"]
    cells = {cell["properties"]["code"]: cell["properties"] for cell in found["wei"]["features"]}
    assert cells["43020101"]["households"] == 40
    assert "households" not in cells["43020102"]
    assert cells["43020102"]["hidden"] == 1


@pytest.mark.parametrize(("layer", "name"), [("base", "streets"), ("reach", "circles")])
def test_streets_and_circles_are_tiles_too(one, layer, name):
    answer = one.nobody.get(f"{one.at_head}/tiles/{layer}/{tile_at(14)}")
    assert name in mapbox_vector_tile.decode(answer.content)


def test_who_cannot_unpack_gets_a_plain_tile(one):
    path = f"{one.at_head}/tiles/cells/{tile_at(14)}"
    plain = one.nobody.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == one.nobody.get(path).content


def test_a_tile_is_sent_once_for_each_version(one):
    path = f"{one.at_head}/tiles/cells/{tile_at(14)}"
    tag = one.nobody.get(path).headers["etag"]
    assert tag == f'"{one.head}"'
    assert one.nobody.get(path, headers={"If-None-Match": tag}).status_code == 304
    named = path.replace("/head/", f"/{one.head}/")
    # Who is served may be counted again for the same version.
    assert one.nobody.get(named).headers["cache-control"] == "private, no-cache"
    assert one.nobody.get(path).headers["cache-control"] == "private, no-cache"


def test_an_empty_tile_and_no_tile_are_told_apart(one):
    assert one.nobody.get(f"{one.at_head}/tiles/cells/14/0/0.mvt").status_code == 204
    for path in ("cells/1/5/0", "cells/17/0/0", "cells/-1/0/0", "cells/1/-1/0"):
        assert one.nobody.get(f"{one.at_head}/tiles/{path}.mvt").status_code == 422, path
    assert one.nobody.get(f"{one.at_head}/tiles/homes/1/0/0.mvt").status_code == 404


def test_tilejson_leads_to_tiles_and_names_their_layers(one):
    body = one.nobody.get(f"{one.at_head}/tiles.json").json()
    assert body["tilejson"] == "3.0.0"
    assert [layer["id"] for layer in body["vector_layers"]] == ["zong", "wei"]
    zoom, column, row = tile_at(15).removesuffix(".mvt").split("/")
    address = body["tiles"][0].replace("{z}", zoom).replace("{x}", column).replace("{y}", row)
    assert one.nobody.get(address).status_code == 200


def test_a_geopackage_holds_every_level_with_hidden_counts_empty(one, tmp_path):
    file = tmp_path / "plan.gpkg"
    file.write_bytes(export(one, "gpkg"))
    layers = {name for name, _ in pyogrio.list_layers(file)}
    assert layers == {"zong", "wei", "stations", "circles"}
    cells = gpd.read_file(file, layer="wei").set_index("code")
    assert cells.loc["43020102", "households_text"] == "<10"
    assert cells["households"].isna().loc["43020102"]
    assert len(cells) == 16


def test_a_workbook_holds_no_formula(one):
    book = openpyxl.load_workbook(io.BytesIO(export(one, "xlsx")))
    assert book.sheetnames == ["总网格", "微网格"]
    rows = list(book["微网格"].values)
    names = [row[rows[0].index("name")] for row in rows[1:]]
    assert f"'{FORMULA}" in names
    assert all(cell.data_type != "f" for row in book["微网格"] for cell in row)


def test_a_shapefile_keeps_chinese_names(one, tmp_path):
    archive = tmp_path / "plan.zip"
    archive.write_bytes(export(one, "shp"))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    cells = gpd.read_file(tmp_path / "wei.shp").set_index("code")
    assert cells.loc["43020102", "name"] == "建设第1总网格2号"
    assert cells.loc["43020102", "hh_text"] == "<10"
    assert cells.crs == "EPSG:4326"


def test_a_kml_opens(one, tmp_path):
    file = tmp_path / "plan.kml"
    file.write_bytes(export(one, "kml"))
    cells = gpd.read_file(file, layer="wei").set_index("code")
    assert len(cells) == 16
    assert cells.loc["43020102", "households_text"] == "<10"
    assert cells.loc["43020102"].geometry.area > 0
    assert set(gpd.read_file(file, layer="stations").geom_type) == {"Point"}


def test_a_strange_format_is_refused(one):
    answer = one.nobody.get(f"{one.at_head}/export", params={"format": "exe"})
    assert answer.status_code == 422


def test_search_finds_by_name_and_by_code(one):
    rows = one.nobody.get(f"{one.at_head}/search", params={"q": "第2总网格"}).json()
    assert rows[0]["code"] == "430202"
    assert len(rows) == 9
    (row,) = one.nobody.get(f"{one.at_head}/search", params={"q": "43020108"}).json()
    cell = one.nobody.get(f"{one.at_head}/cells/{row['code']}").json()
    assert shape(cell["geometry"]).contains(Point(row["centre"]))
    assert one.nobody.get(f"{one.at_head}/cells/x").status_code == 404
    assert one.nobody.get(f"{one.at_head}/search", params={"q": ""}).status_code == 422


def test_the_unserved_are_ranked(one):
    rows = one.nobody.get(f"{one.at_head}/unserved", params={"level": "wei", "minutes": 5}).json()
    assert rows == [
        {
            "code": "43020101", "name": FORMULA, "unserved_text": "40", "share": 1.0,
            "households_text": "40",
        }
    ]  # fmt: skip
    missing = one.nobody.get(f"{one.at_head}/unserved", params={"minutes": 7})
    assert missing.status_code == 404
    assert "5, 15" in missing.json()["detail"]


def test_a_plan_tells_its_levels_and_what_was_proven(one):
    body = one.nobody.get(one.base).json()
    assert [level["key"] for level in body["levels"]] == ["zong", "wei"]
    assert body["levels"][1]["cells"] == 16
    assert body["levels"][1]["band"] == {"low": 20, "high": 60, "is_hard": False}
    assert (body["is_proven"], body["limits"], body["state"]) == (True, [5.0, 15.0], "draft")
    assert body["head"] == one.head


def test_the_standard_interface_leads_from_page_to_page(one):
    root = one.nobody.get(f"/ogc/{one.plan}").json()
    links = {link["rel"]: link["href"] for link in root["links"]}
    conforms = one.nobody.get(links["conformance"]).json()["conformsTo"]
    assert any(name.endswith("/conf/core") for name in conforms)
    assert one.nobody.get(links["service-desc"]).status_code == 200
    names = {row["id"] for row in one.nobody.get(links["data"]).json()["collections"]}
    assert names == {"zong", "wei", "stations", "circles"}
    page = one.nobody.get(f"/ogc/{one.plan}/collections/wei/items", params={"limit": 7}).json()
    codes = []
    while True:
        codes += [feature["id"] for feature in page["features"]]
        more = [link["href"] for link in page["links"] if link["rel"] == "next"]
        assert page["numberMatched"] == 16
        if not more:
            break
        page = one.nobody.get(more[0]).json()
    assert len(codes) == len(set(codes)) == 16
    feature = one.nobody.get(f"/ogc/{one.plan}/collections/wei/items/{codes[3]}").json()
    assert feature["properties"]["code"] == codes[3]


def test_the_standard_interface_filters_by_box_and_property(one):
    items = f"/ogc/{one.plan}/collections/wei/items"
    at = gpd.GeoSeries([Point(X0 + 50, Y0 + 50)], crs=CRS_ZHUZHOU).to_crs(4326).total_bounds
    found = one.nobody.get(items, params={"bbox": ",".join(map(str, at))}).json()
    assert [row["id"] for row in found["features"]] == ["43020101"]
    found = one.nobody.get(items, params={"parent": "430202", "limit": 3}).json()
    assert (found["numberMatched"], found["numberReturned"]) == (8, 3)
    assert one.nobody.get(items, params={"limit": 0}).status_code == 400
    assert one.nobody.get(f"/ogc/{one.plan}/collections/homes/items").status_code == 404
    assert one.nobody.get(f"{items}/x").status_code == 404


def test_gdal_opens_what_the_standard_interface_gives(one, tmp_path):
    page = one.nobody.get(f"/ogc/{one.plan}/collections/wei/items", params={"limit": 100})
    file = tmp_path / "items.geojson"
    file.write_bytes(page.content)
    assert len(gpd.read_file(file)) == 16


def test_a_large_answer_is_packed_for_those_who_can_unpack(one):
    path = f"{one.at_head}/cells?level=wei"
    packed = one.nobody.get(path)
    plain = one.nobody.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


def test_a_plan_that_came_in_with_a_gap_is_a_draft_that_shows_it(tmp_path):
    plan = make_plan()
    wider = MultiPolygon([box(X0, Y0, X0 + 1000, Y0 + 800)])
    torn = replace(
        plan,
        atoms=replace(plan.atoms, limit=wider),
        district=replace(plan.district, limit=wider),
    )
    path = write_plan(torn, tmp_path / "plan.gpkg")
    with service(path, tmp_path) as made:
        assert made.nobody.get(made.base).json()["is_proven"] is False
        rows = made.nobody.get(f"{made.at_head}/defects").json()["features"]
        assert {row["properties"]["kind_zh"] for row in rows} == {"未达边界"}
        assert all(row["geometry"] is not None for row in rows)


def test_a_plan_file_comes_in_once_and_another_one_beside_it(tmp_path):
    paths = []
    for at, names in enumerate(({}, {"43020101": "甲"})):
        folder = tmp_path / str(at)
        folder.mkdir()
        paths.append(write_plan(make_plan(names=names), folder / "plan.gpkg"))
    with open_store(tmp_path / "s.sqlite") as store:
        ids = [import_plan(store, path) for path in (*paths, *paths)]
        assert ids[:2] == ids[2:]
        assert ids[0] != ids[1]
        (project,) = store.projects()
        assert [one.name for one in store.plans(project.id)] == ["plan", "plan 2"]


def test_the_command_serves_a_plan_from_a_store_beside_it(tmp_path, monkeypatch, capsys):
    seen = []

    def run(server, sockets):
        with TestClient(server.config.app) as client:
            seen.append(client.get("/api/plan").json()["name"])
            seen.append(client.get("/api/cells").json()["features"][0]["properties"]["code"])
        sockets[0].close()

    monkeypatch.setattr("geogrid.api.serving.HAS_FRONT", False)
    monkeypatch.setattr("uvicorn.Server.run", run)
    path = write_plan(make_plan(), tmp_path / "town.gpkg")
    assert main(["serve", str(path), "--port", "0", "--json"]) == 0
    assert seen == ["芦淞区建设街道", "430201"]
    first = json.loads(capsys.readouterr().out)
    assert first["address"].startswith("http://127.0.0.1:")
    assert len(first["first_account"]["password"]) > 20
    files = sorted(tmp_path.glob("town.store.sqlite*"))
    assert files[0].name == "town.store.sqlite"
    # It may hold where people live: nobody else on the machine reads it.
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert main(["serve", str(path), "--port", "0", "--json"]) == 0
    assert "first_account" not in json.loads(capsys.readouterr().out)


def test_the_command_serves_another_store_where_one_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("geogrid.api.serving.HAS_FRONT", False)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    path = write_plan(make_plan(), tmp_path / "town.gpkg")
    store = tmp_path / "office.sqlite"
    for words in ((str(path), "--store", str(store)), ("--store", f"sqlite:///{store}")):
        assert main(["serve", *words, "--port", "0"]) == 0
        assert "http://127.0.0.1:" in capsys.readouterr().out
    with open_store(store) as opened:
        assert len(opened.projects()) == 1
    assert not (tmp_path / "home").exists()


@pytest.fixture
def drawn(tmp_path):
    """A plan of which two versions differ in a cell of 7 households and in one of 50."""
    path = write_plan(make_plan(), tmp_path / "plan.gpkg")
    with service(path, tmp_path) as made:
        planner = made.program("planner", ("planner", ""))
        start = made.head
        for cells in (["43020101", "43020102"], ["43020103", "43020104"]):
            answer = made.edit(planner, command="merge", level="wei", cells=cells, into=cells[0])
            assert answer.status_code == 200
        yield made, planner, start


def moves_for(client, made, start):
    body = client.get(f"{made.base}/versions/{start}/compare/head").json()
    told = {(one["from"], one["to"]): one["households_text"] for one in body["moves"]}
    return told, body["levels"]["wei"]["moved_households_text"]


def test_whoever_sees_households_is_told_which_move_from_where_to_where(drawn):
    made, planner, start = drawn
    told, total = moves_for(planner, made, start)
    assert told == {("43020104", "43020103"): "20", ("43020102", "43020101"): "7"}
    assert list(told.values()) == ["20", "7"]
    assert total == "27"


def test_whoever_does_not_see_households_can_compute_no_small_move(drawn):
    made, _, start = drawn
    told, total = moves_for(made.program("keeper", ("admin", "")), made, start)
    assert told[("43020102", "43020101")] == "<10"
    assert told[("43020104", "43020103")] == "20"
    # 27 less the 20 that is told would be the 7 that is not.
    assert total == "≥21"


def test_a_planner_is_told_small_moves_in_the_own_area_alone(drawn):
    made, _, start = drawn
    elsewhere = made.program("elsewhere", ("planner", "430202"))
    assert moves_for(elsewhere, made, start)[0][("43020102", "43020101")] == "<10"
    at_home = made.program("home", ("planner", "430201"))
    assert moves_for(at_home, made, start)[0][("43020102", "43020101")] == "7"


def test_nobody_keeps_a_comparison_that_was_made_for_somebody_else(drawn):
    made, planner, start = drawn
    answer = planner.get(f"{made.base}/versions/{start}/compare/{made.head}")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert made.nobody.get(answer.url.path).status_code in {401, 403}


def test_households_of_an_atom_that_was_cut_are_found_by_their_ground():
    whole = make_plan()
    frame = whole.atoms.frame
    west, south, east, north = frame.geometry.iloc[0].bounds
    middle = (west + east) / 2
    parts = gpd.GeoDataFrame(
        {"atom_id": ["west", "east"], "households": [31, 9], "kind": "普通"},
        geometry=[box(west, south, middle, north), box(middle, south, east, north)],
        crs=frame.crs,
    )
    labels = pd.DataFrame(
        {"zong": "430201", "wei": ["43020101", "43020102"]}, index=["west", "east"]
    )
    cut = SimpleNamespace(
        atoms=SimpleNamespace(frame=pd.concat([frame.iloc[1:], parts], ignore_index=True)),
        labels=pd.concat([whole.labels.loc[frame["atom_id"].iloc[1:]], labels]),
        scheme=whole.scheme,
    )
    for was, now, ends in ((whole, cut, ("01", "02")), (cut, whole, ("02", "01"))):
        table = atom_moves(was, now)
        moved = table[table["wei", "from"] != table["wei", "to"]]
        assert moved["households"].tolist() == [9]
        assert [moved.iloc[0][("wei", end)][-2:] for end in ("from", "to")] == list(ends)
        assert table["households"].sum() == whole.households


def test_nobody_is_asked_for_map_tiles_unless_a_key_was_given(one):
    answer = one.nobody.get("/api/v1/settings")
    assert answer.json() == {"tianditu_key": None}
    assert "tianditu" not in answer.headers["content-security-policy"]


def test_with_a_key_pages_may_show_tianditu_and_nothing_else_from_elsewhere(tmp_path):
    path = write_plan(make_plan(), tmp_path / "plan.gpkg")
    with service(path, tmp_path, tianditu_key="0a1B") as made:
        answer = made.nobody.get("/api/v1/settings")
        assert answer.json() == {"tianditu_key": "0a1B"}
        rules = dict(
            rule.strip().split(" ", 1)
            for rule in answer.headers["content-security-policy"].split(";")
        )
    hosts = "https://*.tianditu.gov.cn"
    assert [name for name, words in rules.items() if "//" in words] == ["img-src", "connect-src"]
    assert all(hosts in rules[name].split() for name in ("img-src", "connect-src"))


def test_a_key_that_would_change_an_address_is_refused():
    with pytest.raises(InputError, match="letters and digits"):
        ServiceSettings(tianditu_key="a&b=c")


def test_a_move_beside_a_cell_that_is_kept_back_is_told_as_a_bound_alone(tmp_path):
    path = write_plan(make_plan(), tmp_path / "plan.gpkg")
    with service(path, tmp_path) as made:
        planner, start = made.program("planner", ("planner", "")), made.head
        cells = ["43020101", "43020102"]
        made.edit(planner, command="merge", level="wei", cells=cells, into=cells[1])
        ends = (cells[0], cells[1])
        assert moves_for(planner, made, start) == ({ends: "40"}, "40")
        # 47 stand there now: less the 40 that came it would be the 7 that were kept back.
        assert moves_for(made.program("keeper", ("admin", "")), made, start) == (
            {ends: "≥10"}, "≥10",
        )  # fmt: skip
