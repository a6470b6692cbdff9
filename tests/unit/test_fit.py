"""Cells give way so that the lists inside them keep their band."""

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from strategies import grid_frame

from geogrid.divide import divide
from geogrid.divide._allot import allot, crowd
from geogrid.divide._fit import Groups, fit_groups
from geogrid.divide._problem import build_problem, pieces
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

LIN = HouseholdBand(low=5, high=15, is_hard=True)
SCHEME = Scheme(
    key="lin",
    title="",
    levels=(
        Level(key="zu", name="组"),
        Level(key="lin", name="邻", contract=Contract.ROSTER, band=LIN),
    ),
)


def problem_of(households, columns):
    rows = len(households) // columns
    frame = grid_frame(columns, rows, households)
    return build_problem(Atoms.from_frame(frame))[0]


def fitted(problem, cell, count, *, apart=None, frozen=None, band=None):
    n = problem.n
    return fit_groups(
        problem, np.asarray(cell),
        apart=np.zeros(n, dtype=np.int64) if apart is None else np.asarray(apart),
        frozen=np.zeros(n, dtype=bool) if frozen is None else np.asarray(frozen),
        band=band, groups=Groups(band=LIN, count=count),
    )  # fmt: skip


# A street of six atoms in two cells, of 31 and 29 households: five groups, though four would do.
STREET = [10, 20, 1, 9, 10, 10]
HALVES = [0, 0, 0, 1, 1, 1]


def test_an_atom_changes_cells_where_that_saves_a_group():
    done = fitted(problem_of(STREET, 6), HALVES, 4)
    assert done.label.tolist() == [0, 0, 1, 1, 1, 1]
    assert (done.least, done.most) == (4, 12)


def test_nothing_moves_where_the_number_can_be_had():
    for count in (5, 11, None):
        assert fitted(problem_of(STREET, 6), HALVES, count).label.tolist() == HALVES


def test_a_cell_too_small_for_any_list_is_filled_up():
    done = fitted(problem_of([10, 10, 10, 3], 4), [0, 0, 0, 1], None)
    assert np.bincount(done.label, [10, 10, 10, 3]).min() >= 5


def test_atoms_change_cells_where_more_groups_are_wanted():
    done = fitted(problem_of([9, 5, 1, 5], 4), [0, 0, 1, 1], 4)
    assert done.most == 4


def test_frozen_atoms_and_cells_apart_stay():
    problem = problem_of(STREET, 6)
    assert fitted(problem, HALVES, 4, frozen=[True] * 6).label.tolist() == HALVES
    assert fitted(problem, HALVES, 4, apart=HALVES).label.tolist() == HALVES
    # A cell that holds atoms of two kinds is closed as well.
    assert fitted(problem, HALVES, 4, apart=[0, 0, 0, 0, 0, 1]).label.tolist() == HALVES


def test_no_cell_leaves_its_own_band_for_the_lists_below():
    band = HouseholdBand(low=29, high=29)
    assert fitted(problem_of(STREET, 6), HALVES, 4, band=band).label.tolist() == HALVES


@given(
    households=st.lists(st.integers(0, 20), min_size=16, max_size=16),
    cut=st.integers(1, 3),
    count=st.integers(1, 40),
)
def test_cells_stay_whole_and_the_number_never_gets_farther_away(households, cut, count):
    problem = problem_of(households, 4)
    cell = np.repeat(np.arange(4), 4) // cut
    before = fitted(problem, cell, None, frozen=[True] * 16)
    done = fitted(problem, cell, count)
    assert np.unique(done.label).tolist() == np.unique(cell).tolist()
    assert len(np.unique(pieces(problem, done.label))) == len(np.unique(cell))
    if count < before.least:
        assert done.least <= before.least
    held = np.bincount(done.label, problem.weight)
    assert done.least == sum(-(-int(one) // 15) for one in held)


def test_a_division_gives_way_to_the_number_of_its_lists():
    points, homes = grid_frame(12, 1, 0).geometry.centroid, []
    for point, held in zip(points, [5, 9, 5, 8, 5, 8, 7, 9, 7, 9, 9, 8], strict=True):
        homes += [shapely.Point(point.x + at, point.y) for at in range(held)]
    households = gpd.GeoDataFrame(geometry=homes)
    atoms = Atoms.from_frame(grid_frame(12, 1, 0))
    plan = divide(None, atoms, SCHEME, households=households, counts={"zu": 3, "lin": 7})
    assert plan.members("lin").groupby("code")["households"].sum().between(5, 15).all()
    assert not plan.notes


def test_what_cannot_be_had_is_said_with_what_can_and_why():
    homes = [shapely.Point(100 * column + 20 + at, 50) for column in range(3) for at in range(16)]
    households = gpd.GeoDataFrame(geometry=homes)
    atoms = Atoms.from_frame(grid_frame(3, 1, 0))
    plan = divide(None, atoms, SCHEME, households=households, counts={"zu": 3, "lin": 4})
    assert len(set(plan.members("lin")["code"])) == 4
    why = next(note for note in plan.notes if "one atom" in note)
    assert "3 of 3 cells of level zu" in why
    assert "6 to 9 would" in why


@given(
    mass=st.lists(st.integers(1, 90), min_size=1, max_size=12),
    share=st.floats(0, 1, allow_nan=False),
)
def test_groups_too_few_overflow_no_more_than_by_largest_remainder(mass, share):
    held = np.array(mass, dtype=float)
    least = np.ones(len(mass), dtype=np.int64)
    most = np.ceil(held / 15).astype(np.int64)
    parts = len(mass) + int(share * (most.sum() - len(mass)))
    found = crowd(held, parts, least=least, most=most, high=15)
    assert found.sum() == parts
    assert ((found >= least) & (found <= most)).all()
    plain = allot(held, parts, least=least, most=most)

    def missed(shares):
        return int((shares < most).sum())

    if parts >= most.sum() - int((most > 1).sum()):
        over = [np.maximum(held - 15 * one, 0).sum() for one in (found, plain)]
        assert over[0] <= over[1]
        assert missed(found) == most.sum() - parts
