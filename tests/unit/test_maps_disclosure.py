"""Which counts may be shown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geogrid.maps.disclosure import SMALL, WITHHELD, as_public, count_text, hidden_parts


def table(*rows):
    return pd.DataFrame(rows, columns=["code", "parent", "households"])


def test_a_count_below_ten_is_hidden_and_nobody_is_not():
    states = hidden_parts([table(("a", "", 9), ("b", "", 3), ("c", "", 0), ("d", "", 10))])
    assert states[0].tolist() == [SMALL, SMALL, 0, 0]
    assert as_public([9, 3, 0, 10], states[0]) == [-1, -1, 0, 10]


def test_a_single_hidden_count_takes_the_next_smallest_with_it():
    states = hidden_parts([table(("a", "", 5), ("b", "", 80), ("c", "", 30), ("d", "", 0))])
    assert states[0].tolist() == [SMALL, 0, WITHHELD, 0]


def test_a_withheld_cell_has_a_hidden_part_of_its_own():
    upper = table(("a", "", 5), ("b", "", 50), ("c", "", 80))
    lower = table(
        ("a1", "a", 5), ("b1", "b", 20), ("b2", "b", 30), ("c1", "c", 40), ("c2", "c", 40)
    )
    first, second = hidden_parts([upper, lower])
    assert first.tolist() == [SMALL, WITHHELD, 0]
    assert second.tolist() == [SMALL, WITHHELD, 0, 0, 0]


def test_equal_counts_are_withheld_by_code_in_any_row_order():
    rows = [("z", "", 30), ("m", "", 5), ("b", "", 30)]
    for order in ([0, 1, 2], [2, 1, 0]):
        listed = table(*[rows[position] for position in order])
        state = hidden_parts([listed])[0]
        assert set(listed["code"][state == WITHHELD]) == {"b"}


def test_hidden_counts_read_as_words():
    assert [count_text(value) for value in (-1, -2, 0, 12)] == ["<10", "≥10", "0", "12"]


def test_states_fit_any_index():
    shuffled = table(("a", "", 5), ("b", "", 80)).set_axis([7, 3], axis=0)
    assert hidden_parts([shuffled])[0].dtype == np.int8
