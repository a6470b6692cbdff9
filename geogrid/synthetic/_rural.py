"""Hamlets: lanes that leave a road, and houses beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.synthetic._homes import HOUSE
from geogrid.synthetic._lines import LineWork, Street
from geogrid.synthetic._slots import rectangles

if TYPE_CHECKING:
    from geogrid.synthetic._lattice import Lattice

__all__ = [
    "Hamlets",
    "cell_outlines",
    "clear_of",
    "hamlet_lanes",
    "lane_houses",
    "lane_starts",
    "outlines",
]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Rows of houses beside a lane, metres from its middle.
_OFFSETS_M = (11.0, 26.0)
_SPACING_M, _CLEAR_M = 16.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hamlets:
    """Lanes of hamlets: the cell of each, and its points from the road inwards, (n, 4, 2)."""

    cell: Indices
    line: Indices
    points: Floats


def lane_starts(
    lattice: Lattice,
    cells: Indices,
    reached: Flags,
    bends: Indices,
    work: LineWork,
    rng: np.random.Generator,
) -> Indices:
    """Choose where the lane of each cell leaves a road: at a bend beside it, else at a corner.

    Returns
    -------
    ndarray
        A node, -1 where no road comes to the cell.
    """
    rows = np.arange(len(cells))
    edges, corners = lattice.cell_edges[cells], lattice.cell_corners[cells]
    key = rng.random((len(cells), 4))
    is_road = (work.kind[edges] != Street.NONE) & (bends[edges] >= 0)
    edge = np.argmax(np.where(is_road, key, -1.0), axis=1)
    corner = np.argmax(np.where(reached[corners], key, -1.0), axis=1)
    at_corner = np.where(reached[corners].any(axis=1), corners[rows, corner], -1)
    starts: Indices = np.where(is_road.any(axis=1), bends[edges[rows, edge]], at_corner)
    return starts


def hamlet_lanes(
    lattice: Lattice,
    cells: Indices,
    start_node: Indices,
    length_m: float,
    work: LineWork,
    rng: np.random.Generator,
) -> Hamlets:
    """Lay a winding lane from a road into each cell, past its middle at most."""
    start = work.xy[start_node]
    middle = lattice.xy[lattice.cell_corners[cells]].mean(axis=1)
    step = middle - start
    way = np.hypot(*step.T)
    side = np.column_stack([-step[:, 1], step[:, 0]])
    most = np.minimum(length_m / np.maximum(way, 1.0), 1.5)
    points = [start]
    for part in (1 / 3, 2 / 3, 1.0):
        share = most * (part + 0.06 * (rng.random(len(cells)) - 0.5))
        swing = 0.3 * (rng.random(len(cells)) - 0.5)
        points.append(start + share[:, None] * step + swing[:, None] * side)
    last = work.add_nodes(points[-1])
    line = work.add_lines(start_node, last, Street.RESIDENTIAL)
    for number, point in enumerate(points[1:-1]):
        work.place(line, np.full(len(line), 0.3 + 0.3 * number), work.add_nodes(point))
    return Hamlets(cell=cells, line=line, points=np.stack(points, axis=1))


def lane_houses(hamlets: Hamlets, rng: np.random.Generator) -> pd.DataFrame:
    """Return places for houses on both sides of lanes, the first ones nearest to the road."""
    parts = []
    walked = np.zeros(len(hamlets.cell))
    for piece in range(hamlets.points.shape[1] - 1):
        one, other = hamlets.points[:, piece], hamlets.points[:, piece + 1]
        length = np.hypot(*(other - one).T)
        way = (other - one) / length[:, None]
        clear = np.where(piece == 0, _CLEAR_M * 1.7, 9.0)
        number = np.maximum(np.floor((length - clear - 9.0) / _SPACING_M).astype(np.int64), 0)
        owner = np.repeat(np.arange(len(length)), number)
        rank = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
        for offset in _OFFSETS_M:
            for side in (-1.0, 1.0):
                along = clear + _SPACING_M * (rank + 0.5) + 3.0 * (rng.random(len(owner)) - 0.5)
                across = side * (offset + 2.0 * rng.random(len(owner)))
                turn = 0.12 * (rng.random(len(owner)) - 0.5)
                normal = np.column_stack([-way[owner, 1], way[owner, 0]])
                middle = one[owner] + along[:, None] * way[owner] + across[:, None] * normal
                east = way[owner] * np.cos(turn)[:, None] + normal * np.sin(turn)[:, None]
                parts.append(
                    pd.DataFrame(
                        {
                            "hamlet": owner,
                            # Houses gather near the road and near the lane, with gaps.
                            "key": walked[owner]
                            + along
                            + 5.0 * offset
                            + 110.0 * rng.random(len(owner)),
                            "x": middle[:, 0],
                            "y": middle[:, 1],
                            "east_x": east[:, 0],
                            "east_y": east[:, 1],
                        }
                    )
                )
        walked += length
    table = pd.concat(parts, ignore_index=True)
    table["length"], table["depth"] = HOUSE.entrance_m, HOUSE.depth
    return table.sort_values(["hamlet", "key"], ignore_index=True)


def cell_outlines(
    lattice: Lattice, work: LineWork, cells: Indices, bends: Indices
) -> npt.NDArray[np.object_]:
    """Return the cells of the lattice with the bends of their edges."""
    edges, corners = lattice.cell_edges[cells], lattice.cell_corners[cells]
    xy, ends = work.xy, lattice.edge_ends[edges]
    middle = (xy[ends[..., 0]] + xy[ends[..., 1]]) / 2
    bend = np.where((bends[edges] >= 0)[..., None], xy[bends[edges]], middle)
    ring = np.stack([xy[corners], bend], axis=2).reshape(len(cells), -1, 2)
    return np.asarray(shapely.polygons(ring))


def clear_of(shapes: npt.NDArray[np.object_], lines: npt.NDArray[np.object_], gap: float) -> Flags:
    """Tell which shapes keep a distance from every line, and from every earlier shape."""
    clear = np.ones(len(shapes), dtype=bool)
    if len(lines):
        hit, _ = shapely.STRtree(lines).query(shapes, predicate="dwithin", distance=gap)
        clear[hit] = False
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=1.0)
    clear[np.unique(right[left < right])] = False
    return clear


def outlines(table: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the outlines of a table with ``x, y, east_x, east_y, length, depth``."""
    return rectangles(
        table[["x", "y"]].to_numpy(),
        table[["east_x", "east_y"]].to_numpy(),
        table["length"].to_numpy(),
        table["depth"].to_numpy(),
    )
