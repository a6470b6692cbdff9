"""Tables of a synthetic place that look like those of an OpenStreetMap extract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.model.extract import OsmExtract
from geogrid.planar.lattice import round_coordinates
from geogrid.synthetic._lines import Street
from geogrid.synthetic._names import street_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS

    from geogrid.model.source import Source
    from geogrid.synthetic._stage import Stage

__all__ = ["FIRST_ID", "extract_of", "table_of"]

Shapes = npt.NDArray[np.object_]

# Every table has its own numbers, so that no two ways share one.
FIRST_ID = {
    "streets": 1,
    "rails": 5_000_001,
    "waters": 6_000_001,
    "walls": 7_000_001,
    "buildings": 10_000_001,
}


def table_of(
    columns: Mapping[str, object], shapes: Shapes, crs: CRS, *, first: int, kind: str = "w"
) -> gpd.GeoDataFrame:
    """Return a table with ``osm_id`` (numbered from ``first``), ``columns`` and geometry."""
    ids = [f"{kind}{number}" for number in range(first, first + len(shapes))]
    return gpd.GeoDataFrame({"osm_id": ids, **columns}, geometry=shapes, crs=crs)


def extract_of(
    stage: Stage,
    source: Source,
    *,
    buildings: gpd.GeoDataFrame,
    compounds: gpd.GeoDataFrame,
    gates: gpd.GeoDataFrame,
    limits: gpd.GeoDataFrame,
    pois: gpd.GeoDataFrame,
) -> OsmExtract:
    """Put the tables of a place together."""
    crs = stage.site.crs
    columns = ["osm_id", "name", "building", "use", "levels", "geometry"]
    return OsmExtract(
        streets=_streets(stage, crs),
        rails=_rails(stage, crs),
        waters=_waters(stage, crs),
        walls=_walls(compounds, gates, crs),
        buildings=buildings[columns],
        limits=limits,
        pois=pois,
        incomplete_limits=pd.DataFrame(
            {
                "osm_id": pd.Series(dtype=str),
                "name": pd.Series(dtype=str),
                "admin_level": pd.Series(dtype="int64"),
                "missing": pd.Series(dtype="int64"),
            }
        ),
        box=shapely.box(*stage.site.district.limit.bounds),
        crs=crs,
        source=source,
    )


def _streets(stage: Stage, crs: CRS) -> gpd.GeoDataFrame:
    work, lattice = stage.site.work, stage.site.lattice
    lines = np.flatnonzero(work.kind != Street.NONE)
    drawn = work.polylines(lines)
    nodes = np.empty(len(lines), dtype=object)
    numbers = (drawn.node + 1).tolist()
    bounds = zip(drawn.start.tolist(), drawn.stop.tolist(), strict=True)
    nodes[:] = [tuple(numbers[start:stop]) for start, stop in bounds]
    is_bridge = work.is_bridge[lines]
    highway = np.array([kind.name.lower() for kind in Street], dtype=object)[work.kind[lines]]
    return table_of(
        {
            "name": _names(stage, lines, lattice.flat_edges),
            "highway": highway,
            "foot": np.ones(len(lines), dtype=bool),
            "oneway_foot": np.zeros(len(lines), dtype=bool),
            "is_tunnel": np.zeros(len(lines), dtype=bool),
            "is_bridge": is_bridge,
            "layer": is_bridge.astype(np.int64),
            "nodes": nodes,
        },
        drawn.shapes(),
        crs,
        first=FIRST_ID["streets"],
    )


def _names(stage: Stage, lines: npt.NDArray[np.int64], flat_edges: int) -> npt.NDArray[np.object_]:
    """Name arterials by their lattice line; other streets have no name."""
    column, row = stage.site.lattice.edge_place()
    names = np.full(len(lines), "", dtype=object)
    is_main = stage.site.work.kind[lines] <= Street.TERTIARY
    for is_flat, place in ((True, row), (False, column)):
        chosen = is_main & (lines < len(column)) & ((lines < flat_edges) == is_flat)
        names[chosen] = street_names(place[lines[chosen]], is_flat=is_flat)
    return names


def _strip_line(stage: Stage, edges: npt.NDArray[np.int64]) -> Shapes:
    """Return the line through the middles of a strip's crossing edges, inside the limit."""
    if len(edges) <= 1:
        return np.empty(0, dtype=object)
    lattice = stage.site.lattice
    middles = round_coordinates(lattice.xy[lattice.edge_ends[edges]].mean(axis=1))
    inside = shapely.intersection(shapely.LineString(middles), stage.site.district.limit)
    parts = shapely.get_parts(inside)
    kept: Shapes = parts[shapely.length(parts) > 1.0]
    return kept


def _rails(stage: Stage, crs: CRS) -> gpd.GeoDataFrame:
    column, row = stage.site.lattice.edge_place()
    is_steep = np.arange(len(row)) >= stage.site.lattice.flat_edges
    edges = np.flatnonzero(is_steep & (row == stage.site.lattice.rail))
    lines = _strip_line(stage, edges[np.argsort(column[edges])])
    count = len(lines)
    return table_of(
        {
            "name": ["铁路（合成）"] * count,
            "railway": ["rail"] * count,
            "service": [""] * count,
            "is_tunnel": np.zeros(count, dtype=bool),
            "is_bridge": np.zeros(count, dtype=bool),
            "layer": np.zeros(count, dtype=np.int64),
        },
        lines,
        crs,
        first=FIRST_ID["rails"],
    )


def _waters(stage: Stage, crs: CRS) -> gpd.GeoDataFrame:
    lattice, pieces = stage.site.lattice, stage.site.pieces
    column, row = lattice.edge_place()
    is_flat = np.arange(len(row)) < lattice.flat_edges
    edges = np.flatnonzero(is_flat & (column == lattice.river))
    lines = _strip_line(stage, edges[np.argsort(row[edges])])
    wet = pieces.shape[lattice.is_river_cell[pieces.cell]]
    areas = shapely.get_parts(shapely.union_all(wet)) if len(wet) else np.empty(0, dtype=object)
    shapes = np.concatenate([lines, areas])
    count = len(shapes)
    return table_of(
        {
            "name": ["河流（合成）"] * count,
            "water": ["river"] * count,
            "is_tunnel": np.zeros(count, dtype=bool),
        },
        shapes,
        crs,
        first=FIRST_ID["waters"],
    )


def _walls(compounds: gpd.GeoDataFrame, gates: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    """Walls round compounds, their gates, and the named areas inside."""
    areas = compounds.geometry.to_numpy()
    names = compounds["name"].to_numpy(object)
    return table_of(
        {
            "name": np.concatenate([np.full(len(areas), "", dtype=object), gates["name"], names]),
            "wall": ["wall"] * len(areas) + ["gate"] * len(gates) + ["compound"] * len(areas),
        },
        np.concatenate([shapely.boundary(areas), gates.geometry.to_numpy(), areas]),
        crs,
        first=FIRST_ID["walls"],
    )
