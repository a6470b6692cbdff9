"""People in front of maps: each looks at a part of the plan, waits, and looks at another one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np
from bench.serve_peers import tiles_over
from serve_cases import Line, Planner, run

# A browser keeps so many connections to one place, and a screen shows so many tiles.
LINES, ACROSS, DOWN = 6, 4, 3
PAUSE_S = (2.0, 4.0)
GOOD = frozenset({200, 204, 304})


@dataclass(slots=True, kw_only=True)
class Watched:
    """What viewers got: seconds by tile, how many were as known, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)

    def percentile_ms(self, share):
        """Milliseconds within which a share of the tiles came."""
        return float(np.percentile(self.seconds, share)) * 1e3


def views_of(bounds, zooms=(13, 14, 15)):
    """Return views: tiles that one screen shows."""
    views = []
    for zoom in zooms:
        inner = set(tiles_over(bounds, zoom))
        for column, row in sorted(inner):
            shown = [(column + at % ACROSS, row + at // ACROSS) for at in range(ACROSS * DOWN)]
            if inner.issuperset(shown):
                views.append([(zoom, *one) for one in shown])
    return views


async def view_map(place, plan, views, watched, *, seed, until):
    """Look at neighbouring and at known views, as a browser asks for them, until it is time."""
    rng = np.random.default_rng(seed)
    lines = [Line(place) for _ in range(LINES)]
    known = {}
    await asyncio.sleep(rng.uniform(*PAUSE_S))
    at = int(rng.integers(len(views)))
    while time.perf_counter() < until:
        # Half of the time somebody goes back to what they know.
        at = at if rng.random() < 0.5 else int(rng.integers(len(views)))
        left = list(views[at])
        await asyncio.gather(*(_fetch(line, plan, left, known, watched) for line in lines))
        await asyncio.sleep(rng.uniform(*PAUSE_S))
    for line in lines:
        await line.close()


async def _fetch(line, plan, left, known, watched):
    while left:
        tile = left.pop()
        path = "/api/v1/plans/{}/versions/head/tiles/cells/{}/{}/{}.mvt".format(plan, *tile)
        tag = {"If-None-Match": known[tile]} if tile in known else {}
        start = time.perf_counter()
        try:
            status, headers, _ = await line.ask(path, headers=tag)
        except (OSError, asyncio.IncompleteReadError) as fault:
            watched.errors.append(repr(fault))
            await line.close()
            continue
        watched.seconds.append(time.perf_counter() - start)
        watched.unchanged += status == 304
        if status not in GOOD:
            watched.errors.append(str(status))
        known[tile] = headers.get("etag", "")


async def edit_plan(planner, *, every, until, delay):
    """Send a command every few seconds until it is time."""
    await asyncio.sleep(delay)
    while time.perf_counter() < until:
        start = time.perf_counter()
        await planner.step()
        await asyncio.sleep(max(0.0, every - (time.perf_counter() - start)))
    await planner.close()


def crowd(running, plan, views, *, viewers, planners, seconds, every=2.0):
    """Let people look while programs edit; ``planners`` are pairs of key and commands."""
    watched = Watched()
    programs = [Planner(running.place, plan, *one) for one in planners]

    async def everybody():
        until = time.perf_counter() + seconds
        looking = [
            view_map(running.place, plan, views, watched, seed=seed, until=until)
            for seed in range(viewers)
        ]
        editing = [
            edit_plan(one, every=every, until=until, delay=every * number / len(programs))
            for number, one in enumerate(programs)
        ]
        await asyncio.gather(*looking, *editing)

    run(everybody())
    return watched, [one.edited for one in programs]


def city_commands(plan, column):
    """Return commands of one column of blocks of four cells in a plan of ``city_plan``.

    Two cells of each block are merged; the third takes an atom of the fourth and is then cut along
    a line.
    """
    cells = plan.cells("micro").set_index("code").geometry
    atoms = set(plan.labels.index)
    commands = []
    for row in range(0, 1000, 4):
        code = [f"{column:03d}{row + at:03d}3" for at in range(4)]
        if code[3] not in cells.index:
            break
        west, south, east, north = cells[code[2]].bounds
        middle = (south + north) / 2
        atom = f"a{2 * column:03d}{row + 3:03d}"
        assert atom in atoms
        commands += [
            {"command": "merge", "level": "micro", "cells": code[:2]},
            {"command": "paint", "level": "micro", "target": code[2], "atoms": [atom]},
            {
                "command": "split", "level": "micro", "cell": code[2],
                "line": [[west - 1, middle], [east + 1, middle + 1]],
            },
        ]  # fmt: skip
    return commands
