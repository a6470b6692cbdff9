"""Divide a district along the natural lines of a map, prove it, measure who is served."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geogrid import schemes
from geogrid.atoms import barriers_of, build_atoms
from geogrid.coverage import verify_plan
from geogrid.divide import divide
from geogrid.io.estimate import EstimateRule, estimate_households
from geogrid.io.tables import split_households
from geogrid.model.source import Source
from geogrid.vocabulary import Contract
from geogrid.walking import WalkNetwork
from geogrid.workflow.inputs import MINUTES
from geogrid.workflow.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geogrid.model.district import District
    from geogrid.model.extract import OsmExtract
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach
    from geogrid.model.report import CoverageReport
    from geogrid.model.scheme import Scheme

__all__ = ["Division", "divide_district", "measure_service"]

# Atoms this much lighter than the finest cell let the division balance it to some percent.
_ATOMS_PER_CELL = 4
_MIN_ATOM_HOUSEHOLDS = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """A proven (or refuted) plan with what it was made from.

    Attributes
    ----------
    plan, report
        The plan carries the report's certificate.
    households, outside
        The household points inside the limit, and those beyond it.
    extract
        The map.
    notes
        Plain sentences about what was assumed.
    """

    plan: GridPlan
    report: CoverageReport
    households: gpd.GeoDataFrame
    outside: gpd.GeoDataFrame
    extract: OsmExtract
    notes: tuple[str, ...]


def divide_district(  # noqa: PLR0913 - the main job in one call
    district: District,
    extract: OsmExtract,
    *,
    households: gpd.GeoDataFrame | None = None,
    household_source: Source | None = None,
    scheme: str | Scheme = "huayang",
    sources: Sequence[Source] = (),
    seed: int = 0,
    wishes: Wishes | None = None,
    stage: Callable[[str], None] = lambda _: None,
) -> Division:
    """Divide a district along the natural lines of a map and prove the result.

    Parameters
    ----------
    district, extract
        What to divide and the map that shows it.
    households
        Points with ``households``; estimated from the buildings where absent. ``building,
        entrance, floor, compound`` say where a household is, ``merchants`` how many shops there
        are (counted per cell, balanced in none).
    household_source
        Where they came from.
    scheme
        A scheme, its name or its file.
    sources
        Where the other inputs came from.
    seed
        The same seed gives the same plan.
    wishes
        Official cells, numbers, special areas, locks, an old plan.
    stage
        Told in one word or two what is being done.

    Returns
    -------
    Division
        The plan with its certificate.
    """
    chosen = schemes.load(scheme) if isinstance(scheme, str) else scheme
    buildings = extract.buildings
    buildings = buildings[buildings.intersects(district.limit)]
    notes: list[str] = []
    if households is None:
        rule = EstimateRule()
        households = estimate_households(buildings, rule=rule)
        households = households[households["households"] > 0]
        household_source = replace(
            extract.source, role="households", is_estimated=True, note=rule.note_zh
        )
        notes.append(rule.note)
    inside, outside = split_households(households, district)
    if household_source is not None and household_source.is_estimated:
        # Homes across the limit are the neighbour's; only rows of a given table can be lost.
        outside = outside.iloc[:0]
    if not int(inside["households"].sum()):
        notes.append("there is not one household inside the limit: cells are not balanced by any")
    if household_source is None:
        household_source = Source(role="households", name="table")
    stage("atoms")
    wishes = wishes or Wishes()
    atoms = build_atoms(
        district,
        _barriers(extract, wishes.barriers(chosen)),
        households=inside,
        buildings=buildings,
        max_households=_atom_cap(chosen),
    )
    stage("division")
    plan = divide(
        district,
        atoms,
        chosen,
        households=inside if _lists_households(chosen) or "merchants" in inside else None,
        locked=wishes.locks(atoms, chosen),
        seed=seed,
        counts=wishes.counts,
        upper=wishes.upper,
        kinds=wishes.kinds,
        groups=wishes.groups,
        near=wishes.near,
        sources=(*sources, extract.source, household_source),
    )
    stage("proof")
    report = verify_plan(plan, households=inside)
    leaf = report.certificate.levels[-1]
    plan = replace(plan, certificate=report.certificate, version=leaf.digest[:12])
    return Division(
        plan=plan,
        report=report,
        households=inside,
        outside=outside,
        extract=extract,
        notes=(*notes, *plan.notes, *_merchant_notes(plan), *report.notes),
    )


def _merchant_notes(plan: GridPlan) -> tuple[str, ...]:
    """Say where cells that count merchants (街区) have none to count."""
    if "merchants" in plan.atoms.frame:
        return ()
    kinds = {
        (level.key, kind): plan.cell_table["level"].eq(level.key) & plan.cell_table["kind"].eq(kind)
        for level in plan.scheme.area_levels
        for kind, counted in level.kind_counts
        if counted == "merchants"
    }
    return tuple(
        f"{int(rows.sum())} cells of kind {kind} at level {key} count merchants, and no table "
        f"says how many there are: give the households a column 商户数 (merchants)"
        for (key, kind), rows in kinds.items()
        if rows.any()
    )


def _barriers(extract: OsmExtract, limits: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add the borders that somebody fixed to the lines of the map."""
    lines = barriers_of(extract)
    if limits.empty:
        return lines
    if limits.crs is not None and lines.crs is not None:
        limits = limits.to_crs(lines.crs)
    return gpd.GeoDataFrame(pd.concat([lines, limits], ignore_index=True), crs=lines.crs)


def _lists_households(scheme: Scheme) -> bool:
    """Tell whether a level lists single households, which only their points can do."""
    return any(level.contract is not Contract.AREA for level in scheme.levels)


def _atom_cap(scheme: Scheme) -> int | None:
    """Households from which a block is cut between its buildings."""
    bands = [level.band for level in scheme.area_levels if level.band is not None]
    target = bands[-1].target if bands else None
    return None if target is None else max(_MIN_ATOM_HOUSEHOLDS, round(target / _ATOMS_PER_CELL))


def measure_service(
    division: Division,
    stations: gpd.GeoDataFrame,
    *,
    minutes: Sequence[float] = MINUTES,
    preset: str | None = None,
) -> Reach:
    """Measure which households of a division reach which station on foot."""
    network = WalkNetwork.from_osm(division.extract)
    return network.reach(
        stations,
        minutes=tuple(minutes),
        preset=preset,
        households=division.households,
        look="display",
    )
