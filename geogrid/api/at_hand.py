"""What the public sees, as far as the application knows it without asking the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.errors import GeogridError
from geogrid.front.lane import Layer

if TYPE_CHECKING:
    from geogrid.api.desk import Desk
    from geogrid.api.security import Door
    from geogrid.api.tile_desk import TileDesk
    from geogrid.tiles.cache import TileCache

__all__ = ["DeskAtHand"]


class DeskAtHand:
    """Ready tiles of an application without a front."""

    def __init__(self, desk: Desk, door: Door, tiles: TileDesk) -> None:
        self._desk, self._door, self._tiles = desk, door, tiles

    @property
    def cache(self) -> TileCache:
        """The tiles."""
        return self._tiles.cache

    def layer(self, plan: str, word: str, layer: str) -> Layer | None:
        """Return a layer of a version, or of ``head``; ``None`` where the route must answer."""
        caller = self._door.stranger()
        if not caller.may_somewhere(Action.VIEW_MAP) or not self._desk.is_at_hand(plan):
            return None
        try:
            asked = self._desk.asked(plan, word, caller)
        except GeogridError:
            # The route says what is wrong.
            return None
        name = self._tiles.version_of(asked, layer)
        return None if name is None else Layer(name, asked.version)
