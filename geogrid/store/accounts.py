"""Who may come in: accounts, their roles and keys for programs.

Only hashes are kept: of passwords the argon2 text that whoever checks them has made, of keys the
SHA-256 of a long random secret. Neither they nor names of people are ever logged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from geogrid.errors import NotStoredError, StateError, StoreError
from geogrid.store._catalog import row_of
from geogrid.store._database import new_id, require_text
from geogrid.store._schema import account, api_key, login_session, role_grant
from geogrid.store.audit import record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from geogrid.store._database import Database

__all__ = ["Account", "Accounts", "Grant", "Secret", "account_of", "require_sha256"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ARGON2 = re.compile(r"\$argon2(id|i|d)\$\S+")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role, and the code prefix of the area (街道) that it ends at; "" is everywhere."""

    role: str
    area: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody, or some program, that may come in.

    Attributes
    ----------
    name, display_name
        What is typed to come in, and what others see.
    password_hash
        "" where no password opens it.
    is_active
        Whether it may come in at all.
    grants
        What it may do, and where.
    """

    id: str
    name: str
    display_name: str
    password_hash: str
    is_active: bool
    created_at: str
    grants: tuple[Grant, ...]

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"Account(id={self.id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A key of an account, without the secret itself; "" in a date is open."""

    id: str
    account_id: str
    label: str
    created_at: str
    expires_at: str
    revoked_at: str


class Accounts:
    """The accounts of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        *,
        actor: str,
        display_name: str = "",
        password_hash: str | None = None,
        grants: Iterable[Grant] = (),
    ) -> Account:
        """Add an account.

        Raises
        ------
        StoreError
            If the name is empty or taken, or the password is not an argon2 hash.
        """
        title = require_text(name, "the name of an account")
        _require_hash(password_hash)
        with self._database.writing() as connection:
            _require_free(connection, title)
            at, made = self._database.now(), new_id()
            connection.execute(
                insert(account).values(
                    id=made, name=title, display_name=display_name or title, is_active=True,
                    password_hash=password_hash, created_at=at,
                )
            )  # fmt: skip
            _set_grants(connection, made, grants)
            record(connection, at, actor, "create account", made, _named(grants))
            return account_of(connection, row_of(connection, account, made))

    def get(self, account_id: str) -> Account:
        """Return an account.

        Raises
        ------
        NotStoredError
            If there is none.
        """
        with self._database.reading() as connection:
            return account_of(connection, row_of(connection, account, account_id))

    def by_name(self, name: str) -> Account | None:
        """Return the account of a name, ``None`` where there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(account).where(account.c.name == name.strip())).first()
            return None if row is None else account_of(connection, row)

    def all(self) -> list[Account]:
        """Return all accounts by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(account).order_by(account.c.name)).all()
            return [account_of(connection, row) for row in rows]

    def rename(self, account_id: str, name: str, *, actor: str) -> Account:
        """Call an account by another name; who is signed in stays so.

        Raises
        ------
        NotStoredError
            If there is no such account.
        StoreError
            If the name is empty, or another account has it.
        """
        title = require_text(name, "the name of an account")
        with self._database.writing() as connection:
            row = row_of(connection, account, account_id)
            if row.name != title:
                _require_free(connection, title)
                connection.execute(
                    update(account).where(account.c.id == account_id).values(name=title)
                )
                at = self._database.now()
                record(connection, at, actor, "rename account", account_id)
            return account_of(connection, row_of(connection, account, account_id))

    def set_password(self, account_id: str, password_hash: str | None, *, actor: str) -> None:
        """Put another hash in the place of the password; all sessions end.

        Where somebody else does that, the keys of the account open nothing any more either.

        Raises
        ------
        NotStoredError
            If there is no such account.
        StoreError
            If it is not an argon2 hash.
        """
        _require_hash(password_hash)
        self._change(
            account_id, actor, "set password", {"password_hash": password_hash},
            ends_keys=actor != account_id,
        )  # fmt: skip

    def set_active(
        self, account_id: str, *, is_active: bool, actor: str, must_stay: Grant | None = None
    ) -> None:
        """Let an account in again, or keep it out; raises as :meth:`set_grants`."""
        action = "open account" if is_active else "close account"
        self._change(account_id, actor, action, {"is_active": is_active}, must_stay)

    def set_grants(
        self, account_id: str, grants: Iterable[Grant], *, actor: str,
        must_stay: Grant | None = None,
    ) -> Account:  # fmt: skip
        """Say anew what an account may do.

        Parameters
        ----------
        must_stay
            A grant that some account which may come in must have afterwards, if one had it before.

        Raises
        ------
        NotStoredError
            If there is no such account.
        StateError
            If nobody would have that grant any more.
        """
        wanted = list(grants)
        with self._database.writing() as connection:
            row = row_of(connection, account, account_id)
            held = _is_held(connection, must_stay)
            _set_grants(connection, account_id, wanted)
            _require_held(connection, must_stay, held)
            record(connection, self._database.now(), actor, "set roles", account_id, _named(wanted))
            return account_of(connection, row)

    def add_key(
        self, account_id: str, secret_hash: str, *, label: str, actor: str,
        expires_at: datetime | None = None,
    ) -> Secret:  # fmt: skip
        """Add a key for programs.

        Parameters
        ----------
        secret_hash
            SHA-256 of the key as 64 hexadecimal digits.

        Raises
        ------
        NotStoredError
            If there is no such account.
        StoreError
            If it is no such hash, or there already.
        """
        require_sha256(secret_hash)
        with self._database.writing() as connection:
            row_of(connection, account, account_id)
            known = select(api_key.c.id).where(api_key.c.hash == secret_hash)
            if connection.execute(known).first():
                msg = "this secret is in use already: make another"
                raise StoreError(msg)
            at, made = self._database.now(), new_id()
            connection.execute(
                insert(api_key).values(
                    id=made, account_id=account_id, hash=secret_hash, created_at=at, label=label,
                    expires_at=None if expires_at is None else _utc(expires_at),
                )
            )  # fmt: skip
            record(connection, at, actor, "create api_key", account_id, {"id": made})
            return _secret(row_of(connection, api_key, made))

    def of_key(self, secret_hash: str) -> Account | None:
        """Return the active account whose key this is, ``None`` where it opens nothing."""
        query = (
            select(account)
            .join(api_key, api_key.c.account_id == account.c.id)
            .where(
                api_key.c.hash == secret_hash,
                api_key.c.revoked_at.is_(None),
                (api_key.c.expires_at.is_(None)) | (api_key.c.expires_at > self._database.now()),
                account.c.is_active,
            )
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
            return None if row is None else account_of(connection, row)

    def keys(self, account_id: str) -> list[Secret]:
        """Return the keys of an account, the oldest first."""
        query = select(api_key).where(api_key.c.account_id == account_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(api_key.c.created_at, api_key.c.id))
            return [_secret(row) for row in rows]

    def revoke_key(self, key_id: str, *, actor: str, account_id: str | None = None) -> None:
        """Let a key open nothing any more.

        Parameters
        ----------
        account_id
            Whose it must be, where that matters.

        Raises
        ------
        NotStoredError
            If there is no such key.
        """
        with self._database.writing() as connection:
            row = row_of(connection, api_key, key_id)
            if account_id not in {None, row.account_id}:
                msg = f"there is no key {key_id!r} of this account"
                raise NotStoredError(msg)
            if not row.revoked_at:
                _revoke(connection, row, actor, self._database.now())

    def _change(
        self, account_id: str, actor: str, action: str, values: dict[str, Any],
        must_stay: Grant | None = None, *, ends_keys: bool = False,
    ) -> None:  # fmt: skip
        with self._database.writing() as connection:
            row_of(connection, account, account_id)
            at = self._database.now()
            held = _is_held(connection, must_stay)
            connection.execute(update(account).where(account.c.id == account_id).values(values))
            _require_held(connection, must_stay, held)
            connection.execute(
                update(login_session)
                .where(login_session.c.account_id == account_id)
                .values(revoked_at=at)
            )
            record(connection, at, actor, action, account_id)
            query = select(api_key).where(api_key.c.account_id == account_id)
            held_keys = query.where(api_key.c.revoked_at.is_(None)).order_by(api_key.c.created_at)
            for row in connection.execute(held_keys).all() if ends_keys else ():
                _revoke(connection, row, actor, at)


def _require_free(connection: Connection, name: str) -> None:
    if connection.execute(select(account.c.id).where(account.c.name == name)).first():
        msg = "there is an account of this name already: choose another"
        raise StoreError(msg)


def _revoke(connection: Connection, key: Row[Any], actor: str, at: str) -> None:
    connection.execute(update(api_key).where(api_key.c.id == key.id).values(revoked_at=at))
    record(connection, at, actor, "revoke key", key.account_id, {"key": key.id})


def require_sha256(secret_hash: str) -> None:
    """Refuse what is not the hash of a secret.

    Raises
    ------
    StoreError
        If it is not a SHA-256 as 64 hexadecimal digits.
    """
    if not _SHA256.fullmatch(secret_hash):
        msg = "only the SHA-256 of a secret is stored: give its 64 hexadecimal digits"
        raise StoreError(msg)


def _is_held(connection: Connection, grant: Grant | None) -> bool:
    """Tell whether an account that may come in has a grant."""
    if grant is None:
        return False
    query = (
        select(account.c.id)
        .join(role_grant, role_grant.c.account_id == account.c.id)
        .where(
            account.c.is_active, role_grant.c.role == grant.role, role_grant.c.area == grant.area
        )
    )
    return connection.execute(query).first() is not None


def _require_held(connection: Connection, grant: Grant | None, was_held: bool) -> None:  # noqa: FBT001 - what :func:`_is_held` said
    if grant is not None and was_held and not _is_held(connection, grant):
        where = grant.area or "the whole store"
        msg = (
            f"nobody would be {grant.role} of {where} any more: give somebody else that first "
            "(至少要保留一名管理员)"
        )
        raise StateError(msg)


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        msg = f"the moment {moment} has no time zone: give it one"
        raise StoreError(msg)
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _require_hash(password_hash: str | None) -> None:
    if password_hash is not None and not _ARGON2.fullmatch(password_hash):
        msg = "only argon2 hashes of passwords are stored: hash it first"
        raise StoreError(msg)


def _set_grants(connection: Connection, account_id: str, grants: Iterable[Grant]) -> None:
    connection.execute(delete(role_grant).where(role_grant.c.account_id == account_id))
    rows = [{"account_id": account_id, "role": one.role, "area": one.area} for one in {*grants}]
    if rows:
        connection.execute(insert(role_grant), rows)


def _named(grants: Iterable[Grant]) -> dict[str, Any]:
    return {"roles": [[one.role, one.area] for one in sorted(grants)]}


def account_of(connection: Connection, row: Row[Any]) -> Account:
    """Return the account that a row holds."""
    grants = connection.execute(
        select(role_grant.c.role, role_grant.c.area).where(role_grant.c.account_id == row.id)
    )
    return Account(
        id=row.id, name=row.name, display_name=row.display_name, is_active=row.is_active,
        password_hash=row.password_hash or "", created_at=row.created_at,
        grants=tuple(sorted(Grant(role, area) for role, area in grants)),
    )  # fmt: skip


def _secret(row: Row[Any]) -> Secret:
    return Secret(
        id=row.id, account_id=row.account_id, label=getattr(row, "label", ""),
        created_at=row.created_at, expires_at=row.expires_at or "",
        revoked_at=row.revoked_at or "",
    )  # fmt: skip
