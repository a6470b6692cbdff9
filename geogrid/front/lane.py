"""Ready tiles for the public, answered before routes, dependencies and validation have their turn.

A map asks for many tiles at a time, nearly all of them at hand. Whatever is not plainly that case
goes on to the route of tiles, which answers the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from geogrid.front.answers import has_already, kept_headers
from geogrid.front.guard import came_from_memory
from geogrid.tiles.cache import TileCache, TileKey

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["COOKIE", "MVT", "AtHand", "Layer", "TileLane"]

MVT = "application/vnd.mapbox-vector-tile"
# The cookie of those who signed in, who may see more than the public.
COOKIE = "geogrid_session"
_PATH = re.compile(
    r"/api/v1/plans/([^/]{1,64})/versions/([^/]{1,64})/tiles/([a-z]{1,9})"
    r"/(\d{1,2})/(\d{1,6})/(\d{1,6})\.mvt"
)
_OK, _EMPTY, _SAME = 200, 204, 304
_COOKIE = COOKIE.encode()


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of tiles as the public sees it now.

    Attributes
    ----------
    name
        What tells its tiles from those of other versions; "" where the layer is empty.
    version
        The version of the plan.
    """

    name: str
    version: str


class AtHand(Protocol):
    """Whoever knows what the public sees, and keeps the tiles of it."""

    @property
    def cache(self) -> TileCache:
        """The tiles."""

    def layer(self, plan: str, word: str, layer: str) -> Layer | None:
        """Return a layer of a version, or of ``head``; ``None`` where the route must answer."""


class TileLane:
    """Middleware: answers what is ready, and passes on everything else."""

    def __init__(self, app: ASGIApp, at_hand: AtHand) -> None:
        self.app = app
        self._at_hand = at_hand

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a ready tile, or pass it on."""
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith(".mvt"):
            answer = self.ready(scope)
        if answer is None:
            await self.app(scope, receive, send)
            return
        came_from_memory(scope)
        status, headers, body = answer
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def ready(self, scope: Scope) -> tuple[int, dict[str, str], bytes] | None:
        """Return status, headers and body of a tile, if it is at hand, packed, and for anybody."""
        said = dict(scope["headers"])
        match = _PATH.fullmatch(scope["path"])
        if match is None or b"authorization" in said or _has_session(scope):
            return None
        plan, word, name = match.group(1, 2, 3)
        layer = self._at_hand.layer(plan, word, name)
        if layer is None:
            return None
        key = TileKey(plan, layer.name, name, *map(int, match.groups()[3:]))
        cache = self._at_hand.cache
        tag = cache.touched_in(key) or layer.version
        headers = kept_headers(tag)
        if has_already(said.get(b"if-none-match", b"").decode("latin-1"), tag):
            return _SAME, headers, b""
        found = cache.get(key)
        if found is None or b"gzip" not in said.get(b"accept-encoding", b""):
            return None
        return _sent(found, headers)


def _has_session(scope: Scope) -> bool:
    return any(name == b"cookie" and _COOKIE in value for name, value in scope["headers"])


def _sent(found: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    if not found:
        return _EMPTY, headers, b""
    more = {"Content-Encoding": "gzip", "Content-Length": str(len(found)), "Content-Type": MVT}
    return _OK, headers | more, found
