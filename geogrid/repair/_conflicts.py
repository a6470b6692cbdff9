"""What is kept for a person: duplicates, nested cells, and what locked cells keep open."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.model.counts import households_in
from geogrid.repair._owners import NOBODY, Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.report import CoverageReport
    from geogrid.repair._faces import Faces
    from geogrid.repair._ground import Ground, Shapes

__all__ = [
    "Conflict",
    "code_conflicts",
    "conflict_table",
    "groundless_conflicts",
    "left_conflicts",
    "locked_conflicts",
]

# Rounding and a limit that gives way move a border by less than this.
_REACH_M = 0.002


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """Rows of the cells, what is wrong, and where, in metres; the row kept aside for it."""

    kind: str
    cells: tuple[int, ...]
    geometry: BaseGeometry
    aside: int = NOBODY


def groundless_conflicts(ground: Ground, faces: Faces, rows: list[int]) -> list[Conflict]:
    """Say why each cell without ground of its own is kept aside."""
    found = []
    for row in rows:
        own = faces.face[faces.cell == row]
        inside = own[faces.in_limit[own]]
        others = np.unique(faces.cell[np.isin(faces.face, inside)])
        others = others[others != row]
        shape = ground.cells_m[row]
        if not len(inside):
            kind = "outside"
        elif shapely.equals(ground.cells[others], ground.cells[row]).any():
            kind = "duplicate"
        else:
            kind = "nested"
        found.append(Conflict(kind, tuple(sorted((row, *others.tolist()))), shape, row))
    return found


def locked_conflicts(
    faces: Faces, choice: Choice, is_locked: npt.NDArray[np.bool_]
) -> list[Conflict]:
    """List gaps that only locked cells border, and where locked cells overlap or spill."""
    found = []
    locked = is_locked[faces.cell]
    holders = np.bincount(faces.face[locked], minlength=len(faces.shapes))
    lost = np.flatnonzero(faces.in_limit & (choice.owner == NOBODY))
    wrong = np.flatnonzero((holders > 1) | ((holders > 0) & ~faces.in_limit))
    shapes = faces.in_metres(np.arange(len(faces.shapes)))
    for face in lost.tolist():
        left, right = faces.pairs.left == face, faces.pairs.right == face
        near = choice.owner[np.concatenate((faces.pairs.right[left], faces.pairs.left[right]))]
        cells = tuple(np.unique(near[near != NOBODY]).tolist())
        found.append(Conflict("gap", cells, shapes[face]))
    for face in wrong.tolist():
        cells = tuple(faces.cell[locked & (faces.face == face)].tolist())
        kind = "overlap" if faces.in_limit[face] else "outside"
        found.append(Conflict(kind, cells, shapes[face]))
    return found


def code_conflicts(
    codes: Sequence[str], lacks_code: npt.NDArray[np.bool_], shapes: Shapes
) -> list[Conflict]:
    """List cells without a code, and those that share one.

    Parameters
    ----------
    codes
        Code of every cell, a stand-in where it lacks one.
    lacks_code
        Whether it does.
    shapes
        Cells in metres.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, code in enumerate(codes):
        rows_of[code].append(row)
    found = [
        Conflict("missing_code", (row,), shapes[row]) for row in np.flatnonzero(lacks_code).tolist()
    ]
    found += [
        Conflict("repeated_code", tuple(rows), shapely.union_all(shapes[rows]))
        for rows in rows_of.values()
        if len(rows) > 1
    ]
    return found


def left_conflicts(
    report: CoverageReport, codes: Sequence[str], known: list[Conflict]
) -> list[Conflict]:
    """List what the check still finds and no conflict tells: a locked cell lacks a node, say.

    Parameters
    ----------
    report
        The check of the mended cells.
    codes
        Code of every cell.
    known
        Conflicts listed so far.
    """
    row_of = {code: row for row, code in reversed(list(enumerate(codes)))}
    aside = {one.aside for one in known}
    places = shapely.buffer([one.geometry for one in known if one.aside == NOBODY], _REACH_M)
    found = []
    defects = report.defects
    for kind, cells, shape in zip(
        defects["kind"], defects["cells"], defects.geometry.to_numpy(), strict=True
    ):
        rows = tuple(sorted(row_of[code] for code in cells))
        if aside.isdisjoint(rows) and not shapely.covers(places, shape).any():
            found.append(Conflict(kind, rows, shape))
    return found


def conflict_table(
    conflicts: list[Conflict],
    codes: Sequence[str],
    households: gpd.GeoDataFrame | None,
    crs: CRS | None,
) -> gpd.GeoDataFrame:
    """Return conflicts as a table, most households first."""
    shapes = np.empty(len(conflicts), dtype=object)
    shapes[:] = [one.geometry for one in conflicts]
    table = gpd.GeoDataFrame(
        {
            "kind": [one.kind for one in conflicts],
            "cell": [codes[one.aside] if one.aside != NOBODY else "" for one in conflicts],
            "cells": [tuple(codes[row] for row in one.cells) for one in conflicts],
            "area_m2": shapely.area(shapes),
            "households": households_in(shapes, households),
        },
        geometry=shapes,
        crs=crs,
    )
    order = ["households", "area_m2"]
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)
