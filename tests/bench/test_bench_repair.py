"""Repair beside ``shapely.coverage_clean``, on the same cells in the same run.

Run with ``pytest tests/bench/test_bench_repair.py --benchmark-only -s``. The coverages are Voronoi
cells of a real county with 176 planted defects; the real cases are a division of the same county
written in degrees with six decimals and read back.
"""

from __future__ import annotations

import statistics
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from bench.coverage_cases import clean_coverage, coverage_case, limit_of

from geogrid.coverage import verify_coverage
from geogrid.repair import repair_coverage

ROUNDS = {10_000: 7, 100_000: 3}
KEPT = {"duplicate", "nested"}


def median_seconds(jobs, rounds):
    """Time jobs in turn, so that a busy machine slows all of them."""
    runs = [[] for _ in jobs]
    for _ in range(rounds):
        for job, times in zip(jobs, runs, strict=True):
            start = time.perf_counter()
            job()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in runs]


def bits(frame):
    return shapely.to_wkb(frame.geometry.to_numpy())


def changed_away(case, after):
    """Count changed cells that touch no defect that was planted or that the check finds."""
    before = case.cells
    changed = np.flatnonzero(bits(before) != bits(after))
    found = verify_coverage(before, case.limit).defects.geometry.to_numpy()
    places = np.concatenate((found, case.planted.geometry.to_numpy()))
    shapes = before.geometry.to_numpy()[changed]
    near = shapely.STRtree(places).query(shapes, predicate="dwithin", distance=0.005)[0]
    return len(changed), len(changed) - len(np.unique(near))


def left_m2(cells, limit):
    """Gap and overshoot by an overlay that shares no code with the repair."""
    united = shapely.union_all(cells.geometry.to_numpy())
    return limit.difference(united).area, united.difference(limit).area


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_repair_of_planted_defects_beside_coverage_clean(benchmark, shared_data, count, capsys):
    case = coverage_case(shared_data, count)
    shapes = case.cells.geometry.to_numpy()

    def ours():
        return repair_coverage(case.cells, case.limit)

    repair = benchmark.pedantic(ours, rounds=1, warmup_rounds=1)
    peers = lambda: shapely.coverage_clean(shapes)  # noqa: E731 - the peer's whole call
    own, peer = median_seconds((ours, peers), ROUNDS[count])
    cleaned = gpd.GeoDataFrame(geometry=shapely.coverage_clean(shapes))
    lost = int(shapely.is_empty(cleaned.geometry.to_numpy()).sum())
    again = repair_coverage(repair.cells, case.limit)
    changed, away = changed_away(case, repair.cells)
    gap, beyond = left_m2(repair.cells, case.limit)
    peer_gap, peer_beyond = left_m2(cleaned, case.limit)
    kept = repair.cells[~repair.cells["code"].str.startswith("new")]
    report = verify_coverage(kept, case.limit)
    with capsys.disabled():
        print(
            f"\nrepair {len(shapes)} cells: {own:.3f} s, coverage_clean {peer:.3f} s, "
            f"ratio {own / peer:.2f}; left {gap:.1e} m² gap, {beyond:.1e} m² overshoot "
            f"(coverage_clean {peer_gap:.0f}, {peer_beyond:.0f}); "
            f"0 of {len(shapes)} grids lost (coverage_clean {lost}); {changed} cells changed, "
            f"{away} of them at no defect; conflicts "
            f"{repair.conflicts['kind'].value_counts().to_dict()}; "
            f"the rest sound: {report.is_sound}; changes by a second repair: {len(again.changes)}"
        )
    assert not repair.cells.is_empty.any()
    assert set(repair.report.defects["kind"]) == KEPT
    assert report.is_sound
    assert away == 0
    assert again.changes.empty
    assert (bits(again.cells) == bits(repair.cells)).all()
    untouched = repair_coverage(case.clean, case.limit)
    assert (bits(untouched.cells) == bits(case.clean)).all()


@pytest.mark.parametrize("decimals", [6, 7])
def test_a_plan_written_in_rounded_degrees_and_read_back(benchmark, shared_data, decimals, capsys):
    limit, crs = limit_of(shared_data)
    clean, noded = clean_coverage(limit, crs, 2_000)
    degrees = clean.to_crs(4326).geometry.to_numpy()
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, decimals))
    back = gpd.GeoDataFrame({"code": clean["code"]}, geometry=rounded, crs=4326).to_crs(crs)
    before = verify_coverage(back, noded)
    repair = benchmark.pedantic(lambda: repair_coverage(back, noded), rounds=1)
    overlap = shapely.area(
        shapely.intersection(clean.geometry.to_numpy(), repair.cells.geometry.to_numpy())
    )
    with capsys.disabled():
        print(
            f"\n{decimals} decimals: {len(back)} cells, {len(before.defects)} defects before "
            f"({before.defects['kind'].value_counts().to_dict()}), "
            f"{len(repair.report.defects)} after, proven {repair.report.is_proven}; "
            f"changes {repair.changes['what'].value_counts().to_dict()}; "
            f"ground kept {overlap.sum() / clean.area.sum():.6%}"
        )
    assert repair.report.is_sound
    assert repair.conflicts.empty
    assert repair_coverage(repair.cells, noded).changes.empty
