"""Which counts may be shown to everyone.

A count of one to nine households points at people, so it is never shown as a number. Nor may it be
computed from its neighbours: where a shown total has exactly one hidden part, a second part is
withheld as well, and a withheld part in turn has a hidden part of its own on the next level.

That holds within one version of a plan. Whoever keeps the counts of an earlier version and
subtracts may learn of fewer than ten households that are in another cell since: rounding would take
the exact numbers from those who plan, so versions are published seldom, many changes together, and
the service tells whoever publishes how many such counts there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["SMALLEST_SHOWN", "as_public", "count_text", "hidden_parts"]

SMALLEST_SHOWN = 10
SHOWN, SMALL, WITHHELD = 0, 1, 2

# What takes the place of a hidden number in tables.
SMALL_TEXT = f"<{SMALLEST_SHOWN}"
WITHHELD_TEXT = f"≥{SMALLEST_SHOWN}"

States = npt.NDArray[np.int8]


def hidden_parts(tables: Sequence[pd.DataFrame]) -> list[States]:
    """Tell for nested levels, coarse to fine, which counts must not be shown.

    Parameters
    ----------
    tables
        One a level with ``code``, ``parent`` (code of the cell above, the same for all on top) and
        ``households``.

    Returns
    -------
    list of arrays
        One state a row: 0 shown, 1 small (1-9), 2 withheld (10 or more).
    """
    states: list[States] = []
    hidden_above: set[str] = set()
    for table in tables:
        state = _of_level(table, hidden_above)
        hidden_above = set(table["code"].to_numpy()[state == WITHHELD])
        states.append(state)
    return states


def _of_level(table: pd.DataFrame, hidden_above: set[str]) -> States:
    counts = table["households"].to_numpy(np.int64)
    codes = table["code"].to_numpy(str)
    state = np.where((counts > 0) & (counts < SMALLEST_SHOWN), SMALL, SHOWN).astype(np.int8)
    for parent, rows in table.groupby("parent", sort=True).indices.items():
        hidden = np.count_nonzero(state[rows])
        is_exposed = hidden == 1 or (hidden == 0 and parent in hidden_above)
        spare = rows[(state[rows] == SHOWN) & (counts[rows] > 0)]
        if is_exposed and len(spare):
            state[spare[np.lexsort((codes[spare], counts[spare]))[0]]] = WITHHELD
    return state


def as_public(counts: npt.ArrayLike, states: States) -> list[int]:
    """Return the counts with -1 for a small one and -2 for a withheld one."""
    return [int(value) for value in np.where(states == SHOWN, counts, -states.astype(np.int64))]


def count_text(public: int) -> str:
    """Return what people read for a count that :func:`as_public` gave."""
    return {-SMALL: SMALL_TEXT, -WITHHELD: WITHHELD_TEXT}.get(public, str(public))
