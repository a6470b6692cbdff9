"""Places along the streets that could hold a station, where no premises are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.walking import WalkNetwork

__all__ = ["street_sites"]

# A crossroads is where at least three streets meet.
_CROSSROADS = 3

# More places than this make no better plan, only a longer search.
_MOST_SITES = 20_000


def street_sites(network: WalkNetwork, *, spacing_m: float) -> gpd.GeoDataFrame:
    """Return places on the network of which no two are nearer than ``spacing_m``.

    Crossroads come first, then other nodes and points along the streets, each from west to east;
    so the same streets give the same places, in whatever order they are listed.

    Parameters
    ----------
    network
        The streets.
    spacing_m
        Least straight distance between two places.

    Returns
    -------
    GeoDataFrame
        ``station`` (K1, K2 …) and ``geometry``.

    Raises
    ------
    InputError
        If the spacing makes no sense, or leaves more than 20 000 places.
    """
    if not (np.isfinite(spacing_m) and spacing_m > 0):
        msg = f"spacing_m={spacing_m:g} is no distance between sites: give more than 0 metres"
        raise InputError(msg)
    degree = np.bincount(np.concatenate([network.u, network.v]), minlength=len(network.xy))
    used = degree > 0
    pieces = np.ceil(network.length_m / spacing_m).astype(np.int64)
    edge = np.repeat(np.arange(len(pieces)), pieces)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = (within + 0.5) / pieces[edge]
    along = shapely.line_interpolate_point(network.geometry[edge], share, normalized=True)
    xy = np.vstack([network.xy[used], shapely.get_coordinates(along)])
    is_minor = np.append(degree[used] < _CROSSROADS, np.ones(len(edge), dtype=np.bool_))
    order = np.lexsort((xy[:, 1], xy[:, 0], is_minor))
    points = np.asarray(shapely.points(xy[order]))
    kept = _thinned(points, spacing_m)
    return gpd.GeoDataFrame(
        {"station": [f"K{number}" for number in range(1, len(kept) + 1)]},
        geometry=points[kept],
        crs=network.crs,
    )


def _thinned(points: NDArray[np.object_], spacing_m: float) -> NDArray[np.int64]:
    """Return the rows that stay when each point drives out the later ones near it."""
    tree = shapely.STRtree(points)
    is_free, kept = np.ones(len(points), dtype=np.bool_), []
    for row in range(len(points)):
        if not is_free[row]:
            continue
        kept.append(row)
        if len(kept) > _MOST_SITES:
            msg = (
                f"sites {spacing_m:g} m apart are more than {_MOST_SITES}: give a greater "
                "spacing, or premises as candidates"
            )
            raise InputError(msg)
        is_free[tree.query(points[row], predicate="dwithin", distance=spacing_m)] = False
    return np.array(kept, dtype=np.int64)
