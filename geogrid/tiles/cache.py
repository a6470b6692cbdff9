"""Ready tiles of all versions, each kept once however many versions show it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from collections import OrderedDict
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from geogrid.errors import InputError
from geogrid.tiles.packing import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geogrid.tiles.touched import TouchedTiles

__all__ = ["TileCache", "TileKey"]

_LOG = logging.getLogger(__name__)

# What a tile costs besides its bytes: its key and its place in the table.
_OVERHEAD = 400
# So many tiles can be in the making at the same time.
_LANES = 64
_zoom = attrgetter("zoom")


class TileKey(NamedTuple):
    """Which tile of which version of which plan."""

    plan: str
    version: str
    layer: str
    zoom: int
    x: int
    y: int


class TileCache:
    """Tiles by plan, version, layer, zoom, column and row.

    A tile that an edit does not touch belongs to the version in which it was touched last, and all
    later versions find it there: carrying over moves nothing. Versions that lie many edits back are
    given up: what later ones still show of them becomes theirs, and the rest goes.

    Parameters
    ----------
    room
        Bytes of memory; the tiles that were used longest ago go first.
    folder
        Tiles are kept here as well, for the next start; ``None`` keeps them in memory only.
    steps
        Edits of a plan over which tiles are followed back, two or more.

    Attributes
    ----------
    on_put
        Told of each tile that comes in, and of those that :meth:`tell` names.
    """

    def __init__(
        self, room: int = 256 << 20, folder: Path | None = None, *, steps: int = 256
    ) -> None:
        self.room = room
        self.folder = folder
        self.steps = steps
        self.used = 0
        self._order: dict[str, OrderedDict[str, None]] = {}
        self._tiles: OrderedDict[TileKey, bytes] = OrderedDict()
        self._parents: dict[tuple[str, str], tuple[str, TouchedTiles]] = {}
        self._lock = Lock()
        self._lanes = [Lock() for _ in range(_LANES)]
        self.on_put: Callable[[TileKey, bytes], None] | None = None

    def __len__(self) -> int:
        return len(self._tiles)

    def carry_over(self, plan: str, old: str, new: str, touched: TouchedTiles) -> None:
        """Let a new version have all tiles of an old one but those that an edit touched.

        Raises
        ------
        InputError
            If the new version comes before the old one, or is the same.
        """
        with self._lock:
            at: str | None = old
            while at is not None:
                if at == new:
                    msg = f"version {new} of plan {plan} is not newer than {old}: name another one"
                    raise InputError(msg)
                at = self._parents.get((plan, at), (None,))[0]
            self._parents[plan, new] = (old, touched)
            order = self._order.setdefault(plan, OrderedDict())
            order.pop(new, None)
            order[new] = None
            if len(order) > self.steps:
                # Half of them at once, so that it costs an edit next to nothing.
                self._give_up(plan, [order.popitem(last=False)[0] for _ in range(len(order) // 2)])

    def _give_up(self, plan: str, versions: list[str]) -> None:
        """Forget where some versions came from, and move tiles on that are still shown."""
        steps = {one: self._parents.pop((plan, one)) for one in versions}
        later: dict[str, tuple[str, TouchedTiles]] = {}
        for new, (old, touched) in steps.items():
            later[old] = (new, touched)
        for key in [key for key in self._tiles if key.plan == plan and key.version in later]:
            version: str = key.version
            while (step := later.get(version)) is not None:
                new, touched = step
                if touched.has(key.layer, key.zoom, key.x, key.y):
                    break
                version = new
            tile = self._tiles.pop(key)
            own = key._replace(version=version)
            if step is not None or own in self._tiles:
                self.used -= len(tile) + _OVERHEAD
            else:
                self._tiles[own] = tile

    def get(self, key: TileKey) -> bytes | None:
        """Return a tile; ``b""`` if it is empty, ``None`` if it is not at hand."""
        return self._find(self._owned(key))

    def lost_by(self, plan: str, layer: str, old: str, touched: TouchedTiles) -> list[TileKey]:
        """Return the tiles that a version has at hand and an edit touched, last used first."""
        with self._lock:
            keys = [key for key in self._tiles if key.plan == plan and key.layer == layer]
        keys.reverse()
        # Sorting keeps, within a zoom, which was used last.
        by_zoom = groupby(sorted(keys, key=_zoom), key=_zoom)
        return [
            key for zoom, some in by_zoom for key in touched.among(layer, zoom, list(some))
            if self._owned(key._replace(version=old)).version == key.version
        ]  # fmt: skip

    def touched_in(self, key: TileKey) -> str:
        """Return the version in which a tile was touched last: the tile is the same since."""
        return self._owned(key).version

    def put(self, key: TileKey, tile: bytes) -> None:
        """Keep a tile; a folder that cannot be written to is told of in the log."""
        own = self._owned(key)
        self._remember(own, tile)
        self.tell(key, tile)
        if self.folder is not None:
            try:
                _write(self._path(self.folder, own), tile)
            except OSError as fault:
                _LOG.warning("the tile is kept in memory only: %s", fault.strerror)

    def tell(self, key: TileKey, tile: bytes) -> None:
        """Tell ``on_put``, if there is one, of a tile that is at hand."""
        if self.on_put is not None:
            self.on_put(key, tile)

    def get_or_make(self, key: TileKey, make: Callable[[int, int, int], bytes]) -> bytes:
        """Return a tile, made by ``make(zoom, x, y)`` if it is not at hand, once for all askers.

        ``make`` must not ask the cache for other tiles to be made: it would wait for itself.
        """
        own = self._owned(key)
        found = self._find(own)
        if found is not None:
            return found
        with self._lanes[hash(own) % _LANES]:
            found = self._find(own)
            if found is None:
                found = make(key.zoom, key.x, key.y)
                self.put(own, found)
            return found

    def get_or_make_block(
        self, key: TileKey, side: int, make: Callable[[int, int, int, int], Sequence[bytes]]
    ) -> bytes:
        """Return a tile as :meth:`get_or_make` does, made together with its neighbours.

        Parameters
        ----------
        key
            The tile that is asked for.
        side
            Tiles across the square block, a power of two; it lies where blocks of this side lie.
        make
            ``make(zoom, x, y, side)`` gives all tiles from the north-western one, row by row, not
            compressed. Those that are at hand stay as they are.
        """
        corner = key._replace(x=key.x - key.x % side, y=key.y - key.y % side)
        with self._lanes[hash((self._owned(key).version, corner, side)) % _LANES]:
            found = self.get(key)
            if found is not None:
                return found
            wanted = b""
            for at, raw in enumerate(make(key.zoom, corner.x, corner.y, side)):
                one = corner._replace(x=corner.x + at % side, y=corner.y + at // side)
                if one == key or self.get(one) is None:
                    tile = packed(raw)
                    self.put(one, tile)
                    wanted = tile if one == key else wanted
            return wanted

    def _owned(self, key: TileKey) -> TileKey:
        """Return the key with the version in which the tile was touched last."""
        version = key.version
        while (step := self._parents.get((key.plan, version))) is not None:
            parent, touched = step
            if touched.has(key.layer, key.zoom, key.x, key.y):
                break
            version = parent
        return key._replace(version=version)

    def _find(self, own: TileKey) -> bytes | None:
        with self._lock:
            found = self._tiles.get(own)
            if found is not None:
                self._tiles.move_to_end(own)
                return found
        if self.folder is None:
            return None
        try:
            found = self._path(self.folder, own).read_bytes()
        except OSError:
            return None
        self._remember(own, found)
        return found

    def _remember(self, own: TileKey, tile: bytes) -> None:
        with self._lock:
            before = self._tiles.pop(own, None)
            self.used += len(tile) - len(before) if before is not None else len(tile) + _OVERHEAD
            self._tiles[own] = tile
            while self.used > self.room and self._tiles:
                _, oldest = self._tiles.popitem(last=False)
                self.used -= len(oldest) + _OVERHEAD

    @staticmethod
    def _path(folder: Path, own: TileKey) -> Path:
        # Names of plans and versions are free text, and must not lead out of the folder.
        text = repr((own.plan, own.version, own.layer))
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        return folder / name / str(own.zoom) / str(own.x) / f"{own.y}.mvt.gz"


def _write(path: Path, tile: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(tile)
        Path(name).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
