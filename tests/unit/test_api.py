"""A plan over HTTP."""

from __future__ import annotations

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
import shapely
from api_service import service
from map_plans import (
    CRS_ZHUZHOU,
    X0,
    Y0,
    make_defects,
    make_extract,
    make_plan,
    make_reach,
    make_stations,
)
from shapely.geometry import Point, shape

from geogrid.api import import_plan, serve
from geogrid.api.features import BoxIndex
from geogrid.api.problems import STATUS_OF_ERROR
from geogrid.api.view import PlanView
from geogrid.coverage.plan import verify_plan
from geogrid.errors import CrsError, InputError, MissingFileError
from geogrid.io.plan_file import write_plan
from geogrid.model.report import CoverageReport
from geogrid.store import open_store

SOMEBODY = "张三 13800000000"
ROUTES = ("/", "/map", "/healthz", "/api/plan", "/api/levels", "/api/cells", "/api/circles",
          "/api/stations", "/api/where")  # fmt: skip


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory):
    plan = make_plan()
    report = verify_plan(plan)
    listed = CoverageReport(defects=make_defects(), certificate=report.certificate)
    return write_plan(
        plan, tmp_path_factory.mktemp("plan") / "plan.gpkg",
        reach=make_reach(plan, unserved={}, near={"a00": 40}), stations=make_stations(),
        report=listed,
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(plan_file, tmp_path_factory):
    with service(plan_file, tmp_path_factory.mktemp("store"), extract=make_extract()) as one:
        yield one.nobody


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A plan with no stations, circles or certificate."""
    folder = tmp_path_factory.mktemp("bare")
    with service(write_plan(make_plan(), folder / "plan.gpkg"), folder) as one:
        yield one.nobody


def degrees(x, y):
    lon, lat, *_ = gpd.GeoSeries([Point(x, y)], crs=CRS_ZHUZHOU).to_crs(4326).total_bounds
    return {"lon": lon, "lat": lat}


def assert_problem(answer, status, words):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert set(body) == {"type", "title", "status", "detail", "instance"}
    assert words in body["detail"]


def test_the_summary_tells_proof_and_provenance(client):
    body = client.get("/api/plan").json()
    assert (body["name"], body["code"], body["scheme"]) == ("芦淞区建设街道", "4302", "两级网格")
    assert (body["households"], body["households_text"]) == (612, "612")
    # The certificate stands, but the file lists defects.
    assert body["is_proven"] is False
    assert body["is_estimated"]
    assert not body["is_synthetic"]
    assert body["sources"][0]["licence"] == "ODbL-1.0"
    assert len(body["bounds"]) == 4


def test_levels_come_coarse_to_fine_with_their_bands(client):
    zong, wei = client.get("/api/levels").json()
    assert (zong["key"], zong["cells"], zong["band"]) == ("zong", 2, None)
    assert (wei["name"], wei["cells"], wei["head_title"]) == ("微网格", 16, "微网格长")
    assert wei["band"] == {"low": 20, "high": 60, "is_hard": False, "is_assumption": True}


def test_cells_are_geojson_in_degrees(client):
    answer = client.get("/api/cells", params={"level": "微网格"})
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert len(body["features"]) == 16
    first = body["features"][0]
    assert first["properties"]["code"] == "43020101"
    assert first["properties"]["area_m2"] == 40_000
    west, south, east, north = shape(first["geometry"]).bounds
    assert 113 < west < east < 114
    assert 27 < south < north < 28
    assert shapely.is_ccw(shapely.get_exterior_ring(shape(first["geometry"])))


def test_a_level_answers_to_key_name_and_alias(client):
    bodies = {
        client.get("/api/cells", params={"level": one}).text
        for one in ("zong", "总网格", "大网格", "")
    }
    assert len(bodies) == 1
    assert_problem(client.get("/api/cells", params={"level": "x"}), 404, "wei (微网格)")


def test_only_cells_in_the_box_are_given(client):
    here = degrees(X0 + 50, Y0 + 50)
    box = f"{here['lon']},{here['lat']},{here['lon']},{here['lat']}"
    body = client.get("/api/cells", params={"level": "wei", "bbox": box}).json()
    assert [one["properties"]["code"] for one in body["features"]] == ["43020101"]
    nowhere = client.get("/api/cells", params={"level": "wei", "bbox": "0,0,1,1"}).json()
    assert nowhere == {"type": "FeatureCollection", "features": []}


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "2,0,1,1", "0,0,1,91", "nan,0,1,1"])
def test_a_box_that_is_none_is_refused(client, box):
    assert_problem(client.get("/api/cells", params={"bbox": box}), 422, "bbox")


def test_counts_below_ten_and_what_would_tell_them_are_hidden(client):
    features = client.get("/api/cells", params={"level": "wei"}).json()["features"]
    of_code = {one["properties"]["code"]: one["properties"] for one in features}
    assert of_code["43020102"]["households"] is None
    assert of_code["43020102"]["households_text"] == "<10"
    assert of_code["43020108"]["households_text"] == "≥10"
    assert of_code["43020101"]["households"] == 40
    assert of_code["43020105"]["households_text"] == "0"


def test_circles_come_by_minutes(client):
    assert len(client.get("/api/circles").json()["features"]) == 4
    body = client.get("/api/circles", params={"minutes": 15}).json()
    assert [one["properties"]["label"] for one in body["features"]] == ["15分钟", "15分钟"]
    assert body["features"][0]["properties"] == {
        "station": "s1", "label": "15分钟", "minutes": 15.0, "metres": 1200.0,
    }  # fmt: skip
    assert_problem(client.get("/api/circles", params={"minutes": 7}), 404, "5, 15")


def test_stations_say_what_they_really_are(client):
    first, second = client.get("/api/stations").json()["features"]
    assert first["properties"]["name"] == "建设党群服务站"
    assert second["properties"]["stand_in"] == "图书馆"
    assert (first["properties"]["households"], second["properties"]["households"]) == (420, None)
    assert second["properties"]["households_text"] == "<10"
    assert first["geometry"]["type"] == "Point"


@pytest.mark.parametrize("path", ["/where", "/api/where"])
def test_a_place_has_a_chain_of_cells_and_a_nearest_station(client, path):
    body = client.get(path, params=degrees(X0 + 250, Y0 + 50)).json()
    assert [(link["level"], link["code"]) for link in body["chain"]] == [
        ("zong", "430201"), ("wei", "43020102"),
    ]  # fmt: skip
    assert body["chain"][0]["head_title"] == "网格长"
    assert body["station"]["name"] == "建设党群服务站"
    assert body["station"]["distance_kind"] == "straight line"
    assert body["station"]["distance_m"] == pytest.approx(165, abs=1)


def test_a_place_on_a_border_belongs_to_one_cell(client):
    body = client.get("/where", params=degrees(X0 + 200 + 1e-7, Y0 + 50)).json()
    assert body["chain"][1]["code"] in {"43020101", "43020102"}
    assert len(body["chain"]) == 2


def test_a_slanted_cell_does_not_claim_its_whole_box(tmp_path):
    path = write_plan(make_plan(slant=1), tmp_path / "plan.gpkg")
    with service(path, tmp_path) as one:
        slanted = one.nobody
        body = slanted.get("/where", params=degrees(X0 + 220, Y0 + 190)).json()
        assert body["chain"][1]["code"] == "43020101"
        outside = slanted.get("/where", params=degrees(X0 + 20, Y0 + 190))
    assert_problem(outside, 404, "outside")


def test_a_place_outside_is_not_found(client):
    assert_problem(client.get("/where", params=degrees(X0 - 50, Y0 + 50)), 404, "outside 芦淞区")
    assert_problem(client.get("/where", params={"lon": -170, "lat": -80}), 404, "outside")


def test_a_place_that_is_none_is_refused(client):
    assert_problem(client.get("/where", params={"lon": 200, "lat": 0}), 422, "lon")
    assert_problem(client.get("/where", params={"lon": "nan", "lat": 0}), 422, "lon")
    assert_problem(client.get("/where"), 422, "lon")


def test_an_unknown_route_is_a_problem_too(client):
    assert_problem(client.get("/api/households"), 404, "Not Found")
    assert_problem(client.post("/api/plan"), 405, "Method Not Allowed")


def test_every_answer_carries_the_tag_of_the_plan_and_is_not_sent_twice(client):
    for route in ("/map", "/api/plan", "/api/cells"):
        first = client.get(route)
        tag = first.headers["etag"]
        assert re.fullmatch(r'"[0-9a-f]{16}"', tag)
        again = client.get(route, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(route, headers={"If-None-Match": '"other"'}).status_code == 200
    outside = client.get("/where", params={"lon": 0, "lat": 0}, headers={"If-None-Match": tag})
    assert outside.status_code == 404


def test_another_plan_has_another_tag(client, bare):
    assert client.get("/api/plan").headers["etag"] != bare.get("/api/plan").headers["etag"]


def test_the_page_is_the_offline_map(client):
    answer = client.get("/map")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "建设南路" in answer.text
    assert not re.search(r"https?://", answer.text)


def test_the_start_leads_to_the_web_app_where_it_is_built(plan_file, tmp_path):
    web = tmp_path / "dist"
    with service(plan_file, tmp_path, web=web, has_anonymous_viewing=False) as one:
        assert_problem(one.nobody.get("/"), 401, "sign in")
        viewer = one.program("v", ("viewer", ""))
        assert viewer.get("/").text == viewer.get("/map").text
        web.mkdir()
        (web / "index.html").write_text("<p>app</p>")
        answer = one.nobody.get("/", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "/app/")
        assert_problem(one.nobody.get("/map"), 401, "sign in")


def test_the_page_knows_the_unserved_from_the_file_alone(client, bare):
    pattern = r'<script type="application/json" id="gg-data">(.*?)</script>'
    data, without = (
        json.loads(re.search(pattern, one.get("/map").text, re.DOTALL)[1]) for one in (client, bare)
    )
    assert data["limits"] == ["5分钟", "15分钟"]
    assert data["levels"][1]["unserved"][0][0] == 40
    assert without["limits"] == []
    assert not data["badge"]["proven"]


def test_a_plan_without_a_certificate_is_proven_when_it_comes_in(bare):
    body = bare.get("/api/plan").json()
    assert body["is_proven"]
    assert {one["level"] for one in body["certificate"]["levels"]} == {"zong", "wei"}


def test_no_household_is_anywhere(client):
    atoms = re.compile(r'"a\d\d"')
    for route in (*ROUTES, "/docs", "/openapi.json", "/api/cells?level=wei"):
        text = client.get(
            route, params=degrees(X0 + 50, Y0 + 50) if "where" in route else None
        ).text
        assert not atoms.search(text), route
    # 7 households live in 43020102.
    assert '"households":7,' not in client.get("/api/cells?level=wei").text


def test_a_plan_without_stations_answers_empty(bare):
    empty = {"type": "FeatureCollection", "features": []}
    assert bare.get("/api/stations").json() == empty
    assert bare.get("/api/circles").json() == empty
    assert bare.get("/where", params=degrees(X0 + 50, Y0 + 50)).json()["station"] is None
    assert_problem(bare.get("/api/circles", params={"minutes": 5}), 404, "none")
    assert bare.get("/map").status_code == 200


def test_health_is_never_cached(client):
    answer = client.get("/healthz")
    assert answer.json() == {"status": "ok"}
    assert "etag" not in answer.headers


def test_the_contract_has_english_texts_and_chinese_summaries(client):
    contract = client.get("/openapi.json").json()
    assert set(ROUTES) < set(contract["paths"])
    for verbs in contract["paths"].values():
        for entry in verbs.values():
            assert re.search(r"[\u4e00-\u9fff]", entry["summary"])
            assert re.match(r"[A-Z][ -~]+", entry["description"])
    assert client.get("/redoc").status_code == 404


def test_the_list_of_routes_needs_no_network(client):
    text = client.get("/docs").text
    assert all(f"GET {route}<" in text for route in ROUTES)
    assert not re.search(r"https?://|<script", text)


def test_narrow_errors_stand_before_wide_ones():
    kinds = list(STATUS_OF_ERROR)
    for at, kind in enumerate(kinds):
        assert not any(issubclass(later, kind) for later in kinds[at + 1 :])


def test_an_unforeseen_error_tells_its_place_to_the_log_and_its_words_to_nobody(
    plan_file, tmp_path, caplog, monkeypatch
):
    def broken(*_):
        raise LookupError(SOMEBODY)

    monkeypatch.setattr(PlanView, "where", broken)
    with service(plan_file, tmp_path) as one:
        answer = one.nobody.get("/where", params={"lon": 0, "lat": 0})
    assert_problem(answer, 500, "look at its log")
    assert "unforeseen error at /where: LookupError at" in caplog.text
    assert "test_api.py" in caplog.text
    assert SOMEBODY not in answer.text + caplog.text


def test_what_is_no_plan_does_not_come_in(tmp_path):
    other = tmp_path / "cells.gpkg"
    make_stations().to_file(other)
    with open_store(tmp_path / "s.sqlite") as store:
        with pytest.raises(MissingFileError):
            import_plan(store, tmp_path / "none.gpkg")
        with pytest.raises(InputError):
            import_plan(store, other)
        assert store.projects() == []


def test_a_plan_in_local_metres_does_not_come_in(tmp_path):
    path = write_plan(make_plan(crs=None), tmp_path / "plan.gpkg")
    with (
        open_store(tmp_path / "s.sqlite") as store,
        pytest.raises(CrsError, match="coordinate system"),
    ):
        import_plan(store, path)


def test_the_server_listens_to_this_machine_only_and_tells_its_address(tmp_path, monkeypatch):
    heard = []

    def run(_, sockets):
        heard.append(sockets[0].getsockname())
        # Else each small answer on a kept connection comes 40 ms late.
        assert sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    monkeypatch.setattr("geogrid.api.serving.HAS_FRONT", False)
    monkeypatch.setattr("uvicorn.Server.run", run)
    told: list[str] = []
    with open_store(tmp_path / "s.sqlite") as store:
        serve(store, port=0, ready=told.append)
    ((host, port),) = heard
    assert host == "127.0.0.1"
    assert told == [f"http://127.0.0.1:{port}/"]


def test_a_port_that_is_taken_is_named(tmp_path):
    with (
        open_store(tmp_path / "s.sqlite") as store,
        socket.create_server(("127.0.0.1", 0)) as taken,
    ):
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"127.0.0.1:{port} cannot be listened on"):
            serve(store, port=port)


def test_geojson_is_json_without_nan(client):
    for route in ("/api/cells", "/api/circles", "/api/stations"):
        json.loads(client.get(route).text, parse_constant=pytest.fail)


def test_many_threads_ask_the_index_of_boxes_at_once():
    low = np.random.default_rng(1).uniform(0, 100, (5000, 2))
    index = BoxIndex(np.hstack([low, low + 1]))
    wanted = index.intersection((10, 10, 30, 30))
    assert wanted == np.flatnonzero(((low <= 30) & (low + 1 >= 10)).all(axis=1)).tolist()
    with ThreadPoolExecutor(8) as pool:
        boxes = [(10, 10, 30, 30)] * 400
        assert all(one == wanted for one in pool.map(index.intersection, boxes))


def test_an_index_of_nothing_finds_nothing():
    assert BoxIndex(np.full((2, 4), np.nan)).intersection((0, 0, 1, 1)) == []
