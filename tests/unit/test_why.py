"""Why a household is not served: one plain answer, and the walk behind it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from walk_cases import network, points, streets

from geogrid.errors import InputError
from geogrid.model.heights import HeightGrid
from geogrid.stations.why import explain_unserved
from geogrid.vocabulary import ServiceAnswer
from geogrid.walking import WalkNetwork
from geogrid.walking.slope import Ground

# Two banks joined by a bridge in the east, and a street that nothing leads to.
LINES = (
    [(0, 0), (500, 0)],
    [(0, 100), (500, 100)],
    [(500, 0), (500, 100)],
    [(0, 900), (100, 900)],
)
HOMES = ((0, 100), (100, 0), (50, 900), (0, 400), (300, 60))


def reach_of(walk=None, homes=HOMES, **options):
    walk = walk or network(*LINES)
    limits = {"minutes": (5, 15)} | options
    return walk.reach(points((0, 0), station=["A"]), households=points(*homes), **limits)


def test_a_walk_that_is_too_long_is_drawn_and_measured():
    why = explain_unserved(reach_of(minutes=None, metres=600), household=0)
    assert why.answer is ServiceAnswer.TOO_FAR
    assert why.station == "A"
    assert why.metres == pytest.approx(1100)
    assert why.missing_m == pytest.approx(500)
    assert (why.straight_m, why.detour) == (pytest.approx(100), pytest.approx(11))
    assert shapely.get_coordinates(why.path).tolist() == [[0, 100], [500, 100], [500, 0], [0, 0]]
    assert np.isnan(why.minutes)
    assert "步行 1100 米" in why.text_zh
    assert "超出 600米 500 米" in why.text_zh
    assert "分钟" not in why.text_zh
    assert "500 m beyond 600 m" in why.text_en


def test_minutes_are_told_where_a_speed_is_known():
    why = explain_unserved(reach_of(), household=0, limit=5)
    assert why.minutes == pytest.approx(1100 / 80)
    assert why.missing_minutes == pytest.approx(1100 / 80 - 5)
    assert "约13.8分钟" in why.text_zh
    assert "5分钟（400米）" in why.text_zh
    assert explain_unserved(reach_of(), household=0).answer is ServiceAnswer.SERVED


def test_between_the_rows_of_a_preset_minutes_rise_evenly():
    why = explain_unserved(reach_of(preset="gb50180"), household=0, limit=5)
    assert why.limit_m == 300
    assert why.missing_m == pytest.approx(800)


def test_each_reason_has_its_own_answer():
    reach = reach_of()
    answers = [explain_unserved(reach, household=row).answer for row in range(len(HOMES))]
    assert answers == ["served", "served", "no_way", "off_network", "served"]
    off = explain_unserved(reach, household=3)
    assert off.street_m == pytest.approx(300)
    assert "300 米" in off.text_zh
    assert off.straight_m == pytest.approx(400)
    assert off.path is None
    assert "不相连" in explain_unserved(reach, household=2).text_zh


def test_a_barrier_before_every_near_street_is_named_as_such():
    walk = WalkNetwork.from_edges(
        streets(*LINES), barriers=streets([(-50, 130), (600, 130)]).geometry
    )
    why = explain_unserved(reach_of(walk, ((250, 150),)), household=0)
    assert why.answer is ServiceAnswer.BARRED
    assert why.street_m == pytest.approx(50)
    assert "围墙" in why.text_zh


def test_a_household_without_a_point_and_a_limit_without_stations_are_answered():
    homes = points((0, 0), (1, 0))
    homes.loc[1, "geometry"] = None
    stations = points((0, 0), station=["A"], tier=["站"])
    stations = stations.assign(tier=["站"])
    reach = network(*LINES).reach(stations, households=homes, minutes=(5, 15))
    assert explain_unserved(reach, household=1).answer is ServiceAnswer.NO_POINT
    both = points((0, 0), (500, 100), station=["A", "B"], tier=["站", "社区"])
    reach = network(*LINES).reach(
        both, households=homes, minutes=(5, 15), tiers={15: ["社区"], 5: ["站"]}
    )
    assert explain_unserved(reach, household=0, limit=5).station == "A"
    assert explain_unserved(reach, household=0, limit=15).station == "B"


def test_one_way_streets_are_walked_their_own_way():
    walk = network([(0, 0), (500, 0)], [(500, 0), (0, 0)], oneway=[True, True])
    ring = network(
        [(0, 0), (500, 0)], [(500, 0), (500, 100), (0, 100), (0, 0)], oneway=[True, True]
    )
    assert len(walk.u) < 3
    for direction, metres, first in (("to_station", 1000, 200), ("from_station", 200, 0)):
        reach = reach_of(ring, ((200, 0),), direction=direction)
        why = explain_unserved(reach, household=0)
        assert why.metres == pytest.approx(metres)
        assert why.path.coords[0] == (first, 0)
        assert why.path.length == pytest.approx(metres)


def test_the_nearest_station_is_named_and_of_two_as_near_the_first_by_name():
    homes = points((400, 0))
    stations = points((0, 0), (900, 0), (300, 0), (500, 0), station=["D", "C", "B", "A"])
    walk = network([(0, 0), (1000, 0)])
    reach = walk.reach(stations, households=homes, minutes=None, metres=50)
    why = explain_unserved(reach, household=0)
    assert (why.station, why.metres) == ("A", pytest.approx(100))
    assert why.missing_m == pytest.approx(50)


def test_the_walk_is_found_however_long_it_is():
    walk = network([(0, 0), (9000, 0)], [(9000, 0), (9000, 100)], [(9000, 100), (0, 100)])
    why = explain_unserved(reach_of(walk, ((0, 100),)), household=0)
    assert why.metres == pytest.approx(18100)
    assert why.detour == pytest.approx(181)


def test_a_street_that_is_one_way_the_wrong_way_is_no_way():
    walk = network([(0, 0), (500, 0)], oneway=[True])
    why = explain_unserved(reach_of(walk, ((200, 0),)), household=0)
    assert why.answer is ServiceAnswer.NO_WAY
    assert np.isnan(why.metres)


def test_a_place_is_as_good_as_a_household():
    reach = reach_of()
    place = explain_unserved(reach, shapely.Point(0, 100), limit=5)
    home = explain_unserved(reach, household=0, limit=5)
    assert place.to_dict() == home.to_dict()
    assert json.loads(json.dumps(place.to_dict()))["label_zh"] == "步行超限"


def test_heights_are_followed_and_must_be_those_of_the_reach():
    grid = HeightGrid(
        values=np.tile(np.arange(0.0, 600.0, 10), (20, 1)), west=-50, south=-50, cell_m=10, name="d"
    )
    reach = network(*LINES).reach(
        points((0, 0), station=["A"]), households=points((300, 0)), minutes=(5, 15), heights=grid
    )
    with pytest.raises(InputError, match="heights"):
        explain_unserved(reach, household=0)
    why = explain_unserved(reach, household=0, limit=15, ground=Ground(heights=grid))
    assert (why.answer == "served") == bool(reach.households["served_15"].iloc[0])
    assert why.path.length == pytest.approx(300)
    assert why.metres > 300


@pytest.mark.parametrize(
    "given",
    [{}, {"household": 0, "place": shapely.Point(0, 0)}, {"household": 99}, {"limit": 7},
     {"place": shapely.Point()}],
)  # fmt: skip
def test_questions_that_make_no_sense_are_refused(given):
    given = {"household": 0} | given if "limit" in given else given
    with pytest.raises(InputError, match=r"give|no household|no limit"):
        explain_unserved(reach_of(), **given)


def test_streets_of_no_length_lead_nowhere_astray():
    walk = network(
        [(0, 0), (100, 0)], [(100, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (200, 0)],
        [(200, 0), (300, 0)],
    )  # fmt: skip
    why = explain_unserved(reach_of(walk, ((300, 0),)), household=0)
    assert why.path.length == pytest.approx(300)
