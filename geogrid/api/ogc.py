"""OGC API - Features, parts 1 and 2: what QGIS and others open without knowing geogrid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from geogrid.accounts.roles import Action
from geogrid.api.answers import GEOJSON, has_already, json_text, kept_headers, versioned
from geogrid.api.ogc_crs import CRS84
from geogrid.api.ogc_opened import Opened, OpenedIs, link, root_of
from geogrid.api.ogc_query import FORMAT, ITEM, ITEMS, known_only, read_items, system_of
from geogrid.api.ogc_shown import Shown, packed
from geogrid.api.problems import BadQueryError, NotInPlanError
from geogrid.api.security import requires

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.api.ogc_crs import ServedCrs
    from geogrid.api.ogc_query import ItemsQuery

__all__ = ["router"]

router = APIRouter(prefix="/ogc/{plan}", dependencies=[requires(Action.VIEW_MAP)])

_SPEC = "http://www.opengis.net/spec"
_CONFORMS = (
    *(f"{_SPEC}/ogcapi-common-1/1.0/conf/{one}" for one in ("core", "json", "oas30")),
    f"{_SPEC}/ogcapi-common-2/1.0/conf/collections",
    *(f"{_SPEC}/ogcapi-features-1/1.0/conf/{one}" for one in ("core", "geojson", "oas30")),
    f"{_SPEC}/ogcapi-features-2/1.0/conf/crs",
    *(
        f"{_SPEC}/ogcapi-tiles-1/1.0/conf/{one}"
        for one in (
            "core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets", "mvt",
            "oas30",
        )
    ),
)  # fmt: skip
_RELATION = "http://www.opengis.net/def/rel/ogc/1.0"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_PACKED_FROM = 2000
# More features than this are put together where nobody else waits for it.
_FEW = 1000

_PLAIN = {"parameters": FORMAT}


@router.get("", summary="OGC API 首页", openapi_extra=_PLAIN)
async def landing(request: Request, opened: OpenedIs) -> Response:
    """Return where everything is."""
    known_only(request.query_params)
    base, plan = opened.base, opened.view.plan
    rows = [
        (base, "self", "application/json", ""),
        (f"{base}/conformance", "conformance", "application/json", "符合性"),
        (f"{base}/collections", "data", "application/json", "图层"),
        (f"{base}/tiles", f"{_RELATION}/tilesets-vector", "application/json", "矢量瓦片"),
        (f"{base}/tileMatrixSets", f"{_RELATION}/tiling-schemes", "application/json", "切片方案"),
        (f"{base}/api", "service-desc", OPENAPI, "接口定义"),
        (f"{root_of(request)}/docs", "service-doc", "text/html", "接口说明"),
    ]
    return versioned(
        request, opened.asked,
        lambda: {
            "title": plan.district.name,
            "description": plan.scheme.title,
            "links": [link(*row) for row in rows],
        },
    )  # fmt: skip


@router.get("/conformance", summary="OGC 符合性", openapi_extra=_PLAIN)
async def conformance(request: Request, opened: OpenedIs) -> Response:
    """Return which parts of the standard are kept to."""
    known_only(request.query_params)
    return versioned(request, opened.asked, lambda: {"conformsTo": list(_CONFORMS)})


@router.get("/collections", summary="OGC 图层列表", openapi_extra=_PLAIN)
async def collections(request: Request, opened: OpenedIs) -> Response:
    """Return the levels, stations and circles as collections."""
    known_only(request.query_params)
    found = {
        "links": [link(f"{opened.base}/collections", "self")],
        "crs": list(opened.facts.systems),
        "collections": [_collection(opened, name) for name in opened.view.collections],
    }
    return versioned(request, opened.asked, lambda: found)


@router.get("/collections/{name}", summary="OGC 图层", openapi_extra=_PLAIN)
async def collection(request: Request, opened: OpenedIs, name: str) -> Response:
    """Return what a collection is."""
    known_only(request.query_params)
    opened.table(name)
    return versioned(request, opened.asked, lambda: _collection(opened, name))


@router.get("/collections/{name}/items", summary="OGC 要素", openapi_extra={"parameters": ITEMS})
async def items(request: Request, opened: OpenedIs, name: str) -> Response:
    """Return features of a collection, page by page; other parameters filter by property."""
    query = read_items(request.query_params, opened.facts.systems)
    shown = await _shown(opened, name, query.system)
    strange = sorted(query.wanted.keys() - shown.properties)
    if strange:
        known = ", ".join(sorted(shown.properties))
        msg = f"there is no parameter or property {strange[0]!r}: properties are {known} (无此属性)"
        raise BadQueryError(msg)
    boxed = shown
    if query.boxes is not None and query.box_system.uri != query.system.uri:
        boxed = await _shown(opened, name, query.box_system)
    if query.limit <= _FEW:
        return _page(request, opened, name, query, (shown, boxed))
    return await run_in_threadpool(_page, request, opened, name, query, (shown, boxed))


@router.get(
    "/collections/{name}/items/{item}", summary="OGC 单个要素", openapi_extra={"parameters": ITEM}
)
async def item(request: Request, opened: OpenedIs, name: str, item: str) -> Response:
    """Return one feature by its code."""
    known_only(request.query_params, frozenset({"f", "crs"}))
    system = system_of(request.query_params, opened.facts.systems)
    shown = await _shown(opened, name, system)
    row = shown.row_of.get(item)
    if row is None:
        msg = f"collection {name} has no feature {item!r}"
        raise NotInPlanError(msg)
    here = f"{opened.base}/collections/{name}"
    links = [
        link(f"{here}/items/{quote(item, safe='')}", "self", GEOJSON), link(here, "collection")
    ]  # fmt: skip
    text = shown.plain(row)[:-1] + f',"links":{json_text(links)}}}'.encode()
    return versioned(
        request, opened.asked, lambda: text, media=GEOJSON, headers=_crs_header(system)
    )


async def _shown(opened: Opened, name: str, system: ServedCrs) -> Shown:
    opened.table(name)
    found = opened.shelf.ready(opened.view, name, system.uri)
    if found is None:
        found = await run_in_threadpool(opened.shelf.made, opened.view, name, system)
    return found


def _page(
    request: Request, opened: Opened, name: str, query: ItemsQuery, both: tuple[Shown, Shown]
) -> Response:
    """Return a page of features; ``both`` gives them, and finds them by box."""
    shown, boxed = both
    headers = kept_headers(opened.asked.tag) | _crs_header(query.system)
    if has_already(request.headers.get("if-none-match"), opened.asked.tag):
        return Response(status_code=304, headers=headers)
    rows = boxed.rows(query.boxes, query.wanted)
    page = rows[query.offset : query.offset + query.limit]
    links = _page_links(request, opened, name, query, len(rows))
    head = (
        f'{{"type":"FeatureCollection","numberMatched":{len(rows)},'
        f'"numberReturned":{len(page)},"timeStamp":"{opened.facts.stamp}",'
        f'"links":{json_text(links)},"features":['
    ).encode()
    return _sent(request, shown, page, head, headers)


def _sent(
    request: Request, shown: Shown, rows: Sequence[int], head: bytes, headers: dict[str, str]
) -> Response:
    body = b"".join([head, b",".join(map(shown.plain, rows)), b"]}"])
    if len(body) > _PACKED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = packed(head, map(shown.pack, rows), b"]}", body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=GEOJSON, headers=headers)


def _page_links(
    request: Request, opened: Opened, name: str, query: ItemsQuery, matched: int
) -> list[dict[str, str]]:
    links = [
        link(str(request.url), "self", GEOJSON),
        link(f"{opened.base}/collections/{name}", "collection"),
    ]
    places = {}
    if query.offset + query.limit < matched:
        places["next"] = query.offset + query.limit
    if query.offset:
        places["prev"] = max(0, query.offset - query.limit)
    for rel, offset in places.items():
        there = request.url.include_query_params(offset=offset, limit=query.limit)
        links.append(link(str(there), rel, GEOJSON))
    return links


def _crs_header(system: ServedCrs) -> dict[str, str]:
    return {"Content-Crs": f"<{system.uri}>"}


def _collection(opened: Opened, name: str) -> dict[str, Any]:
    here = f"{opened.base}/collections/{name}"
    systems = list(opened.facts.systems)
    return {
        "id": name,
        "title": opened.title(name),
        "extent": {"spatial": {"bbox": [opened.view.bounds], "crs": CRS84}},
        "itemType": "feature",
        "crs": systems,
        # What a plan is drawn in; CRS84 where no registry has that.
        "storageCrs": opened.facts.storage,
        "links": [
            link(here, "self"),
            link(f"{here}/items", "items", GEOJSON),
            link(f"{here}/tiles", f"{_RELATION}/tilesets-vector"),
        ],
    }
