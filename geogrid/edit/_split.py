"""Split a cell along a line: atoms are cut, and whoever shares a border gets the node."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.edit._crossing import crossings, edges_of
from geogrid.edit._derive import positions
from geogrid.edit._ground import Wire, edge_key, metres, points, rewired, rings_of, united
from geogrid.edit._people import share_out
from geogrid.errors import EditError
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.edit._draft import Draft, Indices
    from geogrid.edit._ground import EdgeKey, Point
    from geogrid.edit.commands import Split
    from geogrid.model.scheme import Level

    Pieces = list[tuple[Point, Point]]

__all__ = ["split"]

_MM = 1000.0


def split(draft: Draft, command: Split) -> None:
    """Split a cell."""
    level = draft.area_level(command.level)
    rows = draft.rows_of(level, command.cell)
    cells = draft.plan.cells(level.key)
    shape = cells.geometry.to_numpy()[positions(cells, [command.cell])[0]]
    snap_mm = command.snap_m * _MM
    parts, cut = _parts(command, shape, snap_mm)
    before = draft.people.copy()
    rows = _cut_atoms(draft, rows, cut)
    share_out(draft, before)
    part = _part_of(draft, rows, parts)
    missing = set(range(len(parts))) - set(part.tolist())
    if missing:
        msg = (
            f"the line cuts less than an atom's rounding from cell {command.cell}: draw it farther "
            f"from the border (切下的部分太小：请离{command.cell}的边界远一些画线)"
        )
        raise EditError(msg, ((level.key, command.cell),))
    _hand_out(draft, level, rows, part)


def _parts(
    command: Split, shape: BaseGeometry, snap_mm: float
) -> tuple[npt.NDArray[np.object_], Pieces]:
    """Return the parts of a cell in metres, and the pieces of the line between them."""
    line = points(command.line)
    drawn = shapely.LineString(metres(line)) if len(line) > 1 else None
    if drawn is None or not drawn.is_simple:
        msg = (
            f"the line across cell {command.cell} crosses itself: draw it without a loop "
            f"(拆分{command.cell}的线自相交：请画成不打圈的线)"
        )
        raise EditError(msg, ((command.level, command.cell),))
    edges = edges_of(ring for rings in rings_of(shape) for ring in rings)
    noded = crossings(list(pairwise(line)), edges, snap_mm)
    border = _noded_edges(edges, noded.nodes)
    pieces = {edge_key(*piece) for piece in noded.line} - border
    faces = _faces(border | pieces)
    inside = faces[_is_within(shape, faces)]
    sides: dict[EdgeKey, int] = {}
    for face in inside:
        for key in edges_of(ring for rings in rings_of(face) for ring in rings):
            sides[key] = sides.get(key, 0) + 1
    # Pieces that dangle, or lie outside, have the same ground or none on both sides.
    cut = sorted(key for key in pieces if sides.get(key, 0) > 1)
    # A cell that lies in several parts already is several faces without any cut.
    if not cut:
        msg = (
            f"the line does not split cell {command.cell}: draw it across, from border to border, "
            f"or as a closed ring inside "
            f"(没有切开{command.cell}：请从边界画到边界，或在内部画一个闭合圈)"
        )
        raise EditError(msg, ((command.level, command.cell),))
    return _together(inside, set(cut)), cut


def _together(faces: npt.NDArray[np.object_], cut: set[EdgeKey]) -> npt.NDArray[np.object_]:
    """Unite faces that the line does not part: the pieces of a cell in several bodies."""
    touched = [
        any(key in cut for key in edges_of(ring for rings in rings_of(face) for ring in rings))
        for face in faces
    ]
    if all(touched):
        return faces
    rest = [face for face, is_cut in zip(faces, touched, strict=True) if not is_cut]
    own = [face for face, is_cut in zip(faces, touched, strict=True) if is_cut]
    # Bodies that the line does not reach stay with the largest part that it makes.
    largest = max(range(len(own)), key=lambda at: own[at].area)
    own[largest] = shapely.union_all([own[largest], *rest])
    return _array(own)


def _array(shapes: list[BaseGeometry]) -> npt.NDArray[np.object_]:
    result = np.empty(len(shapes), dtype=object)
    result[:] = shapes
    return result


def _noded_edges(edges: list[EdgeKey], nodes: dict[EdgeKey, list[Point]]) -> set[EdgeKey]:
    found: set[EdgeKey] = set()
    for key in edges:
        chain = [key[0], *nodes.get(key, ()), key[1]]
        found |= {edge_key(*pair) for pair in pairwise(chain)}
    return found


def _faces(edges: set[EdgeKey]) -> npt.NDArray[np.object_]:
    """Return the faces between noded edges, in metres, their vertices those of the edges."""
    ends = np.array(sorted(edges), dtype=np.int64).reshape(-1, 2, 2)
    base = ends.reshape(-1, 2).min(axis=0)
    lines = shapely.linestrings((ends - base).astype(np.float64))
    faces = shapely.get_parts(shapely.polygonize(lines))
    found: npt.NDArray[np.object_] = shapely.transform(
        faces, lambda xy: (np.rint(xy).astype(np.int64) + base) / _MM
    )
    return found


def _is_within(shape: BaseGeometry, faces: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = shapely.intersects(shape, shapely.point_on_surface(faces))
    return inside


def _cut_atoms(draft: Draft, rows: Indices, cut: Pieces) -> Indices:
    """Cut the atoms of a cell; return its atoms then."""
    near = draft.near([end for piece in cut for end in piece])
    own = np.intersect1d(near, rows)
    edges = [
        key
        for row in own.tolist()
        for key in edges_of(ring for rings in rings_of(draft.shapes[row]) for ring in rings)
    ]
    # What parts the cell is noded with its border already: only rounding is left to meet.
    noded = crossings(cut, edges, 1.0)
    wire = Wire(inserts=dict(noded.nodes))
    _node_neighbours(draft, np.setdiff1d(near, own), wire)
    border = _noded_edges(edges, noded.nodes)
    faces = _faces(border | {edge_key(*piece) for piece in noded.line})
    whole = draft.shapes[own]
    place = shapely.point_on_surface(faces)
    atom, face = shapely.STRtree(place).query(whole, predicate="intersects")
    added: list[int] = []
    for at, row in enumerate(own.tolist()):
        pieces = faces[face[atom == at]]
        if len(pieces) > 1:
            added += draft.add_pieces(row, list(pieces))
            continue
        shape = rewired(draft.shapes[row], wire)
        if shape is not draft.shapes[row]:
            draft.redraw(row, shape)
    return np.unique(np.append(rows, np.array(added, dtype=np.int64)))


def _node_neighbours(draft: Draft, rows: Indices, wire: Wire) -> None:
    """Give the new nodes to the atoms across the border, and to the district's limit."""
    for row in rows.tolist():
        shape = rewired(draft.shapes[row], wire)
        if shape is not draft.shapes[row]:
            draft.redraw(row, shape)
    limit = rewired(draft.limit, wire)
    if limit is not draft.limit:
        draft.limit_nodes += int(
            shapely.get_num_coordinates(limit) - shapely.get_num_coordinates(draft.limit)
        )
        draft.limit = as_multipolygon(limit)


def _part_of(draft: Draft, rows: Indices, parts: npt.NDArray[np.object_]) -> Indices:
    """Return the part that holds each atom."""
    places = shapely.point_on_surface(draft.shapes[rows])
    part, place = shapely.STRtree(places).query(parts, predicate="intersects")
    found = np.zeros(len(rows), dtype=np.int64)
    found[place] = part
    return found


def _hand_out(draft: Draft, level: Level, rows: Indices, part: Indices) -> None:
    """Give each part a cell, and each finer cell that lies in several parts as many cells."""
    for one in (level, *draft.finer(level)):
        column = draft.labels[one.key]
        held = column[rows].astype(str)
        for old in np.unique(held).tolist():
            own = np.flatnonzero(held == old)
            groups = _connected(draft, rows[own], part[own], is_top=one is level)
            if len(np.unique(groups)) > 1:
                _new_cells(draft, one, old, rows[own], groups)


def _connected(draft: Draft, rows: Indices, part: Indices, *, is_top: bool) -> Indices:
    """Return a group for each atom: its part and, of a finer cell, its piece in the part."""
    if is_top or len(np.unique(part)) == 1:
        return part
    whole = [united(draft.shapes[rows[part == one]]) for one in np.unique(part).tolist()]
    pieces = shapely.get_parts(_array(whole))
    places = shapely.point_on_surface(draft.shapes[rows])
    piece, place = shapely.STRtree(places).query(pieces, predicate="intersects")
    found = np.zeros(len(rows), dtype=np.int64)
    found[place] = piece
    return found


def _new_cells(draft: Draft, level: Level, old: str, rows: Indices, groups: Indices) -> None:
    """Keep the code for the group with most households, then most ground; others are new."""
    numbers = np.unique(groups)
    area = shapely.area(draft.shapes[rows])
    box = shapely.bounds(draft.shapes[rows])
    rank = {
        number: (
            -int(draft.people[rows[groups == number]].sum()),
            -float(area[groups == number].sum()),
            tuple(box[groups == number].min(axis=0).tolist()),
        )
        for number in numbers.tolist()
    }
    kind = str(draft.plan.cell_table.loc[old, "kind"])
    for number in sorted(rank, key=lambda one: rank[one])[1:]:
        token = draft.new_cell(level, kind=kind)
        draft.assign(level.key, rows[groups == number], token)
