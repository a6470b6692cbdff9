"""Small street networks with known answers, and a slow reference by networkx."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from geogrid.walking import WalkNetwork

if TYPE_CHECKING:
    from geogrid.model.reach import Reach

CRS = "EPSG:32635"


def streets(*lines: Any, crs: Any = CRS, **columns: Any) -> gpd.GeoDataFrame:
    """A table of lines given by their coordinates."""
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=crs)


def points(*places: Any, crs: Any = CRS, **columns: Any) -> gpd.GeoDataFrame:
    """A table of points given by their coordinates."""
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(place) for place in places], crs=crs)


def grid_streets(nodes: int, step: float = 100.0) -> gpd.GeoDataFrame:
    """A square street grid of ``nodes`` by ``nodes`` corners."""
    at = np.arange(nodes) * step
    lines = []
    for one in at:
        for low, high in pairwise(at):
            lines += [[(low, one), (high, one)], [(one, low), (one, high)]]
    return streets(*lines)


def network(*lines: Any, **columns: Any) -> WalkNetwork:
    """A network of lines; a column ``oneway`` is taken as such."""
    frame = streets(*lines, **columns)
    return WalkNetwork.from_edges(frame, oneway="oneway" if "oneway" in columns else None)


def metres_of(reach: Reach) -> dict[float, float]:
    """Reachable metres per limit."""
    sums = reach.lines.groupby("metres")["length_m"].sum()
    return dict(zip(sums.index.tolist(), sums.tolist(), strict=True))


def brute_force(
    walk: WalkNetwork,
    stations: gpd.GeoDataFrame,
    households: gpd.GeoDataFrame,
    *,
    limit: float,
    direction: str,
) -> np.ndarray:
    """Distances of all households from all stations, by networkx; infinite beyond the limit.

    Every point becomes a node on its edge, so there is no case to tell apart.
    """
    spots = _spots(walk, "s", stations) | _spots(walk, "h", households)
    graph = _cut_graph(walk, spots)
    if direction == "to_station":
        graph = graph.reverse()
    answer = np.full((len(stations), len(households)), np.inf)
    for kind, station in spots:
        if kind == "h":
            continue
        found = nx.single_source_dijkstra_path_length(graph, ("s", station), weight="length")
        for name in set(found) & set(spots):
            if name[0] == "h":
                legs = spots["s", station][2] + spots[name][2]
                answer[station, name[1]] = found[name] + legs
    return np.where(answer <= limit + 1e-9, answer, np.inf)


def _spots(walk: WalkNetwork, kind: str, frame: gpd.GeoDataFrame) -> dict[Any, Any]:
    placed = walk.edge_index.snap(frame.geometry.to_numpy(), max_snap_m=100)
    return {
        (kind, row): (int(placed.edge[row]), placed.position_m[row], placed.leg_m[row])
        for row in np.flatnonzero(placed.is_on).tolist()
    }


def _cut_graph(walk: WalkNetwork, spots: dict[Any, Any]) -> Any:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(walk.xy)))

    def link(tail: Any, head: Any, length: float) -> None:
        before = graph.get_edge_data(tail, head, {"length": np.inf})["length"]
        graph.add_edge(tail, head, length=min(length, before))

    for edge in range(len(walk.u)):
        on_it = [(at, name) for name, (own, at, _) in spots.items() if own == edge]
        on_it.sort()
        ends = [(0.0, int(walk.u[edge])), (walk.length_m[edge], int(walk.v[edge]))]
        for (low, tail), (high, head) in pairwise([ends[0], *on_it, ends[1]]):
            link(tail, head, high - low)
            # A point at the very end of a one-way edge stands on the corner itself.
            is_corner = high == low and bool(on_it)
            if not walk.oneway[edge] or is_corner:
                link(head, tail, high - low)
    return graph
