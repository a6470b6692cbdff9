"""Which lines of a map are borders on the ground."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from pyproj import CRS
from shapely import LineString, box

from geogrid.atoms import barriers_of
from geogrid.model.extract import OsmExtract
from geogrid.model.source import Source

UTM = CRS.from_epsg(32650)


def table(rows, **columns):
    """Tables of an extract: ``rows`` are geometries, every column one value or a list."""
    return gpd.GeoDataFrame({"name": "", **columns}, geometry=rows, crs=UTM, index=range(len(rows)))


def extract(*, streets=None, rails=None, waters=None, walls=None):
    nothing = table([])
    return OsmExtract(
        streets=streets if streets is not None else street([]),
        rails=rails if rails is not None else rail([]),
        waters=waters if waters is not None else water([], "river"),
        walls=walls if walls is not None else table([], wall=pd.Series([], dtype="str")),
        buildings=nothing, limits=nothing, pois=nothing, incomplete_limits=pd.DataFrame(),
        box=box(0, 0, 1, 1), crs=UTM, source=Source(role="osm", name="test"),
    )  # fmt: skip


def street(rows, highway="residential", *, is_tunnel=False, is_bridge=False):
    return table(rows, highway=highway, is_tunnel=is_tunnel, is_bridge=is_bridge)


def rail(rows, railway="rail", service="", *, is_tunnel=False):
    return table(rows, railway=railway, service=service, is_tunnel=is_tunnel, is_bridge=False)


def water(rows, kind, *, is_tunnel=False):
    return table(rows, water=kind, is_tunnel=is_tunnel)


def line(length=300.0):
    return LineString([(0, 0), (length, 0)])


def kinds(**tables):
    return barriers_of(extract(**tables))["kind"].tolist()


@pytest.mark.parametrize(
    ("highway", "kind"),
    [
        ("motorway", ["arterial"]),
        ("secondary_link", ["arterial"]),
        ("residential", ["street"]),
        ("pedestrian", ["street"]),
        ("service", ["lane"]),
        ("footway", []),
        ("cycleway", []),
        ("track", []),
    ],
)
def test_streets_are_borders_by_class(highway, kind):
    assert kinds(streets=street([line()], highway)) == kind


def test_tunnels_and_viaducts_are_no_borders_on_the_ground():
    assert kinds(streets=street([line()], is_tunnel=True)) == []
    assert kinds(streets=street([line(30)], is_tunnel=True)) == []
    assert kinds(streets=street([line(400)], is_bridge=True)) == []
    assert kinds(rails=rail([line()], is_tunnel=True)) == []
    assert kinds(waters=water([line()], "river", is_tunnel=True)) == []


def test_a_street_goes_on_over_a_short_bridge():
    assert kinds(streets=street([line(25)], is_bridge=True)) == ["street"]


def test_yards_and_trams_are_no_borders():
    assert kinds(rails=rail([line()])) == ["rail"]
    assert kinds(rails=rail([line()], service="yard")) == []
    assert kinds(rails=rail([line()], "tram")) == []


def test_a_lake_has_a_shore_and_a_river_area_has_its_line():
    lake, pond = box(0, 0, 100, 100), box(200, 0, 220, 20)
    assert kinds(waters=water([lake, pond], "water")) == ["water"]
    both = water([box(0, -20, 300, 20), line()], ["water", "river"])
    assert kinds(waters=both) == ["river"]


def test_walls_and_named_compounds_are_borders_and_gates_are_not():
    walls = table(
        [line(), box(0, 0, 50, 50), LineString([(0, 0), (1, 1)])], wall=["wall", "compound", "gate"]
    )
    found = barriers_of(extract(walls=walls))
    assert found["kind"].tolist() == ["wall", "compound"]
    assert found.geometry.geom_type.tolist() == ["LineString", "LineString"]


def test_a_map_without_any_barrier_gives_an_empty_table():
    found = barriers_of(extract())
    assert found.empty
    assert list(found.columns) == ["kind", "name", "geometry"]
