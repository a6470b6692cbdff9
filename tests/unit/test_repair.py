"""Mending of hand-made squares: who gets what, what is kept, what never changes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from bench.coverage_cases import clean_coverage, limit_of
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from geogrid.coverage import verify_coverage
from geogrid.errors import CrsError, InputError
from geogrid.repair import POLICIES, repair_coverage
from geogrid.repair._suspects import on_pixel

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


def test_a_tip_that_the_noding_pinches_off_goes_to_a_neighbour():
    # One millimetre wider, the triangle reaches over the thin tips of the cells round it.
    rings = [
        [(1000, 1), (1000, 0), (1, 0), (1, 1)],
        [(1000, 21), (1000, 1), (1, 1), (1, 1.02)],
        [(1000, 41), (1000, 21), (1, 1.02), (1, 1.04)],
        [(1000, 203), (1000, 41), (1, 1.04), (1, 1.334), (7.519, 3.511)],
        [(1000, 335), (1000, 203), (7.519, 3.511)],
        [(1, 1000), (1000, 1000), (1000, 335), (7.519, 3.511), (1, 2.201)],
        [(0, 2), (0, 1000), (1, 1000), (1, 2.201)],
        [(0, 1), (0, 2), (1, 2.201), (1, 1.334)],
        [(1, 0), (0, 0), (0, 1), (1, 1)],
        [(0, 1), (1, 1.02), (1, 1)],
        [(1, 1.02), (0, 1), (1, 1.04)],
        [(0, 1), (1, 1.334), (1, 1.04)],
        [(0.999, 1.333), (0.999, 2.202), (7.521, 3.512), (7.521, 3.511)],
    ]
    cells = gpd.GeoDataFrame(geometry=[Polygon(ring) for ring in rings])
    repair = repair_coverage(cells, box(0, 0, 1000, 1000))
    assert repair.report.is_sound
    assert repair.conflicts.empty
    given = repair.changes[repair.changes["what"] == "detached_given"]
    assert given[["cell", "other"]].to_numpy().tolist() == [["13", "4"], ["5", "4"]]


def test_a_cell_across_the_water_keeps_its_ground_on_each_island():
    islands = MultiPolygon([box(0, 0, 10, 10), box(12, 0, 20, 10)])
    repair = repair_coverage(frame_of(box(0, 0, 20, 5), box(0, 5, 20, 10)), islands)
    assert repair.report.is_sound
    assert shapely.get_num_geometries(repair.cells.geometry.to_numpy()).tolist() == [2, 2]
    assert repair.changes["what"].tolist() == ["trimmed_to_limit"] * 2


def test_a_cell_over_a_bay_keeps_one_side_of_it():
    bay = box(0, 0, 20, 10).difference(box(9, 2, 11, 10))
    repair = repair_coverage(frame_of(box(0, 0, 20, 5), box(0, 5, 20, 10)), bay)
    assert repair.report.is_sound
    assert "detached_given" in repair.changes["what"].tolist()
    assert (shapely.get_num_geometries(repair.cells.geometry.to_numpy()) == 1).all()


def test_a_piece_that_only_a_locked_cell_borders_stays_and_is_named():
    bar = box(14, 0, 16, 10)
    repair = mend(box(0, 0, 30, 10), bar, locked=["b"])
    assert same_bits(repair, A, bar)[1]
    assert repair.conflicts["kind"].tolist() == ["multipart"]
    assert repair.report.is_proven
    assert repair.cells.area.tolist() == pytest.approx([280, 20])


def test_a_free_cell_runs_straight_along_a_locked_one():
    # The border of the free cell crosses the locked one several times by a millimetre.
    locked = Polygon([(0, 0), (1000, 0), (1000, 997.003), (0, 0.001)])
    free = Polygon([(0, 0), (333.333, 332.335), (666.667, 664.665), (1000, 997), (0, 1000)])
    limit = shapely.union(locked, Polygon([(0, 0.001), (1000, 997.003), (1000, 1000), (0, 1000)]))
    repair = repair_coverage(frame_of(locked, free), limit, locked=["a"])
    assert same_bits(repair, locked, free)[0]
    assert repair.report.is_sound
    assert shapely.get_num_coordinates(repair.cells.geometry.iloc[1]) == 5
    again = repair_coverage(repair.cells, limit, locked=["a"])
    assert again.changes.empty


def test_mending_again_sets_the_same_copy_aside():
    # The cell loses ground to a neighbour, the copy does not: now the copy is the larger one.
    low = Polygon([(1000, 360), (1000, 0), (0, 0), (0, 1)])
    high = Polygon([(0, 0), (0, 1000), (1000, 1000), (1000, 359)])
    limit = box(0, 0, 1000, 1000)
    once = repair_coverage(frame_of(low, high, low), limit)
    twice = repair_coverage(once.cells, limit)
    assert once.conflicts["cell"].tolist() == twice.conflicts["cell"].tolist() == ["c"]
    assert same_bits(twice, *once.cells.geometry) == [True] * 3
    assert twice.changes.empty


def test_a_layer_given_twice_keeps_one_copy_of_each_cell():
    squares = [box(x, y, x + 10, y + 10) for x in range(0, 300, 10) for y in range(0, 300, 10)]
    codes = [f"{number:04d}" for number in range(2 * len(squares))]
    cells = gpd.GeoDataFrame({"code": codes}, geometry=squares * 2)
    repair = repair_coverage(cells, box(0, 0, 300, 300))
    assert sorted(repair.conflicts["cell"]) == codes[len(squares) :]
    assert set(repair.conflicts["kind"]) == {"duplicate"}
    assert repair.changes.empty


def test_households_that_change_hands_are_counted():
    people = gpd.GeoDataFrame(
        {"households": [3, 5, 7, 11, 1]},
        geometry=[Point(9.8, 2), Point(15, 5), Point(25, 9.9), Point(15, 10.2), Point(2, 2)],
    )
    holed = box(10, 0, 20, 10.5).difference(box(14, 4, 16, 6))
    repair = mend(box(0, 0, 10, 10), holed.union(box(9.5, 0, 10, 10)), C, households=people)
    assert repair.report.is_sound
    moved = repair.changes.set_index(["cell", "what", "other"])["households"]
    assert moved[moved > 0].to_dict() == {
        ("b", "trimmed_to_limit", ""): 11,
        ("b", "gap_filled", ""): 5,
        ("b", "overlap_given", "a"): 3,
    }


def test_a_bow_tie_is_made_valid_and_its_missing_half_filled():
    tie = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    repair = mend(tie, B, C)
    assert repair.report.is_sound
    assert ("a", "made_valid", "") in changes_of(repair)
    assert repair.cells.area.sum() == pytest.approx(300)


def test_overlapping_parts_of_one_cell_become_one():
    repair = mend(MultiPolygon([box(0, 0, 10, 6), box(0, 4, 10, 10)]), B, C)
    assert repair.cells.geometry.iloc[0].equals(A)
    assert repair.report.is_sound


def test_a_cell_that_comes_in_two_pieces_is_kept_and_named():
    two = MultiPolygon([box(0, 0, 10, 4), box(0, 6, 10, 10)])
    repair = mend(two, box(0, 4, 10, 6), B, box(20, 0, 30, 9))
    assert same_bits(repair, two, A, B, C)[0]
    assert repair.conflicts["kind"].tolist() == ["multipart"]
    assert repair.conflicts["cells"].tolist() == [("a",)]
    assert repair.report.is_proven


def test_polygons_among_lines_are_kept_and_nobody_takes_their_ground():
    repair = mend(A, B, GeometryCollection([C, LineString([(20, 0), (30, 10)])]))
    assert repair.cells.geometry.iloc[2].equals(C)
    assert repair.changes[["cell", "what"]].to_numpy().tolist() == [["c", "made_valid"]]
    assert repair.report.is_sound


@pytest.mark.parametrize("shape", [None, Polygon(), LineString([(0, 0), (1, 1)]), Point(1, 1)])
def test_a_row_without_a_polygon_is_kept_and_named(shape):
    repair = mend(A, box(10, 0, 19, 10), C, shape)
    assert repair.cells.geometry.iloc[3] == shape
    assert repair.conflicts[["kind", "cell"]].to_numpy().tolist() == [["invalid", "d"]]
    assert verify_coverage(repair.cells.iloc[:3], LIMIT).is_sound


def test_coordinates_that_are_no_numbers_are_kept_and_named():
    broken = shapely.transform(A, lambda xy: np.where(xy == [10, 10], [10, np.inf], xy))
    repair = mend(A, box(10, 0, 19, 10), C, broken)
    assert verify_coverage(repair.cells.iloc[:3], LIMIT).is_sound
    assert shapely.to_wkb(repair.cells.geometry.iloc[3]) == shapely.to_wkb(broken)
    assert repair.conflicts[["kind", "cell"]].to_numpy().tolist() == [["invalid", "d"]]


def test_heights_stay_where_nothing_changed():
    high = [shapely.force_3d(shape, 5.0) for shape in (A, B, box(20, 0, 30, 9))]
    repair = mend(*high)
    assert same_bits(repair, *high)[0]
    assert shapely.has_z(repair.cells.geometry.to_numpy()).tolist() == [True, False, False]
    assert repair.report.is_sound


@pytest.mark.parametrize("missing", [None, np.nan, "", " "])
def test_cells_without_a_code_are_mended_and_named(missing):
    shapes = [A, B, box(20, 0, 30, 9)]
    cells = gpd.GeoDataFrame({"code": ["a", missing, "c"]}, geometry=shapes)
    repair = repair_coverage(cells, LIMIT)
    assert repair.report.is_sound
    assert repair.cells["code"].isna().tolist() == cells["code"].isna().tolist()
    assert repair.conflicts[["kind", "cells"]].to_numpy().tolist() == [["missing_code", ("row 2",)]]
    assert set(repair.changes["cell"]) == {"row 2", "c"}


def test_cells_of_the_same_code_are_mended_and_named():
    shapes = [box(0, 0, 9, 10), B, box(20, 0, 30, 9)]
    cells = gpd.GeoDataFrame({"code": ["a", "a", "c"]}, geometry=shapes)
    repair = repair_coverage(cells, LIMIT)
    assert len(repair.cells) == 3
    assert repair.report.is_sound
    assert repair.conflicts[["kind", "cells"]].to_numpy().tolist() == [
        ["repeated_code", ("a", "a")]
    ]
    assert repair.conflicts["area_m2"].tolist() == pytest.approx([200])
    assert repair.changes["cell"].tolist().count("a") == 2


def test_an_edge_passes_the_pixels_that_the_noding_gives_it():
    # x + y = 9 touches the pixel of (5, 5) in its lower left corner and that of (4, 4) opposite.
    line = np.array([[0, 9], [9, 0]])
    for node, way in (((5, 5), (6, 7)), ((4, 4), (3, 2)), ((4, 5), (4, 8)), ((6, 5), (8, 7))):
        noded = shapely.union_all([LineString(line), LineString([node, way])], grid_size=1.0)
        paths = [path for path in shapely.get_parts(noded) if way not in path.coords]
        is_bent = any(node in path.coords for path in paths)
        start, end, point = (np.array([one]) for one in (*line, node))
        assert on_pixel(start, end, point)[0].tolist() == [is_bent]


@pytest.mark.parametrize("decimals", [6, 7])
@pytest.mark.parametrize("is_noded", [True, False])
def test_a_plan_written_in_rounded_degrees_is_proven_again(shared_data, decimals, is_noded):
    raw, crs = limit_of(shared_data)
    clean, noded = clean_coverage(raw, crs, 2_000, seed=3)
    degrees = clean.to_crs(4326).geometry.to_numpy()
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, decimals))
    back = gpd.GeoDataFrame({"code": clean["code"]}, geometry=rounded, crs=4326).to_crs(crs)
    repair = repair_coverage(back, noded if is_noded else raw)
    assert repair.report.is_sound
    assert repair.conflicts.empty
    assert repair_coverage(repair.cells, noded if is_noded else raw).changes.empty
    ground = shapely.intersection(clean.geometry.to_numpy(), repair.cells.geometry.to_numpy())
    assert shapely.area(ground).sum() > 0.999 * clean.area.sum()


def test_a_plan_written_as_a_shapefile_is_proven_again(shared_data, tmp_path):
    raw, crs = limit_of(shared_data)
    clean, noded = clean_coverage(raw, crs, 500, seed=3)
    clean.to_crs(4326).to_file(tmp_path / "plan.shp")
    repair = repair_coverage(gpd.read_file(tmp_path / "plan.shp").to_crs(crs), noded)
    assert repair.report.is_sound
    assert repair.conflicts.empty
