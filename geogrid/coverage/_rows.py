"""Rows of a defect table that do not come from left-over edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geogrid.model.report import DEFECT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from geogrid.vocabulary import DefectKind

__all__ = ["defect_rows", "joined", "points_in", "worst_first"]


def defect_rows(
    kind: DefectKind,
    cells: Sequence[tuple[str, ...]],
    shapes: npt.NDArray[np.object_],
    *,
    households: Sequence[int] | npt.NDArray[np.int64],
    level: str,
    crs: Any,  # noqa: ANN401 - whatever geopandas takes
    width_m: Sequence[float] | float = 0.0,
    severity: Sequence[str] | str = "",
) -> gpd.GeoDataFrame:
    """Return defects of one kind and level, in the columns of a report."""
    columns = {
        "kind": kind.value,
        "cells": pd.Series(list(cells), dtype=object),
        "area_m2": shapely.area(shapes),
        "width_m": width_m,
        "households": list(households),
        "severity": severity,
        "level": level,
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def joined(tables: Iterable[gpd.GeoDataFrame], crs: Any) -> gpd.GeoDataFrame:  # noqa: ANN401 - as above
    """Return the rows of all tables; empty ones would only blur the types of the columns."""
    filled = [table for table in tables if len(table)]
    if not filled:
        return gpd.GeoDataFrame(
            {name: [] for name in DEFECT_COLUMNS[:-1]}, geometry=[], crs=crs
        ).astype({"area_m2": float, "width_m": float, "households": int})
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=crs)


def worst_first(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Sort defects: people first, then ground."""
    order = ["households", "area_m2"]
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)


def points_in(
    shapes: npt.NDArray[np.object_], households: gpd.GeoDataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return pairs: number of a shape, number of a household point that it holds or touches."""
    pairs = shapely.STRtree(households.geometry.to_numpy()).query(shapes, predicate="intersects")
    return pairs[0], pairs[1]
