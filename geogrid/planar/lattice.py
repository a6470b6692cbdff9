"""The millimetre lattice on which every border lives.

Coordinates are stored as doubles in metres, each the nearest double to a whole number of
millimetres. Proofs turn them back into those whole numbers, so nothing is lost on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.errors import InputError

__all__ = ["GRID_M", "MAX_SPAN_MM", "origin_mm", "round_coordinates", "snap", "to_mm"]

# Far below what anybody draws or measures, far above the rounding of doubles at 40,000 km.
GRID_M = 0.001
_PER_METRE = 1000.0

# Differences below 2**30 keep every cross product of two of them inside 64 bits: 1,073 km.
MAX_SPAN_MM = 2**30

Coordinates = npt.NDArray[np.float64]
Millimetres = npt.NDArray[np.int64]


def round_coordinates(xy: Coordinates) -> Coordinates:
    """Round metres to the lattice."""
    return np.round(xy * _PER_METRE) / _PER_METRE


def snap(geometries: Any) -> Any:  # noqa: ANN401 - shapely's own scalar-or-array signature
    """Move geometries to the lattice, valid where they were valid.

    Parameters
    ----------
    geometries
        One geometry or an array of them, in metres.

    Returns
    -------
    Geometry or ndarray
        What collapses (thinner than the lattice) comes back empty.
    """
    flat = shapely.force_2d(geometries)
    snapped = shapely.set_precision(flat, GRID_M)
    return shapely.transform(snapped, round_coordinates)


def to_mm(xy: Coordinates, origin: Millimetres | None = None) -> Millimetres:
    """Turn metres into whole millimetres from ``origin`` (2,), rounding to the nearest."""
    whole = np.rint(xy * _PER_METRE).astype(np.int64)
    return whole if origin is None else whole - origin


def origin_mm(xy: Millimetres) -> Millimetres:
    """Return the lower left corner of whole-millimetre coordinates.

    Raises
    ------
    InputError
        If they span more than 1,073 km, where integer proofs would overflow.
    """
    if not len(xy):
        return np.zeros(2, dtype=np.int64)
    low: Millimetres = xy.min(axis=0)
    if int((xy.max(axis=0) - low).max()) >= MAX_SPAN_MM:
        msg = "the geometries span more than 1,073 km: check their coordinate system"
        raise InputError(msg)
    return low
