"""How many households stand at each row of a table: read and judged in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

__all__ = ["household_counts", "households_in", "row_list"]

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


def households_in(
    shapes: npt.NDArray[np.object_], households: gpd.GeoDataFrame | None
) -> npt.NDArray[np.int64]:
    """Return how many households each shape holds or touches; zeros when none were given."""
    totals = np.zeros(len(shapes), dtype=np.int64)
    if households is None or not len(shapes):
        return totals
    tree = shapely.STRtree(households.geometry.to_numpy())
    shape, point = tree.query(shapes, predicate="intersects")
    np.add.at(totals, shape, household_counts(households)[point])
    return totals
