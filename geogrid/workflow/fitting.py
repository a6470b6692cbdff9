"""Fit the cells of one file to those of a reference file (边界统一)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd

from geogrid.compare import Alignment, align
from geogrid.coverage import verify_coverage
from geogrid.io.cell_file import (
    certificate_table,
    require_cell_suffix,
    usual_name,
    write_cells,
    write_csv,
    write_layers,
)
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.layer import read_layer
from geogrid.io.loose_plan import read_loose_plan
from geogrid.workflow.audit import audit_file
from geogrid.workflow.cells import CellFile, read_cell_file, read_points_of
from geogrid.workflow.lineage import lineage_of
from geogrid.workflow.rebuilding import rebuild_plan, write_rebuilt
from geogrid.workflow.words import HEADERS, conflict_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from geogrid.model.report import CoverageReport

__all__ = ["AlignJob", "Aligned", "align_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignJob:
    """What to fit to what, and where to write it.

    Attributes
    ----------
    path, reference
        Plan files or layers of polygons.
    tolerance_m
        Greatest width of a strip that may change hands.
    out
        The fitted cells, in the format of its suffix.
    level, to_level
        Which level of a plan file; the finest area level where absent.
    layer, datum, to_layer, to_datum
        Layer and datum of a file that is no plan.
    households, households_datum
        Household points; the atoms of a plan file stand in for them.
    """

    path: Path
    reference: Path
    tolerance_m: float
    out: Path
    level: str | None = None
    to_level: str | None = None
    layer: str | None = None
    datum: str | None = None
    to_layer: str | None = None
    to_datum: str | None = None
    households: Path | None = None
    households_datum: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Aligned:
    """Fitted cells, as they were written.

    Attributes
    ----------
    result
        Cells, changes, what does not fit, and the crosswalk.
    report
        The proof of the written file.
    notes
        Plain sentences.
    files
        What was written, by role.
    """

    result: Alignment
    report: CoverageReport
    notes: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether everything fits and the cover is proven."""
        return self.report.is_sound and self.result.is_fitted


def align_files(job: AlignJob, *, stage: Callable[[str], None] = lambda _: None) -> Aligned:
    """Fit cells to a reference, write them with their proof, crosswalk and what does not fit.

    Returns
    -------
    Aligned
        The finest level of a plan becomes a plan again, of which all levels follow. Any other
        GeoPackage has ``cells``, ``changes``, ``unfitted``, ``limit`` and the tables
        ``crosswalk`` and ``certificate``; the lists are CSV files beside every format.

    Raises
    ------
    InputError
        If a file cannot be used; nothing is written then.
    CoverageError
        If cells of one side overlap by more than the tolerance.
    OutputError
        If a file cannot be written, or would replace an input.
    """
    job = replace(job, out=usual_name(job.out))
    targets = _targets(job)
    stage("reading")
    cells = read_cell_file(job.path, layer=job.layer, datum=job.datum, level=job.level)
    reference = read_cell_file(
        job.reference, layer=job.to_layer, datum=job.to_datum, level=job.to_level
    )
    points, notes = read_points_of(
        job.households, cells.frame, datum=job.households_datum, plans=(cells,)
    )
    stage("对齐 aligning")
    result = align(cells.frame, reference.frame, tolerance_m=job.tolerance_m, households=points)
    labels = [conflict_label(reason) for reason in result.unfitted["reason"]]
    result = replace(result, unfitted=result.unfitted.assign(label=labels))
    stage("writing")
    with drafting() as draft_of:
        report, more = _write(result, cells, targets, draft_of)
    written = {role: path for role, path in targets.items() if _has_rows(result, role)}
    found = [*cells.notes, *reference.notes, *notes, *result.notes, *more, *report.notes]
    return Aligned(result=result, report=report, notes=tuple(dict.fromkeys(found)), files=written)


def _targets(job: AlignJob) -> dict[str, Path]:
    require_cell_suffix(job.out)
    stem = job.out.stem
    targets = {
        "out": job.out,
        "crosswalk": job.out.with_name(f"{stem}_crosswalk.csv"),
        "changes": job.out.with_name(f"{stem}_changes.csv"),
        "unfitted": job.out.with_name(f"{stem}_unfitted.csv"),
    }
    inputs = [job.path, job.reference, *([job.households] if job.households else [])]
    require_apart(targets.values(), inputs)
    return targets


def _has_rows(result: Alignment, role: str) -> bool:
    table: pd.DataFrame = {"changes": result.changes, "unfitted": result.unfitted}.get(
        role, result.cells
    )
    return bool(len(table))


def _write(
    result: Alignment,
    source: CellFile,
    targets: Mapping[str, Path],
    draft_of: Callable[[Path], Path],
) -> tuple[CoverageReport, list[str]]:
    """Write all files; return the proof of what was read back."""
    tables = {"crosswalk": result.crosswalk, "changes": result.changes, "unfitted": result.unfitted}
    tables = {role: table for role, table in tables.items() if len(table)}
    for role, table in tables.items():
        write_csv(table, draft_of(targets[role]), HEADERS)
    draft = draft_of(targets["out"])
    if draft.suffix.lower() == ".gpkg" and _is_finest(source):
        return _write_plan(result, source, draft, tables)
    cells = source.original(result.cells)
    notes: list[str] = []
    layer = None
    if draft.suffix.lower() == ".gpkg":
        layer = "cells"
        limit = gpd.GeoDataFrame({"name": ["limit"]}, geometry=[result.limit], crs=cells.crs)
        proof = certificate_table(result.report.certificate)
        write_layers({"cells": cells, "limit": limit, "certificate": proof, **tables}, draft)
    else:
        notes = write_cells(cells, draft, layer="cells")
    back = read_layer(draft, layer=layer)
    if cells.crs is not None and back.crs != cells.crs:
        back = back.to_crs(cells.crs)
    back = back.assign(code=result.cells["code"].to_numpy())
    return verify_coverage(back, result.limit), notes


def _is_finest(source: CellFile) -> bool:
    return source.stored is not None and source.level == list(source.stored.levels)[-1]


def _write_plan(
    result: Alignment, source: CellFile, draft: Path, tables: Mapping[str, pd.DataFrame]
) -> tuple[CoverageReport, list[str]]:
    """Write a plan again: all its levels follow its finest cells."""
    loose = read_loose_plan(source.path)
    notes: list[str] = []
    lineage = lineage_of(loose, result.cells, notes)
    rebuilt = rebuild_plan(loose, result.cells, lineage)
    write_rebuilt(rebuilt, loose, draft, more=tables)
    audit = audit_file(draft)
    notes += [*rebuilt.notes, *audit.faults]
    return audit.report, notes
