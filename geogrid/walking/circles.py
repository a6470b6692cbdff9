"""Polygons of service circles, drawn from the field so that they say what the count says.

A cell is inside when somebody who lives in its middle is in reach: same edge, same leg, same
limit. All limits of a station come from one walk through the cells, so a smaller circle lies inside
a larger one by construction. Who is served is counted on the network all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.walking._cells import walk_in, write
from geogrid.walking._closing import close
from geogrid.walking._contour import trace
from geogrid.walking.field import LEG_M
from geogrid.walking.search import EPSILON_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geogrid.walking._cells import Places
    from geogrid.walking.field import Field
    from geogrid.walking.inputs import Placed
    from geogrid.walking.search import EdgeReach, Streets

__all__ = ["CLOSED_M", "FILLED_M2", "LOOKS", "Pen", "draw_circles", "polygon_text", "require_look"]

LOOKS = ("exact", "display")

# What the display look changes, and maps must say: gaps up to this width are closed ...
CLOSED_M = 30.0
# ... and holes up to this size filled; a courtyard amid reached streets reads as a fault of a map.
FILLED_M2 = 5000.0


def require_look(look: str) -> None:
    """Refuse a look that there is not."""
    if look not in LOOKS:
        msg = f"there is no look {look}: use one of {', '.join(LOOKS)}"
        raise InputError(msg)


def polygon_text(pen: Pen) -> str:
    """Return how the polygons came about, for printing."""
    text = (
        f"ground of which the nearest street is in reach, at most {pen.leg_m:g} m beside it and on "
        f"this side of barriers, in cells of {pen.field.cell_m:g} m"
    )
    if pen.look == "display":
        text += f"; gaps of {CLOSED_M:g} m are closed and holes below {FILLED_M2:g} m² filled"
    return text + ": served households are counted on the network, not by polygon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """How circles are drawn.

    Attributes
    ----------
    field
        The field of the network.
    limits_m
        Limits in metres, rising.
    longest_leg_m
        Points farther from their street are not on the network.
    look
        ``exact``, or ``display``: gaps closed and small holes filled, never across a barrier.
    """

    field: Field
    limits_m: Sequence[float]
    longest_leg_m: float
    look: str = "exact"

    @property
    def leg_m(self) -> float:
        """The longest leg of ground that is drawn."""
        return min(LEG_M, self.longest_leg_m)


def draw_circles(
    pen: Pen, streets: Streets, reaches: Sequence[EdgeReach], starts: Placed, *, is_turned: bool
) -> NDArray[np.object_]:
    """Return a polygon or several for each station (row) and limit (column), each in the next.

    Every circle holds its station, even one whose leg is longer than those of the field.

    Parameters
    ----------
    pen
        How to draw.
    streets, reaches
        What was searched and what was found, sorted by spot.
    starts
        The stations.
    is_turned
        Whether ``streets`` run the other way than the field's edges.

    Returns
    -------
    ndarray of Polygon or MultiPolygon
        ``None`` where not even the leg of the station fits the limit.
    """
    circles = np.full((len(starts.points), len(pen.limits_m)), None, dtype=object)
    if not reaches:
        return circles
    cells = pen.field.painted(np.unique(np.concatenate([reach.edge for reach in reaches])))
    cell_m = pen.field.cell_m
    most = (pen.limits_m[-1] + cell_m, pen.leg_m + cell_m)
    legs = np.stack([shapely.get_coordinates(starts.points), starts.spots.xy], axis=1)
    for reach in reaches:
        rows, graph = reach.rows, streets.graph
        spots, first = np.unique(reach.spot, return_index=True)
        bounds = zip(first.tolist(), [*first[1:].tolist(), len(reach.spot)], strict=True)
        for spot, part in zip(spots.tolist(), bounds, strict=True):
            places = walk_in(graph, rows, part, cells, most, is_turned)
            own_leg = reach.own_leg[part[0]]
            limits = [limit for limit in pen.limits_m if own_leg <= limit + EPSILON_M]
            way = _squares(legs[spot, 0], legs[spot, 1], cell_m)
            shapes = _draw(pen, places, way, limits)
            circles[spot, len(pen.limits_m) - len(limits) :] = shapes
    return circles


def _squares(
    start: NDArray[np.float64], end: NDArray[np.float64], cell_m: float
) -> NDArray[np.int64]:
    """Return row and column of the squares between four cells that a way leads through."""
    steps = int(np.hypot(*(end - start)) / cell_m * 2) + 2
    along = np.linspace(0.0, 1.0, steps)[:, np.newaxis]
    places = start + along * (end - start)
    return np.floor(places[:, ::-1] / cell_m).astype(np.int64)


def _draw(
    pen: Pen,
    places: Places,
    way: NDArray[np.int64],
    limits_m: Sequence[float],
) -> list[shapely.Geometry]:
    cell_m = pen.field.cell_m
    gap = CLOSED_M / 2 / cell_m if pen.look == "display" else 0.0
    window = _window(places, way, int(np.ceil(gap)))
    walled = pen.field.walled_in(window) if gap else None
    shapes, within = [], None
    for limit in limits_m:
        raster = write(places, way, (limit, pen.leg_m), cell_m, window)
        if walled is not None:
            raster = close(raster, walled, gap, FILLED_M2 / cell_m**2)
            # What the smaller limit closed is a full cell deep, and its own edge is not.
            within = raster if within is None else np.maximum(raster, within)
            raster = within
        shapes.append(_shape(*trace(raster, window[0], window[1], cell_m)))
    return shapes


def _window(places: Places, way: NDArray[np.int64], room: int) -> tuple[int, int, int, int]:
    """Return first row and column, rows and columns of a raster with its outermost cells empty."""
    low, high = way.min(axis=0), way.max(axis=0) + 1
    if len(places.row):
        low = np.minimum(low, [places.row.min(), places.column.min()])
        high = np.maximum(high, [places.row.max(), places.column.max()])
    south, west = (low - 1 - room).tolist()
    height, width = (high - low + 3 + 2 * room).tolist()
    return south, west, height, width


def _shape(
    xy: NDArray[np.float64], rings: NDArray[np.int64], polygons: NDArray[np.int64]
) -> shapely.Geometry:
    """Return one polygon as such, several as one shape of many parts."""
    parts = shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, (rings, polygons))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(list(parts))
