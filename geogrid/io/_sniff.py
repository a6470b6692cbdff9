"""Which map format a file really holds, judged by its first bytes.

The library that reads maps knows some 80 formats, among them texts that make it open other files,
fetch addresses or run commands. So a file reaches it only after its own first bytes say that it is
one of the formats named here; its suffix alone proves nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

from geogrid.errors import InputError, MissingFileError

__all__ = ["HEAD_BYTES", "format_of", "local_file", "map_format"]

HEAD_BYTES = 65_536

_GEOJSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|GeometryCollection|'
    rb'(Multi)?(Point|LineString|Polygon))"'
)
# JSON dialects in which the same words occur, one of which names commands to run.
_OTHER_JSON = (b"gdal_streamed_alg", b'"Topology"', b'"esriGeometry')
_KML_ROOT = re.compile(rb"<(\w+:)?kml[\s>]")
_XML_BEFORE_ROOT = re.compile(rb"\s*(<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_GPKG_IDS = (b"GPKG", b"GP10", b"GP11")
_UTF8_BOM = b"\xef\xbb\xbf"


def local_file(path: str | Path) -> Path:
    """Return the absolute path of an existing local file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is an address or a virtual path instead, or a folder.
    """
    text = str(path)
    if text.startswith(("/vsi", "\\vsi")) or "://" in text:
        msg = f"{text} is not a file on this computer: download it first, then give its path"
        raise InputError(msg)
    file = Path(path)
    if file.is_dir():
        msg = f"{text} is a folder: give the file in it"
        raise InputError(msg)
    if not file.is_file():
        msg = f"the file {text} does not exist: check its name and folder"
        raise MissingFileError(msg)
    return file.resolve()


def map_format(file: Path) -> str:
    """Return the driver's name of a map file: GPKG, GeoJSON, FlatGeobuf, KML … or ``zip``.

    Raises
    ------
    InputError
        If the bytes are none of the formats read here.
    """
    with file.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    driver = format_of(head)
    if driver:
        return _require_suffix(file, driver)
    what = "is empty" if not head else "is not a map file"
    msg = (
        f"{file.name} {what}: give a GeoPackage, GeoJSON, Shapefile (.shp or .zip), FlatGeobuf or "
        "KML file"
    )
    raise InputError(msg)


def format_of(head: bytes) -> str:
    """Return the format that the first :data:`HEAD_BYTES` of a file say, "" for none."""
    return next((driver for driver, is_it in _TESTS.items() if is_it(head)), "")


def _require_suffix(file: Path, driver: str) -> str:
    """Refuse the parts of a Shapefile that start with the same bytes as the .shp."""
    if driver == "ESRI Shapefile" and file.suffix.lower() != ".shp":
        msg = f"{file.name} is a part of a Shapefile: give the file that ends in .shp"
        raise InputError(msg)
    return driver


def _is_geopackage(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and head[68:72] in _GPKG_IDS


def _is_geojson(head: bytes) -> bool:
    text = head.removeprefix(_UTF8_BOM).lstrip()
    if not text.startswith(b"{") or any(word in text for word in _OTHER_JSON):
        return False
    return _GEOJSON_TYPE.search(text) is not None


def _is_kml(head: bytes) -> bool:
    """Tell whether the root element is kml, with no document type (entities) before it."""
    text = head.removeprefix(_UTF8_BOM)
    prolog = _XML_BEFORE_ROOT.match(text)
    return _KML_ROOT.match(text, prolog.end() if prolog else 0) is not None


def _is_zip(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


_TESTS = {
    "GPKG": _is_geopackage,
    "FlatGeobuf": lambda head: head.startswith(b"fgb\x03fgb"),
    "ESRI Shapefile": lambda head: head.startswith((9994).to_bytes(4, "big")),
    "KML": _is_kml,
    "GeoJSON": _is_geojson,
    "zip": _is_zip,
}
