"""What differs between SQLite and PostGIS: locks, spatial indexes, triggers, and how to connect."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import shapely
from pyproj import Transformer
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from geogrid.errors import StoreError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt
    from pyproj import CRS
    from sqlalchemy import Connection, Table

__all__ = ["Backend", "connect", "unreachable"]

_LOCK_KEY = 0x67656F67
_WAIT_S = 30
_TRIES = 100
_MANY = 1000
_APPEND_ONLY = ("audit", "version")


class Backend(Protocol):
    """How one kind of database does what SQL has no common words for."""

    name: str

    def lock(self, connection: Connection) -> None:
        """Let nobody else write before this transaction ends."""

    def make_place_index(self, connection: Connection) -> None:
        """Make the spatial index of cells and the triggers that keep history as it is."""

    def add_rows(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Add many rows, all with the same columns."""

    def add_places(
        self,
        connection: Connection,
        ids: Sequence[int],
        shapes: npt.NDArray[np.object_],
        crs: CRS | None,
    ) -> None:
        """Enter cells into the spatial index."""

    box_query: str


class SqliteBackend:
    """One file: write-ahead log, R*Tree."""

    name = "sqlite"
    # The tree rounds boxes outwards, so that it never misses one.
    box_query = (
        "SELECT id FROM cell_place WHERE max_x >= :low_x AND min_x <= :high_x "
        "AND max_y >= :low_y AND min_y <= :high_y"
    )

    def lock(self, connection: Connection) -> None:
        """Do nothing: the transaction began as the only writer."""

    def make_place_index(self, connection: Connection) -> None:
        """Make the R*Tree and the triggers."""
        connection.execute(
            text("CREATE VIRTUAL TABLE cell_place USING rtree(id, min_x, max_x, min_y, max_y)")
        )
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                connection.execute(
                    text(
                        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                    )
                )

    def add_rows(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows, past the layer that looks at each value."""
        names = list(rows[0])
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - names of our own tables
            [tuple(row[name] for name in names) for row in rows],
        )

    def add_places(
        self,
        connection: Connection,
        ids: Sequence[int],
        shapes: npt.NDArray[np.object_],
        crs: CRS | None,  # noqa: ARG002 - boxes are in the plan's own metres
    ) -> None:
        """Enter the boxes of cells."""
        boxes = shapely.bounds(shapes)[:, [0, 2, 1, 3]].tolist()
        rows = [(one, *box) for one, box in zip(ids, boxes, strict=True)]
        if rows:
            connection.exec_driver_sql("INSERT INTO cell_place VALUES (?, ?, ?, ?, ?)", rows)


class PostgisBackend:
    """A server: advisory lock, GiST, and a column in web mercator for tiles."""

    name = "postgresql"
    box_query = (
        "SELECT id FROM cell_place WHERE geom && ST_MakeEnvelope(:low_x, :low_y, :high_x, :high_y)"
    )

    def lock(self, connection: Connection) -> None:
        """Wait for the other writers."""
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))

    def make_place_index(self, connection: Connection) -> None:
        """Make the table of shapes with its indexes, and the triggers."""
        statements = [
            "CREATE EXTENSION IF NOT EXISTS postgis",
            (
                "CREATE TABLE cell_place (id bigint PRIMARY KEY REFERENCES cell (id), "
                "geom geometry(Geometry, 0) NOT NULL, geom_3857 geometry(Geometry, 3857))"
            ),
            "CREATE INDEX ix_cell_place_geom ON cell_place USING gist (geom)",
            "CREATE INDEX ix_cell_place_geom_3857 ON cell_place USING gist (geom_3857)",
            (
                "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
                "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
            ),
        ]
        statements += [
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
            for table in _APPEND_ONLY
        ]
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))

    def add_rows(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Copy rows in."""
        names = list(rows[0])
        _copy(connection, table.name, names, ([row[name] for name in names] for row in rows))

    def add_places(
        self,
        connection: Connection,
        ids: Sequence[int],
        shapes: npt.NDArray[np.object_],
        crs: CRS | None,
    ) -> None:
        """Copy the shapes of cells in, also in web mercator."""
        own = shapely.to_wkb(shapes, hex=True).tolist()
        tiles: list[str | None] = [None] * len(own)
        if crs is not None:
            tiles = shapely.to_wkb(_mercator(shapes, crs), hex=True, include_srid=True).tolist()
        rows = zip(ids, own, tiles, strict=True)
        _copy(connection, "cell_place", ["id", "geom", "geom_3857"], rows)


def _copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        count = 0
        for count, row in enumerate(rows, start=1):  # noqa: B007 - how many there were
            copy.write_row(row)
    if count > _MANY:
        # Else it searches a table that it believes to be empty until it next looks at it.
        connection.execute(text(f"ANALYZE {table}"))


@lru_cache(maxsize=8)
def _to_web(crs: str) -> Transformer:
    """Look a way up once: that takes longer than all else of a small edit."""
    return Transformer.from_crs(crs, 3857, always_xy=True)


def _mercator(shapes: npt.NDArray[np.object_], crs: CRS) -> npt.NDArray[np.object_]:
    to_web = _to_web(crs.to_wkt())
    xy = shapely.get_coordinates(shapes)
    moved = np.column_stack(to_web.transform(xy[:, 0], xy[:, 1]))
    return np.asarray(shapely.set_srid(shapely.set_coordinates(shapes.copy(), moved), 3857))


def connect(where: str | Path) -> tuple[Engine, Backend]:
    """Return an engine for a database, and how to speak with it.

    Parameters
    ----------
    where
        ``postgresql://user@host/name``, ``sqlite:///file`` or the path of a file.

    Raises
    ------
    StoreError
        If it is no address of either kind, or nothing answers there.
    """
    url = _url(where)
    try:
        if url.get_backend_name() == "sqlite":
            return _sqlite(url), SqliteBackend()
        engine = create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        msg = (
            f"{url.drivername} needs a package that is not installed: pip install geogrid[postgis]"
        )
        raise StoreError(msg) from error
    return engine, PostgisBackend()


def _url(where: str | Path) -> URL:
    words = str(where)
    if "://" not in words:
        return URL.create("sqlite", database=str(Path(words).absolute()))
    try:
        url = make_url(words)
    except ArgumentError as error:
        msg = "the address of the store cannot be read: give sqlite:///FILE or postgresql://…"
        raise StoreError(msg) from error
    if url.drivername in {"postgresql", "postgres", "postgis"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite" or not url.database or url.database == ":memory:":
        msg = f"a store of kind {url.drivername} is not known: use a SQLite file or postgresql://…"
        raise StoreError(msg)
    return url


def _sqlite(url: URL) -> Engine:
    file = Path(url.database or "")
    if not file.parent.is_dir():
        msg = f"the folder {file.parent.name} of the store does not exist: make it first"
        raise StoreError(msg)
    # It may hold where people live: a new one is for its owner alone, as is what lies beside it.
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_RDONLY, 0o600))
    engine = create_engine(url, connect_args={"timeout": _WAIT_S})

    @event.listens_for(engine, "connect")
    def _set_up(raw: sqlite3.Connection, _: object) -> None:
        # Transactions begin where we say so, not where the driver guesses.
        raw.isolation_level = None
        cursor = raw.cursor()
        _write_ahead(cursor)
        # A commit that was answered survives a power cut, not only a killed process.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_reader = connection.get_execution_options().get("is_reader", False)
        connection.exec_driver_sql("BEGIN" if is_reader else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Turn the log on; this once needs the file alone, and waiting is not built in for it."""
    for left in reversed(range(_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not left or "locked" not in str(error):
                raise
            time.sleep(_WAIT_S / _TRIES)
        else:
            return


def unreachable(error: SQLAlchemyError, url: URL) -> UnreachableError:
    """Return what to say when a database does not answer, without its password."""
    shown = url.render_as_string(hide_password=True)
    first = str(getattr(error, "orig", error)).strip().splitlines()[0]
    why = "does not answer" if isinstance(error, OperationalError) else "cannot be used"
    msg = f"the store {shown} {why} ({first}): check its address and its rights"
    return UnreachableError(msg)
