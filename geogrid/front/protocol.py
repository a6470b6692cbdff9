"""HTTP from strangers: heads of a bounded size, sent within a bounded time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["PatientProtocol"]

# A browser sends a few kilobytes, at once.
_MOST_HEAD_BYTES = 1 << 16
_PATIENCE_S = 20.0


class PatientProtocol(HttpToolsProtocol):
    """Hangs up on whoever sends too long a head, or does not come to its end."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as asyncio gives it
        """Expect a head."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head."""
        if self._timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._timer is not None and self._head_bytes > _MOST_HEAD_BYTES:
            self._hang_up()

    def on_message_begin(self) -> None:
        """Expect the rest of a head."""
        super().on_message_begin()
        if self._timer is None:
            self._expect()

    def on_headers_complete(self) -> None:
        """Be content."""
        self._relax()
        super().on_headers_complete()

    def _expect(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(_PATIENCE_S, self._hang_up)

    def _relax(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hang_up(self) -> None:
        self._relax()
        self.transport.abort()
