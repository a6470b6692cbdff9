"""Where a resident may walk, and in which direction.

The rule asks whether somebody *who lives here* may walk on a line. The first row that fits decides:

=====================================================  =========  ================================
tags                                                   on foot    why
=====================================================  =========  ================================
``foot=no``                                            no         it says so
``foot=`` anything else                                yes        ``yes designated permissive
                                                                  private destination
                                                                  use_sidepath`` …: the residents
                                                                  of a compound are its private
                                                                  users, and a side path runs along
                                                                  the same street
``access=no`` or ``access=military``                   no         closed to everybody
``motorroad=yes``                                      no         a road for motors by law
``highway=motorway motorway_link bus_guideway busway   no         not built for people on foot
raceway escape via_ferrata``, no sidewalk
``highway=trunk trunk_link``, ``sidewalk=no|none``     no         an express road without a path
``highway=trunk trunk_link`` on a bridge or in a       no         elevated roads and road tunnels
tunnel, no sidewalk                                               carry no path unless mapped
everything else                                        yes        also ``access=private``,
                                                                  ``service=driveway``, trunk roads
                                                                  at ground level, cycleways, tracks
=====================================================  =========  ================================

"No sidewalk" means that no ``sidewalk`` tag promises one. ``access=private`` stays walkable because
the lanes of gated compounds carry it: dropping them would cut every home inside off the network.

``oneway=yes`` binds vehicles only. People on foot are bound by ``oneway:foot``, by
``foot:forward=no`` or ``foot:backward=no``, and by stairs and belts that move
(``conveying=forward`` or ``backward``).

Lines and gates that only their own residents may pass are marked, so that a network for everybody
else can leave them out: ``access=private`` or ``foot=private``, and gates that are locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["foot_direction", "is_locked", "is_private", "is_stairs", "is_walkable"]

_CLOSED = frozenset({"no", "military"})
_MOTORS_ONLY = frozenset(
    {
        "bus_guideway",
        "busway",
        "escape",
        "motorway",
        "motorway_link",
        "raceway",
        "via_ferrata",
    }
)
_EXPRESS = frozenset({"trunk", "trunk_link"})
_SIDEWALK_KEYS = ("sidewalk", "sidewalk:left", "sidewalk:right", "sidewalk:both")
_NO_SIDEWALK = frozenset({"no", "none"})
_TRUE = frozenset({"1", "true", "yes"})
_LOCKED = frozenset({"no", "private"})


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Tell whether a resident may walk along a line with these tags; see the table above."""
    foot = tags.get("foot")
    if foot is not None:
        return foot != "no"
    if tags.get("access") in _CLOSED or tags.get("motorroad") == "yes":
        return False
    highway = tags.get("highway")
    if highway in _MOTORS_ONLY:
        return _has_sidewalk(tags)
    if highway in _EXPRESS:
        return _express_is_walkable(tags)
    return True


def foot_direction(tags: Mapping[str, str]) -> int:
    """Return 1 if people may only walk along the line, -1 only against it, 0 both ways."""
    oneway = tags.get("oneway:foot", "no")
    moving = tags.get("conveying", "")
    if oneway in {"-1", "reverse"} or tags.get("foot:forward") == "no" or moving == "backward":
        return -1
    if oneway in _TRUE or tags.get("foot:backward") == "no" or moving == "forward":
        return 1
    return 0


def is_private(tags: Mapping[str, str]) -> bool:
    """Tell whether only the residents behind it may walk along a line."""
    return tags.get("foot", tags.get("access", "")) == "private"


def is_locked(tags: Mapping[str, str]) -> bool:
    """Tell whether only residents pass a gate."""
    if "foot" in tags:
        return tags["foot"] in _LOCKED
    return tags.get("access", "") in _LOCKED or tags.get("locked") == "yes"


def is_stairs(tags: Mapping[str, str]) -> bool:
    """Tell whether a line is climbed step by step; moving stairs are not."""
    return tags.get("highway") == "steps" and tags.get("conveying", "no") == "no"


def _has_sidewalk(tags: Mapping[str, str]) -> bool:
    return any(tags[key] not in _NO_SIDEWALK for key in _SIDEWALK_KEYS if key in tags)


def _express_is_walkable(tags: Mapping[str, str]) -> bool:
    if _has_sidewalk(tags):
        return True
    is_at_grade = all(tags.get(key, "no") == "no" for key in ("bridge", "tunnel"))
    return is_at_grade and not any(key in tags for key in _SIDEWALK_KEYS)
