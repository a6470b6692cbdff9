"""Why is this household unserved? The walk that is too long, or what keeps it off the streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.stations._path import walk_line, walk_steps
from geogrid.stations._reach_terms import FARTHEST_M, ReachTerms
from geogrid.vocabulary import ServiceAnswer
from geogrid.walking.homes import HomeTable, list_walks
from geogrid.walking.search import EPSILON_M, EdgeReach, search

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from geogrid.model.reach import Reach
    from geogrid.walking.slope import Ground

__all__ = ["Explanation", "explain_unserved"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """What stands between a household and its nearest station that counts for the limit.

    Attributes
    ----------
    answer
        Served, or the reason why not.
    limit_zh, limit_en, limit_m
        The limit, as people read it and in metres.
    station
        Name of the nearest station by walking; by the straight line where nobody can walk; empty
        where there is none.
    metres, minutes
        The shortest walk there, legs at both ends included; NaN where there is no way, minutes
        also where no speed was given.
    missing_m, missing_minutes
        How much of it lies beyond the limit; 0 when served.
    straight_m, detour
        The straight line to that station, and the walk divided by it.
    street_m
        The straight line to the nearest street.
    max_snap_m
        The longest leg to a street that was allowed.
    path
        The walk in the network's frame, in the direction that people walk; ``None`` without one.
    """

    answer: ServiceAnswer
    limit_zh: str
    limit_en: str
    limit_m: float
    station: str = ""
    metres: float = float("nan")
    minutes: float = float("nan")
    missing_m: float = float("nan")
    missing_minutes: float = float("nan")
    straight_m: float = float("nan")
    detour: float = float("nan")
    street_m: float = float("nan")
    max_snap_m: float = float("nan")
    path: shapely.LineString | None = None

    @property
    def text_zh(self) -> str:
        """The answer as a sentence in Chinese."""
        return _SENTENCES[self.answer][0](self)

    @property
    def text_en(self) -> str:
        """The answer as a sentence in English."""
        return _SENTENCES[self.answer][1](self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; what is not known is ``None``, the path is left out."""
        names = (
            "station", "limit_m", "metres", "minutes", "missing_m", "missing_minutes",
            "straight_m", "detour", "street_m", "max_snap_m",
        )  # fmt: skip
        values = {name: getattr(self, name) for name in names}
        plain = {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in values.items()
        }
        texts = {"text_zh": self.text_zh, "text_en": self.text_en}
        return {"answer": self.answer.value, "label_zh": self.answer.label_zh, **plain, **texts}


def explain_unserved(
    reach: Reach,
    place: shapely.Point | None = None,
    *,
    household: Hashable | None = None,
    limit: float | None = None,
    ground: Ground | None = None,
) -> Explanation:
    """Tell why a household or a place is not served within a limit, or that it is.

    Parameters
    ----------
    reach
        A measured reach.
    place
        A point in the frame of the network.
    household
        Index of a row of ``reach.households``, instead of a place.
    limit
        One of the limits of the reach; the largest where absent.
    ground
        Heights and stairs that the reach was measured with, if any.

    Returns
    -------
    Explanation
        With ``text_zh`` and ``text_en``.

    Raises
    ------
    InputError
        If neither or both of place and household are given, there is no such row, or the reach
        was not measured like this.
    """
    point = _place(reach, place, household)
    terms = ReachTerms.of(reach, limit, ground)
    if point is None:
        return _answer(terms, ServiceAnswer.NO_POINT)
    placed = terms.placed(np.array([point], dtype=object), from_stations=False)
    street_m = _street_m(terms, point)
    if not placed.spots.is_on[0]:
        is_far = street_m > terms.max_snap_m
        answer = ServiceAnswer.OFF_NETWORK if is_far else ServiceAnswer.BARRED
        return _answer(terms, answer, street_m=street_m, **_straight(terms, reach, point))
    streets = terms.streets(from_stations=False)
    found = EdgeReach.concat(list(search(streets, placed.spots, FARTHEST_M)))
    points = reach.stations.geometry.to_numpy()[terms.counting]
    stations = terms.placed(points, from_stations=False)
    table = HomeTable.of(streets, stations.spots, np.ones(len(points), dtype=np.int64))
    walks = list_walks(streets, [found], table, FARTHEST_M)
    if not len(walks.metres):
        straight = _straight(terms, reach, point)
        return _answer(terms, ServiceAnswer.NO_WAY, street_m=street_m, **straight)
    names = reach.stations["station"].to_numpy()[terms.counting][walks.household]
    best = int(np.lexsort((names, np.round(walks.metres, 6)))[0])
    row, metres = int(walks.household[best]), float(walks.metres[best])
    steps = walk_steps(
        streets, found, int(stations.spots.edge[row]), float(stations.spots.position_m[row])
    )
    is_turned = terms.is_turned(from_stations=False)
    path = walk_line(terms.network, steps, (point, points[row]), is_turned=is_turned)
    straight_m = float(shapely.distance(point, points[row]))
    return _answer(
        terms,
        ServiceAnswer.SERVED if metres <= terms.limit_m + EPSILON_M else ServiceAnswer.TOO_FAR,
        station=str(names[best]),
        metres=metres,
        straight_m=straight_m,
        street_m=street_m,
        detour=metres / straight_m if straight_m else float("nan"),
        path=path if path is None or terms.to_station else shapely.reverse(path),
    )


def _place(
    reach: Reach, place: shapely.Point | None, household: Hashable | None
) -> shapely.Point | None:
    if (place is None) == (household is None):
        msg = "give a place or the index of a household, one of them"
        raise InputError(msg)
    if household is not None:
        rows = np.flatnonzero(reach.households.index == household)
        if not len(rows):
            msg = f"the reach has no household with the index {household}: see reach.households"
            raise InputError(msg)
        place = reach.households.geometry.to_numpy()[rows[0]]
        return None if place is None or place.is_empty else place
    is_point = isinstance(place, shapely.Point) and not place.is_empty
    if not is_point or not np.isfinite(shapely.get_coordinates(place)).all():
        msg = f"{place} is no place: give a point in the frame of the network"
        raise InputError(msg)
    return shapely.force_2d(place)


def _street_m(terms: ReachTerms, point: shapely.Point) -> float:
    tree = shapely.STRtree(terms.network.geometry)
    (_, _), metres = tree.query_nearest(
        np.array([point], dtype=object), return_distance=True, all_matches=False
    )
    return float(metres[0])


def _straight(terms: ReachTerms, reach: Reach, point: shapely.Point) -> dict[str, Any]:
    """Return the nearest station as the crow flies, where nobody can walk."""
    if not len(terms.counting):
        return {}
    away = shapely.distance(point, reach.stations.geometry.to_numpy()[terms.counting])
    row = int(np.argmin(away))
    name = reach.stations["station"].to_numpy()[terms.counting[row]]
    return {"station": str(name), "straight_m": float(away[row])}


def _answer(terms: ReachTerms, answer: ServiceAnswer, **facts: Any) -> Explanation:  # noqa: ANN401
    metres = facts.get("metres", float("nan"))
    minutes = terms.minutes(metres)
    missing_m = missing_minutes = float("nan")
    if np.isfinite(metres):
        is_served = answer is ServiceAnswer.SERVED
        missing_m = 0.0 if is_served else metres - terms.limit_m
        missing_minutes = 0.0 if is_served else minutes - terms.minutes(terms.limit_m)
    return Explanation(
        answer=answer,
        limit_zh=terms.limit_zh,
        limit_en=terms.limit_en,
        limit_m=terms.limit_m,
        minutes=minutes,
        missing_m=missing_m,
        missing_minutes=missing_minutes,
        max_snap_m=terms.max_snap_m,
        **facts,
    )


def _walk_zh(why: Explanation) -> str:
    time = f"（约{why.minutes:.1f}分钟）" if np.isfinite(why.minutes) else ""
    return f"到最近的服务站 {why.station} 步行 {why.metres:.0f} 米{time}"


def _walk_en(why: Explanation) -> str:
    time = f" ({why.minutes:.1f} min)" if np.isfinite(why.minutes) else ""
    return f"the walk to the nearest station {why.station} is {why.metres:.0f} m{time}"


def _detour_zh(why: Explanation) -> str:
    detour = f"，绕行系数 {why.detour:.2f}" if np.isfinite(why.detour) else ""
    return f"直线 {why.straight_m:.0f} 米{detour}"


def _detour_en(why: Explanation) -> str:
    detour = f", {why.detour:.2f} times as long" if np.isfinite(why.detour) else ""
    return f"the straight line {why.straight_m:.0f} m{detour}"


def _too_far_zh(why: Explanation) -> str:
    time = f"、{why.missing_minutes:.1f}分钟" if np.isfinite(why.missing_minutes) else ""
    more = f"超出 {why.limit_zh} {why.missing_m:.0f} 米{time}"
    return f"未服务：{_walk_zh(why)}，{more}；{_detour_zh(why)}。"


def _too_far_en(why: Explanation) -> str:
    return (
        f"Not served: {_walk_en(why)}, {why.missing_m:.0f} m beyond {why.limit_en}; "
        f"{_detour_en(why)}."
    )


def _near_zh(why: Explanation) -> str:
    if not why.station:
        return "没有计入此时限的服务站。"
    return f"直线最近的服务站 {why.station} 在 {why.straight_m:.0f} 米外。"


def _near_en(why: Explanation) -> str:
    if not why.station:
        return "no station counts for this limit."
    return f"station {why.station} is {why.straight_m:.0f} m away in a straight line."


# The Chinese and the English sentence of each answer.
_SENTENCES: Mapping[ServiceAnswer, tuple[Callable[[Explanation], str], ...]] = {
    ServiceAnswer.SERVED: (
        lambda why: f"已服务：{_walk_zh(why)}，不超过 {why.limit_zh}；{_detour_zh(why)}。",
        lambda why: f"Served: {_walk_en(why)}, within {why.limit_en}; {_detour_en(why)}.",
    ),
    ServiceAnswer.TOO_FAR: (_too_far_zh, _too_far_en),
    ServiceAnswer.NO_WAY: (
        lambda why: (
            f"未服务：沿步行路网走不到任何计入 {why.limit_zh} 的服务站"
            f"（所在街道与之不相连）；{_near_zh(why)}"
        ),
        lambda why: (
            f"Not served: no way along the streets leads to a station that counts for "
            f"{why.limit_en}, its street is not joined to theirs; {_near_en(why)}"
        ),
    ),
    ServiceAnswer.OFF_NETWORK: (
        lambda why: (
            f"未服务：最近的街道在 {why.street_m:.0f} 米外，超过 {why.max_snap_m:g} 米，"
            f"不在步行路网上；{_near_zh(why)}"
        ),
        lambda why: (
            f"Not served: the nearest street is {why.street_m:.0f} m away, more than "
            f"{why.max_snap_m:g} m, so it is off the network; {_near_en(why)}"
        ),
    ),
    ServiceAnswer.BARRED: (
        lambda why: (
            f"未服务：最近的街道虽只有 {why.street_m:.0f} 米，{why.max_snap_m:g} 米之内的街道都"
            f"隔着河流、铁路、快速路或围墙；{_near_zh(why)}"
        ),
        lambda why: (
            f"Not served: the nearest street is only {why.street_m:.0f} m away, but water, rails, "
            f"an express road or a wall lies before every street within {why.max_snap_m:g} m; "
            f"{_near_en(why)}"
        ),
    ),
    ServiceAnswer.NO_POINT: (
        lambda why: f"未服务：住户没有坐标，无法判断 {why.limit_zh}。",
        lambda why: f"Not served: the household has no coordinates, so {why.limit_en} is unknown.",
    ),
}
