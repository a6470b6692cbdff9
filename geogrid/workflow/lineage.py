"""Which coarser cells a finest cell lies in, and what cells are called, in a loose plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.model.plan import CELL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd

    from geogrid.io.loose_plan import LoosePlan
    from geogrid.model.scheme import Level

__all__ = ["cell_table_of", "lineage_of"]


def lineage_of(
    loose: LoosePlan,
    leaf: gpd.GeoDataFrame,
    notes: list[str],
    *,
    restored: Collection[str] = (),
) -> pd.DataFrame:
    """Return the cell of every area level for each finest cell.

    A cell's parent is the one that its row names, if the plan knows it; else the one that its
    atoms belong to; else the coarser cell that holds its inner point.

    Parameters
    ----------
    loose
        The parts of the plan.
    leaf
        One row a code.
    notes
        Takes a sentence about parents that no row names.
    restored
        Cells without a row of their own, of which nobody expects one.

    Returns
    -------
    DataFrame
        Indexed by ``code``, one column a key of an area level.

    Raises
    ------
    InputError
        If a cell has no parent at all.
    """
    levels = list(loose.stored.levels)
    codes = pd.Index(leaf["code"], name="code")
    columns = {levels[-1].key: pd.Series(codes, index=codes)}
    finer: gpd.GeoDataFrame = leaf
    for level, upper in zip(reversed(levels[1:]), reversed(levels[:-1]), strict=True):
        below = columns[level.key]
        above, guessed = _parents(loose, level, upper, finer, set(below))
        told = [code for code in guessed if code not in restored]
        if told:
            notes.append(
                f"{len(told)} cells of layer {level.key} name no cell above them, first {told[0]}: "
                "they were given the one in which they lie"
            )
        columns[upper.key] = below.map(above)
        lost = below[columns[upper.key].isna()]
        finer = loose.stored.levels[upper]
        if len(lost):
            msg = (
                f"cell {lost.iloc[0]} of layer {level.key} names no cell of layer {upper.key}: "
                "write its parent into the column parent"
            )
            raise InputError(msg)
    return pd.DataFrame({level.key: columns[level.key] for level in levels}, index=codes)


def _parents(
    loose: LoosePlan, level: Level, upper: Level, cells: gpd.GeoDataFrame, wanted: set[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the parent of each cell, and the cells whose row names none."""
    atoms = loose.stored.atoms
    stored = loose.stored.levels[upper]
    known = set(stored["code"].astype(str)) if "code" in stored else set()
    by_atoms: dict[str, str] = {}
    if {level.key, upper.key} <= set(atoms.columns):
        known |= set(atoms[upper.key].astype(str))
        counts = atoms.groupby([level.key, upper.key]).size().reset_index(name="n")
        most = counts.sort_values("n", ascending=False, kind="stable").drop_duplicates(level.key)
        by_atoms = dict(zip(most[level.key].astype(str), most[upper.key].astype(str), strict=True))
    found: dict[str, str] = {}
    if {"code", "parent"} <= set(cells.columns):
        named = zip(cells["code"].astype(str), cells["parent"].astype(str), strict=True)
        found = {code: parent for code, parent in named if parent in known}
    guessed = sorted(wanted - set(found))
    for code in guessed:
        if code in by_atoms:
            found[code] = by_atoms[code]
    found.update(_by_place(cells, stored, wanted - set(found)))
    return found, [code for code in guessed if code in found]


def _by_place(
    cells: gpd.GeoDataFrame, stored: gpd.GeoDataFrame, wanted: set[str]
) -> dict[str, str]:
    if not wanted or "code" not in stored or "code" not in cells:
        return {}
    rows = cells[cells["code"].isin(wanted)]
    there = stored[~(stored.geometry.isna() | stored.geometry.is_empty)]
    points = shapely.point_on_surface(rows.geometry.to_numpy())
    point, cell = there.sindex.query(points, predicate="intersects")
    codes, parents = rows["code"].to_numpy(str), there["code"].astype(str).to_numpy(str)
    return dict(zip(codes[point].tolist(), parents[cell].tolist(), strict=True))


def cell_table_of(loose: LoosePlan, leaf: gpd.GeoDataFrame, lineage: pd.DataFrame) -> pd.DataFrame:
    """Return ``level, name, kind, parent, head`` of every cell of a plan, by ``code``.

    What a row says stays; a cell without a row is named by its level's template.
    """
    tables = []
    names = {"": loose.district.name}
    levels = list(loose.stored.levels)
    for depth, level in enumerate(levels):
        upper = levels[depth - 1] if depth else None
        codes = sorted(set(lineage[level.key]))
        rows = leaf if level is levels[-1] else loose.stored.levels[level]
        facts = _facts(rows, codes)
        parent_of = dict.fromkeys(codes, "")
        if upper is not None:
            pairs = lineage.drop_duplicates(level.key)
            parent_of = dict(zip(pairs[level.key], pairs[upper.key], strict=True))
        facts["parent"] = [parent_of[code] for code in codes]
        facts["level"] = level.key
        facts["kind"] = facts["kind"].where(facts["kind"] != "", level.kinds[0])
        facts["name"] = [
            name or _name(level, code, parent_of[code], names)
            for code, name in zip(codes, facts["name"], strict=True)
        ]
        names |= dict(zip(codes, facts["name"], strict=True))
        tables.append(facts[list(CELL_FIELDS)])
    return pd.concat([*tables, loose.roster_cells[list(CELL_FIELDS)]])


def _facts(rows: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    index = pd.Index(codes, name="code")
    blank = pd.DataFrame("", index=index, columns=list(CELL_FIELDS), dtype=object)
    if "code" not in rows:
        return blank
    known = rows.assign(code=rows["code"].astype(str)).drop_duplicates("code").set_index("code")
    for field in CELL_FIELDS:
        if field in known:
            values = known[field].reindex(index).astype(object)
            blank[field] = values.where(values.notna(), "").astype(str)
    return blank


def _name(level: Level, code: str, parent: str, names: dict[str, str]) -> str:
    """Return the name that numbering would give, or the code where it tells no number."""
    digits = code.removeprefix(parent)
    if not digits.isdecimal():
        return code
    return level.name_template.format(parent=names.get(parent, ""), n=int(digits), code=code)
