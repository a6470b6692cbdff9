"""Cut a region in two: sweep over its nodes in many orders, mend and refine the best cuts.

Both halves are always connected and hold at least as many tokens as they must give parts, so that
a recursion over halves ends in exactly the number of parts asked for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geogrid.divide._board import Load
from geogrid.divide._chance import pick
from geogrid.divide._moves import improve
from geogrid.divide._price import count_parts, price, price_of
from geogrid.planar.compiling import inner

if TYPE_CHECKING:
    from geogrid.divide._board import Board, Desk, Job, Net, Price
    from geogrid.divide._problem import FloatArray, IntArray

__all__ = ["cut_region"]

# Cuts that are mended, and that are refined by local search (at most as many as the desk has room
# for). In large regions they differ little, and what is lost is made good further down.
_MENDED = 6
_REFINED = 3
_MANY_NODES = 5000
_MENDED_OF_MANY = 3
_REFINED_OF_MANY = 1
# Two cuts an order; the prices of the refined come after them on the desk.
_FIRST_KEPT = 120

_UNSEEN = -1
# Mass of a node without any, so that the larger of two empty pieces is the one with more nodes.
_DUST = 1e-9


@inner
def cut_region(
    net: Net,
    board: Board,
    desk: Desk,
    rule: Price,
    job: Job,
    nodes: IntArray,
    orders: IntArray,
    chance: IntArray,
) -> int:
    """Cut a connected region as the job says; return how many parts ``one`` is to give.

    0 says that the region is not connected; then it is all ``two``.

    ``orders`` holds the orders of the sweeps, and room for two more that are walked here.
    """
    size = job.high - job.low
    for at in range(job.low, job.high):
        board.label[nodes[at]] = job.two
    if not _walk_orders(net, board, desk, job, nodes, orders, chance):
        return 0
    for sweep in range(job.sweeps + 2):
        _scan(net, board, desk, rule, job, orders, sweep)
    kept = 0
    cuts = 2 * (job.sweeps + 2)
    for _ in range(_MENDED if size <= _MANY_NODES else _MENDED_OF_MANY):
        best = _take(desk.prices, 0, cuts)
        for at in range(size):
            label = job.one if at < desk.at[best] else job.two
            board.label[orders[(best // 2) * size + at]] = label
        if _mend(net, board, desk, job, nodes) and _aim(net, board, job, nodes):
            cost = price_of(board, rule, job.one) + price_of(board, rule, job.two)
            kept = _keep(board, desk, job, nodes, cost, kept)
    for slot in range(kept):
        _load(board, desk, job, nodes, slot)
        _aim(net, board, job, nodes)
        improve(net, board, desk, rule, job, nodes, chance)
        cost = price_of(board, rule, job.one) + price_of(board, rule, job.two)
        _store(board, desk, job, nodes, slot, cost)
    if kept > 0:
        best = _take(desk.prices, _FIRST_KEPT, _FIRST_KEPT + kept)
        _load(board, desk, job, nodes, best - _FIRST_KEPT)
    else:
        _cut_tree(net, board, desk, job, nodes)
    _aim(net, board, job, nodes)
    share: int = board.least[job.one]
    return share


@inner
def _take(prices: FloatArray, first: int, end: int) -> int:
    """Return where the lowest price stands, and strike it."""
    best = first
    for at in range(first, end):
        if prices[at] < prices[best]:
            best = at
    prices[best] = math.inf
    return best


@inner
def _walk_orders(
    net: Net,
    board: Board,
    desk: Desk,
    job: Job,
    nodes: IntArray,
    orders: IntArray,
    chance: IntArray,
) -> bool:
    """Add two orders: outwards from one end of the region, and from the end opposite."""
    size = job.high - job.low
    if _spread(net, board, desk, nodes[job.low + pick(chance, size)]) < size:
        return False
    for turn in range(2):
        _spread(net, board, desk, desk.queue[size - 1])
        for at in range(size):
            orders[(job.sweeps + turn) * size + at] = desk.queue[at]
    return True


@inner
def _spread(net: Net, board: Board, desk: Desk, start: int) -> int:
    """Queue all nodes of one label around ``start``, nearest first; return how many there are."""
    label = board.label[start]
    desk.queue[0] = start
    desk.walk_of[start] = 0
    tail = 1
    head = 0
    while head < tail:
        here = desk.queue[head]
        head += 1
        for link in range(net.start[here], net.start[here + 1]):
            other = net.other[link]
            if board.label[other] == label and desk.walk_of[other] == _UNSEEN:
                desk.walk_of[other] = 0
                desk.queue[tail] = other
                tail += 1
    for at in range(tail):
        desk.walk_of[desk.queue[at]] = _UNSEEN
    return tail


@inner
def _scan(
    net: Net, board: Board, desk: Desk, rule: Price, job: Job, orders: IntArray, sweep: int
) -> None:
    """Run along one order and note two cuts: nearest to the goal, and cheapest around it.

    On the way the nodes passed are ``one``; at the end all are ``two`` again.
    """
    size = job.high - job.low
    base = sweep * size
    share = job.parts // 2
    tokens, within, whole = _weigh_region(net, board, job, orders, base)
    goal = whole.mass * share / job.parts
    first_tokens = 0
    mass = 0.0
    ground = 0.0
    edge = 0.0
    cross = 0.0
    nearest = math.inf
    lowest = math.inf
    desk.prices[2 * sweep] = math.inf
    desk.prices[2 * sweep + 1] = math.inf
    for at in range(size - 1):
        node = orders[base + at]
        board.label[node] = job.one
        first_tokens += net.token[node]
        mass += net.mass[node]
        ground += net.ground[node]
        met, ahead = _borders(net, board, job, node)
        edge += net.edge[node] - 2 * met
        cross += ahead - met
        off = abs(mass - goal)
        is_lowest = off <= job.room and cross < lowest
        if first_tokens < share or tokens - first_tokens < job.parts - share:
            continue
        if off >= nearest and not is_lowest:
            continue
        first = Load(mass, ground, edge, cross)
        cost = _price_cut(rule, whole, within, first, goal)
        if off < nearest:
            nearest = off
            desk.at[2 * sweep] = at + 1
            desk.prices[2 * sweep] = cost
        if is_lowest:
            lowest = cross
            desk.at[2 * sweep + 1] = at + 1
            desk.prices[2 * sweep + 1] = cost
    if desk.at[2 * sweep] == desk.at[2 * sweep + 1]:
        desk.prices[2 * sweep + 1] = math.inf
    for at in range(base, base + size):
        board.label[orders[at]] = job.two


@inner
def _borders(net: Net, board: Board, job: Job, node: int) -> tuple[float, float]:
    """Return a node's border with both labels of the job."""
    met = 0.0
    ahead = 0.0
    for link in range(net.start[node], net.start[node + 1]):
        beside = board.label[net.other[link]]
        if beside == job.one:
            met += net.cost[link]
        elif beside == job.two:
            ahead += net.cost[link]
    return met, ahead


@inner
def _weigh_region(
    net: Net, board: Board, job: Job, orders: IntArray, base: int
) -> tuple[int, float, Load]:
    """Return tokens of a region, twice the border between its nodes, and its totals."""
    tokens = 0
    within = 0.0
    mass = 0.0
    ground = 0.0
    edge = 0.0
    for at in range(base, base + job.high - job.low):
        node = orders[at]
        tokens += net.token[node]
        mass += net.mass[node]
        ground += net.ground[node]
        edge += net.edge[node]
        _, ahead = _borders(net, board, job, node)
        within += ahead
    return tokens, within, Load(mass, ground, edge, 0.0)


@inner
def _price_cut(rule: Price, whole: Load, within: float, first: Load, goal: float) -> float:
    """Return the price of a cut that leaves ``first`` on one side; its ``own`` is the border."""
    edge = whole.edge - within - first.edge + 2 * first.own
    mass, ground = whole.mass - first.mass, whole.ground - first.ground
    return price(rule, first.mass, goal, first.ground, first.edge) + price(
        rule, mass, whole.mass - goal, ground, edge
    )


@inner
def _mend(net: Net, board: Board, desk: Desk, job: Job, nodes: IntArray) -> int:
    """Connect both halves: what hangs apart goes to the other half, which surrounds it."""
    for turn in range(2):
        half = job.one if turn == 0 else job.two
        stay = _heaviest_piece(net, board, desk, job, nodes, half)
        if stay < 0:
            return 0
        for at in range(job.low, job.high):
            node = nodes[at]
            if board.label[node] == half:
                if desk.walk_of[node] != stay:
                    board.label[node] = job.one + job.two - half
                desk.walk_of[node] = _UNSEEN
    return 1


@inner
def _heaviest_piece(
    net: Net, board: Board, desk: Desk, job: Job, nodes: IntArray, half: int
) -> int:
    """Mark the pieces of a half by the place of their first node; return that of the heaviest."""
    heaviest = -1.0
    stay = -1
    for at in range(job.low, job.high):
        node = nodes[at]
        if board.label[node] == half and desk.walk_of[node] == _UNSEEN:
            mass = _fill(net, board, desk, node, at - job.low)
            if mass > heaviest:
                heaviest = mass
                stay = at - job.low
    return stay


@inner
def _fill(net: Net, board: Board, desk: Desk, start: int, name: int) -> float:
    """Mark the piece of a half around ``start``; return its mass."""
    half = board.label[start]
    desk.queue[0] = start
    desk.walk_of[start] = name
    tail = 1
    head = 0
    mass = 0.0
    while head < tail:
        here = desk.queue[head]
        head += 1
        mass += net.mass[here] + _DUST
        for link in range(net.start[here], net.start[here + 1]):
            other = net.other[link]
            if board.label[other] == half and desk.walk_of[other] == _UNSEEN:
                desk.walk_of[other] = name
                desk.queue[tail] = other
                tail += 1
    return mass


@inner
def _aim(net: Net, board: Board, job: Job, nodes: IntArray) -> bool:
    """Count both halves and share the parts between them: by mass, as far as tokens allow."""
    one, two, parts = job.one, job.two, job.parts
    board.is_open[one] = 1
    board.is_open[two] = 1
    count_parts(net, board, job, nodes)
    least = max(1, parts - board.tokens[two])
    most = min(parts - 1, board.tokens[one])
    if least > most:
        return False
    mass = board.mass[one] + board.mass[two]
    share = min(max(int(parts * board.mass[one] / mass + 0.5), least), most)
    board.goal[one] = mass * share / parts
    board.goal[two] = mass - board.goal[one]
    board.least[one] = share
    board.least[two] = parts - share
    return True


@inner
def _keep(board: Board, desk: Desk, job: Job, nodes: IntArray, cost: float, kept: int) -> int:
    """Keep a mended cut if it is among the best; return how many are kept."""
    slot = kept
    if kept == (_REFINED if job.high - job.low <= _MANY_NODES else _REFINED_OF_MANY):
        slot = 0
        for at in range(1, kept):
            if desk.prices[_FIRST_KEPT + at] > desk.prices[_FIRST_KEPT + slot]:
                slot = at
        if cost >= desk.prices[_FIRST_KEPT + slot]:
            return kept
    _store(board, desk, job, nodes, slot, cost)
    return max(kept, slot + 1)


@inner
def _store(board: Board, desk: Desk, job: Job, nodes: IntArray, slot: int, cost: float) -> None:
    size = job.high - job.low
    for at in range(size):
        desk.sides[slot * size + at] = board.label[nodes[job.low + at]]
    desk.prices[_FIRST_KEPT + slot] = cost


@inner
def _load(board: Board, desk: Desk, job: Job, nodes: IntArray, slot: int) -> None:
    size = job.high - job.low
    for at in range(size):
        board.label[nodes[job.low + at]] = desk.sides[slot * size + at]


@inner
def _cut_tree(net: Net, board: Board, desk: Desk, job: Job, nodes: IntArray) -> None:
    """Cut one edge of a spanning tree: both sides are connected whatever the graph looks like.

    Of a tree with two tokens one edge always has a token on either side.
    """
    size = job.high - job.low
    for at in range(job.low, job.high):
        board.label[nodes[at]] = job.two
    _spread(net, board, desk, nodes[job.low])
    # The order of the walk is kept beside; walk_of becomes the place of each node in it.
    for at in range(size):
        desk.sides[at] = desk.queue[at]
        desk.walk_of[desk.queue[at]] = at
    top = _best_branch(net, desk, size, job.parts)
    for at in range(size):
        node = desk.sides[at]
        parent = desk.sides[size + at]
        if at == top or (parent >= 0 and board.label[desk.sides[parent]] == job.one):
            board.label[node] = job.one
        desk.walk_of[node] = _UNSEEN


@inner
def _best_branch(net: Net, desk: Desk, size: int, parts: int) -> int:
    """Return the place of the node whose branch is nearest to its share, tokens on both sides."""
    tokens = 0
    mass = 0.0
    for at in range(size):
        node = desk.sides[at]
        tokens += net.token[node]
        mass += net.mass[node]
        # The parent is the neighbour that was met first.
        parent = at
        for link in range(net.start[node], net.start[node + 1]):
            place = desk.walk_of[net.other[link]]
            if place >= 0 and place < parent:
                parent = place
        desk.sides[size + at] = parent if parent < at else -1
        desk.sides[2 * size + at] = net.token[node]
    goal = mass * (parts // 2) / parts
    best = math.inf
    top = size - 1
    for at in range(size - 1, 0, -1):
        desk.sides[2 * size + desk.sides[size + at]] += desk.sides[2 * size + at]
    for at in range(size - 1, 0, -1):
        below = desk.sides[2 * size + at]
        if below * (tokens - below) == 0:
            continue
        off = abs(mass * below / tokens - goal)
        if off < best:
            best = off
            top = at
    return top
