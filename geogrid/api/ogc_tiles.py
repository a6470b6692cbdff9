"""OGC API - Tiles, part 1: the vector tiles of a plan and of its collections.

The standard names a tile by matrix, **row and column**; the map libraries' usual order is zoom,
column and row.
"""

from __future__ import annotations

import gzip
import math
import re
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from geogrid.accounts.roles import Action
from geogrid.api.answers import has_already, kept_headers, versioned
from geogrid.api.ogc_crs import CRS84
from geogrid.api.ogc_opened import OpenedIs, link
from geogrid.api.ogc_query import FORMAT, known_only
from geogrid.api.problems import NotInPlanError
from geogrid.api.security import requires
from geogrid.api.tile_desk import MAX_ZOOM, described
from geogrid.api.tiles import tiles_of
from geogrid.tiles.cache import TileKey
from geogrid.tiles.packing import packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.api.desk import Asked
    from geogrid.api.ogc_opened import Opened
    from geogrid.api.tile_desk import TileDesk
    from geogrid.tiles.source import TileSource

__all__ = ["router"]

router = APIRouter(prefix="/ogc/{plan}", dependencies=[requires(Action.VIEW_MAP)])

MVT = "application/vnd.mapbox-vector-tile"
MATRIX_SET = "WebMercatorQuad"
_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{MATRIX_SET}"
_CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_GEO = "http://www.opengis.net/def/rel/ogc/1.0/geodata"
_HALF = math.pi * 6_378_137
_PIXELS = 256
# The standard's size of a pixel.
_PIXEL_M = 0.00028
_DEEPEST = 24
# Collections that are in the tiles of what is reached; every other one is a level of cells.
_REACHED = frozenset({"stations", "circles"})
# The number and the kind of the field that names a layer.
_NAME = 0x0A
_DIMENSION = {"stations": 0}

_PLAIN = {"parameters": FORMAT}


@router.get("/tileMatrixSets", summary="OGC 切片方案列表", openapi_extra=_PLAIN)
async def matrix_sets(request: Request, opened: OpenedIs) -> Response:
    """Return how the world is cut into tiles: in one way."""
    known_only(request.query_params)
    here = f"{opened.base}/tileMatrixSets/{MATRIX_SET}"
    entry = {"id": MATRIX_SET, "title": "Web Mercator", "uri": _URI, "links": [link(here, "self")]}
    return versioned(request, opened.asked, lambda: {"tileMatrixSets": [entry]})


@router.get("/tileMatrixSets/{tms}", summary="OGC 切片方案", openapi_extra=_PLAIN)
async def matrix_set(request: Request, opened: OpenedIs, tms: str) -> Response:
    """Return the matrices of tiles, from the whole world down."""
    known_only(request.query_params)
    _require_known(tms)
    return versioned(request, opened.asked, _matrix_set)


@router.get("/tiles", summary="OGC 瓦片集列表", openapi_extra=_PLAIN)
async def tile_sets(request: Request, opened: OpenedIs) -> Response:
    """Return the sets of tiles that show the whole plan."""
    known_only(request.query_params)
    return _listed(request, opened, "")


@router.get("/collections/{name}/tiles", summary="OGC 图层瓦片集列表", openapi_extra=_PLAIN)
async def tile_sets_of(request: Request, opened: OpenedIs, name: str) -> Response:
    """Return the sets of tiles that show one collection."""
    known_only(request.query_params)
    opened.table(name)
    return _listed(request, opened, name)


@router.get("/tiles/{tms}", summary="OGC 瓦片集", openapi_extra=_PLAIN)
async def tile_set(request: Request, opened: OpenedIs, tms: str) -> Response:
    """Return what is in the tiles of the whole plan, and where they are."""
    known_only(request.query_params)
    _require_known(tms)
    return await _told(request, opened, "")


@router.get("/collections/{name}/tiles/{tms}", summary="OGC 图层瓦片集", openapi_extra=_PLAIN)
async def tile_set_of(request: Request, opened: OpenedIs, name: str, tms: str) -> Response:
    """Return what is in the tiles of one collection, and where they are."""
    known_only(request.query_params)
    _require_known(tms)
    opened.table(name)
    return await _told(request, opened, name)


@router.get("/tiles/{tms}/tilejson.json", summary="OGC 瓦片集（TileJSON）", openapi_extra=_PLAIN)
async def tile_json(request: Request, opened: OpenedIs, tms: str) -> Response:
    """Return the same in the way that map libraries read."""
    known_only(request.query_params)
    _require_known(tms)
    sources = await _sources(request, opened, "")
    address = _place(opened, "").replace("{tileMatrix}", "{z}")
    found = {
        "tilejson": "3.0.0",
        "name": opened.view.plan.district.name,
        "version": "1.0.0",
        "scheme": "xyz",
        "tiles": [address.replace("{tileRow}", "{y}").replace("{tileCol}", "{x}")],
        "minzoom": _zooms(sources).start,
        "maxzoom": MAX_ZOOM,
        "bounds": opened.view.bounds,
        "vector_layers": described(tuple(sources)),
    }
    return versioned(request, opened.asked, lambda: found)


@router.get("/tiles/{tms}/{z}/{row}/{col}", summary="OGC 瓦片", openapi_extra=_PLAIN)
async def tile(
    request: Request, opened: OpenedIs, tms: str, z: str, row: str, col: str
) -> Response:  # fmt: skip
    """Return a tile of the whole plan; rows come before columns."""
    return await _tile(request, opened, "", (tms, z, row, col))


@router.get(
    "/collections/{name}/tiles/{tms}/{z}/{row}/{col}", summary="OGC 图层瓦片",
    openapi_extra=_PLAIN,
)  # fmt: skip
async def tile_of(
    request: Request, opened: OpenedIs, name: str, tms: str, z: str, row: str, col: str
) -> Response:  # fmt: skip
    """Return a tile of one collection; rows come before columns."""
    opened.table(name)
    return await _tile(request, opened, name, (tms, z, row, col))


async def _tile(
    request: Request, opened: Opened, name: str, place: tuple[str, str, str, str]
) -> Response:
    tms, *rest = place
    known_only(request.query_params)
    _require_known(tms)
    numbers = [int(one) if re.fullmatch(r"[0-9]{1,8}", one) else -1 for one in rest]
    zoom, row, column = numbers
    if not 0 <= zoom <= MAX_ZOOM or not all(0 <= one < 1 << zoom for one in (row, column)):
        msg = f"{MATRIX_SET} has no tile {'/'.join(rest)} here: look at its limits (没有这块瓦片)"
        raise NotInPlanError(msg)
    asked, tiles = opened.asked, tiles_of(request)
    headers = kept_headers(asked.tag)
    if has_already(request.headers.get("if-none-match"), asked.tag):
        return Response(status_code=304, headers=headers)
    # No version is called so: tiles of the map are carried over from version to version by name.
    key = TileKey(asked.plan, f"ogc {asked.tag}", f"ogc/{name}", zoom, column, row)
    found = tiles.ready(key)
    if found is None:
        found = await run_in_threadpool(_made, tiles, asked, name, key)
    if not found:
        return Response(status_code=204, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found, media_type=MVT, headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(found), media_type=MVT, headers=headers)


def _made(tiles: TileDesk, asked: Asked, name: str, key: TileKey) -> bytes:
    """Return a tile put together from those of the map, kept for whoever asks next."""
    texts = []
    for layer in _layers(name):
        version = tiles.found_version_of(asked, layer)
        # Each is made under a lock of the cache, which is not asked again within another one.
        tile = tiles.made(TileKey(asked.plan, version, layer, key.zoom, key.x, key.y))
        texts.append(gzip.decompress(tile) if tile else b"")
    whole = b"".join(texts)
    found = packed(layer_of(whole, name) if name else whole)
    tiles.cache.put(key, found)
    return found


def _listed(request: Request, opened: Opened, name: str) -> Response:
    here = f"{_home(opened, name)}/tiles"
    found = {
        "links": [link(here, "self")],
        "tilesets": [_summary(opened, name)],
    }
    return versioned(request, opened.asked, lambda: found)


async def _told(request: Request, opened: Opened, name: str) -> Response:
    sources = await _sources(request, opened, name)
    west, south, east, north = opened.view.bounds
    found = _summary(opened, name) | {
        "tileMatrixSetLimits": _limits(opened, sources),
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84},
        "layers": [
            {
                "id": source.name,
                "title": source.title,
                "dataType": "vector",
                "geometryDimension": _DIMENSION.get(source.name, 2),
                "minTileMatrix": str(source.min_zoom),
                "maxTileMatrix": str(source.max_zoom),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {key: {"description": value}
                                   for key, value in source.described.items()},
                },
            }
            for source in sources
        ],
    }  # fmt: skip
    return versioned(request, opened.asked, lambda: found)


def _summary(opened: Opened, name: str) -> dict[str, Any]:
    here = f"{_home(opened, name)}/tiles/{MATRIX_SET}"
    links = [
        link(here, "self"),
        link(f"{opened.base}/tileMatrixSets/{MATRIX_SET}", _SCHEME),
        link(_home(opened, name), _GEO),
        {"href": _place(opened, name), "rel": "item", "type": MVT, "templated": True},
    ]
    if not name:
        links.append(link(f"{here}/tilejson.json", "describedby", title="TileJSON"))
    title = opened.title(name) if name else opened.view.plan.district.name
    return {
        "title": title,
        "dataType": "vector",
        "crs": _CRS,
        "tileMatrixSetURI": _URI,
        "tileMatrixSetId": MATRIX_SET,
        "links": links,
    }


def _home(opened: Opened, name: str) -> str:
    return f"{opened.base}/collections/{name}" if name else opened.base


def _place(opened: Opened, name: str) -> str:
    home = _home(opened, name)
    return f"{home}/tiles/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"


def _layers(name: str) -> tuple[str, ...]:
    """Return which tiles of the map hold a collection, or the whole plan."""
    if not name:
        return "cells", "reach"
    return ("reach",) if name in _REACHED else ("cells",)


async def _sources(request: Request, opened: Opened, name: str) -> Sequence[TileSource]:
    def find() -> list[TileSource]:
        tiles, asked = tiles_of(request), opened.asked
        return [
            source
            for layer in _layers(name)
            for source in tiles.sources(asked.plan, tiles.found_version_of(asked, layer), layer)
            if name in {"", source.name}
        ]

    return await run_in_threadpool(find)


def layer_of(tile: bytes, name: str) -> bytes:
    """Return the layer of a name from an unpacked tile, nothing where it has none.

    A tile is a list of layers, each behind its length, and the name of a layer stands before what
    is long in it (Mapbox Vector Tile 2.1, 4.1).
    """
    at = 0
    while at < len(tile):
        start = at
        size, inner = _number(tile, at + 1)
        at = inner + size
        while tile[inner] != _NAME:
            # Only numbers stand before the name: the version and the extent.
            _, inner = _number(tile, inner + 1)
        length, inner = _number(tile, inner + 1)
        if tile[inner : inner + length] == name.encode():
            return tile[start:at]
    return b""


def _number(text: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    found = shift = 0
    while text[at] & 0x80:
        found |= (text[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return found | text[at] << shift, at + 1


def _zooms(sources: Sequence[TileSource]) -> range:
    return range(min((one.min_zoom for one in sources), default=0), MAX_ZOOM + 1)


def _limits(opened: Opened, sources: Sequence[TileSource]) -> list[dict[str, Any]]:
    """Return which tiles hold something, zoom by zoom."""
    west, south, east, north = opened.view.bounds
    found = []
    for zoom in _zooms(sources):
        (left, top), (right, bottom) = _tile_at(west, north, zoom), _tile_at(east, south, zoom)
        found.append({
            "tileMatrix": str(zoom), "minTileRow": top, "maxTileRow": bottom,
            "minTileCol": left, "maxTileCol": right,
        })  # fmt: skip
    return found


def _tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Return the column and the row of the tile that holds a place."""
    side = 1 << zoom
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return tuple(min(side - 1, max(0, int(share * side))) for share in ((lon + 180) / 360, down))  # type: ignore[return-value]


def _matrix_set() -> dict[str, Any]:
    return {
        "id": MATRIX_SET,
        "title": "Web Mercator",
        "uri": _URI,
        "crs": _CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [_matrix(zoom) for zoom in range(_DEEPEST + 1)],
    }


def _matrix(zoom: int) -> dict[str, Any]:
    size = 2 * _HALF / _PIXELS / (1 << zoom)
    return {
        "id": str(zoom),
        "scaleDenominator": size / _PIXEL_M,
        "cellSize": size,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-_HALF, _HALF],
        "matrixWidth": 1 << zoom,
        "matrixHeight": 1 << zoom,
        "tileWidth": _PIXELS,
        "tileHeight": _PIXELS,
    }


def _require_known(tms: str) -> None:
    if tms != MATRIX_SET:
        msg = f"there are no tiles of {tms}: use {MATRIX_SET} (没有这种切片方案)"
        raise NotInPlanError(msg)
