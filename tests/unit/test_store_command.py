"""``geogrid store`` as whoever keeps a service runs it."""

from __future__ import annotations

import json
import sqlite3

import pytest
from map_plans import make_plan

from geogrid.accounts.passwords import check_password, hash_password
from geogrid.cli import main
from geogrid.store import open_store


@pytest.fixture
def file(tmp_path):
    """Return a store with one plan of two versions."""
    path = tmp_path / "plans.sqlite"
    with open_store(path) as store:
        project = store.create_project("区", actor="test")
        plan = store.create_plan(project.id, "方案", actor="test")
        drawn = make_plan()
        first = store.commit(plan.id, "main", None, drawn, author="test", message="a")
        store.commit(plan.id, "main", first.id, drawn, author="test", message="b")
    return path


def ran(capsys, *words):
    code = main(["store", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_sound_store_is_proven_again(file, capsys):
    code, out, _ = ran(capsys, "check", file, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["versions"] == 1
    assert found["wrong"] == []
    assert found["audit_entries"] >= 4


def test_every_version_is_proven_again_when_that_is_asked(file, capsys):
    assert json.loads(ran(capsys, "check", file, "--all", "--json")[1])["versions"] == 2


def test_a_changed_entry_of_the_audit_log_is_found(file, capsys):
    with sqlite3.connect(file) as raw:
        names = [
            row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
        ]
        for name in names:
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE audit SET actor = 'somebody else' WHERE seq = 2")
    raw.close()
    code, out, _ = ran(capsys, "check", file)
    assert code == 1
    assert "entry 2 is not as it was written" in out


def test_a_copy_holds_what_the_store_holds(file, tmp_path, capsys):
    copy = tmp_path / "copy.sqlite"
    assert ran(capsys, "backup", file, copy)[0] == 0
    with open_store(file) as store, open_store(copy) as other:
        assert other.audit.seal() == store.audit.seal()


def test_a_backup_without_a_name_and_a_store_that_is_not_there_are_refused(file, tmp_path, capsys):
    code, _, err = ran(capsys, "backup", file)
    assert (code, "needs a name" in err) == (2, True)
    missing = tmp_path / "other.sqlite"
    code, _, err = ran(capsys, "check", missing)
    assert (code, "there is no store" in err) == (2, True)
    assert not missing.exists()


def test_a_new_password_opens_the_account_and_ends_its_sessions(file, capsys):
    with open_store(file) as store:
        known = store.accounts.add(
            "admin", actor="test", password_hash=hash_password("an old secret 1", name="admin")
        )
        store.accounts.set_active(known.id, is_active=False, actor="test")
    code, out, _ = ran(capsys, "password", file, "--json")
    assert code == 0
    password = json.loads(out)["password"]
    with open_store(file) as store:
        now = store.accounts.by_name("admin")
        assert now is not None
        assert now.is_active
        assert check_password(now.password_hash, password)
        assert not check_password(now.password_hash, "an old secret 1")


def test_a_password_for_nobody_is_refused(file, capsys):
    code, _, err = ran(capsys, "password", file, "nobody")
    assert (code, "no account nobody" in err) == (2, True)
