"""The compiled loops: the same with and without compiling, one compiled form each, kept on disk."""

from __future__ import annotations

import numpy as np
import pytest
from walk_cases import grid_streets, points

from geogrid.walking import WalkNetwork, _kernels, search, warm


@pytest.fixture(scope="module")
def town():
    return WalkNetwork.from_edges(grid_streets(12))


@pytest.fixture
def crowd():
    rng = np.random.default_rng(4)
    return [points(*rng.uniform(0, 1100, (count, 2))) for count in (7, 80)]


def test_plain_python_and_compiled_loops_give_the_same_tables(town, crowd, monkeypatch):
    stations, homes = crowd
    compiled = town.reach(stations, households=homes)
    walks = town.walks(stations, homes, metres=700)
    monkeypatch.setattr(_kernels, "is_ready", lambda: False)
    monkeypatch.setattr(search, "_PLAIN_VISITS", 10**9)
    plain = town.reach(stations, households=homes)
    for name in ("circles", "lines", "stations", "households"):
        assert getattr(compiled, name).equals(getattr(plain, name))
    again = town.walks(stations, homes, metres=700)
    assert np.array_equal(walks.household, again.household)
    assert np.array_equal(walks.metres, again.metres)


def test_small_work_runs_plain_only_while_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr(search, "_spent", [0])
    monkeypatch.setattr(_kernels, "is_ready", lambda: False)
    job = _kernels.cut_pieces
    assert search.kernel(job, 60_000) is job.py_func
    assert search.kernel(job, 1) is job
    monkeypatch.setattr(search, "_spent", [0])
    monkeypatch.setattr(_kernels, "is_ready", lambda: True)
    assert search.kernel(job, 1) is job


def test_each_loop_is_compiled_for_one_set_of_types(town, crowd):
    stations, homes = crowd
    _kernels.compile_now()
    for limit in (400, 62.5, np.float32(100)):
        town.reach(stations, minutes=None, metres=limit, households=homes)
        town.walks(stations, homes, metres=limit)
    town.reach(stations, preset="gb50180", households=homes, direction="from_station")
    for job in _kernels.ENTRIES:
        assert len(job.signatures) == 1


def test_warming_up_leaves_the_loops_ready():
    warm()
    assert _kernels.is_ready()


def test_edges_of_a_reach_come_sorted_by_spot_and_edge(town, crowd):
    spots = town.edge_index.snap(crowd[0].geometry.to_numpy(), max_snap_m=100)
    for found in search.search(town.streets, spots, 900):
        key = found.spot * len(town.u) + found.edge
        assert (np.diff(key) > 0).all()
        assert np.count_nonzero(~np.isnan(found.own_position)) == len(crowd[0])


def test_a_search_touches_no_more_than_its_limit_allows(town):
    spots = town.edge_index.snap(points((550, 500)).geometry.to_numpy(), max_snap_m=100)
    (found,) = search.search(town.streets, spots, 120)
    ends = np.concatenate([found.from_u, found.from_v])
    assert sorted(ends[np.isfinite(ends)].tolist()) == [50] * 4 + [50] * 4
    assert len(found.edge) == 7


def test_searches_share_their_memory_without_a_trace(town, crowd):
    spots = town.edge_index.snap(crowd[1].geometry.to_numpy(), max_snap_m=100)
    first = list(search.search(town.streets, spots, 500))
    scratch = town.streets.scratch[-1]
    scratch.mark = 2**31 - 100
    again = list(search.search(town.streets, spots, 500))
    assert scratch.mark < 1000
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.edge, other.edge)
        assert np.array_equal(one.from_u, other.from_u)


def test_searches_at_the_same_time_have_memory_of_their_own(town, crowd):
    spots = town.edge_index.snap(crowd[0].geometry.to_numpy(), max_snap_m=100)
    town.streets.scratch.clear()
    one, other = (search.search(town.streets, spots, limit) for limit in (300, 900))
    near, far = next(one), next(other)
    assert len(town.streets.scratch) == 0
    assert len(near.edge) < len(far.edge)
    one.close()
    other.close()
    assert len(town.streets.scratch) == 2
