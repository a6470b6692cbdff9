"""The walking network: arrays of edges and nodes, frozen, in one metric frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.errors import InputError
from geogrid.model.extract import OsmExtract
from geogrid.osm import read_osm
from geogrid.walking.build import EdgeTable, edges_of_graph, edges_of_lines, edges_of_streets
from geogrid.walking.circles import StreetTiles
from geogrid.walking.reach import measure_reach
from geogrid.walking.search import Streets
from geogrid.walking.snap import EdgeIndex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geogrid.model.reach import Reach
    from geogrid.model.source import Source

__all__ = ["WalkNetwork"]

# A component below this share of all metres is an island: a roof garden, a mapping slip.
_ISLAND_SHARE = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class WalkNetwork:
    """Streets that people walk on; made by ``from_osm``, ``from_edges`` or ``from_networkx``.

    Attributes
    ----------
    u, v
        Node at the start and at the end of each edge, rows of ``xy`` (int32).
    length_m
        Length of each edge in metres.
    geometry
        The line of each edge, running from ``u`` to ``v``.
    oneway
        Walkable along the line only.
    xy
        Coordinates of the nodes in metres of ``crs``.
    crs
        The metric coordinate system; ``None`` means plain local metres.
    source
        Where the streets came from, where it is known.
    """

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    geometry: NDArray[np.object_]
    oneway: NDArray[np.bool_]
    xy: NDArray[np.float64]
    crs: CRS | None
    source: Source | None = None

    def __post_init__(self) -> None:
        columns = (self.u, self.v, self.length_m, self.geometry, self.oneway)
        if len({len(column) for column in columns}) != 1:
            msg = "the arrays of a network differ in length: build it by one of its from_ methods"
            raise InputError(msg)
        for name in ("u", "v", "length_m", "geometry", "oneway", "xy"):
            frozen = getattr(self, name).copy()
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)

    def __repr__(self) -> str:
        return f"WalkNetwork({len(self.xy)} nodes, {len(self.u)} edges, {self.length_km:.1f} km)"

    @classmethod
    def from_osm(cls, source: str | Path | OsmExtract) -> WalkNetwork:
        """Build the network of an OpenStreetMap extract, or of the path to one.

        Ways join only where they share a node of OpenStreetMap, so a bridge or a tunnel never
        meets what it crosses.

        Raises
        ------
        InputError
            If the extract holds no street that is open to walkers.
        """
        extract = source if isinstance(source, OsmExtract) else read_osm(source)
        table = edges_of_streets(extract.streets)
        return cls._of(table, crs=extract.crs, source=extract.source)

    @classmethod
    def from_edges(cls, edges: gpd.GeoDataFrame, *, oneway: str | None = None) -> WalkNetwork:
        """Build the network of lines that meet only where their end points coincide exactly.

        Parameters
        ----------
        edges
            Lines in a metric frame, or without one: plain local metres.
        oneway
            Name of a boolean column: walkable along the line only.

        Raises
        ------
        CrsError
            If the lines are in degrees or otherwise not in metres.
        InputError
            If a row has no line, or there is no column ``oneway``.
        """
        return cls._of(edges_of_lines(edges, oneway=oneway), crs=edges.crs, source=None)

    @classmethod
    def from_networkx(cls, graph: Any) -> WalkNetwork:  # noqa: ANN401 - any networkx graph
        """Build the network of a networkx graph, such as one of osmnx.

        Nodes need ``x`` and ``y``; edges may have ``geometry`` (else they are straight) and
        ``length`` in metres (else the length of the line). A graph in degrees is projected.

        Raises
        ------
        InputError
            If nodes have no place, edges no usable length, or there is no edge.
        """
        table, crs = edges_of_graph(graph)
        return cls._of(table, crs=crs, source=None)

    @classmethod
    def _of(cls, table: EdgeTable, *, crs: CRS | None, source: Source | None) -> WalkNetwork:
        return cls(
            u=table.u,
            v=table.v,
            length_m=table.length_m,
            geometry=table.geometry,
            oneway=table.oneway,
            xy=table.xy,
            crs=crs,
            source=source,
        )

    def to_networkx(self) -> Any:  # noqa: ANN401 - networkx publishes no types
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
        graph = nx.MultiDiGraph(crs=self.crs)
        graph.add_nodes_from((n, {"x": x, "y": y}) for n, (x, y) in enumerate(self.xy.tolist()))
        columns = zip(
            self.u.tolist(), self.v.tolist(), self.length_m.tolist(), self.geometry, self.oneway,
            strict=True,
        )  # fmt: skip
        for u, v, length, line, oneway in columns:
            graph.add_edge(u, v, length=length, geometry=line, oneway=bool(oneway))
            if not oneway:
                graph.add_edge(v, u, length=length, geometry=line.reverse(), oneway=False)
        return graph

    @property
    def length_km(self) -> float:
        """Length of all edges in kilometres."""
        return float(self.length_m.sum()) / 1000

    @cached_property
    def edge_component(self) -> NDArray[np.int64]:
        """Component of each edge, numbered from the longest (0) down."""
        count = len(self.xy)
        links = coo_array((np.ones(len(self.u)), (self.u, self.v)), shape=(count, count))
        _, label = connected_components(links, directed=False)
        metres = np.bincount(label[self.u], weights=self.length_m, minlength=label.max() + 1)
        rank = np.empty(len(metres), dtype=np.int64)
        rank[np.argsort(-metres, kind="stable")] = np.arange(len(metres))
        return np.asarray(rank[label[self.u]])

    @property
    def components(self) -> pd.DataFrame:
        """Connected pieces, longest first: ``component, edges, km, share`` of all kilometres."""
        component = self.edge_component
        km = np.bincount(component, weights=self.length_m) / 1000
        edges = np.bincount(component)
        used = edges > 0
        total = km.sum()
        share = km / total if total else np.zeros(len(km))
        return pd.DataFrame(
            {
                "component": np.flatnonzero(used),
                "edges": edges[used],
                "km": km[used],
                "share": share[used],
            }
        )

    @cached_property
    def edge_index(self) -> EdgeIndex:
        """Spatial index for placing points on edges; islands are second choice."""
        metres = np.bincount(self.edge_component, weights=self.length_m)
        is_usable = metres >= _ISLAND_SHARE * metres.sum()
        return EdgeIndex(
            geometry=self.geometry,
            length_m=self.length_m,
            oneway=self.oneway,
            is_usable=is_usable[self.edge_component],
        )

    @cached_property
    def tiles(self) -> StreetTiles:
        """Squares of streets, for drawing circles."""
        return StreetTiles.of(self.geometry, self.length_m)

    @property
    def streets(self) -> Streets:
        """The arrays that a search needs."""
        return Streets(
            u=self.u, v=self.v, length_m=self.length_m, oneway=self.oneway, nodes=len(self.xy)
        )

    def reach(
        self,
        stations: gpd.GeoDataFrame,
        *,
        minutes: float | Sequence[float] | None = (5, 15),
        preset: str | None = None,
        speed_kmh: float | None = None,
        metres: float | Sequence[float] | None = None,
        households: gpd.GeoDataFrame | None = None,
        direction: Literal["to_station", "from_station"] = "to_station",
        max_snap_m: float = 100,
    ) -> Reach:
        """Measure who reaches which station within which walk.

        Give ``minutes`` or ``metres``, not both (``minutes=None`` with ``metres=[…]``).

        Parameters
        ----------
        stations
            Points, with ``station`` (made where absent: S1, S2 …).
        minutes
            Limits in minutes of walking.
        preset
            How minutes become metres: ``adult`` (4.8 km/h, the default), ``elder`` (0.8 m/s) or
            ``gb50180`` (5, 10 and 15 minutes are 300, 500 and 1000 m).
        speed_kmh
            A walking speed of your own, instead of a preset.
        metres
            Limits in metres along the network.
        households
            Points, with ``households`` (1 where absent).
        direction
            Whether people walk ``to_station`` or ``from_station``; matters on one-way paths.
        max_snap_m
            Points farther than this from every street are listed as ``off_network``.

        Returns
        -------
        Reach
            Circles, street pieces, stations and households.

        Raises
        ------
        InputError
            If the limits contradict each other or a point cannot be used.
        CrsError
            If the points have no coordinate system while the network has one.
        """
        return measure_reach(
            self,
            stations,
            households=households,
            minutes=minutes,
            metres=metres,
            preset=preset,
            speed_kmh=speed_kmh,
            direction=direction,
            max_snap_m=max_snap_m,
        )
