"""Synthetic places: the counts of the source texts, and ground that makes sense."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.atoms import barriers_of, build_atoms
from geogrid.errors import CrsError, InfeasibleError, InputError, MissingFileError
from geogrid.synthetic import PlaceSpec, StationTier, Unit, load_place, make_place, place_names
from geogrid.synthetic._draws import apportion
from geogrid.walking import WalkNetwork

# Cells and units as the source texts (and the codes of 2023) count them.
COUNTS = {
    "guangchang": {"shequ": 10, "wangge": 68, "loudong": 646, "danyuan": 1841},
    "hetang": {"zhenjie": 7, "shequ": 62, "xiaoqu": 244, "loudong": 3800},
    "huayang": {"shequ": 24, "zong": 24, "yiban": 307, "wei": 2289},
    "hulin": {"cunshe": 90, "wangge": 392},
    "liuyang": {"xiang": 32, "cun": 326, "wei": 32000},
    "lusong": {"zhenjie": 8, "cunshe": 81, "pian": 470, "zu": 3161, "lin": 8032},
}
STATIONS = {
    "guangchang": {"centre": 10},
    "hetang": {"compound": 162},
    "huayang": {"centre": 24},
    "hulin": {"command": 12},
    "liuyang": {"centre": 32},
    "lusong": {"centre": 49, "organisation": 40, "compound": 186},
}
HOUSEHOLDS = {
    "guangchang": 27_000,
    "hetang": 108_000,
    "huayang": 195_000,
    "hulin": 62_000,
    "liuyang": 420_000,
    "lusong": 103_000,
}
AREAS_KM2 = {"huayang": 36.15, "hulin": 9330.0, "liuyang": 5000.0, "lusong": 216.8}
COMPOUNDS = {"hetang": 244, "huayang": 505}
EPSG = {
    "guangchang": 4548,
    "hetang": 4547,
    "huayang": 4544,
    "hulin": 4553,
    "liuyang": 4547,
    "lusong": 4547,
}
QUICK = ("guangchang", "hetang", "huayang", "hulin", "lusong")
EVERY = [*QUICK, pytest.param("liuyang", marks=pytest.mark.slow)]

place_of = functools.lru_cache(maxsize=2)(make_place)


def small_spec(**changes):
    units = tuple(
        Unit(
            code=f"99000100{at // 2}{at:03d}",
            name=f"试{at}村委会" if at > 2 else f"试{at}社区居委会",
            is_rural=at > 2,
            town_code=f"99000100{at // 2}",
            town_name=f"试{at // 2}镇",
        )
        for at in range(6)
    )
    values = {
        "key": "small",
        "title": "试区（合成数据）",
        "name": "试区",
        "code": "990001",
        "location": (113.1, 27.8),
        "area_km2": 9.0,
        "households": 2400,
        "units": units,
        "compounds": 4,
        "river_m": 60.0,
        "bridges": 2,
    }
    return PlaceSpec(**{**values, **changes})


def test_the_six_places_ship():
    assert place_names() == tuple(sorted(COUNTS))


def test_every_place_file_says_where_its_counts_come_from():
    for name in place_names():
        file = resources.files("geogrid.synthetic").joinpath("places").joinpath(f"{name}.toml")
        text = file.read_text(encoding="utf-8")
        assert "ounts of the source text" in text.split("\nkey", maxsplit=1)[0]
        assert tomllib.loads(text)["title"].endswith("（合成数据）")


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_a_place_wants_the_counts_of_its_source_text(name):
    spec = load_place(name)
    assert dict(spec.counts) == COUNTS[name]
    assert spec.households == HOUSEHOLDS[name]
    assert {tier.tier: tier.count for tier in spec.stations} == STATIONS[name]


def test_the_units_are_those_of_the_official_codes():
    lusong = load_place("lusong").units
    assert (len(lusong), sum(unit.is_rural for unit in lusong)) == (81, 32)
    liuyang = load_place("liuyang").units
    assert len({unit.town_code for unit in liuyang}) == 32
    assert (len(liuyang), sum(unit.is_rural for unit in liuyang)) == (326, 299)
    hulin = load_place("hulin").units
    assert (len(hulin), sum(unit.is_rural for unit in hulin)) == (90, 85)
    assert {unit.town_name for unit in hulin if not unit.is_rural} == {"虎林镇"}


def test_the_kind_of_a_unit_follows_the_last_digits_of_its_code():
    for name in place_names():
        for unit in load_place(name).units:
            assert unit.code.isdigit()
            assert len(unit.code) == 12
            assert unit.code.startswith(unit.town_code)
            assert unit.is_rural == (200 <= int(unit.code[-3:]) < 400)


@pytest.mark.parametrize("name", EVERY)
def test_every_count_is_met_exactly(name):
    place = place_of(name)
    assert len(place.households) == int(place.households["households"].sum()) == HOUSEHOLDS[name]
    assert place.households["household_id"].is_unique
    assert place.stations["tier"].value_counts().to_dict() == STATIONS[name]
    for level, cells in place.upper.items():
        assert len(cells) == COUNTS[name][level]
        assert int(cells["households"].sum()) == HOUSEHOLDS[name]
    assert len(place.compounds) == COMPOUNDS.get(name, place.spec.compounds)
    homes = place.buildings[place.buildings["households"] > 0]
    if place.spec.buildings:
        assert int((~homes["is_rural"]).sum()) == place.spec.buildings == COUNTS[name]["loudong"]
    if place.spec.entrances:
        assert int(homes["entrances"].sum()) == COUNTS[name]["danyuan"]
    limit = place.district.limit
    assert limit.area / 1e6 == pytest.approx(AREAS_KM2.get(name, place.spec.area_km2), abs=1e-3)
    assert place.district.crs.to_epsg() == EPSG[name]


@pytest.mark.parametrize("name", EVERY)
def test_official_cells_and_groups_fill_their_parents(name):
    place = place_of(name)
    limit = place.district.limit
    for cells in place.upper.values():
        assert cells.geometry.is_valid.all()
        assert set(cells.geom_type) == {"Polygon"}
        assert cells.geometry.area.sum() == pytest.approx(limit.area, rel=1e-9)
        seats = gpd.GeoSeries.from_xy(cells["x"], cells["y"], crs=cells.crs)
        assert cells.geometry.intersects(seats).all()
    units = place.upper[[level for level in place.spec.levels if level][-1]].set_index("code")
    villages = units[units["kind"] == "village"]
    of_groups = place.groups.geometry.area.groupby(place.groups["unit"]).sum()
    # Compact villages are too dense for groups of the usual size, and show none.
    has_groups = len(villages) > 0 and place.spec.village_style == "dispersed"
    assert set(of_groups.index) == (set(villages.index) if has_groups else set())
    if has_groups:
        pd.testing.assert_series_equal(
            of_groups.sort_index(),
            villages.geometry.area.sort_index(),
            check_names=False,
            rtol=1e-9,
        )


@pytest.mark.parametrize("name", EVERY)
def test_buildings_stand_clear_of_each_other_and_of_streets_and_water(name):
    place = place_of(name)
    shapes = place.buildings.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert int((left < right).sum()) == 0
    for table in (place.extract.streets, place.extract.waters, place.extract.rails):
        if len(table):
            assert len(table.sindex.query(shapes, predicate="intersects")[0]) == 0
    shapely.prepare(place.district.limit)
    assert shapely.contains_properly(place.district.limit, shapes).all()


@pytest.mark.parametrize("name", EVERY)
def test_every_household_lies_in_its_building_and_unit(name):
    place = place_of(name)
    homes = place.buildings.set_index("osm_id").loc[place.households["building"]]
    points = place.households.geometry.to_numpy()
    assert shapely.contains(homes.geometry.to_numpy(), points).all()
    assert (homes["unit"].to_numpy() == place.households["unit"].to_numpy()).all()
    assert (place.households["floor"].to_numpy() <= homes["floors"].to_numpy()).all()
    assert (place.households["entrance"].to_numpy() <= homes["entrances"].to_numpy()).all()
    units = place.upper[[level for level in place.spec.levels if level][-1]].set_index("code")
    own = units.geometry.loc[place.households["unit"]].to_numpy()
    shapely.prepare(own)
    assert shapely.intersects(own, points).all()


@pytest.mark.parametrize("name", EVERY)
def test_the_walking_network_is_one(name):
    network = WalkNetwork.from_osm(place_of(name).extract)
    links = coo_array((np.ones(len(network.u)), (network.u, network.v)), [len(network.xy)] * 2)
    _, label = connected_components(links, directed=False)
    metres = np.bincount(label[network.u], network.length_m)
    assert metres.max() / metres.sum() >= 0.97


@pytest.mark.parametrize("name", QUICK)
def test_compounds_and_houses_have_believable_sizes(name):
    place = place_of(name)
    assert place.compounds["households"].between(200, 2000).all()
    assert place.compounds["name"].is_unique
    flats = place.buildings[place.buildings["building"] == "apartments"]
    assert flats["floors"].between(3, 33).all()
    assert flats["per_floor"].between(2, 4).all()
    dwellings = place.buildings["floors"] * place.buildings["entrances"]
    dwellings *= place.buildings["per_floor"]
    assert (place.buildings["households"] <= dwellings).all()


def test_communities_are_dense_and_villages_sparse():
    cells = place_of("lusong").upper["cunshe"]
    per_km2 = cells["households"] / (cells.geometry.area / 1e6)
    middle = per_km2.groupby(cells["kind"]).median()
    assert middle["community"] > 2000
    assert middle["village"] < 500


def test_groups_hold_about_as_many_households_as_the_text_says():
    groups = place_of("lusong").groups
    assert groups["code"].is_unique
    # 103,000 households in 3,161 groups are 32.6 each.
    assert groups["households"].mean() == pytest.approx(32.6, rel=0.15)


def test_compound_walls_have_gates_on_them_where_a_lane_passes():
    extract = place_of("huayang").extract
    walls = extract.walls
    rings = shapely.union_all(walls.geometry[walls["wall"] == "wall"].to_numpy())
    gates = walls.geometry[walls["wall"] == "gate"]
    assert len(gates) >= len(place_of("huayang").compounds)
    assert (gates.distance(rings) == 0).all()
    lanes = shapely.union_all(
        extract.streets.geometry[extract.streets["highway"] == "service"].to_numpy()
    )
    assert (gates.distance(lanes) < 0.01).all()


def test_only_bridges_cross_the_river():
    extract = place_of("lusong").extract
    river = extract.waters[extract.waters.geom_type == "LineString"].geometry.union_all()
    crossing = extract.streets[extract.streets.geometry.crosses(river)]
    assert 1 <= len(crossing) <= 6
    assert crossing["is_bridge"].all()


def test_the_special_cells_of_hulin_are_there():
    place = place_of("hulin")
    kinds = place.kinds.set_index("name")
    assert kinds["kind"].value_counts().to_dict() == {"专属": 2, "区域特色": 1}
    assert set(kinds.geom_type) == {"Polygon"}
    spanning = kinds.geometry["垦地融合区域特色网格（合成）"]
    units = place.upper["cunshe"]
    touched = units[units.geometry.intersection(spanning).area > 1.0]
    names = {unit.town_code: unit.town_name for unit in place.spec.units}
    assert {names[code] for code in touched["parent"]} == {"宝东镇", "东诚镇"}


def test_everything_says_that_it_is_synthetic():
    place = place_of("lusong")
    assert place.source.is_synthetic
    assert place.limit_source.is_synthetic
    assert place.extract.source.is_synthetic
    assert "合成数据" in place.source.name
    tables = (
        place.households,
        place.buildings,
        place.stations,
        place.compounds,
        place.groups,
        place.merchants,
        place.grounds,
        place.kinds,
        *place.upper.values(),
    )
    assert all(table["note"].eq("合成数据").all() for table in tables)


def test_way_numbers_are_used_once():
    extract = place_of("lusong").extract
    tables = (extract.streets, extract.rails, extract.waters, extract.walls, extract.buildings)
    assert pd.concat([table["osm_id"] for table in tables]).is_unique


def test_streets_name_one_node_a_vertex_and_one_place_a_node():
    streets = place_of("guangchang").extract.streets
    xy = shapely.get_coordinates(streets.geometry.to_numpy())
    nodes = np.concatenate([np.array(ids) for ids in streets["nodes"]])
    places = pd.DataFrame({"node": nodes, "x": xy[:, 0], "y": xy[:, 1]}).drop_duplicates()
    assert places["node"].is_unique


def test_a_place_makes_atoms_and_no_building_is_cut():
    place = make_place(small_spec())
    barriers = barriers_of(place.extract)
    atoms = build_atoms(
        place.district,
        barriers,
        households=place.households,
        buildings=place.buildings,
        max_households=60,
    )
    assert int(atoms.frame["households"].sum()) == 2400
    assert atoms.cut_buildings.empty


def test_a_given_limit_is_kept_and_filled():
    square = gpd.GeoSeries([shapely.box(113.08, 27.78, 113.12, 27.82)], crs=4490)
    place = make_place(small_spec(), limit=square)
    given = square.to_crs(place.district.crs).iloc[0]
    assert place.district.limit.symmetric_difference(given).area < 100.0
    assert not place.limit_source.is_synthetic
    assert shapely.contains(place.district.limit, place.buildings.geometry.to_numpy()).all()
    assert len(place.households) == 2400


def test_a_limit_without_a_coordinate_system_is_refused():
    with pytest.raises(CrsError, match="no coordinate system"):
        make_place(small_spec(), limit=gpd.GeoSeries([shapely.box(0, 0, 3000, 3000)]))


def test_a_limit_without_area_is_refused():
    line = gpd.GeoSeries([shapely.LineString([(113, 27), (113.1, 27)])], crs=4490)
    with pytest.raises(InputError, match="no area"):
        make_place(small_spec(), limit=line)


def test_too_small_a_limit_is_refused_in_plain_words():
    with pytest.raises(InfeasibleError, match="larger area"):
        make_place(small_spec(area_km2=0.2))


def test_more_stations_than_sites_are_refused():
    tier = StationTier(tier="compound", name="{place}站", count=99, site="compound")
    with pytest.raises(InfeasibleError, match="4 sites for 99 stations"):
        make_place(small_spec(stations=(tier,)))


def test_an_unknown_place_is_refused_with_the_known_ones():
    with pytest.raises(MissingFileError, match="lusong"):
        make_place("nowhere")


@pytest.mark.parametrize(
    "changes",
    [
        {"households": 0},
        {"area_km2": 0.0},
        {"urban_share": 1.5},
        {"village_style": "scattered"},
        {"units": ()},
    ],
)
def test_a_spec_refuses_nonsense(changes):
    with pytest.raises(InputError):
        small_spec(**changes)


def test_a_station_tier_refuses_an_unknown_site():
    with pytest.raises(InputError, match="community"):
        StationTier(tier="x", name="x", count=1, site="moon")


def test_apportion_is_exact_and_never_above_the_caps():
    caps = np.array([3, 100, 0, 5])
    shares = apportion(50, np.array([9.0, 1.0, 5.0, 1.0]), caps)
    assert shares.sum() == 50
    assert (shares <= caps).all()
    with pytest.raises(InfeasibleError):
        apportion(200, np.ones(4), caps)


@pytest.mark.parametrize("name", ["hulin", "lusong"])
def test_no_street_runs_under_the_eaves(name):
    place = place_of(name)
    streets = place.extract.streets.geometry.to_numpy()
    shapes = place.buildings.geometry.to_numpy()
    assert not shapely.STRtree(streets).query(shapes, predicate="dwithin", distance=3.0).size
