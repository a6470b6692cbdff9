"""The process of the front: ``python -m geogrid.front.process LISTENER WIRE SETTINGS``.

The first two are descriptors of sockets that the application made, the third is JSON. It ends when
it is told to, and at once when the application is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn

from geogrid.front.guard import Guard
from geogrid.front.lane import TileLane
from geogrid.front.mirror import Mirror
from geogrid.front.protocol import PatientProtocol
from geogrid.front.relay import Relay
from geogrid.front.settings import GRACE_S, QUIET_S, FrontSettings
from geogrid.front.unforeseen import Unforeseen
from geogrid.front.wire import Frame, Kind, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.types import ASGIApp

__all__ = ["Front", "main"]

_BEAT_S = 0.5
# Sockets and files of the process; some are its own.
_DESCRIPTORS, _SPARE = 16_384, 64


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
        self._stop: Callable[[], None] = _nothing
        self._end: Callable[[], None] = _nothing

    @asynccontextmanager
    async def connected(
        self,
        sock: socket.socket,
        *,
        stop: Callable[[], None] = lambda: None,
        lost: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[None]:
        """Be connected with the application.

        Parameters
        ----------
        stop
            Called when nothing more shall be taken.
        lost
            Called when the application is gone.
        """
        self._stop, self._end = stop, lost
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: Wire(self._take, self._lost), sock=sock)
        self._relay.wire = wire
        asking = asyncio.create_task(self._ask(wire))
        try:
            yield
        finally:
            self._end = _nothing
            asking.cancel()
            wire.close()

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.STOP:
            self._stop()
        elif not self.mirror.take(frame):
            self._relay.take(frame)

    def _lost(self) -> None:
        self._relay.lost()
        self._end()

    async def _ask(self, wire: Wire) -> None:
        """Ask again and again what the public sees of what it looks at."""
        while wire.is_open:
            plans = self.mirror.watched()
            if plans:
                wire.send(Frame(Kind.WATCHED, 0, {"plans": plans}))
            # An application that is held up is not asked again and again.
            await wire.room()
            await asyncio.sleep(_BEAT_S)


def _nothing() -> None:
    """Do nothing."""


def _most_connections() -> int:
    """Return how many may be open at a time, and let the process have what the machine allows."""
    most, hardest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hardest == resource.RLIM_INFINITY else min(_DESCRIPTORS, hardest)
    if most != resource.RLIM_INFINITY and most < wanted:
        # Some systems say that they allow what they do not.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hardest))
            most = wanted
    free = _DESCRIPTORS if most == resource.RLIM_INFINITY else most
    return max(1, min(_DESCRIPTORS, free) - _SPARE)


async def _serve(settings: FrontSettings, listener: socket.socket, sock: socket.socket) -> None:
    """Serve until told to stop."""
    front = Front(settings)
    server = _Server(
        uvicorn.Config(
            front.app, http=PatientProtocol, lifespan="off", log_level="warning",
            server_header=False, ws="none", limit_concurrency=_most_connections(),
            timeout_graceful_shutdown=GRACE_S, timeout_keep_alive=QUIET_S,
        )
    )  # fmt: skip

    def stop() -> None:
        server.should_exit = True

    # Nobody is told that something failed of which nobody knows whether it was done.
    async with front.connected(sock, stop=stop, lost=lambda: os._exit(1)):
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
