"""Which polygon holds each atom: the one with most of its area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

if TYPE_CHECKING:
    import geopandas as gpd

    from geogrid.divide._problem import FloatArray, IntArray

__all__ = ["Held", "holders", "in_frame_of", "overlaps"]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Atoms against polygons.

    Attributes
    ----------
    owner
        The polygon that holds most of each atom, -1 where none touches it.
    share
        Square metres of each atom inside its owner.
    covered
        Square metres of each atom inside any of the polygons, overlaps counted twice.
    """

    owner: IntArray
    share: FloatArray
    covered: FloatArray


def holders(atoms: npt.NDArray[np.object_], polygons: npt.NDArray[np.object_]) -> Held:
    """Find the owner of each atom; of two with the same share the first polygon."""
    owner = np.full(len(atoms), -1, dtype=np.int64)
    share, covered = np.zeros(len(atoms)), np.zeros(len(atoms))
    if not len(atoms) or not len(polygons):
        return Held(owner, share, covered)
    area = shapely.area(atoms)
    tree = shapely.STRtree(atoms)
    # Prepared polygons settle nearly all atoms; only those on borders must be cut.
    polygon, atom = tree.query(polygons, predicate="covers")
    covered += np.bincount(atom, weights=area[atom], minlength=len(atoms))
    order = np.argsort(-polygon, kind="stable")
    owner[atom[order]] = polygon[order]
    share[atom] = area[atom]
    polygon, atom = tree.query(polygons, predicate="intersects")
    open_ = owner[atom] < 0
    polygon, atom = polygon[open_], atom[open_]
    inside = shapely.area(shapely.intersection(atoms[atom], polygons[polygon]))
    covered += np.bincount(atom, weights=inside, minlength=len(atoms))
    real = inside > 0
    polygon, atom, inside = polygon[real], atom[real], inside[real]
    order = np.lexsort((-polygon, inside))
    owner[atom[order]] = polygon[order]
    share[atom[order]] = inside[order]
    return Held(owner, share, covered)


def in_frame_of(table: gpd.GeoDataFrame, like: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table in the coordinate system of another one; unknown systems are taken as it."""
    if table.crs is None or like.crs is None or table.crs == like.crs:
        return table
    return table.to_crs(like.crs)


def overlaps(polygons: npt.NDArray[np.object_]) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs of polygons that overlap and by how many square metres."""
    one, other = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    area = shapely.area(shapely.intersection(polygons[one], polygons[other]))
    real = area > 0
    return one[real], other[real], area[real]
