"""The check of 176 planted defects beside GEOS, on the same cells in the same run.

Run with ``pytest tests/bench/test_bench_coverage.py --benchmark-only -s``.
"""

from __future__ import annotations

import statistics
import time

import pytest
import shapely
from bench.coverage_cases import coverage_case, score

from geogrid.coverage import verify_coverage

ROUNDS = 7


def seconds_in_turn(*jobs):
    """Medians of jobs that take turns, so that a busy machine slows all of them alike."""
    runs = [[] for _ in jobs]
    for _ in range(ROUNDS):
        for job, run in zip(jobs, runs, strict=True):
            start = time.perf_counter()
            job()
            run.append(time.perf_counter() - start)
    return [statistics.median(run) for run in runs]


@pytest.mark.parametrize("count", [10_000, 100_000])
@pytest.mark.timeout(900)
def test_planted_defects_beside_invalid_edges(benchmark, shared_data, count, capsys):
    case = coverage_case(shared_data, count)
    shapes, clean = case.cells.geometry.to_numpy(), case.clean.geometry.to_numpy()

    def ours():
        return verify_coverage(case.cells, case.limit)

    report = benchmark.pedantic(ours, rounds=1, warmup_rounds=1)
    own, peer, own_clean, peer_clean = seconds_in_turn(
        ours,
        lambda: shapely.coverage_invalid_edges(shapes, gap_width=0),
        lambda: verify_coverage(case.clean, case.limit),
        lambda: shapely.coverage_invalid_edges(clean, gap_width=0),
    )
    found, unrelated = score(report, case.planted)
    on_clean = verify_coverage(case.clean, case.limit)
    with capsys.disabled():
        print(
            f"\ncheck: {len(shapes)} cells, {found.sum()} of {len(found)} found with their kind, "
            f"{unrelated} of {len(report.defects)} unrelated, {len(on_clean.defects)} on the "
            f"clean set; planted {own:.3f} s, invalid edges {peer:.3f} s, {peer / own:.2f} times "
            f"faster; clean {own_clean:.3f} s, {peer_clean:.3f} s, {peer_clean / own_clean:.2f}"
        )
    assert on_clean.is_sound
    assert found.all()
    assert unrelated <= 0.01 * len(report.defects)
