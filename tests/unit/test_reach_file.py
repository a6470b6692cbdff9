"""Files of a reach: complete, labelled, and without a household point unless asked for by name."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan
from walk_cases import points, streets

from geogrid.errors import InputError, OutputError
from geogrid.io.files import require_suffix
from geogrid.io.reach_file import (
    cell_layer,
    write_household_table,
    write_lines,
    write_reach_file,
)
from geogrid.io.tier_file import read_tiers
from geogrid.stations.service import served_by_cell
from geogrid.walking import WalkNetwork

END = 4 * SIDE
HOME = (X0 + 717.25, Y0 + 33.125)


def at(*places, **columns):
    return points(*[(X0 + x, Y0 + y) for x, y in places], crs=CRS_ZHUZHOU, **columns)


@pytest.fixture(scope="module")
def plan():
    return make_plan()


@pytest.fixture(scope="module")
def homes():
    places = [(200, 200), (150, 100), (750, 100), (717.25, 33.125), (750, 700), (-20, 300)]
    return at(*places, households=[1, 2, 4, 8, 16, 32], household_id=list("abcdef"))


@pytest.fixture(scope="module")
def reach(homes):
    lines = [[(X0, Y0 + y), (X0 + END, Y0 + y)] for y in (100, 700)]
    walk = WalkNetwork.from_edges(streets(*lines, crs=CRS_ZHUZHOU))
    stations = at((0, 100), (0, 9000), station=["west", "=1+1"])
    return walk.reach(stations, minutes=None, metres=(300, 900), households=homes)


@pytest.fixture(scope="module")
def rankings(reach, plan):
    return {"wei": (plan.cells("wei"), served_by_cell(reach, plan, "wei"))}


def test_shares_are_ranked_and_cells_without_households_come_last(reach, plan):
    table = served_by_cell(reach, plan, "wei")
    assert set(table["limit"]) == {300, 900}
    assert table.attrs["outside"] == 32
    for limit, rows in table.groupby("limit"):
        assert set(rows["code"]) == set(plan.cells("wei")["code"])
        assert (rows["served"] + rows["unserved"] == rows["households"]).all()
        lived = rows[rows["households"] > 0]
        assert (lived["share"].diff().dropna() <= 0).all()
        assert (lived["share"] * lived["households"] == lived["served"]).all()
        assert lived["rank"].iloc[0] == 1
        better = lived["share"].to_numpy()[:, np.newaxis] < lived["share"].to_numpy()
        assert lived["rank"].tolist() == (1 + better.sum(axis=1)).tolist()
        empty = rows[rows["households"] == 0]
        assert (empty["rank"] == 0).all()
        assert rows.index[rows["households"] == 0].min() > lived.index.max()
        assert rows["served"].sum() == reach.by_cell(plan, "wei")[f"served_{limit:g}"].sum()


def test_the_layer_of_cells_has_the_worst_first(rankings):
    layer = cell_layer(*rankings["wei"])
    assert layer["unserved_900"].is_monotonic_decreasing
    assert layer["households"].sum() == 31
    assert (layer["served_300"] <= layer["served_900"]).all()
    cells = rankings["wei"][0].set_index("code").geometry
    assert layer.geometry.geom_equals(cells.reindex(layer["code"]).reset_index(drop=True)).all()


def test_a_geopackage_holds_circles_stations_and_cells_but_no_household(reach, rankings, tmp_path):
    path = write_reach_file(
        reach, tmp_path / "c.gpkg", stations=reach.stations.assign(name="站"), rankings=rankings,
        facts={"数据日期": "2024"},
    )  # fmt: skip
    layers = [name for name, _ in pyogrio.list_layers(path)]
    assert layers == ["circles", "lines", "stations", "cells_wei", "geogrid_meta"]
    stations = pyogrio.read_dataframe(path, layer="stations")
    assert stations["name"].tolist() == ["站", "站"]
    assert stations["status"].tolist() == ["reached", "off_network"]
    assert stations["only_here_900"].tolist() == [15, 0]
    meta = pyogrio.read_dataframe(path, layer="geogrid_meta").set_index("key")["value"]
    told = json.loads(meta["assumptions"])
    assert told["数据日期"] == "2024"
    assert "不含住户点位" in told["sharing"]
    every = [pyogrio.read_dataframe(path, layer=name) for name in layers[:-1]]
    assert not any(_holds(frame, HOME) for frame in every)


def _holds(frame, place):
    xy = frame.geometry.get_coordinates().to_numpy()
    return bool(len(xy)) and bool((np.hypot(*(xy - place).T) < 0.01).any())


def test_a_geojson_is_in_degrees_and_says_what_was_assumed(reach, tmp_path):
    path = write_reach_file(reach, tmp_path / "c.geojson", facts={"步行": "成人"})
    frame = gpd.read_file(path)
    assert frame.crs == 4326
    assert frame["part"].value_counts().to_dict() == {"circle": 2, "station": 2}
    assert frame.total_bounds[0] > 100
    page = json.loads(path.read_text(encoding="utf-8"))
    assert page["assumptions"]["步行"] == "成人"
    assert page["assumptions"]["direction"] == "to_station"
    back = frame[frame["part"] == "circle"].to_crs(reach.circles.crs)
    assert back.geometry.area.tolist() == pytest.approx(reach.circles.area.tolist(), rel=1e-4)


def test_a_workbook_has_a_sheet_each_and_no_formula(reach, rankings, tmp_path):
    path = write_reach_file(reach, tmp_path / "c.xlsx", rankings=rankings)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["服务站", "wei 覆盖率排名", "wei 盲区排名", "说明"]
    head = [cell.value for cell in book["服务站"][1]]
    assert {"编号", "可达户数 300", "关停影响户数 900", "在数据边缘被截断"} <= set(head)
    assert book["服务站"]["A3"].value == "=1+1"
    assert book["服务站"]["A3"].data_type == "s"
    worst = pd.read_excel(path, sheet_name="wei 盲区排名")
    for _, rows in worst.groupby("时限"):
        assert rows["盲区户数"].is_monotonic_decreasing
    about = dict(pd.read_excel(path, sheet_name="说明").itertuples(index=False))
    assert "公开前请隐去" in about["sharing"]


def test_the_private_list_has_one_row_a_household(reach, homes, tmp_path):
    table = pd.read_csv(write_household_table(reach, homes, tmp_path / "h.csv"))
    assert table["household_id"].tolist() == list("abcdef")
    assert table["served_300"].tolist() == reach.households["served_300"].tolist()
    assert table["status"].tolist() == reach.households["status"].tolist()
    assert "geometry" not in table
    with pytest.raises(OutputError, match="csv"):
        write_household_table(reach, homes, tmp_path / "h.xlsx")


def test_lines_are_written_with_their_endless_savings_left_open(reach, tmp_path):
    frame = reach.lines.iloc[:2].assign(saved_m=[np.inf, 5.0], kind="gate", kind_zh="开门")
    page = json.loads(write_lines(frame, tmp_path / "l.geojson", {}).read_text(encoding="utf-8"))
    assert [one["properties"]["saved_m"] for one in page["features"]] == [None, 5.0]
    path = write_lines(frame, tmp_path / "l.gpkg", {})
    assert len(pyogrio.read_dataframe(path, layer="lines")) == 2
    book = openpyxl.load_workbook(write_lines(frame, tmp_path / "l.xlsx", {"步行": "成人"}))
    assert "类型" in [cell.value for cell in book["清单"][1]]


def test_other_names_are_refused_before_the_work(tmp_path):
    with pytest.raises(OutputError, match=r"\.gpkg or \.geojson"):
        require_suffix(tmp_path / "c.shp", (".gpkg", ".geojson"), what="circles")


def test_tiers_are_read_from_words_presets_and_files(tmp_path):
    assert read_tiers([]) is None
    assert read_tiers(["community15"]).key == "community15"
    words = read_tiers(["15=社区，中心", "5="])
    assert dict(words.tiers) == {15.0: ("社区", "中心"), 5.0: None}
    file = tmp_path / "级别.toml"
    file.write_text('15 = ["社区", "中心"]\n5 = []\n', encoding="utf-8")
    assert dict(read_tiers([str(file)]).tiers) == dict(words.tiers)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "neither a tier preset"),
        (["15=a", "b"], "names no limit"),
        (["15=a", "15=b"], "twice"),
        (["x=a"], "no limit in minutes"),
    ],
)
def test_words_that_are_no_tiers_are_refused(words, message):
    with pytest.raises(InputError, match=message):
        read_tiers(words)


@pytest.mark.parametrize("text", ["15 = ", "15 = 3", "", "15 = [3]"])
def test_files_that_are_no_tiers_are_refused(text, tmp_path):
    file = tmp_path / "t.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"t\.toml"):
        read_tiers([str(file)])
