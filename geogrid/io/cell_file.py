"""Layers of cells and their lists, in the formats that an office opens."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd
import pandas as pd
import pyogrio

from geogrid.errors import OutputError
from geogrid.io._gpkg import meta_table, write_layers
from geogrid.io.files import writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.model.report import Certificate

__all__ = [
    "CELL_SUFFIXES",
    "add_layers",
    "certificate_table",
    "listed",
    "require_cell_suffix",
    "usual_name",
    "write_cells",
    "write_csv",
    "write_layers",
    "write_text",
    "write_workbook",
]

CELL_SUFFIXES = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".shp": "ESRI Shapefile",
    ".fgb": "FlatGeobuf",
}
_Table = TypeVar("_Table", pd.DataFrame, gpd.GeoDataFrame)

# Headers of a Shapefile are cut at so many bytes.
_DBF_NAME_BYTES = 10
_WIDEST, _NARROWEST = 60, 8


def require_cell_suffix(path: Path) -> str:
    """Return the driver that a file name asks for.

    Raises
    ------
    OutputError
        If it asks for none that is written here.
    """
    driver = CELL_SUFFIXES.get(path.suffix.lower())
    if driver is None:
        known = ", ".join(CELL_SUFFIXES)
        msg = f"cells cannot be written as {path.name}: give it a name that ends in {known}"
        raise OutputError(msg)
    return driver


def usual_name(path: Path) -> Path:
    """Return a name with its suffix in small letters: that of a Shapefile's parts is made so."""
    return path.with_suffix(path.suffix.lower())


def write_cells(cells: gpd.GeoDataFrame, path: Path, *, layer: str) -> list[str]:
    """Write a layer of cells in the format of its suffix.

    Parameters
    ----------
    cells
        In metres. GeoJSON holds degrees of WGS 84, every other format the cells' own frame.
    path
        The file; the parts of a Shapefile are written beside it.
    layer
        Name of the layer in a GeoPackage.

    Returns
    -------
    list of str
        Plain sentences about what the format could not hold.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    driver = require_cell_suffix(path)
    if driver == "GPKG":
        write_layers({layer: cells}, path)
        return []
    plain = _plain(cells)
    if driver == "ESRI Shapefile":
        return _write_shapefile(plain, path)
    if driver == "GeoJSON" and plain.crs is not None:
        plain = plain.to_crs(4326)
    with writing(path) as draft:
        pyogrio.write_dataframe(plain, draft, driver=driver, layer=layer)
    return []


def add_layers(layers: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write further layers and tables into a GeoPackage that is still a draft."""
    for name, table in layers.items():
        plain = _plain(table)
        pyogrio.write_dataframe(plain, path, layer=name, driver="GPKG")


def certificate_table(certificate: Certificate) -> pd.DataFrame:
    """Return a certificate as key and value rows for a table of a GeoPackage."""
    return meta_table(certificate.to_dict())


def write_csv(table: pd.DataFrame, path: Path, headers: Mapping[str, str]) -> Path:
    """Write a list that Excel opens, with Chinese headers beside the English ones.

    Parameters
    ----------
    table
        Tuples become text joined by blanks; geometry is left out.
    path
        The CSV file.
    headers
        Chinese header of a column; the English one follows it.
    """
    with writing(path) as draft:
        # The mark at the start (utf-8-sig) tells Excel that the text is no GBK.
        listed(table, headers).to_csv(
            draft, index=False, encoding="utf-8-sig", lineterminator="\n", float_format="%.6g"
        )
    return path


def listed(table: pd.DataFrame, headers: Mapping[str, str]) -> pd.DataFrame:
    """Return a table as people read it: bilingual headers, no geometry, tuples as text."""
    facts = pd.DataFrame(table)
    if isinstance(table, gpd.GeoDataFrame):
        facts = pd.DataFrame(table.drop(columns=table.geometry.name))
    texts = {
        str(name): [_joined(value) for value in facts[name]]
        for name in facts.columns
        if facts[name].dtype == object
    }
    named = {name: f"{headers[name]} {name}" for name in facts.columns if name in headers}
    return facts.assign(**texts).rename(columns=named)


def write_workbook(sheets: Mapping[str, pd.DataFrame], path: Path) -> Path:
    """Write tables to the sheets of one Excel workbook; codes stay text.

    Raises
    ------
    OutputError
        If the part of geogrid that writes Excel is not installed, or it cannot be written.
    """
    try:
        import openpyxl  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        msg = "writing Excel needs openpyxl: pip install geogrid[excel], or use .csv"
        raise OutputError(msg) from error
    with writing(path) as draft, pd.ExcelWriter(draft, engine="openpyxl") as book:
        for name, table in sheets.items():
            table.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))
            sheet = book.sheets[name]
            for column, cells in zip(table.columns, sheet.columns, strict=True):
                longest = max((_text_width(value) for value in table[column].head(200)), default=0)
                width = max(longest, _text_width(column), _NARROWEST)
                sheet.column_dimensions[cells[0].column_letter].width = min(width + 2, _WIDEST)
    return path


def write_text(text: str, path: Path) -> Path:
    """Write a text (a page, a JSON object), completely or not at all."""
    with writing(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")
    return path


def _text_width(value: object) -> int:
    """Return the width of a text in letters: a Chinese sign is as wide as two."""
    return sum(1 if sign.isascii() else 2 for sign in str(value))


def _joined(value: Any) -> Any:  # noqa: ANN401 - a column of objects holds anything
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else value


def _plain(table: _Table) -> _Table:
    """Turn tuples into text."""
    texts = {
        str(name): [_joined(value) for value in table[name]]
        for name in table.columns
        if table[name].dtype == object
    }
    return table.assign(**texts) if texts else table


def _write_shapefile(cells: gpd.GeoDataFrame, path: Path) -> list[str]:
    """Write all parts beside each other; Chinese headers fit only in GBK."""
    names = [str(name) for name in cells.columns if name != cells.geometry.name]
    encoding = "GBK" if _fits_gbk(cells) else "UTF-8"
    cut = [name for name in names if len(name.encode(encoding)) > _DBF_NAME_BYTES]
    with warnings.catch_warnings():
        # The library warns of every header that it shortens; one note says it.
        warnings.simplefilter("ignore")
        pyogrio.write_dataframe(cells, path, driver="ESRI Shapefile", encoding=encoding)
    notes = [f"the Shapefile is written in {encoding}"]
    if cut:
        notes.append(f"a Shapefile cuts headers at {_DBF_NAME_BYTES} bytes: {', '.join(cut)}")
    return notes


def _fits_gbk(cells: gpd.GeoDataFrame) -> bool:
    texts = "".join(map(str, cells.columns))
    for name in cells.columns:
        if name != cells.geometry.name and not pd.api.types.is_numeric_dtype(cells[name]):
            texts += "".join(str(value) for value in cells[name].dropna())
    try:
        texts.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True
