"""Cells that others cover: whoever mends the rest cannot leave them any ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.edges import DirectedEdges, directed_edges
from geogrid.repair._suspects import on_pixel

if TYPE_CHECKING:
    from geogrid.repair._faces import CellIndex, Faces
    from geogrid.repair._ground import Ground

__all__ = ["groundless"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# A cell that would keep less than a tenth of its ground is erased in all but its name.
_LEAST_SHARE = 0.1


def groundless(
    ground: Ground, faces: Faces, index: CellIndex, *, rank: Indices, is_locked: Flags
) -> list[int]:
    """Name the cells that others cover, until each of the rest has ground.

    Of cells that cover each other a locked one stays, unless another locked one covers it. Of the
    rest the one with the greatest share of loose border is named first: a mended cell has none, so
    mending again names the same ones. Then the smaller one, then the later code.

    Parameters
    ----------
    ground
        All cells and the limit.
    faces
        Faces of all cells in question.
    index
        The cells that take part.
    rank, is_locked
        Order of the codes, and who is locked.

    Returns
    -------
    list of int
        Rows, also of cells that lie wholly outside the limit.
    """
    count = len(ground.cells)
    named = np.zeros(count, dtype=np.bool_)
    bare = _bare(faces, named, is_locked)
    if not bare.any():
        return []
    rows = np.flatnonzero(bare)
    loose = np.zeros(count)
    loose[rows] = _loose_shares(ground, faces, index, rows)
    areas = shapely.area(ground.cells)
    order = np.argsort(np.lexsort((-rank, areas, -loose, is_locked)), kind="stable")
    while bare.any():
        named |= _first_of_each_heap(faces, bare, order)
        bare = _bare(faces, named, is_locked)
    return np.flatnonzero(named).tolist()


def _bare(faces: Faces, named: Flags, is_locked: Flags) -> Flags:
    """Tell which cells have no ground of their own beside all but the named ones.

    What only one locked cell covers is its own.
    """
    inside = faces.in_limit[faces.face]
    face, cell = faces.face[inside], faces.cell[inside]
    area = faces.area_m2[face]
    count = len(named)
    whole = np.bincount(faces.cell, faces.area_m2[faces.face], minlength=count)
    kept = ~named[cell]
    covers = np.bincount(face[kept], minlength=len(faces.shapes))
    locked = kept & is_locked[cell]
    locks = np.bincount(face[locked], minlength=len(faces.shapes))
    own = kept & (np.where(locked, locks[face], covers[face]) == 1)
    share = np.bincount(cell[own], area[own], minlength=count)
    # A big cell that mostly hangs over the limit but has that ground to itself is trimmed.
    held = np.bincount(cell[kept], area[kept], minlength=count)
    bare: Flags = (share <= _LEAST_SHARE * whole) & ((held > share) | (held == 0))
    bare &= ~named
    bare[np.setdiff1d(np.arange(count), faces.cell)] = False
    return bare


def _first_of_each_heap(faces: Faces, bare: Flags, order: Indices) -> Flags:
    """Tell which bare cells come before all bare cells that they share a face with.

    Naming one gives ground to those it shares a face with and to no others, so that many heaps
    may be taken down at once.
    """
    among = bare[faces.cell]
    face, cell = faces.face[among], faces.cell[among]
    first = np.full(len(faces.shapes), len(order), dtype=np.int64)
    np.minimum.at(first, face, order[cell])
    is_first = bare.copy()
    is_first[cell[first[face] < order[cell]]] = False
    return is_first


def _loose_shares(
    ground: Ground, faces: Faces, index: CellIndex, rows: Indices
) -> npt.NDArray[np.float64]:
    """Return the share of each cell's border that neither a neighbour nor the limit continues.

    Cells that share a face with it are no neighbours. A border along the limit may miss it by
    less than the lattice.
    """
    at, near = index.query(ground.cells[rows])
    there = np.unique(near)
    edges = directed_edges(ground.cells_m[there], origin=ground.origin)
    start = np.searchsorted(edges.owner, np.arange(len(there) + 1))
    size = len(edges.xy)
    walk, back = edges.tail * size + edges.head, edges.head * size + edges.tail
    neighbours = np.split(near, np.searchsorted(at, np.arange(1, len(rows))))
    alone = []
    for row, beside in zip(rows.tolist(), neighbours, strict=True):
        overlapping = faces.cell[np.isin(faces.face, faces.face[faces.cell == row])]
        places = np.searchsorted(there, np.setdiff1d(beside, overlapping))
        own = np.arange(*start[np.searchsorted(there, row) + np.array([0, 1])])
        others = [back[start[place] : start[place + 1]] for place in places]
        alone.append(own[~np.isin(walk[own], np.concatenate([*others, walk[:0]]))])
    loose = np.concatenate(alone)
    loose = loose[~_along_limit(ground, edges, loose)]
    lengths = np.bincount(edges.owner[loose], edges.metres(loose), minlength=len(there))
    whole = np.bincount(edges.owner, edges.metres(np.arange(len(walk))), minlength=len(there))
    share = lengths / np.maximum(whole, 1e-3)
    # However its metres were summed, an equal cell is equal.
    return np.asarray(np.round(share[np.searchsorted(there, rows)], 6), dtype=np.float64)


def _along_limit(ground: Ground, edges: DirectedEdges, some: Indices) -> Flags:
    """Tell which edges run along one edge of the limit, with the limit on the same side."""
    limit = directed_edges([ground.limit_m], origin=ground.origin)
    ends = np.stack((limit.xy[limit.tail], limit.xy[limit.head]), axis=1)
    lines = np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)
    tree = shapely.STRtree(lines)
    tail, head = edges.xy[edges.tail[some]], edges.xy[edges.head[some]]
    middles = shapely.points((tail + head) / 2)
    edge, along = tree.query(middles, predicate="dwithin", distance=1.0)
    start, end = ends[along, 0], ends[along, 1]
    one, other = tail[edge], head[edge]
    begins = (one == start).all(axis=1) | on_pixel(start, end, one)[0]
    stops = (other == end).all(axis=1) | on_pixel(start, end, other)[0]
    runs = begins & stops & (((end - start) * (other - one)).sum(axis=1) > 0)
    result = np.zeros(len(some), dtype=np.bool_)
    result[edge[runs]] = True
    return result
