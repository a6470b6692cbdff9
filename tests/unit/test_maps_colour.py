"""Neighbours differ."""

from __future__ import annotations

import numpy as np
from map_plans import make_plan

from geogrid.maps.colour import PALETTE, cell_neighbours, greedy_colours


def test_neighbours_of_a_level_share_a_border_and_not_only_a_corner():
    codes, pairs = cell_neighbours(make_plan(), "wei")
    named = {(codes[left], codes[right]) for left, right in pairs.tolist()}
    assert len(codes) == 16
    assert len(named) == 24
    assert ("43020101", "43020102") in named
    assert ("43020101", "43020104") not in named


def test_cells_of_one_upper_cell_are_no_neighbours_of_themselves():
    codes, pairs = cell_neighbours(make_plan(), "zong")
    assert codes == ["430201", "430202"]
    assert pairs.tolist() == [[0, 1]]


def test_the_two_sides_of_every_border_get_different_colours():
    codes, pairs = cell_neighbours(make_plan(), "wei")
    colours = greedy_colours(len(codes), pairs)
    assert all(colours[left] != colours[right] for left, right in pairs.tolist())
    assert max(colours) < 6 <= len(PALETTE)


def test_colours_are_spread_and_always_the_same():
    codes, pairs = cell_neighbours(make_plan(), "wei")
    colours = greedy_colours(len(codes), pairs)
    assert colours == greedy_colours(len(codes), pairs)
    assert np.bincount(colours).max() <= 5


def test_cells_that_all_touch_each_other_get_a_colour_each():
    pairs = np.array([(a, b) for a in range(8) for b in range(a + 1, 8)], dtype=np.int64)
    assert sorted(greedy_colours(8, pairs)) == list(range(8))


def test_no_cell_needs_no_colour():
    assert greedy_colours(0, np.empty((0, 2), dtype=np.int64)) == []
