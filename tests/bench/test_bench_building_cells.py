"""One cell a building in a small country beside momepy, on the same blocks in the same run.

Run with ``pytest tests/bench --benchmark-only -s``.
"""

from __future__ import annotations

import time
import warnings

import geopandas as gpd
import momepy
import pytest
import shapely
from bench.partition_cases import country

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage

ROUNDS = 3


@pytest.fixture(scope="module")
def case(shared_data):
    extract, limit = country(shared_data)
    buildings = extract.buildings[extract.buildings.representative_point().within(limit)]
    # One household in each, and one at most in a cell: every building gets its own.
    homes = gpd.GeoDataFrame(geometry=buildings.representative_point(), crs=buildings.crs)
    return limit, gpd.GeoSeries(extract.streets.geometry), buildings, homes


def test_building_cells_beside_momepy(benchmark, case, capsys):
    limit, streets, buildings, homes = case

    def ours():
        return build_atoms(
            limit,
            streets,
            households=homes,
            buildings=buildings,
            min_area_m2=0,
            max_households=1,
        )

    atoms = benchmark.pedantic(ours, rounds=ROUNDS, warmup_rounds=1)
    own = benchmark.stats.stats.median
    # The peer gets its blocks for nothing.
    blocks = build_atoms(limit, streets, min_area_m2=0).frame.set_crs(
        buildings.crs, allow_override=True
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = momepy.enclosed_tessellation(
            buildings[["geometry"]].reset_index(drop=True), blocks.geometry, n_jobs=1
        )
    other = time.perf_counter() - start
    report = verify_coverage(atoms.frame, atoms.limit)
    error = abs(atoms.frame.area.sum() - atoms.limit.area)
    peer = cells.reset_index(drop=True)
    torn = ~shapely.coverage_is_valid(peer.geometry.to_numpy())
    with capsys.disabled():
        print(
            f"\nbuilding cells: {len(buildings)} buildings -> {len(atoms.frame)} atoms; "
            f"build_atoms {own:.2f} s, momepy {other:.1f} s, {other / own:.1f} x as fast; "
            f"sound {report.is_sound}, |area - limit| {error:.1e} m², "
            f"{len(atoms.cut_buildings)} buildings cut; momepy: {len(peer)} cells, "
            f"coverage invalid {bool(torn)}, {(peer.geom_type != 'Polygon').sum()} multipart, "
            f"area error {abs(peer.area.sum() - limit.area):.0f} m²"
        )
    assert report.is_sound
    assert error < 1e-6
