"""The millimetre lattice, directed edges, and dissolving."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import box

from geogrid.errors import InputError
from geogrid.planar.edges import directed_edges, dissolve, rook_pairs
from geogrid.planar.lattice import MAX_SPAN_MM, origin_mm, round_coordinates, snap, to_mm


def shapes_of(*shapes):
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array


def test_every_lattice_coordinate_survives_the_way_to_millimetres_and_back():
    whole = np.array([[39_500_000_123, 3_076_603_999], [-7, 1]], dtype=np.int64)
    metres = whole / 1000
    assert (to_mm(metres) == whole).all()
    assert (round_coordinates(metres) == metres).all()


def test_snapping_drops_what_is_thinner_than_a_millimetre():
    assert snap(shapely.Polygon([(0, 0), (1, 0), (1, 0.0003)])).is_empty


def test_a_span_beyond_the_integer_range_is_refused():
    with pytest.raises(InputError, match="1,073 km"):
        origin_mm(np.array([[0, 0], [MAX_SPAN_MM, 0]], dtype=np.int64))


def test_areas_are_exact_integers_and_holes_count_negative():
    ring = box(0, 0, 10, 10).difference(box(2, 2, 3, 3))
    assert directed_edges(shapes_of(ring)).twice_area.tolist() == [2 * 99 * 1_000_000]


def test_area_is_exact_far_from_the_origin_where_partial_sums_wrap():
    far = shapely.Polygon(
        [(39_500_000, 0), (40_400_000, 0), (40_400_000, 900_000), (39_500_000, 900_000)]
    )
    assert directed_edges(shapes_of(far)).twice_area[0] == 2 * 900_000_000**2


def test_ring_direction_in_the_file_does_not_matter():
    square = box(0, 0, 1, 1)
    one, other = (directed_edges(shapes_of(s)) for s in (square, shapely.reverse(square)))
    assert set(zip(one.tail, one.head, strict=True)) == set(
        zip(other.tail, other.head, strict=True)
    )


def test_neighbours_over_a_corner_are_no_rook_neighbours():
    pairs = rook_pairs(shapes_of(box(0, 0, 1, 1), box(1, 0, 2, 1), box(1, 1, 2, 2)))
    assert list(zip(pairs.left, pairs.right, strict=True)) == [(0, 1), (1, 2)]
    assert pairs.shared_m.tolist() == [1.0, 1.0]


def test_dissolving_keeps_every_vertex_of_the_outer_border():
    left = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0.5, 1), (0, 1)])
    united = dissolve(shapes_of(left, box(1, 0, 2, 1)), np.array([0, 0]))[0]
    vertices = {tuple(xy) for xy in shapely.get_coordinates(united)}
    assert vertices == {(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0.5, 1), (0, 1)}
