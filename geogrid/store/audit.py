"""What was done, by whom and when: a list that only grows, each entry sealed by the next.

The hash of an entry is the SHA-256 of its own fields and of the hash before it, as JSON with
sorted keys. Changing, taking out or putting in an entry breaks every hash behind it. Cutting off
the end leaves a sound shorter chain: who wants to see that too keeps :meth:`AuditLog.seal`
somewhere else and gives it back to :meth:`AuditLog.verify`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select

from geogrid.store._schema import audit, version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from geogrid.store._database import Database

__all__ = ["AuditEntry", "AuditLog", "AuditVerdict", "record"]

_START = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done.

    Attributes
    ----------
    seq
        Its number, from 1.
    at
        When, in UTC.
    actor, action, subject
        Who did what to which thing.
    details
        What else belongs to it; never a household or a password.
    hash
        Its seal.
    """

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """Whether the list is as it was written.

    Attributes
    ----------
    is_sound
        Whether every seal holds.
    entries
        How many there are.
    broken_at
        Number of the first entry whose seal does not hold; ``None`` where all do.
    reason
        What is wrong, in a plain sentence.
    """

    is_sound: bool
    entries: int
    broken_at: int | None = None
    reason: str = ""


class AuditLog:
    """The list of everything that was done to a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sound = (0, _START)

    def entries(self, *, subject: str | None = None) -> list[AuditEntry]:
        """Return the entries in their order, of one subject or all."""
        query = select(audit).order_by(audit.c.seq)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def page(
        self, *, limit: int, before: int | None = None, plan_id: str | None = None
    ) -> list[AuditEntry]:
        """Return some entries, the newest first.

        Parameters
        ----------
        limit
            At most so many.
        before
            Only those with a smaller number.
        plan_id
            Only those of one plan and its versions.
        """
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.seq < before)
        if plan_id is not None:
            query = query.where(_is_of_plan(plan_id))
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def seal(self) -> tuple[int, str]:
        """Return number and hash of the last entry, to be kept elsewhere; (0, zeros) if none."""
        with self._database.reading() as connection:
            return _last(connection)

    def is_whole(self) -> bool:
        """Tell whether every seal holds; those that held before are not looked at again.

        What is asked often must not take longer with every entry. :meth:`verify` looks at all.
        """
        number, seal = self._sound
        query = select(audit).where(audit.c.seq >= number).order_by(audit.c.seq)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        if number and (not rows or rows[0].hash != seal):
            return False
        for row in rows[1:] if number else rows:
            if row.seq != number + 1 or row.previous != seal or row.hash != _hash(row._asdict()):
                return False
            number, seal = row.seq, str(row.hash)
        self._sound = (number, seal)
        return True

    def verify(self, seal: tuple[int, str] | None = None) -> AuditVerdict:
        """Check every seal.

        Parameters
        ----------
        seal
            What :meth:`seal` gave earlier; then entries cut off at the end are found too.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.seq)).all()
        previous = _START
        for number, row in enumerate(rows, start=1):
            if row.seq != number:
                return _broken(rows, number, f"entry {number} is missing")
            if row.previous != previous or row.hash != _hash(row._asdict()):
                return _broken(rows, number, f"entry {number} is not as it was written")
            previous = row.hash
        if seal is not None and seal[0]:
            if len(rows) < seal[0]:
                return _broken(rows, len(rows) + 1, f"entries from {len(rows) + 1} on are missing")
            if rows[seal[0] - 1].hash != seal[1]:
                return _broken(rows, seal[0], f"entry {seal[0]} is not the one that was sealed")
        return AuditVerdict(is_sound=True, entries=len(rows))


def record(
    connection: Connection,
    at: str,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the transaction of what it tells of; the caller is the only writer."""
    seq, previous = _last(connection)
    values = {
        "seq": seq + 1,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": json.dumps(details or {}, ensure_ascii=False, sort_keys=True),
        "previous": previous,
    }
    connection.execute(insert(audit).values(**values, hash=_hash(values)))


def _is_of_plan(plan_id: str) -> ColumnElement[bool]:
    """Tell entries about a plan, about one of its versions, and those that name it."""
    versions = select(version.c.id).where(version.c.plan_id == plan_id)
    # As :func:`record` writes details, and text that both databases can search.
    named = json.dumps({"plan": plan_id}, ensure_ascii=False)[1:-1]
    is_named = audit.c.details.contains(named, autoescape=True)
    return or_(audit.c.subject == plan_id, audit.c.subject.in_(versions), is_named)


def _last(connection: Connection) -> tuple[int, str]:
    query = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return (0, _START) if row is None else (int(row.seq), str(row.hash))


def _hash(values: Mapping[Any, Any]) -> str:
    named = {str(key): value for key, value in values.items() if str(key) != "hash"}
    text = json.dumps(named, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _broken(rows: Sequence[Row[Any]], at: int, reason: str) -> AuditVerdict:
    return AuditVerdict(is_sound=False, entries=len(rows), broken_at=at, reason=reason)


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        seq=row.seq, at=row.at, actor=row.actor, action=row.action, subject=row.subject,
        details=json.loads(row.details), hash=row.hash,
    )  # fmt: skip
