"""Grounds of blocks: fences, spines, lanes and gates, and houses set on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import round_coordinates
from geogrid.synthetic._lines import LineWork, Street
from geogrid.synthetic._slots import Frames, rectangles
from geogrid.synthetic._uses import Use

if TYPE_CHECKING:
    import pandas as pd

    from geogrid.synthetic._blocks import Blocks

__all__ = ["Parcels", "building_table", "compound_shapes", "lay_lanes", "spines_of"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Metres from the front of a row of houses to the path before it.
_PATH_M = 3.5
# Less than this between the south and the north fence holds no two rows of houses.
_LEAST_DEPTH_M = 30.0
_PARALLEL = 1e-9
_TAGS = {
    Use.SCHOOL: "school",
    Use.HOSPITAL: "hospital",
    Use.MARKET: "retail",
    Use.COMMERCIAL: "commercial",
    Use.INDUSTRIAL: "industrial",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parcels:
    """The grounds of blocks inside the pavements, each with a spine from south to north.

    ``south`` and ``north`` are where the spine meets the fence, ``length`` where it ends at the
    block's north side, in metres along it.
    """

    corner: Floats
    frames: Frames
    share: Floats
    south: Floats
    north: Floats
    length: Floats
    far_end: Floats
    is_sound: Flags

    @property
    def area(self) -> Floats:
        """Area in m² inside the fence."""
        x, y = self.corner[..., 0], self.corner[..., 1]
        twice: Floats = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
        return twice / 2


def spines_of(blocks: Blocks, work: LineWork, rng: np.random.Generator) -> Parcels:
    """Fence in every block and draw the line of its spine."""
    corner, is_sound = blocks.parcels(work.kind)
    share = 0.38 + 0.24 * rng.random(len(blocks))
    at = share[:, None]
    origin = round_coordinates(blocks.corner[:, 0] * (1 - at) + blocks.corner[:, 1] * at)
    end = round_coordinates(blocks.corner[:, 3] * (1 - at) + blocks.corner[:, 2] * at)
    length = np.maximum(np.hypot(*(end - origin).T), 1e-6)
    frames = Frames(origin=origin, north=(end - origin) / length[:, None])
    south, north = _fence_on_spine(corner, frames)
    return Parcels(
        corner=corner,
        frames=frames,
        share=share,
        south=south,
        north=north,
        length=length,
        far_end=end,
        is_sound=is_sound & (blocks.area > 0) & (north - south > _LEAST_DEPTH_M),
    )


def _fence_on_spine(corner: Floats, frames: Frames) -> tuple[Floats, Floats]:
    found = []
    for one, other in ((0, 1), (3, 2)):
        start, step = corner[:, one] - frames.origin, corner[:, other] - corner[:, one]
        east, north = frames.east, frames.north
        across, step_across = (start * east).sum(axis=1), (step * east).sum(axis=1)
        part = -across / np.where(np.abs(step_across) < _PARALLEL, _PARALLEL, step_across)
        found.append(((start + part[:, None] * step) * north).sum(axis=1))
    return found[0], found[1]


def building_table(
    parcels: Parcels, places: pd.DataFrame, use: npt.NDArray[np.int8]
) -> pd.DataFrame:
    """Add outlines and uses to places for buildings.

    Returns
    -------
    DataFrame
        Also ``x, y`` (the middle), ``east_x, east_y`` (along the house), ``shape``, ``building``
        and ``use`` as in an extract.
    """
    ground = places["ground"].to_numpy()
    middle = parcels.frames.world(ground, places["u"].to_numpy(), places["v"].to_numpy())
    east = parcels.frames.east[ground]
    table = places.copy()
    table["x"], table["y"] = middle[:, 0], middle[:, 1]
    table["east_x"], table["east_y"] = east[:, 0], east[:, 1]
    table["shape"] = rectangles(
        middle, east, places["length"].to_numpy(), places["depth"].to_numpy()
    )
    is_home = places["floors"].to_numpy() > 0
    # Shops are on the ground floor of the rows that face a street.
    is_shop = is_home & (use[ground] == Use.OPEN) & (places["row"].to_numpy() == 0)
    tags = np.full(len(Use), "yes", dtype=object)
    for one, tag in _TAGS.items():
        tags[one] = tag
    table["building"] = np.where(is_home, "apartments", tags[use[ground].astype(np.int64)])
    table["use"] = np.where(is_shop, "mixed", np.where(is_home, "residential", "other"))
    return table


def lay_lanes(
    blocks: Blocks,
    parcels: Parcels,
    houses: pd.DataFrame,
    work: LineWork,
    *,
    through: Flags,
    path: tuple[Street, Street],
) -> None:
    """Lay a spine through every ground with houses, and a path before each row of them."""
    if not len(houses):
        return
    rows = (
        houses.assign(front=houses["v"] - houses["depth"] / 2 - _PATH_M)
        .groupby(["ground", "row"], sort=True)
        .agg(front=("front", "first"), west=("u", "min"), east=("u", "max"))
        .reset_index()
    )
    ground = rows["ground"].to_numpy()
    front = rows["front"].to_numpy()
    grounds, last = np.unique(ground[::-1], return_index=True)
    end_v = np.where(through[grounds], parcels.length[grounds], front[len(front) - 1 - last])
    first = work.add_nodes(parcels.frames.origin[grounds])
    work.place(
        blocks.line[grounds, 0],
        blocks.low[grounds, 0]
        + (blocks.high[grounds, 0] - blocks.low[grounds, 0]) * parcels.share[grounds],
        first,
    )
    far = parcels.frames.world(grounds, np.zeros(len(grounds)), end_v)
    far = np.where(through[grounds, None], parcels.far_end[grounds], far)
    final = work.add_nodes(far)
    open_end = through[grounds]
    at = blocks.low[:, 2] + (blocks.high[:, 2] - blocks.low[:, 2]) * parcels.share
    work.place(blocks.line[grounds[open_end], 2], at[grounds[open_end]], final[open_end])
    spine = work.add_lines(first, final, Street.SERVICE)
    slot = np.full(len(blocks), -1, dtype=np.int64)
    slot[grounds] = np.arange(len(grounds))
    owner = slot[ground]
    on_spine = work.add_nodes(parcels.frames.world(ground, np.zeros(len(ground)), front))
    # The last row's path starts at the end of a spine that does not run through.
    is_end = ~open_end[owner] & (np.arange(len(front)) == len(front) - 1 - last[owner])
    on_spine = np.where(is_end, final[owner], on_spine)
    inner = np.flatnonzero(~is_end)
    work.place(spine[owner[inner]], front[inner] / end_v[owner[inner]], on_spine[inner])
    kind = np.where(rows["row"].to_numpy() % 2 == 0, path[0], path[1])
    for ends, side in ((rows["west"].to_numpy(), -1), (rows["east"].to_numpy(), 1)):
        reaches = np.flatnonzero(ends * side > 0)
        tip = work.add_nodes(parcels.frames.world(ground[reaches], ends[reaches], front[reaches]))
        work.add_lines(on_spine[reaches], tip, kind[reaches])


def compound_shapes(
    parcels: Parcels, chosen: Indices, through: Flags
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_], Indices]:
    """Return fenced areas, their gates, and which area each gate is of.

    A gate is a corner of its fence, where the spine meets it: on the south side, and on the north
    side where the spine runs through.
    """
    corner = round_coordinates(parcels.corner[chosen])
    south, north = (_on_spine(parcels, chosen, at) for at in (parcels.south, parcels.north))
    # Without a north gate the corner before it is said twice, which changes no shape.
    fourth = np.where(through[chosen, None], north, corner[:, 2])
    ring = np.stack([corner[:, 0], south, corner[:, 1], corner[:, 2], fourth, corner[:, 3]], axis=1)
    shapes = np.asarray(shapely.remove_repeated_points(shapely.polygons(ring)), dtype=object)
    number = np.arange(len(chosen))
    is_open = through[chosen]
    points = shapely.points(np.concatenate([south, north[is_open]]))
    owner = np.concatenate([number, number[is_open]])
    return shapes, np.asarray(points, dtype=object), owner


def _on_spine(parcels: Parcels, chosen: Indices, at: Floats) -> Floats:
    return round_coordinates(parcels.frames.world(chosen, np.zeros(len(chosen)), at[chosen]))
