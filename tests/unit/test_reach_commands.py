"""``geogrid circles``, ``why`` and ``links`` as a planner runs them."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from geogrid.cli import main
from geogrid.errors import OutputError
from geogrid.io.limit import read_limit
from geogrid.io.plan_file import write_plan
from geogrid.maps import circle_sheets
from geogrid.osm import read_osm
from geogrid.stations._street_sites import street_sites
from geogrid.walking import WalkNetwork
from geogrid.workflow import divide_district


def ran(capsys, *words):
    try:
        code = main([str(word) for word in words])
    except SystemExit as stopped:
        code = stopped.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def found(capsys, *words):
    code, out, err = ran(capsys, *words, "--json")
    assert not err
    return code, json.loads(out)


@pytest.fixture(scope="module")
def extract(helsinki_osm):
    return read_osm(helsinki_osm)


@pytest.fixture(scope="module")
def folder(extract, helsinki_osm, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reach")
    network = WalkNetwork.from_osm(extract)
    sites = street_sites(network, spacing_m=500).to_crs(4326)
    table = pd.DataFrame(
        {
            "编号": [f"S{number}" for number in range(len(sites))],
            "名称": [f"第{number}服务站" for number in range(len(sites))],
            "类别": ["社区" if number % 2 else "站" for number in range(len(sites))],
            "经度": sites.geometry.x,
            "纬度": sites.geometry.y,
        }
    )
    table.iloc[:4].to_csv(folder / "stations.csv", index=False)
    far = table.iloc[[0]].assign(编号="far", 经度=25.0)
    bad = table.iloc[[1]].assign(编号="bad", 经度="x")
    pd.concat([table.iloc[:2], far, bad]).to_csv(folder / "doubtful.csv", index=False)
    same = pd.concat([table.iloc[[0]]] * 2000).assign(编号=[f"T{n}" for n in range(2000)])
    same.to_csv(folder / "same.csv", index=False)
    homes = street_sites(network, spacing_m=60).to_crs(4326)
    rows = pd.DataFrame(
        {"户号": [f"H{n}" for n in range(len(homes))], "经度": homes.geometry.x,
         "纬度": homes.geometry.y, "户数": np.arange(len(homes)) % 7}
    )  # fmt: skip
    rows.to_csv(folder / "homes.csv", index=False)
    rows.assign(经度=[""] * 3 + rows["经度"].tolist()[3:]).to_csv(folder / "gaps.csv", index=False)
    limit = read_limit(helsinki_osm.parent / "limit.geojson").district
    write_plan(divide_district(limit, extract).plan, folder / "plan.gpkg")
    return folder


@pytest.fixture
def base(folder, helsinki_osm):
    return ("--stations", folder / "stations.csv", "--osm", helsinki_osm)


def test_circles_become_files_tables_and_a_ranking(base, folder, tmp_path, capsys):
    outs = [tmp_path / name for name in ("c.gpkg", "c.geojson", "c.xlsx")]
    words = ("circles", *base, "--households", folder / "homes.csv", "--plan", folder / "plan.gpkg")
    for out in outs:
        words += ("--out", out)
    code, told = found(capsys, *words, "--map", tmp_path / "m.html")
    assert code == 0
    assert [row["limit"] for row in told["limits"]] == [5, 15]
    five, fifteen = told["limits"]
    assert five["served"] <= fifteen["served"]
    assert five["served"] + five["unserved"] == told["households"] > 0
    assert told["facts"]["步行 walking"] == "成人步行，4.8 km/h，5分钟、15分钟 = 400 m、1200 m"
    assert told["facts"]["数据日期 data date"] == "2019-04-21"
    assert set(told["ranking"]) == {"zong", "yiban", "wei"}
    for key, rows in told["ranking"].items():
        inside = sum(row["households"] for row in rows if row["limit"] == 15)
        assert inside + told["households_in_no_cell"][key] == told["households"]
    assert {"households_5", "nearest_15", "only_here_15"} <= set(told["stations_list"][0])
    nearest = sum(row["nearest_15"] for row in told["stations_list"])
    assert nearest == fifteen["served"]
    layers = [name for name, _ in pyogrio.list_layers(outs[0])]
    assert layers[:6] == ["circles", "lines", "stations", "cells_zong", "cells_yiban", "cells_wei"]
    assert gpd.read_file(outs[1]).crs == 4326
    assert "wei 盲区排名" in openpyxl.load_workbook(outs[2]).sheetnames
    assert "成人步行" in (tmp_path / "m.html").read_text(encoding="utf-8")


def test_the_leader_reads_one_ranking(base, folder, tmp_path, capsys):
    words = ("circles", *base, "--plan", folder / "plan.gpkg", "--out", tmp_path / "c.gpkg")
    _, out, _ = ran(capsys, *words)
    assert out.count("服务覆盖率排名") == 1
    assert "各一般网格服务覆盖率排名" in out
    assert "估算" in out
    assert "关停影响" in out
    _, out, _ = ran(capsys, *words, "--level", "微网格", "--level", "zong")
    assert out.count("服务覆盖率排名") == 2
    assert "各微网格服务覆盖率排名" in out


def test_no_household_point_is_in_a_file_but_the_private_list(base, folder, tmp_path, capsys):
    homes = pd.read_csv(folder / "homes.csv")
    words = ("circles", *base, "--households", folder / "homes.csv", "--out", tmp_path / "c.gpkg")
    _, out, _ = ran(capsys, *words, "--household-table", tmp_path / "h.csv")
    assert "不得外传" in out
    table = pd.read_csv(tmp_path / "h.csv")
    assert table["household_id"].tolist() == homes["户号"].tolist()
    assert (table["served_5"] <= table["served_15"]).all()
    stations = pyogrio.read_dataframe(tmp_path / "c.gpkg", layer="stations")
    assert len(stations) == 4
    assert b"H17" not in (tmp_path / "c.gpkg").read_bytes()


def test_tiers_speed_direction_and_metres_are_obeyed(base, folder, tmp_path, capsys):
    out = ("--households", folder / "homes.csv", "--out", tmp_path / "c.gpkg")
    plain = found(capsys, "circles", *base, *out)[1]
    tiers = found(capsys, "circles", *base, *out, "--tiers", "15=社区")[1]
    assert tiers["served"]["15"] <= plain["served"]["15"]
    assert tiers["served"]["5"] == plain["served"]["5"]
    assert tiers["facts"]["计入站点 tiers"] == "15: 社区"
    slow = found(capsys, "circles", *base, *out, "--speed", "2.4", "--minutes", "5")[1]
    metres = found(capsys, "circles", *base, *out, "--metres", "200")[1]
    assert slow["served"]["5"] == metres["served"]["200"] < plain["served"]["5"]
    away = found(capsys, "circles", *base, *out, "--direction", "from_station")[1]
    assert "由服务站走向住户" in away["facts"]["方向 direction"]


def test_pictures_are_written_together(base, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(circle_sheets, "require_drawing", lambda: "DejaVu Sans")
    pictures = [("a.png", b"1"), ("b.png", b"2")]
    monkeypatch.setattr(circle_sheets, "circle_sheets", lambda *_, **__: iter(pictures))
    words = ("circles", *base, "--out", tmp_path / "c.gpkg", "--pictures", tmp_path / "p")
    assert found(capsys, *words)[0] == 0
    assert sorted(file.name for file in (tmp_path / "p").iterdir()) == ["a.png", "b.png"]


def test_pictures_without_a_font_are_refused_before_the_work(base, tmp_path, capsys, monkeypatch):
    def refuse():
        msg = "no font here has Chinese signs"
        raise OutputError(msg)

    monkeypatch.setattr(circle_sheets, "require_drawing", refuse)
    words = ("circles", *base, "--out", tmp_path / "c.gpkg", "--pictures", tmp_path / "p")
    code, _, err = ran(capsys, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert not list(tmp_path.iterdir())


def test_nothing_is_dropped_silently(folder, helsinki_osm, tmp_path, capsys):
    base = ("--stations", folder / "doubtful.csv", "--osm", helsinki_osm)
    words = ("circles", *base, "--households", folder / "gaps.csv", "--out", tmp_path / "c.gpkg")
    code, told = found(capsys, *words)
    assert code == 1
    assert told["off_network"] == ["far"]
    assert told["rejected"] == 1 + 3
    notes = "\n".join(told["notes"])
    assert "服务站 stations: 第 5 行" in notes
    for row in (2, 3, 4):
        assert f"住户 households: 第 {row} 行" in notes
    _, out, _ = ran(capsys, *words)
    assert "station far" in out
    assert "截断" in out


def test_thousands_of_stations_at_one_place_are_measured(folder, helsinki_osm, tmp_path, capsys):
    words = ("circles", "--stations", folder / "same.csv", "--osm", helsinki_osm, "--minutes", 3,
             "--cell", 10, "--households", folder / "homes.csv",
             "--out", tmp_path / "c.geojson")  # fmt: skip
    code, told = found(capsys, *words)
    assert (code, told["stations"]) == (0, 2000)
    loads = {row["households_3"] for row in told["stations_list"]}
    assert len(loads) == 1
    assert sum(row["nearest_3"] for row in told["stations_list"]) == told["served"]["3"]
    assert all(row["only_here_3"] == 0 for row in told["stations_list"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--minutes", "0"), "cannot be walked"),
        (("--minutes", "-5"), "cannot be walked"),
        (("--minutes", "5", "--metres", "300"), "not allowed"),
        (("--preset", "adult", "--speed", "5"), "not allowed"),
        (("--metres", "0"), "positive"),
        (("--speed", "0"), "walking speed"),
        (("--cell", "0"), "cell"),
        (("--tiers", "village"), "neither a tier preset"),
        (("--tiers", "15=镇"), "no station has the tier"),
        (("--map", "m.png"), "a map"),
        (("--level", "zong"), "--plan"),
        (("--household-table", "h.csv"), "--households"),
        (("--column", "households=户数"), "--households"),
        (("--out", "c.shp"), r".gpkg"),
        (("--heights", "none.asc"), "no file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(base, tmp_path, capsys, more, message):
    code, _, err = ran(capsys, "circles", *base, "--out", tmp_path / "c.gpkg", *more)
    assert code == 2
    assert err.count("\n") == 1
    assert message in err
    assert not list(tmp_path.iterdir())


def test_no_input_is_written_over(folder, base, capsys):
    before = (folder / "plan.gpkg").read_bytes()
    words = ("circles", *base, "--plan", folder / "plan.gpkg", "--out", folder / "plan.gpkg")
    code, _, err = ran(capsys, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert "overwritten" in err
    assert (folder / "plan.gpkg").read_bytes() == before


def test_a_map_without_a_plan_is_a_page(base, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    try:
        circle_sheets.require_drawing()
    except OutputError:
        pytest.skip("no font with Chinese signs is installed (Debian: fonts-noto-cjk)")
    words = ("circles", *base, "--out", tmp_path / "c.gpkg", "--map", tmp_path / "m.html")
    assert found(capsys, *words)[0] == 0
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert "第0服务站" in page
    assert "2019-04-21" in page
    assert "成人步行" in page


def test_a_place_is_told_why(base, extract, tmp_path, capsys):
    home = extract.buildings.geometry.representative_point().to_crs(4326).iloc[0]
    place = (home.x, home.y)
    out = tmp_path / "w.geojson"
    code, told = found(capsys, "why", *place, *base, "--minutes", 1, 60, "--out", out)
    near, far = told["answers"]
    assert code == 1
    assert (near["answer"], far["answer"]) == ("too_far", "served")
    assert near["metres"] == far["metres"]
    assert near["missing_m"] == pytest.approx(near["metres"] - 80)
    walk = gpd.read_file(out).to_crs(extract.crs)
    assert walk.geometry.length.tolist() == pytest.approx([near["metres"]] * 2, rel=1e-3)
    text = ran(capsys, "why", *place, *base, "--minutes", 1)[1]
    assert near["text_zh"] in text
    assert near["text_en"] in text
    assert "数据日期" in text


def test_places_that_are_none_are_refused(base, capsys):
    assert "longitude first" in ran(capsys, "why", 500, 100, *base)[2]
    assert " km " in ran(capsys, "why", 113.1, 27.8, *base)[2]


def test_links_are_listed_and_written(base, tmp_path, capsys):
    outs = ("--out", tmp_path / "l.gpkg", "--out", tmp_path / "l.xlsx")
    words = ("links", *base, "--minutes", 5, 9, *outs)
    code, told = found(capsys, *words)
    assert code == 0
    count = sum(len(plan["links"]) for plan in told["limits"])
    assert count
    assert len(pyogrio.read_dataframe(tmp_path / "l.gpkg", layer="lines")) == count
    for plan in told["limits"]:
        gain = sum(link["newly_served"] for link in plan["links"])
        assert plan["served_before"] + gain == plan["served_after"] <= plan["households"]
    _, out, _ = ran(capsys, *words)
    assert "新增户数" in out
    assert "nobody has looked whether they can be built" in out


def test_links_without_a_gain_are_said_to_be_none(base, folder, tmp_path, capsys):
    words = ("links", *base, "--households", folder / "homes.csv", "--metres", "30000")
    _, out, _ = ran(capsys, *words, "--out", tmp_path / "l.gpkg")
    assert "没有能增加服务户数的连线" in out
    assert shapely.is_empty(
        pyogrio.read_dataframe(tmp_path / "l.gpkg", layer="lines").geometry
    ).all()
