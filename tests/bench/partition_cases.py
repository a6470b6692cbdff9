"""Atom sets of a small country for the partition bench, built with geogrid itself.

``encl``: blocks; ``bldg``: building cells inside the blocks; ``bcap``: the same with at most 20
households a cell; ``vor``: 100,000 Voronoi cells with 1 to 11 households. Households are a proxy
from floor areas, not real ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.atoms import build_atoms
from geogrid.model.atoms import Atoms
from geogrid.osm import read_osm
from geogrid.planar.lattice import snap
from geogrid.planar.noding import as_multipolygon, cut_faces

if TYPE_CHECKING:
    from pathlib import Path

M2_PER_HOUSEHOLD = 130
MOST_PER_CELL = 20
VORONOI_CELLS = 100_000


def country(shared_data: Path):
    """Return the extract and the snapped limit of Liechtenstein."""
    extract = read_osm(shared_data / "osm" / "liechtenstein.osm.pbf")
    outline = extract.limits[extract.limits["name"] == "Liechtenstein"].geometry.iloc[0]
    return extract, as_multipolygon(snap(outline))


def proxy_households(buildings, limit):
    """One point a residential building with as many households as its floors would hold."""
    homes = buildings[buildings["use"] == "residential"]
    levels = pd.to_numeric(homes["levels"], errors="coerce").fillna(2).clip(1, 30)
    counts = np.rint(homes.geometry.area * levels / M2_PER_HOUSEHOLD).clip(1).astype(int)
    points = homes.geometry.representative_point()
    inside = points.intersects(limit)
    return gpd.GeoDataFrame({"households": counts[inside]}, geometry=points[inside], crs=homes.crs)


def building_cells(shared_data: Path, *, cells: bool = True):
    """Return the blocks of the country, or the cells of the buildings inside them."""
    extract, limit = country(shared_data)
    homes = proxy_households(extract.buildings, limit)
    streets = gpd.GeoSeries(extract.streets.geometry)
    if not cells:
        return build_atoms(limit, streets, households=homes, min_area_m2=0)
    return build_atoms(
        limit,
        streets,
        households=homes,
        buildings=extract.buildings,
        min_area_m2=0,
        max_households=1,
    )


def capped(atoms):
    """Return the same atoms with at most 20 households each."""
    counts = atoms.frame["households"].clip(upper=MOST_PER_CELL)
    return replace(atoms, frame=atoms.frame.assign(households=counts))


def voronoi_cells(shared_data: Path, count=VORONOI_CELLS, *, seed=1):
    """Return about ``count`` Voronoi cells clipped to the limit, 1 to 11 households each."""
    _, limit = country(shared_data)
    rng = np.random.default_rng(seed)
    shapely.prepare(limit)
    low, high = np.reshape(limit.bounds, (2, 2))
    draws = int(count * np.prod(high - low) / limit.area)
    points = np.asarray(shapely.points(rng.uniform(low, high, (draws, 2))))
    kept = shapely.multipoints(points[shapely.intersects(limit, points)])
    lines = shapely.get_parts(shapely.voronoi_polygons(kept, extend_to=limit, only_edges=True))
    faces, _ = cut_faces(limit, lines)
    table = {
        "atom_id": [f"v{number:06d}" for number in range(len(faces))],
        "households": rng.integers(1, 12, len(faces)),
    }
    return Atoms.from_frame(gpd.GeoDataFrame(table, geometry=faces))
