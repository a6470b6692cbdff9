"""The partition of one connected problem: start, search, redo the worst pairs, search again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._bisect import bisect, halve
from geogrid.divide._locks import start_around_locks
from geogrid.divide._problem import subset
from geogrid.divide._search import Aims, anneal, make_board

if TYPE_CHECKING:
    from geogrid.divide._problem import IntArray, Problem
    from geogrid.divide._search import Board, Rule

__all__ = ["split_connected"]

# Weight without households, relative to one part: keeps empty land from being weightless.
_LAND = 1e-6

# Sweeps over the borders are worth most on few large parts; the total stays about the same time.
_MOST_ROUNDS = 60
_LEAST_ROUNDS = 16
_MOVES = 250_000
_HEAT = 0.15
_PAIRS_PER_PART = 2


def split_connected(
    problem: Problem,
    *,
    parts: int,
    fixed: IntArray,
    rule: Rule,
    rng: np.random.Generator,
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
    aims = _aims(problem, parts, fixed)
    if (fixed < 0).all():
        label = bisect(problem, weight=aims.weight, parts=parts, unit=aims.unit, rule=rule, rng=rng)
    else:
        label = start_around_locks(
            problem, aims.weight, parts=parts, fixed=fixed, unit=aims.unit, rule=rule, rng=rng
        )
    board = make_board(
        problem,
        label,
        aims=aims,
        rule=rule,
        frozen=np.flatnonzero(fixed >= 0),
    )
    rounds = int(np.clip(_MOVES / max(problem.n, 1), _LEAST_ROUNDS, _MOST_ROUNDS))
    anneal(board, rounds=rounds, heat=_HEAT, rng=rng)
    _redo_pairs(board, budget=_PAIRS_PER_PART * parts, rng=rng)
    return np.array(board.label, dtype=np.int64)


def _aims(problem: Problem, parts: int, fixed: IntArray) -> Aims:
    """Set the goals.

    A node heavier than a part counts as one full part: its part is full with it, and the others
    share what is left instead of chasing a mean that they cannot reach. The same goes for locked
    nodes that together are heavier than a part.
    """
    weight = problem.weight if problem.weight.sum() > 0 else problem.area
    locked = np.bincount(fixed[fixed >= 0], weight[fixed >= 0], minlength=parts)
    free = np.where(fixed < 0, weight, 0.0)
    unit = float(weight.sum()) / parts
    while True:
        heavy_locks, heavy = locked > unit, free > unit
        left = parts - int(heavy_locks.sum()) - int(heavy.sum())
        if left <= 0:
            break
        rest = locked[~heavy_locks].sum() + free[~heavy].sum()
        lower = float(rest) / left
        if lower >= unit * (1 - 1e-12) or lower <= 0:
            break
        unit = lower
    counted = np.where(fixed < 0, np.minimum(weight, unit), weight)
    goal = np.where(locked > unit, locked, unit)
    counted = counted + _LAND * unit * problem.area / problem.area.sum()
    return Aims(counted, goal, unit)


def _redo_pairs(board: Board, *, budget: int, rng: np.random.Generator) -> None:
    """Cut pairs of neighbouring parts anew, the dearest first, where that is cheaper."""
    tried: set[tuple[int, int, int]] = set()
    stamp = [0] * len(board.goal)
    while budget > 0:
        pairs = [
            pair for pair in _pairs(board) if (*pair, stamp[pair[0]] + stamp[pair[1]]) not in tried
        ]
        if not pairs:
            return
        for one, two in pairs[: max(1, budget)]:
            tried.add((one, two, stamp[one] + stamp[two]))
            budget -= 1
            if _redo(board, one, two, rng):
                stamp[one] += 1
                stamp[two] += 1
        anneal(board, rounds=0, heat=0.0, rng=rng)


def _pairs(board: Board) -> list[tuple[int, int]]:
    """Return the neighbouring pairs of parts that hold no locked node, dearest first."""
    problem = board.problem
    label = np.array(board.label)
    ends = np.sort(np.column_stack((label[problem.left], label[problem.right])), axis=1)
    pairs = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    locked = {board.label[node] for node in board.frozen}
    price = [board.price_of(part) for part in range(len(board.goal))]
    free = [(one, two) for one, two in pairs.tolist() if not {one, two} & locked]
    return sorted(free, key=lambda pair: (-price[pair[0]] - price[pair[1]], pair))


def _redo(board: Board, one: int, two: int, rng: np.random.Generator) -> bool:
    label = np.array(board.label)
    nodes = np.flatnonzero((label == one) | (label == two))
    region = subset(board.problem, nodes)
    weight = np.array([board.node_weight[node] for node in nodes.tolist()])
    side, _ = halve(region, weight=weight, parts=2, unit=board.unit, rule=board.rule, rng=rng)
    new = np.where(side == 0, one, two)
    trial = make_board(
        region,
        side,
        aims=Aims(weight, np.array([board.goal[one], board.goal[two]]), board.unit),
        rule=board.rule,
    )
    before = board.price_of(one) + board.price_of(two)
    if trial.price_of(0) + trial.price_of(1) >= before - 1e-9:
        return False
    for node, part in zip(nodes.tolist(), new.tolist(), strict=True):
        board.label[node] = part
    for at, part in enumerate((one, two)):
        board.weight[part] = trial.weight[at]
        board.area[part] = trial.area[at]
        board.border[part] = trial.border[at]
        board.count[part] = trial.count[at]
    return True
