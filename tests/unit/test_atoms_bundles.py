"""Buildings of crowded blocks, bundled, and the borders between the bundles."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from geogrid.atoms import build_atoms
from geogrid.atoms._buildings import clusters_of, crossed_by
from geogrid.atoms._bundle import bundles_of
from geogrid.coverage import verify_coverage

LIMIT = box(0, 0, 300, 200)
NO_STREET = gpd.GeoSeries([LineString([(0, 0), (1, 1)])])


def town(seed):
    random = np.random.default_rng(seed)
    xy = random.uniform(0, 1000, (200, 2))
    return xy, random.integers(0, 15, 200), (xy[:, 0] > 400).astype(np.int64)


def atoms_of(houses, counts, cap):
    points = [shapely.point_on_surface(house) for house in houses]
    return build_atoms(
        LIMIT,
        NO_STREET,
        households=gpd.GeoDataFrame({"households": counts}, geometry=points),
        buildings=gpd.GeoDataFrame(geometry=list(houses)),
        max_households=cap,
    )


def assert_whole(atoms, houses, counts):
    assert atoms.cut_buildings.empty
    assert verify_coverage(atoms.frame, atoms.limit).is_sound
    assert (atoms.frame.geom_type == "Polygon").all()
    assert atoms.frame["households"].sum() == sum(counts)
    cells = atoms.frame.geometry.to_numpy()
    held = shapely.area(shapely.intersection(np.array(houses)[:, None], cells[None, :])).max(axis=1)
    # A square metre is drawing error.
    assert (held > shapely.area(houses) - 1.0).all()


@pytest.mark.parametrize("limit", [1, 5, 12, 40, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_a_bundle_over_the_limit_holds_one_lived_in_building_alone(limit, seed):
    xy, households, block = town(seed)
    bundle = bundles_of(xy, households, block, limit)
    over = np.bincount(bundle, households) > limit
    lived_in = np.bincount(bundle[households > 0], minlength=len(over))
    assert (lived_in[over] == 1).all()


@pytest.mark.parametrize("limit", [1, 12, 40])
@pytest.mark.parametrize("seed", range(4))
def test_bundles_lie_apart_and_in_one_block(limit, seed):
    xy, households, block = town(seed)
    bundle = bundles_of(xy, households, block, limit)
    pairs = np.unique(np.column_stack((bundle, block)), axis=0)
    assert len(pairs) == bundle.max() + 1
    hulls = [shapely.convex_hull(shapely.multipoints(xy[bundle == one])) for one in pairs[:, 0]]
    left, right = shapely.STRtree(hulls).query(hulls, predicate="intersects")
    assert (left == right).all()


def test_blocks_that_are_not_over_the_limit_stay_one_bundle():
    xy = np.array([[0.0, 0.0], [10.0, 0.0], [500.0, 0.0]])
    bundle = bundles_of(xy, np.array([3, 3, 9]), np.array([0, 0, 1]), 9)
    assert bundle.tolist() == [0, 0, 1]


def test_bundles_come_out_full_in_an_even_row():
    xy = np.column_stack((np.arange(12) * 10.0, np.zeros(12)))
    bundle = bundles_of(xy, np.full(12, 2), np.zeros(12, dtype=np.int64), 6)
    assert np.bincount(bundle).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize("gap", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("cap", [1, 4, 9])
def test_no_house_of_two_rows_is_cut(gap, cap):
    houses = [
        box(x, y, x + 12 - gap, y + 9 + (x / 12) % 3)
        for x in np.arange(24, 264, 12.0)
        for y in (60.0, 120.0)
    ]
    counts = [4] * len(houses)
    atoms = atoms_of(houses, counts, cap)
    assert_whole(atoms, houses, counts)
    assert atoms.frame["households"].max() <= max(cap, 4)


def test_no_house_of_a_slanted_row_with_wings_is_cut():
    plan = Polygon([(0, 0), (14, 0), (14, 30), (13.2, 30), (13.2, 10), (0, 10)])
    row = [
        shapely.transform(plan, lambda xy, x=x: xy + np.array([x, 80.0]))
        for x in range(40, 240, 20)
    ]
    houses = [shapely.affinity.rotate(house, 17, origin=(150, 100)) for house in row]
    counts = [3] * len(houses)
    atoms = atoms_of(houses, counts, 3)
    assert_whole(atoms, houses, counts)
    assert atoms.frame["households"].tolist() == counts


def test_a_house_drawn_as_a_bow_is_not_cut_at_its_knot():
    bow = Polygon([(100, 60), (140, 100), (140, 60), (100, 100)])
    houses = [bow, *(box(x, y, x + 15, y + 10) for x in (60, 118, 170) for y in (40, 115))]
    points = [Point(103, 80), *(house.centroid for house in houses[1:])]
    atoms = build_atoms(
        LIMIT,
        NO_STREET,
        households=gpd.GeoDataFrame({"households": 5}, geometry=points, index=range(7)),
        buildings=gpd.GeoDataFrame(geometry=houses),
        max_households=5,
    )
    assert atoms.cut_buildings.empty
    assert atoms.frame["households"].sum() == 35
    assert verify_coverage(atoms.frame, atoms.limit).is_sound


def test_parts_that_touch_at_a_corner_become_one_and_parts_apart_stay_two():
    touching = MultiPolygon([box(0, 0, 10, 10), box(10, 10, 20, 20)])
    apart = MultiPolygon([box(50, 0, 60, 10), box(70, 0, 80, 10)])
    one, two = clusters_of(np.array([touching, apart], dtype=object))
    assert one.geom_type == "Polygon"
    assert one.covers(touching)
    assert one.area - touching.area < 0.2
    assert two.equals(apart)


def test_both_parts_of_a_building_are_kept_off_the_border():
    # A hall of two parts, as many extracts draw them, beside a house of its own.
    hall = MultiPolygon([box(100, 80, 130, 120), box(134, 80, 150, 120)])
    houses = [hall, box(156, 80, 176, 120)]
    atoms = atoms_of(houses, [7, 7], 7)
    assert_whole(atoms, houses, [7, 7])
    assert atoms.frame["households"].tolist() == [7, 7]


def test_four_houses_on_one_circle_each_get_their_own_atom():
    # Their borders meet at one place on half a millimetre: none may end beside the others.
    houses = [box(x, y, x + 20, y + 20) for x in (99.999, 150.0) for y in (49.999, 100.0)]
    atoms = atoms_of(houses, [9] * 4, 9)
    assert_whole(atoms, houses, [9] * 4)
    assert atoms.frame["households"].tolist() == [9] * 4


def test_a_short_line_through_a_narrow_wing_crosses_the_building():
    wing = Polygon([(0, 0), (10, 0), (10, 40), (9.2, 40), (9.2, 10), (0, 10)])
    through = LineString([(8, 15), (12, 15)])
    corner = LineString([(-0.5, 0.4), (0.4, -0.5)])
    beside = LineString([(0.0, -5), (0.0, 15)])
    walls = np.array([wing], dtype=object)
    assert crossed_by(np.array([through], dtype=object), walls).tolist() == [0]
    assert crossed_by(np.array([corner, beside], dtype=object), walls).tolist() == []
