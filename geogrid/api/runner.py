"""Runs jobs in the background: a thread that starts one process after the other and minds it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from geogrid.errors import StateError, StoreError
from geogrid.vocabulary import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.store import Job, Store

__all__ = ["Runner"]

_LOG = logging.getLogger(__name__)
_COMMAND = (sys.executable, "-m", "geogrid.workflow.worker")
# How often the queue is looked at: another process may add to it.
_QUEUE_S = 2.0
_LOOK_S = 0.25
# Others take work for lost that is silent for two minutes.
_BEAT_S = 20.0
_RECOVER_S = 60.0
_GRACE_S = 3.0
# A job that takes its server down with it is not begun for ever.
_MOST_ATTEMPTS = 3
_DIED = (
    "the process of the job was ended before it was done, perhaps for want of memory: start it "
    "again, or take a smaller area (任务进程被终止)"
)
_TOO_OFTEN = "the job was begun again and again and never came to its end (任务多次中断)"


class Runner:
    """Does the work that waits in a store, one job at a time, in processes of their own.

    Parameters
    ----------
    store
        Where the work is.
    maps
        By project, an OSM extract that is too large for the store.
    """

    def __init__(self, store: Store, maps: Mapping[str, Path]) -> None:
        self._store = store
        self._maps = {project: str(path) for project, path in maps.items()}
        self._wake = Event()
        self._stop = Event()
        self._let_go = Event()
        self._thread: Thread | None = None
        self._recovered = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    @property
    def has_let_go(self) -> bool:
        """Whether those who watch a job should go: the service is about to stop."""
        return self._let_go.is_set() or self.is_stopping

    def let_go(self) -> None:
        """Say that the service is about to stop."""
        self._let_go.set()

    def start(self) -> None:
        """Take up what dead processes left, then what waits."""
        self._stop.clear()
        self._let_go.clear()
        self._recovered = 0.0
        self._thread = Thread(target=self._work, name="geogrid-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the job that runs, which waits again for the next start, and the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def _work(self) -> None:
        while not self.is_stopping:
            try:
                job = self._next()
                if job is not None:
                    self._run(job)
                    continue
            except StoreError:
                _LOG.exception("the queue of jobs cannot be read")
            self._wake.wait(_QUEUE_S)
            self._wake.clear()

    def _next(self) -> Job | None:
        """Return the oldest job that waits, claimed; looking alone locks nothing."""
        if not self._recovered or time.monotonic() - self._recovered > _RECOVER_S:
            self._store.jobs.recover()
            self._recovered = time.monotonic()
        if not self._store.jobs.find(states=[JobState.QUEUED]):
            return None
        return self._store.jobs.claim()

    def _run(self, job: Job) -> None:
        if job.attempts > _MOST_ATTEMPTS:
            self._store.jobs.fail(job.id, _TOO_OFTEN)
            return
        request = {"store": self._store.address, "job": job.id, "maps": self._maps}
        try:
            # A session of its own: whoever stops the server by Ctrl+C leaves its end to us.
            child = subprocess.Popen(  # noqa: S603 - our own program, in a list
                _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                start_new_session=True,
            )  # fmt: skip
        except OSError:
            _LOG.exception("no process could be started for job %s", job.id)
            self._store.jobs.fail(job.id, _DIED)
            return
        try:
            _send(child, json.dumps(request))
            self._mind(job.id, child)
        finally:
            _end(child)
        self._settle(job.id)

    def _mind(self, job_id: str, child: subprocess.Popen[str]) -> None:
        """Wait until a process ends, is asked to stop, or this one must."""
        told = time.monotonic()
        while not self.is_stopping:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_LOOK_S)
                return
            known = self._store.jobs.get(job_id)
            if known.is_cancel_asked or known.is_over:
                return
            if time.monotonic() - told > _BEAT_S:
                with suppress(StateError):
                    self._store.jobs.beat(job_id)
                told = time.monotonic()

    def _settle(self, job_id: str) -> None:
        """Say what came of a job whose process said nothing."""
        known = self._store.jobs.get(job_id)
        if known.is_over:
            return
        with suppress(StateError):
            if known.is_cancel_asked:
                self._store.jobs.stop(job_id)
            elif self.is_stopping:
                self._store.jobs.give_back(job_id)
            else:
                _LOG.error("the process of job %s ended before it was done", job_id)
                self._store.jobs.fail(job_id, _DIED)


def _send(child: subprocess.Popen[str], line: str) -> None:
    """Tell a process what to do; its end of the pipe stays open as long as we live."""
    pipe = child.stdin
    # One that died at once is found by whoever waits for it.
    with suppress(BrokenPipeError):
        if pipe is not None:
            pipe.write(f"{line}\n")
            pipe.flush()


def _end(child: subprocess.Popen[str]) -> None:
    """Ask a process to end, and end it if it does not."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
    # Waits for it, and lets go of the pipe.
    child.communicate()
