"""Objects in metres, ready to become rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from geogrid.osm._scan import Records

__all__ = ["Features", "Projection", "make_table"]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Objects of one geometry type: ids, tags, shapes in metres, and the nodes of lines."""

    ids: NDArray[np.object_]
    tags: NDArray[np.object_]
    shapes: NDArray[np.object_]
    nodes: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    def pick(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Features:
        """Return the objects at a mask or at positions."""
        return Features(self.ids[rows], self.tags[rows], self.shapes[rows], self.nodes[rows])

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        tags: Sequence[Mapping[str, str]],
        shapes: Sequence[shapely.Geometry] | NDArray[np.object_],
        nodes: Sequence[tuple[int, ...]] = (),
    ) -> Features:
        """Make features of plain sequences; without ``nodes`` each has none."""
        return cls(*map(_column, (ids, tags, shapes, nodes or [()] * len(ids))))

    @classmethod
    def join(cls, *parts: Features) -> Features:
        """Put features one after the other."""
        columns = (
            np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__
        )
        return cls(*columns)

    def touching(self, near: shapely.Geometry | None) -> Features:
        """Return the objects that touch ``near``, whole; all of them if it is None."""
        return self if near is None else self.pick(shapely.intersects(near, self.shapes))

    def where(self, rule: Callable[[Mapping[str, str]], object]) -> Features:
        """Return the objects whose tags a rule accepts."""
        return self.pick(np.array([bool(rule(tags)) for tags in self.tags], dtype=bool))

    def text(self, key: str) -> list[str]:
        """Return the values of a tag, empty where it is missing."""
        return [tags.get(key, "") for tags in self.tags]

    def each(self, rule: Callable[[Mapping[str, str]], Any]) -> list[Any]:
        """Return what a rule says of each object."""
        return [rule(tags) for tags in self.tags]


@dataclass(frozen=True, slots=True)
class Projection:
    """Degrees to the metres of one frame; equal degrees always become equal metres."""

    crs: CRS
    transformer: Transformer

    @classmethod
    def to(cls, crs: CRS) -> Projection:
        """Set up the way from WGS 84 to ``crs``."""
        return cls(crs, Transformer.from_crs(4326, crs, always_xy=True))

    def shapes(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Project geometries."""
        if not len(shapes):
            return shapes
        return shapely.transform(shapes, self._points)

    def ways(self, ways: Mapping[int, NDArray[np.float64]]) -> dict[int, NDArray[np.float64]]:
        """Project coordinates; unknown ones stay NaN."""
        return {way: self._known_points(points) for way, points in ways.items()}

    def features(self, records: Records) -> Features:
        """Project objects."""
        shapes = self.shapes(records.geometries())
        return Features.of(records.ids, records.tags, shapes, records.nodes)

    def _points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(self.transformer.transform(points[:, 0], points[:, 1]))

    def _known_points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        known = ~np.isnan(points).any(axis=1)
        result = np.full_like(points, np.nan)
        result[known] = self._points(points[known])
        return result


def make_table(
    features: Features, crs: CRS, columns: Mapping[str, tuple[str, Sequence[Any]]]
) -> gpd.GeoDataFrame:
    """Build a table of ``osm_id``, ``name``, ``{column: (dtype, values)}`` and geometry."""
    frame = gpd.GeoDataFrame(
        {
            "osm_id": list(features.ids),
            "name": features.text("name"),
            **{name: list(values) for name, (_, values) in columns.items()},
        },
        geometry=gpd.GeoSeries(features.shapes, crs=crs),
        crs=crs,
    )
    types = {"osm_id": "str", "name": "str", **{name: kind for name, (kind, _) in columns.items()}}
    return frame.astype(types)


def _column(values: Sequence[Any] | NDArray[np.object_]) -> NDArray[np.object_]:
    """Return an array of objects; numpy alone would make a matrix of equally long tuples."""
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return column
