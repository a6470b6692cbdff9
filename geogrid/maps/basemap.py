"""The extract's own streets, waters, rails and buildings as a quiet base map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geogrid.maps.coding import line_steps, polygon_steps, to_degrees

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon, Polygon

    from geogrid.model.extract import OsmExtract

__all__ = ["base_layers"]

# Wide and narrow streets; whatever is not named is a path.
STREET_CLASSES: tuple[tuple[str, frozenset[str]], ...] = (
    ("major", frozenset({"motorway", "trunk", "primary"})),
    ("medium", frozenset({"secondary", "tertiary"})),
    ("minor", frozenset({"residential", "unclassified", "living_street", "road", "pedestrian"})),
    ("path", frozenset()),
)
# A tenth of a metre and half a metre: far below the width of a drawn line.
DECIMALS = 6
SIMPLIFY_M = 0.5
# So much of the surroundings is drawn around the district.
MARGIN_M = 400.0
# Shorter stretches of a street carry no name.
MIN_NAMED_M = 120.0


def base_layers(extract: OsmExtract, around: Polygon | MultiPolygon, crs: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever pyproj takes
    """Return the base map as plain JSON values.

    Parameters
    ----------
    extract
        Where the streets come from.
    around
        The district's limit.
    crs
        The coordinate system of ``around``, in metres.

    Returns
    -------
    dict
        ``streets`` by class, ``rails``, ``rivers``, ``waters``, ``buildings``, ``names``.
    """
    limit = gpd.GeoSeries([around], crs=crs).to_crs(extract.crs).iloc[0]
    frame = shapely.box(*shapely.box(*limit.bounds).buffer(MARGIN_M).bounds)
    streets = _clipped(_above_ground(extract.streets), frame)
    waters = _clipped(_above_ground(extract.waters), frame)
    classes = street_classes(streets["highway"].to_numpy(str))
    return {
        "streets": {name: _lines(streets[classes == name]) for name, _ in reversed(STREET_CLASSES)},
        "rails": _lines(_clipped(_above_ground(extract.rails), frame)),
        "rivers": _lines(waters[_is_line(waters)]),
        "waters": _areas(waters[~_is_line(waters)]),
        "buildings": _areas(_clipped(extract.buildings, frame)),
        "names": street_names(streets, classes),
    }


def street_classes(highway: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Return the drawing class of each street."""
    plain = np.array([value.removesuffix("_link") for value in highway.tolist()], dtype=str)
    found = np.full(len(plain), STREET_CLASSES[-1][0], dtype="<U8")
    for name, tags in STREET_CLASSES[:-1]:
        found[np.isin(plain, sorted(tags))] = name
    return found


def street_names(streets: gpd.GeoDataFrame, classes: npt.NDArray[np.str_]) -> list[list[Any]]:
    """Return ``name, lon, lat, angle in degrees, class`` once for each named street, longest first.

    The place is the middle of the longest stretch, where a name fits best.
    """
    has_name = (streets["name"].fillna("").to_numpy(str) != "") & (classes != "path")
    named = streets[has_name].assign(drawn=classes[has_name])
    if named.empty:
        return []
    keys = ["name", "drawn"]
    groups = named.groupby(keys, sort=True).indices
    shapes = named.geometry.to_numpy()
    longest = [_longest(shapes[rows]) for rows in groups.values()]
    table = gpd.GeoDataFrame(
        list(groups), columns=keys, geometry=gpd.GeoSeries(longest, crs=streets.crs)
    )
    table = table.assign(length_m=table.geometry.length)
    table = table[table["length_m"] >= MIN_NAMED_M]
    table = table.sort_values(["length_m", "name"], ascending=[False, True], ignore_index=True)
    middle = table.geometry.interpolate(0.5, normalized=True)
    ahead = table.geometry.interpolate(table["length_m"] / 2 + 10)
    step = shapely.get_coordinates(ahead) - shapely.get_coordinates(middle)
    angle = np.degrees(np.arctan2(step[:, 1], step[:, 0]))
    lon_lat = shapely.get_coordinates(to_degrees(middle)).round(DECIMALS)
    return [
        [str(name), float(lon), float(lat), round(float(turn)), str(drawn)]
        for name, drawn, (lon, lat), turn in zip(
            table["name"], table["drawn"], lon_lat, angle, strict=True
        )
    ]


def _longest(lines: npt.NDArray[np.object_]) -> shapely.LineString:
    merged = shapely.get_parts(shapely.line_merge(shapely.union_all(lines)))
    found: shapely.LineString = merged[int(np.argmax(shapely.length(merged)))]
    return found


def _above_ground(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if "is_tunnel" not in frame:
        return frame
    return frame[~frame["is_tunnel"].fillna(value=False).to_numpy(bool)]


def _clipped(frame: gpd.GeoDataFrame, box: Polygon) -> gpd.GeoDataFrame:
    near = frame.iloc[np.sort(frame.sindex.query(box, predicate="intersects"))]
    bounds = box.bounds
    return near.set_geometry(shapely.clip_by_rect(near.geometry.to_numpy(), *bounds), crs=frame.crs)


def _is_line(frame: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    return np.isin(frame.geom_type.to_numpy(str), ["LineString", "MultiLineString"])


def _lines(frame: gpd.GeoDataFrame) -> list[list[int]]:
    return line_steps(to_degrees(frame.geometry.simplify(SIMPLIFY_M)), decimals=DECIMALS)


def _areas(frame: gpd.GeoDataFrame) -> list[list[list[int]]]:
    shapes = polygon_steps(to_degrees(frame.geometry.simplify(SIMPLIFY_M)), decimals=DECIMALS)
    return [polygon for shape in shapes for polygon in shape]
