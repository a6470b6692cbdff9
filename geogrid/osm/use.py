"""Whether people live in a building.

The first row that fits decides:

==================================================================  ===========
tags of the building                                                use
==================================================================  ===========
``building:use`` names homes and something else                     mixed
``building:use`` names homes only                                   residential
``building:use`` names something else only                          other
a dwelling (``apartments house residential terrace dormitory`` …)   mixed
with a shop, office, amenity …
a dwelling                                                          residential
``building=yes`` with ``building:flats``                            as a dwelling
``building=yes`` with a shop, office, amenity, tourism, historic …  other
``building=yes`` whose name ends like a school's, hospital's …      other
``building=yes`` that is itself a ground not for homes, or whose    other
smallest enclosing ground is none (industrial, commercial, retail,
railway, military, a school …)
``building=yes`` above railway tracks in the open                   other
``building=yes``                                                    residential
every other value (``school office retail garage`` …)               other
==================================================================  ===========

"Smallest enclosing ground" means that the homes inside a university stay homes when
``landuse=residential`` is drawn round them. A car park or a toilet inside a house changes nothing.
Names are read only for the words above: what an archive or a pension fund is called is not guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.osm._tags import is_tunnel
from geogrid.osm._words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["building_uses", "ground_of", "lies_on_other_ground", "spans_tracks"]

_DWELLINGS = words(
    """apartments bungalow cabin detached dormitory farm ger house houseboat longhouse residential
    semi semidetached_house static_caravan stilt_house terrace tower_block trullo"""
)
_HOME_WORDS = _DWELLINGS | {"flat", "flats", "home", "housing"}
_TRADES = words(
    """aeroway club craft government healthcare industrial leisure man_made military office power
    public_transport railway religion shop tourism"""
)
# A monument says what a building of unknown kind is, but people also live in listed houses.
_PUBLIC = _TRADES | {"historic"}
_ANCILLARY = words(
    """bench bicycle_parking bicycle_rental charging_station letter_box parking parking_entrance
    post_box recycling shelter toilets vending_machine waste_basket waste_disposal"""
)
_OTHER_GROUND = words(
    """aeroway:aerodrome aeroway:terminal amenity:bus_station amenity:clinic amenity:college
    amenity:hospital amenity:kindergarten amenity:marketplace amenity:place_of_worship
    amenity:prison amenity:research_institute amenity:school amenity:university landuse:cemetery
    landuse:commercial landuse:construction landuse:depot landuse:education landuse:industrial
    landuse:institutional landuse:landfill landuse:military landuse:port landuse:quarry
    landuse:railway landuse:religious landuse:retail"""
)
_HOME_GROUND = frozenset({"landuse:residential"})
# Trams run through the archways of houses; over a railway stands a station, a bridge or a depot.
_TRACKS = frozenset({"light_rail", "monorail", "narrow_gauge", "rail", "subway"})
# Shorter crossings are drawing errors: a corner of a house on the neighbouring track.
_MIN_TRACK_M = 5.0
_OTHER_NAME = re.compile(
    r"(学校|小学|中学|大学|学院|幼儿园|党校|教学楼|医院|卫生院|卫生服务中心|门诊部|办公楼|写字楼|商场"
    r"|超市|酒店|宾馆|饭店|银行|政府|委员会|派出所|法院|检察院|博物馆|图书馆|体育馆|影剧院|剧院|教堂"
    r"|工厂|车站|加油站)$"
    r"|\b(school|university|college|hospital|hotel|museum|church|library|station|mall)\b",
    re.IGNORECASE,
)


def building_uses(
    tags: Iterable[Mapping[str, str]], is_on_other_ground: NDArray[np.bool_]
) -> list[str]:
    """Return ``residential``, ``mixed`` or ``other`` for each building; see the table above."""
    return [
        _use(one, is_other=bool(is_other))
        for one, is_other in zip(tags, is_on_other_ground, strict=True)
    ]


def ground_of(tags: Mapping[str, str]) -> str:
    """Return ``home`` or ``other`` for an area that says what its ground is for, else empty."""
    if "building" in tags:
        return ""
    said = _ground_tags(tags)
    if said & _OTHER_GROUND:
        return "other"
    return "home" if said & _HOME_GROUND else ""


def lies_on_other_ground(
    buildings: NDArray[np.object_], grounds: NDArray[np.object_], is_other: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell for each building whether the smallest ground round its inner point is not for homes."""
    result = np.zeros(len(buildings), dtype=bool)
    if not len(buildings) or not len(grounds):
        return result
    tree = shapely.STRtree(grounds)
    building, ground = tree.query(shapely.point_on_surface(buildings), predicate="within")
    # Largest first, so that the smallest ground is written last and stays.
    order = np.argsort(-shapely.area(grounds)[ground], kind="stable")
    result[building[order]] = is_other[ground[order]]
    return result


def spans_tracks(
    buildings: NDArray[np.object_], lines: NDArray[np.object_], tags: Iterable[Mapping[str, str]]
) -> NDArray[np.bool_]:
    """Tell for each building whether open railway tracks run below it, as in a station."""
    result = np.zeros(len(buildings), dtype=bool)
    is_track = [one.get("railway") in _TRACKS and not is_tunnel(one) for one in tags]
    tracks = lines[np.array(is_track, dtype=bool)]
    if not len(buildings) or not len(tracks):
        return result
    building, track = shapely.STRtree(tracks).query(buildings, predicate="intersects")
    below_m = shapely.length(shapely.intersection(buildings[building], tracks[track]))
    return np.bincount(building, below_m, minlength=len(buildings)) >= _MIN_TRACK_M


def _use(tags: Mapping[str, str], *, is_other: bool) -> str:
    stated = {word.strip() for word in tags.get("building:use", "").split(";") if word.strip()}
    if stated:
        return _stated_use(stated)
    has_trade = _has_trade(tags)
    if tags["building"] in _DWELLINGS or (tags["building"] == "yes" and _has_flats(tags)):
        return "mixed" if has_trade else "residential"
    is_plain = tags["building"] == "yes" and not is_other and not _is_public(tags)
    return "residential" if is_plain and not _OTHER_NAME.search(tags.get("name", "")) else "other"


def _stated_use(stated: set[str]) -> str:
    homes = stated & _HOME_WORDS
    if not homes:
        return "mixed" if "mixed" in stated else "other"
    return "mixed" if stated - homes else "residential"


def _has_flats(tags: Mapping[str, str]) -> bool:
    return tags.get("building:flats", "0") not in {"0", "no"}


def _has_trade(tags: Mapping[str, str], keys: frozenset[str] = _TRADES) -> bool:
    if any(tags.get(key, "no") not in {"no", "vacant"} for key in keys):
        return True
    return "amenity" in tags and tags["amenity"] not in _ANCILLARY


def _is_public(tags: Mapping[str, str]) -> bool:
    return _has_trade(tags, _PUBLIC) or bool(_ground_tags(tags) & _OTHER_GROUND)


def _ground_tags(tags: Mapping[str, str]) -> set[str]:
    return {f"{key}:{tags[key]}" for key in ("landuse", "amenity", "aeroway") if key in tags}
