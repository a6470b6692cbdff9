"""``geogrid check``: prove a plan or a layer, or say what is wrong, where and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.errors import InputError
from geogrid.io.exceptions import read_exceptions
from geogrid.io.files import writing
from geogrid.io.findings import require_findings_path, write_findings, write_into_plan
from geogrid.maps.findings_map import findings_page
from geogrid.model.findings import findings_table
from geogrid.model.scheme import HouseholdBand
from geogrid.vocabulary import Contract, DefectKind
from geogrid.workflow.audit import LayerRules, audit_file

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal
    from geogrid.model.report import CoverageReport
    from geogrid.workflow.audit import Audit

__all__ = ["check"]


_PAGES = (".html", ".htm")
_INTO_PLAN = "plan"


def check(options: Namespace, terminal: Terminal) -> int:
    """Judge a file, write the reports that were asked for, and print what was found."""
    plan = Path(options.plan)
    reports = [Path(name) for name in options.report]
    for path in reports:
        if path.suffix.lower() not in _PAGES and str(path) != _INTO_PLAN:
            require_findings_path(path)
    with terminal.stages() as stage:
        stage("proof")
        audit = audit_file(
            plan,
            layer=options.layer,
            limit=_path(options.limit),
            households=_path(options.households),
            datum=options.datum,
            exceptions=read_exceptions(options.exceptions),
            rules=_rules(options),
        )
        if reports:
            stage("writing")
        files = [str(_write(audit, path, plan)) for path in reports]
    _show(audit, files, terminal)
    return SOUND if audit.is_sound else FINDINGS


def _rules(options: Namespace) -> LayerRules | None:
    """Return what a bare layer promises; ``None`` when nothing was said of it."""
    if options.contract is None and options.band is None and options.parents is None:
        return None
    low, high = options.band or (None, None)
    return LayerRules(
        contract=Contract(options.contract or Contract.AREA),
        band=None if options.band is None else HouseholdBand(low=low, high=high, is_hard=True),
        parents=_path(options.parents),
    )


def _write(audit: Audit, path: Path, plan: Path) -> Path:
    if str(path) == _INTO_PLAN:
        if not audit.is_plan:
            msg = f"{plan.name} is no plan file: write the report to a file of its own"
            raise InputError(msg)
        return write_into_plan(audit.report, plan)
    if path.suffix.lower() in _PAGES:
        page = findings_page(
            audit.report,
            levels=audit.levels,
            limit=audit.limit,
            title=f"{plan.stem} 检查结果",
            remarks=_remarks(audit),
        )
        with writing(path) as draft:
            draft.write_text(page, encoding="utf-8", newline="\n")
        return path
    return write_findings(audit.report, path, remarks=_remarks(audit))


def _remarks(audit: Audit) -> list[str]:
    said = [] if audit.second is None else [_second_text(audit)]
    return [*said, *audit.faults, *audit.report.notes]


def _second_text(audit: Audit) -> str:
    second = audit.second
    if second is not None and second.agrees:
        return "第二次独立检查一致 second check agrees"
    return "第二次独立检查不一致 second check DOES NOT AGREE"


def _show(audit: Audit, files: list[str], terminal: Terminal) -> None:
    report = audit.report
    terminal.result(_values(audit, files))
    terminal.verdict(is_proven=report.is_proven, is_sound=audit.is_sound, report=report)
    if audit.second is not None:
        terminal.say(_second_text(audit))
    found = findings_table(report)
    terminal.defects(found[found["status"] == "defect"])
    terminal.exceptions(found[found["status"] == "allowed"])
    for fault in audit.faults:
        terminal.say(f"问题 fault: {fault}")
    for note in report.notes:
        terminal.say(f"注 note: {note}")
    for name in files:
        terminal.say(f"报告 report: {name}")


def _values(audit: Audit, files: list[str]) -> dict[str, Any]:
    report = audit.report
    found = findings_table(report)
    area = report.defects.groupby("kind")["area_m2"].sum()

    def total(*kinds: DefectKind) -> float:
        return float(sum(area.get(kind.value, 0.0) for kind in kinds))

    return {
        "is_plan": audit.is_plan,
        "is_proven": report.is_proven,
        "is_sound": audit.is_sound,
        "households_in": _lived_in(report),
        "gaps_m2": total(DefectKind.GAP, DefectKind.INSIDE_SHORT),
        "overlaps_m2": total(DefectKind.OVERLAP, DefectKind.DUPLICATE, DefectKind.NESTED),
        "outside_m2": total(DefectKind.OUTSIDE),
        "defects": _records(found[found["status"] == "defect"]),
        "exceptions": _records(found[found["status"] == "allowed"]),
        "second_check": None
        if audit.second is None
        else {"agrees": audit.second.agrees, "levels": dict(audit.second.levels)},
        "levels": [
            {
                "level": one.level,
                "contract": one.contract.value,
                "cells": one.cells,
                "households": one.households,
                "beyond_band": one.beyond,
                "defects": one.defects,
                "exceptions": one.allowed,
            }
            for one in report.verdicts
        ],
        "faults": list(audit.faults),
        "notes": list(report.notes),
        "certificate": report.certificate.to_dict(),
        "files": {"reports": files},
    }


def _lived_in(report: CoverageReport) -> dict[str, int] | None:
    lived = report.lived_in
    if lived is None:
        return None
    return {"gaps": lived.in_gaps, "overlaps": lived.in_overlaps, "outside": lived.outside}


def _records(found: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a table of findings
    names = ("kind", "cells", "area_m2", "width_m", "households", "severity", "level", "reason")
    places = ("lon", "lat") if found["lon"].notna().all() else ()
    return [{name: row[name] for name in (*names, *places)} for row in found.to_dict("records")]


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
