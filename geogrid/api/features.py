"""GeoJSON features as ready text, and the boxes by which they are asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from threading import Lock
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

__all__ = ["Box", "BoxIndex", "FeatureTable", "box_shape"]


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
    """GeoJSON features as ready text, found by box.

    Parameters
    ----------
    shapes
        In any coordinate system.
    properties
        Of each shape.
    older
        The same table before an edit: what is the same in it is not made again.
    """

    def __init__(
        self,
        shapes: gpd.GeoSeries,
        properties: Sequence[dict[str, Any]],
        *,
        older: FeatureTable | None = None,
    ) -> None:
        self.source = shapes
        self.properties = properties
        count = len(shapes)
        self.shapes: npt.NDArray[np.object_] = np.empty(count, dtype=object)
        self.texts = [""] * count
        was = np.full(count, -1, dtype=np.int64)
        if older is not None:
            # What an edit left alone is the very same object in the next version.
            rows = {id(one): row for row, one in enumerate(older.source.to_numpy())}
            was[:] = [rows.get(id(one), -1) for one in shapes.to_numpy()]
            self.shapes[was >= 0] = older.shapes[was[was >= 0]]
        drawn = np.flatnonzero(was < 0)
        degrees = to_degrees(type(shapes)(shapes.iloc[drawn])).to_numpy()
        self.shapes[drawn] = shapely.orient_polygons(
            shapely.transform(degrees, lambda xy: xy.round(DECIMALS)), exterior_cw=False
        )
        told = drawn.tolist()
        if older is not None:
            for row in np.flatnonzero(was >= 0).tolist():
                if older.properties[was[row]] == properties[row]:
                    self.texts[row] = older.texts[was[row]]
                else:
                    told.append(row)
        for row, geometry in zip(told, shapely.to_geojson(self.shapes[told]), strict=True):
            values = _json(properties[row])
            self.texts[row] = f'{{"type":"Feature","properties":{values},"geometry":{geometry}}}'
        self.tree = shapely.STRtree(self.shapes)

    def collection(self, box: Box | None) -> str:
        """Return the features that touch a box, or all, as one GeoJSON text in stable order."""
        return self.chosen(self.rows_in(box))

    def exact(self) -> npt.NDArray[np.object_]:
        """Return the shapes in degrees with all their decimals: rounded ones may touch."""
        return np.asarray(to_degrees(self.source).to_numpy())

    def centre(self, row: int) -> list[float]:
        """Return longitude and latitude of a place within a feature."""
        inner = shapely.point_on_surface(self.shapes[row])
        return [round(float(inner.x), DECIMALS), round(float(inner.y), DECIMALS)]

    def rows_in(self, box: Box | None) -> list[int]:
        """Return the rows of the features that touch a box, or of all, in stable order."""
        if box is None:
            return list(range(len(self.texts)))
        shape = box_shape(box.west, box.south, box.east, box.north)
        return sorted(self.tree.query(shape, predicate="intersects").tolist())

    def chosen(self, rows: Iterable[int]) -> str:
        """Return some features as one GeoJSON text."""
        features = ",".join(self.texts[row] for row in rows)
        return f'{{"type":"FeatureCollection","features":[{features}]}}'


class BoxIndex:
    """An R-tree of boxes; several threads may ask at the same time.

    Parameters
    ----------
    bounds
        West, south, east and north of each row, shape (rows, 4); an empty shape is in no box.
    """

    # The library behind it holds state of its own and lets go of the interpreter's lock: asked by
    # two threads at once it brings the process down.
    _alone = Lock()

    def __init__(self, bounds: npt.NDArray[np.float64]) -> None:
        rows = np.flatnonzero(np.isfinite(bounds).all(axis=1))
        with self._alone:
            # It cannot be loaded from nothing.
            self._tree = Index((rows, bounds[rows, :2], bounds[rows, 2:])) if len(rows) else Index()

    def intersection(self, box: tuple[float, float, float, float]) -> list[int]:
        """Return the rows whose boxes touch a box, in order."""
        with self._alone:
            return sorted(self._tree.intersection(box))


def box_shape(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    """Return a box as a shape; one without width or height is a point or a line."""
    if west < east and south < north:
        return shapely.box(west, south, east, north)
    if west == east and south == north:
        return shapely.Point(west, south)
    return shapely.LineString([(west, south), (east, north)])


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
