"""What every answer carries, and which requests are refused before anything reads them."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from geogrid.accounts.throttle import address_key
from geogrid.errors import GeogridError
from geogrid.front.allowance import Allowances
from geogrid.front.answers import problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from geogrid.front.settings import FrontSettings

__all__ = ["Guard", "TooLargeError", "came_from_memory", "is_from_memory"]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
# The one route that takes more than a form: its handler passes a file on as it comes.
_UPLOAD = re.compile(r"/api/v1/projects/[^/]+/files")
_MINUTE_S = 60.0
# An office of hundreds that looks at maps has one address, and a screen shows a dozen tiles: an
# answer that was at hand counts as this part of a request.
_FROM_MEMORY = 0.05
_MARK = "geogrid.from_memory"


class TooLargeError(GeogridError):
    """What was sent is larger than the service takes."""


def came_from_memory(scope: Scope) -> None:
    """Say that the answer to a request was at hand, so that it hardly counts."""
    scope[_MARK] = True


def is_from_memory(scope: Scope) -> bool:
    """Tell whether that was said."""
    return bool(scope.get(_MARK))


class Guard:
    """Middleware: limits of rate and size, and headers that keep browsers from doing harm."""

    def __init__(self, app: ASGIApp, settings: FrontSettings) -> None:
        self.app = app
        self._settings = settings
        self._headers = _HEADERS | (_HTTPS if settings.is_https else {})
        self._policy = settings.policy
        self._pace_s = _MINUTE_S / settings.requests_a_minute
        self._allowances = Allowances(float(settings.requests_a_minute), self._pace_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = _with_headers(send, self._headers, self._policy)
        key = address_key(scope["client"][0] if scope.get("client") else "")
        if not self._allowances.take(key):
            wait = max(1, round(self._pace_s))
            refusal = problem(
                scope["path"], HTTPStatus.TOO_MANY_REQUESTS, f"too many requests: wait {wait} s"
            )
            refusal.headers["Retry-After"] = str(wait)
            await refusal(scope, receive, said)
            return
        await self._within_size(scope, receive, said)
        if is_from_memory(scope):
            self._allowances.give_back(key, 1 - _FROM_MEMORY)

    async def _within_size(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"]):
            await self._as_it_comes(scope, receive, send)
            return
        most = self._settings.most_body_bytes
        headers = Headers(scope=scope)
        told = headers.get("content-length", "0")
        body: bytes | None = b""
        if "transfer-encoding" in headers:
            # Nobody said how much comes, so it is counted before anything reads it.
            try:
                body = await _read(receive, most)
            except _LeftError:
                # What was not said to its end is not done.
                return
        if body is None or not _is_within(told, most):
            refusal = problem(
                scope["path"], HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the request is larger than {most} bytes: send less",
            )  # fmt: skip
            await refusal(scope, receive, send)
            return
        again = receive if "transfer-encoding" not in headers else _replay(body, receive)
        await self.app(scope, again, send)

    async def _as_it_comes(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a large file through in pieces, and stop it where it grows too large."""
        most = self._settings.most_upload_bytes
        told = Headers(scope=scope).get("content-length", "0")
        words = f"the file is larger than {most >> 20} MB: split it (文件过大)"
        if not _is_within(told, most):
            refusal = problem(scope["path"], HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
            await refusal(scope, receive, send)
            return
        left = most

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise TooLargeError(words)
            return message

        await self.app(scope, counted, send)


def _is_within(told: str, most: int) -> bool:
    return told.isascii() and told.isdigit() and int(told) <= most


class _LeftError(Exception):
    """Whoever asked has gone before all of it was said."""


async def _read(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request, ``None`` where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _LeftError
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _with_headers(send: Send, more: Mapping[str, str], policy: str) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in more.items():
                headers[name] = value
            headers.setdefault("Content-Security-Policy", policy)
            # What nobody said may be kept, is not.
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return wrapped
