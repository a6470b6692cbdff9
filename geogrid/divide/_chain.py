"""Rows of households in a chain, and the chain cut into groups: by building, floor and nearness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray
    from geogrid.model.scheme import HouseholdBand

__all__ = ["Chain", "chain_rows", "cut_chains", "walk_through"]

# What a cut between two neighbours of the chain costs, against a group that misses the even size
# by all of it (1): inside a floor most, between two buildings nothing.
_COST_FLOOR, _COST_ENTRANCE, _COST_BUILDING = 0.5, 0.25, 0.1
# A jump of this many metres to the next building is as good a reason to cut there as any.
_FAR_M = 60.0
_COST_FAR = 0.4
# A group outside the band is worse than any shape, the more so the farther outside.
_OUTSIDE = 1000.0
# How far the number of groups so far may run ahead of the even share, or lag behind.
_SLACK = 4


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Rows in the order of their chains, parent after parent.

    Attributes
    ----------
    order
        Row of each place of the chain.
    parent
        Parent of each place, from 0, ascending.
    cut
        Cost of a cut in front of each place.
    """

    order: IntArray
    parent: IntArray
    cut: FloatArray


def chain_rows(
    parent: IntArray,
    xy: FloatArray,
    nest: tuple[IntArray, IntArray, IntArray],
    rank: IntArray,
) -> Chain:
    """Put rows in chains: from building to building, inside each by entrance and floor.

    Parameters
    ----------
    parent
        Parent of each row, from 0.
    xy
        Where the rows are, in metres.
    nest
        Numbers of building, entrance and floor; -1 where not known, such rows are alone.
    rank
        Breaks ties, so that the order of the rows cannot matter.
    """
    building, entrance, floor = nest
    alone = building < 0
    # A row without a building is a building of its own at its place.
    place = np.unique(np.round(xy, 2), axis=0, return_inverse=True)[1].ravel()
    house = np.where(alone, building.max(initial=-1) + 1 + place, building)
    _, block = np.unique(np.column_stack((parent, house)), axis=0, return_inverse=True)
    block = block.ravel()
    size = np.bincount(block)
    by_rank = np.argsort(rank, kind="stable")
    middle = np.column_stack([np.bincount(block[by_rank], xy[by_rank, at]) / size for at in (0, 1)])
    middle = np.round(middle, 3)
    first = np.full(len(size), len(rank), dtype=np.int64)
    np.minimum.at(first, block, rank)
    owner = np.zeros(len(size), dtype=np.int64)
    owner[block] = parent
    step = _walks(owner, middle, first)
    order = np.lexsort((rank, floor, entrance, step[block]))
    cut = np.zeros(len(order))
    here, before = order[1:], order[:-1]
    same = block[here] == block[before]
    same_entrance = same & (entrance[here] == entrance[before])
    same_floor = same_entrance & (floor[here] == floor[before])
    jump = np.hypot(*(middle[block[here]] - middle[block[before]]).T)
    cut[1:] = np.select(
        [same_floor, same_entrance, same],
        [_COST_FLOOR, _COST_ENTRANCE, _COST_BUILDING],
        -_COST_FAR * np.minimum(jump / _FAR_M, 1.0),
    )
    return Chain(order=order.astype(np.int64), parent=parent[order], cut=cut)


def _walks(owner: IntArray, xy: FloatArray, rank: IntArray) -> IntArray:
    """Return the place of each block on a walk through the blocks of its owner."""
    order = np.lexsort((rank, owner))
    _, first = np.unique(owner[order], return_index=True)
    step = np.empty(len(owner), dtype=np.int64)
    ends = np.append(first[1:], len(order))
    for start, end in zip(first.tolist(), ends.tolist(), strict=True):
        inside = order[start:end]
        step[inside[walk_through(xy[inside])]] = np.arange(start, end)
    return step


def walk_through(xy: FloatArray) -> IntArray:
    """Return the order of a walk from the westernmost point on to the nearest one, and so on."""
    n = len(xy)
    walk = np.empty(n, dtype=np.int64)
    x, y = xy[:, 0].copy(), xy[:, 1].copy()
    here = int(np.lexsort((-y, x))[0])
    for at in range(n):
        walk[at] = here
        left, low = x[here], y[here]
        x[here] = np.inf
        if at + 1 < n:
            here = int(np.argmin((x - left) ** 2 + (y - low) ** 2))
    return walk


def cut_chains(
    chain: Chain, weight: FloatArray, groups: IntArray, band: HouseholdBand | None
) -> IntArray:
    """Cut each chain into exactly as many groups as asked for.

    Parameters
    ----------
    weight
        Households of each place of the chain, all above 0.
    groups
        Number of groups of each parent, no more than it has places.
    band
        Households of a group, kept wherever the places allow it.

    Returns
    -------
    ndarray
        Group of each place inside its parent, from 0.
    """
    label = np.zeros(len(chain.order), dtype=np.int64)
    size = np.bincount(chain.parent, minlength=len(groups))
    start = np.cumsum(size) - size
    todo = np.flatnonzero((groups > 1) & (size > 0))
    # Parents of about one size are cut together: one step of the loop for all of them.
    bucket = np.ceil(np.log2(np.maximum(size, 2))).astype(np.int64)
    for one in np.unique(bucket[todo]).tolist():
        parents = todo[bucket[todo] == one]
        # What the places and the states of a bucket take in memory stays bounded.
        step = max(1, 2_000_000 // (int(size[parents].max()) * 64))
        for low in range(0, len(parents), step):
            chunk = parents[low : low + step]
            _cut_some(chain, weight, groups, band, (chunk, start, size), label)
    return label


def _cut_some(
    chain: Chain,
    weight: FloatArray,
    groups: IntArray,
    band: HouseholdBand | None,
    where: tuple[IntArray, IntArray, IntArray],
    label: IntArray,
) -> None:
    parents, start, size = where
    slack = _SLACK
    while len(parents):
        table = _Table(chain, weight, groups, band, (parents, start, size), slack)
        done = table.solve(label)
        parents = parents[~done]
        # Where one place weighs as much as several groups, the count runs far from even.
        slack = slack * 4 if slack < int(groups.max()) else 2 * int(groups.max()) + 2


class _Table:
    """The cheapest way to cut several chains at once, place by place."""

    def __init__(
        self,
        chain: Chain,
        weight: FloatArray,
        groups: IntArray,
        band: HouseholdBand | None,
        where: tuple[IntArray, IntArray, IntArray],
        slack: int,
    ) -> None:
        parents, start, size = where
        self.parents, self.size, self.start = parents, size[parents], start[parents]
        self.k = groups[parents]
        self.slack = slack
        n = int(self.size.max())
        place = np.arange(n)
        inside = place < self.size[:, None]
        row = np.minimum(self.start[:, None] + place, len(weight) - 1)
        held = np.where(inside, weight[row], 0.0)
        self.total = np.column_stack([np.zeros(len(parents)), np.cumsum(held, axis=1)])
        self.cut = np.column_stack([np.where(inside, chain.cut[row], 0.0), np.zeros(len(parents))])
        self.even = self.total[:, -1] / self.k
        low, high = (None, None) if band is None else (band.low, band.high)
        self.low = np.full(len(parents), 0.0 if low is None else low)
        self.high = np.full(len(parents), np.inf if high is None else high)
        # The number of groups that a prefix of the chain should have had.
        expected = np.floor(self.total / self.even[:, None] + 1e-9).astype(np.int64)
        self.expected = np.minimum(expected, self.k[:, None])
        self.longest = self._longest(n)

    def _longest(self, n: int) -> int:
        """Return how many places a group can have at most."""
        cap = np.maximum(np.where(np.isfinite(self.high), self.high, 0.0), 2 * self.even)
        most = 1
        for total, limit, size in zip(self.total, cap, self.size.tolist(), strict=True):
            reach = np.searchsorted(total[: size + 1], total[: size + 1] + limit, side="right")
            most = max(most, int((reach - np.arange(size + 1)).max()) - 1)
        return min(most, n)

    def solve(self, label: IntArray) -> npt.NDArray[np.bool_]:
        """Write the groups of each chain that could be cut; tell which."""
        count, n = len(self.parents), self.total.shape[1] - 1
        width = 2 * self.slack + 1
        states = np.arange(width) - self.slack
        cost = np.full((count, n + 1, width), np.inf)
        back = np.zeros((count, n + 1, width), dtype=np.int32)
        cost[:, 0, self.slack] = 0.0
        rows = np.arange(count)[:, None, None]
        for i in range(1, n + 1):
            span = np.arange(1, min(self.longest, i) + 1)
            before = i - span
            held = self.total[:, i, None] - self.total[:, before]
            price = ((held - self.even[:, None]) / self.even[:, None]) ** 2
            miss = np.maximum(held - self.high[:, None], 0) + np.maximum(
                self.low[:, None] - held, 0
            )
            price += _OUTSIDE * miss / np.maximum(self.even[:, None], 1) + self.cut[:, before]
            # State s at place i stands for expected + s groups; one group fewer before it.
            number = self.expected[:, i, None] + states
            at = number[:, None, :] - 1 - self.expected[:, before][:, :, None] + self.slack
            sound = (at >= 0) & (at < width)
            come = cost[rows, before[None, :, None], np.clip(at, 0, width - 1)]
            whole = np.where(sound, come, np.inf) + price[:, :, None]
            best = np.argmin(whole, axis=1)
            cost[:, i] = np.take_along_axis(whole, best[:, None, :], axis=1)[:, 0]
            back[:, i] = span[best]
        return self._trace(cost, back, label)

    def _trace(
        self, cost: FloatArray, back: npt.NDArray[np.int32], label: IntArray
    ) -> npt.NDArray[np.bool_]:
        at = np.arange(len(self.parents))
        place, number = self.size.copy(), self.k.copy()
        state = number - self.expected[at, place] + self.slack
        done = np.isfinite(cost[at, place, np.clip(state, 0, cost.shape[2] - 1)])
        done &= (state >= 0) & (state < cost.shape[2])
        active = np.flatnonzero(done)
        while len(active):
            state = number[active] - self.expected[active, place[active]] + self.slack
            span = back[active, place[active], state]
            for one, length in zip(active.tolist(), span.tolist(), strict=True):
                end = self.start[one] + place[one]
                label[end - length : end] = number[one] - 1
            place[active] -= span
            number[active] -= 1
            active = active[place[active] > 0]
        return done
