"""Who may come in, and what nobody gets to see."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from api_service import PASSWORD, service
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from map_plans import make_plan

from geogrid.accounts.roles import PERMISSIONS, Role, Scope
from geogrid.api.app import ROUTERS
from geogrid.api.browsers import COOKIE
from geogrid.api.security import actions_of
from geogrid.api.startup import first_account
from geogrid.io.plan_file import write_plan

ROUTES = [
    (route, verb)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for verb in sorted(route.methods or ())
]
ROLES = [None, *Role]
# Whoever may read may read it: sign-in, files of the app, and what describes the service.
OPEN = {
    "/", "/healthz", "/openapi.json", "/docs", "/app", "/app/{path:path}", "/api/v1/me",
    "/api/v1/login", "/api/v1/logout", "/api/v1/settings",
    "/api/v1/login/oidc", "/api/v1/login/oidc/callback",
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(plan_file, tmp_path_factory):
    with service(plan_file, tmp_path_factory.mktemp("shared"), is_https=True) as made:
        clients = {role: made.program(role.value, (role.value, "")) for role in Role}
        yield made, clients | {None: made.nobody}


@pytest.fixture
def one(plan_file, tmp_path):
    with service(plan_file, tmp_path) as made:
        yield made


def path_of(route, made):
    names = {
        "plan": made.plan, "v": "head", "code": "43020101", "other": "head", "layer": "cells",
        "z": "14", "x": "13340", "y": "6878", "name": "wei", "item": "43020101",
        "tms": "WebMercatorQuad", "row": "6878", "col": "13340",
        "account": "none", "key": "none", "project": "none", "job": "none", "file": "none",
    }  # fmt: skip
    path = route.path.replace("{path:path}", "index.html")
    return re.sub(r"{(\w+)}", lambda found: names[found[1]], path)


@pytest.mark.parametrize(("route", "verb"), ROUTES, ids=lambda one: getattr(one, "path", one))
def test_every_route_says_who_may_use_it(route, verb):
    declared = actions_of(route)
    assert len(declared) == 1, f"{verb} {route.path} needs one requires(...) or open_to_all()"
    assert (declared[0] == ()) == (route.path in OPEN)


@pytest.mark.parametrize("role", ROLES, ids=str)
@pytest.mark.parametrize(("route", "verb"), ROUTES, ids=lambda one: getattr(one, "path", one))
def test_every_route_keeps_out_whom_the_table_keeps_out(shared, route, verb, role):
    made, clients = shared
    (actions,) = actions_of(route)
    answer = clients[role].request(verb, path_of(route, made))
    scopes = {PERMISSIONS[action].scopes[role or Role.VIEWER] for action in actions}
    if not actions or scopes - {Scope.NOWHERE}:
        assert answer.status_code not in {401, 403}, answer.text
    else:
        assert answer.status_code == (401 if role is None else 403)
        assert answer.headers["content-type"] == "application/problem+json"


def test_nothing_but_the_door_opens_where_signing_in_is_needed(plan_file, tmp_path):
    with service(plan_file, tmp_path, has_anonymous_viewing=False) as made:
        for route, verb in ROUTES:
            answer = made.nobody.request(verb, path_of(route, made))
            if route.path not in OPEN:
                assert answer.status_code == 401, route.path
        assert made.nobody.get("/api/v1/me").json()["anonymous_viewing"] is False


def test_where_drafts_are_not_shown_the_public_waits_for_a_version_in_force(plan_file, tmp_path):
    with service(plan_file, tmp_path, shows_drafts=False) as made:
        assert made.nobody.get(made.base).status_code == 404
        assert made.nobody.get("/map").status_code == 404
        assert made.nobody.get("/api/v1/projects").json()[0]["plans"] == []
        assert made.program("p", ("planner", "")).get(made.base).status_code == 200


def sign_in(made, name="li", password=PASSWORD):
    client = TestClient(made.app)
    answer = client.post("/api/v1/login", json={"name": name, "password": password})
    return client, answer


def test_a_session_is_a_cookie_that_no_script_reads(shared):
    made, _ = shared
    made.account("wang", ("planner", ""), password=PASSWORD)
    _, answer = sign_in(made, "wang")
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert all(word in cookie for word in ("httponly", "samesite=lax", "secure", "path=/"))


def test_a_write_of_a_browser_must_carry_its_proof(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    client, _ = sign_in(one)
    body = {"command": {"command": "rename", "level": "wei", "cell": "43020101", "name": "甲"}}
    tag = {"If-Match": f'"{one.head}"'}
    other, _ = sign_in(one)
    strange = other.get("/api/v1/me").json()["csrf"]
    for proof in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": strange}):
        answer = client.post(f"{one.base}/edits", json=body, headers=tag | proof)
        assert answer.status_code == 403
        assert "X-CSRF-Token" in answer.json()["detail"]
    own = {"X-CSRF-Token": client.get("/api/v1/me").json()["csrf"]}
    assert client.post(f"{one.base}/edits", json=body, headers=tag | own).status_code == 200


def test_a_form_of_another_site_cannot_sign_anybody_in(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    body = json.dumps({"name": "li", "password": PASSWORD})
    for media in ("text/plain", "application/x-www-form-urlencoded"):
        answer = one.nobody.post("/api/v1/login", content=body, headers={"Content-Type": media})
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers


def test_a_session_ends_with_signing_out(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    client, _ = sign_in(one)
    token = client.cookies[COOKIE]
    proof = {"X-CSRF-Token": client.get("/api/v1/me").json()["csrf"]}
    assert client.get("/api/v1/me").json()["user"]["name"] == "li"
    assert client.post("/api/v1/logout", headers=proof).status_code == 204
    stolen = TestClient(one.app, cookies={COOKIE: token})
    assert stolen.get("/api/v1/me").json()["user"] is None


def test_a_wrong_name_and_a_wrong_password_are_told_alike(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    answers = [sign_in(one, *pair)[1] for pair in (("li", "wrong"), ("nobody", PASSWORD))]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_whoever_fails_often_waits_and_the_right_password_waits_too(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    codes = [sign_in(one, "li", "wrong")[1].status_code for _ in range(7)]
    assert codes[:6] == [401] * 6
    assert codes[6] == 429
    _, answer = sign_in(one)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_closed_account_and_a_strange_key_open_nothing(one):
    known = one.account("li", ("planner", ""), password=PASSWORD)
    client, _ = sign_in(one)
    one.store.accounts.set_active(known.id, is_active=False, actor="test")
    assert client.get("/api/v1/me").json()["user"] is None
    assert sign_in(one)[1].status_code == 401
    key = {"Authorization": "Bearer ggk_00000000_x"}
    assert one.nobody.get("/api/v1/me", headers=key).status_code == 401


def test_a_key_is_told_once_and_opens(one):
    one.account("li", ("planner", ""), password=PASSWORD)
    client, _ = sign_in(one)
    proof = {"X-CSRF-Token": client.get("/api/v1/me").json()["csrf"]}
    body = client.post("/api/v1/me/keys", json={"label": "QGIS"}, headers=proof).json()
    program = TestClient(one.app, headers={"Authorization": f"Bearer {body['key']}"})
    assert program.get("/api/v1/me").json()["user"]["name"] == "li"
    (stored,) = one.store.accounts.keys(one.store.accounts.by_name("li").id)
    assert body["key"] not in repr(stored)


def test_an_admin_of_an_area_gives_no_more_than_that_away(one):
    admin = one.program("admin", ("admin", "430201"))
    new = {"name": "zhang", "password": PASSWORD, "grants": [["planner", "430202"]]}
    assert admin.post("/api/v1/accounts", json=new).status_code == 403
    assert admin.post("/api/v1/accounts", json=new | {"grants": []}).status_code == 403
    mine = new | {"grants": [["planner", "43020101"]]}
    assert admin.post("/api/v1/accounts", json=mine).status_code == 201
    assert {row["name"] for row in admin.get("/api/v1/accounts").json()} == {"admin", "zhang"}
    assert "argon2" not in admin.get("/api/v1/accounts").text
    assert sign_in(one, "zhang")[1].status_code == 204


def test_the_first_account_is_made_once_and_draws_but_does_not_approve(one):
    password = first_account(one.store)
    assert first_account(one.store) == ""
    client, answer = sign_in(one, "admin", password)
    assert answer.status_code == 204
    roles = {row["role"] for row in client.get("/api/v1/me").json()["user"]["roles"]}
    assert roles == {"admin", "planner"}


def test_every_answer_tells_browsers_to_do_no_harm(shared):
    made, _ = shared
    for path in ("/map", "/app/", "/api/v1/me", "/nothing", made.base, f"{made.at_head}/arcs"):
        headers = made.nobody.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "max-age" in headers["strict-transport-security"]
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert policy.startswith("default-src 'none'" if path == "/map" else "default-src 'self'")
        assert path == "/map" or "unsafe" not in policy
        assert "access-control-allow-origin" not in headers


def test_what_depends_on_who_asks_is_kept_by_nobody_else(shared):
    made, clients = shared
    for path in (made.base, f"{made.at_head}/cells", "/api/cells", f"{made.at_head}/atoms"):
        kept = clients[Role.PLANNER].get(path).headers["cache-control"]
        assert kept in {"private, no-cache", "no-store"}, path
    named = f"{made.base}/versions/{made.head}/cells"
    assert clients[Role.PLANNER].get(named).headers["cache-control"].startswith("private")


def test_a_request_that_is_too_large_is_not_read(plan_file, tmp_path):
    with service(plan_file, tmp_path, most_body_bytes=1000) as made:
        told = made.nobody.post("/api/v1/login", content=b"x" * 1001)
        untold = made.nobody.post("/api/v1/login", content=iter([b"x" * 600] * 2))
    for answer in (told, untold):
        assert answer.status_code == 413
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_whoever_asks_too_often_waits(plan_file, tmp_path):
    with service(plan_file, tmp_path, requests_a_minute=3) as made:
        codes = [made.nobody.get("/healthz").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]


def test_the_app_gives_its_own_files_and_no_others(plan_file, tmp_path):
    web = tmp_path / "dist"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<p>app</p>")
    (web / "assets" / "a.js").write_text("1")
    (web / "secret.py").write_text("1")
    (tmp_path / "outside.txt").write_text("1")
    with service(plan_file, tmp_path, web=web) as made:
        assert made.nobody.get("/app/").text == "<p>app</p>"
        kept = made.nobody.get("/app/assets/a.js").headers
        assert "immutable" in kept["cache-control"]
        assert kept["content-type"].startswith("text/javascript")
        for path in ("secret.py", "..%2foutside.txt", "assets", "none.js", "%2fetc%2fpasswd"):
            assert made.nobody.get(f"/app/{path}").status_code == 404, path
        assert made.nobody.get("/app").url.path == "/app/"


def test_an_app_that_is_not_built_says_how(plan_file, tmp_path):
    with service(plan_file, tmp_path, web=tmp_path / "none") as made:
        assert "npm run build" in made.nobody.get("/app/").text


@pytest.mark.parametrize("role", [None, Role.VIEWER], ids=str)
def test_the_public_gets_no_household_row_by_any_route(shared, role):
    made, clients = shared
    plan = make_plan()
    for route, verb in ROUTES:
        if verb != "GET":
            continue
        answer = clients[role].get(path_of(route, made))
        if answer.headers.get("content-type", "").startswith(("text", "application/")):
            text = answer.content.decode("utf-8", "ignore")
            for atom in plan.atoms.frame["atom_id"]:
                assert f'"{atom}"' not in text, route.path
            # Seven households live in 43020102.
            assert not re.search(r'"households":\s?[1-9][,}]', text), route.path


def test_the_public_export_hides_what_the_map_hides(shared):
    made, _ = shared
    body = made.nobody.get(f"{made.at_head}/export", params={"format": "geojson"}).json()
    hidden = {
        cell["properties"]["code"]: cell["properties"]["households_text"]
        for cell in body["features"]
        if "code" in cell["properties"] and cell["properties"]["households"] is None
    }
    assert hidden["43020102"] == "<10"
    # One hidden part alone could be computed from the total.
    assert len(hidden) > 1


def test_names_of_authors_are_for_the_office(shared):
    made, clients = shared
    (row,) = made.nobody.get(f"{made.base}/versions").json()
    assert (row["author"], row["message"]) == (None, "")
    (row,) = clients[Role.PLANNER].get(f"{made.base}/versions").json()
    assert row["author"] == "geogrid"


def test_a_roster_is_in_no_answer(tmp_path):
    plan = make_plan()
    named = replace(plan, notes=("花名册 roster of h001",))
    path = write_plan(named, tmp_path / "plan.gpkg")
    with service(path, tmp_path) as made:
        for route, verb in ROUTES:
            if verb == "GET":
                answer = made.nobody.get(path_of(route, made))
                assert b"h001" not in answer.content, route.path


def test_a_session_has_an_end(plan_file, tmp_path):
    with service(plan_file, tmp_path) as made:
        made.account("li", ("planner", ""), password=PASSWORD)
        client, _ = sign_in(made)
        clock = made.store.database._clock  # noqa: SLF001 - time passes
        made.store.database._clock = lambda: clock() + timedelta(hours=13)  # noqa: SLF001
        assert client.get("/api/v1/me").json()["user"] is None


def test_a_problem_holds_no_secret(one):
    answer = one.nobody.post("/api/v1/login", json={"name": "li", "password": 5})
    assert answer.status_code == 422
    body = json.loads(answer.text)
    assert set(body) == {"type", "title", "status", "detail", "instance"}
    wrong = one.nobody.post("/api/v1/login", json={"name": "li", "password": "topsecret0"})
    assert "topsecret0" not in wrong.text
