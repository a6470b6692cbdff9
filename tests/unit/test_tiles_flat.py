"""Features in flat arrays: some of them are taken alike in stretches and one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geogrid.tiles import _flat
from geogrid.tiles._flat import Flat


def made(seed, features=300):
    rng = np.random.default_rng(seed)
    rings = rng.integers(0, 3, features)
    length = rng.integers(0, 6, rings.sum())
    places = rng.integers(0, 4096, (length.sum(), 2))
    return Flat(places, length, rng.random(len(length)) < 0.2, rings)


def taken(flat, rows, run, patch):
    patch.setattr(_flat, "_RUN", run)
    found = flat.take(rows)
    return [found.xy, found.length, found.is_hole, found.rings]


@given(st.integers(0, 99), st.lists(st.integers(0, 299), max_size=3), st.integers(-150, 150))
def test_stretches_of_features_are_what_one_by_one_gives(seed, gone, turn):
    flat = made(seed)
    rows = np.roll(np.delete(np.arange(300), gone), turn)
    with pytest.MonkeyPatch.context() as patch:
        fast, slow = (taken(flat, rows, run, patch) for run in (1, 10**9))
    for one, other in zip(fast, slow, strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()
