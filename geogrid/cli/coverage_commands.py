"""The commands that mend, compare and unite cells: repair, compare, unify, align."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.cli.tables import as_text
from geogrid.errors import InputError
from geogrid.workflow.comparing import CompareJob, compare_files
from geogrid.workflow.fitting import AlignJob, align_files
from geogrid.workflow.mending import RepairJob, repair_file
from geogrid.workflow.unifying import UnifyJob, unify_files

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping

    from geogrid.cli.terminal import Terminal
    from geogrid.model.report import Certificate, CoverageReport
    from geogrid.workflow.comparing import Compared
    from geogrid.workflow.mending import Mending

__all__ = ["align_command", "compare_command", "repair_command", "unify_command"]


_MOST_ROWS = 15
_DIGEST_SHOWN = 12


def repair_command(options: Namespace, terminal: Terminal) -> int:
    """Mend a file."""
    job = RepairJob(
        path=Path(options.plan),
        out=Path(options.out),
        limit=_path(options.limit),
        limit_datum=options.limit_datum,
        households=_path(options.households),
        households_datum=options.households_datum,
        policy=options.policy,
        locked=_codes(options.lock),
        layer=options.layer,
        datum=options.datum,
        preview=_path(options.preview),
    )
    with terminal.stages() as stage:
        mending = repair_file(job, stage=stage)
    terminal.result(_repair_values(mending))
    _say_changes(mending, terminal)
    if len(mending.conflicts):
        terminal.say(f"待人工决定 for a person to decide: {len(mending.conflicts)}")
        columns = {"label": "问题\nkind", "cells": "网格\ncells", "households": "户数\nhh",
                   "area_m2": "面积\nm²"}  # fmt: skip
        terminal.say(as_text(mending.conflicts, columns, most=_MOST_ROWS))
    for fault in mending.faults:
        terminal.say(f"问题 fault: {fault}")
    _say_proof(mending.report.certificate, terminal)
    if mending.is_written:
        _say_verdict(mending.report, terminal, is_sound=mending.is_sound)
    else:
        terminal.say("未写出修复后的文件 no mended file was written")
    _say_rest(mending.notes, mending.files, terminal)
    return SOUND if mending.is_sound else FINDINGS


def _say_changes(mending: Mending, terminal: Terminal) -> None:
    changes = mending.changes
    if changes.empty:
        terminal.say("没有需要改动的地方 nothing had to be changed")
        return
    groups = changes.groupby("label", sort=False)
    sums = groups[["area_m2", "households"]].sum().assign(cells=groups["cell"].nunique())
    columns = {"label": "改动\nchange", "cells": "网格数\ncells", "households": "户数\nhh",
               "area_m2": "面积\nm²"}  # fmt: skip
    terminal.say(as_text(sums.reset_index(), columns, most=_MOST_ROWS))


def _repair_values(mending: Mending) -> dict[str, Any]:
    conflicts = pd.DataFrame(mending.conflicts.drop(columns="geometry"))
    return {
        "is_plan": mending.is_plan,
        "is_written": mending.is_written,
        "is_proven": mending.report.is_proven,
        "is_sound": mending.is_sound,
        "questions": mending.questions,
        "changes": mending.changes.to_dict("records"),
        "conflicts": conflicts.to_dict("records"),
        "defects": len(mending.report.defects),
        "faults": list(mending.faults),
        "certificate": mending.report.certificate.to_dict(),
        "notes": list(mending.notes),
        "files": _texts(mending.files),
    }


def compare_command(options: Namespace, terminal: Terminal) -> int:
    """Compare two files."""
    job = CompareJob(
        old=Path(options.a),
        new=Path(options.b),
        level=options.level,
        layers=(options.layer_a, options.layer_b),
        datums=(options.datum_a, options.datum_b),
        households=_path(options.households),
        households_datum=options.households_datum,
        out=_path(options.out),
    )
    with terminal.stages() as stage:
        compared = compare_files(job, stage=stage)
    terminal.result(compared.to_dict())
    _say_comparison(compared, terminal)
    _say_rest(compared.notes, compared.files, terminal)
    return FINDINGS if compared.has_findings else SOUND


def _say_comparison(compared: Compared, terminal: Terminal) -> None:
    answer = compared.comparison
    values = compared.to_dict()
    terminal.say(
        f"网格 cells: {values['cells_old']} → {values['cells_new']}，不变 unchanged "
        f"{len(answer.unchanged)}，边界调整 redrawn {len(answer.redrawn)}"
    )
    terminal.say(
        f"移动 moved: {values['households_moved']} 户，{values['area_changed_m2']:,.1f} m²"
    )
    if answer.is_unchanged:
        terminal.say("没有变化 nothing changed")
        return
    if len(answer.frame):
        columns = {"from": "原网格\nfrom", "to": "新网格\nto", "households": "户数\nhh",
                   "area_m2": "面积\nm²", "width_m": "宽\nm"}  # fmt: skip
        terminal.say(as_text(answer.frame.replace({"from": "", "to": ""}, "—"), columns,
                             most=_MOST_ROWS))  # fmt: skip
    for title, table, one, many in (
        ("拆分 split", answer.splits, "old", "new"),
        ("合并 merged", answer.merges, "old", "new"),
        ("改编号 renumbered", answer.renumbered, "old", "new"),
        ("改名 renamed", answer.renamed, "name_before", "name_after"),
        ("负责人变更 head changed", answer.heads, "head_before", "head_after"),
    ):
        _say_pairs(title, table, one, many, terminal)
    for title, codes in (("新增 added", answer.added), ("撤销 removed", answer.removed)):
        if codes:
            terminal.say(f"{title}: {len(codes)} 个：{_few(codes)}")


def _say_pairs(title: str, table: pd.DataFrame, one: str, two: str, terminal: Terminal) -> None:
    if table.empty:
        return
    rows = table.head(_MOST_ROWS)
    pairs = []
    for row in rows.to_dict("records"):
        code = f"{row['old']} " if one not in {"old", "new"} else ""
        pairs.append(f"{code}{_joined(row[one]) or '（空）'} → {_joined(row[two]) or '（空）'}")
    more = f" … 共 {len(table)}" if len(table) > len(rows) else ""
    terminal.say(f"{title}: {len(table)} 个：{'；'.join(pairs)}{more}")


def unify_command(options: Namespace, terminal: Terminal) -> int:
    """Make one coverage of several files."""
    paths = tuple(map(Path, options.files))
    job = UnifyJob(
        paths=paths,
        limit=Path(options.limit),
        out=Path(options.out),
        limit_datum=options.limit_datum,
        households=_path(options.households),
        households_datum=options.households_datum,
        level=options.level,
        layers=_by_file(options.layer, paths, "--layer"),
        datums=_by_file(options.datum, paths, "--datum"),
    )
    with terminal.stages() as stage:
        unified = unify_files(job, stage=stage)
    result = unified.result
    values = {**result.to_dict(), "layers": list(unified.names), "is_sound": unified.is_sound,
              "notes": list(unified.notes), "files": _texts(unified.files)}  # fmt: skip
    terminal.result(values)
    counts = result.cells["layer"].value_counts()
    parts = [f"{name} {counts.get(name, 0)}" for name in unified.names]
    terminal.say(f"统一后网格 cells: {len(result.cells)}（{'，'.join(parts)}）")
    if len(result.conflicts):
        terminal.say(f"不一致 conflicts: {len(result.conflicts)}")
        columns = {"label": "问题\nkind", "cells": "网格\ncells", "given_to": "划给\ngiven to",
                   "households": "户数\nhh", "area_m2": "面积\nm²", "width_m": "宽\nm"}  # fmt: skip
        terminal.say(as_text(result.conflicts, columns, most=_MOST_ROWS))
    _say_crosswalk(result.crosswalk, ["layer", "old"], terminal)
    _say_proof(unified.report.certificate, terminal)
    _say_verdict(unified.report, terminal, is_sound=unified.is_sound)
    _say_rest(unified.notes, unified.files, terminal)
    return SOUND if unified.is_sound else FINDINGS


def align_command(options: Namespace, terminal: Terminal) -> int:
    """Fit cells to a reference."""
    job = AlignJob(
        path=Path(options.plan),
        reference=Path(options.to),
        tolerance_m=options.tolerance,
        out=Path(options.out),
        level=options.level,
        to_level=options.to_level,
        layer=options.layer,
        datum=options.datum,
        to_layer=options.to_layer,
        to_datum=options.to_datum,
        households=_path(options.households),
        households_datum=options.households_datum,
    )
    with terminal.stages() as stage:
        aligned = align_files(job, stage=stage)
    result = aligned.result
    terminal.result({**result.to_dict(), "is_sound": aligned.is_sound,
                     "notes": list(aligned.notes), "files": _texts(aligned.files)})  # fmt: skip
    moved = int(result.changes["households"].sum())
    terminal.say(
        f"网格 cells: {len(result.cells)}，改动 changed {len(result.changes)} 处，{moved} 户，"
        f"{result.changes['area_m2'].sum():,.1f} m²"
    )
    if len(result.unfitted):
        terminal.say(f"未能对齐 do not fit: {len(result.unfitted)}")
        columns = {"cell": "网格\ncell", "reference": "参照\nreference", "belongs": "应属\nbelongs",
                   "label": "原因\nreason", "households": "户数\nhh", "area_m2": "面积\nm²",
                   "width_m": "宽\nm"}  # fmt: skip
        terminal.say(as_text(result.unfitted, columns, most=_MOST_ROWS))
    else:
        terminal.say("全部对齐 everything fits")
    _say_crosswalk(result.crosswalk, ["old"], terminal)
    _say_proof(aligned.report.certificate, terminal)
    _say_verdict(aligned.report, terminal, is_sound=aligned.is_sound)
    _say_rest(aligned.notes, aligned.files, terminal)
    return SOUND if aligned.is_sound else FINDINGS


def _say_crosswalk(table: pd.DataFrame, keys: list[str], terminal: Terminal) -> None:
    olds = len(table.drop_duplicates(keys))
    terminal.say(f"对照表 crosswalk: {olds} 个原网格，{len(table)} 行，每个原网格权重合计 1")


def _say_proof(certificate: Certificate, terminal: Terminal) -> None:
    for proof in certificate.levels:
        name = f"{proof.level} " if proof.level else ""
        terminal.say(
            f"证明 certificate: {name}{proof.cells} 个网格，{proof.edges} 段边界，"
            f"{proof.twice_area_mm2 / 2e6:,.2f} m²，未抵消 uncancelled {proof.uncancelled}，"
            f"digest {proof.digest[:_DIGEST_SHOWN]}"
        )


def _say_verdict(report: CoverageReport, terminal: Terminal, *, is_sound: bool) -> None:
    if not report.is_proven:
        terminal.say("未证明 NOT PROVEN")
    elif is_sound:
        terminal.say("已证明：全覆盖、无重叠 PROVEN")
    else:
        terminal.say("图形已证明，但有上列问题 the cover is PROVEN, but see above")


def _say_rest(notes: Iterable[str], files: Mapping[str, Path], terminal: Terminal) -> None:
    for note in notes:
        terminal.say(f"注 note: {note}")
    for role, path in files.items():
        terminal.say(f"{role:>10}: {path}")


def _codes(words: list[str] | None) -> tuple[str, ...]:
    """Return codes; a word that is a file stands for the codes in it, one a line."""
    codes: list[str] = []
    for word in words or ():
        path = Path(word)
        if not path.is_file():
            codes.append(word)
            continue
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"the codes in {path.name} cannot be read: save it as UTF-8, one code a line"
            raise InputError(msg) from error
        codes += [line.split(",")[0].strip() for line in lines]
    return tuple(code for code in codes if code)


def _by_file(words: list[str], paths: tuple[Path, ...], option: str) -> dict[Path, str]:
    """Read ``VALUE`` (for every file) and ``FILE=VALUE`` (for one)."""
    found: dict[Path, str] = {}
    names = {path.name: path for path in paths} | {str(path): path for path in paths}
    for word in words:
        file, sign, value = word.rpartition("=")
        if not sign:
            found = dict.fromkeys(paths, value) | found
        elif file in names:
            found[names[file]] = value
        else:
            msg = f"{option} {word} names no file of this command: write it as FILE=VALUE"
            raise InputError(msg)
    return found


def _joined(value: object) -> str:
    return " + ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _few(codes: tuple[str, ...]) -> str:
    return "、".join(codes[:_MOST_ROWS]) + (" …" if len(codes) > _MOST_ROWS else "")


def _texts(files: Mapping[str, Path]) -> dict[str, str]:
    return {role: str(path) for role, path in files.items()}


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
