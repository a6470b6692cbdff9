"""Children fill their parents exactly: the same cancellation, parent by parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.coverage._faces import Finding
from geogrid.coverage._width import widths
from geogrid.planar.edges import directed_edges
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

__all__ = ["nesting_findings", "parent_positions"]


def parent_positions(cells: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> npt.NDArray[np.int64]:
    """Return the row of each cell's parent: by its ``parent`` code, else by an inner point.

    A cell whose parent is not there gets -1.
    """
    if "parent" in cells and "code" in parents:
        codes = parents["code"].astype(str).to_numpy()
        lookup = {code: row for row, code in enumerate(codes)}
        wanted = cells["parent"].astype(str)
        return np.array([lookup.get(code, -1) for code in wanted], dtype=np.int64)
    points = shapely.point_on_surface(cells.geometry.to_numpy())
    cell, parent = parents.sindex.query(points, predicate="intersects")
    position = np.full(len(cells), -1, dtype=np.int64)
    position[cell[::-1]] = parent[::-1]
    return position


def nesting_findings(cells: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> list[Finding]:
    """Find cells that reach beyond their parent, by the edges that no child and parent share.

    Returns
    -------
    list of Finding
        ``spans_parents`` with the position of the cell; the geometry is what lies outside its
        parent, all of it where the parent is not there.
    """
    position = parent_positions(cells, parents)
    shapes = np.concatenate((cells.geometry.to_numpy(), parents.geometry.to_numpy()))
    edges = directed_edges(shapes)
    family = np.concatenate((position, np.arange(len(parents))))[edges.owner]
    key, sign = edges.undirected()
    signed = np.where(edges.owner >= len(cells), -sign, sign).astype(np.int64)
    order = np.lexsort((key, family))
    change = (np.diff(key[order]) != 0) | (np.diff(family[order]) != 0)
    first = np.flatnonzero(np.r_[True, change])
    sums = np.add.reduceat(signed[order], first)
    run = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(key)]))
    left = order[sums[run] != 0]
    suspects = np.unique(edges.owner[left][edges.owner[left] < len(cells)])
    beyond = _beyond(shapes, suspects, np.where(position < 0, -1, len(cells) + position))
    parts, owner = shapely.get_parts(beyond, return_index=True)
    width = np.zeros(len(suspects))
    np.maximum.at(width, owner, widths(parts))
    return [
        Finding(DefectKind.SPANS_PARENTS, (int(suspects[at]),), beyond[at], float(width[at]))
        for at in np.flatnonzero((shapely.area(beyond) > 0) & (width > _ROUNDING_M))
    ]


def _beyond(
    shapes: npt.NDArray[np.object_],
    suspects: npt.NDArray[np.int64],
    parent: npt.NDArray[np.int64],
) -> npt.NDArray[np.object_]:
    """Return what of each suspect lies outside its parent: all of it where there is none."""
    sound = shapes.copy()
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    sound[broken] = shapely.make_valid(shapes[broken])
    beyond = sound[suspects]
    held = np.flatnonzero(parent[suspects] >= 0)
    above = sound[parent[suspects[held]]]
    shapely.prepare(above)
    # Where cells need not fill their parent nearly all are suspects, and nearly all lie inside.
    inside = shapely.covers(above, beyond[held])
    beyond[held[inside]] = shapely.Polygon()
    beyond[held[~inside]] = shapely.difference(beyond[held[~inside]], above[~inside])
    return beyond


# A child that differs from its parent by less than a lattice step differs by rounding only.
_ROUNDING_M = 0.001
