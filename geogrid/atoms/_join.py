"""From blocks to atoms: one more cut of the limit, and which faces belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.atoms._buildings import Ground, crossed_by, find_straddlers, join_buildings
from geogrid.atoms._bundle import bundles_of
from geogrid.atoms._cells import lines_between
from geogrid.atoms._merge import Regions
from geogrid.atoms._recut import cut_again
from geogrid.atoms._sites import first_of, sites_of
from geogrid.model.atoms import barrier_strengths
from geogrid.planar.edges import RookPairs, rook_pairs
from geogrid.planar.noding import line_work
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry import MultiPolygon

    from geogrid.atoms._sites import Places, Sites

    Shapes = npt.NDArray[np.object_]
    Indices = npt.NDArray[np.int64]

__all__ = ["FirstCut", "Joined", "in_order", "join_faces"]

# An empty strip between two tracks or carriageways is a median, not a place.
_THIN_M = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class FirstCut:
    """The limit cut along its barriers.

    Attributes
    ----------
    lines
        Barriers: ``kind`` and ``geometry``.
    blocks, noded
        Faces along the lines, and the limit with their nodes.
    walls
        Buildings that no border should cut, none over another.
    places
        Where the households are.
    """

    lines: gpd.GeoDataFrame
    blocks: Shapes
    noded: MultiPolygon
    walls: Shapes
    places: Places


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Faces, the atom 0 … that each belongs to, and what they were cut along."""

    faces: Shapes
    labels: Indices
    noded: MultiPolygon
    lines: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True, eq=False)
class _Bundles:
    """Buildings by block, and by bundle where a block is crowded.

    Attributes
    ----------
    sites, bundle
        All buildings and household points; -1 where the block is not crowded.
    crowded
        One flag a block.
    between
        Lines between the bundles.
    on_border
        Positions of the buildings that a line cuts.
    """

    sites: Sites
    bundle: Indices
    crowded: npt.NDArray[np.bool_]
    between: Shapes
    on_border: Indices


def in_order(shapes: Shapes) -> Shapes:
    """Sort shapes from north to south, whatever order they came in."""
    west, south, east, north = shapely.bounds(shapes).T
    ordered: Shapes = shapes[np.lexsort((shapely.area(shapes), east, south, west, -north))]
    return ordered


def join_faces(cut: FirstCut, min_area_m2: float, max_households: int | None) -> Joined:
    """Cut again between the bundles of crowded blocks and round the buildings on borders.

    Parameters
    ----------
    cut
        The limit cut into blocks.
    min_area_m2
        Smaller faces join a neighbour; 0 joins nothing.
    max_households
        Blocks with more are crowded; None where none is.
    """
    bundles = _bundled(cut, max_households)
    lines = _with_cells(cut.lines, bundles.between)
    faces, noded = cut.blocks, cut.noded
    if len(bundles.between) or len(bundles.on_border):
        # The new lines end on the blocks as they were noded, up to a millimetre off the barriers.
        new = np.concatenate((bundles.between, line_work(cut.walls[bundles.on_border])))
        faces, noded = cut_again(cut.noded, cut.blocks, new)
        faces = in_order(faces)
    elif not min_area_m2:
        return Joined(faces, np.arange(len(faces)), noded, lines)
    pairs = rook_pairs(faces)
    ground = _ground(faces, cut, bundles)
    regions = Regions.of_faces(
        pairs,
        _strengths(pairs, ground.block, cut.lines if min_area_m2 > 0 else None),
        shapely.area(faces),
        shapely.length(faces),
        cut.places.per_shape(faces),
        limit=max_households,
    )
    _join_bundles(regions, pairs, ground, cut, bundles)
    if min_area_m2 > 0:
        regions.join_slivers(min_area_m2, _THIN_M)
    return Joined(faces, regions.labels(), noded, lines)


def _bundled(cut: FirstCut, max_households: int | None) -> _Bundles:
    """Bundle the buildings of crowded blocks and draw the lines between."""
    straddlers = find_straddlers(cut.walls, cut.blocks)
    sites = sites_of(cut.blocks, cut.walls, straddlers, cut.places)
    bundle = np.full(len(sites.block), -1, dtype=np.int64)
    if max_households is None:
        none = np.zeros(len(cut.blocks), dtype=bool)
        return _Bundles(sites, bundle, none, np.empty(0, dtype=object), straddlers.row)
    crowded = sites.per_block(len(cut.blocks)) > max_households
    rows = np.flatnonzero(crowded[sites.block])
    some = sites.take(rows)
    bundle[rows] = bundles_of(some.xy, some.households, some.block, max_households)
    between = lines_between(some, bundle[rows], cut.blocks)
    on_border = np.union1d(straddlers.row, crossed_by(between, cut.walls)).astype(np.int64)
    return _Bundles(sites, bundle, crowded, between, on_border)


def _ground(faces: Shapes, cut: FirstCut, bundles: _Bundles) -> Ground:
    """Find the block of every face and the bundle whose buildings stand in it."""
    point = shapely.point_on_surface(faces)
    whole = (bundles.bundle >= 0) & ~np.isin(bundles.sites.wall, bundles.on_border)
    parts, site = shapely.get_parts(bundles.sites.shape[whole], return_index=True)
    stands = shapely.point_on_surface(parts)
    of_face = _bundle_of_faces(faces, stands, bundles.bundle[whole][site])
    return Ground(point, first_of(point, cut.blocks), of_face)


def _strengths(
    pairs: RookPairs, block: Indices, barriers: gpd.GeoDataFrame | None
) -> npt.NDArray[np.int8]:
    """Return how strong the border of each pair is; inside a block no barrier is in the way.

    Without barriers every border between blocks counts alike: enough where none is joined away.
    """
    inside = block[pairs.left] == block[pairs.right]
    cell, any_other = BarrierKind.CELL.strength, BarrierKind.STREET.strength
    strength = np.where(inside, cell, any_other).astype(np.int8)
    if barriers is None:
        return strength
    number = np.cumsum(~inside) - 1
    edge = ~inside[pairs.edge_pair]
    across = RookPairs(
        pairs.left[~inside],
        pairs.right[~inside],
        pairs.shared_m[~inside],
        number[pairs.edge_pair[edge]],
        pairs.edge_xy[edge],
    )
    strength[~inside] = barrier_strengths(across, barriers)
    return strength


def _join_bundles(
    regions: Regions, pairs: RookPairs, ground: Ground, cut: FirstCut, bundles: _Bundles
) -> None:
    """Make buildings whole again, then bundles, then give away the ground without households."""
    sites = bundles.sites
    of_wall = np.full(len(cut.walls), -1, dtype=np.int64)
    of_wall[sites.wall[sites.wall >= 0]] = np.flatnonzero(sites.wall >= 0)
    site = of_wall[bundles.on_border]
    # A building outside the limit has no block.
    walls, site = cut.walls[bundles.on_border[site >= 0]], site[site >= 0]
    join_buildings(regions, walls, sites.block[site], bundles.bundle[site], ground)
    regions.join_alike(pairs, ground.bundle)
    in_crowded = np.flatnonzero((ground.block >= 0) & bundles.crowded[ground.block])
    regions.join_shards(in_crowded, BarrierKind.CELL.strength)
    regions.fill(in_crowded, BarrierKind.CELL.strength)


def _bundle_of_faces(faces: Shapes, points: Shapes, bundle: Indices) -> Indices:
    """Return the first bundle that has a building in each face, -1 where none has."""
    holder = first_of(points, faces)
    inside = holder >= 0
    of_face = np.full(len(faces), np.iinfo(np.int64).max)
    np.minimum.at(of_face, holder[inside], bundle[inside])
    return np.where(of_face == np.iinfo(np.int64).max, -1, of_face)


def _with_cells(lines: gpd.GeoDataFrame, between: Shapes) -> gpd.GeoDataFrame:
    """Add the lines between buildings to the barriers."""
    if not len(between):
        return lines
    extra = gpd.GeoDataFrame(
        {"kind": BarrierKind.CELL.value, "name": ""},
        geometry=between,
        crs=lines.crs,
        index=range(len(between)),
    )
    return gpd.GeoDataFrame(pd.concat([lines, extra], ignore_index=True), crs=lines.crs)
