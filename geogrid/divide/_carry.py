"""The cells of a finished plan before and after they are numbered anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._issue import LevelCells
from geogrid.divide._names import own_names
from geogrid.divide._order import extents_of, reading_order
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.divide._issue import Issued
    from geogrid.divide._order import Extents
    from geogrid.divide._problem import IntArray, TextArray
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["level_cells", "renamed_plan"]


def level_cells(plan: GridPlan) -> tuple[list[LevelCells], dict[str, TextArray]]:
    """Return the cells of each level of a plan, and their present codes in the same order.

    A cell that lies in several parents belongs to the one that the plan names.
    """
    extents = extents_of(plan.atoms)
    levels: list[LevelCells] = []
    tokens: dict[str, TextArray] = {}
    where: dict[str, tuple[int, int]] = {}
    for level in plan.scheme.levels:
        own = plan.cell_table.index[plan.cell_table["level"] == level.key]
        codes: TextArray = np.array(sorted(own.astype(str)))
        if not len(codes):
            continue
        parents = plan.cell_table.loc[pd.Index(codes), "parent"].to_numpy(str).tolist()
        found = [where.get(parent, (-1, 0)) for parent in parents]
        if len({at for at, _ in found}) > 1:
            msg = (
                f"the cells of level {level.key} ({level.name}) have parents at different levels: "
                f"give {codes[int(np.argmin([at for at, _ in found]))]} a parent like the others"
            )
            raise InputError(msg)
        above = np.array([cell for _, cell in found], dtype=np.int64)
        place, rank = _places(plan, level, codes, above, extents)
        names = plan.cell_table.loc[pd.Index(codes), "name"].to_numpy(str)
        levels.append(
            LevelCells(
                level=level,
                up=found[0][0],
                above=above,
                place=place,
                rank=rank,
                official=(codes, names) if level.locked else None,
                own=own_names(level, names.tolist()),
            )
        )
        tokens[level.key] = codes
        where |= {code: (len(levels) - 1, at) for at, code in enumerate(codes.tolist())}
    return levels, tokens


def _places(
    plan: GridPlan, level: Level, codes: TextArray, above: IntArray, extents: Extents
) -> tuple[IntArray, IntArray]:
    """Return the place of each cell in its parent, and a rank that codes do not matter to."""
    labels = plan.labels.get(level.key)
    is_area = level in plan.scheme.area_levels
    if is_area and labels is not None:
        cell = np.searchsorted(codes, labels.to_numpy(str))
        if len(np.unique(cell)) == len(codes):
            rank = np.full(len(codes), len(cell), dtype=np.int64)
            np.minimum.at(rank, cell, extents.rank)
            return reading_order(extents, cell, above), rank
    # No map says where they are: they keep the order they have.
    order = np.lexsort((np.arange(len(codes)), above))
    start = np.flatnonzero(np.diff(above[order], prepend=-1))
    size = np.diff(np.append(start, len(codes)))
    place = np.empty(len(codes), dtype=np.int64)
    place[order] = np.arange(len(codes)) - np.repeat(start, size) + 1
    return place, np.arange(len(codes))


def renamed_plan(
    plan: GridPlan,
    levels: Sequence[LevelCells],
    issued: Sequence[Issued],
    tokens: dict[str, TextArray],
) -> GridPlan:
    """Return the plan under new codes; kinds and heads stay with their cells."""
    new_of: dict[str, str] = {}
    tables = []
    for cells, made in zip(levels, issued, strict=True):
        old = tokens[cells.level.key]
        new_of |= dict(zip(old.tolist(), made.codes.tolist(), strict=True))
        facts = plan.cell_table.loc[pd.Index(old)]
        rows = pd.DataFrame(
            {
                "code": made.codes,
                "level": cells.level.key,
                "name": made.names,
                "kind": facts["kind"].to_numpy(),
                "parent": made.parents,
                "head": facts["head"].to_numpy(),
            }
        )
        tables.append(rows.sort_values("code"))
    labels = plan.labels.assign(
        **{str(key): plan.labels[key].map(new_of) for key in plan.labels.columns}
    )
    is_same = all(old == new for old, new in new_of.items())
    if is_same:
        labels = plan.labels
    return replace(
        plan,
        labels=labels,
        cell_table=pd.concat(tables).set_index("code"),
        rosters={
            key: table.assign(code=table["code"].map(new_of)) for key, table in plan.rosters.items()
        },
        shapes={key: shapes.rename(index=new_of) for key, shapes in plan.shapes.items()},
        certificate=plan.certificate if is_same else None,
        parent_version=plan.parent_version if is_same else plan.version,
    )
