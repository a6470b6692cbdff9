"""A grid of heights of the ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geogrid.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HeightGrid"]


@dataclass(frozen=True, kw_only=True, eq=False)
class HeightGrid:
    """Heights at the middles of square cells.

    Attributes
    ----------
    values
        Metres above any level, the northern row first, NaN where unknown.
    west, south
        Outer corner of the grid, in metres of the network's frame.
    cell_m
        Side of a cell in metres.
    name
        Where the heights come from, for printing.
    """

    values: NDArray[np.float64]
    west: float
    south: float
    cell_m: float
    name: str = ""

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        if values.ndim != 2 or not values.size:  # noqa: PLR2004 - rows and columns
            msg = f"heights must be a table of rows and columns, got the shape {values.shape}"
            raise InputError(msg)
        place = (self.west, self.south, self.cell_m)
        if not np.isfinite(place).all() or not self.cell_m > 0:
            msg = f"the heights lie nowhere (west, south, cell_m = {place}): give metres"
            raise InputError(msg)
        values[~np.isfinite(values)] = np.nan
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the height at each place, evened out between the middles of cells.

        NaN outside the grid and beside unknown cells; within half a cell of the rim the height of
        the rim counts.
        """
        rows, columns = self.values.shape
        across = (xy[:, 0] - self.west) / self.cell_m
        up = (xy[:, 1] - self.south) / self.cell_m
        is_inside = (across >= 0) & (across <= columns) & (up >= 0) & (up <= rows)
        column = np.clip(np.nan_to_num(across) - 0.5, 0, columns - 1)
        row = np.clip(rows - np.nan_to_num(up) - 0.5, 0, rows - 1)
        left, top = np.floor(column).astype(int), np.floor(row).astype(int)
        right, low = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
        aside, down = column - left, row - top
        upper = _between(self.values[top, left], self.values[top, right], aside)
        lower = _between(self.values[low, left], self.values[low, right], aside)
        return np.where(is_inside, _between(upper, lower, down), np.nan)


def _between(
    one: NDArray[np.float64], other: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    # An unknown cell that has no share does not count.
    return np.where(share > 0, one * (1 - share) + other * share, one)
