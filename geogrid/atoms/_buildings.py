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

__all__ = [
    "Ground",
    "Straddlers",
    "clusters_of",
    "crossed_by",
    "cut_report",
    "find_straddlers",
    "join_buildings",
]

Shapes = npt.NDArray[np.object_]

# Less than this on the far side is drawing error: no wall stands there.
_MIN_CUT_M2, _MIN_SHARE = 1.0, 0.01
# So is what a shorter line cuts off: at most a triangle of this base.
_MIN_CHORD_M = 1.0
# A line this near a wall runs along it.
_ALONG_M = 0.05
# Lines are drawn this wide to either side to take a building apart.
_SEAM_M = 0.001
# Walls drawn a little into each other are drawing error too.
_MIN_OVERLAP_M2 = 0.5
# Parts of one building that touch at a corner are bridged by this much to either side.
_BRIDGE_M = 0.2


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


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where faces lie.

    Attributes
    ----------
    point
        One point in each face.
    block, bundle
        The block of each face, and the bundle whose buildings stand in it, -1 for none.
    """

    point: Shapes
    block: npt.NDArray[np.int64]
    bundle: npt.NDArray[np.int64]


def join_buildings(
    regions: Regions,
    straddling: Shapes,
    block: npt.NDArray[np.int64],
    bundle: npt.NDArray[np.int64],
    ground: Ground,
) -> None:
    """Give every straddling building whole to one region.

    Parameters
    ----------
    regions
        Changed in place: faces of a cut that also follows the buildings' walls.
    straddling, block, bundle
        The buildings, the block that holds the largest share of each, and its bundle there.
    ground
        Of the faces.
    """
    face, building = shapely.STRtree(straddling).query(ground.point, predicate="intersects")
    order = np.lexsort((building, face))
    face, first = np.unique(face[order], return_index=True)
    # Walls drawn into each other share a face: it goes with one of them.
    building = building[order][first]
    is_building = np.zeros(len(ground.point), dtype=bool)
    is_building[face] = True
    order = np.argsort(building, kind="stable")
    numbers, starts = np.unique(building[order], return_index=True)
    parts = np.split(face[order], starts)[1:]
    known = ground.bundle.tolist()
    for number, members in zip(numbers.tolist(), parts, strict=True):
        mine = set(members.tolist())
        wanted = int(bundle[number])
        _join_members(regions, mine)
        for root in sorted({regions.find(member) for member in mine}):
            ranked = [
                (
                    _distance(known[one], wanted),
                    bool(ground.block[one] != block[number]),
                    bool(is_building[one]),
                    -metres,
                    one,
                )
                for one, (metres, _) in regions.borders[root].items()
                if regions.fits(root, one)
            ]
            if ranked:
                into = min(ranked)[-1]
                regions.join(root, into)
                # Ground that holds no other building is this bundle's from now on.
                known[into] = wanted if known[into] < 0 else known[into]


def _distance(theirs: int, mine: int) -> int:
    """Rank a face by its bundle: the same, none, another."""
    if theirs == mine:
        return 0
    return 1 if theirs < 0 else 2


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
    return _bridged(united)


def _bridged(buildings: Shapes) -> Shapes:
    """Widen the corners at which parts of one building touch: faces join along walls only."""
    several = np.flatnonzero(shapely.get_num_geometries(buildings) > 1)
    if not len(several):
        return buildings
    parts, whose = shapely.get_parts(buildings[several], return_index=True)
    left, right = shapely.STRtree(parts).query(parts, predicate="intersects")
    once = (left < right) & (whose[left] == whose[right])
    left, right = left[once], right[once]
    corner = shapely.intersection(parts[left], parts[right])
    bridge = shapely.buffer(corner, _BRIDGE_M, cap_style="square", join_style="mitre")
    whole = buildings.copy()
    for number in np.unique(whose[left]).tolist():
        row = several[number]
        whole[row] = shapely.union_all([buildings[row], *bridge[whose[left] == number]])
    return whole


def crossed_by(lines: Shapes, walls: Shapes) -> npt.NDArray[np.int64]:
    """Return the positions of buildings that lines cut through, not just into a corner."""
    line, wall = shapely.STRtree(walls).query(lines, predicate="intersects")
    within = shapely.buffer(walls[wall], -_ALONG_M, join_style="mitre")
    # A line along a wall, as between two houses of a row, cuts nothing off.
    chord = shapely.length(shapely.intersection(lines[line], within))
    through = np.unique(wall[chord > _MIN_CHORD_M])
    # Short lines may cut off a narrow wing, lines that meet indoors may do it together.
    unsure = ~np.isin(wall, through)
    numbers, position = np.unique(wall[unsure], return_inverse=True)
    order = np.argsort(position, kind="stable")
    parts = shapely.multilinestrings(lines[line[unsure]][order], indices=position[order])
    seam = shapely.buffer(parts, _SEAM_M, cap_style="flat", quad_segs=1)
    rest, whose = shapely.get_parts(shapely.difference(walls[numbers], seam), return_index=True)
    largest = np.zeros(len(numbers))
    np.maximum.at(largest, whose, shapely.area(rest))
    whole = shapely.area(walls[numbers])
    cut_off = whole - largest > np.maximum(_MIN_CUT_M2, _MIN_SHARE * whole)
    return np.union1d(through, numbers[cut_off]).astype(np.int64)


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
