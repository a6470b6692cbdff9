"""The process that reads one strange file: it may fail, be killed or lie, and nothing else.

It is started by :mod:`geogrid.io._guard_process` with a folder that holds ``request.json`` and the
file, and leaves ``answer.json`` and ``shapes.bin`` there.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio

from geogrid.errors import CrsError, InputError
from geogrid.io._gpkg import layer_names, read_layer_as_is
from geogrid.io._guard_gpkg import require_plain_tables
from geogrid.io._guard_jail import bound_resources, close_files, close_network
from geogrid.io._guard_limits import UploadLimits
from geogrid.io._guard_sniff import DRIVER_OF_FORMAT
from geogrid.io._guard_table import table_lines
from geogrid.io._guard_wire import load_json, pack_layer, pack_table
from geogrid.io._guard_zip import zip_content
from geogrid.io._raw import read_raw
from geogrid.io.layer import locate

__all__ = ["answer_request", "main"]


def main(folder: Path) -> None:
    """Lock the process into ``folder``, read the file there and leave an answer."""
    request = load_json(folder / "request.json")
    limits = UploadLimits(**request["limits"])
    if request["format"] == "zip":
        # Loading it reads a table of the system, which is closed below. It is optional.
        with suppress(ImportError):
            importlib.import_module("openpyxl")
    # The files come last: the limits are measured from what the system says in one of them.
    unguarded = [*close_network(), *bound_resources(limits), *close_files(folder)]
    try:
        answer = answer_request(request, folder, limits)
    except CrsError as error:
        answer = {"error": _shown(error, request), "is_crs": True}
    except InputError as error:
        answer = {"error": _shown(error, request)}
    except MemoryError:
        answer = {"error": f"{request['name']} needs more memory than is allowed: split it"}
    text = json.dumps({**answer, "unguarded": unguarded}, ensure_ascii=False)
    (folder / "answer.json").write_text(text, encoding="utf-8", errors="surrogatepass")


def answer_request(request: dict[str, Any], folder: Path, limits: UploadLimits) -> dict[str, Any]:
    """Read the file of a request and return what JSON can hold of it.

    Raises
    ------
    InputError
        If it cannot be read or is beyond the limits.
    """
    file, name, kind = folder / request["file"], request["name"], request["format"]
    foreign = set(pyogrio.list_drivers()) - {DRIVER_OF_FORMAT[kind]}
    if foreign:
        msg = "the reading process was not cut down to one format: do not start it by hand"
        raise InputError(msg)
    if kind == "zip":
        kind = zip_content(file, name, limits)
    if kind in ("CSV", "XLSX"):
        lines, notes = table_lines(file, name, kind, limits)
        return {"format": kind, "lines": lines, "notes": list(notes)}
    if kind == "GPKG":
        require_plain_tables(file, name)
    if request.get("is_whole"):
        return {"format": kind, "tables": _all_tables(file, name, folder, limits)}
    raw = read_raw(file, encoding=request["encoding"], layer=request["layer"])
    _require_counts(raw.frame, name, limits)
    frame = locate(replace(raw, name=name), datum=request["datum"])
    packed = pack_layer(frame, folder / "shapes.bin")
    notes = tuple(_unnamed(note, request) for note in frame.attrs["notes"])
    return {
        "format": kind, "layer": packed, "source": frame.attrs["source"],
        "notes": [*notes, *packed.pop("notes")],
    }  # fmt: skip


def _all_tables(file: Path, name: str, folder: Path, limits: UploadLimits) -> list[dict[str, Any]]:
    """Pack every layer and table of a GeoPackage, bounded together as one layer is."""
    packed: list[dict[str, Any]] = []
    total = 0
    for number, layer in enumerate(layer_names(file)):
        table = read_layer_as_is(file, layer)
        total += table.size
        if total > limits.cells or number > limits.entries:
            msg = f"{name} holds more than is allowed: split or simplify it"
            raise InputError(msg)
        if isinstance(table, gpd.GeoDataFrame):
            _require_counts(table, name, limits)
            packed.append({"name": layer, **pack_layer(table, folder / f"shapes-{number}.bin")})
        else:
            packed.append({"name": layer, **pack_table(table)})
    return packed


def _require_counts(frame: Any, name: str, limits: UploadLimits) -> None:  # noqa: ANN401
    vertices = int(frame.geometry.count_coordinates().sum())
    counts = {
        "features": (len(frame), limits.features),
        "vertices": (vertices, limits.vertices),
        "values": (frame.size, limits.cells),
    }
    for what, (count, most) in counts.items():
        if count > most:
            msg = f"{name} has {count} {what}, {most} are allowed: split or simplify it"
            raise InputError(msg)


def _shown(error: Exception, request: dict[str, Any]) -> str:
    return _unnamed(str(error), request)


def _unnamed(text: str, request: dict[str, Any]) -> str:
    """Put the name that the user knows in the place of the temporary one."""
    return text.replace(str(request["file"]), str(request["name"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
