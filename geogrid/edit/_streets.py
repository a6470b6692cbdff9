"""The way along streets that a run of border follows."""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from geogrid.edit._ground import metres, points
from geogrid.errors import EditError
from geogrid.planar.noding import line_work

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.edit._ground import Point

__all__ = ["street_path"]

_GRID_M = 0.001
_MM = 1000.0

Links: TypeAlias = "dict[Point, dict[Point, float]]"


def street_path(
    run: list[Point],
    lines: npt.NDArray[np.object_],
    within_m: float,
    *,
    fixed_ends: tuple[bool, bool],
) -> list[Point]:
    """Return the shortest way along lines beside a run, from its first to its last vertex.

    Parameters
    ----------
    run
        Vertices in whole millimetres.
    lines
        Lines to walk on, in metres.
    within_m
        Only what lies this near to the run counts.
    fixed_ends
        Ends that do not move: the way leads to them from the line.

    Raises
    ------
    EditError
        If no line leads from end to end.
    """
    border = shapely.LineString(metres(run))
    every = line_work(np.asarray(lines, dtype=object)) if len(lines) else np.zeros(0, dtype=object)
    beside = every[shapely.dwithin(every, border, within_m)] if len(every) else every
    if not len(beside):
        raise _nothing(within_m)
    noded = shapely.union_all(
        shapely.intersection(beside, border.buffer(within_m, quad_segs=4)), grid_size=_GRID_M
    )
    links = _links(noded)
    ends = [_entry(links, run[at]) for at in (0, -1)]
    far = [
        np.hypot(end[0] - run[at][0], end[1] - run[at][1])
        for at, end in zip((0, -1), ends, strict=True)
    ]
    way = _shortest(links, ends[0], ends[1])
    if way is None or max(far) > within_m * _MM:
        raise _nothing(within_m)
    path = [*([run[0]] if fixed_ends[0] else []), *way, *([run[-1]] if fixed_ends[1] else [])]
    return [one for at, one in enumerate(path) if not at or one != path[at - 1]]


def _nothing(within_m: float) -> EditError:
    return EditError(
        f"no given line runs beside the whole run within {within_m:g} m: allow more, or choose a "
        f"shorter run (整段界线旁 {within_m:g} 米内没有连续的道路：请放宽距离或选短一些)"
    )


def _links(noded: shapely.Geometry) -> Links:
    links: Links = {}
    for line in line_work(np.array([noded], dtype=object)):
        way = points(shapely.get_coordinates(line).tolist())
        for one, other in pairwise(way):
            _link(links, one, other)
    return links


def _link(links: Links, one: Point, other: Point) -> None:
    far = float(np.hypot(one[0] - other[0], one[1] - other[1]))
    links.setdefault(one, {})[other] = far
    links.setdefault(other, {})[one] = far


def _entry(links: Links, place: Point) -> Point:
    """Return the nearest point on the lines, as a node of them."""
    pairs = [(one, other) for one, beside in links.items() for other in beside if one < other]
    ends = np.array(pairs, dtype=np.float64)
    lines = np.asarray(shapely.linestrings(ends), dtype=object)
    spot = shapely.Point(place)
    at = int(shapely.distance(lines, spot).argmin())
    nearest = lines[at].interpolate(lines[at].project(spot))
    node = (round(nearest.x), round(nearest.y))
    one, other = pairs[at]
    if node not in (one, other):
        del links[one][other], links[other][one]
        _link(links, one, node)
        _link(links, node, other)
    return node


def _shortest(links: Links, start: Point, stop: Point) -> list[Point] | None:
    before: dict[Point, Point] = {}
    best = {start: 0.0}
    todo = [(0.0, start)]
    while todo:
        far, here = heapq.heappop(todo)
        if here == stop:
            way = [stop]
            while way[-1] != start:
                way.append(before[way[-1]])
            return way[::-1]
        if far > best[here]:
            continue
        for there, step in links[here].items():
            if far + step < best.get(there, np.inf):
                best[there], before[there] = far + step, here
                heapq.heappush(todo, (far + step, there))
    return None
