"""What a partition costs: imbalance, and the shape of every part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geogrid.planar.compiling import inner

if TYPE_CHECKING:
    from geogrid.divide._board import Board, Desk, Job, Load, Net, Price
    from geogrid.divide._problem import IntArray

__all__ = ["STEP", "cheapest", "count_parts", "price", "price_of"]

# A square alone would make the first thousandths beyond the slack cost nothing.
STEP = 0.1

_ROUND = 4 * math.pi
# Less ground than this is rounding noise, and would make the price of a shape infinite.
_LEAST_GROUND = 1e-6


@inner
def price(rule: Price, mass: float, goal: float, ground: float, edge: float) -> float:
    """Return what a part with these totals costs.

    Shape is priced as P² / 4πA: it has no unit, so a small part in town counts as much as a large
    one in the fields.
    """
    off = abs(mass - goal) / rule.unit
    cost = rule.balance * off * off + rule.shape * edge * edge / (_ROUND * ground)
    if off > rule.slack:
        beyond = off - rule.slack
        cost += rule.excess * beyond * (beyond + STEP)
    return cost


@inner
def price_of(board: Board, rule: Price, part: int) -> float:
    """Return what a part costs as it stands."""
    return price(rule, board.mass[part], board.goal[part], board.ground[part], board.edge[part])


@inner
def cheapest(
    board: Board, desk: Desk, rule: Price, source: int, count: int, load: Load
) -> tuple[float, int]:
    """Return the change of price, and the part beside to which a load is given most cheaply.

    The ``count`` parts beside are on the desk.
    """
    left = price(
        rule,
        board.mass[source] - load.mass,
        board.goal[source],
        max(board.ground[source] - load.ground, _LEAST_GROUND),
        board.edge[source] - load.edge + 2 * load.own,
    )
    saved = left - price_of(board, rule, source)
    best = math.inf
    target = -1
    for at in range(count):
        part = desk.touched[at]
        after = price(
            rule,
            board.mass[part] + load.mass,
            board.goal[part],
            board.ground[part] + load.ground,
            board.edge[part] + load.edge - 2 * desk.met[part],
        )
        change = saved + after - price_of(board, rule, part)
        if change < best or (change == best and part < target):
            best = change
            target = part
    return best, target


@inner
def count_parts(net: Net, board: Board, job: Job, nodes: IntArray) -> None:
    """Count the totals of the parts of ``nodes[low:high]`` anew; they have no other nodes."""
    for at in range(job.low, job.high):
        part = board.label[nodes[at]]
        board.mass[part] = 0.0
        board.ground[part] = 0.0
        board.edge[part] = 0.0
        board.tokens[part] = 0
    for at in range(job.low, job.high):
        node = nodes[at]
        part = board.label[node]
        board.mass[part] += net.mass[node]
        board.ground[part] += net.ground[node]
        board.tokens[part] += net.token[node]
        edge = net.edge[node]
        for link in range(net.start[node], net.start[node + 1]):
            if board.label[net.other[link]] == part:
                edge -= net.cost[link]
        board.edge[part] += edge
