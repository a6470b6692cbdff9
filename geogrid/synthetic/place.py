"""A synthetic place: one call makes all of its tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.model.source import Source
from geogrid.planar.lattice import round_coordinates
from geogrid.synthetic._draws import Draws
from geogrid.synthetic._extract import FIRST_ID, extract_of, table_of
from geogrid.synthetic._limit import centre_of, limit_of
from geogrid.synthetic._names import compound_names
from geogrid.synthetic._official import (
    border_lines,
    divide_villages,
    group_table,
    limit_table,
    official_areas,
    official_cells,
    special_cells,
)
from geogrid.synthetic._parcels import compound_shapes
from geogrid.synthetic._people import LABEL, household_table, merchant_table
from geogrid.synthetic._spec import PlaceSpec, load_place
from geogrid.synthetic._stage import Stage, build_stage
from geogrid.synthetic._stations import station_table
from geogrid.synthetic._uses import Use

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.district import District
    from geogrid.model.extract import OsmExtract

__all__ = ["Place", "make_place"]

# Columns that only the making of other tables needs.
_INNER = ("x", "y", "east_x", "east_y", "length", "depth", "ground", "piece")
_GROUND_NAMES = {
    Use.SCHOOL: "学校",
    Use.HOSPITAL: "医院",
    Use.PARK: "公园",
    Use.MARKET: "市场",
    Use.COMMERCIAL: "商务楼",
    Use.INDUSTRIAL: "厂区",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A synthetic district; every table has a column ``note`` that says 合成数据.

    All tables are in metres of ``district.crs``.

    Attributes
    ----------
    spec, seed
        What it was made from.
    district
        Limit, CGCS2000 zone, official name and code.
    extract
        Streets, walls, waters, buildings … as from an OpenStreetMap extract.
    households
        One row a household: ``household_id, households`` (1), ``building, entrance, floor,
        compound, unit, is_rural``, a point in its building.
    buildings
        ``osm_id, building, use, levels, floors, entrances, per_floor, households, compound, unit,
        is_rural``; floors, entrances and households are 0 where nobody lives.
    compounds
        Gated compounds: ``compound, name, unit, households``.
    stations
        ``station, name, tier, services``.
    upper
        For every level of the scheme that has official cells: ``code, name, kind, parent,
        households, x, y`` (the seat) and polygons that fill the limit.
    groups
        村民小组: ``code, name, unit, households``, polygons that fill the villages.
    merchants
        Shops on ground floors.
    grounds
        Schools, hospitals, parks, markets … that can be 专属网格: ``kind, name``.
    kinds
        Cells outside the balance that the place asks for: ``kind, name``.
    borders
        Lines that official borders run along, ``kind`` as for :func:`geogrid.build_atoms`.
    counts
        Cells wanted at each level.
    source, limit_source
        Where it comes from: a generator.
    """

    spec: PlaceSpec
    seed: int
    district: District
    extract: OsmExtract
    households: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    compounds: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    upper: Mapping[str, gpd.GeoDataFrame]
    groups: gpd.GeoDataFrame
    merchants: gpd.GeoDataFrame
    grounds: gpd.GeoDataFrame
    kinds: gpd.GeoDataFrame
    borders: gpd.GeoDataFrame
    counts: Mapping[str, int]
    source: Source
    limit_source: Source


def make_place(
    spec: PlaceSpec | str,
    *,
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    seed: int = 0,
) -> Place:
    """Make a synthetic place at true size.

    Parameters
    ----------
    spec
        Its counts, or the name of a place that ships.
    limit
        The district's limit; an outline of the true area is made up where absent.
    seed
        The same seed gives the same place on every machine.

    Raises
    ------
    InfeasibleError
        If the limit has no room for what the counts ask for.
    InputError
        If the limit has no area or there is no such place.
    CrsError
        If the limit has no coordinate system.
    """
    if isinstance(spec, str):
        spec = load_place(spec)
    draws = Draws(spec.key, seed)
    district, limit_source = limit_of(spec, limit, draws)
    stage = build_stage(spec, district, centre_of(spec, district.limit), draws)
    buildings, compounds, gates = _houses(spec, stage, draws)
    households = household_table(buildings[buildings["households"] > 0], stage.site.crs, spec.key)
    group, village = divide_villages(spec, stage, buildings)
    areas = official_areas(spec, stage, group, village)
    # The stored limit has every node of the borders that reach it.
    district = replace(district, limit=areas.limit)
    upper = official_cells(spec, stage, areas, buildings)
    grounds = _grounds(spec, stage)
    stations = station_table(spec, stage, compounds, grounds, draws)
    source = Source(role="osm", name=f"{spec.title}，种子 {seed}", is_synthetic=True, note=LABEL)
    extract = extract_of(
        stage,
        source,
        buildings=buildings,
        compounds=compounds,
        gates=gates,
        limits=limit_table(stage, upper),
        pois=_pois(stage, stations, grounds),
    )
    return Place(
        spec=spec,
        seed=seed,
        district=district,
        extract=extract,
        households=households,
        buildings=buildings.drop(columns=list(_INNER)),
        compounds=compounds,
        stations=stations,
        upper={
            key: upper[rank] for rank, key in zip(("town", "unit"), spec.levels, strict=True) if key
        },
        groups=group_table(spec, stage, areas, village, group, buildings),
        merchants=merchant_table(buildings, stage.site.crs, spec.key),
        grounds=grounds,
        kinds=special_cells(spec, stage),
        borders=border_lines(stage, areas),
        counts=spec.counts,
        source=source,
        limit_source=limit_source,
    )


def _houses(
    spec: PlaceSpec, stage: Stage, draws: Draws
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return buildings with their numbers, and compounds with names and gates."""
    crs = stage.site.crs
    table = stage.buildings
    units = np.array([unit.code for unit in spec.units], dtype=object)
    unit = stage.site.regions.unit[table["piece"].to_numpy(np.int64)]
    shapes, points, owner = compound_shapes(
        stage.city.parcels, stage.city.compound, stage.city.has_north_gate
    )
    names = np.array(compound_names(len(shapes), draws.stream("compounds")), dtype=object)
    codes = np.array([f"{spec.key}-C{at:04d}" for at in range(1, len(shapes) + 1)], dtype=object)
    of_block = np.full(len(stage.blocks) + 1, "", dtype=object)
    of_block[stage.city.compound] = codes
    ground = table["ground"].to_numpy(np.int64)
    keep = [*_INNER, "households"]
    buildings = table_of(
        {
            "name": "",
            "building": table["building"].to_numpy(object),
            "use": table["use"].to_numpy(object),
            "levels": table["levels"].to_numpy(float),
            **{
                name: table[name].to_numpy(np.int64)
                for name in ("floors", "entrances", "per_floor")
            },
            **{name: table[name].to_numpy() for name in keep},
            "compound": of_block[ground],
            "unit": units[unit],
            "is_rural": stage.site.is_rural[unit],
            "note": LABEL,
        },
        table["shape"].to_numpy(object),
        crs,
        first=FIRST_ID["buildings"],
    )
    held = buildings.groupby("compound")["households"].sum()
    compounds = gpd.GeoDataFrame(
        {
            "compound": codes,
            "name": names,
            "unit": units[stage.site.regions.unit[stage.piece[stage.city.compound]]],
            "households": held.reindex(codes).fillna(0).to_numpy(np.int64),
            "note": LABEL,
        },
        geometry=shapes,
        crs=crs,
    )
    gates = gpd.GeoDataFrame({"name": names[owner]}, geometry=points, crs=crs)
    return buildings, compounds, gates


def _grounds(spec: PlaceSpec, stage: Stage) -> gpd.GeoDataFrame:
    """Public grounds, fenced in: candidates for 专属网格."""
    use = stage.city.wanted.use
    blocks = np.flatnonzero(np.isin(use, list(_GROUND_NAMES)) & stage.city.parcels.is_sound)
    corner = round_coordinates(stage.city.parcels.corner[blocks])
    middle = round_coordinates(corner.mean(axis=1))
    kinds = [Use(number) for number in use[blocks].tolist()]
    units = stage.site.regions.unit[stage.piece[blocks]]
    return gpd.GeoDataFrame(
        {
            "kind": [kind.name.lower() for kind in kinds],
            "name": [f"第{at}{_GROUND_NAMES[kind]}" for at, kind in enumerate(kinds, start=1)],
            "unit": [spec.units[at].code for at in units],
            "x": middle[:, 0],
            "y": middle[:, 1],
            "note": LABEL,
        },
        geometry=shapely.polygons(corner) if len(corner) else np.empty(0, dtype=object),
        crs=stage.site.crs,
    )


def _pois(stage: Stage, stations: gpd.GeoDataFrame, grounds: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    tags = {
        "school": "amenity=school",
        "hospital": "amenity=hospital",
        "market": "amenity=marketplace",
    }
    known = grounds[grounds["kind"].isin(list(tags))]
    points = shapely.points(known[["x", "y"]].to_numpy(float))
    shapes = np.concatenate([stations.geometry.to_numpy(), np.asarray(points, dtype=object)])
    return table_of(
        {
            "name": [*stations["name"], *known["name"]],
            "poi": ["amenity=community_centre"] * len(stations) + known["kind"].map(tags).tolist(),
        },
        shapes,
        stage.site.crs,
        kind="n",
        first=1,
    )
