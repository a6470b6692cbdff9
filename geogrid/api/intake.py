"""What becomes of an uploaded file: plain data, proven to be what it was sent as."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geogrid.io._gpkg import write_layers
from geogrid.io.guarded import read_upload, read_upload_tables
from geogrid.io.limit import read_limit
from geogrid.io.tables import read_households, read_stations
from geogrid.vocabulary import FileRole
from geogrid.workflow.audit import open_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS

    from geogrid.io.guarded import UploadLimits

__all__ = ["Taken", "taken_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file as it is kept.

    Attributes
    ----------
    content, name
        A GeoPackage, and what it was called as it came.
    facts
        ``rows`` that can be used, and ``notes`` about the others.
    """

    content: bytes
    name: str
    facts: Mapping[str, Any]


def taken_in(
    path: Path, name: str, role: FileRole, *, datum: str | None, crs: CRS | None,
    limits: UploadLimits,
) -> Taken:  # fmt: skip
    """Read a file that somebody uploaded and return it as plain data.

    Parameters
    ----------
    path
        The server's own copy of its bytes.
    name
        What the user called it.
    role
        What it was sent as: it must have what a job will look for.
    datum, crs
        Datum of its coordinates, and the metres of a table with ``x`` and ``y``.
    limits
        How much it may be and cost.

    Raises
    ------
    InputError
        If it cannot be used as that.
    """
    with tempfile.TemporaryDirectory(prefix="geogrid-intake-") as made:
        folder = Path(made)
        if role is FileRole.PLAN:
            return _plan(path, name, folder, limits)
        upload = read_upload(path, name=name, datum=datum, limits=limits)
        saved = upload.save(folder)
        # The datum of a map is settled by now.
        left = datum if upload.table is not None else None
        if role is FileRole.LIMIT:
            rows, notes = 1, read_limit(saved, datum=left).notes
        else:
            rows, notes, saved = _points(saved, role, left, crs)
        told = list(dict.fromkeys([*upload.notes, *notes]))
        return Taken(
            content=saved.read_bytes(), name=upload.name, facts={"rows": rows, "notes": told}
        )


def _points(
    path: Path, role: FileRole, datum: str | None, crs: CRS | None
) -> tuple[int, tuple[str, ...], Path]:
    """Write what a job needs of households or stations: no names of people, no phones."""
    read = read_households if role is FileRole.HOUSEHOLDS else read_stations
    table = read(path, crs=crs, datum=datum)
    kept = table.frame.drop(columns="row")
    return len(kept), table.notes, write_layers({role.value: kept}, path.with_name("points.gpkg"))


def _plan(path: Path, name: str, folder: Path, limits: UploadLimits) -> Taken:
    tables = read_upload_tables(path, name=name, limits=limits)
    saved = write_layers(tables, folder / "plan.gpkg")
    plan = open_plan(saved)
    cells = plan.labels[plan.scheme.area_levels[-1].key].nunique()
    shown = Path(name.replace("\\", "/")).name[-80:]
    return Taken(
        content=saved.read_bytes(), name=shown,
        facts={"rows": int(cells), "notes": list(plan.notes)},
    )  # fmt: skip
