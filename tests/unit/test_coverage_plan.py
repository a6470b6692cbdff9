"""Proof of a whole plan: every level, nesting, households, bands."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pytest
from map_plans import make_plan
from shapely.affinity import translate

from geogrid.coverage import verify_levels, verify_plan
from geogrid.errors import InputError
from geogrid.model.report import Certificate
from geogrid.model.scheme import HouseholdBand


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
