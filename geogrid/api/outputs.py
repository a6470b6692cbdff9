"""Routes that compare two versions or two plans, and hand a version out as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from geogrid.accounts.roles import Action
from geogrid.api.answers import AskedIs, DeskIs, has_already, json_text, kept_headers, versioned
from geogrid.api.files import MEDIA, public_file
from geogrid.api.moves import atom_moves, groups_of, told_moves
from geogrid.api.plan_pairs import told_pair
from geogrid.api.security import CallerIs, requires

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.api.desk import Asked, Desk
    from geogrid.api.exports import ExportGate
    from geogrid.api.plan_pairs import PlanPairs
    from geogrid.store import VersionDiff

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/plans/{plan}/versions/{v}")

Format = Literal["gpkg", "geojson", "xlsx", "kml", "shp"]


@router.get("/compare/{other}", summary="版本对比", dependencies=[requires(Action.VIEW_PLAN)])
def compare(
    request: Request, desk: DeskIs, caller: CallerIs, asked: AskedIs, other: str
) -> Response:
    """Return which cells of another version are not as in this one, and which households moved.

    Counts of households below ten are told to those alone who may see households of both cells.
    """
    after = desk.asked(asked.plan, other, caller)

    def make() -> str:
        diff = desk.store.diff(asked.version, after.version)
        was = desk.view(asked.plan, asked.version)
        now = desk.view(asked.plan, after.version)
        groups = groups_of(atom_moves(was.plan, now.plan), now.plan)
        moves, moved = told_moves(groups, (was, now), caller)
        levels = {
            key: {
                "changed": len(one.codes),
                "added": list(one.added),
                "removed": list(one.removed),
                "redrawn": list(one.redrawn),
                "renamed": list(one.renamed),
                "moved_households_text": moved.get(key, "0"),
            }
            for key, one in diff.levels.items()
        }
        cells = _changed_cells(desk, asked.plan, after.version, diff)
        return f'{{"levels":{json_text(levels)},"moves":{json_text(moves)},"cells":{cells}}}'

    return _untagged(request, asked, make)


@router.get("/compare", summary="两个方案对比", dependencies=[requires(Action.VIEW_PLAN)])
def compare_plans(
    request: Request, desk: DeskIs, caller: CallerIs, asked: AskedIs,
    other: Annotated[str, Query(description="Another plan, 另一方案")],
    version: Annotated[str, Query(description="A version of it, or head, 其版本")] = "head",
) -> Response:  # fmt: skip
    """Return which cells of this version go on as which of another plan, and who moves.

    Both plans are of one coordinate system and share some ground and a level; their atoms and
    codes may differ. Counts of households below ten are told to those alone who may see households
    of both cells.
    """
    after = desk.asked(other, version, caller)

    def make() -> str:
        pairs: PlanPairs = request.app.state.plan_pairs
        return told_pair(desk, (asked, after), pairs.of(desk, asked, after), caller)

    return _untagged(request, asked, make)


def _untagged(request: Request, asked: Asked, make: Callable[[], str]) -> Response:
    """Answer what two versions and the rights of the caller make: no tag of one tells it."""
    found = versioned(request, asked, make)
    del found.headers["ETag"]
    found.headers["Cache-Control"] = "no-store"
    return found


@router.get("/export", summary="导出公开数据", dependencies=[requires(Action.EXPORT_PUBLIC)])
async def export(
    request: Request, desk: DeskIs, caller: CallerIs, asked: AskedIs,
    format: Format = "gpkg",  # noqa: A002 - the contract's word
) -> Response:  # fmt: skip
    """Return the cells of all levels, stations and circles as a file; hidden counts stay so.

    A few are made at a time: 429 says when to try again.
    """
    # Whoever has the file already needs no place.
    if has_already(request.headers.get("if-none-match"), asked.tag):
        return Response(status_code=304, headers=kept_headers(asked.tag))
    media, ending = MEDIA[format]
    name = f"{asked.plan}-{asked.version}.{ending}"

    def made() -> Response:
        view = desk.view(asked.plan, asked.version)
        return versioned(
            request, asked, lambda: public_file(view, format), media=media,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip

    address = request.client.host if request.client else ""
    gate: ExportGate = request.app.state.exports
    async with gate.place(caller, address):
        return await run_in_threadpool(made)


def _changed_cells(desk: Desk, plan: str, version: str, diff: VersionDiff) -> str:
    texts = []
    for key, one in diff.levels.items():
        wanted = set(one.codes)
        table = desk.view(plan, version).features[key]
        texts += [
            text
            for text, values in zip(table.texts, table.properties, strict=True)
            if values["code"] in wanted
        ]
    return f'{{"type":"FeatureCollection","features":[{",".join(texts)}]}}'
