"""Placing points on streets."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely
from walk_cases import network

from geogrid.walking import WalkNetwork


def snap(walk, *places, max_snap_m=100):
    return walk.edge_index.snap(
        np.array([shapely.Point(place) for place in places], dtype=object), max_snap_m=max_snap_m
    )


def test_a_point_takes_its_nearest_edge_its_position_and_its_leg():
    walk = network([(0, 0), (100, 0)], [(0, 50), (100, 50)], [(0, 0), (0, 50)])
    spots = snap(walk, (30, 10), (130, 50), (60, 40))
    assert [walk.geometry[edge].coords[0] for edge in spots.edge] == [(0, 0), (0, 50), (0, 50)]
    assert spots.position_m.tolist() == [30, 100, 60]
    assert spots.leg_m.tolist() == [10, 30, 10]
    assert spots.xy.tolist() == [[30, 0], [100, 50], [60, 50]]


def test_points_beyond_the_greatest_distance_stay_as_off_the_network():
    spots = snap(network([(0, 0), (100, 0)]), (0, 101), (0, 100), (0, 5))
    assert spots.edge.tolist() == [-1, 0, 0]
    assert np.isnan(spots.position_m[0])
    assert np.isnan(spots.leg_m[0])


def test_no_distance_at_all_still_places_points_on_the_line():
    assert snap(network([(0, 0), (100, 0)]), (7, 0), (7, 1), max_snap_m=0).edge.tolist() == [0, -1]


def test_an_island_gives_way_to_the_town_within_the_greatest_distance():
    # The island holds 5 of 10 005 m.
    walk = network([(0, 0), (10_000, 0)], [(50, 60), (55, 60)])
    spots = snap(walk, (50, 61), (50, 140), (50, 99))
    assert [walk.length_m[edge] for edge in spots.edge] == [10_000, 5, 10_000]
    assert spots.leg_m == pytest.approx([61, 80, 99])


def test_a_component_of_one_percent_is_no_island():
    walk = network([(0, 0), (9_900, 0)], [(50, 60), (150, 60)])
    assert walk.length_m[snap(walk, (50, 61)).edge[0]] == 100


def test_equally_near_edges_are_chosen_by_place_never_by_row():
    lines = [[(0, 0), (0, 100)], [(100, 0), (100, 100)], [(0, 0), (100, 0)], [(0, 100), (100, 100)]]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        walk = network(*[lines[row] for row in order])
        spots = snap(walk, (50, 50))
        assert spots.xy.tolist() == [[0, 50]]


def test_on_one_spot_two_way_streets_come_first():
    lines = [(0, 0), (100, 0)], [(0, 0), (100, 0), (100, 5)]
    for order, ways in (((0, 1), [True, False]), ((1, 0), [False, True])):
        walk = network(*[lines[row] for row in order], oneway=ways)
        assert not walk.oneway[snap(walk, (40, 3)).edge[0]]


def test_lines_of_no_length_are_never_chosen():
    walk = network([(0, 0), (0, 0)], [(0, 30), (100, 30)])
    assert walk.length_m[snap(walk, (0, 1)).edge[0]] == 100


def test_positions_follow_the_metres_of_walking_not_the_drawn_line():
    graph = nx.Graph()
    graph.add_nodes_from([(1, {"x": 0, "y": 0}), (2, {"x": 100, "y": 0})])
    graph.add_edge(1, 2, length=200)
    spots = snap(WalkNetwork.from_networkx(graph), (25, 0), (100, 0))
    assert spots.position_m == pytest.approx([50, 200])


def test_no_points_give_no_spots():
    assert len(snap(network([(0, 0), (1, 0)])).edge) == 0
