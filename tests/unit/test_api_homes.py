"""Household points of a plan: they place people when atoms are cut, and stay in the office."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from api_service import service
from edit_plans import homes_of
from map_plans import CRS_ZHUZHOU, SIDE, X0, Y0, make_plan

# A third of the first square: 40 households live in it.
CUT = {
    "command": "split", "level": "wei", "cell": "43020101",
    "line": [[X0 + SIDE / 3, Y0 - 50], [X0 + SIDE / 3, Y0 + SIDE + 50]],
}  # fmt: skip


@pytest.fixture(scope="module")
def homes():
    return homes_of(make_plan()).set_crs(CRS_ZHUZHOU).assign(name="张三")


@pytest.fixture
def one(plan_file, tmp_path, homes):
    with service(plan_file, tmp_path, households=homes.to_crs(4326)) as made:
        yield made


@pytest.fixture
def bare(plan_file, tmp_path_factory):
    with service(plan_file, tmp_path_factory.mktemp("bare")) as made:
        yield made


def split(made, verb):
    planner = made.program("planner", ("planner", ""))
    body = {"command": CUT, "places": "metres"}
    return made.write(planner, "POST", verb, body).json()


def counts_of(cells, name):
    """Households of the two parts; the neighbour only got a node."""
    return sorted(
        cell[name] for cell in cells if cell["level"] == "wei" and cell["before"] != cell[name]
    )


def test_an_edit_that_cuts_an_atom_counts_by_the_points(one, homes):
    atoms = one.store.read(one.head).atoms.frame.set_index("atom_id")
    first = homes[homes.intersects(atoms.geometry["a00"])]
    west = int((first.geometry.x < X0 + SIDE / 3).sum())
    tried = split(one, "preview")
    assert counts_of(tried["cells"], "households") == sorted([west, 40 - west])
    told = one.write(one.program("p2", ("planner", "")), "POST", "edits",
                     {"command": CUT, "places": "metres"}).json()["change"]  # fmt: skip
    assert counts_of(told["cells"], "after") == sorted([west, 40 - west])
    assert not any("估算" in note for note in told["notes"])


def test_without_points_the_change_says_that_it_is_estimated(bare):
    told = split(bare, "edits")["change"]
    assert any("户数为估算" in note for note in told["notes"])
    # All stay with the piece that keeps the name.
    assert counts_of(told["cells"], "after") == [0]


def test_points_are_told_in_the_own_area_alone_and_never_kept(one, homes):
    mine = one.program("mine", ("planner", "430201"))
    answer = mine.get(f"{one.at_head}/households")
    body = answer.json()
    held = one.store.read(one.head)
    codes = held.leaf.to_numpy(object)[held.atoms.locate(homes)]
    own = {name for name, code in zip(homes["household_id"], codes, strict=True)
           if code.startswith("430201")}  # fmt: skip
    assert {row["properties"]["household_id"] for row in body["features"]} == own
    assert body["numberMatched"] == body["numberReturned"] == len(own) < len(homes)
    assert answer.headers["cache-control"] == "no-store"
    assert "张三" not in answer.text
    places = gpd.GeoSeries(
        [shapely.Point(row["geometry"]["coordinates"]) for row in body["features"]], crs=4326
    ).to_crs(CRS_ZHUZHOU)
    assert places.distance(homes[homes["household_id"].isin(own)].geometry.reset_index(drop=True)
                           ).max() < 0.2  # fmt: skip


def test_points_come_by_box_and_page(one):
    planner = one.program("planner", ("planner", ""))
    path = f"{one.at_head}/households"
    box = gpd.GeoSeries([shapely.box(X0, Y0, X0 + SIDE, Y0 + SIDE)], crs=CRS_ZHUZHOU).to_crs(4326)
    text = ",".join(map(str, np.round(box.total_bounds, 9)))
    whole = planner.get(path, params={"bbox": text}).json()
    assert whole["numberMatched"] >= 40
    pages = [
        planner.get(path, params={"bbox": text, "limit": 7, "offset": at}).json()["features"]
        for at in range(0, whole["numberMatched"], 7)
    ]
    assert [row for page in pages for row in page] == whole["features"]
    assert planner.get(path, params={"limit": 0}).status_code == 422


def test_points_are_for_those_who_may_see_households(one, bare):
    assert one.nobody.get(f"{one.at_head}/households").status_code in {401, 403}
    viewer = one.program("viewer", ("viewer", ""))
    assert viewer.get(f"{one.at_head}/households").status_code == 403
    planner = bare.program("planner", ("planner", ""))
    answer = planner.get(f"{bare.at_head}/households")
    assert answer.status_code == 404
    assert "没有住户点" in answer.json()["detail"]


def test_the_summary_says_whether_points_are_at_hand(one, bare):
    assert one.nobody.get(one.base).json()["has_households"] is True
    assert bare.nobody.get(bare.base).json()["has_households"] is False
