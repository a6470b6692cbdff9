import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from strategies import grid_frame

from geogrid.divide.nest import divide
from geogrid.errors import InfeasibleError, InputError
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.model.source import Source
from geogrid.vocabulary import Contract

SCHEME = Scheme(
    key="three",
    title="",
    levels=(
        Level(key="pian", name="片"),
        Level(key="wangge", name="网格", band=HouseholdBand(low=300, high=500)),
        Level(key="lin", name="邻", contract=Contract.ROSTER),
        Level(key="wei", name="微网格", band=HouseholdBand(low=30, high=100)),
    ),
)


@pytest.fixture(scope="module")
def atoms():
    counts = np.random.default_rng(2).integers(0, 21, 144)
    return Atoms.from_frame(grid_frame(12, 12, counts))


@pytest.fixture(scope="module")
def plan(atoms):
    return divide(None, atoms, SCHEME)


def test_every_level_is_divided_inside_the_one_above(plan, atoms):
    total = int(atoms.frame["households"].sum())
    assert len(plan.cells("pian")) == 1
    assert 3 <= len(plan.cells("wangge")) <= 4
    for key in ("pian", "wangge", "wei"):
        cells = plan.cells(key)
        assert cells["households"].sum() == total
        assert set(cells.geom_type) == {"Polygon"}
        assert cells.geometry.area.sum() == pytest.approx(144 * 10_000)
    for key in ("wangge", "wei"):
        band = SCHEME.level(key).band
        assert all(count in band for count in plan.cells(key)["households"])
    pairs = plan.labels[["wangge", "wei"]].drop_duplicates()
    assert pairs["wei"].is_unique


def test_the_district_gives_prefix_name_and_sources(atoms):
    district = District(limit=atoms.limit, crs=None, name="华阳", code="510116110")
    source = Source(role="limit", name="limit.gpkg")
    plan = divide(district, atoms, "huayang", sources=(source,))
    assert plan.district is district
    assert plan.sources == (source,)
    assert plan.cells("总网格")["code"].tolist() == ["51011611001"]
    assert plan.cell_table.loc["51011611001", "name"] == "华阳第1总网格"
    assert plan.cells("wei")["name"].str.fullmatch(r"华阳第1总网格第\d网格\d+号微网格").all()
    assert set(plan.cell_table["kind"]) == {"居住"}


def test_a_parent_below_the_band_is_one_cell():
    plan = divide(None, Atoms.from_frame(grid_frame(4, 4, 1)), SCHEME)
    assert len(plan.cells("wangge")) == len(plan.cells("wei")) == 1


def test_a_district_without_households_is_one_cell_and_ordinary():
    plan = divide(None, Atoms.from_frame(grid_frame(4, 4, 0)), SCHEME)
    cells = plan.cells("wei")
    assert cells["households"].tolist() == [0]
    assert cells["kind"].tolist() == ["普通"]


def test_household_points_are_counted_once_each_also_on_a_border():
    atoms = Atoms.from_frame(grid_frame(2, 1, 7))
    points = gpd.GeoDataFrame(
        {"households": [3, 4, 5]}, geometry=shapely.points([(50, 50), (100, 50), (150, 50)])
    )
    plan = divide(None, atoms, SCHEME, households=points)
    members = plan.members("wei").set_index("atom_id")["households"]
    assert members.to_dict() == {"a000-000": 7, "a001-000": 5}
    assert atoms.frame["households"].tolist() == [7, 7]


def test_points_in_degrees_are_brought_to_the_atoms_frame():
    frame = grid_frame(2, 1)
    frame = frame.set_geometry(frame.geometry.translate(500_000, 5_200_000)).set_crs(32632)
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([500_050], [5_200_050]), crs=32632
    ).to_crs(4326)
    plan = divide(None, Atoms.from_frame(frame), SCHEME, households=points)
    assert plan.households == 1


def test_points_outside_are_logged_by_number(caplog):
    points = gpd.GeoDataFrame(geometry=shapely.points([(50, 50), (999, 999)]))
    with caplog.at_level(logging.WARNING):
        plan = divide(None, Atoms.from_frame(grid_frame(2, 1)), SCHEME, households=points)
    assert plan.households == 1
    assert "1 of 2 household points lie outside every atom" in caplog.text


def test_locked_atoms_stay_together_and_apart(atoms):
    locked = {"a005-005": "A", "a006-005": "A", "a006-006": "B"}
    plan = divide(None, atoms, SCHEME, locked=locked)
    assert plan.leaf["a005-005"] == plan.leaf["a006-005"] != plan.leaf["a006-006"]


def test_a_lock_at_a_coarser_level_binds_that_level(plan, atoms):
    kept = plan.labels.iloc[:40][["wangge"]]
    again = divide(None, atoms, SCHEME, locked=kept, seed=7)
    together = pd.crosstab(kept["wangge"], again.labels.loc[kept.index, "wangge"])
    assert ((together > 0).sum(axis=0) == 1).all()
    assert ((together > 0).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("locked", "error", "says"),
    [
        ({"nowhere": "A"}, InputError, "nowhere"),
        (pd.DataFrame({"xyz": ["A"]}, index=["a000-000"]), InputError, "level xyz"),
        ({"a000-000": "A", "a011-011": "A"}, InfeasibleError, "do not touch"),
    ],
)
def test_locks_that_cannot_be_kept_are_refused(atoms, locked, error, says):
    with pytest.raises(error, match=says):
        divide(None, atoms, SCHEME, locked=locked)


def test_contradicting_locks_of_two_levels_are_refused(atoms):
    locked = pd.DataFrame({"wangge": ["X", "Y"], "wei": ["A", "A"]}, index=["a000-000", "a001-000"])
    with pytest.raises(InfeasibleError, match="finer cell"):
        divide(None, atoms, SCHEME, locked=locked)


def test_a_scheme_without_area_levels_cannot_divide(atoms):
    roster = Level(key="lin", name="邻", contract=Contract.ROSTER)
    scheme = Scheme(key="only", title="", levels=(roster,))
    with pytest.raises(InputError, match="no area level"):
        divide(None, atoms, scheme)


def test_islands_make_cells_of_several_pieces_only_where_the_district_has_them():
    frame = grid_frame(12, 6, 10)
    island = grid_frame(1, 1, 2)
    island = island.assign(atom_id="z").set_geometry(island.geometry.translate(2000, 0))
    atoms = Atoms.from_frame(pd.concat([frame, island], ignore_index=True))
    plan = divide(None, atoms, SCHEME)
    many = plan.cells("wei")[lambda cells: cells.geom_type == "MultiPolygon"]
    assert len(many) == 1
    assert many["code"].item() == plan.leaf["z"]
