"""OGC API - Features, part 1: what QGIS and others open without knowing geogrid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response  # noqa: TC002 - FastAPI reads it

from geogrid.accounts.roles import Action
from geogrid.api.answers import GEOJSON, DeskIs, Within, json_text, versioned
from geogrid.api.problems import NotInPlanError
from geogrid.api.security import CallerIs, requires

if TYPE_CHECKING:
    from geogrid.api.desk import Asked
    from geogrid.api.features import FeatureTable
    from geogrid.api.view import PlanView

__all__ = ["router"]

router = APIRouter(prefix="/ogc/{plan}", dependencies=[requires(Action.VIEW_MAP)])

_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_CLASSES = ("core", "geojson", "oas30")
_CONFORMS = [f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{one}" for one in _CLASSES]
_MOST = 10_000
# Parameters that are no filters on a property.
_OWN = frozenset({"limit", "offset", "bbox", "f"})

Limit = Annotated[int, Query(ge=1, le=_MOST)]
Offset = Annotated[int, Query(ge=0)]


@router.get("", summary="OGC API 首页")
def landing(request: Request, desk: DeskIs, caller: CallerIs, plan: str) -> Response:
    """Return where everything is."""
    view, asked, base = _opened(request, desk, caller, plan)

    def make() -> dict[str, Any]:
        return {
            "title": view.plan.district.name,
            "description": view.plan.scheme.title,
            "links": [
                _link(base, "self"),
                _link(f"{base}/conformance", "conformance"),
                _link(f"{base}/collections", "data"),
                _link(
                    f"{_root(request)}/openapi.json", "service-desc",
                    "application/vnd.oai.openapi+json;version=3.0",
                ),
                _link(f"{_root(request)}/docs", "service-doc", "text/html"),
            ],
        }  # fmt: skip

    return versioned(request, asked, make)


@router.get("/conformance", summary="OGC 符合性")
def conformance(request: Request, desk: DeskIs, caller: CallerIs, plan: str) -> Response:
    """Return which parts of the standard are kept to."""
    _, asked, _ = _opened(request, desk, caller, plan)
    return versioned(request, asked, lambda: {"conformsTo": _CONFORMS})


@router.get("/collections", summary="OGC 图层列表")
def collections(request: Request, desk: DeskIs, caller: CallerIs, plan: str) -> Response:
    """Return the levels, stations and circles as collections."""
    view, asked, base = _opened(request, desk, caller, plan)

    def make() -> dict[str, Any]:
        return {
            "links": [_link(f"{base}/collections", "self")],
            "collections": [_collection(view, base, name) for name in view.collections],
        }

    return versioned(request, asked, make)


@router.get("/collections/{name}", summary="OGC 图层")
def collection(
    request: Request, desk: DeskIs, caller: CallerIs, plan: str, name: str
) -> Response:  # fmt: skip
    """Return what a collection is."""
    view, asked, base = _opened(request, desk, caller, plan)
    _table(view, name)
    return versioned(request, asked, lambda: _collection(view, base, name))


@router.get("/collections/{name}/items", summary="OGC 要素")
def items(
    request: Request, desk: DeskIs, caller: CallerIs, plan: str, name: str, box: Within,
    limit: Limit = 100, offset: Offset = 0,
) -> Response:  # fmt: skip
    """Return features of a collection, page by page; other parameters filter by property."""
    view, asked, base = _opened(request, desk, caller, plan)
    table = _table(view, name)
    asked_for = {key: value for key, value in request.query_params.items() if key not in _OWN}

    def make() -> str:
        rows = [row for row in table.rows_in(box) if _is_wanted(table, row, asked_for)]
        shown = rows[offset : offset + limit]
        here = f"{base}/collections/{name}/items"
        links = [_link(str(request.url), "self", GEOJSON), _link(here, "collection")]
        if offset + limit < len(rows):
            more = request.url.include_query_params(offset=offset + limit, limit=limit)
            links.append(_link(str(more), "next", GEOJSON))
        features = ",".join(_numbered(table, row) for row in shown)
        stamp = desk.store.version(asked.version).created_at
        return (
            f'{{"type":"FeatureCollection","numberMatched":{len(rows)},'
            f'"numberReturned":{len(shown)},"timeStamp":{json_text(stamp)},'
            f'"links":{json_text(links)},"features":[{features}]}}'
        )

    return versioned(request, asked, make, media=GEOJSON)


@router.get("/collections/{name}/items/{item}", summary="OGC 单个要素")
def item(
    request: Request, desk: DeskIs, caller: CallerIs, plan: str, name: str, item: str
) -> Response:
    """Return one feature by its code."""
    view, asked, base = _opened(request, desk, caller, plan)
    table = _table(view, name)
    for row in range(len(table.texts)):
        if _id_of(table, row) == item:
            links = [
                _link(f"{base}/collections/{name}/items/{item}", "self", GEOJSON),
                _link(f"{base}/collections/{name}", "collection"),
            ]
            text = f'{_numbered(table, row)[:-1]},"links":{json_text(links)}}}'
            return versioned(request, asked, text.__str__, media=GEOJSON)
    msg = f"collection {name} has no feature {item!r}"
    raise NotInPlanError(msg)


def _opened(
    request: Request, desk: DeskIs, caller: CallerIs, plan: str
) -> tuple[PlanView, Asked, str]:
    asked = desk.asked(plan, "head", caller)
    return desk.view(plan, asked.version), asked, f"{_root(request)}/ogc/{plan}"


def _root(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _link(href: str, rel: str, media: str = "application/json") -> dict[str, str]:
    return {"href": href, "rel": rel, "type": media}


def _table(view: PlanView, name: str) -> FeatureTable:
    tables = view.collections
    if name not in tables:
        msg = f"there is no collection {name}: use one of {', '.join(tables)}"
        raise NotInPlanError(msg)
    return tables[name]


def _collection(view: PlanView, base: str, name: str) -> dict[str, Any]:
    titles = {level.key: level.name for level in view.plan.scheme.area_levels}
    titles |= {"stations": "党群服务站", "circles": "服务圈"}
    here = f"{base}/collections/{name}"
    return {
        "id": name,
        "title": titles[name],
        "extent": {"spatial": {"bbox": [view.bounds], "crs": _CRS84}},
        "itemType": "feature",
        "crs": [_CRS84],
        "links": [_link(here, "self"), _link(f"{here}/items", "items", GEOJSON)],
    }


def _id_of(table: FeatureTable, row: int) -> str:
    values = table.properties[row]
    if "code" in values:
        return str(values["code"])
    # One station has a circle for every limit.
    return f"{values['station']}-{row}" if "label" in values else str(values["station"])


def _numbered(table: FeatureTable, row: int) -> str:
    return f'{{"id":{json_text(_id_of(table, row))},{table.texts[row][1:]}'


def _is_wanted(table: FeatureTable, row: int, wanted: dict[str, str]) -> bool:
    values = table.properties[row]
    return all(str(values.get(key)) == value for key, value in wanted.items())
