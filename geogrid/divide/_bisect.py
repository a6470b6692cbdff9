"""Recursive bisection: cut a region in two, cut the halves in two, until one part is left of each.

Every half stays connected and keeps at least as many tokens as it must give parts, so the
recursion always ends in exactly the number of parts asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geogrid.divide._problem import IntArray
    from geogrid.divide._state import State

__all__ = ["bisect"]


def bisect(state: State, parts: int) -> IntArray:
    """Divide a connected state into ``parts`` connected, non-empty parts; return the labels."""
    nodes = np.arange(state.problem.n)
    todo = [(0, len(nodes), 0, parts)]
    while todo:
        low, high, first, count = todo.pop()
        if count == 1:
            continue
        ends = first, first + count - 1
        share = state.halve(nodes, low, high, ends, count)
        inside = nodes[low:high]
        is_one = state.labels_of(inside) == ends[0]
        middle = low + int(is_one.sum())
        nodes[low:high] = np.concatenate((inside[is_one], inside[~is_one]))
        state.set_labels(nodes[middle:high], first + share)
        todo.append((low, middle, first, share))
        todo.append((middle, high, first + share, count - share))
    return state.labels()
