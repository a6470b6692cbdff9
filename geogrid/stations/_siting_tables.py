"""From the answer of a search to the tables that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geogrid.model.siting import Siting
from geogrid.stations._cover import make_cover
from geogrid.stations._flow import open_station
from geogrid.stations._kernels import greedy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.stations._siting_inputs import SiteWalks
    from geogrid.stations._solve import Answer, Search

    IntArray = NDArray[np.int64]

__all__ = ["siting_of"]

_NEVER = 2**62


def siting_of(
    walks: SiteWalks,
    search: Search,
    answer: Answer,
    *,
    kind: str,
    k: int | None,
    share: float | None,
    target: int | None,
) -> Siting:
    """Return the tables of an answer."""
    if walks.capacity is None:
        ranked, worth = _ranked(walks, kind, walks.rows(search, answer.chosen))
        before = walks.counts * walks.is_kept_served
        gains = _first_come(walks, ranked)
        more = _one_more(walks, before, gains)
    else:
        before, ranked, gains, more = _filled(walks, search, answer.chosen)
        worth = np.zeros(len(ranked), dtype=np.int64)
    chosen = _chosen_table(walks, ranked, gains)
    if kind == "median":
        chosen.insert(5, "saved_m", walks.saved_m(worth))
    is_share = kind == "share"
    value = len(answer.chosen) if is_share else answer.value
    notes = _notes(walks, chosen, k)
    return Siting(
        chosen=chosen,
        candidates=_candidate_table(walks, ranked, more),
        households=_household_table(walks, before, gains, chosen),
        gains=gains,
        kind=kind,
        objective=walks.objective(kind, value),
        bound=walks.objective(kind, answer.bound),
        k=k,
        share=share,
        target=target,
        capacity=walks.capacity,
        limit=walks.terms.limit,
        unit=walks.terms.unit,
        reachable=int(walks.counts[walks.reachable].sum()),
        notes=notes,
        assumptions=walks.terms.assumptions,
    )


def _ranked(walks: SiteWalks, kind: str, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Order chosen candidates by what each adds to those before it, and tell how much."""
    by_place = walks.order[np.isin(walks.order, rows)]
    number = np.full(len(walks.order), -1, dtype=np.int64)
    number[by_place] = np.arange(len(by_place))
    candidate, household, _ = walks.pairs
    own = number[candidate] >= 0
    pairs = number[candidate[own]], household[own], walks.worths(kind)[own]
    cover = make_cover(pairs, walks.counts, candidates=len(by_place), dominates=False)
    sites = cover.sites
    order = np.asarray(greedy(sites, len(by_place), _NEVER))
    best = np.zeros(cover.classes, dtype=np.int64)
    worth = []
    for one in order.tolist():
        part = slice(sites.start[one], sites.start[one + 1])
        here, before = sites.item[part], best[sites.item[part]]
        best[here] = np.maximum(before, sites.value[part])
        worth.append(int(((best[here] - before) * sites.weight[here]).sum()))
    # Whoever adds nothing to the others is not opened.
    return by_place[order], np.array(worth, dtype=np.int64)


def _first_come(walks: SiteWalks, ranked: IntArray) -> pd.DataFrame:
    """Give each newly served household to the first station by rank that serves it."""
    rank = np.zeros(len(walks.order), dtype=np.int64)
    rank[ranked] = np.arange(1, len(ranked) + 1)
    candidate, household, _ = walks.pairs
    is_new = (rank[candidate] > 0) & ~walks.is_kept_served[household]
    first = np.full(len(walks.counts), _NEVER, dtype=np.int64)
    np.minimum.at(first, household[is_new], rank[candidate[is_new]])
    row = np.flatnonzero((first < _NEVER) & (walks.counts > 0))
    return _gain_table(row, first[row], walks.counts[row])


def _one_more(walks: SiteWalks, before: IntArray, gains: pd.DataFrame) -> IntArray:
    """Return what each candidate would newly serve beside all that were chosen."""
    left = walks.counts - before
    np.subtract.at(left, gains["household"].to_numpy(), gains["households"].to_numpy())
    return _in_reach(walks, left)


def _filled(
    walks: SiteWalks, search: Search, chosen: IntArray
) -> tuple[IntArray, IntArray, pd.DataFrame, IntArray]:
    """Open stations one after the other, the one that serves most more first, row by row."""
    place = walks.household_place
    weight = np.zeros(len(place), dtype=np.int64)
    weight[place] = walks.counts
    number = np.empty(len(walks.order), dtype=np.int64)
    number[walks.order] = np.arange(len(number))
    cover = walks.full_cover(number, place, weight, merges=False)
    sites = cover.sites
    flow, need = np.zeros(len(sites.item), np.int64), sites.weight.copy()
    room = walks.capacity or 0
    for one in range(walks.kept):
        open_station(sites, flow, need, one, room)
    row_of = np.empty(len(place), dtype=np.int64)
    row_of[place] = np.arange(len(place))
    rows = row_of[cover.row]
    before = np.zeros(len(place), dtype=np.int64)
    before[rows] = sites.weight - need
    left, ranked, tables = search.cover.candidate[chosen].tolist(), [], []
    while left:
        tried = [open_station(sites, flow.copy(), need.copy(), one, room) for one in left]
        best = left.pop(int(np.argmax(tried)))
        now = need.copy()
        if not open_station(sites, flow, need, best, room):
            break
        ranked.append(walks.order[best - walks.kept])
        served = np.flatnonzero(now > need)
        rank = np.full(len(served), len(ranked))
        tables.append(_gain_table(rows[served], rank, (now - need)[served]))
    gains = pd.concat(tables, ignore_index=True) if tables else _gain_table(*np.empty((3, 0), int))
    more = np.zeros(len(walks.order), dtype=np.int64)
    for one in np.setdiff1d(np.arange(len(number)), number[ranked]).tolist():
        held = walks.kept + one
        more[walks.order[one]] = open_station(sites, flow.copy(), need.copy(), held, room)
    return before, np.array(ranked, dtype=np.int64), gains, more


def _gain_table(row: IntArray, rank: IntArray, households: IntArray) -> pd.DataFrame:
    return pd.DataFrame({"household": row, "rank": rank, "households": households})


def _chosen_table(walks: SiteWalks, ranked: IntArray, gains: pd.DataFrame) -> gpd.GeoDataFrame:
    new = np.zeros(len(ranked) + 1, dtype=np.int64)
    np.add.at(new, gains["rank"].to_numpy(), gains["households"].to_numpy())
    facts: dict[str, Any] = {
        "rank": np.arange(1, len(ranked) + 1),
        "station": walks.names[ranked],
        "newly_served": new[1:],
        "cumulative": np.cumsum(new[1:]),
        "in_reach": _in_reach(walks, walks.counts)[ranked],
    }
    return gpd.GeoDataFrame(
        facts | _given(walks, facts, ranked), geometry=walks.points[ranked],
        crs=walks.terms.network.crs,
    ).astype({"station": "str"})  # fmt: skip


def _candidate_table(walks: SiteWalks, ranked: IntArray, more: IntArray) -> gpd.GeoDataFrame:
    rank = np.zeros(len(walks.names), dtype=np.int64)
    rank[ranked] = np.arange(1, len(ranked) + 1)
    facts: dict[str, Any] = {
        "station": walks.names,
        "status": walks.walk.station_status[walks.kept :],
        "in_reach": _in_reach(walks, walks.counts),
        "newly_in_reach": _in_reach(walks, walks.counts * ~walks.is_kept_served),
        "rank": rank,
        "one_more": more,
    }
    return gpd.GeoDataFrame(
        facts | _given(walks, facts, np.arange(len(rank))), geometry=walks.points,
        crs=walks.terms.network.crs, index=walks.candidates.index,
    ).astype({"station": "str", "status": "str"})  # fmt: skip


def _in_reach(walks: SiteWalks, counts: IntArray) -> IntArray:
    candidate, household, _ = walks.pairs
    sums = np.zeros(len(walks.names), dtype=np.int64)
    np.add.at(sums, candidate, counts[household])
    return sums


def _given(walks: SiteWalks, facts: dict[str, Any], rows: IntArray) -> dict[str, Any]:
    """Return what else was given of some candidates."""
    frame = walks.candidates
    taken = {*facts, frame.geometry.name, "geometry", "cumulative", "newly_served", "saved_m"}
    names = [name for name in frame.columns if name not in taken]
    return {name: frame[name].to_numpy()[rows] for name in names}


def _household_table(
    walks: SiteWalks, before: IntArray, gains: pd.DataFrame, chosen: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    count = len(walks.counts)
    new = np.zeros(count, dtype=np.int64)
    np.add.at(new, gains["household"].to_numpy(), gains["households"].to_numpy())
    first = np.full(count, len(chosen), dtype=np.int64)
    np.minimum.at(first, gains["household"].to_numpy(), gains["rank"].to_numpy() - 1)
    households = walks.terms.households
    facts = {
        "households": walks.counts,
        "served_before": before,
        "newly_served": new,
        "station": np.append(chosen["station"].to_numpy(dtype=object), "")[first],
        "status": walks.walk.household_status,
    }
    return gpd.GeoDataFrame(
        facts, geometry=households.geometry.to_numpy(), crs=households.crs, index=households.index
    ).astype({"station": "str", "status": "str"})


def _notes(walks: SiteWalks, chosen: gpd.GeoDataFrame, k: int | None) -> tuple[str, ...]:
    off = np.flatnonzero(~walks.is_on)
    notes = []
    if len(off):
        shown = ", ".join(walks.names[off[:5]].tolist()) + (", …" if len(off) > 5 else "")  # noqa: PLR2004 - a line's worth
        notes.append(f"{len(off)} candidates are off the network and take no part: {shown}")
    lost = int(walks.counts[np.array(walks.walk.household_status) == "off_network"].sum())
    if lost:
        notes.append(f"{lost} households are off the network and count as unserved")
    closed = sum(status == "off_network" for status in walks.walk.station_status[: walks.kept])
    if closed:
        notes.append(f"{closed} existing stations are off the network and serve nobody")
    if k is not None and len(chosen) < k:
        notes.append(f"{len(chosen)} of {k} stations suffice: one more would help nobody")
    return tuple(notes)
