"""``geogrid check`` as a planner runs it, on small layers and plans."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from map_plans import make_plan
from shapely import Point, box

from geogrid.cli import main
from geogrid.coverage import verify_plan
from geogrid.io.plan_file import read_plan_layers, write_plan
from geogrid.model.scheme import CellException, HouseholdBand, Level
from geogrid.vocabulary import Contract

X, Y = 411_000, 3_076_000


def checked(capsys, *words):
    code = main(["check", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def printed(capsys, *words):
    code = main(["check", *map(str, words)])
    return code, capsys.readouterr().out


def refusal(capsys, *words):
    try:
        code = main(["check", *map(str, words)])
    except SystemExit as stopped:
        code = stopped.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.count("\n") == 1
    return captured.err


def write(path, shapes, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)
    frame.to_file(path, engine="pyogrio")
    return path


@pytest.fixture
def layer(tmp_path):
    """Three cells with a gap of ten metres and an overlap of one."""
    return write(
        tmp_path / "cells.gpkg",
        [
            box(X, Y, X + 90, Y + 100),
            box(X + 100, Y, X + 201, Y + 100),
            box(X + 200, Y, X + 300, Y + 100),
        ],
        网格编码=["001", "002", "003"],
        户数=[299, 300, 501],
    )


@pytest.fixture
def limit(tmp_path):
    return write(tmp_path / "limit.gpkg", [box(X, Y, X + 300, Y + 100)], name=["区"])


@pytest.fixture
def homes(tmp_path):
    places = [(X + 20, Y + 20), (X + 95, Y + 50), (X + 200.5, Y + 10)]
    return write(tmp_path / "homes.gpkg", [Point(p) for p in places], households=[5, 12, 3])


@pytest.fixture
def plan_file(tmp_path):
    plan = make_plan()
    certified = replace(plan, certificate=verify_plan(plan).certificate)
    return write_plan(certified, tmp_path / "plan.gpkg")


def edited(plan_file, *statements):
    with sqlite3.connect(plan_file) as base:
        triggers = base.execute("select name from sqlite_master where type='trigger'").fetchall()
        for (name,) in triggers:
            base.execute(f'drop trigger "{name}"')
        for statement in statements:
            base.execute(statement)
    base.close()
    return plan_file


def test_the_first_line_says_how_many_live_where_the_cover_is_wrong(layer, limit, homes, capsys):
    code, text = printed(capsys, layer, "--limit", limit, "--households", homes)
    assert code == 1
    first = text.splitlines()[0]
    assert first.startswith("缝隙里住着 12 户，重叠处 3 户，越界处 0 户")
    assert "NOT PROVEN" in first
    code, found = checked(capsys, layer, "--limit", limit, "--households", homes)
    assert found["households_in"] == {"gaps": 12, "overlaps": 3, "outside": 0}
    assert [one["kind"] for one in found["defects"]][:2] == ["inside_short", "unassigned_household"]


def test_without_households_it_says_that_nobody_knows(layer, limit, capsys):
    _, text = printed(capsys, layer, "--limit", limit)
    assert text.startswith("没有住户数据")
    assert "--households" in text.splitlines()[1]
    assert checked(capsys, layer, "--limit", limit)[1]["households_in"] is None


def test_a_layer_is_judged_by_a_band_and_its_exceptions(layer, limit, tmp_path, capsys):
    words = (layer, "--limit", limit, "--band", "300-500")
    found = checked(capsys, *words)[1]
    beyond = [one["cells"] for one in found["defects"] if one["kind"] == "out_of_band"]
    assert sorted(beyond) == [["001"], ["003"]]
    listed = tmp_path / "list.csv"
    listed.write_text("网格编码,允许,原因\n003,户数超限,商圈\n", encoding="utf-8")
    found = checked(capsys, *words, "--exceptions", "001", listed)[1]
    assert not [one for one in found["defects"] if one["kind"] == "out_of_band"]
    assert [(one["cells"], one["reason"]) for one in found["exceptions"]] == [
        (["003"], "商圈"),
        (["001"], "已列为例外"),
    ]
    text = printed(capsys, *words, "--exceptions", listed)[1]
    assert "允许的例外 allowed exceptions: 1" in text
    assert "商圈" in text


def test_a_layer_may_promise_households_only(tmp_path, limit, capsys):
    file = write(tmp_path / "xiaoqu.gpkg", [box(X + 10, Y + 10, X + 80, Y + 80)], code=["x1"])
    assert checked(capsys, file, "--limit", limit)[0] == 1
    code, found = checked(capsys, file, "--limit", limit, "--contract", "household")
    assert (code, found["is_proven"], found["levels"][0]["contract"]) == (0, True, "household")


def test_a_layer_is_nested_into_the_cells_above(tmp_path, limit, capsys):
    upper = write(
        tmp_path / "upper.gpkg",
        [box(X, Y, X + 150, Y + 100), box(X + 150, Y, X + 300, Y + 100)],
        code=["A", "B"],
    )
    lower = write(
        tmp_path / "lower.gpkg",
        [box(X, Y, X + 151, Y + 100), box(X + 151, Y, X + 300, Y + 100)],
        code=["a", "b"],
    )
    words = (lower, "--limit", limit, "--parents", upper)
    code, found = checked(capsys, *words)
    assert (code, [one["kind"] for one in found["defects"]]) == (1, ["spans_parents"])
    assert checked(capsys, *words, "--exceptions", "a")[0] == 0


def test_several_reports_are_written_at_once(layer, limit, tmp_path, capsys):
    names = [tmp_path / f"r{suffix}" for suffix in (".html", ".xlsx", ".gpkg", ".csv", ".geojson")]
    words = [word for name in names for word in ("--report", name)]
    code, found = checked(capsys, layer, "--limit", limit, *words)
    assert code == 1
    assert found["files"]["reports"] == [str(name) for name in names]
    assert all(name.stat().st_size > 100 for name in names)


def test_a_bad_report_name_is_refused_before_anything_is_read(layer, tmp_path, capsys):
    assert ".html" in refusal(capsys, "no-such-file.gpkg", "--report", tmp_path / "r.pdf")
    assert "no plan file" in refusal(capsys, layer, "--report", "plan")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--band", "many"), "300-500"),
        (("--band", "500-300"), "upside down"),
        (("--contract", "roster"), "area"),
        (("--exceptions", "none.csv"), "no file of exceptions"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(layer, capsys, words, says):
    assert says in refusal(capsys, layer, *words)


def test_a_band_needs_households(limit, capsys):
    assert "--households" in refusal(capsys, limit, "--band", "300-500")


def test_a_plan_is_proven_twice(plan_file, capsys):
    code, found = checked(capsys, plan_file)
    assert code == 0
    assert found["second_check"] == {"agrees": True, "levels": {"zong": True, "wei": True}}
    text = printed(capsys, plan_file)[1]
    assert "第二次独立检查一致 second check agrees" in text
    assert text.startswith("缝隙、重叠和越界处都没有住户")
    assert "PROVEN" in text.splitlines()[0]


def test_both_checks_agree_about_a_torn_plan(plan_file, capsys):
    code, found = checked(capsys, edited(plan_file, "delete from wei where rowid = 1"))
    assert code == 1
    assert found["second_check"] == {"agrees": True, "levels": {"zong": True, "wei": False}}


def test_disagreement_of_the_two_checks_is_a_fault(plan_file, capsys, monkeypatch):
    monkeypatch.setattr(
        "geogrid.workflow._second.recheck", lambda _path: {"zong": True, "wei": False}
    )
    code, found = checked(capsys, plan_file)
    assert code == 1
    assert found["is_proven"]
    assert found["second_check"]["agrees"] is False
    assert any("second check does not agree about level wei" in one for one in found["faults"])
    assert "DOES NOT AGREE" in printed(capsys, plan_file)[1]


def test_a_file_that_the_second_check_cannot_read_is_not_proven_by_it(
    plan_file, capsys, monkeypatch
):
    def stumble(_path):
        raise KeyError

    monkeypatch.setattr("geogrid.workflow._second.recheck", stumble)
    code, found = checked(capsys, plan_file)
    assert (code, found["second_check"]["agrees"]) == (1, False)


def test_against_another_limit_there_is_no_second_check(plan_file, tmp_path, capsys):
    other = tmp_path / "other.gpkg"
    pyogrio.write_dataframe(pyogrio.read_dataframe(plan_file, layer="district"), other)
    assert checked(capsys, plan_file, "--limit", other)[1]["second_check"] is None


def test_a_plan_knows_its_own_rules(plan_file, capsys):
    assert "plan file knows its own" in refusal(capsys, plan_file, "--band", "1-2")
    assert "plan file knows its own" in refusal(capsys, plan_file, "--datum", "wgs84")


def test_the_exceptions_of_a_plan_are_shown_and_no_errors(tmp_path, capsys):
    plan = make_plan()
    first, last = plan.scheme.levels
    band = HouseholdBand(low=10, high=80, is_hard=True)
    scheme = replace(
        plan.scheme,
        levels=(
            first,
            replace(last, band=band, kinds=("普通", "专属"), unbalanced_kinds=("专属",)),
        ),
        exceptions=(CellException(code="43020205", reason="新建小区"),),
    )
    odd = plan.cells("wei").set_index("code")["households"]
    odd = odd[~odd.between(10, 80)]
    assert len(odd) == 3
    table = plan.cell_table.copy()
    special = odd.index.drop("43020205", errors="ignore")[0]
    table.loc[special, "kind"] = "专属"
    listed = replace(plan, scheme=scheme, cell_table=table)
    file = write_plan(
        replace(listed, certificate=verify_plan(listed).certificate), tmp_path / "p.gpkg"
    )
    found = checked(capsys, file)[1]
    allowed = {one["cells"][0] for one in found["exceptions"]}
    beyond = {one["cells"][0] for one in found["defects"]}
    assert special in allowed
    assert allowed | beyond == set(odd.index)
    assert not allowed & beyond
    assert found["is_proven"]
    code, found = checked(capsys, file, "--exceptions", *beyond)
    assert (code, found["defects"]) == (0, [])


def test_findings_can_be_put_into_the_plan_itself(plan_file, tmp_path, capsys):
    torn = edited(plan_file, "delete from wei where rowid = 1")
    before = pyogrio.read_dataframe(torn, layer="wei")
    code, found = checked(capsys, torn, "--report", "plan")
    assert code == 1
    defects = read_plan_layers(torn).defects
    assert defects["kind"].tolist() == [one["kind"] for one in found["defects"]]
    assert defects["cells"].tolist() == [tuple(one["cells"]) for one in found["defects"]]
    assert pyogrio.read_dataframe(torn, layer="wei").equals(before)
    # A later, sound check takes them out again.
    sound = shutil.copy(torn, tmp_path / "sound.gpkg")
    plan = make_plan()
    write_plan(replace(plan, certificate=verify_plan(plan).certificate), sound)
    assert checked(capsys, sound, "--report", "plan")[0] == 0
    assert read_plan_layers(sound).defects.empty


def test_lists_in_a_plan_file_are_judged(tmp_path, capsys):
    plan = make_plan()
    level = Level(key="lin", name="邻", contract=Contract.ROSTER)
    codes = [f"{code}1" for code in plan.labels["wei"]]
    facts = pd.DataFrame(
        {"level": "lin", "name": "邻", "kind": "普通", "head": "",
         "parent": plan.labels["wei"].to_numpy()},
        index=pd.Index(codes, name="code"),
    )  # fmt: skip
    listed = replace(
        plan,
        scheme=replace(plan.scheme, levels=(*plan.scheme.levels, level)),
        labels=plan.labels.assign(lin=codes),
        cell_table=pd.concat([plan.cell_table, facts]),
    )
    certified = replace(listed, certificate=verify_plan(listed).certificate)
    file = write_plan(certified, tmp_path / "p.gpkg")
    assert checked(capsys, file)[0] == 0
    code, found = checked(capsys, edited(file, "delete from members_lin where atom_id = 'a00'"))
    assert code == 1
    assert [one["kind"] for one in found["defects"]] == ["unassigned_household"]
    assert found["defects"][0]["households"] == 40
    assert found["defects"][0]["cells"] == ["43020101"]
