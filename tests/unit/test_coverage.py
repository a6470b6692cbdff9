"""Every kind of defect on hand-made squares."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from geogrid.coverage import verify_coverage
from geogrid.errors import CoverageError, CrsError, InputError

LIMIT = box(0, 0, 20, 10)
LEFT, RIGHT = box(0, 0, 10, 10), box(10, 0, 20, 10)


def check(*cells, limit=LIMIT, **options):
    return verify_coverage(gpd.GeoDataFrame(geometry=list(cells)), limit, **options)


def kinds(report):
    return sorted(report.defects["kind"])


def test_two_squares_that_fill_their_limit_are_proven():
    report = check(LEFT, RIGHT)
    assert report.is_proven
    assert report.defects.empty
    proof = report.certificate.levels[0]
    assert proof.twice_area_mm2 == report.certificate.limit_twice_area_mm2 == 400_000_000
    assert proof.uncancelled == 0
    report.raise_for_defects()


@pytest.mark.parametrize(
    ("name", "cells", "kind", "named", "area"),
    [
        ("hole", (LEFT.difference(box(2, 2, 3, 3)), RIGHT), "gap", ("1",), 1),
        ("gap at the limit", (LEFT, box(10.5, 0, 20, 10)), "inside_short", ("1", "2"), 5),
        ("missing cell", (LEFT,), "inside_short", ("1",), 100),
        ("overlap", (box(0, 0, 10.2, 10), RIGHT), "overlap", ("1", "2"), 2),
        ("doubled", (LEFT, RIGHT, RIGHT), "duplicate", ("2", "3"), 100),
        ("nested", (LEFT, RIGHT, box(12, 2, 13, 3)), "nested", ("2", "3"), 1),
        ("spill", (LEFT, box(10, 0, 21, 10)), "outside", ("2",), 10),
    ],
)
def test_a_planted_defect_is_named_with_its_cells_and_area(name, cells, kind, named, area):
    report = check(*cells)
    assert kinds(report) == [kind], name
    assert not report.is_proven
    defect = report.defects.iloc[0]
    assert defect["cells"] == named
    assert defect["area_m2"] == pytest.approx(area)
    with pytest.raises(CoverageError, match=kind):
        report.raise_for_defects()


def test_a_spill_and_an_overlap_in_one_lobe_are_told_apart():
    # The lobe of the left cell runs over the right cell and over the limit at once.
    lobe = Polygon([(0, 0), (10, 0), (12, 8), (12, 12), (8, 12), (9, 10), (0, 10)])
    report = check(lobe, RIGHT)
    area = report.defects.groupby("kind")["area_m2"].sum()
    assert area["overlap"] == pytest.approx(lobe.intersection(RIGHT).area)
    assert area["outside"] == pytest.approx(lobe.difference(LIMIT).area)


def test_a_millimetre_is_enough_to_lose_the_proof():
    moved = Polygon([(0, 0), (10.001, 0), (10, 10), (0, 10)])
    report = check(moved, RIGHT)
    assert not report.is_proven
    assert not report.certificate.is_proof


def test_a_vertex_exactly_on_an_edge_is_listed_but_the_cover_is_proven():
    report = check(LEFT, box(10, 0, 20, 5), box(10, 5, 20, 10))
    assert kinds(report) == ["unmatched_edge"]
    assert report.is_proven
    assert not report.is_sound
    assert shapely.get_coordinates(report.defects.geometry.iloc[0]).tolist() == [[10, 5]]


def test_a_limit_without_the_cells_nodes_is_met_within_a_millimetre():
    limit = Polygon([(0, 0), (7, 1), (20, 3), (20, 10), (0, 10)])
    x = 3.333
    line = shapely.LineString([(x, -5), (x, 15)])
    parts = shapely.get_parts(shapely.ops.split(limit, line))
    cells = [shapely.transform(part, lambda xy: np.round(xy, 3)) for part in parts]
    report = check(*cells, limit=limit)
    assert report.is_proven
    assert 0 < report.certificate.limit_shift_mm < 1


def test_a_limit_a_millimetre_off_is_not_met():
    # The border of the cells passes one lattice step beside the limit's own edge.
    cells = [Polygon([(0, 0), (7, 0), (7, 10), (0, 10)]), box(7, 0, 20, 10)]
    bent = Polygon([(0, 0), (7, -0.001), (20, 0), (20, 10), (0, 10)])
    assert not check(*cells, limit=bent).certificate.is_proof
    inward = Polygon([(0, 0), (3, 0.002), (20, 0), (20, 10), (0, 10)])
    assert not check(*cells, limit=inward).certificate.is_proof


def test_a_limit_that_is_two_centimetres_off_is_not_proven():
    report = check(LEFT, RIGHT, limit=box(0, 0, 20.02, 10))
    assert kinds(report) == ["inside_short"]
    assert report.defects["severity"].tolist() == ["hairline"]


def test_without_a_limit_holes_are_gaps():
    report = check(LEFT.difference(box(2, 2, 3, 3)), RIGHT, limit=None)
    assert kinds(report) == ["gap"]


def test_a_self_crossing_cell_is_invalid_and_the_rest_still_judged():
    bow = Polygon([(10, 0), (20, 10), (20, 0), (10, 10)])
    report = check(LEFT, bow)
    assert "invalid" in kinds(report)
    assert "inside_short" in kinds(report)
    assert not report.is_proven


def test_a_cell_in_two_pieces_is_multipart_only_where_the_limit_is_one():
    split = MultiPolygon([box(0, 0, 5, 10), box(10, 0, 20, 10)])
    assert kinds(check(split, box(5, 0, 10, 10))) == ["multipart"]
    islands = MultiPolygon([box(0, 0, 5, 5), box(10, 0, 20, 10)])
    assert check(islands, limit=islands).is_sound


def test_a_limit_with_a_hole_and_an_island_is_covered():
    ring = box(0, 0, 10, 10).difference(box(3, 3, 6, 6))
    limit = MultiPolygon([*shapely.get_parts(ring), box(20, 0, 25, 5)])
    assert check(ring, box(20, 0, 25, 5), limit=limit).is_sound
    assert kinds(check(ring, box(20, 0, 25, 5), box(3, 3, 6, 6), limit=limit)) == ["outside"]


def test_households_in_a_gap_come_first():
    people = gpd.GeoDataFrame(
        {"households": [3, 1]}, geometry=gpd.points_from_xy([2.5, 15], [2.5, 5])
    )
    cells = (LEFT.difference(box(2, 2, 3, 3)), box(10, 0, 20, 9))
    report = check(*cells, households=people)
    assert report.defects["kind"].tolist()[:2] == ["gap", "unassigned_household"]
    assert report.defects["households"].tolist() == [3, 3, 0]
    assert report.certificate.levels[0].households == 1


def test_a_household_in_two_cells_is_reported_and_one_on_a_border_is_not():
    people = gpd.GeoDataFrame(geometry=gpd.points_from_xy([9.5, 10], [5, 3]))
    report = check(LEFT, box(9, 0, 20, 10), households=people[:1])
    assert "double_household" in kinds(report)
    assert check(LEFT, RIGHT, households=people).is_sound


def test_households_outside_the_limit_are_said_and_not_lost():
    people = gpd.GeoDataFrame({"households": [5]}, geometry=gpd.points_from_xy([40], [3]))
    report = check(LEFT, RIGHT, households=people)
    assert any("5 households lie outside" in note for note in report.notes)


def test_a_child_across_the_parents_border_is_named():
    parents = gpd.GeoDataFrame({"code": ["P", "Q"]}, geometry=[LEFT, RIGHT])
    cells = gpd.GeoDataFrame(
        {"code": ["P1", "Q1"], "parent": ["P", "Q"]},
        geometry=[box(0, 0, 11, 10), box(11, 0, 20, 10)],
    )
    report = verify_coverage(cells, LIMIT, parents=parents)
    spans = report.defects[report.defects["kind"] == "spans_parents"]
    assert spans["cells"].tolist() == [("P1",)]
    assert spans["area_m2"].tolist() == pytest.approx([10])
    assert not report.is_proven


def test_the_digest_knows_neither_row_order_nor_ring_start():
    turned = Polygon([(20, 0), (20, 10), (10, 10), (10, 0)])
    one = verify_coverage(gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=[LEFT, RIGHT]), LIMIT)
    other = verify_coverage(gpd.GeoDataFrame({"code": ["b", "a"]}, geometry=[turned, LEFT]), LIMIT)
    assert one.certificate == other.certificate


def test_degrees_are_brought_into_the_districts_frame():
    cells = gpd.GeoDataFrame(
        geometry=[box(113, 27, 113.01, 27.01), box(113.01, 27, 113.02, 27.01)], crs=4490
    )
    report = verify_coverage(cells)
    assert report.defects.crs.to_epsg() == 4547
    assert report.is_proven


def test_points_are_no_cells():
    with pytest.raises(InputError, match="no polygon"):
        verify_coverage(gpd.GeoDataFrame(geometry=gpd.points_from_xy([1], [1])))


def test_a_limit_in_a_known_system_and_cells_in_none_cannot_be_compared():
    limit = gpd.GeoSeries([LIMIT], crs=4547)
    with pytest.raises(CrsError, match="no coordinate system"):
        verify_coverage(gpd.GeoDataFrame(geometry=[LEFT]), limit)


def test_a_cell_shifted_by_less_than_rounding_is_named_and_the_cover_stays_proven():
    cells = [box(x, y, x + 10, y + 10) for x in (0, 10, 20) for y in (0, 10, 20)]
    for step in (1e-9, 1e-6):
        moved = [*cells[:4], shapely.affinity.translate(cells[4], step, step), *cells[5:]]
        report = check(*moved, limit=box(0, 0, 30, 30))
        assert report.defects["kind"].tolist() == ["unmatched_edge"]
        assert report.defects["severity"].tolist() == ["rounding"]
        assert report.defects["cells"].tolist() == [("5",)]
        assert report.is_proven
        assert not report.is_sound
        assert any("1 cells meet their neighbours only after rounding" in n for n in report.notes)


def comb(teeth, depth):
    """A square kilometre whose upper border goes up and down."""
    x = np.round(np.linspace(1000, 0, 2 * teeth + 1), 3)
    y = np.where(np.arange(2 * teeth + 1) % 2, 1000 + depth, 1000)
    return Polygon([(0, 0), (1000, 0), *zip(x, y, strict=True)])


def test_a_limit_of_another_origin_gets_a_short_answer():
    report = check(comb(400, 0.03), limit=box(0, 0, 1000, 1000))
    assert kinds(report) == ["outside"]
    assert report.defects["severity"].tolist() == ["hairline"]
    assert report.defects["area_m2"].tolist() == pytest.approx([15])
    assert any("by up to 3.0 cm along 1.0 km, in 400 pieces" in note for note in report.notes)
    every = check(comb(400, 0.03), limit=box(0, 0, 1000, 1000), limit_is_noded=True)
    assert len(every.defects) == 400


def test_a_flood_of_slivers_is_summed_up_and_loses_no_area():
    teeth = [Polygon([(x, 0), (x + 0.2, 0), (x + 0.1, 0.01)]) for x in np.arange(1, 9, 0.25)]
    holes = shapely.affinity.translate
    rows = [holes(tooth, 0, y) for tooth in teeth for y in np.arange(0.5, 9.5, 0.25)]
    assert len(rows) > 1000
    holed = shapely.difference(LEFT, shapely.union_all(rows))
    big = box(12, 2, 15, 5)
    report = check(holed, RIGHT.difference(big))
    assert kinds(report) == ["gap", "gap"]
    assert report.defects["area_m2"].tolist() == pytest.approx([9, 0.001 * len(rows)])
    assert report.defects["severity"].tolist() == ["real", "hairline"]


def test_edges_that_mix_to_the_same_number_are_still_told_apart(monkeypatch):
    monkeypatch.setattr("geogrid.coverage._cancel._MIX", np.int64(0))
    monkeypatch.setattr("geogrid.coverage._cancel._MIX_TOO", np.int64(0))
    assert check(LEFT, RIGHT).is_sound
    assert kinds(check(LEFT, RIGHT, RIGHT)) == ["duplicate"]


def test_more_left_over_edges_than_can_be_classified_are_still_listed(monkeypatch):
    monkeypatch.setattr("geogrid.coverage.verify._MOST_EDGES", 4)
    east, west = box(12, 2, 15, 5), box(2, 2, 5, 5)
    noded = Polygon([(0, 0), (10, 0), (20, 0), (20, 10), (10, 10), (0, 10)])
    report = check(LEFT.difference(west), RIGHT.difference(east), limit=noded)
    assert kinds(report) == ["gap", "unmatched_edge"]
    assert report.defects["cells"].tolist() == [("1",), ("2",)]
    assert any("4 border pieces without a partner" in note for note in report.notes)
    assert report.certificate.levels[0].uncancelled == 8
    assert not report.is_proven
