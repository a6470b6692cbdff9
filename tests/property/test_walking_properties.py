"""What holds for every network: reach grows, adds up, and does not depend on order or place."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from walk_cases import CRS, brute_force, points

from geogrid.walking import WalkNetwork

LIMITS = (150, 400)
NEAR_MM = 1e-3

places = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(
    lambda xy: (float(xy[0]), float(xy[1]))
)


@st.composite
def line_tables(draw):
    """Streets between few corners: parallels, duplicates, loops, dead ends, crossings, one-ways."""
    corners = draw(st.lists(places, min_size=2, max_size=7, unique=True))
    corner = st.sampled_from(corners)
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        start, via, end = draw(corner), draw(st.lists(places, max_size=2)), draw(corner)
        line = shapely.LineString([start, *via, end])
        # A line drawn over itself has two positions on one spot.
        lines.append(line if line.is_simple else shapely.LineString([start, end]))
    lines.append(shapely.LineString([corners[0], corners[1]]))
    oneway = draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    return gpd.GeoDataFrame({"oneway": oneway}, geometry=lines, crs=CRS)


@st.composite
def graphs(draw):
    """Directed graphs of which lengths, 0 among them, have nothing to do with their lines."""
    count = draw(st.integers(2, 6))
    graph = nx.MultiDiGraph(crs=CRS)
    for node in range(count):
        x, y = draw(places)
        graph.add_node(node, x=x, y=y)
    node = st.integers(0, count - 1)
    for _ in range(draw(st.integers(1, 14))):
        tail, head = draw(node), draw(node)
        facts = {"length": float(draw(st.integers(0, 120)))}
        if tail == head or draw(st.booleans()):
            ends = [(graph.nodes[end]["x"], graph.nodes[end]["y"]) for end in (tail, head)]
            facts["geometry"] = shapely.LineString([ends[0], draw(places), ends[1]])
        graph.add_edge(tail, head, **facts)
        if draw(st.booleans()):
            graph.add_edge(head, tail, length=facts["length"])
    return graph


@st.composite
def crowds(draw, *, most=5, least=1):
    """Points with counts near the streets, some far off."""
    spots = draw(st.lists(places, min_size=least, max_size=most))
    spots = [(x * 1.5 - 100, y * 1.5 - 100) for x, y in spots]
    return points(*spots, households=[1 + row % 3 for row in range(len(spots))])


directions = st.sampled_from(["to_station", "from_station"])


def walk_of(lines):
    return WalkNetwork.from_edges(lines, oneway="oneway")


def measure(walk, stations, households, direction="to_station", limits=LIMITS):
    return walk.reach(
        stations.drop(columns="households"),
        minutes=None,
        metres=limits,
        households=households,
        direction=direction,
    )


def total(reach, limit):
    return reach.lines["length_m"][reach.lines["metres"] == limit].sum()


@given(lines=line_tables(), stations=crowds(most=3), homes=crowds(most=8), direction=directions)
def test_streets_agree_with_brute_force(lines, stations, homes, direction):
    agrees_with_brute_force(walk_of(lines), stations, homes, direction)


@given(graph=graphs(), stations=crowds(most=3), homes=crowds(most=8), direction=directions)
def test_graphs_agree_with_brute_force(graph, stations, homes, direction):
    agrees_with_brute_force(WalkNetwork.from_networkx(graph), stations, homes, direction)


def agrees_with_brute_force(walk, stations, homes, direction):
    reach = measure(walk, stations, homes, direction)
    truth = brute_force(walk, stations, homes, limit=LIMITS[-1], direction=direction)
    # Points of one street by rounding share a spot in one computation and not in the other.
    is_close = np.isclose(truth, LIMITS[-1], atol=1e-5) | np.isclose(truth, LIMITS[0], atol=1e-5)
    if is_close.any():
        return
    least = truth.min(axis=0)
    table = reach.households
    assert table["count"].tolist() == np.isfinite(truth).sum(axis=0).tolist()
    assert table["served_150"].tolist() == (least <= LIMITS[0]).tolist()
    metres = table["metres"].fillna(np.inf).to_numpy()
    assert np.allclose(metres, least, atol=1e-5)


@given(lines=line_tables(), stations=crowds(), homes=crowds(most=12), direction=directions)
def test_served_and_unserved_are_all_and_reach_grows_with_the_limit(
    lines, stations, homes, direction
):
    reach = measure(walk_of(lines), stations, homes, direction)
    table = reach.households
    unserved = table["households"][~table["served"]].sum()
    assert reach.served_households(400) + unserved == homes["households"].sum()
    assert not (table["served_150"] & ~table["served_400"]).any()
    assert (table["served"] == table["served_400"]).all()
    assert (table["count"] > 0).equals(table["served"])
    assert total(reach, 150) <= total(reach, 400) + NEAR_MM
    nearer = table["metres"][table["served"]]
    assert (nearer <= 400 + NEAR_MM).all()


@given(lines=line_tables(), stations=crowds(), direction=directions)
def test_circles_are_valid_nested_and_hold_their_streets(lines, stations, direction):
    reach = measure(walk_of(lines), stations, stations, direction)
    assert reach.circles.is_valid.all()
    assert (reach.circles.geom_type == "Polygon").all()
    for _, circles in reach.circles.groupby("station"):
        shapes = circles.sort_values("metres").geometry.to_list()
        assert all(big.covers(small) for small, big in pairwise(shapes))
    drawn = reach.circles.set_index(["station", "metres"]).geometry
    for (station, metres), pieces in reach.lines.groupby(["station", "metres"]):
        assert drawn[station, metres].buffer(NEAR_MM).covers(pieces.union_all())
        # Nothing else is drawn: squares of streets count only when they are reached whole.
        legs = reach.stations.set_index("station").loc[[station], ["geometry", "snap_m"]]
        near = pieces.buffer(25.01).union_all()
        way = legs.geometry.iloc[0].buffer(legs["snap_m"].iloc[0] + 25.01)
        assert drawn[station, metres].difference(near).difference(way).area < 1


@given(lines=line_tables(), stations=crowds(), direction=directions)
def test_pieces_are_disjoint_and_never_more_than_the_network(lines, stations, direction):
    walk = walk_of(lines)
    reach = measure(walk, stations, stations, direction, limits=(100, 400, 5000))
    sums = reach.lines.groupby(["station", "metres"])["length_m"].sum()
    assert (sums <= walk.length_m.sum() + NEAR_MM).all()
    assert np.allclose(reach.lines.length, reach.lines["length_m"], atol=NEAR_MM)
    assert (reach.lines["length_m"] > 0).all()


@given(lines=line_tables(), stations=crowds(least=2), homes=crowds(most=12), direction=directions)
def test_another_station_lowers_nothing_and_all_equal_the_union_of_each(
    lines, stations, homes, direction
):
    walk = walk_of(lines)
    whole = measure(walk, stations, homes, direction).households
    singles = [
        measure(walk, stations.iloc[[row]], homes, direction).households
        for row in range(len(stations))
    ]
    served = np.any([one["served"] for one in singles], axis=0)
    assert whole["served"].tolist() == served.tolist()
    assert whole["count"].tolist() == np.sum([one["count"] for one in singles], axis=0).tolist()
    metres = np.min([one["metres"].fillna(np.inf) for one in singles], axis=0)
    assert np.array_equal(whole["metres"].fillna(np.inf), metres)


@given(
    lines=line_tables(), stations=crowds(), homes=crowds(most=10), direction=directions,
    seed=st.integers(0, 99),
)  # fmt: skip
def test_the_order_of_rows_changes_nothing(lines, stations, homes, direction, seed):
    rng = np.random.default_rng(seed)
    stations = stations.assign(station=[f"s{row}" for row in range(len(stations))])
    one = measure(walk_of(lines), stations, homes, direction)
    shuffled = [table.iloc[rng.permutation(len(table))] for table in (lines, stations, homes)]
    other = measure(walk_of(shuffled[0]), shuffled[1], shuffled[2], direction)
    kept = ["households", "served", "station", "count", "status"]
    assert one.households[kept].equals(other.households.loc[one.households.index, kept])
    for limit in LIMITS:
        assert np.isclose(total(one, limit), total(other, limit), atol=NEAR_MM)
    assert one.stations.set_index("station")["households"].to_dict() == (
        other.stations.set_index("station")["households"].to_dict()
    )


@given(
    lines=line_tables(), stations=crowds(), homes=crowds(most=10), direction=directions,
    shift=st.tuples(st.integers(-4_000, 4_000), st.integers(-4_000, 4_000)),
    turns=st.integers(0, 3),
)  # fmt: skip
def test_a_rigid_shift_or_quarter_turn_changes_no_count_and_no_length(
    lines, stations, homes, direction, shift, turns
):
    # Equally near streets are chosen by place, so a turn may choose the other one: points off
    # the grid of the corners have no such ties.
    stations, homes = (
        table.set_geometry(table.translate(0.317, 0.173)) for table in (stations, homes)
    )

    def moved(table):
        angle = turns * np.pi / 2
        cos, sin = round(np.cos(angle)), round(np.sin(angle))
        return table.set_geometry(table.affine_transform([cos, -sin, sin, cos, *shift]))

    one = measure(walk_of(lines), stations, homes, direction)
    other = measure(walk_of(moved(lines)), moved(stations), moved(homes), direction)
    kept = ["served", "served_150", "count", "status"]
    assert one.households[kept].equals(other.households[kept])
    for limit in LIMITS:
        assert np.isclose(total(one, limit), total(other, limit), atol=NEAR_MM)


@given(
    lines=line_tables(),
    ends=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    stations=crowds(),
    homes=crowds(most=10),
    direction=directions,
)
def test_a_new_link_between_corners_lowers_no_count(lines, ends, stations, homes, direction):
    walk = walk_of(lines)
    graph = walk.to_networkx()
    tail, head = (end % len(walk.xy) for end in ends)
    # Nobody is placed on a line of no length, so all points stay where they were.
    graph.add_edge(tail, head, length=30.0, geometry=shapely.LineString([walk.xy[tail]] * 2))
    wide = WalkNetwork.from_networkx(graph)
    for table in (stations, homes):
        spots = [
            one.edge_index.snap(table.geometry.to_numpy(), max_snap_m=100).xy
            for one in (walk, wide)
        ]
        assume(np.array_equal(spots[0], spots[1], equal_nan=True))
    before = measure(walk, stations, homes, direction).households
    after = measure(wide, stations, homes, direction).households
    assert not (before["served"] & ~after["served"]).any()
    assert (after["count"] >= before["count"]).all()
    assert (after["metres"].fillna(np.inf) <= before["metres"].fillna(np.inf) + NEAR_MM).all()
