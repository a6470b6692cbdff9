"""Households in their dwellings, and merchants in their shops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import round_coordinates

if TYPE_CHECKING:
    import pandas as pd
    from pyproj import CRS

__all__ = ["LABEL", "household_table", "merchant_table"]

Indices = npt.NDArray[np.int64]

LABEL = "合成数据"
# One shop to so many metres of street front.
_FRONT_M = 7.0
_TRADES = ("餐饮", "零售", "服装", "理发", "药店", "五金", "快递", "洗衣")


def household_table(buildings: pd.DataFrame, crs: CRS, key: str) -> gpd.GeoDataFrame:
    """Return one row a household, spread over the dwellings of its building.

    Parameters
    ----------
    buildings
        One row a building with ``households`` and its dwellings.
    crs
        The metric frame.
    key
        Starts every household's made-up id.
    """
    lived = buildings["households"].to_numpy()
    row = np.repeat(np.arange(len(buildings)), lived)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(lived) - lived, lived)
    floors, per_floor, entrances = (
        buildings[name].to_numpy(np.int64)[row] for name in ("floors", "per_floor", "entrances")
    )
    dwellings = floors * per_floor * entrances
    # Empty dwellings lie between lived-in ones.
    dwelling = np.minimum((rank * dwellings) // np.maximum(lived[row], 1), dwellings - 1)
    entrance, within = np.divmod(dwelling, np.maximum(floors * per_floor, 1))
    floor, flat = np.divmod(within, np.maximum(per_floor, 1))
    deep = np.where(per_floor > 2, 2, 1)  # noqa: PLR2004 - two flats to the front, two to the back
    wide = -(-per_floor // deep)
    across = (entrance + (flat % wide + 0.5) / wide) / entrances - 0.5
    along = (flat // wide + 0.5) / deep - 0.5
    middle = buildings[["x", "y"]].to_numpy()[row]
    east = buildings[["east_x", "east_y"]].to_numpy()[row]
    north = np.column_stack([-east[:, 1], east[:, 0]])
    size = buildings[["length", "depth"]].to_numpy()[row]
    xy = middle + (across * size[:, 0])[:, None] * east + (along * size[:, 1])[:, None] * north
    count = len(row)
    width = max(len(str(count)), 6)
    return gpd.GeoDataFrame(
        {
            "household_id": [f"{key}-{number:0{width}d}" for number in range(1, count + 1)],
            "households": np.ones(count, dtype=np.int64),
            "building": buildings["osm_id"].to_numpy(object)[row],
            "entrance": entrance + 1,
            "floor": floor + 1,
            "compound": buildings["compound"].to_numpy(object)[row],
            "unit": buildings["unit"].to_numpy(object)[row],
            "is_rural": buildings["is_rural"].to_numpy(bool)[row],
            "note": LABEL,
        },
        geometry=shapely.points(round_coordinates(xy)),
        crs=crs,
    )


def merchant_table(buildings: pd.DataFrame, crs: CRS, key: str) -> gpd.GeoDataFrame:
    """Return one point a shop, along the front of the houses with shops."""
    shops = buildings[buildings["use"].eq("mixed")]
    number = np.maximum((shops["length"].to_numpy() / _FRONT_M).astype(np.int64), 1)
    row = np.repeat(np.arange(len(shops)), number)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    across = ((rank + 0.5) / number[row] - 0.5) * shops["length"].to_numpy()[row]
    east = shops[["east_x", "east_y"]].to_numpy()[row]
    north = np.column_stack([-east[:, 1], east[:, 0]])
    xy = shops[["x", "y"]].to_numpy()[row] + across[:, None] * east
    xy = xy - 0.3 * shops["depth"].to_numpy()[row][:, None] * north
    return gpd.GeoDataFrame(
        {
            "merchant_id": [f"{key}-M{number:05d}" for number in range(1, len(row) + 1)],
            "merchants": np.ones(len(row), dtype=np.int64),
            "trade": np.array(_TRADES, dtype=object)[(row * 5 + rank) % len(_TRADES)],
            "building": shops["osm_id"].to_numpy(object)[row],
            "unit": shops["unit"].to_numpy(object)[row],
            "note": LABEL,
        },
        geometry=shapely.points(round_coordinates(xy)) if len(row) else np.empty(0, dtype=object),
        crs=crs,
    )
