"""What holds of tiles for any coverage."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from tile_cases import (
    BUFFER,
    EXTENT,
    as_units,
    cell_table,
    coverages,
    loose_edges,
    read,
    shapes_in,
    source_of,
    tiles_of,
    wound_lattice,
)

from geogrid.planar.edges import dissolve
from geogrid.tiles import TileSet, cell_source
from geogrid.tiles._arcs import importance
from geogrid.tiles._wire import varints, zigzag

ZOOMS = st.integers(10, 16)


def length_of(shapes):
    return shapely.length(shapely.union_all(shapes))


@given(coverages(), ZOOMS)
def test_neighbours_share_their_borders_vertex_for_vertex_in_every_tile(coverage, zoom):
    source = source_of(coverage, zoom)
    assume(not source.shapes(zoom).is_mended.any())
    frame = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
    for x, y in tiles_of(source, zoom):
        shapes = shapes_in(read(source.encode(zoom, x, y)))
        if not len(shapes):
            continue
        whole = shapely.union_all(shapes)
        assert whole.area == pytest.approx(shapely.area(shapes).sum(), abs=1e-6)
        rim = whole.boundary.difference(frame.boundary)
        walked = sum(np.hypot(*np.subtract(*edge)) for edge in loose_edges(shapes))
        assert walked == pytest.approx(rim.length, abs=1e-6)


@given(coverages(), ZOOMS)
def test_the_tiles_of_a_zoom_together_cover_the_plan_and_nothing_else(coverage, zoom):
    cells, groups = coverage
    source = source_of(coverage, zoom)
    square = shapely.box(0, 0, EXTENT, EXTENT)
    found = []
    for x, y in tiles_of(source, zoom):
        shapes = shapely.intersection(shapes_in(read(source.encode(zoom, x, y))), square)
        found.extend(
            shapely.transform(shapes, lambda xy, x=x, y=y: np.add(xy, (x * EXTENT, y * EXTENT)))
        )
    wanted = shapely.union_all(as_units(dissolve(cells, groups), zoom))
    missed = wanted.symmetric_difference(shapely.union_all(found))
    # Rounding, dropped vertices, and the least square of a cell that is too small.
    assert missed.difference(wanted.boundary.buffer(5)).area == pytest.approx(0, abs=1e-3)


@given(coverages(), ZOOMS)
def test_every_cell_is_in_some_tile_sound_and_wound_as_the_specification_wants(coverage, zoom):
    source = source_of(coverage, zoom)
    seen = set()
    for x, y in tiles_of(source, zoom):
        features = read(source.layer(zoom, x, y))
        shapes = shapes_in(features)
        assert shapely.is_valid(shapes).all(), shapely.is_valid_reason(shapes)
        parts = shapely.get_parts(shapes)
        # With y pointing down, what is clockwise to the eye has a positive area.
        assert shapely.is_ccw(shapely.get_exterior_ring(parts)).all()
        holes = [ring for part in parts for ring in part.interiors]
        assert not shapely.is_ccw(holes).any()
        seen |= {one["id"] for one in features}
    assert seen == set(source.ids.tolist())


@given(coverages(), ZOOMS)
def test_each_cell_has_its_area_but_for_rounding_along_its_border(coverage, zoom):
    cells, groups = coverage
    whole = as_units(dissolve(cells, groups), zoom)
    source = source_of(coverage, zoom)
    shapes = source.shapes(zoom)
    assume(not shapes.is_mended.any())
    drawn = {int(id_): 0.0 for id_ in source.ids}
    square = shapely.box(0, 0, EXTENT, EXTENT)
    for x, y in tiles_of(source, zoom):
        for one in read(source.encode(zoom, x, y)):
            (part,) = shapes_in([one])
            drawn[one["id"]] += shapely.intersection(part, square).area
    for code, shape in enumerate(whole):
        error = abs(drawn[int(f"430181{code:06d}")] - shape.area)
        assert error <= 2 * shape.length + 4


@given(coverages(), ZOOMS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_byte(coverage, zoom, random):
    cells, groups = coverage
    table = cell_table(dissolve(cells, groups))
    order = list(range(len(table)))
    random.shuffle(order)
    one = cell_source("wei", table, zooms=(zoom, zoom))
    other = cell_source("wei", table.iloc[order], zooms=(zoom, zoom))
    for x, y in tiles_of(one, zoom):
        assert one.encode(zoom, x, y) == other.encode(zoom, x, y)


@given(coverages(), st.data())
def test_a_tile_that_an_edit_does_not_touch_keeps_its_bytes(coverage, data):
    cells, groups = coverage
    count = len(groups)
    moved = groups.copy()
    moved[data.draw(st.integers(0, count - 1))] = data.draw(st.integers(0, count))
    names, after = np.unique(moved, return_inverse=True)
    before = TileSet({"cells": (cell_source("wei", coded(cells, groups), zooms=(13, 16)),)})
    newer = TileSet({"cells": (cell_source("wei", coded(cells, after, names), zooms=(13, 16)),)})
    touched = newer.touched_since(before)
    (source,) = before.groups["cells"]
    for zoom in range(13, 17):
        listed = set(touched.tiles("cells", zoom))
        for x, y in tiles_of(source, zoom):
            assert touched.has("cells", zoom, x, y) == ((x, y) in listed)
            if (x, y) not in listed:
                assert before.encode("cells", zoom, x, y) == newer.encode("cells", zoom, x, y)


@given(coverages(most=18), st.data())
def test_a_source_that_follows_an_older_one_is_what_it_would_be_without(coverage, data):
    cells, groups = coverage
    moved = groups.copy()
    for _ in range(data.draw(st.integers(0, 2))):
        moved[data.draw(st.integers(0, len(groups) - 1))] = data.draw(st.integers(0, len(groups)))
    names, after = np.unique(moved, return_inverse=True)
    zooms = data.draw(st.sampled_from([(9, 11), (12, 14), (15, 16)]))
    older = cell_source("wei", coded(cells, groups), zooms=zooms)
    older.prepare()
    table = coded(cells, after, names)
    fresh = cell_source("wei", table, zooms=zooms)
    newer = cell_source("wei", table, zooms=zooms, older=older)
    assert "_ground" not in vars(newer)
    for zoom in range(zooms[0], zooms[1] + 1):
        one, other = fresh.shapes(zoom), newer.shapes(zoom)
        assert (one.boxes == other.boxes).all()
        assert (one.is_mended == other.is_mended).all()
        assert (one.flat.vertices == other.flat.vertices).all()
        assert (one.flat.xy == other.flat.xy).all()
        assert (one.flat.is_hole == other.flat.is_hole).all()
        x, y = (int(value) // EXTENT for value in one.boxes[0, :2])
        assert fresh.encode(zoom, x, y) == newer.encode(zoom, x, y)


def coded(cells, groups, names=None):
    codes = np.arange(groups.max() + 1) if names is None else names
    return cell_table(dissolve(cells, groups), codes=[f"4301{code:03d}" for code in codes])


@given(st.lists(st.integers(-(2**62), 2**62)))
def test_numbers_are_written_as_protocol_buffers_write_them(values):
    def plain(value):
        value = 2 * value if value >= 0 else -2 * value - 1
        found = []
        while value > 127:
            found.append(value & 127 | 128)
            value >>= 7
        return bytes([*found, value])

    data, counts = varints(zigzag(np.array(values, dtype=np.int64)))
    wanted = [plain(value) for value in values]
    assert data.tobytes() == b"".join(wanted)
    assert counts.tolist() == [len(one) for one in wanted]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=3, max_size=30, unique=True
    ),
    st.floats(0.1, 20),
)
def test_a_line_keeps_what_douglas_and_peucker_keep_in_either_direction(points, tolerance):
    xy = np.array(points, dtype=np.int64)

    def kept(low, high):
        if high - low < 2:
            return []
        line = shapely.LineString(xy[[low, high]])
        away = shapely.distance(shapely.points(xy[low + 1 : high]), line)
        at = low + 1 + int(np.argmax(away > away.max() - 1e-9))
        return [*kept(low, at), at, *kept(at, high)] if away.max() > tolerance else []

    place, length = np.arange(len(xy)), np.array([len(xy)])
    found = importance(place, xy, length, is_closed=False)
    assert (importance(place[::-1], xy, length, is_closed=False) == found).all()
    assert np.flatnonzero(found > tolerance).tolist() == [0, *kept(0, len(xy) - 1), len(xy) - 1]


def test_a_district_of_its_true_size_needs_no_mending_where_its_cells_are_shown():
    source = cell_source("wei", cell_table(wound_lattice(30, wander=0.01)), zooms=(12, 16))
    assert not any(source.shapes(zoom).is_mended.any() for zoom in range(12, 17))


@given(st.integers(3, 40), st.integers(0, 10_000), st.integers(1, 39))
def test_where_a_lonely_ring_begins_does_not_matter(count, seed, turn):
    rng = np.random.default_rng(seed)
    xy = np.unique(rng.integers(0, 99, (count, 2)), axis=0)
    place, length = rng.permutation(len(xy)), np.array([len(xy)])
    found = importance(place, xy, length, is_closed=True)
    assert (importance(np.roll(place, turn), xy, length, is_closed=True) == found).all()
    assert (importance(place[::-1], xy, length, is_closed=True) == found).all()
