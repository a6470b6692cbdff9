"""Cells by place and by code, as a plain search through all of them finds them."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS
from sqlalchemy import text
from store_plans import city_plan, moved, rich_plan, square_plan

from geogrid.errors import NotStoredError, StoreError
from geogrid.store import open_store


@pytest.fixture
def two_versions(store, plan_id):
    plan = city_plan(24, 24)
    first = store.commit(plan_id, "main", None, plan, author="甲", message="")
    after = moved(moved(store.read(first.id), 100), 300)
    second = store.commit(plan_id, "main", first.id, after, author="甲", message="")
    return first, second


def test_cells_in_a_box_are_those_of_a_plain_search(store, two_versions):
    rng = np.random.default_rng(3)
    for version in two_versions:
        plan = store.read(version.id)
        for level in ("micro", "part"):
            cells = plan.cells(level)
            low_x, low_y, high_x, high_y = cells.total_bounds
            for _ in range(8):
                x, y = rng.uniform(low_x, high_x), rng.uniform(low_y, high_y)
                box = (x, y, x + rng.uniform(0, 200), y + rng.uniform(0, 200))
                wanted = cells[cells.intersects(shapely.box(*box))]
                found = store.cells(version.id, level, box=box)
                assert found["code"].tolist() == wanted["code"].tolist()
                assert (
                    shapely.to_wkb(found.geometry.to_numpy()).tolist()
                    == shapely.to_wkb(wanted.geometry.to_numpy()).tolist()
                )
                assert found["households"].tolist() == wanted["households"].tolist()
                assert found["area_m2"].tolist() == wanted["area_m2"].tolist()
                assert found.crs == plan.district.crs


def test_a_box_may_be_in_degrees(store, two_versions):
    version = two_versions[1]
    plan = store.read(version.id)
    cell = plan.cells("micro").iloc[[70]]
    low_x, low_y, high_x, high_y = cell.buffer(-3).to_crs(4326).total_bounds
    found = store.cells(version.id, "micro", box=(low_x, low_y, high_x, high_y), box_crs=4326)
    assert cell["code"].iloc[0] in found["code"].tolist()
    assert 1 <= len(found) <= 6


def test_all_levels_come_without_naming_one(store, plan_id):
    made = store.commit(plan_id, "main", None, rich_plan(), author="甲", message="")
    found = store.cells(made.id)
    assert found["level"].tolist() == ["community", "micro", "micro"]
    assert found["merchants"].tolist() == [15, 4, 11]
    assert found["head"].tolist() == ["", "王", ""]


def test_a_cell_is_found_by_its_code_in_each_version(store, two_versions):
    first, second = two_versions
    code = store.diff(first.id, second.id).levels["micro"].redrawn[0]
    shapes = []
    for version in two_versions:
        found = store.cell(version.id, code)
        own = store.read(version.id).cells("micro").set_index("code")
        assert found["level"].tolist() == ["micro"]
        assert found.geometry.iloc[0].equals(own.geometry[code])
        shapes.append(found.geometry.iloc[0])
    assert not shapes[0].equals(shapes[1])
    with pytest.raises(NotStoredError, match="no cell 'x'"):
        store.cell(first.id, "x")


@pytest.mark.parametrize("box", [(1, 0, 0, 1), (0, 0, float("nan"), 1)])
def test_a_box_that_is_none_is_refused(store, two_versions, box):
    with pytest.raises(StoreError, match="no box"):
        store.cells(two_versions[0].id, box=box)


def test_plans_in_plain_metres_are_found_by_place_too(store, plan_id):
    plan = square_plan(crs=None)
    made = store.commit(plan_id, "main", None, plan, author="甲", message="")
    low_x, low_y = plan.cells("micro").total_bounds[:2]
    found = store.cells(made.id, "micro", box=(low_x + 10, low_y + 10, low_x + 20, low_y + 20))
    assert found["code"].tolist() == ["00000000"]
    assert found.crs is None


@pytest.mark.postgis
def test_postgis_keeps_a_column_for_tiles(make_address):
    with open_store(make_address("postgis")) as store:
        project = store.create_project("p", actor="甲")
        entry = store.create_plan(project.id, "p", actor="甲")
        plan = replace(square_plan(), certificate=None)
        store.commit(entry.id, "main", None, plan, author="甲", message="")
        query = (
            "SELECT ST_AsBinary(geom_3857) FROM cell_place JOIN cell USING (id) "
            "WHERE level = 'micro' ORDER BY code"
        )
        with store.database.reading() as connection:
            found = shapely.from_wkb(
                [bytes(one) for one in connection.execute(text(query)).scalars()]
            )
            tile = connection.execute(
                text(
                    "SELECT ST_AsMVT(t) FROM (SELECT ST_AsMVTGeom(geom_3857, "
                    "ST_Extent(geom_3857) OVER ()::box2d) FROM cell_place) t"
                )
            ).scalar()
    wanted = plan.cells("micro").to_crs(CRS.from_epsg(3857))
    assert (
        gpd.GeoSeries(found)
        .geom_equals_exact(gpd.GeoSeries(wanted.geometry.to_numpy()), 1e-6)
        .all()
    )
    assert len(bytes(tile)) > 100
