"""Bring the cells of a plan into their household band by moving as few households as possible."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._parents import by_parent
from geogrid.divide._problem import build_problem, contract
from geogrid.divide._regroup import regrouped
from geogrid.divide._shift import into_band
from geogrid.divide.number import number_plan
from geogrid.errors import InfeasibleError, InputError
from geogrid.model.scheme import HouseholdBand
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from geogrid.divide._problem import IntArray, Problem
    from geogrid.divide._shift import Shift
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["rebalance"]

_MOVE_FIELDS = ("source", "target", "households", "atoms")


def rebalance(
    plan: GridPlan,
    *,
    level: str | None = None,
    band: HouseholdBand | tuple[int | None, int | None] | None = None,
    locked: Iterable[str] = (),
) -> tuple[GridPlan, pd.DataFrame]:
    """Bring the cells of one level into a household band with the fewest households moved.

    Atoms go between neighbouring cells of one parent only, cells stay connected, and where there
    are finer levels whole finer cells go. A cheapest flow between the cells says how many
    households must move at least; atoms are chosen to follow it, and whatever need not have moved
    is taken back.

    Parameters
    ----------
    plan
        The plan; it is not changed.
    level
        Key, name or alias of an area level; the finest one with a band where absent.
    band
        Households per cell, both ends in it; the level's own where absent.
    locked
        Codes of cells that nothing enters or leaves; cells of a coarser level lock all in them.

    Returns
    -------
    plan
        The new plan, without a proof, codes kept where cells are still there; ``plan.notes`` says
        what could not be reached and why. The same plan where nothing moves.
    moves
        ``source, target`` (codes in the old plan), ``households`` and ``atoms`` that went from
        one to the other. ``moves.attrs`` has ``moved`` (households), ``bound`` (no way moves
        fewer), ``beyond`` (households by which cells still miss the band) and ``level``.

    Raises
    ------
    InputError
        If there is no such level or cell, or no band.
    InfeasibleError
        If cells are outside the band and no move between neighbours can bring any of them nearer.
    """
    chosen = _level(plan, level, has_band=band is not None)
    wanted = _band(chosen, band)
    job = _Job(plan, chosen, wanted, list(dict.fromkeys(locked)))
    after, results = job.run()
    beyond = sum(one.beyond for one in results)
    moves = job.moves(after)
    moves.attrs = {
        "level": chosen.key,
        "moved": int(moves["households"].sum()),
        "bound": math.ceil(sum(one.bound for one in results) - 1e-6),
        "beyond": math.ceil(beyond - 1e-6),
    }
    if beyond and moves.empty:
        raise InfeasibleError(job.reasons[0])
    if moves.empty:
        return plan, moves
    moved = job.relabelled(after)
    return replace(moved, notes=(*plan.notes, *job.reasons)), moves


def _level(plan: GridPlan, name: str | None, *, has_band: bool) -> Level:
    if name is not None:
        level = plan.scheme.level(name)
        if level.contract is not Contract.AREA:
            msg = f"level {level.key} ({level.name}) has no areas to move: name an area level"
            raise InputError(msg)
        return level
    able = [one for one in plan.scheme.area_levels if one.band is not None or has_band]
    if not able:
        msg = "no level of this scheme has a household band: give one, such as 300-500"
        raise InputError(msg)
    return able[-1]


def _band(
    level: Level, band: HouseholdBand | tuple[int | None, int | None] | None
) -> tuple[float, float]:
    if band is not None and not isinstance(band, HouseholdBand):
        band = HouseholdBand(low=band[0], high=band[1])
    band = band or level.band
    if band is None:
        msg = f"level {level.key} ({level.name}) has no household band: give one, such as 300-500"
        raise InputError(msg)
    return float(band.low or 0), math.inf if band.high is None else float(band.high)


class _Job:
    """One level of one plan, as arrays."""

    def __init__(
        self, plan: GridPlan, level: Level, band: tuple[float, float], locked: list[str]
    ) -> None:
        self.plan, self.level = plan, level
        self.low, self.high = band
        self.reasons: list[str] = []
        self.problem, rows = build_problem(plan.atoms)
        self.labels = plan.labels.iloc[rows]
        self.codes, self.cell = _numbers(self.labels[level.key])
        self.closed = self._closed(locked)
        levels = plan.scheme.area_levels
        at = levels.index(level)
        self.parent = (
            _numbers(self.labels[levels[at - 1].key])[1]
            if at
            else np.zeros(len(rows), dtype=np.int64)
        )
        self.unit = _numbers(self.labels[levels[at + 1].key])[1] if at + 1 < len(levels) else None

    def _closed(self, locked: list[str]) -> IntArray:
        """Return 1 for cells that are locked, special or official."""
        closed = np.zeros(len(self.codes), dtype=np.int64)
        kinds = self.plan.cell_table["kind"].reindex(pd.Index(self.codes))
        closed[kinds.isin(self.level.unbalanced_kinds).to_numpy()] = 1
        if self.level.locked:
            msg = f"level {self.level.key} ({self.level.name}) is official: its borders stay"
            raise InputError(msg)
        for code in locked:
            inside = np.zeros(len(self.cell), dtype=bool)
            for one in self.plan.scheme.area_levels:
                inside |= self.labels[one.key].to_numpy(str) == code
            if not inside.any():
                msg = f"there is no cell {code} to lock in this plan: check the code"
                raise InputError(msg)
            closed[np.unique(self.cell[inside])] = 1
        return closed

    def run(self) -> tuple[IntArray, list[Shift]]:
        """Rebalance parent by parent; return the new cell of each atom and what was done."""
        after = self.cell.copy()
        results = []
        for _, nodes, problem in by_parent(self.problem, self.parent):
            names, label = np.unique(self.cell[nodes], return_inverse=True)
            label = label.ravel().astype(np.int64)
            closed = self.closed[names] > 0
            held = np.bincount(label, problem.weight)[~closed]
            if ((held >= self.low) & (held <= self.high)).all():
                continue
            found, shift = self._one(problem, nodes, label, closed)
            after[nodes] = names[found]
            results.append(shift)
            if shift.beyond > 0:
                self.reasons.append(self._reason(names, held, shift))
        return after, results

    def _one(
        self,
        problem: Problem,
        nodes: IntArray,
        label: IntArray,
        closed: npt.NDArray[np.bool_],
    ) -> tuple[IntArray, Shift]:
        if self.unit is None:
            shift = into_band(problem, label, low=self.low, high=self.high, closed=closed)
            return shift.label, shift
        group = np.unique(self.unit[nodes], return_inverse=True)[1].ravel().astype(np.int64)
        of_group = np.zeros(int(group.max()) + 1, dtype=np.int64)
        of_group[group] = label
        shift = into_band(
            contract(problem, group), of_group, low=self.low, high=self.high, closed=closed
        )
        return shift.label[group], shift

    def _reason(self, names: IntArray, held: IntArray, shift: Shift) -> str:
        """Say why a parent could not be brought into the band."""
        first = self.codes[names[0]]
        where = str(self.plan.cell_table.loc[first, "parent"]) or self.plan.district.name
        total, count = float(held.sum()), len(held)
        high = "any number" if math.isinf(self.high) else f"{self.high:g}"
        if total < self.low * count or total > self.high * count:
            mean = total / count
            return (
                f"the {count} cells of {where} that may change hold {total:g} households, "
                f"{mean:.1f} on average: no moving brings all into {self.low:g} to {high}; "
                + ("merge two of them" if mean < self.low else "add a cell")
                + ", or widen the band"
            )
        if shift.must > 0:
            return (
                f"cells of {where} miss {self.low:g} to {high} by {shift.beyond:g} households, and "
                f"neighbours that may change cannot give or take them: unlock cells between them"
            )
        what = "atoms" if self.unit is None else "finer cells"
        return (
            f"cells of {where} still miss {self.low:g} to {high} by {shift.beyond:g} households: "
            f"the {what} on their borders are too heavy, or moving them would tear a cell; cut "
            f"them smaller or widen the band"
        )

    def moves(self, after: IntArray) -> pd.DataFrame:
        """Return how many households and atoms went from which cell to which."""
        moved = np.flatnonzero(after != self.cell)
        table = pd.DataFrame(
            {
                "source": self.codes[self.cell[moved]],
                "target": self.codes[after[moved]],
                "households": self.problem.weight[moved].astype(np.int64),
                "atoms": 1,
            }
        )
        summed = table.groupby(["source", "target"], as_index=False).sum()
        return summed[list(_MOVE_FIELDS)]

    def relabelled(self, after: IntArray) -> GridPlan:
        """Return the plan with its new cells, codes kept where they can be."""
        plan, key = self.plan, self.level.key
        column = pd.Series(self.codes[after], index=self.labels.index)
        labels = plan.labels.assign(**{key: column.reindex(plan.labels.index).astype("str")})
        moved = replace(
            regrouped(replace(plan, labels=labels)),
            certificate=None,
            version="",
            parent_version=plan.version or plan.parent_version,
        )
        numbered = number_plan(moved, near=plan)
        return replace(numbered, parent_version=moved.parent_version, certificate=None)


def _numbers(labels: pd.Series) -> tuple[IntArray, IntArray]:
    codes, number = np.unique(labels.to_numpy(str), return_inverse=True)
    return codes, number.ravel().astype(np.int64)
