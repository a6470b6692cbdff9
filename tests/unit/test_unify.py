"""Several layers made one coverage: who leads, what is in conflict, where every cell went."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, box

from geogrid.compare import unify
from geogrid.errors import InputError

LIMIT = box(0, 0, 20, 10)
WEST, EAST = box(0, 0, 10, 10), box(10, 0, 20, 10)


def cells(**shapes):
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()))


def homes(*rows):
    x, y, counts = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"households": counts}, geometry=gpd.points_from_xy(x, y))


def shapes_of(answer):
    return answer.cells.set_index("code").geometry


def weights(answer):
    table = answer.crosswalk
    keys = zip(table["layer"], table["old"], table["new"], strict=True)
    return dict(zip(keys, table["weight"], strict=True))


def test_one_sound_layer_stays_as_it_is():
    answer = unify({"civil": cells(A=WEST, B=EAST)}, LIMIT)
    assert answer.report.is_sound
    assert shapes_of(answer)["A"].equals(WEST)
    assert answer.conflicts.empty
    assert weights(answer) == {("civil", "A", "A"): 1, ("civil", "B", "B"): 1}


def test_the_first_layer_leads_and_the_next_fills_what_it_leaves():
    civil = cells(A=WEST)
    police = cells(P=box(5, 0, 20, 10))
    answer = unify({"civil": civil, "police": police}, LIMIT)
    assert answer.report.is_proven
    assert shapes_of(answer)["A"].equals(WEST)
    assert shapes_of(answer)["P"].equals(EAST)
    assert weights(answer)["police", "P", "A"] == pytest.approx(1 / 3)
    turned = unify({"civil": civil, "police": police}, LIMIT, priority=["police", "civil"])
    assert shapes_of(turned)["P"].equals(box(5, 0, 20, 10))


def test_a_border_drawn_otherwise_is_a_conflict_with_its_area_and_households():
    people = homes((9, 5, 4), (2, 2, 1))
    police = cells(P=box(0, 0, 8, 10), Q=box(8, 0, 20, 10))
    answer = unify({"civil": cells(A=WEST, B=EAST), "police": police}, LIMIT, households=people)
    assert len(answer.conflicts) == 1
    row = answer.conflicts.iloc[0]
    assert (row["kind"], row["cells"], row["given_to"]) == (
        "disagree",
        ("civil:A", "police:Q"),
        "A",
    )
    assert row["area_m2"] == pytest.approx(20)
    assert row["width_m"] == pytest.approx(2, rel=0.01)
    assert row["households"] == 4
    assert answer.cells["households"].tolist() == [5, 0]
    assert weights(answer)["police", "Q", "A"] == 1
    assert answer.crosswalk.loc[answer.crosswalk["new"] == "B", "by"].tolist() == [
        "area",
        "households",
    ]


def test_layers_that_nest_do_not_disagree():
    police = cells(P=LIMIT)
    answer = unify({"civil": cells(A=WEST, B=EAST), "police": police}, LIMIT)
    assert answer.conflicts.empty
    assert weights(answer)["police", "P", "B"] == pytest.approx(0.5)


def test_ground_that_nobody_has_joins_the_longest_border_and_is_listed():
    answer = unify({"civil": cells(A=box(0, 0, 9, 10), B=box(11, 0, 20, 4))}, LIMIT)
    assert answer.report.is_proven
    assert answer.cells["area_m2"].sum() == pytest.approx(200)
    assert answer.conflicts["kind"].tolist() == ["unclaimed"]
    assert answer.conflicts["given_to"].tolist() == ["B"]
    assert answer.conflicts["area_m2"].tolist() == [pytest.approx(74)]


def test_an_island_that_nobody_has_is_a_cell_of_its_own():
    limit = LIMIT.union(box(50, 0, 51, 1))
    answer = unify({"civil": cells(A=WEST, B=EAST)}, limit)
    assert answer.report.is_sound
    assert answer.cells["code"].tolist() == ["A", "B", "unclaimed-1"]
    assert answer.conflicts["given_to"].tolist() == ["unclaimed-1"]


def test_a_narrow_rest_of_a_later_cell_joins_its_neighbour_and_a_wide_one_stands():
    civil = cells(A=WEST)
    police = cells(P=box(0, 0, 10.5, 10), Q=box(10.5, 0, 20, 10))
    answer = unify({"civil": civil, "police": police}, LIMIT, tolerance_m=1)
    assert answer.cells["code"].tolist() == ["A", "Q"]
    layers = {"civil": cells(A=box(0, 0, 4, 10)), "police": cells(P=WEST, Q=EAST)}
    assert unify(layers, LIMIT).cells["code"].tolist() == ["A", "P", "Q"]


def test_a_cell_that_is_narrow_by_itself_stays():
    layers = {
        "civil": cells(A=WEST),
        "police": cells(P=box(10, 0, 10.5, 10), Q=box(10.5, 0, 20, 10)),
    }
    assert unify(layers, LIMIT).cells["code"].tolist() == ["A", "P", "Q"]


def test_cells_that_correspond_are_one_and_a_taken_code_gets_its_layers_name():
    civil = cells(A=box(0, 0, 7, 10))
    police = cells(A=EAST, P=WEST)
    answer = unify({"civil": civil, "police": police}, LIMIT)
    assert answer.cells["code"].tolist() == ["A", "police:A"]
    assert shapes_of(answer)["A"].equals(WEST)
    assert answer.cells["source_code"].tolist() == ["A", "A"]


def test_ground_beyond_the_limit_goes_to_nobody_and_weights_still_sum_to_one():
    answer = unify({"civil": cells(A=box(-10, 0, 10, 10), B=EAST, C=box(30, 0, 31, 1))}, LIMIT)
    assert weights(answer) == {
        ("civil", "A", ""): 0.5,
        ("civil", "A", "A"): 0.5,
        ("civil", "B", "B"): 1,
        ("civil", "C", ""): 1,
    }
    assert answer.conflicts["kind"].tolist() == ["outside", "outside"]


def test_duplicates_are_listed_and_found_again_in_the_crosswalk():
    answer = unify({"civil": cells(A=WEST, B=EAST, C=EAST)}, LIMIT)
    assert answer.conflicts["kind"].tolist() == ["overlap"]
    assert answer.conflicts["cells"].tolist() == [("civil:B", "civil:C")]
    assert weights(answer)["civil", "C", "B"] == 1


def test_a_household_on_a_border_counts_once():
    people = homes((10, 5, 6), (10, 10, 1))
    answer = unify({"civil": cells(A=WEST, B=EAST)}, LIMIT, households=people)
    assert answer.cells["households"].tolist() == [7, 0]
    assert answer.crosswalk["households"].sum() == 7


def test_the_proof_is_made_against_the_noded_limit_far_from_the_origin():
    offset = np.array([39_500_000.0, 3_076_603.0])
    slanted = gpd.GeoSeries([box(0, 0, 20, 10)]).rotate(17).translate(*offset)
    civil = gpd.GeoDataFrame({"code": ["A", "B"]}, geometry=[WEST, EAST])
    moved = civil.set_geometry(civil.translate(*offset))
    police = moved.set_geometry(moved.rotate(3, origin=(39_500_010, 3_076_608)))
    answer = unify({"civil": moved, "police": police}, slanted)
    assert answer.report.certificate.is_proof
    assert answer.limit.area == pytest.approx(200, abs=0.05)


def test_the_answer_is_json():
    answer = unify({"civil": cells(A=WEST), "police": cells(P=box(5, 0, 20, 10))}, LIMIT).to_dict()
    assert json.loads(json.dumps(answer))["cells"][1]["layer"] == "police"


def test_no_layer_and_a_wrong_priority_are_refused():
    with pytest.raises(InputError, match="no layer"):
        unify({}, LIMIT)
    with pytest.raises(InputError, match="name each of civil once"):
        unify({"civil": cells(A=WEST)}, LIMIT, priority=["police"])
    with pytest.raises(InputError, match="limit has no polygon"):
        unify({"civil": cells(A=WEST)}, Point(0, 0))
