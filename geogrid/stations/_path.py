"""The line of one shortest walk, followed back from what a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.ops import substring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.walking import WalkNetwork
    from geogrid.walking.search import EdgeReach, Streets

__all__ = ["walk_line", "walk_steps"]

# Sums of metres differ in their last bits by the order of summing.
_TIGHT_M = 1e-6

Step = tuple[int, float, float]


def walk_steps(streets: Streets, reach: EdgeReach, edge: int, position_m: float) -> list[Step]:
    """Return a shortest walk from the only spot of a reach to a place on an edge.

    Parameters
    ----------
    streets
        What was searched.
    reach
        What one spot reaches, without a limit or with one beyond the place.
    edge, position_m
        The place, measured on ``streets``.

    Returns
    -------
    list of (edge, from, to)
        Metres of walking along each edge; empty when the place is not in reach.
    """
    found = _Found(streets, reach)
    length, along, against = streets.length_m[edge], found.along[edge], found.against[edge]
    u, v = int(streets.u[edge]), int(streets.v[edge])
    ways = [
        (found.metres[u] + _cost(position_m, along), 1, u, 0.0),
        (found.metres[v] + _cost(length - position_m, against), 2, v, float(length)),
    ]
    if edge == found.edge:
        ahead = position_m - found.position
        direct = _cost(ahead, along) if ahead >= 0 else _cost(-ahead, against)
        ways.append((found.leg + direct, 0, -1, found.position))
    metres, _, node, start = min(ways)
    if not np.isfinite(metres):
        return []
    before = [] if node < 0 else _steps_to(found, node)
    return [*before, (edge, start, position_m)]


def _cost(metres: float, a_metre: float) -> float:
    """Return what metres cost; none cost nothing, even against a one-way."""
    return float(metres * a_metre) if metres else 0.0


class _Found:
    """Least metres of every node, and how to go back from one."""

    def __init__(self, streets: Streets, reach: EdgeReach) -> None:
        self.streets = streets
        graph = streets.graph
        self.along = graph.along
        self.against = np.where(graph.oneway, np.inf, graph.against)
        row = int(np.flatnonzero(~np.isnan(reach.own_position))[0])
        self.edge = int(reach.edge[row])
        self.position, self.leg = float(reach.own_position[row]), float(reach.own_leg[row])
        self.metres: NDArray[np.float64] = np.full(streets.nodes, np.inf)
        np.minimum.at(self.metres, streets.u[reach.edge], reach.from_u)
        np.minimum.at(self.metres, streets.v[reach.edge], reach.from_v)

    def last_step(self, node: int) -> Step | None:
        """Return the step from the spot itself to a node, if that is its shortest walk."""
        edge, at = self.edge, self.position
        length = self.streets.length_m[edge]
        for end, to, metres, cost in (
            (self.streets.v[edge], length, length - at, self.along[edge]),
            (self.streets.u[edge], 0.0, at, self.against[edge]),
        ):
            if node == end and self.leg + _cost(metres, cost) <= self.metres[node] + _TIGHT_M:
                return edge, at, float(to)
        return None

    def steps_into(self, node: int) -> list[tuple[int, Step]]:
        """Return the nodes from which a shortest walk comes to a node, and over which edge."""
        graph, found = self.streets.graph, []
        for slot in range(int(graph.start[node]), int(graph.start[node + 1])):
            edge, other = int(graph.edge[slot]), int(graph.other[slot])
            length = float(graph.length[edge])
            cost = self.along[edge] if graph.is_v[slot] else self.against[edge]
            if self.metres[other] + _cost(length, cost) <= self.metres[node] + _TIGHT_M:
                way = (0.0, length) if graph.is_v[slot] else (length, 0.0)
                found.append((other, (edge, *way)))
        return found


def _steps_to(found: _Found, node: int) -> list[Step]:
    """Go back from a node; edges of no length may lead in circles, so what was tried is kept."""
    after: dict[int, tuple[int, Step]] = {}
    seen, stack = {node}, [node]
    while stack:
        here = stack.pop()
        first = found.last_step(here)
        if first is not None:
            steps = [first]
            while here != node:
                here, step = after[here]
                steps.append(step)
            return steps
        for other, step in found.steps_into(here):
            if other not in seen:
                seen.add(other)
                after[other] = (here, step)
                stack.append(other)
    return []


def walk_line(
    network: WalkNetwork,
    steps: list[Step],
    ends: tuple[shapely.Point, shapely.Point],
    *,
    is_turned: bool,
) -> shapely.LineString | None:
    """Draw a walk with the straight legs at both ends.

    Parameters
    ----------
    network
        The network.
    steps
        As :func:`walk_steps` gave them; none draw no line.
    ends
        The points behind both ends.
    is_turned
        Whether the steps were measured from the other end of the edges.
    """
    if not steps:
        return None
    places = [shapely.get_coordinates(ends[0])]
    for edge, start, end in steps:
        line, length = network.geometry[edge], float(network.length_m[edge])
        scale = line.length / length if length else 0.0
        if is_turned:
            start, end = length - start, length - end  # noqa: PLW2901 - the same, along the line
        places.append(shapely.get_coordinates(substring(line, start * scale, end * scale)))
    xy = np.concatenate([*places, shapely.get_coordinates(ends[1])])
    is_new = np.concatenate([[True], (np.diff(xy, axis=0) != 0).any(axis=1)])
    kept = xy[is_new]
    return shapely.LineString(kept if len(kept) > 1 else np.repeat(kept, 2, axis=0))
