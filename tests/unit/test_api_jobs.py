"""Jobs over HTTP: who may ask for what, who sees it, and how a browser watches it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from api_service import service
from fastapi.testclient import TestClient
from map_plans import make_plan

from geogrid.accounts.tokens import new_api_key
from geogrid.io.plan_file import write_plan
from geogrid.vocabulary import FileRole
from geogrid.workflow.keeping import GPKG, keep_map

ROOT = Path(__file__).resolve().parents[2]
OSM = ROOT / "data" / "helsinki" / "helsinki.osm.pbf"
LIMIT = ROOT / "data" / "helsinki" / "limit.geojson"
CIRCLES = {"kind": "circles", "stations": None, "minutes": [15, 5, 5]}
JOB_FIELDS = {
    "id", "kind", "kind_zh", "state", "state_zh", "progress", "note", "project", "plan", "result",
    "error", "owner_name", "created_at", "finished_at", "is_over",
}  # fmt: skip
PATIENCE_S = 90


@pytest.fixture
def made(plan_file, tmp_path):
    """A service whose jobs wait: nothing runs them."""
    with service(plan_file, tmp_path) as one:
        one.project = one.store.projects()[0].id
        one.planner = one.program("planner", ("planner", ""))
        keep_map(one.store, one.project, OSM, actor="test")
        yield one


def ask(made, body=CIRCLES, *, client=None, whole=False):
    place = f"/api/v1/projects/{made.project}" if whole else made.base
    return (client or made.planner).post(f"{place}/jobs", json=body)


def added(made, role, content=b"x", **about):
    known = {"name": "x.gpkg", "media": GPKG, "actor": "test", "project_id": made.project}
    return made.store.files.add(content, role=role, **known | about).id


def divide(**more):
    return {"kind": "divide", "name": "新方案", "scheme": "huayang", **more}


def test_circles_are_asked_for_at_the_newest_version(made):
    answer = ask(made)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert set(told) == JOB_FIELDS
    assert (told["kind"], told["kind_zh"], told["state"], told["state_zh"]) == (
        "circles", "服务圈计算", "queued", "排队中",
    )  # fmt: skip
    assert (told["project"], told["plan"], told["result"]) == (made.project, made.plan, None)
    assert (told["error"], told["is_over"], told["owner_name"]) == (None, False, "planner")
    assert answer.headers["location"] == f"/api/v1/jobs/{told['id']}"
    given = made.store.jobs.get(told["id"]).input
    assert (given["version"], given["minutes"]) == (made.head, [5.0, 15.0])
    assert made.planner.get(answer.headers["location"]).json() == told


def test_schemes_are_listed_by_key_and_title(made):
    found = {one["key"]: one["title"] for one in made.nobody.get("/api/v1/schemes").json()}
    assert set(found) >= {"huayang", "lusong", "liuyang"}
    assert all(found.values())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (divide(), "nothing says what to divide"),
        (divide(like="x", scheme="/etc/passwd"), "no scheme /etc/passwd"),
        (divide(like="x"), "no plan"),
        (divide(limit="x"), "no file"),
        (divide(like="x", seed=-1), "seed"),
        (divide(like="x", name="plan"), "already"),
        ({"kind": "import", "name": "新", "file": "x"}, "no file"),
        ({"kind": "remove", "name": "x"}, "kind"),
        ({"kind": "import", "name": "新", "file": "x", "more": 1}, "more"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(made, body, said):
    answer = ask(made, body, whole=True)
    assert answer.status_code in {404, 422}, answer.text
    assert said in answer.json()["detail"]
    assert made.store.jobs.find() == []


@pytest.mark.parametrize("minutes", [[], [0], [61], [5, 6, 7, 8, 9], ["x"]])
def test_minutes_that_make_no_sense_are_refused(made, minutes):
    assert ask(made, CIRCLES | {"minutes": minutes}).status_code == 422


def test_a_file_of_another_role_project_or_plan_is_refused(made):
    other = made.store.create_project("另一个", actor="test")
    wrong = [
        added(made, FileRole.LIMIT),
        added(made, FileRole.STATIONS, project_id=other.id),
        added(made, FileRole.STATIONS, plan_id=made.plan),
    ]
    for file in wrong:
        answer = ask(made, CIRCLES | {"stations": file})
        assert answer.status_code == 422
        assert "服务站" in answer.json()["detail"]
    right = added(made, FileRole.STATIONS)
    assert ask(made, CIRCLES | {"stations": right}).status_code == 202


def test_without_a_map_or_stations_there_are_no_circles(tmp_path, plan_file):
    bare = write_plan(make_plan(), tmp_path / "bare.gpkg")
    for path, has_map, said in ((plan_file, False, "no map"), (bare, True, "no stations")):
        folder = tmp_path / said.replace(" ", "_")
        folder.mkdir()
        with service(path, folder) as one:
            one.project = one.store.projects()[0].id
            one.planner = one.program("planner", ("planner", ""))
            if has_map:
                keep_map(one.store, one.project, OSM, actor="test")
            answer = ask(one)
            assert answer.status_code == 422
            assert said in answer.json()["detail"]


def test_whoever_has_one_street_alone_changes_no_circles_of_the_whole_plan(made):
    tops = made.store.read(made.head).labels.iloc[:, 0].unique()
    street = made.program("street", ("planner", "430201019"))
    assert ask(made, client=street).status_code == 403
    every = made.program("every", *(("planner", top) for top in tops))
    assert ask(made, client=every).status_code == 202
    # A new plan is nobody's area yet.
    assert ask(made, divide(like=made.plan), client=every, whole=True).status_code == 403
    reviewer = made.program("reviewer", ("reviewer", ""))
    assert ask(made, divide(like=made.plan), client=reviewer, whole=True).status_code == 403
    assert ask(made, divide(like=made.plan), whole=True).status_code == 202


def test_a_job_is_seen_by_its_owner_and_by_those_who_may_run_all(made):
    tops = made.store.read(made.head).labels.iloc[:, 0].unique()
    one, two = (made.program(name, *(("planner", top) for top in tops)) for name in ("one", "two"))
    first = ask(made, client=one).json()["id"]
    second = ask(made, client=two).json()["id"]
    seen = {
        name: [job["id"] for job in client.get("/api/v1/jobs").json()]
        for name, client in (("one", one), ("two", two), ("all", made.planner))
    }
    assert seen == {"one": [first], "two": [second], "all": [second, first]}
    for path in (f"/api/v1/jobs/{first}", f"/api/v1/jobs/{first}/events"):
        assert two.get(path).status_code == 404
    assert two.post(f"/api/v1/jobs/{first}/cancel").status_code == 404
    assert one.post(f"/api/v1/jobs/{first}/cancel").json()["state"] == "cancelled"
    told = made.planner.post(f"/api/v1/jobs/{second}/cancel").json()
    assert (told["state_zh"], told["is_over"]) == ("已取消", True)
    assert made.nobody.get("/api/v1/jobs").status_code == 401


def test_jobs_are_listed_by_pages_and_nobody_pages_through_those_of_others(made):
    kinds = {"project": made.project, "plan": made.plan}
    owners = [made.account(name, ("planner", "430201")).id for name in ("one", "two")]
    ids = [made.store.jobs.add("circles", kinds, owner=owners[at % 2]).id for at in range(120)]
    ids.reverse()

    def page(client, **query):
        answer = client.get("/api/v1/jobs", params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()]

    assert page(made.planner) == ids[:50]
    assert page(made.planner, limit=70, before=ids[49]) == ids[50:]
    assert page(made.planner, before=ids[-1]) == []
    for query in ({"limit": 0}, {"limit": 201}, {"limit": "x"}, {"before": "x" * 65}):
        assert made.planner.get("/api/v1/jobs", params=query).status_code == 422
    key = new_api_key()
    made.store.accounts.add_key(owners[0], key.secret_hash, label="", actor="test")
    one = TestClient(made.app, headers={"Authorization": f"Bearer {key.key}"})
    assert page(one, limit=200) == ids[1::2]
    assert page(one, limit=2, before=ids[3]) == ids[5:9:2]
    for strange in (ids[0], "nothing"):
        assert one.get("/api/v1/jobs", params={"before": strange}).status_code == 404


def test_whoever_asked_for_a_plan_that_was_never_made_may_ask_for_it_again(made):
    planner = made.store.accounts.by_name("planner").id
    made.store.create_plan(made.project, "新方案", actor=planner)
    other = made.program("other", ("planner", ""))
    body = divide(like=made.plan)
    assert ask(made, body, client=other, whole=True).status_code == 422
    assert ask(made, body, whole=True).status_code == 202


def test_nobody_fills_the_queue_alone(made):
    for _ in range(5):
        assert ask(made).status_code == 202
    answer = ask(made)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    first = made.store.jobs.find()[0]
    made.store.jobs.cancel(first.id)
    assert ask(made).status_code == 202


def heard(text):
    """The events of a stream, as pairs of name and value."""
    blocks = [one for one in text.strip().split("\n\n") if not one.startswith(":")]
    pairs = [dict(line.split(": ", 1) for line in one.splitlines()) for one in blocks]
    return [(one["event"], json.loads(one["data"])) for one in pairs]


def test_a_stream_tells_every_change_and_ends_with_the_job(made):
    job = ask(made).json()["id"]
    made.store.jobs.claim()
    made.store.jobs.report(job, 0.5, "半")
    seen = []
    with made.planner.stream("GET", f"/api/v1/jobs/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        for line in answer.iter_lines():
            seen.append(line)
            if line.startswith("data:") and len(seen) < 3:
                made.store.jobs.finish(job, {"plan": made.plan, "version": made.head})
    events = heard("\n".join(seen))
    assert [name for name, _ in events] == ["progress", "progress", "end"]
    assert [told["progress"] for _, told in events] == [0.5, 1.0, 1.0]
    assert events[-1][1]["result"] == {"plan": made.plan, "version": made.head}
    assert set(events[-1][1]) == JOB_FIELDS


def test_a_stream_of_a_job_that_is_over_ends_at_once(made):
    job = ask(made).json()["id"]
    made.store.jobs.cancel(job)
    events = heard(made.planner.get(f"/api/v1/jobs/{job}/events").text)
    assert [name for name, _ in events] == ["progress", "end"]


def waited(client, job):
    start = time.monotonic()
    while True:
        told = client.get(f"/api/v1/jobs/{job}").json()
        if told["is_over"]:
            return told
        assert time.monotonic() - start < PATIENCE_S, told
        time.sleep(0.1)


def test_a_plan_is_uploaded_imported_divided_and_its_circles_are_counted(plan_file, tmp_path):
    with service(plan_file, tmp_path) as made, TestClient(made.app) as client:
        known = made.account("planner", ("planner", ""))
        made.project = made.store.projects()[0].id
        keep_map(made.store, made.project, OSM, actor="test")
        key = new_api_key()
        made.store.accounts.add_key(known.id, key.secret_hash, label="", actor="test")
        client.headers["Authorization"] = f"Bearer {key.key}"
        files = f"/api/v1/projects/{made.project}/files"

        def sent(role, name, content):
            answer = client.post(files, params={"role": role, "name": name}, content=content)
            return answer.json()["id"]

        imported = sent("plan", "去年.gpkg", plan_file.read_bytes())
        body = {"kind": "import", "name": "去年方案", "file": imported}
        told = waited(client, ask(made, body, client=client, whole=True).json()["id"])
        assert told["state"] == "done", told
        assert client.get(f"/api/v1/plans/{told['result']['plan']}").json()["limits"] == [5, 15]

        limit = sent("limit", "边界.geojson", LIMIT.read_bytes())
        made_job = ask(made, divide(limit=limit), client=client, whole=True).json()
        told = waited(client, made_job["id"])
        assert told["state"] == "done", told
        plan, version = told["result"]["plan"], told["result"]["version"]
        summary = client.get(f"/api/v1/plans/{plan}").json()
        assert (summary["name"], summary["head"]) == ("新方案", version)
        assert summary["is_proven"]
        assert summary["is_estimated"]
        assert summary["limits"] == [5, 15]
        path = f"/api/v1/plans/{plan}/versions/{version}/stations"
        before = client.get(path)
        assert len(before.json()["features"]) > 1

        station = "名称,经度,纬度\n新站,24.945,60.17\n"
        stations = sent("stations", "站.csv", station.encode())
        made.plan = plan
        body = {"kind": "circles", "stations": stations, "minutes": [10]}
        told = waited(client, ask(made, body, client=client).json()["id"])
        assert told["state"] == "done", told
        assert told["result"]["version"] == version
        # What anybody sees now is the new count, though the version is the same.
        time.sleep(0.6)
        again = client.get(path, headers={"If-None-Match": before.headers["etag"]})
        assert again.status_code == 200
        (shown,) = again.json()["features"]
        assert shown["properties"]["name"] == "新站"
        assert client.get(f"/api/v1/plans/{plan}").json()["limits"] == [10]
        unserved = client.get(f"/api/v1/plans/{plan}/versions/head/unserved")
        assert unserved.status_code == 200
        assert made.store.audit.verify().is_sound


def test_a_job_that_cannot_be_done_says_why_to_whoever_asked(plan_file, tmp_path):
    """The small plan lies in Zhuzhou and the map in Helsinki."""
    with service(plan_file, tmp_path) as made, TestClient(made.app):
        made.project = made.store.projects()[0].id
        made.planner = made.program("planner", ("planner", ""))
        keep_map(made.store, made.project, OSM, actor="test")
        told = waited(made.planner, ask(made).json()["id"])
        assert told["state"] == "failed"
        assert "helsinki" in told["error"] or "map" in told["error"]
        assert "Traceback" not in told["error"]
        assert len(made.store.files.find(plan_id=made.plan)) == 1
