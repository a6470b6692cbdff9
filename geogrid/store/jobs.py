"""Work in the background: what is to do, who does it, how far it is, and what came of it."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, tuple_, update

from geogrid.errors import StateError
from geogrid.store._catalog import row_of
from geogrid.store._database import new_id
from geogrid.store._schema import job
from geogrid.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Row

    from geogrid.store._database import Database

__all__ = ["Job", "Jobs", "this_worker"]

_OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED})
_STALE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work.

    Attributes
    ----------
    kind, input
        What is to do, and with what (JSON values; never rows of households).
    state, progress, note
        How far it is: ``progress`` from 0 to 1.
    result, error
        What came of it; ``None`` and "" until then.
    owner
        Who asked for it.
    is_restartable
        Whether it is begun again when its process dies.
    is_cancel_asked
        Whether it should stop; whoever runs it looks at this.
    attempts, worker
        How often it was begun, and by which process.
    """

    id: str
    kind: str
    input: Mapping[str, Any]
    state: JobState
    progress: float
    note: str
    result: Mapping[str, Any] | None
    error: str
    owner: str
    is_restartable: bool
    is_cancel_asked: bool
    attempts: int
    worker: str
    created_at: str
    started_at: str
    beat_at: str
    finished_at: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in _OVER


class Jobs:
    """The work that a store remembers; it survives every process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, kind: str, given: Mapping[str, Any], *, owner: str, is_restartable: bool = False
    ) -> Job:
        """Put work at the end of the queue."""
        with self._database.writing() as connection:
            values = {
                "id": new_id(), "kind": kind, "input": _json(given), "progress": 0.0, "note": "",
                "state": JobState.QUEUED.value, "owner": owner, "is_restartable": is_restartable,
                "is_cancel_asked": False, "attempts": 0, "created_at": self._database.now(),
            }  # fmt: skip
            connection.execute(insert(job).values(values))
            return _job(row_of(connection, job, str(values["id"])))

    def get(self, job_id: str) -> Job:
        """Return a piece of work.

        Raises
        ------
        NotStoredError
            If there is none.
        """
        with self._database.reading() as connection:
            return _job(row_of(connection, job, job_id))

    def find(self, *, owner: str | None = None, states: Iterable[JobState] = ()) -> list[Job]:
        """Return work, the oldest first, of one owner or all, in some states or any."""
        query = select(job).order_by(job.c.created_at, job.c.id)
        if owner is not None:
            query = query.where(job.c.owner == owner)
        wanted = [state.value for state in states]
        if wanted:
            query = query.where(job.c.state.in_(wanted))
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query)]

    def page(self, *, limit: int, owner: str | None = None, before: str | None = None) -> list[Job]:
        """Return some work, the newest first.

        Parameters
        ----------
        limit
            At most so many.
        owner
            Only that of one owner.
        before
            Only what was asked for before this job.

        Raises
        ------
        NotStoredError
            If there is no such job.
        """
        query = select(job).order_by(job.c.created_at.desc(), job.c.id.desc()).limit(limit)
        if owner is not None:
            query = query.where(job.c.owner == owner)
        with self._database.reading() as connection:
            if before is not None:
                last = row_of(connection, job, before)
                # The names settle it between those of one moment.
                query = query.where(tuple_(job.c.created_at, job.c.id) < (last.created_at, last.id))
            return [_job(row) for row in connection.execute(query)]

    def claim(self, worker: str | None = None, *, kinds: Iterable[str] = ()) -> Job | None:
        """Take the oldest work that waits; ``None`` where none does. Nobody else gets it.

        Parameters
        ----------
        worker
            Who takes it; this process when absent.
        kinds
            What it can do; anything when empty.
        """
        query = select(job.c.id).where(job.c.state == JobState.QUEUED.value)
        wanted = list(kinds)
        if wanted:
            query = query.where(job.c.kind.in_(wanted))
        with self._database.writing() as connection:
            found = connection.execute(query.order_by(job.c.created_at, job.c.id).limit(1)).scalar()
            if found is None:
                return None
            at = self._database.now()
            return self._change(
                connection, found, state=JobState.RUNNING.value, worker=worker or this_worker(),
                attempts=job.c.attempts + 1, started_at=at, beat_at=at,
            )  # fmt: skip

    def report(self, job_id: str, progress: float, note: str = "") -> Job:
        """Say how far running work is; look at ``is_cancel_asked`` of the answer.

        Raises
        ------
        StateError
            If it does not run.
        """
        return self._running(
            job_id, progress=min(max(progress, 0.0), 1.0), note=note, beat_at=self._database.now()
        )

    def beat(self, job_id: str) -> Job:
        """Say that running work is alive, and nothing of how far it is; raises as :meth:`report`.

        Work of other machines that is silent for long is taken for lost.
        """
        return self._running(job_id, beat_at=self._database.now())

    def give_back(self, job_id: str) -> Job:
        """Say that whoever runs it must end before it is done; raises as :meth:`report`.

        Restartable work waits again, as if it had not been begun; other work is interrupted.
        """
        self._running(job_id, attempts=job.c.attempts - 1)
        with self._database.writing() as connection:
            return self._taken(connection, row_of(connection, job, job_id))

    def finish(self, job_id: str, result: Mapping[str, Any]) -> Job:
        """Say what came of it; raises as :meth:`report`."""
        at = self._database.now()
        return self._running(
            job_id, state=JobState.DONE.value, result=_json(result), progress=1.0, finished_at=at
        )

    def fail(self, job_id: str, error: str) -> Job:
        """Say why nothing came of it, without personal data; raises as :meth:`report`."""
        at = self._database.now()
        return self._running(job_id, state=JobState.FAILED.value, error=error, finished_at=at)

    def stop(self, job_id: str) -> Job:
        """Say that it stopped because that was asked; raises as :meth:`report`."""
        at = self._database.now()
        return self._running(job_id, state=JobState.CANCELLED.value, finished_at=at)

    def cancel(self, job_id: str) -> Job:
        """Ask work to stop; what only waits is cancelled at once, what is over stays."""
        with self._database.writing() as connection:
            known = _job(row_of(connection, job, job_id))
            if known.is_over:
                return known
            values: dict[str, Any] = {"is_cancel_asked": True}
            if known.state is JobState.QUEUED:
                values |= {
                    "state": JobState.CANCELLED.value,
                    "finished_at": self._database.now(),
                }
            return self._change(connection, job_id, **values)

    def recover(self, *, stale_after: timedelta = _STALE) -> list[Job]:
        """Take work from processes that are no more.

        On this machine a process is looked up; on others it is gone when it was silent for
        ``stale_after``. Restartable work waits again, other work is marked as interrupted.

        Returns
        -------
        list of Job
            What was taken.
        """
        with self._database.writing() as connection:
            query = select(job).where(job.c.state == JobState.RUNNING.value)
            silent = (self._database.moment() - stale_after).isoformat(timespec="microseconds")
            lost = [row for row in connection.execute(query) if not _lives(row, silent)]
            return [self._taken(connection, row) for row in lost]

    def _taken(self, connection: Connection, row: Row[Any]) -> Job:
        if row.is_restartable and not row.is_cancel_asked:
            return self._change(
                connection, row.id, state=JobState.QUEUED.value, worker=None, progress=0.0, note=""
            )
        state = JobState.CANCELLED if row.is_cancel_asked else JobState.INTERRUPTED
        return self._change(
            connection, row.id, state=state.value, finished_at=self._database.now(),
            error="the process that ran it ended before it was done: start it again",
        )  # fmt: skip

    def _running(self, job_id: str, **values: object) -> Job:
        with self._database.writing() as connection:
            known = _job(row_of(connection, job, job_id))
            if known.state is not JobState.RUNNING:
                msg = (
                    f"job {job_id} is {known.state.value} ({known.state.label_zh}), not running: "
                    "start it again"
                )
                raise StateError(msg)
            return self._change(connection, job_id, **values)

    def _change(self, connection: Connection, job_id: str, **values: object) -> Job:
        connection.execute(update(job).where(job.c.id == job_id).values(values))
        return _job(row_of(connection, job, job_id))


def this_worker() -> str:
    """Return the name of this process: its machine, its number and when it began."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}"


def _began(pid: int) -> str:
    """Return when a process began, so that a number used again is not taken for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _lives(row: Row[Any], silent: str) -> bool:
    match (row.worker or "").rsplit(":", 2):
        case [host, number, began] if host == socket.gethostname() and number.isdigit():
            return _exists(int(number)) and _began(int(number)) == began
        case _:
            return bool((row.beat_at or "") > silent)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def _job(row: Row[Any]) -> Job:
    values = dict(row._asdict())
    texts = ("error", "worker", "started_at", "beat_at", "finished_at")
    return Job(
        **values
        | {name: values[name] or "" for name in texts}
        | {
            "input": json.loads(row.input),
            "state": JobState(row.state),
            "result": None if row.result is None else json.loads(row.result),
        }
    )
