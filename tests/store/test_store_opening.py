"""Opening: tables are made once by whoever comes first, and clear words say what is wrong."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from store_plans import square_plan

from geogrid.errors import OutputError, StoreError
from geogrid.store import open_store
from geogrid.store._migrate import HEAD
from geogrid.store._schema import METADATA

OPENS = """
import sys
from geogrid.store import open_store
with open_store(sys.argv[1]) as store:
    store.create_project(sys.argv[2], actor="x")
"""


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def bare(request, tmp_path):
    """An address where no store was ever opened."""
    if request.param == "sqlite":
        return str(tmp_path / "bare.db")
    server = request.getfixturevalue("postgis_server")
    name = f"bare_{tmp_path.name}".replace("-", "_").lower()
    server.run(f'CREATE DATABASE "{name}"')
    return server.url(name)


def test_several_processes_may_open_a_new_store_at_once(bare):
    running = [
        subprocess.Popen([sys.executable, "-c", OPENS, bare, f"p{number}"], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    told = [one.communicate()[1].decode() for one in running]
    assert [one.returncode for one in running] == [0] * 4, told
    with open_store(bare) as store:
        assert {one.name for one in store.projects()} == {"p0", "p1", "p2", "p3"}
        assert store.audit.verify().is_sound


def test_the_steps_make_the_tables_that_the_program_knows(store):
    def is_ours(name, kind, _):
        return not (kind == "table" and name.startswith(("cell_place", "spatial_ref_sys")))

    with store.database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(context, METADATA) == []


def test_the_last_step_is_the_one_that_is_asked_for():
    assert ScriptDirectory("geogrid/store/migrations").get_current_head() == HEAD


def test_another_process_opens_a_store_by_its_address(store):
    made = store.create_project("p", actor="甲")
    done = subprocess.run(
        [sys.executable, "-c", OPENS, store.address, "q"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert [one.name for one in store.projects()] == [made.name, "q"]


def test_a_store_of_a_newer_program_is_left_alone(address):
    with open_store(address) as store, store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer geogrid.*9999.*update"):
        open_store(address)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("mysql://x/y", "kind mysql is not known"),
        ("sqlite://", "kind sqlite is not known"),
        ("://", "cannot be read"),
        ("/nowhere/at/all/x.db", "folder all of the store does not exist"),
        ("postgresql://me:secret@127.0.0.1:1/x", "does not answer"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(where, words):
    with pytest.raises(StoreError, match=words) as caught:
        open_store(where)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x.db").write_text("no database at all, but long enough to be read as one" * 50)
    with pytest.raises(StoreError, match="not a database"):
        open_store(tmp_path / "x.db")


def test_the_file_keeps_a_log_and_waits_for_the_disk(tmp_path):
    with open_store(tmp_path / "x.db") as store, store.database.reading() as connection:
        asked = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert asked == ["wal", 2, 1]


def test_a_backup_is_a_whole_store(tmp_path):
    with open_store(tmp_path / "x.db") as store:
        project = store.create_project("p", actor="甲")
        entry = store.create_plan(project.id, "p", actor="甲")
        made = store.commit(entry.id, "main", None, square_plan(), author="甲", message="")
        copy = store.backup(tmp_path / "copy.db")
        made_by_us = [*tmp_path.glob("x.db*"), copy]
        assert {one.stat().st_mode & 0o777 for one in made_by_us} == {0o600}
        with pytest.raises(OutputError, match="there already"):
            store.backup(copy)
        with pytest.raises(OutputError, match="could not be written"):
            store.backup(tmp_path / "no" / "copy.db")
        store.create_project("later", actor="甲")
    with open_store(copy) as store:
        assert [one.name for one in store.projects()] == ["p"]
        assert store.recheck(made.id)
        assert store.audit.verify().is_sound
    with sqlite3.connect(copy) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


@pytest.mark.postgis
def test_a_postgis_store_names_the_program_that_copies_it(make_address, tmp_path):
    with open_store(make_address("postgis")) as store, pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "x")


def test_a_failed_change_leaves_nothing(store, plan_id, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("geogrid.store._commit.record", fail)
    with pytest.raises(RuntimeError):
        store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
    monkeypatch.undo()
    assert store.history(plan_id) == []
    with store.database.reading() as connection:
        for table in ("page", "cell", "span", "cell_place", "standing"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0  # noqa: S608 - our own tables
    assert store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
