"""Short routes for the first plan of a store: its map, and what small programs ask."""

from __future__ import annotations

import html
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from geogrid.accounts.roles import Action
from geogrid.api.answers import GEOJSON, DeskIs, Latitude, Longitude, Within, versioned
from geogrid.api.desk import Asked
from geogrid.api.policy import MAP_POLICY
from geogrid.api.problems import SignInError
from geogrid.api.schemas import (
    CollectionOut,
    HealthOut,
    LevelOut,
    PlanOut,
    ProblemOut,
    WhereOut,
)
from geogrid.api.security import CallerIs, open_to_all, requires
from geogrid.api.sources import public_sources
from geogrid.api.view import PlanView, shown_count
from geogrid.maps.data import district_layer
from geogrid.maps.disclosure import count_text

__all__ = ["router"]

_PROBLEM = {"model": ProblemOut, "content": {"application/problem+json": {}}}
router = APIRouter(responses={404: _PROBLEM, 422: _PROBLEM})
Everyone = requires(Action.VIEW_MAP)


def first_of(desk: DeskIs, caller: CallerIs) -> Asked:
    """Return the version of the first plan that the caller sees."""
    return desk.asked(desk.first_plan(), "head", caller)


def view_of(desk: DeskIs, asked: Annotated[Asked, Depends(first_of)]) -> PlanView:
    """Return that version made ready for questions."""
    return desk.view(asked.plan, asked.version)


First = Annotated[Asked, Depends(first_of)]
View = Annotated[PlanView, Depends(view_of)]


@router.get("/", response_class=HTMLResponse, summary="起始页", dependencies=[open_to_all()])
def start(request: Request, desk: DeskIs, caller: CallerIs) -> Response:
    """Lead to the web app; where it is not built, return the map of the plan as one page."""
    if (desk.settings.web / "index.html").is_file():
        # Whoever has to sign in does it there.
        return RedirectResponse(f"{request.scope.get('root_path', '')}/app/", status_code=307)
    if not caller.may_somewhere(Action.VIEW_MAP):
        msg = "sign in first: this is not open to everyone (请先登录)"
        raise SignInError(msg)
    first = first_of(desk, caller)
    return map_page(request, first, view_of(desk, first))


@router.get("/map", response_class=HTMLResponse, summary="离线地图页面", dependencies=[Everyone])
def map_page(request: Request, first: First, view: View) -> Response:
    """Return the map of the plan as one page that asks the network for nothing more."""
    policy = {"Content-Security-Policy": MAP_POLICY}
    return versioned(request, first, view.page, media="text/html", headers=policy)


@router.get("/healthz", response_model=HealthOut, summary="运行状态", dependencies=[open_to_all()])
async def health() -> dict[str, str]:
    """Tell that the service is up."""
    return {"status": "ok"}


@router.get(
    "/api/plan", response_model=PlanOut, summary="方案概况、证明与数据来源", dependencies=[Everyone]
)
def plan_summary(request: Request, first: First, view: View) -> Response:
    """Return what the plan is, what was proven of it, and where its data came from."""
    return versioned(request, first, lambda: _summary(view))


def _summary(view: PlanView) -> dict[str, Any]:
    plan, district = view.plan, district_layer(view.plan)
    return {
        "name": plan.district.name,
        "code": plan.district.code,
        "scheme": plan.scheme.title,
        "version": plan.version,
        "crs": plan.district.crs.name if plan.district.crs else "",
        "area_m2": district["area"],
        "households": shown_count(district["households"]),
        "households_text": count_text(district["households"]),
        "is_proven": view.is_proven,
        "is_synthetic": any(source.is_synthetic for source in plan.sources),
        "is_estimated": any(source.is_estimated for source in plan.sources),
        "certificate": plan.certificate.to_dict() if plan.certificate else None,
        "sources": [source.to_dict() for source in public_sources(plan.sources)],
        "bounds": district["bounds"],
    }


@router.get(
    "/api/levels", response_model=list[LevelOut], summary="层级及户数标准", dependencies=[Everyone]
)
def levels(request: Request, first: First, view: View) -> Response:
    """Return the levels that have cells of their own, coarse to fine."""
    return versioned(request, first, lambda: _levels(view))


def _levels(view: PlanView) -> list[dict[str, Any]]:
    return [
        {
            "key": level.key,
            "name": level.name,
            "aliases": list(level.aliases),
            "cells": len(view.tables[level.key]),
            "head_title": level.head_title,
            "band": None
            if level.band is None
            else {
                "low": level.band.low,
                "high": level.band.high,
                "is_hard": level.band.is_hard,
                "is_assumption": level.band.is_assumption,
            },
        }
        for level in view.plan.scheme.area_levels
    ]


@router.get(
    "/api/cells", response_model=CollectionOut, summary="某一层级的网格（GeoJSON）",
    dependencies=[Everyone],
)  # fmt: skip
def cells(
    request: Request,
    first: First,
    view: View,
    box: Within,
    level: Annotated[str, Query(description="Key, name or alias; coarsest if empty, 层级")] = "",
) -> Response:
    """Return the cells of a level as GeoJSON in EPSG:4326."""
    return versioned(request, first, lambda: view.cells(level).collection(box), media=GEOJSON)


@router.get(
    "/api/circles", response_model=CollectionOut, summary="服务圈（GeoJSON）",
    dependencies=[Everyone],
)  # fmt: skip
def circles(
    request: Request,
    first: First,
    view: View,
    box: Within,
    minutes: Annotated[float | None, Query(description="Walking minutes, all if absent")] = None,
) -> Response:
    """Return the service circles of the stations as GeoJSON."""
    return versioned(request, first, lambda: view.circles(minutes, box), media=GEOJSON)


@router.get(
    "/api/stations", response_model=CollectionOut, summary="服务站（GeoJSON）",
    dependencies=[Everyone],
)  # fmt: skip
def stations(request: Request, first: First, view: View) -> Response:
    """Return the stations as GeoJSON."""
    return versioned(request, first, view.stations, media=GEOJSON)


@router.get("/where", response_model=WhereOut, include_in_schema=False, dependencies=[Everyone])
@router.get(
    "/api/where", response_model=WhereOut, summary="某地属于哪些网格、最近的服务站",
    dependencies=[Everyone],
)  # fmt: skip
def where(request: Request, first: First, view: View, lon: Longitude, lat: Latitude) -> Response:
    """Return the cells that hold a place, coarse to fine, and the nearest station.

    The distance is a straight line, not a walk.
    """
    return versioned(request, first, lambda: view.where(lon, lat))


@router.get("/openapi.json", include_in_schema=False, dependencies=[open_to_all()])
def contract(request: Request) -> dict[str, Any]:
    """Return the description of all routes."""
    found: dict[str, Any] = request.app.openapi()
    return found


@router.get(
    "/docs", response_class=HTMLResponse, include_in_schema=False, dependencies=[open_to_all()]
)
def listing(request: Request) -> HTMLResponse:
    """Return a plain list of the routes that needs no script from elsewhere."""
    rows = [
        f"<dt><code>{verb.upper()} {html.escape(path)}</code> {html.escape(entry['summary'])}</dt>"
        f"<dd>{html.escape(entry['description'])}</dd>"
        for path, verbs in request.app.openapi()["paths"].items()
        for verb, entry in verbs.items()
    ]
    return HTMLResponse(
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>geogrid</title>'
        '<link rel="icon" href="data:,"></head><body><h1>geogrid</h1>'
        f'<dl>{"".join(rows)}</dl><p><a href="openapi.json">openapi.json</a></p></body></html>'
    )
