"""Edges and rings with the nodes in whose pixel they pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.repair._suspects import on_pixel

if TYPE_CHECKING:
    from geogrid.planar.lattice import Millimetres
    from geogrid.repair._ground import Shapes

__all__ = ["bent_edges", "bent_rings", "corner_nodes"]

Indices = npt.NDArray[np.int64]


def _on_the_way(
    ends: Millimetres, nodes: Millimetres, *, with_corner: bool = True
) -> tuple[Indices, Indices, Indices]:
    """Return pairs: number of an edge, number of a node in whose pixel it passes, and how far."""
    lines = np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)
    tree = shapely.STRtree(np.asarray(shapely.points(nodes.astype(np.float64)), dtype=object))
    edge, node = tree.query(lines, predicate="dwithin", distance=1.0)
    passes, _, along = on_pixel(ends[edge, 0], ends[edge, 1], nodes[node], with_corner=with_corner)
    return edge[passes], node[passes], along[passes]


def corner_nodes(ends: Millimetres, nodes: Millimetres) -> Millimetres:
    """Return the nodes whose pixel edges (n, 2, 2) touch in a corner and never pass."""
    all_nodes = _on_the_way(ends, nodes)[1]
    passed = _on_the_way(ends, nodes, with_corner=False)[1]
    touched = np.setdiff1d(all_nodes, passed)
    own = (nodes[touched, None] == ends.reshape(1, -1, 2)).all(axis=2).any(axis=1)
    there: Millimetres = nodes[touched[~own]]
    return there


def bent_edges(ends: Millimetres, nodes: Millimetres) -> Shapes:
    """Return edges (n, 2, 2) as lines with the nodes in whose pixel they pass."""
    edge, node, along = _on_the_way(ends, nodes)
    numbers = np.arange(len(ends))
    number = np.concatenate((numbers, edge, numbers))
    far = np.full(len(ends), np.iinfo(np.int64).max)
    order = np.lexsort((np.concatenate((-far, along, far)), number))
    xy = np.concatenate((ends[:, 0], nodes[node], ends[:, 1]))[order].astype(np.float64)
    return np.asarray(shapely.linestrings(xy, indices=number[order]), dtype=object)


def bent_rings(polygons: Shapes, nodes: Millimetres) -> Shapes:
    """Give plain polygons the nodes in whose pixel they pass, as the noding did."""
    _, xy, offsets = shapely.to_ragged_array(polygons)
    whole = np.rint(xy).astype(np.int64)
    starts = np.ones(len(whole), dtype=np.bool_)
    starts[offsets[0][1:] - 1] = False
    first = np.flatnonzero(starts)
    edge, node, along = _on_the_way(np.stack((whole[first], whole[first + 1]), axis=1), nodes)
    order = np.lexsort((along, edge))
    place = first[edge[order]] + 1
    bent = np.insert(whole, place, nodes[node[order]], axis=0).astype(np.float64)
    rings = offsets[0] + np.searchsorted(place, offsets[0], side="left")
    kind = shapely.GeometryType.POLYGON
    result = np.asarray(shapely.from_ragged_array(kind, bent, (rings, *offsets[1:])), dtype=object)
    broken = ~shapely.is_valid(result)
    result[broken] = shapely.make_valid(result[broken], method="structure", keep_collapsed=False)
    return result
