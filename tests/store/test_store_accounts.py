"""Accounts: only hashes are kept, roles end at an area, what is revoked opens nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, select
from store_plans import square_plan

from geogrid.accounts.tokens import SessionPolicy, new_session, rotate_session, use_session
from geogrid.errors import NotStoredError, StateError, StoreError
from geogrid.store import Grant, open_store
from geogrid.store._backend import connect
from geogrid.store._schema import account, login_session
from geogrid.vocabulary import PlanState

ARGON = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


@pytest.fixture
def clock():
    return {"now": NOW}


@pytest.fixture
def timed(address, clock):
    with open_store(address, clock=lambda: clock["now"]) as store:
        yield store


def test_an_account_has_its_roles_by_area(timed):
    grants = [Grant("planner", "430203001"), Grant("viewer")]
    made = timed.accounts.add("zhang", actor="admin", password_hash=ARGON, grants=grants)
    assert made.grants == tuple(sorted(grants))
    assert timed.accounts.by_name("zhang") == made
    assert timed.accounts.get(made.id) == made
    changed = timed.accounts.set_grants(made.id, [Grant("admin")], actor="admin")
    assert changed.grants == (Grant("admin"),)
    assert [one.name for one in timed.accounts.all()] == ["zhang"]
    assert timed.accounts.by_name("li") is None


def test_only_hashes_are_taken(timed):
    with pytest.raises(StoreError, match="argon2"):
        timed.accounts.add("zhang", actor="admin", password_hash="secret")  # noqa: S106 - that is the test
    made = timed.accounts.add("zhang", actor="admin")
    with pytest.raises(StoreError, match="argon2"):
        timed.accounts.set_password(made.id, "secret", actor="admin")
    with pytest.raises(StoreError, match="SHA-256"):
        timed.accounts.add_key(made.id, "secret", label="x", actor="admin")
    with pytest.raises(StoreError, match="already"):
        timed.accounts.add("zhang", actor="admin")
    with pytest.raises(NotStoredError):
        timed.accounts.add_key("nothing", digest("a"), label="x", actor="admin")


def test_a_key_opens_until_it_ends_or_is_revoked(timed, clock):
    made = timed.accounts.add("robot", actor="admin")
    first = timed.accounts.add_key(made.id, digest("a"), label="图", actor="admin")
    clock["now"] += timedelta(seconds=1)
    ends = NOW + timedelta(hours=1)
    timed.accounts.add_key(made.id, digest("b"), label="表", actor="admin", expires_at=ends)
    assert timed.accounts.of_key(digest("a")) == made
    assert timed.accounts.of_key(digest("b")) == made
    assert timed.accounts.of_key(digest("c")) is None
    with pytest.raises(StoreError, match="in use"):
        timed.accounts.add_key(made.id, digest("a"), label="x", actor="admin")
    clock["now"] = ends
    assert timed.accounts.of_key(digest("b")) is None
    timed.accounts.revoke_key(first.id, actor="admin")
    assert timed.accounts.of_key(digest("a")) is None
    assert [bool(one.revoked_at) for one in timed.accounts.keys(made.id)] == [True, False]


def begun(timed, made, token, **policy):
    """Begin a session whose token is known."""
    session = new_session(timed.database.moment(), policy=SessionPolicy(**policy))
    session = replace(session, secret_hash=digest(token))
    return timed.sessions.begin(made.id, session), session


def test_a_new_password_or_a_closed_account_ends_all_sessions(timed):
    made = timed.accounts.add("zhang", actor="admin", password_hash=ARGON)
    first, _ = begun(timed, made, "a")
    begun(timed, made, "b")
    assert timed.sessions.find(digest("a")).account == made
    timed.sessions.end(first)
    assert timed.sessions.find(digest("a")) is None
    assert timed.sessions.find(digest("b")).account == made
    timed.accounts.set_password(made.id, ARGON + "x", actor="admin")
    assert timed.sessions.find(digest("b")) is None
    begun(timed, made, "d")
    timed.accounts.add_key(made.id, digest("k"), label="x", actor="admin")
    timed.accounts.set_active(made.id, is_active=False, actor="admin")
    assert timed.sessions.find(digest("d")) is None
    assert timed.accounts.of_key(digest("k")) is None
    begun(timed, made, "e")
    assert timed.sessions.find(digest("e")) is None
    timed.accounts.set_active(made.id, is_active=True, actor="admin")
    assert timed.sessions.find(digest("d")) is None
    assert timed.accounts.of_key(digest("k")).id == made.id


def test_a_session_comes_back_with_its_times_and_ends_at_them(timed, clock):
    made = timed.accounts.add("zhang", actor="admin")
    name, session = begun(timed, made, "a")
    found = timed.sessions.find(digest("a"))
    assert (found.id, found.session) == (name, replace(session, token=""))
    assert (found.is_newest, found.is_awaited) == (True, False)
    clock["now"] += timedelta(hours=1)
    timed.sessions.note(name, use_session(session, clock["now"]))
    clock["now"] += timedelta(minutes=119)
    assert timed.sessions.find(digest("a")).session.expires_at == NOW + timedelta(hours=3)
    clock["now"] += timedelta(minutes=1)
    assert timed.sessions.find(digest("a")) is None


def test_a_token_is_exchanged_by_one_request_and_opens_until_the_new_one_came(timed, clock):
    made = timed.accounts.add("zhang", actor="admin")
    name, session = begun(timed, made, "a")
    clock["now"] += timedelta(minutes=31)
    new = replace(rotate_session(session, clock["now"]), secret_hash=digest("b"))
    late = replace(new, secret_hash=digest("c"))
    came = {"came_by": digest("a"), "since": session.issued_at}
    assert timed.sessions.exchange(name, new, **came)
    assert not timed.sessions.exchange(name, late, **came)
    assert timed.sessions.find(digest("c")) is None
    old, newest = timed.sessions.find(digest("a")), timed.sessions.find(digest("b"))
    assert (old.is_newest, old.is_awaited) == (False, True)
    assert (newest.is_newest, newest.is_awaited) == (True, True)
    assert newest.session.started_at == NOW
    ends = clock["now"] + timedelta(minutes=1)
    timed.sessions.note(name, newest.session, old_until=ends)
    assert not timed.sessions.find(digest("b")).is_awaited
    assert timed.sessions.find(digest("a")).id == name
    clock["now"] = ends
    assert timed.sessions.find(digest("a")) is None
    assert timed.sessions.find(digest("b")).id == name
    timed.sessions.end(name)
    assert timed.sessions.find(digest("b")) is None
    assert not timed.sessions.exchange(name, late, came_by=digest("b"), since=new.issued_at)


def test_sessions_that_are_over_are_forgotten_and_a_secret_is_taken_once(timed, clock):
    made = timed.accounts.add("zhang", actor="admin")
    begun(timed, made, "a")
    with pytest.raises(StoreError, match="in use"):
        begun(timed, made, "a")
    clock["now"] += timedelta(hours=2)
    begun(timed, made, "b")
    with timed.database.reading() as connection:
        kept = connection.execute(select(login_session.c.hash)).scalars().all()
    assert kept == [digest("b")]
    with pytest.raises(StoreError, match="SHA-256"):
        timed.sessions.begin(made.id, replace(new_session(NOW), secret_hash="a"))  # noqa: S106 - that is the test
    with pytest.raises(NotStoredError):
        timed.sessions.begin("nobody", new_session(NOW))


def test_the_secret_of_the_service_is_made_once_and_stays(address):
    with open_store(address) as store, open_store(address) as other:
        key = store.sessions.server_key()
        assert len(key) == 32
        assert other.sessions.server_key() == key
    with open_store(address) as store:
        assert store.sessions.server_key() == key
        assert key.hex() not in str(store.audit.entries())


def test_a_key_is_revoked_by_whose_it_is_and_once(timed):
    made, other = (timed.accounts.add(name, actor="admin") for name in ("zhang", "li"))
    key = timed.accounts.add_key(made.id, digest("a"), label="x", actor="admin")
    with pytest.raises(NotStoredError):
        timed.accounts.revoke_key(key.id, actor=other.id, account_id=other.id)
    for _ in range(2):
        timed.accounts.revoke_key(key.id, actor=made.id, account_id=made.id)
    actions = [one.action for one in timed.audit.entries(subject=made.id)]
    assert actions.count("revoke key") == 1


def test_a_grant_that_must_stay_is_not_taken_from_its_last_holder(timed):
    boss, last = Grant("admin"), {"actor": "x", "must_stay": Grant("admin")}
    first, second = (timed.accounts.add(name, actor="x", grants=[boss]) for name in "ab")
    timed.accounts.set_grants(first.id, [Grant("admin", "4302")], **last)
    for refused in (
        lambda: timed.accounts.set_grants(second.id, [], **last),
        lambda: timed.accounts.set_active(second.id, is_active=False, **last),
    ):
        with pytest.raises(StateError, match="nobody would be admin"):
            refused()
    assert timed.accounts.get(second.id) == second
    timed.accounts.set_grants(first.id, [boss], **last)
    timed.accounts.set_active(second.id, is_active=False, **last)
    assert timed.audit.verify().is_sound


def test_the_list_of_what_was_done_comes_by_pages_and_by_plan(store, plan_id):
    made = store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
    store.create_project("other", actor="甲")
    store.create_branch(plan_id, "try", from_version=made.id, actor="甲")
    store.advance(made.id, PlanState.SUBMITTED, actor="甲")
    newest = store.audit.page(limit=100)
    assert [one.seq for one in newest] == list(range(len(newest), 0, -1))
    assert store.audit.page(limit=2, before=newest[0].seq) == newest[1:3]
    of_plan = store.audit.page(limit=100, plan_id=plan_id)
    assert [one.action for one in of_plan] == [
        "change state", "create branch", "commit", "create plan"
    ]  # fmt: skip
    assert store.audit.page(limit=100, plan_id="%") == []


def test_a_moment_without_zone_is_refused(timed):
    made = timed.accounts.add("zhang", actor="admin")
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the test
    with pytest.raises(StoreError, match="no time zone"):
        timed.accounts.add_key(made.id, digest("a"), label="x", actor="admin", expires_at=naive)


def test_neither_names_nor_hashes_get_into_the_log(timed, caplog):
    caplog.set_level("DEBUG", logger="geogrid")
    made = timed.accounts.add("zhangsan", actor="admin", display_name="张三", password_hash=ARGON)
    timed.accounts.add_key(made.id, digest("a"), label="x", actor="admin")
    told = caplog.text + "".join(str(one) for one in timed.audit.entries()) + repr(made)
    for word in ("zhangsan", "张三", ARGON, digest("a")):
        assert word not in told
    assert [one.action for one in timed.audit.entries(subject=made.id)] == [
        "create account", "create api_key"
    ]  # fmt: skip


def test_an_account_is_called_otherwise_and_never_like_another(store):
    known = store.accounts.add("li", actor="甲", grants=[Grant("planner", "")])
    store.accounts.add("wang", actor="甲")
    found = store.accounts.rename(known.id, " zhao ", actor="乙")
    assert (found.id, found.name, found.grants) == (known.id, "zhao", known.grants)
    assert store.accounts.by_name("li") is None
    for name, words in (("wang", "of this name already"), ("  ", "must not be empty")):
        with pytest.raises(StoreError, match=words):
            store.accounts.rename(known.id, name, actor="乙")
    store.accounts.rename(known.id, "zhao", actor="乙")
    told = [one for one in store.audit.entries(subject=known.id) if one.action == "rename account"]
    assert [(one.actor, one.details) for one in told] == [("乙", {})]
    with pytest.raises(NotStoredError):
        store.accounts.rename("x", "y", actor="乙")


def test_an_account_of_before_is_marked_as_one_whose_issuer_nobody_wrote_down(make_address):
    engine, backend = connect(make_address("sqlite"))
    config = Config()
    config.set_main_option("script_location", "geogrid.store:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes.update(connection=connection, backend=backend)
        command.upgrade(config, "0005")
        for number, name in enumerate(("oidc:42", "oidc:https://x 42", "admin", "oidcc")):
            values = {"id": str(number), "name": name, "display_name": "x", "is_active": True}
            connection.execute(insert(account).values(**values, created_at="2026"))
        command.upgrade(config, "0006")
        names = connection.execute(select(account.c.name).order_by(account.c.id)).scalars().all()
    engine.dispose()
    assert names == ["oidc:? 42", "oidc:? https://x 42", "admin", "oidcc"]
