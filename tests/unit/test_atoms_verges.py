"""Ground between walls and streets, shared out among the atoms behind the walls."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from shapely import LineString, Point, box

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage
from geogrid.vocabulary import BarrierKind

LIMIT = box(0, 0, 400, 200)
# Two compounds, 20 m apart, 15 m from the streets round them.
WEST, EAST = box(15, 15, 190, 185), box(210, 15, 385, 185)
STREET = LineString([(400, -10), (400, 210)])


def barriers(*compounds, street=STREET):
    kinds = [BarrierKind.STREET.value] + [BarrierKind.COMPOUND.value] * len(compounds)
    return gpd.GeoDataFrame({"kind": kinds}, geometry=[street, *(c.exterior for c in compounds)])


def people(*places):
    return gpd.GeoDataFrame({"households": [9] * len(places)}, geometry=[Point(p) for p in places])


HOMES = people((100, 100), (300, 100))


def shared(lines, homes=HOMES, limit=LIMIT, **options):
    atoms = build_atoms(limit, lines, households=homes, share_out_verges=True, **options)
    assert verify_coverage(atoms.frame, atoms.limit).is_sound
    assert (atoms.frame.geom_type == "Polygon").all()
    return atoms


def test_each_compound_gets_the_ground_before_its_wall_up_to_half_the_gap():
    atoms = shared(barriers(WEST, EAST))
    assert atoms.frame["households"].tolist() == [9, 9]
    west = atoms.frame.geometry.iloc[0]
    assert west.symmetric_difference(box(0, 0, 200, 200)).area < 40
    assert len(atoms.graph.left) == 1


def test_the_border_between_two_compounds_is_as_strong_as_their_walls():
    atoms = shared(barriers(WEST, EAST))
    assert atoms.graph.strength.tolist() == [BarrierKind.COMPOUND.strength]


def test_nothing_is_shared_out_unless_asked_for_or_where_no_household_is_known():
    lines = barriers(WEST, EAST)
    assert len(build_atoms(LIMIT, lines, households=HOMES).frame) == 3
    assert len(shared(lines, homes=None).frame) == 3
    assert len(shared(lines.iloc[:1]).frame) == 1


def test_the_street_stays_the_border():
    street = LineString([(-10, 200), (410, 200)])
    atoms = shared(barriers(WEST, EAST, street=street), limit=box(0, 0, 400, 300))
    assert sorted(atoms.frame["households"]) == [0, 9, 9]
    north = atoms.frame[atoms.frame["households"] == 0].geometry.iloc[0]
    assert north.equals(box(0, 200, 400, 300))


def test_a_lived_in_strip_is_no_verge():
    homes = people((100, 100), (300, 100), (200, 5))
    assert len(shared(barriers(WEST, EAST), homes=homes).frame) == 3


def test_an_empty_campus_keeps_its_ground_behind_its_own_wall():
    campus = box(190, 15, 385, 185)
    beside = box(15, 15, 190, 100), box(15, 100, 190, 185)
    atoms = shared(barriers(*beside, campus), homes=people((100, 50), (100, 150)))
    empty = atoms.frame[atoms.frame["households"] == 0].geometry
    assert len(empty) == 1
    assert empty.iloc[0].covers(campus)


def test_open_ground_far_from_the_walls_stays_one_empty_atom():
    limit = box(0, 0, 400, 500)
    south = box(0, 215, 400, 500)
    atoms = shared(barriers(WEST, EAST), limit=limit)
    assert sorted(atoms.frame["households"]) == [0, 9, 9]
    field = atoms.frame[atoms.frame["households"] == 0].geometry.iloc[0]
    assert field.symmetric_difference(south).area < 1000


@pytest.mark.parametrize("left", [185.0, 196.0, 203.0])
def test_a_house_in_a_verge_stays_whole(left):
    house = box(max(left, 191.0), 90, left + 14, 110)
    homes = gpd.GeoDataFrame({"osm_id": ["w1"]}, geometry=[house & box(191, 0, 209, 200)])
    atoms = shared(barriers(WEST, EAST), buildings=homes)
    assert atoms.cut_buildings.empty
    assert len(atoms.frame) == 2


def test_the_order_of_barriers_changes_nothing():
    lines = barriers(WEST, EAST)
    one, other = shared(lines), shared(lines.iloc[::-1].reset_index(drop=True))
    assert [shapely.normalize(g).wkb for g in one.frame.geometry] == [
        shapely.normalize(g).wkb for g in other.frame.geometry
    ]
