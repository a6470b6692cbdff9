"""What a household level is made of: compounds, buildings, entrances, cells of a finer level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.divide._overlap import overlaps
from geogrid.errors import CoverageError, InputError
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from geogrid.divide._homes import Homes, TextColumn
    from geogrid.model.scheme import Level

__all__ = [
    "Outlines",
    "cell_outlines",
    "missing_columns",
    "named_cells",
    "read_outlines",
    "unit_values",
]

# Which column of the households says what a unit of these names is.
_COLUMNS_OF = {
    "小区": ("compound",),
    "楼栋": ("building",),
    "单元": ("building", "entrance"),
}
_MIN_WRONG_M2 = 1.0
_KEYS = ("compound", "building", "osm_id", "code")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlines:
    """Polygons of units: ``code, name, geometry`` by the value that households name them with."""

    table: gpd.GeoDataFrame
    has_codes: bool


def read_outlines(level: Level, table: pd.DataFrame | None, homes: Homes) -> Outlines | None:
    """Read the polygons of a level that promises households.

    Raises
    ------
    InputError
        If they are no polygons, or nothing in the table says which is which.
    CoverageError
        If they overlap.
    """
    if table is None:
        return None
    wanted = [name for name in (*_columns(level)[:1], *_KEYS) if name in table]
    if not isinstance(table, gpd.GeoDataFrame) or not wanted:
        msg = f"level {level.key} needs polygons with a column code, compound or building"
        raise InputError(msg)
    key = table[wanted[0]].astype(str)
    if key.duplicated().any():
        msg = f"level {level.key} has two polygons of {key[key.duplicated()].iloc[0]}: unite them"
        raise InputError(msg)
    one, other, area = overlaps(table.geometry.to_numpy())
    if len(area) and area.max() > _MIN_WRONG_M2:
        at = int(np.argmax(area))
        msg = (
            f"{DefectKind.OVERLAP.label_zh} overlap: {key.iloc[one[at]]} and {key.iloc[other[at]]} "
            f"of level {level.key} overlap by {area[at]:.2f} m²: run geogrid check on the file"
        )
        raise CoverageError(msg)
    names = table["name"].fillna("").astype(str) if "name" in table else ""
    found = gpd.GeoDataFrame(
        {"name": names, "code": table["code"].astype(str) if "code" in table else key},
        geometry=table.geometry.to_numpy(),
        crs=table.crs,
    ).set_index(pd.Index(key, name="key"))
    if homes.crs is not None and found.crs is not None and found.crs != homes.crs:
        found = found.to_crs(homes.crs)
    return Outlines(table=found, has_codes="code" in table)


def unit_values(level: Level, homes: Homes, outlines: Outlines | None) -> TextColumn | None:
    """Return the unit that each household row names or lies in, "" for none.

    ``None`` where nothing says what the units of the level are.
    """
    names = [name for name in _columns(level) if name in homes.columns]
    if names and len(names) == len(_columns(level)):
        first = homes.columns[names[0]]
        values = first.copy()
        for name in names[1:]:
            values = np.where(values == "", "", values + "/" + homes.columns[name])
        values = np.where(first == "", "", values).astype(object)
        if outlines is None or (pd.Index(values).isin(outlines.table.index)).any():
            return values
    if outlines is None:
        return None
    values = np.full(len(homes.ids), "", dtype=object)
    points = shapely.points(homes.xy)
    point, shape = outlines.table.sindex.query(points, predicate="intersects")
    keys = outlines.table.index.to_numpy(object)
    order = np.lexsort((keys[shape].astype(str), point))[::-1]
    values[point[order]] = keys[shape[order]]
    return values


def named_cells(
    outlines: Outlines, values: TextColumn, code: TextColumn, facts: pd.DataFrame
) -> tuple[TextColumn, pd.DataFrame]:
    """Put in the names, and the codes where there are any, of cells that are one outline."""
    pairs = pd.DataFrame({"code": code, "value": values})[code != ""].drop_duplicates()
    pairs = pairs[~pairs["code"].duplicated(keep=False) & ~pairs["value"].duplicated(keep=False)]
    pairs = pairs[pairs["value"].isin(outlines.table.index)]
    known = outlines.table.loc[pairs["value"]]
    facts = facts.copy()
    has_name = (known["name"] != "").to_numpy()
    facts.loc[pairs["code"].to_numpy()[has_name], "name"] = known["name"].to_numpy()[has_name]
    if not outlines.has_codes:
        return code, facts
    new = dict(zip(pairs["code"], known["code"], strict=True))
    facts.index = pd.Index([new.get(one, one) for one in facts.index], name="code")
    return pd.Series(code).map(lambda one: new.get(one, one)).to_numpy(object), facts


def cell_outlines(outlines: Outlines, values: TextColumn, code: TextColumn) -> gpd.GeoSeries:
    """Return the outline of each cell: of all its units, empty where none has one."""
    pairs = pd.DataFrame({"code": code, "value": values})[code != ""].drop_duplicates()
    pairs["row"] = outlines.table.index.get_indexer(pd.Index(pairs["value"]))
    # A unit in two parents has its ground in the first.
    pairs = pairs.sort_values("code")
    pairs.loc[pairs["row"].duplicated(), "row"] = -1
    shapes = outlines.table.geometry.to_numpy()
    found: dict[str, shapely.Geometry] = {}
    for one, row in pairs.groupby("code")["row"]:
        mine = row[row >= 0].to_numpy()
        found[str(one)] = shapely.union_all(shapes[mine]) if len(mine) else shapely.Polygon()
        if len(mine) == 1:
            found[str(one)] = shapes[mine[0]]
    return gpd.GeoSeries(found, crs=outlines.table.crs).rename_axis("code")


def missing_columns(level: Level, homes: Homes) -> tuple[str, ...]:
    """Return the columns that would say what the units of a level are, and are not there."""
    return tuple(name for name in _columns(level) if name not in homes.columns)


def _columns(level: Level) -> tuple[str, ...]:
    found = (columns for name, columns in _COLUMNS_OF.items() if level.answers_to(name))
    return next(found, ())
