"""What must hold of every mending."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import cell_frames

from geogrid.coverage import verify_coverage
from geogrid.repair import POLICIES, repair_coverage

LIMIT = shapely.box(0, 0, 1000, 1000)
policies = st.sampled_from([policy for policy in POLICIES if policy != "ask"])
shifts = st.tuples(st.integers(-9_000, 9_000), st.integers(-9_000, 9_000))
offsets = st.sampled_from([(0.0, 0.0), (500_000.0, 3_400_000.0), (39_500_000.0, 3_076_603.0)])


@st.composite
def broken_covers(draw):
    """Cells of which one to three were moved, shrunk or grown by up to nine metres."""
    frame = draw(cell_frames())
    shapes = round_mm(frame.geometry.to_numpy())
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(shapes) - 1))
        shapes[row] = draw(st.sampled_from([moved, buffered]))(shapes[row], *draw(shifts))
    assume(not shapely.is_empty(shapes).any() and shapely.is_valid(shapes).all())
    assume((shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all())
    codes = [f"c{number:02d}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, "households": frame["households"]}, geometry=shapes)


def round_mm(shapes):
    return shapely.transform(shapes, lambda xy: np.round(xy, 3))


def moved(shape, east_mm, north_mm):
    return round_mm(shapely.transform(shape, lambda xy: xy + np.array([east_mm, north_mm]) / 1000))


def buffered(shape, by_mm, _):
    return round_mm(shapely.buffer(shape, by_mm / 1000, join_style="mitre", mitre_limit=2))


def bits(frame):
    return shapely.to_wkb(frame.geometry.to_numpy()).tolist()


@given(cell_frames(), offsets)
def test_a_sound_cover_is_handed_back_bit_for_bit(frame, offset):
    shapes = shapely.transform(
        round_mm(frame.geometry.to_numpy()), lambda xy: np.round(xy + offset, 3)
    )
    cells = gpd.GeoDataFrame({"code": frame["atom_id"]}, geometry=shapes)
    limit = shapely.transform(LIMIT, lambda xy: xy + offset)
    assume(verify_coverage(cells, limit).is_sound)
    repair = repair_coverage(cells, limit)
    assert bits(repair.cells) == bits(cells)
    assert repair.changes.empty


@given(broken_covers(), policies)
def test_a_mended_cover_is_sound_and_no_cell_is_lost(cells, policy):
    repair = repair_coverage(cells, LIMIT, policy=policy)
    assert repair.cells["code"].tolist() == cells["code"].tolist()
    assert not repair.cells.is_empty.any()
    if repair.conflicts.empty:
        assert repair.report.is_sound, repair.report.defects
        assert abs(repair.cells.area.sum() - LIMIT.area) < 1e-3


@given(broken_covers(), policies)
def test_mending_twice_is_mending_once(cells, policy):
    once = repair_coverage(cells, LIMIT, policy=policy)
    twice = repair_coverage(once.cells, LIMIT, policy=policy)
    assert bits(twice.cells) == bits(once.cells)
    assert twice.changes.empty


@given(broken_covers(), policies, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(cells, policy, random):
    rows = list(range(len(cells)))
    random.shuffle(rows)
    straight = repair_coverage(cells, LIMIT, policy=policy)
    shuffled = repair_coverage(cells.iloc[rows], LIMIT, policy=policy)
    back = shuffled.cells.sort_values("code").geometry.to_numpy()
    assert shapely.equals(back, straight.cells.geometry.to_numpy()).all()


@given(broken_covers(), st.integers(0, 100))
def test_locked_cells_never_change(cells, pick):
    code = cells["code"].iloc[pick % len(cells)]
    repair = repair_coverage(cells, LIMIT, locked=[code])
    row = cells["code"].tolist().index(code)
    assert bits(repair.cells)[row] == bits(cells)[row]
    if repair.conflicts.empty:
        assert repair.report.is_sound


@given(broken_covers())
def test_asking_never_changes_anything(cells):
    repair = repair_coverage(cells, LIMIT, policy="ask")
    assert bits(repair.cells) == bits(cells)
    assert repair.changes["what"].isin(["ask_gap", "ask_overlap"]).all()


@given(broken_covers())
def test_a_cell_away_from_every_defect_stays_bit_for_bit(cells):
    repair = repair_coverage(cells, LIMIT)
    # The check is a second opinion on where the defects are.
    defects = verify_coverage(cells, LIMIT).defects
    before, after = bits(cells), bits(repair.cells)
    places = defects.geometry.to_numpy()
    for row, shape in enumerate(cells.geometry):
        if before[row] != after[row]:
            assert shapely.dwithin(shape, places, 0.01).any()
