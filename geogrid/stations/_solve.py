"""From a cover to an answer with its bound: greedy, swaps, a Lagrangian bound, then HiGHS.

There are two searches with one face: stations that serve everybody in reach, and stations with
room for some only. Both maximise worth for a number of stations; the fewest stations for a share
are found by asking for fewer and fewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from geogrid.stations._flow import fill, greedy_flow, swap_flow
from geogrid.stations._kernels import bound_from, greedy, improve
from geogrid.stations._milp import Found, all_model, capacity_model, optimise, plain_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geogrid.stations._cover import Cover
    from geogrid.stations._milp import Model

    IntArray = NDArray[np.int64]
    RealArray = NDArray[np.float64]

__all__ = ["Answer", "FullSearch", "Options", "PlainSearch", "Search", "fewest", "most"]

_NO_TARGET = 2**62

# Work is counted in visits of pairs, not in seconds, so that an answer can be had again: these
# numbers are about half a second for kicks and for the bound on one core.
_KICK_VISITS = 12_000_000
_MOST_KICKS, _KICK_SWAPS = 400, 4
_BOUND_VISITS = 150_000_000
_MOST_ROUNDS, _LEAST_ROUNDS, _PATIENCE = 3000, 100, 60
_FLOW_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long and how to search.

    Attributes
    ----------
    time_limit_s
        Seconds for the exact search; 0 leaves it out.
    seed
        Same seed, same answer.
    step
        Called with seconds, objective and bound whenever either is known better.
    """

    time_limit_s: float
    seed: int
    step: Callable[[float, float, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Chosen candidates of a cover, and what no choice can beat.

    Attributes
    ----------
    chosen
        Candidates besides those that are fixed.
    value
        Their worth.
    bound
        Of :func:`most` the greatest worth there could be, of :func:`fewest` the least number of
        stations there could be.
    """

    chosen: IntArray
    value: int
    bound: int


class Search(Protocol):
    """What an answer is searched with."""

    @property
    def cover(self) -> Cover:
        """Who serves whom."""

    @property
    def size(self) -> int:
        """Number of candidates that may be chosen."""

    @property
    def every(self) -> IntArray:
        """All candidates that may be chosen."""

    @property
    def open(self) -> IntArray:
        """Candidates that are open in any case."""

    @property
    def offset(self) -> int:
        """Worth of those, which is not counted as that of a choice."""

    def reached(self, chosen: IntArray) -> int:
        """Return the worth of some candidates."""

    def until(self, number: int, target: int) -> IntArray:
        """Choose up to ``number`` candidates greedily until ``target`` is reached."""

    def better(self, chosen: IntArray, target: int) -> IntArray:
        """Exchange candidates for others, until ``target`` is reached or nothing helps."""

    def upper(self, number: int, floor: int) -> int:
        """Return a worth that ``number`` candidates cannot beat, knowing that of some others."""

    def model(self, *, most: int | None, target: int | None, fewest: int = 0) -> Model:
        """Return the exact model."""


@dataclass(frozen=True, kw_only=True)
class PlainSearch:
    """Stations that serve everybody in reach."""

    cover: Cover
    seed: int
    open: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    offset: int = 0

    @property
    def size(self) -> int:
        return self.cover.candidates

    @property
    def every(self) -> IntArray:
        return np.arange(self.size)

    def reached(self, chosen: IntArray) -> int:
        sites = self.cover.sites
        best = np.zeros(self.cover.classes, dtype=np.int64)
        for one in chosen.tolist():
            part = slice(sites.start[one], sites.start[one + 1])
            here = sites.item[part]
            best[here] = np.maximum(best[here], sites.value[part])
        return int((best * sites.weight).sum())

    def until(self, number: int, target: int) -> IntArray:
        return np.asarray(greedy(self.cover.sites, number, target))

    def better(self, chosen: IntArray, target: int) -> IntArray:
        visits = max(len(self.cover.sites.item) + self.size * len(chosen), 1)
        kicks = min(_MOST_KICKS, _KICK_VISITS // visits)
        chance = np.random.default_rng(self.seed).random((kicks, 2 * _KICK_SWAPS))
        _, better = improve(self.cover.sites, chosen, chance, target)
        return np.asarray(better)

    def upper(self, number: int, floor: int) -> int:
        sites = self.cover.sites
        if number >= self.size:
            return self.cover.most
        worth = (sites.value * sites.weight[sites.item]).astype(float)
        prices = np.zeros(self.cover.classes)
        np.maximum.at(prices, sites.item, worth / 2)
        rounds = min(_MOST_ROUNDS, max(_LEAST_ROUNDS, _BOUND_VISITS // max(len(worth), 1)))
        bound = bound_from(sites, worth, prices, number, float(floor), rounds, _PATIENCE)
        return min(self.cover.most, _floored(bound))

    def model(self, *, most: int | None, target: int | None, fewest: int = 0) -> Model:
        if target is not None and target == self.cover.most and self.cover.sites.value.max() == 1:
            return all_model(self.cover, fewest=fewest)
        return plain_model(self.cover, most=most, target=target, fewest=fewest)


@dataclass(frozen=True, kw_only=True)
class FullSearch:
    """Stations that serve at most ``room`` households each; those in ``open`` are there already."""

    cover: Cover
    room: int
    open: IntArray

    @property
    def size(self) -> int:
        return self.cover.candidates - len(self.open)

    @property
    def every(self) -> IntArray:
        return np.setdiff1d(np.arange(self.cover.candidates), self.open)

    @cached_property
    def offset(self) -> int:
        return self._filled(self.open)

    def _filled(self, stations: IntArray) -> int:
        sites = self.cover.sites
        flow, need = np.zeros(len(sites.item), np.int64), sites.weight.copy()
        return int(fill(sites, stations, self.room, flow, need))

    def reached(self, chosen: IntArray) -> int:
        return self._filled(np.concatenate([self.open, chosen])) - self.offset

    def until(self, number: int, target: int) -> IntArray:
        goal = min(target + self.offset, _NO_TARGET)
        return np.asarray(greedy_flow(self.cover.sites, self.open, self.room, number, goal))

    def better(self, chosen: IntArray, target: int) -> IntArray:
        goal = min(target + self.offset, _NO_TARGET)
        given = self.open, chosen
        _, better = swap_flow(self.cover.sites, *given, self.room, _FLOW_ROUNDS, goal)
        return np.asarray(better)

    def upper(self, number: int, floor: int) -> int:  # noqa: ARG002 - as the other one
        # Whoever is in reach of nobody is in no class.
        rest = int(self.cover.sites.weight.sum()) - self.offset
        return min(number * self.room, rest)

    def model(self, *, most: int | None, target: int | None, fewest: int = 0) -> Model:
        goal = None if target is None else target + self.offset
        return capacity_model(
            self.cover, self.room, self.open, most=most, target=goal, fewest=fewest
        )


def _floored(bound: float) -> int:
    """Return the greatest whole number that a bound, right to its last bits, still allows."""
    return math.floor(bound + 1e-6 + 1e-10 * abs(bound))


def most(search: Search, number: int, options: Options) -> Answer:
    """Choose up to ``number`` candidates of the greatest worth."""
    number = min(number, search.size)
    chosen = search.better(search.until(number, _NO_TARGET), _NO_TARGET)
    value, offset = search.reached(chosen), search.offset
    bound = max(value, search.upper(number, value))
    options.step(0.0, value, bound)
    if bound == value or options.time_limit_s <= 0:
        return Answer(chosen=chosen, value=value, bound=bound)

    def step(seconds: float, objective: float, dual: float) -> None:
        options.step(seconds, max(value, objective - offset), max(value, min(bound, dual - offset)))

    found = _exact(search, search.model(most=number, target=None), chosen, options, step)
    if found.chosen is not None and search.reached(found.chosen) > value:
        chosen, value = found.chosen, search.reached(found.chosen)
    if math.isfinite(found.bound):
        bound = min(bound, _floored(found.bound) - offset)
    return Answer(chosen=chosen, value=value, bound=max(bound, value))


def fewest(search: Search, target: int, options: Options) -> Answer:
    """Choose as few candidates as possible of which the worth reaches ``target``."""
    chosen = _few(search, target)
    low, held = _least_number(search, target, len(chosen)), len(search.open)
    options.step(0.0, len(chosen), low)
    if low < len(chosen) and options.time_limit_s > 0:
        best, least = len(chosen), low

        def step(seconds: float, objective: float, dual: float) -> None:
            options.step(seconds, min(best, -objective - held), max(least, -dual - held))

        model = search.model(most=None, target=target, fewest=low)
        found = _exact(search, model, chosen, options, step)
        better = found.chosen
        if better is not None and len(better) < best and search.reached(better) >= target:
            chosen = better
        if math.isfinite(found.bound):
            low = max(low, -_floored(found.bound) - held)
    # Of all choices of this number, one that serves more than was asked for.
    more = search.better(chosen, _NO_TARGET)
    chosen = more if search.reached(more) > search.reached(chosen) else chosen
    return Answer(chosen=chosen, value=search.reached(chosen), bound=min(low, len(chosen)))


def _few(search: Search, target: int) -> IntArray:
    """Return few candidates that reach ``target``: greedily, then one fewer while that works."""
    chosen = search.until(search.size, target)
    while len(chosen):
        fewer = search.better(search.until(len(chosen) - 1, _NO_TARGET), target)
        if search.reached(fewer) < target:
            break
        chosen = fewer
    return chosen


def _least_number(search: Search, target: int, enough: int) -> int:
    """Return a number of stations below which ``target`` is certainly out of reach."""
    low, high = 0, enough
    while low < high:
        middle = (low + high) // 2
        if search.upper(middle, target - 1) < target:
            low = middle + 1
        else:
            high = middle
    return low


def _exact(
    search: Search,
    model: Model,
    chosen: IntArray,
    options: Options,
    step: Callable[[float, float, float], None],
) -> Found:
    """Search exactly; what is open in any case is not among what is returned as chosen."""
    found = optimise(
        model,
        begin=np.concatenate([search.open, chosen]),
        time_limit_s=options.time_limit_s,
        seed=options.seed,
        step=step,
    )
    if found.chosen is None:
        return found
    return Found(chosen=np.setdiff1d(found.chosen, search.open), bound=found.bound)
