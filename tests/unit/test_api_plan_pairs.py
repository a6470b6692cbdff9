"""Two plans side by side: which cells go on as which, who moves, and who is told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module

import geopandas as gpd
import pandas as pd
import pytest
from api_service import service
from map_plans import CRS_ZHUZHOU, HOUSEHOLDS, SIDE, X0, Y0, make_plan, make_scheme
from pyproj import CRS
from shapely.geometry import Point, box

from geogrid.api import import_plan, plan_pairs
from geogrid.io.plan_file import write_plan
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import Level, Scheme

SQUARES = (0, 200, 400, 600, 800)
WIDE = CRS.from_epsg(4546)


def drawn_plan(homes, edges=SQUARES, *, owner=None, head="4302", crs=CRS_ZHUZHOU, east=0,
               scheme=None):  # fmt: skip
    """A plan of rows of atoms: a cell an atom, but for those that ``owner`` gives to another.

    ``edges`` are metres from the west, ``head`` the front of all codes.
    """
    places = [(column, row) for row in range(len(homes)) for column in range(len(edges) - 1)]
    ids = [f"a{column}{row}" for column, row in places]
    shapes = [
        box(X0 + east + edges[column], Y0 + SIDE * row,
            X0 + east + edges[column + 1], Y0 + SIDE * (row + 1))
        for column, row in places
    ]  # fmt: skip
    counts = [int(homes[row][column]) for column, row in places]
    frame = gpd.GeoDataFrame(
        {"atom_id": ids, "households": counts, "kind": "普通"}, geometry=shapes, crs=crs
    )
    atoms = Atoms.from_frame(frame)
    codes = {name: f"{head}01{at:02d}" for at, name in enumerate(ids, start=1)} | (owner or {})
    lower = [codes[name] for name in ids]
    scheme = scheme or make_scheme()
    top, fine = (level.key for level in scheme.area_levels)
    above = lower[0][:-2]
    labels = pd.DataFrame({top: above, fine: lower}, index=pd.Index(ids, name="atom_id"))
    rows = {above: (top, "一", "普通", "", "")}
    rows |= {code: (fine, f"{code[-2:]}号", "普通", above, "") for code in sorted(set(lower))}
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["level", "name", "kind", "parent", "head"]
    )
    return GridPlan(
        district=District(limit=atoms.limit, crs=crs, name="芦淞区建设街道", code="4302"),
        scheme=scheme, atoms=atoms, labels=labels, cell_table=table.rename_axis("code"),
    )  # fmt: skip


class Two:
    """A service that holds two plans."""

    def __init__(self, made, other):
        self.made, self.other = made, other

    def asked(self, client, *, other=None, **query):
        return client.get(
            f"{self.made.at_head}/compare", params={"other": other or self.other, **query}
        )

    def told(self, client):
        answer = self.asked(client)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def moves(self, client, level="wei"):
        body = self.told(client)
        told = {
            (one["from"], one["to"]): one["households_text"]
            for one in body["moves"] if one["level"] == level
        }  # fmt: skip
        return told, body["levels"][level]["moved_households_text"]

    def planner(self):
        return self.made.program("planner", ("planner", ""))


@contextmanager
def both(folder, one, two, *, homes=(None, None)):
    """Serve two plans of one store, and the points of the households of each."""
    paths = []
    for at, plan in enumerate((one, two)):
        (folder / str(at)).mkdir()
        paths.append(write_plan(plan, folder / str(at) / "plan.gpkg"))
    with service(paths[0], folder, households=homes[0]) as made:
        yield Two(made, import_plan(made.store, paths[1], households=homes[1]))


def refused(folder, one, two, *words):
    with both(folder, one, two) as pair:
        answer = pair.asked(pair.planner())
        assert answer.status_code == 422
        assert all(word in answer.json()["detail"] for word in words), answer.text


def test_plans_of_the_same_atoms_differ_in_the_cells_that_hold_them(tmp_path):
    other = drawn_plan(HOUSEHOLDS, owner={"a10": "43020101"})
    with both(tmp_path, drawn_plan(HOUSEHOLDS), other) as pair:
        planner = pair.planner()
        body = pair.told(planner)
        level = body["levels"]["wei"]
        assert (level["removed"], level["redrawn"]) == (["43020102"], ["43020101"])
        assert (level["added"], level["renumbered"], level["was"]) == ([], [], {})
        assert level["changed"] == 2
        assert body["levels"]["zong"]["changed"] == 0
        assert pair.moves(planner) == ({("43020102", "43020101"): "7"}, "7")


def test_a_cell_is_found_by_its_ground_whatever_its_code(tmp_path):
    other = drawn_plan(HOUSEHOLDS, head="4309", owner={"a10": "43090101"})
    with both(tmp_path, drawn_plan(HOUSEHOLDS), other) as pair:
        planner = pair.planner()
        level = pair.told(planner)["levels"]["wei"]
        assert (level["removed"], level["redrawn"], level["added"]) == (
            ["43020102"], ["43090101"], [],
        )  # fmt: skip
        assert level["was"]["43090101"] == "43020101"
        assert level["was"]["43090103"] == "43020103"
        assert len(level["renumbered"]) == 14
        assert pair.moves(planner)[0] == {("43020102", "43090101"): "7"}


def test_plans_of_different_atoms_are_compared_by_ground_and_where_people_live(tmp_path):
    # The middles of the strips lie 75, 250, 450, 625 and 750 m east.
    strips = drawn_plan([[30, 20, 25, 40, 60]], (0, 150, 350, 550, 700, 800), head="4307")
    with both(tmp_path, drawn_plan([[30, 20, 25, 100]]), strips) as pair:
        planner = pair.planner()
        body = pair.told(planner)
        level = body["levels"]["wei"]
        assert level["redrawn"] == ["43070101", "43070102", "43070103", "43070105"]
        assert level["was"]["43070105"] == "43020104"
        assert (level["added"], level["removed"]) == (["43070104"], [])
        assert pair.moves(planner) == ({("43020104", "43070104"): "40"}, "40")
        shown = {row["properties"]["code"] for row in body["cells"]["features"]}
        assert {"43070101", "43070104"} <= shown
        shown = {row["properties"]["code"] for row in body["cells_before"]["features"]}
        assert {"43020101", "43020104"} <= shown


def points(*places):
    return gpd.GeoDataFrame(
        {
            "household_id": [f"h{at}" for at in range(len(places))],
            "households": [count for _, count in places],
        },
        geometry=[Point(X0 + x, Y0 + 100) for x, _ in places],
        crs=CRS_ZHUZHOU,
    )


def test_where_both_plans_know_the_doors_households_are_counted_there(tmp_path):
    one = drawn_plan([[40, 60]], (0, 400, 800))
    two = drawn_plan([[12, 88]], (0, 300, 800), head="4307")
    doors = points((100, 12), (390, 28), (500, 60))
    with both(tmp_path, one, two, homes=(doors, doors)) as pair:
        body = pair.told(planner := pair.planner())
        assert "住户点" in body["notes"][0]
        assert pair.moves(planner)[0] == {("43020101", "43070102"): "28"}
    (tmp_path / "b").mkdir()
    with both(tmp_path / "b", one, two, homes=(doors, None)) as pair:
        body = pair.told(planner := pair.planner())
        assert "基本单元" in body["notes"][0]
        assert pair.moves(planner) == ({}, "0")


def test_plans_that_count_other_households_say_so(tmp_path):
    with both(tmp_path, drawn_plan([[40, 60]], (0, 400, 800)),
              drawn_plan([[40, 61]], (0, 400, 800))) as pair:  # fmt: skip
        notes = pair.told(pair.planner())["notes"]
        assert "住户总数不同" in notes[1]
        assert not any(character.isdigit() for note in notes for character in note)


def test_both_sides_are_named_with_their_levels(tmp_path):
    scheme = Scheme(
        key="other", title="另一体系",
        levels=(Level(key="upper", name="大网格"), Level(key="unit", name="微网格")),
    )  # fmt: skip
    with both(tmp_path, drawn_plan(HOUSEHOLDS), drawn_plan(HOUSEHOLDS, scheme=scheme)) as pair:
        body = pair.told(pair.planner())
        one, two = body["sides"]
        assert (one["plan"], two["plan"]) == (pair.made.plan, pair.other)
        assert (one["version"], one["number"], one["state"]) == (pair.made.head, 1, "draft")
        assert two["name"] == "plan 2"
        assert [level["name"] for level in two["levels"]] == ["大网格", "微网格"]
        found = {key: level["other"]["key"] for key, level in body["levels"].items()}
        assert found == {"zong": "upper", "wei": "unit"}


def test_plans_without_common_ground_are_not_compared(tmp_path):
    for name, east in (("far", 10_000), ("beside", 800), ("nearly_beside", 799.5)):
        (tmp_path / name).mkdir()
        refused(
            tmp_path / name, drawn_plan(HOUSEHOLDS), drawn_plan(HOUSEHOLDS, east=east), "没有重叠"
        )


def test_households_of_ground_that_one_plan_lacks_move_to_no_cell(tmp_path):
    part = drawn_plan(HOUSEHOLDS[:, :3], SQUARES[:4])
    whole = drawn_plan(HOUSEHOLDS, owner={"a30": "43020199"})
    with both(tmp_path, whole, part) as pair:
        told, _ = pair.moves(pair.planner())
        assert told["43020199", ""] == "30"


def test_plans_of_other_coordinates_are_not_compared(tmp_path):
    refused(tmp_path, drawn_plan(HOUSEHOLDS), drawn_plan(HOUSEHOLDS, crs=WIDE), "坐标系不同")


def test_plans_of_other_levels_are_not_compared_and_both_are_named(tmp_path):
    scheme = Scheme(
        key="other", title="另一体系",
        levels=(Level(key="pian", name="片"), Level(key="lin", name="邻")),
    )  # fmt: skip
    refused(
        tmp_path, drawn_plan(HOUSEHOLDS), drawn_plan(HOUSEHOLDS, scheme=scheme),
        "没有相同的层级", "总网格, 微网格", "片, 邻",
    )  # fmt: skip


@pytest.fixture
def pair(tmp_path):
    """Two plans that differ in who belongs to 43020101: 7 households and 20 are elsewhere."""
    changed = make_plan()
    labels = changed.labels.copy()
    labels.loc["a10", "wei"] = "43020101"
    labels.loc["a31", "wei"] = "43020203"
    gone = ["43020102", "43020204"]
    other = replace(changed, labels=labels, cell_table=changed.cell_table.drop(index=gone))
    with both(tmp_path, make_plan(), other) as made:
        yield made


def test_a_planner_is_told_small_moves_of_the_own_area_alone(pair):
    assert pair.moves(pair.planner()) == (
        {("43020204", "43020203"): "45", ("43020102", "43020101"): "7"}, "52",
    )  # fmt: skip
    at_home = pair.made.program("home", ("planner", "430201"))
    assert pair.moves(at_home)[0]["43020102", "43020101"] == "7"
    elsewhere = pair.made.program("elsewhere", ("planner", "430202"))
    assert pair.moves(elsewhere)[0]["43020102", "43020101"] == "<10"
    assert pair.moves(pair.made.program("keeper", ("admin", "")))[1].startswith("≥")


def test_the_public_compares_no_plans(pair):
    assert pair.asked(pair.made.nobody).status_code == 401
    viewer = pair.made.program("viewer", ("viewer", ""))
    assert pair.asked(viewer).status_code == 403


def test_what_is_not_in_the_store_is_not_found(pair):
    planner = pair.planner()
    for query in (
        {"other": "none"}, {"version": "none"}, {"version": pair.made.head},
    ):  # fmt: skip
        answer = pair.asked(planner, **query)
        assert answer.status_code == 404, query
        assert answer.json()["detail"]


def test_another_version_of_the_other_plan_can_be_asked_for(pair):
    planner = pair.planner()
    first = pair.made.store.branch(pair.other).head
    answer = planner.post(
        f"/api/v1/plans/{pair.other}/edits", headers={"If-Match": f'"{first}"'},
        json={"command": {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"],
                          "into": "43020101"}},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert "43020103" in pair.told(planner)["levels"]["wei"]["removed"]
    body = pair.asked(planner, version=first).json()
    assert body["sides"][1]["version"] == first
    assert "43020103" not in body["levels"]["wei"]["removed"]


def test_nobody_keeps_what_was_told_to_somebody_else(pair):
    answer = pair.asked(pair.planner())
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_two_plans_are_compared_once_for_all_who_ask(pair, monkeypatch):
    made = []

    def counted(*sides, **options):
        made.append(sides)
        return compare(*sides, **options)

    # The package of that name; by attribute it is the function.
    engine = import_module("geogrid.compare")
    compare = engine.compare
    monkeypatch.setattr(engine, "compare", counted)
    pair.told(pair.planner())
    pair.told(pair.made.program("home", ("planner", "430201")))
    assert len(made) == 2


def test_whoever_waits_too_long_for_other_comparisons_is_told_to_try_again(pair, monkeypatch):
    monkeypatch.setattr(plan_pairs, "_PATIENCE_S", 0.01)
    planner = pair.planner()
    pairs = pair.made.app.state.plan_pairs = plan_pairs.PlanPairs()
    with pairs.busy():
        answer = pair.asked(planner)
    assert answer.status_code == 429
    assert "请稍后再试" in answer.json()["detail"]
    assert pair.asked(planner).status_code == 200


def test_no_move_is_told_from_which_a_small_one_follows(tmp_path):
    # Two halves of 27 and 55 households are cut the other way: 20, 7, 15 and 40 live in the parts.
    homes = [[20, 7], [15, 40]]
    one = drawn_plan(homes, (0, 400, 800), owner={
        "a00": "43020101", "a10": "43020101", "a01": "43020103", "a11": "43020103",
    })  # fmt: skip
    two = drawn_plan(homes, (0, 400, 800), head="4307", owner={
        "a00": "43070101", "a01": "43070101", "a10": "43070102", "a11": "43070102",
    })  # fmt: skip
    with both(tmp_path, one, two) as pair:
        small, large = ("43020101", "43070102"), ("43020103", "43070101")
        assert pair.moves(pair.planner()) == ({large: "15", small: "7"}, "22")
        # 35 live in the western part: less 15 that are 20, and 27 less 20 would be the 7.
        keeper = pair.made.program("keeper", ("admin", ""))
        assert pair.moves(keeper) == ({large: "≥10", small: "<10"}, "≥11")
