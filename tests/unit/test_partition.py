import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from strategies import grid_frame

from geogrid.divide.partition import partition_atoms
from geogrid.errors import InfeasibleError, InputError
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand


def squares(places, households=1):
    """Square atoms at (column, row) places."""
    x, y = np.array(places).T * 100.0
    return gpd.GeoDataFrame(
        {"atom_id": [f"s{at:03d}" for at in range(len(places))], "households": households},
        geometry=shapely.box(x, y, x + 100, y + 100),
    )


def dumb_bell():
    town = [(column, row) for column in range(10) for row in range(10)]
    other = [(column + 13, row) for column, row in town]
    corridor = [(column, 5) for column in (10, 11, 12)]
    frame = squares([*town, *other, *corridor])
    frame.loc[frame.index[-3:], "households"] = 0
    return frame


def test_equal_squares_are_divided_without_any_deviation():
    report = partition_atoms(grid_frame(6, 6), parts=4).report
    assert report.parts == report.components == 4
    assert report.households.tolist() == [9, 9, 9, 9]
    assert report.deviation == 0
    assert report.compactness == pytest.approx(np.pi / 4, rel=0.01)
    assert report.in_band == 1


def test_a_dumb_bell_is_cut_in_three_across_its_corridor():
    frame = dumb_bell()
    partition = partition_atoms(frame, parts=3)
    assert partition.report.components == 3
    # 200 households in three parts: 66.7 each, one atom more or less is the best that can be.
    assert partition.report.households.between(65, 68).all()
    assert len(set(partition.labels.iloc[-3:])) == 1


def test_a_giant_atom_loses_no_part_and_is_named_as_the_floor():
    frame = grid_frame(10, 5)
    frame.loc[23, "households"] = 100
    report = partition_atoms(frame, parts=10).report
    assert report.parts == report.components == 10
    assert report.floor_atom == frame.loc[23, "atom_id"]
    assert report.floor == pytest.approx(100 / 14.9 - 1)
    others = report.households.sort_values()[:-1]
    # The others share what the giant leaves: 49 households among nine parts, or a few less.
    assert others.between(4, 7).all()


def test_a_corner_is_no_contact():
    black = [(column, row) for column in range(8) for row in range(8) if (column + row) % 2]
    partition = partition_atoms(squares(black), parts=len(black))
    assert partition.report.components == len(black)
    board = grid_frame(8, 8, [(column + row) % 2 for row in range(8) for column in range(8)])
    assert partition_atoms(board, parts=4).report.components == 4


def test_every_piece_of_the_district_gets_a_part_when_there_are_enough():
    frame = squares([(0, 0), (1, 0), (2, 0), (3, 0), (10, 0), (20, 0)], [9, 9, 9, 9, 1, 1])
    partition = partition_atoms(frame, parts=4)
    assert partition.report.components == 4
    assert partition.labels.iloc[4] != partition.labels.iloc[5]
    assert partition.labels.iloc[:4].nunique() == 2


def test_small_pieces_join_the_nearest_one_when_parts_are_short():
    frame = squares([(0, 0), (1, 0), (2, 0), (3, 0), (10, 0), (-9, 0)], [9, 9, 9, 9, 1, 1])
    labels = partition_atoms(frame, parts=2).labels
    assert labels.iloc[4] == labels.iloc[3]
    assert labels.iloc[5] == labels.iloc[0]
    assert labels.iloc[0] != labels.iloc[3]


def test_islands_below_the_band_join_the_nearest_piece():
    mainland = [(column, row) for column in range(4) for row in range(4)]
    frame = squares([*mainland, (9, 0), (9, 3)], [10] * 16 + [0, 3])
    partition = partition_atoms(frame, band=(30, 50))
    assert partition.report.parts == 4
    assert partition.report.in_band == 1


def test_a_river_attracts_the_border_while_the_band_allows_it():
    frame = grid_frame(10, 4)
    line = shapely.LineString([(400, 0), (400, 400)])
    river = gpd.GeoDataFrame({"kind": ["river"]}, geometry=[line])
    beside = partition_atoms(Atoms.from_frame(frame, barriers=river), band=(12, 28))
    assert beside.report.households.tolist() == [16, 24]
    west = [atom for atom in frame["atom_id"] if atom < "a004"]
    assert len(set(beside.labels[west])) == 1
    without = partition_atoms(Atoms.from_frame(frame), band=(12, 28))
    assert without.report.households.tolist() == [20, 20]


@pytest.mark.parametrize(
    ("households", "band", "parts"),
    [
        ([10] * 40, (30, 50), 10),
        ([10] * 12, HouseholdBand(low=30), 4),
        ([10] * 12, HouseholdBand(high=50), 3),
        ([10] * 12, HouseholdBand(), 1),
        ([100, 10, 10, 10, 10, 10, 10, 10, 10], (30, 50), 3),
    ],
)
def test_the_band_decides_how_many_parts_there_are(households, band, parts):
    frame = squares([(at, 0) for at in range(len(households))], households)
    assert partition_atoms(frame, band=band).report.parts == parts


def test_locked_atoms_keep_their_labels_and_their_parts_are_connected():
    frame = grid_frame(8, 8)
    locked = {"a000-000": 3, "a000-007": 3, "a007-000": 0, "a007-007": 5}
    partition = partition_atoms(frame, parts=6, locked=pd.Series(locked))
    assert {atom: partition.labels[atom] for atom in locked} == locked
    assert partition.report.parts == partition.report.components == 6
    assert partition.report.deviation < 0.2


def test_a_part_that_is_locked_whole_stays_and_the_rest_is_balanced():
    frame = grid_frame(8, 8)
    whole = [atom for atom in frame["atom_id"] if atom < "a002"]
    partition = partition_atoms(frame, parts=4, locked=dict.fromkeys(whole, 2))
    assert set(partition.labels.index[partition.labels == 2]) == set(whole)
    assert partition.report.deviation == 0


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"parts": 10}, InfeasibleError, "10 parts are impossible with 9 atoms"),
        ({"parts": 2, "locked": {"a000-000": 2}}, InfeasibleError, "numbered 0 to 1"),
        ({"parts": 2, "locked": {"nowhere": 0}}, InputError, "nowhere"),
        ({"parts": 2, "locked": {"a000-000": -1}}, InputError, "count from 0"),
        ({}, InputError, "either a number of parts or a household band"),
        ({"parts": 2, "band": (1, 2)}, InputError, "not both"),
        ({"parts": 0}, InputError, "at least 1 part"),
        ({"parts": 2, "tolerance": -1}, InputError, "tolerance"),
        ({"parts": 2, "seed": -1}, InputError, "seed"),
        ({"band": (5, 2)}, InputError, "upside down"),
    ],
)
def test_what_cannot_be_is_refused_in_one_plain_sentence(options, error, says):
    with pytest.raises(error, match=says):
        partition_atoms(grid_frame(3, 3), **options)


def test_locks_that_block_each_other_are_refused():
    frame = squares([(at, 0) for at in range(5)])
    with pytest.raises(InfeasibleError, match="lie between them"):
        partition_atoms(frame, parts=2, locked={"s000": 0, "s002": 1, "s004": 0})


def test_locks_on_two_pieces_of_the_district_are_refused():
    frame = squares([(0, 0), (1, 0), (9, 0), (10, 0)])
    with pytest.raises(InfeasibleError, match="does not touch"):
        partition_atoms(frame, parts=2, locked={"s000": 0, "s003": 0})


def test_locks_that_leave_too_few_atoms_are_refused():
    frame = squares([(at, 0) for at in range(4)])
    with pytest.raises(InfeasibleError, match="unlock"):
        partition_atoms(frame, parts=4, locked={"s000": 0, "s001": 0})


def test_a_band_asks_for_no_more_parts_than_the_locks_leave():
    frame = grid_frame(6, 1).assign(households=10)
    locked = {atom: at // 2 for at, atom in enumerate(frame["atom_id"])}
    band = HouseholdBand(low=8, high=12)
    partition = partition_atoms(frame, band=band, locked=locked)
    assert partition.labels.nunique() == 3


@pytest.mark.parametrize(
    ("households", "band", "says"),
    [
        ([10] * 4, (300, 500), "has 40 households.* a mean of 40, all in one part"),
        ([10] * 11, (40, 50), "has 110 households.* 55 with 2 parts or 36.6667 with 3 parts"),
        ([0] * 9, (30, 50), "has 0 households"),
    ],
)
def test_a_band_that_no_number_of_parts_keeps_is_refused_with_what_can_be(households, band, says):
    frame = squares([(at, 0) for at in range(len(households))], households)
    with pytest.raises(InfeasibleError, match=says):
        partition_atoms(frame, band=band)


def test_heavy_atoms_are_proposed_for_cutting_and_nothing_is_cut():
    frame = grid_frame(10, 5)
    frame.loc[23, "households"] = 100
    partition = partition_atoms(frame, parts=10)
    report = partition.report
    # 149 households in ten parts: 14.9 each, 16.39 with the tolerance of 10 %.
    assert report.proposed_cuts == {frame.loc[23, "atom_id"]: 7}
    assert frame.loc[23, "atom_id"] in report.notes[0]
    assert "+571%" in report.notes[0]
    assert len(partition.labels) == 50
    assert partition_atoms(frame, band=(10, 50)).report.proposed_cuts == {
        frame.loc[23, "atom_id"]: 2
    }


def test_no_part_is_without_households_where_households_allow_it():
    counts = np.zeros(100, dtype=int)
    counts[::4] = 7
    report = partition_atoms(grid_frame(10, 10, counts), parts=25).report
    assert report.parts == report.components == 25
    assert report.households.tolist() == [7] * 25


def test_more_parts_than_atoms_with_households_is_said_plainly():
    counts = [5, 5, 5, 0, 0, 0, 0, 0, 0]
    report = partition_atoms(grid_frame(3, 3, counts), parts=5).report
    assert report.parts == report.components == 5
    assert "only 3 atoms have households, fewer than 5 parts" in report.notes[0]


def test_a_district_without_households_says_that_it_was_divided_by_area():
    assert "by area" in partition_atoms(grid_frame(4, 4, 0), parts=4).report.notes[0]


def test_a_locked_part_that_starves_the_rest_keeps_its_atoms_and_is_named():
    counts = [9] * 8 + [0] * 8
    frame = grid_frame(4, 4, counts)
    locked = dict.fromkeys(frame["atom_id"][:8], 1)
    partition = partition_atoms(frame, parts=3, locked=locked)
    assert {atom: partition.labels[atom] for atom in locked} == locked
    assert partition.report.parts == partition.report.components == 3
    assert "2 of 3 parts hold no households: see the locks" in partition.report.notes


def test_a_ring_round_a_yard_is_one_part_and_the_yard_another():
    frame = grid_frame(3, 3, [1, 1, 1, 1, 8, 1, 1, 1, 1])
    labels = partition_atoms(frame, parts=2).labels
    assert (labels == labels["a001-001"]).sum() == 1


def test_equal_towns_that_do_not_touch_get_as_many_parts_each():
    town = [(column, row) for column in range(4) for row in range(4)]
    frame = squares([(column + 10 * at, row) for at in range(3) for column, row in town])
    partition = partition_atoms(frame, parts=6)
    assert partition.report.components == 6
    assert partition.report.deviation == 0


def test_the_input_is_not_changed():
    frame = grid_frame(4, 4)
    before = frame.copy()
    partition_atoms(frame, parts=3)
    assert frame.equals(before)


def test_an_empty_district_is_divided_by_area():
    report = partition_atoms(grid_frame(4, 4, 0), parts=4).report
    assert report.parts == report.components == 4
    assert report.deviation == 0
    assert report.compactness > 0.6


def test_one_atom_surrounded_by_another_does_not_tear_it():
    ring = shapely.box(0, 0, 300, 300) - shapely.box(100, 100, 200, 200)
    frame = gpd.GeoDataFrame(
        {"atom_id": ["ring", "yard", "east"], "households": [5, 5, 10]},
        geometry=[ring, shapely.box(100, 100, 200, 200), shapely.box(300, 0, 600, 300)],
    )
    labels = partition_atoms(frame, parts=2).labels
    assert labels["ring"] == labels["yard"] != labels["east"]


def test_a_larger_district_is_balanced_closely():
    counts = np.random.default_rng(1).integers(0, 10, 900)
    report = partition_atoms(grid_frame(30, 30, counts), parts=20).report
    assert report.parts == report.components == 20
    assert report.deviation < 0.1
    assert report.compactness > 0.5
