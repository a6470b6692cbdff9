"""A plan file taken apart: everything in it, though its parts may not fit together any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geogrid.errors import InputError
from geogrid.io._gpkg import layer_names, read_layer_as_is, read_meta
from geogrid.io._plan_meta import PlanMeta
from geogrid.io.plan_file import read_code_history
from geogrid.io.stored_plan import StoredPlan, read_stored_plan
from geogrid.model.district import District
from geogrid.model.plan import CELL_FIELDS
from geogrid.planar.noding import as_multipolygon
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.model.scheme import Scheme
    from geogrid.model.source import Source

__all__ = ["LoosePlan", "plan_sources", "read_loose_plan"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoosePlan:
    """The parts of a plan file.

    Attributes
    ----------
    stored
        Limit, cells of every area level and atoms with their label columns, as they stand.
    district, scheme, sources, version, cut_buildings
        What the plan says about itself.
    roster_cells
        Indexed by ``code``: the cells of levels without polygons of their own.
    code_history
        Every code that the plan remembers.
    barriers, stations, circles
        Layers beside the plan; ``None`` where there are none.
    """

    stored: StoredPlan
    district: District
    scheme: Scheme
    sources: tuple[Source, ...]
    version: str
    cut_buildings: pd.DataFrame
    roster_cells: pd.DataFrame
    code_history: pd.DataFrame
    barriers: gpd.GeoDataFrame | None = None
    stations: gpd.GeoDataFrame | None = None
    circles: gpd.GeoDataFrame | None = None


def read_loose_plan(path: Path) -> LoosePlan:
    """Read the parts of a plan file without asking that they agree.

    Raises
    ------
    InputError
        If the file is no plan, or its atoms, limit or meta data are damaged.
    """
    stored = read_stored_plan(path)
    meta = PlanMeta(read_meta(path), path.name)
    there = layer_names(path)
    absent = {"atom_id", "households", "kind"} - set(stored.atoms.columns)
    if absent or stored.atoms.empty:
        what = f"its atoms lack the column {min(absent)}" if absent else "it holds no atom"
        msg = f"{path.name} is a damaged geogrid plan, {what}: take the last good version of it"
        raise InputError(msg)
    place = read_layer_as_is(path, "district", geometry=False)
    extra = {
        name: read_layer_as_is(path, name, crs=meta.crs)
        for name in ("barriers", "stations", "circles")
        if name in there
    }
    maps = {name: table for name, table in extra.items() if isinstance(table, gpd.GeoDataFrame)}
    return LoosePlan(
        stored=stored,
        district=District(
            limit=as_multipolygon(stored.limit),
            crs=meta.crs,
            name=_first(place, "name"),
            code=_first(place, "code"),
            admin_rank=_first(place, "admin_rank"),
        ),
        scheme=meta.scheme,
        sources=meta.sources,
        version=meta.version,
        cut_buildings=meta.cut_buildings,
        roster_cells=_roster_cells(path, meta, there),
        code_history=read_code_history(path),
        **maps,
    )


def plan_sources(path: Path) -> tuple[Source, ...]:
    """Return where the inputs of a plan file came from: whoever draws it must name them."""
    return PlanMeta(read_meta(path), path.name).sources


def _roster_cells(path: Path, meta: PlanMeta, there: tuple[str, ...]) -> pd.DataFrame:
    tables = []
    for level in meta.scheme.levels:
        name = f"members_{level.key}"
        if level.contract is Contract.AREA or name not in there:
            continue
        rows = read_layer_as_is(path, name, geometry=False).drop_duplicates("code")
        tables.append(rows.assign(level=level.key)[["code", *CELL_FIELDS]])
    if not tables:
        return pd.DataFrame(columns=[*CELL_FIELDS], index=pd.Index([], name="code"), dtype="str")
    return pd.concat(tables).set_index("code").astype("str")


def _first(place: pd.DataFrame, column: str) -> str:
    value = place[column].iloc[0] if column in place and len(place) else ""
    return "" if pd.isna(value) else str(value)
