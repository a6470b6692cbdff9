"""Features of a collection in one coordinate system, ready to be sent, plain and packed.

Features are packed one by one, once, and put together as pieces of one gzip stream: an answer costs
no compression, whichever features are in it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import shapely

from geogrid.api.answers import json_text
from geogrid.api.features import box_shape
from geogrid.api.ogc_crs import CRS84

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geogrid.api.features import FeatureTable
    from geogrid.api.ogc_crs import Bounds, ServedCrs
    from geogrid.api.view import PlanView

__all__ = ["Facts", "Shelf", "Shown", "as_text", "packed"]

_LEVEL = 6
_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Shown:
    """The features of a collection in one coordinate system.

    Parameters
    ----------
    table
        The features.
    system
        The coordinate system.
    """

    def __init__(self, table: FeatureTable, system: ServedCrs) -> None:
        self.table = table
        self.ids = _ids(table)
        self.row_of = {name: row for row, name in enumerate(self.ids)}
        self._is_ready = system.uri == CRS84
        shapes = system.shapes(table)
        self._tree = table.tree if self._is_ready else shapely.STRtree(shapes)
        self._written = system.written(shapes)
        self._plain: list[bytes | None] = [None] * len(self.ids)
        self._packed: list[bytes | None] = [None] * len(self.ids)

    @property
    def properties(self) -> frozenset[str]:
        """Names of the properties that can be asked for."""
        return frozenset(self.table.properties[0]) if self.table.properties else frozenset()

    def rows(self, boxes: Sequence[Bounds] | None, wanted: Mapping[str, str]) -> Sequence[int]:
        """Return the rows of the features that meet any of some boxes and have some values."""
        rows: Sequence[int] = range(len(self.ids))
        if boxes is not None:
            found = [
                self._tree.query(box_shape(*box), predicate="intersects") for box in boxes
            ]  # fmt: skip
            rows = np.unique(np.concatenate(found)).tolist()
        if not wanted:
            return rows
        known = self.table.properties
        return [
            row
            for row in rows
            if all(as_text(known[row].get(key)) == value for key, value in wanted.items())
        ]

    def plain(self, row: int) -> bytes:
        """Return a feature as GeoJSON."""
        found = self._plain[row]
        if found is None:
            found = self._plain[row] = self._made(row)
        return found

    def pack(self, row: int) -> bytes:
        """Return a feature as a piece of a gzip stream."""
        found = self._packed[row]
        if found is None:
            found = self._packed[row] = _deflated(self.plain(row), _LEVEL)
        return found

    def _made(self, row: int) -> bytes:
        name = json_text(self.ids[row])
        if self._is_ready:
            return f'{{"id":{name},{self.table.texts[row][1:]}'.encode()
        values = json_text(self.table.properties[row])
        shape = shapely.to_geojson(self._written[row])
        return (
            f'{{"id":{name},"type":"Feature","properties":{values},"geometry":{shape or "null"}}}'
        ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What all pages of a version tell.

    Attributes
    ----------
    stamp
        When it was made.
    systems
        The coordinate systems of its features, by address.
    storage
        The one in which nothing is rounded off.
    """

    stamp: str
    systems: Mapping[str, ServedCrs]
    storage: str


class Shelf:
    """What was made ready of the versions that are at hand."""

    def __init__(self) -> None:
        self._facts: WeakKeyDictionary[PlanView, Facts] = WeakKeyDictionary()
        self._held: WeakKeyDictionary[PlanView, dict[tuple[str, str], Shown]] = WeakKeyDictionary()
        self._lock = Lock()

    def facts(self, view: PlanView) -> Facts | None:
        """Return what is known of a version, ``None`` if its features are not at hand."""
        with self._lock:
            return self._facts.get(view)

    def learn(self, view: PlanView, facts: Facts) -> None:
        """Keep what is known of a version whose features are at hand."""
        with self._lock:
            self._facts[view] = facts

    def ready(self, view: PlanView, name: str, uri: str) -> Shown | None:
        """Return a collection in a coordinate system, ``None`` if it has to be made."""
        with self._lock:
            return self._held.get(view, {}).get((name, uri))

    def made(self, view: PlanView, name: str, system: ServedCrs) -> Shown:
        """Return a collection in a coordinate system."""
        found = self.ready(view, name, system.uri)
        if found is None:
            found = Shown(view.collections[name], system)
            with self._lock:
                held = self._held.setdefault(view, {})
                found = held.setdefault((name, system.uri), found)
        return found


def as_text(value: object) -> str:
    """Return a value as it is asked for: as JSON writes it, without quotes."""
    return value if isinstance(value, str) else json_text(value)


def packed(head: bytes, pieces: Iterable[bytes], tail: bytes, plain: bytes) -> bytes:
    """Return a list of packed pieces between two texts as one gzip stream.

    Parameters
    ----------
    head, tail
        What stands before and after them.
    pieces
        What :meth:`Shown.pack` gave; a comma comes between them.
    plain
        The whole answer.
    """
    comma = _stored(b",")
    ends = struct.pack("<II", zlib.crc32(plain), len(plain) & 0xFFFFFFFF)
    last = _stored(tail, is_last=True)
    return b"".join([_GZIP, _deflated(head, 1), comma.join(pieces), last, ends])


def _deflated(text: bytes, level: int) -> bytes:
    """Return a text as a piece of a stream that needs nothing of what stands before it."""
    worker = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return worker.compress(text) + worker.flush(zlib.Z_FULL_FLUSH)


def _stored(text: bytes, *, is_last: bool = False) -> bytes:
    """Return a short text as an unpacked piece of a stream."""
    return struct.pack("<BHH", int(is_last), len(text), len(text) ^ 0xFFFF) + text


def _ids(table: FeatureTable) -> list[str]:
    """Return the identifiers of features: the code of a cell, a station, its circle of a limit."""
    found: list[str] = []
    seen: set[str] = set()
    for row, values in enumerate(table.properties):
        if "code" in values:
            name = str(values["code"])
        else:
            limit = next((values[key] for key in ("minutes", "metres") if key in values), None)
            name = str(values["station"]) + ("" if limit is None else f"-{limit:g}")
        name = f"{name}-{row}" if name in seen else name
        seen.add(name)
        found.append(name)
    return found
