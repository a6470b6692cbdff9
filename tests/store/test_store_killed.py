"""A process that is killed while it writes leaves whole versions and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from store_plans import square_plan

from geogrid.store import open_store

TESTS = Path(__file__).resolve().parents[1]
# Commits one edit after the other for ever, and says so.
WRITES = """
import sys
sys.path.insert(0, sys.argv[1])
from store_plans import moved
from geogrid.store import open_store
store = open_store(sys.argv[2])
plan_id, start = sys.argv[3], int(sys.argv[4])
version = store.branch(plan_id).head
base = store.read(version)
print("ready", flush=True)
for number in range(start, start + 10_000):
    plan = moved(base, number % 64)
    version = store.commit(plan_id, "main", version, plan, author="x", message=str(number)).id
    print(version, flush=True)
"""
ROUNDS = 12


def count(connection, query):
    return connection.execute(text(query)).scalar()


def require_whole(store, plan_id, answered):
    """Every answered version is there, whole, and nothing belongs to none."""
    history = store.history(plan_id)
    assert {one.id for one in history} >= answered
    assert [one.number for one in history] == list(range(len(history), 0, -1))
    assert store.branch(plan_id).head == history[0].id
    commits = [one.subject for one in store.audit.entries() if one.action == "commit"]
    assert commits == [one.id for one in reversed(history)]
    assert store.audit.verify().is_sound
    for one in history[:2]:
        assert store.recheck(one.id)
    with store.database.reading() as connection:
        assert count(connection, "SELECT count(*) FROM standing") == len(history)
        assert count(connection, "SELECT count(*) FROM cell_place") == count(
            connection, "SELECT count(*) FROM cell"
        )
        assert not count(
            connection,
            "SELECT count(*) FROM cell WHERE id NOT IN (SELECT cell_id FROM span)",
        )
        # At every version each cell of the level is there once.
        for one in history[:5]:
            alive = count(
                connection,
                f"SELECT count(*) FROM span WHERE from_number <= {one.number} "  # noqa: S608 - numbers
                f"AND to_number > {one.number}",
            )
            assert alive == store.read(one.id).labels.nunique().sum()


def test_a_killed_writer_leaves_no_half_version(address):
    rng = np.random.default_rng(7)
    answered = set()
    with open_store(address) as store:
        project = store.create_project("p", actor="甲")
        plan_id = store.create_plan(project.id, "p", actor="甲").id
        store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for number in range(ROUNDS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITES, str(TESTS), address, plan_id, str(number * 7)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        assert writer.stdout.readline() == "ready\n"
        answered.add(writer.stdout.readline().strip())
        time.sleep(rng.uniform(0, 0.25))
        writer.send_signal(signal.SIGKILL)
        answered |= {line.strip() for line in writer.stdout if line.endswith("\n")}
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        with open_store(address) as store:
            require_whole(store, plan_id, answered)
    assert len(answered) >= ROUNDS


@pytest.mark.parametrize("step", ["_add_pages", "_add_cells", "_add_spans", "record"])
def test_a_writer_that_dies_between_two_steps_leaves_nothing_of_its_version(address, step):
    dies = f"""
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from store_plans import moved
from geogrid.store import _commit, open_store
plain = _commit.{step}
def die(*args):
    plain(*args)
    os.kill(os.getpid(), signal.SIGKILL)
_commit.{step} = die
store = open_store(sys.argv[2])
head = store.branch(sys.argv[3]).head
store.commit(sys.argv[3], "main", head, moved(store.read(head), 9), author="x", message="")
"""
    with open_store(address) as store:
        project = store.create_project("p", actor="甲")
        plan_id = store.create_plan(project.id, "p", actor="甲").id
        first = store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
        with store.database.reading() as connection:
            pages = count(connection, "SELECT count(*) FROM page")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", dies, str(TESTS), address, plan_id],
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    with open_store(address) as store:
        require_whole(store, plan_id, {first.id})
        assert len(store.history(plan_id)) == 1
        with store.database.reading() as connection:
            assert count(connection, "SELECT count(*) FROM page") == pages
        assert store.commit(
            plan_id, "main", first.id, store.read(first.id), author="x", message=""
        ).number == 2  # fmt: skip
