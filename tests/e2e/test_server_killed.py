"""A server that is killed while people edit has every answered edit when it starts again."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
from serve_cases import (
    edit_until_killed,
    ended,
    first_answer,
    planner_keys,
    run,
    started,
    what_is_left,
)
from store_plans import square_plan

from geogrid.api import import_plan
from geogrid.io.plan_file import write_plan
from geogrid.store import open_store

pytestmark = [pytest.mark.network, pytest.mark.slow]

ROUNDS, PLANNERS = 5, 3


def commands_of(number):
    """Commands that one program repeats in cells that are its own: an atom goes and comes back."""
    cells = [f"00010{column}0{4 + number}" for column in range(2)]
    away = {
        "command": "paint",
        "level": "micro",
        "target": cells[0],
        "atoms": [f"a020{4 + number}"],
    }
    names = [
        {"command": "rename", "level": "micro", "cell": cells[0], "name": f"第{name}格"}
        for name in range(50)
    ]
    return [away, *names, away | {"target": cells[1]}]


@pytest.mark.timeout(240)
def test_a_killed_server_keeps_every_answered_edit_and_no_half_one(tmp_path, capsys):
    file = write_plan(square_plan(), tmp_path / "plan.gpkg")
    address = tmp_path / "store.sqlite"
    with open_store(address) as store:
        plan = import_plan(store, file)
        planners = [(key, commands_of(at)) for at, key in enumerate(planner_keys(store, PLANNERS))]
    command = [sys.executable, "-m", "geogrid", "serve", "--store", str(address), "--port", "0",
               "--json"]  # fmt: skip
    rng = np.random.default_rng(5)
    answered, sent, restarts = set(), 0, []
    for _ in range(ROUNDS):
        since = time.perf_counter()
        running = started(command)
        try:
            restarts.append(run(first_answer(running.place, f"/api/v1/plans/{plan}", since=since)))
            edits = edit_until_killed(running, plan, planners, rng.uniform(0.3, 1.2))
        finally:
            ended(running)
        assert not [one.refused for one in edits if one.refused]
        answered |= {version for one in edits for version in one.stored}
        sent += sum(one.sent for one in edits)
        with open_store(address) as store:
            left = what_is_left(store, plan, answered, newest=3)
        assert (left.lost, left.half) == ([], [])
    with open_store(address) as store:
        left = what_is_left(store, plan, answered)
    assert (left.lost, left.half) == ([], [])
    assert left.versions > len(answered) > ROUNDS
    with capsys.disabled():
        print(
            f"\n{ROUNDS} kills: {sent} edits sent, {len(answered)} answered, {left.versions - 1} "
            f"stored, answers after a restart within {max(restarts):.2f} s"
        )
