"""A map file as it is: its features, its coordinate system, its text; nothing moved yet."""

from __future__ import annotations

import codecs
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geogrid.errors import InputError
from geogrid.io._archive import unpack_shapefile
from geogrid.io._json_links import require_no_link
from geogrid.io._sniff import local_file, map_format
from geogrid.io._text import ENCODINGS, repair_mojibake
from geogrid.io._words import LAYER_OPTION

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RawLayer", "read_raw"]

_LATIN1 = "ISO-8859-1"
_SHAPEFILE = "ESRI Shapefile"


@dataclass(frozen=True, slots=True, eq=False)
class RawLayer:
    """Features as the file has them, and plain sentences about the reading."""

    frame: gpd.GeoDataFrame
    name: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Opened:
    """What to hand to the reading library: never the user's own text."""

    location: str
    driver: str
    shown: str
    notes: tuple[str, ...] = ()


def read_raw(
    path: str | Path, *, encoding: str | None = None, layer: str | None = None
) -> RawLayer:
    """Read one layer of a map file without moving anything.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile (.shp, or a .zip of one), FlatGeobuf or KML.
    encoding
        Encoding of the text, where the file does not say it or says it wrongly.
    layer
        Name of the layer, where there are several.

    Raises
    ------
    InputError
        If there is no such file, it is no map file, or it cannot be read.
    """
    file = local_file(path)
    _require_encoding(encoding)
    with _opened(file, encoding, layer) as opened, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame, text_notes = _read(opened, encoding, layer)
        except UnicodeDecodeError as error:
            raise _unreadable(file.name) from error
        except (DataSourceError, DataLayerError) as error:
            reason = _without_paths(str(error), opened)
            msg = f"{file.name} is damaged or not a map file after all: {reason}"
            raise InputError(msg) from error
    said = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    return RawLayer(frame, file.name, opened.notes + text_notes + said)


@contextmanager
def _opened(file: Path, encoding: str | None, layer: str | None) -> Iterator[_Opened]:
    driver = map_format(file)
    if driver == "zip":
        with tempfile.TemporaryDirectory(prefix="geogrid-") as folder:
            shp = unpack_shapefile(file, Path(folder), layer=layer)
            yield _Opened(str(_require_index(shp, file.name)), _SHAPEFILE, file.name)
    elif driver == "GeoJSON" and (hidden := _json_encoding(file, encoding)):
        with tempfile.TemporaryDirectory(prefix="geogrid-") as folder:
            copy = Path(folder) / "layer.geojson"
            _recode(file, copy, hidden)
            require_no_link(copy, file.name)
            note = f"the text is in {hidden}, not in UTF-8 as GeoJSON asks: decoded"
            yield _Opened(f"GeoJSON:{copy}", driver, file.name, (note,))
    elif driver == "GeoJSON":
        require_no_link(file, file.name)
        # The prefix ties the library to this one format.
        yield _Opened(f"GeoJSON:{file}", driver, file.name)
    else:
        if driver == _SHAPEFILE:
            _require_index(file, file.name)
        yield _Opened(str(file), driver, file.name)


def _read(
    opened: _Opened, encoding: str | None, layer: str | None
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    wanted = _choose_layer(opened, layer)
    if opened.driver != _SHAPEFILE:
        return _features(opened, wanted, None), ()
    if encoding is not None:
        return _features(opened, wanted, encoding), ()
    try:
        frame, is_sure = _features(opened, wanted, None), True
    except UnicodeDecodeError:
        # Latin-1 reads any byte; what the bytes mean is found out below.
        frame, is_sure = _features(opened, wanted, _LATIN1), False
    if Path(opened.location).with_suffix(".cpg").exists() and is_sure:
        return frame, ()
    repaired, found = repair_mojibake(frame)
    if not found and not is_sure:
        raise _unreadable(opened.shown)
    why = "the file names no encoding" if is_sure else "the file names a wrong encoding"
    notes = (f"{why}: its text was read as {found.upper()}",) if found else ()
    return repaired, notes


def _features(opened: _Opened, layer: str, encoding: str | None) -> gpd.GeoDataFrame:
    frame = pyogrio.read_dataframe(
        opened.location, layer=layer, encoding=encoding, on_invalid="ignore"
    )
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"{opened.shown} layer {layer} is a table without geometry: choose a map layer"
        raise InputError(msg)
    return frame


def _choose_layer(opened: _Opened, layer: str | None) -> str:
    """Return the layer's name: the only one with geometry unless the user names one."""
    found = pyogrio.list_layers(opened.location)
    maps = [str(name) for name, kind in found if kind is not None]
    if len(maps) == 1 and (layer is None or opened.driver == _SHAPEFILE):
        return maps[0]
    if layer in maps:
        return str(layer)
    known = ", ".join(maps[:20])
    if not maps:
        msg = f"{opened.shown} holds no map layer: give a file with geometries"
    elif layer is None:
        msg = f"{opened.shown} holds several layers: choose one with {LAYER_OPTION}: {known}"
    else:
        msg = f"{opened.shown} has no layer {layer}: choose one of {known}"
    raise InputError(msg)


def _require_index(shp: Path, shown: str) -> Path:
    siblings = {file.name.lower() for file in shp.parent.iterdir()}
    if f"{shp.stem}.shx".lower() not in siblings:
        msg = f"{shown} lacks its .shx part: copy all files of the Shapefile together"
        raise InputError(msg)
    return shp


def _json_encoding(file: Path, encoding: str | None) -> str:
    """Return the encoding of a GeoJSON file if it is not UTF-8, else nothing."""
    for candidate in (encoding,) if encoding else ("utf-8", "gb18030"):
        if _decodes(file, candidate):
            is_utf8 = codecs.lookup(candidate).name in ("utf-8", "utf-8-sig")
            return "" if is_utf8 else candidate
    raise _unreadable(file.name)


def _decodes(file: Path, encoding: str) -> bool:
    try:
        with file.open(encoding=encoding) as handle:
            while handle.read(1024**2):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _recode(file: Path, copy: Path, encoding: str) -> None:
    with file.open(encoding=encoding) as source, copy.open("w", encoding="utf-8") as sink:
        while piece := source.read(1024**2):
            sink.write(piece)


def _require_encoding(encoding: str | None) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        msg = f"the encoding {encoding} is not known: use one of {', '.join(ENCODINGS)}"
        raise InputError(msg) from error


def _without_paths(text: str, opened: _Opened) -> str:
    """Name the user's file where the library names what it opened, perhaps a temporary copy."""
    bare = opened.location.removeprefix("GeoJSON:")
    return text.replace(opened.location, opened.shown).replace(bare, opened.shown)


def _unreadable(name: str) -> InputError:
    return InputError(
        f"the text of {name} cannot be decoded: save it as UTF-8, or in Python name its encoding "
        f"(encoding=), one of {', '.join(ENCODINGS)}"
    )
