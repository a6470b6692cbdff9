"""Rows of different length in one flat array: the only loop of this package is numpy's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Bytes",
    "Flags",
    "Indices",
    "owners",
    "per_row",
    "ranges",
    "starts_of",
    "sums",
    "zipped",
]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


def starts_of(counts: Indices) -> Indices:
    """Return where each row begins."""
    starts: Indices = np.cumsum(counts) - counts
    return starts


def ranges(starts: Indices, counts: Indices) -> Indices:
    """Return ``start, start + 1 …`` of every row, one after the other."""
    found: Indices = np.repeat(starts - starts_of(counts), counts) + np.arange(counts.sum())
    return found


def owners(counts: Indices) -> Indices:
    """Return the row of every element."""
    found: Indices = np.repeat(np.arange(len(counts)), counts)
    return found


def sums(values: npt.NDArray[np.integer] | Flags, counts: Indices) -> Indices:
    """Add the values up within rows; empty rows have 0."""
    total = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    stops = np.cumsum(counts)
    found: Indices = total[stops] - total[stops - counts]
    return found


def per_row(found: npt.NDArray[np.integer], counts: Indices, empty: int) -> Indices:
    """Spread one value for each row that is not empty over all rows."""
    values = np.full(len(counts), empty, dtype=np.int64)
    values[counts > 0] = found
    return values


def zipped(columns: Sequence[tuple[Bytes, Indices]]) -> tuple[Bytes, Indices]:
    """Join columns of byte rows side by side: row 0 of all of them, then row 1, and so on."""
    total: Indices = np.sum([counts for _, counts in columns], axis=0, dtype=np.int64)
    out = np.empty(int(total.sum()), dtype=np.uint8)
    at = starts_of(total)
    for data, counts in columns:
        out[ranges(at, counts)] = data
        at = at + counts
    return out, total
