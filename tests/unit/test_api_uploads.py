"""Uploads: what can be used is kept as plain data, what cannot is refused and leaves nothing."""

from __future__ import annotations

import io
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing

import geopandas as gpd
import pytest
from api_service import service
from geopandas.testing import assert_geodataframe_equal
from map_plans import make_circles
from pandas.testing import assert_frame_equal
from shapely.geometry import box

from geogrid.api import uploads
from geogrid.io.plan_file import read_plan, read_plan_layers
from geogrid.io.tables import read_households
from geogrid.vocabulary import FileRole, JobKind

WEST, SOUTH = 113.1, 27.8
SECRET = "机密0001"  # noqa: S105 - what no answer may hold
PEOPLE = (
    "姓名,电话,经度,纬度,户数,户号\n张三,13800000001,113.1,27.8,1,h1\n"
    "李四,13800000002,113.11,27.81,2,h2\n王五,13800000003,,,1,h3\n"
)
STATIONS = "名称,经度,纬度\n东站,113.1,27.8\n西站,113.11,27.8\n"


@pytest.fixture
def made(plan_file, tmp_path):
    with service(plan_file, tmp_path) as one:
        one.project = one.store.projects()[0].id
        one.planner = one.program("planner", ("planner", ""))
        yield one


def send(made, role, content, name="x.csv", *, client=None, **query):
    body = content.encode() if isinstance(content, str) else content
    return (client or made.planner).post(
        f"/api/v1/projects/{made.project}/files",
        params={"role": role, "name": name, **query}, content=body,
    )  # fmt: skip


def uploaded(made):
    return made.store.files.find(project_id=made.project, plan_id="")


def laid(made, file_id, folder):
    path = folder / f"{file_id}.gpkg"
    path.write_bytes(made.store.files.content(file_id))
    return path


def limit_file():
    frame = gpd.GeoDataFrame(
        {"name": ["甲街道"]}, geometry=[box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01)], crs=4326
    )
    return frame.to_json().encode()


def test_households_are_kept_as_points_without_names_and_phones(made, tmp_path):
    answer = send(made, "households", PEOPLE, "户籍.csv")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["role"], told["role_zh"], told["name"]) == ("households", "住户", "户籍.csv")
    assert told["rows"] == 2
    assert any("1 of 3 rows" in note for note in told["notes"])
    assert told["owner_name"] == "planner"
    content = made.store.files.content(told["id"])
    for private in ("张三", "13800000001", "王五"):
        assert private.encode() not in content
    table = read_households(laid(made, told["id"], tmp_path)).frame
    assert table["households"].tolist() == [1, 2]
    assert table["household_id"].tolist() == ["h1", "h2"]
    assert told["size"] == len(content)


def test_stations_and_a_limit_are_taken_and_listed(made):
    ids = [
        send(made, "stations", STATIONS, "站点.csv").json()["id"],
        send(made, "limit", limit_file(), "边界.geojson").json()["id"],
    ]
    listed = made.planner.get(f"/api/v1/projects/{made.project}/files").json()
    assert [one["id"] for one in listed] == ids
    assert [one["rows"] for one in listed] == [2, 1]
    (told, _) = listed
    assert set(told) == {
        "id", "role", "role_zh", "name", "size", "rows", "notes", "created_at", "owner_name",
    }  # fmt: skip


def test_a_datum_moves_the_points_of_a_table(made, tmp_path):
    plain, moved = (
        read_households(laid(made, send(made, "households", PEOPLE, **more).json()["id"], tmp_path))
        for more in ({}, {"datum": "gcj02"})
    )
    apart = plain.frame.distance(moved.frame.to_crs(plain.frame.crs))
    assert apart.between(200, 900).all()


def test_a_plan_file_comes_back_to_the_bit(made, plan_file, tmp_path):
    answer = send(made, "plan", plan_file.read_bytes(), "方案.gpkg")
    assert answer.status_code == 201, answer.text
    kept = laid(made, answer.json()["id"], tmp_path)
    was, now = read_plan(plan_file), read_plan(kept)
    assert_geodataframe_equal(was.atoms.frame, now.atoms.frame)
    assert_frame_equal(was.labels, now.labels)
    assert_frame_equal(was.cell_table, now.cell_table)
    assert (was.scheme, was.certificate, was.district) == (
        now.scheme,
        now.certificate,
        now.district,
    )
    first, second = read_plan_layers(plan_file), read_plan_layers(kept)
    assert_geodataframe_equal(first.circles, second.circles)
    assert first.service.keys() == second.service.keys()
    assert answer.json()["rows"] == was.labels.iloc[:, -1].nunique()


BAD = {
    "no_places": ("households", "户号,户数\na,1\n", "经度"),
    "no_usable_row": ("stations", "名称,经度,纬度\na,,\n", "no row"),
    "areas_as_households": ("households", limit_file(), "areas and no point"),
    "table_as_limit": ("limit", STATIONS, ""),
    "map_as_plan": ("plan", limit_file(), "no plan file"),
    "empty": ("stations", b"", "is empty"),
    "picture": ("stations", b"\x89PNG\r\n\x1a\n" + bytes(100), "neither a map nor a table"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_file_that_is_not_what_it_was_sent_as_is_refused_with_its_reason(made, fault):
    role, content, said = BAD[fault]
    answer = send(made, role, content)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert "geogrid-" not in answer.json()["detail"]
    assert uploaded(made) == []


def test_a_geopackage_that_is_no_plan_is_refused(made, tmp_path):
    make_circles().to_file(tmp_path / "a.gpkg")
    answer = send(made, "plan", (tmp_path / "a.gpkg").read_bytes(), "a.gpkg")
    assert answer.status_code == 422
    assert "not a geogrid plan" in answer.json()["detail"]
    assert uploaded(made) == []


def vrt(source):
    return (
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>'
        f"{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    ).encode()


def zipped(members):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members.items():
            bundle.writestr(name, content)
    return sink.getvalue()


def kml(before):
    return (
        f'<?xml version="1.0"?>{before}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        "<Placemark><name>&x;</name><Point><coordinates>113.1,27.8</coordinates></Point>"
        "</Placemark></Document></kml>"
    ).encode()


def reaching(plan_file, folder, statement):
    """A GeoPackage whose schema holds a table or view that reaches outside."""
    copy = folder / "evil.gpkg"
    copy.write_bytes(plan_file.read_bytes())
    with closing(sqlite3.connect(copy)) as base:
        if "VIEW" in statement:
            base.execute(statement)
        else:
            base.execute("PRAGMA writable_schema = ON")
            words = statement.replace("'", "''")
            base.execute(f"INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, '{words}')")  # noqa: S608 - the attack
        base.commit()
    return copy.read_bytes()


def foreign_crs(plan_file, folder, crs):
    """A plan file whose meta data name another coordinate system."""
    copy = folder / "crs.gpkg"
    copy.write_bytes(plan_file.read_bytes())
    with closing(sqlite3.connect(copy)) as base:
        base.execute("UPDATE geogrid_meta SET value = ? WHERE key = 'crs'", (json.dumps(crs),))
        base.commit()
    return copy.read_bytes()


# Each returns a file; ``secret`` is a file of the server, ``plan`` a good plan, ``folder`` a place.
EXPLOITS = {
    "vrt_as_geojson": lambda secret, _plan, _folder: vrt(secret),
    "vrt_over_the_network": lambda *_: vrt("/vsicurl/http://127.0.0.1:9/x.csv"),
    "path_as_content": lambda secret, _plan, _folder: f"/vsicurl/file://{secret}".encode(),
    "linked_crs": lambda *_: json.dumps(
        json.loads(limit_file())
        | {"crs": {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs.wkt"}}}
    ).encode(),
    "kml_entity": lambda secret, _plan, _folder: kml(
        f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{secret}">]>'
    ),
    "kml_bomb": lambda *_: kml(
        '<!DOCTYPE kml [<!ENTITY a "aa"><!ENTITY b "&a;&a;"><!ENTITY x "&b;&b;">]>'
    ),
    "zip_bomb": lambda *_: zipped({"a.shp": bytes(200_000_000)}),
    "zip_climbs": lambda *_: zipped({"../../a.shp": b"x", "a.dbf": b"x"}),
    "zip_with_vrt": lambda secret, _plan, _folder: zipped({"a.vrt": vrt(secret)}),
    "virtual_table": lambda secret, plan, folder: reaching(
        plan, folder, f"CREATE VIRTUAL TABLE x USING VirtualOGR('{secret}')"
    ),
    "calling_view": lambda _secret, plan, folder: reaching(
        plan, folder, "CREATE VIEW x AS SELECT ogr_geocode('a')"
    ),
    "grid_of_a_crs": lambda secret, plan, folder: foreign_crs(
        plan, folder, f"+proj=tmerc +lon_0=114 +nadgrids={secret} +type=crs"
    ),
}


# As what each is sent, and what is said of it.
REFUSED = [
    ("vrt_as_geojson", "limit", "neither a map nor a table"),
    ("vrt_as_geojson", "plan", "neither a map nor a table"),
    ("vrt_over_the_network", "households", "neither a map nor a table"),
    ("path_as_content", "stations", "neither a map nor a table"),
    ("linked_crs", "limit", "fetch its coordinate system"),
    ("kml_entity", "stations", "neither a map nor a table"),
    ("kml_bomb", "limit", "neither a map nor a table"),
    ("zip_bomb", "households", "far more than it seems"),
    ("zip_climbs", "limit", "outside its folder"),
    ("zip_with_vrt", "limit", "neither a Shapefile"),
    ("virtual_table", "limit", "reach outside the file"),
    ("virtual_table", "plan", "reach outside the file"),
    ("calling_view", "plan", "reach outside the file"),
    ("grid_of_a_crs", "plan", "names other files"),
]


@pytest.mark.parametrize(("exploit", "role", "said"), REFUSED)
def test_no_file_reads_the_server_or_its_network_and_nothing_of_it_is_kept(
    made, plan_file, tmp_path, monkeypatch, exploit, role, said
):
    secret = tmp_path / "secret.csv"
    secret.write_text(f"经度,纬度,户数\n113.1,27.8,1\n{SECRET},,\n", encoding="utf-8")
    body = EXPLOITS[exploit](secret, plan_file, tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    answer = send(made, role, body, "/vsicurl/http://127.0.0.1:9/evil.geojson")
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert SECRET not in answer.text
    assert str(tmp_path) not in answer.text
    assert uploaded(made) == []
    assert list(scratch.iterdir()) == []


def test_a_name_is_shown_and_used_for_nothing_else(made):
    told = send(made, "limit", limit_file(), "..\\..\\我的\x00边界\u202e.csv").json()
    assert told["name"] == "我的边界.csv"


def test_more_than_a_form_may_come_here_alone_and_no_more_than_is_allowed(plan_file, tmp_path):
    rows = "".join(f"站{number},113.1,27.8\n" for number in range(80_000))
    large = f"名称,经度,纬度\n{rows}".encode()
    assert len(large) > 1 << 20
    with service(plan_file, tmp_path, most_upload_bytes=3 << 20) as made:
        made.project = made.store.projects()[0].id
        made.planner = made.program("planner", ("planner", ""))
        assert send(made, "stations", large).status_code == 201
        too_large = bytes(4 << 20)
        for body in (too_large, iter([too_large[: 2 << 20]] * 2)):
            answer = send(made, "stations", body)
            assert answer.status_code == 413, answer.text
            assert "larger than 3 MB" in answer.json()["detail"]
        other = made.planner.post("/api/v1/login", content=large)
        assert other.status_code == 413
        assert len(uploaded(made)) == 1


def test_two_read_at_a_time_and_a_third_is_told_to_wait(made):
    with uploads.SLOTS, uploads.SLOTS:
        answer = send(made, "stations", STATIONS)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert send(made, "stations", STATIONS).status_code == 201
    # A refused file lets go of its place as well.
    for _ in range(3):
        assert send(made, "stations", b"").status_code == 422


def test_whoever_has_one_street_alone_neither_adds_nor_sees_files_of_all(made):
    street = made.program("street", ("planner", "43020101"))
    kept = send(made, "stations", STATIONS).json()["id"]
    assert send(made, "stations", STATIONS, client=street).status_code == 403
    assert street.get(f"/api/v1/projects/{made.project}/files").status_code == 403
    assert street.delete(f"/api/v1/files/{kept}").status_code == 403
    assert len(uploaded(made)) == 1


def test_a_file_is_forgotten_unless_a_job_or_a_plan_needs_it(made):
    kept = send(made, "stations", STATIONS).json()["id"]
    given = {"project": made.project, "stations": kept}
    job = made.store.jobs.add(JobKind.CIRCLES, given, owner="x")
    answer = made.planner.delete(f"/api/v1/files/{kept}")
    assert answer.status_code == 409
    assert job.id in answer.json()["detail"]
    made.store.jobs.cancel(job.id)
    assert made.planner.delete(f"/api/v1/files/{kept}").status_code == 204
    assert made.planner.delete(f"/api/v1/files/{kept}").status_code == 404
    (service_file,) = made.store.files.find(plan_id=made.plan, role=FileRole.SERVICE)
    assert made.planner.delete(f"/api/v1/files/{service_file.id}").status_code == 409


def test_there_is_no_such_project_and_no_such_role(made):
    assert send(made, "map", b"x").status_code == 422
    assert made.planner.get("/api/v1/projects/none/files").status_code == 404
    made.project = "none"
    assert send(made, "stations", STATIONS).status_code == 404


def test_who_looks_at_maps_alone_sees_no_file(made):
    send(made, "households", PEOPLE)
    path = f"/api/v1/projects/{made.project}/files"
    assert made.nobody.get(path).status_code == 401
    assert made.program("viewer", ("viewer", "")).get(path).status_code == 403
