"""Every walk between stations and households that is short enough, as a sparse table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["WalkTable"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WalkTable:
    """Who could walk to which station, for choosing sites.

    Attributes
    ----------
    station, household
        Input row of the station and of the household of each walk; sorted by both.
    metres
        Length of each walk, the legs at both ends included.
    households
        How many households stand at each input row of households.
    station_status, household_status
        A :class:`~geogrid.vocabulary.StationStatus` for each input row, also of those that no
        walk reaches.
    """

    station: NDArray[np.int64]
    household: NDArray[np.int64]
    metres: NDArray[np.float64]
    households: NDArray[np.int64]
    station_status: list[str]
    household_status: list[str]
