"""OpenStreetMap ways on foot: compounds and gates, squares, stairs, bridges and tunnels."""

from __future__ import annotations

import dataclasses

import pytest
from osm_xml import osm_xml, rectangle

from geogrid.errors import InputError
from geogrid.osm import read_osm
from geogrid.walking import WalkNetwork

# A street of 20 steps, and a lane of 10 steps from its middle into a compound; a step is 10 m.
NODES = {1: (0, 0), 2: (10, 0), 3: (20, 0), 4: (10, 5), 5: (10, 10)}
STREET = (1, [1, 2, 3], {"highway": "residential"})
LANE = (2, [2, 4, 5], {"highway": "service"})
PRIVATE = (2, [2, 4, 5], {"highway": "service", "access": "private"})


@pytest.fixture
def extract(tmp_path):
    """Write a tiny file and read it back."""

    def read(nodes, ways, **more):
        file = tmp_path / "tiny.osm"
        file.write_text(osm_xml(nodes, ways, **more), encoding="utf-8")
        return read_osm(file)

    return read


def test_paths_of_compounds_are_open_to_residents_and_left_out_for_others(extract):
    town = extract(NODES, [STREET, PRIVATE])
    assert len(WalkNetwork.from_osm(town).u) == 3
    public = WalkNetwork.from_osm(town, private=False)
    assert len(public.u) == 1
    assert len(public.components) == 1


@pytest.mark.parametrize("gate", [2, 4, 5])
def test_a_locked_gate_cuts_the_network_for_all_but_residents(extract, gate):
    tags = {"barrier": "gate", "access": "private"}
    town = extract(NODES, [STREET, LANE], points=[(gate, tags)])
    home, public = WalkNetwork.from_osm(town), WalkNetwork.from_osm(town, private=False)
    assert len(home.components) == 1
    assert public.length_km == pytest.approx(home.length_km)
    # At the corner nobody passes at all, at the end of the lane there is nothing behind.
    assert len(public.components) == {2: 3, 4: 2, 5: 1}[gate]


def test_open_gates_cut_nothing(extract):
    town = extract(NODES, [STREET, LANE], points=[(4, {"barrier": "gate"})])
    assert len(WalkNetwork.from_osm(town, private=False).components) == 1


def test_a_town_of_compounds_only_is_closed_to_others(extract):
    town = extract(NODES, [PRIVATE])
    with pytest.raises(InputError, match="no street open to walkers"):
        WalkNetwork.from_osm(town, private=False)


def square_town(extract, **tags):
    corners, ring = rectangle(10, 0, 0, width=10, height=10)
    nodes = corners | {1: (-5, 0), 2: (15, 10)}
    ways = [
        (1, [1, 10], {"highway": "residential"}),
        (2, [12, 2], {"highway": "residential"}),
        (3, ring, {"highway": "pedestrian", "area": "yes", **tags}),
    ]
    return extract(nodes, ways)


def test_squares_are_walked_along_their_outline_and_straight_across(extract):
    town = square_town(extract)
    walk = WalkNetwork.from_osm(town)
    assert len(walk.components) == 1
    streets, across, outline = 2 * [50], [100 * 2**0.5], 2 * [200]
    assert sorted(walk.length_m) == pytest.approx([*streets, *across, *outline], rel=0.12)
    without = WalkNetwork.from_osm(dataclasses.replace(town, squares=None))
    assert len(without.components) == 2


def test_squares_closed_to_walkers_or_to_others_stay_out(extract):
    assert len(WalkNetwork.from_osm(square_town(extract, foot="no")).u) == 2
    private = square_town(extract, access="private")
    assert len(WalkNetwork.from_osm(private).u) == 5
    assert len(WalkNetwork.from_osm(private, private=False).u) == 2


def test_a_square_that_bends_is_not_left_on_the_way_across(extract):
    # A U of which the two tips are entries: the straight way between them leaves the square.
    nodes = {
        10: (0, 0), 11: (12, 0), 12: (12, 10), 13: (8, 10),
        14: (8, 4), 15: (4, 4), 16: (4, 10), 17: (0, 10),
        1: (0, 15), 2: (12, 15),
    }  # fmt: skip
    ring = [10, 11, 12, 13, 14, 15, 16, 17, 10]
    ways = [
        (1, [1, 17], {"highway": "residential"}),
        (2, [2, 12], {"highway": "residential"}),
        (3, ring, {"highway": "pedestrian", "area": "yes"}),
    ]
    # Two streets, and the outline in three parts: it is cut at its first node as well.
    assert len(WalkNetwork.from_osm(extract(nodes, ways)).u) == 2 + 3


def test_no_way_across_is_drawn_where_the_outline_is_about_as_short(extract):
    corners, (first, *ring) = rectangle(10, 0, 0, width=20, height=10)
    nodes = corners | {1: (-5, 0), 2: (25, 0), 3: (10, -2)}
    ways = [
        (1, [1, 10], {"highway": "residential"}),
        (2, [11, 2], {"highway": "residential"}),
        (3, [first, 3, *ring], {"highway": "pedestrian", "area": "yes"}),
    ]
    assert len(WalkNetwork.from_osm(extract(nodes, ways)).u) == 4


@pytest.mark.parametrize("level", [{"bridge": "yes", "layer": "1"}, {"tunnel": "yes"}, {}])
def test_ways_that_cross_meet_only_where_they_share_a_node(extract, level):
    nodes = {1: (0, 0), 2: (10, 0), 3: (20, 0), 5: (10, -10), 6: (10, 0), 7: (10, 10)}
    over = {"highway": "footway", **level}
    apart = WalkNetwork.from_osm(extract(nodes, [STREET, (2, [5, 6, 7], over)]))
    assert len(apart.components) == 2
    joined = WalkNetwork.from_osm(extract(nodes, [STREET, (2, [5, 2, 7], over)]))
    assert len(joined.components) == 1


def test_stairs_are_marked_and_moving_ones_run_one_way(extract):
    moving = {"highway": "steps", "conveying": "backward"}
    town = extract(NODES, [STREET, (2, [2, 4], {"highway": "steps"}), (3, [4, 5], moving)])
    walk = WalkNetwork.from_osm(town)
    assert walk.is_stairs.sum() == 1
    assert walk.oneway.sum() == 1
    one = walk.oneway.argmax()
    assert walk.geometry[one].coords[0][1] > walk.geometry[one].coords[1][1]
