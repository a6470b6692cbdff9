"""Judge polygons alone: do they cover the limit exactly once, and if not, where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage._cancel import Remainder, cancel, subset
from geogrid.coverage._digest import digest_of
from geogrid.coverage._faces import Finding, exact_vertices, find_faces, severity_of
from geogrid.coverage._households import household_counts, household_findings
from geogrid.coverage._nesting import nesting_findings
from geogrid.errors import CrsError, InputError
from geogrid.model.report import Certificate, CoverageReport, LevelProof
from geogrid.planar.crs import require_metric, to_metric
from geogrid.planar.edges import directed_edges
from geogrid.planar.lattice import origin_mm, to_mm
from geogrid.planar.noding import as_multipolygon
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District

__all__ = ["verify_coverage"]

_MM = 1000.0
_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """Cells and limit in whole millimetres from one origin."""

    cells: npt.NDArray[np.object_]
    limit: BaseGeometry
    origin: npt.NDArray[np.int64]

    def to_metres(self, shape: BaseGeometry) -> BaseGeometry:
        return shapely.transform(shape, lambda xy: (xy + self.origin) / _MM)


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
        If there is no polygon, or a parent code names no parent.
    CrsError
        If coordinate systems are missing or cannot be brought together.
    """
    table = _table_of(cells)
    notes: list[str] = []
    edge_limit = _limit_of(limit, table, notes)
    if households is not None:
        households = _in_frame(households, table)
    frame = _to_millimetres(table, edge_limit, notes)
    edges = directed_edges(np.append(table.geometry.to_numpy(), [edge_limit]), origin=frame.origin)
    is_limit = np.zeros(len(table) + 1, dtype=bool)
    is_limit[-1] = True
    rest = cancel(edges, is_limit, may_limit_move=not limit_is_noded)

    sound = _valid_cells(frame)
    findings = [*_invalid(frame), *_multipart(frame)]
    faces = [_named(one, frame) for one in find_faces(rest, sound, frame.limit)]
    findings += [
        _as_metres(one, frame)
        for one in (*faces, *exact_vertices(rest, faces))
        if not _is_echo(one, frame)
    ]
    per_cell, total = None, None
    if households is not None:
        found, per_cell, outside = household_findings(
            table.geometry.to_numpy(), edge_limit, households
        )
        findings += found
        total = int(per_cell.sum())
        if outside:
            notes.append(f"{outside} households lie outside the limit and belong to no cell")
    if parents is not None:
        found, uncancelled = nesting_findings(table, _in_frame(parents, table))
        findings += found
        if uncancelled == 0:
            notes.append("every child lies in its parent, edge for edge")
    if rest.limit_shift_mm > 0:
        notes.append(f"the limit moved by up to {rest.limit_shift_mm:.2f} mm to meet the cells")
    codes = table["code"].tolist()
    certificate = _certificate(rest, codes, total)
    defects = _defect_table(findings, codes, households, table.crs)
    return CoverageReport(defects=defects, certificate=certificate, notes=tuple(notes))


def _table_of(cells: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(geometry=cells) if isinstance(cells, gpd.GeoSeries) else cells
    shapes = frame.geometry.to_numpy()
    if not len(shapes) or not np.isin(shapely.get_type_id(shapes), _AREAS).any():
        msg = "there is no polygon to check: give a layer of grid cells"
        raise InputError(msg)
    if frame.crs is not None:
        frame = to_metric(frame)
    codes = frame["code"] if "code" in frame else pd.Series(range(1, len(frame) + 1))
    is_area = np.isin(shapely.get_type_id(frame.geometry.to_numpy()), _AREAS)
    keep = {"code": codes.astype(str).to_numpy()}
    if "parent" in frame:
        keep["parent"] = frame["parent"].astype(str).to_numpy()
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    shapes[~is_area] = shapely.Polygon()
    return gpd.GeoDataFrame(keep, geometry=shapes, crs=frame.crs)


def _in_frame(other: gpd.GeoDataFrame, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if other.crs == table.crs or other.crs is None or table.crs is None:
        return other
    return other.to_crs(table.crs)


def _limit_of(
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry | None,
    table: gpd.GeoDataFrame,
    notes: list[str],
) -> shapely.MultiPolygon:
    if limit is None:
        notes.append("no limit was given: the outline of the cells was taken, its holes filled")
        return _outline(table.geometry.to_numpy())
    if isinstance(limit, shapely.Geometry):
        return as_multipolygon(limit)
    if isinstance(limit, gpd.GeoDataFrame | gpd.GeoSeries):
        series = limit.geometry
        shape, crs = series.union_all() if len(series) > 1 else series.iloc[0], series.crs
    else:
        shape, crs = limit.limit, limit.crs
    if crs is not None and table.crs is not None and crs != table.crs:
        shape = gpd.GeoSeries([shape], crs=crs).to_crs(table.crs).iloc[0]
    if crs is not None and table.crs is None:
        msg = f"the limit is in {crs.name} but the cells have no coordinate system: set theirs"
        raise CrsError(msg)
    whole = as_multipolygon(shape)
    if whole.is_empty:
        msg = "the limit has no polygon: give the area that the cells should cover"
        raise InputError(msg)
    return whole


def _outline(shapes: npt.NDArray[np.object_]) -> shapely.MultiPolygon:
    sound = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    united = shapely.get_parts([as_multipolygon(shapely.union_all(sound))])
    return as_multipolygon(shapely.union_all(shapely.polygons(shapely.get_exterior_ring(united))))


def _to_millimetres(table: gpd.GeoDataFrame, limit: BaseGeometry, notes: list[str]) -> _Frame:
    require_metric(table)
    shapes = table.geometry.to_numpy()
    xy = shapely.get_coordinates([*shapes, limit])
    whole = to_mm(xy)
    moved = float(np.abs(whole / _MM - xy).max(initial=0.0)) * _MM
    # Doubles of 40,000 km resolve far less than a thousandth of the lattice.
    if moved > 1e-3:  # noqa: PLR2004 - explained above
        notes.append(f"coordinates were rounded to whole millimetres, by up to {moved:.2f} mm")
    origin = origin_mm(whole)
    return _Frame(
        shapely.transform(shapes, lambda part: np.rint(part * _MM) - origin),
        shapely.transform(limit, lambda part: np.rint(part * _MM) - origin),
        origin,
    )


def _valid_cells(frame: _Frame) -> npt.NDArray[np.object_]:
    is_valid = shapely.is_valid(frame.cells)
    if is_valid.all():
        return frame.cells
    cells = frame.cells.copy()
    cells[~is_valid] = [as_multipolygon(one) for one in shapely.make_valid(cells[~is_valid])]
    return cells


def _invalid(frame: _Frame) -> list[Finding]:
    bad = np.flatnonzero(~shapely.is_valid(frame.cells) | shapely.is_empty(frame.cells))
    return [
        Finding(DefectKind.INVALID, (int(row),), frame.to_metres(frame.cells[row]), 0.0)
        for row in bad
    ]


def _multipart(frame: _Frame) -> list[Finding]:
    """Cells with several parts in one part of the limit."""
    counts = shapely.get_num_geometries(frame.cells)
    bodies = shapely.STRtree(shapely.get_parts([frame.limit]))
    findings = []
    for row in np.flatnonzero(counts > 1):
        parts = shapely.get_parts([frame.cells[row]])
        part, body = bodies.query(shapely.point_on_surface(parts), predicate="intersects")
        if len(np.unique(body)) < len(part) or len(part) < len(parts):
            shape = frame.to_metres(frame.cells[row])
            findings.append(Finding(DefectKind.MULTIPART, (int(row),), shape, 0.0))
    return findings


def _named(one: Finding, frame: _Frame) -> Finding:
    """Name an overlap after its cause: the same cell twice, or one cell inside another."""
    cells = tuple(row for row in one.cells if row < len(frame.cells))
    kind = one.kind
    if kind is DefectKind.OVERLAP and len(cells) == 2:  # noqa: PLR2004 - a pair
        first, second = frame.cells[list(cells)]
        if shapely.equals(first, second):
            kind = DefectKind.DUPLICATE
        elif shapely.equals(one.geometry, first) or shapely.equals(one.geometry, second):
            kind = DefectKind.NESTED
    return Finding(kind, cells, one.geometry, one.width_m)


def _is_echo(one: Finding, frame: _Frame) -> bool:
    """Tell whether an unmatched edge only repeats that the limit or an invalid cell owns it."""
    if one.kind is not DefectKind.UNMATCHED_EDGE or one.width_m > 0:
        return False
    return all(not shapely.is_valid(frame.cells[row]) for row in one.cells)


def _as_metres(one: Finding, frame: _Frame) -> Finding:
    return Finding(one.kind, one.cells, frame.to_metres(one.geometry), one.width_m / _MM)


def _certificate(rest: Remainder, codes: list[str], households: int | None) -> Certificate:
    edges = rest.edges
    of_limit = edges.owner == len(codes)
    limit = subset(edges, of_limit, owner=np.zeros(int(of_limit.sum()), dtype=np.int64))
    proof = LevelProof(
        level="",
        cells=len(codes),
        edges=rest.undirected,
        twice_area_mm2=int(edges.twice_area[:-1].sum()),
        uncancelled=len(rest.left),
        digest=digest_of(subset(edges, ~of_limit), codes),
        households=households,
    )
    tail, head = limit.xy[limit.tail], limit.xy[limit.head]
    return Certificate(
        limit_digest=digest_of(limit, [""]),
        # Partial sums may wrap past 64 bits; the area itself fits, so wrapping cancels out.
        limit_twice_area_mm2=int((tail[:, 0] * head[:, 1] - head[:, 0] * tail[:, 1]).sum()),
        limit_shift_mm=rest.limit_shift_mm,
        levels=(proof,),
    )


def _defect_table(
    findings: list[Finding],
    codes: list[str],
    households: gpd.GeoDataFrame | None,
    crs: Any,  # noqa: ANN401 - whatever geopandas takes
) -> gpd.GeoDataFrame:
    shapes = np.empty(len(findings), dtype=object)
    shapes[:] = [one.geometry for one in findings]
    inside = np.zeros(len(findings), dtype=np.int64)
    if households is not None and len(findings):
        tree = shapely.STRtree(households.geometry.to_numpy())
        defect, point = tree.query(shapes, predicate="intersects")
        np.add.at(inside, defect, household_counts(households)[point])
    table = gpd.GeoDataFrame(
        {
            "kind": [one.kind.value for one in findings],
            "cells": [tuple(codes[row] for row in one.cells) for one in findings],
            "area_m2": shapely.area(shapes),
            "width_m": [one.width_m for one in findings],
            "households": inside,
            "severity": [severity_of(one.width_m) if one.width_m else "" for one in findings],
            "level": "",
        },
        geometry=shapes,
        crs=crs,
    )
    order = ["households", "area_m2"]
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)
