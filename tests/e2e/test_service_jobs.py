"""Jobs of a served store: done exactly once, whoever dies, and stopped when that is asked."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from serve_cases import planner_keys, serving

from geogrid.api import runner as runner_module
from geogrid.api.runner import Runner
from geogrid.cli import main
from geogrid.io.guarded import read_upload
from geogrid.store import open_store
from geogrid.store import store as store_module
from geogrid.store.files import put_file
from geogrid.vocabulary import FileRole, JobState
from geogrid.workflow import tasks, worker
from geogrid.workflow.keeping import GPKG, keep_map

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "helsinki"
PATIENCE_S = 120
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def store(tmp_path):
    """A store with a project that has a map, and a limit to divide."""
    with open_store(tmp_path / "x.db") as opened:
        project = opened.create_project("赫尔辛基", actor="甲")
        keep_map(opened, project.id, SAMPLE / "helsinki.osm.pbf", actor="甲")
        saved = read_upload(SAMPLE / "limit.geojson", name="limit.geojson").save(tmp_path)
        opened.files.add(
            saved.read_bytes(), role=FileRole.LIMIT, name="limit.geojson", media=GPKG, actor="甲",
            project_id=project.id,
        )  # fmt: skip
        yield opened


def asked(store, name="方案", **more):
    (project,) = store.projects()
    (limit,) = store.files.find(role=FileRole.LIMIT)
    given = {
        "project": project.id, "name": name, "scheme": "huayang", "like": None, "limit": limit.id,
        "households": None, "stations": None, "seed": 0,
    }  # fmt: skip
    return store.jobs.add("divide", given | more, owner="甲", is_restartable=True).id


def plans_of(store):
    (project,) = store.projects()
    return store.plans(project.id)


def until(look, what):
    start = time.monotonic()
    while not (found := look()):
        assert time.monotonic() - start < PATIENCE_S, what
        time.sleep(0.05)
    return found


def begun(store, job):
    """Wait until a job is in the middle of its work."""
    until(lambda: store.jobs.get(job).progress >= 0.15, "the job does not begin")


def over(store, job):
    return until(lambda: (one := store.jobs.get(job)).is_over and one, "the job does not end")


def workers(pid):
    """Processes of jobs that a process has begun."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return [
        one for one in found if b"geogrid.workflow" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def is_gone(pid):
    """Whether a process has ended, also where nobody has asked how."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def require_once(store, job):
    """Whatever happened on the way, there is one plan with one of everything."""
    done = over(store, job)
    assert done.state is JobState.DONE, done.error
    (project,) = store.projects()
    (plan,) = store.plans(project.id)
    (version,) = store.history(plan.id)
    assert done.result["version"] == version.id
    roles = [one.role for one in store.files.find(plan_id=plan.id)]
    assert sorted(roles) == ["households", "service"]
    assert store.recheck(version.id)
    assert store.audit.verify().is_sound
    return done


@LINUX
def test_a_job_of_a_killed_server_is_done_by_the_next_exactly_once(store):
    with serving(store.address) as first:
        job = asked(store)
        begun(store, job)
        (doing,) = workers(first.process.pid)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        until(lambda: is_gone(doing), "the process of the job outlives its server")
        assert store.jobs.get(job).state is JobState.RUNNING
    with serving(store.address):
        done = require_once(store, job)
    assert done.attempts == 2


@LINUX
def test_a_stopped_server_gives_its_job_back(store):
    with serving(store.address) as first:
        job = asked(store)
        begun(store, job)
        (key,) = planner_keys(store, 1)
        headers = {"Authorization": f"Bearer {key}"}
        place = f"{first.address}api/v1/jobs/{job}/events"
        with httpx2.stream("GET", place, headers=headers, timeout=PATIENCE_S) as watched:
            lines = watched.iter_lines()
            assert next(lines) == "event: progress"
            first.process.send_signal(signal.SIGTERM)
            # Who watches is let go, and not cut off.
            assert "event: end" not in list(lines)
        first.process.wait(PATIENCE_S)
        given = store.jobs.get(job)
        assert (given.state, given.attempts) == (JobState.QUEUED, 0)
    with serving(store.address):
        require_once(store, job)


@LINUX
def test_a_job_stops_when_asked_and_leaves_nothing(store):
    with serving(store.address) as running:
        job = asked(store)
        begun(store, job)
        (doing,) = workers(running.process.pid)
        store.jobs.cancel(job)
        assert over(store, job).state is JobState.CANCELLED
        until(lambda: is_gone(doing), "the process of the job goes on")
        (project,) = store.projects()
        assert store.plans(project.id) == []
        # The next one has its turn.
        require_once(store, asked(store))


@LINUX
def test_a_job_whose_process_is_killed_fails_in_words(store):
    with serving(store.address) as running:
        job = asked(store)
        begun(store, job)
        (doing,) = workers(running.process.pid)
        os.kill(doing, signal.SIGKILL)
        found = over(store, job)
        assert found.state is JobState.FAILED
        assert "任务进程被终止" in found.error


def test_a_process_that_does_not_listen_is_ended_all_the_same(store, tmp_path, monkeypatch):
    deaf = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(tmp_path / 'up')!r}).touch(); time.sleep(600)"
    )
    monkeypatch.setattr(runner_module, "_COMMAND", (sys.executable, "-c", deaf))
    job = asked(store)
    runner = Runner(store, {})
    runner.start()
    try:
        until((tmp_path / "up").exists, "the process does not begin")
        store.jobs.cancel(job)
        assert over(store, job).state is JobState.CANCELLED
    finally:
        runner.stop()


def test_a_job_that_was_begun_too_often_is_not_begun_again(store):
    job = asked(store)
    for _ in range(3):
        store.jobs.claim("nowhere:x:y")
        with store.database.writing() as connection:
            connection.exec_driver_sql("UPDATE job SET state = 'queued'")
    runner = Runner(store, {})
    runner.start()
    try:
        assert "多次中断" in over(store, job).error
    finally:
        runner.stop()


@pytest.mark.parametrize("stop_at", ["household points", "service circles", "nothing"])
def test_a_job_done_again_finds_what_it_made_before(store, monkeypatch, stop_at):
    job = asked(store)
    store.jobs.claim()
    plain, roles = put_file, {"household points": "households", "service circles": "service"}

    class DiedError(BaseException):
        """The process is no more."""

    def dies(connection, new, *given, **about):
        if new.role == roles.get(stop_at):
            raise DiedError
        return plain(connection, new, *given, **about)

    monkeypatch.setattr(store_module, "put_file", dies)
    if stop_at == "nothing":
        worker.work(store, job, {})
        with store.database.writing() as connection:
            connection.exec_driver_sql("UPDATE job SET state = 'running', result = NULL")
        monkeypatch.setattr(tasks, "TASKS", {})
    else:
        with pytest.raises(DiedError):
            worker.work(store, job, {})
        # Nobody sees a plan without its circles, or without the points that edits need.
        assert all(not store.branch(one.id).head for one in plans_of(store))
    monkeypatch.setattr(store_module, "put_file", plain)
    worker.work(store, job, {})
    require_once(store, job)


def test_what_an_older_program_left_half_made_is_completed(store):
    job = asked(store)
    store.jobs.claim()
    worker.work(store, job, {})
    version = store.jobs.get(job).result["version"]
    (plan,) = plans_of(store)
    for one in store.files.find(plan_id=plan.id):
        store.files.remove(one.id, actor="甲")
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE job SET state = 'running', result = NULL")
    worker.work(store, job, {})
    assert store.jobs.get(job).result["version"] == version
    require_once(store, job)


def test_a_name_that_was_taken_meanwhile_is_told(store):
    (project,) = store.projects()
    job = asked(store)
    store.create_plan(project.id, "方案", actor="乙")
    store.jobs.claim()
    worker.work(store, job, {})
    assert "方案重名" in store.jobs.get(job).error


def test_an_unforeseen_error_tells_the_log_where_and_nobody_what(store, monkeypatch, caplog):
    job = asked(store)
    store.jobs.claim()

    def fails(_):
        msg = "张三 13800000001"
        raise RuntimeError(msg)

    monkeypatch.setattr(worker, "run_task", fails)
    worker.work(store, job, {})
    found = store.jobs.get(job)
    assert (found.state, "服务日志" in found.error) == (JobState.FAILED, True)
    assert "RuntimeError at" in caplog.text
    assert "test_service_jobs.py" in caplog.text
    for words in (found.error, caplog.text):
        assert "13800000001" not in words


def test_a_plan_made_like_another_takes_its_limit_households_and_stations(store):
    first = asked(store, "一")
    store.jobs.claim()
    worker.work(store, first, {})
    made = store.jobs.get(first).result
    second = asked(
        store, "二", limit=None, like=made["plan"], like_version=made["version"], seed=1
    )  # fmt: skip
    store.jobs.claim()
    worker.work(store, second, {})
    found = store.jobs.get(second)
    assert found.state is JobState.DONE, found.error
    one, two = (store.read(job["version"]) for job in (made, found.result))
    assert one.district.name == two.district.name
    assert one.atoms.limit.symmetric_difference(two.atoms.limit).area < 1
    assert one.households == two.households
    # What was estimated stays so, whoever divides by it.
    assert any(source.is_estimated for source in two.sources)


def test_a_map_too_large_for_the_store_is_read_in_its_place(store):
    (kept,) = store.files.find(role=FileRole.MAP)
    store.files.remove(kept.id, actor="甲")
    job = asked(store)
    store.jobs.claim()
    worker.work(store, job, {})
    assert "--osm" in store.jobs.get(job).error
    again = asked(store)
    store.jobs.claim()
    (project,) = store.projects()
    worker.work(store, again, {project.id: SAMPLE / "helsinki.osm.pbf"})
    require_once(store, again)


def test_the_worker_ends_with_the_hand_that_holds_it(store):
    job = asked(store)
    store.jobs.claim()
    child = subprocess.Popen(
        [sys.executable, "-m", "geogrid.workflow.worker"], stdin=subprocess.PIPE, text=True
    )
    child.stdin.write(json.dumps({"store": store.address, "job": job, "maps": {}}) + "\n")
    child.stdin.flush()
    begun(store, job)
    child.stdin.close()
    assert child.wait(PATIENCE_S) == 3
    assert store.jobs.get(job).state is JobState.RUNNING
    path = store.address.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_served_map_is_there_at_the_next_start_without_naming_it(store, tmp_path, monkeypatch):
    job = asked(store)
    store.jobs.claim()
    worker.work(store, job, {})
    plan = tmp_path / "plan.gpkg"
    plan.write_bytes(store.files.content(store.jobs.get(job).result["file"]))
    layers = []

    def run(server, sockets):
        client = TestClient(server.config.app)
        (project,) = client.get("/api/v1/projects").json()
        place = f"/api/v1/plans/{project['plans'][0]['id']}/versions/head/tiles.json"
        layers.append(client.get(place, params={"layer": "base"}).json()["vector_layers"])
        sockets[0].close()

    monkeypatch.setattr("geogrid.api.serving.HAS_FRONT", False)
    monkeypatch.setattr("uvicorn.Server.run", run)
    serve = ["serve", str(plan), "--port", "0", "--quiet"]
    osm = str(SAMPLE / "helsinki.osm.pbf")
    for more in ([], ["--osm", osm], ["--osm", osm], []):
        assert main([*serve, *more]) == 0
    assert [bool(one) for one in layers] == [False, True, True, True]
    with open_store(tmp_path / "plan.store.sqlite") as kept:
        assert len(kept.files.find(role=FileRole.MAP)) == 1
        assert len(kept.files.find(role=FileRole.SERVICE)) == 1
    # A map that is too large for the store is read in its place, for as long as it is named.
    monkeypatch.setattr("geogrid.workflow.keeping.MOST_MAP_BYTES", 10)
    (tmp_path / "plan.store.sqlite").unlink()
    for more in (["--osm", osm], []):
        assert main([*serve, *more]) == 0
    assert [bool(one) for one in layers[-2:]] == [True, False]
