"""What must hold of every division and of every planted defect."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage

coordinate = st.integers(0, 100_000).map(lambda mm: mm / 1000)
lines = st.lists(
    st.tuples(coordinate, coordinate, coordinate, coordinate).filter(lambda v: v[:2] != v[2:]),
    min_size=1,
    max_size=8,
).map(lambda rows: gpd.GeoSeries([LineString([row[:2], row[2:]]) for row in rows]))
offsets = st.sampled_from([(0.0, 0.0), (500_000.0, 3_400_000.0), (39_500_000.0, 3_076_603.0)])


@st.composite
def limits(draw):
    """Concave districts, some with a hole."""
    count = draw(st.integers(5, 9))
    radii = draw(st.lists(st.floats(20, 50), min_size=count, max_size=count))
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    xy = np.column_stack((np.cos(angles), np.sin(angles))) * np.array(radii)[:, None] + 50
    shape = Polygon(np.round(xy, 3))
    if draw(st.booleans()):
        shape = shape.difference(Polygon([(47, 47), (53.25, 48), (52, 53.125)]))
    assume(shape.is_valid)
    return shape


def cells_of(limit, barriers, offset=(0.0, 0.0)):
    moved = shapely.transform(limit, lambda xy: xy + offset)
    lines_there = barriers.translate(*offset)
    atoms = build_atoms(moved, lines_there, min_area_m2=0)
    return atoms.frame.rename(columns={"atom_id": "code"}), atoms.limit, moved


@given(limits(), lines, offsets)
def test_atoms_always_cover_their_limit(limit, barriers, offset):
    cells, noded, given_limit = cells_of(limit, barriers, offset)
    report = verify_coverage(cells, noded, limit_is_noded=True)
    assert report.is_sound
    assert abs(cells.area.sum() - noded.area) < 1e-6
    assert verify_coverage(cells, given_limit).is_proven


@given(limits(), lines, st.randoms(use_true_random=False))
def test_order_start_and_direction_of_rings_change_nothing(limit, barriers, random):
    cells, noded, _ = cells_of(limit, barriers)
    rows = list(range(len(cells)))
    random.shuffle(rows)
    turned = cells.iloc[rows].reset_index(drop=True)
    turned = turned.set_geometry(turned.geometry.map(lambda shape: turn(shape, random)))
    assert verify_coverage(turned, noded).certificate == verify_coverage(cells, noded).certificate


def turn(shape, random):
    ring = list(shape.exterior.coords)[:-1]
    start = random.randrange(len(ring))
    ring = ring[start:] + ring[:start]
    if random.random() < 0.5:
        ring.reverse()
    return Polygon(ring, [hole.coords for hole in shape.interiors])


@given(limits(), lines, st.integers(0, 10_000))
def test_a_lost_cell_is_found_with_its_area(limit, barriers, pick):
    cells, noded, _ = cells_of(limit, barriers)
    assume(len(cells) > 1)
    lost = cells.iloc[pick % len(cells)]
    report = verify_coverage(cells[cells["code"] != lost["code"]], noded)
    assert not report.is_proven
    areas = report.defects.loc[report.defects["kind"].isin(["gap", "inside_short"]), "area_m2"]
    tiny = report.defects.loc[report.defects["kind"] == "unmatched_edge", "area_m2"].sum()
    assert abs(areas.sum() + tiny - lost.geometry.area) < 1e-6


@given(limits(), lines, st.integers(0, 10_000))
def test_a_doubled_cell_is_named(limit, barriers, pick):
    cells, noded, _ = cells_of(limit, barriers)
    twin = cells.iloc[[pick % len(cells)]].assign(code="twin")
    assume(twin.geometry.iloc[0].area > 1)
    both = gpd.GeoDataFrame(gpd.pd.concat([cells, twin], ignore_index=True))
    report = verify_coverage(both, noded)
    assert report.defects["kind"].tolist() == ["duplicate"]
    assert "twin" in report.defects["cells"].iloc[0]


@given(limits(), lines, st.integers(0, 10_000), st.integers(1, 400))
def test_a_spill_over_the_limit_is_measured(limit, barriers, pick, size_mm):
    cells, noded, _ = cells_of(limit, barriers)
    ring = shapely.get_coordinates(noded)
    corner = Point(ring[pick % len(ring)])
    spike = corner.buffer(size_mm / 100, quad_segs=2)
    row = int(np.argmin(shapely.distance(cells.geometry.to_numpy(), corner)))
    grown = shapely.set_precision(cells.geometry.iloc[row].union(spike), 0.001)
    assume(grown.geom_type == "Polygon")
    shapes = cells.geometry.to_numpy().copy()
    shapes[row] = shapely.transform(grown, lambda xy: np.round(xy, 3))
    report = verify_coverage(cells.set_geometry(shapes), noded)
    spilled = report.defects.loc[report.defects["kind"] == "outside", "area_m2"].sum()
    truth = shapely.union_all(shapes).difference(noded).area
    assert not report.is_proven
    assert abs(spilled - truth) < 1e-3 + 0.002 * noded.length


@given(limits(), lines, st.integers(0, 10_000), st.sampled_from([(0.001, 0), (0, -0.001)]))
def test_a_vertex_moved_by_a_millimetre_is_never_proven(limit, barriers, pick, step):
    cells, noded, _ = cells_of(limit, barriers)
    row = pick % len(cells)
    ring = shapely.get_coordinates(cells.geometry.iloc[row].exterior)[:-1]
    ring[pick % len(ring)] += step
    moved = Polygon(np.round(ring, 3), [h.coords for h in cells.geometry.iloc[row].interiors])
    assume(moved.is_valid)
    shapes = cells.geometry.to_numpy().copy()
    assume(not moved.equals(shapes[row]))
    shapes[row] = moved
    report = verify_coverage(cells.set_geometry(shapes), noded, limit_is_noded=True)
    assert not report.certificate.is_proof
    # A limit that may give way hides no more than it says, and always less than a millimetre.
    loose = verify_coverage(cells.set_geometry(shapes), noded).certificate
    assert not loose.is_proof or 0 < loose.limit_shift_mm < 1
