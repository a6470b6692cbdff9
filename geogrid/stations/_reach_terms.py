"""What a measured reach says about its own terms: the limit, the streets, who counts for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.errors import InputError
from geogrid.walking.inputs import Placed
from geogrid.walking.pace import PRESETS, Pace
from geogrid.walking.slope import Ground, sloped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.model.reach import Reach
    from geogrid.walking import WalkNetwork
    from geogrid.walking.search import Streets

__all__ = ["FARTHEST_M", "ReachTerms"]

# Longer than any walk: without a limit, what cannot be reached would count as reached.
FARTHEST_M = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachTerms:
    """One limit of a reach, for asking more of it.

    Attributes
    ----------
    network
        The network that it was measured on.
    limit, unit, limit_m
        The limit as asked for, ``minutes`` or ``metres``, and in metres.
    pace
        Turns metres into minutes; ``None`` where no speed was given.
    to_station
        Whether people walk towards the stations.
    max_snap_m
        The longest leg to a street.
    counting
        Rows of the stations that count for the limit.
    ground
        What slows people down.
    """

    network: WalkNetwork
    limit: float
    unit: str
    limit_m: float
    pace: Pace | None
    to_station: bool
    max_snap_m: float
    counting: NDArray[np.intp]
    ground: Ground

    @classmethod
    def of(cls, reach: Reach, limit: float | None, ground: Ground | None = None) -> ReachTerms:
        """Read the terms of a reach.

        Parameters
        ----------
        reach
            As :meth:`geogrid.WalkNetwork.reach` gave it.
        limit
            One of its limits; the largest where absent.
        ground
            Heights and stairs that the reach was measured with.

        Raises
        ------
        InputError
            If the reach has no network or not this limit, or follows another ground.
        """
        if reach.network is None:
            msg = "this reach does not know its network: measure it with WalkNetwork.reach"
            raise InputError(msg)
        chosen = reach.limits[-1] if limit is None else limit
        if chosen not in reach.limits:
            known = ", ".join(f"{known:g}" for known in reach.limits)
            msg = f"this reach holds no limit {chosen:g}: use one of {known}, or measure it again"
            raise InputError(msg)
        facts, row = reach.assumptions, reach.limits.index(chosen)
        limit_m = float(facts["limits_m"][row])
        ground = ground or Ground()
        if ground.text() != facts.get("ground", ""):
            msg = "this reach follows other heights or stairs: give those that it was measured with"
            raise InputError(msg)
        circles = reach.circles
        drawn = circles["station"][circles["metres"] == limit_m]
        counts = reach.stations["station"].isin(drawn).to_numpy()
        return cls(
            network=reach.network,
            limit=chosen,
            unit="minutes" if "minutes" in circles else "metres",
            limit_m=limit_m,
            pace=_pace(facts.get("preset"), facts.get("speed_kmh")),
            to_station=facts["direction"] == "to_station",
            max_snap_m=float(facts["max_snap_m"]),
            counting=np.flatnonzero(counts),
            ground=ground,
        )

    def streets(self, *, from_stations: bool) -> Streets:
        """Return streets that run away from the stations, or away from the households."""
        streets = self.network.streets
        if not self.ground.is_level:
            streets = sloped(streets, self.network.edge_table, self.ground)
        return streets.turned() if self.is_turned(from_stations=from_stations) else streets

    def is_turned(self, *, from_stations: bool) -> bool:
        """Tell whether those streets run the other way than the edges of the network."""
        return self.to_station == from_stations

    def placed(self, points: NDArray[np.object_], *, from_stations: bool) -> Placed:
        """Place points on those streets; a missing point is off the network."""
        spots = self.network.edge_index.snap(points, max_snap_m=self.max_snap_m)
        placed = Placed(points=points, spots=spots)
        if self.is_turned(from_stations=from_stations):
            return placed.turned(self.network.length_m)
        return placed

    def minutes(self, metres: float) -> float:
        """Return how long a walk takes; NaN where no speed was given."""
        if self.pace is None or not np.isfinite(metres):
            return float("nan")
        return float(self.pace.minutes(np.array([metres]))[0])

    @property
    def limit_zh(self) -> str:
        """The limit as people read it: ``15分钟（1200米）`` or ``800米``."""
        if self.unit == "minutes":
            return f"{self.limit:g}分钟（{self.limit_m:g}米）"
        return f"{self.limit_m:g}米"

    @property
    def limit_en(self) -> str:
        """The limit in English."""
        if self.unit == "minutes":
            return f"{self.limit:g} minutes ({self.limit_m:g} m)"
        return f"{self.limit_m:g} m"


def _pace(preset: Any, speed_kmh: Any) -> Pace | None:  # noqa: ANN401 - read from a mapping
    if preset in PRESETS:
        return PRESETS[preset]
    if speed_kmh is None:
        return None
    return Pace(key="custom", title_zh="自定步速", speed_kmh=float(speed_kmh))
