"""Versions: what is stored comes back, only what is new is written, nobody is overwritten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import pairwise
from threading import Barrier

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS
from sqlalchemy import text
from store_plans import city_plan, cut, moved, renamed, rich_plan, square_plan

from geogrid.coverage import verify_plan
from geogrid.errors import CoverageError, NotStoredError, StaleVersionError, StoreError
from geogrid.store import open_store
from geogrid.store._commit import prepare
from geogrid.store._snapshot import load


def bits(shapes):
    return list(shapely.to_wkb(np.asarray(shapes, dtype=object)))


def count(store, table):
    with store.database.reading() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()  # noqa: S608 - our own tables


def commit(store, plan_id, expected, plan, branch="main", **more):
    return store.commit(plan_id, branch, expected, plan, author="甲", message="改", **more)


def assert_same(one, other):
    """Two plans are equal to the bit."""
    assert asdict(replace(one.district, limit=None, crs=None)) == asdict(
        replace(other.district, limit=None, crs=None)
    )
    assert one.district.crs == other.district.crs
    assert one.scheme == other.scheme
    assert one.sources == other.sources
    assert one.certificate == other.certificate
    assert (one.version, one.parent_version) == (other.version, other.parent_version)
    assert one.notes == other.notes
    for left, right in (
        (one.atoms.limit, other.atoms.limit),
        (one.district.limit, other.district.limit),
    ):
        assert bits([left]) == bits([right])
    pd.testing.assert_frame_equal(one.labels, other.labels)
    pd.testing.assert_frame_equal(one.cell_table, other.cell_table)
    pd.testing.assert_frame_equal(one.code_history, other.code_history)
    pd.testing.assert_frame_equal(one.atoms.cut_buildings, other.atoms.cut_buildings)
    assert set(one.rosters) == set(other.rosters)
    for key, roster in one.rosters.items():
        pd.testing.assert_frame_equal(roster, other.rosters[key])
    assert_same_map(one.atoms.frame, other.atoms.frame)
    assert (one.atoms.barriers is None) == (other.atoms.barriers is None)
    if one.atoms.barriers is not None:
        assert_same_map(one.atoms.barriers, other.atoms.barriers)
    for level in one.scheme.area_levels:
        assert_same_map(one.cells(level.key), other.cells(level.key))


def assert_same_map(one, other):
    assert one.crs == other.crs
    assert bits(one.geometry) == bits(other.geometry)
    pd.testing.assert_frame_equal(
        pd.DataFrame(one.drop(columns="geometry")), pd.DataFrame(other.drop(columns="geometry"))
    )


@pytest.mark.parametrize("crs", [CRS.from_epsg(4547), CRS.from_epsg(32635), None])
def test_a_version_comes_back_to_the_bit_after_a_restart(address, crs):
    plan = rich_plan(crs=crs)
    proven = replace(plan, certificate=verify_plan(plan).certificate)
    with open_store(address) as store:
        project = store.create_project("调整", actor="甲")
        entry = store.create_plan(project.id, "方案", actor="甲")
        made = commit(store, entry.id, None, proven)
    with open_store(address) as store:
        assert_same(store.read(made.id), proven)
        assert store.version(made.id) == made
        assert made.certificate == proven.certificate
        assert store.recheck(made.id)


def test_a_plan_without_certificate_gets_the_one_that_was_proven(store, plan_id):
    made = commit(store, plan_id, None, square_plan())
    assert made.certificate == verify_plan(square_plan()).certificate
    assert store.read(made.id).certificate == made.certificate
    assert not made.is_draft
    assert made.defects == ()


def test_polygons_of_levels_that_promise_households_come_back(store, plan_id):
    plan = rich_plan()
    boxes = shapely.buffer(
        shapely.centroid(plan.atoms.frame.geometry.to_numpy()[:2]), 5, quad_segs=1
    )
    shapes = gpd.GeoSeries(boxes, index=pd.Index(["0101A", "0102A"], name="code", dtype="str"))
    drawn = replace(plan, shapes={"lin": shapes.set_crs(plan.district.crs)})
    made = commit(store, plan_id, None, drawn, allow_draft=True)
    back = store.read(made.id)
    assert bits(back.shapes["lin"]) == bits(boxes)
    assert back.shapes["lin"].index.equals(drawn.shapes["lin"].index)
    assert store.cells(made.id, "lin")["households"].tolist() == [10, 17]


def test_an_edit_of_two_cells_writes_only_what_changed(store, plan_id):
    first = commit(store, plan_id, None, city_plan(48, 40))
    before = {name: count(store, name) for name in ("page", "cell", "span")}
    assert before["page"] > 15
    plan = store.read(first.id)
    edited = moved(plan, 300)
    second = commit(store, plan_id, first.id, edited)
    # One page of labels and the meta data with the certificate.
    assert count(store, "page") - before["page"] == 2
    assert count(store, "cell") - before["cell"] == 2
    assert count(store, "span") - before["span"] == 2
    assert store.diff(first.id, second.id).levels["micro"].redrawn == (
        *sorted({plan.labels["micro"].iloc[300], edited.labels["micro"].iloc[300]}),
    )
    assert_same(store.read(first.id), plan)


def test_a_cut_atom_leaves_the_other_pages_as_they_are(store, plan_id):
    first = commit(store, plan_id, None, square_plan(60, 60))
    before = count(store, "page")
    plan = store.read(first.id)
    second = commit(store, plan_id, first.id, cut(plan, 1000))
    with store.database.reading() as connection:
        assert len(load(connection, second.id).tables["atoms"].stops) >= 3
    assert count(store, "page") - before <= 2 * 7 + 1
    assert len(store.read(second.id).atoms.frame) == 3601
    assert store.recheck(second.id)


def test_going_back_stores_no_cell_again(store, plan_id):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    second = commit(store, plan_id, first.id, moved(plan, 9))
    cells = count(store, "cell")
    third = commit(store, plan_id, second.id, plan)
    assert count(store, "cell") == cells
    assert store.diff(first.id, third.id).levels == {}
    assert_same(store.read(third.id), plan)


def test_a_stale_commit_says_which_cells_changed_and_stores_nothing(store, plan_id):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    second = commit(store, plan_id, first.id, moved(plan, 9))
    with pytest.raises(StaleVersionError, match=r"micro: 2.*read it again") as caught:
        commit(store, plan_id, first.id, renamed(plan, plan.labels["micro"].iloc[0], "新名"))
    assert (caught.value.expected, caught.value.current) == (first.id, second.id)
    assert caught.value.changed == {"micro": store.diff(first.id, second.id).levels["micro"].codes}
    assert [one.id for one in store.history(plan_id)] == [second.id, first.id]
    with pytest.raises(StaleVersionError, match="none"):
        commit(store, plan_id, None, plan)


def test_a_merge_is_asked_for_base_ours_and_theirs(store, plan_id):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    theirs = commit(store, plan_id, first.id, moved(plan, 9))
    ours = renamed(plan, plan.labels["micro"].iloc[40], "新名")
    asked = []

    def merge(base, mine, others):
        asked.append((base, mine, others))
        return replace(others, cell_table=mine.cell_table, certificate=None)

    made = commit(store, plan_id, first.id, ours, merge=merge)
    assert len(asked) == 1
    assert asked[0][0] is store.read(first.id)
    assert asked[0][1] is ours
    assert (made.parent_id, made.merged_id) == (theirs.id, first.id)
    assert "新名" in store.read(made.id).cell_table["name"].tolist()
    assert store.diff(theirs.id, made.id).levels["micro"].renamed == (
        plan.labels["micro"].iloc[40],
    )


@pytest.mark.parametrize("is_merging", [False, True])
def test_of_two_commits_at_the_same_moment_one_is_told_or_merged(
    store, plan_id, monkeypatch, is_merging
):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    both = Barrier(2, timeout=60)
    waiting = [True, True]

    def prepare_together(*args, **more):
        ready = prepare(*args, **more)
        if waiting:
            waiting.pop()
            both.wait()
        return ready

    def take_both(_, mine, theirs):
        return replace(mine, cell_table=theirs.cell_table, certificate=None)

    monkeypatch.setattr("geogrid.store.store.prepare", prepare_together)

    def attempt(edited):
        try:
            return commit(store, plan_id, first.id, edited, merge=take_both if is_merging else None)
        except StaleVersionError as error:
            return error

    edits = [renamed(plan, "0101", "新名"), moved(plan, 9)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(attempt, edits))
    stale = [one for one in answers if isinstance(one, StaleVersionError)]
    history = store.history(plan_id)
    assert len(stale) == (0 if is_merging else 1)
    assert [one.number for one in history] == ([3, 2, 1] if is_merging else [2, 1])
    assert all(older.id == newer.parent_id for newer, older in pairwise(history))
    assert all(store.recheck(one.id) for one in history)
    if stale:
        assert stale[0].current == history[0].id
        assert stale[0].changed


def test_what_cannot_be_merged_is_told(store, plan_id):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    commit(store, plan_id, first.id, moved(plan, 9))
    with pytest.raises(StaleVersionError) as caught:
        commit(store, plan_id, first.id, moved(plan, 10), merge=lambda *_: ["micro", "0000"])
    assert caught.value.conflict == ["micro", "0000"]
    assert len(store.history(plan_id)) == 2


def spanning(plan):
    """A plan with a micro cell that lies in two communities."""
    codes = plan.labels["micro"].to_numpy(object).copy()
    codes[4] = codes[3]
    column = pd.Series(codes, index=plan.labels.index, dtype="str")
    return replace(plan, labels=plan.labels.assign(micro=column), certificate=None)


@pytest.mark.parametrize("is_first", [True, False])
def test_an_unproven_plan_is_refused_or_kept_as_a_draft_with_its_defects(store, plan_id, is_first):
    start = None if is_first else commit(store, plan_id, None, square_plan()).id
    plan = square_plan() if is_first else store.read(start)
    with pytest.raises(CoverageError, match=r"spans_parents.*store it as a draft"):
        commit(store, plan_id, start, spanning(plan))
    made = commit(store, plan_id, start, spanning(plan), allow_draft=True)
    assert made.is_draft
    assert [one["kind"] for one in made.defects] == ["spans_parents"]
    assert made.defects[0]["cells"] == [plan.labels["micro"].iloc[3]]
    assert store.read(made.id).certificate is None
    assert store.recheck(made.id)
    repaired = commit(store, plan_id, made.id, replace(plan, certificate=None))
    assert not repaired.is_draft
    assert repaired.defects == ()


def test_a_certificate_of_another_plan_is_refused(store, plan_id):
    plan = square_plan()
    other = moved(plan, 9)
    wrong = replace(plan, certificate=verify_plan(other).certificate)
    with pytest.raises(CoverageError, match="not that of its cells"):
        commit(store, plan_id, None, wrong)
    first = commit(store, plan_id, None, plan)
    proven = verify_plan(other).certificate
    level = replace(proven.levels[-1], digest="0" * 64)
    forged = replace(other, certificate=replace(proven, levels=(*proven.levels[:-1], level)))
    with pytest.raises(CoverageError, match="not that of its cells"):
        commit(store, plan_id, first.id, forged, allow_draft=True)
    assert len(store.history(plan_id)) == 1
    assert count(store, "version") == 1


def test_lists_of_households_are_marked(store, plan_id):
    made = commit(store, plan_id, None, rich_plan())
    assert made.holds_people
    with store.database.reading() as connection:
        rows = connection.execute(text("SELECT is_personal, data FROM page")).all()
    for is_personal, data in rows:
        assert bool(is_personal) == (bytes(data)[:1] == b"p")
        assert is_personal or b'"h1"' not in bytes(data)
    assert any(is_personal for is_personal, _ in rows)
    assert not commit(store, plan_id, made.id, replace(rich_plan(), rosters={})).holds_people


def test_branches_go_their_own_ways(store, plan_id):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    branch = store.create_branch(plan_id, "乙", from_version=first.id, actor="乙")
    assert branch.head == first.id
    ours = commit(store, plan_id, first.id, moved(plan, 9))
    theirs = commit(store, plan_id, first.id, moved(plan, 30), branch="乙")
    assert store.branch(plan_id).head == ours.id
    assert store.branch(plan_id, "乙").head == theirs.id
    assert [one.number for one in store.history(plan_id)] == [3, 2, 1]
    assert [one.id for one in store.history(plan_id, "乙")] == [theirs.id, first.id]
    for made in (ours, theirs):
        own = store.read(made.id).cells("micro")
        found = store.cells(made.id, "micro")
        assert bits(found.geometry) == bits(own.geometry)
        assert store.recheck(made.id)
    both = {*store.diff(ours.id, theirs.id).levels["micro"].codes}
    assert both == {
        *store.diff(first.id, ours.id).levels["micro"].codes,
        *store.diff(first.id, theirs.id).levels["micro"].codes,
    }
    with pytest.raises(StoreError, match="has a branch"):
        store.create_branch(plan_id, "乙", from_version=ours.id, actor="乙")


def test_a_diff_tells_cells_apart_by_what_happened_to_them(store, plan_id):
    first = commit(store, plan_id, None, square_plan())
    plan = store.read(first.id)
    codes = plan.labels["micro"].to_numpy(object).copy()
    lost, grown = codes[0], codes[8]
    codes[codes == lost] = grown
    labels = plan.labels.assign(micro=pd.Series(codes, index=plan.labels.index, dtype="str"))
    table = plan.cell_table.drop(index=lost)
    table.loc["0101", "head"] = "王"
    after = commit(
        store, plan_id, first.id, replace(plan, labels=labels, cell_table=table, certificate=None)
    )
    diff = store.diff(first.id, after.id)
    assert diff.levels["micro"].removed == (lost,)
    assert diff.levels["micro"].redrawn == (grown,)
    assert diff.levels["community"].renamed == ("0101",)
    assert store.diff(after.id, first.id).levels["micro"].added == (lost,)
    assert diff.parts == ("cells", "labels", "meta")


def test_unknown_names_are_told_and_names_are_used_once(store, plan_id):
    for ask in (store.read, store.version, store.plans, store.branches, store.history):
        with pytest.raises(NotStoredError, match="holds no"):
            ask("nothing")
    with pytest.raises(NotStoredError, match="no branch"):
        commit(store, plan_id, None, square_plan(), branch="x")
    with pytest.raises(StoreError, match="already"):
        store.create_project("2026 调整", actor="甲")
    with pytest.raises(StoreError, match="empty"):
        store.create_project(" ", actor="甲")
    project = store.projects()[0]
    with pytest.raises(StoreError, match="already"):
        store.create_plan(project.id, "方案一", actor="甲")
    assert [one.name for one in store.plans(project.id)] == ["方案一"]
    assert [one.name for one in store.branches(plan_id)] == ["main"]


def test_versions_can_neither_be_changed_nor_removed(store, plan_id):
    commit(store, plan_id, None, square_plan())
    for statement in ("UPDATE version SET message = 'x'", "DELETE FROM version"):
        with pytest.raises(StoreError, match="append-only"), store.database.writing() as change:
            change.execute(text(statement))


def test_a_version_changed_behind_our_back_is_found(address):
    with open_store(address) as store:
        project = store.create_project("调整", actor="甲")
        entry = store.create_plan(project.id, "方案", actor="甲")
        made = commit(store, entry.id, None, square_plan())
        with store.database.writing() as connection:
            connection.execute(text("UPDATE cell SET head = 'x' WHERE level = 'micro'"))
        assert not store.recheck(made.id)
        with store.database.writing() as connection:
            connection.execute(text("UPDATE cell SET head = ''"))
        assert store.recheck(made.id)
        with store.database.writing() as connection:
            connection.execute(
                text("UPDATE cell SET wkb = (SELECT wkb FROM cell WHERE id = 1) WHERE id = 9")
            )
        assert not store.recheck(made.id)
        with store.database.writing() as connection:
            connection.execute(text("UPDATE page SET data = hash"))
    with open_store(address) as store, pytest.raises(StoreError, match="damaged"):
        store.read(made.id)
