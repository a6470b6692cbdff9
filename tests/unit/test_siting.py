"""Where new stations should open, what a station that opens or closes changes, and bad input."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan
from walk_cases import grid_streets, points, streets

from geogrid import site_stations, what_if
from geogrid.errors import InfeasibleError, InputError
from geogrid.model.siting import Siting
from geogrid.stations._cover import make_cover
from geogrid.stations._solve import Options, PlainSearch, fewest, most
from geogrid.stations._street_sites import street_sites
from geogrid.walking import WalkNetwork

END = 4 * SIDE


def at(*places, **columns):
    return points(*[(X0 + x, Y0 + y) for x, y in places], crs=CRS_ZHUZHOU, **columns)


@pytest.fixture(scope="module")
def walk():
    lines = [[(X0, Y0 + y), (X0 + END, Y0 + y)] for y in (100, 300, 500, 700)]
    lines += [[(X0, Y0 + low), (X0, Y0 + low + 200)] for low in (100, 300, 500)]
    return WalkNetwork.from_edges(streets(*lines, crs=CRS_ZHUZHOU))


@pytest.fixture(scope="module")
def homes():
    return at((50, 100), (750, 100), (50, 300), (750, 300), (400, 500), (750, 700),
              households=[10, 20, 5, 8, 40, 2])  # fmt: skip


@pytest.fixture(scope="module")
def premises():
    return at((700, 100), (700, 300), (400, 500), (50, 200), (700, 690), (700, 9000),
              station=["东", "中", "南", "西", "北", "远"], rent=[1, 2, 3, 4, 5, 6])  # fmt: skip


@pytest.fixture(scope="module")
def reach(walk, homes):
    stations = at((100, 100), (100, 300), station=["one", "two"])
    return walk.reach(stations, minutes=None, metres=(100, 400), households=homes)


@pytest.fixture(scope="module")
def siting(walk, premises, homes):
    keep = at((100, 100))
    return site_stations(walk, premises, k=3, keep=keep, households=homes, metres=150)


def hard_case(seed=0, sites=60, homes=600):
    """Clustered people on a plane, and candidates that overlap a lot."""
    rng = np.random.default_rng(seed)
    middle = rng.random((6, 2)) * 3000
    home = np.vstack([middle[rng.integers(0, 6, homes)] + rng.normal(0, 500, (homes, 2))])
    away = np.abs(home[None] - rng.random((sites, 1, 2)) * 3000).sum(axis=2)
    candidate, household = np.nonzero(away <= 700)
    pairs = candidate, household, np.ones(len(candidate), dtype=np.int64)
    return make_cover(pairs, rng.integers(1, 50, homes), candidates=sites)


def test_the_greatest_gain_comes_first_and_adds_up(siting):
    assert isinstance(siting, Siting)
    assert siting.chosen["station"].tolist() == ["南", "东", "中"]
    assert siting.chosen["newly_served"].tolist() == [40, 20, 8]
    assert siting.chosen["cumulative"].tolist() == [40, 60, 68]
    assert siting.chosen["rank"].tolist() == [1, 2, 3]
    assert siting.chosen["rent"].tolist() == [3, 1, 2]
    assert (siting.objective, siting.bound, siting.gap) == (68, 68, 0)
    assert (siting.served_before, siting.newly_served, siting.served_after) == (10, 68, 78)
    assert siting.households["station"].tolist() == ["", "东", "", "中", "南", ""]


def test_candidates_off_the_network_are_listed_and_take_no_part(siting):
    table = siting.candidates.set_index("station")
    assert table.loc["远", "status"] == "off_network"
    assert table.loc["远", "rank"] == 0
    assert any("off the network" in note and "远" in note for note in siting.notes)
    assert table["rank"].to_dict() == {"东": 2, "中": 3, "南": 1, "西": 0, "北": 0, "远": 0}
    assert table["one_more"].to_dict() == {"东": 0, "中": 0, "南": 0, "西": 0, "北": 2, "远": 0}


def test_a_station_that_helps_nobody_is_not_opened(walk, premises, homes):
    siting = site_stations(walk, premises, k=5, households=homes, metres=60)
    assert siting.chosen["newly_served"].tolist() == [40, 20, 8, 2]
    assert any("4 of 5 stations suffice" in note for note in siting.notes)


def test_a_share_takes_the_fewest_and_of_those_who_serve_most(walk, premises, homes):
    siting = site_stations(walk, premises, share=0.45, households=homes, metres=60)
    assert siting.target == math.ceil(0.45 * 85)
    assert siting.chosen["station"].tolist() == ["南"]
    assert (siting.objective, siting.bound) == (1, 1)
    nothing = site_stations(
        walk, premises, share=0.1, keep=at((50, 100)), households=homes, metres=60
    )
    assert len(nothing.chosen) == nothing.objective == nothing.bound == 0


def test_a_share_is_taken_as_people_write_it(walk):
    # In floating point 0.55 of 100 is 55.00000000000001.
    home = at(*[(50 * n, 100) for n in range(10)], households=[11, 44, 5, 5, 5, 5, 5, 5, 5, 10])
    siting = site_stations(walk, home[["geometry"]], share=0.55, households=home, metres=1)
    assert siting.target == 55
    assert len(siting.chosen) == 2


def test_an_impossible_share_names_the_greatest_one(walk, premises, homes):
    with pytest.raises(InfeasibleError, match=r"bring it to 70 \(0\.8235 is the greatest share\)"):
        site_stations(walk, premises, share=1, households=homes, metres=60)
    with pytest.raises(InfeasibleError, match=r"at 3 households a station.*bring it to 11 "):
        site_stations(walk, premises, share=1, households=homes, metres=60, capacity=3)


def test_no_station_serves_more_than_its_capacity(walk, premises, homes):
    siting = site_stations(walk, premises, k=4, households=homes, metres=60, capacity=12)
    assert siting.chosen["newly_served"].tolist() == [12, 12, 8, 2]
    assert siting.households["newly_served"].max() == 12
    assert siting.objective == siting.bound == 34


def test_a_full_station_hands_households_on(walk):
    # Only the western site reaches the first home; both reach the second one.
    home, sites = at((0, 100), (100, 100), households=[5, 5]), at((50, 100), (150, 100))
    siting = site_stations(walk, sites, k=2, households=home, metres=60, capacity=5)
    assert siting.newly_served == 10
    assert siting.by_station(make_plan(), "zong")["newly_served"].sum() == 10
    kept = site_stations(
        walk, at((150, 100)), k=1, keep=at((50, 100)), households=home, metres=60, capacity=5
    )
    assert (kept.served_before, kept.newly_served) == (5, 5)
    assert kept.households["served_before"].sum() == 5


def test_cells_and_stations_add_up_to_the_households_newly_served(siting):
    plan = make_plan()
    for level in ("zong", "wei"):
        cells, table = siting.by_cell(plan, level), siting.by_station(plan, level)
        assert set(cells.index) == set(plan.cells(level)["code"])
        assert cells["newly_served"].sum() == table["newly_served"].sum() == 68
        served = cells["served_before"] + cells["newly_served"]
        assert (cells["unserved"] == cells["households"] - served).all()
        assert table.groupby("rank")["newly_served"].sum().tolist() == [40, 20, 8]
    assert siting.by_cell(plan, "zong")["unserved"].sum() == 7
    assert table.columns.tolist() == ["rank", "station", "code", "newly_served"]


def test_the_shortest_mean_walk_counts_the_limit_where_nobody_is_near(walk, homes):
    sites = at((50, 100), (400, 500))
    siting = site_stations(
        walk, sites, k=1, objective="median", households=homes, metres=450, time_limit_s=5
    )
    # Households 10 and 5 at 0 and 200 m beat 40 at 0 m: no other home is within 450 m.
    assert siting.chosen["station"].tolist() == ["C2"]
    assert siting.objective == pytest.approx((10 * 450 + 5 * 450 + 40 * 0) / 55)
    assert siting.chosen["saved_m"].tolist() == [pytest.approx(40 * 450)]


def test_a_reach_brings_its_stations_households_and_limit(reach, premises):
    siting = site_stations(reach, premises, k=2)
    assert siting.limit == 400
    assert siting.unit == "metres"
    assert siting.served_before == reach.served_households(400)
    near = site_stations(reach, premises, k=2, metres=100)
    assert near.served_before == reach.served_households(100)
    assert near.chosen["station"].tolist() == ["南", "东"]
    alone = site_stations(reach, premises, k=2, metres=100, keep=["two"])
    assert alone.served_before == 5
    with pytest.raises(InputError, match="no station three"):
        site_stations(reach, premises, k=2, keep=["three"])
    with pytest.raises(InputError, match="has no limit 200: use one of 100, 400"):
        site_stations(reach, premises, k=2, metres=200)
    with pytest.raises(InputError, match="leave out households"):
        site_stations(reach, premises, k=2, households=reach.households)


def test_of_equally_good_sites_the_place_decides_and_not_the_row(walk, homes):
    sites = at((760, 100), (740, 100), (390, 500), (410, 500), station=["d", "c", "a", "b"])
    for rows in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        siting = site_stations(walk, sites.iloc[rows], k=2, households=homes, metres=60)
        assert siting.chosen["station"].tolist() == ["a", "c"]


def test_streets_offer_sites_where_no_premises_are_given(walk, homes):
    siting = site_stations(walk, k=4, households=homes, metres=120, spacing_m=100)
    assert siting.newly_served == 78
    apart = shapely.distance(*np.split(siting.candidates.geometry.to_numpy()[:2], 2))
    assert apart > 100


def test_street_sites_do_not_depend_on_the_order_of_streets():
    lines = grid_streets(5)
    one = street_sites(WalkNetwork.from_edges(lines), spacing_m=130)
    other = street_sites(WalkNetwork.from_edges(lines.iloc[::-1]), spacing_m=130)
    assert one.geometry.geom_equals(other.geometry).all()
    assert one["station"].tolist()[:2] == ["K1", "K2"]
    gaps = shapely.distance(one.geometry.to_numpy()[:, None], one.geometry.to_numpy()[None])
    assert gaps[~np.eye(len(one), dtype=bool)].min() > 130
    with pytest.raises(InputError, match="more than 0 metres"):
        street_sites(WalkNetwork.from_edges(lines), spacing_m=0)


def test_what_if_counts_who_is_gained_and_who_is_lost(reach):
    opened = what_if(reach, at((700, 100)).geometry.iloc[0], metres=100)
    assert (opened.newly_served, opened.lost) == (20, 0)
    assert opened.served_after == opened.served_before + 20
    closed = what_if(reach, closed=["one"], metres=100)
    assert (closed.newly_served, closed.lost) == (0, 10)
    moved = what_if(reach, at((700, 100)), closed=["one"], metres=100)
    assert (moved.newly_served, moved.lost) == (20, 10)
    assert moved.served_after == moved.served_before + 10
    cells = moved.by_cell(make_plan(), "zong")
    assert (cells["newly_served"].sum(), cells["lost"].sum()) == (20, 10)
    far = what_if(reach, at((700, 9000)), metres=100)
    assert far.off_network == ("N1",)
    with pytest.raises(InputError, match="station three cannot close"):
        what_if(reach, closed=["three"])


def test_what_if_works_on_a_network_alone(walk, homes):
    answer = what_if(walk, at((700, 100)), keep=at((100, 100)), households=homes, metres=100)
    assert (answer.served_before, answer.newly_served) == (10, 20)
    with pytest.raises(InputError, match="no reach was given"):
        what_if(walk, closed=["one"], households=homes, metres=100)


def test_streets_that_are_shorter_than_they_are_drawn_are_walked_in_full():
    graph = nx.Graph(crs="EPSG:32635")
    graph.add_node(0, x=0.0, y=0.0)
    graph.add_node(1, x=1000.0, y=0.0)
    graph.add_edge(0, 1, length=100.0)
    walk = WalkNetwork.from_networkx(graph)
    answer = what_if(walk, shapely.Point(0, 0), households=points((900, 0)), metres=95)
    assert answer.newly_served == 1


def test_what_if_agrees_with_the_column_one_more(siting, walk, premises, homes):
    keep = pd.concat([at((100, 100)), siting.chosen[["geometry"]]])
    for row in siting.candidates.itertuples():
        point = premises.iloc[[row.Index]]
        answer = what_if(walk, point, keep=keep, households=homes, metres=150)
        assert answer.newly_served == row.one_more


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "k and share are neither given"),
        ({"k": 2, "share": 0.5}, "k and share are both given"),
        ({"k": 0}, "k=0 is no number of stations"),
        ({"k": 6}, r"6 stations cannot be chosen from 5 candidates \(1 more are off"),
        ({"share": 1.2}, "share=1.2 is no share"),
        ({"share": 0.0}, "share=0.0 is no share"),
        ({"k": 2, "objective": "best"}, "there is no objective best"),
        ({"share": 0.5, "objective": "median"}, "median needs k"),
        ({"k": 2, "objective": "median", "capacity": 5}, "does not go with the objective median"),
        ({"k": 2, "capacity": 0}, "capacity=0 is no number"),
        ({"k": 2, "time_limit_s": float("nan")}, "time_limit_s=nan is no time"),
        ({"k": 2, "keep": ["one"]}, "no reach was given"),
        ({"k": 2, "minutes": 5}, "both given"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(walk, premises, homes, options, words):
    with pytest.raises(InputError, match=words):
        site_stations(walk, premises, households=homes, metres=60, **options)


def test_sites_that_reach_nobody_and_missing_households_are_refused(walk, homes, premises):
    with pytest.raises(InfeasibleError, match="no household is within 60 m of any of 1"):
        site_stations(walk, at((600, 500)), k=1, households=homes, metres=60)
    with pytest.raises(InputError, match="no households to serve"):
        site_stations(walk, premises, k=1, metres=60)
    with pytest.raises(InputError, match="there is no candidate"):
        site_stations(walk, premises.iloc[:0], k=1, households=homes, metres=60)


def test_the_same_seed_gives_the_same_answer_and_the_bound_holds():
    search = PlainSearch(cover=hard_case(), seed=3)
    quick = Options(time_limit_s=0, seed=3, step=lambda *_: None)
    one, other = most(search, 8, quick), most(search, 8, quick)
    assert one.chosen.tolist() == other.chosen.tolist()
    exact = most(search, 8, Options(time_limit_s=60, seed=3, step=lambda *_: None))
    assert one.value <= exact.value == exact.bound <= one.bound
    assert one.value >= 0.985 * exact.value


def test_progress_tells_bounds_that_only_come_nearer():
    told = []
    search = PlainSearch(cover=hard_case(1, 80, 900), seed=0)
    step = Options(time_limit_s=60, seed=0, step=lambda *facts: told.append(facts))
    answer = most(search, 10, step)
    assert len(told) > 1
    values, bounds = [value for _, value, _ in told], [bound for *_, bound in told]
    assert values == sorted(values)
    assert bounds == sorted(bounds, reverse=True)
    assert values[-1] <= answer.value <= answer.bound <= bounds[-1]


def test_what_progress_raises_stops_the_search():
    class Stopped(Exception):  # noqa: N818 - stands for any reason of a caller
        pass

    def step(seconds, *_):
        if seconds > 0:
            raise Stopped

    search = PlainSearch(cover=hard_case(1, 80, 900), seed=0)
    with pytest.raises(Stopped):
        most(search, 10, Options(time_limit_s=60, seed=0, step=step))


def test_a_time_limit_leaves_an_honest_gap():
    search = PlainSearch(cover=hard_case(1, 80, 900), seed=0)
    short = most(search, 10, Options(time_limit_s=0, seed=0, step=lambda *_: None))
    exact = most(search, 10, Options(time_limit_s=60, seed=0, step=lambda *_: None))
    assert short.value <= exact.value <= short.bound
    assert short.bound > exact.bound
    few = fewest(search, exact.value, Options(time_limit_s=60, seed=0, step=lambda *_: None))
    assert len(few.chosen) == few.bound == 10
