"""The service as a process of its own, a light client, and planners who edit by program.

Run as a program it serves the store whose address it is given, without any limit of rate.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from geogrid.accounts.tokens import new_api_key
from geogrid.api import ServiceSettings, serve
from geogrid.store import Grant, open_store

HERE = Path(__file__).resolve()
PATIENCE_S = 60
CONFLICT, GONE = 409, 412


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that listens."""

    process: subprocess.Popen[str]
    address: str
    started_s: float

    @property
    def place(self):
        """Host and port."""
        found = urlsplit(self.address)
        return found.hostname, found.port


def started(command, *, environment=None):
    """Start a process that prints where it listens, as JSON with ``address``."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    said = process.stdout.readline()
    assert said, f"{command[:3]} ended with {process.wait()}"
    address = json.loads(said)["address"]
    return Running(process=process, address=address, started_s=time.perf_counter() - start)


def ended(running):
    """End a process and let go of what it said."""
    running.process.kill()
    running.process.wait()
    running.process.stdout.close()


@contextmanager
def serving(store_address, *arguments):
    """Serve a store by :func:`geogrid.api.serve` in a process of its own."""
    running = started([sys.executable, str(HERE), store_address, *arguments])
    try:
        yield running
    finally:
        ended(running)


class Line:
    """One connection that is kept open, as a browser has some of."""

    def __init__(self, place, headers=None):
        self._place = place
        self._writer = None
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._head = f"Host: {place[0]}:{place[1]}\r\nAccept-Encoding: gzip\r\n{more}"

    async def ask(self, path, *, verb="GET", body=None, headers=None):
        """Return status, headers by lower name, and body; opens the connection where needed."""
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        is_raw = isinstance(body, bytes)
        content = body if is_raw else b"" if body is None else json.dumps(body).encode()
        if content:
            kind = "octet-stream" if is_raw else "json"
            more += f"Content-Type: application/{kind}\r\nContent-Length: {len(content)}\r\n"
        sent = f"{verb} {path} HTTP/1.1\r\n{self._head}{more}\r\n".encode() + content
        if self._writer is not None and verb == "GET":
            # A server hangs up after some seconds of silence: then browsers call again.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                return await self._answer(sent)
            await self.close()
        return await self._answer(sent)

    async def _answer(self, sent):
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        self._writer.write(sent)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        size = int(found.get("content-length", 0))
        content = await self._reader.readexactly(size) if size else b""
        return int(head[0].split(" ", 2)[1]), found, content

    async def close(self):
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
            self._writer = None


def run(work):
    """Do asynchronous work in a thread of its own: a browser may hold the loop of this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def first_answer(place, path, *, since):
    """Return after how many seconds a path is answered well."""
    while True:
        line = Line(place)
        with suppress(OSError, asyncio.IncompleteReadError):
            status, _, _ = await line.ask(path)
            if status in {200, 204}:
                await line.close()
                return time.perf_counter() - since
        await line.close()
        assert time.perf_counter() - since < PATIENCE_S, f"{path} is not answered"
        await asyncio.sleep(0.01)


def planner_keys(store, count):
    """Return keys of as many new accounts that may edit everything."""
    keys = []
    for number in range(count):
        key = new_api_key()
        known = store.accounts.add(
            f"program{number}", actor="test", password_hash=None, grants=[Grant("planner", "")]
        )
        store.accounts.add_key(known.id, key.secret_hash, label="", actor="test")
        keys.append(key.key)
    return keys


@dataclass(slots=True, kw_only=True)
class Edited:
    """What became of the edits of one program."""

    sent: int = 0
    stored: list[str] = field(default_factory=list)
    conflicts: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Planner:
    """A program that edits with a key and starts anew from the head after a conflict."""

    def __init__(self, place, plan, key, commands):
        self._base = f"/api/v1/plans/{plan}"
        self._line = Line(place, {"Authorization": f"Bearer {key}"})
        self._commands = cycle(commands)
        self.head = ""
        self.edited = Edited()

    async def read(self):
        """Look at the head."""
        _, _, body = await self._line.ask(self._base, headers={"Accept-Encoding": "identity"})
        self.head = json.loads(body)["head"]

    async def step(self):
        """Send one command; tell whether it was stored."""
        if not self.head:
            await self.read()
        command = next(self._commands)
        self.edited.sent += 1
        start = time.perf_counter()
        status, _, body = await self._line.ask(
            f"{self._base}/edits", verb="POST", body={"command": command, "places": "metres"},
            headers={"If-Match": f'"{self.head}"', "Accept-Encoding": "identity"},
        )  # fmt: skip
        self.edited.seconds.append(time.perf_counter() - start)
        said = json.loads(body)
        if status == 200:
            self.head = said["version"]
            self.edited.stored.append(self.head)
            return True
        if status in {CONFLICT, GONE}:
            self.edited.conflicts += 1
            self.head = ""
        else:
            self.edited.refused.append(f"{status} {said.get('detail')}")
        return False

    async def close(self):
        """Hang up."""
        await self._line.close()


def edit_until_killed(running, plan, planners, seconds):
    """Let programs edit as fast as they can and kill the server meanwhile; return their edits."""
    programs = [Planner(running.place, plan, *one) for one in planners]

    async def work(one):
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await one.step()
        await one.close()

    async def all_of_them():
        working = [asyncio.create_task(work(one)) for one in programs]
        await asyncio.sleep(seconds)
        running.process.send_signal(signal.SIGKILL)
        await asyncio.gather(*working)

    run(all_of_them())
    assert running.process.wait() == -signal.SIGKILL
    return [one.edited for one in programs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a killed server left: answered versions that are gone, and what is not whole."""

    versions: int
    lost: list[str]
    half: list[str]


def what_is_left(store, plan, answered, *, newest=None):
    """Look whether each answered version is there, and each of the newest ones whole."""
    history = store.history(plan)
    ids = [one.id for one in history]
    half = [one.id for one in history[:newest] if not store.recheck(one.id)]
    if [one.number for one in history] != list(range(len(history), 0, -1)):
        half.append("numbers")
    if store.branch(plan).head != ids[0]:
        half.append("head")
    commits = {one.subject for one in store.audit.entries() if one.action == "commit"}
    half += sorted(set(ids) - commits)
    if not store.audit.verify().is_sound:
        half.append("audit")
    return Left(versions=len(ids), lost=sorted(set(answered) - set(ids)), half=half)


def main():
    """Serve the store whose address is the first argument; the second names settings as JSON."""
    address, *more = sys.argv[1:]
    settings = ServiceSettings(requests_a_minute=10**9, **(json.loads(more[0]) if more else {}))
    # As many versions at hand as the command keeps.
    with open_store(address, kept=8) as store:
        serve(
            store, settings, port=0,
            ready=lambda where: print(json.dumps({"address": where}), flush=True),
        )  # fmt: skip


if __name__ == "__main__":
    main()
