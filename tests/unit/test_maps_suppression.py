"""Which unserved numbers are kept back, attacked by linear programming."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from geogrid.maps.disclosure import hidden_parts
from geogrid.maps.suppression import hidden_limits


def level_of(codes, parents, parts):
    """Return a level's table; ``parts`` has one column a part, near to far."""
    beyond = parts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    columns = {f"beyond_{row}": beyond[:, row] for row in range(beyond.shape[1])}
    return pd.DataFrame(
        {
            "code": codes,
            "parent": parents,
            "total": parts.sum(axis=1),
            "is_hidden": False,
            **columns,
        }
    )


def nested(parts, widths):
    """Return levels coarse to fine, each cell of a level holding so many of the next."""
    tables, above = [], [""]
    counts = [int(np.prod(widths[: depth + 1])) for depth in range(len(widths))]
    for count, width in zip(counts, widths, strict=True):
        codes = [f"{parent}{number}" for parent in above for number in range(width)]
        sums = parts.reshape(count, -1, parts.shape[1]).sum(axis=1)
        tables.append(level_of(codes, np.repeat(above, width), sums))
        above = codes
    states = hidden_parts([table.rename(columns={"total": "households"}) for table in tables])
    return [table.assign(is_hidden=state > 0) for table, state in zip(tables, states, strict=True)]


def one_level(*rows):
    parts = np.array(rows)
    codes = [chr(ord("a") + row) for row in range(len(parts))]
    return [level_of(codes, [""] * len(parts), parts)]


def cells_of(tables, size):
    """Yield table, row and rows of the finest cells, for every cell of every level."""
    for depth, table in enumerate(tables):
        for row, leaves in enumerate(np.arange(size).reshape(len(table), -1)):
            yield depth, row, leaves


def chosen(shape, rows, columns):
    line = np.zeros(shape)
    line[np.ix_(rows, columns)] = 1
    return line.ravel()


def shown_sums(tables, masks, parts):
    """Return what an attacker knows: totals of the district and all that is shown."""
    size, width = parts.shape
    known = [(range(size), [part]) for part in range(width)]
    for depth, row, leaves in cells_of(tables, size):
        if not tables[depth]["is_hidden"].iloc[row]:
            known.append((leaves, range(width)))
        known += [
            (leaves, range(limit + 1, width))
            for limit in range(width - 1)
            if not masks[depth][row, limit]
        ]
    lines = np.array([chosen(parts.shape, *one) for one in known])
    return lines, lines @ parts.ravel()


def small_parts(tables, parts):
    """Return the small parts of all cells whose total is shown."""
    size, width = parts.shape
    spans = [range(first, last) for last in range(1, width + 1) for first in range(last)]
    return [
        chosen(parts.shape, leaves, span)
        for depth, row, leaves in cells_of(tables, size)
        for span in spans
        if not tables[depth]["is_hidden"].iloc[row] and 0 < parts[np.ix_(leaves, span)].sum() < 10
    ]


def attacked(tables, masks, parts):
    """Yield every small part with its least and greatest value that fits what is shown."""
    lines, values = shown_sums(tables, masks, parts)
    for aim in small_parts(tables, parts):
        least = linprog(aim, A_eq=lines, b_eq=values).fun
        yield aim @ parts.ravel(), least, -linprog(-aim, A_eq=lines, b_eq=values).fun


@pytest.mark.parametrize("seed", range(4))
def test_no_small_part_can_be_computed_from_what_is_shown(seed):
    chance = np.random.default_rng(seed)
    parts = chance.integers(0, 60, (18, 3)) * (chance.random((18, 3)) < 0.6)
    parts += chance.integers(0, 8, (18, 3)) * (chance.random((18, 3)) < 0.15)
    tables = nested(parts, (2, 3, 3))
    masks = hidden_limits(tables, 2)
    found = list(attacked(tables, masks, parts))
    assert found
    for value, least, greatest in found:
        assert greatest - least >= 10 - 1e-6, (value, least, greatest)


def test_the_attack_finds_a_number_that_is_only_hidden_itself():
    parts = np.array([[40, 4, 0], [50, 20, 0]])
    tables = nested(parts, (2,))
    naive = [np.array([[True, True], [False, False]])]
    assert any(greatest - least < 1e-6 for _, least, greatest in attacked(tables, naive, parts))


def test_what_two_limits_leave_between_them_is_kept_back_as_well():
    # 30 beyond 5 and 26 beyond 15 minutes would tell the 4 between.
    (mask,) = hidden_limits(one_level((50, 4, 26), (60, 30, 40), (70, 30, 90)), 2)
    assert mask[:, 0].tolist() == [False, False, False]
    assert mask[:, 1].tolist() == [True, True, False]


def test_large_numbers_stay_shown_and_nobody_is_no_secret():
    (mask,) = hidden_limits(one_level((50, 40, 26), (0, 0, 0), (70, 0, 0)), 2)
    assert not mask.any()


def test_a_number_hidden_at_one_limit_is_hidden_at_the_larger_ones():
    (mask,) = hidden_limits(one_level((3, 40, 26), (60, 30, 40), (80, 30, 90)), 2)
    assert mask[0].all()


def test_zeros_below_a_shown_zero_are_shown():
    parts = np.array([[30, 5, 0], [100, 40, 0], [90, 60, 0], [40, 20, 0]])
    upper, lower = hidden_limits(nested(parts, (1, 4)), 2)
    assert not upper.any()
    assert lower[:, 0].any()
    assert not lower[:, 1].any()


def test_below_a_hidden_cell_only_as_much_is_hidden_as_it_takes():
    parts = np.array([[30, 5], [100, 0], [90, 60], [40, 20], [30, 30], [100, 70]])
    upper, lower = hidden_limits(nested(parts, (2, 3)), 1)
    assert upper.ravel().tolist() == [False, False]
    assert lower.ravel().tolist() == [True, False, True, False, False, False]
