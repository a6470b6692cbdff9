"""How many files of plans are made at once, and by whom.

Making one takes a whole processor for seconds and as much memory as the plan, so a few are made at
a time, whoever asks waits a little, and strangers together never take the place of those who work
here.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from geogrid.accounts.throttle import address_key
from geogrid.api.problems import TooManyError
from geogrid.front.allowance import Allowances

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from geogrid.api.security import Caller

__all__ = ["ExportGate"]

_AT_ONCE = 2
_STRANGERS_AT_ONCE = 1
_PATIENCE_S = 10.0
_LOOK_S = 0.1
_WAIT_S = 10
# So many one address may have made, without signing in, before it has to wait for the next.
_MOST = 20
_REFILL_S = 30.0


class ExportGate:
    """Places for those whose file is being made; only the loop of the service uses it."""

    def __init__(self) -> None:
        self._busy = 0
        self._strangers = 0
        self._allowances = Allowances(_MOST, _REFILL_S)

    @asynccontextmanager
    async def place(self, caller: Caller, address: str) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Raises
        ------
        TooManyError
            If none gets free in time, or an address had too many files without signing in.
        """
        is_stranger = caller.account is None
        if is_stranger and not self._allowances.take(address_key(address)):
            msg = (
                "this address had many files made: wait half a minute, or sign in "
                "(导出次数过多，请稍候再试或登录)"
            )
            raise TooManyError(msg, int(_REFILL_S))
        until = time.monotonic() + _PATIENCE_S
        while not self._is_free(is_stranger=is_stranger):
            if time.monotonic() >= until:
                msg = "others are exporting: try again in a moment (导出繁忙，请稍后再试)"
                raise TooManyError(msg, _WAIT_S)
            await asyncio.sleep(_LOOK_S)
        self._busy += 1
        self._strangers += is_stranger
        try:
            yield
        finally:
            self._busy -= 1
            self._strangers -= is_stranger

    def _is_free(self, *, is_stranger: bool) -> bool:
        has_place = not is_stranger or self._strangers < _STRANGERS_AT_ONCE
        return self._busy < _AT_ONCE and has_place
