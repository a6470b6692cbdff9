"""Codes: unique, below their parents, blind to the order of rows, and true to an earlier plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from strategies import cell_frames, grid_frames

from geogrid.divide.number import number_cells, number_plan
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import Level, Scheme

SCHEME = Scheme(
    key="two",
    title="",
    levels=(
        Level(key="pian", name="片", name_template="{parent}第{n}片"),
        Level(key="wangge", name="网格", code_width=3, name_template="{片}{n}号网格"),
    ),
)


def plan_of(frame, groups):
    atoms = Atoms.from_frame(frame)
    numbering = number_cells(atoms, groups, SCHEME, prefix="430203", district="芦淞区")
    return GridPlan(
        district=District(limit=atoms.limit, crs=None, name="芦淞区", code="430203"),
        scheme=SCHEME,
        atoms=atoms,
        labels=numbering.labels,
        cell_table=numbering.cell_table,
    )


@st.composite
def groupings(draw, frame):
    """Cells drawn at will: they need not hang together to have a code."""
    size = len(frame)
    upper = draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    lower = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    return pd.DataFrame(
        {"pian": upper, "wangge": lower}, index=pd.Index(frame["atom_id"], name="atom_id")
    )


@st.composite
def plans(draw):
    frame = draw(st.one_of(grid_frames(), cell_frames()))
    return plan_of(frame, draw(groupings(frame)))


@st.composite
def redraws(draw, plan):
    """The same atoms after some random merges and splits of cells, and moves between parents."""
    frame = plan.atoms.frame
    groups = plan.labels.copy()
    for _ in range(draw(st.integers(0, 4))):
        what = draw(st.sampled_from(("merge", "split", "move")))
        key = draw(st.sampled_from(("pian", "wangge")))
        cells = sorted(groups[key].unique())
        one = draw(st.sampled_from(cells))
        if what == "merge":
            groups[key] = groups[key].replace(one, draw(st.sampled_from(cells)))
        else:
            own = np.flatnonzero((groups[key] == one).to_numpy())
            kept = draw(st.integers(1, len(own)))
            target = f"new{draw(st.integers(0, 99))}" if what == "split" else cells[0]
            groups.iloc[own[kept:], groups.columns.get_loc(key)] = target
    return plan_of(frame, groups)


def held(plan, key):
    """Atoms of each cell."""
    return {code: frozenset(own.index) for code, own in plan.labels.groupby(key)}


def require_sound(plan):
    assert plan.cell_table.index.is_unique
    for code, row in plan.cell_table.iterrows():
        above = row["parent"] or plan.district.code
        assert isinstance(code, str)
        assert code.startswith(above)
        assert len(code) - len(above) == SCHEME.level(row["level"]).code_width
    assert set(plan.labels["pian"]) | set(plan.labels["wangge"]) == set(plan.cell_table.index)


@given(plans())
def test_codes_are_unique_and_begin_with_their_parents(plan):
    require_sound(plan)
    numbers = plan.cell_table.index.str[-2:].astype(int)
    for _, own in plan.cell_table.assign(n=numbers).groupby(["level", "parent"]):
        assert sorted(own["n"]) == list(range(1, len(own) + 1))


@given(plans(), st.data())
def test_the_order_of_the_rows_and_old_codes_do_not_matter(plan, data):
    frame = plan.atoms.frame
    order = data.draw(st.permutations(range(len(frame))))
    turned = plan_of(frame.iloc[order].reset_index(drop=True), plan.labels)
    pd.testing.assert_frame_equal(turned.labels.reindex(plan.labels.index), plan.labels)
    again = number_plan(plan)
    pd.testing.assert_frame_equal(again.labels, plan.labels)
    pd.testing.assert_frame_equal(again.cell_table, plan.cell_table)


@given(plans(), st.data())
def test_cells_that_a_redraw_leaves_alone_keep_their_codes(plan, data):
    changed = data.draw(redraws(plan))
    kept = number_plan(changed, near=plan)
    require_sound(kept)
    before, after = held(plan, "pian"), held(kept, "pian")
    for code, atoms in before.items():
        same = [new for new, own in after.items() if own == atoms]
        assert same in ([], [code])
    old_parents = plan.cell_table["parent"]
    for code, atoms in held(plan, "wangge").items():
        same = [new for new, own in held(kept, "wangge").items() if own == atoms]
        if same and kept.cell_table.loc[same[0], "parent"] == old_parents[code]:
            assert same == [code]
    for key in SCHEME.levels:
        assert sorted(map(sorted, held(kept, key.key).values())) == sorted(
            map(sorted, held(changed, key.key).values())
        )


@given(plans(), st.data())
def test_a_kept_code_is_held_by_the_heir_of_its_households(plan, data):
    kept = number_plan(data.draw(redraws(plan)), near=plan)
    homes = plan.atoms.frame.set_index("atom_id")["households"]
    for code, atoms in held(plan, "pian").items():
        new = held(kept, "pian")
        if code not in new:
            continue
        shares = {one: int(homes[list(own & atoms)].sum()) for one, own in new.items()}
        assert shares[code] == max(shares.values())


@given(plans(), st.data())
def test_retired_codes_are_never_used_again(plan, data):
    used = set(plan.cell_table.index)
    current = plan
    for step in range(3):
        following = number_plan(data.draw(redraws(current)), near=current)
        following = replace(following, version=f"v{step}")
        require_sound(following)
        now = set(following.cell_table.index)
        fresh = now - set(current.cell_table.index)
        assert not fresh & used
        used |= now
        history = following.code_history
        assert history["code"].is_unique
        assert set(history["code"]) == used
        assert set(history.loc[history["to_version"] == "", "code"]) == now
        gone = history[(history["to_version"] != "") & history["code"].isin(current.leaf.unique())]
        assert (gone["successors"] != "").all()
        current = following


@given(plans(), st.data())
def test_keeping_codes_twice_is_keeping_them_once(plan, data):
    changed = data.draw(redraws(plan))
    once = number_plan(changed, near=plan)
    twice = number_plan(once, near=plan)
    pd.testing.assert_frame_equal(once.labels, twice.labels)
    pd.testing.assert_frame_equal(once.code_history, twice.code_history)
    order = data.draw(st.permutations(range(len(changed.labels))))
    turned = plan_of(changed.atoms.frame.iloc[order].reset_index(drop=True), changed.labels)
    other = number_plan(turned, near=plan)
    pd.testing.assert_frame_equal(other.labels.reindex(once.labels.index), once.labels)
