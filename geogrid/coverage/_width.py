"""How wide a face is at its widest, and what that means to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

__all__ = ["ROUNDING_MM", "greatest_width_m", "severity_of", "widths"]

# Below a lattice step a border differs only by rounding.
ROUNDING_MM = 1.0
# Width classes in metres: a hairline is invisible on any map, a sliver is no place to live.
_ROUNDING_M, _HAIRLINE_M, _SLIVER_M = 0.001, 0.05, 2.0
# The inscribed circle is searched to a share of the mean width; thinner faces are strips.
_STRIP = 0.03
_TRIANGLE = 4
# Searching a circle takes a millisecond: beyond so many, the smaller faces get their mean width.
_MOST_CIRCLES = 1_000


def widths(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Diameters of the largest circles inside polygons; of a long strip, its mean width."""
    area, length = shapely.area(shapes), shapely.length(shapes)
    mean = np.divide(2 * area, length, out=np.zeros(len(shapes)), where=length > 0)
    bounds = shapely.bounds(shapes)
    extent = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    is_triangle = shapely.get_num_coordinates(shapes) == _TRIANGLE
    result = np.where(is_triangle, 2 * mean, mean)
    blobs = np.flatnonzero(~is_triangle & (mean > 0) & (mean >= _STRIP * extent))
    largest = blobs[np.argsort(-area[blobs], kind="stable")[:_MOST_CIRCLES]]
    circles = shapely.maximum_inscribed_circle(shapes[largest], tolerance=mean[largest] / 20)
    result[largest] = 2 * shapely.length(circles)
    return result


def greatest_width_m(shape: BaseGeometry) -> float:
    """Diameter of the largest circle inside a polygon; of a long strip, its mean width."""
    return float(widths(np.array([shape], dtype=object))[0])


def severity_of(width_m: float) -> str:
    """Grade a width in metres: ``rounding``, ``hairline``, ``sliver`` or ``real``."""
    if width_m <= _ROUNDING_M:
        return "rounding"
    if width_m <= _HAIRLINE_M:
        return "hairline"
    return "sliver" if width_m <= _SLIVER_M else "real"
