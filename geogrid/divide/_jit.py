"""Compile the loops of the engine once and keep the result on disk, beside the package.

Numba keys what it keeps by the source file of the entry alone; the entries here call functions of
other files, so a stamp of all of them is added to the key. Where nothing can be kept (a read-only
installation without a home), the loops are compiled again in every process.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numba
from numba.core.caching import FunctionCache

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["stamped"]

F = TypeVar("F", bound="Callable[..., Any]")

_SOURCES = (
    "_board.py",
    "_chance.py",
    "_kernels.py",
    "_moves.py",
    "_price.py",
    "_sweep.py",
    "_walk.py",
)


def _stamp() -> str:
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in _SOURCES)).hexdigest()


# Read when the loops are imported: what is compiled later is what was there now.
_STAMP = _stamp()


class _StampedCache(FunctionCache):  # type: ignore[misc] # numba publishes no types
    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:  # noqa: ANN401
        return (*super()._index_key(sig, codegen), _STAMP)


def stamped(function: F) -> Any:  # noqa: ANN401 - numba publishes no types
    """Return the compiled form of a function; its ``py_func`` is the function itself."""
    compiled = numba.njit(_nrt=False, error_model="numpy", nogil=True)(function)
    # Without any folder to write to there is a RuntimeError, and nothing is kept.
    with suppress(RuntimeError):
        compiled._cache = _StampedCache(function)  # noqa: SLF001 - there is no public way
    return compiled
