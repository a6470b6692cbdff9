"""Move atoms between neighbouring cells until all lie in a band, as few households as possible."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._flow import cheapest_flow
from geogrid.divide._problem import adjacency

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.divide._flow import Flow
    from geogrid.divide._problem import IntArray, Problem

__all__ = ["CellBoard", "Shift", "into_band"]

# Ways into a cell that are tried for one move; more find better fits, each costs a search.
_MOST_WAYS = 48
# Households by which a move may miss what should move, for a border shorter by its whole length.
_SHAPE = 0.25
_TRIES_PER_CELL = 60
_MOST_SWAPS = 40
# Of the solver, and of sums.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """What was moved.

    Attributes
    ----------
    label
        Cell of each node afterwards.
    moved
        Households in another cell than before.
    bound
        What the cheapest flow between neighbouring cells moves: no way moves fewer.
    beyond
        Households by which cells still miss the band, and by how many they must in any case.
    """

    label: IntArray
    moved: float
    bound: float
    beyond: float
    must: float


def into_band(
    problem: Problem,
    label: IntArray,
    *,
    low: float,
    high: float,
    frozen: npt.NDArray[np.bool_] | None = None,
    closed: npt.NDArray[np.bool_] | None = None,
    tries: int = _TRIES_PER_CELL,
) -> Shift:
    """Bring connected cells into a band by moving nodes between neighbours.

    Parameters
    ----------
    label
        Cell of each node, 0 … n-1.
    frozen
        Nodes that stay where they are.
    closed
        Cells that nothing enters or leaves and that no band judges.
    tries
        Moves that are tried at most, per cell.
    """
    board = CellBoard(problem, label, low, high, frozen, closed)
    start = board.flow()
    bound, must = start.moved, start.beyond
    if start.moved > 0 or start.beyond > 0:
        board.settle(tries)
        board.bring_home()
    moved = float(problem.weight[board.label != label].sum())
    return Shift(board.label, moved, bound, board.beyond(), must)


class CellBoard:
    """The nodes and their cells while they are moved."""

    def __init__(
        self,
        problem: Problem,
        label: IntArray,
        low: float,
        high: float,
        frozen: npt.NDArray[np.bool_] | None,
        closed: npt.NDArray[np.bool_] | None,
    ) -> None:
        self.problem = problem
        self.label = label.astype(np.int64).copy()
        self.home = self.label.copy()
        self.low, self.high = low, high
        self.cells = int(label.max()) + 1
        self.held = np.bincount(label, problem.weight, minlength=self.cells).astype(np.float64)
        self.closed = np.zeros(self.cells, dtype=bool) if closed is None else closed
        self.frozen = np.zeros(problem.n, dtype=bool) if frozen is None else frozen.copy()
        self.frozen |= self.closed[self.label]
        self.links = adjacency(problem)
        self.weight: list[float] = problem.weight.tolist()
        self.inside: list[set[int]] = [set() for _ in range(self.cells)]
        for node, cell in enumerate(self.label.tolist()):
            self.inside[cell].add(node)

    def beyond(self) -> float:
        """Return the households by which the open cells miss the band."""
        held = self.held[~self.closed]
        miss = np.maximum(held - self.high, 0) + np.maximum(self.low - held, 0)
        return float(miss.sum())

    def flow(self) -> Flow:
        """Return the cheapest flow between the open cells as they are now."""
        left, right = self.label[self.problem.left], self.label[self.problem.right]
        apart = (left != right) & ~self.closed[left] & ~self.closed[right]
        ends = np.sort(np.column_stack((left[apart], right[apart])), axis=1)
        pairs = np.unique(ends, axis=0).reshape(-1, 2)
        # A closed cell is as it should be, whatever it holds.
        fit = min(max(self.low, 0.0), self.high)
        held = np.where(self.closed, fit, self.held)
        return cheapest_flow(held, pairs[:, 0], pairs[:, 1], low=self.low, high=self.high)

    def settle(self, tries_per_cell: int) -> None:
        """Move along the cheapest flow as long as each move brings the cells nearer to the band."""
        # Pairs that had nothing fitting to move; they are asked again when one of them changes.
        stuck: set[tuple[int, int]] = set()
        now = self.flow()
        tries = tries_per_cell * self.cells
        while now.moved + now.beyond > 0 and tries > 0:
            tries -= 1
            step = self._step(now, stuck) or self._exchange()
            if step is None:
                return
            stuck -= {pair for pair in stuck if set(pair) & set(step)}
            now = self.flow()

    def _step(self, now: Flow, stuck: set[tuple[int, int]]) -> tuple[int, int] | None:
        """Move along one arc of the flow; return the two cells, ``None`` where nothing fits."""
        price = self._price(now)
        order = np.lexsort((now.target, now.source, -now.amount))
        for at in order.tolist():
            pair = int(now.source[at]), int(now.target[at])
            if pair in stuck:
                continue
            amount = float(now.amount[at])
            chosen = self._best(*pair, amount)
            if chosen is not None:
                held = sum(self.weight[node] for node in chosen)
                self.move(chosen, pair[1])
                # Along the flow, no more than flows: that is nearer by as much as was moved.
                if held <= amount or self._price(self.flow()) < price - _ROUNDING:
                    return pair
                self.move(chosen, pair[0])
            stuck.add(pair)
        return None

    def _exchange(self) -> tuple[int, int] | None:
        """Swap nodes of two neighbours where that brings them nearer to the band."""
        missing = [cell for cell in range(self.cells) if self._miss(cell, 0.0) > 0]
        for cell in sorted(missing, key=lambda one: -self._miss(one, 0.0)):
            if self.closed[cell]:
                continue
            for other in sorted(self.neighbours(cell)):
                if not self.closed[other] and self._swap(cell, other):
                    return cell, other
        return None

    def neighbours(self, cell: int) -> set[int]:
        """Return the cells that touch a cell."""
        near = {int(self.label[one]) for node in self.inside[cell] for one, _ in self.links[node]}
        return near - {cell}

    def _swap(self, one: int, other: int) -> bool:
        """Try exchanges of two cells, those first that move least for what they mend."""
        now = self._miss(one, 0.0) + self._miss(other, 0.0)
        give, take = (self._weighed(*ends) for ends in ((one, other), (other, one)))
        found = []
        for given, out in give:
            for taken, back in take:
                miss = self._miss(one, taken - given) + self._miss(other, given - taken)
                if miss < now - _ROUNDING:
                    # Households that change hands for one that is now inside the band.
                    found.append(((given + taken) / (now - miss), miss, out, back))
        found.sort(key=lambda swap: (swap[0], swap[1]))
        for _, _, out, back in found[:_MOST_SWAPS]:
            if out:
                self.move(out, other)
            if self.may_go(back, other, one):
                if back:
                    self.move(back, one)
                return True
            if out:
                self.move(out, one)
        return False

    def may_go(self, nodes: list[int], source: int, target: int) -> bool:
        """Tell whether nodes can leave a cell for another and tear neither."""
        if not nodes:
            return True
        if len(nodes) >= len(self.inside[source]) or not self._touches(nodes, target):
            return False
        # The way into the cell must still begin at the border.
        rest, seen = set(nodes), {node for node in nodes if self._touches([node], target)}
        stack = list(seen)
        while stack:
            for other, _ in self.links[stack.pop()]:
                if other in rest and other not in seen:
                    seen.add(other)
                    stack.append(other)
        return seen == rest and self._with_cut_off(nodes, source) == nodes

    def _touches(self, nodes: list[int], cell: int) -> bool:
        return any(self.label[other] == cell for node in nodes for other, _ in self.links[node])

    def _weighed(self, source: int, target: int) -> list[tuple[float, list[int]]]:
        """Return ways from one cell into another with their households, and the empty way."""
        ways: list[tuple[float, list[int]]] = [(0.0, [])]
        ways += [
            (sum(self.weight[node] for node in nodes), nodes)
            for nodes in self.ways(source, target, math.inf)
            if len(nodes) < len(self.inside[source])
        ]
        return ways

    def _price(self, flow: Flow) -> float:
        return flow.moved + (2.0 * self.cells + 1) * flow.beyond

    def _best(self, source: int, target: int, amount: float) -> list[int] | None:
        """Return the nodes of ``source`` whose move to ``target`` fits the amount best."""
        best: tuple[float, list[int]] | None = None
        for nodes in self.ways(source, target, 2 * amount):
            held = sum(self.weight[node] for node in nodes)
            if not 0 < held < 2 * amount or len(nodes) >= len(self.inside[source]):
                continue
            shape = self.shape(nodes, source, target)
            score = abs(held - amount) + _SHAPE * amount * shape
            if best is None or score < best[0] - _ROUNDING:
                best = score, nodes
        return None if best is None else best[1]

    def shape(self, nodes: list[int], source: int, target: int) -> float:
        """Return how much the border grows by a move, from -1 to 1 of the nodes' own border."""
        chosen = set(nodes)
        gained, lost = 0.0, 1e-9
        for node in nodes:
            for other, cost in self.links[node]:
                if other in chosen:
                    continue
                at = int(self.label[other])
                gained += cost if at == source else 0.0
                lost += cost if at == target else 0.0
        return (gained - lost) / (gained + lost)

    def ways(self, source: int, target: int, most: float) -> list[list[int]]:
        """Return sets of nodes that lead from the border into ``source``, lightest first."""
        heap: list[tuple[float, int, int]] = []
        for node in sorted(self.inside[source]):
            if not self.frozen[node] and any(
                self.label[other] == target for other, _ in self.links[node]
            ):
                heapq.heappush(heap, (self.weight[node], node, -1))
        came: dict[int, int] = {}
        ways = []
        while heap and len(came) < _MOST_WAYS:
            held, node, before = heapq.heappop(heap)
            if node in came or held >= most:
                continue
            came[node] = before
            way = [node]
            while came[way[-1]] >= 0:
                way.append(came[way[-1]])
            whole = self._with_cut_off(way, source)
            if whole is not None:
                ways.append(whole)
            for other, _ in self.links[node]:
                if self.label[other] == source and other not in came and not self.frozen[other]:
                    heapq.heappush(heap, (held + self.weight[other], other, node))
        return ways

    def _with_cut_off(self, way: list[int], source: int) -> list[int] | None:
        """Add what the cell would lose contact with; ``None`` where that must stay."""
        gone = set(way)
        edge = {
            other
            for node in way
            for other, _ in self.links[node]
            if self.label[other] == source and other not in gone
        }
        parts = []
        while edge:
            start = min(edge)
            part = self._reach(start, source, gone)
            edge -= part
            parts.append(part)
        if len(parts) <= 1:
            return way
        parts.sort(
            key=lambda part: (-sum(self.weight[node] for node in part), -len(part), min(part))
        )
        extra = [node for part in parts[1:] for node in sorted(part)]
        if any(self.frozen[node] for node in extra):
            return None
        return way + extra

    def _reach(self, start: int, source: int, gone: set[int]) -> set[int]:
        seen, stack = {start}, [start]
        while stack:
            for other, _ in self.links[stack.pop()]:
                if other not in seen and other not in gone and self.label[other] == source:
                    seen.add(other)
                    stack.append(other)
        return seen

    def move(self, nodes: list[int], target: int) -> None:
        """Give nodes of one cell to another."""
        source = int(self.label[nodes[0]])
        held = sum(self.weight[node] for node in nodes)
        self.label[nodes] = target
        self.inside[source].difference_update(nodes)
        self.inside[target].update(nodes)
        self.held[source] -= held
        self.held[target] += held

    def bring_home(self) -> None:
        """Take back what need not have been moved."""
        while True:
            away = np.flatnonzero(self.label != self.home)
            away = away[np.lexsort((away, -self.problem.weight[away]))]
            taken = [node for node in away.tolist() if self._return(node)]
            if not taken:
                return

    def _return(self, node: int) -> bool:
        here, home = int(self.label[node]), int(self.home[node])
        held = self.weight[node]
        if len(self.inside[here]) == 1 or not any(
            self.label[other] == home for other, _ in self.links[node]
        ):
            return False
        miss = self._miss(here, 0.0) + self._miss(home, 0.0)
        if self._miss(here, -held) + self._miss(home, held) > miss:
            return False
        if self._with_cut_off([node], here) != [node]:
            return False
        self.move([node], home)
        return True

    def _miss(self, cell: int, change: float) -> float:
        held = float(self.held[cell]) + change
        return max(held - self.high, 0.0) + max(self.low - held, 0.0)
