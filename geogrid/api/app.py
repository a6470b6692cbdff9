"""The application: the plans of a store over HTTP."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from fastapi import FastAPI

from geogrid.api import (
    cells,
    edits,
    ground,
    ogc,
    outputs,
    plans,
    routes,
    session,
    tiles,
    web,
)
from geogrid.api.desk import Desk
from geogrid.api.guard import Guard
from geogrid.api.problems import add_problem_handlers
from geogrid.api.security import Door
from geogrid.api.settings import ServiceSettings
from geogrid.api.tile_desk import TileDesk
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.store import Store

__all__ = ["ROUTERS", "create_app", "serve"]

ROUTERS = (
    routes.router, session.router, plans.router, cells.router, tiles.router, outputs.router,
    edits.router, ground.router, ogc.router, web.router,
)  # fmt: skip


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
    )
    app.state.desk = Desk(store, known)
    app.state.door = Door(store, known)
    app.state.tiles = TileDesk(app.state.desk)
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Guard, settings=known)
    return app


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
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
