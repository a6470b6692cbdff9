"""The web app in a real browser, over a stand-in for the service: what a visitor sees."""

from __future__ import annotations

import json
import re

import pytest
from web_service import FakeService
from web_steps import spot, wait_for_map, wait_until

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip


@pytest.fixture
def service():
    with FakeService(user=None) as running:
        yield running


def opened(browser, service, *, width=1300, height=850, path="/", touch=False):
    """Open the app; whatever goes wrong or leaves its origin is collected in ``faults``."""
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if is_outside(asked.url) else None)
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" else None,
    )

    def is_outside(url):
        return not url.startswith((service.address, "data:", "blob:"))

    page.goto(service.address + path)
    return page, faults


@pytest.fixture
def desktop(browser, service):
    page, faults = opened(browser, service)
    wait_for_map(page)
    yield page
    page.context.close()
    assert faults == []


@pytest.fixture
def phone(browser, service):
    page, faults = opened(browser, service, width=390, height=844, touch=True)
    wait_for_map(page)
    yield page
    page.context.close()
    assert faults == []


def middle_of(service, code):
    shape = service.cell(version="head", code=code)
    ring = json.loads(shape[2])["geometry"]["coordinates"][0][:-1]
    return [sum(place[axis] for place in ring) / len(ring) for axis in (0, 1)]


def test_the_map_shows_cells_with_local_letters_and_asks_nobody_else(desktop):
    assert desktop.locator("#gg-title").inner_text() == "芦淞区建设街道"
    badges = desktop.locator("#gg-badges").inner_text()
    assert "合成数据" in badges
    assert "估算户数" in badges
    written = desktop.evaluate(
        "geogridWeb.view.map.queryRenderedFeatures({layers: ['labels']})"
        ".map(one => one.properties.text)"
    )
    assert "建设第1总网格1号" in written
    assert "© OpenStreetMap contributors" in desktop.locator("#gg-foot").inner_text()


def test_a_click_on_a_cell_tells_who_it_is(desktop, service):
    desktop.mouse.click(*spot(desktop, middle_of(service, "43020103")))
    card = desktop.locator("#gg-card")
    card.wait_for()
    text = card.inner_text()
    assert "43020103" in text
    assert "符合户数标准" in text
    assert "建设第1总网格" in text
    assert "cell=43020103" in desktop.url


def test_a_search_goes_to_a_cell_and_a_place_to_the_cell_that_holds_it(desktop, service):
    desktop.fill("#gg-search", "第2总网格6号")
    desktop.locator("#gg-hits button").first.click()
    desktop.locator("#gg-card").wait_for()
    assert "43020206" in desktop.locator("#gg-card").inner_text()
    lon, lat = middle_of(service, "43020101")
    desktop.fill("#gg-search", f"{lat:.6f}, {lon:.6f}")
    desktop.keyboard.press("Enter")
    desktop.locator("#gg-card >> text=43020101").wait_for()
    desktop.fill("#gg-search", "没有这样的网格")
    desktop.locator("#gg-hits >> text=没有找到").wait_for()


def test_levels_fills_and_limits_change_map_legend_and_list(desktop):
    desktop.click("#gg-fills >> text=盲区占比")
    desktop.locator("#gg-legend >> text=15分钟服务圈外住户占比").wait_for()
    desktop.click("#gg-limits >> text=5分钟")
    desktop.locator("#gg-legend >> text=5分钟服务圈外住户占比").first.wait_for()
    assert desktop.locator("#gg-unserved li").count() == 3
    desktop.click("#gg-levels >> text=总网格")
    wait_until(desktop, "geogridWeb.view.filledLevel === 'zong'")
    desktop.locator("text=没有可列出的盲区").wait_for()
    assert "微网格边界" not in desktop.locator("#gg-legend").inner_text()


def test_the_unserved_share_is_coloured_from_the_tiles_and_asks_for_no_cells(desktop):
    asked = []
    desktop.on("request", lambda request: asked.append(request.url))
    desktop.click("#gg-fills >> text=盲区占比")
    wait_until(
        desktop, "geogridWeb.view.map.getLayoutProperty('hidden-wei', 'visibility') !== 'none'"
    )
    wait_until(desktop, f"({drawn('hidden-wei')}).length > 0")
    assert desktop.evaluate(drawn("hidden-wei")) == ["43020102"]
    colours = desktop.evaluate(
        "geogridWeb.view.map.queryRenderedFeatures({layers: ['fill-wei']})"
        ".map(({properties, layer}) => [properties.code, layer.paint['fill-color'].toString()])"
    )
    # All of them unserved, half of them, none.
    told = dict(colours)
    assert len({told["43020104"], told["43020101"], told["43020103"]}) == 3
    assert told["43020103"] == told["43020205"]
    assert [url for url in asked if "/cells?" in url] == []


def drawn(layer):
    return (
        f"[...new Set(geogridWeb.view.map.queryRenderedFeatures({{layers: ['{layer}']}})"
        ".map(({properties}) => properties.code))]"
    )


def test_opening_asks_for_everything_once(browser, service):
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(service.address)
    wait_for_map(page)
    page.wait_for_timeout(500)
    calls = [url for url in asked if "/api/" in url]
    assert sorted(set(calls)) == sorted(calls)
    assert not [url for url in calls if "/jobs" in url or "/files" in url]
    context.close()


def test_without_a_key_nothing_of_tianditu_is_offered(desktop):
    assert "天地图" not in desktop.locator("body").inner_text()


def test_tianditu_lies_under_the_cells_once_it_is_wanted(browser):
    with FakeService(user=None, tianditu_key="0a1B") as service:
        context = browser.new_context(viewport={"width": 1300, "height": 850})
        page = context.new_page()
        asked = []

        def answer(route):
            asked.append(route.request.url)
            route.fulfill(status=404)

        page.route("https://*.tianditu.gov.cn/**", answer)
        page.goto(service.address)
        wait_for_map(page)
        assert asked == []
        page.click("#gg-layers >> text=天地图 影像")
        wait_until(page, "!!geogridWeb.view.map.getLayer('ground-cia')")
        order = page.evaluate("geogridWeb.view.map.getStyle().layers.map(({id}) => id)")
        assert order.index("base-names") > order.index("ground-img") > order.index("base-water")
        assert order.index("ground-cia") < order.index("fill-zong")
        assert "天地图" in page.locator("#gg-foot").inner_text()
        for _ in range(50):
            if asked:
                break
            page.wait_for_timeout(100)
        assert asked
        assert all("tk=0a1B" in url for url in asked)
        page.click("#gg-layers >> text=天地图 矢量")
        wait_until(page, "!geogridWeb.view.map.getLayer('ground-img')")
        assert page.locator("#gg-layers input:checked[value=tianditu_img]").count() == 0
        page.click("#gg-layers >> text=天地图 矢量")
        wait_until(page, "!geogridWeb.view.map.getLayer('ground-vec')")
        context.close()


@pytest.mark.parametrize(("button", "size"), [("A4", (842, 595)), ("A3", (1191, 842))])
def test_a_printed_sheet_is_one_page_that_bears_what_a_map_must(desktop, button, size):
    desktop.evaluate("window.print = () => { window.printed = true; }")
    desktop.click(f"text=打印 {button}")
    wait_until(desktop, "!!window.printed")
    content = desktop.pdf(prefer_css_page_size=True, print_background=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert [tuple(round(float(side)) for side in box) for box in boxes] == [size]
    desktop.emulate_media(media="print")
    sheet = desktop.locator(".gg-sheet").inner_text()
    for words in ("芦淞区建设街道", "图例", "微网格边界", "制图日期", "数据来源", "1:",
                  "© OpenStreetMap contributors", "合成数据，仅供演示"):  # fmt: skip
        assert words in sheet
    assert not desktop.locator("#gg-panel").is_visible()


def test_a_defect_in_the_list_is_zoomed_to(desktop):
    before = desktop.evaluate("geogridWeb.view.map.getZoom()")
    desktop.click("#gg-defects button")
    assert desktop.evaluate("geogridWeb.view.map.getZoom()") > before


def test_the_page_speaks_english_on_demand_and_keeps_what_is_shown(desktop):
    desktop.click("#gg-levels >> text=总网格")
    desktop.click("#gg-language")
    desktop.locator("h2 >> text=Defects").wait_for()
    assert desktop.evaluate("document.documentElement.lang") == "en"
    assert desktop.locator("#gg-levels input:checked").get_attribute("value") == "zong"
    desktop.reload()
    desktop.locator("h2 >> text=Defects").wait_for()
    assert desktop.locator("#gg-levels input:checked").get_attribute("value") == "zong"


def test_the_picture_is_a_png_that_is_not_empty(desktop):
    with desktop.expect_download() as asked:
        desktop.click("#gg-png")
    content = asked.value.path().read_bytes()
    assert asked.value.suggested_filename == "芦淞区建设街道 · 微网格.png"
    assert content.startswith(b"\x89PNG")
    # A frame that WebGL has already given up compresses to next to nothing.
    assert len(content) > 40_000


def test_on_a_phone_the_map_is_free_and_the_panel_opens_on_demand(phone):
    assert not phone.locator("#gg-panel").is_visible()
    phone.click("#gg-toggle")
    assert phone.locator("#gg-panel").is_visible()
    phone.click("#gg-unserved button")
    phone.locator("#gg-card").wait_for()
    assert not phone.locator("#gg-panel").is_visible()
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


def test_who_is_no_planner_finds_no_editor(desktop):
    assert desktop.locator("#gg-edit").count() == 0


def test_a_part_that_fails_says_so_and_can_be_asked_again(browser, service):
    head = f"/api/v1/plans/plan/versions/{service.head}/defects"
    service.broken.add(head)
    page, _ = opened(browser, service)
    wait_for_map(page)
    page.locator("text=the service is being repaired: try again in a minute").wait_for()
    service.broken.clear()
    page.click("section:has(h2:text('问题清单')) >> text=重试")
    page.locator("#gg-defects >> text=缝隙").wait_for()
    page.context.close()


def test_a_service_that_is_away_is_told_in_place_of_the_map(browser, service):
    service.broken.add("/api/v1/me")
    page, _ = opened(browser, service)
    page.locator(".gg-blank >> text=the service is being repaired").wait_for()
    service.broken.clear()
    page.click(".gg-blank button")
    wait_for_map(page)
    page.context.close()


def test_signing_in_with_a_wrong_password_is_told(browser, service):
    page, _ = opened(browser, service)
    wait_for_map(page)
    page.click("#gg-login")
    page.fill("#gg-login-dialog input[name=name]", "planner")
    page.fill("#gg-login-dialog input[name=password]", "wrong")
    page.keyboard.press("Enter")
    page.locator("text=用户名或密码不对").wait_for()
    page.fill("#gg-login-dialog input[name=password]", "right")
    page.keyboard.press("Enter")
    page.locator("#gg-edit").wait_for()
    page.context.close()
