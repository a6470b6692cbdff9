"""Edit a plan: every command is a pure function from a plan to a new plan and what changed.

::

    from geogrid.edit import History, Locks, Merge, Paint, apply

    edit = apply(plan, Paint(level="wei", target="0102", atoms=("a17",)))
    edit.plan, edit.change, edit.certificate

How an edit is proven
---------------------
Let the cells of a level cover the limit exactly once, as the certificate of the plan says: their
directed edges sum to those of the limit (see :mod:`geogrid.coverage`). An edit changes some cells.
If the directed edges of these sum to the same before and after, in whole millimetres, all cells
still sum to the limit; and if each new polygon is valid, its edges wind once round its ground. So
the level still covers the limit exactly once, and only cells that changed were looked at. Where a
cut puts a node on the limit, the cells must change by exactly what the limit changes by.

The certificate is carried on the same way: counts, areas and edges by their differences, digests
by the bytes of the rings that changed. It is what a full check of the new plan says.
"""

from geogrid.edit._list_changes import changed_lists
from geogrid.edit.apply import apply
from geogrid.edit.change import CellChange, Change, Edit, LevelChange
from geogrid.edit.commands import (
    AssignKind,
    Command,
    Create,
    Merge,
    MoveRun,
    MoveVertex,
    Paint,
    Rename,
    SnapToStreets,
    Split,
    command_from_dict,
)
from geogrid.edit.history import History
from geogrid.edit.locks import Locks
from geogrid.edit.merge import merge_edits
from geogrid.edit.preview import live_counts

__all__ = [
    "AssignKind",
    "CellChange",
    "Change",
    "Command",
    "Create",
    "Edit",
    "History",
    "LevelChange",
    "Locks",
    "Merge",
    "MoveRun",
    "MoveVertex",
    "Paint",
    "Rename",
    "SnapToStreets",
    "Split",
    "apply",
    "changed_lists",
    "command_from_dict",
    "live_counts",
    "merge_edits",
]
