"""Lists of households for those who divide them: what each holds, and who is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.accounts.roles import Action
from geogrid.api.homes import rows_within
from geogrid.api.problems import NotInPlanError
from geogrid.edit.change import band_state
from geogrid.maps.coding import DECIMALS, to_degrees

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.api.features import Box
    from geogrid.api.security import Caller
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["list_level", "own_members", "told_lists", "told_members"]


def told_lists(
    plan: GridPlan, level: Level, found: pd.DataFrame, *, limit: int, offset: int
) -> dict[str, Any]:
    """Return lists with their households and bands, as the service answers them.

    Parameters
    ----------
    found
        As :func:`own_members` gives them.
    """
    held = found.groupby("code")
    sums = held.agg(households=("households", "sum"), rows=("code", "size"), cell=("cell", "first"))
    shown = sums.iloc[offset : offset + limit]
    facts = plan.cell_table.loc[shown.index]
    rows = [
        {
            "code": code, "name": name, "kind": kind, "parent": parent, "cell": cell,
            "households": people, "rows": count,
            "band": band_state(people, level.band, is_judged=True) or None,
        }
        for code, name, kind, parent, cell, people, count in zip(
            shown.index, facts["name"], facts["kind"], facts["parent"], shown["cell"],
            shown["households"].tolist(), shown["rows"].tolist(), strict=True,
        )
    ]  # fmt: skip
    return {
        "level": level.key, "numberMatched": len(sums), "numberReturned": len(rows), "lists": rows,
    }  # fmt: skip


def told_members(
    level: Level, found: pd.DataFrame, points: gpd.GeoDataFrame | None, box: Box | None, *,
    limit: int, offset: int,
) -> dict[str, Any]:  # fmt: skip
    """Return households with the list that each is in, as GeoJSON.

    Those without a point have no geometry, and lie in no box.

    Parameters
    ----------
    found
        As :func:`own_members` gives them.
    points
        ``household_id, geometry`` in the plan's own metres, where points are at hand.
    """
    at = _points_of(found, points)
    if box is not None:
        kept = np.isin(at, rows_within(points, box))
        found, at = found[kept], at[kept]
    shown = slice(offset, offset + limit)
    features = _features(found.iloc[shown], points, at[shown])
    return {
        "type": "FeatureCollection", "level": level.key, "numberMatched": len(found),
        "numberReturned": len(features), "numberPlaced": int((at >= 0).sum()),
        "features": features,
    }  # fmt: skip


def list_level(plan: GridPlan, level: str) -> Level:
    """Return the level of lists of a key, name or alias; the finest when empty.

    Raises
    ------
    NotInPlanError
        If the plan has no lists of it.
    """
    listed = [one for one in plan.scheme.levels if one.key in plan.rosters]
    wanted = [one for one in listed if one.answers_to(level)] if level else listed[-1:]
    if not wanted:
        known = ", ".join(f"{one.key} ({one.name})" for one in listed) or "none"
        msg = (
            f"this plan has no lists of households of level {level or 'any'}; it has: {known} "
            f"(本方案没有“{level or '住户'}”名册)"
        )
        raise NotInPlanError(msg)
    return wanted[0]


def own_members(plan: GridPlan, level: Level, cell: str, caller: Caller) -> pd.DataFrame:
    """Return the members of the lists of a level that live in the caller's own area.

    Parameters
    ----------
    cell
        Code of the area cell that they live in; "" for all.

    Returns
    -------
    DataFrame
        ``code, household_id, households, atom_id, cell``, sorted by list and household; ``cell`` is
        the finest area cell.

    Raises
    ------
    NotInPlanError
        If there is no such cell.
    """
    table = plan.rosters[level.key]
    atom = plan.labels.index.get_indexer(pd.Index(table["atom_id"]))
    # The last entry stands for a household of no atom, which is nobody's but the whole store's.
    leaf = np.append(plan.leaf.to_numpy(object), "")[atom]
    kept = np.ones(len(table), dtype=np.bool_)
    if cell:
        kept = (atom >= 0) & (plan.labels[_area_of(plan, cell)].to_numpy(object)[atom] == cell)
    own = {
        code: caller.may(Action.VIEW_HOUSEHOLDS, [code])
        for code in pd.unique(pd.Series(leaf[kept], dtype=object))
    }
    kept &= np.array([own.get(code, False) for code in leaf], dtype=np.bool_)
    found = table[kept].assign(cell=leaf[kept])
    return found.sort_values(["code", "household_id"], ignore_index=True)


def _area_of(plan: GridPlan, cell: str) -> str:
    """Return the area level of a cell."""
    key = str(plan.cell_table["level"].get(cell, ""))
    if key not in plan.labels:
        msg = f"this version has no area cell {cell!r}: check the code (没有网格{cell})"
        raise NotInPlanError(msg)
    return key


def _points_of(found: pd.DataFrame, points: gpd.GeoDataFrame | None) -> npt.NDArray[np.int64]:
    """Return the row of the point of each household, -1 where it has none."""
    if points is None or "household_id" not in points:
        return np.full(len(found), -1, dtype=np.int64)
    wanted = pd.Index(found["household_id"].astype("str"))
    names = points["household_id"].astype("str")
    # A city has a million points, and a cell some hundreds of households.
    rows = np.flatnonzero(names.isin(wanted))
    ids = pd.Index(names.iloc[rows])
    first = ~ids.duplicated()
    at = ids[first].get_indexer(wanted)
    return np.append(rows[first], -1)[at].astype(np.int64)


def _features(
    found: pd.DataFrame, points: gpd.GeoDataFrame | None, at: npt.NDArray[np.int64]
) -> list[dict[str, Any]]:
    places: list[list[float] | None] = [None] * len(found)
    has = np.flatnonzero(at >= 0)
    if points is not None and len(has):
        shapes = to_degrees(gpd.GeoSeries(points.geometry.iloc[at[has]])).to_numpy()
        xy = shapely.get_coordinates(shapes).round(DECIMALS).tolist()
        for row, place in zip(has.tolist(), xy, strict=True):
            places[row] = place
    return [
        {
            "type": "Feature",
            "properties": {
                "household_id": name, "households": count, "list": code, "cell": lies_in,
            },
            "geometry": None if place is None else {"type": "Point", "coordinates": place},
        }
        for name, count, code, lies_in, place in zip(
            found["household_id"], found["households"].tolist(), found["code"], found["cell"],
            places, strict=True,
        )
    ]  # fmt: skip
