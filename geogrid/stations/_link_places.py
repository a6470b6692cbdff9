"""Where links could start and end, and what a straight link would cross."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geogrid.vocabulary import LinkKind
from geogrid.walking.snap import Spots

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geogrid.model.extract import OsmExtract
    from geogrid.walking import WalkNetwork

__all__ = ["Pairs", "Places", "Sights"]

# Places along a street lie this far apart; a gate is not planned finer on a map.
SPACING_M = 20.0

# A link touches the streets at its ends, which is no crossing.
_END_M = 0.5

# People step over a stream or a ditch on a plank, and trams run in the street.
_STEPPED_OVER = ("stream", "ditch", "drain")
_IN_THE_STREET = ("tram",)
_EXPRESS = ("motorway", "motorway_link", "trunk", "trunk_link", "raceway")
_WALLS = ("wall", "fence", "city_wall", "retaining_wall", "hedge", "compound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Spots on streets, every some metres; none on bridges, in tunnels or on stairs.

    Attributes
    ----------
    edge, position_m
        The street and the metres along it.
    xy
        Where that is.
    """

    edge: NDArray[np.int64]
    position_m: NDArray[np.float64]
    xy: NDArray[np.float64]

    @classmethod
    def of(cls, network: WalkNetwork, spacing_m: float = SPACING_M) -> Places:
        """Return the corners of a network and places between them."""
        length = network.length_m
        on_ground = np.ones(len(length), dtype=bool)
        for marks in (network.is_span, network.is_stairs):
            if marks is not None:
                on_ground &= ~marks
        edges = np.flatnonzero(on_ground & (length > 0))
        parts = np.maximum(np.round(length[edges] / spacing_m), 1).astype(np.int64)
        edge = np.repeat(edges, parts + 1)
        first = np.repeat(np.cumsum(parts + 1) - parts - 1, parts + 1)
        share = (np.arange(len(edge)) - first) / np.repeat(parts, parts + 1)
        line = network.geometry[edge]
        points = shapely.line_interpolate_point(line, share, normalized=True)
        xy = shapely.get_coordinates(points)
        # A corner is listed once; of its streets the first is as good as any.
        _, kept = np.unique(np.round(xy, 6), axis=0, return_index=True)
        kept = np.sort(kept)
        return cls(edge=edge[kept], position_m=(share * length[edge])[kept], xy=xy[kept])

    def spots(self, rows: NDArray[np.intp], leg_m: NDArray[np.float64]) -> Spots:
        """Return places as spots of a search, with metres walked before them."""
        return Spots(
            edge=self.edge[rows], position_m=self.position_m[rows], leg_m=leg_m, xy=self.xy[rows]
        )

    def pairs(self, most_m: float) -> Pairs:
        """Return all pairs within a straight distance, in both orders."""
        found = cKDTree(self.xy).query_pairs(most_m, output_type="ndarray").astype(np.int64)
        one = np.concatenate([found[:, 0], found[:, 1]])
        other = np.concatenate([found[:, 1], found[:, 0]])
        metres = np.hypot(*(self.xy[one] - self.xy[other]).T)
        order = np.lexsort((one, other))
        return Pairs(start=one[order], end=other[order], metres=metres[order])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Straight links: rows of places at both ends, and metres."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    metres: NDArray[np.float64]

    def of(self, rows: NDArray[np.generic]) -> Pairs:
        """Return some of the pairs."""
        return Pairs(start=self.start[rows], end=self.end[rows], metres=self.metres[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Sights:
    """What lies between two places: houses, streets, water and rails, walls.

    Attributes
    ----------
    blocks
        Buildings: no link runs through one.
    streets
        Lines of streets on the ground: a link that crosses one is two links.
    bridged
        Water, rails and express roads.
    walls
        Walls, fences and borders of compounds.
    """

    blocks: NDArray[np.object_]
    streets: NDArray[np.object_]
    bridged: NDArray[np.object_]
    walls: NDArray[np.object_]

    @classmethod
    def of(cls, network: WalkNetwork, extract: OsmExtract | None) -> Sights:
        """Collect them; without an extract each barrier of the network needs a bridge."""
        streets = network.geometry
        if network.is_span is not None:
            streets = streets[~network.is_span]
        nothing = np.empty(0, dtype=object)
        if extract is None:
            return cls(blocks=nothing, streets=streets, bridged=network.barriers, walls=nothing)
        waters, rails, roads, walls = (
            extract.waters, extract.rails, extract.streets, extract.walls,
        )  # fmt: skip
        is_water = ~waters["water"].isin(_STEPPED_OVER).to_numpy() & ~_marks(waters, "is_tunnel")
        is_rail = ~rails["railway"].isin(_IN_THE_STREET).to_numpy() & _is_at_grade(rails)
        is_express = roads["highway"].isin(_EXPRESS).to_numpy() & ~_marks(roads, "foot")
        bridged = [
            waters.geometry.to_numpy()[is_water],
            rails.geometry.to_numpy()[is_rail],
            roads.geometry.to_numpy()[is_express & _is_at_grade(roads)],
        ]
        shapes = walls.geometry.to_numpy()[walls["wall"].isin(_WALLS).to_numpy()]
        is_area = np.isin(shapely.get_type_id(shapes), (3, 6))
        return cls(
            blocks=extract.buildings.geometry.to_numpy(),
            streets=streets,
            bridged=np.concatenate(bridged),
            walls=np.where(is_area, shapely.boundary(shapes), shapes),
        )

    @cached_property
    def _trees(self) -> dict[str, shapely.STRtree]:
        names = ("blocks", "streets", "bridged", "walls")
        return {name: shapely.STRtree(getattr(self, name)) for name in names}

    def kinds(self, lines: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the kind of each straight link; ``None`` where none can be built."""
        inner = _shortened(lines)
        kinds = np.full(len(lines), LinkKind.PATH, dtype=object)
        for name, kind in (("walls", LinkKind.GATE), ("bridged", LinkKind.BRIDGE)):
            kinds[self._hit(name, inner)] = kind
        for name in ("blocks", "streets"):
            kinds[self._hit(name, inner)] = None
        return kinds

    def _hit(self, name: str, lines: NDArray[np.object_]) -> NDArray[np.intp]:
        tree = self._trees[name]
        if not len(tree) or not len(lines):
            return np.empty(0, dtype=np.intp)
        return np.unique(tree.query(lines, predicate="intersects")[0])


def _shortened(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Take the ends off, at most a quarter of the line each."""
    length = shapely.length(lines)
    off = np.minimum(_END_M, length / 4)
    ends = [shapely.line_interpolate_point(lines, at) for at in (off, length - off)]
    xy = np.stack([shapely.get_coordinates(end) for end in ends], axis=1)
    return np.asarray(shapely.linestrings(xy))


def _marks(frame: gpd.GeoDataFrame, name: str) -> NDArray[np.bool_]:
    return np.asarray(frame[name].to_numpy(dtype=bool))


def _is_at_grade(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    return ~(_marks(frame, "is_tunnel") | _marks(frame, "is_bridge"))
