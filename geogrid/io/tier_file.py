"""Which tier of station counts for which limit, as people type or keep it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import InputError
from geogrid.model.tiers import TIER_RULES, TierRule, tier_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["read_tiers"]

_EXAMPLE = '15=社区, or 15 = ["社区"] in a .toml file'


def read_tiers(words: Sequence[str]) -> TierRule | None:
    """Read a rule of tiers from words of a command.

    Parameters
    ----------
    words
        The name of a preset, or the path of a TOML file with one line a limit
        (``15 = ["社区"]``; an empty list counts every tier), or ``15=社区,社区中心`` once a limit.

    Returns
    -------
    TierRule or None
        ``None`` without a word: every tier counts for every limit.

    Raises
    ------
    InputError
        If a word is none of them, or a limit stands twice.
    """
    if not words:
        return None
    if len(words) == 1 and "=" not in words[0]:
        word = words[0]
        if word in TIER_RULES:
            return TIER_RULES[word]
        file = Path(word)
        if not file.is_file():
            presets = ", ".join(sorted(TIER_RULES))
            msg = f"{word} is neither a tier preset ({presets}) nor a file: or write {_EXAMPLE}"
            raise InputError(msg)
        return _rule(_file_table(file))
    table: dict[str, list[str]] = {}
    for word in words:
        limit, equals, names = word.partition("=")
        if not equals or limit.strip() in table:
            why = "names a limit twice" if equals else "names no limit"
            msg = f"--tiers {word} {why}: write one limit and its tiers, as {_EXAMPLE}"
            raise InputError(msg)
        found = names.replace("，", ",").replace("、", ",").split(",")
        table[limit.strip()] = [name.strip() for name in found if name.strip()]
    return _rule(table)


def _file_table(file: Path) -> dict[str, list[str]]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8").removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{file.name} is no table of tiers ({error}): write one line a limit, as {_EXAMPLE}"
        raise InputError(msg) from error
    for limit, names in values.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            msg = f"{file.name} gives no list of tiers for {limit}: write it as {_EXAMPLE}"
            raise InputError(msg)
    if not values:
        msg = f"{file.name} names no limit: write one line a limit, as {_EXAMPLE}"
        raise InputError(msg)
    return values


def _rule(table: Mapping[str, list[str]]) -> TierRule:
    limits: dict[float, Sequence[str] | None] = {}
    for limit, names in table.items():
        try:
            limits[float(limit)] = names or None
        except ValueError as error:
            msg = f"{limit} is no limit in minutes or metres: write tiers as {_EXAMPLE}"
            raise InputError(msg) from error
    return tier_rule(limits)
