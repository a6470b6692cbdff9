"""Codes that were never used, and names, for cells that an edit makes one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._issue import last_number, split_code
from geogrid.divide._names import fill_names, own_names
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["FreshCodes", "carries"]


def carries(code: str, parent: str) -> bool:
    """Tell whether a code is its parent's code and a number."""
    return bool(parent) and parent in code and split_code(code, parent)[1].isdecimal()


class FreshCodes:
    """The next numbers below each parent, as :func:`geogrid.divide.number.number_plan` counts.

    Parameters
    ----------
    plan
        Its present and its retired codes are never given again.
    reserved
        Further codes that were used once, in versions that were undone.
    """

    def __init__(self, plan: GridPlan, reserved: Iterable[str] = ()) -> None:
        self._plan = plan
        self._codes: list[str] = plan.cell_table.index.to_numpy(object).tolist()
        told: list[str] = plan.code_history["code"].to_numpy(object).tolist()
        self._used = {*self._codes, *told, *reserved}
        self._last: dict[tuple[str, str], int] = {}
        self._forms: dict[tuple[str, str], tuple[str, int]] = {}

    def issue(self, level: Level, parent: str) -> str:
        """Return the next code of a level below a parent ("" is the district).

        Raises
        ------
        InputError
            If all numbers of so many digits were used once.
        """
        above = parent or self._plan.district.code
        front, width = self._form(level, above)
        key = (level.key, above)
        number = self._last[key] if key in self._last else self._highest(above, width)
        code = ""
        while not code or code in self._used:
            number += 1
            code = f"{front}{above}{number:0{width}d}"
        if number >= 10**width:
            msg = (
                f"all {width}-digit numbers of level {level.key} ({level.name}) below "
                f"{above or 'the district'} were used once, and a code is never used again: number "
                f"the plan afresh with more digits (geogrid number --restart)"
            )
            raise InputError(msg)
        self._last[key] = number
        self._used.add(code)
        return code

    def take(self, code: str) -> str:
        """Return a code that is wanted, "" if it was used before."""
        if not code or code in self._used:
            return ""
        self._used.add(code)
        return code

    def _form(self, level: Level, above: str) -> tuple[str, int]:
        """Return what stands before the parent's code, and the digits, as at the level's cells."""
        key = (level.key, above)
        if key not in self._forms:
            self._forms[key] = self._form_of(level, above)
        return self._forms[key]

    def _form_of(self, level: Level, above: str) -> tuple[str, int]:
        table, top = self._plan.cell_table, self._plan.district.code
        parents = table["parent"].to_numpy(object)
        is_level = table["level"].to_numpy(object) == level.key
        is_sister = is_level & ((parents == above) | ((parents == "") & (above == top)))
        # Sisters say best how their codes are built.
        for row in (*np.flatnonzero(is_sister)[:1].tolist(), *np.flatnonzero(is_level).tolist()):
            code, up = self._codes[row], parents[row] or top
            front, rest = split_code(code, up)
            if up in code and rest.isdecimal():
                return (front if up == above or not front.strip("0") else ""), len(rest)
        return "", level.code_width

    def _highest(self, above: str, width: int) -> int:
        held = (
            last_number(code, above)
            for code in self._used
            if above in code and len(split_code(code, above)[1]) == width
        )
        return max(held, default=0)

    def name(self, level: Level, code: str, parent: str, above: Mapping[str, str]) -> str:
        """Return the name that the level's template gives.

        Parameters
        ----------
        level, code, parent
            Of the cell; ``parent`` is the code above it, "" the district's.
        above
            By key of each coarser level, the name of the cell there.
        """
        place = self._plan.district
        columns = {
            name: np.array([above[one.key]])
            for one in self._plan.scheme.levels
            if one.key in above
            for name in (one.key, one.name, *one.aliases)
        }
        upper = list(above.values())
        return fill_names(
            level,
            [last_number(code, parent or place.code)],
            [code],
            district=place.name,
            parents=[upper[-1] if parent and upper else place.name],
            above=columns,
        )[0]

    @staticmethod
    def is_made(level: Level, name: str) -> bool:
        """Tell whether a name could come from the level's template, and not from people."""
        return not own_names(level, [name])[0]
