from __future__ import annotations

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geogrid.planar import datum

GEOD = pyproj.Geod(ellps="WGS84")
PLACES = st.lists(
    st.tuples(st.floats(73.0, 136.0), st.floats(3.0, 54.0)), min_size=1, max_size=20
).map(lambda pairs: np.array(pairs).T)

PAIRS = [
    (datum.wgs84_to_gcj02, datum.gcj02_to_wgs84),
    (datum.gcj02_to_bd09, datum.bd09_to_gcj02),
    (datum.wgs84_to_bd09, datum.bd09_to_wgs84),
]


@pytest.mark.parametrize(("there", "back"), PAIRS)
@given(places=PLACES)
def test_there_and_back_is_within_a_millimetre_anywhere_in_china(there, back, places):
    lon, lat = places
    x, y = back(*there(lon, lat))
    assert np.asarray(GEOD.inv(x, y, lon, lat)[2]).max() <= 1e-3
    x, y = there(*back(lon, lat))
    assert np.asarray(GEOD.inv(x, y, lon, lat)[2]).max() <= 1e-3


@given(places=PLACES)
def test_a_position_is_shifted_alike_alone_and_in_company(places):
    together = np.array(datum.gcj02_to_wgs84(*places))
    alone = np.array([datum.gcj02_to_wgs84(lon, lat) for lon, lat in places.T]).T
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-11)


@given(
    places=st.lists(
        st.tuples(st.floats(-180, 71.9), st.floats(-85, 85)), min_size=1, max_size=20
    ).map(lambda pairs: np.array(pairs).T)
)
def test_nothing_moves_west_of_china(places):
    for there, back in PAIRS:
        np.testing.assert_array_equal(there(*places), places)
        np.testing.assert_array_equal(back(*places), places)
