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
from numba.core.registry import cpu_target
from numba.extending import register_jitable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["can_keep", "entry", "inner", "is_kept"]

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


def inner(function: F) -> F:
    """Let compiled loops call a function that stays plain Python elsewhere."""
    plain: F = register_jitable(_nrt=False, error_model="numpy", nogil=True)(function)
    return plain


def entry(function: F) -> Any:  # noqa: ANN401 - numba publishes no types
    """Return the compiled form of a function; its ``py_func`` is the function itself."""
    compiled = numba.njit(_nrt=False, error_model="numpy", nogil=True)(function)
    # Without any folder to write to there is a RuntimeError, and nothing is kept.
    with suppress(RuntimeError):
        compiled._cache = _StampedCache(function)  # noqa: SLF001 - there is no public way
    return compiled


def is_kept(compiled: Any, signature: tuple[Any, ...]) -> bool:  # noqa: ANN401
    """Tell whether a compiled form is kept on disk; reading it makes it ready."""
    found = compiled._cache.load_overload(signature, cpu_target.target_context)  # noqa: SLF001
    return found is not None


def can_keep(compiled: Any) -> bool:  # noqa: ANN401
    """Tell whether there is a folder in which compiled forms can be kept."""
    return compiled._cache.cache_path is not None  # noqa: SLF001
