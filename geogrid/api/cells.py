"""Routes that ask about cells, stations, circles and places of a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response  # noqa: TC002 - FastAPI reads it

from geogrid.accounts.roles import Action
from geogrid.api.answers import GEOJSON, AskedIs, DeskIs, Latitude, Longitude, Within, versioned
from geogrid.api.defects import defect_collection
from geogrid.api.problems import NotInPlanError
from geogrid.api.security import requires

if TYPE_CHECKING:
    from geogrid.api.view import PlanView

__all__ = ["router"]

router = APIRouter(
    prefix="/api/v1/plans/{plan}/versions/{v}", dependencies=[requires(Action.VIEW_MAP)]
)

Level = Annotated[str, Query(description="Key, name or alias of a level, 层级")]
Minutes = Annotated[float | None, Query(description="Walking minutes, 步行分钟")]

_MOST_FOUND = 50


@router.get("/cells", summary="网格（GeoJSON）")
def cells(
    request: Request,
    desk: DeskIs,
    asked: AskedIs,
    box: Within,
    level: Level = "",
    code: str = "",
    q: str = "",
) -> Response:
    """Return cells of a level, the coarsest if none is named, by box, code or words."""
    view = desk.view(asked.plan, asked.version)

    def make() -> str:
        table = view.cells(level)
        rows = table.rows_in(box)
        if code or q:
            rows = [row for row in rows if _fits(table.properties[row], code, q)]
        return table.chosen(rows)

    return versioned(request, asked, make, media=GEOJSON)


@router.get("/cells/{code}", summary="一个网格（GeoJSON）")
def cell(request: Request, desk: DeskIs, asked: AskedIs, code: str) -> Response:
    """Return one cell by its code."""
    view = desk.view(asked.plan, asked.version)
    return versioned(request, asked, lambda: _one(view, code), media=GEOJSON)


@router.get("/search", summary="按名称或编码查找网格")
def search(
    request: Request,
    desk: DeskIs,
    asked: AskedIs,
    q: Annotated[str, Query(min_length=1, max_length=100, description="Words, 名称或编码")],
) -> Response:
    """Return cells whose name or code holds some words, coarse to fine."""
    view = desk.view(asked.plan, asked.version)
    return versioned(request, asked, lambda: _found(view, q))


@router.get("/stations", summary="服务站（GeoJSON）")
def stations(request: Request, desk: DeskIs, asked: AskedIs) -> Response:
    """Return the stations."""
    view = desk.view(asked.plan, asked.version)
    return versioned(request, asked, view.stations, media=GEOJSON)


@router.get("/circles", summary="服务圈（GeoJSON）")
def circles(
    request: Request, desk: DeskIs, asked: AskedIs, box: Within, minutes: Minutes = None
) -> Response:
    """Return the service circles of the stations."""
    view = desk.view(asked.plan, asked.version)
    return versioned(request, asked, lambda: view.circles(minutes, box), media=GEOJSON)


@router.get("/unserved", summary="盲区排名")
def unserved(
    request: Request, desk: DeskIs, asked: AskedIs, level: Level = "", minutes: Minutes = None
) -> Response:
    """Return the cells with unserved households, most of them first."""
    view = desk.view(asked.plan, asked.version)
    return versioned(request, asked, lambda: view.unserved(level, minutes))


@router.get("/defects", summary="问题清单（GeoJSON）")
def defects(request: Request, desk: DeskIs, asked: AskedIs) -> Response:
    """Return what is wrong with a version; a defect at somebody's home has no place."""
    view = desk.view(asked.plan, asked.version)
    version = desk.store.version(asked.version)
    return versioned(request, asked, lambda: defect_collection(view, version), media=GEOJSON)


@router.get("/certificate", summary="覆盖证明")
def certificate(request: Request, desk: DeskIs, asked: AskedIs) -> Response:
    """Return what was proven of a version."""
    version = desk.store.version(asked.version)
    if version.certificate is None:
        msg = f"nothing was proven of version {version.id}"
        raise NotInPlanError(msg)
    return versioned(request, asked, version.certificate.to_dict)


@router.get("/where", summary="某地属于哪些网格、最近的服务站")
def where(
    request: Request, desk: DeskIs, asked: AskedIs, lon: Longitude, lat: Latitude
) -> Response:
    """Return the cells that hold a place, coarse to fine, and the nearest station."""
    view = desk.view(asked.plan, asked.version)
    return versioned(request, asked, lambda: view.where(lon, lat))


def _fits(values: dict[str, Any], code: str, words: str) -> bool:
    if code and values["code"] != code:
        return False
    wanted = words.casefold()
    return wanted in values["name"].casefold() or values["code"].startswith(words)


def _one(view: PlanView, code: str) -> str:
    for table in view.features.values():
        for row, values in enumerate(table.properties):
            if values["code"] == code:
                return table.texts[row]
    msg = f"this version has no cell {code!r}: check the code"
    raise NotInPlanError(msg)


def _found(view: PlanView, words: str) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = []
    for key, table in view.features.items():
        for row, values in enumerate(table.properties):
            if _fits(values, "", words):
                hits.append(
                    {
                        "code": values["code"],
                        "name": values["name"],
                        "level": key,
                        "centre": table.centre(row),
                    }
                )
                if len(hits) == _MOST_FOUND:
                    return hits
    return hits
