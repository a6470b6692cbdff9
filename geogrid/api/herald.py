"""Tells the front what the public sees: versions, tiles, and which of them an edit touched."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.api.tile_desk import LAYERS
from geogrid.errors import GeogridError
from geogrid.front.mirror import shown_frame, tile_frame, touched_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.api.desk import Desk
    from geogrid.api.security import Door
    from geogrid.api.tile_desk import TileDesk
    from geogrid.front.wire import Frame
    from geogrid.tiles.cache import TileKey
    from geogrid.tiles.touched import TouchedTiles

__all__ = ["Herald"]

_LOG = logging.getLogger(__name__)


class Herald:
    """Says at once what changes for the public, from whichever thread changes it.

    Parameters
    ----------
    desk, door, tiles
        What the application knows.
    """

    def __init__(self, desk: Desk, door: Door, tiles: TileDesk) -> None:
        self._desk, self._door, self._tiles = desk, door, tiles
        self._send: Callable[[Frame], None] = lambda _: None

    def begin(self, send: Callable[[Frame], None]) -> None:
        """Tell a front, from any thread, what changes from now on."""
        self._send = send
        self._tiles.cache.on_put = self.made
        self._tiles.on_carried = self.touched
        self._desk.on_moved = self.look

    def made(self, key: TileKey, tile: bytes) -> None:
        """Tell of a tile that was made, or asked for by somebody who had to come this way."""
        self._send(tile_frame(key, tile))

    def touched(self, plan: str, old: str, new: str, touched: TouchedTiles) -> None:
        """Tell which tiles a version does not share with an older one."""
        self._send(touched_frame(plan, old, new, touched))

    def look(self, plan: str) -> None:
        """Tell what the public sees of a plan now, nothing where it sees none."""
        try:
            stranger = self._door.stranger()
            version, layers = "", {}
            if stranger.may_somewhere(Action.VIEW_MAP):
                asked = self._desk.asked(plan, "head", stranger)
                version = asked.version
                layers = {name: self._tiles.found_version_of(asked, name) for name in LAYERS}
        except GeogridError as fault:
            # The route says what is wrong to whoever asks.
            _LOG.debug("the public sees nothing of a plan: %s", type(fault).__name__)
            version, layers = "", {}
        self._send(shown_frame(plan, version, layers))
