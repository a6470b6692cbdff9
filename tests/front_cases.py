"""An application behind its front, both in one loop: what a process of its own would answer."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx

from geogrid.api.behind import Behind
from geogrid.api.herald import Herald
from geogrid.api.settings import ServiceSettings, front_settings
from geogrid.front.process import Front


@asynccontextmanager
async def behind_front(app, *, client=("127.0.0.1", 123), **settings):
    """Give a client of the front, the front, and what answers behind it."""
    front = Front(front_settings(ServiceSettings(**settings)))
    state = getattr(app, "state", None)
    herald = None if state is None else Herald(state.desk, state.door, state.tiles)
    behind = Behind(app, herald)
    one, other = socket.socketpair()
    answering = asyncio.create_task(behind.run(other))
    async with front.connected(one):
        transport = httpx.ASGITransport(front.app, raise_app_exceptions=False, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://front") as asking:
            yield SimpleNamespace(client=asking, front=front, behind=behind, wire=other)
    await asyncio.wait_for(answering, 10)
