"""What the commands about walking read, and the reach that they measure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from geogrid.errors import InputError
from geogrid.io.estimate import estimate_households
from geogrid.io.heights import read_heights
from geogrid.io.tables import read_households, read_stations
from geogrid.io.tier_file import read_tiers
from geogrid.osm import read_osm
from geogrid.walking import WalkNetwork
from geogrid.walking.slope import Ground
from geogrid.workflow import require_near

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    import geopandas as gpd

    from geogrid.io.tables import HouseholdTable, StationTable
    from geogrid.model.extract import OsmExtract
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach
    from geogrid.model.source import Source

__all__ = ["ReachInputs", "columns_of", "ground_of", "measured", "read_reach_inputs"]

_MINUTES = (5.0, 15.0)
_MOST_ROWS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class ReachInputs:
    """Files that were read.

    Attributes
    ----------
    extract, network, stations
        The map, its streets, and where people walk to.
    households
        As points; ``None`` where circles alone are wanted.
    sources
        Where map, stations and households came from.
    rejected
        Rows of both tables that could not be used.
    notes
        Plain sentences about what was assumed.
    """

    extract: OsmExtract
    network: WalkNetwork
    stations: StationTable
    households: gpd.GeoDataFrame | None = None
    sources: Sequence[Source] = ()
    rejected: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def is_estimated(self) -> bool:
        """Whether households were estimated from buildings."""
        return any(source.is_estimated for source in self.sources)


def read_reach_inputs(
    options: Namespace, *, plan: GridPlan | None = None, needs_households: bool = False
) -> ReachInputs:
    """Read the map, the stations and the households of a command.

    Parameters
    ----------
    options
        Of the command.
    plan
        Estimated households outside its district are the neighbour's.
    needs_households
        Estimate households from the buildings of the map where no table is given.
    """
    extract = read_osm(Path(options.osm))
    network = WalkNetwork.from_osm(extract)
    stations = read_stations(Path(options.stations), crs=network.crs, datum=options.stations_datum)
    require_near(network, stations.frame, what="stations")
    sources: list[Source] = [extract.source, stations.source]
    notes, rejected = _rejected(stations, "服务站 stations")
    households = None
    if getattr(options, "households", None) is not None:
        table = read_households(
            Path(options.households),
            crs=network.crs,
            datum=options.households_datum,
            columns=columns_of(options.column),
        )
        require_near(network, table.frame, what="households")
        households = table.frame
        sources.append(table.source)
        told, lost = _rejected(table, "住户 households")
        notes, rejected = [*notes, *told], rejected + lost
    elif getattr(options, "column", None):
        msg = "--column names a column of --households: give that file too"
        raise InputError(msg)
    elif needs_households:
        households, source, told = _estimated(extract, plan)
        sources.append(source)
        notes = [*notes, *told]
    return ReachInputs(
        extract=extract,
        network=network,
        stations=stations,
        households=households,
        sources=sources,
        rejected=rejected,
        notes=notes,
    )


def _rejected(table: StationTable | HouseholdTable, what: str) -> tuple[list[str], int]:
    """Return what was told about a table; each row that cannot be used is named with its reason."""
    rows = table.rejected
    told = [
        f"{what}: 第 {row} 行不能用 row cannot be used: {reason}"
        for row, reason in zip(rows["row"].head(_MOST_ROWS), rows["reason"], strict=False)
    ]
    return [*table.notes, *told], len(rows)


def _estimated(
    extract: OsmExtract, plan: GridPlan | None
) -> tuple[gpd.GeoDataFrame, Source, list[str]]:
    found = estimate_households(extract.buildings)
    notes = ["户数按建筑面积估算 households are estimated", *found.attrs["notes"]]
    found = found[found["households"] > 0]
    if plan is not None:
        there = found if plan.district.crs is None else found.to_crs(plan.district.crs)
        found = found[shapely.intersects(plan.district.limit, there.geometry.to_numpy())]
    if found.empty:
        msg = "the map shows no dwelling to estimate households from: give --households"
        raise InputError(msg)
    return found, replace(extract.source, role="households", is_estimated=True), notes


def columns_of(pairs: Sequence[str]) -> dict[str, str] | None:
    """Return which header is what, from ``WHAT=HEADER``."""
    for pair in pairs:
        if "=" not in pair:
            msg = f"--column {pair} does not say which header: write it as households=户数"
            raise InputError(msg)
    return dict(pair.split("=", 1) for pair in pairs) or None


def ground_of(options: Namespace) -> Ground:
    """Return heights and stairs of a command."""
    path = getattr(options, "heights", None)
    return Ground(
        heights=None if path is None else read_heights(path),
        steps_factor=getattr(options, "steps_factor", 1.0),
    )


def measured(inputs: ReachInputs, options: Namespace, ground: Ground, **look: Any) -> Reach:  # noqa: ANN401
    """Measure the reach that a command asks for."""
    minutes = options.minutes
    if minutes is None and options.metres is None:
        minutes = _MINUTES
    return inputs.network.reach(
        inputs.stations.frame,
        minutes=None if minutes is None else tuple(minutes),
        metres=None if options.metres is None else tuple(options.metres),
        preset=options.preset,
        speed_kmh=options.speed,
        households=inputs.households,
        direction=options.direction,
        max_snap_m=options.max_snap,
        tiers=read_tiers(options.tiers),
        heights=ground.heights,
        steps_factor=ground.steps_factor,
        **look,
    )
