"""What belongs to plans and projects, in the store: plan files, maps, and what was counted."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geogrid.errors import CrsError, StoreError
from geogrid.io._gpkg import write_layers
from geogrid.io.plan_file import read_plan_layers
from geogrid.vocabulary import FileRole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geogrid.io.plan_file import PlanExtras
    from geogrid.model.plan import GridPlan
    from geogrid.store import NewFile, PlanEntry, Store, StoredFile, Version

__all__ = [
    "BRANCH",
    "GPKG",
    "MOST_MAP_BYTES",
    "first_version",
    "keep_file",
    "keep_households",
    "keep_map",
    "keep_plan",
    "laid_out",
    "newest",
    "plan_named",
    "stored_layers",
]

BRANCH = "main"
GPKG = "application/geopackage+sqlite3"
# Larger maps stay where they are: a row of a database is no place for them.
MOST_MAP_BYTES = 200 * 1024**2
_PBF = "application/vnd.openstreetmap.data+pbf"
_XML = "application/vnd.openstreetmap.data+xml"
_MAP_ENDINGS = (".osm.pbf", ".osm.gz", ".osm")


def first_version(store: Store, plan_id: str) -> Version | None:
    """Return the version that a plan began with, ``None`` where it has none."""
    history = store.history(plan_id)
    return history[-1] if history else None


def plan_named(store: Store, project_id: str, name: str) -> PlanEntry | None:
    """Return the plan of a project that has a name, ``None`` where there is none."""
    title = name.strip()
    return next((one for one in store.plans(project_id) if one.name == title), None)


def keep_plan(
    store: Store, project_id: str, name: str, plan: GridPlan, *, actor: str, message: str,
    beside: Sequence[NewFile] = (),
) -> Version:  # fmt: skip
    """Put a plan into a project as the first version of a new plan, once for each message.

    It is there for nobody before all of it is, the files beside it too. Done again after it was
    interrupted, it goes on where it was: a plan of this name whose first version has this message
    is the one that was made, and an empty one of the same maker is used.

    Raises
    ------
    CrsError
        If the plan is in plain local metres.
    StoreError
        If another plan of the project has this name.
    """
    if plan.district.crs is None:
        msg = (
            f"{plan.district.name} is in plain local metres: to serve it, set a coordinate system "
            "(请先设置坐标系)"
        )
        raise CrsError(msg)
    entry = plan_named(store, project_id, name)
    if entry is None:
        entry = store.create_plan(project_id, name, actor=actor)
    known = first_version(store, entry.id)
    if known is not None and known.message == message:
        return known
    if known is not None or entry.created_by != actor:
        msg = f"the project has a plan {entry.name!r} already: choose another name (方案重名)"
        raise StoreError(msg)
    return store.commit(
        entry.id, BRANCH, None, plan, author=actor, message=message, allow_draft=True,
        beside=beside,
    )  # fmt: skip


def keep_file(
    store: Store,
    version: Version,
    path: Path,
    *,
    role: FileRole,
    name: str,
    actor: str,
    facts: Mapping[str, Any],
) -> StoredFile:
    """Keep a GeoPackage that belongs to a version, unless the plan has this very one already."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    known = store.files.find(plan_id=version.plan_id, role=role)
    for one in known:
        if one.sha256 == digest and one.version_id == version.id:
            return one
    return store.files.add(
        content, role=role, name=name, media=GPKG, actor=actor, facts=facts,
        project_id=_project_of(store, version.plan_id), plan_id=version.plan_id,
        version_id=version.id,
    )  # fmt: skip


def keep_households(
    store: Store, version: Version, points: gpd.GeoDataFrame, *, name: str, actor: str
) -> StoredFile:
    """Keep the household points of a plan, unless it has these very ones already.

    Parameters
    ----------
    points
        ``households`` and points in any coordinate system, ``household_id`` where the plan lists
        single households; no other column is kept.
    """
    columns = [one for one in ("household_id", "households") if one in points]
    table = gpd.GeoDataFrame(points[columns], geometry=points.geometry, crs=points.crs)
    with tempfile.TemporaryDirectory(prefix="geogrid-") as folder:
        path = write_layers({FileRole.HOUSEHOLDS.value: table}, Path(folder) / "points.gpkg")
        return keep_file(
            store, version, path, role=FileRole.HOUSEHOLDS, name=name, actor=actor,
            facts={"rows": len(table)},
        )  # fmt: skip


def keep_map(store: Store, project_id: str, path: Path, *, actor: str) -> StoredFile | None:
    """Keep the OSM extract of a project; ``None`` where it is too large and stays in its place."""
    if path.stat().st_size > MOST_MAP_BYTES:
        return None
    content = path.read_bytes()
    known = newest(store, FileRole.MAP, project_id=project_id)
    if known is not None and known.sha256 == hashlib.sha256(content).hexdigest():
        return known
    return store.files.add(
        content, role=FileRole.MAP, name=path.name, actor=actor, project_id=project_id,
        media=_PBF if path.suffix == ".pbf" else _XML,
    )  # fmt: skip


def newest(
    store: Store, role: FileRole, *, project_id: str | None = None, plan_id: str | None = None
) -> StoredFile | None:
    """Return the file of a role that came last, ``None`` where there is none."""
    found = store.files.find(project_id=project_id, plan_id=plan_id, role=role)
    return found[-1] if found else None


def laid_out(store: Store, file: StoredFile, folder: Path) -> Path:
    """Write a stored file into a folder, under a name that no letter of it can do harm with."""
    ending = ".gpkg"
    if file.role is FileRole.MAP:
        ending = next((one for one in _MAP_ENDINGS if file.name.endswith(one)), ".osm.pbf")
    target = folder / f"{file.role}-{file.id}{ending}"
    target.write_bytes(store.files.content(file.id))
    return target


def stored_layers(store: Store, file: StoredFile) -> PlanExtras:
    """Return stations, circles, defects and served households of a stored plan file."""
    with tempfile.TemporaryDirectory(prefix="geogrid-") as name:
        return read_plan_layers(laid_out(store, file, Path(name)))


def _project_of(store: Store, plan_id: str) -> str:
    entries = (one for project in store.projects() for one in store.plans(project.id))
    return next(one.project_id for one in entries if one.id == plan_id)
