"""The way from a door to the street crosses no river, railway or wall."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walk_cases import CRS, points, streets

from geogrid.errors import CrsError, InputError
from geogrid.osm import read_osm
from geogrid.walking import WalkNetwork
from geogrid.walking.barriers import barriers_of_extract

RIVER = streets([(-500, 20), (1500, 20)])


def walled(*lines, barriers):
    return WalkNetwork.from_edges(streets(*lines), barriers=barriers)


def snap(walk, *places, max_snap_m=100):
    return walk.edge_index.snap(points(*places).geometry.to_numpy(), max_snap_m=max_snap_m)


def test_the_next_street_is_taken_when_a_river_bars_the_nearest():
    walk = walled([(0, 0), (1000, 0)], [(0, 90), (1000, 90)], barriers=RIVER)
    spots = snap(walk, (500, 30), (500, 15), (500, 25))
    assert spots.leg_m.tolist() == [60, 15, 65]
    assert snap(walk, (500, 30), max_snap_m=50).edge.tolist() == [-1]


def test_behind_a_barrier_a_station_is_listed_as_off_the_network():
    walk = walled([(0, 0), (1000, 0)], barriers=RIVER)
    reach = walk.reach(points((500, 30), (500, 10)), households=points((400, 40), (400, 5)))
    assert reach.stations["status"].tolist() == ["off_network", "reached"]
    assert reach.households["status"].tolist() == ["off_network", "reached"]
    assert reach.households["served"].tolist() == [False, True]


def test_a_free_island_comes_before_a_barred_street():
    walk = walled([(0, 0), (10_000, 0)], [(50, 60), (55, 60)], barriers=RIVER)
    assert snap(walk, (50, 50)).leg_m.tolist() == [10]


def test_touching_a_barrier_with_an_end_is_no_crossing():
    walk = walled([(0, 20), (1000, 20)], barriers=RIVER)
    assert snap(walk, (500, 30), (500, 10), (500, 20)).leg_m.tolist() == [10, 10, 0]
    wall = streets([(100, 0), (100, 50)])
    at_wall = walled([(0, 0), (90, 0)], barriers=wall)
    assert snap(at_wall, (100, 10)).is_on.tolist() == [True]


def test_areas_bar_by_their_borders():
    pond = gpd.GeoSeries([shapely.box(100, 10, 200, 50)], crs=CRS)
    walk = walled([(0, 0), (1000, 0)], barriers=pond)
    assert snap(walk, (150, 60), (250, 60), (150, 5)).is_on.tolist() == [False, True, True]


def test_only_points_behind_barriers_are_placed_anew():
    rng = np.random.default_rng(5)
    at = rng.uniform(-50, 1050, (400, 2))
    lines = [[(0, y), (1000, y)] for y in range(0, 1001, 50)]
    free = WalkNetwork.from_edges(streets(*lines))
    walk = walled(*lines, barriers=streets([(-100, 333), (1100, 333)]))
    one, other = (each.edge_index.snap(points(*at).geometry.to_numpy(), max_snap_m=100)
                  for each in (free, walk))  # fmt: skip
    changed = one.edge != other.edge
    behind = ((at[:, 1] < 333) & (at[:, 1] > 325)) | ((at[:, 1] > 333) & (at[:, 1] < 325))
    assert np.array_equal(changed, behind & changed)
    assert changed.any()
    sides = (at[:, 1] > 333) == (other.xy[:, 1] > 333)
    assert sides[other.is_on].all()


def test_barriers_come_in_the_frame_of_the_network_or_are_refused():
    walk = walled([(0, 0), (1000, 0)], barriers=RIVER.to_crs(4326))
    assert snap(walk, (500, 30)).edge.tolist() == [-1]
    with pytest.raises(CrsError, match="barriers and network"):
        walled([(0, 0), (1000, 0)], barriers=RIVER.set_crs(None, allow_override=True))
    with pytest.raises(InputError, match="lines or areas"):
        walled([(0, 0), (1000, 0)], barriers=points((0, 0)))
    assert len(walled([(0, 0), (1, 0)], barriers=None).barriers) == 0


def table(rows, **fixed):
    """A table of an extract: ``rows`` holds (shape, facts)."""
    return gpd.GeoDataFrame(
        [fixed | facts for _, facts in rows], geometry=[shape for shape, _ in rows], crs=CRS
    )


def across(y):
    return shapely.LineString([(0, y), (100, y)])


def extract_of(helsinki_osm, **tables):
    extract = read_osm(helsinki_osm)
    empty = {name: getattr(extract, name).iloc[:0] for name in ("waters", "rails", "walls")}
    return dataclasses.replace(extract, **(empty | tables))


def heights(lines):
    return sorted({round(float(y), 3) for line in lines for y in np.atleast_1d(line.bounds[1])})


def test_rivers_rails_and_express_roads_at_ground_level_bar_the_way(helsinki_osm):
    waters = table(
        [(across(1), {"water": "river"}), (across(2), {"water": "stream"}),
         (across(3), {"water": "canal", "is_tunnel": True}),
         (shapely.box(0, 4, 100, 5), {"water": "water"})],
        is_tunnel=False,
    )  # fmt: skip
    rails = table(
        [(across(11), {"railway": "rail"}), (across(12), {"railway": "tram"}),
         (across(13), {"railway": "subway", "is_tunnel": True}),
         (across(14), {"railway": "light_rail", "is_bridge": True})],
        is_tunnel=False, is_bridge=False,
    )  # fmt: skip
    roads = table(
        [(across(21), {"highway": "motorway"}), (across(22), {"highway": "trunk", "foot": True}),
         (across(23), {"highway": "trunk", "is_bridge": True}),
         (across(24), {"highway": "residential"})],
        foot=False, is_tunnel=False, is_bridge=False,
    )  # fmt: skip
    extract = extract_of(helsinki_osm, waters=waters, rails=rails, streets=roads)
    assert heights(barriers_of_extract(extract)) == [1, 4, 11, 21]


def test_walls_bar_the_way_unless_a_gate_is_known_or_must_be_there(helsinki_osm):
    ring, crossed = shapely.box(0, 10, 50, 20).exterior, shapely.box(0, 30, 50, 40).exterior
    walls = table(
        [(across(-5), {"wall": "wall"}), (across(2), {"wall": "fence"}),
         (shapely.Point(50, 2), {"wall": "gate"}), (across(3), {"wall": "hedge"}),
         (ring, {"wall": "wall"}), (crossed, {"wall": "wall"})]
    )  # fmt: skip
    roads = table(
        [(shapely.LineString([(25, 25), (25, 35)]), {})],
        highway="service", foot=True, is_tunnel=False, is_bridge=False,
    )  # fmt: skip
    extract = extract_of(helsinki_osm, walls=walls, streets=roads)
    assert heights(barriers_of_extract(extract)) == [-5, 30]


def test_an_extract_brings_its_barriers_and_no_leg_crosses_them(helsinki_osm):
    walk = WalkNetwork.from_osm(helsinki_osm)
    homes = read_osm(helsinki_osm).buildings.geometry.representative_point().to_numpy()
    spots = walk.edge_index.snap(homes, max_snap_m=100)
    on = spots.is_on
    ends = np.stack([shapely.get_coordinates(homes[on]), spots.xy[on]], axis=1)
    tree = shapely.STRtree(walk.barriers)
    assert len(tree.query(shapely.linestrings(ends), predicate="crosses")[0]) == 0
    free = dataclasses.replace(walk, barriers=np.empty(0, dtype=object))
    before = free.edge_index.snap(homes, max_snap_m=100)
    assert 0 < (before.edge != spots.edge).sum() < 0.05 * len(homes)


def test_circles_that_the_data_cuts_off_are_flagged(helsinki_osm):
    walk = WalkNetwork.from_osm(helsinki_osm)
    west, south, east, north = walk.box.bounds
    at = points((west + 60, (south + north) / 2), ((west + east) / 2, (south + north) / 2),
                crs=walk.crs)  # fmt: skip
    reach = walk.reach(at, minutes=2)
    assert reach.stations["truncated"].tolist() == [True, False]
    assert reach.assumptions["truncated"] == ("S1",)
    unknown = dataclasses.replace(walk, box=None).reach(at, minutes=2)
    assert not unknown.stations["truncated"].any()
