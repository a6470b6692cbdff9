"""Reach sets and households in reach beside the routing libraries, on the same graph and run.

The libraries answer with nodes, each from a node of the station's street; ours also gives the
exact parts of streets, from the station itself. Run with
``pytest tests/bench/test_bench_reach.py --benchmark-only -s``.
"""

from __future__ import annotations

import statistics
import time

import igraph
import networkx as nx
import numpy as np
import pandana
import pandas as pd
import pytest
from bench.reach_cases import HOUSEHOLDS, STATIONS, reach_cases
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geogrid.walking import _kernels
from geogrid.walking.homes import HomeTable, serve
from geogrid.walking.pieces import reach_pieces
from geogrid.walking.search import search

ROUNDS = 5
LIMITS = (400.0, 1200.0)
FAR = LIMITS[-1]


@pytest.fixture(scope="module")
def cases(shared_data):
    _kernels.compile_now()
    return list(reach_cases(shared_data))


def seconds(job, rounds=ROUNDS):
    """Median and least seconds of a job, and what it found."""
    runs, found = [], None
    for _ in range(rounds):
        start = time.perf_counter()
        found = job()
        runs.append(time.perf_counter() - start)
    return statistics.median(runs), min(runs), found


def shortest_arcs(walk):
    """Arcs both ways, of parallel ones the shortest."""
    both = ~walk.oneway
    tail = np.concatenate([walk.u, walk.v[both]])
    head = np.concatenate([walk.v, walk.u[both]])
    metres = np.concatenate([walk.length_m, walk.length_m[both]])
    order = np.lexsort((metres, head, tail))
    tail, head, metres = tail[order], head[order], metres[order]
    first = np.append(True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1]))
    return tail[first], head[first], metres[first]


def peers(case):
    """Jobs that answer with the nodes within the limit, by name."""
    walk, from_node = case.walk, case.walk.u[case.stations.edge]
    tail, head, metres = shortest_arcs(walk)
    size = len(walk.xy)
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), metres.tolist(), strict=True))
    start = np.searchsorted(tail, np.arange(size + 1))
    matrix = csr_array((metres, head, start), shape=(size, size))
    flat = igraph.Graph(n=size, edges=np.column_stack([tail, head]), directed=True)
    accessible = pandana.Network(
        pd.Series(walk.xy[:, 0]), pd.Series(walk.xy[:, 1]), pd.Series(tail), pd.Series(head),
        pd.DataFrame({"metres": metres}), twoway=False,
    )  # fmt: skip

    def by_networkx():
        for node in from_node.tolist():
            nx.single_source_dijkstra_path_length(graph, node, cutoff=FAR, weight="weight")

    def by_scipy():
        # All at once fill a table of stations by nodes, 375 MB on the copies.
        for part in np.array_split(from_node, 10):
            np.nonzero(np.isfinite(dijkstra(matrix, indices=part, limit=FAR)))

    def by_igraph():
        for part in np.array_split(from_node, 10):
            flat.distances(source=part.tolist(), weights=metres)

    def by_pandana():
        accessible.nodes_in_range(from_node.tolist(), FAR)

    return {
        "networkx": by_networkx,
        "scipy": by_scipy,
        "igraph": by_igraph,
        "pandana": by_pandana,
    }


def ours(case):
    streets = case.walk.streets
    found = list(search(streets, case.stations, FAR))
    return found, [reach_pieces(streets, part, FAR) for part in found]


def test_reach_sets_beside_routing_libraries(benchmark, cases, capsys):
    benchmark.pedantic(ours, args=(cases[0],), rounds=1, warmup_rounds=1)
    own = {}
    for case in cases:
        median, least, (found, pieces) = seconds(lambda case=case: ours(case), 15)
        own[case.name] = least
        metres = sum(float(part.length_m.sum()) for part in pieces)
        edges = sum(len(part.edge) for part in found)
        times = {name: seconds(job, 1 if case is cases[1] else 3)[1]
                 for name, job in peers(case).items()}  # fmt: skip
        with capsys.disabled():
            print(
                f"\nreach: {case.walk!r}, {STATIONS} stations, {FAR:g} m: {edges} edges, "
                f"{metres / 1000:.0f} km; {median * 1000 / STATIONS:.4f} ms a station (least "
                f"{least * 1000 / STATIONS:.4f}), "
                + ", ".join(
                    f"{name} {one * 1000 / STATIONS:.3f} ms ({one / least:.1f} times)"
                    for name, one in times.items()
                )
            )
        assert edges
    with capsys.disabled():
        print(f"reach: 25 copies take {own['25 copies'] / own['1 copy']:.2f} times 1 copy")


def brute_force(case):
    """Walks of all households from each station, by scipy and by hand, a station a row."""
    walk, homes = case.walk, case.homes
    tail, head, metres = shortest_arcs(walk)
    size = len(walk.xy)
    matrix = csr_array(
        (metres, head, np.searchsorted(tail, np.arange(size + 1))), shape=(size, size)
    )
    rest = walk.length_m[homes.edge] - homes.position_m
    one = walk.oneway[homes.edge]
    for edge, position, leg in zip(
        case.stations.edge, case.stations.position_m, case.stations.leg_m, strict=True
    ):
        ends = [int(walk.v[edge])] if walk.oneway[edge] else [int(walk.u[edge]), int(walk.v[edge])]
        starts = {int(walk.u[edge]): position, int(walk.v[edge]): walk.length_m[edge] - position}
        from_ends = dijkstra(matrix, indices=ends, limit=FAR)
        node = np.min([row + starts[end] for row, end in zip(from_ends, ends, strict=True)], axis=0)
        back = np.where(one, np.inf, node[walk.v[homes.edge]] + rest)
        found = np.minimum(node[walk.u[homes.edge]] + homes.position_m, back)
        ahead = homes.position_m - position
        own = (homes.edge == edge) & (~one | (ahead >= 0))
        yield np.where(own, np.minimum(found, np.abs(ahead)), found) + leg + homes.leg_m


def test_households_in_reach_equal_brute_force(benchmark, cases, capsys):
    counts_for, rank = np.ones((2, STATIONS), dtype=bool), np.arange(STATIONS)
    households = np.random.default_rng(3).integers(1, 6, HOUSEHOLDS)

    def cover(case):
        streets = case.walk.streets
        table = HomeTable.of(streets, case.homes, households)
        return serve(streets, search(streets, case.stations, FAR), table, LIMITS, counts_for, rank)

    benchmark.pedantic(cover, args=(cases[1],), rounds=1, warmup_rounds=1)
    for case in cases:
        median, least, found = seconds(lambda case=case: cover(case), 9)
        start = time.perf_counter()
        walks = np.vstack([row.astype(np.float32) for row in brute_force(case)])
        slow = time.perf_counter() - start
        with capsys.disabled():
            print(
                f"\nhouseholds: {case.walk!r}, {STATIONS} stations x {HOUSEHOLDS} households: "
                f"sorting, searching, counting {median:.4f} s (least {least:.4f}); by hand with "
                f"scipy {slow:.1f} s; within 5 and 15 minutes "
                f"{[int(households[one > 0].sum()) for one in found.count]}"
            )
        for row, limit in enumerate(LIMITS):
            near = walks <= limit
            assert found.count[row].tolist() == near.sum(axis=0).tolist()
            assert found.load[row].tolist() == (near @ households).tolist()
            only = near & (near.sum(axis=0) == 1)
            assert found.only_here[row].tolist() == (only @ households).tolist()
        served = found.count[-1] > 0
        assert found.nearest[-1][served].tolist() == walks.argmin(axis=0)[served].tolist()
