"""Two plans side by side in a real browser, over a stand-in for the service."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest
from pyproj import CRS
from web_rival import TwoPlans, make_rival
from web_service import FakeService, make_fine_plan
from web_steps import wait_until
from web_visit import to_tab, visited

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip

RENAME = {"command": "rename", "level": "wei", "cell": "43020205", "name": "新名"}


@pytest.fixture
def service():
    with TwoPlans(user="张规划", roles=["planner"]) as running:
        running.rival.somebody_else_edits(RENAME)
        yield running


@pytest.fixture
def page(browser, service):
    with visited(browser, service) as page:
        to_tab(page, "版本")
        page.locator("#gg-rival-plan").wait_for()
        yield page


def choose(page):
    page.select_option("#gg-rival-plan", "rival")
    page.locator("#gg-rival-start").wait_for()


def compare(page):
    choose(page)
    page.click("#gg-rival-start")
    page.locator("#gg-moves").wait_for()
    wait_until(page, lambda: page.evaluate("!!window.geogridCompare"))
    wait_until(page, lambda: marked(page, 0) and marked(page, 1))


def marked(page, side):
    return set(
        page.evaluate(
            "(side) => geogridCompare[side].map.querySourceFeatures('changed')"
            ".map(({properties}) => properties.code)",
            side,
        )
    )


def drawn(page, side):
    return set(
        page.evaluate(
            "(side) => geogridCompare[side].map.querySourceFeatures('cells', {sourceLayer: 'wei'})"
            ".map(({properties}) => properties.code)",
            side,
        )
    )


def picked(page, side):
    return page.evaluate("(side) => geogridCompare[side].map.getFilter('picked-wei')[2][1]", side)


def test_two_plans_stand_side_by_side_with_their_levels_and_who_moves(page):
    compare(page)
    titles = page.locator(".gg-side-title").all_inner_texts()
    assert titles == [
        "方案A：方案甲 · 版本 1 · 草案 · 微网格", "方案B：方案乙 · 版本 2 · 草案 · 微网格",
    ]  # fmt: skip
    assert {"43020101", "43020102", "43020103", "43020104"} <= marked(page, 0)
    assert {"43020101", "43020103"} <= marked(page, 1)
    assert "43020102" not in marked(page, 1)
    wait_until(page, lambda: drawn(page, 0) and drawn(page, 1))
    assert "43020102" in drawn(page, 0)
    assert "43020102" not in drawn(page, 1)
    head = page.locator("#gg-moves th").all_inner_texts()
    assert head == ["方案A 网格", "方案B 网格", "户数"]
    rows = [row.inner_text().split("\t") for row in page.locator("#gg-moves tbody tr").all()]
    assert [row[2] for row in rows] == ["20", "<10"]
    assert [row[0].split()[-1] for row in rows] == ["43020104", "43020102"]
    assert [row[1].split()[-1] for row in rows] == ["43020103", "43020101"]
    assert "方案A 才有" in page.locator("#gg-changed").inner_text()
    assert "基本单元" in page.locator(".gg-compare-note").first.inner_text()


def test_titles_follow_the_level_and_a_level_of_one_plan_alone_is_told(page, service):
    service.lacks.add("zong")
    compare(page)
    page.check("#gg-levels input[value=zong]", force=True)
    told = page.locator("#gg-comparison .gg-none")
    told.wait_for()
    assert "方案B 没有“总网格”这一层级" in told.inner_text()
    page.check("#gg-levels input[value=wei]", force=True)
    page.locator("#gg-moves").wait_for()


def test_both_maps_move_together_and_a_row_points_at_both_cells(page):
    compare(page)
    page.evaluate("geogridCompare[1].map.jumpTo({center: [113.1, 27.8], zoom: 14})")
    one, two = page.evaluate(
        "geogridCompare.map(({map}) => [map.getZoom(), ...map.getCenter().toArray()])"
    )
    assert one == pytest.approx(two)
    page.locator("#gg-moves button").first.click()
    wait_until(page, lambda: page.evaluate("geogridCompare[0].map.getZoom()") > 15)
    assert (picked(page, 0), picked(page, 1)) == (["43020104"], ["43020103"])


def test_another_version_of_the_second_plan_is_chosen_while_comparing(page, service):
    compare(page)
    assert service.asked[-1] == {"other": "rival", "version": "head"}
    page.select_option("#gg-rival-version", "v1")
    page.click("#gg-rival-start")
    page.locator(".gg-side-title >> text=方案乙 · 版本 1").wait_for()
    assert service.asked[-1] == {"other": "rival", "version": "v1"}


def test_the_end_brings_back_the_first_plan_and_its_versions(page):
    compare(page)
    page.click("#gg-compare-end")
    assert page.locator("#gg-compare").is_hidden()
    page.locator("#gg-versions li").first.wait_for()
    assert page.locator("#gg-map canvas").is_visible()


def test_while_plans_are_compared_the_page_says_so(page, service):
    held = Event()
    answer = service.compare_plans
    service.compare_plans = lambda query: held.wait(20) and answer(query)
    choose(page)
    page.click("#gg-rival-start")
    page.locator("#gg-comparison >> text=正在对比").wait_for()
    assert page.locator(".gg-side-title").first.inner_text().startswith("方案A：方案甲")
    held.set()
    page.locator("#gg-moves").wait_for()


def test_a_refusal_is_told_in_chinese_and_can_be_asked_again(browser):
    rival = make_rival()
    far = replace(rival, district=replace(rival.district, crs=CRS.from_epsg(4546)))
    with TwoPlans(user="张规划", roles=["planner"]) as service:
        known = service.rival.versions[0]
        service.rival.versions[0] = far
        with visited(browser, service, allows_refusals=True) as page:
            to_tab(page, "版本")
            choose(page)
            page.click("#gg-rival-start")
            fault = page.locator("#gg-comparison .gg-fault")
            fault.wait_for()
            assert fault.inner_text() == "两个方案的坐标系不同，请先统一坐标系"
            service.rival.versions[0] = known
            page.click("#gg-comparison >> text=重试")
            page.locator("#gg-moves").wait_for()


def test_versions_of_the_other_plan_that_do_not_come_can_be_asked_again(browser, service):
    path = "/api/v1/plans/rival/versions"
    service.broken.add(path)
    with visited(browser, service, allows_refusals=True) as page:
        to_tab(page, "版本")
        page.select_option("#gg-rival-plan", "rival")
        page.locator("#gg-rival .gg-fault").wait_for()
        service.broken.clear()
        page.click("#gg-rival >> text=重试")
        page.locator("#gg-rival-start").wait_for()


def test_where_there_is_one_plan_alone_the_page_says_so(browser):
    with (
        FakeService(user="张规划", roles=["planner"]) as service,
        visited(browser, service) as page,
    ):
        to_tab(page, "版本")
        page.locator("#gg-rival >> text=没有其他方案可对比").wait_for()


def test_plans_that_do_not_differ_say_so(browser):
    with (
        TwoPlans(user="张规划", roles=["planner"], rival=make_fine_plan()) as service,
        visited(browser, service) as page,
    ):
        to_tab(page, "版本")
        choose(page)
        page.click("#gg-rival-start")
        page.locator("text=两个方案没有差别").wait_for()


def test_on_a_phone_one_map_stands_above_the_other(browser, service):
    with visited(browser, service, width=390, height=844) as page:
        page.click("#gg-toggle")
        to_tab(page, "版本")
        choose(page)
        page.click("#gg-rival-start")
        wait_until(page, lambda: page.evaluate("!!window.geogridCompare"))
        boxes = [page.locator(f"#gg-map-{side}").bounding_box() for side in ("before", "after")]
        assert boxes[0]["x"] == boxes[1]["x"]
        assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
        assert min(box["height"] for box in boxes) > 250
        page.click("#gg-toggle")
        table = page.locator("#gg-moves")
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_in_english_the_same_is_said_in_english(page):
    page.click("#gg-language")
    compare(page)
    assert page.locator(".gg-side-title").first.inner_text().startswith("Plan A: ")
    assert "Cell in plan B" in page.locator("#gg-moves").inner_text()
