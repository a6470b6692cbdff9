"""What the store takes for a city of 32,000 finest cells, in both databases.

Run with ``pytest tests/bench/test_bench_store.py --benchmark-only -s``.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import pytest
from store.conftest import make_address, postgis_server  # noqa: F401 - fixtures
from store_plans import city_plan, moved

from geogrid.store import open_store
from geogrid.store._commit import prepare

ROUNDS = 9


def seconds(job):
    start = time.perf_counter()
    answer = job()
    return time.perf_counter() - start, answer


@pytest.fixture(scope="module")
def city():
    return city_plan(256, 250)


def commit(store, plan_id, expected, plan):
    return store.commit(plan_id, "main", expected, plan, author="x", message="")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
@pytest.mark.timeout(900)
def test_a_city_is_stored_edited_asked_and_read(benchmark, make_address, city, kind, capsys):  # noqa: F811 - the fixture
    address = make_address(kind)
    store = open_store(address)
    project = store.create_project("p", actor="x")
    plan_id = store.create_plan(project.id, "p", actor="x").id
    proving, _ = seconds(lambda: prepare(replace(city), None, allow_draft=False))
    storing, version = seconds(lambda: commit(store, plan_id, None, city))

    edits = []
    row = len(city.labels) // 3
    for number in range(ROUNDS + 1):
        plan = store.read(version.id)
        edited = moved(plan, row + 7 * number)
        took, version = seconds(
            lambda edited=edited, version=version: commit(store, plan_id, version.id, edited)
        )
        edits.append(took)
    x, y = city.atoms.frame.geometry.iloc[row].centroid.coords[0]
    asks = [
        seconds(lambda: store.cells(version.id, "micro", box=(x - 300, y - 300, x + 300, y + 300)))
        for _ in range(ROUNDS)
    ]
    store.close()

    opening, store = seconds(lambda: open_store(address))
    reading, back = seconds(lambda: store.read(version.id))
    cold, _ = seconds(lambda: commit(store, plan_id, version.id, moved(back, 50)))
    benchmark.pedantic(
        lambda: store.cells(version.id, "micro", box=(x - 300, y - 300, x + 300, y + 300)), rounds=3
    )
    store.close()
    warm = edits[1:]
    with capsys.disabled():
        print(
            f"\nstore {kind}: {len(city.labels)} atoms, {city.labels['micro'].nunique()} cells; "
            f"first version {storing:.1f} s ({proving:.1f} s of it deriving and proving); edit of "
            f"2 cells best {min(warm) * 1e3:.0f} ms, median {statistics.median(warm) * 1e3:.0f} ms "
            f"(first {edits[0] * 1e3:.0f} ms, after a restart {cold * 1e3:.0f} ms); "
            f"{len(asks[0][1])} cells by box best {min(a for a, _ in asks) * 1e3:.1f} ms, median "
            f"{statistics.median(a for a, _ in asks) * 1e3:.1f} ms; open {opening * 1e3:.0f} ms, "
            f"read a version {reading:.2f} s"
        )
    assert back.certificate == version.certificate
