"""Who could serve whom, as arrays, made as small as can be without changing any answer.

Households with the same candidates at the same worth are one class with their sum; a candidate
that serves nobody better than another one does is left out. Both are exact: every answer of the
small problem is one of the whole problem, and a best one is among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.stations._kernels import Sites, dominated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]

__all__ = ["Cover", "make_cover"]

_MIX_1, _MIX_2, _STEP = (
    np.uint64(number) for number in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Candidates, classes of households, and what each candidate is worth to each class.

    Attributes
    ----------
    sites
        The arrays, as the compiled loops need them.
    candidate
        Which given candidate each one is.
    row
        Given households, class by class.
    """

    sites: Sites
    candidate: IntArray
    row: IntArray

    @property
    def candidates(self) -> int:
        """Number of candidates."""
        return len(self.candidate)

    @property
    def classes(self) -> int:
        """Number of classes of households."""
        return len(self.sites.weight)

    @property
    def most(self) -> int:
        """Worth of serving every class by its best candidate."""
        if not self.classes:
            return 0
        sites = self.sites
        best = np.maximum.reduceat(sites.value[sites.by_pair], sites.by_start[:-1])
        return int((best * sites.weight).sum())


def make_cover(
    pairs: tuple[IntArray, IntArray, IntArray],
    weight: IntArray,
    *,
    candidates: int,
    merges: bool = True,
    dominates: bool = True,
) -> Cover:
    """Return the smallest cover of the same problem.

    Parameters
    ----------
    pairs
        Candidate, household and worth, no pair twice; a pair of no worth does not count.
    weight
        How many households stand in each row; rows without any do not count.
    candidates
        Number of candidates.
    merges, dominates
        Whether equal households become one, and inferior candidates go. The second must be off
        where two stations at one place are worth more than one, as with a capacity.
    """
    candidate, household, value = pairs
    alive = (value > 0) & (weight[household] > 0)
    candidate, household, value = candidate[alive], household[alive], value[alive]
    order = np.lexsort((candidate, household))
    candidate, household, value = candidate[order], household[order], value[order]
    rows, first, size = np.unique(household, return_index=True, return_counts=True)
    label = _labels(candidate, value, first, size) if merges else np.arange(len(rows))
    _, head, label = np.unique(label, return_index=True, return_inverse=True)
    label = label.reshape(-1)
    total = np.bincount(label, weights=weight[rows], minlength=len(head)).astype(np.int64)
    # The pairs of the first row of each class stand for all of them.
    item = np.repeat(np.arange(len(head)), size[head])
    member = _spread(first[head], size[head])
    candidate, value = candidate[member], value[member]
    by_row = np.argsort(label, kind="stable")
    kept = np.arange(candidates)
    if dominates:
        sites = _turned(candidate, item, value, candidates, total)
        kept = np.flatnonzero(~dominated(sites))
        new = np.full(candidates, -1, dtype=np.int64)
        new[kept] = np.arange(len(kept))
        alive = new[candidate] >= 0
        candidate, item, value = new[candidate[alive]], item[alive], value[alive]
    return Cover(
        sites=_turned(candidate, item, value, len(kept), total),
        candidate=kept.astype(np.int64),
        row=rows[by_row].astype(np.int64),
    )


def _turned(
    candidate: IntArray, item: IntArray, value: IntArray, candidates: int, weight: IntArray
) -> Sites:
    """Sort pairs by candidate and give the way back from the classes."""
    order = np.lexsort((item, candidate))
    candidate, item, value = candidate[order], item[order], value[order]
    start = np.searchsorted(candidate, np.arange(candidates + 1))
    by_pair = np.argsort(item, kind="stable")
    by_start = np.searchsorted(item[by_pair], np.arange(len(weight) + 1))
    arrays: tuple[Any, ...] = (start, item, value, by_start, candidate[by_pair], by_pair, weight)
    return Sites(*(np.ascontiguousarray(array, dtype=np.int64) for array in arrays))


def _spread(start: IntArray, size: IntArray) -> IntArray:
    """Return ``start … start + size - 1`` of each, one after the other."""
    return np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + np.repeat(start, size)


def _labels(
    candidate: IntArray, value: IntArray, first: IntArray, size: IntArray
) -> NDArray[np.uint64]:
    """Return equal labels for households with equal pairs, and for no others.

    The label is a sum of scattered numbers, so it does not depend on the order of households. Two
    different households could share one by chance: their pairs are compared, and who differs
    from the first of the label gets another one.
    """
    if not len(first):
        return np.empty(0, dtype=np.uint64)
    with np.errstate(over="ignore"):
        label = np.add.reduceat(_scatter(_scatter(candidate) + value.astype(np.uint64)), first)
    while True:
        _, head, group = np.unique(label, return_index=True, return_inverse=True)
        head = head[group.reshape(-1)]
        same = size == size[head]
        member = _spread(first, size)
        twin = _spread(first[head], np.where(same, size, 0))
        row = np.repeat(np.arange(len(first)), size)
        member, row = member[same[row]], row[same[row]]
        differs = (candidate[member] != candidate[twin]) | (value[member] != value[twin])
        same[row[differs]] = False
        if same.all():
            return np.asarray(label)
        label = label.copy()
        label[~same] = _scatter(label[~same])


def _scatter(number: NDArray[Any]) -> NDArray[np.uint64]:
    """Turn whole numbers into scattered ones (the finaliser of splitmix64, public domain)."""
    with np.errstate(over="ignore"):
        mixed = (number.astype(np.uint64) + np.uint64(1)) * _STEP
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        return np.asarray(mixed ^ (mixed >> np.uint64(31)))
