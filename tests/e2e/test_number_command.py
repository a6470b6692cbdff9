"""The command that numbers a plan, from file to file."""

import json

import geopandas as gpd
import pytest
import shapely
from strategies import grid_frame

from geogrid.cli import main
from geogrid.divide.nest import divide
from geogrid.io.plan_file import read_plan, read_plan_layers, write_plan
from geogrid.model.atoms import Atoms
from geogrid.model.district import District


def output_of(capsys, *words):
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def plan_of(seed, code="510116003"):
    frame = grid_frame(12, 8, 9).set_crs(4544)
    atoms = Atoms.from_frame(frame)
    district = District(limit=atoms.limit, crs=frame.crs, name="华阳街道", code=code)
    # The locks make the second plan another one.
    locked = {"a000-000": "x", "a001-000": "x", "a002-000": "x"} if seed else None
    return divide(district, atoms, "huayang", seed=seed, locked=locked)


@pytest.fixture
def old(tmp_path):
    point = gpd.GeoDataFrame(
        {"station": ["s1"], "name": ["站"]}, geometry=[shapely.Point(50, 50)], crs=4544
    )
    return write_plan(plan_of(0), tmp_path / "old.gpkg", stations=point)


def test_a_plan_gets_codes_of_a_preset_and_says_what_they_stand_on(old, tmp_path, capsys):
    out = tmp_path / "new.gpkg"
    code, found = output_of(
        capsys, "number", old, "--out", out, "--preset", "bj15", "--prefix", "510116"
    )
    assert code == 0
    assert found["is_proven"]
    assert found["preset"] == "bj15"
    assert "only an excerpt was seen" in found["standing"]
    assert [level["digits"] for level in found["levels"]] == [9, 12, 15]
    assert "not official" not in found["notes"][0]
    assert "不是官方代码" in found["notes"][0]
    written = read_plan(out)
    assert written.leaf.str.fullmatch(r"510116\d{9}").all()
    assert written.certificate is not None
    assert read_plan_layers(out).stations["station"].tolist() == ["s1"]
    assert main(["check", str(out)]) == 0


def test_codes_are_kept_near_an_old_plan_and_the_history_goes_on(old, tmp_path, capsys):
    redrawn = write_plan(plan_of(3), tmp_path / "redrawn.gpkg")
    first, second = tmp_path / "first.gpkg", tmp_path / "second.gpkg"
    code, found = output_of(capsys, "number", redrawn, "--near", old, "--out", first)
    assert code == 0
    assert found["preset"] == "as before"
    cells = sum(level["cells"] for level in found["levels"])
    assert sum(level["kept"] + level["new"] for level in found["levels"]) == cells
    assert {row["code"] for row in found["history"]} >= set(read_plan(old).cell_table.index)
    _, again = output_of(capsys, "number", redrawn, "--near", first, "--out", second)
    assert read_plan(second).labels.equals(read_plan(first).labels)
    assert sum(level["new"] for level in again["levels"]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--preset", "bj15", "--prefix", "51"), "needs an official code of 6, 9, 12 digits"),
        (("--width", "wei"), "write it as LEVEL=DIGITS"),
        (("--width", "lin=2"), "has no level lin"),
        (("--prefix", "51 01"), "a code is of digits and letters"),
        (("--object-code", "120000"), "preset geogrid takes no object code"),
    ],
)
def test_what_cannot_be_numbered_is_one_plain_line(old, tmp_path, capsys, words, says):
    out = tmp_path / "new.gpkg"
    assert main(["number", str(old), "--out", str(out), *words]) == 2
    complaint = capsys.readouterr().err
    assert says in complaint
    assert complaint.count("\n") == 1
    assert not out.exists()
