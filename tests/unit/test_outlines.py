"""Polygons of compounds and buildings in a plan file, changed in another program."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from strategies import grid_frame

from geogrid.coverage import verify_plan
from geogrid.divide import divide
from geogrid.divide.quality import measure_quality
from geogrid.io.plan_file import write_plan
from geogrid.maps.quality_page import quality_page
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import Level, Scheme
from geogrid.vocabulary import Contract
from geogrid.workflow.audit import audit_file

ORIGIN = np.array([500000.0, 3e6])
SCHEME = Scheme(
    key="s",
    title="",
    levels=(
        Level(key="shequ", name="社区"),
        Level(key="xiaoqu", name="小区", contract=Contract.HOUSEHOLD),
    ),
)


def homes_of():
    points = [
        shapely.Point(500010 + 100 * c + 20 * n, 3e6 + 50) for c in range(4) for n in range(4)
    ]
    return gpd.GeoDataFrame(
        {
            "household_id": [f"h{at:02d}" for at in range(16)],
            "compound": [f"C{at // 4}" for at in range(16)],
        },
        geometry=points,
        crs=4547,
    )


def plan_of():
    frame = grid_frame(4, 1, 0)
    shapes = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + ORIGIN)
    atoms = Atoms.from_frame(frame.set_geometry(shapes).set_crs(4547, allow_override=True))
    boxes = [shapely.box(100 * c + 5, 5, 100 * c + 95, 95) for c in range(4)]
    areas = gpd.GeoDataFrame(
        {"compound": [f"C{c}" for c in range(4)]},
        geometry=shapely.transform(np.array(boxes), lambda xy: xy + ORIGIN),
        crs=4547,
    )
    plan = divide(None, atoms, SCHEME, households=homes_of(), upper={"xiaoqu": areas})
    return replace(plan, certificate=verify_plan(plan).certificate)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_plan(plan_of(), tmp_path_factory.mktemp("plan") / "plan.gpkg")


@pytest.fixture
def roster(tmp_path):
    homes_of().to_file(tmp_path / "homes.gpkg")
    return tmp_path / "homes.gpkg"


def edited(file, tmp_path, change):
    """Save the layer of compounds again, as QGIS does."""
    copy = tmp_path / "edited.gpkg"
    copy.write_bytes(file.read_bytes())
    layer = pyogrio.read_dataframe(copy, layer="xiaoqu")
    pyogrio.write_dataframe(change(layer), copy, layer="xiaoqu")
    return copy


def moved(row, dx):
    def change(layer):
        shapes = layer.geometry.to_numpy().copy()
        shapes[row] = shapely.affinity.translate(shapes[row], dx, 0)
        return layer.set_geometry(shapes)

    return change


def found_in(path, **more):
    audit = audit_file(path, **more)
    rows = audit.report.defects
    return audit, list(zip(rows["kind"], rows["cells"], rows["households"], strict=True))


def test_polygons_as_they_were_drawn_are_sound(file, roster):
    audit, found = found_in(file)
    assert not found
    assert any("compared with the atoms" in note for note in audit.report.notes)
    audit, found = found_in(file, households=roster)
    assert not found
    assert audit.is_sound
    assert not any("compared with the atoms" in note for note in audit.report.notes)
    assert verify_plan(plan_of(), households=homes_of()).defects.empty


def test_a_polygon_pushed_over_its_neighbour_is_an_overlap(file, tmp_path):
    audit, found = found_in(edited(file, tmp_path, moved(0, 30)))
    assert [one[:2] for one in found] == [("overlap", ("0101", "0102"))]
    assert audit.report.defects["area_m2"].iloc[0] == pytest.approx(20 * 90)
    assert set(audit.report.defects["level"]) == {"xiaoqu"}
    assert not audit.is_sound


def test_households_left_out_of_their_polygon_are_found(file, tmp_path, roster):
    def shrunk(layer):
        shapes = layer.geometry.to_numpy().copy()
        west, south, _, north = shapes[2].bounds
        shapes[2] = shapely.box(west, south, west + 30, north)
        return layer.set_geometry(shapes)

    audit, found = found_in(edited(file, tmp_path, shrunk), households=roster)
    assert found == [("unassigned_household", ("0103",), 2)]
    assert not audit.is_sound


def test_households_in_the_polygon_of_another_cell_name_both(file, tmp_path, roster):
    def swapped(layer):
        return layer.set_geometry(layer.geometry.to_numpy()[[1, 0, 2, 3]])

    copy = edited(file, tmp_path, swapped)
    both = [("double_household", ("0101", "0102"), 4), ("double_household", ("0102", "0101"), 4)]
    assert sorted(found_in(copy, households=roster)[1]) == both
    # Without their places the atoms tell as much.
    assert sorted(found_in(copy)[1]) == both


def test_a_polygon_of_no_cell_and_a_cell_without_polygon_are_told(file, tmp_path):
    audit, found = found_in(edited(file, tmp_path, lambda one: one.assign(
        code=["0101", "0102", "0103", "9999"])))  # fmt: skip
    assert not found
    assert audit.faults == ("polygons of level xiaoqu name a cell that is not there: 9999",)
    assert "1 of 4 cells of level xiaoqu have no polygon" in audit.report.notes


def test_one_cell_in_two_polygons_is_held_by_both(file, tmp_path, roster):
    def cut(layer):
        west, south, east, north = layer.geometry.iloc[0].bounds
        halves = [
            shapely.box(west, south, west + 40, north),
            shapely.box(west + 40, south, east, north),
        ]
        more = layer.iloc[[0, 0, 1, 2, 3]].reset_index(drop=True)
        return more.set_geometry([*halves, *layer.geometry.iloc[1:]])

    assert not found_in(edited(file, tmp_path, cut), households=roster)[1]


def test_quality_measures_the_polygons_of_compounds():
    level = measure_quality(plan_of()).level("小区")
    assert level.cells["area_m2"].tolist() == [8100.0] * 4
    assert level.cells["compactness"].tolist() == pytest.approx([np.pi / 4] * 4)
    assert level.shape.mean == pytest.approx(np.pi / 4)
    assert level.shape.worst_code == "0101"
    assert level.to_dict()["shape"]["mean"] == 0.7854
    assert "pieces" not in level.cells


def test_a_cell_without_polygon_has_no_compactness_and_does_not_lower_the_mean():
    plan = plan_of()
    shapes = plan.shapes["xiaoqu"].copy()
    shapes.iloc[0] = shapely.Polygon()
    level = measure_quality(replace(plan, shapes={"xiaoqu": shapes})).level("小区")
    assert level.cells["compactness"].isna().tolist() == [True, False, False, False]
    assert level.shape.mean == pytest.approx(np.pi / 4)
    none = gpd.GeoSeries([shapely.Polygon()] * 4, index=shapes.index, crs=shapes.crs)
    assert measure_quality(replace(plan, shapes={"xiaoqu": none})).level("小区").shape is None
    page = quality_page(measure_quality(replace(plan, shapes={"xiaoqu": shapes})))
    assert "nan" not in page
