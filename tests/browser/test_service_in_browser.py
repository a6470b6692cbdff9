"""The web app over the real service: what two planners and a viewer do with a stored plan."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import numpy as np
import pytest
from map_plans import make_stations
from serve_cases import ended, started
from web_rival import make_rival
from web_service import make_fine_plan
from web_steps import middle_of, show_all, spot, take, wait_for_map, wait_until
from web_visit import to_tab

from geogrid.accounts.passwords import hash_password
from geogrid.api import import_plan
from geogrid.io.plan_file import write_plan
from geogrid.store import Grant, open_store

pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.browser, pytest.mark.network, pytest.mark.usefixtures("web_app")
]  # fmt: skip

PASSWORD = "a long enough secret"  # noqa: S105 - of tests
CELL, BESIDE = "43020103", "43020104"
PEOPLE = {
    "wang": [Grant("planner")], "li": [Grant("planner")], "chen": [Grant("reviewer")],
    "viewer": [Grant("viewer")],
}  # fmt: skip


class Office:
    """A running service, its store, and the people of an office."""

    def __init__(self, browser, store, plan, address):
        self.browser, self.store, self.plan, self.address = browser, store, plan, address
        self.faults, self.strangers, self._contexts = [], [], []

    @property
    def head(self):
        return self.store.branch(self.plan).head

    @property
    def now(self):
        return self.store.read(self.head)

    def atoms_of(self, code):
        leaf = self.now.labels["wei"]
        return sorted(leaf.index[leaf == code])

    def atom_place(self, atom):
        frame = self.now.atoms.frame.to_crs(4326).set_index("atom_id")
        point = frame.geometry.loc[atom].representative_point()
        return point.x, point.y

    def page(self, name="", *, size=(1300, 850), touch=False, path=f"app/#cell={CELL}&level=wei"):
        """Open the app as somebody, with everything but the service out of reach."""
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, has_touch=touch
        )
        self._contexts.append(context)
        home = urlsplit(self.address).netloc

        def route(one):
            if urlsplit(one.request.url).netloc in {home, ""}:
                one.continue_()
            else:
                self.strangers.append(one.request.url)
                one.abort()

        context.route("**/*", route)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        if name:
            answer = page.request.post(
                f"{self.address}api/v1/login", data={"name": name, "password": PASSWORD}
            )
            assert answer.status == 204, answer.text()
        page.goto(self.address + path)
        wait_for_map(page)
        show_all(page)
        return page

    def close(self):
        for context in self._contexts:
            context.close()


@pytest.fixture
def office(browser, tmp_path):
    plan_file, store_file = tmp_path / "plan.gpkg", tmp_path / "plans.sqlite"
    write_plan(make_fine_plan(), plan_file, stations=make_stations())
    with open_store(store_file) as store:
        plan = import_plan(store, plan_file)
        for name, grants in PEOPLE.items():
            hashed = hash_password(PASSWORD, name=name)
            store.accounts.add(
                name, actor="test", display_name=name, password_hash=hashed, grants=grants
            )
        command = [sys.executable, "-m", "geogrid", "serve", "--json", "--port", "0"]
        running = started([*command, "--store", str(store_file)])
        made = Office(browser, store, plan, running.address)
        try:
            yield made
        finally:
            made.close()
            ended(running)
    assert made.faults == []
    assert made.strangers == []


def edit(page):
    page.click("#gg-edit")
    page.locator("#gg-tools").wait_for()


def moved(office, page, before):
    wait_until(page, lambda: office.head != before)
    assert office.store.recheck(office.head)


def draw_split(office, page):
    take(page, "拆分")
    west, south, east, north = office.now.cells("wei").to_crs(4326).set_index("code").geometry.loc[
        CELL
    ].bounds  # fmt: skip
    middle = (west + east) / 2
    page.mouse.click(*spot(page, (middle, south - 0.0003)))
    page.wait_for_timeout(350)
    page.mouse.click(*spot(page, (middle, north + 0.0003)))
    page.locator("#gg-live >> text=新").first.wait_for()
    page.keyboard.press("Enter")


def test_a_split_is_drawn_undone_and_still_undone_after_a_reload(office):
    page = office.page("wang")
    edit(page)
    first, cells = office.head, office.now.labels["wei"].nunique()
    draw_split(office, page)
    moved(office, page, first)
    assert office.now.labels["wei"].nunique() == cells + 1
    second = office.head
    page.locator("#gg-undo:enabled").wait_for()
    page.keyboard.press("Control+z")
    moved(office, page, second)
    assert office.now.labels["wei"].nunique() == cells
    third = office.head
    page.reload()
    wait_for_map(page)
    edit(page)
    page.locator("#gg-redo:enabled").wait_for()
    page.click("#gg-redo")
    moved(office, page, third)
    assert office.now.labels["wei"].nunique() == cells + 1


def test_a_border_is_dragged_and_no_gap_opens(office):
    page = office.page("wang")
    edit(page)
    before, area = office.head, office.now.cells("wei").geometry.area.sum()
    shapes = set(office.now.cells("wei").geometry.to_wkt())
    take(page, "移界")
    page.wait_for_timeout(1000)
    arcs = page.request.get(
        f"{office.address}api/v1/plans/{office.plan}/versions/head/arcs"
    ).json()["arcs"]
    ends = [tuple(arc["coordinates"][at]) for arc in arcs for at in (0, -1)]
    node = next(end for end in ends if ends.count(end) == 4)
    x, y = spot(page, node)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25, y + 18, steps=5)
    page.mouse.up()
    moved(office, page, before)
    cells = office.now.cells("wei")
    assert len(set(cells.geometry.to_wkt()) - shapes) == 4
    assert cells.geometry.area.sum() == pytest.approx(area, abs=0.01)


def paint(office, page, atom):
    take(page, "刷入")
    wait_until(
        page,
        lambda: page.evaluate(
            "geogridWeb.view.map.queryRenderedFeatures({layers: ['atoms-fill']}).length > 0"
        ),
    )
    x, y = spot(page, office.atom_place(atom))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y + 3)
    page.mouse.up()


def test_two_planners_who_edit_other_cells_both_keep_their_edits(office):
    wang = office.page("wang")
    li = office.page("li", path="app/#cell=43020203&level=wei")
    for page in (wang, li):
        edit(page)
    first = office.head
    mine, theirs = office.atoms_of(BESIDE)[0], office.atoms_of("43020204")[0]
    paint(office, wang, mine)
    moved(office, wang, first)
    second = office.head
    paint(office, li, theirs)
    moved(office, li, second)
    assert mine in office.atoms_of(CELL)
    assert theirs in office.atoms_of("43020203")
    authors = [one.author for one in office.store.history(office.plan)[:2]]
    assert len(set(authors)) == 2


def test_two_planners_who_edit_the_same_cell_are_told_which(office):
    wang, li = office.page("wang"), office.page("li")
    for page in (wang, li):
        edit(page)
    first = office.head
    atoms = office.atoms_of(BESIDE)
    paint(office, wang, atoms[0])
    moved(office, wang, first)
    second = office.head
    paint(office, li, atoms[0])
    li.locator("dialog").wait_for()
    assert office.head == second
    assert BESIDE in li.locator("dialog").inner_text()


@pytest.mark.parametrize("name", ["", "viewer", "chen"])
def test_who_is_no_planner_finds_no_editor_and_is_refused_by_the_service(office, name):
    page = office.page(name)
    assert page.locator("#gg-edit").count() == 0
    proof = page.request.get(f"{office.address}api/v1/me").json()["csrf"]
    answer = page.request.post(
        f"{office.address}api/v1/plans/{office.plan}/edits",
        data={"command": {"command": "merge", "level": "wei", "cells": [CELL, BESIDE]}},
        headers={"If-Match": f'"{office.head}"', "X-CSRF-Token": proof},
    )
    assert answer.status in {401, 403}
    assert len(office.store.history(office.plan)) == 1


def test_a_viewer_on_a_phone_finds_their_grid_without_anything_from_outside(office):
    page = office.page(size=(390, 844), touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card = page.locator("#gg-card")
    card.wait_for()
    assert CELL in card.inner_text() or "3号" in card.inner_text()
    shape = page.request.get(
        f"{office.address}api/v1/plans/{office.plan}/versions/head/cells/{BESIDE}"
    ).json()
    show_all(page)
    page.evaluate("document.body.classList.add('gg-folded')")
    page.wait_for_timeout(300)
    page.touchscreen.tap(*spot(page, middle_of(shape)))
    wait_until(page, lambda: page.evaluate("geogridWeb.store.get().cell") == BESIDE)


def test_a_plan_goes_from_draft_into_force_through_two_pairs_of_hands(office):
    wang = office.page("wang")
    edit(wang)
    before = office.head
    paint(office, wang, office.atoms_of(BESIDE)[0])
    moved(office, wang, before)
    wang.click("#gg-submit")
    wang.click("dialog >> text=提交审核 >> nth=-1")
    wait_until(wang, lambda: office.store.standing(office.head).state == "submitted")
    chen = office.page("chen")
    to_tab(chen, "版本")
    row = chen.locator(f"#gg-versions li[data-version='{office.head}']")
    for name, state in (("审核通过", "reviewed"), ("发布生效", "in_force")):
        row.locator(f"button >> text={name}").click()
        chen.click(f"#gg-step-dialog form button >> text={name}")
        wait_until(chen, lambda state=state: office.store.standing(office.head).state == state)
    public = office.page()
    assert "生效" in public.locator("#gg-badges").inner_text()


def test_households_of_the_map_are_those_of_the_store(office):
    page = office.page("wang")
    told = page.evaluate("geogridWeb.store.get().info.households_text")
    assert int(told) == office.now.households == int(np.sum(office.now.cells("wei")["households"]))


def test_two_plans_of_the_store_stand_side_by_side_and_a_planner_reads_every_move(office, tmp_path):
    import_plan(office.store, write_plan(make_rival(), tmp_path / "other.gpkg"))
    page = office.page("wang")
    to_tab(page, "版本")
    page.select_option("#gg-rival-plan", index=1)
    page.click("#gg-rival-start")
    page.locator("#gg-moves").wait_for()
    wait_until(page, "!!window.geogridCompare")
    counts = page.locator("#gg-moves tbody tr td:last-child").all_inner_texts()
    assert counts == ["20", "7"]
    assert "方案B：other" in page.locator(".gg-side-title").last.inner_text()
