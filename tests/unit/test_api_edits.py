"""Plans edited over HTTP: versions, conflicts, undo, locks, and whose area it is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from api_service import service
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan

from geogrid.coverage.plan import verify_plan
from geogrid.io.plan_file import write_plan
from geogrid.model.scheme import Level
from geogrid.vocabulary import Contract

FIRST = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"], "into": "43020101"}
SAME = {"command": "merge", "level": "wei", "cells": ["43020101", "43020102"]}
OTHER = {"command": "merge", "level": "wei", "cells": ["43020201", "43020202"], "into": "43020201"}


@pytest.fixture
def one(plan_file, tmp_path):
    with service(plan_file, tmp_path) as made:
        yield made


@pytest.fixture
def planner(one):
    return one.program("planner", ("planner", ""))


def codes_of(client, one):
    body = client.get(f"{one.at_head}/cells", params={"level": "wei"}).json()
    return {cell["properties"]["code"] for cell in body["features"]}


def test_an_edit_makes_a_proven_version_and_tells_what_changed(one, planner):
    before = one.head
    answer = one.edit(planner, **FIRST)
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{one.head}"'
    assert (body["version"], body["is_proven"]) == (one.head, True)
    assert one.head != before
    assert {cell["code"]: (cell["before"], cell["after"]) for cell in body["change"]["cells"]} == {
        "43020101": (40, 90), "43020103": (50, None),
    }  # fmt: skip
    assert body["change"]["retired"] == [{"level": "wei", "code": "43020103"}]
    assert body["change"]["households_moved"] == 50
    assert codes_of(planner, one) >= {"43020101", "43020102"}
    assert "43020103" not in codes_of(planner, one)
    assert verify_plan(one.store.read(one.head)).is_proven


def test_a_write_that_does_not_say_what_it_starts_from_is_refused(one, planner):
    path = f"{one.base}/edits"
    for headers in ({}, {"If-Match": "*"}):
        answer = planner.post(path, json={"command": FIRST}, headers=headers)
        assert answer.status_code == 428
        assert "If-Match" in answer.json()["detail"]
    assert len(one.store.history(one.plan)) == 1


def test_edits_of_other_cells_that_came_in_meanwhile_are_merged_and_proven(one, planner):
    start = one.head
    one.edit(planner, **FIRST)
    answer = one.edit(planner, since=start, **OTHER)
    assert answer.status_code == 200
    assert answer.json()["version"] == one.head
    assert not codes_of(planner, one) & {"43020103", "43020202"}
    assert verify_plan(one.store.read(one.head)).is_proven


def test_edits_of_the_same_cells_are_a_conflict_that_names_them(one, planner):
    start = one.head
    one.edit(planner, **FIRST)
    now = one.head
    answer = one.edit(planner, since=start, **SAME)
    body = answer.json()
    assert (answer.status_code, one.head) == (409, now)
    assert body["head"] == now
    assert body["changed_cells"] == {"wei": ["43020101", "43020103"]}
    assert body["cells"] == [{"level": "wei", "code": "43020101"}]


def test_many_who_edit_at_once_lose_nothing(one, planner):
    start = one.head
    cells = [f"4302010{number}" for number in range(1, 9)]

    def rename(code):
        answer = one.edit(
            planner, since=start, command="rename", level="wei", cell=code, name=f"新{code}"
        )
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(rename, cells)) == [200] * len(cells)
    names = one.store.read(one.head).cell_table["name"]
    assert [names[code] for code in cells] == [f"新{code}" for code in cells]
    assert len(one.store.history(one.plan)) == 1 + len(cells)
    assert one.store.recheck(one.head)


def test_what_the_editor_refuses_changes_nothing_and_names_cells(one, planner):
    before = one.head
    answer = one.edit(planner, command="merge", level="wei", cells=["43020101", "43020108"])
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["cells"]
    unknown = one.edit(planner, command="rename", level="wei", cell="nowhere", name="x")
    assert unknown.status_code == 409
    assert one.edit(planner, command="destroy").status_code == 422
    assert one.head == before


def test_undo_and_redo_bring_versions_back_though_nothing_is_kept_in_memory(one, planner):
    start = codes_of(planner, one)
    one.edit(planner, **FIRST)
    after = codes_of(planner, one)
    one.edit(planner, **OTHER)
    for wanted in (after, start):
        answer = one.write(planner, "POST", "undo")
        assert answer.status_code == 200, answer.text
        assert codes_of(planner, one) == wanted
    none = one.write(planner, "POST", "undo")
    assert none.status_code == 409
    assert "nothing to undo" in none.json()["detail"]
    assert one.write(planner, "POST", "redo").status_code == 200
    assert codes_of(planner, one) == after
    assert one.edit(planner, **SAME).status_code == 200
    assert one.write(planner, "POST", "redo").status_code == 409


def test_an_undo_tells_what_came_back(one, planner):
    one.edit(planner, **FIRST)
    change = one.write(planner, "POST", "undo").json()["change"]
    assert {cell["code"]: (cell["before"], cell["after"]) for cell in change["cells"]} == {
        "43020101": (90, 40), "43020103": (None, 50),
    }  # fmt: skip
    assert change["created"] == [{"level": "wei", "code": "43020103"}]
    assert change["households_moved"] == 50


def test_nobody_undoes_the_step_of_somebody_else(one, planner):
    one.edit(planner, **FIRST)
    other = one.program("other", ("planner", ""))
    answer = one.write(other, "POST", "undo")
    assert answer.status_code == 409
    assert "somebody else" in answer.json()["detail"]


def test_a_code_that_was_undone_is_not_given_again(one, planner):
    new = {"command": "create", "level": "wei", "atoms": ["a00"], "allow_disconnected": True}
    paint = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"]}
    one.edit(planner, **paint)
    first = one.edit(planner, **new).json()["change"]["created"]
    one.write(planner, "POST", "undo")
    second = one.edit(planner, **new).json()["change"]["created"]
    assert first != second


def test_locks_hold_for_edits_and_for_undo(one, planner):
    one.edit(planner, **FIRST)
    locks = {"levels": [], "cells": [["wei", "43020101"]]}
    assert one.write(planner, "PUT", "locks", locks).json() == locks
    assert planner.get(one.base).json()["locks"] == locks
    for answer in (one.write(planner, "POST", "undo"), one.edit(planner, **SAME)):
        assert answer.status_code == 409
        assert "43020101" in answer.json()["detail"]
    assert one.write(planner, "PUT", "locks", {"levels": [], "cells": []}).status_code == 200
    assert one.write(planner, "POST", "undo").status_code == 200


def test_a_lock_of_a_parent_holds_what_is_in_it_on_undo(one, planner):
    one.edit(planner, **FIRST)
    one.write(planner, "PUT", "locks", {"levels": [], "cells": [["zong", "430201"]]})
    answer = one.write(planner, "POST", "undo")
    assert answer.status_code == 409
    assert "430201" in answer.json()["detail"]


def test_only_what_is_there_can_be_locked(one, planner):
    for locks in ({"levels": ["x"]}, {"cells": [["wei", "x"]]}, {"cells": [["zong", "43020101"]]}):
        assert one.write(planner, "PUT", "locks", locks).status_code == 422


def test_a_planner_changes_their_own_area_alone(one):
    mine = one.program("mine", ("planner", "430201"))
    refused = one.edit(mine, **OTHER)
    assert one.edit(one.program("all", ("planner", "")), **OTHER).status_code == 200
    before = one.head
    assert refused.status_code == 403
    assert "43020201" in refused.json()["detail"]
    # The atom borders on the own area, and its cell keeps another one.
    across = {"command": "paint", "level": "wei", "target": "43020102", "atoms": ["a20"]}
    assert one.edit(mine, **across).status_code == 403
    top = {"command": "rename", "level": "zong", "cell": "430202", "name": "x"}
    assert one.edit(mine, **top).status_code == 403
    locks = {"levels": ["wei"], "cells": []}
    assert one.write(mine, "PUT", "locks", locks).status_code == 403
    locks = {"levels": [], "cells": [["wei", "43020201"]]}
    assert one.write(mine, "PUT", "locks", locks).status_code == 403
    assert one.head == before
    assert one.edit(mine, **FIRST).status_code == 200


def test_a_preview_stores_nothing_and_tells_nothing_of_other_areas(one):
    mine = one.program("mine", ("planner", "430201"))
    command = {"command": "paint", "level": "wei", "target": "43020102", "atoms": ["a00"]}
    body = one.write(mine, "POST", "preview", {"command": command}).json()
    assert body["refused"] is None
    assert {row["code"]: row["households"] for row in body["cells"]} == {
        "43020101": 0, "43020102": 47,
    }  # fmt: skip
    spies = (
        {"command": "create", "level": "wei", "atoms": ["a20"]},
        {"command": "paint", "level": "wei", "target": "43020102", "atoms": ["a20"]},
    )
    for spy in spies:
        body = one.write(mine, "POST", "preview", {"command": spy}).json()
        assert body["cells"] == []
        assert "43020201" in body["refused"]
    lost = {"command": "rename", "level": "wei", "cell": "nowhere", "name": "x"}
    body = one.write(mine, "POST", "preview", {"command": lost}).json()
    assert "nowhere" in body["refused"]
    assert len(one.store.history(one.plan)) == 1


def test_a_preview_that_is_to_be_proven_refuses_what_storing_would_and_stores_nothing(one, planner):
    torn = {"command": "paint", "level": "wei", "target": "43020101", "atoms": ["a11"]}
    body = one.write(planner, "POST", "preview", {"command": torn}).json()
    assert (body["refused"], body["drawn"]) == (None, [])
    body = one.write(planner, "POST", "preview", {"command": torn, "prove": True}).json()
    assert "43020104将变成空网格" in body["refused"]
    assert body["cells"] == []
    locks = {"levels": [], "cells": [["wei", "43020102"]]}
    assert one.write(planner, "PUT", "locks", locks).status_code == 200
    held = {"command": "merge", "level": "wei", "cells": ["43020101", "43020102"]}
    body = one.write(planner, "POST", "preview", {"command": held, "prove": True}).json()
    assert "已锁定" in body["refused"]
    assert len(one.store.history(one.plan)) == 1


def test_a_proven_preview_draws_the_cells_as_they_would_be(one, planner):
    body = one.write(planner, "POST", "preview", {"command": FIRST, "prove": True}).json()
    assert body["refused"] is None
    assert {row["code"]: (row["before"], row["households"]) for row in body["cells"]} == {
        "43020101": (40, 90), "43020103": (50, 0),
    }  # fmt: skip
    shapes = gpd.GeoSeries([shapely.geometry.shape(one) for one in body["drawn"]], crs=4326)
    assert shapes.to_crs(CRS_ZHUZHOU).area.sum() == pytest.approx(2 * SIDE**2, rel=1e-6)


def test_a_proven_preview_tells_nothing_of_other_areas(one):
    mine = one.program("mine", ("planner", "430201"))
    spy = {"command": "merge", "level": "wei", "cells": ["43020201", "43020202"]}
    body = one.write(mine, "POST", "preview", {"command": spy, "prove": True}).json()
    assert (body["cells"], body["drawn"]) == ([], [])
    assert "不在您的辖区" in body["refused"]


def test_arcs_are_every_border_once_with_its_coarsest_level(one, planner):
    arcs = planner.get(f"{one.at_head}/arcs").json()["arcs"]
    # Four by four squares: each of 40 sides, where corners of the limit join two into one.
    inner = [arc for arc in arcs if arc["right"]]
    assert len(inner) == 24
    assert all(arc["level"] == "zong" for arc in arcs if not arc["right"])
    between = [arc for arc in inner if arc["left"][:6] != arc["right"][:6]]
    assert {arc["level"] for arc in between} == {"zong"}
    assert len(between) == 4
    assert all(len(arc["nodes"]) == len(arc["coordinates"]) for arc in arcs)
    lines = gpd.GeoSeries([shapely.LineString(arc["coordinates"]) for arc in arcs], crs=4326)
    assert lines.to_crs(CRS_ZHUZHOU).length.sum() == pytest.approx(40 * SIDE, rel=1e-6)
    assert len({arc["id"] for arc in arcs}) == len(arcs)


def test_arcs_in_a_box_know_the_neighbours_outside_of_it(one, planner):
    box = gpd.GeoSeries([shapely.Point(X0 + 50, Y0 + 50)], crs=CRS_ZHUZHOU).to_crs(4326)
    bbox = ",".join(map(str, box.total_bounds))
    arcs = planner.get(f"{one.at_head}/arcs", params={"bbox": bbox}).json()["arcs"]
    assert {(arc["left"], arc["right"]) for arc in arcs} == {
        ("43020101", ""), ("43020101", "43020102"), ("43020101", "43020103"),
    }  # fmt: skip


def test_a_vertex_of_an_arc_can_be_dragged_in_degrees(one, planner):
    arcs = planner.get(f"{one.at_head}/arcs").json()["arcs"]
    arc = next(a for a in arcs if (a["left"], a["right"]) == ("43020101", "43020102"))
    ends = gpd.GeoSeries([shapely.Point(at) for at in arc["coordinates"]], crs=4326)
    metres = np.array([(at.x, at.y) for at in ends.to_crs(CRS_ZHUZHOU)])
    inner = arc["coordinates"][int(np.argmax(metres[:, 1]))]
    moved = [inner[0] + 1e-4, inner[1] + 1e-4]
    answer = one.edit(planner, command="move_vertex", at=inner, to=moved)
    assert answer.status_code == 200, answer.text
    assert {cell["code"] for cell in answer.json()["change"]["cells"]} == {
        "43020101", "43020102", "43020103", "43020104",
    }  # fmt: skip
    assert verify_plan(one.store.read(one.head)).is_proven


def test_places_that_are_none_are_refused(one, planner):
    for at in ("x", {"a": 1}, [1], [[["1", "2"]]]):
        answer = one.edit(planner, command="move_vertex", at=at, to=[113, 27])
        assert answer.status_code == 422, at


def test_atoms_tell_households_in_the_own_area_alone(one):
    mine = one.program("mine", ("planner", "430201"))
    rows = mine.get(f"{one.at_head}/atoms").json()["features"]
    assert len(rows) == 16
    for row in rows:
        values = row["properties"]
        assert (values["households"] is None) == (not values["cell"].startswith("430201"))


def test_tiles_of_an_edit_are_new_where_it_touched_and_kept_elsewhere(one, planner):
    tiles = one.app.state.tiles
    start = one.head
    places = [(z, x, y) for z in (16,) for x, y in cover(z)]
    for z, x, y in places:
        one.nobody.get(f"{one.at_head}/tiles/cells/{z}/{x}/{y}.mvt")
    made = len(tiles.cache)
    one.edit(planner, **FIRST)
    changed = 0
    for place in places:
        path = f"{one.at_head}/tiles/cells/{'/'.join(map(str, place))}.mvt"
        after = planner.get(path)
        before = planner.get(path.replace("head", start))
        changed += before.content != after.content
    assert 0 < changed < len(places)
    assert len(tiles.cache) - made == changed


def cover(zoom):
    """Tiles of the district and around it."""
    west, south, east, north = (
        gpd.GeoSeries([shapely.box(X0, Y0, X0 + 4 * SIDE, Y0 + 4 * SIDE)], crs=CRS_ZHUZHOU)
        .to_crs(3857).total_bounds
    )  # fmt: skip
    half = 20037508.342789244
    size = 2 * half / 2**zoom
    xs = range(int((west + half) // size) - 1, int((east + half) // size) + 2)
    ys = range(int((half - north) // size) - 1, int((half - south) // size) + 2)
    return [(x, y) for x in xs for y in ys]


def test_who_is_served_is_not_told_of_cells_that_changed(one, planner):
    one.edit(planner, **FIRST)
    body = planner.get(f"{one.at_head}/cells", params={"level": "wei"}).json()
    served = {
        cell["properties"]["code"]: cell["properties"]["served_5"] for cell in body["features"]
    }
    assert served["43020101"] is None
    assert served["43020203"] == 1
    rows = planner.get(f"{one.at_head}/unserved", params={"level": "wei", "minutes": 5}).json()
    assert "43020101" not in {row["code"] for row in rows}


def test_two_versions_are_compared(one, planner):
    start = one.head
    one.edit(planner, **FIRST)
    body = planner.get(f"{one.base}/versions/{start}/compare/head").json()
    assert body["levels"]["wei"]["removed"] == ["43020103"]
    assert body["levels"]["wei"]["moved_households_text"] == "50"
    assert [cell["properties"]["code"] for cell in body["cells"]["features"]] == ["43020101"]


def test_who_draws_does_not_approve(one):
    drawer = one.program("drawer", ("planner", ""), ("reviewer", ""))
    reviewer = one.program("reviewer", ("reviewer", ""))
    one.edit(drawer, **FIRST)
    version = one.head
    assert one.write(drawer, "POST", "state", {"to": "submitted"}).status_code == 200
    refused = one.write(drawer, "POST", "state", {"to": "reviewed"})
    assert refused.status_code == 403
    assert one.write(reviewer, "POST", "state", {"to": "reviewed"}).status_code == 200
    day = one.store.database.moment().date().isoformat()
    force = {"to": "in_force", "effective_from": day}
    assert one.write(drawer, "POST", "state", force).status_code == 403
    assert one.write(reviewer, "POST", "state", force).json()["state"] == "in_force"
    # From now on the public sees this version, whatever is drawn after it.
    one.edit(drawer, **OTHER)
    assert one.nobody.get(one.base).json()["head"] == version
    assert drawer.get(one.base).json()["head"] == one.head
    assert one.nobody.get(f"{one.base}/versions/{one.head}").status_code == 403
    assert json.loads(one.nobody.get(f"{one.base}/versions").text)[0]["id"] == version


def listed_plan():
    """The small plan with every cell official, and two lists of households in each finest one."""
    plan = make_plan()
    frame = plan.atoms.frame
    rows = pd.concat(
        pd.DataFrame({
            "code": plan.leaf.to_numpy(object) + number,
            "household_id": frame["atom_id"].to_numpy(object) + number,
            "households": half,
            "atom_id": frame["atom_id"].to_numpy(object),
        })
        for number, half in (("01", frame["households"] // 2), ("02", -(-frame["households"] // 2)))
    ).reset_index(drop=True)  # fmt: skip
    texts = ["code", "household_id", "atom_id"]
    rows[texts] = rows[texts].astype("str")
    facts = pd.DataFrame(
        {"level": "lin", "name": "邻", "kind": "普通", "head": ""},
        index=pd.Index(sorted(set(rows["code"])), name="code"),
    )
    facts["parent"] = facts.index.str[:-2]
    levels = [replace(one, locked=True) for one in plan.scheme.levels]
    lin = Level(key="lin", name="邻", contract=Contract.ROSTER, code_width=2)
    return replace(
        plan,
        scheme=replace(plan.scheme, levels=(*levels, lin)),
        cell_table=pd.concat([plan.cell_table, facts[plan.cell_table.columns]]).astype("str"),
        rosters={"lin": rows},
        certificate=None,
    )


def test_lists_below_official_cells_are_edited_undone_and_locked(tmp_path):
    file = write_plan(listed_plan(), tmp_path / "plan.gpkg")
    with service(file, tmp_path) as one:
        planner = one.program("planner", ("planner", ""))
        levels = planner.get(one.base).json()["levels"]
        assert [level["is_official"] for level in levels] == [True, True, False]
        rows = one.store.read(one.head).rosters["lin"]
        code, beside = "4302010101", "4302010102"
        named = {"command": "rename", "level": "lin", "cell": code, "name": "东邻"}
        merge = {"command": "merge", "level": "lin", "cells": [code, beside], "into": code}
        for command in (named, merge):
            start = one.head
            made = one.edit(planner, **command).json()
            assert made["is_proven"]
            assert one.store.recheck(one.head)
            told = {
                cell["code"]: (cell["before"], cell["after"]) for cell in made["change"]["cells"]
            }
            undone = one.write(planner, "POST", "undo").json()["change"]
            assert {
                cell["code"]: (cell["after"], cell["before"]) for cell in undone["cells"]
            } == told
            assert one.store.read(one.head).rosters["lin"].equals(rows)
            assert one.store.read(start).cell_table.equals(one.store.read(one.head).cell_table)
        assert undone["created"] == [{"level": "lin", "code": beside}]
        one.write(planner, "PUT", "locks", {"levels": [], "cells": [["wei", "43020101"]]})
        assert one.write(planner, "POST", "redo").status_code == 409
        assert one.edit(planner, **named).status_code == 409
        stranger = next(row for row in rows.itertuples() if row.code[:8] != "43020102")
        across = {"command": "paint", "level": "lin", "target": "4302010201"}
        refused = one.edit(planner, **across, households=[stranger.household_id])
        assert refused.status_code == 409
        assert "is official" in refused.json()["detail"]
        near = one.program("near", ("planner", "43020102"))
        far = one.program("far", ("planner", "43020103"))
        own = {**named, "cell": "4302010201"}
        assert one.edit(far, **own).status_code == 403
        assert one.edit(near, **own).status_code == 200
