"""What must hold of every district whose crowded blocks are cut between their buildings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, box

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage

SIDE_M = 400.0
LIMIT = box(0, 0, SIDE_M, SIDE_M)
SLOT_M = 40.0


@st.composite
def towns(draw):
    """Streets, houses apart or wall to wall, and households in them and on open ground."""
    slots = [(x, y) for x in np.arange(0, SIDE_M, SLOT_M) for y in np.arange(0, SIDE_M, SLOT_M)]
    taken = draw(st.lists(st.sampled_from(slots), min_size=1, max_size=40, unique=True))
    sizes = st.sampled_from([6.0, 11.5, 20.0, 33.3, SLOT_M])
    houses, counts = [], []
    for x, y in taken:
        wide, deep = draw(sizes), draw(sizes)
        left, low = (draw(st.sampled_from([0.0, 0.5, 1.0])) for _ in range(2))
        corner = (x + left * (SLOT_M - wide), y + low * (SLOT_M - deep))
        houses.append(box(*corner, corner[0] + wide, corner[1] + deep))
        counts.append(draw(st.integers(0, 9)))
    points = [house.centroid for house in houses]
    open_ground = st.tuples(st.integers(0, 4000), st.integers(0, 4000))
    for x, y in draw(st.lists(open_ground, max_size=6)):
        points.append(shapely.Point(x / 10 + 0.013, y / 10 + 0.017))
        counts.append(draw(st.integers(0, 3)))
    ends = st.integers(1, 399)
    streets = [
        LineString([(-5, draw(ends)), (405, draw(ends))])
        if draw(st.booleans())
        else LineString([(draw(ends), -5), (draw(ends), 405)])
        for _ in range(draw(st.integers(1, 4)))
    ]
    homes = gpd.GeoDataFrame({"households": counts}, geometry=points)
    homes = homes[homes.intersects(LIMIT)].reset_index(drop=True)
    return gpd.GeoSeries(streets), gpd.GeoDataFrame(geometry=houses), homes


limits = st.integers(1, 25)
areas = st.sampled_from([0.0, 200.0])


def atoms_of(town, limit, min_area_m2):
    streets, houses, homes = town
    return build_atoms(
        LIMIT,
        streets,
        households=homes,
        buildings=houses,
        max_households=limit,
        min_area_m2=min_area_m2,
    )


@given(towns(), limits, areas)
def test_atoms_cover_the_limit_and_keep_every_household(town, limit, min_area_m2):
    atoms = atoms_of(town, limit, min_area_m2)
    assert verify_coverage(atoms.frame, atoms.limit).is_sound
    assert (atoms.frame.geom_type == "Polygon").all()
    assert atoms.frame["households"].sum() == town[2]["households"].sum()


@given(towns(), limits, areas)
def test_no_building_is_cut(town, limit, min_area_m2):
    assert atoms_of(town, limit, min_area_m2).cut_buildings.empty


@given(towns(), limits, areas)
def test_more_households_than_allowed_live_in_one_building_alone(town, limit, min_area_m2):
    atoms = atoms_of(town, limit, min_area_m2)
    _, houses, homes = town
    crowded = atoms.frame[atoms.frame["households"] > limit]
    lived_in = homes[homes["households"] > 0]
    for atom, count in zip(crowded.geometry, crowded["households"], strict=True):
        held = lived_in[lived_in.intersects(atom)]
        near = houses[houses.intersects(held.union_all().buffer(3.0))]
        # Several points may stand in or at one building, or at one place.
        assert len(near) <= 1 or held.geometry.nunique() == 1, (count, held)


@given(towns(), limits, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(town, limit, random):
    streets, houses, homes = town
    mixed = []
    for table in (streets, houses, homes):
        rows = list(range(len(table)))
        random.shuffle(rows)
        mixed.append(table.iloc[rows].reset_index(drop=True))
    one, other = atoms_of(town, limit, 200.0), atoms_of(mixed, limit, 200.0)
    assert one.frame["households"].tolist() == other.frame["households"].tolist()
    assert [shape.normalize().wkb for shape in one.frame.geometry] == [
        shape.normalize().wkb for shape in other.frame.geometry
    ]
