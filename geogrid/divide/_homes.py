"""Household rows as arrays, in the order of their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import household_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from pyproj import CRS

    from geogrid.divide._problem import FloatArray, IntArray
    from geogrid.model.atoms import Atoms

__all__ = ["Homes", "TextColumn", "read_homes"]

TextColumn = npt.NDArray[np.object_]

_COLUMNS = ("building", "entrance", "floor", "compound")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Homes:
    """Household rows inside the district, in the order of their ids.

    Attributes
    ----------
    ids, households, atom, xy
        Text id, households at the row, row of its atom, place in metres of ``crs``.
    columns
        ``building, entrance, floor, compound`` where the table has them, as text; "" not known.
    """

    ids: TextColumn
    households: IntArray
    atom: IntArray
    xy: FloatArray
    columns: Mapping[str, TextColumn]
    crs: CRS | None = None

    def numbers(self, *names: str) -> IntArray:
        """Return a number per row for what several columns say together, -1 where one is empty."""
        number = np.zeros(len(self.ids), dtype=np.int64)
        for name in names:
            values = self.columns.get(name)
            if values is None:
                return np.full(len(self.ids), -1, dtype=np.int64)
            # Floor 10 comes after floor 9: numbers are read as such.
            code = _ranks(values)
            number = np.where((code < 0) | (number < 0), -1, number * (code.max() + 2) + code)
        return number


def _ranks(values: TextColumn) -> IntArray:
    number = pd.to_numeric(pd.Series(values), errors="coerce")
    if number.notna().equals(pd.Series(values != "")):
        code = number.rank(method="dense").fillna(0).to_numpy() - 1
        return code.astype(np.int64)
    code = pd.factorize(values, sort=True)[0].astype(np.int64)
    return np.where(values == "", -1, code)


def read_homes(atoms: Atoms, households: gpd.GeoDataFrame) -> Homes:
    """Read household rows; those outside every atom are in no list.

    Raises
    ------
    InputError
        If a ``household_id`` occurs twice.
    """
    crs = atoms.frame.crs
    if crs is not None and households.crs is not None and households.crs != crs:
        households = households.to_crs(crs)
    points = households.geometry.to_numpy()
    if "household_id" in households:
        ids = households["household_id"].astype(str).to_numpy(object)
    else:
        ids = _made_ids(points)
    twice = pd.Index(ids)[pd.Index(ids).duplicated()]
    if len(twice):
        msg = f"{len(twice)} household ids occur twice: give every row its own household_id"
        raise InputError(msg)
    atom = atoms.locate(households)
    order = np.argsort(ids.astype(str), kind="stable")
    order = order[atom[order] >= 0]
    columns = {name: _text(households[name])[order] for name in _COLUMNS if name in households}
    return Homes(
        ids=ids[order],
        households=household_counts(households)[order],
        atom=atom[order],
        xy=shapely.get_coordinates(points[order]).reshape(-1, 2),
        columns=columns,
        crs=crs,
    )


def _made_ids(points: npt.NDArray[np.object_]) -> TextColumn:
    """Name rows without ids by their place, so that the order of the rows cannot matter."""
    order = np.lexsort((shapely.get_x(points), -shapely.get_y(points)))
    width = max(len(str(len(points))), 1)
    ids = np.empty(len(points), dtype=object)
    ids[order] = [f"H{at:0{width}d}" for at in range(1, len(points) + 1)]
    return ids


def _text(values: pd.Series) -> TextColumn:
    if pd.api.types.is_float_dtype(values):
        values = values.astype("Int64")
    text = values.astype("str").to_numpy(object)
    return np.where(values.isna().to_numpy(), "", text).astype(object)
