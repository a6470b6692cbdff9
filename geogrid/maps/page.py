"""The page itself: folium's map with everything it needs inside the file."""

from __future__ import annotations

import html
from importlib import resources
from typing import TYPE_CHECKING, Any

import folium
from branca.element import MacroElement
from folium.template import Template

from geogrid.errors import MissingFileError
from geogrid.maps.coding import page_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.maps.tiles import TileService

__all__ = ["PlanMap"]

SCRIPTS = (
    "coding.js", "labels.js", "base.js", "cells.js",
    "service.js", "panel.js", "search.js", "app.js",
)  # fmt: skip


def _packaged(folder: str, name: str) -> str:
    file = resources.files("geogrid.maps").joinpath(folder, name)
    if not file.is_file():
        msg = (
            f"{name} of the map assets is missing: build the package once with Node.js 20 "
            "(pip install .), or install a wheel"
        )
        raise MissingFileError(msg)
    return file.read_text(encoding="utf-8")


class _Head(MacroElement):
    """Styles, scripts and the policy that keeps the page off the network."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
        <meta http-equiv="Content-Security-Policy" content="{{ this.policy }}">
        <link rel="icon" href="data:,">
        <style>{{ this.style }}</style>
        <script>{{ this.library }}</script>
        {% endmacro %}
        """
    )

    def __init__(self, hosts: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # branca publishes no types
        self._name = "Head"
        pictures = " ".join(["data:", *hosts])
        self.policy = (
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
            f"img-src {pictures}"
        )
        self.style = _packaged("assets", "leaflet.css") + _packaged("templates", "map.css")
        self.library = _packaged("assets", "leaflet.js")


class _Body(MacroElement):
    """The panel beside the map, the data, and the code that joins them."""

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        {{ this.body }}
        <script type="application/json" id="gg-data">{{ this.data }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        {%- if this.tile_names %}
        window.geogridTiles = [[{{ this.tile_label }}, [{{ this.tile_names | join(", ") }}]]];
        {%- endif %}
        (function (map) {
        "use strict";
        {{ this.code }}
        startMap(map);
        })({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, data: dict[str, Any], tile_label: str, tile_names: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # branca publishes no types
        self._name = "Body"
        self.body = _packaged("templates", "body.html")
        self.data = page_json(data)
        self.code = "\n".join(_packaged("templates", name) for name in SCRIPTS)
        self.tile_label = page_json(tile_label)
        self.tile_names = list(tile_names)


class PlanMap(folium.Map):
    """A folium map of a plan that asks the network for nothing.

    Parameters
    ----------
    data
        What the page shows, see ``plan_map.map_data``.
    tiles
        A service of tiles; only then does the page hold an address.
    """

    # Folium would link Leaflet, jQuery, Bootstrap and two icon fonts from the network.
    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own attribute
    default_css: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own attribute

    def __init__(self, data: dict[str, Any], *, tiles: TileService | None = None) -> None:
        west, south, east, north = data["district"]["bounds"]
        super().__init__(
            location=[(south + north) / 2, (west + east) / 2],
            tiles=None,
            zoom_start=13,
            prefer_canvas=True,
            attribution_control=False,
            # Whole zooms would leave up to half of a phone empty around the district.
            zoom_snap=0.25,
        )
        # The same plan gives the same file, so names are not drawn by lot.
        self._id = "plan"
        self.add_child(_Head(tiles.hosts if tiles else ()), name="head")
        names = self._add_tiles(tiles) if tiles else []
        self.add_child(_Body(data, tiles.name if tiles else "", names), name="body")
        title = html.escape(data["title"]).replace("//", "&#47;&#47;")
        figure = self.get_root()
        figure.title = title  # type: ignore[attr-defined] # the root is a figure

    def _add_tiles(self, tiles: TileService) -> list[str]:
        names = []
        for number, url in enumerate(tiles.urls):
            layer = folium.TileLayer(
                url, attr=tiles.attribution, name=tiles.name, subdomains=tiles.subdomains,
                max_native_zoom=tiles.max_zoom, max_zoom=20,
            )  # fmt: skip
            layer._id = str(number)  # noqa: SLF001 - folium offers no other way to name it
            self.add_child(layer, name=f"tiles_{number}")
            names.append(layer.get_name())
        return names

    def page(self) -> str:
        """Return the whole page as text."""
        return str(self.get_root().render())
