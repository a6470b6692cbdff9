"""States: the allowed steps, one version in force a day, and who took each step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from store_plans import moved, square_plan

from geogrid.errors import NotStoredError, StateError
from geogrid.vocabulary import PlanState

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


@pytest.fixture
def versions(store, plan_id):
    plan = square_plan()
    made = [store.commit(plan_id, "main", None, plan, author="甲", message="")]
    for row in (9, 30):
        after = moved(store.read(made[-1].id), row)
        made.append(store.commit(plan_id, "main", made[-1].id, after, author="甲", message=""))
    return [one.id for one in made]


def review(store, *versions):
    for version in versions:
        store.advance(version, PlanState.SUBMITTED, actor="甲")
        store.advance(version, PlanState.REVIEWED, actor="乙")


def test_a_version_goes_from_draft_to_force_to_the_archive(store, versions):
    version = versions[0]
    assert store.standing(version).state.label_zh == "草案"
    review(store, version)
    standing = store.advance(version, PlanState.IN_FORCE, actor="丙", effective_from=MAY)
    assert (standing.state.label_zh, standing.effective_from) == ("生效", "2026-05-01")
    assert standing.changed_by == "丙"
    ended = store.advance(version, PlanState.ARCHIVED, actor="丙", effective_to=JULY)
    assert (ended.state.label_zh, ended.effective_to) == ("归档", "2026-07-01")
    steps = [one for one in store.audit.entries(subject=version) if one.action == "change state"]
    assert [(one.actor, one.details["from"], one.details["to"]) for one in steps] == [
        ("甲", "draft", "submitted"),
        ("乙", "submitted", "reviewed"),
        ("丙", "reviewed", "in_force"),
        ("丙", "in_force", "archived"),
    ]


ALLOWED = {
    ("draft", "submitted"), ("submitted", "reviewed"), ("submitted", "draft"),
    ("reviewed", "in_force"), ("reviewed", "draft"), ("in_force", "archived"),
}  # fmt: skip
PATH = [PlanState.SUBMITTED, PlanState.REVIEWED, PlanState.IN_FORCE, PlanState.ARCHIVED]


def test_only_the_allowed_steps_are_taken(store, plan_id):
    plan = square_plan()
    head = None
    for at in range(len(PATH) + 1):
        for wanted in PlanState:
            version = store.commit(plan_id, "main", head, plan, author="甲", message="")
            head = version.id
            first = date(2027 + at, list(PlanState).index(wanted) + 1, 1)
            last = first.replace(day=2)
            days = {"effective_from": first, "effective_to": last}
            for step in PATH[:at]:
                store.advance(version.id, step, actor="甲", **days)
            now = store.standing(version.id).state
            if (now.value, wanted.value) in ALLOWED:
                if now is not PlanState.REVIEWED:
                    days = {}
                assert store.advance(version.id, wanted, actor="甲", **days).state is wanted
            else:
                with pytest.raises(StateError, match=now.label_zh):
                    store.advance(version.id, wanted, actor="甲")


def test_two_versions_are_never_in_force_on_one_day(store, versions):
    project = store.projects()[0].id
    review(store, *versions)
    first, second, third = versions
    store.advance(first, PlanState.IN_FORCE, actor="丙", effective_from=MAY, effective_to=JULY)
    with pytest.raises(StateError, match=f"{first} is in force from 2026-05-01 to 2026-07-01"):
        store.advance(second, PlanState.IN_FORCE, actor="丙", effective_from=JUNE)
    with pytest.raises(StateError, match="in force from"):
        store.advance(
            second, PlanState.IN_FORCE, actor="丙",
            effective_from=date(2026, 4, 1), effective_to=date(2026, 5, 2),
        )  # fmt: skip
    store.advance(second, PlanState.IN_FORCE, actor="丙", effective_from=JULY)
    store.advance(
        third, PlanState.IN_FORCE, actor="丙", effective_from=date(2026, 9, 1), supersede=True
    )
    assert store.standing(second).effective_to == "2026-09-01"
    days = [date(2026, 4, 30), MAY, date(2026, 6, 30), JULY, date(2026, 8, 31), date(2026, 9, 1)]
    found = [store.in_force(project, day) for day in days]
    assert [one and one.version_id for one in found] == [None, first, first, second, second, third]
    assert "supersede" in [one.action for one in store.audit.entries(subject=second)]


def test_of_two_at_the_same_time_one_comes_into_force(store, versions):
    review(store, *versions)

    def enter(version):
        try:
            store.advance(version, PlanState.IN_FORCE, actor="丙", effective_from=MAY)
        except StateError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(enter, versions)) == 1


def test_an_archived_version_was_in_force_and_one_that_never_began_was_not(store, versions):
    project = store.projects()[0].id
    first, second, _ = versions
    review(store, first, second)
    store.advance(first, PlanState.IN_FORCE, actor="丙", effective_from=MAY)
    store.advance(first, PlanState.ARCHIVED, actor="丙", effective_to=JUNE)
    assert store.in_force(project, MAY).version_id == first
    assert store.in_force(project, JUNE) is None
    store.advance(second, PlanState.IN_FORCE, actor="丙", effective_from=JULY)
    store.advance(second, PlanState.ARCHIVED, actor="丙", effective_to=JUNE)
    assert store.in_force(project, JULY) is None


@pytest.mark.parametrize(
    ("days", "words"), [({}, "give effective_from"),
                        ({"effective_from": JUNE, "effective_to": MAY}, "swap the dates")],
)  # fmt: skip
def test_days_that_make_no_sense_are_refused(store, versions, days, words):
    review(store, versions[0])
    with pytest.raises(StateError, match=words):
        store.advance(versions[0], PlanState.IN_FORCE, actor="丙", **days)
    assert store.standing(versions[0]).state is PlanState.REVIEWED


def test_a_version_that_is_not_proven_goes_nowhere(store, plan_id):
    plan = square_plan()
    codes = plan.labels["micro"].to_numpy(object).copy()
    codes[4] = codes[3]
    labels = plan.labels.assign(micro=pd.Series(codes, index=plan.labels.index, dtype="str"))
    broken = replace(plan, labels=labels)
    made = store.commit(plan_id, "main", None, broken, author="甲", message="", allow_draft=True)
    with pytest.raises(StateError, match="1 open defects"):
        store.advance(made.id, PlanState.SUBMITTED, actor="甲")
    with pytest.raises(NotStoredError):
        store.standing("nothing")
