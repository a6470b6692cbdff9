"""What a move would strand: a walk through one part from all neighbours of a node at once.

Walks that meet become one. As soon as a single walk can still go on, everything that the others
have seen is cut off from it. Walking in turns keeps this as cheap as the small side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.planar.compiling import inner

if TYPE_CHECKING:
    from geogrid.divide._board import Board, Desk, Net
    from geogrid.divide._problem import IntArray

__all__ = ["pocket"]

# What strays behind a moved atom is a pocket (a court, a dead end); more is a part of its own.
_MAX_POCKET = 24
# Sides of a part that are connected only round a longer way than this are left alone.
_MAX_WALK = 400

_UNSEEN = -1
_BLOCKED = -2


@inner
def _root(joined: IntArray, walk: int) -> int:
    while joined[walk] != walk:
        walk = joined[walk]
    return walk


@inner
def pocket(net: Net, board: Board, desk: Desk, node: int) -> int:
    """Put ``node`` and what it would strand in its part on the desk; return how many these are.

    0 says that it must stay: it would strand too much, or something frozen, or the walk was long.
    """
    source = board.label[node]
    starts = 0
    for link in range(net.start[node], net.start[node + 1]):
        other = net.other[link]
        if board.label[other] == source:
            desk.queue[starts] = other
            desk.walk_of[other] = starts
            desk.joined[starts] = starts
            desk.waiting[starts] = 1
            starts += 1
    desk.moved[0] = node
    tail = starts
    count = 1
    if starts > 1:
        desk.walk_of[node] = _BLOCKED
        tail, is_open = _walk(net, board, desk, source, starts)
        count = 0 if is_open > 1 else _closed(net, desk, starts, tail)
        desk.walk_of[node] = _UNSEEN
    for at in range(tail):
        desk.walk_of[desk.queue[at]] = _UNSEEN
    return count


@inner
def _walk(net: Net, board: Board, desk: Desk, source: int, starts: int) -> tuple[int, int]:
    """Walk until at most one walk is open; return how many nodes were seen, and the open walks."""
    is_open = starts
    head = 0
    tail = starts
    while head < tail and is_open > 1 and tail <= _MAX_WALK:
        here = desk.queue[head]
        head += 1
        walk = _root(desk.joined, desk.walk_of[here])
        for link in range(net.start[here], net.start[here + 1]):
            other = net.other[link]
            if board.label[other] != source:
                continue
            met = desk.walk_of[other]
            if met == _UNSEEN:
                desk.walk_of[other] = walk
                desk.waiting[walk] += 1
                desk.queue[tail] = other
                tail += 1
            elif met != _BLOCKED:
                met = _root(desk.joined, met)
                if met != walk:
                    desk.joined[met] = walk
                    desk.waiting[walk] += desk.waiting[met]
                    is_open -= 1
        desk.waiting[walk] -= 1
        if desk.waiting[walk] == 0:
            is_open -= 1
    return tail, is_open


@inner
def _closed(net: Net, desk: Desk, starts: int, tail: int) -> int:
    """Put the nodes of all walks but the open one, or else the longest, on the desk."""
    for walk in range(starts):
        desk.size[walk] = 0
    for at in range(tail):
        desk.size[_root(desk.joined, desk.walk_of[desk.queue[at]])] += 1
    stay = _longest(desk, starts)
    if tail - desk.size[stay] > _MAX_POCKET:
        return 0
    count = 1
    for at in range(tail):
        here = desk.queue[at]
        if _root(desk.joined, desk.walk_of[here]) != stay:
            if net.frozen[here]:
                return 0
            desk.moved[count] = here
            count += 1
    return count


@inner
def _longest(desk: Desk, starts: int) -> int:
    """Return the walk that is still open, or else the one that has seen most."""
    stay = -1
    for walk in range(starts):
        if desk.joined[walk] != walk:
            continue
        is_longer = desk.waiting[stay] == 0 and desk.size[walk] > desk.size[stay]
        if stay < 0 or desk.waiting[walk] > 0 or is_longer:
            stay = walk
    return stay
