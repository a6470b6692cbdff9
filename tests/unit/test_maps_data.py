"""A plan as the values that its map shows."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from map_plans import CRS_ZHUZHOU, X0, Y0, make_defects, make_plan

from geogrid.coverage.plan import verify_plan
from geogrid.errors import CrsError
from geogrid.maps.coding import line_steps, polygon_steps, to_degrees
from geogrid.maps.data import (
    band_text,
    cell_tables,
    defect_rows,
    district_layer,
    in_band,
    level_layers,
    proof_badge,
)
from geogrid.model.scheme import HouseholdBand


def restored(rings, decimals=7):
    return [np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / 10**decimals for ring in rings]


def test_every_area_level_is_a_layer_of_equal_columns():
    plan = make_plan()
    layers = level_layers(plan, cell_tables(plan))
    assert [layer["key"] for layer in layers] == ["zong", "wei"]
    assert [layer["name"] for layer in layers] == ["总网格", "微网格"]
    for layer, size in zip(layers, (2, 16), strict=True):
        columns = (
            "code",
            "cell",
            "kind",
            "parent",
            "households",
            "area",
            "colour",
            "shape",
            "spot",
        )
        assert {len(layer[column]) for column in columns} == {size}
    assert layers[1]["parent"][:8] == ["430201"] * 8
    assert layers[0]["area"] == [320_000, 320_000]


def test_shapes_are_whole_numbers_that_give_the_corners_to_seven_decimals():
    plan = make_plan()
    layer = level_layers(plan, cell_tables(plan))[1]
    degrees = plan.cells("wei").to_crs(4326).geometry
    for shape, wanted in zip(layer["shape"], degrees, strict=True):
        (rings,) = shape
        (ring,) = restored(rings)
        assert all(isinstance(step, int) for step in rings[0])
        corners = shapely.get_coordinates(wanted.exterior)[:-1]
        assert np.array_equal(ring.round(7), corners.round(7))


def test_neighbours_round_their_common_corners_alike():
    plan = make_plan()
    layer = level_layers(plan, cell_tables(plan))[1]
    corners = {tuple(map(int, vertex)) for shape in layer["shape"] for rings in shape
               for vertex in np.cumsum(np.reshape(rings[0], (-1, 2)), axis=0)}  # fmt: skip
    assert len(corners) == 25


def test_holes_and_parts_survive_the_coding():
    inner = [(0.2, 0.2), (0.4, 0.2), (0.4, 0.4), (0.2, 0.4)]
    holed = shapely.Polygon(shapely.box(0, 0, 1, 1).exterior, [inner])
    parts = shapely.MultiPolygon([holed, shapely.box(2, 2, 3, 3)])
    (shape,) = polygon_steps(gpd.GeoSeries([parts], crs=4326))
    assert [len(rings) for rings in shape] == [2, 1]
    rebuilt = shapely.union_all(
        [shapely.Polygon(rings[0], rings[1:]) for rings in map(restored, shape)]
    )
    assert rebuilt.symmetric_difference(parts).area < 1e-9


def test_lines_are_coded_part_by_part_and_areas_are_not_lines():
    lines = gpd.GeoSeries(
        [shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]), shapely.box(0, 0, 1, 1)],
        crs=4326,
    )
    assert line_steps(lines, decimals=1) == [[0, 0, 10, 10], [20, 20, 10, 10]]


def test_a_plan_in_local_metres_has_no_place_on_a_map():
    with pytest.raises(CrsError, match="plain local metres"):
        to_degrees(gpd.GeoSeries([shapely.box(0, 0, 1, 1)]))


def test_counts_below_ten_do_not_reach_the_layers():
    plan = make_plan()
    layer = level_layers(plan, cell_tables(plan))[1]
    of_code = dict(zip(layer["code"], layer["households"], strict=True))
    assert of_code["43020102"] == -1
    # The next smallest of its parent goes with it, or the total would tell.
    assert of_code["43020108"] == -2
    assert of_code["43020105"] == 0
    assert of_code["43020101"] == 40


@pytest.mark.parametrize(
    ("public", "wanted"), [(19, -1), (20, 0), (60, 0), (61, 1), (-1, -1), (-2, None)]
)
def test_a_count_is_below_in_or_above_its_band(public, wanted):
    assert in_band(HouseholdBand(low=20, high=60), public) == wanted


def test_a_hidden_count_tells_nothing_that_its_cover_does_not():
    assert in_band(HouseholdBand(low=5, high=15), -1) is None
    assert in_band(HouseholdBand(low=None, high=15), -1) == 0
    assert in_band(HouseholdBand(low=5, high=None), -2) == 0
    assert in_band(None, 12) is None


def test_bands_read_as_people_write_them():
    assert band_text(None) == ""
    assert band_text(HouseholdBand(low=300, high=500)) == "300–500 户"
    assert band_text(HouseholdBand(high=15, is_assumption=True)) == "不超过 15 户（假定）"
    assert band_text(HouseholdBand(low=5)) == "不少于 5 户"


def test_labels_stand_inside_their_cells():
    plan = make_plan()
    layer = level_layers(plan, cell_tables(plan))[1]
    places = shapely.points(np.array(layer["spot"]))
    spots = gpd.GeoSeries(places, crs=4326).to_crs(CRS_ZHUZHOU)
    assert plan.cells("wei").geometry.contains(spots).all()
    assert layer["room"] == pytest.approx([100] * 16, abs=2)


def test_a_defect_at_a_home_names_its_cell_and_not_its_place():
    gap, lost = defect_rows(None, make_defects())
    assert gap["label"] == "缝隙"
    assert gap["households"] == 12
    assert gap["shape"]
    west, south, east, north = gap["bounds"]
    assert 113 < west < east < 114
    assert 27 < south < north < 28
    assert lost["label"] == "漏户"
    assert lost["cells"] == ["43020104"]
    assert lost["households"] == -1
    assert lost["bounds"] is None
    assert lost["shape"] == []


def test_a_home_has_no_shape_either_when_it_is_an_area():
    doubled = make_defects().iloc[:1].assign(kind="double_household")
    (row,) = defect_rows(None, doubled)
    assert row["shape"] == []
    assert row["bounds"] is None


def test_defects_of_a_report_come_before_those_of_a_file():
    plan = make_plan()
    report = verify_plan(plan)
    listed = replace(report, defects=make_defects().iloc[:1])
    assert len(defect_rows(listed, make_defects())) == 1
    # A sound report does not wipe out what the file lists.
    assert len(defect_rows(report, make_defects())) == 2
    assert defect_rows(None, None) == []


def test_only_a_proof_without_defects_is_called_one():
    plan = make_plan()
    report = verify_plan(plan)
    assert proof_badge(None, report, has_defects=False)["proven"]
    assert proof_badge(report.certificate, None, has_defects=False)["text"] == "已证明全覆盖无重叠"
    assert not proof_badge(report.certificate, None, has_defects=True)["proven"]
    assert proof_badge(None, None, has_defects=False)["text"].startswith("未证明")


def test_one_certificate_that_is_no_proof_outweighs_another_that_is():
    report = verify_plan(make_plan())
    good = report.certificate
    bad = replace(good, levels=(replace(good.levels[0], uncancelled=2), *good.levels[1:]))
    failed = replace(report, certificate=bad)
    for certificate, found in ((bad, None), (None, failed), (good, failed), (bad, report)):
        badge = proof_badge(certificate, found, has_defects=False)
        assert badge == {"proven": False, "text": "未证明全覆盖无重叠"}
    assert proof_badge(good, report, has_defects=False)["proven"]


def test_the_district_has_its_bounds_in_degrees():
    layer = district_layer(make_plan())
    assert layer["households"] == 612
    assert layer["area"] == 640_000
    corner = gpd.GeoSeries([shapely.Point(X0, Y0)], crs=CRS_ZHUZHOU).to_crs(4326).total_bounds[:2]
    # North of a zone is not quite north of the map, so the box is a little larger.
    assert layer["bounds"][:2] == pytest.approx(corner, abs=1e-4)


def with_kinds(plan, kinds):
    """Name kinds for cells of ``wei``; 专属 alone stands outside the balance."""
    table = plan.cell_table.copy()
    table.loc[list(kinds), "kind"] = list(kinds.values())
    first, last = plan.scheme.levels
    last = replace(
        last, kinds=("普通", "专属", "特色"), unbalanced_kinds=("专属",), spanning_kinds=("特色",)
    )
    return replace(plan, cell_table=table, scheme=replace(plan.scheme, levels=(first, last)))


def test_a_special_cell_takes_no_part_in_the_band():
    plan = with_kinds(make_plan(), {"43020203": "专属"})
    layer = level_layers(plan, cell_tables(plan))[1]
    of_code = dict(zip(layer["code"], layer["inBand"], strict=True))
    assert of_code["43020203"] is None
    assert of_code["43020204"] == 0
    assert layer["unjudged"] == ["专属"]


def test_a_kind_that_counts_in_the_balance_is_judged_though_it_is_not_the_ordinary_one():
    plain = make_plan()
    plan = with_kinds(plain, {"43020203": "特色"})
    layer, before = (level_layers(one, cell_tables(one))[1] for one in (plan, plain))
    assert layer["inBand"] == before["inBand"]


def test_inputs_stay_as_they_were():
    plan = make_plan()
    before = plan.cells("wei")
    level_layers(plan, cell_tables(plan))
    assert before.equals(plan.cells("wei"))
