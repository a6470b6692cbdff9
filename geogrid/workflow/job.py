"""The main job on files: read, divide, prove, walk, write."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geogrid.errors import GeogridError, InputError, OutputError
from geogrid.io.plan_file import write_plan
from geogrid.io.tables import write_outside, write_rejected
from geogrid.maps.plan_map import write_map
from geogrid.workflow.division import Division, divide_district, measure_service
from geogrid.workflow.inputs import (
    Households,
    Job,
    Stations,
    read_households_of,
    read_place,
    read_stations_of,
)
from geogrid.workflow.summary import summary_of
from geogrid.workflow.wishes import read_wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geogrid.model.reach import Reach

__all__ = ["Outcome", "run_job", "write_outcome"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What a job made: the plan, the reach, the files and the summary."""

    division: Division
    reach: Reach
    files: Mapping[str, Path]
    summary: Mapping[str, Any]

    @property
    def has_findings(self) -> bool:
        """Whether something needs a person: no proof, rows or stations that could not be used."""
        counts = ("households_outside", "households_rejected", "stations_rejected", "off_network")
        return not self.division.report.is_proven or any(self.summary[key] for key in counts)


def run_job(job: Job, out: Path, *, stage: Callable[[str], None] = lambda _: None) -> Outcome:
    """Do the whole main job and write its files into a folder.

    Parameters
    ----------
    job
        Files and settings.
    out
        The folder; made where absent. Files of the same names there are replaced, all of them or
        none.
    stage
        Told what is being done.

    Returns
    -------
    Outcome
        The plan, the reach, the files by role and the summary.

    Raises
    ------
    InputError
        If an input cannot be used; nothing is written then.
    OutputError
        If a file cannot be written.
    """
    stage("reading")
    limit, extract = read_place(job)
    households = read_households_of(job, limit)
    stations = read_stations_of(job, limit, extract)
    division = divide_district(
        limit.district,
        extract,
        households=households.frame,
        household_source=households.source,
        scheme=job.scheme,
        sources=(limit.source, stations.source),
        seed=job.seed,
        wishes=read_wishes(job, limit.district),
        stage=stage,
    )
    stage("walking")
    reach = measure_service(division, stations.frame, minutes=job.minutes, preset=job.preset)
    stage("writing")
    files = write_outcome(out, division, reach, stations, households)
    summary = {
        **summary_of(division.plan, division.report, reach),
        "households_outside": int(division.outside["households"].sum()),
        "households_rejected": len(households.rejected),
        "stations_rejected": len(stations.rejected),
        "stand_ins": stations.are_stand_ins,
        "notes": [*limit.notes, *households.notes, *stations.notes, *division.notes],
        "files": {role: str(path) for role, path in files.items()},
    }
    return Outcome(division=division, reach=reach, files=files, summary=summary)


def write_outcome(
    out: Path, division: Division, reach: Reach, stations: Stations, households: Households
) -> dict[str, Path]:
    """Write every file beside the folder first, then move them in together."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".geogrid-", dir=out) as name:
            drafts = _write_into(Path(name), division, reach, stations, households)
            files = {role: out / draft.name for role, draft in drafts.items()}
            taken = [path for path in files.values() if path.is_dir()]
            if taken:
                msg = f"{taken[0]} is a folder: choose another folder with --out"
                raise OutputError(msg)
            for role, draft in drafts.items():
                os.replace(draft, files[role])  # noqa: PTH105 - replaces an existing file
    except OSError as error:
        if isinstance(error, GeogridError):
            raise
        msg = f"nothing can be written to {out} ({error.strerror}): choose another with --out"
        raise InputError(msg) from error
    return files


def _write_into(
    folder: Path, division: Division, reach: Reach, stations: Stations, households: Households
) -> dict[str, Path]:
    files = {"plan": folder / "plan.gpkg", "map": folder / "map.html"}
    write_plan(
        division.plan,
        files["plan"],
        reach=reach,
        stations=stations.frame,
        report=division.report,
    )
    write_map(
        division.plan,
        files["map"],
        extract=division.extract,
        stations=stations.frame,
        reach=reach,
        report=division.report,
    )
    if len(division.outside):
        path = folder / "households_outside.csv"
        files["outside"] = write_outside(division.outside, path)
    if len(households.rejected):
        path = folder / "households_rejected.csv"
        files["rejected"] = write_rejected(households.rejected, path)
    if len(stations.rejected):
        path = folder / "stations_rejected.csv"
        files["stations_rejected"] = write_rejected(stations.rejected, path)
    return files
