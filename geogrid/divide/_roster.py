"""Lists of members: levels that promise households and not ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._chain import Chain, chain_rows, cut_chains
from geogrid.divide._counts import band_shares, share_count
from geogrid.divide._names import fill_names
from geogrid.divide._told_names import read_told
from geogrid.divide._units import (
    cell_outlines,
    missing_columns,
    named_cells,
    read_outlines,
    unit_values,
)
from geogrid.model.plan import MEMBER_FIELDS
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geogrid.divide._homes import Homes, TextColumn
    from geogrid.divide._problem import FloatArray, IntArray, TextArray
    from geogrid.model.scheme import Level, Scheme

__all__ = ["Members", "build_members"]

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Members:
    """What a plan keeps of its lists: members, facts of all cells, polygons, sentences."""

    rosters: dict[str, pd.DataFrame]
    cell_table: pd.DataFrame
    shapes: dict[str, gpd.GeoSeries]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Household rows of one level.

    Attributes
    ----------
    top
        Number of the parent of each row.
    unit
        Number of what is not divided (a row, a building, a finer cell), -1 where a level is made
        of units and the row is in none.
    named
        Whether a unit is a cell of its own.
    """

    level: Level
    homes: Homes
    top: IntArray
    unit: IntArray
    named: bool

    @property
    def parents(self) -> int:
        return int(self.top.max(initial=-1)) + 1


def build_members(
    homes: Homes,
    scheme: Scheme,
    labels: pd.DataFrame,
    cell_table: pd.DataFrame,
    *,
    counts: Mapping[str, int],
    shapes: Mapping[str, pd.DataFrame],
    district: str = "",
) -> Members:
    """Divide households into the cells of every level that is no area level.

    Parameters
    ----------
    labels, cell_table
        Of the area levels, codes given; rows of ``labels`` are those of the atoms.
    counts
        Exact numbers of cells by level key.
    shapes
        Polygons of cells (compounds, buildings) by level key.
    district
        Its name, for names of cells.
    """
    done = Members(rosters={}, cell_table=cell_table, shapes={}, notes=[])
    codes = {str(key): labels[key].to_numpy(object)[homes.atom] for key in labels.columns}
    atom_ids = labels.index.to_numpy(object)[homes.atom]
    parent: TextColumn = np.full(len(homes.ids), "", dtype=object)
    tables = [cell_table]
    for at, level in enumerate(scheme.levels):
        if level.contract is Contract.AREA:
            parent = codes[level.key]
            continue
        below = next((one.key for one in scheme.levels[at + 1 :] if one.key in codes), None)
        outlines = read_outlines(level, shapes.get(level.key), homes)
        values = codes[below] if below else unit_values(level, homes, outlines)
        top = pd.factorize(parent, sort=True)[0].astype(np.int64)
        if values is None:
            unit = np.arange(len(top))
        else:
            number = pd.factorize(values, sort=True)[0].astype(np.int64)
            unit = np.where(values == "", -1, number)
        named = values is not None and below is None
        rows = _Rows(level=level, homes=homes, top=top, unit=unit, named=named)
        group = _groups(rows, counts.get(level.key), done.notes)
        lineage = _Lineage(scheme, pd.concat(tables), district)
        code, facts = _coded(rows, parent, group, lineage, values if named else None)
        done.notes.extend(_unit_notes(rows, below, values))
        if named and values is not None and outlines is not None:
            code, facts = named_cells(outlines, values, code, facts)
            done.shapes[level.key] = cell_outlines(outlines, values, code)
        _list_misfits(rows, parent, code, done.notes)
        columns = (code, homes.ids, homes.households, atom_ids)
        table = pd.DataFrame(dict(zip(MEMBER_FIELDS, columns, strict=True)))
        texts = dict.fromkeys(("code", "household_id", "atom_id"), "str")
        done.rosters[level.key] = table[code != ""].astype(texts).reset_index(drop=True)
        tables.append(facts)
        parent = code
    return Members(
        rosters=done.rosters, cell_table=pd.concat(tables), shapes=done.shapes, notes=done.notes
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lineage:
    """The cells that have codes so far (``level, name, parent``), to name cells after them."""

    scheme: Scheme
    table: pd.DataFrame
    district: str

    def names(
        self, level: Level, parents: pd.Series, places: list[object], codes: list[str]
    ) -> list[str]:
        """Return the names of new cells from the level's template."""
        unique, at = np.unique(parents.to_numpy(str), return_inverse=True)
        above: dict[str, TextArray] = {}
        for coarser in self.scheme.levels[: self.scheme.levels.index(level)]:
            column = self._names_at(coarser.key, unique)[at].astype(str)
            above |= dict.fromkeys((coarser.key, coarser.name, *coarser.aliases), column)
        return fill_names(
            level, places, codes, district=self.district, parents=self.own(parents), above=above
        )

    def own(self, codes: pd.Series) -> list[str]:
        """Return the name of each cell, "" where it has none."""
        names: list[str] = self.table["name"].reindex(codes.to_numpy(str)).fillna("").tolist()
        return names

    def _names_at(self, key: str, codes: TextColumn) -> TextColumn:
        """Return the name of the ancestor at a level, or of the cell itself; "" for none."""
        found = np.full(len(codes), "", dtype=object)
        here = codes.astype(object)
        for _ in self.scheme.levels:
            facts = self.table.reindex(here)
            hit = (facts["level"] == key).to_numpy()
            found[hit] = facts["name"].to_numpy(object)[hit]
            here = facts["parent"].fillna("").to_numpy(object)
        return found


def _groups(rows: _Rows, count: int | None, notes: list[str]) -> IntArray:
    """Return the group of each row inside its parent, from 0.

    A row without households (an empty dwelling) goes with a neighbour and is not counted.
    """
    lived = np.flatnonzero(rows.homes.households > 0)
    group = np.full(len(rows.top), -1, dtype=np.int64)
    if not len(lived):
        return group
    if rows.named:
        group[lived] = _named_groups(rows, lived, count, notes)
    else:
        group[lived] = _cut(rows, lived, rows.unit[lived], count, notes)
    return _with_empty(rows, group)


def _named_groups(rows: _Rows, lived: IntArray, count: int | None, notes: list[str]) -> IntArray:
    """One group a unit; rows in no unit are one group a parent, or as many as the number leaves."""
    unit = rows.unit[lived]
    pairs = np.unique(np.column_stack((rows.top[lived], unit)), axis=0)
    loose = np.flatnonzero(unit < 0)
    units = int((pairs[:, 1] >= 0).sum())
    if count is None or count <= len(pairs) or not len(loose):
        if count is not None and count > len(pairs):
            notes.append(
                f"level {rows.level.key} has only {len(pairs)} units that are lived in: {count} "
                f"cells cannot be made of them"
            )
            count = None
        whole = np.where(unit < 0, unit.max(initial=-1) + 1, unit)
        return _cut(rows, lived, whole, len(pairs) if count is None else count, notes, each=True)
    group = np.empty(len(lived), dtype=np.int64)
    inside = np.flatnonzero(unit >= 0)
    if len(inside):
        group[inside] = _cut(rows, lived[inside], unit[inside], units, notes, each=True)
    first = np.zeros(rows.parents, dtype=np.int64)
    np.maximum.at(first, rows.top[lived[inside]], group[inside] + 1)
    rest = _cut(rows, lived[loose], lived[loose], count - units, notes)
    group[loose] = first[rows.top[lived[loose]]] + rest
    return group


def _cut(
    rows: _Rows,
    lived: IntArray,
    unit: IntArray,
    count: int | None,
    notes: list[str],
    *,
    each: bool = False,
) -> IntArray:
    """Cut units, in a chain of neighbours, into groups of each parent.

    ``each`` says that a unit is a group unless their number is too great.
    """
    homes = rows.homes
    top = rows.top[lived]
    _, first, piece = np.unique(
        np.column_stack((top, unit)), axis=0, return_index=True, return_inverse=True
    )
    piece = piece.ravel()
    held = homes.households[lived].astype(np.float64)
    weight = np.bincount(piece, held).astype(np.float64)
    xy = np.column_stack([np.bincount(piece, held * homes.xy[lived, at]) / weight for at in (0, 1)])
    none = np.full(len(weight), -1, dtype=np.int64)
    nest = (none, none, none)
    if len(weight) == len(lived):
        at = lived[first]
        nest = (
            homes.numbers("building")[at],
            homes.numbers("entrance")[at],
            homes.numbers("floor")[at],
        )
    chain = chain_rows(top[first], xy, nest, first)
    mass = np.bincount(top, held, minlength=rows.parents).astype(np.float64)
    most = np.bincount(top[first], minlength=rows.parents)
    shares = most if each else band_shares(mass, rows.level.band, most=most)
    if (count is not None and shares.sum() != count) or (count is not None and not each):
        some = np.flatnonzero(most)
        shares = np.zeros(rows.parents, dtype=np.int64)
        shares[some] = share_count(
            mass[some], count, least=np.ones(len(some), dtype=np.int64), most=most[some],
            level=rows.level, notes=notes,
        )  # fmt: skip
    of_piece = np.empty(len(weight), dtype=np.int64)
    of_piece[chain.order] = _labels(chain, weight[chain.order], shares, rows.level)
    return of_piece[piece]


def _labels(chain: Chain, weight: FloatArray, shares: IntArray, level: Level) -> IntArray:
    size = np.bincount(chain.parent, minlength=len(shares))
    if (size == shares).all():
        return np.arange(len(chain.parent)) - (np.cumsum(size) - size)[chain.parent]
    return cut_chains(chain, weight, shares, level.band)


def _with_empty(rows: _Rows, group: IntArray) -> IntArray:
    """Give rows without households the group of the row next to them in their parent."""
    open_ = np.flatnonzero(group < 0)
    if not len(open_):
        return group
    known = np.flatnonzero(group >= 0)
    # The ids of a building's rows follow each other, so the next row is next door.
    order = np.argsort(rows.top[known], kind="stable")
    known = known[order]
    key = rows.top[known] * (len(group) + 1) + known
    at = np.searchsorted(key, rows.top[open_] * (len(group) + 1) + open_)
    at = np.clip(at, 0, len(known) - 1)
    same = rows.top[known[at]] == rows.top[open_]
    at = np.where(same, at, np.maximum(at - 1, 0))
    same = rows.top[known[at]] == rows.top[open_]
    found = group.copy()
    found[open_] = np.where(same, group[known[at]], -1)
    return found


def _coded(
    rows: _Rows,
    parent: TextColumn,
    group: IntArray,
    lineage: _Lineage,
    values: TextColumn | None,
) -> tuple[TextColumn, pd.DataFrame]:
    """Return the code of each row ("" in a cell without households), and the facts of cells.

    ``values`` are the units that cells are made of and named after.
    """
    level = rows.level
    table = pd.DataFrame({"parent": parent, "n": group + 1})
    cells = table[group >= 0].drop_duplicates().sort_values(["parent", "n"], ignore_index=True)
    width = max(level.code_width, len(str(int(cells["n"].max())))) if len(cells) else 1
    while True:
        codes = [
            f"{above}{n:0{width}d}" for above, n in zip(cells["parent"], cells["n"], strict=True)
        ]
        # A finer area level below the same parent may have these codes: then one digit more.
        if lineage.table.index.isin(codes).sum() == 0:
            break
        width += 1
    row = pd.MultiIndex.from_frame(cells[["parent", "n"]])
    at = row.get_indexer(pd.MultiIndex.from_frame(table))
    facts = pd.DataFrame(
        {
            "level": level.key,
            "name": _names(level, cells, codes, lineage, None if values is None else (values, at)),
            "kind": level.kinds[0],
            "parent": cells["parent"].astype(str).to_numpy(),
            "head": "",
        },
        index=pd.Index(codes, name="code"),
    )
    found = np.full(len(group), "", dtype=object)
    found[at >= 0] = np.array(codes, dtype=object)[at[at >= 0]]
    return found, facts


def _names(
    level: Level,
    cells: pd.DataFrame,
    codes: list[str],
    lineage: _Lineage,
    told: tuple[TextColumn, IntArray] | None,
) -> list[str]:
    """Return the names of cells: by their number, or by what those who live there call them."""
    places = cells["n"].tolist()
    if told is None:
        return lineage.names(level, cells["parent"], places, codes)
    above = lineage.own(cells["parent"])
    values, cell = told
    known = read_told(level, values, cell, above)
    made = lineage.names(level, cells["parent"], known.places(places), codes)
    return known.names(made, above)


def _unit_notes(rows: _Rows, below: str | None, values: TextColumn | None) -> list[str]:
    """Say where a level could not be made of its units, and where a unit is in two parents."""
    level = rows.level
    absent = missing_columns(level, rows.homes)
    if below is None and absent and values is None:
        text = (
            f"no column of the households says {', '.join(absent)}: level {level.key} "
            f"({level.name}) has one cell in each cell above where no number is asked for"
        )
        return [text]
    if not rows.named or values is None:
        return []
    pairs = pd.DataFrame({"unit": values, "top": rows.top})[rows.homes.households > 0]
    tops = pairs[pairs["unit"] != ""].drop_duplicates()["unit"].value_counts()
    torn = sorted(tops.index[tops > 1])
    if not torn:
        return []
    text = (
        f"{len(torn)} units of level {level.key} ({level.name}) have households in several cells "
        f"above and are a cell in each, first ones: {', '.join(torn[:_SHOWN])}"
    )
    return [text]


def _list_misfits(rows: _Rows, parent: TextColumn, code: TextColumn, notes: list[str]) -> None:
    """List the parents whose households could not be put in groups inside the band."""
    band = rows.level.band
    if band is None:
        return
    held = pd.Series(rows.homes.households).groupby(code).sum()
    wrong = [one for one, count in held.items() if count and count not in band]
    if wrong:
        above = pd.Series(parent, index=code).loc[pd.Index(wrong)]
        places = sorted(set(above.astype(str)))
        shown = ", ".join(places[:_SHOWN]) + (" …" if len(places) > _SHOWN else "")
        notes.append(
            f"{len(wrong)} of {len(held)} cells of level {rows.level.key} lie outside "
            f"{band.low or 0} to {band.high or 'any number of'} households, because "
            f"those of {len(places)} cells above cannot be divided so: {shown}"
        )
