"""Which unserved numbers must not be shown, for nested cells and several limits.

The limits split a cell's households into parts: within the smallest limit, between two limits,
beyond the largest. No part of one to nine households may be computed from what is shown, neither
from the cells around it nor from the numbers of two limits. The limits are taken in rising order;
a number that is hidden at one limit stays hidden at the larger ones. At each limit, coarse to fine:

- a number is hidden where it, or what it leaves of the number before it, is small;
- of the cells of a shown parent others join them, until the hidden ones together have ten
  or more households (or none) on both sides, and ten or more without the largest of them;
- of the cells of hidden parents those are shown again without which all this still holds.

What is hidden below one shown cell is then a table of which only the margins are known, so each
number in it is known to no better than a range ten wide (Fréchet's bounds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geogrid.maps.disclosure import SMALLEST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["hidden_limits"]

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


def hidden_limits(tables: Sequence[pd.DataFrame], limits: int) -> list[Mask]:
    """Tell for nested levels, coarse to fine, which unserved numbers must not be shown.

    Parameters
    ----------
    tables
        One a level: ``code``, ``parent``, ``total`` households, ``is_hidden`` (whether the total
        itself is), and ``beyond_0``, ``beyond_1`` … households beyond each limit.
    limits
        How many limits there are.

    Returns
    -------
    list of arrays
        One row a cell, one column a limit.
    """
    before = [table["total"].to_numpy(np.int64) for table in tables]
    hidden = [
        table["is_hidden"].to_numpy(np.bool_) & (total > 0)
        for table, total in zip(tables, before, strict=True)
    ]
    lines = _lines(tables)
    found = []
    for limit in range(limits):
        beyond = [table[f"beyond_{limit}"].to_numpy(np.int64) for table in tables]
        hidden = _of_limit(lines, before, beyond, hidden)
        found.append(_without_known_zeros(lines, beyond, hidden))
        before = beyond
    return [np.column_stack(of_level) for of_level in zip(*found, strict=True)]


def _lines(tables: Sequence[pd.DataFrame]) -> list[list[Rows]]:
    """Return for each level the row of every cell's ancestor at each level above, -1 for none."""
    lines: list[list[Rows]] = []
    for depth, table in enumerate(tables):
        if depth == 0:
            lines.append([])
            continue
        parent = pd.Index(tables[depth - 1]["code"]).get_indexer(table["parent"])
        above = [np.where(parent >= 0, line[parent], -1) for line in lines[-1]]
        lines.append([*above, parent])
    return lines


def _of_limit(
    lines: Sequence[list[Rows]],
    befores: Sequence[Counts],
    beyonds: Sequence[Counts],
    kept: Sequence[Mask],
) -> list[Mask]:
    """Return what is hidden at one limit; hidden cells below one shown cell are one family."""
    masks: list[Mask] = []
    family_above = np.array([-1], dtype=np.intp)
    tops: list[int] = []
    for depth, (before, beyond, keep) in enumerate(zip(befores, beyonds, kept, strict=True)):
        hidden = keep | ((before > 0) & (_is_small(beyond) | _is_small(before - beyond)))
        parent = lines[depth][-1] if depth else np.full(len(before), -1, dtype=np.intp)
        family = np.where(parent >= 0, family_above[parent], -1)
        for known in np.unique(family[family >= 0]):
            rows = np.flatnonzero(family == known)
            rows = rows[hidden[rows] | (before[rows] > 0)]
            above = [line[rows] for line in lines[depth][tops[known] :]]
            hidden[rows] = _thinned(hidden[rows], before[rows], beyond[rows], above)
        below_shown = family < 0
        for one in np.unique(parent[below_shown]):
            rows = np.flatnonzero(below_shown & (parent == one))
            hidden[rows] = _with_company(hidden[rows], before[rows], beyond[rows])
            family[rows] = len(tops)
            tops.append(depth)
        family_above = np.where(hidden, family, -1)
        masks.append(hidden)
    return masks


def _without_known_zeros(
    lines: Sequence[list[Rows]], beyond: Sequence[Counts], hidden: Sequence[Mask]
) -> list[Mask]:
    """Show the zeros below a shown zero: they are no secret any more."""
    masks = [hidden[0]]
    for depth in range(1, len(hidden)):
        parent = lines[depth][-1]
        is_zero = (parent >= 0) & ~masks[-1][parent] & (beyond[depth - 1][parent] == 0)
        masks.append(hidden[depth] & ~is_zero)
    return masks


def _is_small(counts: Counts) -> Mask:
    return (counts > 0) & (counts < SMALLEST_SHOWN)


def _with_company(hidden: Mask, before: Counts, beyond: Counts) -> Mask:
    """Hide more of the siblings until no hidden number can be told apart.

    Those with unserved households come first, as fewer of them are enough; then the smallest.
    """
    if not hidden.any():
        return hidden
    found = hidden.copy()
    for row in np.lexsort((before, beyond == 0)):
        if _is_covered(before[found], beyond[found]):
            break
        found[row] |= before[row] > 0
    return found


def _thinned(must: Mask, before: Counts, beyond: Counts, above: Sequence[Rows]) -> Mask:
    """Hide all cells of a family and show again, largest first, those that are not needed."""
    found = np.ones(len(must), dtype=np.bool_)
    groups = [np.unique(line, return_inverse=True)[1] for line in above]
    floors = [np.minimum(np.bincount(group, before), SMALLEST_SHOWN) for group in groups]
    for row in np.argsort(-before, kind="stable"):
        if must[row]:
            continue
        found[row] = False
        rests = [np.bincount(group, before * found) for group in groups]
        # A hidden parent must keep as much hidden as it takes to hide it.
        is_hiding = all(
            (rest >= floor).all() and rest.sum() - rest.max() >= SMALLEST_SHOWN
            for rest, floor in zip(rests, floors, strict=True)
        )
        found[row] = not (is_hiding and _is_covered(before[found], beyond[found]))
    return found


def _is_covered(before: Counts, beyond: Counts) -> bool:
    outside, inside = int(beyond.sum()), int((before - beyond).sum())
    if outside == 0 or inside == 0:
        # All of them are on one side: that tells no more than the number before did.
        return True
    if outside < SMALLEST_SHOWN or inside < SMALLEST_SHOWN:
        return False
    return int(before.sum() - before.max()) >= SMALLEST_SHOWN
