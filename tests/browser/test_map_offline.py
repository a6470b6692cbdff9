"""The map in a real browser, with the network unplugged."""

from __future__ import annotations

import pytest
from map_plans import make_defects, make_extract, make_plan, make_reach, make_stations

from geogrid.maps.plan_map import write_map

pytest.importorskip("playwright.sync_api")

UNSERVED = {"a00": 40, "a20": 12, "a30": 30}
NEAR = {**UNSERVED, "a21": 20}
EVIL = "</script><img src=x onerror=alert(1)>"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def map_file(tmp_path_factory):
    plan = make_plan(names={"43020104": EVIL})
    return write_map(
        plan, tmp_path_factory.mktemp("map") / "map.html", extract=make_extract(),
        stations=make_stations(), reach=make_reach(plan, unserved=UNSERVED, near=NEAR),
        defects=make_defects(),
    )  # fmt: skip


def opened(browser, map_file, *, width, height, touch=False):
    """Open the file offline; what goes wrong or leaves the page is collected in ``faults``."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, offline=True, has_touch=touch
    )
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))

    def on_dialog(dialog):
        faults.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", on_dialog)

    def watch(route):
        url = route.request.url
        if url.startswith(("file:", "data:")):
            route.continue_()
        else:
            faults.append(url)
            route.abort()

    page.route("**/*", watch)
    page.goto(map_file.as_uri())
    page.wait_for_function("window.geogridMap && geogridMap.labels.drawn > 0")
    return page, faults


@pytest.fixture
def desktop(browser, map_file):
    page, faults = opened(browser, map_file, width=1400, height=900)
    yield page
    page.context.close()
    assert faults == []


@pytest.fixture
def phone(browser, map_file):
    page, faults = opened(browser, map_file, width=390, height=844, touch=True)
    yield page
    page.context.close()
    assert faults == []


def level_shown(page):
    return page.eval_on_selector("#gg-levels input:checked", "node => node.parentNode.textContent")


def painted(page, pane):
    """Count the pixels that a pane has drawn."""
    return page.evaluate(
        """name => {
          const canvas = document.querySelector(`.leaflet-${name}-pane canvas`);
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return data.filter((value, at) => at % 4 === 3 && value > 0).length;
        }""",
        pane,
    )


def test_the_map_shows_streets_cells_and_labels(desktop):
    for pane in ("gg-base", "gg-cells", "gg-borders", "gg-labels"):
        assert painted(desktop, pane) > 1000, pane
    assert desktop.locator("#gg-title").inner_text() == "芦淞区建设街道 · 两级网格"
    assert "估算户数" in desktop.locator("#gg-badges").inner_text()
    foot = desktop.locator("#gg-foot").inner_text()
    assert "内部使用" in foot
    assert "© OpenStreetMap contributors, ODbL" in foot


def test_levels_switch_and_only_one_is_shown(desktop):
    assert level_shown(desktop) == "微网格"
    desktop.click("#gg-levels >> text=总网格")
    assert level_shown(desktop) == "总网格"
    shown = "geogridMap.data.levels.map(level => geogridMap.map.hasLayer(level.fill))"
    assert desktop.evaluate(shown) == [True, False]
    assert "微网格边界" not in desktop.locator("#gg-legend").inner_text()


def test_a_click_on_a_cell_tells_who_it_is(desktop):
    box = desktop.locator("#map_plan").bounding_box()
    at = desktop.evaluate(
        """() => {
          const level = geogridMap.data.levels[1];
          const [lon, lat] = level.spot[level.row.get('43020206')];
          const point = geogridMap.map.latLngToContainerPoint([lat, lon]);
          return [point.x, point.y];
        }"""
    )
    desktop.mouse.click(box["x"] + at[0] + 8, box["y"] + at[1] + 8)
    text = desktop.locator("#gg-card").inner_text()
    for wanted in (
        "建设第2总网格6号",
        "43020206",
        "微网格",
        "15 户（估算）",
        "低于户数标准",
        "4.00 公顷",
    ):
        assert wanted in text
    desktop.click("#gg-card .gg-close")
    assert desktop.locator("#gg-card").is_hidden()


def test_a_small_count_is_never_a_number(desktop):
    desktop.fill("#gg-search", "43020102")
    desktop.press("#gg-search", "Enter")
    assert "<10 户" in desktop.locator("#gg-card").inner_text()


def test_search_finds_codes_names_and_stations(desktop):
    desktop.fill("#gg-search", "４３０２０１")
    assert desktop.locator("#gg-hits li").count() == 9
    desktop.press("#gg-search", "Enter")
    assert level_shown(desktop) == "总网格"
    assert "建设第1总网格" in desktop.locator("#gg-card").inner_text()
    desktop.fill("#gg-search", "图书馆")
    desktop.click("#gg-hits button")
    card = desktop.locator("#gg-card").inner_text()
    assert "以图书馆代替服务站" in card
    assert "<10 户" in card
    assert "服务户数（15分钟内）" in card
    desktop.fill("#gg-search", "建设")
    assert "服务站" not in desktop.locator("#gg-hits li").first.inner_text()
    desktop.fill("#gg-search", "没有这个")
    assert desktop.locator("#gg-hits").inner_text() == "没有找到"


def test_a_name_stays_text(desktop):
    desktop.fill("#gg-search", "43020104")
    assert EVIL in desktop.locator("#gg-hits").inner_text()
    desktop.press("#gg-search", "Enter")
    assert desktop.locator("#gg-card h3").inner_text() == EVIL
    assert desktop.locator("img").count() == 0


def test_circles_switch_by_minutes(desktop):
    shown = "geogridMap.data.circles.map(circle => geogridMap.map.hasLayer(circle.layer))"
    legend = desktop.locator("#gg-legend")
    assert desktop.evaluate(shown) == [False, False]
    assert "服务圈" not in legend.inner_text()
    desktop.check("#gg-overlays input[value='circle-15分钟']")
    assert desktop.evaluate(shown) == [False, True]
    assert "15分钟服务圈" in legend.inner_text()
    dashes = legend.locator(".gg-key", has_text="15分钟").locator("rect")
    assert dashes.get_attribute("stroke-dasharray")
    desktop.uncheck("#gg-overlays input[value='stations']")
    assert "服务站" not in legend.inner_text()
    desktop.check("#gg-overlays input[value='circle-5分钟']")
    assert desktop.evaluate(shown) == [True, True]


def test_the_unserved_are_ranked_and_a_click_goes_there(desktop):
    rows = desktop.locator("#gg-unserved button")
    assert "40 户 · 100%" in rows.first.inner_text()
    near = rows.count()
    assert "5分钟服务圈外" in desktop.locator("#gg-unserved-unit").inner_text()
    rows.first.click()
    card = desktop.locator("#gg-card").inner_text()
    for wanted in ("43020101", "5分钟盲区", "15分钟盲区", "40 户（100%）"):
        assert wanted in card
    desktop.click("#gg-fills >> text=盲区占比")
    assert "5分钟服务圈外住户占比" in desktop.locator("#gg-legend").inner_text()
    desktop.click("#gg-limits >> text=15分钟")
    assert "15分钟服务圈外住户占比" in desktop.locator("#gg-legend").inner_text()
    assert rows.count() == near - 1
    assert "不公布" in desktop.locator("#gg-legend").inner_text()
    assert "无住户" in desktop.locator("#gg-legend").inner_text()


def test_bars_of_equal_share_are_equally_long(desktop):
    shares = desktop.locator("#gg-unserved .gg-side").all_inner_texts()
    widths = [bar.bounding_box()["width"] for bar in desktop.locator("#gg-unserved .gg-bar").all()]
    full = [width for share, width in zip(shares, widths, strict=True) if share.endswith(" 100%")]
    assert len(full) >= 2
    assert max(full) - min(full) < 0.5


def test_a_click_leaves_no_frame_and_tab_shows_where_the_focus_is(desktop):
    style = "getComputedStyle(document.querySelector('#map_plan')).outlineStyle"
    desktop.click("#map_plan", position={"x": 30, "y": 400})
    assert desktop.evaluate(style) == "none"
    desktop.keyboard.press("Tab")
    desktop.evaluate("document.querySelector('#map_plan').focus()")
    assert desktop.evaluate(style) == "solid"


def test_all_labels_of_a_level_are_written_in_one_way(desktop):
    texts = "geogridMap.labels._source().map(label => label.texts[0])"
    for zoom in (14, 16):
        desktop.evaluate(f"geogridMap.map.setZoom({zoom}, {{animate: false}})")
        desktop.click("#gg-texts >> text=编码")
        codes = [text for text in desktop.evaluate(texts) if text.isdigit()]
        assert len({len(code) for code in codes}) == 1


def test_a_hovered_cell_names_the_cell_above(desktop):
    tip = "(level => cellTipOf(level, level.row.get('43020206')))(geogridMap.data.levels[1])"
    assert desktop.evaluate(tip.replace("cellTipOf", "geogridMap.cellTip")).startswith(
        "建设第2总网格 › 6号"
    )


def test_a_defect_is_gone_to_and_a_home_only_to_its_cell(desktop):
    zoom = desktop.evaluate("geogridMap.map.getZoom()")
    desktop.click("#gg-defects >> text=缝隙")
    assert desktop.evaluate("geogridMap.map.getZoom()") > zoom
    desktop.click("#gg-defects >> text=漏户")
    assert "43020104" in desktop.locator("#gg-card").inner_text()


def test_no_two_labels_overlap(desktop):
    drawn = desktop.evaluate("geogridMap.labels.boxes")
    assert len(drawn) >= 10
    for at, one in enumerate(drawn):
        for other in drawn[at + 1 :]:
            apart = (
                one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            )
            assert apart


def test_a_label_that_finds_no_place_is_left_out(desktop):
    drawn = desktop.evaluate(
        """steps => {
          const layer = geogridMap.labels;
          const one = {...layer._source(geogridMap.map)[0], steps};
          layer._source = () => [one, {...one}];
          layer._pins = () => [];
          layer.redraw();
          return layer.drawn;
        }""",
        [],
    )
    assert drawn == 1


def test_a_label_steps_aside_for_a_pin(desktop):
    free, moved = desktop.evaluate(
        """() => {
          const layer = geogridMap.labels;
          const one = layer._source(geogridMap.map)[0];
          layer._source = () => [one];
          layer._pins = () => [];
          layer.redraw();
          const free = layer.boxes[0];
          layer._pins = () => [one.at];
          layer.redraw();
          return [free, layer.boxes[0]];
        }"""
    )
    assert moved[0] == free[0]
    assert moved[1] > free[1]


def test_on_a_phone_the_panel_is_folded_and_opens(phone):
    assert phone.locator("#gg-panel").is_hidden()
    assert not phone.evaluate("document.getElementById('gg-legend').open")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.tap("#gg-toggle")
    assert phone.locator("#gg-panel").is_visible()
    phone.tap("#gg-levels >> text=总网格")
    phone.fill("#gg-search", "43020206")
    phone.press("#gg-search", "Enter")
    assert phone.locator("#gg-panel").is_hidden()
    card, frame = (phone.locator(one).bounding_box() for one in ("#gg-card", "#map_plan"))
    assert card["y"] > frame["y"] + frame["height"] / 3
    assert "建设第2总网格6号" in phone.locator("#gg-card").inner_text()
