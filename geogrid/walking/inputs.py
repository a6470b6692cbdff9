"""Check the points that a reach starts from, and bring them into the network's frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.errors import CrsError, InputError
from geogrid.model.counts import row_list
from geogrid.vocabulary import StationStatus

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geogrid.walking.snap import Spots

__all__ = ["Placed", "points_in_frame", "station_names"]

_POINT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Named or counted points and where they are on the network."""

    points: NDArray[np.object_]
    spots: Spots

    @property
    def status(self) -> list[str]:
        """Whether each point takes part, as :class:`~geogrid.vocabulary.StationStatus`."""
        state = np.where(
            self.spots.is_on, StationStatus.REACHED.value, StationStatus.OFF_NETWORK.value
        ).astype(object)
        state[shapely.is_missing(self.points)] = StationStatus.NO_POINT.value
        return [str(status) for status in state]

    def turned(self, length_m: NDArray[np.float64]) -> Placed:
        """Measure positions from the other end of their edges."""
        return replace(self, spots=self.spots.turned(length_m))


def points_in_frame(
    frame: gpd.GeoDataFrame, crs: CRS | None, *, what: str, keep_missing: bool = False
) -> NDArray[np.object_]:
    """Return the points of ``frame`` in ``crs``, one a row.

    Parameters
    ----------
    frame
        A table of points.
    crs
        The frame of the network.
    what
        What the rows are, for messages.
    keep_missing
        Whether rows without a point stay, as ``None``; else they are refused.

    Raises
    ------
    InputError
        If a row has no geometry, an empty one, or one that is not a point.
    CrsError
        If only one of frame and network has a coordinate system, or a point leaves the frame.
    """
    points = frame.geometry.to_numpy()
    is_void = shapely.is_missing(points) | shapely.is_empty(points)
    void = np.flatnonzero(is_void)
    if len(void) and not keep_missing:
        msg = f"{len(void)} {what} have no point (rows {row_list(void)}): place them or drop them"
        raise InputError(msg)
    other = np.flatnonzero(~is_void & (shapely.get_type_id(points) != _POINT))
    if len(other):
        msg = f"{len(other)} {what} are not points (rows {row_list(other)}): give one point each"
        raise InputError(msg)
    if (frame.crs is None) != (crs is None):
        bare = f"the {what} have" if frame.crs is None else "the network has"
        msg = f"{bare} no coordinate system: set it, so that both are in one frame"
        raise CrsError(msg)
    if crs is not None and frame.crs != crs:
        points = frame.geometry.to_crs(crs).to_numpy()
    points = np.asarray(shapely.force_2d(points))
    points[is_void] = None
    xy, row = shapely.get_coordinates(points, return_index=True)
    lost = row[~np.isfinite(xy).all(axis=1)]
    if len(lost):
        msg = f"{len(lost)} {what} leave the network's frame (rows {row_list(lost)}): check them"
        raise CrsError(msg)
    return np.asarray(points)


def station_names(stations: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the name of each station as text, S1, S2 … where there is no column ``station``.

    Raises
    ------
    InputError
        If there is no station, or a name is missing or used twice.
    """
    if stations.empty:
        msg = "there is no station: give at least one point"
        raise InputError(msg)
    if "station" not in stations.columns:
        return np.array([f"S{number}" for number in range(1, len(stations) + 1)], dtype=object)
    column = stations["station"]
    missing = np.flatnonzero(column.isna().to_numpy() | (column.astype(str) == "").to_numpy())
    if len(missing):
        msg = f"{len(missing)} stations have no name (rows {row_list(missing)}): name or drop them"
        raise InputError(msg)
    names = column.astype(str)
    twice = names[names.duplicated()].unique()
    if len(twice):
        msg = f"the station name {twice[0]} is used twice: names must be unique"
        raise InputError(msg)
    return names.to_numpy(dtype=object)
