"""What a plan file holds of levels that do not tile: lists of members, or polygons of homes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from geogrid.errors import InputError
from geogrid.io._gpkg import layer_names, read_layer_as_is, read_meta
from geogrid.io._plan_meta import PlanMeta
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from geogrid.model.scheme import Level, Scheme

__all__ = ["read_rosters", "read_stored_members", "read_stored_outlines"]

_FIELDS = ("code", "household_id", "households", "atom_id", "name", "kind", "parent", "head")


def read_stored_members(path: str | Path) -> tuple[Scheme, dict[Level, pd.DataFrame]]:
    """Read the scheme of a plan file and its levels that promise households, not ground.

    Returns
    -------
    scheme
        As stored.
    tables
        By level, those that the file holds: the table ``members_<key>`` where there is one (who
        belongs to whom is what such a level promises), else a map layer of the level's key.

    Raises
    ------
    InputError
        If the file is no plan, or a damaged one.
    """
    meta = PlanMeta(read_meta(path), Path(path).name)
    there = layer_names(path)
    tables: dict[Level, pd.DataFrame] = {}
    for level in meta.scheme.levels:
        if level.contract is Contract.AREA:
            continue
        for name in (f"members_{level.key}", level.key):
            if name in there:
                tables[level] = read_layer_as_is(path, name, crs=meta.crs)
                break
    return meta.scheme, tables


def read_stored_outlines(path: str | Path) -> dict[Level, gpd.GeoDataFrame]:
    """Read the polygons that a plan file holds beside a list of members, by level.

    Raises
    ------
    InputError
        If the file is no plan or a damaged one, or a polygon layer does not say whose they are.
    """
    meta = PlanMeta(read_meta(path), Path(path).name)
    there = layer_names(path)
    shapes: dict[Level, gpd.GeoDataFrame] = {}
    for level in meta.scheme.levels:
        if level.contract is not Contract.HOUSEHOLD or not {level.key, f"members_{level.key}"} <= {
            *there
        }:
            continue
        table = read_layer_as_is(path, level.key, crs=meta.crs)
        if not isinstance(table, gpd.GeoDataFrame) or "code" not in table:
            what = "geometry" if "code" in table else "column code"
            msg = (
                f"layer {level.key} of {Path(path).name} has no {what}: take it from the last good "
                f"version"
            )
            raise InputError(msg)
        shapes[level] = table
    return shapes


def read_rosters(
    path: str | Path, meta: PlanMeta, layers: Collection[str]
) -> dict[str, pd.DataFrame]:
    """Read the lists of single households, by key of their level.

    Raises
    ------
    InputError
        If a list lacks a column or a number.
    """
    found: dict[str, pd.DataFrame] = {}
    for level in meta.scheme.levels:
        name = f"members_{level.key}"
        if level.contract is Contract.AREA or name not in layers:
            continue
        table = read_layer_as_is(path, name, geometry=False)
        if "household_id" not in table:
            continue
        absent = [column for column in _FIELDS if column not in table]
        if absent or table["households"].isna().any() or table["code"].isna().any():
            why = f"lacks the column {absent[0]}" if absent else "has rows without a code or number"
            msg = (
                f"{Path(path).name} is a damaged geogrid plan, table {name} {why}: take the last "
                f"good version of it"
            )
            raise InputError(msg)
        texts = {one: "str" for one in _FIELDS if one != "households"}
        rows = table[list(_FIELDS)].fillna(dict.fromkeys(("name", "kind", "parent", "head"), ""))
        found[level.key] = rows.astype({**texts, "households": np.int64})
    return found
