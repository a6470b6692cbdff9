from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon, box

from geogrid.errors import CrsError, InputError
from geogrid.io.estimate import EstimateRule, estimate_households


def _buildings(*rows: tuple[float, str, str, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "osm_id": [f"w{number}" for number in range(len(rows))],
            "building": [row[1] for row in rows],
            "use": [row[2] for row in rows],
            "levels": [row[3] for row in rows],
        },
        geometry=[box(100 * at, 0, 100 * at + 10, row[0] / 10) for at, row in enumerate(rows)],
        crs=4547,
    )


NAN = np.nan


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((550.0, "apartments", "residential", 6.0), 30),
        ((550.0, "apartments", "residential", NAN), 30),
        ((550.0, "apartments", "mixed", 6.0), 15),
        ((550.0, "school", "other", 6.0), 0),
        ((110.0, "yes", "residential", NAN), 2),
        ((220.0, "yes", "residential", NAN), 10),
        ((220.0, "yes", "residential", 3.0), 6),
        ((220.0, "yes", "residential", 0.0), 10),
        ((300.0, "house", "residential", NAN), 1),
        ((440.0, "terrace", "residential", NAN), 8),
        ((30.0, "yes", "residential", 1.0), 1),
        ((19.0, "house", "residential", 2.0), 0),
    ],
)
def test_a_building_holds_floor_area_over_area_per_household(row, expected):
    assert estimate_households(_buildings(row))["households"].tolist() == [expected]


def test_the_point_lies_in_the_building_and_names_it():
    ring = Polygon([(0, 0), (30, 0), (30, 30), (0, 30)], [[(2, 2), (28, 2), (28, 28), (2, 28)]])
    frame = gpd.GeoDataFrame({"osm_id": ["r7"]}, geometry=[ring], crs=4547, index=[42])
    points = estimate_households(frame)
    assert shapely.intersects(ring, points.geometry.to_numpy()).all()
    assert points["building"].tolist() == ["r7"]
    assert points["estimated"].tolist() == [True]
    assert points.index.tolist() == [42]
    assert points["households"].dtype == np.int64
    assert points.crs == frame.crs
    assert "估算" in points.attrs["notes"][1]


def test_the_rule_is_printed_with_its_own_area():
    rule = EstimateRule(gross_m2=95.5)
    assert "95.5 m² gross" in rule.note
    assert "95.5平方米" in rule.note_zh


def test_the_note_says_that_unknown_buildings_count_as_homes():
    rule = EstimateRule()
    assert "(building=yes) count as homes" in rule.note
    assert "(building=yes)按住宅计" in rule.note_zh


def test_another_area_per_household_gives_another_number():
    rule = EstimateRule(gross_m2=95.5)
    frame = _buildings((955.0, "yes", "residential", 1.0))
    assert estimate_households(frame, rule=rule)["households"].tolist() == [10]


def test_another_building_changes_no_number():
    rows = [(200.0 + 7 * at, "apartments", "residential", 5.0) for at in range(6)]
    alone = estimate_households(_buildings(*rows[:3]))["households"].tolist()
    assert estimate_households(_buildings(*rows))["households"].tolist()[:3] == alone


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="above 0"):
        EstimateRule(gross_m2=0)
    with pytest.raises(CrsError):
        estimate_households(_buildings((100.0, "yes", "residential", 1.0)).to_crs(4326))
    with pytest.raises(InputError, match="'lived-in' is not known"):
        estimate_households(_buildings((100.0, "yes", "lived-in", 1.0)))


def test_no_building_gives_no_household():
    empty = estimate_households(_buildings())
    assert empty.empty
    assert {"building", "households", "estimated"} <= set(empty)
