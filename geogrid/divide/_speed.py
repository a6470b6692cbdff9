"""When the loops run compiled, and when it is quicker to do without."""

from __future__ import annotations

from geogrid.divide import _kernels

__all__ = ["runs_plain"]

# Visits of border nodes that plain Python may make in one process while nothing is compiled: about
# a second, where compiling takes eight.
_PLAIN_VISITS = 30_000

_spent = [0]


def runs_plain(visits: int) -> bool:
    """Tell whether a job with so many visits should run uncompiled, and note them if so."""
    if _kernels.is_ready() or _spent[0] + visits > _PLAIN_VISITS:
        return False
    _spent[0] += visits
    return True
