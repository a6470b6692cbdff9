"""Repair a file: a plan of geogrid, or any layer of polygons."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geogrid.coverage import verify_coverage
from geogrid.errors import InputError, OutputError
from geogrid.io.cell_file import (
    require_cell_suffix,
    usual_name,
    write_cells,
    write_csv,
    write_layers,
    write_text,
)
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.layer import read_layer
from geogrid.io.loose_plan import read_loose_plan
from geogrid.maps.repair_map import RepairView, repair_page
from geogrid.planar.noding import as_multipolygon
from geogrid.repair import POLICIES, repair_coverage
from geogrid.workflow.audit import audit_file
from geogrid.workflow.cells import (
    CellFile,
    atom_points,
    in_frame_of,
    outline_of,
    read_cell_file,
    read_limit_of,
    read_points_of,
)
from geogrid.workflow.plan_mending import CHANGE_COLUMNS, follow_children, mend_leaf
from geogrid.workflow.rebuilding import Rebuilt, rebuild_plan, write_rebuilt
from geogrid.workflow.words import HEADERS, change_label, conflict_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from shapely.geometry import MultiPolygon

    from geogrid.io.loose_plan import LoosePlan
    from geogrid.model.report import CoverageReport

__all__ = ["Mending", "RepairJob", "repair_file"]

_ASK = "ask"
# Columns of areas that are not made anew; area_m2 is.
_AREA_NAMES = ("面积", "网格面积", "面积平方米", "mj", "area", "shape_area")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairJob:
    """What to repair, how, and where to write.

    Attributes
    ----------
    path, out
        The file to mend, and the mended one; they are never the same.
    limit, limit_datum
        What the cells should cover: a plan's own limit, or the outline of the cells, if absent.
    households, households_datum
        Household points, to count who is moved.
    policy
        Who gets a gap or an overlap, see :func:`geogrid.repair_coverage`; ``ask`` writes the
        questions and no mended file.
    locked
        Codes of cells that do not change.
    layer, datum
        Layer and datum of a file that is no plan.
    preview
        Where to write the map of before and after.
    """

    path: Path
    out: Path
    limit: Path | None = None
    limit_datum: str | None = None
    households: Path | None = None
    households_datum: str | None = None
    policy: str = "longest_border"
    locked: tuple[str, ...] = ()
    layer: str | None = None
    datum: str | None = None
    preview: Path | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Mending:
    """What was done to a file.

    Attributes
    ----------
    before, after
        The cells that were mended, with ``code``: the finest level of a plan.
    changes
        ``level cell what other area_m2 households``, and ``label``: what, in Chinese and English.
    conflicts
        ``level kind cells area_m2 households label geometry``: what a person has to decide.
    report
        The check of the file as it was written (of the cells that came, with the policy ``ask``).
    faults
        What else is wrong with the written file, one plain sentence each.
    is_plan, is_written
        Whether the file is a plan; whether a mended file was written.
    notes
        Plain sentences about what was assumed.
    files
        What was written, by role.
    """

    before: gpd.GeoDataFrame
    after: gpd.GeoDataFrame
    changes: pd.DataFrame
    conflicts: gpd.GeoDataFrame
    report: CoverageReport
    is_plan: bool
    is_written: bool = True
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def questions(self) -> int:
        """How many places wait for an answer."""
        return int(self.changes["what"].str.startswith("ask_").sum())

    @property
    def is_sound(self) -> bool:
        """Whether nothing is left for a person to look at."""
        is_open = len(self.conflicts) or self.questions or self.faults
        return self.is_written and self.report.is_sound and not is_open


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Draft:
    """A mending before anything is written."""

    path: Path
    before: gpd.GeoDataFrame
    after: gpd.GeoDataFrame
    changes: pd.DataFrame
    conflicts: gpd.GeoDataFrame
    limit: MultiPolygon
    notes: list[str]
    is_kept: bool = False
    source: CellFile | None = None
    loose: LoosePlan | None = None
    rebuilt: Rebuilt | None = None


def repair_file(job: RepairJob, *, stage: Callable[[str], None] = lambda _: None) -> Mending:
    """Mend a file, prove what was written, and log every change.

    A plan keeps its codes and its nesting: its finest cells are mended inside the finest coarser
    level that is still proven, and all levels are derived from them. Any other layer keeps its
    rows and columns.

    Parameters
    ----------
    job
        Files and settings.
    stage
        Told what is being done.

    Returns
    -------
    Mending
        With the files that were written: the mended one, ``<out>_changes.csv``,
        ``<out>_conflicts.gpkg`` where there are conflicts, and the preview. A plan whose conflicts
        leave it unproven is not written, its changes and conflicts are.

    Raises
    ------
    InputError
        If an input cannot be used; nothing is written then.
    OutputError
        If a file cannot be written, or would replace an input; nothing has changed then.
    """
    job = replace(job, out=usual_name(job.out))
    targets = _targets(job)
    stage("reading")
    source = read_cell_file(job.path, layer=job.layer, datum=job.datum)
    points, notes = read_points_of(job.households, source.frame, datum=job.households_datum)
    limit = None
    if job.limit is not None:
        read = read_limit_of(job.limit, source.frame, datum=job.limit_datum)
        frame = gpd.GeoDataFrame(geometry=[read.district.limit], crs=read.district.crs)
        limit = as_multipolygon(in_frame_of(frame, source.frame, job.limit.name).geometry.iloc[0])
        notes = (*notes, *read.notes)
    stage("修复 repairing")
    if source.stored is None:
        draft = _mend_layer(source, limit, points, job)
    else:
        draft = _mend_plan(source, limit, points, job)
    draft.notes[:0] = [*source.notes, *notes]
    stage("writing")
    return _write_all(draft, job, targets)


def _targets(job: RepairJob) -> dict[str, Path]:
    """Name every file that may be written, and refuse what cannot be, before any work."""
    require_cell_suffix(job.out)
    if job.policy not in POLICIES:
        msg = f"the policy {job.policy} is not known: use one of {', '.join(POLICIES)}"
        raise InputError(msg)
    stem = job.out.stem
    targets = {
        "out": job.out,
        "changes": job.out.with_name(f"{stem}_changes.csv"),
        "conflicts": job.out.with_name(f"{stem}_conflicts.gpkg"),
    }
    if job.preview is not None:
        if job.preview.suffix.lower() not in {".html", ".htm"}:
            msg = f"a map cannot be written as {job.preview.name}: end its name in .html"
            raise OutputError(msg)
        targets["preview"] = job.preview
    inputs = [path for path in (job.path, job.limit, job.households) if path is not None]
    require_apart(targets.values(), inputs)
    return targets


def _mend_layer(
    source: CellFile, limit: MultiPolygon | None, points: gpd.GeoDataFrame | None, job: RepairJob
) -> _Draft:
    cells = source.frame
    notes = []
    twice = cells["code"][cells["code"].duplicated()]
    sizes = [name for name in source.columns if name.lower() in _AREA_NAMES]
    if sizes:
        notes.append(f"the column {sizes[0]} still holds the areas from before the repair")
    if len(twice):
        notes.append(f"{len(twice)} rows repeat a code, first {twice.iloc[0]}: give each its own")
    whole = limit
    if whole is None:
        whole = outline_of(cells)
        notes.append("no limit was given: the outline of the cells was taken, its holes filled")
    mended = repair_coverage(cells, whole, policy=job.policy, locked=job.locked, households=points)
    return _Draft(
        path=job.path,
        before=cells,
        after=mended.cells,
        changes=mended.changes.assign(level="")[CHANGE_COLUMNS],
        conflicts=mended.conflicts.assign(level=""),
        limit=whole,
        notes=notes,
        source=source,
    )


def _mend_plan(
    source: CellFile, limit: MultiPolygon | None, points: gpd.GeoDataFrame | None, job: RepairJob
) -> _Draft:
    loose = read_loose_plan(job.path)
    people = atom_points(loose.stored) if points is None else points
    leaf = mend_leaf(loose, limit, policy=job.policy, locked=job.locked, households=people)
    changes, notes, rebuilt = leaf.changes, list(leaf.notes), None
    is_kept = False
    if job.policy != _ASK and leaf.can_be_plan:
        rebuilt = rebuild_plan(loose, leaf.cells, leaf.lineage, households=points)
        upper = follow_children(loose, rebuilt.plan)
        changes = pd.concat([one for one in (changes, upper) if len(one)] or [changes])
        # A sound file is copied: what a person or another program added to it stays.
        is_kept = changes.empty and points is None and audit_file(job.path).is_sound
        notes += () if is_kept else rebuilt.notes
        if changes.empty and not is_kept:
            notes.append("the plan was put together again from its cells, with a new certificate")
        if not is_kept and any("served_" in column for column in source.columns):
            notes.append("served households were left out: run geogrid circles for the new cells")
    elif job.policy != _ASK:
        notes.append("no plan was written: it needs the conflicts decided first")
    return _Draft(
        path=job.path,
        before=source.frame,
        after=leaf.cells,
        changes=changes.reset_index(drop=True),
        conflicts=leaf.conflicts,
        limit=loose.district.limit if limit is None else limit,
        notes=notes,
        is_kept=is_kept,
        loose=loose,
        rebuilt=rebuilt,
    )


def _write_all(draft: _Draft, job: RepairJob, targets: dict[str, Path]) -> Mending:
    changes = draft.changes.assign(label=[change_label(one) for one in draft.changes["what"]])
    conflicts = draft.conflicts.assign(
        label=[conflict_label(one) for one in draft.conflicts["kind"]]
    )
    mending = Mending(
        before=draft.before,
        after=draft.after,
        changes=changes,
        conflicts=conflicts,
        report=verify_coverage(draft.after, draft.limit),
        is_plan=draft.loose is not None,
        is_written=False,
    )
    written = ["changes"]
    with drafting() as draft_of:
        if job.policy != _ASK and (draft.loose is None or draft.rebuilt is not None):
            mending = _write_mended(draft, mending, draft_of(targets["out"]))
            written.insert(0, "out")
        write_csv(changes, draft_of(targets["changes"]), HEADERS)
        if len(conflicts):
            write_layers({"conflicts": conflicts}, draft_of(targets["conflicts"]))
            written.append("conflicts")
        if "preview" in targets:
            write_text(repair_page(_view(draft, mending, job)), draft_of(targets["preview"]))
            written.append("preview")
    return replace(
        mending,
        notes=tuple(dict.fromkeys([*draft.notes, *mending.notes, *mending.report.notes])),
        files={role: targets[role] for role in written},
    )


def _write_mended(draft: _Draft, mending: Mending, path: Path) -> Mending:
    """Write the mended file, read it back and prove what it holds."""
    if draft.loose is not None and draft.rebuilt is not None:
        if draft.is_kept:
            shutil.copyfile(draft.path, path)
        else:
            write_rebuilt(draft.rebuilt, draft.loose, path)
        audit = audit_file(path)
        return replace(mending, report=audit.report, faults=audit.faults, is_written=True)
    if draft.source is None:  # pragma: no cover - a draft is of a plan or of a layer
        return mending
    notes = write_cells(draft.source.original(draft.after), path, layer=path.stem)
    back = read_layer(path)
    if draft.after.crs is not None and back.crs != draft.after.crs:
        back = back.to_crs(draft.after.crs)
    cells = back.assign(code=draft.after["code"].to_numpy())
    report = verify_coverage(cells, draft.limit)
    return replace(mending, report=report, notes=tuple(notes), is_written=True)


def _view(draft: _Draft, mending: Mending, job: RepairJob) -> RepairView:
    sources: Any = () if draft.loose is None else draft.loose.sources
    return RepairView(
        title=f"{job.path.name} 修复前后对比",
        before=draft.before,
        after=draft.after,
        limit=draft.limit,
        changes=mending.changes,
        conflicts=mending.conflicts,
        is_proven=mending.report.is_proven and mending.is_written,
        sources=sources,
    )
