"""Edits of plans of 2,000 and 32,000 cells: all of an edit, with its proof, against its budget.

Run with ``pytest tests/bench/test_bench_edit.py --benchmark-only -s``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from edit_plans import blocks, code_at

from geogrid.coverage import verify_plan
from geogrid.edit import Merge, MoveVertex, Paint, Rename, Split, apply, live_counts

SIDES = {"2k": 90, "32k": 362}
STEP = 100


@pytest.fixture(scope="module", params=sorted(SIDES))
def plan(request):
    """A lattice of squares, four to a finest cell, proven and edited once."""
    side = SIDES[request.param]
    base = blocks(side, side, (side, 20, 2))
    base = replace(base, certificate=verify_plan(base).certificate)
    code = code_at(base, "wei", 0, 0)
    return apply(base, Paint(level="wei", target=code, atoms=("a002-000",))).plan


def commands(plan):
    """One command of each kind, in the middle of the plan."""
    middle = round(len(plan.atoms.frame) ** 0.5) // 40 * 20
    here, right = (code_at(plan, "wei", middle + more, middle) for more in (0, 2))
    upper = code_at(plan, "wangge", middle, middle), code_at(plan, "wangge", middle - 1, middle)
    low = middle * STEP
    return {
        "paint": Paint(level="wei", target=here, atoms=(f"a{middle + 2:03d}-{middle:03d}",)),
        "paint_across": Paint(level="wei", target=here, atoms=(f"a{middle - 1:03d}-{middle:03d}",)),
        "merge": Merge(level="wei", cells=(here, right)),
        "merge_upper": Merge(level="wangge", cells=upper),
        "split": Split(
            level="wei", cell=here, line=((low - 50, low + 120), (low + 250, low + 70))
        ),
        "move_vertex": MoveVertex(at=(low, low), to=(low + 20, low + 30)),
        "rename": Rename(level="wei", cell=here, name="和平里"),
    }  # fmt: skip


KINDS = ["paint", "paint_across", "merge", "merge_upper", "split", "move_vertex", "rename"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_with_its_proof(benchmark, plan, kind):
    command = commands(plan)[kind]
    edit = benchmark.pedantic(apply, args=(plan, command), rounds=7, warmup_rounds=1)
    assert edit.certificate.is_proof


@pytest.mark.parametrize("kind", ["paint", "split"])
def test_counts_while_dragging(benchmark, plan, kind):
    command = commands(plan)[kind]
    table = benchmark.pedantic(live_counts, args=(plan, command), rounds=7, warmup_rounds=1)
    assert table["before"].sum() == table["after"].sum()
