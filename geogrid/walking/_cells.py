"""Compiled loops that walk into the cells of the field and write a raster of what is left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geogrid.planar.compiling import compiled, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.walking._arrays import Graph, Rows
    from geogrid.walking._paint import Cells

__all__ = ["DEEP", "Places", "walk_in", "write"]

# Two points in front of one spot of a one-way edge are neither ahead nor behind.
_SAME_SPOT_M = 1e-6

# The value of a cell a whole cell inside; odd, so that no cell ever lies on the border itself.
DEEP = 255


class Places(NamedTuple):
    """Cells that a spot reaches: metres of the walk with both legs, and the cell's own leg."""

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    metres: NDArray[np.float64]
    leg: NDArray[np.float32]


@inner
def _metres_to(
    position: float,
    length: float,
    ends: tuple[float, float],
    own: tuple[float, float],
    costs: tuple[float, float],
    both: bool,  # noqa: FBT001 - numba takes no keywords
) -> float:
    """Return the walk from the point behind a spot to a place on an edge that it reaches."""
    rest = length - position
    metres = ends[0] + position * costs[0]
    # The end of a one-way edge is the node itself, however one came there.
    if both or rest <= 0.0:
        metres = min(metres, ends[1] + rest * costs[1])
    ahead = position - own[0]
    if ahead >= 0.0:
        metres = min(metres, own[1] + ahead * costs[0])
    elif ahead >= -_SAME_SPOT_M or (both and ahead < 0.0):
        metres = min(metres, own[1] - ahead * costs[1])
    return metres


@compiled
def walk_in(
    graph: Graph,
    reach: Rows,
    rows: tuple[int, int],
    cells: Cells,
    most: tuple[float, float],
    is_turned: bool,  # noqa: FBT001 - numba takes no keywords
) -> Places:
    """Return all cells that one spot reaches, or misses by less than a cell.

    ``most`` is the longest walk and the longest leg, a cell added to both; positions of cells are
    turned with the edges.
    """
    room = 0
    for row in range(rows[0], rows[1]):
        edge = reach.edge[row]
        for pair in range(cells.pair[edge], cells.pair[edge + 1]):
            room += cells.stop[pair] - cells.start[pair]
    ys, xs = np.empty(room, np.int32), np.empty(room, np.int32)
    walks, found = np.empty(room), np.empty(room, np.float32)
    places, positions, legs = cells.place, cells.position, cells.leg
    size = 0
    for row in range(rows[0], rows[1]):
        edge = reach.edge[row]
        length, both = graph.length[edge], not graph.oneway[edge]
        costs = (graph.along[edge], graph.against[edge])
        ends = (reach.from_u[row], reach.from_v[row])
        own = (reach.own_position[row], reach.own_leg[row])
        for pair in range(cells.pair[edge], cells.pair[edge + 1]):
            south, west = cells.row[pair], cells.column[pair]
            for slot in range(cells.start[pair], cells.stop[pair]):
                leg = legs[slot]
                position = positions[slot]
                if is_turned:
                    position = length - position
                metres = leg + _metres_to(position, length, ends, own, costs, both)
                if metres < most[0] and leg < most[1]:
                    place = places[slot]
                    ys[size], xs[size] = south + (place >> 8), west + (place & 255)
                    walks[size], found[size] = metres, leg
                    size += 1
    return Places(ys[:size], xs[:size], walks[:size], found[:size])


@compiled
def write(
    places: Places,
    way: NDArray[np.int64],
    most: tuple[float, float],
    cell: float,
    window: tuple[int, int, int, int],
) -> NDArray[np.int16]:
    """Return what is left of the longest walk and leg at each cell of a window.

    A cell's width is ``DEEP``. Values are clamped to it, so that the border between two cells of
    which one is not reached lies half-way. Corners of the squares on the station's own ``way`` are
    inside by a hair.
    """
    south, west, height, width = window
    raster = np.full((height, width), -DEEP, np.int16)
    half = (DEEP + 1) // 2
    for slot in range(len(places.metres)):
        left = min(most[0] - places.metres[slot], most[1] - places.leg[slot])
        value = math.floor(left / cell * half)
        if value >= -half:
            value = 2 * min(value, half - 1) + 1
            raster[places.row[slot] - south, places.column[slot] - west] = value
    for slot in range(len(way)):
        for corner in range(4):
            row, column = way[slot, 0] + corner // 2 - south, way[slot, 1] + corner % 2 - west
            raster[row, column] = max(raster[row, column], 1)
    return raster
