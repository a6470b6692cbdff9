"""Routes of vector tiles."""

from __future__ import annotations

import gzip
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from geogrid.accounts.roles import Action
from geogrid.api.answers import AskedIs, DeskIs, has_already, kept_headers, versioned
from geogrid.api.security import requires
from geogrid.api.tile_desk import MAX_ZOOM, TileDesk, described
from geogrid.front.guard import came_from_memory
from geogrid.front.lane import MVT
from geogrid.tiles.cache import TileKey

__all__ = ["router"]

router = APIRouter(
    prefix="/api/v1/plans/{plan}/versions/{v}", dependencies=[requires(Action.VIEW_MAP)]
)

Zoom = Annotated[int, Path(ge=0, le=MAX_ZOOM)]


def tiles_of(request: Request) -> TileDesk:
    """Return whoever makes the tiles of this application."""
    tiles: TileDesk = request.app.state.tiles
    return tiles


@router.get("/tiles/{layer}/{z}/{x}/{y}.mvt", summary="矢量瓦片")
async def tile(request: Request, asked: AskedIs, layer: str, z: Zoom, x: int, y: int) -> Response:
    """Return a vector tile of the cells, of the base map, or of stations and circles."""
    tiles = tiles_of(request)
    of_layer = tiles.version_of(asked, layer)
    if of_layer is None:
        of_layer = await run_in_threadpool(tiles.found_version_of, asked, layer)
    key = TileKey(asked.plan, of_layer, layer, z, x, y)
    tag = tiles.tag(key, asked)
    headers = kept_headers(tag)
    if has_already(request.headers.get("if-none-match"), tag):
        came_from_memory(request.scope)
        return Response(status_code=304, headers=headers)
    found = tiles.ready(key)
    if found is None:
        found = await tiles.make(key)
    else:
        tiles.cache.tell(key, found)
        came_from_memory(request.scope)
    if not found:
        return Response(status_code=204, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found, media_type=MVT, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(found), media_type=MVT, headers=headers)


@router.get("/tiles.json", summary="瓦片说明（TileJSON）")
def tile_json(
    request: Request, desk: DeskIs, asked: AskedIs, v: str, layer: str = "cells"
) -> Response:
    """Return where tiles are and what is in them, as TileJSON 3."""
    tiles = tiles_of(request)
    sources = tiles.sources(asked.plan, tiles.found_version_of(asked, layer), layer)
    view = desk.view(asked.plan, asked.version)

    def make() -> dict[str, Any]:
        base = f"{str(request.base_url).rstrip('/')}/api/v1/plans/{asked.plan}/versions/{v}"
        return {
            "tilejson": "3.0.0",
            "name": view.plan.district.name,
            "version": "1.0.0",
            "scheme": "xyz",
            "tiles": [f"{base}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt"],
            "minzoom": min((one.min_zoom for one in sources), default=0),
            "maxzoom": max((one.max_zoom for one in sources), default=MAX_ZOOM),
            "bounds": view.bounds,
            "vector_layers": described(sources),
        }

    return versioned(request, asked, make)
