"""Tiles of all versions: made on demand, kept, and carried over from one version to the next."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geogrid.api.problems import NotInPlanError
from geogrid.maps.data import cell_in_band
from geogrid.tiles.cache import TileCache, TileKey
from geogrid.tiles.layers import base_sources, cell_source, circle_source, station_source
from geogrid.tiles.source import TileSource, packed
from geogrid.tiles.touched import TouchedTiles, changed_boxes
from geogrid.tiles.zooms import LevelZooms

if TYPE_CHECKING:
    from geogrid.api.desk import Desk
    from geogrid.api.view import PlanView

__all__ = ["LAYERS", "TileDesk"]

LAYERS = ("cells", "base", "reach")
MAX_ZOOM = 16
_VERSIONS = 4
# Wider than the world at any zoom: nothing is carried over.
_EVERYTHING = np.array([[0, 0, 1 << 62, 1 << 62]], dtype=np.int64)
# What does not change from version to version is kept once.
_ALWAYS = ""

Sources = tuple[TileSource, ...]


class TileDesk:
    """Makes tiles and remembers them."""

    def __init__(self, desk: Desk, cache: TileCache | None = None) -> None:
        self._desk = desk
        self.cache = cache or TileCache()
        self._sources: OrderedDict[tuple[str, str, str], _Sources] = OrderedDict()
        self._lock = RLock()

    def ready(self, key: TileKey) -> bytes | None:
        """Return a tile that is at hand, compressed; ``None`` if it has to be made."""
        return self.cache.get(key)

    def made(self, key: TileKey) -> bytes:
        """Return a tile, compressed; nothing where it is empty.

        Raises
        ------
        NotInPlanError
            If there is no such layer.
        InputError
            If there is no such tile.
        """
        sources = self.sources(key.plan, key.version, key.layer)

        def make(zoom: int, x: int, y: int) -> bytes:
            return packed(b"".join(source.layer(zoom, x, y) for source in sources))

        return self.cache.get_or_make(key, make)

    @staticmethod
    def key(plan: str, version: str, layer: str, place: tuple[int, int, int]) -> TileKey:
        """Return the name of a tile; ``place`` is zoom, column and row."""
        return TileKey(plan, version if layer == "cells" else _ALWAYS, layer, *place)

    def sources(self, plan: str, version: str, layer: str) -> Sources:
        """Return the layers that are within the tiles of a layer."""
        if layer not in LAYERS:
            msg = f"there are no tiles of {layer}: use one of {', '.join(LAYERS)}"
            raise NotInPlanError(msg)
        name = (plan, version, layer)
        with self._lock:
            if name not in self._sources:
                self._sources[name] = _Sources(self._made_sources(plan, version, layer))
                while len(self._sources) > _VERSIONS * len(LAYERS):
                    self._sources.popitem(last=False)
            self._sources.move_to_end(name)
            return self._sources[name].layers

    def carry_over(self, plan: str, old: str, new: str) -> None:
        """Let a new version have the tiles of the old one that an edit did not touch."""
        with self._lock:
            before = self._sources.get((plan, old, "cells"))
        if before is None:
            return
        self.sources(plan, new, "cells")
        with self._lock:
            after = self._sources[plan, new, "cells"]
        self.cache.carry_over(plan, old, new, TouchedTiles(_Compared(before, after)))

    def _made_sources(self, plan: str, version: str, layer: str) -> Sources:
        if layer == "base":
            extract = self._desk.settings.extract
            return () if extract is None else base_sources(extract)
        view = self._desk.view(plan, version or self._desk.head(plan))
        return _cells(view) if layer == "cells" else _reach(view)


class _Sources:
    """Layers that can be held weakly."""

    __slots__ = ("__weakref__", "layers")

    def __init__(self, layers: Sources) -> None:
        self.layers = layers


class _Compared(Mapping[tuple[str, int], npt.NDArray[np.int64]]):
    """What differs between two versions of the cells, found zoom by zoom when it is asked for.

    A version that nobody keeps any more cannot be compared: then everything differs.
    """

    def __init__(self, before: _Sources, after: _Sources) -> None:
        self._pair = (weakref.ref(before), weakref.ref(after))
        self._known: dict[int, npt.NDArray[np.int64]] = {}
        self._lock = Lock()

    def __getitem__(self, key: tuple[str, int]) -> npt.NDArray[np.int64]:
        layer, zoom = key
        if layer != "cells":
            raise KeyError(key)
        with self._lock:
            if zoom not in self._known:
                self._known[zoom] = self._found(zoom)
            return self._known[zoom]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return (("cells", zoom) for zoom in range(MAX_ZOOM + 1))

    def __len__(self) -> int:
        return MAX_ZOOM + 1

    def _found(self, zoom: int) -> npt.NDArray[np.int64]:
        before, after = (one() for one in self._pair)
        if before is None or after is None:
            return _EVERYTHING
        was = {source.name: source for source in before.layers}
        now = {source.name: source for source in after.layers}
        if any(was[key].min_zoom != now[key].min_zoom for key in was.keys() & now.keys()):
            return _EVERYTHING
        return np.concatenate(
            [changed_boxes(was.get(key), now.get(key), zoom) for key in sorted({*was, *now})]
        )


def _cells(view: PlanView) -> Sources:
    levels = view.plan.scheme.area_levels
    starts = _starts(view)
    found = []
    for level in levels:
        table = view.tables[level.key]
        bands = [
            cell_in_band(level, kind, public)
            for kind, public in zip(table["kind"], table["public"], strict=True)
        ]
        zooms = (starts[level.key], MAX_ZOOM)
        found.append(
            cell_source(
                level.key,
                table.assign(band=pd.array(bands, dtype="Int64")),
                title=level.name,
                zooms=zooms,
            )
        )
    return tuple(found)


def _starts(view: PlanView) -> dict[str, int]:
    """Return the first zoom of each level: where its cells can be told apart."""
    sides = {key: float(np.sqrt(np.median(table["area_m2"]))) for key, table in view.tables.items()}
    latitude = float(view.bounds[1] + view.bounds[3]) / 2
    spans = LevelZooms.by_size(sides, latitude=latitude, max_zoom=MAX_ZOOM).spans
    found: dict[str, int] = {}
    start = MAX_ZOOM
    for key in reversed(list(sides)):
        start = spans[key][0] if key in spans else start
        found[key] = start
    return found


def _reach(view: PlanView) -> Sources:
    found: list[TileSource] = []
    circles, stations = view.layers.circles, view.layers.stations
    if circles is not None and len(circles):
        found.append(circle_source(circles))
    if stations is not None and len(stations):
        found.append(station_source(stations))
    return tuple(found)


def described(sources: Sources) -> list[dict[str, Any]]:
    """Return the layers as TileJSON lists them."""
    return [
        {
            "id": source.name, "description": source.title, "minzoom": source.min_zoom,
            "maxzoom": source.max_zoom, "fields": dict(source.described),
        }
        for source in sources
    ]  # fmt: skip
