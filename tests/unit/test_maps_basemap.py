"""The extract's own lines as a base map."""

from __future__ import annotations

import numpy as np
from map_plans import CRS_ZHUZHOU, make_extract, make_plan

from geogrid.maps.basemap import MARGIN_M, base_layers, street_classes


def drawn():
    return base_layers(make_extract(), make_plan().atoms.limit, CRS_ZHUZHOU)


def test_streets_are_drawn_by_class_and_tunnels_are_not():
    base = drawn()
    assert {name: len(lines) for name, lines in base["streets"].items()} == {
        "path": 1, "minor": 0, "medium": 0, "major": 1,
    }  # fmt: skip
    assert len(base["rails"]) == len(base["rivers"]) == len(base["waters"]) == 1
    assert len(base["buildings"]) == 2


def test_links_belong_to_their_street_and_the_unknown_is_a_path():
    tags = np.array(["primary_link", "tertiary", "residential", "steps", "corridor"])
    assert street_classes(tags).tolist() == ["major", "medium", "minor", "path", "path"]


def test_only_the_surroundings_are_drawn():
    (steps,) = drawn()["streets"]["major"]
    lon = np.cumsum(np.reshape(steps, (-1, 2)), axis=0)[:, 0] / 1e6
    metres = (lon.max() - lon.min()) * 111_320 * np.cos(np.radians(27.8))
    assert abs(metres - (800 + 2 * MARGIN_M)) < 10


def test_a_street_is_named_once_along_its_run():
    ((name, lon, lat, angle, drawn_as),) = drawn()["names"]
    assert (name, drawn_as) == ("建设南路", "major")
    assert abs(angle) <= 1
    assert 113 < lon < 114
    assert 27 < lat < 28


def test_an_extract_in_another_frame_lands_at_the_same_place():
    extract = make_extract()
    moved = base_layers(extract, make_plan().atoms.limit, CRS_ZHUZHOU)
    limit = make_plan(crs=CRS_ZHUZHOU).cells("zong").to_crs(4548).union_all()
    other = base_layers(extract, limit, 4548)
    assert [len(other[key]) for key in ("rails", "waters", "buildings")] == [
        len(moved[key]) for key in ("rails", "waters", "buildings")
    ]


def test_a_district_without_names_has_none():
    extract = make_extract()
    extract.streets["name"] = ""
    assert base_layers(extract, make_plan().atoms.limit, CRS_ZHUZHOU)["names"] == []
