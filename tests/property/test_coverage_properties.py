"""What must hold of every division and of every planted defect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cover_cases import board, findings
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_coverage

coordinate = st.integers(0, 100_000).map(lambda mm: mm / 1000)
lines = st.lists(
    st.tuples(coordinate, coordinate, coordinate, coordinate).filter(lambda v: v[:2] != v[2:]),
    min_size=1,
    max_size=8,
).map(lambda rows: gpd.GeoSeries([LineString([row[:2], row[2:]]) for row in rows]))
middle = st.integers(40_000, 60_000).map(lambda mm: mm / 1000)
# One of the lines crosses every district, so that there are neighbours.
crossed = st.tuples(lines, middle, middle).map(
    lambda row: gpd.GeoSeries([LineString([(0, row[1]), (100, row[2])]), *row[0]])
)
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


@given(limits(), crossed, st.integers(0, 10_000))
def test_a_lost_cell_is_found_with_its_area(limit, barriers, pick):
    cells, noded, _ = cells_of(limit, barriers)
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


# A planted defect is named exactly: its kind, its cells and its area


@dataclass(frozen=True)
class Planted:
    """Cells by code with one defect in them, and what a check must say of it."""

    shapes: dict[str, object]
    limit: object
    kind: str
    cells: frozenset[str]
    area_m2: float

    def check(self, change=lambda shape: shape):
        """Judge the cells; ``change`` is done to every shape, the limit included."""
        frame = gpd.GeoDataFrame(
            {"code": list(self.shapes)}, geometry=[change(one) for one in self.shapes.values()]
        )
        return verify_coverage(frame, change(self.limit), limit_is_noded=True)


def edges_of(shape):
    return [pair for ring in rings_of(shape) for pair in pairwise(ring)]


def rings_of(shape):
    parts = shapely.get_parts(shape)
    return [list(ring.coords) for one in parts for ring in (one.exterior, *one.interiors)]


def with_tip(shape, edge, tip):
    """A polygon with one more vertex between the ends of an edge."""
    rings = []
    for ring in rings_of(shape):
        at = [number for number, pair in enumerate(pairwise(ring)) if set(pair) == set(edge)]
        rings.append([*ring[: at[0] + 1], tip, *ring[at[0] + 1 :]] if at else ring)
    return Polygon(rings[0], rings[1:])


def tip_of(edge, height):
    """A lattice point so far to the left of the middle of an edge, or right if negative."""
    one, other = np.array(edge)
    along = other - one
    left = np.array([-along[1], along[0]]) / np.hypot(*along)
    return tuple(np.round((one + other) / 2 + height * left, 3).tolist())


def small_inside(shape):
    """A triangle of lattice points well inside a polygon."""
    circle = shapely.maximum_inscribed_circle(shape)
    centre, radius = np.array(circle.coords[0]), circle.length
    assume(radius > 0.2)
    corners = centre + radius / 2 * np.array([[1, 0], [-0.5, 0.8], [-0.5, -0.8]])
    return Polygon(np.round(corners, 3))


def wide_edges(shape, among):
    """Edges of at least half a metre, those of the wanted kind, longest first."""
    wanted = [pair for pair in edges_of(shape) if frozenset(pair) in among]
    long = [pair for pair in wanted if Point(pair[0]).distance(Point(pair[1])) > 0.5]
    return sorted(long, key=lambda pair: (-Point(pair[0]).distance(Point(pair[1])), pair))


def hole(shapes, limit, first):
    gap = small_inside(shapes[first])
    rings = rings_of(shapes[first])
    holed = Polygon(rings[0], [*rings[1:], gap.exterior.coords])
    return Planted({**shapes, first: holed}, limit, "gap", frozenset({first}), gap.area)


def lobe(shapes, limit, first):
    """One cell bulges over another: into it, and nowhere else."""
    others = {
        frozenset(pair): code
        for code, shape in shapes.items()
        if code != first
        for pair in edges_of(shape)
    }
    edges = wide_edges(shapes[first], others)
    assume(edges)
    second = others[frozenset(edges[0])]
    for height in (-0.1, 0.1):
        bulge = Polygon([*edges[0], tip_of(edges[0], height)])
        if shapely.covers(shapes[second], bulge):
            grown = with_tip(shapes[first], edges[0], tip_of(edges[0], height))
            pair = frozenset({first, second})
            return Planted({**shapes, first: grown}, limit, "overlap", pair, bulge.area)
    return assume(False)  # noqa: FBT003 - a case to throw away


def at_limit(shapes, limit, first, *, kind):
    edges = wide_edges(shapes[first], {frozenset(pair) for pair in edges_of(limit)})
    assume(edges)
    for height in (-0.1, 0.1):
        tip = tip_of(edges[0], height)
        bulge = Polygon([*edges[0], tip])
        is_out = shapely.intersection(limit, bulge).area < 1e-9
        if (kind == "outside" and is_out) or (
            kind == "inside_short" and shapely.contains(shapes[first], bulge)
        ):
            moved = with_tip(shapes[first], edges[0], tip)
            assume(moved.is_valid)
            near = {code for code, one in shapes.items() if shapely.distance(one, bulge) == 0}
            cells = frozenset({first} if kind == "outside" else near)
            return Planted({**shapes, first: moved}, limit, kind, cells, bulge.area)
    return assume(False)  # noqa: FBT003 - a case to throw away


def spill(shapes, limit, first):
    return at_limit(shapes, limit, first, kind="outside")


def notch(shapes, limit, first):
    return at_limit(shapes, limit, first, kind="inside_short")


def twin(shapes, limit, first):
    both = {**shapes, "twin": shapes[first].reverse()}
    return Planted(both, limit, "duplicate", frozenset({first, "twin"}), shapes[first].area)


def guest(shapes, limit, first):
    inner = small_inside(shapes[first])
    both = {**shapes, "guest": inner}
    return Planted(both, limit, "nested", frozenset({first, "guest"}), inner.area)


def stranger(shapes, limit, first):
    east = limit.bounds[2] + 10
    away = shapely.box(east, 0, east + 3, 2)
    return Planted({**shapes, first + "x": away}, limit, "outside", frozenset({first + "x"}), 6.0)


PLANTS = (hole, lobe, spill, notch, twin, guest, stranger)


@st.composite
def planted(draw, plants=PLANTS):
    """A district cut by random lines with one defect in one of its larger cells."""
    cells, noded, _ = cells_of(draw(limits()), draw(crossed))
    order = np.argsort(-cells.geometry.area.to_numpy(), kind="stable")
    first = cells["code"].iloc[order[draw(st.integers(0, 2)) % len(order)]]
    shapes = dict(zip(cells["code"].astype(str), cells.geometry, strict=True))
    assume(shapes[str(first)].area > 1)
    return draw(st.sampled_from(plants))(shapes, noded, str(first))


def named(report):
    """Kinds and cells of the findings, without their areas."""
    rows = zip(report.defects["kind"], report.defects["cells"], strict=True)
    return sorted((kind, tuple(sorted(cells))) for kind, cells in rows)


@pytest.mark.parametrize("plant", PLANTS)
@given(data=st.data())
def test_a_planted_defect_is_named_exactly(plant, data):
    case = data.draw(planted((plant,)))
    report = case.check()
    defect = report.defects.iloc[0]
    assert len(report.defects) == 1
    assert defect["kind"] == case.kind
    assert frozenset(defect["cells"]) == case.cells
    assert abs(defect["area_m2"] - case.area_m2) < 1e-6
    assert not report.is_proven
    assert report.certificate.levels[0].uncancelled > 0


@given(st.integers(2, 5), st.integers(2, 5), st.data())
def test_a_vertex_on_a_neighbours_edge_is_named_with_its_place(columns, rows, data):
    squares = board(columns, rows)
    limit = shapely.segmentize(shapely.union_all(squares), 10)
    first = data.draw(st.integers(0, len(squares) - 1))
    column, row = first % columns, first // columns
    east = column + 1 < columns
    assume(east or row + 1 < rows)
    second = first + 1 if east else first + columns
    corner = np.array([column + east, row + (not east)]) * 10
    place = corner + np.array([0, 1] if east else [1, 0]) * data.draw(st.integers(1, 9_999)) / 1000
    edge = (tuple(corner), tuple(corner + np.array([0, 10] if east else [10, 0])))
    squares[first] = with_tip(squares[first], edge, tuple(place))
    report = verify_coverage(gpd.GeoDataFrame(geometry=squares), limit, limit_is_noded=True)
    codes = tuple(sorted(map(str, (first + 1, second + 1))))
    assert findings(report) == [("unmatched_edge", codes, 0)]
    assert shapely.equals_exact(report.defects.geometry.iloc[0], Point(place), 1e-9)
    assert report.is_proven
    assert not report.is_sound


@given(st.integers(2, 5), st.integers(2, 5), st.data())
def test_a_cell_in_two_pieces_is_named_and_a_district_in_two_is_not(columns, rows, data):
    squares = board(columns, rows)
    first = data.draw(st.integers(0, len(squares) - 1))
    apart = [
        number
        for number, square in enumerate(squares)
        if shapely.intersection(square, squares[first]).length == 0
    ]
    second = data.draw(st.sampled_from(apart))
    both = MultiPolygon([squares[first], squares[second]])
    rest = [one for number, one in enumerate(squares) if number not in {first, second}]
    limit = shapely.segmentize(shapely.union_all(squares), 10)
    report = verify_coverage(gpd.GeoDataFrame(geometry=[both, *rest]), limit)
    assert findings(report) == [("multipart", ("1",), 200)]
    assert report.is_proven
    assert verify_coverage(gpd.GeoDataFrame(geometry=[both]), both).is_sound


@given(limits(), lines)
def test_a_sound_coverage_has_nothing_to_say_about(limit, barriers):
    cells, noded, _ = cells_of(limit, barriers)
    report = verify_coverage(cells, noded, limit_is_noded=True)
    assert report.defects.empty
    assert report.notes == ()
    report.raise_for_defects()
    # Without a limit nobody knows that its hole is meant.
    filled = shapely.area(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(noded))))
    alone = verify_coverage(cells)
    assert set(alone.defects["kind"]) <= {"gap"}
    assert abs(alone.defects["area_m2"].sum() - (filled.sum() - noded.area)) < 1e-6


@given(planted(), st.randoms(use_true_random=False))
def test_order_start_and_direction_of_rings_change_no_finding(case, random):
    codes = list(case.shapes)
    random.shuffle(codes)
    shuffled = replace(case, shapes={code: case.shapes[code] for code in codes})
    before, after = case.check(), shuffled.check(lambda shape: turned(shape, random))
    assert findings(after) == findings(before)
    assert after.certificate == before.certificate
    assert sorted(after.defects["width_m"]) == pytest.approx(
        sorted(before.defects["width_m"]), rel=1e-6
    )


def turned(shape, random):
    """The same ground with other ring starts, directions and orders of holes and parts."""
    parts = []
    for one in shapely.get_parts(shape):
        rings = [spun(ring.coords, random) for ring in (one.exterior, *one.interiors)]
        holes = rings[1:]
        random.shuffle(holes)
        parts.append(Polygon(rings[0], holes))
    random.shuffle(parts)
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def spun(coordinates, random):
    ring = list(coordinates)[:-1]
    start = random.randrange(len(ring))
    ring = ring[start:] + ring[:start]
    return ring[::-1] if random.random() < 0.5 else ring


@given(planted(), st.sampled_from([(39_500_000.0, 3_076_603.0), (-7_000_000.001, 9_999_999.999)]))
def test_a_defect_is_the_same_far_from_the_origin(case, offset):
    def moved(shape):
        return shapely.transform(shape, lambda xy: np.round(xy + offset, 3))

    here, there = case.check(), case.check(moved)
    assert named(there) == named(here)
    # Doubles that far out are some nanometres apart, along a border of some hundred metres.
    assert sorted(there.defects["area_m2"]) == pytest.approx(
        sorted(here.defects["area_m2"]), abs=1e-5
    )
    one, other = here.certificate.levels[0], there.certificate.levels[0]
    assert (one.twice_area_mm2, one.uncancelled) == (other.twice_area_mm2, other.uncancelled)


@given(planted((hole, lobe, spill, twin, guest, stranger)), st.sampled_from([2, 3, 10, 1000]))
def test_areas_grow_with_the_square_of_the_scale(case, factor):
    def scaled(shape):
        return shapely.transform(shape, lambda xy: np.round(xy * factor, 3))

    here, there = case.check(), case.check(scaled)
    assert named(there) == named(here)
    for column, growth in (("area_m2", factor**2), ("width_m", factor)):
        assert sorted(there.defects[column]) == pytest.approx(
            sorted(here.defects[column] * growth), rel=1e-6
        )
    one, other = here.certificate.levels[0], there.certificate.levels[0]
    assert other.twice_area_mm2 == one.twice_area_mm2 * factor**2


@given(planted(), planted())
def test_two_districts_side_by_side_have_the_findings_of_both(west, east):
    def moved(shape):
        return shapely.transform(shape, lambda xy: np.round(xy + np.array([1_000.0, 0.0]), 3))

    parts = [*shapely.get_parts(west.limit), *shapely.get_parts(moved(east.limit))]
    shapes = {f"w{code}": shape for code, shape in west.shapes.items()}
    shapes |= {f"e{code}": moved(shape) for code, shape in east.shapes.items()}
    both = replace(west, shapes=shapes, limit=MultiPolygon(parts)).check()
    apart = [
        (kind, tuple(sorted(side + code for code in cells)), area)
        for side, case in (("w", west), ("e", east))
        for kind, cells, area in findings(case.check())
    ]
    assert [one[:2] for one in findings(both)] == [one[:2] for one in sorted(apart)]
    assert [one[2] for one in findings(both)] == pytest.approx(
        [one[2] for one in sorted(apart)], abs=1e-5
    )
