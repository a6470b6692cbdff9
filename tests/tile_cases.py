"""Coverages with wound borders, and tiles read back by another library."""

from __future__ import annotations

import gzip
import math
from collections import Counter
from itertools import pairwise

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import shapely
from hypothesis import strategies as st
from shapely.geometry import shape

from geogrid.planar.edges import dissolve
from geogrid.tiles import cell_source

CRS_NO = 4547
X0, Y0 = 430_000, 3_110_000
EXTENT, BUFFER = 4096, 64


def wound_lattice(side, *, step_m=196.0, pieces=7, seed=1, wander=0.03, swing=0.2):
    """Return cells of about ``step_m``, each border ``pieces`` edges long and shared exactly."""
    rng = np.random.default_rng(seed)
    count = side + 1
    column, row = np.meshgrid(np.arange(count), np.arange(count))
    corner = np.stack([column, row], -1) + rng.uniform(-swing, swing, (count, count, 2))
    share = np.linspace(0, 1, pieces + 1)[:-1, None]

    def border(one, other):
        points = one[..., None, :] + (other - one)[..., None, :] * share
        points[..., 1:, :] += rng.normal(0, wander, points[..., 1:, :].shape)
        return points

    def back(points, stop):
        return np.concatenate([stop[..., None, :], points[..., :0:-1, :]], axis=-2)

    flat, steep = border(corner[:, :-1], corner[:, 1:]), border(corner[:-1], corner[1:])
    rings = np.concatenate(
        [
            flat[:-1],
            steep[:, 1:],
            back(flat[1:], corner[1:, 1:]),
            back(steep[:, :-1], corner[1:, :-1]),
        ],
        axis=-2,
    )
    rings = np.concatenate([rings, rings[..., :1, :]], axis=-2).reshape(-1, 4 * pieces + 1, 2)
    return shapely.polygons(np.round(rings * step_m + [X0, Y0], 3))


def cell_table(shapes, codes=None):
    """Return a public table of cells."""
    count = len(shapes)
    codes = [f"430181{at:06d}" for at in range(count)] if codes is None else codes
    public = [(-1, -2, 35, 120)[int(code) % 4] for code in codes]
    return gpd.GeoDataFrame(
        {
            "code": codes,
            "name": [f"第{code}号微网格" for code in codes],
            "kind": "普通",
            "parent": "430181",
            "public": public,
            "band": [(None, 0, -1, 1)[int(code) % 4] for code in codes],
        },
        geometry=list(shapes),
        crs=CRS_NO,
    )


@st.composite
def coverages(draw, most=6):
    """Wound cells, some of them united: holes, islands, several parts, contacts at a corner."""
    side = draw(st.integers(1, most))
    cells = wound_lattice(
        side,
        step_m=draw(st.sampled_from([12.0, 60.0, 196.0, 700.0])),
        pieces=draw(st.integers(1, 5)),
        seed=draw(st.integers(0, 10_000)),
        wander=draw(st.sampled_from([0.0, 0.02])),
    )
    labels = draw(st.lists(st.integers(0, side * side), min_size=side**2, max_size=side**2))
    # A wander can make a border cross another one: such a draw is no coverage.
    if not shapely.is_valid(cells).all():
        cells = wound_lattice(side, pieces=1, wander=0.0)
    _, groups = np.unique(np.array(labels), return_inverse=True)
    return cells, groups.astype(np.int64)


def source_of(coverage, zoom, **more):
    cells, groups = coverage
    return cell_source("wei", cell_table(dissolve(cells, groups), **more), zooms=(zoom, zoom))


def tiles_of(source, zoom):
    """Yield the columns and rows of all tiles that a source can fill."""
    boxes = source.shapes(zoom).boxes
    low = (boxes[:, :2].min(axis=0) - BUFFER) // EXTENT
    high = (boxes[:, 2:].max(axis=0) + BUFFER) // EXTENT
    for x in range(low[0], high[0] + 1):
        for y in range(low[1], high[1] + 1):
            yield x, y


def read(tile, layer="wei"):
    """Return the features of a layer as decoded by mapbox-vector-tile, y pointing down."""
    if not tile:
        return []
    raw = gzip.decompress(tile) if tile[:2] == b"\x1f\x8b" else tile
    found = mapbox_vector_tile.decode(raw, default_options={"y_coord_down": True})
    return found[layer]["features"] if layer in found else []


def shapes_in(features):
    return np.array([shape(one["geometry"]) for one in features], dtype=object)


def loose_edges(shapes):
    """Return the edges that no other shape walks the other way, but for the tile's cut edge."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    edges = Counter()
    for ring in shapely.get_rings(parts):
        points = [tuple(point) for point in shapely.get_coordinates(ring).astype(int).tolist()]
        edges.update(pairwise(points))
    left = {edge: n - edges[edge[::-1]] for edge, n in edges.items() if n > edges[edge[::-1]]}
    assert all(n == 1 for n in left.values()), left
    low, high = -BUFFER, EXTENT + BUFFER
    return [
        (one, other)
        for one, other in left
        if not any(one[axis] == other[axis] and one[axis] in (low, high) for axis in (0, 1))
    ]


def as_units(shapes, zoom, crs=CRS_NO):
    """Return shapes in units of a zoom, counted as tiles do, in full detail."""
    half = 20037508.342789244
    size = 2.0**zoom * EXTENT / (2 * half)
    projected = gpd.GeoSeries(list(shapes), crs=crs).to_crs(3857).to_numpy()
    return shapely.transform(projected, lambda xy: (xy * [1, -1] + half) * size)


def tile_at(lon, lat, zoom):
    """Return column and row of the tile that a place lies in."""
    across = (lon + 180) / 360
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int(across * 2**zoom), int(down * 2**zoom)
