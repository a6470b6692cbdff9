"""A plan as the plain JSON values that its map shows; no folium, no files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.maps.coding import DECIMALS, polygon_steps, to_degrees
from geogrid.maps.colour import cell_neighbours, greedy_colours
from geogrid.maps.disclosure import SMALL, SMALLEST_SHOWN, WITHHELD, as_public, hidden_parts
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from geogrid.maps.disclosure import States
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate, CoverageReport
    from geogrid.model.scheme import HouseholdBand, Level

__all__ = [
    "band_text",
    "cell_in_band",
    "cell_tables",
    "defect_rows",
    "district_layer",
    "in_band",
    "level_layers",
    "proof_badge",
]

# A defect of these kinds lies where somebody lives, so a map names its cell and not its place.
_AT_A_HOME = frozenset({DefectKind.UNASSIGNED_HOUSEHOLD, DefectKind.DOUBLE_HOUSEHOLD})


def cell_tables(plan: GridPlan) -> dict[str, gpd.GeoDataFrame]:
    """Return the cells of every area level by key, coarse to fine, with ``public``.

    ``public`` is the number of households that may be shown: -1 for less than ten, -2 for a number
    that is withheld because a small one could be computed from it.
    """
    tables = {level.key: plan.cells(level.key) for level in plan.scheme.area_levels}
    states = hidden_parts(list(tables.values()))
    return {
        key: table.assign(public=as_public(table["households"], state))
        for (key, table), state in zip(tables.items(), states, strict=True)
    }


def level_layers(plan: GridPlan, tables: dict[str, gpd.GeoDataFrame]) -> list[dict[str, Any]]:
    """Return one layer a level, coarse to fine, each as columns of equal length."""
    return [_level_layer(plan, key, table) for key, table in tables.items()]


def _level_layer(plan: GridPlan, key: str, table: gpd.GeoDataFrame) -> dict[str, Any]:
    level = plan.scheme.level(key)
    codes, pairs = cell_neighbours(plan, key)
    colour_of = dict(zip(codes, greedy_colours(len(codes), pairs), strict=True))
    spots, room_m = label_spots(table)
    return {
        "key": key,
        "name": level.name,
        "aliases": list(level.aliases),
        "head": level.head_title,
        "band": band_text(level.band),
        "unjudged": list(level.unbalanced_kinds),
        "code": table["code"].tolist(),
        "cell": table["name"].tolist(),
        "kind": table["kind"].tolist(),
        "parent": table["parent"].tolist(),
        "households": table["public"].tolist(),
        "area": [round(value) for value in table["area_m2"]],
        "inBand": [
            cell_in_band(level, kind, public)
            for kind, public in zip(table["kind"], table["public"], strict=True)
        ],
        "colour": [colour_of[code] for code in table["code"]],
        "spot": spots,
        "room": room_m,
        "shape": polygon_steps(to_degrees(table.geometry)),
    }


def label_spots(table: gpd.GeoDataFrame) -> tuple[list[list[float]], list[float]]:
    """Return for each cell the roomiest place for a label and the metres free around it."""
    # A metre of tolerance is far less than a letter.
    spokes = [
        shapely.maximum_inscribed_circle(_largest(shape), tolerance=1.0) for shape in table.geometry
    ]
    centres = gpd.GeoSeries(shapely.get_point(spokes, 0), crs=table.crs)
    lon_lat = shapely.get_coordinates(to_degrees(centres)).round(DECIMALS)
    return lon_lat.tolist(), [round(float(value), 1) for value in shapely.length(spokes)]


def _largest(shape: shapely.Geometry) -> shapely.Polygon:
    parts = shapely.get_parts(shape)
    found: shapely.Polygon = parts[int(np.argmax(shapely.area(parts)))]
    return found


def in_band(band: HouseholdBand | None, public: int) -> int | None:
    """Tell whether a shown count is below (-1), in (0) or above (1) a band; ``None`` if unknown.

    A hidden count answers only what its cover text (fewer than ten, ten or more) tells already.
    """
    if band is None:
        return None
    lowest, highest = {
        -SMALL: (1, SMALLEST_SHOWN - 1),
        -WITHHELD: (SMALLEST_SHOWN, np.inf),
    }.get(public, (public, public))
    if band.low is not None and highest < band.low:
        return -1
    if band.high is not None and lowest > band.high:
        return 1
    return 0 if lowest in band and highest in band else None


def cell_in_band(level: Level, kind: str, public: int) -> int | None:
    """Tell where a cell of a kind stands to its level's band, as :func:`in_band`.

    ``None`` too for the kinds that no band judges; a kind that only spans parents is judged.
    """
    return None if kind in level.unbalanced_kinds else in_band(level.band, public)


def band_text(band: HouseholdBand | None) -> str:
    """Return what people read for a band."""
    if band is None or not band.ends_zh:
        return ""
    return band.ends_zh + ("（假定）" if band.is_assumption else "")


def district_layer(plan: GridPlan) -> dict[str, Any]:
    """Return the district's name and limit."""
    limit = gpd.GeoSeries([plan.atoms.limit], crs=plan.district.crs)
    degrees = to_degrees(limit)
    return {
        "name": plan.district.name,
        "code": plan.district.code,
        "area": round(float(limit.area.iloc[0])),
        "households": as_public([plan.households], _district_state(plan))[0],
        "shape": polygon_steps(degrees)[0],
        "bounds": [round(float(value), DECIMALS) for value in degrees.total_bounds],
    }


def _district_state(plan: GridPlan) -> States:
    return np.array([SMALL if 0 < plan.households < SMALLEST_SHOWN else 0], dtype=np.int8)


def defect_rows(
    report: CoverageReport | None, defects: gpd.GeoDataFrame | None
) -> list[dict[str, Any]]:
    """Return the defects of a report (or of a plan file), worst first.

    A defect where somebody lives has no place of its own: the point would be a home.
    """
    table = defects if report is None or report.defects.empty else report.defects
    if table is None or table.empty:
        return []
    places = to_degrees(table.geometry)
    small = (table["households"].fillna(0) > 0) & (table["households"].fillna(0) < SMALLEST_SHOWN)
    public = as_public(table["households"].fillna(0), small.to_numpy().astype(np.int8))
    rows = zip(
        table["kind"], table["cells"], table["area_m2"], table["width_m"], table["level"],
        public, places.bounds.round(DECIMALS).to_numpy(), polygon_steps(places), strict=True,
    )  # fmt: skip
    return [_defect(*row) for row in rows]


def _defect(
    kind: str,
    cells: Any,  # noqa: ANN401 - codes as a tuple, or joined text from a plan file
    area_m2: float,
    width_m: float,
    level: str,
    households: int,
    bounds: Any,  # noqa: ANN401 - four floats
    shape: list[Any],
) -> dict[str, Any]:
    is_home = kind in _AT_A_HOME
    codes = cells.split() if isinstance(cells, str) else [str(code) for code in cells]
    has_place = bool(np.isfinite(bounds).all()) and not is_home
    return {
        "kind": str(kind),
        "label": DefectKind(kind).label_zh,
        "cells": codes,
        "level": str(level or ""),
        "area": round(float(area_m2), 2) if np.isfinite(area_m2) else 0,
        "width": round(float(width_m), 3) if np.isfinite(width_m) else 0,
        "households": households,
        "bounds": [float(value) for value in bounds] if has_place else None,
        "shape": [] if is_home else shape,
    }


def proof_badge(
    certificate: Certificate | None, report: CoverageReport | None, *, has_defects: bool
) -> dict[str, Any]:
    """Return whether the plan is proven, in words that people read.

    Every certificate at hand must be a proof: an older one does not outweigh a check that failed,
    nor the other way round.
    """
    known = [one for one in (certificate, report.certificate if report else None) if one]
    is_proven = bool(known) and all(one.is_proof for one in known) and not has_defects
    if is_proven:
        return {"proven": True, "text": "已证明全覆盖无重叠"}
    return {"proven": False, "text": "未证明全覆盖无重叠"}
