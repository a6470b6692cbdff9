"""What can be undone and made again, read from the versions alone: a restart forgets nothing."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from geogrid.api.kept import Kept
from geogrid.edit import Locks, changed_lists
from geogrid.edit.change import Change
from geogrid.errors import EditError
from geogrid.store.audit import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.model.plan import GridPlan
    from geogrid.store import Step, Store, VersionDiff

__all__ = [
    "REDO",
    "UNDO",
    "StepBook",
    "Steps",
    "change_between",
    "locks_of",
    "set_locks",
    "top_codes",
]

UNDO, REDO = "undo", "redo"
# What a plan of thousands of versions takes here is a few hundred kilobytes.
_PLANS = 100
_LOCKED = "set locks"


class Steps:
    """The steps of a branch, read forward version by version.

    Attributes
    ----------
    done
        Versions that are in the plan, the latest last; the first one came in as a whole.
    undone
        Those that can be made again, the next one last.
    reserved
        Codes of cells that were made and undone: they are not given again.
    number
        Of the last version that was read; 0 before the first.
    """

    def __init__(self) -> None:
        self.done: list[Step] = []
        self.undone: list[Step] = []
        self.reserved: set[str] = set()
        self.number = 0

    def read(self, versions: Iterable[Step]) -> None:
        """Go on with the versions that came in since, the oldest first."""
        for one in versions:
            verb = one.message.split(" ", 1)[0]
            if verb == UNDO:
                self.undone.append(self.done.pop())
                self.reserved |= set(one.gone)
            elif verb == REDO:
                self.done.append(self.undone.pop())
            else:
                self.done.append(replace(one, gone=()))
                self.undone.clear()
            self.number = one.number

    def to_undo(self, actor: str) -> Step:
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

    def to_redo(self, actor: str) -> Step:
        """Return the step that was undone last; raises as :meth:`to_undo`."""
        if not self.undone:
            msg = "there is nothing to redo: the last step was no undo (没有可重做的操作)"
            raise EditError(msg)
        return _own(self.undone[-1], actor)

    def for_caller(self, actor: str) -> dict[str, bool]:
        """Tell whether somebody can undo the last step, and make the next one again."""
        return {
            "can_undo": len(self.done) > 1 and self.done[-1].author == actor,
            "can_redo": bool(self.undone) and self.undone[-1].author == actor,
        }


class StepBook:
    """The steps of many plans, kept as far as they were read.

    Versions are only ever added, so that what was read stays right whoever adds the next ones: a
    restart, or another process on the same store, reads on from the last one known.
    """

    def __init__(self, store: Store, branch: str) -> None:
        self._store, self._branch = store, branch
        self._lock = Lock()
        self._known: Kept[str, Steps] = Kept(_PLANS)

    def of(self, plan_id: str) -> Steps:
        """Return the steps of a plan with those that came in since they were asked for last."""
        with self._lock:
            known = self._known.get(plan_id) or Steps()
            known.read(self._store.steps(plan_id, self._branch, after=known.number))
            self._known.put(plan_id, known)
            return known


def _own(step: Step, actor: str) -> Step:
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


def top_codes(plan: GridPlan) -> set[str]:
    """Return the codes of the coarsest cells: whoever may act on all of them may on the plan."""
    return set(plan.labels[plan.scheme.area_levels[0].key])


def change_between(before: GridPlan, after: GridPlan, diff: VersionDiff) -> Change:
    """Return which cells a step touched and reached, for locks and for whose area it is."""
    touched = {level: frozenset(one.codes) for level, one in diff.levels.items()}
    touched |= changed_lists(before, after)
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
