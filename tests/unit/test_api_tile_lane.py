"""The short way of ready tiles: the same answers as the route, and nobody else's tiles."""

from __future__ import annotations

import pytest
from api_service import service
from map_plans import make_plan
from tile_cases import tile_at

from geogrid.api import belongings, desk
from geogrid.front.lane import TileLane
from geogrid.io.plan_file import write_plan


@pytest.fixture(autouse=True)
def _heads_are_known_for_long(monkeypatch):
    """However slow the machine, what was found out once is at hand."""
    monkeypatch.setattr(desk, "_HEAD_S", 1e6)
    monkeypatch.setattr(belongings, "_LOOK_S", 1e6)


@pytest.fixture
def one(tmp_path):
    with service(write_plan(make_plan(), tmp_path / "plan.gpkg"), tmp_path) as running:
        yield running


@pytest.fixture
def taken(monkeypatch):
    """Whether each tile was answered the short way."""
    ways = []
    plain = TileLane.ready

    def watched(lane, scope):
        found = plain(lane, scope)
        ways.append(found is not None)
        return found

    # Which way it went shows nowhere else.
    monkeypatch.setattr(TileLane, "ready", watched)
    return ways


def tile_of(one):
    """The path of a tile of the middle of the plan."""
    west, south, east, north = one.nobody.get(f"{one.at_head}/tiles.json").json()["bounds"]
    column, row = tile_at((west + east) / 2, (south + north) / 2, 14)
    return f"14/{column}/{row}.mvt"


def facts(answer):
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize("version", ["head", "named"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "known"}, {"If-None-Match": '"old"'}])
def test_a_ready_tile_is_answered_as_by_the_route(one, taken, version, headers):
    named = one.head if version == "named" else "head"
    path = f"{one.base}/versions/{named}/tiles/cells/{tile_of(one)}"
    first = one.nobody.get(path)
    assert first.status_code == 200
    sent = {key: value.replace("known", first.headers["etag"]) for key, value in headers.items()}
    by_lane = one.nobody.get(path, headers=sent)
    # A key of nobody's would be refused: any other word sends it the long way.
    by_route = one.nobody.get(path, headers=sent | {"Authorization": "none"})
    assert taken == [False, True, False]
    assert facts(by_lane) == facts(by_route)


def test_an_empty_tile_is_answered_as_by_the_route(one, taken):
    path = f"{one.at_head}/tiles/cells/14/0/0.mvt"
    first, second = one.nobody.get(path), one.nobody.get(path)
    assert taken == [False, True]
    assert facts(first) == facts(second)
    assert second.status_code == 204


def test_what_is_not_plainly_ready_goes_the_long_way(one, taken):
    path = f"{one.at_head}/tiles/cells/{tile_of(one)}"
    one.nobody.get(path)
    taken.clear()
    plain = one.nobody.get(path, headers={"Accept-Encoding": "identity"})
    assert plain.status_code == 200
    assert "content-encoding" not in plain.headers
    assert one.nobody.get(path, headers={"Cookie": "geogrid_session=x"}).status_code == 200
    assert one.nobody.get(f"{one.base}/versions/other/tiles/cells/1/0/0.mvt").status_code == 403
    assert one.nobody.get(f"{one.at_head}/tiles/homes/1/0/0.mvt").status_code == 404
    assert one.nobody.get(f"{one.at_head}/tiles/cells/17/0/0.mvt").status_code == 422
    assert one.nobody.get("/api/v1/plans/none/versions/head/tiles/cells/1/0/0.mvt").status_code == (
        404
    )
    assert not any(taken)


def test_who_must_sign_in_gets_no_ready_tile(tmp_path, taken):
    file = write_plan(make_plan(), tmp_path / "plan.gpkg")
    with service(file, tmp_path, has_anonymous_viewing=False) as one:
        planner = one.program("planner", ("planner", ""))
        path = f"{one.at_head}/tiles/cells/14/0/0.mvt"
        assert planner.get(path).status_code == 204
        assert one.nobody.get(path).status_code == 401
    assert not any(taken)


def test_a_tile_after_an_edit_is_that_of_the_new_version(one, taken):
    path = f"{one.at_head}/tiles/cells/{tile_of(one)}"
    before = one.nobody.get(path)
    planner = one.program("planner", ("planner", ""))
    assert one.edit(
        planner, command="merge", level="wei", cells=["43020101", "43020103"]
    ).is_success
    for _ in range(2):
        after = one.nobody.get(path)
        assert after.headers["etag"] == f'"{one.head}"'
        assert after.content != before.content
    assert taken[-1]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "none"}])
def test_a_tile_that_an_edit_did_not_touch_is_the_one_that_browsers_have(one, taken, headers):
    touched = f"{one.at_head}/tiles/cells/{tile_of(one)}"
    one.nobody.get(touched)
    elsewhere = f"{one.at_head}/tiles/cells/14/0/0.mvt"
    known = one.nobody.get(elsewhere).headers["etag"]
    before = one.head
    planner = one.program("planner", ("planner", ""))
    assert one.edit(
        planner, command="merge", level="wei", cells=["43020101", "43020103"]
    ).is_success
    assert one.head != before
    for _ in range(2):
        again = one.nobody.get(elsewhere, headers=headers | {"If-None-Match": known})
        assert again.status_code == 304
    assert taken[-1] is (not headers)
    assert one.nobody.get(touched, headers=headers | {"If-None-Match": known}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "none"}])
def test_tiles_that_are_at_hand_hardly_count_as_requests(tmp_path, headers):
    file = write_plan(make_plan(), tmp_path / "plan.gpkg")
    with service(file, tmp_path, requests_a_minute=6) as one:
        path = f"{one.base}/versions/{one.head}/tiles/cells/14/0/0.mvt"
        tag = one.nobody.get(path).headers["etag"]
        asked = [headers, headers | {"If-None-Match": tag}] * 10
        found = [one.nobody.get(path, headers=sent).status_code for sent in asked]
        assert found == [204, 304] * 10
        # Tiles that have to be made count as much as everything else.
        others = [path.replace("/0/0.", f"/{8 * at}/8.") for at in range(12)]
        made = [one.nobody.get(other).status_code for other in others]
        assert made[0] == 204
        assert made[-1] == 429
