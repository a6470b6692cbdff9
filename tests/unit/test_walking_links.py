"""What a new link changes: it joins with its ends, moves nobody, and only adds."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from walk_cases import grid_streets, network, points

from geogrid.errors import InputError
from geogrid.walking import WalkNetwork

BANKS = ([(0, 0), (1000, 0)], [(0, 100), (1000, 100)])


def link(*places):
    return shapely.LineString(places)


def metres(walk, station, home, **options):
    reach = walk.reach(
        points(station), minutes=None, metres=5000, households=points(home), **options
    )
    return reach.households["metres"].iloc[0]


def test_a_bridge_splits_both_banks_and_joins_them():
    walk = network(*BANKS)
    wide = walk.with_link(link((500, 0), (500, 100)))
    assert sorted(wide.length_m.tolist()) == pytest.approx([100, 500, 500, 500, 500])
    assert len(walk.components) == 2
    assert len(wide.components) == 1
    assert np.isnan(metres(walk, (0, 0), (900, 100)))
    assert metres(wide, (0, 0), (900, 100)) == pytest.approx(500 + 100 + 400)


def test_two_links_between_two_places_of_one_street_shorten_it_each():
    walk = network([(0, 0), (400, 300), (800, 0)])
    once = walk.with_link(link((80, 60), (720, 60)))
    assert metres(once, (0, 0), (800, 0)) == pytest.approx(100 + 640 + 100)
    twice = once.with_link(link((160, 60), (160, 120)))
    assert metres(twice, (0, 0), (160, 120)) == pytest.approx(200)
    assert len(twice.u) == 7


def test_ends_of_a_link_join_corners_and_the_nearest_street_within_reach():
    walk = network(*BANKS)
    assert len(walk.with_link(link((0, 0), (0, 100))).u) == 3
    near = walk.with_link(link((500, 3), (500, 97)))
    assert metres(near, (0, 0), (0, 100)) == pytest.approx(500 + 94 + 500)
    hanging = walk.with_link(link((500, 0), (500, 60)))
    assert len(hanging.components) == 2
    assert np.isnan(metres(hanging, (0, 0), (0, 100)))


def test_a_link_joins_nothing_that_it_crosses():
    walk = network([(0, 0), (1000, 0)], [(0, 50), (1000, 50)], [(0, 100), (1000, 100)])
    wide = walk.with_link(link((500, 0), (500, 100)))
    assert len(wide.components) == 2


def test_a_link_may_be_one_way():
    wide = network(*BANKS).with_link(link((500, 0), (500, 100)), oneway=True)
    assert metres(wide, (0, 100), (0, 0), direction="to_station") == pytest.approx(1100)
    assert np.isnan(metres(wide, (0, 100), (0, 0), direction="from_station"))


def test_everybody_keeps_their_place_even_beside_the_link():
    walk = network(*BANKS)
    at = points((300, 0), (500, 48), (520, 60), (500, 0), (700, 99)).geometry.to_numpy()
    wide = walk.with_link(link((500, 0), (500, 100)))
    before, after = (one.edge_index.snap(at, max_snap_m=100) for one in (walk, wide))
    assert np.array_equal(before.xy, after.xy)
    assert np.array_equal(before.leg_m, after.leg_m)
    lines = wide.geometry[after.edge]
    assert shapely.distance(lines, shapely.points(after.xy)).max() == 0
    assert metres(wide, (0, 0), (500, 48)) == pytest.approx(548)


def test_an_island_that_gets_a_link_stays_second_choice_for_points():
    walk = network([(0, 0), (10_000, 0)], [(50, 60), (55, 60)])
    wide = walk.with_link(link((50, 60), (50, 0)))
    at = points((50, 61)).geometry.to_numpy()
    assert wide.edge_index.snap(at, max_snap_m=100).leg_m == pytest.approx([61])
    is_town = [line.bounds[1] == 0 == line.bounds[3] for line in wide.geometry]
    assert wide.edge_index.is_usable.tolist() == is_town


def test_the_network_itself_stays_as_it_was():
    walk = network(*BANKS)
    walk.with_link(link((500, 0), (500, 100)))
    assert len(walk.u) == 2
    assert walk.origin is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (shapely.Point(0, 0), "one line"),
        (shapely.LineString(), "one line"),
        (link((0, 0), (0, 0)), "one line of some length"),
        (link((0, 50), (100, 50)), "no end of the link lies within 5 m"),
        (link((0, 0), (float("inf"), 50)), "no numbers"),
    ],
)
def test_links_that_lead_nowhere_are_refused(line, reason):
    with pytest.raises(InputError, match=reason):
        network(*BANKS).with_link(line)


def test_a_shortcut_through_a_town_serves_more_and_loses_nobody():
    town = WalkNetwork.from_edges(grid_streets(11))
    rng = np.random.default_rng(2)
    at, homes = points((130, 140)), points(*rng.uniform(0, 1000, (200, 2)))
    wide = town.with_link(link((200, 200), (650, 700)))
    before, after = (one.reach(at, minutes=12, households=homes).households for one in (town, wide))
    assert not (before["served"] & ~after["served"]).any()
    assert after["served"].sum() > before["served"].sum()
    assert (after["count"] >= before["count"]).all()
