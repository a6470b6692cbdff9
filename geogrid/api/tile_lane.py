"""Ready tiles for the public, answered before routes, dependencies and validation have their turn.

A map asks for many tiles at a time, nearly all of them at hand. Whatever is not plainly that case
goes on to the route of tiles, which answers the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.api.answers import has_already, kept_headers
from geogrid.api.browsers import COOKIE
from geogrid.api.guard import came_from_memory
from geogrid.errors import GeogridError
from geogrid.tiles.cache import TileKey

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from geogrid.api.desk import Asked, Desk
    from geogrid.api.security import Door
    from geogrid.api.tile_desk import TileDesk

__all__ = ["MVT", "TileLane"]

MVT = "application/vnd.mapbox-vector-tile"
_PATH = re.compile(
    r"/api/v1/plans/([^/]+)/versions/([^/]+)/tiles/([a-z]+)/(\d{1,2})/(\d{1,6})/(\d{1,6})\.mvt"
)
_OK, _EMPTY, _SAME = 200, 204, 304
_COOKIE = COOKIE.encode()


class TileLane:
    """Middleware: answers what is ready, and passes on everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a ready tile, or pass it on."""
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith(".mvt"):
            answer = _ready(scope)
        if answer is None:
            await self.app(scope, receive, send)
            return
        came_from_memory(scope)
        status, headers, body = answer
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def _ready(scope: Scope) -> tuple[int, dict[str, str], bytes] | None:
    """Return status, headers and body of a tile, if it is at hand, packed, and for anybody."""
    said = dict(scope["headers"])
    match = _PATH.fullmatch(scope["path"])
    if match is None or b"authorization" in said or _COOKIE in said.get(b"cookie", b""):
        return None
    layer = match[3]
    asked = _asked(scope, match[1], match[2])
    tiles: TileDesk = scope["app"].state.tiles
    version = None if asked is None else tiles.version_of(asked, layer)
    if asked is None or version is None:
        return None
    key = TileKey(asked.plan, version, layer, *map(int, match.groups()[3:]))
    tag = tiles.tag(key, asked)
    headers = kept_headers(tag)
    if has_already(said.get(b"if-none-match", b"").decode("latin-1"), tag):
        return _SAME, headers, b""
    found = tiles.ready(key)
    if found is None or b"gzip" not in said.get(b"accept-encoding", b""):
        return None
    return _sent(found, headers)


def _sent(found: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    if not found:
        return _EMPTY, headers, b""
    more = {"Content-Encoding": "gzip", "Content-Length": str(len(found)), "Content-Type": MVT}
    return _OK, headers | more, found


def _asked(scope: Scope, plan: str, version: str) -> Asked | None:
    """Return which version is asked for, if that is known without the store."""
    state = scope["app"].state
    desk: Desk = state.desk
    door: Door = state.door
    caller = door.stranger()
    if not caller.may_somewhere(Action.VIEW_MAP) or not desk.is_at_hand(plan):
        return None
    try:
        return desk.asked(plan, version, caller)
    except GeogridError:
        # The route says what is wrong.
        return None
