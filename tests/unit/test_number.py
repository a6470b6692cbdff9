from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from strategies import grid_frame

from geogrid.divide.nest import divide
from geogrid.divide.number import number_cells, number_plan
from geogrid.errors import InputError
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract


def one_level(**fields):
    return Scheme(key="one", title="网格", levels=(Level(key="cell", name="网格", **fields),))


def groups_of(frame, **columns):
    return pd.DataFrame(columns, index=pd.Index(frame["atom_id"], name="atom_id"))


def test_cells_are_read_from_west_to_east_and_then_from_north_to_south():
    frame = grid_frame(3, 2)
    own = groups_of(frame, cell=frame["atom_id"].to_numpy())
    labels = number_cells(Atoms.from_frame(frame), own, one_level()).labels["cell"]
    order = ["a000-001", "a001-001", "a002-001", "a000-000", "a001-000", "a002-000"]
    assert labels[order].tolist() == ["01", "02", "03", "04", "05", "06"]


def test_a_small_step_between_neighbours_does_not_break_a_row():
    frame = grid_frame(4, 1)
    frame["geometry"] = frame.geometry.translate(0, 0)
    shifted = frame.geometry.to_numpy().copy()
    shifted[[0, 2]] = frame.geometry.translate(0, -30).to_numpy()[[0, 2]]
    frame = frame.set_geometry(shifted)
    own = groups_of(frame, cell=range(4))
    labels = number_cells(Atoms.from_frame(frame), own, one_level()).labels["cell"]
    assert labels.tolist() == ["01", "02", "03", "04"]


def test_codes_carry_the_parents_code_and_the_districts():
    frame = grid_frame(4, 1)
    scheme = Scheme(
        key="two",
        title="",
        levels=(
            Level(key="pian", name="片", name_template="{parent}第{n}片"),
            Level(key="cell", name="网格", code_width=3, name_template="{parent}{n}号网格 {code}"),
        ),
    )
    groups = groups_of(frame, pian=["e", "e", "w", "w"], cell=["b", "a", "a", "b"])
    numbering = number_cells(
        Atoms.from_frame(frame), groups, scheme, prefix="510116", district="华阳"
    )
    assert numbering.labels["cell"].tolist() == [
        "51011601001",
        "51011601002",
        "51011602001",
        "51011602002",
    ]
    table = numbering.cell_table
    assert table.loc["51011602", "parent"] == ""
    assert table.loc["51011602001", "parent"] == "51011602"
    assert table.loc["51011602001", "name"] == "华阳第2片1号网格 51011602001"
    assert table["level"].tolist() == ["pian"] * 2 + ["cell"] * 4


def test_codes_are_text_and_widen_for_the_whole_level():
    frame = grid_frame(12, 1)
    groups = groups_of(frame, cell=range(12))
    labels = number_cells(Atoms.from_frame(frame), groups, one_level(code_width=1)).labels["cell"]
    assert labels.tolist() == [f"{n:02d}" for n in range(1, 13)]
    assert all(isinstance(code, str) for code in labels)


def test_an_atom_without_a_cell_is_named():
    frame = grid_frame(2, 1)
    groups = groups_of(frame, cell=["x", None])
    with pytest.raises(InputError, match="a001-000 has no cell at level cell"):
        number_cells(Atoms.from_frame(frame), groups, one_level())


def test_the_order_of_the_rows_does_not_matter():
    frame = grid_frame(5, 5)
    groups = groups_of(frame, cell=np.arange(25) // 3)
    turned = frame.iloc[::-1].reset_index(drop=True)
    one = number_cells(Atoms.from_frame(frame), groups, one_level()).labels
    two = number_cells(Atoms.from_frame(turned), groups, one_level()).labels
    pd.testing.assert_frame_equal(one, two.reindex(one.index))


def sample_plan():
    frame = grid_frame(6, 6, 10)
    atoms = Atoms.from_frame(frame)
    district = District(limit=atoms.limit, crs=None, name="华阳", code="510116")
    return divide(district, atoms, one_level(band=HouseholdBand(low=30, high=50)))


def test_numbering_a_plan_again_changes_nothing():
    plan = sample_plan()
    again = number_plan(plan)
    pd.testing.assert_frame_equal(again.labels, plan.labels)
    pd.testing.assert_frame_equal(again.cell_table, plan.cell_table)


def test_numbering_restores_disturbed_codes_and_keeps_kinds_and_heads_with_their_cells():
    plan = sample_plan()
    codes = sorted(plan.leaf.unique())
    renamed = dict(zip(codes, reversed(codes), strict=True))
    table = plan.cell_table.rename(index=renamed)
    table.loc[renamed[codes[0]], ["kind", "head"]] = ["专属", "张三"]
    labels = plan.labels.assign(cell=plan.leaf.map(renamed))
    disturbed = replace(plan, labels=labels, cell_table=table, version="v2")
    mended = number_plan(disturbed)
    pd.testing.assert_frame_equal(mended.labels, plan.labels)
    assert mended.cell_table.loc[codes[0], "kind"] == "专属"
    assert mended.cell_table.loc[codes[0], "head"] == "张三"
    assert mended.parent_version == "v2"


def test_roster_cells_are_not_numbered_from_a_map():
    plan = sample_plan()
    roster = Level(key="lin", name="邻", contract=Contract.ROSTER)
    scheme = replace(plan.scheme, levels=(*plan.scheme.levels, roster))
    table = plan.cell_table.copy()
    table.loc["x1"] = ["lin", "邻", "普通", "", ""]
    with pytest.raises(InputError, match="roster"):
        number_plan(replace(plan, scheme=scheme, cell_table=table))
