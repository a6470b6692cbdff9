"""One noding of the suspicious borders: faces, and which cells each was part of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.edges import RookPairs, rook_pairs
from geogrid.planar.noding import line_work
from geogrid.planar.rings import pack, unpack
from geogrid.repair._rings import bent_edges, bent_rings, corner_nodes

if TYPE_CHECKING:
    from geogrid.planar.lattice import Millimetres
    from geogrid.repair._ground import Ground, Shapes
    from geogrid.repair._suspects import Suspects

__all__ = ["CellIndex", "Faces", "arrange", "widen"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# A neighbour lies along a strip, not at its end, from this many widths of common border on.
_ALONG_WIDTHS = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class CellIndex:
    """The cells that take part, and an index of them in millimetres."""

    rows: Indices
    tree: shapely.STRtree

    @classmethod
    def of(cls, ground: Ground, rows: Indices) -> CellIndex:
        """Index some of the cells."""
        return cls(rows, shapely.STRtree(ground.cells[rows]))

    def query(self, shapes: Shapes) -> tuple[Indices, Indices]:
        """Return which shapes meet which rows."""
        shape, position = self.tree.query(shapes, predicate="intersects")
        return shape, self.rows[position]


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces between the borders of the cells in question.

    Attributes
    ----------
    shapes
        Polygons in whole millimetres from the ground's origin.
    area_m2
        Their areas.
    body
        The part of the limit a face lies in, -1 outside and where other cells stand.
    at_limit
        Whether a face borders the limit.
    face, cell, part
        One row a cell that covers a face, sorted by face; the part of the cell that does.
    slack
        Nodes that the noding put on borders of locked cells, and those on the limit where no
        check would let it give way; in millimetres, shape (n, 2).
    origin
        The ground's origin.
    """

    shapes: Shapes
    area_m2: npt.NDArray[np.float64]
    body: Indices
    at_limit: Flags
    face: Indices
    cell: Indices
    part: Indices
    slack: Millimetres
    origin: Millimetres

    @property
    def in_limit(self) -> Flags:
        """Whether the cells in question are to cover a face."""
        return self.body >= 0

    def in_metres(self, rows: Indices) -> Shapes:
        """Return some faces in metres."""
        moved = shapely.transform(self.shapes[rows], lambda xy: (xy + self.origin) / 1000)
        return np.asarray(moved, dtype=object)

    @cached_property
    def pairs(self) -> RookPairs:
        """Faces that share a border, in metres."""
        return rook_pairs(self.in_metres(np.arange(len(self.shapes))))

    @property
    def covers(self) -> Indices:
        """How many cells cover each face."""
        return np.bincount(self.face, minlength=len(self.shapes)).astype(np.int64)


def _polygonize(lines: Shapes) -> tuple[Shapes, Millimetres]:
    """Node lines on whole millimetres; return the faces and the nodes."""
    noded = shapely.transform(shapely.union_all(lines, grid_size=1.0), np.rint)
    faces = np.asarray(shapely.get_parts(shapely.polygonize([noded])), dtype=object)
    nodes = np.unique(np.rint(shapely.get_coordinates(noded)).astype(np.int64), axis=0)
    return faces, nodes


def widen(ground: Ground, found: Suspects, index: CellIndex) -> Indices:
    """Return the cells in question: the suspects, and all that lie on or at a faulty face.

    The host of a nested cell has no left-over border, nor has a cell that a neighbour overlaps
    from end to end.

    Parameters
    ----------
    ground
        Limit and origin.
    found
        The left-over borders.
    index
        The cells that take part.
    """
    if not len(found.ends):
        return found.rows
    faces = _polygonize(found.lines)[0]
    points = shapely.point_on_surface(faces)
    covers = np.bincount(index.query(points)[0], minlength=len(faces))
    shapely.prepare(ground.limit)
    faulty = faces[covers != shapely.intersects(ground.limit, points).astype(int)]
    return np.union1d(found.rows, index.query(faulty)[1])


def arrange(ground: Ground, rows: Indices, found: Suspects, index: CellIndex) -> Faces:
    """Node the borders of cells and the left-over limit once, and see what each face is.

    Parameters
    ----------
    ground
        Cells and limit.
    rows
        The cells in question.
    found
        The left-over borders; the limit's are noded with the cells.
    index
        All cells that take part.
    """
    parts = _Parts.of(ground, rows, found)
    lines = np.concatenate((line_work(parts.shapes), parts.limit_lines))
    faces = _judge(ground, parts, found, lines, index)
    cuts = _strip_cuts(ground, rows, found, faces)
    if len(cuts):
        faces = _judge(ground, parts, found, np.concatenate((lines, cuts)), index)
    return faces


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The cells in question part by part, since noding may pinch a thin part that was one.

    Where cells are locked they never take a node, and neither does the limit. So both start with
    the vertices of others in whose pixel they pass: a border that has been fitted to them is not
    crossed, and noded, over and over.

    Attributes
    ----------
    shapes, owner
        Polygons, and the position of their cell in ``rows``.
    rows
        The cells in question.
    is_locked
        One flag a part.
    bodies
        The parts of the limit.
    limit_lines
        The limit's edges that take part.
    """

    shapes: Shapes
    owner: Indices
    rows: Indices
    is_locked: Flags
    bodies: Shapes
    limit_lines: Shapes

    @classmethod
    def of(cls, ground: Ground, rows: Indices, found: Suspects) -> _Parts:
        shapes, owner = shapely.get_parts(ground.cells[rows], return_index=True)
        bodies, lines = shapely.get_parts([ground.limit]), found.limit_lines
        is_locked = ground.is_locked[rows[owner]]
        if is_locked.any():
            free = _vertices(shapes[~is_locked])
            places = np.concatenate((free, found.limit_ends.reshape(-1, 2)))
            shapes[is_locked] = _plainly_bent(shapes[is_locked], np.unique(places, axis=0))
            places = np.unique(_vertices(ground.cells[rows]), axis=0)
            bodies, lines = _plainly_bent(bodies, places), bent_edges(found.limit_ends, places)
        return cls(shapes, owner, rows, is_locked, bodies, lines)


def _vertices(shapes: Shapes) -> Millimetres:
    return np.rint(shapely.get_coordinates(shapes)).astype(np.int64)


def _plainly_bent(polygons: Shapes, nodes: Millimetres) -> Shapes:
    """Bend polygons, but not those that would fall into pieces."""
    bent = bent_rings(polygons, nodes)
    return np.where(shapely.get_type_id(bent) == shapely.GeometryType.POLYGON, bent, polygons)


def _judge(
    ground: Ground, parts: _Parts, found: Suspects, lines: Shapes, index: CellIndex
) -> Faces:
    shapes, nodes = _polygonize(lines)
    points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
    rows, owner, count = parts.rows, parts.owner, len(parts.shapes)
    bent = bent_rings(np.concatenate((parts.shapes, parts.bodies)), nodes)
    face, part = shapely.STRtree(bent[:count]).query(points, predicate="intersects")
    order = np.lexsort((part, face))
    order = order[np.unique(face[order] * len(rows) + owner[part[order]], return_index=True)[1]]
    face, part = face[order], part[order]
    body = np.full(len(shapes), -1, dtype=np.int64)
    holder, inside = shapely.STRtree(points).query(bent[count:], predicate="intersects")
    body[inside] = holder
    # Cells that nobody suspects may lie inside a ring of suspects: that face is theirs.
    bare = np.setdiff1d(np.arange(len(shapes)), face)
    at, cell = index.query(points[bare])
    body[bare[at[~np.isin(cell, rows)]]] = -1
    at_limit = np.zeros(len(shapes), dtype=np.bool_)
    if len(found.limit_ends):
        limit_lines = shapely.STRtree(found.limit_lines)
        at_limit[limit_lines.query(shapes, predicate="dwithin", distance=1.0)[0]] = True
    locked = parts.is_locked
    added = _added(bent[:count][locked], ground.cells[rows[owner[locked]]])
    return Faces(
        shapes=shapes,
        area_m2=np.asarray(shapely.area(shapes) / 1e6, dtype=np.float64),
        body=body,
        at_limit=at_limit,
        face=face,
        cell=rows[owner[part]],
        part=part,
        slack=np.concatenate((added, corner_nodes(found.limit_ends, nodes))),
        origin=ground.origin,
    )


def _added(bent: Shapes, cells: Shapes) -> Millimetres:
    """Return the vertices that cells did not have before."""
    return unpack(np.setdiff1d(pack(_vertices(bent)), pack(_vertices(cells))))


def _strip_cuts(ground: Ground, rows: Indices, found: Suspects, faces: Faces) -> Shapes:
    """Lines that cut a strip between several cells and the limit from each common corner.

    Without them one cell would get the whole strip and run round the district.
    """
    strips = np.flatnonzero(faces.in_limit & faces.at_limit & (faces.covers == 0))
    if not len(strips) or not len(found.limit_ends):
        return np.zeros(0, dtype=object)
    width_m = 2 * faces.area_m2 / (shapely.length(faces.shapes) / 1000)
    tree = shapely.STRtree(ground.cells[rows])
    limit = found.limit_lines
    limit_tree = shapely.STRtree(limit)
    cuts = []
    for strip in strips:
        near = tree.query(faces.shapes[strip], predicate="intersects")
        border = shapely.boundary(faces.shapes[strip])
        shared = shapely.length(shapely.intersection(border, ground.cells[rows[near]])) / 1000
        along = near[shared > _ALONG_WIDTHS * width_m[strip]]
        corners = _common_corners(ground.cells[rows[along]], faces.shapes[strip])
        if not len(corners):
            continue
        _, nearest = limit_tree.query_nearest(corners, all_matches=False)
        lines = shapely.shortest_line(corners, limit[nearest])
        within = (shapely.length(lines) > 0) & shapely.covers(
            shapely.buffer(faces.shapes[strip], 1.0), lines
        )
        cuts += list(lines[within])
    return np.array(cuts, dtype=object)


def _common_corners(cells: Shapes, strip: shapely.Polygon) -> Shapes:
    """Vertices of a strip that at least two of the cells have."""
    own = [np.unique(shapely.get_coordinates(cell), axis=0) for cell in cells]
    if len(own) < 2:  # noqa: PLR2004 - a corner between two cells
        return np.zeros(0, dtype=object)
    points, counts = np.unique(np.concatenate(own), axis=0, return_counts=True)
    corners = np.asarray(shapely.points(points[counts > 1]), dtype=object)
    near = shapely.dwithin(shapely.boundary(strip), corners, 1.0)
    there: Shapes = corners[near]
    return there
