"""City blocks: cells of the lattice, cut by streets until they are small enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geogrid.synthetic._lines import HALF_WIDTH_M, LineWork, Street

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.synthetic._lattice import Lattice

__all__ = ["Blocks", "cut_blocks", "inset"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SOUTH, EAST, NORTH, WEST = range(4)
# A street that parts more than this is one for through traffic.
_THROUGH_M2 = 90_000.0
_MIN_SIDE_M = 45.0
_ROUNDS = 9
_PARALLEL = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Four-cornered blocks, from the south-west counter-clockwise.

    Attributes
    ----------
    corner
        Coordinates, shape (blocks, 4, 2).
    node
        Node numbers of the corners, shape (blocks, 4).
    line, low, high
        Line of each side (south, east, north, west), and the shares of it between which the side
        runs from west to east or from south to north, shape (blocks, 4).
    owner
        Row of the cell that was cut.
    """

    corner: Floats
    node: Indices
    line: Indices
    low: Floats
    high: Floats
    owner: Indices

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, rows: npt.NDArray[np.generic]) -> Blocks:
        """Return some blocks."""
        return Blocks(
            corner=self.corner[rows],
            node=self.node[rows],
            line=self.line[rows],
            low=self.low[rows],
            high=self.high[rows],
            owner=self.owner[rows],
        )

    @staticmethod
    def join(parts: list[Blocks]) -> Blocks:
        """Put blocks one after the other."""
        names = ("corner", "node", "line", "low", "high", "owner")
        return Blocks(
            **{name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
        )

    @property
    def area(self) -> Floats:
        """Area in m², negative where the corners run clockwise."""
        x, y = self.corner[..., 0], self.corner[..., 1]
        twice = x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y
        area: Floats = twice.sum(axis=1) / 2
        return area

    @property
    def middle(self) -> Floats:
        """Mean of the corners."""
        middle: Floats = self.corner.mean(axis=1)
        return middle

    def sides(self) -> Floats:
        """Lengths of the sides, shape (blocks, 4)."""
        step = np.roll(self.corner, -1, axis=1) - self.corner
        return np.hypot(step[..., 0], step[..., 1])

    def parcels(self, kind: npt.NDArray[np.int8]) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return the ground inside the pavements, and where that is a usable one."""
        return inset(self.corner, HALF_WIDTH_M[kind[self.line]])


def cells_as_blocks(lattice: Lattice, cells: Indices) -> Blocks:
    """Take cells of the lattice as they are; its edges are the first lines."""
    corners = lattice.cell_corners[cells]
    return Blocks(
        corner=lattice.xy[corners],
        node=corners,
        line=lattice.cell_edges[cells],
        low=np.zeros((len(cells), 4)),
        high=np.ones((len(cells), 4)),
        owner=np.arange(len(cells)),
    )


def cut_blocks(
    lattice: Lattice,
    cells: Indices,
    most_m2: Callable[[Blocks], Floats],
    work: LineWork,
    rng: np.random.Generator,
) -> Blocks:
    """Cut cells by streets until no block is larger than ``most_m2`` says; adds the streets."""
    waiting = cells_as_blocks(lattice, cells)
    done = []
    for _ in range(_ROUNDS):
        limit = most_m2(waiting) * (0.75 + 0.5 * rng.random(len(waiting)))
        side = waiting.sides()
        wide = np.minimum(side[:, SOUTH], side[:, NORTH])
        deep = np.minimum(side[:, EAST], side[:, WEST])
        is_big = (waiting.area > limit) & (np.maximum(wide, deep) > 2.4 * _MIN_SIDE_M)
        done.append(waiting.take(~is_big))
        big, is_wide = waiting.take(is_big), (wide >= deep)[is_big]
        if not len(big):
            break
        waiting = Blocks.join(
            [
                *_halves(big.take(is_wide), work, rng, upright=True),
                *_halves(big.take(~is_wide), work, rng, upright=False),
            ]
        )
    else:
        done.append(waiting)
    return Blocks.join(done)


def _halves(
    blocks: Blocks, work: LineWork, rng: np.random.Generator, *, upright: bool
) -> tuple[Blocks, Blocks]:
    """Cut blocks by a street from their south to their north side, or from west to east."""
    count = len(blocks)
    share = 0.42 + 0.16 * rng.random(count)
    shares = np.clip(np.column_stack([share, share + 0.06 * (rng.random(count) - 0.5)]), 0.35, 0.65)
    first, last = (SOUTH, NORTH) if upright else (WEST, EAST)
    # Corners where each of the two sides starts and ends, in the direction of its line.
    starts, stops = ((0, 3), (1, 2)) if upright else ((0, 1), (3, 2))
    nodes, places, ats = [], [], []
    for way, side in enumerate((first, last)):
        along = shares[:, way, None]
        xy = blocks.corner[:, starts[way]] * (1 - along) + blocks.corner[:, stops[way]] * along
        node = work.add_nodes(xy)
        at = blocks.low[:, side] + (blocks.high[:, side] - blocks.low[:, side]) * shares[:, way]
        work.place(blocks.line[:, side], at, node)
        nodes.append(node)
        places.append(work.xy[node])
        ats.append(at)
    kind = np.where(blocks.area > _THROUGH_M2, Street.TERTIARY, Street.RESIDENTIAL)
    line = work.add_lines(nodes[0], nodes[1], kind)
    before = _copy(blocks)
    after = _copy(blocks)
    for way, side in enumerate((first, last)):
        before.corner[:, stops[way]] = after.corner[:, starts[way]] = places[way]
        before.node[:, stops[way]] = after.node[:, starts[way]] = nodes[way]
        before.high[:, side] = after.low[:, side] = ats[way]
    new_side, old_side = (EAST, WEST) if upright else (NORTH, SOUTH)
    for half, side in ((before, new_side), (after, old_side)):
        half.line[:, side] = line
        half.low[:, side], half.high[:, side] = 0.0, 1.0
    return before, after


def _copy(blocks: Blocks) -> Blocks:
    names = ("corner", "node", "line", "low", "high")
    return replace(blocks, **{name: getattr(blocks, name).copy() for name in names})


def inset(corner: Floats, width: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Move the sides of four-cornered grounds inwards.

    Parameters
    ----------
    corner
        Counter-clockwise, shape (n, 4, 2).
    width
        Metres for each side, shape (n, 4); side 0 runs from corner 0 to corner 1.

    Returns
    -------
    corner : ndarray
        The smaller grounds.
    is_sound : ndarray
        Where every side still runs in its old direction and is long enough to build on.
    """
    step = np.roll(corner, -1, axis=1) - corner
    length = np.maximum(np.hypot(step[..., 0], step[..., 1]), 1e-9)
    way = step / length[..., None]
    normal = np.stack([-way[..., 1], way[..., 0]], axis=-1)
    offset = (normal * corner).sum(axis=2) + width
    # Each new corner is where a side meets the one before it.
    before, before_offset = np.roll(normal, 1, axis=1), np.roll(offset, 1, axis=1)
    cross = before[..., 0] * normal[..., 1] - before[..., 1] * normal[..., 0]
    cross = np.where(np.abs(cross) < _PARALLEL, _PARALLEL, cross)
    x = (before_offset * normal[..., 1] - offset * before[..., 1]) / cross
    y = (offset * before[..., 0] - before_offset * normal[..., 0]) / cross
    small = np.stack([x, y], axis=-1)
    new_step = np.roll(small, -1, axis=1) - small
    along = (new_step * way).sum(axis=2)
    return small, (along > _MIN_SIDE_M / 2).all(axis=1)
