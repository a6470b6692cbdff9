"""Faces between left-over edges: what is wrong, where, how wide, how big."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.coverage._cancel import edge_lines
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geogrid.coverage._cancel import Remainder

__all__ = ["Finding", "exact_vertices", "find_faces", "greatest_width_m", "severity_of"]

# Below a lattice step a border differs only by rounding.
_ROUNDING_MM = 1.0
# Width classes in metres: a hairline is invisible on any map, a sliver is no place to live.
_HAIRLINE_M, _SLIVER_M = 0.05, 2.0
_ROUNDING_M = 0.001
# The inscribed circle is searched to a share of the mean width; thinner faces are strips.
_STRIP = 0.01

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One defect: positions of the cells it concerns, and its geometry in metres."""

    kind: DefectKind
    cells: tuple[int, ...]
    geometry: BaseGeometry
    width_m: float


def greatest_width_m(shape: BaseGeometry) -> float:
    """Diameter of the largest circle inside a polygon; of a long strip, its mean width."""
    if shape.is_empty or shape.area == 0:
        return 0.0
    west, south, east, north = shape.bounds
    extent = max(east - west, north - south)
    mean = float(2 * shape.area / shape.length)
    if mean < _STRIP * extent:
        return mean
    circles = shapely.maximum_inscribed_circle([shape], tolerance=mean / 50)
    return 2 * float(shapely.length(circles)[0])


def severity_of(width_m: float) -> str:
    """Grade a width in metres: ``rounding``, ``hairline``, ``sliver`` or ``real``."""
    if width_m <= _ROUNDING_M:
        return "rounding"
    if width_m <= _HAIRLINE_M:
        return "hairline"
    return "sliver" if width_m <= _SLIVER_M else "real"


def _arrangement(rest: Remainder) -> Shapes:
    """Return the faces in which the cells there and the limit do not change.

    Between left-over edges only the *difference* of cells and limit is constant: a spill over the
    limit and an overlap inside it are one face, with a border between them that has cancelled.
    So every edge that runs through such a face cuts it too.
    """
    noded = shapely.union_all(rest.lines)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([noded])))
    edges = rest.edges
    once = np.flatnonzero(edges.tail < edges.head)
    back = np.flatnonzero(edges.tail > edges.head)
    key = edges.undirected()[0]
    single = np.concatenate((once, back[~np.isin(key[back], key[once])]))
    lines = edge_lines(edges, single)
    near = np.unique(shapely.STRtree(faces).query(lines, predicate="intersects")[0])
    noded = shapely.union_all(np.concatenate((rest.lines, lines[near])))
    return shapely.get_parts(shapely.polygonize(shapely.get_parts([noded])))


def _cover(faces: Shapes, cells: Shapes, limit: BaseGeometry) -> pd.DataFrame:
    """Return each face's inner point judged: the cells there, and whether the limit is."""
    points = shapely.point_on_surface(faces)
    tree = shapely.STRtree(cells)
    face, cell = tree.query(points, predicate="intersects")
    order = np.lexsort((cell, face))
    held = pd.Series(cell[order]).groupby(face[order]).agg(tuple)
    covers = [held.get(number, ()) for number in range(len(faces))]
    return pd.DataFrame({"cells": covers, "in_limit": shapely.intersects(limit, points)})


def _kinds(cells: tuple[int, ...], *, in_limit: bool) -> list[DefectKind]:
    kinds = []
    if in_limit and not cells:
        kinds.append(DefectKind.GAP)
    if not in_limit and cells:
        kinds.append(DefectKind.OUTSIDE)
    if len(cells) > 1:
        kinds.append(DefectKind.OVERLAP)
    return kinds


def find_faces(rest: Remainder, cells: Shapes, limit: BaseGeometry) -> list[Finding]:
    """Classify what left-over edges enclose.

    Parameters
    ----------
    rest
        The remainder of cancelling.
    cells
        Valid polygons in whole millimetres from the remainder's origin.
    limit
        The limit in the same frame.

    Returns
    -------
    list of Finding
        Geometry still in millimetres; kinds gap, overlap, outside, inside_short, and
        unmatched_edge for what is no wider than a lattice step.
    """
    if not len(rest.left):
        return []
    faces = _arrangement(rest)
    judged = _cover(faces, cells, limit)
    groups: dict[tuple[DefectKind, tuple[int, ...]], list[int]] = {}
    for number, (held, in_limit) in enumerate(
        zip(judged["cells"], judged["in_limit"], strict=True)
    ):
        for kind in _kinds(held, in_limit=bool(in_limit)):
            groups.setdefault((kind, held), []).append(number)
    tree = shapely.STRtree(cells)
    border = shapely.boundary(limit)
    shapely.prepare(border)
    findings = []
    for (kind, held), members in groups.items():
        parts = shapely.get_parts([shapely.union_all(faces[members])])
        findings += [_finding(kind, held, part, tree, border) for part in parts]
    return [*_merge_rounding(findings), *_loose_edges(rest, findings)]


def _finding(
    kind: DefectKind,
    held: tuple[int, ...],
    part: BaseGeometry,
    tree: shapely.STRtree,
    border: BaseGeometry,
) -> Finding:
    width = greatest_width_m(part)
    cells = held
    if not held:
        near = tree.query(part, predicate="dwithin", distance=_ROUNDING_MM)
        cells = tuple(sorted(int(one) for one in near))
        if shapely.dwithin(border, part, _ROUNDING_MM):
            kind = DefectKind.INSIDE_SHORT
    if width <= _ROUNDING_MM:
        kind = DefectKind.UNMATCHED_EDGE
        if held:
            near = tree.query(part, predicate="dwithin", distance=_ROUNDING_MM)
            cells = tuple(sorted(int(one) for one in near))
    return Finding(kind, cells, part, width)


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
        is_loose[known.query(middle, predicate="dwithin", distance=_ROUNDING_MM)[0]] = False
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
        is_own[known.query(points, predicate="dwithin", distance=_ROUNDING_MM)[0]] = False
    return [
        Finding(DefectKind.UNMATCHED_EDGE, tuple(sorted({int(edge), int(vertex)})), point, 0.0)
        for (edge, vertex, _, _), point in zip(rest.splits[is_own], points[is_own], strict=True)
    ]
