"""Households and stations from tables and map files.

A table of residents is personal data. Only what the counting needs is kept: the position, the
number of households, the identifier, where in which building it is, and the number of shops.
Names, phones and everything else stay in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.io._columns import (
    HOUSEHOLD_FIELDS,
    SEAT_FIELDS,
    STATION_FIELDS,
    Fields,
    match_columns,
)
from geogrid.io._dwellings import DWELLING_FIELDS, dwelling_columns, split_notes
from geogrid.io._lists import write_outside, write_rejected
from geogrid.io._points import Positions, layer_positions, table_positions
from geogrid.io._sheet import Sheet, is_table, read_sheet
from geogrid.io._words import COLUMN_OPTION
from geogrid.io.layer import read_layer
from geogrid.model.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyproj import CRS

    from geogrid.model.district import District

__all__ = [
    "HouseholdTable",
    "StationTable",
    "read_households",
    "read_seats",
    "read_stations",
    "split_households",
    "write_outside",
    "write_rejected",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class HouseholdTable:
    """Households as points.

    Attributes
    ----------
    frame
        ``households`` (int); where the file has them ``household_id, compound, building,
        entrance, floor`` (text as typed, "" for blank; a floor is a whole number in text, below
        ground negative) and ``merchants`` (int: shops); ``row`` (int: row in the sheet, where the
        header is row 1, or number of the feature), ``geometry``.
    source
        Where it came from.
    notes
        Plain sentences about what was assumed or could not be used.
    rejected
        ``row`` and ``reason`` of every row that could not be used.
    """

    frame: gpd.GeoDataFrame
    source: Source
    notes: tuple[str, ...]
    rejected: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class StationTable:
    """Service stations as points.

    Attributes
    ----------
    frame
        ``station`` (text, unique), ``name``, ``tier`` (text), ``row`` (int), ``geometry``.
    source
        Where it came from.
    notes
        Plain sentences about what was assumed or could not be used.
    rejected
        ``row`` and ``reason`` of every row that could not be used.
    """

    frame: gpd.GeoDataFrame
    source: Source
    notes: tuple[str, ...]
    rejected: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The usable rows of either kind of file, before their meaning is read."""

    texts: pd.DataFrame
    positions: Positions
    source: Source
    notes: list[str]
    headers: dict[str, str]


def read_households(
    path: str | Path,
    *,
    crs: str | int | CRS | None = None,
    datum: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> HouseholdTable:
    """Read households from a CSV or Excel table, or from points in a map file.

    Parameters
    ----------
    path
        CSV (UTF-8 or GB18030), XLSX, GeoPackage, GeoJSON, Shapefile, FlatGeobuf or KML.
    crs
        Coordinate system of ``x`` and ``y`` columns in metres.
    datum
        Datum of the coordinates: ``wgs84 cgcs2000 gcj02 bd09``. Addresses geocoded by AMap are
        ``gcj02``.
    columns
        Which column is what, where the headers do not say it:
        ``{"lon": …, "lat": …, "households": …, "household_id": …}``, or ``x`` and ``y``;
        ``compound, building, entrance, floor`` (小区, 楼栋, 单元, 楼层) say where a household is,
        ``merchants`` (商户数) how many shops there are.

    Returns
    -------
    HouseholdTable
        One household a row where no column gives a number. Rows that cannot be used are in
        ``rejected``, never silently gone. A building, entrance or floor that cannot be used
        leaves the household in the table and is told in ``notes`` with its row.

    Raises
    ------
    InputError
        If the file cannot be read, no row of it can be used, or it holds areas and no point.
    """
    rows = _read_rows(path, HOUSEHOLD_FIELDS, crs=crs, datum=datum, columns=columns)
    counts, reasons = _household_counts(rows.texts)
    rejected = _rejected(rows, reasons)
    usable = ~rows.texts["row"].isin(rejected["row"]).to_numpy()
    fields: dict[str, Any] = {"households": counts[usable].astype(np.int64)}
    if "household_id" in rows.texts:
        fields["household_id"] = rows.texts["household_id"][usable].to_numpy()
    dwellings, told = dwelling_columns(rows.texts, rows.headers)
    dwellings = {name: column[usable] for name, column in dwellings.items()}
    if "merchants" in dwellings:
        fields["merchants"] = dwellings["merchants"].astype(np.int64)
    fields |= {name: dwellings[name] for name in DWELLING_FIELDS if name in dwellings}
    frame = _frame(rows, usable, fields)
    notes = [*rows.notes, *_household_notes(rows.texts, frame), *told]
    notes += split_notes(dwellings, shapely.get_coordinates(frame.geometry.to_numpy()))
    notes += _count_notes(rows.texts, rejected)
    if "household_id" in frame:
        again = int((frame["household_id"].ne("") & frame["household_id"].duplicated()).sum())
        notes += [f"{again} rows repeat a household_id of an earlier row"] if again else []
    return HouseholdTable(
        frame=frame, source=_as(rows.source, "households"), notes=tuple(notes), rejected=rejected
    )


def read_stations(
    path: str | Path,
    *,
    crs: str | int | CRS | None = None,
    datum: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> StationTable:
    """Read service stations from a CSV or Excel table, or from points in a map file.

    Parameters
    ----------
    path, crs, datum
        As in :func:`read_households`.
    columns
        ``{"lon": …, "lat": …, "station": …, "name": …, "tier": …}``, or ``x`` and ``y``.

    Returns
    -------
    StationTable
        ``station`` is the row's number where no column gives an identifier.

    Raises
    ------
    InputError
        If the file cannot be read, no row can be used, or an identifier occurs twice.
    """
    return _places(_read_rows(path, STATION_FIELDS, crs=crs, datum=datum, columns=columns))


def read_seats(path: str | Path, *, crs: str | int | CRS | None = None) -> StationTable:
    """Read the seats of official cells: as stations, with ``parent`` where the file has it.

    Parameters
    ----------
    path, crs
        As in :func:`read_households`.

    Raises
    ------
    InputError
        As :func:`read_stations`.
    """
    return _places(_read_rows(path, SEAT_FIELDS, crs=crs, datum=None, columns=None))


def _places(rows: _Rows) -> StationTable:
    rejected = _rejected(rows, np.full(len(rows.texts), "", dtype=object))
    usable = ~rows.texts["row"].isin(rejected["row"]).to_numpy()
    kept = rows.texts[usable]
    numbers = kept["row"].astype(str)
    given = kept.get("station", numbers)
    ids = given.where(given.ne(""), numbers)
    twice = ids[ids.duplicated()]
    if len(twice):
        msg = f"station {twice.iloc[0]} occurs twice in {rows.source.name}: make them unique"
        raise InputError(msg)
    fields = {
        "station": ids.to_numpy(),
        "name": kept["name"].to_numpy() if "name" in kept else "",
        "tier": kept["tier"].to_numpy() if "tier" in kept else "",
    }
    if "parent" in kept:
        fields["parent"] = kept["parent"].to_numpy()
    return StationTable(
        frame=_frame(rows, usable, fields),
        source=_as(rows.source, "stations"),
        notes=(*rows.notes, *_count_notes(rows.texts, rejected)),
        rejected=rejected,
    )


def split_households(
    frame: gpd.GeoDataFrame, district: District
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Split households into those inside the district and those outside.

    Parameters
    ----------
    frame
        Points in any coordinate system; both answers come in the district's.
    district
        A point exactly on its limit is inside.

    Returns
    -------
    tuple of GeoDataFrame
        Inside and outside; together they are all rows.
    """
    points = frame
    if district.crs is not None and frame.crs is not None and frame.crs != district.crs:
        points = frame.to_crs(district.crs)
    shapely.prepare(district.limit)
    inside = shapely.intersects(district.limit, points.geometry.to_numpy())
    return points[inside], points[~inside]


def _read_rows(
    path: str | Path,
    fields: Fields,
    *,
    crs: str | int | CRS | None,
    datum: str | None,
    columns: Mapping[str, str] | None,
) -> _Rows:
    if not is_table(path):
        return _layer_rows(read_layer(path, datum=datum), fields, columns)
    sheet = read_sheet(path, fields, columns)
    found = match_columns(sheet.table.columns, fields, columns, sheet.name)
    values = _texts(sheet, found)
    positions = table_positions(values, sheet.name, crs=crs, datum=datum)
    source = Source(role="table", name=sheet.name, datum=datum or "")
    return _Rows(values, positions, source, [*sheet.notes, *positions.notes], found)


def _texts(sheet: Sheet, found: Mapping[str, str]) -> pd.DataFrame:
    """Keep the wanted columns only; blank rows are no rows."""
    values = pd.DataFrame({field: sheet.table[name] for field, name in found.items()})
    is_blank = (sheet.table == "").all(axis=1).to_numpy()
    return values.assign(row=sheet.rows)[~is_blank].reset_index(drop=True)


def _layer_rows(
    frame: gpd.GeoDataFrame, fields: Fields, columns: Mapping[str, str] | None
) -> _Rows:
    source = Source(**frame.attrs["source"])
    if "households" in fields:
        _require_points(frame, source.name)
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    found = match_columns(names, fields, columns, source.name)
    values = pd.DataFrame(
        {field: _plain_text(frame[name]) for field, name in found.items()}, index=frame.index
    )
    values = values.assign(row=np.arange(1, len(frame) + 1)).reset_index(drop=True)
    positions = layer_positions(frame)
    return _Rows(values, positions, source, [*frame.attrs["notes"], *positions.notes], found)


def _require_points(frame: gpd.GeoDataFrame, name: str) -> None:
    """Refuse a layer of areas alone: blocks or cells are no households."""
    kinds = set(frame.geom_type.dropna())
    if kinds & {"Polygon", "MultiPolygon"} and not kinds & {"Point", "MultiPoint"}:
        msg = (
            f"{name} holds areas and no point: give one point a household or building, "
            "in QGIS with the tool Centroids (质心)"
        )
        raise InputError(msg)


def _plain_text(column: pd.Series) -> list[str]:
    texts = []
    for value in column:
        if pd.isna(value):
            texts.append("")
        elif isinstance(value, float) and value.is_integer():
            texts.append(str(int(value)))
        else:
            texts.append(str(value).strip())
    return texts


def _household_counts(values: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers and, where a count is none, the reason."""
    reasons = np.full(len(values), "", dtype=object)
    if "households" not in values:
        return np.ones(len(values)), reasons
    texts = values["households"].str.replace(r"[\s,，]|户$", "", regex=True)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    is_count = np.isfinite(numbers) & (numbers >= 0) & (numbers == np.rint(numbers))
    reasons[~is_count] = "the number of households is not a whole number from 0"
    reasons[texts.eq("").to_numpy()] = "the number of households is blank"
    return np.where(is_count, numbers, 0.0), reasons


def _rejected(rows: _Rows, reasons: np.ndarray) -> pd.DataFrame:
    """List unusable rows with every reason, the position first."""
    both = [
        "; ".join(reason for reason in pair if reason)
        for pair in zip(rows.positions.reasons, reasons, strict=True)
    ]
    table = pd.DataFrame({"row": rows.texts["row"], "reason": pd.Series(both, dtype="str")})
    rejected = table[table["reason"].ne("")].reset_index(drop=True)
    if len(rejected) == len(table):
        first = f": row {table['row'].iloc[0]}, {table['reason'].iloc[0]}" if len(table) else ""
        msg = f"no row of {rows.source.name} can be used{first}"
        raise InputError(msg)
    return rejected


def _frame(rows: _Rows, usable: np.ndarray, fields: dict[str, Any]) -> gpd.GeoDataFrame:
    row = rows.texts["row"][usable].to_numpy(np.int64)
    geometry = rows.positions.points[usable].reset_index(drop=True)
    return gpd.GeoDataFrame({**fields, "row": row}, geometry=geometry)


def _household_notes(values: pd.DataFrame, frame: gpd.GeoDataFrame) -> list[str]:
    if "households" not in values:
        return ["no column gives the number of households: each row counts as one household"]
    if not frame["households"].any():
        return [f"every row gives 0 households: check which column has them, {COLUMN_OPTION}"]
    return []


def _count_notes(values: pd.DataFrame, rejected: pd.DataFrame) -> list[str]:
    if rejected.empty:
        return []
    first = ", ".join(str(row) for row in rejected["row"].head(5))
    return [f"{len(rejected)} of {len(values)} rows cannot be used, first ones: {first}"]


def _as(source: Source, role: str) -> Source:
    return Source(**{**source.to_dict(), "role": role})  # type: ignore[arg-type] # its own fields
