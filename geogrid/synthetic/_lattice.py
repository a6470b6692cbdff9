"""The warped lattice of arterials that everything else hangs on.

Columns and rows are narrow in the old town and wide in the countryside. One column can be a river,
one row a railway: strips of their own width, so that banks, bridges and underpasses are ordinary
edges of the lattice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import round_coordinates

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon

    from geogrid.synthetic._draws import Draws
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["Lattice", "make_lattice"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

RAIL_M = 36.0
# Bends are gentle: a lattice that is stretched by more than this looks torn.
_STRAIN = 0.055
_BENDS_KM = (1.9, 3.1, 5.3, 9.1, 15.7)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """Corners, edges and cells by column and row.

    Attributes
    ----------
    columns, rows
        Number of cells each way.
    xy
        Corners in metres, row by row, shape ((columns + 1) * (rows + 1), 2).
    river, rail
        The column that is a river and the row that is a railway, -1 for none.
    centre
        The corner at the middle of the town.
    """

    columns: int
    rows: int
    xy: Floats
    river: int
    rail: int
    centre: int

    @property
    def flat_edges(self) -> int:
        """Number of edges that run from west to east; they come first."""
        return self.columns * (self.rows + 1)

    @property
    def edge_ends(self) -> Indices:
        """Corners at both ends of every edge, west or south first, shape (edges, 2)."""
        wide = self.columns + 1
        column, row = self._grid(self.columns, self.rows + 1)
        flat = row * wide + column
        column, row = self._grid(wide, self.rows)
        steep = row * wide + column
        return np.concatenate(
            [np.column_stack([flat, flat + 1]), np.column_stack([steep, steep + wide])]
        )

    @property
    def cell_corners(self) -> Indices:
        """Corners of every cell from the south-west, counter-clockwise, shape (cells, 4)."""
        wide = self.columns + 1
        column, row = self._grid(self.columns, self.rows)
        low = row * wide + column
        return np.column_stack([low, low + 1, low + wide + 1, low + wide])

    @property
    def cell_edges(self) -> Indices:
        """Edges south, east, north and west of every cell, shape (cells, 4)."""
        column, row = self._grid(self.columns, self.rows)
        south = row * self.columns + column
        west = self.flat_edges + row * (self.columns + 1) + column
        return np.column_stack([south, west + 1, south + self.columns, west])

    @property
    def is_river_cell(self) -> npt.NDArray[np.bool_]:
        """Cells of the river."""
        is_river: npt.NDArray[np.bool_] = self._grid(self.columns, self.rows)[0] == self.river
        return is_river

    @property
    def is_strip_cell(self) -> npt.NDArray[np.bool_]:
        """Cells of the river or the railway: no block."""
        column, row = self._grid(self.columns, self.rows)
        is_strip: npt.NDArray[np.bool_] = (column == self.river) | (row == self.rail)
        return is_strip

    def edge_place(self) -> tuple[Indices, Indices]:
        """Return the column and row of every edge's first corner."""
        wide = self.columns + 1
        first = self.edge_ends[:, 0]
        return first % wide, first // wide

    def edge_cells(self) -> Indices:
        """Return the cells right and left of every edge, -1 outside, shape (edges, 2)."""
        cells = np.full((len(self.edge_ends), 2), -1, dtype=np.int64)
        number = np.arange(self.columns * self.rows)
        sides = self.cell_edges
        cells[sides[:, 0], 1] = number
        cells[sides[:, 2], 0] = number
        cells[sides[:, 3], 0] = number
        cells[sides[:, 1], 1] = number
        return cells

    @staticmethod
    def _grid(columns: int, rows: int) -> tuple[Indices, Indices]:
        row, column = np.divmod(np.arange(columns * rows, dtype=np.int64), columns)
        return column, row


def make_lattice(
    spec: PlaceSpec, limit: MultiPolygon, centre: Floats, city_m: float, draws: Draws
) -> Lattice:
    """Cover a limit with a lattice that is fine within ``city_m`` of the centre."""
    rng = draws.stream("lattice")
    turn = (rng.random() - 0.5) * 0.5
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    local = (shapely.get_coordinates(limit) - centre) @ axes.T
    # Room for what the bends move, and one more block.
    room = sum(_BENDS_KM) * 1000 * _STRAIN / (2 * np.pi) + 1.5 * max(spec.block_m)
    steps = _scaled_steps(spec, limit.area)
    x = _stops(local[:, 0].min() - room, local[:, 0].max() + room, steps, city_m, rng)
    y = _stops(local[:, 1].min() - room, local[:, 1].max() + room, steps, city_m, rng)
    x, river = _with_strip(x, -(0.4 + 0.3 * rng.random()) * city_m, spec.river_m)
    y, rail = _with_strip(y, (0.35 + 0.3 * rng.random()) * city_m, spec.has_railway * RAIL_M)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    grid += _jitter(x, y, (river, rail), city_m, rng)
    flat = grid.reshape(-1, 2)
    flat += _bends(flat, rng)
    middle = int(np.argmin((flat**2).sum(axis=1)))
    return Lattice(
        columns=len(x) - 1,
        rows=len(y) - 1,
        xy=round_coordinates(flat @ axes + centre),
        river=river,
        rail=rail,
        centre=middle,
    )


def _scaled_steps(spec: PlaceSpec, area: float) -> Floats:
    """Shrink the blocks of a place that is small for its number of units."""
    widest = math.sqrt(area / (6 * len(spec.units) + 10))
    steps: Floats = np.minimum(np.asarray(spec.block_m), max(widest, 160.0))
    return steps


def _stops(
    low: float, high: float, steps: Floats, city_m: float, rng: np.random.Generator
) -> Floats:
    """Positions of lines from ``low`` to ``high``, densest at 0."""
    sides = []
    for end in (high, -low):
        at, stops = 0.0, []
        while at < end:
            size = np.interp(at, [0, 0.5 * city_m, city_m, 1.6 * city_m], [*steps[[0, 1, 1, 2]]])
            at += float(size) * (0.85 + 0.3 * rng.random())
            stops.append(at)
        sides.append(np.array(stops))
    return np.concatenate([-sides[1][::-1], [0.0], sides[0]])


def _with_strip(stops: Floats, wanted: float, width: float) -> tuple[Floats, int]:
    """Open a strip of ``width`` at the line nearest to ``wanted``; -1 where it has no width."""
    if width <= 0:
        return stops, -1
    at = int(np.argmin(np.abs(stops - wanted)))
    at = min(max(at, 1), len(stops) - 2)
    return np.concatenate([stops[: at + 1] - width / 2, stops[at:] + width / 2]), at


def _jitter(
    x: Floats, y: Floats, strips: tuple[int, int], city_m: float, rng: np.random.Generator
) -> Floats:
    """Move corners a little in the city and much in the countryside; strips keep their width."""
    gap_x = np.minimum(np.diff(x, prepend=x[0] - 500), np.diff(x, append=x[-1] + 500))
    gap_y = np.minimum(np.diff(y, prepend=y[0] - 500), np.diff(y, append=y[-1] + 500))
    far = np.hypot(*np.meshgrid(x, y))
    share = np.interp(far, [city_m, 1.6 * city_m], [0.03, 0.16])
    move = np.stack(
        [
            (2 * rng.random(far.shape) - 1) * share * gap_x[None, :],
            (2 * rng.random(far.shape) - 1) * share * gap_y[:, None],
        ],
        axis=-1,
    )
    for strip, axis in zip(strips, (0, 1), strict=True):
        if strip >= 0:
            lines = [strip, strip + 1]
            if axis == 0:
                move[:, lines] = 0.0
            else:
                move[lines, :] = 0.0
    return move


def _bends(flat: Floats, rng: np.random.Generator) -> Floats:
    """Smooth waves of several lengths, each stretching the ground by the same little."""
    moved = np.zeros_like(flat)
    for length in _BENDS_KM:
        for axis in (0, 1):
            heading = 2 * np.pi * rng.random()
            wave = 2 * np.pi / (length * 1000) * np.array([np.cos(heading), np.sin(heading)])
            phase = 2 * np.pi * rng.random()
            size = length * 1000 * _STRAIN / (2 * np.pi)
            moved[:, axis] += size * (np.sin(flat @ wave + phase) - np.sin(phase))
    return moved
