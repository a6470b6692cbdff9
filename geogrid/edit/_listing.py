"""Edits of lists of households: who is in which list, and what a list is called.

A list lies in one cell of the finest area level above it. So such an edit moves no ground, and what
is official above stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.edit._draft import listed
from geogrid.edit._rosters import alike
from geogrid.edit.commands import AssignKind, Create, Merge, Paint, Rename, Split
from geogrid.errors import EditError
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from geogrid.edit._draft import Draft, Flags, Indices, Texts
    from geogrid.edit.commands import Command
    from geogrid.model.scheme import Level

__all__ = ["edit_lists"]

_LEAST = 2


def edit_lists(draft: Draft, command: Command) -> bool:
    """Do a command at a level that lists households; tell whether it was one.

    Raises
    ------
    EditError
        If it names what is not there, leaves a list empty, or takes households out of the cell
        that their list lies in: it names that cell.
    """
    if not isinstance(command, Paint | Create | Split | Merge | AssignKind | Rename):
        return False
    level = draft.plan.scheme.level(command.level)
    if level.contract is Contract.AREA:
        _require_no_households(level, command)
        return False
    if level.key not in draft.plan.rosters:
        return False
    lists = _Lists(draft, level)
    match command:
        case Rename() | AssignKind():
            lists.say(command)
        case Paint():
            rows = lists.rows_of(command.target)
            lists.put(lists.chosen(command), command.target, like=rows, command=command)
        case Merge():
            lists.merge(command)
        case Create():
            lists.create(command)
        case Split():
            msg = (
                f"level {level.key} ({level.name}) lists households and has no ground that a line "
                f"could cut: choose households or atoms and make a new list of them "
                f"({level.name}是住户名册，不能用线拆分：请选住户或地块后新建)"
            )
            raise EditError(msg, ((level.key, command.cell),))
    return True


def _require_no_households(level: Level, command: Command) -> None:
    if getattr(command, "households", ()):
        msg = (
            f"level {level.key} ({level.name}) is divided by ground: name atoms, not households "
            f"({level.name}按地块划分：请选地块，不要选住户)"
        )
        raise EditError(msg)


class _Lists:
    """The lists of one level, and those above and below it."""

    def __init__(self, draft: Draft, level: Level) -> None:
        self.draft, self.level = draft, level
        every = [one for one in draft.plan.scheme.levels if one.key in draft.plan.rosters]
        levels = list(draft.plan.scheme.levels)
        areas = [one for one in levels[: levels.index(level)] if one.contract is Contract.AREA]
        self.area = areas[-1]
        held = every.index(level)
        first = levels.index(self.area)
        self.upper = [one for one in every[:held] if levels.index(one) > first]
        self.lower = every[held + 1 : held + 2]
        self.members = draft.plan.rosters[level.key]
        self.code: Texts = self.members["code"].to_numpy(object)
        labels = draft.plan.labels
        self.atom: Indices = labels.index.get_indexer(pd.Index(self.members["atom_id"]))
        self.place: Texts = labels[self.area.key].to_numpy(object)[self.atom]

    def rows_of(self, code: str) -> Indices:
        """Return the households of a list."""
        rows = np.flatnonzero(self.code == code).astype(np.int64)
        if not len(rows):
            level = self.level
            msg = (
                f"there is no list {code} at level {level.key} ({level.name}): check the code "
                f"({level.name}中没有{code}：它可能已被合并，请重新选择)"
            )
            raise EditError(msg, ((level.key, code),))
        return rows

    def say(self, command: Rename | AssignKind) -> None:
        """Give a list another name or kind."""
        level, code = self.level, command.cell
        rows = self.rows_of(code)
        if level.locked:
            msg = (
                f"level {level.key} ({level.name}) is official: list {code} stays as it was given "
                f"({level.name}为行政层级，{code}不可改名或改类型)"
            )
            raise EditError(msg, ((level.key, code),))
        name = command.name.strip() if isinstance(command, Rename) else ""
        if isinstance(command, Rename) and not name:
            msg = f"list {code} needs a name: the new one is empty (名称不能为空)"
            raise EditError(msg, ((level.key, code),))
        if isinstance(command, AssignKind):
            _require_kind(level, command.kind)
            told = {"kind": command.kind}
        else:
            told = {"name": name}
        fact = self.draft.plan.cell_table.loc[code]
        if any(fact[key] != value for key, value in told.items()):
            self.draft.facts[code] = told
            self._touch(rows)

    def merge(self, command: Merge) -> None:
        """Make one list of several."""
        if len(command.cells) < _LEAST:
            msg = (
                "merging takes at least two different lists of one level: name them "
                "(合并至少要选两个同级名册)"
            )
            raise EditError(msg)
        rows = {code: self.rows_of(code) for code in command.cells}
        people = self.members["households"].to_numpy()
        into = command.into or max(rows, key=lambda one: (int(people[rows[one]].sum()), one))
        if into not in rows:
            msg = (
                f"list {into} is not among those to merge: merge into one of {listed(rows)} "
                f"({into}不在要合并的名册之中：请从{listed(rows)}中选一个保留)"
            )
            raise EditError(msg, ((self.level.key, into),))
        gone = [code for code in rows if code != into]
        self.draft.may_vanish |= {(self.level.key, code) for code in gone}
        taken = np.concatenate([rows[code] for code in gone])
        self.put(taken, into, like=rows[into], command=command)

    def create(self, command: Create) -> None:
        """Make a new list."""
        rows = self.chosen(command)
        if command.kind:
            _require_kind(self.level, command.kind)
        parents = self._parents()
        if command.parent:
            like = np.flatnonzero(parents == command.parent).astype(np.int64)
            if not len(like):
                msg = (
                    f"there is no {command.parent} above level {self.level.key} "
                    f"({self.level.name}): check the code ({command.parent}不存在：请重新选择)"
                )
                raise EditError(msg)
        else:
            there, group = np.unique(parents[rows].astype(str), return_inverse=True)
            held = np.bincount(group, minlength=len(there))
            like = rows[group == int(held.argmax())]
        token = self.draft.new_cell(self.level, name=command.name.strip(), kind=command.kind)
        self.put(rows, token, like=like, command=command)

    def chosen(self, command: Paint | Create) -> Indices:
        """Return the households that a command names."""
        picked = self._named("household_id", command.households, "households", "住户")
        picked = picked | self._on_atoms(command.atoms)
        if command.cells:
            picked = picked | self._in_finer(command.cells)
        if not picked.any():
            msg = "name at least one household, atom or list: none was chosen (没有选中任何住户)"
            raise EditError(msg)
        return np.flatnonzero(picked).astype(np.int64)

    def _named(self, column: str, ids: tuple[str, ...], what: str, what_zh: str) -> Flags:
        held = self.members[column].to_numpy(object)
        missing = sorted(set(ids) - set(held.tolist())) if ids else []
        if missing:
            msg = (
                f"level {self.level.key} ({self.level.name}) lists no {what} {listed(missing)}: "
                f"check the ids (名册中没有这些{what_zh}：请重新选择)"
            )
            raise EditError(msg)
        found: Flags = pd.Series(held).isin(ids).to_numpy(np.bool_)
        return found

    def _on_atoms(self, ids: tuple[str, ...]) -> Flags:
        found: Flags = np.isin(self.atom, self.draft.rows_of_atoms(ids))
        return found

    def _in_finer(self, codes: tuple[str, ...]) -> Flags:
        if not self.lower:
            msg = (
                f"level {self.level.key} ({self.level.name}) is the finest: name households or "
                f"atoms, not lists ({self.level.name}已是最细层级：请选住户或地块)"
            )
            raise EditError(msg)
        finer = _Lists(self.draft, self.lower[0])
        rows = np.concatenate([finer.rows_of(code) for code in codes])
        ids = finer.members["household_id"].to_numpy(object)[rows]
        return self._named("household_id", tuple(ids.tolist()), "households", "住户")

    def put(
        self, rows: Indices, code: str, *, like: Indices, command: Paint | Create | Merge
    ) -> None:
        """Give households to a list, and to the lists above it.

        Parameters
        ----------
        like
            Households that lie where the list does.
        """
        self._require_place(rows, str(self.place[like[0]]), code)
        moved = rows[self.code[rows] != code]
        if not len(moved):
            return
        for upper in self.upper:
            self._put_above(upper, moved, like, command)
        column = self.code.copy()
        column[moved] = code
        self._require_full(self.level, self.code, column)
        self.draft.lists[self.level.key] = column
        self._touch(np.union1d(moved, like))

    def _put_above(
        self, upper: Level, rows: Indices, like: Indices, command: Paint | Create | Merge
    ) -> None:
        above = self.draft.plan.rosters[upper.key]
        at = alike(above, self.members)
        if at is None:
            return
        held: Texts = above["code"].to_numpy(object)
        code = str(held[at[like[0]]])
        others = at[rows][held[at[rows]] != code]
        if not len(others):
            return
        cells = sorted({code, *held[others].tolist()})
        if command.within_parent:
            msg = (
                f"this would move households between {listed(cells)} of level {upper.key} "
                f"({upper.name}), and was to stay within the parent: leave those out "
                f"(会改变{listed(cells)}的住户归属：请不要跨上级划入)"
            )
            raise EditError(msg, tuple((upper.key, one) for one in cells))
        column = held.copy()
        column[others] = code
        self._require_full(upper, held, column)
        self.draft.lists[upper.key] = column

    def _require_place(self, rows: Indices, home: str, code: str) -> None:
        """Refuse households that live outside the cell that the list lies in."""
        outside = sorted({one for one in self.place[rows].tolist() if one != home})
        if not outside:
            return
        area = self.area
        name = "the new list" if code in self.draft.fresh else code
        is_what = "is official" if area.locked else "is divided by ground"
        kept_zh = "为行政层级" if area.locked else "按地块划分"
        msg = (
            f"level {area.key} ({area.name}) {is_what}: {name} lies in {home}, and households of "
            f"{listed(outside)} stay there: leave them out "
            f"({area.name}{kept_zh}，不能把{listed(outside)}的住户划入{home}：请只选{home}之内的)"
        )
        raise EditError(msg, tuple((area.key, one) for one in (home, *outside)))

    def _require_full(self, level: Level, before: Texts, after: Texts) -> None:
        gone = sorted(set(before.tolist()) - set(after.tolist()))
        empty = [one for one in gone if (level.key, one) not in self.draft.may_vanish]
        if empty:
            msg = (
                f"{listed(empty)} of level {level.key} ({level.name}) would be left without a "
                f"household: merge it into another list instead "
                f"({listed(empty)}将没有住户：请改用合并)"
            )
            raise EditError(msg, tuple((level.key, one) for one in empty))

    def _parents(self) -> Texts:
        parents: Texts = self.draft.plan.cell_table["parent"].reindex(self.code).to_numpy(object)
        return parents

    def _touch(self, rows: Indices) -> None:
        self.draft.listed_on = np.union1d(self.draft.listed_on, self.atom[rows])


def _require_kind(level: Level, kind: str) -> None:
    if kind not in level.kinds:
        known = ", ".join(level.kinds)
        msg = (
            f"level {level.key} ({level.name}) has no kind {kind}: use one of {known} "
            f"({level.name}没有“{kind}”这种类型：可选{'、'.join(level.kinds)})"
        )
        raise EditError(msg)
