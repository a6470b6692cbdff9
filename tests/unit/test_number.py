from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from strategies import grid_frame

from geogrid import schemes
from geogrid.divide.nest import divide
from geogrid.divide.number import (
    PRESETS,
    code_format,
    code_standing,
    number_cells,
    number_plan,
)
from geogrid.errors import InputError
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
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


def test_cells_without_an_area_keep_their_order_below_their_renamed_parents():
    plan = sample_plan()
    codes = sorted(plan.leaf.unique())
    roster = Level(key="lin", name="邻", contract=Contract.ROSTER, name_template="{parent}{n}邻")
    scheme = replace(plan.scheme, levels=(*plan.scheme.levels, roster))
    table = plan.cell_table.copy()
    table.loc["x2"] = ["lin", "", "普通", codes[1], "李四"]
    table.loc["x1"] = ["lin", "", "普通", codes[1], ""]
    table.loc["x3"] = ["lin", "老槐树邻", "普通", codes[0], ""]
    members = pd.DataFrame(
        {
            "code": ["x1", "x2", "x3"],
            "household_id": ["h1", "h2", "h3"],
            "households": [1, 1, 1],
            "atom_id": plan.labels.index[:3],
        }
    )
    listed = replace(plan, scheme=scheme, cell_table=table, rosters={"lin": members})
    numbered = number_plan(listed, prefix="9")
    assert numbered.district.code == "9"
    codes = numbered.rosters["lin"]["code"].tolist()
    assert codes == ["90201", "90202", "90101"]
    assert numbered.cell_table.loc["90202", ["name", "head"]].tolist() == ["华阳22邻", "李四"]
    assert numbered.cell_table.loc["90101", "name"] == "老槐树邻"
    pd.testing.assert_frame_equal(number_plan(numbered).cell_table, numbered.cell_table)


def row_plan(cells, *, households=1, scheme=None, prefix="430203001001", version="", level="cell"):
    """A row of squares, each in the cell of its letter."""
    frame = grid_frame(len(cells), 1, households)
    atoms = Atoms.from_frame(frame)
    scheme = scheme or one_level(name_template="{n}号")
    groups = groups_of(frame, **{level: list(cells)})
    numbering = number_cells(atoms, groups, scheme, prefix=prefix, district="朝阳社区居民委员会")
    return GridPlan(
        district=District(limit=atoms.limit, crs=None, name="朝阳社区居民委员会", code=prefix),
        scheme=scheme,
        atoms=atoms,
        labels=numbering.labels,
        cell_table=numbering.cell_table,
        version=version,
    )


def ends(plan):
    return [code[-2:] for code in plan.labels["cell"]]


def test_a_split_keeps_the_code_with_the_larger_part_and_the_history_names_both():
    old = row_plan("aaaabb", version="v1")
    kept = number_plan(row_plan("aaaxbb"), near=old)
    assert ends(kept) == ["01", "01", "01", "03", "02", "02"]
    history = kept.code_history.set_index("code")
    stem = old.district.code
    assert history.loc[f"{stem}01", "successors"] == f"{stem}01 {stem}03"
    assert history.loc[f"{stem}03", "origins"] == f"{stem}01"
    assert history["to_version"].tolist() == ["", "", ""]
    assert history["from_version"].tolist() == ["v1", "v1", ""]


def test_a_merge_retires_a_code_for_ever():
    old = row_plan("aaabbc", version="v1")
    merged = replace(number_plan(row_plan("aaaaac"), near=old), version="v2")
    assert ends(merged) == ["01"] * 5 + ["03"]
    gone = merged.code_history.set_index("code").loc["43020300100102"]
    assert (gone["to_version"], gone["successors"]) == ("v1", "43020300100101")
    split = number_plan(row_plan("aaabbc"), near=merged)
    assert ends(split) == ["01", "01", "01", "04", "04", "03"]
    with pytest.raises(InputError, match="retired codes, which must not be used again"):
        number_plan(split)
    afresh = number_plan(split, restart=True)
    assert ends(afresh) == ["01", "01", "01", "02", "02", "03"]
    assert afresh.code_history.empty


def test_households_say_who_inherits_and_ground_only_where_nobody_lived():
    counts = [9, 1, 1, 0, 0, 0]
    old = row_plan("aaabbb", households=counts)
    kept = number_plan(row_plan("axxyyz", households=counts), near=old)
    assert ends(kept) == ["01", "03", "03", "02", "02", "04"]


def test_an_atom_that_was_cut_shares_its_households_out_as_they_were():
    old = row_plan("ab", households=[4, 2])
    frame = grid_frame(4, 1, [2, 2, 1, 1])
    frame["geometry"] = frame.geometry.scale(0.5, 1, origin=(0, 0))
    atoms = Atoms.from_frame(frame)
    groups = groups_of(frame, cell=["x", "y", "y", "y"])
    numbering = number_cells(atoms, groups, old.scheme)
    cut = replace(old, atoms=atoms, labels=numbering.labels, cell_table=numbering.cell_table)
    kept = number_plan(cut, near=old)
    # Half of the first cell went to the second, which holds as much of it from further east.
    assert ends(kept) == ["01", "02", "02", "02"]


def test_a_cell_that_moves_to_another_parent_gets_a_code_of_that_parent():
    scheme = Scheme(
        key="two", title="", levels=(Level(key="pian", name="片"), Level(key="cell", name="网格"))
    )

    def plan_of(pian, cell):
        made = row_plan(cell, scheme=one_level())
        frame = made.atoms.frame
        numbering = number_cells(
            made.atoms, groups_of(frame, pian=list(pian), cell=list(cell)), scheme, prefix="9"
        )
        return replace(
            made,
            scheme=scheme,
            labels=numbering.labels,
            cell_table=numbering.cell_table,
            district=replace(made.district, code="9"),
        )

    old = plan_of("ppppqqq", "aabbccc")
    kept = number_plan(plan_of("ppqqqqq", "aabbccc"), near=old)
    assert kept.labels["pian"].tolist() == ["901"] * 2 + ["902"] * 5
    assert kept.labels["cell"].tolist() == ["90101"] * 2 + ["90202"] * 2 + ["90201"] * 3
    history = kept.code_history.set_index("code")
    assert history.loc["90102", "successors"] == "90202"


def test_official_codes_and_names_stay_as_they_are():
    scheme = Scheme(
        key="two",
        title="",
        levels=(
            Level(key="shequ", name="社区", locked=True, code_width=3),
            Level(key="cell", name="网格", name_template="{社区}{n}号网格"),
        ),
    )
    frame = grid_frame(4, 1)
    official = {"430203001007": "红旗社区居民委员会", "430203001002": "石桥村村民委员会"}
    groups = groups_of(frame, shequ=["430203001007"] * 2 + ["430203001002"] * 2, cell=list("abcc"))
    numbering = number_cells(
        Atoms.from_frame(frame), groups, scheme, prefix="430203", official={"shequ": official}
    )
    assert numbering.labels["shequ"].tolist() == groups["shequ"].tolist()
    table = numbering.cell_table
    assert table.loc["43020300100702", "name"] == "红旗社区2号网格"
    assert table.loc["43020300100201", "name"] == "石桥村1号网格"
    assert table.loc["430203001002", "name"] == "石桥村村民委员会"
    plan = replace(row_plan("abcd"), scheme=scheme, labels=numbering.labels, cell_table=table)
    again = number_plan(plan, prefix="110101")
    pd.testing.assert_frame_equal(again.labels, plan.labels)


def test_templates_take_the_names_of_coarser_levels_and_restart_in_each_parent():
    scheme = schemes.load("liuyang")
    wei = replace(scheme.level("wei"), contract=Contract.AREA)
    levels = (*(replace(one, locked=True) for one in scheme.levels[1:3]), wei)
    frame = grid_frame(4, 1)
    groups = groups_of(frame, xiang=["x"] * 4, cun=["a", "a", "b", "b"], wei=list("abab"))
    official = {"xiang": {"x": "柏加镇"}, "cun": {"a": "金谷山村村民委员会", "b": "双源村"}}
    numbering = number_cells(
        Atoms.from_frame(frame), groups, replace(scheme, levels=levels), official=official
    )
    names = numbering.cell_table.query("level == 'wei'")["name"].tolist()
    assert names == [
        "柏加镇金谷山村1号微网格",
        "柏加镇金谷山村2号微网格",
        "柏加镇双源村1号微网格",
        "柏加镇双源村2号微网格",
    ]


def test_bj15_has_fifteen_digits_below_a_community():
    numbered = number_plan(row_plan("abc"), preset="bj15")
    assert numbered.leaf.tolist() == [f"430203001001{n:03d}" for n in (1, 2, 3)]


def test_cjt349_has_twenty_digits_and_00_for_a_community_that_is_not_divided():
    numbered = number_plan(row_plan("abc"), preset="cjt349-20")
    assert numbered.leaf.tolist() == [f"00000043020300100{n}" for n in (101, 102, 103)]
    own = code_format("cjt349-20", object_code="120000")
    assert number_plan(row_plan("aaa"), preset=own).leaf.tolist() == ["12000043020300100100"] * 3
    kept = number_plan(row_plan("abx"), near=numbered)
    assert kept.leaf.tolist() == numbered.leaf.tolist()


def test_a_preset_without_an_official_code_is_refused():
    with pytest.raises(InputError, match="bj15 needs an official code of 6, 9, 12 digits"):
        number_plan(row_plan("ab", prefix="99"), preset="bj15")
    with pytest.raises(InputError, match="no code preset gb34300"):
        number_plan(row_plan("ab"), preset="gb34300")
    with pytest.raises(InputError, match="takes no object code"):
        code_format("bj15", object_code="000000")
    with pytest.raises(InputError, match="has 6 digits"):
        code_format("cjt349-20", object_code="12")


def test_no_preset_claims_more_than_was_seen():
    assert set(PRESETS) == {"geogrid", "bj15", "cjt349-20"}
    for key in PRESETS:
        standing = code_standing(key)
        assert "not" in standing["text"]
        assert "未见" in standing["text_zh"]
        assert "compliant" not in standing["text"]
    assert "GB/T 34300-2017 was not seen" in code_standing()["text"]


def test_numbers_that_do_not_fit_are_refused_by_number_plan_and_widened_by_a_division():
    plan = row_plan("abcdefghijkl", scheme=one_level(code_width=1), prefix="")
    assert plan.leaf.str.len().eq(2).all()
    with pytest.raises(InputError, match=r"12 cells of level cell .*--width cell=2"):
        number_plan(plan)
    wide = number_plan(plan, preset=code_format("geogrid", widths={"cell": 3}))
    assert wide.leaf.iloc[0] == "001"
    full = row_plan("abcdefghi", scheme=one_level(code_width=1), prefix="")
    frame_of_ten = row_plan("abcdefghij", scheme=one_level(code_width=1), prefix="")
    with pytest.raises(InputError, match="a code is never used again"):
        number_plan(frame_of_ten, near=full)


def test_plans_that_do_not_fit_together_are_refused():
    plan = row_plan("ab")
    with pytest.raises(InputError, match="codes are kept between plans of one scheme"):
        number_plan(row_plan("ab", scheme=one_level_named("x"), level="x"), near=plan)
    with pytest.raises(InputError, match="give one of them"):
        number_plan(plan, near=plan, prefix="7")
    free = plan.cell_table.rename(index={"43020300100101": "G1"})
    labels = plan.labels.replace("43020300100101", "G1")
    loose = replace(plan, cell_table=free, labels=labels)
    with pytest.raises(InputError, match=r"code G1 of level cell .* number the old plan first"):
        number_plan(plan, near=loose)


def one_level_named(key):
    return Scheme(key="other", title="", levels=(Level(key=key, name="别的"),))


def test_a_plan_file_keeps_the_history(tmp_path):
    old = row_plan("aaabbc", version="v1")
    merged = number_plan(row_plan("aaaaac"), near=old)
    read = GridPlan.from_file(merged.to_file(tmp_path / "plan.gpkg"))
    pd.testing.assert_frame_equal(read.code_history, merged.code_history)
    again = number_plan(row_plan("aaabbc"), near=read)
    assert ends(again) == ["01", "01", "01", "04", "04", "03"]
