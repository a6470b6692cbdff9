"""A partition while it is made: the arrays of the loops, and the jobs that they do.

Small problems run uncompiled as long as compiling would cost more than running: then the arrays
are lists, and the loops are plain Python. The result is the same, number for number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.divide import _kernels
from geogrid.divide._board import Job, Price, make_board, make_desk, make_net
from geogrid.divide._chance import begin
from geogrid.divide._price import STEP, price_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.divide._aims import Rule
    from geogrid.divide._board import Board, Desk, Net
    from geogrid.divide._problem import FloatArray, IntArray, Problem

__all__ = ["State", "make_state"]

# Cosine and sine of the sweeps' directions over half a turn, in thousandths: the same numbers on
# every machine. The other half turn sweeps the same lines backwards.
_DIRECTIONS = (
    np.array(
        [
            (1000, 0), (924, 383), (707, 707), (383, 924),
            (0, 1000), (-383, 924), (-707, 707), (-924, 383),
        ]
    )
    / 1000.0
)  # fmt: skip
# A large region has so many nodes that its cuts differ little from one direction to the next.
_MANY_NODES = 5_000

# A cut may leave its goal by this share of the slack to follow a barrier.
_ROOM = 0.9
_REFINE_ROUNDS = 8
_REFINE_HEAT = 0.02
_COOL_ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class State:
    """Labels of a connected problem with totals per part; the only mutable type of the engine."""

    problem: Problem
    net: Net
    board: Board
    desk: Desk
    price: Price
    chance: Any
    work: Callable[..., int]
    is_plain: bool

    def labels(self) -> IntArray:
        """Return a copy of the labels."""
        return np.array(self.board.label, dtype=np.int64)

    def labels_of(self, nodes: IntArray) -> IntArray:
        """Return a copy of the labels of some nodes."""
        if self.is_plain:
            return np.array([self.board.label[node] for node in nodes.tolist()], dtype=np.int64)
        return np.asarray(self.board.label[nodes], dtype=np.int64)

    def set_labels(self, nodes: IntArray, labels: IntArray | int) -> None:
        """Label some nodes; totals are not touched."""
        if not self.is_plain:
            self.board.label[nodes] = labels
            return
        wanted = np.broadcast_to(np.asarray(labels), nodes.shape)
        for node, label in zip(nodes.tolist(), wanted.tolist(), strict=True):
            self.board.label[node] = label

    def halve(self, nodes: IntArray, low: int, high: int, ends: tuple[int, int], parts: int) -> int:
        """Cut ``nodes[low:high]`` into the labels ``ends``; return the parts of the first."""
        inside = nodes[low:high]
        orders, sweeps = self._orders(inside, is_odd=parts % 2 == 1)
        # Halves that are to be divided further share a deviation among their parts.
        spread = float(np.sqrt(max(parts // 2, 1)))
        unit = self.price.unit * spread
        job = Job(
            low=low,
            high=high,
            one=ends[0],
            two=ends[1],
            parts=parts,
            sweeps=sweeps,
            rounds=_REFINE_ROUNDS,
            cool_rounds=_COOL_ROUNDS,
            room=_ROOM * self.price.slack * unit,
            heat=_REFINE_HEAT,
        )
        share = self._do(job, self.price._replace(unit=unit), nodes, orders)
        for part in ends:
            self.board.is_open[part] = 0
        return int(share)

    def _orders(self, inside: IntArray, *, is_odd: bool) -> tuple[IntArray, int]:
        """Return the nodes sorted along several directions, and how many these are.

        Where one half is to give more parts than the other, backwards is another order.
        """
        size = len(inside)
        directions = _DIRECTIONS[:: 2 if size > _MANY_NODES else 1]
        sweeps = len(directions) * (2 if is_odd else 1)
        orders = np.empty((sweeps + 2, size), dtype=np.int64)
        x, y = self.problem.x[inside], self.problem.y[inside]
        bits = size.bit_length()
        places = np.arange(size)
        for at, (cos, sin) in enumerate(directions.tolist()):
            far = x * cos + y * sin
            # Millimetres and place in one whole number: a plain sort of these is several times
            # faster than a stable one, and ties still go by place.
            keys = (((far - far.min()) * 1000).astype(np.int64) << bits) | places
            keys.sort()
            orders[at] = inside[keys & ((1 << bits) - 1)]
        if is_odd:
            orders[len(directions) : sweeps] = orders[: len(directions), ::-1]
        return orders.ravel(), sweeps

    def improve(self, *, rounds: int, heat: float) -> None:
        """Improve all parts, first with falling heat, then by gains alone."""
        self._all_parts(1)
        n = self.problem.n
        job = Job(0, n, 0, 0, len(self.board.goal), -1, rounds, _COOL_ROUNDS, 0.0, heat)
        nodes = np.arange(n)
        self._do(job, self.price, nodes, nodes)
        self._all_parts(0)

    def _all_parts(self, is_open: int) -> None:
        for part in range(len(self.board.is_open)):
            self.board.is_open[part] = is_open

    def _do(self, job: Job, price: Price, nodes: IntArray, orders: IntArray) -> int:
        lists = (nodes.tolist(), orders.tolist()) if self.is_plain else (nodes, orders)
        return self.work(self.net, self.board, self.desk, price, job, *lists, self.chance)

    def count(self, goal: FloatArray) -> None:
        """Count the totals of all parts anew and set what each should hold."""
        parts = len(self.board.goal)
        label = self.labels()
        net = [np.asarray(field) for field in self.net]
        start, other, cost, mass, ground, edge, token, _ = net
        own = np.repeat(label, np.diff(start))
        inside = own == label[other]
        inner = np.bincount(own[inside], cost[inside], minlength=parts)
        board = self.board
        totals = {
            "mass": np.bincount(label, mass, minlength=parts),
            "ground": np.bincount(label, ground, minlength=parts),
            "edge": np.bincount(label, edge, minlength=parts) - inner,
            "tokens": np.bincount(label, token, minlength=parts).astype(np.int64),
            "goal": goal,
            "least": np.ones(parts, dtype=np.int64),
        }
        for name, values in totals.items():
            getattr(board, name)[:] = values.tolist() if self.is_plain else values

    def price_of(self, part: int) -> float:
        """Return what one part costs as it stands."""
        cost: float = price_of(self.board, self.price, part)
        return cost

    def prices(self) -> FloatArray:
        """Return what each part costs as it stands."""
        board, price = self.board, self.price
        off = np.abs(np.array(board.mass) - np.array(board.goal)) / price.unit
        beyond = np.maximum(off - price.slack, 0.0)
        steep = price.excess * beyond * (beyond + STEP)
        shape = np.array(board.edge) ** 2 / (4 * np.pi * np.array(board.ground))
        return np.asarray(price.balance * off**2 + steep + price.shape * shape, dtype=np.float64)


def make_state(  # noqa: PLR0913 - keywords, each of which the caller decides
    problem: Problem,
    *,
    parts: int,
    weight: FloatArray,
    token: IntArray,
    frozen: IntArray,
    unit: float,
    rule: Rule,
    seed: int,
    is_plain: bool,
) -> State:
    """Return a state with every node in part 0; ``frozen`` is 1 where labels stay."""
    net, degree = make_net(problem, weight, token, frozen)
    board, desk = make_board(problem.n, parts), make_desk(problem.n, parts, degree)
    price = Price(float(unit), float(rule.slack), rule.balance, rule.excess, rule.shape)
    chance: Any = begin(seed)
    if is_plain:
        net, board, desk = (_listed(table) for table in (net, board, desk))
    else:
        chance = np.array(chance, dtype=np.uint64)
    return State(
        problem=problem,
        net=net,
        board=board,
        desk=desk,
        price=price,
        chance=chance,
        work=_kernels.work.py_func if is_plain else _kernels.work,
        is_plain=is_plain,
    )


def _listed(table: Any) -> Any:  # noqa: ANN401 - one of the named tuples
    return type(table)(*(field.tolist() for field in table))
