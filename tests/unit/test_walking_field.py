"""The field and the circles drawn from it: what they hold, what they never touch, how they nest."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walk_cases import CRS, grid_streets, network, points

from geogrid.errors import InputError
from geogrid.walking import WalkNetwork
from geogrid.walking._closing import close
from geogrid.walking._contour import trace
from geogrid.walking._warm import draw_once
from geogrid.walking.circles import LOOKS
from geogrid.walking.field import LEG_M, Field
from geogrid.walking.web import web_circles, web_shapes


def circle_of(walk, place, *metres, **options):
    shapes = walk.reach(points(place), minutes=None, metres=metres, **options).circles.geometry
    return shapes.iloc[0] if len(metres) == 1 else shapes.to_list()


def walled(lines, *bars):
    frame = gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=CRS)
    barriers = gpd.GeoSeries([shapely.LineString(bar) for bar in bars], crs=CRS)
    return WalkNetwork.from_edges(frame, barriers=barriers)


@pytest.fixture(scope="module")
def town():
    return WalkNetwork.from_edges(grid_streets(21))


@pytest.mark.parametrize(("cell_m", "area"), [(5, 318_091), (10, 316_334)])
def test_a_street_grid_gives_the_diamond_of_all_homes_in_reach(town, cell_m, area):
    circle = circle_of(town, (1000, 1000), 400, cell_m=cell_m)
    assert circle.area == pytest.approx(area, abs=1)
    diamond = shapely.Polygon([(600, 1000), (1000, 600), (1400, 1000), (1000, 1400)])
    assert circle.symmetric_difference(diamond).area < 0.02 * diamond.area
    assert not circle.interiors


def test_a_street_is_drawn_as_wide_as_the_longest_leg():
    circle = circle_of(network([(0, 0), (1000, 0)]), (500, 0), 400)
    cut = circle.intersection(shapely.LineString([(503, -99), (503, 99)]))
    assert cut.length == pytest.approx(2 * LEG_M, abs=0.1)
    # At its end the walk is used up: nobody beside the street has metres left for the leg.
    assert circle.bounds[::2] == pytest.approx((100, 900), abs=2.5)
    narrow = circle_of(network([(0, 0), (1000, 0)]), (500, 0), 400, max_snap_m=20)
    assert narrow.bounds[1::2] == pytest.approx((-20, 20), abs=0.1)


def test_no_cell_beyond_a_barrier_is_drawn():
    walk = walled([[(0, 0), (1000, 0)]], [(0, 12), (1000, 12)])
    for look in LOOKS:
        circle = circle_of(walk, (500, -3), 400, look=look)
        # The border lies half-way between the last cell before the barrier and the next one.
        assert circle.bounds[3] == pytest.approx(12.5, abs=0.1)
        assert circle.bounds[1] == pytest.approx(-LEG_M, abs=0.1)


def test_a_far_bank_is_never_drawn_while_its_bridge_is_out_of_reach():
    banks = [[(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], [(1000, 0), (1000, 40)],
             [(0, 40), (1000, 40)], [(1000, 40), (2000, 40)]]  # fmt: skip
    for walk in (network(*banks), walled(banks, [(0, 20), (999, 20)], [(1001, 20), (2000, 20)])):
        for look in LOOKS:
            circle = circle_of(walk, (500, 0), 400, look=look)
            assert circle.intersection(shapely.LineString(banks[0])).length == pytest.approx(
                800, abs=0.1
            )
            for bank in banks[3:]:
                assert not circle.intersects(shapely.LineString(bank))


def test_ground_beyond_a_bridge_is_a_part_of_its_own_when_a_gap_lies_between():
    # A footbridge is all of 300 m long; who lives at its middle would need a leg through the air.
    walk = walled(
        [[(0, 0), (200, 0)], [(200, 0), (500, 0)], [(500, 0), (700, 0)]],
        [(200, -60), (200, -1)], [(200, 1), (200, 60)],
    )  # fmt: skip
    reach = walk.reach(points((100, 0)), minutes=None, metres=500)
    assert reach.circles["parts"].tolist() == [
        shapely.get_num_geometries(reach.circles.geometry[0])
    ]
    assert reach.circles.geometry[0].covers(shapely.Point(400, 0))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("place", [(500, 90), (500, 3), (502.5, -47), (0, 0), (1000, 60)])
def test_a_circle_holds_its_station_even_far_off_the_street(place, look):
    walk = network([(0, 0), (1000, 0)])
    for circle in circle_of(walk, place, 91, 200, look=look):
        assert circle.contains(shapely.Point(place))
        assert circle.is_valid
        assert circle.geom_type == "Polygon"


def test_oneway_ground_lies_on_the_right_side_of_the_station():
    walk = network([(0, 0), (1000, 0)], oneway=[True])
    for direction, (west, east) in (("from_station", (500, 600)), ("to_station", (400, 500))):
        circle = circle_of(walk, (500, 0), 100, direction=direction)
        assert circle.bounds[::2] == pytest.approx((west, east), abs=5.1)


def test_islands_own_ground_only_where_no_usable_street_is_near():
    walk = network([(0, 0), (5000, 0)], [(480, 30), (510, 30)], [(480, 130), (510, 130)])
    field = Field.of(walk.edge_index, 5.0)
    cells = field.painted(np.arange(3))
    owned = [
        cells.stop[cells.pair[e] : cells.pair[e + 1]]
        - cells.start[cells.pair[e] : cells.pair[e + 1]]
        for e in range(3)
    ]
    islands = walk.length_m < 100
    near = walk.geometry[islands][0].centroid.y < 100
    sizes = np.array([part.sum() for part in owned])
    first, second = sizes[islands] if near else sizes[islands][::-1]
    assert second > 400
    assert first < 200


def test_tiles_are_painted_when_a_circle_touches_them_and_change_nothing():
    lines = [[(x, 0), (x + 100, 0)] for x in range(0, 6000, 100)]
    walk = network(*lines)
    field = walk.field()
    assert not field.walled
    alone = circle_of(walk, (3000, 0), 300)
    some = len(field.walled)
    assert 0 < some < len(field.tiles.row)
    walk.reach(points((200, 0), (5800, 0)))
    assert len(field.walled) == len(field.tiles.row) > some
    assert circle_of(walk, (3000, 0), 300).equals_exact(alone)
    assert walk.field() is field


@pytest.mark.parametrize("cell_m", [0, 0.5, 26, float("nan")])
def test_cells_of_no_sense_are_refused(town, cell_m):
    with pytest.raises(InputError, match="no size of a cell"):
        town.reach(points((0, 0)), cell_m=cell_m)


def test_a_look_that_there_is_not_is_refused(town):
    with pytest.raises(InputError, match="no look pretty: use one of exact, display"):
        town.reach(points((0, 0)), look="pretty")


def test_looks_are_named_in_the_table_and_in_the_assumptions(town):
    exact, display = (town.reach(points((1000, 1000)), look=look) for look in LOOKS)
    assert exact.circles["look"].tolist() == ["exact"] * 2
    assert display.circles["look"].tolist() == ["display"] * 2
    assert "at most 50 m beside it" in exact.assumptions["polygon"]
    assert "counted on the network" in exact.assumptions["polygon"]
    assert "holes below 5000" not in exact.assumptions["polygon"]
    assert "holes below 5000" in display.assumptions["polygon"]


def raster(*rows):
    return np.array([[255 if mark == "#" else -255 for mark in row] for row in rows], np.int16)


def marks(values):
    return ["".join("#" if value > 0 else "." for value in row) for row in values]


def closed(values, walled, gap, hole):
    """Rows of what is closed, with the room around it that closing needs."""
    room = 3
    out = close(np.pad(values, room, constant_values=-255), np.pad(walled, room), gap, hole)
    return marks(out[room:-room, room:-room])


def test_gaps_and_holes_are_closed_but_not_across_a_barrier():
    blocks = raster(*[".####..####."] * 6)
    nothing = np.zeros(blocks.shape, bool)
    assert closed(blocks, nothing, 0.0, 0.0) == marks(blocks)
    assert closed(blocks, nothing, 2.0, 0.0)[3] == ".##########."
    bar = nothing.copy()
    bar[:, 5] = True
    # Only the side is filled from which the gap is reached.
    assert closed(blocks, bar, 2.0, 0.0)[3] == ".####.#####."
    ring = raster(".####.", ".#..#.", ".####.")
    nothing = np.zeros(ring.shape, bool)
    assert closed(ring, nothing, 0.0, 1.0)[1] == ".#..#."
    assert closed(ring, nothing, 0.0, 2.0)[1] == ".####."
    bar = nothing.copy()
    bar[:, 3] = True
    assert closed(ring, bar, 0.0, 9.0)[1] == ".#..#."


def shapes_of(values):
    xy, rings, polygons = trace(values, 0, 0, 1.0)
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, (rings, polygons))


def test_rings_are_traced_with_their_holes_and_what_lies_in_these():
    ground = raster(".......", ".#####.", ".#...#.", ".#.#.#.", ".#...#.", ".#####.", ".......")
    outer, inner = shapes_of(ground)
    assert outer.area == pytest.approx(25 - 0.5 - 9 + 0.5)
    assert len(outer.interiors) == 1
    assert inner.area == pytest.approx(0.5)
    assert outer.exterior.is_ccw
    assert not outer.interiors[0].is_ccw


def test_corners_join_by_their_mean():
    apart, joined = raster("....", ".#..", "..#.", "...."), raster("....", ".#..", "..#.", "....")
    apart[1, 1], joined[1, 2] = 101, -99
    assert len(shapes_of(apart)) == 2
    assert len(shapes_of(joined)) == 1
    assert len(shapes_of(raster("..", ".."))) == 0


def test_web_circles_have_fewer_corners_and_stay_nested(helsinki_osm):
    walk = WalkNetwork.from_osm(helsinki_osm)
    at = points(*walk.xy[[5, 900, 2500]], crs=walk.crs)
    circles = walk.reach(at, look="display").circles
    light = web_circles(circles)
    assert light.drop(columns="geometry").equals(circles.drop(columns="geometry"))
    before, after = (
        shapely.get_num_coordinates(table.geometry).sum() for table in (circles, light)
    )
    assert after < before / 2
    assert light.is_valid.all()
    for small, big in zip(*(light.geometry[light["minutes"] == m] for m in (5, 15)), strict=True):
        assert big.covers(small)
    moved = light.symmetric_difference(circles).area / circles.area
    assert moved.max() < 0.02


@pytest.mark.parametrize("look", LOOKS)
def test_circles_of_limits_close_together_are_nested(helsinki_osm, look):
    walk = WalkNetwork.from_osm(helsinki_osm)
    limits = tuple(range(300, 420, 3))
    shapes = circle_of(walk, walk.xy[900], *limits, look=look)
    assert all(big.covers(small) for small, big in pairwise(shapes))


def test_united_circles_stay_nested_where_rounding_left_them_apart():
    inner = shapely.Point(0, 0).buffer(100)
    outer = inner.union(shapely.Point(150, 0).buffer(100))
    shifted = shapely.affinity.translate(inner, -1e-9, 0)
    small, big = web_shapes(np.array([shifted, outer]))
    assert big.covers(small)
    assert shapely.get_num_coordinates(big) < shapely.get_num_coordinates(outer)


def test_one_drawing_compiles_everything():
    draw_once()
    assert trace.signatures
    assert close.signatures
