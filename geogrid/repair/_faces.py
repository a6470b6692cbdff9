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
from geogrid.repair._suspects import Suspects, on_pixel

if TYPE_CHECKING:
    from geogrid.planar.lattice import Millimetres
    from geogrid.repair._ground import Ground, Shapes

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
        Nodes that the noding put on borders of locked cells, in millimetres, shape (n, 2).
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
    pieces = shapely.get_parts([noded])
    faces = np.asarray(shapely.get_parts(shapely.polygonize(pieces)), dtype=object)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Rings:
    """Rings of polygons in whole millimetres, and the nodes in whose pixel their edges pass.

    ``place`` is the vertex before which each of ``nodes`` comes, in the order of the walk.
    """

    xy: Millimetres
    offsets: tuple[npt.NDArray[np.int32], ...]
    place: Indices
    nodes: Millimetres

    @classmethod
    def of(cls, polygons: Shapes, nodes: Millimetres) -> _Rings:
        _, xy, offsets = shapely.to_ragged_array(polygons)
        whole = np.rint(xy).astype(np.int64)
        starts = np.ones(len(whole), dtype=np.bool_)
        starts[offsets[0][1:] - 1] = False
        edge = np.flatnonzero(starts)
        lines = shapely.linestrings(np.stack((whole[edge], whole[edge + 1]), axis=1).astype(float))
        tree = shapely.STRtree(np.asarray(shapely.points(nodes.astype(np.float64)), dtype=object))
        line, node = tree.query(lines, predicate="dwithin", distance=1.0)
        passes, _, along = on_pixel(whole[edge[line]], whole[edge[line] + 1], nodes[node])
        line, node, along = line[passes], node[passes], along[passes]
        order = np.lexsort((along, line))
        return cls(whole, offsets, edge[line[order]] + 1, nodes[node[order]])

    def bent(self) -> Shapes:
        """Give the polygons the nodes, as the noding did."""
        xy = np.insert(self.xy, self.place, self.nodes, axis=0).astype(np.float64)
        rings = self.offsets[0] + np.searchsorted(self.place, self.offsets[0], side="left")
        whole = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, xy, (rings, *self.offsets[1:])
        )
        result = np.asarray(whole, dtype=object)
        broken = ~shapely.is_valid(result)
        result[broken] = shapely.make_valid(
            result[broken], method="structure", keep_collapsed=False
        )
        return result

    def added(self, of_polygon: Flags) -> Millimetres:
        """Return the nodes that some polygons did not have, each once."""
        ring = np.searchsorted(self.offsets[0], self.place - 1, side="right") - 1
        polygon = np.searchsorted(self.offsets[1], ring, side="right") - 1
        return np.unique(self.nodes[of_polygon[polygon]], axis=0)


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
    lines = np.concatenate((line_work(ground.cells[rows]), found.limit_lines))
    faces = _judge(ground, rows, found, lines, index)
    cuts = _strip_cuts(ground, rows, found, faces)
    if len(cuts):
        faces = _judge(ground, rows, found, np.concatenate((lines, cuts)), index)
    return faces


def _judge(
    ground: Ground, rows: Indices, found: Suspects, lines: Shapes, index: CellIndex
) -> Faces:
    shapes, nodes = _polygonize(lines)
    points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
    # Part by part: noding may pinch a thin part in two, and it was one all the same.
    parts, owner = shapely.get_parts(ground.cells[rows], return_index=True)
    bodies = shapely.get_parts([ground.limit])
    rings = _Rings.of(np.concatenate((parts, bodies)), nodes)
    bent = rings.bent()
    face, part = shapely.STRtree(bent[: len(parts)]).query(points, predicate="intersects")
    order = np.lexsort((part, face))
    order = order[np.unique(face[order] * len(rows) + owner[part[order]], return_index=True)[1]]
    face, part = face[order], part[order]
    body = np.full(len(shapes), -1, dtype=np.int64)
    holder, inside = shapely.STRtree(points).query(bent[len(parts) :], predicate="intersects")
    body[inside] = holder
    # Cells that nobody suspects may lie inside a ring of suspects: that face is theirs.
    bare = np.setdiff1d(np.arange(len(shapes)), face)
    at, cell = index.query(points[bare])
    body[bare[at[~np.isin(cell, rows)]]] = -1
    at_limit = np.zeros(len(shapes), dtype=np.bool_)
    if len(found.limit_ends):
        limit_lines = shapely.STRtree(found.limit_lines)
        at_limit[limit_lines.query(shapes, predicate="dwithin", distance=1.0)[0]] = True
    return Faces(
        shapes=shapes,
        area_m2=np.asarray(shapely.area(shapes) / 1e6, dtype=np.float64),
        body=body,
        at_limit=at_limit,
        face=face,
        cell=rows[owner[part]],
        part=part,
        slack=rings.added(np.append(ground.is_locked[rows[owner]], [False] * len(bodies))),
        origin=ground.origin,
    )


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
