"""The editor in a real browser: each gesture is one command, and the stored plan says so."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from web_service import FakeService, degrees, make_fine_plan
from web_steps import middle_of, show_all, spot, take, wait_for_map, wait_until

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip

PATIENCE_S = 15
CELL, BESIDE = "43020103", "43020104"


@pytest.fixture
def service():
    with FakeService() as running:
        yield running


@contextmanager
def editing(browser, service, *, size=(1300, 850), touch=False, cell=CELL, level="wei"):
    """A page in which the editor is open and the whole plan in view."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=touch, is_mobile=touch
    )
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{service.address}/#cell={cell}&level={level}")
    wait_for_map(page)
    wait_until(page, lambda: page.locator("#gg-card").is_visible())
    show_all(page)
    if page.locator("#gg-toggle").is_visible():
        page.click("#gg-toggle")
    page.click("#gg-edit")
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def page(browser, service):
    with editing(browser, service) as page:
        yield page


def features_of(answer):
    return json.loads(answer[2])


def atom_spot(page, service, atom):
    features = features_of(service.atoms(version="head"))["features"]
    found = next(one for one in features if one["properties"]["atom_id"] == atom)
    return spot(page, middle_of(found))


def atoms_of(service, code):
    leaf = service.plan.labels["wei"]
    return sorted(leaf.index[leaf == code])


def has_atoms(page):
    return page.evaluate(
        "geogridWeb.view.map.queryRenderedFeatures({layers: ['atoms-fill']}).length > 0"
    )


def painted(page, service, atom):
    """Brush one atom into the cell that is selected."""
    take(page, "刷入")
    wait_until(page, lambda: has_atoms(page))
    x, y = atom_spot(page, service, atom)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4, y + 4)
    return x, y


def test_the_brush_counts_while_it_paints_and_stores_one_command(page, service):
    taken = atoms_of(service, BESIDE)[0]
    painted(page, service, taken)
    page.locator(f"#gg-live td:text('{BESIDE}')").wait_for()
    assert service.commands == []
    page.mouse.up()
    page.locator("text=已保存为新版本").wait_for()
    assert [one["command"] for one in service.commands] == ["paint"]
    assert taken in atoms_of(service, CELL)
    assert "→" in page.locator("#gg-live").inner_text()


def test_undo_and_redo_work_by_keys_and_buttons(page, service):
    before = atoms_of(service, CELL)
    painted(page, service, atoms_of(service, BESIDE)[0])
    page.mouse.up()
    wait_until(page, lambda: service.head == "v2")
    after = atoms_of(service, CELL)
    page.locator("#gg-undo:enabled").wait_for()
    page.keyboard.press("Control+z")
    page.locator("text=已撤销").wait_for()
    assert atoms_of(service, CELL) == before
    page.click("#gg-redo:enabled")
    page.locator("text=已重做").wait_for()
    assert atoms_of(service, CELL) == after
    assert page.locator("#gg-redo").is_disabled()


def test_a_loop_takes_the_atoms_inside_of_it(page, service):
    take(page, "圈选")
    wait_until(page, lambda: has_atoms(page))
    wanted = [atom for atom in atoms_of(service, BESIDE) if atom.endswith(("0", "2"))]
    places = [atom_spot(page, service, atom) for atom in wanted]
    (left, top), (right, bottom) = np.min(places, axis=0) - 15, np.max(places, axis=0) + 15
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    wait_until(page, lambda: service.head == "v2")
    assert set(wanted) <= set(atoms_of(service, CELL))


def test_a_line_splits_a_cell_after_its_counts_were_seen(page, service):
    take(page, "拆分")
    ring = features_of(service.cell(version="head", code=CELL))["geometry"]["coordinates"][0]
    (west, south), (east, north) = np.min(ring, axis=0), np.max(ring, axis=0)
    middle = (west + east) / 2
    page.mouse.click(*spot(page, (middle, south - 0.0002)))
    page.wait_for_timeout(350)
    page.mouse.click(*spot(page, (middle, north + 0.0002)))
    page.locator("#gg-live td:text('新1')").wait_for()
    cells = service.plan.labels["wei"].nunique()
    page.keyboard.press("Enter")
    wait_until(page, lambda: service.head == "v2")
    assert service.plan.labels["wei"].nunique() == cells + 1


def test_two_cells_are_merged(page, service):
    take(page, "合并")
    for code in (CELL, BESIDE):
        shape = features_of(service.cell(version="head", code=code))
        page.mouse.click(*spot(page, middle_of(shape)))
        page.wait_for_timeout(350)
    page.click("#gg-merge")
    wait_until(page, lambda: service.head == "v2")
    assert BESIDE not in set(service.plan.labels["wei"])


def node_of(service):
    """A place where four borders meet."""
    arcs = features_of(service.arcs(version="head"))["arcs"]
    ends = [tuple(arc["coordinates"][at]) for arc in arcs for at in (0, -1)]
    inner = [end for end in set(ends) if ends.count(end) == 4]
    corner = features_of(service.cell(version="head", code=CELL))["geometry"]["coordinates"][0]
    return next(end for end in inner if any(np.allclose(end, place) for place in corner))


def test_a_dragged_corner_moves_all_cells_that_meet_in_it_and_opens_no_gap(page, service):
    area = service.plan.cells("wei").geometry.area.sum()
    before = set(service.plan.cells("wei").geometry.to_wkt())
    take(page, "移界")
    page.wait_for_timeout(800)
    x, y = spot(page, node_of(service))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20, steps=4)
    page.locator(f"#gg-live td:text('{CELL}')").wait_for()
    drawn = page.evaluate(
        "geogridWeb.view.map.queryRenderedFeatures({layers: ['draft-border']}).length"
    )
    assert drawn >= 4
    page.mouse.up()
    wait_until(page, lambda: service.head == "v2")
    cells = service.plan.cells("wei")
    assert len(set(cells.geometry.to_wkt()) - before) == 4
    assert cells.geometry.area.sum() == pytest.approx(area, abs=0.01)
    assert cells.geometry.is_valid.all()


def test_a_border_takes_a_new_vertex_where_its_middle_is_dragged(page, service):
    take(page, "移界")
    page.wait_for_timeout(800)
    arcs = features_of(service.arcs(version="head"))["arcs"]
    node = node_of(service)
    arc = next(one for one in arcs if tuple(one["coordinates"][0]) == node)
    x, y = spot(page, np.mean(arc["coordinates"][:2], axis=0))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 12, steps=4)
    page.mouse.up()
    wait_until(page, lambda: service.head == "v2")
    assert [one["command"] for one in service.commands] == ["move_run"]


def test_an_edit_that_is_refused_is_told_and_changes_nothing(page, service):
    page.click("#gg-lock-cell")
    page.locator("#gg-lock-cell:has-text('解锁')").wait_for()
    painted(page, service, atoms_of(service, BESIDE)[0])
    page.mouse.up()
    page.locator("#gg-notice >> text=不能这样改").wait_for()
    assert service.head == "v1"
    assert "43020103" in page.locator("#gg-notice").inner_text()


def test_a_planner_who_was_overtaken_decides_what_becomes_of_the_edit(page, service):
    taken = atoms_of(service, BESIDE)[0]
    service.somebody_else_edits(
        {"command": "rename", "level": "wei", "cell": "43020101", "name": "新名"}
    )
    painted(page, service, taken)
    page.mouse.up()
    page.locator("dialog >> text=43020101").wait_for()
    assert taken not in atoms_of(service, CELL)
    page.click("dialog >> text=再改一次")
    wait_until(page, lambda: service.head == "v3")
    assert taken in atoms_of(service, CELL)
    assert service.plan.cell_table.loc["43020101", "name"] == "新名"


def test_a_submitted_plan_is_edited_no_more(page, service):
    page.click("#gg-submit")
    page.click("dialog >> text=提交审核 >> nth=-1")
    wait_until(page, lambda: service.state == "submitted")
    page.locator("#gg-badges >> text=已提交").wait_for()
    page.click("#gg-edit-end")
    assert page.locator("#gg-edit").count() == 0


def commands_of(service):
    return [one["command"] for one in service.commands]


def loop_around(page, service, atoms, *, margin=12):
    places = [atom_spot(page, service, atom) for atom in atoms]
    (left, top), (right, bottom) = np.min(places, axis=0) - margin, np.max(places, axis=0) + margin
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_a_new_cell_is_made_of_a_loop_and_clicks_after_its_counts_were_seen(page, service):
    take(page, "新建")
    wait_until(page, lambda: has_atoms(page))
    one, other, third, _ = atoms_of(service, CELL)
    loop_around(page, service, [one, other])
    page.locator("#gg-live td:text('新1')").wait_for()
    page.wait_for_timeout(800)
    page.mouse.click(*atom_spot(page, service, third))
    page.locator("#gg-check:has-text('可以保存')").wait_for()
    page.wait_for_timeout(800)
    page.mouse.click(*atom_spot(page, service, third))
    page.locator("#gg-check:has-text('可以保存')").wait_for()
    assert service.commands == []
    page.fill("input[name=name]", "集市网格")
    page.click("#gg-finish")
    wait_until(page, lambda: service.head == "v2")
    table = service.plan.cell_table
    code = table.index[table["name"] == "集市网格"][0]
    assert atoms_of(service, code) == sorted([one, other])
    wait_until(page, lambda: page.evaluate("geogridWeb.store.get().cell") == code)


def test_above_the_finest_level_whole_cells_are_taken(browser, service):
    above = "430201"
    other = next(code for code in set(service.plan.labels["zong"]) if code != above)
    with editing(browser, service, cell=above, level="zong") as page:
        take(page, "圈选")
        wait_until(page, lambda: has_atoms(page))
        leaf, zong = service.plan.labels["wei"], service.plan.labels["zong"]
        taken = min(leaf.index[zong == other])
        whole = atoms_of(service, leaf[taken])
        loop_around(page, service, [taken], margin=6)
        page.wait_for_timeout(1500)
        assert [set(one) for one in service.commands] == [{"command", "level", "target", "cells"}]
        assert service.commands[0]["cells"] == [leaf[taken]]
        held = service.plan.labels["zong"]
        assert set(held[whole]) == {above} or "不能这样改" in page.locator("#gg-check").inner_text()


def test_a_cell_gets_another_name(page, service):
    page.keyboard.press("9")
    page.fill("#gg-facts input[name=name]", "解放路网格")
    page.click("#gg-facts-save")
    wait_until(page, lambda: service.head == "v2")
    assert service.plan.cell_table.loc[CELL, "name"] == "解放路网格"
    page.locator("#gg-card >> text=解放路网格").wait_for()


def with_kinds(plan):
    levels = tuple(
        replace(level, kinds=("普通", "专属"), unbalanced_kinds=("专属",))
        if level.key == "wei" else level
        for level in plan.scheme.levels
    )  # fmt: skip
    return replace(plan, scheme=replace(plan.scheme, levels=levels))


def test_a_cell_is_said_to_be_of_another_kind(browser):
    with (
        FakeService(plan=with_kinds(make_fine_plan())) as service,
        editing(browser, service) as page,
    ):
        take(page, "属性")
        page.select_option("#gg-facts select", "专属")
        page.locator("#gg-check:has-text('可以保存')").wait_for()
        page.click("#gg-facts-save")
        wait_until(page, lambda: service.head == "v2")
        assert commands_of(service) == ["assign_kind"]
        assert service.plan.cell_table.loc[CELL, "kind"] == "专属"


def border_between(plan, one, other):
    cells = plan.cells("wei").set_index("code").geometry
    return shapely.line_merge(cells[one].intersection(cells[other]))


def beside_street(plan):
    """A plan with a street eight metres beside the border of two cells."""
    ends = shapely.get_coordinates(border_between(plan, CELL, BESIDE))[[0, -1]]
    along = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0]))
    aside = np.array([-along[1], along[0]]) * 8
    bent = [
        ends[0] - along * 5 + aside,
        ends.mean(axis=0) + aside * 1.5,
        ends[1] + along * 5 + aside,
    ]
    street = gpd.GeoDataFrame(
        {"kind": ["road"]}, geometry=[shapely.LineString(bent)], crs=plan.district.crs
    )
    return replace(plan, atoms=replace(plan.atoms, barriers=street))


def test_a_border_is_laid_onto_a_street_once_its_new_course_was_seen(browser):
    plan = beside_street(make_fine_plan())
    with FakeService(plan=plan) as service, editing(browser, service) as page:
        page.keyboard.press("8")
        page.wait_for_timeout(800)
        border = degrees(border_between(plan, CELL, BESIDE), plan)
        at = border.interpolate(0.3, normalized=True)
        page.mouse.click(*spot(page, (at.x, at.y)))
        page.locator("#gg-check:has-text('可以保存')").wait_for()
        outlines = "geogridWeb.view.map.queryRenderedFeatures({layers: ['editor-result']}).length"
        wait_until(page, lambda: page.evaluate(outlines) > 0)
        page.keyboard.press("Enter")
        wait_until(page, lambda: service.head == "v2")
        (command,) = service.commands
        assert (command["command"], command["within_m"]) == ("snap_to_streets", 30)
        moved = border_between(service.plan, CELL, BESIDE)
        street = plan.atoms.barriers.geometry.iloc[0]
        assert moved.interpolate(0.5, normalized=True).distance(street) < 0.01


def test_a_border_far_from_streets_is_refused_in_chinese(browser):
    plan = beside_street(make_fine_plan())
    with FakeService(plan=plan) as service, editing(browser, service) as page:
        take(page, "贴路")
        page.wait_for_timeout(800)
        border = degrees(border_between(plan, CELL, "43020101"), plan)
        at = border.interpolate(0.5, normalized=True)
        page.mouse.click(*spot(page, (at.x, at.y)))
        page.locator("#gg-check:has-text('没有连续的道路')").wait_for()
        assert "no given line" not in page.locator("#gg-check").inner_text()
        assert service.commands == []


def test_cells_fall_apart_only_where_that_was_ticked_and_only_once(page, service):
    take(page, "圈选")
    wait_until(page, lambda: has_atoms(page))
    far = next(
        code for code in sorted(set(service.plan.labels["wei"]))
        if code.startswith("430201") and border_between(service.plan, CELL, code).is_empty
    )  # fmt: skip
    taken = atoms_of(service, far)[0]
    loop_around(page, service, [taken], margin=6)
    page.locator("#gg-check:has-text('不连片')").wait_for()
    assert service.head == "v1"
    page.check("input[name=gg-pieces]")
    loop_around(page, service, [taken], margin=6)
    wait_until(page, lambda: service.head == "v2")
    assert service.commands[-1]["allow_disconnected"] is True
    assert taken in atoms_of(service, CELL)
    page.locator("input[name=gg-pieces]:not(:checked)").wait_for()


def test_a_refusal_is_seen_before_anything_is_stored(page, service):
    page.click("#gg-lock-cell")
    page.locator("#gg-lock-cell:has-text('解锁')").wait_for()
    painted(page, service, atoms_of(service, BESIDE)[0])
    page.locator(f"#gg-check:has-text('{CELL}已锁定')").wait_for()
    assert service.commands == []
    page.keyboard.press("Escape")
    page.mouse.up()
    page.wait_for_timeout(300)
    assert service.commands == []


def test_locked_cells_are_hatched_on_the_map_and_named_beside_it(page):
    hatched = "geogridWeb.view.map.queryRenderedFeatures({layers: ['locked-wei']})"
    codes = f"[...new Set({hatched}.map((one) => one.properties.code))]"
    assert page.evaluate(codes) == []
    page.click("#gg-lock-cell")
    wait_until(page, lambda: page.evaluate(codes) == [CELL])
    assert CELL in page.locator("#gg-locked").inner_text()
    page.click("#gg-lock-cell")
    wait_until(page, lambda: page.evaluate(codes) == [])


def test_a_vertex_is_put_in_and_taken_out_again_by_key(page, service):
    take(page, "移界")
    page.wait_for_timeout(800)
    border = degrees(border_between(service.plan, CELL, BESIDE), service.plan)
    ends = [shapely.Point(one) for one in border.coords[:2]]
    at = shapely.LineString(ends).interpolate(0.5, normalized=True)
    x, y = spot(page, (at.x, at.y))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 15, y + 15, steps=4)
    page.mouse.up()
    wait_until(page, lambda: service.head == "v2")
    before = len(border.coords)
    assert len(border_between(service.plan, CELL, BESIDE).coords) == before + 1

    def is_chosen():
        # Slowly: a double click would take it out at once.
        page.wait_for_timeout(700)
        page.mouse.click(x + 15, y + 15)
        return page.locator("#gg-remove:enabled").count() == 1

    wait_until(page, is_chosen)
    page.keyboard.press("Delete")
    wait_until(page, lambda: service.head == "v3")
    assert len(border_between(service.plan, CELL, BESIDE).coords) == before


def test_a_step_can_be_undone_after_the_page_was_loaded_again(page, service):
    before = atoms_of(service, CELL)
    painted(page, service, atoms_of(service, BESIDE)[0])
    page.mouse.up()
    wait_until(page, lambda: service.head == "v2")
    page.reload()
    page.click("#gg-edit")
    page.locator("#gg-undo:enabled").wait_for()
    page.keyboard.press("Control+z")
    wait_until(page, lambda: service.head == "v3")
    assert atoms_of(service, CELL) == before
    page.locator("#gg-redo:enabled").wait_for()
    page.keyboard.press("Control+Shift+Z")
    wait_until(page, lambda: service.head == "v4")
    assert atoms_of(service, CELL) != before


def test_numbers_choose_tools_and_a_question_mark_lists_the_keys(page):
    for number, tool in enumerate(
        ("pick", "paint", "lasso", "create", "split", "merge", "border", "snap", "facts"), start=1
    ):
        page.keyboard.press(str(number))
        assert page.locator("#gg-tools input:checked").get_attribute("value") == tool
    page.keyboard.press("?")
    page.locator("#gg-keys >> text=Ctrl+Z").wait_for()
    page.keyboard.press("?")
    wait_until(page, lambda: page.locator("#gg-keys").count() == 0)


def test_keys_that_are_typed_into_a_field_choose_no_tool(page):
    page.keyboard.press("9")
    page.fill("#gg-facts input[name=name]", "")
    page.type("#gg-facts input[name=name]", "第3组?")
    assert page.input_value("#gg-facts input[name=name]") == "第3组?"
    assert page.locator("#gg-tools input:checked").get_attribute("value") == "facts"
    assert page.locator("#gg-keys").count() == 0


def test_escape_drops_the_line_of_a_split_and_backspace_its_last_place(page, service):
    page.keyboard.press("5")
    x, y = spot(page, middle_of(features_of(service.cell(version="head", code=CELL))))
    for step in (-30, 0, 30):
        page.mouse.click(x + step, y)
        page.wait_for_timeout(400)
    places = "geogridWeb.view.map.queryRenderedFeatures({layers: ['draft-vertex']}).length"
    wait_until(page, lambda: page.evaluate(places) == 3)
    page.keyboard.press("Backspace")
    wait_until(page, lambda: page.evaluate(places) == 2)
    page.keyboard.press("Escape")
    wait_until(page, lambda: page.evaluate(places) == 0)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert service.commands == []


def test_who_was_overtaken_reads_who_changed_what_and_sees_it_on_the_map(page, service):
    service.somebody_else_edits(
        {"command": "rename", "level": "wei", "cell": "43020101", "name": "新名"}
    )
    before = page.evaluate("geogridWeb.view.map.getZoom()")
    painted(page, service, atoms_of(service, BESIDE)[0])
    page.mouse.up()
    page.locator("#gg-conflict >> text=43020101").wait_for()
    wait_until(page, lambda: page.evaluate("geogridWeb.view.map.getZoom()") > before)
    assert "已改动并保存" in page.locator("#gg-conflict").inner_text()
    page.click("#gg-conflict >> text=放弃我的改动")
    assert page.locator("#gg-conflict").count() == 0
    assert commands_of(service) == ["paint"]
    assert service.head == "v2"


def test_where_too_many_cells_are_in_view_it_says_to_zoom_in(page, service):
    service.crowded = True
    take(page, "移界")
    page.locator("#gg-help:has-text('放大后编辑')").wait_for()
    service.crowded = False
    page.evaluate("geogridWeb.view.map.zoomTo(geogridWeb.view.map.getZoom() + 0.5)")
    page.locator("#gg-help:has-text('拖动界点')").wait_for()


def bar_look(page, code):
    return page.locator(f"#gg-live tr:has(td:text-is('{code}'))").get_attribute("class")


def test_the_bar_of_a_cell_says_whether_its_households_fit_the_band(page, service):
    band = service.plan.scheme.level("wei").band
    row = service.plan.cells("wei").set_index("code").loc[CELL]
    page.locator("#gg-live .gg-gauge").wait_for()
    look = bar_look(page, CELL)
    assert look == ("gg-look-good" if row.households in band else "gg-look-far")


class Fingers:
    """Touches of a page, as a screen sends them."""

    def __init__(self, page):
        self.page = page
        self.wire = page.context.new_cdp_session(page)

    def send(self, kind, *places):
        points = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(places)]
        self.wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.page.wait_for_timeout(40)

    def draw(self, first, *places):
        self.send("touchStart", first)
        for place in places:
            self.send("touchMove", place)
        self.send("touchEnd")


PHONE = {"size": (390, 844), "touch": True}


def test_a_finger_brushes_once_and_two_fingers_move_the_map_instead(browser, service):
    with editing(browser, service, **PHONE) as page:
        take(page, "刷入")
        wait_until(page, lambda: has_atoms(page))
        fingers = Fingers(page)
        x, y = atom_spot(page, service, atoms_of(service, BESIDE)[0])
        zoom = page.evaluate("geogridWeb.view.map.getZoom()")
        fingers.send("touchStart", (x, y))
        fingers.send("touchStart", (x, y), (x + 60, y))
        for step in range(1, 8):
            fingers.send("touchMove", (x - 6 * step, y), (x + 60 + 6 * step, y))
        fingers.send("touchEnd")
        wait_until(page, lambda: page.evaluate("geogridWeb.view.map.getZoom()") > zoom)
        page.wait_for_timeout(800)
        assert service.commands == []
        page.evaluate(f"geogridWeb.view.map.jumpTo({{zoom: {zoom}}})")
        page.wait_for_timeout(800)
        x, y = atom_spot(page, service, atoms_of(service, BESIDE)[0])
        fingers.draw((x, y), (x + 3, y + 3))
        wait_until(page, lambda: service.head == "v2")
        page.wait_for_timeout(900)
        assert commands_of(service) == ["paint"]


def test_a_finger_draws_the_line_of_a_split(browser, service):
    with editing(browser, service, **PHONE) as page:
        take(page, "拆分")
        page.wait_for_timeout(300)
        ring = features_of(service.cell(version="head", code=CELL))["geometry"]["coordinates"][0]
        (west, south), (east, north) = np.min(ring, axis=0), np.max(ring, axis=0)
        middle = [float(west + east) / 2, float(south + north) / 2]
        page.evaluate(f"geogridWeb.view.map.jumpTo({{center: {middle}}})")
        ends = [(middle[0], south - 2e-4), (middle[0], north + 2e-4)]
        (x, top), (_, bottom) = (spot(page, end) for end in ends)
        cells = service.plan.labels["wei"].nunique()
        Fingers(page).draw(*((x, top + (bottom - top) * at / 8) for at in range(9)))
        page.locator("#gg-finish:enabled").click()
        wait_until(page, lambda: service.head == "v2")
        assert service.plan.labels["wei"].nunique() == cells + 1


def test_a_finger_drags_a_vertex_by_a_handle_that_is_large_enough(browser, service):
    with editing(browser, service, **PHONE) as page:
        take(page, "移界")
        handles = "geogridWeb.view.map.queryRenderedFeatures({layers: ['draft-vertex']}).length"
        wait_until(page, lambda: page.evaluate(handles) > 0)
        assert (
            page.evaluate("geogridWeb.view.map.getPaintProperty('draft-vertex', 'circle-radius')")
            >= 10
        )
        x, y = spot(page, node_of(service))
        # A finger does not hit to the pixel.
        Fingers(page).draw((x + 9, y - 8), (x + 14, y + 4), (x + 20, y + 12))
        wait_until(page, lambda: service.head == "v2")
        assert commands_of(service) == ["move_vertex"]


def test_every_tool_can_be_reached_on_a_phone(browser, service):
    with editing(browser, service, **PHONE) as page:
        for tool in ("刷入", "圈选", "新建", "拆分", "合并", "移界", "贴路", "属性"):
            take(page, tool)
            box = page.locator(f"#gg-tools label:has-text('{tool}')").bounding_box()
            assert box["height"] >= 36
            assert 0 <= box["x"] <= 390
            assert page.evaluate("document.scrollingElement.scrollLeft") == 0
        assert page.locator("#gg-dock").bounding_box()["height"] < 844 / 2
