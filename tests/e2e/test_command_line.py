"""The command line on the data that ships and on real extracts, as a user runs it."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys

import geopandas as gpd
import pyogrio
import pytest
import shapely
from shapely import box
from shapely.affinity import translate

from geogrid.cli import main
from geogrid.osm import read_osm


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--out", str(folder), "--quiet"]) == 0
    return folder


def output_of(capsys, *words):
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def refusal_of(capsys, *words):
    """Run what must be refused; return its one line."""
    code = main([*map(str, words)])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


def run_in_process(*words):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "geogrid", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_needs_nothing_heavy():
    code = (
        "import sys; from geogrid.cli import make_parser; make_parser().format_help(); "
        "print({'numpy', 'pandas', 'geopandas', 'shapely', 'rich'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.strip() == "set()"


def test_the_demo_is_proven_and_its_map_needs_no_network(demo):
    assert sorted(path.name for path in demo.iterdir()) == ["map.html", "plan.gpkg"]
    page = (demo / "map.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "© OpenStreetMap contributors" in page
    assert "估算" in page


def test_check_proves_the_plan_again_from_the_file_alone(demo, capsys):
    code, found = output_of(capsys, "check", demo / "plan.gpkg")
    assert code == 0
    assert found["is_proven"]
    assert found["gaps_m2"] == found["overlaps_m2"] == found["outside_m2"] == 0
    assert [proof["level"] for proof in found["certificate"]["levels"]] == ["zong", "yiban", "wei"]
    assert len({proof["households"] for proof in found["certificate"]["levels"]}) == 1
    assert found["faults"] == []


def edited(demo, tmp_path, statement):
    copy = tmp_path / "edited.gpkg"
    copy.write_bytes((demo / "plan.gpkg").read_bytes())
    with sqlite3.connect(copy) as base:
        for name in [row[0] for row in base.execute(
            "select name from sqlite_master where type='trigger' and name like 'rtree_%'"
        )]:  # fmt: skip
            base.execute(f'drop trigger "{name}"')
        base.execute(statement)
    base.close()
    return copy


def test_a_deleted_cell_is_found_with_the_people_in_it(demo, tmp_path, capsys):
    cells = pyogrio.read_dataframe(demo / "plan.gpkg", layer="wei")
    lost = cells.sort_values("households").iloc[-1]
    copy = edited(demo, tmp_path, f"delete from wei where code = '{lost['code']}'")  # noqa: S608
    code, found = output_of(capsys, "check", copy)
    assert code == 1
    assert not found["is_proven"]
    gap = found["defects"][0]
    assert gap["level"] == "wei"
    assert gap["kind"] in {"gap", "inside_short"}
    assert gap["households"] == lost["households"]
    assert gap["area_m2"] == pytest.approx(lost.geometry.area)
    assert any("not those" in fault for fault in found["faults"])


def test_a_border_moved_by_a_metre_names_both_cells(demo, tmp_path, capsys):
    plan = demo / "plan.gpkg"
    cells = pyogrio.read_dataframe(plan, layer="wei")
    row = int(cells.geometry.area.argmax())
    moved = translate(cells.geometry.iloc[row], 1.0, 0.0)
    shapes = cells.geometry.to_numpy().copy()
    shapes[row] = moved
    copy = tmp_path / "moved.gpkg"
    copy.write_bytes(plan.read_bytes())
    pyogrio.write_dataframe(cells.set_geometry(shapes), copy, layer="wei")
    code, found = output_of(capsys, "check", copy, "--report", tmp_path / "defects.gpkg")
    assert code == 1
    kinds = {defect["kind"] for defect in found["defects"]}
    assert {"overlap", "spans_parents"} <= kinds
    named = {name for defect in found["defects"] for name in defect["cells"]}
    assert cells["code"].iloc[row] in named
    assert len(named) > 1
    assert len(pyogrio.read_dataframe(tmp_path / "defects.gpkg")) == len(found["defects"])


def test_a_plan_edited_elsewhere_is_neither_drawn_nor_asked(demo, tmp_path, capsys):
    copy = edited(demo, tmp_path, "delete from wei where rowid = 1")
    page = tmp_path / "map.html"
    for words in (("map", copy, "--out", page), ("where", copy, 24.945, 60.17), ("serve", copy)):
        assert "geogrid check" in refusal_of(capsys, *words)
    assert not page.exists()


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("update wei set code = (select max(code) from wei) where rowid = 1", "more than once"),
        ("update wei set households = households + 1", "do not add up"),
        ("alter table wei drop column parent", "no column parent"),
    ],
)
def test_broken_attributes_are_faults_though_the_cover_is_proven(
    demo, tmp_path, capsys, statement, fault
):
    copy = edited(demo, tmp_path, statement)
    code, found = output_of(capsys, "check", copy)
    assert code == 1
    assert any(fault in one for one in found["faults"]), found["faults"]


def test_a_lost_parent_is_a_gap_and_its_children_are_orphans(demo, tmp_path, capsys):
    copy = edited(demo, tmp_path, "delete from yiban where rowid = 3")
    code, found = output_of(capsys, "check", copy)
    assert code == 1
    by_level = {(defect["level"], defect["kind"]) for defect in found["defects"]}
    assert ("wei", "spans_parents") in by_level
    assert {("yiban", "gap"), ("yiban", "inside_short")} & by_level


def test_a_layer_saved_in_degrees_is_brought_back_before_it_is_judged(demo, tmp_path, capsys):
    copy = tmp_path / "degrees.gpkg"
    copy.write_bytes((demo / "plan.gpkg").read_bytes())
    cells = pyogrio.read_dataframe(copy, layer="wei").to_crs(4326)
    pyogrio.write_dataframe(cells, copy, layer="wei")
    code, found = output_of(capsys, "check", copy)
    assert code in {0, 1}
    assert not any(defect["area_m2"] > 1 for defect in found["defects"])


def test_any_polygon_layer_can_be_checked(tmp_path, capsys):
    file = tmp_path / "网格.shp"
    squares = gpd.GeoDataFrame(
        {"网格编码": ["甲", "乙"]},
        geometry=[box(411000, 3076000, 411100, 3076100), box(411099, 3076000, 411200, 3076100)],
        crs=4547,
    )
    squares.to_file(file, encoding="GB18030", engine="pyogrio")
    code, found = output_of(capsys, "check", file)
    assert code == 1
    assert found["overlaps_m2"] == pytest.approx(100)
    assert sorted(found["defects"][0]["cells"]) == ["乙", "甲"]


def test_where_names_the_whole_chain(demo, capsys):
    code, found = output_of(capsys, "where", demo / "plan.gpkg", 24.9450, 60.1699)
    assert code == 0
    chain = found["chain"]
    assert [link["level_name"] for link in chain] == ["总网格", "一般网格", "微网格"]
    assert chain[2]["code"].startswith(chain[1]["code"])
    assert chain[1]["code"].startswith(chain[0]["code"])
    assert output_of(capsys, "where", demo / "plan.gpkg", 0, 0)[0] == 1


def test_circles_and_map_from_files(demo, helsinki_osm, tmp_path, capsys):
    table = tmp_path / "站点.csv"
    table.write_text("名称,经度,纬度\n中心站,24.945,60.17\n远处,25.9,61.0\n", encoding="gb18030")
    out = tmp_path / "circles.gpkg"
    code, found = output_of(
        capsys, "circles", "--stations", table, "--osm", helsinki_osm, "--minutes", 5, 15,
        "--out", out,
    )  # fmt: skip
    assert code == 1
    assert len(found["off_network"]) == 1
    circles = pyogrio.read_dataframe(out, layer="circles")
    five, fifteen = circles.sort_values("minutes").geometry
    assert fifteen.covers(five)
    page = tmp_path / "map.html"
    words = ("map", demo / "plan.gpkg", "--osm", helsinki_osm, "--out", page)
    assert output_of(capsys, *words)[0] == 0
    assert "http" + "://" not in page.read_text(encoding="utf-8")


def test_schemes_are_listed_and_shown(capsys):
    listed = output_of(capsys, "schemes")[1]
    assert listed["schemes"] == ["guangchang", "hetang", "huayang", "hulin", "liuyang", "lusong"]
    assert [level["name"] for level in listed["levels"]["lusong"]][3:] == ["片", "组", "邻"]
    shown = output_of(capsys, "schemes", "show", "huayang")[1]
    names = [level["name"] for level in shown["levels"]]
    assert names == ["街道", "社区", "总网格", "一般网格", "微网格"]
    assert shown["levels"][3]["band"] == [300, 500]
    assert shown["levels"][3]["is_assumption"]
    assert shown["levels"][4]["kinds"][1]["counts"] == "merchants"
    copied = output_of(capsys, "schemes", "show", "huayang", "--toml")[1]["toml"]
    assert copied.startswith("# ")


def bad_files(folder, helsinki_osm):
    text = folder / "text.txt"
    text.write_text("not a map", encoding="utf-8")
    empty = folder / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    lines = folder / "lines.geojson"
    gpd.GeoSeries([shapely.LineString([(24.94, 60.16), (24.95, 60.17)])], crs=4326).to_file(lines)
    far = folder / "far.geojson"
    gpd.GeoSeries([box(113.0, 27.8, 113.1, 27.9)], crs=4326).to_file(far)
    no_crs = folder / "no_crs.shp"
    gpd.GeoSeries([box(3e5, 3e6, 3.1e5, 3.1e6)]).to_file(no_crs)
    good = folder / "good.geojson"
    gpd.GeoSeries([box(24.936, 60.165, 24.95, 60.178)], crs=4326).to_file(good)
    return {
        "missing file": (folder / "none.gpkg", helsinki_osm, "does not exist"),
        "not a map file": (text, helsinki_osm, "not a map file"),
        "empty layer": (empty, helsinki_osm, "empty|no feature|no polygon"),
        "limit without polygon": (lines, helsinki_osm, "polygon"),
        "limit elsewhere": (far, helsinki_osm, r"\d km"),
        "unknown system": (no_crs, helsinki_osm, "coordinate system"),
        "missing extract": (good, folder / "none.osm.pbf", "does not exist: check its name"),
        "not an extract": (good, text, "not an OpenStreetMap file"),
    }


def test_bad_input_is_one_plain_line_and_leaves_nothing(tmp_path, helsinki_osm, capsys):
    with pytest.warns(UserWarning, match="crs"):
        cases = bad_files(tmp_path, helsinki_osm)
    out = tmp_path / "result"
    for name, (limit, osm, message) in cases.items():
        said = refusal_of(capsys, "run", "--limit", limit, "--osm", osm, "--out", out)
        assert re.search(message, said), (name, said)
        assert not out.exists(), name


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "p.gpkg", "--port", "99999"),
        ("circles", "--stations", "s", "--osm", "o", "--out", "c", "--minutes", "5", "100000"),
        ("demo", "--out"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_place_on_the_globe_and_no_page_are_refused(demo, tmp_path, capsys):
    plan = demo / "plan.gpkg"
    assert "longitude first" in refusal_of(capsys, "where", plan, 500, 100)
    assert "longitude first" in refusal_of(capsys, "where", plan, "nan", 60)
    assert ".html" in refusal_of(capsys, "map", plan, "--out", tmp_path / "map.txt")


def test_far_stations_and_households_are_refused(tmp_path, helsinki_osm, demo, capsys):
    far = tmp_path / "far.csv"
    far.write_text("名称,经度,纬度,户数\n远站,113.1,27.8,3\n", encoding="utf-8")
    words = ("circles", "--osm", helsinki_osm, "--out", tmp_path / "c.gpkg", "--stations")
    assert " km " in refusal_of(capsys, *words, far)
    assert " km " in refusal_of(capsys, "check", demo / "plan.gpkg", "--households", far)
    assert not (tmp_path / "c.gpkg").exists()


def test_a_word_that_is_no_command_is_refused_in_one_line():
    answer = run_in_process("frob")
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert run_in_process("--version").stdout.strip()


def test_households_outside_are_counted_and_listed(tmp_path, helsinki_osm, demo, capsys):
    table = tmp_path / "住户.csv"
    rows = ["户号,经度,纬度,户数,姓名,电话"]
    rows += [
        f"H{n},{24.936 + n * 0.0003:.6f},{60.166 + n * 0.0002:.6f},6,王某,13800000000"
        for n in range(50)
    ]
    rows += ["X1,24.99,60.25,3,李某,13900000000"]
    table.write_text("\n".join(rows), encoding="gb18030")
    limit = demo.parent / "limit.geojson"
    gpd.GeoSeries([box(24.9352, 60.1642, 24.9534, 60.1791)], crs=4326).to_file(limit)
    out = tmp_path / "out"
    code, found = output_of(
        capsys, "run", "--limit", limit, "--osm", helsinki_osm, "--households", table, "--out", out
    )
    assert code == 1
    assert found["households"] == 300
    assert found["households_outside"] == 3
    assert not found["is_estimated"]
    listed = (out / "households_outside.csv").read_text(encoding="utf-8-sig")
    assert "X1" in listed
    for file in out.iterdir():
        content = file.read_bytes()
        for secret in ("王某", "李某", "13800000000", "13900000000"):
            assert secret.encode() not in content, (file.name, secret)


def test_the_same_seed_gives_the_same_plan(tmp_path, helsinki_osm, capsys):
    limit = tmp_path / "limit.geojson"
    gpd.GeoSeries([box(24.9352, 60.1642, 24.9534, 60.1791)], crs=4326).to_file(limit)
    words = ("divide", "--limit", limit, "--osm", helsinki_osm, "--seed", 7, "--out")
    one = output_of(capsys, *words, tmp_path / "a.gpkg")[1]
    other = output_of(capsys, *words, tmp_path / "b.gpkg")[1]
    assert one["version"] == other["version"] != ""


BOXES = {
    "nanjing_gulou_xuanwu_2021": (118.763, 32.033, 118.797, 32.053),
    "jiangxi_guixi_2025": (117.191, 28.282, 117.255, 28.323),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOXES)
def test_real_chinese_towns_are_divided_and_proven(name, shared_data, tmp_path, capsys):
    limit = tmp_path / "limit.geojson"
    gpd.GeoSeries([shapely.segmentize(box(*BOXES[name]), 0.005)], crs=4326).to_file(limit)
    osm = shared_data / "osm" / f"{name}.osm.pbf"
    code, found = output_of(
        capsys, "run", "--limit", limit, "--osm", osm, "--out", tmp_path / "out"
    )
    # Exit code 1 only where a stand-in lies off the mapped streets.
    assert code == (1 if found["off_network"] else 0)
    assert found["is_proven"]
    assert all(level["is_proven"] for level in found["levels"])
    assert found["cut_buildings"] == 0
    assert found["crs"].startswith("EPSG:45")
    yiban = found["levels"][1]
    assert yiban["in_band"] == yiban["cells"]
    assert 0 < found["served"]["5"] <= found["served"]["15"] <= found["households"]


@pytest.mark.slow
def test_a_whole_small_country_is_divided_and_proven(shared_data, tmp_path, capsys):
    osm = shared_data / "osm" / "liechtenstein.osm.pbf"
    limits = read_osm(osm).limits
    file = tmp_path / "limit.gpkg"
    limits[limits["name"] == "Liechtenstein"][["name", "geometry"]].to_file(file)
    code, found = output_of(capsys, "run", "--limit", file, "--osm", osm, "--out", tmp_path / "out")
    assert code == 0
    assert found["is_proven"]
    assert found["area_km2"] == pytest.approx(160.3, abs=0.4)
    assert output_of(capsys, "check", tmp_path / "out" / "plan.gpkg")[0] == 0
