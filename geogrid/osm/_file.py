"""Opening an OpenStreetMap file, with plain words for what can be wrong with it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import osmium

from geogrid.errors import InputError, MissingFileError
from geogrid.osm._scan import Scan, scan_file

if TYPE_CHECKING:
    import os

__all__ = ["scan_osm"]


def scan_osm(path: str | os.PathLike[str]) -> Scan:
    """Walk through a file, sorted or not.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no OpenStreetMap file, damaged, or holds lines without places.
    """
    file = Path(path)
    if not file.exists():
        msg = f"the file {file} does not exist: check its name and folder"
        raise MissingFileError(msg)
    if not file.is_file():
        msg = f"{file} is a folder: name the OpenStreetMap extract inside it"
        raise InputError(msg)
    try:
        scan = scan_file(file)
        if not (scan.lines.ids or scan.areas.ids) and (scan.unplaced or scan.unjoined):
            scan = _scan_sorted(file)
    except (RuntimeError, OSError) as error:
        raise InputError(_plain_reason(file, str(error))) from error
    return scan


def _scan_sorted(file: Path) -> Scan:
    """Scan a copy sorted by nodes, ways, relations: downloads often put the nodes last."""
    with tempfile.TemporaryDirectory(prefix="geogrid-") as folder:
        copy = Path(folder) / "sorted.osm.pbf"
        reader = osmium.MergeInputReader()
        reader.add_file(str(file))
        with osmium.SimpleWriter(str(copy)) as writer:
            reader.apply(writer)
        return scan_file(copy)


def _plain_reason(file: Path, reason: str) -> str:
    """Say in one line why a file cannot be read; the library's words may name folders."""
    if "detect file format" in reason or "top-level element" in reason:
        return f"{file.name} is not an OpenStreetMap file: give an .osm, .osm.gz or .osm.pbf file"
    if "Open failed" in reason or "ermission" in reason:
        return f"{file.name} cannot be opened: check that you may read it"
    return (
        f"{file.name} cannot be read as OpenStreetMap data, it is damaged or cut short: "
        "download it again"
    )
