import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from strategies import grid_frame

from geogrid.coverage import verify_plan
from geogrid.divide import divide
from geogrid.divide._chain import chain_rows, cut_chains, walk_through
from geogrid.errors import CoverageError, InfeasibleError, InputError
from geogrid.io.plan_file import read_plan, write_plan
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract
from geogrid.workflow.audit import audit_file

LIN = HouseholdBand(low=5, high=15, is_hard=True)
SCHEME = Scheme(
    key="lin",
    title="",
    levels=(
        Level(key="zu", name="组", band=HouseholdBand(low=30, high=60)),
        Level(key="lin", name="邻", contract=Contract.ROSTER, band=LIN),
    ),
)
HOUSES = Scheme(
    key="houses",
    title="",
    levels=(
        Level(key="shequ", name="社区"),
        Level(key="xiaoqu", name="小区", contract=Contract.HOUSEHOLD),
        Level(key="loudong", name="楼栋", contract=Contract.HOUSEHOLD),
        Level(key="danyuan", name="单元", contract=Contract.ROSTER),
    ),
)


def tower_rows(columns=4, rows=3, floors=4, entrances=2):
    """One building an atom, two households a floor and entrance."""
    rows_ = []
    for column in range(columns):
        for row in range(rows):
            for entrance in range(entrances):
                for floor in range(floors):
                    for side in range(2):
                        xy = (column * 100 + 40 + 10 * entrance + side, row * 100 + 50)
                        rows_.append(
                            (f"B{column}-{row}", entrance + 1, floor + 1, shapely.Point(xy))
                        )
    table = pd.DataFrame(rows_, columns=["building", "entrance", "floor", "geometry"])
    table["household_id"] = [f"h{at:04d}" for at in range(len(table))]
    return gpd.GeoDataFrame(table, geometry="geometry")


@pytest.fixture(scope="module")
def homes():
    return tower_rows()


@pytest.fixture(scope="module")
def atoms():
    return Atoms.from_frame(grid_frame(4, 3, 0))


@pytest.fixture(scope="module")
def plan(atoms, homes):
    return divide(None, atoms, SCHEME, households=homes)


def held(plan, level):
    return plan.members(level).groupby("code")["households"].sum()


def test_every_household_is_in_one_neighbourhood_of_five_to_fifteen(plan, homes):
    members = plan.members("邻")
    assert sorted(members["household_id"]) == sorted(homes["household_id"])
    assert members["household_id"].is_unique
    assert held(plan, "lin").between(5, 15).all()
    assert list(members.columns) == ["code", "household_id", "households", "atom_id"]
    parent = plan.cell_table.loc[members["code"], "parent"].to_numpy()
    assert (parent == plan.labels.loc[members["atom_id"], "zu"].to_numpy()).all()


def test_neighbourhoods_follow_buildings_and_entrances(atoms, homes):
    plan = divide(None, atoms, SCHEME, households=homes, counts={"lin": 24})
    members = plan.members("lin").merge(homes, on="household_id")
    assert members.groupby("code")["building"].nunique().max() == 1
    assert members.groupby("code")["entrance"].nunique().max() == 1


def test_the_exact_number_of_neighbourhoods_is_made(atoms, homes):
    plan = divide(None, atoms, SCHEME, households=homes, counts={"邻": 20})
    assert len(held(plan, "lin")) == 20
    assert held(plan, "lin").between(5, 15).all()
    assert not plan.notes


def test_a_number_that_contradicts_the_band_is_kept_and_said(atoms, homes):
    plan = divide(None, atoms, SCHEME, households=homes, counts={"lin": 8})
    assert len(held(plan, "lin")) == 8
    assert any("contradict its band" in note for note in plan.notes)
    assert any("lie outside 5 to 15" in note for note in plan.notes)


def test_more_neighbourhoods_than_households_are_refused(atoms, homes):
    with pytest.raises(InfeasibleError, match="cannot have 500 cells"):
        divide(None, atoms, SCHEME, households=homes, counts={"lin": 500})


def test_a_row_of_several_households_is_never_divided(atoms):
    points = shapely.points([(50, 50), (51, 50), (52, 50), (150, 50)])
    homes = gpd.GeoDataFrame({"households": [9, 20, 8, 0]}, geometry=points)
    plan = divide(None, atoms, SCHEME, households=homes)
    assert sorted(held(plan, "lin")) == [8, 9, 20]
    assert any("lie outside 5 to 15" in note for note in plan.notes)
    assert len(plan.members("lin")) == 4


def test_shuffled_rows_give_the_same_lists(atoms, homes, plan):
    again = divide(None, atoms, SCHEME, households=homes.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(again.members("lin"), plan.members("lin"))


def test_a_plan_file_with_lists_passes_the_check_and_comes_back(plan, tmp_path):
    report = verify_plan(plan)
    assert report.defects.empty
    file = write_plan(plan, tmp_path / "plan.gpkg")
    back = read_plan(file)
    pd.testing.assert_frame_equal(back.members("lin"), plan.members("lin"))
    assert back.notes == plan.notes
    assert audit_file(file).report.defects.empty


def test_a_household_missing_from_the_lists_of_a_plan_is_found(plan):
    members = plan.rosters["lin"]
    broken = type(plan)(
        **{
            name: getattr(plan, name)
            for name in ("district", "scheme", "atoms", "labels", "cell_table")
        },
        rosters={"lin": members.iloc[1:]},
    )
    kinds = verify_plan(broken).defects.set_index("kind")["households"]
    assert kinds["unassigned_household"] == 1


def test_without_points_there_are_no_lists(atoms):
    plan = divide(None, Atoms.from_frame(grid_frame(4, 3, 8)), SCHEME)
    with pytest.raises(InputError, match="no members of level lin"):
        plan.members("lin")
    with pytest.raises(InputError, match="list of households"):
        divide(None, atoms, SCHEME, counts={"lin": 3})


def test_two_rows_of_one_household_id_are_refused(atoms, homes):
    with pytest.raises(InputError, match="household ids occur twice"):
        divide(None, atoms, SCHEME, households=homes.assign(household_id="h1"))


def test_compounds_buildings_and_entrances_are_cells_of_their_own(atoms, homes, tmp_path):
    compound = np.where(homes["building"].str.startswith("B0"), "C1", "")
    areas = gpd.GeoDataFrame(
        {"compound": ["C1"], "name": ["金谷"]}, geometry=[shapely.box(5, 5, 95, 295)]
    )
    plan = divide(
        None, atoms, HOUSES, households=homes.assign(compound=compound),
        upper={"xiaoqu": areas}, counts={"xiaoqu": 4},
    )  # fmt: skip
    assert len(held(plan, "xiaoqu")) == 4
    assert len(held(plan, "loudong")) == homes["building"].nunique()
    assert len(held(plan, "danyuan")) == 2 * homes["building"].nunique()
    cells = plan.cells("小区")
    named = cells[~cells.geometry.is_empty]
    assert named["name"].tolist() == ["金谷"]
    assert shapely.to_wkb(named.geometry.iloc[0]) == shapely.to_wkb(areas.geometry.iloc[0])
    assert verify_plan(plan).defects.empty
    back = read_plan(write_plan(plan, tmp_path / "p.gpkg"))
    assert back.cells("小区").geometry.geom_equals_exact(cells.geometry, 0).all()


def test_overlapping_compounds_are_refused(atoms, homes):
    boxes = [shapely.box(0, 0, 60, 60), shapely.box(50, 0, 90, 60)]
    areas = gpd.GeoDataFrame({"compound": ["C1", "C2"]}, geometry=boxes)
    with pytest.raises(CoverageError, match="overlap by 600"):
        divide(None, atoms, HOUSES, households=homes, upper={"xiaoqu": areas})


def test_a_list_above_finer_cells_is_made_of_whole_ones(atoms, homes):
    scheme = Scheme(
        key="liu",
        title="",
        levels=(
            Level(key="cun", name="村"),
            Level(key="zhibu", name="支部", contract=Contract.ROSTER),
            Level(key="wei", name="微网格", band=HouseholdBand(low=10, high=20)),
        ),
    )
    plan = divide(None, atoms, scheme, households=homes, counts={"zhibu": 3})
    members = plan.members("zhibu")
    wei = plan.labels.loc[members["atom_id"], "wei"].to_numpy()
    assert members["code"].nunique() == 3
    assert members.groupby(wei)["code"].nunique().max() == 1


def test_a_walk_goes_to_the_nearest_point_from_the_west():
    xy = np.array([[5.0, 0.0], [0.0, 0.0], [9.0, 0.0], [1.0, 0.0]])
    assert walk_through(xy).tolist() == [1, 3, 0, 2]


def test_chains_are_cut_into_exactly_as_many_groups_also_round_heavy_rows():
    weight = np.array([1, 50, 1, 1, 1, 1, 30, 1, 1, 1.0])
    none = np.full(10, -1)
    xy = np.column_stack((np.arange(10.0), np.zeros(10)))
    chain = chain_rows(np.zeros(10, dtype=np.int64), xy, (none, none, none), np.arange(10))
    for groups in range(1, 11):
        label = cut_chains(chain, weight, np.array([groups]), None)
        assert len(set(label.tolist())) == groups
        assert (np.diff(label) >= 0).all()
