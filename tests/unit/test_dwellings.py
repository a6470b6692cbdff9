"""Compound, building, entrance, floor and shops of a household, read as they were typed."""

from __future__ import annotations

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from geogrid.divide import divide
from geogrid.divide._told_names import read_told
from geogrid.io.tables import read_households
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

LON, LAT = 113.15, 27.82
HOUSE = Level(
    key="loudong", name="楼栋", contract=Contract.HOUSEHOLD, name_template="{parent}{n}栋"
)
COMPOUND = Level(key="xiaoqu", name="小区", contract=Contract.HOUSEHOLD)


def table_of(tmp_path, header, *rows):
    path = tmp_path / "住户.csv"
    lines = [f"{header},经度,纬度", *(f"{row},{LON},{LAT}" for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_households(path)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("楼栋", "building"), ("栋", "building"), ("幢号", "building"), ("楼号", "building"),
        ("单元号", "entrance"), ("楼层/层", "floor"), ("层", "floor"), ("小区（院落）", "compound"),
        ("院落", "compound"), ("building", "building"), ("Entrance", "entrance"),
    ],
)  # fmt: skip
def test_headers_of_both_languages_are_found_and_texts_stay_texts(tmp_path, header, field):
    table = table_of(tmp_path, header, "01", "1")
    assert table.frame[field].tolist() == (["1", "1"] if field == "floor" else ["01", "1"])


def test_columns_that_are_not_there_are_not_made_up(tmp_path):
    table = table_of(tmp_path, "户数", "3")
    assert list(table.frame.columns) == ["households", "row", "geometry"]


def test_a_number_in_a_sheet_is_no_decimal_and_text_keeps_its_zeros(tmp_path):
    book = openpyxl.Workbook()
    for row in (["楼栋", "单元", "经度", "纬度"], [3.0, "01", LON, LAT], ["A座", 2, LON, LAT]):
        book.active.append(row)
    book.save(tmp_path / "h.xlsx")
    frame = read_households(tmp_path / "h.xlsx").frame
    assert frame["building"].tolist() == ["3", "A座"]
    assert frame["entrance"].tolist() == ["01", "2"]


def test_floors_are_numbers_however_they_are_written(tmp_path):
    rows = [
        "3层",
        "12F",
        "B1",
        "-2",
        "负一层",
        "地下2层",
        "十二层",
        "二十一楼",
        "第3层",
        "",
        "跃层",
    ]
    table = table_of(tmp_path, "楼层,户号", *(f"{text},h{at}" for at, text in enumerate(rows)))
    told = ["3", "12", "-1", "-2", "-1", "-2", "12", "21", "3", "", ""]
    assert table.frame["floor"].tolist() == told
    assert len(table.frame) == len(rows)
    (said,) = (note for note in table.notes if "floor" in note)
    assert said.startswith("column 楼层 (as 楼层 floor) names no floor by number in row 12: these")


def test_one_building_written_in_two_ways_is_pointed_out_and_not_guessed(tmp_path):
    table = table_of(tmp_path, "栋", "3栋", "3", "03", "4")
    assert table.frame["building"].tolist() == ["3栋", "3", "03", "4"]
    assert any("writes 1 values in several ways (03/3/3栋)" in note for note in table.notes)


def test_a_column_that_was_merged_over_rows_is_pointed_out(tmp_path):
    table = table_of(tmp_path, "栋,户号", "3,a", ",b", ",c")
    assert any("blank in 2 rows, first ones: 3, 4 (merged cells" in note for note in table.notes)


def test_sorts_of_houses_are_no_names_of_buildings(tmp_path):
    table = table_of(tmp_path, "building", "yes", "apartments")
    assert "building" not in table.frame
    assert any("the sort of house and not which one" in note for note in table.notes)


def test_shops_are_counted_and_wrong_numbers_are_told_by_row(tmp_path):
    table = table_of(tmp_path, "商户数,户号", "12家,a", ",b", "约3,c")
    assert table.frame["merchants"].tolist() == [12, 0, 0]
    assert table.frame["households"].tolist() == [1, 1, 1]
    assert any("商户数 merchants) is not a whole number from 0 in row 4" in n for n in table.notes)
    named = table_of(tmp_path, "商户", "张记餐馆")
    assert "merchants" not in named.frame
    assert any("gives no number: shops are not counted" in note for note in named.notes)
    assert "张记" not in " ".join(named.notes)


def test_one_number_of_two_distant_buildings_is_pointed_out(tmp_path):
    path = tmp_path / "h.csv"
    path.write_text(f"栋,lon,lat\n3,{LON},{LAT}\n3,{LON + 0.01},{LAT}\n", encoding="utf-8")
    assert any(
        "more than 300 m apart, first ones: 3" in note for note in read_households(path).notes
    )


def names_of(level, values, parents):
    told = read_told(level, pd.array(values, dtype=object), range(len(values)), parents)
    places = told.places([7] * len(values))
    made = [f"{parent}{n}栋" for parent, n in zip(parents, places, strict=True)]
    return told.names(made, parents)


def test_buildings_are_called_what_their_people_call_them():
    values = ["3栋", "05", "A座", "w123456", "", "金谷·2栋"]
    assert names_of(HOUSE, values, ["园"] * 6) == [
        "园3栋", "园05栋", "园A座", "园7栋", "园未注明楼栋", "园金谷·2栋",
    ]  # fmt: skip
    assert names_of(HOUSE, ["金谷·2栋"], ["东街金谷"]) == ["东街金谷2栋"]
    assert names_of(COMPOUND, ["金谷花园"], ["东街"]) == ["金谷花园"]
    assert names_of(HOUSE, ["w123456", ""], ["园"] * 2) == ["园7栋"] * 2


def test_entrance_ten_comes_after_entrance_two():
    frame = gpd.GeoDataFrame(
        {"atom_id": ["a"], "households": [0]}, geometry=[shapely.box(0, 0, 100, 100)]
    )
    four = HouseholdBand(low=4, high=4)
    scheme = Scheme(
        key="s", title="",
        levels=(
            Level(key="zu", name="组"),
            Level(key="lin", name="邻", contract=Contract.ROSTER, band=four),
        ),
    )  # fmt: skip
    homes = gpd.GeoDataFrame(
        {
            "household_id": [f"h{at}" for at in range(8)],
            "building": "3栋",
            "entrance": ["10单元", "2单元", "1单元", "9单元"] * 2,
        },
        geometry=[shapely.Point(50, 50)] * 8,
    )
    plan = divide(None, Atoms.from_frame(frame), scheme, households=homes)
    groups = plan.members("lin").groupby("code")["household_id"].agg(set).tolist()
    assert groups == [{"h1", "h2", "h5", "h6"}, {"h0", "h3", "h4", "h7"}]
