"""Proof of a whole plan: every level, nesting, households, bands."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from map_plans import make_plan
from shapely import Point, box
from shapely.affinity import translate

from geogrid.coverage import verify_levels, verify_plan
from geogrid.errors import InputError
from geogrid.model.report import Certificate, LivedIn
from geogrid.model.scheme import CellException, HouseholdBand, Level
from geogrid.vocabulary import Contract, DefectKind


def with_band(plan, key, band):
    levels = tuple(
        replace(level, band=band) if level.key == key else level for level in plan.scheme.levels
    )
    return replace(plan, scheme=replace(plan.scheme, levels=levels))


def finest(plan):
    return plan.scheme.area_levels[-1].key


def test_every_level_is_proven_and_counts_every_household():
    plan = make_plan()
    report = verify_plan(plan)
    assert report.is_sound
    assert [proof.level for proof in report.certificate.levels] == [
        level.key for level in plan.scheme.area_levels
    ]
    assert {proof.households for proof in report.certificate.levels} == {plan.households}


def test_a_certificate_survives_json():
    certificate = verify_plan(make_plan()).certificate
    assert Certificate.from_dict(certificate.to_dict()) == certificate


def test_a_level_with_edges_left_over_is_no_proof_even_where_areas_agree():
    certificate = verify_plan(make_plan()).certificate
    torn = replace(certificate.levels[0], uncancelled=2)
    assert not replace(certificate, levels=(torn, *certificate.levels[1:])).is_proof


def test_a_hard_band_is_judged_and_a_soft_one_is_not():
    plan = make_plan()
    hard = with_band(plan, finest(plan), HouseholdBand(low=10, high=60, is_hard=True))
    report = verify_plan(hard)
    beyond = report.defects[report.defects["kind"] == "out_of_band"]
    cells = plan.cells(finest(plan))
    outside = cells[~cells["households"].between(10, 60)]
    assert sorted(cell[0] for cell in beyond["cells"]) == sorted(outside["code"])
    assert report.is_proven
    assert not report.is_sound
    soft = with_band(plan, finest(plan), HouseholdBand(low=10, high=60))
    assert verify_plan(soft).is_sound


@pytest.mark.parametrize(("low", "high"), [(5, 15), (300, 500)])
def test_both_ends_of_a_band_belong_to_it(low, high):
    band = HouseholdBand(low=low, high=high)
    assert [n in band for n in (low - 1, low, high, high + 1)] == [False, True, True, False]


def test_a_moved_cell_is_found_at_its_level_only():
    plan = make_plan()
    levels = {level: plan.cells(level.key) for level in plan.scheme.area_levels}
    last = plan.scheme.area_levels[-1]
    cells = levels[last]
    shapes = cells.geometry.to_numpy().copy()
    shapes[0] = translate(shapes[0], 0.5, 0)
    levels[last] = cells.set_geometry(gpd.GeoSeries(shapes, crs=cells.crs))
    report = verify_levels(levels, plan.atoms.limit)
    assert set(report.defects["level"]) == {last.key}
    assert {"overlap", "spans_parents"} & set(report.defects["kind"])
    assert report.certificate.levels[0].uncancelled == 0
    assert report.certificate.levels[-1].uncancelled > 0


def test_no_level_is_nothing_to_prove():
    with pytest.raises(InputError, match="no area level"):
        verify_levels({}, make_plan().atoms.limit)


CRS = 4547
AREA = Level(key="wangge", name="网格")
HOMES = Level(key="xiaoqu", name="小区", contract=Contract.HOUSEHOLD)
LIST = Level(key="lin", name="邻", contract=Contract.ROSTER)
LIMIT = box(0, 0, 200, 100)


def layer(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes.values()), crs=CRS).assign(
        code=list(shapes)
    )


def people(*places, counts=None):
    counts = [1] * len(places) if counts is None else counts
    frame = gpd.GeoDataFrame({"households": counts}, geometry=[Point(p) for p in places], crs=CRS)
    return frame.set_index(pd.Index([f"h{row}" for row in range(len(places))], name="household_id"))


def members(**groups):
    rows = [(code, who) for code, homes in groups.items() for who in homes.split()]
    return pd.DataFrame(rows, columns=["code", "household_id"])


def kinds_of(report):
    return sorted(report.defects["kind"])


HALVES = {"a": box(0, 0, 100, 100), "b": box(100, 0, 200, 100)}
# Two compounds with a street between them and a park beside.
COMPOUNDS = {"x1": box(10, 10, 80, 80), "x2": box(110, 10, 180, 80)}


def test_ground_between_compounds_is_no_defect_where_households_are_promised():
    homes = people((20, 20), (120, 20))
    report = verify_levels({AREA: layer(HALVES), HOMES: layer(COMPOUNDS)}, LIMIT, households=homes)
    assert report.is_sound
    assert report.lived_in == LivedIn(in_gaps=0, in_overlaps=0, outside=0)
    assert [one.contract for one in report.verdicts] == [Contract.AREA, Contract.HOUSEHOLD]
    assert [proof.contract for proof in report.certificate.levels] == ["area", "household"]
    assert Certificate.from_dict(report.certificate.to_dict()) == report.certificate
    # The same compounds under the other contract leave the park and the street uncovered.
    promised = replace(HOMES, contract=Contract.AREA)
    assert "inside_short" in kinds_of(verify_levels({promised: layer(COMPOUNDS)}, LIMIT))


def test_a_household_between_compounds_is_lost():
    homes = people((20, 20), (95, 95), counts=[1, 7])
    report = verify_levels({HOMES: layer(COMPOUNDS)}, LIMIT, households=homes)
    assert kinds_of(report) == ["unassigned_household"]
    assert report.defects["households"].tolist() == [7]
    assert report.lived_in.in_gaps == 7
    assert not report.is_proven


def test_compounds_that_overlap_share_the_households_there():
    shapes = {**COMPOUNDS, "x2": box(70, 10, 180, 80)}
    homes = people((20, 20), (75, 20), counts=[1, 3])
    report = verify_levels({HOMES: layer(shapes)}, LIMIT, households=homes)
    assert kinds_of(report) == ["double_household", "overlap"]
    overlap = report.defects[report.defects["kind"] == "overlap"].iloc[0]
    assert sorted(overlap["cells"]) == ["x1", "x2"]
    assert overlap["area_m2"] == pytest.approx(700)
    assert overlap["households"] == 3
    assert report.lived_in.in_overlaps == 3
    assert not report.is_proven


def test_compounds_that_touch_and_one_in_the_courtyard_of_another_are_sound():
    ring = box(0, 0, 100, 100).difference(box(40, 40, 60, 60))
    shapes = {"x1": ring, "x2": box(40, 40, 60, 60), "x3": box(100, 20, 150, 70)}
    assert verify_levels({HOMES: layer(shapes)}, LIMIT).is_sound


def test_a_compound_beyond_the_limit_is_outside():
    shapes = {**COMPOUNDS, "x2": box(110, 10, 203, 80)}
    homes = people((20, 20), (202, 20))
    report = verify_levels({HOMES: layer(shapes)}, LIMIT, households=homes)
    assert kinds_of(report) == ["outside"]
    worst = report.defects.iloc[0]
    assert worst["cells"] == ("x2",)
    assert worst["area_m2"] == pytest.approx(210)
    assert (worst["width_m"], worst["severity"]) == (pytest.approx(3, rel=0.1), "real")
    assert report.lived_in.outside == 1


def test_a_compound_across_two_grids_spans_its_parents():
    shapes = {**COMPOUNDS, "x1": box(10, 10, 104, 80)}
    report = verify_levels({AREA: layer(HALVES), HOMES: layer(shapes)}, LIMIT)
    assert kinds_of(report) == ["spans_parents"]
    worst = report.defects.iloc[0]
    assert (worst["cells"], worst["level"]) == (("x1",), "xiaoqu")
    assert worst["area_m2"] == pytest.approx(4 * 70)


HOME_POINTS = [(20, 20), (30, 20), (120, 20), (130, 20)]


def test_lists_that_hold_everybody_once_are_sound():
    homes = people(*HOME_POINTS)
    report = verify_levels(
        {AREA: layer(HALVES), LIST: members(l1="h0 h1", l2="h2 h3")}, LIMIT, homes=homes
    )
    assert report.is_sound
    assert [one.cells for one in report.verdicts] == [2, 2]
    assert report.verdicts[1].households == 4


def test_a_household_in_no_list_is_named_with_the_grid_it_lives_in():
    homes = people(*HOME_POINTS, counts=[1, 1, 1, 5])
    report = verify_levels(
        {AREA: layer(HALVES), LIST: members(l1="h0 h1", l2="h2")}, LIMIT, homes=homes
    )
    assert kinds_of(report) == ["unassigned_household"]
    worst = report.defects.iloc[0]
    assert (worst["cells"], worst["households"], worst["level"]) == (("b",), 5, "lin")
    assert not report.is_proven


def test_a_household_in_two_lists_is_named_with_both():
    homes = people(*HOME_POINTS)
    report = verify_levels(
        {AREA: layer(HALVES), LIST: members(l1="h0 h1", l2="h1", l3="h2 h3")}, LIMIT, homes=homes
    )
    assert kinds_of(report) == ["double_household"]
    assert report.defects.iloc[0]["cells"] == ("l1", "l2")


def test_a_group_with_a_member_in_another_grid_spans_its_parents():
    homes = people(*HOME_POINTS)
    lists = members(l1="h0 h1 h2", l2="h3")
    report = verify_levels({AREA: layer(HALVES), LIST: lists}, LIMIT, homes=homes)
    assert kinds_of(report) == ["spans_parents"]
    assert report.defects.iloc[0]["cells"] == ("l1",)
    named = verify_levels(
        {AREA: layer(HALVES), LIST: lists.assign(parent=["b", "b", "b", "b"])}, LIMIT, homes=homes
    )
    assert named.defects.iloc[0]["households"] == 2


def test_a_list_band_flags_what_lies_outside_it_and_nothing_else():
    hard = replace(LIST, band=HouseholdBand(low=5, high=15, is_hard=True))
    counts = {"l4": 4, "l5": 5, "l15": 15, "l16": 16}
    homes = people(*[(10 + row, 10) for row in range(4)], counts=list(counts.values()))
    lists = members(**dict(zip(counts, ("h0", "h1", "h2", "h3"), strict=True)))
    report = verify_levels({AREA: layer(HALVES), hard: lists}, LIMIT, homes=homes)
    assert kinds_of(report) == ["out_of_band", "out_of_band"]
    assert {cells[0] for cells in report.defects["cells"]} == {"l4", "l16"}
    assert report.is_proven
    soft = replace(LIST, band=HouseholdBand(low=5, high=15))
    report = verify_levels({AREA: layer(HALVES), soft: lists}, LIMIT, homes=homes)
    assert report.is_sound
    assert report.verdicts[1].beyond == 2
    assert any("2 of 4 cells of level lin lie outside" in note for note in report.notes)


def test_a_member_that_is_nobody_is_said():
    report = verify_levels(
        {AREA: layer(HALVES), LIST: members(l1="h0 h9")}, LIMIT, homes=people((20, 20))
    )
    assert any("1 members of level lin name a home that is not there" in n for n in report.notes)


def test_a_list_that_does_not_say_who_is_refused():
    for table in (pd.DataFrame({"code": ["l1"]}), pd.DataFrame({"household_id": ["h0"]})):
        with pytest.raises(InputError, match="household_id"):
            verify_levels({AREA: layer(HALVES), LIST: table}, LIMIT)


def test_households_in_a_gap_at_two_levels_are_counted_once():
    torn = layer({"a": HALVES["a"], "b": box(100, 0, 150, 100)})
    finer = replace(AREA, key="wei", name="微网格")
    homes = people((20, 20), (180, 50), counts=[1, 6])
    report = verify_levels({AREA: torn, finer: torn}, LIMIT, households=homes)
    assert report.lived_in.in_gaps == 6
    assert (report.defects["households"] == 6).sum() == 4


def test_a_special_grid_is_not_judged_by_the_band_but_listed():
    level = replace(
        AREA,
        band=HouseholdBand(low=300, high=500, is_hard=True),
        kinds=("综合", "专属"),
        unbalanced_kinds=("专属",),
    )
    cells = layer(HALVES, kind=["综合", "专属"], households=[400, 0])
    report = verify_levels({level: cells}, LIMIT)
    assert report.is_sound
    assert report.exceptions["cells"].tolist() == [("b",)]
    assert report.exceptions["kind"].tolist() == ["out_of_band"]
    assert "专属" in report.exceptions["reason"].iloc[0]
    ordinary = verify_levels({level: cells.assign(kind="综合")}, LIMIT)
    assert kinds_of(ordinary) == ["out_of_band"]
    assert ordinary.exceptions.empty


CROSSING = {"a1": box(0, 0, 110, 100), "b1": box(110, 0, 200, 100)}


@pytest.mark.parametrize(
    ("level", "exceptions"),
    [
        (replace(AREA, spanning_kinds=("特色",)), ()),
        (replace(AREA, may_span_parents=True), ()),
        (AREA, (CellException(code="a1", reason="垦地融合试点"),)),
    ],
)
def test_a_listed_grid_across_parents_is_an_allowed_exception(level, exceptions):
    upper = replace(AREA, key="cun", name="村")
    finer = replace(level, key="wei", name="微网格")
    cells = layer(CROSSING, kind=["特色", "综合"])
    report = verify_levels({upper: layer(HALVES), finer: cells}, LIMIT, exceptions=exceptions)
    assert report.is_sound
    assert report.exceptions["kind"].tolist() == ["spans_parents"]
    assert report.exceptions["cells"].tolist() == [("a1",)]
    assert report.exceptions["area_m2"].tolist() == pytest.approx([1000])
    if exceptions:
        assert report.exceptions["reason"].tolist() == ["垦地融合试点"]
    plain = {upper: layer(HALVES), replace(AREA, key="wei", name="微网格"): cells}
    assert kinds_of(verify_levels(plain, LIMIT)) == ["spans_parents"]


def test_an_exception_allows_only_what_it_names():
    upper = replace(AREA, key="cun", name="村")
    listed = CellException(code="a1", allows=(DefectKind.OUT_OF_BAND,))
    report = verify_levels(
        {upper: layer(HALVES), AREA: layer(CROSSING)}, LIMIT, exceptions=[listed]
    )
    assert kinds_of(report) == ["spans_parents"]
    with pytest.raises(InputError, match="must name a cell and allow some of"):
        CellException(code="a1", allows=(DefectKind.GAP,))


def test_an_exception_for_a_cell_that_is_not_there_is_said():
    report = verify_levels({AREA: layer(HALVES)}, LIMIT, exceptions=[CellException(code="zz")])
    assert any("zz" in note for note in report.notes)
    assert report.is_sound


def test_an_overlap_is_never_an_allowed_exception():
    shapes = {**HALVES, "b": box(90, 0, 200, 100)}
    report = verify_levels({AREA: layer(shapes)}, LIMIT, exceptions=[CellException(code="b")])
    assert kinds_of(report) == ["overlap"]


def test_a_plan_with_lists_is_judged_by_them():
    plan = make_plan()
    codes = [f"{code}1" for code in plan.labels["wei"]]
    labels = plan.labels.assign(lin=codes)
    facts = pd.DataFrame(
        {"level": "lin", "name": "邻", "kind": "普通", "parent": plan.labels["wei"].to_numpy(),
         "head": ""},
        index=pd.Index(codes, name="code"),
    )  # fmt: skip
    scheme = replace(plan.scheme, levels=(*plan.scheme.levels, LIST))
    listed = replace(
        plan, scheme=scheme, labels=labels, cell_table=pd.concat([plan.cell_table, facts])
    )
    report = verify_plan(listed)
    assert report.is_sound
    assert report.verdicts[-1].households == plan.households
    lost = listed.labels.copy()
    lost.loc["a00", "lin"] = None
    report = verify_plan(replace(listed, labels=lost))
    assert kinds_of(report) == ["unassigned_household"]
    assert report.defects["households"].tolist() == [40]
