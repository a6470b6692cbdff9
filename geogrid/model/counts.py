"""How many households stand at each row of a table: read and judged in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["household_counts", "row_list"]

_SHOWN = 5


def row_list(rows: npt.NDArray[np.intp]) -> str:
    """Return the first of some row positions as text."""
    shown = ", ".join(str(row) for row in rows[:_SHOWN].tolist())
    return shown + (", …" if len(rows) > _SHOWN else "")


def household_counts(table: pd.DataFrame, *, default: int = 1) -> npt.NDArray[np.int64]:
    """Return how many households stand at each row, ``default`` without a column ``households``.

    Raises
    ------
    InputError
        If a count is missing, negative or not whole.
    """
    if "households" not in table:
        return np.full(len(table), default, dtype=np.int64)
    counts = pd.to_numeric(table["households"], errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    bad = np.flatnonzero(~np.isfinite(counts) | (counts < 0) | (counts != np.floor(counts)))
    if len(bad):
        msg = (
            f"column households holds no whole number in {len(bad)} rows (rows {row_list(bad)}): "
            "give 0 or more in each"
        )
        raise InputError(msg)
    return counts.astype(np.int64)
