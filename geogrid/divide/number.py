"""Codes and names of cells: read like a map, west to east and north to south.

Inside each parent the cells are put in rows. A row is a band as high as the typical cell of that
parent (the median height), counted from the parent's northern edge; the centre of a cell says in
which row it is. Rows are read from north to south, each from west to east. The code of a cell is
its parent's code and its place in that order, with as many digits as the level says, or more for
the whole level where one parent has more cells than fit. Codes are text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray, TextArray
    from geogrid.model.atoms import Atoms
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level, Scheme

__all__ = ["Numbering", "number_cells", "number_plan"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbering:
    """Codes of cells: ``labels`` per atom and level, ``cell_table`` per code, as in a plan."""

    labels: pd.DataFrame
    cell_table: pd.DataFrame


def number_cells(
    atoms: Atoms, groups: pd.DataFrame, scheme: Scheme, *, prefix: str = "", district: str = ""
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

    Returns
    -------
    Numbering
        Labels in the order of the atoms, and ``level, name, kind, parent, head`` of each code.
        Kinds are the level's first one, heads are empty.

    Raises
    ------
    InputError
        If an atom has no value in one of the columns.
    """
    ids = atoms.frame["atom_id"].to_numpy()
    keys = [level.key for level in scheme.area_levels]
    values = groups.reindex(index=ids, columns=keys)
    if values.isna().to_numpy().any():
        atom, level_at = np.argwhere(values.isna().to_numpy())[0]
        msg = f"atom {ids[atom]} has no cell at level {keys[level_at]}: assign it before numbering"
        raise InputError(msg)
    extents = _extents(atoms)
    parent = np.zeros(len(ids), dtype=np.int64)
    codes: TextArray = np.array([prefix])
    names: TextArray = np.array([district])
    columns: dict[str, TextArray] = {}
    tables: list[pd.DataFrame] = []
    for level in scheme.area_levels:
        value = pd.factorize(values[level.key])[0]
        pairs = np.column_stack((parent, value))
        above, cell = _cells(pairs)
        order = _reading_order(extents, cell, above)
        table = _level_table(
            level, order, codes[above], names[above], is_top=level is scheme.area_levels[0]
        )
        codes, names = table["code"].to_numpy(str), table["name"].to_numpy(str)
        columns[level.key] = codes[cell]
        tables.append(table.sort_values("code"))
        parent = cell
    return Numbering(
        labels=pd.DataFrame(columns, index=pd.Index(ids, name="atom_id")),
        cell_table=pd.concat(tables).set_index("code"),
    )


def number_plan(plan: GridPlan) -> GridPlan:
    """Give the cells of a plan new codes, from what they are and not from what they were called.

    Kinds and heads stay with their cells; names are made again. Numbering twice gives the same
    codes. The proof is dropped when a code changes: check the new plan.

    Raises
    ------
    InputError
        If the plan has cells of roster levels.
    """
    keys = [level.key for level in plan.scheme.area_levels]
    others = plan.cell_table.index[~plan.cell_table["level"].isin(keys)]
    if len(others):
        msg = (
            f"{len(others)} cells such as {others[0]} have no area of their own, so a map gives "
            f"them no order: number them with their roster"
        )
        raise InputError(msg)
    numbering = number_cells(
        plan.atoms,
        plan.labels,
        plan.scheme,
        prefix=plan.district.code,
        district=plan.district.name,
    )
    table = numbering.cell_table.copy()
    for level in plan.scheme.area_levels:
        old = plan.labels[level.key].to_numpy()
        new = numbering.labels[level.key].to_numpy()
        codes, first = np.unique(new, return_index=True)
        facts = plan.cell_table.loc[old[first]]
        table.loc[codes, "kind"] = facts["kind"].to_numpy()
        table.loc[codes, "head"] = facts["head"].to_numpy()
    labels = plan.labels.assign(**{str(key): column for key, column in numbering.labels.items()})
    is_same = labels.equals(plan.labels)
    return replace(
        plan,
        labels=labels,
        cell_table=table,
        certificate=plan.certificate if is_same else None,
        parent_version=plan.parent_version if is_same else plan.version,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Extents:
    """Box, centre and area of each atom; the rank of its id breaks ties."""

    boxes: FloatArray
    x: FloatArray
    y: FloatArray
    area: FloatArray
    rank: IntArray


def _extents(atoms: Atoms) -> _Extents:
    shapes = atoms.frame.geometry.to_numpy()
    centre = shapely.centroid(shapes)
    order = np.argsort(atoms.frame["atom_id"].to_numpy(str), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return _Extents(
        boxes=shapely.bounds(shapes),
        x=shapely.get_x(centre),
        y=shapely.get_y(centre),
        area=shapely.area(shapes),
        rank=rank,
    )


def _cells(pairs: IntArray) -> tuple[IntArray, IntArray]:
    """Return the parent of each cell and the cell of each atom, from pairs of parent and value."""
    unique, cell = np.unique(pairs, axis=0, return_inverse=True)
    return unique[:, 0].astype(np.int64), cell.ravel().astype(np.int64)


def _reading_order(extents: _Extents, cell: IntArray, above: IntArray) -> IntArray:
    """Return the place, from 1, of each cell among the cells of its parent."""
    n = len(above)
    top, bottom = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(top, cell, extents.boxes[:, 3])
    np.minimum.at(bottom, cell, extents.boxes[:, 1])
    rank = np.full(n, len(cell), dtype=np.int64)
    np.minimum.at(rank, cell, extents.rank)
    # Sums depend on the order of their terms, so they run in the order of the ids; what is left
    # of rounding goes with the millimetres.
    by_id = np.argsort(extents.rank)
    held = np.bincount(cell[by_id], weights=extents.area[by_id], minlength=n)
    x = np.bincount(cell[by_id], weights=(extents.x * extents.area)[by_id], minlength=n) / held
    y = np.bincount(cell[by_id], weights=(extents.y * extents.area)[by_id], minlength=n) / held
    x, y = np.round(x, 3), np.round(y, 3)
    place = np.zeros(n, dtype=np.int64)
    for parent in range(int(above.max()) + 1):
        own = np.flatnonzero(above == parent)
        height = float(np.median(top[own] - bottom[own]))
        row = np.floor((top[own].max() - y[own]) / max(height, 1e-3))
        order = np.lexsort((rank[own], -y[own], x[own], row))
        place[own[order]] = np.arange(1, len(own) + 1)
    return place


def _level_table(
    level: Level, place: IntArray, parents: TextArray, parent_names: TextArray, *, is_top: bool
) -> pd.DataFrame:
    width = max(level.code_width, len(str(int(place.max()))))
    codes = [f"{code}{n:0{width}d}" for code, n in zip(parents, place.tolist(), strict=True)]
    names = [
        level.name_template.format(parent=parent, n=n, code=code)
        for parent, n, code in zip(parent_names, place.tolist(), codes, strict=True)
    ]
    return pd.DataFrame(
        {
            "code": codes,
            "level": level.key,
            "name": names,
            "kind": level.kinds[0],
            "parent": "" if is_top else parents,
            "head": "",
        }
    )
