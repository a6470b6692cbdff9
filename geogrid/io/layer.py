"""Reading map layers: any usual format, encoding and datum in, one metric frame out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geogrid.errors import CrsError, InputError
from geogrid.io._raw import RawLayer, read_raw
from geogrid.io._words import DATUM_OPTION
from geogrid.model.source import Source
from geogrid.planar.crs import to_metric
from geogrid.planar.datum import geometries_to_wgs84, require_datum

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["codes_as_text", "locate", "read_layer"]

_CODE_NAME = re.compile(
    r"(code[_\s]?\d*|编码|编号|代码|区划码|(^|xzq|xzqh|qh|xz|jd|sq|cj)dm)$", re.IGNORECASE
)
# Doubles hold whole numbers up to here; a longer code has lost digits before we see it.
_EXACT_WHOLE = 2**53

_WGS84 = CRS.from_epsg(4326)
_WEB_DATUMS = ("gcj02", "bd09")
_DATUM_WORD = re.compile(r"gcj.?02|bd.?09|火星|百度", re.IGNORECASE)

# CGCS2000 3-degree zones 25 to 45 put the zone before the easting: EPSG 4513 is zone 25.
_FIRST_ZONE, _LAST_ZONE, _FIRST_ZONE_EPSG = 25, 45, 4513
_MAX_LON, _MAX_LAT = 180.0, 90.0


def read_layer(
    path: str | Path,
    *,
    datum: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
) -> gpd.GeoDataFrame:
    """Read one layer of a map file into a metric frame.

    A layer in a projected metric coordinate system keeps it. Degrees go to the frame of their
    place: CGCS2000 3-degree Gauss-Krüger in China, UTM elsewhere. Columns that hold codes come as
    text. Features without geometry stay in the table.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile (.shp, or a .zip of one), FlatGeobuf or KML.
    datum
        What the coordinates really are: ``wgs84 cgcs2000 gcj02 bd09``. Maps drawn on AMap,
        Tencent (``gcj02``) or Baidu (``bd09``) never say so themselves. With ``cgcs2000``, a file
        without coordinate system whose eastings start with the zone is taken by that zone.
    encoding
        Encoding of the text where the file does not say it, or says it wrongly.
    layer
        Name of the layer, where there are several.

    Returns
    -------
    GeoDataFrame
        With ``attrs["source"]`` (where it came from) and ``attrs["notes"]`` (plain sentences about
        what was repaired or left out).

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no map file, holds no feature, or its text cannot be decoded.
    CrsError
        If the coordinate system is unknown and cannot be told from what was given.
    """
    return locate(read_raw(path, encoding=encoding, layer=layer), datum=datum)


def locate(raw: RawLayer, *, datum: str | None = None) -> gpd.GeoDataFrame:
    """Bring a raw layer into a metric frame: the second half of :func:`read_layer`.

    Raises
    ------
    InputError
        If there is no feature with a geometry.
    CrsError
        If the coordinate system is unknown.
    """
    plain = None if datum is None else require_datum(datum)
    frame = raw.frame
    notes = list(raw.notes)
    if frame.empty:
        msg = f"{raw.name} holds no feature: check which layer was exported"
        raise InputError(msg)
    notes += _note_missing(frame, raw.name)
    frame, coded = codes_as_text(_flat(frame, notes))
    notes += coded + _note_undeclared(frame, plain)
    frame = _shifted(_with_crs(frame, plain, raw.name, notes), plain, notes)
    metric = to_metric(frame)
    if metric is raw.frame:
        metric = metric.copy()
    source = Source(role="layer", name=raw.name, datum=plain or _datum_of(raw.frame.crs))
    metric.attrs = {"source": source.to_dict(), "notes": notes}
    return metric


def codes_as_text(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Turn columns that hold codes but came as numbers into text, without losing a digit.

    Returns
    -------
    tuple
        The table and notes about columns whose digits may have been lost before.
    """
    notes = []
    texts = {}
    for name in frame.columns:
        column = frame[name]
        if not _CODE_NAME.search(str(name)) or not pd.api.types.is_numeric_dtype(column):
            continue
        known = column.dropna()
        if pd.api.types.is_float_dtype(column) and not (known == np.rint(known)).all():
            continue
        if pd.api.types.is_float_dtype(column) and (known.abs() >= _EXACT_WHOLE).any():
            notes.append(f"column {name} holds codes as rounded numbers: store them as text")
            continue
        texts[name] = pd.Series(
            [None if pd.isna(value) else str(int(value)) for value in column],
            index=frame.index,
            dtype="str",
        )
    return (frame.assign(**texts) if texts else frame), notes


def _flat(frame: gpd.GeoDataFrame, notes: list[str]) -> gpd.GeoDataFrame:
    shapes = frame.geometry.to_numpy()
    if not shapely.has_z(shapes).any():
        return frame
    notes.append("heights (Z) were dropped")
    return frame.set_geometry(gpd.GeoSeries(shapely.force_2d(shapes), frame.index, frame.crs))


def _note_missing(frame: gpd.GeoDataFrame, name: str) -> list[str]:
    absent = int((frame.geometry.isna() | frame.geometry.is_empty).sum())
    if absent == len(frame):
        msg = f"no feature of {name} has a geometry: check which layer was exported"
        raise InputError(msg)
    return [f"{absent} of {len(frame)} features have no geometry"] if absent else []


def _note_undeclared(frame: gpd.GeoDataFrame, datum: str | None) -> list[str]:
    """Say so when a column called crs or datum names a web datum and the user does not."""
    if datum is not None:
        return []
    for name in frame.columns:
        if str(name).lower() not in ("crs", "datum", "坐标系"):
            continue
        for value in frame[name].dropna().astype(str).unique():
            if _DATUM_WORD.search(value):
                return [f"column {name} says {value}: if it is true, give it with {DATUM_OPTION}"]
    return []


def _with_crs(
    frame: gpd.GeoDataFrame, datum: str | None, name: str, notes: list[str]
) -> gpd.GeoDataFrame:
    """Return the table with a coordinate system that its coordinates can have."""
    in_degrees = _fits_degrees(frame)
    if frame.crs is not None and (in_degrees or not frame.crs.is_geographic):
        return frame
    if frame.crs is None and in_degrees and datum is not None:
        notes.append(f"the file names no coordinate system: taken as degrees of {datum}")
        return frame.set_crs(_WGS84)
    zone_epsg = _zone_epsg(frame)
    if zone_epsg and datum == "cgcs2000":
        notes.append(f"the eastings start with the zone: taken as EPSG:{zone_epsg}")
        return frame.set_crs(zone_epsg, allow_override=True)
    raise CrsError(_unknown_crs(frame, name, in_degrees=in_degrees, zone_epsg=zone_epsg))


def _unknown_crs(
    frame: gpd.GeoDataFrame, name: str, *, in_degrees: bool, zone_epsg: int | None
) -> str:
    if frame.crs is None:
        what = f"{name} does not say its coordinate system (a Shapefile needs its .prj part)"
    else:
        what = f"{name} claims degrees, but its coordinates are not"
    if zone_epsg:
        zone = zone_epsg - _FIRST_ZONE_EPSG + _FIRST_ZONE
        return (
            f"{what}: the eastings start with {zone}, so it is likely CGCS2000 3-degree zone "
            f"{zone} (EPSG:{zone_epsg}): if so, give cgcs2000 with {DATUM_OPTION}"
        )
    if in_degrees:
        return f"{what}: it looks like degrees, say of which datum with {DATUM_OPTION}"
    return f"{what}: ask where it was made, then set it in QGIS and save it again"


def _fits_degrees(frame: gpd.GeoDataFrame) -> bool:
    west, south, east, north = frame.total_bounds
    return bool(west >= -_MAX_LON and east <= _MAX_LON and south >= -_MAX_LAT and north <= _MAX_LAT)


def _zone_epsg(frame: gpd.GeoDataFrame) -> int | None:
    """Return the EPSG code of the CGCS2000 zone that all eastings start with, if any."""
    west, _, east, _ = frame.total_bounds
    zone = int(west // 1_000_000)
    if zone != int(east // 1_000_000) or not _FIRST_ZONE <= zone <= _LAST_ZONE:
        return None
    return _FIRST_ZONE_EPSG + zone - _FIRST_ZONE


def _shifted(frame: gpd.GeoDataFrame, datum: str | None, notes: list[str]) -> gpd.GeoDataFrame:
    """Undo the shift of a Chinese web datum."""
    if datum not in _WEB_DATUMS:
        return frame
    is_degrees = frame.crs is not None and frame.crs.is_geographic
    degrees = frame if is_degrees else frame.to_crs(_WGS84)
    before = degrees.geometry.to_numpy()
    after = geometries_to_wgs84(before, str(datum))
    if shapely.equals_exact(before, after, 0.0).all():
        notes.append(f"nothing was shifted from {datum}: the layer lies outside China")
    return degrees.set_geometry(gpd.GeoSeries(after, degrees.index, _WGS84))


def _datum_of(crs: CRS | None) -> str:
    """Name the datum that a coordinate system declares."""
    if crs is None:
        return ""
    geodetic = crs.geodetic_crs
    name = (geodetic.name if geodetic else crs.name).lower()
    if "china geodetic" in name or "cgcs2000" in name:
        return "cgcs2000"
    return "wgs84" if "wgs 84" in name or "wgs84" in name else name
