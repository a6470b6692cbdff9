"""Administrative limits: whole and closed, or reported."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from geogrid.osm import read_osm
from geogrid.osm._scan import Group
from geogrid.osm.limits import assemble_limits

TAGS = {"boundary": "administrative", "admin_level": "8", "name": "东门街道"}


def ring(x, y, size):
    corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    return np.array(corners, dtype=float)


def assemble(members, ways, tags=TAGS):
    (limit,) = assemble_limits([Group(osm_id="r1", tags=tags, members=tuple(members))], ways)
    return limit


def test_open_pieces_close_to_a_ring():
    square = ring(0, 0, 10)
    limit = assemble([(1, "outer"), (2, "")], {1: square[:3], 2: square[:1:-1]})
    assert limit.shape.area == 100
    assert (limit.admin_level, limit.missing, limit.name) == (8, 0, "东门街道")


def test_a_missing_way_is_counted_and_nothing_is_guessed():
    limit = assemble([(1, "outer"), (2, "outer"), (3, "outer")], {1: ring(0, 0, 10)})
    assert limit.shape is None
    assert limit.missing == 2


def test_a_way_with_a_missing_node_counts_as_missing():
    cut = ring(0, 0, 10)
    cut[2] = np.nan
    assert assemble([(1, "outer")], {1: cut}).missing == 1


def test_rings_that_stay_open_are_incomplete_though_no_way_is_missing():
    limit = assemble([(1, "outer")], {1: ring(0, 0, 10)[:4]})
    assert limit.shape is None
    assert limit.missing == 0


def test_a_dangling_way_spoils_a_closed_ring():
    dangle = np.array([(10.0, 10.0), (20.0, 20.0)])
    limit = assemble([(1, "outer"), (2, "outer")], {1: ring(0, 0, 10), 2: dangle})
    assert limit.shape is None


def test_holes_and_islands_in_holes_alternate():
    ways = {1: ring(0, 0, 30), 2: ring(5, 5, 20), 3: ring(10, 10, 5)}
    limit = assemble([(1, "outer"), (2, "inner"), (3, "outer")], ways)
    assert limit.shape.area == 900 - 400 + 25
    assert len(limit.shape.geoms) == 2


def test_holes_that_touch_stay_holes():
    left = np.array([(5, 5), (10, 5), (10, 10), (5, 10), (5, 5)], dtype=float)
    right = np.array([(10, 5), (15, 5), (15, 10), (10, 10), (10, 5)], dtype=float)
    limit = assemble(
        [(1, "outer"), (2, "inner"), (3, "inner")], {1: ring(0, 0, 30), 2: left, 3: right}
    )
    assert limit.shape.area == 900 - 50


def test_a_hole_outside_its_ring_is_refused():
    ways = {1: ring(0, 0, 10), 2: ring(50, 50, 5)}
    assert assemble([(1, "outer"), (2, "inner")], ways).shape is None


def test_two_parts_make_a_multipolygon():
    ways = {1: ring(0, 0, 10), 2: ring(50, 50, 5)}
    assert assemble([(1, "outer"), (2, "outer")], ways).shape.geom_type == "MultiPolygon"


def test_a_relation_without_a_level_is_no_limit():
    group = Group(osm_id="r1", tags={"boundary": "administrative"}, members=((1, "outer"),))
    assert assemble_limits([group], {1: ring(0, 0, 10)}) == ()


@pytest.fixture(scope="module")
def liechtenstein(shared_data):
    return read_osm(shared_data / "osm" / "liechtenstein.osm.pbf").limits


def test_liechtenstein_has_its_size_on_the_ellipsoid(liechtenstein):
    degrees = liechtenstein[liechtenstein["admin_level"] == 2].to_crs(4326)
    area_m2 = Geod(ellps="WGS84").geometry_area_perimeter(degrees.geometry.iloc[0])[0]
    assert degrees["name"].tolist() == ["Liechtenstein"]
    assert abs(area_m2) / 1e6 == pytest.approx(160.4, abs=0.1)


def test_eleven_municipalities_fill_liechtenstein(liechtenstein):
    parts = liechtenstein[liechtenstein["admin_level"] == 8]
    country = liechtenstein[liechtenstein["admin_level"] == 2].geometry.iloc[0]
    assert len(parts) == 11
    assert parts.is_valid.all()
    assert parts.area.sum() == pytest.approx(country.area, rel=1e-9)
    assert parts.union_all().symmetric_difference(country).area < 1


def test_guixi_has_one_whole_street_office_and_names_the_others(shared_data):
    extract = read_osm(shared_data / "osm" / "jiangxi_guixi_2025.osm.pbf")
    incomplete = extract.incomplete_limits.set_index("name")["missing"]
    assert extract.limits["name"].tolist() == ["东门街道"]
    assert incomplete["花园街道"] == 1
    assert extract.incomplete_limits.columns.tolist() == [
        "osm_id",
        "name",
        "admin_level",
        "missing",
    ]
