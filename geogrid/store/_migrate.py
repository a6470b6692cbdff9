"""Bring the tables of a store to the shape that this program knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from geogrid.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from geogrid.store._backend import Backend

__all__ = ["HEAD", "upgrade"]

HEAD = "0006"


def upgrade(engine: Engine, backend: Backend) -> None:
    """Run the missing steps in one transaction, while nobody else does.

    Raises
    ------
    StoreError
        If the store was written by a newer program.
    """
    with engine.connect().execution_options(is_reader=True) as connection, connection.begin():
        if _stands_at(connection) == HEAD:
            return
    with engine.begin() as connection:
        backend.lock(connection)
        # Another process may have been faster.
        if _stands_at(connection) != HEAD:
            _run(connection, backend)


def _stands_at(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found or "")


def _run(connection: Connection, backend: Backend) -> None:
    # Only a store that is not up to date pays for loading it.
    from alembic import command  # noqa: PLC0415 - a third of a second
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", "geogrid.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, backend=backend)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        msg = (
            f"the store was written by a newer geogrid (its tables stand at "
            f"{_stands_at(connection)}): update geogrid"
        )
        raise StoreError(msg) from error
