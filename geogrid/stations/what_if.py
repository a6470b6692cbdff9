"""What if stations open, close or move: who would be newly served, and who would lose service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import household_counts
from geogrid.model.siting import WhatIf
from geogrid.stations._siting_inputs import counted_m, kept_stations, terms_of
from geogrid.walking.inputs import points_in_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geogrid.model.reach import Reach
    from geogrid.stations._siting_inputs import Terms
    from geogrid.walking import WalkNetwork

__all__ = ["what_if"]

_SHOWN = 3


def what_if(  # noqa: PLR0913 - the public name: data first, every option by keyword
    reach_or_network: Reach | WalkNetwork,
    opened: shapely.Point | gpd.GeoDataFrame | None = None,
    *,
    closed: Sequence[str] = (),
    keep: gpd.GeoDataFrame | None = None,
    households: gpd.GeoDataFrame | None = None,
    minutes: float | None = None,
    metres: float | None = None,
    preset: str | None = None,
    speed_kmh: float | None = None,
    direction: Literal["to_station", "from_station"] = "to_station",
    max_snap_m: float = 100,
) -> WhatIf:
    """Tell who would be served if stations opened and others closed; a move is one of each.

    Parameters
    ----------
    reach_or_network
        A reach measured with households, which is the quickest; or the network, with
        ``households`` and the existing stations as ``keep``.
    opened
        New stations: a point in the network's frame, or points with ``station`` (made where
        absent: N1, N2 …).
    closed
        Names of stations of the reach that close.
    keep
        Existing stations, where no reach is given.
    households, minutes, metres, preset, speed_kmh, direction, max_snap_m
        As in :func:`geogrid.site_stations`.

    Returns
    -------
    WhatIf
        ``newly_served`` and ``lost`` households, also per cell.

    Raises
    ------
    InputError
        If a station to close is unknown, or options contradict each other.
    CrsError
        If the points have no coordinate system while the network has one.
    """
    terms = terms_of(
        reach_or_network, households=households, minutes=minutes, metres=metres, preset=preset,
        speed_kmh=speed_kmh, direction=direction, max_snap_m=max_snap_m,
    )  # fmt: skip
    points, names = _opened(terms, opened)
    if terms.reach is not None:
        before = np.isfinite(counted_m(terms.reach, terms.limit))
        rest = before & ~_lost(terms, terms.reach, closed) if len(closed) else before
    elif len(closed):
        msg = f"station {closed[0]} cannot close: no reach was given that knows it by name"
        raise InputError(msg)
    else:
        before = rest = np.isfinite(terms.nearest_m(kept_stations(terms, keep))[0])
    walked, status = terms.nearest_m(points)
    pairs = zip(names, status, strict=True)
    off = tuple(str(name) for name, word in pairs if word == "off_network")
    return _answer(terms, before, rest | np.isfinite(walked), off)


def _opened(
    terms: Terms, opened: shapely.Point | gpd.GeoDataFrame | None
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return points in the network's frame, and their names."""
    if opened is None:
        return np.empty(0, dtype=object), np.empty(0, dtype=object)
    if isinstance(opened, shapely.Point):
        opened = gpd.GeoDataFrame(geometry=[opened], crs=terms.network.crs)
    made = np.array([f"N{number}" for number in range(1, len(opened) + 1)], dtype=object)
    names = opened["station"].to_numpy(dtype=object) if "station" in opened.columns else made
    return points_in_frame(opened, terms.network.crs, what="opened stations"), names


def _lost(terms: Terms, reach: Reach, closed: Sequence[str]) -> NDArray[np.bool_]:
    """Return which households walk to the stations that close and to none that stays."""
    known = reach.stations["station"].astype(str)
    gone = {str(name) for name in closed}
    unknown = sorted(gone - set(known))
    if unknown:
        shown = ", ".join(known.head(_SHOWN))
        msg = f"station {unknown[0]} cannot close: the reach has stations such as {shown}"
        raise InputError(msg)
    if reach.assumptions.get("tiers"):
        msg = (
            "this reach counts only some tiers for some limits, so closing cannot be tried on it: "
            "measure it without tiers, or compare two reaches"
        )
        raise InputError(msg)
    theirs, _ = terms.nearest_m(kept_stations(terms, sorted(gone)))
    staying = kept_stations(terms, known[~known.isin(gone)].tolist())
    served = np.isfinite(theirs)
    # Nobody else can lose anything, so nobody else need be asked.
    asked = replace(terms, households=terms.households[served])
    answer = np.zeros(len(served), dtype=np.bool_)
    answer[np.flatnonzero(served)] = ~np.isfinite(asked.nearest_m(staying)[0])
    return answer


def _answer(
    terms: Terms,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    off_network: tuple[str, ...],
) -> WhatIf:
    homes = terms.households
    counts = household_counts(homes)
    columns = {
        "households": counts,
        "served_before": counts * before,
        "newly_served": counts * (after & ~before),
        "lost": counts * (before & ~after),
    }
    table = gpd.GeoDataFrame(
        columns, geometry=homes.geometry.to_numpy(), crs=homes.crs, index=homes.index
    )
    return WhatIf(
        newly_served=int(columns["newly_served"].sum()),
        lost=int(columns["lost"].sum()),
        served_before=int(columns["served_before"].sum()),
        served_after=int((counts * after).sum()),
        households=table,
        off_network=off_network,
    )
