"""What a process that reads strange files takes from itself before it opens them.

Two walls of the Linux kernel need no rights and no container: a filter of system calls (no socket,
no other program) and Landlock (no file besides the libraries and one folder). Resource limits bound
memory, computing time and file sizes. Where a system has one of them not, that is said, never
silently passed over.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.io._guard_limits import UploadLimits

__all__ = ["bound_resources", "close_files", "close_network"]

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2

# By machine: its name in the audit numbers of the kernel, and the calls that are refused: socket,
# connect, execve, execveat, ptrace. 425 is io_uring, which could do the same unseen.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 425)),
}
# Calls of the 32-bit kind on x86_64 carry this bit.
_OTHER_KIND = 0x4000_0000
_LOAD, _IF_EQUAL, _IF_FROM, _ANSWER = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF_0000, 0x0005_0001, 0x8000_0000

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
# How many kinds of access to files each version of Landlock knows, the oldest first.
_FILE_RIGHTS_BITS = (13, 14, 15, 15, 16)
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
_SYSTEM_PATHS = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
_CPU_GRACE_S = 5
_DEVICES = ("/dev/null", "/dev/urandom")


def close_network() -> tuple[str, ...]:
    """Refuse this process all sockets and other programs, for good.

    Returns
    -------
    tuple of str
        What could not be closed, as sentences; empty where all is.
    """
    machine = _CALLS.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return ("the network is closed by settings of the library alone on this system",)
    name, calls = machine
    tail = [*((_IF_EQUAL, call) for call in calls)]
    # Each jump leads over what is left of the list to the refusal behind the permission.
    program = [
        struct.pack("HBBI", _LOAD, 0, 0, 4),
        struct.pack("HBBI", _IF_EQUAL, 1, 0, name),
        struct.pack("HBBI", _ANSWER, 0, 0, _KILL),
        struct.pack("HBBI", _LOAD, 0, 0, 0),
        struct.pack("HBBI", _IF_FROM, len(tail) + 1, 0, _OTHER_KIND),
        *(
            struct.pack("HBBI", kind, len(tail) - at, 0, call)
            for at, (kind, call) in enumerate(tail)
        ),
        struct.pack("HBBI", _ANSWER, 0, 0, _ALLOW),
        struct.pack("HBBI", _ANSWER, 0, 0, _REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc = _libc()
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(header), 0, 0) != 0:
        return ("the system refuses to close the network: it is closed by settings alone",)
    return ()


def close_files(folder: Path) -> tuple[str, ...]:
    """Refuse this process all files but the libraries (to read) and one folder (to write).

    Returns
    -------
    tuple of str
        What could not be closed, as sentences; empty where all is.
    """
    gap = ("files of the server are kept apart by settings alone on this system",)
    if sys.platform != "linux":
        return gap
    libc = _libc()
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return gap
    rights = (1 << _FILE_RIGHTS_BITS[min(version, len(_FILE_RIGHTS_BITS)) - 1]) - 1
    asked = ctypes.create_string_buffer(struct.pack("Q", rights), 8)
    rules = libc.syscall(_LANDLOCK_CREATE, asked, ctypes.c_size_t(8), 0)
    if rules < 0:
        return gap
    try:
        _allow(libc, rules, [folder], rights)
        _allow(libc, rules, _library_paths(), _READ)
        _allow(libc, rules, map(Path, _DEVICES), _READ_FILE | _WRITE_FILE)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        is_closed = libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)
    return () if is_closed else gap


def bound_resources(limits: UploadLimits) -> tuple[str, ...]:
    """Bound memory, computing time and the size of files that this process may take from now on.

    Returns
    -------
    tuple of str
        What could not be bounded, as sentences; empty where all is.
    """
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return ("memory and computing time are not bounded on this system, only the time is",)
    signal.alarm(limits.seconds + 5)
    bounds = {
        resource.RLIMIT_CPU: _cpu_used(resource) + limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.unpacked_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 128,
    }
    taken = _memory_taken()
    if taken:
        bounds[resource.RLIMIT_AS] = taken + limits.memory_bytes
    for kind, bound in bounds.items():
        _, hard = resource.getrlimit(kind)
        is_open = hard == resource.RLIM_INFINITY
        value = bound if is_open else min(bound, hard)
        # At the soft bound the process ends by a signal that says why, at the hard one by force.
        more = _CPU_GRACE_S if kind == resource.RLIMIT_CPU and is_open else 0
        resource.setrlimit(kind, (value, value + more))
    return () if taken else ("memory is not bounded on this system",)


def _cpu_used(resource: object) -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)  # type: ignore[attr-defined] # a module
    return int(usage.ru_utime + usage.ru_stime) + 1


def _memory_taken() -> int:
    """Return the bytes of addresses in use, 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _library_paths() -> list[Path]:
    own = Path(__file__).resolve().parents[1]
    installed = [entry for entry in sys.path if entry.endswith(("-packages", ".zip"))]
    roots = [sys.prefix, sys.base_prefix, *installed, *_SYSTEM_PATHS]
    return [own, *map(Path, roots)]


def _allow(libc: ctypes.CDLL, rules: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        if not path.exists():
            continue
        # Rights of folders cannot be given on a file.
        mine = rights if path.is_dir() else rights & ~_READ_FOLDER
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = ctypes.create_string_buffer(struct.pack("=Qi", mine, handle), 12)
            libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0)
        finally:
            os.close(handle)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
