"""What nobody steps across on the way from a door to the street."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.errors import CrsError, InputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geogrid.model.extract import OsmExtract

__all__ = ["as_barriers", "barriers_of_extract"]

# Streams and ditches are stepped across or have planks that nobody maps; trams run in the street.
_WATERS = ("river", "canal", "coastline", "water", "reservoir", "basin", "riverbank")
_RAILS = ("rail", "light_rail", "subway", "narrow_gauge", "monorail", "funicular")
_EXPRESS = ("motorway", "motorway_link", "trunk", "trunk_link", "raceway", "busway", "bus_guideway")
_WALLS = ("wall", "fence", "city_wall", "retaining_wall")

# A gate is a node of its wall, but tables of other origin may miss the line by a little.
_GATE_M = 1.0

_LINES = (1, 2, 5)


def barriers_of_extract(extract: OsmExtract) -> NDArray[np.object_]:
    """Return rivers, railways, express roads and walls of an extract as lines.

    Left out: what runs in a tunnel, tracks and roads on a bridge (one passes below), walls with a
    gate on them, and closed walls that no street passes, because the way in is merely not mapped.
    """
    waters, rails, streets = extract.waters, extract.rails, extract.streets
    is_water = waters["water"].isin(_WATERS).to_numpy() & ~_marks(waters, "is_tunnel")
    is_rail = rails["railway"].isin(_RAILS).to_numpy() & _is_at_grade(rails)
    is_express = streets["highway"].isin(_EXPRESS).to_numpy() & ~_marks(streets, "foot")
    rows = (
        (waters, is_water),
        (rails, is_rail),
        (streets, is_express & _is_at_grade(streets)),
    )
    lines = [_outlines(frame.geometry.to_numpy()[mask]) for frame, mask in rows]
    return np.concatenate([*lines, _closed_walls(extract)])


def _marks(frame: gpd.GeoDataFrame, name: str) -> NDArray[np.bool_]:
    return np.asarray(frame[name].to_numpy(dtype=bool))


def _is_at_grade(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    return ~(_marks(frame, "is_tunnel") | _marks(frame, "is_bridge"))


def _outlines(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return lines as they are and areas by their borders."""
    is_area = np.isin(shapely.get_type_id(shapes), (3, 6))
    shapes = np.where(is_area, shapely.boundary(shapes), shapes)
    lines = shapely.get_parts(shapely.force_2d(shapes))
    return np.asarray(lines[np.isin(shapely.get_type_id(lines), _LINES)], dtype=object)


def _closed_walls(extract: OsmExtract) -> NDArray[np.object_]:
    """Return the walls that nobody is known to pass."""
    frame = extract.walls
    kind, shapes = frame["wall"].to_numpy(), frame.geometry.to_numpy()
    walls = _outlines(shapes[np.isin(kind, _WALLS)])
    is_point = shapely.get_type_id(shapes) == 0
    gates = shapely.STRtree(shapes[is_point & (kind != "compound")])
    is_kept = np.ones(len(walls), dtype=bool)
    is_kept[gates.query(walls, predicate="dwithin", distance=_GATE_M)[0]] = False
    walked = extract.streets.geometry.to_numpy()
    walked = walked[_marks(extract.streets, "foot")]
    passed = np.zeros(len(walls), dtype=bool)
    passed[shapely.STRtree(walked).query(walls, predicate="intersects")[0]] = True
    return np.asarray(walls[is_kept & (passed | ~shapely.is_closed(walls))], dtype=object)


def as_barriers(
    given: gpd.GeoDataFrame | gpd.GeoSeries | None, crs: CRS | None
) -> NDArray[np.object_]:
    """Return barriers that a user gave as lines in the frame of the network.

    Raises
    ------
    CrsError
        If only one of barriers and network has a coordinate system.
    InputError
        If some are neither lines nor areas.
    """
    if given is None:
        return np.empty(0, dtype=object)
    series = given.geometry
    if (series.crs is None) != (crs is None):
        msg = "only one of barriers and network has a coordinate system: set it on both"
        raise CrsError(msg)
    if crs is not None and series.crs != crs:
        series = series.to_crs(crs)
    shapes = series.to_numpy()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if not np.isin(shapely.get_type_id(shapes), (*_LINES, 3, 6)).all():
        msg = "barriers must be lines or areas: drop the others"
        raise InputError(msg)
    return _outlines(shapes)
