"""An application behind its front: the same answers, bodies in pieces, and those who leave."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from front_cases import behind_front

from geogrid.front.unforeseen import Unforeseen

PIECE, PIECES = 100_000, 40


def front_case(answer, ask, **settings):
    """Run what a client does against an application of one function."""

    async def work():
        async with behind_front(answer, **settings) as case:
            return await asyncio.wait_for(ask(case), 30)

    return asyncio.run(work())


async def echo(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    headers = [(b"x-was", value) for name, value in scope["headers"] if name == b"x-said"]
    headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    said = repr((scope["method"], scope["path"], scope["query_string"], scope["client"])).encode()
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": said + b"|" + body})


@pytest.mark.parametrize("body", [b"", b"text", bytes(range(256)) * 1000])
def test_requests_and_answers_come_through_as_they_are(body):
    async def ask(case):
        said = {"X-Said": "caf\u00e9".encode("latin-1")}
        return await case.client.post("/路/a%20b?q=%E5%8C%BA", content=body, headers=said)

    answer = front_case(echo, ask)
    assert answer.status_code == 201
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-was"] == "caf\u00e9"
    assert answer.headers["x-frame-options"] == "DENY"
    facts, _, came = answer.content.partition(b"|")
    assert came == body
    assert facts.decode() == "('POST', '/路/a b', b'q=%E5%8C%BA', ('127.0.0.1', 123))"


def test_a_body_is_read_only_as_far_as_the_application_wants_it():
    given = []

    async def pieces():
        for _ in range(PIECES):
            given.append(1)
            yield b"x" * PIECE

    async def refuse(scope, receive, send):  # noqa: ARG001 - ASGI
        await receive()
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(case):
        path = "/api/v1/projects/p/files"
        return await case.client.post(path, content=pieces(), headers={"Content-Length": "4000000"})

    assert front_case(refuse, ask).status_code == 403
    assert len(given) < 4


def test_a_file_that_is_larger_than_it_said_is_stopped_on_its_way():
    async def pieces():
        for _ in range(PIECES):
            yield b"x" * PIECE

    async def ask(case):
        return await case.client.post("/api/v1/projects/p/files", content=pieces())

    answer = front_case(echo, ask, most_upload_bytes=10 * PIECE)
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("the file is larger than")


def test_a_long_answer_waits_for_whoever_is_slow_to_take_it():
    sent = []

    async def stream(scope, receive, send):  # noqa: ARG001 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for at in range(PIECES):
            sent.append(at)
            await send({
                "type": "http.response.body", "body": b"x" * PIECE, "more_body": at < PIECES - 1,
            })  # fmt: skip

    async def work():
        async with behind_front(stream) as case:
            taken, most = [], 0
            go_on = asyncio.Event()

            async def send(message):
                nonlocal most
                most = max(most, len(sent) - len(taken))
                if message["type"] == "http.response.body":
                    taken.append(message["body"])
                    if len(taken) == 1:
                        await go_on.wait()

            async def receive():
                await asyncio.sleep(60)

            scope = {
                "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [],
            }  # fmt: skip
            asking = asyncio.create_task(case.front.app(scope, receive, send))
            await asyncio.sleep(0.2)
            assert len(sent) < 6
            go_on.set()
            await asyncio.wait_for(asking, 10)
            return b"".join(taken), most

    body, most = asyncio.run(work())
    assert len(body) == PIECE * PIECES
    assert most < 6


def test_the_application_is_told_that_whoever_asked_has_left():
    told = asyncio.Event()

    async def wait(scope, receive, send):  # noqa: ARG001 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        told.set()

    async def work():
        async with behind_front(wait) as case:
            left = asyncio.Event()

            async def send(message):
                if message["type"] == "http.response.body":
                    left.set()

            async def receive():
                await left.wait()
                return {"type": "http.disconnect"}

            scope = {
                "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [],
            }  # fmt: skip
            await asyncio.wait_for(case.front.app(scope, receive, send), 10)
            await asyncio.wait_for(told.wait(), 10)

    asyncio.run(work())
    assert told.is_set()


def test_an_application_that_fails_or_falls_silent_is_answered_for(caplog):
    async def fail(scope, receive, send):  # noqa: ARG001 - ASGI
        words = "张三 lives here"
        raise ValueError(words)

    async def ask(case):
        return await case.client.get("/")

    for app in (fail, Unforeseen(fail)):
        answer = front_case(app, ask)
        assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "张三" not in caplog.text + answer.text
    assert "ValueError" in caplog.text


def test_without_an_application_people_are_told_to_ask_again():
    begun = asyncio.Event()

    async def hang(scope, receive, send):  # noqa: ARG001 - ASGI
        begun.set()
        await asyncio.sleep(60)

    async def ask(case):
        waiting = asyncio.create_task(case.client.get("/"))
        await begun.wait()
        case.wire.shutdown(2)
        first = await waiting
        return first, await case.client.get("/")

    first, second = front_case(hang, ask)
    assert first.status_code == 500
    assert second.status_code == 503
    assert second.headers["retry-after"] == "1"


def test_what_came_from_memory_behind_the_front_hardly_counts():
    async def cheap(scope, receive, send):  # noqa: ARG001 - ASGI
        scope["geogrid.from_memory"] = scope["path"] == "/cheap"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(case):
        paths = ["/cheap"] * 30 + ["/dear"] * 12
        return [(await case.client.get(path)).status_code for path in paths]

    found = front_case(cheap, ask, requests_a_minute=6)
    assert found[:30] == [200] * 30
    assert found[30] == 200
    assert found[-1] == 429


def test_a_body_that_breaks_off_is_not_taken_for_whole():
    came = []

    async def note(scope, receive, send):  # noqa: ARG001 - ASGI
        came.append(await receive())

    async def work():
        async with behind_front(note) as case:
            said = [
                {"type": "http.request", "body": b'{"a": 1}', "more_body": True},
                {"type": "http.disconnect"},
            ]

            async def receive():
                return said.pop(0)

            async def send(message):
                came.append(message)

            scope = {
                "type": "http", "method": "POST", "path": "/", "query_string": b"",
                "headers": [(b"transfer-encoding", b"chunked")],
            }  # fmt: skip
            await asyncio.wait_for(case.front.app(scope, receive, send), 10)

    asyncio.run(work())
    assert came == []


def test_an_application_that_listens_after_the_end_hears_that_all_have_left():
    heard = []

    async def listen(scope, receive, send):  # noqa: ARG001 - ASGI
        heard.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})
        heard.extend([(await receive())["type"] for _ in range(2)])

    async def ask(case):
        answer = await case.client.get("/")
        while len(heard) < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        return answer.text

    assert front_case(listen, ask) == "x"
    assert heard == ["http.request", "http.disconnect", "http.disconnect"]


@pytest.mark.parametrize("size", [0, 1, 2**18, 2**18 + 1, 3 * 2**20])
def test_a_large_answer_comes_whole_in_pieces(size):
    async def large(scope, receive, send):  # noqa: ARG001 - ASGI
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send(
            {"type": "http.response.body", "body": b"0123456789abcdef"[:size] * (size // 16)}
        )

    async def ask(case):
        return (await case.client.get("/")).content

    assert front_case(large, ask) == b"0123456789abcdef"[:size] * (size // 16)


def test_requests_that_overlap_get_their_own_answers():
    async def slow(scope, receive, send):  # noqa: ARG001 - ASGI
        number = int(scope["path"][1:])
        await asyncio.sleep((number * 7 % 10) / 1000)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(number).encode() * 100})

    async def ask(case):
        asked = [case.client.get(f"/{number}") for number in range(100)]
        return [one.text for one in await asyncio.gather(*asked)]

    assert front_case(slow, ask) == [str(number) * 100 for number in range(100)]


def test_an_answer_after_whoever_asked_has_left_disturbs_nobody():
    async def late(scope, receive, send):  # noqa: ARG001 - ASGI
        await asyncio.sleep(0.05)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})

    async def ask(case):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(case.client.get("/"), 0.01)
        await asyncio.sleep(0.1)
        return await case.client.get("/")

    assert front_case(late, ask).text == "late"
