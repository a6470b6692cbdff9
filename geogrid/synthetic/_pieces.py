"""Cells of the lattice inside the limit, and who borders whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon

    from geogrid.synthetic._lattice import Lattice

__all__ = ["Pieces", "make_pieces"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Crossing a river or a railway counts like this many times the way.
_RIVER_COST, _RAIL_COST = 8.0, 2.5
_MIN_BORDER_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """Parts of lattice cells inside the limit.

    Attributes
    ----------
    cell
        The lattice cell of each.
    shape, area, xy
        Polygon, m² and an inner point.
    is_full
        The whole cell lies inside the limit, and it is neither river nor railway.
    left, right, cost
        Neighbours, and the way between them in metres.
    """

    cell: Indices
    shape: npt.NDArray[np.object_]
    area: Floats
    xy: Floats
    is_full: npt.NDArray[np.bool_]
    left: Indices
    right: Indices
    cost: Floats

    def __len__(self) -> int:
        return len(self.cell)

    def graph(self, group: Indices | None = None) -> csr_array:
        """Return the ways between neighbours, only those inside one group if given."""
        keep = np.ones(len(self.left), dtype=bool)
        if group is not None:
            keep = group[self.left] == group[self.right]
        left, right, cost = self.left[keep], self.right[keep], self.cost[keep]
        ends = (np.concatenate([left, right]), np.concatenate([right, left]))
        return csr_array((np.concatenate([cost, cost]), ends), shape=(len(self), len(self)))


def make_pieces(lattice: Lattice, limit: MultiPolygon) -> Pieces:
    """Cut the lattice's cells at the limit."""
    shapely.prepare(limit)
    quads = np.asarray(shapely.polygons(lattice.xy[lattice.cell_corners]))
    is_inside = np.asarray(shapely.contains_properly(limit, quads))
    on_border = np.flatnonzero(~is_inside & shapely.intersects(limit, quads))
    parts, row = shapely.get_parts(shapely.intersection(quads[on_border], limit), return_index=True)
    is_area = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & (
        shapely.area(parts) > 1.0
    )
    cell = np.concatenate([np.flatnonzero(is_inside), on_border[row[is_area]]])
    shape = np.concatenate([quads[is_inside], parts[is_area]])
    order = np.argsort(cell, kind="stable")
    cell, shape = cell[order], shape[order]
    points = shapely.get_coordinates(shapely.point_on_surface(shape))
    is_full = is_inside[cell] & ~lattice.is_strip_cell[cell]
    left, right = _neighbours(lattice, cell, shape, is_inside)
    return Pieces(
        cell=cell,
        shape=shape,
        area=shapely.area(shape),
        xy=points,
        is_full=is_full,
        left=left,
        right=right,
        cost=_costs(lattice, cell, points, left, right),
    )


def _neighbours(
    lattice: Lattice,
    cell: Indices,
    shape: npt.NDArray[np.object_],
    is_inside: npt.NDArray[np.bool_],
) -> tuple[Indices, Indices]:
    """Pieces that share part of a lattice edge."""
    sides = lattice.edge_cells()
    edge = np.flatnonzero((sides >= 0).all(axis=1))
    pieces = pd.DataFrame({"cell": cell, "piece": np.arange(len(cell))})
    pairs = pd.DataFrame({"edge": edge, "one": sides[edge, 0], "other": sides[edge, 1]})
    pairs = pairs.merge(pieces.rename(columns={"cell": "one", "piece": "left"}), on="one")
    pairs = pairs.merge(pieces.rename(columns={"cell": "other", "piece": "right"}), on="other")
    open_rows = np.flatnonzero(~(is_inside[pairs["one"]] & is_inside[pairs["other"]]))
    keep = np.ones(len(pairs), dtype=bool)
    if len(open_rows):
        some = pairs.iloc[open_rows]
        lines = shapely.linestrings(lattice.xy[lattice.edge_ends[some["edge"]]])
        # A centimetre of room: where the limit cuts a border, its point is only nearly on it.
        near = shapely.buffer(shape[some["left"]], 0.01)
        common = shapely.intersection(
            shapely.intersection(lines, near), shapely.buffer(shape[some["right"]], 0.01)
        )
        keep[open_rows] = shapely.length(common) > _MIN_BORDER_M
    pairs = pairs[keep]
    return pairs["left"].to_numpy(np.int64), pairs["right"].to_numpy(np.int64)


def _costs(lattice: Lattice, cell: Indices, xy: Floats, left: Indices, right: Indices) -> Floats:
    way = np.hypot(*(xy[left] - xy[right]).T) + 1.0
    is_river = lattice.is_river_cell[cell]
    is_rail = lattice.is_strip_cell[cell] & ~is_river
    wet, railed = is_river[left] | is_river[right], is_rail[left] | is_rail[right]
    cost: Floats = way * np.where(wet, _RIVER_COST, np.where(railed, _RAIL_COST, 1.0))
    return cost
