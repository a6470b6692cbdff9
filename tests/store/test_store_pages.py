"""Pages: a table comes back as it was, and a row more or less changes its own page only."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geogrid.errors import StoreError
from geogrid.store._pages import frame_of, paged, sheet_of, unpaged

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=0, max_size=40)


@given(TEXTS, st.randoms(use_true_random=False))
def test_a_table_comes_back_to_the_bit(texts, random):
    size = len(texts)
    table = pd.DataFrame(
        {
            "key": pd.Series([f"k{at}" for at in range(size)], dtype="str"),
            "text": pd.Series(texts, dtype="str"),
            "mixed": pd.Series([random.choice([None, 1, 2.5, "x"]) for _ in texts], dtype=object),
            "whole": np.array([random.getrandbits(62) for _ in texts], dtype=np.int64),
            "real": np.array([random.uniform(-1e9, 1e-9) for _ in texts], dtype=np.float64),
            "flag": np.array([random.random() < 0.5 for _ in texts], dtype=np.bool_),
        }
    )
    pages = {}
    stored = paged(sheet_of("t", table), None, pages)
    back = frame_of(unpaged(stored.listing(), pages).sheet)
    pd.testing.assert_frame_equal(back, table)


def shapes_table(size):
    points = shapely.points(np.arange(size) / 3, np.arange(size) / 7)
    ids = pd.Series([f"a{at:05d}" for at in range(size)], dtype="str")
    return gpd.GeoDataFrame({"atom_id": ids}, geometry=shapely.buffer(points, 1, quad_segs=1))


def test_a_row_put_in_changes_its_own_page():
    table = shapes_table(9000)
    pages = {}
    before = paged(sheet_of("atoms", table), None, pages)
    assert len(before.stops) >= 5
    more = gpd.GeoDataFrame({"atom_id": ["new"]}, geometry=[shapely.Point(0, 0).buffer(1)])
    longer = pd.concat([table.iloc[:4500], more, table.iloc[4500:]], ignore_index=True)
    new = {}
    after = paged(sheet_of("atoms", longer.astype({"atom_id": "str"})), before, new)
    fresh = set(new) - set(pages)
    assert 1 <= len(fresh) <= 4
    assert len(set(after.pages[1]) - set(before.pages[1])) <= 2
    again = paged(sheet_of("atoms", longer.astype({"atom_id": "str"})), None, {})
    assert again.pages == after.pages


def test_what_did_not_change_is_not_made_again():
    table = shapes_table(3000)
    before = paged(sheet_of("atoms", table), None, {})
    new = {}
    assert paged(sheet_of("atoms", table), before, new).pages == before.pages
    assert new == {}


def test_pages_of_households_are_never_those_of_anything_else():
    table = pd.DataFrame({"code": pd.Series(["a", "b"], dtype="str")})
    open_page, personal_page = {}, {}
    paged(sheet_of("t", table), None, open_page)
    paged(sheet_of("t", table, is_personal=True), None, personal_page)
    assert not set(open_page) & set(personal_page)


def test_what_no_database_can_keep_is_refused():
    table = pd.DataFrame({"key": pd.Series([object()], dtype=object)})
    with pytest.raises(StoreError, match="column key of t cannot be stored"):
        paged(sheet_of("t", table), None, {})


def test_a_missing_or_damaged_page_is_told():
    pages = {}
    stored = paged(sheet_of("t", shapes_table(10)), None, pages)
    with pytest.raises(StoreError, match="missing or damaged"):
        unpaged(stored.listing(), {})
    with pytest.raises(StoreError, match="missing or damaged"):
        unpaged(stored.listing(), {key: data + b" " for key, data in pages.items()})
