"""Blocks of a small country beside shapely's own noding, on the same lines in the same run.

Run with ``pytest tests/bench --benchmark-only -s``.
"""

from __future__ import annotations

import statistics
import time

import geopandas as gpd
import pytest
import shapely

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage
from geogrid.osm import read_osm
from geogrid.planar.lattice import snap
from geogrid.planar.noding import as_multipolygon

ROUNDS = 7


def median_seconds(job):
    runs = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        job()
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


@pytest.fixture(scope="module")
def streets(shared_data):
    extract = read_osm(shared_data / "osm" / "liechtenstein.osm.pbf")
    country = extract.limits[extract.limits["name"] == "Liechtenstein"].geometry.iloc[0]
    return as_multipolygon(snap(country)), gpd.GeoSeries(extract.streets.geometry)


def test_blocks_beside_union_all_and_polygonize(benchmark, streets, capsys):
    limit, lines = streets
    bare = lines.to_numpy()

    def peer():
        noded = shapely.union_all([*bare, limit.boundary], grid_size=0.001)
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([noded])))
        return faces[shapely.contains(limit, shapely.point_on_surface(faces))]

    def ours():
        return build_atoms(limit, lines, min_area_m2=0)

    atoms = benchmark.pedantic(ours, rounds=ROUNDS, warmup_rounds=1)
    own, other = median_seconds(ours), median_seconds(peer)
    error = abs(atoms.frame.area.sum() - atoms.limit.area)
    report = verify_coverage(atoms.frame, atoms.limit)
    with capsys.disabled():
        print(
            f"\nblocks: {len(bare)} lines -> {len(atoms.frame)} atoms; build_atoms {own:.3f} s, "
            f"union_all + polygonize {other:.3f} s, ratio {own / other:.2f}; "
            f"proven {report.is_proven}, |area - limit| {error:.1e} m²"
        )
    assert report.is_proven
    assert error < 1e-6
