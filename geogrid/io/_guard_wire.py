"""A table on its way between two processes of which one is not trusted: numbers, text and WKB.

Nothing that comes back is code: columns are JSON, geometries WKB, and a type is one of a table of
names. So a reader that a file has taken over can lie about the file, and do no more.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as PyprojError

from geogrid.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "load_json",
    "names_files",
    "pack_layer",
    "pack_table",
    "unpack_layer",
    "unpack_table",
]

_PLAIN_TYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                "float32", "float64", "bool")  # fmt: skip
_UNITS = ("s", "ms", "us", "ns")
_AUTHORITY = re.compile(r"[A-Z]{2,10}:[0-9]{3,7}")
# A definition may name grid files to open; none that is drawn here needs them.
_NAMES_FILES = re.compile(r"nadgrids|geoidgrids|PARAMETERFILE|EXTENSION\[", re.IGNORECASE)
_MISSING = -1


def pack_layer(frame: gpd.GeoDataFrame, shapes: Path) -> dict[str, Any]:
    """Write the geometries of a layer to a file and return the rest as what JSON can hold."""
    packed = pack_table(pd.DataFrame(frame.drop(columns=frame.geometry.name)))
    wkb = shapely.to_wkb(frame.geometry.to_numpy(), include_srid=False)
    lengths = np.array([_MISSING if one is None else len(one) for one in wkb], dtype="<i8")
    with shapes.open("wb") as handle:
        handle.write(lengths.tobytes())
        handle.writelines(one for one in wkb if one is not None)
    return {
        **packed, "geometry": str(frame.geometry.name), "crs": _pack_crs(frame.crs),
    }  # fmt: skip


def pack_table(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table without geometries as what JSON can hold."""
    columns, notes = [], []
    for name in table.columns:
        column = _pack_column(table[name])
        if column is None:
            notes.append(f"column {name} holds binary data and was left out")
        else:
            columns.append({"name": str(name), **column})
    return {"columns": columns, "rows": len(table), "notes": notes}


def unpack_layer(packed: dict[str, Any], shapes: Path) -> gpd.GeoDataFrame:
    """Return the layer that was packed.

    Raises
    ------
    InputError
        If the parts do not fit together or the coordinate system names files.
    """
    try:
        columns = _unpack_columns(packed)
        geometry = _unpack_shapes(shapes, int(packed["rows"]))
        return gpd.GeoDataFrame(
            {**columns, str(packed["geometry"]): geometry},
            geometry=str(packed["geometry"]), crs=_unpack_crs(str(packed["crs"])),
        )  # fmt: skip
    except (
        KeyError, TypeError, ValueError, OverflowError, PyprojError, shapely.errors.ShapelyError,
    ) as error:  # fmt: skip
        msg = "the answer of the reading process is damaged"
        raise InputError(msg) from error


def unpack_table(packed: dict[str, Any]) -> pd.DataFrame:
    """Return the table that was packed; raises as :func:`unpack_layer`."""
    try:
        return pd.DataFrame(_unpack_columns(packed))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        msg = "the answer of the reading process is damaged"
        raise InputError(msg) from error


def names_files(text: str) -> bool:
    """Tell whether the definition of a coordinate system names files to open."""
    return bool(_NAMES_FILES.search(text))


def load_json(file: Path) -> dict[str, Any]:
    """Read an object of JSON.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        answer = json.loads(file.read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        msg = "the answer of the reading process is damaged"
        raise InputError(msg) from error
    if not isinstance(answer, dict):
        msg = "the answer of the reading process is damaged"
        raise InputError(msg)
    return answer


def _pack_column(column: pd.Series) -> dict[str, Any] | None:
    kind = str(column.dtype)
    if kind in _PLAIN_TYPES:
        return {"type": kind, "values": column.to_numpy().tolist()}
    if pd.api.types.is_datetime64_any_dtype(column):
        return _pack_times(column)
    if kind == "str":
        return {"type": "str", "values": [None if pd.isna(one) else one for one in column]}
    values = [_plain(one) for one in column]
    if any(isinstance(one, bytes) for one in values):
        return None
    return {"type": "object", "values": values}


def _pack_times(column: pd.Series) -> dict[str, Any]:
    zone: Any = getattr(column.dtype, "tz", None)
    offset = None
    times = column
    if zone is not None:
        shift = zone.utcoffset(None)
        # A zone that changes its offset cannot be told by one number: UTC can.
        offset = 0 if shift is None else int(shift.total_seconds())
        times = column.dt.tz_convert("UTC").dt.tz_localize(None)
    stamps = times.to_numpy()
    unit = np.datetime_data(stamps.dtype)[0]
    values = stamps.astype(np.int64).tolist()
    return {"type": "time", "unit": unit, "offset": offset, "values": values}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column of objects holds anything
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (str, int, float, bool, list, bytes)):
        return value
    return None if pd.isna(value) else str(value)


def _unpack_columns(packed: dict[str, Any]) -> dict[str, pd.Series]:
    rows = int(packed["rows"])
    return {str(one["name"]): _unpack_column(one, rows) for one in packed["columns"]}


def _unpack_column(packed: dict[str, Any], rows: int) -> pd.Series:
    values, kind = packed["values"], packed["type"]
    if not isinstance(values, list) or len(values) != rows:
        msg = "a column has not as many values as there are rows"
        raise ValueError(msg)
    if kind in _PLAIN_TYPES:
        return pd.Series(np.array(values, dtype=kind))
    if kind == "time":
        return _unpack_times(packed)
    if kind not in ("str", "object"):
        msg = "a column has an unknown type"
        raise ValueError(msg)
    if kind == "str" and not all(one is None or isinstance(one, str) for one in values):
        msg = "a column of text holds something else"
        raise ValueError(msg)
    return pd.Series(values, dtype="str" if kind == "str" else "object")


def _unpack_times(packed: dict[str, Any]) -> pd.Series:
    if packed["unit"] not in _UNITS:
        msg = "a column of times has an unknown unit"
        raise ValueError(msg)
    stamps = np.array(packed["values"], dtype=np.int64).astype(f"datetime64[{packed['unit']}]")
    times = pd.Series(stamps)
    if packed["offset"] is None:
        return times
    shift = int(packed["offset"])
    in_utc = times.dt.tz_localize("UTC")
    return in_utc.dt.tz_convert(timezone(timedelta(seconds=shift))) if shift else in_utc


def _unpack_shapes(shapes: Path, rows: int) -> Any:  # noqa: ANN401 - an array of geometries
    data = shapes.read_bytes()
    lengths = np.frombuffer(data[: 8 * rows], dtype="<i8")
    ends = 8 * rows + np.cumsum(np.maximum(lengths, 0))
    if rows and (len(lengths) != rows or lengths.min() < _MISSING or ends[-1] != len(data)):
        msg = "the geometries are cut"
        raise ValueError(msg)
    wkb = np.full(rows, None, dtype=object)
    for at in range(rows):
        if lengths[at] >= 0:
            wkb[at] = data[ends[at] - lengths[at] : ends[at]]
    return shapely.from_wkb(wkb)


def _pack_crs(crs: CRS | None) -> str:
    if crs is None:
        return ""
    authority = crs.to_authority(min_confidence=100)
    if authority is not None and CRS.from_authority(*authority) == crs:
        return ":".join(authority)
    return str(crs.to_wkt())


def _unpack_crs(text: str) -> CRS | None:
    if not text:
        return None
    if _AUTHORITY.fullmatch(text):
        return CRS.from_user_input(text)
    if names_files(text):
        msg = "the coordinate system names files"
        raise ValueError(msg)
    return CRS.from_wkt(text)
