"""The command that numbers the cells of a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.errors import InputError
from geogrid.workflow.numbering import NumberJob, number_file

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal

__all__ = ["number_command"]


def number_command(options: Namespace, terminal: Terminal) -> int:
    """Give the cells of a plan file their codes."""
    job = NumberJob(
        path=Path(options.plan),
        out=Path(options.out),
        near=None if options.near is None else Path(options.near),
        preset=options.preset,
        object_code=options.object_code,
        widths=dict(_width(text) for text in options.width),
        prefix=options.prefix,
        restart=options.restart,
    )
    if job.prefix is not None and not (job.prefix.isascii() and job.prefix.isalnum()):
        msg = f"a code is of digits and letters, got the prefix {job.prefix!r}"
        raise InputError(msg)
    with terminal.stages() as stage:
        stage("reading")
        numbered = number_file(job)
    plan, is_proven = numbered.plan, numbered.report.is_proven
    terminal.result(
        {
            "files": {"plan": str(job.out)},
            "preset": numbered.standing["preset"],
            "standing": numbered.standing["text"],
            "standing_zh": numbered.standing["text_zh"],
            "levels": list(numbered.levels),
            "history": plan.code_history.to_dict("records"),
            "version": plan.version,
            "parent_version": plan.parent_version,
            "is_proven": is_proven,
            "notes": list(numbered.notes),
        }
    )
    for level in numbered.levels:
        text = f"{level['name']} {level['key']}: {level['cells']} 个网格 cells，"
        text += f"{level['digits']} 位 digits，首个 first {level['first']}"
        if level["locked"]:
            text += "（官方代码，未改 official, kept）"
        elif job.near is not None:
            text += (
                f"，保留 kept {level['kept']}，新编 new {level['new']}，"
                f"停用 retired {level['retired']}"
            )
        terminal.say(text)
    terminal.say(f"依据 standing: {numbered.standing['text_zh']}")
    terminal.say(numbered.standing["text"])
    for note in numbered.notes:
        terminal.say(f"注 note: {note}")
    terminal.verdict(is_proven=is_proven, is_sound=numbered.report.defects.empty)
    terminal.say(f"方案 plan: {job.out}")
    return SOUND if is_proven and numbered.report.defects.empty else FINDINGS


def _width(text: str) -> tuple[str, int]:
    level, _, digits = text.partition("=")
    if level and digits.isascii() and digits.isdecimal():
        return level, int(digits)
    msg = f"{text} gives no width: write it as LEVEL=DIGITS, such as wei=3"
    raise InputError(msg)
