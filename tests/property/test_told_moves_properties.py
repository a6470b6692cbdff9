"""Whatever moves are told, no group below ten follows from them and from the counts of cells."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geogrid.api.moves import Groups, told_moves
from geogrid.api.settled import settled
from geogrid.maps.disclosure import SMALLEST_SHOWN

CODES = "abcde"


@st.composite
def tables(draw):
    """Households of pairs of cells, and which of them stay; small groups are as usual as large."""
    pairs = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES))
    chosen = draw(st.lists(pairs, min_size=2, max_size=12, unique=True))
    size = st.one_of(st.integers(1, 9), st.integers(10, 60))
    counts = draw(st.lists(size, min_size=len(chosen), max_size=len(chosen)))
    return pd.DataFrame({
        "from": [one for one, _ in chosen], "to": [two for _, two in chosen],
        "households": counts, "is_move": [one != two for one, two in chosen],
    })  # fmt: skip


def view_of(table, side):
    sums = table.groupby(side)["households"].sum()
    public = np.where(sums < SMALLEST_SHOWN, -1, sums)
    return SimpleNamespace(
        tables={"wei": pd.DataFrame({"code": sums.index.to_numpy(), "public": public})}
    )


def told(table, own=""):
    views = (view_of(table, "from"), view_of(table, "to"))
    caller = SimpleNamespace(may=lambda _, codes: all(code in own for code in codes))
    moves, _ = told_moves({"wei": Groups(("wei", "wei"), table)}, views, caller)
    return {(one["from"], one["to"]): one["households_text"] for one in moves}, views


@given(tables())
def test_nobody_computes_a_small_group_from_what_is_told(table):
    texts, views = told(table)
    shown = [set(view.tables["wei"].query("public >= 0")["code"]) for view in views]
    groups = {
        at: [(side, code) for side, code in enumerate(pair) if code in shown[side]]
        for at, pair in enumerate(zip(table["from"], table["to"], strict=True))
    }
    pairs = list(zip(table["from"], table["to"], strict=True))
    exact = {at for at, pair in enumerate(pairs) if texts.get(pair, "").isdigit()}
    assert all(int(texts[pairs[at]]) == table["households"][at] for at in exact)
    small = set(np.flatnonzero(table["households"] < SMALLEST_SHOWN).tolist())
    assert not exact & small
    rest = {at: cells for at, cells in groups.items() if at not in exact}
    assert not (settled(rest) - settled(groups)) & small


@given(tables())
def test_whoever_sees_all_households_is_told_every_move(table):
    texts, _ = told(table, own=CODES)
    moves = table[table["is_move"]]
    assert texts == {
        (one.from_, one.to): str(one.households)
        for one in moves.rename(columns={"from": "from_"}).itertuples()
    }
