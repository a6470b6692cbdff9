"""Requests that the front does not answer itself: sent to the application, and its answers back."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any

from geogrid.front.answers import problem
from geogrid.front.guard import TooLargeError, came_from_memory
from geogrid.front.wire import Frame, Kind

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from geogrid.front.wire import Wire

__all__ = ["AwayError", "Relay", "has_body", "head_of", "headers_of", "scope_of", "start_head"]

_TEXTS = ("method", "path", "scheme", "http_version", "root_path")
_AWAY = "the service is starting: ask again in a moment (服务正在启动，请稍后再试)"
_ENDED = "the application ended in the middle of an answer"


def head_of(scope: Scope) -> dict[str, Any]:
    """Return a request as it goes over the wire."""
    found = {name: scope.get(name, "") for name in _TEXTS}
    found["raw_path"] = (scope.get("raw_path") or b"").decode("latin-1")
    found["query_string"] = scope["query_string"].decode("latin-1")
    found["headers"] = _texts(scope["headers"])
    return found | {"client": scope.get("client"), "server": scope.get("server")}


def scope_of(head: dict[str, Any]) -> Scope:
    """Return a request that came over the wire."""
    found: dict[str, Any] = {name: head[name] for name in _TEXTS}
    for name in ("raw_path", "query_string"):
        found[name] = head[name].encode("latin-1")
    for name in ("client", "server"):
        found[name] = None if head[name] is None else tuple(head[name])
    found["headers"] = headers_of(head["headers"])
    return found | {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "state": {},
    }  # fmt: skip


def headers_of(texts: list[list[str]]) -> list[tuple[bytes, bytes]]:
    """Return headers that came over the wire."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in texts]


def _texts(headers: Any) -> list[list[str]]:  # noqa: ANN401 - pairs of bytes, of any container
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def start_head(message: Message) -> dict[str, Any]:
    """Return the beginning of an answer as it goes over the wire."""
    return {"status": message["status"], "headers": _texts(message.get("headers", ()))}


class AwayError(Exception):
    """The application has gone in the middle of an answer."""


class _Stream:
    """A request that waits for its answer."""

    def __init__(self, number: int, scope: Scope) -> None:
        self.number = number
        self.scope = scope
        self.frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.wanted = asyncio.Semaphore(0)
        self.fault: Exception | None = None


class Relay:
    """The application of the front: passes requests on, and answers back."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self._numbers = count(1)
        self._streams: dict[int, _Stream] = {}

    def take(self, frame: Frame) -> None:
        """Give a frame to the request that it belongs to; those of ended ones are dropped."""
        stream = self._streams.get(frame.stream)
        if stream is None:
            return
        if frame.kind is Kind.WANTED:
            stream.wanted.release()
        else:
            stream.frames.put_nowait(frame)

    def lost(self) -> None:
        """Let all who wait go: nobody answers any more."""
        for stream in self._streams.values():
            stream.frames.put_nowait(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        wire = self.wire
        if wire is None or not wire.is_open:
            refusal = problem(scope["path"], HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)
            refusal.headers["Retry-After"] = "1"
            await refusal(scope, receive, send)
            return
        stream = _Stream(next(self._numbers) & 0xFFFFFFFF, scope)
        self._streams[stream.number] = stream
        watching = asyncio.create_task(_watch(wire, stream, receive))
        is_whole = False
        try:
            wire.send(Frame(Kind.ASKED, stream.number, head_of(scope)))
            is_whole = await _answer(wire, stream, send)
        except TooLargeError as fault:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await problem(scope["path"], status, str(fault))(scope, receive, send)
        finally:
            del self._streams[stream.number]
            watching.cancel()
            if not is_whole:
                wire.send(Frame(Kind.GONE, stream.number))


async def _answer(wire: Wire, stream: _Stream, send: Send) -> bool:
    """Pass an answer on; tell whether it came to its end."""
    while (frame := await stream.frames.get()) is not None:
        if frame.kind is Kind.STARTED:
            if frame.head.get("from_memory"):
                came_from_memory(stream.scope)
            await send({
                "type": "http.response.start", "status": frame.head["status"],
                "headers": headers_of(frame.head["headers"]),
            })  # fmt: skip
        elif frame.kind is Kind.SENT:
            has_more = bool(frame.head.get("more"))
            await send({
                "type": "http.response.body", "body": frame.body, "more_body": has_more,
            })  # fmt: skip
            if not has_more:
                return True
            wire.send(Frame(Kind.TAKEN, stream.number, {"bytes": len(frame.body)}))
        elif frame.kind is Kind.GONE:
            return False
        else:
            break
    raise stream.fault or AwayError(_ENDED)


async def _watch(wire: Wire, stream: _Stream, receive: Receive) -> None:
    """Send the body of a request as it is wanted, and see when whoever asked has gone."""
    is_whole = not has_body(stream.scope)
    try:
        while True:
            if not is_whole:
                await stream.wanted.acquire()
            message = await receive()
            if message["type"] == "http.disconnect":
                stream.frames.put_nowait(Frame(Kind.GONE, stream.number))
                return
            if not is_whole:
                is_whole = not message.get("more_body", False)
                head = {"more": not is_whole}
                wire.send(Frame(Kind.CAME, stream.number, head, message.get("body", b"")))
    except Exception as fault:  # noqa: BLE001 - whoever waits for the answer raises it
        stream.fault = fault
        stream.frames.put_nowait(None)


def has_body(scope: Scope) -> bool:
    """Tell whether a request says that it has a body."""
    names = {name for name, value in scope["headers"] if value != b"0"}
    return b"content-length" in names or b"transfer-encoding" in names
