"""What the front knows of plans: which version the public sees, and its tiles.

It is told when that changes, once the tiles are there. What it was not told again for some seconds
it no longer takes for true: then the application is asked, which looks at the store.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.errors import InputError
from geogrid.front.lane import Layer
from geogrid.front.wire import Frame, Kind
from geogrid.tiles.cache import TileCache, TileKey
from geogrid.tiles.touched import TouchedTiles

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Mirror", "shown_frame", "tile_frame", "touched_frame"]

# The application says it twice a second; an edit that it works out may hold it up.
_KNOWN_S = 5.0
# Whoever looks at a map asks again within this time.
_WATCHED_S = 30.0
_MOST_ASKED = 1000


def shown_frame(plan: str, version: str, layers: Mapping[str, str]) -> Frame:
    """Return what tells which version of a plan the public sees, "" where it sees none.

    Parameters
    ----------
    layers
        By layer, what tells its tiles from those of other versions.
    """
    return Frame(Kind.SHOWN, 0, {"plan": plan, "version": version, "layers": dict(layers)})


def tile_frame(key: TileKey, tile: bytes) -> Frame:
    """Return what tells of a tile that was made."""
    return Frame(Kind.TILE, 0, {"key": list(key)}, tile)


def touched_frame(plan: str, old: str, new: str, touched: TouchedTiles) -> Frame:
    """Return what tells that a version has all tiles of an older one but some."""
    boxes = [(*name, np.ascontiguousarray(one, "<i8")) for name, one in touched.boxes.items()]
    head = {
        "plan": plan, "old": old, "new": new,
        "boxes": [[layer, zoom, len(one)] for layer, zoom, one in boxes],
    }  # fmt: skip
    return Frame(Kind.TOUCHED, 0, head, b"".join(one.tobytes() for *_, one in boxes))


def _touched_of(frame: Frame) -> TouchedTiles:
    every = np.frombuffer(frame.body, dtype="<i8").reshape(-1, 4).astype(np.int64)
    found, at = {}, 0
    for layer, zoom, count in frame.head["boxes"]:
        found[str(layer), int(zoom)] = every[at : at + count]
        at += count
    return TouchedTiles(found)


@dataclass(frozen=True, slots=True)
class _Known:
    version: str
    layers: dict[str, str]
    until: float


class Mirror:
    """Public versions and their tiles, as the application told of them.

    Parameters
    ----------
    cache
        Keeps the tiles.
    """

    def __init__(self, cache: TileCache | None = None) -> None:
        self._cache = cache or TileCache()
        self._known: dict[str, _Known] = {}
        self._asked: OrderedDict[str, float] = OrderedDict()

    @property
    def cache(self) -> TileCache:
        """The tiles."""
        return self._cache

    def layer(self, plan: str, word: str, layer: str) -> Layer | None:
        """Return a layer of a version, or of ``head``; ``None`` where the route must answer."""
        now = time.monotonic()
        known = self._known.get(plan)
        self._asked[plan] = now
        self._asked.move_to_end(plan)
        if known is None or known.until < now:
            # Names of strangers: some are remembered, and the application says which are plans.
            if len(self._asked) > _MOST_ASKED:
                self._asked.popitem(last=False)
            return None
        name = known.layers.get(layer)
        if name is None or word not in {"head", known.version}:
            return None
        return Layer(name, known.version)

    def watched(self) -> list[str]:
        """Return the plans that somebody looks at, and forget those that nobody does."""
        since = time.monotonic() - _WATCHED_S
        while self._asked and next(iter(self._asked.values())) < since:
            self._asked.popitem(last=False)
        self._known = {plan: one for plan, one in self._known.items() if plan in self._asked}
        return list(self._asked)

    def take(self, frame: Frame) -> bool:
        """Take note of what a frame tells; ``False`` where that is nothing about plans."""
        told: dict[str, Any] = frame.head
        if frame.kind is Kind.SHOWN:
            self._show(told["plan"], told["version"], told["layers"])
        elif frame.kind is Kind.TILE:
            plan, version, layer, zoom, x, y = told["key"]
            self._cache.put(TileKey(plan, version, layer, zoom, x, y), frame.body)
        elif frame.kind is Kind.TOUCHED:
            try:
                self._cache.carry_over(told["plan"], told["old"], told["new"], _touched_of(frame))
            except InputError:
                # A version that came before: what is known of the plan leads in a circle.
                self._show(told["plan"], "", {})
        else:
            return False
        return True

    def _show(self, plan: str, version: str, layers: dict[str, str]) -> None:
        if version:
            self._known[plan] = _Known(version, layers, time.monotonic() + _KNOWN_S)
        else:
            # Asked for again, it is looked for again.
            self._known.pop(plan, None)
            self._asked.pop(plan, None)
