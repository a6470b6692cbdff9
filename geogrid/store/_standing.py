"""How a version comes into force: 草案, 已提交, 已审核, 生效, 归档."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from geogrid.errors import StateError
from geogrid.store._catalog import find_version, row_of
from geogrid.store._schema import project, standing
from geogrid.store.audit import record
from geogrid.store.records import standing_of
from geogrid.vocabulary import PlanState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Connection, Row

    from geogrid.store._database import Database
    from geogrid.store.records import Standing

__all__ = ["TRANSITIONS", "advance", "in_force_at", "standing_at"]

TRANSITIONS: Mapping[PlanState, frozenset[PlanState]] = {
    PlanState.DRAFT: frozenset({PlanState.SUBMITTED}),
    # Whoever looks at it may give it back.
    PlanState.SUBMITTED: frozenset({PlanState.REVIEWED, PlanState.DRAFT}),
    PlanState.REVIEWED: frozenset({PlanState.IN_FORCE, PlanState.DRAFT}),
    PlanState.IN_FORCE: frozenset({PlanState.ARCHIVED}),
    PlanState.ARCHIVED: frozenset(),
}


def advance(
    database: Database,
    version_id: str,
    state: PlanState,
    actor: str,
    *,
    effective_from: date | None = None,
    effective_to: date | None = None,
    supersede: bool = False,
) -> Standing:
    """Bring a version into another state; see :meth:`geogrid.store.Store.advance`."""
    wanted = PlanState(state)
    with database.writing() as connection:
        row = _require_step(connection, version_id, wanted)
        at = database.now()
        values: dict[str, Any] = {"state": wanted.value, "changed_at": at, "changed_by": actor}
        if wanted is PlanState.IN_FORCE:
            first, last = _dates(effective_from, effective_to)
            _make_room(connection, row, first, last, actor, at, supersede=supersede)
            values |= {"effective_from": first, "effective_to": last}
        elif wanted is PlanState.ARCHIVED:
            values |= _ended(row, effective_to or database.moment().date())
        connection.execute(
            update(standing).where(standing.c.version_id == version_id).values(values)
        )
        details = {"from": row.state, "to": wanted.value} | {
            name: values[name] for name in ("effective_from", "effective_to") if name in values
        }
        record(connection, at, actor, "change state", version_id, details)
        return _standing(connection, version_id)


def standing_at(database: Database, version_id: str) -> Standing:
    """Return how far a version has come.

    Raises
    ------
    NotStoredError
        If there is no such version.
    """
    with database.reading() as connection:
        find_version(connection, version_id)
        return _standing(connection, version_id)


def in_force_at(database: Database, project_id: str, day: date) -> Standing | None:
    """Return which version of a project is, or was, in force on a day."""
    with database.reading() as connection:
        row_of(connection, project, project_id)
        for row in _effective(connection, project_id):
            if row.effective_from <= day.isoformat() < (row.effective_to or "9999-12-31"):
                return standing_of(row)
    return None


def _standing(connection: Connection, version_id: str) -> Standing:
    query = select(standing).where(standing.c.version_id == version_id)
    return standing_of(connection.execute(query).one())


def _require_step(connection: Connection, version_id: str, wanted: PlanState) -> Row[Any]:
    known = find_version(connection, version_id)
    query = select(standing).where(standing.c.version_id == version_id)
    row = connection.execute(query).one()
    now = PlanState(row.state)
    if wanted not in TRANSITIONS[now]:
        allowed = "、".join(one.label_zh for one in PlanState if one in TRANSITIONS[now]) or "无"
        msg = (
            f"version {version_id} is {now.value} ({now.label_zh}) and cannot become "
            f"{wanted.value} ({wanted.label_zh}): allowed next: {allowed} "
            f"(当前为{now.label_zh}，下一步只能是：{allowed})"
        )
        raise StateError(msg)
    if known.is_draft:
        msg = (
            f"version {version_id} has {len(known.defects)} open defects and is not proven: "
            "repair it and commit again before it is submitted "
            f"(还有 {len(known.defects)} 处问题，未经证明：请修复后再提交)"
        )
        raise StateError(msg)
    return row


def _dates(first: date | None, last: date | None) -> tuple[str, str | None]:
    if first is None:
        msg = "a version comes into force on a day: give effective_from"
        raise StateError(msg)
    if last is not None and last <= first:
        msg = f"the version would end on {last}, not after it begins on {first}: swap the dates"
        raise StateError(msg)
    return first.isoformat(), None if last is None else last.isoformat()


def _ended(row: Row[Any], last: date) -> dict[str, str]:
    """Return the end of a version that is put away; one that never began ends as it begins."""
    end = max(last.isoformat(), row.effective_from)
    return {"effective_to": min(end, row.effective_to or end)}


def _effective(connection: Connection, project_id: str) -> list[Row[Any]]:
    query = select(standing).where(
        standing.c.project_id == project_id, standing.c.effective_from.is_not(None)
    )
    return list(connection.execute(query.order_by(standing.c.effective_from)).all())


def _make_room(
    connection: Connection,
    row: Row[Any],
    first: str,
    last: str | None,
    actor: str,
    at: str,
    *,
    supersede: bool,
) -> None:
    """See that no other version of the project is in force on any of the days."""
    for other in _effective(connection, row.project_id):
        begins, ends = other.effective_from, other.effective_to
        if (ends is not None and ends <= first) or (last is not None and last <= begins):
            continue
        if begins == ends:
            continue
        if not supersede or begins >= first or other.state != PlanState.IN_FORCE:
            msg = (
                f"version {other.version_id} is in force from {begins} to {ends or '…'}: end it "
                "first, choose other days, or let this one supersede it"
            )
            raise StateError(msg)
        connection.execute(
            update(standing)
            .where(standing.c.version_id == other.version_id)
            .values(effective_to=first, changed_at=at, changed_by=actor)
        )
        details = {"effective_to": first, "by": row.version_id}
        record(connection, at, actor, "supersede", other.version_id, details)
