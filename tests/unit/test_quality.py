from __future__ import annotations

import json
import re
from dataclasses import replace
from math import pi
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from pyproj import CRS
from shapely.geometry import LineString, Point, box

from geogrid.cli import main
from geogrid.divide.quality import measure_quality
from geogrid.errors import CrsError, OutputError
from geogrid.io.quality_file import write_quality
from geogrid.maps.quality_page import quality_page
from geogrid.maps.quality_picture import draw_quality
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.quality_words import METRICS, border_rows, metric_rows
from geogrid.model.scheme import CellException, HouseholdBand, Level, Scheme
from geogrid.model.source import Source
from geogrid.vocabulary import Contract, DefectKind
from geogrid.workflow import sample_folder

SIDE = 100
CRS_HERE = CRS.from_epsg(4547)
# Four squares in a row, two rows: atoms a0 … a3 below, a4 … a7 above.
HOUSEHOLDS = (10, 20, 30, 40, 10, 20, 30, 60)
CELLS = ("A", "A", "B", "B", "A", "A", "C", "C")


def squares(households=HOUSEHOLDS, *, crs=CRS_HERE):
    places = [(at % 4, at // 4) for at in range(8)]
    return gpd.GeoDataFrame(
        {"atom_id": [f"a{at}" for at in range(8)], "households": list(households)},
        geometry=[box(x * SIDE, y * SIDE, (x + 1) * SIDE, (y + 1) * SIDE) for x, y in places],
        crs=crs,
    )


def lines(*rows, crs=CRS_HERE):
    kinds, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"kind": list(kinds)}, geometry=[LineString(shape) for shape in shapes], crs=crs
    )


def areas(*boxes, crs=CRS_HERE, **columns):
    return gpd.GeoDataFrame(columns, geometry=[box(*one) for one in boxes], crs=crs)


def make_plan(  # noqa: PLR0913 - each test turns one of them
    cells=CELLS,
    *,
    households=HOUSEHOLDS,
    kinds=None,
    band=None,
    exceptions=(),
    barriers=None,
    sources=(),
    crs=CRS_HERE,
    names=None,
):
    atoms = Atoms.from_frame(squares(households, crs=crs), barriers=barriers)
    kind = kinds or {}
    table = pd.DataFrame(
        [
            {"code": code, "level": "ge", "name": (names or {}).get(code, f"格{code}"),
             "kind": kind.get(code, "普通"), "parent": "", "head": ""}
            for code in sorted(set(cells))
        ]
    ).set_index("code")  # fmt: skip
    level = Level(
        key="ge", name="网格", aliases=("格",), band=band, kinds=("普通", "专属", "街区"),
        unbalanced_kinds=("专属",), kind_counts=(("街区", "merchants"),),
    )  # fmt: skip
    return GridPlan(
        district=District(limit=atoms.limit, crs=crs, name="试验区"),
        scheme=Scheme(key="t", title="试", levels=(level,), exceptions=exceptions),
        atoms=atoms,
        labels=pd.DataFrame({"ge": list(cells)}, index=pd.Index(atoms.frame["atom_id"])),
        cell_table=table,
        sources=sources,
        version="v1",
    )


def level_of(plan, **tables):
    return measure_quality(plan, **tables).level("ge")


def test_balance_is_measured_against_what_each_cell_would_hold_if_all_were_equal():
    balance = level_of(make_plan()).balance
    held = np.array([60, 70, 90])
    assert (balance.cells, balance.households) == (3, 220)
    assert (balance.least, balance.most) == (60, 90)
    assert balance.mean == pytest.approx(220 / 3)
    assert balance.deviation_max == pytest.approx(90 * 3 / 220 - 1)
    assert balance.deviation_mean == pytest.approx(np.abs(held * 3 / 220 - 1).mean())
    assert balance.cv == pytest.approx(held.std() / held.mean())
    assert balance.in_band is None


def test_both_ends_of_a_band_are_inside_and_cells_outside_are_listed_farthest_first():
    level = level_of(
        make_plan(
            ("A", "B", "C", "D", "E", "F", "G", "H"),
            households=(299, 300, 400, 500, 501, 400, 900, 400),
            band=HouseholdBand(low=300, high=500),
        )
    )
    assert level.out_of_band["code"].tolist() == ["G", "A", "E"]
    assert level.out_of_band["households"].tolist() == [900, 299, 501]
    assert level.balance.in_band == 5
    assert level.balance.in_band_share == pytest.approx(5 / 8)


def test_kinds_outside_the_balance_and_kinds_that_count_merchants_stand_apart():
    cells = ("A", "B", "C", "D", "A", "B", "C", "D")
    level = level_of(
        make_plan(
            cells,
            households=(50, 50, 0, 3, 0, 0, 0, 0),
            kinds={"C": "专属", "D": "街区"},
            band=HouseholdBand(low=40, high=60),
        )
    )
    assert level.apart == {"专属": 1, "街区": 1}
    assert (level.balance.cells, level.balance.in_band) == (2, 2)
    assert level.balance.deviation_max == 0
    assert level.out_of_band.empty


def test_a_plan_of_special_cells_alone_has_no_balance():
    level = level_of(make_plan(("A",) * 8, kinds={"A": "专属"}))
    assert level.balance is None
    assert level.floor is None


def test_a_plan_without_households_has_no_deviation():
    level = level_of(make_plan(households=(0,) * 8))
    assert (level.balance.deviation_max, level.balance.cv, level.floor) == (0, 0, None)


def test_an_allowed_exception_is_listed_and_marked():
    allowed = CellException(code="C", allows=(DefectKind.OUT_OF_BAND,))
    band = HouseholdBand(low=65, high=80)
    rows = level_of(make_plan(band=band, exceptions=(allowed,))).out_of_band
    assert dict(zip(rows["code"], rows["allowed"], strict=True)) == {"A": False, "C": True}


def test_a_cell_in_two_pieces_is_listed_and_a_corner_is_no_contact():
    level = level_of(make_plan(("A", "B", "B", "B", "B", "A", "B", "B")))
    assert level.disconnected.to_dict("records") == [
        {"code": "A", "name": "格A", "pieces": 2},
        {"code": "B", "name": "格B", "pieces": 2},
    ]
    assert level.components == 4


def test_compactness_is_that_of_the_united_squares():
    level = level_of(make_plan())
    square, oblong = pi / 4, 4 * pi * 2 / 6**2
    assert level.shape.mean == pytest.approx((square + 2 * oblong) / 3)
    assert level.shape.worst == pytest.approx(oblong)
    assert level.shape.worst_code == "B"
    assert level.shape.tenth == pytest.approx(np.percentile([square, oblong, oblong], 10))
    assert level.cells["area_m2"].tolist() == [40_000, 20_000, 20_000]


def test_a_border_on_two_lines_counts_once_for_the_stronger_and_one_on_none_for_none():
    barriers = lines(
        ("street", [(200, -50), (200, 250)]),
        ("river", [(200, 0), (200, 100)]),
        ("cell", [(200, 100), (300, 100)]),
    )
    level = level_of(make_plan(barriers=barriers))
    assert level.borders.length_m == pytest.approx(400)
    assert level.borders.on_kind_m == pytest.approx({"river": 100, "street": 100, "cell": 100})
    assert list(level.borders.on_kind_m) == ["river", "street", "cell"]
    assert level.borders.mapped_m == pytest.approx(200)
    assert level.borders.mapped_share == pytest.approx(0.5)


def test_given_lines_take_the_place_of_those_that_the_atoms_were_cut_along():
    barriers = lines(("rail", [(200, 0), (200, 200)]))
    plan = make_plan(barriers=lines(("street", [(200, 0), (200, 200)])))
    assert level_of(plan, barriers=barriers).borders.on_kind_m == pytest.approx({"rail": 200})


def test_an_official_limit_is_no_line_that_people_see_unless_a_street_runs_there():
    barriers = lines(
        ("limit", [(200, 0), (200, 200)]),
        ("street", [(200, 0), (200, 100)]),
    )
    level = level_of(make_plan(("A", "A", "B", "B") * 2, barriers=barriers))
    assert level.borders.on_kind_m == pytest.approx({"street": 100, "limit": 100})
    assert level.borders.mapped_share == pytest.approx(0.5)


def test_a_line_that_only_crosses_a_border_is_not_followed():
    barriers = lines(("street", [(0, 30), (400, 30)]))
    level = level_of(make_plan(("A", "A", "B", "B") * 2, barriers=barriers))
    assert level.borders.on_kind_m == {}
    assert level.borders.mapped_share == 0


def test_one_cell_has_no_inner_border_and_without_lines_nothing_is_said_of_borders():
    assert (
        level_of(
            make_plan(("A",) * 8, barriers=lines(("street", [(0, 0), (9, 0)])))
        ).borders.mapped_share
        is None
    )
    report = measure_quality(make_plan())
    assert report.level("ge").borders is None
    assert any("lines of the map are not known" in note for note in report.notes)


def test_a_building_is_cut_only_where_cells_meet_and_more_than_drawing_error_lies_beyond():
    buildings = areas(
        (90, 10, 110, 20),  # on a border of two atoms of one cell
        (190, 10, 210, 20),  # half here, half there
        (150, 30, 200.05, 40),  # half a square metre beyond
        (-20, 10, 20, 20),  # only the limit cuts it
    )
    assert level_of(make_plan(), buildings=buildings).buildings_cut == 1
    assert level_of(make_plan()).buildings_cut is None


def test_a_compound_is_cut_with_buildings_on_both_sides_and_torn_where_neighbours_share_a_cell():
    compounds = areas(
        (150, 10, 250, 90), (150, 110, 250, 190), (210, 10, 390, 90),
        name=["同心苑", "空地苑", "整苑"],
    )  # fmt: skip
    buildings = areas(
        (160, 20, 170, 30), (160, 40, 170, 50), (220, 20, 230, 30),  # both sides of the border
        (160, 120, 170, 130),  # one side only
    )  # fmt: skip
    level = level_of(make_plan(), compounds=compounds, buildings=buildings)
    assert level.compounds_cut.to_dict("records") == [
        {"compound": "同心苑", "cells": ("A", "B"), "buildings": 3, "apart": 1, "is_inner": False}
    ]
    assert level.compounds_torn == 1


def test_empty_layers_of_buildings_and_compounds_cut_nothing():
    nothing = areas()
    level = level_of(make_plan(), compounds=nothing, buildings=nothing)
    assert (level.buildings_cut, len(level.compounds_cut), level.compounds_torn) == (0, 0, 0)


def test_a_compound_divided_within_itself_is_not_torn():
    compounds = areas((150, 10, 250, 90), name=["同心苑"])
    buildings = areas((160, 20, 170, 30), (220, 20, 230, 30))
    level = level_of(make_plan(), compounds=compounds, buildings=buildings)
    assert (len(level.compounds_cut), level.compounds_torn) == (1, 0)


def test_household_points_stand_in_for_buildings_of_compounds():
    compounds = areas((150, 10, 250, 90), compound=["C1"])
    homes = gpd.GeoDataFrame(geometry=[Point(160, 20), Point(240, 20)], crs=CRS_HERE)
    level = level_of(make_plan(), compounds=compounds, households=homes)
    assert level.compounds_cut["compound"].tolist() == ["C1"]
    assert level_of(make_plan(), compounds=compounds).compounds_cut is None


def test_the_same_plan_moves_nobody():
    moves = level_of(make_plan(), near=make_plan()).moves
    assert (moves.households, moves.same_code, moves.same_cell) == (220, 220, 220)


def test_renumbering_moves_codes_but_no_cells():
    new = make_plan(("B", "B", "A", "A", "B", "B", "C", "C"))
    moves = level_of(new, near=make_plan()).moves
    assert (moves.same_code, moves.same_cell) == (90, 220)


def test_a_moved_atom_takes_its_households_along_and_a_merged_cell_goes_on_once():
    new = make_plan(("A", "A", "B", "B", "A", "A", "B", "C"))
    moves = level_of(new, near=make_plan()).moves
    assert (moves.same_code, moves.same_cell) == (190, 190)
    merged = level_of(make_plan(("A", "A", "B", "B", "A", "A", "B", "B")), near=make_plan()).moves
    # B held 70 and C 90: the merged cell goes on as C, under the code of B.
    assert (merged.same_code, merged.same_cell) == (130, 150)


def test_household_points_decide_where_atoms_differ_and_those_outside_are_noted():
    homes = gpd.GeoDataFrame(
        {"households": [3, 4, 5]},
        geometry=[Point(50, 50), Point(350, 150), Point(-99, 0)],
        crs=CRS_HERE,
    )
    report = measure_quality(make_plan(), near=make_plan(), households=homes)
    assert report.level("ge").moves.households == 7
    assert any("5 households lie in only one" in note for note in report.notes)


def test_an_older_plan_may_be_in_another_coordinate_system():
    old = make_plan()
    frame = old.atoms.frame
    shift = shapely.affinity.translate
    here = [shift(one, 500_000, 3_000_000) for one in frame.geometry]
    near_atoms = Atoms.from_frame(frame.set_geometry(gpd.GeoSeries(here, crs=CRS_HERE)))
    new = replace(old, atoms=near_atoms, district=District(limit=near_atoms.limit, crs=CRS_HERE))
    other = near_atoms.frame.to_crs(4548)
    far_atoms = Atoms.from_frame(other)
    near = replace(old, atoms=far_atoms, district=District(limit=far_atoms.limit, crs=other.crs))
    moves = level_of(new, near=near).moves
    assert (moves.households, moves.same_code) == (220, 220)


def test_a_level_that_the_older_plan_lacks_has_no_moves_and_an_alias_finds_it():
    def renamed(key, name, aliases=()):
        plan = make_plan()
        level = replace(plan.scheme.levels[0], key=key, name=name, aliases=aliases)
        return replace(
            plan,
            scheme=replace(plan.scheme, levels=(level,)),
            labels=plan.labels.rename(columns={"ge": key}),
            cell_table=plan.cell_table.assign(level=key),
        )

    assert level_of(make_plan(), near=renamed("pian", "片")).moves is None
    assert level_of(make_plan(), near=renamed("pian", "片", ("格",))).moves.same_code == 220


def test_the_floor_is_the_heaviest_atom_against_the_target_unless_the_band_holds_it():
    level = level_of(make_plan(households=(10, 10, 10, 10, 10, 10, 10, 180)))
    target = 250 / 3
    assert (level.floor.atom, level.floor.households) == ("a7", 180)
    assert level.floor.deviation == pytest.approx(180 / target - 1)
    band = HouseholdBand(low=10, high=200)
    roomy = level_of(make_plan(households=(10, 10, 10, 10, 10, 10, 10, 180), band=band))
    assert roomy.floor.deviation == 0


def test_a_special_cell_sets_no_floor():
    level = level_of(make_plan(households=(10, 10, 10, 10, 10, 10, 10, 180), kinds={"C": "专属"}))
    assert level.floor.households == 10


def roster_plan(codes):
    plan = make_plan()
    lin = Level(key="lin", name="邻", contract=Contract.ROSTER, band=HouseholdBand(low=2, high=3))
    table = pd.DataFrame(
        {
            "code": codes,
            "household_id": [f"h{at}" for at in range(len(codes))],
            "households": 1,
            "atom_id": "a0",
        }
    )
    facts = pd.DataFrame(
        {"level": "lin", "name": "邻", "kind": "普通", "parent": "A", "head": ""},
        index=pd.Index(sorted(set(codes)), name="code"),
    )
    return replace(
        plan,
        scheme=replace(plan.scheme, levels=(*plan.scheme.levels, lin)),
        cell_table=pd.concat([plan.cell_table, facts]),
        rosters={"lin": table},
    )


def test_a_roster_level_is_balanced_and_compared_household_by_household():
    old = roster_plan(["L1", "L1", "L1", "L2", "L2"])
    new = roster_plan(["L1", "L1", "L2", "L2", "L3"])
    level = measure_quality(new, near=old).level("邻")
    assert (level.shape, level.borders, level.components) == (None, None, None)
    assert level.out_of_band["code"].tolist() == ["L3"]
    assert (level.moves.households, level.moves.same_code, level.moves.same_cell) == (5, 3, 3)


def test_a_level_without_members_is_left_out():
    plan = make_plan()
    lin = Level(key="lin", name="邻", contract=Contract.ROSTER)
    bare = replace(plan, scheme=replace(plan.scheme, levels=(*plan.scheme.levels, lin)))
    assert [level.key for level in measure_quality(bare).levels] == ["ge"]


def test_rows_in_another_order_give_the_same_figures():
    plan = make_plan(barriers=lines(("street", [(200, 0), (200, 200)])))
    order = [5, 2, 7, 0, 3, 6, 1, 4]
    frame = plan.atoms.frame.iloc[order].reset_index(drop=True)
    shuffled = replace(
        plan,
        atoms=replace(plan.atoms, frame=frame),
        labels=plan.labels.iloc[order],
    )
    assert measure_quality(shuffled).to_dict() == measure_quality(plan).to_dict()


def test_a_layer_without_coordinate_system_is_refused():
    buildings = areas((0, 0, 9, 9), crs=None)
    with pytest.raises(CrsError, match="only one has a coordinate system"):
        measure_quality(make_plan(), buildings=buildings)


SYNTHETIC = Source(role="households", name="生成", is_synthetic=True)
ESTIMATED = Source(role="households", name="估算", is_estimated=True)


def full_report(**more):
    return measure_quality(
        make_plan(
            band=HouseholdBand(low=65, high=80),
            barriers=lines(("river", [(200, 0), (200, 200)])),
            **more,
        ),
        near=make_plan(),
        near_name="旧.gpkg",
        buildings=areas((190, 10, 210, 20)),
        compounds=areas((150, 5, 250, 90), name=["同心苑"]),
    )


def words_of(svg):
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    return " ".join(root.itertext())


def test_the_picture_is_sound_xml_and_says_what_was_measured():
    said = words_of(draw_quality(full_report()))
    for words in ("试验区网格质量", "达标 1/3（33.3%）", "切割建筑 1", "沿可见界线 50.0%",
                  "住户编码不变 100.0%", "最差 0.70：网格 B", "旧.gpkg"):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize(
    ("sources", "shown", "hidden"),
    [
        ((SYNTHETIC,), ["合成数据"], ["估算户数"]),
        ((ESTIMATED,), ["估算户数"], ["合成数据"]),
        ((), [], ["合成数据", "估算户数"]),
    ],
)
def test_pictures_and_tables_say_when_data_is_made_up_or_estimated(
    sources, shown, hidden, tmp_path
):
    report = full_report(sources=sources)
    write_quality(report, tmp_path / "q.csv")
    table = (tmp_path / "q.csv").read_text("utf-8-sig")
    for text in (draw_quality(report), quality_page(report), table):
        assert all(words in text for words in shown)
        assert not any(words in text for words in hidden)


def test_small_counts_are_not_written_into_pictures():
    plan = make_plan(
        ("A", "B", "C", "D", "E", "F", "G", "H"),
        households=(7, 300, 400, 500, 400, 400, 400, 400),
        band=HouseholdBand(low=300, high=500),
    )
    page = quality_page(measure_quality(plan))
    assert "&lt;10 至 500 户" in page
    assert "<td>&lt;10</td>" in page
    assert "<td>7</td>" not in page


def test_names_from_a_file_cannot_break_the_page():
    plan = make_plan(band=HouseholdBand(low=65, high=80), names={"A": "<script>alert(1)</script>"})
    named = replace(plan, district=replace(plan.district, name='<b>&"区'))
    page = quality_page(measure_quality(named))
    assert "<script" not in page
    assert "<b>" not in page
    assert '<b>&"区网格质量' in words_of(draw_quality(measure_quality(named)))


def test_no_bar_leaves_its_panel_and_every_cell_is_in_a_bar():
    plan = make_plan(
        tuple("ABCDEFGH"),
        households=(1, 70, 71, 72, 73, 74, 75, 4000),
        band=HouseholdBand(low=65, high=80),
    )
    report = measure_quality(plan)
    usual = report.levels[0].cells
    many = pd.concat([usual] + [usual.iloc[1:7]] * 20, ignore_index=True)
    svg = draw_quality(replace(report, levels=(replace(report.levels[0], cells=many),)))
    assert "≥" in words_of(svg)
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    space = "{http://www.w3.org/2000/svg}"
    for one in root.iter(f"{space}rect"):
        right = float(one.get("x")) + float(one.get("width"))
        assert 0 <= float(one.get("x")) <= right <= float(root.get("width"))
    tips = [one.text for one in root.iter(f"{space}title")]
    counted = {tip for tip in tips if "户：" in tip}
    assert sum(int(re.search(r"：(\d+) 个网格", tip)[1]) for tip in counted) == 128


def test_json_holds_the_figures_and_numbers_stay_numbers(tmp_path):
    path = write_quality(full_report(), tmp_path / "q.json")
    values = json.loads(path.read_text("utf-8"))
    level = values["levels"][0]
    assert level["balance"]["in_band"] == 1
    assert level["borders"] == {
        "length_m": 400.0, "on_kind_m": {"river": 200.0}, "mapped_share": 0.5,
    }  # fmt: skip
    assert level["compounds_cut"] == []
    assert level["out_of_band"][0] == {
        "code": "C", "name": "格C", "households": 90, "allowed": False,
    }  # fmt: skip


def test_the_workbook_has_a_sheet_for_each_list_and_codes_stay_text(tmp_path):
    plan = make_plan(tuple("=" + code for code in CELLS), band=HouseholdBand(low=65, high=80))
    book = openpyxl.load_workbook(write_quality(measure_quality(plan), tmp_path / "q.xlsx"))
    assert book.sheetnames == [
        "汇总", "户数超限", "不连片", "跨网格小区", "界线", "网格", "说明",
    ]  # fmt: skip
    cells = book["网格"]
    heads = [cell.value for cell in cells[1]]
    code = cells.cell(2, heads.index("编码 code") + 1)
    assert (code.value, code.data_type) == ("=A", "s")
    assert cells.cell(2, heads.index("户数 households") + 1).value == 60
    assert cells.max_row == 4


def test_a_table_has_one_row_a_level_and_every_metric_under_its_own_heading():
    table = metric_rows(full_report())
    assert len(table) == 1
    assert len(table.columns) == len(METRICS) + 2 == len(set(table.columns))
    assert table["沿可见界线 mapped_share"].tolist() == [0.5]


def test_the_rows_of_borders_add_up_to_the_whole():
    rows = border_rows(full_report())
    assert rows["米 metres"].tolist() == [200, 200]
    assert rows["占比 share"].sum() == pytest.approx(1)
    assert rows["界线 line"].tolist() == ["河流", "无明显地物"]


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"use \.json, \.csv, \.xlsx"):
        write_quality(full_report(), tmp_path / "q.pdf")


@pytest.fixture
def plan_file(tmp_path):
    plan = make_plan(
        band=HouseholdBand(low=65, high=80),
        barriers=lines(("river", [(200, 0), (200, 200)])),
        sources=(SYNTHETIC,),
    )
    return plan.to_file(tmp_path / "plan.gpkg")


def test_the_command_prints_the_figures_writes_every_kind_of_file_and_leaves_with_0(
    plan_file, tmp_path, capsys
):
    outs = [tmp_path / f"q.{suffix}" for suffix in ("json", "csv", "xlsx", "svg", "html")]
    options = [word for out in outs for word in ("--out", str(out))]
    assert main(["quality", str(plan_file), "--near", str(plan_file), *options]) == 0
    said = capsys.readouterr().out
    assert "合成数据" in said
    assert re.search(r"达标率 in band\s*│\s*33.3%", said)
    assert re.search(r"网格不变的户 keep their cell\s*│\s*100.0%", said)
    assert all(out.stat().st_size > 100 for out in outs)


def test_the_command_prints_one_json_object(plan_file, capsys):
    assert main(["quality", str(plan_file), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["levels"][0]["balance"]["most"] == 90
    assert values["is_synthetic"] is True


def test_the_command_refuses_a_suffix_and_to_overwrite_the_plan(plan_file, tmp_path, capsys):
    assert main(["quality", str(plan_file), "--out", str(tmp_path / "q.pdf")]) == 2
    assert ".svg" in capsys.readouterr().err
    svg = plan_file.with_suffix(".svg")
    plan_file.rename(svg)
    assert main(["quality", str(svg), "--out", str(svg)]) == 2
    assert "would be overwritten" in capsys.readouterr().err


@pytest.mark.slow
def test_cells_of_the_sample_cut_no_building_that_the_borders_of_its_atoms_do_not_cut(
    tmp_path, capsys
):
    assert main(["demo", "--out", str(tmp_path), "--quiet"]) in {0, 1}
    osm = sample_folder("helsinki") / "helsinki.osm.pbf"
    assert main(["quality", str(tmp_path / "plan.gpkg"), "--osm", str(osm), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    cut = [level["buildings_cut"] for level in values["levels"]]
    assert cut == sorted(cut)
    assert max(cut) <= values["cut_by_borders"]
    assert all(level["compounds_torn"] is not None for level in values["levels"])
    assert values["is_estimated"] is True
    finest = values["levels"][-1]
    assert finest["components"] == finest["cells"]
    assert sum(finest["borders"]["on_kind_m"].values()) <= finest["borders"]["length_m"] + 0.1
