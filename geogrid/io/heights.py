"""Read heights from a text grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geogrid.errors import InputError, MissingFileError
from geogrid.model.heights import HeightGrid

if TYPE_CHECKING:
    import os

__all__ = ["read_heights"]

# Each line of the head that must be there, in one of its forms.
_NEEDED = (
    ("ncols",), ("nrows",), ("xllcorner", "xllcenter"), ("yllcorner", "yllcenter"), ("cellsize",),
)  # fmt: skip
_MISSING = "nodata_value"
_KEYS = {_MISSING}.union(*_NEEDED)


def read_heights(path: str | os.PathLike[str]) -> HeightGrid:
    """Read an Esri ASCII grid (``.asc``) whose metres are those of the network.

    The format names no coordinate system: bring the raster into the frame of the network first,
    for instance by ``gdalwarp -t_srs EPSG:4547 -of AAIGrid dem.tif dem.asc``.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no such grid, or its corner is in degrees.
    """
    file = Path(path)
    if not file.is_file():
        msg = f"there is no file {file}: check the path of the heights"
        raise MissingFileError(msg)
    if file.suffix.lower() != ".asc":
        msg = f"{file.name} is no .asc grid: turn it into one (gdalwarp -of AAIGrid)"
        raise InputError(msg)
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    facts: dict[str, float] = {}
    while lines and (fact := _fact(lines[0])):
        facts[fact[0]] = fact[1]
        lines.pop(0)
    for keys in _NEEDED:
        if not any(key in facts for key in keys):
            msg = f"{file.name} has no line {keys[0]}: give an Esri ASCII grid"
            raise InputError(msg)
    return _grid(file.name, facts, " ".join(lines).split())


def _fact(line: str) -> tuple[str, float] | None:
    """Return key and number of a line of the head."""
    words = line.split()
    if len(words) != 2 or words[0].lower() not in _KEYS:  # noqa: PLR2004 - a pair
        return None
    try:
        return words[0].lower(), float(words[1])
    except ValueError:
        return None


def _grid(name: str, facts: dict[str, float], words: list[str]) -> HeightGrid:
    try:
        values = np.array(words, dtype=float)
    except ValueError as error:
        msg = f"{name} holds a height that is no number: give an Esri ASCII grid"
        raise InputError(msg) from error
    rows, columns, cell = int(facts["nrows"]), int(facts["ncols"]), facts["cellsize"]
    if len(values) != rows * columns:
        msg = f"{name} holds {len(values)} heights instead of {rows} x {columns}: write it again"
        raise InputError(msg)
    corner = [
        facts[f"{axis}llcorner"]
        if f"{axis}llcorner" in facts
        else facts[f"{axis}llcenter"] - cell / 2
        for axis in ("x", "y")
    ]
    if 0 < cell < 0.1 and abs(corner[0]) <= 180:  # noqa: PLR2004 - cells of degrees
        msg = f"{name} is in degrees: bring it into metres (gdalwarp -t_srs EPSG:4547)"
        raise InputError(msg)
    values = np.where(values == facts.get(_MISSING, np.nan), np.nan, values)
    return HeightGrid(
        values=values.reshape(rows, columns),
        west=corner[0],
        south=corner[1],
        cell_m=cell,
        name=name,
    )
