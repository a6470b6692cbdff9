"""GDAL opens the standard interface, as QGIS and many others do."""

from __future__ import annotations

import json
import subprocess
import sys

import geopandas as gpd
import pyogrio
import pytest
from api_service import service
from map_plans import CRS_ZHUZHOU, X0, Y0, make_plan, make_reach, make_stations
from ogc_service import listening
from shapely.geometry import Point

from geogrid.io.plan_file import write_plan

# GDAL waits for the answer with Python's lock in its hand, so it needs a process of its own.
CLIENT = """
import json, sys, pyogrio
address, folder, readings = sys.argv[1:]
for name, (layer, crs, box) in json.loads(readings).items():
    options = {"CRS": crs} if crs else {}
    box = tuple(box) if box else None
    found = pyogrio.read_dataframe("OAPIF:" + address, layer=layer, bbox=box, **options)
    found.to_file(f"{folder}/{name}.gpkg", driver="GPKG")
"""
SYSTEMS = {code: f"EPSG:{code}" for code in ("4326", "3857", "4490", "4547")} | {
    "84": "OGC:CRS84"
}  # fmt: skip
pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def plan():
    return make_plan(slant=1)


@pytest.fixture(scope="module")
def read(plan, tmp_path_factory):
    """What GDAL made of the answers, by name."""
    folder = tmp_path_factory.mktemp("ogc")
    path = write_plan(
        plan, folder / "plan.gpkg", reach=make_reach(plan, unserved={}, near={"a00": 40}),
        stations=make_stations(),
    )  # fmt: skip
    at = gpd.GeoSeries([Point(X0 + 50, Y0 + 20)], crs=CRS_ZHUZHOU).to_crs(4326).total_bounds
    readings = {name: ("wei", crs, None) for name, crs in SYSTEMS.items()} | {
        "box": ("wei", "OGC:CRS84", at.tolist()),
        "stations": ("stations", "", None),
        "circles": ("circles", "", None),
    }
    with service(path, folder) as one, listening(one.app) as base:
        words = [f"{base}/ogc/{one.plan}", str(folder), json.dumps(readings)]
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, *words],
            check=False, timeout=120, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {name: pyogrio.read_dataframe(folder / f"{name}.gpkg") for name in readings}


@pytest.mark.parametrize("name", SYSTEMS)
def test_gdal_finds_each_cell_in_its_place_in_every_system(plan, read, name):
    assert len(read[name]) == 16
    held = plan.cells("wei").set_index("code").geometry
    back = read[name].set_index("code").geometry.to_crs(plan.district.crs)
    # Degrees are given to a centimetre.
    held = held.reindex(back.index)
    assert (back.symmetric_difference(held).area / held.area).max() < 1e-3


def test_gdal_gets_the_very_borders_in_the_system_of_the_plan(plan, read):
    shapes = read["4547"].set_index("code").geometry
    held = plan.cells("wei").set_index("code").geometry.reindex(shapes.index)
    assert shapes.normalize().geom_equals(held.normalize()).all()


def test_gdal_asks_by_box(read):
    assert read["box"]["code"].tolist() == ["43020101"]


def test_gdal_reads_stations_and_circles(read):
    assert set(read["stations"].geom_type) == {"Point"}
    assert len(read["circles"]) == 4
