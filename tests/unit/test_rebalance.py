import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from strategies import grid_frame

from geogrid.cli import main
from geogrid.coverage import verify_plan
from geogrid.divide import divide, rebalance
from geogrid.divide._flow import cheapest_flow
from geogrid.errors import InfeasibleError, InputError
from geogrid.io.plan_file import read_plan, write_plan
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

SCHEME = Scheme(
    key="one",
    title="",
    levels=(
        Level(key="wangge", name="网格", band=HouseholdBand(low=30, high=50)),
        Level(key="lin", name="邻", contract=Contract.ROSTER),
    ),
)


def striped(columns, rows, cuts, households=1, parent=None):
    """A plan of vertical stripes that end at the columns in ``cuts``."""
    atoms = Atoms.from_frame(grid_frame(columns, rows, households))
    column = atoms.frame["atom_id"].str[1:4].astype(int)
    codes = [f"{at:02d}" for at in range(1, len(cuts) + 1)]
    label = [codes[int(np.searchsorted(cuts, one, side="right"))] for one in column]
    table = pd.DataFrame(
        {"level": "wangge", "name": codes, "kind": "普通", "parent": parent or "", "head": "王"},
        index=pd.Index(codes, name="code"),
    )
    index = pd.Index(atoms.frame["atom_id"], name="atom_id")
    labels = pd.DataFrame({"wangge": label}, index=index, dtype="str")
    plan = divide(None, atoms, SCHEME)
    return replace(plan, labels=labels, cell_table=table)


def test_a_balanced_plan_is_left_alone():
    plan = striped(10, 8, [5, 10])
    same, moves = rebalance(plan)
    assert same is plan
    assert moves.empty
    assert moves.attrs == {"level": "wangge", "moved": 0, "bound": 0, "beyond": 0}


def test_as_few_households_move_as_the_flow_demands():
    plan = striped(10, 8, [3, 10])  # 24 and 56
    after, moves = rebalance(plan)
    assert moves.attrs["moved"] == moves.attrs["bound"] == 6
    assert moves[["source", "target", "households"]].to_numpy().tolist() == [["02", "01", 6]]
    assert sorted(after.cells("wangge")["households"]) == [30, 50]
    assert set(after.cells("wangge").geom_type) == {"Polygon"}
    assert after.cells("wangge")["code"].tolist() == ["01", "02"]
    assert set(after.cell_table["head"]) == {"王"}
    assert verify_plan(after).is_proven
    again, none = rebalance(after)
    assert again is after
    assert none.empty


def test_households_go_through_a_cell_between():
    plan = striped(15, 8, [3, 8, 15])  # 24, 40, 56
    after, moves = rebalance(plan)
    assert after.cells("wangge")["households"].between(30, 50).all()
    assert moves.attrs["bound"] == 12
    assert moves.attrs["moved"] == 12
    assert set(after.cells("wangge").geom_type) == {"Polygon"}


def test_a_locked_cell_keeps_its_border_to_the_bit():
    plan = striped(15, 8, [3, 10, 15])  # 24, 56, 40
    before = plan.cells("wangge").set_index("code").geometry["03"]
    after, moves = rebalance(plan, locked=["03"])
    kept = after.cells("wangge").set_index("code").geometry["03"]
    assert shapely.to_wkb(kept) == shapely.to_wkb(before)
    assert "03" not in {*moves["source"], *moves["target"]}
    assert after.cells("wangge")["households"].between(30, 50).all()


def test_a_lock_between_two_cells_is_named_as_the_reason():
    plan = striped(15, 8, [3, 8, 15])
    with pytest.raises(InfeasibleError, match="unlock cells between"):
        rebalance(plan, locked=["02"])


def test_a_band_that_no_moving_can_reach_is_refused_with_its_mean():
    with pytest.raises(InfeasibleError, match=r"hold 80 households, 40.0 on average.*add a cell"):
        rebalance(striped(10, 8, [5, 10]), band=(10, 30))
    with pytest.raises(InfeasibleError, match="merge two of them"):
        rebalance(striped(10, 8, [5, 10]), band=(50, 60))


def test_atoms_too_heavy_to_move_are_said():
    plan = striped(2, 1, [1, 2], households=[20, 60])
    with pytest.raises(InfeasibleError, match="too heavy"):
        rebalance(plan, band=(35, 45))


def test_a_part_that_would_be_cut_off_goes_along():
    # The middle column joins the two ends of the second cell.
    plan = striped(9, 6, [2, 9], households=1)
    after, _ = rebalance(plan, band=(20, 40))
    assert set(after.cells("wangge").geom_type) == {"Polygon"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": "xyz"}, "no level xyz"),
        ({"level": "lin"}, "no areas to move"),
        ({"locked": ["77"]}, "no cell 77"),
        ({"band": (50, 30)}, "upside down"),
    ],
)
def test_bad_input_is_refused(options, says):
    with pytest.raises(InputError, match=says):
        rebalance(striped(10, 8, [3, 10]), **options)


def test_whole_finer_cells_change_their_parent():
    scheme = Scheme(
        key="two",
        title="",
        levels=(
            Level(key="wangge", name="网格", band=HouseholdBand(low=150, high=250)),
            Level(key="wei", name="微网格", band=HouseholdBand(low=10, high=20)),
        ),
    )
    atoms = Atoms.from_frame(grid_frame(16, 16, np.random.default_rng(1).integers(0, 7, 256)))
    plan = divide(None, atoms, scheme)
    low, high = 185, 200
    after, moves = rebalance(plan, level="wangge", band=(low, high))
    assert moves.attrs["moved"] >= moves.attrs["bound"] > 0
    pairs = after.labels.drop_duplicates()
    assert pairs["wei"].is_unique
    assert (after.cell_table.loc[pairs["wei"], "parent"] == pairs["wangge"].to_numpy()).all()
    assert all(
        code.startswith(parent) for code, parent in zip(pairs["wei"], pairs["wangge"], strict=True)
    )
    assert verify_plan(after).is_proven


def test_lists_are_divided_where_their_members_part():
    homes = gpd.GeoDataFrame(
        {"household_id": [f"h{at}" for at in range(80)]},
        geometry=shapely.points(
            [(50 + 100 * (at % 10), 50 + 100 * (at // 10)) for at in range(80)]
        ),
    )
    plan = divide(None, Atoms.from_frame(grid_frame(10, 8, 0)), SCHEME, households=homes)
    after, moves = rebalance(plan, band=(39, 41))
    members = after.members("lin")
    assert sorted(members["household_id"]) == sorted(homes["household_id"])
    parent = after.cell_table.loc[members["code"], "parent"].to_numpy()
    assert (parent == after.labels.loc[members["atom_id"], "wangge"].to_numpy()).all()
    assert moves.attrs["beyond"] == 0


def test_the_flow_counts_every_border_that_is_crossed():
    flow = cheapest_flow(
        np.array([24.0, 40.0, 56.0]), np.array([0, 1]), np.array([1, 2]), low=30, high=50
    )
    assert flow.moved == 12
    assert flow.beyond == 0
    cut_off = cheapest_flow(
        np.array([24.0, 56.0]), np.zeros(0, int), np.zeros(0, int), low=30, high=50
    )
    assert cut_off.beyond == 12


def test_the_command_writes_a_proven_plan_and_says_what_moved(tmp_path, capsys):
    plan = striped(10, 8, [3, 10])
    report = verify_plan(plan)
    file = write_plan(replace(plan, certificate=report.certificate), tmp_path / "old.gpkg")
    out = tmp_path / "new.gpkg"
    assert main(["rebalance", str(file), "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["moved"], said["bound"], said["is_proven"]) == (6, 6, True)
    assert said["moves"][0]["source"] == "02"
    back = read_plan(out)
    assert back.cells("wangge")["households"].between(30, 50).all()
    assert main(["rebalance", str(out), "--out", str(tmp_path / "x.gpkg")]) == 0
    assert "nothing to move" in capsys.readouterr().out


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    plan = striped(10, 8, [3, 10])
    file = write_plan(replace(plan, certificate=verify_plan(plan).certificate), tmp_path / "p.gpkg")
    code = main(["rebalance", str(file), "--out", str(tmp_path / "q.gpkg"), "--band", "60-70"])
    assert code == 2
    assert "merge two of them" in capsys.readouterr().err
    assert not (tmp_path / "q.gpkg").exists()
