"""What a walk and a link say must be what the network says, on any streets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from walk_cases import network, points

from geogrid.stations.links import suggest_links
from geogrid.stations.why import explain_unserved

SPOTS = st.tuples(st.integers(0, 4), st.integers(0, 4))


@st.composite
def towns(draw):
    """Some streets of a grid with 50 m blocks, stations and homes beside them."""
    steps = draw(st.lists(st.tuples(SPOTS, st.booleans()), min_size=12, max_size=50, unique=True))
    lines = []
    for (x, y), is_up in steps:
        end = (x, y + 1) if is_up else (x + 1, y)
        lines.append([(50 * x, 50 * y), (50 * end[0], 50 * end[1])])
    walk = network(*lines, oneway=[draw(st.integers(0, 5)) == 0 for _ in lines])
    places = st.tuples(st.integers(-20, 270), st.integers(-20, 270))
    stations = points(*draw(st.lists(places, min_size=1, max_size=3)))
    homes = draw(st.lists(places, min_size=1, max_size=8))
    counts = [draw(st.integers(0, 5)) for _ in homes]
    households = points(*homes, households=counts)
    direction = draw(st.sampled_from(["to_station", "from_station"]))
    return walk, stations, households, direction


@given(town=towns(), limit=st.sampled_from([120, 260]))
def test_an_explanation_agrees_with_the_reach_and_its_line_with_the_metres(town, limit):
    walk, stations, households, direction = town
    reach = walk.reach(
        stations, households=households, minutes=None, metres=(limit, 1e5), direction=direction
    )
    for row in range(len(households)):
        why = explain_unserved(reach, household=row, limit=limit)
        assert (why.answer == "served") == bool(reach.households[f"served_{limit}"].iloc[row])
        metres = reach.households["metres"].iloc[row]
        assert why.metres == pytest.approx(metres, nan_ok=True)
        if np.isfinite(metres):
            assert why.path.length == pytest.approx(metres, abs=1e-6)


@given(town=towns(), limit=st.sampled_from([120, 260]))
def test_adding_the_links_serves_exactly_who_was_promised(town, limit):
    walk, stations, households, direction = town
    asked = {"minutes": None, "metres": limit, "direction": direction}
    reach = walk.reach(stations, households=households, **asked)
    plan = suggest_links(reach, k=3)
    wide, served = walk, reach.served_households(limit)
    assert served == plan.served_before
    for line, gain in zip(plan.links.geometry, plan.links["newly_served"], strict=True):
        wide = wide.with_link(line)
        served += gain
        after = wide.reach(stations, households=households, **asked)
        assert after.served_households(limit) == served
    assert plan.served_after == served
    assert (plan.links["newly_served"] > 0).all()
