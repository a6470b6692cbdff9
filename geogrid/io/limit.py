"""Reading the limit of a district, and whether the other inputs lie on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import MultiPolygon

from geogrid.errors import InputError
from geogrid.io._areas import choose_rows, codes_of, names_of, parts_apart_km, united_note
from geogrid.io._raw import RawLayer, read_raw
from geogrid.io.layer import codes_as_text, locate
from geogrid.model.district import District
from geogrid.model.source import Source
from geogrid.planar.crs import is_in_china
from geogrid.planar.datum import geometries_to_wgs84
from geogrid.planar.lattice import snap

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["LimitFile", "check_overlap", "read_limit", "suggest_datum"]

# The limit is compared with the other layer every so many metres.
_SAMPLE_M = 50.0
# A fit is clearly better when the median distance falls to less than half, from more than this.
_MISFIT_M = 60.0
_BETTER = 0.5
# Below this many samples near the other layer nothing can be said.
_MIN_SAMPLES = 8
# The shifts are 300-700 m (GCJ-02) and up to 1,400 m (BD-09).
_MAX_SHIFT_M = 1500.0
_AREA = (3, 6)  # type ids of Polygon and MultiPolygon


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFile:
    """A district as it was read.

    Attributes
    ----------
    district
        Its limit lies on the millimetre grid.
    source
        Where it came from.
    notes
        Plain sentences about what was united, repaired or left out.
    """

    district: District
    source: Source
    notes: tuple[str, ...] = ()


def read_limit(
    path: str | Path,
    *,
    datum: str | None = None,
    layer: str | None = None,
    name: str | None = None,
) -> LimitFile:
    """Read the limit of a district: the union of a layer's polygons.

    Parameters
    ----------
    path
        Any file that :func:`~geogrid.io.layer.read_layer` reads.
    datum
        Datum of the coordinates, see :func:`~geogrid.io.layer.read_layer`.
    layer
        Name of the layer, where there are several.
    name
        Name or code of the wanted areas, where the file holds more. Columns such as ``name``,
        ``名称``, ``XZQMC``, ``街道`` or ``adcode`` are looked through.

    Returns
    -------
    LimitFile
        The district, its source and notes. Holes and several parts are kept. Where several areas
        were united, the first note says so.

    Raises
    ------
    InputError
        If no area has that name or code, or no polygon is left.
    """
    raw = read_raw(path, layer=layer)
    frame = locate(raw if name is None else _choose(raw, name), datum=datum)
    notes = list(frame.attrs["notes"])
    limit = _unite(frame, raw.name, notes)
    areas = frame[np.isin(shapely.get_type_id(frame.geometry.to_numpy()), (*_AREA, 7))]
    names, codes = names_of(areas), codes_of(areas)
    if len(areas) > 1:
        apart_km = parts_apart_km(shapely.get_parts(limit))
        is_chosen = name is not None
        notes.insert(0, united_note(len(areas), names, apart_km, is_chosen=is_chosen))
    district = District(
        limit=limit,
        crs=frame.crs,
        name=names[0] if len(names) == 1 else name or raw.name.rsplit(".", 1)[0],
        code=codes[0] if len(codes) == 1 else "",
    )
    source = Source(**{**frame.attrs["source"], "role": "limit"})
    return LimitFile(district=district, source=source, notes=tuple(notes))


def check_overlap(limit: District, other: gpd.GeoDataFrame, *, what: str) -> None:
    """Refuse a layer that does not touch the district at all.

    Parameters
    ----------
    limit
        The district.
    other
        Streets, households, stations or cells; any coordinate system.
    what
        Word for them in the message.

    Raises
    ------
    InputError
        Saying how far apart they are in km and, where a Chinese web datum explains it, which.
    """
    shapes = _in_frame(other, limit)
    if not len(shapes):
        msg = f"there are no {what} to compare with {limit.name}: the layer is empty"
        raise InputError(msg)
    shapely.prepare(limit.limit)
    if shapely.intersects(limit.limit, shapes).any():
        return
    apart_km = float(shapely.distance(limit.limit, shapes).min()) / 1000
    msg = f"the {what} do not overlap {limit.name}: they lie {apart_km:.1f} km apart"
    datum = suggest_datum(limit, other)
    if datum:
        advice = (
            f"the {datum.upper()} shift explains it, read the limit with --datum {datum} "
            f"(datum='{datum}')"
        )
    else:
        advice = "check that both files show the same place, and their coordinate systems"
    msg = f"{msg}: {advice}"
    raise InputError(msg)


def suggest_datum(
    limit: District, other: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
) -> str | None:
    """Tell which Chinese web datum would make a limit fit another layer clearly better.

    Parameters
    ----------
    limit
        The district as read without a datum.
    other
        What the limit should follow: the admin limits or streets of an extract, in any coordinate
        system, or one geometry in the district's own.

    Returns
    -------
    str or None
        ``gcj02`` or ``bd09``; ``None`` when neither explains an offset, or outside China.
    """
    if limit.crs is None or not _is_chinese(limit):
        return None
    lines = _outlines(_in_frame(other, limit))
    best, datum = _misfit_m(limit.limit, lines), None
    if best < _MISFIT_M:
        return None
    best *= _BETTER
    for candidate in ("gcj02", "bd09"):
        misfit = _misfit_m(_moved(limit, candidate), lines)
        if misfit < best:
            best, datum = misfit, candidate
    return datum


def _choose(raw: RawLayer, name: str) -> RawLayer:
    """Keep the features whose name or code is ``name``."""
    if raw.frame.empty:
        return raw
    is_it = choose_rows(codes_as_text(raw.frame)[0], name, raw.name)
    return RawLayer(raw.frame[is_it], raw.name, raw.notes)


def _unite(frame: gpd.GeoDataFrame, name: str, notes: list[str]) -> MultiPolygon:
    shapes = np.asarray(frame.geometry.dropna(), dtype=object)
    areas = _areas_of(shapes)
    if not len(areas):
        kinds = ", ".join(sorted(set(frame.geom_type.dropna())))
        msg = f"{name} holds no polygon (only {kinds}): give the limit as an area"
        raise InputError(msg)
    dropped = int((~np.isin(shapely.get_type_id(shapes), (*_AREA, 7))).sum())
    if dropped:
        notes.append(f"{dropped} features of the limit are no areas and were left out")
    broken = ~shapely.is_valid(areas)
    if broken.any():
        reason = shapely.is_valid_reason(areas[broken][0])
        notes.append(f"{int(broken.sum())} areas of the limit were repaired: {reason}")
        areas = areas.copy()
        areas[broken] = shapely.make_valid(areas[broken], method="structure")
    parts = _parts(snap(shapely.union_all(_areas_of(areas))))
    if not parts:
        msg = f"the limit in {name} has no area: draw it as a closed line around the district"
        raise InputError(msg)
    return MultiPolygon(parts)


def _areas_of(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the areas, also those inside collections."""
    pieces = shapely.get_parts(shapes)
    pieces = shapely.get_parts(pieces)
    is_area = np.isin(shapely.get_type_id(pieces), _AREA) & ~shapely.is_empty(pieces)
    return np.asarray(pieces[is_area], dtype=object)


def _parts(shape: BaseGeometry) -> list[shapely.Polygon]:
    """Return the parts, the largest first."""
    pieces = _areas_of(np.array([shape], dtype=object))
    return sorted(pieces, key=lambda part: (-part.area, part.bounds))


def _in_frame(
    other: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry, limit: District
) -> NDArray[np.object_]:
    if not isinstance(other, gpd.GeoDataFrame | gpd.GeoSeries):
        return np.array([other], dtype=object)
    series = other.geometry
    if limit.crs is not None and series.crs is not None and series.crs != limit.crs:
        series = series.to_crs(limit.crs)
    shapes = np.asarray(series, dtype=object)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return np.asarray(shapes[there], dtype=object)


def _outlines(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    is_area = np.isin(shapely.get_type_id(shapes), _AREA)
    return np.where(is_area, shapely.boundary(shapes), shapes)


def _is_chinese(limit: District) -> bool:
    centre = gpd.GeoSeries([limit.limit.centroid], crs=limit.crs).to_crs(4326)
    return is_in_china(float(centre.x.iloc[0]), float(centre.y.iloc[0]))


def _moved(limit: District, datum: str) -> BaseGeometry:
    """Return the limit as it would lie had it been read with ``datum``."""
    if limit.crs is None:
        return limit.limit
    degrees = gpd.GeoSeries([limit.limit], crs=limit.crs).to_crs(4326)
    back = gpd.GeoSeries(geometries_to_wgs84(degrees.to_numpy(), datum), crs=4326)
    moved: BaseGeometry = back.to_crs(limit.crs).iloc[0]
    return moved


def _misfit_m(limit: BaseGeometry, lines: NDArray[np.object_]) -> float:
    """Return the median distance from the limit's line to the other lines, where they are near."""
    border = shapely.segmentize(shapely.boundary(limit), _SAMPLE_M)
    spots = shapely.points(shapely.get_coordinates(border))
    tree = shapely.STRtree(lines)
    (spot, _), distance = tree.query_nearest(
        spots, max_distance=_MAX_SHIFT_M, return_distance=True, all_matches=False
    )
    return float(np.median(distance)) if len(spot) >= _MIN_SAMPLES else np.inf
