"""Cut pairs of neighbouring parts anew, the dearest first, where that is cheaper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geogrid.divide._problem import IntArray
    from geogrid.divide._state import State

__all__ = ["redo_pairs"]

# A gain below a billionth is rounding noise.
_NOISE = 1e-9


def redo_pairs(state: State, *, budget: int) -> None:
    """Cut at most ``budget`` pairs anew; a pair is tried again only after one of it has changed."""
    tried: set[tuple[int, int, int]] = set()
    changes = np.zeros(len(state.board.goal), dtype=np.int64)
    while budget > 0:
        before = changes.copy()
        pairs = [
            pair for pair in _pairs(state).tolist() if (*pair, int(before[pair].sum())) not in tried
        ]
        if not pairs:
            return
        members = _members(state)
        for one, two in pairs[:budget]:
            # What has changed in this round may not even touch the other any more.
            if changes[one] != before[one] or changes[two] != before[two]:
                continue
            budget -= 1
            tried.add((one, two, int(before[one] + before[two])))
            nodes = np.sort(np.concatenate((members[one], members[two])))
            if _redo(state, nodes, (one, two)):
                changes[[one, two]] += 1
        state.improve(rounds=0, heat=0.0)


def _members(state: State) -> list[IntArray]:
    label = state.labels()
    ends = np.cumsum(np.bincount(label, minlength=len(state.board.goal)))
    return np.split(np.argsort(label, kind="stable"), ends[:-1])


def _pairs(state: State) -> IntArray:
    """Return the neighbouring pairs of parts that hold no locked node, dearest first."""
    problem, label, parts = state.problem, state.labels(), len(state.board.goal)
    one, two = label[problem.left], label[problem.right]
    known = np.unique(np.minimum(one, two) * parts + np.maximum(one, two))
    pairs = np.column_stack((known // parts, known % parts))
    is_locked = np.zeros(parts, dtype=bool)
    is_locked[label[np.asarray(state.net.frozen) > 0]] = True
    free = (pairs[:, 0] != pairs[:, 1]) & ~is_locked[pairs].any(axis=1)
    price = state.prices()[pairs[free]].sum(axis=1)
    return np.asarray(pairs[free][np.argsort(-price, kind="stable")], dtype=np.int64)


def _redo(state: State, nodes: IntArray, ends: tuple[int, int]) -> bool:
    board = state.board
    totals = (board.mass, board.ground, board.edge, board.tokens, board.goal, board.least)
    kept = [[field[part] for part in ends] for field in totals]
    label = state.labels_of(nodes)
    before = state.price_of(ends[0]) + state.price_of(ends[1])
    state.halve(nodes, 0, len(nodes), ends, 2)
    for field, values in zip(totals[-2:], kept[-2:], strict=True):
        field[ends[0]], field[ends[1]] = values
    if state.price_of(ends[0]) + state.price_of(ends[1]) < before - _NOISE:
        return True
    state.set_labels(nodes, label)
    for field, values in zip(totals, kept, strict=True):
        field[ends[0]], field[ends[1]] = values
    return False
