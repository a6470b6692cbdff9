"""Routes of files that planners upload: read in a locked process, and kept as plain data."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from geogrid.accounts.roles import Action
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.intake import Taken, taken_in
from geogrid.api.problems import TooManyError
from geogrid.api.security import CallerIs, requires
from geogrid.errors import InputError, NotStoredError, StateError
from geogrid.io.guarded import UploadLimits
from geogrid.vocabulary import FileRole, JobState
from geogrid.workflow.keeping import GPKG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from geogrid.api.desk import Desk
    from geogrid.store import StoredFile

__all__ = ["SLOTS", "router"]

router = APIRouter(prefix="/api/v1")

_AT_ONCE = 2
_WAIT_S = 10
# Whoever sends slower than this keeps others out.
_LONGEST_S = 600
# How many rows of a file's faults are told.
_MOST_NOTES = 50

Role = Literal["households", "stations", "limit", "plan"]
Datum = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
# Places for those whose file is being read.
SLOTS = BoundedSemaphore(_AT_ONCE)


@router.post(
    "/projects/{project}/files", summary="上传文件", status_code=201,
    dependencies=[requires(Action.IMPORT_DATA)],
)  # fmt: skip
async def upload(
    request: Request, desk: DeskIs, caller: CallerIs, project: str, role: Role,
    name: Annotated[str, Query(min_length=1, max_length=200, description="文件名")],
    datum: Annotated[Datum | None, Query(description="Datum of the coordinates, 坐标系")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Take a file in: the body as it is. What cannot be used is refused with its reason."""
    caller.require(Action.IMPORT_DATA)
    await run_in_threadpool(_require_project, desk, project)
    if not SLOTS.acquire(blocking=False):
        msg = "others are uploading: try again in a moment (上传繁忙，请稍后再试)"
        raise TooManyError(msg, _WAIT_S)
    try:
        async with _received(request) as path:
            kept = await run_in_threadpool(
                _kept, desk, caller.actor, project, FileRole(role), (path, name, datum)
            )
    finally:
        SLOTS.release()
    return await run_in_threadpool(_told, desk, kept)


@router.get(
    "/projects/{project}/files", summary="文件列表", dependencies=[requires(Action.IMPORT_DATA)]
)
def files(desk: DeskIs, caller: CallerIs, project: str) -> list[dict[str, Any]]:
    """Return the files of a project that jobs can use, without what is in them."""
    caller.require(Action.IMPORT_DATA)
    _require_project(desk, project)
    return [_told(desk, one) for one in desk.store.files.find(project_id=project, plan_id="")]


@router.delete(
    "/files/{file}", summary="删除文件", status_code=204,
    dependencies=[requires(Action.IMPORT_DATA)],
)  # fmt: skip
def remove(desk: DeskIs, caller: CallerIs, file: str) -> Response:
    """Forget an uploaded file; what was made from it stays."""
    caller.require(Action.IMPORT_DATA)
    known = desk.store.files.get(file)
    if known.plan_id:
        msg = f"file {file} belongs to a plan and stays with it (文件属于方案，不能删除)"
        raise StateError(msg)
    for job in desk.store.jobs.find(states=(JobState.QUEUED, JobState.RUNNING)):
        if file in job.input.values():
            msg = f"job {job.id} needs this file: cancel it first, or wait (文件正被任务使用)"
            raise StateError(msg)
    desk.store.files.remove(file, actor=caller.actor)
    return Response(status_code=204)


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[Path]:
    """Write the body to a file as it comes; whoever counts its bytes stands before this."""
    with tempfile.TemporaryDirectory(prefix="geogrid-received-") as folder:
        path = Path(folder) / "upload.bin"
        with path.open("wb") as handle:
            try:
                async with asyncio.timeout(_LONGEST_S):
                    async for piece in request.stream():
                        await run_in_threadpool(handle.write, piece)
            except TimeoutError as fault:
                msg = "the file came too slowly: try again with a better line (上传超时)"
                raise InputError(msg) from fault
        yield path


def _kept(
    desk: Desk, actor: str, project: str, role: FileRole, given: tuple[Path, str, str | None]
) -> StoredFile:
    path, name, datum = given
    crs = _crs_of(desk, project)
    limits = UploadLimits(file_bytes=desk.settings.most_upload_bytes)
    taken: Taken = taken_in(path, name, role, datum=datum, crs=crs, limits=limits)
    return desk.store.files.add(
        taken.content, role=role, name=taken.name, media=GPKG, actor=actor,
        project_id=project, facts=taken.facts,
    )  # fmt: skip


def _crs_of(desk: Desk, project: str) -> Any:  # noqa: ANN401 - a system of pyproj
    """Return the metres in which a project's tables may be; ``None`` before its first plan."""
    for one in desk.store.plans(project):
        if head := desk.head(one.id):
            return desk.store.read(head).district.crs
    return None


def _require_project(desk: Desk, project: str) -> None:
    if all(one.id != project for one in desk.store.projects()):
        msg = f"the store holds no project {project!r}: look at the list of what it holds"
        raise NotStoredError(msg)


def _told(desk: Desk, file: StoredFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "role": file.role,
        "role_zh": file.role.label_zh,
        "name": file.name,
        "size": file.size,
        "rows": file.facts.get("rows"),
        "notes": list(file.facts.get("notes", ()))[:_MOST_NOTES],
        "created_at": file.created_at,
        "owner_name": desk.name_of(file.owner),
    }
