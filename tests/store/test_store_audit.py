"""The audit log only grows, and tampering with it is found."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from store_plans import square_plan

from geogrid.errors import StoreError
from geogrid.store import open_store


@pytest.fixture
def filled(store, plan_id):
    version = store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
    for number in range(5):
        store.create_branch(plan_id, f"b{number}", from_version=version.id, actor="乙")
    return store


def tamper(store, *statements):
    """Change rows as somebody would who owns the database."""
    with store.database.writing() as connection:
        if store.kind == "sqlite":
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(text(statement))


def test_everything_that_is_done_is_in_the_log(filled):
    entries = filled.audit.entries()
    assert [one.action for one in entries] == [
        "create project", "create plan", "commit", *["create branch"] * 5
    ]  # fmt: skip
    assert [one.seq for one in entries] == list(range(1, 9))
    assert entries[2].actor == "甲"
    verdict = filled.audit.verify(filled.audit.seal())
    assert (verdict.is_sound, verdict.entries, verdict.broken_at) == (True, 8, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
    ],
)
def test_the_database_itself_refuses_to_change_the_log(filled, statement):
    with pytest.raises(StoreError, match="append-only"), filled.database.writing() as connection:
        connection.execute(text(statement))
    assert filled.audit.verify().is_sound


@pytest.mark.postgis
def test_the_log_cannot_be_truncated(make_address):
    with open_store(make_address("postgis")) as store:
        store.create_project("p", actor="甲")
        with pytest.raises(StoreError, match="append-only"), store.database.writing() as change:
            change.execute(text("TRUNCATE audit"))


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET actor = 'x' WHERE seq = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE seq = 4", 4),
        ("UPDATE audit SET at = '2020-01-01' WHERE seq = 8", 8),
        ("UPDATE audit SET hash = previous WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 6", 6),
    ],
)
def test_a_changed_or_missing_entry_is_found(filled, statement, broken_at):
    tamper(filled, statement)
    verdict = filled.audit.verify()
    assert not verdict.is_sound
    assert verdict.broken_at == broken_at
    what = "is missing" if "DELETE" in statement else "is not as it was written"
    assert verdict.reason == f"entry {broken_at} {what}"


def test_a_cut_off_end_is_found_with_the_seal(filled):
    seal = filled.audit.seal()
    tamper(filled, "DELETE FROM audit WHERE seq > 6")
    assert filled.audit.verify().is_sound
    verdict = filled.audit.verify(seal)
    assert (verdict.is_sound, verdict.broken_at) == (False, 7)
    filled.create_project("x", actor="丙")
    filled.create_project("y", actor="丙")
    verdict = filled.audit.verify(seal)
    assert (verdict.is_sound, verdict.broken_at) == (False, 8)
    assert "not the one that was sealed" in verdict.reason


def test_an_entry_goes_with_what_it_tells_of(store):
    with pytest.raises(StoreError, match="empty"):
        store.create_project("", actor="甲")
    assert store.audit.entries() == []
    assert store.audit.seal() == (0, "0" * 64)
    assert store.audit.verify((0, "0" * 64)).is_sound


def test_what_was_sound_is_not_looked_at_again_and_what_came_since_is(filled):
    audit = filled.audit
    assert audit.is_whole()
    audit.verify()
    filled.create_project("新项目", actor="丙")
    assert audit.is_whole()
    number = audit.seal()[0]
    filled.create_project("又一个", actor="丙")
    number += 1
    tamper(filled, f"UPDATE audit SET actor = 'x' WHERE seq = {number}")  # noqa: S608 - a number
    assert not audit.is_whole()


def test_a_log_that_lost_its_end_is_not_whole(filled):
    assert filled.audit.is_whole()
    tamper(filled, "DELETE FROM audit WHERE seq > 6")
    assert not filled.audit.is_whole()
