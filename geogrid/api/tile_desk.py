"""Tiles of all versions: made on demand, kept, and carried over from one version to the next."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from anyio import CapacityLimiter, to_thread

from geogrid.api.kept import Kept
from geogrid.api.problems import NotInPlanError
from geogrid.maps.data import cell_in_band
from geogrid.tiles.cache import TileCache, TileKey
from geogrid.tiles.layers import base_sources, cell_source, circle_source, station_source
from geogrid.tiles.source import TileSource
from geogrid.tiles.touched import TouchedTiles, changed_boxes
from geogrid.tiles.zooms import LevelZooms

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.api.desk import Asked, Desk
    from geogrid.api.view import PlanView

__all__ = ["LAYERS", "TileDesk"]

LAYERS = ("cells", "base", "reach")
MAX_ZOOM = 16
_FEWEST, _MOST = 2, 40
# Neighbours are asked for next; nobody waits for more than some tens of milliseconds for them.
_BLOCK, _CROWD = 4, 3000
# Strangers ask for what they like: no more of it is remembered.
_CROWDS = 10_000
# More threads would only wait for each other.
_MAKERS = 3
# Tiles that are made again at once after an edit.
_AGAIN = 200
# Wider than the world at any zoom: nothing is carried over.
_EVERYTHING = np.array([[0, 0, 1 << 62, 1 << 62]], dtype=np.int64)

# No identifier of a version or a file has such a sign.
_COUNTED = "~"

Sources = tuple[TileSource, ...]


class TileDesk:
    """Makes tiles and remembers them.

    Parameters
    ----------
    desk
        Whose versions it draws.
    cache
        Keeps the tiles.
    room
        Bytes of memory for what tiles are made of; what was used longest ago goes first.

    Attributes
    ----------
    on_carried
        Told plan, old version, new version and the tiles that these do not share.
    """

    def __init__(
        self, desk: Desk, cache: TileCache | None = None, *, room: int = 512 << 20
    ) -> None:
        self._desk = desk
        self.room = room
        self.cache = cache or TileCache()
        self._sources: OrderedDict[tuple[str, str, str], _Sources] = OrderedDict()
        self._lock = Lock()
        self._makers = CapacityLimiter(_MAKERS)
        self._making: dict[tuple[str, str, str], Lock] = {}
        self.on_carried: Callable[[str, str, str, TouchedTiles], None] = lambda *_: None

    def ready(self, key: TileKey) -> bytes | None:
        """Return a tile that is at hand, compressed; ``None`` if it has to be made."""
        return self.cache.get(key)

    def tag(self, key: TileKey, asked: Asked) -> str:
        """Return what names a tile for browsers: edits of other places leave it as it is."""
        return self.cache.touched_in(key) or asked.version

    async def make(self, key: TileKey) -> bytes:
        """Return a tile as :meth:`made` does; few are made at a time, and nobody else waits."""
        return await to_thread.run_sync(self.made, key, limiter=self._makers)

    def made(self, key: TileKey) -> bytes:
        """Return a tile, compressed; nothing where it is empty.

        Raises
        ------
        NotInPlanError
            If there is no such layer.
        InputError
            If there is no such tile.
        """
        self._require_layer(key.layer)
        sources = self._kept((key.plan, key.version, key.layer))
        return self.cache.get_or_make_block(key, sources.side(key), sources.drawn)

    def version_of(self, asked: Asked, layer: str) -> str | None:
        """Return what tells the tiles of a layer from others; ``None`` if the store must say.

        Stations, circles and who is served change with what was counted, the base map with its
        file, and only cells with a version.
        """
        if layer == "base":
            return self._desk.files.map_at_hand(self._desk.entry(asked.plan).project_id)
        return _named(asked.version, asked.mark) if layer == "cells" else asked.mark

    def found_version_of(self, asked: Asked, layer: str) -> str:
        """Return the same, asking the store where it must."""
        found = self.version_of(asked, layer)
        return (
            self._desk.files.map_of(self._desk.entry(asked.plan).project_id)
            if found is None
            else found
        )

    def sources(self, plan: str, version: str, layer: str) -> Sources:
        """Return the layers that are within the tiles of a layer."""
        self._require_layer(layer)
        return self._kept((plan, version, layer)).layers

    @staticmethod
    def _require_layer(layer: str) -> None:
        if layer not in LAYERS:
            msg = f"there are no tiles of {layer}: use one of {', '.join(LAYERS)}"
            raise NotInPlanError(msg)

    def _kept(self, name: tuple[str, str, str]) -> _Sources:
        with self._lock:
            found = self._sources.get(name)
            making = self._making.setdefault(name, Lock())
        if found is None:
            # Whoever asks for what is at hand does not wait for what is not.
            with making:
                found = self._sources.get(name) or _Sources(self._made_sources(*name))
        with self._lock:
            self._making.pop(name, None)
            self._sources[name] = found
            self._sources.move_to_end(name)
            self._let_go()
        return found

    def _let_go(self) -> None:
        """Keep the layers that were asked for last, as many as there is room for."""
        room = self.room
        for at, (name, one) in enumerate(reversed(list(self._sources.items()))):
            room -= sum(source.size for source in one.layers)
            # An edit is compared with the version before it.
            if at >= _FEWEST and (room < 0 or at >= _MOST):
                del self._sources[name]

    def carry_over(self, plan: str, old: str, new: str) -> None:
        """Let a new version have the tiles of the old one that an edit did not touch."""
        mark = self._desk.files.mark_of(plan)
        old, new = (_named(version, mark) for version in (old, new))
        with self._lock:
            before = self._sources.get((plan, old, "cells"))
        if before is None:
            return
        after = self._kept((plan, new, "cells"))
        touched = _touched(before.layers, after.layers)
        self.cache.carry_over(plan, old, new, touched)
        self.on_carried(plan, old, new, touched)
        self._make_again(plan, old, new, touched)

    def _make_again(self, plan: str, old: str, new: str, touched: TouchedTiles) -> None:
        """Make what people have looked at before they ask for it: then nobody waits for it."""
        for key in self.cache.lost_by(plan, "cells", old, touched)[:_AGAIN]:
            self.made(key._replace(version=new))

    def _made_sources(self, plan: str, version: str, layer: str) -> Sources:
        if layer == "base":
            extract = self._desk.files.extract_of(self._desk.entry(plan), self._desk.head(plan))
            return () if extract is None else base_sources(extract)
        of_cells = version.partition(_COUNTED)[0]
        view = self._desk.view(plan, of_cells if layer == "cells" else self._desk.head(plan))
        return _cells(view, self._newest(plan)) if layer == "cells" else _reach(view)

    def _newest(self, plan: str) -> Sources:
        """Return the cells of the version of a plan that was asked for last."""
        with self._lock:
            found = [
                one.layers
                for (of_plan, _, layer), one in self._sources.items()
                if (of_plan, layer) == (plan, "cells")
            ]
        return found[-1] if found else ()


def _named(version: str, mark: str) -> str:
    """Return what tells the cells of a version, as they were counted last, from all others."""
    return f"{version}{_COUNTED}{mark}" if mark else version


class _Sources:
    """The layers of a tile."""

    __slots__ = ("_crowds", "layers")

    def __init__(self, layers: Sources) -> None:
        self.layers = layers
        self._crowds: Kept[tuple[int, int, int, int], int] = Kept(_CROWDS)

    def drawn(self, zoom: int, x: int, y: int, side: int) -> list[bytes]:
        """Return the tiles of a square block, not compressed, row by row."""
        drawn = [source.layers(zoom, x, y, side) for source in self.layers]
        return [b"".join(parts) for parts in zip(*drawn, strict=True)] or [b""] * side**2

    def side(self, key: TileKey) -> int:
        """Return how many tiles across are made at once: more where each shows little."""
        side = min(_BLOCK, 1 << key.zoom)
        while side > 1 and self._crowd(key.zoom, key.x // side, key.y // side, side) > _CROWD:
            side //= 2
        return side

    def _crowd(self, zoom: int, column: int, row: int, side: int) -> int:
        """Return how many features a block shows, counted once for all of its tiles."""
        at = (zoom, column, row, side)
        known = self._crowds.get(at)
        if known is None:
            corner = (zoom, column * side, row * side, side)
            known = sum(source.crowd(*corner) for source in self.layers)
            self._crowds.put(at, known)
        return known


def _touched(before: Sources, after: Sources) -> TouchedTiles:
    """Return the tiles that differ between two versions of the cells.

    They are compared now, at the zooms that people look at: whoever asks for a tile must not wait
    for it. No tile of another zoom is at hand, so there everything differs.
    """
    used = {zoom for source in before for zoom in source.zooms_ready}
    return TouchedTiles({
        ("cells", zoom): _changed(before, after, zoom) if zoom in used else _EVERYTHING
        for zoom in range(MAX_ZOOM + 1)
    })  # fmt: skip


def _changed(before: Sources, after: Sources, zoom: int) -> npt.NDArray[np.int64]:
    was = {source.name: source for source in before}
    now = {source.name: source for source in after}
    if any(was[key].min_zoom != now[key].min_zoom for key in was.keys() & now.keys()):
        return _EVERYTHING
    return np.concatenate(
        [changed_boxes(was.get(key), now.get(key), zoom) for key in sorted({*was, *now})]
    )


def _cells(view: PlanView, older: Sources) -> Sources:
    """Return the cells of all levels; what ``older`` has of them is not made again."""
    levels = view.plan.scheme.area_levels
    starts = _starts(view)
    known = {source.name: source for source in older}
    found = []
    for level in levels:
        table = view.tables[level.key]
        bands = [
            cell_in_band(level, kind, public)
            for kind, public in zip(table["kind"], table["public"], strict=True)
        ]
        zooms = (starts[level.key], MAX_ZOOM)
        served = {
            name: pd.array(values, dtype="Float64")
            for name, values in view.served_columns(level.key).items()
        }
        found.append(
            cell_source(
                level.key,
                table.assign(band=pd.array(bands, dtype="Int64"), **served),
                title=level.name,
                zooms=zooms,
                older=known.get(level.key),
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
