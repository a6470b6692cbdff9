"""Versions, review and comparison in a real browser, over a stand-in for the service."""

from __future__ import annotations

import pytest
from web_service import FakeService
from web_steps import wait_until
from web_visit import to_tab, visited

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip

MERGE = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"], "into": "43020101"}
AGAIN = {"command": "merge", "level": "wei", "cells": ["43020201", "43020202"], "into": "43020201"}


@pytest.fixture
def service():
    with FakeService(user="李审核", roles=["planner", "reviewer"]) as running:
        running.somebody_else_edits(MERGE)
        running.somebody_else_edits(AGAIN)
        running.authors["v3"] = "李审核"
        yield running


@pytest.fixture
def page(browser, service):
    with visited(browser, service) as page:
        to_tab(page, "版本")
        page.locator("#gg-versions li").first.wait_for()
        yield page


def row_of(page, version):
    return page.locator(f"#gg-versions li[data-version={version}]")


def step(page, version, name):
    row_of(page, version).locator(f"button >> text={name}").click()
    page.click(f"#gg-step-dialog form button >> text={name}")


def test_versions_are_listed_with_author_deed_and_state_in_chinese(page):
    rows = [row.inner_text() for row in page.locator("#gg-versions li").all()]
    assert len(rows) == 3
    assert all(
        word in rows[0] for word in ("版本 3", "草案", "已证明", "最新", "合并网格", "李审核")
    )
    assert "导入方案" in rows[2]
    assert "merge" not in "".join(rows)
    assert "sha256" not in "".join(rows)


def test_visitors_see_the_map_alone(browser, service):
    service.user = None
    with visited(browser, service) as page:
        assert page.locator("#gg-tabs").is_hidden()
        assert page.locator("#gg-edit").count() == 0


def test_an_old_version_is_looked_at_read_only_and_says_so(page, service):
    with page.expect_request(lambda asked: "/v1/tiles/cells/" in asked.url):
        row_of(page, "v1").locator("text=查看").click()
    banner = page.locator("#gg-banner")
    banner.wait_for()
    assert "版本 1（草案），只读" in banner.inner_text()
    assert "version=v1" in page.url
    to_tab(page, "地图")
    assert page.locator("#gg-edit").count() == 0
    page.click("#gg-banner-back")
    assert banner.is_hidden()
    page.locator("#gg-edit").wait_for()
    assert service.commands == []


def test_older_versions_come_a_page_at_a_time(browser):
    with FakeService(user="张规划", roles=["planner"]) as service:
        service.versions *= 75
        with visited(browser, service) as page:
            to_tab(page, "版本")
            rows = page.locator("#gg-versions li")
            counts = []
            for _ in range(2):
                rows.first.wait_for()
                counts.append(rows.count())
                page.click("#gg-versions-more")
                wait_until(page, lambda known=counts[-1]: rows.count() > known)
            assert [*counts, rows.count()] == [30, 60, 75]
            assert page.locator("#gg-versions-more").count() == 0


def test_a_version_goes_from_draft_to_force_and_to_the_archive(page, service):
    step(page, "v2", "提交审核")
    row_of(page, "v2").locator("text=已提交").wait_for()
    assert page.locator("#gg-notice").inner_text() == "已提交审核。"
    step(page, "v2", "审核通过")
    row_of(page, "v2").locator("text=已审核").wait_for()
    row_of(page, "v2").locator("button >> text=发布生效").click()
    page.fill("#gg-step-dialog input[name=from]", "2026-06-01")
    page.check("#gg-step-dialog input[name=supersede]")
    page.click("#gg-step-dialog form button >> text=发布生效")
    row_of(page, "v2").locator(".gg-badge.good >> text=生效").wait_for()
    assert service.advanced == {
        "to": "in_force", "effective_from": "2026-06-01", "supersede": True,
    }  # fmt: skip
    assert "自 2026-06-01 起生效" in page.locator("#gg-notice").inner_text()
    step(page, "v2", "归档")
    row_of(page, "v2").locator(".gg-badge >> text=归档").wait_for()
    assert row_of(page, "v2").locator(".gg-step").count() == 0


def test_whoever_brings_a_version_further_reads_what_the_service_notes(page, service):
    service.state_notes = ["anybody can compute 1 count (公众可得出1处)"]
    step(page, "v2", "提交审核")
    row_of(page, "v2").locator("text=已提交").wait_for()
    told = page.locator("#gg-notice").inner_text()
    assert all(words in told for words in ("已提交审核", "公众可得出1处"))
    assert "anybody" not in told


def test_who_sends_back_makes_a_draft_of_it(page):
    step(page, "v1", "提交审核")
    row_of(page, "v1").locator("text=已提交").wait_for()
    step(page, "v1", "退回修改")
    row_of(page, "v1").locator("text=草案").wait_for()
    assert page.locator("#gg-notice").inner_text() == "已退回，重新成为草案。"


def test_own_work_is_not_approved_and_the_refusal_is_chinese(browser, service):
    service.standings["v3"] = "submitted"
    with visited(browser, service, allows_refusals=True) as page:
        to_tab(page, "版本")
        row_of(page, "v3").wait_for()
        step(page, "v3", "审核通过")
        fault = page.locator("#gg-step-dialog .gg-fault")
        fault.wait_for()
        assert "对自己绘制的内容做「审核通过」：请由他人办理" in fault.inner_text()
        assert service.standings["v3"] == "submitted"


def test_each_role_is_offered_its_own_steps(browser, service):
    service.roles = ["admin"]
    service.standings |= {"v1": "in_force", "v2": "reviewed", "v3": "submitted"}
    with visited(browser, service) as page:
        to_tab(page, "版本")
        row_of(page, "v3").wait_for()
        offered = {
            key: row_of(page, key).locator(".gg-step").all_inner_texts()
            for key in ("v1", "v2", "v3")
        }
        assert offered == {"v1": ["归档"], "v2": ["发布生效"], "v3": []}


def marked(page, side):
    return sorted(
        page.evaluate(
            "(side) => geogridCompare[side].map.querySourceFeatures('changed')"
            ".map(({properties}) => properties.code)",
            side,
        )
    )


def compare(page):
    page.check("#gg-versions li[data-version=v1] input")
    page.check("#gg-versions li[data-version=v3] input")
    page.click("#gg-compare-chosen")
    page.locator("#gg-moves").wait_for()
    wait_until(page, lambda: page.evaluate("!!window.geogridCompare"))
    wait_until(page, lambda: marked(page, 0) and marked(page, 1))


def test_two_versions_stand_side_by_side_with_what_changed_and_who_moves(page):
    compare(page)
    assert "前：版本 1" in page.locator("#gg-compare").inner_text()
    assert "后：版本 3" in page.locator("#gg-compare").inner_text()
    assert set(marked(page, 0)) == {"43020101", "43020103", "43020201", "43020202"}
    assert set(marked(page, 1)) == {"43020101", "43020201"}
    changed = page.locator("#gg-changed").inner_text()
    assert "建设第1总网格3号 43020103" in changed
    moves = page.locator("#gg-moves li").all_inner_texts()
    assert moves[0].split("\n")[0] == "43020103 → 43020101"
    assert "50 户" in moves[0]


def test_both_maps_move_together_and_go_to_the_cell_of_a_row(page):
    compare(page)
    centres = "geogridCompare.map(({map}) => [map.getZoom(), ...map.getCenter().toArray()])"
    page.evaluate("geogridCompare[0].map.jumpTo({center: [113.1, 27.8], zoom: 14})")
    one, two = page.evaluate(centres)
    assert one == pytest.approx(two)
    assert one[0] == pytest.approx(14)
    page.locator("#gg-changed button").first.click()
    wait_until(page, lambda: page.evaluate("geogridCompare[0].map.getZoom()") > 15)
    one, two = page.evaluate(centres)
    assert one == pytest.approx(two)


def test_the_end_of_a_comparison_brings_the_map_back(page):
    compare(page)
    page.click("#gg-compare-end")
    assert page.locator("#gg-compare").is_hidden()
    page.locator("#gg-versions li").first.wait_for()
    assert page.locator("#gg-map canvas").is_visible()


def test_versions_that_do_not_differ_say_so(browser):
    with FakeService(user="张规划", roles=["planner"]) as service:
        service.versions *= 2
        with visited(browser, service) as page:
            to_tab(page, "版本")
            row_of(page, "v2").locator("text=改动").click()
            page.locator("text=两个版本没有差别").wait_for()


def test_on_a_phone_one_map_stands_above_the_other(browser, service):
    with visited(browser, service, width=390, height=844) as page:
        page.click("#gg-toggle")
        to_tab(page, "版本")
        row_of(page, "v3").wait_for()
        row_of(page, "v3").locator("text=改动").click()
        wait_until(page, lambda: page.evaluate("!!window.geogridCompare"))
        boxes = [page.locator(f"#gg-map-{side}").bounding_box() for side in ("before", "after")]
        assert boxes[0]["x"] == boxes[1]["x"]
        assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
        assert min(box["height"] for box in boxes) > 250


def test_what_the_service_does_not_answer_can_be_asked_again(browser, service):
    path = "/api/v1/plans/plan/versions"
    service.broken.add(path)
    with visited(browser, service, allows_refusals=True) as page:
        to_tab(page, "版本")
        page.locator("#gg-versions .gg-fault").wait_for()
        service.broken.clear()
        page.click("#gg-versions >> text=重试")
        page.locator("#gg-versions li").first.wait_for()
