"""Regions grown over a graph of pieces: connected, and near a wanted size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

__all__ = ["grow", "grow_to_size", "relaxed_seeds", "spread_seeds", "ways_from"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_ROUNDS = 30
_STEP = 0.25


def ways_from(graph: csr_array, seeds: Indices) -> tuple[Floats, Indices]:
    """Return the way to the nearest seed, and which seed that is (-1: no way)."""
    way, _, source = dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)
    number = np.full(graph.shape[0], -1, dtype=np.int64)
    number[seeds] = np.arange(len(seeds))
    return way, np.where(source >= 0, number[np.maximum(source, 0)], -1)


def grow(graph: csr_array, seeds: Indices, xy: Floats) -> Indices:
    """Give every piece to the seed with the shortest way, else to the nearest as the crow flies."""
    _, label = ways_from(graph, seeds)
    lost = np.flatnonzero(label < 0)
    if len(lost):
        gap = ((xy[lost, None, :] - xy[None, seeds, :]) ** 2).sum(axis=2)
        label[lost] = gap.argmin(axis=1)
    return label


def grow_to_size(graph: csr_array, seeds: Indices, size: Floats, wanted: Floats) -> Indices:
    """Grow regions whose sizes come near to ``wanted`` by giving big ones a handicap.

    A region is a tree of shortest ways from its seed, so it stays connected.
    """
    between = dijkstra(graph, indices=seeds)[:, seeds]
    np.fill_diagonal(between, np.inf)
    handicap = np.zeros(len(seeds))
    best, best_off = None, np.inf
    for _ in range(_ROUNDS):
        label = _grow_handicapped(graph, seeds, handicap)
        got = np.bincount(label[label >= 0], size[label >= 0], minlength=len(seeds))
        off = float(np.abs(np.log(np.maximum(got, 1.0) / wanted)).max())
        if off < best_off:
            best, best_off = label, off
        handicap += _STEP * np.sqrt(wanted) * np.clip(np.log(np.maximum(got, 1.0) / wanted), -1, 1)
        # No seed may fall to a neighbour, or its region would vanish.
        handicap = np.minimum(handicap, 0.98 * (handicap[None, :] + between).min(axis=1))
        handicap -= handicap.min()
    return best if best is not None else _grow_handicapped(graph, seeds, handicap)


def _grow_handicapped(graph: csr_array, seeds: Indices, handicap: Floats) -> Indices:
    """Grow from one extra node that is joined to every seed by its handicap."""
    count = graph.shape[0]
    ways = graph.tocoo()
    rows = np.concatenate([ways.row, np.full(len(seeds), count)])
    columns = np.concatenate([ways.col, seeds])
    # A stored zero would be no way at all.
    cost = np.concatenate([ways.data, handicap + 1e-3])
    joined = coo_array((cost, (rows, columns)), shape=(count + 1, count + 1)).tocsr()
    _, before = dijkstra(joined, indices=count, return_predecessors=True)
    label = np.full(count + 1, -1, dtype=np.int64)
    root = np.where(before < 0, np.arange(count + 1), before)
    is_seed = before == count
    root[is_seed] = np.flatnonzero(is_seed)
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further
    label[seeds] = np.arange(len(seeds))
    return label[root][:count]


def spread_seeds(xy: Floats, members: Indices, count: int, first: int | None = None) -> Indices:
    """Pick members far from each other: each next one is farthest from those before."""
    place = xy[members]
    start = 0 if first is None else int(np.flatnonzero(members == first)[0])
    chosen = [start]
    gap = ((place - place[start]) ** 2).sum(axis=1)
    for _ in range(count - 1):
        start = int(gap.argmax())
        chosen.append(start)
        gap = np.minimum(gap, ((place - place[start]) ** 2).sum(axis=1))
    seeds: Indices = members[np.array(chosen)]
    return seeds


def relaxed_seeds(
    graph: csr_array,
    xy: Floats,
    weight: Floats,
    seeds: Indices,
    may_seed: npt.NDArray[np.bool_],
    rounds: int = 5,
) -> Indices:
    """Move every seed to the middle of its region a few times."""
    for _ in range(rounds):
        _, label = ways_from(graph, seeds)
        held = np.flatnonzero((label >= 0) & (weight > 0))
        total = np.bincount(label[held], weight[held], minlength=len(seeds))
        middle = (
            np.column_stack(
                [
                    np.bincount(label[held], weight[held] * xy[held, axis], minlength=len(seeds))
                    for axis in (0, 1)
                ]
            )
            / np.maximum(total, 1e-9)[:, None]
        )
        able = np.flatnonzero((label >= 0) & may_seed)
        gap = ((xy[able] - middle[label[able]]) ** 2).sum(axis=1)
        order = np.lexsort((able, gap, label[able]))
        owner, at = np.unique(label[able][order], return_index=True)
        seeds = seeds.copy()
        seeds[owner] = able[order][at]
    return seeds
