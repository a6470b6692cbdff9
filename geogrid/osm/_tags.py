"""What the tags of one object say: small rules that the tables share.

Which words count is data, in sets, so that a rule can be read and changed in one place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from geogrid.osm._words import words

__all__ = [
    "AREA_KEYS",
    "LINE_KEYS",
    "POINT_KEYS",
    "RAIL_KINDS",
    "WAY_KEYS",
    "is_bridge",
    "is_building",
    "is_gate",
    "is_square",
    "is_street",
    "is_tunnel",
    "layer_of",
    "levels_of",
    "poi_of",
    "wall_of",
    "water_area_of",
    "water_line_of",
]

Tags = Mapping[str, str]

# Only objects with one of these keys ever reach Python.
LINE_KEYS = ("highway", "railway", "waterway", "natural", "barrier")
AREA_KEYS = ("building", "landuse", "natural", "waterway", "amenity", "office", "place")
WAY_KEYS = (*LINE_KEYS, "building", "landuse")
POINT_KEYS = ("amenity", "office", "place", "barrier")

# Not a street on the ground today, or indoors (a corridor closes at night and borders nothing).
_NOT_A_STREET = words(
    """abandoned bus_stop construction corridor crossing demolished disused elevator emergency_bay
    no planned platform proposed razed removed rest_area services traffic_signals"""
)
RAIL_KINDS = words("rail light_rail subway narrow_gauge tram monorail funicular")
_WATER_LINES = words("river stream canal drain ditch")
_RIVER_AREAS = words("river stream canal drain ditch reservoir basin")
_WALL_LINES = words("wall fence city_wall retaining_wall hedge")
_GATES = words(
    """entrance full-height_turnstile gate hampshire_gate kissing_gate lift_gate sally_port
    sliding_gate swing_gate turnstile wicket_gate"""
)
_SERVICES = words(
    """arts_centre childcare clinic college community_centre courthouse dentist doctors
    fire_station hospital kindergarten library marketplace nursing_home pharmacy
    place_of_worship police post_office public_building public_bath school social_centre
    social_facility theatre toilets townhall university"""
)
_PLACES = words("city_block hamlet neighbourhood quarter suburb town village borough city")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST_LEVELS = 200  # No building has more, so a larger number is a slip of the keyboard.


def is_street(tags: Tags) -> bool:
    """Tell whether a way is the line of a street or path that exists."""
    highway = tags.get("highway")
    if highway is None or highway in _NOT_A_STREET:
        return False
    return tags.get("area", "no") == "no"


def is_square(tags: Tags) -> bool:
    """Tell whether a closed way is an area to walk on, such as a square."""
    as_line = {key: value for key, value in tags.items() if key != "area"}
    return tags.get("area", "no") != "no" and is_street(as_line)


def is_tunnel(tags: Tags) -> bool:
    """Tell whether a line runs below ground, so that it divides nothing above it."""
    return tags.get("tunnel", "no") != "no" or tags.get("location") == "underground"


def is_bridge(tags: Tags) -> bool:
    """Tell whether a line runs on a bridge."""
    return tags.get("bridge", "no") != "no"


def is_building(tags: Tags) -> bool:
    """Tell whether an object is a building that stands; its parts do not count again."""
    return tags.get("building", "no") not in {"no", "demolished", "razed"}


def layer_of(tags: Tags) -> int:
    """Return the tagged layer, 0 where there is none or it is no whole number."""
    try:
        return int(tags.get("layer", "0"))
    except ValueError:
        return 0


def levels_of(tags: Tags) -> float:
    """Return the storeys above ground, the most where several are given, NaN when unknown."""
    text = tags.get("building:levels", "")
    numbers = [float(number) for number in _NUMBER.findall(text)]
    levels = max(numbers, default=0.0)
    is_sound = 0 < levels <= _MOST_LEVELS and not text.lstrip().startswith("-")
    return levels if is_sound else math.nan


def water_line_of(tags: Tags) -> str:
    """Return the kind of a water line, empty if it is none."""
    if tags.get("natural") == "coastline":
        return "coastline"
    waterway = tags.get("waterway", "")
    return waterway if waterway in _WATER_LINES else ""


def water_area_of(tags: Tags) -> str:
    """Return the kind of a water area, ``water`` where it names none that matters, else empty."""
    if tags.get("waterway") == "riverbank":
        return "river"
    if tags.get("natural") == "water":
        kind = tags.get("water", "")
        return kind if kind in _RIVER_AREAS else "water"
    landuse = tags.get("landuse", "")
    return landuse if landuse in {"reservoir", "basin"} else ""


def wall_of(tags: Tags) -> str:
    """Return the kind of a wall line or a gate, empty if it is neither."""
    barrier = tags.get("barrier", "")
    return barrier if barrier in _WALL_LINES or barrier in _GATES else ""


def is_gate(tags: Tags) -> bool:
    """Tell whether people pass here through a wall."""
    return tags.get("barrier") in _GATES


def poi_of(tags: Tags) -> str:
    """Return ``key=value`` of a service or a community, empty if it is neither."""
    if tags.get("amenity") in _SERVICES:
        return f"amenity={tags['amenity']}"
    if tags.get("office") == "government":
        return "office=government"
    if tags.get("place") in _PLACES:
        return f"place={tags['place']}"
    return ""
