"""From a whole problem, connected or not, to labels: share parts out, divide each piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._aims import Rule
from geogrid.divide._allot import allot, link_pieces, parts_in_band, reachable
from geogrid.divide._chance import begin
from geogrid.divide._engine import split_connected
from geogrid.divide._problem import pieces, subset
from geogrid.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray, Problem, TextArray
    from geogrid.model.scheme import HouseholdBand

__all__ = ["Seed", "require_band", "split_into_band", "split_into_parts"]

# What a random generator is started from.
Seed = int | tuple[int, ...]

# A part may use this share of the room that its band leaves for better borders; the rest is
# kept free, so that a household more or less does not push it out.
_BAND_ROOM = 0.6

# The search aims a little inside the tolerance, so that its last gains do not end just beyond.
_INNER = 0.95


def split_into_parts(
    problem: Problem,
    parts: int,
    *,
    tolerance: float,
    fixed: IntArray,
    ids: TextArray,
    seed: Seed,
) -> IntArray:
    """Divide into exactly ``parts`` parts; ``fixed`` holds locked labels, -1 where free."""
    linked, shares = _share_parts(problem, parts, fixed, ids)
    return _split(linked, shares, fixed, Rule(slack=_INNER * tolerance), seed)


def split_into_band(
    problem: Problem, band: HouseholdBand, *, fixed: IntArray, ids: TextArray, seed: Seed
) -> IntArray:
    """Divide into parts that lie inside a household band as far as the atoms allow."""
    linked, shares = _share_band(problem, band, fixed, ids)
    return _split(linked, shares, fixed, _band_rule(band), seed)


def require_band(problem: Problem, band: HouseholdBand) -> None:
    """Refuse a band that no number of parts can keep.

    An atom above the band is no reason: it is a part of its own, and the floor of the report.

    Raises
    ------
    InfeasibleError
        With the least and the greatest that the parts could hold instead.
    """
    linked = link_pieces(problem, lambda mass: np.flatnonzero(mass < (band.low or 1)))
    number = pieces(linked, np.zeros(problem.n, dtype=np.int64))
    for piece in range(int(number.max()) + 1):
        weight = problem.weight[number == piece]
        reach = reachable(weight, band)
        if reach is None:
            continue
        where = "the district" if number.max() == 0 else f"a piece with {len(weight)} atoms"
        raise InfeasibleError(_band_message(where, float(weight.sum()), band, reach))


def _band_message(
    where: str, total: float, band: HouseholdBand, reach: list[tuple[int, float]]
) -> str:
    ends = f"{band.low or 0} to {'any number of' if band.high is None else band.high}"
    means = " or ".join(f"{mean:g} with {count} parts" for count, mean in reach)
    if len(reach) == 1:
        means = f"{reach[0][1]:g}, all in one part"
    return (
        f"{where} has {total:g} households, and no number of parts holds {ends} each: the nearest "
        f"that can be reached is a mean of {means}; widen the band or join a neighbouring area"
    )


def _share_parts(
    problem: Problem, parts: int, fixed: IntArray, ids: TextArray
) -> tuple[Problem, IntArray]:
    """Share a number of parts among the pieces of the district; link pieces where it is short."""
    if parts > problem.n:
        msg = (
            f"{parts} parts are impossible with {problem.n} atoms: ask for at most {problem.n}, "
            f"or cut the atoms smaller"
        )
        raise InfeasibleError(msg)
    beyond = np.flatnonzero(fixed >= parts)
    if len(beyond):
        msg = (
            f"atom {ids[beyond[0]]} is locked to part {fixed[beyond[0]]}, but {parts} parts are "
            f"numbered 0 to {parts - 1}: lock it to one of those"
        )
        raise InfeasibleError(msg)
    number = pieces(problem, np.zeros(problem.n, dtype=np.int64))
    half = problem.weight.sum() / parts / 2

    def too_small(mass: FloatArray) -> IntArray:
        below = np.flatnonzero(mass < half)
        if len(below):
            return below
        return np.array([np.argmin(mass)]) if len(mass) > parts else below

    if number.max() + 1 > parts:
        problem = link_pieces(problem, too_small)
    return _allotted(problem, parts, fixed, ids)


def _allotted(
    problem: Problem, parts: int, fixed: IntArray, ids: TextArray
) -> tuple[Problem, IntArray]:
    number = pieces(problem, np.zeros(problem.n, dtype=np.int64))
    count = int(number.max()) + 1
    owner: dict[int, int] = {}
    for node in np.flatnonzero(fixed >= 0).tolist():
        piece = owner.setdefault(int(fixed[node]), int(number[node]))
        if piece != number[node]:
            msg = (
                f"atom {ids[node]} is locked to part {fixed[node]}, which is also locked in a "
                f"piece of the district that does not touch this one: use two parts"
            )
            raise InfeasibleError(msg)
    locks = np.bincount(np.array(list(owner.values()), dtype=np.int64), minlength=count)
    free = np.bincount(number, weights=fixed < 0, minlength=count).astype(np.int64)
    least, most = np.maximum(locks, 1), locks + free
    if least.sum() > parts or most.sum() < parts:
        msg = (
            f"{parts} parts cannot be had with these locks: they allow {least.sum()} to "
            f"{most.sum()}; unlock atoms or ask for such a number"
        )
        raise InfeasibleError(msg)
    mass = np.bincount(number, weights=problem.weight).astype(np.float64)
    return problem, allot(mass, parts, least=least, most=most)


def _share_band(
    problem: Problem, band: HouseholdBand, fixed: IntArray, ids: TextArray
) -> tuple[Problem, IntArray]:
    """Link pieces that are too small for the band, and find the number of parts of each."""
    low = band.low or 1

    linked = link_pieces(problem, lambda mass: np.flatnonzero(mass < low))
    number = pieces(linked, np.zeros(problem.n, dtype=np.int64))
    counts = [
        parts_in_band(problem.weight[number == piece], band) for piece in range(number.max() + 1)
    ]
    shares = np.array(counts, dtype=np.int64)
    if (fixed < 0).all():
        return linked, shares
    # Locked parts take no more atoms here than they have: the free ones can make up so many parts.
    room = len(np.unique(fixed[fixed >= 0])) + int((fixed < 0).sum())
    parts = max(min(int(shares.sum()), room), int(fixed.max()) + 1)
    return _allotted(linked, parts, fixed, ids)


def _band_rule(band: HouseholdBand) -> Rule:
    """Let shape weigh more inside the band: there, balance is not the aim."""
    target = band.target or 1.0
    high = np.inf if band.high is None else band.high / target - 1
    low = np.inf if band.low is None else 1 - band.low / target
    slack = float(np.clip(_BAND_ROOM * min(high, low), 0.01, 0.5))
    return Rule(slack=slack, balance=3.0, excess=1000.0)


def _split(problem: Problem, shares: IntArray, fixed: IntArray, rule: Rule, seed: Seed) -> IntArray:
    """Divide piece by piece; every piece draws from its own stream of chance."""
    number = pieces(problem, np.zeros(problem.n, dtype=np.int64))
    if min(np.atleast_1d(seed)) < 0:
        msg = f"the seed must be 0 or a positive whole number, got {seed}"
        raise InputError(msg)
    locked = set(fixed[fixed >= 0].tolist())
    spare = iter(sorted(set(range(int(shares.sum()))) - locked))
    label = np.full(problem.n, -1, dtype=np.int64)
    stem = np.atleast_1d(seed).tolist()
    for piece, count in enumerate(shares.tolist()):
        nodes = np.flatnonzero(number == piece)
        own = sorted(set(fixed[nodes].tolist()) - {-1})
        local = np.full(len(nodes), -1, dtype=np.int64)
        for at, name in enumerate(own):
            local[fixed[nodes] == name] = at
        found = split_connected(
            subset(problem, nodes),
            parts=count,
            fixed=local,
            rule=rule,
            seed=begin(*stem, piece)[0],
        )
        names = dict(enumerate(own))
        _, firsts = np.unique(found, return_index=True)
        for at in np.argsort(firsts).tolist():
            if at not in names:
                names[at] = next(spare)
        label[nodes] = [names[at] for at in found.tolist()]
    return label
