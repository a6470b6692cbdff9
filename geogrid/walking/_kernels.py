"""The loops of the search, compiled: bounded shortest walks, pieces of edges, households on them.

Every entry works on arrays that it is handed and allocates none. All loops live in this one file,
because numba keys what it keeps on disk by the file of the entry. Uncompiled they are plain Python,
which is quicker for a handful of stations while nothing is compiled yet.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from geogrid.planar.compiling import can_keep, entry, in_second_process, inner, is_kept
from geogrid.walking._arrays import Desk, Graph, Homes, Rows, Starts, Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ENTRIES",
    "EPSILON_M",
    "compile_now",
    "cut_pieces",
    "is_ready",
    "list_walks",
    "search_spots",
    "serve_homes",
    "warm",
]

# In reach means distance <= limit; sums of metres differ in their last bits by order of summing.
EPSILON_M = 1e-9

# Two points in front of one spot of a one-way edge are neither ahead nor behind.
_SAME_SPOT_M = 1e-6

# Two stations are equally near within a micrometre; the name decides, not the last bit.
_TIE_M = 1e-6


@inner
def _push(
    keys: NDArray[np.float64], nodes: NDArray[np.int32], size: int, key: float, node: int
) -> int:
    """Put a node on the heap of ``size`` nodes; return the new size."""
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if keys[parent] <= key:
            break
        keys[child], nodes[child] = keys[parent], nodes[parent]
        child = parent
    keys[child], nodes[child] = key, node
    return size + 1


@inner
def _drop_top(keys: NDArray[np.float64], nodes: NDArray[np.int32], size: int) -> int:
    """Take the least node off the heap; return the new size."""
    size -= 1
    key, node = keys[size], nodes[size]
    parent, child = 0, 1
    while child < size:
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[parent], nodes[parent] = keys[child], nodes[child]
        parent, child = child, 2 * child + 1
    keys[parent], nodes[parent] = key, node
    return size


@inner
def _walk_out(graph: Graph, desk: Desk, mark: int, size: int, limit: float) -> int:
    """Settle all nodes within ``limit`` of those on the heap; return how many were touched."""
    keys, nodes, stamp, best = desk.heap_key, desk.heap_node, desk.stamp, desk.metres
    touched = 0
    while size > 0:
        metres, node = keys[0], nodes[0]
        size = _drop_top(keys, nodes, size)
        # A node lies on the heap once for every time that a shorter way to it was found.
        if stamp[node] != mark:
            continue
        stamp[node] = mark + 1
        desk.touched[touched] = node
        touched += 1
        for slot in range(graph.start[node], graph.start[node + 1]):
            reached = metres + graph.metres[slot]
            if reached > limit:
                continue
            other = graph.other[slot]
            if stamp[other] < mark or (stamp[other] == mark and reached < best[other]):
                stamp[other] = mark
                best[other] = reached
                size = _push(keys, nodes, size, reached, other)
    return touched


@inner
def _seed(desk: Desk, mark: int, size: int, metres: float, node: int) -> int:
    if desk.stamp[node] < mark or metres < desk.metres[node]:
        desk.stamp[node] = mark
        desk.metres[node] = metres
        return _push(desk.heap_key, desk.heap_node, size, metres, node)
    return size


@inner
def _search_spot(
    graph: Graph, desk: Desk, mark: int, edge: int, position: float, leg: float, limit: float
) -> int:
    """Search from one spot, by both ends of its edge; return how many nodes were touched."""
    size = 0
    ahead = leg + (graph.length[edge] - position) * graph.along[edge]
    if ahead <= limit:
        size = _seed(desk, mark, size, ahead, graph.v[edge])
    back = leg + position * graph.against[edge]
    # At its very start a one-way edge is still the node, from where all ways are open.
    if back <= limit and (position <= 0.0 or not graph.oneway[edge]):
        size = _seed(desk, mark, size, back, graph.u[edge])
    return _walk_out(graph, desk, mark, size, limit)


@inner
def _sort_edges(desk: Desk, size: int) -> None:
    """Sort the first ``size`` edges by their lower half of bits, then by the upper one."""
    _sort_by(desk.edges, desk.spare, size, desk.places, 0)
    _sort_by(desk.spare, desk.edges, size, desk.places, desk.half)


@inner
def _sort_by(
    given: NDArray[np.int64],
    out: NDArray[np.int64],
    size: int,
    place: NDArray[np.int64],
    shift: int,
) -> None:
    mask = len(place) - 2
    for digit in range(len(place)):
        place[digit] = 0
    for number in range(size):
        place[((given[number] >> shift) & mask) + 1] += 1
    for digit in range(mask):
        place[digit + 1] += place[digit]
    for number in range(size):
        digit = (given[number] >> shift) & mask
        out[place[digit]] = given[number]
        place[digit] += 1


@inner
def _gather_edges(graph: Graph, desk: Desk, mark: int, touched: int, own: int) -> int:
    """List the edges at all touched nodes and the own one, sorted; return how many."""
    desk.edge_stamp[own] = mark
    desk.edges[0] = own
    size = 1
    for number in range(touched):
        node = desk.touched[number]
        for slot in range(graph.start[node], graph.start[node + 1]):
            edge = graph.edge[slot]
            if desk.edge_stamp[edge] != mark:
                desk.edge_stamp[edge] = mark
                desk.edges[size] = edge
                size += 1
    _sort_edges(desk, size)
    return size


@inner
def _write_rows(
    graph: Graph, desk: Desk, out: Rows, row: int, sizes: tuple[int, int], spot: int, leg: float
) -> None:
    """Write a row for each gathered edge, from ``row`` on."""
    touched, edges = sizes
    for number in range(edges):
        edge = desk.edges[number]
        desk.edge_row[edge] = row + number
        out.spot[row + number] = spot
        out.edge[row + number] = edge
        out.from_u[row + number] = np.inf
        out.from_v[row + number] = np.inf
        out.own_position[row + number] = np.nan
        out.own_leg[row + number] = leg
    for number in range(touched):
        node = desk.touched[number]
        for slot in range(graph.start[node], graph.start[node + 1]):
            at = desk.edge_row[graph.edge[slot]]
            if graph.is_v[slot]:
                out.from_v[at] = desk.metres[node]
            else:
                out.from_u[at] = desk.metres[node]


def _search_spots(
    graph: Graph,
    desk: Desk,
    mark: int,
    starts: Starts,
    spots: NDArray[np.int64],
    limit: float,
    out: Rows,
) -> tuple[int, int]:
    """Search from ``spots`` in turn while their rows fit; return (spots done, rows written).

    No stamp of the scratch may be higher than ``mark``; each spot takes the next two.
    """
    row = 0
    for number in range(len(spots)):
        spot = spots[number]
        edge, position, leg = starts.edge[spot], starts.position[spot], starts.leg[spot]
        # One mark for nodes with a way to them, the next one for those of which it is final.
        mark += 2
        touched = _search_spot(graph, desk, mark, edge, position, leg, limit)
        edges = _gather_edges(graph, desk, mark, touched, edge)
        if row + edges > len(out.edge):
            return number, row
        _write_rows(graph, desk, out, row, (touched, edges), spot, leg)
        out.own_position[desk.edge_row[edge]] = position
        row += edges
    return len(spots), row


@inner
def _put(
    out: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
    size: int,
    row: int,
    start: float,
    end: float,
) -> int:
    rows, starts, ends = out
    rows[size] = row
    starts[size] = start
    ends[size] = end
    return size + 1


def _cut_pieces(
    graph: Graph,
    reach: Rows,
    limit: float,
    out: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
) -> int:
    """Write what of each edge lies within ``limit`` as (row, start, end); return how many.

    A walker comes from ``u`` to ``left``, from ``v`` back to ``right`` (not against a one-way) and,
    on the edge of the spot, from the spot to both sides. Pieces that meet are one piece.
    """
    size = 0
    for row in range(len(reach.edge)):
        edge = reach.edge[row]
        length, oneway = graph.length[edge], graph.oneway[edge]
        left = min((limit - reach.from_u[row]) / graph.along[edge], length)
        back = 0.0 if oneway else (limit - reach.from_v[row]) / graph.against[edge]
        right = max(length - back, 0.0) if back > 0.0 else np.inf
        own, room = reach.own_position[row], limit - reach.own_leg[row]
        if own == own and room > 0.0:  # noqa: PLR0124 - NaN differs from itself
            high = min(own + room / graph.along[edge], length)
            low = own if oneway else max(own - room / graph.against[edge], 0.0)
            touches_left, touches_right = low <= left + EPSILON_M, right <= high + EPSILON_M
            if touches_left:
                left = max(left, high)
            if touches_right:
                right = min(right, low)
            if not touches_left and not touches_right and high - low > EPSILON_M:
                # It lies between the two others, so it is written between them.
                if left > EPSILON_M:
                    size = _put(out, size, row, 0.0, left)
                    left = 0.0
                size = _put(out, size, row, low, high)
        if right <= left + EPSILON_M:
            left, right = length, np.inf
        if left > EPSILON_M:
            size = _put(out, size, row, 0.0, left)
        if right < length - EPSILON_M:
            size = _put(out, size, row, right, length)
    return size


@inner
def _metres_to(graph: Graph, reach: Rows, row: int, position: float) -> float:
    """Return the walk from the point behind a row's spot to a place on its edge."""
    edge = reach.edge[row]
    both, rest = not graph.oneway[edge], graph.length[edge] - position
    metres: float = reach.from_u[row] + position * graph.along[edge]
    # The end of a one-way edge is the node itself, however one came there.
    if both or rest <= 0.0:
        metres = min(metres, reach.from_v[row] + rest * graph.against[edge])
    ahead = position - reach.own_position[row]
    if ahead >= 0.0:
        metres = min(metres, reach.own_leg[row] + ahead * graph.along[edge])
    elif ahead >= -_SAME_SPOT_M or (both and ahead < 0.0):
        metres = min(metres, reach.own_leg[row] - ahead * graph.against[edge])
    return metres


def _serve_homes(
    graph: Graph,
    reach: Rows,
    homes: Homes,
    limits: NDArray[np.float64],
    counts_for: NDArray[np.bool_],
    rank: NDArray[np.int64],
    tally: Tally,
) -> None:
    """Count who is served: ``limits`` rise, ``counts_for[limit, station]`` tells what counts."""
    last = len(limits) - 1
    for row in range(len(reach.edge)):
        edge, spot = reach.edge[row], reach.spot[row]
        for home in range(homes.start[edge], homes.start[edge + 1]):
            metres = _metres_to(graph, reach, row, homes.position[home]) + homes.leg[home]
            limit = last
            while limit >= 0 and metres <= limits[limit] + EPSILON_M:
                if counts_for[limit, spot]:
                    tally.reached[limit, home] += 1
                    tally.only[limit, home] = spot
                    tally.load[limit, spot] += homes.households[home]
                    _take_nearest(tally, rank, (limit, home), spot, metres)
                limit -= 1


@inner
def _take_nearest(
    tally: Tally, rank: NDArray[np.int64], at: tuple[int, int], spot: int, metres: float
) -> None:
    """Note a station if it is nearer, or as near and first by name."""
    before = tally.nearest[at]
    if before < 0:
        tally.nearest[at] = spot
        tally.metres[at] = metres
        return
    step = np.rint(metres / _TIE_M) - np.rint(tally.metres[at] / _TIE_M)
    if step < 0.0 or (step == 0.0 and rank[spot] < rank[before]):
        tally.nearest[at] = spot
    tally.metres[at] = min(tally.metres[at], metres)


def _list_walks(
    graph: Graph,
    reach: Rows,
    homes: Homes,
    limit: float,
    out: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> int:
    """Write every walk within ``limit`` as (spot, home, metres) while it fits; count all."""
    spots, places, distances = out
    size = 0
    for row in range(len(reach.edge)):
        edge = reach.edge[row]
        for home in range(homes.start[edge], homes.start[edge + 1]):
            metres = _metres_to(graph, reach, row, homes.position[home]) + homes.leg[home]
            if metres <= limit + EPSILON_M:
                if size < len(spots):
                    spots[size], places[size], distances[size] = reach.spot[row], home, metres
                size += 1
    return size


search_spots = entry(_search_spots)
cut_pieces = entry(_cut_pieces)
serve_homes = entry(_serve_homes)
list_walks = entry(_list_walks)
ENTRIES = (search_spots, cut_pieces, serve_homes, list_walks)


@cache
def _signatures() -> tuple[tuple[Any, tuple[Any, ...]], ...]:
    """Return the entries, each with the types of its arguments."""
    whole, small = np.zeros(1, np.int64), np.zeros(1, np.int32)
    real, flag = np.zeros(1), np.zeros(1, np.bool_)
    graph = Graph(
        whole, small, small, real, flag, small, small, real, flag, real, real
    )  # fmt: skip
    reach = Rows(whole, whole, real, real, real, real)
    homes = Homes(whole, real, real, whole)
    table = np.zeros((1, 1), np.int64)
    samples = (
        (
            search_spots,
            graph,
            Desk(small, real, small, real, small, small, whole, whole, whole, whole, 1),
            0,
            Starts(whole, real, real),
            whole,
            0.0,
            reach,
        ),
        (cut_pieces, graph, reach, 0.0, (whole, real, real)),
        (
            serve_homes,
            graph,
            reach,
            homes,
            real,
            np.zeros((1, 1), np.bool_),
            whole,
            Tally(table, table, np.zeros((1, 1)), table, table),
        ),
        (list_walks, graph, reach, homes, 0.0, (whole, whole, real)),
    )
    return tuple((job, tuple(numba.typeof(one) for one in given)) for job, *given in samples)


def is_ready() -> bool:
    """Tell whether the compiled loops are in memory, or read them from disk if they are there."""
    for job, signature in _signatures():
        if not job.signatures:
            if not is_kept(job, signature):
                return False
            job.compile(signature)
    return True


def warm() -> None:
    """Get the compiled loops ready; meant for a thread that runs while files are read.

    Compiling holds the interpreter, so it is done in a second process, once after installation;
    this one then only reads the result. Where nothing can be kept on disk, nothing is done.
    """
    if is_ready() or not can_keep(search_spots):
        return
    in_second_process("from geogrid.walking import _kernels as k; k.compile_now()")
    is_ready()


def compile_now() -> None:
    """Compile the loops in this process, or read them from disk."""
    for job, signature in _signatures():
        job.compile(signature)
