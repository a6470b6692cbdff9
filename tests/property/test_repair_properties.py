"""What must hold of every mending."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import assume, event, given
from hypothesis import strategies as st
from strategies import cell_frames

from geogrid.coverage import verify_coverage
from geogrid.planar.edges import dissolve
from geogrid.planar.noding import as_multipolygon
from geogrid.repair import POLICIES, repair_coverage

SIDE_M = 1000
LIMIT = shapely.box(0, 0, SIDE_M, SIDE_M)
KEPT_ASIDE = {"duplicate", "nested", "outside"}
policies = st.sampled_from([policy for policy in POLICIES if policy != "ask"])
steps = st.integers(-9_000, 9_000)
shifts = st.tuples(steps, steps)
offsets = st.sampled_from([(0.0, 0.0), (500_000.0, 3_400_000.0), (39_500_000.0, 3_076_603.0)])


@dataclass(frozen=True)
class Case:
    """Broken cells, what they should cover, who is locked, and what was planted."""

    cells: gpd.GeoDataFrame
    limit: shapely.MultiPolygon
    policy: str
    locked: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()

    def mend(self, cells=None):
        cells = self.cells if cells is None else cells
        return repair_coverage(cells, self.limit, policy=self.policy, locked=self.locked)


def round_mm(shapes):
    return shapely.transform(shapes, lambda xy: np.round(xy, 3))


def moved(shape, east_mm, north_mm):
    return round_mm(shapely.transform(shape, lambda xy: xy + np.array([east_mm, north_mm]) / 1000))


def buffered(shape, by_mm, _):
    return round_mm(shapely.buffer(shape, by_mm / 1000, join_style="mitre", mitre_limit=2))


def holed(shape, by_mm, across_mm):
    """Cut a hole, or a bay, round an inner point."""
    x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
    wide, high = abs(by_mm) / 1000 + 0.01, abs(across_mm) / 1000 + 0.01
    return round_mm(shape.difference(shapely.box(x - wide, y - high, x + wide, y + high)))


def bent(shape, by_mm, across_mm):
    """Give the first edge a vertex that its neighbour does not have."""
    ring = shapely.get_coordinates(shapely.get_exterior_ring(shape))
    middle = (ring[0] + ring[1]) / 2 + np.array([by_mm, across_mm]) / 1e5
    return round_mm(shapely.Polygon(np.insert(ring, 1, middle, axis=0)))


def is_polygon(shape):
    return isinstance(shape, shapely.Polygon) and shape.is_valid and not shape.is_empty


def bits(frame):
    return shapely.to_wkb(frame.geometry.to_numpy()).tolist()


def broken(draw, shapes, makers=(moved, buffered, holed, bent)):
    """Break one to three cells; what would no longer be one polygon stays."""
    shapes = shapes.copy()
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(shapes) - 1))
        worse = draw(st.sampled_from(makers))(shapes[row], *draw(shifts))
        shapes[row] = worse if is_polygon(worse) else shapes[row]
    return shapes


def covered(shapes):
    return as_multipolygon(dissolve(shapes, np.zeros(len(shapes), dtype=np.int64))[0])


@st.composite
def sound_covers(draw):
    """Cells of one or two islands, one of them perhaps with a hole, and their limit."""
    shapes = round_mm(draw(cell_frames()).geometry.to_numpy())
    if draw(st.booleans()):
        other = round_mm(draw(cell_frames()).geometry.to_numpy())
        away = np.array([SIDE_M + draw(st.integers(1, 20_000)) / 1000, 0.0])
        shapes = np.append(shapes, shapely.transform(other, lambda xy: np.round(xy + away, 3)))
    if len(shapes) > 3 and draw(st.booleans()):
        shapes = np.delete(shapes, draw(st.integers(0, len(shapes) - 1)))
    assume(all(is_polygon(shape) for shape in shapes))
    assume(shapely.coverage_is_valid(shapes))
    limit = covered(shapes)
    assume(limit.is_valid and verify_coverage(gpd.GeoSeries(shapes), limit).is_sound)
    return shapes, limit


@st.composite
def other_limits(draw, limit):
    """A limit drawn by somebody else: moved, grown, or with bent edges."""
    make = draw(st.sampled_from([moved, buffered, bent]))
    bodies = [make(body, *draw(shifts)) for body in shapely.get_parts(limit)]
    other = as_multipolygon(shapely.union_all(bodies))
    return other if other.is_valid and not other.is_empty else limit


@st.composite
def cases(draw, *, plants=True, locks=True):
    """Broken cells of every kind at once."""
    shapes, limit = draw(sound_covers())
    shapes = broken(draw, shapes)
    count = len(shapes)
    if draw(st.booleans()):
        limit = draw(other_limits(limit))
    codes = [f"c{number:02d}" for number in range(count)]
    planted = []
    for kind in draw(st.lists(st.sampled_from(["duplicate", "nested"]), max_size=2)) * plants:
        host = shapes[draw(st.integers(0, count - 1))]
        if host.area > 10:
            planted.append(f"{kind}{len(planted)}")
            shapes = np.append(shapes, host if kind == "duplicate" else shrunk(host))
    east, north = draw(offsets)
    far = np.array([east, north])
    shapes = shapely.transform(shapes, lambda xy: np.round(xy + far, 3))
    limit = shapely.transform(limit, lambda xy: np.round(xy + far, 3))
    assume(limit.is_valid and shapely.is_valid(shapes).all())
    households = draw(st.lists(st.integers(0, 50), min_size=len(shapes), max_size=len(shapes)))
    frame = gpd.GeoDataFrame({"code": codes + planted, "households": households}, geometry=shapes)
    locked = draw(st.lists(st.sampled_from(codes), max_size=2, unique=True)) if locks else []
    return Case(frame, limit, draw(policies), tuple(locked), tuple(planted))


def shrunk(host):
    """Return a third of a cell about an inner point, or the cell itself where that leaves it."""
    centre = shapely.get_coordinates(shapely.point_on_surface(host))[0]
    small = round_mm(shapely.transform(host, lambda xy: centre + (xy - centre) / 3))
    return small if is_polygon(small) and host.contains_properly(small) else host


@given(sound_covers(), offsets, policies)
def test_a_sound_cover_is_handed_back_bit_for_bit(cover, offset, policy):
    shapes, limit = (
        shapely.transform(shape, lambda xy: np.round(xy + offset, 3)) for shape in cover
    )
    cells = gpd.GeoDataFrame({"households": 1}, index=range(len(shapes)), geometry=shapes)
    assume(verify_coverage(cells, limit).is_sound)
    repair = repair_coverage(cells, limit, policy=policy)
    assert bits(repair.cells) == bits(cells)
    assert repair.changes.empty
    assert repair.conflicts.empty


@given(cases(locks=False))
def test_a_mended_cover_is_sound_but_for_cells_without_ground_of_their_own(case):
    repair = case.mend()
    assert repair.cells["code"].tolist() == case.cells["code"].tolist()
    assert not repair.cells.is_empty.any()
    assert set(repair.conflicts["kind"]) <= KEPT_ASIDE
    aside = set(repair.conflicts["cell"])
    event(f"{len(aside)} cells kept aside")
    rest = repair.cells[~repair.cells["code"].isin(aside)]
    report = verify_coverage(rest, case.limit)
    assert report.is_sound, report.defects.to_string()
    before, after = bits(case.cells), bits(repair.cells)
    for row, code in enumerate(case.cells["code"]):
        assert code not in aside or before[row] == after[row]


@given(cases(locks=False))
def test_planted_duplicates_and_nested_cells_are_named(case):
    assume(case.planted)
    repair = case.mend()
    named = {code for cells in repair.conflicts["cells"] for code in cells}
    assert set(case.planted) <= named


@given(cases())
def test_mending_twice_is_mending_once(case):
    once = case.mend()
    twice = case.mend(once.cells)
    assert bits(twice.cells) == bits(once.cells)
    assert twice.changes.empty, twice.changes.to_string()


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(case, random):
    rows = list(range(len(case.cells)))
    random.shuffle(rows)
    assume("duplicate" not in "".join(case.planted))
    straight = case.mend()
    shuffled = case.mend(case.cells.iloc[rows])
    back = shuffled.cells.sort_index().geometry.to_numpy()
    assert shapely.equals(back, straight.cells.geometry.to_numpy()).all()


@given(cases())
def test_locked_cells_never_change_and_what_they_keep_open_is_named(case):
    repair = case.mend()
    before, after = bits(case.cells), bits(repair.cells)
    for row, code in enumerate(case.cells["code"]):
        assert code not in case.locked or before[row] == after[row]
    places = repair.conflicts.geometry.to_numpy()
    for defect in repair.report.defects.itertuples():
        assert shapely.dwithin(defect.geometry, places, 0.002).any(), defect
    if repair.conflicts.empty:
        assert repair.report.is_sound


@given(cases())
def test_asking_never_changes_anything(case):
    repair = repair_coverage(case.cells, case.limit, policy="ask", locked=case.locked)
    assert bits(repair.cells) == bits(case.cells)
    assert repair.changes["what"].isin(["ask_gap", "ask_overlap"]).all()


@given(cases())
def test_a_cell_away_from_every_defect_stays_bit_for_bit(case):
    repair = case.mend()
    # The check is a second opinion on where the defects are.
    defects = verify_coverage(case.cells, case.limit).defects
    before, after = bits(case.cells), bits(repair.cells)
    places = defects.geometry.to_numpy()
    for row, shape in enumerate(case.cells.geometry):
        if before[row] != after[row]:
            assert shapely.dwithin(shape, places, 0.01).any()


@given(cases(plants=False))
def test_the_log_accounts_for_all_ground_that_was_lost_and_found(case):
    repair = case.mend()
    assume(repair.conflicts.empty)
    areas = repair.changes.groupby("what")["area_m2"].sum()
    united = shapely.union_all(case.cells.geometry.to_numpy())
    found = areas.reindex(["gap_filled", "extended_to_limit", "missing_cell_filled"]).sum()
    # Borders are noded on the millimetre lattice, so areas agree to a millimetre along them.
    slack = 0.002 * shapely.length(case.cells.geometry.to_numpy()).sum()
    assert abs(found - case.limit.difference(united).area) < slack
