"""Parameters of the standard interface: what they are called, and what their values mean.

The standard wants 400 for a parameter that nobody knows, which routes elsewhere pass over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geogrid.api.ogc_crs import CRS84, bounds_of
from geogrid.api.problems import BadQueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams

    from geogrid.api.ogc_crs import Bounds, ServedCrs

__all__ = [
    "FORMAT",
    "ITEM",
    "ITEMS",
    "LIMIT",
    "MOST",
    "ItemsQuery",
    "known_only",
    "read_items",
    "system_of",
]

MOST = 10_000
# What QGIS asks for at a time; a plan of 30,000 cells is 30 answers then.
_USUAL = 1000
_FORMATS = ("json", "geojson")

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)|\d{4}-\d\d-\d\d"
_MOMENT = re.compile(_TIME, re.IGNORECASE)
_INTERVAL = re.compile(rf"(?:{_TIME}|\.\.)?/(?:{_TIME}|\.\.)?", re.IGNORECASE)


def _parameter(name: str, words: str, **schema: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "name": name, "in": "query", "required": False, "description": words, "schema": schema,
        "style": "form", "explode": False,
    }  # fmt: skip


_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
FORMAT = [_parameter("f", "Only JSON is given, 格式", type="string", enum=list(_FORMATS))]
ITEM = [*FORMAT, _parameter("crs", "Coordinate system of the answer, 坐标系", type="string")]
LIMIT = _parameter(
    "limit", f"Features in one answer, at most {MOST}, 每页数量",
    type="integer", minimum=1, maximum=MOST, default=_USUAL,
)  # fmt: skip
ITEMS = [
    *ITEM,
    LIMIT,
    _parameter("offset", "Features to pass over, 起始", type="integer", minimum=0, default=0),
    _parameter("bbox", "Features that meet this box, 范围", **_NUMBERS),
    _parameter("bbox-crs", "Coordinate system of bbox, 范围坐标系", type="string"),
    _parameter(
        "datetime", "A time or an interval; plans have no times, so all fit, 时间", type="string"
    ),
    {
        "name": "filters", "in": "query", "required": False, "style": "form", "explode": True,
        "description": "Any property of the features: those with this value, 属性筛选",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    },
]  # fmt: skip
_OWN = frozenset(one["name"] for one in ITEMS if one["name"] != "filters")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsQuery:
    """Which features somebody wants.

    Attributes
    ----------
    limit, offset
        How many, and how many to pass over.
    boxes
        Boxes in ``box_system``, x to the east; ``None`` where there is none.
    box_system, system
        The coordinate systems of the boxes and of the answer.
    wanted
        Values of properties.
    """

    limit: int
    offset: int
    boxes: tuple[Bounds, ...] | None
    box_system: ServedCrs
    system: ServedCrs
    wanted: Mapping[str, str]


def read_items(given: QueryParams, systems: Mapping[str, ServedCrs]) -> ItemsQuery:
    """Read what features are wanted.

    Parameters
    ----------
    given
        The parameters.
    systems
        What :func:`geogrid.api.ogc_crs.served_systems` gave.

    Raises
    ------
    BadQueryError
        If a value is none; names of properties are looked at by whoever knows them.
    """
    known_only(given, None)
    when = given.get("datetime", "..")
    if when != ".." and not (_MOMENT.fullmatch(when) or _INTERVAL.fullmatch(when)):
        msg = "datetime must be a time like 2024-05-01T00:00:00Z, or two with / between (时间格式)"
        raise BadQueryError(msg)
    box_system = system_of(given, systems, "bbox-crs")
    box = given.get("bbox")
    return ItemsQuery(
        # A larger limit is no fault: it is answered with the most there is.
        limit=min(MOST, _whole(given, "limit", _USUAL, 1)),
        offset=_whole(given, "offset", 0, 0),
        boxes=None if box is None else bounds_of(box, box_system),
        box_system=box_system,
        system=system_of(given, systems, "crs"),
        wanted={key: value for key, value in given.items() if key not in _OWN},
    )


def system_of(given: QueryParams, systems: Mapping[str, ServedCrs], name: str = "crs") -> ServedCrs:
    """Return the coordinate system that a parameter names, CRS84 where it is absent.

    Raises
    ------
    BadQueryError
        If features are not given in it.
    """
    uri = given.get(name, CRS84)
    if uri not in systems:
        msg = f"{name} must be one of {', '.join(systems)} (不支持的坐标系)"
        raise BadQueryError(msg)
    return systems[uri]


def known_only(given: QueryParams, names: frozenset[str] | None = frozenset({"f"})) -> None:
    """Refuse parameters that are none, said twice, or of a format that there is not.

    Parameters
    ----------
    given
        The parameters.
    names
        Those that there are; ``None`` where others name properties.

    Raises
    ------
    BadQueryError
        If one is refused.
    """
    keys = [key for key, _ in given.multi_items()]
    strange = [] if names is None else [key for key in keys if key not in names]
    if strange:
        msg = f"there is no parameter {strange[0]!r} here: look at /docs (没有这个参数)"
        raise BadQueryError(msg)
    if len(set(keys)) < len(keys):
        msg = "a parameter is there twice: say it once (参数重复)"
        raise BadQueryError(msg)
    if given.get("f", "json") not in _FORMATS:
        msg = "f must be json: nothing else is given here (只提供 JSON)"
        raise BadQueryError(msg)


def _whole(given: QueryParams, name: str, usual: int, least: int) -> int:
    text = given.get(name)
    if text is None:
        return usual
    # Python reads other digits and underscores too.
    found = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else -1
    if found < least:
        msg = f"{name} must be a whole number from {least} (须为整数)"
        raise BadQueryError(msg)
    return found
