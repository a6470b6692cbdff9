"""Mend, compare and fit the demo's plan after somebody edited it, as a planner would."""

from __future__ import annotations

import json

import pyogrio
import pytest
from shapely.affinity import translate

from geogrid.cli import main
from geogrid.io.plan_file import read_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--out", str(folder), "--quiet"]) == 0
    return folder / "plan.gpkg"


@pytest.fixture
def edited(plan, tmp_path):
    """The fullest 微网格 shifted by a metre, another one deleted, a 一般网格 shifted by two."""
    path = tmp_path / "edited.gpkg"
    path.write_bytes(plan.read_bytes())
    fine = pyogrio.read_dataframe(path, layer="wei")
    fullest = int(fine["households"].argmax())
    shapes = fine.geometry.to_numpy().copy()
    shapes[fullest] = translate(shapes[fullest], 1.0, 0.3)
    fine = fine.set_geometry(shapes).drop(index=fullest - 1)
    coarse = pyogrio.read_dataframe(path, layer="yiban")
    above = coarse.geometry.to_numpy().copy()
    above[6] = translate(above[6], 2.0)
    for layer, cells in (("wei", fine), ("yiban", coarse.set_geometry(above))):
        pyogrio.write_dataframe(
            cells, path, layer=layer, promote_to_multi=False, geometry_type="Unknown"
        )
    return path


def answer_of(capsys, *words):
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_edited_plan_is_mended_and_nobody_is_lost(plan, edited, tmp_path, capsys):
    assert main(["check", str(edited), "--quiet"]) == 1
    out, page = tmp_path / "mended.gpkg", tmp_path / "mended.html"
    code, found = answer_of(capsys, "repair", edited, "--out", out, "--preview", page)
    assert code == 0
    assert found["is_sound"]
    assert {"restored", "follows_children"} <= {row["what"] for row in found["changes"]}
    assert main(["check", str(out), "--quiet"]) == 0
    assert main(["map", str(out), "--out", str(tmp_path / "map.html"), "--quiet"]) == 0
    before, after = read_plan(plan), read_plan(out)
    for level in ("zong", "yiban", "wei"):
        old, new = before.cells(level), after.cells(level)
        assert new[["code", "name", "parent"]].equals(old[["code", "name", "parent"]])
        assert int(new["households"].sum()) == before.households
    text = page.read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert "© OpenStreetMap contributors" in text

    code, found = answer_of(capsys, "compare", plan, out)
    assert code == 0
    assert found["area_changed_m2"] < 1000
    assert found["added"] == found["removed"] == found["splits"] == found["merges"] == []

    fitted = tmp_path / "fitted.gpkg"
    words = ("align", out, "--to", plan, "--tolerance", "2.5", "--out", fitted)
    code, found = answer_of(capsys, *words)
    assert code == 0
    code, found = answer_of(capsys, "compare", plan, fitted)
    assert found["is_unchanged"]
