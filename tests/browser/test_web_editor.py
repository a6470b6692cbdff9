"""The editor in a real browser: each gesture is one command, and the stored plan says so."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from web_service import DIST, FakeService

pytest.importorskip("playwright.sync_api")

pytestmark = [pytest.mark.browser, pytest.mark.network]

PATIENCE_S = 15
CELL, BESIDE = "43020103", "43020104"


@pytest.fixture(scope="module", autouse=True)
def _built():
    if not (DIST / "app.js").is_file():
        pytest.skip("the web app is not built: install geogrid from source with Node.js at hand")


@pytest.fixture
def service():
    with FakeService() as running:
        yield running


@pytest.fixture
def page(browser, service):
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{service.address}/#cell={CELL}&level=wei")
    wait_until(
        page, lambda: page.evaluate("!!window.geogridWeb && geogridWeb.view.drawnLabels > 0")
    )
    wait_until(page, lambda: page.locator("#gg-card").is_visible())
    page.evaluate(
        "geogridWeb.view.map.fitBounds(geogridWeb.store.get().info.bounds, {animate: false})"
    )
    page.click("#gg-edit")
    yield page
    context.close()
    assert faults == []


def wait_until(page, claim):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if claim():
            return
        page.wait_for_timeout(100)
    pytest.fail("never came true")


def spot(page, place):
    return page.evaluate(
        """([lon, lat]) => {
          const at = geogridWeb.view.map.project([lon, lat]);
          const box = geogridWeb.view.map.getCanvas().getBoundingClientRect();
          return [at.x + box.left, at.y + box.top];
        }""",
        list(place),
    )


def features_of(answer):
    return json.loads(answer[2])


def middle_of(shape):
    return np.mean(shape["geometry"]["coordinates"][0][:-1], axis=0).tolist()


def atom_spot(page, service, atom):
    features = features_of(service.atoms(version="head"))["features"]
    found = next(one for one in features if one["properties"]["atom_id"] == atom)
    return spot(page, middle_of(found))


def atoms_of(service, code):
    leaf = service.plan.labels["wei"]
    return sorted(leaf.index[leaf == code])


def take(page, tool):
    page.click(f"#gg-tools >> text={tool}")


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
    page.locator("#gg-live td:text('new 1')").wait_for()
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
