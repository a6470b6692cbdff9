"""A first partition around locked atoms: connect each locked part, fill it, divide the rest."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._aims import make_tokens
from geogrid.divide._allot import allot
from geogrid.divide._bisect import bisect
from geogrid.divide._chance import begin, shuffle
from geogrid.divide._problem import adjacency, pieces, subset
from geogrid.divide._speed import runs_plain
from geogrid.divide._state import make_state
from geogrid.errors import InfeasibleError

if TYPE_CHECKING:
    from geogrid.divide._aims import Aims, Rule
    from geogrid.divide._problem import FloatArray, IntArray, Problem

__all__ = ["start_around_locks"]

# What a first division costs per node, against the visits of the search.
_VISITS = 20

# Orders in which the locked parts are connected before giving up.
_TRIES = 20

_Links = list[list[tuple[int, float]]]


def start_around_locks(
    problem: Problem, aims: Aims, *, parts: int, fixed: IntArray, rule: Rule, seed: int
) -> IntArray:
    """Return connected parts in which every locked node has its label.

    Raises
    ------
    InfeasibleError
        If no way was found to connect a locked part, or too few nodes are left for the others.
    """
    links = adjacency(problem)
    weight, unit = aims.weight, aims.unit
    locked = sorted(set(fixed[fixed >= 0].tolist()))
    free_labels = sorted(set(range(parts)) - set(locked))
    label = _connect(problem, links, fixed, locked, begin(seed, 1))
    spare = int((label < 0).sum()) - len(free_labels)
    if spare < 0:
        msg = (
            f"the locks leave {spare + len(free_labels)} free atoms for {len(free_labels)} more "
            f"parts: unlock atoms or ask for fewer parts"
        )
        raise InfeasibleError(msg)
    _fill(links, label, weight, locked, unit=unit, spare=spare, has_free=bool(free_labels))
    _divide_rest(problem, label, weight, free_labels, unit=unit, rule=rule, seed=seed)
    _absorb(links, label, weight, parts)
    return label


def _connect(
    problem: Problem,
    links: _Links,
    fixed: IntArray,
    locked: list[int],
    chance: list[int],
) -> IntArray:
    """Join the locked nodes of each part by shortest ways that no other part blocks."""
    order = list(locked)
    blocked = -1
    for _ in range(_TRIES):
        label = fixed.copy()
        blocked = next((part for part in order if not _join(problem, links, label, part)), -1)
        if blocked < 0:
            return label
        # Who found no way goes first; the others in another order.
        others = [part for part in order if part != blocked]
        shuffle(chance, others, len(others))
        order = [blocked, *others]
    msg = (
        f"the atoms locked to part {blocked} cannot be connected, because atoms locked to other "
        f"parts lie between them: unlock some of them"
    )
    raise InfeasibleError(msg)


def _join(problem: Problem, links: _Links, label: IntArray, part: int) -> bool:
    """Grow one part by ways until it is connected; tell whether that was possible."""
    while True:
        number = pieces(problem, label)
        own = np.flatnonzero(label == part)
        names = np.unique(number[own])
        if len(names) == 1:
            return True
        start = own[number[own] == names[0]]
        way = _way(problem, links, label, start, part)
        if not way:
            return False
        label[way] = part


def _way(problem: Problem, links: _Links, label: IntArray, start: IntArray, part: int) -> list[int]:
    """Return the free nodes between ``start`` and the next node of the part, nearest first."""
    inside = set(start.tolist())
    came: dict[int, int] = dict.fromkeys(inside, -1)
    heap = [(0.0, node) for node in sorted(inside)]
    while heap:
        far, node = heapq.heappop(heap)
        if label[node] == part and node not in inside:
            way = []
            node = came[node]
            while node not in inside:
                way.append(node)
                node = came[node]
            return way
        for other, _ in links[node]:
            if other not in came and label[other] in (-1, part):
                came[other] = node
                step = np.hypot(
                    problem.x[node] - problem.x[other], problem.y[node] - problem.y[other]
                )
                heapq.heappush(heap, (far + float(step), other))
    return []


def _fill(
    links: _Links,
    label: IntArray,
    weight: FloatArray,
    locked: list[int],
    *,
    unit: float,
    spare: int,
    has_free: bool,
) -> None:
    """Let the lightest locked part take the neighbour it borders most, until all are full."""
    held = {part: float(weight[label == part].sum()) for part in locked}
    heap = [(held[part], part) for part in locked]
    heapq.heapify(heap)
    fringe: dict[int, dict[int, float]] = {part: {} for part in locked}
    for node in np.flatnonzero(label >= 0).tolist():
        _open(links, fringe[int(label[node])], node, label)
    while heap and spare > 0:
        mass, part = heapq.heappop(heap)
        edge = {node: cost for node, cost in fringe[part].items() if label[node] < 0}
        fringe[part] = edge
        if not edge or (has_free and mass >= unit):
            continue
        node = min(edge, key=lambda at: (-edge[at], at))
        if has_free and mass + weight[node] > 1.5 * unit:
            continue
        label[node] = part
        spare -= 1
        _open(links, edge, node, label)
        heapq.heappush(heap, (mass + float(weight[node]), part))


def _open(links: _Links, fringe: dict[int, float], node: int, label: IntArray) -> None:
    fringe.pop(node, None)
    for other, cost in links[node]:
        if label[other] < 0:
            fringe[other] = fringe.get(other, 0.0) + cost


def _divide_rest(
    problem: Problem,
    label: IntArray,
    weight: FloatArray,
    free_labels: list[int],
    *,
    unit: float,
    rule: Rule,
    seed: int,
) -> None:
    """Divide what no locked part holds among the free labels."""
    rest = np.flatnonzero(label < 0)
    if not free_labels:
        return
    region = subset(problem, rest)
    number = pieces(region, np.zeros(region.n, dtype=np.int64))
    sizes = np.bincount(number)
    shares = allot(
        np.bincount(number, weights=weight[rest]).astype(np.float64),
        len(free_labels),
        least=np.zeros(len(sizes), dtype=np.int64),
        most=sizes,
    )
    given = 0
    for piece in np.flatnonzero(shares).tolist():
        inside = np.flatnonzero(number == piece)
        count = int(shares[piece])
        part = subset(region, inside)
        state = make_state(
            part,
            parts=count,
            weight=weight[rest[inside]],
            token=make_tokens(part, count),
            frozen=np.zeros(part.n, dtype=np.int64),
            unit=unit,
            rule=rule,
            seed=begin(seed, 2, piece)[0],
            is_plain=runs_plain(_VISITS * part.n),
        )
        found = bisect(state, count)
        label[rest[inside]] = np.array(free_labels[given : given + count])[found]
        given += count


def _absorb(links: _Links, label: IntArray, weight: FloatArray, parts: int) -> None:
    """Give what is still free to the lightest part beside it, from the edges inwards."""
    held = np.bincount(label[label >= 0], weight[label >= 0], minlength=parts)
    todo = np.flatnonzero(label < 0).tolist()
    while todo:
        later = []
        for node in todo:
            beside = sorted({int(label[other]) for other, _ in links[node]} - {-1})
            if not beside:
                later.append(node)
                continue
            part = min(beside, key=lambda at: (held[at], at))
            label[node] = part
            held[part] += weight[node]
        todo = later
