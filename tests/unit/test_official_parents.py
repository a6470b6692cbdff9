"""Official cells that say in which cell above they lie."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from strategies import grid_frame

from geogrid.divide import divide
from geogrid.errors import InputError
from geogrid.io.tables import read_seats
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import Level, Scheme
from geogrid.workflow.wishes import _named

SCHEME = Scheme(
    key="s", title="", levels=(Level(key="cunshe", name="村社区"), Level(key="pian", name="片"))
)
LEFT, RIGHT = shapely.box(0, 0, 200, 200), shapely.box(200, 0, 400, 200)


@pytest.fixture(scope="module")
def atoms():
    return Atoms.from_frame(grid_frame(4, 2, 5))


@pytest.fixture(scope="module")
def halves():
    return gpd.GeoDataFrame(
        {"code": ["L", "R"], "name": ["东社区", "西社区"]}, geometry=[LEFT, RIGHT]
    )


def seats(*parents):
    points = [(50, 50), (150, 150), (250, 50)]
    return gpd.GeoDataFrame(
        {"code": ["1", "2", "3"], "parent": parents}, geometry=shapely.points(points)
    )


def test_seats_in_the_parent_that_they_name_are_taken(atoms, halves):
    plan = divide(None, atoms, SCHEME, upper={"cunshe": halves, "pian": seats("L", "", "西社区")})
    assert plan.cells("pian").set_index("code")["parent"].to_dict() == {
        "1": "L", "2": "L", "3": "R",
    }  # fmt: skip
    assert not plan.notes


@pytest.mark.parametrize(
    ("parents", "says"),
    [
        (("L", "R", "R"), "cell 2 of level pian names the parent R and lies in L 东社区: correct"),
        (("L", "L", "X"), "cell 3 of level pian names the parent X, but no cell above is called"),
    ],
)
def test_seats_and_polygons_in_another_parent_are_refused(atoms, halves, parents, says):
    with pytest.raises(InputError, match=says):
        divide(None, atoms, SCHEME, upper={"cunshe": halves, "pian": seats(*parents)})
    boxes = [shapely.box(0, 0, 100, 200), shapely.box(100, 0, 200, 200), RIGHT]
    areas = seats(*parents).set_geometry(boxes)
    with pytest.raises(InputError, match=says):
        divide(None, atoms, SCHEME, upper={"cunshe": halves, "pian": areas})


def test_a_parent_that_nothing_can_be_compared_with_is_said_to_be_unused(atoms):
    plan = divide(None, atoms, SCHEME, upper={"pian": seats("L", "L", "R")})
    (said,) = (note for note in plan.notes if "column parent" in note)
    assert said.endswith("was not used: no cell above them has an official code")


def test_a_table_of_seats_keeps_its_column_of_parents(tmp_path):
    path = tmp_path / "seats.csv"
    path.write_text("编码,名称,上级编码,lon,lat\n01,甲片,430203001001,113.1,27.8\n", encoding="gbk")
    frame = read_seats(path).frame
    assert frame["parent"].tolist() == ["430203001001"]
    named = _named(frame, path, "code")
    assert pd.DataFrame(named)[["code", "name", "parent"]].to_numpy().tolist() == [
        ["01", "甲片", "430203001001"]
    ]
