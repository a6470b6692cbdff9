"""How the loops of siting are compiled: once, and kept on disk where there is a place for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compiled"]

F = TypeVar("F", bound="Callable[..., Any]")


def compiled(function: F) -> F:
    """Return the compiled form of a function, of the same type."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        fast: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # There is no folder to keep it in: it is compiled again in every process.
        fast = numba.njit(**options)(function)
    return fast
