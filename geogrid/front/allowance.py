"""How much each of many askers may have: an allowance that is used up and fills steadily."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

__all__ = ["Allowances"]

_ASKERS = 10_000


class Allowances:
    """What is left of the allowance of each asker; the longest silent ones are forgotten.

    Parameters
    ----------
    most
        The whole allowance, which a new asker has.
    refill_s
        Seconds until one of it comes back.
    """

    def __init__(self, most: float, refill_s: float) -> None:
        self._most, self._refill_s = most, refill_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, asker: str) -> bool:
        """Take one, if there is one."""
        now = time.monotonic()
        with self._lock:
            at, left = self._left.pop(asker, (now, self._most))
            left = min(self._most, left + (now - at) / self._refill_s)
            has_one = left >= 1
            self._left[asker] = (now, left - 1 if has_one else left)
            if len(self._left) > _ASKERS:
                self._left.popitem(last=False)
        return has_one

    def give_back(self, asker: str, part: float) -> None:
        """Let an asker have back a part of what was taken."""
        with self._lock:
            if asker in self._left:
                at, left = self._left[asker]
                self._left[asker] = (at, min(self._most, left + part))
