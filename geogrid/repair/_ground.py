"""Cells and limit in whole millimetres from one origin, and the way back to what came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import MAX_SPAN_MM, Millimetres, origin_mm, to_mm
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = ["Ground", "Shapes", "ground_of", "match_vertices", "same_shapes"]

Shapes = npt.NDArray[np.object_]
Coordinates = npt.NDArray[np.float64]
_MM = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What is mended.

    Attributes
    ----------
    cells_m
        Cells in metres as they came; the invalid ones made valid.
    cells
        The same in whole millimetres from ``origin``.
    limit_m, limit
        The limit in metres and in millimetres.
    origin
        Lower left corner in whole millimetres.
    is_locked
        Whether a cell must not change.
    made_valid
        Whether a cell was invalid before, or had lines with it.
    keys, raw
        Every vertex that came in, by its lattice point: sorted keys and the coordinates in metres
        that most of its polygons have there.
    differs
        Whether any two polygons differ by less than the lattice somewhere.
    """

    cells_m: Shapes
    cells: Shapes
    limit_m: BaseGeometry
    limit: BaseGeometry
    origin: Millimetres
    is_locked: npt.NDArray[np.bool_]
    made_valid: npt.NDArray[np.bool_]
    keys: npt.NDArray[np.int64]
    raw: Coordinates
    differs: bool

    def to_metres(self, shapes: Shapes) -> Shapes:
        """Turn millimetres into metres, with the very coordinates that came in where they did."""

        def back(xy: Coordinates) -> Coordinates:
            whole = np.rint(xy).astype(np.int64)
            key = _keys(whole)
            at = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
            known = (self.keys[at] == key)[:, None]
            return np.where(known, self.raw[at], (whole + self.origin) / _MM)

        return np.asarray(shapely.transform(shapes, back), dtype=object)


def _keys(whole: Millimetres) -> npt.NDArray[np.int64]:
    """One number a lattice point."""
    return (whole[:, 0] + MAX_SPAN_MM // 2 << 31) | (whole[:, 1] + MAX_SPAN_MM // 2)


def _valid(shapes: Shapes) -> tuple[Shapes, npt.NDArray[np.bool_]]:
    """Make invalid polygons valid by their rings' structure; spikes and lines vanish."""
    bad = ~shapely.is_valid(shapes)
    if not bad.any():
        return shapes, bad
    sound = shapes.copy()
    rows = np.flatnonzero(bad)
    for row in rows:
        mended = shapely.make_valid(shapes[row], method="structure", keep_collapsed=False)
        parts = shapely.get_parts([as_multipolygon(shapely.set_precision(mended, 1.0))])
        parts = parts[~shapely.is_empty(parts)]
        # A cell with no area at all cannot be made valid: it stays for a person.
        if len(parts):
            sound[row] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
        else:
            bad[row] = False
    return sound, bad


def ground_of(
    cells_m: Shapes,
    limit_m: BaseGeometry,
    *,
    is_locked: npt.NDArray[np.bool_],
    is_mixed: npt.NDArray[np.bool_],
) -> Ground:
    """Bring cells and limit onto the lattice.

    Parameters
    ----------
    cells_m, limit_m
        Polygons in metres.
    is_locked
        Cells that do not change; theirs win where polygons differ below the lattice.
    is_mixed
        Cells that came with lines or points.
    """
    raw, owner = shapely.get_coordinates([*cells_m, limit_m], return_index=True)
    whole = to_mm(raw)
    origin = origin_mm(whole)
    rounded = shapely.transform(cells_m, lambda xy: np.rint(xy * _MM) - origin)
    cells, made_valid = _valid(np.asarray(rounded, dtype=object))
    made_valid = (made_valid | (is_mixed & ~shapely.is_empty(cells))) & ~is_locked
    keys, common, differs = _common_vertices(
        _keys(whole - origin), raw, owner, np.append(is_locked, values=False)[owner]
    )
    cells_m = cells_m.copy()
    cells_m[made_valid] = shapely.transform(cells[made_valid], lambda xy: (xy + origin) / _MM)
    limit = shapely.transform(limit_m, lambda xy: np.rint(xy * _MM) - origin)
    return Ground(
        cells_m=cells_m,
        cells=cells,
        limit_m=limit_m,
        limit=limit,
        origin=origin,
        is_locked=is_locked,
        made_valid=made_valid,
        keys=keys,
        raw=common,
        differs=differs,
    )


def _common_vertices(
    key: npt.NDArray[np.int64],
    raw: Coordinates,
    owner: npt.NDArray[np.int64],
    is_locked: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], Coordinates, bool]:
    """Choose one coordinate pair a lattice point: a locked cell's, else the commonest.

    Of equally common ones the nearest to the lattice wins: it is the one that nobody moved.
    """
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    stop = np.r_[first[1:], len(key)]
    points = raw[order]
    common = points[first]
    run = np.repeat(np.arange(len(first)), stop - first)
    differs = np.unique(run[(points != common[run]).any(axis=1)])
    for one in differs:
        rows = order[first[one] : stop[one]]
        rows = rows[is_locked[rows]] if is_locked[rows].any() else rows
        # A ring names its first vertex twice, but has one vote.
        votes = np.unique(np.column_stack((owner[rows], raw[rows])), axis=0)[:, 1:]
        found, counts = np.unique(votes, axis=0, return_counts=True)
        off_m = np.abs(found - np.rint(found * _MM) / _MM).sum(axis=1)
        common[one] = found[np.lexsort((off_m, -counts))[0]]
    return ordered[first], common, len(differs) > 0


def match_vertices(ground: Ground, rows: npt.NDArray[np.int64]) -> tuple[Shapes, Shapes]:
    """Give cells the common coordinates where they differ from them below the lattice.

    Returns
    -------
    rows, shapes
        The cells that differ, and their new shapes in metres.
    """
    xy, owner = shapely.get_coordinates(ground.cells_m[rows], return_index=True)
    at = np.searchsorted(ground.keys, _keys(to_mm(xy, ground.origin)))
    at = np.minimum(at, len(ground.keys) - 1)
    differing = rows[np.unique(owner[(ground.raw[at] != xy).any(axis=1)])]
    in_mm = shapely.transform(
        ground.cells_m[differing], lambda part: np.rint(part * _MM) - ground.origin
    )
    return differing, ground.to_metres(np.asarray(in_mm, dtype=object))


def same_shapes(shapes: Shapes, others: Shapes) -> npt.NDArray[np.bool_]:
    """Tell which polygons are equal vertex for vertex, wherever their rings start."""
    counts = shapely.get_num_coordinates(shapes) == shapely.get_num_coordinates(others)
    same = np.zeros(len(shapes), dtype=np.bool_)
    maybe = np.flatnonzero(counts)
    same[maybe] = shapely.equals_exact(
        shapely.normalize(_as_parts(shapes[maybe])), shapely.normalize(_as_parts(others[maybe]))
    )
    return same


def _as_parts(shapes: Shapes) -> Shapes:
    """Return multipolygons of one part as polygons."""
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOLYGON) & (
        shapely.get_num_geometries(shapes) == 1
    )
    plain = shapes.copy()
    plain[single] = shapely.get_geometry(shapes[single], 0)
    return plain
