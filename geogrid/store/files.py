"""Files that belong to projects and plans: uploads, maps, and what was counted for a version.

They lie in the database and not beside it, so that one backup has everything and a server of
databases has them too. The sealed list tells of them by name, never what is in them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from geogrid.errors import NotStoredError
from geogrid.store._catalog import find_version, row_of
from geogrid.store._database import new_id, require_text
from geogrid.store._schema import file, plan, project
from geogrid.store.audit import record
from geogrid.vocabulary import FileRole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

    from geogrid.store._database import Database

__all__ = ["Files", "NewFile", "StoredFile", "put_file"]

_NO_FACTS: Mapping[str, Any] = MappingProxyType({})
# Everything but what is in it, which may be large.
_ABOUT = [column for column in file.c if column.name != "content"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What is known of a file.

    Attributes
    ----------
    project_id, plan_id, version_id
        What it belongs to; "" where it belongs to no plan, or was made for no version.
    role
        What it is to them.
    name, media, size, sha256
        Its name, its media type, its bytes, and the SHA-256 of them as hex.
    facts
        What was found out when it came (JSON values), such as ``rows`` and ``notes``.
    owner, created_at
        Who added it, and when (UTC).
    """

    id: str
    project_id: str
    plan_id: str
    version_id: str
    role: FileRole
    name: str
    media: str
    size: int
    sha256: str
    facts: Mapping[str, Any]
    owner: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewFile:
    """A file that comes in together with the version that it was made for.

    Attributes
    ----------
    content
        What is in it.
    role, name, media, facts
        See :class:`StoredFile`.
    """

    content: bytes
    role: FileRole
    name: str
    media: str
    facts: Mapping[str, Any]


class Files:
    """The files of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(  # noqa: PLR0913 - what a file is
        self,
        content: bytes,
        *,
        role: FileRole,
        name: str,
        media: str,
        actor: str,
        project_id: str,
        plan_id: str = "",
        version_id: str = "",
        facts: Mapping[str, Any] = _NO_FACTS,
    ) -> StoredFile:
        """Keep a file.

        Parameters
        ----------
        content
            What is in it.
        role, name, media, facts
            See :class:`StoredFile`.
        actor
            Who adds it.
        project_id, plan_id, version_id
            What it belongs to.

        Raises
        ------
        NotStoredError
            If there is no such project, or it has no such plan, or that no such version.
        StoreError
            If the name is empty.
        """
        new = NewFile(content=content, role=FileRole(role), name=name, media=media, facts=facts)
        at = self._database.now()
        with self._database.writing() as connection:
            return put_file(connection, new, (project_id, plan_id, version_id), actor=actor, at=at)

    def get(self, file_id: str) -> StoredFile:
        """Return what is known of a file; :class:`~geogrid.errors.NotStoredError` if none."""
        with self._database.reading() as connection:
            return _find(connection, file_id)

    def find(
        self,
        *,
        project_id: str | None = None,
        plan_id: str | None = None,
        role: FileRole | None = None,
    ) -> list[StoredFile]:
        """Return files, the oldest first: of one project, plan and role, or of any."""
        query = select(*_ABOUT).order_by(file.c.created_at, file.c.id)
        if project_id is not None:
            query = query.where(file.c.project_id == project_id)
        if plan_id is not None:
            query = query.where(file.c.plan_id == (plan_id or None))
        if role is not None:
            query = query.where(file.c.role == FileRole(role).value)
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def content(self, file_id: str) -> bytes:
        """Return what is in a file; raises as :meth:`get`."""
        with self._database.reading() as connection:
            _find(connection, file_id)
            query = select(file.c.content).where(file.c.id == file_id)
            return bytes(connection.execute(query).scalar_one())

    def remove(self, file_id: str, *, actor: str) -> None:
        """Forget a file, for good; raises as :meth:`get`."""
        with self._database.writing() as connection:
            known = _find(connection, file_id)
            connection.execute(delete(file).where(file.c.id == file_id))
            at = self._database.now()
            record(connection, at, actor, "remove file", file_id, _told(known))


def put_file(
    connection: Connection, new: NewFile, place: tuple[str, str, str], *, actor: str, at: str
) -> StoredFile:
    """Keep a file in the transaction of whoever writes; raises as :meth:`Files.add`.

    Parameters
    ----------
    place
        Project, plan and version that it belongs to; "" for none.
    """
    project_id, plan_id, version_id = place
    title = require_text(new.name, "the name of a file")
    known = StoredFile(
        id=new_id(), project_id=project_id, plan_id=plan_id, version_id=version_id,
        role=new.role, name=title, media=new.media, size=len(new.content),
        sha256=hashlib.sha256(new.content).hexdigest(), facts=dict(new.facts), owner=actor,
        created_at=at,
    )  # fmt: skip
    _require_place(connection, known)
    connection.execute(
        insert(file).values(
            id=known.id, project_id=project_id, plan_id=plan_id or None,
            version_id=version_id or None, role=known.role.value, name=title,
            media=known.media, size=known.size, sha256=known.sha256, owner=actor,
            facts=json.dumps(known.facts, ensure_ascii=False, sort_keys=True),
            created_at=at, content=new.content,
        )
    )  # fmt: skip
    record(connection, at, actor, "add file", known.id, _told(known))
    return known


def _require_place(connection: Connection, known: StoredFile) -> None:
    row_of(connection, project, known.project_id)
    if known.plan_id and row_of(connection, plan, known.plan_id).project_id != known.project_id:
        msg = f"plan {known.plan_id} is one of another project: name a plan of this one"
        raise NotStoredError(msg)
    if known.version_id and find_version(connection, known.version_id).plan_id != known.plan_id:
        msg = f"version {known.version_id} is one of another plan: name a version of this one"
        raise NotStoredError(msg)


def _find(connection: Connection, file_id: str) -> StoredFile:
    row = connection.execute(select(*_ABOUT).where(file.c.id == file_id)).first()
    if row is None:
        msg = f"the store holds no file {file_id!r}: look at the list of what it holds"
        raise NotStoredError(msg)
    return _stored(row)


def _told(known: StoredFile) -> dict[str, str]:
    return {
        "project": known.project_id, "plan": known.plan_id, "role": known.role.value,
        "name": known.name, "sha256": known.sha256,
    }  # fmt: skip


def _stored(row: Row[tuple[Any, ...]]) -> StoredFile:
    values = dict(row._asdict())
    return StoredFile(
        **values
        | {
            "plan_id": values["plan_id"] or "",
            "version_id": values["version_id"] or "",
            "role": FileRole(values["role"]),
            "facts": json.loads(values["facts"]),
        }
    )
