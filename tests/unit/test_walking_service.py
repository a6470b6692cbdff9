"""Who serves whom: loads, the nearest, what would be lost, tiers, and the table of walks."""

from __future__ import annotations

import numpy as np
import pytest
from walk_cases import brute_force, grid_streets, network, points

from geogrid.errors import InputError
from geogrid.model.tiers import TIER_RULES, TierRule
from geogrid.walking import WalkNetwork

STREET = [(0, 0), (2000, 0)]


@pytest.fixture(scope="module")
def town():
    return WalkNetwork.from_edges(grid_streets(15))


def test_each_station_tells_its_load_its_nearest_and_what_only_it_serves():
    at = points((0, 0), (600, 0), (5000, 0), station=["west", "east", "far"])
    homes = points((100, 0), (300, 0), (390, 0), (1000, 0), (9000, 0), households=[1, 2, 4, 8, 16])
    reach = network(STREET).reach(at, minutes=None, metres=(210, 400), households=homes)
    table = reach.stations.set_index("station")
    assert table["households_210"].tolist() == [1, 4, 0]
    assert table["households_400"].tolist() == [7, 14, 0]
    assert table["households"].tolist() == [7, 14, 0]
    assert table["nearest_210"].tolist() == [1, 4, 0]
    # The second home lies as far from both: the name decides.
    assert table["nearest_400"].tolist() == [1, 14, 0]
    assert table["only_here_210"].tolist() == [1, 4, 0]
    assert table["only_here_400"].tolist() == [1, 8, 0]


def test_loads_and_losses_equal_those_of_all_walks(town):
    rng = np.random.default_rng(11)
    at = points(*rng.uniform(0, 1400, (9, 2)))
    homes = points(*rng.uniform(0, 1400, (150, 2)), households=rng.integers(0, 5, 150).tolist())
    counts = homes["households"].to_numpy()
    reach = town.reach(at, minutes=None, metres=(300, 800), households=homes)
    truth = brute_force(town, at, homes, limit=800, direction="to_station")
    for limit in (300, 800):
        near = truth <= limit + 1e-9
        table = reach.stations
        assert table[f"households_{limit}"].tolist() == (near * counts).sum(axis=1).tolist()
        only = near & (near.sum(axis=0) == 1)
        assert table[f"only_here_{limit}"].tolist() == (only * counts).sum(axis=1).tolist()
        served = reach.served_households(limit)
        assert table[f"nearest_{limit}"].sum() == served == counts[near.any(axis=0)].sum()


def test_without_a_station_exactly_what_only_it_served_is_lost(town):
    rng = np.random.default_rng(12)
    at = points(*rng.uniform(0, 1400, (6, 2)), station=list("abcdef"))
    homes = points(*rng.uniform(0, 1400, (100, 2)))
    whole = town.reach(at, households=homes)
    for row in range(len(at)):
        less = town.reach(at.drop(index=row), households=homes)
        for limit in whole.limits:
            lost = whole.served_households(limit) - less.served_households(limit)
            assert lost == whole.stations[f"only_here_{limit}"].iloc[row]


def test_walks_list_every_pair_within_the_limit_and_the_status_of_all(town):
    rng = np.random.default_rng(13)
    at, homes = (points(*rng.uniform(-150, 1500, (count, 2))) for count in (8, 60))
    for direction in ("to_station", "from_station"):
        walks = town.walks(at, homes, metres=600, direction=direction)
        truth = brute_force(town, at, homes, limit=600, direction=direction)
        station, household = np.nonzero(np.isfinite(truth))
        assert walks.station.tolist() == station.tolist()
        assert walks.household.tolist() == household.tolist()
        assert walks.metres == pytest.approx(truth[station, household], abs=1e-6)
    assert walks.households.tolist() == [1] * 60
    assert len(walks.station_status) == 8
    off = ~np.isfinite(brute_force(town, at, homes, limit=1e9, direction="to_station")).any(axis=0)
    assert [status == "off_network" for status in walks.household_status] == off.tolist()


def test_no_walk_at_all_is_an_empty_table():
    walks = network(STREET).walks(points((0, 900)), points((0, 0)), metres=50)
    assert len(walks.metres) == 0
    assert walks.station_status == ["off_network"]


def test_walks_need_one_limit_that_makes_sense(town):
    with pytest.raises(InputError, match="positive"):
        town.walks(points((0, 0)), points((0, 0)), metres=0)


TIERED = points((0, 0), (500, 0), (1500, 0), station=["a", "b", "c"], tier=["社区", "小区", "社区"])
TIER_HOMES = points((100, 0), (450, 0), (800, 0), (1900, 0))


def test_a_tier_serves_only_the_limits_for_which_it_counts():
    reach = network(STREET).reach(TIERED, households=TIER_HOMES, tiers={15: ["社区"], 5: None})
    table = reach.households
    assert table["served_5"].tolist() == [True, True, True, True]
    assert table["served_15"].tolist() == [True, True, True, True]
    assert table["count"].tolist() == [1, 2, 2, 1]
    assert table["station"].tolist() == ["a", "b", "b", "c"]
    assert reach.stations["tier"].tolist() == ["社区", "小区", "社区"]
    assert reach.stations["households_15"].tolist() == [3, 0, 3]
    assert reach.stations["households"].tolist() == [3, 3, 3]
    assert reach.stations["nearest_15"].tolist() == [2, 0, 2]
    drawn = set(zip(reach.circles["station"], reach.circles["minutes"], strict=True))
    assert drawn == {("a", 5), ("a", 15), ("b", 5), ("c", 5), ("c", 15)}
    lines = set(zip(reach.lines["station"], reach.lines["minutes"], strict=True))
    assert lines == drawn
    assert "社区" in reach.assumptions["tiers"]


def test_a_home_near_a_small_station_only_is_served_in_5_and_not_in_15_minutes():
    at = points((0, 0), (1900, 0), tier=["小区", "社区"])
    reach = network(STREET).reach(at, households=points((200, 0)), tiers="community15")
    row = reach.households.iloc[0]
    assert row["served_5"]
    assert not row["served_15"]
    assert not row["served"]
    assert row["count"] == 0
    assert row["station"] == "S1"
    assert row["metres"] == pytest.approx(200)


def test_without_a_rule_every_tier_counts_for_every_limit():
    reach = network(STREET).reach(TIERED, households=TIER_HOMES)
    assert reach.stations["households_15"].tolist() == [3, 3, 3]
    assert reach.assumptions["tiers"] == ""
    bare = network(STREET).reach(TIERED.drop(columns="tier"))
    assert "tier" not in bare.stations


@pytest.mark.parametrize(
    ("tiers", "reason"),
    [
        ({15: ["街道"]}, "no station has the tier 街道 of limit 15: there are 小区、社区"),
        ({10: ["社区"]}, "limit 10, which is not measured: use 5, 15"),
        ("nearest", "no tier preset nearest: use one of community15"),
        ({15: []}, "give limits with lists of tiers"),
        ({"15": ["社区"]}, "give limits with lists of tiers"),
        (15, "no table"),
    ],
)
def test_rules_that_fit_no_station_or_limit_are_refused(tiers, reason):
    with pytest.raises(InputError, match=reason):
        network(STREET).reach(TIERED, tiers=tiers)


def test_a_rule_needs_the_tier_of_every_station():
    with pytest.raises(InputError, match="no column tier"):
        network(STREET).reach(TIERED.drop(columns="tier"), tiers="community15")
    with pytest.raises(InputError, match=r"1 stations have no tier \(rows 1\)"):
        network(STREET).reach(TIERED.assign(tier=["社区", None, "社区"]), tiers="community15")


def test_a_rule_may_be_a_value_of_its_own():
    rule = TierRule(tiers={15.0: ("小区",)}, title_zh="试行")
    reach = network(STREET).reach(TIERED, households=TIER_HOMES, tiers=rule)
    assert reach.stations["households_15"].tolist() == [0, 3, 0]
    assert reach.assumptions["tiers"] == "试行"
    assert set(TIER_RULES) == {"community15"}


def test_thousands_of_stations_at_one_point_all_serve_the_same(town):
    at = points(*[(700, 700)] * 3000)
    homes = points((700, 650), (0, 0), households=[3, 5])
    reach = town.reach(at, minutes=5, households=homes)
    assert reach.stations["households_5"].tolist() == [3] * 3000
    assert reach.households["count"].tolist() == [3000, 0]
    # As near as all others, the first by name is the nearest; without any one nothing is lost.
    assert reach.households["station"].tolist() == ["S1", ""]
    assert reach.stations["nearest_5"].sum() == 3
    assert reach.stations["only_here_5"].sum() == 0


def test_stations_beyond_the_streets_are_listed_with_nothing_served(town):
    at = points((700, 700), (90_000, 90_000), station=["here", "elsewhere"])
    reach = town.reach(at, households=points((700, 650)))
    assert reach.stations["status"].tolist() == ["reached", "off_network"]
    assert reach.stations["households_15"].tolist() == [1, 0]
    assert reach.stations["only_here_15"].tolist() == [1, 0]
    assert not reach.stations["truncated"].any()


def test_who_lives_on_an_island_is_served_by_stations_there_only():
    walk = network(STREET, [(0, 5000), (500, 5000)])
    at = points((100, 0), (100, 5000), station=["town", "island"])
    table = walk.reach(at, households=points((200, 0), (200, 5000))).households
    assert table["station"].tolist() == ["town", "island"]
    assert table["count"].tolist() == [1, 1]


def test_no_household_at_all_counts_as_nothing(town):
    reach = town.reach(points((0, 0)), households=points((0, 0)).iloc[:0])
    assert reach.stations["households_5"].tolist() == [0]
    assert reach.households.empty


def test_households_on_a_loop_and_on_doubled_edges_are_counted_once():
    loop = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]
    walk = network(loop, [(0, 0), (-200, 0)], [(0, 0), (-100, 1), (-200, 0)])
    homes = points((100, 50), (-100, 0), (-100, 1), households=[1, 2, 4])
    reach = walk.reach(points((0, 0), (-200, 0)), minutes=5, households=homes)
    assert reach.stations["households_5"].tolist() == [7, 7]
    assert reach.households["count"].tolist() == [2, 2, 2]
    assert reach.households["metres"].tolist() == pytest.approx([150, 100, 100], abs=0.1)


@pytest.mark.parametrize("minutes", [0, -5, (5, 0), float("inf")])
def test_minutes_that_are_no_walk_are_refused(town, minutes):
    with pytest.raises(InputError, match="positive numbers"):
        town.reach(points((0, 0)), minutes=minutes)
