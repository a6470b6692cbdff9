"""Which sites were chosen for new stations, whom they newly serve, and how good that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geogrid.model.whereabouts import cells_of_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geogrid.model.plan import GridPlan

__all__ = ["Siting", "SitingStep", "WhatIf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitingStep:
    """How far a search for sites has come.

    Attributes
    ----------
    seconds
        Of the exact search; 0 when the first answer is there.
    objective, bound
        As in :class:`Siting`.
    """

    seconds: float
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        """Share by which the bound still differs from the objective."""
        return _gap(self.objective, self.bound)


@dataclass(frozen=True, kw_only=True, eq=False)
class Siting:
    """New stations among candidates, with the proof of how good they are.

    Attributes
    ----------
    chosen
        One row a new station, the one that adds most first: ``rank, station, newly_served``
        (households that no existing station and none above it serves), ``cumulative``,
        ``in_reach`` (all households that it could serve alone), then what else was given of the
        candidate, ``geometry``. With objective ``median`` also ``saved_m``: metres of walking that
        it saves all households together.
    candidates
        One row an input row, with its index: ``station, status`` (``off_network`` takes no part),
        ``in_reach``, ``newly_in_reach`` (not served by an existing station), ``rank`` (0 when not
        chosen), ``one_more`` (what it would newly serve beside all chosen), then as given,
        ``geometry``.
    households
        One row an input row, with its index: ``households, served_before, newly_served`` (both
        count households of the row), ``station`` (which new station newly serves it, the first by
        rank, "" for none), ``status, geometry``. Points of where people live: never publish them.
    gains
        ``household`` (row position), ``rank`` and ``households``: how many households of a row each
        new station newly serves.
    kind
        ``cover`` (most households newly served), ``share`` (fewest stations for a share) or
        ``median`` (shortest mean walk).
    objective
        Households newly served, number of new stations, or metres of the mean walk.
    bound
        What no choice among these candidates can beat: never less than the objective of ``cover``,
        never more than that of the others.
    k, share, target, capacity
        What was asked for; ``target`` is the number of households that the share comes to.
    limit
        The walk that counts as served, in ``unit``.
    unit
        ``minutes`` or ``metres``.
    reachable
        Households that existing stations and all candidates together could serve, each station
        as many as come.
    notes
        Plain sentences about what was left out.
    assumptions
        What stands behind the numbers, for printing.
    """

    chosen: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    gains: pd.DataFrame
    kind: str
    objective: float
    bound: float
    k: int | None
    share: float | None
    target: int | None
    capacity: int | None
    limit: float
    unit: str
    reachable: int
    notes: tuple[str, ...]
    assumptions: Mapping[str, Any]

    @property
    def gap(self) -> float:
        """Share by which the bound differs from the objective; 0 is proven best."""
        return _gap(self.objective, self.bound)

    @property
    def is_proven(self) -> bool:
        """Whether no choice can be better."""
        return self.objective == self.bound

    @property
    def total(self) -> int:
        """All households."""
        return int(self.households["households"].sum())

    @property
    def served_before(self) -> int:
        """Households that the existing stations serve."""
        return int(self.households["served_before"].sum())

    @property
    def newly_served(self) -> int:
        """Households that are served by the new stations only."""
        return int(self.households["newly_served"].sum())

    @property
    def served_after(self) -> int:
        """Households that existing and new stations serve."""
        return self.served_before + self.newly_served

    def by_cell(self, plan: GridPlan, level: str) -> pd.DataFrame:
        """Count per cell who was served, is newly served and stays unserved.

        Parameters
        ----------
        plan
            The plan; its frame may differ from the network's.
        level
            Key, name or alias of a level with cells made of atoms.

        Returns
        -------
        DataFrame
            Indexed by ``code``, every cell: ``households, served_before, newly_served, unserved,
            share`` (served in the end; NaN in a cell without households). ``attrs["outside"]``
            counts households in no cell.

        Raises
        ------
        InputError
            If the plan has no such level, or its cells are not made of atoms.
        CrsError
            If only one of plan and siting has a coordinate system.
        """
        return _by_cell(self.households, plan, level)

    def by_station(self, plan: GridPlan, level: str) -> pd.DataFrame:
        """Tell in which cells each new station newly serves how many households.

        Returns
        -------
        DataFrame
            ``rank, station, code, newly_served``: the cells of each new station, most households
            first, then by code; ``code`` is "" for households in no cell. A household counts for
            the first station by rank that serves it, so nothing is counted twice.

        Raises
        ------
        InputError
            If the plan has no such level, or its cells are not made of atoms.
        CrsError
            If only one of plan and siting has a coordinate system.
        """
        codes, cell = cells_of_points(plan, level, self.households)
        code = np.append(codes, "")[cell[self.gains["household"].to_numpy()]]
        facts = pd.DataFrame(
            {"rank": self.gains["rank"], "code": code, "newly_served": self.gains["households"]}
        )
        table = pd.DataFrame(facts.groupby(["rank", "code"], as_index=False).sum())
        names = dict(zip(self.chosen["rank"], self.chosen["station"], strict=True))
        table.insert(1, "station", table["rank"].map(names).astype("str"))
        order = ["rank", "newly_served", "code"]
        return table.sort_values(order, ascending=[True, False, True], ignore_index=True)

    def summary(self) -> dict[str, Any]:
        """Return the headline numbers as plain JSON values."""
        chosen = self.chosen
        columns = ["rank", "station", "newly_served", "cumulative", "in_reach"]
        off = self.candidates["status"] == "off_network"
        return {
            "kind": self.kind,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "is_proven": self.is_proven,
            "k": self.k,
            "share": self.share,
            "target": self.target,
            "capacity": self.capacity,
            "limit": self.limit,
            "unit": self.unit,
            "households": self.total,
            "served_before": self.served_before,
            "newly_served": self.newly_served,
            "served_after": self.served_after,
            "reachable": self.reachable,
            "candidates": len(self.candidates),
            "off_network": self.candidates["station"][off].tolist(),
            "chosen": pd.DataFrame(chosen)[columns].to_dict("records"),
            "notes": list(self.notes),
            "assumptions": dict(self.assumptions),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class WhatIf:
    """Who would be served if some stations opened and others closed.

    Attributes
    ----------
    newly_served, lost
        Households that would be served and are not, and the other way round.
    served_before, served_after
        Households served now and then.
    households
        One row an input row, with its index: ``households, served_before, newly_served, lost``
        (each counts households of the row), ``geometry``.
    off_network
        Names of opened stations that are too far from every street to serve anybody.
    """

    newly_served: int
    lost: int
    served_before: int
    served_after: int
    households: gpd.GeoDataFrame
    off_network: tuple[str, ...]

    def by_cell(self, plan: GridPlan, level: str) -> pd.DataFrame:
        """Count per cell who was served, is newly served, is lost and stays unserved.

        As :meth:`Siting.by_cell`, with a column ``lost``.
        """
        return _by_cell(self.households, plan, level)


def _by_cell(households: gpd.GeoDataFrame, plan: GridPlan, level: str) -> pd.DataFrame:
    codes, cell = cells_of_points(plan, level, households)
    inside = cell >= 0

    def total(name: str) -> NDArray[np.int64]:
        sums = np.zeros(len(codes), dtype=np.int64)
        np.add.at(sums, cell[inside], households[name].to_numpy()[inside])
        return sums

    names = ["households", "served_before", "newly_served"]
    names += ["lost"] if "lost" in households.columns else []
    table = pd.DataFrame({name: total(name) for name in names}, index=pd.Index(codes, name="code"))
    served = table["served_before"] + table["newly_served"] - table.get("lost", 0)
    table["unserved"] = table["households"] - served
    table["share"] = served / table["households"].where(table["households"] > 0)
    table.attrs["outside"] = int(households["households"].to_numpy()[~inside].sum())
    return table


def _gap(objective: float, bound: float) -> float:
    if objective == bound:
        return 0.0
    # Of a bound of nothing no share can be taken: then all of the objective is open.
    return abs(objective - bound) / max(abs(objective), abs(bound))
