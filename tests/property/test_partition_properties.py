"""What holds for every partition and every nested plan, whatever the atoms."""

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import atom_frames, cell_frames, grid_frames

from geogrid.divide.nest import divide
from geogrid.divide.number import number_plan
from geogrid.divide.partition import partition_atoms
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme

SCHEME = Scheme(
    key="two",
    title="片-网格",
    levels=(
        Level(key="pian", name="片", band=HouseholdBand(low=60, high=120)),
        Level(key="wangge", name="网格", band=HouseholdBand(low=15, high=30)),
    ),
)


def pieces_of(atoms, label):
    """Count connected pieces by hand, one flood a piece."""
    graph = atoms.graph
    beside = [[] for _ in range(graph.n)]
    for one, two in zip(graph.left.tolist(), graph.right.tolist(), strict=True):
        if label[one] == label[two]:
            beside[one].append(two)
            beside[two].append(one)
    seen, count = set(), 0
    for start in range(graph.n):
        if start in seen:
            continue
        count += 1
        todo = [start]
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo.extend(beside[node])
    return count


@given(atom_frames(), st.data())
def test_every_atom_is_in_exactly_one_of_k_connected_parts(frame, data):
    atoms = Atoms.from_frame(frame)
    islands = pieces_of(atoms, np.zeros(len(frame)))
    parts = data.draw(st.integers(1, len(frame)))
    partition = partition_atoms(atoms, parts=parts, seed=data.draw(st.integers(0, 3)))
    labels = partition.labels
    assert list(labels.index) == list(frame["atom_id"])
    assert sorted(labels.unique()) == list(range(parts))
    assert partition.report.households.sum() == frame["households"].sum()
    found = pieces_of(atoms, labels.to_numpy())
    assert partition.report.components == found
    # Only where the district itself has more pieces than parts may a part have several.
    assert found <= max(parts, parts + islands - 1) if parts < islands else found == parts


@given(cell_frames(), st.data())
def test_every_part_has_households_where_there_are_atoms_enough_with_some(frame, data):
    atoms = Atoms.from_frame(frame)
    assume(pieces_of(atoms, np.zeros(len(frame))) == 1)
    populated = int((frame["households"] > 0).sum())
    assume(populated > 0)
    parts = data.draw(st.integers(1, populated))
    report = partition_atoms(atoms, parts=parts, seed=data.draw(st.integers(0, 3))).report
    assert (report.households > 0).all()


@given(atom_frames(), st.data())
def test_the_order_of_the_rows_does_not_matter(frame, data):
    parts = data.draw(st.integers(1, len(frame)))
    shuffled = frame.iloc[data.draw(st.permutations(range(len(frame))))]
    one = partition_atoms(frame, parts=parts, seed=5).labels
    two = partition_atoms(shuffled.reset_index(drop=True), parts=parts, seed=5).labels
    assert one.equals(two.reindex(one.index))
    assert one.equals(partition_atoms(frame, parts=parts, seed=5).labels)


@given(atom_frames(), st.data())
def test_the_floor_names_the_heaviest_atom_when_it_outweighs_the_target(frame, data):
    parts = data.draw(st.integers(1, len(frame)))
    report = partition_atoms(frame, parts=parts).report
    target = frame["households"].sum() / parts
    heaviest = frame["households"].max()
    assert report.deviation >= report.floor - 1e-12
    if target > 0 and heaviest > target:
        assert report.floor == heaviest / target - 1
        named = frame.set_index("atom_id")["households"][report.floor_atom]
        assert named == heaviest
    else:
        assert report.floor == 0
        assert report.floor_atom is None


@given(cell_frames(), st.data())
def test_one_locked_atom_a_part_always_keeps_its_label(frame, data):
    parts = data.draw(st.integers(1, len(frame)))
    ids = data.draw(st.permutations(list(frame["atom_id"])))
    count = data.draw(st.integers(0, parts))
    names = data.draw(st.permutations(range(parts)))
    locked = dict(zip(ids[:count], names[:count], strict=True))
    partition = partition_atoms(frame, parts=parts, locked=locked)
    for atom, label in locked.items():
        assert partition.labels[atom] == label
    assert sorted(partition.labels.unique()) == list(range(parts))
    assert partition.report.components == parts


@given(grid_frames(least=3), st.integers(0, 2))
def test_levels_nest_and_keep_every_household(frame, seed):
    atoms = Atoms.from_frame(frame)
    plan = divide(None, atoms, SCHEME, seed=seed)
    total = int(frame["households"].sum())
    for level in SCHEME.area_levels:
        assert plan.cells(level.key)["households"].sum() == total
        assert plan.members(level.key)["atom_id"].is_unique
        assert plan.cells(level.key).geometry.area.sum() == atoms.frame.geometry.area.sum()
    above = plan.labels.groupby("wangge")["pian"].nunique()
    assert (above == 1).all()
    assert all(
        code.startswith(parent)
        for code, parent in zip(plan.labels["wangge"], plan.labels["pian"], strict=True)
    )


@given(grid_frames(least=3))
def test_numbering_twice_gives_the_same_codes(frame):
    plan = divide(None, Atoms.from_frame(frame), SCHEME)
    again = number_plan(plan)
    pd.testing.assert_frame_equal(again.labels, plan.labels)
    pd.testing.assert_frame_equal(again.cell_table, plan.cell_table)


@given(grid_frames(least=3), st.data())
def test_the_order_of_the_rows_does_not_matter_to_a_plan(frame, data):
    shuffled = frame.iloc[data.draw(st.permutations(range(len(frame))))].reset_index(drop=True)
    one = divide(None, Atoms.from_frame(frame), SCHEME).labels
    two = divide(None, Atoms.from_frame(shuffled), SCHEME).labels
    pd.testing.assert_frame_equal(one, two.reindex(one.index))


@given(grid_frames(least=4), st.integers(0, 3))
def test_cells_of_an_earlier_plan_stay_together_when_locked(frame, seed):
    atoms = Atoms.from_frame(frame)
    before = divide(None, atoms, SCHEME)
    codes = before.labels["wangge"].unique()
    assume(len(codes) > 1)
    kept = before.labels[before.labels["wangge"].isin(codes[: len(codes) // 2])]
    connected = pieces_of(atoms, np.unique(before.leaf, return_inverse=True)[1]) == len(codes)
    assume(connected)
    after = divide(None, atoms, SCHEME, locked=kept[["wangge"]], seed=seed)
    for atom_ids in kept.groupby("wangge").groups.values():
        assert len(set(after.leaf[atom_ids])) == 1
    assert after.leaf[kept.index].nunique() == kept["wangge"].nunique()
