"""GeoJSON features as ready text, and the boxes by which they are asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from rtree.index import Index

from geogrid.errors import InputError
from geogrid.maps.coding import DECIMALS, to_degrees

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    import numpy.typing as npt

__all__ = ["Box", "FeatureTable", "bounds_index"]


@dataclass(frozen=True, slots=True)
class Box:
    """A box in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> Box:
        """Read ``west,south,east,north``.

        Raises
        ------
        InputError
            If that is no box on the globe.
        """
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError as fault:
            msg = "bbox must be four numbers west,south,east,north in degrees"
            raise InputError(msg) from fault
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - the globe
            msg = "bbox must run west to east within 180 and south to north within 90 degrees"
            raise InputError(msg)
        return cls(west, south, east, north)


class FeatureTable:
    """GeoJSON features as ready text, found by box."""

    def __init__(self, shapes: gpd.GeoSeries, properties: Sequence[dict[str, Any]]) -> None:
        degrees = to_degrees(shapes).to_numpy()
        rounded = shapely.orient_polygons(
            shapely.transform(degrees, lambda xy: xy.round(DECIMALS)), exterior_cw=False
        )
        self._source = shapes
        self.properties = properties
        self.shapes = rounded
        self.texts = [
            f'{{"type":"Feature","properties":{_json(values)},"geometry":{geometry}}}'
            for values, geometry in zip(properties, shapely.to_geojson(rounded), strict=True)
        ]
        self._index = bounds_index(shapely.bounds(rounded))

    def collection(self, box: Box | None) -> str:
        """Return the features that touch a box, or all, as one GeoJSON text in stable order."""
        return self.chosen(self.rows_in(box))

    def exact(self) -> npt.NDArray[np.object_]:
        """Return the shapes in degrees with all their decimals: rounded ones may touch."""
        return np.asarray(to_degrees(self._source).to_numpy())

    def centre(self, row: int) -> list[float]:
        """Return longitude and latitude of a place within a feature."""
        inner = shapely.point_on_surface(self.shapes[row])
        return [round(float(inner.x), DECIMALS), round(float(inner.y), DECIMALS)]

    def rows_in(self, box: Box | None) -> list[int]:
        """Return the rows of the features that touch a box, or of all, in stable order."""
        if box is None:
            return list(range(len(self.texts)))
        return sorted(self._index.intersection((box.west, box.south, box.east, box.north)))

    def chosen(self, rows: Iterable[int]) -> str:
        """Return some features as one GeoJSON text."""
        features = ",".join(self.texts[row] for row in rows)
        return f'{{"type":"FeatureCollection","features":[{features}]}}'


def bounds_index(bounds: npt.NDArray[np.float64]) -> Index:
    """Return an R-tree of boxes by row; an empty shape is in no box."""
    entries = [
        (row, tuple(box), None) for row, box in enumerate(bounds.tolist()) if np.isfinite(box).all()
    ]
    # An R-tree cannot be loaded from nothing.
    return Index(entries) if entries else Index()


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
