"""Siting beside ``scipy.optimize.milp``, on the same instance in the same run.

Run with ``pytest tests/bench/test_bench_siting.py --benchmark-only -s``. The hard instance is 5 000
clustered demand points on a plane, 300 candidates that overlap a lot, and p = 20; the other one is
as large, on the streets of Liechtenstein.
"""

from __future__ import annotations

import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from geogrid.stations._cover import make_cover
from geogrid.stations._milp import plain_model
from geogrid.stations._solve import Options, PlainSearch, fewest, most
from geogrid.stations.siting import site_stations
from geogrid.walking import WalkNetwork

SITES, HOMES, NUMBER = 300, 5000, 20
LIMIT_S = 60


def hard_pairs(seed, reach_m=1200, side_m=7300):
    """Candidate, household and households a row: taxicab walks among clusters of people."""
    rng = np.random.default_rng(seed)
    middle = rng.random((12, 2)) * side_m
    near = middle[rng.integers(0, 12, HOMES // 2)] + rng.normal(0, 700, (HOMES // 2, 2))
    homes = np.vstack([near, rng.random((HOMES // 2, 2)) * side_m]) % side_m
    away = np.abs(homes - rng.random((SITES, 1, 2)) * side_m).sum(axis=2)
    candidate, household = np.nonzero(away <= reach_m)
    value = np.ones(len(candidate), dtype=np.int64)
    return (candidate, household, value), rng.integers(20, 400, HOMES)


def by_scipy(pairs, weight, *, time_limit_s):
    """Return value, bound and seconds of the plain model, one row a household."""
    start = time.perf_counter()
    candidate, household, _ = pairs
    own = SITES + np.arange(HOMES)
    row = np.concatenate([np.arange(HOMES), household, np.full(SITES, HOMES)])
    column = np.concatenate([own, candidate, np.arange(SITES)])
    factor = np.concatenate([np.ones(HOMES), -np.ones(len(candidate)), np.ones(SITES)])
    rows = coo_array((factor, (row, column)), shape=(HOMES + 1, SITES + HOMES)).tocsr()
    upper = np.append(np.zeros(HOMES), NUMBER)
    answer = milp(
        np.append(np.zeros(SITES), -weight.astype(float)),
        integrality=np.append(np.ones(SITES), np.zeros(HOMES)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, -np.inf, upper),
        options={"time_limit": time_limit_s},
    )
    value = 0 if answer.x is None else -answer.fun
    return value, -answer.mip_dual_bound, time.perf_counter() - start


def timed(job):
    start = time.perf_counter()
    return job(), time.perf_counter() - start


def options(time_limit_s):
    return Options(time_limit_s=time_limit_s, seed=0, step=lambda *_: None)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [0, 1])
def test_most_households_beside_scipy(benchmark, seed, capsys):
    pairs, weight = hard_pairs(seed)
    most(PlainSearch(cover=make_cover(pairs, weight, candidates=SITES), seed=0), 2, options(0))
    cover, merged_s = timed(lambda: make_cover(pairs, weight, candidates=SITES))
    _, model_s = timed(lambda: plain_model(cover, most=NUMBER, target=None))
    search = PlainSearch(cover=cover, seed=0)

    def job():
        return most(search, NUMBER, options(0))

    quick = benchmark.pedantic(job, rounds=5)
    exact, exact_s = timed(lambda: most(search, NUMBER, options(LIMIT_S)))
    value, bound, scipy_s = by_scipy(pairs, weight, time_limit_s=LIMIT_S)
    with capsys.disabled():
        print(
            f"\nhard instance {seed}: {cover.candidates} x {cover.classes} left, built in "
            f"{merged_s + model_s:.3f} s\n"
            f"  heuristic and bound {benchmark.stats.stats.median:.2f} s: {quick.value}, at least "
            f"{quick.value / min(exact.bound, bound):.2%} of the best\n"
            f"  with HiGHS {exact_s:.1f} s: {exact.value}, bound {exact.bound}, gap "
            f"{1 - exact.value / exact.bound:.2%}\n"
            f"  scipy.milp {scipy_s:.1f} s: {value:.0f}, bound {bound:.0f}, gap "
            f"{1 - value / bound:.2%}"
        )
    assert quick.value <= exact.value <= exact.bound
    assert exact.value >= value - 1
    assert quick.value >= 0.985 * exact.value


@pytest.mark.timeout(400)
def test_fewest_stations_for_everybody(benchmark, capsys):
    pairs, weight = hard_pairs(0)
    cover = make_cover(pairs, weight, candidates=SITES)
    search = PlainSearch(cover=cover, seed=0)

    def job():
        return fewest(search, cover.most, options(LIMIT_S))

    answer = benchmark.pedantic(job, rounds=1, warmup_rounds=0)
    seconds = benchmark.stats.stats.median
    with capsys.disabled():
        print(f"\nall in reach: {len(answer.chosen)} stations, at least {answer.bound} "
              f"needed, {seconds:.1f} s")  # fmt: skip
    assert search.reached(answer.chosen) == cover.most


@pytest.mark.timeout(400)
def test_sites_on_real_streets(benchmark, shared_data, capsys):
    walk = WalkNetwork.from_osm(shared_data / "osm" / "liechtenstein.osm.pbf")
    rng = np.random.default_rng(1)

    def along(count, aside_m):
        edge = rng.choice(len(walk.length_m), count, p=walk.length_m / walk.length_m.sum())
        line = walk.geometry[edge]
        spot = shapely.line_interpolate_point(line, rng.random(count), normalized=True)
        place = shapely.get_coordinates(spot) + rng.normal(0, aside_m, (count, 2))
        return gpd.GeoDataFrame(geometry=shapely.points(place), crs=walk.crs)

    homes = along(HOMES, 15).assign(households=rng.integers(1, 30, HOMES))
    sites = along(SITES, 5)

    def job():
        return site_stations(walk, sites, k=NUMBER, households=homes, metres=800)

    siting = benchmark.pedantic(job, rounds=5, warmup_rounds=1)
    with capsys.disabled():
        print(
            f"\nLiechtenstein, all of it {benchmark.stats.stats.median:.2f} s: "
            f"{siting.objective}, bound {siting.bound}"
        )
    assert siting.is_proven
