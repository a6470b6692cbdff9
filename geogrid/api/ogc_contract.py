"""What the standard interface can do, in the words that its clients read: OpenAPI 3.0."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response  # noqa: TC002 - FastAPI reads it

from geogrid.accounts.roles import Action
from geogrid.api import ogc, ogc_tiles
from geogrid.api.answers import versioned
from geogrid.api.ogc_opened import OpenedIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.ogc_query import FORMAT, LIMIT, known_only
from geogrid.api.security import requires

__all__ = ["router"]

router = APIRouter(prefix="/ogc/{plan}", dependencies=[requires(Action.VIEW_MAP)])

_PROBLEM = {
    "description": "What is wrong, as RFC 9457 tells it",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}
_MEDIA = {"items": "application/geo+json", "{item}": "application/geo+json", "{col}": ogc_tiles.MVT}


@router.get("/api", summary="OGC 接口定义", openapi_extra={"parameters": FORMAT})
async def contract(request: Request, opened: OpenedIs) -> Response:
    """Return the description of the standard interface of a plan."""
    known_only(request.query_params)
    found = deepcopy(_described()) | {"servers": [{"url": opened.base}]}
    found["info"]["title"] = opened.view.plan.district.name
    return versioned(request, opened.asked, lambda: found, media=ogc.OPENAPI)


@cache
def _described() -> dict[str, Any]:
    """Return the description without what differs from plan to plan."""
    found = get_openapi(
        title="geogrid", version="1.0.0", openapi_version="3.0.3",
        routes=[*ogc.router.routes, *ogc_tiles.router.routes],
    )  # fmt: skip
    # Nothing that these routes answer is described by a component; QGIS looks for this one.
    found["components"] = {"parameters": {"limit": LIMIT}}
    found["paths"] = {_short(path): _plain(path, verbs) for path, verbs in found["paths"].items()}
    return found


def _short(path: str) -> str:
    return path.removeprefix("/ogc/{plan}") or "/"


def _plain(path: str, verbs: dict[str, Any]) -> dict[str, Any]:
    """Return the operations of a path, of which a plan is no parameter."""
    media = _MEDIA.get(path.rsplit("/", 1)[-1], "application/json")
    schema = (
        {"type": "string", "format": "binary"} if media == ogc_tiles.MVT else {"type": "object"}
    )
    answers = {
        "200": {"description": "OK", "content": {media: {"schema": schema}}},
        "400": _PROBLEM,
        "404": _PROBLEM,
    }
    for operation in verbs.values():
        rows = [one for one in operation.get("parameters", ()) if one["name"] != "plan"]
        operation["parameters"] = rows
        operation["responses"] = answers
    return verbs
