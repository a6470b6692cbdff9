"""Cutting faces again: what is noded in part must come out as if noded in full."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, box

from geogrid.atoms import _recut
from geogrid.atoms._recut import cut_again
from geogrid.coverage import verify_coverage
from geogrid.planar.noding import as_multipolygon, cut_faces

LIMIT = as_multipolygon(box(500_000, 4_000_000, 500_100, 4_000_060))
ORIGIN = np.array(LIMIT.bounds[:2])


def lines(*rows):
    return np.array([LineString(np.asarray(row, dtype=float) + ORIGIN) for row in rows])


STREETS = lines([(-5, 20.3), (105, 31.7)], [(40, -5), (52.2, 65)])
BLOCKS, NODED = cut_faces(LIMIT, STREETS)


def assert_as_in_full(new):
    faces, noded = cut_again(NODED, BLOCKS, new)
    whole, _ = cut_faces(NODED, np.concatenate((shapely.boundary(BLOCKS), new)))
    assert verify_coverage(gpd.GeoDataFrame(geometry=faces), noded).is_sound
    # Faces thinner than the lattice may come out of one and not of the other.
    for one, others in ((faces, whole), (whole, faces)):
        thick = shapely.area(one) > 0.01 * shapely.length(one)
        inside = shapely.point_on_surface(one[thick])
        point, face = shapely.STRtree(others).query(inside, predicate="within")
        assert len(np.unique(point)) == thick.sum()
        held = shapely.area(shapely.intersection(one[thick][point], others[face]))
        assert held == pytest.approx(shapely.area(one[thick][point]), abs=0.5)


@pytest.fixture
def in_part(monkeypatch):
    """Let the test fail where everything has to be noded after all."""
    monkeypatch.setattr(_recut, "cut_faces", None)


@pytest.mark.usefixtures("in_part")
def test_a_line_that_ends_on_a_border_cuts_it_there_on_both_sides():
    assert_as_in_full(lines([(20, 60), (20, 22.889)], [(20, 0), (20, 22.892)]))
    faces, _ = cut_again(NODED, BLOCKS, lines([(20, 60), (20, 22.889)]))
    assert len(faces) == len(BLOCKS) + 1


@pytest.mark.usefixtures("in_part")
def test_lines_that_cross_are_noded_there():
    assert_as_in_full(lines([(60, 40), (90, 50), (70, 55), (75, 35)], [(60, 40), (60, 50)]))


def test_a_line_drawn_along_a_border_adds_nothing():
    along = shapely.get_coordinates(STREETS[0]) - ORIGIN
    faces, _ = cut_again(NODED, BLOCKS, lines(along))
    assert len(faces) == len(BLOCKS)


@pytest.mark.usefixtures("in_part")
def test_a_border_is_bent_through_all_lines_that_end_on_it_in_their_order():
    ends = [(x, 20.3 + 11.4 / 110 * (x + 5)) for x in (33, 3, 12.5, 24)]
    new = lines(*([end, (end[0], -1)] for end in ends))
    assert_as_in_full(new)
    assert len(cut_again(NODED, BLOCKS, new)[0]) == len(BLOCKS) + len(new)


@pytest.mark.usefixtures("in_part")
@pytest.mark.parametrize("short", [0.0005, 0.0, -0.0005])
def test_lines_that_end_a_hair_before_or_behind_a_slanting_line_end_on_it(short):
    # From east to west, against the order of the places.
    slant = [(95, 10), (60, 10.3), (60, 0), (95, 0), (95, 10)]
    ends = [(x, 10 + (95 - x) * 0.3 / 35 - short) for x in (65, 75.5, 85.3)]
    new = lines(slant, *([end, (end[0], 0)] for end in ends))
    faces, _ = cut_again(NODED, BLOCKS, new)
    assert len(faces) == len(BLOCKS) + 1 + len(ends)


def test_a_failed_check_nodes_everything(monkeypatch):
    new = lines([(60, 10), (80, 10), (70, 18), (60, 10)])
    monkeypatch.setattr(_recut, "_noded", lambda _: shapely.boundary(BLOCKS)[:2])
    faces, noded = cut_again(NODED, BLOCKS, new)
    assert len(faces) == len(BLOCKS) + 1
    assert verify_coverage(gpd.GeoDataFrame(geometry=faces), noded).is_sound


# Places a few millimetres apart, so that ends meet lines in every way there is.
near = st.tuples(
    st.sampled_from([0, 10, 20, 40.001, 55, 99.9995, 100]),
    st.sampled_from([0, 20.3, 20.818, 25, 31, 59.9996, 60]),
    st.integers(-3, 3),
    st.integers(-3, 3),
).map(lambda at: (at[0] + at[2] / 2000, at[1] + at[3] / 2000))
paths = st.lists(near, min_size=2, max_size=4, unique=True)


@given(st.lists(paths, min_size=1, max_size=6))
def test_lines_that_all_but_touch_leave_a_sound_cover(rows):
    assert_as_in_full(lines(*rows))
