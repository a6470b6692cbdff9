"""The compiled loops of siting: which candidates to drop, greedy, best swap, and a bound.

A class of households counts its best chosen candidate, so what is maximised is
``sum(weight * max(value))``: households served where every value is 1, metres of walking saved
else. All of it is whole numbers, so nothing depends on an order of summing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geogrid.planar.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    RealArray = NDArray[np.float64]

__all__ = ["Sites", "bound_from", "dominated", "greedy", "improve"]

# Steps of the bound are halved until they are this small.
_LEAST_SCALE = 1e-3


class Sites(NamedTuple):
    """Who could serve whom, as the loops need it.

    Attributes
    ----------
    start, item, value
        Classes that candidate ``c`` serves, ``item[start[c]:start[c + 1]]``, rising, and the worth
        of it to one household.
    by_start, by_candidate, by_pair
        The same turned round: the candidates of each class, rising, and their place in ``item``.
    weight
        Households of each class.
    """

    start: IntArray
    item: IntArray
    value: IntArray
    by_start: IntArray
    by_candidate: IntArray
    by_pair: IntArray
    weight: IntArray


@compiled
def _is_inferior(sites: Sites, one: int, other: int) -> bool:
    """Tell whether ``other`` serves all that ``one`` does, as well, or comes first."""
    start, item, value = sites.start, sites.item, sites.value
    low, high, at = start[one], start[one + 1], start[other]
    is_equal = start[other + 1] - at == high - low
    for pair in range(low, high):
        while at < start[other + 1] and item[at] < item[pair]:
            at += 1
        if at == start[other + 1] or item[at] != item[pair] or value[at] < value[pair]:
            return False
        if value[at] != value[pair]:
            is_equal = False
    return not (is_equal and other > one)


@compiled
def dominated(sites: Sites) -> NDArray[np.bool_]:
    """Mark candidates that serve no class better than another one; of equals the first stays."""
    start, item, by_start = sites.start, sites.item, sites.by_start
    count = len(start) - 1
    is_dominated = np.zeros(count, dtype=np.bool_)
    for one in range(count):
        low, high = start[one], start[one + 1]
        if low == high:
            is_dominated[one] = True
            continue
        # Whoever is better everywhere also serves the class that the fewest serve.
        rare = item[low]
        for here in item[low:high]:
            if by_start[here + 1] - by_start[here] < by_start[rare + 1] - by_start[rare]:
                rare = here
        for link in range(by_start[rare], by_start[rare + 1]):
            other = sites.by_candidate[link]
            if other != one and not is_dominated[other] and _is_inferior(sites, one, other):
                is_dominated[one] = True
                break
    return is_dominated


@compiled
def greedy(sites: Sites, most: int, target: int) -> IntArray:
    """Choose up to ``most`` candidates, each the one that adds most, until ``target`` is met."""
    start, item, value, weight = sites.start, sites.item, sites.value, sites.weight
    by_start, by_candidate, by_pair = sites.by_start, sites.by_candidate, sites.by_pair
    count, reached = len(start) - 1, 0
    best = np.zeros(len(weight), dtype=np.int64)
    gain = np.zeros(count, dtype=np.int64)
    for one in range(count):
        for pair in range(start[one], start[one + 1]):
            gain[one] += weight[item[pair]] * value[pair]
    chosen = np.empty(min(most, count), dtype=np.int64)
    size = 0
    while size < len(chosen) and reached < target:
        new = np.argmax(gain)
        if gain[new] <= 0:
            break
        chosen[size] = new
        size += 1
        reached += gain[new]
        for pair in range(start[new], start[new + 1]):
            here, now = item[pair], value[pair]
            before = best[here]
            if now <= before:
                continue
            best[here] = now
            for link in range(by_start[here], by_start[here + 1]):
                worth = value[by_pair[link]]
                if worth > before:
                    gain[by_candidate[link]] -= weight[here] * (min(worth, now) - before)
    return chosen[:size]


class _Stand(NamedTuple):
    """How each class is served: slot of its best station (-1 for none), its value, the second."""

    first: IntArray
    top: IntArray
    second: IntArray


@compiled
def _serve(sites: Sites, chosen: IntArray, stand: _Stand) -> int:
    """Fill in how each class is served; return the total."""
    first, top, second = stand
    first[:] = -1
    top[:] = 0
    second[:] = 0
    for slot in range(len(chosen)):
        for pair in range(sites.start[chosen[slot]], sites.start[chosen[slot] + 1]):
            here, worth = sites.item[pair], sites.value[pair]
            if worth > top[here]:
                second[here] = top[here]
                top[here] = worth
                first[here] = slot
            elif worth > second[here]:
                second[here] = worth
    total = 0
    for here in range(len(top)):
        total += sites.weight[here] * top[here]
    return total


@compiled
def _weigh(sites: Sites, one: int, stand: _Stand, taken: IntArray) -> int:
    """Return what a candidate would add, and per slot what it would take over of it."""
    taken[:] = 0
    gain = 0
    for pair in range(sites.start[one], sites.start[one + 1]):
        here, worth = sites.item[pair], sites.value[pair]
        top, second, weight = stand.top[here], stand.second[here], sites.weight[here]
        if worth > top:
            gain += weight * (worth - top)
            if stand.first[here] >= 0:
                taken[stand.first[here]] += weight * (top - second)
        elif worth > second:
            taken[stand.first[here]] += weight * (worth - second)
    return gain


@compiled
def _best_swap(sites: Sites, slot_of: IntArray, stand: _Stand, loss: IntArray) -> tuple[int, int]:
    """Return the slot and the candidate of the swap that adds most, -1 where none adds anything.

    The gain of a swap is split as in the fast interchange of Resende and Werneck (2007): what the
    new one adds, less what the old one loses, plus what the new one takes over of it.
    """
    taken = np.zeros(len(loss), dtype=np.int64)
    best, out, into = 0, -1, -1
    for one in range(len(slot_of)):
        if slot_of[one] >= 0:
            continue
        gain = _weigh(sites, one, stand, taken)
        for slot in range(len(loss)):
            change = gain - loss[slot] + taken[slot]
            if change > best:
                best, out, into = change, slot, one
    return out, into


@compiled
def _climb(sites: Sites, chosen: IntArray, slot_of: IntArray, stand: _Stand) -> int:
    """Do the best swap of one chosen for one other candidate until none adds anything."""
    loss = np.zeros(len(chosen), dtype=np.int64)
    while True:
        total = _serve(sites, chosen, stand)
        loss[:] = 0
        for here in range(len(sites.weight)):
            if stand.first[here] >= 0:
                left = stand.top[here] - stand.second[here]
                loss[stand.first[here]] += sites.weight[here] * left
        out, into = _best_swap(sites, slot_of, stand, loss)
        if out < 0:
            return int(total)
        slot_of[chosen[out]] = -1
        slot_of[into] = out
        chosen[out] = into


@compiled
def improve(sites: Sites, given: IntArray, chance: RealArray, target: int) -> tuple[int, IntArray]:
    """Swap to a local best, then kick and swap again; return the best total and its candidates.

    Parameters
    ----------
    given
        Candidates to begin with; their number stays.
    chance
        One row a kick: for each swap at random, which slot and which candidate, as shares.
    target
        Stop as soon as the total is that high.
    """
    size, count, classes = len(given), len(sites.start) - 1, len(sites.weight)
    chosen, slot_of = given.copy(), np.full(count, -1, dtype=np.int64)
    for slot in range(size):
        slot_of[chosen[slot]] = slot
    stand = _Stand(
        np.empty(classes, dtype=np.int64),
        np.empty(classes, dtype=np.int64),
        np.empty(classes, dtype=np.int64),
    )
    best = _climb(sites, chosen, slot_of, stand)
    kept = chosen.copy()
    if size in (0, count):
        return best, kept
    for kick in range(len(chance)):
        if best >= target:
            break
        for step in range(0, chance.shape[1], 2):
            slot = int(chance[kick, step] * size)
            one = int(chance[kick, step + 1] * count)
            if slot_of[one] < 0:
                slot_of[chosen[slot]] = -1
                slot_of[one] = slot
                chosen[slot] = one
        total = _climb(sites, chosen, slot_of, stand)
        if total >= best:
            best = total
            kept[:] = chosen
        else:
            for slot in range(size):
                slot_of[chosen[slot]] = -1
            chosen[:] = kept
            for slot in range(size):
                slot_of[chosen[slot]] = slot
    return best, kept


@compiled
def _sums(sites: Sites, worth: RealArray, price: RealArray, sums: RealArray) -> None:
    """Add up for each candidate what its classes are worth beyond their price."""
    for one in range(len(sites.start) - 1):
        total = 0.0
        for pair in range(sites.start[one], sites.start[one + 1]):
            over = worth[pair] - price[sites.item[pair]]
            if over > 0:
                total += over
        sums[one] = total


@compiled
def _slope(
    sites: Sites, worth: RealArray, price: RealArray, served: IntArray, slope: RealArray
) -> float:
    """Fill in how the bound changes with each price, and return the square of its steepness."""
    slope[:] = 1.0
    for one in served:
        for pair in range(sites.start[one], sites.start[one + 1]):
            if worth[pair] > price[sites.item[pair]]:
                slope[sites.item[pair]] -= 1.0
    steep = 0.0
    for here in range(len(price)):
        if slope[here] > 0 and price[here] <= 0:
            slope[here] = 0.0
        steep += slope[here] * slope[here]
    return steep


@compiled
def bound_from(
    sites: Sites,
    worth: RealArray,
    price: RealArray,
    size: int,
    floor: float,
    rounds: int,
    patience: int,
) -> float:
    """Lower the Lagrangian bound on what ``size`` candidates can reach, by subgradient steps.

    A class pays ``price`` for the right to be served by several candidates at once; for any prices
    the sum of all prices and of the ``size`` greatest candidates is a bound.

    Parameters
    ----------
    worth
        Worth of each pair, times the households of its class.
    price
        Prices to begin with; changed in place.
    floor
        A total that is reached, from which the length of a step is taken; a bound that is no
        greater ends the descent.
    rounds, patience
        Greatest number of steps, and steps without success after which they are halved.
    """
    sums, slope = np.zeros(len(sites.start) - 1), np.empty(len(price))
    best, kept, scale, idle = np.inf, price.copy(), 1.0, 0
    for _ in range(rounds):
        _sums(sites, worth, price, sums)
        served = np.argsort(-sums)[:size]
        bound = price.sum() + sums[served].sum()
        idle += 1
        if bound < best:
            best, idle = bound, 0
            kept[:] = price
        if best <= floor:
            break
        if idle >= patience:
            scale, idle = scale / 2, 0
            price[:] = kept
            if scale < _LEAST_SCALE:
                break
            continue
        steep = _slope(sites, worth, price, served, slope)
        if steep <= 0:
            break
        step = scale * (bound - floor) / steep
        for here in range(len(price)):
            price[here] = max(0.0, price[here] - step * slope[here])
    return best
