"""Faces between straight pieces on the lattice: only pieces that meet are noded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

if TYPE_CHECKING:
    from geogrid.planar.lattice import Millimetres

__all__ = ["meeting", "polygons_between", "segments"]

Indices = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


def segments(ends: Millimetres) -> Shapes:
    """Return pieces of shape (n, 2, 2) as line strings."""
    return np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)


def polygons_between(ends: Millimetres) -> Shapes:
    """Return the faces that straight pieces enclose.

    Parameters
    ----------
    ends
        End points of the pieces in whole millimetres, shape (n, 2, 2).

    Returns
    -------
    ndarray of Polygon
        Their corners are the pieces' ends and, as doubles, the places where pieces cross.
    """
    if not len(ends):
        return np.zeros(0, dtype=object)
    single = _undirected(ends)
    lines = segments(single)
    one, other = shapely.STRtree(lines).query(lines)
    pair = one < other
    one, other = one[pair], other[pair]
    meets = meeting(single[one], single[other])
    is_met = np.zeros(len(lines), dtype=np.bool_)
    is_met[one[meets]] = True
    is_met[other[meets]] = True
    pieces = lines[~is_met]
    if is_met.any():
        noded = shapely.get_parts([shapely.union_all(lines[is_met])])
        pieces = np.concatenate((pieces, noded))
    return np.asarray(shapely.get_parts(shapely.polygonize(pieces)), dtype=object)


def _undirected(ends: Millimetres) -> Millimetres:
    """Return every piece once, whichever way it was walked."""
    back = (ends[:, 0, 0] > ends[:, 1, 0]) | (
        (ends[:, 0, 0] == ends[:, 1, 0]) & (ends[:, 0, 1] > ends[:, 1, 1])
    )
    flat = np.where(back[:, None, None], ends[:, ::-1], ends).reshape(-1, 4)
    flat = flat[np.lexsort(flat.T)]
    is_new = np.ones(len(flat), dtype=np.bool_)
    is_new[1:] = (flat[1:] != flat[:-1]).any(axis=1)
    return flat[is_new].reshape(-1, 2, 2)


def meeting(one: Millimetres, other: Millimetres) -> npt.NDArray[np.bool_]:
    """Tell which pairs of pieces share more than an end of both, by exact integers.

    Parameters
    ----------
    one, other
        End points in whole millimetres, shape (n, 2, 2); their boxes overlap.
    """
    a, b, c, d = one[:, 0], one[:, 1], other[:, 0], other[:, 1]
    to_c, to_d = _side(a, b, c), _side(a, b, d)
    to_a, to_b = _side(c, d, a), _side(c, d, b)
    meets = (to_c * to_d <= 0) & (to_a * to_b <= 0)
    shares = np.zeros(len(one), dtype=np.bool_)
    goes_on = np.zeros(len(one), dtype=np.bool_)
    for here, there in ((a, b), (b, a)):
        for end, far in ((c, d), (d, c)):
            same = (here == end).all(axis=1)
            shares |= same
            # From a common end both go the same way: on one line they run together.
            goes_on |= same & (((there - here) * (far - end)).sum(axis=1) > 0)
    in_line = (to_c == 0) & (to_d == 0)
    touching: npt.NDArray[np.bool_] = shares & ~(in_line & goes_on)
    return meets & ~touching


def _side(a: Millimetres, b: Millimetres, c: Millimetres) -> Indices:
    """Return +1, 0 or -1: on which side of a line from ``a`` to ``b`` the point ``c`` lies."""
    cross = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    signs: Indices = np.sign(cross)
    return signs
