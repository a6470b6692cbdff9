"""The order in which cells are read on a map: west to east and north to south."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from geogrid.divide._problem import FloatArray, IntArray, TextArray
    from geogrid.model.atoms import Atoms

__all__ = ["Extents", "extents_of", "nested_cells", "reading_order"]

# A row is never flatter than this, or a rounding error would make one.
_LEAST_ROW_M = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Extents:
    """Box, centre and area of each atom; the rank of its id breaks ties."""

    boxes: FloatArray
    x: FloatArray
    y: FloatArray
    area: FloatArray
    rank: IntArray


def extents_of(atoms: Atoms) -> Extents:
    """Return where the atoms are."""
    shapes = atoms.frame.geometry.to_numpy()
    centre = shapely.centroid(shapes)
    ids: TextArray = atoms.frame["atom_id"].to_numpy(str)
    order = np.argsort(ids, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return Extents(
        boxes=shapely.bounds(shapes),
        x=shapely.get_x(centre),
        y=shapely.get_y(centre),
        area=shapely.area(shapes),
        rank=rank,
    )


def nested_cells(parent: IntArray, value: IntArray) -> tuple[IntArray, IntArray]:
    """Return the parent of each cell and the cell of each atom."""
    pairs = np.column_stack((parent, value))
    unique, cell = np.unique(pairs, axis=0, return_inverse=True)
    return unique[:, 0].astype(np.int64), cell.ravel().astype(np.int64)


def reading_order(extents: Extents, cell: IntArray, above: IntArray) -> IntArray:
    """Return the place, from 1, of each cell among the cells of its parent.

    Parameters
    ----------
    extents
        Where the atoms are.
    cell
        Cell of each atom, from 0.
    above
        Parent of each cell, from 0.
    """
    n = len(above)
    top, bottom = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(top, cell, extents.boxes[:, 3])
    np.minimum.at(bottom, cell, extents.boxes[:, 1])
    rank = np.full(n, len(cell), dtype=np.int64)
    np.minimum.at(rank, cell, extents.rank)
    # Sums depend on the order of their terms, so they run in the order of the ids; what is left
    # of rounding goes with the millimetres.
    by_id = np.argsort(extents.rank)
    held = np.bincount(cell[by_id], weights=extents.area[by_id], minlength=n)
    x = np.bincount(cell[by_id], weights=(extents.x * extents.area)[by_id], minlength=n) / held
    y = np.bincount(cell[by_id], weights=(extents.y * extents.area)[by_id], minlength=n) / held
    x, y = np.round(x, 3), np.round(y, 3)
    place = np.zeros(n, dtype=np.int64)
    by_parent = np.argsort(above, kind="stable")
    for own in np.split(by_parent, np.flatnonzero(np.diff(above[by_parent])) + 1):
        height = float(np.median(top[own] - bottom[own]))
        row = np.floor((top[own].max() - y[own]) / max(height, _LEAST_ROW_M))
        order = np.lexsort((rank[own], -y[own], x[own], row))
        place[own[order]] = np.arange(1, len(own) + 1)
    return place
