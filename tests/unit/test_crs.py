"""The one metric frame of a district."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely import Point

from geogrid.errors import CrsError
from geogrid.planar.crs import district_crs, is_in_china, require_metric, to_metric


@pytest.mark.parametrize(
    ("place", "lon", "lat", "epsg"),
    [
        ("芦淞", 113.15, 27.83, 4547),
        ("广昌", 116.33, 26.84, 4548),
        ("浏阳", 113.64, 28.16, 4547),
        ("虎林", 132.97, 45.76, 4553),
        ("华阳", 104.06, 30.50, 4544),
        ("喀什", 75.99, 39.47, 4534),
        ("Helsinki", 24.94, 60.17, 32635),
        ("Vaduz", 9.52, 47.14, 32632),
        ("Seoul", 126.98, 37.57, 32652),
        ("Ulaanbaatar", 106.91, 47.92, 32648),
        ("Hanoi", 105.85, 21.03, 32648),
        ("Sydney", 151.2, -33.9, 32756),
    ],
)
def test_each_place_gets_its_own_zone(place, lon, lat, epsg):
    assert district_crs(lon, lat).to_epsg() == epsg, place


@pytest.mark.parametrize("city", [(116.4, 39.9), (87.6, 43.8), (91.1, 29.6), (110.3, 20.0)])
def test_chinese_cities_lie_in_china(city):
    assert is_in_china(*city)


def test_a_place_off_the_globe_is_refused():
    with pytest.raises(CrsError, match="check the coordinate system"):
        district_crs(500_000, 3_000_000)


def test_web_mercator_is_not_metric():
    frame = gpd.GeoDataFrame(geometry=[Point(1.26e7, 3.2e6)], crs=3857)
    with pytest.raises(CrsError, match="true metres"):
        require_metric(frame)
    assert to_metric(frame).crs.to_epsg() == 4547


def test_degrees_are_refused_where_metres_are_needed():
    with pytest.raises(CrsError):
        require_metric(gpd.GeoDataFrame(geometry=[Point(113, 27)], crs=4490))


def test_a_layer_without_a_system_says_so():
    with pytest.raises(CrsError, match="no coordinate system"):
        to_metric(gpd.GeoDataFrame(geometry=[Point(1, 1)]))
