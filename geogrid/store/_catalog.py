"""Projects, plans and branches: the shelves on which versions lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, func, insert, literal, select

from geogrid.errors import NotStoredError, StoreError
from geogrid.store._database import new_id, require_text
from geogrid.store._schema import FOREVER, branch, plan, project, span, version
from geogrid.store.audit import record
from geogrid.store.records import Branch, PlanEntry, Project, Version, branch_of, version_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from geogrid.store._database import Database

__all__ = [
    "MAIN",
    "alive_at",
    "find_branch",
    "find_version",
    "history_of",
    "list_branches",
    "list_plans",
    "list_projects",
    "make_branch",
    "make_plan",
    "make_project",
    "next_number",
    "row_of",
]

MAIN = "main"


def row_of(connection: Connection, table: Table, one: str) -> Row[Any]:
    """Return a row by its id.

    Raises
    ------
    NotStoredError
        If there is none.
    """
    row = connection.execute(select(table).where(table.c.id == one)).first()
    if row is None:
        msg = f"the store holds no {table.name} {one!r}: look at the list of what it holds"
        raise NotStoredError(msg)
    return row


def find_version(connection: Connection, version_id: str) -> Version:
    """Return a version; raises as :func:`row_of`."""
    return version_of(row_of(connection, version, version_id))


def alive_at(one: Version) -> ColumnElement[bool]:
    """Return the condition under which a span holds at a version."""
    return (
        (span.c.branch_id == one.branch_id)
        & (span.c.from_number <= one.number)
        & (span.c.to_number > one.number)
    )


def find_branch(connection: Connection, plan_id: str, name: str) -> Branch:
    """Return a branch of a plan; raises as :func:`row_of`."""
    row_of(connection, plan, plan_id)
    query = select(branch).where(branch.c.plan_id == plan_id, branch.c.name == name)
    row = connection.execute(query).first()
    if row is None:
        msg = f"plan {plan_id} has no branch {name!r}: make it first, or use {MAIN}"
        raise NotStoredError(msg)
    return branch_of(row)


def make_project(database: Database, name: str, actor: str) -> Project:
    """Add a project.

    Raises
    ------
    StoreError
        If the name is empty or taken.
    """
    title = require_text(name, "the name of a project")
    with database.writing() as connection:
        if connection.execute(select(project.c.id).where(project.c.name == title)).first():
            msg = f"there is a project {title!r} already: choose another name"
            raise StoreError(msg)
        made = Project(id=new_id(), name=title, created_at=database.now(), created_by=actor)
        connection.execute(
            insert(project).values(
                id=made.id, name=title, created_at=made.created_at, created_by=actor
            )
        )
        record(connection, made.created_at, actor, "create project", made.id, {"name": title})
    return made


def make_plan(database: Database, project_id: str, name: str, actor: str) -> PlanEntry:
    """Add a plan without versions, with its main branch.

    Raises
    ------
    NotStoredError
        If there is no such project.
    StoreError
        If the name is empty or taken.
    """
    title = require_text(name, "the name of a plan")
    with database.writing() as connection:
        row_of(connection, project, project_id)
        taken = select(plan.c.id).where(plan.c.project_id == project_id, plan.c.name == title)
        if connection.execute(taken).first():
            msg = f"the project has a plan {title!r} already: choose another name"
            raise StoreError(msg)
        at, made = database.now(), new_id()
        connection.execute(
            insert(plan).values(
                id=made, project_id=project_id, name=title, created_at=at, created_by=actor
            )
        )
        _add_branch(connection, made, MAIN, None, at, actor)
        record(connection, at, actor, "create plan", made, {"project": project_id, "name": title})
    return PlanEntry(id=made, project_id=project_id, name=title, created_at=at, created_by=actor)


def make_branch(
    database: Database, plan_id: str, name: str, from_version: str, actor: str
) -> Branch:
    """Let a branch leave from a version.

    Raises
    ------
    NotStoredError
        If the plan has no such version.
    StoreError
        If the name is empty or taken.
    """
    title = require_text(name, "the name of a branch")
    with database.writing() as connection:
        base = find_version(connection, from_version)
        if base.plan_id != plan_id:
            msg = f"version {from_version} is one of another plan: name a version of this one"
            raise NotStoredError(msg)
        taken = select(branch.c.id).where(branch.c.plan_id == plan_id, branch.c.name == title)
        if connection.execute(taken).first():
            msg = f"the plan has a branch {title!r} already: choose another name"
            raise StoreError(msg)
        at = database.now()
        made = _add_branch(connection, plan_id, title, from_version, at, actor)
        # The cells that are there at the fork live on in the new branch.
        alive = select(
            literal(made.id), span.c.cell_id, literal(base.number), literal(FOREVER)
        ).where(alive_at(base))
        columns = ["branch_id", "cell_id", "from_number", "to_number"]
        connection.execute(insert(span).from_select(columns, alive))
        record(connection, at, actor, "create branch", made.id,
               {"plan": plan_id, "name": title, "from": from_version})  # fmt: skip
    return made


def _add_branch(
    connection: Connection, plan_id: str, name: str, head: str | None, at: str, actor: str
) -> Branch:
    made = Branch(
        id=new_id(), plan_id=plan_id, name=name, head=head or "", created_at=at, created_by=actor
    )
    connection.execute(
        insert(branch).values(
            id=made.id, plan_id=plan_id, name=name, head_id=head, created_at=at, created_by=actor
        )
    )
    return made


def list_projects(database: Database) -> list[Project]:
    """Return all projects, the oldest first."""
    with database.reading() as connection:
        rows = connection.execute(select(project).order_by(project.c.created_at, project.c.id))
        return [Project(**row._asdict()) for row in rows]


def list_plans(database: Database, project_id: str) -> list[PlanEntry]:
    """Return the plans of a project, the oldest first."""
    with database.reading() as connection:
        row_of(connection, project, project_id)
        query = select(plan).where(plan.c.project_id == project_id)
        rows = connection.execute(query.order_by(plan.c.created_at, plan.c.id))
        return [PlanEntry(**row._asdict()) for row in rows]


def list_branches(database: Database, plan_id: str) -> list[Branch]:
    """Return the branches of a plan, the oldest first."""
    with database.reading() as connection:
        row_of(connection, plan, plan_id)
        query = select(branch).where(branch.c.plan_id == plan_id)
        rows = connection.execute(query.order_by(branch.c.created_at, branch.c.id))
        return [branch_of(row) for row in rows]


def history_of(database: Database, plan_id: str, name: str | None) -> list[Version]:
    """Return the versions of a plan or of one branch with all it came from, the latest first."""
    with database.reading() as connection:
        row_of(connection, plan, plan_id)
        query = select(version).where(version.c.plan_id == plan_id)
        rows = connection.execute(query.order_by(version.c.number.desc())).all()
        versions = [version_of(row) for row in rows]
        if name is None:
            return versions
        wanted = {find_branch(connection, plan_id, name).head}
    for one in versions:
        if one.id in wanted:
            wanted |= {one.parent_id, one.merged_id}
    return [one for one in versions if one.id in wanted]


def next_number(connection: Connection, plan_id: str) -> int:
    """Return the number of the next version of a plan."""
    query = select(func.max(version.c.number)).where(version.c.plan_id == plan_id)
    return int(connection.execute(query).scalar() or 0) + 1
