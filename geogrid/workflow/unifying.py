"""Several departments' files of cells made one coverage (多网合一)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd

from geogrid.compare import Unification, unify
from geogrid.coverage import verify_coverage
from geogrid.errors import CoverageError, InputError, OutputError
from geogrid.io.cell_file import certificate_table, write_csv, write_layers
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.layer import read_layer
from geogrid.workflow.cells import read_cell_file, read_limit_of, read_points_of
from geogrid.workflow.words import HEADERS, conflict_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geogrid.model.report import CoverageReport

__all__ = ["Unified", "UnifyJob", "unify_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnifyJob:
    """Which files become one, and where to write it.

    Attributes
    ----------
    paths
        Plan files or layers of polygons; the first has the highest priority.
    limit, limit_datum
        What the one coverage must fill.
    out
        The GeoPackage.
    households, households_datum
        Household points.
    level
        Which level of plan files; the finest area level where absent.
    layers, datums
        Layer and datum of each path that is no plan.
    """

    paths: tuple[Path, ...]
    limit: Path
    out: Path
    limit_datum: str | None = None
    households: Path | None = None
    households_datum: str | None = None
    level: str | None = None
    layers: Mapping[Path, str] = field(default_factory=dict)
    datums: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Unified:
    """One coverage of several, as it was written.

    Attributes
    ----------
    result
        Cells, conflicts and crosswalk.
    report
        The proof of the written file.
    names
        What each layer is called, in order of priority.
    notes
        Plain sentences.
    files
        What was written, by role.
    """

    result: Unification
    report: CoverageReport
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether the layers agree and the cover is proven."""
        return self.report.is_sound and self.result.conflicts.empty


def unify_files(job: UnifyJob, *, stage: Callable[[str], None] = lambda _: None) -> Unified:
    """Make one coverage of several files, write it with its proof and its crosswalk.

    Returns
    -------
    Unified
        The GeoPackage has ``cells``, ``conflicts``, ``limit``, the tables ``crosswalk`` and
        ``certificate``; the crosswalk is a CSV file beside it too, so are conflicts.

    Raises
    ------
    InputError
        If a file cannot be used; nothing is written then.
    OutputError
        If a file cannot be written, or would replace an input.
    """
    targets = _targets(job)
    stage("reading")
    names = _names(job.paths)
    files = [
        read_cell_file(
            path, layer=job.layers.get(path), datum=job.datums.get(path), level=job.level
        )
        for path in job.paths
    ]
    layers = dict(zip(names, (one.frame for one in files), strict=True))
    first = files[0].frame
    limit = read_limit_of(job.limit, first, datum=job.limit_datum)
    points, point_notes = read_points_of(
        job.households, first, datum=job.households_datum, plans=files
    )
    stage("合并 unifying")
    result = unify(layers, limit.district, households=points)
    result = replace(
        result,
        conflicts=result.conflicts.assign(
            label=[conflict_label(kind) for kind in result.conflicts["kind"]]
        ),
    )
    stage("writing")
    with drafting() as draft_of:
        report = _write(result, targets, draft_of)
    notes = [note for one in files for note in one.notes]
    notes += [*limit.notes, *point_notes, *result.notes, *report.notes]
    written = {role: path for role, path in targets.items() if role != "conflicts"}
    if len(result.conflicts):
        written["conflicts"] = targets["conflicts"]
    return Unified(
        result=result, report=report, names=names, notes=tuple(dict.fromkeys(notes)), files=written
    )


def _targets(job: UnifyJob) -> dict[str, Path]:
    if job.out.suffix.lower() != ".gpkg":
        msg = f"one coverage cannot be written as {job.out.name}: end its name in .gpkg"
        raise OutputError(msg)
    if len(job.paths) < 2:  # noqa: PLR2004 - one coverage of several
        msg = "one layer alone is nothing to unify: give two or more files"
        raise InputError(msg)
    stem = job.out.stem
    targets = {
        "out": job.out,
        "crosswalk": job.out.with_name(f"{stem}_crosswalk.csv"),
        "conflicts": job.out.with_name(f"{stem}_conflicts.csv"),
    }
    inputs = [*job.paths, job.limit, *([job.households] if job.households else [])]
    require_apart(targets.values(), inputs)
    return targets


def _names(paths: tuple[Path, ...]) -> tuple[str, ...]:
    """Return what each layer is called: its file's name, with a number where two are alike."""
    names: list[str] = []
    for path in paths:
        name, number = path.stem, 2
        while name in names:
            name = f"{path.stem}-{number}"
            number += 1
        names.append(name)
    return tuple(names)


def _write(
    result: Unification, targets: Mapping[str, Path], draft_of: Callable[[Path], Path]
) -> CoverageReport:
    """Write all files; return the proof of the cells and the limit read back."""
    limit = gpd.GeoDataFrame({"name": ["limit"]}, geometry=[result.limit], crs=result.cells.crs)
    draft = draft_of(targets["out"])
    layers = {
        "cells": result.cells,
        "limit": limit,
        "crosswalk": result.crosswalk,
        "certificate": certificate_table(result.report.certificate),
    }
    if len(result.conflicts):
        layers["conflicts"] = result.conflicts
    write_layers(layers, draft)
    write_csv(result.crosswalk, draft_of(targets["crosswalk"]), HEADERS)
    if len(result.conflicts):
        write_csv(result.conflicts, draft_of(targets["conflicts"]), HEADERS)
    cells, noded = read_layer(draft, layer="cells"), read_layer(draft, layer="limit")
    report = verify_coverage(cells, noded, limit_is_noded=True)
    kept = [proof.digest for proof in result.report.certificate.levels]
    if [proof.digest for proof in report.certificate.levels] != kept:
        msg = f"{targets['out'].name} does not hold the cells that were proven: write it again"
        raise CoverageError(msg)
    return report
