"""Where residents may walk, by tags."""

from __future__ import annotations

import pytest

from geogrid.osm.foot import foot_direction, is_locked, is_private, is_stairs, is_walkable


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "residential"},
        {"highway": "service", "service": "driveway", "access": "private"},
        {"highway": "footway", "foot": "private"},
        {"highway": "service", "access": "no", "foot": "yes"},
        {"highway": "track", "access": "forestry"},
        {"highway": "cycleway"},
        {"highway": "primary", "foot": "use_sidepath"},
        {"highway": "trunk"},
        {"highway": "trunk", "bridge": "yes", "sidewalk": "right"},
        {"highway": "motorway", "foot": "designated"},
        {"highway": "primary", "bridge": "yes"},
    ],
)
def test_residents_walk_here(tags):
    assert is_walkable(tags)


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "residential", "foot": "no"},
        {"highway": "service", "access": "no"},
        {"highway": "service", "access": "military"},
        {"highway": "motorway"},
        {"highway": "motorway_link"},
        {"highway": "primary", "motorroad": "yes"},
        {"highway": "trunk", "sidewalk": "no"},
        {"highway": "trunk", "bridge": "yes"},
        {"highway": "trunk_link", "tunnel": "yes"},
        {"highway": "motorway", "sidewalk": "none"},
    ],
)
def test_nobody_walks_here(tags):
    assert not is_walkable(tags)


@pytest.mark.parametrize(
    ("tags", "direction"),
    [
        ({}, 0),
        ({"oneway": "yes"}, 0),
        ({"oneway:foot": "no"}, 0),
        ({"oneway:foot": "yes"}, 1),
        ({"foot:backward": "no"}, 1),
        ({"oneway:foot": "-1"}, -1),
        ({"foot:forward": "no"}, -1),
        ({"conveying": "forward"}, 1),
        ({"conveying": "backward"}, -1),
        ({"conveying": "reversible"}, 0),
    ],
)
def test_only_rules_for_feet_bind_feet(tags, direction):
    assert foot_direction({"highway": "footway", **tags}) == direction


@pytest.mark.parametrize(
    ("tags", "private"),
    [
        ({"access": "private"}, True),
        ({"foot": "private"}, True),
        ({"access": "private", "foot": "yes"}, False),
        ({"access": "destination"}, False),
        ({}, False),
    ],
)
def test_what_only_residents_may_walk_is_marked(tags, private):
    assert is_private({"highway": "service", **tags}) == private


@pytest.mark.parametrize(
    ("tags", "locked"),
    [
        ({"access": "private"}, True),
        ({"access": "no"}, True),
        ({"locked": "yes"}, True),
        ({"foot": "no", "access": "yes"}, True),
        ({"access": "private", "foot": "yes"}, False),
        ({}, False),
    ],
)
def test_gates_that_only_residents_pass_are_marked(tags, locked):
    assert is_locked({"barrier": "gate", **tags}) == locked


def test_stairs_are_climbed_unless_they_move():
    assert is_stairs({"highway": "steps"})
    assert is_stairs({"highway": "steps", "conveying": "no"})
    assert not is_stairs({"highway": "steps", "conveying": "forward"})
    assert not is_stairs({"highway": "footway"})
