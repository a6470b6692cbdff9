"""Routes of work in the background: dividing, service circles, importing, and how far it is."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from geogrid import schemes
from geogrid.accounts.roles import Action
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.problems import TooManyError
from geogrid.api.security import Caller, CallerIs, DoorIs, requires
from geogrid.api.steps import top_codes
from geogrid.errors import InputError, NotStoredError, StoreError
from geogrid.vocabulary import FileRole, JobKind, JobState
from geogrid.workflow.keeping import newest, plan_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from geogrid.api.desk import Desk
    from geogrid.api.runner import Runner
    from geogrid.store import Job

__all__ = ["MOST_STREAMS", "STREAMS", "counted", "router"]

router = APIRouter(prefix="/api/v1")

_MOST_WAITING = 5
_MOST_LISTED = 200
_PAGE = 50
_WAIT_S = 30
_LOOK_S = 0.5
_COMMENT_S = 15.0
# So soon after a sign-out, or a key that was revoked, nobody watches any more.
_CHECK_S = 2.0
# Each looks at the store twice a second, as long as it is open.
MOST_STREAMS = 20
_EVENTS = "text/event-stream"

# How many streams each has open.
STREAMS: Counter[str] = Counter()

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Key = Annotated[str, Field(max_length=64)]
Minutes = Annotated[float, Field(gt=0, le=60)]
Limit = Annotated[int, Query(ge=1, le=_MOST_LISTED, description="At most so many, 条数")]
Before = Annotated[str, Query(max_length=64, description="Older than this job, 早于此任务")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CirclesIn(_In):
    """Service circles to count anew, 服务圈计算."""

    kind: Literal["circles"]
    stations: Key | None = Field(default=None, description="A file; those of the plan if null")
    minutes: list[Minutes] = Field(default=[5.0, 15.0], min_length=1, max_length=4)


class DivideIn(_In):
    """A plan to make, 网格划分."""

    kind: Literal["divide"]
    name: Name
    scheme: Key = "huayang"
    like: Key | None = Field(
        default=None, description="A plan: what is not given here is taken from it"
    )
    limit: Key | None = None
    households: Key | None = None
    stations: Key | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class ImportIn(_In):
    """An uploaded plan file that becomes a plan, 导入方案."""

    kind: Literal["import"]
    name: Name
    file: Key


ProjectJobIn = Annotated[DivideIn | ImportIn, Field(discriminator="kind")]


@router.get("/schemes", summary="划分方案模板", dependencies=[requires(Action.VIEW_MAP)])
def scheme_list() -> list[dict[str, str]]:
    """Return the schemes that ship, by which a district can be divided."""
    return [{"key": name, "title": schemes.load(name).title} for name in schemes.names()]


@router.post(
    "/plans/{plan}/jobs", summary="计算服务圈", status_code=202,
    dependencies=[requires(Action.RUN_JOB)],
)  # fmt: skip
def add_plan_job(
    request: Request, response: Response, desk: DeskIs, caller: CallerIs, plan: str, body: CirclesIn
) -> dict[str, Any]:
    """Let service circles of a plan's newest version be counted, with who is served in its cells.

    It changes what everybody sees of the whole plan, so all of it must be the caller's.
    """
    entry, head = desk.entry(plan), desk.head(plan)
    if not head:
        msg = f"plan {plan} has no version yet: draw or import one first (方案尚无版本)"
        raise NotStoredError(msg)
    held = desk.store.read(head)
    caller.require(Action.RUN_JOB, top_codes(held))
    _require_map(desk, entry.project_id)
    _require_file(desk, entry.project_id, body.stations, FileRole.STATIONS)
    if body.stations is None and desk.view(plan, head).station_table is None:
        msg = "the plan has no stations: upload a table of them first (方案没有服务站，请先上传)"
        raise InputError(msg)
    given = {
        "project": entry.project_id, "plan": plan, "version": head, "stations": body.stations,
        "minutes": sorted(set(body.minutes)),
    }  # fmt: skip
    return _added(request, response, desk, caller, JobKind.CIRCLES, given)


@router.post(
    "/projects/{project}/jobs", summary="划分或导入方案", status_code=202,
    dependencies=[requires(Action.RUN_JOB)],
)  # fmt: skip
def add_project_job(
    request: Request, response: Response, desk: DeskIs, caller: CallerIs, project: str,
    body: ProjectJobIn,
) -> dict[str, Any]:  # fmt: skip
    """Let a new plan be made in a project: divided from files, or imported from one."""
    for action in (Action.RUN_JOB, Action.CREATE_PLAN):
        caller.require(action)
    known = plan_named(desk.store, project, body.name)
    # A job that failed leaves its plan without a version: whoever asked for it may ask again.
    if known is not None and (desk.head(known.id) or known.created_by != caller.actor):
        msg = f"the project has a plan {body.name!r} already: choose another name (方案重名)"
        raise StoreError(msg)
    given = {"project": project, **body.model_dump(exclude={"kind"})}
    if isinstance(body, ImportIn):
        _require_file(desk, project, body.file, FileRole.PLAN)
        return _added(request, response, desk, caller, JobKind.IMPORT, given)
    schemes.load(_known_scheme(body.scheme))
    for role in (FileRole.LIMIT, FileRole.HOUSEHOLDS, FileRole.STATIONS):
        _require_file(desk, project, getattr(body, role.value), role)
    given["like_version"] = _like(desk, project, body)
    _require_map(desk, project)
    return _added(request, response, desk, caller, JobKind.DIVIDE, given)


@router.get("/jobs", summary="任务列表", dependencies=[requires(Action.RUN_JOB)])
def jobs(
    desk: DeskIs, caller: CallerIs, limit: Limit = _PAGE, before: Before = ""
) -> list[dict[str, Any]]:
    """Return jobs that the caller may see, the newest first, or those before a job.

    They are the caller's own, or all.
    """
    owner = None if caller.may(Action.RUN_JOB) else caller.actor
    if before:
        _seen(desk, caller, before)
    found = desk.store.jobs.page(limit=limit, owner=owner, before=before or None)
    return [_told(desk, one) for one in found]


@router.get("/jobs/{job}", summary="一个任务", dependencies=[requires(Action.RUN_JOB)])
def one_job(desk: DeskIs, caller: CallerIs, job: str) -> dict[str, Any]:
    """Return how far a job is and what came of it."""
    return _told(desk, _seen(desk, caller, job))


@router.post("/jobs/{job}/cancel", summary="取消任务", dependencies=[requires(Action.CANCEL_JOB)])
def cancel(request: Request, desk: DeskIs, caller: CallerIs, job: str) -> dict[str, Any]:
    """Ask a job to stop: one's own, or any where one may do so everywhere."""
    known = _seen(desk, caller, job)
    if known.owner != caller.actor:
        caller.require(Action.CANCEL_JOB)
    found = desk.store.jobs.cancel(job)
    _runner(request).wake()
    return _told(desk, found)


@router.get("/jobs/{job}/events", summary="任务进度（事件流）",
            dependencies=[requires(Action.RUN_JOB)])  # fmt: skip
async def events(
    request: Request, desk: DeskIs, caller: CallerIs, door: DoorIs, job: str
) -> StreamingResponse:
    """Send how far a job is at every change, until it is over or its watcher has signed out."""
    first = await run_in_threadpool(_seen, desk, caller, job)
    if STREAMS[caller.actor] >= MOST_STREAMS:
        msg = "you watch many jobs already: close some of the pages (打开的进度页面过多)"
        raise TooManyError(msg, _WAIT_S)

    def may_watch() -> bool:
        now = door.again(request, caller)
        return now is not None and now.may_somewhere(Action.RUN_JOB) and _may_see(now, first)

    watch = _Watch(
        look=lambda: _told(desk, desk.store.jobs.get(job)), may_watch=may_watch,
        runner=_runner(request),
    )  # fmt: skip
    told = await run_in_threadpool(_told, desk, first)
    return StreamingResponse(
        counted(caller.actor, _stream(told, watch)), media_type=_EVENTS,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )  # fmt: skip


async def counted(actor: str, stream: AsyncIterator[str]) -> AsyncIterator[str]:
    """Pass a stream on, and know that it is open."""
    STREAMS[actor] += 1
    try:
        async for event in stream:
            yield event
    finally:
        STREAMS[actor] -= 1
        if not STREAMS[actor]:
            del STREAMS[actor]


@dataclass(frozen=True, kw_only=True)
class _Watch:
    """How a stream goes on: how far the job is, and whether somebody may still be told."""

    look: Callable[[], dict[str, Any]]
    may_watch: Callable[[], bool]
    runner: Runner


async def _stream(told: dict[str, Any], watch: _Watch) -> AsyncIterator[str]:
    """Tell every change; the server ends this generator when the client goes."""
    yield _event("progress", told)
    said = checked = time.monotonic()
    while not told["is_over"] and not watch.runner.has_let_go:
        await asyncio.sleep(_LOOK_S)
        if time.monotonic() - checked > _CHECK_S:
            if not await run_in_threadpool(watch.may_watch):
                return
            checked = time.monotonic()
        now = await run_in_threadpool(watch.look)
        if now != told:
            told, said = now, time.monotonic()
            yield _event("progress", told)
        elif time.monotonic() - said > _COMMENT_S:
            said = time.monotonic()
            yield ": still here\n\n"
    if told["is_over"]:
        yield _event("end", told)


def _event(name: str, told: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"


def _added(
    request: Request, response: Response, desk: Desk, caller: Caller, kind: JobKind,
    given: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    waiting = desk.store.jobs.find(
        owner=caller.actor, states=(JobState.QUEUED, JobState.RUNNING)
    )  # fmt: skip
    if len(waiting) >= _MOST_WAITING:
        msg = f"{len(waiting)} of your jobs are not over yet: wait for them (您的任务过多，请稍候)"
        raise TooManyError(msg, _WAIT_S)
    made = desk.store.jobs.add(kind.value, given, owner=caller.actor, is_restartable=True)
    _runner(request).wake()
    response.headers["Location"] = f"/api/v1/jobs/{made.id}"
    return _told(desk, made)


def _runner(request: Request) -> Runner:
    runner: Runner = request.app.state.runner
    return runner


def _seen(desk: Desk, caller: Caller, job_id: str) -> Job:
    """Return a job if the caller may see it; one of somebody else is told as one not there."""
    known = desk.store.jobs.get(job_id)
    if _may_see(caller, known):
        return known
    msg = f"the store holds no job {job_id!r}: look at the list of yours (没有这个任务)"
    raise NotStoredError(msg)


def _may_see(caller: Caller, job: Job) -> bool:
    return job.owner == caller.actor or caller.may(Action.RUN_JOB)


def _known_scheme(name: str) -> str:
    """Return the name of a scheme that ships: a path of the server is none."""
    if name not in schemes.names():
        known = ", ".join(schemes.names())
        msg = f"there is no scheme {name}: use one of {known} (没有这个划分模板)"
        raise InputError(msg)
    return name


def _require_file(desk: Desk, project: str, file_id: str | None, role: FileRole) -> None:
    if file_id is None:
        return
    known = desk.store.files.get(file_id)
    if known.project_id != project or known.role is not role or known.plan_id:
        msg = (
            f"file {file_id} is no {role} ({role.label_zh}) of this project: upload it here first "
            "(请先上传)"
        )
        raise InputError(msg)


def _require_map(desk: Desk, project: str) -> None:
    has_map = project in desk.settings.maps or newest(desk.store, FileRole.MAP, project_id=project)
    if not has_map:
        msg = (
            "the project has no map to walk and divide on: start the service with --osm FILE "
            "(项目没有底图，请用 --osm 启动服务)"
        )
        raise InputError(msg)


def _like(desk: Desk, project: str, body: DivideIn) -> str | None:
    """Return the version whose limit is divided where no file gives one."""
    if body.like is None:
        if body.limit is None:
            msg = (
                "nothing says what to divide: give a file with the limit, or a plan whose limit "
                "to take (请给出边界文件或已有方案)"
            )
            raise InputError(msg)
        return None
    head = desk.head(body.like)
    if desk.entry(body.like).project_id != project or not head:
        msg = f"plan {body.like} is none of this project: name one of its plans (方案不属于该项目)"
        raise InputError(msg)
    return head


def _told(desk: Desk, job: Job) -> dict[str, Any]:
    kind = JobKind(job.kind)
    result = None if job.result is None else dict(job.result)
    return {
        "id": job.id,
        "kind": kind,
        "kind_zh": kind.label_zh,
        "state": job.state,
        "state_zh": job.state.label_zh,
        "progress": job.progress,
        "note": job.note,
        "project": job.input["project"],
        "plan": job.input.get("plan"),
        "result": result,
        "error": job.error or None,
        "owner_name": desk.name_of(job.owner),
        "created_at": job.created_at,
        "finished_at": job.finished_at or None,
        "is_over": job.is_over,
    }
