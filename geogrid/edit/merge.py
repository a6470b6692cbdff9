"""Two planners at once: edits of different cells are one plan, edits of the same a conflict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import shapely

from geogrid.edit._draft import Draft, NewCell
from geogrid.edit._finish import finish, proven
from geogrid.edit._merge_lists import MergedLists, SideLists
from geogrid.edit.change import Edit
from geogrid.errors import EditError, InputError
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from geogrid.edit._draft import Indices, Texts
    from geogrid.edit.locks import Locks
    from geogrid.model.plan import GridPlan

__all__ = ["merge_edits"]

Cell: TypeAlias = tuple[str, str]

_FACTS = ("name", "kind")


def merge_edits(
    base: GridPlan,
    left: GridPlan,
    right: GridPlan,
    *,
    locks: Locks | None = None,
    reserved: Iterable[str] = (),
) -> Edit:
    """Make one plan of two that were edited from the same one.

    A household is in the list that the side put it into which changed its list, else in the one
    that it was in.

    Parameters
    ----------
    base
        The plan that both started from.
    left, right
        What became of it. Codes that are new in ``left`` stay; a new cell of ``right`` gets the
        next code if its own was given in ``left`` too.
    locks
        What must stay as it is.
    reserved
        Codes that were used in versions that were undone: they are not given again.

    Returns
    -------
    Edit
        The merged plan, proven again, and what changed since ``base``.

    Raises
    ------
    EditError
        If both changed the same cell or list: ``cells`` names them, and nothing is merged.
    InputError
        If the plans are no edits of one plan.
    """
    for one in (left, right):
        _require_kin(base, one)
    sides = (_Side(base, left), _Side(base, right))
    both = sorted(sides[0].cells & sides[1].cells)
    if both:
        named = ", ".join(f"{code} ({level})" for level, code in both[:5])
        msg = (
            f"both edits changed the same cells: {named}: take one of them and make the other "
            f"again (两人都改了{'、'.join(code for _, code in both[:5])}：请载入新版本再改一次)"
        )
        raise EditError(msg, tuple(both))
    draft = Draft(proven(base))
    for number, side in enumerate(sides):
        side.put_into(draft, number)
    _require_one_limit(base, left, right, draft)
    plan, change = finish(
        draft,
        named={"merged": sorted((left.version, right.version))},
        reserved={*_retired(left, right), *reserved},
        allow_disconnected=True,
        settle_lists=MergedLists((sides[0].lists, sides[1].lists)),
    )
    if locks is not None:
        locks.require(change)
    return Edit(plan=plan, change=change)


def _retired(left: GridPlan, right: GridPlan) -> set[str]:
    """Return the codes that either side no longer uses.

    What the left side has stays, also where the right side made a cell of that code and gave it up.
    """
    mine, theirs = (
        set(one.code_history["code"][one.code_history["to_version"] != ""].astype(str))
        for one in (left, right)
    )
    return mine | (theirs - set(left.cell_table.index.astype(str)))


def _require_kin(base: GridPlan, one: GridPlan) -> None:
    if base.scheme != one.scheme or base.district.crs != one.district.crs:
        msg = "only edits of one plan can be merged: these have other levels or coordinates"
        raise InputError(msg)


def _require_one_limit(base: GridPlan, left: GridPlan, right: GridPlan, draft: Draft) -> None:
    """Put the nodes of both sides on the limit."""
    sides = [side.atoms.limit for side in (left, right) if side.atoms.limit != base.atoms.limit]
    if len(sides) == 1:
        draft.limit = sides[0]
    if len(sides) > 1:
        # The atoms together are the limit, vertex for vertex.
        draft.limit = as_multipolygon(shapely.coverage_union_all(draft.shapes))
    more = shapely.get_num_coordinates(draft.limit) - shapely.get_num_coordinates(base.atoms.limit)
    draft.limit_nodes = int(more)


@dataclass(frozen=True, slots=True, eq=False)
class _Atoms:
    """Rows of atoms in the base and in an edited plan."""

    kept: Indices
    at: Indices
    changed: npt.NDArray[np.bool_]
    new: Indices


class _Side:
    """What one edited plan changed."""

    def __init__(self, base: GridPlan, edited: GridPlan) -> None:
        self.base, self.edited = base, edited
        self.atoms = self._pair()
        self.facts = self._changed_facts()
        self.lists = SideLists(base, edited)
        self.cells = frozenset(self._cells() | self.lists.cells())

    def _pair(self) -> _Atoms:
        old, new = self.base.atoms.frame, self.edited.atoms.frame
        at = pd.Index(new["atom_id"]).get_indexer(pd.Index(old["atom_id"]))
        if (at < 0).any():
            msg = "only edits of one plan can be merged: an atom of the first plan is gone"
            raise InputError(msg)
        before, after = old.geometry.to_numpy(), new.geometry.to_numpy()[at]
        same = np.array([one is two for one, two in zip(before, after, strict=True)], dtype=bool)
        other = np.flatnonzero(~same)
        same[other] = shapely.equals_exact(before[other], after[other], tolerance=0.0)
        same &= old["households"].to_numpy() == new["households"].to_numpy()[at]
        more = np.setdiff1d(np.arange(len(new)), at)
        return _Atoms(np.arange(len(old)), at, ~same, more)

    def _labels(self, key: str) -> tuple[Texts, Texts]:
        return (
            self.base.labels[key].to_numpy(object),
            self.edited.labels[key].to_numpy(object),
        )

    def _changed_facts(self) -> dict[str, dict[str, str]]:
        codes = self.base.cell_table.index.intersection(self.edited.cell_table.index)
        old, new = (
            plan.cell_table.loc[codes, list(_FACTS)].to_numpy(object)
            for plan in (self.base, self.edited)
        )
        found = {}
        for row in np.flatnonzero((old != new).any(axis=1)).tolist():
            pairs = zip(_FACTS, old[row], new[row], strict=True)
            found[str(codes[row])] = {name: str(two) for name, one, two in pairs if one != two}
        return found

    def _cells(self) -> set[Cell]:
        """Return the cells that this side changed: owners and facts everywhere, ground below."""
        levels = self.base.scheme.area_levels
        found: set[Cell] = set()
        for level in levels:
            before, after = self._labels(level.key)
            now = after[self.atoms.at]
            changed = before != now
            if level is levels[-1]:
                changed |= self.atoms.changed
            codes = {*before[changed].tolist(), *now[changed].tolist()}
            if level is levels[-1]:
                codes |= set(after[self.atoms.new].tolist())
            found |= {(level.key, code) for code in codes if code in self.base.cell_table.index}
        table = self.base.cell_table["level"]
        return found | {(str(table[code]), code) for code in self.facts}

    def put_into(self, draft: Draft, number: int) -> None:
        """Make the changes of this side in a draft."""
        rows = self._rows_in(draft)
        frame = self.edited.atoms.frame
        people, shapes = frame["households"].to_numpy(np.int64), frame.geometry.to_numpy()
        at = self.atoms.at
        for row in np.flatnonzero(self.atoms.changed).tolist():
            draft.redraw(row, shapes[at[row]])
            draft.people[row] = people[at[row]]
        for level in draft.levels:
            before, after = self._labels(level.key)
            now = after[self.atoms.at]
            moved = np.flatnonzero(before != now).astype(np.int64)
            draft.assign(level.key, moved, self._tokens(draft, level.key, now[moved], number))
            codes = self._tokens(draft, level.key, after[self.atoms.new], number)
            draft.assign(level.key, rows, codes)
            gone = set(before.tolist()) - set(after.tolist())
            draft.may_vanish |= {(level.key, code) for code in gone}
        draft.facts |= self.facts

    def _rows_in(self, draft: Draft) -> Indices:
        """Add the pieces of atoms that this side cut; return their rows in the draft."""
        new = self.atoms.new
        if not len(new):
            return np.zeros(0, dtype=np.int64)
        frame = self.edited.atoms.frame
        shapes = frame.geometry.to_numpy()[new]
        inner = shapely.point_on_surface(shapes)
        base = draft.plan.atoms.frame.geometry.to_numpy()
        atom, piece = shapely.STRtree(inner).query(base, predicate="intersects")
        origin = np.full(len(new), -1, dtype=np.int64)
        origin[piece] = atom
        if (origin < 0).any():
            msg = "only edits of one plan can be merged: a piece lies in no atom of the first plan"
            raise InputError(msg)
        ids = frame["atom_id"].to_numpy(object)[new]
        return draft.add_atoms(ids, shapes, frame["households"].to_numpy(np.int64)[new], origin)

    def _tokens(self, draft: Draft, key: str, codes: Texts, number: int) -> Texts:
        """Return codes, with a token for each that is new on this side."""
        table = self.edited.cell_table
        found = codes.copy()
        known = self.base.cell_table.index
        for code in sorted(code for code in set(codes.tolist()) if code not in known):
            token = f"\0{key}\0{number}\0{code}"
            facts = table.loc[code]
            draft.fresh[token] = NewCell(
                key, name=str(facts["name"]), kind=str(facts["kind"]), head=str(facts["head"]),
                code=code,
            )  # fmt: skip
            found[codes == code] = token
        return found
