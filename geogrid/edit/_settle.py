"""Codes, parents and names after atoms changed hands: new cells get codes that were never used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide.fresh import FreshCodes, carries
from geogrid.edit._draft import listed
from geogrid.errors import EditError
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.edit._draft import Draft, Indices
    from geogrid.model.scheme import Level

__all__ = ["Facts", "Settled", "require_allowed", "settle"]


@dataclass(slots=True, kw_only=True)
class Facts:
    """A row of the cell table."""

    level: str
    name: str
    kind: str
    parent: str
    head: str = ""


@dataclass(slots=True)
class Settled:
    """What became of codes.

    Attributes
    ----------
    added
        Facts of codes that are new.
    changed
        By code, fields of the cell table with new values.
    retired
        Level of each code that is no longer used.
    recoded
        By key of a level, the new code of each old one.
    origins, successors
        Codes that had a new code's ground before, and that have a retired one's now.
    codes
        Who issues codes.
    """

    codes: FreshCodes
    added: dict[str, Facts] = field(default_factory=dict)
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    retired: dict[str, str] = field(default_factory=dict)
    recoded: dict[str, dict[str, str]] = field(default_factory=dict)
    origins: dict[str, list[str]] = field(default_factory=dict)
    successors: dict[str, list[str]] = field(default_factory=dict)


def require_allowed(draft: Draft, *, within: Level | None) -> None:
    """Refuse what official levels, or a wish to stay within the parent, forbid.

    Parameters
    ----------
    within
        Cells above this level must keep their atoms.
    """
    for level in draft.levels:
        moved = draft.moved(level.key)
        if not len(moved):
            continue
        cells = _both(draft, level.key, moved)
        if level.locked:
            msg = (
                f"level {level.key} ({level.name}) is official: {listed(cells)} keep their ground "
                f"({level.name}为行政层级，{listed(cells)}边界不可改)"
            )
            raise EditError(msg, tuple((level.key, code) for code in cells))
        if within is not None and level in draft.coarser(within):
            msg = (
                f"this would move atoms between {listed(cells)} of level {level.key} "
                f"({level.name}), and was to stay within the parent: leave those atoms out "
                f"(会改变{listed(cells)}的地块归属：请不要跨上级划入)"
            )
            raise EditError(msg, tuple((level.key, code) for code in cells))


def _both(draft: Draft, key: str, rows: Indices) -> list[str]:
    before = draft.base[key][draft.origin[rows]]
    codes = {*before.tolist(), *draft.labels[key][rows].tolist()}
    return sorted(code for code in codes if code not in draft.fresh)


def settle(draft: Draft, reserved: Iterable[str]) -> Settled:
    """Give every new cell a code, and every cell the parent it lies in.

    A cell that has another parent now, and whose code was its parent's and a number, gets the next
    number of the new parent: its old code would name the wrong place.
    """
    settled = Settled(FreshCodes(draft.plan, reserved))
    above: Level | None = None
    for level in draft.levels:
        moved = draft.moved(level.key)
        if above is not None:
            moved = np.union1d(moved, draft.moved(above.key))
        if len(moved):
            _settle_level(draft, settled, level, above, moved)
        above = level
    for code, values in draft.facts.items():
        settled.changed[code] = settled.changed.get(code, {}) | values
    return settled


def _settle_level(
    draft: Draft, settled: Settled, level: Level, above: Level | None, moved: Indices
) -> None:
    column = draft.labels[level.key]
    codes = sorted(set(column[moved].tolist()))
    held = [draft.rows_in(level.key, code) for code in codes]
    for code, rows in zip(codes, held, strict=True):
        parent = "" if above is None else _parent(draft, level, above, code, rows)
        issued = _code_of(draft, settled, level, code, parent, rows)
        if issued != code:
            draft.assign(level.key, rows, issued)
    _trace(draft, settled, level, moved)


def _parent(draft: Draft, level: Level, above: Level, code: str, rows: Indices) -> str:
    """Return the parent of a cell: the one that its atoms are in."""
    parents, count = np.unique(draft.labels[above.key][rows].astype(str), return_counts=True)
    held = parents.tolist()
    if len(held) > 1:
        _require_spanning(draft, level, code, held)
    own = draft.fact(code, "parent")
    return own if own in held else str(held[int(count.argmax())])


def _require_spanning(draft: Draft, level: Level, code: str, parents: list[str]) -> None:
    """Refuse a cell in several parents, unless such cells are allowed."""
    listed_codes = {
        one.code for one in draft.plan.scheme.exceptions if DefectKind.SPANS_PARENTS in one.allows
    }
    may = level.may_span_parents or draft.fact(code, "kind") in level.spanning_kinds
    if may or code in listed_codes:
        return
    name = "the new cell" if code in draft.fresh else code
    msg = (
        f"{name} of level {level.key} ({level.name}) would lie in several cells above: "
        f"{listed(parents)}: keep it in one (将跨{len(parents)}个上级：请划在同一个上级之内)"
    )
    raise EditError(msg, ((level.key, code),) if code not in draft.fresh else ())


def _code_of(
    draft: Draft, settled: Settled, level: Level, code: str, parent: str, rows: Indices
) -> str:
    """Return the code that a cell has from now on."""
    if code in draft.fresh:
        new = draft.fresh[code]
        issued = settled.codes.take(new.code) or settled.codes.issue(level, parent)
        names = _names_above(draft, settled, level, rows)
        name = new.name or settled.codes.name(level, issued, parent, names)
        settled.added[issued] = Facts(
            level=level.key, name=name, kind=new.kind or level.kinds[0], parent=parent,
            head=new.head,
        )  # fmt: skip
        return issued
    was = draft.fact(code, "parent")
    if parent == was:
        return code
    if level.locked or not carries(code, was or draft.plan.district.code):
        settled.changed[code] = {"parent": parent}
        return code
    issued = settled.codes.issue(level, parent)
    name = draft.fact(code, "name")
    if settled.codes.is_made(level, name):
        names = _names_above(draft, settled, level, rows)
        name = settled.codes.name(level, issued, parent, names)
    settled.added[issued] = Facts(
        level=level.key,
        name=name,
        kind=draft.fact(code, "kind"),
        parent=parent,
        head=draft.fact(code, "head"),
    )  # fmt: skip
    settled.recoded.setdefault(level.key, {})[code] = issued
    return issued


def _names_above(draft: Draft, settled: Settled, level: Level, rows: Indices) -> dict[str, str]:
    names = {}
    for one in draft.coarser(level):
        code = str(draft.labels[one.key][rows[0]])
        added = settled.added.get(code)
        names[one.key] = added.name if added else draft.fact(code, "name")
    return names


def _trace(draft: Draft, settled: Settled, level: Level, moved: Indices) -> None:
    """Note which codes are no longer used, and what took what over."""
    before = draft.base[level.key][draft.origin[moved]]
    now = draft.labels[level.key][moved]
    changed = np.flatnonzero(before != now)
    left = sorted(set(before[changed].tolist()))
    gone = [code for code in left if not len(draft.rows_in(level.key, code))]
    recoded = settled.recoded.get(level.key, {})
    empty = [
        code for code in gone if code not in recoded and (level.key, code) not in draft.may_vanish
    ]
    if empty:
        msg = (
            f"{listed(empty)} of level {level.key} ({level.name}) would be left without an atom: "
            f"merge it into another cell instead ({listed(empty)}将变成空网格：请改用合并)"
        )
        raise EditError(msg, tuple((level.key, code) for code in empty))
    settled.retired |= dict.fromkeys(gone, level.key)
    if not len(changed):
        return
    pairs = pd.DataFrame(
        {"old": before[changed], "new": now[changed], "households": draft.people[moved[changed]]}
    )
    held = pairs.groupby(["old", "new"], as_index=False)[["households"]].sum()
    held = held.sort_values(["households", "new", "old"], ascending=[False, True, True])
    for old, new in zip(held["old"].tolist(), held["new"].tolist(), strict=True):
        if old in gone:
            settled.successors.setdefault(old, []).append(new)
        if new in settled.added:
            settled.origins.setdefault(new, []).append(old)
