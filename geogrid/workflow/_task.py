"""A job at work: what it was given, and what it puts into the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd

from geogrid.errors import InputError
from geogrid.store import NewFile
from geogrid.vocabulary import FileRole
from geogrid.workflow.keeping import GPKG, keep_file, keep_plan, laid_out, newest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from geogrid.model.plan import GridPlan
    from geogrid.store import Store, StoredFile, Version
    from geogrid.store.jobs import Job

__all__ = ["Beside", "Cancelled", "Task"]


class Cancelled(Exception):  # noqa: N818 - nothing went wrong
    """Somebody asked the job to stop."""


class Beside(NamedTuple):
    """A GeoPackage that belongs to a plan that a job made."""

    role: FileRole
    path: Path
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A job at work.

    Attributes
    ----------
    store, job
        Where it works, and what is to do.
    folder
        An empty folder of its own.
    tell
        Says how far it is, from 0 to 1, and what it does; raises :class:`Cancelled` when it was
        asked to stop.
    maps
        By project, an OSM extract that is too large for the store.
    """

    store: Store
    job: Job
    folder: Path
    tell: Callable[[float, str], None]
    maps: Mapping[str, Path] = field(default_factory=dict)

    @property
    def project_id(self) -> str:
        """The project that it works for."""
        return str(self.job.input["project"])

    @property
    def message(self) -> str:
        """What its version says, and by which its plan is found when it is done again."""
        return f"job {self.job.id}"

    def file(self, key: str) -> StoredFile | None:
        """Return the file that was given under a key, ``None`` where none was."""
        known = self.job.input.get(key)
        return None if not known else self.store.files.get(str(known))

    def laid_out(self, file: StoredFile) -> Path:
        """Write a stored file into the folder."""
        return laid_out(self.store, file, self.folder)

    def map_path(self) -> Path:
        """Return a file with the map of the project.

        Raises
        ------
        InputError
            If it has none.
        """
        if self.project_id in self.maps:
            return self.maps[self.project_id]
        found = newest(self.store, FileRole.MAP, project_id=self.project_id)
        if found is None:
            msg = (
                "the project has no map to walk and divide on: start the service with --osm FILE "
                "(项目没有底图，请用 --osm 启动服务)"
            )
            raise InputError(msg)
        return self.laid_out(found)

    def keep(
        self, version: Version, path: Path, role: FileRole, facts: Mapping[str, Any]
    ) -> StoredFile:
        """Keep a GeoPackage that was made for a version, once however often the job is begun."""
        for known in self.store.files.find(plan_id=version.plan_id, role=role):
            if known.facts.get("job") == self.job.id:
                return known
        return keep_file(
            self.store, version, path, role=role, name=f"{role}.gpkg", actor=self.job.owner,
            facts={"job": self.job.id, **facts},
        )  # fmt: skip

    def keep_plan(self, plan: GridPlan, beside: Sequence[Beside]) -> dict[str, Any]:
        """Put a plan into the project as ``name``, whole or not at all, and return the result.

        Parameters
        ----------
        beside
            The files that belong to it; the last one has what was counted.
        """
        files = [
            NewFile(
                content=one.path.read_bytes(), role=one.role, name=f"{one.role}.gpkg", media=GPKG,
                facts={"job": self.job.id, **one.facts},
            )
            for one in beside
        ]  # fmt: skip
        version = keep_plan(
            self.store, self.project_id, str(self.job.input["name"]), plan, actor=self.job.owner,
            message=self.message, beside=files,
        )  # fmt: skip
        # An older program stored the files one by one, and may have died between them.
        kept = [self.keep(version, one.path, one.role, one.facts) for one in beside]
        return self.result(kept[-1])

    def result(self, service: StoredFile) -> dict[str, Any]:
        """Return what came of it, from the file that was kept last."""
        return {
            "plan": service.plan_id, "version": service.version_id, "file": service.id,
            "notes": list(service.facts.get("notes", ())),
        }  # fmt: skip


def outline(plan: GridPlan) -> gpd.GeoSeries:
    """Return the limit of a plan as a map is read around it."""
    return gpd.GeoSeries([plan.district.limit], crs=plan.district.crs)


def told(notes: Sequence[str]) -> list[str]:
    """Return notes as facts of a file keep them: each once."""
    return list(dict.fromkeys(notes))
