"""All tiles of one version of a plan, and what a map needs to know to show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.errors import InputError
from geogrid.tiles._flat import Dimension
from geogrid.tiles.packing import packed
from geogrid.tiles.touched import TouchedTiles, changed_boxes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.tiles.source import TileSource

__all__ = ["TileSet", "style_layers", "tile_json"]


@dataclass(frozen=True, eq=False)
class TileSet:
    """Layers in groups; the layers of a group come in the same tile.

    Attributes
    ----------
    groups
        Layers by name of the group, in the order in which they are drawn: ``cells`` with one layer
        a level, ``base`` with streets and waters, ``service`` with stations and circles, say.
    """

    groups: Mapping[str, tuple[TileSource, ...]]

    def sources(self, group: str) -> tuple[TileSource, ...]:
        """Return the layers of a group.

        Raises
        ------
        InputError
            If there is no such group.
        """
        if group not in self.groups:
            msg = f"there are no tiles of {group}: use one of {', '.join(self.groups)}"
            raise InputError(msg)
        return self.groups[group]

    def encode(self, group: str, zoom: int, x: int, y: int) -> bytes:
        """Return a tile, compressed with gzip; nothing if it shows nothing.

        Raises
        ------
        InputError
            If there is no such group or tile.
        """
        return packed(b"".join(source.layer(zoom, x, y) for source in self.sources(group)))

    def touched_since(self, old: TileSet) -> TouchedTiles:
        """Return the tiles that differ from those of an older version."""
        found = {}
        for group in {*self.groups, *old.groups}:
            was = {source.name: source for source in old.groups.get(group, ())}
            now = {source.name: source for source in self.groups.get(group, ())}
            both = (*was.values(), *now.values())
            for zoom in sorted({at for one in both for at in _zooms(one)}):
                # A layer that is the very same object has not changed.
                boxes = [
                    changed_boxes(was.get(name), now.get(name), zoom)
                    for name in {**was, **now}
                    if was.get(name) is not now.get(name)
                ]
                if sum(map(len, boxes)):
                    found[group, zoom] = np.concatenate(boxes)
        return TouchedTiles(found)


def _zooms(source: TileSource) -> range:
    return range(source.min_zoom, source.max_zoom + 1)


def tile_json(
    tiles: TileSet,
    group: str,
    *,
    urls: tuple[str, ...],
    name: str = "",
    attribution: str = "",
    version: str = "1.0.0",
) -> dict[str, Any]:
    """Describe the tiles of a group as TileJSON 3.0.0.

    Parameters
    ----------
    tiles, group
        What is described.
    urls
        Addresses with ``{z}``, ``{x}`` and ``{y}``.
    name, attribution
        What people read.
    version
        Of the contents, as three numbers.

    Raises
    ------
    InputError
        If there is no such group.
    """
    sources = tiles.sources(group)
    found: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": name or group,
        "version": version,
        "scheme": "xyz",
        "tiles": list(urls),
        "attribution": attribution,
        "minzoom": min((source.min_zoom for source in sources), default=0),
        "maxzoom": max((source.max_zoom for source in sources), default=0),
        "vector_layers": [
            {
                "id": source.name,
                "description": source.title,
                "minzoom": source.min_zoom,
                "maxzoom": source.max_zoom,
                "fields": dict(source.described),
            }
            for source in sources
        ],
    }
    boxes = [source.bounds for source in sources if source.bounds is not None]
    if boxes:
        low, high = np.min(boxes, axis=0)[:2].tolist(), np.max(boxes, axis=0)[2:].tolist()
        found["bounds"] = [*low, *high]
        middle = [(one + other) / 2 for one, other in zip(low, high, strict=True)]
        found["center"] = [*middle, found["minzoom"]]
    return found


_BAND_COLOURS = [
    "match", ["get", "band"], -1, "#9ecae1", 0, "#a1d99b", 1, "#fc9272", "#e0e0e0",
]  # fmt: skip
_FILL: dict[str, dict[str, Any]] = {
    "water_areas": {"fill-color": "#c6dbef"},
    "buildings": {"fill-color": "#d9d4cc"},
    "circles": {"fill-color": "#3182bd", "fill-opacity": 0.15},
}
_LINE: dict[str, dict[str, Any]] = {
    "water_lines": {"line-color": "#9ecae1", "line-width": 1.5},
    "rails": {"line-color": "#888888", "line-width": 1.2, "line-dasharray": [4, 2]},
    "streets": {"line-color": "#bbbbbb", "line-width": 1.0},
}


def style_layers(tiles: TileSet, group: str) -> list[dict[str, Any]]:
    """Return plain layers of a MapLibre style for a group; its source is named as the group.

    Cells are coloured by how their count stands to the band. No layer has lettering: that needs
    glyphs, which a style brings itself.

    Raises
    ------
    InputError
        If there is no such group.
    """
    drawn: list[dict[str, Any]] = []
    for source in tiles.sources(group):
        common = {
            "source": group,
            "source-layer": source.name,
            "minzoom": source.min_zoom,
            "metadata": {"title": source.title},
        }
        drawn += [{**common, **one} for one in _drawn_as(source)]
    return drawn


def _drawn_as(source: TileSource) -> list[dict[str, Any]]:
    name = source.name
    if source.dimension is Dimension.POINT:
        paint = {"circle-color": "#c0392b", "circle-radius": 5, "circle-stroke-color": "#ffffff"}
        return [{"id": f"{name}-dot", "type": "circle", "paint": paint}]
    if source.dimension is Dimension.LINE:
        return [{"id": f"{name}-line", "type": "line", "paint": _LINE.get(name, {})}]
    if name in _FILL:
        return [{"id": f"{name}-fill", "type": "fill", "paint": _FILL[name]}]
    border = {"line-color": "#555555", "line-width": 1.0}
    return [
        {
            "id": f"{name}-fill",
            "type": "fill",
            "paint": {"fill-color": _BAND_COLOURS, "fill-opacity": 0.5},
        },
        {"id": f"{name}-border", "type": "line", "paint": border},
    ]
