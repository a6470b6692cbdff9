"""Borders in whole millimetres: rings as points, rewiring them, and sums of directed edges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.errors import EditError
from geogrid.planar.edges import dissolve
from geogrid.planar.lattice import origin_mm, to_mm
from geogrid.planar.rings import lattice_rings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry

__all__ = [
    "NOT_MEETING",
    "Balance",
    "EdgeKey",
    "Point",
    "Wire",
    "balance",
    "edge_key",
    "metres",
    "point",
    "points",
    "polygon_of",
    "rewired",
    "rings_of",
    "united",
    "unlike_groups",
    "valid",
]

Point: TypeAlias = tuple[int, int]
Ring: TypeAlias = list[Point]
EdgeKey: TypeAlias = tuple[Point, Point]

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NOT_MEETING = (
    "the borders would not meet: a drawn line runs within a millimetre of another border there; "
    "draw it a little farther away (界线与旁边的界线不足一毫米：请画远一些)"
)

_MM = 1000.0
_CORNERS = 3


def point(place: tuple[float, float]) -> Point:
    """Return a place in metres as whole millimetres."""
    x, y = to_mm(np.array([place], dtype=np.float64))[0].tolist()
    return (x, y)


def points(line: Iterable[tuple[float, float]]) -> list[Point]:
    """Return places in metres as whole millimetres, each once in a row."""
    whole = [point(place) for place in line]
    return [one for at, one in enumerate(whole) if not at or one != whole[at - 1]]


def metres(line: Iterable[Point]) -> list[tuple[float, float]]:
    """Return points as metres, each the double next to its whole millimetres."""
    return [(x / _MM, y / _MM) for x, y in line]


def edge_key(one: Point, other: Point) -> EdgeKey:
    """Return the same key for both directions of an edge."""
    return (one, other) if one < other else (other, one)


def rings_of(shape: BaseGeometry) -> list[list[Ring]]:
    """Return for each part its rings, the shell first, without the repeated last point."""
    parts = shapely.get_parts([shape])
    found = []
    for part in parts:
        rings = shapely.get_rings([part])
        found.append([_open(shapely.get_coordinates(ring)) for ring in rings])
    return found


def _open(xy: npt.NDArray[np.float64]) -> Ring:
    return [(x, y) for x, y in to_mm(xy)[:-1].tolist()]


def polygon_of(rings: Sequence[Ring]) -> Any:  # noqa: ANN401 - shapely's own type
    """Return the polygon of a shell and its holes, in metres."""
    shell, *holes = [metres([*ring, ring[0]]) for ring in rings]
    return shapely.Polygon(shell, holes)


@dataclass(slots=True)
class Wire:
    """A change of shared borders: whoever has such a vertex or edge gets it.

    Attributes
    ----------
    moves
        New places of vertices.
    gone
        Vertices that are left out.
    inserts
        By edge key, the points between its ends, from the lesser end.
    """

    moves: dict[Point, Point] = field(default_factory=dict)
    gone: set[Point] = field(default_factory=set)
    inserts: dict[EdgeKey, list[Point]] = field(default_factory=dict)

    def insert(self, one: Point, other: Point, between: list[Point]) -> None:
        """Put points between the ends of an edge, from ``one`` to ``other``."""
        if between:
            key = edge_key(one, other)
            self.inserts[key] = between if key[0] == one else between[::-1]


def rewired(shape: BaseGeometry, wire: Wire) -> BaseGeometry:
    """Return a polygon or multipolygon with its borders changed; the same one if none is.

    Raises
    ------
    EditError
        If a ring has fewer than three corners left.
    """
    parts = rings_of(shape)
    changed = [[_rewired_ring(ring, wire) for ring in rings] for rings in parts]
    if changed == parts:
        return shape
    if any(len(ring) < _CORNERS for rings in changed for ring in rings):
        msg = (
            "the border would shrink to nothing there: move it less, or merge the cells "
            "(界线将缩没：请少移一些，或改用合并)"
        )
        raise EditError(msg)
    polygons = [polygon_of(rings) for rings in changed]
    is_multi = shape.geom_type == "MultiPolygon"
    whole: BaseGeometry = shapely.MultiPolygon(polygons) if is_multi else polygons[0]
    return whole


def _rewired_ring(ring: Ring, wire: Wire) -> Ring:
    result: Ring = []
    for at, here in enumerate(ring):
        there = ring[(at + 1) % len(ring)]
        if here not in wire.gone:
            result.append(wire.moves.get(here, here))
        between = wire.inserts.get(edge_key(here, there))
        if between:
            result += between if here < there else between[::-1]
    return [one for at, one in enumerate(result) if one != result[at - 1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How two sets of polygons differ.

    Attributes
    ----------
    is_even
        Whether the sums of their directed edges are equal: then they wind alike round every
        place.
    edges
        How many more undirected edges the second set has.
    twice_area
        How much more area, in half square millimetres.
    """

    is_even: bool
    edges: int
    twice_area: int


def _edges(
    before: Shapes, after: Shapes
) -> tuple[Indices, Indices, Indices, Indices, Indices, Indices]:
    """Return low and high end, sign, owner, whether after, and areas, of all edges."""
    rings = lattice_rings(np.concatenate((before, after)))
    forward = rings.tail < rings.head
    low = np.where(forward, rings.tail, rings.head)
    high = np.where(forward, rings.head, rings.tail)
    owner = rings.edge_owner
    is_after = (owner >= len(before)).astype(np.int64)
    sign = np.where(forward == (is_after > 0), 1, -1)
    return low, high, sign, owner, is_after, rings.twice_area


def _runs(*columns: Indices) -> tuple[Indices, Indices]:
    """Sort rows; return the order and where runs of equal rows start."""
    order = np.lexsort(columns[::-1])
    is_start = np.ones(len(order), dtype=np.bool_)
    is_start[1:] = False
    for column in columns:
        held = column[order]
        is_start[1:] |= held[1:] != held[:-1]
    return order, np.flatnonzero(is_start)


def balance(
    before: Shapes, after: Shapes, limits: tuple[BaseGeometry, BaseGeometry] | None = None
) -> Balance:
    """Compare polygons before and after a change, edge by edge, in whole millimetres.

    Parameters
    ----------
    before, after
        Valid polygons in metres.
    limits
        The district's limit before and after, where it got nodes: what it changed by is what the
        cells must change by.
    """
    if limits is not None:
        before, after = np.append(before, [limits[1]]), np.append(after, [limits[0]])
    low, high, sign, owner, is_after, area = _edges(before, after)
    if not len(low):
        return Balance(is_even=True, edges=0, twice_area=0)
    order, starts = _runs(low, high)
    is_even = not np.add.reduceat(sign[order], starts).any()
    is_cell = np.ones(len(area), dtype=np.bool_)
    if limits is not None:
        is_cell[[len(before) - 1, -1]] = False
    sides = np.arange(len(area)) >= len(before)
    edges, areas = [], []
    for side in (False, True):
        # Every edge of the limit is one of a cell: the limit itself need not be counted.
        rows = is_cell[owner] & ((is_after > 0) == side)
        edges.append(len(_runs(low[rows], high[rows])[1]))
        areas.append(int(area[is_cell & (sides == side)].sum()))
    return Balance(is_even=is_even, edges=edges[1] - edges[0], twice_area=areas[1] - areas[0])


def unlike_groups(
    before: tuple[Shapes, Indices], after: tuple[Shapes, Indices], count: int
) -> Flags:
    """Tell which groups of polygons have another outline after a change.

    Parameters
    ----------
    before, after
        Polygons, and the group of each, 0 … ``count`` - 1.
    """
    unlike = np.zeros(count, dtype=np.bool_)
    low, high, sign, owner, _, _ = _edges(before[0], after[0])
    if len(low):
        group = np.concatenate((before[1], after[1]))[owner]
        order, starts = _runs(group, low, high)
        open_there = np.add.reduceat(sign[order], starts) != 0
        unlike[group[order[starts[open_there]]]] = True
    return unlike


def united(shapes: Shapes) -> BaseGeometry:
    """Unite polygons that share their borders vertex for vertex, keeping every vertex.

    Raises
    ------
    EditError
        If they do not.
    """
    try:
        whole: BaseGeometry = dissolve(shapes, np.zeros(len(shapes), dtype=np.int64))[0]
    except shapely.errors.GEOSException as fault:
        raise EditError(NOT_MEETING) from fault
    return whole


def valid(shapes: Shapes) -> Flags:
    """Tell which polygons are valid in whole millimetres, and hold any ground."""
    if not len(shapes):
        return np.zeros(0, dtype=np.bool_)
    base = origin_mm(to_mm(shapely.get_coordinates(shapes)))
    whole = shapely.transform(shapes, lambda xy: np.rint(xy * _MM) - base)
    sound: Flags = shapely.is_valid(whole) & ~shapely.is_empty(whole)
    return sound
