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
def bar_tables(draw):
    """A few straight barriers."""
    ends = draw(st.lists(st.tuples(places, places), max_size=3))
    return gpd.GeoSeries([shapely.LineString(pair) for pair in ends if pair[0] != pair[1]], crs=CRS)


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
def test_circles_are_valid_nested_and_hold_their_station(lines, stations, direction):
    walk = walk_of(lines)
    exact, display = (
        walk.reach(stations, minutes=None, metres=LIMITS, direction=direction, look=look).circles
        for look in ("exact", "display")
    )
    assert exact["station"].equals(display["station"])
    assert shapely.covers(display.geometry.to_numpy(), exact.geometry.to_numpy()).all()
    place = dict(zip([f"S{n + 1}" for n in range(len(stations))], stations.geometry, strict=True))
    for circles in (exact, display):
        assert circles.is_valid.all()
        assert circles["parts"].tolist() == shapely.get_num_geometries(circles.geometry).tolist()
        for station, rows in circles.groupby("station"):
            shapes = rows.sort_values("metres").geometry.to_list()
            assert all(big.covers(small) for small, big in pairwise(shapes))
            assert shapes[0].contains(place[station])


def strewn(spots, step):
    """All middles of cells within 70 m of some lines."""
    west, south, east, north = np.round(np.array(spots) / step) * step + [-70, -70, 70, 70]
    x, y = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
    return points(*np.stack([x.ravel(), y.ravel()], axis=1))


def near_edges(walk, places, spots):
    """How many edges are as near as the one that was taken."""
    tree = shapely.STRtree(walk.geometry)
    found, _ = tree.query(places, predicate="dwithin", distance=np.nan_to_num(spots.leg_m) + 1e-5)
    return np.bincount(found, minlength=len(places))


@given(lines=line_tables(), bars=bar_tables(), direction=directions, at=places)
def test_a_circle_holds_those_cells_of_which_the_middle_is_served(lines, bars, direction, at):
    # Off the lattice nothing is a draw by construction, and no middle lies on a barrier.
    lines = lines.set_geometry(lines.translate(0.317, 0.173))
    walk = WalkNetwork.from_edges(lines, oneway="oneway", barriers=bars.translate(0.219, 0.119))
    homes = strewn(lines.total_bounds, 20.0)
    station = points(at)
    reach = measure(walk, station.assign(households=1), homes, direction)
    spots = walk.edge_index.snap(homes.geometry.to_numpy(), max_snap_m=100)
    leg, metres = spots.leg_m, reach.households["metres"].to_numpy()
    way = shapely.buffer(shapely.union_all(station.geometry), 8)
    start = walk.edge_index.snap(station.geometry.to_numpy(), max_snap_m=100)
    if start.is_on[0]:
        way = shapely.LineString([at, start.xy[0]]).buffer(8)
    clear = ~shapely.intersects(way, homes.geometry.to_numpy()) & ~(np.abs(leg - 50) < 0.05)
    # Streets that lie on each other are a draw that rounding decides; at a corner it is none.
    is_inside = (spots.position_m > 0) & (spots.position_m < walk.length_m[spots.edge])
    clear &= ~is_inside | (near_edges(walk, homes.geometry.to_numpy(), spots) < 2)
    for limit, circle in zip(reach.circles["metres"], reach.circles.geometry, strict=True):
        served = (metres <= limit) & (leg <= 50)
        sure = clear & ~(np.abs(metres - limit) < 0.05)
        drawn = shapely.intersects(circle, homes.geometry.to_numpy())
        assert np.array_equal(drawn[sure], served[sure])


@given(lines=line_tables(), bars=bar_tables(), step=st.sampled_from([5.0, 7.3, 20.0]))
def test_each_cell_belongs_to_the_edge_on_which_its_middle_is_placed(lines, bars, step):
    lines = lines.set_geometry(lines.translate(0.317, 0.173))
    walk = WalkNetwork.from_edges(lines, oneway="oneway", barriers=bars.translate(0.219, 0.119))
    cells = walk.field(step).painted(np.arange(len(walk.u)))
    edge = np.repeat(np.arange(len(walk.u)), np.diff(cells.pair))
    edge, south, west = (
        np.repeat(column, cells.stop - cells.start) for column in (edge, cells.row, cells.column)
    )
    order = np.concatenate([np.arange(*pair) for pair in zip(cells.start, cells.stop, strict=True)])
    place = cells.place[order]
    row, column = south + (place >> 8), west + (place & 255)
    spots = walk.edge_index.snap(shapely.points(column * step, row * step), max_snap_m=100)
    assert np.allclose(spots.leg_m, cells.leg[order], atol=1e-4)
    # Streets that lie on each other are a draw that rounding decides.
    middles = shapely.points(column * step, row * step)
    same = spots.edge == edge
    assert np.allclose(shapely.distance(middles, walk.geometry[edge]), spots.leg_m, atol=1e-5)
    is_draw = near_edges(walk, middles, spots) > 1
    assert same[~is_draw].all()
    plain = same & (walk.u[edge] != walk.v[edge])
    assert np.allclose(spots.position_m[plain], cells.position[order][plain], atol=1e-3)


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
    links=st.lists(st.tuples(places, places, st.booleans()), min_size=1, max_size=3),
    stations=crowds(),
    homes=crowds(most=10),
    direction=directions,
)
def test_new_links_anywhere_lower_no_count(lines, links, stations, homes, direction):
    walk = wide = walk_of(lines)
    for start, end, oneway in links:
        assume(start != end)
        # The first end joins the nearest street, however far; the other one where it comes close.
        shape = shapely.LineString([start, end])
        near = shapely.shortest_line(shape.boundary.geoms[0], shapely.union_all(wide.geometry))
        shape = shapely.LineString([near.coords[1], end])
        assume(shape.length > 0)
        wide = wide.with_link(shape, oneway=oneway)
    before = measure(walk, stations, homes, direction)
    after = measure(wide, stations, homes, direction)
    assert before.stations["snap_m"].equals(after.stations["snap_m"])
    one, other = before.households, after.households
    assert (other["count"] >= one["count"]).all()
    assert not (one["served_150"] & ~other["served_150"]).any()
    assert (other["metres"].fillna(np.inf) <= one["metres"].fillna(np.inf) + NEAR_MM).all()
    for limit in LIMITS:
        assert total(after, limit) >= total(before, limit) - NEAR_MM


@given(
    lines=line_tables(), bars=st.lists(st.tuples(places, places), max_size=3), homes=crowds(most=12)
)
def test_no_way_to_a_street_crosses_a_barrier_and_the_nearest_free_one_is_taken(lines, bars, homes):
    bars = [shapely.LineString(ends) for ends in bars if ends[0] != ends[1]]
    barriers = gpd.GeoSeries(bars, crs=CRS)
    walk = WalkNetwork.from_edges(lines, oneway="oneway", barriers=barriers)
    for home in homes.geometry:
        spots = walk.edge_index.snap(np.array([home], dtype=object), max_snap_m=100)
        legs = [shapely.shortest_line(home, line) for line in walk.geometry if line.length > 0]
        free = [leg.length for leg in legs if not any(leg.crosses(bar) for bar in bars)]
        near = [length for length in free if length <= 100]
        # Islands come second, so the nearest free street of all may be a nearer one.
        assert bool(spots.is_on[0]) == bool(near)
        if near:
            assert spots.leg_m[0] >= min(near) - NEAR_MM
