from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, box

from geogrid.errors import CrsError, InputError, MissingFileError, OutputError
from geogrid.io.estimate import estimate_households
from geogrid.io.tables import (
    read_households,
    read_stations,
    split_households,
    write_outside,
    write_rejected,
)
from geogrid.model.district import District
from geogrid.planar.datum import wgs84_to_gcj02

if TYPE_CHECKING:
    from pathlib import Path

LON, LAT = 113.15, 27.82


def _csv(tmp_path: Path, text: str, encoding="utf-8") -> Path:
    path = tmp_path / "住户.csv"
    path.write_bytes(text.encode(encoding))
    return path


def _degrees(frame: gpd.GeoDataFrame) -> np.ndarray:
    return shapely.get_coordinates(frame.geometry.to_crs(4326).to_numpy())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_chinese_headers_are_found_in_every_encoding(tmp_path, encoding, delimiter):
    text = f"户号,姓名,电话,经度(°),纬度,户数\n0007,张三,13800000000,{LON},{LAT},3\n"
    table = read_households(_csv(tmp_path, text.replace(",", delimiter), encoding))
    assert list(table.frame.columns) == ["households", "household_id", "row", "geometry"]
    assert table.frame["households"].tolist() == [3]
    assert table.frame["household_id"].tolist() == ["0007"]
    assert table.frame["row"].tolist() == [2]
    assert table.frame.crs == "EPSG:4547"
    np.testing.assert_allclose(_degrees(table.frame), [[LON, LAT]], atol=1e-9)
    assert table.source.role == "households"
    assert table.rejected.empty
    is_note = encoding in ("gb18030", "utf-16")
    assert [encoding.upper() in note for note in table.notes] == [True] * is_note


def test_names_and_phones_are_kept_nowhere(tmp_path):
    text = f"姓名,电话,lng,lat\n张三,13800000000,{LON},{LAT}\n李四,13900000000,x,{LAT}\n"
    table = read_households(_csv(tmp_path, text))
    said = " ".join([str(table.frame), str(table.rejected), str(table.notes), str(table.source)])
    for secret in ("张三", "李四", "13800000000", "13900000000"):
        assert secret not in said
    assert table.frame["households"].tolist() == [1]


def test_unusable_rows_are_returned_with_their_row_and_reason(tmp_path):
    rows = [
        f"{LON},{LAT},12户",
        f",{LAT},1",
        f"东经113,{LAT},1",
        f"{LAT},{LON},1",
        "0,0,1",
        "",
        f"{LON},{LAT},-1",
        f"{LON},{LAT},2.5",
        f"{LON},{LAT},",
        f'{LON},{LAT},"1,200"',
        f"{LON},{LAT},4.0",
    ]
    table = read_households(_csv(tmp_path, "\n".join(["经度,纬度,户数", *rows])))
    assert table.frame["row"].tolist() == [2, 11, 12]
    assert table.frame["households"].tolist() == [12, 1200, 4]
    reasons = dict(zip(table.rejected["row"], table.rejected["reason"], strict=True))
    assert sorted(reasons) == [3, 4, 5, 6, 8, 9, 10]
    assert reasons[3] == "a coordinate is blank"
    assert reasons[4] == "a coordinate is not a number"
    assert "swapped" in reasons[5]
    assert "means unknown" in reasons[6]
    assert reasons[8] == reasons[9] == "the number of households is not a whole number from 0"
    assert reasons[10] == "the number of households is blank"
    assert table.notes == ("7 of 10 rows cannot be used, first ones: 3, 4, 5, 6, 8",)


def test_named_columns_win_over_guessed_ones(tmp_path):
    text = f"lon,lat,jd,wd,户数,人家\n1,1,{LON},{LAT},7,9\n"
    columns = {"lon": "jd", "lat": "wd", "households": "人家"}
    table = read_households(_csv(tmp_path, text), columns=columns)
    assert table.frame["households"].tolist() == [9]
    np.testing.assert_allclose(_degrees(table.frame), [[LON, LAT]], atol=1e-9)
    with pytest.raises(InputError, match="has no column 'nix': its columns are lon, lat"):
        read_households(_csv(tmp_path, text), columns={"lon": "nix"})
    with pytest.raises(InputError, match=r"--column \(columns=\) knows no field 'phone'"):
        read_households(_csv(tmp_path, text), columns={"phone": "户数"})


def test_gcj02_addresses_are_shifted_back(tmp_path):
    x, y = wgs84_to_gcj02(LON, LAT)
    table = read_households(_csv(tmp_path, f"lng,lat\n{x},{y}\n"), datum="GCJ-02")
    np.testing.assert_allclose(_degrees(table.frame), [[LON, LAT]], atol=1e-9)


def test_metres_need_their_system_and_surveyors_x_is_north(tmp_path):
    east = _csv(tmp_path, "x,y\n415000,3078000\n")
    with pytest.raises(CrsError, match="metres of an unknown system: say which"):
        read_households(east)
    with pytest.raises(CrsError, match="coordinate system nonsense is not known"):
        read_households(east, crs="nonsense")
    plain = read_households(east, crs=4547)
    assert plain.frame.crs == "EPSG:4547"
    assert plain.frame.geometry[0].equals(Point(415000, 3078000))
    north = read_households(_csv(tmp_path, "X,Y\n3078000,38415000\n"), crs=4526)
    assert north.frame.geometry[0].equals(Point(38415000, 3078000))
    assert "x is the northing" in north.notes[0]
    with pytest.raises(InputError, match="do not lie where"):
        read_households(_csv(tmp_path, "x,y\n5,90000000\n"), crs=4547)


def test_degrees_called_x_and_y_are_degrees_whatever_the_system(tmp_path):
    table = read_households(_csv(tmp_path, f"x,y\n{LON},{LAT}\n"), crs=4547)
    np.testing.assert_allclose(_degrees(table.frame), [[LON, LAT]], atol=1e-9)


def test_tables_without_coordinates_rows_or_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="has no columns for the coordinates among 地址, 户数"):
        read_households(_csv(tmp_path, "地址,户数\n建设路1号,3\n"))
    with pytest.raises(InputError, match="holds no row below"):
        read_households(_csv(tmp_path, "lon,lat\n,\n"))
    with pytest.raises(InputError, match="is empty"):
        read_households(_csv(tmp_path, "\n"))
    with pytest.raises(InputError, match=r"no row of 住户\.csv can be used: row 2, a coordinate"):
        read_households(_csv(tmp_path, "lon,lat\nx,y\n"))
    with pytest.raises(MissingFileError):
        read_households(tmp_path / "none.csv")
    path = tmp_path / "a.csv"
    path.write_bytes(b"lon,lat\n\xff\xff\xff,1\n")
    with pytest.raises(InputError, match="cannot be decoded: save it as one of utf-8, gb18030"):
        read_households(path)


def _book(tmp_path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    path = tmp_path / "住户.xlsx"
    book.save(path)
    return path


def test_excel_is_read_below_its_title_without_losing_digits(tmp_path):
    rows: list[list[object]] = [
        ["芦淞区住户登记表"],
        [],
        ["编号", "经度", "纬度", "户数"],
        [430203001002003, LON, LAT, 2],
        ["0012", str(LON), str(LAT), "3户"],
        [None, None, LAT, 1],
    ]
    table = read_households(_book(tmp_path, rows))
    assert table.frame["household_id"].tolist() == ["430203001002003", "0012"]
    assert table.frame["households"].tolist() == [2, 3]
    assert table.frame["row"].tolist() == [4, 5]
    assert table.rejected["row"].tolist() == [6]


def test_excel_without_openpyxl_old_or_broken_is_refused(tmp_path, monkeypatch):
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(InputError, match=r"save it as \.xlsx"):
        read_households(tmp_path / "old.xls")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(InputError, match="not a readable Excel file"):
        read_households(tmp_path / "broken.xlsx")
    path = _book(tmp_path, [["lon", "lat"], [LON, LAT]])
    plain_import = builtins.__import__

    def without(name, *rest, **more):
        if name == "openpyxl":
            raise ImportError(name)
        return plain_import(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"install geogrid\[excel\]"):
        read_households(path)


def test_points_of_a_map_file_are_households(tmp_path):
    frame = gpd.GeoDataFrame(
        {"户数": [2, 3, 4, None, 1], "户号": ["a", "b", "b", "d", "e"], "姓名": ["张三"] * 5},
        geometry=np.array(
            [
                Point(LON, LAT),
                box(LON, LAT, LON + 0.001, LAT + 0.001),
                None,
                Point(LON, LAT),
                LineString([(LON, LAT), (LON, LAT + 0.1)]),
            ],
            dtype=object,
        ),
        crs=4326,
    )
    path = tmp_path / "住户.geojson"
    frame.to_file(path)
    table = read_households(path)
    assert table.frame["households"].tolist() == [2, 3]
    assert list(table.frame.columns) == ["households", "household_id", "row", "geometry"]
    assert set(table.frame.geom_type) == {"Point"}
    reasons = dict(zip(table.rejected["row"], table.rejected["reason"], strict=True))
    assert reasons == {
        3: "the feature has no geometry",
        4: "the number of households is blank",
        5: "the feature is a line, not a point",
    }
    assert "1 features are no single points: a point inside was taken" in table.notes


def test_repeated_household_ids_are_counted(tmp_path):
    text = f"户号,lon,lat\na,{LON},{LAT}\na,{LON},{LAT}\n,{LON},{LAT}\n,{LON},{LAT}\n"
    table = read_households(_csv(tmp_path, text))
    assert len(table.frame) == 4
    assert table.notes == (
        "no column gives the number of households: each row counts as one household",
        "1 rows repeat a household_id of an earlier row",
    )


def test_a_column_without_any_household_is_pointed_out(tmp_path):
    text = f"lon,lat,户数\n{LON},{LAT},0\n{LON},{LAT},0\n"
    table = read_households(_csv(tmp_path, text))
    assert len(table.frame) == 2
    assert table.notes == (
        "every row gives 0 households: check which column has them, --column (columns=)",
    )


def test_areas_alone_are_no_households_but_may_be_stations(tmp_path):
    areas = gpd.GeoDataFrame(
        {"户数": [30, 40]}, geometry=[box(LON, LAT, LON + 0.01, LAT + 0.01)] * 2, crs=4326
    )
    path = tmp_path / "网格.geojson"
    areas.to_file(path)
    with pytest.raises(InputError, match=r"网格\.geojson holds areas and no point: give one point"):
        read_households(path)
    assert len(read_stations(path).frame) == 2


def test_rejected_rows_are_listed_for_excel(tmp_path):
    table = read_households(_csv(tmp_path, f"姓名,lon,lat\n张三,{LON},\n李四,{LON},{LAT}\n"))
    path = write_rejected(table.rejected.assign(name="张三"), tmp_path / "rejected.csv")
    assert path.read_bytes() == b"\xef\xbb\xbfrow,reason\n2,a coordinate is blank\n"
    with pytest.raises(OutputError):
        write_rejected(table.rejected, tmp_path / "no" / "rejected.csv")


def test_stations_have_unique_identifiers_names_and_tiers(tmp_path):
    text = f"编号,名称,级别,经度,纬度\nS1,红旗站,社区,{LON},{LAT}\n,白果站,,{LON},{LAT}\n,坏,,,\n"
    table = read_stations(_csv(tmp_path, text))
    assert table.frame["station"].tolist() == ["S1", "3"]
    assert table.frame["name"].tolist() == ["红旗站", "白果站"]
    assert table.frame["tier"].tolist() == ["社区", ""]
    assert table.rejected["row"].tolist() == [4]
    assert table.source.role == "stations"
    bare = read_stations(_csv(tmp_path, f"lon,lat\n{LON},{LAT}\n"))
    assert bare.frame[["station", "name", "tier"]].to_numpy().tolist() == [["2", "", ""]]
    with pytest.raises(InputError, match="station S1 occurs twice"):
        read_stations(_csv(tmp_path, f"code,lon,lat\nS1,{LON},{LAT}\nS1,{LON},{LAT}\n"))


def _square() -> District:
    frame = gpd.GeoDataFrame(geometry=[box(0, 0, 100, 100)], crs=4547)
    return District(limit=MultiPolygon([box(0, 0, 100, 100)]), crs=frame.crs)


def test_households_outside_are_counted_and_listed_without_names(tmp_path):
    frame = gpd.GeoDataFrame(
        {"households": [1, 2, 3], "household_id": ["a", "b", "c"], "row": [2, 3, 4]},
        geometry=[Point(50, 50), Point(100, 100), Point(101, 100)],
        crs=4547,
    )
    inside, outside = split_households(frame, _square())
    assert inside["household_id"].tolist() == ["a", "b"]
    assert outside["household_id"].tolist() == ["c"]
    assert len(inside) + len(outside) == len(frame)
    path = write_outside(outside.assign(name="张三"), tmp_path / "outside.csv")
    assert path.read_bytes().decode("utf-8-sig") == (
        "row,household_id,households,lon,lat\n4,c,3,109.513952,0.000902\n"
    )
    nowhere = gpd.GeoDataFrame({"households": [2]}, geometry=[Point(1, 1)])
    path = write_outside(nowhere, tmp_path / "outside.csv")
    assert path.read_text(encoding="utf-8-sig").splitlines()[1:] == ["0,,2,,"]
    with pytest.raises(OutputError):
        write_outside(outside, tmp_path / "no" / "outside.csv")


def test_households_in_other_systems_are_split_in_the_districts(tmp_path):
    frame = gpd.GeoDataFrame(
        {"households": [1, 1]}, geometry=[Point(50, 50), Point(500, 50)], crs=4547
    )
    inside, outside = split_households(frame.to_crs(4490), _square())
    assert (len(inside), len(outside)) == (1, 1)
    assert inside.crs == "EPSG:4547"
    path = write_outside(outside, tmp_path / "outside.csv")
    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        "row,household_id,households,lon,lat",
        "1,,1,109.517526,0.000451",
    ]


def test_estimated_households_outside_name_their_building(tmp_path):
    buildings = gpd.GeoDataFrame(
        {"osm_id": ["w7"], "building": ["house"]}, geometry=[box(500, 0, 506, 12)], crs=4547
    )
    outside = split_households(estimate_households(buildings), _square())[1]
    path = write_outside(outside, tmp_path / "outside.csv")
    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        "row,building,households,lon,lat",
        "0,w7,1,109.517553,0.000054",
    ]
