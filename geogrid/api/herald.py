"""Tells the front what the public sees: versions, tiles, and which of them an edit touched."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.api.tile_desk import LAYERS
from geogrid.errors import GeogridError, places_of
from geogrid.front.mirror import shown_frame, tile_frame, touched_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
        self._looking = Lock()

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

    def look_at(self, plans: Iterable[str]) -> None:
        """Tell what the public sees of some plans; the names may be made up by strangers."""
        known = {one.id for one in self._desk.plans()}
        for plan in plans:
            if plan in known:
                self.look(plan)
            else:
                self._send(shown_frame(plan, "", {}))

    def look(self, plan: str) -> None:
        """Tell what the public sees of a plan now, nothing where it sees none."""
        # Whoever looks later also tells later.
        with self._looking:
            self._send(shown_frame(plan, *self._shown(plan)))

    def _shown(self, plan: str) -> tuple[str, dict[str, str]]:
        """Return the version that the public sees, and what names its layers."""
        stranger = self._door.stranger()
        try:
            if not stranger.may_somewhere(Action.VIEW_MAP):
                return "", {}
            asked = self._desk.asked(plan, "head", stranger)
            return asked.version, {
                name: self._tiles.found_version_of(asked, name) for name in LAYERS
            }
        except GeogridError:
            # The route says what is wrong to whoever asks.
            return "", {}
        except Exception as fault:  # noqa: BLE001 - an edit is stored, whatever becomes of this
            kind, places = type(fault).__name__, places_of(fault)
            _LOG.error("unforeseen error at what the public sees: %s at %s", kind, places)
            return "", {}
