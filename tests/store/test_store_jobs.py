"""Work in the background: taken once, stopped when asked, found again when its process died."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from geogrid.errors import NotStoredError, StateError
from geogrid.store import open_store
from geogrid.store.jobs import this_worker
from geogrid.vocabulary import JobState

# Claims the oldest work and dies with it.
DIES = """
import os, signal, sys
from geogrid.store import open_store
store = open_store(sys.argv[1])
print(store.jobs.claim().id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def claimed_by_the_dead(address):
    done = subprocess.run(
        [sys.executable, "-c", DIES, address], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    return done.stdout.strip()


def test_work_is_taken_reported_and_finished(store):
    job = store.jobs.add("divide", {"scheme": "芦淞"}, owner="甲")
    assert (job.state, job.progress, job.input) == (JobState.QUEUED, 0.0, {"scheme": "芦淞"})
    taken = store.jobs.claim()
    assert (taken.id, taken.state, taken.attempts) == (job.id, JobState.RUNNING, 1)
    assert store.jobs.claim() is None
    assert store.jobs.report(job.id, 0.5, "半").progress == 0.5
    assert store.jobs.report(job.id, 7).progress == 1.0
    done = store.jobs.finish(job.id, {"version": "v"})
    assert (done.state, done.result, done.is_over) == (JobState.DONE, {"version": "v"}, True)
    assert store.jobs.get(job.id) == done
    with pytest.raises(StateError, match="已完成"):
        store.jobs.report(job.id, 0.1)
    with pytest.raises(NotStoredError):
        store.jobs.get("nothing")


def test_work_is_listed_by_owner_and_state_and_taken_by_kind(store):
    first = store.jobs.add("divide", {}, owner="甲")
    second = store.jobs.add("map", {}, owner="乙")
    assert store.jobs.claim(kinds=["map"]).id == second.id
    assert store.jobs.fail(second.id, "no room").error == "no room"
    assert [one.id for one in store.jobs.find()] == [first.id, second.id]
    assert [one.id for one in store.jobs.find(owner="乙")] == [second.id]
    assert [one.id for one in store.jobs.find(states=[JobState.QUEUED])] == [first.id]


def test_each_work_is_taken_by_one_only(store):
    made = {store.jobs.add("x", {"n": number}, owner="甲").id for number in range(12)}
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: store.jobs.claim(), range(16)))
    found = [one.id for one in taken if one is not None]
    assert len(found) == 12
    assert set(found) == made


def test_waiting_work_is_cancelled_at_once_and_running_work_is_asked_to_stop(store):
    waiting, running = (store.jobs.add("x", {}, owner="甲") for _ in range(2))
    assert store.jobs.claim().id == waiting.id
    assert store.jobs.cancel(running.id).state is JobState.CANCELLED
    asked = store.jobs.cancel(waiting.id)
    assert (asked.state, asked.is_cancel_asked) == (JobState.RUNNING, True)
    assert store.jobs.report(waiting.id, 0.2).is_cancel_asked
    assert store.jobs.stop(waiting.id).state is JobState.CANCELLED
    assert store.jobs.cancel(waiting.id).state is JobState.CANCELLED


def test_work_of_a_dead_process_waits_again_or_is_marked(address):
    with open_store(address) as store:
        again = store.jobs.add("x", {}, owner="甲", is_restartable=True)
        lost = store.jobs.add("x", {}, owner="甲")
        own = store.jobs.add("x", {}, owner="甲")
    assert claimed_by_the_dead(address) == again.id
    assert claimed_by_the_dead(address) == lost.id
    with open_store(address) as store:
        assert store.jobs.claim().id == own.id
        found = store.jobs.recover()
        assert [(one.id, one.state) for one in found] == [
            (again.id, JobState.QUEUED), (lost.id, JobState.INTERRUPTED)
        ]  # fmt: skip
        assert store.jobs.recover() == []
        assert "start it again" in store.jobs.get(lost.id).error
        assert store.jobs.get(own.id).state is JobState.RUNNING
        assert store.jobs.claim().attempts == 2


def test_work_on_another_machine_is_lost_when_it_is_silent(address):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with open_store(address, clock=lambda: moment) as store:
        job = store.jobs.add("x", {}, owner="甲")
        store.jobs.claim("elsewhere:1:2")
        assert store.jobs.recover() == []
        moment += timedelta(minutes=3)
        assert [one.id for one in store.jobs.recover()] == [job.id]


def test_a_process_number_used_again_is_not_taken_for_the_old_process(store):
    job = store.jobs.add("x", {}, owner="甲")
    store.jobs.claim(this_worker().rsplit(":", 1)[0] + ":1")
    assert [one.id for one in store.jobs.recover()] == [job.id]


def test_work_that_beats_is_not_lost_though_it_says_nothing(address):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with open_store(address, clock=lambda: moment) as store:
        job = store.jobs.add("x", {}, owner="甲")
        store.jobs.claim("elsewhere:1:2")
        store.jobs.report(job.id, 0.4, "半")
        moment += timedelta(minutes=3)
        beaten = store.jobs.beat(job.id)
        assert (beaten.progress, beaten.note) == (0.4, "半")
        assert store.jobs.recover() == []
        store.jobs.finish(job.id, {})
        with pytest.raises(StateError):
            store.jobs.beat(job.id)


@pytest.mark.parametrize(
    ("is_restartable", "is_asked", "state"),
    [
        (True, False, JobState.QUEUED),
        (False, False, JobState.INTERRUPTED),
        (True, True, JobState.CANCELLED),
    ],
)
def test_work_that_is_given_back_waits_again_as_if_never_begun(
    store, is_restartable, is_asked, state
):
    job = store.jobs.add("x", {}, owner="甲", is_restartable=is_restartable)
    store.jobs.claim()
    store.jobs.report(job.id, 0.4, "半")
    if is_asked:
        store.jobs.cancel(job.id)
    given = store.jobs.give_back(job.id)
    assert (given.state, given.attempts) == (state, 0)
    if state is JobState.QUEUED:
        assert (given.progress, given.note) == (0.0, "")
        assert store.jobs.claim().attempts == 1


def test_work_is_listed_by_pages_the_newest_first(store):
    made = [store.jobs.add("map", {}, owner="甲乙"[at % 2]).id for at in range(7)][::-1]

    def pages(owner=None):
        found, before = [], None
        while page := store.jobs.page(limit=3, owner=owner, before=before):
            assert len(page) <= 3
            found += [one.id for one in page]
            before = found[-1]
        return found

    assert pages() == made
    assert pages("甲") == made[::2]
    assert pages("丙") == []
    with pytest.raises(NotStoredError):
        store.jobs.page(limit=3, before="nothing")


def test_work_of_one_moment_is_on_one_page_alone(make_address):
    with open_store(make_address("sqlite"), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as one:
        made = {one.jobs.add("map", {}, owner="甲").id for _ in range(5)}
        first = one.jobs.page(limit=3)
        rest = one.jobs.page(limit=3, before=first[-1].id)
        assert [len(first), len(rest)] == [3, 2]
        assert {job.id for job in (*first, *rest)} == made
