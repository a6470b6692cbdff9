"""Lists of households that somebody has to look at, without names and phones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geogrid.io.files import writing

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["write_outside", "write_rejected"]


def write_outside(outside: gpd.GeoDataFrame, path: str | Path) -> Path:
    """List households outside the district in a CSV file that Excel opens.

    Parameters
    ----------
    outside
        The second answer of :func:`~geogrid.io.tables.split_households`.
    path
        The CSV file.

    Returns
    -------
    Path
        The file: ``row``, ``household_id`` (or ``building``, where only that is known),
        ``households``, ``lon`` and ``lat`` (degrees of WGS 84, blank without coordinate system),
        and nothing that names a person.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    has_building = "household_id" not in outside and "building" in outside
    key = "building" if has_building else "household_id"
    lon, lat = _degrees(outside)
    table = pd.DataFrame(
        {
            "row": outside.get("row", pd.Series(outside.index, index=outside.index)),
            key: outside.get(key, ""),
            "households": outside.get("households", 1),
            "lon": lon,
            "lat": lat,
        },
        index=outside.index,
    )
    return _write_list(table, path)


def write_rejected(rejected: pd.DataFrame, path: str | Path) -> Path:
    """List the rows that could not be used in a CSV file that Excel opens.

    Parameters
    ----------
    rejected
        That of a :class:`~geogrid.io.tables.HouseholdTable` or StationTable.
    path
        The CSV file.

    Returns
    -------
    Path
        The file: ``row, reason``, and nothing that names a person.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    return _write_list(rejected[["row", "reason"]], path)


def _write_list(table: pd.DataFrame, path: str | Path) -> Path:
    with writing(path) as draft:
        # The mark at the start (utf-8-sig) tells Excel that the text is no GBK.
        table.to_csv(draft, index=False, encoding="utf-8-sig", lineterminator="\n")
    return Path(path)


def _degrees(points: gpd.GeoDataFrame) -> tuple[list[str], list[str]]:
    """Return longitude and latitude as text with 6 decimals, about 10 cm."""
    if points.crs is None:
        return [""] * len(points), [""] * len(points)
    degrees = points.geometry.to_crs(4326)
    return [f"{x:.6f}" for x in degrees.x], [f"{y:.6f}" for y in degrees.y]
