"""Which missing link would serve most: found, counted exactly, and really added."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from walk_cases import CRS, network, points

from geogrid.errors import InputError
from geogrid.io.estimate import estimate_households
from geogrid.osm import read_osm
from geogrid.stations.links import suggest_links
from geogrid.walking import WalkNetwork

# Two long streets 60 m apart, joined at their far east only.
BANKS = ([(0, 0), (1000, 0)], [(0, 60), (1000, 60)], [(1000, 0), (1000, 60)])


def reach_of(walk, homes, counts=None, **options):
    frame = points(*homes, households=counts or [1] * len(homes))
    return walk.reach(
        points((0, 0), station=["A"]), households=frame, minutes=None, metres=(300, 500), **options
    )


@pytest.fixture(scope="module")
def extract(helsinki_osm):
    return read_osm(helsinki_osm)


def drawn(extract, **layers):
    """The extract with nothing on the ground but the given layers."""
    empty = {
        name: getattr(extract, name).iloc[:0].set_crs(CRS, allow_override=True)
        for name in ("rails", "waters", "walls", "buildings", "streets")
    }
    return replace(extract, **(empty | layers))


def line_layer(extract, name, line, **columns):
    like = getattr(extract, name).iloc[[0]]
    return like.assign(**columns).set_geometry(gpd.GeoSeries([line], index=like.index, crs=CRS))


def test_the_link_at_the_right_place_serves_all_homes():
    plan = suggest_links(reach_of(network(*BANKS), [(100, 60), (380, 60), (600, 60)]), limit=500)
    assert len(plan.links) == 1
    link = plan.links.iloc[0]
    assert (link["kind"], link["newly_served"]) == ("path", 2)
    assert link["length_m"] == pytest.approx(60)
    assert (plan.total, plan.served_before, plan.served_after) == (3, 0, 2)
    x = shapely.get_coordinates(link.geometry)[:, 0]
    assert x[0] == pytest.approx(x[1])
    assert link["saved_m"] == pytest.approx(2 * (1000 - x[0]) + 60 - 60)


def test_links_are_ranked_and_nobody_is_counted_twice():
    blocks = [[(0, 0), (2000, 0)], *([(at, 60), (at, 400)] for at in (100, 200, 300))]
    homes = [(100, 100), (200, 100), (200, 120), (300, 100), (300, 110), (300, 120)]
    plan = suggest_links(reach_of(network(*blocks), homes, [1, 2, 2, 4, 4, 4]), limit=500, k=9)
    assert plan.links["newly_served"].tolist() == [12, 4, 1]
    assert plan.links["cumulative"].tolist() == [12, 16, 17]
    assert plan.links["rank"].tolist() == [1, 2, 3]
    assert np.isinf(plan.links["saved_m"]).all()
    assert json.loads(json.dumps(plan.summary()))["links"][0]["saved_m"] is None


def test_a_later_link_may_go_on_from_an_earlier_one():
    rows = [[(0, y), (400, y)] for y in (0, 70, 140)]
    homes = [(100, 70), (100, 70), (100, 70), (100, 140)]
    walk = network(*rows)
    plan = suggest_links(reach_of(walk, homes), limit=500)
    assert plan.links["newly_served"].tolist() == [3, 1]
    wide = walk
    for line in plan.links.geometry:
        wide = wide.with_link(line)
    assert reach_of(wide, homes).served_households(500) == plan.served_after == 4


def test_walls_make_gates_and_water_makes_bridges(extract):
    reach = reach_of(network(*BANKS), [(100, 60)])
    cut = shapely.LineString([(-100, 30), (1100, 30)])
    wall = line_layer(extract, "walls", cut, wall="wall")
    river = line_layer(extract, "waters", cut, water="river", is_tunnel=False)
    stream = line_layer(extract, "waters", cut, water="stream", is_tunnel=False)
    rail = line_layer(extract, "rails", cut, railway="rail", is_tunnel=False, is_bridge=False)
    subway = line_layer(extract, "rails", cut, railway="subway", is_tunnel=True, is_bridge=False)

    def kinds(*, bridges=False, **layers):
        plan = suggest_links(reach, extract=drawn(extract, **layers), bridges=bridges)
        return plan.links["kind"].tolist()

    assert kinds() == ["path"]
    assert kinds(walls=wall) == ["gate"]
    for layers in ({"waters": river}, {"rails": rail}, {"waters": river, "walls": wall}):
        assert kinds(**layers) == []
        assert kinds(bridges=True, **layers) == ["bridge"]
    assert kinds(waters=stream) == ["path"]
    assert kinds(rails=subway) == ["path"]


def test_barriers_of_a_network_need_a_bridge_where_no_map_tells_more():
    walk = WalkNetwork.from_edges(
        gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in BANKS], crs=CRS),
        barriers=gpd.GeoSeries([shapely.LineString([(-100, 30), (990, 30)])], crs=CRS),
    )
    reach = reach_of(walk, [(100, 60)])
    assert suggest_links(reach).links.empty
    assert suggest_links(reach, bridges=True).links["kind"].tolist() == ["bridge"]


def test_no_link_runs_through_a_building_or_over_a_street(extract):
    reach = reach_of(network(*BANKS), [(100, 60)])
    house = line_layer(extract, "buildings", shapely.box(-50, 10, 1100, 50))
    assert suggest_links(reach, extract=drawn(extract, buildings=house)).links.empty
    apart = network(*BANKS, [(0, 30), (900, 30)])
    assert suggest_links(reach_of(apart, [(100, 60)])).links.empty
    between = network(*BANKS, [(0, 30), (900, 30)], [(0, 0), (0, 30)])
    assert suggest_links(reach_of(between, [(100, 60)])).links["length_m"].tolist() == [30]


def test_short_cuts_and_long_links_are_not_suggested():
    near = network([(0, 0), (40, 0)], [(40, 0), (40, 60)], [(40, 60), (0, 60)])
    asked = {"households": points((0, 60)), "minutes": None, "metres": 100}
    assert suggest_links(near.reach(points((0, 0)), **asked)).links.empty
    apart = network([(0, 0), (1000, 0)], [(0, 90), (1000, 90)], [(1000, 0), (1000, 90)])
    assert suggest_links(reach_of(apart, [(100, 90)])).links.empty
    assert len(suggest_links(reach_of(apart, [(100, 90)]), longest_m=95).links) == 1


def test_nobody_climbs_from_a_street_to_the_bridge_above_it():
    walk = network(*BANKS)
    span = replace(walk, is_span=np.array([False, True, False]))
    assert suggest_links(reach_of(span, [(100, 60)])).links.empty


def test_a_link_against_a_one_way_saves_an_endless_walk():
    walk = network([(0, 0), (100, 0)], [(0, 60), (100, 60)], [(100, 60), (100, 0)],
                   oneway=[False, False, True])  # fmt: skip
    asked = {"households": points((0, 60)), "minutes": None, "metres": 100}
    away = suggest_links(walk.reach(points((0, 0)), direction="from_station", **asked))
    assert np.isinf(away.links["saved_m"]).all()
    assert len(away.links) == 1
    back = suggest_links(walk.reach(points((0, 0)), direction="to_station", **asked))
    assert back.links["saved_m"].tolist() == [pytest.approx(200)]


def test_one_way_streets_are_followed_the_way_people_walk():
    walk = network(*BANKS[:2], oneway=[True, True])
    for direction, served in (("to_station", 0), ("from_station", 1)):
        plan = suggest_links(reach_of(walk, [(100, 60)], direction=direction))
        assert plan.served_after == served


@pytest.mark.parametrize("given", [{"k": 0}, {"longest_m": 0}, {"longest_m": np.inf}])
def test_senseless_wishes_are_refused(given):
    with pytest.raises(InputError, match="positive"):
        suggest_links(reach_of(network(*BANKS), [(0, 60)]), **given)


def test_a_reach_without_households_is_refused():
    reach = network(*BANKS).reach(points((0, 0)))
    with pytest.raises(InputError, match="without households"):
        suggest_links(reach)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "limit"),
    [("nanjing_gulou_xuanwu_2021", 5), ("jiangxi_guixi_2025", 15), ("liechtenstein", 5)],
)
def test_on_real_streets_really_adding_the_links_serves_who_was_promised(shared_data, name, limit):
    extract = read_osm(shared_data / "osm" / f"{name}.osm.pbf")
    walk = WalkNetwork.from_osm(extract)
    homes = estimate_households(extract.buildings)
    stations = extract.pois.iloc[::7][["geometry"]].reset_index(drop=True)
    reach = walk.reach(stations, minutes=(5, 15), households=homes)
    plan = suggest_links(reach, limit=limit, extract=extract, k=3)
    assert len(plan.links)
    wide, served = walk, plan.served_before
    assert served == reach.served_households(limit)
    for line, gain in zip(plan.links.geometry, plan.links["newly_served"], strict=True):
        wide = wide.with_link(line)
        after = wide.reach(stations, minutes=(5, 15), households=homes)
        assert after.served_households(limit) - served == gain > 0
        served += gain
    assert served == plan.served_after
