"""Files: kept whole beside plans, listed without what is in them, and never told of inside."""

from __future__ import annotations

import hashlib

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect
from store_plans import square_plan

from geogrid.errors import NotStoredError, StoreError
from geogrid.store import open_store
from geogrid.store._backend import connect
from geogrid.vocabulary import FileRole

MEDIA = "application/octet-stream"


@pytest.fixture
def project_id(store, plan_id):
    """The project of the plan."""
    assert plan_id
    return store.projects()[0].id


@pytest.fixture
def add(store, project_id):
    """Add a file of the project."""

    def added(content=b"a", **about):
        known = {"role": FileRole.STATIONS, "name": "x.csv", "media": MEDIA, "actor": "甲"}
        return store.files.add(content, **known | {"project_id": project_id} | about)

    return added


@pytest.mark.parametrize("content", [b"", b"\x00\xff'\\", bytes(range(256)) * 20_000])
def test_a_file_comes_back_to_the_byte_with_what_is_known_of_it(store, project_id, add, content):
    made = add(content, name=" 服务站.csv ", facts={"rows": 3, "notes": ["一"]})
    assert store.files.content(made.id) == content
    assert store.files.get(made.id) == made
    assert made.sha256 == hashlib.sha256(content).hexdigest()
    assert (made.name, made.size, made.facts) == (
        "服务站.csv", len(content), {"rows": 3, "notes": ["一"]},
    )  # fmt: skip
    assert (made.project_id, made.plan_id, made.version_id) == (project_id, "", "")
    assert (made.role, made.role.label_zh, made.owner) == (FileRole.STATIONS, "服务站", "甲")


def test_files_are_found_by_project_plan_and_role_the_oldest_first(store, plan_id, project_id, add):
    first, second = add(), add(role=FileRole.LIMIT)
    own = add(plan_id=plan_id, role=FileRole.SERVICE)
    other = store.create_project("另一个", actor="甲")
    apart = add(project_id=other.id)
    find = store.files.find
    assert [one.id for one in find()] == [first.id, second.id, own.id, apart.id]
    assert [one.id for one in find(project_id=project_id)] == [first.id, second.id, own.id]
    assert find(plan_id=plan_id) == [own]
    assert find(project_id=project_id, plan_id="") == [first, second]
    assert find(project_id=project_id, role=FileRole.LIMIT) == [second]
    assert find(project_id="nothing") == []


def test_a_file_of_a_version_names_a_version_of_its_own_plan(store, plan_id, project_id, add):
    version = store.commit(plan_id, "main", None, square_plan(), author="甲", message="")
    about = {"role": FileRole.SERVICE, "version_id": version.id}
    made = add(plan_id=plan_id, **about)
    assert (made.plan_id, made.version_id) == (plan_id, version.id)
    second = store.create_plan(project_id, "方案二", actor="甲")
    other = store.create_project("另一个", actor="甲")
    for wrong in (
        {"plan_id": second.id, **about},
        {"plan_id": plan_id, "project_id": other.id},
        {"project_id": "nothing"},
        {"plan_id": "nothing"},
        {"plan_id": plan_id, "version_id": "nothing"},
        about,
    ):
        with pytest.raises(NotStoredError):
            add(**wrong)
    assert len(store.files.find()) == 1


def test_a_removed_file_is_gone_and_one_without_a_name_never_comes(store, add):
    made = add()
    store.files.remove(made.id, actor="乙")
    assert store.files.find() == []
    for ask in (store.files.get, store.files.content):
        with pytest.raises(NotStoredError, match="no file"):
            ask(made.id)
    with pytest.raises(NotStoredError):
        store.files.remove(made.id, actor="乙")
    with pytest.raises(StoreError, match="name of a file"):
        add(name="  ")


def test_the_sealed_list_tells_of_files_by_name_and_never_what_is_in_them(store, add):
    made = add(b"\xe5\xbc\xa0\xe4\xb8\x89,13800000000")
    store.files.remove(made.id, actor="乙")
    told = store.audit.entries(subject=made.id)
    assert [(one.action, one.actor) for one in told] == [("add file", "甲"), ("remove file", "乙")]
    assert all(one.details["name"] == "x.csv" for one in told)
    assert all(one.details["sha256"] == made.sha256 for one in told)
    assert "13800000000" not in str(store.audit.entries())
    assert store.audit.verify().is_sound


def test_a_store_of_the_first_tables_gets_the_table_of_files(tmp_path):
    engine, backend = connect(tmp_path / "x.db")
    config = Config()
    config.set_main_option("script_location", "geogrid.store:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes.update(connection=connection, backend=backend)
        command.upgrade(config, "0001")
        assert not inspect(connection).has_table("file")
    engine.dispose()
    with open_store(tmp_path / "x.db") as store:
        assert store.files.find() == []
