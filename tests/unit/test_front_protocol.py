"""Strangers who say too much, or too little, are hung up on."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn

from geogrid.front import protocol
from geogrid.front.protocol import PatientProtocol

pytestmark = pytest.mark.network

HEADERS = [(b"content-length", b"5")]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def hello(scope, receive, send):  # noqa: ARG001 - ASGI
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello"})


def talk(say):
    """Let a client talk to a server of its own."""

    async def work():
        config = uvicorn.Config(hello, http=PatientProtocol, lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            return await asyncio.wait_for(say(reader, writer), 20)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    return asyncio.run(work())


async def answered(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readuntil(b"hello")
    return head.split()[1]


async def hung_up(reader):
    """Whether the other end hangs up."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


def test_a_browser_that_asks_again_and_again_is_answered(monkeypatch):
    monkeypatch.setattr(protocol, "_PATIENCE_S", 1.0)

    async def say(reader, writer):
        found = []
        for _ in range(3):
            writer.write(GET + b"X-Long: " + b"x" * 50_000 + b"\r\n\r\n")
            found.append(await answered(reader))
            await asyncio.sleep(1.2)
        return found

    assert talk(say) == [b"200"] * 3


def test_who_sends_an_endless_head_is_hung_up_on():
    async def say(reader, writer):
        writer.write(GET)
        for _ in range(40):
            writer.write(b"X-Long: " + b"x" * 5000 + b"\r\n")
            await asyncio.sleep(0)
        return await hung_up(reader)

    assert talk(say)


@pytest.mark.parametrize("said", [b"", GET, GET + b"\r\n"])
def test_who_does_not_come_to_the_end_of_a_head_is_hung_up_on(said, monkeypatch):
    monkeypatch.setattr(protocol, "_PATIENCE_S", 0.2)

    async def say(reader, writer):
        writer.write(said)
        if said.endswith(b"\r\n\r\n"):
            await answered(reader)
            # The next one is begun and not ended.
            writer.write(GET)
        return await hung_up(reader)

    assert talk(say)
