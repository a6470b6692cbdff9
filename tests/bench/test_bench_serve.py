"""The planners' server: tiles and features beside tipg, the first map, a crowd, and fifty kills.

Run with ``pytest tests/bench/test_bench_serve.py --benchmark-only -s``. Beside tipg it needs wrk
(Debian package) and ``GEOGRID_TIPG_PYTHON``: the Python of an environment of its own with tipg
1.6.1 and uvicorn, which is no dependency of geogrid. Both servers have one process, the same
cells, and the same PostGIS; each number is printed for two runs. Nothing timed is asserted.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from bench.serve_peers import (
    ask_once,
    ask_one,
    fill_peer,
    packed_json,
    require_tools,
    same_cells,
    tiles_over,
    tipg,
    wrk,
)
from bench.serve_people import city_commands, crowd, views_of
from serve_cases import (
    Line,
    edit_until_killed,
    ended,
    first_answer,
    planner_keys,
    run,
    serving,
    started,
    what_is_left,
)
from store.conftest import TEMPLATE, postgis_server  # noqa: F401 - a fixture
from store_plans import city_plan

from geogrid.api import import_plan
from geogrid.io.plan_file import write_plan
from geogrid.store import open_store
from geogrid.synthetic import load_place, make_place
from geogrid.workflow import divide_place

pytestmark = [pytest.mark.network, pytest.mark.postgis]

# 32,040 finest cells of about 196 m.
COLUMNS, ROWS, STEP_M = 356, 180, 138.6
VIEWERS, PLANNERS, CROWD_S = 200, 5, 60
# How many edit, and how long each waits between edits: nobody, people, programs.
TURNS = ((0, 10.0), (PLANNERS, 10.0), (PLANNERS, 2.0))
KILLS, LOADS = 50, 5
TILE = "/api/v1/plans/{}/versions/head/tiles/cells/{}/{}/{}.mvt"
PEER_TILE = "/collections/peer.cells/tiles/WebMercatorQuad/{}/{}/{}"
BOX_DEGREES = 0.019
BOXES = 200


def say(capsys, *lines):
    with capsys.disabled():
        print("", *lines, sep="\n")


@pytest.fixture(scope="module")
def city():
    plan = city_plan(COLUMNS, ROWS, step_m=STEP_M)
    plan.cells("micro")
    return plan


@pytest.fixture
def served(postgis_server, city):  # noqa: F811 - the fixture
    """Address of a store with the city, its plan, and keys of programs."""
    name = f"t{uuid4().hex}"
    postgis_server.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    address = postgis_server.url(name)
    with open_store(address) as store:
        project = store.create_project("p", actor="x")
        plan = store.create_plan(project.id, "p", actor="x").id
        store.commit(plan, "main", None, city, author="x", message="import")
        keys = planner_keys(store, PLANNERS)
    return address, plan, keys


def bounds_of(running, plan):
    """West, south, east and north; whoever asks first waits until the plan is read."""
    took, body = ask_one(running, f"/api/v1/plans/{plan}/versions/head/tiles.json")
    return took, np.array(packed_json(body)["bounds"])


def paths_of(pattern, tiles, zoom, *first):
    return [pattern.format(*first, zoom, *one) for one in tiles[zoom]]


def boxes_in(bounds):
    rng = np.random.default_rng(1)
    west, south = rng.uniform(bounds[:2], bounds[2:] - 2 * BOX_DEGREES, (BOXES, 2)).T
    return [
        f"{x:.5f},{y:.5f},{x + BOX_DEGREES:.5f},{y + BOX_DEGREES:.5f}"
        for x, y in zip(west, south, strict=True)
    ]


def ratio(ours, theirs):
    return f"{ours.rps / theirs.rps:.1f}x"


@pytest.mark.timeout(1200)
def test_tiles_and_features_beside_tipg(benchmark, served, city, tmp_path, capsys):
    python = require_tools()
    address, plan, _ = served
    fill_peer(address, city, "micro")
    found = {"ours": [], "theirs": []}
    for _ in range(2):
        with serving(address) as running:
            opening, bounds = bounds_of(running, plan)
            tiles = {zoom: tiles_over(bounds, zoom) for zoom in (12, 14)}
            found["ours"].append(measured(running, paths_of_ours(plan, tiles, bounds), tmp_path))
            ours = {one: ask_one(running, TILE.format(plan, 14, *one))[1] for one in tiles[14][:5]}
        with tipg(python, address) as running:
            paths = paths_of_theirs(tiles, bounds)
            found["theirs"].append(measured(running, paths, tmp_path))
            for one, tile in ours.items():
                same_cells(tile, ask_one(running, PEER_TILE.format(14, *one))[1])
    benchmark.pedantic(lambda: None, rounds=1)
    first = f"{len(city.cells('micro'))} cells; load {os.getloadavg()[0]:.1f}; first answer after "
    lines = [f"{first}the start {opening:.1f} s; five tiles of z14 hold the same cells"]
    for turn, (ours, theirs) in enumerate(zip(found["ours"], found["theirs"], strict=True), 1):
        for what in ours:
            peer = theirs.get(what.replace(" /api/v1", "").replace(" /ogc", ""))
            lines.append(f"run {turn}, {what}: geogrid {ours[what]}")
            if peer is not None:
                lines[-1] += f"; tipg {peer}; {ratio(ours[what], peer)}"
    say(capsys, *lines)


def paths_of_ours(plan, tiles, bounds):
    boxes = boxes_in(bounds)
    return {
        "z14": paths_of(TILE, tiles, 14, plan),
        "z12": paths_of(TILE, tiles, 12, plan),
        "features /ogc": [
            f"/ogc/{plan}/collections/micro/items?limit=100&bbox={box}" for box in boxes
        ],
        "features /api/v1": [
            f"/api/v1/plans/{plan}/versions/head/cells?level=micro&bbox={box}" for box in boxes
        ],
    }


def paths_of_theirs(tiles, bounds):
    return {
        "z14": paths_of(PEER_TILE, tiles, 14),
        "z12": paths_of(PEER_TILE, tiles, 12),
        "features": [
            f"/collections/peer.cells_degrees/items?limit=100&f=geojson&bbox={box}"
            for box in boxes_in(bounds)
        ],
    }


def measured(running, paths, folder):
    """Measure what is asked: each tile once on an empty cache, then again and again."""
    found = {}
    # One tile of each zoom is asked before: then its shapes are there, as they are later on.
    for zoom in ("z14", "z12"):
        first, *others = paths[zoom]
        took, _ = ask_one(running, first)
        single, _ = ask_one(running, others[0])
        with_others = ask_once(running, others[1:])
        found[f"cold {zoom}"] = with_others
        found[f"cold {zoom} single"] = Single(took, single)
    for what, asked in paths.items():
        ask_once(running, asked[:20])
        found[f"warm {what}" if what.startswith("z") else what] = wrk(running, asked, folder)
    return found


class Single:
    """Seconds of the first tile of a zoom, and of the second one."""

    def __init__(self, first, second):
        self.rps = 1 / second
        self._said = f"{second * 1e3:.0f} ms (the first of its zoom {first * 1e3:.0f} ms)"

    def __str__(self):
        return self._said


FIRST_IDLE = """
let kept;
Object.defineProperty(window, 'geogridWeb', {
  configurable: true,
  get: () => kept,
  set(given) {
    kept = given;
    const look = () => {
      const map = given.view.map;
      if (window.firstIdle === undefined && map.areTilesLoaded()
          && map.queryRenderedFeatures().length) {
        window.firstIdle = performance.now();
      }
    };
    given.view.map.on('idle', look);
  },
});
"""


def loaded_s(browser, address):
    """Seconds from navigation to the first idle map with cells, in a browser that knows nothing."""
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    page = context.new_page()
    page.add_init_script(FIRST_IDLE)
    page.goto(f"{address}app/")
    end = time.monotonic() + 60
    while (found := page.evaluate("window.firstIdle")) is None:
        assert time.monotonic() < end, "the map never came to rest"
        page.wait_for_timeout(20)
    context.close()
    return found / 1e3


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["city", "helsinki"])
def test_the_first_map_in_a_browser(benchmark, browser, request, kind, tmp_path, capsys):
    if kind == "city":
        address, plan, _ = request.getfixturevalue("served")
    else:
        address = f"sqlite:///{tmp_path / 'store.sqlite'}"
        plan = demo_plan(address, tmp_path)
    with serving(address) as running:
        bounds_of(running, plan)
        times = [loaded_s(browser, running.address) for _ in range(LOADS)]
    benchmark.pedantic(lambda: None, rounds=1)
    say(
        capsys,
        f"first map idle, {kind}: median {statistics.median(times):.2f} s, each "
        f"{', '.join(f'{one:.2f}' for one in times)} s; load {os.getloadavg()[0]:.1f}",
    )


def demo_plan(address, folder):
    from geogrid.workflow import demo_job, run_job  # noqa: PLC0415 - heavy

    outcome = run_job(demo_job(), folder / "demo")
    with open_store(address) as store:
        return import_plan(store, outcome.files["plan"])


def cpu_s(running):
    """Seconds of processor that a server and its front have used."""
    pid = str(running.process.pid)
    used = 0
    for one in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            facts = one.read_text().rpartition(")")[2].split()
            used += (int(facts[11]) + int(facts[12])) * (pid in {one.parent.name, facts[1]})
    return used / os.sysconf("SC_CLK_TCK")


@pytest.mark.timeout(900)
def test_two_hundred_look_while_five_edit(benchmark, served, city, capsys):
    address, plan, keys = served
    lines, stored = [], []
    for turn, (count, every) in enumerate(TURNS):
        # Each turn in columns of its own: what one merged, the next cannot merge.
        planners = [
            (key, city_commands(city, 8 * at + 4 * turn)) for at, key in enumerate(keys[:count])
        ]
        with serving(address) as running:
            _, bounds = bounds_of(running, plan)
            for zoom in (13, 14, 15):
                ask_once(running, paths_of(TILE, {zoom: tiles_over(bounds, zoom)}, zoom, plan))
            before = time.process_time(), cpu_s(running)
            watched, edits = crowd(
                running, plan, views_of(bounds), viewers=VIEWERS, planners=planners,
                seconds=CROWD_S, every=every,
            )  # fmt: skip
            used = time.process_time() - before[0], cpu_s(running) - before[1]
        times = [one for edited in edits for one in edited.seconds] or [0.0]
        stored += [version for one in edits for version in one.stored]
        lines.append(
            f"{VIEWERS} viewers and {len(edits)} planners, an edit every {every:g} s each, for "
            f"{CROWD_S} s: {len(watched.seconds)} "
            f"tiles ({watched.unchanged} unchanged), {len(watched.errors)} errors, p50 "
            f"{watched.percentile_ms(50):.0f} ms, p99 {watched.percentile_ms(99):.0f} ms; edits "
            f"sent {sum(one.sent for one in edits)}, stored "
            f"{sum(len(one.stored) for one in edits)}, conflicts "
            f"{sum(one.conflicts for one in edits)}, median {statistics.median(times):.2f} s, "
            f"longest {max(times):.2f} s; seconds of processor: viewers {used[0]:.0f}, server "
            f"{used[1]:.0f}; load {os.getloadavg()[0]:.1f}"
        )
        lines += sorted({fault for one in edits for fault in one.refused})[:3]
        assert not watched.errors, watched.errors[:3]
    with open_store(address) as store:
        left = what_is_left(store, plan, stored, newest=3)
    benchmark.pedantic(lambda: None, rounds=1)
    lines.append(f"after that: {left.versions} versions, {len(left.lost)} lost, {left.half} half")
    say(capsys, *lines)
    assert (left.lost, left.half) == ([], [])


@pytest.mark.timeout(1800)
def test_fifty_kills_lose_nothing(benchmark, tmp_path, capsys):
    place = divide_place(make_place(load_place("guangchang")))
    file = write_plan(place.plan, tmp_path / "plan.gpkg")
    address = tmp_path / "store.sqlite"
    with open_store(address) as store:
        plan = import_plan(store, file)
        project = store.projects()[0].id
        keys = planner_keys(store, PLANNERS)
    finest = place.plan.scheme.area_levels[-1].key
    codes = place.plan.cells(finest)["code"].tolist()
    planners = [
        (key, [
            {"command": "rename", "level": finest, "cell": code, "name": f"{code} 第{number}名"}
            for number in range(20) for code in codes[at :: len(keys)][:10]
        ])
        for at, key in enumerate(keys)
    ]  # fmt: skip
    command = [sys.executable, "-m", "geogrid", "serve", "--store", str(address), "--port", "0",
               "--json"]  # fmt: skip
    rng = np.random.default_rng(9)
    answered, sent, restarts, lost, half = set(), 0, [], set(), set()
    for number in range(KILLS):
        since = time.perf_counter()
        running = started(command)
        try:
            restarts.append(run(first_answer(running.place, f"/api/v1/plans/{plan}", since=since)))
            begin_job(running, project, keys[0], file, number)
            edits = edit_until_killed(running, plan, planners, rng.uniform(0.1, 4.0))
        finally:
            ended(running)
        answered |= {version for one in edits for version in one.stored}
        sent += sum(one.sent for one in edits)
        with open_store(address) as store:
            left = what_is_left(store, plan, answered, newest=2)
        lost |= set(left.lost)
        half |= set(left.half)
    with open_store(address) as store:
        # Those that stood at a kill are proven again above; all of a thousand take half an hour.
        left = what_is_left(store, plan, answered, newest=KILLS)
        others = [
            one for project in store.projects() for one in store.plans(project.id)
            if one.id != plan
        ]  # fmt: skip
        whole = [one.id for one in others if store.history(one.id)]
        for one in whole:
            half |= set(what_is_left(store, one, ()).half)
    benchmark.pedantic(lambda: None, rounds=1)
    say(
        capsys,
        f"{KILLS} kills: {sent} edits sent, {len(answered)} answered, {left.versions - 1} stored, "
        f"{len(whole)} plans imported ({len(others) - len(whole)} begun), {len(lost)} lost, "
        f"{len(half)} half; answers after a restart: median {statistics.median(restarts):.2f} s, "
        f"slowest {max(restarts):.2f} s; load "
        f"{os.getloadavg()[0]:.1f}",
    )
    assert (lost | set(left.lost), half | set(left.half)) == (set(), set())


def begin_job(running, project, key, file, number):
    """Begin an import in the background, which is killed with the server at some moment."""

    async def begin():
        line = Line(running.place, {"Authorization": f"Bearer {key}"})
        plain = {"Accept-Encoding": "identity"}
        path = f"/api/v1/projects/{project}"
        status, _, body = await line.ask(
            f"{path}/files?role=plan&name=plan.gpkg", verb="POST", body=file.read_bytes(),
            headers=plain,
        )  # fmt: skip
        assert status == 201, body
        job = {"kind": "import", "name": f"方案{number}", "file": json.loads(body)["id"]}
        status, _, body = await line.ask(f"{path}/jobs", verb="POST", body=job, headers=plain)
        await line.close()
        # Those that were killed wait for their turn again, and only so many may wait.
        assert status in {202, 429}, body

    run(begin())
