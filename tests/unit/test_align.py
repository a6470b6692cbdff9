"""Cells fitted to a reference: what moves, what is too wide, what is never lost."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely
from shapely import box

from geogrid.compare import align
from geogrid.errors import CoverageError, InputError

WEST, EAST = box(0, 0, 10, 10), box(10, 0, 20, 10)


def cells(**shapes):
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()))


REFERENCE = cells(P=WEST, Q=EAST)
# Two halves of each reference cell, with a border that is 0.3 m off.
CELLS = cells(
    P1=box(0, 0, 10.3, 5), P2=box(0, 5, 10.3, 10), Q1=box(10.3, 0, 20, 5), Q2=box(10.3, 5, 20, 10)
)


def shapes_of(answer):
    return answer.cells.set_index("code").geometry


def test_a_layer_that_fits_does_not_change():
    fitting = cells(P1=box(0, 0, 10, 5), P2=box(0, 5, 10, 10), Q=EAST)
    answer = align(fitting, REFERENCE, tolerance_m=1)
    assert answer.is_fitted
    assert answer.changes.empty
    assert answer.report.is_proven
    assert shapely.equals(answer.cells.geometry.to_numpy(), fitting.geometry.to_numpy()).all()


def test_a_border_within_the_tolerance_goes_to_the_reference():
    answer = align(CELLS, REFERENCE, tolerance_m=0.5)
    assert answer.is_fitted
    assert answer.report.is_sound
    assert shapes_of(answer)["P1"].equals(box(0, 0, 10, 5))
    assert shapes_of(answer)["Q2"].equals(box(10, 5, 20, 10))
    assert answer.changes[["from", "to"]].to_numpy().tolist() == [["P1", "Q1"], ["P2", "Q2"]]
    assert answer.changes["area_m2"].tolist() == pytest.approx([1.5, 1.5])
    again = align(answer.cells, REFERENCE, tolerance_m=0.5)
    assert again.changes.empty


def test_a_border_beyond_the_tolerance_is_listed_and_left():
    answer = align(CELLS, REFERENCE, tolerance_m=0.2)
    assert answer.changes.empty
    assert shapely.equals(answer.cells.geometry.to_numpy(), CELLS.geometry.to_numpy()).all()
    listed = answer.unfitted.drop(columns="geometry")
    assert listed[["cell", "reference", "belongs", "reason"]].to_numpy().tolist() == [
        ["P1", "Q", "P", "too_wide"],
        ["P2", "Q", "P", "too_wide"],
    ]
    assert listed["width_m"].tolist() == pytest.approx([0.3, 0.3], rel=0.01)
    assert listed["area_m2"].tolist() == pytest.approx([1.5, 1.5])


def test_the_outline_follows_the_reference_within_the_tolerance():
    off = cells(A=box(0, 0, 10, 9.9), B=box(10, 0, 20.2, 10))
    answer = align(off, REFERENCE, tolerance_m=0.5)
    assert answer.is_fitted
    assert shapes_of(answer)["A"].equals(WEST)
    assert shapes_of(answer)["B"].equals(EAST)
    assert sorted(answer.changes[["from", "to"]].to_numpy().tolist()) == [["", "A"], ["B", ""]]
    assert answer.limit.equals(box(0, 0, 20, 10))


def test_ground_without_a_cell_that_is_too_wide_is_listed():
    answer = align(cells(A=WEST, B=box(10, 0, 15, 10)), REFERENCE, tolerance_m=1)
    assert answer.unfitted[["cell", "reference"]].to_numpy().tolist() == [["", "Q"]]
    assert answer.report.is_proven


def test_coarser_cells_are_made_unions_of_reference_cells():
    reference = cells(a=box(0, 0, 10, 5), b=box(0, 5, 10, 10), c=EAST)
    answer = align(cells(X=box(0, 0, 10.3, 10), Y=box(10.3, 0, 20, 10)), reference, tolerance_m=0.5)
    assert answer.direction == "reference_in_cells"
    assert shapes_of(answer)["X"].equals(WEST)
    assert answer.is_fitted


def test_no_cell_is_ever_lost():
    narrow = cells(A=box(0, 0, 9.8, 10), N=box(9.8, 0, 10.3, 10), B=box(10.3, 0, 20, 10))
    answer = align(narrow, REFERENCE, tolerance_m=1)
    assert answer.cells["code"].tolist() == ["A", "B", "N"]
    assert not answer.cells.geometry.is_empty.any()
    # Coarser cells, of which one is no reference cell's home.
    reference = cells(a=box(0, 0, 10, 5), b=box(0, 5, 10, 10), c=EAST)
    coarse = cells(X=box(0, 0, 9.9, 10), N=box(9.9, 0, 10, 10), Y=EAST)
    answer = align(coarse, reference, tolerance_m=1)
    assert set(answer.cells["code"]) == {"X", "N", "Y"}
    assert not answer.cells.geometry.is_empty.any()


def test_other_columns_stay_and_households_are_counted_again():
    people = gpd.GeoDataFrame({"households": [3]}, geometry=gpd.points_from_xy([10.2], [2]))
    marked = CELLS.assign(name=list("wxyz"), households=[3, 0, 0, 0])
    answer = align(marked, REFERENCE, tolerance_m=0.5, households=people)
    assert answer.cells["name"].tolist() == list("wxyz")
    assert answer.cells["households"].tolist() == [0, 0, 3, 0]
    assert answer.changes["households"].tolist() == [3, 0]
    stale = align(marked, REFERENCE, tolerance_m=0.5)
    assert any("give points to recount" in note for note in stale.notes)


def test_overlaps_wider_than_the_tolerance_are_refused_and_narrow_ones_noted():
    over = cells(A=box(0, 0, 10.4, 10), B=EAST)
    with pytest.raises(CoverageError, match=r"wider than 0\.1 m, largest at A, B"):
        align(over, REFERENCE, tolerance_m=0.1)
    answer = align(over, REFERENCE, tolerance_m=0.5)
    assert answer.is_fitted
    assert any("the lowest code has them" in note for note in answer.notes)


def test_a_tolerance_below_zero_is_refused_and_zero_changes_nothing():
    with pytest.raises(InputError, match="from 0 up"):
        align(CELLS, REFERENCE, tolerance_m=-1)
    assert align(CELLS, REFERENCE, tolerance_m=0).changes.empty


def test_the_answer_is_json():
    answer = align(CELLS, REFERENCE, tolerance_m=0.2).to_dict()
    assert json.loads(json.dumps(answer))["unfitted"][0]["cell"] == "P1"


def test_the_crosswalk_says_where_each_cell_went_and_its_weights_sum_to_one():
    homes = gpd.GeoDataFrame({"households": [3, 1]}, geometry=gpd.points_from_xy([10.2, 5], [2, 2]))
    by_area = align(CELLS, REFERENCE, tolerance_m=0.5).crosswalk
    by_people = align(CELLS, REFERENCE, tolerance_m=0.5, households=homes).crosswalk
    for table in (by_area, by_people):
        assert table.groupby("old")["weight"].sum().tolist() == pytest.approx([1, 1, 1, 1])
    moved = by_area.set_index(["old", "new"]).loc[("P1", "Q1")]
    assert moved["weight"] == pytest.approx(1.5 / 51.5)
    assert moved["by"] == "area"
    assert by_people.set_index(["old", "new"]).loc[("P1", "Q1"), "weight"] == pytest.approx(0.75)
    assert "crosswalk" in align(CELLS, REFERENCE, tolerance_m=0.5).to_dict()
