"""The partition of one connected problem: start, search, cut the worst pairs anew, search again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._aims import make_aims, make_tokens
from geogrid.divide._bisect import bisect
from geogrid.divide._chance import begin
from geogrid.divide._locks import start_around_locks
from geogrid.divide._pairs import redo_pairs
from geogrid.divide._problem import near_each_other, renumbered
from geogrid.divide._speed import runs_plain
from geogrid.divide._state import make_state

if TYPE_CHECKING:
    from geogrid.divide._aims import Rule
    from geogrid.divide._problem import IntArray, Problem
    from geogrid.divide._state import State

__all__ = ["split_connected"]

# Rounds of the search: more where there is more to sort out, bounded by the border nodes that they
# visit. Not by the clock: the same problem must give the same parts on every machine.
_LEAST_ROUNDS = 24
_MOST_ROUNDS = 250
_NODES_PER_ROUND = 10
_MOST_VISITS = 2_000_000
_HEAT = 0.15
_PAIRS_PER_PART = 2
_MOST_PAIRS = 2_000
# Starts are as many as together stay below this.
_MOST_STARTS = 3
_START_VISITS = 2_000_000
_NOISE = 1e-9


def split_connected(
    problem: Problem, *, parts: int, fixed: IntArray, rule: Rule, seed: int
) -> IntArray:
    """Divide a connected problem into exactly ``parts`` connected parts.

    Parameters
    ----------
    fixed
        Part of each locked node, -1 where free.

    Raises
    ------
    InfeasibleError
        If the locks leave no way to connect their parts or to fill the others.
    """
    if parts == 1:
        return np.zeros(problem.n, dtype=np.int64)
    order = near_each_other(problem)
    near = renumbered(problem, order)
    label = np.empty(problem.n, dtype=np.int64)
    label[order] = _split(near, parts, fixed[order], rule, seed)
    return label


def _split(problem: Problem, parts: int, fixed: IntArray, rule: Rule, seed: int) -> IntArray:
    """Divide from several starts, fewer where each is much work; return the cheapest result."""
    border = _border_nodes(problem.n, parts)
    rounds = _rounds(problem.n, border)
    starts = max(1, min(_MOST_STARTS, _START_VISITS // (border * rounds)))
    is_plain = runs_plain(border * rounds * starts)
    best: tuple[float, IntArray] | None = None
    for start in range(starts):
        state = _start(problem, parts, fixed, rule, begin(seed, parts, start)[0], is_plain=is_plain)
        state.improve(rounds=rounds, heat=_HEAT)
        redo_pairs(state, budget=min(_PAIRS_PER_PART * parts, _MOST_PAIRS))
        state.improve(rounds=rounds // 2, heat=_HEAT / 3)
        price = float(state.prices().sum())
        if best is None or price < best[0] - _NOISE:
            best = price, state.labels()
    return np.zeros(problem.n, dtype=np.int64) if best is None else best[1]


def _start(
    problem: Problem, parts: int, fixed: IntArray, rule: Rule, seed: int, *, is_plain: bool
) -> State:
    aims = make_aims(problem, parts, fixed)
    token = make_tokens(problem, parts)
    label = None
    if (fixed >= 0).any():
        label = start_around_locks(problem, aims, parts=parts, fixed=fixed, rule=rule, seed=seed)
        if np.bincount(label, token, minlength=parts).min() < 1:
            token = np.ones(problem.n, dtype=np.int64)
    state = make_state(
        problem,
        parts=parts,
        weight=aims.weight,
        token=token,
        frozen=(fixed >= 0).astype(np.int64),
        unit=aims.unit,
        rule=rule,
        seed=seed,
        is_plain=is_plain,
    )
    if label is None:
        bisect(state, parts)
    else:
        state.set_labels(np.arange(problem.n), label)
    state.count(aims.goal)
    return state


def _border_nodes(n: int, parts: int) -> int:
    """Guess how many nodes lie on a border: parts are about round, with n / parts nodes each."""
    return int(min(n, 3 * np.sqrt(n * parts) + 1))


def _rounds(n: int, border: int) -> int:
    wanted = min(_LEAST_ROUNDS + n // _NODES_PER_ROUND, _MOST_ROUNDS)
    return int(max(min(wanted, _MOST_VISITS // border), _LEAST_ROUNDS))
