"""Findings as tables and pages that people open."""

from __future__ import annotations

import csv
import json
import re
import sys

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
from shapely import Point, box

from geogrid.coverage import verify_levels
from geogrid.errors import CrsError, OutputError
from geogrid.io.findings import write_findings, write_into_plan
from geogrid.maps.findings_map import findings_data, findings_page
from geogrid.model.findings import findings_table, people_zh
from geogrid.model.scheme import HouseholdBand, Level

X, Y = 411_000, 3_076_000
LIMIT = box(X, Y, X + 300, Y + 100)
LEVEL = Level(
    key="wei",
    name="微网格",
    kinds=("综合", "专属"),
    unbalanced_kinds=("专属",),
    band=HouseholdBand(low=1, high=60, is_hard=True),
)
CODES = ["430203001001", "=430203001002", "430203001003"]


def make_report(*, crs=4547, homes=True):
    """A gap where 12 households live, an overlap where 3 do, and a special cell without any."""
    cells = gpd.GeoDataFrame(
        {"code": CODES, "kind": ["综合", "综合", "专属"]},
        geometry=[
            box(X, Y, X + 90, Y + 100),
            box(X + 100, Y, X + 201, Y + 100),
            box(X + 200, Y, X + 300, Y + 100),
        ],
        crs=crs,
    )
    places = [(X + 20, Y + 20), (X + 95.5, Y + 50.25), (X + 120, Y + 20), (X + 200.5, Y + 10)]
    people = gpd.GeoDataFrame(
        {"households": [40, 12, 30, 3]}, geometry=[Point(place) for place in places], crs=crs
    )
    report = verify_levels({LEVEL: cells}, LIMIT, households=people if homes else None)
    return report, {LEVEL: cells}


def test_the_table_has_defects_first_and_allowed_exceptions_last():
    report, _ = make_report()
    table = findings_table(report)
    assert table["number"].tolist() == [1, 2, 3, 4, 5]
    assert table["status"].tolist() == ["defect"] * 4 + ["allowed"]
    assert table["kind_zh"].tolist() == ["未达边界", "漏户", "重叠", "重户", "户数超限"]
    assert table["households"].tolist() == [12, 12, 3, 3, 0]
    assert table["level_name"].tolist() == ["微网格"] * 5
    assert table["severity_zh"].iloc[0].startswith("明显")
    assert "专属" in table["reason"].iloc[4]


def test_a_home_is_given_roughly_and_a_gap_exactly():
    report, _ = make_report()
    table = findings_table(report).set_index("kind")
    for kind, decimals in (("inside_short", 6), ("unassigned_household", 3)):
        for value in table.loc[kind, ["lon", "lat"]]:
            assert value == round(value, decimals)
    spot = gpd.GeoSeries([report.defects.geometry.iloc[0].representative_point()], crs=4547)
    assert table.loc["inside_short", "lon"] == pytest.approx(spot.to_crs(4326).x.iloc[0], abs=1e-6)


def test_the_first_answer_is_who_lives_there():
    report, _ = make_report()
    assert people_zh(report) == "缝隙里住着 12 户，重叠处 3 户，越界处 0 户"
    assert people_zh(report, least=10) == "缝隙里住着 12 户，重叠处 不足 10 户，越界处 0 户"
    assert "没有住户数据" in people_zh(make_report(homes=False)[0])


def test_a_workbook_keeps_codes_as_text_and_summarises(tmp_path):
    report, _ = make_report()
    path = write_findings(report, tmp_path / "r.xlsx", remarks=["a note"])
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["缺陷", "汇总", "例外"]
    rows = list(book["缺陷"].iter_rows(values_only=True))
    assert rows[0] == (
        "序号", "问题", "程度", "层级", "网格", "户数", "面积（平方米）", "最大宽度（米）",
        "经度", "纬度",
    )  # fmt: skip
    assert len(rows) == 5
    assert rows[1][:2] == (1, "未达边界")
    assert rows[1][5:7] == (12, pytest.approx(1000))
    overlap = next(row for row in book["缺陷"].iter_rows(min_row=2) if row[1].value == "重叠")
    assert overlap[4].data_type == "s"
    assert overlap[4].value == "=430203001002, 430203001003"
    assert [row[1] for row in book["例外"].iter_rows(values_only=True)] == ["问题", "户数超限"]
    said = [cell for row in book["汇总"].iter_rows(values_only=True) for cell in row if cell]
    for wanted in (
        "未证明",
        people_zh(report),
        "微网格",
        "a note",
        report.certificate.limit_digest,
    ):
        assert wanted in said


def test_a_workbook_without_openpyxl_is_refused_in_plain_words(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(OutputError, match=r"install geogrid\[excel\]"):
        write_findings(make_report()[0], tmp_path / "r.xlsx")
    assert not list(tmp_path.iterdir())


def test_a_geopackage_holds_all_findings_in_one_layer(tmp_path):
    report, _ = make_report()
    path = write_findings(report, tmp_path / "r.gpkg")
    layers = [name for name, _ in pyogrio.list_layers(path)]
    assert layers == ["defects"]
    table = pyogrio.read_dataframe(path)
    assert table.crs == 4547
    assert table["cells"].iloc[2] == "=430203001002, 430203001003"
    assert table.geometry.area.tolist() == pytest.approx(findings_table(report)["area_m2"])


def test_geojson_is_in_degrees_and_csv_opens_in_office_programs(tmp_path):
    report, _ = make_report()
    features = json.loads(write_findings(report, tmp_path / "r.geojson").read_text("utf-8"))
    lon, lat = features["features"][0]["geometry"]["coordinates"][0][0]
    assert (113 < lon < 114, 27 < lat < 28) == (True, True)
    raw = write_findings(report, tmp_path / "r.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert [row["kind_zh"] for row in rows] == findings_table(report)["kind_zh"].tolist()
    assert "geometry" not in rows[0]


@pytest.mark.parametrize("suffix", [".gpkg", ".xlsx", ".csv", ".geojson"])
def test_a_sound_report_is_written_as_well(tmp_path, suffix):
    whole = gpd.GeoDataFrame({"code": ["1"]}, geometry=[LIMIT], crs=4547)
    report = verify_levels({Level(key="", name=""): whole}, LIMIT)
    assert report.is_sound
    assert write_findings(report, tmp_path / f"r{suffix}").stat().st_size > 0


def test_an_unknown_suffix_names_those_that_work(tmp_path):
    with pytest.raises(OutputError, match=r"\.gpkg, \.xlsx, \.csv, \.geojson, \.html"):
        write_findings(make_report()[0], tmp_path / "r.pdf")


def test_only_a_plan_takes_findings_into_itself(tmp_path):
    other = tmp_path / "other.gpkg"
    make_report()[1][LEVEL].to_file(other, layer="cells", engine="pyogrio")
    before = other.read_bytes()
    with pytest.raises(ValueError, match="not a geogrid plan"):
        write_into_plan(make_report()[0], other)
    assert other.read_bytes() == before


def page_of(report, levels, **more):
    return findings_page(report, levels=levels, limit=LIMIT, title="测试 </script>", **more)


def test_the_page_needs_no_network_and_no_text_breaks_out_of_it():
    report, levels = make_report()
    page = page_of(report, levels, remarks=["</script><img src=x onerror=alert(1)>"])
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "default-src 'none'" in page
    assert "<img src=x" not in page
    assert page.count("</script>") == 3


def test_the_page_shows_no_home_and_no_small_count():
    report, levels = make_report()
    data = findings_data(report, levels=levels, limit=LIMIT, title="t")
    by_kind = {row["kind"]: row for row in data["findings"]}
    lost = by_kind["unassigned_household"]
    west, south, east, north = lost["bounds"]
    home = gpd.GeoSeries([Point(X + 95.5, Y + 50.25)], crs=4547).to_crs(4326).iloc[0]
    assert west < home.x < east
    assert south < home.y < north
    assert lost["isHome"]
    assert (east - west) * 98_000 > 150
    assert by_kind["overlap"]["households"] == -1
    assert by_kind["inside_short"]["households"] == 12
    assert "重叠处 不足 10 户" in data["people"]
    assert f"{home.x:.5f}"[:-1] not in json.dumps(lost)


def test_the_page_lists_in_order_with_a_colour_for_each_grade():
    report, levels = make_report()
    data = findings_data(report, levels=levels, limit=LIMIT, title="t")
    assert [row["grade"] for row in data["findings"]] == [
        "real", "people", "sliver", "people", "allowed",
    ]  # fmt: skip
    assert [grade[0] for grade in data["grades"]] == ["people", "real", "sliver", "allowed"]
    assert data["badge"]["kind"] == "bad"
    assert data["levels"][0]["code"] == CODES
    assert data["contracts"][0][:3] == ["微网格", "全域覆盖", "3"]


def test_too_many_cells_are_drawn_only_near_findings(monkeypatch):
    monkeypatch.setattr("geogrid.maps.findings_map.MOST_VERTICES", 3)
    monkeypatch.setattr("geogrid.maps.findings_map.NEAR_M", 1.0)
    report, levels = make_report()
    gap = report.defects["kind"].isin(["inside_short"])
    only = type(report)(defects=report.defects[gap], certificate=report.certificate)
    data = findings_data(only, levels=levels, limit=LIMIT, title="t")
    assert data["isCut"]
    assert data["levels"][0]["code"] == CODES[:2]


def test_plain_local_metres_have_no_map():
    report, levels = make_report(crs=None)
    with pytest.raises(CrsError, match="coordinate system"):
        page_of(report, levels)
