"""Projects, plans and branches: the shelves on which versions lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, false, func, insert, literal, select

from geogrid.errors import NotStoredError, StoreError
from geogrid.store._database import new_id, require_text
from geogrid.store._schema import FOREVER, branch, cell, plan, project, span, version
from geogrid.store.audit import record
from geogrid.store.records import (
    Branch,
    PlanEntry,
    Project,
    Step,
    Version,
    branch_of,
    version_of,
)

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
    "steps_of_branch",
]

MAIN = "main"
# Everything but where its pages are, which is long.
_KNOWN = [column for column in version.c if column.name != "parts"]


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
    row = connection.execute(select(*_KNOWN).where(version.c.id == version_id)).first()
    return version_of(row_of(connection, version, version_id) if row is None else row)


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


def history_of(
    database: Database, plan_id: str, name: str | None, limit: int | None, before: str | None
) -> list[Version]:
    """Return the versions of a plan or of one branch with all it came from, the latest first.

    Parameters
    ----------
    limit
        At most so many.
    before
        Only those that are older than this version.
    """
    with database.reading() as connection:
        row_of(connection, plan, plan_id)
        query = select(*_KNOWN).where(version.c.plan_id == plan_id)
        if name is not None:
            query = query.where(_behind(connection, find_branch(connection, plan_id, name).head))
        if before is not None:
            query = query.where(version.c.number < find_version(connection, before).number)
        rows = connection.execute(query.order_by(version.c.number.desc()).limit(limit))
        return [version_of(row) for row in rows]


def steps_of_branch(database: Database, plan_id: str, name: str, after: int) -> list[Step]:
    """Return how the versions of a branch were made, the oldest first.

    Parameters
    ----------
    after
        Only those with a greater number.
    """
    names = ("id", "number", "parent_id", "author", "message")
    with database.reading() as connection:
        found = find_branch(connection, plan_id, name)
        query = select(*(version.c[one] for one in names)).where(
            version.c.plan_id == plan_id, version.c.number > after,
            _behind(connection, found.head),
        )  # fmt: skip
        rows = connection.execute(query.order_by(version.c.number)).all()
        gone = _codes_gone(connection, found.id, after) if rows else {}
    return [
        Step(
            id=row.id, number=row.number, parent_id=row.parent_id or "", author=row.author,
            message=row.message, gone=tuple(sorted(gone.get(row.number, ()))),
        )
        for row in rows
    ]  # fmt: skip


def _behind(connection: Connection, head: str) -> ColumnElement[bool]:
    """Return the condition under which a version is one that a tip came from, or the tip."""
    found: ColumnElement[bool] = false()
    at = head
    # One round a branch: its own versions stand in a row.
    while at:
        tip = find_version(connection, at)
        on_branch = version.c.branch_id == tip.branch_id
        found = found | (on_branch & (version.c.number <= tip.number))
        first = select(version.c.parent_id).where(on_branch).order_by(version.c.number).limit(1)
        at = connection.execute(first).scalar() or ""
    return found


def _codes_gone(connection: Connection, branch_id: str, after: int) -> dict[int, set[str]]:
    """Return by number of a version the codes that ended with it."""
    cells = select(span.c.from_number, span.c.to_number, cell.c.code).join(
        cell, cell.c.id == span.c.cell_id
    )
    ended = cells.where(
        span.c.branch_id == branch_id, span.c.to_number > after, span.c.to_number < FOREVER
    )
    began = cells.where(span.c.branch_id == branch_id, span.c.from_number > after)
    found: dict[int, set[str]] = {}
    for row in connection.execute(ended):
        found.setdefault(row.to_number, set()).add(row.code)
    for row in connection.execute(began):
        found.get(row.from_number, set()).discard(row.code)
    return found


def next_number(connection: Connection, plan_id: str) -> int:
    """Return the number of the next version of a plan."""
    query = select(func.max(version.c.number)).where(version.c.plan_id == plan_id)
    return int(connection.execute(query).scalar() or 0) + 1
