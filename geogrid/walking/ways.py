"""OpenStreetMap ways as people walk them: who may, through which gates, and across squares."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import row_list

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geogrid.model.extract import OsmExtract

__all__ = ["Ways", "locked_gates", "walked_ways"]

# A straight way is drawn over a square where the other ways over it are this much longer.
_DETOUR = 1.2
# Pairs grow with the square of this number; a place with more is walked along its outline.
_MOST_ENTRIES = 60
# Nodes of the smallest ring, the first one twice.
_CLOSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Lines with one node a vertex.

    Attributes
    ----------
    lines
        The shapes.
    nodes
        The node of each vertex, all ways one after the other.
    oneway, is_stairs, is_span
        Marks of each way; a span is a bridge or a tunnel.
    """

    lines: NDArray[np.object_]
    nodes: NDArray[np.int64]
    oneway: NDArray[np.bool_]
    is_stairs: NDArray[np.bool_]
    is_span: NDArray[np.bool_]

    @property
    def start(self) -> NDArray[np.int64]:
        """First vertex of each way, and the end of the last."""
        return np.concatenate([[0], np.cumsum(shapely.get_num_points(self.lines))])

    def join(self, other: Ways) -> Ways:
        """Put other ways behind these."""
        return Ways(
            lines=np.concatenate([self.lines, other.lines]),
            nodes=np.concatenate([self.nodes, other.nodes]),
            oneway=np.concatenate([self.oneway, other.oneway]),
            is_stairs=np.concatenate([self.is_stairs, other.is_stairs]),
            is_span=np.concatenate([self.is_span, other.is_span]),
        )


def locked_gates(extract: OsmExtract) -> frozenset[int]:
    """Return the nodes of gates that only residents pass."""
    walls = extract.walls
    if "is_locked" not in walls.columns:
        return frozenset()
    ids = walls["osm_id"][walls["is_locked"].astype(bool) & walls["osm_id"].str.startswith("n")]
    return frozenset(int(key[1:]) for key in ids)


def walked_ways(
    streets: gpd.GeoDataFrame,
    squares: gpd.GeoDataFrame | None,
    *,
    private: bool,
    locked: frozenset[int],
) -> Ways:
    """Return the ways that people walk on.

    Parameters
    ----------
    streets, squares
        Of an extract. Squares are walked along their outline and, between the places where
        streets come in, straight across.
    private
        Whether residents walk: their compounds' paths are open to them, and their gates.
    locked
        Nodes of gates at which the network is cut when ``private`` is false.

    Raises
    ------
    InputError
        If nothing is open to walkers, or a way does not name one node a vertex.
    """
    walked = _ways(_open(streets, private=private))
    if not len(walked.lines):
        msg = "the extract holds no street open to walkers: check its area and its highway tags"
        raise InputError(msg)
    if squares is not None and len(squares):
        outlines = _ways(_open(squares, private=private))
        walked = walked.join(outlines)
        walked = walked.join(_across(walked, outlines))
    return walked if private else _cut(walked, locked)


def _open(frame: gpd.GeoDataFrame, *, private: bool) -> gpd.GeoDataFrame:
    is_open = _marks(frame, "foot")
    if not private:
        is_open &= ~_marks(frame, "is_private")
    return frame[is_open]


def _marks(frame: gpd.GeoDataFrame, name: str) -> NDArray[np.bool_]:
    """Return a column of marks; tables from elsewhere may lack some."""
    if name not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return frame[name].to_numpy().astype(bool)


def _ways(frame: gpd.GeoDataFrame) -> Ways:
    lines = shapely.force_2d(frame.geometry.to_numpy())
    nodes = [np.asarray(ids, dtype=np.int64) for ids in frame["nodes"]]
    odd = np.flatnonzero(shapely.get_num_points(lines) != [len(ids) for ids in nodes])
    if len(odd):
        msg = f"{len(odd)} ways do not name one node a vertex (rows {row_list(odd)}): read again"
        raise InputError(msg)
    return Ways(
        lines=np.asarray(lines, dtype=object),
        nodes=np.concatenate([np.empty(0, np.int64), *nodes]),
        oneway=_marks(frame, "oneway_foot"),
        is_stairs=_marks(frame, "is_stairs"),
        is_span=_marks(frame, "is_bridge") | _marks(frame, "is_tunnel"),
    )


def _across(walked: Ways, outlines: Ways) -> Ways:
    """Return straight ways over squares, between the places where streets come in."""
    uses = pd.Series(walked.nodes).value_counts()
    pairs, lines = [], []
    start = outlines.start
    for number, outline in enumerate(outlines.lines):
        ids = outlines.nodes[start[number] : start[number + 1]]
        if len(ids) < _CLOSED or ids[0] != ids[-1]:
            continue
        # The first node of a ring is its last one, so that it is used twice without any street.
        least = np.where(ids[:-1] == ids[0], 2, 1)
        entries = np.flatnonzero(uses[ids[:-1]].to_numpy() > least)
        xy = shapely.get_coordinates(outline)
        if len(entries) <= _MOST_ENTRIES:
            for one, other in _shortcuts(xy, entries):
                pairs.append((ids[one], ids[other]))
                lines.append(shapely.LineString([xy[one], xy[other]]))
    flags = np.zeros(len(lines), dtype=bool)
    return Ways(
        lines=np.array(lines, dtype=object),
        nodes=np.array(pairs, dtype=np.int64).reshape(-1),
        oneway=flags,
        is_stairs=flags,
        is_span=flags,
    )


def _shortcuts(xy: NDArray[np.float64], entries: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return the pairs of entries to join, the shortest first, so that no way is much too long."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    way = np.abs(along[entries][:, np.newaxis] - along[entries])
    way = np.minimum(way, along[-1] - way)
    square = shapely.Polygon(xy)
    shapely.prepare(square)
    one, other = np.triu_indices(len(entries), 1)
    straight = np.hypot(*(xy[entries[one]] - xy[entries[other]]).T)
    chosen = []
    for pair in np.argsort(straight, kind="stable").tolist():
        tail, head, metres = int(one[pair]), int(other[pair]), float(straight[pair])
        ends = int(entries[tail]), int(entries[head])
        if metres > 0 and way[tail, head] > _DETOUR * metres:
            if not square.covers(shapely.LineString(xy[list(ends)])):
                continue
            chosen.append(ends)
            there = way[:, [tail]] + metres + way[[head], :]
            back = way[:, [head]] + metres + way[[tail], :]
            way = np.minimum(way, np.minimum(there, back))
    return chosen


def _cut(walked: Ways, locked: frozenset[int]) -> Ways:
    """Cut all ways at some nodes, so that nobody passes there."""
    at = np.flatnonzero(np.isin(walked.nodes, list(locked)))
    if not len(at):
        return walked
    start = walked.start
    way = np.searchsorted(start, at, side="right") - 1
    touched = np.unique(way)
    fresh = -1
    lines, nodes, rows = [], [], []
    for row in touched.tolist():
        first, last = int(start[row]), int(start[row + 1])
        xy = shapely.get_coordinates(walked.lines[row])
        stops = sorted({first, last - 1, *at[way == row].tolist()})
        for low, high in pairwise(stops):
            ids = walked.nodes[low : high + 1].copy()
            for end in (0, -1):
                if int(ids[end]) in locked:
                    # Each end at the gate is a dead end with a node of its own.
                    ids[end], fresh = fresh, fresh - 1
            lines.append(shapely.LineString(xy[low - first : high + 1 - first]))
            nodes.append(ids)
            rows.append(row)
    kept = np.setdiff1d(np.arange(len(walked.lines)), touched)
    is_kept = np.isin(np.repeat(np.arange(len(walked.lines)), np.diff(start)), kept)
    return Ways(
        lines=np.concatenate([walked.lines[kept], np.array(lines, dtype=object)]),
        nodes=np.concatenate([walked.nodes[is_kept], *nodes]),
        oneway=np.concatenate([walked.oneway[kept], walked.oneway[rows]]),
        is_stairs=np.concatenate([walked.is_stairs[kept], walked.is_stairs[rows]]),
        is_span=np.concatenate([walked.is_span[kept], walked.is_span[rows]]),
    )
