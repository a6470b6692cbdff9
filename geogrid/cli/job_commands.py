"""Commands that make a plan from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.cli._warm_up import warm_up
from geogrid.cli.divide_commands import division_wishes
from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.divide import warm as divide_loops
from geogrid.errors import InputError
from geogrid.io.plan_file import write_plan
from geogrid.io.tables import write_outside, write_rejected
from geogrid.walking import warm as walking_loops
from geogrid.workflow import (
    Job,
    PlaceJob,
    demo_job,
    divide_district,
    read_households_of,
    read_place,
    read_wishes,
    run_job,
    run_place,
    summary_of,
)

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal

__all__ = ["demo", "divide", "run"]


def demo(options: Namespace, terminal: Terminal) -> int:
    """Do the whole main job on the data that ships."""
    if options.place is None:
        if options.limit is not None:
            msg = "--limit belongs to --place: name the place, or use geogrid run for your own data"
            raise InputError(msg)
        return _whole(demo_job(), options.out, terminal)
    warm_up(divide_loops, walking_loops)
    job = PlaceJob(
        name=options.place,
        limit=_path(options.limit),
        limit_datum=options.datum,
        seed=options.seed,
    )
    with terminal.stages() as stage:
        outcome = run_place(job, Path(options.out), stage=stage)
    terminal.summary(outcome.summary)
    return FINDINGS if outcome.has_findings else SOUND


def run(options: Namespace, terminal: Terminal) -> int:
    """Do the whole main job on the user's files."""
    warm_up(divide_loops, walking_loops)
    job = replace(
        _job(options),
        stations=_path(options.stations),
        stations_datum=options.stations_datum,
        preset=options.preset,
        minutes=tuple(options.minutes),
    )
    return _whole(job, options.out, terminal)


def _whole(job: Job, out: str, terminal: Terminal) -> int:
    with terminal.stages() as stage:
        outcome = run_job(job, Path(out), stage=stage)
    terminal.summary(outcome.summary)
    return FINDINGS if outcome.has_findings else SOUND


def divide(options: Namespace, terminal: Terminal) -> int:
    """Divide a district into a plan file."""
    warm_up(divide_loops, walking_loops)
    job = _job(options)
    out = Path(options.out)
    with terminal.stages() as stage:
        stage("reading")
        limit, extract = read_place(job)
        households = read_households_of(job, limit)
        division = divide_district(
            limit.district,
            extract,
            households=households.frame,
            household_source=households.source,
            scheme=job.scheme,
            sources=(limit.source,),
            seed=job.seed,
            wishes=read_wishes(job, limit.district),
            stage=stage,
        )
        stage("writing")
        files = {"plan": write_plan(division.plan, out, report=division.report)}
        beside = f"{out.stem}_households"
        if len(division.outside):
            path = out.with_name(f"{beside}_outside.csv")
            files["outside"] = write_outside(division.outside, path)
        if len(households.rejected):
            path = out.with_name(f"{beside}_rejected.csv")
            files["rejected"] = write_rejected(households.rejected, path)
    values = summary_of(division.plan, division.report)
    values["households_outside"] = int(division.outside["households"].sum())
    values["households_rejected"] = len(households.rejected)
    values["notes"] = [*limit.notes, *households.notes, *division.notes]
    values["files"] = {role: str(path) for role, path in files.items()}
    terminal.summary(values)
    is_sound = division.report.is_proven and set(files) == {"plan"}
    return SOUND if is_sound else FINDINGS


def _job(options: Namespace) -> Job:
    return Job(
        limit=Path(options.limit),
        osm=Path(options.osm),
        households=_path(options.households),
        scheme=options.scheme,
        limit_name=options.limit_name,
        limit_layer=options.limit_layer,
        limit_datum=options.datum,
        households_datum=options.households_datum,
        columns=_columns(options.column),
        seed=options.seed,
        **division_wishes(options),
    )


def _columns(pairs: list[str]) -> dict[str, str] | None:
    for pair in pairs:
        if "=" not in pair:
            msg = f"--column {pair} does not say which header: write it as households=户数"
            raise InputError(msg)
    return dict(pair.split("=", 1) for pair in pairs) or None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
