"""A user's own roster of households, run through the command line as its owner would."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
from household_files import roster_of, small_town, write_csv, write_map, write_xlsx

from geogrid.cli import main
from geogrid.io.limit import read_limit
from geogrid.model.plan import GridPlan
from geogrid.osm import read_osm
from geogrid.workflow import divide_district

LISTS = {
    "lusong": ("lin",),
    "guangchang": ("loudong", "danyuan"),
    "hetang": ("xiaoqu", "loudong"),
}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    place = small_town()
    limit, osm = write_map(place, folder)
    rows = roster_of(place)
    write_xlsx(rows, folder / "h.xlsx")
    write_csv(rows, folder / "h.csv", "gbk")
    points = gpd.GeoDataFrame(
        {"户号": [row["household_id"] for row in rows], "楼栋": [row["building"] for row in rows],
         "单元": [row["entrance"] for row in rows], "小区": [row["compound"] for row in rows],
         "楼层": [row["floor"] for row in rows]},
        geometry=place.households.geometry.to_crs(4326).to_numpy(), crs=4326,
    )  # fmt: skip
    points.to_file(folder / "h.gpkg")
    points.to_file(folder / "h.geojson")
    return folder, place, (limit, osm), rows


def divide_file(town, name, scheme, capsys, out, *more):
    _, _, (limit, osm), _ = town
    words = ["divide", "--limit", limit, "--osm", osm, "--households", name, "--scheme", scheme]
    code = main([*map(str, words), *more, "--out", str(out), "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else captured.err


def together(plan, level):
    """Return who is with whom, whatever the cells are called."""
    groups = plan.members(level).groupby("code")["household_id"]
    return {frozenset(ids) for _, ids in groups}


@pytest.fixture(scope="module")
def in_python(town):
    _, place, (limit, osm), rows = town
    households = place.households.assign(
        compound=[row["compound"] for row in rows],
        building=[row["building"] for row in rows],
    )
    district = read_limit(limit).district
    extract = read_osm(osm, limit=gpd.GeoSeries([district.limit], crs=district.crs))
    return {
        scheme: divide_district(district, extract, households=households, scheme=scheme).plan
        for scheme in LISTS
    }


@pytest.mark.parametrize("scheme", LISTS)
@pytest.mark.parametrize("suffix", ["xlsx", "csv", "gpkg", "geojson"])
def test_a_roster_makes_the_same_lists_as_python(town, in_python, scheme, suffix, capsys, tmp_path):
    folder, place, _, _ = town
    out = tmp_path / "plan.gpkg"
    code, answer = divide_file(town, folder / f"h.{suffix}", scheme, capsys, out)
    assert code == 0
    assert answer["is_proven"]
    assert answer["households"] == len(place.households)
    plan = GridPlan.from_file(out)
    for level in LISTS[scheme]:
        members = plan.members(level)
        assert sorted(members["household_id"]) == sorted(place.households["household_id"])
        assert together(plan, level) == together(in_python[scheme], level)
    assert main(["check", str(out), "--quiet"]) == 0


def test_buildings_and_entrances_of_the_file_are_the_cells(town, in_python):
    _, place, _, rows = town
    plan = in_python["guangchang"]
    by_house = place.households.groupby("building")["household_id"].agg(frozenset)
    assert together(plan, "loudong") == set(by_house)
    by_entrance = place.households.groupby(["building", "entrance"])["household_id"].agg(frozenset)
    assert together(plan, "danyuan") == set(by_entrance)
    # Many compounds have a 01: each is a building of its own, and called what its people call it.
    assert len({row["building"] for row in rows}) < len(by_house)
    facts = plan.cell_table
    names = facts[facts["level"] == "loudong"]["name"]
    assert names.is_unique
    assert names.str.contains("·01栋").any()
    assert facts[facts["level"] == "danyuan"]["name"].str.endswith("01栋1单元").any()
    compounds = in_python["hetang"].cell_table.query("level == 'xiaoqu'")["name"]
    assert set(compounds) == {row["compound"] for row in rows}


def test_neighbours_share_a_building_where_the_band_lets_them(town, in_python):
    _, place, _, _ = town
    plan = in_python["lusong"]
    members = plan.members("lin").merge(place.households, on="household_id")
    assert members.groupby("code").size().between(5, 15).all()
    assert members.groupby("code")["building"].nunique().max() == 1


def test_what_a_person_typed_wrong_is_told_and_nobody_is_lost(town, capsys, tmp_path):
    _, _, _, rows = town
    bad = [dict(row) for row in rows]
    bad[0]["floor"] = "B1"
    bad[1]["floor"] = "顶层"
    bad[2]["building"] = ""
    bad[3]["building"] = "2024-03-01 00:00:00"
    bad[4]["entrance"] = "#REF!"
    bad[5]["household_id"] = ""
    bad[6]["household_id"] = ""
    path = write_xlsx(bad, tmp_path / "bad.xlsx")
    code, answer = divide_file(town, path, "guangchang", capsys, tmp_path / "p.gpkg")
    assert code == 0
    assert answer["households"] == len(rows)
    plan = GridPlan.from_file(tmp_path / "p.gpkg")
    assert [len(plan.members(level)) for level in LISTS["guangchang"]] == [len(rows)] * 2
    said = "\n".join(answer["notes"])
    assert "楼层 floor) names no floor by number in row 4" in said
    assert "楼栋 building) holds a date in row 6" in said
    assert "楼栋 building) is blank in 2 rows, first ones: 5, 6" in said
    assert "单元 entrance) holds an error of Excel in row 7" in said
    assert "only the first sheet, 住户, was read, not 说明" in said


def test_a_roster_without_buildings_says_what_its_levels_are_made_of(town, capsys, tmp_path):
    rows = [{key: row[key] for key in ("household_id", "lon", "lat")} for row in town[3]]
    path = write_csv(rows, tmp_path / "bare.csv")
    code, answer = divide_file(town, path, "guangchang", capsys, tmp_path / "p.gpkg")
    assert code == 0
    said = "\n".join(answer["notes"])
    assert "no column of the households says building: level loudong (楼栋) has one cell" in said


def test_a_household_that_is_listed_twice_is_named_with_its_rows(town, capsys, tmp_path):
    rows = [dict(row) for row in town[3]]
    rows[7]["household_id"] = rows[1]["household_id"]
    path = write_csv(rows, tmp_path / "twice.csv")
    code, said = divide_file(town, path, "lusong", capsys, tmp_path / "p.gpkg")
    assert code == 2
    assert "small-000002 (户号) in rows 3, 9" in said
    assert not (tmp_path / "p.gpkg").exists()


def test_shops_of_the_file_are_counted_in_every_cell_and_move_no_border(town, capsys, tmp_path):
    _, place, _, rows = town
    street = place.compounds.iloc[[1]]
    gpd.GeoDataFrame(
        {"类型": ["街区"], "名称": ["步行街"]}, geometry=street.geometry.to_numpy(), crs=street.crs
    ).to_file(tmp_path / "street.gpkg")
    plans = {}
    for name, shops in (("bare", None), ("shops", "3家")):
        more = [row if shops is None else {**row, "merchants": shops} for row in rows]
        path = write_csv(more, tmp_path / f"{name}.csv")
        words = ("--special", str(tmp_path / "street.gpkg"))
        out = tmp_path / f"{name}.gpkg"
        code, answer = divide_file(town, path, "huayang", capsys, out, *words)
        assert code == 0
        told = any("of kind 街区 at level wei count merchants" in note for note in answer["notes"])
        assert told == (shops is None)
        plans[name] = GridPlan.from_file(out)
    cells = plans["shops"].cells("wei")
    assert cells["merchants"].tolist() == (3 * cells["households"]).tolist()
    assert (cells["kind"] == "街区").sum() == 1
    assert plans["shops"].labels.equals(plans["bare"].labels)
