"""How many households must change cells at least: a cheapest flow between neighbouring cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from geogrid.errors import InfeasibleError

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray

__all__ = ["Flow", "cheapest_flow"]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Households that go from cell to cell.

    Attributes
    ----------
    source, target, amount
        One row a pair of neighbours, amounts above 0.
    beyond
        Households by which the cells together still miss the band: 0 where it can be reached.
    """

    source: IntArray
    target: IntArray
    amount: FloatArray
    beyond: float

    @property
    def moved(self) -> float:
        """Households that change cells, counted at every border that they cross."""
        return float(self.amount.sum())


def cheapest_flow(
    weight: FloatArray, left: IntArray, right: IntArray, *, low: float, high: float
) -> Flow:
    """Return the least flow over the borders of cells that brings all of them into a band.

    Parameters
    ----------
    weight
        Households of each cell.
    left, right
        Pairs of neighbouring cells.
    low, high
        Ends of the band, both in it.
    """
    n, arcs = len(weight), 2 * len(left)
    source = np.concatenate((left, right)).astype(np.int64)
    target = np.concatenate((right, left)).astype(np.int64)
    if ((weight >= low) & (weight <= high)).all():
        empty = np.zeros(0, dtype=np.int64)
        return Flow(empty, empty, np.zeros(0), 0.0)
    # Columns: arcs, then what a cell is above and what it is below the band.
    column = np.arange(arcs)
    row = np.concatenate((source, target, np.arange(n)))
    over = coo_array(
        (np.r_[-np.ones(arcs), np.ones(arcs), -np.ones(n)],
         (row, np.r_[column, column, arcs + np.arange(n)])),
        shape=(n, arcs + 2 * n),
    )  # fmt: skip
    under = coo_array(
        (np.r_[np.ones(arcs), -np.ones(arcs), -np.ones(n)],
         (row, np.r_[column, column, arcs + n + np.arange(n)])),
        shape=(n, arcs + 2 * n),
    )  # fmt: skip
    rows, limits = [], []
    if np.isfinite(high):
        rows.append(over)
        limits.append(high - weight)
    rows.append(under)
    limits.append(weight - low)
    # A household that stays outside costs more than the longest way into the band.
    price = np.concatenate((np.ones(arcs), np.full(2 * n, 2.0 * n + 1)))
    matrix = coo_array(
        (
            np.concatenate([one.data for one in rows]),
            (
                np.concatenate([one.coords[0] + n * at for at, one in enumerate(rows)]),
                np.concatenate([one.coords[1] for one in rows]),
            ),
        ),
        shape=(n * len(rows), arcs + 2 * n),
    ).tocsr()
    found = linprog(price, A_ub=matrix, b_ub=np.concatenate(limits), method="highs-ds")
    if not found.success:  # pragma: no cover - slack makes it always solvable
        msg = f"no flow between the cells was found ({found.message}): check the band"
        raise InfeasibleError(msg)
    amount = np.round(found.x[:arcs], 6)
    used = amount > 0
    beyond = float(np.round(found.x[arcs:].sum(), 6))
    return Flow(source[used], target[used], amount[used], beyond)
