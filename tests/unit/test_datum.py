from __future__ import annotations

import coord_convert.transform as oracle
import eviltransform
import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from geogrid.errors import InputError
from geogrid.planar.datum import (
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    geometries_to_wgs84,
    require_datum,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

RNG = np.random.default_rng(7)
LON = RNG.uniform(73.5, 134.7, 400)
LAT = RNG.uniform(18.2, 53.5, 400)
GEOD = pyproj.Geod(ellps="WGS84")


def _metres(a, b) -> np.ndarray:
    return np.asarray(GEOD.inv(a[0], a[1], b[0], b[1])[2])


def test_gcj02_agrees_with_an_independent_package_to_the_last_digits():
    expected = np.array([oracle.wgs2gcj(x, y) for x, y in zip(LON, LAT, strict=True)]).T
    np.testing.assert_allclose(wgs84_to_gcj02(LON, LAT), expected, rtol=0, atol=1e-11)


def test_bd09_agrees_with_an_independent_package_to_the_last_digits():
    expected = np.array([oracle.wgs2bd(x, y) for x, y in zip(LON, LAT, strict=True)]).T
    np.testing.assert_allclose(wgs84_to_bd09(LON, LAT), expected, rtol=0, atol=1e-11)
    gcj = np.array([oracle.gcj2bd(x, y) for x, y in zip(LON, LAT, strict=True)]).T
    np.testing.assert_allclose(gcj02_to_bd09(LON, LAT), gcj, rtol=0, atol=1e-11)


def test_gcj02_agrees_with_a_second_package_within_its_other_radius():
    """It takes the WGS84 radius, 108 m shorter: 17 parts in a million of a shift of 0.6 km."""
    lat_lon = np.array([eviltransform.wgs2gcj(y, x) for x, y in zip(LON, LAT, strict=True)]).T
    assert _metres(wgs84_to_gcj02(LON, LAT), lat_lon[::-1]).max() < 0.03


def test_the_inverse_agrees_with_the_bisection_of_a_second_package():
    gcj = wgs84_to_gcj02(LON, LAT)
    lat_lon = np.array([eviltransform.gcj2wgs_exact(y, x) for x, y in zip(*gcj, strict=True)]).T
    assert _metres(gcj02_to_wgs84(*gcj), lat_lon[::-1]).max() < 0.5


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (wgs84_to_gcj02, gcj02_to_wgs84),
        (gcj02_to_bd09, bd09_to_gcj02),
        (wgs84_to_bd09, bd09_to_wgs84),
    ],
)
def test_there_and_back_is_within_a_micrometre(there, back):
    assert _metres(back(*there(LON, LAT)), (LON, LAT)).max() < 1e-6


def test_positions_outside_china_stay_where_they_are():
    lon, lat = np.array([24.94, -74.0, 9.5]), np.array([60.17, 40.7, 47.1])
    for convert in (wgs84_to_gcj02, gcj02_to_wgs84, gcj02_to_bd09, wgs84_to_bd09, bd09_to_wgs84):
        x, y = convert(lon, lat)
        np.testing.assert_array_equal(x, lon)
        np.testing.assert_array_equal(y, lat)


def test_inputs_are_not_changed_and_scalars_and_empty_arrays_are_fine():
    lon, lat = LON.copy(), LAT.copy()
    wgs84_to_gcj02(lon, lat)
    np.testing.assert_array_equal(lon, LON)
    x, y = gcj02_to_wgs84(113.1, 27.8)
    assert x.shape == y.shape == ()
    assert gcj02_to_wgs84([], [])[0].size == 0


def test_the_offset_at_the_six_places_is_as_measured():
    places = {
        "芦淞": (113.15, 27.79, 670),
        "虎林": (132.94, 45.76, 594),
        "华阳": (104.05, 30.5, 365),
    }
    for lon, lat, expected in places.values():
        offset = _metres(wgs84_to_gcj02(lon, lat), (lon, lat))
        assert abs(float(offset) - expected) < 15


def test_geometries_move_with_holes_and_parts_and_nulls_stay():
    ring = shapely.box(113.0, 27.0, 113.1, 27.1)
    hole = shapely.box(113.02, 27.02, 113.04, 27.04).exterior.coords
    both = shapely.MultiPolygon(
        [(ring.exterior.coords, [hole]), shapely.box(114.0, 27.0, 114.1, 27.1)]
    )
    moved = geometries_to_wgs84([both, None], "gcj02")
    assert moved[1] is None
    assert shapely.get_num_geometries(moved[0]) == 2
    assert shapely.get_num_interior_rings(shapely.get_geometry(moved[0], 0)) == 1
    assert not shapely.equals(moved[0], both)
    assert geometries_to_wgs84([both], "cgcs2000")[0] is both


def test_an_unknown_datum_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match="use one of wgs84, cgcs2000, gcj02, bd09"):
        geometries_to_wgs84([shapely.Point(113, 27)], "beijing54")
    assert require_datum("GCJ-02") == "gcj02"


def test_real_counties_land_on_the_independently_converted_pair(shared_data):
    folder = shared_data / "boundaries"
    raw = gpd.read_file(folder / "counties_gcj02_cnmaps.geojson").sort_values("adcode")
    expected = gpd.read_file(folder / "counties_wgs84_from_cnmaps.geojson").sort_values("adcode")
    ours = geometries_to_wgs84(raw.geometry.to_numpy(), "gcj02")
    theirs = expected.geometry.to_numpy()
    assert shapely.hausdorff_distance(ours, theirs).max() < 1e-8
    assert shapely.hausdorff_distance(raw.geometry.to_numpy(), theirs).min() > 3e-3
