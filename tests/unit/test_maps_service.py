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
    circle_note,
    has_stand_ins,
    joined_stations,
    limit_label,
    limit_labels,
    station_rows,
    status_text,
    walking_text,
)
from geogrid.maps.unserved import HIDDEN, service_limits, service_of, unserved_layers

UNSERVED = {"a00": 40, "a20": 12, "a30": 30, "a31": 4}


@pytest.fixture
def plan():
    return make_plan()


def test_circles_of_a_limit_are_one_area_smallest_first():
    layers = circle_layers(make_circles())
    assert [layer["label"] for layer in layers] == ["5分钟", "15分钟"]
    assert len(layers[0]["shape"]) == 2
    assert limit_labels((5.0, 15.0), make_circles()) == ["5分钟", "15分钟"]
    assert limit_labels((300.0,), make_circles().drop(columns="minutes")) == ["300米"]


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
    assert station_rows(joined_stations(None, reach), None)[0]["name"] == "服务站 s1"
    assert joined_stations(None, None) is None
    assert station_rows(None, None) == []
    assert not has_stand_ins(None)


def unserved_of(plan, reach):
    first, columns = unserved_layers(service_of(plan, reach), cell_tables(plan))
    codes = plan.cells("wei")["code"].tolist()
    wei = columns["wei"]
    by_code = {
        name: [dict(zip(codes, values, strict=True)) for values in wei[name]]
        for name in ("unserved", "share")
    }
    ranked = [[codes[row] for row in rows] for rows in wei["ranked"]]
    return first, by_code, ranked, columns["zong"]


def test_the_unserved_are_counted_ranked_and_hidden_when_few(plan):
    _, wei, ranked, zong = unserved_of(plan, make_reach(plan, unserved=UNSERVED))
    unserved = wei["unserved"][1]
    assert unserved["43020101"] == 40
    assert unserved["43020204"] == HIDDEN
    # The thirty of the smaller neighbour would give the four away: the upper cell shows 46.
    assert unserved["43020202"] == HIDDEN
    assert unserved["43020201"] == 12
    assert zong["unserved"][1] == [40, 46]
    assert ranked[1] == ["43020101", "43020201"]


def test_a_map_opens_with_the_smallest_limit_that_leaves_somebody_out(plan):
    reach = make_reach(plan, unserved={}, near={"a00": 40})
    first, wei, ranked, _ = unserved_of(plan, reach)
    assert first == 0
    assert wei["unserved"][0]["43020101"] == 40
    assert wei["unserved"][1]["43020101"] == 0
    assert ranked == [["43020101"], []]
    assert unserved_of(plan, make_reach(plan, unserved={}))[0] == 0


def test_a_share_is_shown_only_where_both_numbers_are(plan):
    _, wei, _, _ = unserved_of(plan, make_reach(plan, unserved=UNSERVED))
    share = wei["share"][1]
    assert share["43020101"] == 1.0
    assert share["43020203"] == 0.0
    assert share["43020102"] is None
    assert share["43020105"] is None
    assert share["43020204"] is None
    # Nobody lives in the one, the other is kept back: two different things.
    assert wei["unserved"][1]["43020105"] == 0
    assert wei["unserved"][1]["43020102"] == HIDDEN


def test_few_homes_are_hidden_when_the_reach_knows_fewer_than_the_plan(plan):
    reach = make_reach(plan, unserved={})
    by_cell = reach.by_cell
    reach.by_cell = lambda asked, level: by_cell(asked, level).clip(upper=3)
    _, wei, _, _ = unserved_of(plan, reach)
    assert set(wei["share"][0].values()) == {None}


def test_limits_are_read_from_the_columns():
    table = pd.DataFrame(columns=["households", "served_15", "served_2.5"])
    assert service_limits({"wei": table}) == [2.5, 15.0]
    with pytest.raises(InputError, match="served_<limit>"):
        service_limits({"wei": table[["households"]]})
    assert service_of(None, None) is None


def test_stations_without_a_name_do_not_show_a_bare_number(plan):
    stations = make_stations().assign(station=["1", "2"], name=["", "白果站"])
    first, second = station_rows(stations, None, district=plan.district)
    assert (first["name"], second["name"]) == ("服务站 1", "白果站")
    assert not first["outside"]


def test_names_join_the_stations_of_a_reach_row_by_row(plan):
    stations = make_stations().drop(columns="station")
    joined = joined_stations(stations, make_reach(plan, unserved={}))
    names = [row["name"] for row in station_rows(joined, None)]
    assert names == ["建设党群服务站", "新华图书馆"]
    alone = joined_stations(stations.iloc[:1], make_reach(plan, unserved={}))
    assert len(alone) == 2


def test_a_station_beyond_the_limit_says_so(plan):
    stations = make_stations()
    near, far = stations.geometry
    moved = stations.set_geometry([near, shapely.affinity.translate(far, 5000)], crs=stations.crs)
    rows = station_rows(moved.to_crs(4326), None, district=plan.district)
    assert [row["outside"] for row in rows] == [False, True]


def test_the_walking_assumption_is_printed_in_full(plan):
    text = walking_text(make_reach(plan, unserved={}))
    assert text.startswith("成人步行，4.8 km/h，5分钟 400 米、15分钟 1200 米，由住户走向服务站")
    assert walking_text(None) == ""


def test_a_status_of_somebody_else_is_shown_as_it_is():
    assert status_text("停用") == "停用"
    assert status_text(None) == ""
    assert status_text("reached") == "已计算"


def test_holes_of_circles_stay_on_the_map():
    circles = make_circles().iloc[:1]
    station = make_stations().geometry.iloc[0]
    yard, park = station.buffer(10), shapely.affinity.translate(station.buffer(45), 60, 0)
    holed = circles.set_geometry(circles.geometry.difference(yard).difference(park))
    (layer,) = circle_layers(holed)
    assert [len(rings) for rings in layer["shape"]] == [3]


def test_the_note_on_circles_says_how_they_were_drawn():
    assert circle_note(None) == ""
    note = circle_note(make_circles())
    assert "不跨越河流、铁路、围墙" in note
    assert "户数按步行路网计算" in note
    assert "填平" not in note
    assert "填平 5000 平方米以下的孔洞" in circle_note(make_circles().assign(look="display"))
