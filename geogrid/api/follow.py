"""The public follows a plan that is edited: it sees a new version once its tiles are ready.

To make a version ready takes longer than to store it. Until then whoever looks sees the version
before it, from tiles that are at hand, and of several new versions only the newest is made ready.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Follower"]


class Follower:
    """Makes the newest version of each plan ready, one after the other.

    Attributes
    ----------
    on_shown
        Told the plan when another version of it is shown.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._shown: dict[str, str] = {}
        self._wanted: dict[str, str] = {}
        self._working: set[str] = set()
        self.on_shown: Callable[[str], None] = lambda _: None

    def moved(self, plan: str, old: str, new: str) -> None:
        """Take note that a plan moved from one version to another."""
        with self._lock:
            self._shown.setdefault(plan, old)
            self._wanted[plan] = new

    def shown(self, plan: str, head: str) -> str:
        """Return the version that is shown in place of the newest one."""
        return self._shown.get(plan, head)

    def catch_up(self, plan: str, prepare: Callable[[str, str, str], None]) -> None:
        """Make the newest version of a plan ready, unless somebody is at it.

        Parameters
        ----------
        prepare
            Makes a version ready from one that is: told the plan, the old and the new version.
        """
        with self._lock:
            if plan in self._working:
                return
            self._working.add(plan)
        try:
            while step := self._next(plan):
                try:
                    prepare(plan, *step)
                finally:
                    # What cannot be made ready is shown as it is: whoever asks is told why.
                    self._reached(plan, step[1])
                    self.on_shown(plan)
        except BaseException:
            with self._lock:
                self._working.discard(plan)
            raise

    def _next(self, plan: str) -> tuple[str, str] | None:
        """Return what is shown and what is wanted; once they are the same, nobody is at it."""
        with self._lock:
            if plan in self._wanted:
                return self._shown[plan], self._wanted[plan]
            self._working.discard(plan)
            return None

    def _reached(self, plan: str, version: str) -> None:
        with self._lock:
            if self._wanted[plan] == version:
                del self._wanted[plan], self._shown[plan]
            else:
                self._shown[plan] = version
