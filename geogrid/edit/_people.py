"""Where households are after borders moved: by their points, or where they were.

A household belongs to the atom that holds its point. Where the points of the redrawn atoms are
given, and count what the plan counts there, they are located anew. Else all households of an
atom stay with the atom's id, which the largest piece keeps: they are never spread by area nor
put at an inner point, and the change says how many of them were not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.model.counts import household_counts

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.edit._draft import Draft, Indices

__all__ = ["share_out"]

# A node is rounded to the lattice, and bends its edge by less than this.
_ROUNDING_M = 0.001


def share_out(draft: Draft, before: Indices) -> None:
    """Put the households of redrawn atoms where their points are.

    Parameters
    ----------
    before
        Households of the plan's atoms.
    """
    rows = _moved_rows(draft)
    if not len(rows):
        return
    old = np.unique(draft.origin[rows])
    if draft.households is None or not _by_points(draft, draft.households, rows, old, before):
        held = int(before[old].sum())
        draft.estimated += held


def _moved_rows(draft: Draft) -> Indices:
    """Return the atoms whose ground is another, not those that only got a node."""
    rows = np.array(sorted(draft.redrawn), dtype=np.int64)
    base = draft.plan.atoms.frame.geometry.to_numpy()
    same = np.array(
        [
            row not in draft.cut
            and row < len(base)
            and _is_same_ground(draft.shapes[row], base[draft.origin[row]])
            for row in rows.tolist()
        ],
        dtype=bool,
    )
    return rows[~same] if len(rows) else rows


def _is_same_ground(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Tell whether a polygon only got nodes, which move its border by less than a millimetre."""
    if abs(one.area - other.area) > _ROUNDING_M * other.length:
        return False
    now, then = (set(map(tuple, shapely.get_coordinates(shape).tolist())) for shape in (one, other))
    return now >= then


def _by_points(
    draft: Draft, points: gpd.GeoDataFrame, rows: Indices, old: Indices, before: Indices
) -> bool:
    """Locate points anew; tell whether they were what the plan counted."""
    base = draft.plan.atoms.frame.geometry.to_numpy()[old]
    near = np.unique(points.sindex.query(base, predicate="intersects")[1])
    shapes = points.geometry.to_numpy()[near]
    counts = household_counts(points.iloc[near])
    there = _located(shapes, base, draft.ids[old])
    ours = there >= 0
    held = np.bincount(there[ours], counts[ours], minlength=len(old)).astype(np.int64)
    listed = {str(key) for key in draft.plan.rosters}
    names = _names(points, near, needed=bool(listed))
    if (held != before[old]).any() or names is None:
        return False
    now = _located(shapes[ours], draft.shapes[rows], draft.ids[rows])
    if (now < 0).any():
        return False
    draft.people[rows] = np.bincount(now, counts[ours], minlength=len(rows)).astype(np.int64)
    own = names[ours]
    draft.placed |= {
        str(name): str(draft.ids[rows[at]])
        for name, at in zip(own.tolist(), now.tolist(), strict=True)
        if name
    }
    return True


def _names(
    points: gpd.GeoDataFrame, near: npt.NDArray[np.intp], *, needed: bool
) -> npt.NDArray[np.object_] | None:
    """Return the ids of households; ``None`` where lists need them and there are none."""
    if "household_id" in points:
        return points["household_id"].astype(str).to_numpy(object)[near]
    return None if needed else np.full(len(near), "", dtype=object)


def _located(
    places: npt.NDArray[np.object_],
    shapes: npt.NDArray[np.object_],
    ids: npt.NDArray[np.object_],
) -> Indices:
    """Return which polygon holds each place, -1 none; on a border that of the lowest id."""
    shape, place = shapely.STRtree(places).query(shapes, predicate="intersects")
    rank = np.argsort(np.argsort(ids.astype(str), kind="stable"))
    order = np.lexsort((rank[shape], place))
    held, first = np.unique(place[order], return_index=True)
    found = np.full(len(places), -1, dtype=np.int64)
    found[held] = shape[order][first]
    return found
