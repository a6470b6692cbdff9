"""The last who catches what nobody foresaw: whoever comes next would log its words."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from geogrid.errors import places_of
from geogrid.front.answers import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Unforeseen"]

_LOG = logging.getLogger(__name__)


class Unforeseen:
    """Middleware: logs of an unforeseen error what kind it is and where, and never what it says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def told(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, told)
        except Exception as fault:  # noqa: BLE001 - all of them
            kind, places = type(fault).__name__, places_of(fault)
            _LOG.error("unforeseen error at %s: %s at %s", scope["path"], kind, places)
            if not has_begun:
                words = "the service failed: look at its log (服务出错，请查看日志)"
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                await problem(scope["path"], status, words)(scope, receive, send)
