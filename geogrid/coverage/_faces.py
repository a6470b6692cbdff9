"""Faces between left-over edges: what is wrong, where, how wide, how big."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.coverage._frame import mended
from geogrid.coverage._width import ROUNDING_MM, severity_of, widths
from geogrid.planar.arrangement import meeting, polygons_between, segments
from geogrid.planar.edges import numbered
from geogrid.planar.rings import unpack
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from geogrid.coverage._cancel import Remainder
    from geogrid.coverage._frame import Frame
    from geogrid.planar.edges import DirectedEdges
    from geogrid.planar.lattice import Millimetres
    from geogrid.planar.rings import LatticeRings

__all__ = ["AT_LIMIT", "Finding", "Site", "exact_vertices", "find_faces", "site_of", "summed"]

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

AT_LIMIT = frozenset({DefectKind.OUTSIDE, DefectKind.INSIDE_SHORT})
_WHOLE_CELLS = frozenset({DefectKind.DUPLICATE, DefectKind.NESTED})
_AREA = 2
# More slivers of one kind than anybody looks at one by one become one finding a width class. A
# limit of another origin crosses the cells' border many times and says one thing only.
_MOST, _MOST_AT_LIMIT = 1_000, 50
# Wide enough to hold whatever rounding and a limit that gives way may move.
_REACH_MM = 3
_MANY_TIMES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One defect: positions of the cells it concerns, and its geometry in metres.

    A summary stands for many pieces of one kind and one class of width.
    """

    kind: DefectKind
    cells: tuple[int, ...]
    geometry: BaseGeometry
    width_m: float
    is_summary: bool = False


@dataclass(frozen=True, eq=False)
class Site:
    """What lies where edges are left over.

    Attributes
    ----------
    edges, left
        Edges of the cells there and of the limit, and which of them are left over.
    faces
        What the left-over edges enclose, in whole millimetres.
    rows, cells, limit
        Positions of the cells there; these cells, made valid, and the limit in whole millimetres.
    """

    edges: DirectedEdges
    left: Indices
    faces: Shapes
    rows: Indices
    cells: Shapes
    limit: BaseGeometry

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.cells)

    @cached_property
    def _border(self) -> BaseGeometry:
        border: BaseGeometry = shapely.boundary(self.limit)
        shapely.prepare(border)
        return border

    def cells_at(self, rows: Sequence[int]) -> Shapes:
        """Return cells by their positions."""
        there: Shapes = self.cells[np.searchsorted(self.rows, rows)]
        return there

    def cells_near(self, shapes: Shapes, distance: float) -> tuple[Indices, Indices]:
        """Return pairs: number of a shape, position of a cell within a distance of it."""
        if distance > 0:
            shape, cell = self._tree.query(shapes, predicate="dwithin", distance=distance)
        else:
            shape, cell = self._tree.query(shapes, predicate="intersects")
        order = np.lexsort((cell, shape))
        return shape[order], self.rows[cell[order]]

    def is_at_limit(self, shapes: Shapes) -> npt.NDArray[np.bool_]:
        """Tell which shapes touch the limit's border."""
        touches: npt.NDArray[np.bool_] = shapely.dwithin(self._border, shapes, ROUNDING_MM)
        return touches


def site_of(frame: Frame, rings: LatticeRings, left: Indices) -> Site:
    """Collect the cells that own left-over edges or lie within what these enclose."""
    faces = polygons_between(np.stack((unpack(rings.tail[left]), unpack(rings.head[left])), axis=1))
    is_there = np.zeros(len(frame.shapes), dtype=np.bool_)
    is_there[-1] = True
    is_there[rings.edge_owner[left]] = True
    if len(faces):
        is_there[_cells_on(frame, faces, int(is_there.sum()))] = True
    some, positions = rings.of(is_there)
    rows = np.flatnonzero(is_there)
    cells = frame.millimetres(rows)
    return Site(
        numbered(some),
        np.searchsorted(positions, left),
        faces,
        rows[:-1],
        mended(cells[:-1]),
        cells[-1],
    )


def _cells_on(frame: Frame, faces: Shapes, usual: int) -> Indices:
    """Return the cells that lie on faces, or as near as rounding and a moved limit may bring.

    A few more do no harm, and asking takes longer; a strip round the district is near all cells.
    """
    boxes = np.rint(shapely.bounds(faces).T).astype(np.int64) + np.tile(frame.origin, 2)[:, None]
    reach = np.array([[-_REACH_MM], [-_REACH_MM], [_REACH_MM], [_REACH_MM]])
    rows = frame.cells_at(boxes + reach)
    if len(rows) > _MANY_TIMES * usual:
        shapes = frame.millimetres(rows)
        near = shapely.STRtree(faces).query(shapes, predicate="dwithin", distance=_REACH_MM)[0]
        rows = rows[np.unique(near)]
    return rows


def _arrangement(rest: Remainder, faces: Shapes) -> Shapes:
    """Return the faces in which the cells there and the limit do not change.

    Between left-over edges only the *difference* of cells and limit is constant: a spill over the
    limit and an overlap inside it are one face, with a border between them that has cancelled.
    So every edge that runs through such a face cuts it too.
    """
    edges = rest.edges
    if not len(faces):
        return polygons_between(rest.ends)
    others = np.ones(len(edges.tail), dtype=np.bool_)
    others[rest.left] = False
    tail, head = edges.xy[edges.tail[others]], edges.xy[edges.head[others]]
    boxes = shapely.box(*np.minimum(tail, head).T, *np.maximum(tail, head).T)
    near = np.unique(shapely.STRtree(faces).query(boxes)[0])
    ends = np.stack((tail[near], head[near]), axis=1)
    return polygons_between(np.concatenate((rest.ends, ends[_runs_through(ends, rest, faces)])))


def _runs_through(ends: Millimetres, rest: Remainder, faces: Shapes) -> Flags:
    """Tell which edges cross a left-over edge or lie between such edges."""
    runs = np.zeros(len(ends), dtype=np.bool_)
    tree = shapely.STRtree(rest.lines)
    one, other = tree.query(segments(ends))
    meets = meeting(ends[one], rest.ends[other])
    runs[one[meets]] = True
    middles = shapely.points(ends.mean(axis=1))
    runs[shapely.STRtree(faces).query(middles, predicate="intersects")[0]] = True
    return runs


def find_faces(rest: Remainder, site: Site) -> list[Finding]:
    """Classify what left-over edges enclose.

    Parameters
    ----------
    rest
        The remainder of cancelling.
    site
        The cells and the limit there.

    Returns
    -------
    list of Finding
        Geometry and width still in millimetres; kinds gap, overlap, outside, inside_short, and
        unmatched_edge for what is no wider than a lattice step.
    """
    if not len(rest.left):
        return []
    faces = _arrangement(rest, site.faces)
    points = shapely.point_on_surface(faces)
    face, cell = site.cells_near(points, 0.0)
    held = np.bincount(face, minlength=len(faces))
    in_limit = shapely.intersects(site.limit, points)
    starts = np.searchsorted(face, np.arange(len(faces) + 1)).tolist()
    findings = []
    for kind, is_kind in (
        (DefectKind.GAP, in_limit & (held == 0)),
        (DefectKind.OUTSIDE, ~in_limit & (held > 0)),
        (DefectKind.OVERLAP, held > 1),
    ):
        groups: dict[tuple[int, ...], list[int]] = {}
        for number in np.flatnonzero(is_kind).tolist():
            cells = tuple(cell[starts[number] : starts[number + 1]].tolist())
            groups.setdefault(cells, []).append(number)
        findings += _findings(kind, faces, groups, site)
    return [*_merge_rounding(findings), *_loose_edges(rest, findings)]


def _findings(
    kind: DefectKind, faces: Shapes, groups: dict[tuple[int, ...], list[int]], site: Site
) -> list[Finding]:
    """Unite the faces of the same cells, and describe every piece."""
    united = np.empty(len(groups), dtype=object)
    united[:] = [
        faces[members[0]] if len(members) == 1 else shapely.coverage_union_all(faces[members])
        for members in groups.values()
    ]
    pieces, group = shapely.get_parts(united, return_index=True)
    held = list(groups)
    wide = widths(pieces)
    is_thin = wide <= ROUNDING_MM
    # Who is missing there, or who meets there within the lattice, is told by who is near.
    asks = np.flatnonzero(is_thin | (kind is DefectKind.GAP))
    piece, cell = site.cells_near(pieces[asks], ROUNDING_MM)
    starts = np.searchsorted(piece, np.arange(len(asks) + 1)).tolist()
    near = {
        number: tuple(cell[starts[row] : starts[row + 1]].tolist())
        for row, number in enumerate(asks.tolist())
    }
    at_limit = site.is_at_limit(pieces)
    findings = []
    for number, piece_there in enumerate(pieces):
        name = kind
        if is_thin[number]:
            name = DefectKind.UNMATCHED_EDGE
        elif kind is DefectKind.GAP and at_limit[number]:
            name = DefectKind.INSIDE_SHORT
        cells = near.get(number, held[group[number]])
        findings.append(Finding(name, cells, piece_there, float(wide[number])))
    return findings


def summed(findings: list[Finding], site: Site, *, may_limit_move: bool) -> list[Finding]:
    """Make one finding a kind and width class of more slivers than anybody looks at.

    Parameters
    ----------
    findings
        In millimetres.
    site
        Where they are.
    may_limit_move
        Whether the limit is of another origin: then few slivers along it are many already.
    """
    if len(findings) <= _MOST_AT_LIMIT:
        return findings
    shapes = np.empty(len(findings), dtype=object)
    shapes[:] = [one.geometry for one in findings]
    at_limit = site.is_at_limit(shapes) & may_limit_move
    groups: dict[tuple[DefectKind, bool, str], list[int]] = {}
    kept = []
    for number, one in enumerate(findings):
        grade = severity_of(one.width_m / 1000)
        if grade == "real" or one.kind in _WHOLE_CELLS:
            kept.append(one)
        else:
            groups.setdefault((one.kind, bool(at_limit[number]), grade), []).append(number)
    for (kind, is_limit, _), members in groups.items():
        few = len(members) <= (_MOST_AT_LIMIT if is_limit else _MOST)
        several = [findings[number] for number in members]
        kept += several if few else [_summary(kind, several, shapes[members])]
    return kept


def _summary(kind: DefectKind, several: list[Finding], shapes: Shapes) -> Finding:
    cells = tuple(sorted({cell for one in several for cell in one.cells}))
    kinds = shapely.get_dimensions(shapes)
    area = shapely.get_parts(shapes[kinds == kinds.max()])
    make: dict[int, Any] = {_AREA: shapely.multipolygons, 1: shapely.multilinestrings}
    geometry: Any = make.get(int(kinds.max()), shapely.multipoints)(area)
    return Finding(kind, cells, geometry, max(one.width_m for one in several), is_summary=True)


def _merge_rounding(findings: list[Finding]) -> list[Finding]:
    """Report all rounding between the same cells as one finding: a planner cannot see them."""
    real = [one for one in findings if one.kind is not DefectKind.UNMATCHED_EDGE]
    rounding: dict[tuple[int, ...], list[Finding]] = {}
    for one in findings:
        if one.kind is DefectKind.UNMATCHED_EDGE:
            rounding.setdefault(one.cells, []).append(one)
    merged = [
        Finding(
            DefectKind.UNMATCHED_EDGE,
            cells,
            shapely.union_all([one.geometry for one in members]),
            max(one.width_m for one in members),
        )
        for cells, members in rounding.items()
    ]
    return real + merged


def _loose_edges(rest: Remainder, findings: list[Finding]) -> list[Finding]:
    """Left-over edges that border no reported face: unmatched, though nothing is missing there."""
    lines = rest.lines
    is_loose = np.ones(len(lines), dtype=np.bool_)
    if findings:
        known = shapely.STRtree([one.geometry for one in findings])
        middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
        is_loose[known.query(middle, predicate="dwithin", distance=ROUNDING_MM)[0]] = False
    loose: dict[int, list[int]] = {}
    for number in np.flatnonzero(is_loose):
        loose.setdefault(int(rest.edges.owner[rest.left[number]]), []).append(int(number))
    return [
        Finding(DefectKind.UNMATCHED_EDGE, (owner,), shapely.union_all(lines[members]), 0.0)
        for owner, members in loose.items()
    ]


def exact_vertices(rest: Remainder, faces: list[Finding]) -> list[Finding]:
    """List vertices of one cell exactly on an edge of another; they tear when reprojected.

    Those on the border of a reported face belong to that defect.
    """
    points = np.asarray(shapely.points(rest.splits[:, 2:].astype(np.float64)), dtype=object)
    is_own = np.ones(len(points), dtype=np.bool_)
    if faces and len(points):
        known = shapely.STRtree([one.geometry for one in faces])
        is_own[known.query(points, predicate="dwithin", distance=ROUNDING_MM)[0]] = False
    return [
        Finding(DefectKind.UNMATCHED_EDGE, tuple(sorted({int(edge), int(vertex)})), point, 0.0)
        for (edge, vertex, _, _), point in zip(rest.splits[is_own], points[is_own], strict=True)
    ]
