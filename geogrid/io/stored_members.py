"""What a plan file holds of levels that do not tile: lists of members, or polygons of homes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.io._gpkg import layer_names, read_layer_as_is, read_meta
from geogrid.io._plan_meta import PlanMeta
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    import pandas as pd

    from geogrid.model.scheme import Level, Scheme

__all__ = ["read_stored_members"]


def read_stored_members(path: str | Path) -> tuple[Scheme, dict[Level, pd.DataFrame]]:
    """Read the scheme of a plan file and its levels that promise households, not ground.

    Returns
    -------
    scheme
        As stored.
    tables
        By level, those that the file holds: a map layer of the level's key where there is one,
        else the table ``members_<key>``.

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
        for name in (level.key, f"members_{level.key}"):
            if name in there:
                tables[level] = read_layer_as_is(path, name, crs=meta.crs)
                break
    return meta.scheme, tables
