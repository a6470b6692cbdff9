"""The application behind its front: requests that came over the wire, answered over it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread

from geogrid.front.guard import is_from_memory
from geogrid.front.relay import has_body, scope_of, start_head
from geogrid.front.wire import Frame, Kind, Wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine

    from starlette.types import ASGIApp, Message, Scope

    from geogrid.api.herald import Herald

__all__ = ["Behind"]

_LOG = logging.getLogger(__name__)
# So many bytes of a long answer may be on their way to somebody who is slow to take them.
_WINDOW = 1 << 18


class Behind:
    """Answers what the front passes on.

    Parameters
    ----------
    app
        The application.
    herald
        Tells the front of what changes for the public, where there is anything public.
    """

    def __init__(self, app: ASGIApp, herald: Herald | None = None) -> None:
        self._app, self._herald = app, herald
        self._streams: dict[int, _Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost = asyncio.Event()
        self._wire: Wire | None = None
        self._is_looking = False
        self._looker = CapacityLimiter(1)

    async def run(self, sock: socket.socket) -> None:
        """Answer until the front hangs up."""
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: Wire(self._take, self._gone), sock=sock)
        self._wire = wire
        if self._herald is not None:
            self._herald.begin(wire.send_soon)
        await self._lost.wait()

    def stop(self) -> None:
        """Let the front answer what was asked, and end."""
        if self._wire is not None:
            self._wire.send(Frame(Kind.STOP))

    def _gone(self) -> None:
        for stream in self._streams.values():
            stream.leave()
        self._lost.set()

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.ASKED and self._wire is not None:
            self._streams[frame.stream] = stream = _Stream(self._wire, frame)
            self._begin(self._answer(stream))
        elif frame.kind is Kind.WATCHED:
            if self._herald is not None and not self._is_looking:
                self._is_looking = True
                self._begin(self._look(self._herald, frame.head["plans"]))
        elif (known := self._streams.get(frame.stream)) is not None:
            known.take(frame)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        # The loop itself does not keep what nobody waits for.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, stream: _Stream) -> None:
        try:
            await self._app(stream.scope, stream.receive, stream.send)
        except Exception as fault:  # noqa: BLE001 - the server of a process catches all as well
            _LOG.error("a request was not answered: %s", type(fault).__name__)
        finally:
            stream.end()
            del self._streams[stream.number]

    async def _look(self, herald: Herald, plans: list[str]) -> None:
        try:
            # Not in the queue of those who wait for slow answers.
            await to_thread.run_sync(herald.look_at, plans, limiter=self._looker)
        except Exception as fault:  # noqa: BLE001 - the next beat tries again
            _LOG.error("the store cannot be looked at: %s", type(fault).__name__)
        finally:
            self._is_looking = False


class _Stream:
    """One request."""

    def __init__(self, wire: Wire, frame: Frame) -> None:
        self.number = frame.stream
        self.scope: Scope = scope_of(frame.head)
        self._wire = wire
        self._came: asyncio.Queue[Message] = asyncio.Queue()
        self._has_more = has_body(self.scope)
        self._is_told = self._is_whole = self._has_left = False
        self._under_way = 0
        self._was_taken = asyncio.Event()

    def take(self, frame: Frame) -> None:
        """Take what the front says of this request."""
        if frame.kind is Kind.CAME:
            self._has_more = bool(frame.head["more"])
            self._came.put_nowait({
                "type": "http.request", "body": frame.body, "more_body": self._has_more,
            })  # fmt: skip
        elif frame.kind is Kind.TAKEN:
            self._under_way -= int(frame.head["bytes"])
            self._was_taken.set()
        elif frame.kind is Kind.GONE:
            self.leave()

    def leave(self) -> None:
        """Take note that whoever asked has gone."""
        self._has_left = True
        self._was_taken.set()
        self._came.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        """Return the next piece of the request, as ASGI has it."""
        if (self._has_left or self._is_whole) and self._came.empty():
            return {"type": "http.disconnect"}
        if not self._is_told and not self._has_more and self._came.empty():
            self._is_told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        self._is_told = True
        if self._has_more:
            self._wire.send(Frame(Kind.WANTED, self.number))
        return await self._came.get()

    async def send(self, message: Message) -> None:
        """Send a piece of the answer, as ASGI has it; those who have gone get nothing."""
        if self._has_left:
            return
        if message["type"] == "http.response.start":
            head = start_head(message)
            if is_from_memory(self.scope):
                head["from_memory"] = True
            self._wire.send(Frame(Kind.STARTED, self.number, head))
            return
        body, has_more = bytes(message.get("body", b"")), bool(message.get("more_body"))
        pieces = [body[at : at + _WINDOW] for at in range(0, len(body), _WINDOW)] or [b""]
        for piece in pieces[:-1]:
            await self._send(piece, has_more=True)
        await self._send(pieces[-1], has_more=has_more)

    async def _send(self, piece: bytes, *, has_more: bool) -> None:
        if self._has_left:
            return
        self._is_whole = not has_more
        self._wire.send(Frame(Kind.SENT, self.number, {"more": 1} if has_more else {}, piece))
        self._under_way += len(piece) if has_more else 0
        while self._under_way > _WINDOW and not self._has_left:
            self._was_taken.clear()
            await self._was_taken.wait()
        await self._wire.room()

    def end(self) -> None:
        """Say that no more comes, where that was not said."""
        if not self._is_whole and not self._has_left:
            self._wire.send(Frame(Kind.FAILED, self.number))
