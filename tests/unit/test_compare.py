"""What changed between two sets of cells, on hand-made squares and on real counties."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import pytest
import shapely
from map_plans import make_plan
from shapely import Polygon, box

from geogrid.compare import compare
from geogrid.compare.overlay import greatest_widths_m, is_wider, overlay
from geogrid.errors import CrsError, InputError

WEST, EAST = box(0, 0, 10, 10), box(10, 0, 20, 10)


def cells(crs=None, **shapes):
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=crs)


def homes(*rows):
    x, y, counts = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"households": counts}, geometry=gpd.points_from_xy(x, y))


def share(comparison, old, new):
    table = comparison.crosswalk.set_index(["old", "new"])
    return table.loc[(old, new), "share"]


def test_the_same_cells_are_unchanged():
    answer = compare(cells(A=WEST, B=EAST), cells(B=EAST, A=WEST))
    assert answer.is_unchanged
    assert answer.unchanged == ("A", "B")
    assert answer.crosswalk[["old", "new", "share"]].to_numpy().tolist() == [
        ["A", "A", 1.0],
        ["B", "B", 1.0],
    ]


def test_a_moved_border_moves_its_households_and_nobody_else():
    people = homes((2, 5, 3), (9, 5, 4), (15, 5, 8))
    after = cells(A=box(0, 0, 8, 10), B=box(8, 0, 20, 10))
    answer = compare(cells(A=WEST, B=EAST), after, households=people)
    assert answer.moved.to_numpy().tolist() == [["A", "B", 4]]
    strip = answer.frame.iloc[0]
    assert strip["area_m2"] == pytest.approx(20)
    assert strip["width_m"] == pytest.approx(2, rel=0.01)
    assert strip.geometry.equals(box(8, 0, 10, 10))
    assert share(answer, "A", "B") == pytest.approx(4 / 7)
    assert answer.redrawn.to_numpy().tolist() == [["A", "A", 4, 0, 20, 0], ["B", "B", 0, 4, 0, 20]]
    assert answer.splits.empty
    assert answer.merges.empty
    assert answer.unchanged == ()


def test_a_split_a_merge_and_a_new_number_are_told_apart():
    before = cells(A=WEST, B=EAST, C=box(20, 0, 25, 10), D=box(25, 0, 30, 10))
    after = cells(A=box(0, 0, 10, 6), A2=box(0, 6, 10, 10), B9=EAST, C=box(20, 0, 30, 10))
    answer = compare(before, after)
    assert answer.splits.to_numpy().tolist() == [["A", ("A", "A2")]]
    assert answer.merges.to_numpy().tolist() == [["C", ("C", "D")]]
    assert answer.renumbered.to_numpy().tolist() == [["B", "B9"]]
    assert answer.unchanged == ()
    assert (answer.added, answer.removed) == ((), ())


def test_swapped_numbers_are_renumbered_and_move_no_ground():
    answer = compare(cells(A=WEST, B=EAST), cells(A=EAST, B=WEST))
    assert answer.renumbered.to_numpy().tolist() == [["A", "B"], ["B", "A"]]
    assert answer.frame.empty
    assert not answer.is_unchanged


def test_households_decide_where_a_cell_goes_on_and_area_where_nobody_lives():
    before = cells(A=WEST)
    after = cells(X=box(0, 0, 2, 10), Y=box(2, 0, 10, 10))
    lived = compare(before, after, households=homes((1, 5, 9), (5, 5, 1)))
    empty = compare(before, after)
    assert lived.redrawn["new"].tolist() == ["X"]
    assert lived.moved.to_numpy().tolist() == [["A", "Y", 1]]
    assert empty.redrawn["new"].tolist() == ["Y"]
    assert (lived.crosswalk["by"] == "households").all()
    assert (empty.crosswalk["by"] == "area").all()


def test_ground_in_one_side_only_is_said_and_shares_still_sum_to_one():
    answer = compare(cells(A=WEST, B=EAST), cells(A=WEST, C=box(0, 20, 5, 25)))
    assert answer.added == ("C",)
    assert answer.removed == ("B",)
    assert share(answer, "B", "") == 1
    assert share(answer, "", "C") == 1


def test_changed_heads_follow_the_ground_and_not_the_code():
    before = cells(A=WEST, B=EAST).assign(head=["Zhao", "Qian"])
    after = cells(A=EAST, B=WEST).assign(head=["Qian", "Sun"])
    answer = compare(before, after)
    assert answer.heads.to_numpy().tolist() == [["A", "B", "Zhao", "Sun"]]


def test_a_household_on_a_border_counts_once_for_the_lowest_code():
    people = homes((10, 5, 6))
    after = cells(A=box(0, 0, 5, 10), B=box(5, 0, 20, 10))
    answer = compare(cells(A=WEST, B=EAST), after, households=people)
    assert answer.crosswalk["households"].sum() == 6
    assert answer.moved.to_numpy().tolist() == [["A", "B", 6]]


def test_a_border_drawn_twice_within_the_tolerance_is_a_note():
    after = cells(A=box(0, 0, 9.98, 10), B=box(9.98, 0, 20, 10))
    answer = compare(cells(A=WEST, B=EAST), after)
    assert answer.frame.empty
    assert answer.unchanged == ("A", "B")
    assert any("0.20 m² together" in note for note in answer.notes)
    assert share(answer, "A", "B") == pytest.approx(0.002)


def test_overlapping_old_cells_keep_a_full_crosswalk_each():
    answer = compare(cells(A=WEST, B=box(5, 0, 20, 10), C=WEST), cells(X=WEST, Y=EAST))
    sums = answer.crosswalk.groupby("old")["share"].sum()
    assert sums.to_dict() == pytest.approx({"A": 1, "B": 1, "C": 1})
    assert any("overlap on 100.0 m²" in note for note in answer.notes)


def test_a_limit_leaves_out_what_lies_beyond_it():
    people = homes((1, 5, 2), (19, 5, 7))
    answer = compare(
        cells(A=WEST, B=EAST), cells(A=WEST), households=people, limit=box(0, 0, 12, 10)
    )
    assert answer.frame["area_m2"].tolist() == [pytest.approx(20)]
    assert any("7 households lie outside the limit" in note for note in answer.notes)


def test_the_answer_is_json_without_loss():
    people = homes((9, 5, 4))
    after = cells(A=box(0, 0, 8, 10), B=box(8, 0, 20, 10))
    answer = compare(cells(A=WEST, B=EAST), after, households=people).to_dict()
    assert json.loads(json.dumps(answer, ensure_ascii=False)) == answer
    assert answer["households_moved"] == 4
    assert answer["changed"][0]["to"] == "B"


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        (gpd.GeoDataFrame({"code": ["A"]}, geometry=[shapely.Point(0, 0)]), InputError, "polygon"),
        (gpd.GeoDataFrame({"code": [None]}, geometry=[WEST]), InputError, "without a code"),
        (cells(crs=4546, A=WEST), CrsError, "only one has a CRS"),
        (cells(A=WEST, B=box(2e6, 0, 2e6 + 1, 1)), InputError, "1,073 km"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_plain_words(frame, error, words):
    with pytest.raises(error, match=words):
        compare(cells(A=WEST), frame)


@pytest.mark.parametrize("count", [-1, 0.5, None])
def test_a_household_count_that_is_no_number_is_refused(count):
    with pytest.raises(InputError, match="whole number"):
        compare(cells(A=WEST), cells(A=WEST), households=homes((1, 1, count)))


def test_missing_shapes_repeated_codes_and_crossed_rings_are_noted_and_kept():
    bow = Polygon([(10, 0), (20, 10), (20, 0), (10, 10)])
    before = gpd.GeoDataFrame({"code": ["A", "A", "B", "C"]}, geometry=[WEST, EAST, bow, None])
    answer = compare(before, cells(A=box(0, 0, 20, 10)))
    assert set(answer.crosswalk["old"]) == {"A", "B", "C"}
    assert answer.crosswalk.set_index("old").loc["C", "by"] == "nothing"
    words = " ".join(answer.notes)
    assert "repeat a code" in words
    assert "no polygon" in words
    assert "cross themselves" in words


def test_inputs_are_not_changed():
    before, after = cells(A=WEST, B=EAST), cells(A=WEST)
    copies = before.copy(), after.copy()
    compare(before, after)
    assert before.equals(copies[0])
    assert after.equals(copies[1])


def test_an_overlay_tells_every_holder_of_a_face():
    faces = overlay([cells(A=WEST, B=box(5, 0, 20, 10)).geometry.to_numpy()])
    assert sorted(shapely.area(faces.faces)) == [50, 50, 100]
    assert len(faces.overlapped(0)) == 1
    assert len(faces.face) == 4


def test_a_hole_that_no_layer_has_is_no_face():
    ring = WEST.difference(box(4, 4, 6, 6))
    faces = overlay([cells(A=ring).geometry.to_numpy()])
    assert shapely.area(faces.faces).tolist() == [96]


def test_widths_hold_for_squares_strips_and_nothing():
    shapes = cells(A=WEST, B=box(0, 0, 10_000, 0.5), C=Polygon()).geometry.to_numpy()
    assert greatest_widths_m(shapes) == pytest.approx([10, 0.5, 0], rel=0.005)
    assert is_wider(shapes, 0.6).tolist() == [True, False, False]


@pytest.mark.slow
def test_two_sources_of_the_same_counties_differ_where_hetang_gained_15_km2(shared_data):
    wanted = ["430202", "430203", "430204", "430211", "430212", "430181"]

    def read(source):
        file = shared_data / "boundaries" / f"counties_wgs84_from_{source}.geojson"
        table = gpd.read_file(file).rename(columns={"adcode": "code"})
        return table[table["code"].isin(wanted)]

    answer = compare(read("cnmaps"), read("datav"))
    worst = answer.frame.iloc[0]
    assert (worst["from"], worst["to"]) == ("430204", "430202")
    assert worst["area_m2"] == pytest.approx(15.214e6, rel=0.001)
    place = answer.frame.geometry.iloc[[0]].to_crs(4326).representative_point().iloc[0]
    assert (place.x, place.y) == pytest.approx((113.173, 27.912), abs=0.03)
    assert answer.crosswalk.groupby("old")["share"].sum().tolist() == pytest.approx([1] * 7)


def test_a_code_that_keeps_its_ground_goes_on_though_most_of_its_people_leave():
    people = homes((2, 5, 1), (9, 5, 40), (15, 5, 8))
    after = cells(A=box(0, 0, 8, 10), B=box(8, 0, 20, 10))
    answer = compare(cells(A=WEST, B=EAST), after, households=people)
    assert answer.redrawn["new"].tolist() == ["A", "B"]
    assert answer.moved.to_numpy().tolist() == [["A", "B", 40]]


def test_two_plans_are_compared_by_the_households_of_their_atoms():
    before = make_plan()
    same = compare((before, "总网格"), (before, "zong"))
    assert same.is_unchanged
    labels = before.labels.assign(
        zong=before.labels["zong"].mask(before.labels.index == "a10", "430202")
    )
    answer = compare((before, "zong"), (replace(before, labels=labels), "zong"))
    assert answer.crosswalk["households"].sum() == before.households
    assert answer.moved.to_numpy().tolist() == [["430201", "430202", 7]]


def test_a_cell_under_another_name_is_renamed_and_a_merged_one_is_not():
    old = cells(A=WEST, B=EAST).assign(name=["一", "二"])
    other = cells(A=WEST, B=EAST).assign(name=["一", "贰"])
    answer = compare(old, other)
    assert answer.renamed.to_numpy().tolist() == [["B", "B", "二", "贰"]]
    assert not answer.is_unchanged
    assert answer.to_dict()["renamed"][0]["name_after"] == "贰"
    merged = compare(old, cells(A=box(0, 0, 20, 10)).assign(name=["一"]))
    assert merged.renamed.empty
    assert compare(old, cells(A=WEST, B=EAST)).renamed.empty
