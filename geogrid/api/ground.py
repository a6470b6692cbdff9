"""Routes for those who redraw: borders as arcs, and the atoms that can be painted."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from fastapi import APIRouter, Request
from fastapi.responses import Response  # noqa: TC002 - FastAPI reads it

from geogrid.accounts.roles import Action
from geogrid.api.answers import GEOJSON, AskedIs, DeskIs, Within, json_text, versioned
from geogrid.api.arcs import arcs_of
from geogrid.api.security import CallerIs, requires
from geogrid.errors import InputError
from geogrid.maps.coding import to_degrees

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/plans/{plan}/versions/{v}")

_MOST_CELLS = 2000
_MOST_ATOMS = 20_000


@router.get("/arcs", summary="界线（可拖动）", dependencies=[requires(Action.EDIT_PLAN)])
def arcs(request: Request, desk: DeskIs, asked: AskedIs, box: Within) -> Response:
    """Return the borders of the cells in a box, each once, with the cells on both sides."""
    view = desk.view(asked.plan, asked.version)
    finest = view.plan.scheme.area_levels[-1].key
    rows = view.features[finest].rows_in(box)
    if len(rows) > _MOST_CELLS:
        msg = f"{len(rows)} cells lie in this box: zoom in until there are {_MOST_CELLS} or fewer"
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
        msg = f"{len(rows)} atoms lie in this box: zoom in until there are {_MOST_ATOMS} or fewer"
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
