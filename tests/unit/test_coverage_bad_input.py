"""Bad input: refused in one plain sentence, or named and the rest judged all the same."""

from __future__ import annotations

import json
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from cover_cases import SLIVER_M2, board, codes_of, findings, frame_of, slivers
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box
from shapely.affinity import translate

from geogrid.cli import main
from geogrid.coverage import verify_coverage
from geogrid.errors import CrsError, GeogridError, InputError

LIMIT = box(0, 0, 20, 10)
LEFT, RIGHT = box(0, 0, 10, 10), box(10, 0, 20, 10)
SHORT = box(10, 0, 19, 10)
BOW = Polygon([(10, 0), (20, 10), (20, 0), (10, 10)])
BOW_LIMIT = Polygon([(0, 0), (20, 10), (20, 0), (0, 10)])
ORIGIN = (500_000.0, 3_080_000.0)
LON, LAT = 113.0, 27.8


def check(*cells, limit=LIMIT, codes=None, crs=None, **options):
    return verify_coverage(frame_of(cells, codes=codes, crs=crs), limit, **options)


def there(shape):
    """A shape at metres that a map file may hold."""
    return shape and translate(shape, *ORIGIN)


@pytest.fixture
def layer(tmp_path):
    """Writes shapes to a file as another program may leave them."""

    def write(name, shapes, *, crs=4547, columns=None, **options):
        frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
        with warnings.catch_warnings():
            # Some of these files are so bad that their writer says so.
            warnings.simplefilter("ignore")
            pyogrio.write_dataframe(frame, tmp_path / name, **options)
        return tmp_path / name

    return write


@pytest.fixture
def limit_file(layer):
    return layer("limit.gpkg", [there(LIMIT)])


@pytest.fixture
def checked(capsys):
    """Runs ``geogrid check`` on what can be judged; returns its exit code and its answer."""

    def run(*words):
        code = main(["check", *map(str, words), "--json"])
        captured = capsys.readouterr()
        assert captured.err == ""
        answer = json.loads(captured.out)
        found = [(one["kind"], tuple(one["cells"])) for one in answer["defects"]]
        return code, answer, sorted(found)

    return run


@pytest.fixture
def refused(capsys):
    """Runs ``geogrid check`` on what must be refused; returns its one line."""

    def run(*words):
        code = main(["check", *map(str, words)])
        captured = capsys.readouterr()
        assert code == 2
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("geogrid: ")
        return captured.err

    return run


# No polygons


@pytest.mark.parametrize(
    "shapes",
    [[], [None, None], [Point(0, 0)], [LineString([(0, 0), (1, 1)])]],
    ids=["no row", "null", "points", "lines"],
)
def test_a_layer_without_any_polygon_is_refused(shapes):
    with pytest.raises(InputError, match="no polygon"):
        verify_coverage(frame_of(shapes))


def test_cells_that_are_all_empty_are_all_invalid():
    report = verify_coverage(frame_of([Polygon(), MultiPolygon()]))
    assert findings(report) == [("invalid", ("1",), 0), ("invalid", ("2",), 0)]
    assert not report.is_proven


def test_empty_cells_under_a_limit_are_invalid_and_all_of_it_is_short():
    report = check(Polygon(), MultiPolygon())
    assert findings(report) == [
        ("inside_short", (), 200),
        ("invalid", ("1",), 0),
        ("invalid", ("2",), 0),
    ]


@pytest.mark.parametrize(
    ("name", "shapes", "words"),
    [
        ("null.gpkg", [None, None], "has a geometry"),
        ("empty.gpkg", [Polygon(), Polygon()], "has a geometry"),
        ("lines.gpkg", [there(LineString([(0, 0), (1, 1)]))], "no polygon"),
        ("points.gpkg", [there(Point(0, 0))], "no polygon"),
    ],
)
def test_a_file_without_any_polygon_is_refused(layer, refused, name, shapes, words):
    kind = {"geometry_type": "Polygon"} if shapes[0] is None else {}
    assert words in refused(layer(name, shapes, **kind))


def test_a_file_without_rows_and_no_file_are_refused(tmp_path, refused):
    nothing = tmp_path / "nothing.geojson"
    nothing.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    assert "no feature" in refused(nothing)
    assert "no file" in refused(tmp_path / "absent.gpkg")
    torn = tmp_path / "torn.geojson"
    torn.write_text('{"type": "FeatureCol', encoding="utf-8")
    assert "not a map file" in refused(torn)


# Null, empty and foreign geometries among good ones


@pytest.mark.parametrize(
    "stray",
    [None, Polygon(), MultiPolygon(), Point(3, 3), LineString([(0, 0), (5, 5)])],
    ids=["null", "empty", "empty parts", "point", "line"],
)
def test_a_row_without_ground_is_invalid_and_the_rest_still_judged(stray):
    sound = check(LEFT, RIGHT, stray)
    assert findings(sound) == [("invalid", ("3",), 0)]
    assert sound.certificate.is_proof
    assert not sound.is_proven
    broken = check(LEFT, stray, SHORT)
    assert findings(broken) == [("inside_short", ("3",), 10), ("invalid", ("2",), 0)]


def test_a_collection_is_invalid_and_its_ground_a_gap():
    for collection in (GeometryCollection([RIGHT]), GeometryCollection([RIGHT, Point(1, 1)])):
        report = check(LEFT, collection)
        assert findings(report) == [("inside_short", ("1",), 100), ("invalid", ("2",), 0)]


def test_strays_in_a_file_are_findings(layer, limit_file, checked):
    strays = [None, there(LineString([(0, 0), (5, 5)])), GeometryCollection([there(SHORT)])]
    cells = layer("cells.gpkg", [there(LEFT), there(RIGHT), *strays])
    code, answer, found = checked(cells, "--limit", limit_file)
    assert code == 1
    assert not answer["is_proven"]
    assert found == [("invalid", (number,)) for number in "345"]


def test_the_answer_for_a_row_without_place_is_strict_json(layer, limit_file, capsys):
    cells = layer("cells.gpkg", [there(LEFT), there(RIGHT), None])
    assert main(["check", str(cells), "--limit", str(limit_file), "--json"]) == 1

    def refuse(word):
        raise AssertionError(word)

    answer = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert answer["defects"][0]["kind"] == "invalid"


# Crossed rings


def test_a_bow_tie_is_invalid_and_what_it_leaves_open_still_found():
    report = check(LEFT, BOW)
    # The area of a crossed ring means nothing; what is short of the limit is measured.
    assert [one[:2] for one in findings(report)] == [
        ("inside_short", ("1", "2")),
        ("inside_short", ("1", "2")),
        ("invalid", ("2",)),
    ]
    assert [area for _, _, area in findings(report)][:2] == [25, 25]
    beside = check(LEFT, BOW, box(20, 0, 29, 10), limit=box(0, 0, 30, 10))
    kinds = beside.defects.groupby("kind")["area_m2"].sum()
    assert kinds["inside_short"] + kinds.get("gap", 0) == pytest.approx(60)


def test_a_bow_tie_in_a_file_is_a_finding_and_as_a_limit_no_proof(layer, limit_file, checked):
    bow = layer("bow.gpkg", [there(LEFT), there(BOW)])
    code, answer, found = checked(bow, "--limit", limit_file)
    assert code == 1
    assert not answer["is_proven"]
    assert found == [("inside_short", ("1", "2"))] * 2 + [("invalid", ("2",))]
    whole = layer("whole.gpkg", [there(LEFT), there(RIGHT)])
    code, answer, found = checked(whole, "--limit", layer("bow_limit.gpkg", [there(BOW_LIMIT)]))
    assert code == 1
    assert not answer["is_proven"]
    assert answer["outside_m2"] == pytest.approx(100)


# Heights and measures


def test_heights_and_measures_change_nothing():
    high = shapely.force_3d(LEFT, 5)
    measured = shapely.from_wkt("POLYGON ZM ((10 0 1 2, 20 0 2 3, 20 10 3 4, 10 10 4 5, 10 0 5 1))")
    mixed = check(high, measured, limit=shapely.force_3d(LIMIT, 7))
    assert mixed.is_sound
    assert mixed.certificate == check(LEFT, RIGHT).certificate
    short = check(shapely.force_3d(LEFT, 5), shapely.force_3d(SHORT, 6))
    assert findings(short) == [("inside_short", ("2",), 10)]
    assert not shapely.has_z(short.defects.geometry.to_numpy()).any()


def test_a_file_with_heights_is_judged_flat(layer, limit_file, checked):
    cells = layer("high.gpkg", [shapely.force_3d(there(one), 9) for one in (LEFT, RIGHT)])
    assert checked(cells, "--limit", limit_file)[0] == 0


def test_infinite_coordinates_are_refused():
    endless = Polygon([(10, 0), (20, 0), (float("inf"), 10), (10, 10)])
    with pytest.raises(InputError):
        check(LEFT, endless)


# Codes


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        (None, "2"),
        ([430202, 430203], "430203"),
        (["荷塘01", "荷塘02"], "荷塘02"),
        (["a", ""], ""),
        (["007", "008"], "008"),
    ],
    ids=["none", "numbers", "names", "blank", "zeros"],
)
def test_a_defect_names_its_cell_by_whatever_code_it_has(codes, name):
    assert findings(check(LEFT, SHORT, codes=codes)) == [("inside_short", (name,), 10)]


@pytest.mark.parametrize(
    "codes",
    [["a", None], [np.nan, np.nan], [1.0, np.nan], pd.array([1, None], dtype="Int64")],
    ids=["some", "all", "number", "whole number"],
)
def test_cells_whose_code_is_missing_are_judged_like_others(codes):
    report = check(LEFT, SHORT, codes=codes)
    assert [(kind, area) for kind, _, area in findings(report)] == [("inside_short", 10)]


def test_codes_that_several_cells_share_are_said():
    report = check(LEFT, RIGHT, codes=["a", "a"])
    assert report.certificate.is_proof
    assert any("a" in note.split() and "code" in note for note in report.notes)


def test_rows_with_the_same_label_are_still_two_cells():
    frame = gpd.GeoDataFrame(geometry=[LEFT, SHORT], index=[5, 5])
    assert findings(verify_coverage(frame, LIMIT)) == [("inside_short", ("2",), 10)]


@pytest.mark.parametrize(
    ("column", "codes", "name"),
    [
        ("code", ["a", "b"], "b"),
        ("编码", ["荷塘01", "荷塘02"], "荷塘02"),
        ("code", [430202001, 430202002], "430202002"),
        ("code", [1.0, 2.0], "2"),
        ("other", ["a", "b"], "2"),
    ],
)
def test_a_file_names_its_cells_by_their_codes(layer, limit_file, checked, column, codes, name):
    cells = layer("cells.gpkg", [there(LEFT), there(SHORT)], columns={column: codes})
    code, answer, found = checked(cells, "--limit", limit_file)
    assert (code, found) == (1, [("inside_short", (name,))])
    assert answer["gaps_m2"] == pytest.approx(10)


@pytest.mark.parametrize("codes", [["a", None], [1.0, np.nan]], ids=["text", "number"])
@pytest.mark.parametrize("column", ["code", "编码"])
def test_a_file_in_which_a_code_is_missing_is_judged(layer, limit_file, checked, column, codes):
    cells = layer("cells.gpkg", [there(LEFT), there(SHORT)], columns={column: codes})
    code, _, found = checked(cells, "--limit", limit_file)
    assert code == 1
    assert [kind for kind, _ in found] == ["inside_short"]


@pytest.mark.parametrize("has_cpg", [True, False])
def test_a_shapefile_in_gbk_names_its_cells(layer, limit_file, checked, has_cpg):
    columns = {"编码": ["荷塘01", "荷塘02"], "名称": ["一网格", "二网格"]}
    cells = layer("gbk.shp", [there(LEFT), there(SHORT)], columns=columns, encoding="GBK")
    if not has_cpg:
        cells.with_suffix(".cpg").unlink()
    code, _, found = checked(cells, "--limit", limit_file)
    assert (code, found) == (1, [("inside_short", ("荷塘02",))])


# Coordinate systems


def pair(crs=4326):
    """Two cells in degrees of Zhuzhou that share an edge, and a limit with all their nodes."""
    west = box(LON, LAT, LON + 0.01, LAT + 0.01)
    east = box(LON + 0.01, LAT, LON + 0.02, LAT + 0.01)
    cells = gpd.GeoDataFrame(geometry=[west, east], crs=4326)
    return cells.to_crs(crs), gpd.GeoSeries([shapely.union(west, east)], crs=4326)


@pytest.mark.parametrize("of_limit", [4326, 4490, 4547, 4526])
@pytest.mark.parametrize("of_cells", [4326, 4490, 4547, 4526, 3857])
def test_cells_and_limit_of_differing_systems_are_brought_together(of_cells, of_limit):
    cells, limit = pair(of_cells)
    report = verify_coverage(cells, limit.to_crs(of_limit))
    assert report.is_proven
    assert set(report.defects["kind"]) <= {"unmatched_edge"}
    assert report.defects.crs.axis_info[0].unit_name == "metre"
    assert not report.defects.crs.equals(3857)


def test_a_cell_missing_from_a_layer_in_degrees_is_measured_in_metres():
    cells, limit = pair()
    report = verify_coverage(cells.iloc[:1], limit)
    assert report.defects["kind"].tolist() == ["inside_short"]
    true = cells.iloc[[1]].to_crs(4547).area.iloc[0]
    assert report.defects["area_m2"].tolist() == pytest.approx([true], rel=1e-6)
    # A hundredth of a degree is 985 m by 1,108 m here.
    assert true == pytest.approx(985 * 1108, rel=0.002)


def test_households_and_parents_of_another_system_are_brought_to_the_cells():
    cells, limit = pair(4547)
    people = gpd.GeoDataFrame(
        {"households": [3, 4]},
        geometry=gpd.points_from_xy([LON + 0.005, LON + 0.015], [LAT + 0.005] * 2),
        crs=4490,
    )
    parents = gpd.GeoDataFrame({"code": ["P"]}, geometry=limit.to_numpy(), crs=4326)
    report = verify_coverage(cells, limit, households=people, parents=parents)
    assert report.certificate.levels[0].households == 7
    assert "spans_parents" not in report.defects["kind"].tolist()


def test_cells_without_a_system_and_a_limit_with_one_are_refused():
    cells, limit = pair(4547)
    with pytest.raises(CrsError, match="no coordinate system"):
        verify_coverage(cells.set_crs(None, allow_override=True), limit)


def test_a_limit_without_a_system_and_cells_with_one_are_refused():
    cells, limit = pair(4547)
    plain = limit.to_crs(4547).set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="coordinate system"):
        verify_coverage(cells, plain)


@pytest.mark.parametrize("is_of_cells", [True, False])
def test_households_and_cells_of_which_one_has_no_system_are_refused(is_of_cells):
    cells, _ = pair(4547)
    people = gpd.GeoDataFrame(geometry=gpd.points_from_xy([LON + 0.005], [LAT + 0.005]), crs=4326)
    if is_of_cells:
        people = people.set_crs(None, allow_override=True)
    else:
        cells = cells.set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="coordinate system"):
        verify_coverage(cells, households=people)


def test_degrees_that_are_taken_for_metres_are_refused_for_their_distance():
    cells, limit = pair(4547)
    with pytest.raises(GeogridError, match="coordinate system"):
        verify_coverage(cells, limit.iloc[0])


def test_swapped_longitude_and_latitude_are_refused():
    cells, _ = pair()
    swapped = cells.set_geometry(shapely.transform(cells.geometry.to_numpy(), np.fliplr))
    with pytest.raises(CrsError, match="latitude 113"):
        verify_coverage(swapped.set_crs(4326, allow_override=True))


def test_a_limit_with_swapped_longitude_and_latitude_is_refused():
    cells, limit = pair()
    swapped = gpd.GeoSeries(shapely.transform(limit.to_numpy(), np.fliplr), crs=4326)
    with pytest.raises(GeogridError):
        verify_coverage(cells, swapped)


def test_files_with_swapped_longitude_and_latitude_are_refused(layer, refused):
    cells, limit = pair()
    good = layer("good.geojson", cells.geometry, crs=4326)
    bad = layer("bad.geojson", shapely.transform(cells.geometry.to_numpy(), np.fliplr), crs=4326)
    limits = layer("limit.geojson", limit, crs=4326)
    bad_limit = layer("bl.geojson", shapely.transform(limit.to_numpy(), np.fliplr), crs=4326)
    assert "coordinates" in refused(bad, "--limit", limits)
    assert "coordinates" in refused(good, "--limit", bad_limit)
    # Helsinki stays on the globe when swapped, but not where its limit is.
    finland = layer("finland.geojson", [box(24.94, 60.16, 24.95, 60.17)], crs=4326)
    arabia = layer("arabia.geojson", [box(60.16, 24.94, 60.17, 24.95)], crs=4326)
    assert "km apart" in refused(arabia, "--limit", finland)


def test_a_file_in_degrees_is_proven_in_metres(layer, checked):
    cells, limit = pair()
    code, answer, _ = checked(
        layer("cells.geojson", cells.geometry, crs=4326),
        "--limit",
        layer("limit.geojson", limit, crs=4326),
    )
    # The limit is rounded to the lattice on reading and may lose its nodes, not its ground.
    assert answer["is_proven"]
    assert code == (1 if answer["defects"] else 0)


def test_a_shapefile_without_its_prj_is_refused(layer, limit_file, refused):
    cells = layer("plain.shp", [there(LEFT), there(RIGHT)])
    cells.with_suffix(".prj").unlink()
    assert ".prj" in refused(cells, "--limit", limit_file)


def test_cells_of_another_place_are_refused(layer, limit_file, refused):
    cells = layer("far.gpkg", [translate(there(LEFT), 50_000, 0)])
    assert "50.0 km apart" in refused(cells, "--limit", limit_file)


# Limits and households that are none


@pytest.mark.parametrize(
    "limit",
    [
        gpd.GeoDataFrame(geometry=np.array([None])),
        gpd.GeoDataFrame(geometry=[Point(0, 0)]),
        gpd.GeoSeries([LineString([(0, 0), (1, 1)])]),
        gpd.GeoDataFrame(geometry=[]),
        Polygon(),
        LineString([(0, 0), (1, 1)]),
    ],
    ids=["null", "point", "line of a table", "no row", "empty", "line"],
)
def test_a_limit_without_any_polygon_is_refused(limit):
    with pytest.raises(InputError, match="limit has no polygon"):
        check(LEFT, RIGHT, limit=limit)


def test_a_limit_in_several_rows_is_their_union():
    rows = gpd.GeoDataFrame(geometry=[LEFT, RIGHT, None])
    assert check(LEFT, RIGHT, limit=rows).is_sound


def test_a_limit_file_of_lines_is_refused(layer, refused):
    cells = layer("cells.gpkg", [there(LEFT), there(RIGHT)])
    lines = layer("lines.gpkg", [there(LineString(LIMIT.exterior.coords))])
    assert "no polygon" in refused(cells, "--limit", lines)


@pytest.mark.parametrize("count", [np.nan, -2, 2.5, "x"])
def test_a_household_count_that_is_no_number_is_refused(count):
    people = gpd.GeoDataFrame(
        {"households": [1, count]}, geometry=gpd.points_from_xy([1, 2], [1, 2])
    )
    with pytest.raises(InputError, match="households"):
        check(LEFT, RIGHT, households=people)


def test_households_without_a_place_are_in_no_cell_and_lost_to_nobody():
    people = gpd.GeoDataFrame({"households": [3, 5]}, geometry=[Point(1, 1), None])
    report = check(LEFT, RIGHT, households=people)
    assert report.certificate.levels[0].households == 3
    assert report.is_proven
    assert any("5 households" in note for note in report.notes)


def test_parents_without_codes_are_told_by_place():
    assert check(LEFT, RIGHT, parents=gpd.GeoDataFrame(geometry=[LIMIT])).is_sound


# Too small, too far, too many


def test_a_cell_that_vanishes_on_the_lattice_is_invalid():
    report = check(LEFT, RIGHT, box(5, 5, 5.0002, 5.0002))
    assert [(kind, cells) for kind, cells, _ in findings(report)] == [("invalid", ("3",))]
    assert any("rounded" in note for note in report.notes)


def test_cells_farther_apart_than_the_lattice_reaches_are_refused():
    with pytest.raises(InputError, match="1,073 km"):
        check(LEFT, translate(LEFT, 2_000_000, 0))


@pytest.mark.slow
def test_fifty_thousand_slivers_are_one_row_that_loses_no_area():
    cells, limit = slivers(50_000)
    report = verify_coverage(cells, limit)
    assert findings(report) == [
        ("gap", codes_of(*range(1, 501)), pytest.approx(50_000 * SLIVER_M2))
    ]
    assert report.defects["severity"].tolist() == ["hairline"]
    assert shapely.get_num_geometries(report.defects.geometry.iloc[0]) == 50_000
    assert any("50000 pieces of gap up to 10.0 mm wide" in note for note in report.notes)


def test_more_slivers_than_can_be_looked_at_are_still_a_short_answer(monkeypatch):
    monkeypatch.setattr("geogrid.coverage.verify._MOST_EDGES", 2_000)
    cells, limit = slivers(1_000)
    report = verify_coverage(cells, limit)
    # What lies farther east is listed by its border pieces; that line cuts through some slivers.
    assert len(report.defects) < 700
    assert report.certificate.levels[0].uncancelled == 3 * 1_000
    named = {code for cells in report.defects["cells"] for code in cells}
    assert named == set(codes_of(*range(1, 11)))
    assert any("border pieces without a partner" in note for note in report.notes)
    assert not report.is_proven


def test_the_board_of_slivers_is_what_it_says():
    cells, limit = slivers(250)
    assert len(cells) == len(board(2, 2))
    assert limit.area - cells.area.sum() == pytest.approx(250 * SLIVER_M2)
