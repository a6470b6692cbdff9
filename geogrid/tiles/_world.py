"""The world as whole numbers: Web Mercator cut so fine that every zoom is a shift of bits.

The square of EPSG:3857 is 2**31 units wide, 1.9 cm on the equator: the units of a tile of zoom 19.
Rounding to the units of a coarser zoom is integer arithmetic on these numbers alone, so that a
place has the same coordinates in every ring and in every tile.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer

from geogrid.errors import CrsError, InputError

if TYPE_CHECKING:
    from geogrid.tiles._ragged import Indices

__all__ = ["BUFFER", "EXTENT", "MAX_ZOOM", "check_tile", "degrees_of", "lattice", "to_zoom"]

EXTENT_BITS = 12
EXTENT = 1 << EXTENT_BITS
# Units that a tile shows beyond its edge, so that no line is seen to end there.
BUFFER = 64
MAX_ZOOM = 19

_BITS = EXTENT_BITS + MAX_ZOOM
_HALF_M = 20037508.342789244
# A millimetre, and as much in degrees: vertices that are nearer are the same place.
_PER_METRE, _PER_DEGREE = 1e3, 1e8


@lru_cache(maxsize=8)
def _transformer(crs: CRS) -> Transformer:
    return Transformer.from_crs(crs, 3857, always_xy=True)


def lattice(xy: npt.NDArray[np.float64], crs: CRS | None) -> tuple[Indices, Indices]:
    """Return the number of each vertex's place, and the places in units of the world.

    Parameters
    ----------
    xy
        Vertices in ``crs``, shape (vertices, 2).
    crs
        Their coordinate system.

    Raises
    ------
    CrsError
        If there is none.
    InputError
        If a vertex lies outside Web Mercator.
    """
    if crs is None:
        msg = "the layer is in plain local metres: tiles need a coordinate system, set one"
        raise CrsError(msg)
    if not len(xy):
        return np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64)
    scale = _PER_DEGREE if crs.is_geographic else _PER_METRE
    if not np.isfinite(xy).all():
        msg = "the layer has vertices that are not numbers: repair its shapes before making tiles"
        raise InputError(msg)
    whole = np.rint(xy * scale).astype(np.int64)
    low = whole.min(axis=0)
    span = int(whole[:, 1].max() - low[1]) + 1
    keys, place = np.unique(
        (whole[:, 0] - low[0]) * span + (whole[:, 1] - low[1]), return_inverse=True
    )
    x = (keys // span + low[0]) / scale
    y = (keys % span + low[1]) / scale
    east, north = _transformer(crs).transform(x, y)
    world = np.column_stack((east + _HALF_M, _HALF_M - north)) * (2.0**_BITS / (2 * _HALF_M))
    if not (np.isfinite(world).all() and (world >= 0).all() and (world <= 2.0**_BITS).all()):
        msg = "the layer reaches beyond the map of the world: check its coordinate system"
        raise InputError(msg)
    return place, np.rint(world).astype(np.int64)


def to_zoom(xy: Indices, zoom: int) -> Indices:
    """Round places to the units of a zoom, counted from the world's north-west corner."""
    shift = MAX_ZOOM - zoom
    found: Indices = (xy + ((1 << shift) >> 1)) >> shift
    return found


def degrees_of(boxes: Indices) -> tuple[float, float, float, float]:
    """Return west, south, east, north in degrees of a box of places."""
    west, north, east, south = (float(value) for value in boxes)
    back = Transformer.from_crs(3857, 4326, always_xy=True)
    size = 2 * _HALF_M / 2.0**_BITS
    lon, lat = back.transform(
        [west * size - _HALF_M, east * size - _HALF_M],
        [_HALF_M - south * size, _HALF_M - north * size],
    )
    return lon[0], lat[0], lon[1], lat[1]


def check_tile(zoom: int, x: int, y: int) -> None:
    """Refuse a tile that does not exist.

    Raises
    ------
    InputError
        If the zoom is not 0 to 19, or the zoom has no such column or row.
    """
    if not (0 <= zoom <= MAX_ZOOM and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom):
        msg = (
            f"there is no tile {zoom}/{x}/{y}: zooms are 0 to {MAX_ZOOM}, columns and rows fewer "
            "than 2 to the power of the zoom"
        )
        raise InputError(msg)
