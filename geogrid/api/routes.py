"""The routes: parse, ask the view, answer."""

from __future__ import annotations

import html
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from geogrid.api.schemas import (
    CollectionOut,
    HealthOut,
    LevelOut,
    PlanOut,
    ProblemOut,
    WhereOut,
)
from geogrid.api.view import Box, PlanView, shown_count
from geogrid.maps.data import district_layer
from geogrid.maps.disclosure import count_text

__all__ = ["router"]

_PROBLEM = {"model": ProblemOut, "content": {"application/problem+json": {}}}
router = APIRouter(responses={404: _PROBLEM, 422: _PROBLEM})


def view_of(request: Request) -> PlanView:
    """Return the plan that this application serves."""
    view: PlanView = request.app.state.view
    return view


def box_of(
    bbox: Annotated[str, Query(description="west,south,east,north in degrees, 经纬度范围")] = "",
) -> Box | None:
    """Return the box that was asked for, if any."""
    return Box.parse(bbox) if bbox else None


View = Annotated[PlanView, Depends(view_of)]
Within = Annotated[Box | None, Depends(box_of)]
Longitude = Annotated[float, Query(ge=-180, le=180, description="Longitude, WGS 84, 经度")]
Latitude = Annotated[float, Query(ge=-90, le=90, description="Latitude, WGS 84, 纬度")]


@router.get("/", response_class=HTMLResponse, summary="离线地图页面")
def map_page(view: View) -> HTMLResponse:
    """Return the map of the plan as one page that asks the network for nothing more."""
    return HTMLResponse(view.page())


@router.get("/healthz", response_model=HealthOut, summary="运行状态")
async def health(view: View) -> dict[str, str]:
    """Tell that the service is up."""
    return {"status": "ok", "version": view.plan.version}


@router.get("/api/plan", response_model=PlanOut, summary="方案概况、证明与数据来源")
async def plan_summary(view: View) -> dict[str, Any]:
    """Return what the plan is, what was proven of it, and where its data came from."""
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
        "sources": [source.to_dict() for source in plan.sources],
        "bounds": district["bounds"],
    }


@router.get("/api/levels", response_model=list[LevelOut], summary="层级及户数标准")
async def levels(view: View) -> list[dict[str, Any]]:
    """Return the levels that have cells of their own, coarse to fine."""
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


@router.get("/api/cells", response_model=CollectionOut, summary="某一层级的网格（GeoJSON）")
async def cells(
    view: View,
    box: Within,
    level: Annotated[str, Query(description="Key, name or alias; coarsest if empty, 层级")] = "",
) -> Response:
    """Return the cells of a level as GeoJSON in EPSG:4326."""
    return _geojson(view.cells(level).collection(box))


@router.get("/api/circles", response_model=CollectionOut, summary="服务圈（GeoJSON）")
async def circles(
    view: View,
    box: Within,
    minutes: Annotated[float | None, Query(description="Walking minutes, all if absent")] = None,
) -> Response:
    """Return the service circles of the stations as GeoJSON."""
    return _geojson(view.circles(minutes, box))


@router.get("/api/stations", response_model=CollectionOut, summary="服务站（GeoJSON）")
async def stations(view: View) -> Response:
    """Return the stations as GeoJSON."""
    return _geojson(view.stations())


@router.get("/where", response_model=WhereOut, include_in_schema=False)
@router.get("/api/where", response_model=WhereOut, summary="某地属于哪些网格、最近的服务站")
async def where(view: View, lon: Longitude, lat: Latitude) -> dict[str, Any]:
    """Return the cells that hold a place, coarse to fine, and the nearest station.

    The distance is a straight line, not a walk.
    """
    return view.where(lon, lat)


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def listing(request: Request) -> HTMLResponse:
    """Return a plain list of the routes that needs no script from elsewhere."""
    rows = [
        f"<dt><code>GET {html.escape(path)}</code> {html.escape(entry['get']['summary'])}</dt>"
        f"<dd>{html.escape(entry['get']['description'])}</dd>"
        for path, entry in request.app.openapi()["paths"].items()
    ]
    return HTMLResponse(
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>geogrid</title>'
        '<link rel="icon" href="data:,"></head><body><h1>geogrid</h1>'
        f'<dl>{"".join(rows)}</dl><p><a href="openapi.json">openapi.json</a></p></body></html>'
    )


def _geojson(text: str) -> Response:
    return Response(text, media_type="application/geo+json")
