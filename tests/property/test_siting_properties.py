"""What holds for every siting: the best there is, or no better than its bound, in any order."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from walk_cases import brute_force, grid_streets, points

from geogrid.errors import InfeasibleError
from geogrid.stations._cover import make_cover
from geogrid.stations._solve import FullSearch, Options, PlainSearch, fewest, most
from geogrid.stations.siting import site_stations
from geogrid.walking import WalkNetwork

LIMIT = 250.0
WALK = WalkNetwork.from_edges(grid_streets(6))
EXACT = Options(time_limit_s=20, seed=0, step=lambda *_: None)
QUICK = Options(time_limit_s=0, seed=0, step=lambda *_: None)

places = st.tuples(st.integers(0, 500), st.integers(0, 500))
few = st.lists(places, min_size=1, max_size=6)
many = st.lists(st.tuples(places, st.integers(0, 5)), min_size=1, max_size=12)


@st.composite
def tables(draw, most_value=1):
    """Worth of each candidate (row) to each household (column), and how many households."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 10))
    values = st.lists(st.integers(0, most_value), min_size=columns, max_size=columns)
    table = np.array(draw(st.lists(values, min_size=rows, max_size=rows)), dtype=np.int64)
    weight = draw(st.lists(st.integers(0, 5), min_size=columns, max_size=columns))
    return table, np.array(weight, dtype=np.int64)


def search_of(table, weight, **options):
    candidate, household = (axis.astype(np.int64) for axis in np.nonzero(table))
    pairs = candidate, household, table[candidate, household]
    return PlainSearch(cover=make_cover(pairs, weight, candidates=len(table), **options), seed=0)


def worth(table, weight, rows):
    return int((table[list(rows)].max(axis=0) * weight).sum()) if len(rows) else 0


def best_by_number(value, rows):
    """The greatest value of each number of rows, by trying all."""
    rows = list(rows)
    return [max(value(some) for some in combinations(rows, n)) for n in range(len(rows) + 1)]


def homes_of(given_homes):
    return points(*[place for place, _ in given_homes], households=[n for _, n in given_homes])


def reached(sites, homes):
    table = brute_force(WALK, sites, homes, limit=LIMIT, direction="to_station")
    return np.isfinite(table)


@given(tables(most_value=3), st.booleans(), st.booleans())
def test_merging_and_dropping_the_dominated_change_no_answer(given_table, merges, dominates):
    table, weight = given_table
    best = best_by_number(lambda rows: worth(table, weight, rows), range(len(table)))
    search = search_of(table, weight, merges=merges, dominates=dominates)
    for number, value in enumerate(best):
        answer = most(search, number, EXACT)
        rows = search.cover.candidate[answer.chosen]
        assert answer.value == answer.bound == value == worth(table, weight, rows)
        assert len(rows) <= number


@given(tables(most_value=3), st.integers(1, 6))
def test_an_answer_without_the_exact_search_never_beats_its_bound(given_table, number):
    table, weight = given_table
    best = best_by_number(lambda rows: worth(table, weight, rows), range(len(table)))
    search = search_of(table, weight)
    answer = most(search, number, QUICK)
    greatest = best[min(number, len(table))]
    assert answer.value <= greatest <= answer.bound
    # A poor answer must not lower the bound, and none may hide that it is too low.
    assert all(search.upper(number, floor) >= greatest for floor in (0, greatest // 2))


@given(tables(most_value=3), st.data())
def test_the_fewest_candidates_are_the_fewest(given_table, data):
    table, weight = given_table
    best = best_by_number(lambda rows: worth(table, weight, rows), range(len(table)))
    target = data.draw(st.integers(0, best[-1]))
    search = search_of(table, weight)
    needed = next(number for number, value in enumerate(best) if value >= target)
    answer = fewest(search, target, EXACT)
    assert len(answer.chosen) == answer.bound == needed
    assert worth(table, weight, search.cover.candidate[answer.chosen]) >= target
    quick = fewest(search, target, QUICK)
    assert quick.bound <= needed <= len(quick.chosen)


def greatest_flow(table, weight, rows, room):
    graph = nx.DiGraph()
    graph.add_nodes_from(("start", "end"))
    for row in rows:
        graph.add_edge("start", ("site", row), capacity=room)
        for column in np.flatnonzero(table[row]).tolist():
            graph.add_edge(("site", row), ("home", column), capacity=int(weight[column]))
    for column, number in enumerate(weight.tolist()):
        graph.add_edge(("home", column), "end", capacity=number)
    return int(nx.maximum_flow_value(graph, "start", "end"))


@given(tables(), st.integers(1, 9), st.data())
def test_stations_with_room_serve_as_many_as_a_greatest_flow(given_table, room, data):
    table, weight = given_table
    held = data.draw(st.integers(0, len(table) - 1))
    candidate, household = (axis.astype(np.int64) for axis in np.nonzero(table))
    pairs = candidate, household, np.ones(len(candidate), dtype=np.int64)
    cover = make_cover(pairs, weight, candidates=len(table), dominates=False)
    search = FullSearch(cover=cover, room=room, open=np.arange(held))
    before = greatest_flow(table, weight, range(held), room)
    assert search.offset == before

    def value(rows):
        return greatest_flow(table, weight, [*range(held), *rows], room) - before

    best = best_by_number(value, range(held, len(table)))
    number = data.draw(st.integers(1, len(best) - 1))
    answer = most(search, number, EXACT)
    assert answer.value == answer.bound == best[number]
    quick = most(search, number, QUICK)
    assert quick.value <= best[number] <= quick.bound
    target = data.draw(st.integers(0, best[-1]))
    fewer = fewest(search, target, EXACT)
    assert len(fewer.chosen) == fewer.bound == next(n for n, v in enumerate(best) if v >= target)


@given(few, few, many, st.integers(1, 6))
def test_a_siting_is_the_best_of_all_choices(sites, kept, homes, k):
    candidates, keep, households = points(*sites), points(*kept), homes_of(homes)
    k = min(k, len(sites))
    weight = households["households"].to_numpy()
    table, old = reached(candidates, households), reached(keep, households).any(axis=0)
    assume(bool((table & (weight > 0)).any()))
    siting = site_stations(WALK, candidates, k=k, keep=keep, households=households, metres=LIMIT)
    best = max(
        int(weight[table[list(rows)].any(axis=0) & ~old].sum())
        for rows in combinations(range(len(sites)), k)
    )
    assert siting.objective == siting.bound == siting.newly_served == best
    assert siting.is_proven
    assert siting.gap == 0
    assert siting.served_before == weight[old].sum()
    assert siting.chosen["newly_served"].sum() == best
    assert siting.chosen["newly_served"].is_monotonic_decreasing
    rows = siting.candidates.index[siting.candidates["rank"] > 0]
    unserved = weight * ~(old | table[rows].any(axis=0))
    assert (siting.candidates["one_more"].to_numpy() == table @ unserved).all()


@given(few, many)
def test_one_station_more_never_serves_fewer(sites, homes):
    candidates, households = points(*sites), homes_of(homes)
    weight = households["households"].to_numpy()
    assume(bool((reached(candidates, households) & (weight > 0)).any()))
    served = [
        site_stations(WALK, candidates, k=k, households=households, metres=LIMIT).objective
        for k in range(1, len(sites) + 1)
    ]
    assert served == sorted(served)


@given(few, many, st.sampled_from([0.1, 0.5, 0.8, 1.0]), st.one_of(st.none(), st.integers(1, 9)))
def test_a_share_is_reached_or_said_to_be_out_of_reach(sites, homes, share, capacity):
    candidates, households = points(*sites), homes_of(homes)
    weight = households["households"].to_numpy()
    table = reached(candidates, households)
    assume(bool((table & (weight > 0)).any()))
    room = int(weight.sum()) if capacity is None else capacity
    most_served = greatest_flow(table, weight, range(len(sites)), room)
    target = int(np.ceil(round(share * weight.sum(), 6)))
    options = {"households": households, "metres": LIMIT, "capacity": capacity}
    if most_served < target:
        with pytest.raises(InfeasibleError, match=f"bring it to {most_served} "):
            site_stations(WALK, candidates, share=share, **options)
        return
    siting = site_stations(WALK, candidates, share=share, **options)
    assert siting.served_after >= target == siting.target
    assert siting.objective == siting.bound == len(siting.chosen)
    assert (siting.chosen["newly_served"] <= room).all()
    assert (siting.households["newly_served"] <= siting.households["households"]).all()
    fewer = combinations(range(len(sites)), len(siting.chosen) - 1) if len(siting.chosen) else ()
    assert all(greatest_flow(table, weight, rows, room) < target for rows in fewer)


@given(few, few, many, st.integers(1, 3), st.sampled_from(["cover", "median"]), st.data())
def test_the_order_of_rows_changes_nothing(sites, kept, homes, k, objective, data):
    candidates = points(*sites, station=[f"C{number}" for number in range(len(sites))])
    keep, households = points(*kept), homes_of(homes)
    k = min(k, len(sites))
    weight = households["households"].to_numpy()
    assume(bool((reached(candidates, households) & (weight > 0)).any()))

    def shuffled(frame):
        return frame.iloc[data.draw(st.permutations(range(len(frame))))]

    def sited(*frames):
        candidates, keep, households = frames
        return site_stations(
            WALK, candidates, k=k, keep=keep, households=households, metres=LIMIT,
            objective=objective,
        )  # fmt: skip

    one = sited(candidates, keep, households)
    other = sited(shuffled(candidates), shuffled(keep), shuffled(households))
    for column in ("station", "newly_served", "cumulative", "in_reach"):
        assert one.chosen[column].tolist() == other.chosen[column].tolist()
    assert (one.objective, one.bound) == (other.objective, other.bound)
    again = other.households.loc[one.households.index]
    assert one.households["newly_served"].equals(again["newly_served"])
    assert one.households["station"].equals(again["station"])


@given(few, many, st.integers(1, 6))
def test_the_mean_walk_is_the_shortest_of_all_choices(sites, homes, k):
    candidates, households = points(*sites), homes_of(homes)
    k = min(k, len(sites))
    weight = households["households"].to_numpy()
    table = brute_force(WALK, candidates, households, limit=LIMIT, direction="to_station")
    people = weight * np.isfinite(table).any(axis=0)
    assume(bool(people.any()))
    siting = site_stations(
        WALK, candidates, k=k, objective="median", households=households, metres=LIMIT
    )
    walks = np.round(np.minimum(table, LIMIT), 1)
    best = min(
        (walks[list(rows)].min(axis=0) * people).sum() / people.sum()
        for rows in combinations(range(len(sites)), k)
    )
    # Walks that end in half a decimetre may be rounded either way.
    assert siting.objective == pytest.approx(best, abs=0.11)
    assert siting.bound <= siting.objective
    assert siting.is_proven
