"""Where new stations should open: most households for a number, or fewest stations for a share."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Literal

from geogrid.errors import InfeasibleError, InputError
from geogrid.model.siting import SitingStep
from geogrid.stations._siting_inputs import SiteWalks, walks_to_sites
from geogrid.stations._siting_tables import siting_of
from geogrid.stations._solve import Answer, Options, fewest, most

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from geogrid.model.reach import Reach
    from geogrid.model.siting import Siting
    from geogrid.stations._solve import Search
    from geogrid.walking import WalkNetwork

__all__ = ["site_stations"]

_OBJECTIVES = ("cover", "median")


def site_stations(  # noqa: PLR0913 - the public name: data first, every option by keyword
    reach_or_network: Reach | WalkNetwork,
    candidates: gpd.GeoDataFrame | None = None,
    *,
    k: int | None = None,
    share: float | None = None,
    objective: Literal["cover", "median"] = "cover",
    keep: gpd.GeoDataFrame | Sequence[str] | None = None,
    households: gpd.GeoDataFrame | None = None,
    minutes: float | None = None,
    metres: float | None = None,
    preset: str | None = None,
    speed_kmh: float | None = None,
    direction: Literal["to_station", "from_station"] = "to_station",
    max_snap_m: float = 100,
    capacity: int | None = None,
    spacing_m: float = 200,
    time_limit_s: float = 60,
    seed: int = 0,
    progress: Callable[[SitingStep], None] | None = None,
) -> Siting:
    """Choose sites for new stations, and say how far from the best the choice can be.

    With ``k`` at most that many stations open so that most households are newly served (maximal
    covering; Church and ReVelle 1974), or, with ``objective="median"``, so that the mean walk is
    shortest; a station that would help nobody is not opened. With ``share`` as few as possible
    open so that this share of all households is served (set covering; Toregas et al. 1971).

    A good answer is found by greedy and exchange (Resende and Werneck 2007) with random kicks; an
    upper bound by Lagrangian relaxation; then the exact search of HiGHS proves the answer or
    betters it until the time is over. Bound and gap are always given. The same input and seed
    give the same answer in any order of rows, unless the time limit cuts the exact search short.

    Parameters
    ----------
    reach_or_network
        A reach measured with households: its stations stay, its households, limit, direction and
        snapping are used. Or the network alone, with ``households``.
    candidates
        Premises as points, with ``station`` (made where absent: C1, C2 …). Without them places
        along the streets are tried.
    k
        Greatest number of new stations.
    share
        Share of all households to be served, more than 0, at most 1.
    objective
        What ``k`` stations are for. For ``median`` a household beyond the limit of every station
        counts with the limit, so give a long one; walks are rounded to a decimetre.
    keep
        Existing stations, which stay: points, or of a reach the names of those that stay (all of
        them where absent).
    households
        Points, with ``households`` (1 where absent).
    minutes, metres, preset, speed_kmh
        The walk that counts as served, one limit, as in ``WalkNetwork.reach``: 15 minutes where
        absent. Of a reach one of its limits, the largest where absent.
    direction, max_snap_m
        As in ``WalkNetwork.reach``.
    capacity
        Greatest number of households that a station serves, existing ones as well; not with
        ``median``. A household is never split, a row of several may be.
    spacing_m
        Least distance between places along the streets, where no candidates are given.
    time_limit_s
        Seconds for the exact search; 0 leaves it out.
    seed
        Of the random kicks.
    progress
        Called with a :class:`~geogrid.model.siting.SitingStep` now and then.

    Returns
    -------
    Siting
        ``chosen``, ``objective``, ``bound``, ``gap``, and who is newly served where.

    Raises
    ------
    InputError
        If options contradict each other, or there are fewer candidates on the network than ``k``.
    InfeasibleError
        If no household is in reach of any candidate, or the share cannot be reached.
    CrsError
        If the points have no coordinate system while the network has one.
    """
    _require_options(k, share, objective, capacity, time_limit_s)
    walks = walks_to_sites(
        reach_or_network, candidates, keep=keep, households=households, minutes=minutes,
        metres=metres, preset=preset, speed_kmh=speed_kmh, direction=direction,
        max_snap_m=max_snap_m, capacity=capacity, spacing_m=spacing_m,
    )  # fmt: skip
    _require_candidates(walks, k)
    kind = "share" if share is not None else objective
    search = walks.search(kind, seed)

    def step(seconds: float, value: float, bound: float) -> None:
        if progress is not None:
            told = (walks.objective(kind, number) for number in (value, bound))
            progress(SitingStep(seconds=seconds, objective=next(told), bound=next(told)))

    options = Options(time_limit_s=time_limit_s, seed=seed, step=step)
    answer, target = _answer(walks, search, k, share, options)
    return siting_of(walks, search, answer, kind=kind, k=k, share=share, target=target)


def _answer(
    walks: SiteWalks, search: Search, k: int | None, share: float | None, options: Options
) -> tuple[Answer, int | None]:
    target = None
    missing = 0
    if share is not None:
        # A share is a decimal as people write it: 0.7 of 10 is 7, not 7.000000000000001.
        target = ceil(round(share * walks.total, 6))
        missing = max(0, target - walks.served(search))
    if missing or k is not None:
        _require_somebody(walks)
    if k is not None:
        return most(search, k, options), None
    greatest = search.reached(search.every)
    if missing > greatest:
        best = walks.served(search) + greatest
        limited = "" if walks.capacity is None else f" at {walks.capacity} households a station"
        msg = (
            f"{share:.2%} of {walks.total} households cannot be served{limited}: all candidates "
            f"together bring it to {best} ({floor(best / walks.total * 1e4) / 1e4:.4f} is the "
            "greatest share): add candidates or lengthen the walk"
        )
        raise InfeasibleError(msg)
    return fewest(search, missing, options), target


def _require_options(
    k: int | None, share: float | None, objective: str, capacity: int | None, time_limit_s: float
) -> None:
    both = "neither" if k is None else "both"
    named = ", ".join(_OBJECTIVES)
    is_median = objective == "median"
    faults = {
        f"k and share are {both} given: give k=5 stations, or share=0.95 of the households": (
            (k is None) == (share is None)
        ),
        f"k={k} is no number of stations: give 1 or more": k is not None and not _is_count(k),
        f"share={share} is no share of the households: give more than 0 and at most 1": (
            share is not None and not 0 < share <= 1
        ),
        f"there is no objective {objective}: use one of {named}": objective not in _OBJECTIVES,
        "the objective median needs k, a number of stations": is_median and k is None,
        "a capacity does not go with the objective median: leave one of them out": (
            is_median and capacity is not None
        ),
        f"capacity={capacity} is no number of households: give 1 or more": (
            capacity is not None and not _is_count(capacity)
        ),
        f"time_limit_s={time_limit_s} is no time: give 0 or more seconds": not time_limit_s >= 0,
    }
    for msg, is_wrong in faults.items():
        if is_wrong:
            raise InputError(msg)


def _is_count(number: float) -> bool:
    return number >= 1 and number == int(number)


def _require_candidates(walks: SiteWalks, k: int | None) -> None:
    on = int(walks.is_on.sum())
    if k is not None and k > on:
        off = len(walks.is_on) - on
        lost = f" ({off} more are off the network)" if off else ""
        msg = (
            f"{k} stations cannot be chosen from {on} candidates{lost}: ask for fewer, or add some"
        )
        raise InputError(msg)


def _require_somebody(walks: SiteWalks) -> None:
    household = walks.pairs[1]
    if not walks.counts[household].any():
        msg = (
            f"no household is within {walks.terms.limit_m:g} m of any of {walks.is_on.sum()} "
            "candidates: check the coordinates, or lengthen the walk"
        )
        raise InfeasibleError(msg)
