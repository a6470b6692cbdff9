"""Lists of households in the editor: dots and rows that move, over the stand-in and the service."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import numpy as np
import pytest
from list_plans import homes_in, listed, points_of
from list_service import ListService
from map_plans import make_stations
from serve_cases import ended, started
from web_service import make_fine_plan
from web_steps import show_all, spot, take, wait_for_map, wait_until

from geogrid.accounts.passwords import hash_password
from geogrid.api import import_plan
from geogrid.io.plan_file import write_plan
from geogrid.store import Grant, open_store

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip

CELL, BESIDE = "43020103", "43020104"
ONE, TWO = f"{CELL}0101", f"{CELL}0102"
PASSWORD = "a long enough secret"  # noqa: S105 - of tests
DOTS = "geogridWeb.view.map.queryRenderedFeatures({layers: ['editor-homes']})"


@pytest.fixture
def service():
    with ListService() as running:
        yield running


@contextmanager
def opened(browser, address, *, size=(1300, 850), touch=False, name="", cell=CELL):
    """A page in which the editor is open, near the cell."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=touch, is_mobile=touch
    )
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    if name:
        answer = page.request.post(
            f"{address}/api/v1/login", data={"name": name, "password": PASSWORD}
        )
        assert answer.status == 204, answer.text()
    page.goto(f"{address}/{'app/' if name else ''}#cell={cell}&level=wei")
    wait_for_map(page)
    show_all(page)
    if page.locator("#gg-toggle").is_visible():
        page.click("#gg-toggle")
    page.click("#gg-edit")
    yield page
    context.close()
    assert faults == []


@contextmanager
def editing(browser, service, **more):
    with opened(browser, service.address, **more) as page:
        yield page


@pytest.fixture
def page(browser, service):
    with editing(browser, service) as page:
        page.locator("#gg-lists").wait_for()
        wait_until(page, f"{DOTS}.length > 0")
        yield page


def in_hand(page, code):
    page.check(f"#gg-lists input[value='{code}']")


def home_spot(page, service, home):
    return spot(page, service.places[home])


def alone_in(service, code, *, apart=12e-5):
    """Return a household of a list well away from all others."""
    names = service.plan.rosters["lin"]["household_id"].tolist()
    places = np.array([service.places[name] for name in names])
    for home in homes_in(service.plan, code):
        step = np.abs(places - service.places[home]).max(axis=1)
        if (step < apart).sum() == 1:
            return home
    pytest.fail(f"nobody of {code} lives alone")


def near(page, service, home):
    place = service.places[home]
    page.evaluate(f"geogridWeb.view.map.jumpTo({{center: {place}, zoom: 18}})")
    page.wait_for_timeout(500)


def click_home(page, service, home):
    near(page, service, home)
    page.mouse.click(*home_spot(page, service, home))


def counts_of(page):
    return page.locator("#gg-live").inner_text().split()


def test_where_all_is_official_the_editor_opens_on_lists_with_dots_and_bands(page, service):
    assert page.locator("#gg-edit-what input:checked").get_attribute("value") == "lin"
    assert page.locator("#gg-lists tr[data-list]").count() == 5
    dots = page.evaluate(f"[...new Set({DOTS}.map((one) => one.properties.list))].sort()")
    assert dots == sorted(
        set(
            service.plan.rosters["lin"]["code"][service.plan.rosters["lin"]["code"].str[:8] == CELL]
        )
    )
    colours = page.evaluate(f"[...new Set({DOTS}.map((one) => one.properties.colour))].length")
    assert colours == len(dots)
    assert "5–15 户" in page.locator("#gg-lists caption").inner_text()
    page.click("#gg-edit-what >> text=组")
    wait_until(page, lambda: page.locator("#gg-lists tr[data-list]").count() == 3)


def test_a_click_on_a_dot_puts_a_household_into_the_list_in_hand(page, service):
    take(page, "划入")
    in_hand(page, ONE)
    home = alone_in(service, TWO)
    click_home(page, service, home)
    page.locator("#gg-live >> text=10 → 11").wait_for()
    page.locator("#gg-live >> text=10 → 9").wait_for()
    page.locator("#gg-check:has-text('可以保存')").wait_for()
    assert service.commands == []
    page.click("#gg-finish:has-text('1 户')")
    page.locator("text=已保存为新版本").wait_for()
    assert service.commands == [
        {"command": "paint", "level": "lin", "target": ONE, "households": [home]}
    ]
    assert service.list_of(home) == ONE
    wait_until(page, lambda: "11" in page.locator(f"tr[data-list='{ONE}']").inner_text())
    assert page.locator(f"#gg-lists input[value='{ONE}']").is_checked()
    page.keyboard.press("Control+z")
    page.locator("text=已撤销").wait_for()
    assert service.list_of(home) == TWO
    wait_until(page, lambda: "10" in page.locator(f"tr[data-list='{ONE}']").inner_text())
    page.click("#gg-redo:enabled")
    wait_until(page, lambda: service.list_of(home) == ONE)


def test_a_loop_takes_who_lives_in_it_and_a_click_leaves_one_out(page, service):
    take(page, "划入")
    in_hand(page, TWO)
    homes = homes_in(service.plan, ONE)
    left = alone_in(service, ONE)
    near(page, service, left)
    x, y = home_spot(page, service, left)
    page.mouse.move(x - 40, y - 40)
    page.mouse.down()
    for place in ((x + 40, y - 40), (x + 40, y + 40), (x - 40, y + 40), (x - 40, y - 40)):
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    page.locator("#gg-homes-chosen").wait_for()
    chosen = set(page.evaluate("[...document.querySelectorAll('#gg-homes input:checked')]"
                               ".map((one) => one.value)")) - {"all"}  # fmt: skip
    assert left in chosen
    page.mouse.click(x, y)
    wait_until(page, lambda: not page.locator(f"#gg-homes input[value='{left}']").is_checked())
    assert service.commands == []
    assert left in homes


def test_a_new_list_is_made_of_who_was_ticked_in_the_table(page, service):
    take(page, "新建")
    homes = homes_in(service.plan, ONE)[:5]
    page.fill("#gg-homes-find", "h0")
    for home in homes:
        page.check(f"#gg-homes input[value='{home}']")
    page.fill("input[name=name]", "新邻里")
    page.locator("#gg-live >> text=新1").wait_for()
    page.keyboard.press("Escape")
    page.locator("#gg-finish:disabled").wait_for()
    for home in homes:
        page.check(f"#gg-homes input[value='{home}']")
    page.fill("input[name=name]", "新邻里")
    page.click("#gg-finish")
    wait_until(page, lambda: service.head == "v2")
    code = service.list_of(homes[0])
    assert set(homes_in(service.plan, code)) == set(homes)
    assert service.plan.cell_table.loc[code, "name"] == "新邻里"
    wait_until(page, lambda: page.locator(f"#gg-lists input[value='{code}']").is_checked())


def test_two_lists_become_one_and_the_first_that_was_chosen_stays(page, service):
    take(page, "合并")
    for code in (TWO, ONE):
        page.check(f"#gg-lists input[value='{code}']")
    page.locator("#gg-live >> text=10 → 20").wait_for()
    page.locator("#gg-live >> text=多 5 户").wait_for()
    page.click("#gg-merge:has-text('合并 2 个名册')")
    wait_until(page, lambda: service.head == "v2")
    assert service.commands == [
        {"command": "merge", "level": "lin", "cells": [TWO, ONE], "into": TWO}
    ]
    wait_until(page, lambda: page.locator(f"tr[data-list='{ONE}']").count() == 0)


def test_a_list_gets_another_name(page, service):
    page.keyboard.press("5")
    in_hand(page, ONE)
    page.fill("#gg-facts input[name=name]", "东头邻")
    page.click("#gg-facts-save")
    wait_until(page, lambda: service.head == "v2")
    assert service.plan.cell_table.loc[ONE, "name"] == "东头邻"
    page.locator("#gg-lists >> text=东头邻").wait_for()


def test_a_list_that_would_be_empty_is_refused_before_it_is_sent(page, service):
    take(page, "划入")
    in_hand(page, ONE)
    page.fill("#gg-homes-find", TWO)
    page.check("#gg-homes input[value=all]")
    page.locator("#gg-check:has-text('请改用合并')").wait_for()
    assert service.commands == []


def test_households_without_points_are_ticked_in_the_table(browser):
    with ListService(has_points=False) as service, editing(browser, service) as page:
        take(page, "划入")
        in_hand(page, ONE)
        page.locator("#gg-homes-count >> text=没有住户点").wait_for()
        assert page.evaluate(f"{DOTS}.length") == 0
        home = homes_in(service.plan, TWO)[0]
        page.fill("#gg-homes-find", home)
        page.check(f"#gg-homes input[value='{home}']")
        page.locator("#gg-check:has-text('可以保存')").wait_for()
        page.locator(f"#gg-homes input[value='{home}']").press("Enter")
        wait_until(page, lambda: service.list_of(home) == ONE)


def test_many_at_one_point_are_shown_alone_in_the_table(browser):
    with ListService() as service:
        homes = homes_in(service.plan, TWO)[:3]
        place = service.places[alone_in(service, TWO)]
        for home in homes:
            service.places[home] = place
        with editing(browser, service) as page:
            take(page, "划入")
            in_hand(page, ONE)
            click_home(page, service, homes[0])
            page.locator("#gg-homes-here").wait_for()
            assert page.locator("#gg-homes tbody tr").count() >= 3
            page.uncheck(f"#gg-homes input[value='{homes[0]}']")
            page.keyboard.press("Enter")
            wait_until(page, lambda: service.head == "v2")
            assert set(homes[1:]) <= set(service.commands[0]["households"])
            assert homes[0] not in service.commands[0]["households"]


def test_who_was_overtaken_may_put_the_same_households_again(page, service):
    take(page, "划入")
    in_hand(page, ONE)
    service.somebody_else_edits(
        {"command": "rename", "level": "lin", "cell": f"{CELL}0201", "name": "别邻"}
    )
    home = homes_in(service.plan, TWO)[0]
    page.check(f"#gg-homes input[value='{home}']")
    page.click("#gg-finish:enabled")
    page.click("#gg-conflict >> text=再改一次")
    wait_until(page, lambda: service.head == "v3")
    assert service.list_of(home) == ONE


def test_a_dot_takes_its_list_in_hand_and_another_cell_shows_its_own(page, service):
    home = alone_in(service, TWO)
    click_home(page, service, home)
    wait_until(page, lambda: page.locator(f"#gg-lists input[value='{TWO}']").is_checked())
    show_all(page)
    page.wait_for_timeout(500)
    shape = service.plan.cells("wei").to_crs(4326).set_index("code").geometry[BESIDE]
    page.mouse.click(*spot(page, (shape.centroid.x, shape.centroid.y)))
    page.locator(f"tr[data-list='{BESIDE}0101']").wait_for()
    assert page.locator(f"tr[data-list='{ONE}']").count() == 0


def test_without_a_cell_the_dots_of_the_view_are_shown(browser, service):
    with editing(browser, service) as page:
        page.locator("#gg-lists").wait_for()
        page.evaluate("geogridWeb.store.set({cell: '', card: null})")
        page.locator("#gg-lists-none").wait_for()
        wait_until(page, f"new Set({DOTS}.map((one) => one.properties.list.slice(0, 8))).size > 5")
        assert "bbox" in service.asked_lists[-1][1]


def test_cells_and_lists_take_turns_where_both_can_be_edited(browser):
    plan = listed(make_fine_plan(), is_official=False)
    with ListService(plan=plan) as service, editing(browser, service) as page:
        assert page.locator("#gg-edit-what input:checked").get_attribute("value") == "cells"
        assert page.locator("#gg-tools label").count() == 9
        assert page.evaluate(f"{DOTS}.length") == 0
        page.click("#gg-edit-what >> text=邻")
        wait_until(page, f"{DOTS}.length > 0")
        assert page.locator("#gg-tools label").count() == 5
        page.click("#gg-edit-what >> text=网格")
        wait_until(page, f"{DOTS}.length === 0")
        assert page.locator("#gg-tools label").count() == 9
        page.click("#gg-edit-what >> text=邻")
        wait_until(page, f"{DOTS}.length > 0")
        page.click("#gg-edit-end")
        wait_until(page, f"{DOTS}.length === 0")


def test_the_page_stays_as_long_as_the_window(page):
    take(page, "划入")
    page.locator("#gg-homes").wait_for()
    assert page.evaluate("document.scrollingElement.scrollHeight <= window.innerHeight")


def test_a_finger_chooses_a_dot_and_the_buttons_can_be_reached(browser, service):
    with editing(browser, service, size=(390, 844), touch=True) as page:
        page.locator("#gg-lists").wait_for()
        take(page, "划入")
        in_hand(page, ONE)
        home = alone_in(service, TWO)
        near(page, service, home)
        x, y = home_spot(page, service, home)
        # A finger does not hit to the pixel.
        page.touchscreen.tap(x + 8, y + 7)
        page.locator("#gg-finish:enabled").wait_for()
        assert page.locator("#gg-finish").bounding_box()["height"] >= 36
        page.locator("#gg-finish").tap()
        wait_until(page, lambda: service.list_of(home) == ONE)
        assert page.evaluate("document.scrollingElement.scrollLeft") == 0


class Stored:
    """A running service over a store with lists, and its people."""

    def __init__(self, store, plan, address):
        self.store, self.plan, self.address = store, plan, address

    @property
    def head(self):
        return self.store.branch(self.plan).head

    def list_of(self, home):
        rows = self.store.read(self.head).rosters["lin"].set_index("household_id")
        return rows.loc[home, "code"]


@pytest.fixture
def stored(tmp_path):
    plan = listed(make_fine_plan())
    plan_file, store_file = tmp_path / "plan.gpkg", tmp_path / "plans.sqlite"
    write_plan(plan, plan_file, stations=make_stations())
    with open_store(store_file) as store:
        key = import_plan(store, plan_file, households=points_of(plan).to_crs(4326))
        for name, role, area in (("wang", "planner", "430201"), ("viewer", "viewer", "")):
            store.accounts.add(
                name, actor="test", display_name=name, grants=[Grant(role, area)],
                password_hash=hash_password(PASSWORD, name=name),
            )  # fmt: skip
        command = [sys.executable, "-m", "geogrid", "serve", "--json", "--port", "0"]
        running = started([*command, "--store", str(store_file)])
        try:
            yield Stored(store, key, running.address.rstrip("/"))
        finally:
            ended(running)


def test_a_planner_moves_a_household_in_the_service_and_undoes_it(browser, stored):
    first = stored.head
    home = homes_in(stored.store.read(first), TWO)[0]
    with opened(browser, stored.address, name="wang") as page:
        page.locator("#gg-lists").wait_for()
        wait_until(page, f"{DOTS}.length > 0")
        take(page, "划入")
        in_hand(page, ONE)
        page.fill("#gg-homes-find", home)
        page.check(f"#gg-homes input[value='{home}']")
        page.locator("#gg-live >> text=10 → 11").wait_for()
        page.locator("#gg-check:has-text('可以保存')").wait_for()
        assert stored.head == first
        page.keyboard.press("Escape")
        page.check(f"#gg-homes input[value='{home}']")
        page.click("#gg-finish:enabled")
        wait_until(page, lambda: stored.head != first)
        second = stored.head
        assert stored.list_of(home) == ONE
        assert stored.store.recheck(second)
        page.locator("#gg-undo:enabled").wait_for()
        page.keyboard.press("Control+z")
        wait_until(page, lambda: stored.head != second)
        assert stored.list_of(home) == TWO
        assert stored.store.recheck(stored.head)
        wait_until(page, lambda: "10" in page.locator(f"tr[data-list='{ONE}']").inner_text())
        shown = page.evaluate(f"[...new Set({DOTS}.map((one) => one.properties.list.slice(0, 6)))]")
        assert shown == ["430201"]


def test_a_planner_sees_no_households_of_another_area(browser, stored):
    with opened(browser, stored.address, name="wang", cell="43020201") as page:
        page.locator("#gg-lists-none:has-text('辖区')").wait_for()
        assert page.evaluate(f"{DOTS}.length") == 0
