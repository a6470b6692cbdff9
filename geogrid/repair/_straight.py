"""Cells run straight along locked ones and the limit, which cannot take every node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.planar.noding import line_work
from geogrid.planar.rings import pack

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.planar.lattice import Millimetres
    from geogrid.repair._ground import Shapes

__all__ = ["straightened"]

_TRIANGLE = 3


def straightened(united: Shapes, slack: Millimetres, is_locked: npt.NDArray[np.bool_]) -> Shapes:
    """Drop from free cells the nodes on fixed borders where no third cell meets.

    Parameters
    ----------
    united
        All mended cells there, locked ones with the nodes, in whole millimetres.
    slack
        Nodes that locked cells and the limit cannot take, shape (n, 2).
    is_locked
        Which of them are locked.
    """
    if not len(slack):
        return united
    drop = np.setdiff1d(pack(slack), _crossings(united))
    xy, owner = shapely.get_coordinates(united, return_index=True)
    has_some = np.unique(owner[np.isin(pack(np.rint(xy).astype(np.int64)), drop)])
    result = united.copy()
    for row in has_some[~is_locked[has_some]].tolist():
        shape = _without(united[row], drop)
        if shape.is_valid and not shape.is_empty:
            result[row] = shape
    return result


def _crossings(united: Shapes) -> npt.NDArray[np.int64]:
    """Return the packed nodes at which three borders meet."""
    xy, line = shapely.get_coordinates(line_work(united), return_index=True)
    node = pack(np.rint(xy).astype(np.int64))
    runs = line[1:] == line[:-1]
    ends = np.sort(np.column_stack((node[:-1], node[1:]))[runs], axis=1)
    nodes, degree = np.unique(np.unique(ends, axis=0), return_counts=True)
    many: npt.NDArray[np.int64] = nodes[degree != 2]  # noqa: PLR2004 - one in, one out
    return many


def _without(
    shape: shapely.Polygon | shapely.MultiPolygon, drop: npt.NDArray[np.int64]
) -> shapely.Polygon | shapely.MultiPolygon:
    def ring(line: shapely.LinearRing) -> npt.NDArray[np.float64]:
        xy = shapely.get_coordinates(line)[:-1]
        kept = xy[~np.isin(pack(np.rint(xy).astype(np.int64)), drop)]
        return kept if len(kept) >= _TRIANGLE else xy

    parts = [
        shapely.Polygon(ring(part.exterior), [ring(hole) for hole in part.interiors])
        for part in shapely.get_parts([shape])
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
