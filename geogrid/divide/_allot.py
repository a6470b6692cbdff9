"""How many parts: for a household band, and for each connected piece of a district."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from geogrid.divide._problem import pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from geogrid.divide._problem import FloatArray, IntArray, Problem
    from geogrid.model.scheme import HouseholdBand

__all__ = ["allot", "crowd", "link_pieces", "parts_in_band", "reachable"]


def parts_in_band(weight: FloatArray, band: HouseholdBand) -> int:
    """Return into how many parts ``weight`` (households per atom) should be divided.

    The number lies between ``ceil(total / high)`` and ``floor(total / low)``, nearest to
    ``total / target``, at least 1. Where no number puts all parts inside the band, the one whose
    parts leave it least is taken. An atom above the band is a part of its own: it cannot be cut
    here, and the others are not made smaller for it.
    """
    target = band.target
    if not target:
        return 1
    high = math.inf if band.high is None else float(band.high)
    heavy = weight > high
    rest = float(weight[~heavy].sum())
    most = math.floor(rest / band.low) if band.low else len(weight)
    least = math.ceil(rest / high)
    wanted = max(least, 1) if band.low is None else round(rest / target)
    if band.high is None:
        wanted = most
    if least <= most:
        count = min(max(wanted, least), most)
    else:
        count = min(max(most, 1), least, key=lambda k: (_miss(rest / k, band), k))
    return min(max(count + int(heavy.sum()), 1), len(weight))


def reachable(weight: FloatArray, band: HouseholdBand) -> list[tuple[int, float]] | None:
    """Return the numbers of parts next to an impossible band, each with the mean that it gives.

    ``None`` where some number of parts has its mean inside the band, and where an atom above the
    band is a part of its own, which can take what is too little for another one.
    """
    high = math.inf if band.high is None else max(float(band.high), 1.0)
    total = float(weight.sum())
    least = max(math.ceil(total / high), 1)
    if band.low is None or total >= band.low * least or bool((weight > high).any()):
        return None
    below = least - 1
    return [(count, total / count) for count in (below, least) if count > 0]


def _miss(households: float, band: HouseholdBand) -> float:
    """Return by which factor a part lies outside the band."""
    if band.high is not None and households > band.high:
        return households / band.high
    if band.low is not None and households < band.low:
        return band.low / max(households, 1e-9)
    return 1.0


def allot(mass: FloatArray, parts: int, *, least: IntArray, most: IntArray) -> IntArray:
    """Share ``parts`` among pieces by the method of the largest remainder.

    Parameters
    ----------
    mass
        Households per piece.
    least, most
        Parts that a piece must have and can have.
    """
    total = mass.sum()
    even = np.full(len(mass), 1 / len(mass))
    quota = parts * (mass / total if total > 0 else even)
    shares = np.clip(np.floor(quota).astype(np.int64), least, most)
    while shares.sum() != parts:
        step = 1 if shares.sum() < parts else -1
        can = shares < most if step > 0 else shares > least
        urge = np.where(can, step * (quota - shares), -np.inf)
        shares[int(np.argmax(urge))] += step
    return np.asarray(shares, dtype=np.int64)


def crowd(mass: FloatArray, parts: int, *, least: IntArray, most: IntArray, high: int) -> IntArray:
    """Take parts from the pieces whose households then overflow an upper end by least.

    Parameters
    ----------
    parts
        Fewer than ``most`` has in all.
    least, most
        Parts that a piece must have, and that it needs to stay below ``high``.
    """
    shares = most.copy()
    while (extra := int(shares.sum()) - parts) > 0:
        over = np.where(shares > least, mass - float(high) * (shares - 1), np.inf)
        # Each piece gives one away before any gives a second.
        shares[np.argsort(over, kind="stable")[: min(extra, int((shares > least).sum()))]] -= 1
    return shares


def link_pieces(problem: Problem, small: Callable[[FloatArray], IntArray]) -> Problem:
    """Link small pieces of a district to the piece nearest to them by borders of no length.

    Parameters
    ----------
    small
        Given the households of the pieces, returns which ones are to be linked next.
    """
    while True:
        number = pieces(problem, np.zeros(problem.n, dtype=np.int64))
        mass = np.bincount(number, weights=problem.weight).astype(np.float64)
        chosen = small(mass) if len(mass) > 1 else np.zeros(0, dtype=np.int64)
        if not len(chosen):
            return problem
        ends = sorted({_nearest(problem, number == piece) for piece in chosen.tolist()})
        left, right = np.array(ends, dtype=np.int64).T
        problem = replace(
            problem,
            left=np.append(problem.left, left),
            right=np.append(problem.right, right),
            cost=np.append(problem.cost, np.zeros(len(ends))),
        )


def _nearest(problem: Problem, inside: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return the two nodes, lower one first, over which a piece is nearest to the others."""
    xy = np.column_stack((problem.x, problem.y))
    own, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    far, at = cKDTree(xy[others]).query(xy[own])
    best = int(np.argmin(far))
    ends = int(own[best]), int(others[at[best]])
    return min(ends), max(ends)
