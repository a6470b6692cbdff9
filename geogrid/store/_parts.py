"""A plan as sheets and meta data, and back: what is stored is what is read, to the bit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geogrid.errors import StoreError
from geogrid.io._plan_meta import PlanMeta, plan_meta
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan, no_history
from geogrid.store._pages import Sheet, frame_of, sheet_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS

__all__ = ["PLAN_SHEETS", "meta_text", "plan_of", "sheets_of"]

PLAN_SHEETS = ("limit", "atoms", "labels", "cells", "history", "barriers")
_ROSTER, _SHAPES = "roster:", "shapes:"


def sheets_of(plan: GridPlan) -> list[Sheet]:
    """Return all tables of a plan.

    Raises
    ------
    StoreError
        If a column holds neither texts nor numbers nor shapes.
    """
    limits = gpd.GeoDataFrame(geometry=[plan.atoms.limit, plan.district.limit])
    tables = {
        "limit": limits,
        "atoms": plan.atoms.frame.reset_index(drop=True),
        "labels": plan.labels.rename_axis("atom_id"),
        "cells": plan.cell_table.rename_axis("code"),
        "history": plan.code_history.reset_index(drop=True),
    }
    if plan.atoms.barriers is not None:
        tables["barriers"] = plan.atoms.barriers[["kind", "geometry"]].reset_index(drop=True)
    sheets = [sheet_of(name, table) for name, table in tables.items()]
    for key, shapes in plan.shapes.items():
        frame = gpd.GeoDataFrame({"geometry": shapes}).rename_axis("code")
        sheets.append(sheet_of(f"{_SHAPES}{key}", frame))
    for key, roster in plan.rosters.items():
        table = roster.reset_index(drop=True)
        sheets.append(sheet_of(f"{_ROSTER}{key}", table, is_personal=True))
    return sheets


def meta_text(plan: GridPlan) -> str:
    """Return all of a plan that is no table, as JSON."""
    place = plan.district
    district = {"name": place.name, "code": place.code, "admin_rank": place.admin_rank}
    values = {**plan_meta(plan, None), "district": district}
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def plan_of(sheets: Mapping[str, Sheet], meta: str) -> GridPlan:
    """Put a plan together.

    Raises
    ------
    StoreError
        If a table is missing.
    """
    values: dict[str, Any] = json.loads(meta)
    known = PlanMeta(values, "the stored plan")
    absent = set(PLAN_SHEETS[:4]) - set(sheets)
    if absent:
        msg = f"the stored plan lacks its table {min(absent)}: restore a backup of the store"
        raise StoreError(msg)
    own, given = sheets["limit"].columns[0][2]
    barriers = _located(sheets["barriers"], known.crs) if "barriers" in sheets else None
    return GridPlan(
        district=District(limit=given, crs=known.crs, **values["district"]),
        scheme=known.scheme,
        atoms=Atoms(
            frame=_located(sheets["atoms"], known.crs),
            limit=own,
            barriers=barriers,
            cut_buildings=known.cut_buildings,
        ),
        labels=frame_of(sheets["labels"]),
        cell_table=frame_of(sheets["cells"]),
        sources=known.sources,
        certificate=known.certificate,
        version=known.version,
        parent_version=known.parent_version,
        code_history=frame_of(sheets["history"]) if "history" in sheets else no_history(),
        rosters={key: frame_of(one) for key, one in _named(sheets, _ROSTER).items()},
        shapes={key: _series(one, known.crs) for key, one in _named(sheets, _SHAPES).items()},
        notes=known.notes,
    )


def _named(sheets: Mapping[str, Sheet], prefix: str) -> dict[str, Sheet]:
    return {
        name.removeprefix(prefix): sheet
        for name, sheet in sheets.items()
        if name.startswith(prefix)
    }


def _series(sheet: Sheet, crs: CRS | None) -> gpd.GeoSeries:
    codes = pd.Index(pd.Series(sheet.columns[0][2], dtype="str"), name="code")
    return gpd.GeoSeries(sheet.columns[1][2], index=codes, crs=crs)


def _located(sheet: Sheet, crs: CRS | None) -> gpd.GeoDataFrame:
    table = frame_of(sheet)
    shapes = np.asarray(table.pop("geometry"), dtype=object)
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return frame[[name for name, _, _ in sheet.columns]]
