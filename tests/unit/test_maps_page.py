"""The finished page: whole, quiet, and safe to hand on."""

from __future__ import annotations

import json
import re

import pytest
from map_plans import (
    X0,
    Y0,
    make_circles,
    make_defects,
    make_extract,
    make_plan,
    make_reach,
    make_stations,
)

from geogrid.coverage.plan import verify_plan
from geogrid.errors import CrsError, InputError, OutputError
from geogrid.maps.plan_map import TileService, map_data, write_map
from geogrid.maps.unserved import service_of
from geogrid.model.source import Source

EVIL = "</script><img src=x onerror=alert(1)>"


def everything(plan):
    return {
        "extract": make_extract(),
        "stations": make_stations(),
        "reach": make_reach(plan, unserved={"a00": 40, "a31": 4}),
    }


def data_of(page):
    (text,) = re.findall(
        r'<script type="application/json" id="gg-data">(.*?)</script>', page, re.DOTALL
    )
    return json.loads(text)


def test_a_map_is_one_file_without_a_single_address(tmp_path):
    plan = make_plan(names={"43020101": "https://example.org/x"})
    path = write_map(
        plan, tmp_path / "new" / "map.html", **everything(plan), defects=make_defects()
    )
    page = path.read_text("utf-8")
    assert not re.search(r"https?://", page)
    assert "default-src 'none'; script-src 'unsafe-inline';" in page
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=(?!\"data:)", page)
    assert data_of(page)["levels"][1]["cell"][0] == "https://example.org/x"


def test_the_same_plan_gives_the_same_file(tmp_path):
    plan = make_plan()
    first = write_map(plan, tmp_path / "a.html", **everything(plan))
    second = write_map(make_plan(), tmp_path / "b.html", **everything(plan))
    assert first.read_bytes() == second.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_no_name_breaks_out_of_the_page(tmp_path):
    plan = make_plan(names={"43020101": EVIL})
    page = write_map(plan, tmp_path / "map.html", title=EVIL).read_text("utf-8")
    assert "<img" not in page
    assert "alert(1)>" not in page
    assert data_of(page)["title"] == EVIL
    assert data_of(page)["levels"][1]["cell"][0] == EVIL


def test_small_counts_and_homes_are_not_in_the_page():
    plan = make_plan()
    data = map_data(plan, **everything(plan), defects=make_defects())
    text = json.dumps(data, ensure_ascii=False)
    assert 7 not in data["levels"][1]["households"]
    assert "a00" not in text
    home = [str(round(value)) for value in (X0 + 333, Y0 + 333)]
    assert not any(number in text for number in home)


def test_the_page_says_what_it_rests_on():
    plan = make_plan()
    report = verify_plan(plan)
    data = map_data(plan, **everything(plan), report=report)
    assert data["badge"] == {"proven": True, "text": "已证明全覆盖无重叠"}
    assert data["flags"] == ["估算户数"]
    assert data["checked"]
    notes = dict(data["notes"])
    assert "4.8 km/h" in notes["步行假定"]
    assert "EPSG:4547" in notes["计算坐标系"]
    assert "7 位小数" in notes["显示坐标系"]
    assert notes["微网格"] == "20–60 户（假定）"
    assert "ODbL-1.0" in notes["道路与建筑"]
    foot = dict(data["foot"])
    assert foot["use"] == "内部使用 · 示意图"
    assert foot["licence"] == "© OpenStreetMap contributors, ODbL"
    assert foot["date"] == "数据日期 2026-05-01"


def test_an_approved_map_shows_its_number_and_synthetic_data_its_flag():
    plan = make_plan(sources=(Source(role="households", name="toy", is_synthetic=True),))
    data = map_data(plan, map_approval="湘S(2026)012号")
    assert dict(data["foot"])["use"] == "审图号：湘S(2026)012号"
    assert dict(data["foot"])["licence"] == ""
    assert dict(data["foot"])["date"] == "数据日期 未注明"
    assert data["flags"] == ["合成数据"]
    assert not data["badge"]["proven"]
    assert not data["checked"]
    assert data["base"] is None


def test_circles_alone_are_drawn_without_unserved_households():
    data = map_data(make_plan(), stations=make_stations(), circles=make_circles())
    assert [circle["label"] for circle in data["circles"]] == ["5分钟", "15分钟"]
    assert "unserved" not in data["levels"][0]
    assert data["hasStandIns"]


def test_a_reach_without_households_shows_no_unserved():
    plan = make_plan()
    reach = make_reach(plan, unserved={})
    reach.households = reach.households.iloc[:0]
    data = map_data(plan, stations=make_stations(), reach=reach)
    assert "unserved" not in data["levels"][0]
    assert data["stations"][0]["households"] is None


def test_without_a_reach_the_served_households_of_the_file_are_used():
    plan = make_plan()
    reach = make_reach(plan, unserved={"a00": 40}, near={"a00": 40, "a20": 60})
    with_reach = map_data(plan, stations=make_stations(), reach=reach)
    service = service_of(plan, reach)
    alone = map_data(plan, stations=make_stations(), circles=make_circles(), service=service)
    assert alone["limits"] == ["5分钟", "15分钟"]
    assert [level["unserved"] for level in alone["levels"]] == [
        level["unserved"] for level in with_reach["levels"]
    ]


def test_tiles_are_the_only_thing_that_asks_the_network(tmp_path):
    tiles = TileService.tianditu("0123abcd")
    page = write_map(make_plan(), tmp_path / "map.html", tiles=tiles).read_text("utf-8")
    hosts = set(re.findall(r"https?://([^/\s\"']+)", page))
    assert hosts == {"t{s}.tianditu.gov.cn", "*.tianditu.gov.cn"}
    assert "LAYER=vec" in page
    assert "LAYER=cva" in page
    assert "天地图" in dict(data_of(page)["foot"])["licence"]


def test_a_key_that_is_none_is_refused():
    with pytest.raises(InputError, match="letters and digits"):
        TileService.tianditu("a&b=<c>")
    assert TileService.tianditu("k", picture=True).urls[0].count("img") == 2
    assert TileService.osm().hosts == ("https://tile.openstreetmap.org",)


def test_a_plan_without_a_frame_cannot_be_mapped(tmp_path):
    with pytest.raises(CrsError, match="coordinate system"):
        write_map(make_plan(crs=None), tmp_path / "map.html")


def test_a_map_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path):
    (tmp_path / "folder").write_text("a file in the way")
    with pytest.raises(OutputError, match=r"map\.html cannot be written"):
        write_map(make_plan(), tmp_path / "folder" / "map.html")
    (tmp_path / "map.html").mkdir()
    with pytest.raises(OutputError):
        write_map(make_plan(), tmp_path / "map.html")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder", "map.html"]
