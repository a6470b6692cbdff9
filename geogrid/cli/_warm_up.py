"""Compile while files are read: once after installation it takes long."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["warm_up"]


def warm_up(*warms: Callable[[], None]) -> None:
    """Get compiled loops ready in the background, one after another: two would slow each other."""

    def run() -> None:
        for warm in warms:
            warm()

    Thread(target=run, name="warm-up", daemon=True).start()
