"""What is judged by whole numbers alone agrees with GEOS."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from geogrid.coverage._frame import _convex_cells, frame_of, valid_cells
from geogrid.planar.rings import lattice_rings

LIMIT = MultiPolygon([box(-100, -100, 100, 100)])
TURN = np.linspace(0, 2 * np.pi, 6)[:5]
STAR = [(50 * np.cos(2 * angle), 50 * np.sin(2 * angle)) for angle in TURN]
corners = st.tuples(st.integers(-20, 20), st.integers(-20, 20))


def judged(*cells):
    frame = frame_of(np.array(cells, dtype=object), LIMIT)
    rings = lattice_rings(frame.shapes, origin=frame.origin, whole=frame.whole)
    return _convex_cells(rings, frame.count).tolist(), valid_cells(frame, rings).tolist()


@pytest.mark.parametrize(
    ("cell", "is_convex"),
    [
        (box(0, 0, 1, 1), True),
        (box(0, 0, 1, 1).reverse(), True),
        (Polygon([(0, 0), (1, 0), (2, 0), (2, 2), (0, 2), (0, 1)]), True),
        (Polygon([(0, 0), (2, 0), (2, 2), (1, 0.5)]), False),
        (Polygon([(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)]), False),
        (box(0, 0, 9, 9).difference(box(3, 3, 4, 4)), False),
        (MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]), False),
    ],
)
def test_one_ring_that_turns_one_way_is_convex(cell, is_convex):
    assert judged(cell, box(50, 50, 60, 60)) == ([is_convex, True], [True, True])


@pytest.mark.parametrize(
    "cell",
    [
        Polygon(STAR),
        Polygon([(0, 0), (2, 0), (0, 0), (0, 2)]),
        Polygon([(0, 0), (1, 0), (2, 0)]),
        Polygon([*box(0, 0, 1, 1).exterior.coords[:-1], *box(0, 0, 1, 1).exterior.coords]),
        MultiPolygon([box(0, 0, 1, 1), box(0, 0, 1, 1)]),
    ],
    ids=["star", "spike", "line", "twice round", "twice there"],
)
def test_what_winds_twice_or_turns_back_is_neither_convex_nor_valid(cell):
    assert judged(cell) == ([False], [False])


@given(st.lists(corners, min_size=3, max_size=7, unique=True))
def test_whatever_is_called_convex_is_valid_and_its_own_hull(places):
    cell = Polygon(places)
    (is_convex,), (is_valid,) = judged(cell)
    assert is_valid == shapely.is_valid(cell)
    if is_convex:
        assert cell.equals(cell.convex_hull)
