"""Ground between walls and streets, shared out among the compounds behind the walls.

Such a verge is one empty atom round all compounds of a block: each of them borders it and little
else, so that cells of several compounds could only be formed through it, one cell a block. Every
atom behind a wall gets the part in front of its wall instead; streets stay the border.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.atoms._buildings import crossed_by
from geogrid.atoms._cells import halving_lines
from geogrid.atoms._join import in_order
from geogrid.atoms._recut import cut_again
from geogrid.atoms._sites import first_of
from geogrid.model.atoms import barrier_strengths
from geogrid.planar.edges import RookPairs, dissolve, rook_pairs
from geogrid.planar.noding import line_work
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from geogrid.atoms._join import Joined
    from geogrid.atoms._sites import Places

__all__ = ["share_verges"]

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_WALLS = (BarrierKind.COMPOUND, BarrierKind.WALL)
# A verge has so many atoms behind its walls, and winds round them: 4 pi area by the square of its
# perimeter is 0.79 for a square campus, 0.03 to 0.2 for a strip round compounds.
_MIN_BEHIND, _MOST_COMPACT = 2, 0.2
# What lies further from every wall is a place of its own, if it is large and wide enough; the
# width is twice area by perimeter.
_DEPTH_M, _MIN_REST_M2, _MIN_REST_M = 30.0, 2000.0, 15.0
# Walls are sampled so densely.
_STEP_M = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class _Fronts:
    """Borders between verges and the atoms behind their walls.

    Attributes
    ----------
    verge, behind
        Atoms, one row a border.
    strength
        Of the barrier between them.
    ends
        Straight pieces of the borders in metres, shape (pieces, 2, 2).
    row
        The border of each piece.
    """

    verge: Indices
    behind: Indices
    strength: npt.NDArray[np.int8]
    ends: npt.NDArray[np.float64]
    row: Indices

    @classmethod
    def of(
        cls, atoms: Shapes, pairs: RookPairs, strength: npt.NDArray[np.int8], empty: Flags
    ) -> _Fronts:
        """Find the verges among the empty atoms."""
        on_wall = np.isin(strength, [kind.strength for kind in _WALLS])
        count = len(empty)
        sides = np.concatenate((pairs.left[on_wall], pairs.right[on_wall]))
        is_verge = empty & (np.bincount(sides, minlength=count) >= _MIN_BEHIND)
        compact = 4 * np.pi * shapely.area(atoms) / shapely.length(atoms) ** 2
        is_verge &= compact < _MOST_COMPACT
        fronts = np.flatnonzero(on_wall & (is_verge[pairs.left] != is_verge[pairs.right]))
        number = np.full(len(pairs.left), -1, dtype=np.int64)
        number[fronts] = np.arange(len(fronts))
        left_is = is_verge[pairs.left[fronts]]
        verge = np.where(left_is, pairs.left[fronts], pairs.right[fronts])
        other = np.where(left_is, pairs.right[fronts], pairs.left[fronts])
        row = number[pairs.edge_pair]
        return cls(verge, other, strength[fronts], pairs.edge_xy[row >= 0], row[row >= 0])


def share_verges(joined: Joined, places: Places, walls: Shapes) -> Joined:
    """Give the ground in front of walls to the atoms behind them.

    Parameters
    ----------
    joined
        Faces and their atoms.
    places
        Where households are: a verge has none, so nothing is shared out where none are known.
    walls
        Buildings that no border should cut.
    """
    is_wall = joined.lines["kind"].isin([kind.value for kind in _WALLS])
    if not is_wall.any() or not places.households.any():
        return joined
    atoms = dissolve(joined.faces, joined.labels)
    pairs = rook_pairs(atoms)
    strength = barrier_strengths(pairs, joined.lines)
    fronts = _Fronts.of(atoms, pairs, strength, places.per_shape(atoms) == 0)
    lines, apart = _lines_before(fronts, atoms)
    if not len(lines):
        return joined
    # Parts of a building that stand apart need not stand before the same wall.
    crossed = shapely.get_parts(walls[crossed_by(lines, walls)])
    faces, noded = cut_again(joined.noded, atoms, np.concatenate((lines, line_work(crossed))))
    faces = in_order(faces)
    point = shapely.point_on_surface(faces)
    was = first_of(point, atoms)
    house = first_of(point, crossed)
    is_apart = (first_of(point, apart) >= 0) & (house < 0)
    labels = _owners(faces, np.where(is_apart, -1, was), house, fronts)
    # Open ground keeps to itself, each piece of it.
    labels = np.where(labels < 0, len(atoms) + np.arange(len(faces)), labels)
    shared = _shared_lines(faces, was, labels, fronts, _strengths(pairs, strength))
    shared.crs = joined.lines.crs
    tables: list[pd.DataFrame] = [joined.lines, shared]
    lines_too = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=joined.lines.crs)
    numbers = np.unique(labels, return_inverse=True)[1]
    return replace(joined, faces=faces, labels=numbers, noded=noded, lines=lines_too)


def _strengths(pairs: RookPairs, strength: npt.NDArray[np.int8]) -> dict[tuple[int, int], int]:
    both = zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)
    return dict(zip(both, strength.tolist(), strict=True))


def _lines_before(fronts: _Fronts, atoms: Shapes) -> tuple[Shapes, Shapes]:
    """Draw the lines half-way between the walls of two atoms, and round what stays apart."""
    none = np.empty(0, dtype=object)
    if not len(fronts.verge):
        return none, none
    steps = shapely.segmentize(shapely.linestrings(fronts.ends), _STEP_M)
    xy, piece = shapely.get_coordinates(steps, return_index=True)
    same = np.flatnonzero(piece[1:] == piece[:-1])
    # Middles: at its ends a wall meets the next one.
    middle = (xy[same] + xy[same + 1]) / 2
    row = fronts.row[piece[same]]
    verges, block = np.unique(fronts.verge[row], return_inverse=True)
    zones, apart = _zones(fronts, atoms[verges], verges)
    between = halving_lines(middle, block, fronts.behind[row], zones)
    return np.concatenate((between, line_work(apart))), apart


def _zones(fronts: _Fronts, shapes: Shapes, verges: Indices) -> tuple[Shapes, Shapes]:
    """Return the parts of verges near walls, and the open ground that stays apart."""
    place = np.searchsorted(verges, fronts.verge[fronts.row])
    order = np.argsort(place, kind="stable")
    pieces = np.asarray(shapely.linestrings(fronts.ends[order]), dtype=object)
    walls = shapely.multilinestrings(pieces, indices=place[order])
    near = shapely.buffer(shapely.line_merge(walls), _DEPTH_M, join_style="mitre", cap_style="flat")
    rest, whose = shapely.get_parts(shapely.difference(shapes, near), return_index=True)
    area, perimeter = shapely.area(rest), shapely.length(rest)
    is_place = (area > _MIN_REST_M2) & (2 * area > _MIN_REST_M * perimeter)
    rest, whose = rest[is_place], whose[is_place]
    zones = shapes.copy()
    for row in np.unique(whose).tolist():
        zones[row] = shapely.difference(shapes[row], shapely.multipolygons(rest[whose == row]))
    return zones, rest


def _owners(faces: Shapes, was: Indices, house: Indices, fronts: _Fronts) -> Indices:
    """Return the atom of every face: its own, or for parts of a verge the one they lie before."""
    pairs = rook_pairs(faces)
    one = np.concatenate((pairs.left, pairs.right))
    other = np.concatenate((pairs.right, pairs.left))
    metres = np.tile(pairs.shared_m, 2)
    is_open = np.isin(was, fronts.verge)
    labels = np.where(is_open, -1, was)
    count = int(was.max(initial=0)) + 1
    behind = np.isin(was[one] * count + was[other], fronts.verge * count + fronts.behind)
    behind &= is_open[one]
    # First what touches the wall, then what only touches such ground; a house as a whole.
    unit = np.where(is_open & (house >= 0), len(faces) + house, np.arange(len(faces)))
    while True:
        can = (labels[one] < 0) & (labels[other] >= 0)
        can &= behind | (was[one] == was[other])
        if not can.any():
            break
        best = can & behind if (can & behind).any() else can
        table = pd.DataFrame(
            {"unit": unit[one[best]], "into": labels[other[best]], "m": metres[best]}
        )
        total = table.groupby(["unit", "into"], sort=True)["m"].sum().reset_index()
        first = total.sort_values(["unit", "m", "into"], ascending=[True, False, True])
        chosen = first.drop_duplicates("unit").set_index("unit")["into"]
        wanted = pd.Series(unit).map(chosen).fillna(-1).to_numpy(np.int64)
        labels = np.where(labels < 0, wanted, labels)
    return np.where(labels < 0, was, labels)


def _shared_lines(
    faces: Shapes, was: Indices, labels: Indices, fronts: _Fronts, known: dict[tuple[int, int], int]
) -> gpd.GeoDataFrame:
    """Return the new borders: as strong as what else lies between the two atoms."""
    pairs = rook_pairs(faces)
    new = (was[pairs.left] == was[pairs.right]) & (labels[pairs.left] != labels[pairs.right])
    at_front = zip(fronts.verge.tolist(), fronts.behind.tolist(), strict=True)
    of_front = dict(zip(at_front, fronts.strength.tolist(), strict=True))
    kinds = {kind.strength: kind.value for kind in BarrierKind}
    cell = BarrierKind.CELL.strength
    kind = np.full(len(pairs.left), "", dtype=object)
    for row in np.flatnonzero(new).tolist():
        verge = int(was[pairs.left[row]])
        one, other = sorted((int(labels[pairs.left[row]]), int(labels[pairs.right[row]])))
        walls = [of_front.get((verge, atom), cell) for atom in (one, other)]
        kind[row] = kinds[known.get((one, other), min(walls)) or cell]
    edge = np.flatnonzero(new[pairs.edge_pair])
    return gpd.GeoDataFrame(
        {"kind": kind[pairs.edge_pair[edge]], "name": ""},
        geometry=shapely.linestrings(pairs.edge_xy[edge]),
    )
