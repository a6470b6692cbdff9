"""Networks from networkx graphs and back, as osmnx makes and takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Transformer

from geogrid.errors import CrsError, InputError
from geogrid.model.counts import row_list
from geogrid.planar.crs import district_crs
from geogrid.walking.build import EdgeTable, merge_duplicates, require_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["edges_of_graph", "graph_of_edges"]


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
    return merge_duplicates(table), crs


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
    require_lines(own if len(own) else lines)
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


def graph_of_edges(edges: EdgeTable, crs: CRS | None) -> Any:  # noqa: ANN401 - networkx has no types
    """Return a ``networkx.MultiDiGraph`` as osmnx uses it; a two-way edge becomes two.

    Raises
    ------
    InputError
        If networkx is not installed.
    """
    try:
        import networkx as nx  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        msg = "networkx is not installed: install it, or geogrid with the extra fetch"
        raise InputError(msg) from error
    graph = nx.MultiDiGraph(crs=crs)
    graph.add_nodes_from((n, {"x": x, "y": y}) for n, (x, y) in enumerate(edges.xy.tolist()))
    columns = zip(
        edges.u.tolist(), edges.v.tolist(), edges.length_m.tolist(), edges.geometry, edges.oneway,
        strict=True,
    )  # fmt: skip
    for u, v, length, line, oneway in columns:
        graph.add_edge(u, v, length=length, geometry=line, oneway=bool(oneway))
        if not oneway:
            graph.add_edge(v, u, length=length, geometry=line.reverse(), oneway=False)
    return graph
