"""Cases made to deceive a coverage check: each is named with its kind, cells, area and width."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cover_cases import board, codes_of, findings, frame_of
from shapely import MultiPolygon, Polygon, box
from shapely.affinity import translate

from geogrid.coverage import verify_coverage

SQUARES = board()
LIMIT = box(0, 0, 30, 30)
FAR = (39_500_000.0, 3_076_603.0)


def check(cells, limit=LIMIT, **options):
    return verify_coverage(frame_of(cells), limit, **options)


def without(*numbers):
    """The board without the squares of these numbers; the rest gets new codes."""
    return [cell for number, cell in enumerate(SQUARES, start=1) if number not in numbers]


def with_centre(shape):
    """The board with another polygon in the place of square 5."""
    return [*SQUARES[:4], shape, *SQUARES[5:]]


def with_south(*between):
    """The board whose square 2 has more vertices on its southern edge, on the limit."""
    south = Polygon([(10, 0), *between, (20, 0), (20, 10), (10, 10)])
    return [SQUARES[0], south, *SQUARES[2:]]


def only(report):
    """The single defect of a report."""
    assert len(report.defects) == 1
    return report.defects.iloc[0]


def test_the_board_itself_is_sound_here_and_at_eastings_with_a_zone():
    assert check(SQUARES).is_sound
    assert check([translate(one, *FAR) for one in SQUARES], translate(LIMIT, *FAR)).is_sound


# One step of a double


@pytest.mark.parametrize("offset", [(0.0, 0.0), FAR])
@pytest.mark.parametrize("direction", [np.inf, -np.inf])
def test_a_cell_shifted_by_one_step_of_a_double_is_named_and_the_cover_proven(offset, direction):
    cells = [translate(one, *offset) for one in SQUARES]
    cells[4] = shapely.transform(cells[4], lambda xy: np.nextafter(xy, direction))
    report = check(cells, translate(LIMIT, *offset))
    assert findings(report) == [("unmatched_edge", codes_of(5), 0)]
    assert only(report)["severity"] == "rounding"
    assert 0 < only(report)["width_m"] <= np.hypot(*np.spacing(FAR))
    assert report.is_proven
    assert not report.is_sound


def test_a_vertex_moved_by_one_step_of_a_double_is_named():
    ring = shapely.get_coordinates(translate(SQUARES[4], *FAR))[:-1]
    ring[0] = np.nextafter(ring[0], np.inf)
    cells = [translate(one, *FAR) for one in SQUARES]
    cells[4] = Polygon(ring)
    report = check(cells, translate(LIMIT, *FAR))
    assert findings(report) == [("unmatched_edge", codes_of(5), 0)]
    assert report.is_proven


@pytest.mark.parametrize("off", [10.0005, 10.0015, 10.0025])
def test_one_step_of_a_double_on_either_side_of_half_a_millimetre_is_never_lost(off):
    low, high = sorted({np.nextafter(off, 0), np.nextafter(off, 20)})
    report = check([box(0, 0, high, 10), box(low, 0, 20, 10)], box(0, 0, 20, 10))
    assert set(report.defects["kind"]) == {"unmatched_edge"}
    assert {code for cells in report.defects["cells"] for code in cells} == {"1", "2"}
    # If rounding parts the two, the strip between is a millimetre wide and voids the proof.
    strip = report.defects["area_m2"].sum()
    assert strip == pytest.approx(0 if report.is_proven else 0.01, abs=1e-9)


# Gaps of every width


@pytest.mark.parametrize("width", [0.002, 0.05, 5, 500])
def test_a_gap_between_cells_is_named_whatever_its_width(width):
    whole = box(0, 0, 3000, 1000)
    report = check([box(0, 0, 1000, 1000), box(1000 + width, 0, 3000, 1000)], whole)
    assert findings(report) == [("inside_short", codes_of(1, 2), pytest.approx(1000 * width))]
    # Of a long strip the mean width is told, a little less than its true one.
    assert only(report)["width_m"] == pytest.approx(width, rel=0.01)
    assert not report.is_proven


@pytest.mark.parametrize("width", [0.002, 0.05, 5, 500])
def test_a_hole_in_a_cell_is_named_whatever_its_width(width):
    whole = box(0, 0, 3000, 3000)
    report = check([whole.difference(box(1000, 1000, 1000 + width, 2000))], whole)
    assert findings(report) == [("gap", codes_of(1), pytest.approx(1000 * width))]
    assert only(report)["width_m"] == pytest.approx(width, rel=0.01)


def test_a_missing_cell_is_one_gap_that_names_all_its_neighbours():
    inner = check(without(5))
    assert findings(inner) == [("gap", codes_of(*range(1, 9)), 100)]
    assert only(inner)["width_m"] == pytest.approx(10, rel=0.01)
    corner = check(without(1))
    assert findings(corner) == [("inside_short", codes_of(1, 3, 4), 100)]


def test_all_cells_but_one_missing_leave_one_gap():
    report = check(SQUARES[:1])
    assert findings(report) == [("inside_short", codes_of(1), 800)]


def test_an_inner_hole_that_nobody_owns_is_a_gap_and_one_of_the_limit_is_none():
    hole = box(13, 13, 16, 17)
    holed = with_centre(SQUARES[4].difference(hole))
    report = check(holed)
    assert findings(report) == [("gap", codes_of(5), 12)]
    assert only(report)["width_m"] == pytest.approx(3, rel=0.01)
    assert check(holed, LIMIT.difference(hole)).is_sound
    assert findings(check(SQUARES, LIMIT.difference(hole))) == [("outside", codes_of(5), 12)]


def test_two_gaps_that_share_a_node_are_two():
    west = Polygon([(15, 15), (12, 14), (12, 16)])
    east = Polygon([(15, 15), (18, 14), (18, 16)])
    report = check(with_centre(SQUARES[4].difference(shapely.union(west, east))))
    assert findings(report) == [("gap", codes_of(5), 3)] * 2
    # The diameter of the circle in a triangle is four times its area over its perimeter.
    assert report.defects["width_m"].tolist() == pytest.approx([4 * west.area / west.length] * 2)
    places = sorted(shape.centroid.x for shape in report.defects.geometry)
    assert places == pytest.approx([13, 17])


def test_two_gaps_at_the_node_of_four_cells_are_two_and_name_whoever_touches_them():
    cells = list(SQUARES)
    cells[0] = cells[0].difference(Polygon([(10, 10), (8, 10), (8, 9)]))
    cells[4] = cells[4].difference(Polygon([(10, 10), (12, 10), (12, 11)]))
    report = check(cells)
    assert findings(report) == [("gap", codes_of(1, 2, 4, 5), 1)] * 2


# The limit


@pytest.mark.parametrize("limit_is_noded", [True, False])
@pytest.mark.parametrize("depth", [0.002, 0.5, 5])
def test_an_overshoot_and_an_undershoot_of_the_limit_are_told_apart(depth, limit_is_noded):
    tip = Polygon([(10, 0), (20, 0), (15, depth)])
    width = 4 * tip.area / tip.length
    over = check(with_south((15, -depth)), limit_is_noded=limit_is_noded)
    assert findings(over) == [("outside", codes_of(2), pytest.approx(5 * depth))]
    short = check(with_south((15, depth)), limit_is_noded=limit_is_noded)
    assert findings(short) == [("inside_short", codes_of(1, 2, 3), pytest.approx(5 * depth))]
    for report in (over, short):
        assert only(report)["width_m"] == pytest.approx(width, rel=1e-6)
        assert not report.is_proven


def test_an_overshoot_beside_an_undershoot_of_the_same_size_does_not_cancel_it():
    report = check(with_south((12.5, -1), (15, 0), (17.5, 1)))
    assert findings(report) == [
        ("inside_short", codes_of(2, 3), 2.5),
        ("outside", codes_of(2), 2.5),
    ]
    proof = report.certificate
    assert proof.levels[0].twice_area_mm2 == proof.limit_twice_area_mm2
    assert not report.is_proven


def test_a_cell_beyond_the_limit_is_outside_altogether():
    report = check([*SQUARES, box(100, 100, 110, 110)])
    assert findings(report) == [("outside", codes_of(10), 100)]


def test_a_spike_of_the_limit_that_encloses_nothing_changes_nothing():
    spiked = [(0, 0), (10, 0), (10, -5), (10, 0), (30, 0), (30, 30), (0, 30)]
    assert check(SQUARES, Polygon(spiked)).is_proven


def test_a_limit_that_touches_itself_in_a_point_is_covered():
    limit = Polygon([(0, 0), (10, 0), (10, 10), (20, 10), (20, 20), (10, 20), (10, 10), (0, 10)])
    assert not limit.is_valid
    assert check([box(0, 0, 10, 10), box(10, 10, 20, 20)], limit).is_sound


def test_a_bow_tie_limit_is_never_a_proof():
    bow = Polygon([(0, 0), (20, 10), (20, 0), (0, 10)])
    lobes = [Polygon([(0, 0), (10, 5), (0, 10)]), Polygon([(20, 0), (20, 10), (10, 5)])]
    alone = check(lobes, bow)
    # Whoever mends such a limit says so; whoever does not says where the proof fails.
    is_said = any("limit" in note for note in alone.notes)
    assert is_said or (not alone.is_proven and len(alone.defects))
    outside = check([box(0, 0, 10, 10), box(10, 0, 20, 10)], bow)
    assert not outside.is_proven
    beyond = outside.defects[outside.defects["kind"] == "outside"]
    assert beyond["area_m2"].sum() == pytest.approx(100)


@pytest.mark.parametrize(
    "limit",
    [
        MultiPolygon([*SQUARES, SQUARES[4]]),
        gpd.GeoDataFrame(geometry=[MultiPolygon([*SQUARES, SQUARES[4]])]),
        MultiPolygon([LIMIT, SQUARES[4]]),
    ],
    ids=["squares", "table", "square in the whole"],
)
def test_a_doubled_cell_is_found_under_a_limit_whose_parts_overlap(limit):
    assert not check([*SQUARES, SQUARES[4]], limit).is_proven


def test_doubled_cells_are_found_under_a_limit_that_is_walked_twice():
    ring = list(LIMIT.exterior.coords)
    assert not check([LIMIT, LIMIT], Polygon([*ring[:-1], *ring])).is_proven


def test_a_hole_of_the_limit_outside_its_shell_is_said():
    limit = Polygon(box(0, 0, 10, 10).exterior, [box(20, 0, 30, 10).exterior])
    report = check([box(0, 0, 10, 10)], limit)
    assert not report.is_proven
    assert len(report.defects) or report.notes


# Vertices


def test_a_vertex_in_the_middle_of_a_neighbours_edge_is_a_place_and_no_hole():
    report = check(with_centre(Polygon([(10, 10), (15, 10), (20, 10), (20, 20), (10, 20)])))
    assert findings(report) == [("unmatched_edge", codes_of(2, 5), 0)]
    assert only(report).geometry.equals(shapely.Point(15, 10))
    assert report.is_proven
    assert not report.is_sound


@pytest.mark.parametrize("limit_is_noded", [True, False])
def test_a_border_that_a_vertex_misses_by_less_than_a_step_does_not_give_way(limit_is_noded):
    south = Polygon([(0, 0), (10, 0), (10, 3.333)])
    # The lattice point next to the middle of the border lies half a millimetre above it.
    bent = Polygon([(0, 0), (5, 1.667), (10, 3.333), (10, 10), (0, 10)])
    report = check([south, bent], box(0, 0, 10, 10), limit_is_noded=limit_is_noded)
    assert [(kind, cells) for kind, cells, _ in findings(report)] == [
        ("unmatched_edge", codes_of(1, 2))
    ]
    assert report.defects["area_m2"].tolist() == pytest.approx([0.0025], rel=0.01)
    assert not report.is_proven
    assert report.certificate.limit_shift_mm == 0


@pytest.mark.parametrize("limit_is_noded", [True, False])
def test_a_limit_gives_way_by_less_than_a_step_only_if_it_is_of_another_origin(limit_is_noded):
    limit = Polygon([(0, 0), (10, 3.333), (10, 10), (0, 10)])
    west = Polygon([(0, 0), (5, 1.667), (5, 10), (0, 10)])
    east = Polygon([(5, 1.667), (10, 3.333), (10, 10), (5, 10)])
    # The northern limit has its node; the southern one lies half a millimetre off.
    noded = Polygon([*limit.exterior.coords[:3], (5, 10), (0, 10)])
    report = check([west, east], noded, limit_is_noded=limit_is_noded)
    assert report.is_proven != limit_is_noded
    assert (report.certificate.limit_shift_mm > 0) != limit_is_noded


@pytest.mark.parametrize(
    ("width", "severity"),
    [(0.002, "hairline"), (0.049, "hairline"), (0.06, "sliver"), (1.9, "sliver"), (2.2, "real")],
)
def test_a_gap_is_graded_by_its_width(width, severity):
    report = check([box(0, 0, 1000, 1000), box(1000 + width, 0, 3000, 1000)], box(0, 0, 3000, 1000))
    assert only(report)["severity"] == severity


def test_a_vertex_on_the_limit_alone_is_nothing():
    assert check(with_south((15, 0))).is_sound


@pytest.mark.parametrize(
    ("height", "kind", "is_proven"),
    [(0.0004, "unmatched_edge", True), (0.001, "unmatched_edge", False), (0.002, "gap", False)],
)
def test_a_vertex_beside_a_neighbours_edge_is_graded_by_the_lattice(height, kind, is_proven):
    report = check(
        with_centre(Polygon([(10, 10), (15, 10 + height), (20, 10), (20, 20), (10, 20)]))
    )
    defect = only(report)
    assert defect["kind"] == kind
    assert {"2", "5"} <= set(defect["cells"])
    assert defect["area_m2"] == pytest.approx(0 if is_proven else 5 * height)
    assert report.is_proven == is_proven


def test_many_vertices_on_one_edge_are_each_a_place():
    spots = [(10 + step, 10) for step in range(1, 10)]
    report = check(with_centre(Polygon([(10, 10), *spots, (20, 10), (20, 20), (10, 20)])))
    assert findings(report) == [("unmatched_edge", codes_of(2, 5), 0)] * 9
    assert report.is_proven


def test_a_spike_of_a_cell_is_invalid_and_no_ground_is_missing():
    spiked = [(0, 0), (10, 0), (10, 5), (15, 5), (10, 5), (10, 10), (0, 10)]
    report = check([Polygon(spiked), *SQUARES[1:]])
    assert "invalid" in report.defects["kind"].tolist()
    assert set(report.defects["kind"]) <= {"invalid", "unmatched_edge"}
    assert not report.is_proven


def test_a_vertex_given_twice_is_nothing():
    doubled = Polygon([(10, 10), (20, 10), (20, 10), (20, 20), (10, 20), (10, 20)])
    assert check(with_centre(doubled)).is_sound


# Overlaps


@pytest.mark.parametrize(
    ("thick", "kind"), [(0.05, "overlap"), (0.002, "overlap"), (0.001, "unmatched_edge")]
)
def test_a_hairline_overlap_along_a_hundred_kilometres_is_measured(thick, kind):
    cells = [box(0, 0, 100_000, 1000), box(0, 1000 - thick, 100_000, 2000)]
    report = check(cells, box(0, 0, 100_000, 2000))
    assert findings(report) == [(kind, codes_of(1, 2), pytest.approx(100_000 * thick))]
    assert only(report)["width_m"] == pytest.approx(thick, rel=0.01)
    assert not report.is_proven


def test_a_border_that_is_one_millimetre_off_at_one_end_of_a_hundred_kilometres_is_no_proof():
    south = Polygon([(0, 0), (100_000, 0), (100_000, 1000.001), (0, 1000)])
    report = check([south, box(0, 1000, 100_000, 2000)], box(0, 0, 100_000, 2000))
    assert findings(report) == [("unmatched_edge", codes_of(1, 2), 50)]
    assert not report.is_proven


def test_a_cell_that_exactly_covers_several_others_is_named_with_each():
    hosts = {box(0, 0, 20, 10): (1, 2), box(0, 0, 20, 20): (1, 2, 4, 5), LIMIT: range(1, 10)}
    for host, covered in hosts.items():
        report = check([*SQUARES, host])
        assert findings(report) == [("nested", codes_of(one, 10), 100) for one in covered]


def test_a_cell_that_covers_several_others_with_all_their_nodes_is_named_with_each():
    noded = Polygon([(0, 0), (10, 0), (20, 0), (20, 10), (10, 10), (0, 10)])
    report = check([*SQUARES, noded])
    assert findings(report) == [("nested", codes_of(one, 10), 100) for one in (1, 2)]


@pytest.mark.parametrize(
    "inner",
    [box(12, 12, 15, 15), box(10, 12, 13, 15), box(10, 10, 13, 13), box(17, 17, 20, 20)],
    ids=["inside", "on a border", "in a corner", "in another corner"],
)
def test_a_cell_strictly_inside_another_is_nested_wherever_it_stands(inner):
    report = check([*SQUARES, inner])
    assert findings(report) == [("nested", codes_of(5, 10), 9)]
    assert only(report)["width_m"] == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize("twin", [SQUARES[4], SQUARES[4].reverse(), MultiPolygon([SQUARES[4]])])
def test_a_twin_is_a_duplicate_however_its_ring_runs(twin):
    report = check([*SQUARES, twin])
    assert findings(report) == [("duplicate", codes_of(5, 10), 100)]


def test_three_copies_of_a_cell_are_all_named():
    report = check([*SQUARES, SQUARES[4].reverse(), SQUARES[4]])
    assert {code for cells in report.defects["cells"] for code in cells} == {"5", "10", "11"}
    assert report.defects["area_m2"].tolist() == pytest.approx([100] * len(report.defects))
    assert not report.is_proven


def test_three_copies_of_a_cell_are_duplicates():
    report = check([*SQUARES, SQUARES[4], SQUARES[4]])
    assert set(report.defects["kind"]) == {"duplicate"}


def test_a_shifted_cell_leaves_a_gap_behind_and_overlaps_ahead():
    report = check(with_centre(translate(SQUARES[4], 0.5, 0.25)))
    assert findings(report) == [
        ("gap", codes_of(*range(1, 9)), 7.375),
        ("overlap", codes_of(5, 6), 4.875),
        ("overlap", codes_of(5, 8), 2.375),
        ("overlap", codes_of(5, 9), 0.125),
    ]


# Contacts and pieces


def test_cells_that_meet_in_corners_only_leave_four_gaps():
    report = check([SQUARES[number] for number in (0, 2, 4, 6, 8)])
    assert findings(report) == [
        ("inside_short", codes_of(1, 2, 3), 100),
        ("inside_short", codes_of(1, 3, 4), 100),
        ("inside_short", codes_of(2, 3, 5), 100),
        ("inside_short", codes_of(3, 4, 5), 100),
    ]


def test_islands_are_covered_each_and_one_without_a_cell_is_short_of_all():
    islands = MultiPolygon([box(0, 0, 10, 10), box(100, 0, 110, 10)])
    assert check(shapely.get_parts(islands), islands).is_sound
    assert check([islands], islands).is_sound
    assert findings(check([box(0, 0, 10, 10)], islands)) == [("inside_short", (), 100)]


@pytest.mark.parametrize("other", [8, 4], ids=["apart", "corner to corner"])
def test_a_cell_of_two_pieces_in_one_limit_is_multipart_and_the_cover_proven(other):
    pieces = MultiPolygon([SQUARES[0], SQUARES[other]])
    rest = [one for number, one in enumerate(SQUARES) if number not in {0, other}]
    report = check([pieces, *rest])
    assert findings(report) == [("multipart", codes_of(1), 200)]
    assert report.is_proven
    assert not report.is_sound


def test_a_cell_with_a_piece_beyond_the_limit_is_multipart_too():
    report = check([MultiPolygon([SQUARES[0], box(50, 0, 60, 10)]), *SQUARES[1:]])
    assert findings(report) == [("multipart", codes_of(1), 200), ("outside", codes_of(1), 100)]
    assert not report.is_proven


def test_a_cell_whose_pieces_share_an_edge_is_invalid():
    report = check([MultiPolygon(SQUARES[:2]), *SQUARES[2:]])
    assert "invalid" in report.defects["kind"].tolist()
    assert not report.is_proven


def test_a_ring_of_cells_round_an_enclave_is_covered():
    enclave = SQUARES[4]
    assert check(without(5), LIMIT.difference(enclave)).is_sound
    assert check([LIMIT.difference(enclave), enclave]).is_sound


def test_cells_with_swapped_codes_are_the_same_cover():
    assert check([SQUARES[1], SQUARES[0], *SQUARES[2:]]).is_sound


# Levels above


def nested_check(cells, parents):
    above = gpd.GeoDataFrame({"code": list(parents)}, geometry=list(parents.values()))
    frame = gpd.GeoDataFrame(
        {"code": list(cells), "parent": [code[0] for code in cells]}, geometry=list(cells.values())
    )
    return verify_coverage(frame, box(0, 0, 20, 10), parents=above)


def test_a_cell_whose_parent_is_not_there_spans_with_all_of_it():
    cells = {"P1": box(0, 0, 10, 10), "Q1": box(10, 0, 20, 10)}
    report = nested_check(cells, {"P": box(0, 0, 10, 10), "R": box(10, 0, 20, 10)})
    assert findings(report) == [("spans_parents", ("Q1",), 100)]
    assert not report.is_proven


@pytest.mark.parametrize(("beyond", "is_found"), [(0.001, False), (0.002, True), (3, True)])
def test_a_cell_spans_its_parent_by_more_than_a_step_of_the_lattice(beyond, is_found):
    border = 10 + beyond
    cells = {"P1": box(0, 0, border, 10), "Q1": box(border, 0, 20, 10)}
    report = nested_check(cells, {"P": box(0, 0, 10, 10), "Q": box(10, 0, 20, 10)})
    assert findings(report) == [("spans_parents", ("P1",), pytest.approx(10 * beyond))] * is_found


def test_a_cell_in_the_ground_of_another_parent_spans_with_all_of_it():
    cells = {"Q1": box(0, 0, 10, 10), "P1": box(10, 0, 20, 10)}
    report = nested_check(cells, {"P": box(0, 0, 10, 10), "Q": box(10, 0, 20, 10)})
    assert findings(report) == [("spans_parents", ("P1",), 100), ("spans_parents", ("Q1",), 100)]


# Households


def people_at(*places):
    x, y, counts = zip(*places, strict=True)
    return gpd.GeoDataFrame({"households": counts}, geometry=gpd.points_from_xy(x, y))


def test_households_are_lost_in_gaps_double_in_overlaps_and_none_of_it_outside():
    cells = [box(0, 0, 10, 10), box(9, 0, 20, 8)]
    people = people_at((9.5, 5, 3), (15, 9, 4), (50, 50, 9), (3, 3, 1), (10, 9, 2))
    report = check(cells, box(0, 0, 20, 10), households=people)
    table = report.defects.set_index("kind")
    assert table.loc["double_household", "cells"] == ("1", "2")
    assert table.loc["double_household", "households"] == 3
    assert table.loc["unassigned_household", "households"] == 4
    assert table.loc["overlap", "households"] == 3
    # The two on the border of a cell live in it.
    assert report.certificate.levels[0].households == 3 + 1 + 2
    assert any("9 households lie outside" in note for note in report.notes)
