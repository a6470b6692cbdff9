"""The same cells behind tipg, and a client that asks either server as fast as it can."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from serve_cases import Line, Running, ended, first_answer, run
from shapely.geometry import shape
from sqlalchemy import create_engine, text

SCHEMA = "peer"
# Both as their makers advise: one column in web mercator for tiles, one in degrees for features.
TABLES = {"cells": 3857, "cells_degrees": 4326}
CONNECTIONS = 8
WORLD_M = 20037508.342789244
WRK = "wrk (Debian package wrk)"
TIPG = "GEOGRID_TIPG_PYTHON (the Python of an environment with tipg and uvicorn)"

_SCRIPT = """
local asked = {}
init = function(args)
  for path in io.lines(args[1]) do
    asked[#asked + 1] = wrk.format("GET", path, {["Accept-Encoding"] = "gzip"})
  end
end
local at = 0
request = function()
  at = at % #asked + 1
  return asked[at]
end
done = function(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format("said %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a server did: answers a second, milliseconds, and answers that were no good."""

    rps: float
    p50_ms: float
    p99_ms: float
    errors: int

    def __str__(self):
        wrong = f", {self.errors} ERRORS" if self.errors else ""
        return f"{self.rps:.0f} rps, p50 {self.p50_ms:.1f} ms, p99 {self.p99_ms:.0f} ms{wrong}"


def require_tools():
    """Skip where wrk or tipg is not there; return the Python that has tipg."""
    if shutil.which("wrk") is None:
        pytest.skip(f"{WRK} is not installed")
    python = os.environ.get("GEOGRID_TIPG_PYTHON", "")
    if not python:
        pytest.skip(f"{TIPG} is not set")
    return python


def fill_peer(address, plan, key):
    """Put the cells of a level into tables for tipg, each with a spatial index."""
    cells = plan.cells(key)
    facts = cells.drop(columns="geometry").to_dict("records")
    engine = create_engine(address.replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        for name, crs in TABLES.items():
            connection.execute(
                text(
                    f"CREATE TABLE {SCHEMA}.{name} (id serial PRIMARY KEY, code text, name text, "
                    "kind text, parent text, households integer, "
                    f"geom geometry(MultiPolygon, {crs}))"
                )
            )
            shapes = shapely.to_wkb(cells.geometry.to_crs(crs).to_numpy())
            rows = [
                {
                    "code": fact["code"], "name": fact["name"], "kind": fact["kind"],
                    "parent": fact["parent"], "households": int(fact["households"]), "wkb": wkb,
                }
                for fact, wkb in zip(facts, shapes, strict=True)
            ]  # fmt: skip
            connection.execute(
                text(
                    f"INSERT INTO {SCHEMA}.{name} (code, name, kind, parent, households, geom) "  # noqa: S608 - names of our own
                    f"VALUES (:code, :name, :kind, :parent, :households, "
                    f"ST_Multi(ST_GeomFromWKB(:wkb, {crs})))"
                ),
                rows,
            )
            connection.execute(text(f"CREATE INDEX ON {SCHEMA}.{name} USING gist (geom)"))
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


@contextmanager
def tipg(python, address):
    """Run tipg by uvicorn, one worker, as it comes."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen(
        [python, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--log-level", "error"],
        env=os.environ | {"DATABASE_URL": address, "TIPG_DB_SCHEMAS": f'["{SCHEMA}"]'},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    where = f"http://127.0.0.1:{port}/"
    running = Running(process=process, address=where, started_s=0.0)
    try:
        run(first_answer(running.place, "/healthz", since=start))
        yield running
    finally:
        ended(running)


def wrk(running, paths, folder, *, seconds=5):
    """Ask one path after the other for some seconds over eight connections."""
    script, listed = folder / "wrk.lua", folder / "paths"
    script.write_text(_SCRIPT)
    listed.write_text("\n".join(paths))
    said = subprocess.run(
        [shutil.which("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script,
         running.address, "--", listed],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    count, took, p50, p99, errors = map(int, re.search(r"said ([\d ]+)", said)[1].split())
    return Rate(rps=count * 1e6 / took, p50_ms=p50 / 1e3, p99_ms=p99 / 1e3, errors=errors)


def ask_once(running, paths):
    """Ask each path once, over eight connections."""
    left, times, errors = list(reversed(paths)), [], 0

    async def work():
        nonlocal errors
        line = Line(running.place)
        while left:
            path = left.pop()
            start = time.perf_counter()
            status, _, _ = await line.ask(path)
            times.append(time.perf_counter() - start)
            errors += status not in {200, 204}
        await line.close()

    async def all_of_them():
        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    start = time.perf_counter()
    run(all_of_them())
    took = time.perf_counter() - start
    p50, p99 = np.percentile(times, (50, 99)) * 1e3
    return Rate(rps=len(paths) / took, p50_ms=float(p50), p99_ms=float(p99), errors=errors)


def ask_one(running, path):
    """Return seconds and body of a single answer."""

    async def ask():
        line = Line(running.place)
        await line.ask("/healthz")
        start = time.perf_counter()
        status, _, body = await line.ask(path)
        took = time.perf_counter() - start
        await line.close()
        assert status == 200, path
        return took, body

    return run(ask())


def packed_json(body):
    """Return what JSON says, compressed or not."""
    return json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


def same_cells(ours, theirs):
    """Require that two tiles show the same cells; return by how much their areas differ at most."""
    mine, other = _areas(ours, "micro"), _areas(theirs, None)
    assert mine.keys() == other.keys()
    assert len(mine) > 50
    found = max(abs(mine[code] / other[code] - 1) for code in mine)
    assert found < 0.02, found
    return found


def _areas(tile, name):
    """Area by code of the cells that lie within a tile."""
    raw = gzip.decompress(tile) if tile[:2] == b"\x1f\x8b" else tile
    layers = mapbox_vector_tile.decode(raw)
    layer = layers[name] if name else next(iter(layers.values()))
    shapes = {one["properties"]["code"]: shape(one["geometry"]) for one in layer["features"]}
    edge = layer["extent"]
    return {
        code: one.area * (4096 / edge) ** 2
        for code, one in shapes.items()
        if min(one.bounds) > 0 and max(one.bounds) < edge
    }


def tiles_over(bounds, zoom):
    """Return column and row of the tiles that lie within a box in degrees, from its middle out."""
    x, y = _columns(bounds[[0, 2]], zoom), _rows(bounds[[1, 3]], zoom)
    inner = [
        (column, row)
        for column in range(int(x.min()) + 1, int(x.max()))
        for row in range(int(y.min()) + 1, int(y.max()))
    ]
    middle = (x.mean(), y.mean())
    return sorted(inner, key=lambda at: (abs(at[0] - middle[0]) + abs(at[1] - middle[1]), at))


def _columns(degrees, zoom):
    return np.floor((degrees + 180) / 360 * 2**zoom)


def _rows(degrees, zoom):
    angle = np.radians(degrees)
    return np.floor((1 - np.arcsinh(np.tan(angle)) / np.pi) / 2 * 2**zoom)
