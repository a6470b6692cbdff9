"""Undo and redo: every version of a plan is kept, so that it comes back to the bit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from geogrid.edit.apply import apply
from geogrid.edit.locks import Locks
from geogrid.errors import EditError

if TYPE_CHECKING:
    import geopandas as gpd

    from geogrid.edit.change import Edit
    from geogrid.edit.commands import Command
    from geogrid.model.plan import GridPlan

__all__ = ["History"]

# Older plans lose what can be derived again, so that a long day of edits fits into memory.
_WARM = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """A plan and all edits that led to it; immutable: every step gives a new history.

    Plans share what an edit did not change, so that a version costs little.

    Attributes
    ----------
    start
        The plan before the first edit.
    done, undone
        Edits in the order in which they were made, and those that can be made again, the next one
        first.
    locks
        What stays as it is, for edits as for undo and redo.
    used
        Codes of all versions ever made: none is given again, though its version was undone.
    """

    start: GridPlan
    done: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()
    locks: Locks = field(default_factory=Locks)
    used: frozenset[str] = frozenset()

    @property
    def plan(self) -> GridPlan:
        """The plan as it is now."""
        return self.done[-1].plan if self.done else self.start

    @property
    def last(self) -> Edit | None:
        """The edit that led to the plan, ``None`` at the start."""
        return self.done[-1] if self.done else None

    def apply(self, command: Command, *, households: gpd.GeoDataFrame | None = None) -> History:
        """Return the history with one more edit; what was undone cannot be made again then.

        Raises
        ------
        EditError
            If the command is refused; see :func:`geogrid.edit.apply`.
        """
        edit = apply(
            self.plan, command, households=households, locks=self.locks, reserved=self.used
        )
        if edit.change.is_empty:
            return self
        new = {code for level in edit.change.levels for code in level.new}
        done = (*self.done, edit)
        if len(done) > _WARM:
            old = done[-_WARM - 1]
            cold = replace(old, plan=replace(old.plan))
            done = (*done[: -_WARM - 1], cold, *done[-_WARM:])
        return replace(self, done=done, undone=(), used=self.used | new)

    def undo(self) -> History:
        """Return the history before its last edit.

        Raises
        ------
        EditError
            If there is none, or it touches what is locked now.
        """
        if not self.done:
            msg = "there is nothing to undo: this is the plan as it was opened (没有可撤销的操作)"
            raise EditError(msg)
        self.locks.require(self.done[-1].change)
        return replace(self, done=self.done[:-1], undone=(self.done[-1], *self.undone))

    def redo(self) -> History:
        """Return the history with the last undone edit made again.

        Raises
        ------
        EditError
            If there is none, or it touches what is locked now.
        """
        if not self.undone:
            msg = "there is nothing to redo: the last step was no undo (没有可重做的操作)"
            raise EditError(msg)
        self.locks.require(self.undone[0].change)
        return replace(self, done=(*self.done, self.undone[0]), undone=self.undone[1:])

    def with_locks(self, locks: Locks) -> History:
        """Return the history under other locks."""
        return replace(self, locks=locks)
