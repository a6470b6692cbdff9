"""Judge a whole plan: every area level, nesting, and every household exactly once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geogrid.coverage.verify import verify_coverage
from geogrid.errors import InputError
from geogrid.model.report import CoverageReport
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["verify_levels", "verify_plan"]


def verify_plan(
    plan: GridPlan,
    *,
    limit: District | gpd.GeoDataFrame | None = None,
    households: gpd.GeoDataFrame | None = None,
) -> CoverageReport:
    """Prove every area level of a plan from its polygons alone.

    Parameters
    ----------
    plan
        The plan; how it was made plays no part.
    limit
        What it should cover; the plan's own noded limit when absent.
    households
        Points with ``households``; without them the counts of the plan are added up.

    Returns
    -------
    CoverageReport
        Defects of all levels, worst first, ``level`` filled in; the certificate has one proof a
        level. A cell outside a hard band is a defect; outside a soft one it is not.
    """
    against = plan.atoms.limit if limit is None else limit
    levels = {level: plan.cells(level.key) for level in plan.scheme.area_levels}
    return verify_levels(levels, against, households=households, limit_is_noded=limit is None)


def verify_levels(
    levels: Mapping[Level, gpd.GeoDataFrame],
    limit: District | gpd.GeoDataFrame | BaseGeometry,
    *,
    households: gpd.GeoDataFrame | None = None,
    limit_is_noded: bool = False,
) -> CoverageReport:
    """Prove area levels, coarse to fine, from their cells; see :func:`verify_plan`."""
    if not levels:
        msg = "the scheme has no area level: there are no polygons to prove"
        raise InputError(msg)
    tables, proofs, notes = [], [], []
    parents: gpd.GeoDataFrame | None = None
    for level, cells in levels.items():
        above = None if level.may_span_parents else parents
        report = verify_coverage(
            cells, limit, households=households, parents=above, limit_is_noded=limit_is_noded
        )
        proof = report.certificate.levels[0]
        counted = proof.households
        if counted is None and "households" in cells:
            counted = int(cells["households"].sum())
        proofs.append(replace(proof, level=level.key, households=counted))
        tables.append(_with_level(report.defects, level, cells))
        notes += [note for note in report.notes if note not in notes]
        parents = cells
    defects = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=tables[0].crs)
    defects = defects.sort_values(
        ["households", "area_m2"], ascending=False, kind="stable", ignore_index=True
    )
    certificate = replace(report.certificate, levels=tuple(proofs))
    return CoverageReport(defects=defects, certificate=certificate, notes=tuple(notes))


def _with_level(
    defects: gpd.GeoDataFrame, level: Level, cells: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    table = defects.assign(level=level.key)
    band = level.band
    if band is None or not band.is_hard:
        return table
    beyond = cells[[count not in band for count in cells["households"]]]
    rows = gpd.GeoDataFrame(
        {
            "kind": DefectKind.OUT_OF_BAND.value,
            "cells": [(code,) for code in beyond["code"]],
            "area_m2": beyond["area_m2"].to_numpy(),
            "width_m": 0.0,
            "households": beyond["households"].to_numpy(),
            "severity": "",
            "level": level.key,
        },
        geometry=beyond.geometry.to_numpy(),
        crs=cells.crs,
    )
    return gpd.GeoDataFrame(pd.concat([table, rows], ignore_index=True), crs=cells.crs)
