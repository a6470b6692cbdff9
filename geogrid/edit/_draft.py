"""An edit in the making: atoms and labels as arrays, before codes, polygons and proofs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.edit._ground import Wire
from geogrid.errors import EditError, InputError
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from shapely.geometry import MultiPolygon
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["Draft", "NewCell", "listed", "members_name", "members_of"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

_SHOWN = 5


def listed(codes: Iterable[str]) -> str:
    """Return the first of some codes as text."""
    every = list(codes)
    return ", ".join(every[:_SHOWN]) + (", …" if len(every) > _SHOWN else "")


@dataclass(slots=True)
class NewCell:
    """A cell without a code yet; ``code`` is the one it should get if nobody has it."""

    level: str
    name: str = ""
    kind: str = ""
    head: str = ""
    code: str = ""


class Draft:
    """One edit of a plan, as arrays that may be changed.

    Attributes
    ----------
    ids, shapes, people, origin
        Of each atom: id, polygon in metres, households, and its row in the plan, or that of the
        atom it was cut from. New atoms come last.
    labels
        By key of each area level, the cell of each atom. A new cell has a token for a code.
    redrawn
        Rows whose polygon is not that of the plan.
    fresh
        By token, the new cells.
    facts
        By code, new values of ``name`` or ``kind``.
    may_vanish
        Level and code of cells that may lose all their atoms.
    placed
        By id of a household, the atom that its point is in now.
    exact
        Nodes that were put exactly on straight edges, which changes no outline.
    lists
        By key of a level that lists households, the list of each row, where a command changed it.
    listed_on
        Atoms of the households whose lists a command changed.
    """

    def __init__(self, plan: GridPlan, households: gpd.GeoDataFrame | None = None) -> None:
        frame = plan.atoms.frame
        self.plan = plan
        self.households = households
        self.ids: Texts = frame["atom_id"].to_numpy(object)
        self.shapes: Texts = frame.geometry.to_numpy().copy()
        self.people: Indices = frame["households"].to_numpy(np.int64).copy()
        self.origin: Indices = np.arange(len(frame), dtype=np.int64)
        self.levels = plan.scheme.area_levels
        self.labels: dict[str, Texts] = {
            level.key: plan.labels[level.key].to_numpy(object).copy() for level in self.levels
        }
        self.limit: MultiPolygon = plan.atoms.limit
        self.base = {level.key: plan.labels[level.key].to_numpy(object) for level in self.levels}
        self._written: dict[str, list[Indices]] = {level.key: [] for level in self.levels}
        self._used_ids: set[str] = set()
        self.redrawn: set[int] = set()
        self.cut: set[int] = set()
        self.fresh: dict[str, NewCell] = {}
        self.facts: dict[str, dict[str, str]] = {}
        self.may_vanish: set[tuple[str, str]] = set()
        self.estimated = 0
        self.limit_nodes = 0
        self.notes: list[str] = []
        self.placed: dict[str, str] = {}
        self.exact = Wire()
        self.lists: dict[str, Texts] = {}
        self.listed_on: Indices = _NONE

    @cached_property
    def _columns(self) -> dict[str, Texts]:
        table = self.plan.cell_table
        return {str(name): table[name].to_numpy(object) for name in table.columns}

    def fact(self, code: str, column: str) -> str:
        """Return what the plan's cell table says of a cell; of a new one only its kind."""
        if code in self.fresh:
            return self.fresh[code].kind if column == "kind" else ""
        at = self.plan.cell_table.index.get_loc(code)
        return str(self._columns[column][at])

    def area_level(self, name: str) -> Level:
        """Return an area level by key, name or alias."""
        level = self.plan.scheme.level(name)
        if level.contract is not Contract.AREA:
            msg = (
                f"level {level.key} ({level.name}) has no areas to edit: name an area level "
                f"({level.name}没有地理边界：请选有边界的层级)"
            )
            raise InputError(msg)
        return level

    def coarser(self, level: Level) -> tuple[Level, ...]:
        """Return the area levels above, coarse to fine."""
        return self.levels[: self.levels.index(level)]

    def finer(self, level: Level) -> tuple[Level, ...]:
        """Return the area levels below, coarse to fine."""
        return self.levels[self.levels.index(level) + 1 :]

    def rows_of(self, level: Level, code: str) -> Indices:
        """Return the atoms of a cell.

        Raises
        ------
        EditError
            If there is no such cell at this level.
        """
        rows = self.rows_in(level.key, code)
        if not len(rows):
            msg = (
                f"there is no cell {code} at level {level.key} ({level.name}): check the code "
                f"({level.name}中没有{code}：它可能已被合并，请重新选择)"
            )
            raise EditError(msg, ((level.key, code),))
        return rows

    def rows_in(self, key: str, code: str) -> Indices:
        """Return the atoms of a cell, none where there is no such cell."""
        held = members_of(self.plan, key).get(code, _NONE)
        written = self.written(key)
        is_here = self.labels[key][written] == code
        is_old = written < len(self.base[key])
        was_here = np.zeros(len(written), dtype=np.bool_)
        was_here[is_old] = self.base[key][written[is_old]] == code
        left, more = written[was_here & ~is_here], written[is_here & ~was_here]
        if len(left):
            held = held[~np.isin(held, left)]
        # Both are sorted, and large cells are asked for often.
        return np.insert(held, np.searchsorted(held, more), more) if len(more) else held

    def written(self, key: str) -> Indices:
        """Return the atoms whose cell of a level was written, each once."""
        parts = self._written[key]
        if len(parts) > 1:
            self._written[key] = parts = [np.unique(np.concatenate(parts))]
        return parts[0] if parts else _NONE

    def moved(self, key: str) -> Indices:
        """Return the atoms that are in another cell of a level than in the plan."""
        rows = self.written(key)
        moved: Indices = rows[self.labels[key][rows] != self.base[key][self.origin[rows]]]
        return moved

    def assign(self, key: str, rows: Indices, codes: Texts | str) -> None:
        """Put atoms into cells of a level."""
        self.labels[key][rows] = codes
        self._written[key].append(np.unique(rows))

    def rows_of_atoms(self, ids: Iterable[str]) -> Indices:
        """Return the rows of atoms by their ids."""
        wanted = list(ids)
        place = {one: at for at, one in enumerate(self.ids.tolist())} if wanted else {}
        missing = [one for one in wanted if one not in place]
        if missing:
            msg = (
                f"there are no atoms {listed(missing)} in this plan: check the ids "
                f"(有的地块已变动：请重新选择)"
            )
            raise EditError(msg)
        return np.array([place[one] for one in wanted], dtype=np.int64)

    def new_cell(self, level: Level, *, name: str = "", kind: str = "") -> str:
        """Return a token for a new cell."""
        # No code has such a sign in it.
        token = f"\0{level.key}\0{len(self.fresh)}"
        self.fresh[token] = NewCell(level.key, name, kind)
        return token

    def near(self, xy: Iterable[tuple[int, int]], margin_mm: int = 1_000) -> Indices:
        """Return the atoms whose bounds meet those of points in whole millimetres."""
        places = np.array(list(xy), dtype=np.float64) / 1000
        margin = margin_mm / 1000
        low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
        box = shapely.bounds(self.shapes)
        meets = (box[:, 0] <= high[0]) & (box[:, 1] <= high[1])
        meets &= (box[:, 2] >= low[0]) & (box[:, 3] >= low[1])
        return np.flatnonzero(meets).astype(np.int64)

    def redraw(self, row: int, shape: BaseGeometry) -> None:
        """Give an atom another polygon."""
        self.shapes[row] = shape
        self.redrawn.add(row)

    def add_pieces(self, row: int, pieces: list[BaseGeometry]) -> list[int]:
        """Put the pieces of an atom in its place; return their rows, in the same order.

        The largest piece keeps the id and, until points say more, the households.
        """
        order = sorted(range(len(pieces)), key=lambda at: (-pieces[at].area, pieces[at].bounds))
        used = self._used_ids = self._used_ids or set(self.ids.tolist())
        stem, number = str(self.ids[row]), 2
        rows = [0] * len(pieces)
        rows[order[0]] = row
        self.redraw(row, pieces[order[0]])
        self.cut.add(row)
        more, first = order[1:], len(self.ids)
        names = []
        for at, piece in enumerate(more):
            while f"{stem}-{number}" in used:
                number += 1
            names.append(f"{stem}-{number}")
            used.add(names[-1])
            rows[piece] = first + at
            self.redrawn.add(first + at)
        new = np.empty(len(more), dtype=object)
        new[:] = [pieces[at] for at in more]
        self.ids = np.append(self.ids, np.array(names, dtype=object))
        self.shapes = np.append(self.shapes, new)
        self.people = np.append(self.people, np.zeros(len(more), dtype=np.int64))
        self.origin = np.append(self.origin, np.full(len(more), self.origin[row]))
        new_rows = np.arange(first, first + len(more), dtype=np.int64)
        for key, column in self.labels.items():
            self.labels[key] = np.append(column, np.full(len(more), column[row], dtype=object))
            self._written[key].append(new_rows)
        return rows

    def changed_rows(self, key: str) -> Indices:
        """Return the atoms that another cell of a level holds, or whose polygon is another."""
        return np.union1d(self.moved(key), np.array(sorted(self.redrawn), dtype=np.int64))

    def add_atoms(self, ids: Texts, shapes: Texts, people: Indices, origin: Indices) -> Indices:
        """Add pieces of atoms that were cut elsewhere; return their rows."""
        first = len(self.ids)
        rows = np.arange(first, first + len(ids), dtype=np.int64)
        self.ids, self.shapes = np.append(self.ids, ids), np.append(self.shapes, shapes)
        self.people, self.origin = np.append(self.people, people), np.append(self.origin, origin)
        for key, column in self.labels.items():
            self.labels[key] = np.append(column, column[origin])
            self._written[key].append(rows)
        self.redrawn |= set(rows.tolist())
        self.cut |= set(origin.tolist())
        return rows


_NONE: Indices = np.zeros(0, dtype=np.int64)


def members_of(plan: GridPlan, key: str) -> dict[str, Indices]:
    """Return the atoms of each cell of a level, found out once a plan."""
    kept = plan.recalled(members_name(key))
    if isinstance(kept, dict):
        return kept
    number, codes = pd.factorize(plan.labels[key].to_numpy(object))
    order = np.argsort(number, kind="stable").astype(np.int64)
    cuts = np.cumsum(np.bincount(number))[:-1]
    found = dict(zip(codes.tolist(), np.split(order, cuts), strict=True))
    plan.keep(members_name(key), found)
    return found


def members_name(key: str) -> str:
    """Return the name under which a plan keeps the atoms of its cells."""
    return f"members:{key}"
