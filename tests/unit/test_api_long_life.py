"""A plan of many versions: undo after a restart and beside another process, pages, bounds."""

from __future__ import annotations

import pytest
from api_service import service

from geogrid.api import ServiceSettings, create_app
from geogrid.api.kept import Kept
from geogrid.api.steps import StepBook, Steps
from geogrid.errors import EditError
from geogrid.store import Step, open_store


def renamed(number):
    return {"command": "rename", "level": "wei", "cell": "43020102", "name": f"第{number}次"}


MERGED = {"command": "merge", "level": "wei", "cells": ["43020101", "43020103"], "into": "43020101"}


@pytest.fixture
def one(plan_file, tmp_path):
    with service(plan_file, tmp_path) as made:
        yield made


@pytest.fixture
def planner(one):
    return one.program("planner", ("planner", ""))


def test_versions_come_in_pages(one, planner):
    for number in range(5):
        assert one.edit(planner, **renamed(number)).status_code == 200
    path = f"{one.base}/versions"
    every = [row["number"] for row in planner.get(path).json()]
    assert every == [6, 5, 4, 3, 2, 1]
    pages, before = [], ""
    while page := planner.get(path, params={"limit": 4, "before": before}).json():
        pages.append([row["number"] for row in page])
        before = page[-1]["id"]
    assert pages == [[6, 5, 4, 3], [2, 1]]
    assert planner.get(path, params={"before": "nowhere"}).status_code == 404
    assert planner.get(path, params={"limit": 0}).status_code == 422


def test_steps_of_a_branch_are_what_its_history_says(one, planner):
    one.edit(planner, **MERGED)
    one.write(planner, "POST", "undo")
    steps = one.store.steps(one.plan)
    history = one.store.history(one.plan)[::-1]
    assert [
        (step.id, step.number, step.parent_id, step.author, step.message) for step in steps
    ] == [(each.id, each.number, each.parent_id, each.author, each.message) for each in history]
    for step in steps[1:]:
        levels = one.store.diff(step.parent_id, step.id).levels.values()
        assert set(step.gone) == {code for level in levels for code in level.removed}
    assert [step.gone for step in steps] == [(), ("43020103",), ()]
    assert one.store.steps(one.plan, after=2) == steps[2:]


def test_undo_and_reserved_codes_are_known_after_a_restart_and_in_another_process(one, planner):
    made = one.edit(planner, **MERGED)
    assert made.status_code == 200
    one.write(planner, "POST", "undo")
    one.edit(planner, **renamed(1))
    with open_store(one.store.database.engine.url.database) as other:
        book, mine = StepBook(other, "main"), one.app.state.desk
        for _ in range(2):
            assert book.of(one.plan).reserved == mine.steps(one.plan).reserved
            assert [step.id for step in book.of(one.plan).done] == [
                step.id for step in mine.steps(one.plan).done
            ]
            # The other process goes on from where it was.
            one.write(planner, "POST", "undo")
            one.edit(planner, **renamed(2))
        app = create_app(other, ServiceSettings())
        assert app.state.desk.steps(one.plan).number == 8


def test_the_summary_says_what_the_caller_can_undo(one, planner):
    def steps(client):
        return client.get(one.base).json()["steps"]

    other = one.program("other", ("planner", ""))
    assert steps(planner) == {"can_undo": False, "can_redo": False}
    one.edit(planner, **renamed(1))
    assert steps(planner) == {"can_undo": True, "can_redo": False}
    assert steps(other) == steps(one.nobody) == {"can_undo": False, "can_redo": False}
    one.write(planner, "POST", "undo")
    assert steps(planner) == {"can_undo": False, "can_redo": True}
    assert steps(other) == {"can_undo": False, "can_redo": False}


def test_an_edit_after_many_versions_asks_the_store_for_no_more_rows(one, planner):
    """Rows that the database gives for an edit do not grow with the history."""
    desk = one.app.state.desk
    asked = []
    steps = one.store.steps

    def counted(*given, **named):
        found = steps(*given, **named)
        asked.append(len(found))
        return found

    one.store.steps = counted
    one.store.history = None
    for number in range(8):
        assert one.edit(planner, **renamed(number)).status_code == 200
    assert max(asked) <= 1
    assert desk.steps(one.plan).number == 9


def step(number, message, *, gone=(), author="a"):
    return Step(
        id=str(number), number=number, parent_id=str(number - 1), author=author, message=message,
        gone=gone,
    )  # fmt: skip


def test_steps_that_are_read_in_parts_are_those_that_are_read_at_once():
    rows = [step(1, "import"), step(2, "x"), step(3, "undo 2", gone=("c",)), step(4, "redo 2"),
            step(5, "y"), step(6, "undo 5", gone=("d", "e")), step(7, "z")]  # fmt: skip
    whole = Steps()
    whole.read(rows)
    for cut in range(len(rows)):
        parts = Steps()
        parts.read(rows[:cut])
        parts.read(rows[cut:])
        assert (parts.done, parts.undone, parts.reserved, parts.number) == (
            whole.done, whole.undone, whole.reserved, whole.number,
        )  # fmt: skip
    assert whole.reserved == {"c", "d", "e"}
    assert [one.number for one in whole.done] == [1, 2, 7]
    with pytest.raises(EditError, match="nothing to redo"):
        whole.to_redo("a")
    with pytest.raises(EditError, match="somebody else"):
        whole.to_undo("b")


def test_what_is_kept_in_memory_is_bounded():
    kept = Kept(3)
    for at in range(10):
        kept.put(at, str(at))
        kept.get(0)
    assert len(kept) == 3
    assert kept.get(0) == "0"
    assert kept.get(9) == "9"
    assert kept.get(5) is None
    kept.drop(9)
    assert kept.get(9) is None
