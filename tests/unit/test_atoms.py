"""Cutting a district into atoms."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage
from geogrid.errors import CrsError, InputError
from geogrid.vocabulary import BarrierKind

LIMIT = box(0, 0, 300, 200)


def lines(*rows, kind=None):
    shapes = [LineString(row) for row in rows]
    if kind is None:
        return gpd.GeoSeries(shapes)
    return gpd.GeoDataFrame({"kind": kind}, geometry=shapes)


def proven(atoms):
    return verify_coverage(atoms.frame, atoms.limit).is_sound


CROSS = ([(150, -10), (150, 210)], [(-10, 100), (310, 100)])


def test_two_crossing_streets_make_four_atoms():
    atoms = build_atoms(LIMIT, lines(*CROSS))
    assert len(atoms.frame) == 4
    assert atoms.frame.area.tolist() == [15000.0] * 4
    assert proven(atoms)
    assert sorted(zip(atoms.graph.left, atoms.graph.right, strict=True)) == [
        (0, 1), (0, 2), (1, 3), (2, 3)]  # fmt: skip


def test_a_dead_end_makes_no_block():
    atoms = build_atoms(LIMIT, lines([(0, 100), (180, 100)]), min_area_m2=0)
    assert len(atoms.frame) == 1
    assert proven(atoms)


def test_a_barrier_off_the_lattice_puts_its_node_on_both_sides_and_on_the_limit():
    limit = Polygon([(0, 0), (301.7, 13.3), (280.1, 207.9), (-3.3, 190.2)])
    atoms = build_atoms(limit, lines([(-50, 77.7), (400, 133.1)], [(33.3, -50), (201.1, 260)]))
    assert proven(atoms)
    assert atoms.frame.geometry.area.sum() == pytest.approx(atoms.limit.area, abs=1e-6)


def test_a_median_joins_one_side_and_not_across_the_river():
    rows = [[(0, 100), (300, 100)], [(0, 104), (300, 104)]]
    barriers = lines(*rows, kind=["river", "street"])
    atoms = build_atoms(LIMIT, barriers)
    assert len(atoms.frame) == 2
    assert sorted(atoms.frame.area) == [100 * 300, 100 * 300]
    assert atoms.graph.strength.tolist() == [BarrierKind.RIVER.strength]
    assert len(build_atoms(LIMIT, barriers, min_area_m2=0).frame) == 3


def test_a_roundabout_island_joins_a_neighbour():
    ring = Point(150, 100).buffer(6).exterior
    street = gpd.GeoSeries(
        [ring, LineString([(-10, 100), (144, 100)]), LineString([(156, 100), (310, 100)])]
    )
    atoms = build_atoms(LIMIT, street)
    assert len(atoms.frame) == 2
    assert proven(atoms)


def test_a_sliver_joins_over_its_longest_border():
    # A flat triangle: 300.0 m along the south, 300.5 m along the north.
    barriers = lines([(-10, 100), (310, 100)], [(0, 100), (282, 104)], [(282, 104), (300, 100)])
    atoms = build_atoms(LIMIT, barriers, min_area_m2=700)
    assert atoms.frame.area.tolist() == pytest.approx([20_000 + 10_000] * 2)


def test_an_empty_strip_joins_though_it_is_large_and_a_lived_in_one_does_not():
    barriers = lines([(-10, 100), (310, 100)], [(-10, 108), (310, 108)])
    assert len(build_atoms(LIMIT, barriers).frame) == 2
    people = gpd.GeoDataFrame({"households": [3]}, geometry=[Point(50, 104)])
    assert len(build_atoms(LIMIT, barriers, households=people).frame) == 3


def test_a_small_block_with_households_keeps_them_when_it_is_joined():
    barriers = lines([(0, 190), (10, 190)], [(10, 190), (10, 200)], [(150, 0), (150, 200)])
    people = gpd.GeoDataFrame({"households": [7]}, geometry=[Point(5, 195)])
    atoms = build_atoms(LIMIT, barriers, households=people)
    assert len(atoms.frame) == 2
    assert sorted(atoms.frame["households"]) == [0, 7]


def test_a_building_on_a_street_goes_whole_to_the_side_that_holds_most():
    house = box(140, 40, 155, 60)
    homes = gpd.GeoDataFrame({"osm_id": ["w1"]}, geometry=[house])
    atoms = build_atoms(LIMIT, lines(CROSS[0]), buildings=homes)
    assert len(atoms.frame) == 2
    west = atoms.frame[atoms.frame.contains(Point(1, 1))].geometry.iloc[0]
    assert west.covers(house)
    assert west.area == pytest.approx(150 * 200 + 5 * 20)
    assert atoms.cut_buildings.empty
    assert proven(atoms)


def test_a_building_at_a_corner_goes_to_its_home_block_not_to_the_longest_wall():
    # Most of it lies in the south-west; its longest outer wall lies in the north-west.
    house = Polygon([(100, 90), (149, 90), (151, 95), (151, 101), (100, 101)])
    homes = gpd.GeoDataFrame({"osm_id": ["w1"]}, geometry=[house])
    atoms = build_atoms(LIMIT, lines(*CROSS), buildings=homes)
    south_west = atoms.frame[atoms.frame.contains(Point(1, 1))].geometry.iloc[0]
    assert south_west.covers(house)
    assert atoms.cut_buildings.empty


def test_two_houses_drawn_over_each_other_go_to_one_side_even_when_one_is_off_the_border():
    off, on = box(120, 40, 149, 60), box(147, 40, 158, 60)
    homes = gpd.GeoDataFrame({"osm_id": ["w1", "w2"]}, geometry=[off, on])
    atoms = build_atoms(LIMIT, lines(CROSS[0]), buildings=homes)
    assert atoms.cut_buildings.empty
    west = atoms.frame[atoms.frame.contains(Point(1, 1))].geometry.iloc[0]
    assert west.covers(off.union(on))


def test_buildings_drawn_over_each_other_stay_whole_together():
    homes = gpd.GeoDataFrame(
        {"osm_id": ["w1", "w2"]}, geometry=[box(140, 40, 155, 60), box(120, 50, 145, 70)]
    )
    atoms = build_atoms(LIMIT, lines(CROSS[0]), buildings=homes)
    assert atoms.cut_buildings.empty
    assert proven(atoms)


def test_a_building_across_the_limit_is_listed_as_an_exception():
    homes = gpd.GeoDataFrame({"osm_id": ["w9"]}, geometry=[box(290, 90, 310, 110)])
    atoms = build_atoms(LIMIT, lines(CROSS[0]), buildings=homes)
    assert atoms.cut_buildings["building"].tolist() == ["w9"]
    assert atoms.cut_buildings["reason"].tolist() == ["the limit cuts it"]
    assert atoms.cut_buildings["share"].tolist() == pytest.approx([0.5])


def test_a_crowded_block_is_cut_between_its_buildings():
    houses = [box(x, y, x + 20, y + 12) for x in (20, 90, 160, 230) for y in (30, 130)]
    homes = gpd.GeoDataFrame(geometry=houses)
    people = gpd.GeoDataFrame({"households": [10] * 8}, geometry=[h.centroid for h in houses])
    atoms = build_atoms(
        LIMIT, lines(CROSS[1]), households=people, buildings=homes, max_households=15
    )
    assert atoms.frame["households"].tolist() == [10] * 8
    assert atoms.cut_buildings.empty
    assert proven(atoms)
    whole = build_atoms(LIMIT, lines(CROSS[1]), households=people, buildings=homes)
    assert whole.frame["households"].tolist() == [40, 40]


def test_houses_that_share_a_wall_are_parted_on_it():
    row = [box(x, 90, x + 10, 110) for x in range(100, 200, 10)]
    homes = gpd.GeoDataFrame(geometry=row)
    people = gpd.GeoDataFrame({"households": [4] * 10}, geometry=[h.centroid for h in row])
    atoms = build_atoms(
        LIMIT, lines([(0, 0), (1, 1)]), households=people, buildings=homes, max_households=6
    )
    assert atoms.frame["households"].max() <= 8
    assert atoms.cut_buildings.empty
    assert proven(atoms)


def test_the_order_of_barriers_changes_nothing():
    rows = [[(x, -10), (x + 30, 210)] for x in (40, 120, 200)] + [list(row) for row in CROSS]
    one, other = build_atoms(LIMIT, lines(*rows)), build_atoms(LIMIT, lines(*rows[::-1]))
    assert [g.normalize().wkb for g in one.frame.geometry] == [
        g.normalize().wkb for g in other.frame.geometry
    ]


def test_a_limit_with_a_hole_and_two_parts_is_cut():
    limit = MultiPolygon(
        [*shapely.get_parts(LIMIT.difference(box(140, 90, 160, 110))), box(400, 0, 500, 100)]
    )
    atoms = build_atoms(limit, lines(*CROSS))
    assert proven(atoms)
    assert len(np.unique(atoms.graph.components())) == 2


def test_an_invalid_limit_is_mended_and_an_empty_one_refused():
    bow = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    assert proven(build_atoms(bow, lines([(0, 10), (100, 10)])))
    with pytest.raises(InputError, match="no area"):
        build_atoms(Polygon(), lines(CROSS[0]))


def test_households_outside_are_refused_with_their_count():
    people = gpd.GeoDataFrame(geometry=[Point(1, 1), Point(999, 1)])
    with pytest.raises(InputError, match="1 of 2 household points lie outside"):
        build_atoms(LIMIT, lines(CROSS[0]), households=people)


def test_degrees_and_strange_kinds_are_refused():
    with pytest.raises(CrsError):
        build_atoms(LIMIT, lines(CROSS[0]).set_crs(4326))
    with pytest.raises(InputError, match="no barrier kind 'moat'"):
        build_atoms(LIMIT, lines(CROSS[0], kind=["moat"]))
    with pytest.raises(InputError, match="0 or more"):
        build_atoms(LIMIT, lines(CROSS[0]), min_area_m2=-1)


def test_a_point_on_a_border_belongs_to_the_atom_with_the_lowest_id():
    atoms = build_atoms(LIMIT, lines(*CROSS))
    position = atoms.locate(gpd.GeoSeries([Point(150, 100), Point(999, 0)]))
    assert atoms.frame["atom_id"].iloc[position[0]] == "A1"
    assert position[1] == -1


def test_a_border_half_on_a_river_and_half_off_it_takes_the_longer():
    barriers = gpd.GeoDataFrame(
        {"kind": ["river", "street"]},
        geometry=[LineString([(150, -10), (150, 60)]), LineString([(150, 60), (150, 210)])],
    )
    atoms = build_atoms(LIMIT, barriers)
    assert atoms.graph.strength.tolist() == [BarrierKind.STREET.strength]


def test_a_river_drawn_along_the_limit_adds_no_sliver():
    limit = Polygon([(0.0004, 0), (301.7003, 13.3002), (280.1001, 207.9004), (-3.3, 190.2)])
    along = LineString(limit.exterior.coords[:3])
    atoms = build_atoms(
        limit, gpd.GeoSeries([along, LineString([(150, -50), (160, 260)])]), min_area_m2=0
    )
    assert len(atoms.frame) == 2
    assert proven(atoms)


def test_ground_between_houses_of_a_crowded_block_goes_to_a_house():
    houses = [box(x, 120, x + 20, 180) for x in (20, 90, 230)] + [box(160, 120, 180, 130)]
    homes = gpd.GeoDataFrame(geometry=houses)
    people = gpd.GeoDataFrame({"households": [10] * 4}, geometry=[h.centroid for h in houses])
    people = people[:3]
    atoms = build_atoms(
        LIMIT, lines(CROSS[1]), households=people, buildings=homes, max_households=15
    )
    north = atoms.frame[atoms.frame.geometry.bounds["maxy"] > 150]
    assert (north["households"] > 0).all()


def test_a_point_on_a_border_belongs_to_one_atom_only():
    atoms = build_atoms(LIMIT, lines(*CROSS))
    people = gpd.GeoDataFrame(geometry=[Point(150, 100), Point(150, 50), Point(0, 0)])
    assert atoms.with_households(people).frame["households"].sum() == 3
