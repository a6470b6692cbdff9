"""Circles that the data cuts off: stations that reach the rim of what an extract holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from shapely.geometry import Polygon

    from geogrid.walking.search import EdgeReach, Streets

__all__ = ["RIM_M", "reaches_rim"]

# An extract cuts streets at the last node that it holds, some steps before its border.
RIM_M = 50.0


def reaches_rim(
    streets: Streets,
    xy: NDArray[np.float64],
    box: Polygon | None,
    reach: Iterable[EdgeReach],
    stations: int,
) -> NDArray[np.bool_]:
    """Tell which stations reach a node at the rim of the data, so that their circle is cut off.

    Parameters
    ----------
    streets, xy
        The network and the places of its nodes.
    box
        The area that the data claims to hold; nothing is cut off where it is not known.
    reach
        What the stations reach within their largest limit.
    stations
        How many there are.
    """
    is_cut = np.zeros(stations, dtype=bool)
    if box is None:
        return is_cut
    border = shapely.boundary(box)
    shapely.prepare([box, border])
    for part in reach:
        spot, node = _ends(streets, part)
        nodes, number = np.unique(node, return_inverse=True)
        points = shapely.points(xy[nodes])
        near = shapely.dwithin(border, points, RIM_M)
        at_rim = np.asarray(~shapely.contains(box, points) | near)
        is_cut[spot[at_rim[number]]] = True
    return is_cut


def _ends(streets: Streets, part: EdgeReach) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return (spot, node) of all nodes in reach."""
    has_u, has_v = np.isfinite(part.from_u), np.isfinite(part.from_v)
    spot = np.concatenate([part.spot[has_u], part.spot[has_v]])
    node = np.concatenate([streets.u[part.edge[has_u]], streets.v[part.edge[has_v]]])
    return spot, node
