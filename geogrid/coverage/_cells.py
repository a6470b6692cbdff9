"""Levels with polygons: those that promise ground, and those that promise households."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage._households import household_findings, households_by_cell
from geogrid.coverage._input import in_frame, limit_of, table_of
from geogrid.coverage._judged import Judged
from geogrid.coverage._rows import defect_rows, joined
from geogrid.coverage._width import severity_of, widths
from geogrid.coverage.verify import verify_coverage
from geogrid.model.counts import households_in
from geogrid.planar.lattice import GRID_M
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District
    from geogrid.model.report import CoverageReport
    from geogrid.model.scheme import Level

    Limit = District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry | None

__all__ = ["judge_cells"]

# Cells that promise households need not meet: only what two of them share is wrong.
_OWN_OUTLINE_ONLY = frozenset(
    {DefectKind.GAP, DefectKind.INSIDE_SHORT, DefectKind.OUTSIDE, DefectKind.UNMATCHED_EDGE}
)


def judge_cells(
    level: Level,
    cells: gpd.GeoDataFrame,
    limit: Limit,
    *,
    households: gpd.GeoDataFrame | None,
    parents: gpd.GeoDataFrame | None,
    limit_is_noded: bool,
) -> Judged:
    """Judge polygons by the contract of their level.

    Parameters
    ----------
    level
        An ``area`` level must fill the limit exactly once; the cells of a ``household`` level must
        hold every household exactly once, overlap nowhere and stay inside the limit.
    cells
        Polygons with ``code``, in metres.
    limit, households, parents, limit_is_noded
        See :func:`geogrid.coverage.verify_coverage`.
    """
    if level.contract is Contract.HOUSEHOLD:
        report = _households_once(cells, limit, households=households, parents=parents)
    else:
        report = verify_coverage(
            cells, limit, households=households, parents=parents, limit_is_noded=limit_is_noded
        )
    counts = _counts(cells, households)
    proof = report.certificate.levels[0]
    counted = proof.households if counts is None else int(counts.sum())
    proof = replace(proof, level=level.key, households=counted, contract=level.contract.value)
    kinds = cells["kind"].astype(str) if "kind" in cells else ""
    units = gpd.GeoDataFrame(
        {"kind": kinds}, geometry=cells.geometry.to_numpy(), index=cells.index, crs=cells.crs
    )
    return Judged(
        level=level,
        defects=report.defects.assign(level=level.key),
        notes=report.notes,
        units=units.set_index(pd.Index(cells["code"].astype(str), name="code")),
        counts=counts,
        proof=proof,
        certificate=report.certificate,
    )


def _counts(cells: gpd.GeoDataFrame, households: gpd.GeoDataFrame | None) -> pd.Series | None:
    """Count households where points are given, else believe the column."""
    codes = pd.Index(cells["code"].astype(str), name="code")
    if households is not None:
        found = households_by_cell(cells.geometry.to_numpy(), in_frame(households, cells))
        return pd.Series(found, index=codes)
    if "households" not in cells:
        return None
    numbers = pd.to_numeric(cells["households"], errors="coerce").fillna(0)
    return pd.Series(numbers.to_numpy().astype(np.int64), index=codes)


def _households_once(
    cells: gpd.GeoDataFrame,
    limit: Limit,
    *,
    households: gpd.GeoDataFrame | None,
    parents: gpd.GeoDataFrame | None,
) -> CoverageReport:
    """Prove that cells cover their own outline once, and look where the households are."""
    table = table_of(cells)
    shapes = table.geometry.to_numpy()
    sound = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    outline = shapely.union_all(sound, grid_size=GRID_M)
    report = verify_coverage(table, outline, parents=parents)
    found = report.defects[~report.defects["kind"].isin(_OWN_OUTLINE_ONLY)]
    notes = [note for note in report.notes if "limit" not in note]
    tables = [found]
    whole: BaseGeometry | None = None
    if limit is not None:
        whole = limit_of(limit, table, notes)
        tables.append(_beyond(table, sound, whole))
    if households is not None:
        people = in_frame(households, table)
        tables = [
            one.assign(households=households_in(one.geometry.to_numpy(), people)) for one in tables
        ]
        lost, note = _lost_and_double(table, whole, people)
        tables.append(lost)
        notes += note
    return replace(report, defects=joined(tables, table.crs), notes=tuple(notes))


def _beyond(
    table: gpd.GeoDataFrame, sound: npt.NDArray[np.object_], whole: BaseGeometry
) -> gpd.GeoDataFrame:
    """Return what of the cells lies outside the limit, by more than rounding."""
    shapely.prepare(whole)
    rows = np.flatnonzero(~shapely.covers(whole, sound))
    parts, owner = shapely.get_parts(
        shapely.difference(sound[rows], whole, grid_size=GRID_M), return_index=True
    )
    width = widths(parts)
    is_real = width > GRID_M
    codes = table["code"].to_numpy()[rows[owner[is_real]]]
    return defect_rows(
        DefectKind.OUTSIDE,
        [(code,) for code in codes],
        parts[is_real],
        households=[0] * len(codes),
        level="",
        crs=table.crs,
        width_m=width[is_real].tolist(),
        severity=[severity_of(one) for one in width[is_real].tolist()],
    )


def _lost_and_double(
    table: gpd.GeoDataFrame, whole: BaseGeometry | None, people: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Return households in no cell or several, and a note about those outside the limit."""
    shapes = table.geometry.to_numpy()
    # Without a limit nobody can be outside: everyone given must be in a cell.
    within = shapely.box(*people.total_bounds) if whole is None else whole
    findings, _, outside = household_findings(shapes, within, people)
    codes = table["code"].to_numpy()
    tables = [
        defect_rows(
            one.kind,
            [tuple(codes[list(one.cells)])],
            np.array([one.geometry], dtype=object),
            households=households_in(np.array([one.geometry], dtype=object), people),
            level="",
            crs=table.crs,
        )
        for one in findings
    ]
    note = f"{outside} households lie outside the limit and belong to no cell"
    return joined(tables, table.crs), [note] if outside else []
