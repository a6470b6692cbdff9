"""Atoms as arrays, measured once for all levels of a quality report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.model.quality import Borders
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from geogrid.model.atoms import Atoms

__all__ = ["Compounds", "Footprints", "Ground", "compounds_of", "footprints_of", "ground_of"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# Noding moves a border by less than a millimetre at each end.
_ON_LINE_M = 0.003
# Lines that no one sees on the ground name a border only where no other line does.
_UNSEEN = (BarrierKind.CELL, BarrierKind.LIMIT)
_ORDER = (*_UNSEEN, *(kind for kind in reversed(BarrierKind) if kind not in _UNSEEN))
# Less than this on the far side is drawing error: no wall stands there.
_MIN_CUT_M2, _MIN_SHARE = 1.0, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What the atoms measure.

    Attributes
    ----------
    area_m2, border_m
        Of each atom.
    left, right, shared_m
        Neighbours and their common border.
    piece_pair, piece_m, piece_line
        For every piece of common border that some level uses: the row of its pair, its length,
        and the rank of the strongest line that it lies on, 0 for none.
    has_lines
        Whether the lines that borders may follow are known.
    """

    area_m2: FloatArray
    border_m: FloatArray
    left: IntArray
    right: IntArray
    shared_m: FloatArray
    piece_pair: IntArray
    piece_m: FloatArray
    piece_line: npt.NDArray[np.int8]
    has_lines: bool

    def pieces_of(self, cell: IntArray) -> IntArray:
        """Return the number of connected pieces of each cell 0 … n-1."""
        same = cell[self.left] == cell[self.right]
        ends = (self.left[same], self.right[same])
        size = len(cell)
        matrix = coo_array((np.ones(int(same.sum()), dtype=np.int8), ends), shape=(size, size))
        _, component = connected_components(matrix, directed=False)
        _, first = np.unique(component, return_index=True)
        return np.bincount(cell[first], minlength=int(cell.max()) + 1)

    def compactness_of(self, cell: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return area in m² and 4πA/P² of each cell, without dissolving anything."""
        count = int(cell.max()) + 1
        area = np.bincount(cell, weights=self.area_m2, minlength=count).astype(np.float64)
        border = np.bincount(cell, weights=self.border_m, minlength=count)
        same = cell[self.left] == cell[self.right]
        border -= 2 * np.bincount(cell[self.left[same]], self.shared_m[same], minlength=count)
        return area, 4 * np.pi * area / border**2

    def borders_of(self, cell: IntArray) -> Borders:
        """Return what the borders between cells run along."""
        pair = self.piece_pair
        between = cell[self.left[pair]] != cell[self.right[pair]]
        line, metres = self.piece_line[between], self.piece_m[between]
        on_line = np.bincount(line, weights=metres, minlength=len(_ORDER) + 1).tolist()
        return Borders(
            length_m=float(metres.sum()),
            on_kind_m={
                kind.value: on_line[rank]
                for rank, kind in reversed(list(enumerate(_ORDER, start=1)))
                if on_line[rank] > 0
            },
        )


def ground_of(atoms: Atoms, cells: list[IntArray], barriers: gpd.GeoDataFrame | None) -> Ground:
    """Measure atoms for levels of which ``cells`` says which atom is in which cell."""
    shapes = atoms.frame.geometry.to_numpy()
    pairs = atoms.pairs
    used = np.zeros(len(pairs.left), dtype=bool)
    for cell in cells:
        used |= cell[pairs.left] != cell[pairs.right]
    piece = np.flatnonzero(used[pairs.edge_pair])
    ends = pairs.edge_xy[piece]
    return Ground(
        area_m2=shapely.area(shapes),
        border_m=shapely.length(shapes),
        left=pairs.left,
        right=pairs.right,
        shared_m=pairs.shared_m,
        piece_pair=pairs.edge_pair[piece],
        piece_m=np.hypot(*(ends[:, 1] - ends[:, 0]).T),
        piece_line=_strongest(ends.mean(axis=1), barriers),
        has_lines=barriers is not None and not barriers.empty,
    )


def _strongest(middles: FloatArray, barriers: gpd.GeoDataFrame | None) -> npt.NDArray[np.int8]:
    """Return the rank of the strongest line at each place, 0 where there is none."""
    found = np.zeros(len(middles), dtype=np.int8)
    if barriers is None or barriers.empty or not len(middles):
        return found
    of_kind = {kind.value: rank for rank, kind in enumerate(_ORDER, start=1)}
    known = barriers["kind"].map(of_kind).fillna(0).to_numpy(np.int8)
    segments, line = _segments(barriers.geometry.to_numpy())
    # Short segments have small boxes: a long winding river is near everything else.
    piece, segment = shapely.STRtree(segments).query(
        shapely.points(middles), predicate="dwithin", distance=_ON_LINE_M
    )
    np.maximum.at(found, piece, known[line[segment]])
    return found


def _segments(lines: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], IntArray]:
    """Return the straight segments of lines (of areas: their outlines) and whose each is."""
    is_area = shapely.get_dimensions(lines) == 2  # noqa: PLR2004 - an area
    lines = np.where(is_area, shapely.boundary(lines), lines)
    parts, owner = shapely.get_parts(lines, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    start = np.flatnonzero(part[1:] == part[:-1])
    ends = np.stack((xy[start], xy[start + 1]), axis=1)
    segments = np.asarray(shapely.linestrings(ends), dtype=object)
    return segments, owner[part[start]].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Footprints:
    """Parts of buildings on atoms: those buildings only that lie on several.

    Attributes
    ----------
    building, atom, area_m2
        One row a part.
    size_m2
        Of the whole building, one row a part.
    """

    building: IntArray
    atom: IntArray
    area_m2: FloatArray
    size_m2: FloatArray

    def cut_by(self, cell: IntArray) -> int:
        """Return how many buildings stand in several cells with more than drawing error."""
        table = pd.DataFrame(
            {
                "building": self.building,
                "cell": cell[self.atom],
                "area": self.area_m2,
                "size": self.size_m2,
            }
        )
        parts = table.groupby(["building", "cell"]).agg(area=("area", "sum"), size=("size", "max"))
        whole = parts.groupby("building").agg(
            held=("area", "sum"), best=("area", "max"), size=("size", "max")
        )
        least = np.maximum(_MIN_CUT_M2, _MIN_SHARE * whole["size"])
        return int((whole["held"] - whole["best"] > least).sum())


def footprints_of(atoms: Atoms, buildings: gpd.GeoDataFrame) -> Footprints:
    """Find the buildings that lie on several atoms, and how much of each lies on which."""
    shapes = buildings.geometry.to_numpy()
    bad = ~shapely.is_valid(shapes)
    if bad.any():
        shapes = shapes.copy()
        shapes[bad] = shapely.make_valid(shapes[bad])
    tree = shapely.STRtree(atoms.frame.geometry.to_numpy())
    building, atom = tree.query(shapes, predicate="intersects")
    several = np.bincount(building, minlength=len(shapes))[building] > 1
    building, atom = building[several], atom[several]
    faces = atoms.frame.geometry.to_numpy()[atom]
    common = shapely.area(shapely.intersection(shapes[building], faces))
    return Footprints(building, atom, common, shapely.area(shapes[building]))


@dataclass(frozen=True, slots=True, eq=False)
class Compounds:
    """Buildings (or homes) inside compounds.

    Attributes
    ----------
    names
        Of the compounds.
    compound, atom
        Of each building in one: row of the compound and of the atom under the building.
    standing
        How many buildings stand on each atom, in a compound or not.
    """

    names: npt.NDArray[np.object_]
    compound: IntArray
    atom: IntArray
    standing: IntArray

    def cut_by(self, cell: IntArray, codes: npt.NDArray[np.object_]) -> pd.DataFrame:
        """List the compounds with buildings in several cells."""
        pair, count = np.unique(
            np.column_stack((self.compound, cell[self.atom])), axis=0, return_counts=True
        )
        of_cell = np.bincount(cell, weights=self.standing)
        table = pd.DataFrame(
            {
                "row": pair[:, 0],
                "code": codes[pair[:, 1]],
                "count": count,
                "is_all": of_cell[pair[:, 1]] == count,
            }
        ).sort_values(["row", "count", "code"], ascending=[True, False, True])
        rows = table.groupby("row").agg(
            cells=("code", tuple),
            buildings=("count", "sum"),
            most=("count", "max"),
            is_inner=("is_all", "all"),
        )
        rows = rows[rows["cells"].map(len) > 1]
        return pd.DataFrame(
            {
                "compound": self.names[rows.index.to_numpy(np.int64)],
                "cells": rows["cells"].to_numpy(),
                "buildings": rows["buildings"].to_numpy(np.int64),
                "apart": (rows["buildings"] - rows["most"]).to_numpy(np.int64),
                "is_inner": rows["is_inner"].to_numpy(bool),
            }
        )


def compounds_of(
    atoms: Atoms, compounds: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame
) -> Compounds:
    """Find which building stands in which compound; one in two compounds counts for both."""
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    under = atoms.locate(gpd.GeoSeries(points))
    points, under = points[under >= 0], under[under >= 0]
    shapes = compounds.geometry.to_numpy()
    point, compound = shapely.STRtree(shapes).query(points, predicate="intersects")
    standing = np.bincount(under, minlength=len(atoms.frame))
    return Compounds(_names_of(compounds), compound, under[point], standing)


def _names_of(compounds: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Name compounds as people do, by their number where they have no name."""
    names = np.array([f"#{row + 1}" for row in range(len(compounds))], dtype=object)
    for column in ("osm_id", "compound", "name"):
        if column in compounds:
            texts = compounds[column].fillna("").astype(str).to_numpy(object)
            names = np.where(texts != "", texts, names)
    return names
