"""Close narrow gaps and fill small holes of a raster, never across a barrier.

What is closed grows with what was inside: a circle that holds another one still does afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.planar.compiling import compiled, inner
from geogrid.walking._cells import DEEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["close"]

# A straight step is 3 and a diagonal one 4: within 8 % of the true distance, in whole numbers.
_STRAIGHT, _DIAGONAL = 3, 4
_FAR = 30000


@compiled
def _away(mask: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return for each cell how far the nearest cell of the mask is, in thirds of a cell."""
    height, width = mask.shape
    # A rim of cells that are far from everything spares asking whether a neighbour exists.
    away = np.full((height + 2, width + 2), _FAR, np.int16)
    away[1:-1, 1:-1] = np.where(mask, np.int16(0), np.int16(_FAR))
    for row in range(1, height + 1):
        for column in range(1, width + 1):
            straight = min(away[row, column - 1], away[row - 1, column]) + _STRAIGHT
            aslant = min(away[row - 1, column - 1], away[row - 1, column + 1]) + _DIAGONAL
            away[row, column] = min(away[row, column], straight, aslant)
    for row in range(height, 0, -1):
        for column in range(width, 0, -1):
            straight = min(away[row, column + 1], away[row + 1, column]) + _STRAIGHT
            aslant = min(away[row + 1, column - 1], away[row + 1, column + 1]) + _DIAGONAL
            away[row, column] = min(away[row, column], straight, aslant)
    return away[1:-1, 1:-1]


@inner
def _flood(
    state: NDArray[np.uint8], stack: NDArray[np.int64], size: int, to: int
) -> tuple[int, int]:
    """Turn what is 1 and joined to the ``size`` listed cells into ``to``.

    Return (cells listed in the end, 1 if a barrier or the rim was touched).
    """
    height, width = state.shape
    done, touches = 0, 0
    while done < size:
        row, column = stack[done] // width, stack[done] % width
        done += 1
        for side in range(4):
            r, c = row + (side == 0) - (side == 1), column + (side == 2) - (side == 3)  # noqa: PLR2004
            if r < 0 or c < 0 or r >= height or c >= width or state[r, c] == _WALL:
                touches = 1
            elif state[r, c] == _OPEN:
                state[r, c] = to
                stack[size] = r * width + c
                size += 1
    return size, touches


_OPEN, _WALL, _TAKEN, _LEFT, _INSIDE = 1, 2, 3, 4, 5


@compiled
def close(
    values: NDArray[np.int16], walled: NDArray[np.bool_], gap: float, hole: float
) -> NDArray[np.int16]:
    """Return the raster with gaps up to twice ``gap`` cells closed and holes up to ``hole`` filled.

    Gaps are closed only from ground that is reached without stepping on a cell that a barrier
    runs through, and holes only where no barrier runs through them or beside them.
    """
    height, width = values.shape
    mask = values > 0
    limit = np.int16(gap * _STRAIGHT)
    wide = _away(mask) <= limit
    closed = _away(~wide) > limit
    stack = np.empty(height * width, np.int64)
    state = np.zeros((height, width), np.uint8)
    size = 0
    for row in range(height):
        for column in range(width):
            if walled[row, column]:
                state[row, column] = _WALL
            elif mask[row, column]:
                state[row, column] = _INSIDE
                stack[size] = row * width + column
                size += 1
            elif closed[row, column]:
                state[row, column] = _OPEN
    _flood(state, stack, size, _TAKEN)
    out = values.copy()
    for row in range(height):
        for column in range(width):
            if state[row, column] == _TAKEN:
                out[row, column] = DEEP
    _fill(out, walled, hole, state, stack)
    return out


@inner
def _fill(
    out: NDArray[np.int16],
    walled: NDArray[np.bool_],
    hole: float,
    state: NDArray[np.uint8],
    stack: NDArray[np.int64],
) -> None:
    """Fill small holes without a barrier."""
    height, width = out.shape
    for row in range(height):
        for column in range(width):
            state[row, column] = _INSIDE
            if out[row, column] <= 0:
                state[row, column] = _WALL if walled[row, column] else _OPEN
    for row in range(height):
        for column in range(width):
            if state[row, column] != _OPEN:
                continue
            state[row, column] = _LEFT
            stack[0] = row * width + column
            size, touches = _flood(state, stack, 1, _LEFT)
            if not touches and size <= hole:
                for slot in range(size):
                    out[stack[slot] // width, stack[slot] % width] = DEEP
