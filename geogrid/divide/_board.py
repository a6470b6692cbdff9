"""What the loops of the engine work on: flat arrays, named.

In plain Python the same loops run on lists, which are several times faster to index one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray, Problem

__all__ = ["Board", "Desk", "Job", "Load", "Net", "Price", "make_board", "make_desk", "make_net"]

# Less ground than this is rounding noise, and would make the price of a shape infinite.
_LEAST_GROUND = 1e-6

# Sides of the best cuts that are kept beside each other.
_KEPT = 3
# Cuts that are compared: two for each order, and from 120 on those that are kept.
_CUTS = 128


class Price(NamedTuple):
    """What imbalance and shape cost; ``unit`` is what one whole part should hold."""

    unit: float
    slack: float
    balance: float
    excess: float
    shape: float


class Job(NamedTuple):
    """What is to be done with ``nodes[low:high]``.

    Cut them into ``one`` and ``two``, which are to give ``parts`` parts together, by ``sweeps``
    orders, off the goal by ``room`` at most where that saves border; or, with ``sweeps`` below 0,
    only improve the labels that they have: ``rounds`` in which a move may cost ``heat``, falling
    to nothing, and at most ``cool_rounds`` that look for gains alone.
    """

    low: int
    high: int
    one: int
    two: int
    parts: int
    sweeps: int
    rounds: int
    cool_rounds: int
    room: float
    heat: float


class Load(NamedTuple):
    """Totals of nodes that move together; ``own`` is their border with the part they leave."""

    mass: float
    ground: float
    edge: float
    own: float


class Net(NamedTuple):
    """Nodes and their neighbours: those of node i are ``other[start[i]:start[i + 1]]``.

    ``edge`` is the whole border of a node, priced; ``token`` is 1 for nodes of which every part
    must hold one; a ``frozen`` node keeps its label.
    """

    start: IntArray
    other: IntArray
    cost: FloatArray
    mass: FloatArray
    ground: FloatArray
    edge: FloatArray
    token: IntArray
    frozen: IntArray


class Board(NamedTuple):
    """Labels, and totals and aims per part; only parts that are open give and take nodes."""

    label: IntArray
    mass: FloatArray
    ground: FloatArray
    edge: FloatArray
    tokens: IntArray
    goal: FloatArray
    least: IntArray
    is_open: IntArray


class Desk(NamedTuple):
    """Room to work in, so that no loop has to ask for memory."""

    walk_of: IntArray
    queue: IntArray
    moved: IntArray
    joined: IntArray
    waiting: IntArray
    size: IntArray
    met: FloatArray
    touched: IntArray
    todo: IntArray
    sides: IntArray
    at: IntArray
    prices: FloatArray


def make_net(
    problem: Problem, mass: FloatArray, token: IntArray, frozen: IntArray
) -> tuple[Net, int]:
    """Return the net of a problem and the most neighbours that a node has."""
    ends = np.concatenate((problem.left, problem.right))
    others = np.concatenate((problem.right, problem.left))
    order = np.lexsort((others, ends))
    counts = np.bincount(ends, minlength=problem.n)
    cost = np.concatenate((problem.cost, problem.cost))[order]
    edge = problem.outer + np.bincount(ends[order], cost, minlength=problem.n)
    net = Net(
        start=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        other=others[order].astype(np.int64),
        cost=cost,
        mass=mass.astype(np.float64),
        ground=np.maximum(problem.area, _LEAST_GROUND),
        edge=edge,
        token=token.astype(np.int64),
        frozen=frozen.astype(np.int64),
    )
    return net, int(counts.max(initial=0))


def make_board(n: int, parts: int) -> Board:
    """Return a board with all nodes in part 0 and nothing counted."""
    return Board(
        label=np.zeros(n, dtype=np.int64),
        mass=np.zeros(parts),
        ground=np.zeros(parts),
        edge=np.zeros(parts),
        tokens=np.zeros(parts, dtype=np.int64),
        goal=np.ones(parts),
        least=np.zeros(parts, dtype=np.int64),
        is_open=np.zeros(parts, dtype=np.int64),
    )


def make_desk(n: int, parts: int, degree: int) -> Desk:
    """Return a desk that is large enough."""

    def ints(count: int, value: int = 0) -> IntArray:
        return np.full(count, value, dtype=np.int64)

    width = max(degree, 1)
    return Desk(
        walk_of=ints(n, -1),
        queue=ints(n + 1),
        moved=ints(n + 1),
        joined=ints(width),
        waiting=ints(width),
        size=ints(width),
        met=np.full(parts, -1.0),
        touched=ints(parts),
        todo=ints(n),
        sides=ints(_KEPT * n),
        at=ints(_CUTS),
        prices=np.zeros(_CUTS),
    )
