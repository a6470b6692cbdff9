"""Sessions of browsers, and the secret that the service signs with.

How long a session lives is said by :mod:`geogrid.accounts.tokens`; here is kept what it said.
A token is exchanged in place. The one before it opens on until the new one came back, and a grace
after that: an answer that a browser threw away takes the new token with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from geogrid.accounts.tokens import Session, new_server_key
from geogrid.errors import StoreError
from geogrid.store._catalog import row_of
from geogrid.store._database import new_id
from geogrid.store._schema import account, login_session, secret
from geogrid.store.accounts import Account, account_of, require_sha256
from geogrid.store.audit import record

if TYPE_CHECKING:
    from sqlalchemy import Row

    from geogrid.store._database import Database

__all__ = ["OpenSession", "Sessions"]

_SERVER_KEY = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that opens.

    Attributes
    ----------
    id
        What names it as long as it lives, whatever its token.
    account
        Whose it is.
    session
        Its times, without the token.
    is_newest
        Whether it was opened by its newest token, and not by the one before.
    is_awaited
        Whether the newest token did not come back yet.
    """

    id: str
    account: Account
    session: Session
    is_newest: bool
    is_awaited: bool


class Sessions:
    """The sessions of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, account_id: str, session: Session) -> str:
        """Add the session of a sign-in; those that are over are forgotten.

        Returns
        -------
        str
            What names it.

        Raises
        ------
        NotStoredError
            If there is no such account.
        StoreError
            If its secret is not a SHA-256, or there already.
        """
        require_sha256(session.secret_hash)
        with self._database.writing() as connection:
            row_of(connection, account, account_id)
            at, made = self._database.now(), new_id()
            connection.execute(delete(login_session).where(login_session.c.expires_at <= at))
            found = select(login_session.c.id).where(login_session.c.hash == session.secret_hash)
            if connection.execute(found).first():
                msg = "this secret is in use already: make another"
                raise StoreError(msg)
            values = _times(session) | {"id": made, "account_id": account_id, "used_at": at}
            connection.execute(insert(login_session).values(values))
            record(connection, at, account_id, "create login_session", account_id, {"id": made})
        return made

    def find(self, secret_hash: str) -> OpenSession | None:
        """Return the session of an active account that a token opens, ``None`` if it opens none.

        Parameters
        ----------
        secret_hash
            SHA-256 of the token as 64 hexadecimal digits.
        """
        now, one = self._database.now(), login_session.c
        is_old = (one.old_hash == secret_hash) & (one.old_until.is_(None) | (one.old_until > now))
        query = select(login_session).where(
            or_(one.hash == secret_hash, is_old), one.revoked_at.is_(None), one.expires_at > now
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            whose = account_of(connection, row_of(connection, account, row.account_id))
        if not whose.is_active:
            return None
        return OpenSession(
            id=row.id, account=whose, session=_session(row), is_newest=row.hash == secret_hash,
            is_awaited=row.old_hash is not None and row.old_until is None,
        )  # fmt: skip

    def account(self, session_id: str) -> Account | None:
        """Return the active account that a session lets in, ``None`` once it is over."""
        query = select(account).join(login_session, login_session.c.account_id == account.c.id)
        query = query.where(
            login_session.c.id == session_id, login_session.c.revoked_at.is_(None),
            login_session.c.expires_at > self._database.now(), account.c.is_active,
        )  # fmt: skip
        with self._database.reading() as connection:
            row = connection.execute(query).first()
            return None if row is None else account_of(connection, row)

    def note(self, session_id: str, session: Session, *, old_until: datetime | None = None) -> None:
        """Write down that a session is used, and when it ends now.

        Parameters
        ----------
        old_until
            When the token before the newest one stops to open, once the newest has come back.
        """
        values = {"used_at": self._database.now(), "expires_at": _text(session.expires_at)}
        if old_until is not None:
            values["old_until"] = _text(old_until)
        with self._database.writing() as connection:
            connection.execute(
                update(login_session).where(login_session.c.id == session_id).values(values)
            )

    def exchange(self, session_id: str, session: Session, *, came_by: str, since: datetime) -> bool:
        """Put another token in the place of the newest one.

        Parameters
        ----------
        session
            What takes its place.
        came_by
            SHA-256 of the token that asked: it goes on to open until the new one came back.
        since
            When the newest token was issued.

        Returns
        -------
        bool
            Whether it was done; not if another request was faster.
        """
        require_sha256(session.secret_hash)
        at, one = self._database.now(), login_session.c
        values = _times(session) | {"used_at": at, "old_hash": came_by, "old_until": None}
        with self._database.writing() as connection:
            done = connection.execute(
                update(login_session)
                .where(
                    one.id == session_id, one.issued_at == _text(since), one.revoked_at.is_(None)
                )
                .values(values)
            )
        return done.rowcount == 1

    def end(self, session_id: str) -> None:
        """Let a session open nothing any more, by none of its tokens."""
        with self._database.writing() as connection:
            connection.execute(
                update(login_session)
                .where(login_session.c.id == session_id)
                .values(revoked_at=self._database.now())
            )

    def server_key(self) -> bytes:
        """Return the secret that every process of the service signs with, made once."""
        query = select(secret.c.value).where(secret.c.name == _SERVER_KEY)
        with self._database.reading() as connection:
            known = connection.execute(query).scalar()
        if known is not None:
            return bytes(known)
        with self._database.writing() as connection:
            # Another process may have been faster.
            known = connection.execute(query).scalar()
            if known is None:
                known = new_server_key()
                at = self._database.now()
                values = {"name": _SERVER_KEY, "value": known, "created_at": at}
                connection.execute(insert(secret).values(values))
        return bytes(known)


def _times(session: Session) -> dict[str, Any]:
    return {
        "hash": session.secret_hash, "started_at": _text(session.started_at),
        "issued_at": _text(session.issued_at), "expires_at": _text(session.expires_at),
    }  # fmt: skip


def _session(row: Row[Any]) -> Session:
    return Session(
        secret_hash=row.hash, started_at=datetime.fromisoformat(row.started_at),
        issued_at=datetime.fromisoformat(row.issued_at),
        expires_at=datetime.fromisoformat(row.expires_at),
    )  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
