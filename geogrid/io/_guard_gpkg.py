"""What a GeoPackage may hold besides tables: a database can be told to do more than to answer."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from geogrid.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["require_plain_tables"]

# A virtual table is answered by code, which may open any other file; only the index of places is
# part of the format.
_VIRTUAL = re.compile(r"\bVIRTUAL\s+TABLE\b.*?\bUSING\s+[\"'`\[]?(\w+)", re.IGNORECASE | re.DOTALL)
_INDEX = "rtree"
# Functions of the map library that reach files or the network, as a view could call them.
_REACHING = re.compile(r"\b(ogr_\w+|gdal_\w+|load_extension|readfile)[\"'`\]]?\s*\(", re.IGNORECASE)


def require_plain_tables(file: Path, name: str) -> None:
    """Refuse a GeoPackage with virtual tables, or with views that call what reaches outside.

    Raises
    ------
    InputError
        If it has such, or is no readable database.
    """
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            base.execute("PRAGMA trusted_schema = OFF")
            statements = base.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
            texts = [str(text) for (text,) in statements]
    except sqlite3.Error as error:
        msg = f"{name} is a damaged GeoPackage: export it again"
        raise InputError(msg) from error
    for text in texts:
        virtual = _VIRTUAL.search(text)
        is_foreign = virtual is not None and virtual.group(1).lower() != _INDEX
        if is_foreign or _REACHING.search(text):
            msg = f"{name} holds tables that reach outside the file: export its layer alone"
            raise InputError(msg)
