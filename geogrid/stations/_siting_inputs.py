"""What a siting starts from: candidates, existing stations, households and the walks between them.

Rows are renumbered by place before anything is searched, so no answer depends on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.model.reach import Reach, limit_column
from geogrid.stations._cover import make_cover
from geogrid.stations._solve import FullSearch, PlainSearch
from geogrid.stations._street_sites import street_sites
from geogrid.walking.inputs import points_in_frame, station_names
from geogrid.walking.pace import resolve_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geogrid.model.walks import WalkTable
    from geogrid.stations._cover import Cover
    from geogrid.stations._solve import Search
    from geogrid.walking import WalkNetwork

    IntArray = NDArray[np.int64]
    RealArray = NDArray[np.float64]

__all__ = [
    "SiteWalks",
    "Terms",
    "counted_m",
    "kept_stations",
    "terms_of",
    "walks_to_sites",
]

# Walks are compared in decimetres: whole numbers add up the same in any order.
_UNITS_A_METRE = 10

_DEFAULT_MINUTES = 15
_HAIR = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """Where people walk, who they are, and how far is far enough.

    Attributes
    ----------
    limit, unit, limit_m
        The walk that counts as served, as asked for and in metres.
    reach
        What was measured already, if anything.
    """

    network: WalkNetwork
    households: gpd.GeoDataFrame
    limit: float
    unit: str
    limit_m: float
    direction: Any
    max_snap_m: float
    assumptions: dict[str, Any]
    reach: Reach | None

    @cached_property
    def homes(self) -> NDArray[np.object_]:
        """The points of the households in the frame of the network."""
        return points_in_frame(self.households, self.network.crs, what="households")

    def walks(self, points: NDArray[np.object_]) -> WalkTable:
        """List the walks between points in the frame of the network and the households."""
        return self._walks(points, self.households)

    def nearest_m(self, points: NDArray[np.object_]) -> tuple[RealArray, list[str]]:
        """Return the walk of each household to the nearest of some points, and their status.

        Only households within the limit as the crow flies are placed on the network at all: one
        more station is tried in no time, however many households there are.
        """
        metres = np.full(len(self.households), np.inf)
        _, near = shapely.STRtree(self.homes).query(
            points, predicate="dwithin", distance=self.limit_m * self._shortening
        )
        rows = np.unique(near)
        walk = self._walks(points, self.households.iloc[rows])
        np.minimum.at(metres, rows[walk.household], walk.metres)
        return metres, walk.station_status

    @property
    def _shortening(self) -> float:
        """How much longer than its walk the way of a crow can be: lengths may be given by hand."""
        drawn = shapely.length(self.network.geometry)
        walked = np.maximum(self.network.length_m, _HAIR)
        # A hair more, because lengths are sums of floating-point numbers.
        return max(1.0, float((drawn / walked).max(initial=1.0))) * (1 + _HAIR)

    def _walks(self, points: NDArray[np.object_], households: gpd.GeoDataFrame) -> WalkTable:
        return self.network.walks(
            gpd.GeoDataFrame(geometry=points, crs=self.network.crs),
            households,
            metres=self.limit_m,
            direction=self.direction,
            max_snap_m=self.max_snap_m,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteWalks:
    """All that a siting needs to know; households and candidates by their input rows.

    Attributes
    ----------
    candidates, points, names
        The candidates as given, where they are in the network's frame, their names.
    walk
        Walks of the existing stations, as far as they were walked, and then of the candidates.
    kept
        How many existing stations are among the stations of ``walk``.
    kept_m
        Walk of each household to the nearest existing station, infinite beyond the limit.
    capacity
        Greatest number of households of a station.
    """

    terms: Terms
    candidates: gpd.GeoDataFrame
    points: NDArray[np.object_]
    names: NDArray[np.object_]
    walk: WalkTable
    kept: int
    kept_m: RealArray
    capacity: int | None

    @property
    def counts(self) -> IntArray:
        """Households of each row."""
        return self.walk.households

    @property
    def total(self) -> int:
        """All households."""
        return int(self.counts.sum())

    @cached_property
    def is_on(self) -> NDArray[np.bool_]:
        """Which candidates are on the network."""
        return np.array([status != "off_network" for status in self.walk.station_status])[
            self.kept :
        ]

    @property
    def is_kept_served(self) -> NDArray[np.bool_]:
        """Which households have an existing station in reach."""
        return np.isfinite(self.kept_m)

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray, RealArray]:
        """Candidate, household and metres of each walk from a candidate."""
        own = self.walk.station >= self.kept
        return (
            self.walk.station[own] - self.kept,
            self.walk.household[own],
            self.walk.metres[own],
        )

    @cached_property
    def order(self) -> IntArray:
        """Candidates by place: the number of each in the search leads to its row."""
        xy = shapely.get_coordinates(self.points)
        rank = np.argsort(np.argsort(self.names.astype(str), kind="stable"), kind="stable")
        return np.lexsort((rank, xy[:, 1], xy[:, 0])).astype(np.int64)

    @cached_property
    def household_place(self) -> IntArray:
        """Number of each household in the search."""
        xy = shapely.get_coordinates(self.terms.homes)
        place = np.empty(len(xy), dtype=np.int64)
        place[np.lexsort((self.counts, xy[:, 1], xy[:, 0]))] = np.arange(len(xy))
        return place

    @cached_property
    def reachable(self) -> NDArray[np.bool_]:
        """Which households any station or candidate could serve."""
        answer = self.is_kept_served.copy()
        answer[self.pairs[1]] = True
        return answer

    def worths(self, kind: str) -> IntArray:
        """Return what each walk from a candidate is worth to one household."""
        _, household, metres = self.pairs
        if kind != "median":
            return (~self.is_kept_served[household]).astype(np.int64)
        saved = self._saved(metres) - self._saved(self.kept_m)[household]
        return np.asarray(np.clip(saved, 0, None))

    def _saved(self, metres: RealArray) -> IntArray:
        """Return by how much walks are shorter than the limit; nothing for those beyond."""
        walked = np.rint(np.minimum(metres, self.terms.limit_m) * _UNITS_A_METRE)
        saved: IntArray = (round(self.terms.limit_m * _UNITS_A_METRE) - walked).astype(np.int64)
        return saved

    def search(self, kind: str, seed: int) -> Search:
        """Return the search for what is wanted."""
        weight = np.zeros(len(self.counts), dtype=np.int64)
        weight[self.household_place] = self.counts
        number = np.empty(len(self.order), dtype=np.int64)
        number[self.order] = np.arange(len(self.order))
        candidate, household, _ = self.pairs
        if self.capacity is None:
            pairs = number[candidate], self.household_place[household], self.worths(kind)
            return PlainSearch(cover=make_cover(pairs, weight, candidates=len(number)), seed=seed)
        cover = self.full_cover(number, self.household_place, weight, merges=True)
        return FullSearch(cover=cover, room=self.capacity, open=np.arange(self.kept))

    def full_cover(
        self, number: IntArray, place: IntArray, weight: IntArray, *, merges: bool
    ) -> Cover:
        """Return the cover of existing stations, which come first, and candidates."""
        station = self.walk.station.copy()
        own = station >= self.kept
        station[own] = number[station[own] - self.kept] + self.kept
        pairs = station, place[self.walk.household], np.ones(len(station), dtype=np.int64)
        count = self.kept + len(number)
        return make_cover(pairs, weight, candidates=count, merges=merges, dominates=False)

    def rows(self, search: Search, chosen: IntArray) -> IntArray:
        """Return the input rows of chosen candidates of a search."""
        return self.order[search.cover.candidate[chosen] - len(search.open)]

    def served(self, search: Search) -> int:
        """Return how many households the existing stations serve."""
        if self.capacity is not None:
            return search.offset
        return int(self.counts[self.is_kept_served].sum())

    def objective(self, kind: str, number: float) -> float:
        """Turn what a search maximises, or counts, into what it is called for."""
        if kind != "median":
            return number
        people = self.counts * self.reachable
        longest = round(self.terms.limit_m * _UNITS_A_METRE)
        walked = longest * int(people.sum()) - int((self._saved(self.kept_m) * people).sum())
        return (walked - number) / max(int(people.sum()), 1) / _UNITS_A_METRE

    def saved_m(self, worth: IntArray) -> RealArray:
        """Turn the worth of a median into metres."""
        return worth / _UNITS_A_METRE


def walks_to_sites(
    source: Reach | WalkNetwork,
    candidates: gpd.GeoDataFrame | None,
    *,
    keep: gpd.GeoDataFrame | Sequence[str] | None,
    capacity: int | None,
    spacing_m: float,
    **walking: Any,  # noqa: ANN401 - as site_stations takes them
) -> SiteWalks:
    """Check what was given and list the walks; see :func:`geogrid.site_stations`."""
    terms = terms_of(source, **walking)
    given = candidates
    if given is None:
        given = street_sites(terms.network, spacing_m=spacing_m)
    if given.empty:
        msg = "there is no candidate: give at least one point"
        raise InputError(msg)
    points = points_in_frame(given, terms.network.crs, what="candidates")
    old = kept_stations(terms, keep)
    # What a reach has counted holds, tiers and all, unless stations fill up or some close.
    is_counted = terms.reach is not None and keep is None and capacity is None
    held = np.empty(0, dtype=object) if is_counted else old
    walk = terms.walks(np.concatenate([held, points]))
    if is_counted and terms.reach is not None:
        kept_m = counted_m(terms.reach, terms.limit)
    else:
        kept_m = _nearest(walk, walk.station < len(held))
    return SiteWalks(
        terms=terms, candidates=given, points=points, names=_names(given), walk=walk,
        kept=len(held), kept_m=kept_m, capacity=capacity,
    )  # fmt: skip


def _nearest(walk: WalkTable, own: NDArray[np.bool_]) -> RealArray:
    metres = np.full(len(walk.households), np.inf)
    np.minimum.at(metres, walk.household[own], walk.metres[own])
    return metres


def _names(candidates: gpd.GeoDataFrame) -> NDArray[np.object_]:
    if "station" in candidates.columns:
        return station_names(candidates)
    return np.array([f"C{number}" for number in range(1, len(candidates) + 1)], dtype=object)


def kept_stations(
    terms: Terms, keep: gpd.GeoDataFrame | Sequence[str] | None
) -> NDArray[np.object_]:
    """Return the points of the stations that stay."""
    crs = terms.network.crs
    if isinstance(keep, gpd.GeoDataFrame):
        return points_in_frame(keep, crs, what="stations to keep")
    if terms.reach is None:
        if keep is not None:
            msg = "keep names stations, but no reach was given: give the stations as points"
            raise InputError(msg)
        return np.empty(0, dtype=object)
    stations = terms.reach.stations
    if keep is not None:
        unknown = sorted(set(map(str, keep)) - set(stations["station"].astype(str)))
        if unknown:
            msg = f"the reach has no station {unknown[0]}: keep some of its own by their names"
            raise InputError(msg)
        stations = stations[stations["station"].astype(str).isin([str(name) for name in keep])]
    return points_in_frame(stations, crs, what="stations")


def counted_m(reach: Reach, limit: float) -> RealArray:
    """Return the walk of each household to its station, infinite beyond one of the limits."""
    is_served = reach.households[limit_column(limit)].to_numpy(dtype=bool)
    return np.where(is_served, reach.households["metres"].to_numpy(dtype=float), np.inf)


def terms_of(
    source: Reach | WalkNetwork,
    *,
    households: gpd.GeoDataFrame | None,
    minutes: float | None,
    metres: float | None,
    preset: str | None,
    speed_kmh: float | None,
    direction: str,
    max_snap_m: float,
) -> Terms:
    """Return the terms of a reach, or those that were given with a network.

    Raises
    ------
    InputError
        If they are incomplete or contradict each other.
    """
    if isinstance(source, Reach):
        if households is not None or preset is not None or speed_kmh is not None:
            msg = (
                "the reach was measured with households and a pace of its own: leave out "
                "households, preset and speed_kmh, or give the network instead of the reach"
            )
            raise InputError(msg)
        return _terms_of_reach(source, minutes=minutes, metres=metres)
    if households is None or not len(households):
        msg = "there are no households to serve: give their points"
        raise InputError(msg)
    if minutes is None and metres is None:
        minutes = _DEFAULT_MINUTES
    limits = resolve_limits(minutes=minutes, metres=metres, preset=preset, speed_kmh=speed_kmh)
    if len(limits.values) != 1:
        msg = "sites are chosen for one limit: give one number of minutes or metres"
        raise InputError(msg)
    pace, origin = limits.pace, source.source
    assumptions = {
        "preset": pace.key if pace is not None else None,
        "speed_kmh": pace.speed_kmh if pace is not None else None,
        "limit_m": limits.metres[0],
        "direction": direction,
        "max_snap_m": max_snap_m,
        "data_date": origin.date if origin is not None else "",
        "attribution": origin.attribution if origin is not None else "",
        "distance": "along the walking network, plus the straight legs at both ends",
        "note": pace.note if pace is not None else "",
    }
    return Terms(
        network=source, households=households, limit=limits.values[0], unit=limits.unit,
        limit_m=limits.metres[0], direction=direction, max_snap_m=max_snap_m,
        assumptions=assumptions, reach=None,
    )  # fmt: skip


def _terms_of_reach(reach: Reach, *, minutes: float | None, metres: float | None) -> Terms:
    if reach.network is None or not len(reach.households):
        msg = (
            "this reach cannot say who else could be served: measure it with households by "
            "WalkNetwork.reach"
        )
        raise InputError(msg)
    if minutes is not None and metres is not None:
        msg = "minutes and metres are both given: give one of them, or neither for the largest"
        raise InputError(msg)
    unit = "minutes" if "minutes" in reach.circles.columns else "metres"
    in_metres = reach.assumptions["limits_m"]
    wanted = minutes if minutes is not None else metres
    known = in_metres if metres is not None else reach.limits if unit == "minutes" else ()
    if wanted is not None and wanted not in known:
        shown = ", ".join(f"{limit:g}" for limit in reach.limits)
        msg = f"the reach has no limit {wanted:g}: use one of {shown} {unit}, or measure it again"
        raise InputError(msg)
    place = len(in_metres) - 1 if wanted is None else known.index(wanted)
    facts = dict(reach.assumptions)
    return Terms(
        network=reach.network, households=reach.households, limit=reach.limits[place], unit=unit,
        limit_m=in_metres[place], direction=facts["direction"], max_snap_m=facts["max_snap_m"],
        assumptions={**facts, "limit_m": in_metres[place]}, reach=reach,
    )  # fmt: skip
