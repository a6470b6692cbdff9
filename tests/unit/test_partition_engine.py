import numpy as np
import pytest
from strategies import grid_frame

from geogrid.divide import _engine, _kernels, _speed
from geogrid.divide._aims import Rule
from geogrid.divide._chance import begin, draw, shuffle
from geogrid.divide._jit import stamped
from geogrid.divide._problem import build_problem
from geogrid.model.atoms import Atoms


@pytest.fixture(scope="module")
def problem():
    counts = np.random.default_rng(3).integers(0, 12, 144)
    return build_problem(Atoms.from_frame(grid_frame(12, 12, counts)))[0]


def split(problem, monkeypatch, *, is_plain, seed=0, parts=7):
    monkeypatch.setattr(_engine, "runs_plain", lambda *_: is_plain)
    fixed = np.full(problem.n, -1)
    return _engine.split_connected(problem, parts=parts, fixed=fixed, rule=Rule(), seed=seed)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_plain_and_compiled_loops_give_the_same_parts(problem, monkeypatch, seed):
    plain = split(problem, monkeypatch, is_plain=True, seed=seed)
    compiled = split(problem, monkeypatch, is_plain=False, seed=seed)
    assert plain.tolist() == compiled.tolist()
    assert sorted(set(plain.tolist())) == list(range(7))


def test_plain_and_compiled_chance_are_splitmix64():
    def fill(state, found):
        for at in range(len(found)):
            found[at] = draw(state)

    plain, compiled = [0] * 1000, np.zeros(1000)
    fill([1234567], plain)
    stamped(fill)(np.array([1234567], dtype=np.uint64), compiled)
    assert plain == compiled.tolist()
    # The first numbers of the published generator for this seed.
    assert [int(value * 2**53) for value in plain[:2]] == [
        6457827717110365317 >> 11,
        3203168211198807973 >> 11,
    ]


def test_a_shuffle_keeps_what_it_shuffles():
    values = list(range(50))
    shuffle(begin(1, 2), values, 50)
    assert values != list(range(50))
    assert sorted(values) == list(range(50))


def test_little_work_is_done_uncompiled_only_while_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr(_speed, "_spent", [0])
    monkeypatch.setattr(_kernels, "is_ready", lambda: False)
    assert _speed.runs_plain(2000)
    assert not _speed.runs_plain(1_000_000)
    monkeypatch.setattr(_kernels, "is_ready", lambda: True)
    assert not _speed.runs_plain(2000)


def test_small_jobs_together_may_not_spend_more_than_a_large_one(monkeypatch):
    monkeypatch.setattr(_speed, "_spent", [0])
    monkeypatch.setattr(_kernels, "is_ready", lambda: False)
    answers = [_speed.runs_plain(2000) for _ in range(1000)]
    assert answers[0]
    assert not answers[-1]


def test_warming_gets_the_loops_ready():
    _kernels.warm()
    assert _kernels.is_ready()
