"""A Shapefile inside a zip file, also one made on a Chinese Windows."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from geogrid.errors import InputError
from geogrid.io._words import LAYER_OPTION

__all__ = ["refuse_bomb", "unpack_shapefile"]

# A city's buildings take some hundred megabytes; a file made to fill the disk takes far more.
MAX_UNPACKED_BYTES = 2 * 1024**3
_CHUNK_BYTES = 1024**2

_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def unpack_shapefile(archive: Path, folder: Path, *, layer: str | None = None) -> Path:
    """Unpack the only Shapefile of a zip file (or the one called ``layer``) into ``folder``.

    Member names without the UTF-8 flag are read as GB18030, as Windows writes them in China. The
    parts are unpacked under the plain name ``layer``: no member can choose where it lands.

    Raises
    ------
    InputError
        If the file is no readable zip, or holds no Shapefile, or several.
    """
    try:
        with _open(archive) as bundle:
            refuse_bomb(bundle, archive.name)
            members = _members(bundle)
            stem = _choose(sorted(members), archive.name, layer)
            for suffix, member in members[stem].items():
                with bundle.open(member) as source, (folder / f"layer{suffix}").open("wb") as sink:
                    _copy(source, sink, archive.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        msg = f"{archive.name} is a damaged or locked zip file: make it again, without a password"
        raise InputError(msg) from error
    return folder / "layer.shp"


def refuse_bomb(bundle: zipfile.ZipFile, name: str) -> None:
    """Refuse an archive that claims to unpack to more than 2 GiB.

    Raises
    ------
    InputError
        If it does.
    """
    if sum(info.file_size for info in bundle.infolist()) > MAX_UNPACKED_BYTES:
        msg = f"{name} unpacks to more than 2 GiB: unpack it yourself and give the file you need"
        raise InputError(msg)


def _open(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive, metadata_encoding="gb18030")
    except UnicodeDecodeError:
        return zipfile.ZipFile(archive)


def _members(bundle: zipfile.ZipFile) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """Return the parts of each Shapefile, by its name without suffix."""
    parts: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for info in bundle.infolist():
        path = PurePosixPath(info.filename)
        # Macs add a shadow of each file in this folder.
        if path.suffix.lower() in _PARTS and "__MACOSX" not in path.parts:
            parts.setdefault(str(path.with_suffix("")), {})[path.suffix.lower()] = info
    return {stem: found for stem, found in parts.items() if ".shp" in found}


def _choose(stems: list[str], name: str, layer: str | None) -> str:
    wanted = [stem for stem in stems if layer in (None, stem, PurePosixPath(stem).name)]
    if len(wanted) == 1:
        return wanted[0]
    known = ", ".join(PurePosixPath(stem).name for stem in stems)
    if not stems:
        msg = f"{name} is not a map file: the zip holds no Shapefile (.shp)"
    elif not wanted:
        msg = f"{name} has no Shapefile {layer}: choose one of {known}"
    else:
        msg = f"{name} holds several Shapefiles: choose one with {LAYER_OPTION}: {known}"
    raise InputError(msg)


def _copy(source: IO[bytes], sink: IO[bytes], name: str) -> None:
    """Copy in pieces, for the sizes that an archive claims may be false."""
    left = MAX_UNPACKED_BYTES
    while piece := source.read(_CHUNK_BYTES):
        left -= len(piece)
        if left < 0:
            msg = f"{name} unpacks to more than 2 GiB: unpack it yourself"
            raise InputError(msg)
        sink.write(piece)
