"""How long a browser stays signed in, what opens, and what everyone keeps of their own."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from api_service import PASSWORD, service
from fastapi.testclient import TestClient

from geogrid.accounts.tokens import SessionPolicy
from geogrid.api import create_app
from geogrid.api.browsers import COOKIE

NEW = "another long secret"
ME = "/api/v1/me"


@pytest.fixture
def made(plan_file, tmp_path):
    with service(plan_file, tmp_path) as one:
        one.account("li", ("planner", ""), password=PASSWORD)
        yield one


def wait(made, **time):
    clock = made.store.database._clock  # noqa: SLF001 - time passes
    made.store.database._clock = lambda: clock() + timedelta(**time)  # noqa: SLF001


def signed_in(made, name="li", password=PASSWORD, client=None):
    browser = client or TestClient(made.app)
    answer = browser.post("/api/v1/login", json={"name": name, "password": password})
    assert answer.status_code == 204, answer.text
    return browser


def with_token(made, token):
    return TestClient(made.app, cookies={COOKIE: token})


def name_of(client):
    user = client.get(ME).json()["user"]
    return user and user["name"]


def proof_of(client):
    return {"X-CSRF-Token": client.get(ME).json()["csrf"]}


def test_a_token_from_before_the_sign_in_opens_nothing_after_it(made):
    browser = with_token(made, "planted")
    signed_in(made, client=browser)
    tokens = [cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE]
    assert len(set(tokens) - {"planted"}) == 1
    assert name_of(with_token(made, "planted")) is None


def test_signing_in_again_ends_the_session_of_before(made):
    browser = signed_in(made)
    before = browser.cookies[COOKIE]
    signed_in(made, client=browser)
    assert browser.cookies[COOKIE] != before
    assert name_of(with_token(made, before)) is None
    assert name_of(browser) == "li"


def test_a_session_that_nobody_uses_ends(made):
    browser = signed_in(made)
    wait(made, hours=1, minutes=58)
    assert name_of(browser) == "li"
    wait(made, hours=2)
    assert name_of(browser) is None


def test_a_session_that_is_used_goes_on_but_not_for_ever(made):
    browser = signed_in(made)
    hours = 0
    while name_of(browser) == "li":
        wait(made, hours=1)
        hours += 1
    assert hours == 12


def test_an_old_token_is_exchanged_and_opens_on_for_requests_under_way(made):
    browser = signed_in(made)
    first = browser.cookies[COOKIE]
    wait(made, minutes=29)
    assert "set-cookie" not in browser.get(ME).headers
    wait(made, minutes=2)
    answer = browser.get(f"{made.at_head}/cells")
    assert answer.headers["cache-control"] == "no-store"
    second = browser.cookies[COOKIE]
    assert second != first
    said = answer.headers["set-cookie"].lower()
    assert all(word in said for word in ("httponly", "samesite=lax", "path=/"))
    late = with_token(made, first)
    assert name_of(late) == "li"
    assert late.cookies[COOKIE] == first, "only one request gets the new token"
    assert name_of(browser) == "li"
    wait(made, seconds=59)
    assert name_of(with_token(made, first)) == "li"
    wait(made, seconds=2)
    assert name_of(with_token(made, first)) is None
    assert name_of(with_token(made, second)) == "li"


def test_an_answer_that_was_thrown_away_signs_nobody_out(made):
    token = signed_in(made).cookies[COOKIE]
    wait(made, minutes=31)
    assert name_of(with_token(made, token)) == "li"
    wait(made, minutes=5)
    again = with_token(made, token)
    assert name_of(again) == "li"
    values = {cookie.value for cookie in again.cookies.jar if cookie.name == COOKIE}
    (newest,) = values - {token}
    assert name_of(with_token(made, newest)) == "li"


def test_an_error_carries_the_new_token_too(made):
    browser = signed_in(made)
    first = browser.cookies[COOKIE]
    wait(made, minutes=31)
    assert browser.get("/api/v1/accounts").status_code == 403
    assert browser.cookies[COOKIE] != first


def test_the_proof_of_an_open_page_outlives_the_token_and_fits_no_other_session(made):
    browser, other = signed_in(made), signed_in(made)
    proof, strange = proof_of(browser), proof_of(other)
    first = browser.cookies[COOKIE]
    wait(made, minutes=31)
    label = {"label": "QGIS"}
    for wrong in ({}, strange, {"X-CSRF-Token": first}):
        assert browser.post("/api/v1/me/keys", json=label, headers=wrong).status_code == 403
    assert browser.post("/api/v1/me/keys", json=label, headers=proof).status_code == 201
    assert browser.cookies[COOKIE] != first
    assert proof_of(browser) == proof
    assert browser.post("/api/v1/me/keys", json=label, headers=strange).status_code == 403
    signed_in(made, client=browser)
    assert browser.post("/api/v1/me/keys", json=label, headers=proof).status_code == 403


def test_signing_out_ends_every_token_of_the_session(made):
    browser = signed_in(made)
    first, proof = browser.cookies[COOKIE], proof_of(browser)
    wait(made, minutes=31)
    browser.get(ME)
    second = browser.cookies[COOKIE]
    assert browser.post("/api/v1/logout", headers=proof).status_code == 204
    assert COOKIE not in browser.cookies
    assert [name_of(with_token(made, token)) for token in (first, second)] == [None, None]


def test_use_is_written_down_once_a_minute_at_most(made, monkeypatch):
    noted = []
    note = made.store.sessions.note
    monkeypatch.setattr(
        made.store.sessions,
        "note",
        lambda *given, **more: noted.append(given) or note(*given, **more),
    )
    browser = signed_in(made)
    for _ in range(20):
        wait(made, seconds=10)
        browser.get(ME)
    assert len(noted) == 3


def test_how_long_it_lasts_is_a_setting(plan_file, tmp_path):
    policy = SessionPolicy(idle=timedelta(minutes=5), rotate_after=timedelta(minutes=2))
    with service(plan_file, tmp_path, session=policy) as made:
        made.account("li", ("planner", ""), password=PASSWORD)
        browser = signed_in(made)
        wait(made, minutes=4)
        assert name_of(browser) == "li"
        wait(made, minutes=6)
        assert name_of(browser) is None


def test_another_process_and_the_next_start_know_the_open_pages(made):
    browser = signed_in(made)
    proof = proof_of(browser)
    twin = TestClient(create_app(made.store), cookies={COOKIE: browser.cookies[COOKIE]})
    assert proof_of(twin) == proof
    key = twin.post("/api/v1/me/keys", json={"label": "x"}, headers=proof)
    assert key.status_code == 201


def test_me_tells_how_one_signs_in(made):
    body = signed_in(made).get(ME).json()
    assert body["user"]["has_password"] is True
    assert body["sign_in"] == {"password": True, "oidc": None}
    key = made.program("robot", ("planner", ""))
    assert key.get(ME).json()["user"]["has_password"] is False


def test_a_new_password_ends_every_other_session_and_this_browser_goes_on(made):
    browser, other = signed_in(made), signed_in(made)
    before, proof = browser.cookies[COOKIE], proof_of(browser)
    body = {"old": PASSWORD, "new": NEW}
    assert browser.put(f"{ME}/password", json=body).status_code == 403
    assert browser.put(f"{ME}/password", json=body, headers=proof).status_code == 204
    assert name_of(browser) == "li"
    assert browser.cookies[COOKIE] != before
    assert name_of(other) is None
    assert name_of(with_token(made, before)) is None
    assert signed_in(made, password=NEW)
    wrong = made.nobody.post("/api/v1/login", json={"name": "li", "password": PASSWORD})
    assert wrong.status_code == 401


def test_a_password_is_changed_only_by_who_knows_it_and_to_a_good_one(made):
    browser = signed_in(made)
    proof = proof_of(browser)
    for body, status in (
        ({"old": "wrong", "new": NEW}, 403),
        ({"old": PASSWORD, "new": "short"}, 422),
        ({"old": PASSWORD, "new": "li" * 6}, 422),
        ({"new": NEW}, 422),
    ):
        answer = browser.put(f"{ME}/password", json=body, headers=proof)
        assert answer.status_code == status, answer.text
    assert made.nobody.put(f"{ME}/password", json={"old": "a", "new": NEW}).status_code == 401
    robot = made.program("robot", ("planner", ""))
    answer = robot.put(f"{ME}/password", json={"old": "", "new": NEW})
    assert answer.status_code == 403
    assert "没有密码" in answer.json()["detail"]


def test_guessing_the_old_password_in_an_open_browser_must_wait(made):
    browser = signed_in(made)
    proof = proof_of(browser)
    codes = [
        browser.put(f"{ME}/password", json={"old": f"no{n}", "new": NEW}, headers=proof).status_code
        for n in range(7)
    ]
    assert codes == [403] * 6 + [429]
    assert name_of(browser) == "li"


def test_keys_are_listed_without_what_opens_and_end_when_their_owner_says_so(made):
    browser = signed_in(made)
    proof = proof_of(browser)
    told = browser.post(f"{ME}/keys", json={"label": "QGIS"}, headers=proof).json()
    program = TestClient(made.app, headers={"Authorization": f"Bearer {told['key']}"})
    assert name_of(program) == "li"
    answer = browser.get(f"{ME}/keys")
    (row,) = answer.json()
    assert set(row) == {"id", "label", "created_at", "expires_at", "revoked_at"}
    assert row["label"].endswith("QGIS")
    assert row["revoked_at"] is None
    assert told["key"] not in answer.text
    stranger = made.program("wang", ("planner", ""))
    assert stranger.get(f"{ME}/keys").json() != answer.json()
    assert stranger.delete(f"{ME}/keys/{row['id']}").status_code == 404
    assert name_of(program) == "li"
    assert browser.delete(f"{ME}/keys/{row['id']}").status_code == 403
    assert browser.delete(f"{ME}/keys/{row['id']}", headers=proof).status_code == 204
    assert program.get(ME).status_code == 401
    assert browser.get(f"{ME}/keys").json()[0]["revoked_at"]
    assert browser.delete(f"{ME}/keys/{quote('../x', safe='')}", headers=proof).status_code == 404


def test_no_token_is_in_the_store_or_its_list_of_what_was_done(made):
    browser = signed_in(made)
    token = browser.cookies[COOKIE]
    kept = made.store.database.engine.url.database
    made.store.backup(f"{kept}.copy")
    with open(f"{kept}.copy", "rb") as file:  # noqa: PTH123 - a plain look at the bytes
        content = file.read()
    assert token.encode() not in content
    assert PASSWORD.encode() not in content
