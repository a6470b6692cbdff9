"""The service behind its front: tiles that it knows never reach the application again."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from api_service import service
from front_cases import behind_front
from map_plans import make_plan
from tile_cases import tile_at

from geogrid.api import ServiceSettings, create_app
from geogrid.api.herald import Herald
from geogrid.io.plan_file import write_plan

MERGE = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"]}
GZIP = {"Accept-Encoding": "gzip"}


class Counted:
    """An application that notes what reached it."""

    def __init__(self, app):
        self._app, self.state, self.paths = app, app.state, []

    async def __call__(self, scope, receive, send):
        self.paths.append(scope["path"])
        await self._app(scope, receive, send)


@pytest.fixture
def made(tmp_path):
    with service(write_plan(make_plan(), tmp_path / "plan.gpkg"), tmp_path) as one:
        yield one


def behind(made, work, **settings):
    """Run what a client does, with the application counted."""
    app = Counted(create_app(made.store, ServiceSettings(**settings), has_front=True))

    async def all_of_it():
        async with behind_front(app, **settings) as case:
            return await asyncio.wait_for(work(case, app), 60)

    return asyncio.run(all_of_it())


async def until(holds):
    """Wait until something holds."""
    while not holds():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)


def tiles_of(made):
    """Return paths of tiles that show the plan, and of one that does not."""
    bounds = made.nobody.get(f"{made.at_head}/tiles.json").json()["bounds"]
    column, row = tile_at((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2, 14)
    names = [f"14/{column}/{row}", f"15/{2 * column}/{2 * row}", "14/0/0"]
    return [f"{made.at_head}/tiles/cells/{name}.mvt" for name in names]


def test_a_tile_reaches_the_application_once(made):
    paths = tiles_of(made)

    async def work(case, app):
        first = [await case.client.get(path, headers=GZIP) for path in paths]
        await until(lambda: case.front.mirror.layer(made.plan, "head", "cells"))
        app.paths.clear()
        again = [await case.client.get(path, headers=GZIP) for path in paths]
        known = {"If-None-Match": first[0].headers["etag"]}
        same = await case.client.get(paths[0], headers=GZIP | known)
        return first, again, same, list(app.paths)

    first, again, same, reached = behind(made, work)
    assert [one.status_code for one in first] == [200, 200, 204]
    assert reached == []
    assert same.status_code == 304
    for one, other in zip(first, again, strict=True):
        assert (one.status_code, one.content) == (other.status_code, other.content)
        assert dict(one.headers) == dict(other.headers)


def test_an_edit_shows_at_the_front_without_anybody_asking_the_application(made):
    paths = tiles_of(made)
    key = made.program("planner", ("planner", "")).headers["authorization"]
    before = made.head

    async def work(case, app):
        old = [await case.client.get(path, headers=GZIP) for path in paths]
        await until(lambda: case.front.mirror.layer(made.plan, "head", "cells"))
        # Not with the next beat, but at once.
        case.behind._is_looking = True  # noqa: SLF001 - as if it were at it
        edited = await case.client.post(
            f"{made.base}/edits", json={"command": MERGE},
            headers={"If-Match": f'"{before}"', "Authorization": key},
        )  # fmt: skip
        assert edited.status_code == 200
        app.paths.clear()
        shown = case.front.mirror
        await until(lambda: shown.layer(made.plan, "head", "cells").version == made.head)
        new = [await case.client.get(path, headers=GZIP) for path in paths]
        return old, new, list(app.paths)

    old, new, reached = behind(made, work)
    assert made.head != before
    assert reached == []
    assert [one.headers["etag"] for one in new[:2]] == [f'"{made.head}"'] * 2
    assert old[0].content != new[0].content
    # What the edit did not touch is what browsers have.
    assert new[2].headers["etag"] == old[2].headers["etag"]


def test_who_signed_in_and_who_must_sign_in_are_never_answered_by_the_front(made):
    path = tiles_of(made)[0]
    key = made.program("viewer", ("viewer", "")).headers["authorization"]

    async def work(case, app):
        for _ in range(3):
            await case.client.get(path, headers=GZIP | {"Authorization": key})
            lines = [("Cookie", "geogrid_session=x"), ("Cookie", "a=b"), *GZIP.items()]
            await case.client.get(path, headers=lines)
            case.front.mirror.layer(made.plan, "head", "cells")
            await asyncio.sleep(0.3)
        reached = len(app.paths)
        if app.state.desk.settings.has_anonymous_viewing:
            await until(lambda: case.front.mirror.layer(made.plan, "head", "cells"))
        assert app.state.desk.settings.has_anonymous_viewing or (
            case.front.mirror.layer(made.plan, "head", "cells") is None
        )
        return reached, (await case.client.get(path, headers=GZIP)).status_code

    assert behind(made, work, has_anonymous_viewing=False) == (6, 401)
    assert behind(made, work) == (6, 200)


def herald_of(made):
    """Return a herald of an application, the application's state, and what it tells."""
    app, told = create_app(made.store, has_front=True), []
    herald = Herald(app.state.desk, app.state.door, app.state.tiles)
    herald.begin(lambda frame: told.append((frame.head["plan"], frame.head["version"])))
    return herald, app.state, told


def test_names_that_strangers_make_up_cost_one_look_at_the_store(made, monkeypatch):
    herald, state, told = herald_of(made)
    looked = []
    monkeypatch.setattr(herald, "look", looked.append)
    plans, asked = state.desk.plans, []
    monkeypatch.setattr(state.desk, "plans", lambda: asked.append(1) or plans())
    herald.look_at([*(f"made up {number}" for number in range(500)), made.plan])
    assert looked == [made.plan]
    assert len(asked) == 1
    assert told == [(f"made up {number}", "") for number in range(500)]


def test_an_unforeseen_error_at_a_look_shows_nothing_and_says_no_word(made, monkeypatch, caplog):
    herald, state, told = herald_of(made)

    def fail(*_):
        words = "张三 138"
        raise KeyError(words)

    monkeypatch.setattr(state.desk, "asked", fail)
    herald.look(made.plan)
    assert told == [(made.plan, "")]
    assert "KeyError" in caplog.text
    assert "张三" not in caplog.text


def test_who_looks_first_tells_first(made, monkeypatch):
    herald, state, told = herald_of(made)
    asked, slow = state.desk.asked, threading.Event()

    def late(*given):
        found = asked(*given)
        if not slow.is_set():
            slow.set()
            time.sleep(0.2)
        return found

    monkeypatch.setattr(state.desk, "asked", late)
    beat = threading.Thread(target=herald.look, args=(made.plan,))
    beat.start()
    slow.wait(10)
    planner = made.program("planner", ("planner", ""))
    assert made.edit(planner, **MERGE).status_code == 200
    state.desk.has_moved(made.plan)
    beat.join()
    assert told[-1] == (made.plan, made.head)
    assert told[0] != told[-1]


def test_what_the_store_said_before_a_move_is_not_remembered_after_it(made, monkeypatch):
    state = create_app(made.store).state
    plain = state.desk._public_now  # noqa: SLF001 - between reading and remembering

    def moved_meanwhile(plan):
        found = plain(plan)
        state.desk.has_moved(plan)
        return found

    monkeypatch.setattr(state.desk, "_public_now", moved_meanwhile)
    state.desk.public_version(made.plan)
    assert made.plan not in state.desk._public  # noqa: SLF001 - as above


def test_all_plans_of_a_project_are_looked_at_when_one_comes_into_force(made):
    herald, state, told = herald_of(made)
    project = made.store.projects()[0].id
    other = made.store.create_plan(project, "other", actor="x").id
    herald.look(made.plan)
    told.clear()
    state.desk.has_come_into_force(made.plan)
    assert {plan for plan, _ in told} == {made.plan, other}


def test_a_plan_that_is_taken_back_is_no_longer_shown_at_the_front(made):
    path = tiles_of(made)[0]

    async def work(case, app):
        await case.client.get(path, headers=GZIP)
        await until(lambda: case.front.mirror.layer(made.plan, "head", "cells"))
        # As another process would: the front is told with the next beat.
        app.state.desk._public_now = lambda _: made.store.version("nowhere")  # noqa: SLF001
        await until(lambda: case.front.mirror.layer(made.plan, "head", "cells") is None)
        # The application itself takes what it knew for true for another moment.
        while (await case.client.get(path, headers=GZIP)).status_code != 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    behind(made, work)
