"""From stations to a reach: snap, search, cut, count, draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from geogrid.errors import InputError
from geogrid.model.counts import household_counts
from geogrid.model.reach import Reach
from geogrid.model.tiers import TierRule, tier_rule
from geogrid.model.walks import WalkTable
from geogrid.walking._tables import (
    Frame,
    circle_table,
    household_table,
    line_table,
    station_table,
)
from geogrid.walking.circles import Pen, draw_circles, polygon_text, require_look
from geogrid.walking.field import require_cell
from geogrid.walking.homes import HomeTable, Service, list_walks, serve
from geogrid.walking.inputs import Placed, points_in_frame, station_names
from geogrid.walking.pace import Limits, resolve_limits
from geogrid.walking.pieces import Pieces, piece_lines, reach_pieces
from geogrid.walking.rim import reaches_rim
from geogrid.walking.search import EdgeReach, search
from geogrid.walking.slope import Ground, sloped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geogrid.walking.network import WalkNetwork
    from geogrid.walking.search import Streets

__all__ = ["measure_reach", "measure_walks"]

_DIRECTIONS = ("to_station", "from_station")


def measure_reach(  # noqa: PLR0913 - WalkNetwork.reach, the public name, hands all of it on
    network: WalkNetwork,
    stations: gpd.GeoDataFrame,
    *,
    households: gpd.GeoDataFrame | None,
    minutes: float | Sequence[float] | None,
    metres: float | Sequence[float] | None,
    preset: str | None,
    speed_kmh: float | None,
    direction: str,
    max_snap_m: float,
    tiers: str | TierRule | Mapping[float, Sequence[str] | None] | None,
    ground: Ground,
    look: str,
    cell_m: float,
) -> Reach:
    """Measure a reach; see :meth:`geogrid.walking.network.WalkNetwork.reach`."""
    limits = resolve_limits(minutes=minutes, metres=metres, preset=preset, speed_kmh=speed_kmh)
    rule = tier_rule(tiers)
    ground.require_minutes(limits)
    _require_options(direction, max_snap_m)
    require_look(look)
    require_cell(cell_m)
    frame = Frame(
        names=station_names(stations),
        index=stations.index,
        limits=limits,
        counts_for=_counts_for(rule, stations, limits),
        crs=network.crs,
    )
    starts = _place(network, stations, "stations", max_snap_m)
    if households is None:
        households = gpd.GeoDataFrame(geometry=[], crs=network.crs)
    counts = household_counts(households)
    homes = _place(network, households, "households", max_snap_m)
    walk = _Walk.of(network, starts, homes, is_turned=direction == "to_station", ground=ground)
    reach = walk.search(limits.metres[-1])
    pieces = walk.pieces(reach, frame)
    lines = [piece_lines(network.geometry, network.length_m, parts) for parts in pieces]
    field = network.field(cell_m)
    pen = Pen(field=field, limits_m=limits.metres, longest_leg_m=max_snap_m, look=look)
    circles = draw_circles(pen, walk.streets, reach, starts, is_turned=walk.is_turned)
    service = walk.serve(reach, frame, counts)
    is_cut = reaches_rim(walk.streets, network.xy, network.box, reach, len(stations))
    more = {"tier": stations["tier"].to_numpy()} if "tier" in stations.columns else {}
    return Reach(
        circles=circle_table(frame, starts, circles, look),
        lines=line_table(frame, pieces, lines),
        stations=station_table(frame, starts, service, more | {"truncated": is_cut}),
        households=household_table(frame, households, counts, homes, service),
        limits=limits.values,
        assumptions={
            **_assumptions(network, limits, rule, direction, max_snap_m),
            "polygon": polygon_text(pen),
            "ground": ground.text(),
            "truncated": tuple(frame.names[is_cut].tolist()),
        },
        network=network,
    )


def measure_walks(
    network: WalkNetwork,
    stations: gpd.GeoDataFrame,
    households: gpd.GeoDataFrame,
    *,
    metres: float,
    direction: str,
    max_snap_m: float,
) -> WalkTable:
    """List walks; see :meth:`geogrid.walking.network.WalkNetwork.walks`."""
    limits = resolve_limits(minutes=None, metres=metres, preset=None, speed_kmh=None)
    _require_options(direction, max_snap_m)
    counts = household_counts(households)
    starts = _place(network, stations, "stations", max_snap_m)
    homes = _place(network, households, "households", max_snap_m)
    walk = _Walk.of(network, starts, homes, is_turned=direction == "to_station")
    reach = walk.search(limits.metres[-1])
    found = list_walks(walk.streets, reach, walk.home_table(counts), limits.metres[-1])
    return WalkTable(
        station=found.spot,
        household=found.household,
        metres=found.metres,
        households=counts,
        station_status=starts.status,
        household_status=homes.status,
    )


def _require_options(direction: str, max_snap_m: float) -> None:
    if direction not in _DIRECTIONS:
        msg = f"there is no direction {direction}: use one of {', '.join(_DIRECTIONS)}"
        raise InputError(msg)
    if not (np.isfinite(max_snap_m) and max_snap_m >= 0):
        msg = f"max_snap_m={max_snap_m:g} is no distance: give 0 or more metres"
        raise InputError(msg)


def _counts_for(rule: TierRule, stations: gpd.GeoDataFrame, limits: Limits) -> NDArray[np.bool_]:
    if not rule.tiers:
        return np.ones((len(limits.values), len(stations)), dtype=bool)
    return rule.counts_for(stations, limits.values)


def _place(network: WalkNetwork, frame: gpd.GeoDataFrame, what: str, max_snap_m: float) -> Placed:
    # Where a station stands must be known; a household without a place is unserved, never lost.
    points = points_in_frame(frame, network.crs, what=what, keep_missing=what == "households")
    return Placed(points=points, spots=network.edge_index.snap(points, max_snap_m=max_snap_m))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """Stations and households on streets that run away from the stations."""

    streets: Streets
    starts: Placed
    homes: Placed
    is_turned: bool

    @classmethod
    def of(
        cls,
        network: WalkNetwork,
        starts: Placed,
        homes: Placed,
        *,
        is_turned: bool,
        ground: Ground | None = None,
    ) -> _Walk:
        streets = network.turned_streets if is_turned else network.streets
        if ground is not None and not ground.is_level:
            streets = sloped(network.streets, network.edge_table, ground)
            streets = streets.turned() if is_turned else streets
        if not is_turned:
            return cls(streets=streets, starts=starts, homes=homes, is_turned=False)
        return cls(
            streets=streets,
            starts=starts.turned(network.length_m),
            homes=homes.turned(network.length_m),
            is_turned=True,
        )

    def search(self, limit_m: float) -> list[EdgeReach]:
        return list(search(self.streets, self.starts.spots, limit_m))

    def home_table(self, counts: NDArray[np.int64]) -> HomeTable:
        return HomeTable.of(self.streets, self.homes.spots, counts)

    def pieces(self, reach: list[EdgeReach], frame: Frame) -> list[Pieces]:
        """Return the pieces of each limit, of the stations that count for it."""
        found = []
        for limit, counts in zip(frame.limits.metres, frame.counts_for, strict=True):
            parts = Pieces.concat([reach_pieces(self.streets, part, limit) for part in reach])
            parts = parts if counts.all() else parts.of(counts[parts.spot])
            found.append(parts.turned(self.streets.length_m) if self.is_turned else parts)
        return found

    def serve(self, reach: list[EdgeReach], frame: Frame, counts: NDArray[np.int64]) -> Service:
        table = self.home_table(counts)
        return serve(self.streets, reach, table, frame.limits.metres, frame.counts_for, frame.rank)


def _assumptions(
    network: WalkNetwork, limits: Limits, rule: TierRule, direction: str, max_snap_m: float
) -> dict[str, Any]:
    pace, source = limits.pace, network.source
    return {
        "preset": pace.key if pace is not None else None,
        "speed_kmh": pace.speed_kmh if pace is not None else None,
        "limits_m": limits.metres,
        "direction": direction,
        "max_snap_m": max_snap_m,
        "tiers": rule.text(),
        "data_date": source.date if source is not None else "",
        "attribution": source.attribution if source is not None else "",
        "distance": "along the walking network, plus the straight legs at both ends",
        "note": pace.note if pace is not None else "",
    }
