"""Commands that redraw borders: split, move, snap; and every awkward place for a line."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from edit_plans import SCHEME, blocks, code_at, fresh_twin, homes_of, plan_of, require_true
from strategies import grid_frame

from geogrid.coverage import verify_plan
from geogrid.edit import Locks, MoveRun, MoveVertex, Paint, SnapToStreets, Split, apply
from geogrid.edit._crossing import crossings
from geogrid.edit._draft import Draft
from geogrid.edit._finish import finish
from geogrid.errors import EditError
from geogrid.io.plan_file import read_plan, write_plan
from geogrid.model.atoms import Atoms

BASE = blocks()
# Cell (2, 2) of the finest level is the square from 200, 200 to 400, 400.
KEYS = ("pian", "wangge", "wei")
ACROSS = ((150, 333.3333), (450, 251))


def at(x, y, level="wei", plan=BASE):
    return code_at(plan, level, x, y)


def split(line, x=2, y=2, level="wei", plan=BASE, **more):
    return apply(plan, Split(level=level, cell=at(x, y, level, plan), line=line), **more)


def parts(edit, level="wei"):
    return len(edit.change.level(level).new) + 1


def test_a_cut_gives_both_neighbours_the_node():
    edit = split(ACROSS)
    require_true(edit, BASE)
    assert parts(edit) == 2
    assert edit.change.atoms_cut >= 2
    neighbour = edit.plan.cells("wei").set_index("code").geometry[at(0, 2)]
    node = {one for one in map(tuple, shapely.get_coordinates(neighbour).tolist()) if one[0] == 200}
    assert len(node) == 4
    assert edit.plan.atoms.limit is BASE.atoms.limit
    assert edit.change.limit_nodes == 0


def test_the_upper_levels_get_the_node_on_a_border_that_they_share():
    edit = split(ACROSS)
    assert edit.change.level("wangge").new == ()
    redrawn = [one.code for one in edit.change.level("wangge").cells if one.is_redrawn]
    assert redrawn == sorted((at(2, 2, "wangge"), at(4, 2, "wangge")))


def test_a_cut_through_the_limit_nodes_it():
    edit = split(((-50, 150), (250, 120)), 0, 0)
    require_true(edit, BASE)
    assert edit.change.limit_nodes == 1
    assert edit.plan.district.limit is edit.plan.atoms.limit
    assert edit.certificate.limit_digest != verify_plan(BASE).certificate.limit_digest
    assert any("less than a millimetre" in note for note in edit.change.notes)


def test_cutting_an_upper_cell_cuts_the_finer_ones_along():
    edit = split(((-50, 130), (450, 170)), 0, 0, "wangge")
    require_true(edit, BASE)
    assert parts(edit, "wangge") == 2
    assert len(edit.change.level("wei").recoded) == 2
    assert len(edit.plan.cells("wei")) == len(BASE.cells("wei")) + 2


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (((150, 200), (450, 400)), 2),
        (((200, 200), (400, 400)), 2),
        (((100, 100), (500, 500)), 2),
        (((300, 150), (300, 450)), 2),
        (((200, 300), (400, 300)), 2),
        (((150, 250), (300, 250), (300, 300), (450, 300)), 2),
        (((250, 150), (250, 300), (330, 300), (330, 150)), 2),
        (((220, 220), (380, 220), (380, 380), (220, 380), (220, 220)), 2),
        (((300, 300), (300.5, 300), (300.5, 300.5), (300, 300)), 2),
        (((150, 230), (450, 230), (450, 370), (150, 370)), 3),
        (((200.05, 150), (200.05, 390), (450, 390)), 2),
    ],
    ids=[
        "through two vertices", "corner to corner", "corner to corner from outside",
        "along the borders of atoms", "from border vertex to border vertex", "with corners",
        "in and out at one side", "hole", "tiny hole at a vertex", "three parts",
        "near a border",
    ],
)  # fmt: skip
def test_lines_in_awkward_places_split_soundly(line, count):
    edit = split(line)
    require_true(edit, BASE)
    assert parts(edit) == count
    twin = split(line, households=homes_of(BASE))
    assert twin.change.estimated_households == 0
    require_true(twin, BASE)


@pytest.mark.parametrize(
    "line",
    [
        ((200, 150), (200, 450)),
        ((210, 210), (390, 250)),
        ((150, 300), (390, 300)),
        ((500, 500), (700, 700)),
        ((0, 0), (100, 100)),
        ((200, 200), (400, 200)),
    ],
    ids=["along the border", "inside", "dangling", "outside", "far away", "on one side"],
)
def test_lines_that_split_nothing_are_refused(line):
    with pytest.raises(EditError, match="does not split cell") as refused:
        split(line)
    assert refused.value.cells == (("wei", at(2, 2)),)


def test_a_line_that_crosses_itself_is_refused():
    with pytest.raises(EditError, match="crosses itself"):
        split(((150, 220), (450, 380), (450, 220), (150, 380)))


def test_a_concave_cell_is_cut_into_three_by_a_line_that_touches_it_twice():
    frame = grid_frame(3, 2)
    labels = ["u", "u", "u", "u", "m", "u"]
    plan = plan_of(Atoms.from_frame(frame), dict.fromkeys(KEYS, labels))
    code = code_at(plan, "pian", 0, 0)
    edit = apply(plan, Split(level="pian", cell=code, line=((-10, 150), (310, 160))))
    require_true(edit, plan)
    assert parts(edit, "pian") == 3


def test_a_cell_with_a_hole_is_cut_through_the_hole():
    frame = grid_frame(3, 3)
    labels = ["r"] * 4 + ["h"] + ["r"] * 4
    plan = plan_of(Atoms.from_frame(frame), dict.fromkeys(KEYS, labels))
    code = code_at(plan, "pian", 0, 0)
    with pytest.raises(EditError, match="does not split"):
        apply(plan, Split(level="pian", cell=code, line=((-10, 150), (150, 150))))
    edit = apply(plan, Split(level="pian", cell=code, line=((-10, 150), (310, 160))))
    require_true(edit, plan)
    assert parts(edit, "pian") == 2


def test_a_split_beside_a_locked_cell_puts_no_node_on_it():
    locks = Locks(cells={("wei", at(0, 2))})
    with pytest.raises(EditError, match="locked"):
        split(ACROSS, locks=locks)
    # From vertex to vertex no neighbour gets a node.
    edit = split(((200, 300), (400, 300)), locks=Locks(levels={"wangge"}, cells=locks.cells))
    require_true(edit, BASE)


def test_households_go_where_their_points_are():
    homes = homes_of(BASE, seed=3)
    edit = split(ACROSS, households=homes)
    require_true(edit, BASE)
    report = verify_plan(fresh_twin(edit.plan), households=homes)
    assert report.is_proven
    by_point = edit.plan.atoms.with_households(homes).frame["households"]
    assert by_point.tolist() == edit.plan.atoms.frame["households"].tolist()
    assert edit.change.estimated_households == 0


def test_without_points_households_stay_with_the_largest_piece_and_that_is_said():
    edit = split(ACROSS)
    assert edit.change.estimated_households == 3
    assert any("户数为估算" in note for note in edit.change.notes)
    frame = edit.plan.atoms.frame.set_index("atom_id")
    assert frame.loc[frame.index.str.contains("-.*-"), "households"].sum() == 0
    # Points that count others than the plan does say nothing.
    assert split(ACROSS, households=homes_of(BASE).iloc[:0]).change.estimated_households == 3


def slanted():
    """Two atoms in a district whose limit runs along no axis."""
    a, b, c, d = (0, 0), (1000, 337), (900, 1201), (-53, 777)
    frame = gpd.GeoDataFrame(
        {"atom_id": ["a", "b"], "households": [5, 9]},
        geometry=[shapely.Polygon([a, b, c]), shapely.Polygon([a, c, d])],
    )
    return plan_of(Atoms.from_frame(frame), dict.fromkeys(KEYS, ("1", "2")))


def test_a_limit_along_no_axis_bends_by_rounding_and_the_proof_follows():
    plan = slanted()
    code = plan.cells("wei")["code"].iloc[0]
    edit = apply(plan, Split(level="wei", cell=code, line=((-500, 411), (1500, 399))))
    require_true(edit, plan)
    before = verify_plan(plan).certificate
    assert edit.certificate.limit_twice_area_mm2 != before.limit_twice_area_mm2
    again = apply(edit.plan, MoveVertex(at=(0, 0), to=(0, 0)))
    assert again.plan is edit.plan


def test_a_vertex_is_not_dragged_out_of_its_star_though_every_polygon_stays_valid():
    corners = [(0, 0), (100, 0), (100, 100), (0, 100)]
    frame = gpd.GeoDataFrame(
        {"atom_id": list("abcd"), "households": 1},
        geometry=[shapely.Polygon([corners[one], corners[one - 3], (50, 50)]) for one in range(4)],
    )
    plan = plan_of(Atoms.from_frame(frame), dict.fromkeys(KEYS, tuple("1234")))
    require_true(apply(plan, MoveVertex(at=(50, 50), to=(60, 70))), plan)
    with pytest.raises(EditError, match="cross or touch"):
        apply(plan, MoveVertex(at=(50, 50), to=(50, 150)))


def test_borders_that_do_not_meet_fail_the_proof():
    single = verified(blocks(4, 4, (4, 2, 1)))
    draft = Draft(single)
    draft.redraw(0, shapely.box(0, 0, 100, 99))
    with pytest.raises(EditError, match="would not meet") as refused:
        finish(draft, named={})
    assert refused.value.cells == (("wei", code_at(single, "wei", 0, 0)),)
    draft = Draft(verified(BASE))
    draft.redraw(0, shapely.box(0, 0, 100, 120))
    with pytest.raises(EditError, match="would not meet"):
        finish(draft, named={})


def verified(plan):
    """The plan with its certificate."""
    return replace(plan, certificate=verify_plan(plan).certificate)


def test_a_moved_vertex_moves_for_all_levels_that_share_it():
    edit = apply(BASE, MoveVertex(at=(400, 400), to=(390, 410.5)))
    require_true(edit, BASE)
    assert edit.change.atoms_redrawn == 4
    for level in ("wangge", "wei"):
        assert len([one for one in edit.change.level(level).cells if one.is_redrawn]) == 4
    assert edit.change.level("pian") is None
    back = apply(edit.plan, MoveVertex(at=(390, 410.5), to=(400, 400)))
    assert [one.digest for one in back.certificate.levels] == [
        one.digest for one in verify_plan(BASE).certificate.levels
    ]


def test_a_junction_of_three_cells_moves():
    cells = np.array(["a", "a", "b", "c"])
    plan = plan_of(Atoms.from_frame(grid_frame(2, 2)), dict.fromkeys(KEYS, cells))
    edit = apply(plan, MoveVertex(at=(100, 100), to=(120, 70)))
    require_true(edit, plan)
    assert len(edit.change.level("wei").cells) == 3


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ((530, 240), "cross or touch"),
        ((300, 300), "cross or touch"),
        ((200, 290), None),
        ((200, 300), None),
        ((100, 200), None),
        ((250, 300), "cross or touch"),
        ((99, 201), "cross or touch"),
        ((-5, 200), "cross or touch"),
    ],
)
def test_a_vertex_is_dragged_only_where_no_border_is(to, says):
    command = MoveVertex(at=(200, 200), to=to)
    if says is None:
        try:
            require_true(apply(BASE, command), BASE)
        except EditError as refused:
            assert "cross or touch" in str(refused) or "shrink to nothing" in str(refused)  # noqa: PT017 - either is right
        return
    with pytest.raises(EditError, match=says):
        apply(BASE, command)


def test_the_limit_is_immovable():
    for command in (
        MoveVertex(at=(0, 400), to=(10, 410)),
        MoveRun(run=((0, 0), (100, 0)), path=((0, 0), (50, 10), (100, 0))),
        MoveRun(run=((0, 100), (100, 100)), path=((10, 100), (100, 100))),
    ):
        with pytest.raises(EditError, match="limit cannot be moved"):
            apply(BASE, command)


def test_pointing_beside_every_vertex_is_refused_with_the_nearest():
    with pytest.raises(EditError, match=r"nearest is 14.14 m away"):
        apply(BASE, MoveVertex(at=(210, 210), to=(220, 220)))
    with pytest.raises(EditError, match="no border runs straight"):
        apply(BASE, MoveRun(run=((200, 200), (200, 400)), path=((200, 200), (200, 400))))
    run = ((200, 200), (200, 300), (200, 200))
    with pytest.raises(EditError, match="each of its vertices once"):
        apply(BASE, MoveRun(run=run, path=((200, 200), (1, 1), (200, 200))))


def test_a_vertex_is_put_in_and_taken_out_again():
    more = apply(
        BASE, MoveRun(run=((200, 200), (200, 300)), path=((200, 200), (213, 250), (200, 300)))
    )
    require_true(more, BASE)
    back = apply(
        more.plan,
        MoveRun(run=((200, 200), (213, 250), (200, 300)), path=((200, 200), (200, 300))),
    )
    require_true(back, BASE)
    assert back.certificate.levels[-1].digest == verify_plan(BASE).certificate.levels[-1].digest


def test_borders_that_end_on_a_run_end_on_its_new_path():
    run = ((200, 200), (200, 300), (200, 400))
    edit = apply(BASE, MoveRun(run=run, path=((200, 200), (220, 260), (215, 330), (200, 400))))
    require_true(edit, BASE)
    one, two = edit.plan.atoms.frame.set_index("atom_id").geometry[["a001-002", "a001-003"]]
    assert one.touches(two)
    moved = apply(BASE, MoveRun(run=run, path=((200, 200), (210, 310), (200, 400))))
    require_true(moved, BASE)
    with pytest.raises(EditError, match=r"cross or touch|change their order"):
        apply(BASE, MoveRun(run=run, path=((200, 200), (350, 100), (350, 500), (200, 400))))


def test_a_t_vertex_is_noded_before_it_moves():
    shapes = [
        shapely.box(0, 0, 100, 200),
        shapely.box(100, 0, 200, 100),
        shapely.box(100, 100, 200, 200),
    ]
    frame = gpd.GeoDataFrame({"atom_id": ["a", "b", "c"], "households": 1}, geometry=shapes)
    whole = shapely.MultiPolygon([shapely.box(0, 0, 200, 200)])
    atoms = Atoms(frame=frame.assign(kind=""), limit=whole)
    cells = dict.fromkeys(KEYS, ("1", "2", "3"))
    plan = plan_of(atoms, cells)
    report = verify_plan(plan)
    assert report.is_proven
    assert "unmatched_edge" in set(report.defects["kind"])
    edit = apply(plan, MoveVertex(at=(100, 100), to=(90, 110)))
    full = verify_plan(fresh_twin(edit.plan))
    assert full.is_proven
    assert full.certificate.to_dict() == edit.certificate.to_dict()


def test_a_run_snaps_to_a_street():
    run = ((200, 0), (200, 100), (200, 200), (200, 300))
    street = ((190, -50), (215, 150), (205, 350))
    edit = apply(BASE, SnapToStreets(run=run, within_m=30, lines=(street,)))
    require_true(edit, BASE)
    border = shapely.LineString(street)
    cells = edit.plan.cells("wei").set_index("code").geometry
    common = cells[at(0, 0)].intersection(cells[at(2, 0)])
    inner = shapely.get_coordinates(common)[1:]
    assert max(border.distance(shapely.Point(one)) for one in inner[inner[:, 1] > 0]) < 0.002
    assert edit.plan.atoms.limit is BASE.atoms.limit
    with pytest.raises(EditError, match="no given line"):
        apply(BASE, SnapToStreets(run=run, within_m=3, lines=(street,)))
    with pytest.raises(EditError, match="no given line"):
        apply(BASE, SnapToStreets(run=run, within_m=30, lines=(street[:2],)))


def test_a_run_snaps_to_the_barriers_of_the_plan():
    lines = gpd.GeoDataFrame(
        {"kind": ["street"]}, geometry=[shapely.LineString([(212, 90), (212, 310)])]
    )
    plan = replace(BASE, atoms=replace(BASE.atoms, barriers=lines))
    command = SnapToStreets(run=((200, 100), (200, 200), (200, 300)))
    edit = apply(plan, command)
    require_true(edit, plan)
    xs = shapely.get_coordinates(edit.plan.atoms.frame.geometry.to_numpy())[:, 0]
    assert (xs == 212).any()
    with pytest.raises(EditError, match="no given line"):
        apply(BASE, command)


def test_an_edited_plan_comes_back_from_its_file(tmp_path):
    edit = split(((-50, 150), (250, 120)), 0, 0)
    edit = apply(edit.plan, Paint(level="wei", target=at(2, 2), atoms=("a004-002",)))
    again = read_plan(write_plan(edit.plan, tmp_path / "plan.gpkg"))
    assert again.certificate == edit.certificate
    assert verify_plan(again).certificate.to_dict() == edit.certificate.to_dict()
    for level in SCHEME.levels:
        mine, read = edit.plan.cells(level.key), again.cells(level.key)
        assert mine["code"].tolist() == read["code"].tolist()
        assert mine["name"].tolist() == read["name"].tolist()
    assert again.code_history.to_dict() == edit.plan.code_history.to_dict()
    more = apply(again, Paint(level="wei", target=at(2, 2), atoms=("a004-003",)))
    require_true(more, BASE)


def test_a_node_within_rounding_of_a_vertex_is_that_vertex():
    found = crossings([((-100, 1), (100, -1))], [((0, 0), (0, 100)), ((0, -100), (0, 0))], 0.0)
    assert found.line == [((-100, 1), (0, 0)), ((0, 0), (100, -1))]
    assert found.nodes == {}
    crossed = crossings([((-10, 7), (11, 8))], [((0, 0), (1, 100))], 0.0)
    assert crossed.nodes == {((0, 0), (1, 100)): [(0, 7)]}
