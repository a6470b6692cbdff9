"""How much each vertex matters, found once a border for both of its neighbours.

Borders are cut at nodes, the places where other than two borders meet. A node is always kept. Along
a border between two nodes each vertex gets the greatest tolerance at which Douglas and Peucker's
method (1973) would still keep it, as a property of the place and not of a ring. Whatever tolerance
a zoom asks for, two neighbours then drop the same vertices.

All borders are split at once, one round a depth, so that no loop runs over rings or borders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geogrid.tiles._flat import following
from geogrid.tiles._ragged import owners, ranges, starts_of, sums

if TYPE_CHECKING:
    from geogrid.tiles._ragged import Flags, Indices

__all__ = ["importance"]

Floats = npt.NDArray[np.float64]


def importance(place: Indices, xy: Indices, length: Indices, *, is_closed: bool) -> Floats:
    """Return for each place the tolerance up to which it is kept, infinite at nodes.

    Parameters
    ----------
    place
        Number of the place of each vertex, ring by ring.
    xy
        The places, shape (places, 2).
    length
        Vertices of each ring, 1 or more.
    is_closed
        Whether the last vertex of a ring is followed by its first.
    """
    is_node = _nodes(place, len(xy), length, is_closed=is_closed)
    walk, runs = _from_nodes(place, length, is_node) if is_closed else (place, length)
    arcs, counts = _arcs(walk, runs, is_node)
    found = np.where(is_node, np.inf, 0.0)
    is_inner = ~is_node[arcs]
    found[arcs[is_inner]] = _tolerances(xy[arcs].astype(np.float64), counts)[is_inner]
    return found


def _nodes(place: Indices, places: int, length: Indices, *, is_closed: bool) -> Flags:
    after = following(length)
    is_edge = place != place[after]
    stops = np.cumsum(length)
    if not is_closed:
        is_edge[stops - 1] = False
    tail, head = place[is_edge], place[after[is_edge]]
    # Sorting is several times faster here than np.unique, which hashes.
    keys = np.sort(np.minimum(tail, head) * places + np.maximum(tail, head))
    keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
    borders = np.bincount(np.concatenate((keys // places, keys % places)), minlength=places)
    is_node: Flags = borders != 2  # noqa: PLR2004 - one comes in, one goes out
    starts = stops - length
    if not is_closed:
        is_node[place[starts]] = is_node[place[stops - 1]] = True
        return is_node
    # A ring that meets no third cell begins where both of its sides agree on.
    bare = sums(is_node[place], length) == 0
    if bare.any():
        is_node[np.minimum.reduceat(place, starts)[bare]] = True
    return is_node


def _from_nodes(place: Indices, length: Indices, is_node: Flags) -> tuple[Indices, Indices]:
    """Let every ring begin at its first node and end there again."""
    starts = starts_of(length)
    vertex = np.arange(len(place))
    first = np.minimum.reduceat(np.where(is_node[place], vertex, len(place)), starts)
    runs = length + 1
    step = ranges(np.zeros(len(runs), dtype=np.int64), runs) + np.repeat(first - starts, runs)
    walk = place[np.repeat(starts, runs) + step % np.repeat(length, runs)]
    return walk, runs


def _arcs(walk: Indices, runs: Indices, is_node: Flags) -> tuple[Indices, Indices]:
    """Return the places of every border once, in one direction, and how many each has."""
    at = np.flatnonzero(is_node[walk])
    run = owners(runs)[at]
    is_arc = (run[1:] == run[:-1]) & (np.diff(at) > 1)
    start, stop = at[:-1][is_arc], at[1:][is_arc]
    ends, inner = (walk[start], walk[stop]), (walk[start + 1], walk[stop - 1])
    is_back = (ends[0] > ends[1]) | ((ends[0] == ends[1]) & (inner[0] > inner[1]))
    # The node and the first place after it tell which border it is: only nodes have a choice.
    key = np.where(is_back, ends[1], ends[0]) * len(is_node) + np.where(is_back, *inner[::-1])
    _, once = np.unique(key, return_index=True)
    counts = (stop - start + 1)[once]
    step = ranges(np.zeros(len(counts), dtype=np.int64), counts)
    forth = np.repeat(start[once], counts) + step
    back = np.repeat(stop[once], counts) - step
    return walk[np.where(np.repeat(is_back[once], counts), back, forth)], counts


def _tolerances(xy: Floats, counts: Indices) -> Floats:
    """Return the greatest tolerance that keeps each inner vertex of open lines."""
    found = np.zeros(len(xy))
    starts = starts_of(counts)
    is_inner = np.ones(len(xy), dtype=np.bool_)
    is_inner[starts] = is_inner[starts + counts - 1] = False
    at = np.flatnonzero(is_inner)
    low, high = np.repeat(starts, counts)[at], np.repeat(starts + counts - 1, counts)[at]
    limit = np.full(len(at), np.inf)
    while len(at):
        squared = _squared_distance(xy[at], xy[low], xy[high])
        begins = np.flatnonzero(np.append(True, low[1:] != low[:-1]))
        size = np.diff(begins, append=len(at))
        top = np.maximum.reduceat(squared, begins)
        is_top = np.flatnonzero(squared == np.repeat(top, size))
        _, first = np.unique(owners(size)[is_top], return_index=True)
        split, value = at[is_top[first]], np.minimum(top, limit[begins])
        found[split] = value
        # What lies on the line is never wanted, nor is what depends on it.
        goes_on = np.repeat(value > 0, size) & (at != np.repeat(split, size))
        is_before = at < np.repeat(split, size)
        high = np.where(is_before, np.repeat(split, size), high)[goes_on]
        low = np.where(is_before, low, np.repeat(split, size))[goes_on]
        limit, at = np.repeat(value, size)[goes_on], at[goes_on]
    return np.sqrt(found)


def _squared_distance(point: Floats, one: Floats, other: Floats) -> Floats:
    """Return the squared distance of points to line segments."""
    along, to = other - one, point - one
    squared = np.einsum("ij,ij->i", along, along)
    share = np.einsum("ij,ij->i", along, to) / np.where(squared > 0, squared, 1.0)
    rest = to - along * np.clip(share, 0.0, 1.0)[:, None]
    found: Floats = np.einsum("ij,ij->i", rest, rest)
    return found
