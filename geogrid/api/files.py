"""The public part of a version as a file: hidden counts are not in it in any form."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geogrid.api.kml import kml_of
from geogrid.errors import InputError

if TYPE_CHECKING:
    from geogrid.api.view import PlanView

__all__ = ["MEDIA", "public_file"]

# Media type and ending by the name of a format.
MEDIA = {
    "gpkg": ("application/geopackage+sqlite3", "gpkg"),
    "geojson": ("application/geo+json", "geojson"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "kml": ("application/vnd.google-earth.kml+xml", "kml"),
    "shp": ("application/zip", "shp.zip"),
}
_DRIVERS = {"gpkg": "GPKG", "shp": "ESRI Shapefile"}
# Shapefiles cut names of columns after ten characters.
_SHORT = {"households": "hh", "households_text": "hh_text"}
# What no workbook takes, and a plan file from elsewhere may hold.
_NO_LETTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MOST_LETTERS = 32_000
# A name that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def public_file(view: PlanView, kind: str) -> bytes:
    """Return the cells of all levels, and stations and circles, as a file of a kind."""
    if kind == "geojson":
        texts = [text for table in view.collections.values() for text in table.texts]
        return f'{{"type":"FeatureCollection","features":[{",".join(texts)}]}}'.encode()
    if kind == "kml":
        return kml_of(view.collections)
    if kind == "xlsx":
        return _workbook(view)
    with tempfile.TemporaryDirectory(prefix="geogrid-export-") as name:
        folder = Path(name)
        if kind == "shp":
            for layer, frame in _frames(view).items():
                frame.rename(columns=_SHORT).to_file(
                    folder / f"{layer}.shp", driver=_DRIVERS[kind], encoding="UTF-8"
                )
            return _zipped(folder)
        file = folder / f"plan.{kind}"
        for layer, frame in _frames(view).items():
            frame.to_file(file, driver=_DRIVERS[kind], layer=layer)
        return file.read_bytes()


def _frames(view: PlanView) -> dict[str, gpd.GeoDataFrame]:
    return {
        name: gpd.GeoDataFrame(list(table.properties), geometry=table.exact(), crs=4326)
        for name, table in view.collections.items()
    }


def _workbook(view: PlanView) -> bytes:
    if find_spec("openpyxl") is None:
        msg = (
            "this service cannot write workbooks: install geogrid[excel], or ask for another format"
        )
        raise InputError(msg)
    held = io.BytesIO()
    with pd.ExcelWriter(held, engine="openpyxl") as book:
        for level in view.plan.scheme.area_levels:
            table = pd.DataFrame(list(view.features[level.key].properties))
            for column in ("code", "name", "kind", "parent"):
                table[column] = [_plain(value) for value in table[column]]
            table.to_excel(book, sheet_name=level.name[:31], index=False)
    return held.getvalue()


def _plain(value: str) -> str:
    text = _NO_LETTER.sub("", value)[:_MOST_LETTERS]
    return f"'{text}" if text.startswith(_FORMULA) else text


def _zipped(folder: Path) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return held.getvalue()
