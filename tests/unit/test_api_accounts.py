"""Who keeps accounts: nobody gives more than they have, nobody locks the door behind them."""

from __future__ import annotations

import pytest
from api_service import PASSWORD, service
from fastapi.testclient import TestClient
from sqlalchemy import text

from geogrid.api.browsers import COOKIE

ACCOUNTS = "/api/v1/accounts"
NEW = "another long secret"


@pytest.fixture
def made(plan_file, tmp_path):
    with service(plan_file, tmp_path) as one:
        yield one


def put(client, known, what, **body):
    return client.put(f"{ACCOUNTS}/{known.id}/{what}", json=body)


def id_of(made, name):
    return made.store.accounts.by_name(name)


def test_roles_are_given_within_ones_own_area(made):
    admin = made.program("admin", ("admin", "430201"))
    li = made.account("li", ("planner", "43020101"))
    answer = put(admin, li, "grants", grants=[["planner", "43020102"], ["reviewer", "430201"]])
    assert answer.status_code == 200
    assert answer.json()["grants"] == [["planner", "43020102"], ["reviewer", "430201"]]
    assert set(answer.json()) == {
        "id", "name", "display_name", "is_active", "has_password", "grants"
    }  # fmt: skip
    for grants in ([["planner", "430202"]], [["viewer", ""]], [["admin", "4302"]], []):
        answer = put(admin, li, "grants", grants=grants)
        assert answer.status_code == 403, grants
        assert answer.json()["detail"].endswith(")")
    assert len(id_of(made, "li").grants) == 2


@pytest.mark.parametrize(
    "body", [{"grants": [["king", ""]]}, {"grants": [["admin", "1" * 65]]}, {}]
)
def test_roles_that_do_not_exist_are_refused(made, body):
    admin, li = made.program("admin", ("admin", "")), made.account("li", ("planner", ""))
    assert put(admin, li, "grants", **body).status_code == 422


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("grants", {"grants": [["planner", "43020101"]]}),
        ("password", {"new": NEW}),
        ("active", {"is_active": False}),
    ],
)
def test_an_account_that_reaches_further_than_its_keeper_is_left_alone(made, what, body):
    admin = made.program("admin", ("admin", "430201"))
    for grants in ([("admin", "")], [("planner", "43020101"), ("viewer", "430202")], []):
        known = made.account(
            f"big{len(grants)}{grants and grants[0][0]}", *grants, password=PASSWORD
        )
        assert put(admin, known, what, **body).status_code == 403, grants
        assert made.store.accounts.get(known.id) == known
    assert admin.put(f"{ACCOUNTS}/none/{what}", json=body).status_code == 404


def test_a_planner_keeps_no_account_not_even_their_own(made):
    planner = made.program("p", ("planner", ""), ("reviewer", ""))
    own = id_of(made, "p")
    assert put(planner, own, "grants", grants=[["admin", ""]]).status_code == 403
    assert put(planner, own, "active", is_active=True).status_code == 403


def test_nobody_locks_themselves_out(made):
    admin = made.program("admin", ("admin", ""))
    made.account("other", ("admin", ""))
    own = id_of(made, "admin")
    for grants in ([["planner", ""]], [["admin", "4302"]], []):
        answer = put(admin, own, "grants", grants=grants)
        assert answer.status_code == 409, grants
        assert "自己" in answer.json()["detail"]
    assert put(admin, own, "active", is_active=False).status_code == 409
    assert put(admin, own, "password", new=NEW).status_code == 403
    wider = put(admin, own, "grants", grants=[["admin", ""], ["planner", "4302"]])
    assert wider.status_code == 200


@pytest.mark.parametrize(
    ("what", "body"),
    [("grants", {"grants": [["viewer", ""]]}), ("active", {"is_active": False})],
)
def test_two_who_close_each_other_at_once_leave_one_inside(made, monkeypatch, what, body):
    admin = made.program("admin", ("admin", ""))
    other = made.account("other", ("admin", ""))
    kept = made.store.accounts
    find = kept.get

    def meanwhile(account_id):
        monkeypatch.setattr(kept, "get", find)
        kept.set_active(id_of(made, "admin").id, is_active=False, actor=other.id)
        return find(account_id)

    monkeypatch.setattr(kept, "get", meanwhile)
    answer = put(admin, other, what, **body)
    assert answer.status_code == 409
    assert "管理员" in answer.json()["detail"]
    assert find(other.id) == other


def test_an_admin_may_take_the_whole_store_from_another(made):
    admin = made.program("admin", ("admin", ""))
    other = made.account("other", ("admin", ""))
    assert put(admin, other, "grants", grants=[["viewer", ""]]).status_code == 200
    assert put(admin, other, "active", is_active=False).status_code == 200


def test_a_closed_admin_does_not_count_as_one_who_stays(made):
    admin = made.program("admin", ("admin", ""))
    other = made.account("other", ("admin", ""))
    assert put(admin, other, "active", is_active=False).json()["is_active"] is False
    own = id_of(made, "admin")
    with pytest.raises(Exception, match="nobody would be admin"):
        made.store.accounts.set_grants(own.id, [], actor="x", must_stay=own.grants[0])
    assert put(admin, other, "active", is_active=True).json()["is_active"] is True


def test_a_password_from_the_keeper_ends_all_sessions_of_the_other(made):
    admin = made.program("admin", ("admin", ""))
    li = made.account("li", ("planner", ""), password=PASSWORD)
    browser = TestClient(made.app)
    browser.post("/api/v1/login", json={"name": "li", "password": PASSWORD})
    token = browser.cookies[COOKIE]
    for weak in ("short", "li" * 6, "password123"):
        assert put(admin, li, "password", new=weak).status_code == 422
    assert put(admin, li, "password", new=NEW).status_code == 204
    stolen = TestClient(made.app, cookies={COOKIE: token})
    assert stolen.get("/api/v1/me").json()["user"] is None
    answer = browser.post("/api/v1/login", json={"name": "li", "password": NEW})
    assert answer.status_code == 204


def test_a_closed_account_is_out_at_once_with_browser_and_key(made):
    admin = made.program("admin", ("admin", ""))
    program = made.program("li", ("planner", ""))
    li = id_of(made, "li")
    assert put(admin, li, "active", is_active=False).status_code == 200
    assert program.get("/api/v1/me").status_code == 401
    assert put(admin, li, "active", is_active=True).status_code == 200
    assert program.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("name", ["oidc:42", " oidc:42 ", "OIDC:42"])
def test_nobody_waits_inside_under_a_name_of_the_sign_in_elsewhere(made, name):
    admin = made.program("admin", ("admin", ""))
    body = {"name": name, "password": PASSWORD, "grants": [["viewer", ""]]}
    answer = admin.post(ACCOUNTS, json=body)
    assert answer.status_code == 422
    assert "oidc:42" in answer.json()["detail"].lower()


def test_what_the_sign_in_elsewhere_says_is_not_changed_by_hand(made):
    admin = made.program("admin", ("admin", ""))
    known = made.account("oidc:42", ("planner", ""))
    assert put(admin, known, "grants", grants=[["viewer", ""]]).status_code == 409
    assert put(admin, known, "password", new=NEW).status_code == 409
    assert put(admin, known, "active", is_active=False).status_code == 200


def audit(client, **query):
    answer = client.get("/api/v1/audit", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_list_of_what_was_done_is_told_newest_first_by_pages(made):
    admin = made.program("admin", ("admin", ""))
    body = audit(admin)
    numbers = [one["number"] for one in body["entries"]]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] == 1
    assert body["is_whole"] is True
    assert set(body["entries"][0]) == {
        "number", "at", "actor_name", "action", "subject", "details", "hash"
    }  # fmt: skip
    first = audit(admin, limit=2)["entries"]
    then = audit(admin, limit=2, before=first[-1]["number"])["entries"]
    assert [one["number"] for one in first + then] == numbers[:4]
    for wrong in ({"limit": 0}, {"limit": 501}, {"before": 0}, {"before": "x"}):
        assert admin.get("/api/v1/audit", params=wrong).status_code == 422


def test_the_list_names_who_did_it_as_the_office_calls_them(made):
    admin = made.program("admin", ("admin", ""))
    made.store.accounts.add("boss", actor="x", display_name="王主任")
    boss = id_of(made, "boss")
    made.store.create_project("甲", actor=boss.id)
    entry = audit(admin)["entries"][0]
    assert (entry["actor_name"], entry["details"]) == ("王主任", {"name": "甲"})


def test_the_list_of_a_plan_holds_what_was_done_to_it(made):
    admin = made.program("admin", ("admin", ""))
    made.store.create_project("other", actor="x")
    actions = [one["action"] for one in audit(admin, plan=made.plan)["entries"]]
    assert actions[-2:] == ["commit", "create plan"]
    assert not {"create project", "create account"} & set(actions)
    assert admin.get("/api/v1/audit", params={"plan": "%"}).status_code == 404


def test_whoever_looks_after_an_area_sees_no_more_than_its_plans(made):
    assert audit(made.program("r", ("reviewer", "4302")), plan=made.plan)["entries"]
    for area in ("43020101", "4303"):
        client = made.program(f"r{area}", ("reviewer", area))
        for query in ({}, {"plan": made.plan}):
            assert client.get("/api/v1/audit", params=query).status_code == 403
    assert made.program("p", ("planner", "")).get("/api/v1/audit").status_code == 403


def test_the_list_tells_no_personal_data(made):
    admin = made.program("admin", ("admin", ""))
    made.account("zhangsan", ("planner", ""), password=PASSWORD)
    with made.store.database.writing() as connection:
        from geogrid.store.audit import record  # noqa: PLC0415 - an entry of another part

        told = {"name": "张三的住户.csv", "phone": "13800000000", "role": "households"}
        record(connection, made.store.database.now(), "x", "add file", "f1", told)
    answer = admin.get("/api/v1/audit")
    assert answer.json()["entries"][0]["details"] == {"role": "households"}
    for word in ("张三", "13800000000", "zhangsan", "argon2"):
        assert word not in answer.text


def test_the_list_says_when_somebody_wrote_into_it(made):
    admin = made.program("admin", ("admin", ""))
    with made.store.database.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 2"))
    assert audit(admin)["is_whole"] is False
