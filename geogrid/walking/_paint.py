"""Compiled loops that paint a tile of the field.

A cell belongs to the edge on which :class:`~geogrid.walking.snap.EdgeIndex` would place its middle,
chosen by the same rules, so that a drawing of cells and a count of points say the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geogrid.planar.compiling import compiled, inner

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["Cells", "Shapes", "Walls", "paint"]

# Two edges are equally near within a micrometre, as for points.
_TIE_M = 1e-6

# Barriers are looked up in squares no smaller than the longest leg.
_BUCKET_M = 64.0


class Shapes(NamedTuple):
    """Lines of edges: vertices ``start[e]:start[e + 1]``; ``along`` is drawn metres up to each."""

    start: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    along: NDArray[np.float64]
    length: NDArray[np.float64]
    is_usable: NDArray[np.bool_]


class Walls(NamedTuple):
    """Straight pieces of barriers."""

    x0: NDArray[np.float64]
    y0: NDArray[np.float64]
    x1: NDArray[np.float64]
    y1: NDArray[np.float64]


class Cells(NamedTuple):
    """Cells by pair of edge and tile: pairs ``pair[e]:pair[e + 1]``, cells ``start[p]:stop[p]``.

    ``place`` is row * 256 + column within the tile that begins at ``row, column``.
    """

    pair: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    place: NDArray[np.uint16]
    position: NDArray[np.float64]
    leg: NDArray[np.float32]


@compiled
def _bucket_walls(
    walls: Walls, west: float, south: float, across: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the walls of each square of a tile by their boxes, as (start, wall)."""
    start = np.zeros(across * across + 1, np.int64)
    member = np.empty(0, np.int64)
    for turn in range(2):
        for number in range(len(walls.x0)):
            x0, x1 = walls.x0[number], walls.x1[number]
            y0, y1 = walls.y0[number], walls.y1[number]
            c0 = max(0, math.floor((min(x0, x1) - west) / _BUCKET_M))
            c1 = min(across - 1, math.floor((max(x0, x1) - west) / _BUCKET_M))
            r0 = max(0, math.floor((min(y0, y1) - south) / _BUCKET_M))
            r1 = min(across - 1, math.floor((max(y0, y1) - south) / _BUCKET_M))
            for row in range(r0, r1 + 1):
                for column in range(c0, c1 + 1):
                    square = row * across + column
                    if turn == 0:
                        start[square + 1] += 1
                    else:
                        start[square] -= 1
                        member[start[square]] = number
        if turn == 0:
            for square in range(across * across):
                start[square + 1] += start[square]
            member = np.empty(start[-1], np.int64)
            # Filling counts each square's end down to its start.
            start[:-1] = start[1:]
    return start, member


@inner
def _crosses(
    x: float, y: float, u: float, v: float, x0: float, y0: float, x1: float, y1: float
) -> bool:
    """Tell whether the way ``x, y`` to ``u, v`` leads over a wall; its ends may lie on it."""
    dx, dy, wx, wy = u - x, v - y, x1 - x0, y1 - y0
    # Half open, so that a way through the corner of two pieces of a wall does not slip by.
    if (dx * (y0 - y) - dy * (x0 - x) >= 0.0) == (dx * (y1 - y) - dy * (x1 - x) >= 0.0):
        return False
    room = _TIE_M * math.sqrt(wx * wx + wy * wy)
    here = wx * (y - y0) - wy * (x - x0)
    there = wx * (v - y0) - wy * (u - x0)
    return (here > room and there < -room) or (here < -room and there > room)


@inner
def _is_blocked(
    walls: Walls,
    buckets: tuple[NDArray[np.int64], NDArray[np.int64]],
    frame: tuple[float, float, int],
    way: tuple[float, float, float, float],
) -> bool:
    start, member = buckets
    west, south, across = frame
    x, y, u, v = way
    for row in range(
        math.floor((min(y, v) - south) / _BUCKET_M), math.floor((max(y, v) - south) / _BUCKET_M) + 1
    ):
        for column in range(
            math.floor((min(x, u) - west) / _BUCKET_M),
            math.floor((max(x, u) - west) / _BUCKET_M) + 1,
        ):
            square = row * across + column
            for slot in range(start[square], start[square + 1]):
                k = member[slot]
                if _crosses(x, y, u, v, walls.x0[k], walls.y0[k], walls.x1[k], walls.y1[k]):
                    return True
    return False


@inner
def _is_left(dx: float, dy: float, other_dx: float, other_dy: float) -> bool:
    """Tell whether the way of one edge leads to the left of, or else below, an equally long one."""
    x, other_x = np.rint(dx / _TIE_M), np.rint(other_dx / _TIE_M)
    if x != other_x:
        return bool(x < other_x)
    return bool(np.rint(dy / _TIE_M) < np.rint(other_dy / _TIE_M))


@inner
def _near_cells(
    shapes: Shapes,
    edge: int,
    mark: int,
    frame: tuple[float, float, float, int],
    leg_m: float,
    stamp: NDArray[np.int32],
    near: NDArray[np.float64],
    touched: NDArray[np.int32],
) -> int:
    """Measure from one edge to all cells within ``leg_m``; return how many they are.

    ``near`` has a row a cell: squared metres, drawn metres along the edge, x and y of the foot.
    """
    west, south, cell, size = frame
    count = 0
    for k in range(shapes.start[edge], shapes.start[edge + 1] - 1):
        x0, y0, x1, y1 = shapes.x[k], shapes.y[k], shapes.x[k + 1], shapes.y[k + 1]
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy
        if square == 0.0:
            continue
        c0 = max(0, math.ceil((min(x0, x1) - leg_m - west) / cell))
        c1 = min(size - 1, math.floor((max(x0, x1) + leg_m - west) / cell))
        r0 = max(0, math.ceil((min(y0, y1) - leg_m - south) / cell))
        r1 = min(size - 1, math.floor((max(y0, y1) + leg_m - south) / cell))
        drawn = shapes.along[k + 1] - shapes.along[k]
        for row in range(r0, r1 + 1):
            y = south + row * cell
            for column in range(c0, c1 + 1):
                x = west + column * cell
                t = ((x - x0) * dx + (y - y0) * dy) / square
                t = min(1.0, max(0.0, t))
                u, v = x0 + t * dx, y0 + t * dy
                away = (u - x) * (u - x) + (v - y) * (v - y)
                if away > leg_m * leg_m:
                    continue
                at = row * size + column
                if stamp[at] != mark:
                    stamp[at] = mark
                    touched[count] = at
                    count += 1
                elif away >= near[at, 0]:
                    continue
                near[at, 0], near[at, 1] = away, shapes.along[k] + t * drawn
                near[at, 2], near[at, 3] = u, v
    return count


@inner
def _position(shapes: Shapes, edge: int, along: float) -> float:
    """Turn metres along the drawn line into metres of walking; the two ends are met exactly."""
    drawn = shapes.along[shapes.start[edge + 1] - 1]
    if along <= _TIE_M:
        return 0.0
    if along >= drawn - _TIE_M:
        return float(shapes.length[edge])
    return float(along * (shapes.length[edge] / drawn))


@inner
def _is_second(
    shapes: Shapes, edges: NDArray[np.int64], owner: int, best: float, number: int, away: float
) -> bool:
    """Tell whether the owner of a cell stays before a further edge is looked at closely."""
    # Islands are second choice, however near.
    if owner >= 0 and shapes.is_usable[edges[owner]] and not shapes.is_usable[edges[number]]:
        return True
    return bool(away > best + _TIE_M)


@compiled
def _choose(
    shapes: Shapes,
    edges: NDArray[np.int64],
    walls: Walls,
    frame: tuple[float, float, float, int],
    leg_m: float,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return for each cell the number of its edge, and leg, drawn metres and step to the foot."""
    west, south, cell, size = frame
    count = size * size
    across = math.ceil((size * cell + 2 * leg_m) / _BUCKET_M) + 2
    room = (west - leg_m - cell, south - leg_m - cell, across)
    buckets = _bucket_walls(walls, room[0], room[1], across)
    owner = np.full(count, -1, np.int32)
    best = np.full((count, 4), np.inf)
    stamp = np.full(count, -1, np.int32)
    near = np.empty((count, 4))
    touched = np.empty(count, np.int32)
    for number in range(len(edges)):
        met = _near_cells(shapes, edges[number], number, frame, leg_m, stamp, near, touched)
        for slot in range(met):
            at = touched[slot]
            away = math.sqrt(near[at, 0])
            if _is_second(shapes, edges, owner[at], best[at, 0], number, away):
                continue
            x, y = west + (at % size) * cell, south + (at // size) * cell
            dx, dy = near[at, 2] - x, near[at, 3] - y
            is_draw = away >= best[at, 0] - _TIE_M
            if is_draw and not _is_left(dx, dy, best[at, 2], best[at, 3]):
                continue
            if _is_blocked(walls, buckets, room, (x, y, near[at, 2], near[at, 3])):
                continue
            owner[at] = number
            best[at, 0], best[at, 1] = away, near[at, 1]
            best[at, 2], best[at, 3] = dx, dy
    return owner, best


@compiled
def paint(
    shapes: Shapes,
    edges: NDArray[np.int64],
    walls: Walls,
    frame: tuple[float, float, float, int],
    leg_m: float,
) -> tuple[
    NDArray[np.int64],
    NDArray[np.uint16],
    NDArray[np.float64],
    NDArray[np.float32],
    NDArray[np.uint16],
]:
    """Give each cell of a tile its edge.

    Parameters
    ----------
    edges
        Edges near the tile, those that win a draw first, islands last.
    frame
        Place of the first cell, metres of a cell, cells across.
    leg_m
        The longest leg.

    Returns
    -------
    start, place, position, leg, walled
        The cells of ``edges[n]`` are ``start[n]:start[n + 1]``; ``walled`` are the places of cells
        that a wall runs through.
    """
    owner, best = _choose(shapes, edges, walls, frame, leg_m)
    start = np.zeros(len(edges) + 1, np.int64)
    for at in range(len(owner)):
        if owner[at] >= 0:
            start[owner[at] + 1] += 1
    for number in range(len(edges)):
        start[number + 1] += start[number]
    fill = start.copy()
    place = np.empty(start[-1], np.uint16)
    position = np.empty(start[-1], np.float64)
    leg = np.empty(start[-1], np.float32)
    for at in range(len(owner)):
        if owner[at] >= 0:
            slot = fill[owner[at]]
            fill[owner[at]] += 1
            place[slot], leg[slot] = at, best[at, 0]
            position[slot] = _position(shapes, edges[owner[at]], best[at, 1])
    return start, place, position, leg, _walled(walls, frame)


@compiled
def _walled(walls: Walls, frame: tuple[float, float, float, int]) -> NDArray[np.uint16]:
    """Return the cells of a tile that a wall runs through, with no gap at their corners."""
    west, south, cell, size = frame
    reach = 0.7072 * cell
    is_walled = np.zeros(size * size, np.bool_)
    for k in range(len(walls.x0)):
        x0, y0, x1, y1 = walls.x0[k], walls.y0[k], walls.x1[k], walls.y1[k]
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy
        c0 = max(0, math.ceil((min(x0, x1) - reach - west) / cell))
        c1 = min(size - 1, math.floor((max(x0, x1) + reach - west) / cell))
        r0 = max(0, math.ceil((min(y0, y1) - reach - south) / cell))
        r1 = min(size - 1, math.floor((max(y0, y1) + reach - south) / cell))
        for row in range(r0, r1 + 1):
            y = south + row * cell
            for column in range(c0, c1 + 1):
                x = west + column * cell
                t = 0.0
                if square > 0.0:
                    t = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / square))
                u, v = x0 + t * dx - x, y0 + t * dy - y
                if u * u + v * v <= reach * reach:
                    is_walled[row * size + column] = True
    return np.flatnonzero(is_walled).astype(np.uint16)
