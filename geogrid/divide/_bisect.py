"""Recursive bisection: sweep a line over a region in many directions, keep the best cut.

Every half stays connected and keeps at least as many atoms as it must give parts, so the recursion
always ends in exactly the number of parts asked for.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, dijkstra

from geogrid.divide._problem import adjacency, pieces, subset
from geogrid.divide._search import Aims, anneal, make_board

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geogrid.divide._problem import FloatArray, IntArray, Problem
    from geogrid.divide._search import Rule

__all__ = ["bisect", "halve"]

_DIRECTIONS = 12
_REFINED = 3

# A cut may leave its goal by this share of the slack to follow a barrier.
_ROOM = 0.9

_REFINE_ROUNDS = 8
_REFINE_HEAT = 0.02


def bisect(
    problem: Problem,
    *,
    weight: FloatArray,
    parts: int,
    unit: float,
    rule: Rule,
    rng: np.random.Generator,
) -> IntArray:
    """Divide a connected problem into ``parts`` connected, non-empty parts.

    Parameters
    ----------
    weight
        What is balanced, per node.
    unit
        What one part should hold.
    """
    label = np.zeros(problem.n, dtype=np.int64)
    todo = [(problem, np.arange(problem.n), parts, 0)]
    while todo:
        region, nodes, count, first = todo.pop()
        if count == 1:
            label[nodes] = first
            continue
        side, low = halve(region, weight=weight[nodes], parts=count, unit=unit, rule=rule, rng=rng)
        for half, share, start in ((0, low, first), (1, count - low, first + low)):
            inside = np.flatnonzero(side == half)
            todo.append((subset(region, inside), nodes[inside], share, start))
    return label


def halve(
    problem: Problem,
    *,
    weight: FloatArray,
    parts: int,
    unit: float,
    rule: Rule,
    rng: np.random.Generator,
) -> tuple[IntArray, int]:
    """Cut a connected problem in two; return the side of each node and the parts of side 0."""
    cuts = []
    room = _ROOM * rule.slack * unit * np.sqrt(max(parts // 2, 1))
    # Halves that are to be divided further share a deviation among their parts.
    unit *= np.sqrt(max(parts // 2, 1))
    for order in _orders(problem, rng):
        for at in _positions(problem, order, weight, parts, room):
            side = _mended(problem, order[:at], weight)
            if side is None:
                continue
            low = _share(side, weight, parts)
            aims = Aims(weight, _goals(weight, low, parts), unit)
            cuts.append((_price(problem, side, aims, rule), low, side))
    if not cuts:
        side = _tree_cut(problem, weight, parts)
        return side, _share(side, weight, parts)
    cuts.sort(key=itemgetter(0))
    links = adjacency(problem)
    found: list[tuple[float, int, list[int]]] = []
    for _, low, side in cuts[:_REFINED]:
        board = make_board(
            problem,
            side,
            aims=Aims(weight, _goals(weight, low, parts), unit),
            rule=rule,
            minimum=(low, parts - low),
            links=links,
        )
        anneal(board, rounds=_REFINE_ROUNDS, heat=_REFINE_HEAT, rng=rng)
        found.append((board.price_of(0) + board.price_of(1), low, board.label))
    _, low, label = min(found, key=itemgetter(0))
    return np.array(label, dtype=np.int64), low


def _goals(weight: FloatArray, low: int, parts: int) -> FloatArray:
    return float(weight.sum()) * np.array([low, parts - low]) / parts


def _orders(problem: Problem, rng: np.random.Generator) -> Iterator[IntArray]:
    """Yield orders of the nodes: along lines in many directions, and outwards from two ends."""
    turn = rng.random()
    for step in range(_DIRECTIONS):
        angle = 2 * np.pi * (step + turn) / _DIRECTIONS
        yield np.argsort(problem.x * np.cos(angle) + problem.y * np.sin(angle), kind="stable")
    reach = np.hypot(
        problem.x[problem.left] - problem.x[problem.right],
        problem.y[problem.left] - problem.y[problem.right],
    )
    # A length of zero would read as "no neighbour" in a sparse matrix.
    lengths = np.maximum(reach, 1e-3)
    shape = (problem.n, problem.n)
    matrix = coo_array((lengths, (problem.left, problem.right)), shape=shape).tocsr()
    start = int(rng.integers(problem.n))
    for _ in range(2):
        far = dijkstra(matrix, directed=False, indices=start)
        start = int(np.argmax(far))
        yield np.argsort(dijkstra(matrix, directed=False, indices=start), kind="stable")


def _positions(
    problem: Problem, order: IntArray, weight: FloatArray, parts: int, room: float
) -> list[int]:
    """Return where to cut an order: at the goal, and where the border is cheapest around it."""
    low = parts // 2
    run = np.cumsum(weight[order])
    goal = run[-1] * low / parts
    least, most = low, problem.n - (parts - low)
    exact = int(np.argmin(np.abs(run - goal))) + 1
    positions = {min(max(exact, least), most)}
    first = max(int(np.searchsorted(run, goal - room)) + 1, least)
    last = min(int(np.searchsorted(run, goal + room, side="right")), most)
    if first < last:
        place = np.empty(problem.n, dtype=np.int64)
        place[order] = np.arange(problem.n)
        ends = np.sort(np.column_stack((place[problem.left], place[problem.right])), axis=1)
        steps = np.bincount(ends[:, 0], problem.cost, minlength=problem.n)
        steps -= np.bincount(ends[:, 1], problem.cost, minlength=problem.n)
        # Border of the first 1, 2, 3 … nodes of the order with the rest.
        border = np.cumsum(steps)
        positions.add(first + int(np.argmin(border[first - 1 : last])))
    return sorted(positions)


def _mended(problem: Problem, inside: IntArray, weight: FloatArray) -> IntArray | None:
    """Return connected sides, the first of them ``inside`` as far as it hangs together."""
    side = np.ones(problem.n, dtype=np.int64)
    side[inside] = 0
    for half in (0, 1):
        # Everything of a half that hangs apart goes to the other half, which surrounds it.
        number = pieces(problem, side)
        own = side == half
        mass = np.bincount(number[own], weights=weight[own] + 1e-9)
        side[own & (number != int(np.argmax(mass)))] = 1 - half
    return side if np.bincount(side, minlength=2).min() > 0 else None


def _share(side: IntArray, weight: FloatArray, parts: int) -> int:
    """Return how many of the parts side 0 gets: by weight, as far as both have atoms enough."""
    sizes = np.bincount(side, minlength=2)
    mass = np.bincount(side, weights=weight, minlength=2)
    wanted = round(parts * float(mass[0] / mass.sum()))
    return int(np.clip(wanted, max(1, parts - sizes[1]), min(parts - 1, sizes[0])))


def _price(problem: Problem, side: IntArray, aims: Aims, rule: Rule) -> float:
    """Return the price of a cut as the board would, without setting one up."""
    between = side[problem.left] != side[problem.right]
    border = np.bincount(side, weights=problem.outer, minlength=2) + problem.cost[between].sum()
    area = np.bincount(side, weights=problem.area, minlength=2)
    off = np.abs(np.bincount(side, weights=aims.weight, minlength=2) - aims.goal) / aims.unit
    shape = rule.shape * border**2 / (4 * np.pi * area)
    steep = rule.excess * np.maximum(off - rule.slack, 0) ** 2
    return float((rule.balance * off**2 + steep + shape).sum())


def _tree_cut(problem: Problem, weight: FloatArray, parts: int) -> IntArray:
    """Cut one edge of a spanning tree: both sides are connected whatever the graph looks like."""
    shape = (problem.n, problem.n)
    ones = np.ones(len(problem.left), dtype=np.int8)
    matrix = coo_array((ones, (problem.left, problem.right)), shape=shape).tocsr()
    order, parent = breadth_first_order(matrix, 0, directed=False)
    below = weight.copy()
    for node in order[:0:-1]:
        below[parent[node]] += below[node]
    goal = float(weight.sum()) * (parts // 2) / parts
    top = min(order[1:].tolist(), key=lambda node: (abs(float(below[node]) - goal), node))
    side = np.ones(problem.n, dtype=np.int64)
    side[top] = 0
    for node in order[1:]:
        if side[parent[node]] == 0:
            side[node] = 0
    return side
