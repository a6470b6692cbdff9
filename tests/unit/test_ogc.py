"""The standard interface: coordinate systems, boxes, pages, parameters and tiles."""

from __future__ import annotations

import gzip
import math
import threading
from http import HTTPStatus

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from api_service import service
from hypothesis import given
from hypothesis import strategies as st
from map_plans import X0, Y0, make_plan, make_reach, make_stations
from pyproj import Transformer
from shapely.geometry import Point, shape

from geogrid.api.features import BoxIndex
from geogrid.api.ogc_crs import CRS84, bounds_of, served_systems
from geogrid.api.ogc_shown import packed
from geogrid.api.ogc_tiles import layer_of
from geogrid.io.plan_file import write_plan
from geogrid.tiles import TileCache

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# Whether the first number of a place runs to the north.
NORTH_FIRST = {
    CRS84: False, EPSG + "4326": True, EPSG + "3857": False, EPSG + "4490": True,
    EPSG + "4547": True,
}  # fmt: skip
CODES = {CRS84: 4326} | {uri: int(uri.rsplit("/", 1)[1]) for uri in NORTH_FIRST if uri != CRS84}
FIRST = "43020101"


@pytest.fixture(scope="module")
def plan():
    return make_plan(slant=1)


@pytest.fixture(scope="module")
def one(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    path = write_plan(
        plan, folder / "plan.gpkg", reach=make_reach(plan, unserved={}, near={"a00": 40}),
        stations=make_stations(),
    )  # fmt: skip
    with service(path, folder) as made:
        yield made


def get(one, path, **params):
    named = {key.replace("_", "-"): value for key, value in params.items()}
    return one.nobody.get(f"/ogc/{one.plan}{path}", params=named)


def items(one, **params):
    answer = get(one, "/collections/wei/items", **params)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer


def place(plan, uri, x=X0 + 50, y=Y0 + 20):
    """Return a place of the plan as the registry writes it in a system."""
    east, north = Transformer.from_crs(plan.district.crs, CODES[uri], always_xy=True).transform(
        x, y
    )  # fmt: skip
    return (north, east) if NORTH_FIRST[uri] else (east, north)


@pytest.mark.parametrize("uri", NORTH_FIRST)
def test_places_come_with_the_axes_of_their_system(one, plan, uri):
    answer = items(one, crs=uri, limit=20)
    assert answer.headers["content-crs"] == f"<{uri}>"
    assert answer.headers["content-type"] == "application/geo+json"
    cell = next(row for row in answer.json()["features"] if row["id"] == FIRST)
    assert shape(cell["geometry"]).contains(Point(place(plan, uri)))
    alone = get(one, f"/collections/wei/items/{FIRST}", crs=uri)
    assert alone.headers["content-crs"] == f"<{uri}>"
    assert alone.json()["geometry"] == cell["geometry"]


def test_the_first_numbers_are_those_that_the_registry_puts_first(one):
    firsts = {
        uri: items(one, crs=uri).json()["features"][0]["geometry"]["coordinates"][0][0]
        for uri in NORTH_FIRST
    }
    assert firsts[CRS84] == pytest.approx((113.1, 27.8), abs=0.1)
    assert firsts[EPSG + "4326"] == pytest.approx((27.8, 113.1), abs=0.1)
    assert firsts[EPSG + "4490"] == firsts[EPSG + "4326"]
    # Gauss-Krueger: x is 3,080 km north of the equator, y 415 km by the meridian's 500.
    assert firsts[EPSG + "4547"] == pytest.approx((Y0, X0), abs=2000)
    assert firsts[EPSG + "3857"] == pytest.approx((12.59e6, 3.22e6), abs=0.05e6)


@pytest.mark.parametrize("crs", NORTH_FIRST)
@pytest.mark.parametrize("box_crs", NORTH_FIRST)
def test_a_box_is_read_with_the_axes_of_its_own_system(one, plan, box_crs, crs):
    at = place(plan, box_crs)
    found = items(one, crs=crs, bbox=",".join(map(str, (*at, *at))), bbox_crs=box_crs)
    assert [row["id"] for row in found.json()["features"]] == [FIRST]


def test_a_box_meets_shapes_and_not_their_boxes(one, plan):
    at = place(plan, CRS84, X0 + 20, Y0 + 190)
    box = ",".join(map(str, (*at, *at)))
    assert items(one, bbox=box).json()["features"] == []


def test_a_box_may_have_heights_and_may_run_over_the_far_meridian(one, plan):
    west, south = place(plan, CRS84)
    tall = f"{west},{south},0,{west},{south},90"
    assert [row["id"] for row in items(one, bbox=tall).json()["features"]] == [FIRST]
    assert items(one, bbox="113,27,112,28").json()["numberMatched"] == 16
    assert items(one, bbox="170,27,-170,28").json()["numberMatched"] == 0


def test_the_collections_name_their_systems_and_the_one_they_are_kept_in(one):
    for row in get(one, "/collections").json()["collections"]:
        assert row["crs"] == list(NORTH_FIRST)
        assert row["storageCrs"] == EPSG + "4547"
    conforms = get(one, "/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in conforms


def test_a_system_without_a_number_is_not_offered():
    local = make_plan().district.crs.to_wkt().replace("4547", "999999")
    systems, storage = served_systems(type(make_plan().district.crs).from_wkt(local))
    assert storage in systems


@pytest.mark.parametrize(
    "wrong",
    [
        {"bbox": "1,2,3"}, {"bbox": "a,b,c,d"}, {"bbox": "nan,0,1,1"}, {"bbox": "0,2,1,1"},
        {"bbox": "9,1,2,2", "bbox_crs": EPSG + "3857"}, {"bbox": ""}, {"limit": "0"},
        {"limit": "x"}, {"limit": "-5"}, {"limit": "１"}, {"offset": "-1"}, {"crs": "EPSG:4326"},
        {"crs": EPSG + "32650"}, {"bbox_crs": "x"}, {"datetime": "yesterday"}, {"f": "html"},
        {"colour": "red"},
    ],
    ids=str,
)  # fmt: skip
def test_a_parameter_that_is_none_is_refused_with_its_name(one, wrong):
    answer = get(one, "/collections/wei/items", **wrong)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.headers["content-type"] == "application/problem+json"
    name = next(iter(wrong)).replace("_", "-")
    assert name.partition("-")[0] in answer.json()["detail"]


def test_a_parameter_said_twice_is_refused(one):
    answer = one.nobody.get(f"/ogc/{one.plan}/collections/wei/items?limit=1&limit=2")
    assert answer.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "when", ["2024-05-01T00:00:00Z", "2024-05-01", "../2024-05-01T10:00:00+08:00",
             "2024-01-01T00:00:00Z/..", "2024-01-01/2024-02-01"],
)  # fmt: skip
def test_what_has_no_time_fits_any_time(one, when):
    assert items(one, datetime=when).json()["numberMatched"] == 16


def test_a_limit_beyond_the_largest_is_no_fault(one):
    assert items(one, limit=10**9).json()["numberReturned"] == 16


def test_pages_lead_forth_and_back_and_name_their_kind(one):
    page = items(one, limit=5, offset=5, crs=EPSG + "4326").json()
    links = {link["rel"]: link for link in page["links"]}
    assert set(links) == {"self", "collection", "next", "prev"}
    assert all(link["type"] for link in links.values())
    back = one.nobody.get(links["prev"]["href"])
    assert back.headers["content-crs"] == f"<{EPSG}4326>"
    forth = one.nobody.get(links["next"]["href"]).json()
    ids = [row["id"] for body in (back.json(), page, forth) for row in body["features"]]
    assert ids == [row["id"] for row in items(one).json()["features"]][:15]


def test_numbers_and_words_can_be_asked_for(one):
    assert items(one, households="40").json()["features"][0]["id"] == FIRST
    assert items(one, households="null").json()["numberMatched"] > 1
    assert items(one, name="x").json()["numberMatched"] == 0


def test_circles_have_names_that_stay(one):
    rows = get(one, "/collections/circles/items").json()["features"]
    assert [row["id"] for row in rows] == ["s1-5", "s2-5", "s1-15", "s2-15"]
    assert get(one, "/collections/circles/items/s2-15").json()["properties"]["minutes"] == 15


@pytest.mark.parametrize("uri", [CRS84, EPSG + "4547"])
def test_packed_and_plain_answers_say_the_same(one, uri):
    path = f"/ogc/{one.plan}/collections/wei/items"
    asks = {"crs": uri, "limit": "11"}
    packed_one = one.nobody.get(path, params=asks)
    plain = one.nobody.get(path, params=asks, headers={"Accept-Encoding": "identity"})
    assert packed_one.headers["content-encoding"] == "gzip"
    assert packed_one.content == plain.content


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=2000), max_size=6))
def test_pieces_make_one_gzip_stream(head, pieces):
    from geogrid.api.ogc_shown import _deflated  # noqa: PLC0415 - how a piece is made

    texts = [piece.encode() for piece in pieces]
    whole = head.encode() + b",".join(texts) + b"]}"
    made = packed(head.encode(), [_deflated(text, 6) for text in texts], b"]}", whole)
    assert gzip.decompress(made) == whole


@given(
    st.sampled_from(sorted(NORTH_FIRST)),
    st.tuples(*[st.floats(-80, 80).map(lambda number: round(number, 6))] * 4),
)
def test_a_box_reads_the_same_whichever_axis_comes_first(uri, numbers):
    low_x, high_x = sorted(numbers[:2])
    low_y, high_y = sorted(numbers[2:])
    system = served_systems(make_crs())[0][uri]
    said = (low_y, low_x, high_y, high_x) if NORTH_FIRST[uri] else (low_x, low_y, high_x, high_y)
    (read,) = bounds_of(",".join(map(str, said)), system)
    assert read == (low_x, low_y, high_x, high_y)


def make_crs():
    from pyproj import CRS  # noqa: PLC0415

    return CRS.from_epsg(4547)


def test_many_threads_find_boxes_at_the_same_time():
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 100, (5000, 2))
    index = BoxIndex(np.hstack([low, low + 1]))
    boxes = [(x, x, x + 5, x + 5) for x in rng.uniform(0, 95, 50)]
    known = [index.intersection(box) for box in boxes]
    wrong = []

    def ask():
        wrong.extend(box for box, rows in zip(boxes * 20, known * 20, strict=True)
                     if index.intersection(box) != rows)  # fmt: skip

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_empty_shape_is_in_no_box():
    index = BoxIndex(np.array([[np.nan] * 4, [0, 0, 1, 1]]))
    assert index.intersection((0, 0, 2, 2)) == [1]
    assert BoxIndex(np.zeros((0, 4))).intersection((0, 0, 2, 2)) == []


def test_the_description_is_what_qgis_reads(one):
    links = {link["rel"]: link for link in get(one, "").json()["links"]}
    answer = one.nobody.get(links["service-desc"]["href"])
    assert answer.headers["content-type"] == links["service-desc"]["type"]
    body = answer.json()
    assert body["openapi"] == "3.0.3"
    assert body["components"]["parameters"]["limit"]["schema"]["maximum"] == 10_000
    named = {row["name"] for row in body["paths"]["/collections/{name}/items"]["get"]["parameters"]}
    assert {"limit", "bbox", "bbox-crs", "crs", "datetime", "name"} <= named
    assert "plan" not in named


def spot(zoom, plan):
    """Return row and column of a tile on a cell."""
    lon, lat = place(plan, CRS84)
    side = 2**zoom
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int(down * side), int((lon + 180) / 360 * side)


def test_tiles_are_made_where_all_of_them_share_one_lock(one, monkeypatch):
    tiles = one.app.state.tiles
    monkeypatch.setattr(tiles, "cache", TileCache())
    monkeypatch.setattr(tiles.cache, "_lanes", [threading.Lock()] * 64)
    found = []
    path = f"/ogc/{one.plan}/tiles/WebMercatorQuad/0/0/0"
    asking = threading.Thread(target=lambda: found.append(one.nobody.get(path)), daemon=True)
    asking.start()
    asking.join(20)
    assert [answer.status_code for answer in found] in ([200], [204])


def test_a_tile_is_named_by_row_before_column(one, plan):
    row, column = spot(15, plan)
    answer = get(one, f"/tiles/WebMercatorQuad/15/{row}/{column}")
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    found = mapbox_vector_tile.decode(answer.content)
    assert set(found) == {"zong", "wei", "stations", "circles"}
    ours = one.nobody.get(f"{one.at_head}/tiles/cells/15/{column}/{row}.mvt")
    assert mapbox_vector_tile.decode(ours.content)["wei"] == found["wei"]
    assert get(one, f"/tiles/WebMercatorQuad/15/{column}/{row}").status_code == 204


@pytest.mark.parametrize("name", ["zong", "wei", "stations", "circles"])
def test_a_tile_of_a_collection_holds_that_alone(one, plan, name):
    row, column = spot(15, plan)
    whole = get(one, f"/tiles/WebMercatorQuad/15/{row}/{column}").content
    alone = get(one, f"/collections/{name}/tiles/WebMercatorQuad/15/{row}/{column}")
    decoded = mapbox_vector_tile.decode(alone.content)
    assert decoded == {name: mapbox_vector_tile.decode(whole)[name]}
    assert layer_of(whole, name) == alone.content
    assert layer_of(whole, "none") == b""


def test_a_tile_set_leads_to_its_tiles(one, plan):
    links = {link["rel"]: link["href"] for link in get(one, "").json()["links"]}
    (entry,) = one.nobody.get(
        next(href for rel, href in links.items() if rel.endswith("/tilesets-vector"))
    ).json()["tilesets"]
    body = one.nobody.get(next(x["href"] for x in entry["links"] if x["rel"] == "self")).json()
    assert body["dataType"] == "vector"
    limits = {row["tileMatrix"]: row for row in body["tileMatrixSetLimits"]}
    row, column = spot(15, plan)
    assert limits["15"]["minTileRow"] <= row <= limits["15"]["maxTileRow"]
    assert limits["15"]["minTileCol"] <= column <= limits["15"]["maxTileCol"]
    address = next(link["href"] for link in body["links"] if link["rel"] == "item")
    address = address.replace("{tileMatrix}", "15").replace("{tileRow}", str(row))
    assert one.nobody.get(address.replace("{tileCol}", str(column))).status_code == 200
    told = get(one, "/tiles/WebMercatorQuad/tilejson.json").json()
    address = told["tiles"][0].replace("{z}", "15").replace("{y}", str(row))
    assert one.nobody.get(address.replace("{x}", str(column))).status_code == 200


def test_the_matrices_halve_from_the_whole_world_down(one):
    body = get(one, "/tileMatrixSets/WebMercatorQuad").json()
    first, second = body["tileMatrices"][:2]
    assert first["scaleDenominator"] == pytest.approx(559082264.0287178)
    assert first["cellSize"] == pytest.approx(156543.03392804097)
    assert first["pointOfOrigin"] == pytest.approx([-20037508.342789244, 20037508.342789244])
    assert second["cellSize"] * 2 == first["cellSize"]
    assert (first["id"], second["matrixWidth"]) == ("0", 2)


@pytest.mark.parametrize(
    "path",
    ["tiles/Other", "tiles/WebMercatorQuad/1/0/5", "tiles/WebMercatorQuad/1/5/0",
     "tiles/WebMercatorQuad/17/0/0", "tiles/WebMercatorQuad/x/0/0",
     "tiles/WebMercatorQuad/1/-1/0", "tileMatrixSets/Other", "collections/no/tiles",
     "collections/no/items"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(one, path):
    answer = get(one, f"/{path}")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_edit_changes_the_tile(plan, tmp_path):
    path = write_plan(plan, tmp_path / "plan.gpkg")
    with service(path, tmp_path) as made:
        row, column = spot(15, plan)
        address = f"/collections/wei/tiles/WebMercatorQuad/15/{row}/{column}"
        before = get(made, address)
        planner = made.program("p", ("planner", ""))
        said = made.edit(planner, command="rename", level="wei", cell=FIRST, name="改名后")
        assert said.status_code == HTTPStatus.OK, said.text
        after = get(made, address)
        assert before.headers["etag"] != after.headers["etag"]
        rows = mapbox_vector_tile.decode(after.content)["wei"]["features"]
        assert "改名后" in {one["properties"]["name"] for one in rows}


def test_shapes_keep_to_the_right_hand_rule(one):
    for row in items(one).json()["features"]:
        assert shapely.is_ccw(shapely.get_exterior_ring(shape(row["geometry"])))
