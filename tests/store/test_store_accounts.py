"""Accounts: only hashes are kept, roles end at an area, what is revoked opens nothing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from geogrid.errors import NotStoredError, StoreError
from geogrid.store import Grant, open_store

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


def test_a_new_password_or_a_closed_account_ends_all_sessions(timed):
    made = timed.accounts.add("zhang", actor="admin", password_hash=ARGON)
    ends = NOW + timedelta(hours=8)
    for secret in "abc":
        timed.accounts.add_session(made.id, digest(secret), expires_at=ends)
    assert timed.accounts.of_session(digest("a")) == made
    timed.accounts.end_session(digest("a"))
    assert timed.accounts.of_session(digest("a")) is None
    assert timed.accounts.of_session(digest("b")) == made
    timed.accounts.set_password(made.id, ARGON + "x", actor="admin")
    assert timed.accounts.of_session(digest("b")) is None
    timed.accounts.add_session(made.id, digest("d"), expires_at=ends)
    timed.accounts.add_key(made.id, digest("k"), label="x", actor="admin")
    timed.accounts.set_active(made.id, is_active=False, actor="admin")
    assert timed.accounts.of_session(digest("d")) is None
    assert timed.accounts.of_key(digest("k")) is None
    timed.accounts.set_active(made.id, is_active=True, actor="admin")
    assert timed.accounts.of_key(digest("k")).id == made.id


def test_a_moment_without_zone_is_refused(timed):
    made = timed.accounts.add("zhang", actor="admin")
    with pytest.raises(StoreError, match="no time zone"):
        timed.accounts.add_session(made.id, digest("a"), expires_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the test


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
