"""Compare two files of cells: what changed, for whom, and where."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.compare import Comparison, compare
from geogrid.errors import InputError, OutputError
from geogrid.io.cell_file import (
    listed,
    write_csv,
    write_layers,
    write_text,
    write_workbook,
)
from geogrid.io.drafting import drafting, require_apart
from geogrid.io.loose_plan import plan_sources
from geogrid.maps.compare_map import CompareView, compare_page
from geogrid.workflow.cells import (
    CellFile,
    holds_plan,
    in_frame_of,
    outline_of,
    read_cell_file,
    read_points_of,
)
from geogrid.workflow.words import HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


__all__ = ["CompareJob", "Compared", "compare_files"]

_SHEETS = {
    "crosswalk": "对照表",
    "moved": "户数移动",
    "splits": "拆分",
    "merges": "合并",
    "redrawn": "边界调整",
    "renumbered": "改编号",
    "renamed": "改名",
    "heads": "负责人变更",
}
_FILES = (".xlsx", ".json", ".html", ".csv", ".gpkg")
# Not one of the two layers is sound where such a note stands.
_FINDINGS = ("cells overlap on", "lie in no cell of either side")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareJob:
    """Two files, and where to write what changed.

    Attributes
    ----------
    old, new
        Plan files or layers of polygons.
    level
        Which level of plan files; the finest area level where absent.
    layers, datums
        Layer and datum of each file that is no plan.
    households, households_datum
        Household points; the atoms of a plan file stand in for them.
    out
        A folder, or one file: ``.xlsx .json .html .csv .gpkg``.
    """

    old: Path
    new: Path
    level: str | None = None
    layers: tuple[str | None, str | None] = (None, None)
    datums: tuple[str | None, str | None] = (None, None)
    households: Path | None = None
    households_datum: str | None = None
    out: Path | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """What changed between two files.

    Attributes
    ----------
    comparison
        Tables and changed ground.
    old, new
        The cells that were compared.
    notes
        Plain sentences about what was assumed.
    files
        What was written, by role.
    """

    comparison: Comparison
    old: CellFile
    new: CellFile
    notes: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def has_findings(self) -> bool:
        """Whether a layer is unsound: its cells overlap, or households lie in no cell."""
        return any(mark in note for note in self.notes for mark in _FINDINGS)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "old": self.old.path.name,
            "new": self.new.path.name,
            "level": "" if self.old.level is None else self.old.level.key,
            "cells_old": self.old.frame["code"].nunique(),
            "cells_new": self.new.frame["code"].nunique(),
            **self.comparison.to_dict(),
            "notes": list(self.notes),
            "files": {role: str(path) for role, path in self.files.items()},
        }


def compare_files(job: CompareJob, *, stage: Callable[[str], None] = lambda _: None) -> Compared:
    """Compare two files of cells, of any number, format and coordinate system each.

    Parameters
    ----------
    job
        The files.
    stage
        Told what is being done.

    Returns
    -------
    Compared
        Plans are compared by their stored cells, so a border edited in another program counts.

    Raises
    ------
    InputError
        If a file cannot be used, or the two show different places.
    OutputError
        If the result cannot be written, or would replace an input.
    """
    targets = _targets(job)
    stage("reading")
    old, new = _read_sides(job)
    moved = in_frame_of(new.frame, old.frame, job.new.name)
    if not outline_of(old.frame).intersects(outline_of(moved)):
        msg = (
            f"{job.old.name} and {job.new.name} show different places: check their coordinate "
            "systems, maps of AMap or Baidu need --datum-a or --datum-b"
        )
        raise InputError(msg)
    points, notes = read_points_of(
        job.households, old.frame, datum=job.households_datum, plans=(old, new)
    )
    stage("比较 comparing")
    comparison = compare(old.frame, moved, households=points)
    notes = (*old.notes, *new.notes, *notes, *comparison.notes)
    result = Compared(
        comparison=comparison,
        old=old,
        new=replace(new, frame=moved),
        notes=tuple(dict.fromkeys(notes)),
    )
    stage("writing")
    return _written(result, targets)


def _read_sides(job: CompareJob) -> tuple[CellFile, CellFile]:
    """Read both files; the level is that of whichever is a plan."""
    paths = (job.old, job.new)
    plans = [holds_plan(path, layer) for path, layer in zip(paths, job.layers, strict=True)]
    if job.level is not None and not any(plans):
        msg = "--level names a level of a plan file, and neither file is one: leave it out"
        raise InputError(msg)
    one, two = (
        read_cell_file(path, layer=layer, datum=datum, level=job.level if is_plan else None)
        for path, layer, datum, is_plan in zip(paths, job.layers, job.datums, plans, strict=True)
    )
    return one, two


def _targets(job: CompareJob) -> dict[str, Path]:
    if job.out is None:
        return {}
    suffix = job.out.suffix.lower()
    if suffix in _FILES and not job.out.is_dir():
        targets = {suffix[1:]: job.out}
    elif suffix and not job.out.is_dir():
        msg = f"a comparison cannot be written as {job.out.name}: use a folder, {', '.join(_FILES)}"
        raise OutputError(msg)
    else:
        targets = {
            "json": job.out / "compare.json",
            "html": job.out / "compare.html",
            "gpkg": job.out / "changed.gpkg",
            "csv": job.out / "crosswalk.csv",
            "moved": job.out / "moved.csv",
            "heads": job.out / "heads.csv",
        }
    inputs = [path for path in (job.old, job.new, job.households) if path is not None]
    require_apart(targets.values(), inputs)
    return targets


def _written(result: Compared, targets: Mapping[str, Path]) -> Compared:
    if not targets:
        return result
    folder = next(iter(targets.values())).parent
    if len(targets) > 1:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"the folder {folder} cannot be made ({error.strerror}): choose another"
            raise OutputError(msg) from error
    result = replace(result, files=targets)
    answer = result.comparison
    writers: dict[str, Callable[[Path], object]] = {
        "json": lambda path: write_text(_json(result), path),
        "html": lambda path: write_text(compare_page(_view(result)), path),
        "gpkg": lambda path: write_layers(
            {"changed": answer.frame, "crosswalk": answer.crosswalk}, path
        ),
        "csv": lambda path: write_csv(answer.crosswalk, path, HEADERS),
        "moved": lambda path: write_csv(answer.moved, path, HEADERS),
        "heads": lambda path: write_csv(answer.heads, path, HEADERS),
        "xlsx": lambda path: write_workbook(_sheets(result), path),
    }
    with drafting() as draft_of:
        for role, target in targets.items():
            writers[role](draft_of(target))
    return result


def _json(result: Compared) -> str:
    return json.dumps(result.to_dict(), ensure_ascii=False, indent=1, default=str)


def _sheets(result: Compared) -> dict[str, pd.DataFrame]:
    answer = result.comparison
    rows = [
        ("原方案", result.old.path.name),
        ("新方案", result.new.path.name),
        ("原网格数", result.old.frame["code"].nunique()),
        ("新网格数", result.new.frame["code"].nunique()),
        ("不变的网格", len(answer.unchanged)),
        ("移动户数", int(answer.moved["households"].sum())),
        ("变动面积平方米", round(float(answer.frame["area_m2"].sum()), 2)),
        ("新增网格", " ".join(answer.added)),
        ("撤销网格", " ".join(answer.removed)),
        *(("说明", note) for note in result.notes),
    ]
    sheets = {"概况": pd.DataFrame(rows, columns=["项目", "值"])}
    for name, title in _SHEETS.items():
        sheets[title] = listed(getattr(answer, name), HEADERS)
    return sheets


def _view(result: Compared) -> CompareView:
    plans = [one.path for one in (result.old, result.new) if one.stored is not None]
    sources = dict.fromkeys(source for path in plans for source in plan_sources(path))
    return CompareView(
        title=f"{result.old.path.name} → {result.new.path.name} 网格变动",
        old=result.old.frame,
        new=result.new.frame,
        comparison=result.comparison,
        ground=outline_of(result.old.frame).union(outline_of(result.new.frame)),
        has_people=bool(plans) or int(result.comparison.crosswalk["households"].sum()) > 0,
        sources=tuple(sources),
    )
