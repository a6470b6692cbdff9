"""A walk through an uploaded zip file that believes nothing it claims of itself.

Every member is unpacked once in pieces and thrown away, only to count it: sizes in the directory
of a zip may be false. Nothing is written, and no name of a member is ever used as a path.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from geogrid.errors import InputError
from geogrid.io._sniff import HEAD_BYTES, format_of

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.io._guard_limits import UploadLimits

__all__ = ["zip_content"]

_CHUNK_BYTES = 1024**2
# A small archive may shrink as it likes: it cannot harm.
_RATIO_FROM_BYTES = 10 * 1024**2
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCKED = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")
_ARCHIVES = (
    b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd", b"MSCF",
)  # fmt: skip
_ARCHIVE_SUFFIXES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".cab")
# Definitions of a document type can make a parser fetch files or multiply text without end.
_DEFINITIONS = (b"<!DOCTYPE", b"<!ENTITY")
_SHEET_PARTS = ("[Content_Types].xml", "xl/workbook.xml")


def zip_content(file: Path, name: str, limits: UploadLimits) -> str:
    """Walk through a zip file and return what it holds: ``XLSX`` or ``ESRI Shapefile``.

    Parameters
    ----------
    file
        Where the bytes are.
    name
        What messages call it.

    Raises
    ------
    InputError
        If it is damaged, locked, too much, names members outside itself, holds links or other
        archives, or is neither a workbook nor a Shapefile.
    """
    try:
        with _open(file) as bundle:
            members = bundle.infolist()
            packed = file.stat().st_size
            _require_modest(members, packed, name, limits)
            for member in members:
                _require_plain(member, name)
            _require_unique(members, name)
            is_workbook = {member.filename for member in members}.issuperset(_SHEET_PARTS)
            walk = _Walk(name, packed, limits, refuses_definitions=is_workbook)
            for member in members:
                walk.through(bundle, member)
            if not is_workbook:
                _require_shapes(bundle, members, name)
            return "XLSX" if is_workbook else "ESRI Shapefile"
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"{name} is a damaged zip file: make it again"
        raise InputError(msg) from error


def _open(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file, metadata_encoding="gb18030")
    except UnicodeDecodeError:
        return zipfile.ZipFile(file)


def _require_modest(
    members: list[zipfile.ZipInfo], packed: int, name: str, limits: UploadLimits
) -> None:
    if len(members) > limits.entries:
        msg = f"{name} holds {len(members)} files, {limits.entries} are allowed: leave others out"
        raise InputError(msg)
    _require_size(sum(member.file_size for member in members), packed, name, limits)


def _require_size(unpacked: int, packed: int, name: str, limits: UploadLimits) -> None:
    is_blown_up = unpacked > _RATIO_FROM_BYTES and unpacked > limits.ratio * packed
    if unpacked > limits.unpacked_bytes or is_blown_up:
        msg = f"{name} unpacks to far more than it seems: unpack it yourself and give what you need"
        raise InputError(msg)


def _require_plain(member: zipfile.ZipInfo, name: str) -> None:
    path = member.filename.replace("\\", "/")
    # The raw name ends at a NUL only in the eyes of Python.
    is_outside = path.startswith("/") or _DRIVE.match(path) or "\0" in member.orig_filename
    if is_outside or ".." in PurePosixPath(path).parts:
        msg = f"{name} holds a file that would land outside its folder: make the zip again"
        raise InputError(msg)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        msg = f"{name} holds a link instead of a file: put the files themselves into the zip"
        raise InputError(msg)
    if member.flag_bits & _LOCKED:
        msg = f"{name} is locked with a password: make the zip again without one"
        raise InputError(msg)
    if member.compress_type not in _METHODS:
        msg = f"{name} is packed in an unusual way: make it again as a plain zip file"
        raise InputError(msg)
    if PurePosixPath(path).suffix.lower() in _ARCHIVE_SUFFIXES:
        raise _nested(name)


def _require_unique(members: list[zipfile.ZipInfo], name: str) -> None:
    seen = {member.filename.lower() for member in members}
    if len(seen) < len(members):
        msg = f"{name} holds two files of the same name: make the zip again"
        raise InputError(msg)


class _Walk:
    """Unpacks every member into nothing, and refuses the archive at the first piece too many."""

    def __init__(
        self, name: str, packed: int, limits: UploadLimits, *, refuses_definitions: bool
    ) -> None:
        self._name = name
        self._packed = packed
        self._limits = limits
        self._refuses_definitions = refuses_definitions
        self._unpacked = 0

    def through(self, bundle: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        """Walk through one member."""
        before = b""
        with bundle.open(member) as source:
            start = source.read(_CHUNK_BYTES)
            if start.startswith(_ARCHIVES):
                raise _nested(self._name)
            piece = start
            while piece:
                self._unpacked += len(piece)
                _require_size(self._unpacked, self._packed, self._name, self._limits)
                if self._refuses_definitions:
                    before = self._without_definitions(before, piece)
                piece = source.read(_CHUNK_BYTES)

    def _without_definitions(self, before: bytes, piece: bytes) -> bytes:
        """Look for definitions in a piece, and return the end of it for the next one."""
        # Without the zero bytes UTF-16 reads the same.
        text = before + piece.replace(b"\0", b"")
        if any(mark in text for mark in _DEFINITIONS):
            msg = f"{self._name} holds XML with definitions of its own: open it and save it again"
            raise InputError(msg)
        return text[-max(map(len, _DEFINITIONS)) :]


def _require_shapes(bundle: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str) -> None:
    """Require a Shapefile, and that each .shp is one."""
    paths = [(member, PurePosixPath(member.filename)) for member in members]
    # Macs add a shadow of each file in a folder of this name.
    shapes = [
        member
        for member, path in paths
        if path.suffix.lower() == ".shp" and "__MACOSX" not in path.parts
    ]
    if not shapes:
        msg = f"{name} is a zip with neither a Shapefile (.shp) nor a workbook (.xlsx) in it"
        raise InputError(msg)
    for member in shapes:
        with bundle.open(member) as source:
            if format_of(source.read(HEAD_BYTES)) != "ESRI Shapefile":
                msg = f"{name} holds a .shp that is no Shapefile: export it again"
                raise InputError(msg)


def _nested(name: str) -> InputError:
    return InputError(f"{name} holds another archive inside: unpack that and give what you need")
