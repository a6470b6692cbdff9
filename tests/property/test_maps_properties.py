"""What holds of maps for any plan and any name."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from geogrid.maps.coding import page_json
from geogrid.maps.colour import greedy_colours
from geogrid.maps.disclosure import SHOWN, SMALL, hidden_parts

COUNTS = st.one_of(st.integers(0, 12), st.integers(10, 300))


@st.composite
def nested_counts(draw):
    """Three levels of counts that add up, each parent with two to four children."""
    leaves = draw(
        st.lists(
            st.lists(st.lists(COUNTS, min_size=2, max_size=4), min_size=2, max_size=3),
            min_size=2,
            max_size=3,
        )
    )
    tables: list[list[tuple[str, str, int]]] = [[], [], []]
    for a, middle in enumerate(leaves):
        tables[0].append((f"{a}", "", sum(map(sum, middle))))
        for b, fine in enumerate(middle):
            tables[1].append((f"{a}{b}", f"{a}", sum(fine)))
            tables[2] += [(f"{a}{b}{c}", f"{a}{b}", count) for c, count in enumerate(fine)]
    return [pd.DataFrame(rows, columns=["code", "parent", "households"]) for rows in tables]


@given(nested_counts())
def test_no_small_count_can_be_computed_from_what_is_shown(tables):
    states = hidden_parts(tables)
    everything = pd.concat(tables).assign(state=np.concatenate(states)).set_index("code")
    total = int(tables[0]["households"].sum())
    unknown = list(everything.index[everything["state"] != SHOWN])
    if 0 < total < 10:
        unknown.append("")
    column = {code: position for position, code in enumerate(unknown)}
    # One equation a parent: its own count less those of its children, over the unknown ones.
    parents = everything.groupby("parent").groups
    system = np.zeros((len(parents), len(unknown)))
    for row, (parent, children) in enumerate(parents.items()):
        for code, sign in [(parent, 1), *((child, -1) for child in children)]:
            if code in column:
                system[row, column[code]] = sign
    rank = np.linalg.matrix_rank(system) if unknown else 0
    for code in everything.index[everything["state"] == SMALL]:
        unit = np.zeros((1, len(unknown)))
        unit[0, column[code]] = 1
        assert np.linalg.matrix_rank(np.vstack([system, unit])) == rank + 1, code


@given(st.integers(0, 2**32 - 1), st.integers(4, 120))
def test_six_colours_are_enough_for_any_map(seed, count):
    points = np.random.default_rng(seed).uniform(size=(count, 2))
    corners = Delaunay(points).simplices
    pairs = np.unique(
        np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1),
        axis=0,
    ).astype(np.int64)
    colours = np.array(greedy_colours(count, pairs))
    assert (colours[pairs[:, 0]] != colours[pairs[:, 1]]).all()
    assert colours.max() < 6


@given(st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=8))
def test_any_text_comes_back_and_none_leaves_its_script(value):
    text = page_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)
    assert "//" not in text
