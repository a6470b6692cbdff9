"""The network-Voronoi field: to which street each small square of ground belongs.

A raster holds for every cell the edge on which a point in its middle would be placed, where along
it, and the metres of the leg, at most 50 and never across a barrier. It depends on the network
alone, so one walk from a station tells at once which cells are in reach, for all limits. Tiles are
painted when a circle touches them for the first time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.walking._paint import Cells, Shapes, Walls, paint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.walking.snap import EdgeIndex

__all__ = ["CELL_M", "LEG_M", "Field", "require_cell"]

# Nobody is drawn as served who lives farther from every street.
LEG_M = 50.0
CELL_M = 5.0
_FINEST_M, _COARSEST_M = 1.0, 25.0

# Cells just beyond the longest leg are painted too, to tell where between two cells it ends.
_BEYOND = 1.5

# The place of a cell in its tile is a number of 16 bits.
_ACROSS = 256


def require_cell(cell_m: float) -> None:
    """Refuse cells that show no streets or fill the memory."""
    if not _FINEST_M <= cell_m <= _COARSEST_M:
        msg = f"cell_m={cell_m:g} is no size of a cell: give {_FINEST_M:g} to {_COARSEST_M:g} m"
        raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tiles:
    """Which edges may own cells of which tile, as pairs sorted by edge, then tile.

    ``row, column`` of the tiles count tiles from the origin of the frame.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    pair_edge: NDArray[np.int64]
    pair_tile: NDArray[np.int64]
    by_tile: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, shapes: Shapes, rank: NDArray[np.int64], side_m: float, leg_m: float) -> _Tiles:
        """Find the tiles near each straight piece of the edges.

        Pairs of one tile are listed in ``by_tile`` by the rank of their edges.
        """
        first = np.delete(np.arange(len(shapes.x)), shapes.start[1:] - 1)
        edge = np.repeat(np.arange(len(rank)), np.diff(shapes.start) - 1)
        x, y = (np.stack([line[first], line[first + 1]]) for line in (shapes.x, shapes.y))
        (c0, c1), (r0, r1) = (
            np.floor([(at.min(axis=0) - leg_m) / side_m, (at.max(axis=0) + leg_m) / side_m])
            for at in (x, y)
        )
        size = (c1 - c0 + 1).astype(np.int64) * (r1 - r0 + 1).astype(np.int64)
        piece = np.repeat(np.arange(len(edge)), size)
        step = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        across = (c1 - c0 + 1).astype(np.int64)[piece]
        rows = r0[piece].astype(np.int64) + step // across
        columns = c0[piece].astype(np.int64) + step % across
        spots, tile = np.unique(np.stack([rows, columns], axis=1), axis=0, return_inverse=True)
        pair = np.unique(edge[piece] * len(spots) + tile.reshape(-1))
        pair_edge, pair_tile = pair // len(spots), pair % len(spots)
        return cls(
            row=spots[:, 0],
            column=spots[:, 1],
            pair_edge=pair_edge,
            pair_tile=pair_tile,
            by_tile=np.lexsort((rank[pair_edge], pair_tile)),
            start=np.searchsorted(np.sort(pair_tile), np.arange(len(spots) + 1)),
        )


def _shapes_of(index: EdgeIndex) -> tuple[Shapes, NDArray[np.int64]]:
    """Return the lines of the edges, and the rank by which equally near ones are chosen."""
    xy, line = shapely.get_coordinates(index.geometry, return_index=True)
    start = np.searchsorted(line, np.arange(len(index.geometry) + 1))
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    along = np.cumsum(step)
    along = along - along[start[:-1]][line]
    order = np.lexsort((index.length_m, index.oneway, ~index.is_usable))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    shapes = Shapes(
        start=start.astype(np.int64),
        x=np.ascontiguousarray(xy[:, 0]),
        y=np.ascontiguousarray(xy[:, 1]),
        along=along,
        length=np.array(index.length_m, dtype=float),
        is_usable=np.array(index.is_usable, dtype=bool),
    )
    return shapes, rank


def _walls_of(barriers: NDArray[np.object_]) -> Walls:
    xy, line = shapely.get_coordinates(barriers, return_index=True)
    first = np.flatnonzero(line[1:] == line[:-1])
    return Walls(
        *(np.ascontiguousarray(xy[first + end, axis]) for end in (0, 1) for axis in (0, 1))
    )


@dataclass(kw_only=True, eq=False)
class Field:
    """The cells of a network, painted tile by tile.

    Attributes
    ----------
    cell_m
        Metres of a cell; cell ``row, column`` has its middle at ``column * cell_m, row * cell_m``.
    cells
        What is painted so far, by pair of edge and tile.
    walled
        For each painted tile, the places in it of cells that a barrier runs through.
    """

    cell_m: float
    shapes: Shapes
    walls: Walls
    tiles: _Tiles
    cells: Cells
    walled: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    _wall_tree: shapely.STRtree | None = None
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, index: EdgeIndex, cell_m: float) -> Field:
        """Prepare the field of a network; nothing is painted yet."""
        require_cell(cell_m)
        shapes, rank = _shapes_of(index)
        tiles = _Tiles.of(shapes, rank, cell_m * _ACROSS, LEG_M + _BEYOND * cell_m)
        barriers = np.asarray(getattr(index, "barriers", np.empty(0, dtype=object)))
        walls = _walls_of(barriers)
        pieces = np.stack([np.stack(walls[:2], axis=1), np.stack(walls[2:], axis=1)], axis=1)
        pairs = len(tiles.pair_edge)
        cells = Cells(
            pair=np.searchsorted(tiles.pair_edge, np.arange(len(rank) + 1)).astype(np.int64),
            row=tiles.row[tiles.pair_tile] * _ACROSS,
            column=tiles.column[tiles.pair_tile] * _ACROSS,
            start=np.zeros(pairs, dtype=np.int64),
            stop=np.zeros(pairs, dtype=np.int64),
            place=np.empty(0, dtype=np.uint16),
            position=np.empty(0),
            leg=np.empty(0, dtype=np.float32),
        )
        tree = shapely.STRtree(np.asarray(shapely.linestrings(pieces))) if len(pieces) else None
        return cls(
            cell_m=cell_m, shapes=shapes, walls=walls, tiles=tiles, cells=cells, _wall_tree=tree
        )

    def painted(self, edges: NDArray[np.int64]) -> Cells:
        """Return the cells, certain to hold all those of ``edges``."""
        is_asked = np.zeros(len(self.cells.pair) - 1, dtype=bool)
        is_asked[edges] = True
        wanted = np.unique(self.tiles.pair_tile[is_asked[self.tiles.pair_edge]])
        with self._lock:
            missing = [tile for tile in wanted.tolist() if tile not in self.walled]
            if missing:
                self._paint(missing)
            return self.cells

    def _paint(self, tiles: list[int]) -> None:
        cells, side_m = self.cells, self.cell_m * _ACROSS
        start, stop, size = cells.start.copy(), cells.stop.copy(), len(cells.place)
        columns: list[list[NDArray[np.generic]]] = [[cells.place], [cells.position], [cells.leg]]
        for tile in tiles:
            pairs = self.tiles.by_tile[self.tiles.start[tile] : self.tiles.start[tile + 1]]
            west, south = self.tiles.column[tile] * side_m, self.tiles.row[tile] * side_m
            begin, places, positions, legs, walled = paint(
                self.shapes,
                self.tiles.pair_edge[pairs],
                self._walls_near(west, south, side_m),
                (float(west), float(south), float(self.cell_m), _ACROSS),
                LEG_M + _BEYOND * self.cell_m,
            )
            start[pairs], stop[pairs] = size + begin[:-1], size + begin[1:]
            size += begin[-1]
            parts: tuple[NDArray[np.generic], ...] = (places, positions, legs)
            for column, part in zip(columns, parts, strict=True):
                column.append(part)
            self.walled[tile] = walled
        place, position, leg = (np.concatenate(column) for column in columns)
        self.cells = cells._replace(start=start, stop=stop, place=place, position=position, leg=leg)

    def _walls_near(self, west: float, south: float, side_m: float) -> Walls:
        if self._wall_tree is None:
            return self.walls
        room = LEG_M + (_BEYOND + 1) * self.cell_m
        box = shapely.box(west - room, south - room, west + side_m + room, south + side_m + room)
        near = np.sort(self._wall_tree.query(box))
        return Walls(*(column[near] for column in self.walls))

    def walled_in(self, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """Return which cells of a window (first row and column, rows, columns) hold a barrier."""
        south, west, height, width = window
        mask = np.zeros((height, width), dtype=bool)
        for tile, walled in self.walled.items():
            row = self.tiles.row[tile] * _ACROSS - south
            column = self.tiles.column[tile] * _ACROSS - west
            if -_ACROSS < row < height and -_ACROSS < column < width:
                rows, columns = row + (walled >> 8), column + (walled & 255)
                inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
                mask[rows[inside], columns[inside]] = True
        return mask
