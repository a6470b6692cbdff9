"""Copy a store while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, cast

from geogrid.errors import OutputError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.store._database import Database

__all__ = ["back_up"]


def back_up(database: Database, target: Path) -> Path:
    """Copy a SQLite store; see :meth:`geogrid.store.Store.backup`."""
    if database.backend.name != "sqlite":
        msg = "a PostGIS store is copied by pg_dump -Fc, and brought back by pg_restore"
        raise StoreError(msg)
    if target.exists():
        msg = f"{target.name} is there already: give the backup a new name"
        raise OutputError(msg)
    raw = database.engine.raw_connection()
    try:
        # As the store itself, it is for its owner alone.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600))
        with closing(sqlite3.connect(target)) as copy:
            cast("sqlite3.Connection", raw.driver_connection).backup(copy)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        msg = f"{target.name} could not be written ({error}): is there room, and the right?"
        raise OutputError(msg) from error
    finally:
        raw.close()
    return target
