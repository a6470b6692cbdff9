"""One layer of tiles: features of one dimension, ready for any tile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.tiles._clip import in_tiles
from geogrid.tiles._fields import Fields, fields_of
from geogrid.tiles._flat import Dimension, Objects
from geogrid.tiles._layer import layers_bytes
from geogrid.tiles._update import patched
from geogrid.tiles._world import BUFFER, EXTENT, MAX_ZOOM, check_tile, degrees_of
from geogrid.tiles._zoom import Ground, ZoomShapes, ground_of, zoom_shapes
from geogrid.tiles.packing import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from pyproj import CRS

__all__ = ["TileSource"]

# Codes of so many digits stay the numbers that they are; others get a number above all of these.
_DIGITS, _HASHED = 15, 1 << 52
# Of a row of the table: its texts, and its shape as it came.
_ROW_BYTES = 1000


@dataclass(frozen=True, eq=False, kw_only=True)
class TileSource:
    """Features of one layer; immutable, an edit makes a new source.

    Attributes
    ----------
    name, title
        Of the layer, for programs and for people.
    dimension
        Points, lines or areas.
    min_zoom, max_zoom
        First and last zoom that show the layer; on the last one it has its full detail.
    described
        What each property is, for people.
    table
        The properties, one row a feature, in the order of the identifiers.
    ids
        Identifier of each feature, the same for the same code in every version of a plan.
    """

    name: str
    title: str
    dimension: Dimension
    min_zoom: int
    max_zoom: int
    described: Mapping[str, str]
    table: pd.DataFrame = field(repr=False)
    ids: npt.NDArray[np.uint64] = field(repr=False)
    _fields: Fields = field(repr=False)
    _geometry: Objects = field(repr=False)
    _crs: CRS | None = field(repr=False)
    _shapes: dict[int, ZoomShapes] = field(default_factory=dict, repr=False, init=False)
    _lock: Lock = field(default_factory=Lock, repr=False, init=False)

    @classmethod
    def from_frame(
        cls,
        name: str,
        frame: gpd.GeoDataFrame,
        *,
        key: str,
        described: Mapping[str, str],
        dimension: Dimension = Dimension.AREA,
        title: str = "",
        zooms: tuple[int, int] = (0, 16),
        older: TileSource | None = None,
    ) -> TileSource:
        """Make a layer of the rows of a table.

        Parameters
        ----------
        name
            Of the layer in the tile.
        frame
            Rows with shapes in any coordinate system; shapes of other dimensions are left out.
        key
            Column that names each feature.
        described
            The columns that everyone may see, each with what it is. No other column is read.
        dimension
            Points, lines or areas.
        title
            What people read for the layer.
        zooms
            First and last zoom that show it.
        older
            The same layer before an edit: the zooms that it has ready are ready in the new one
            too, and only what lies near the edit is made anew. The tiles are the same without it.

        Raises
        ------
        CrsError
            If the table has no coordinate system.
        InputError
            If a key occurs twice, the zooms are none, or a feature has several points.
        """
        first, last = zooms
        if not 0 <= first <= last <= MAX_ZOOM:
            msg = f"zooms {first} to {last} of layer {name} are none: use 0 to {MAX_ZOOM}, rising"
            raise InputError(msg)
        keys = frame[key].astype(str).to_numpy(object)
        ids = _ids(keys)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        if (ids[1:] == ids[:-1]).any():
            twice = keys[order][1:][ids[1:] == ids[:-1]][0]
            msg = f"{key} {twice} occurs twice in layer {name}: give each feature its own"
            raise InputError(msg)
        table = pd.DataFrame(frame.loc[:, list(described)]).iloc[order].reset_index(drop=True)
        geometry = frame.geometry.to_numpy()[order]
        if dimension is Dimension.POINT and (shapely.get_num_geometries(geometry) > 1).any():
            msg = f"layer {name} has features of several points: give each point a row of its own"
            raise InputError(msg)
        source = cls(
            name=name,
            title=title or name,
            dimension=dimension,
            min_zoom=first,
            max_zoom=last,
            described=dict(described),
            table=table.astype(object).where(table.notna(), None),
            ids=ids,
            _fields=fields_of(table, None if older is None else older._fields),
            _geometry=geometry,
            _crs=frame.crs,
        )
        if older is not None and source._is_like(older):
            source._follow(older)
        else:
            # What is wrong with the shapes shows here and not in the first tile.
            _ = source._ground
        return source

    @cached_property
    def _ground(self) -> Ground:
        return ground_of(self._geometry, self._crs, self.dimension)

    def _is_like(self, other: TileSource) -> bool:
        return (self.dimension, self.min_zoom, self.max_zoom, self._crs) == (
            other.dimension, other.min_zoom, other.max_zoom, other._crs,
        )  # fmt: skip

    def _follow(self, older: TileSource) -> None:
        at = np.searchsorted(older.ids, self.ids)
        at[at == len(older.ids)] = 0
        is_old = older.ids[at] == self.ids if len(older.ids) else np.zeros(len(at), dtype=np.bool_)
        found = patched(
            older._ready(),
            (older._geometry, self._geometry),
            np.where(is_old, at, -1),
            crs=self._crs,
            dimension=self.dimension,
            max_zoom=self.max_zoom,
        )
        self._shapes.update(found)

    def shapes(self, zoom: int) -> ZoomShapes:
        """Return the shapes of a zoom, in the order of ``table``; made once, on first use."""
        with self._lock:
            if zoom not in self._shapes:
                self._shapes[zoom] = zoom_shapes(
                    self._ground, zoom, is_finest=zoom >= self.max_zoom
                )
            return self._shapes[zoom]

    def _ready(self) -> dict[int, ZoomShapes]:
        with self._lock:
            return dict(self._shapes)

    @property
    def zooms_ready(self) -> frozenset[int]:
        """The zooms whose shapes are made."""
        return frozenset(self._ready())

    def prepare(self, zooms: Iterable[int] | None = None) -> None:
        """Make the shapes of zooms, or of all that show the layer, ahead of the first tile."""
        for zoom in range(self.min_zoom, self.max_zoom + 1) if zooms is None else zooms:
            self.shapes(zoom)

    def layer(self, zoom: int, x: int, y: int) -> bytes:
        """Return the layer of a tile, not compressed; nothing where the tile shows none of it.

        Layers put one after the other are a tile.

        Raises
        ------
        InputError
            If there is no such tile.
        """
        return self.layers(zoom, x, y, 1)[0]

    def layers(self, zoom: int, x: int, y: int, side: int) -> list[bytes]:
        """Return the layer of each tile of a square block, row by row, as :meth:`layer` does.

        Parameters
        ----------
        zoom, x, y
            The tile at the north-western corner.
        side
            Tiles across; sixteen tiles at once take a few times as long as one.

        Raises
        ------
        InputError
            If there is no such block.
        """
        check_tile(zoom, x, y)
        check_tile(zoom, x + side - 1, y + side - 1)
        if not self.min_zoom <= zoom <= self.max_zoom:
            return [b""] * side**2
        tile, rows, flat = in_tiles(self.shapes(zoom), (x, y, side), self.dimension)
        if not len(rows):
            return [b""] * side**2
        fields = (self._fields.names, *self._fields.of(rows, tile, side**2))
        held = np.bincount(tile, minlength=side**2)
        return layers_bytes(self.name, flat, self.dimension, self.ids[rows], fields, held)

    def crowd(self, zoom: int, x: int, y: int, side: int) -> int:
        """Return how many features meet a square block of tiles, counted by their boxes."""
        if not self.min_zoom <= zoom <= self.max_zoom:
            return 0
        boxes = self.shapes(zoom).boxes
        low = EXTENT * np.array([x, y]) - BUFFER
        high = low + EXTENT * side + 2 * BUFFER
        return int(((boxes[:, :2] <= high) & (boxes[:, 2:] >= low)).all(axis=1).sum())

    def encode(self, zoom: int, x: int, y: int) -> bytes:
        """Return a tile of this layer alone, compressed with gzip; nothing if it is empty.

        Raises
        ------
        InputError
            If there is no such tile.
        """
        return packed(self.layer(zoom, x, y))

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, about: coordinates of all zooms that are ready."""
        shapes = self._ready().values()
        held = sum(
            part.nbytes
            for one in shapes
            for part in (one.flat.xy, one.flat.length, one.flat.is_hole, one.flat.rings, one.boxes)
        )
        return held + self._fields.code.nbytes + _ROW_BYTES * len(self.table)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in degrees; ``None`` where there is no shape."""
        places = self._ground.flat.xy
        if not len(places):
            return None
        return degrees_of(np.concatenate((places.min(axis=0), places.max(axis=0))))


def _ids(keys: npt.NDArray[np.object_]) -> npt.NDArray[np.uint64]:
    """Return a number for each key, from it alone, below 2**53, which every viewer can hold."""
    return np.array([_id(key) for key in keys], dtype=np.uint64)


@lru_cache(maxsize=1 << 17)
def _id(key: str) -> int:
    if key.isascii() and key.isdigit() and len(key) <= _DIGITS and key[0] != "0":
        return int(key)
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return _HASHED + int.from_bytes(digest, "big") % _HASHED
