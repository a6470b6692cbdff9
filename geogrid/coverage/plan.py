"""Judge a whole plan: every area level, nesting, and every household exactly once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geogrid.coverage.verify import verify_coverage
from geogrid.model.report import Certificate, CoverageReport
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from geogrid.model.district import District
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["verify_plan"]


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
    tables, proofs, notes = [], [], []
    certificate: Certificate | None = None
    parents = None
    for level in plan.scheme.area_levels:
        cells = plan.cells(level.key)
        report = verify_coverage(
            cells,
            against,
            households=households,
            parents=parents if parents is not None and level.may_span_parents is False else None,
        )
        certificate = report.certificate
        count = certificate.levels[0].households
        households_here = int(cells["households"].sum()) if count is None else count
        proofs.append(replace(certificate.levels[0], level=level.key, households=households_here))
        tables.append(_with_level(report.defects, level, cells))
        notes += [note for note in report.notes if note not in notes]
        parents = cells
    defects = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=plan.district.crs)
    defects = defects.sort_values(
        ["households", "area_m2"], ascending=False, kind="stable", ignore_index=True
    )
    whole = replace(certificate, levels=tuple(proofs)) if certificate else None
    if whole is None:  # A scheme has at least one level, but it may be a roster.
        whole = Certificate(limit_digest="", limit_twice_area_mm2=0, limit_shift_mm=0.0, levels=())
    return CoverageReport(defects=defects, certificate=whole, notes=tuple(notes))


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
