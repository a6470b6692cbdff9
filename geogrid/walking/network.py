"""The walking network: arrays of edges and nodes, frozen, in one metric frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geogrid.errors import InputError
from geogrid.model.extract import OsmExtract
from geogrid.osm import read_osm
from geogrid.walking.barriers import as_barriers, barriers_of_extract
from geogrid.walking.build import EdgeTable, edges_of_lines, edges_of_streets
from geogrid.walking.components import component_table, edge_components
from geogrid.walking.field import CELL_M, Field
from geogrid.walking.graphs import edges_of_graph, graph_of_edges
from geogrid.walking.links import LinkedIndex, Origin, add_link
from geogrid.walking.reach import measure_reach, measure_walks
from geogrid.walking.search import Streets
from geogrid.walking.slope import Ground
from geogrid.walking.snap import EdgeIndex
from geogrid.walking.ways import locked_gates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry import LineString, Polygon

    from geogrid.model.heights import HeightGrid
    from geogrid.model.reach import Reach
    from geogrid.model.source import Source
    from geogrid.model.tiers import TierRule
    from geogrid.model.walks import WalkTable

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
    barriers
        Lines that nobody crosses on the straight way to the street: rivers, railways, walls.
    box
        The area that the data claims to hold; ``None`` where that is not known.
    origin
        What the edges were before :meth:`with_link`; ``None`` where no link was added.
    is_stairs, is_span
        Edges that are climbed step by step; bridges and tunnels; ``None`` where not known.
    """

    u: NDArray[np.int32]
    v: NDArray[np.int32]
    length_m: NDArray[np.float64]
    geometry: NDArray[np.object_]
    oneway: NDArray[np.bool_]
    xy: NDArray[np.float64]
    crs: CRS | None
    source: Source | None = None
    barriers: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    box: Polygon | None = None
    origin: Origin | None = field(default=None, repr=False)
    is_stairs: NDArray[np.bool_] | None = None
    is_span: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        columns = (self.u, self.v, self.length_m, self.geometry, self.oneway)
        if len({len(column) for column in columns}) != 1:
            msg = "the arrays of a network differ in length: build it by one of its from_ methods"
            raise InputError(msg)
        for name in ("u", "v", "length_m", "geometry", "oneway", "xy", "barriers"):
            frozen = getattr(self, name).copy()
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)

    def __repr__(self) -> str:
        return f"WalkNetwork({len(self.xy)} nodes, {len(self.u)} edges, {self.length_km:.1f} km)"

    @classmethod
    def from_osm(cls, source: str | Path | OsmExtract, *, private: bool = True) -> WalkNetwork:
        """Build the network of an OpenStreetMap extract, or of the path to one.

        Ways join only where they share a node of OpenStreetMap, so a bridge or a tunnel never
        meets what it crosses. Rivers, railways, express roads and walls without a gate bar the
        straight way between a point and its street. Squares are walked along their outline and
        straight across between the streets that lead into them.

        Parameters
        ----------
        source
            An extract, or the path to one.
        private
            Whether people live there: paths with ``access=private`` and locked gates are open to
            residents. Without it those paths are left out, and the network is cut at each gate
            that is locked.

        Raises
        ------
        InputError
            If the extract holds no street that is open to walkers.
        """
        extract = source if isinstance(source, OsmExtract) else read_osm(source)
        table = edges_of_streets(
            extract.streets,
            squares=extract.squares,
            private=private,
            locked=locked_gates(extract),
        )
        return cls._of(
            table,
            crs=extract.crs,
            source=extract.source,
            barriers=barriers_of_extract(extract),
            box=extract.box,
        )

    @classmethod
    def from_edges(
        cls,
        edges: gpd.GeoDataFrame,
        *,
        oneway: str | None = None,
        barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    ) -> WalkNetwork:
        """Build the network of lines that meet only where their end points coincide exactly.

        Parameters
        ----------
        edges
            Lines in a metric frame, or without one: plain local metres.
        oneway
            Name of a boolean column: walkable along the line only.
        barriers
            Lines or areas that nobody crosses on the straight way to the street.

        Raises
        ------
        CrsError
            If the lines are in degrees or otherwise not in metres.
        InputError
            If a row has no line, or there is no column ``oneway``.
        """
        return cls._of(
            edges_of_lines(edges, oneway=oneway),
            crs=edges.crs,
            source=None,
            barriers=as_barriers(barriers, edges.crs),
        )

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
    def _of(
        cls,
        table: EdgeTable,
        *,
        crs: CRS | None,
        source: Source | None,
        barriers: NDArray[np.object_] | None = None,
        box: Polygon | None = None,
    ) -> WalkNetwork:
        return cls(
            u=table.u,
            v=table.v,
            length_m=table.length_m,
            geometry=table.geometry,
            oneway=table.oneway,
            xy=table.xy,
            crs=crs,
            source=source,
            barriers=np.empty(0, dtype=object) if barriers is None else barriers,
            box=box,
            is_stairs=table.is_stairs,
            is_span=table.is_span,
        )

    def with_link(
        self, line: LineString, *, oneway: bool = False, join_m: float = 5.0
    ) -> WalkNetwork:
        """Return a network with one link more, to see what it would change.

        All points keep the places on the network that they have without the link, so nobody loses
        a station by it; nobody is placed on the link itself.

        Parameters
        ----------
        line
            The link in metres of ``crs``; it meets streets with its two ends only.
        oneway
            Walkable along the line only.
        join_m
            An end joins the nearest street within so many metres, by cutting it in two there;
            beyond, it ends in the open.

        Raises
        ------
        InputError
            If it is no line of some length, or both its ends lie off the streets.
        """
        origin = self.origin or Origin.of(self.edge_index)
        edges, origin = add_link(self.edge_table, origin, line, oneway=oneway, join_m=join_m)
        return replace(
            self,
            u=edges.u,
            v=edges.v,
            length_m=edges.length_m,
            geometry=edges.geometry,
            oneway=edges.oneway,
            xy=edges.xy,
            origin=origin,
            is_stairs=edges.is_stairs,
            is_span=edges.is_span,
        )

    def to_networkx(self) -> Any:  # noqa: ANN401 - networkx publishes no types
        """Return a ``networkx.MultiDiGraph`` as osmnx uses it; a two-way edge becomes two.

        Raises
        ------
        InputError
            If networkx is not installed.
        """
        return graph_of_edges(self.edge_table, self.crs)

    @property
    def edge_table(self) -> EdgeTable:
        """The edges as the steps of building them pass them on."""
        return EdgeTable(
            u=self.u,
            v=self.v,
            length_m=self.length_m,
            geometry=self.geometry,
            oneway=self.oneway,
            xy=self.xy,
            is_stairs=self.is_stairs,
            is_span=self.is_span,
        )

    @property
    def length_km(self) -> float:
        """Length of all edges in kilometres."""
        return float(self.length_m.sum()) / 1000

    @cached_property
    def edge_component(self) -> NDArray[np.int64]:
        """Component of each edge, numbered from the longest (0) down."""
        return edge_components(self.edge_table)

    @property
    def components(self) -> pd.DataFrame:
        """Connected pieces, longest first: ``component, edges, km, share`` of all kilometres."""
        return component_table(self.edge_component, self.length_m)

    @cached_property
    def edge_index(self) -> EdgeIndex:
        """Spatial index for placing points on edges; islands are second choice."""
        if self.origin is not None:
            return LinkedIndex.widened(self.edge_table, self.origin)
        metres = np.bincount(self.edge_component, weights=self.length_m)
        is_usable = metres >= _ISLAND_SHARE * metres.sum()
        return EdgeIndex(
            geometry=self.geometry,
            length_m=self.length_m,
            oneway=self.oneway,
            is_usable=is_usable[self.edge_component],
            barriers=self.barriers,
        )

    def field(self, cell_m: float = CELL_M) -> Field:
        """Return to which street each cell of ground belongs, for drawing circles."""
        if cell_m not in self._fields:
            self._fields[cell_m] = Field.of(self.edge_index, cell_m)
        return self._fields[cell_m]

    @cached_property
    def _fields(self) -> dict[float, Field]:
        return {}

    @cached_property
    def streets(self) -> Streets:
        """The arrays that a search needs."""
        return Streets(
            u=self.u, v=self.v, length_m=self.length_m, oneway=self.oneway, nodes=len(self.xy)
        )

    @cached_property
    def turned_streets(self) -> Streets:
        """The same for walks towards the spots: every edge runs the other way."""
        return self.streets.turned()

    def reach(  # noqa: PLR0913 - the options of a reach are its public face
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
        tiers: str | TierRule | Mapping[float, Sequence[str] | None] | None = None,
        heights: HeightGrid | None = None,
        steps_factor: float = 1.0,
        look: Literal["exact", "display"] = "exact",
        cell_m: float = CELL_M,
    ) -> Reach:
        """Measure who reaches which station within which walk.

        Give ``minutes`` or ``metres``, not both (``minutes=None`` with ``metres=[…]``).

        Parameters
        ----------
        stations
            Points, with ``station`` (made where absent: S1, S2 …), and ``tier`` for ``tiers``.
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
        tiers
            Which tier of station counts for which limit: a table, ``{15: ["社区"], 5: None}``
            (``None`` and limits that are not named count every tier), a
            :class:`~geogrid.model.tiers.TierRule`, or ``"community15"``: only community centres
            for 15 minutes, every tier for 5. Without it every tier counts for every limit.
        heights
            Heights of the ground in the frame of the network: minutes then follow the slope (see
            :mod:`geogrid.walking.slope`), and all metres are those on level ground that take as
            long. Without it the ground is level.
        steps_factor
            How much longer a metre of stairs takes; 1, the default, makes stairs a street as any.
        look
            How circles are drawn: ``exact`` says what the count says; ``display`` closes gaps of
            30 m and fills small holes, never across a barrier, and is for maps alone.
        cell_m
            Metres of a cell of the circles, 1 to 25; 10 is a preview in a third of the time.

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
            tiers=tiers,
            ground=Ground(heights=heights, steps_factor=steps_factor),
            look=look,
            cell_m=cell_m,
        )

    def walks(
        self,
        stations: gpd.GeoDataFrame,
        households: gpd.GeoDataFrame,
        *,
        metres: float,
        direction: Literal["to_station", "from_station"] = "to_station",
        max_snap_m: float = 100,
    ) -> WalkTable:
        """List every walk of at most ``metres`` between a station and a household.

        This is the sparse cover from which sites are chosen; the stations may be candidates.

        Parameters
        ----------
        stations, households
            Points; households may have ``households`` (1 where absent).
        metres
            The longest walk, the legs at both ends included.
        direction, max_snap_m
            As in :meth:`reach`.

        Returns
        -------
        WalkTable
            Rows of stations and households, sorted by both, and the status of every input row.

        Raises
        ------
        InputError
            If an option makes no sense or a point cannot be used.
        CrsError
            If the points have no coordinate system while the network has one.
        """
        return measure_walks(
            self,
            stations,
            households,
            metres=metres,
            direction=direction,
            max_snap_m=max_snap_m,
        )
