"""The two obfuscated datums of Chinese web maps, and the way back to WGS84.

GCJ-02 (AMap, Tencent, Google in China) shifts every position by some 300-700 m, BD-09 (Baidu)
shifts GCJ-02 once more. Neither is a projection that PROJ knows. The formula has been public since
2013 and circulates in many programs (``eviltransform``, ``PRCoords``, ``gcoord``,
``coord_convert``); this is an own implementation on arrays, with the Krasovsky ellipsoid of 1940
(a = 6 378 245 m, 1/f = 298.3) as in the first publication.

The way back has no closed form. The shift changes by less than 1 part in 100 from place to place,
so subtracting the shift of the last guess converges by two digits a round: the answers are good to
a micrometre.

CGCS2000 and WGS84 agree to a few centimetres, which is below the accuracy of any input here: they
are treated as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geogrid.errors import InputError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "DATUMS",
    "bd09_to_gcj02",
    "bd09_to_wgs84",
    "gcj02_to_bd09",
    "gcj02_to_wgs84",
    "geometries_to_wgs84",
    "require_datum",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
]

FloatArray: TypeAlias = NDArray[np.float64]
LonLat: TypeAlias = tuple[FloatArray, FloatArray]
Shift: TypeAlias = Callable[[FloatArray, FloatArray], LonLat]

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")

# The box outside of which the public formula leaves positions alone.
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271

SEMI_MAJOR_M = 6_378_245.0
FLATTENING = 1 / 298.3
ECCENTRICITY_2 = FLATTENING * (2 - FLATTENING)

# 1e-12 degree is 0.1 micrometre; reached after 5 or 6 rounds, more would only stir the last bit.
CONVERGED_DEG = 1e-12
MAX_ROUNDS = 30

BD_LON_DEG, BD_LAT_DEG = 0.0065, 0.006
BD_WAVE = np.pi * 3000 / 180


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift WGS84 positions to GCJ-02.

    Parameters
    ----------
    lon, lat
        Degrees; positions outside China's box come back as they are.

    Returns
    -------
    tuple of ndarray
        Longitudes and latitudes in degrees.
    """
    return _inside_only(lon, lat, _add_gcj_shift)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Take GCJ-02 positions back to WGS84, good to a micrometre.

    Parameters
    ----------
    lon, lat
        Degrees; positions outside China's box come back as they are.

    Returns
    -------
    tuple of ndarray
        Longitudes and latitudes in degrees.
    """
    return _inside_only(lon, lat, lambda x, y: _invert(_add_gcj_shift, x, y))


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift GCJ-02 positions to BD-09.

    Parameters
    ----------
    lon, lat
        Degrees; positions outside China's box come back as they are.

    Returns
    -------
    tuple of ndarray
        Longitudes and latitudes in degrees.
    """
    return _inside_only(lon, lat, _add_bd_shift)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Take BD-09 positions back to GCJ-02, good to a micrometre.

    Parameters
    ----------
    lon, lat
        Degrees; positions outside China's box come back as they are.

    Returns
    -------
    tuple of ndarray
        Longitudes and latitudes in degrees.
    """
    return _inside_only(lon, lat, lambda x, y: _invert(_add_bd_shift, x, y))


def wgs84_to_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Shift WGS84 positions to BD-09, by way of GCJ-02.

    Parameters
    ----------
    lon, lat
        Degrees.

    Returns
    -------
    tuple of ndarray
        Longitudes and latitudes in degrees.
    """
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Take BD-09 positions back to WGS84, by way of GCJ-02.

    Parameters
    ----------
    lon, lat
        Degrees.

    Returns
    -------
    tuple of ndarray
        Longitudes and latitudes in degrees.
    """
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def geometries_to_wgs84(
    geometries: Sequence[BaseGeometry | None] | NDArray[np.object_], datum: str
) -> NDArray[np.object_]:
    """Move geometries from a datum to WGS84, vertex by vertex.

    Parameters
    ----------
    geometries
        Shapely geometries in degrees, longitude first.
    datum
        One of ``wgs84 cgcs2000 gcj02 bd09``; the first two move nothing.

    Returns
    -------
    ndarray
        New geometries, without heights where something moved.

    Raises
    ------
    InputError
        If the datum is none of the four.
    """
    shapes = np.asarray(geometries, dtype=object)
    back = _TO_WGS84[require_datum(datum)]
    if back is None:
        return shapes

    def move(lon_lat: FloatArray) -> FloatArray:
        return np.column_stack(back(lon_lat[:, 0], lon_lat[:, 1]))

    return np.asarray(shapely.transform(shapes, move), dtype=object)


def require_datum(datum: str) -> str:
    """Return the datum's plain name (``GCJ-02`` is read as ``gcj02``), or refuse it.

    Raises
    ------
    InputError
        If the datum is none of ``wgs84 cgcs2000 gcj02 bd09``.
    """
    plain = datum.lower().replace("-", "").replace("_", "")
    if plain not in DATUMS:
        msg = f"the datum {datum!r} is not known: use one of {', '.join(DATUMS)}"
        raise InputError(msg)
    return plain


def _inside_only(lon: ArrayLike, lat: ArrayLike, shift: Shift) -> LonLat:
    """Apply `shift` inside China's box only; inputs are copied, never changed."""
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    x, y = x.copy(), y.copy()
    inside = (x >= WEST) & (x <= EAST) & (y >= SOUTH) & (y <= NORTH)
    x[inside], y[inside] = shift(x[inside], y[inside])
    return x, y


def _invert(shift: Shift, lon: FloatArray, lat: FloatArray) -> LonLat:
    """Find what `shift` takes to (lon, lat) by fixed-point iteration."""
    x, y = lon, lat
    for _ in range(MAX_ROUNDS):
        there_x, there_y = shift(x, y)
        step_x, step_y = there_x - lon, there_y - lat
        x, y = x - step_x, y - step_y
        if max(np.abs(step_x).max(initial=0), np.abs(step_y).max(initial=0)) < CONVERGED_DEG:
            break
    return x, y


def _add_gcj_shift(lon: FloatArray, lat: FloatArray) -> LonLat:
    east_m, north_m = _gcj_waves(lon - 105.0, lat - 35.0)
    phi = np.radians(lat)
    narrowing = 1 - ECCENTRICITY_2 * np.sin(phi) ** 2
    meridian_m = SEMI_MAJOR_M * (1 - ECCENTRICITY_2) / narrowing**1.5
    parallel_m = SEMI_MAJOR_M / np.sqrt(narrowing) * np.cos(phi)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _gcj_waves(x: FloatArray, y: FloatArray) -> LonLat:
    """Return the shift in metres at `x`, `y` degrees from 105° E, 35° N."""

    def wave(amplitude: float, angle: FloatArray) -> FloatArray:
        return np.asarray(amplitude * 2 / 3 * np.sin(np.pi * angle))

    root = np.sqrt(np.abs(x))
    both = wave(20, 6 * x) + wave(20, 2 * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
    east = east + wave(20, x) + wave(40, x / 3) + wave(150, x / 12) + wave(300, x / 30)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
    north = north + wave(20, y) + wave(40, y / 3) + wave(160, y / 12) + wave(320, y / 30)
    return east, north


def _add_bd_shift(lon: FloatArray, lat: FloatArray) -> LonLat:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BD_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BD_WAVE)
    return radius * np.cos(angle) + BD_LON_DEG, radius * np.sin(angle) + BD_LAT_DEG


_TO_WGS84: dict[str, Callable[[ArrayLike, ArrayLike], LonLat] | None] = {
    "wgs84": None,
    "cgcs2000": None,
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}
