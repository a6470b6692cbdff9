"""Commands about what a plan is made from: places and schemes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geogrid import schemes
from geogrid.cli.exits import SOUND
from geogrid.errors import InputError

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal

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
        terminal.result({"schemes": [one.key for one in found]})
        for one in found:
            terminal.say(
                f"{one.key}: {one.title}（{' → '.join(level.name for level in one.levels)}）"
            )
        return SOUND
    if not options.name:
        msg = f"which scheme should be shown: {', '.join(schemes.names())}, or a file"
        raise InputError(msg)
    scheme = schemes.load(options.name)
    levels = [
        {
            "key": level.key,
            "name": level.name,
            "aliases": list(level.aliases),
            "contract": level.contract.value,
            "band": None if level.band is None else [level.band.low, level.band.high],
            "is_assumption": level.band is not None and level.band.is_assumption,
            "head_title": level.head_title,
        }
        for level in scheme.levels
    ]
    terminal.result({"key": scheme.key, "title": scheme.title, "levels": levels})
    terminal.say(f"{scheme.key}: {scheme.title}")
    for level in scheme.levels:
        band = "" if level.band is None else f"，{level.band.low}–{level.band.high} 户"
        guess = "（假定 assumed）" if level.band is not None and level.band.is_assumption else ""
        terminal.say(f"  {level.key} {level.name} {level.contract.label_zh}{band}{guess}")
    return SOUND
