"""The tables of a reach: circles, pieces of streets, stations, households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.model.reach import limit_column
from geogrid.walking.pieces import Pieces
from geogrid.walking.search import EPSILON_M

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geogrid.walking.homes import Service
    from geogrid.walking.inputs import Placed
    from geogrid.walking.pace import Limits

__all__ = ["Frame", "circle_table", "household_table", "line_table", "station_table"]

# Two limits name a station as near within a micrometre.
_TIE_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all tables share.

    Attributes
    ----------
    names, index
        Name and input index of each station.
    limits
        The limits.
    counts_for
        Which limit (row) counts for which station (column).
    crs
        The frame of the network.
    """

    names: NDArray[np.object_]
    index: pd.Index[Any]
    limits: Limits
    counts_for: NDArray[np.bool_]
    crs: CRS | None

    @property
    def rank(self) -> NDArray[np.int64]:
        """Place of each station in the order of names."""
        return np.argsort(np.argsort(self.names.astype(str), kind="stable")).astype(np.int64)

    def columns(self, row: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        """Return the columns of limits: ``metres``, and ``minutes`` where they were asked for."""
        metres = {"metres": np.array(self.limits.metres)[row]}
        if self.limits.unit == "metres":
            return metres
        return {"minutes": np.array(self.limits.values)[row], **metres}


def line_table(
    frame: Frame, pieces: list[Pieces], lines: list[NDArray[np.object_]]
) -> gpd.GeoDataFrame:
    """Return the pieces of all limits, sorted by station and limit."""
    of_limit = np.repeat(np.arange(len(pieces)), [len(parts.edge) for parts in pieces])
    every = Pieces.concat(pieces)
    order = np.lexsort((every.start_m, every.edge, of_limit, every.spot))
    return gpd.GeoDataFrame(
        {
            "station": frame.names[every.spot[order]],
            **frame.columns(of_limit[order]),
            "length_m": every.length_m[order],
        },
        geometry=np.concatenate(lines)[order],
        crs=frame.crs,
    ).astype({"station": "str"})


def circle_table(
    frame: Frame, starts: Placed, circles: NDArray[np.object_], look: str
) -> gpd.GeoDataFrame:
    """List the circles; none where not even the station's leg fits the limit."""
    leg = starts.spots.leg_m[:, np.newaxis]
    is_drawn = (leg <= np.array(frame.limits.metres) + EPSILON_M) & frame.counts_for.T
    station, limit = np.nonzero(is_drawn)
    return gpd.GeoDataFrame(
        {
            "station": frame.names[station],
            **frame.columns(limit),
            "look": look,
            "parts": shapely.get_num_geometries(circles[station, limit]).astype(np.int64),
        },
        geometry=circles[station, limit],
        crs=frame.crs,
    ).astype({"station": "str", "look": "str"})


def station_table(
    frame: Frame, starts: Placed, service: Service, more: dict[str, Any]
) -> gpd.GeoDataFrame:
    """List all stations; ``more`` holds further columns."""
    columns: dict[str, Any] = {
        "station": frame.names,
        "status": starts.status,
        "snap_m": starts.spots.leg_m,
        **more,
        # Of one station a larger limit holds all that a smaller one does.
        "households": service.load.max(axis=0),
    }
    for prefix, table in (
        ("households", service.load),
        ("nearest", service.nearest_load),
        ("only_here", service.only_here),
    ):
        for value, counts in zip(frame.limits.values, table, strict=True):
            columns[limit_column(value, prefix)] = counts
    return gpd.GeoDataFrame(
        columns, geometry=starts.points, crs=frame.crs, index=frame.index
    ).astype({"station": "str", "status": "str"})


def household_table(
    frame: Frame,
    households: gpd.GeoDataFrame,
    counts: NDArray[np.int64],
    homes: Placed,
    service: Service,
) -> gpd.GeoDataFrame:
    """List all households with their nearest station of those that serve them."""
    metres, nearest = _nearest(service, frame.rank)
    columns: dict[str, Any] = {"households": counts, "served": service.count[-1] > 0}
    if frame.limits.pace is not None:
        columns["minutes"] = frame.limits.pace.minutes(metres)
    columns["metres"] = metres
    columns["station"] = np.append(frame.names, "")[nearest]
    columns["count"] = service.count[-1]
    columns["status"] = homes.status
    for value, count in zip(frame.limits.values, service.count, strict=True):
        columns[limit_column(value)] = count > 0
    return gpd.GeoDataFrame(
        columns, geometry=homes.points, crs=frame.crs, index=households.index
    ).astype({"station": "str", "status": "str"})


def _nearest(
    service: Service, rank: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the nearest station of those that serve within any limit: metres (NaN), row (-1).

    The tiers that count may differ by limit, so that the nearest does.
    """
    metres, nearest = service.metres[-1].copy(), service.nearest[-1].copy()
    order = np.append(rank, len(rank))
    for far, station in zip(service.metres[-2::-1], service.nearest[-2::-1], strict=True):
        with np.errstate(invalid="ignore"):
            step = np.rint(far / _TIE_M) - np.rint(metres / _TIE_M)
        is_first = (step < 0) | ((step == 0) & (order[station] < order[nearest]))
        nearest = np.where(is_first, station, nearest)
        metres = np.minimum(metres, far)
    return np.where(np.isinf(metres), np.nan, metres), nearest
