from __future__ import annotations

import json
import shutil
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon, box

from geogrid.errors import CrsError, InputError, MissingFileError
from geogrid.io import _archive
from geogrid.io._text import repair_mojibake
from geogrid.io.layer import codes_as_text, read_layer
from geogrid.io.limit import check_overlap, read_limit, suggest_datum
from geogrid.model.district import District
from geogrid.planar.datum import wgs84_to_gcj02
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from pathlib import Path

WEST, SOUTH = 113.1, 27.8


def _frame(crs="EPSG:4326", *, metres: bool = False) -> gpd.GeoDataFrame:
    squares = [box(WEST, SOUTH, WEST + 0.01, SOUTH + 0.01), box(WEST + 0.01, SOUTH, 113.12, 27.81)]
    frame = gpd.GeoDataFrame(
        {"网格": ["红旗社区", "白果社区"], "code": ["0430203001", "0430203002"], "n": [3, 4]},
        geometry=squares,
        crs=4326,
    )
    return frame.to_crs(crs) if metres else frame.set_crs(crs, allow_override=True)


def _write(frame: gpd.GeoDataFrame, path: Path, **options: object) -> Path:
    pyogrio.write_dataframe(frame, path, **options)
    return path


def _geojson(path: Path, features: list[dict[str, Any]], **more: object) -> Path:
    path.write_text(
        json.dumps({"type": "FeatureCollection", **more, "features": features}), encoding="utf-8"
    )
    return path


def _feature(geometry: dict[str, Any] | None, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _square(x=WEST, y=SOUTH, size=0.01) -> dict[str, Any]:
    return shapely.geometry.mapping(box(x, y, x + size, y + size))


def _shapefile(tmp_path: Path, *, encoding="GB18030", cpg: str | None = "", prj=True) -> Path:
    path = _write(_frame(4547, metres=True), tmp_path / "地块.shp", encoding=encoding)
    if cpg is None:
        path.with_suffix(".cpg").unlink()
    elif cpg:
        path.with_suffix(".cpg").write_text(cpg)
    if not prj:
        path.with_suffix(".prj").unlink()
    return path


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("a.gpkg", "GPKG"),
        ("a.geojson", "GeoJSON"),
        ("a.json", "GeoJSON"),
        ("a.fgb", "FlatGeobuf"),
        ("a.kml", "KML"),
    ],
)
def test_degrees_of_every_format_come_in_the_frame_of_their_place(tmp_path, name, driver):
    path = _write(_frame(), tmp_path / name, driver=driver)
    layer = read_layer(path)
    assert layer.crs == "EPSG:4547"
    expected = _frame(4547, metres=True).geometry
    # FlatGeobuf sorts its features by place.
    order = np.argsort(layer.geometry.centroid.x.to_numpy())
    found = layer.geometry.to_numpy()[order]
    assert shapely.hausdorff_distance(found, expected.to_numpy()).max() < 0.001
    assert layer.attrs["source"]["name"] == name
    assert layer.attrs["notes"] == []


def test_a_projected_layer_keeps_its_coordinates_to_the_bit(tmp_path):
    frame = _frame(4548, metres=True)
    layer = read_layer(_write(frame, tmp_path / "a.gpkg"))
    assert layer.crs == "EPSG:4548"
    assert (layer.geometry.to_wkb() == frame.geometry.to_wkb()).all()


def test_web_mercator_is_not_taken_for_metres(tmp_path):
    layer = read_layer(_write(_frame(3857, metres=True), tmp_path / "a.gpkg"))
    assert layer.crs == "EPSG:4547"


@pytest.mark.parametrize(
    ("encoding", "cpg"),
    [
        ("UTF-8", ""),
        ("UTF-8", None),
        ("GBK", ""),
        ("GBK", None),
        ("GB18030", ""),
        ("GB18030", None),
        ("GB18030", "UTF-8"),
    ],
)
def test_chinese_shapefiles_are_read_with_right_wrong_or_no_cpg(tmp_path, encoding, cpg):
    layer = read_layer(_shapefile(tmp_path, encoding=encoding, cpg=cpg))
    assert layer["网格"].tolist() == ["红旗社区", "白果社区"]
    notes = " ".join(layer.attrs["notes"])
    if cpg is None:
        assert f"its text was read as {'UTF-8' if encoding == 'UTF-8' else 'GB18030'}" in notes
    elif cpg:
        assert "wrong encoding" in notes
    else:
        assert not notes


def test_a_field_name_cut_in_the_middle_of_a_character_is_still_read(tmp_path):
    frame = _frame(4547, metres=True).rename(columns={"网格": "网格编码"})
    with pytest.warns(RuntimeWarning, match="laundered"):
        _write(frame, tmp_path / "a.shp", encoding="UTF-8")
    layer = read_layer(tmp_path / "a.shp")
    assert layer["code"].tolist() == ["0430203001", "0430203002"]
    assert any(str(name).startswith("网格编") for name in layer.columns)


def test_latin_text_without_a_cpg_is_not_turned_into_chinese(tmp_path):
    frame = _frame(4547, metres=True).drop(columns="网格").assign(name=["Zürich", "Malmö"])
    path = _write(frame, tmp_path / "a.shp", encoding="ISO-8859-1")
    path.with_suffix(".cpg").unlink()
    assert read_layer(path)["name"].tolist() == ["Zürich", "Malmö"]


def test_the_users_encoding_wins_and_a_wrong_one_names_those_to_try(tmp_path):
    path = _shapefile(tmp_path, cpg=None)
    assert read_layer(path, encoding="gb18030")["网格"][0] == "红旗社区"
    with pytest.raises(InputError, match=r"\(encoding=\), one of utf-8, gb18030, gbk, big5"):
        read_layer(path, encoding="utf-8")
    with pytest.raises(InputError, match="use one of utf-8, gb18030"):
        read_layer(path, encoding="chinese-please")


def test_text_in_no_known_encoding_names_those_to_try(tmp_path):
    path = _shapefile(tmp_path, encoding="GBK", cpg="UTF-8")
    table = path.with_suffix(".dbf")
    # Half characters, as a damaged or encrypted table has them.
    table.write_bytes(table.read_bytes().replace("红旗".encode("gbk"), b"\xff\x81\xfe\x20"))
    table.write_bytes(table.read_bytes().replace("白果社区".encode("gbk"), b"\xff \xfe \xff \xfe "))
    table.write_bytes(table.read_bytes().replace("社区".encode("gbk"), b"\xff \xfe "))
    table.write_bytes(table.read_bytes().replace("网格".encode("gbk"), b"\xff\xfe\xff\xfe"))
    with pytest.raises(InputError, match=r"cannot be decoded: save it as UTF-8"):
        read_layer(path)


def test_geojson_in_gb18030_is_read_with_a_note(tmp_path):
    path = tmp_path / "a.geojson"
    text = json.dumps(
        {"type": "FeatureCollection", "features": [_feature(_square(), name="红旗")]},
        ensure_ascii=False,
    )
    path.write_bytes(text.encode("gb18030"))
    layer = read_layer(path)
    assert layer["name"].tolist() == ["红旗"]
    assert "gb18030" in layer.attrs["notes"][0]


class _WindowsName(zipfile.ZipInfo):
    """A member as Chinese Windows writes it: GBK bytes and no flag for UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def test_a_zip_with_chinese_member_names_is_read(tmp_path):
    shp = _shapefile(tmp_path)
    path = tmp_path / "下载.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for part in sorted(shp.parent.glob("地块.[sdcp]*")):
            bundle.writestr(_WindowsName(f"数据/{part.name}"), part.read_bytes())
    assert "地块".encode("gbk") in path.read_bytes()
    layer = read_layer(path, layer="地块")
    assert layer["网格"].tolist() == ["红旗社区", "白果社区"]
    assert layer.attrs["source"]["name"] == "下载.zip"


def test_a_zip_with_several_shapefiles_asks_which(tmp_path):
    shp = _shapefile(tmp_path)
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for part in sorted(shp.parent.glob("地块.[sdcp]*")):
            bundle.write(part, f"in/a{part.suffix}")
            bundle.write(part, f"in/b{part.suffix}")
            bundle.write(part, f"__MACOSX/in/._a{part.suffix}")
    with pytest.raises(InputError, match=r"with --limit-layer or --layer \(layer=\): a, b"):
        read_layer(path)
    assert len(read_layer(path, layer="b")) == 2
    with pytest.raises(InputError, match="has no Shapefile c"):
        read_layer(path, layer="c")


def test_a_zip_that_climbs_out_of_its_folder_lands_nowhere(tmp_path):
    shp = _shapefile(tmp_path)
    path = tmp_path / "climb.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for part in sorted(shp.parent.glob("地块.[sdcp]*")):
            bundle.write(part, f"../../../climbed{part.suffix}")
    assert len(read_layer(path)) == 2
    assert not list(tmp_path.parent.glob("climbed*"))


def test_a_zip_that_unpacks_too_large_damaged_or_without_a_map_is_refused(tmp_path, monkeypatch):
    shp = _shapefile(tmp_path)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.write(shp, "a.txt")
    with pytest.raises(InputError, match="not a map file: the zip holds no Shapefile"):
        read_layer(path)
    path.write_bytes(b"PK\x03\x04" + b"\0" * 50)
    with pytest.raises(InputError, match="damaged or locked zip"):
        read_layer(path)
    monkeypatch.setattr(_archive, "MAX_UNPACKED_BYTES", 100)
    with zipfile.ZipFile(path, "w") as bundle:
        for part in sorted(shp.parent.glob("地块.[sdcp]*")):
            bundle.write(part)
    with pytest.raises(InputError, match="unpacks to more than 2 GiB"):
        read_layer(path)


def test_a_shapefile_without_prj_is_refused_and_the_likely_zone_named(tmp_path):
    frame = _frame(4526, metres=True)
    path = _write(frame, tmp_path / "a.shp", encoding="UTF-8")
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match=r"start with 38.*EPSG:4526.*cgcs2000 with --datum"):
        read_layer(path)
    layer = read_layer(path, datum="cgcs2000")
    assert layer.crs == "EPSG:4526"
    assert "taken as EPSG:4526" in layer.attrs["notes"][0]
    with pytest.raises(CrsError, match="does not say its coordinate system"):
        read_layer(_shapefile(tmp_path, prj=False))


def test_degrees_without_a_crs_need_their_datum(tmp_path):
    path = _write(_frame(), tmp_path / "a.shp", encoding="UTF-8")
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match="looks like degrees"):
        read_layer(path)
    assert read_layer(path, datum="wgs84").crs == "EPSG:4547"


def test_metres_in_a_geojson_that_claims_degrees_are_refused(tmp_path):
    path = _geojson(tmp_path / "a.geojson", [_feature(_square(38411309.0, 3076603.0, 100.0))])
    with pytest.raises(CrsError, match=r"claims degrees.*EPSG:4526"):
        read_layer(path)
    assert read_layer(path, datum="cgcs2000").crs == "EPSG:4526"
    path = _geojson(tmp_path / "b.geojson", [_feature(_square(411309.0, 3076603.0, 100.0))])
    with pytest.raises(CrsError, match="ask where it was made"):
        read_layer(path, datum="cgcs2000")


def test_gcj02_is_shifted_back_also_from_a_projected_file(tmp_path):
    truth = read_layer(_write(_frame(), tmp_path / "truth.gpkg"))
    shifted = _frame().set_geometry(_to_gcj02(_frame().geometry), crs=4326)
    for crs in (4326, 3857):
        path = _write(shifted.to_crs(crs), tmp_path / f"gcj{crs}.gpkg")
        raw, back = read_layer(path), read_layer(path, datum="gcj02")
        assert raw.geometry.distance(truth.geometry).max() < 700
        assert shapely.hausdorff_distance(raw.geometry, truth.geometry).min() > 300
        assert shapely.hausdorff_distance(back.geometry, truth.geometry).max() < 0.001
        assert back.attrs["source"]["datum"] == "gcj02"
    with pytest.raises(InputError, match="datum 'mars' is not known"):
        read_layer(path, datum="mars")


def test_a_shift_outside_china_moves_nothing_and_says_so(tmp_path):
    path = _geojson(tmp_path / "a.geojson", [_feature(_square(24.9, 60.1))])
    layer = read_layer(path, datum="bd09")
    assert layer.crs == "EPSG:32635"
    assert "outside China" in layer.attrs["notes"][0]


def test_a_column_that_declares_gcj02_is_pointed_out(shared_data):
    path = shared_data / "boundaries" / "counties_gcj02_cnmaps.geojson"
    assert "column crs says GCJ-02" in " ".join(read_layer(path).attrs["notes"])
    assert "column crs" not in " ".join(read_layer(path, datum="gcj02").attrs["notes"])


def test_codes_that_came_as_numbers_become_text_without_losing_digits(tmp_path):
    path = _geojson(
        tmp_path / "a.geojson",
        [
            _feature(
                _square(), adcode=430203, 网格编码=430203001002003, code_12=430203001002.0, n=1
            ),
            _feature(_square(), adcode=None, 网格编码=430203001002004, code_12=430203001003.0, n=2),
        ],
    )
    layer = read_layer(path)
    assert layer["adcode"].dropna().tolist() == ["430203"]
    assert layer["adcode"].isna().tolist() == [False, True]
    assert layer["网格编码"].tolist() == ["430203001002003", "430203001002004"]
    assert layer["code_12"].tolist() == ["430203001002", "430203001003"]
    assert layer["n"].tolist() == [1, 2]


def test_codes_rounded_before_reading_are_pointed_out_and_left():
    frame = gpd.GeoDataFrame(
        {"code": [4.3e17, 4.4e17], "share_code": [0.5, 1.5]}, geometry=[Point(0, 0), Point(1, 1)]
    )
    same, notes = codes_as_text(frame)
    assert pd.api.types.is_float_dtype(same["code"])
    assert pd.api.types.is_float_dtype(same["share_code"])
    assert notes == ["column code holds codes as rounded numbers: store them as text"]


def test_heights_are_dropped_and_missing_geometries_kept_with_notes(tmp_path):
    with_z = {"type": "Point", "coordinates": [WEST, SOUTH, 40.0]}
    path = _geojson(tmp_path / "a.geojson", [_feature(with_z), _feature(None)])
    layer = read_layer(path)
    assert len(layer) == 2
    assert not layer.has_z.any()
    assert layer.attrs["notes"] == [
        "1 of 2 features have no geometry",
        "heights (Z) were dropped",
    ]


def test_layers_without_feature_or_geometry_are_refused(tmp_path):
    with pytest.raises(InputError, match="holds no feature"):
        read_layer(_geojson(tmp_path / "a.geojson", [], name="Feature").with_name("a.geojson"))
    with pytest.raises(InputError, match="has a geometry"):
        read_layer(_geojson(tmp_path / "b.geojson", [_feature(None)]))
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), tmp_path / "c.gpkg", driver="GPKG")
    with pytest.raises(InputError, match="holds no map layer"):
        read_layer(tmp_path / "c.gpkg")


def test_of_several_layers_one_must_be_named(tmp_path):
    path = _write(_frame(), tmp_path / "a.gpkg", layer="streets")
    _write(_frame(), path, layer="limit")
    with pytest.raises(InputError, match=r"--layer \(layer=\): streets, limit"):
        read_layer(path)
    with pytest.raises(InputError, match="has no layer lake"):
        read_layer(path, layer="lake")
    assert len(read_layer(path, layer="limit")) == 2


VRT = """<OGRVRTDataSource><OGRVRTLayer name="passwd"><SrcDataSource>/etc/passwd</SrcDataSource>
</OGRVRTLayer></OGRVRTDataSource>"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("evil.geojson", VRT),
        ("evil.gpkg", VRT),
        ("evil.kml", VRT),
        ("evil.kml", '<!DOCTYPE k [<!ENTITY a "b">]><kml></kml>'),
        ("evil.geojson", '{"type": "gdal_streamed_alg", "command_line": "gdal vector"}'),
        (
            "evil.json",
            '{"x": {"type": "Feature"}, "type": "gdal_streamed_alg", "command_line": "gdal"}',
        ),
        ("evil.geojson", '{"type": "Topology", "objects": {"a": {"type": "Polygon"}}}'),
        ("evil.shp", "id,name\n1,2\n"),
        ("table.csv", "lon,lat\n1,2\n"),
        ("picture.png", "\x89PNG"),
        ("data.sqlite", "SQLite format 3\0" + "\0" * 100),
        ("empty.geojson", ""),
    ],
)
def test_what_is_not_a_map_file_is_refused_whatever_it_is_called(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"is not a map file|is empty"):
        read_layer(path)


def test_addresses_folders_and_missing_files_are_refused(tmp_path):
    for path in ("/vsizip/a.zip/b.shp", "/vsistdin/", "https://a.b/c.geojson", "zip:///a.zip"):
        with pytest.raises(InputError, match="not a file on this computer"):
            read_layer(path)
    with pytest.raises(InputError, match="is a folder"):
        read_layer(tmp_path)
    with pytest.raises(MissingFileError, match="does not exist"):
        read_layer(tmp_path / "none.gpkg")
    with pytest.raises(MissingFileError):
        read_layer("GPKG:none.gpkg")


def test_a_damaged_map_file_is_refused(tmp_path):
    path = _write(_frame(), tmp_path / "a.gpkg")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="damaged or not a map"):
        read_layer(path)
    (tmp_path / "b.geojson").write_text('{"type": "FeatureCollection", "features": [{')
    with pytest.raises(InputError, match="damaged or not a map"):
        read_layer(tmp_path / "b.geojson")


def test_parts_of_a_shapefile_are_asked_for(tmp_path):
    shp = _shapefile(tmp_path)
    with pytest.raises(InputError, match=r"give the file that ends in \.shp"):
        read_layer(shp.with_suffix(".shx"))
    shp.with_suffix(".shx").unlink()
    with pytest.raises(InputError, match=r"lacks its \.shx part"):
        read_layer(shp)


def test_warnings_of_the_reader_become_notes(shared_data):
    path = shared_data / "dirty" / "shanghai_lujiazui" / "buildings.geojson"
    layer = read_layer(path)
    assert len(layer) == 1981
    assert layer.crs == "EPSG:4550"
    assert "Several features with id" in " ".join(layer.attrs["notes"])


def test_repairing_text_needs_most_of_it_to_be_usual():
    frame = gpd.GeoDataFrame({"a": ["ÀÁÂ", "plain"]}, geometry=[Point(0, 0), Point(1, 1)])
    assert repair_mojibake(frame)[1] == ""


# Limits ------------------------------------------------------------------------------------------


def test_a_limit_keeps_holes_and_parts_and_lies_on_the_lattice(tmp_path):
    ring = Polygon(
        box(WEST, SOUTH, WEST + 0.02, SOUTH + 0.02).exterior.coords,
        [box(113.105, 27.805, 113.11, 27.81).exterior.coords],
    )
    both = MultiPolygon([ring, box(113.13, 27.8, 113.14, 27.81)])
    frame = gpd.GeoDataFrame({"名称": ["芦淞区"], "adcode": [430203]}, geometry=[both], crs=4326)
    limit = read_limit(_write(frame, tmp_path / "a.geojson"))
    district = limit.district
    assert len(district.limit.geoms) == 2
    assert [len(part.interiors) for part in district.limit.geoms] == [1, 0]
    assert (district.name, district.code) == ("芦淞区", "430203")
    assert district.crs == "EPSG:4547"
    xy = shapely.get_coordinates(district.limit)
    np.testing.assert_array_equal(xy, np.round(xy * 1000) / 1000)
    assert limit.source.role == "limit"
    assert limit.notes == ()


def test_an_invalid_limit_is_repaired_with_a_note(tmp_path):
    bow_tie = Polygon([(WEST, SOUTH), (113.12, 27.82), (113.12, SOUTH), (WEST, 27.82)])
    frame = gpd.GeoDataFrame(geometry=[bow_tie], crs=4326)
    limit = read_limit(_write(frame, tmp_path / "村界.gpkg"))
    assert limit.district.limit.is_valid
    assert limit.district.limit.area > 1e6
    assert "1 areas of the limit were repaired: Self-intersection" in limit.notes[0]
    assert limit.district.name == "村界"


def test_several_areas_are_united_or_one_chosen_by_name_or_code(tmp_path):
    frame = gpd.GeoDataFrame(
        {"name": ["东街", "西街"], "code": ["01", "02"]}, geometry=_frame().geometry, crs=4326
    )
    path = _write(frame, tmp_path / "a.gpkg")
    whole = read_limit(path)
    assert whole.district.name == "a"
    assert whole.district.code == ""
    assert len(whole.district.limit.geoms) == 1
    note = "2 areas were united into one district: 东街, 西街: choose one with --limit-name (name=)"
    assert whole.notes == (f"{note} if that is wrong",)
    for name in ("西街", "02"):
        one = read_limit(path, name=name)
        assert (one.district.name, one.district.code, one.notes) == ("西街", "02", ())
        assert one.district.limit.area < 0.6 * whole.district.limit.area


def _row_of_squares(names, gap_m=0.0, **columns) -> gpd.GeoDataFrame:
    squares = [box(411000 + n * (1000 + gap_m), 3076000, 412000 + n * (1000 + gap_m), 3077000)
               for n in range(len(names))]  # fmt: skip
    return gpd.GeoDataFrame({"名称": names, **columns}, geometry=squares, crs=4547)


def test_a_name_that_no_area_has_lists_some_that_there_are(tmp_path):
    names = ["甲街道", "乙街道", "丙镇"]
    path = _write(_row_of_squares(names), tmp_path / "three.geojson")
    expected = "no area of three.geojson is called 丁: choose one of 甲街道, 乙街道, 丙镇"
    with pytest.raises(InputError, match=f"^{expected}$"):
        read_limit(path, name="丁")
    many = [f"{n}村" for n in range(11)]
    path = _write(_row_of_squares([*many, "株洲市芦淞区"]), tmp_path / "many.geojson")
    with pytest.raises(InputError, match=r"choose one of 株洲市芦淞区, 0村, .*6村 and 4 more$"):
        read_limit(path, name="芦淞区")
    bare = _row_of_squares(names).drop(columns="名称")
    with pytest.raises(InputError, match=r"no column of it holds names or codes: leave out --lim"):
        read_limit(_write(bare, tmp_path / "bare.geojson"), name="丁")


@pytest.mark.parametrize(
    "header",
    ["NAME", "Name", "名称", "JDMC", "xzqmc", "MC", "街道", "社区", "街道名称", "town_name",
     "NAME_3", "adcode", "CODE", "XZQDM", "区划代码", "town_code"],
)  # fmt: skip
def test_areas_are_chosen_by_columns_of_many_names(tmp_path, header):
    frame = _row_of_squares(["", ""]).drop(columns="名称").assign(**{header: ["0701", "0702"]})
    limit = read_limit(_write(frame, tmp_path / "a.gpkg"), name="0702")
    assert limit.district.limit.area == pytest.approx(1e6)
    assert limit.district.limit.bounds[0] == 412000
    assert limit.notes == ()
    assert "0702" in (limit.district.name, limit.district.code)


def test_codes_that_came_as_numbers_choose_an_area_too(tmp_path):
    frame = _row_of_squares(["甲", "乙"], XZQDM=[430203001, 430203002])
    limit = read_limit(_write(frame, tmp_path / "a.geojson"), name="430203002")
    assert (limit.district.name, limit.district.code) == ("乙", "430203002")


def test_a_street_of_several_communities_keeps_the_name_that_was_asked_for(tmp_path):
    frame = _row_of_squares(["a", "b", "c"], 街道=["甲", "甲", "乙"])
    limit = read_limit(_write(frame, tmp_path / "a.gpkg"), name="甲")
    assert limit.district.name == "甲"
    assert limit.notes == ("2 areas were united into one district: a, b",)


@pytest.mark.parametrize(
    ("gap_m", "said"),
    [
        (900.0, " if that is wrong"),
        (1100.0, "; parts lie up to 3.2 km apart: choose"),
        (42_000.0, "; parts lie up to 85 km apart: choose one with --limit-name (name=)"),
    ],
)
def test_parts_that_lie_far_apart_are_said_first(tmp_path, gap_m, said):
    frame = _row_of_squares(["甲街道", "乙街道", "丙镇"], gap_m=gap_m)
    limit = read_limit(_write(frame, tmp_path / "three.gpkg"))
    start = "3 areas were united into one district: 甲街道, 乙街道, 丙镇"
    assert limit.notes[0].startswith(start)
    assert said in limit.notes[0]
    assert ("apart" in limit.notes[0]) == (gap_m > 1000)


def test_areas_without_names_are_united_with_a_note(tmp_path):
    frame = _row_of_squares(["", ""]).drop(columns="名称")
    (note,) = read_limit(_write(frame, tmp_path / "a.gpkg")).notes
    assert note == (
        "2 areas were united into one district: if that is wrong, keep the wanted one in a file "
        "of its own"
    )


def test_a_limit_without_polygon_is_refused(tmp_path):
    path = _geojson(
        tmp_path / "a.geojson", [_feature({"type": "Point", "coordinates": [WEST, SOUTH]})]
    )
    with pytest.raises(InputError, match=r"holds no polygon \(only Point\)"):
        read_limit(path)
    flat = gpd.GeoDataFrame(geometry=[Polygon([(0, 0), (1, 1), (2, 2), (0, 0)])], crs="EPSG:4547")
    with pytest.raises(InputError, match="has no area"):
        read_limit(_write(flat, tmp_path / "b.gpkg"))


def test_other_features_beside_the_areas_are_counted(tmp_path):
    point = {"type": "Point", "coordinates": [WEST, SOUTH]}
    path = _geojson(tmp_path / "a.geojson", [_feature(point), _feature(_square())])
    assert "1 features of the limit are no areas" in read_limit(path).notes[0]


def _district(x: float, y: float, size=3000.0, crs=4547) -> District:
    frame = gpd.GeoDataFrame(geometry=[box(x, y, x + size, y + size)], crs=crs)
    return District(limit=as_multipolygon(frame.geometry[0]), crs=frame.crs, name="芦淞区")


def _edges(district: District) -> gpd.GeoDataFrame:
    ring = shapely.get_coordinates(shapely.segmentize(district.limit.boundary, 200.0))
    pieces = shapely.linestrings(np.stack((ring[:-1], ring[1:]), axis=1))
    return gpd.GeoDataFrame(geometry=pieces, crs=district.crs)


def _to_gcj02(degrees: gpd.GeoSeries) -> Any:
    def move(lon_lat):
        return np.column_stack(wgs84_to_gcj02(*lon_lat.T))

    return shapely.transform(degrees.to_numpy(), move)


def _as_gcj02(district: District) -> District:
    degrees = gpd.GeoSeries([district.limit], crs=district.crs).to_crs(4326)
    back = gpd.GeoSeries(_to_gcj02(degrees), crs=4326).to_crs(4547)
    return District(limit=as_multipolygon(back[0]), crs=district.crs, name=district.name)


def test_layers_that_do_not_overlap_say_how_far_apart_they_are():
    limit = _district(411000, 3076000)
    far = gpd.GeoDataFrame(geometry=[Point(411000, 3076000 + 3000 + 12300)], crs=4547)
    with pytest.raises(InputError, match=r"streets do not overlap 芦淞区: they lie 12\.3 km apart"):
        check_overlap(limit, far.to_crs(4326), what="streets")
    with pytest.raises(InputError, match="no streets to compare"):
        check_overlap(limit, far.iloc[:0], what="streets")
    check_overlap(limit, _edges(limit), what="streets")


def test_an_offset_that_gcj02_explains_is_named_in_the_message():
    truth = _district(411000, 3076000, size=300.0)
    limit = _as_gcj02(truth)
    assert not limit.limit.intersects(truth.limit)
    with pytest.raises(InputError, match=r"0\.\d km apart.*--datum gcj02"):
        check_overlap(limit, _edges(truth), what="streets")


def test_a_datum_is_suggested_only_where_it_fits_clearly_better():
    truth = _district(411000, 3076000)
    shifted = _as_gcj02(truth)
    assert suggest_datum(shifted, _edges(truth)) == "gcj02"
    assert suggest_datum(shifted, truth.limit) == "gcj02"
    assert suggest_datum(truth, _edges(truth)) is None
    assert suggest_datum(truth, _edges(_district(421000, 3086000))) is None
    helsinki = _district(385000, 6670000, crs=32635)
    assert suggest_datum(helsinki, _edges(_district(385500, 6670500, crs=32635))) is None


def test_a_limit_that_fits_within_a_street_is_left_alone():
    shifted = _as_gcj02(_district(411000, 3076000))
    wrong_but_nearer = _edges(_district(411000, 3076000))
    near = gpd.GeoDataFrame(geometry=[shifted.limit.buffer(40)], crs=4547)
    both = gpd.GeoDataFrame(pd.concat([wrong_but_nearer, near], ignore_index=True), crs=4547)
    assert suggest_datum(shifted, wrong_but_nearer) == "gcj02"
    assert suggest_datum(shifted, both) is None


def test_a_real_gcj02_county_is_told_from_an_independent_map(shared_data):
    folder = shared_data / "boundaries"
    generalised = read_layer(folder / "counties_generalised_fastgeocn.geojson")
    path = folder / "counties_gcj02_cnmaps.geojson"
    other = generalised[generalised["adcode"] == "430203"]
    raw = read_limit(path, name="430203")
    assert raw.district.name == "株洲市芦淞区"
    assert suggest_datum(raw.district, other) == "gcj02"
    right = read_limit(path, name="430203", datum="gcj02")
    assert suggest_datum(right.district, other) is None
    assert right.district.crs == "EPSG:4547"
    assert right.district.limit.area / 1e6 == pytest.approx(220.76, rel=0.005)


def test_the_population_grid_reads_in_its_place(shared_data, tmp_path):
    source = shared_data / "population" / "helsinki_population_grid.gpkg"
    path = tmp_path / "grid.gpkg"
    shutil.copy(source, path)
    layer = read_layer(path)
    assert len(layer) == 92
    assert layer.crs == "EPSG:32635"
    assert int(layer["population"].sum()) == 71_724


@pytest.mark.parametrize(
    "crs",
    [
        '"crs": {"type": "link", "properties": {"href": "ADDRESS", "type": "ogcwkt"}}',
        '"crs":{"properties":{"href":"ADDRESS","url":"ADDRESS"},"type":"link"}',
        '"\\u0063rs": {"type": "l\\u0069nk", "properties": {"href": "ADDRESS"}}',
        '"\\u0063rs": {"type": "l\\u0069nk", "properties": {"href": "ADDRESS"},}',
    ],
)
def test_no_address_is_asked_for_a_coordinate_system(tmp_path, crs):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    path = tmp_path / "link.geojson"
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/crs"
        path.write_text(
            '{"type": "FeatureCollection", ' + crs.replace("ADDRESS", address) + ', "features": '
            '[{"type": "Feature", "properties": {}, "geometry": {"type": "Point", '
            '"coordinates": [113.1, 27.8]}}]}',
            encoding="utf-8",
        )
        with pytest.raises(InputError, match=r"fetch its coordinate system|is no JSON"):
            read_layer(path)
        server.shutdown()
    assert asked == []


def test_a_coordinate_system_by_name_and_escaped_text_are_read(tmp_path):
    path = tmp_path / "named.geojson"
    path.write_text(
        '{"type": "FeatureCollection", "crs": {"type": "name", "properties": '
        '{"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, "features": [{"type": "Feature", '
        '"properties": {"name": "link \\u0041"}, "geometry": {"type": "Point", '
        '"coordinates": [113.1, 27.8]}}]}',
        encoding="utf-8",
    )
    assert read_layer(path)["name"].tolist() == ["link A"]
