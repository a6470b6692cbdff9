"""Layers of a GeoPackage, to the bit: what is written is what is read."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from geogrid.errors import InputError, OutputError
from geogrid.io._sniff import local_file, map_format
from geogrid.io.files import writing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "META_LAYER",
    "layer_names",
    "meta_table",
    "read_layer_as_is",
    "read_meta",
    "write_layers",
]

META_LAYER = "geogrid_meta"

# Plain local metres: a file needs some coordinate system, and this one claims no place on earth.
_LOCAL = CRS.from_wkt(
    'ENGCRS["local metres",EDATUM["local"],CS[Cartesian,2],'
    'AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
)


def write_layers(layers: Mapping[str, pd.DataFrame], path: str | Path) -> Path:
    """Write tables and map layers to one GeoPackage, completely or not at all.

    Parameters
    ----------
    layers
        By layer name, in the order in which they are written. Rows keep their order; tuples become
        text joined by blanks.
    path
        Must end in ``.gpkg``.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".gpkg":
        msg = f"{target.name} cannot be written: give it a name that ends in .gpkg"
        raise OutputError(msg)
    with writing(target) as draft:
        for name, table in layers.items():
            _write(_plain(table), draft, name)
    return target


def layer_names(path: str | Path) -> tuple[str, ...]:
    """Return the layers and tables of a GeoPackage.

    Raises
    ------
    InputError
        If it is no GeoPackage.
    """
    file = local_file(path)
    if map_format(file) != "GPKG":
        msg = f"{file.name} is not a geogrid plan: give a .gpkg file, or read it with read_layer"
        raise InputError(msg)
    try:
        return tuple(str(name) for name, _ in pyogrio.list_layers(str(file)))
    except (DataSourceError, DataLayerError) as error:
        raise _damaged(file) from error


def read_layer_as_is(
    path: str | Path, layer: str, *, crs: CRS | None = None, geometry: bool = True
) -> pd.DataFrame:
    """Read one layer or table; a map layer gets ``crs``, which only meta data know exactly.

    Raises
    ------
    InputError
        If the layer is missing or damaged.
    """
    file = local_file(path)
    try:
        table = pyogrio.read_dataframe(str(file), layer=layer, read_geometry=geometry)
    except (DataSourceError, DataLayerError) as error:
        raise _damaged(file) from error
    if not isinstance(table, gpd.GeoDataFrame):
        return pd.DataFrame(table)
    # Another program may have saved the layer in degrees; else the numbers stay as they are.
    if crs is not None and table.crs is not None and table.crs.is_geographic:
        return table.to_crs(crs) if not crs.is_geographic else table
    return named_crs(table, crs)


def meta_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return key and value rows, each value as JSON."""
    texts = [json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values.values()]
    return pd.DataFrame({"key": list(values), "value": texts}, dtype="str")


def read_meta(path: str | Path) -> dict[str, Any]:
    """Read the key and value rows back; empty when the file has none.

    Raises
    ------
    InputError
        If it is no GeoPackage, or they are damaged.
    """
    if META_LAYER not in layer_names(path):
        return {}
    table = read_layer_as_is(path, META_LAYER, geometry=False)
    try:
        pairs = zip(table["key"], table["value"], strict=True)
        return {str(key): json.loads(value) for key, value in pairs}
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(Path(path)) from error


def named_crs(frame: gpd.GeoDataFrame, crs: CRS | None) -> gpd.GeoDataFrame:
    """Say that the coordinates are those of ``crs``, moving nothing."""
    name = frame.geometry.name
    facts = pd.DataFrame(frame.drop(columns=name))
    shapes = gpd.GeoSeries(frame.geometry.to_numpy(), frame.index, crs)
    return gpd.GeoDataFrame(facts, geometry=shapes, crs=crs)


def _write(table: pd.DataFrame, draft: Path, name: str) -> None:
    if not isinstance(table, gpd.GeoDataFrame):
        pyogrio.write_dataframe(table, draft, layer=name, driver="GPKG")
        return
    located = table if table.crs is not None else table.set_crs(_LOCAL, allow_override=True)
    kinds = set(located.geom_type.dropna())
    # One type a layer where all agree, else any: a polygon must not come back as a multipolygon.
    kind = kinds.pop() if len(kinds) == 1 else "Unknown"
    pyogrio.write_dataframe(
        located, draft, layer=name, driver="GPKG", geometry_type=kind, promote_to_multi=False
    )


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of objects into text."""
    geometry = table.geometry.name if isinstance(table, gpd.GeoDataFrame) else None
    texts = {
        name: pd.Series([_text(value) for value in table[name]], index=table.index, dtype="str")
        for name in table.columns
        if name != geometry and not _is_storable(table[name])
    }
    return table.assign(**texts)


def _is_storable(column: pd.Series) -> bool:
    return bool(
        pd.api.types.is_bool_dtype(column)
        or (pd.api.types.is_numeric_dtype(column) and not column.hasnans)
        or pd.api.types.is_float_dtype(column)
        or (isinstance(column.dtype, pd.StringDtype))
    )


def _text(value: Any) -> str | None:  # noqa: ANN401 - a column of objects holds anything
    if isinstance(value, tuple | list | np.ndarray):
        return " ".join(str(part) for part in value)
    if isinstance(value, Enum):
        return str(value.value)
    return None if pd.isna(value) else str(value)


def _damaged(file: Path) -> InputError:
    return InputError(f"{file.name} is a damaged geogrid file: take the last good version of it")
