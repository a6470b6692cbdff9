"""The page of a check in a real browser, with the network unplugged."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely import Point, box

from geogrid.coverage import verify_levels
from geogrid.maps.findings_map import findings_page
from geogrid.model.scheme import CellException, HouseholdBand, Level

pytest.importorskip("playwright.sync_api")

EVIL = "</script><img src=x onerror=alert(1)>"
X, Y = 411_000, 3_076_000
LIMIT = box(X, Y, X + 300, Y + 200)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """Two levels: a gap of two centimetres, an overlap of a metre, and an allowed exception."""
    upper = gpd.GeoDataFrame({"code": ["A"]}, geometry=[LIMIT], crs=4547)
    lower = gpd.GeoDataFrame(
        {"code": ["A1", "A2", EVIL]},
        geometry=[
            box(X, Y, X + 99.98, Y + 200),
            box(X + 100, Y, X + 201, Y + 200),
            box(X + 200, Y, X + 300, Y + 200),
        ],
        crs=4547,
    )
    people = gpd.GeoDataFrame(
        {"households": [500, 40, 4, 20]},
        geometry=[Point(X + at, Y + 77.7) for at in (20, 150, 200.5, 250)],
        crs=4547,
    )
    levels = {
        Level(key="wangge", name="网格"): upper,
        Level(key="wei", name="微网格", band=HouseholdBand(low=1, high=100, is_hard=True)): lower,
    }
    report = verify_levels(
        levels,
        LIMIT,
        households=people,
        exceptions=[CellException(code="A1", reason="高层小区")],
    )
    page = findings_page(report, levels=levels, limit=LIMIT, title="测试街道 检查结果")
    file = tmp_path_factory.mktemp("findings") / "findings.html"
    file.write_text(page, encoding="utf-8")
    return file


def opened(browser, file, *, width, height, touch=False):
    context = browser.new_context(
        viewport={"width": width, "height": height}, offline=True, has_touch=touch
    )
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(("file:", "data:")) else faults.append(request.url)
        ),
    )
    page.goto(file.as_uri())
    page.wait_for_function("window.geogridFindings")
    return page, faults


@pytest.fixture
def desktop(browser, page_file):
    page, faults = opened(browser, page_file, width=1400, height=900)
    yield page
    page.context.close()
    assert faults == []


@pytest.fixture
def phone(browser, page_file):
    page, faults = opened(browser, page_file, width=390, height=844, touch=True)
    yield page
    page.context.close()
    assert faults == []


def rows_of(page, where="#gg-findings"):
    return page.locator(f"{where} button")


def test_the_first_thing_to_read_is_who_lives_there(desktop):
    assert desktop.locator("#gg-people").inner_text() == (
        "缝隙里住着 0 户，重叠处 不足 10 户，越界处 0 户"
    )
    assert "未证明" in desktop.locator("#gg-badges").inner_text()


def test_findings_are_listed_in_order_and_exceptions_apart(desktop):
    texts = rows_of(desktop).all_inner_texts()
    assert [text.split()[0] for text in texts] == ["1", "2", "3"]
    assert [next(k for k in ("重叠", "重户", "未达边界") if k in text) for text in texts] == [
        "重叠", "重户", "未达边界",
    ]  # fmt: skip
    assert "<10 户" in texts[0]
    allowed = rows_of(desktop, "#gg-allowed")
    assert allowed.count() == 1
    allowed.first.click()
    assert "高层小区" in desktop.locator("#gg-card").inner_text()


def test_one_click_goes_to_a_gap_that_nobody_could_see(desktop):
    zoom = desktop.evaluate("geogridFindings.map.getZoom()")
    rows_of(desktop).nth(2).click()
    card = desktop.locator("#gg-card").inner_text()
    for wanted in ("未达边界", "微网格", "A1、A2", "2.0 厘米", "细微"):
        assert wanted in card
    assert desktop.evaluate("geogridFindings.map.getZoom()") > zoom
    centre = desktop.evaluate(
        """() => {
          const { map, data } = geogridFindings;
          const [west, south, east, north] = data.findings[2].bounds;
          return map.getBounds().contains([[south, west], [north, east]]);
        }"""
    )
    assert centre


def test_next_and_previous_walk_through_the_list(desktop):
    rows_of(desktop).first.click()
    assert desktop.locator(".gg-steps button").first.is_disabled()
    desktop.click("text=下一处")
    assert desktop.locator("#gg-card h3").inner_text() == "2. 重户"
    assert "on" in rows_of(desktop).nth(1).get_attribute("class")
    desktop.click("text=上一处")
    assert desktop.locator("#gg-card h3").inner_text() == "1. 重叠"
    desktop.click(".gg-close")
    assert desktop.locator("#gg-card").is_hidden()
    assert desktop.locator(".gg-findings button.on").count() == 0


def test_kinds_can_be_looked_at_alone(desktop):
    desktop.click("#gg-kinds >> text=重叠 1")
    assert rows_of(desktop).count() == 1
    desktop.click("#gg-kinds >> text=全部 3")
    assert rows_of(desktop).count() == 3


def test_a_finding_shows_its_own_level_and_a_code_stays_text(desktop):
    desktop.click("#gg-levels >> text=网格 >> nth=0")
    rows_of(desktop).first.click()
    shown = desktop.eval_on_selector(
        "#gg-levels input:checked", "node => node.parentNode.innerText"
    )
    assert shown == "微网格"
    assert EVIL in desktop.locator("#gg-card").inner_text()
    assert desktop.locator("img").count() == 0


def test_on_a_phone_the_list_comes_first_and_a_tap_shows_the_place(phone):
    assert phone.locator("#gg-panel").is_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    rows_of(phone).first.tap()
    assert phone.locator("#gg-panel").is_hidden()
    card, frame = (phone.locator(one).bounding_box() for one in ("#gg-card", "#map"))
    assert card["y"] > frame["y"] + frame["height"] / 3
    assert card["y"] + card["height"] <= frame["y"] + frame["height"]
    phone.tap("#gg-toggle")
    assert phone.locator("#gg-panel").is_visible()
