"""The application: the plans of a store over HTTP."""

from __future__ import annotations

import socket
import sys
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
from geogrid.api.cookies import Cookies
from geogrid.api.declared import declare_answers
from geogrid.api.desk import Desk
from geogrid.api.guard import Guard
from geogrid.api.ogc_shown import Shelf
from geogrid.api.oidc import OidcDesk
from geogrid.api.problems import add_problem_handlers
from geogrid.api.runner import Runner
from geogrid.api.security import Door
from geogrid.api.settings import ServiceSettings
from geogrid.api.tile_desk import TileDesk
from geogrid.api.tile_lane import TileLane
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import FrameType

    from geogrid.store import Store

__all__ = ["ROUTERS", "create_app", "serve"]

# Whoever has an answer coming this long after the service was told to stop goes without.
_GRACE_S = 3
# A browser that is quiet for so long calls again; people look at a map before they move it.
_QUIET_S = 65

# They are looked through in this order: what programs ask for most stands first.
ROUTERS = (
    ogc.router, routes.router, session.router, oidc.router, accounts.router, audit.router,
    plans.router, cells.router, tiles.router, outputs.router,
    edits.router, ground.router, ogc_tiles.router, ogc_contract.router,
    public_settings.router, jobs.router, uploads.router, web.router,
)  # fmt: skip

# Whoever answers from memory needs the interpreter for moments only, and must not wait its usual
# five milliseconds for each while an edit is worked out.
_TURN_S = 0.0002


def create_app(store: Store, settings: ServiceSettings | None = None) -> FastAPI:
    """Return an application that shows and edits the plans of a store.

    Parameters
    ----------
    store
        What :func:`geogrid.store.open_store` gave; whoever opened it closes it.
    settings
        What whoever runs the service decided.
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
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    declare_answers(app)
    app.add_middleware(Cookies, settings=known)
    app.add_middleware(TileLane)
    app.add_middleware(Guard, settings=known)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Do the work that waits while the service runs."""
    app.state.runner.start()
    try:
        yield
    finally:
        await run_in_threadpool(app.state.runner.stop)


def serve(
    store: Store,
    settings: ServiceSettings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve the plans of a store until the process is stopped.

    Parameters
    ----------
    store, settings
        As for :func:`create_app`.
    host, port
        Where to listen; only this machine unless another host is named. Port 0 takes a free one.
    ready
        Told the address once the service listens there.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """
    import uvicorn  # noqa: PLC0415 - making an application needs no server

    app = create_app(store, settings)
    try:
        listener = socket.create_server((host, port))
    except OSError as fault:
        msg = f"{host}:{port} cannot be listened on ({fault.strerror}): choose another host or port"
        raise InputError(msg) from fault
    with listener:
        # Whoever accepts does not know that this is TCP, and would hold small answers back.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready(f"http://{host}:{listener.getsockname()[1]}/")
        config = uvicorn.Config(
            app, log_level="warning", server_header=False, timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=_QUIET_S,
        )  # fmt: skip

        class Server(uvicorn.Server):
            """A server that lets those go who watch a job, or it would wait for them."""

            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                app.state.runner.let_go()
                super().handle_exit(sig, frame)

        sys.setswitchinterval(_TURN_S)
        Server(config).run(sockets=[listener])
