"""The shapes of an edited layer from those of the version before: only what is near is made anew.

How a zoom draws a feature depends on those that it touches, because borders are simplified once for
both sides. An area that gets its detail back changes its neighbours, which may have to be mended
for it: so much can change three neighbours away from an edit, and two more decide how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.tiles._flat import joined
from geogrid.tiles._zoom import ZoomShapes, ground_of, zoom_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS

    from geogrid.tiles._flat import Dimension, Objects
    from geogrid.tiles._ragged import Flags, Indices

__all__ = ["patched"]

_CHANGING, _DECIDING = 3, 2


def patched(
    ready: Mapping[int, ZoomShapes],
    shapes: tuple[Objects, Objects],
    old_row: Indices,
    *,
    crs: CRS | None,
    dimension: Dimension,
    max_zoom: int,
) -> dict[int, ZoomShapes]:
    """Return the shapes of the same zooms for a newer version, as if they were all made anew.

    Parameters
    ----------
    ready
        By zoom, the shapes of the older version.
    shapes
        Those of the older and of the newer version in ``crs``.
    old_row
        For each newer shape the row of its feature in the older version, -1 if it is new.
    crs, dimension, max_zoom
        Of both versions.
    """
    old, new = shapes
    # An old shape that is still there, to the bit; two empty ones are.
    is_kept = old_row >= 0
    is_kept[is_kept] = shapely.equals_identical(old[old_row[is_kept]], new[is_kept])
    gone = np.ones(len(old), dtype=np.bool_)
    gone[old_row[is_kept]] = False
    if is_kept.all() and not gone.any() and (old_row == np.arange(len(old))).all():
        return dict(ready)
    changing, known = _around(np.concatenate((old[gone], new[~is_kept])), new, ~is_kept)
    ground = ground_of(new[known], crs, dimension)
    place = np.flatnonzero(changing[known])
    order = np.where(changing, 0, old_row)
    order[changing] = len(old) + place
    found = {}
    for zoom, before in ready.items():
        near = zoom_shapes(ground, zoom, is_finest=zoom >= max_zoom)
        found[zoom] = ZoomShapes(
            joined((before.flat, near.flat)).take(order),
            np.concatenate((before.boxes, near.boxes))[order],
            np.concatenate((before.is_mended, near.is_mended))[order],
        )
    return found


def _around(changed: Objects, new: Objects, is_new: Flags) -> tuple[Flags, Flags]:
    """Return which shapes may be drawn differently, and which ones decide how."""
    # A tree finds shapes by their boxes; what is empty is in no box.
    tree = shapely.STRtree(new)
    seen = is_new.copy()
    edge = changed
    changing = seen
    for step in range(_CHANGING + _DECIDING):
        near = np.unique(tree.query(edge)[1])
        fresh = near[~seen[near]]
        seen = seen.copy()
        seen[fresh] = True
        edge = new[fresh]
        if step == _CHANGING - 1:
            changing = seen
    return changing, seen
