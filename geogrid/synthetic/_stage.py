"""The stages of making a place, from its ground to its houses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geogrid.synthetic._blocks import Blocks, cut_blocks
from geogrid.synthetic._city import City, build_city, with_households
from geogrid.synthetic._country import compact_villages, hamlets, settled_pieces
from geogrid.synthetic._parcels import Parcels, spines_of
from geogrid.synthetic._roads import bend_edges, city_streets, country_roads, usable_edges
from geogrid.synthetic._site import Site, make_site
from geogrid.synthetic._uses import Ground

if TYPE_CHECKING:
    from geogrid.model.district import District
    from geogrid.synthetic._draws import Draws
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["Stage", "build_stage"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Houses on a hectare of a compact village, lanes included.
_HOUSES_A_HA = 13.0
_VILLAGE_BLOCK_M2, _FIELD_M2 = 13_000.0, 160_000.0
# Blocks are smaller in the old town, within this share of the city's radius.
_CORE, _CORE_SHARE = 0.35, 0.7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """Everything that the tables are made from.

    Attributes
    ----------
    site
        Limit, lattice, regions and lines.
    blocks, piece
        City and village blocks, and the piece that each lies in.
    city
        What stands on them.
    buildings
        One row a building: outline, dwellings, ``households``, ``piece``.
    """

    site: Site
    blocks: Blocks
    piece: Indices
    city: City
    buildings: pd.DataFrame


def build_stage(spec: PlaceSpec, district: District, centre: Floats, draws: Draws) -> Stage:
    """Lay out a place inside its limit.

    Raises
    ------
    InfeasibleError
        If the limit has no room for what the counts ask for.
    """
    site = make_site(spec, district, centre, draws)
    settled = settled_pieces(site)
    gridded = np.flatnonzero(site.regions.is_built)
    is_compact = spec.village_style == "compact"
    if is_compact:
        gridded = np.concatenate([gridded, settled])
    bends, reached = _streets(site, gridded, settled)
    blocks, far = _cut(site, gridded)
    parcels = spines_of(blocks, site.work, draws.stream("spines"))
    piece = gridded[blocks.owner]
    city = build_city(site, blocks, parcels, _ground(site, blocks, parcels, piece))
    table = with_households(city.buildings, site.urban, fill=spec.neighbours)
    table["piece"] = piece[table["ground"].to_numpy()]
    if site.rural:
        country = (
            compact_villages(site, blocks, parcels, far, piece, settled)
            if is_compact
            else hamlets(site, settled, bends, reached)
        )
        table = pd.concat([table, country], ignore_index=True) if len(table) else country
    return Stage(site=site, blocks=blocks, piece=piece, city=city, buildings=table)


def _streets(
    site: Site, gridded: Indices, settled: Indices
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Lay city streets and country roads; returns bends of edges and corners that are reached."""
    may_cross = city_streets(site, gridded)
    rng = site.draws.stream("roads")
    bends = bend_edges(site, gridded, rng)
    usable = usable_edges(site, may_cross)
    corner = np.floor(4 * rng.random(len(settled))).astype(np.int64)
    cells = site.lattice.cell_corners[site.pieces.cell]
    targets = np.concatenate([cells[settled, corner], np.unique(cells[gridded])])
    return bends, country_roads(site, usable, targets, rng)


def _cut(site: Site, gridded: Indices) -> tuple[Blocks, Floats]:
    """Cut cells into blocks; returns them and the metres of each from its cell's middle."""
    spec, lattice = site.spec, site.lattice
    cells = site.pieces.cell[gridded]
    is_city = site.regions.is_built[gridded]
    middle = lattice.xy[lattice.cell_corners[cells]].mean(axis=1)
    villages = max(int((~is_city).sum()), 1)
    reach = np.sqrt(site.rural / villages / _HOUSES_A_HA * 1e4 / np.pi)

    def most(blocks: Blocks) -> Floats:
        far = np.hypot(*(blocks.middle - middle[blocks.owner]).T)
        size = np.sqrt(np.maximum(blocks.area, 1.0)) / 2
        village = np.where(far - size < reach, _VILLAGE_BLOCK_M2, _FIELD_M2)
        old = np.hypot(*(blocks.middle - site.centre).T) < _CORE * site.city_m
        city = spec.block_ha * 1e4 * np.where(old, _CORE_SHARE, 1.0)
        return np.where(is_city[blocks.owner], city, village)

    blocks = cut_blocks(lattice, cells, most, site.work, site.draws.stream("blocks"))
    return blocks, np.hypot(*(blocks.middle - middle[blocks.owner]).T)


def _ground(site: Site, blocks: Blocks, parcels: Parcels, piece: Indices) -> Ground:
    return Ground(
        net_ha=np.maximum(parcels.area / 1e4, 0.0),
        capacity=np.zeros(len(blocks)),
        places=np.zeros(len(blocks), dtype=np.int64),
        unit=site.regions.unit[piece],
        cell=piece,
        far=np.hypot(*(blocks.middle - site.centre).T) / site.city_m,
        is_city=site.regions.is_built[piece],
        is_sound=parcels.is_sound,
    )
