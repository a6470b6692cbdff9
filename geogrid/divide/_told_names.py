"""Names of cells that are a compound, a building or an entrance: what the households call them.

A building that people know as 7栋 must not be named 第2栋 because it is the second from the west.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.divide._homes import TextColumn
    from geogrid.divide._problem import IntArray
    from geogrid.model.scheme import Level

__all__ = ["Told", "read_told"]

_ENDING = re.compile(r"(单元门|单元|号楼|号栋|号幢|栋|幢|楼|号|小区)$")
# 3, 12, 3-1, 12A, B2. What is longer is the number of a register and names nothing for people.
_NUMBER = re.compile(r"\d{1,3}(-\d{1,2})?[A-Za-z]?|[A-Za-z]\d{0,2}")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
# What stands between a compound and its building where the number alone names several.
_OF = "·"
# A cell of several units has no name of its own: it is numbered.
_SEVERAL = "-"


class Told:
    """What the cells of a level are called by those who live there."""

    def __init__(self, level: Level, values: Sequence[str]) -> None:
        self._level = level
        self._values = list(values)
        self._is_used = any(_number(one) or _CHINESE.search(one) for one in self._values)

    def places(self, sequence: Sequence[int]) -> list[object]:
        """Return the numbers that the template is filled with: told ones, else the sequence."""
        pairs = zip(self._values, sequence, strict=True)
        return [_number(value) or place for value, place in pairs]

    def names(self, made: Sequence[str], parents: Sequence[str]) -> list[str]:
        """Return the names: as made from a number, else as told, below the parent's name."""
        found = []
        for value, name, parent in zip(self._values, made, parents, strict=True):
            if not value and self._is_used:
                found.append(f"{parent}未注明{self._level.name}")
            elif _number(value) or not _CHINESE.search(value):
                found.append(name)
            else:
                found.append(value if self._level.answers_to("小区") else f"{parent}{value}")
        return found


def read_told(level: Level, values: TextColumn, cell: IntArray, parents: Sequence[str]) -> Told:
    """Return what cells are called that are made of one unit each.

    Parameters
    ----------
    values
        The unit that each household row names, "" for none.
    cell
        The cell of each row: its position among ``parents``, -1 for none.
    parents
        Name of the parent of each cell.
    """
    rows = pd.DataFrame({"cell": cell, "value": values})
    rows = rows[rows["cell"] >= 0].drop_duplicates()
    rows = rows[~rows["cell"].duplicated(keep=False)]
    told = dict(zip(rows["cell"].tolist(), rows["value"].tolist(), strict=True))
    texts = []
    for at, parent in enumerate(parents):
        text = str(told.get(at, _SEVERAL))
        last = text.rsplit("/", 1)[-1]
        above, _, own = last.partition(_OF)
        texts.append(own if own and parent.endswith(above) else last)
    return Told(level, texts)


def _number(value: str) -> str:
    """Return the number in a name of one: 3 for 3栋, 03 for 03, "" where there is none."""
    plain = unicodedata.normalize("NFKC", value)
    above, of, own = plain.rpartition(_OF)
    bare = _ENDING.sub("", own)
    return f"{above}{of}{bare}" if _NUMBER.fullmatch(bare) else ""
