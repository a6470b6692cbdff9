"""Judge polygons alone: do they cover the limit exactly once, and if not, where not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.coverage._cancel import cancel, left_over
from geogrid.coverage._digest import digest_of
from geogrid.coverage._faces import (
    Finding,
    Site,
    exact_vertices,
    find_faces,
    site_of,
    summed,
)
from geogrid.coverage._frame import Frame, frame_of, has_valid_limit, valid_cells, with_mended_limit
from geogrid.coverage._households import household_findings
from geogrid.coverage._input import in_frame, limit_of, table_of
from geogrid.coverage._nesting import nesting_findings
from geogrid.coverage._notes import (
    mended_limit_note,
    rounding_notes,
    shared_code_notes,
    summary_notes,
    unseen_note,
)
from geogrid.coverage._rounding import rounding_findings
from geogrid.coverage._width import severity_of
from geogrid.model.counts import households_in
from geogrid.model.report import Certificate, CoverageReport, LevelProof
from geogrid.planar.crs import require_metric
from geogrid.planar.rings import LatticeRings, lattice_rings, unpack
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District
    from geogrid.planar.edges import DirectedEdges

    Indices = npt.NDArray[np.int64]

__all__ = ["verify_coverage"]

_MM = 1000.0
# Half a minute of classifying; a million slivers would take many and 10 GiB.
_MOST_EDGES = 200_000


def verify_coverage(
    cells: gpd.GeoDataFrame | gpd.GeoSeries,
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry | None = None,
    *,
    households: gpd.GeoDataFrame | None = None,
    parents: gpd.GeoDataFrame | None = None,
    limit_is_noded: bool = False,
) -> CoverageReport:
    """Prove that cells cover a limit exactly once, or say where they do not.

    Parameters
    ----------
    cells
        Polygons of any origin; ``code`` is made where absent. Degrees are converted to the metric
        frame of their district.
    limit
        What they should cover; without one, the cells' own outline with its holes filled.
    households
        Points with ``households`` (1 where absent): each must lie in exactly one cell.
    parents
        Cells of the level above with ``code``; each cell must lie in the one that its ``parent``
        column names, or else in the one that holds its inner point.
    limit_is_noded
        Whether the limit has a node wherever a border meets it, as in plan files. Then nothing
        gives way and a millimetre voids the proof; else the limit may move by less than one.

    Returns
    -------
    CoverageReport
        ``.is_proven``, ``.defects`` sorted by households, then area, and ``.certificate``.

    Raises
    ------
    InputError
        If there is no polygon.
    CrsError
        If coordinate systems are missing or cannot be brought together.
    """
    notes: list[str] = []
    table = table_of(cells)
    edge_limit = limit_of(limit, table, notes)
    if households is not None:
        households = in_frame(households, table, what="households")
    require_metric(table)
    frame = frame_of(table.geometry.to_numpy(), edge_limit)
    codes = table["code"].tolist()
    notes += shared_code_notes(codes)
    certificate, findings = _judged(frame, codes, notes, may_limit_move=not limit_is_noded)
    if households is not None:
        found, per_cell, outside = household_findings(frame.shapes[:-1], edge_limit, households)
        findings += found
        certificate = _with_households(certificate, int(per_cell.sum()))
        if outside:
            notes.append(
                f"{outside} 户在边界之外，不属于任何网格 "
                f"{outside} households lie outside the limit and belong to no cell"
            )
    if parents is not None:
        findings += nesting_findings(table, in_frame(parents, table, what="parents"))
    defects = _defect_table(findings, codes, households, table.crs)
    return CoverageReport(defects=defects, certificate=certificate, notes=tuple(notes))


def _judged(
    frame: Frame, codes: list[str], notes: list[str], *, may_limit_move: bool
) -> tuple[Certificate, list[Finding]]:
    """Cancel all edges, and classify what is left over.

    Validity and digests need none of the rest, so a second thread sees to them meanwhile.
    """
    with ThreadPoolExecutor(1) as beside:
        rings = lattice_rings(frame.shapes, origin=frame.origin, whole=frame.whole)
        limit_validity = beside.submit(has_valid_limit, frame)
        validity = beside.submit(valid_cells, frame, rings)
        digests = beside.submit(_digests, rings, frame.count, codes)
        off = beside.submit(rounding_findings, rings, frame)
        is_limit = np.arange(len(frame.shapes)) == frame.count
        left, undirected = left_over(rings.tail, rings.head, is_limit[rings.edge_owner])
        open_there = _Open(int(rings.twice_area[-1]))
        if len(left):
            open_there = _classified(frame, rings, left, validity, may_limit_move=may_limit_move)
        rounding = off.result()
        findings = [*_invalid(frame, validity.result()), *_multipart(frame), *open_there.findings]
        cells_digest, limit_digest = digests.result()
    if not limit_validity.result():
        notes.append(mended_limit_note())
        return _judged(with_mended_limit(frame), codes, notes, may_limit_move=may_limit_move)
    if open_there.unseen:
        notes.append(unseen_note(open_there.unseen))
    notes += rounding_notes(frame.moved_mm, open_there.limit_shift_mm, rounding)
    notes += summary_notes(findings)
    proof = LevelProof(
        level="",
        cells=len(codes),
        edges=undirected,
        twice_area_mm2=int(rings.twice_area[:-1].sum()),
        uncancelled=open_there.uncancelled,
        digest=cells_digest,
    )
    certificate = Certificate(
        limit_digest=limit_digest,
        limit_twice_area_mm2=open_there.limit_twice_area,
        limit_shift_mm=open_there.limit_shift_mm,
        levels=(proof,),
    )
    return certificate, findings + rounding


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """What cancelling left open: the limit as it was met, and what is wrong, in metres."""

    limit_twice_area: int
    uncancelled: int = 0
    unseen: int = 0
    limit_shift_mm: float = 0.0
    findings: tuple[Finding, ...] = ()


def _classified(
    frame: Frame,
    rings: LatticeRings,
    left: Indices,
    validity: Future[npt.NDArray[np.bool_]],
    *,
    may_limit_move: bool,
) -> _Open:
    left, unseen = _westernmost(rings, left)
    site = site_of(frame, rings, left)
    is_limit = np.arange(len(frame.shapes)) == frame.count
    rest = cancel(site.edges, site.left, is_limit, may_limit_move=may_limit_move)
    faces = _named(find_faces(rest, site), site, frame.count)
    is_valid = validity.result()
    there = [one for one in (*faces, *exact_vertices(rest, faces)) if not _is_echo(one, is_valid)]
    there = summed(there, site, may_limit_move=may_limit_move)
    if len(unseen):
        there.append(_unseen(frame, rings, unseen))
    return _Open(
        _twice_area(rest.edges, frame.count),
        len(rest.left) + len(unseen),
        len(unseen),
        rest.limit_shift_mm,
        tuple(_as_metres(there, frame)),
    )


def _digests(rings: LatticeRings, count: int, codes: list[str]) -> tuple[str, str]:
    limit = rings.span(count, count + 1)
    return (
        digest_of(rings.span(0, count), codes),
        digest_of(replace(limit, owner=limit.owner * 0), [""]),
    )


def _westernmost(rings: LatticeRings, left: Indices) -> tuple[Indices, Indices]:
    """Return the left-over edges to classify, and those that are too many for it."""
    if len(left) <= _MOST_EDGES:
        return left, left[:0]
    # Packed points sort by x first.
    order = np.argsort(np.minimum(rings.tail[left], rings.head[left]), kind="stable")
    return np.sort(left[order[:_MOST_EDGES]]), np.sort(left[order[_MOST_EDGES:]])


def _unseen(frame: Frame, rings: LatticeRings, edges: Indices) -> Finding:
    ends = np.stack((unpack(rings.tail[edges]), unpack(rings.head[edges])), axis=1)
    single = np.asarray(shapely.linestrings(ends.astype(np.float64)), dtype=object)
    lines: Any = shapely.multilinestrings(single)
    owners = np.unique(rings.edge_owner[edges])
    cells = tuple(owners[owners < frame.count].tolist())
    return Finding(DefectKind.UNMATCHED_EDGE, cells, lines, 0.0, is_summary=True)


def _twice_area(edges: DirectedEdges, owner: int) -> int:
    """Twice the area within the edges of one polygon, as they are now."""
    of_one = edges.owner == owner
    tail, head = edges.xy[edges.tail[of_one]], edges.xy[edges.head[of_one]]
    # Partial sums may wrap past 64 bits; the area itself fits, so wrapping cancels out.
    return int((tail[:, 0] * head[:, 1] - head[:, 0] * tail[:, 1]).sum())


def _with_households(certificate: Certificate, households: int) -> Certificate:
    proofs = tuple(replace(proof, households=households) for proof in certificate.levels)
    return replace(certificate, levels=proofs)


def _invalid(frame: Frame, is_valid: npt.NDArray[np.bool_]) -> list[Finding]:
    return [
        Finding(DefectKind.INVALID, (row,), frame.shapes[row], 0.0)
        for row in np.flatnonzero(~is_valid).tolist()
    ]


def _multipart(frame: Frame) -> list[Finding]:
    """Cells with several parts in one part of the limit."""
    several = np.flatnonzero(shapely.get_num_geometries(frame.shapes[:-1]) > 1)
    if not len(several):
        return []
    bodies = shapely.STRtree(shapely.get_parts(frame.shapes[-1:]))
    findings = []
    for row in several.tolist():
        parts = shapely.get_parts(frame.shapes[row : row + 1])
        part, body = bodies.query(shapely.point_on_surface(parts), predicate="intersects")
        if len(np.unique(body)) < len(part) or len(part) < len(parts):
            findings.append(Finding(DefectKind.MULTIPART, (row,), frame.shapes[row], 0.0))
    return findings


def _named(found: list[Finding], site: Site, count: int) -> list[Finding]:
    """Name overlaps after their cause: the same cell twice, or one cell inside another."""
    found = [
        replace(one, cells=one.cells[:-1]) if count in one.cells[-1:] else one for one in found
    ]
    pairs = [
        number
        for number, one in enumerate(found)
        if one.kind is DefectKind.OVERLAP and len(one.cells) == 2 and not one.is_summary  # noqa: PLR2004 - a pair
    ]
    first = site.cells_at([found[number].cells[0] for number in pairs])
    second = site.cells_at([found[number].cells[1] for number in pairs])
    shapes = _shapes([found[number] for number in pairs])
    same = _equal(first, second)
    is_one = _equal(shapes, first) | _equal(shapes, second)
    for number, one in enumerate(found):
        if one.kind is DefectKind.OVERLAP and len(one.cells) > 2 and not one.is_summary:  # noqa: PLR2004 - more than a pair
            several = site.cells_at(one.cells)
            if _equal(several[1:], np.repeat(several[:1], len(several) - 1)).all():
                found[number] = replace(one, kind=DefectKind.DUPLICATE)
    for number, is_same, is_inside in zip(pairs, same.tolist(), is_one.tolist(), strict=True):
        if is_same or is_inside:
            kind = DefectKind.DUPLICATE if is_same else DefectKind.NESTED
            found[number] = replace(found[number], kind=kind)
    return found


def _equal(one: npt.NDArray[np.object_], other: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Tell which shapes are the same ground; only pairs with the same bounds can be."""
    equal: npt.NDArray[np.bool_] = (shapely.bounds(one) == shapely.bounds(other)).all(axis=1)
    equal[equal] = shapely.equals(one[equal], other[equal])
    return equal


def _is_echo(one: Finding, is_valid: npt.NDArray[np.bool_]) -> bool:
    """Tell whether an unmatched edge only repeats that the limit or an invalid cell owns it."""
    if one.kind is not DefectKind.UNMATCHED_EDGE or one.width_m > 0:
        return False
    return not is_valid[list(one.cells)].any()


def _as_metres(findings: list[Finding], frame: Frame) -> list[Finding]:
    shapes = frame.to_metres(_shapes(findings))
    return [
        replace(one, geometry=shape, width_m=one.width_m / _MM)
        for one, shape in zip(findings, shapes, strict=True)
    ]


def _shapes(findings: list[Finding]) -> npt.NDArray[np.object_]:
    shapes = np.empty(len(findings), dtype=object)
    shapes[:] = [one.geometry for one in findings]
    return shapes


def _defect_table(
    findings: list[Finding],
    codes: list[str],
    households: gpd.GeoDataFrame | None,
    crs: Any,  # noqa: ANN401 - whatever geopandas takes
) -> gpd.GeoDataFrame:
    shapes = _shapes(findings)
    table = gpd.GeoDataFrame(
        {
            "kind": [one.kind.value for one in findings],
            "cells": [tuple(codes[row] for row in one.cells) for one in findings],
            "area_m2": shapely.area(shapes),
            "width_m": [one.width_m for one in findings],
            "households": households_in(shapes, households),
            "severity": [severity_of(one.width_m) if one.width_m else "" for one in findings],
            "level": "",
        },
        geometry=shapes,
        crs=crs,
    )
    order = ["households", "area_m2"]
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)
