"""Commands that change who holds which atom: paint, create, merge, rename, kinds, locks."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from edit_plans import (
    SCHEME,
    blocks,
    code_at,
    fresh_twin,
    homes_of,
    plan_of,
    require_lists,
    require_true,
    with_lists,
)
from strategies import grid_frame

from geogrid.coverage import verify_plan
from geogrid.divide import divide
from geogrid.edit import (
    AssignKind,
    Create,
    History,
    Locks,
    Merge,
    MoveRun,
    MoveVertex,
    Paint,
    Rename,
    SnapToStreets,
    Split,
    apply,
    command_from_dict,
    live_counts,
    merge_edits,
)
from geogrid.errors import EditError, InputError
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

BASE = blocks()


def at(x, y, level="wei", plan=BASE):
    return code_at(plan, level, x, y)


UPPER = (at(0, 0, "wangge"), at(4, 0, "wangge"))


def test_painting_an_atom_moves_it_and_its_households():
    edit = apply(BASE, Paint(level="wei", target=at(0, 0), atoms=("a002-000",)))
    require_true(edit, BASE)
    change = edit.change.level("wei")
    assert [(one.code, one.before, one.after, one.band_after) for one in change.cells] == sorted(
        [(at(0, 0), 4, 5, "in"), (at(2, 0), 4, 3, "in")]
    )
    assert (change.atoms_moved, change.households_moved) == (1, 1)
    assert edit.change.level("wangge") is None
    assert edit.plan.atoms is BASE.atoms
    assert edit.plan.parent_version == BASE.version
    assert BASE.labels.loc["a002-000", "wei"] == at(2, 0)


def test_painting_across_parents_changes_the_levels_above_and_says_so():
    command = Paint(level="wei", target=at(2, 0), atoms=("a004-000",))
    edit = apply(BASE, command)
    require_true(edit, BASE)
    assert [one.level for one in edit.change.levels] == ["wangge", "wei"]
    assert edit.plan.labels.loc["a004-000", "wangge"] == at(2, 0, "wangge")
    with pytest.raises(EditError, match="stay within the parent") as refused:
        apply(BASE, replace(command, within_parent=True))
    assert ("wangge", at(4, 0, "wangge")) in refused.value.cells


def test_painting_an_upper_level_takes_whole_finer_cells_under_new_codes():
    target = at(0, 0, "wangge")
    edit = apply(BASE, Paint(level="wangge", target=target, atoms=("a004-000",)))
    require_true(edit, BASE)
    wei = edit.change.level("wei")
    assert wei.retired == (at(4, 0),)
    assert wei.new == (f"{target}005",)
    assert wei.recoded == ((at(4, 0), f"{target}005"),)
    assert wei.atoms_moved == 0
    assert edit.change.level("wangge").atoms_moved == 4
    assert any("whole cells" in note for note in edit.change.notes)
    facts = edit.plan.cell_table.loc[f"{target}005"]
    assert facts["parent"] == target
    assert facts["name"] == "测试135"
    told = edit.plan.code_history.set_index("code")
    assert told.loc[at(4, 0), "successors"] == f"{target}005"
    assert told.loc[f"{target}005", "origins"] == at(4, 0)


def test_paint_order_does_not_matter():
    commands = [
        Paint(level="wei", target=at(0, 0), atoms=("a002-000",)),
        Paint(level="wei", target=at(0, 0), atoms=("a000-002",)),
    ]
    plans = []
    for order in (commands, commands[::-1]):
        plan = BASE
        for command in order:
            plan = apply(plan, command).plan
        plans.append(plan)
    one, two = plans
    pd.testing.assert_frame_equal(one.labels, two.labels)
    assert one.certificate.levels[-1].digest == two.certificate.levels[-1].digest


def test_a_cell_is_neither_emptied_nor_torn():
    every = ("a002-000", "a002-001", "a003-000", "a003-001")
    with pytest.raises(EditError, match="without an atom: merge it"):
        apply(BASE, Paint(level="wei", target=at(0, 0), atoms=every))
    far = Paint(level="wei", target=at(0, 0), atoms=("a005-005",))
    with pytest.raises(EditError, match="fall into pieces") as refused:
        apply(BASE, far)
    assert refused.value.cells[0][1] in {at(0, 0), at(0, 0, "wangge")}
    allowed = apply(BASE, replace(far, allow_disconnected=True))
    require_true(allowed, BASE)
    # What is in pieces already may stay so, and grow together.
    again = Paint(level="wei", target=at(0, 0), atoms=("a002-000",))
    require_true(apply(allowed.plan, again), BASE)


def test_a_new_cell_gets_a_code_that_was_never_used():
    first = apply(BASE, Create(level="wei", atoms=("a000-000", "a000-001"), name="东苑"))
    require_true(first, BASE)
    (code,) = first.change.level("wei").new
    assert code == at(0, 0, "wangge") + "005"
    assert first.plan.cell_table.loc[code, "name"] == "东苑"
    gone = apply(first.plan, Merge(level="wei", cells=(code, at(0, 0)), into=at(0, 0)))
    require_true(gone, BASE)
    assert gone.change.level("wei").retired == (code,)
    again = apply(gone.plan, Create(level="wei", atoms=("a000-000",)))
    assert again.change.level("wei").new == (at(0, 0, "wangge") + "006",)
    with pytest.raises(EditError, match="no kind"):
        apply(BASE, Create(level="wei", atoms=("a000-000",), kind="商圈"))


def test_a_new_upper_cell_takes_its_children_along():
    edit = apply(BASE, Create(level="wangge", cells=(at(0, 0), at(2, 0)), kind="专属"))
    require_true(edit, BASE)
    (code,) = edit.change.level("wangge").new
    assert edit.plan.cell_table.loc[code, ["kind", "parent"]].tolist() == ["专属", at(0, 0, "pian")]
    below = edit.plan.cell_table.query("parent == @code").index.tolist()
    assert below == [f"{code}001", f"{code}002"]


def test_merging_keeps_the_larger_and_retires_the_others():
    plan = apply(BASE, Paint(level="wei", target=at(0, 0), atoms=("a002-000",))).plan
    edit = apply(plan, Merge(level="wei", cells=(at(0, 0), at(2, 0))))
    require_true(edit, BASE)
    assert edit.change.level("wei").retired == (at(2, 0),)
    assert edit.plan.code_history.set_index("code").loc[at(2, 0), "successors"] == at(0, 0)
    upper = apply(
        BASE, Merge(level="wangge", cells=UPPER, into=UPPER[1])
    )  # fmt: skip
    require_true(upper, BASE)
    assert len(upper.change.level("wei").recoded) == 4
    with pytest.raises(EditError, match="at least two"):
        apply(BASE, Merge(level="wei", cells=(at(0, 0),)))
    with pytest.raises(EditError, match="not among those"):
        apply(BASE, Merge(level="wei", cells=(at(0, 0), at(2, 0)), into=at(4, 0)))
    with pytest.raises(EditError, match="fall into pieces"):
        apply(BASE, Merge(level="wei", cells=(at(0, 0), at(6, 6))))


def test_names_and_kinds_change_alone():
    edit = apply(BASE, Rename(level="wei", cell=at(0, 0), name=" 和平里 "))
    require_true(edit, BASE)
    assert edit.plan.cells("wei").set_index("code").loc[at(0, 0), "name"] == "和平里"
    assert edit.plan.version != BASE.version
    kind = apply(edit.plan, AssignKind(level="wangge", cell=at(0, 0, "wangge"), kind="专属"))
    require_true(kind, BASE)
    assert kind.plan.cell_table.loc[at(0, 0, "wangge"), "kind"] == "专属"
    for command, says in (
        (Rename(level="wei", cell=at(0, 0), name=" "), "needs a name"),
        (AssignKind(level="wei", cell=at(0, 0), kind="专属"), "no kind"),
        (Rename(level="wei", cell="7", name="x"), "no cell 7"),
    ):
        with pytest.raises(EditError, match=says):
            apply(BASE, command)


def test_what_changes_nothing_gives_the_same_plan():
    proven = replace(BASE, certificate=verify_plan(BASE).certificate)
    for command in (
        Paint(level="wei", target=at(0, 0), atoms=("a000-000",)),
        MoveVertex(at=(200, 200), to=(200, 200)),
    ):
        edit = apply(proven, command)
        assert edit.plan is proven
        assert edit.change.is_empty


def test_official_cells_keep_their_ground_and_name():
    levels = (SCHEME.levels[0], replace(SCHEME.levels[1], locked=True), SCHEME.levels[2])
    plan = replace(BASE, scheme=replace(SCHEME, levels=levels))
    apply(plan, Paint(level="wei", target=at(0, 0), atoms=("a002-000",)))
    for command in (
        Paint(level="wei", target=at(2, 0), atoms=("a004-000",)),
        Merge(level="wangge", cells=(at(0, 0, "wangge"), at(4, 0, "wangge"))),
        Rename(level="wangge", cell=at(0, 0, "wangge"), name="x"),
    ):
        with pytest.raises(EditError, match="official"):
            apply(plan, command)


def test_locked_cells_stay_to_the_byte():
    locks = Locks(cells={("wei", at(2, 2))})
    for command in (
        Paint(level="wei", target=at(2, 2), atoms=("a001-002",)),
        Paint(level="wei", target=at(0, 2), atoms=("a002-002",)),
        MoveVertex(at=(200, 200), to=(210, 210)),
        Split(level="wei", cell=at(0, 2), line=((-10, 310), (210, 333))),
        Rename(level="wei", cell=at(2, 2), name="x"),
        Merge(level="wangge", cells=UPPER, into=UPPER[1]),
    ):  # fmt: skip
        with pytest.raises(EditError, match="locked cells") as refused:
            apply(BASE, command, locks=locks)
        assert ("wei", at(2, 2)) in refused.value.cells
    near = apply(BASE, Paint(level="wei", target=at(0, 2), atoms=("a000-001",)), locks=locks)
    old, new = (
        plan.cells("wei").set_index("code").geometry[at(2, 2)] for plan in (BASE, near.plan)
    )
    assert shapely.to_wkb(old) == shapely.to_wkb(new)


def test_a_locked_level_lets_finer_cells_change_and_a_locked_cell_does_not():
    inner = Paint(level="wei", target=at(0, 0), atoms=("a002-000",))
    apply(BASE, inner, locks=Locks(levels={"wangge"}))
    with pytest.raises(EditError, match="locked"):
        apply(BASE, inner, locks=Locks(cells={("wangge", at(0, 0, "wangge"))}))
    with pytest.raises(EditError, match="locked"):
        apply(
            BASE, Paint(level="wei", target=at(2, 0), atoms=("a004-000",)),
            locks=Locks(levels={"wangge"}),
        )  # fmt: skip
    text = json.dumps(Locks(levels={"wei"}, cells={("wei", "1")}).to_dict())
    assert Locks.from_dict(json.loads(text)) == Locks(levels={"wei"}, cells={("wei", "1")})


COMMANDS = [
    Paint(level="wei", target="1", atoms=("a", "b"), within_parent=True),
    Create(level="wei", cells=("1",), name="东苑"),
    Split(level="wei", cell="1", line=((0, 0.5), (1, 1))),
    Merge(level="wei", cells=("1", "2")),
    MoveVertex(at=(1, 2), to=(3, 4)),
    MoveRun(run=((0, 0), (1, 1)), path=((0, 0), (1, 0), (1, 1))),
    SnapToStreets(run=((0, 0), (1, 1)), within_m=5, lines=(((0, 0), (2, 2)),)),
    AssignKind(level="wei", cell="1", kind="专属"),
    Rename(level="wei", cell="1", name="x"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.command)
def test_commands_go_through_json(command):
    assert command_from_dict(json.loads(json.dumps(command.to_dict()))) == command
    assert command.label_zh


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "no command None"),
        ({"command": "fly"}, "no command 'fly'"),
        ({"command": "rename", "level": "wei", "cell": "1"}, "needs the field name"),
        ({"command": "rename", "level": "wei", "cell": "1", "name": "x", "y": 1}, "no field y"),
        ({"command": "rename", "level": "wei", "cell": 1, "name": "x"}, "must be text"),
        ({"command": "paint", "level": "wei", "target": "1", "atoms": "ab"}, "list of codes"),
        ({"command": "paint", "level": "w", "target": "1", "within_parent": 1}, "true or false"),
        ({"command": "move_vertex", "at": [1, 2], "to": [1, float("nan")]}, "finite"),
        ({"command": "move_vertex", "at": [1, 2], "to": "12"}, "finite"),
        ({"command": "split", "level": "wei", "cell": "1", "line": [[1, 2]]}, "two places"),
        (
            {"command": "snap_to_streets", "run": [[0, 0], [1, 1]], "within_m": -1},
            "0 or more",
        ),
    ],
)
def test_bad_commands_are_refused_in_a_sentence(values, says):
    with pytest.raises(InputError, match=says):
        command_from_dict(values)


def test_unknown_places_are_named():
    for command, says in (
        (Paint(level="wei", target=at(0, 0), atoms=("nix",)), "no atoms nix"),
        (Paint(level="wei", target=at(0, 0)), "nothing was chosen"),
        (Paint(level="wei", target=at(0, 0), cells=("1",)), "name atoms"),
        (Paint(level="wangge", target=at(0, 0, "wangge"), cells=("1",)), "no cell 1"),
    ):
        with pytest.raises(EditError, match=says):
            apply(BASE, command)


def test_live_counts_are_what_the_edit_makes():
    for command in (
        Paint(level="wei", target=at(2, 0), atoms=("a004-000",)),
        Split(level="wei", cell=at(0, 0), line=((-50, 150), (250, 120))),
        MoveVertex(at=(200, 200), to=(230, 240)),
    ):
        preview = live_counts(BASE, command)
        edit = apply(BASE, command)
        real = {
            (level.level, one.code): (one.before or 0, one.after or 0, one.band_after)
            for level in edit.change.levels
            for one in level.cells
        }
        told = {
            (row.level, row.code): (row.before, row.after, row.band_after)
            for row in preview.itertuples()
        }
        for key, values in real.items():
            if key in told:
                assert told[key] == values
        wei = preview[preview["level"] == "wei"]
        assert wei["before"].sum() == wei["after"].sum()
    assert preview.attrs["estimated"] == 4


def test_undo_and_redo_restore_the_plan_to_the_bit_and_obey_locks():
    start = History(start=BASE)
    one = start.apply(Split(level="wei", cell=at(0, 0), line=((-50, 150), (250, 120))))
    two = one.apply(Merge(level="wangge", cells=(at(0, 0, "wangge"), at(4, 0, "wangge"))))
    back = two.undo().undo()
    assert back.plan is BASE
    assert back.redo().plan is one.plan
    assert back.redo().redo().plan is two.plan
    locked = two.with_locks(Locks(cells={("wei", at(4, 0))}))
    with pytest.raises(EditError, match="locked"):
        locked.undo()
    assert locked.plan is two.plan
    with pytest.raises(EditError, match="nothing to undo"):
        start.undo()
    with pytest.raises(EditError, match="nothing to redo"):
        two.redo()
    # A code of an undone version is used up.
    other = back.apply(Create(level="wei", atoms=("a000-000",)))
    assert set(other.last.change.level("wei").new).isdisjoint(one.last.change.level("wei").new)
    assert not other.undone


def test_a_long_history_stays_whole():
    history = History(start=BASE)
    for number in range(25):
        history = history.apply(Rename(level="wei", cell=at(0, 0), name=f"第{number}次"))
    assert len(history.done) == 25
    assert history.done[0].plan.cells("wei").set_index("code").loc[at(0, 0), "name"] == "第0次"


def test_edits_of_different_cells_merge_and_are_proven():
    base = replace(BASE, certificate=verify_plan(BASE).certificate)
    left = apply(base, Split(level="wei", cell=at(0, 0), line=((-50, 150), (250, 120)))).plan
    left = apply(left, Rename(level="wangge", cell=at(4, 4, "wangge"), name="东片")).plan
    right = apply(base, Create(level="wei", atoms=("a004-000",))).plan
    right = apply(right, Split(level="wei", cell=at(6, 6), line=((610, 900), (790, 500)))).plan
    merged = merge_edits(base, left, right)
    require_true(merged, BASE)
    assert len(merged.plan.cells("wei")) == len(base.cells("wei")) + 3
    assert merged.plan.cell_table.loc[at(4, 4, "wangge"), "name"] == "东片"
    assert merged.plan.atoms.limit.equals_exact(merged.plan.district.limit, 0)
    again = merge_edits(base, right, left)
    assert again.certificate.levels[0].digest == merged.certificate.levels[0].digest
    assert merge_edits(base, base, right).certificate.to_dict() == right.certificate.to_dict()


def test_edits_of_the_same_cell_are_a_conflict_that_names_it():
    left = apply(BASE, Rename(level="wei", cell=at(0, 0), name="一")).plan
    right = apply(BASE, Paint(level="wei", target=at(0, 0), atoms=("a002-000",))).plan
    with pytest.raises(EditError, match="same cells") as conflict:
        merge_edits(BASE, left, right)
    assert conflict.value.cells == (("wei", at(0, 0)),)
    with pytest.raises(EditError, match="locked"):
        merge_edits(BASE, BASE, left, locks=Locks(levels={"wei"}))
    with pytest.raises(InputError, match="of one plan"):
        merge_edits(BASE, left, blocks(6, 6, (6, 6, 2)))


def test_two_branches_may_make_cells_in_one_parent():
    left = apply(BASE, Create(level="wei", atoms=("a000-000",))).plan
    right = apply(BASE, Create(level="wei", atoms=("a002-002",))).plan
    merged = merge_edits(BASE, left, right)
    require_true(merged, BASE)
    assert len(merged.change.level("wei").new) == 2


def listed_plan():
    return with_lists(blocks(households=2))


def test_each_household_is_in_the_list_that_the_side_gave_it_which_changed_its_cell():
    base = listed_plan()
    wei = base.labels["wei"]
    left = apply(base, Create(level="wei", atoms=("a000-000", "a001-000"))).plan
    right = apply(base, Create(level="wei", atoms=("a002-002", "a002-003"))).plan
    # Both gave the same number to a new cell, and so did their lists.
    assert left.leaf["a000-000"] == right.leaf["a002-002"]
    merged = merge_edits(base, left, right)
    plan = merged.plan
    require_true_lists(merged, base)
    assert plan.leaf["a002-002"] not in {*wei, plan.leaf["a000-000"]}
    for key in base.rosters:
        was, mine, now = (one.rosters[key].set_index("household_id") for one in (base, left, plan))
        moved = mine.index[mine["code"] != was["code"]]
        assert now.loc[moved, "code"].tolist() == mine.loc[moved, "code"].tolist()
        theirs = now[now["atom_id"].isin(["a002-002", "a002-003"])]
        assert theirs["code"].str.startswith(plan.leaf["a002-002"]).all()
        rest = was[~was["atom_id"].isin([*left_atoms(base, left), *left_atoms(base, right)])]
        assert now.loc[rest.index, "code"].tolist() == rest["code"].tolist()
    assert {"zu", "lin"} <= {level.level for level in merged.change.levels}


def left_atoms(base, plan):
    """Atoms of the cells that an edit changed."""
    codes = base.leaf[base.leaf != plan.leaf]
    return base.leaf.index[base.leaf.isin(codes)]


def require_true_lists(edit, base):
    require_lists(edit.plan, base)
    report = verify_plan(fresh_twin(edit.plan))
    assert report.is_proven, report.defects
    assert report.certificate.to_dict() == edit.certificate.to_dict()


def test_lists_that_both_sides_changed_are_a_conflict_that_names_them():
    base = listed_plan()
    zu = base.rosters["zu"]["code"].iloc[0]
    # The same households go to two lists, and no cell of the plan was touched.
    sides = []
    for name in ("甲", "乙"):
        roster = base.rosters["zu"]
        code = f"{zu}{name}"
        facts = base.cell_table.loc[[zu]].rename(index={zu: code})
        lists = roster.assign(code=roster["code"].where(roster.index > 0, code).astype("str"))
        table = pd.concat([base.cell_table, facts])
        sides.append(replace(base, cell_table=table, rosters=dict(base.rosters) | {"zu": lists}))
    with pytest.raises(EditError, match="both edits changed the same cells") as conflict:
        merge_edits(base, *sides)
    assert conflict.value.cells == (("zu", zu),)
    short = dict(base.rosters) | {"zu": base.rosters["zu"].iloc[1:]}
    with pytest.raises(InputError, match="lists other households"):
        merge_edits(base, base, replace(base, rosters=short))
    with pytest.raises(InputError, match="households of other levels"):
        merge_edits(base, base, replace(base, rosters={}))


def test_a_code_of_an_undone_version_is_not_given_in_a_merge():
    left = apply(BASE, Create(level="wei", atoms=("a000-000",))).plan
    right = apply(BASE, Create(level="wei", atoms=("a002-002",))).plan
    free = merge_edits(BASE, left, right).change.level("wei").new
    taken = merge_edits(BASE, left, right, reserved=[free[-1]]).change.level("wei").new
    assert free[0] == taken[0]
    assert free[-1] not in taken


def test_a_code_that_the_other_side_gave_up_again_stays_what_the_first_side_made_of_it():
    left = apply(BASE, Create(level="wei", atoms=("a000-000",))).plan
    code = left.leaf["a000-000"]
    right = apply(BASE, Create(level="wei", atoms=("a002-002",))).plan
    assert right.leaf["a002-002"] == code
    right = apply(right, Merge(level="wei", cells=(BASE.leaf["a002-002"], code))).plan
    assert code not in right.cell_table.index
    merged = merge_edits(BASE, left, right)
    require_true(merged, BASE)
    assert merged.plan.leaf["a000-000"] == code
    # The other way round it was given up by the first side, and nobody gets it.
    assert code not in merge_edits(BASE, right, left).plan.cell_table.index


def test_a_certificate_of_another_plan_is_not_carried_on():
    stale = replace(blocks(6, 6, (6, 6, 2)), certificate=verify_plan(BASE).certificate)
    code = code_at(stale, "wei", 0, 0)
    edit = apply(stale, Paint(level="wei", target=code, atoms=("a002-000",)))
    require_true(edit, stale)


def test_a_plan_that_is_not_proven_is_looked_at_as_a_whole():
    hole = BASE.atoms.frame.geometry.to_numpy().copy()
    hole[0] = shapely.box(0, 0, 90, 100)
    frame = BASE.atoms.frame.set_geometry(hole)
    plan = replace(BASE, atoms=replace(BASE.atoms, frame=frame))
    edit = apply(plan, Paint(level="wei", target=at(4, 4), atoms=("a006-004",)))
    assert not edit.certificate.is_proof
    full = verify_plan(fresh_twin(edit.plan)).certificate
    assert edit.certificate.to_dict() == full.to_dict()


LISTS = Scheme(
    key="lists",
    title="",
    levels=(
        Level(key="wangge", name="网格"),
        Level(key="lou", name="楼栋", contract=Contract.HOUSEHOLD),
        Level(key="lin", name="邻", contract=Contract.ROSTER, band=HouseholdBand(low=2, high=9)),
    ),
)


def test_lists_follow_their_households():
    atoms = Atoms.from_frame(grid_frame(6, 4, 3))
    half = [int(one[1:4]) // 3 for one in atoms.frame["atom_id"]]
    bare = plan_of(atoms, {"wangge": half}, replace(LISTS, levels=LISTS.levels[:1]))
    homes = homes_of(bare).assign(building="b", entrance=1, floor=1)
    plan = divide(None, atoms, LISTS, households=homes, counts={"wangge": 2})
    code, other = plan.cells("wangge")["code"]
    border = plan.labels.index[plan.labels["wangge"] == other]
    column = border.str[1:4].astype(int)
    near = border[column == column.min()]
    edit = apply(plan, Paint(level="wangge", target=code, atoms=tuple(near[:2])))
    report = verify_plan(replace(edit.plan, certificate=None))
    assert report.is_proven
    assert not set(report.defects["kind"]) & {"spans_parents", "unassigned_household"}
    for level in ("lou", "lin"):
        old, new = plan.members(level), edit.plan.members(level)
        assert set(old["household_id"]) == set(new["household_id"])
        assert new["households"].sum() == old["households"].sum()
        retired = set(old["code"]) - set(new["code"])
        assert retired <= set(edit.plan.code_history.query("to_version != ''")["code"])
        assert set(new["code"]) <= set(edit.plan.cell_table.index)
    cut = apply(
        edit.plan,
        Split(level="wangge", cell=code, line=((-10, 190), (700, 205))),
        households=homes,
    )
    lived = verify_plan(replace(cut.plan, certificate=None), households=homes)
    assert lived.is_proven
    assert cut.change.estimated_households == 0
    counted = cut.plan.members("lin").groupby("atom_id")["households"].sum()
    held = cut.plan.atoms.frame.set_index("atom_id")["households"]
    assert np.array_equal(counted.reindex(held.index, fill_value=0), held)
