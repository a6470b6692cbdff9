"""Small street networks with known answers, and a slow reference by networkx."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from geogrid.walking import WalkNetwork

CRS = "EPSG:32635"


def streets(*lines, crs=CRS, **columns):
    """A table of lines given by their coordinates."""
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=crs)


def points(*places, crs=CRS, **columns):
    """A table of points given by their coordinates."""
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(place) for place in places], crs=crs)


def grid_streets(nodes, step=100.0):
    """A square street grid of ``nodes`` by ``nodes`` corners."""
    at = np.arange(nodes) * step
    lines = []
    for one in at:
        for low, high in zip(at[:-1], at[1:], strict=True):
            lines += [[(low, one), (high, one)], [(one, low), (one, high)]]
    return streets(*lines)


def network(*lines, **columns):
    """A network of lines; a column ``oneway`` is taken as such."""
    frame = streets(*lines, **columns)
    return WalkNetwork.from_edges(frame, oneway="oneway" if "oneway" in columns else None)


def metres_of(reach):
    """Reachable metres per limit."""
    return reach.lines.groupby("metres")["length_m"].sum().to_dict()


def brute_force(walk, stations, households, *, limit, direction):
    """Distances of all households from all stations, by cutting edges and networkx.

    Points must lie on the network or have a single nearest edge; every point is put on its edge
    as a node of its own.
    """
    graph = nx.DiGraph()
    spots = {}
    graph.add_nodes_from(range(len(walk.xy)))
    for kind, frame in (("s", stations), ("h", households)):
        placed = walk.edge_index.snap(frame.geometry.to_numpy(), max_snap_m=100)
        for row in range(len(frame)):
            if placed.edge[row] >= 0:
                spots[kind, row] = (
                    int(placed.edge[row]), float(placed.position_m[row]), float(placed.leg_m[row]),
                )  # fmt: skip

    def link(tail, head, length):
        if graph.has_edge(tail, head):
            length = min(length, graph[tail][head]["length"])
        graph.add_edge(tail, head, length=length)

    for edge in range(len(walk.u)):
        stops = [(0.0, int(walk.u[edge])), (float(walk.length_m[edge]), int(walk.v[edge]))]
        on_it = [(at, name) for name, (own, at, _) in spots.items() if own == edge]
        stops = [stops[0], *sorted(on_it, key=lambda stop: (stop[0], str(stop[1]))), stops[1]]
        for (low, tail), (high, head) in zip(stops[:-1], stops[1:], strict=True):
            link(tail, head, high - low)
            # A point at the very end of a one-way edge stands on the corner itself.
            is_corner = high == low and not (isinstance(tail, int) and isinstance(head, int))
            if not walk.oneway[edge] or is_corner:
                link(head, tail, high - low)
    if direction == "to_station":
        graph = graph.reverse()
    answer = np.full((len(stations), len(households)), np.inf)
    for row in range(len(stations)):
        if ("s", row) not in spots:
            continue
        found = nx.single_source_dijkstra_path_length(graph, ("s", row), weight="length")
        for other in range(len(households)):
            if ("h", other) in spots and ("h", other) in found:
                legs = spots["s", row][2] + spots["h", other][2]
                answer[row, other] = found["h", other] + legs
    return np.where(answer <= limit + 1e-9, answer, np.inf)
