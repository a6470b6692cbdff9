"""The application: one plan over HTTP, read only."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import Response

from geogrid.api.problems import add_problem_handlers
from geogrid.api.routes import router
from geogrid.api.view import PlanView
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request

    from geogrid.model.extract import OsmExtract

__all__ = ["create_app", "serve"]

# The map page brings a policy of its own; nothing else may run or load anything.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def create_app(plan_path: Path, *, extract: OsmExtract | None = None) -> FastAPI:
    """Return an application that answers questions about a plan file.

    Parameters
    ----------
    plan_path
        The plan file; it is read once, here.
    extract
        Its streets become the base map of the page.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If the file is not a plan of geogrid.
    """
    # The usual pages of documentation load scripts from the network.
    app = FastAPI(
        title="geogrid",
        summary="网格化治理方案查询服务",
        description="One plan of nested grids: cells, stations, circles, and who is responsible "
        "for a place. Counts of households below ten are never shown as numbers.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.view = PlanView(Path(plan_path), extract=extract)
    tag = f'"{app.state.view.digest}"'
    add_problem_handlers(app)
    app.include_router(router)

    @app.middleware("http")
    async def _headers(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await answer(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = _POLICY
        if response.status_code != 200 or request.url.path == "/healthz":  # noqa: PLR2004 - OK
            return response
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = "no-cache"
        if tag in request.headers.get("if-none-match", "").replace("W/", ""):
            kept = {"ETag": tag, "Cache-Control": "no-cache"}
            return Response(status_code=304, headers=kept)
        return response

    return app


def serve(
    plan_path: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    extract: OsmExtract | None = None,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a plan file until the process is stopped.

    Parameters
    ----------
    plan_path
        The plan file.
    host, port
        Where to listen; only this machine unless another host is named. Port 0 takes a free one.
    extract
        Its streets become the base map of the page.
    ready
        Told the address once the service listens there.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """
    import uvicorn  # noqa: PLC0415 - making an application needs no server

    app = create_app(plan_path, extract=extract)
    try:
        listener = socket.create_server((host, port))
    except OSError as fault:
        msg = f"{host}:{port} cannot be listened on ({fault.strerror}): choose another host or port"
        raise InputError(msg) from fault
    with listener:
        ready(f"http://{host}:{listener.getsockname()[1]}/")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
