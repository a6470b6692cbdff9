"""Cookies of the service: said by whoever answers, sent with whatever is answered, an error too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from geogrid.api.settings import ServiceSettings

__all__ = ["Cookies", "drop_cookie", "put_cookie"]

_SAID = "geogrid_cookies"


def put_cookie(request: Request, name: str, value: str, *, max_age_s: int, path: str = "/") -> None:
    """Let the answer to a request carry a cookie that no script reads; the last word counts."""
    _said(request)[name] = (value, max_age_s, path)


def drop_cookie(request: Request, name: str, *, path: str = "/") -> None:
    """Let the answer to a request take a cookie away."""
    put_cookie(request, name, "", max_age_s=0, path=path)


class Cookies:
    """Middleware: sends what was said of cookies, and lets nobody keep such an answer."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self.app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said: dict[str, tuple[str, int, str]] = {}
        scope.setdefault("state", {})[_SAID] = said

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start" and said:
                headers = MutableHeaders(scope=message)
                for name, one in said.items():
                    headers.append("Set-Cookie", self._line(name, *one))
                headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, wrapped)

    def _line(self, name: str, value: str, max_age_s: int, path: str) -> str:
        made = Response()
        made.set_cookie(
            name, value, max_age=max_age_s, path=path, httponly=True, samesite="lax",
            secure=self._settings.is_https,
        )  # fmt: skip
        return made.headers["set-cookie"]


def _said(request: Request) -> dict[str, tuple[str, int, str]]:
    found: dict[str, tuple[str, int, str]] = getattr(request.state, _SAID)
    return found
