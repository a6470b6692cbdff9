"""Repeatable random numbers and exact shares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geogrid.errors import InfeasibleError

__all__ = ["Draws", "apportion", "fill_up"]

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Draws:
    """One stream of random numbers a purpose, so that a change in one step moves no other.

    Only plain uniform doubles are drawn from them: their sequence is the same on every machine and
    in every numpy, which the library does not promise of its other distributions.
    """

    def __init__(self, key: str, seed: int) -> None:
        self._entropy = (seed, *key.encode())

    def stream(self, purpose: str) -> np.random.Generator:
        """Return a fresh generator for one purpose."""
        entropy = (*self._entropy, 0, *purpose.encode())
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def apportion(total: int, weights: Floats, caps: Counts | None = None, *, least: int = 0) -> Counts:
    """Share a whole number by weight: largest remainders, ties to the first.

    Parameters
    ----------
    total
        What to share.
    weights
        Not negative.
    caps
        The most that each may get.
    least
        What each gets at least, before weights count.

    Raises
    ------
    InfeasibleError
        If the caps hold less than the total.
    """
    count = len(weights)
    room = np.full(count, total, dtype=np.int64) if caps is None else caps.astype(np.int64)
    if int(room.sum()) < total:
        msg = f"{total} cannot be placed where there is room for {int(room.sum())}: give more area"
        raise InfeasibleError(msg)
    given = np.minimum(room, least)
    left = total - int(given.sum())
    while left > 0:
        is_open = given < room
        share = np.where(is_open, weights, 0.0)
        share = share if share.sum() > 0 else is_open.astype(float)
        quota = left * share / share.sum()
        # A share that its cap cuts short goes back into the pot, so the loop ends.
        step = np.minimum(np.floor(quota).astype(np.int64), room - given)
        if not step.any():
            rank = np.argsort(-(quota - np.floor(quota)) * is_open - is_open * 1e-9, kind="stable")
            step[rank[:left]] = 1
            step = np.minimum(step, room - given)
        given += step
        left = total - int(given.sum())
    return given


def fill_up(counts: Counts, caps: Counts, size: int) -> Counts:
    """Move what is left over beyond whole groups to where a group is nearly full.

    Parameters
    ----------
    counts
        Whole numbers; their sum stays.
    caps
        The most that each may hold.
    size
        Of a group. Nobody gives away the first group.
    """
    rest = counts % size
    lack = np.where(rest > 0, size - rest, 0)
    gives = np.flatnonzero((rest > 0) & (counts > size) & (2 * rest < size))
    gives = gives[np.argsort(rest[gives], kind="stable")]
    takes = np.flatnonzero((rest > 0) & (2 * rest >= size) & (counts + lack <= caps))
    takes = takes[np.argsort(lack[takes], kind="stable")]
    given, room = np.cumsum(rest[gives]), np.cumsum(lack[takes])
    if not len(gives) or not len(takes):
        return counts
    gives = gives[: np.searchsorted(given, room[-1], side="right")]
    moved = int(rest[gives].sum())
    result = counts.copy()
    result[gives] -= rest[gives]
    result[takes] += np.clip(moved - (room - lack[takes]), 0, lack[takes])
    return result
