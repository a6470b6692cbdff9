"""Buildings that a border would cut, and the border round them instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from geogrid.atoms._merge import Regions

__all__ = ["Straddlers", "clusters_of", "cut_report", "find_straddlers", "join_buildings"]

Shapes = npt.NDArray[np.object_]

# Less than this on the far side is drawing error: no wall stands there.
_MIN_CUT_M2, _MIN_SHARE = 1.0, 0.01
# Walls drawn a little into each other are drawing error too.
_MIN_OVERLAP_M2 = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Straddlers:
    """Buildings on a border.

    Attributes
    ----------
    row
        Their positions among the buildings.
    home
        The face that holds the largest share of each, -1 when that lies outside the limit.
    beyond
        The share of each outside the limit.
    """

    row: npt.NDArray[np.int64]
    home: npt.NDArray[np.int64]
    beyond: npt.NDArray[np.float64]


def find_straddlers(buildings: Shapes, faces: Shapes) -> Straddlers:
    """Find the buildings that lie in several faces, or partly outside all of them."""
    tree = shapely.STRtree(faces)
    inside = np.zeros(len(buildings), dtype=bool)
    contained, _ = tree.query(buildings, predicate="within")
    inside[contained] = True
    open_rows = np.flatnonzero(~inside)
    building, face = tree.query(buildings[open_rows], predicate="intersects")
    building = open_rows[building]
    share = shapely.area(shapely.intersection(buildings[building], faces[face]))
    table = pd.DataFrame({"building": building, "face": face, "share": share})
    table = table[table["share"] > 0].sort_values(
        ["building", "share", "face"], ascending=[True, False, True]
    )
    grouped = table.groupby("building")
    best = grouped.first()
    size = shapely.area(buildings[best.index])
    held = grouped["share"].sum().to_numpy()
    least = np.maximum(_MIN_CUT_M2, _MIN_SHARE * size)
    is_cut = held - best["share"].to_numpy() > least
    is_beyond = size - held > least
    wanted = is_cut | is_beyond
    return Straddlers(
        best.index.to_numpy(np.int64)[wanted],
        best["face"].to_numpy(np.int64)[wanted],
        np.where(is_beyond, 1 - held / size, 0.0)[wanted],
    )


def join_buildings(
    regions: Regions,
    straddling: Shapes,
    homes: npt.NDArray[np.int64],
    faces: Shapes,
    face_home: npt.NDArray[np.int64],
) -> None:
    """Give every straddling building whole to one region.

    Parameters
    ----------
    regions
        Changed in place.
    straddling, homes
        The buildings, and the face of the first cut that holds the largest share of each.
    faces
        The faces of the cut that also follows the buildings' walls.
    face_home
        For each of these, the face of the first cut that it lies in.
    """
    points = shapely.point_on_surface(faces)
    face, building = shapely.STRtree(straddling).query(points, predicate="intersects")
    is_ground = np.ones(len(faces), dtype=bool)
    is_ground[face] = False
    for number in range(len(straddling)):
        members = set(face[building == number].tolist())
        _join_members(regions, members)
        for root in sorted({regions.find(member) for member in members}):
            into = _home_of(regions, root, is_ground, face_home == homes[number])
            if into is not None:
                regions.join(root, into)


def _home_of(
    regions: Regions,
    root: int,
    is_ground: npt.NDArray[np.bool_],
    is_home: npt.NDArray[np.bool_],
) -> int | None:
    """Return the neighbour to give a building to: at home, else any ground, over most metres."""
    sides = regions.borders[root]
    if not sides:
        return None
    return min(sides, key=lambda one: (not is_home[one], not is_ground[one], -sides[one][0], one))


def _join_members(regions: Regions, members: set[int]) -> None:
    """Join the faces of one building that border each other."""
    roots = {regions.find(member) for member in members}
    waiting = sorted(roots)
    while waiting:
        root = regions.find(waiting.pop())
        near = {regions.find(other) for other in regions.borders[root]} & roots
        for other in sorted(near - {root}):
            regions.join(other, root)
            roots.discard(other)
            waiting.append(root)


def clusters_of(buildings: Shapes) -> Shapes:
    """Unite buildings that are drawn over each other: no border can keep both whole alone."""
    left, right = shapely.STRtree(buildings).query(buildings, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    common = shapely.area(shapely.intersection(buildings[left], buildings[right]))
    left, right = left[common > _MIN_OVERLAP_M2], right[common > _MIN_OVERLAP_M2]
    count = len(buildings)
    links = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    _, labels = connected_components(links, directed=False)
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    united = np.empty(labels.max(initial=-1) + 1, dtype=object)
    united[:] = [
        buildings[rows[0]] if len(rows) == 1 else shapely.union_all(buildings[rows])
        for rows in np.split(order, cuts)
        if len(rows)
    ]
    return united


def cut_report(buildings: Shapes, names: npt.NDArray[np.object_], atoms: Shapes) -> pd.DataFrame:
    """List the buildings that a border still cuts: ``building, reason, share``.

    ``share`` is the part outside the atom that holds most of the building.
    """
    still = find_straddlers(buildings, atoms)
    if not len(still.row):
        return pd.DataFrame({"building": [], "reason": [], "share": []})
    home = shapely.area(shapely.intersection(buildings[still.row], atoms[still.home]))
    return pd.DataFrame(
        {
            "building": names[still.row],
            "reason": np.where(still.beyond > 0, "the limit cuts it", "a border cuts it"),
            "share": 1 - home / shapely.area(buildings[still.row]),
        }
    )
