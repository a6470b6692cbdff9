"""The process that does one job: ``python -m geogrid.workflow.worker``.

It is told in one line of JSON on its standard input what to do: ``store`` (the address), ``job``
and ``maps``. The other end is held open by whoever started it: when that closes, however it ends,
so does this process. What it makes goes to the store alone.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import GeogridError, StateError, places_of
from geogrid.store import open_store
from geogrid.workflow.tasks import Cancelled, Task, run_task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from geogrid.store import Store

__all__ = ["main", "work"]

_LOG = logging.getLogger(__name__)
# Whoever looks at a map meanwhile comes first.
_NICE = 10
_ORPHANED = 3
_UNFORESEEN = "the job failed: look at the service's log (任务失败，详见服务日志)"
_NO_MEMORY = "the job needs more memory than there is: take a smaller area (内存不足)"


def main(given: TextIO = sys.stdin) -> None:
    """Do the job that standard input names."""
    request = json.loads(given.readline())
    threading.Thread(target=_end_with, args=(given,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    maps = {project: Path(path) for project, path in request["maps"].items()}
    with open_store(request["store"], kept=2) as store:
        work(store, request["job"], maps)


def work(store: Store, job_id: str, maps: Mapping[str, Path]) -> None:
    """Do a job that is running, and say in the store what came of it."""
    job = store.jobs.get(job_id)

    def tell(progress: float, note: str) -> None:
        if store.jobs.report(job_id, progress, note).is_cancel_asked:
            raise Cancelled

    # A job that somebody else has ended is nobody's any more.
    with suppress(StateError), tempfile.TemporaryDirectory(prefix="geogrid-job-") as name:
        task = Task(store=store, job=job, folder=Path(name), tell=tell, maps=maps)
        try:
            store.jobs.finish(job_id, run_task(task))
        except Cancelled:
            store.jobs.stop(job_id)
        except StateError:
            raise
        except GeogridError as fault:
            store.jobs.fail(job_id, str(fault))
        except MemoryError:
            store.jobs.fail(job_id, _NO_MEMORY)
        except Exception as fault:  # noqa: BLE001 - nobody else will tell of it
            _LOG.error("job %s: %s at %s", job_id, type(fault).__name__, places_of(fault))
            store.jobs.fail(job_id, _UNFORESEEN)


def _end_with(given: TextIO) -> None:
    given.read()
    os._exit(_ORPHANED)


if __name__ == "__main__":
    main()
