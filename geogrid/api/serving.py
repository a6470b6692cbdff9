"""Serving an application until it is told to stop: behind a front of its own, or alone."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from geogrid.api.app import create_app
from geogrid.api.behind import Behind
from geogrid.api.herald import Herald
from geogrid.api.settings import front_settings
from geogrid.errors import InputError
from geogrid.front.settings import GRACE_S, QUIET_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from fastapi import FastAPI

    from geogrid.api.settings import ServiceSettings
    from geogrid.front.settings import FrontSettings
    from geogrid.store import Store

__all__ = ["HAS_FRONT", "serve"]

_LOG = logging.getLogger(__name__)
_AGAIN_S = 1.0
# A front that has not ended by then hangs, and is ended.
_LAST_S = GRACE_S + 3
# Sockets are handed to another process by their numbers, which Windows does not have.
HAS_FRONT = sys.platform != "win32"
# One process alone answers tiles while it works out edits: then nobody waits the usual five
# milliseconds for each turn of the interpreter.
_TURN_S = 0.0002


def serve(
    store: Store,
    settings: ServiceSettings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    ready: Callable[[str], None] = lambda _: None,
    has_front: bool | None = None,
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
    has_front
        Whether a second process owns the socket and answers what is at hand, so that nobody who
        looks at a map waits for those who edit; as a rule everywhere but on Windows.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """
    has_front = HAS_FRONT if has_front is None else has_front
    app = create_app(store, settings, has_front=has_front)
    try:
        listener = socket.create_server((host, port))
    except OSError as fault:
        msg = f"{host}:{port} cannot be listened on ({fault.strerror}): choose another host or port"
        raise InputError(msg) from fault
    with listener:
        # Whoever accepts does not know that this is TCP, and would hold small answers back.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready(f"http://{host}:{listener.getsockname()[1]}/")
        if has_front:
            asyncio.run(_serve_behind(app, listener, front_settings(app.state.desk.settings)))
        else:
            _serve_alone(app, listener)


def _serve_alone(app: FastAPI, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - behind a front no server is needed

    config = uvicorn.Config(
        app, log_level="warning", server_header=False, timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=QUIET_S,
    )  # fmt: skip

    class Server(uvicorn.Server):
        """A server that lets those go who watch a job, or it would wait for them."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.runner.let_go()
            super().handle_exit(sig, frame)

    sys.setswitchinterval(_TURN_S)
    Server(config).run(sockets=[listener])


async def _serve_behind(app: FastAPI, listener: socket.socket, settings: FrontSettings) -> None:
    """Answer what a front passes on, and put up another one if it falls."""
    state = app.state
    stopping = asyncio.Event()
    behind: Behind | None = None

    def stop() -> None:
        state.runner.let_go()
        stopping.set()
        if behind is not None:
            behind.stop()

    with _signals(stop):
        async with app.router.lifespan_context(app):
            while not stopping.is_set():
                behind = Behind(app, Herald(state.desk, state.door, state.tiles))
                try:
                    await _answered(behind, listener, settings, stopping)
                except OSError as fault:
                    _LOG.error("no front can be started: %s", fault.strerror)
                if not stopping.is_set():
                    _LOG.error("the front of the service fell: it is started again")
                    await asyncio.sleep(_AGAIN_S)
            # Whoever comes now is turned away and does not wait for the last answers.
            listener.close()


async def _answered(
    behind: Behind, listener: socket.socket, settings: FrontSettings, stopping: asyncio.Event
) -> None:
    """Answer what a front passes on, until it falls, or some seconds after it was told to stop."""
    mine, others = socket.socketpair()
    with mine, _front(listener, others, settings):
        others.close()
        running = asyncio.create_task(behind.run(mine))
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({running}, timeout=_LAST_S)
        for one in (running, told):
            one.cancel()


@contextmanager
def _front(
    listener: socket.socket, wire: socket.socket, settings: FrontSettings
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process of a front; it is ended at the end."""
    numbers = [listener.fileno(), wire.fileno()]
    said = [*map(str, numbers), json.dumps(asdict(settings))]
    front = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "geogrid.front.process", *said],
        pass_fds=numbers, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield front
    finally:
        front.kill()
        front.wait()


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call a function when the process is asked to end."""
    loop = asyncio.get_running_loop()
    known = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    for one in known:
        loop.add_signal_handler(one, stop)
    try:
        yield
    finally:
        for one in known:
            loop.remove_signal_handler(one)
