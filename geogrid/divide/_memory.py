"""Codes that outlive a redraw, and what became of those that did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._issue import last_number, split_code
from geogrid.divide._shared import shared_atoms, shared_cells, shared_members
from geogrid.errors import InputError
from geogrid.model.plan import HISTORY_FIELDS

if TYPE_CHECKING:
    from geogrid.divide._issue import LevelCells
    from geogrid.divide._problem import TextArray
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["OldCodes", "are_alike", "levels_with_cells"]

_UNNAMED = "-"


def levels_with_cells(plan: GridPlan) -> list[str]:
    """Return the keys of the levels that have cells, coarse to fine."""
    named = set(plan.cell_table["level"])
    return [level.key for level in plan.scheme.levels if level.key in named]


def are_alike(one: list[str], other: list[str]) -> bool:
    """Tell whether levels are the same from the top, down to the last that both have."""
    both = min(len(one), len(other))
    return both > 0 and one[:both] == other[:both]


class OldCodes:
    """The codes of an old plan, to be kept in a new one.

    The heir of an old cell is the new cell that holds most of its households, or of its ground
    where nobody lives. A new cell keeps the code of an old one whose heir it is, below the same
    parent; of several that of which it holds most. All others get the next number of their
    parent that was never used.

    Parameters
    ----------
    old, new
        Plans of one district, with levels alike; a level that only ``new`` has is numbered from 1,
        and the codes of one that only ``old`` has are retired.
    tokens
        By level key, the present code in ``new`` of each cell, in the order of its numbering.

    Raises
    ------
    InputError
        If the plans do not fit together.
    """

    def __init__(self, old: GridPlan, new: GridPlan, tokens: dict[str, TextArray]) -> None:
        self._old, self._new, self._tokens = old, new, tokens
        self._atoms = shared_atoms(old, new)
        self._shared: dict[str, pd.DataFrame] = {}
        self._issued: dict[str, dict[str, str]] = {}

    def recall(
        self, cells: LevelCells, parents: TextArray, width: int | None
    ) -> tuple[TextArray, dict[str, str]]:
        """Return the codes of the cells of a level, and the names of those that are kept."""
        level = cells.level
        before = self._old.cell_table[self._old.cell_table["level"] == level.key]
        tokens = self._tokens[level.key].tolist()
        parent_of = dict(zip(tokens, parents.tolist(), strict=True))
        rank = dict(zip(tokens, cells.rank.tolist(), strict=True))
        kept = self._survivors(level, before, parent_of, rank)
        width, fronts = self._width(level, before, width)
        last = self._last_numbers(level, before)
        codes = [kept.get(token, "") for token in tokens]
        for at in np.lexsort((cells.place, cells.above)).tolist():
            if codes[at]:
                continue
            parent = str(parents[at])
            last[parent] = last.get(parent, 0) + 1
            codes[at] = f"{fronts.get(parent, '')}{parent}{last[parent]:0{width}d}"
            if last[parent] >= 10**width:
                msg = (
                    f"all {width}-digit numbers of level {level.key} ({level.name}) below "
                    f"{parent or 'the district'} were used once, and a code is never used again: "
                    f"number the plan afresh with more digits (--restart --width {level.key}="
                    f"{width + 1})"
                )
                raise InputError(msg)
        self._issued[level.key] = dict(zip(tokens, codes, strict=True))
        names = before["name"].to_dict()
        return np.array(codes), {code: str(names[code]) for code in kept.values()}

    def _survivors(
        self,
        level: Level,
        before: pd.DataFrame,
        parent_of: dict[str, str],
        rank: dict[str, int],
    ) -> dict[str, str]:
        """Return the old code of each new cell that keeps one."""
        shared = self._common(level)
        heirs = shared.assign(rank=shared["new"].map(rank))
        heirs = heirs.sort_values(["households", "area", "rank"], ascending=[False, False, True])
        heirs = heirs.drop_duplicates("old")
        above = self._parents_of(before)
        fits = [
            above.get(old) == parent_of.get(new)
            for new, old in zip(heirs["new"], heirs["old"], strict=True)
        ]
        heirs = heirs[np.array(fits, dtype=bool)]
        heirs = heirs.sort_values(["households", "area", "old"], ascending=[False, False, True])
        heirs = heirs.drop_duplicates("new")
        return dict(zip(heirs["new"].tolist(), heirs["old"].tolist(), strict=True))

    def _common(self, level: Level) -> pd.DataFrame:
        if level.key in self._shared:
            return self._shared[level.key]
        both = [self._new, self._old]
        if not (self._old.cell_table["level"] == level.key).any():
            shared = pd.DataFrame({"new": [], "old": [], "households": [], "area": []}).astype(
                {"new": object, "old": object}
            )
        elif all(level.key in plan.labels for plan in both):
            new, old = (plan.labels[level.key].to_numpy(str) for plan in both)
            shared = shared_cells(self._atoms, new, old)
        elif all(plan.has_members(level) for plan in both):
            new_list, old_list = (plan.members(level.key) for plan in both)
            shared = shared_members(new_list, old_list)
        else:
            msg = (
                f"only one of the two plans has level {level.key} ({level.name}): give an OLD "
                f"plan with the same levels"
            )
            raise InputError(msg)
        self._shared[level.key] = shared
        return shared

    def _parents_of(self, before: pd.DataFrame) -> dict[str, str]:
        """Return the code in front of each old one: its parent's, or the district's."""
        top = self._old.district.code
        return {str(code): str(up) or top for code, up in before["parent"].items()}

    def _width(
        self, level: Level, before: pd.DataFrame, wanted: int | None
    ) -> tuple[int, dict[str, str]]:
        """Return the digits of a level, and what stands before each parent's code."""
        above = self._parents_of(before)
        widths, fronts = set(), {}
        for code, parent in above.items():
            fronts[parent], rest = split_code(code, parent)
            if parent not in code or not rest.isdecimal():
                msg = (
                    f"code {code} of level {level.key} in the old plan is not the code above it "
                    f"({parent or 'none'}) and a number: number the old plan first"
                )
                raise InputError(msg)
            widths.add(len(rest))
        if len(widths) > 1 or (wanted is not None and widths and widths != {wanted}):
            msg = (
                f"the codes of level {level.key} in the old plan add {sorted(widths)} digits to "
                f"those above, not {wanted or 'the same everywhere'}: number the old plan first"
            )
            raise InputError(msg)
        return (widths.pop() if widths else wanted or level.code_width), fronts

    def _last_numbers(self, level: Level, before: pd.DataFrame) -> dict[str, int]:
        """Return the last number ever used below each parent."""
        last: dict[str, int] = {}
        told = self._old.code_history
        told = told[told["level"] == level.key]
        used = dict(zip(told["code"].tolist(), told["parent"].tolist(), strict=True))
        for code, parent in {**used, **self._parents_of(before)}.items():
            last[parent] = max(last.get(parent, 0), last_number(code, parent))
        return last

    def history(self) -> pd.DataFrame:
        """Return the history of all codes, of which the new plan's are the last ones."""
        version = self._old.version or _UNNAMED
        told = self._old.code_history
        told = told.assign(from_version=told["from_version"].replace("", version))
        # A code may have gone without being numbered away, by a repair or by hand.
        is_lost = (told["to_version"] == "") & ~told["code"].isin(self._old.cell_table.index)
        told = told.assign(to_version=told["to_version"].mask(is_lost, version))
        parts = [told[told["to_version"] != ""]]
        live = told[told["to_version"] == ""].set_index("code")
        levels = [level for level in self._new.scheme.levels if level.key in self._issued]
        parts.extend(self._level_history(level, live, version) for level in levels)
        lost = live[~live["level"].isin(list(self._issued))].reset_index()
        parts.append(lost.assign(to_version=version))
        parts.append(self._never_told(told, version))
        table = pd.concat(parts, ignore_index=True)[list(HISTORY_FIELDS)]
        return table.sort_values(["level", "code"], ignore_index=True)

    def _never_told(self, told: pd.DataFrame, version: str) -> pd.DataFrame:
        """Return the retired codes of levels that only the old plan has and no history tells of."""
        table = self._old.cell_table
        gone = table[~table["level"].isin(list(self._issued)) & ~table.index.isin(told["code"])]
        above = self._parents_of(gone)
        return pd.DataFrame(
            {
                "code": list(above),
                "level": gone["level"].to_list(),
                "parent": list(above.values()),
                "from_version": version,
                "to_version": version,
                "successors": "",
                "origins": "",
            },
            columns=list(HISTORY_FIELDS),
            dtype="str",
        )

    def _level_history(self, level: Level, live: pd.DataFrame, version: str) -> pd.DataFrame:
        before = self._old.cell_table[self._old.cell_table["level"] == level.key]
        above = self._parents_of(before)
        issued = self._issued[level.key]
        shared = self._common(level)
        shared = shared.assign(code=shared["new"].map(issued))
        # Ground counts only where it is all there is: a border of no households is no successor.
        lived = shared.groupby("old")["households"].transform("max") > 0
        shared = shared[~lived | (shared["households"] > 0)]
        shared = shared.sort_values(["households", "area", "code"], ascending=[False, False, True])
        into = shared.groupby("old")["code"].agg(" ".join).to_dict()
        out_of = shared.groupby("code")["old"].agg(" ".join).to_dict()
        now = set(issued.values())
        rows = []
        for code, parent in above.items():
            known = live.loc[code] if code in live.index else None
            gone = "" if code in now else version
            rows.append(
                {
                    "code": code,
                    "level": level.key,
                    "parent": parent,
                    "from_version": version if known is None else known["from_version"],
                    "to_version": gone,
                    "successors": into.get(code, "") if gone or into.get(code) != code else "",
                    "origins": "" if known is None else known["origins"],
                }
            )
        parents = {code: self._parent_of_new(level, token) for token, code in issued.items()}
        rows.extend(
            {
                "code": code,
                "level": level.key,
                "parent": parents[code],
                "from_version": "",
                "to_version": "",
                "successors": "",
                "origins": out_of.get(code, ""),
            }
            for code in sorted(now - set(above))
        )
        return pd.DataFrame(rows, columns=list(HISTORY_FIELDS))

    def _parent_of_new(self, level: Level, token: str) -> str:
        code = self._issued[level.key][token]
        up = str(self._new.cell_table.loc[token, "parent"])
        for issued in self._issued.values():
            if up and up in issued and code.startswith(issued[up]):
                return issued[up]
        return up or self._old.district.code
