"""Two plans of the same ground side by side: which cells go on as which, and who moves.

Plans have atoms and codes of their own, so cells are compared by their ground and households, by
the comparison that ``geogrid compare`` makes of two files. That takes seconds where plans are
large: it is made once for all who ask, and one at a time.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import shapely

from geogrid.api.answers import json_text
from geogrid.api.kept import Kept
from geogrid.api.moves import Groups, told_moves
from geogrid.api.problems import TooManyError
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import pandas as pd

    from geogrid.api.desk import Asked, Desk
    from geogrid.api.security import Caller
    from geogrid.api.view import PlanView
    from geogrid.compare import Comparison
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["PlanPair", "PlanPairs", "comparable_levels", "compared", "told_pair"]

_PAIRS = 8
_PATIENCE_S = 30.0
# Districts that were drawn apart may overlap along their border by less than this.
_COMMON_M = 2.0

_BY_POINTS = (
    "households are counted at the household points of the first plan (户数按前一方案的住户点统计)"
)
_BY_ATOMS = (
    "households are counted at an inner point of their atom, in the plan that has more atoms "
    "(户数按基本单元内一点统计，取单元较细的方案)"
)
_DIFFER = (
    "the two plans do not count the same households: moves are counted by one of them "
    "(两个方案的住户总数不同，去向只按其中一个统计)"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelPair:
    """What two plans make of one level.

    Attributes
    ----------
    levels
        The level of the first plan, and the one of the second that answers to it.
    added, removed
        Codes of cells of the second plan that no cell of the first goes on as, and of cells of the
        first that go on as none.
    redrawn, renumbered, renamed
        Codes in the second plan of cells that go on: with other borders, another code, another
        name.
    was
        Code in the first plan of each of these whose code is another one.
    groups
        The households of each pair of cells.
    """

    levels: tuple[Level, Level]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    redrawn: tuple[str, ...]
    renumbered: tuple[str, ...]
    renamed: tuple[str, ...]
    was: dict[str, str]
    groups: Groups

    @property
    def codes(self) -> tuple[frozenset[str], frozenset[str]]:
        """Codes of the cells that changed, in the first plan and in the second."""
        goes_on = {*self.redrawn, *self.renumbered, *self.renamed}
        before = {self.was.get(code, code) for code in goes_on}
        return frozenset(before.union(self.removed)), frozenset(goes_on.union(self.added))

    def to_dict(self) -> dict[str, Any]:
        """Return the cells that changed as plain JSON values; the others are in none of them."""
        return {
            "name": self.levels[0].name,
            "other": {"key": self.levels[1].key, "name": self.levels[1].name},
            "changed": len(self.codes[1]) + len(self.removed),
            "added": list(self.added),
            "removed": list(self.removed),
            "redrawn": list(self.redrawn),
            "renumbered": list(self.renumbered),
            "renamed": list(self.renamed),
            "was": self.was,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanPair:
    """Every level that two plans have in common, coarse to fine, and how it was counted."""

    levels: tuple[LevelPair, ...]
    notes: tuple[str, ...]


def comparable_levels(one: GridPlan, two: GridPlan) -> list[tuple[Level, Level]]:
    """Return the levels that two plans have in common, coarse to fine.

    A level answers to another one of the same key, else to one that is called so.

    Raises
    ------
    InputError
        If their coordinates differ, they share no ground, or no level.
    """
    if one.district.crs != two.district.crs:
        msg = (
            "these plans have different coordinate systems: bring them into one first "
            "(两个方案的坐标系不同，请先统一坐标系)"
        )
        raise InputError(msg)
    common = shapely.intersection(one.district.limit, two.district.limit)
    if shapely.is_empty(shapely.buffer(common, -_COMMON_M / 2)):
        msg = (
            "these plans share no ground: choose plans of one district "
            "(两个方案没有重叠的地域，请选同一辖区的方案)"
        )
        raise InputError(msg)
    pairs = [
        (level, other)
        for level in one.scheme.area_levels
        if (other := _answering(level, two)) is not None
    ]
    if not pairs:
        names = [", ".join(level.name for level in plan.scheme.area_levels) for plan in (one, two)]
        msg = (
            f"these plans share no level, one has {names[0]}, the other {names[1]}: choose plans "
            "of one scheme (两个方案没有相同的层级，请选同一体系的方案)"
        )
        raise InputError(msg)
    return pairs


def _answering(level: Level, plan: GridPlan) -> Level | None:
    others = plan.scheme.area_levels
    same = [other for other in others if other.key == level.key]
    called = [other for other in others if any(map(other.answers_to, (level.name, *level.aliases)))]
    return next(iter(same + called), None)


class PlanPairs:
    """Comparisons of plans, made one at a time and kept for those who ask again."""

    def __init__(self) -> None:
        self._making = Lock()
        self._kept: Kept[tuple[str, ...], PlanPair] = Kept(_PAIRS)

    def of(self, desk: Desk, one: Asked, two: Asked) -> PlanPair:
        """Return what two versions of two plans make of each other.

        Raises
        ------
        InputError
            If they cannot be compared.
        TooManyError
            If others compare for too long.
        """
        files = [desk.homes.file_of(asked.plan) for asked in (one, two)]
        points = "" if files[0] is None or files[1] is None else files[0].id
        key = (one.version, two.version, points)
        known = self._kept.get(key)
        if known is not None:
            return known
        with self.busy():
            known = self._kept.get(key)
            if known is None:
                plans = [desk.view(asked.plan, asked.version).plan for asked in (one, two)]
                homes = desk.households_of(one.plan, plans[0]) if points else None
                known = self._kept.put(key, compared(plans[0], plans[1], homes))
            return known

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let nobody else compare meanwhile.

        Raises
        ------
        TooManyError
            If others do for too long.
        """
        if not self._making.acquire(timeout=_PATIENCE_S):
            msg = (
                "other plans are being compared: try again in a moment "
                "(正在进行其他对比，请稍后再试)"
            )
            raise TooManyError(msg, int(_PATIENCE_S) + 1)
        try:
            yield
        finally:
            self._making.release()


def compared(one: GridPlan, two: GridPlan, homes: gpd.GeoDataFrame | None) -> PlanPair:
    """Return what two plans make of each other.

    Parameters
    ----------
    homes
        Household points with ``households``; where absent, households are counted at an inner
        point of their atom.

    Raises
    ------
    InputError
        If the plans cannot be compared.
    """
    levels = tuple(
        _level_pair(one, two, pair, homes) for pair in comparable_levels(one, two)
    )  # fmt: skip
    notes = [_BY_ATOMS if homes is None else _BY_POINTS]
    if one.households != two.households:
        notes.append(_DIFFER)
    return PlanPair(levels=levels, notes=tuple(notes))


def _level_pair(
    one: GridPlan, two: GridPlan, levels: tuple[Level, Level], homes: gpd.GeoDataFrame | None
) -> LevelPair:
    # Takes a second to load, which no start of the service waits for.
    from geogrid.compare import compare  # noqa: PLC0415

    found = compare((one, levels[0].key), (two, levels[1].key), households=homes)
    goes_on = _goes_on(found)
    olds, news = set(goes_on), set(goes_on.values())
    redrawn, renumbered, renamed = (
        tuple(sorted(table["new"])) for table in (found.redrawn, found.renumbered, found.renamed)
    )
    return LevelPair(
        levels=levels,
        added=tuple(code for code in _codes(two, levels[1]) if code not in news),
        removed=tuple(code for code in _codes(one, levels[0]) if code not in olds),
        redrawn=redrawn,
        renumbered=renumbered,
        renamed=renamed,
        was={new: old for old, new in goes_on.items() if old != new},
        groups=Groups((levels[0].key, levels[1].key), _groups(found.crosswalk, goes_on)),
    )


def _goes_on(found: Comparison) -> dict[str, str]:
    """Return the code in the second plan of each cell of the first that goes on."""
    same = {code: code for code in found.unchanged}
    tables = (found.renumbered, found.redrawn)
    return same | {
        old: new for table in tables for old, new in zip(table["old"], table["new"], strict=True)
    }


def _groups(crosswalk: pd.DataFrame, goes_on: dict[str, str]) -> pd.DataFrame:
    table = crosswalk[crosswalk["households"] > 0].rename(columns={"old": "from", "new": "to"})
    is_move = [goes_on.get(old) != new for old, new in zip(table["from"], table["to"], strict=True)]
    return table[["from", "to", "households"]].assign(is_move=is_move)


def _codes(plan: GridPlan, level: Level) -> list[str]:
    return sorted(set(plan.labels[level.key]))


def told_pair(desk: Desk, asked: tuple[Asked, Asked], pair: PlanPair, caller: Caller) -> str:
    """Return what a caller is told of two plans, as JSON."""
    views = tuple(desk.view(one.plan, one.version) for one in asked)
    groups = {one.levels[0].key: one.groups for one in pair.levels}
    moves, moved = told_moves(groups, (views[0], views[1]), caller)
    parts = {
        "sides": json_text([_side(desk, *one) for one in zip(asked, views, strict=True)]),
        "levels": json_text({
            one.levels[0].key: one.to_dict() | {"moved_households_text": moved[one.levels[0].key]}
            for one in pair.levels
        }),
        "moves": json_text(moves),
        "cells_before": _cells(views[0], {one.levels[0].key: one.codes[0] for one in pair.levels}),
        "cells": _cells(views[1], {one.levels[1].key: one.codes[1] for one in pair.levels}),
        "notes": json_text(list(pair.notes)),
    }  # fmt: skip
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def _side(desk: Desk, asked: Asked, view: PlanView) -> dict[str, Any]:
    version = desk.store.version(asked.version)
    return {
        "plan": asked.plan,
        "name": desk.entry(asked.plan).name,
        "version": asked.version,
        "number": version.number,
        "state": desk.store.standing(asked.version).state,
        "levels": [
            {"key": level.key, "name": level.name} for level in view.plan.scheme.area_levels
        ],
    }


def _cells(view: PlanView, wanted: dict[str, frozenset[str]]) -> str:
    texts = [
        text
        for level, codes in wanted.items()
        for text, values in zip(
            view.features[level].texts, view.features[level].properties, strict=True
        )
        if values["code"] in codes
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(texts)}]}}'
