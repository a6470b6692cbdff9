"""Tables as pages of columns, each stored once under the hash of what is in it.

Where a page ends is decided by the keys of the rows themselves, so that a row put in or taken out
changes its own page and leaves all others as they are. An edit of two cells writes the pages that
hold their labels and nothing else; a version is the list of its pages.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Values = npt.NDArray[Any]

__all__ = ["PagedTable", "Sheet", "hashes_of", "paged", "sheet_of", "unpaged"]

# A page of coordinates is then about 300 kB, one of labels 10 kB.
_ROWS = 1024
_MOST_ROWS = 4 * _ROWS
_TEXT, _OBJECT, _GEOMETRY = "str", "object", "geometry"
# What lists single households never shares a page with anything else.
_OPEN, _PERSONAL = b"o", b"p"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table as plain columns.

    Attributes
    ----------
    name
        What it is in the plan.
    index
        Whether the first column was the index.
    columns
        Name, kind (``str``, ``object``, ``geometry`` or a numpy kind) and values of each.
    is_personal
        Whether its rows are single households.
    """

    name: str
    index: bool
    columns: tuple[tuple[str, str, Values], ...]
    is_personal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PagedTable:
    """A sheet and where its pages end; ``pages`` has the hashes of each column's pages."""

    sheet: Sheet
    stops: tuple[int, ...]
    pages: tuple[tuple[bytes, ...], ...]

    def listing(self) -> dict[str, Any]:
        """Return everything but the values, as JSON."""
        columns = [
            {"name": name, "kind": kind, "pages": [one.hex() for one in pages]}
            for (name, kind, _), pages in zip(self.sheet.columns, self.pages, strict=True)
        ]
        return {
            "name": self.sheet.name,
            "index": self.sheet.index,
            "is_personal": self.sheet.is_personal,
            "stops": list(self.stops),
            "columns": columns,
        }


def sheet_of(name: str, table: pd.DataFrame, *, is_personal: bool = False) -> Sheet:
    """Take a table apart; an index that has a name becomes the first column.

    Raises
    ------
    StoreError
        If a column holds what no database can keep.
    """
    named = table.index.name is not None
    columns = [(str(table.index.name), *_column(table.index.to_series()))] if named else []
    columns += [(str(one), *_column(table[one])) for one in table.columns]
    return Sheet(name, named, tuple(columns), is_personal)


def _column(series: pd.Series) -> tuple[str, Values]:
    if isinstance(series.dtype, gpd.array.GeometryDtype):
        return _GEOMETRY, series.to_numpy(object)
    if isinstance(series.dtype, pd.StringDtype):
        return _TEXT, series.to_numpy(object)
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iufb":
        return series.dtype.newbyteorder("<").str, series.to_numpy()
    return _OBJECT, series.to_numpy(object)


def paged(sheet: Sheet, before: PagedTable | None, new: dict[bytes, bytes]) -> PagedTable:
    """Cut a sheet into pages.

    Parameters
    ----------
    before
        The same table of the version before: what did not change is not looked at again.
    new
        Pages that had to be made are put here, under their hashes.
    """
    stops = _stops(sheet, before)
    old = {} if before is None else _spans_by_key(before)
    pages = []
    for at, (name, kind, values) in enumerate(sheet.columns):
        known = _known_column(before, name, kind)
        done = []
        for start, stop in _spans(stops):
            found = None
            if known is not None and before is not None:
                there = old.get(_key_at(sheet, start))
                if there is not None:
                    number, (first, last) = there
                    earlier = before.sheet.columns[known][2][first:last]
                    if _is_same(kind, values[start:stop], earlier):
                        found = before.pages[known][number]
            done.append(found or _made(sheet, at, slice(start, stop), new))
        pages.append(tuple(done))
    return PagedTable(sheet, stops, tuple(pages))


def unpaged(listing: Mapping[str, Any], data: Mapping[bytes, bytes]) -> PagedTable:
    """Put a table together from its pages.

    Raises
    ------
    StoreError
        If a page is missing or is not what its hash says.
    """
    columns, pages = [], []
    for one in listing["columns"]:
        hashes = tuple(bytes.fromhex(page) for page in one["pages"])
        parts = [_decoded(one["kind"], data, page) for page in hashes]
        empty = np.array([], dtype=object if _is_boxed(one["kind"]) else one["kind"])
        columns.append((one["name"], one["kind"], np.concatenate(parts) if parts else empty))
        pages.append(hashes)
    sheet = Sheet(listing["name"], listing["index"], tuple(columns), listing["is_personal"])
    return PagedTable(sheet, tuple(listing["stops"]), tuple(pages))


def hashes_of(listings: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Return the hashes of all pages that tables name, each once."""
    texts = (page for table in listings for one in table["columns"] for page in one["pages"])
    return [bytes.fromhex(page) for page in dict.fromkeys(texts)]


def _is_boxed(kind: str) -> bool:
    return kind in {_TEXT, _OBJECT, _GEOMETRY}


def _spans(stops: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip((0, *stops[:-1]), stops, strict=True)) if stops else []


def _key_at(sheet: Sheet, row: int) -> object:
    _, kind, values = sheet.columns[0]
    return values[row] if kind in {_TEXT, _OBJECT} else row


def _spans_by_key(table: PagedTable) -> dict[object, tuple[int, tuple[int, int]]]:
    spans = _spans(table.stops)
    return {_key_at(table.sheet, span[0]): (number, span) for number, span in enumerate(spans)}


def _known_column(before: PagedTable | None, name: str, kind: str) -> int | None:
    if before is None:
        return None
    names = [(known, of_kind) for known, of_kind, _ in before.sheet.columns]
    return names.index((name, kind)) if (name, kind) in names else None


def _stops(sheet: Sheet, before: PagedTable | None) -> tuple[int, ...]:
    """Return the row after each page."""
    _, kind, keys = sheet.columns[0]
    count = len(keys)
    if not count:
        return ()
    if kind not in {_TEXT, _OBJECT}:
        return (*range(_ROWS, count, _ROWS), count)
    if before is not None and np.array_equal(before.sheet.columns[0][2], keys):
        return before.stops
    # The last row of a page is one whose key says so, whatever stands around it.
    # Of a list of households only the lists are different keys.
    of_key, every = pd.factorize(keys, use_na_sentinel=False)
    crcs = [zlib.crc32(str(key).encode()) for key in every.tolist()]
    sums = np.array(crcs, dtype=np.int64)[of_key]
    ends = [*(np.flatnonzero(sums % _ROWS == 0) + 1).tolist(), count]
    stops: list[int] = []
    for end in dict.fromkeys(ends):
        start = stops[-1] if stops else 0
        stops += [*range(start + _MOST_ROWS, end, _MOST_ROWS), end]
    return tuple(stops)


def _is_same(kind: str, values: Values, earlier: Values) -> bool:
    if len(values) != len(earlier):
        return False
    if kind == _GEOMETRY:
        # Shapes are compared by what they are in memory; if in doubt the page is made anew.
        return all(map(operator.is_, values, earlier))
    return bool(np.array_equal(values, earlier))


def _made(sheet: Sheet, at: int, rows: slice, new: dict[bytes, bytes]) -> bytes:
    name, kind, values = sheet.columns[at]
    try:
        body = _encoded(kind, values[rows])
    except (TypeError, ValueError) as error:
        msg = (
            f"column {name} of {sheet.name} cannot be stored ({error}): keep texts and numbers only"
        )
        raise StoreError(msg) from error
    data = (_PERSONAL if sheet.is_personal else _OPEN) + body
    digest = hashlib.sha256(data).digest()
    new[digest] = data
    return digest


def _encoded(kind: str, values: Values) -> bytes:
    if kind == _GEOMETRY:
        texts = [b"" if one is None else one for one in shapely.to_wkb(values).tolist()]
        length = np.array([len(values), *map(len, texts)], dtype="<u4")
        return length.tobytes() + b"".join(texts)
    if _is_boxed(kind):
        plain = [None if _is_missing(one) else one for one in values]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return values.astype(kind).tobytes()


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _decoded(kind: str, data: Mapping[bytes, bytes], digest: bytes) -> Values:
    page = data.get(digest)
    if page is None or hashlib.sha256(page).digest() != digest:
        msg = f"page {digest.hex()[:12]} of the store is missing or damaged: restore a backup"
        raise StoreError(msg)
    body = page[1:]
    if kind == _GEOMETRY:
        count = int(np.frombuffer(body, "<u4", 1)[0])
        stops = np.cumsum(np.frombuffer(body, "<u4", count, 4), dtype=np.int64) + 4 * (count + 1)
        starts = [4 * (count + 1), *stops[:-1].tolist()]
        texts = [body[a:b] or None for a, b in zip(starts, stops.tolist(), strict=True)]
        return np.asarray(shapely.from_wkb(np.array(texts, dtype=object)), dtype=object)
    if _is_boxed(kind):
        values = json.loads(body)
        boxed = np.empty(len(values), dtype=object)
        boxed[:] = values
        return boxed
    return np.frombuffer(body, kind).copy()


def frame_of(sheet: Sheet) -> pd.DataFrame:
    """Return a sheet as a table; columns of shapes stay arrays of shapes."""
    series = {
        name: pd.Series(
            values,
            dtype=_TEXT if kind == _TEXT else None if kind not in {_OBJECT, _GEOMETRY} else object,
        )
        for name, kind, values in sheet.columns
    }
    table = pd.DataFrame(series)
    return table.set_index(sheet.columns[0][0]) if sheet.index else table
