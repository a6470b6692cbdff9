"""Prove lists of households after an edit: only those whose homes or members it can have changed.

*Claim.* Take the cells that an edit changed and, again and again, the cells that hold a home of a
list with a home in those taken. If the lists in these cells are right, and all others were, then
all are.

*Why.* Where homes lie is decided by the cells, who belongs to a list by its rows. Beyond the cells
taken no cell, row or fact of a list is another than it was, and no list has homes on both sides.
So what is judged of each list and home there, on its own, is what was judged before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage import verify_levels
from geogrid.planar.noding import as_multipolygon
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from geogrid.model.plan import GridPlan
    from geogrid.model.report import CoverageReport
    from geogrid.model.scheme import Level
    from geogrid.store._changes import Changes

    Flags = npt.NDArray[np.bool_]

__all__ = ["ListsProof", "prove_lists"]

# A chain of lists that reaches so far is judged as fast from nothing.
_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True, eq=False)
class ListsProof:
    """What was found of the lists in some cells of an area level.

    Attributes
    ----------
    report
        What was found; of the area level as well.
    keys
        Of the levels that list households.
    codes
        The cells, and all lists, old and new, that have a home in them.
    """

    report: CoverageReport
    keys: frozenset[str]
    codes: frozenset[str]

    def covers(self, defect: Mapping[str, Any]) -> bool:
        """Tell whether a defect that was known before is one that was judged anew."""
        return defect["level"] in self.keys and not self.codes.isdisjoint(defect["cells"])


def prove_lists(
    plan: GridPlan, changes: Changes, cells: Mapping[str, gpd.GeoDataFrame]
) -> list[ListsProof] | None:
    """Prove the lists below each area level.

    Parameters
    ----------
    plan, changes
        The new plan, and what differs from one that was proven.
    cells
        The cells of the new plan by key of their level, sorted by code.

    Returns
    -------
    list of ListsProof or None
        Nothing where they must be proven from nothing, or are not right.
    """
    found = []
    for area, lists in _groups(plan):
        if any(level.key not in changes.lists for level in lists):
            return None
        group = _Group(plan, changes, area, lists)
        if not group.is_touched:
            continue
        if any(level.key in plan.shapes for level in lists) or not group.grown():
            return None
        report = group.judged(cells[area.key])
        if not report.is_proven:
            return None
        found.append(ListsProof(report, frozenset(one.key for one in lists), group.codes()))
    return found


def _groups(plan: GridPlan) -> list[tuple[Level, list[Level]]]:
    """Return each area level with the lists that lie in its cells."""
    found: list[tuple[Level, list[Level]]] = []
    for level in plan.scheme.levels:
        if level.contract is Contract.AREA:
            found.append((level, []))
        elif level.key in plan.rosters and found:
            found[-1][1].append(level)
    return [(area, lists) for area, lists in found if lists]


class _Group:
    """The lists below one area level."""

    def __init__(self, plan: GridPlan, changes: Changes, area: Level, lists: list[Level]) -> None:
        self.plan, self.area, self.lists = plan, area, lists
        self.label = plan.labels[area.key].to_numpy(object)
        self.own = {level.key: set(changes.lists[level.key]) for level in lists}
        homes = frozenset().union(*(changes.homes[level.key] for level in lists))
        self.cells: set[str] = set(changes.codes[area.key]) | self._holding(list(homes))
        self.rows: dict[str, Flags] = {}

    @property
    def is_touched(self) -> bool:
        """Whether any cell, list or row may be another."""
        return bool(self.cells or any(self.own.values()))

    def grown(self) -> bool:
        """Take the lists of the cells and their cells, again and again; tell whether it ended."""
        for _ in range(_MOST_ROUNDS):
            before = len(self.cells)
            there = set(self.plan.labels.index.to_numpy(object)[self._in_cells()].tolist())
            for key, own in self.own.items():
                roster = self.plan.rosters[key]
                codes, atoms = (roster[name].to_numpy(object) for name in ("code", "atom_id"))
                here = _among(atoms, there)
                own |= set(codes[here].tolist())
                self.rows[key] = here | _among(codes, own)
                self.cells |= self._holding(atoms[self.rows[key]].tolist())
            if len(self.cells) == before:
                return True
        return False

    def _in_cells(self) -> Flags:
        return _among(self.label, self.cells)

    def _holding(self, atoms: list[str]) -> set[str]:
        """Return the cells that hold some atoms."""
        wanted = pd.Index(list(dict.fromkeys(atoms)), dtype=object)
        at = self.plan.labels.index.get_indexer(wanted)
        return set(self.label[at[at >= 0]].tolist())

    def judged(self, cells: gpd.GeoDataFrame) -> CoverageReport:
        """Judge the lists in the cells that were taken, and these cells once more."""
        ground = cells[_among(cells["code"].to_numpy(object), self.cells)].reset_index(drop=True)
        levels: dict[Level, gpd.GeoDataFrame | pd.DataFrame] = {self.area: ground}
        for level in self.lists:
            rows = self.plan.rosters[level.key][self.rows[level.key]]
            facts = self.plan.cell_table.reindex(rows["code"])
            levels[level] = rows.assign(
                kind=facts["kind"].to_numpy(), parent=facts["parent"].to_numpy()
            ).sort_values(["code", "household_id"], ignore_index=True)
        frame = self.plan.atoms.frame[self._in_cells()]
        homes = gpd.GeoDataFrame(
            {"households": frame["households"].to_numpy()},
            geometry=shapely.point_on_surface(frame.geometry.to_numpy()),
            index=pd.Index(frame["atom_id"], name="atom_id"),
            crs=frame.crs,
        )
        return verify_levels(
            levels,
            as_multipolygon(shapely.coverage_union_all(ground.geometry.to_numpy())),
            homes=homes,
            exceptions=self.plan.scheme.exceptions,
            limit_is_noded=True,
        )

    def codes(self) -> frozenset[str]:
        """Return the codes of the cells and lists that were taken."""
        return frozenset(self.cells.union(*self.own.values()))


def _among(values: npt.NDArray[np.object_], wanted: set[str]) -> Flags:
    held = values.tolist()
    return np.fromiter(map(wanted.__contains__, held), dtype=np.bool_, count=len(held))
