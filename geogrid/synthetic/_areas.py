"""Polygons of towns, units and groups from one noding, so that they nest vertex for vertex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.edges import dissolve
from geogrid.planar.noding import cut_faces

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon

    from geogrid.synthetic._lattice import Lattice
    from geogrid.synthetic._lines import LineWork
    from geogrid.synthetic._pieces import Pieces

__all__ = ["Areas", "area_of_lines", "make_areas"]

Indices = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Areas:
    """Polygons by number: ``finest`` (groups, then whole communities), ``unit``, ``town``.

    ``limit`` has the nodes that their borders put on it. ``edges`` are the lattice edges that the
    finest borders run along, ``unit_edges`` those of them between two units.
    """

    limit: MultiPolygon
    finest: Shapes
    unit: Shapes
    town: Shapes
    edges: Indices
    unit_edges: Indices


def make_areas(
    lattice: Lattice,
    pieces: Pieces,
    work: LineWork,
    limit: MultiPolygon,
    finest: Indices,
    unit_of_finest: Indices,
    town_of_unit: Indices,
) -> Areas:
    """Cut the limit along the borders between pieces of different ``finest`` areas."""
    edges = _border_edges(lattice, pieces, finest)
    lines = work.polylines(edges).shapes()
    faces, noded = cut_faces(limit, lines)
    points = shapely.point_on_surface(faces)
    held = shapely.STRtree(pieces.shape).nearest(points)
    label = finest[held]
    shapes = _by_number(faces, label, len(unit_of_finest))
    units = _by_number(shapes, unit_of_finest, len(town_of_unit))
    towns = _by_number(units, town_of_unit, int(town_of_unit.max()) + 1)
    return Areas(
        limit=noded,
        finest=shapes,
        unit=units,
        town=towns,
        edges=edges,
        unit_edges=_border_edges(lattice, pieces, unit_of_finest[finest]),
    )


def _by_number(shapes: Shapes, label: Indices, count: int) -> Shapes:
    """Unite shapes by label; a label without any gets an empty polygon."""
    known, rank = np.unique(label, return_inverse=True)
    result = np.full(count, shapely.Polygon(), dtype=object)
    result[known] = dissolve(shapes, rank.reshape(-1).astype(np.int64))
    return result


def _border_edges(lattice: Lattice, pieces: Pieces, label: Indices) -> Indices:
    """Edges with different labels on their two sides, or within a cell beside them."""
    count = lattice.columns * lattice.rows
    low = np.full(count + 1, -1, dtype=np.int64)
    high = np.full(count + 1, -1, dtype=np.int64)
    order = np.lexsort((label, pieces.cell))
    cells, first = np.unique(pieces.cell[order], return_index=True)
    low[cells] = label[order][first]
    stops = np.concatenate([first[1:], [len(order)]]) - 1
    high[cells] = label[order][stops]
    one, other = lattice.edge_cells().T
    # An edge that bends can reach into the limit although the cell beside it does not.
    is_near = (low[one] >= 0) | (low[other] >= 0)
    differs = (low[one] != low[other]) | (high[one] != high[other]) | (low[one] != high[one])
    return np.flatnonzero(is_near & differs)


def area_of_lines(lines: Shapes, quads: Shapes) -> shapely.Geometry:
    """Return the faces between lines that lie in one of some quadrilaterals, united."""
    noded = shapely.union_all(lines)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([noded])))
    points = shapely.point_on_surface(faces)
    inside = np.unique(shapely.STRtree(quads).query(points, predicate="within")[0])
    return shapely.coverage_union_all(faces[inside])
