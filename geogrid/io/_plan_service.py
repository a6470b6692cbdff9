"""Served households of every cell, as columns of a plan file's level layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.errors import InputError
from geogrid.io._gpkg import read_layer_as_is
from geogrid.model.reach import limit_column

if TYPE_CHECKING:
    import geopandas as gpd

    from geogrid.io._plan_meta import PlanMeta
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach
    from geogrid.model.scheme import Level

__all__ = ["read_service", "with_service"]

# The reach may have counted other households than the plan was divided by.
_COUNTED = "reached_of"
_PREFIX = limit_column(0)[:-1]


def with_service(
    cells: gpd.GeoDataFrame, plan: GridPlan, level: Level, reach: Reach
) -> gpd.GeoDataFrame:
    """Return the cells of a level with the households that a reach counted in each.

    Parameters
    ----------
    cells, plan, level
        The cells of a level of the plan.
    reach
        What was measured; without households the cells stay as they are.
    """
    if reach.households.empty:
        return cells
    found = reach.by_cell(plan, level.key).reindex(cells["code"])
    names = {"households": _COUNTED} | {
        limit_column(one): limit_column(one) for one in reach.limits
    }
    columns = {new: found[old].to_numpy(np.int64) for old, new in names.items()}
    return cells.assign(**columns)


def read_service(path: str | Path, meta: PlanMeta) -> dict[str, pd.DataFrame] | None:
    """Return what :func:`with_service` wrote, by level; ``None`` where the file has none of it.

    Raises
    ------
    InputError
        If a count is missing, or more are served than live there.
    """
    found = {}
    for level in meta.scheme.area_levels:
        rows = read_layer_as_is(path, level.key, geometry=False)
        served = [str(name) for name in rows.columns if str(name).startswith(_PREFIX)]
        if _COUNTED not in rows or not served or "code" not in rows:
            return None
        table = rows.set_index("code")[[_COUNTED, *served]]
        counts = table.apply(pd.to_numeric, errors="coerce")
        total = counts[_COUNTED].to_numpy()[:, None]
        # A comparison with a missing count is false, so those are caught as well.
        if not ((counts.to_numpy() >= 0) & (counts.to_numpy() <= total)).all():
            msg = (
                f"layer {level.key} of {Path(path).name} has served households that cannot be: "
                "take the last good version of the file"
            )
            raise InputError(msg)
        found[level.key] = counts.astype(np.int64).rename(columns={_COUNTED: "households"})
    return found or None
