"""Official cells, villagers' groups and special cells, as tables of polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.planar.lattice import round_coordinates
from geogrid.synthetic._areas import Areas, area_of_lines, make_areas
from geogrid.synthetic._extract import table_of
from geogrid.synthetic._grow import ways_from
from geogrid.synthetic._people import LABEL
from geogrid.synthetic._regions import make_groups, town_numbers
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from geogrid.synthetic._spec import PlaceSpec
    from geogrid.synthetic._stage import Stage

__all__ = [
    "border_lines",
    "divide_villages",
    "group_table",
    "limit_table",
    "official_areas",
    "official_cells",
    "special_cells",
]

_PIECES_OF_BORDER_CELL = 12
# A 村民小组 holds at most so many times the usual number of households.
_MOST_OF_A_GROUP = 3
# OpenStreetMap's levels of counties, towns and communities in China.
_DISTRICT, _TOWN, _UNIT = 6, 8, 10


def divide_villages(
    spec: PlaceSpec, stage: Stage, buildings: gpd.GeoDataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Divide villages into 村民小组 of about the wanted size, round where houses stand."""
    piece = buildings["piece"].to_numpy(np.int64)
    held = np.bincount(piece, buildings["households"], minlength=len(stage.site.pieces))
    of_unit = np.bincount(stage.site.regions.unit, held, minlength=len(spec.units))
    wanted = np.round(of_unit / spec.group_households).astype(np.int64)
    return make_groups(
        stage.site.pieces, stage.site.regions, stage.site.is_rural, np.flatnonzero(held > 0), wanted
    )


def official_areas(
    spec: PlaceSpec,
    stage: Stage,
    group: npt.NDArray[np.int64],
    village: npt.NDArray[np.int64],
) -> Areas:
    communities = np.flatnonzero(~stage.site.is_rural)
    number = np.full(len(spec.units), -1, dtype=np.int64)
    number[communities] = len(village) + np.arange(len(communities))
    finest = np.where(group >= 0, group, number[stage.site.regions.unit])
    _, town = town_numbers(spec)
    return make_areas(
        stage.site.lattice,
        stage.site.pieces,
        stage.site.work,
        stage.site.district.limit,
        finest,
        np.concatenate([village, communities]),
        town,
    )


def official_cells(
    spec: PlaceSpec, stage: Stage, areas: Areas, buildings: gpd.GeoDataFrame
) -> dict[str, gpd.GeoDataFrame]:
    """Return the official cells: towns, and communities and villages."""
    codes, town = town_numbers(spec)
    titles = {unit.town_code: unit.town_name for unit in spec.units}
    of_unit = buildings.groupby("unit")["households"].sum()
    held = of_unit.reindex([unit.code for unit in spec.units]).fillna(0).to_numpy(np.int64)
    units = {
        "code": [unit.code for unit in spec.units],
        "name": [unit.name for unit in spec.units],
        "kind": ["village" if unit.is_rural else "community" for unit in spec.units],
        "parent": [unit.town_code for unit in spec.units],
        "households": held,
    }
    towns = {
        "code": codes,
        "name": [titles[code] for code in codes],
        "kind": "town",
        "parent": spec.code,
        "households": np.bincount(town, held, minlength=len(codes)).astype(np.int64),
    }
    crs = stage.site.crs
    tables = {}
    for rank, values, seeds, shapes in (
        ("town", towns, stage.site.regions.town_seed, areas.town),
        ("unit", units, stage.site.regions.unit_seed, areas.unit),
    ):
        xy = round_coordinates(stage.site.pieces.xy[seeds])
        columns = {**values, "x": xy[:, 0], "y": xy[:, 1], "note": LABEL}
        tables[rank] = gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)
    return tables


def group_table(
    spec: PlaceSpec,
    stage: Stage,
    areas: Areas,
    village: npt.NDArray[np.int64],
    group: npt.NDArray[np.int64],
    buildings: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    of_piece = group[buildings["piece"].to_numpy(np.int64)]
    is_in = of_piece >= 0
    held = np.bincount(
        of_piece[is_in], buildings["households"].to_numpy()[is_in], minlength=len(village)
    )
    # In a compact village houses stand closer than pieces are fine: it has no groups to show, and
    # a list of one would forbid to divide it.
    people = np.bincount(village, weights=held, minlength=len(spec.units))
    number = np.bincount(village, minlength=len(spec.units))
    is_fine = people <= _MOST_OF_A_GROUP * spec.group_households * number
    is_fine |= spec.village_style != "compact"
    # Rows of one village follow each other, and its groups are numbered in their order.
    size = np.bincount(village, minlength=len(spec.units))
    rank = np.arange(len(village)) - (np.cumsum(size) - size)[village]
    codes = [f"{spec.units[at].code}{no + 1:03d}" for at, no in zip(village, rank, strict=True)]
    names = [
        f"{spec.units[at].name.removesuffix('村委会').removesuffix('村民委员会')}{no + 1}组"
        for at, no in zip(village, rank, strict=True)
    ]
    table = gpd.GeoDataFrame(
        {
            "code": codes,
            "name": names,
            "unit": [spec.units[at].code for at in village],
            "households": held.astype(np.int64),
            "note": LABEL,
        },
        geometry=areas.finest[: len(village)],
        crs=stage.site.crs,
    )
    return table[is_fine[village]].reset_index(drop=True)


def special_cells(spec: PlaceSpec, stage: Stage) -> gpd.GeoDataFrame:
    """Cells outside the balance, along the middles of the streets round them."""
    rows, shapes = [], []
    for number, one in enumerate(spec.specials):
        if one.use == "border":
            shape = _border_cell(spec, stage, one.towns)
        else:
            blocks = np.flatnonzero(stage.city.wanted.special == number)
            if not len(blocks):
                continue
            lines = np.unique(stage.blocks.line[blocks])
            quads = np.asarray(shapely.polygons(stage.blocks.corner[blocks]))
            shape = area_of_lines(stage.site.work.polylines(lines).shapes(), quads)
        if shape is not None:
            rows.append({"kind": one.kind, "name": one.name, "note": LABEL})
            shapes.append(shape)
    table = pd.DataFrame(rows, columns=["kind", "name", "note"])
    return gpd.GeoDataFrame(table, geometry=shapes, crs=stage.site.crs)


def _border_cell(spec: PlaceSpec, stage: Stage, names: tuple[str, ...]) -> shapely.Geometry | None:
    """Return land on both sides of the border between two towns; None where they do not meet."""
    codes, _ = town_numbers(spec)
    titles = {unit.town_code: unit.town_name for unit in spec.units}
    wanted = [at for at, code in enumerate(codes) if titles[code] in names]
    pieces, town = stage.site.pieces, stage.site.regions.town
    left, right = pieces.left, pieces.right
    able = pieces.is_full & ~stage.site.regions.is_built
    pairs = np.isin(town[left], wanted) & np.isin(town[right], wanted)
    pairs &= (town[left] != town[right]) & able[left] & able[right]
    if not pairs.any():
        return None
    one = left[pairs]
    middle = pieces.xy[one].mean(axis=0)
    start = int(one[np.argmin(((pieces.xy[one] - middle) ** 2).sum(axis=1))])
    # The nearest pieces of both towns round one on their border are connected.
    group = np.where(able & np.isin(town, wanted), 0, 1 + np.arange(len(pieces)))
    way, _ = ways_from(pieces.graph(group), np.array([start]))
    near = np.argsort(way, kind="stable")[:_PIECES_OF_BORDER_CELL]
    chosen = pieces.cell[near[np.isfinite(way[near])]]
    lines = np.unique(stage.site.lattice.cell_edges[chosen])
    corners = stage.site.lattice.xy[stage.site.lattice.cell_corners[chosen]]
    quads = np.asarray(shapely.polygons(corners))
    return area_of_lines(stage.site.work.polylines(lines).shapes(), quads)


def border_lines(stage: Stage, areas: Areas) -> gpd.GeoDataFrame:
    """Lines of official borders: between units as strong as a limit, between groups as a lane."""
    is_unit = np.isin(areas.edges, areas.unit_edges)
    kinds = np.where(is_unit, BarrierKind.LIMIT.value, BarrierKind.LANE.value)
    return gpd.GeoDataFrame(
        {"kind": kinds, "name": "", "note": LABEL},
        geometry=stage.site.work.polylines(areas.edges).shapes(),
        crs=stage.site.crs,
    )


def limit_table(stage: Stage, upper: Mapping[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    district = stage.site.district
    names = [district.name, *upper["town"]["name"], *upper["unit"]["name"]]
    levels = [_DISTRICT, *[_TOWN] * len(upper["town"]), *[_UNIT] * len(upper["unit"])]
    shapes = [district.limit, *upper["town"].geometry, *upper["unit"].geometry]
    column = np.empty(len(shapes), dtype=object)
    column[:] = shapes
    return table_of(
        {"name": names, "admin_level": levels}, column, stage.site.crs, kind="r", first=1
    )
