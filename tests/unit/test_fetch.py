"""Fetching from the two services, played by a local server."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import geopandas as gpd
import osmium
import osmnx
import pytest
import shapely

from geogrid.errors import InputError, OfflineError, OutputError
from geogrid.io._overpass import read_answers
from geogrid.io.fetch import fetch_place
from geogrid.osm import read_osm

pytestmark = pytest.mark.network

LIMIT = shapely.box(24.940, 60.168, 24.944, 60.170)
STAMP = "2019-04-21T12:00:00Z"
PLACE = "Kluuvi, Helsinki"
REPLIES = {200: "OK", 400: "Bad Request", 429: "Too Many Requests", 504: "Gateway Timeout"}


def elements_of(path, key):
    """Return what Overpass answers about one key: objects in the limit and all their nodes."""
    nodes: dict[int, dict[str, Any]] = {}
    ways: list[dict[str, Any]] = []
    relations: list[dict[str, Any]] = []
    for item in osmium.FileProcessor(path):
        if isinstance(item, osmium.osm.Node):
            nodes[item.id] = node_element(item)
        elif isinstance(item, osmium.osm.Way) and key in item.tags:
            refs = [node.ref for node in item.nodes if node.ref in nodes]
            if any(shapely.contains_xy(LIMIT, nodes[n]["lon"], nodes[n]["lat"]) for n in refs):
                ways.append({"type": "way", "id": item.id, "nodes": refs, "tags": dict(item.tags)})
        elif isinstance(item, osmium.osm.Relation) and key in item.tags:
            relations.append(relation_element(item))
    used = sorted({node for way in ways for node in way["nodes"]})
    return [*(nodes[node] for node in used), *ways, *relations[:1]]


def node_element(node) -> dict[str, Any]:
    place = {"lon": node.location.lon, "lat": node.location.lat}
    return {"type": "node", "id": node.id, **place, "tags": dict(node.tags)}


def relation_element(relation) -> dict[str, Any]:
    kinds = {"n": "node", "w": "way", "r": "relation"}
    members = [
        {"type": kinds[one.type], "ref": one.ref, "role": one.role} for one in relation.members
    ]
    tags = dict(relation.tags)
    return {"type": "relation", "id": relation.id, "members": members, "tags": tags}


@pytest.fixture(scope="module")
def recorded(helsinki_osm, tmp_path_factory):
    """Write answers in the services' formats as small files."""
    folder = tmp_path_factory.mktemp("recorded")
    for key in ("highway", "building", "nothing"):
        answer = {
            "version": 0.6,
            "osm3s": {"timestamp_osm_base": STAMP},
            "elements": elements_of(helsinki_osm, key),
        }
        (folder / f"{key}.json").write_text(json.dumps(answer), encoding="utf-8")
    west, south, east, north = LIMIT.bounds
    place = {
        "osm_type": "relation",
        "osm_id": 184713,
        "importance": 0.5,
        "name": "Kluuvi",
        "display_name": f"{PLACE}, Suomi",
        "lat": "60.169",
        "lon": "24.942",
        "boundingbox": [str(south), str(north), str(west), str(east)],
        "geojson": shapely.geometry.mapping(LIMIT),
    }
    point = {**place, "geojson": {"type": "Point", "coordinates": [24.942, 60.169]}}
    for name, found in {"place": [place], "point": [point], "unknown": []}.items():
        (folder / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


class Services:
    """Plays both services; ``faults`` are (status, headers, body) to answer first."""

    def __init__(self, folder):
        self.folder = folder
        self.faults = []
        self.place = "place"
        self.asked = []
        self.agents = set()
        self.url = ""

    def answer(self, path, query):
        kind = urlparse(path).path.rsplit("/", 1)[-1]
        self.asked.append(kind)
        if kind == "interpreter" and self.faults:
            return self.faults.pop(0)
        if kind == "search":
            name = self.place
        else:
            name = next((key for key in ("highway", "building") if f"'{key}'" in query), "nothing")
        return 200, {}, (self.folder / f"{name}.json").read_bytes()


@pytest.fixture
def services(recorded, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    played = Services(recorded)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply("")

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            self.reply(parse_qs(self.rfile.read(length).decode())["data"][0])

        def reply(self, query):
            played.agents.add(self.headers["User-Agent"])
            status, headers, body = played.answer(self.path, query)
            self.send_response(status, REPLIES.get(status))
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        played.url = f"http://127.0.0.1:{server.server_port}"
        yield played
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Pauses that would have been made; osmnx's own second before a place is among them."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    return made


def fetch(services, out, **more):
    return fetch_place(
        PLACE, out, overpass_url=f"{services.url}/api", nominatim_url=services.url, **more
    )


def test_a_fetched_place_reads_like_any_extract(services, tmp_path, helsinki_osm):
    steps = []
    result = fetch(services, tmp_path / "new", progress=lambda *step: steps.append(step))
    assert result.osm == tmp_path / "new" / "extract.osm.pbf"
    assert result.limit == tmp_path / "new" / "limit.geojson"
    assert sorted(file.name for file in result.osm.parent.iterdir()) == [
        "extract.osm.pbf",
        "limit.geojson",
    ]
    limit: Any = gpd.read_file(result.limit)
    assert shapely.equals(limit.geometry.iloc[0], LIMIT)
    assert limit.loc[0, ["name", "osm_id"]].tolist() == ["Kluuvi", "r184713"]
    extract = read_osm(result.osm, limit=limit, margin_m=0)
    original = read_osm(helsinki_osm, limit=limit, margin_m=0)
    assert set(extract.streets["osm_id"]) <= set(original.streets["osm_id"])
    assert len(extract.streets) > 80
    assert len(extract.buildings) > 15
    assert extract.source.date == result.date == STAMP[:10]
    assert (result.place, result.relations) == (f"{PLACE}, Suomi", 2)
    assert [done for done, _, _ in steps] == list(range(7))
    assert {total for _, total, _ in steps} == {6}
    assert services.asked == ["search"] + ["interpreter"] * 4
    assert services.agents == {"geogrid (through OSMnx)"}


def test_objects_of_several_answers_are_written_once_and_sorted(services, tmp_path):
    result = fetch(services, tmp_path / "kluuvi.osm.pbf")
    items = [(item.type_str(), item.id, item.user) for item in osmium.FileProcessor(result.osm)]
    keys = [("nwr".index(kind), key) for kind, key, _ in items]
    assert keys == sorted(set(keys))
    assert {user for _, _, user in items} == {""}
    assert len(items) == result.nodes + result.ways + result.relations


def test_the_extract_claims_the_limit_and_its_margin(services, tmp_path):
    osm = fetch(services, tmp_path / "a.osm.pbf", margin_m=500).osm
    box = osmium.FileProcessor(osm).header.box()
    low, high = box.bottom_left, box.top_right
    outer = gpd.GeoSeries([shapely.box(low.lon, low.lat, high.lon, high.lat)], crs=4326)
    claimed = outer.to_crs(32635).total_bounds
    inner = gpd.GeoSeries([LIMIT], crs=4326).to_crs(32635).total_bounds
    assert inner[0] - claimed[0] == pytest.approx(500, abs=20)
    assert claimed[3] - inner[3] == pytest.approx(500, abs=20)


@pytest.mark.parametrize("status", [429, 500, 502, 504])
def test_a_busy_service_is_asked_again_with_growing_pauses(services, tmp_path, pauses, status):
    services.faults = [(status, {}, b"busy")] * 2
    said = []
    fetch(services, tmp_path, progress=lambda *step: said.append(step[2]))
    assert [pause for pause in pauses if pause > 1] == [2, 4]
    assert services.asked.count("interpreter") == 6
    assert any(f"it answered {status}" in text and "again in 4 s" in text for text in said)


def test_the_service_may_ask_for_a_longer_pause(services, tmp_path, pauses):
    services.faults = [(429, {"Retry-After": "17"}, b""), (429, {"Retry-After": "9999"}, b"")]
    fetch(services, tmp_path)
    assert [pause for pause in pauses if pause > 1] == [17, 60]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ((504, {}, b""), "it answered 504"),
        ((200, {}, b'{"elements": [{"type'), "its answer is not JSON"),
        ((200, {}, b"[1, 2]"), "its answer holds no map"),
        ((200, {}, b'{"elements": [], "remark": "runtime error"}'), "gave up"),
    ],
)
def test_a_service_that_never_answers_well_is_reported(services, tmp_path, fault, reason):
    services.faults = [fault] * 9
    with pytest.raises(OfflineError, match=reason) as caught:
        fetch(services, tmp_path, retries=2)
    assert "streets and railways" in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert "--osm" in str(caught.value)
    assert services.asked.count("interpreter") == 3
    assert list(tmp_path.iterdir()) == []


def test_broken_json_once_does_no_harm(services, tmp_path):
    services.faults = [(200, {}, b'{"elements": [{"type')]
    assert fetch(services, tmp_path).ways > 100


def test_a_refused_request_is_not_repeated(services, tmp_path, pauses):
    services.faults = [(400, {}, b"{}")]
    with pytest.raises(OfflineError, match=r"refused the request \(400\)"):
        fetch(services, tmp_path)
    assert [pause for pause in pauses if pause > 1] == []


def test_offline_says_what_from_where_and_what_next(tmp_path, pauses):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(OfflineError) as caught:
            fetch_place(PLACE, tmp_path, overpass_url=url, nominatim_url=url)
    assert str(caught.value) == (
        f"the limit of {PLACE} could not be fetched from 127.0.0.1 (no connection): "
        "check the network or try later, or use a local extract with --osm"
    )
    assert [pause for pause in pauses if pause > 1] == [2, 4, 8]
    assert list(tmp_path.iterdir()) == []


def test_folders_made_in_vain_are_removed_and_others_stay(services, tmp_path):
    services.place = "unknown"
    (tmp_path / "old").mkdir()
    for out in ("new", "old/new/deeper", "old"):
        with pytest.raises(InputError, match="knows no place called"):
            fetch(services, tmp_path / out)
    assert [file.name for file in tmp_path.rglob("*")] == ["old"]


@pytest.mark.parametrize(
    ("place", "reason"), [("unknown", "knows no place called"), ("point", "has no limit of")]
)
def test_a_place_without_a_limit_is_bad_input(services, tmp_path, place, reason):
    services.place = place
    with pytest.raises(InputError, match=reason):
        fetch(services, tmp_path)
    assert services.asked == ["search"]


def test_an_empty_map_is_bad_input(services, tmp_path):
    services.faults = [(200, {}, b'{"elements": []}')] * 4
    with pytest.raises(InputError, match="no street and no building"):
        fetch(services, tmp_path)


@pytest.mark.parametrize(
    "options", [{"place": "  "}, {"retries": -1}, {"margin_m": -1.0}, {"margin_m": float("nan")}]
)
def test_nonsense_is_refused_before_anybody_is_asked(tmp_path, options):
    with pytest.raises(InputError, match="fetching needs"):
        fetch_place(**{"place": PLACE, "out": tmp_path, **options})


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="choose another folder"):
        fetch_place(PLACE, tmp_path / "file" / "deeper")


@pytest.mark.parametrize("faults", [0, 9])
def test_settings_of_osmnx_and_name_look_ups_are_given_back(services, tmp_path, faults):
    def state():
        settings = {key: vars(osmnx.settings)[key] for key in dir(osmnx.settings) if key[0] != "_"}
        return settings, socket.getaddrinfo

    before = state()
    services.faults = [(504, {}, b"")] * faults
    if faults:
        with pytest.raises(OfflineError):
            fetch(services, tmp_path, retries=1)
    else:
        fetch(services, tmp_path)
    assert state() == before


def test_answers_of_other_services_are_passed_over(recorded):
    assert not read_answers([recorded / "place.json"]).nodes
