"""Mending of hand-made squares: who gets what, what is kept, what never changes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from geogrid.coverage import verify_coverage
from geogrid.errors import CrsError, InputError
from geogrid.repair import POLICIES, repair_coverage

LIMIT = box(0, 0, 30, 10)
A, B, C = box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10)
CODES = ["a", "b", "c", "d", "e", "f"]


def frame_of(*shapes, **columns):
    return gpd.GeoDataFrame({"code": CODES[: len(shapes)], **columns}, geometry=list(shapes))


def mend(*shapes, limit=LIMIT, **options):
    return repair_coverage(frame_of(*shapes), limit, **options)


def changes_of(repair):
    table = repair.changes
    rows = table[["cell", "what", "other"]].itertuples(index=False)
    return {tuple(row): area for row, area in zip(rows, table["area_m2"], strict=True)}


def same_bits(repair, *shapes):
    return (shapely.to_wkb(repair.cells.geometry.to_numpy()) == shapely.to_wkb(shapes)).tolist()


def test_a_sound_coverage_comes_back_bit_for_bit():
    repair = mend(A, B, C)
    assert same_bits(repair, A, B, C) == [True] * 3
    assert repair.changes.empty
    assert repair.conflicts.empty
    assert repair.report.is_sound


def test_a_gap_goes_to_the_longest_border_and_the_others_stay():
    gap = box(9, 2, 10, 4)
    repair = mend(A.difference(gap), B, C)
    assert changes_of(repair) == {
        ("a", "gap_filled", ""): pytest.approx(2),
        ("b", "node_added", ""): 0,
    }
    assert repair.cells.geometry.iloc[0].equals(A)
    assert repair.cells.geometry.iloc[1].equals(B)
    assert same_bits(repair, A, B, C)[2]
    assert repair.report.is_sound


def test_an_overlap_goes_to_one_of_its_owners():
    repair = mend(box(0, 0, 10.5, 10), B, C)
    assert changes_of(repair)["b", "overlap_given", "a"] == pytest.approx(5)
    assert repair.report.is_sound
    assert repair.cells.area.sum() == pytest.approx(300)


def test_an_overlap_of_three_cells_is_given_away_once():
    repair = mend(box(0, 0, 11, 10), box(9, 0, 21, 6), box(19, 0, 30, 10), box(10, 5, 20, 10))
    assert repair.conflicts.empty
    assert repair.cells.area.sum() == pytest.approx(300)
    assert repair.report.is_sound
    assert (repair.cells.area > 0).all()


def test_cells_are_cut_and_stretched_to_the_limit():
    repair = mend(box(0, 0, 10, 9.5), box(10, 0, 20, 10.5), C)
    changes = changes_of(repair)
    assert changes["a", "extended_to_limit", ""] == pytest.approx(5)
    assert changes["b", "trimmed_to_limit", ""] == pytest.approx(5)
    assert same_bits(repair, A, B, C)[2]
    assert repair.report.is_sound


def test_a_strip_along_the_limit_is_shared_by_the_cells_along_it():
    short = [box(0, 0, 10, 9.9), box(10, 0, 20, 9.9), box(20, 0, 30, 9.9)]
    repair = mend(*short)
    assert repair.report.is_sound
    assert repair.cells.area.tolist() == pytest.approx([100, 100, 100])


def test_a_node_on_a_neighbours_edge_is_added_there():
    low, high = box(10, 0, 20, 5), box(10, 5, 20, 10)
    repair = repair_coverage(frame_of(A, low, high), box(0, 0, 20, 10))
    assert changes_of(repair) == {("a", "node_added", ""): 0}
    assert same_bits(repair, A, low, high) == [False, True, True]
    assert [10, 5] in shapely.get_coordinates(repair.cells.geometry.iloc[0]).tolist()
    assert repair.report.is_sound


def test_duplicates_and_nested_cells_are_kept_for_a_person():
    nested = box(22, 2, 25, 5)
    repair = mend(A, B, C, A, nested)
    assert same_bits(repair, A, B, C, A, nested) == [True] * 5
    assert repair.changes.empty
    conflicts = dict(zip(repair.conflicts["kind"], repair.conflicts["cells"], strict=True))
    assert conflicts == {"duplicate": ("a", "d"), "nested": ("c", "e")}
    assert sorted(repair.report.defects["kind"]) == ["duplicate", "nested"]


def test_no_cell_of_a_stack_is_lost():
    turned = Polygon(A.exterior.coords[::-1])
    repair = mend(A, turned, A, B, C)
    assert same_bits(repair, A, turned, A, B, C) == [True] * 5
    assert repair.conflicts["kind"].tolist() == ["duplicate", "duplicate"]


def test_the_rest_is_mended_beside_a_duplicate():
    repair = mend(A, box(10, 0, 20, 9), C, A)
    assert repair.conflicts["cells"].tolist() == [("a", "d")]
    assert verify_coverage(repair.cells.iloc[:3], LIMIT).is_sound


def test_a_cell_almost_covered_by_another_is_not_rubbed_out():
    repair = mend(A, B, C, box(10.1, 0, 19.9, 10))
    assert repair.cells.geometry.iloc[3].equals(box(10.1, 0, 19.9, 10))
    assert repair.conflicts["kind"].tolist() == ["nested"]


def test_a_cell_outside_the_limit_is_kept_and_named():
    far = box(50, 0, 60, 10)
    repair = mend(A, B, C, far)
    assert same_bits(repair, A, B, C, far) == [True] * 4
    assert repair.conflicts["kind"].tolist() == ["outside"]


def test_a_missing_cell_is_filled_and_named():
    repair = mend(A, C)
    assert repair.changes["what"].tolist() == ["missing_cell_filled"]
    assert repair.changes["area_m2"].tolist() == pytest.approx([100])
    assert repair.report.is_sound


def test_locked_cells_do_not_change_at_all():
    wide = box(0, 0, 10.5, 10)
    repair = mend(wide, B, C, locked=["a"])
    assert same_bits(repair, wide, B, C)[0]
    assert ("b", "overlap_given", "a") in changes_of(repair)
    assert repair.cells.area.sum() == pytest.approx(300)


@pytest.mark.parametrize("code", ["a", "b"])
def test_a_locked_cell_keeps_what_it_shares(code):
    shapes = [box(0, 0, 10.5, 10), Polygon([(10, 0), (20, 0), (20, 10), (10, 10), (10, 5)]), C]
    repair = mend(*shapes, locked=[code])
    row = CODES.index(code)
    assert same_bits(repair, *shapes)[row]
    assert repair.changes["other"].tolist()[0] == code
    assert repair.cells.area.sum() == pytest.approx(300)


def test_a_node_of_the_limit_alone_is_nothing_to_mend():
    limit = Polygon([(0, 0), (5, 0), (30, 0), (30, 10), (0, 10)])
    repair = mend(A, B, C, limit=limit)
    assert same_bits(repair, A, B, C) == [True] * 3
    assert repair.changes.empty


def test_a_gap_between_locked_cells_stays_a_conflict():
    short = box(0, 0, 9.5, 10)
    repair = mend(short, B, C, locked=["a", "b"])
    assert same_bits(repair, short, B, C) == [True] * 3
    assert repair.conflicts["kind"].tolist() == ["gap"]
    assert repair.conflicts["cells"].tolist() == [("a", "b")]
    assert repair.conflicts["area_m2"].tolist() == pytest.approx([5])


def test_a_node_that_a_locked_cell_lacks_is_a_conflict():
    low, high = box(10, 0, 20, 5), box(10, 5, 20, 10)
    repair = repair_coverage(frame_of(A, low, high), box(0, 0, 20, 10), locked=["a"])
    assert same_bits(repair, A, low, high) == [True] * 3
    assert repair.conflicts["kind"].tolist() == ["unmatched_edge"]


def test_locked_cells_that_overlap_or_spill_are_conflicts():
    repair = mend(box(0, 0, 11, 11), B, C, locked=["a", "b"])
    assert sorted(repair.conflicts["kind"]) == ["outside", "overlap"]
    assert same_bits(repair, box(0, 0, 11, 11), B, C) == [True] * 3


def test_the_policies_choose_differently():
    # The gap has 6 m of border with a, 4 m with b and 1 m with c.
    limit = box(0, 0, 20, 10)
    right = box(10, 0, 20, 5)
    top = box(10, 5, 20, 10)
    left = A.difference(box(9, 1, 10, 6))
    people = gpd.GeoDataFrame(
        {"households": [9, 5, 2, 1]},
        geometry=[Point(1, 1), Point(15, 1), Point(15, 9), Point(9.5, 3)],
    )
    cells = frame_of(left, right, top)

    def winner(policy):
        repair = repair_coverage(cells, limit, policy=policy, households=people)
        filled = repair.changes[repair.changes["what"] == "gap_filled"]
        assert repair.report.is_sound
        assert filled["households"].tolist() == [1]
        return filled["cell"].tolist()

    assert winner("longest_border") == ["a"]
    assert winner("fewest_households") == ["c"]
    assert winner("most_compact") == ["a"]


def test_asking_changes_nothing_and_lists_the_questions():
    gapped = A.difference(box(9, 2, 10, 4))
    repair = mend(gapped, B, box(19.5, 0, 30, 10), policy="ask")
    assert same_bits(repair, gapped, B, box(19.5, 0, 30, 10)) == [True] * 3
    asked = changes_of(repair)
    assert asked["a", "ask_gap", "b"] == pytest.approx(2)
    assert sum(area for (_, what, _), area in asked.items() if what == "ask_overlap") == 5
    assert not repair.report.is_proven


def test_an_invalid_cell_is_made_valid_and_reported():
    spike = Polygon([(0, 0), (10, 0), (10, 10), (0, 10), (0, 5), (-3, 5), (0, 5)])
    repair = mend(spike, B, C)
    assert ("a", "made_valid", "") in changes_of(repair)
    assert repair.cells.geometry.iloc[0].equals(A)
    assert repair.report.is_sound


def test_empty_and_lineless_cells_keep_their_row():
    flat = Polygon([(0, 0), (5, 0), (9, 0)])
    repair = repair_coverage(frame_of(A, B, C, None, flat), LIMIT)
    assert len(repair.cells) == 5
    assert repair.cells.geometry.iloc[3] is None
    assert repair.cells.geometry.iloc[4] == flat
    assert repair.conflicts["kind"].tolist() == ["invalid", "invalid"]


def test_cells_inside_a_ring_of_suspects_are_no_gap():
    # Every outer cell misses the limit, all within are sound.
    step = np.arange(30) * 10.0
    squares = [box(x, y, x + 10, y + 10) for x in step for y in step]
    limit = box(-0.2, -0.2, 300.2, 300.2)
    cells = gpd.GeoDataFrame(geometry=squares)
    repair = repair_coverage(cells, limit)
    inner = shapely.contains_properly(box(0, 0, 300, 300), np.array(squares))
    assert inner.sum() == 28 * 28
    assert np.array(same_bits(repair, *squares))[inner].all()
    assert repair.report.is_sound
    assert repair.cells.area.sum() == pytest.approx(limit.area)


def test_no_piece_is_left_hanging_apart():
    # A belt and a bar cross: whoever gets the crossing, the other falls into two pieces.
    belt, bar = box(0, 4, 30, 6), box(14, 0, 16, 10)
    corners = [box(0, 0, 14, 4), box(16, 0, 30, 4), box(0, 6, 14, 10), box(16, 6, 30, 10)]
    repair = mend(belt, bar, *corners)
    assert repair.report.is_sound
    assert repair.changes["what"].value_counts()[["overlap_given", "detached_given"]].tolist() == [
        1,
        1,
    ]
    assert (shapely.get_num_geometries(repair.cells.geometry.to_numpy()) == 1).all()


def test_a_cell_of_several_islands_stays_as_it_is():
    islands = MultiPolygon([box(40, 0, 50, 10), box(60, 0, 70, 10)])
    limit = MultiPolygon([box(0, 0, 20, 10), *islands.geoms])
    repair = repair_coverage(frame_of(A, box(10.5, 0, 20, 10), islands), limit)
    assert same_bits(repair, A, B, islands)[2]
    assert repair.report.is_proven


def test_borders_that_differ_below_the_lattice_are_matched():
    moved = shapely.transform(B, lambda xy: xy + 1e-9)
    repair = mend(A, moved, C)
    assert same_bits(repair, A, B, C) == [True] * 3
    assert repair.changes["what"].tolist() == ["vertex_matched"]


def test_a_locked_cell_is_what_the_others_are_matched_to():
    moved = shapely.transform(B, lambda xy: xy + 1e-9)
    repair = mend(A, moved, C, locked=["b"])
    assert same_bits(repair, A, moved, C) == [False, True, False]
    assert repair.changes["cell"].tolist() == ["a", "c"]
    shared = shapely.get_coordinates(repair.cells.geometry.iloc[0]).tolist()
    assert [10 + 1e-9, 1e-9] in shared


def test_columns_index_and_order_are_kept_and_the_input_is_not_touched():
    cells = frame_of(C, A, box(10, 0, 19, 10), name=["x", "y", "z"], area_m2=[100.0, 100.0, 90.0])
    cells.index = [7, 5, 9]
    before = cells.copy()
    repair = repair_coverage(cells, LIMIT)
    assert cells.equals(before)
    assert list(repair.cells.columns) == list(cells.columns)
    assert repair.cells.index.tolist() == [7, 5, 9]
    assert repair.cells["name"].tolist() == ["x", "y", "z"]
    assert repair.cells["area_m2"].tolist() == pytest.approx(repair.cells.area.tolist())
    assert repair.cells["area_m2"].sum() == pytest.approx(300)


def test_repairing_twice_is_repairing_once_with_every_policy():
    shapes = [box(0, 0, 10.3, 9.8), box(10, 0, 20, 10.2), box(20.2, 0, 30, 10), box(21, 1, 22, 2)]
    people = gpd.GeoDataFrame(geometry=[Point(1, 1), Point(12, 1), Point(13, 1)])
    for policy in POLICIES:
        once = mend(*shapes, policy=policy, households=people)
        twice = repair_coverage(once.cells, LIMIT, policy=policy, households=people)
        assert same_bits(twice, *once.cells.geometry) == [True] * 4
        assert policy == "ask" or twice.changes.empty


def test_bad_input_is_refused_in_one_sentence():
    with pytest.raises(InputError, match="no polygon to repair"):
        repair_coverage(gpd.GeoDataFrame(geometry=[Point(0, 0)]), LIMIT)
    with pytest.raises(InputError, match="policy 'best' is not known"):
        mend(A, policy="best")
    with pytest.raises(InputError, match="no cell has the code zz"):
        mend(A, locked=["zz"])
    with pytest.raises(InputError, match="needs households"):
        mend(A, policy="fewest_households")
    with pytest.raises(InputError, match="limit has no polygon"):
        mend(A, limit=Point(0, 0))
    with pytest.raises(InputError, match="no valid polygon"):
        mend(A, limit=Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))
    with pytest.raises(CrsError, match="no coordinate system"):
        mend(A, limit=gpd.GeoSeries([LIMIT], crs=32650))


def test_a_plan_in_degrees_is_mended_in_metres():
    metric = gpd.GeoDataFrame(geometry=[A, B, C], crs=32650).translate(500_000, 4_000_000)
    metric = gpd.GeoDataFrame({"code": CODES[:3]}, geometry=metric, crs=32650)
    limit = gpd.GeoDataFrame(geometry=[metric.union_all()], crs=32650)
    degrees = metric.to_crs(4326)
    degrees = degrees.set_geometry(
        shapely.transform(degrees.geometry.to_numpy(), lambda xy: np.round(xy, 6)), crs=4326
    )
    repair = repair_coverage(degrees, limit)
    assert repair.cells.crs.is_projected
    assert repair.report.is_sound
    assert repair.cells.area.sum() == pytest.approx(300, abs=0.5)
