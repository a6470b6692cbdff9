"""What strangers try: numbers pieced together, names that break files, and work without end."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from api_service import service
from fastapi.testclient import TestClient
from map_plans import make_plan, make_reach, make_stations

import geogrid.store.store as store_module
from geogrid.accounts.passwords import hash_password
from geogrid.api import jobs
from geogrid.errors import NotStoredError, UnreachableError
from geogrid.io.plan_file import write_plan
from geogrid.maps.plan_map import map_data
from geogrid.vocabulary import PlanState

# Beside 43020201, once it has given its larger atom away, 43020204 is the smallest cell.
HOUSEHOLDS = np.array([[40, 70, 60, 90], [50, 20, 5, 40], [30, 80, 200, 400], [90, 12, 300, 500]])
UNSERVED = {"a31": 20, "a20": 30, "a23": 100, "a33": 100}


@pytest.fixture
def one(tmp_path):
    plan = make_plan(households=HOUSEHOLDS)
    labels = plan.labels.copy()
    labels.loc["a21", "wei"] = "43020201"
    plan = replace(plan, labels=labels, cell_table=plan.cell_table.drop(index="43020203"))
    file = write_plan(
        plan, tmp_path / "plan.gpkg", reach=make_reach(plan, unserved=UNSERVED),
        stations=make_stations(),
    )  # fmt: skip
    with service(file, tmp_path) as made:
        yield made


def cells_of(made):
    found = made.nobody.get(f"{made.at_head}/cells", params={"level": "wei"}).json()["features"]
    return {row["properties"]["code"]: row["properties"] for row in found}


def test_what_an_edit_hides_cannot_be_computed_from_who_is_served(one):
    ranked = f"{one.at_head}/unserved?level=wei"
    before = cells_of(one)["43020204"]
    assert (before["households_text"], before["served_15"]) == ("40", 0.5)
    planner = one.program("p", ("planner", ""))
    command = {"command": "paint", "level": "wei", "target": "43020202", "atoms": ["a20"]}
    assert one.edit(planner, **command).status_code == 200
    after = cells_of(one)
    assert after["43020201"]["households_text"] == "<10"
    beside = after["43020204"]
    # 20 households that are half of a cell say that it holds 40: all but the hidden five.
    assert beside["households_text"] == "≥10"
    assert beside["served_5"] is beside["served_15"] is None
    assert "43020204" not in {row["code"] for row in one.nobody.get(ranked).json()}
    assert after["43020208"]["served_15"] == 0.8


@pytest.mark.parametrize(("lost", "shown"), [(4, None), (40, 572)])
def test_what_one_station_serves_does_not_tell_how_few_it_does_not(tmp_path, lost, shown):
    plan = make_plan()
    reach = make_reach(plan, unserved={"a00": min(lost, 40)})
    reach.stations = reach.stations.iloc[:1].assign(households=[plan.households - lost])
    file = write_plan(
        plan, tmp_path / "plan.gpkg", reach=reach, stations=make_stations().iloc[:1]
    )  # fmt: skip
    with service(file, tmp_path) as made:
        station = made.nobody.get(f"{made.at_head}/stations").json()["features"][0]["properties"]
        page = made.nobody.get("/map").text
    assert station["households"] == shown
    assert (f'"households":{plan.households - lost}' in page) == (shown is not None)
    drawn = map_data(plan, stations=make_stations().iloc[:1], reach=reach)["stations"][0]
    assert drawn["households"] == shown


def test_nobody_ends_a_version_of_another_area_by_one_of_their_own(one):
    store, today = one.store, date(2030, 1, 1)
    project = store.projects()[0].id
    held = store.read(one.head)

    def moved(code):
        return f"99{code[2:]}" if code else ""

    table = held.cell_table.rename(index=moved).rename_axis("code")
    table = table.assign(parent=table["parent"].map(moved)).sort_index()
    other = replace(held, labels=held.labels.map(moved), cell_table=table, certificate=None)
    entry = store.create_plan(project, "other", actor="x")
    theirs = store.commit(entry.id, "main", None, other, author="x", message="m").id
    for version in (theirs, one.head):
        store.advance(version, PlanState.SUBMITTED, actor="x")
        store.advance(version, PlanState.REVIEWED, actor="x")
    store.advance(theirs, PlanState.IN_FORCE, actor="x", effective_from=date(2020, 1, 1))
    body = {"to": "in_force", "effective_from": str(today), "supersede": True}
    near = one.write(one.program("r", ("reviewer", "4302")), "POST", "state", body)
    assert near.status_code == 403
    assert store.standing(theirs).effective_to == ""
    whole = one.write(one.program("all", ("reviewer", "")), "POST", "state", body)
    assert whole.status_code == 200
    assert store.standing(theirs).effective_to == str(today)


def test_the_start_page_does_not_read_every_plan_each_time(one, monkeypatch):
    project = one.store.projects()[0].id
    held = one.store.read(one.head)
    for name in "abcdef":
        entry = one.store.create_plan(project, name, actor="x")
        one.store.commit(entry.id, "main", None, held, author="x", message="m")
    assert one.nobody.get("/api/v1/me").json()["synthetic"] is False
    read = []
    load = store_module.load
    monkeypatch.setattr(store_module, "load", lambda *given: read.append(given) or load(*given))
    assert one.nobody.get("/api/v1/me").status_code == 200
    assert read == []


def test_a_name_that_no_file_can_have_is_not_found(one):
    client = TestClient(one.app, raise_server_exceptions=False)
    for name in ("%00.html", f"{'a' * 5000}.html", "%2fetc%2fhosts.txt"):
        assert client.get(f"/app/{name}").status_code == 404


def test_a_name_that_no_file_can_hold_is_refused(one):
    planner = one.program("p", ("planner", ""))
    headers = {"If-Match": f'"{one.head}"', "Content-Type": "application/json"}
    command = {"command": "rename", "level": "wei", "cell": "43020101"}
    for name in ("n" * 201, "a\0b", "a\x08b", "\ud800", "\uffff"):
        for path, places in (("edits", "degrees"), ("preview", "metres")):
            # The client itself cannot write half of a pair.
            body = json.dumps({"command": command | {"name": name}, "places": places})
            answer = planner.post(f"{one.base}/{path}", headers=headers, content=body.encode())
            assert answer.status_code == 422, answer.text
            assert "control characters" in answer.json()["detail"]
    assert one.edit(planner, **command, name="n" * 200).status_code == 200


def test_a_name_from_elsewhere_breaks_no_file_that_others_read(tmp_path):
    plan = make_plan(names={"43020101": "甲\x08乙"})
    file = write_plan(make_plan(), tmp_path / "plan.gpkg")
    with service(file, tmp_path) as made:
        made.store.commit(made.plan, "main", made.head, plan, author="x", message="m")
        made.app.state.desk.has_moved(made.plan)
        kml = made.nobody.get(f"{made.at_head}/export?format=kml").content
        book = made.nobody.get(f"{made.at_head}/export?format=xlsx").content
    assert "甲乙" in "".join(ET.fromstring(kml).itertext())  # noqa: S314 - our own
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert "甲乙" in archive.read("xl/worksheets/sheet2.xml").decode() + "".join(
            archive.read(name).decode() for name in archive.namelist() if "sharedStrings" in name
        )


def test_a_store_that_does_not_answer_says_nothing_of_where_it_is(one, monkeypatch):
    def gone(*_):
        msg = "the store postgresql://keeper@database.office/plans does not answer (no route)"
        raise UnreachableError(msg)

    monkeypatch.setattr(one.app.state.desk, "plans", gone)
    answer = one.nobody.get("/api/v1/me")
    assert answer.status_code == 503
    assert "database.office" not in answer.text
    assert "try again" in answer.json()["detail"]


def test_a_plan_that_is_not_there_is_not_remembered(one):
    planner = one.program("p", ("planner", ""))
    undo = planner.post("/api/v1/plans/strange/undo", headers={"If-Match": '"x"'})
    assert undo.status_code == 404
    with pytest.raises(NotStoredError):
        one.app.state.desk.editing("strange")


def test_a_plan_of_no_name_is_refused_before_anything_is_made(one):
    planner = one.program("p", ("planner", ""))
    path = f"/api/v1/projects/{one.store.projects()[0].id}/jobs"
    body = {"kind": "divide", "like": one.plan}
    refused = [planner.post(path, json=body | {"name": name}) for name in (" ", "甲 ")]
    assert [answer.json()["detail"].split(":")[0] for answer in refused] == [
        "name", "the project has no map to walk and divide on",
    ]  # fmt: skip


def test_nobody_watches_jobs_without_end(one):
    owner = one.account("p", ("planner", ""))
    job = one.store.jobs.add("circles", {"project": "x"}, owner=owner.id)
    one.store.jobs.cancel(job.id)
    planner = one.program("q", ("planner", ""))
    actor = one.store.accounts.by_name("q").id
    path = f"/api/v1/jobs/{job.id}/events"
    assert planner.get(path).status_code == 200
    assert actor not in jobs.STREAMS
    jobs.STREAMS[actor] = jobs.MOST_STREAMS
    try:
        assert planner.get(path).status_code == 429
    finally:
        del jobs.STREAMS[actor]


def test_a_stream_that_is_left_is_no_longer_counted():
    async def endless():
        while True:
            yield "event"

    async def watch():
        stream = jobs.counted("li", endless())
        await anext(stream)
        assert jobs.STREAMS["li"] == 1
        await stream.aclose()

    asyncio.run(watch())
    assert "li" not in jobs.STREAMS


def test_a_password_from_the_keeper_ends_the_keys_too_and_ones_own_does_not(one):
    program = one.program("wang", ("planner", ""))
    known = one.store.accounts.by_name("wang")
    mine = hash_password("a secret of my own", name="wang")
    one.store.accounts.set_password(known.id, mine, actor=known.id)
    assert program.get("/api/v1/me").json()["user"] is not None
    one.store.accounts.set_password(known.id, mine, actor="keeper")
    assert program.get("/api/v1/me").status_code == 401


def test_nobody_makes_keys_without_end(one):
    program = one.program("wang", ("planner", ""))
    answers = [program.post("/api/v1/me/keys", json={"label": "x"}) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [201] * 19 + [409]


@pytest.mark.parametrize("places", ["degrees", "metres"])
def test_a_line_of_too_many_places_is_refused(one, places):
    planner = one.program("p", ("planner", ""))
    line = [[113.1, 27.8]] * 5001
    command = {"command": "split", "level": "wei", "cell": "43020101", "line": line}
    body = {"command": command, "places": places}
    answer = one.write(planner, "POST", "edits", body)
    assert answer.status_code == 422
    assert "5000" in answer.json()["detail"]
