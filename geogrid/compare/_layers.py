"""Bring layers of cells, a limit and household points into one metric frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import CrsError, InputError
from geogrid.model.counts import household_counts
from geogrid.planar.crs import to_metric
from geogrid.planar.lattice import origin_mm, round_coordinates, to_mm
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry import MultiPolygon
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.district import District

__all__ = [
    "Homes",
    "Layer",
    "Limit",
    "in_frame_of",
    "metric_crs",
    "read_homes",
    "read_layer_of",
    "read_shape",
]

Limit: TypeAlias = "District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry"
_Table = TypeVar("_Table", gpd.GeoDataFrame, gpd.GeoSeries)

_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """Cells of one source, sorted by code: the lowest position is the lowest code.

    Attributes
    ----------
    name
        What messages and tables call the layer.
    facts
        Indexed by code: every column of the input but the geometry.
    shapes
        One polygon or multipolygon a code, on the millimetre lattice; empty where it has none.
    crs
        The metric frame; ``None`` means local metres.
    notes
        Plain sentences about rows that were united or mended.
    """

    name: str
    facts: pd.DataFrame
    shapes: npt.NDArray[np.object_]
    crs: CRS | None = None
    notes: tuple[str, ...] = ()

    @property
    def codes(self) -> npt.NDArray[np.object_]:
        """Codes of the cells in order."""
        return self.facts.index.to_numpy(dtype=object)

    def text(self, column: str) -> npt.NDArray[np.object_]:
        """Return a column as text, "" where it is absent or empty."""
        if column not in self.facts:
            return np.full(len(self.facts), "", dtype=object)
        values = self.facts[column]
        return values.astype(object).where(values.notna(), "").astype(str).to_numpy(dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class Homes:
    """Household points: each is one place with a count."""

    points: npt.NDArray[np.object_]
    counts: npt.NDArray[np.int64]

    def cells_of(self, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
        """Return the position of the cell that holds each point, the lowest on a border, or -1."""
        point, cell = shapely.STRtree(shapes).query(self.points, predicate="intersects")
        held = np.full(len(self.points), len(shapes), dtype=np.int64)
        np.minimum.at(held, point, cell)
        return np.where(held == len(shapes), -1, held)

    def counts_in(self, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
        """Return the households of each cell, each household counted in one cell."""
        at = self.cells_of(shapes)
        counts = np.zeros(len(shapes), dtype=np.int64)
        np.add.at(counts, at[at >= 0], self.counts[at >= 0])
        return counts


def metric_crs(frame: gpd.GeoDataFrame) -> CRS | None:
    """Return the metric frame in which a layer is worked on; ``None`` means local metres."""
    return None if frame.crs is None else to_metric(frame).crs


def in_frame_of(data: _Table, crs: CRS | None, name: str) -> _Table:
    """Return data in a metric frame.

    Raises
    ------
    CrsError
        If only one of the two has a coordinate system.
    """
    if (data.crs is None) != (crs is None):
        msg = f"{name} and the first layer cannot be brought together: only one has a CRS, set both"
        raise CrsError(msg)
    return data if crs is None or data.crs == crs else data.to_crs(crs)


def read_layer_of(frame: gpd.GeoDataFrame, name: str, crs: CRS | None) -> Layer:
    """Read cells: rows of one code are one cell, codes are made where the column is absent.

    Raises
    ------
    InputError
        If no row is a polygon, a code is missing, or the layer spans more than 1,073 km.
    CrsError
        If the layer and the first one cannot be brought into one frame.
    """
    moved = in_frame_of(frame, crs, name)
    shapes = shapely.force_2d(moved.geometry.to_numpy())
    is_area = np.isin(shapely.get_type_id(shapes), _AREAS) & ~shapely.is_empty(shapes)
    if not is_area.any():
        msg = f"{name} has no polygon: give a layer of grid cells"
        raise InputError(msg)
    notes = []
    if not is_area.all():
        notes.append(f"{name}: {int((~is_area).sum())} rows have no polygon and hold no ground")
    shapes[~is_area] = shapely.Polygon()
    origin_mm(to_mm(np.reshape(shapely.total_bounds(shapes), (2, 2))))
    shapes = _sound(shapes, name, notes)
    codes = _codes(frame, name)
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name)).assign(code=codes)
    facts = table.drop_duplicates("code").set_index("code").sort_index()
    united = _one_per_code(shapes, facts.index.get_indexer(pd.Index(codes)))
    if len(facts) < len(frame):
        notes.append(
            f"{name}: {len(frame) - len(facts)} rows repeat a code and are parts of one cell"
        )
    return Layer(name=name, facts=facts, shapes=united, crs=crs, notes=tuple(notes))


def _codes(frame: gpd.GeoDataFrame, name: str) -> npt.NDArray[np.object_]:
    if "code" not in frame:
        width = len(str(len(frame)))
        return np.array([f"{at:0{width}d}" for at in range(1, len(frame) + 1)], dtype=object)
    codes = frame["code"]
    is_missing = codes.isna().to_numpy() | (codes.astype(str).str.strip() == "").to_numpy()
    if is_missing.any():
        rows = ", ".join(str(at + 1) for at in np.flatnonzero(is_missing)[:5])
        count = int(is_missing.sum())
        msg = f"{name} has {count} cells without a code, first rows {rows}: number them"
        raise InputError(msg)
    return codes.astype(str).to_numpy(dtype=object)


def _sound(shapes: npt.NDArray[np.object_], name: str, notes: list[str]) -> npt.NDArray[np.object_]:
    """Move polygons to the lattice; those that cross themselves are made valid, and named."""
    was_valid = shapely.is_valid(shapes)
    if not was_valid.all():
        notes.append(
            f"{name}: {int((~was_valid).sum())} cells cross themselves: the ground that their "
            "rings enclose was taken"
        )
    moved = np.asarray(shapely.transform(shapes, round_coordinates), dtype=object)
    bad = np.flatnonzero(~shapely.is_valid(moved))
    mended = shapely.make_valid(moved[bad], method="structure", keep_collapsed=False)
    for row, shape in zip(bad, mended, strict=True):
        moved[row] = as_multipolygon(shape)
    return moved


def _one_per_code(
    shapes: npt.NDArray[np.object_], group: npt.NDArray[np.intp]
) -> npt.NDArray[np.object_]:
    order = np.argsort(group, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    united = np.empty(len(rows), dtype=object)
    united[:] = [
        shapes[few[0]] if len(few) == 1 else shapely.union_all(shapes[few]) for few in rows
    ]
    return united


def read_shape(limit: Limit, crs: CRS | None) -> MultiPolygon:
    """Return a limit of any type on the lattice, in the frame of the cells.

    Raises
    ------
    InputError
        If it has no polygon.
    """
    if isinstance(limit, shapely.Geometry):
        shape = limit
    elif isinstance(limit, gpd.GeoDataFrame | gpd.GeoSeries):
        series = in_frame_of(limit.geometry, crs, "the limit")
        shape = series.iloc[0] if len(series) == 1 else series.union_all()
    else:
        series = gpd.GeoSeries([limit.limit], crs=limit.crs)
        shape = in_frame_of(series, crs, "the limit").iloc[0]
    rounded = shapely.transform(shapely.force_2d(as_multipolygon(shape)), round_coordinates)
    whole = as_multipolygon(shapely.make_valid(rounded, method="structure", keep_collapsed=False))
    if whole.is_empty:
        msg = "the limit has no polygon: give the area that the cells should cover"
        raise InputError(msg)
    return whole


def read_homes(households: gpd.GeoDataFrame | None, crs: CRS | None) -> Homes:
    """Read household points; without any, the answer is by area alone.

    Raises
    ------
    InputError
        If a row is no point, or its count is missing or below zero.
    """
    if households is None:
        return Homes(np.empty(0, dtype=object), np.zeros(0, dtype=np.int64))
    points = in_frame_of(households, crs, "the household layer").geometry.to_numpy()
    is_point = shapely.get_type_id(points) == shapely.GeometryType.POINT
    is_point &= ~shapely.is_empty(points)
    if not is_point.all():
        msg = f"{int((~is_point).sum())} households have no point: give each of them one place"
        raise InputError(msg)
    return Homes(points, household_counts(households))
