"""A table that lets go of what nobody asked for the longest."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Kept"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Kept(Generic[_Key, _Value]):
    """At most so many things, for several threads.

    Parameters
    ----------
    room
        How many.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._held: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: _Key) -> _Value | None:
        """Return what is kept under a key, ``None`` where nothing is."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: _Key, value: _Value) -> _Value:
        """Keep something, and return it."""
        with self._lock:
            self._held[key] = value
            self._held.move_to_end(key)
            while len(self._held) > self.room:
                self._held.popitem(last=False)
        return value

    def drop(self, key: _Key) -> None:
        """Let go of what is kept under a key, if anything is."""
        with self._lock:
            self._held.pop(key, None)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._held.clear()
