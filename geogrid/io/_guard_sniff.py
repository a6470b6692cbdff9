"""What an uploaded file is, judged by its bytes alone: neither name nor suffix is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.errors import InputError
from geogrid.io._sniff import HEAD_BYTES, format_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DRIVER_OF_FORMAT", "SUFFIX_OF_FORMAT", "upload_format"]

# The one driver of the map library that each format needs.
DRIVER_OF_FORMAT = {
    "GPKG": "GPKG", "GeoJSON": "GeoJSON", "FlatGeobuf": "FlatGeobuf", "KML": "LIBKML",
    "zip": "ESRI Shapefile", "CSV": "",
}  # fmt: skip
SUFFIX_OF_FORMAT = {
    "GPKG": ".gpkg", "GeoJSON": ".geojson", "FlatGeobuf": ".fgb", "KML": ".kml", "zip": ".zip",
    "CSV": ".csv",
}  # fmt: skip

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
# Markup and JSON that is none of the map formats is no table either.
_MARKUP = (b"<", b"{", b"[", b"%PDF", b"#!")
_DELIMITERS = (b",", b"\t", b";", "，".encode(), "，".encode("gb18030"))
# Tab, line feed, vertical tab, form feed and return are text; the other low bytes are not.
_NOT_TEXT = bytes(set(range(32)) - {9, 10, 11, 12, 13})


def upload_format(file: Path, name: str) -> str:
    """Return ``GPKG GeoJSON FlatGeobuf KML zip`` or ``CSV``.

    Parameters
    ----------
    file
        Where the bytes are.
    name
        What messages call it.

    Raises
    ------
    InputError
        If it is none of them.
    """
    with file.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    found = format_of(head)
    if found == "ESRI Shapefile":
        msg = f"{name} is one part of a Shapefile: put all its parts into one .zip file"
        raise InputError(msg)
    if found:
        return found
    if _is_text_table(head):
        return "CSV"
    what = "is empty" if not head else "is neither a map nor a table that is read here"
    msg = (
        f"{name} {what}: give a GeoPackage, GeoJSON, FlatGeobuf or KML file, a Shapefile in a "
        ".zip, an .xlsx or a CSV file"
    )
    raise InputError(msg)


def _is_text_table(head: bytes) -> bool:
    if head.startswith(_UTF16_MARKS):
        head = head.replace(b"\0", b"")[len(_UTF16_MARKS[0]) :]
    text = head.removeprefix(_UTF8_MARK).lstrip()
    if not text or text.startswith(_MARKUP) or text.translate(None, _NOT_TEXT) != text:
        return False
    return any(mark in text for mark in _DELIMITERS)
