"""Where villagers live: hamlets along lanes, or compact villages in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InfeasibleError
from geogrid.synthetic._draws import apportion
from geogrid.synthetic._homes import HOUSE, rule_of
from geogrid.synthetic._lines import Street
from geogrid.synthetic._parcels import building_table, lay_lanes
from geogrid.synthetic._rural import (
    cell_outlines,
    clear_of,
    hamlet_lanes,
    lane_houses,
    lane_starts,
    outlines,
)
from geogrid.synthetic._slots import Frames, row_slots
from geogrid.synthetic._uses import Use

if TYPE_CHECKING:
    from geogrid.synthetic._blocks import Blocks
    from geogrid.synthetic._parcels import Parcels
    from geogrid.synthetic._site import Site

__all__ = ["compact_villages", "hamlets", "settled_pieces"]

Indices = npt.NDArray[np.int64]

_HOUSEHOLDS_A_HAMLET = 34.0
_MOST_IN_A_HOUSE = 3
# Length of a hamlet's lane: what leads to it, and what each house takes.
_LANE_M, _LANE_M_A_HOUSE = 90.0, 5.2
# Metres between a house and any street or border.
_CLEAR_M = 4.5
_TWO_FLOORS_SHARE = 0.7


def settled_pieces(site: Site) -> Indices:
    """Choose the pieces where people live: every seat, then the best of the valleys."""
    pieces, able = site.pieces, site.rural_pieces
    if not site.rural:
        return able[:0]
    seats = site.regions.unit_seed[np.flatnonzero(site.is_rural)]
    seats = seats[np.isin(seats, able)]
    if site.spec.village_style == "compact":
        return np.unique(seats if len(seats) else able[:1])
    rng = site.draws.stream("settled")
    count = int(np.clip(round(site.rural / _HOUSEHOLDS_A_HAMLET), 1, len(able)))
    wave = 2 * np.pi / (900.0 + 2500.0 * rng.random(4))
    heading, phase = 2 * np.pi * rng.random(4), 2 * np.pi * rng.random(4)
    axis = np.column_stack([np.cos(heading), np.sin(heading)])
    height = np.sin(pieces.xy[able] @ axis.T * wave + phase).sum(axis=1)
    height += 1.2 * rng.random(len(able))
    height[np.isin(able, seats)] = -10.0
    return np.sort(able[np.argsort(height, kind="stable")[:count]])


def compact_villages(
    site: Site,
    blocks: Blocks,
    parcels: Parcels,
    far: npt.NDArray[np.float64],
    piece: Indices,
    settled: Indices,
) -> pd.DataFrame:
    """Fill the blocks round the seat of every village with rows of houses.

    Parameters
    ----------
    site, blocks, parcels
        The blocks of villages are cut already.
    far
        Metres of each block from the middle of its cell.
    piece
        The piece of each block.
    settled
        The pieces of villages.
    """
    rng = site.draws.stream("villages")
    grounds = np.flatnonzero(np.isin(piece, settled) & parcels.is_sound)
    frames = Frames(origin=parcels.frames.origin[grounds], north=parcels.frames.north[grounds])
    zeros = np.zeros(len(grounds), dtype=np.int64)
    slots = row_slots(
        parcels.corner[grounds], frames, rule_of(zeros, np.ones(len(grounds)), (HOUSE,))
    )
    ground = grounds[slots.ground]
    table = pd.DataFrame(
        {"ground": ground, "row": slots.row, "u": slots.u, "v": slots.v, "piece": piece[ground]}
    )
    table["key"] = far[ground] + 40.0 * rng.random(len(table))
    table = table.sort_values(["piece", "key"], ignore_index=True)
    table = _with_villagers(table, settled, site.rural, rng)
    table["floors"] = table["entrances"] = table["levels"] = 1
    table["length"], table["depth"] = HOUSE.entrance_m, HOUSE.depth
    table = table.sort_values(["ground", "row", "u"], ignore_index=True)
    closed = np.zeros(len(blocks), dtype=bool)
    lay_lanes(
        blocks, parcels, table, site.work, through=closed, path=(Street.SERVICE, Street.SERVICE)
    )
    table["per_floor"] = 1
    return _as_houses(building_table(parcels, table, np.full(len(blocks), Use.VILLAGE, np.int8)))


def hamlets(
    site: Site, settled: Indices, bends: Indices, reached: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Lay the lanes of hamlets that a road reaches, and put houses beside them.

    Raises
    ------
    InfeasibleError
        If no road reaches any of them, or the houses find no place.
    """
    rng, lattice, work = site.draws.stream("hamlets"), site.lattice, site.work
    start = lane_starts(lattice, site.pieces.cell[settled], reached, bends, work, rng)
    linked = start >= 0
    settled, start = settled[linked], start[linked]
    if not len(settled):
        msg = f"no road reaches any of {len(linked)} hamlets: give a larger area"
        raise InfeasibleError(msg)
    length_m = _LANE_M + _LANE_M_A_HOUSE * site.rural / len(settled)
    lanes = hamlet_lanes(lattice, site.pieces.cell[settled], start, length_m, work, rng)
    table = lane_houses(lanes, rng)
    table["shape"] = outlines(table)
    # Every lattice edge can be a border of a group: houses keep off all of them.
    is_line = work.kind != Street.NONE
    is_line[: len(lattice.edge_ends)] = True
    lines = work.polylines(np.flatnonzero(is_line)).shapes()
    cells = cell_outlines(lattice, work, lanes.cell, bends)[table["hamlet"].to_numpy()]
    keep = shapely.contains(cells, table["shape"].to_numpy())
    table = table[keep].reset_index(drop=True)
    keep = clear_of(table["shape"].to_numpy(), lines, _CLEAR_M)
    table = table[keep].reset_index(drop=True)
    table["piece"] = settled[table["hamlet"].to_numpy()]
    table = _with_villagers(table, settled, site.rural, rng)
    table["floors"] = table["entrances"] = 1
    table["levels"] = 1 + (rng.random(len(table)) < _TWO_FLOORS_SHARE)
    table["ground"] = -1
    return _as_houses(table)


def _with_villagers(
    table: pd.DataFrame, pieces: Indices, total: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Share households over villages and their houses, the first houses of each first."""
    owner = table["piece"].to_numpy()
    places = np.bincount(owner, minlength=int(pieces.max()) + 1)
    weight = np.zeros(len(places))
    weight[pieces] = 0.6 + 0.8 * rng.random(len(pieces))
    weight = np.where(places > 0, weight, 0.0)
    wanted = apportion(total, weight, places * _MOST_IN_A_HOUSE)
    rank = np.arange(len(owner)) - (np.cumsum(places) - places)[owner]
    houses = np.minimum(wanted, places)
    is_built = rank < houses[owner]
    table, owner, rank = table[is_built].reset_index(drop=True), owner[is_built], rank[is_built]
    base, more = np.divmod(wanted, np.maximum(houses, 1))
    table["households"] = base[owner] + (rank < more[owner])
    return table


def _as_houses(table: pd.DataFrame) -> pd.DataFrame:
    """Call them houses; one with several families has several rooms a floor."""
    rooms = np.maximum(table["households"].to_numpy(), 1)
    return table.assign(building="house", use="residential", per_floor=rooms)
