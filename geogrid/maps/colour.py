"""Colours of cells, so that neighbours differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from geogrid.model.plan import GridPlan

__all__ = ["PALETTE", "cell_neighbours", "greedy_colours"]

# Soft enough to read streets through, far enough apart to tell neighbours from each other.
PALETTE = ("#5aa89a", "#efa64f", "#8f86cc", "#93b848", "#df7566", "#5b9bd0", "#d98cbc", "#c9ab3c")

Pairs = npt.NDArray[np.int64]


def cell_neighbours(plan: GridPlan, key: str) -> tuple[list[str], Pairs]:
    """Return the codes of a level in order, and which of them share a border.

    Parameters
    ----------
    plan
        The plan.
    key
        Key of an area level.

    Returns
    -------
    codes, pairs
        ``pairs`` has one row a pair of positions in ``codes``, smaller first.
    """
    codes, of_atom = np.unique(plan.labels[key].to_numpy(str), return_inverse=True)
    graph = plan.atoms.graph
    ends = np.column_stack([of_atom[graph.left], of_atom[graph.right]]).astype(np.int64)
    ends = np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1)
    return [str(code) for code in codes], np.unique(ends, axis=0).reshape(-1, 2)


def greedy_colours(count: int, pairs: Pairs) -> list[int]:
    """Give numbers of colours so that the two ends of each pair differ.

    The cell with the fewest neighbours left is put last, again and again; on a map (a planar graph)
    each cell then meets at most five coloured neighbours, so six colours are enough. Of the colours
    that fit, the one used least so far is taken, so no colour takes over the map.
    """
    neighbours: list[set[int]] = [set() for _ in range(count)]
    for left, right in pairs.tolist():
        neighbours[left].add(right)
        neighbours[right].add(left)
    colours = [-1] * count
    used = [0] * 6
    for cell in reversed(_fewest_first(neighbours)):
        taken = {colours[other] for other in neighbours[cell]}
        free = [colour for colour in range(len(used)) if colour not in taken]
        if not free:
            free = [len(used)]
            used.append(0)
        colours[cell] = min(free, key=lambda colour: (used[colour], colour))
        used[colours[cell]] += 1
    return colours


def _fewest_first(neighbours: list[set[int]]) -> list[int]:
    degree = [len(others) for others in neighbours]
    buckets: list[set[int]] = [set() for _ in range(max(degree, default=0) + 1)]
    for cell, number in enumerate(degree):
        buckets[number].add(cell)
    order: list[int] = []
    is_left = [True] * len(neighbours)
    for _ in neighbours:
        bucket = next(bucket for bucket in buckets if bucket)
        cell = min(bucket)
        bucket.remove(cell)
        is_left[cell] = False
        order.append(cell)
        for other in neighbours[cell]:
            if is_left[other]:
                buckets[degree[other]].remove(other)
                degree[other] -= 1
                buckets[degree[other]].add(other)
    return order
