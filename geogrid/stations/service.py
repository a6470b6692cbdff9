"""Who is served and where the blind spots (盲区) are, from a measured reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geogrid.model.reach import limit_column
from geogrid.vocabulary import StationStatus

if TYPE_CHECKING:
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach

__all__ = ["served_by_cell", "service_summary", "unserved_by_cell"]


def unserved_by_cell(reach: Reach, plan: GridPlan, level: str) -> pd.DataFrame:
    """Rank the cells of a level by their unserved households, for each limit.

    Parameters
    ----------
    reach
        Measured with households.
    plan, level
        The plan, and the key, name or alias of one of its levels.

    Returns
    -------
    DataFrame
        ``limit, rank, code, name, households, unserved, share``: every cell once a limit, most
        unserved households first, then by code; ``share`` is the unserved part of its households
        (NaN without any). Equal counts share a rank. ``attrs["outside"]`` counts households in no
        cell.
    """
    cells = reach.by_cell(plan, level)
    names = plan.cell_table["name"].reindex(cells.index)
    tables = [_ranked(cells, names, limit) for limit in reach.limits]
    table = pd.concat(tables, ignore_index=True)
    table.attrs["outside"] = cells.attrs["outside"]
    return table


def _ranked(cells: pd.DataFrame, names: pd.Series, limit: float) -> pd.DataFrame:
    households = cells["households"]
    unserved = households - cells[limit_column(limit)]
    table = pd.DataFrame(
        {
            "limit": limit,
            "rank": unserved.rank(method="min", ascending=False).astype(np.int64),
            "name": names,
            "households": households,
            "unserved": unserved,
            "share": unserved / households.where(households > 0),
        }
    ).reset_index()
    table = table.sort_values(["rank", "code"])
    return table[["limit", "rank", "code", "name", "households", "unserved", "share"]]


def served_by_cell(reach: Reach, plan: GridPlan, level: str) -> pd.DataFrame:
    """Rank the cells of a level by their share of served households (覆盖率排名), for each limit.

    Parameters
    ----------
    reach
        Measured with households.
    plan, level
        The plan, and the key, name or alias of one of its levels.

    Returns
    -------
    DataFrame
        ``limit, rank, code, name, households, served, unserved, share``: every cell once a limit,
        the greatest share first, then by code. Equal shares share a rank; a cell without
        households has no share (NaN), rank 0, and comes last. ``attrs["outside"]`` counts
        households in no cell.
    """
    cells = reach.by_cell(plan, level)
    names = plan.cell_table["name"].reindex(cells.index)
    tables = []
    for limit in reach.limits:
        households, served = cells["households"], cells[limit_column(limit)]
        share = served / households.where(households > 0)
        table = pd.DataFrame(
            {
                "limit": limit,
                "rank": share.rank(method="min", ascending=False).fillna(0).astype(np.int64),
                "name": names,
                "households": households,
                "served": served,
                "unserved": households - served,
                "share": share,
            }
        ).reset_index()
        table = table.sort_values(["share", "code"], ascending=[False, True])
        tables.append(table[["limit", "rank", "code", *table.columns[3:]]])
    ranked = pd.concat(tables, ignore_index=True)
    ranked.attrs["outside"] = cells.attrs["outside"]
    return ranked


def service_summary(reach: Reach) -> dict[str, Any]:
    """Return the headline numbers of a reach as plain JSON values.

    Returns
    -------
    dict
        ``stations``; ``off_network`` (names of stations too far from every street);
        ``truncated`` (names of stations whose circle the rim of the street data cuts off);
        ``households``; ``off_network_households``; ``overlapping`` (households that several
        stations reach within the largest limit); ``limits``: one ``limit, served, unserved, share``
        each (``share`` is ``None`` without households); ``assumptions``.
    """
    households = reach.households
    counts = households["households"]
    total = int(counts.sum())
    off = StationStatus.OFF_NETWORK.value
    stations = reach.stations
    return {
        "stations": len(stations),
        "off_network": stations["station"][stations["status"] == off].tolist(),
        "truncated": stations["station"][stations["truncated"]].tolist(),
        "households": total,
        "off_network_households": int(counts[households["status"] == off].sum()),
        "overlapping": int(counts[households["count"] > 1].sum()),
        "limits": [_limit_row(reach, limit, total) for limit in reach.limits],
        "assumptions": dict(reach.assumptions),
    }


def _limit_row(reach: Reach, limit: float, total: int) -> dict[str, Any]:
    served = reach.served_households(limit)
    return {
        "limit": limit,
        "served": served,
        "unserved": total - served,
        "share": served / total if total else None,
    }
