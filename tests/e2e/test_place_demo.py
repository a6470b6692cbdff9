"""The six places are divided at the size of their source texts."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest

from geogrid import schemes
from geogrid.cli import main
from geogrid.model.plan import GridPlan
from geogrid.synthetic import load_place, make_place
from geogrid.workflow import divide_place

COUNTS = {
    "lusong": {"zhenjie": 8, "cunshe": 81, "pian": 470, "zu": 3161, "lin": 8032},
    "guangchang": {"shequ": 10, "wangge": 68, "loudong": 646, "danyuan": 1841},
    "hetang": {"zhenjie": 7, "shequ": 62, "xiaoqu": 244, "loudong": 3800},
    "hulin": {"cunshe": 90, "wangge": 392},
    "huayang": {"shequ": 24, "zong": 24, "yiban": 307, "wei": 2289},
}


def cells_of(plan, level):
    if level.contract.value == "area":
        return plan.cells(level.key)["households"]
    return plan.members(level.key).groupby("code")["households"].sum()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COUNTS)
def test_a_place_has_the_cells_of_its_source_text_and_everybody_in_one(name):
    place = make_place(load_place(name))
    division = divide_place(place)
    plan, report = division.plan, division.report
    assert report.is_proven
    assert {level.key: len(cells_of(plan, level)) for level in plan.scheme.levels} == COUNTS[name]
    for level in plan.scheme.levels:
        assert cells_of(plan, level).sum() == place.spec.households
        if level.band is not None and level.band.is_hard:
            assert cells_of(plan, level).between(level.band.low, level.band.high).all()
    assert all(source.is_synthetic for source in plan.sources if source.role != "codes")
    # Official cells keep their official codes.
    official = load_place(name).units
    assert {unit.code for unit in official} <= set(plan.cell_table.index)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_writes_a_plan_that_checks_and_a_map_that_says_synthetic(tmp_path, capsys):
    out = tmp_path / "g"
    assert main(["demo", "--place", "guangchang", "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["is_synthetic"]
    assert answer["is_proven"]
    assert main(["check", str(out / "plan.gpkg"), "--quiet"]) == 0
    assert "合成数据" in (out / "map.html").read_text("utf-8")
    assert "OpenStreetMap contributors" not in (out / "map.html").read_text("utf-8")
    plan = GridPlan.from_file(out / "plan.gpkg")
    assert plan.scheme == schemes.load("guangchang").given(COUNTS["guangchang"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_users_own_outline_is_kept(tmp_path, shared_data, capsys):
    counties = gpd.read_file(shared_data / "boundaries" / "counties_wgs84_from_datav.geojson")
    one = counties[counties["adcode"].astype(str) == "430203"]
    one.to_file(tmp_path / "l.gpkg")
    out = tmp_path / "l"
    arguments = ["demo", "--place", "lusong", "--limit", str(tmp_path / "l.gpkg"), "--json"]
    assert main([*arguments, "--out", str(out)]) in {0, 1}
    answer = json.loads(capsys.readouterr().out)
    assert answer["is_proven"]
    assert answer["area_km2"] == pytest.approx(220.74, rel=0.002)
    assert [level["cells"] for level in answer["levels"]] == list(COUNTS["lusong"].values())


def test_an_unknown_place_is_named_with_those_that_there_are(capsys):
    assert main(["demo", "--place", "atlantis", "--out", "x"]) == 2
    assert "lusong" in capsys.readouterr().err


def test_a_limit_without_a_place_is_refused(capsys):
    assert main(["demo", "--limit", "a.gpkg", "--out", "x"]) == 2
    assert "--place" in capsys.readouterr().err
