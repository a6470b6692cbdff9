"""Reading files that strangers upload: judged by their bytes, read in a process without rights.

:func:`~geogrid.io.layer.read_layer` is for a user's own files. A file that came through the network
may be made to read other files of the server, to fetch addresses, or to eat its memory. Here
nothing of it is believed: its format is told by its bytes, an archive is walked through before it
is opened, and the libraries that parse it run in a fresh process with one driver, no network, no
files besides its own, bounded memory and time. What comes back is numbers, text and WKB.
"""

from __future__ import annotations

import csv
import tempfile
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.errors import CrsError, InputError
from geogrid.io._gpkg import write_layers
from geogrid.io._guard_limits import UploadLimits
from geogrid.io._guard_process import ask_guarded
from geogrid.io._guard_sniff import SUFFIX_OF_FORMAT, upload_format
from geogrid.io._guard_wire import names_files, unpack_layer, unpack_table
from geogrid.io.files import writing

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Upload", "UploadLimits", "read_upload", "read_upload_tables"]

_COPY_BYTES = 1024**2
_NAME_LENGTH = 80
_MESSAGE_LENGTH = 600
_NO_LIMITS = UploadLimits()
_DELIMITERS = "\t;，"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Upload:
    """An uploaded file as safe data: exactly one of ``layer`` and ``table`` is there.

    Attributes
    ----------
    name
        What the file was called, without folders and control characters.
    format
        What it is: ``GPKG GeoJSON FlatGeobuf KML``, ``ESRI Shapefile``, ``CSV`` or ``XLSX``.
    layer
        A map as :func:`~geogrid.io.layer.read_layer` returns it, in a metric frame.
    table
        The lines of a table, all text, missing is ""; titles and header are among them.
    notes
        Plain sentences about the reading.
    unguarded
        Walls that this system does not have, as sentences for the operator; empty on a usual
        Linux.
    """

    name: str
    format: str
    layer: gpd.GeoDataFrame | None
    table: pd.DataFrame | None
    notes: tuple[str, ...]
    unguarded: tuple[str, ...]

    def save(self, folder: Path) -> Path:
        """Write the safe data to a file that every reader of geogrid takes as any other.

        A map becomes a GeoPackage (its datum is settled: do not give it again), a table a CSV
        file with the same row numbers. Their names are the server's, not the user's.

        Returns
        -------
        Path
            ``upload.gpkg`` or ``upload.csv`` in the folder.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        if self.layer is not None:
            return write_layers({"layer": self.layer}, folder / "upload.gpkg")
        target = folder / "upload.csv"
        table = pd.DataFrame() if self.table is None else self.table
        with (
            writing(target) as draft,
            draft.open("w", encoding="utf-8-sig", newline="") as handle,
        ):
            csv.writer(handle).writerows(_lines(table))
        return target


def read_upload(
    source: Path | bytes,
    *,
    name: str,
    datum: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    limits: UploadLimits = _NO_LIMITS,
) -> Upload:
    """Read a map or a table that somebody uploaded.

    Parameters
    ----------
    source
        The bytes, or the server's own path of them. Never the user's text: a text is refused.
    name
        What the user called the file. It is shown, and used for nothing else.
    datum, encoding, layer
        As in :func:`~geogrid.io.layer.read_layer`; a table has none of them.
    limits
        How much the file may be and cost.

    Returns
    -------
    Upload
        The data, with what is to know about it.

    Raises
    ------
    InputError
        If it is none of the formats, is beyond a limit, or cannot be read.
    CrsError
        If the coordinate system of a map is unknown.
    """
    shown = _plain_name(name)
    with tempfile.TemporaryDirectory(prefix="geogrid-upload-", ignore_cleanup_errors=True) as made:
        folder = Path(made).resolve()
        stored = folder / "upload.bin"
        _store(source, stored, shown, limits)
        found = upload_format(stored, shown)
        # The folder's own name is random, so no text of the user can contain this one by chance.
        file = stored.rename(folder / f"{folder.name}{SUFFIX_OF_FORMAT[found]}")
        request = {
            "file": file.name, "name": shown, "format": found, "datum": datum,
            "encoding": encoding, "layer": layer, "limits": asdict(limits),
        }  # fmt: skip
        answer = ask_guarded(request, folder, limits)
        return _upload(answer, folder, shown)


def read_upload_tables(
    source: Path | bytes, *, name: str, limits: UploadLimits = _NO_LIMITS
) -> dict[str, pd.DataFrame]:
    """Read every layer and table of a GeoPackage that somebody uploaded, such as a plan file.

    Parameters
    ----------
    source, name, limits
        As for :func:`read_upload`.

    Returns
    -------
    dict
        By name: tables of text and numbers, and map layers with their numbers as they are.

    Raises
    ------
    InputError
        If it is no GeoPackage, is beyond a limit, or cannot be read.
    """
    shown = _plain_name(name)
    with tempfile.TemporaryDirectory(prefix="geogrid-upload-", ignore_cleanup_errors=True) as made:
        folder = Path(made).resolve()
        stored = folder / "upload.bin"
        _store(source, stored, shown, limits)
        if upload_format(stored, shown) != "GPKG":
            msg = f"{shown} is no plan file: give a .gpkg file that geogrid wrote (请给出方案文件)"
            raise InputError(msg)
        file = stored.rename(folder / f"{folder.name}.gpkg")
        request = {
            "file": file.name, "name": shown, "format": "GPKG", "limits": asdict(limits),
            "is_whole": True,
        }  # fmt: skip
        answer = ask_guarded(request, folder, limits)
        if "error" in answer:
            raise InputError(_line(answer["error"]))
        return _tables(answer.get("tables"), folder)


def _tables(packed: object, folder: Path) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = {}
    rows = packed if isinstance(packed, list) else []
    for number, one in enumerate(rows):
        if not isinstance(one, dict):
            msg = "the answer of the reading process is damaged"
            raise InputError(msg)
        is_map = "geometry" in one
        table = unpack_layer(one, folder / f"shapes-{number}.bin") if is_map else unpack_table(one)
        if any(names_files(str(value)) for value in _texts_of(table)):
            msg = "a coordinate system in the file names other files: export it again"
            raise InputError(msg)
        found[_line(one.get("name"))] = table
    return found


def _texts_of(table: pd.DataFrame) -> list[object]:
    """Return the values of meta data, where a plan file keeps its coordinate system."""
    return table["value"].tolist() if {"key", "value"} <= set(table.columns) else []


def _store(source: Path | bytes, target: Path, name: str, limits: UploadLimits) -> None:
    """Copy what came under a name of our own, and never more than is allowed."""
    if not isinstance(source, (Path, bytes)):
        msg = f"{name} was handed over as text: give its bytes, or the Path of the server's copy"
        raise InputError(msg)
    size = len(source) if isinstance(source, bytes) else _size(source, name)
    if size > limits.file_bytes:
        raise _too_large(name, limits)
    if isinstance(source, bytes):
        target.write_bytes(source)
        return
    left = limits.file_bytes
    with source.open("rb") as handle, target.open("wb") as sink:
        while piece := handle.read(_COPY_BYTES):
            left -= len(piece)
            if left < 0:
                raise _too_large(name, limits)
            sink.write(piece)


def _size(source: Path, name: str) -> int:
    if not source.is_file():
        msg = f"{name} is not a file that was uploaded: upload it again"
        raise InputError(msg)
    return source.stat().st_size


def _too_large(name: str, limits: UploadLimits) -> InputError:
    most = f"{limits.file_bytes / 1024**2:,.0f} MB"
    return InputError(f"{name} is larger than {most}: split it or leave out what is not needed")


def _plain_name(name: str) -> str:
    """Keep of a name what can be shown in one line: no folder, no control or format character."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(one for one in last if unicodedata.category(one)[0] != "C").strip()
    return shown[-_NAME_LENGTH:] or "the file"


def _upload(answer: dict[str, Any], folder: Path, name: str) -> Upload:
    if "error" in answer:
        kind = CrsError if answer.get("is_crs") is True else InputError
        raise kind(_line(answer["error"]))
    notes = _sentences(answer.get("notes"))
    layer = table = None
    if "layer" in answer:
        layer = unpack_layer(answer["layer"], folder / "shapes.bin")
        layer.attrs = {"source": _flat(answer.get("source")), "notes": list(notes)}
    else:
        table = _table(answer.get("lines"))
    return Upload(
        name=name, format=_line(answer.get("format")), layer=layer, table=table, notes=notes,
        unguarded=_sentences(answer.get("unguarded")),
    )  # fmt: skip


def _table(lines: object) -> pd.DataFrame:
    rows = lines if isinstance(lines, list) else []
    if not all(isinstance(row, list) for row in rows):
        msg = "the answer of the reading process is damaged"
        raise InputError(msg)
    width = max(map(len, rows), default=0)
    return pd.DataFrame(
        [[*map(str, row), *[""] * (width - len(row))] for row in rows],
        columns=range(width), dtype="str",
    )  # fmt: skip


def _lines(table: pd.DataFrame) -> list[list[str]]:
    """Return the lines to write, wide enough for the comma to be the usual mark in the first."""
    lines = [[str(value) for value in line] for line in table.itertuples(index=False, name=None)]
    first = next((line for line in lines if any(line)), [])
    rival = max((sum(value.count(mark) for value in first) for mark in _DELIMITERS), default=0)
    more = [""] * max(rival + 2 - table.shape[1], 0)
    return [[*line, *more] for line in lines]


def _flat(source: object) -> dict[str, Any]:
    """Keep of a source what is text or nothing: the reading process may be taken over."""
    known = source.items() if isinstance(source, dict) else ()
    return {str(key): one for key, one in known if one is None or isinstance(one, (str, bool))}


def _sentences(said: object) -> tuple[str, ...]:
    return tuple(_line(one) for one in said) if isinstance(said, list) else ()


def _line(said: object) -> str:
    return " ".join(str(said).split())[:_MESSAGE_LENGTH]
