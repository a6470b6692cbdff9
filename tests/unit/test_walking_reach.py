"""Reach with exact answers: limits, directions, legs, pieces, circles, tables, refusals."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from walk_cases import CRS, brute_force, grid_streets, metres_of, network, points, streets

from geogrid.errors import CrsError, InputError
from geogrid.vocabulary import StationStatus
from geogrid.walking import WalkNetwork, search


def reach_m(walk, stations, *limits, **options):
    return walk.reach(stations, minutes=None, metres=limits, **options)


@pytest.fixture(scope="module")
def town():
    return WalkNetwork.from_edges(grid_streets(21))


RIVER = ([(0, 0), (500, 0)], [(500, 0), (1000, 0)], [(0, 100), (500, 100)],
         [(500, 100), (1000, 100)], [(500, 0), (500, 100)])  # fmt: skip


def test_street_grid_has_the_exact_metres(town):
    reach = reach_m(town, points((1000, 1000)), 400, 450)
    assert metres_of(reach) == pytest.approx({400: 6400, 450: 8200}, abs=1e-6)
    assert reach.lines.length.sum() == pytest.approx(6400 + 8200, abs=1e-6)
    xy = reach.lines[reach.lines["metres"] == 400].get_coordinates() - 1000
    assert xy.abs().sum(axis=1).max() == pytest.approx(400)


def test_street_grid_polygon_is_the_diamond_of_all_homes_in_reach(town):
    circle = reach_m(town, points((1000, 1000)), 400).circles.geometry[0]
    assert circle.area == pytest.approx(2 * 400**2, rel=0.01)
    assert circle.is_valid


def test_a_river_is_crossed_at_the_bridge_only():
    reach = reach_m(network(*RIVER), points((0, 0)), 580, 600, 800)
    assert metres_of(reach) == pytest.approx({580: 660, 600: 700, 800: 1300}, abs=1e-6)


def test_the_far_bank_stays_outside_the_circle_while_its_bridge_is_out_of_reach():
    walk = network(
        [(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], [(1000, 0), (1000, 40)],
        [(0, 40), (1000, 40)], [(1000, 40), (2000, 40)],
    )  # fmt: skip
    reach = reach_m(walk, points((500, 0)), 400)
    assert metres_of(reach) == pytest.approx({400: 800})
    far = shapely.LineString([(0, 40), (2000, 40)])
    assert reach.circles.geometry[0].intersection(far).length == 0


def test_a_station_in_mid_edge_reaches_both_ways_and_round_the_corner():
    walk = network([(0, 0), (1000, 0)], [(0, 0), (0, 500)])
    reach = reach_m(walk, points((300, 0)), 250, 400)
    assert metres_of(reach) == pytest.approx({250: 500, 400: 800}, abs=1e-9)
    first = reach.lines[reach.lines["metres"] == 250].geometry
    assert first.iloc[0].equals(shapely.LineString([(50, 0), (550, 0)]))


def test_a_ring_closes_exactly_once():
    ring = [[(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]]
    walk = network(*ring, [(0, 0), (-300, 0)])
    reach = reach_m(walk, points((0, 0)), 150, 199, 200, 250)
    assert metres_of(reach) == pytest.approx({150: 450, 199: 597, 200: 600, 250: 650}, abs=1e-6)


def test_a_ring_of_one_edge_is_walked_from_both_sides():
    loop = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]
    walk = network(loop, [(0, 0), (-300, 0)])
    at = points((0, 0), (100, 50), (-50, 0))
    reach = reach_m(walk, at, 150, 200, 250)
    table = reach.lines.groupby(["station", "metres"])["length_m"].sum()
    assert table["S1"].tolist() == pytest.approx([450, 600, 650])
    assert table["S2"].tolist() == pytest.approx([300, 400 + 50, 400 + 100])
    assert table["S3"].tolist() == pytest.approx([400, 550, 700])


def test_pieces_of_one_edge_stay_apart_until_they_meet():
    # From the corner, a long detour leads back to the far end of the station's own street.
    walk = network([(0, 0), (1000, 0)], [(0, 0), (0, 10), (1000, 10), (1000, 0)])
    one = reach_m(walk, points((10, 0)), 100).lines
    assert sorted(one["length_m"]) == pytest.approx([90, 110])
    both = reach_m(walk, points((0, 5)), 1020)
    assert both.lines["length_m"].sum() == pytest.approx(2020)
    assert len(both.lines) == 2
    near = reach_m(walk, points((0, 5)), 600).lines
    assert sorted(near["length_m"]) == pytest.approx([595, 605])


def test_legs_are_charged_at_both_ends():
    walk = network([(0, 0), (1000, 0)])
    homes = points((400, 30), (430, 30), (350, -50), (360.5, 50))
    reach = reach_m(walk, points((0, 20)), 450, households=homes)
    assert reach.households["metres"].tolist()[0] == pytest.approx(450)
    assert reach.households["served"].tolist() == [True, False, True, True]
    assert metres_of(reach) == pytest.approx({450: 430})


def test_a_leg_longer_than_the_limit_leaves_no_circle_and_no_piece():
    reach = reach_m(network([(0, 0), (1000, 0)]), points((0, 60)), 50, 100)
    assert reach.circles["metres"].tolist() == [100]
    assert metres_of(reach) == pytest.approx({100: 40})
    assert reach.stations["status"].tolist() == ["reached"]


def test_in_reach_means_up_to_the_limit_itself():
    walk = network([(0, 0), (1000, 0)])
    homes = points((400, 0), (400.001, 0))
    reach = reach_m(walk, points((0, 0)), 400, households=homes)
    assert reach.households["served"].tolist() == [True, False]


def test_one_way_paths_depend_on_the_direction():
    ring = [(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)]
    walk = network(*ring, oneway=[True] * 4)
    homes = points((100, 50), (20, 0), (60, 0))
    at = points((50, 0))
    away = reach_m(walk, at, 390, households=homes, direction="from_station").households
    back = reach_m(walk, at, 390, households=homes, direction="to_station").households
    assert away["metres"].tolist() == pytest.approx([100, 370, 10])
    assert back["metres"].tolist() == pytest.approx([300, 30, 390])


def test_one_way_pieces_lie_on_the_right_side_of_the_station():
    walk = network([(0, 0), (1000, 0)], oneway=[True])
    for direction, x in (("from_station", (500, 600)), ("to_station", (400, 500))):
        line = reach_m(walk, points((500, 0)), 100, direction=direction).lines.geometry[0]
        assert line.bounds[0::2] == pytest.approx(x)


def test_the_ends_of_a_one_way_street_are_open_to_all_sides():
    walk = network([(0, 0), (100, 0)], [(0, 0), (0, 100)], [(100, 0), (100, 100)],
                   oneway=[True, False, False])  # fmt: skip
    homes = points((0, 50), (100, 50))
    for direction in ("to_station", "from_station"):
        for place, near in (((0, 0), 0), ((100, 0), 1)):
            reach = reach_m(walk, points(place), 60, households=homes, direction=direction)
            assert reach.households["metres"][near] == pytest.approx(50)


def test_a_corner_of_one_way_streets_only_is_left_by_all_and_entered_by_all():
    out = network([(0, 0), (100, 0)], [(0, 0), (0, 100)], oneway=[True, True])
    leaving = reach_m(out, points((0, 0)), 60, direction="from_station")
    assert metres_of(leaving) == pytest.approx({60: 120})
    into = network([(100, 0), (0, 0)], [(0, 90), (0, 0)], oneway=[True, True])
    homes = points((0, 0), (100, 0), (0, 90))
    for place in ((100, 0), (0, 90)):
        reach = reach_m(into, points(place), 300, households=homes, direction="from_station")
        assert reach.households["served"].sum() == 2
        assert reach.households["served"][0]
    arriving = reach_m(into, points((0, 0)), 60)
    assert metres_of(arriving) == pytest.approx({60: 120})


def test_nobody_walks_against_a_one_way_street_from_its_end():
    walk = network([(0, 0), (1000, 0)], [(1000, 0), (1000, 100)], oneway=[True, False])
    at = points((1000, 50))
    assert metres_of(reach_m(walk, at, 300, direction="from_station")) == pytest.approx({300: 100})
    assert metres_of(reach_m(walk, at, 300, direction="to_station")) == pytest.approx({300: 350})


def test_of_parallel_edges_the_shortest_counts_and_they_are_not_added():
    graph = nx.MultiGraph(crs=CRS)
    graph.add_nodes_from([(n, {"x": 100 * n, "y": 0}) for n in range(3)])
    graph.add_edge(0, 1, length=300)
    graph.add_edge(0, 1, length=100)
    graph.add_edge(1, 2, length=100)
    reach = reach_m(
        WalkNetwork.from_networkx(graph), points((0, 0)), 250, households=points((200, 0))
    )
    assert reach.households["metres"].tolist() == pytest.approx([200])


def test_edges_of_no_length_let_walkers_pass():
    graph = nx.Graph(crs=CRS)
    graph.add_nodes_from([(n, {"x": x, "y": 0}) for n, x in enumerate((0, 100, 100, 200))])
    graph.add_edge(0, 1)
    graph.add_edge(1, 2)
    graph.add_edge(2, 3)
    walk = WalkNetwork.from_networkx(graph)
    assert 0 in walk.length_m
    reach = reach_m(walk, points((0, 0)), 200, households=points((200, 0), (150, 0)))
    assert reach.households["metres"].tolist() == pytest.approx([200, 150])
    assert metres_of(reach) == pytest.approx({200: 200})


def test_lengths_of_the_graph_rule_where_they_differ_from_its_lines():
    graph = nx.Graph(crs=CRS)
    graph.add_nodes_from([(1, {"x": 0, "y": 0}), (2, {"x": 100, "y": 0})])
    graph.add_edge(1, 2, length=200)
    reach = reach_m(WalkNetwork.from_networkx(graph), points((0, 0)), 100)
    assert metres_of(reach) == pytest.approx({100: 100})
    assert reach.lines.length.tolist() == pytest.approx([50])


def test_minutes_become_metres_by_the_preset(town):
    def metres(minutes, **options):
        at = points((1000, 1000))
        return town.reach(at, minutes=minutes, **options).assumptions["limits_m"]

    assert metres((5, 15)) == pytest.approx((400, 1200))
    assert metres((15, 5, 10), preset="adult") == pytest.approx((400, 800, 1200))
    assert metres((5, 10, 15), preset="gb50180") == (300, 500, 1000)
    assert metres((5, 10, 15), preset="elder") == pytest.approx((240, 480, 720))
    assert metres(6, speed_kmh=5) == pytest.approx((500,))


def test_walking_minutes_follow_speed_or_table(town):
    homes = points((1200, 1000), (1400, 1000), (1500, 1250), (1500, 1300))
    at = points((1000, 1000))
    table = town.reach(at, preset="gb50180", minutes=(5, 10, 15), households=homes).households
    assert table["metres"].tolist() == pytest.approx([200, 400, 750, 800])
    assert table["minutes"].tolist() == pytest.approx([200 / 60, 7.5, 12.5, 13])
    adult = town.reach(at, households=homes).households
    assert adult["minutes"].tolist() == pytest.approx([2.5, 5, 9.375, 10])
    timed = town.reach(at, minutes=None, metres=500, speed_kmh=6, households=homes).households
    assert timed["minutes"].tolist() == pytest.approx([2, 4, np.nan, np.nan], nan_ok=True)


def test_tables_have_their_columns_in_minutes_and_in_metres(town):
    homes = points((1000, 1200), (1000, 1700), (0, 0), households=[2, 3, 5], index=[7, 7, 9])
    homes = homes.set_index("index")
    reach = town.reach(points((1000, 1000)), households=homes)
    assert reach.limits == (5, 15)
    assert set(reach.circles.columns) >= {"station", "minutes", "metres", "geometry"}
    assert list(reach.lines.columns) == ["station", "minutes", "metres", "length_m", "geometry"]
    assert list(reach.stations.columns) == [
        "station", "status", "snap_m", "truncated", "households", "households_5", "households_15",
        "nearest_5", "nearest_15", "only_here_5", "only_here_15", "geometry",
    ]  # fmt: skip
    assert list(reach.households.columns) == [
        "households", "served", "minutes", "metres", "station", "count", "status",
        "served_5", "served_15", "geometry",
    ]  # fmt: skip
    assert reach.households.index.tolist() == [7, 7, 9]
    assert reach.households["served"].tolist() == [True, True, False]
    assert reach.households["served_5"].tolist() == [True, False, False]
    assert reach.households["station"].tolist() == ["S1", "S1", ""]
    assert np.isnan(reach.households["minutes"].iloc[2])
    assert reach.stations["households"].tolist() == [5]
    assert [reach.served_households(limit) for limit in reach.limits] == [2, 5]
    bare = reach_m(town, points((1000, 1000)), 400, 62.5, households=homes)
    assert "minutes" not in bare.households
    assert "minutes" not in bare.circles
    assert bare.limits == (62.5, 400)
    assert {"served_62.5", "served_400"} <= set(bare.households.columns)


def test_without_households_the_table_is_empty_but_whole(town):
    reach = town.reach(points((1000, 1000)))
    assert reach.households.empty
    assert "served_15" in reach.households
    assert reach.served_households(15) == 0
    assert reach.stations["households"].tolist() == [0]


def test_a_limit_that_was_not_measured_is_refused(town):
    with pytest.raises(InputError, match="no limit 7"):
        town.reach(points((1000, 1000))).served_households(7)


def test_several_stations_give_the_nearest_and_the_count():
    walk = network([(0, 0), (1000, 0)])
    at = points((0, 0), (600, 0), (5000, 0), station=["west", "east", "far"])
    homes = points((100, 0), (300, 0), (400, 0), (1000, 0), (9000, 0))
    reach = reach_m(walk, at, 400, households=homes)
    table = reach.households
    assert table["station"].tolist() == ["west", "east", "east", "east", ""]
    assert table["count"].tolist() == [1, 2, 2, 1, 0]
    assert table["metres"].tolist() == pytest.approx([100, 300, 200, 400, np.nan], nan_ok=True)
    assert table["status"].tolist() == ["reached"] * 4 + ["off_network"]
    assert reach.stations["households"].tolist() == [3, 3, 0]
    assert reach.stations["status"].tolist()[2] == StationStatus.OFF_NETWORK
    assert np.isnan(reach.stations["snap_m"][2])
    assert set(reach.circles["station"]) == {"west", "east"}
    assert set(reach.lines["station"]) == {"west", "east"}


def test_only_far_stations_serve_nobody_and_are_listed():
    walk = network([(0, 0), (1000, 0)])
    reach = walk.reach(points((0, 500)), households=points((0, 0)))
    assert reach.circles.empty
    assert reach.lines.empty
    assert reach.circles.crs == walk.crs
    assert reach.stations["status"].tolist() == ["off_network"]
    assert reach.households["served"].tolist() == [False]


def test_the_circle_holds_its_station_even_off_the_street():
    reach = reach_m(network([(0, 0), (1000, 0)]), points((500, 90)), 200)
    assert reach.circles.geometry[0].contains(shapely.Point(500, 90))


def test_points_in_degrees_are_brought_into_the_frame(town):
    at, homes = points((1000, 1000)), points((1300, 1000))
    reach = town.reach(at.to_crs(4326), households=homes.to_crs(3857))
    assert reach.households["metres"].tolist() == pytest.approx([300], abs=1e-3)
    assert reach.stations.crs == town.crs


def test_points_and_network_share_one_frame_or_none(town):
    with pytest.raises(CrsError, match="stations have no coordinate system"):
        town.reach(points((0, 0), crs=None))
    local = WalkNetwork.from_edges(streets([(0, 0), (100, 0)], crs=None))
    assert local.reach(points((0, 0), crs=None)).circles.crs is None
    with pytest.raises(CrsError, match="network has no coordinate system"):
        local.reach(points((0, 0)))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"metres": [400]}, "minutes and metres are both"),
        ({"minutes": None}, "neither minutes nor metres"),
        ({"minutes": ()}, "positive numbers"),
        ({"minutes": (5, -1)}, "positive numbers"),
        ({"minutes": (5, float("nan"))}, "positive numbers"),
        ({"minutes": ("five",)}, "must be numbers"),
        ({"preset": "adult", "speed_kmh": 4}, "contradict"),
        ({"preset": "runner"}, "no walking preset runner"),
        ({"preset": "gb50180", "minutes": (5, 7)}, "no walk of 7 minutes"),
        ({"preset": "gb50180", "minutes": None, "metres": [400]}, "metres of its own"),
        ({"speed_kmh": 0}, "no walking speed"),
        ({"direction": "both"}, "no direction both"),
        ({"max_snap_m": -1}, "no distance"),
    ],
)
def test_options_that_make_no_sense_are_refused(town, options, reason):
    with pytest.raises(InputError, match=reason):
        town.reach(points((1000, 1000)), **options)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ([shapely.Point(0, 0), None], "no point .rows 1."),
        ([shapely.Point()], "no point .rows 0."),
        ([shapely.LineString([(0, 0), (1, 1)])], "not points .rows 0."),
    ],
)
def test_rows_without_a_point_are_refused_by_number(town, shapes, reason):
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=CRS))
    with pytest.raises(InputError, match="stations " + ".*" + reason):
        town.reach(frame)


def test_households_must_be_points_but_those_without_a_place_are_listed(town):
    shapes = [shapely.Point(0, 0), None, shapely.Point()]
    homes = gpd.GeoDataFrame({"households": [1, 2, 4]}, geometry=gpd.GeoSeries(shapes, crs=CRS))
    reach = town.reach(points((0, 0)), households=homes)
    assert reach.households["status"].tolist() == ["reached", "no_point", "no_point"]
    assert reach.households["served"].tolist() == [True, False, False]
    assert reach.served_households(15) == 1
    assert reach.stations["households"].tolist() == [1]
    walks = town.walks(points((0, 0)), homes, metres=100)
    assert walks.household_status == ["reached", "no_point", "no_point"]
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=CRS)
    with pytest.raises(InputError, match=r"households .* not points .rows 0."):
        town.reach(points((0, 0)), households=lines)


def test_names_of_stations_must_be_there_and_differ(town):
    with pytest.raises(InputError, match="used twice"):
        town.reach(points((0, 0), (1, 1), station=["a", "a"]))
    with pytest.raises(InputError, match=r"no name \(rows 1\)"):
        town.reach(points((0, 0), (1, 1), station=["a", None]))
    with pytest.raises(InputError, match="no station"):
        town.reach(points((0, 0)).iloc[:0])
    assert town.reach(points((0, 0), station=[12])).stations["station"].tolist() == ["12"]


@pytest.mark.parametrize("counts", [[1, -2], [1, None], [1, 2.5], [1, "many"]])
def test_household_counts_must_be_whole(town, counts):
    with pytest.raises(InputError, match=r"whole number in 1 rows \(rows 1\)"):
        town.reach(points((0, 0)), households=points((0, 0), (1, 1), households=counts))


def test_inputs_are_not_changed(town):
    at, homes = points((1000, 1000)), points((900, 900), households=[3])
    copies = at.copy(), homes.copy()
    town.reach(at, households=homes)
    assert at.equals(copies[0])
    assert homes.equals(copies[1])


def test_many_stations_are_searched_in_chunks_without_a_trace(town, monkeypatch):
    rng = np.random.default_rng(3)
    at, homes = (points(*rng.uniform(0, 2000, (count, 2))) for count in (11, 60))
    whole = town.reach(at, households=homes)
    # An edge reached is a row, and a chunk holds at least as many rows as there are edges.
    monkeypatch.setattr(search, "_CHUNK_ROWS", 1)
    town.turned_streets.scratch.clear()
    parts = town.reach(at, households=homes)
    town.turned_streets.scratch.clear()
    for name in ("circles", "lines", "stations", "households"):
        assert getattr(whole, name).equals(getattr(parts, name))


def test_assumptions_are_there_to_be_printed(town, helsinki_osm):
    facts = town.reach(points((0, 0)), max_snap_m=40).assumptions
    assert facts["preset"] == "adult"
    assert facts["speed_kmh"] == 4.8
    assert facts["direction"] == "to_station"
    assert facts["max_snap_m"] == 40
    walk = WalkNetwork.from_osm(helsinki_osm)
    at = points(walk.xy[0], crs=walk.crs)
    assert walk.reach(at).assumptions["data_date"] == walk.source.date


def test_a_real_town_agrees_with_brute_force_household_by_household(helsinki_osm):
    walk = WalkNetwork.from_osm(helsinki_osm)
    rng = np.random.default_rng(8)
    west, south = walk.xy.min(axis=0)
    east, north = walk.xy.max(axis=0)
    low, high = [west, south], [east, north]
    at, homes = (points(*rng.uniform(low, high, (n, 2)), crs=walk.crs) for n in (6, 300))
    at = points(*at.get_coordinates().to_numpy(), (west - 500, south), crs=walk.crs)
    reach = walk.reach(at, households=homes)
    truth = brute_force(walk, at, homes, limit=1200, direction="to_station")
    assert reach.households["count"].tolist() == np.isfinite(truth).sum(axis=0).tolist()
    assert reach.served_households(5) == int((truth.min(axis=0) <= 400).sum()) > 0
    assert reach.stations["households"].tolist() == np.isfinite(truth).sum(axis=1).tolist()
    nearest = np.where(np.isfinite(truth.min(axis=0)), truth.min(axis=0), np.nan)
    assert reach.households["metres"].to_numpy() == pytest.approx(nearest, nan_ok=True, abs=1e-6)
    assert reach.stations["status"].tolist()[-1] == "off_network"
    assert reach.circles.is_valid.all()
    wide = reach.circles.pivot_table(
        index="station", columns="minutes", values="geometry", aggfunc="first"
    )
    assert all(big.covers(small) for small, big in zip(wide[5], wide[15], strict=True))
