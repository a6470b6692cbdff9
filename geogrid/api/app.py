"""The application: the plans of a store over HTTP."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from geogrid.api import (
    accounts,
    audit,
    cells,
    edits,
    ground,
    jobs,
    ogc,
    ogc_contract,
    ogc_tiles,
    oidc,
    outputs,
    plans,
    public_settings,
    routes,
    session,
    tiles,
    uploads,
    web,
)
from geogrid.api.at_hand import DeskAtHand
from geogrid.api.cookies import Cookies
from geogrid.api.declared import declare_answers
from geogrid.api.desk import Desk
from geogrid.api.exports import ExportGate
from geogrid.api.ogc_shown import Shelf
from geogrid.api.oidc import OidcDesk
from geogrid.api.plan_pairs import PlanPairs
from geogrid.api.problems import add_problem_handlers
from geogrid.api.runner import Runner
from geogrid.api.security import Door
from geogrid.api.settings import ServiceSettings, front_settings
from geogrid.api.tile_desk import TileDesk
from geogrid.front.guard import Guard
from geogrid.front.lane import TileLane
from geogrid.front.unforeseen import Unforeseen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from geogrid.store import Store

__all__ = ["ROUTERS", "create_app"]

# They are looked through in this order: what programs ask for most stands first.
ROUTERS = (
    ogc.router, routes.router, session.router, oidc.router, accounts.router, audit.router,
    plans.router, cells.router, tiles.router, outputs.router,
    edits.router, ground.router, ogc_tiles.router, ogc_contract.router,
    public_settings.router, jobs.router, uploads.router, web.router,
)  # fmt: skip


def create_app(
    store: Store, settings: ServiceSettings | None = None, *, has_front: bool = False
) -> FastAPI:
    """Return an application that shows and edits the plans of a store.

    Parameters
    ----------
    store
        What :func:`geogrid.store.open_store` gave; whoever opened it closes it.
    settings
        What whoever runs the service decided.
    has_front
        Whether a process of its own (:mod:`geogrid.front`) limits rate and size, puts on headers
        and answers ready tiles.
    """
    known = settings or ServiceSettings()
    # The usual pages of documentation load scripts from the network.
    app = FastAPI(
        title="geogrid",
        summary="网格化治理方案服务",
        description="Plans of nested grids: cells, stations, circles, who is responsible for a "
        "place, and the editing of plans. Counts of households below ten are never shown to the "
        "public as numbers.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    app.state.desk = Desk(store, known)
    app.state.runner = Runner(store, known.maps)
    app.state.door = Door(store, known)
    app.state.oidc = None if known.oidc is None else OidcDesk(known.oidc)
    app.state.tiles = TileDesk(app.state.desk)
    app.state.shelf = Shelf()
    app.state.exports = ExportGate()
    app.state.plan_pairs = PlanPairs()
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    declare_answers(app)
    app.add_middleware(Cookies, settings=known)
    if not has_front:
        at_hand = DeskAtHand(app.state.desk, app.state.door, app.state.tiles)
        app.add_middleware(TileLane, at_hand=at_hand)
    app.add_middleware(Unforeseen)
    if not has_front:
        app.add_middleware(Guard, settings=front_settings(known))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Do the work that waits while the service runs."""
    app.state.runner.start()
    try:
        yield
    finally:
        await run_in_threadpool(app.state.runner.stop)
