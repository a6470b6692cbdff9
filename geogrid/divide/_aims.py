"""What a partition aims at: prices, and what every part should hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray, Problem

__all__ = ["Aims", "Rule", "make_aims", "make_tokens"]

# Weight without households, relative to one part: keeps empty land from being weightless.
_LAND = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a good partition is: the price of imbalance and of shape.

    The shape of a part costs ``shape * P² / 4πA`` with P its border, barriers discounted: that has
    no unit, so a small part in town counts as much as a large one in the fields.

    Attributes
    ----------
    slack
        Relative deviation that is free of the steep price.
    balance, excess, shape
        Prices of a squared deviation, of the squared deviation beyond ``slack``, and of shape.
    """

    slack: float = 0.1
    balance: float = 150.0
    excess: float = 1000.0
    shape: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Aims:
    """What counts per node, what each part should hold, and what one whole part holds."""

    weight: FloatArray
    goal: FloatArray
    unit: float


def make_aims(problem: Problem, parts: int, fixed: IntArray) -> Aims:
    """Set the goals.

    A node heavier than a part counts as one full part: its part is full with it, and the others
    share what is left instead of chasing a mean that they cannot reach. The same goes for locked
    nodes that together are heavier than a part.
    """
    weight = problem.weight if problem.weight.sum() > 0 else problem.area
    locked = np.bincount(fixed[fixed >= 0], weight[fixed >= 0], minlength=parts)
    free = np.where(fixed < 0, weight, 0.0)
    unit = float(weight.sum()) / parts
    while True:
        heavy_locks, heavy = locked > unit, free > unit
        left = parts - int(heavy_locks.sum()) - int(heavy.sum())
        if left <= 0:
            break
        rest = locked[~heavy_locks].sum() + free[~heavy].sum()
        lower = float(rest) / left
        if lower >= unit * (1 - 1e-12) or lower <= 0:
            break
        unit = lower
    counted = np.where(fixed < 0, np.minimum(weight, unit), weight)
    goal = np.where(locked > unit, locked, unit)
    counted = counted + _LAND * unit * problem.area / problem.area.sum()
    return Aims(counted, goal, unit)


def make_tokens(problem: Problem, parts: int) -> IntArray:
    """Say which nodes are tokens, of which every part must hold at least one.

    Those with households, so that no part is left without any; all nodes where there are fewer
    than parts.
    """
    populated = problem.weight > 0
    if int(populated.sum()) < parts:
        return np.ones(problem.n, dtype=np.int64)
    return populated.astype(np.int64)
