"""Building networks: where streets join, what is merged, what is refused."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from pyproj import CRS
from walk_cases import grid_streets, network, streets

from geogrid.errors import CrsError, InputError
from geogrid.osm import read_osm
from geogrid.walking import WalkNetwork
from geogrid.walking.build import edges_of_streets


def osm_streets(ways, *, foot=True, oneway=False):
    """Streets as an extract gives them: ``ways`` holds lists of (node, x, y)."""
    count = len(ways)
    return gpd.GeoDataFrame(
        {
            "foot": np.broadcast_to(foot, count),
            "oneway_foot": np.broadcast_to(oneway, count),
            "nodes": [tuple(node for node, _, _ in way) for way in ways],
        },
        geometry=[shapely.LineString([(x, y) for _, x, y in way]) for way in ways],
        crs="EPSG:32635",
    )


def test_lines_meet_only_where_their_ends_coincide():
    crossing = network([(0, 0), (100, 0)], [(50, -50), (50, 50)], [(100, 0), (100, 80)])
    assert len(crossing.components) == 2
    assert crossing.components["km"].tolist() == pytest.approx([0.18, 0.1])
    assert len(crossing.xy) == 5


def test_components_are_listed_longest_first_with_their_share():
    table = network([(0, 0), (10, 0)], [(0, 50), (30, 50)], [(30, 50), (90, 50)]).components
    assert table["component"].tolist() == [0, 1]
    assert table["edges"].tolist() == [2, 1]
    assert table["share"].tolist() == pytest.approx([0.9, 0.1])


def test_a_hair_between_two_ends_keeps_them_apart():
    assert len(network([(0, 0), (100, 0)], [(100, 1e-6), (200, 0)]).components) == 2


def test_minus_zero_is_zero():
    assert len(network([(-1, 0), (-0.0, 0.0)], [(0.0, -0.0), (5, 0)]).components) == 1


def test_duplicate_lines_count_once_also_when_drawn_backwards():
    bent = [(0, 0), (50, 9), (100, 0)]
    walk = network([(0, 0), (100, 0)], [(100, 0), (0, 0)], bent, bent[::-1], bent)
    assert len(walk.u) == 2
    assert not walk.oneway.any()


def test_opposite_one_ways_make_a_two_way_street_and_equal_ones_stay():
    there, back = [(0, 0), (100, 0)], [(100, 0), (0, 0)]
    assert network(there, back, oneway=[True, True]).oneway.tolist() == [False]
    assert network(there, there, oneway=[True, True]).oneway.tolist() == [True]
    assert network(there, there, oneway=[True, False]).oneway.tolist() == [False]


def test_parallel_streets_of_different_shape_stay():
    assert len(network([(0, 0), (100, 0)], [(0, 0), (50, 60), (100, 0)]).u) == 2


def test_loops_and_lines_of_no_length_are_kept():
    walk = network([(0, 0), (10, 0), (10, 10), (0, 0)], [(0, 0), (0, 0)], [(0, 0), (-5, 0)])
    assert sorted(walk.length_m.tolist()) == pytest.approx([0, 5, 20 + 200**0.5])
    assert len(walk.components) == 1


def test_parts_of_a_multiline_are_edges_of_their_own():
    frame = gpd.GeoDataFrame(
        {"oneway": [True]},
        geometry=[shapely.MultiLineString([[(0, 0), (1, 0)], [(1, 0), (1, 1)]])],
        crs="EPSG:32635",
    )
    assert WalkNetwork.from_edges(frame, oneway="oneway").oneway.tolist() == [True, True]


def test_heights_do_not_part_streets():
    assert len(network([(0, 0, 3), (1, 0, 3)], [(1, 0, 5), (2, 0, 5)]).components) == 1


def test_degrees_are_refused():
    with pytest.raises(CrsError, match="true metres"):
        WalkNetwork.from_edges(streets([(24.9, 60.1), (24.91, 60.1)], crs="EPSG:4326"))


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ([], "at least one line"),
        ([None, shapely.LineString([(0, 0), (1, 0)])], "no geometry .rows 0."),
        ([shapely.LineString([(0, 0), (1, 0)]), shapely.LineString()], "no geometry .rows 1."),
        ([shapely.Point(0, 0)], "not lines .rows 0."),
    ],
)
def test_rows_without_a_line_are_refused_by_number(shapes, reason):
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs="EPSG:32635"))
    with pytest.raises(InputError, match=reason):
        WalkNetwork.from_edges(frame)


def test_an_unknown_or_unclear_one_way_column_is_refused():
    frame = streets([(0, 0), (1, 0)], [(1, 0), (2, 0)], way=["yes", "no"], gap=[True, None])
    with pytest.raises(InputError, match="no column one"):
        WalkNetwork.from_edges(frame, oneway="one")
    with pytest.raises(InputError, match="rows 0, 1"):
        WalkNetwork.from_edges(frame, oneway="way")
    with pytest.raises(InputError, match="rows 1"):
        WalkNetwork.from_edges(frame, oneway="gap")


def test_the_input_is_not_changed_and_the_network_cannot_be():
    frame = grid_streets(3)
    before = frame.copy()
    walk = WalkNetwork.from_edges(frame)
    assert frame.equals(before)
    with pytest.raises(ValueError, match="read-only"):
        walk.length_m[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        walk.crs = None
    assert repr(walk) == "WalkNetwork(9 nodes, 12 edges, 1.2 km)"


def test_arrays_of_different_length_are_refused():
    walk = network([(0, 0), (1, 0)])
    with pytest.raises(InputError, match="differ in length"):
        dataclasses.replace(walk, u=walk.u[:0])


def test_ways_are_split_at_shared_nodes_and_nowhere_else():
    street = [(1, 0, 0), (2, 50, 0), (3, 100, 0)]
    side = [(2, 50, 0), (4, 50, 70)]
    over = [(5, 25, -50), (6, 25, 50)]
    table = edges_of_streets(osm_streets([street, side, over]))
    assert sorted(table.length_m.tolist()) == [50, 50, 70, 100]
    assert len(table.xy) == 6


def test_a_way_that_meets_itself_is_split_there():
    eight = [(1, 0, 0), (2, 10, 0), (3, 10, 10), (4, 0, 10), (2, 10, 0), (5, 30, 0)]
    table = edges_of_streets(osm_streets([eight]))
    assert len(table.u) == 3
    assert table.length_m.sum() == pytest.approx(10 + 10 + 10 + 200**0.5 + 20)


def test_ways_that_cross_without_a_shared_node_do_not_join_even_at_equal_coordinates():
    street = [(1, 0, 0), (2, 50, 0), (3, 100, 0)]
    bridge = [(7, 50, -50), (8, 50, 0), (9, 50, 50)]
    table = edges_of_streets(osm_streets([street, bridge]))
    assert len(table.u) == 2


def test_only_ways_open_to_walkers_are_taken_with_their_direction():
    way, motorway = [(1, 0, 0), (2, 50, 0)], [(2, 50, 0), (3, 90, 0)]
    frame = osm_streets([way, motorway], foot=[True, False], oneway=[True, False])
    table = edges_of_streets(frame)
    assert table.length_m.tolist() == [50]
    assert table.oneway.tolist() == [True]
    with pytest.raises(InputError, match="no street open to walkers"):
        edges_of_streets(frame.iloc[1:])


def test_a_way_with_fewer_nodes_than_vertices_is_refused():
    frame = osm_streets([[(1, 0, 0), (2, 50, 0)]])
    frame["nodes"] = [(1,)]
    with pytest.raises(InputError, match="one node a vertex"):
        edges_of_streets(frame)


def test_reciprocal_edges_of_a_graph_become_one_two_way_edge():
    graph = nx.MultiDiGraph(crs="EPSG:32635")
    graph.add_nodes_from([("a", {"x": 0, "y": 0}), ("b", {"x": 100, "y": 0})])
    graph.add_edge("a", "b", length=120.0)
    graph.add_edge("b", "a", length=120.0000001)
    graph.add_edge("a", "b", length=150.0)
    walk = WalkNetwork.from_networkx(graph)
    assert sorted(zip(walk.length_m.tolist(), walk.oneway.tolist(), strict=True)) == [
        (120.0, False),
        (150.0, True),
    ]


def test_an_undirected_graph_is_two_way_and_its_shapes_run_from_u_to_v():
    graph = nx.Graph()
    graph.add_nodes_from([(1, {"x": 0, "y": 0}), (2, {"x": 100, "y": 0})])
    graph.add_edge(1, 2, geometry=shapely.LineString([(100, 0), (50, 30), (0, 0)]))
    walk = WalkNetwork.from_networkx(graph)
    assert walk.crs is None
    assert not walk.oneway.any()
    assert walk.geometry[0].coords[0] == tuple(walk.xy[walk.u[0]])
    assert walk.length_m[0] == pytest.approx(2 * np.hypot(50, 30))


def test_a_graph_in_degrees_is_projected_and_keeps_its_lengths():
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    graph.add_nodes_from([(1, {"x": 118.78, "y": 32.04}), (2, {"x": 118.79, "y": 32.04})])
    graph.add_edge(1, 2, length=943.0)
    walk = WalkNetwork.from_networkx(graph)
    assert walk.crs == CRS.from_epsg(4549)
    assert walk.length_m.tolist() == [943.0]
    assert shapely.length(walk.geometry[0]) == pytest.approx(944, abs=2)


def test_graphs_that_cannot_be_walked_are_refused():
    with pytest.raises(InputError, match="no edge"):
        WalkNetwork.from_networkx(nx.Graph([]))
    bare = nx.Graph([(1, 2)])
    with pytest.raises(InputError, match="no x and y"):
        WalkNetwork.from_networkx(bare)
    nx.set_node_attributes(bare, {1: {"x": 0, "y": 0}, 2: {"x": 1, "y": 0}})
    nx.set_edge_attributes(bare, -1.0, "length")
    with pytest.raises(InputError, match="no usable length"):
        WalkNetwork.from_networkx(bare)


def test_a_network_survives_the_way_to_networkx_and_back():
    walk = network(
        [(0, 0), (100, 0)], [(100, 0), (100, 50), (0, 0)], [(0, 0), (5, 5), (0, 9), (0, 0)],
        oneway=[False, True, False],
    )  # fmt: skip
    graph = walk.to_networkx()
    assert graph.number_of_edges() == 5
    again = WalkNetwork.from_networkx(graph)
    assert again.crs == walk.crs
    assert np.array_equal(again.xy, walk.xy)
    facts = [
        sorted(zip(one.length_m.round(6).tolist(), one.oneway.tolist(), strict=True))
        for one in (walk, again)
    ]
    assert facts[0] == facts[1]


def test_the_shipped_town_walks_as_measured_by_others(helsinki_osm):
    # The others leave squares out.
    walk = WalkNetwork.from_osm(dataclasses.replace(read_osm(helsinki_osm), squares=None))
    assert walk.length_km == pytest.approx(90, rel=0.03)
    assert walk.components["share"].iloc[0] == pytest.approx(0.965, abs=0.03)
    assert walk.source.role == "osm"


def test_nanjing_walks_as_measured_by_others(shared_data):
    walk = WalkNetwork.from_osm(shared_data / "osm" / "nanjing_gulou_xuanwu_2021.osm.pbf")
    assert walk.components["share"].iloc[0] == pytest.approx(0.94, abs=0.01)
    # The other figure, 87 km, still counts a trunk road without pavement.
    assert walk.length_km == pytest.approx(86, rel=0.03)


def test_reading_a_path_and_reading_its_extract_agree(helsinki_osm):
    extract = read_osm(helsinki_osm)
    one, other = WalkNetwork.from_osm(extract), WalkNetwork.from_osm(helsinki_osm)
    assert np.array_equal(one.length_m, other.length_m)
    assert one.crs == extract.crs
