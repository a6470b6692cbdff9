"""Local search over a partition: atoms change sides as long as it pays, and nothing breaks.

A board holds the labels with running totals per part. A move takes one border atom, together with
what it would strand behind it, to a neighbouring part; the part it leaves stays connected and
keeps its least number of atoms. So no part can be lost, split or emptied on the way.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._problem import adjacency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.divide._problem import FloatArray, IntArray, Problem

__all__ = ["Aims", "Board", "Rule", "anneal", "make_board"]

# What strays behind a moved atom is a pocket (a court, a dead end); more is a part of its own.
_MAX_POCKET = 24

# Sides of a part that are connected only round a longer way than this are left alone.
_MAX_WALK = 300

# Every so many rounds also moves that only pay together with their pocket are looked for.
_DEEP_EVERY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a good partition is: the price of imbalance and of shape.

    The shape of a part costs ``shape * P² / 4πA`` with P its border, barriers discounted: that has
    no unit, so a small part in town counts as much as a large one in the fields.

    Attributes
    ----------
    slack
        Relative deviation that is free of the steep price.
    balance, excess, shape
        Prices of a squared deviation, of the squared deviation beyond ``slack``, and of shape.
    """

    slack: float = 0.1
    balance: float = 300.0
    excess: float = 1000.0
    shape: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Aims:
    """What counts per node, what each part should hold, and what one whole part holds.

    A goal of a half that is to be divided further is several units.
    """

    weight: FloatArray
    goal: FloatArray
    unit: float


class _Walk:
    """Walks through one part from several starts at once, to see which of them hang together.

    Walks that meet become one. As soon as a single walk can still go on, everything that the
    others have seen is cut off from it. Walking in turns keeps this as cheap as the small side.
    """

    def __init__(self, starts: list[int], without: int) -> None:
        self.starts = starts
        self.walk_of = {without: -1}
        self.walk_of.update((start, at) for at, start in enumerate(starts))
        self.joined = list(range(len(starts)))
        self.waiting = [1] * len(starts)
        self.open = len(starts)

    def run(self, links: list[list[tuple[int, float]]], label: list[int], source: int) -> bool:
        """Walk until at most one walk is open; give up, with False, when that takes too long."""
        walk_of = self.walk_of
        queue = deque(self.starts)
        while queue:
            if len(walk_of) > _MAX_WALK:
                return False
            node = queue.popleft()
            walk = self._root(walk_of[node])
            for other, _ in links[node]:
                if label[other] != source:
                    continue
                met = walk_of.get(other)
                if met is None:
                    walk_of[other] = walk
                    self.waiting[walk] += 1
                    queue.append(other)
                elif met >= 0 and met != walk:
                    walk = self._join(walk, met)
            self.waiting[walk] -= 1
            if not self.waiting[walk]:
                self.open -= 1
            if self.open <= 1:
                return True
        return True

    def _root(self, walk: int) -> int:
        while self.joined[walk] != walk:
            walk = self.joined[walk]
        return walk

    def _join(self, walk: int, met: int) -> int:
        root = self._root(met)
        if root != walk:
            self.joined[root] = walk
            self.waiting[walk] += self.waiting[root]
            self.open -= 1
        return walk

    def closed(self) -> list[int]:
        """Return the nodes of all walks but the one that is open, or else the longest."""
        regions: dict[int, list[int]] = {}
        for node, walk in self.walk_of.items():
            if walk >= 0:
                regions.setdefault(self._root(walk), []).append(node)
        stay = max(regions, key=lambda at: (self.waiting[at] > 0, len(regions[at]), -at))
        return [node for at, region in regions.items() if at != stay for node in region]


@dataclass(slots=True)
class Board:
    """Labels of a connected problem with totals per part; the only mutable type of the engine.

    Attributes
    ----------
    label
        Part of each node.
    weight, area, border, count
        Totals per part; ``border`` in barrier-priced metres.
    goal, minimum
        Households that each part should hold, and atoms that it must keep.
    unit
        Households that one whole part should hold: the measure of a deviation.
    frozen
        Nodes that keep their label.
    """

    problem: Problem
    rule: Rule
    node_weight: list[float]
    node_area: list[float]
    node_border: list[float]
    links: list[list[tuple[int, float]]]
    label: list[int]
    weight: list[float]
    area: list[float]
    border: list[float]
    count: list[int]
    goal: list[float]
    minimum: list[int]
    unit: float
    frozen: set[int] = field(default_factory=set)

    def price(self, part: int, weight: float, area: float, border: float) -> float:
        """Return what a part with these totals would cost."""
        rule = self.rule
        off = abs(weight - self.goal[part]) / self.unit
        cost = rule.balance * off * off + rule.shape * border * border / (4 * math.pi * area)
        if off > rule.slack:
            cost += rule.excess * (off - rule.slack) ** 2
        return cost

    def price_of(self, part: int) -> float:
        """Return what a part costs as it stands."""
        return self.price(part, self.weight[part], self.area[part], self.border[part])

    def deviation(self, part: int) -> float:
        """Return how far a part is from its goal, relative to a whole part."""
        return (self.weight[part] - self.goal[part]) / self.unit

    def try_move(self, node: int, limit: float, *, is_deep: bool) -> bool:
        """Move ``node`` where it costs least if that changes the total by less than ``limit``."""
        source = self.label[node]
        if node in self.frozen or self.count[source] <= self.minimum[source]:
            return False
        touched: dict[int, float] = {}
        for other, cost in self.links[node]:
            part = self.label[other]
            touched[part] = touched.get(part, 0.0) + cost
        own = touched.pop(source, 0.0)
        if not touched:
            return False
        totals = (self.node_weight[node], self.node_area[node], self.node_border[node])
        change, target = self._cheapest(source, touched, own, totals)
        if change >= limit and not is_deep:
            return False
        pocket = self._pocket(node, source)
        if pocket is None or self.count[source] - 1 - len(pocket) < self.minimum[source]:
            return False
        moved = [node, *pocket]
        if pocket:
            totals, own, touched = self._together(moved, source)
            change, target = self._cheapest(source, touched, own, totals)
        if change >= limit:
            return False
        self._apply(moved, source, target, totals, own, touched[target])
        return True

    def _cheapest(
        self,
        source: int,
        touched: dict[int, float],
        own: float,
        totals: tuple[float, float, float],
    ) -> tuple[float, int]:
        weight, area, border = totals
        left = self.price(
            source,
            self.weight[source] - weight,
            max(self.area[source] - area, 1e-6),
            self.border[source] - border + 2 * own,
        )
        saved = left - self.price_of(source)
        best, target = math.inf, -1
        for part, cost in touched.items():
            after = self.price(
                part,
                self.weight[part] + weight,
                self.area[part] + area,
                self.border[part] + border - 2 * cost,
            )
            change = saved + after - self.price_of(part)
            if change < best or (change == best and part < target):
                best, target = change, part
        return best, target

    def _pocket(self, node: int, source: int) -> list[int] | None:
        """Return what ``node`` would strand in its part, ``None`` when that is too much."""
        label = self.label
        own = [other for other, _ in self.links[node] if label[other] == source]
        if len(own) < 2:  # noqa: PLR2004 - one neighbour cannot be cut off from itself
            return []
        walk = _Walk(own, node)
        if not walk.run(self.links, label, source):
            return None
        pocket = walk.closed()
        if len(pocket) > _MAX_POCKET or not self.frozen.isdisjoint(pocket):
            return None
        return pocket

    def _together(
        self, moved: Sequence[int], source: int
    ) -> tuple[tuple[float, float, float], float, dict[int, float]]:
        """Return totals of several nodes, their border with the source and with the others."""
        inside = set(moved)
        weight = sum(self.node_weight[node] for node in moved)
        area = sum(self.node_area[node] for node in moved)
        border, own = 0.0, 0.0
        touched: dict[int, float] = {}
        for node in moved:
            border += self.node_border[node]
            for other, cost in self.links[node]:
                if other in inside:
                    border -= cost
                elif self.label[other] == source:
                    own += cost
                else:
                    part = self.label[other]
                    touched[part] = touched.get(part, 0.0) + cost
        return (weight, area, border), own, touched

    def _apply(
        self,
        moved: Sequence[int],
        source: int,
        target: int,
        totals: tuple[float, float, float],
        own: float,
        met: float,
    ) -> None:
        weight, area, border = totals
        for node in moved:
            self.label[node] = target
        self.weight[source] -= weight
        self.weight[target] += weight
        self.area[source] -= area
        self.area[target] += area
        self.border[source] += 2 * own - border
        self.border[target] += border - 2 * met
        self.count[source] -= len(moved)
        self.count[target] += len(moved)


def make_board(
    problem: Problem,
    label: IntArray,
    *,
    aims: Aims,
    rule: Rule,
    minimum: Sequence[int] | None = None,
    frozen: IntArray | None = None,
    links: list[list[tuple[int, float]]] | None = None,
) -> Board:
    """Set up a board; ``links``, where they are known, save their making."""
    weight, goal = aims.weight, aims.goal
    parts = len(goal)
    node_border = problem.outer.copy()
    np.add.at(node_border, problem.left, problem.cost)
    np.add.at(node_border, problem.right, problem.cost)
    between = label[problem.left] != label[problem.right]
    border = np.bincount(label, weights=problem.outer, minlength=parts)
    for ends in (problem.left, problem.right):
        border += np.bincount(label[ends[between]], problem.cost[between], minlength=parts)
    return Board(
        problem=problem,
        rule=rule,
        node_weight=weight.tolist(),
        node_area=problem.area.tolist(),
        node_border=node_border.tolist(),
        links=adjacency(problem) if links is None else links,
        label=label.tolist(),
        weight=np.bincount(label, weights=weight, minlength=parts).tolist(),
        area=np.bincount(label, weights=problem.area, minlength=parts).tolist(),
        border=border.tolist(),
        count=np.bincount(label, minlength=parts).tolist(),
        goal=goal.tolist(),
        minimum=[1] * parts if minimum is None else list(minimum),
        unit=aims.unit,
        frozen=set() if frozen is None else set(frozen.tolist()),
    )


def anneal(
    board: Board, *, rounds: int, heat: float, rng: np.random.Generator, cool_rounds: int = 12
) -> None:
    """Improve a board: ``rounds`` in which a move may cost up to ``heat``, then only gains.

    The heat falls to nothing over the rounds; afterwards at most ``cool_rounds`` more look for
    gains and stop as soon as a round with all moves finds none.
    """
    for turn in range(rounds + cool_rounds):
        is_cool = turn >= rounds
        warmth = 0.0 if is_cool else heat * (1 - turn / rounds) ** 2
        is_deep = is_cool or turn % _DEEP_EVERY == 0
        moved = _one_round(board, warmth, is_deep=is_deep, rng=rng)
        if is_cool and not moved:
            return


def _one_round(board: Board, warmth: float, *, is_deep: bool, rng: np.random.Generator) -> int:
    problem = board.problem
    label = np.array(board.label)
    between = label[problem.left] != label[problem.right]
    nodes = np.unique(np.concatenate((problem.left[between], problem.right[between])))
    rng.shuffle(nodes)
    chances = rng.random(len(nodes))
    # A gain below a billionth is rounding noise and could make the search go round in circles.
    limits = -warmth * np.log(np.maximum(chances, 1e-12)) - 1e-9
    return sum(
        board.try_move(node, limit, is_deep=is_deep)
        for node, limit in zip(nodes.tolist(), limits.tolist(), strict=True)
    )
