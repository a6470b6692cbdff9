"""The process of the front: ``python -m geogrid.front.process LISTENER WIRE SETTINGS``.

The first two are descriptors of sockets that the application made, the third is JSON. It ends when
it is told to, and at once when the application is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn

from geogrid.front.guard import Guard
from geogrid.front.lane import TileLane
from geogrid.front.mirror import Mirror
from geogrid.front.relay import Relay
from geogrid.front.settings import GRACE_S, QUIET_S, FrontSettings
from geogrid.front.unforeseen import Unforeseen
from geogrid.front.wire import Frame, Kind, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.types import ASGIApp

__all__ = ["Front", "main"]

_BEAT_S = 0.5


class _Server(uvicorn.Server):
    """A server that leaves signals to the application, whose process gets them too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


class Front:
    """The application that the server runs, and what it is told over the wire.

    Attributes
    ----------
    app
        Limits, ready tiles, and what is passed on.
    mirror
        What the public sees.
    """

    def __init__(self, settings: FrontSettings) -> None:
        self.mirror = Mirror()
        self._relay = Relay()
        inner: ASGIApp = TileLane(self._relay, self.mirror)
        self.app: ASGIApp = Guard(Unforeseen(inner), settings)
        self._end: Callable[[bool], None] = lambda _: None

    @asynccontextmanager
    async def connected(
        self, sock: socket.socket, end: Callable[[bool], None] = lambda _: None
    ) -> AsyncIterator[None]:
        """Be connected with the application.

        Parameters
        ----------
        end
            Called when nothing more shall be taken, and told whether at once.
        """
        self._end = end
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: Wire(self._take, self._lost), sock=sock)
        self._relay.wire = wire
        asking = asyncio.create_task(self._ask(wire))
        try:
            yield
        finally:
            asking.cancel()
            wire.close()

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.STOP:
            self._end(False)  # noqa: FBT003 - not at once
        elif not self.mirror.take(frame):
            self._relay.take(frame)

    def _lost(self) -> None:
        self.mirror.forget()
        self._relay.lost()
        self._end(True)  # noqa: FBT003 - without the application there is nothing to serve

    async def _ask(self, wire: Wire) -> None:
        """Ask again and again what the public sees of what it looks at."""
        while wire.is_open:
            plans = self.mirror.watched()
            if plans:
                wire.send(Frame(Kind.WATCHED, 0, {"plans": plans}))
            await asyncio.sleep(_BEAT_S)


async def _serve(settings: FrontSettings, listener: socket.socket, sock: socket.socket) -> None:
    """Serve until told to stop."""
    front = Front(settings)
    server = _Server(
        uvicorn.Config(
            front.app, lifespan="off", log_level="warning", server_header=False, ws="none",
            timeout_graceful_shutdown=GRACE_S, timeout_keep_alive=QUIET_S,
        )
    )  # fmt: skip

    def end(is_at_once: bool) -> None:  # noqa: FBT001 - a callback
        if is_at_once:
            # Nobody is told that something failed of which nobody knows whether it was done.
            os._exit(1)
        server.should_exit = True

    async with front.connected(sock, end):
        await server.serve(sockets=[listener])


def main() -> None:
    """Run the front."""
    # The application gets them too, and says when to stop.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    listener, sock = (socket.socket(fileno=int(one)) for one in sys.argv[1:3])
    asyncio.run(_serve(FrontSettings(**json.loads(sys.argv[3])), listener, sock))


if __name__ == "__main__":
    main()
