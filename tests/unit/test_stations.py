"""Who is served per cell, and the headline numbers."""

from __future__ import annotations

import json

import geopandas as gpd
import pandas as pd
import pytest
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan
from walk_cases import points, streets

from geogrid.errors import CrsError, InputError
from geogrid.stations import service_summary, unserved_by_cell
from geogrid.walking import WalkNetwork

END = 4 * SIDE


def at(*places, **columns):
    return points(*[(X0 + x, Y0 + y) for x, y in places], crs=CRS_ZHUZHOU, **columns)


@pytest.fixture(scope="module")
def walk():
    lines = [[(X0, Y0 + y), (X0 + END, Y0 + y)] for y in (100, 300, 500, 700)]
    lines += [[(X0, Y0 + low), (X0, Y0 + low + 200)] for low in (100, 300, 500)]
    return WalkNetwork.from_edges(streets(*lines, crs=CRS_ZHUZHOU))


@pytest.fixture(scope="module")
def plan():
    return make_plan()


@pytest.fixture(scope="module")
def homes():
    # A corner of four atoms, a border of two, insides, and two places outside the plan.
    places = [(200, 200), (200, 100), (150, 100), (750, 100), (750, 700), (-20, 300), (820, 700)]
    return at(*places, households=[1, 2, 4, 8, 16, 32, 64])


@pytest.fixture(scope="module")
def reach(walk, homes):
    stations = at((0, 100), (0, -300), station=["west", "south"])
    return walk.reach(stations, minutes=None, metres=(300, 900), households=homes)


def test_every_household_is_in_one_cell_or_outside(reach, plan):
    for level in ("zong", "wei", "总网格", "大网格"):
        table = reach.by_cell(plan, level)
        assert table.index.name == "code"
        assert set(table.index) == set(plan.cells(level)["code"])
        assert table["households"].sum() + table.attrs["outside"] == 127
        assert table.attrs["outside"] == 32 + 64
        assert (table["households"] == table["served_900"] + table["unserved"]).all()


def test_counts_per_cell_are_exact(reach, plan):
    table = reach.by_cell(plan, "zong")
    assert table.loc["430201"].to_dict() == {
        "households": 7, "served_300": 7, "served_900": 7, "unserved": 0,
        "share_300": 1, "share_900": 1,
    }  # fmt: skip
    east = table.loc["430202"]
    assert [east["households"], east["served_300"], east["served_900"]] == [24, 0, 8]
    assert east["unserved"] == 16
    assert east["share_900"] == pytest.approx(1 / 3)


def test_a_point_on_a_border_belongs_to_the_lowest_atom_id(reach, plan):
    code = plan.labels["wei"]
    table = reach.by_cell(plan, "wei")
    # (200, 200) touches a00 a10 a01 a11; (200, 100) touches a00 a10; (150, 100) lies in a00.
    assert table.loc[code["a00"], "households"] == 1 + 2 + 4
    assert table.loc[code["a10"], "households"] == 0
    assert pd.isna(table.loc[code["a10"], "share_300"])


def test_the_order_of_atoms_and_households_does_not_matter(walk, plan, homes):
    shuffled = walk.reach(
        at((0, 100)), minutes=None, metres=(300, 900), households=homes.iloc[::-1]
    )
    plain = walk.reach(at((0, 100)), minutes=None, metres=(300, 900), households=homes)
    pd.testing.assert_frame_equal(shuffled.by_cell(plan, "wei"), plain.by_cell(plan, "wei"))


def test_reach_and_plan_may_have_different_frames(reach, plan, walk, homes):
    degrees = gpd.GeoDataFrame(
        {"w": [1] * len(walk.u)}, geometry=list(walk.geometry), crs=walk.crs
    ).to_crs(4548)
    # Only insides and outsides: a border point may fall to either side after conversion.
    other = WalkNetwork.from_edges(degrees).reach(
        at((0, 100)), minutes=None, metres=(900,), households=homes.iloc[2:]
    )
    table = other.by_cell(plan, "zong")
    assert table["households"].tolist() == [4, 24]
    assert table.attrs["outside"] == 96
    with pytest.raises(CrsError, match="only one of plan and reach"):
        reach.by_cell(make_plan(crs=None), "zong")


def test_unknown_levels_are_refused(reach, plan):
    with pytest.raises(InputError, match="no level street"):
        reach.by_cell(plan, "street")


def test_a_reach_without_households_counts_zero_everywhere(walk, plan):
    table = walk.reach(at((0, 100))).by_cell(plan, "zong")
    assert table["households"].tolist() == [0, 0]
    assert table["share_15"].isna().all()
    assert table.attrs["outside"] == 0


def test_cells_are_ranked_by_unserved_households_for_each_limit(reach, plan):
    table = unserved_by_cell(reach, plan, "wei")
    assert table.groupby("limit").size().tolist() == [8, 8] if len(table) == 16 else True
    assert len(table) == 2 * len(plan.cells("wei"))
    for _, ranked in table.groupby("limit"):
        assert ranked["unserved"].is_monotonic_decreasing
        assert ranked["rank"].iloc[0] == 1
    near = table[table["limit"] == 300].iloc[:2]
    assert near["unserved"].tolist() == [16, 8]
    assert near["share"].tolist() == [1, 1]
    assert near["name"].iloc[0] == plan.cell_table.loc[near["code"].iloc[0], "name"]
    far = table[table["limit"] == 900]
    assert far["unserved"].sum() == 16
    rest = far[far["unserved"] == 0]
    assert set(rest["rank"]) == {2}
    assert rest["code"].is_monotonic_increasing
    assert table.attrs["outside"] == 96


def test_the_summary_says_it_all_in_plain_json_values(reach):
    facts = json.loads(json.dumps(service_summary(reach)))
    assert facts["stations"] == 2
    assert facts["off_network"] == ["south"]
    assert facts["households"] == 127
    assert facts["off_network_households"] == 0
    assert facts["overlapping"] == 0
    assert [row["limit"] for row in facts["limits"]] == [300, 900]
    for row in facts["limits"]:
        assert row["served"] + row["unserved"] == 127
        assert row["share"] == pytest.approx(row["served"] / 127)
    assert facts["assumptions"]["limits_m"] == [300, 900]


def test_the_summary_counts_who_lives_between_stations_and_who_lives_off_the_streets(walk):
    homes = at((400, 100), (0, 1000), households=[3, 5])
    reach = walk.reach(at((0, 100), (800, 100)), households=homes)
    facts = service_summary(reach)
    assert facts["overlapping"] == 3
    assert facts["off_network_households"] == 5


def test_without_households_the_summary_has_no_share(walk):
    facts = service_summary(walk.reach(at((0, 100))))
    assert [row["share"] for row in facts["limits"]] == [None, None]
