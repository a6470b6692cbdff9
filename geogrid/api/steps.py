"""What can be undone and made again, read from the versions alone: a restart forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geogrid.edit import Locks
from geogrid.edit.change import Change
from geogrid.errors import EditError
from geogrid.store.audit import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.model.plan import GridPlan
    from geogrid.store import Store, Version, VersionDiff

__all__ = ["REDO", "UNDO", "Steps", "change_between", "locks_of", "set_locks", "steps_of"]

UNDO, REDO = "undo", "redo"
_LOCKED = "set locks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The steps of a branch.

    Attributes
    ----------
    done
        Versions that are in the plan, the latest last; the first one came in as a whole.
    undone
        Those that can be made again, the next one last.
    given_back
        Versions by which a step was undone.
    """

    done: tuple[Version, ...]
    undone: tuple[Version, ...]
    given_back: tuple[Version, ...]

    def to_undo(self, actor: str) -> Version:
        """Return the last step.

        Raises
        ------
        EditError
            If there is none, or somebody else made it.
        """
        if len(self.done) < 2:  # noqa: PLR2004 - the first came in as a whole
            msg = "there is nothing to undo: this is the plan as it came in (没有可撤销的操作)"
            raise EditError(msg)
        return _own(self.done[-1], actor)

    def to_redo(self, actor: str) -> Version:
        """Return the step that was undone last; raises as :meth:`to_undo`."""
        if not self.undone:
            msg = "there is nothing to redo: the last step was no undo (没有可重做的操作)"
            raise EditError(msg)
        return _own(self.undone[-1], actor)


def steps_of(versions: Iterable[Version]) -> Steps:
    """Read the steps of a branch from its versions, the latest first."""
    done: list[Version] = []
    undone: list[Version] = []
    given_back: list[Version] = []
    for one in reversed(list(versions)):
        verb = one.message.split(" ", 1)[0]
        if verb == UNDO:
            undone.append(done.pop())
            given_back.append(one)
        elif verb == REDO:
            done.append(undone.pop())
        else:
            done.append(one)
            undone.clear()
    return Steps(done=tuple(done), undone=tuple(undone), given_back=tuple(given_back))


def _own(step: Version, actor: str) -> Version:
    if step.author != actor:
        msg = "somebody else made this step: ask them, or edit it back (只能撤销自己的操作)"
        raise EditError(msg)
    return step


def locks_of(store: Store, plan_id: str) -> Locks:
    """Return what stays as it is in a plan: what was said last."""
    said = [one for one in store.audit.entries(subject=plan_id) if one.action == _LOCKED]
    return Locks.from_dict(said[-1].details) if said else Locks()


def set_locks(store: Store, plan_id: str, locks: Locks, *, actor: str) -> None:
    """Say what stays as it is in a plan; the sealed list of what was done keeps it."""
    database = store.database
    with database.writing() as connection:
        record(connection, database.now(), actor, _LOCKED, plan_id, locks.to_dict())


def change_between(before: GridPlan, after: GridPlan, diff: VersionDiff) -> Change:
    """Return which cells a step touched and reached, for locks and for whose area it is."""
    touched = {level: frozenset(one.codes) for level, one in diff.levels.items()}
    reached: dict[str, set[str]] = {level: set(codes) for level, codes in touched.items()}
    for plan in (before, after):
        table = plan.cell_table
        for codes in touched.values():
            for code in codes & frozenset(table.index):
                above = str(table.loc[code, "parent"])
                while above:
                    reached.setdefault(str(table.loc[above, "level"]), set()).add(above)
                    above = str(table.loc[above, "parent"])
    return Change(
        levels=(),
        touched=touched,
        reached={level: frozenset(codes) for level, codes in reached.items()},
    )
