"""Turn streets from any source into one table of edges between numbered nodes.

Where two streets meet is decided by the source alone: equal end points for plain lines, a shared
node for OpenStreetMap and for graphs. Nothing is joined because it crosses, so a bridge never
meets the street below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import row_list
from geogrid.planar.crs import require_metric
from geogrid.walking.ways import Ways, walked_ways

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = [
    "EdgeTable",
    "edges_of_lines",
    "edges_of_streets",
    "merge_duplicates",
    "require_lines",
]

# Two directions of one street come with lengths that were summed in opposite order.
_SAME_LENGTH_M = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeTable:
    """Edges as arrays: ends ``u``, ``v`` into ``xy``, lengths in metres, lines, marks.

    ``oneway`` is walkable along the line only, ``is_stairs`` is climbed step by step, ``is_span``
    is a bridge or a tunnel (``None`` where that is not known).
    """

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    geometry: NDArray[np.object_]
    oneway: NDArray[np.bool_]
    xy: NDArray[np.float64]
    is_stairs: NDArray[np.bool_] | None = None
    is_span: NDArray[np.bool_] | None = None


def edges_of_lines(edges: gpd.GeoDataFrame, *, oneway: str | None) -> EdgeTable:
    """Read lines that meet only where their end points coincide exactly.

    Parts of a MultiLineString become edges of their own, and heights are dropped: two ends meet
    when their x and y are equal.

    Parameters
    ----------
    edges
        Lines in metres.
    oneway
        Name of a boolean column: walkable along the line only.
    """
    require_metric(edges)
    lines = edges.geometry.to_numpy()
    require_lines(lines)
    one = _oneway_column(edges, oneway)
    parts, row = shapely.get_parts(shapely.force_2d(lines), return_index=True)
    ends = np.vstack(
        [
            shapely.get_coordinates(shapely.get_point(parts, 0)),
            shapely.get_coordinates(shapely.get_point(parts, -1)),
        ]
    )
    # Adding zero turns -0.0 into 0.0, which would otherwise be another place.
    xy, number = np.unique(ends + 0.0, axis=0, return_inverse=True)
    number = number.reshape(-1)
    table = EdgeTable(
        u=number[: len(parts)].astype(np.int32),
        v=number[len(parts) :].astype(np.int32),
        length_m=shapely.length(parts),
        geometry=parts,
        oneway=one[row],
        xy=xy,
    )
    return merge_duplicates(table)


def require_lines(lines: NDArray[np.object_]) -> None:
    """Refuse what is not a table of lines.

    Raises
    ------
    InputError
        If there is no row, or a row without a line.
    """
    if not len(lines):
        msg = "there are no streets to walk on: give at least one line"
        raise InputError(msg)
    void = np.flatnonzero(shapely.is_missing(lines) | shapely.is_empty(lines))
    if len(void):
        msg = f"{len(void)} streets have no geometry (rows {row_list(void)}): drop or mend them"
        raise InputError(msg)
    other = np.flatnonzero(~np.isin(shapely.get_type_id(lines), (1, 5)))
    if len(other):
        msg = f"{len(other)} streets are not lines (rows {row_list(other)}): give centre lines"
        raise InputError(msg)


def _oneway_column(edges: gpd.GeoDataFrame, name: str | None) -> NDArray[np.bool_]:
    if name is None:
        return np.zeros(len(edges), dtype=bool)
    if name not in edges.columns:
        msg = f"the streets have no column {name}: name the boolean column of one-way streets"
        raise InputError(msg)
    column = edges[name]
    unknown = np.flatnonzero(column.isna().to_numpy() | ~column.isin([True, False]).to_numpy())
    if len(unknown):
        msg = (
            f"column {name} is neither true nor false in {len(unknown)} rows "
            f"(rows {row_list(unknown)}): fill it with true or false"
        )
        raise InputError(msg)
    return column.to_numpy().astype(bool)


def edges_of_streets(
    streets: gpd.GeoDataFrame,
    *,
    squares: gpd.GeoDataFrame | None = None,
    private: bool = True,
    locked: frozenset[int] = frozenset(),
) -> EdgeTable:
    """Split OpenStreetMap ways at the nodes that they share, those open to walkers only.

    Parameters
    ----------
    streets
        ``OsmExtract.streets``: ``foot, oneway_foot, nodes`` (one a vertex) and ``geometry``.
    squares, private, locked
        See :func:`geogrid.walking.ways.walked_ways`.
    """
    require_metric(streets)
    return _split_ways(walked_ways(streets, squares, private=private, locked=locked))


def _split_ways(ways: Ways) -> EdgeTable:
    xy, way = shapely.get_coordinates(ways.lines, return_index=True)
    nodes = ways.nodes
    is_first = np.concatenate([[True], way[1:] != way[:-1]])
    is_last = np.concatenate([is_first[1:], [True]])
    _, number, uses = np.unique(nodes, return_inverse=True, return_counts=True)
    # A node that two ways use, or one way twice, is where a walker may turn.
    stops = np.flatnonzero(is_first | is_last | (uses[number] > 1))
    start, end = stops[:-1], stops[1:]
    inside = way[start] == way[end]
    start, end = start[inside], end[inside]
    stop_ids, ends = np.unique(nodes[np.concatenate([start, end])], return_inverse=True)
    place = np.zeros((len(stop_ids), 2))
    place[ends] = xy[np.concatenate([start, end])]
    geometry = _slices(xy, start, end)
    return merge_duplicates(
        EdgeTable(
            u=ends[: len(start)].astype(np.int32),
            v=ends[len(start) :].astype(np.int32),
            length_m=shapely.length(geometry),
            geometry=geometry,
            oneway=ways.oneway[way[start]],
            xy=place,
            is_stairs=ways.is_stairs[way[start]],
            is_span=ways.is_span[way[start]],
        )
    )


def _slices(
    xy: NDArray[np.float64], start: NDArray[np.intp], end: NDArray[np.intp]
) -> NDArray[np.object_]:
    """Make one line of the coordinates ``start … end`` (both kept) for each pair."""
    count = end - start + 1
    line = np.repeat(np.arange(len(start)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.asarray(shapely.linestrings(xy[start[line] + within], indices=line))


def merge_duplicates(table: EdgeTable) -> EdgeTable:
    """Keep one edge of those with equal ends, shape and length; opposite one-ways make a two-way.

    Two copies of a street would count its metres twice, and two people on it could be placed on
    different copies and be led round by its ends.
    """
    pair = np.minimum(table.u, table.v).astype(np.int64) * len(table.xy)
    pair += np.maximum(table.u, table.v)
    _, group, size = np.unique(pair, return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(size[group] > 1)
    if not len(suspects):
        return table
    keep = np.ones(len(table.u), dtype=bool)
    oneway = table.oneway.copy()
    for copies in _duplicate_groups(table, suspects, pair):
        first, *others = (edge for edge, _ in copies)
        keep[others] = False
        ways = {is_forward for edge, is_forward in copies if table.oneway[edge]}
        is_open = len(ways) == 2 or not all(table.oneway[edge] for edge, _ in copies)  # noqa: PLR2004 - both ways
        oneway[first] = not is_open
    return EdgeTable(
        u=table.u[keep],
        v=table.v[keep],
        length_m=table.length_m[keep],
        geometry=table.geometry[keep],
        oneway=oneway[keep],
        xy=table.xy,
        is_stairs=None if table.is_stairs is None else table.is_stairs[keep],
        is_span=None if table.is_span is None else table.is_span[keep],
    )


def _duplicate_groups(
    table: EdgeTable, suspects: NDArray[np.intp], pair: NDArray[np.int64]
) -> list[list[tuple[int, bool]]]:
    """Return the groups of equal edges as (edge, runs in the canonical direction)."""
    along = shapely.to_wkb(table.geometry[suspects])
    against = shapely.to_wkb(shapely.reverse(table.geometry[suspects]))
    facts = sorted(
        (int(pair[edge]), min(one, other), float(table.length_m[edge]), int(edge), one <= other)
        for edge, one, other in zip(suspects, along, against, strict=True)
    )
    groups: list[list[tuple[int, bool]]] = []
    for position, (key, shape, length, edge, is_forward) in enumerate(facts):
        before = facts[position - 1] if position else None
        if before and before[:2] == (key, shape) and length - before[2] <= _SAME_LENGTH_M:
            groups[-1].append((edge, is_forward))
        else:
            groups.append([(edge, is_forward)])
    return [sorted(group) for group in groups if len(group) > 1]
