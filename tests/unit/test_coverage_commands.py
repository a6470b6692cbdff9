"""repair, compare, unify and align on small files, as a planner in an office runs them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from map_plans import make_plan
from shapely import box
from shapely.affinity import translate

from geogrid.cli import main
from geogrid.coverage import verify_coverage, verify_plan
from geogrid.io.layer import read_layer
from geogrid.io.plan_file import read_plan, write_plan

X, Y = 411_000, 3_076_000


def square(column, row, *, size=200, east=0.0, north=0.0):
    x, y = X + column * 200 + east, Y + row * 200 + north
    return box(x, y, x + size, y + size)


def grid(**changed):
    """Nine squares with Chinese headers; ``changed`` replaces shapes by code."""
    codes = [f"{number:03d}" for number in range(1, 10)]
    shapes = [changed.get(f"c{code}", square(*divmod(at, 3))) for at, code in enumerate(codes)]
    facts = {"网格编码": codes, "网格名称": [f"第{code}网格" for code in codes], "网格长": "张三"}
    return gpd.GeoDataFrame(facts, geometry=shapes, crs=4547)


@pytest.fixture
def limit(tmp_path):
    path = tmp_path / "limit.gpkg"
    frame = gpd.GeoDataFrame({"name": ["甲街道"]}, geometry=[square(0, 0, size=600)], crs=4547)
    frame.to_file(path)
    return path


@pytest.fixture
def households(tmp_path):
    places = gpd.GeoSeries.from_xy(
        [X + 50 + 100 * at for at in range(6)], [Y + 250] * 6, crs=4547
    ).to_crs(4326)
    table = pd.DataFrame(
        {"户主": "某某", "经度": places.x, "纬度": places.y, "户数": [20, 3, 30, 4, 50, 60]}
    )
    path = tmp_path / "住户.csv"
    table.to_csv(path, index=False, encoding="gb18030")
    return path


@pytest.fixture
def plan(tmp_path):
    made = make_plan()
    report = verify_plan(made)
    path = tmp_path / "plan.gpkg"
    write_plan(replace(made, certificate=report.certificate), path, report=report)
    return path


def edited(plan, name, change, *, layer="wei"):
    """A copy of a plan file in which one layer was changed by another program."""
    path = plan.with_name(name)
    path.write_bytes(plan.read_bytes())
    cells = change(pyogrio.read_dataframe(path, layer=layer))
    pyogrio.write_dataframe(
        cells, path, layer=layer, promote_to_multi=False, geometry_type="Unknown"
    )
    return path


def shifted(code, east):
    def change(cells):
        shapes = [
            translate(shape, east) if one == code else shape
            for one, shape in zip(cells["code"], cells.geometry, strict=True)
        ]
        return cells.set_geometry(shapes)

    return change


def answer_of(capsys, *words):
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def said_by(capsys, *words):
    code = main([*map(str, words)])
    return code, capsys.readouterr().out


def refusal_of(capsys, *words):
    code = main([*map(str, words)])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


def facts_of(changes, what):
    return [row for row in changes if row["what"] == what]


# --- repair of any layer -------------------------------------------------------------------------


def test_a_shapefile_in_gbk_is_mended_and_keeps_its_columns(tmp_path, limit, households, capsys):
    source = tmp_path / "网格.shp"
    bad = grid(c005=square(1, 1, east=0.5), c009=box(X + 400, Y + 400, X + 605, Y + 598))
    bad.to_file(source, encoding="GBK")
    out = tmp_path / "修复.shp"
    code, found = answer_of(
        capsys, "repair", source, "--limit", limit, "--households", households, "--out", out
    )
    assert code == 0
    assert found["is_sound"]
    mended = read_layer(out)
    assert list(mended.columns) == ["网格编码", "网格名称", "网格长", "geometry"]
    assert mended["网格编码"].tolist() == bad["网格编码"].tolist()
    assert mended.crs.to_epsg() == 4547
    assert verify_coverage(mended, read_layer(limit)).is_sound
    assert (out.with_suffix(".cpg")).read_text().strip().upper() in {"GBK", "936"}
    rows = pd.read_csv(tmp_path / "修复_changes.csv", encoding="utf-8-sig", dtype=str)
    assert "网格 cell" in rows.columns
    assert "按边界裁去 trimmed_to_limit" in rows["说明 label"].tolist()
    assert not (tmp_path / "修复_conflicts.gpkg").exists()


def test_degrees_come_back_as_degrees_and_are_proven_after_reading(tmp_path, limit, capsys):
    source = tmp_path / "cells.geojson"
    grid(c005=square(1, 1, east=0.5)).to_crs(4326).to_file(source)
    out = tmp_path / "mended.geojson"
    code, found = answer_of(capsys, "repair", source, "--limit", limit, "--out", out)
    assert code == 0
    assert found["is_proven"]
    assert gpd.read_file(out).crs.to_epsg() == 4326


def test_duplicate_and_nested_cells_are_kept_and_listed(tmp_path, capsys):
    whole = grid()
    again = whole.iloc[[2]].assign(网格编码="777")
    inner = whole.iloc[[0]].assign(网格编码="888").set_geometry([square(0, 0, size=40, east=10)])
    source = tmp_path / "cells.gpkg"
    joined = gpd.GeoDataFrame(pd.concat([whole, again, inner], ignore_index=True), crs=4547)
    joined.to_file(source)
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--out", out)
    assert code == 1
    assert {one["kind"] for one in found["conflicts"]} == {"duplicate", "nested"}
    assert len(pyogrio.read_dataframe(out)) == len(joined)
    conflicts = pyogrio.read_dataframe(tmp_path / "mended_conflicts.gpkg")
    assert len(conflicts) == 2
    assert any("重复网格" in label for label in conflicts["label"])


def test_cells_without_codes_are_named_by_their_row(tmp_path, capsys):
    source = tmp_path / "cells.gpkg"
    grid(c005=square(1, 1, east=0.5))[["geometry"]].assign(备注="无").to_file(source)
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--out", out)
    assert code == 0
    assert any("no column of codes" in note for note in found["notes"])
    assert list(pyogrio.read_dataframe(out).columns) == ["备注", "code", "geometry"]


def test_ask_changes_nothing_and_lists_the_questions(tmp_path, capsys):
    source = tmp_path / "cells.gpkg"
    grid(c005=square(1, 1, east=0.5)).to_file(source)
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--policy", "ask", "--out", out)
    assert code == 1
    assert found["questions"] == 2
    assert not out.exists()
    assert (tmp_path / "mended_changes.csv").exists()


def test_locked_codes_may_come_from_a_file(tmp_path, limit, capsys):
    source = tmp_path / "cells.gpkg"
    bad = grid(c005=square(1, 1, east=0.5))
    bad.to_file(source)
    codes = tmp_path / "locked.txt"
    codes.write_text("005\n", encoding="utf-8")
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(
        capsys, "repair", source, "--limit", limit, "--lock", codes, "--out", out
    )
    # The neighbours' corners on the locked border are its own to add.
    assert code == 1
    assert found["is_proven"]
    assert {one["kind"] for one in found["conflicts"]} == {"unmatched_edge"}
    kept = pyogrio.read_dataframe(out).set_index("网格编码").geometry["005"]
    assert kept.equals(bad.geometry.iloc[4])
    assert {row["cell"] for row in facts_of(found["changes"], "gap_filled")} == {"002"}


def test_the_preview_shows_counts_but_never_a_household_and_needs_no_network(
    tmp_path, limit, households, capsys
):
    source = tmp_path / "cells.gpkg"
    grid(c002=box(X, Y + 200, X + 120, Y + 400)).to_file(source)
    page = tmp_path / "preview.html"
    code, found = answer_of(
        capsys, "repair", source, "--limit", limit, "--households", households,
        "--out", tmp_path / "mended.gpkg", "--preview", page,
    )  # fmt: skip
    assert code == 0
    moved = sum(row["households"] for row in found["changes"])
    assert moved == 3
    text = page.read_text(encoding="utf-8")
    assert not re.search("https?://", text)
    assert "某某" not in text
    data = json.loads(re.search(r'id="gg-data">(.*?)</script>', text, re.DOTALL).group(1))
    places = [row for one in data["lists"] for row in one["rows"]]
    assert [row["side"] for row in places if "户" in row["side"]] == ["16,000 m² · <10 户"]
    assert all(row["bounds"] for row in places)


# --- repair of a plan ----------------------------------------------------------------------------


def test_a_sound_plan_is_copied_to_the_bit(plan, tmp_path, capsys):
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", plan, "--out", out)
    assert code == 0
    assert found["changes"] == []
    assert out.read_bytes() == plan.read_bytes()


def test_a_shifted_cell_is_mended_inside_the_level_above(plan, tmp_path, capsys):
    # 43020202 borders the other 总网格 in the west: that border must not move.
    source = edited(plan, "moved.gpkg", shifted("43020201", 1.0))
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--out", out)
    assert code == 0
    assert found["is_sound"]
    before, after = read_plan(plan), read_plan(out)
    for one, two in zip(before.cells("zong").geometry, after.cells("zong").geometry, strict=True):
        assert one.equals(two)
    assert after.cells("wei")["code"].tolist() == before.cells("wei")["code"].tolist()
    assert after.households == before.households
    assert after.parent_version == before.version
    assert main(["check", str(out), "--quiet"]) == 0
    again = tmp_path / "again.gpkg"
    code, found = answer_of(capsys, "repair", out, "--out", again)
    assert (code, found["changes"]) == (0, [])


def test_a_deleted_cell_comes_back_with_its_code_and_its_households(plan, tmp_path, capsys):
    source = edited(plan, "lost.gpkg", lambda cells: cells[cells["code"] != "43020105"])
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--out", out)
    assert code == 0
    assert [row["cell"] for row in facts_of(found["changes"], "restored")] == ["43020105"]
    before, after = read_plan(plan).cells("wei"), read_plan(out).cells("wei")
    assert after["households"].tolist() == before["households"].tolist()
    assert after["parent"].tolist() == before["parent"].tolist()


def test_a_cell_that_a_neighbour_took_over_stays_gone(plan, tmp_path, capsys):
    def merged(cells):
        shapes = dict(zip(cells["code"], cells.geometry, strict=True))
        both = shapely.union(shapes["43020101"], shapes["43020102"])
        kept = cells[cells["code"] != "43020102"]
        return kept.set_geometry(
            [both if code == "43020101" else shapes[code] for code in kept["code"]]
        )

    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", edited(plan, "m.gpkg", merged), "--out", out)
    assert code == 0
    assert [row["cell"] for row in facts_of(found["changes"], "dissolved")] == ["43020102"]
    cells = read_plan(out).cells("wei")
    assert len(cells) == 15
    assert cells.set_index("code").loc["43020101", "households"] == 47


def test_a_coarser_layer_that_disagrees_follows_its_sound_children(plan, tmp_path, capsys):
    source = edited(plan, "upper.gpkg", shifted("430201", 3.0), layer="zong")
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--out", out)
    assert code == 0
    followed = facts_of(found["changes"], "follows_children")
    assert [(row["level"], row["cell"]) for row in followed] == [("zong", "430201")]
    assert followed[0]["area_m2"] == pytest.approx(2 * 3 * 800)
    assert (
        read_plan(out)
        .cells("zong")
        .geometry.iloc[0]
        .equals(read_plan(plan).cells("zong").geometry.iloc[0])
    )


def test_a_copied_cell_with_a_new_code_is_a_conflict_and_the_plan_stays_sound(
    plan, tmp_path, capsys
):
    def doubled(cells):
        copy = cells.iloc[[3]].assign(code="000")
        return gpd.GeoDataFrame(pd.concat([cells, copy], ignore_index=True), crs=cells.crs)

    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", edited(plan, "d.gpkg", doubled), "--out", out)
    assert code == 1
    assert [one["kind"] for one in found["conflicts"]] == ["duplicate"]
    assert found["is_proven"]
    kept, lost = read_plan(out).cells("wei")["code"], read_plan(plan).cells("wei")["code"]
    assert kept.tolist() == lost.tolist()
    assert "000" in pyogrio.read_dataframe(tmp_path / "mended_conflicts.gpkg")["cells"][0]


def test_rows_of_one_code_are_one_cell(plan, tmp_path, capsys):
    def doubled(cells):
        return gpd.GeoDataFrame(pd.concat([cells, cells.iloc[[3]]], ignore_index=True))

    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", edited(plan, "d.gpkg", doubled), "--out", out)
    assert code == 0
    assert [row["what"] for row in found["changes"]] == ["rows_united"]


def test_lost_attributes_come_back_from_the_atoms(plan, tmp_path, capsys):
    source = edited(plan, "bare.gpkg", lambda cells: cells[["code", "geometry"]])
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--out", out)
    assert code == 0
    assert any("name no cell above" in note for note in found["notes"])
    before, after = read_plan(plan).cells("wei"), read_plan(out).cells("wei")
    assert after["parent"].tolist() == before["parent"].tolist()
    assert after["households"].tolist() == before["households"].tolist()


def test_households_of_a_cut_atom_go_with_its_inner_point(plan, tmp_path, capsys):
    # The neighbour takes the middle of the cell: less than half of its ground, all of its homes.
    def fingered(cells):
        shapes = dict(zip(cells["code"], cells.geometry, strict=True))
        west, south, east, _ = shapes["43020103"].bounds
        finger = box(west + 50, south + 70, east, south + 130)
        shapes["43020103"] = shapely.difference(shapes["43020103"], finger)
        shapes["43020104"] = shapely.union(shapes["43020104"], finger)
        return cells.set_geometry([shapes[code] for code in cells["code"]])

    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", edited(plan, "f.gpkg", fingered), "--out", out)
    assert code == 0
    assert found["changes"] == []
    assert any("put together again" in note for note in found["notes"])
    counts = read_plan(out).cells("wei").set_index("code")["households"]
    assert counts[["43020103", "43020104"]].tolist() == [0, 70]
    assert main(["check", str(out), "--quiet"]) == 0


def test_locked_conflicts_leave_no_half_plan_behind(plan, tmp_path, capsys):
    source = edited(plan, "moved.gpkg", shifted("43020103", 1.0))
    out = tmp_path / "mended.gpkg"
    code, found = answer_of(capsys, "repair", source, "--lock", "430201", "430202", "--out", out)
    assert code == 1
    assert not found["is_written"]
    assert not out.exists()
    assert {one["kind"] for one in found["conflicts"]} >= {"gap", "overlap"}
    assert (tmp_path / "mended_conflicts.gpkg").exists()


def test_an_uncoded_row_is_refused_by_its_number(plan, tmp_path, capsys):
    def blanked(cells):
        return cells.assign(code=cells["code"].where(cells.index != 2))

    said = refusal_of(
        capsys, "repair", edited(plan, "b.gpkg", blanked), "--out", tmp_path / "o.gpkg"
    )
    assert "first row 3" in said


# --- compare -------------------------------------------------------------------------------------


def test_two_plans_are_compared_by_their_stored_cells(plan, capsys):
    source = edited(plan, "moved.gpkg", shifted("43020103", 150.0))
    code, found = answer_of(capsys, "compare", plan, source, "--level", "微网格")
    assert code == 1
    assert any("overlap" in note for note in found["notes"])
    # Inner points of the atoms: one is bare now, the other in the shifted cell.
    moved = {(row["from"], row["to"]): row["households"] for row in found["moved"]}
    assert moved == {("43020103", ""): 50, ("43020104", "43020103"): 20}
    code, found = answer_of(capsys, "compare", plan, plan)
    assert code == 0
    assert found["is_unchanged"]
    assert found["households_moved"] == 0


def revised(whole):
    """Merge 001 and 002, split 005, renumber 009, rename 008, another head for 007."""
    cells = whole.copy()
    shapes = cells.geometry.to_numpy().copy()
    shapes[0], shapes[4] = (
        shapely.union(shapes[0], shapes[1]),
        box(X + 200, Y + 200, X + 300, Y + 400),
    )
    cells = cells.set_geometry(shapes)
    cells.loc[8, "网格编码"], cells.loc[7, "网格名称"] = "099", "新名"
    cells.loc[6, "网格长"] = "李四"
    half = (
        cells.iloc[[4]]
        .assign(网格编码="010")
        .set_geometry([box(X + 300, Y + 200, X + 400, Y + 400)])
    )
    joined = pd.concat([cells.drop(index=1), half], ignore_index=True)
    return gpd.GeoDataFrame(joined, crs=4547)


@pytest.fixture
def versions(tmp_path):
    old, new = tmp_path / "old.gpkg", tmp_path / "new.geojson"
    grid().to_file(old)
    revised(grid()).to_crs(4326).to_file(new)
    return old, new


def test_layers_of_other_counts_and_frames_are_compared_with_all_that_changed(
    versions, households, capsys
):
    code, found = answer_of(capsys, "compare", *versions, "--households", households)
    assert code == 0
    assert {(one["from"], one["to"]): one["households"] for one in found["moved"]} == {
        ("002", "001"): 23,
        ("005", "010"): 4,
    }
    assert [(one["old"], one["new"]) for one in found["splits"]] == [("005", ["005", "010"])]
    assert [(one["new"], one["old"]) for one in found["merges"]] == [("001", ["001", "002"])]
    assert [(one["old"], one["new"]) for one in found["renumbered"]] == [("009", "099")]
    assert [(one["old"], one["name_after"]) for one in found["renamed"]] == [("008", "新名")]
    assert [(one["old"], one["head_after"]) for one in found["heads"]] == [("007", "李四")]
    sums = pd.DataFrame(found["crosswalk"]).groupby("old")["share"].sum()
    assert sums.tolist() == pytest.approx([1] * 9)
    code, text = said_by(capsys, "compare", *versions, "--households", households)
    assert "移动 moved: 27 户" in text
    assert "负责人变更 head changed: 1" in text


def test_a_comparison_is_written_as_folder_or_one_file(versions, households, tmp_path):
    folder = tmp_path / "result"
    words = ("compare", *versions, "--households", households, "--quiet", "--out")
    assert main([*map(str, (*words, folder))]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "compare.json", "compare.html", "changed.gpkg", "crosswalk.csv", "moved.csv", "heads.csv",
    }  # fmt: skip
    page = (folder / "compare.html").read_text(encoding="utf-8")
    assert not re.search("https?://", page)
    assert "<10 户" in page.replace("\\u003c", "<")
    assert '"4 户' not in page
    assert "李四" not in page
    assert "移动户数" not in page
    book = tmp_path / "result.xlsx"
    assert main([*map(str, (*words, book))]) == 0
    sheets = pd.read_excel(book, sheet_name=None, dtype=str)
    assert {"概况", "对照表", "户数移动", "拆分", "合并", "负责人变更"} <= set(sheets)
    assert "001" in sheets["对照表"]["原网格 old"].tolist()
    for name in ("r.json", "r.csv", "r.gpkg", "r.html"):
        assert main([*map(str, (*words, tmp_path / name))]) == 0
        assert (tmp_path / name).stat().st_size


# --- unify ---------------------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path):
    """Four larger cells of another department that leave a strip in the east to nobody."""
    path = tmp_path / "综治.geojson"
    shapes = [
        box(X + 300 * i, Y + 300 * j, X + 300 + 298 * i, Y + 300 * (j + 1))
        for i in range(2)
        for j in range(2)
    ]
    frame = gpd.GeoDataFrame({"编号": ["W1", "W2", "W3", "W4"]}, geometry=shapes, crs=4547)
    frame.to_crs(4326).to_file(path)
    return path


def test_several_layers_become_one_proven_file_with_conflicts_and_crosswalk(
    tmp_path, limit, other, households, capsys
):
    first = tmp_path / "党建.gpkg"
    grid().iloc[:6].to_file(first)
    out = tmp_path / "U.gpkg"
    words = ("unify", first, other, "--limit", limit, "--households", households, "--out", out)
    code, found = answer_of(capsys, *words)
    assert code == 1
    assert found["layers"] == ["党建", "综治"]
    assert "disagree" in {one["kind"] for one in found["conflicts"]}
    layers = {name for name, _ in pyogrio.list_layers(out)}
    assert layers == {"cells", "limit", "crosswalk", "certificate", "conflicts"}
    cells, noded = read_layer(out, layer="cells"), read_layer(out, layer="limit")
    report = verify_coverage(cells, noded, limit_is_noded=True)
    assert report.is_sound
    kept = pyogrio.read_dataframe(out, layer="certificate", read_geometry=False)
    assert report.certificate.levels[0].digest in "".join(kept["value"])
    rows = pd.read_csv(tmp_path / "U_crosswalk.csv", encoding="utf-8-sig")
    sums = rows.groupby(["图层 layer", "原网格 old"])["权重 weight"].sum()
    assert len(sums) == 10
    assert sums.to_numpy() == pytest.approx(1)
    assert (tmp_path / "U_conflicts.csv").exists()
    _, text = said_by(capsys, *words)
    assert report.certificate.levels[0].digest[:12] in text


def test_layer_and_datum_can_be_said_for_one_file(tmp_path, limit, other, capsys):
    first = tmp_path / "two.gpkg"
    grid().to_file(first, layer="good")
    grid().iloc[:1].to_file(first, layer="rest")
    words = ("unify", first, other, "--limit", limit, "--out", tmp_path / "U.gpkg")
    assert "several layers" in refusal_of(capsys, *words)
    code, found = answer_of(capsys, *words, "--layer", "two.gpkg=good")
    assert code == 1
    assert len(found["cells"]) == 9
    assert "names no file" in refusal_of(capsys, *words, "--layer", "three.gpkg=good")
    assert "not known" in refusal_of(capsys, *words, "--layer", f"{first}=good", "--datum", "mars")


# --- align ---------------------------------------------------------------------------------------


def test_cells_are_fitted_and_what_does_not_fit_is_listed(tmp_path, households, capsys):
    near, reference = tmp_path / "near.shp", tmp_path / "ref.gpkg"
    wide = box(X + 230, Y, X + 400, Y + 200)
    grid(c005=square(1, 1, east=0.6), c004=wide, c001=box(X, Y, X + 230, Y + 200)).to_file(
        near, encoding="GBK"
    )
    grid().to_file(reference)
    out = tmp_path / "fitted.gpkg"
    words = ("align", near, "--to", reference, "--tolerance", "2", "--out", out)
    code, found = answer_of(capsys, *words, "--households", households)
    assert code == 1
    assert [(one["cell"], one["belongs"]) for one in found["unfitted"]] == [("001", "001")]
    fitted = read_layer(out, layer="cells").set_index("网格编码")
    assert fitted.geometry["005"].equals(square(1, 1))
    assert "网格长" in fitted
    rows = pd.read_csv(tmp_path / "fitted_crosswalk.csv", encoding="utf-8-sig", dtype={0: str})
    assert rows.groupby("原网格 old")["权重 weight"].sum().to_numpy() == pytest.approx(1)
    assert "超出容差" in (tmp_path / "fitted_unfitted.csv").read_text(encoding="utf-8-sig")


def test_a_plan_that_is_fitted_is_a_plan_again(plan, tmp_path, capsys):
    reference = tmp_path / "ref.gpkg"
    cells = read_plan(plan).cells("wei")
    shapes = cells.geometry.to_numpy().copy()
    a, b = (cells.index[cells["code"] == code][0] for code in ("43020101", "43020102"))
    west, south, east, north = shapes[a].bounds
    shapes[a] = box(west, south, east + 1, north)
    shapes[b] = shapely.difference(shapes[b], shapes[a])
    cells.set_geometry(shapes).to_file(reference, layer="cells")
    out = tmp_path / "fitted.gpkg"
    code, found = answer_of(
        capsys, "align", plan, "--to", reference, "--tolerance", 2, "--out", out
    )
    assert code == 0
    assert found["is_fitted"]
    assert read_plan(out).cells("wei").set_index("code").geometry["43020101"].equals(shapes[a])
    assert main(["check", str(out), "--quiet"]) == 0


# --- what is refused -----------------------------------------------------------------------------


def test_bad_input_is_one_plain_sentence_and_leaves_nothing(tmp_path, plan, limit, capsys):
    cells = tmp_path / "cells.gpkg"
    grid().to_file(cells)
    points = tmp_path / "points.geojson"
    grid().set_geometry(grid().centroid).to_crs(4326).to_file(points)
    (tmp_path / "text.gpkg").write_text("no map", encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    out = tmp_path / "out.gpkg"
    for words, reason in [
        (("repair", tmp_path / "none.gpkg", "--out", out), "does not exist"),
        (("repair", tmp_path / "text.gpkg", "--out", out), "not a"),
        (("repair", points, "--out", out), "no polygon"),
        (("repair", plan, "--out", plan), "overwritten"),
        (("repair", cells, "--limit", limit, "--out", limit), "overwritten"),
        (("repair", cells, "--out", tmp_path / "out.kml"), "cannot be written"),
        (("repair", cells, "--out", tmp_path / "none" / "out.gpkg"), "does not exist"),
        (("repair", cells, "--out", out, "--preview", tmp_path / "m.pdf"), ".html"),
        (("repair", cells, "--lock", "nope", "--out", out), "nope"),
        (("repair", plan, "--lock", "nope", "--out", out), "nope"),
        (("repair", plan, "--datum", "gcj02", "--out", out), "datum"),
        (("repair", cells, "--policy", "fewest_households", "--out", out), "households"),
        (("repair", cells, "--layer", "nope", "--out", out), "nope"),
        (("compare", cells, tmp_path / "none.shp"), "does not exist"),
        (("compare", cells, cells, "--level", "wei"), "--level"),
        (("compare", plan, plan, "--level", "nope"), "no area level nope"),
        (("compare", plan, cells), "different places"),
        (("compare", cells, cells, "--out", tmp_path / "r.pdf"), "cannot be written"),
        (("compare", cells, cells, "--out", cells), "overwritten"),
        (("unify", cells, "--limit", limit, "--out", out), "two or more"),
        (("unify", cells, plan, "--limit", limit, "--out", tmp_path / "u.shp"), ".gpkg"),
        (("align", cells, "--to", tmp_path / "no.gpkg", "--tolerance", "1", "--out", out), "exist"),
    ]:
        assert reason in refusal_of(capsys, *words), words
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("width", ["-1", "wide", "nan", "inf"])
def test_a_tolerance_that_is_no_width_is_refused(width, capsys):
    with pytest.raises(SystemExit) as left:
        main(["align", "a", "--to", "b", f"--tolerance={width}", "--out", "c.gpkg"])
    assert left.value.code == 2
    assert "give metres" in capsys.readouterr().err
