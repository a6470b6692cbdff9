"""Signing in at another service: a provider of our own on this computer, with a real key."""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from api_service import service
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.testclient import TestClient

from geogrid.accounts.oidc import OidcSettings, challenge_of
from geogrid.api import create_app, fetch, read_oidc_settings
from geogrid.api.browsers import COOKIE
from geogrid.api.oidc import SIGN_IN_COOKIE
from geogrid.api.problems import TooManyError
from geogrid.cli import main
from geogrid.errors import InputError, MissingFileError, UnreachableError
from geogrid.store import Grant

BACK = "https://grid.example/api/v1/login/oidc/callback"
START = "/api/v1/login/oidc"
CLIENT, SECRET = "geogrid", "s3cr&t of a client"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """What a provider does, and what it was asked."""

    def __init__(self, address):
        self.address = address
        self.codes, self.asked = {}, []
        # What a test bends.
        self.claims, self.signs_with, self.document, self.answers = {}, KEY, {}, {}

    def authorize(self, location, **claims):
        """Return the query with which the browser comes back."""
        query = dict(parse_qsl(urlsplit(location).query))
        code = f"code{len(self.codes)}"
        self.codes[code] = query
        self.claims = {"sub": "42", "name": "王芳", "groups": ["planners"]} | claims
        return {"code": code, "state": query["state"], "iss": self.address}

    def answer(self, path, form, headers):
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            names = {
                "authorization_endpoint": "auth",
                "token_endpoint": "token",
                "jwks_uri": "keys",
            }
            found = {name: f"{self.address}/{last}" for name, last in names.items()}
            return 200, {"issuer": self.address} | found | self.document
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            return 200, {"keys": [public | {"kid": "k1", "use": "sig", "alg": "RS256"}]}
        return self._token(form, headers) if path == "/token" else (404, {})

    def _token(self, form, headers):
        self.asked.append((form, headers))
        # A code is good for once.
        query = self.codes.pop(form.get("code"), None)
        if query is None or challenge_of(form["code_verifier"]) != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": query["nonce"],
        } | self.claims  # fmt: skip
        token = jwt.encode(claims, self.signs_with, "RS256", {"kid": "k1"})
        return 200, {"id_token": token, "token_type": "Bearer", "access_token": "x"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._reply({})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._reply(dict(parse_qsl(body)))

    def _reply(self, form):
        status, body = self.server.provider.answer(self.path, form, dict(self.headers))
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/keys")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_):
        pass


@contextmanager
def running_provider():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.provider = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.provider
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def provider(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running_provider() as one:
        yield one


def settings_for(provider, **more):
    return OidcSettings(
        issuer=provider.address, client_id=CLIENT, client_secret=SECRET, redirect_uri=BACK,
        title="政务统一认证",
        roles={"planners": (("planner", "430201"),), "keepers": (("admin", ""),)},
        **more,
    )  # fmt: skip


@pytest.fixture
def made(plan_file, tmp_path, provider):
    with service(plan_file, tmp_path, oidc=settings_for(provider)) as one:
        yield one


def leave(made, browser=None, **query):
    client = browser or TestClient(made.app)
    answer = client.get(START, params=query, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return client, answer.headers["location"]


def come_back(client, query):
    return client.get(f"{START}/callback", params=query, follow_redirects=False)


def sign_in(made, provider, browser=None, **claims):
    client, location = leave(made, browser)
    return client, come_back(client, provider.authorize(location, **claims))


def user_of(client):
    return client.get("/api/v1/me").json()["user"]


def account_of(made, provider, subject="42"):
    return made.store.accounts.by_name(f"oidc:{provider.address} {subject}")


def wait(made, **passed):
    clock = made.store.database._clock  # noqa: SLF001 - time passes
    made.store.database._clock = lambda: clock() + timedelta(**passed)  # noqa: SLF001


def test_a_browser_is_sent_away_with_secrets_that_no_script_reads(made, provider):
    client, location = leave(made)
    query = parse_qs(urlsplit(location).query)
    assert location.startswith(f"{provider.address}/auth?")
    assert query["redirect_uri"] == [BACK]
    assert query["code_challenge_method"] == ["S256"]
    answer = client.get(START, follow_redirects=False)
    said = answer.headers["set-cookie"].lower()
    assert all(
        word in said for word in ("httponly", "samesite=lax", f"path={START}", "max-age=600")
    )
    assert answer.headers["cache-control"] == "no-store"
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] != query["state"]


def test_who_comes_back_is_in_with_the_roles_of_their_claims(made, provider):
    client, location = leave(made, next="/app/?plan=1")
    answer = come_back(client, provider.authorize(location))
    assert (answer.status_code, answer.headers["location"]) == (302, "/app/?plan=1")
    user = user_of(client)
    assert (user["name"], user["has_password"]) == ("王芳", False)
    assert [(one["role"], one["parents"]) for one in user["roles"]] == [("planner", ["430201"])]
    form, headers = provider.asked[0]
    pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert pair == "geogrid:s3cr%26t+of+a+client"
    assert "client_secret" not in form
    known = account_of(made, provider)
    assert known.password_hash == ""
    actions = [one.action for one in made.store.audit.entries(subject=known.id)]
    assert actions == ["create account", "create login_session"]
    told = made.nobody.get("/api/v1/me").json()["sign_in"]
    assert told == {"password": True, "oidc": {"title": "政务统一认证"}}


def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(made, provider):
    provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    _, answer = sign_in(made, provider)
    assert answer.status_code == 302
    form, headers = provider.asked[0]
    assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
    assert "Authorization" not in headers


def test_roles_follow_the_claims_at_every_sign_in_and_are_written_down(made, provider):
    first, _ = sign_in(made, provider)
    _, answer = sign_in(made, provider, groups=["keepers", "unknown"], name="别人")
    assert answer.status_code == 302
    # The session of before has the new roles too.
    assert [one["role"] for one in user_of(first)["roles"]] == ["admin"]
    known = account_of(made, provider)
    (entry,) = [one for one in made.store.audit.entries() if one.action == "set roles"]
    assert (entry.actor, entry.subject) == ("oidc", known.id)
    assert entry.details == {"roles": [["admin", ""]]}


def test_who_has_lost_every_role_there_has_lost_them_here(made, provider):
    first, _ = sign_in(made, provider)
    client, answer = sign_in(made, provider, groups=[])
    assert answer.status_code == 403
    assert COOKIE not in client.cookies
    assert user_of(first)["roles"] == []
    _, answer = sign_in(made, provider, sub="43", groups=["unknown"])
    assert answer.status_code == 403
    assert account_of(made, provider, "43") is None


def test_a_closed_account_does_not_come_in_from_there_either(made, provider):
    sign_in(made, provider)
    known = account_of(made, provider)
    made.store.accounts.set_active(known.id, is_active=False, actor="x")
    client, answer = sign_in(made, provider)
    assert answer.status_code == 401
    assert COOKIE not in client.cookies


def refused(client, query):
    answer = come_back(client, query)
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "登录" in answer.json()["detail"]
    assert COOKIE not in client.cookies
    return answer


def test_a_callback_is_good_for_once(made, provider):
    client, location = leave(made)
    kept = client.cookies[SIGN_IN_COOKIE]
    query = provider.authorize(location)
    assert come_back(client, query).status_code == 302
    assert SIGN_IN_COOKIE not in client.cookies
    client.cookies.delete(COOKIE)
    refused(client, query)
    # Whoever kept the cookie has a code that the provider knows to be used.
    thief = TestClient(made.app, cookies={SIGN_IN_COOKIE: kept})
    assert come_back(thief, query).status_code == 401


def test_a_callback_of_another_browser_signs_nobody_in(made, provider):
    _, location = leave(made)
    query = provider.authorize(location)
    refused(TestClient(made.app), query)
    victim, _ = leave(made)
    refused(victim, query)


def test_a_sign_in_that_took_too_long_is_over(made, provider):
    for late, status in ((599, 302), (601, 401)):
        client, location = leave(made)
        query = provider.authorize(location, exp=int(time.time()) + 9999)
        wait(made, seconds=late)
        assert come_back(client, query).status_code == status


@pytest.mark.parametrize("change", ["state", "code", "iss", "error"])
def test_a_callback_that_was_bent_is_refused(made, provider, change):
    client, location = leave(made)
    refused(client, provider.authorize(location) | {change: "other"})


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"}, {"exp": 1}, {"iat": 2**40}, {"aud": "somebody"}, {"iss": "https://x"},
        {"azp": "somebody"}, {"sub": ""}, {"sub": "42 "}, {"sub": "x" * 256}, {"sub": "4\n2"},
        {"exp": "soon"},
    ],
    ids=lambda one: f"{next(iter(one.items()))[:2]}"[:30],
)  # fmt: skip
def test_a_token_with_a_wrong_claim_opens_nothing(made, provider, claims):
    client, location = leave(made)
    refused(client, provider.authorize(location, **claims))
    assert made.store.accounts.all() == []


def test_a_token_of_another_key_opens_nothing(made, provider):
    provider.signs_with = OTHER_KEY
    client, location = leave(made)
    refused(client, provider.authorize(location))


def test_a_cookie_that_somebody_wrote_is_none_of_ours(made, provider):
    client, location = leave(made)
    query = provider.authorize(location)
    packed, _, proof = client.cookies[SIGN_IN_COOKIE].strip('"').rpartition(".")
    known = json.loads(base64.urlsafe_b64decode(packed + "=="))
    bent = base64.urlsafe_b64encode(json.dumps(known | {"path": "//evil"}).encode())
    for wrong in (f"{bent.rstrip(b'=').decode()}.{proof}", f"{packed}.", packed, "x.y"):
        refused(TestClient(made.app, cookies={SIGN_IN_COOKIE: wrong}), query)


@pytest.mark.parametrize(
    "path",
    ["//evil", "https://evil/", "/\\evil", "\\evil", "/\t/evil", "/\n/evil", "javascript:x", "app",
     "/" + "x" * 3000, " /app/", "/中"],
    ids=lambda one: repr(one)[:20],
)  # fmt: skip
def test_nobody_is_sent_to_another_host_afterwards(made, path):
    answer = made.nobody.get(START, params={"next": path}, follow_redirects=False)
    assert answer.status_code == 422
    assert "location" not in answer.headers
    assert SIGN_IN_COOKIE not in made.nobody.cookies


def test_a_token_planted_before_the_sign_in_opens_nothing_after_it(made, provider):
    browser = TestClient(made.app)
    sign_in(made, provider, browser)
    before = browser.cookies[COOKIE]
    _, answer = sign_in(made, provider, browser, sub="43")
    assert answer.status_code == 302
    assert browser.cookies[COOKIE] != before
    assert user_of(TestClient(made.app, cookies={COOKIE: before})) is None


def test_another_process_may_take_up_what_one_began(made, provider):
    client, location = leave(made)
    query = provider.authorize(location)
    twin_app = create_app(made.store, made.app.state.desk.settings)
    twin = TestClient(twin_app, cookies={SIGN_IN_COOKIE: client.cookies[SIGN_IN_COOKIE].strip('"')})
    assert come_back(twin, query).status_code == 302


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (500, {})),
        ("/.well-known/openid-configuration", (302, {})),
        ("/.well-known/openid-configuration", (200, b"<html>")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, {"issuer": "x" * (2 << 20)})),
    ],
    ids=["failed", "moved", "no JSON", "no object", "too large"],
)
def test_a_provider_that_does_not_answer_well_is_told(made, provider, path, answer):
    provider.answers[path] = answer
    found = made.nobody.get(START, follow_redirects=False)
    assert found.status_code == 502
    assert urlsplit(provider.address).netloc in found.json()["detail"]


def test_keys_are_fetched_from_where_they_are_and_from_nowhere_else(made, provider):
    provider.answers["/token"] = (302, {})
    client, location = leave(made)
    assert come_back(client, provider.authorize(location)).status_code == 502


def test_an_answer_that_comes_in_drops_is_given_up(made, monkeypatch):
    times = iter(range(0, 10_000, 20))
    monkeypatch.setattr(fetch.time, "monotonic", lambda: next(times))
    found = made.nobody.get(START, follow_redirects=False)
    assert found.status_code == 502
    assert "slowly" in found.json()["detail"]


def test_another_provider_under_the_same_address_is_refused(made, provider):
    provider.document = {"issuer": "https://evil"}
    assert made.nobody.get(START, follow_redirects=False).status_code == 422
    provider.document = {"token_endpoint": "http://evil/token"}
    assert made.nobody.get(START, follow_redirects=False).status_code == 422


def test_without_settings_there_is_no_sign_in_elsewhere(plan_file, tmp_path):
    with service(plan_file, tmp_path) as made:
        for path in (START, f"{START}/callback"):
            assert made.nobody.get(path).status_code == 404


GOOD = f"""
issuer = "https://sso.example"
client_id = "geogrid"
client_secret = "x"
redirect_uri = "https://grid.example{START}/callback"
title = "政务统一认证"
roles_claim = "realm_access.roles"

[roles]
planners = [["planner", "430203"], ["viewer", ""]]
"""


def test_settings_are_read_from_a_file(tmp_path):
    file = tmp_path / "oidc.toml"
    file.write_text(GOOD, encoding="utf-8")
    found = read_oidc_settings(file)
    assert found.title == "政务统一认证"
    assert found.roles == {"planners": (("planner", "430203"), ("viewer", ""))}
    assert found.scopes == ("openid", "profile")
    assert "client_secret" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("issuer =", "isuer =", "isuer, issuer"),
        ('"geogrid"', "5", "client_id"),
        ("callback", "back", "redirect_uri must end in"),
        ("https://sso", "http://sso", "https"),
        ('"planner"', '"king"', "no role king"),
        ('["planner", "430203"]', '"planner"', "pairs such as"),
        ("[roles]", "scopes = 5\n[roles]", "scopes"),
        ("title", "= title", "no TOML"),
    ],
)
def test_wrong_settings_show_before_the_service_starts(tmp_path, capsys, old, new, words):
    file = tmp_path / "oidc.toml"
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_oidc_settings(file)
    store = tmp_path / "plans.sqlite"
    assert main(["serve", "--oidc", str(file), "--store", str(store)]) != 0
    assert words.split()[0] in capsys.readouterr().err
    assert not store.exists()


def test_a_file_of_settings_that_is_not_there_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="cannot be read"):
        read_oidc_settings(tmp_path / "none.toml")


def test_a_number_of_one_provider_opens_no_account_of_another(made, provider):
    sign_in(made, provider, groups=["keepers"])
    theirs = account_of(made, provider)
    with running_provider() as other:
        app = create_app(
            made.store, replace(made.app.state.desk.settings, oidc=settings_for(other))
        )
        client = TestClient(app)
        _, answer = sign_in(made, other, client, name="李四")
        assert answer.status_code == 302
        assert user_of(client)["name"] == "李四"
        mine = account_of(made, other)
    assert mine.id != theirs.id
    assert account_of(made, provider).grants == theirs.grants == (Grant("admin", ""),)


def test_an_account_of_before_stays_that_of_whoever_was_asked_then(made, provider):
    known = made.store.accounts.add("oidc:? 42", actor="oidc", display_name="王芳")
    by_hand = made.account("? 42")
    leave(made)
    with running_provider() as other:
        # Nobody has come back yet, and another provider is asked from now on.
        settings = replace(made.app.state.desk.settings, oidc=settings_for(other))
        sign_in(made, other, TestClient(create_app(made.store, settings)))
        assert account_of(made, other).id != known.id
    sign_in(made, provider)
    assert account_of(made, provider).id == known.id
    assert made.store.accounts.by_name("oidc:? 42") is None
    assert made.store.accounts.get(by_hand.id).name == "? 42"
    (entry,) = [one for one in made.store.audit.entries() if one.action == "rename account"]
    assert (entry.actor, entry.subject) == ("oidc", known.id)
    assert made.store.audit.verify().is_sound


def test_an_issuer_cannot_be_written_so_that_two_people_have_one_name():
    known = {"client_id": CLIENT, "redirect_uri": BACK}
    for issuer in ("https://sso.example 4", "https://sso.example\t", " https://sso.example"):
        with pytest.raises(InputError, match="issuer"):
            OidcSettings(issuer=issuer, **known)


PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def read_page(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert '<html lang="zh-CN">' in answer.text
    assert 'href="/app/"' in answer.text
    return re.findall(r"<p>([^<].*?)</p>", answer.text)


def test_a_browser_that_is_refused_gets_a_page_that_leads_back(made, provider):
    client, location = leave(made)
    query = provider.authorize(location) | {"state": "other"}
    answer = client.get(f"{START}/callback", params=query, headers=PAGE, follow_redirects=False)
    assert read_page(answer, 401) == [
        "登录未成功，请重新登录", "the sign-in was refused: begin it again",
    ]  # fmt: skip
    # The cookie of the sign-in goes with a refusal too.
    assert SIGN_IN_COOKIE not in client.cookies
    client, location = leave(made)
    query = provider.authorize(location, groups=[])
    answer = client.get(f"{START}/callback", params=query, headers=PAGE)
    assert read_page(answer, 403)[0] == "尚未分配角色"


def test_a_provider_that_is_away_is_told_on_a_page_too(made, provider):
    provider.answers["/.well-known/openid-configuration"] = (500, {})
    answer = made.nobody.get(START, headers=PAGE, follow_redirects=False)
    assert urlsplit(provider.address).netloc in read_page(answer, 502)[0]
    read_page(made.nobody.get(START, params={"next": "//<b>"}, headers=PAGE), 422)


def test_what_a_page_says_is_no_markup_of_anybody(made, monkeypatch):
    def refuse(*_):
        msg = "<script>x</script>: no (<b>不行</b>)"
        raise TooManyError(msg, 7)

    monkeypatch.setattr(made.app.state.oidc, "provider", refuse)
    answer = made.nobody.get(START, headers=PAGE)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "&lt;b&gt;不行" in answer.text
    assert "<script" not in answer.text
    assert "<b>" not in answer.text


def test_a_page_does_not_tell_where_the_database_is(made, monkeypatch):
    def away(*_):
        msg = "postgresql://db.internal does not answer"
        raise UnreachableError(msg)

    monkeypatch.setattr(made.app.state.oidc, "provider", away)
    answer = made.nobody.get(START, headers=PAGE)
    read_page(answer, 503)
    assert "db.internal" not in answer.text
