"""How loops are compiled: once after installation, and kept on disk where there is a place for it.

Numba keys what it keeps by the source file of the entry alone: loops that call each other share a
file, or the entry adds a stamp of the others to its key.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import numba
from numba.core.registry import cpu_target
from numba.extending import register_jitable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["can_keep", "compiled", "entry", "in_second_process", "inner", "is_kept"]

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = {"nogil": True, "error_model": "numpy"}
# Arrays count who refers to them, which takes longer than what some loops do in one step.
_LEAN = _OPTIONS | {"_nrt": False}

# Compiling takes some seconds; a machine that needs longer than this compiles when it must.
_PATIENCE_S = 120


def compiled(function: F) -> F:
    """Return the compiled form of a function, of the same type; it may make arrays."""
    fast: F = _kept(function, _OPTIONS)
    return fast


def entry(function: F) -> Any:  # noqa: ANN401 - numba publishes no types
    """Return the compiled form of a function that makes no array; ``py_func`` is itself."""
    return _kept(function, _LEAN)


def inner(function: F) -> F:
    """Let compiled loops call a function that makes no array and stays plain Python elsewhere."""
    plain: F = register_jitable(**_LEAN)(function)
    return plain


def _kept(function: F, options: dict[str, Any]) -> Any:  # noqa: ANN401
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # There is no folder to write to: it is compiled again in every process.
        return numba.njit(**options)(function)


def is_kept(loop: Any, signature: tuple[Any, ...]) -> bool:  # noqa: ANN401
    """Tell whether a compiled form is kept on disk; reading it makes it ready."""
    if not can_keep(loop):
        return False
    found = loop._cache.load_overload(signature, cpu_target.target_context)  # noqa: SLF001
    return found is not None


def can_keep(loop: Any) -> bool:  # noqa: ANN401
    """Tell whether there is a folder in which compiled forms can be kept."""
    return loop._cache.cache_path is not None  # noqa: SLF001 - there is no public way


def in_second_process(statement: str) -> None:
    """Run a statement that compiles, and keeps, in a process of its own.

    Compiling holds the interpreter; this process then only reads the result.
    """
    if sys.executable:
        command = [sys.executable, "-c", statement]
        subprocess.run(command, check=False, timeout=_PATIENCE_S, capture_output=True)  # noqa: S603
