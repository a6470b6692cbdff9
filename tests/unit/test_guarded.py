"""Uploads: what strangers send is read in a locked process, or refused in one plain sentence."""

from __future__ import annotations

import http.server
import io
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from household_files import HEADERS, roster_of, small_town, write_csv, write_xlsx
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pyproj import CRS
from shapely.geometry import box

from geogrid.errors import CrsError, InputError
from geogrid.io import _guard_jail, guarded
from geogrid.io._guard_process import guarded_environment
from geogrid.io._guard_wire import load_json, pack_layer, unpack_layer
from geogrid.io.guarded import UploadLimits, read_upload
from geogrid.io.layer import read_layer
from geogrid.io.tables import read_households

if TYPE_CHECKING:
    from collections.abc import Iterator

WEST, SOUTH = 113.1, 27.8
MARK = "机密0001"
DRIVERS = {"a.gpkg": "GPKG", "a.geojson": "GeoJSON", "a.fgb": "FlatGeobuf", "a.kml": "KML"}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="walls of the Linux kernel")


def _frame(crs=4326) -> gpd.GeoDataFrame:
    squares = [box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01), box(WEST + 0.01, SOUTH, 113.12, 27.81)]
    facts = {"网格": ["红旗社区", "白果社区"], "code": ["0430203001", "0430203002"], "n": [3, 4]}
    return gpd.GeoDataFrame(facts, geometry=squares, crs=4326).to_crs(crs)


def _map(folder: Path, name: str) -> Path:
    pyogrio.write_dataframe(_frame(), folder / name, driver=DRIVERS[name])
    return folder / name


def _zip(members: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members.items():
            bundle.writestr(name, content)
    return sink.getvalue()


def _shapefile(folder: Path) -> dict[str, bytes]:
    """Return the parts of a Shapefile in GB18030 that does not say so."""
    pyogrio.write_dataframe(_frame(4547), folder / "层.shp", encoding="GB18030")
    parts = (".shp", ".shx", ".dbf", ".prj")
    return {f"层{suffix}": (folder / f"层{suffix}").read_bytes() for suffix in parts}


def _geojson(**more: object) -> bytes:
    return json.dumps({**json.loads(_frame().to_json()), **more}).encode()


def _refused(source: Any, name: str = "evil.geojson", **limits: int) -> str:
    with pytest.raises(InputError) as caught:
        read_upload(source, name=name, limits=UploadLimits(**limits))
    message = str(caught.value)
    assert "\n" not in message
    assert "geogrid-upload" not in message
    assert MARK not in message
    return message


@pytest.fixture
def hits() -> Iterator[tuple[str, list[str]]]:
    """An address on this computer that nobody may ask, and the paths that were asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(_geojson())

        def do_HEAD(self) -> None:
            # The library asks so before it fetches.
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def _vrt(source: str) -> bytes:
    return (
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>'
        f"{source}</SrcDataSource><GeometryType>wkbNone</GeometryType></OGRVRTLayer>"
        "</OGRVRTDataSource>"
    ).encode()


def _kml(inside: str, before: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{inside}<Placemark><name>甲</name>'
        f"<Point><coordinates>{WEST},{SOUTH}</coordinates></Point></Placemark></Document></kml>"
    ).encode()


@pytest.mark.parametrize("name", DRIVERS)
def test_good_maps_come_as_read_layer_returns_them(tmp_path, name):
    path = _map(tmp_path, name)
    upload = read_upload(path, name=name)
    expected = read_layer(path)
    assert_geodataframe_equal(upload.layer, expected)
    assert upload.layer.attrs == expected.attrs
    assert upload.table is None
    if sys.platform == "linux":
        assert upload.unguarded == ()


def test_a_chinese_shapefile_in_a_zip_comes_as_read_layer_returns_it(tmp_path):
    path = tmp_path / "层.zip"
    path.write_bytes(_zip(_shapefile(tmp_path)))
    upload = read_upload(path, name="层.zip")
    expected = read_layer(path)
    assert_geodataframe_equal(upload.layer, expected)
    assert upload.layer["网格"].tolist() == ["红旗社区", "白果社区"]
    assert upload.layer.attrs == expected.attrs
    assert upload.format == "ESRI Shapefile"


class _WindowsName(zipfile.ZipInfo):
    """A member whose name is written as Windows does in China."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.filename.encode("gb18030"), 0


def test_names_of_members_in_gbk_are_read(tmp_path):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as bundle:
        for name, content in _shapefile(tmp_path).items():
            bundle.writestr(_WindowsName(f"数据/{name}"), content)
    assert "层".encode("gbk") in sink.getvalue()
    upload = read_upload(sink.getvalue(), name="a.zip", layer="层")
    assert upload.layer["n"].tolist() == [3, 4]


def test_bytes_count_and_the_name_does_not(tmp_path):
    upload = read_upload(
        _map(tmp_path, "a.gpkg").read_bytes(), name="..\\..\\我的\x00照片\u202e.jpg"
    )
    assert upload.format == "GPKG"
    assert upload.name == "我的照片.jpg"
    assert upload.layer.attrs["source"]["name"] == "我的照片.jpg"


def test_a_layer_a_datum_and_an_encoding_can_be_named(tmp_path):
    path = _map(tmp_path, "a.gpkg")
    pyogrio.write_dataframe(_frame().iloc[:1], path, layer="second")
    assert len(read_upload(path, name="a.gpkg", layer="second").layer) == 1
    assert "choose one with --limit-layer" in _refused(path, "a.gpkg")
    upload = read_upload(_geojson(), name="a.geojson", datum="gcj02")
    (tmp_path / "b.geojson").write_bytes(_geojson())
    expected = read_layer(tmp_path / "b.geojson", datum="gcj02")
    assert (upload.layer.geometry.to_wkb() == expected.geometry.to_wkb()).all()


def test_an_unknown_coordinate_system_is_told_as_by_read_layer(tmp_path):
    parts = _shapefile(tmp_path)
    del parts["层.prj"]
    with pytest.raises(CrsError, match=r"^层\.zip does not say its coordinate system"):
        read_upload(_zip(parts), name="层.zip")


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_roster_is_read_from_the_safe_copy_as_from_itself(tmp_path, write):
    rows = roster_of(small_town(200))
    path = tmp_path / ("a.csv" if write is write_csv else "a.xlsx")
    write(rows, path)
    upload = read_upload(path, name="花名册")
    assert upload.layer is None
    headers = [HEADERS[key] for key in rows[0]]
    assert headers in upload.table.to_numpy().tolist()
    (tmp_path / "safe").mkdir()
    again = read_households(upload.save(tmp_path / "safe"))
    expected = read_households(path)
    assert_geodataframe_equal(again.frame, expected.frame)
    assert_frame_equal(again.rejected, expected.rejected)


def test_the_safe_copy_of_a_table_keeps_its_rows_and_columns_whatever_the_text(tmp_path):
    body = '"户籍;登记;表;甲";合成\n\n经度;纬度;备注\n113.1;27.8;"两行\n的，备注, 有"\n'.encode()
    upload = read_upload(body, name="a.csv")
    copy = upload.save(tmp_path)
    again = read_upload(copy, name="a.csv")
    width = upload.table.shape[1]
    assert_frame_equal(again.table.iloc[:, :width], upload.table)
    assert (again.table.iloc[:, width:] == "").all(axis=None)


def test_the_safe_copy_of_a_map_reads_as_the_map_did(tmp_path):
    upload = read_upload(_geojson(), name="a.geojson", datum="gcj02")
    again = read_layer(upload.save(tmp_path))
    assert (again.geometry.to_wkb() == upload.layer.geometry.to_wkb()).all()
    assert again["网格"].tolist() == upload.layer["网格"].tolist()


@pytest.mark.network
def test_a_virtual_format_that_calls_itself_geojson_reads_neither_disk_nor_network(tmp_path, hits):
    address, asked = hits
    secret = tmp_path / "secret.csv"
    secret.write_text(f"a\n{MARK}\n", encoding="utf-8")
    sources = [str(secret), f"/vsicurl/{address}/internal.csv", f"{address}/a.geojson"]
    for source in sources:
        assert "neither a map nor a table" in _refused(_vrt(source))
    assert asked == []


@pytest.mark.network
def test_a_text_is_never_taken_for_a_path(tmp_path, hits):
    address, asked = hits
    for text in (f"/vsicurl/{address}/x", str(_map(tmp_path, "a.gpkg"))):
        assert "handed over as text" in _refused(text)
    assert "not a file that was uploaded" in _refused(Path(f"/vsicurl/{address}/x"))
    assert asked == []


@pytest.mark.network
@pytest.mark.parametrize("driver", ["GPKG", "GeoJSON", "FlatGeobuf", "LIBKML", "ESRI Shapefile"])
def test_the_reading_process_has_one_driver_and_no_network(tmp_path, hits, driver):
    address, asked = hits
    code = (
        "import pyogrio\nprint(list(pyogrio.list_drivers()))\n"
        f"for source in ('/vsicurl/{address}/x', '{address}/x', {str(tmp_path / 'a.vrt')!r}):\n"
        "    try:\n        pyogrio.read_dataframe(source)\n        print('read')\n"
        "    except Exception as error:\n        print('refused')\n"
    )
    (tmp_path / "a.vrt").write_bytes(_vrt(f"/vsicurl/{address}/internal.csv"))
    # Without the guard the same attempts do reach the server: the attack is real.
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert "/internal.csv" in asked
    asked.clear()
    done = subprocess.run(
        [sys.executable, "-c", code], env=guarded_environment(tmp_path, driver), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [str([driver]), "refused", "refused", "refused"]
    assert asked == []


@pytest.mark.network
def test_kml_that_defines_entities_is_refused_and_links_are_not_followed(tmp_path, hits):
    address, asked = hits
    secret = tmp_path / "secret.txt"
    secret.write_text(MARK, encoding="utf-8")
    xxe = f'<!DOCTYPE kml [<!ENTITY x SYSTEM "file://{secret}">]>'
    bomb = '<!DOCTYPE kml [<!ENTITY a "aa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>'
    remote = f'<!DOCTYPE kml SYSTEM "{address}/x.dtd">'
    for before in (xxe, bomb, remote, f"<!-- {'x' * 70_000} -->{xxe}"):
        assert "neither a map nor a table" in _refused(_kml("", before), "a.kml")
    links = (
        f"<NetworkLink><Link><href>{address}/a.kml</href></Link></NetworkLink>"
        f'<Style id="s"><IconStyle><Icon><href>{address}/i.png</href></Icon></IconStyle></Style>'
    )
    assert len(read_upload(_kml(links), name="a.kml").layer) == 1
    assert asked == []


@pytest.mark.network
def test_a_coordinate_system_behind_an_address_is_not_fetched(hits):
    address, asked = hits
    properties = {"href": f"{address}/crs.wkt", "url": address}
    # The library asks the address of a link on its own, with the one right driver too.
    linked = _geojson(crs={"type": "link", "properties": properties})
    assert "fetch its coordinate system" in _refused(linked, "a.geojson")
    read_upload(_geojson(crs={"type": "url", "properties": properties}), name="a.geojson")
    assert asked == []


def _add_to_schema(path: Path, *statements: str) -> bytes:
    with closing(sqlite3.connect(path)) as base:
        for statement in statements:
            base.execute(statement)
        base.commit()
    return path.read_bytes()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIRTUAL TABLE x USING VirtualOGR('/etc/passwd')",
        'CREATE VIRTUAL\nTABLE "x" USING "VirtualOGR"(\'/etc/passwd\')',
        "CREATE VIEW x AS SELECT ogr_geocode('a')",
        "CREATE VIEW x AS SELECT gdal_get_pixel_value('/etc/passwd', 1, 'a', 1, 1)",
    ],
)
def test_a_geopackage_that_reaches_outside_itself_is_refused(tmp_path, statement):
    path = _map(tmp_path, "a.gpkg")
    row = "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, '{}')"
    forced = ("PRAGMA writable_schema = ON", row.format(statement.replace("'", "''")))
    body = _add_to_schema(path, *((statement,) if "VIEW" in statement else forced))
    assert "reach outside the file" in _refused(body, "a.gpkg")


def test_an_endless_geopackage_is_ended_by_either_of_its_times(tmp_path, caplog):
    path = _map(tmp_path, "a.gpkg")
    body = _add_to_schema(
        path,
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS fid, (SELECT geom FROM a LIMIT 1) AS geom FROM n",
        "UPDATE gpkg_contents SET table_name = 'endless', identifier = 'endless'",
        "UPDATE gpkg_geometry_columns SET table_name = 'endless'",
    )
    said = "takes longer to read than is allowed"
    assert said in _refused(body, "a.gpkg", seconds=2)
    assert caplog.messages == ["a guarded reading process ended with None"]
    if sys.platform == "linux":
        assert said in _refused(body, "a.gpkg", cpu_seconds=1)
        assert caplog.messages[1:] == [f"a guarded reading process ended with {-signal.SIGXCPU}"]


def test_no_folder_and_no_process_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read_upload(_geojson(), name="a.geojson")
    _refused(b"nothing, known\n\x01", "a.csv")
    assert list(tmp_path.iterdir()) == []


def _with_attributes(members: dict[str, bytes], mode: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as bundle:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            bundle.writestr(info, content)
    return sink.getvalue()


BAD_ZIPS = {
    "climbs": (lambda good: _zip(good | {"../../x.txt": b"x"}), "outside its folder"),
    "climbs_backwards": (lambda good: _zip(good | {"..\\x.txt": b"x"}), "outside its folder"),
    "absolute": (lambda good: _zip(good | {"/etc/cron.d/x": b"x"}), "outside its folder"),
    "drive": (lambda good: _zip(good | {"C:/x.txt": b"x"}), "outside its folder"),
    "link": (lambda good: _with_attributes(good, stat.S_IFLNK | 0o777), "holds a link"),
    "device": (lambda good: _with_attributes(good, stat.S_IFCHR | 0o777), "holds a link"),
    "nested": (lambda good: _zip(good | {"more.txt": _zip({"a": b"b"})}), "another archive"),
    "nested_by_name": (lambda good: _zip(good | {"more.RAR": b"x"}), "another archive"),
    "bomb": (lambda good: _zip(good | {"a.txt": bytes(60_000_000)}), "far more than it seems"),
    "twice": (lambda good: _zip(good | {"层.SHP": b"x"}), "two files of the same name"),
    "crowd": (lambda good: _zip(good | {f"{at}.txt": b"" for at in range(1100)}), "1104 files"),
    "no_shape": (lambda good: _zip(good | {"层.shp": b"SQLite"}), "a .shp that is no Shapefile"),
    "vrt_inside": (lambda _: _zip({"a.vrt": _vrt("/etc/passwd")}), "neither a Shapefile"),
    "cut": (lambda good: _zip(good)[:-40], "damaged zip"),
    "unusual": (
        lambda good: _zip(good).replace(b"\x08\x00", b"\x0c\x00"), "zip",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD_ZIPS)
def test_bad_archives_are_refused_in_a_sentence(tmp_path, fault):
    make, said = BAD_ZIPS[fault]
    assert said in _refused(make(_shapefile(tmp_path)), "层.zip")


def test_an_archive_that_lies_about_its_sizes_is_refused(tmp_path):
    body = _zip(_shapefile(tmp_path) | {"a.txt": bytes(60_000_000)})
    lying = body.replace((60_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != body
    assert "zip" in _refused(lying, "层.zip")


def test_a_locked_archive_says_so(tmp_path):
    body = bytearray(_zip(_shapefile(tmp_path)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = body.find(mark)
        while start >= 0:
            body[start + at] |= 1
            start = body.find(mark, start + 4)
    assert "locked with a password" in _refused(bytes(body), "层.zip")


def _book(tmp_path: Path) -> dict[str, bytes]:
    book = openpyxl.Workbook()
    book.active.append(["经度", "纬度", "户数"])
    book.active.append([113.1, 27.8, "=1+1"])
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


SHEET = "xl/worksheets/sheet1.xml"


def test_a_formula_gives_what_the_office_program_saw_last_or_nothing(tmp_path):
    members = _book(tmp_path)
    blank = read_upload(_zip(members), name="a.xlsx")
    assert blank.table.iloc[1].tolist() == ["113.1", "27.8", ""]
    members[SHEET] = members[SHEET].replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
    assert b"<f>" in members[SHEET]
    seen = read_upload(_zip(members), name="a.xlsx")
    assert seen.table.iloc[1].tolist() == ["113.1", "27.8", "2"]


def test_a_workbook_that_blows_up_is_refused(tmp_path):
    members = _book(tmp_path)
    big = members | {"xl/media/a.bin": bytes(60_000_000)}
    assert "far more than it seems" in _refused(_zip(big), "a.xlsx")
    entity = b'<!DOCTYPE x [<!ENTITY a "b">]>'
    for text in (entity, entity.decode().encode("utf-16-le")):
        assert "definitions of its own" in _refused(_zip(members | {SHEET: text}), "a.xlsx")


def test_a_sheet_that_claims_to_be_huge_costs_what_it_holds(tmp_path):
    members = _book(tmp_path)
    claimed = members[SHEET].replace(b'ref="A1:C2"', b'ref="A1:XFD1048576"')
    assert claimed != members[SHEET]
    assert read_upload(_zip(members | {SHEET: claimed}), name="a").table.shape == (2, 3)
    far = (
        members[SHEET]
        .replace(b'r="A2"', b'r="A1048576"')
        .replace(b'<row r="2"', b'<row r="1048576"')
    )
    assert "rows" in _refused(_zip(members | {SHEET: far}), "a.xlsx", features=1000)


def test_a_table_of_one_endless_line_never_reaches_the_memory(tmp_path):
    line = tmp_path / "a.csv"
    with line.open("wb") as handle:
        for _ in range(100):
            handle.write(b"1,2,3," * 100_000)
    small = 48 * 1024**2
    assert "line of endless length" in _refused(line, "a.csv", memory_bytes=small)
    with line.open("r+b") as handle:
        handle.truncate(1024**3)
    assert "larger than 200 MB" in _refused(line, "a.csv")


def test_tables_and_maps_beyond_a_limit_say_which():
    rows = b"a,b\n" + b"1,2\n" * 2000
    assert "more than 1000 rows" in _refused(rows, "a.csv", features=1000)
    assert "more than 500 values" in _refused(rows, "a.csv", cells=500)
    body = _geojson()
    assert "2 features, 1 are allowed" in _refused(body, features=1)
    assert "10 vertices, 9 are allowed" in _refused(body, vertices=9)
    assert "values, 3 are allowed" in _refused(body, cells=3)
    assert "larger than" in _refused(body, file_bytes=10)


def test_a_file_that_needs_more_memory_than_allowed_is_refused():
    ring = [[WEST + at / 1e6, SOUTH] for at in range(400_000)]
    shape = {"type": "LineString", "coordinates": ring}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    body = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    message = _refused(body, memory_bytes=8 * 1024**2)
    assert "memory" in message or "damaged" in message


def test_json_nested_without_end_does_no_harm():
    body = b'{"type":"FeatureCollection","features":' + b"[" * 2_000_000
    _refused(body, memory_bytes=512 * 1024**2, cpu_seconds=20)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"hello", b"<html><body>a,b</body></html>", b"%PDF-1.7 a,b", b"\x7fELF,\x02",
        b'{"type":"Topology","a":1}', b"[1,2]", b"SQLite format 3\0" + bytes(100), b"#!/bin/sh,",
        b'{"type":"gdal_streamed_alg","command_line":"gdal vector x","a":"FeatureCollection"}',
        (9994).to_bytes(4, "big") + bytes(96),
    ],
)  # fmt: skip
def test_everything_else_is_refused_before_any_library_sees_it(body, monkeypatch):
    monkeypatch.setattr(guarded, "ask_guarded", lambda *_: pytest.fail("it was started"))
    assert "give a" in _refused(body) or "zip file" in _refused(body)


def test_a_damaged_map_says_so_under_its_own_name(tmp_path):
    for name in ("a.gpkg", "a.fgb"):
        body = _map(tmp_path, name).read_bytes()
        assert _refused(body[: len(body) // 3], f"我的{name}").startswith(f"我的{name} ")


JAIL = """
import socket, subprocess, sys
from pathlib import Path
from geogrid.io._guard_jail import bound_resources, close_files, close_network
from geogrid.io._guard_limits import UploadLimits
folder, outside = Path(sys.argv[1]), Path(sys.argv[2])
limits = UploadLimits(memory_bytes=64 * 1024**2, unpacked_bytes=1000)
print([*close_network(), *bound_resources(limits), *close_files(folder)])
tries = {
    "socket": lambda: socket.socket(),
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "program": lambda: subprocess.run(["/bin/true"]),
    "read": lambda: outside.read_text(),
    "passwd": lambda: Path("/etc/passwd").read_text(),
    "write": lambda: outside.write_text("x"),
    "link": lambda: ((folder / "l").symlink_to(outside), (folder / "l").read_text()),
    "memory": lambda: bytes(10**9),
    "size": lambda: (folder / "big").write_bytes(bytes(2000)),
    "own": lambda: ((folder / "a").write_text("x"), (folder / "a").read_text()),
}
for name, attempt in tries.items():
    try:
        attempt()
        print(name, "done")
    except (OSError, MemoryError):
        print(name, "refused")
"""


@LINUX
def test_the_walls_hold_against_code_of_our_own(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text(MARK, encoding="utf-8")
    folder = tmp_path / "inside"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", JAIL, str(folder), str(outside)], check=True, capture_output=True,
        text=True, env=guarded_environment(folder, ""),
    )  # fmt: skip
    gaps, *answers = done.stdout.splitlines()
    assert gaps == "[]"
    assert dict(line.split() for line in answers) == {
        "socket": "refused", "udp": "refused", "program": "refused", "read": "refused",
        "passwd": "refused", "write": "refused", "link": "refused", "memory": "refused",
        "size": "refused", "own": "done",
    }  # fmt: skip
    assert outside.read_text(encoding="utf-8") == MARK


def test_a_system_without_the_walls_says_which_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "resource", None)
    said = [
        *_guard_jail.close_network(),
        *_guard_jail.bound_resources(UploadLimits()),
        *_guard_jail.close_files(tmp_path),
    ]
    assert len(said) == 3
    assert any("memory" in one for one in said)
    with socket.socket():
        pass


def test_nothing_of_the_servers_environment_reaches_the_reading_process(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOGRID_SECRET", MARK)
    environment = guarded_environment(tmp_path, "GPKG")
    assert MARK not in environment.values()
    assert environment["CPL_VSIL_CURL_ALLOWED_EXTENSIONS"] == ".none"
    assert environment["HOME"] == str(tmp_path)
    assert "OGR_VRT" in environment["OGR_SKIP"].split(",")


def _packed(tmp_path: Path) -> dict[str, Any]:
    return pack_layer(_frame(), tmp_path / "shapes.bin")


HOSTILE = {
    "few_values": lambda one: one["columns"][0].update(values=[]),
    "type": lambda one: one["columns"][0].update(type="O"),
    "not_text": lambda one: one["columns"][0].update(type="str", values=[1, {}]),
    "unit": lambda one: one["columns"][0].update(type="time", unit="generic", offset=None),
    "rows": lambda one: one.update(rows=-1),
    "many_rows": lambda one: one.update(rows=10**12),
    "crs": lambda one: one.update(crs="+proj=longlat +nadgrids=/etc/passwd"),
    "crs_file": lambda one: one.update(
        crs=CRS.from_epsg(4326).to_wkt("WKT1_GDAL")[:-1]
        + ',EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]'
    ),
    "no_columns": lambda one: one.pop("columns"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_an_answer_of_a_process_taken_over_is_refused(tmp_path, fault):
    packed = _packed(tmp_path)
    HOSTILE[fault](packed)
    with pytest.raises(InputError, match="answer of the reading process is damaged"):
        unpack_layer(packed, tmp_path / "shapes.bin")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_object_is_refused(tmp_path, body):
    (tmp_path / "answer.json").write_bytes(body)
    with pytest.raises(InputError, match="damaged"):
        load_json(tmp_path / "answer.json")


def test_cut_or_forged_geometries_are_refused(tmp_path):
    packed = _packed(tmp_path)
    shapes = tmp_path / "shapes.bin"
    good = shapes.read_bytes()
    huge = np.array([2**62, 2**62], dtype="<i8").tobytes()
    for body in (good[:-1], good + b"x", b"", good[:16] + b"\xff" * (len(good) - 16),
                 huge + good[16:]):  # fmt: skip
        shapes.write_bytes(body)
        with pytest.raises(InputError, match="damaged"):
            unpack_layer(packed, shapes)


COLUMNS = st.fixed_dictionaries({
    "整数": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    "实数": st.lists(st.floats(), min_size=3, max_size=3),
    "文字": st.lists(
        st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3
    ).map(lambda texts: pd.Series(texts, dtype="str")),
    "真假": st.lists(st.booleans(), min_size=3, max_size=3),
    "时间": st.lists(st.none() | st.datetimes(), min_size=3, max_size=3).map(
        lambda times: pd.Series(times, dtype="datetime64[us]")
    ),
    "本地": st.lists(
        st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")),
        min_size=3, max_size=3,
    ).map(lambda times: pd.Series(times, dtype="datetime64[ms]").dt.tz_localize("UTC+08:00")),
})  # fmt: skip


@given(COLUMNS)
def test_every_column_comes_back_as_it_went(columns):
    shapes = [shapely.Point(1, 2), None, shapely.Polygon()]
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shapes.bin"
        packed = json.loads(json.dumps(pack_layer(frame, file)))
        again = unpack_layer(packed, file)
    assert_geodataframe_equal(again, frame)
    assert again.dtypes.astype(str).tolist() == frame.dtypes.astype(str).tolist()


def test_a_limit_below_one_is_refused():
    with pytest.raises(InputError, match="the limit seconds of uploads must be at least 1"):
        UploadLimits(seconds=0)


@LINUX
def test_the_reading_process_begins_with_one_thread(tmp_path):
    # The filter of calls holds for threads that begin later: there must be no earlier one.
    code = "import geogrid.io._guard_child, os; print(len(os.listdir('/proc/self/task')))"
    environment = guarded_environment(tmp_path, "GPKG")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1"
    assert os.environ.get("OGR_SKIP") is None
