"""Who goes on watching a job: nobody whose way in is closed, whatever closed it."""

from __future__ import annotations

from threading import Timer

import pytest
from api_service import PASSWORD, service
from fastapi.testclient import TestClient

from geogrid.accounts.tokens import hash_secret, new_api_key
from geogrid.api import jobs
from geogrid.api.browsers import COOKIE
from geogrid.store import Grant

LATER_S = 1.5


@pytest.fixture
def made(plan_file, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "_LOOK_S", 0.01)
    monkeypatch.setattr(jobs, "_CHECK_S", 0.0)
    with service(plan_file, tmp_path) as one:
        one.known = one.account("wang", ("planner", ""), password=PASSWORD)
        one.job = one.store.jobs.add(
            "circles", {"project": one.store.projects()[0].id}, owner=one.known.id
        )
        yield one


def signed_in(made, name="wang", password=PASSWORD):
    browser = TestClient(made.app)
    answer = browser.post("/api/v1/login", json={"name": name, "password": password})
    assert answer.status_code == 204
    return browser


def events_until(made, client, act):
    """Watch the job, do something at its first event, and return the names of all events."""
    seen = []
    # A stream that goes on tells of this, and ends then.
    later = Timer(LATER_S, lambda: made.store.jobs.cancel(made.job.id))
    with client.stream("GET", f"/api/v1/jobs/{made.job.id}/events") as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line.startswith("event: "):
                seen.append(line.removeprefix("event: "))
                if len(seen) == 1:
                    act()
                    later.start()
    later.cancel()
    return seen


def sign_out(made, browser):
    proof = browser.get("/api/v1/me").json()["csrf"]
    cookies = dict(browser.cookies)

    def act():
        # Another page of the same browser.
        twin = TestClient(made.app, cookies=cookies, headers={"X-CSRF-Token": proof})
        assert twin.post("/api/v1/logout").status_code == 204

    return act


def ways_to_end_a_session(made, browser):
    accounts, known = made.store.accounts, made.known
    return {
        "logout": sign_out(made, browser),
        "password": lambda: accounts.set_password(known.id, known.password_hash, actor="keeper"),
        "closed": lambda: accounts.set_active(known.id, is_active=False, actor="keeper"),
        "roles": lambda: accounts.set_grants(known.id, [Grant("viewer", "")], actor="keeper"),
    }


@pytest.mark.parametrize("way", ["logout", "password", "closed", "roles"])
def test_a_stream_ends_with_the_session_that_opened_it(made, way):
    browser = signed_in(made)
    assert events_until(made, browser, ways_to_end_a_session(made, browser)[way]) == ["progress"]


def test_a_stream_ends_with_the_key_that_opened_it(made):
    key = new_api_key()
    held = made.store.accounts.add_key(
        made.known.id, key.secret_hash, label="", actor=made.known.id
    )
    program = TestClient(made.app, headers={"Authorization": f"Bearer {key.key}"})

    def revoke():
        made.store.accounts.revoke_key(held.id, actor=made.known.id)

    assert events_until(made, program, revoke) == ["progress"]


def test_whoever_may_no_longer_see_the_jobs_of_others_watches_them_no_longer(made):
    other = made.account("li", ("planner", ""), password=PASSWORD)
    browser = signed_in(made, "li")

    def narrow():
        made.store.accounts.set_grants(other.id, [Grant("planner", "430201")], actor="keeper")

    assert events_until(made, browser, narrow) == ["progress"]


def test_a_stream_goes_on_when_another_session_ends_or_the_token_is_exchanged(made):
    browser, other = signed_in(made), signed_in(made)
    mine = made.store.sessions.find(hash_secret(browser.cookies[COOKIE])).id

    def act():
        sign_out(made, other)()
        with made.store.database.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE login_session SET hash = ?, old_hash = NULL WHERE id = ?", ("x" * 64, mine)
            )
        made.store.jobs.cancel(made.job.id)

    assert events_until(made, browser, act)[-1] == "end"
