"""The compiled loops of siting with a capacity: who is served by whom when stations fill up.

Serving as many households as possible is a greatest flow from stations to classes of households.
A station is opened by augmenting the flow from it, so households once served stay served, and what
opening adds can only become less the more stations there are; greedy may therefore be lazy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geogrid.planar.compiling import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.stations._kernels import Sites

    IntArray = NDArray[np.int64]

__all__ = ["fill", "greedy_flow", "open_station", "swap_flow"]


class _Paths(NamedTuple):
    """A search for a way to serve more: how it came to a class, and how it left a station.

    ``enter`` is the pair by which ``owner`` would serve a class, -1 where it was not yet met;
    ``leave`` is the pair that a station would give up.
    """

    enter: IntArray
    owner: IntArray
    leave: IntArray
    queue: IntArray


@compiled
def _find(sites: Sites, flow: IntArray, need: IntArray, new: int, paths: _Paths) -> int:
    """Return a class in need that can be served if others pass their households on, else -1."""
    paths.enter[:] = -1
    paths.leave[:] = -1
    paths.queue[0], head, tail = new, 0, 1
    while head < tail:
        station = paths.queue[head]
        head += 1
        for pair in range(sites.start[station], sites.start[station + 1]):
            here = sites.item[pair]
            if paths.enter[here] >= 0:
                continue
            paths.enter[here], paths.owner[here] = pair, station
            if need[here] > 0:
                return int(here)
            for link in range(sites.by_start[here], sites.by_start[here + 1]):
                other, given = sites.by_candidate[link], sites.by_pair[link]
                if other != new and paths.leave[other] < 0 and flow[given] > 0:
                    paths.leave[other] = given
                    paths.queue[tail] = other
                    tail += 1
    return -1


@compiled
def _pass_on(
    sites: Sites, flow: IntArray, need: IntArray, new: int, paths: _Paths, found: int, most: int
) -> int:
    """Pass households on along the way that was found, as many as it carries; return how many."""
    amount, here = min(most, need[found]), found
    while paths.owner[here] != new:
        given = paths.leave[paths.owner[here]]
        amount, here = min(amount, flow[given]), sites.item[given]
    need[found] -= amount
    here = found
    while paths.owner[here] != new:
        given = paths.leave[paths.owner[here]]
        flow[paths.enter[here]] += amount
        flow[given] -= amount
        here = sites.item[given]
    flow[paths.enter[here]] += amount
    return int(amount)


@compiled
def open_station(sites: Sites, flow: IntArray, need: IntArray, new: int, room: int) -> int:
    """Serve as many more households as the station ``new`` with ``room`` allows; return how many.

    ``flow`` (households of each pair) and ``need`` (those of each class not served) are changed.
    """
    spare = room
    for pair in range(sites.start[new], sites.start[new + 1]):
        amount = min(spare, need[sites.item[pair]])
        flow[pair] += amount
        need[sites.item[pair]] -= amount
        spare -= amount
    stations = len(sites.start) - 1
    paths = _Paths(
        np.empty(len(need), dtype=np.int64),
        np.empty(len(need), dtype=np.int64),
        np.empty(stations, dtype=np.int64),
        np.empty(stations, dtype=np.int64),
    )
    while spare > 0:
        found = _find(sites, flow, need, new, paths)
        if found < 0:
            break
        spare -= _pass_on(sites, flow, need, new, paths, found, spare)
    return room - spare


@compiled
def fill(
    sites: Sites,
    chosen: IntArray,
    room: int,
    flow: IntArray,
    need: IntArray,
) -> int:
    """Open stations one after the other into an empty flow; return the households served."""
    flow[:] = 0
    need[:] = sites.weight
    total = 0
    for one in chosen:
        total += open_station(sites, flow, need, one, room)
    return total


@compiled
def _best_new(
    sites: Sites,
    flow: IntArray,
    need: IntArray,
    room: int,
    bound: IntArray,
    is_open: NDArray[np.bool_],
) -> tuple[int, int]:
    """Return the station that adds most and how much; ``bound`` is lowered to what was tried."""
    fresh = np.zeros(len(bound), dtype=np.bool_)
    for one in range(len(bound)):
        if is_open[one]:
            bound[one] = -1
    while True:
        one = int(np.argmax(bound))
        if bound[one] <= 0:
            return -1, 0
        if fresh[one]:
            return one, bound[one]
        bound[one] = open_station(sites, flow.copy(), need.copy(), one, room)
        fresh[one] = True


@compiled
def greedy_flow(
    sites: Sites,
    fixed: IntArray,
    room: int,
    most: int,
    target: int,
) -> IntArray:
    """Choose up to ``most`` stations besides ``fixed``, each the one that serves most more."""
    flow, need = np.zeros(len(sites.item), dtype=np.int64), sites.weight.copy()
    total = fill(sites, fixed, room, flow, need)
    is_open = np.zeros(len(sites.start) - 1, dtype=np.bool_)
    is_open[fixed] = True
    bound = np.full(len(sites.start) - 1, room, dtype=np.int64)
    chosen = np.empty(most, dtype=np.int64)
    size = 0
    while size < most and total < target:
        new, _ = _best_new(sites, flow, need, room, bound, is_open)
        if new < 0:
            break
        total += open_station(sites, flow, need, new, room)
        is_open[new] = True
        chosen[size] = new
        size += 1
    return chosen[:size]


@compiled
def swap_flow(
    sites: Sites,
    fixed: IntArray,
    given: IntArray,
    room: int,
    rounds: int,
    target: int,
) -> tuple[int, IntArray]:
    """Swap stations, one for one, while more are served and ``target`` is not; ``fixed`` stay."""
    flow, need = np.zeros(len(sites.item), dtype=np.int64), sites.weight.copy()
    size, held = len(given), len(fixed)
    stations = np.concatenate((fixed, given))
    total = fill(sites, stations, room, flow, need)
    is_open = np.zeros(len(sites.start) - 1, dtype=np.bool_)
    is_open[stations] = True
    for _ in range(rounds):
        before = total
        for slot in range(size):
            old = stations[held + slot]
            others = np.concatenate((stations[: held + slot], stations[held + slot + 1 :]))
            rest = fill(sites, others, room, flow, need)
            bound = np.full(len(sites.start) - 1, room, dtype=np.int64)
            new, gain = _best_new(sites, flow, need, room, bound, is_open)
            if rest + gain > total:
                is_open[old], is_open[new] = False, True
                stations[held + slot] = new
                total = rest + gain
        if total == before or total >= target:
            break
    return total, stations[held:].copy()
