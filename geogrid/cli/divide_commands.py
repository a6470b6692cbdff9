"""The command that rebalances a plan, and the options that dividing shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.coverage import verify_plan
from geogrid.divide import rebalance
from geogrid.errors import InputError
from geogrid.io.plan_file import write_plan
from geogrid.workflow import open_plan

if TYPE_CHECKING:
    from argparse import Namespace

    import pandas as pd

    from geogrid.cli.terminal import Terminal

__all__ = ["division_wishes", "rebalance_command"]

_MOST_SHOWN = 20


def division_wishes(options: Namespace) -> dict[str, Any]:
    """Return the fields of a job that say what its division keeps.

    Raises
    ------
    InputError
        If an option is not written as LEVEL=FILE or LEVEL=N, or names a level twice.
    """
    counts = {}
    for level, text in _pairs(options.count, "--count", "N").items():
        if not (text.isascii() and text.isdecimal() and int(text) > 0):
            msg = f"--count {level}={text} is no number of cells: write it as {level}=470"
            raise InputError(msg)
        counts[level] = int(text)
    upper = _pairs(options.upper, "--upper", "FILE")
    return {
        "counts": counts,
        "upper": {level: Path(text) for level, text in upper.items()},
        "special": _path(options.special),
        "groups": _path(options.groups),
        "near": _path(options.near),
        "locks": _path(options.lock),
    }


def _pairs(texts: list[str], option: str, what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        level, sign, value = text.partition("=")
        if not (level and sign and value):
            msg = f"{option} {text} does not say which level: write it as LEVEL={what}"
            raise InputError(msg)
        if level in found:
            msg = f"{option} is given twice for level {level}: give it once"
            raise InputError(msg)
        found[level] = value
    return found


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def rebalance_command(options: Namespace, terminal: Terminal) -> int:
    """Bring the cells of a plan into their band and write the new plan."""
    with terminal.stages() as stage:
        stage("reading")
        plan = open_plan(Path(options.plan))
        stage("division")
        after, moves = rebalance(plan, level=options.level, band=options.band, locked=options.lock)
        stage("proof")
        report = verify_plan(after)
        leaf = report.certificate.levels[-1]
        after = replace(after, certificate=report.certificate, version=leaf.digest[:12])
        stage("writing")
        path = write_plan(after, Path(options.out), report=report)
    facts = {str(key): value for key, value in moves.attrs.items()}
    values: dict[str, Any] = {
        **facts,
        "moves": moves.to_dict("records"),
        "is_proven": report.is_proven,
        "notes": list(after.notes[len(plan.notes) :]),
        "files": {"plan": str(path)},
    }
    terminal.result(values)
    _say(moves, values, terminal)
    terminal.verdict(is_proven=report.is_proven, is_sound=report.is_sound)
    return SOUND if report.is_sound and not facts["beyond"] else FINDINGS


def _say(moves: pd.DataFrame, values: dict[str, Any], terminal: Terminal) -> None:
    largest = moves.sort_values("households", ascending=False, kind="stable")
    for row in largest.head(_MOST_SHOWN).to_dict("records"):
        terminal.say(
            f"{row['source']} → {row['target']}: {row['households']} 户 households，"
            f"{row['atoms']} 个基本单元 atoms"
        )
    if len(moves) > _MOST_SHOWN:
        terminal.say(f"另有 {len(moves) - _MOST_SHOWN} 处 more；用 --json 列出全部 lists all")
    terminal.say(
        f"调整 moved: {values['moved']} 户 households；至少 at least {values['bound']}"
        if len(moves)
        else "无需调整 nothing to move: all cells are in the band"
    )
    if values["beyond"]:
        terminal.say(f"仍超出 still outside the band by {values['beyond']} 户 households")
    for note in values["notes"]:
        terminal.say(f"注 note: {note}")
    terminal.say(f"    plan: {values['files']['plan']}")
