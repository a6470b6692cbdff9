"""What the counts of two versions tell that neither of them tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from api_service import service
from hypothesis import given
from hypothesis import strategies as st
from map_plans import make_plan

from geogrid.api.settled import settled
from geogrid.api.subtraction import told_by_subtraction
from geogrid.api.view import PlanView
from geogrid.io.plan_file import PlanExtras, write_plan
from geogrid.vocabulary import PlanState

HOUSEHOLDS = np.array([[40, 7, 60, 90], [50, 20, 50, 40], [30, 80, 200, 400], [90, 12, 300, 500]])


def view_of(plan):
    return PlanView(plan, PlanExtras())


def moved(plan, **cells):
    """Give atoms to other cells of the finest level; a cell without atoms is no more."""
    labels = plan.labels.copy()
    for atom, code in cells.items():
        labels.loc[atom, "wei"] = code
    kept = set(labels["wei"]) | set(labels["zong"])
    table = plan.cell_table[plan.cell_table.index.isin(kept)]
    return replace(plan, labels=labels, cell_table=table, certificate=None)


@pytest.fixture
def plan():
    """Eight cells of two atoms side by side; one atom of the first cell has 7 households."""
    made = make_plan(households=HOUSEHOLDS)
    pairs = {
        f"a{column}{row}": made.labels.loc[f"a{column - column % 2}{row}", "wei"]
        for row in range(4)
        for column in range(4)
    }
    return moved(made, **pairs)


def code_of(plan, atom):
    return plan.labels.loc[atom, "wei"]


def test_a_version_and_itself_tell_nothing(plan):
    assert told_by_subtraction(view_of(plan), view_of(plan)) == 0


def test_a_small_atom_that_changes_its_cell_is_told(plan):
    after = moved(plan, a10=code_of(plan, "a01"))
    assert told_by_subtraction(view_of(plan), view_of(after)) == 1
    # And back again.
    assert told_by_subtraction(view_of(after), view_of(plan)) == 1


def test_a_large_atom_that_changes_its_cell_is_no_secret(plan):
    after = moved(plan, a11=code_of(plan, "a00"))
    assert told_by_subtraction(view_of(plan), view_of(after)) == 0


def test_two_cells_that_give_each_other_something_hide_how_much(plan):
    after = moved(plan, a10=code_of(plan, "a01"), a11=code_of(plan, "a00"))
    assert told_by_subtraction(view_of(plan), view_of(after)) == 0


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12, unique=True)
)
def test_what_is_settled_follows_from_the_sums_of_the_cells(pairs):
    groups = {at: [(True, str(a)), (False, str(b))] for at, (a, b) in enumerate(pairs)}
    cells = sorted({cell for ends in groups.values() for cell in ends})
    sums = np.array([[cell in ends for ends in groups.values()] for cell in cells], dtype=float)
    rank = np.linalg.matrix_rank(sums)
    for group in settled(groups):
        alone = np.zeros(len(groups))
        alone[group] = 1
        # A group that sums settle is one of their combinations.
        assert np.linalg.matrix_rank(np.vstack([sums, alone])) == rank


def test_whoever_publishes_is_told_what_the_public_could_subtract(plan, tmp_path):
    path = write_plan(plan, tmp_path / "plan.gpkg")
    with service(path, tmp_path, shows_drafts=False) as made:
        first = made.head
        for state in (PlanState.SUBMITTED, PlanState.REVIEWED):
            made.store.advance(first, state, actor="x")
        made.store.advance(first, PlanState.IN_FORCE, actor="x", effective_from=date(2020, 1, 1))
        planner = made.program("planner", ("planner", ""))
        reviewer = made.program("reviewer", ("reviewer", ""))
        target = code_of(plan, "a01")
        answer = made.edit(planner, command="paint", level="wei", target=target, atoms=["a10"])
        assert answer.status_code == 200, answer.text
        today = str(made.store.database.moment().date())
        assert made.write(planner, "POST", "state", {"to": "submitted"}).status_code == 200
        # What goes no further tells nobody anything.
        assert made.write(reviewer, "POST", "state", {"to": "draft"}).json()["notes"] == []
        steps = (
            (planner, {"to": "submitted"}), (reviewer, {"to": "reviewed"}),
            (reviewer, {"to": "in_force", "effective_from": today, "supersede": True}),
        )  # fmt: skip
        for client, body in steps:
            answer = made.write(client, "POST", "state", body)
            assert answer.status_code == 200, answer.text
            (note,) = answer.json()["notes"]
            assert "至少可得出1处" in note
