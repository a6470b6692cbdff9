"""Commands about what a plan is made from: places and schemes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geogrid import schemes
from geogrid.cli.exits import SOUND
from geogrid.errors import InputError

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal
    from geogrid.model.scheme import Level, Scheme

__all__ = ["fetch", "list_schemes"]


def fetch(options: Namespace, terminal: Terminal) -> int:
    """Fetch a place from OpenStreetMap."""
    from geogrid.io.fetch import fetch_place  # noqa: PLC0415 - an extra

    with terminal.stages() as stage:
        result = fetch_place(
            options.place,
            Path(options.out),
            overpass_url=options.overpass_url,
            nominatim_url=options.nominatim_url,
            retries=options.retries,
            progress=lambda done, total, text: stage(f"{done}/{total} {text}"),
        )
    values = {
        "place": result.place,
        "date": result.date,
        "files": {"osm": str(result.osm), "limit": str(result.limit)},
    }
    terminal.result(values)
    terminal.say(f"{result.place}: {result.osm}, {result.limit}")
    terminal.say(f"下一步 next: geogrid run --limit {result.limit} --osm {result.osm} --out result")
    return SOUND


def list_schemes(options: Namespace, terminal: Terminal) -> int:
    """List the schemes, or show one."""
    if options.action == "list":
        found = [schemes.load(name) for name in schemes.names()]
        terminal.result(
            {
                "schemes": [one.key for one in found],
                "titles": {one.key: one.title for one in found},
                "levels": {one.key: [_level_values(level) for level in one.levels]
                           for one in found},
            }
        )  # fmt: skip
        for one in found:
            terminal.say(f"{one.key}: {one.title}（{' → '.join(map(_counted, one.levels))}）")
        return SOUND
    if not options.name:
        msg = f"which scheme should be shown: {', '.join(schemes.names())}, or a file"
        raise InputError(msg)
    scheme = schemes.load(options.name)
    values = {
        "key": scheme.key,
        "title": scheme.title,
        "source": scheme.source,
        "levels": [_level_values(level) for level in scheme.levels],
        "assumptions": list(scheme.assumptions),
        "notes": list(scheme.notes),
        "exceptions": [asdict(one) for one in scheme.exceptions],
    }
    if options.toml:
        text = schemes.text(options.name)
        terminal.result({**values, "toml": text})
        terminal.say(text.rstrip("\n"))
        return SOUND
    terminal.result(values)
    _say_scheme(scheme, terminal)
    return SOUND


def _level_values(level: Level) -> dict[str, Any]:
    band = level.band
    return {
        "key": level.key,
        "name": level.name,
        "aliases": list(level.aliases),
        "contract": level.contract.value,
        "locked": level.locked,
        "one_to_one": level.one_to_one or None,
        "count": level.count,
        "band": None if band is None else [band.low, band.high],
        "is_hard": band is not None and band.is_hard,
        "is_assumption": band is not None and band.is_assumption,
        "kinds": [
            {
                "name": kind,
                "in_balance": kind not in level.unbalanced_kinds,
                "may_span_parents": kind in level.spanning_kinds,
                "counts": level.counted_in(kind),
                "count": dict(level.kind_totals).get(kind),
            }
            for kind in level.kinds
        ],
        "code_width": level.code_width,
        "name_template": level.name_template,
        "head_title": level.head_title,
    }


def _counted(level: Level) -> str:
    return level.name if level.count is None else f"{level.name} {level.count}"


def _say_scheme(scheme: Scheme, terminal: Terminal) -> None:
    terminal.say(f"{scheme.key}: {scheme.title}")
    terminal.say(f"来源 source: {scheme.source}")
    for level in scheme.levels:
        terminal.say(f"  {'，'.join(_level_words(level))}")
    for title, texts in (
        ("假定 assumed", scheme.assumptions),
        ("数字说明 figures to mind", scheme.notes),
        ("例外 exceptions", [f"{one.code} {one.reason}" for one in scheme.exceptions]),
    ):
        for text in texts:
            terminal.say(f"{title}: {text}")


def _level_words(level: Level) -> list[str]:
    """Return what a planner wants to know of a level, in the order of the questions."""
    words = [f"{level.key} {_counted(level)}"]
    if level.locked:
        words.append("行政层级，固定，由外部给出 official, given")
    else:
        words.append(f"{level.contract.label_zh} {level.contract}")
    band = level.band
    if band is not None:
        strength = "硬性 hard" if band.is_hard else "参考 soft"
        guess = "，假定 assumed" if band.is_assumption else ""
        high = "∞" if band.high is None else band.high
        words.append(f"{band.low or 0}–{high} 户（{strength}{guess}）")
    if level.one_to_one:
        words.append(f"与 {level.one_to_one} 一一对应 one-to-one")
    if level.head_title:
        words.append(f"负责人 head {level.head_title}")
    if level.aliases:
        words.append(f"又名 also {'、'.join(level.aliases)}")
    if len(level.kinds) > 1:
        words.append(f"类型 kinds {'、'.join(_kind_words(level, kind) for kind in level.kinds)}")
    return words


def _kind_words(level: Level, kind: str) -> str:
    facts = [
        text
        for text, holds in (
            ("不计入均衡", kind in level.unbalanced_kinds),
            ("可跨上级", kind in level.spanning_kinds),
            ("按商家计", level.counted_in(kind) == "merchants"),
        )
        if holds
    ]
    count = dict(level.kind_totals).get(kind)
    text = kind if count is None else f"{kind} {count}"
    return f"{text}（{'，'.join(facts)}）" if facts else text
