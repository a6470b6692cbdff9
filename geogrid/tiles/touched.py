"""Which tiles an edit touches: those that its changed features met before or meet now.

Two versions of a source are compared feature by feature and zoom by zoom, as tiles show them: what
an edit does to the simplified border of a neighbour is found as well, and a feature whose public
count changed because of another one too. Every other tile has the same bytes in both versions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from geogrid.tiles._ragged import owners
from geogrid.tiles._world import BUFFER, EXTENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geogrid.tiles._flat import Flat
    from geogrid.tiles._ragged import Flags, Indices
    from geogrid.tiles.source import TileSource

__all__ = ["TouchedTiles", "changed_boxes"]


class Placed(Protocol):
    """A tile of some zoom."""

    @property
    def x(self) -> int:
        """Its column."""

    @property
    def y(self) -> int:
        """Its row."""


_Placed = TypeVar("_Placed", bound=Placed)


@dataclass(frozen=True, slots=True, eq=False)
class TouchedTiles:
    """Tiles that have to be made anew.

    Attributes
    ----------
    boxes
        By layer and zoom, boxes of what changed: west, north, east, south in units of the zoom,
        shape (boxes, 4).
    """

    boxes: Mapping[tuple[str, int], Indices] = field(default_factory=dict)

    def has(self, layer: str, zoom: int, x: int, y: int) -> bool:
        """Tell whether a tile is among them."""
        found = self.boxes.get((layer, zoom))
        return found is not None and bool(_meets(found, x, y).any())

    def among(self, layer: str, zoom: int, places: Sequence[_Placed]) -> list[_Placed]:
        """Return the tiles of a zoom that are among them, of some with columns and rows."""
        found = self.boxes.get((layer, zoom))
        if found is None or not len(found) or not places:
            return []
        low = np.array([(one.x, one.y) for one in places]) * EXTENT - BUFFER
        high = low + EXTENT + 2 * BUFFER
        is_met = np.zeros(len(places), dtype=np.bool_)
        for west, north, east, south in found.tolist():
            near = (low <= (east, south)).all(axis=1) & (high >= (west, north)).all(axis=1)
            is_met |= near
        return [one for one, is_one in zip(places, is_met.tolist(), strict=True) if is_one]

    def tiles(self, layer: str, zoom: int) -> Iterator[tuple[int, int]]:
        """Yield the columns and rows of a zoom's touched tiles, each once, in order."""
        found = self.boxes.get((layer, zoom))
        if found is None:
            return
        last = (1 << zoom) - 1
        low = np.clip(-((-found[:, :2] + EXTENT + BUFFER - 1) // EXTENT), 0, last)
        high = np.clip((found[:, 2:] + BUFFER) // EXTENT, 0, last)
        seen: set[tuple[int, int]] = set()
        for (west, north), (east, south) in zip(low.tolist(), high.tolist(), strict=True):
            seen.update((x, y) for x in range(west, east + 1) for y in range(north, south + 1))
        yield from sorted(seen)


def changed_boxes(old: TileSource | None, new: TileSource | None, zoom: int) -> Indices:
    """Return the boxes, before and after, of all features that a zoom shows differently.

    Parameters
    ----------
    old, new
        Two versions of a layer; ``None`` where there was or is none.
    zoom
        Where to compare; both get the shapes of this zoom ready.

    Returns
    -------
    ndarray
        West, north, east, south in units of the zoom, shape (boxes, 4).
    """
    was, now = (_shown(source, zoom) for source in (old, new))
    if was is None or now is None:
        gone = [source.shapes(zoom).boxes for source in (was, now) if source is not None]
        return _filled(np.concatenate([np.zeros((0, 4), dtype=np.int64), *gone]))
    before, after = was.shapes(zoom), now.shapes(zoom)
    _, one, other = np.intersect1d(was.ids, now.ids, assume_unique=True, return_indices=True)
    same = _same_shapes(before.flat.take(one), after.flat.take(other))
    same &= _same_facts(was, now, one, other)
    is_old = np.ones(len(was.ids), dtype=np.bool_)
    is_new = np.ones(len(now.ids), dtype=np.bool_)
    is_old[one[same]] = is_new[other[same]] = False
    return _filled(np.concatenate((before.boxes[is_old], after.boxes[is_new])))


def _shown(source: TileSource | None, zoom: int) -> TileSource | None:
    is_shown = source is not None and source.min_zoom <= zoom <= source.max_zoom
    return source if is_shown else None


def _filled(boxes: Indices) -> Indices:
    return boxes[boxes[:, 0] <= boxes[:, 2]]


def _same_shapes(one: Flat, other: Flat) -> Flags:
    same: Flags = (one.rings == other.rings) & (one.vertices == other.vertices)
    alike = np.flatnonzero(same)
    one, other = one.take(alike), other.take(alike)
    moved = (one.xy != other.xy).any(axis=1)
    cut = (one.length != other.length) | (one.is_hole != other.is_hole)
    same[alike[owners(one.vertices)[moved]]] = False
    same[alike[owners(one.rings)[cut]]] = False
    return same


def _same_facts(was: TileSource, now: TileSource, one: Indices, other: Indices) -> Flags:
    if list(was.table.columns) != list(now.table.columns):
        return np.zeros(len(one), dtype=np.bool_)
    same = np.ones(len(one), dtype=np.bool_)
    for name in was.table.columns:
        mine = was.table[name].iloc[one].to_numpy(object)
        theirs = now.table[name].iloc[other].to_numpy(object)
        same &= mine == theirs
    return same


def _meets(boxes: Indices, x: int, y: int) -> Flags:
    """Tell which boxes of a zoom meet a tile of it, its buffer included."""
    low = np.array([x, y]) * EXTENT - BUFFER
    high = low + EXTENT + 2 * BUFFER
    is_near: Flags = (boxes[:, :2] <= high) & (boxes[:, 2:] >= low)
    found: Flags = np.logical_and.reduce(is_near, axis=1)
    return found
