"""The front is a process of its own: it ends with the service, and comes up again alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from map_plans import make_plan
from serve_cases import Line, ended, first_answer, run, started

from geogrid.api import import_plan
from geogrid.io.plan_file import write_plan
from geogrid.store import open_store

pytestmark = [
    pytest.mark.network, pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]  # fmt: skip

PATIENCE_S = 30


@pytest.fixture
def running(tmp_path):
    address = tmp_path / "store.sqlite"
    with open_store(address) as store:
        import_plan(store, write_plan(make_plan(), tmp_path / "plan.gpkg"))
    one = started([sys.executable, "-m", "geogrid", "serve", "--store", str(address), "--port", "0",
                   "--json"])  # fmt: skip
    try:
        run(first_answer(one.place, "/healthz", since=time.perf_counter()))
        yield one
    finally:
        ended(one)


def fronts(pid):
    """Processes of the front of a service."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            found += map(int, (task / "children").read_text().split())
    return [one for one in found if b"geogrid.front" in Path(f"/proc/{one}/cmdline").read_bytes()]


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(holds):
    end = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def is_free(place):
    """Whether nobody listens."""
    with closing(socket.socket()) as one:
        return one.connect_ex(place) != 0


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_stop_leaves_nothing_behind(running, sign):
    (front,) = fronts(running.process.pid)
    # A terminal and systemd send it to both.
    os.kill(front, sign)
    running.process.send_signal(sign)
    assert running.process.wait(PATIENCE_S) == 0
    assert is_gone(front)
    assert is_free(running.place)


def test_the_front_of_a_killed_service_lets_its_port_go(running):
    (front,) = fronts(running.process.pid)
    running.process.kill()
    running.process.wait()
    until(lambda: is_gone(front))
    # Its last threads may take another moment.
    until(lambda: is_free(running.place))


def test_a_front_that_falls_is_started_again_at_the_same_place(running):
    (front,) = fronts(running.process.pid)
    os.kill(front, signal.SIGKILL)
    (other,) = until(lambda: [one for one in fronts(running.process.pid) if one != front])
    assert other != front
    run(first_answer(running.place, "/healthz", since=time.perf_counter()))
    assert running.process.poll() is None


def test_a_front_that_hangs_does_not_keep_the_service_from_stopping(running):
    (front,) = fronts(running.process.pid)
    os.kill(front, signal.SIGSTOP)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE_S) == 0
    assert is_gone(front)


def test_what_was_asked_is_answered_before_the_service_stops(running):
    async def ask():
        lines = [Line(running.place) for _ in range(2)]
        _, _, body = await lines[0].ask("/api/v1/projects", headers={"Accept-Encoding": "identity"})
        plan = json.loads(body)[0]["plans"][0]["id"]
        path = f"/api/v1/plans/{plan}/versions/head/export?format=gpkg"
        asking = asyncio.create_task(lines[1].ask(path))
        # Long enough for it to arrive, however busy the machine.
        await asyncio.sleep(0.2)
        running.process.send_signal(signal.SIGTERM)
        status, _, body = await asking
        for line in lines:
            await line.close()
        return status, body[:6]

    assert run(ask()) == (200, b"SQLite")
    assert running.process.wait(PATIENCE_S) == 0
