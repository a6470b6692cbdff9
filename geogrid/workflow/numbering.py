"""Number a plan file anew, or keep the codes of an earlier one, and prove the result."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from geogrid.coverage import verify_plan
from geogrid.divide.number import code_format, code_standing, number_plan
from geogrid.io.cell_file import add_layers
from geogrid.io.files import writing
from geogrid.io.plan_file import read_plan_layers, write_plan
from geogrid.workflow.audit import open_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from geogrid.divide.number import CodeFormat
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import CoverageReport

__all__ = ["NumberJob", "Numbered", "number_file"]


# A plan does not say which preset its codes were made by.
_CONTINUED = {
    "preset": "as before",
    "text": "The codes of the old plan are kept and continued with as many digits; which "
    "published text they follow, if any, is not known.",
    "text_zh": "沿用旧方案的编码和位数；旧编码依据何种文本不详。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberJob:
    """What to number and how.

    Attributes
    ----------
    path, out
        The plan file, and the one to write.
    near
        A plan file whose codes are kept.
    preset, object_code, widths
        As of :func:`geogrid.divide.number.code_format`; without a preset ``geogrid``, or the
        digits of ``near``.
    prefix
        Code of the district; the plan's own where absent.
    restart
        Number afresh a plan that has retired codes.
    """

    path: Path
    out: Path
    near: Path | None = None
    preset: str | None = None
    object_code: str | None = None
    widths: Mapping[str, int] = field(default_factory=dict)
    prefix: str | None = None
    restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbered:
    """A numbered plan as it was written.

    Attributes
    ----------
    plan, report
        The plan and the proof that it carries.
    levels
        One row a level that was numbered: ``key, name, cells, digits, kept, new, retired`` and
        ``first``, its first code. Without an old plan nothing is new or retired.
    standing
        Which published text the codes follow, and how much of it was seen.
    notes
        Plain sentences.
    """

    plan: GridPlan
    report: CoverageReport
    levels: tuple[dict[str, object], ...]
    standing: dict[str, str]
    notes: tuple[str, ...]


def number_file(job: NumberJob) -> Numbered:
    """Give the cells of a plan file their codes.

    Stations and circles of the file are kept. The households that a reach counted in each cell
    are not: they are named by the old codes.

    Raises
    ------
    InputError
        If a file is no plan, was changed after it was certified, or cannot be numbered so.
    OutputError
        If the new file cannot be written.
    """
    plan = open_plan(job.path)
    near = None if job.near is None else open_plan(job.near)
    format_ = None
    if job.preset is not None or (near is None and (job.widths or job.object_code)):
        for name in job.widths:
            plan.scheme.level(name)
        widths = {plan.scheme.level(name).key: width for name, width in job.widths.items()}
        format_ = code_format(job.preset or "geogrid", object_code=job.object_code, widths=widths)
    numbered = number_plan(plan, near=near, preset=format_, prefix=job.prefix, restart=job.restart)
    report = verify_plan(numbered)
    proof = report.certificate.levels[-1]
    version = proof.digest[:12]
    is_same = version == plan.version
    history = numbered.code_history
    numbered = replace(
        numbered,
        certificate=report.certificate,
        version=version,
        parent_version=plan.parent_version if is_same else plan.version,
        code_history=history.assign(from_version=history["from_version"].replace("", version)),
    )
    notes = []
    extras = read_plan_layers(job.path)
    if extras.service is not None:
        notes.append("served households per cell were left out: measure the reach again")
    with writing(job.out) as draft:
        write_plan(numbered, draft, stations=extras.stations, report=report)
        if extras.circles is not None:
            add_layers({"circles": extras.circles}, draft)
    return Numbered(
        plan=numbered,
        report=report,
        levels=_levels(numbered, near),
        standing=_CONTINUED if near is not None and format_ is None else code_standing(format_),
        notes=(*notes, *_unofficial(numbered, format_)),
    )


def _levels(plan: GridPlan, near: GridPlan | None) -> tuple[dict[str, object], ...]:
    history = plan.code_history
    rows: list[dict[str, object]] = []
    for level in plan.scheme.levels:
        own = plan.cell_table[plan.cell_table["level"] == level.key]
        if own.empty:
            continue
        codes = own.index.astype(str)
        told: pd.DataFrame = history[history["level"] == level.key]
        before = set() if near is None else set(near.cell_table.index.astype(str))
        rows.append(
            {
                "key": level.key,
                "name": level.name,
                "locked": level.locked,
                "cells": len(own),
                "digits": int(codes.str.len().max()),
                "first": min(codes),
                "kept": len(before & set(codes)),
                "new": 0 if near is None else len(set(codes) - before),
                "retired": int((told["to_version"] != "").sum()),
            }
        )
    return tuple(rows)


def _unofficial(plan: GridPlan, format_: CodeFormat | None) -> tuple[str, ...]:
    """Say so where made numbers stand in the places of official codes, or beyond the text."""
    if format_ is None or not format_.ends:
        return ()
    made, beyond = [], []
    for level in plan.scheme.levels:
        codes = plan.cell_table.index[plan.cell_table["level"] == level.key]
        if level.locked or not len(codes):
            continue
        digits = len(str(codes[0])) - len(format_.object_code)
        if digits < format_.ends[-1]:
            made.append(level.name)
        elif digits > format_.ends[-1]:
            beyond.append(level.name)
    notes = []
    if made:
        notes.append(
            f"{'、'.join(made)}: numbers made here stand where the text has official codes of "
            f"streets and communities, which the plan does not hold (此处为自编号，不是官方代码)"
        )
    if beyond:
        notes.append(
            f"{'、'.join(beyond)}: finer than the text goes; the scheme's digits follow "
            f"(原文没有这一层级，按方案位数续编)"
        )
    return tuple(notes)
