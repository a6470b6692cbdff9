"""Unserved households of every cell and limit, as far as they may be shown to everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geogrid.errors import InputError
from geogrid.maps.disclosure import SMALLEST_SHOWN
from geogrid.maps.suppression import hidden_limits
from geogrid.model.reach import limit_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach

__all__ = ["HIDDEN", "public_loads", "service_limits", "service_of", "unserved_layers"]

# What takes the place of an unserved number that must not be shown.
HIDDEN = -1

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_PREFIX = limit_column(0)[:-1]


def service_of(plan: GridPlan, reach: Reach | None) -> dict[str, pd.DataFrame] | None:
    """Return households and served households of every cell by level, ``None`` if not counted."""
    if reach is None or reach.households.empty:
        return None
    columns = ["households", *(limit_column(limit) for limit in reach.limits)]
    return {level.key: reach.by_cell(plan, level.key)[columns] for level in plan.scheme.area_levels}


def service_limits(service: Mapping[str, pd.DataFrame]) -> list[float]:
    """Return the limits that served households were counted for, rising.

    Raises
    ------
    InputError
        If the tables hold no column ``served_<limit>``.
    """
    table = next(iter(service.values()), pd.DataFrame())
    found = [str(name) for name in table.columns if str(name).startswith(_PREFIX)]
    if not found:
        msg = "the service table has no column served_<limit>: use what read_plan_layers gave"
        raise InputError(msg)
    return sorted(float(name.removeprefix(_PREFIX)) for name in found)


def public_loads(
    stations: gpd.GeoDataFrame | None, service: Mapping[str, pd.DataFrame]
) -> gpd.GeoDataFrame | None:
    """Return stations without how many each serves, where that would tell a hidden number.

    The loads of one station, or of several whose circles do not meet, add up to all households
    that are served; the households of the plan are shown, so what is left is who is not.

    Parameters
    ----------
    stations
        May have ``households``: those within the largest limit of each.
    service
        As for :func:`unserved_layers`, coarse to fine.
    """
    if stations is None or "households" not in stations:
        return stations
    whole = next(iter(service.values()))
    served = int(whole[limit_column(service_limits(service)[-1])].sum())
    parts = (served, int(whole["households"].sum()) - served)
    is_small = any(0 < one < SMALLEST_SHOWN for one in parts)
    return stations.drop(columns="households") if is_small else stations


def unserved_layers(
    service: Mapping[str, pd.DataFrame], tables: Mapping[str, gpd.GeoDataFrame]
) -> tuple[int, dict[str, dict[str, list[list[Any]]]]]:
    """Return which limit a map opens with, and the columns of every level.

    Parameters
    ----------
    service
        By level, indexed by code: ``households`` and one ``served_<limit>`` a limit.
    tables
        What ``cell_tables`` gave, coarse to fine.

    Returns
    -------
    first, columns
        ``first`` is the row of the smallest limit beyond which somebody lives. ``columns`` holds
        by level, for each limit: ``unserved`` (-1 hidden), ``share`` (0-1; ``None`` where hidden
        or nobody lives), ``ranked`` (rows that are shown, most unserved first).
    """
    limits = service_limits(service)
    counted = [_counted(service[key], table, limits) for key, table in tables.items()]
    masks = hidden_limits(counted, len(limits))
    top = _unserved(counted[0], len(limits)).sum(axis=0)
    first = int(np.argmax(top > 0))
    return first, {
        key: _columns(table, mask) for key, table, mask in zip(tables, counted, masks, strict=True)
    }


def _counted(found: pd.DataFrame, cells: gpd.GeoDataFrame, limits: Sequence[float]) -> pd.DataFrame:
    served = [limit_column(limit) for limit in limits]
    aligned = found[["households", *served]].reindex(cells["code"]).fillna(0).astype(np.int64)
    total = aligned["households"].to_numpy()
    parts = {f"beyond_{row}": total - aligned[name].to_numpy() for row, name in enumerate(served)}
    small = (total > 0) & (total < SMALLEST_SHOWN)
    return pd.DataFrame(
        {
            "code": cells["code"].to_numpy(str),
            "parent": cells["parent"].to_numpy(str),
            "total": total,
            "is_hidden": (cells["public"].to_numpy() < 0) | small,
            **parts,
        }
    )


def _unserved(table: pd.DataFrame, limits: int) -> Counts:
    return table[[f"beyond_{row}" for row in range(limits)]].to_numpy(np.int64)


def _columns(table: pd.DataFrame, mask: Mask) -> dict[str, list[list[Any]]]:
    unserved, total = _unserved(table, mask.shape[1]), table["total"].to_numpy()
    found: dict[str, list[list[Any]]] = {"unserved": [], "share": [], "ranked": []}
    for counts, hidden in zip(unserved.T, mask.T, strict=True):
        share = np.divide(counts, total, out=np.zeros(len(total)), where=total > 0)
        is_open = ~hidden & (total > 0)
        order = np.lexsort((table["code"].to_numpy(str), -counts))
        found["unserved"].append(np.where(hidden, HIDDEN, counts).tolist())
        found["share"].append(
            [round(float(one), 4) if ok else None for one, ok in zip(share, is_open, strict=True)]
        )
        found["ranked"].append([int(row) for row in order if counts[row] > 0 and not hidden[row]])
    return found
