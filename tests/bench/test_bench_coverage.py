"""The check of 176 planted defects beside GEOS, on the same cells in the same run.

Run with ``pytest tests/bench/test_bench_coverage.py --benchmark-only -s``.
"""

from __future__ import annotations

import json
import pickle
import statistics
import subprocess
import sys
import time

import pytest
import shapely
from bench.coverage_cases import big_coverage, coverage_case, planted_case, score

from geogrid.coverage import verify_coverage

ROUNDS = 7
MILLION = 1_000_000
# A process of its own tells what the check takes beside the cells that it is given.
PEAK = """
import json, pickle, resource, sys, time
from geogrid.coverage import verify_coverage
cells, limit = pickle.load(open(sys.argv[1], "rb"))
gib = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
given = gib()
start = time.perf_counter()
report = verify_coverage(cells, limit, limit_is_noded=True)
seconds = time.perf_counter() - start
print(json.dumps({"s": seconds, "given": given, "peak": gib(), "sound": report.is_sound}))
"""


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


def in_a_process(cells, limit, folder):
    """Seconds and peak GiB of one check in a fresh process."""
    path = folder / "cells.pickle"
    path.write_bytes(pickle.dumps((cells, limit)))
    answer = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
    )
    path.unlink()
    return json.loads(answer.stdout)


@pytest.mark.parametrize("count", [300_000, MILLION])
@pytest.mark.timeout(1800)
def test_a_million_cells_fit_into_an_ordinary_machine(benchmark, tmp_path, count, capsys):
    clean, limit = big_coverage(count)
    case = planted_case(clean, limit)
    alone = in_a_process(clean, limit, tmp_path)
    broken = in_a_process(case.cells, case.limit, tmp_path)
    report = benchmark.pedantic(
        lambda: verify_coverage(case.cells, case.limit, limit_is_noded=True), rounds=1
    )
    found, unrelated = score(report, case.planted)
    with capsys.disabled():
        print(
            f"\ncheck: {len(clean)} Voronoi cells; clean {alone['s']:.2f} s, "
            f"{alone['peak']:.2f} GiB ({alone['given']:.2f} of it the cells); planted "
            f"{broken['s']:.2f} s, {broken['peak']:.2f} GiB; {found.sum()} of {len(found)} found "
            f"with their kind, {unrelated} of {len(report.defects)} unrelated"
        )
    assert alone["sound"]
    assert not broken["sound"]
    assert found.all()
    assert unrelated <= 0.01 * len(report.defects)
