"""The few rules of protocol buffers that a tile needs, for whole arrays at once.

A byte row is a pair: the bytes of all rows, and how many belong to each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geogrid.tiles._ragged import Bytes, Indices, starts_of, sums, zipped

__all__ = ["Rows", "constant", "framed", "grouped", "varints", "zigzag"]

Rows = tuple[Bytes, Indices]

_PAYLOAD = 7


def zigzag(values: Indices) -> npt.NDArray[np.uint64]:
    """Fold signed numbers into unsigned ones: 0, -1, 1, -2 become 0, 1, 2, 3, and so on."""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def varints(values: npt.NDArray[np.uint64]) -> Rows:
    """Write each number with seven bits a byte, the lowest first; one row a number."""
    counts = _lengths(values)
    out = np.empty(int(counts.sum()), dtype=np.uint8)
    at, rest, left = starts_of(counts), values, counts
    while len(rest):
        more = left > 1
        out[at] = (rest & np.uint64(0x7F)).astype(np.uint8) | (more.astype(np.uint8) << _PAYLOAD)
        at, rest, left = at[more] + 1, rest[more] >> np.uint64(_PAYLOAD), left[more] - 1
    return out, counts


def _lengths(values: npt.NDArray[np.uint64]) -> Indices:
    counts = np.ones(len(values), dtype=np.int64)
    for bits in range(_PAYLOAD, 64, _PAYLOAD):
        longer = values >= np.uint64(1 << bits)
        if not longer.any():
            break
        counts += longer
    return counts


def grouped(rows: Rows, counts: Indices) -> Rows:
    """Join neighbouring rows: the first ``counts[0]`` become one, and so on."""
    return rows[0], sums(rows[1], counts)


def constant(value: int, count: int) -> Rows:
    """Return the same byte in every row."""
    return np.full(count, value, dtype=np.uint8), np.ones(count, dtype=np.int64)


def framed(tag: int, rows: Rows) -> Rows:
    """Put the tag of a field and the length of the row in front of each."""
    return zipped((constant(tag, len(rows[1])), varints(rows[1].astype(np.uint64)), rows))
