"""One noding of several layers' borders: the faces on which no layer changes.

All rings are noded together on the millimetre lattice and polygonised once, so every face lies in
one cell of each layer (or in none), and cells put together from faces share their borders vertex
for vertex. A face belongs to the cells that hold its inner point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.errors import CoverageError
from geogrid.planar.edges import dissolve
from geogrid.planar.lattice import GRID_M, round_coordinates
from geogrid.planar.noding import as_multipolygon, line_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry import MultiPolygon

    from geogrid.planar.edges import RookPairs

__all__ = ["Overlay", "fill", "greatest_widths_m", "is_wider", "overlay", "pieces_of", "united"]

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]

# Noding moves a border by less than a lattice step, so in a face thinner than two steps the inner
# point may lie on the wrong side of a border that was there before.
_CERTAIN_M = 2 * GRID_M
# A bracket this narrow is half a percent off at its middle.
_BRACKET = 1.01
# A polygon without holes is at least twice area over perimeter wide; holes take a little off.
_SAFETY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Faces between the borders of several layers.

    Attributes
    ----------
    faces
        Polygons on the lattice, noded with each other; ground in no layer is left out.
    owner
        Shape (faces, layers): position of the layer's cell that holds the face, the lowest where
        its cells overlap, -1 where it has none.
    face, layer, cell
        Every holder, one row each: those of ``owner`` and those that overlap them.
    """

    faces: Shapes
    owner: Indices
    face: Indices
    layer: Indices
    cell: Indices

    def holders(self, layer: int) -> tuple[Indices, Indices]:
        """Return faces and the cells of one layer that hold them, overlaps included."""
        here = self.layer == layer
        return self.face[here], self.cell[here]

    def overlapped(self, layer: int) -> Indices:
        """Return the faces that more than one cell of a layer holds."""
        held = np.bincount(self.holders(layer)[0], minlength=len(self.faces))
        return np.flatnonzero(held > 1)


def overlay(layers: Sequence[Shapes]) -> Overlay:
    """Node the borders of layers together and tell which cells hold each face.

    Parameters
    ----------
    layers
        Valid polygons or multipolygons of each layer, in metres of one frame.

    Returns
    -------
    Overlay
        Holes that no cell of any layer covers are no face.

    Raises
    ------
    CoverageError
        If the faces of a layer miss its ground: a fault of the noding, never passed over.
    """
    lines = shapely.transform(line_work(np.concatenate(layers)), round_coordinates)
    noded = shapely.union_all(lines, grid_size=GRID_M)
    rings = shapely.get_parts(shapely.polygonize(shapely.get_parts([noded])))
    faces = np.asarray(shapely.transform(rings, round_coordinates), dtype=object)
    points = shapely.point_on_surface(faces)
    is_thin = 2 * shapely.area(faces) <= _CERTAIN_M * shapely.length(faces)
    owner = np.full((len(faces), len(layers)), -1, dtype=np.int64)
    rows = []
    for number, shapes in enumerate(layers):
        face, cell = shapely.STRtree(shapes).query(points, predicate="intersects")
        order = np.lexsort((cell, face))
        face, cell = face[order], cell[order]
        is_first = np.r_[True, face[1:] != face[:-1]] if len(face) else np.zeros(0, dtype=bool)
        owner[face[is_first], number] = cell[is_first]
        kept = is_first | ~is_thin[face]
        rows.append(np.column_stack((face[kept], np.full(kept.sum(), number), cell[kept])))
        _check_ground(faces, owner[:, number] >= 0, shapes)
    table = np.concatenate(rows).astype(np.int64)
    held = (owner >= 0).any(axis=1)
    renumbered = np.cumsum(held) - 1
    return Overlay(faces[held], owner[held], renumbered[table[:, 0]], table[:, 1], table[:, 2])


def _check_ground(faces: Shapes, is_held: npt.NDArray[np.bool_], shapes: Shapes) -> None:
    """Refuse faces that together exceed or miss a layer whose cells do not overlap."""
    ground = float(shapely.area(faces[is_held]).sum())
    given = float(shapely.area(shapes).sum())
    slack = 2 * GRID_M * (float(shapely.length(shapes).sum()) + 1)
    if ground <= given + slack and (
        ground >= given - slack or _union_area(shapes) <= ground + slack
    ):
        return
    msg = (
        f"the faces between the layers hold {ground:.3f} m² of a layer of {given:.3f} m²: "
        "check its cells for spikes thinner than a millimetre"
    )
    raise CoverageError(msg)


def _union_area(shapes: Shapes) -> float:
    return float(shapely.union_all(shapes).area)


def united(faces: Shapes) -> MultiPolygon:
    """Unite noded faces, keeping every border vertex."""
    if not len(faces):
        return shapely.MultiPolygon()
    return as_multipolygon(dissolve(faces, np.zeros(len(faces), dtype=np.int64))[0])


def pieces_of(pairs: RookPairs, labels: Indices) -> Indices:
    """Return the number of the connected piece of one label to which each face belongs."""
    same = labels[pairs.left] == labels[pairs.right]
    links = coo_array(
        (np.ones(same.sum(), dtype=bool), (pairs.left[same], pairs.right[same])),
        shape=(len(labels), len(labels)),
    )
    piece: Indices = connected_components(links, directed=False)[1].astype(np.int64)
    return piece


def is_wider(shapes: Shapes, width_m: float) -> npt.NDArray[np.bool_]:
    """Tell which polygons hold a circle of more than ``width_m`` across."""
    inner = shapely.buffer(shapes, -width_m / 2, join_style="mitre")
    return ~np.asarray(shapely.is_empty(inner), dtype=np.bool_)


def greatest_widths_m(shapes: Shapes) -> npt.NDArray[np.float64]:
    """Return the diameter of the largest circle inside each polygon, to half a percent.

    It is bracketed between area over perimeter and the circle of equal area, and halved by
    shrinking: no search over a raster, so a strip of ten kilometres costs no more than a square.
    """
    area, length = shapely.area(shapes), shapely.length(shapes)
    is_area = area > 0
    low = np.where(is_area, _SAFETY * 2 * area / np.where(length > 0, length, 1), 1e-9)
    high = np.where(is_area, 2 * np.sqrt(area / np.pi) * (1 + 1e-9), 1e-9)
    wide = np.flatnonzero(high > _BRACKET * low)
    while len(wide):
        middle = np.sqrt(low[wide] * high[wide])
        inner = shapely.buffer(shapes[wide], -middle / 2, join_style="mitre")
        fits = ~shapely.is_empty(inner)
        low[wide] = np.where(fits, middle, low[wide])
        high[wide] = np.where(fits, high[wide], middle)
        wide = wide[high[wide] > _BRACKET * low[wide]]
    return np.where(is_area, np.sqrt(low * high), 0.0)


def fill(
    pairs: RookPairs, labels: Indices, piece: Indices, *, among: npt.NDArray[np.bool_] | None = None
) -> Indices:
    """Give pieces without a label that of the neighbour with which they share most border.

    Parameters
    ----------
    pairs
        Neighbouring faces and their common border.
    labels
        Label of each face, -1 where it wants one.
    piece
        Pieces keep together: faces of one piece want their label together.
    among
        Which pairs count as neighbours; all of them when absent.

    Returns
    -------
    ndarray of int
        Labels; -1 is left where no neighbour has one. Ties go to the lowest label. Round by round
        from the labelled outwards, so the order of faces plays no part.
    """
    labels = labels.copy()
    use = np.ones(len(pairs.left), dtype=bool) if among is None else among
    one = np.concatenate((pairs.left[use], pairs.right[use]))
    two = np.concatenate((pairs.right[use], pairs.left[use]))
    shared = np.tile(pairs.shared_m[use], 2)
    while True:
        open_ = (labels[one] < 0) & (labels[two] >= 0)
        if not open_.any():
            return labels
        table = pd.DataFrame(
            {"piece": piece[one[open_]], "label": labels[two[open_]], "shared": shared[open_]}
        )
        sums = table.groupby(["piece", "label"])["shared"].sum().reset_index()
        # Sums of the same metres in another order differ in the last bits: no reason to prefer.
        sums["shared"] = sums["shared"].round(6)
        best = sums.sort_values(["piece", "shared", "label"], ascending=[True, False, True])
        best = best.drop_duplicates("piece")
        chosen = np.full(int(piece.max()) + 1, -1, dtype=np.int64)
        chosen[best["piece"].to_numpy()] = best["label"].to_numpy()
        labels = np.where(labels < 0, chosen[piece], labels)
