"""Map tiles from the network: never without being asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geogrid.errors import InputError

__all__ = ["TileService"]

_TIANDITU = (
    "https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileService:
    """A service of map tiles in Web Mercator.

    Attributes
    ----------
    name
        What people read in the list of layers.
    urls
        Address templates, drawn one over the other (picture, then its lettering).
    attribution
        The line that must be printed.
    subdomains
        One letter a host.
    max_zoom
        Finest zoom that the service has; beyond it tiles are enlarged.
    """

    name: str
    urls: tuple[str, ...]
    attribution: str
    subdomains: str = "abc"
    max_zoom: int = 18

    @classmethod
    def tianditu(cls, key: str, *, picture: bool = False) -> TileService:
        """Return 天地图 with the user's own key.

        Parameters
        ----------
        key
            The key of the user's account; it is written into the map, so whoever gets the file
            can read it.
        picture
            Satellite picture instead of the street map.

        Raises
        ------
        InputError
            If the key holds anything but letters and digits.
        """
        if not re.fullmatch(r"[0-9A-Za-z]+", key):
            msg = "the key of 天地图 holds only letters and digits: check it in your account"
            raise InputError(msg)
        layers = ("img", "cia") if picture else ("vec", "cva")
        urls = tuple(_TIANDITU.format(layer=layer, key=key) for layer in layers)
        return cls(name="天地图", urls=urls, attribution="天地图", subdomains="01234567")

    @classmethod
    def osm(cls) -> TileService:
        """Return the tiles of OpenStreetMap, for light use as its policy asks."""
        return cls(
            name="OpenStreetMap",
            urls=("https://tile.openstreetmap.org/{z}/{x}/{y}.png",),
            attribution="© OpenStreetMap contributors",
            max_zoom=19,
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that a map with these tiles may ask, for its content policy."""
        found = {re.sub(r"^(https?://)([^/]+)/.*$", r"\1\2", url) for url in self.urls}
        return tuple(sorted(re.sub(r"t?\{s\}", "*", host) for host in found))
