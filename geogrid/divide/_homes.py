"""Household rows as arrays, in the order of their ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import household_counts, row_list

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
        A building of a name that several compounds use has its compound in its name.
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
    told = sorted(set(values.tolist()) - {""}, key=_reading_order)
    rank = {text: at for at, text in enumerate(told)}
    return np.array([rank.get(text, -1) for text in values.tolist()], dtype=np.int64)


def _reading_order(text: str) -> tuple[tuple[int, str], ...]:
    """Sort 2单元 before 10单元."""
    parts = re.split(r"(\d+)", text)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


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
    ids = _ids(households, points)
    atom = atoms.locate(households)
    order = np.argsort(ids.astype(str), kind="stable")
    order = order[atom[order] >= 0]
    columns = {name: _text(households[name])[order] for name in _COLUMNS if name in households}
    if {"building", "compound"} <= set(columns):
        columns["building"] = _told_apart(columns["building"], columns["compound"])
    return Homes(
        ids=ids[order],
        households=household_counts(households)[order],
        atom=atom[order],
        xy=shapely.get_coordinates(points[order]).reshape(-1, 2),
        columns=columns,
        crs=crs,
    )


def _ids(households: gpd.GeoDataFrame, points: npt.NDArray[np.object_]) -> TextColumn:
    """Return the id of each row, made up where it has none."""
    made = _made_ids(points)
    if "household_id" not in households:
        return made
    given = households["household_id"]
    ids = np.where(given.isna() | given.astype(str).eq(""), made, given.astype(str)).astype(object)
    is_again = pd.Index(ids).duplicated(keep=False)
    if is_again.any():
        first = ids[is_again][0]
        again = np.flatnonzero(ids == first)
        rows = again if "row" not in households else households["row"].to_numpy()[again]
        msg = (
            f"{int(pd.Index(ids).duplicated().sum())} household ids occur twice, such as {first} "
            f"(户号) in rows {row_list(rows)}: give every row its own household_id, or leave the "
            f"column out"
        )
        raise InputError(msg)
    return ids


def _told_apart(building: TextColumn, compound: TextColumn) -> TextColumn:
    """Name a building after its compound too where several compounds have one of its name."""
    pairs = pd.DataFrame({"building": building, "compound": compound})
    named = pairs[(pairs["building"] != "") & (pairs["compound"] != "")].drop_duplicates()
    shared = set(named["building"][named["building"].duplicated()])
    is_shared = pairs["building"].isin(shared) & (pairs["compound"] != "")
    both = pairs["compound"] + "·" + pairs["building"]
    return both.where(is_shared, pairs["building"]).to_numpy(object)


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
