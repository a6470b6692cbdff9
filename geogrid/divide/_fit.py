"""Cells whose households can be shared out in groups: atoms change places until the groups fit.

A list (邻) of 5 to 15 households stays inside one cell of the level above (组), so a cell of 31
needs three groups and leaves fourteen places unused. Where so many groups are not wanted, it is the
cells above that have to give way: a cell of 30 needs two.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._shift import CellBoard

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.divide._problem import IntArray, Problem
    from geogrid.model.scheme import HouseholdBand

__all__ = ["Fitted", "Groups", "fit_groups"]

# What a cell that no number of groups fits counts, in groups.
_UNFIT = 8
# A pair of cells that becomes this much more unequal (in squared means) costs as much as a border
# that grows by the whole border of what is moved.
_EVEN = 1.0
# As much costs half a cell of households that change cells.
_MOVED = 2.0
# Exchanges of a pair that are kept: one that would tear a cell is found out only when it is made.
_MOST_OFFERS = 6


@dataclass(frozen=True, slots=True)
class Groups:
    """How many groups are wanted in all (``None`` for any number), and the band of each."""

    band: HouseholdBand
    count: int | None

    def ends(self, households: float) -> tuple[int, int]:
        """Return the least and the greatest number of groups that a cell can have."""
        if households <= 0:
            return 0, 0
        high = math.inf if self.band.high is None else max(float(self.band.high), 1.0)
        least = max(math.ceil(households / high), 1)
        return least, math.floor(households / self.band.low) if self.band.low else least


def fit_groups(
    problem: Problem,
    cell: IntArray,
    *,
    apart: IntArray,
    frozen: npt.NDArray[np.bool_],
    band: HouseholdBand | None,
    groups: Groups,
) -> Fitted:
    """Move atoms between neighbouring cells until the groups of all cells can be had.

    Moves that spoil shape and balance least come first, and none is made that is not needed. What
    cannot be mended stays: the lists say so.

    Parameters
    ----------
    cell
        Cell of each atom, 0 … n-1.
    apart
        Atoms of different numbers are never in one cell, and cells that hold several numbers stay
        as they are.
    frozen
        Atoms that stay where they are.
    band
        Band of the cells themselves, which no move leaves.

    Returns
    -------
    Fitted
        Cell of each atom afterwards, no cell empty or torn; and what then can be had.
    """
    search = _Search(problem, cell, apart, frozen, band, groups)
    search.run()
    lived = np.bincount(search.board.label[problem.weight > 0], minlength=search.board.cells)
    return Fitted(search.board.label, search.least, search.most, int((lived == 1).sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Cells after the moves.

    Attributes
    ----------
    label
        Cell of each atom.
    least, most
        How few and how many groups there can be now.
    single
        Cells with households in one atom only, which have nothing to exchange.
    """

    label: IntArray
    least: int
    most: int
    single: int


@dataclass(frozen=True, slots=True, order=True)
class _Move:
    """Nodes that two neighbouring cells exchange, cheapest first."""

    score: float
    ends: tuple[int, int]
    age: tuple[int, int]
    give: tuple[int, ...]
    take: tuple[int, ...]


class _Search:
    """The cells while they are fitted."""

    def __init__(
        self,
        problem: Problem,
        cell: IntArray,
        apart: IntArray,
        frozen: npt.NDArray[np.bool_],
        band: HouseholdBand | None,
        groups: Groups,
    ) -> None:
        self.groups, self.band = groups, band
        self.board = CellBoard(problem, cell, 0.0, math.inf, frozen, None)
        self.age = [0] * self.board.cells
        self.mean = max(float(problem.weight.sum()) / self.board.cells, 1.0)
        kind = np.full(self.board.cells, -1, dtype=np.int64)
        kind[cell] = apart
        mixed = np.unique(cell[kind[cell] != apart])
        # A number that no atom has: nothing may enter or leave.
        kind[mixed] = -2 - np.arange(len(mixed))
        self.kind = kind
        ends = [groups.ends(held) for held in self.board.held.tolist()]
        self.least = sum(one for one, _ in ends)
        self.most = sum(other for _, other in ends)
        self.unfit = sum(one > other for one, other in ends)
        # What is to fall: the least number of groups (1), or less the greatest number (-1).
        self.step = -1 if groups.count is not None and self.most < groups.count else 1
        self.price = _Price(groups, self.step)
        self.links = problem.left, problem.right

    def is_done(self) -> bool:
        count = self.groups.count
        fits = count is None or (self.least <= count if self.step > 0 else self.most >= count)
        return fits and not self.unfit

    def run(self) -> None:
        """Make the cheapest move that helps, until all fits or none helps."""
        if self.is_done():
            return
        heap: list[_Move] = []
        left, right = self.board.label[self.links[0]], self.board.label[self.links[1]]
        pairs = np.unique(np.sort(np.column_stack((left, right)), axis=1), axis=0)
        for one, other in pairs[pairs[:, 0] != pairs[:, 1]].tolist():
            self._offer(heap, one, other)
        while heap and not self.is_done():
            move = heapq.heappop(heap)
            one, other = move.ends
            if move.age != (self.age[one], self.age[other]) or not self._make(move):
                continue
            beside = {(end, near) for end in move.ends for near in self.board.neighbours(end)}
            for one, other in sorted({(min(pair), max(pair)) for pair in beside}):
                self._offer(heap, one, other)

    def _offer(self, heap: list[_Move], one: int, other: int) -> None:
        """Put the best exchanges of two cells on the heap, if there are any that help."""
        if self.kind[one] != self.kind[other]:
            return
        held, price = (float(self.board.held[one]), float(self.board.held[other])), self.price
        before = price.of(held[0]) + price.of(held[1])
        if price.best(int(sum(held))) >= before:
            return
        give, take = self._ways(one, other), self._ways(other, one)
        found = []
        for out, left, shape_out in give:
            for back, right, shape_back in take:
                now = held[0] - left + right, held[1] + left - right
                if price.of(now[0]) + price.of(now[1]) >= before or not self._allowed(held, now):
                    continue
                score = shape_out + shape_back + _EVEN * self._uneven(held, now)
                score += _MOVED * (left + right) / self.mean
                found.append((score, out, back))
        age = self.age[one], self.age[other]
        for score, out, back in sorted(found)[:_MOST_OFFERS]:
            heapq.heappush(heap, _Move(score, (one, other), age, out, back))

    def _ways(self, source: int, target: int) -> list[tuple[tuple[int, ...], float, float]]:
        """Return what can leave a cell for another: nodes, households, shape; first nothing."""
        found: list[tuple[tuple[int, ...], float, float]] = [((), 0.0, 0.0)]
        inside = self.board.inside[source]
        for nodes in self.board.ways(source, target, math.inf):
            if len(nodes) < len(inside):
                held = sum(self.board.weight[node] for node in nodes)
                if held > 0:
                    found.append((tuple(nodes), held, self.board.shape(nodes, source, target)))
        return found

    def _allowed(self, held: tuple[float, float], now: tuple[float, float]) -> bool:
        """Tell whether no cell loses its last household, or leaves its own band farther."""
        if min(now) <= 0:
            return False
        if self.band is None:
            return True
        low, high = self.band.low or 0, math.inf if self.band.high is None else self.band.high
        return all(
            max(low - after, after - high, 0) <= max(low - before, before - high, 0)
            for before, after in zip(held, now, strict=True)
        )

    def _uneven(self, held: tuple[float, float], now: tuple[float, float]) -> float:
        was, is_ = (sum((n / self.mean - 1) ** 2 for n in pair) for pair in (held, now))
        return is_ - was

    def _make(self, move: _Move) -> bool:
        """Exchange the nodes; ``False`` where giving some back would tear a cell."""
        (one, other), board = move.ends, self.board
        before = [self.groups.ends(float(board.held[end])) for end in move.ends]
        if move.give:
            board.move(list(move.give), other)
        if not board.may_go(list(move.take), other, one):
            if move.give:
                board.move(list(move.give), one)
            return False
        if move.take:
            board.move(list(move.take), one)
        after = [self.groups.ends(float(board.held[end])) for end in move.ends]
        for sign, ends in ((-1, before), (1, after)):
            self.least += sign * sum(few for few, _ in ends)
            self.most += sign * sum(many for _, many in ends)
            self.unfit += sign * sum(few > many for few, many in ends)
        self.age[one] += 1
        self.age[other] += 1
        return True


class _Price:
    """What a cell costs by its households."""

    def __init__(self, groups: Groups, step: int) -> None:
        self.groups, self.step = groups, step
        self.of = lru_cache(maxsize=None)(self._of)
        self.best = lru_cache(maxsize=None)(self._best)

    def _of(self, households: float) -> int:
        least, most = self.groups.ends(households)
        return _UNFIT * (least > most) + (least if self.step > 0 else -most)

    def _best(self, households: int) -> float:
        """Return the least that two cells with so many households together can cost."""
        half = range(1, households // 2 + 1)
        return min((self.of(part) + self.of(households - part) for part in half), default=math.inf)
