"""An edit is proven from what it changed, and the answer is that of a proof from nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from edit_plans import blocks, with_lists
from hypothesis import given, settings
from hypothesis import strategies as st
from store_plans import cell_table, city_plan, cut, moved, renamed, rich_plan, square_plan

from geogrid.coverage import verify_plan
from geogrid.edit import Create, Merge, Paint, Rename, Split, apply
from geogrid.errors import CoverageError, EditError
from geogrid.model.scheme import HouseholdBand
from geogrid.store._cells import all_cells, changed_cells
from geogrid.store._changes import changes_between
from geogrid.store._commit import prepare
from geogrid.store._proof import prove, prove_edit

PLANS = [square_plan(), city_plan(24, 24)]


def step(before, after):
    """The short proof of an edit and the cells after it."""
    old = all_cells(before)
    changes = changes_between(before, after)
    new = changed_cells(after, changes, old)
    return prove_edit(after, changes, prove(before), old, new), new


def relabelled(plan, rows, key):
    """Give some atoms the cell of another atom at a level and all levels below."""
    labels = plan.labels.copy()
    keys = [level.key for level in plan.scheme.area_levels]
    for one in keys[keys.index(key) :]:
        codes = labels[one].to_numpy(object).copy()
        for to, source in rows:
            codes[to] = codes[source]
        labels[one] = pd.Series(codes, index=labels.index, dtype="str")
    return replace(plan, labels=labels, cell_table=cell_table(labels))


@st.composite
def edits(draw):
    plan = draw(st.sampled_from(PLANS))
    row = st.integers(0, len(plan.labels) - 1)
    rows = draw(st.lists(st.tuples(row, row), min_size=1, max_size=4))
    keys = [level.key for level in plan.scheme.area_levels]
    return plan, relabelled(plan, rows, draw(st.sampled_from(keys)))


@given(edits())
@settings(deadline=None)
def test_the_short_proof_is_that_of_the_whole_plan(case):
    before, after = case
    proof, cells = step(before, after)
    whole = prove(after)
    if proof is not None:
        assert proof.certificate == whole.certificate == verify_plan(after).certificate
        assert proof.is_proven
        assert whole.is_proven
        assert sorted(map(str, proof.defects)) == sorted(map(str, whole.defects))
    for key, level in all_cells(after).items():
        assert cells[key].hashes.tolist() == level.hashes.tolist()
        assert cells[key].codes.tolist() == level.codes.tolist()


@pytest.mark.parametrize("row", [9, 27, 40])
def test_the_short_proof_is_used_for_moves_names_and_cuts(row):
    plan = square_plan()
    code = plan.labels["micro"].iloc[row]
    for after in (moved(plan, row), renamed(plan, code, "新名"), cut(plan, row)):
        proof, _ = step(plan, after)
        assert proof is not None
        assert proof.certificate == prove(after).certificate


def test_a_piece_that_goes_to_a_cell_next_door_changes_both_cells():
    plan = square_plan()
    after = cut(plan, 9)
    codes = after.labels["micro"].to_numpy(object).copy()
    codes[-1] = after.labels["micro"].iloc[10]
    assert codes[-1] != codes[9]
    labels = after.labels.assign(micro=pd.Series(codes, index=after.labels.index, dtype="str"))
    after = replace(after, labels=labels)
    proof, cells = step(plan, after)
    assert proof is not None
    assert proof.certificate == prove(after).certificate
    assert cells["micro"].hashes.tolist() == all_cells(after)["micro"].hashes.tolist()


def test_a_second_edit_goes_on_from_the_first():
    plan = city_plan(24, 24)
    one, two = moved(plan, 100), moved(moved(plan, 100), 300)
    old, proof = all_cells(plan), prove(plan)
    for before, after in ((plan, one), (one, two)):
        changes = changes_between(before, after)
        new = changed_cells(after, changes, old)
        proof = prove_edit(after, changes, proof, old, new)
        assert proof is not None
        old = new
    assert proof.certificate == prove(two).certificate


def test_a_cell_in_two_parents_is_not_proven():
    plan = square_plan()
    codes = plan.labels["micro"].to_numpy(object).copy()
    codes[4] = codes[3]
    labels = plan.labels.assign(micro=pd.Series(codes, index=plan.labels.index, dtype="str"))
    proof, _ = step(plan, replace(plan, labels=labels))
    assert proof is None


def test_a_parent_that_moved_away_from_its_children_is_not_proven():
    plan = square_plan()
    codes = plan.labels["community"].to_numpy(object).copy()
    codes[3] = codes[4]
    labels = plan.labels.assign(community=pd.Series(codes, index=plan.labels.index, dtype="str"))
    proof, _ = step(plan, replace(plan, labels=labels))
    assert proof is None


@pytest.mark.parametrize("metres", [0.001, -0.001])
def test_a_millimetre_is_not_proven(metres):
    plan = square_plan()
    shapes = plan.atoms.frame.geometry.to_numpy().copy()
    ring = shapely.get_coordinates(shapes[9])
    ring[2] += metres
    ring[np.all(ring == ring[0], axis=1)] = ring[0]
    shapes[9] = shapely.Polygon(ring)
    frame = plan.atoms.frame.set_geometry(shapes).set_crs(plan.district.crs, allow_override=True)
    broken = replace(plan, atoms=replace(plan.atoms, frame=frame))
    # Where two atoms overlap their union may not even be made.
    with suppress(shapely.errors.GEOSException):
        assert step(plan, broken)[0] is None
    with pytest.raises(CoverageError):
        prepare(broken, None, allow_draft=False)


def test_atoms_that_miss_nodes_are_refused_in_words():
    plan = square_plan()
    shapes = plan.atoms.frame.geometry.to_numpy().copy()
    low_x, low_y, _, high_y = shapes[9].bounds
    shapes[9] = shapely.box(low_x, low_y, low_x + 130, high_y - 20)
    frame = plan.atoms.frame.set_geometry(shapes).set_crs(plan.district.crs, allow_override=True)
    broken = replace(plan, atoms=replace(plan.atoms, frame=frame))
    with pytest.raises(CoverageError):
        prepare(broken, None, allow_draft=False)


def test_open_defects_of_other_cells_stay_and_those_of_changed_ones_are_judged_anew():
    plan = square_plan()
    levels = list(plan.scheme.levels)
    levels[1] = replace(levels[1], band=HouseholdBand(low=5, high=9, is_hard=True))
    plan = replace(plan, scheme=replace(plan.scheme, levels=tuple(levels)))
    after = moved(plan, 16)
    proof, _ = step(plan, after)
    whole = prove(after)
    assert proof is not None
    assert len(whole.defects) > 2
    assert sorted(map(str, proof.defects)) == sorted(map(str, whole.defects))
    assert sorted(map(str, whole.defects)) != sorted(map(str, prove(plan).defects))


def test_a_new_name_in_a_plan_with_lists_is_proven_shortly():
    plan = rich_plan()
    after = renamed(plan, "0101", "新名")
    proof, _ = step(plan, after)
    assert proof is not None
    assert proof.certificate == prove(after).certificate


def test_atoms_in_another_order_are_another_frame():
    plan = city_plan(12, 12)
    order = np.arange(len(plan.labels))[::-1]
    frame = plan.atoms.frame.iloc[order].reset_index(drop=True)
    turned = replace(plan, atoms=replace(plan.atoms, frame=frame), labels=plan.labels.iloc[order])
    assert not changes_between(plan, turned).is_same_frame
    assert changes_between(plan, turned).codes["micro"] == frozenset()


def test_another_limit_or_scheme_is_another_frame():
    plan = square_plan()
    assert changes_between(plan, plan).is_same_frame
    other = replace(plan, scheme=replace(plan.scheme, title="别名"))
    assert not changes_between(plan, other).is_same_frame
    smaller = replace(plan, atoms=square_plan(8, 7).atoms, labels=square_plan(8, 7).labels)
    assert not changes_between(plan, smaller).is_same_frame
    assert prepare(smaller, None, allow_draft=False).proof.is_proven


LISTED = with_lists(blocks(8, 8, (8, 4, 2), [(3 * at) % 5 for at in range(64)]))


@st.composite
def list_edits(draw):
    """An edit of a plan with lists, and now and then households that somebody put elsewhere."""
    plan = LISTED
    ids, codes = plan.labels.index.tolist(), sorted(set(plan.leaf))
    some = tuple(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True)))
    one, other = draw(st.sampled_from(codes)), draw(st.sampled_from(codes))
    bounds = plan.cells("wei").set_index("code").geometry[one].bounds
    middle = (bounds[0] + bounds[2]) / 2 + 7
    command = draw(
        st.sampled_from(
            [
                Paint(level="wei", target=one, atoms=some, allow_disconnected=True),
                Create(level="wei", atoms=some, allow_disconnected=True),
                Merge(level="wei", cells=(one, other), allow_disconnected=True),
                Split(level="wei", cell=one, line=((middle, -50), (middle, 950))),
                Rename(level="wei", cell=one, name="新名"),
                None,
            ]
        )
    )
    with suppress(EditError):
        plan = plan if command is None else apply(plan, command).plan
    roster = plan.rosters["lin"]
    rows = draw(st.lists(st.integers(0, len(roster) - 1), max_size=2, unique=True))
    lists = roster["code"].to_numpy(object).copy()
    for row in rows:
        lists[row] = draw(st.sampled_from(lists.tolist()))
    changed = roster.assign(code=pd.Series(lists, index=roster.index, dtype="str"))
    return replace(plan, rosters=dict(plan.rosters) | {"lin": changed}, certificate=None)


@given(list_edits())
@settings(deadline=None)
def test_the_short_proof_of_lists_is_that_of_the_whole_plan(after):
    proof, _ = step(LISTED, after)
    whole = prove(after)
    if proof is None:
        # Connected in pieces, or not right: that is found out from nothing.
        pieces = shapely.get_num_geometries(after.cells("wei").geometry.to_numpy())
        assert not whole.is_proven or (pieces > 1).any()
        return
    assert proof.certificate == whole.certificate
    assert proof.is_proven
    assert whole.is_proven
    assert sorted(map(str, proof.defects)) == sorted(map(str, whole.defects))


def with_rows(plan, key, **columns):
    roster = plan.rosters[key]
    for name, (row, value) in columns.items():
        held = roster[name].to_numpy(object).copy()
        held[row] = value
        roster = roster.assign(
            **{name: pd.Series(held, index=roster.index).astype(roster[name].dtype)}
        )
    return replace(plan, rosters=dict(plan.rosters) | {key: roster})


def test_a_household_in_a_list_of_another_cell_or_in_none_is_not_proven():
    lin = LISTED.rosters["lin"]
    for after in (
        with_rows(LISTED, "lin", code=(0, lin["code"].iloc[-1])),
        with_rows(LISTED, "lin", atom_id=(0, lin["atom_id"].iloc[-1])),
        with_rows(LISTED, "zu", households=(0, 0)),
    ):
        proof, _ = step(LISTED, after)
        assert proof is None
        assert not prove(after).is_proven


def test_another_order_of_the_households_is_proven_from_nothing():
    roster = LISTED.rosters["lin"]
    turned = replace(
        LISTED, rosters=dict(LISTED.rosters) | {"lin": roster[::-1].reset_index(drop=True)}
    )
    assert step(LISTED, turned)[0] is None
    assert prove(turned).is_proven
