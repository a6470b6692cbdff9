"""Lines half-way between bundles of buildings.

Points on the walls of all blocks make one Voronoi diagram, the blocks laid out so far apart that
none disturbs another. Its ridges between points of different bundles are the borders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import Delaunay

from geogrid.planar.lattice import round_coordinates

if TYPE_CHECKING:
    from geogrid.atoms._sites import Sites

__all__ = ["halving_lines", "lines_between"]

Shapes = npt.NDArray[np.object_]
Indices = npt.NDArray[np.int64]
Metres = npt.NDArray[np.float64]

# Walls are sampled as densely as the next bundle is near, within these bounds.
_SPACING_M = (2.5, 15.0)
# Walls nearer than this are drawn a little inside, so that a shared one gets the border on it.
_NEAR_M, _INSET_M = 0.8, 0.4
# Bends of a wall by less than this move no border.
_PLAIN_M = 0.5
# A zigzag of less than this is an artefact of sampling.
_SMOOTH_M = 1.0
# Blocks are laid out this many diameters apart: the sides of their hulls stay triangulated.
_APART = 4.0


def lines_between(sites: Sites, bundle: Indices, blocks: Shapes) -> Shapes:
    """Return the lines in the blocks that lie half-way between two bundles.

    Parameters
    ----------
    sites
        Buildings and household points, each in one of ``blocks``.
    bundle
        The bundle of each site.
    blocks
        Polygons in metres.

    Returns
    -------
    ndarray of LineString
        Smoothed by at most 1 m and cut off at the border of their block.
    """
    several = _has_several(sites.block, bundle, len(blocks))
    rows = np.flatnonzero(several[sites.block])
    if not len(rows):
        return np.empty(0, dtype=object)
    points, owner = _wall_points(sites, bundle, rows)
    return halving_lines(points, sites.block[owner], bundle[owner], blocks)


def halving_lines(points: Metres, block: Indices, owner: Indices, blocks: Shapes) -> Shapes:
    """Return the lines in the blocks that lie half-way between points of two owners.

    Parameters
    ----------
    points
        Places in metres, shape (n, 2), none twice in a block.
    block, owner
        Of each point.
    blocks
        Polygons in metres.
    """
    diameter = np.hypot(*(shapely.bounds(blocks)[:, 2:] - shapely.bounds(blocks)[:, :2]).T)
    ends, home = _ridges(points, block, owner, diameter)
    order = np.argsort(home, kind="stable")
    pieces = np.asarray(shapely.linestrings(ends[order]), dtype=object)
    inside, number = np.unique(home[order], return_inverse=True)
    chains = shapely.line_merge(shapely.multilinestrings(pieces, indices=number))
    lines, chain = shapely.get_parts(chains, return_index=True)
    return _clipped(shapely.simplify(lines, _SMOOTH_M), blocks[inside], chain)


def _has_several(block: Indices, bundle: Indices, count: int) -> npt.NDArray[np.bool_]:
    bundles = np.unique(np.column_stack((block, bundle)), axis=0)
    several: npt.NDArray[np.bool_] = np.bincount(bundles[:, 0], minlength=count) > 1
    return several


def _clipped(lines: Shapes, blocks: Shapes, block: Indices) -> Shapes:
    shapely.prepare(blocks)
    reaches_out = ~shapely.contains_properly(blocks[block], lines)
    # All lines of a block at once: each overlay walks round the whole block.
    order = np.argsort(block[reaches_out], kind="stable")
    some, number = np.unique(block[reaches_out][order], return_inverse=True)
    together = shapely.multilinestrings(lines[reaches_out][order], indices=number)
    parts = shapely.get_parts(shapely.get_parts(shapely.intersection(together, blocks[some])))
    # Points of contact come along with the lines.
    kept: Shapes = np.concatenate((lines[~reaches_out], parts[shapely.length(parts) > 0]))
    return kept


def _wall_points(sites: Sites, bundle: Indices, rows: Indices) -> tuple[Metres, Indices]:
    """Return points on the walls of these sites, each place once, and the site of each."""
    block, bundle = sites.block[rows], bundle[rows]
    shapes = _drawn_apart(sites.shape[rows], block, bundle)
    is_wall = shapely.get_type_id(shapes) != shapely.GeometryType.POINT
    parts, part = shapely.get_parts(shapely.simplify(shapes[is_wall], _PLAIN_M), return_index=True)
    rings, ring = shapely.get_rings(parts, return_index=True)
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(of_ring[1:] == of_ring[:-1])
    segments = np.asarray(shapely.linestrings(np.stack((xy[start], xy[start + 1]), axis=1)))
    owner = np.flatnonzero(is_wall)[part[ring[of_ring[start]]]]
    spacing = np.clip(1.5 * _space(segments, owner, shapes, block, bundle), *_SPACING_M)
    on_wall, segment = shapely.get_coordinates(
        shapely.segmentize(segments, spacing), return_index=True
    )
    # Household points beside a wall belong to it.
    points = np.concatenate((on_wall, shapely.get_coordinates(shapes[~is_wall]), sites.beside_xy))
    whose = np.concatenate((rows[owner[segment]], rows[~is_wall], sites.beside))
    keep = np.isin(whose, rows)
    points, whose = points[keep], whose[keep]
    _, first = np.unique(np.rint(points * 100) @ np.array([1, 1j]), return_index=True)
    first.sort()
    return points[first], whose[first]


def _drawn_apart(shapes: Shapes, block: Indices, bundle: Indices) -> Shapes:
    """Draw walls that all but touch another bundle a little inside."""
    near = np.unique(_pairs(shapes, np.arange(len(shapes)), shapes, block, bundle, _NEAR_M)[0])
    near = near[shapely.area(shapes[near]) > 0]
    inset = shapely.buffer(shapes[near], -_INSET_M, join_style="mitre")
    thin = shapely.is_empty(inset)
    inset[thin] = shapely.point_on_surface(shapes[near[thin]])
    apart = shapes.copy()
    apart[near] = inset
    return apart


def _space(
    pieces: Shapes, owner: Indices, shapes: Shapes, block: Indices, bundle: Indices
) -> Metres:
    """Return the metres from pieces of wall to the next bundle of their block, up to a bound."""
    reach = _SPACING_M[1] / 1.5
    piece, other = _pairs(pieces, owner, shapes, block, bundle, reach)
    space = np.full(len(pieces), reach)
    np.minimum.at(space, piece, shapely.distance(pieces[piece], shapes[other]))
    return space


def _pairs(
    pieces: Shapes, owner: Indices, shapes: Shapes, block: Indices, bundle: Indices, metres: float
) -> tuple[Indices, Indices]:
    """Return which pieces are near which shapes, of one block and of different bundles."""
    piece, other = shapely.STRtree(shapes).query(pieces, predicate="dwithin", distance=metres)
    mine = owner[piece]
    apart = (block[mine] == block[other]) & (bundle[mine] != bundle[other])
    return piece[apart], other[apart]


def _layout(xy: Metres, block: Indices, diameter: Metres) -> Metres:
    """Lay the blocks out in rows, far apart, and return each point's way back."""
    used, number = np.unique(block, return_inverse=True)
    order = np.argsort(-diameter[used], kind="stable")
    room = (1 + 2 * _APART) * np.maximum(diameter[used][order], 1.0)
    width = np.sqrt((room**2).sum())
    stop = np.cumsum(room)
    line = np.floor_divide(stop, width).astype(np.int64)
    first = np.flatnonzero(np.diff(line, prepend=-1))
    start = (stop - room)[first]
    # Rows are sorted by size: the first block of each is the highest.
    floor = np.concatenate(([0.0], np.cumsum(room[first])[:-1]))
    line = np.cumsum(np.diff(line, prepend=-1) > 0) - 1
    corner = np.empty((len(used), 2))
    corner[order] = np.column_stack((stop - room - start[line], floor[line]))
    low = np.full((len(used), 2), np.inf)
    np.minimum.at(low, number, xy)
    back: Metres = (low - corner)[number]
    return back


def _ridges(
    xy: Metres, block: Indices, bundle: Indices, diameter: Metres
) -> tuple[Metres, Indices]:
    """Return pieces half-way between two bundles of a block, shape (n, 2, 2), and their block."""
    back = _layout(xy, block, diameter)
    apart = xy - back
    low, high = apart.min(axis=0), apart.max(axis=0)
    reach = float((high - low).max()) + 10 * float(diameter.max())
    middle = (low + high) / 2
    corners = np.array([[-1.0, 0.0], [1.0, 0.01], [0.0, -1.0], [0.02, 1.0]])
    points = np.concatenate((apart - middle, reach * corners))
    mesh = Delaunay(points)
    triangles, beside = mesh.simplices.astype(np.int64), mesh.neighbors.astype(np.int64)
    none = np.full(len(corners), -1)
    block, bundle = np.concatenate((block, none)), np.concatenate((bundle, none))
    # The side across from each corner joins the two others; each side is met from one triangle.
    one, two = np.roll(triangles, -1, axis=1), np.roll(triangles, -2, axis=1)
    wanted = (block[one] == block[two]) & (block[one] >= 0) & (bundle[one] != bundle[two])
    wanted &= np.arange(len(triangles))[:, None] < beside
    here, _ = np.nonzero(wanted)
    there, one, two = beside[wanted], one[wanted], two[wanted]
    centre = _circumcentres(points, triangles)
    between = (points[one] + points[two]) / 2
    home = block[one]
    far = 2 * diameter[home][:, None]
    ends = []
    for triangle in (here, there):
        # Centres may lie beyond all bounds; the line to them is cut off outside the block.
        step = centre[triangle] - between
        length = np.maximum(np.hypot(step[:, 0], step[:, 1])[:, None], 1e-12)
        end = centre[triangle] + (middle + back[one])
        cut = ((xy[one] + xy[two]) / 2) + step * (far / length)
        ends.append(np.where(length > far, cut, end))
    # Four points on one circle have a ridge of no length: on the lattice its ends are one place or
    # a millimetre apart, but never a gap between the ridges that end there.
    pieces = round_coordinates(np.stack(ends, axis=1))
    real = (pieces[:, 0] != pieces[:, 1]).any(axis=1)
    return pieces[real], home[real]


def _circumcentres(points: Metres, triangles: Indices) -> Metres:
    start = points[triangles[:, 0]]
    (bx, by), (cx, cy) = (points[triangles[:, 1]] - start).T, (points[triangles[:, 2]] - start).T
    twice = 2 * (bx * cy - by * cx)
    twice[twice == 0] = np.finfo(float).tiny ** 0.5
    b, c = bx * bx + by * by, cx * cx + cy * cy
    centres: Metres = start + np.column_stack((cy * b - by * c, bx * c - cx * b)) / twice[:, None]
    return centres
