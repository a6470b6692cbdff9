"""Codes and names level by level: the parent's code, then the number among its children."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from geogrid.divide._formats import width_of
from geogrid.divide._names import fill_names
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geogrid.divide._formats import CodeFormat
    from geogrid.divide._problem import IntArray, TextArray
    from geogrid.model.scheme import Level

__all__ = [
    "Issued",
    "LevelCells",
    "Memory",
    "Place",
    "cell_rows",
    "issue_codes",
    "last_number",
    "split_code",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelCells:
    """The cells of one level before they have codes.

    Attributes
    ----------
    level
        Their level.
    up
        Place of the parents' level among the levels that are numbered, -1 for the district.
    above
        Parent of each cell there.
    place
        Place of each cell in its parent, from 1.
    rank
        An order of all cells that does not depend on their codes; it breaks ties.
    official
        Codes and names that stay as they are; ``None`` where they are made.
    own
        Names that people gave and that stay, "" for the others; ``None`` where there are none.
    """

    level: Level
    up: int
    above: IntArray
    place: IntArray
    rank: IntArray
    official: tuple[TextArray, TextArray] | None = None
    own: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Code and name of the district above all cells."""

    code: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Issued:
    """Codes, names and parents' codes of one level, in the order of its cells."""

    codes: TextArray
    names: TextArray
    parents: TextArray
    fields: Mapping[str, TextArray] = field(default_factory=dict)
    is_made: bool = True


class Memory(Protocol):
    """Whoever remembers the codes of an earlier plan."""

    def recall(
        self, cells: LevelCells, parents: TextArray, width: int | None
    ) -> tuple[TextArray, dict[str, str]]:
        """Return the codes of the cells of a level, and the names of those that are kept."""
        ...


def issue_codes(
    levels: Sequence[LevelCells],
    place: Place,
    *,
    format_: CodeFormat | None = None,
    memory: Memory | None = None,
) -> list[Issued]:
    """Give every cell its code and its name.

    Parameters
    ----------
    levels
        Coarse to fine.
    place
        What lies above all of them.
    format_
        How long codes are; ``None`` follows the scheme and widens a level where its digits do not
        suffice, because a division must not fail at its last step.
    memory
        Codes that cells are to keep.

    Raises
    ------
    InputError
        If a number does not fit into its digits, or a preset lacks an official code.
    """
    issued: list[Issued] = []
    for cells in levels:
        top = Issued(codes=np.array([place.code]), names=np.array([place.name]),
                     parents=np.array([""]), is_made=False)  # fmt: skip
        issued.append(_issue_level(cells, issued[cells.up] if cells.up >= 0 else top, place,
                                   format_, memory))  # fmt: skip
    return issued


def _issue_level(
    cells: LevelCells,
    up: Issued,
    place: Place,
    format_: CodeFormat | None,
    memory: Memory | None,
) -> Issued:
    parents = up.codes[cells.above]
    fields = {name: column[cells.above] for name, column in up.fields.items()}
    kept: dict[str, str] = {}
    if cells.official is not None:
        codes, names = cells.official
    else:
        if memory is None:
            codes = _fresh_codes(cells, up, format_)
        else:
            width = None if format_ is None else width_of(format_, cells.level, str(parents[0]))
            codes, kept = memory.recall(cells, parents, width)
        texts = [str(code) for code in codes]
        made = fill_names(
            cells.level,
            [last_number(code, parent) for code, parent in zip(texts, parents, strict=True)],
            texts,
            district=place.name,
            parents=up.names[cells.above].tolist(),
            above=fields,
        )
        own_names = cells.own or [""] * len(texts)
        names = np.array(
            [
                own or kept.get(code, name)
                for own, code, name in zip(own_names, texts, made, strict=True)
            ]
        )
    own = dict.fromkeys((cells.level.key, cells.level.name, *cells.level.aliases), names)
    return Issued(
        codes=codes,
        names=names,
        parents=parents if cells.up >= 0 else np.full(len(codes), ""),
        fields={**fields, **own},
        is_made=cells.official is None,
    )


def last_number(code: str, parent: str) -> int:
    """Return the number that a code adds to its parent's; 0 where it adds none."""
    rest = split_code(code, parent)[1]
    return int(rest) if rest.isdecimal() else 0


def split_code(code: str, parent: str) -> tuple[str, str]:
    """Return what stands before the parent's code, an object code or "", and what stands after."""
    at = 0 if code.startswith(parent) else code.find(parent)
    return ("", code) if at < 0 else (code[:at], code[at + len(parent) :])


def _fresh_codes(cells: LevelCells, up: Issued, format_: CodeFormat | None) -> TextArray:
    ahead = "" if format_ is None else format_.object_code
    plain = str(up.codes[0]).removeprefix(ahead if up.is_made else "")
    width = width_of(format_, cells.level, plain)
    numbers = cells.place
    if format_ is not None and format_.has_whole and len(plain) + width == format_.ends[-1]:
        # The text numbers the parts of a community from 1, and the whole of one with 0.
        numbers = np.where(np.bincount(cells.above)[cells.above] == 1, 0, numbers)
    needed = len(str(int(numbers.max())))
    if needed > width and format_ is not None:
        at = int(numbers.argmax())
        msg = (
            f"the {numbers[at]} cells of level {cells.level.key} ({cells.level.name}) below "
            f"{up.codes[cells.above[at]] or 'the district'} do not fit into {width} digits: give "
            f"the level {needed} (--width {cells.level.key}={needed}), or merge cells"
        )
        raise InputError(msg)
    if needed > width:
        _log.warning("codes of level %s get %d digits, not %d", cells.level.key, needed, width)
        width = needed
    front = "" if up.is_made else ahead
    parents = up.codes[cells.above].tolist()
    pairs = zip(parents, numbers.tolist(), strict=True)
    return np.array([f"{front}{parent}{number:0{width}d}" for parent, number in pairs])


def cell_rows(cells: LevelCells, issued: Issued) -> pd.DataFrame:
    """Return the rows of a plan's cell table for one level."""
    return pd.DataFrame(
        {
            "code": issued.codes,
            "level": cells.level.key,
            "name": issued.names,
            "kind": cells.level.kinds[0],
            "parent": issued.parents,
            "head": "",
        }
    )
