"""Codes and names of cells: read like a map, west to east and north to south.

Inside each parent the cells are put in rows. A row is a band as high as the typical cell of that
parent (the median height), counted from the parent's northern edge; the centre of a cell says in
which row it is. Rows are read from north to south, each from west to east: 从西向东、由北至南. The
code of a cell is its parent's code and its place in that order. Codes are text. Official codes
stay as they are.

After a redraw ``number_plan(plan, near=old)`` keeps the codes of the cells that are still there,
gives new ones the next number of their parent, never uses a retired code again, and writes down
what became of it (``plan.code_history``).

How long codes are is the scheme's ``code_width``, or a preset. Which published text a preset
follows, and how much of that text was seen, stands in ``code_standing``: only excerpts were, so no
preset claims to conform to a standard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._carry import level_cells, renamed_plan
from geogrid.divide._formats import PRESETS, CodeFormat, code_format
from geogrid.divide._issue import LevelCells, Place, cell_rows, issue_codes
from geogrid.divide._memory import OldCodes, are_alike, levels_with_cells
from geogrid.divide._order import extents_of, nested_cells, reading_order
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.divide._problem import IntArray, TextArray
    from geogrid.model.atoms import Atoms
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Scheme

__all__ = [
    "PRESETS",
    "CodeFormat",
    "Numbering",
    "code_format",
    "code_standing",
    "number_cells",
    "number_plan",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbering:
    """Codes of cells: ``labels`` per atom and level, ``cell_table`` per code, as in a plan."""

    labels: pd.DataFrame
    cell_table: pd.DataFrame


def number_cells(
    atoms: Atoms,
    groups: pd.DataFrame,
    scheme: Scheme,
    *,
    prefix: str = "",
    district: str = "",
    preset: str | CodeFormat | None = None,
    official: Mapping[str, Mapping[str, str]] | None = None,
) -> Numbering:
    """Give nested cells their codes and names.

    Parameters
    ----------
    groups
        Indexed by ``atom_id``; one column a key of an area level. Atoms with the same value in a
        column and in all coarser columns are one cell.
    prefix
        Code of the district, in front of every code; may be empty.
    district
        Name of the district: the ``{parent}`` of the coarsest level.
    preset
        A key of ``PRESETS``, or what :func:`code_format` gives. Without one the scheme's
        ``code_width`` holds, and a level gets more digits where one parent has more cells.
    official
        By level key, for levels whose values in ``groups`` are official codes that stay as they
        are: the name of each code.

    Returns
    -------
    Numbering
        Labels in the order of the atoms, and ``level, name, kind, parent, head`` of each code.
        Kinds are the level's first one, heads are empty.

    Raises
    ------
    InputError
        If an atom has no value in one of the columns, or a number does not fit into the digits of
        a preset.
    """
    ids = atoms.frame["atom_id"].to_numpy()
    keys = [level.key for level in scheme.area_levels]
    values = groups.reindex(index=ids, columns=keys)
    if values.isna().to_numpy().any():
        atom, level_at = np.argwhere(values.isna().to_numpy())[0]
        msg = f"atom {ids[atom]} has no cell at level {keys[level_at]}: assign it before numbering"
        raise InputError(msg)
    extents = extents_of(atoms)
    parent = np.zeros(len(ids), dtype=np.int64)
    levels: list[LevelCells] = []
    members = []
    for at, level in enumerate(scheme.area_levels):
        above, cell = nested_cells(parent, pd.factorize(values[level.key])[0])
        levels.append(
            LevelCells(
                level=level,
                up=at - 1,
                above=above,
                place=reading_order(extents, cell, above),
                rank=np.arange(len(above)),
                official=_official(values[level.key].to_numpy(), cell, level.key, official),
            )
        )
        members.append(cell)
        parent = cell
    issued = issue_codes(levels, Place(code=prefix, name=district), format_=_format(preset))
    columns = {one.level.key: made.codes[cell]
               for one, made, cell in zip(levels, issued, members, strict=True)}  # fmt: skip
    tables = [cell_rows(*one).sort_values("code") for one in zip(levels, issued, strict=True)]
    return Numbering(
        labels=pd.DataFrame(columns, index=pd.Index(ids, name="atom_id")),
        cell_table=pd.concat(tables).set_index("code"),
    )


def number_plan(
    plan: GridPlan,
    *,
    near: GridPlan | None = None,
    preset: str | CodeFormat | None = None,
    prefix: str | None = None,
    restart: bool = False,
) -> GridPlan:
    """Give the cells of a plan new codes, from what they are and not from what they were called.

    Kinds and heads stay with their cells, and so do names that people gave (诚意商圈); names from
    the template are made again; official cells keep code and name. Numbering twice gives the same
    codes. The proof is dropped when a code changes: check the new plan.

    Parameters
    ----------
    plan
        The plan. Cells of levels without an area of their own keep their order below their
        parent.
    near
        An earlier plan of the same district and scheme, whose codes are kept: the cell that holds
        most of an old cell's households (of its ground, where nobody lived) inherits its code, if
        it lies below the same parent; heir of several, it keeps the one of which it holds most.
        Other cells get the next number that was never used below their parent.
    preset
        A key of ``PRESETS``, or what :func:`code_format` gives; ``geogrid`` where absent, or
        the digits of ``near``.
    prefix
        Code of the district; the plan's own where absent.
    restart
        Number afresh a plan that has retired codes, and forget them.

    Raises
    ------
    InputError
        If a number does not fit into its digits, a preset lacks an official code, ``near`` is a
        plan of other levels (more or fewer at the bottom are fine), or retired codes would be
        forgotten.
    """
    if near is None and (plan.code_history["to_version"] != "").any() and not restart:
        msg = (
            "this plan has retired codes, which must not be used again: give the OLD plan whose "
            "codes are to be kept (--near), or number it afresh on purpose (--restart)"
        )
        raise InputError(msg)
    if near is not None and (restart or prefix not in {None, near.district.code}):
        msg = "codes are kept (--near) or made anew (--restart, --prefix): give one of them"
        raise InputError(msg)
    top = plan.district.code if prefix is None else prefix
    memory = None
    levels, tokens = level_cells(plan)
    if near is not None:
        _require_alike_levels(near, plan)
        top, memory = near.district.code, OldCodes(near, plan, tokens)
    format_ = _format(preset or ("geogrid" if near is None else None))
    issued = issue_codes(
        levels, Place(code=top, name=plan.district.name), format_=format_, memory=memory
    )
    numbered = renamed_plan(plan, levels, issued, tokens)
    history = plan.code_history.iloc[:0] if memory is None else memory.history()
    return replace(numbered, code_history=history, district=replace(plan.district, code=top))


def code_standing(preset: str | CodeFormat | None = None) -> dict[str, str]:
    """Return which text a preset follows and how much of it was seen: ``preset, text, text_zh``."""
    chosen = _format(preset or "geogrid") or PRESETS["geogrid"]
    return {"preset": chosen.key, "text": chosen.standing, "text_zh": chosen.standing_zh}


def _format(preset: str | CodeFormat | None) -> CodeFormat | None:
    return code_format(preset) if isinstance(preset, str) else preset


def _official(
    values: TextArray,
    cell: IntArray,
    key: str,
    official: Mapping[str, Mapping[str, str]] | None,
) -> tuple[TextArray, TextArray] | None:
    if official is None or key not in official:
        return None
    _, first = np.unique(cell, return_index=True)
    codes = [str(value) for value in values[first]]
    return np.array(codes), np.array([official[key].get(code, "") for code in codes])


def _require_alike_levels(old: GridPlan, new: GridPlan) -> None:
    have = [levels_with_cells(plan) for plan in (old, new)]
    if not are_alike(*have):
        msg = (
            f"the old plan has the levels {', '.join(have[0])}, this one {', '.join(have[1])}: "
            f"codes are kept between plans of one scheme, one of which may have more levels at the "
            f"bottom"
        )
        raise InputError(msg)
