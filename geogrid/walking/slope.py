"""What hills and stairs cost: metres on level ground that take as long.

Speed follows Tobler's hiking function, 6 exp(-3.5 |s + 0.05|) km/h for the slope s (W. Tobler,
Three presentations on geographical analysis and modeling, NCGIA technical report 93-1, 1993). Only
its shape is used: on level ground one walks as fast as the preset says, so a metre of slope s costs
exp(3.5 (|s + 0.05| - 0.05)) metres. A gentle way down is quicker than level ground, by a sixth at
most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.model.heights import HeightGrid
    from geogrid.walking.build import EdgeTable
    from geogrid.walking.pace import Limits
    from geogrid.walking.search import Streets

__all__ = ["STEEPEST", "Ground", "sloped"]

_STEEPNESS, _BEST = 3.5, 0.05

# Heights are of the ground, streets are drawn beside it: no street that people walk is steeper.
STEEPEST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What slows people down.

    Attributes
    ----------
    heights
        In the frame of the network; ``None`` takes the ground as level.
    steps_factor
        How much longer a metre of stairs takes than one of street, on top of the slope.
    """

    heights: HeightGrid | None = None
    steps_factor: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.steps_factor) and self.steps_factor >= 1):
            msg = f"steps_factor={self.steps_factor:g} makes stairs no slower: give 1 or more"
            raise InputError(msg)

    @property
    def is_level(self) -> bool:
        """Whether nothing slows anybody down."""
        return self.heights is None and self.steps_factor == 1

    def require_minutes(self, limits: Limits) -> None:
        """Refuse what is measured along the ground, however long it takes.

        Raises
        ------
        InputError
            If metres, or a preset with metres of its own, were asked for.
        """
        speed = None if limits.pace is None else limits.pace.speed_kmh
        if not self.is_level and (limits.unit != "minutes" or speed is None):
            msg = "heights and steps_factor change minutes only: give minutes and a speed"
            raise InputError(msg)

    def text(self) -> str:
        """Return the assumption for printing, empty on level ground."""
        if self.is_level:
            return ""
        slope = "" if self.heights is None else f"坡度按 Tobler 函数（{self.heights.name}）"
        steps = "" if self.steps_factor == 1 else f"台阶耗时 {self.steps_factor:g} 倍"
        return "，".join(part for part in (slope, steps) if part)


def sloped(streets: Streets, edges: EdgeTable, ground: Ground) -> Streets:
    """Return streets with the cost of each way up and down.

    On bridges and in tunnels only the heights of the two ends count, because the ground between is
    another one; where a height is unknown the ground is taken as level.
    """
    along = against = np.ones(len(streets.u))
    if ground.heights is not None:
        along, against = _costs(edges, ground.heights)
    if edges.is_stairs is not None:
        factor = np.where(edges.is_stairs, ground.steps_factor, 1.0)
        along, against = along * factor, against * factor
    return replace(streets, along=along, against=against)


def _costs(
    edges: EdgeTable, heights: HeightGrid
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean cost of a metre in and against the direction of each edge."""
    line_m = shapely.length(edges.geometry)
    parts = np.maximum(np.ceil(line_m / heights.cell_m), 1).astype(np.int64)
    if edges.is_span is not None:
        parts[edges.is_span] = 1
    edge = np.repeat(np.arange(len(parts)), parts)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(parts) - parts, parts)
    step = (line_m / parts)[edge]
    ends = [_heights_at(edges, heights, edge, (number + side) * step) for side in (0, 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.nan_to_num((ends[1] - ends[0]) / step, nan=0.0, posinf=0.0, neginf=0.0)
    slope = np.clip(slope, -STEEPEST, STEEPEST)
    along, against = (
        np.bincount(edge, weights=_cost(rise), minlength=len(parts)) / parts
        for rise in (slope, -slope)
    )
    return along, against


def _heights_at(
    edges: EdgeTable,
    heights: HeightGrid,
    edge: NDArray[np.int64],
    along: NDArray[np.float64],
) -> NDArray[np.float64]:
    place = shapely.line_interpolate_point(edges.geometry[edge], along)
    return heights.at(shapely.get_coordinates(place))


def _cost(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(_STEEPNESS * (np.abs(slope + _BEST) - _BEST)))
