"""Answers that belong to a version: sent once, tagged with it, never kept by others."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from geogrid.api.desk import Asked, Desk
from geogrid.api.features import Box
from geogrid.api.security import CallerIs  # noqa: TC001 - FastAPI reads it
from geogrid.front.answers import has_already, kept_headers, tag_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "GEOJSON",
    "AskedIs",
    "DeskIs",
    "Latitude",
    "Longitude",
    "Within",
    "has_already",
    "json_text",
    "kept_headers",
    "tag_of",
    "versioned",
]

GEOJSON = "application/geo+json"
_WORTH_PACKING = 2000
_GZIP_LEVEL = 4
# What is packed already.
_PACKED = frozenset({
    "application/zip", "application/geopackage+sqlite3",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
})  # fmt: skip


async def desk_of(request: Request) -> Desk:
    """Return what this application serves."""
    desk: Desk = request.app.state.desk
    return desk


DeskIs = Annotated[Desk, Depends(desk_of)]


async def asked_of(plan: str, v: str, desk: DeskIs, caller: CallerIs) -> Asked:
    """Return the version that a path names, if the caller may see it."""
    if desk.is_at_hand(plan):
        return desk.asked(plan, v, caller)
    return await run_in_threadpool(desk.asked, plan, v, caller)


async def box_of(
    bbox: Annotated[str, Query(description="west,south,east,north in degrees, 经纬度范围")] = "",
) -> Box | None:
    """Return the box that was asked for, if any."""
    return Box.parse(bbox) if bbox else None


AskedIs = Annotated[Asked, Depends(asked_of)]
Within = Annotated[Box | None, Depends(box_of)]
Longitude = Annotated[float, Query(ge=-180, le=180, description="Longitude, WGS 84, 经度")]
Latitude = Annotated[float, Query(ge=-90, le=90, description="Latitude, WGS 84, 纬度")]


def json_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a value as JSON; what is no number is an error here and not in a browser."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def versioned(
    request: Request,
    asked: Asked,
    make: Callable[[], str | bytes | dict[str, Any] | list[Any]],
    *,
    media: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    """Return what belongs to a version, or 304 if the caller has it.

    Parameters
    ----------
    make
        Makes the body: text or bytes as they are, anything else as JSON.
    media, headers
        Its media type, and more headers.
    """
    kept = kept_headers(asked.tag)
    # Made first: what a version does not hold is not found, whatever tag the caller has.
    found = make()
    if has_already(request.headers.get("if-none-match"), asked.tag):
        return Response(status_code=304, headers=kept)
    text = found if isinstance(found, str | bytes) else json_text(found)
    body = text.encode() if isinstance(text, str) else text
    is_packed = len(body) > _WORTH_PACKING and media not in _PACKED
    if is_packed and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        kept["Content-Encoding"] = "gzip"
    return Response(body, media_type=media, headers=kept | (headers or {}))
