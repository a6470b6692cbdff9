"""``geogrid site`` as a planner runs it, and the files that it writes."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan
from walk_cases import points, streets

from geogrid import site_stations
from geogrid.cli import main
from geogrid.errors import OutputError
from geogrid.io.plan_file import write_plan
from geogrid.io.siting_file import write_siting
from geogrid.osm import read_osm
from geogrid.stations._street_sites import street_sites
from geogrid.walking import WalkNetwork

END = 4 * SIDE


def ran(capsys, *words):
    try:
        code = main(["site", *map(str, words)])
    except SystemExit as stopped:
        code = stopped.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def network(helsinki_osm):
    return WalkNetwork.from_osm(read_osm(helsinki_osm))


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    sites = street_sites(network, spacing_m=350)
    names = [f"闲置房屋{number}" for number in range(len(sites))]
    sites.assign(name=names).to_file(folder / "premises.gpkg")
    homes = street_sites(network, spacing_m=60)
    homes.assign(households=np.arange(len(homes)) % 7).to_file(folder / "homes.gpkg")
    sites.iloc[[0]].to_file(folder / "stations.gpkg")
    far = shapely.affinity.translate(sites.geometry.iloc[0], 0, 3000)
    more = gpd.GeoDataFrame({"station": ["far"]}, geometry=[far], crs=sites.crs)
    pd.concat([sites, more]).to_file(folder / "far.gpkg")
    return folder


@pytest.fixture
def words(files, helsinki_osm):
    return ("--osm", helsinki_osm, "--candidates", files / "premises.gpkg",
            "--households", files / "homes.gpkg")  # fmt: skip


def test_sites_are_ranked_and_the_proof_is_said(words, capsys, tmp_path):
    out = tmp_path / "s.gpkg"
    code, text, _ = ran(capsys, *words, "-k", 3, "--minutes", 5, "--out", out)
    assert code == 0
    assert "已证明最优：3 处新站不可能新增更多 proven: no choice of 3 serves more" in text
    assert "闲置房屋" in text
    assert "步行 5 分钟 min: 原已服务 before 0" in text
    assert out.exists()


def test_json_holds_objective_bound_and_gap(words, files, capsys, tmp_path):
    out = tmp_path / "s.gpkg"
    stations = ("--stations", files / "stations.gpkg")
    code, text, _ = ran(
        capsys, *words, *stations, "--share", 0.5, "--metres", 300, "--out", out, "--json"
    )
    facts = json.loads(text)
    assert code == 0
    assert facts["kind"] == "share"
    assert facts["objective"] == facts["bound"] == len(facts["chosen"])
    assert facts["gap"] == 0
    assert facts["served_before"] > 0
    assert facts["served_after"] >= facts["target"] == -(-facts["households"] // 2)
    assert not facts["is_estimated"]
    assert facts["files"] == {"s.gpkg": str(out)}


def test_estimated_households_are_said_to_be(helsinki_osm, capsys, tmp_path):
    out = tmp_path / "s.gpkg"
    spacing = ("--spacing", 400, "--time-limit", 0, "--objective", "median", "--metres", 500)
    code, text, _ = ran(capsys, "--osm", helsinki_osm, "-k", 1, *spacing, "--out", out)
    assert code == 0
    assert "估算 estimated" in text
    assert "平均步行" in text


def test_candidates_off_the_network_are_findings(words, files, capsys, tmp_path):
    given = (*words[:2], "--candidates", files / "far.gpkg", *words[4:])
    code, text, _ = ran(capsys, *given, "-k", 1, "--out", tmp_path / "s.gpkg", "--json")
    assert code == 1
    assert json.loads(text)["off_network"] == ["far"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-k", 2, "--share", 0.5), "k and share are both given"),
        ((), "k and share are neither given"),
        (("-k", 900), "900 stations cannot be chosen from"),
        (("--share", 1, "--metres", 10), "is the greatest share"),
        (("-k", 2, "--minutes", 5, "--metres", 300), "both given"),
        (("-k", 2, "--metres", "far"), "no number"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(words, more, said, capsys, tmp_path):
    code, _, error = ran(capsys, *words, *more, "--out", tmp_path / "s.gpkg")
    assert code == 2
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_names_that_cannot_be_written_are_refused_before_the_work(words, capsys, tmp_path):
    code, _, error = ran(capsys, *words, "-k", 1, "--out", tmp_path / "s.shp")
    assert code == 2
    assert "use .gpkg or .xlsx" in error
    code, _, error = ran(capsys, *words, "-k", 1, "--out", words[3])
    assert code == 2
    assert "would be overwritten" in error


@pytest.fixture(scope="module")
def siting():
    def at(*places, **columns):
        return points(*[(X0 + x, Y0 + y) for x, y in places], crs=CRS_ZHUZHOU, **columns)

    lines = [[(X0, Y0 + y), (X0 + END, Y0 + y)] for y in (100, 300)]
    lines += [[(X0, Y0 + 100), (X0, Y0 + 300)]]
    walk = WalkNetwork.from_edges(streets(*lines, crs=CRS_ZHUZHOU))
    homes = at((50, 100), (750, 100), (50, 300), households=[10, 20, 5])
    sites = at((60, 100), (700, 100), station=["=1+1", "东"])
    return site_stations(walk, sites, k=2, households=homes, metres=100)


def test_files_hold_counts_by_cell_and_no_household(siting, tmp_path):
    path = write_siting(siting, tmp_path / "s.gpkg", plan=make_plan(), level="wei")
    layers = {name for name, _ in pyogrio.list_layers(path)}
    assert layers == {"chosen", "candidates", "cells", "newly_served", "geogrid_meta"}
    cells = gpd.read_file(path, layer="cells")
    assert (cells["newly_served"].sum(), cells["unserved"].sum()) == (30, 5)
    assert set(cells.geom_type) == {"Polygon"}
    chosen = gpd.read_file(path, layer="chosen")
    assert chosen["station"].tolist() == ["东", "=1+1"]
    meta = gpd.read_file(path, layer="geogrid_meta")
    facts = dict(zip(meta["key"], map(json.loads, meta["value"]), strict=True))
    assert (facts["objective"], facts["bound"], facts["gap"]) == (30, 30, 0)


def test_a_workbook_has_chinese_headings_and_no_formula(siting, tmp_path):
    path = write_siting(siting, tmp_path / "s.xlsx", plan=make_plan(), level="zong")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["选址", "候选点", "分网格", "新增明细"]
    rows = list(book["选址"].values)
    assert rows[0][:4] == ("序号", "编号", "新增服务户数", "累计新增")
    assert rows[2][:3] == (2, "=1+1", 10)
    assert book["选址"]["B3"].data_type == "s"
    with pytest.raises(OutputError, match=r"use \.gpkg or \.xlsx"):
        write_siting(siting, tmp_path / "s.csv")


def test_a_plan_of_another_place_is_counted_outside(words, capsys, tmp_path):
    plan = tmp_path / "plan.gpkg"
    write_plan(make_plan(), plan)
    out = tmp_path / "s.gpkg"
    code, text, _ = ran(
        capsys, *words, "-k", 1, "--plan", plan, "--level", "总网格", "--out", out, "--json"
    )
    assert code == 0
    cells = json.loads(text)["cells"]
    assert [cell["code"] for cell in cells] == ["430201", "430202"]
    assert sum(cell["households"] for cell in cells) == 0
    facts = json.loads(text)
    assert facts["households_in_no_cell"] == facts["households"]
    assert any("in no cell" in note for note in facts["notes"])
