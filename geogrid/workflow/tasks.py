"""What a job in the background does: a function of a store and of what was asked for.

Each can be done again after its process died: what is in the store already is found by the job's
identifier and not made twice.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geogrid.vocabulary import FileRole, JobKind
from geogrid.workflow._task import Cancelled, Task
from geogrid.workflow._task_circles import count_circles
from geogrid.workflow._task_divide import divide_project
from geogrid.workflow._task_import import import_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["TASKS", "Cancelled", "Task", "run_task"]

TASKS: Mapping[JobKind, Callable[[Task], Mapping[str, Any]]] = MappingProxyType({
    JobKind.DIVIDE: divide_project,
    JobKind.CIRCLES: count_circles,
    JobKind.IMPORT: import_file,
})  # fmt: skip


def run_task(task: Task) -> Mapping[str, Any]:
    """Do a job and return its result: ``plan``, ``version``, ``file`` and ``notes``.

    Raises
    ------
    GeogridError
        If it cannot be done, in a sentence for whoever asked for it.
    """
    for file in task.store.files.find(project_id=task.project_id, role=FileRole.SERVICE):
        # It is kept last: where it is, all is.
        if file.facts.get("job") == task.job.id:
            return task.result(file)
    return TASKS[JobKind(task.job.kind)](task)
