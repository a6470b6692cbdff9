"""Edits of lists of households: the levels below what is official."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from edit_plans import LISTED, blocks, require_lists, with_lists

from geogrid.coverage import verify_plan
from geogrid.edit import (
    AssignKind,
    Create,
    Locks,
    Merge,
    MoveRun,
    MoveVertex,
    Paint,
    Rename,
    Split,
    apply,
    changed_lists,
    live_counts,
    merge_edits,
)
from geogrid.errors import EditError

# Every area level is official, as where only households are divided.
OFFICIAL = replace(
    LISTED,
    levels=tuple(
        replace(one, locked=one.key in {"pian", "wangge", "wei"}) for one in LISTED.levels
    ),
)
PLAN = replace(with_lists(blocks(8, 8, households=2), size=3), scheme=OFFICIAL)
CELL, OTHER = PLAN.cells("wei")["code"].iloc[:2]


def lists_in(plan, key, cell):
    """Return the lists of a level in a cell, by code."""
    rows = plan.rosters[key]
    place = plan.leaf.reindex(rows["atom_id"]).to_numpy()
    return sorted(set(rows["code"][place == cell]))


def homes_in(plan, key, code):
    rows = plan.rosters[key]
    return tuple(rows["household_id"][rows["code"] == code])


def require_sound(edit, base=PLAN):
    require_lists(edit.plan, base)
    report = verify_plan(replace(edit.plan, certificate=None))
    assert report.is_proven
    told = [one.digest for one in edit.certificate.levels]
    assert told == [one.digest for one in report.certificate.levels]
    assert edit.plan.labels is base.labels


def test_households_move_between_lists_of_an_official_cell():
    one, two = lists_in(PLAN, "zu", CELL)[:2]
    moved = homes_in(PLAN, "zu", two)[:1]
    command = Paint(level="zu", target=one, households=moved, within_parent=True)
    edit = apply(PLAN, command)
    require_sound(edit)
    assert moved[0] in homes_in(edit.plan, "zu", one)
    change = edit.change.level("zu")
    assert change.households_moved == 1
    counts = {cell.code: (cell.before, cell.after) for cell in change.cells}
    assert counts == {one: (3, 4), two: (3, 2)}
    told = live_counts(PLAN, command).query("level == 'zu'").set_index("code")
    assert {code: (row.before, row.after) for code, row in told.iterrows()} == counts
    assert CELL in edit.change.reached["wei"]
    assert changed_lists(PLAN, edit.plan)["zu"] == {one, two}
    assert apply(edit.plan, command).plan is edit.plan


def test_households_of_another_official_cell_are_refused_by_its_name():
    target = lists_in(PLAN, "zu", CELL)[0]
    stranger = homes_in(PLAN, "zu", lists_in(PLAN, "zu", OTHER)[0])[0]
    theirs = lists_in(PLAN, "zu", OTHER)[0]
    for command in (
        Paint(level="zu", target=target, households=(stranger,)),
        Merge(level="zu", cells=(target, theirs)),
        Create(level="zu", households=(stranger, *homes_in(PLAN, "zu", target)[:1])),
    ):
        with pytest.raises(EditError, match="is official") as refused:
            apply(PLAN, command)
        assert set(refused.value.cells) == {("wei", CELL), ("wei", OTHER)}
        assert "不能把" in str(refused.value)


def test_lists_are_merged_made_and_named_below_official_cells():
    one, two = lists_in(PLAN, "zu", CELL)[:2]
    merged = apply(PLAN, Merge(level="zu", cells=(one, two), into=one))
    require_sound(merged)
    assert merged.change.level("zu").retired == (two,)
    history = merged.plan.code_history.set_index("code")
    assert history.loc[two, "successors"] == one
    made = apply(PLAN, Create(level="zu", households=homes_in(PLAN, "zu", two)[:2], name="东苑"))
    require_sound(made)
    (code,) = made.change.level("zu").new
    assert made.plan.cell_table.loc[code, ["name", "parent"]].tolist() == ["东苑", CELL]
    named = apply(PLAN, Rename(level="zu", cell=one, name="阳光组"))
    require_sound(named)
    assert named.plan.rosters["zu"] is PLAN.rosters["zu"]
    assert changed_lists(PLAN, named.plan) == {"zu": {one}}
    assert apply(named.plan, Rename(level="zu", cell=one, name="阳光组")).change.is_empty


def test_lower_lists_follow_whatever_order_the_rows_of_each_level_have():
    rng = np.random.default_rng(5)
    lin = PLAN.rosters["lin"]
    mixed = lin.iloc[rng.permutation(len(lin))].reset_index(drop=True)
    plan = replace(PLAN, rosters={**PLAN.rosters, "lin": mixed})
    one, two = lists_in(plan, "zu", CELL)[:2]
    edit = apply(plan, Merge(level="zu", cells=(one, two), into=one))
    zu = edit.plan.rosters["zu"].set_index("household_id")["code"]
    rows = edit.plan.rosters["lin"]
    parents = edit.plan.cell_table["parent"].reindex(rows["code"]).to_numpy()
    assert (parents == zu.reindex(rows["household_id"]).to_numpy()).all()
    assert len(edit.change.level("lin").recoded) == len(set(homes_lists(plan, two)))
    other = lists_in(plan, "zu", OTHER)[:2]
    both = merge_edits(plan, edit.plan, apply(plan, Merge(level="zu", cells=other)).plan)
    rows = both.plan.rosters["lin"]
    zu = both.plan.rosters["zu"].set_index("household_id")["code"]
    parents = both.plan.cell_table["parent"].reindex(rows["code"]).to_numpy()
    assert (parents == zu.reindex(rows["household_id"]).to_numpy()).all()


def homes_lists(plan, upper):
    """Return the lower lists of an upper one."""
    table = plan.cell_table
    return table.index[(table["level"] == "lin") & (table["parent"] == upper)]


def test_a_household_takes_its_upper_list_along_unless_it_shall_stay():
    one, two = lists_in(PLAN, "zu", CELL)[:2]
    mine, theirs = homes_lists(PLAN, one)[0], homes_lists(PLAN, two)[0]
    moved = homes_in(PLAN, "lin", theirs)[:1]
    edit = apply(PLAN, Paint(level="lin", target=mine, households=moved))
    require_sound(edit)
    assert moved[0] in homes_in(edit.plan, "zu", one)
    with pytest.raises(EditError, match="stay within the parent"):
        apply(PLAN, Paint(level="lin", target=mine, households=moved, within_parent=True))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (lambda one, two: Paint(level="zu", target=one, households=homes_in(PLAN, "zu", two)),
         "without a household"),
        (lambda one, _: Paint(level="zu", target=one), "none was chosen"),
        (lambda one, _: Paint(level="zu", target=one, households=("nobody",)), "no households"),
        (lambda one, _: Paint(level="lin", target=one, households=()), "no list"),
        (lambda one, _: Split(level="zu", cell=one, line=((0, 0), (1, 1))), "no ground"),
        (lambda one, _: Rename(level="zu", cell=one, name=" "), "needs a name"),
        (lambda one, _: AssignKind(level="zu", cell=one, kind="x"), "no kind x"),
        (lambda one, _: Merge(level="zu", cells=(one,)), "at least two"),
        (lambda one, two: Merge(level="zu", cells=(one, two), into="z"), "not among those"),
        (lambda *_: Paint(level="wei", target=CELL, households=("h00000",)), "divided by ground"),
        (lambda *_: Create(level="zu", households=("h00000",), parent="z"), "no z above"),
        (lambda one, _: Create(level="lin", cells=(one,)), "is the finest"),
    ],
)  # fmt: skip
def test_commands_on_lists_that_make_no_sense_are_refused_in_a_sentence(command, says):
    with pytest.raises(EditError, match=says):
        apply(PLAN, command(*lists_in(PLAN, "zu", CELL)[:2]))


def test_finer_lists_and_atoms_are_taken_whole():
    one, two = lists_in(PLAN, "zu", CELL)[:2]
    finer = homes_lists(PLAN, two)[0]
    edit = apply(PLAN, Paint(level="zu", target=one, cells=(finer,)))
    require_sound(edit)
    assert set(homes_in(PLAN, "lin", finer)) <= set(homes_in(edit.plan, "zu", one))
    rows = PLAN.rosters["zu"]
    atom = rows["atom_id"][rows["code"] == one].iloc[0]
    own = tuple(rows["household_id"][rows["atom_id"] == atom])
    edit = apply(PLAN, Create(level="zu", atoms=(atom,)))
    (code,) = edit.change.level("zu").new
    assert homes_in(edit.plan, "zu", code) == own


def test_a_locked_cell_keeps_its_lists():
    one, two = lists_in(PLAN, "zu", CELL)[:2]
    command = Paint(level="zu", target=one, households=homes_in(PLAN, "zu", two)[:1])
    for locks in (
        Locks(cells={("wei", CELL)}), Locks(cells={("zu", two)}), Locks(levels={"zu"}),
    ):  # fmt: skip
        with pytest.raises(EditError, match="locked"):
            apply(PLAN, command, locks=locks)
    apply(PLAN, command, locks=Locks(cells={("wei", OTHER)}))


def test_two_people_divide_lists_of_different_cells():
    sides = []
    for cell in (CELL, OTHER):
        one, two = lists_in(PLAN, "zu", cell)[:2]
        moved = homes_in(PLAN, "zu", two)[:1]
        sides.append(apply(PLAN, Paint(level="zu", target=one, households=moved)).plan)
    merged = merge_edits(PLAN, *sides)
    require_lists(merged.plan, PLAN)
    for side in sides:
        changed = side.rosters["zu"]["code"] != PLAN.rosters["zu"]["code"]
        pd.testing.assert_series_equal(
            merged.plan.rosters["zu"]["code"][changed], side.rosters["zu"]["code"][changed]
        )


@pytest.mark.parametrize("locked", ["wangge", "wei"])
def test_the_border_of_an_official_cell_is_not_dragged(locked):
    base = blocks(8, 8)
    levels = tuple(replace(one, locked=one.key == locked) for one in base.scheme.levels)
    plan = replace(base, scheme=replace(base.scheme, levels=levels))
    for command in (
        MoveVertex(at=(400, 400), to=(390, 410)),
        MoveRun(run=((400, 200), (400, 300)), path=((400, 200), (410, 250), (400, 300))),
        MoveRun(run=((400, 200), (400, 300)), path=((400, 200), (400, 290))),
        MoveRun(run=((300, 200), (400, 200)), path=((300, 200), (395, 200))),
    ):
        with pytest.raises(EditError, match="is official") as refused:
            apply(plan, command)
        assert {level for level, _ in refused.value.cells} == {locked}
    inside = {"wangge": (200, 200), "wei": (100, 100)}[locked]
    before = plan.cells(locked).geometry
    after = apply(plan, MoveVertex(at=inside, to=(inside[0] + 9, inside[1] + 4))).plan
    assert (shapely.to_wkb(before) == shapely.to_wkb(after.cells(locked).geometry)).all()
