"""Stations, their circles and the unserved, as plain JSON values for a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.maps.coding import DECIMALS, polygon_steps, to_degrees
from geogrid.maps.disclosure import SMALL, SMALLEST_SHOWN
from geogrid.vocabulary import StationStatus
from geogrid.walking.pace import PRESETS
from geogrid.walking.web import SIMPLIFY_M, web_circles, web_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.model.district import District
    from geogrid.model.reach import Reach

__all__ = [
    "circle_layers",
    "circle_note",
    "has_stand_ins",
    "joined_stations",
    "limit_label",
    "limit_labels",
    "station_rows",
    "walking_text",
]

_DIRECTIONS = {"to_station": "由住户走向服务站", "from_station": "由服务站走向住户"}


def limit_label(row: dict[str, Any]) -> str:
    """Return ``5分钟`` or ``300米`` for a row of circles."""
    if row.get("minutes") is not None:
        return f"{row['minutes']:g}分钟"
    if row.get("metres") is not None:
        return f"{row['metres']:g}米"
    msg = "the circles have neither minutes nor metres: use the circles of a reach"
    raise InputError(msg)


def circle_layers(circles: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    """Return the circles of each limit as one area, the smallest limit first."""
    if circles is None or circles.empty:
        return []
    key = "minutes" if "minutes" in circles and circles["minutes"].notna().any() else "metres"
    if key not in circles:
        limit_label({})
    groups = list(circles.groupby(key, sort=True))
    areas = np.array([shapely.union_all(rows.geometry.to_numpy()) for _, rows in groups])
    drawn = polygon_steps(to_degrees(gpd.GeoSeries(web_shapes(areas), crs=circles.crs)))
    return [
        {"label": limit_label({key: limit}), "shape": shape}
        for (limit, _), shape in zip(groups, drawn, strict=True)
    ]


def circle_note(circles: gpd.GeoDataFrame | None) -> str:
    """Return what a reader must know about the circles of a map, nothing where there are none."""
    if circles is None or circles.empty:
        return ""
    # Their modules compile loops, which a server that shows a plan does not need.
    from geogrid.walking.circles import CLOSED_M, FILLED_M2  # noqa: PLC0415 - heavy
    from geogrid.walking.field import LEG_M  # noqa: PLC0415 - as above

    parts = [f"最近的街道在步行范围之内的地面，离街道至多 {LEG_M:g} 米，不跨越河流、铁路、围墙"]
    if "look" in circles and (circles["look"] == "display").any():
        parts.append(f"为显示合拢 {CLOSED_M:g} 米以内的缝隙、填平 {FILLED_M2:g} 平方米以下的孔洞")
    parts += [f"轮廓简化 {SIMPLIFY_M:g} 米以内，仅供显示", "户数按步行路网计算，不按图形套算"]
    return "；".join(parts)


def joined_stations(
    stations: gpd.GeoDataFrame | None, reach: Reach | None
) -> gpd.GeoDataFrame | None:
    """Return the user's stations with what a reach found for them, or the reach's own."""
    if reach is None:
        return stations
    if stations is None:
        return reach.stations
    if "station" not in stations:
        return _side_by_side(stations, reach.stations)
    keys = stations["station"].astype(str)
    found = reach.stations.assign(station=reach.stations["station"].astype(str))
    found = found.drop_duplicates("station").set_index("station")
    columns = {
        name: keys.map(found[name]) for name in ("status", "households") if name not in stations
    }
    if reach.households.empty:
        columns.pop("households", None)
    return stations.assign(**columns)


def _side_by_side(stations: gpd.GeoDataFrame, found: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give names to the stations of a reach, which keep the order that they were given in."""
    if len(stations) != len(found):
        return found
    more = [name for name in stations.columns if name not in found.columns]
    return found.assign(**{str(name): stations[name].to_numpy() for name in more})


def station_rows(
    stations: gpd.GeoDataFrame | None,
    circles: gpd.GeoDataFrame | None,
    *,
    district: District | None = None,
) -> list[dict[str, Any]]:
    """Return the stations, each with its own largest circle.

    ``stations`` has ``station`` and may have ``name``, ``stand_in`` (what existing facility takes
    the place of a station), ``status`` and ``households``. With a district, ``outside`` tells which
    stations lie beyond its limit.
    """
    if stations is None or stations.empty:
        return []
    outside = _is_outside(stations, district)
    places = shapely.get_coordinates(to_degrees(stations.geometry)).round(DECIMALS).tolist()
    circle_of = _largest_circles(circles)
    return [
        {
            "id": str(row["station"]),
            # A number alone would read as a count or as a row of somebody's table.
            "name": _text(row.get("name")) or f"服务站 {row['station']}",
            "standIn": _text(row.get("stand_in")),
            "status": status_text(row.get("status")),
            "off": _text(row.get("status")) == StationStatus.OFF_NETWORK.value,
            "households": _public(row.get("households")),
            "at": place,
            "outside": is_outside,
            "circle": circle_of.get(str(row["station"]), []),
        }
        for row, place, is_outside in zip(
            stations.drop(columns=stations.geometry.name).to_dict("records"),
            places,
            outside,
            strict=True,
        )
    ]


def _is_outside(stations: gpd.GeoDataFrame, district: District | None) -> list[bool]:
    if district is None or district.crs is None:
        return [False] * len(stations)
    points = stations.geometry.to_crs(district.crs).to_numpy()
    return [bool(one) for one in ~shapely.intersects(district.limit, points)]


def has_stand_ins(stations: gpd.GeoDataFrame | None) -> bool:
    """Tell whether some station is another facility in a station's place."""
    if stations is None or "stand_in" not in stations:
        return False
    return bool((stations["stand_in"].map(_text) != "").any())


def limit_labels(limits: Sequence[float], circles: gpd.GeoDataFrame | None) -> list[str]:
    """Return ``5分钟`` or ``300米`` for limits, in the unit of the circles."""
    has_minutes = circles is None or "minutes" in circles
    return [limit_label({"minutes" if has_minutes else "metres": limit}) for limit in limits]


def walking_text(reach: Reach | None) -> str:
    """Return how people were assumed to walk."""
    if reach is None:
        return ""
    facts = reach.assumptions
    pace = PRESETS.get(str(facts.get("preset")))
    speed = facts.get("speed_kmh")
    unit = "分钟" if "minutes" in reach.circles else "米"
    walks = [
        f"{limit:g}{unit}" + (f" {metres:g} 米" if unit == "分钟" else "")
        for limit, metres in zip(reach.limits, facts["limits_m"], strict=True)
    ]
    parts = [
        pace.title_zh if pace else "",
        f"{speed:g} km/h" if speed else "",
        "、".join(walks),
        _DIRECTIONS.get(str(facts["direction"]), str(facts["direction"])),
        "沿步行路网，两端按直线接驳",
        f"离路网 {facts['max_snap_m']:g} 米以外的不计",
    ]
    return "，".join(part for part in parts if part)


def status_text(status: Any) -> str:  # noqa: ANN401 - a cell of a table
    """Return the label of a station's status, the text itself when it is none of ours."""
    text = _text(status)
    known = {member.value: member.label_zh for member in StationStatus}
    return known.get(text, text)


def _largest_circles(circles: gpd.GeoDataFrame | None) -> dict[str, list[Any]]:
    if circles is None or circles.empty:
        return {}
    largest = circles.iloc[np.argsort(circles.geometry.area.to_numpy(), kind="stable")]
    largest = largest.drop_duplicates("station", keep="last")
    shapes = polygon_steps(to_degrees(web_circles(largest).geometry))
    return dict(zip(largest["station"].astype(str), shapes, strict=True))


def _text(value: Any) -> str:  # noqa: ANN401 - a cell of a table
    return "" if value is None or pd.isna(value) else str(value)


def _public(households: Any) -> int | None:  # noqa: ANN401 - a cell of a table
    if households is None or pd.isna(households):
        return None
    count = int(households)
    return -SMALL if 0 < count < SMALLEST_SHOWN else count
