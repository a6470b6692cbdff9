"""From stations to a reach: snap, search, cut, count, draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from geogrid.errors import InputError
from geogrid.model.counts import household_counts
from geogrid.model.reach import Reach, limit_column
from geogrid.vocabulary import StationStatus
from geogrid.walking.circles import BUFFER_M, draw_circles, leg_buffers
from geogrid.walking.inputs import points_in_frame, station_names
from geogrid.walking.pace import Limits, resolve_limits
from geogrid.walking.pieces import Pieces, piece_lines, reach_pieces
from geogrid.walking.search import (
    EPSILON_M,
    HouseholdReach,
    households_in_reach,
    search,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geogrid.walking.network import WalkNetwork
    from geogrid.walking.snap import Spots

__all__ = ["measure_reach"]

_DIRECTIONS = ("to_station", "from_station")

# Two stations are equally near within a micrometre; the name decides, not the last bit.
_TIE_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """Named or counted points and where they are on the network."""

    points: NDArray[np.object_]
    spots: Spots

    @property
    def status(self) -> list[str]:
        off, on = StationStatus.OFF_NETWORK.value, StationStatus.REACHED.value
        return [on if is_on else off for is_on in self.spots.is_on]


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
) -> Reach:
    """Measure a reach; see :meth:`geogrid.walking.network.WalkNetwork.reach`."""
    limits = resolve_limits(minutes=minutes, metres=metres, preset=preset, speed_kmh=speed_kmh)
    _require_options(direction, max_snap_m)
    names = station_names(stations)
    starts = _place(network, stations, "stations", max_snap_m)
    if households is None:
        households = gpd.GeoDataFrame(geometry=[], crs=network.crs)
    counts = household_counts(households)
    homes = _place(network, households, "households", max_snap_m)
    is_turned = direction == "to_station"
    pieces, walks = _walk(network, starts.spots, homes.spots, limits.metres, is_turned=is_turned)
    lines = [piece_lines(network.geometry, network.length_m, parts) for parts in pieces]
    legs = leg_buffers(starts.points, starts.spots.xy, starts.spots.is_on)
    circles = draw_circles(network.tiles, pieces, lines, legs)
    return Reach(
        circles=_circle_table(network, names, limits, starts, circles),
        lines=_line_table(network, names, limits, pieces, lines),
        stations=_station_table(network, stations, names, starts, walks, counts),
        households=_household_table(network, households, names, limits, homes, walks, counts),
        limits=limits.values,
        assumptions=_assumptions(network, limits, direction, max_snap_m),
    )


def _require_options(direction: str, max_snap_m: float) -> None:
    if direction not in _DIRECTIONS:
        msg = f"there is no direction {direction}: use one of {', '.join(_DIRECTIONS)}"
        raise InputError(msg)
    if not (np.isfinite(max_snap_m) and max_snap_m >= 0):
        msg = f"max_snap_m={max_snap_m:g} is no distance: give 0 or more metres"
        raise InputError(msg)


def _place(network: WalkNetwork, frame: gpd.GeoDataFrame, what: str, max_snap_m: float) -> _Points:
    points = points_in_frame(frame, network.crs, what=what)
    return _Points(points=points, spots=network.edge_index.snap(points, max_snap_m=max_snap_m))


def _walk(
    network: WalkNetwork,
    starts: Spots,
    homes: Spots,
    limits_m: tuple[float, ...],
    *,
    is_turned: bool,
) -> tuple[list[Pieces], HouseholdReach]:
    """Return the pieces of each limit and all walks between stations and households."""
    streets = network.streets
    if is_turned:
        starts, homes = starts.turned(network.length_m), homes.turned(network.length_m)
        streets = streets.turned()
    pieces: list[list[Pieces]] = [[] for _ in limits_m]
    walks = []
    for reach in search(streets, starts, limits_m[-1]):
        walks.append(households_in_reach(streets, reach, homes, limits_m[-1]))
        for parts, limit in zip(pieces, limits_m, strict=True):
            parts.append(reach_pieces(streets, reach, limit))
    joined = [Pieces.concat(parts) for parts in pieces]
    if is_turned:
        joined = [parts.turned(network.length_m) for parts in joined]
    return joined, HouseholdReach.concat(walks)


def _line_table(
    network: WalkNetwork,
    names: NDArray[np.object_],
    limits: Limits,
    pieces: list[Pieces],
    lines: list[NDArray[np.object_]],
) -> gpd.GeoDataFrame:
    """Return the pieces of all limits, sorted by station and limit."""
    of_limit = np.repeat(np.arange(len(pieces)), [len(parts.edge) for parts in pieces])
    every = Pieces.concat(pieces)
    order = np.lexsort((every.start_m, every.edge, of_limit, every.spot))
    columns = _limit_columns(limits, of_limit[order])
    return gpd.GeoDataFrame(
        {"station": names[every.spot[order]], **columns, "length_m": every.length_m[order]},
        geometry=np.concatenate(lines)[order],
        crs=network.crs,
    ).astype({"station": "str"})


def _limit_columns(limits: Limits, row: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    metres = {"metres": np.array(limits.metres)[row]}
    if limits.unit == "metres":
        return metres
    return {"minutes": np.array(limits.values)[row], **metres}


def _circle_table(
    network: WalkNetwork,
    names: NDArray[np.object_],
    limits: Limits,
    starts: _Points,
    circles: NDArray[np.object_],
) -> gpd.GeoDataFrame:
    """List the circles; none where not even the station's leg fits the limit."""
    leg = starts.spots.leg_m[:, np.newaxis]
    station, limit = np.nonzero(leg <= np.array(limits.metres) + EPSILON_M)
    return gpd.GeoDataFrame(
        {"station": names[station], **_limit_columns(limits, limit)},
        geometry=circles[station, limit],
        crs=network.crs,
    ).astype({"station": "str"})


def _station_table(
    network: WalkNetwork,
    stations: gpd.GeoDataFrame,
    names: NDArray[np.object_],
    starts: _Points,
    walks: HouseholdReach,
    counts: NDArray[np.int64],
) -> gpd.GeoDataFrame:
    total = np.zeros(len(names), dtype=np.int64)
    np.add.at(total, walks.spot, counts[walks.household])
    return gpd.GeoDataFrame(
        {
            "station": names,
            "status": starts.status,
            "snap_m": starts.spots.leg_m,
            "households": total,
        },
        geometry=starts.points,
        crs=network.crs,
        index=stations.index,
    ).astype({"station": "str", "status": "str"})


def _household_table(
    network: WalkNetwork,
    households: gpd.GeoDataFrame,
    names: NDArray[np.object_],
    limits: Limits,
    homes: _Points,
    walks: HouseholdReach,
    counts: NDArray[np.int64],
) -> gpd.GeoDataFrame:
    metres, nearest = _nearest(walks, names, len(counts))
    columns: dict[str, Any] = {"households": counts, "served": ~np.isnan(metres)}
    if limits.pace is not None:
        columns["minutes"] = limits.pace.minutes(metres)
    columns["metres"] = metres
    columns["station"] = nearest
    columns["count"] = np.bincount(walks.household, minlength=len(counts)).astype(np.int64)
    columns["status"] = homes.status
    for value, limit in zip(limits.values, limits.metres, strict=True):
        columns[limit_column(value)] = metres <= limit + EPSILON_M
    return gpd.GeoDataFrame(
        columns, geometry=homes.points, crs=network.crs, index=households.index
    ).astype({"station": "str", "status": "str"})


def _nearest(
    walks: HouseholdReach, names: NDArray[np.object_], size: int
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Return metres to the nearest station and its name; NaN and "" where there is none."""
    metres = np.full(size, np.nan)
    nearest = np.full(size, "", dtype=object)
    rank = np.argsort(np.argsort(names.astype(str), kind="stable"))
    order = np.lexsort((rank[walks.spot], np.round(walks.metres / _TIE_M), walks.household))
    found, first = np.unique(walks.household[order], return_index=True)
    nearest[found] = names[walks.spot[order][first]]
    least = np.full(size, np.inf)
    np.minimum.at(least, walks.household, walks.metres)
    metres[found] = least[found]
    return metres, nearest


def _assumptions(
    network: WalkNetwork, limits: Limits, direction: str, max_snap_m: float
) -> dict[str, Any]:
    pace, source = limits.pace, network.source
    return {
        "preset": pace.key if pace is not None else None,
        "speed_kmh": pace.speed_kmh if pace is not None else None,
        "limits_m": limits.metres,
        "direction": direction,
        "max_snap_m": max_snap_m,
        "data_date": source.date if source is not None else "",
        "attribution": source.attribution if source is not None else "",
        "distance": "along the walking network, plus the straight legs at both ends",
        "polygon": f"reachable streets and {BUFFER_M:g} m to each side, for display: "
        "served households are counted on the network, not by polygon",
        "note": pace.note if pace is not None else "",
    }
