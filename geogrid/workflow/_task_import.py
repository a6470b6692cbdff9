"""A plan file that was uploaded becomes a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geogrid.errors import InputError
from geogrid.vocabulary import FileRole
from geogrid.workflow._task import Beside
from geogrid.workflow.audit import open_plan

if TYPE_CHECKING:
    from geogrid.workflow._task import Task

__all__ = ["import_file"]


def import_file(task: Task) -> dict[str, Any]:
    """Read the plan file ``file`` and put it into the project as a plan called ``name``."""
    task.tell(0.05, "读取 reading")
    known = task.file("file")
    if known is None or known.role is not FileRole.PLAN:
        msg = "the file is no plan file: upload one as a plan (请先上传方案文件)"
        raise InputError(msg)
    path = task.laid_out(known)
    plan = open_plan(path)
    task.tell(0.4, "校验并入库 proof")
    return task.keep_plan(plan, [Beside(FileRole.SERVICE, path, {"notes": list(plan.notes)})])
