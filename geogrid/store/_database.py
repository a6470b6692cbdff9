"""Transactions: readers see one moment, one writer at a time, all of a change or none of it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from geogrid.errors import StoreError
from geogrid.store._backend import unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

    from geogrid.store._backend import Backend

__all__ = ["Database", "new_id"]


def new_id() -> str:
    """Return a name that nothing else has."""
    return secrets.token_hex(8)


class Database:
    """An open database.

    Parameters
    ----------
    engine, backend
        What :func:`geogrid.store._backend.connect` gave.
    clock
        Says what time it is, with its zone.
    """

    def __init__(self, engine: Engine, backend: Backend, clock: Callable[[], datetime]) -> None:
        self.engine = engine
        self.backend = backend
        self._clock = clock

    def moment(self) -> datetime:
        """Return the time in UTC."""
        return self._clock().astimezone(UTC)

    def now(self) -> str:
        """Return the time in UTC as text; later times sort later."""
        return self.moment().isoformat(timespec="microseconds")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the store.

        Raises
        ------
        StoreError
            If the database does not answer.
        """
        try:
            with self.engine.connect() as plain:
                connection = plain.execution_options(is_reader=True)
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            raise unreachable(error, self.engine.url) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the connection of the only writer; leaving with an error undoes everything.

        Raises
        ------
        StoreError
            If the database does not answer, or refuses the change.
        """
        try:
            with self.engine.begin() as connection:
                self.backend.lock(connection)
                yield connection
        except SQLAlchemyError as error:
            raise unreachable(error, self.engine.url) from error

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def require_text(value: str, what: str) -> str:
    """Return a name without the blanks around it.

    Raises
    ------
    StoreError
        If nothing is left.
    """
    name = value.strip()
    if not name:
        msg = f"{what} must not be empty: give it a name"
        raise StoreError(msg)
    return name
