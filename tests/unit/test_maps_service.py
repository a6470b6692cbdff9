"""Stations, circles and the unserved on a map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from map_plans import make_circles, make_plan, make_reach, make_stations

from geogrid.errors import InputError
from geogrid.maps.data import cell_tables
from geogrid.maps.service import (
    circle_layers,
    has_stand_ins,
    joined_stations,
    limit_label,
    station_rows,
    status_text,
    unserved_columns,
    unserved_label,
    walking_text,
)

UNSERVED = {"a00": 40, "a20": 12, "a30": 30, "a31": 4}


@pytest.fixture
def plan():
    return make_plan()


def test_circles_of_a_limit_are_one_area_smallest_first():
    layers = circle_layers(make_circles())
    assert [layer["label"] for layer in layers] == ["5分钟", "15分钟"]
    assert len(layers[0]["shape"]) == 2
    assert unserved_label(make_circles()) == "15分钟服务圈外"


def test_circles_by_metres_say_so():
    layers = circle_layers(make_circles().drop(columns="minutes"))
    assert [layer["label"] for layer in layers] == ["400米", "1200米"]
    with pytest.raises(InputError, match="neither minutes nor metres"):
        circle_layers(make_circles().drop(columns=["minutes", "metres"]))
    assert limit_label({"minutes": 7.5}) == "7.5分钟"


def test_a_station_carries_its_largest_circle_and_what_it_really_is(plan):
    reach = make_reach(plan, unserved={})
    stations = joined_stations(make_stations(), reach)
    first, second = station_rows(stations, reach.circles)
    assert first["name"] == "建设党群服务站"
    assert second["standIn"] == "图书馆"
    assert (first["off"], second["off"]) == (False, True)
    assert second["status"] == "离路网过远"
    assert (first["households"], second["households"]) == (420, -1)
    lon = np.cumsum(np.reshape(first["circle"][0][0], (-1, 2)), axis=0)[:, 0] / 1e7
    assert np.ptp(lon) * 111_320 * np.cos(np.radians(27.83)) == pytest.approx(600, rel=0.01)
    assert 113 < first["at"][0] < 114
    assert has_stand_ins(stations)


def test_stations_of_the_user_are_not_changed(plan):
    stations = make_stations()
    joined_stations(stations, make_reach(plan, unserved={}))
    assert list(stations.columns) == list(make_stations().columns)


def test_without_stations_of_the_user_those_of_the_reach_are_shown(plan):
    reach = make_reach(plan, unserved={})
    assert station_rows(joined_stations(None, reach), None)[0]["name"] == "s1"
    assert joined_stations(None, None) is None
    assert station_rows(None, None) == []
    assert not has_stand_ins(None)


def test_the_unserved_are_counted_ranked_and_hidden_when_few(plan):
    columns = unserved_columns(plan, make_reach(plan, unserved=UNSERVED), cell_tables(plan))
    codes = plan.cells("wei")["code"].tolist()
    wei = columns["wei"]
    of_code = dict(zip(codes, wei["unserved"], strict=True))
    assert of_code["43020101"] == 40
    assert of_code["43020204"] == -1
    # Twelve would give the four away: the upper cell shows 46.
    assert of_code["43020201"] == -2
    assert columns["zong"]["unserved"] == [40, 46]
    assert [codes[row] for row in wei["ranked"]] == ["43020101", "43020202", "43020201", "43020204"]


def test_a_share_is_shown_only_where_both_numbers_are(plan):
    columns = unserved_columns(plan, make_reach(plan, unserved=UNSERVED), cell_tables(plan))
    codes = plan.cells("wei")["code"].tolist()
    share = dict(zip(codes, columns["wei"]["share"], strict=True))
    assert share["43020101"] == 1.0
    assert share["43020203"] == 0.0
    assert share["43020102"] is None
    assert share["43020105"] is None
    assert share["43020204"] is None


def test_a_share_among_few_homes_is_left_out_when_the_reach_knows_fewer_than_the_plan(plan):
    reach = make_reach(plan, unserved={})
    known = pd.DataFrame({"households": 3, "unserved": 0}, index=plan.cells("wei")["code"])
    reach.by_cell = lambda _, level: known if level == "wei" else known.iloc[:0]
    columns = unserved_columns(plan, reach, cell_tables(plan))
    assert set(columns["wei"]["share"]) == {None}


def test_the_walking_assumption_is_printed_in_full(plan):
    text = walking_text(make_reach(plan, unserved={}))
    assert text.startswith("成人步行，4.8 km/h，5分钟 400 米、15分钟 1200 米，由住户走向服务站")
    assert walking_text(None) == ""


def test_a_status_of_somebody_else_is_shown_as_it_is():
    assert status_text("停用") == "停用"
    assert status_text(None) == ""
    assert status_text("reached") == "已计算"


def test_courtyards_are_filled_on_the_map_and_parks_are_not():
    circles = make_circles().iloc[:1]
    station = make_stations().geometry.iloc[0]
    yard, park = station.buffer(10), shapely.affinity.translate(station.buffer(45), 60, 0)
    holed = circles.set_geometry(circles.geometry.difference(yard).difference(park))
    (layer,) = circle_layers(holed)
    assert [len(rings) for rings in layer["shape"]] == [2]
    assert len(holed.geometry.iloc[0].interiors) == 2
