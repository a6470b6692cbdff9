"""First polygons of service circles: the reachable streets and 25 m to each side.

They show where one can walk; who is served is counted on the network, never by them. Each piece is
buffered alone and the buffers are united: buffering thousands of pieces as one shape takes GEOS
thirty times as long, because every outline then crosses every other one inside. Squares of which
all streets are reached are united once and used for every station.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.walking.search import EPSILON_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geogrid.walking.pieces import Pieces

__all__ = ["BUFFER_M", "StreetTiles", "draw_circles", "leg_buffers"]

BUFFER_M = 25.0
_QUAD_SEGMENTS = 8

# Measured: smaller squares are more often reached whole, yet need no fewer unions.
_TILE_M = 50.0

# Uniting rounds new corners to the last bit, so "contains" may need a hair of room.
_HAIR_M = 0.001


def _buffered(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.asarray(shapely.buffer(lines, BUFFER_M, quad_segs=_QUAD_SEGMENTS))


@dataclass(frozen=True, kw_only=True, eq=False)
class StreetTiles:
    """Edges grouped by squares, and the united buffers of the squares used so far.

    Attributes
    ----------
    geometry, length_m
        Line and metres of each edge of the network.
    tile
        Square of each edge, by the middle of its line.
    size
        Number of edges of each square, those of no length left out.
    """

    geometry: NDArray[np.object_]
    length_m: NDArray[np.float64]
    tile: NDArray[np.int64]
    size: NDArray[np.int64]
    _shapes: dict[int, shapely.Geometry] = field(default_factory=dict, repr=False, init=False)

    @classmethod
    def of(cls, geometry: NDArray[np.object_], length_m: NDArray[np.float64]) -> StreetTiles:
        """Group the edges of a network."""
        middle = shapely.line_interpolate_point(geometry, 0.5, normalized=True)
        square = np.floor(shapely.get_coordinates(middle) / _TILE_M)
        _, tile = np.unique(square, axis=0, return_inverse=True)
        tile = tile.reshape(-1)
        # An edge of no length is never a piece, so no square waits for it.
        size = np.bincount(tile, weights=length_m > EPSILON_M).astype(np.int64)
        return cls(geometry=geometry, length_m=length_m, tile=tile, size=size)

    @cached_property
    def _by_tile(self) -> NDArray[np.intp]:
        return np.argsort(self.tile, kind="stable")

    @cached_property
    def _sorted_tile(self) -> NDArray[np.int64]:
        return self.tile[self._by_tile]

    def shapes(self, tiles: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return the united buffers of all streets of each square."""
        for tile in np.setdiff1d(tiles, list(self._shapes)).tolist():
            first, last = self._sorted_tile.searchsorted([tile, tile + 1])
            streets = self.geometry[self._by_tile[first:last]]
            self._shapes[tile] = shapely.union_all(_buffered(streets))
        shapes = np.empty(len(tiles), dtype=object)
        shapes[:] = [self._shapes[tile] for tile in tiles.tolist()]
        return shapes


def draw_circles(
    tiles: StreetTiles,
    pieces: Sequence[Pieces],
    lines: Sequence[NDArray[np.object_]],
    legs: NDArray[np.object_],
) -> NDArray[np.object_]:
    """Return a polygon for each spot (row) and limit (column), each inside the next.

    Parameters
    ----------
    tiles
        The squares of the network.
    pieces, lines
        For each limit, rising: the pieces of all spots and their lines.
    legs
        The buffered leg of each spot; ``None`` gives the spot no polygon at all.
    """
    circles = np.full((len(legs), len(pieces)), None, dtype=object)
    drawn = _Drawn(edges=np.empty(0, np.int64), tiles=np.empty(0, np.int64))
    for column, (parts, shapes) in enumerate(zip(pieces, lines, strict=True)):
        spot, buffers, drawn = _fresh_buffers(tiles, parts, shapes, drawn)
        cut = np.searchsorted(spot, np.arange(len(legs) + 1))
        for row, leg in enumerate(legs):
            if leg is not None:
                inner = circles[row, column - 1] if column else leg
                circles[row, column] = _grown(inner, buffers[cut[row] : cut[row + 1]])
    return circles


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """Keys of spot and edge, spot and square, that are reached whole within a limit."""

    edges: NDArray[np.int64]
    tiles: NDArray[np.int64]


def _fresh_buffers(
    tiles: StreetTiles, parts: Pieces, lines: NDArray[np.object_], before: _Drawn
) -> tuple[NDArray[np.int64], NDArray[np.object_], _Drawn]:
    """Return (spot, buffer) of what the smaller circle lacks, sorted by spot."""
    edge_key = parts.spot * len(tiles.tile) + parts.edge
    tile_key = parts.spot * len(tiles.size) + tiles.tile[parts.edge]
    is_whole = (parts.start_m <= 0.0) & (parts.end_m >= tiles.length_m[parts.edge])
    key, count = np.unique(tile_key[is_whole], return_counts=True)
    full = key[count == tiles.size[key % len(tiles.size)]]
    added = np.setdiff1d(full, before.tiles)
    is_drawn = is_whole & (np.isin(edge_key, before.edges) | np.isin(tile_key, full))
    rest = np.flatnonzero(~is_drawn)
    spot = np.concatenate([added // len(tiles.size), parts.spot[rest]])
    buffers = np.concatenate(
        [
            tiles.shapes(added % len(tiles.size)),
            _piece_buffers(lines[rest], parts.edge[rest], is_whole[rest]),
        ]
    )
    order = np.argsort(spot, kind="stable")
    return spot[order], buffers[order], _Drawn(edges=edge_key[is_whole], tiles=full)


def leg_buffers(
    points: NDArray[np.object_], xy: NDArray[np.float64], is_on: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Return the buffered way from each point to its spot, so that its circle holds the point."""
    legs = np.full(len(points), None, dtype=object)
    ends = np.stack([shapely.get_coordinates(points[is_on]), xy[is_on]], axis=1)
    legs[is_on] = _buffered(np.asarray(shapely.linestrings(ends)))
    return legs


def _piece_buffers(
    lines: NDArray[np.object_], edge: NDArray[np.int64], is_whole: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Buffer each line; edges reached whole by several spots are buffered once."""
    buffers = np.empty(len(lines), dtype=object)
    whole = np.flatnonzero(is_whole)
    _, first, number = np.unique(edge[whole], return_index=True, return_inverse=True)
    buffers[~is_whole] = _buffered(lines[~is_whole])
    buffers[whole] = _buffered(lines[whole[first]])[number]
    return buffers


def _grown(inner: shapely.Geometry, buffers: NDArray[np.object_]) -> shapely.Geometry:
    """Return the union of ``inner`` and the buffers, certain to cover ``inner``."""
    if not len(buffers):
        return inner
    union = shapely.union_all([inner, *buffers])
    if not union.covers(inner):
        hair = shapely.buffer(inner, _HAIR_M, quad_segs=1, join_style="mitre")
        union = shapely.union(union, hair)
    return union
