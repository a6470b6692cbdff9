"""Balanced connected parts of real atoms beside METIS, on the same graph in the same run.

Run with ``pytest tests/bench/test_bench_partition.py --benchmark-only -s``. Building the atoms
takes a minute, so it is done once a session.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pandas as pd
import pymetis
import pytest
from bench.partition_cases import building_cells, capped, voronoi_cells

from geogrid.divide import partition_atoms
from geogrid.divide._kernels import compile_now
from geogrid.divide.report import measure_partition

ROUNDS = 2
# Atom set, parts, tolerance, share of parts inside it, compactness (mean Polsby-Popper).
CASES = [
    ("bldg", 50, 0.02, 1.0, 0.49),
    ("bcap", 300, 0.05, 0.997, 0.49),
    ("vor", 300, 0.015, 1.0, 0.57),
    ("vor", 2000, 0.025, 1.0, 0.59),
    ("bldg", 2000, 0.1, 0.0, 0.0),
]


@pytest.fixture(scope="session")
def atom_sets(shared_data):
    bldg = building_cells(shared_data)
    found = {"bldg": bldg, "bcap": capped(bldg), "vor": voronoi_cells(shared_data)}
    for atoms in found.values():
        assert len(atoms.graph.left)
    compile_now()
    return found


def median_seconds(job):
    """Return the median seconds on the clock and of the processor, which others do not slow."""
    clocks, processors, found = [], [], None
    for _ in range(ROUNDS):
        start, busy = time.perf_counter(), time.process_time()
        found = job()
        clocks.append(time.perf_counter() - start)
        processors.append(time.process_time() - busy)
    return (statistics.median(clocks), statistics.median(processors)), found


def metis(atoms, parts):
    graph = atoms.graph
    ends = np.concatenate((graph.left, graph.right))
    others = np.concatenate((graph.right, graph.left))
    order = np.lexsort((others, ends))
    starts = np.concatenate(([0], np.cumsum(np.bincount(ends, minlength=graph.n))))
    lengths = np.maximum(np.rint(np.tile(graph.shared_m, 2)[order]), 1).astype(int)
    csr = pymetis.CSRAdjacency(adj_starts=starts, adjacent=others[order])
    weights = atoms.frame["households"].to_numpy().tolist()

    def peer():
        return pymetis.part_graph(
            parts,
            csr,
            vweights=weights,
            eweights=lengths.tolist(),
            options=pymetis.Options(contig=1, ufactor=50),
        )[1]

    return peer


def line(report, seconds):
    held = report.households.to_numpy()
    off = held * len(held) / held.sum() - 1
    return (
        f"{seconds[0]:6.2f} s (processor {seconds[1]:.2f} s), "
        f"{(held > 0).sum()} parts with households, "
        f"{report.components - report.parts} extra, "
        f"deviation {off.min():+.2%} to {off.max():+.2%}, "
        f"{report.in_band:.2%} inside, compactness {report.compactness:.3f}"
    )


@pytest.mark.parametrize(("name", "parts", "tolerance", "inside", "compactness"), CASES)
def test_parts_beside_metis(
    benchmark, atom_sets, capsys, name, parts, tolerance, inside, compactness
):
    atoms = atom_sets[name]

    def ours():
        return partition_atoms(atoms, parts=parts, tolerance=tolerance)

    own, partition = benchmark.pedantic(median_seconds, args=(ours,), rounds=1)
    report = partition.report
    with capsys.disabled():
        print(f"\n{name} k={parts} ({len(atoms.frame)} atoms)\n  geogrid {line(report, own)}")
        if report.floor_atom is not None:
            print(f"  floor {report.floor:+.0%}: atom {report.floor_atom}")
        try:
            other, labels = median_seconds(metis(atoms, parts))
        except RuntimeError as error:
            print(f"  METIS gave up: {error}")
        else:
            # METIS may leave parts out; the rest are numbered on, so that they can be measured.
            numbers = np.unique(labels, return_inverse=True)[1]
            there = pd.Series(numbers, index=atoms.frame["atom_id"].to_numpy())
            peer = measure_partition(atoms, there, tolerance=tolerance)
            print(f"  METIS   {line(peer, other)}; time ratio {own[1] / other[1]:.1f}")
    assert report.parts == report.components == parts
    assert (report.households > 0).all()
    assert report.in_band >= inside
    assert report.compactness >= compactness
