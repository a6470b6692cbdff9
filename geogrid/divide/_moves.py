"""Local search: atoms change sides as long as it pays, and nothing breaks.

A move takes one border atom, together with what it would strand behind it, to a neighbouring
part; the part it leaves stays connected and keeps its least number of tokens. So no part can be
lost, split or emptied on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.divide._board import Load
from geogrid.divide._chance import draw, shuffle
from geogrid.divide._price import cheapest
from geogrid.divide._walk import pocket
from geogrid.planar.compiling import inner

if TYPE_CHECKING:
    from geogrid.divide._board import Board, Desk, Job, Net, Price
    from geogrid.divide._problem import IntArray

__all__ = ["improve"]

# Every so many rounds also moves that only pay together with their pocket are looked for.
_DEEP_EVERY = 6
# A gain below a billionth is rounding noise and could make the search go round in circles.
_NOISE = 1e-9
_INSIDE = -3
_UNSEEN = -1


@inner
def improve(
    net: Net, board: Board, desk: Desk, rule: Price, job: Job, nodes: IntArray, chance: IntArray
) -> None:
    """Improve the open parts as the job says; stop early when a round without heat finds nothing.

    The heat is drawn evenly from 0 to twice its mean: no logarithm, which machines round
    differently.
    """
    for turn in range(job.rounds + job.cool_rounds):
        is_cool = turn >= job.rounds
        left = 0.0 if is_cool else 1 - turn / job.rounds
        warmth = 2 * job.heat * left * left
        is_deep = 1 if is_cool or turn % _DEEP_EVERY == 0 else 0
        count = _border_nodes(net, board, desk, job, nodes)
        shuffle(chance, desk.todo, count)
        moved = 0
        for at in range(count):
            limit = warmth * draw(chance) - _NOISE
            moved += _try_move(net, board, desk, rule, desk.todo[at], limit, is_deep)
        if is_cool and moved == 0:
            return


@inner
def _border_nodes(net: Net, board: Board, desk: Desk, job: Job, nodes: IntArray) -> int:
    """Put the nodes that could move on the desk; return how many there are."""
    count = 0
    for at in range(job.low, job.high):
        node = nodes[at]
        if net.frozen[node]:
            continue
        part = board.label[node]
        for link in range(net.start[node], net.start[node + 1]):
            beside = board.label[net.other[link]]
            if beside != part and board.is_open[beside]:
                desk.todo[count] = node
                count += 1
                break
    return count


@inner
def _try_move(
    net: Net, board: Board, desk: Desk, rule: Price, node: int, limit: float, is_deep: int
) -> int:
    """Move ``node`` where it costs least if that changes the total by less than ``limit``.

    First it is weighed alone, then together with what it would strand.
    """
    source = board.label[node]
    if net.token[node] > board.tokens[source] - board.least[source]:
        return 0
    desk.moved[0] = node
    many = 1
    for turn in range(2):
        count, tokens, load = _weigh(net, board, desk, many)
        change, target = cheapest(board, desk, rule, source, count, load)
        met = desk.met[target]
        for at in range(count):
            desk.met[desk.touched[at]] = -1.0
        if count == 0 or (change >= limit and not (is_deep and turn == 0)):
            return 0
        if turn == 0:
            many = pocket(net, board, desk, node)
            if many == 0:
                return 0
            if many > 1:
                continue
        if change >= limit or tokens > board.tokens[source] - board.least[source]:
            return 0
        _give(net, board, desk, target, many, met, load)
        return 1
    return 0


@inner
def _weigh(net: Net, board: Board, desk: Desk, many: int) -> tuple[int, int, Load]:
    """Weigh the nodes on the desk; return the parts that they meet, their tokens and totals."""
    source = board.label[desk.moved[0]]
    for at in range(many):
        desk.walk_of[desk.moved[at]] = _INSIDE
    mass = 0.0
    ground = 0.0
    edge = 0.0
    own = 0.0
    tokens = 0
    count = 0
    for at in range(many):
        node = desk.moved[at]
        mass += net.mass[node]
        ground += net.ground[node]
        edge += net.edge[node]
        tokens += net.token[node]
        for link in range(net.start[node], net.start[node + 1]):
            other = net.other[link]
            part = board.label[other]
            if desk.walk_of[other] == _INSIDE:
                edge -= net.cost[link]
            elif part == source:
                own += net.cost[link]
            elif board.is_open[part]:
                if desk.met[part] < 0.0:
                    desk.met[part] = 0.0
                    desk.touched[count] = part
                    count += 1
                desk.met[part] += net.cost[link]
    for at in range(many):
        desk.walk_of[desk.moved[at]] = _UNSEEN
    return count, tokens, Load(mass, ground, edge, own)


@inner
def _give(
    net: Net, board: Board, desk: Desk, target: int, many: int, met: float, load: Load
) -> None:
    source = board.label[desk.moved[0]]
    for at in range(many):
        node = desk.moved[at]
        board.label[node] = target
        board.tokens[source] -= net.token[node]
        board.tokens[target] += net.token[node]
    board.mass[source] -= load.mass
    board.mass[target] += load.mass
    board.ground[source] -= load.ground
    board.ground[target] += load.ground
    board.edge[source] += 2 * load.own - load.edge
    board.edge[target] += load.edge - 2 * met
