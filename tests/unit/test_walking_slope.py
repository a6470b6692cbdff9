"""Hills and stairs: what they cost by direction, and where they must not count."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from walk_cases import network, points

from geogrid.errors import InputError
from geogrid.model.heights import HeightGrid


def ramp(rise):
    """Heights that rise by ``rise`` a metre to the east, level at x = 0."""
    middles = np.arange(-95, 2100, 10.0)
    return HeightGrid(
        values=np.tile(middles * rise, (30, 1)), west=-100, south=-150, cell_m=10, name="试验"
    )


def tobler(slope):
    return np.exp(3.5 * (abs(slope + 0.05) - 0.05))


def minutes(walk, station, home, **options):
    reach = walk.reach(points(station), minutes=60, households=points(home), **options)
    return reach.households["minutes"].iloc[0]


STREET = network([(0, 0), (1000, 0)], [(1000, 0), (2000, 0)])


@pytest.mark.parametrize("slope", [0.1, -0.1, 0.02, -0.04])
@pytest.mark.parametrize("direction", ["to_station", "from_station"])
def test_minutes_follow_the_published_function_in_the_direction_of_the_walk(slope, direction):
    uphill = minutes(STREET, (1600, 0), (400, 0), heights=ramp(slope), direction=direction)
    rise = slope if direction == "to_station" else -slope
    assert uphill == pytest.approx(1200 / 80 * tobler(rise), rel=1e-6)


def test_level_ground_costs_what_the_preset_says_and_gentle_descents_less():
    assert minutes(STREET, (0, 0), (800, 0), heights=ramp(0)) == pytest.approx(10)
    down = minutes(STREET, (0, 0), (800, 0), heights=ramp(0.05))
    assert down == pytest.approx(10 * np.exp(-3.5 * 0.05))


def test_circles_and_lines_reach_farther_down_than_up():
    reach = STREET.reach(points((1000, 0)), minutes=5, heights=ramp(0.1))
    west, _, east, _ = reach.lines.total_bounds
    # Those in the east walk down to the station, those in the west climb.
    assert east - 1000 == pytest.approx(400 / tobler(-0.1))
    assert 1000 - west == pytest.approx(400 / tobler(0.1))
    circle = reach.circles.geometry.iloc[0]
    assert circle.bounds[2] - 1000 > 1000 - circle.bounds[0]


def test_a_hill_between_equal_ends_costs_both_ways():
    middles = np.arange(-95, 1100, 10.0)
    hill = HeightGrid(
        values=np.tile(-np.abs(middles - 500) * 0.2, (30, 1)), west=-100, south=-150, cell_m=10
    )
    there = minutes(STREET, (0, 0), (1000, 0), heights=hill)
    assert there > 1.4 * 12.5
    assert minutes(STREET, (1000, 0), (0, 0), heights=hill) == pytest.approx(there)


def test_on_bridges_and_in_tunnels_only_the_ends_count():
    middles = np.arange(-95, 2100, 10.0)
    gorge = np.where((middles > 200) & (middles < 800), -80.0, 0.0)
    heights = HeightGrid(values=np.tile(gorge, (30, 1)), west=-100, south=-150, cell_m=10)
    bridge = dataclasses.replace(STREET, is_span=np.array([True, False]))
    assert minutes(bridge, (0, 0), (1000, 0), heights=heights) == pytest.approx(12.5)
    assert minutes(STREET, (0, 0), (1000, 0), heights=heights) > 13


def test_unknown_heights_count_as_level():
    nothing = HeightGrid(values=np.full((30, 30), np.nan), west=0, south=-150, cell_m=10)
    assert minutes(STREET, (0, 0), (800, 0), heights=nothing) == pytest.approx(10)


def test_stairs_are_as_fast_as_streets_unless_a_factor_is_given():
    stairs = dataclasses.replace(STREET, is_stairs=np.array([True, False]))
    assert minutes(stairs, (0, 0), (1600, 0)) == pytest.approx(20)
    assert minutes(stairs, (0, 0), (1600, 0), steps_factor=2) == pytest.approx(12.5 * 2 + 7.5)


def test_slope_changes_minutes_only():
    at = points((0, 0))
    with pytest.raises(InputError, match="minutes only"):
        STREET.reach(at, minutes=None, metres=400, heights=ramp(0.1))
    with pytest.raises(InputError, match="minutes only"):
        STREET.reach(at, preset="gb50180", steps_factor=2)
    with pytest.raises(InputError, match="no slower"):
        STREET.reach(at, steps_factor=0.5)


def test_the_ground_is_told_among_the_assumptions():
    at = points((0, 0))
    assert STREET.reach(at).assumptions["ground"] == ""
    told = STREET.reach(at, heights=ramp(0.1), steps_factor=1.5).assumptions["ground"]
    assert told == "坡度按 Tobler 函数（试验），台阶耗时 1.5 倍"
