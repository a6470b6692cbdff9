"""Which edges of the lattice are streets, bridges and country roads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geogrid.synthetic._lines import Street

if TYPE_CHECKING:
    from geogrid.synthetic._site import Site

__all__ = ["bend_edges", "city_streets", "country_roads", "usable_edges"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# What a city street is, by the number of its lattice line.
_ARTERIALS = np.array([Street.PRIMARY, Street.TERTIARY, Street.SECONDARY, Street.TERTIARY])
# Hamlets behind a country road for it to be of a class.
_CLASSES = ((150, Street.SECONDARY), (30, Street.TERTIARY), (0, Street.UNCLASSIFIED))
_LINK_SHARE = 0.22
_BEND = 0.07
# Bridges within so many city radii count as the city's.
_NEAR = 1.1


def city_streets(site: Site, gridded: Indices) -> Flags:
    """Class the edges of city and village cells, and the crossings of river and railway.

    Parameters
    ----------
    site
        Classes and bridges are set in its lines.
    gridded
        Pieces that are cut into blocks.

    Returns
    -------
    ndarray of bool
        Edges that cross neither river nor railway, or do so by a bridge.
    """
    lattice, work = site.lattice, site.work
    column, row = lattice.edge_place()
    is_flat = np.arange(len(column)) < lattice.flat_edges
    over_river = is_flat & (column == lattice.river)
    over_rail = ~is_flat & (row == lattice.rail)
    line = np.where(is_flat, row, column)
    kind = _ARTERIALS[line % len(_ARTERIALS)]
    is_city = _edges_of(site, np.flatnonzero(site.regions.is_built))
    work.kind[_edges_of(site, gridded)] = Street.UNCLASSIFIED
    work.kind[is_city] = kind[is_city]
    is_bridge = np.zeros(len(column), dtype=bool)
    is_bridge[_bridges(site, np.flatnonzero(over_river))] = True
    is_bridge |= over_rail & (line % 2 == 0)
    touched = np.zeros(len(lattice.xy), dtype=bool)
    touched[lattice.edge_ends[is_city].ravel()] = True
    # In the city a crossing goes on as the street that it belongs to.
    goes_on = is_bridge & touched[lattice.edge_ends].all(axis=1)
    work.kind[goes_on] = np.where(over_river[goes_on], Street.SECONDARY, kind[goes_on])
    work.is_bridge = is_bridge.copy()
    may_cross: Flags = ~(over_river | over_rail) | is_bridge
    return may_cross


def _edges_of(site: Site, pieces: Indices) -> Flags:
    chosen = np.zeros(len(site.lattice.edge_ends), dtype=bool)
    chosen[site.lattice.cell_edges[site.pieces.cell[pieces]].ravel()] = True
    return chosen


def _bridges(site: Site, over: Indices) -> Indices:
    """Choose bridges: half of them in the city, the others along the rest of the river."""
    lattice, wanted = site.lattice, site.spec.bridges
    if not len(over):
        return over
    sides = lattice.edge_cells()[over]
    known = np.zeros(lattice.columns * lattice.rows + 1, dtype=bool)
    known[site.pieces.cell] = True
    over = over[known[sides[:, 0]] & known[sides[:, 1]] & (sides >= 0).all(axis=1)]
    middle = lattice.xy[lattice.edge_ends[over]].mean(axis=1)
    near = np.hypot(*(middle - site.centre).T) < _NEAR * site.city_m
    in_city = min(-(-wanted // 2), int(near.sum()))
    chosen = [
        group[np.unique(np.linspace(0, len(group) - 1, count + 2).round().astype(int)[1:-1])]
        for group, count in ((over[near], in_city), (over[~near], wanted - in_city))
        if len(group) and count
    ]
    return np.concatenate(chosen) if chosen else over[:0]


def bend_edges(site: Site, gridded: Indices, rng: np.random.Generator) -> Indices:
    """Give country edges a corner in the middle, so that roads and borders wind.

    Returns
    -------
    ndarray
        The node at the corner of every edge, -1 where it is straight.
    """
    lattice, work = site.lattice, site.work
    is_straight = _edges_of(site, gridded)
    is_straight[lattice.cell_edges[lattice.is_strip_cell].ravel()] = True
    ends = lattice.edge_ends
    lines = np.flatnonzero(~is_straight)
    one, other = lattice.xy[ends[lines, 0]], lattice.xy[ends[lines, 1]]
    step = other - one
    side = np.column_stack([-step[:, 1], step[:, 0]])
    along = 0.36 + 0.28 * rng.random(len(lines))
    size = (2 * rng.random(len(lines)) - 1) * _BEND
    bends = np.full(len(ends), -1, dtype=np.int64)
    bends[lines] = work.add_nodes(one + along[:, None] * step + size[:, None] * side)
    work.place(lines, along, bends[lines])
    return bends


def usable_edges(site: Site, may_cross: Flags) -> Flags:
    """Tell which edges can be roads: inside the limit, and over water only by a bridge."""
    edges = np.arange(len(site.lattice.edge_ends))
    inside = shapely.contains_properly(site.district.limit, site.work.polylines(edges).shapes())
    usable: Flags = inside & may_cross
    return usable


def country_roads(site: Site, usable: Flags, targets: Indices, rng: np.random.Generator) -> Flags:
    """Lead a road to every target corner from the centre, and link some of them up.

    Returns
    -------
    ndarray of bool
        Corners that a road reaches.
    """
    lattice, work = site.lattice, site.work
    ends = lattice.edge_ends
    length = np.hypot(*(lattice.xy[ends[:, 0]] - lattice.xy[ends[:, 1]]).T)
    is_city = work.kind[: len(ends)] != Street.NONE
    # Every other country edge is hard going, so that roads wind from valley to valley.
    ease = np.where(is_city, 0.45, 0.5 + rng.random(len(ends)))
    able = np.flatnonzero(usable)
    between = (ends[able, 0], ends[able, 1])
    shape = (len(lattice.xy), len(lattice.xy))
    graph = csr_array(((length * ease + 0.01)[able], between), shape=shape)
    number = csr_array((able + 1, between), shape=shape)
    way, before = dijkstra(graph, directed=False, indices=lattice.centre, return_predecessors=True)
    load = _loads(way, before, np.bincount(targets, minlength=len(lattice.xy)))
    used = np.flatnonzero((load > 0) & (before >= 0))
    one, other = np.minimum(used, before[used]), np.maximum(used, before[used])
    edge = np.asarray(number[one, other]).ravel().astype(np.int64) - 1
    kinds = np.zeros(len(ends), dtype=np.int8)
    for least, kind in reversed(_CLASSES):
        kinds[edge[load[used] >= least]] = kind
    reached: Flags = np.isfinite(way) & (load > 0)
    reached[ends[is_city].ravel()] = True
    links = usable & (kinds == Street.NONE) & reached[ends].all(axis=1)
    kinds[links & (rng.random(len(ends)) < _LINK_SHARE)] = Street.UNCLASSIFIED
    work.kind[: len(ends)] = np.where(is_city, work.kind[: len(ends)], kinds)
    return reached


def _loads(way: npt.NDArray[np.float64], before: Indices, targets: Indices) -> Indices:
    """Count the targets behind every corner of a tree of shortest ways."""
    load = targets.astype(np.int64).tolist()
    back = before.tolist()
    # Farthest corners hand their load on first.
    for corner in np.argsort(-np.where(np.isfinite(way), way, -1.0), kind="stable").tolist():
        if back[corner] >= 0 and load[corner]:
            load[back[corner]] += load[corner]
    return np.array(load, dtype=np.int64)
