"""Who lives where before anything is cut: buildings with their households, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.model.counts import household_counts

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from geogrid.atoms._buildings import Straddlers

    Shapes = npt.NDArray[np.object_]
    Indices = npt.NDArray[np.int64]

__all__ = ["Places", "Sites", "first_of", "sites_of"]

# A household point this near a wall is a front door.
_DOOR_M = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Household points, each place once.

    Attributes
    ----------
    point
        Shapely points.
    households
        At each of them.
    """

    point: Shapes
    households: Indices

    @classmethod
    def of(cls, households: gpd.GeoDataFrame | None) -> Places:
        """Count the households at each place."""
        if households is None or not len(households):
            return cls(np.empty(0, dtype=object), np.zeros(0, dtype=np.int64))
        shapes = households.geometry.to_numpy()
        is_point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
        xy = shapely.get_coordinates(np.where(is_point, shapes, shapely.point_on_surface(shapes)))
        pairs = np.ascontiguousarray(xy).view(np.complex128)[:, 0]
        unique, place = np.unique(pairs, return_inverse=True)
        count = np.bincount(place, weights=household_counts(households)).astype(np.int64)
        return cls(np.asarray(shapely.points(unique.real, unique.imag)), count)

    def per_shape(self, shapes: Shapes) -> Indices:
        """Return the households in each shape; a point on a border counts for the first."""
        holder = first_of(self.point, shapes)
        inside = holder >= 0
        total = np.bincount(holder[inside], self.households[inside], minlength=len(shapes))
        return total.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Buildings, and household points that lie in none.

    Attributes
    ----------
    shape, xy
        Polygon or point, and its middle, shape (n, 2).
    block
        The block that each belongs to: where most of it lies.
    households
        Of each.
    wall
        Its position among the buildings, -1 for a point.
    beside, beside_xy
        Household points at a wall: the site, and where they are.
    """

    shape: Shapes
    xy: npt.NDArray[np.float64]
    block: Indices
    households: Indices
    wall: Indices
    beside: Indices
    beside_xy: npt.NDArray[np.float64]

    def take(self, rows: Indices) -> Sites:
        """Return some of the sites."""
        number = np.full(len(self.block), -1, dtype=np.int64)
        number[rows] = np.arange(len(rows))
        kept = number[self.beside] >= 0
        return Sites(
            self.shape[rows],
            self.xy[rows],
            self.block[rows],
            self.households[rows],
            self.wall[rows],
            number[self.beside[kept]],
            self.beside_xy[kept],
        )

    def per_block(self, count: int) -> Indices:
        """Return the households of each block."""
        return np.bincount(self.block, self.households, minlength=count).astype(np.int64)


def first_of(points: Shapes, shapes: Shapes) -> Indices:
    """Return the first shape that holds each point, -1 where none does."""
    holder = np.full(len(points), -1, dtype=np.int64)
    if len(shapes):
        point, shape = shapely.STRtree(shapes).query(points, predicate="intersects")
        order = np.lexsort((-shape, point))
        holder[point[order]] = shape[order]
    return holder


def sites_of(blocks: Shapes, walls: Shapes, straddlers: Straddlers, places: Places) -> Sites:
    """Find the block of every building, and the building of every household point.

    Parameters
    ----------
    blocks
        Polygons without overlaps.
    walls
        Buildings, none over another.
    straddlers
        Those on the border of a block.
    places
        Points with households.
    """
    home = first_of(shapely.point_on_surface(walls), blocks)
    home[straddlers.row] = straddlers.home
    wall = first_of(places.point, walls)
    block = first_of(places.point, blocks)
    block[wall >= 0] = home[wall[wall >= 0]]
    at_door = _at_doors(places.point, wall, block, walls, home)
    wall = np.where(at_door >= 0, at_door, wall)
    strays = np.flatnonzero((wall < 0) & (block >= 0))
    held = wall >= 0
    total = np.bincount(wall[held], places.households[held], minlength=len(walls)).astype(np.int64)
    inside = np.flatnonzero(home >= 0)
    number = np.full(len(walls) + 1, -1, dtype=np.int64)
    number[inside] = np.arange(len(inside))
    shape = np.concatenate((walls[inside], places.point[strays]))
    doors = np.flatnonzero(at_door >= 0)
    return Sites(
        shape,
        shapely.get_coordinates(shapely.centroid(shape)),
        np.concatenate((home[inside], block[strays])),
        np.concatenate((total[inside], places.households[strays])),
        np.concatenate((inside, np.full(len(strays), -1))),
        number[at_door[doors]],
        shapely.get_coordinates(places.point[doors]),
    )


def _at_doors(
    points: Shapes, wall: Indices, block: Indices, walls: Shapes, home: Indices
) -> Indices:
    """Return for points in no building the one whose door they are, -1 where there is none."""
    door = np.full(len(points), -1, dtype=np.int64)
    strays = np.flatnonzero((wall < 0) & (block >= 0))
    if not len(strays) or not len(walls):
        return door
    point, near = shapely.STRtree(walls).query(
        points[strays], predicate="dwithin", distance=_DOOR_M
    )
    point = strays[point]
    same = home[near] == block[point]
    point, near = point[same], near[same]
    order = np.lexsort((near, shapely.distance(points[point], walls[near]), point))
    first = np.unique(point[order], return_index=True)[1]
    door[point[order][first]] = near[order][first]
    return door
