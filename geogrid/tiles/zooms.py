"""Which level of a plan a zoom shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geogrid.errors import InputError
from geogrid.tiles._world import MAX_ZOOM

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LevelZooms"]

_EQUATOR_M, _TILE_PIXELS = 40_075_016.7, 512


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelZooms:
    """First and last zoom of each level.

    Attributes
    ----------
    spans
        By key of the level, coarse to fine. Levels may be shown together.
    """

    spans: Mapping[str, tuple[int, int]]

    def __post_init__(self) -> None:
        for key, (first, last) in self.spans.items():
            if not 0 <= first <= last <= MAX_ZOOM:
                msg = f"zooms {first} to {last} of level {key} are none: use 0 to {MAX_ZOOM}"
                raise InputError(msg)

    @classmethod
    def by_size(
        cls,
        sides_m: Mapping[str, float],
        *,
        latitude: float = 30.0,
        least_pixels: float = 20.0,
        max_zoom: int = 16,
    ) -> LevelZooms:
        """Show each level from the zoom on where its cells are wide enough to be told apart.

        Parameters
        ----------
        sides_m
            Typical width of a cell by key of the level, coarse to fine.
        latitude
            Of the district, in degrees: Web Mercator enlarges what is far from the equator.
        least_pixels
            Width from which a cell can be told from its neighbours.
        max_zoom
            Last zoom of the finest level.

        Returns
        -------
        LevelZooms
            One level a zoom; the coarsest begins at zoom 0. A level that would never be shown,
            because the next finer one is wide enough too, is left out.
        """
        across_m = _EQUATOR_M * math.cos(math.radians(latitude)) / _TILE_PIXELS
        starts = {
            key: min(max_zoom, max(0, math.ceil(math.log2(least_pixels * across_m / side))))
            for key, side in sides_m.items()
        }
        spans: dict[str, tuple[int, int]] = {}
        last = max_zoom
        coarsest = next(iter(sides_m), "")
        for key in reversed(list(sides_m)):
            first = 0 if key == coarsest else starts[key]
            if first <= last:
                spans[key] = (first, last)
                last = first - 1
        return cls(spans=dict(reversed(spans.items())))

    @property
    def max_zoom(self) -> int:
        """The last zoom of all levels."""
        return max((last for _, last in self.spans.values()), default=0)

    def levels_at(self, zoom: int) -> tuple[str, ...]:
        """Return the keys of the levels that a zoom shows, coarse to fine."""
        return tuple(key for key, (first, last) in self.spans.items() if first <= zoom <= last)
