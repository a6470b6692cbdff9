"""Turn streets from any source into one table of edges between numbered nodes.

Where two streets meet is decided by the source alone: equal end points for plain lines, a shared
node for OpenStreetMap and for graphs. Nothing is joined because it crosses, so a bridge never
meets the street below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from geogrid.errors import CrsError, InputError
from geogrid.model.counts import row_list
from geogrid.planar.crs import district_crs, require_metric

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["EdgeTable", "edges_of_graph", "edges_of_lines", "edges_of_streets"]

# Two directions of one street come with lengths that were summed in opposite order.
_SAME_LENGTH_M = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeTable:
    """Edges as arrays: ends ``u``, ``v`` into ``xy``, lengths in metres, lines, one-way marks."""

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    geometry: NDArray[np.object_]
    oneway: NDArray[np.bool_]
    xy: NDArray[np.float64]


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
    _require_lines(lines)
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
    return _merge_duplicates(table)


def _require_lines(lines: NDArray[np.object_]) -> None:
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


def edges_of_streets(streets: gpd.GeoDataFrame) -> EdgeTable:
    """Split OpenStreetMap ways at the nodes that they share, those open to walkers only.

    Parameters
    ----------
    streets
        ``OsmExtract.streets``: ``foot, oneway_foot, nodes`` (one a vertex) and ``geometry``.
    """
    require_metric(streets)
    walked = streets[streets["foot"].to_numpy().astype(bool)]
    if walked.empty:
        msg = "the extract holds no street open to walkers: check its area and its highway tags"
        raise InputError(msg)
    lines = shapely.force_2d(walked.geometry.to_numpy())
    vertices = shapely.get_num_points(lines)
    nodes = [np.asarray(ids, dtype=np.int64) for ids in walked["nodes"]]
    odd = np.flatnonzero(vertices != np.array([len(ids) for ids in nodes]))
    if len(odd):
        msg = f"{len(odd)} ways do not name one node a vertex (rows {row_list(odd)}): read again"
        raise InputError(msg)
    return _split_ways(lines, np.concatenate(nodes), walked["oneway_foot"].to_numpy().astype(bool))


def _split_ways(
    lines: NDArray[np.object_], nodes: NDArray[np.int64], oneway: NDArray[np.bool_]
) -> EdgeTable:
    xy, way = shapely.get_coordinates(lines, return_index=True)
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
    return _merge_duplicates(
        EdgeTable(
            u=ends[: len(start)].astype(np.int32),
            v=ends[len(start) :].astype(np.int32),
            length_m=shapely.length(geometry),
            geometry=geometry,
            oneway=oneway[way[start]],
            xy=place,
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


def edges_of_graph(graph: Any) -> tuple[EdgeTable, CRS | None]:  # noqa: ANN401 - any networkx graph
    """Read a networkx graph of which nodes have ``x, y`` and edges may have geometry and length.

    Each edge of a directed graph is walkable along itself only; a reciprocal pair of equal length
    and shape becomes one two-way edge. Degrees are projected, lengths are kept as given.
    """
    ids = list(graph.nodes)
    crs = CRS.from_user_input(graph.graph["crs"]) if graph.graph.get("crs") else None
    xy = _node_xy(graph, ids)
    number = {node: position for position, node in enumerate(ids)}
    rows = list(graph.edges(data=True))
    if not rows:
        msg = "the graph has no edge to walk on: check how it was made"
        raise InputError(msg)
    u = np.array([number[tail] for tail, _, _ in rows], dtype=np.int32)
    v = np.array([number[head] for _, head, _ in rows], dtype=np.int32)
    lines = _edge_lines([facts.get("geometry") for *_, facts in rows], xy, u, v)
    if crs is not None and crs.is_geographic:
        xy, lines, crs = _project(xy, lines, crs)
    length = _edge_lengths([facts.get("length") for *_, facts in rows], lines)
    oneway = np.full(len(rows), bool(graph.is_directed()))
    table = EdgeTable(u=u, v=v, length_m=length, geometry=lines, oneway=oneway, xy=xy)
    return _merge_duplicates(table), crs


def _node_xy(graph: Any, ids: list[Any]) -> NDArray[np.float64]:  # noqa: ANN401 - any networkx graph
    nodes = graph.nodes
    bare = [node for node in ids if "x" not in nodes[node] or "y" not in nodes[node]]
    if bare:
        msg = f"{len(bare)} nodes of the graph have no x and y, first one {bare[0]}: add them"
        raise InputError(msg)
    places = [(nodes[node]["x"], nodes[node]["y"]) for node in ids]
    return np.array(places, dtype=float).reshape(-1, 2)


def _edge_lines(
    shapes: list[Any], xy: NDArray[np.float64], u: NDArray[np.int32], v: NDArray[np.int32]
) -> NDArray[np.object_]:
    """Return one line an edge from ``u`` to ``v``: its own shape, else straight."""
    lines = np.asarray(shapely.linestrings(np.stack([xy[u], xy[v]], axis=1)))
    given = np.array([shape is not None for shape in shapes])
    own = np.array([shape for shape in shapes if shape is not None], dtype=object)
    _require_lines(own if len(own) else lines)
    tail = shapely.points(xy[u[given]])
    # An undirected graph may store the shape from the other end.
    first, last = shapely.get_point(own, 0), shapely.get_point(own, -1)
    is_backward = shapely.distance(last, tail) < shapely.distance(first, tail)
    lines[given] = np.where(is_backward, shapely.reverse(own), own)
    return np.asarray(shapely.force_2d(lines))


def _project(
    xy: NDArray[np.float64], lines: NDArray[np.object_], crs: CRS
) -> tuple[NDArray[np.float64], NDArray[np.object_], CRS]:
    middle = (xy.min(axis=0) + xy.max(axis=0)) / 2
    degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    metric = district_crs(*degrees.transform(*middle))
    transformer = Transformer.from_crs(crs, metric, always_xy=True)

    def move(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(places[:, 0], places[:, 1]))

    moved = move(xy)
    if not np.isfinite(moved).all():
        msg = f"nodes of the graph lie outside {metric.name}: check the graph's coordinate system"
        raise CrsError(msg)
    return moved, np.asarray(shapely.transform(lines, move)), metric


def _edge_lengths(given: list[Any], lines: NDArray[np.object_]) -> NDArray[np.float64]:
    own = np.array([np.nan if length is None else length for length in given], dtype=float)
    length = np.where(np.isnan(own), shapely.length(lines), own)
    bad = np.flatnonzero(~np.isfinite(length) | (length < 0))
    if len(bad):
        msg = f"{len(bad)} edges have no usable length (edges {row_list(bad)}): mend them"
        raise InputError(msg)
    return np.asarray(length)


def _merge_duplicates(table: EdgeTable) -> EdgeTable:
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
