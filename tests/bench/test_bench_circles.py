"""Circles from the field beside buffers of the same reach, and beside the count of addresses.

Run with ``pytest tests/bench/test_bench_circles.py --benchmark-only -s``.
"""

from __future__ import annotations

import statistics
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walk_cases import network, points

from geogrid.walking import WalkNetwork
from geogrid.walking.circles import Pen, draw_circles
from geogrid.walking.field import LEG_M, Field
from geogrid.walking.inputs import Placed
from geogrid.walking.search import search

STATIONS, ADDRESSES = 300, 40_000
LIMITS = (400.0, 1200.0)
ROUNDS = 5
# Most milliseconds a station for 1200 m, and most percent of addresses missed or wrong.
MOST_MS = {5: 9.5, 10: 3.5}
MOST_WRONG = {400: 1.5, 1200: 0.5}


@pytest.fixture(scope="module")
def walk(shared_data):
    return WalkNetwork.from_osm(shared_data / "osm" / "liechtenstein.osm.pbf")


def beside_streets(walk, count, leg_m, seed):
    """Points strewn evenly along all streets, up to ``leg_m`` beside them."""
    rng = np.random.default_rng(seed)
    edge = rng.choice(len(walk.u), count, p=walk.length_m / walk.length_m.sum())
    on = shapely.line_interpolate_point(walk.geometry[edge], rng.random(count), normalized=True)
    angle, away = rng.random(count) * 2 * np.pi, rng.random(count) * leg_m
    aside = np.stack([away * np.cos(angle), away * np.sin(angle)], axis=1)
    return shapely.points(shapely.get_coordinates(on) + aside)


def stations_of(walk):
    at = beside_streets(walk, STATIONS + 20, 20, seed=5)
    # Some lie behind a barrier, with no way to a street.
    at = at[walk.edge_index.snap(at, max_snap_m=100).is_on][:STATIONS]
    return Placed(points=at, spots=walk.edge_index.snap(at, max_snap_m=100))


def drawing(walk, field, stations, *limits, look="exact"):
    """A job that draws circles of what was searched already."""
    turned = stations.turned(walk.length_m)
    found = list(search(walk.turned_streets, turned.spots, limits[-1]))
    pen = Pen(field=field, limits_m=limits, longest_leg_m=100.0, look=look)
    return lambda: draw_circles(pen, walk.turned_streets, found, turned, is_turned=True)


def ms_a_station(job):
    runs = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        job()
        runs.append((time.perf_counter() - start) / STATIONS * 1000)
    return statistics.median(runs)


def painted(walk, cell_m):
    start = time.perf_counter()
    field = Field.of(walk.edge_index, cell_m)
    cells = field.painted(np.arange(len(walk.u)))
    return field, len(cells.place), time.perf_counter() - start


@pytest.fixture(scope="module")
def stations(walk):
    return stations_of(walk)


@pytest.mark.parametrize("cell_m", [5, 10])
@pytest.mark.timeout(900)
def test_every_circle_is_drawn_in_milliseconds(benchmark, walk, stations, cell_m, capsys):
    painted(walk, cell_m)
    field, cells, seconds = painted(walk, cell_m)
    jobs = {limit: drawing(walk, field, stations, limit) for limit in LIMITS}
    both = drawing(walk, field, stations, *LIMITS)
    display = drawing(walk, field, stations, *LIMITS, look="display")
    shapes = {"exact": benchmark.pedantic(both, rounds=1), "display": display()}
    near, far = (ms_a_station(jobs[limit]) for limit in LIMITS)
    invalid, loose = 0, 0
    for circles in shapes.values():
        invalid += int((~shapely.is_valid(circles)).sum())
        loose += int((~shapely.covers(circles[:, 1], circles[:, 0])).sum())
        assert shapely.intersects(circles[:, 0], stations.points).all()
    parts = shapely.get_num_geometries(shapes["exact"][:, 1])
    with capsys.disabled():
        print(
            f"\ncircles at {cell_m} m: field of {cells} cells {seconds:.2f} s; {near:.2f} ms a "
            f"station at 400 m, {far:.2f} at 1200 m, {ms_a_station(both):.2f} both, "
            f"{ms_a_station(display):.2f} both for display; {invalid} invalid and {loose} "
            f"not nested of {4 * STATIONS}, {(parts > 1).sum()} of {STATIONS} in several parts"
        )
    assert invalid == loose == 0
    assert far <= MOST_MS[cell_m]


@pytest.mark.parametrize(("place", "limit", "count"), [("city", 400.0, 6), ("country", 1200.0, 60)])
@pytest.mark.timeout(900)
def test_drawing_beside_the_buffers_of_geos(
    benchmark, walk, helsinki_osm, place, limit, count, capsys
):
    walk = WalkNetwork.from_osm(helsinki_osm) if place == "city" else walk
    stations = stations_of(walk)
    at = gpd.GeoDataFrame(geometry=stations.points[:count], crs=walk.crs)
    lines = walk.reach(at, minutes=None, metres=limit).lines
    pieces = [rows.geometry.to_numpy() for _, rows in lines.groupby("station")]

    def ms(job):
        start = time.perf_counter()
        for one in pieces:
            job(one)
        return (time.perf_counter() - start) / len(pieces) * 1000

    # The usual recipe buffers what is reached as one shape; each piece alone is quicker.
    usual = ms(lambda one: shapely.buffer(shapely.union_all(one), 25, quad_segs=8))
    alone = ms(lambda one: shapely.union_all(shapely.buffer(one, 25, quad_segs=8)))
    ours = {}
    for cell_m in (5, 10):
        job = drawing(walk, painted(walk, cell_m)[0], stations, limit)
        benchmark.pedantic(job, rounds=1) if cell_m == 5 else job()
        ours[cell_m] = ms_a_station(job)
    with capsys.disabled():
        print(
            f"\n{place}, {limit:g} m: {len(lines) / len(pieces):.0f} pieces a station; buffer of "
            f"25 m of all at once {usual:.1f} ms, of each {alone:.1f} ms; field of 5 m "
            f"{ours[5]:.2f} ms ({usual / ours[5]:.0f} and {alone / ours[5]:.0f} times), of "
            f"10 m {ours[10]:.2f} ms"
        )
    if place == "city":
        assert usual >= 200 * ours[5]


@pytest.mark.parametrize("cell_m", [5, 10])
@pytest.mark.timeout(900)
def test_polygons_say_what_the_count_says(benchmark, walk, stations, cell_m, capsys):
    homes = beside_streets(walk, ADDRESSES, LEG_M, seed=11)
    # Beside an island the street that counts may be farther off than the leg that is drawn.
    homes = homes[walk.edge_index.snap(homes, max_snap_m=100).leg_m <= LEG_M]
    people = np.random.default_rng(12).integers(1, 8, len(homes))
    frame = gpd.GeoDataFrame(geometry=homes, crs=walk.crs)
    at = gpd.GeoDataFrame(geometry=stations.points, crs=walk.crs)
    field = Field.of(walk.edge_index, cell_m)
    tree = shapely.STRtree(homes)

    def agree(limit):
        circles = drawing(walk, field, stations, limit)()[:, 0]
        drawn = np.stack(tree.query(circles, predicate="intersects"))
        walks = walk.walks(at, frame, metres=limit)
        counted = np.stack([walks.station, walks.household])
        keys = [pairs[0] * len(homes) + pairs[1] for pairs in (drawn, counted)]
        missed = np.setdiff1d(keys[1], keys[0]).size / len(keys[1])
        wrong = np.setdiff1d(keys[0], keys[1]).size / len(keys[1])
        error = people[drawn[1]].sum() / people[counted[1]].sum() - 1
        return len(keys[1]), missed * 100, wrong * 100, error * 100

    benchmark.pedantic(agree, args=(LIMITS[0],), rounds=1)
    for limit in LIMITS:
        pairs, missed, wrong, error = agree(limit)
        with capsys.disabled():
            print(
                f"\ncircles at {cell_m} m, {limit:g} m: {pairs} walks to {len(homes)} addresses, "
                f"missed {missed:.2f} %, wrong {wrong:.2f} %, people {error:+.2f} %"
            )
        if cell_m == 5:
            assert missed + wrong <= MOST_WRONG[limit]
            assert abs(error) <= 0.2


def test_nothing_of_the_far_bank_is_drawn(benchmark, capsys):
    walk = network(
        [(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], [(1000, 0), (1000, 40)],
        [(0, 40), (1000, 40)], [(1000, 40), (2000, 40)],
    )  # fmt: skip
    at = points((500, 0))

    def draw():
        return walk.reach(at, minutes=None, metres=400).circles.geometry[0]

    circle = benchmark.pedantic(draw, rounds=1)
    near, far = (
        circle.intersection(shapely.LineString([(0, y), (2000, y)])).length for y in (0, 40)
    )
    with capsys.disabled():
        print(f"\nriver of 40 m, 400 m: {near:.0f} m of the near bank, {far:g} m of the far one")
    assert far == 0
