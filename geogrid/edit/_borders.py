"""Move borders: vertices and runs, for all atoms that share them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.edit._crossing import edges_of, on_edges
from geogrid.edit._draft import listed
from geogrid.edit._ground import Wire, balance, edge_key, point, points, rewired, rings_of, valid
from geogrid.edit._people import share_out
from geogrid.edit._streets import street_path
from geogrid.errors import EditError

if TYPE_CHECKING:
    from geogrid.edit._draft import Draft, Indices
    from geogrid.edit._ground import EdgeKey, Point
    from geogrid.edit.commands import Line, MoveRun, MoveVertex, SnapToStreets

__all__ = ["move_run", "move_vertex", "snap_to_streets"]

_LIMIT_STAYS = (
    "the district's limit cannot be moved: choose a border inside "
    "(区划边界不可移动：请选内部的界线)"
)
# Whoever points at a vertex on a map hits it to the centimetre.
_HIT_MM = 10.0
_LEAST_LINES = 2
# Places are whole millimetres, and the middle of an edge is rounded.
_ON_BORDER_M = 0.0015


class _Near:
    """The borders near a run: vertices, edges, and who is the limit's."""

    def __init__(self, draft: Draft, places: list[Point]) -> None:
        self.draft = draft
        self.rows = draft.near(places)
        rings = [
            ring
            for row in self.rows.tolist()
            for part in rings_of(draft.shapes[row])
            for ring in part
        ]
        self.edges = set(edges_of(rings))
        self.beside: dict[Point, set[Point]] = {}
        for one, other in self.edges:
            self.beside.setdefault(one, set()).add(other)
            self.beside.setdefault(other, set()).add(one)
        limit = [ring for part in rings_of(draft.limit) for ring in part]
        self.limit_vertices = {corner for ring in limit for corner in ring}
        self.limit_edges = set(edges_of(limit))

    def vertex(self, place: Point) -> Point:
        """Return the vertex at a place, to the centimetre."""
        if place in self.beside:
            return place
        corners = sorted(self.beside)
        far = np.hypot(*(np.array(corners or [place]) - np.array(place)).T.astype(np.float64))
        at = int(far.argmin())
        if not corners or far[at] > _HIT_MM:
            where = f", the nearest is {far[at] / 1000:.2f} m away" if corners else ""
            msg = (
                f"there is no border vertex at {place[0] / 1000:.3f}, {place[1] / 1000:.3f}{where}"
                f": point at a vertex (此处没有界点：请点在界点上)"
            )
            raise EditError(msg)
        return corners[at]


def move_vertex(draft: Draft, command: MoveVertex) -> None:
    """Move one vertex for all who share it."""
    at, to = point(command.at), point(command.to)
    near = _Near(draft, [at, to])
    vertex = near.vertex(at)
    if vertex != to:
        _redraw(near, Wire(moves={vertex: to}))


def move_run(draft: Draft, command: MoveRun) -> None:
    """Move a run of border for all who share it."""
    run, path = _run(draft, command.run, [point(place) for place in command.path])
    near, vertices = run
    if len(path) == len(vertices):
        moves = {one: to for one, to in zip(vertices, path, strict=True) if one != to}
        if moves:
            _redraw(near, Wire(moves=moves))
        return
    _lay(near, vertices, points(command.path))


def snap_to_streets(draft: Draft, command: SnapToStreets) -> None:
    """Lay a run of border onto a line that is there."""
    (near, vertices), _ = _run(draft, command.run, [])
    barriers = draft.plan.atoms.barriers
    lines = (
        np.array([shapely.LineString(line) for line in command.lines], dtype=object)
        if command.lines or barriers is None
        else barriers.geometry.to_numpy()
    )
    fixed = [one in near.limit_vertices for one in (vertices[0], vertices[-1])]
    path = street_path(vertices, lines, command.within_m, fixed_ends=(fixed[0], fixed[1]))
    near = _Near(draft, [*vertices, *path])
    _lay(near, vertices, path, within_mm=command.within_m * 1000)


def _run(
    draft: Draft, line: Line, path: list[Point]
) -> tuple[tuple[_Near, list[Point]], list[Point]]:
    """Return the vertices of a run, each next to the one before."""
    places = [point(place) for place in line]
    near = _Near(draft, [*places, *path])
    vertices = [near.vertex(place) for place in places]
    if len(set(vertices)) < len(vertices):
        msg = (
            "a run of border passes each of its vertices once: name them in order, not in a ring "
            "(所选界线绕成了圈：请只选其中一段)"
        )
        raise EditError(msg)
    for one, other in pairwise(vertices):
        if edge_key(one, other) not in near.edges:
            msg = (
                f"no border runs straight from {one[0] / 1000:.3f}, {one[1] / 1000:.3f} to "
                f"{other[0] / 1000:.3f}, {other[1] / 1000:.3f}: name every vertex of the run "
                f"(所选的不是连续的界线：请重新选择)"
            )
            raise EditError(msg)
    return (near, vertices), path


def _lay(
    near: _Near, run: list[Point], path: list[Point], *, within_mm: float | None = None
) -> None:
    """Put a path in the place of a run; borders that end on the run end on the path."""
    if len(path) < _LEAST_LINES:
        msg = "the new path of a run needs two different ends (新界线的两端不能重合：请重画)"
        raise EditError(msg)
    line = shapely.LineString(path)
    along = {
        at: float(line.project(shapely.Point(one)))
        for at, one in enumerate(run)
        if 0 < at < len(run) - 1 and _is_junction(near, one)
    }
    position = {0: 0.0, **along, len(run) - 1: float(line.length)}
    if any(two <= one for one, two in pairwise(position.values())):
        msg = (
            "borders that end on the run would change their order on the new path: move less "
            "(相接界线的先后次序会颠倒：请少移一些)"
        )
        raise EditError(msg)
    place = {at: _whole(line.interpolate(far)) for at, far in along.items()}
    place |= {0: path[0], len(run) - 1: path[-1]}
    if within_mm is not None:
        _require_near(run, place, within_mm)
    corners = [float(line.project(shapely.Point(one))) for one in path]
    wire = Wire()
    for one, two in pairwise(position):
        wire.gone |= set(run[one + 1 : two])
        between = [
            corner
            for corner, far in zip(path, corners, strict=True)
            if position[one] < far < position[two] and corner not in (place[one], place[two])
        ]
        wire.insert(run[one], run[one + 1], between)
    wire.moves = {run[at]: to for at, to in place.items() if run[at] != to}
    if wire.moves or wire.gone or wire.inserts:
        _redraw(near, wire)


def _require_near(run: list[Point], place: dict[int, Point], within_mm: float) -> None:
    far = max(np.hypot(run[at][0] - x, run[at][1] - y) for at, (x, y) in place.items())
    if far > within_mm:
        msg = (
            f"a vertex of the run would move {far / 1000:.1f} m, farther than "
            f"{within_mm / 1000:g} m: choose a nearer line or allow more (有界点要移动 "
            f"{far / 1000:.1f} 米，超过 {within_mm / 1000:g} 米：请放宽距离或另选一段)"
        )
        raise EditError(msg)


def _whole(place: shapely.Point) -> Point:
    return (round(place.x), round(place.y))


def _is_junction(near: _Near, vertex: Point) -> bool:
    return len(near.beside[vertex]) != _LEAST_LINES or vertex in near.limit_vertices


def _redraw(near: _Near, wire: Wire) -> None:
    """Change the shared borders of atoms, if all stay sound."""
    draft = near.draft
    _require_off_limit(near, wire)
    _require_off_official(near, wire)
    _node_at(near, {*wire.moves, *wire.gone})
    before = draft.people.copy()
    changed: list[int] = []
    for row in near.rows.tolist():
        shape = rewired(draft.shapes[row], wire)
        if shape is not draft.shapes[row]:
            draft.redraw(row, shape)
            changed.append(row)
    rows = np.array(changed, dtype=np.int64)
    _require_sound(draft, rows)
    share_out(draft, before)


def _require_off_limit(near: _Near, wire: Wire) -> None:
    moved = {one for one, to in wire.moves.items() if one != to} | wire.gone
    if moved & near.limit_vertices or set(wire.inserts) & near.limit_edges:
        raise EditError(_LIMIT_STAYS)


def _require_off_official(near: _Near, wire: Wire) -> None:
    """Refuse to move what is a border between cells of an official level."""
    draft = near.draft
    locked = [level for level in draft.levels if level.locked]
    moved = sorted({one for one, to in wire.moves.items() if one != to} | wire.gone)
    between = [((one[0] + two[0]) / 2, (one[1] + two[1]) / 2) for one, two in wire.inserts]
    if not locked or not (moved or between):
        return
    level = locked[-1]
    places = shapely.points(np.array([*moved, *between], dtype=np.float64) / 1000)
    tree = shapely.STRtree(draft.shapes[near.rows])
    place, at = tree.query(places, predicate="dwithin", distance=_ON_BORDER_M)
    cells = draft.labels[level.key][near.rows[at]]
    held: dict[int, set[str]] = {}
    for one, code in zip(place.tolist(), cells.tolist(), strict=True):
        held.setdefault(one, set()).add(str(code))
    codes = sorted({code for each in held.values() if len(each) > 1 for code in each})
    if codes:
        msg = (
            f"level {level.key} ({level.name}) is official: {listed(codes)} keep their border: "
            f"choose a border inside one of them "
            f"({level.name}为行政层级，{listed(codes)}边界不可改)"
        )
        raise EditError(msg, tuple((level.key, code) for code in codes))


def _node_at(near: _Near, vertices: set[Point]) -> None:
    """Give a vertex that is to move to the atoms on whose straight edge it lies."""
    draft = near.draft
    loose = {key: one for one in vertices for key in on_edges(one, _at(near, one))}
    if not loose:
        return
    on_limit = set(loose) & near.limit_edges
    if on_limit:
        raise EditError(_LIMIT_STAYS)
    for key, one in loose.items():
        draft.exact.insert(*key, [one])
    for row in near.rows.tolist():
        shape = rewired(draft.shapes[row], draft.exact)
        if shape is not draft.shapes[row]:
            draft.redraw(row, shape)


def _at(near: _Near, place: Point) -> list[EdgeKey]:
    """Return the edges whose bounds hold a place."""
    x, y = place
    return [
        key
        for key in near.edges
        if key[0][0] <= x <= key[1][0]
        and min(key[0][1], key[1][1]) <= y <= max(key[0][1], key[1][1])
    ]


def _require_sound(draft: Draft, rows: Indices) -> None:
    """Refuse a border that crosses or touches another one."""
    base = draft.plan.atoms.frame.geometry.to_numpy()
    now = draft.shapes[rows]
    then = np.empty(len(rows), dtype=object)
    then[:] = [rewired(shape, draft.exact) for shape in base[draft.origin[rows]]]
    sound = valid(now)
    # A ring that was turned inside out is valid too, but lies elsewhere.
    if sound.all():
        sound = np.full(len(rows), balance(then, now).is_even)
    if sound.all():
        return
    key = draft.levels[-1].key
    codes = sorted(set(draft.labels[key][rows[~sound]].tolist()))
    msg = (
        f"the border would cross or touch another border of {', '.join(codes)}: move it less "
        f"(将与{listed(codes)}的其他界线相交：请少移一些)"
    )
    raise EditError(msg, tuple((key, code) for code in codes))
