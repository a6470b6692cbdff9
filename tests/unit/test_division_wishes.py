import json

import geopandas as gpd
import pytest
import shapely
from strategies import grid_frame

from geogrid.cli import make_parser
from geogrid.cli.divide_commands import division_wishes
from geogrid.errors import InputError
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.schemes import load
from geogrid.workflow import Job, Wishes, read_wishes

LIMIT = shapely.multipolygons([shapely.box(500_000, 3_000_000, 500_400, 3_000_200)])
DISTRICT = District(limit=LIMIT, crs=gpd.GeoSeries(crs=4547).crs)


def options(*extra):
    return make_parser().parse_args(["divide", "--limit", "b", "--osm", "x", "--out", "p", *extra])


def layer(path, shapes, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)
    frame.to_file(path)
    return path


def job(tmp_path, **wishes):
    return Job(limit=tmp_path / "b", osm=tmp_path / "x", scheme="lusong", **wishes)


def half(side):
    west = 500_000 + 200 * side
    return shapely.box(west, 3_000_000, west + 200, 3_000_200)


def test_options_become_fields_of_a_job():
    found = division_wishes(
        options("--count", "片=470", "--upper", "村社区=a.gpkg", "--near", "old")
    )
    assert found["counts"] == {"片": 470}
    assert {level: path.name for level, path in found["upper"].items()} == {"村社区": "a.gpkg"}
    assert found["near"].name == "old"
    assert found["special"] is None


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (("--count", "470"), "LEVEL=N"),
        (("--count", "pian=many"), "no number of cells"),
        (("--count", "pian=3", "--count", "pian=4"), "given twice"),
        (("--upper", "=a.gpkg"), "LEVEL=FILE"),
    ],
)
def test_options_that_say_too_little_are_refused(extra, says):
    with pytest.raises(InputError, match=says):
        division_wishes(options(*extra))


def test_files_are_read_with_chinese_headers(tmp_path):
    upper = layer(tmp_path / "u.gpkg", [half(0), half(1)], 编码=["1", "2"], 名称=["甲", "乙"])
    special = layer(tmp_path / "s.gpkg", [half(0)], kind=["专属"], name=["商圈"])
    wishes = read_wishes(
        job(tmp_path, upper={"村社区": upper}, special=special, counts={"片": 4}), DISTRICT
    )
    assert wishes.counts == {"pian": 4}
    assert wishes.upper["cunshe"][["code", "name"]].to_numpy().tolist() == [
        ["1", "甲"],
        ["2", "乙"],
    ]
    assert wishes.kinds["name"].tolist() == ["商圈"]
    assert len(wishes.barriers(load("lusong"))) == 3


def test_overlapping_official_polygons_are_refused_in_the_words_of_a_check(tmp_path):
    wide = shapely.box(500_150, 3_000_000, 500_400, 3_000_200)
    upper = layer(tmp_path / "u.gpkg", [half(0), wide], code=["1", "2"])
    with pytest.raises(InputError, match=r"重叠 overlap of 10000\.00 m²"):
        read_wishes(job(tmp_path, upper={"cunshe": upper}), DISTRICT)


def test_a_file_without_codes_or_of_another_place_is_refused(tmp_path):
    plain = layer(tmp_path / "u.gpkg", [half(0)], note=["x"])
    with pytest.raises(InputError, match="no column code"):
        read_wishes(job(tmp_path, upper={"cunshe": plain}), DISTRICT)
    far = layer(tmp_path / "f.gpkg", [shapely.box(600_000, 3e6, 600_100, 3_000_100)], code=["1"])
    with pytest.raises(InputError):
        read_wishes(job(tmp_path, groups=far), DISTRICT)


def test_an_old_plan_must_be_a_plan_file(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps({}), encoding="utf-8")
    with pytest.raises(InputError, match="no plan file"):
        read_wishes(job(tmp_path, near=path), DISTRICT)


def test_what_lies_in_a_locked_polygon_is_locked_together():
    frame = grid_frame(4, 2)
    areas = gpd.GeoDataFrame({"code": ["A", "B"]}, geometry=[shapely.box(0, 0, 200, 100)] * 2)
    wishes = Wishes(locked=areas.iloc[:1].assign(level="组"))
    table = wishes.locks(Atoms.from_frame(frame), load("lusong"))
    assert table["zu"].to_dict() == {"a000-000": "A", "a001-000": "A"}
    assert Wishes().locks(Atoms.from_frame(frame), load("lusong")) is None
