"""What a tile says of each feature, written once for all tiles."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geogrid.tiles._ragged import ranges, starts_of, sums, zipped
from geogrid.tiles._wire import Rows, constant, framed, grouped, varints, zigzag

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geogrid.tiles._ragged import Flags, Indices

    Write = Callable[[list[Any]], Rows]

__all__ = ["Fields", "fields_of"]

_VALUE = 0x22
# So many times as many values as there are places may be gone before all are sorted again.
_MOST_GONE = 2
_TEXT, _DOUBLE, _NATURAL, _SIGNED = 0x0A, 0x19, 0x28, 0x30


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """Properties of features.

    Attributes
    ----------
    names
        Of the columns.
    code
        Number of the value in each row and column, -1 for none, shape (features, columns).
    values
        Every value that occurs, once, as the bytes of a layer's entry.
    known
        The same values sorted: texts, whole numbers, other numbers.
    """

    names: tuple[str, ...]
    code: Indices
    values: Rows
    known: tuple[pd.Index, ...]

    def of(self, rows: Indices, tile: Indices, tiles: int) -> tuple[Rows, Rows]:
        """Return the tags of features, and for each tile the values that they point to.

        Parameters
        ----------
        rows, tile
            Which features, and the tile that shows each, rising.
        tiles
            How many tiles there are.
        """
        code = self.code[rows]
        is_there = code >= 0
        number, column = np.nonzero(is_there)
        counts = self.values[1]
        # Each tile numbers its values on its own.
        used, local = np.unique(tile[number] * len(counts) + code[is_there], return_inverse=True)
        held = np.bincount(used // max(len(counts), 1), minlength=tiles)
        local -= starts_of(held)[tile[number]]
        tags = varints(np.column_stack((column, local)).ravel().astype(np.uint64))
        value = used % max(len(counts), 1)
        at = ranges(starts_of(counts)[value], counts[value])
        values = (self.values[0][at], sums(counts[value], held))
        return grouped(tags, 2 * is_there.sum(axis=1)), values


def fields_of(table: pd.DataFrame, older: Fields | None = None) -> Fields:
    """Give every value of all columns a number: texts, whole numbers, other numbers.

    What is missing and what is an empty text is left out of a tile.

    Parameters
    ----------
    table
        One row a feature.
    older
        Of a table that is almost the same: only values that it lacks are sorted in. Values that
        are gone keep their numbers, and no tile shows them.
    """
    names = tuple(str(name) for name in table.columns)
    is_number = np.array([pd.api.types.is_numeric_dtype(one) for one in table.dtypes], dtype=bool)
    numbers = np.full(table.shape, np.nan)
    texts = np.full(table.shape, None, dtype=object)
    for at in range(len(names)):
        column = table.iloc[:, at]
        if is_number[at]:
            numbers[:, at] = column.to_numpy(float, na_value=np.nan)
        else:
            texts[:, at] = column.where(column.notna(), "").astype(str).to_numpy(object)
    is_whole = np.isfinite(numbers) & (numbers % 1 == 0)
    is_other = np.isfinite(numbers) & ~is_whole
    is_text = (texts != "") & ~is_number
    kinds: tuple[tuple[Flags, npt.NDArray[Any], Write], ...] = (
        (is_text, texts[is_text], _texts),
        (is_whole, numbers[is_whole].astype(np.int64), _whole),
        (is_other, numbers[is_other], _numbers),
    )
    code = np.full(table.shape, -1, dtype=np.int64)
    parts: list[Rows] = []
    known: list[pd.Index] = []
    for at, (is_there, values, write) in enumerate(kinds):
        number, found = _numbered(values, None if older is None else older.known[at])
        code[is_there] = number + sum(map(len, known))
        parts.append(framed(_VALUE, write(found.tolist())))
        known.append(found)
    data, counts = zip(*parts, strict=True)
    return Fields(names, code, (np.concatenate(data), np.concatenate(counts)), tuple(known))


def _numbered(values: npt.NDArray[Any], known: pd.Index | None) -> tuple[Indices, pd.Index]:
    """Return the number of each value and all values, sorted.

    Sorted, so that the order in a tile does not depend on what lies outside of it.
    """
    if known is None or len(known) > _MOST_GONE * max(len(values), 1):
        number, found = pd.factorize(values, sort=True)
        return number.astype(np.int64), pd.Index(found, dtype=values.dtype)
    at = known.get_indexer(pd.Index(values))
    more = np.sort(pd.unique(values[at < 0]))
    if len(more):
        places = np.searchsorted(known.to_numpy(), more)
        known = pd.Index(np.insert(known.to_numpy(), places, more), dtype=values.dtype)
        at = known.get_indexer(pd.Index(values))
    return at.astype(np.int64), known


def _texts(values: Sequence[str]) -> Rows:
    coded = [value.encode() for value in values]
    counts = np.array([len(one) for one in coded], dtype=np.int64)
    return framed(_TEXT, (np.frombuffer(b"".join(coded), dtype=np.uint8), counts))


def _whole(values: Sequence[int]) -> Rows:
    numbers = np.array(values, dtype=np.int64)
    is_below = numbers < 0
    tag = np.where(is_below, _SIGNED, _NATURAL).astype(np.uint8)
    coded = np.where(is_below, zigzag(numbers), numbers.astype(np.uint64))
    return zipped(((tag, np.ones(len(tag), dtype=np.int64)), varints(coded)))


def _numbers(values: Sequence[float]) -> Rows:
    coded = b"".join(struct.pack("<d", value) for value in values)
    eight = np.full(len(values), 8, dtype=np.int64)
    return zipped((constant(_DOUBLE, len(values)), (np.frombuffer(coded, np.uint8), eight)))
