"""Starting, bounding and ending the process that reads a strange file."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyogrio

from geogrid.errors import InputError
from geogrid.io._guard_sniff import DRIVER_OF_FORMAT
from geogrid.io._guard_wire import load_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.io._guard_limits import UploadLimits

__all__ = ["ask_guarded", "guarded_environment"]

_LOG = logging.getLogger(__name__)

# What programs need to start at all, and where other builds of the map libraries keep their tables.
_KEPT = (
    "PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "GDAL_DATA", "PROJ_DATA",
    "PROJ_LIB",
)  # fmt: skip
_CLOSED_PORT = "http://127.0.0.1:9"
_SETTINGS = {
    # No address is allowed, no plug-in and no settings file is loaded, no table is virtual.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_PROXY": _CLOSED_PORT,
    "http_proxy": _CLOSED_PORT,
    "https_proxy": _CLOSED_PORT,
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_CONFIG_FILE": os.devnull,
    "OGR_SQLITE_STATIC_VIRTUAL_OGR": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "PROJ_NETWORK": "OFF",
    # More threads take more memory, and the walls hold for those begun later alone.
    "GDAL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "LC_ALL": "C.UTF-8",
}
_TOO_LONG = "takes longer to read than is allowed: split it"


def guarded_environment(folder: Path, driver: str) -> dict[str, str]:
    """Return the whole environment of the reading process.

    Parameters
    ----------
    folder
        The only folder that it may write to.
    driver
        The one driver of the map library that it keeps, "" for none. Cutting the others works
        only before the process starts: once the library is loaded, it is too late.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    cut = ",".join(sorted(set(pyogrio.list_drivers()) - {driver}))
    here = {name: str(folder) for name in ("HOME", "TMP", "TEMP", "TMPDIR", "CPL_TMPDIR")}
    root = str(Path(__file__).resolve().parents[2])
    return {
        **kept, **_SETTINGS, **here, "OGR_SKIP": cut, "GDAL_SKIP": "VRT", "PYTHONPATH": root,
    }  # fmt: skip


def ask_guarded(request: Mapping[str, Any], folder: Path, limits: UploadLimits) -> dict[str, Any]:
    """Read a file in a process of its own and return the answer.

    Parameters
    ----------
    request
        ``file`` (its name in ``folder``), ``name`` (for messages), ``format``, and options.
    folder
        A new folder of the server.

    Raises
    ------
    InputError
        If the process was ended by a limit or died.
    """
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    answer = folder / "answer.json"
    code = _run(folder, DRIVER_OF_FORMAT[request["format"]], limits.seconds)
    if code != 0 or not answer.exists():
        _LOG.warning("a guarded reading process ended with %s", code)
        msg = f"{request['name']} {_reason(code)}"
        raise InputError(msg)
    if answer.stat().st_size > limits.unpacked_bytes:
        msg = f"{request['name']} holds more text than is allowed: split it"
        raise InputError(msg)
    return load_json(answer)


def _run(folder: Path, driver: str, seconds: int) -> int | None:
    """Return how the process ended: its code, ``None`` where its time was up."""
    command = [sys.executable, "-P", "-s", "-m", "geogrid.io._guard_child", str(folder)]
    # Its own words may name files of the server or hold rows: nobody is shown them.
    process = subprocess.Popen(  # noqa: S603 - our own program, in a list
        command, cwd=folder, env=guarded_environment(folder, driver), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=True,
        start_new_session=os.name == "posix",
    )  # fmt: skip
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with all that it may have started."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()


def _reason(code: int | None) -> str:
    timers = {-getattr(signal, name, 0) for name in ("SIGXCPU", "SIGALRM")} - {0}
    if code is None or code in timers:
        return _TOO_LONG
    if code < 0:
        return "is damaged, or needs more memory than is allowed: export it again, or split it"
    return "cannot be read: export it again"
