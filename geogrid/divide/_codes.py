"""Codes of a divided district: official ones as they are, and what is known of special cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide.number import Numbering, number_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.atoms import Atoms
    from geogrid.model.scheme import Scheme

__all__ = ["Given", "give_codes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is known of a cell before it is numbered; empty texts are not known.

    ``is_one`` says that the cell is one even where it lies below two parents.
    """

    code: str = ""
    name: str = ""
    kind: str = ""
    is_one: bool = False


def give_codes(
    atoms: Atoms,
    groups: pd.DataFrame,
    scheme: Scheme,
    given: Mapping[str, Mapping[int, Given]],
    *,
    prefix: str,
    district: str,
) -> Numbering:
    """Return codes and names of cells, with what is known of them put in.

    Parameters
    ----------
    groups
        As for :func:`~geogrid.divide.number.number_cells`.
    given
        By level key, by the value in ``groups``; a level has official codes for all of its cells
        or for none.
    """
    official: dict[str, dict[str, str]] = {}
    values = groups.copy()
    for key, cells in given.items():
        if any(one.code for one in cells.values()):
            official[key] = {one.code: one.name for one in cells.values()}
            values[key] = [cells[value].code for value in groups[key].tolist()]
    numbering = number_cells(
        atoms, values, scheme, prefix=prefix, district=district, official=official
    )
    for level in scheme.area_levels:
        known = {value: one for value, one in given.get(level.key, {}).items() if one != Given()}
        if known:
            numbering = _patched(numbering, level.key, groups[level.key], known)
    return numbering


def _patched(
    numbering: Numbering, key: str, values: pd.Series, known: Mapping[int, Given]
) -> Numbering:
    """Put names and kinds in, and make one cell of what is one."""
    labels, table = numbering.labels.copy(), numbering.cell_table.copy()
    pairs = pd.DataFrame(
        {"code": labels[key].to_numpy(), "value": values.reindex(labels.index).to_numpy()}
    ).drop_duplicates()
    pairs = pairs[pairs["value"].isin(list(known))].sort_values("code")
    kinds = np.array([known[value].kind for value in pairs["value"]], dtype=object)
    table.loc[pairs["code"][kinds != ""], "kind"] = kinds[kinds != ""]
    for code, value in zip(pairs["code"], pairs["value"], strict=True):
        one = known[value]
        if one.name and not one.code:
            table = _renamed(table, code, one.name)
    same = pairs[[known[value].is_one for value in pairs["value"]]]
    first = same.groupby("value")["code"].transform("first")
    gone = dict(zip(same["code"][same["code"] != first], first[same["code"] != first], strict=True))
    if gone:
        labels[key] = labels[key].replace(gone)
        table["parent"] = table["parent"].replace(gone)
        table = table.drop(index=list(gone))
    return replace(numbering, labels=labels, cell_table=table)


def _renamed(table: pd.DataFrame, code: str, name: str) -> pd.DataFrame:
    """Name a cell, and those below it whose names begin with what it was called."""
    old = str(table.loc[code, "name"])
    todo, seen = [code], {code}
    while todo:
        below = table.index[table["parent"] == todo.pop()].difference(list(seen))
        todo += list(below)
        seen |= set(below)
    rows = table.index[table.index.isin(list(seen))]
    names = [name + str(text).removeprefix(old) if str(text).startswith(old) else text
             for text in table.loc[rows, "name"]]  # fmt: skip
    table.loc[rows, "name"] = names
    return table
