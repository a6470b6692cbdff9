"""Routes for those who redraw: borders as arcs, atoms that can be painted, households, lists."""

from __future__ import annotations

from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import shapely
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from geogrid.accounts.roles import Action
from geogrid.api.answers import GEOJSON, AskedIs, DeskIs, Within, json_text, versioned
from geogrid.api.arcs import arcs_of
from geogrid.api.homes import rows_within
from geogrid.api.lists import list_level, own_members, told_lists, told_members
from geogrid.api.problems import NotInPlanError
from geogrid.api.security import CallerIs, requires
from geogrid.errors import InputError
from geogrid.maps.coding import DECIMALS, to_degrees
from geogrid.model.counts import household_counts

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/plans/{plan}/versions/{v}")

_MOST_CELLS = 2000
_MOST_ATOMS = 20_000
_MOST_POINTS = 20_000

Limit = Annotated[int, Query(ge=1, le=_MOST_POINTS, description="At most so many, 条数")]
Offset = Annotated[int, Query(ge=0, description="Skip so many, 跳过条数")]
ListLevel = Annotated[
    str, Query(description="Key, name or alias of a level of lists, the finest if empty, 名册层级")
]
Cell = Annotated[str, Query(description="Code of an area cell that they live in, 所在网格")]


@router.get("/arcs", summary="界线（可拖动）", dependencies=[requires(Action.EDIT_PLAN)])
def arcs(request: Request, desk: DeskIs, asked: AskedIs, box: Within) -> Response:
    """Return the borders of the cells in a box, each once, with the cells on both sides."""
    view = desk.view(asked.plan, asked.version)
    finest = view.plan.scheme.area_levels[-1].key
    rows = view.features[finest].rows_in(box)
    if len(rows) > _MOST_CELLS:
        msg = (
            f"{len(rows)} cells lie in this box: zoom in until there are {_MOST_CELLS} or fewer "
            f"(此范围内有 {len(rows)} 个网格：请放大后编辑)"
        )
        raise InputError(msg)
    return versioned(request, asked, lambda: {"arcs": arcs_of(view.plan, rows)})


@router.get("/atoms", summary="地块（可划入）", dependencies=[requires(Action.VIEW_HOUSEHOLDS)])
def atoms(
    request: Request, desk: DeskIs, caller: CallerIs, asked: AskedIs, box: Within
) -> Response:
    """Return the atoms in a box; households are told in the caller's own area alone."""
    view = desk.view(asked.plan, asked.version)
    rows = view.atom_rows(box)
    if len(rows) > _MOST_ATOMS:
        msg = (
            f"{len(rows)} atoms lie in this box: zoom in until there are {_MOST_ATOMS} or fewer "
            f"(此范围内有 {len(rows)} 个地块：请放大后编辑)"
        )
        raise InputError(msg)
    plan = view.plan

    def make() -> str:
        frame = plan.atoms.frame.iloc[rows]
        codes = plan.leaf.to_numpy(str)[rows]
        own = {code: caller.may(Action.VIEW_HOUSEHOLDS, [code]) for code in np.unique(codes)}
        shapes = to_degrees(gpd.GeoSeries(frame.geometry)).to_numpy()
        features = [
            '{"type":"Feature","properties":'
            + json_text(
                {
                    "atom_id": atom, "cell": code,
                    "households": int(count) if own[code] else None,
                    "households_text": str(count) if own[code] else "",
                }
            )
            + f',"geometry":{shape}}}'
            for atom, code, count, shape in zip(
                frame["atom_id"], codes.tolist(), frame["households"], shapely.to_geojson(shapes),
                strict=True,
            )
        ]  # fmt: skip
        return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'

    found = versioned(request, asked, make, media=GEOJSON)
    found.headers["Cache-Control"] = "no-store"
    return found


@router.get(
    "/households", summary="住户点（本辖区，GeoJSON）",
    dependencies=[requires(Action.VIEW_HOUSEHOLDS)],
)  # fmt: skip
def households(
    desk: DeskIs, caller: CallerIs, asked: AskedIs, box: Within,
    limit: Limit = 5000, offset: Offset = 0,
) -> Response:  # fmt: skip
    """Return the household points in a box that lie in the caller's own area; never kept."""
    plan = desk.store.read(asked.version)
    found = desk.homes.atoms_of(asked.plan, asked.version, plan)
    if found is None:
        msg = (
            "this plan has no household points: it was brought in without them (方案没有住户点数据)"
        )
        raise NotInPlanError(msg)
    points, atom = found
    rows = np.flatnonzero(atom >= 0)
    if box is not None and points.crs is not None:
        rows = rows[np.isin(rows, rows_within(points, box))]
    codes = plan.leaf.to_numpy(object)[atom[rows]]
    own = {code: caller.may(Action.VIEW_HOUSEHOLDS, [code]) for code in set(codes.tolist())}
    is_own = np.array([own[code] for code in codes.tolist()], dtype=np.bool_)
    shown, codes = rows[is_own][offset : offset + limit], codes[is_own][offset : offset + limit]
    return Response(
        _points_text(points.iloc[shown], codes.tolist(), int(is_own.sum())), media_type=GEOJSON,
        headers={"Cache-Control": "no-store"},
    )  # fmt: skip


@router.get("/lists", summary="住户名册（本辖区）", dependencies=[requires(Action.VIEW_HOUSEHOLDS)])
def lists(
    desk: DeskIs, caller: CallerIs, asked: AskedIs,
    level: ListLevel = "", cell: Cell = "", limit: Limit = 5000, offset: Offset = 0,
) -> Response:  # fmt: skip
    """Return the lists of a level in the caller's own area with their households; never kept."""
    plan = desk.store.read(asked.version)
    wanted = list_level(plan, level)
    found = own_members(plan, wanted, cell, caller)
    return _unkept(told_lists(plan, wanted, found, limit=limit, offset=offset))


@router.get(
    "/members", summary="名册中的住户（本辖区，GeoJSON）",
    dependencies=[requires(Action.VIEW_HOUSEHOLDS)],
)  # fmt: skip
def members(
    desk: DeskIs, caller: CallerIs, asked: AskedIs, box: Within,
    level: ListLevel = "", cell: Cell = "", limit: Limit = 5000, offset: Offset = 0,
) -> Response:  # fmt: skip
    """Return the households of the caller's own area with the list each is in; never kept.

    Those without a point at hand have no geometry, and lie in no box.
    """
    plan = desk.store.read(asked.version)
    wanted = list_level(plan, level)
    found, points = own_members(plan, wanted, cell, caller), desk.homes.of(asked.plan, plan)
    told = told_members(wanted, found, points, box, limit=limit, offset=offset)
    return _unkept(told, media=GEOJSON)


def _unkept(body: dict[str, Any], *, media: str = "application/json") -> Response:
    return Response(json_text(body), media_type=media, headers={"Cache-Control": "no-store"})


def _points_text(points: gpd.GeoDataFrame, codes: list[str], matched: int) -> str:
    places = shapely.get_coordinates(to_degrees(gpd.GeoSeries(points.geometry)).to_numpy())
    names = points["household_id"].astype(str) if "household_id" in points else [""] * len(points)
    features = [
        {
            "type": "Feature",
            "properties": {"household_id": name, "households": int(count), "cell": code},
            "geometry": {"type": "Point", "coordinates": [round(x, DECIMALS), round(y, DECIMALS)]},
        }
        for name, count, code, (x, y) in zip(
            names, household_counts(points), codes, places.tolist(), strict=True
        )
    ]
    return json_text(
        {
            "type": "FeatureCollection", "numberMatched": matched,
            "numberReturned": len(features), "features": features,
        }
    )  # fmt: skip
